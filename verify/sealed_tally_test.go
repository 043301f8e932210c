package verify_test

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/omov/omov/contest"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/mixing"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/tiles"
	"github.com/omov/omov/verify"
)

// What is done of a poll after the close: the closing checkpoint, the trustees'
// deeds, the papers, the result.

// hashed is the log of the first entries of the book.
func (p *poll) hashed(size int) *tiles.Edge {
	for ; p.seen < size; p.seen++ {
		r := p.out.recs[p.seen]
		r.head.Seq = int64(p.seen + 1)
		leaf, _ := p.out.line(r)
		p.edge.Append(tiles.LeafHash(leaf))
	}
	return p.edge
}

// checkpoint signs the log of the first entries.
func (p *poll) checkpoint(size int) (tiles.Checkpoint, []byte) {
	c := tiles.Checkpoint{Origin: testOrigin, Size: int64(size), Root: p.hashed(size).Root()}
	return c, p.signed(c, 1)
}

// signed signs a checkpoint with the log's key of a seed.
func (p *poll) signed(c tiles.Checkpoint, seed byte) []byte {
	signer, err := tiles.NewSigner(testOrigin, [32]byte{seed})
	must(p.t, err)
	out, err := tiles.Sign(c, signer)
	must(p.t, err)
	return out
}

// fix enters the closing checkpoint, of the first entries.
func (p *poll) fix(size int) { p.fixAs(p.checkpoint(size)) }

func (p *poll) fixAs(c tiles.Checkpoint, note []byte) {
	p.closing = sealed.Closing([]byte(c.Body()))
	p.enter(proceeding.KindClosing, "", &proceeding.ClosingBody{Ballot: p.ballot.ID, Checkpoint: string(note)})
}

// deed enters what a trustee signs, with its bytes.
func (p *poll) deed(by int, d *sealed.Deed, about []byte) {
	raw, err := d.Sign(p.g, p.ids[by].Sign())
	must(p.t, err)
	p.raw(raw, about)
}

func (p *poll) raw(deed, about []byte) {
	parts := 0
	if len(about) > 0 {
		parts = 1
		p.enter(proceeding.KindPart, "", &proceeding.PartBody{Ballot: p.ballot.ID, N: 1, Bytes: about})
	}
	p.enter(proceeding.KindDeed, "", &proceeding.DeedBody{Ballot: p.ballot.ID, Deed: deed, Parts: parts})
}

// witness has trustees witness the close.
func (p *poll) witness(by ...int) {
	for _, i := range by {
		p.deed(i, sealed.NewDeed(p.hash, p.closing, p.s.names[i], sealed.Witness, "", nil), nil)
	}
}

// statement is what a mixer who comes next claims of a group.
func (p *poll) statement(by int, g *pollGroup) *mixing.Statement {
	return &mixing.Statement{Manifest: p.hash, Closing: p.closing, Group: g.name, Mixer: p.s.names[by], Position: g.mixed, Key: p.key, Width: 1, In: g.pairs}
}

// mix has a trustee mix groups.
func (p *poll) mix(by int, groups ...*pollGroup) {
	for _, g := range groups {
		p.mixAs(by, g, p.statement(by, g))
	}
}

// mixAs mixes by a statement of one's own.
func (p *poll) mixAs(by int, g *pollGroup, st *mixing.Statement) {
	x, err := mixing.Shuffle(p.g, st)
	must(p.t, err)
	p.mixed(by, g, st, x.Encode(st))
}

// mixed enters a mix, whatever it is.
func (p *poll) mixed(by int, g *pollGroup, st *mixing.Statement, about []byte) {
	p.deed(by, sealed.NewDeed(p.hash, p.closing, p.s.names[by], sealed.Mix, g.name, about), about)
	g.pairs = slices.Clone(st.Out)
	g.mixed++
}

func (p *poll) excuse(by int) {
	p.excused = append(p.excused, p.s.names[by])
	p.enter(proceeding.KindExcused, "secretary", &proceeding.ExcusedBody{Ballot: p.ballot.ID, Trustee: p.s.names[by], At: p.ms(), Why: "No answer to three letters."})
}

// opening is what is opened of a group.
func (p *poll) opening(g *pollGroup) *sealed.Opening {
	return &sealed.Opening{Manifest: p.hash, Closing: p.closing, Group: g.name, Pairs: p.opens(g)}
}

// opens gives the ciphertexts that are opened of a group.
func (p *poll) opens(g *pollGroup) []byte {
	if p.m.Contests[0].Form != sealed.FormSum {
		return g.pairs
	}
	sums, err := sealed.AddUp(p.g, &p.m.Contests[0], g.pairs)
	must(p.t, err)
	return sums
}

// shares makes a trustee's shares of a group.
func (p *poll) shares(by int, o *sealed.Opening) *sealed.Shares {
	x, err := o.MakeShares(p.g, backend(), by+1, proof.SecretOf(p.held[by]))
	must(p.t, err)
	return x
}

// share has trustees open groups.
func (p *poll) share(g *pollGroup, by ...int) {
	for _, i := range by {
		p.shareAs(i, g, p.shares(i, p.opening(g)))
	}
}

