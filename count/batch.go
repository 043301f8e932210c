package count

import (
	"sync"

	"github.com/omov/omov/fault"
)

// Batch takes papers as fast as they can be read: it only copies them and
// gives each a key. Several batches of one contest may be filled side by side;
// GroupBatches then groups all of them.
type Batch struct {
	candidates int
	base       uint32 // where marks begins in the array of all batches
	all        []Mark // the array of all batches
	marks      []Mark // this one's piece of it, capacity fixed
	starts     []uint32
	keys       []uint64
	bits       uint // of a mark in a key
	weights    []Votes
	total      Votes
	blank      Votes
	odd        oddity
	plain      bool // all weights are 1, so weights stays empty
}

// NewBatches makes batches over the same candidates. room gives, for each
// batch, how many marks and papers together it will hold at most.
func NewBatches(candidates int, room ...int) ([]*Batch, error) {
	if candidates > 64 || candidates < 1 {
		return nil, fault.New(fault.TooMuch, "Batches are for up to 64 candidates; use a Grouper.")
	}
	sum := 0
	for _, n := range room {
		sum += n
	}
	if sum >= 1<<32 {
		return nil, fault.New(fault.TooMuch, "There are more marks than can be kept in one piece.")
	}
	all := make([]Mark, sum)
	out := make([]*Batch, len(room))
	at := 0
	for i, n := range room {
		out[i] = &Batch{candidates: candidates, base: uint32(at), all: all, marks: all[at : at : at+n], plain: true, bits: keyBits(candidates)}
		at += n
	}
	return out, nil
}

// Expect makes room for a number of papers.
func (b *Batch) Expect(papers int) {
	b.starts = make([]uint32, 0, papers)
	b.keys = make([]uint64, 0, papers)
}

// keyBits gives the bits that a mark plus one needs.
func keyBits(candidates int) uint {
	n := uint(1)
	for candidates>>n > 0 {
		n++
	}
	return n
}

// A key is a paper's content, packed, where it has room in 63 bits, and
// otherwise its hash with longKey set; that of a blank paper is 0. So most
// papers are known to be alike without a look at their marks.
const longKey uint64 = 1 << 63

// mix spreads a key over 64 bits (the end of MurmurHash3, by Appleby).
func mix(k uint64) uint64 {
	k = (k ^ k>>33) * hashFactor
	k = (k ^ k>>33) * 0xc4ceb9fe1a85ec53
	return k ^ k>>33
}

// Room gives space for the marks of the next paper; what is written there is
// taken over by Take. It is empty where the batch is full.
func (b *Batch) Room() []Mark { return b.marks[len(b.marks):cap(b.marks)] }

// Take takes the first n marks of Room as a paper without gaps or equal
// ranks: plain candidates. false means that it cannot be taken as it is.
func (b *Batch) Take(n int, votes Votes) bool {
	start := len(b.marks)
	if start+n >= cap(b.marks) || votes < 0 || votes > MaxVotes || b.total+b.blank > MaxVotes-votes {
		return false
	}
	key, seen := uint64(0), uint64(0)
	paper := b.marks[start : start+n+1]
	for _, m := range paper[:n] {
		if int(m) >= b.candidates {
			return false
		}
		bit := uint64(1) << (m & 63)
		if seen&bit != 0 {
			b.odd |= hasRepeat
		}
		seen |= bit
		key = key<<b.bits | uint64(m+1)
	}
	if uint(n)*b.bits > 63 {
		key = longKey | uint64(hashMarks(0, paper[:n]))
	}
	if n > 0 {
		paper[n] = endMark
		b.marks = b.marks[:start+n+1]
		b.total += votes
	} else {
		b.blank += votes
	}
	b.starts = append(b.starts, b.base+uint32(start))
	b.keys = append(b.keys, key)
	if votes != 1 && b.plain {
		b.plain = false
		b.weights = make([]Votes, len(b.starts)-1, cap(b.starts))
		for i := range b.weights {
			b.weights[i] = 1
		}
	}
	if !b.plain {
		b.weights = append(b.weights, votes)
	}
	return true
}

func (b *Batch) weight(i int) Votes {
	if b.plain {
		return 1
	}
	return b.weights[i]
}

