package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash/maphash"
	"slices"

	"github.com/omov/omov/ristretto"
)

// Outcome is what becomes of a paper that was received.
type Outcome string

// The outcomes, in the order in which they are looked for.
const (
	Accepted  Outcome = "accepted"
	Late      Outcome = "late"
	Malformed Outcome = "malformed"
	Unlisted  Outcome = "unlisted"
	Unproved  Outcome = "unproved"
	Repeated  Outcome = "repeated"
	Copied    Outcome = "copied"
	Stale     Outcome = "stale"
)

// Outcomes are those for which a paper is refused.
func Outcomes() []Outcome {
	return []Outcome{Late, Malformed, Unlisted, Unproved, Repeated, Copied, Stale}
}

// place is where a credential votes in one contest.
type place struct {
	key     [32]byte
	contest string
}

// current is the paper of a place that stands, or that would if every paper of
// the board counted.
type current struct {
	Left
	hash     [32]byte
	sequence uint32
	section  string
	pairs    []byte
}

// Left is a paper on the board that does not count, and why.
type Left struct {
	Seq int64 // as it was posted with
	Why Outcome
}

// batch is how many papers are checked together.
const batch = 16_384

// Board is what stands on the board, in its order, and what counts of it: the
// last accepted paper of each credential in each contest. Papers are posted
// one after the other and checked many at a time.
type Board struct {
	Received int64
	Left     []Left

	e        *Election
	wait     []waiting
	standing map[place]*current
	claimed  map[place]*current // where a paper that does not count is the last
	seen     [2]map[mark]struct{}
	seeds    [2]maphash.Seed
}

type waiting struct {
	seq int64
	raw []byte
	p   *paper
	why Outcome
}

// mark stands for an element or a hash: 128 bits under seeds that nobody
// knows.
type mark [2]uint64

// Board begins to go through what stands on the board.
func (e *Election) Board() *Board {
	return &Board{e: e, standing: map[place]*current{}, claimed: map[place]*current{}, seen: [2]map[mark]struct{}{{}, {}},
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// Post takes the next paper. Its bytes are kept until they are checked.
func (b *Board) Post(seq int64, raw []byte) {
	b.Received++
	if b.wait = append(b.wait, waiting{seq: seq, raw: raw}); len(b.wait) == batch {
		b.Check()
	}
}

// Check checks all papers that wait. It has to be called after the last.
func (b *Board) Check() {
	ristretto.Spread(len(b.wait), 256, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			w := &b.wait[i]
			w.p = b.e.read(w.raw)
			switch {
			case w.p == nil || w.p.malformed:
				w.why = Malformed
			case !b.e.listed[w.p.key].votes(w.p.section, w.seq):
				w.why = Unlisted
			default:
				w.why = Accepted
			}
		}
	})
	var check []*paper
	var at []int
	for i := range b.wait {
		if b.wait[i].why == Accepted {
			check, at = append(check, b.wait[i].p), append(at, i)
		}
	}
	for k, ok := range b.e.proved(check) {
		if !ok {
			b.wait[at[k]].why = Unproved
		}
	}
	for i := range b.wait {
		b.take(&b.wait[i])
	}
	clear(b.wait)
	b.wait = b.wait[:0]
}

// once are the parts of a paper that no other paper may have: each A, and each
// commitment of its proof.
func (p *paper) once() [][]byte {
	var out [][]byte
	for i := 0; i < len(p.pairs); i += 64 {
		out = append(out, p.pairs[i:i+32])
	}
	if p.contest.sum() {
		for i := range len(p.pairs) / 64 {
			for k := range 4 {
				out = append(out, p.proof[224*i+32*k:224*i+32*k+32])
			}
		}
		return out
	}
	for i := 0; i < len(p.proof); i += 64 {
		out = append(out, p.proof[i:i+32])
	}
	return out
}

func (b *Board) mark(x []byte) mark {
	return mark{maphash.Bytes(b.seeds[0], x), maphash.Bytes(b.seeds[1], x)}
}

// take decides about the next paper, whose proof has been checked.
func (b *Board) take(w *waiting) {
	if w.why == Accepted {
		w.why = b.judge(w.p)
	}
	if w.why != Accepted {
		b.Left = append(b.Left, Left{w.seq, w.why})
	}
	if w.p == nil {
		return
	}
	at := place{w.p.key, w.p.contest.ID}
	x := &current{Left: Left{w.seq, w.why}, hash: w.p.hash, sequence: w.p.sequence, section: w.p.section, pairs: bytes.Clone(w.p.pairs)}
	if w.why == Accepted {
		b.standing[at] = x
		delete(b.claimed, at)
	} else {
		b.claimed[at] = x
	}
}