func (p *poll) shareAs(by int, g *pollGroup, x *sealed.Shares) {
	about := x.Encode()
	p.deed(by, sealed.NewDeed(p.hash, p.closing, p.s.names[by], sealed.Open, g.name, about), about)
}

// full gives the groups that have papers.
func (p *poll) full() []*pollGroup {
	var out []*pollGroup
	for _, g := range p.groups {
		if g.n > 0 {
			out = append(out, g)
		}
	}
	return out
}

// mixes has the first and the third mixer mix; the second is excused.
func (p *poll) mixes() {
	if p.m.Contests[0].Form == sealed.FormSum {
		return
	}
	p.mix(0, p.full()...)
	p.excuse(1)
	p.mix(2, p.full()...)
}

// tally is what is done after the close, rightly.
func (p *poll) tally() {
	p.witness(0, 2, 4)
	p.mixes()
	for _, g := range p.full() {
		p.share(g, 0, 2, 4)
	}
}

// plain opens ciphertexts with the whole key.
func (p *poll) plain(pairs []byte) []ristretto.Point {
	var out []ristretto.Point
	for i := 0; i < len(pairs); i += 64 {
		var a, b ristretto.Point
		if !p.g.Decode(&a, pairs[i:i+32]) || !p.g.Decode(&b, pairs[i+32:i+64]) {
			p.t.Fatal("an element is none")
		}
		a = p.g.Mul(&p.whole, &a)
		out = append(out, p.g.Sub(&b, &a))
	}
	return out
}

// opened reads what the groups say, as papers are published.
func (p *poll) opened() *contest.PapersBody {
	c := &p.m.Contests[0]
	out := &contest.PapersBody{Ballot: p.ballot.ID}
	for _, sec := range p.ballot.Roll.Sections {
		said := map[string]*contest.Grouped{}
		x := contest.SectionPapers{Section: sec.Name, Papers: []contest.Grouped{}}
		put := func(y contest.Grouped) {
			k := y
			k.N = 0
			text := string(canonical(p.t, k))
			if said[text] == nil {
				said[text] = &k
			}
			said[text].N += y.N
		}
		for _, g := range p.full() {
			if g.section != sec.Name {
				continue
			}
			value := g.weight
			if value == "1" {
				value = ""
			}
			plain := p.plain(p.opens(g))
			if c.Form == sealed.FormSum {
				sums, err := sealed.Totals(p.g, plain, int(g.n))
				must(p.t, err)
				for choice, n := range sums {
					put(contest.Grouped{Choice: choice, Value: value, N: int64(n)})
				}
				continue
			}
			papers, spoilt, err := sealed.Papers(p.g, c, plain)
			must(p.t, err)
			x.Spoilt += int64(len(spoilt))
			for _, marks := range papers {
				put(contest.Grouped{Choice: -1, Marks: ranked(marks), Value: value, N: 1})
			}
		}
		for _, y := range said {
			if y.N > 0 {
				x.Papers = append(x.Papers, *y)
			}
		}
		slices.SortFunc(x.Papers, func(a, b contest.Grouped) int { return bytes.Compare(paperKey(&a), paperKey(&b)) })
		out.Sections = append(out.Sections, x)
	}
	return out
}

// ranked reads a number an option into options in order.
func ranked(marks []int) []int {
	var out []int
	for rank := 1; rank <= len(marks); rank++ {
		if i := slices.Index(marks, rank); i >= 0 {
			out = append(out, i)
		}
	}
	return out
}

// paperKey is what published papers are sorted by.
func paperKey(y *contest.Grouped) []byte {
	out := []byte{'r'}
	if y.Choice >= 0 {
		out = binary.AppendUvarint([]byte{'c'}, uint64(y.Choice))
	}
	for _, m := range y.Marks {
		out = binary.AppendUvarint(out, uint64(m))
	}
	if y.Value != "" {
		out = append(append(out, 0xff, '='), y.Value...)
	}
	return out
}

// read enters the opened papers.
func (p *poll) read(r *record) {
	b := p.opened()
	if p.plan.read != nil {
		p.plan.read(p, b)
	}
	r.body = canonical(p.t, b)
	p.papers = r.body
	if p.plan.body != nil {
		r.body = p.plan.body(p, r.body)
	}
	p.put(r)
}

// declare counts the papers as they were entered.
func (p *poll) declare(b *proceeding.ResultBody) {
	if len(p.full()) > 0 {
		p.counted(b, p.papers)
	} else { // nobody voted
		*b = proceeding.ResultBody{Ballot: b.Ballot, At: b.At, Outcome: proceeding.Unopened}
	}
	if p.plan.result != nil {
		p.plan.result(p, b)
	}
}

// counted makes a result of papers.
func (p *poll) counted(b *proceeding.ResultBody, papers []byte) {
	figures, sections, sheet, err := verify.CountAgain(&p.ballot, papers)
	must(p.t, err)
	b.Figures, b.Sections, b.Sheet = figures, sections, sheet
	p.tests(b)
}
