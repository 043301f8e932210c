package postbox

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/tiles"
)

// A trustee who opened what a server chose could be made to open one person's
// paper. So before the closing checkpoint is witnessed, everything that the
// log holds of the ballot is read: each entry is shown to be in the log by its
// tiles, the registrar's list and every paper are judged again, and what then
// stands in each group is what is mixed or added up, and nothing else.

// The kinds of entry that are read here; docs/sealed-board.md.
const (
	kindListed = "seal.listed/1"
	kindChange = "seal.relisted/1"
	kindPaper  = "seal.paper/1"
	kindShut   = "ballot.closed/1"
)

// reading goes through the log from the registrar's list to the close.
type reading struct {
	t       *Trustee
	v       *view
	key     [32]byte
	checker *sealed.Checker
	board   *sealed.Board
	waiting [][]byte // papers that are judged together
	numbers []int64  // and their entries
	papers  int64
	root    string // of ballot.closed/1
	few     bool   // too few papers: nothing may be opened
	shut    bool
}

// together is how many papers are judged at once.
const together = 4096

// standing recomputes which papers count, from the log up to the closing
// checkpoint, and gives what stands in each group.
func (t *Trustee) standing(ctx context.Context, v *view, key [32]byte, closing tiles.Checkpoint) ([]pile, error) {
	if v.b.List == nil || v.b.List.Seq < 1 || v.b.List.Seq > closing.Size {
		return nil, fault.New(fault.Damaged, "the log up to the close holds no list of who may vote. Nothing was contributed")
	}
	r := &reading{t: t, v: v, key: key}
	var err error
	if r.checker, err = sealed.NewChecker(t.g, v.m, key); err != nil {
		return nil, err
	}
	done := t.timed("Reading the record from entry %d to %d, and judging every paper again", v.b.List.Seq, closing.Size)
	hashes := tlog.TileHashReader(tlog.Tree{N: closing.Size, Hash: closing.Root}, source{ctx, t.c})
	for n := (v.b.List.Seq - 1) / tiles.Width; n*tiles.Width < closing.Size; n++ {
		if err := r.stretch(ctx, hashes, n, closing.Size); err != nil {
			return nil, err
		}
	}
	if err := r.judge(); err != nil {
		return nil, err
	}
	done()
	return r.groups()
}

// wrong is what is said of a record that does not hold.
func wrong(seq int64, format string, args ...any) error {
	f := fault.New(fault.Damaged, "entry %d of the log: "+format+". Nothing was contributed", append([]any{seq}, args...)...)
	f.Remedy = "Tell the other trustees, the scrutineers and the returning officer."
	return f
}

// stretch reads the entries below one tile of the log.
func (r *reading) stretch(ctx context.Context, hashes tlog.HashReader, n, size int64) error {
	first, end := n*tiles.Width, min((n+1)*tiles.Width, size) // leaves, from 0
	indexes := make([]int64, 0, tiles.Width)
	for i := first; i < end; i++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, i))
	}
	want, err := hashes.ReadHashes(indexes)
	if err != nil {
		if fault.Of(err) != nil || ctx.Err() != nil {
			return err
		}
		return fault.Wrap(fault.Damaged, err, "the log does not hold what its closing checkpoint says. Nothing was contributed")
	}
	ctx, cancel := context.WithTimeout(ctx, later)
	defer cancel()
	body, err := r.t.c.entries(ctx, n)
	if err != nil {
		return err
	}
	defer body.Close()
	lines := bufio.NewReaderSize(body, 1<<20)
	for i := first; i < end; i++ {
		line, err := readLine(lines, maxLine)
		if err != nil {
			return err
		}
		if i+1 < r.v.b.List.Seq {
			continue
		}
		if err := r.entry(i+1, line, want[i-first]); err != nil {
			return err
		}
	}
	return nil
}

// readLine reads a line of at most so many bytes.
func readLine(r *bufio.Reader, most int) ([]byte, error) {
	var out []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(out)+len(part) > most {
			return nil, fault.New(fault.TooMuch, "the server sends a longer entry than there can be")
		}
		out = append(out, part...)
		switch {
		case err == nil:
			return out, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return nil, fault.New(fault.Unavailable, "the server does not send the record up to the close; try again later")
		default:
			return nil, fault.Wrap(fault.Unavailable, err, "the connection broke off; try again")
		}
	}
}

// opened is a line of a bundle's entries file (docs/verifying.md).
type opened struct {
	Body       json.RawMessage `json:"body"`
	Commitment string          `json:"commitment"`
	Header     json.RawMessage `json:"header"`
	Salt       string          `json:"salt"`
}

