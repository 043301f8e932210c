package verify

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/tiles"
)

// entry is one entry of the book. Of one that stays closed only the number
// and the access level are known.
type entry struct {
	seq    int64
	at     time.Time
	access minutes.Access
	open   bool
	head   minutes.Header
	body   []byte
	kinds  kind // what is known of its kind
}

// line is one line of an entries file.
type line struct {
	Body       json.RawMessage `json:"body"`
	Commitment string          `json:"commitment"`
	Full       json.RawMessage `json:"full"`
	Header     json.RawMessage `json:"header"`
	Salt       string          `json:"salt"`
}

const maxLine = minutes.MaxBody + 1<<16

// file reads a small file whole.
func (v *verifier) file(name string, most int64) ([]byte, error) {
	f, err := v.files.Open(name)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "this is not a whole bundle: %s cannot be read", name)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fault.New(fault.TooMuch, "%s is longer than %d bytes", name, most)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s cannot be read", name)
	}
	return b, nil
}

// log is the log while it is read through.
type log struct {
	v      *verifier
	edge   *tiles.Edge
	leaves [][]byte // of the entry bundle being read
	recent []tiles.Hash
	known  map[string]bool // files that a bundle has
	last   time.Time
}

// read goes through the whole log once: every leaf, tile and record.
func (v *verifier) read(progress func(done, of int64)) error {
	edge, _ := tiles.NewEdge(0, nil)
	l := &log{v: v, edge: edge, known: map[string]bool{"bundle.json": true, "checkpoint": true, "vkey": true, "README.txt": true}}
	for n := int64(0); n*tiles.Width < v.head.Size; n++ {
		if err := v.ctx.Err(); err != nil {
			return err
		}
		if err := l.bundle(n); err != nil {
			return err
		}
		if progress != nil {
			progress(l.edge.Size(), v.head.Size)
		}
	}
	if v.since.Size == 0 && v.since.Origin != "" {
		v.Check(CheckConsistency).must(v.since.Root == tiles.EmptyRoot(), 0, "the older checkpoint of an empty log has another root")
	}
	v.Check(CheckLeaves).note("%d entries", l.edge.Size())
	c := v.Check(CheckTree)
	c.must(l.edge.Root() == v.head.Root, 0, "the entries give another root than the one that was signed")
	c.note("%d tiles", c.Done-1)
	return l.files()
}

// bundle reads the entries below one tile of level 0.
func (l *log) bundle(n int64) error {
	ref := tiles.Ref{Entries: true, N: n, Width: tiles.WidthAt(l.v.head.Size, 0, n)}
	l.known[ref.Path()] = true
	b, err := l.v.file(ref.Path(), tiles.Width*(2+minutes.MaxHeader+33))
	if err != nil {
		return err
	}
	if l.leaves, err = tiles.SplitBundle(b); err != nil || len(l.leaves) != ref.Width {
		l.v.Check(CheckLeaves).fail(n*tiles.Width+1, "%s does not hold %d leaves", ref.Path(), ref.Width)
		return nil
	}
	if l.edge.Size() != n*tiles.Width {
		return nil // leaves are missing before; it has been said
	}
	return l.entries(n)
}

func (l *log) entries(n int64) error {
	name := strings.TrimPrefix(tiles.Ref{Entries: true, N: n, Width: tiles.Width}.Path(), "tile/") + ".jsonl"
	l.known[name] = true
	f, err := l.v.files.Open(name)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "this is not a whole bundle: %s cannot be read", name)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 0, 64<<10), maxLine)
	l.recent = l.recent[:0]
	for i, leaf := range l.leaves {
		seq := n*tiles.Width + int64(i) + 1
		if !s.Scan() {
			l.v.Check(CheckLeaves).fail(seq, "%s ends before it", name)
		} else if e := l.entry(seq, leaf, s.Bytes()); e != nil {
			l.v.entry(e)
		}
		l.append(seq, leaf)
	}
	if s.Scan() {
		l.v.Check(CheckLeaves).fail(0, "%s goes on after the last entry", name)
	}
	if err := s.Err(); err != nil {
		return fault.Wrap(fault.Invalid, err, "%s cannot be read", name)
	}
	l.partial()
	return nil
}

// entry reads one line and compares it with the leaf; nil where it is not
// what the log committed to.
func (l *log) entry(seq int64, leaf, text []byte) *entry {
	c := l.v.Check(CheckLeaves)
	var x line
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := errors.Join(minutes.Check(text), d.Decode(&x)); err != nil {
		c.fail(seq, "its line cannot be read: %v", err)
		return nil
	}
	e := &entry{seq: seq, body: bytes.Clone(x.Body)}
	commitment, ok := l.commitment(e, &x)
	if !ok {
		return nil
	}
	if !c.must(bytes.Equal(minutes.JoinLeaf(x.Header, commitment), leaf), seq, "header and commitment are not those of the log") {
		return nil
	}
	return l.header(e, &x)
}

