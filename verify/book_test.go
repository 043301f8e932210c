package verify_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/omov/omov/bundle"
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/rulebooks"
	"github.com/omov/omov/store"
	"github.com/omov/omov/tiles"
)

// record is one entry of a book, opened.
type record struct {
	head   minutes.Header // in full
	access minutes.Access
	salt   [32]byte
	body   []byte
	shown  *minutes.Header // a public header that is not as it should be
	closed bool            // in the bundle that is made of it
}

// book is the entries of an organisation, to be altered and put together
// again: hashed and signed anew, so that only what they say is wrong.
type book struct {
	t      *testing.T
	recs   []*record
	books  map[string][]byte // rulebooks by hash
	keep   bool              // numbers as they are
	public bool
}

const testOrigin = "example.org/tampered"

// party founds a small party whose leadership contest has been decided by
// lot, and gives its book.
func party(t *testing.T) *book {
	t.Helper()
	ctx := context.Background()
	dir := t.TempDir()
	ch, clock, err := chamber.OpenDemo(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: filepath.Join(dir, "box")})
	must(t, err)
	defer ch.Close()
	src, err := rulebooks.Read("omov-2014")
	must(t, err)
	_, err = ch.Found(ctx, chamber.FoundedBody{Name: "The Test Party", Demo: true}, src)
	must(t, err)
	h := &founded{t: t, ctx: ctx, ch: ch, clock: clock, s: contest.New(ch), reg: registry.New(ch)}
	h.people()
	h.contest()
	var b bytes.Buffer
	must(t, bundle.WriteScrutineers(ctx, ch, &b))
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	must(t, err)
	return readBook(t, z)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type founded struct {
	t        *testing.T
	ctx      context.Context
	ch       *chamber.Chamber
	clock    *chamber.DemoClock
	s        *contest.Contests
	reg      *registry.Registry
	mps      []register.PersonID
	members  []register.PersonID
	officers []register.PersonID
}

const mps, members = 20, 40

func (h *founded) people() {
	var units []registry.UnitSpec
	for i := range mps {
		units = append(units, registry.UnitSpec{Kind: "constituency", Name: fmt.Sprintf("Seat %d", i+1)})
	}
	seats, err := h.reg.OpenUnits(h.ctx, units)
	must(h.t, err)
	var terms map[string]register.Term
	must(h.t, h.ch.Read(h.ctx, func(w *chamber.World) error { terms = w.Terms(); return nil }))
	joined := time.Now().AddDate(-5, 0, 0).Unix()
	paid := time.Now().AddDate(1, 0, 0).Unix() / 86400
	var list []registry.NewPerson
	for i := range mps + members + 2 {
		p := registry.NewPerson{Sealed: &chamber.Sealed{Particulars: chamber.Particulars{Name: fmt.Sprintf("Person %d", i)}, External: fmt.Sprint(i)}}
		from := joined
		if i%10 == 9 { // joined too late to vote
			from = time.Now().AddDate(0, 0, -1).Unix()
		}
		p.Changes = append(p.Changes, register.Change{Aspect: register.Belongs, Name: terms["member"], Unit: seats[i%mps], From: from})
		for fact, v := range map[string]int64{"on_electoral_register": int64(min(1, i%11)), "paid_to": paid, "arrears": 0} {
			if t, ok := terms[fact]; ok {
				p.Changes = append(p.Changes, register.Change{Aspect: register.Fact, Name: t, Value: v, From: joined})
			}
		}
		list = append(list, p)
	}
	ids, err := h.reg.Enter(h.ctx, list, "", nil)
	must(h.t, err)
	h.mps, h.members, h.officers = ids[:mps], ids[mps:mps+members], ids[mps+members:]
	appoint := []registry.Appointment{{Office: "general_secretary", Person: h.officers[0]}, {Office: "scrutineer", Person: h.officers[1]}}
	for i, p := range h.mps {
		appoint = append(appoint, registry.Appointment{Office: "mp", Unit: seats[i], Person: p})
	}
	must(h.t, h.reg.Appoint(h.ctx, appoint))
}