func (b *Board) judge(p *paper) Outcome {
	hash := b.mark(p.hash[:])
	if _, there := b.seen[0][hash]; there {
		return Repeated
	}
	parts := p.once()
	marks := make([]mark, len(parts))
	for i, x := range parts {
		marks[i] = b.mark(x)
		if _, there := b.seen[1][marks[i]]; there || slices.Contains(marks[:i], marks[i]) {
			return Copied
		}
	}
	before := b.standing[place{p.key, p.contest.ID}]
	switch {
	case before == nil && (p.previous != b.e.Hash || p.sequence != 1):
		return Stale
	case before != nil && (p.previous != before.hash || p.sequence != before.sequence+1):
		return Stale
	}
	b.seen[0][hash] = struct{}{}
	for _, m := range marks {
		b.seen[1][m] = struct{}{}
	}
	return Accepted
}

// Robbed gives the papers that count and whose credentials were replaced all
// the same: only one under which nothing was cast may be.
func (b *Board) Robbed() []Left {
	var out []Left
	for at, x := range b.standing {
		if b.e.listed[at.key].until != 0 {
			out = append(out, x.Left)
		}
	}
	slices.SortFunc(out, func(x, y Left) int { return int(x.Seq - y.Seq) })
	return out
}

// Claimed gives the papers that do not count and would stand if every paper on
// the board counted, in the order of the board.
func (b *Board) Claimed() []Left {
	var out []Left
	for _, x := range b.claimed {
		out = append(out, x.Left)
	}
	slices.SortFunc(out, func(x, y Left) int { return int(x.Seq - y.Seq) })
	return out
}

// TakeClaimed has every paper of the board count.
func (b *Board) TakeClaimed() {
	for at, x := range b.claimed {
		b.standing[at] = x
	}
	clear(b.claimed)
}

// Group is a mix group and its standing papers' ciphertexts, sorted by
// credential.
type Group struct {
	Contest *Contest
	Section string
	Class   string
	Weight  string
	Papers  int64
	Pairs   []byte
}

// Name is that of the group.
func (x *Group) Name() string { return x.Contest.ID + "/" + x.Section + "/" + x.Class }

// Groups gives the mix groups in the manifest's order: of the papers that
// count, or, if claimed, of those that would if all did.
func (b *Board) Groups(claimed bool) []Group {
	lists := map[string][]place{}
	name := func(contest, section, class string) string { return contest + "/" + section + "/" + class }
	of := func(at place) *current {
		if x := b.claimed[at]; claimed && x != nil {
			return x
		}
		return b.standing[at]
	}
	put := func(at place) {
		s := b.e.listed[at.key]
		if x := of(at); s.class == "" { // not on the list
			s = b.e.first(x.section)
		}
		n := name(at.contest, s.section, s.class)
		lists[n] = append(lists[n], at)
	}
	for at := range b.standing {
		put(at)
	}
	if claimed {
		for at := range b.claimed {
			if b.standing[at] == nil {
				put(at)
			}
		}
	}
	var out []Group
	m := b.e.Manifest
	for i := range m.Contests {
		for _, s := range m.Sections {
			for _, c := range s.Classes {
				x := Group{Contest: &m.Contests[i], Section: s.ID, Class: c.ID, Weight: c.Weight}
				list := lists[x.Name()]
				slices.SortFunc(list, func(x, y place) int { return bytes.Compare(x.key[:], y.key[:]) })
				for _, at := range list {
					x.Pairs = append(x.Pairs, of(at).pairs...)
				}
				x.Papers = int64(len(list))
				out = append(out, x)
			}
		}
	}
	return out
}

// first is the first class of a section.
func (e *Election) first(section string) seat {
	for _, s := range e.Manifest.Sections {
		if s.ID == section {
			return seat{section: s.ID, class: s.Classes[0].ID}
		}
	}
	return seat{}
}

// Root is the closing root of a ballot's groups (docs/sealed-board.md).
func Root(groups []Group) [32]byte {
	h := sha256.New()
	h.Write([]byte("omov/sealed/standing/1\x00"))
	for i := range groups {
		x := &groups[i]
		sum := sha256.Sum256(x.Pairs)
		h.Write([]byte{byte(len(x.Name()))})
		h.Write([]byte(x.Name()))
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(x.Papers)))
		h.Write(sum[:])
	}
	return [32]byte(h.Sum(nil))
}