// GroupBatches groups the papers of all batches, on two processors: each
// takes the papers whose mixed key begins with its bit, so that the groups do not
// depend on who was faster. The batches must not be used afterwards.
func GroupBatches(keep bool, batches ...*Batch) (*Papers, error) {
	p := &Papers{candidates: batches[0].candidates, den: 1}
	n := 0
	for _, b := range batches {
		if p.total+p.blank > MaxVotes-b.total-b.blank {
			return nil, tooManyVotes()
		}
		p.total += b.total
		p.blank += b.blank
		p.odd |= b.odd
		n += len(b.starts)
	}
	p.added = n
	p.marks = batches[0].all
	if keep {
		p.of = make([]uint32, n)
	}
	var part [2]grouping
	var wg sync.WaitGroup
	for k := range part {
		part[k] = grouping{p: p, marks: p.marks, of: p.of, bit: uint64(k), expect: n}
		wg.Add(1)
		go func() {
			defer wg.Done()
			part[k].run(batches)
		}()
	}
	wg.Wait()
	from := p.shelve(
		run{starts: part[0].starts, weights: part[0].weights, shelf: part[0].shelf, lengths: part[0].lengths},
		run{starts: part[1].starts, weights: part[1].weights, shelf: part[1].shelf, lengths: part[1].lengths})
	if keep {
		p.renumber(batches, from, uint32(len(part[0].starts)))
	}
	return p, nil
}

// renumber turns the numbers that the two processors gave their groups into
// those that the groups have now.
func (p *Papers) renumber(batches []*Batch, from []uint32, first uint32) {
	to := make([]uint32, len(from))
	for now, before := range from {
		to[before] = uint32(now)
	}
	at := 0
	for _, b := range batches {
		for _, k := range b.keys {
			if k != 0 {
				p.of[at] = to[p.of[at]+first*uint32(mix(k)>>63)]
			}
			at++
		}
	}
}

// grouping is the share of one processor.
type grouping struct {
	p       *Papers
	marks   []Mark
	of      []uint32
	bit     uint64
	expect  int
	table   []slot
	starts  []uint32
	weights []Votes
	shelf   []uint16
	lengths []uint32
}

// slot is an entry of the table.
type slot struct {
	key   uint64
	group uint32 // group+1; 0: empty
}

func (g *grouping) run(batches []*Batch) {
	g.resize(g.expect*2/3 + 512)
	g.starts = make([]uint32, 0, g.expect/4+16)
	g.weights = make([]Votes, 0, g.expect/4+16)
	g.shelf = make([]uint16, 0, g.expect/4+16)
	g.lengths = make([]uint32, 0, g.expect/4+16)
	at := 0
	for _, b := range batches {
		for i, k := range b.keys {
			h := mix(k)
			if h>>63 != g.bit {
				continue
			}
			if k == 0 {
				if g.of != nil {
					g.of[at+i] = noGroup
				}
				continue
			}
			end := b.base + uint32(len(b.marks))
			if i+1 < len(b.starts) {
				end = b.starts[i+1]
			}
			group := g.find(k, uint32(h), b.starts[i], end-b.starts[i]-1)
			g.weights[group] += b.weight(i)
			if g.of != nil {
				g.of[at+i] = group
			}
		}
		at += len(b.keys)
	}
}

// resize makes a table of at least n slots and fills it anew.
func (g *grouping) resize(n int) {
	old := g.table
	size := 1024
	for size < n {
		size *= 2
	}
	g.table = make([]slot, size)
	mask := uint32(size - 1)
	for _, s := range old {
		if s.group == 0 {
			continue
		}
		at := uint32(mix(s.key)) & mask
		for g.table[at].group != 0 {
			at = (at + 1) & mask
		}
		g.table[at] = s
	}
}

// find gives the group with the marks at start, new if need be.
func (g *grouping) find(key uint64, h, start, length uint32) uint32 {
	mask := uint32(len(g.table) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		switch s := g.table[at]; {
		case s.group == 0:
			g.starts = append(g.starts, start)
			g.weights = append(g.weights, 0)
			g.shelf = append(g.shelf, g.p.shelf(g.marks, start))
			g.lengths = append(g.lengths, length)
			n := len(g.starts)
			g.table[at] = slot{key, uint32(n)}
			if n > len(g.table)/4*3 {
				g.resize(len(g.table) * 2)
			}
			return uint32(n) - 1
		case s.key == key && (key&longKey == 0 || sameMarks(g.marks, g.starts[s.group-1], start)):
			return s.group - 1
		}
	}
}

// sameMarks compares two papers up to their end.
func sameMarks(marks []Mark, a, b uint32) bool {
	for {
		if marks[a] != marks[b] {
			return false
		}
		if marks[a] == endMark {
			return true
		}
		a++
		b++
	}
}