func as(p register.PersonID) proceeding.Actor { return proceeding.Actor{Person: p} }

func (h *founded) pass(ms int64) {
	must(h.t, h.ch.MoveTo(h.ctx, h.clock, time.UnixMilli(ms+1000)))
	_, err := h.s.Due(h.ctx)
	must(h.t, err)
}

// contest runs from the call to a declaration: two candidates have as many
// votes, and the lot decides.
func (h *founded) contest() {
	st, err := h.s.Call(h.ctx, proceeding.Begin{Procedure: "leadership", Office: "leader", By: as(h.officers[0])})
	must(h.t, err)
	ref := st.Ref
	for i := range 10 {
		_, err := h.s.Do(h.ctx, ref, proceeding.Back{By: as(h.mps[i]), Candidate: h.mps[min(i/3, 3)]})
		must(h.t, err)
	}
	_, err = h.s.Do(h.ctx, ref, proceeding.Answer{By: as(h.mps[0]), Accept: true})
	must(h.t, err)
	for range 4 {
		if st, _, err = h.s.State(h.ctx, ref); err != nil || st.OpenBallot() != nil {
			break
		}
		h.pass(st.Due())
	}
	must(h.t, err)
	cast := 0
	for _, p := range h.members {
		ranks := []int{cast % 2}
		if cast >= 20 {
			ranks = []int{2}
		}
		if cast == 24 {
			break
		}
		_, err := h.s.Cast(h.ctx, contest.Vote{Ref: ref, Person: p, Paper: contest.Paper{Ranks: ranks, Choice: -1}, Code: contest.NewCode()})
		if err == nil {
			cast++
		}
	}
	for i, o := range []string{"general_secretary", "scrutineer"} {
		_, err := h.s.CommitLot(h.ctx, ref, as(h.officers[i]), o)
		must(h.t, err)
	}
	h.pass(st.OpenBallot().Closes)
	for i := range 2 {
		st, err = h.s.Close(h.ctx, ref, as(h.officers[i]))
		must(h.t, err)
	}
	if st.Outcome != "elected" || !strings.Contains(st.Ballots[0].Sheet, `"order"`) {
		h.t.Fatalf("%s: %s", st.Outcome, st.Ballots[0].Sheet)
	}
}