// entry takes one entry in, once it is shown to be the log's.
func (r *reading) entry(seq int64, line []byte, want tiles.Hash) error {
	var x opened
	if err := json.Unmarshal(line, &x); err != nil {
		return wrong(seq, "what the server sends of it cannot be read")
	}
	commitment, err := hex.DecodeString(x.Commitment)
	if err != nil {
		return wrong(seq, "what the server sends of it cannot be read")
	}
	if x.Commitment == "" {
		salt, err := hex.DecodeString(x.Salt)
		if err != nil || len(salt) != 32 {
			return wrong(seq, "what the server sends of it cannot be read")
		}
		sum := minutes.Commit([32]byte(salt), x.Body)
		commitment = sum[:]
	}
	if len(commitment) != 32 {
		return wrong(seq, "what the server sends of it cannot be read")
	}
	leaf := minutes.JoinLeaf(x.Header, [32]byte(commitment))
	if tiles.LeafHash(leaf) != want {
		return wrong(seq, "the log holds something else than the server sends")
	}
	h, _, err := minutes.SplitLeaf(leaf)
	if err != nil || h.Seq != seq {
		return wrong(seq, "it is not an entry of a minute book")
	}
	if h.Access != "" || h.Proceeding != r.t.c.ref {
		return nil
	}
	switch h.Kind {
	case kindListed, kindChange, kindPaper, kindShut:
	default:
		return nil
	}
	if x.Commitment != "" {
		return wrong(seq, "the server keeps back what is public")
	}
	return r.take(seq, h.Kind, x.Body)
}

// take judges an entry of the proceeding. Those of another ballot of the same
// proceeding have no say.
func (r *reading) take(seq int64, kind string, body []byte) error {
	var b struct {
		Ballot    string `json:"ballot"`
		List      []byte `json:"list"`
		Change    []byte `json:"change"`
		Signature []byte `json:"signature"`
		Paper     []byte `json:"paper"`
		Root      string `json:"root"`
		Unopened  bool   `json:"unopened"`
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return wrong(seq, "it cannot be read")
	}
	if b.Ballot != r.v.b.Ballot {
		return nil
	}
	switch {
	case r.shut:
		return wrong(seq, "it comes after the close of the ballot")
	case kind == kindListed:
		return r.list(seq, b.List, b.Signature)
	case r.board == nil:
		return wrong(seq, "it comes before the list of who may vote")
	case kind == kindChange:
		return r.change(seq, b.Change, b.Signature)
	case kind == kindShut:
		r.shut, r.root, r.few = true, b.Root, b.Unopened
		return nil
	}
	r.waiting, r.numbers = append(r.waiting, b.Paper), append(r.numbers, seq)
	if len(r.waiting) >= together {
		return r.judge()
	}
	return nil
}

func (r *reading) list(seq int64, list, signature []byte) error {
	if r.board != nil || seq != r.v.b.List.Seq {
		return wrong(seq, "it is a second list of who may vote")
	}
	creds, err := sealed.ReadListing(r.t.g, r.v.m, list, signature)
	if err != nil {
		return wrong(seq, "the list of who may vote does not hold: %v", err)
	}
	r.board, err = sealed.NewBoard(r.checker, creds)
	return err
}

// change takes the registrar's change of the list, after the papers before it.
func (r *reading) change(seq int64, body, signature []byte) error {
	if err := r.judge(); err != nil {
		return err
	}
	c, err := sealed.ReadRelisting(r.t.g, r.v.m, body, signature)
	if err == nil {
		err = r.board.Relist(c)
	}
	if err != nil {
		return wrong(seq, "the list of who may vote was changed, and the change does not hold: %v", err)
	}
	return nil
}

// judge judges the papers that wait. The log holds accepted papers only.
func (r *reading) judge() error {
	if len(r.waiting) == 0 {
		return nil
	}
	_, errs := r.board.PostAll(r.waiting)
	for i, err := range errs {
		if err != nil {
			return wrong(r.numbers[i], "a paper that does not count was recorded as one that does (%v)", err)
		}
	}
	r.papers += int64(len(r.waiting))
	r.t.say("  %d papers so far", r.papers)
	r.waiting, r.numbers = nil, nil
	return nil
}

// groups gives what stands in each mix group, as the entry of the close says.
func (r *reading) groups() ([]pile, error) {
	if r.board == nil || !r.shut {
		return nil, fault.New(fault.Damaged, "the log up to the closing checkpoint does not hold the list of who may vote and the close of the ballot. Nothing was contributed")
	}
	if r.few {
		return nil, fault.New(fault.NotEntitled, "too few papers came in: nothing of this ballot is opened. Nothing was contributed")
	}
	r.board.Close()
	var out []pile
	var all []sealed.Standing
	for _, p := range places(r.v.m) {
		pairs, n := r.board.Group(p.contest, p.section, p.class)
		if n > 0 && !r.v.m.Enough(p.section, int64(n)) {
			return nil, fault.New(fault.NotEntitled, "only %d papers stand in %s, and nothing is opened of fewer than %d. Nothing was contributed", n, p, r.v.m.MinSize)
		}
		sum := sha256.Sum256(pairs)
		all = append(all, sealed.Standing{Group: p.String(), Papers: int64(n), Pairs: sum})
		out = append(out, pile{Name: p.String(), Papers: int64(n), Bytes: int64(len(pairs)), Pairs: hex.EncodeToString(sum[:])})
	}
	if root := sealed.StandingRoot(all); hex.EncodeToString(root[:]) != r.root {
		return nil, fault.New(fault.Damaged, "the papers that count are others than the close of the ballot says. Nothing was contributed")
	}
	return out, nil
}
