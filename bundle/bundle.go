// Package bundle writes what an organisation hands to those who check it: the
// public bundle, with which anybody can check the log and what is public of
// every proceeding, and the scrutineers' bundle, with which the gate, the roll
// and the count can be repeated.
//
// It decides what is in which bundle, and only by the access level of an
// entry: the public bundle opens public entries, the scrutineers' bundle all.
// Neither holds particulars (names, addresses) of people who do not act
// publicly: those are kept apart from the bodies that are published. It
// checks nothing; package verify does, with code of its own.
//
// The format is specified in docs/verifying.md. It follows C2SP tlog-tiles
// for the log and package minutes for entries.
package bundle

import (
	"archive/zip"
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/store"
	"github.com/omov/omov/tiles"
)

// Format names the version of the bundle's form.
const Format = "omov-bundle/1"

// The kinds of bundle.
const (
	KindPublic      = "public"
	KindScrutineers = "scrutineers"
)

// Manifest is the file bundle.json.
type Manifest struct {
	Format string `json:"format"`
	Kind   string `json:"kind"`
	Origin string `json:"origin"`
	Size   int64  `json:"size"` // entries
}

// Line is one line of an entries file: the entry's leaf opened (header, salt
// and body, and for an entry that is not public the full header that its
// commitment covers), or, closed, its header and its commitment.
type Line struct {
	Body       json.RawMessage `json:"body,omitempty"`
	Commitment string          `json:"commitment,omitempty"` // hex
	Full       json.RawMessage `json:"full,omitempty"`
	Header     json.RawMessage `json:"header"`
	Salt       string          `json:"salt,omitempty"` // hex
}

const readme = `This is a bundle of the minute book of an organisation that runs its
elections with omov. Check it with

    omov verify FILE.zip --vkey KEY

where KEY is the log's public key from a source that you trust: the file vkey
in here is only as good as the way on which this file came to you. The format
is described in docs/verifying.md of omov.
`

// WritePublic writes the public bundle, a zip file.
func WritePublic(ctx context.Context, ch *chamber.Chamber, w io.Writer) error {
	return write(ctx, ch, w, KindPublic)
}

// WriteScrutineers writes the scrutineers' bundle, a zip file. The caller
// sees to it that only those get it who may read what officers and
// scrutineers can.
func WriteScrutineers(ctx context.Context, ch *chamber.Chamber, w io.Writer) error {
	return write(ctx, ch, w, KindScrutineers)
}

// writer writes one bundle up to the size of one signed checkpoint. It reads
// in pages, each on a snapshot of its own: what has been written of a book
// does not change any more.
type writer struct {
	ctx  context.Context
	ch   *chamber.Chamber
	zip  *zip.Writer
	kind string
	size int64
}

// head is the newest signed checkpoint.
func head(ctx context.Context, ch *chamber.Chamber) (signed []byte, c tiles.Checkpoint, err error) {
	if signed, err = ch.DB.Checkpoint(ctx); err == nil {
		c, err = tiles.Open(signed, ch.DB.VerifierKey())
	}
	return signed, c, err
}

func write(ctx context.Context, ch *chamber.Chamber, out io.Writer, kind string) error {
	signed, c, err := head(ctx, ch)
	if err != nil {
		return err
	}
	w := &writer{ctx: ctx, ch: ch, zip: zip.NewWriter(out), kind: kind, size: c.Size}
	manifest, err := minutes.Canonical(Manifest{Format: Format, Kind: kind, Origin: c.Origin, Size: c.Size})
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		b    []byte
	}{
		{"README.txt", []byte(readme)}, {"bundle.json", append(manifest, '\n')}, {"checkpoint", signed}, {"vkey", []byte(ch.DB.VerifierKey() + "\n")},
	} {
		if err := w.file(f.name, f.b); err != nil {
			return err
		}
	}
	for _, part := range []func() error{w.tiles, w.entries, w.rulebooks, w.zip.Close} {
		if err := part(); err != nil {
			return unwritten(err)
		}
	}
	return nil
}