// commitment recomputes what the leaf commits to.
func (l *log) commitment(e *entry, x *line) (sum [32]byte, ok bool) {
	c := l.v.Check(CheckLeaves)
	closed := x.Body == nil && x.Salt == "" && x.Full == nil
	b, err := hex.DecodeString(x.Commitment + x.Salt)
	if err != nil || len(b) != 32 || closed != (x.Commitment != "") {
		c.fail(e.seq, "its line has neither a commitment nor a salt and a body")
		return sum, false
	}
	if closed {
		return [32]byte(b), true
	}
	e.open = true
	committed := []byte(x.Body)
	if x.Full != nil {
		committed = append(append(bytes.Clone(x.Full), '\n'), x.Body...)
	}
	return minutes.Commit([32]byte(b), committed), true
}

// header reads the header that the leaf shows, and the full one of an entry
// that is not public.
func (l *log) header(e *entry, x *line) *entry {
	var shown minutes.Header
	if err := minutes.Decode(x.Header, &shown); err != nil {
		l.v.Check(CheckRecords).fail(e.seq, "its header cannot be read: %v", err)
		return nil
	}
	l.v.Check(CheckOrder).must(shown.Seq == e.seq, e.seq, "its header says number %d", shown.Seq)
	l.v.Check(CheckRecords).must(shown.V == 1, e.seq, "its header is of the unknown version %d", shown.V)
	e.head, e.access = shown, minutes.Public
	if shown.Access != "" {
		e.access = shown.Access
		bare := shown == minutes.Header{V: shown.V, Seq: shown.Seq, Access: shown.Access}
		l.v.Check(CheckPrivacy).must(bare, e.seq, "its public header says more than that it is there")
		if e.open {
			e.head = minutes.Header{}
			if x.Full == nil || minutes.Decode(x.Full, &e.head) != nil || e.head.Access != "" || e.head.Seq != shown.Seq || e.head.V != 1 {
				l.v.Check(CheckRecords).fail(e.seq, "its full header is missing or cannot be read")
				return nil
			}
		}
	} else if !e.open || x.Full != nil {
		l.v.Check(CheckLeaves).fail(e.seq, "it is public, but the bundle does not open it as such")
		return nil
	}
	if !e.open {
		return e
	}
	if e.head.At == "" && e.head.Kind == proceeding.KindSealedPaper && e.access == minutes.Public {
		e.at = l.last // when somebody voted is nobody's business
		return e
	}
	at, err := time.Parse("2006-01-02T15:04:05.000Z", e.head.At)
	if err != nil || at.UTC().Format("2006-01-02T15:04:05.000Z") != e.head.At {
		l.v.Check(CheckRecords).fail(e.seq, "its time %q is no time", e.head.At)
		return nil
	}
	l.v.Check(CheckOrder).must(!at.Before(l.last), e.seq, "it is dated before the entry in front of it")
	e.at, l.last = at, at
	return e
}

// append puts a leaf at the end of the tree and compares the tiles that it
// completes.
func (l *log) append(seq int64, leaf []byte) {
	h := tiles.LeafHash(leaf)
	l.recent = append(l.recent, h)
	for _, t := range l.edge.Append(h) {
		if w := tiles.WidthAt(l.v.head.Size, t.Level, t.N); len(t.Hashes) == w {
			l.tile(t)
		}
	}
	if l.v.watching > 0 {
		l.v.roots[seq] = l.edge.Root()
	}
	if s := l.v.since; s.Origin != "" && seq == s.Size {
		l.v.Check(CheckConsistency).must(l.edge.Root() == s.Root, 0, "the first %d entries are not those of the older checkpoint: the log has been rewritten", s.Size)
	}
}

// partial compares the last tile of level 0, which Append does not give.
func (l *log) partial() {
	if n := len(l.recent); n < tiles.Width {
		l.tile(tiles.Tile{N: (l.edge.Size() - 1) / tiles.Width, Hashes: l.recent})
	}
}

func (l *log) tile(t tiles.Tile) {
	path := tiles.Ref{Level: t.Level, N: t.N, Width: len(t.Hashes)}.Path()
	l.known[path] = true
	b, err := l.v.file(path, tiles.Width*32)
	l.v.Check(CheckTree).must(err == nil && bytes.Equal(b, t.Bytes()), 0, "%s is not what the entries give", path)
}

// files refuses what does not belong in a bundle.
func (l *log) files() error {
	for hash := range l.v.org.books {
		l.known["rulebooks/"+hash+".yaml"] = true
	}
	c := l.v.Check(CheckFiles)
	err := fs.WalkDir(l.v.files, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			c.must(l.known[path], 0, "%s does not belong in a bundle", path)
		}
		return err
	})
	c.note("%d files", c.Done)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the bundle's files cannot be listed")
	}
	return nil
}