// readBook reads a scrutineers' bundle.
func readBook(t *testing.T, files fs.FS) *book {
	b := &book{t: t, books: map[string][]byte{}}
	names, err := fs.Glob(files, "entries/*.jsonl")
	must(t, err)
	for _, name := range names {
		f, err := files.Open(name)
		must(t, err)
		s := bufio.NewScanner(f)
		s.Buffer(nil, 1<<24)
		for s.Scan() {
			var l bundle.Line
			must(t, json.Unmarshal(s.Bytes(), &l))
			r := &record{body: l.Body, access: minutes.Public}
			salt, err := hex.DecodeString(l.Salt)
			must(t, err)
			copy(r.salt[:], salt)
			must(t, json.Unmarshal(l.Header, &r.head))
			if l.Full != nil {
				r.access = r.head.Access
				r.head = minutes.Header{}
				must(t, json.Unmarshal(l.Full, &r.head))
			}
			b.recs = append(b.recs, r)
		}
		must(t, s.Err())
	}
	books, err := fs.Glob(files, "rulebooks/*")
	must(t, err)
	for _, name := range books {
		f, err := files.Open(name)
		must(t, err)
		if b.books[name], err = io.ReadAll(f); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// clone gives a copy to be altered.
func (b *book) clone(t *testing.T) *book {
	c := &book{t: t, books: map[string][]byte{}}
	for _, r := range b.recs {
		x := *r
		c.recs = append(c.recs, &x)
	}
	for k, v := range b.books {
		c.books[k] = v
	}
	return c
}

func canonical(t *testing.T, v any) []byte {
	t.Helper()
	b, err := minutes.Canonical(v)
	must(t, err)
	return b
}

// write puts the bundle together: it is a second writer of the format,
// independent of package bundle. The log is signed with the seed's key.
func (b *book) write(seed byte) (fstest.MapFS, string) {
	b.t.Helper()
	out := fstest.MapFS{}
	put := func(name string, data []byte) { out[name] = &fstest.MapFile{Data: data} }
	for name, src := range b.books {
		put(name, src)
	}
	edge, _ := tiles.NewEdge(0, nil)
	var hashes []tiles.Hash
	var leaves, lines []byte
	for i, r := range b.recs {
		if !b.keep {
			r.head.Seq = int64(i + 1)
		}
		leaf, line := b.line(r)
		hashes = append(hashes, tiles.LeafHash(leaf))
		edge.Append(hashes[i])
		leaves = tiles.AppendBundle(leaves, leaf)
		lines = append(append(lines, line...), '\n')
	}
	if len(b.recs) > 255 {
		b.t.Fatal("this writer knows one tile only")
	}
	put(tiles.Ref{Width: len(hashes)}.Path(), tiles.Tile{Hashes: hashes}.Bytes())
	put(tiles.Ref{Entries: true, Width: len(hashes)}.Path(), leaves)
	put("entries/000.jsonl", lines)
	kind := "scrutineers"
	if b.public {
		kind = "public"
	}
	size := int64(len(b.recs))
	put("bundle.json", canonical(b.t, map[string]any{"format": "omov-bundle/1", "kind": kind, "origin": testOrigin, "size": size}))
	signer, err := tiles.NewSigner(testOrigin, [32]byte{seed})
	must(b.t, err)
	signed, err := tiles.Sign(tiles.Checkpoint{Origin: testOrigin, Size: size, Root: edge.Root()}, signer)
	must(b.t, err)
	key, err := tiles.VerifierKey(testOrigin, [32]byte{seed})
	must(b.t, err)
	put("checkpoint", signed)
	put("vkey", []byte(key))
	return out, key
}

// line gives the leaf of a record and its line.
func (b *book) line(r *record) (leaf, line []byte) {
	full := canonical(b.t, r.head)
	header, committed := full, r.body
	if r.access != minutes.Public {
		header = canonical(b.t, minutes.Header{V: 1, Seq: r.head.Seq, Access: r.access})
		committed = append(append(bytes.Clone(full), '\n'), r.body...)
	}
	if r.shown != nil {
		header = canonical(b.t, r.shown)
	}
	sum := minutes.Commit(r.salt, committed)
	leaf = minutes.JoinLeaf(header, sum)
	m := map[string]any{"header": json.RawMessage(header)}
	switch {
	case r.closed || b.public && r.access != minutes.Public:
		m["commitment"] = hex.EncodeToString(sum[:])
	default:
		m["body"], m["salt"] = json.RawMessage(r.body), hex.EncodeToString(r.salt[:])
		if r.access != minutes.Public {
			m["full"] = json.RawMessage(full)
		}
	}
	return leaf, canonical(b.t, m)
}

// find gives the nth record of a kind.
func (b *book) find(kind string, n int) *record {
	b.t.Helper()
	for _, r := range b.recs {
		if r.head.Kind == kind {
			if n == 0 {
				return r
			}
			n--
		}
	}
	b.t.Fatalf("the book has no such %s", kind)
	return nil
}

// edit alters the body of the nth record of a kind.
func edit[T any](b *book, kind string, n int, change func(*T)) {
	b.t.Helper()
	r := b.find(kind, n)
	x := new(T)
	must(b.t, json.Unmarshal(r.body, x))
	change(x)
	r.body = canonical(b.t, x)
}

// drop takes the nth record of a kind out.
func (b *book) drop(kind string, n int) {
	r := b.find(kind, n)
	for i := range b.recs {
		if b.recs[i] == r {
			b.recs = append(b.recs[:i], b.recs[i+1:]...)
			return
		}
	}
}