func unwritten(err error) error {
	if fault.Of(err) != nil {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "the bundle could not be written to its end")
}

func (w *writer) file(name string, b []byte) error {
	f, err := w.zip.Create(name)
	if err == nil {
		_, err = f.Write(b)
	}
	if err != nil {
		return unwritten(err)
	}
	return nil
}

// tiles writes the log as C2SP tlog-tiles lays it out.
func (w *writer) tiles() error {
	for level := range tiles.Levels(w.size) {
		for n := int64(0); tiles.WidthAt(w.size, level, n) > 0; n++ {
			ref := tiles.Ref{Level: level, N: n, Width: tiles.WidthAt(w.size, level, n)}
			if err := w.tile(ref); err != nil {
				return err
			}
			if ref.Entries = true; level == 0 {
				if err := w.tile(ref); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (w *writer) tile(ref tiles.Ref) error {
	b, err := Tile(w.ctx, w.ch, ref.Path())
	if err != nil {
		return err
	}
	return w.file(ref.Path(), b)
}

// EntriesPath is the file of the entries below tile n of level 0.
func EntriesPath(n int64) string {
	ref := tiles.Ref{Entries: true, N: n, Width: tiles.Width}
	return strings.TrimPrefix(ref.Path(), "tile/") + ".jsonl"
}

// page is how many entries are in memory at a time; bodies of imports and
// rolls may have a megabyte and more.
const page = 32

func (w *writer) entries() error {
	for n := int64(0); n*tiles.Width < w.size; n++ {
		f, err := w.zip.Create(EntriesPath(n))
		if err != nil {
			return unwritten(err)
		}
		if err := w.below(n, f); err != nil {
			return err
		}
	}
	return nil
}

// below writes the entries below tile n.
func (w *writer) below(n int64, out io.Writer) error {
	b := bufio.NewWriter(out)
	end := min((n+1)*tiles.Width, w.size)
	for from := n*tiles.Width + 1; from <= end; from += page {
		lines, err := w.lines(from, int(min(page, end-from+1)))
		if err != nil {
			return err
		}
		for _, l := range lines {
			b.Write(l)
			b.WriteByte('\n')
		}
	}
	if err := b.Flush(); err != nil {
		return unwritten(err)
	}
	return nil
}

// Entries writes the public entries below tile n of the log as it is now, one a
// line, as a public bundle has them. fault.NotFound where the log has not grown
// so far.
func Entries(ctx context.Context, ch *chamber.Chamber, n int64, out io.Writer) error {
	_, c, err := head(ctx, ch)
	if err != nil {
		return err
	}
	if n < 0 || n*tiles.Width >= c.Size {
		return fault.New(fault.NotFound, "the log has no entries there yet")
	}
	w := &writer{ctx: ctx, ch: ch, kind: KindPublic, size: c.Size}
	return w.below(n, out)
}

// ParseEntriesPath reads what EntriesPath gives.
func ParseEntriesPath(path string) (n int64, err error) {
	short, ok := strings.CutSuffix(path, ".jsonl")
	ref, err := tiles.ParsePath("tile/" + short)
	if !ok || err != nil || !ref.Entries || ref.Width != tiles.Width {
		return 0, fault.New(fault.NotFound, "the log has no such entries")
	}
	return ref.N, nil
}

// lines gives n lines from an entry on.
func (w *writer) lines(from int64, n int) ([][]byte, error) {
	var out [][]byte
	err := w.ch.DB.Read(w.ctx, func(tx *store.Tx) error {
		out = out[:0]
		q := store.Query{Before: from + int64(n), Bodies: true, Limit: n}
		if w.kind == KindPublic {
			q.Access = []minutes.Access{minutes.Public}
		} else {
			// What is for the parties of a case alone is in no bundle.
			q.Access = []minutes.Access{minutes.Public, minutes.Members, minutes.Officers, minutes.Scrutineers}
		}
		opened, err := tx.Page(q) // the newest first
		if err != nil {
			return err
		}
		slices.Reverse(opened)
		var leaves [][]byte
		if err := tx.Leaves(from, n, func(leaf []byte) { leaves = append(leaves, leaf) }); err != nil {
			return err
		}
		for i, leaf := range leaves {
			for len(opened) > 0 && opened[0].Seq < from+int64(i) {
				opened = opened[1:]
			}
			var m *minutes.Minute
			if len(opened) > 0 && opened[0].Seq == from+int64(i) {
				m = &opened[0]
			}
			b, err := line(leaf, m)
			if err != nil {
				return err
			}
			out = append(out, b)
		}
		return nil
	})
	return out, err
}

// line writes an entry; m is nil where it stays closed. What is written has
// been compared with the leaf: a damaged entry ends the bundle.
func line(leaf []byte, m *minutes.Minute) ([]byte, error) {
	_, commitment, err := minutes.SplitLeaf(leaf)
	if err != nil {
		return nil, err
	}
	l := Line{Header: leaf[:len(leaf)-33]}
	if m == nil {
		l.Commitment = hex.EncodeToString(commitment[:])
		return canonical(l), nil
	}
	if err := m.CheckLeaf(leaf); err != nil {
		return nil, err
	}
	l.Body, l.Salt = m.Body, hex.EncodeToString(m.Salt[:])
	if m.Access != minutes.Public {
		open := *m
		open.Access = minutes.Public
		if l.Full, err = open.Header(); err != nil {
			return nil, err
		}
	}
	return canonical(l), nil
}

// canonical joins the parts, which are canonical already, in the order of
// their keys.
func canonical(l Line) []byte {
	b := make([]byte, 0, len(l.Body)+len(l.Full)+len(l.Header)+200)
	b = append(b, '{')
	if l.Body != nil {
		b = append(append(append(b, `"body":`...), l.Body...), ',')
	}
	if l.Commitment != "" {
		b = append(append(append(b, `"commitment":"`...), l.Commitment...), `",`...)
	}
	if l.Full != nil {
		b = append(append(append(b, `"full":`...), l.Full...), ',')
	}
	b = append(append(b, `"header":`...), l.Header...)
	if l.Salt != "" {
		b = append(append(append(b, `,"salt":"`...), l.Salt...), '"')
	}
	return append(b, '}')
}

func (w *writer) rulebooks() error {
	var rows []store.RulebookRow
	err := w.ch.DB.Read(w.ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Rulebooks()
		return err
	})
	if err != nil {
		return err
	}
	done := map[string]bool{}
	for _, r := range rows {
		if r.Seq > w.size || done[r.Hash] {
			continue
		}
		done[r.Hash] = true
		var full store.RulebookRow
		err := w.ch.DB.Read(w.ctx, func(tx *store.Tx) (err error) {
			full, err = tx.Rulebook(r.Hash)
			return err
		})
		if err != nil {
			return err
		}
		if err := w.file("rulebooks/"+r.Hash+".yaml", full.Source); err != nil {
			return err
		}
	}
	return nil
}

// Tile gives a tile of the log, or an entry bundle of its leaves, by its C2SP
// tlog-tiles path ("tile/0/x001/234", "tile/entries/000.p/17").
// fault.NotFound where the log has not grown so far.
func Tile(ctx context.Context, ch *chamber.Chamber, path string) ([]byte, error) {
	ref, err := tiles.ParsePath(path)
	if err != nil {
		return nil, err
	}
	var b []byte
	err = ch.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if ref.Entries {
			b, err = tx.Entries(ref.N, ref.Width)
		} else {
			b, err = tx.Tile(ref.Level, ref.N, ref.Width)
		}
		return err
	})
	return b, err
}
