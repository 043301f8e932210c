package count

import (
	"slices"
	"sync"

	"github.com/omov/omov/fault"
)

// Batch takes papers as fast as they can be read: it only copies and hashes
// them. Several batches of one contest may be filled side by side;
// GroupBatches then groups all of them.
type Batch struct {
	candidates int
	base       uint32 // where marks begins in the array of all batches
	all        []Mark // the array of all batches
	marks      []Mark // this one's piece of it, capacity fixed
	starts     []uint32
	hashes     []uint32
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
		out[i] = &Batch{candidates: candidates, base: uint32(at), all: all, marks: all[at : at : at+n], plain: true}
		at += n
	}
	return out, nil
}

// Expect makes room for a number of papers.
func (b *Batch) Expect(papers int) {
	b.starts = make([]uint32, 0, papers)
	b.hashes = make([]uint32, 0, papers)
}

// Add adds a paper without gaps or equal ranks: marks are plain candidates.
// false means that it cannot be taken as it is.
func (b *Batch) Add(marks []Mark, votes Votes) bool {
	if len(b.marks)+len(marks) >= cap(b.marks) || votes < 0 || votes > MaxVotes || b.total+b.blank > MaxVotes-votes {
		return false
	}
	if len(marks) == 0 {
		b.blank += votes
		return true
	}
	start := len(b.marks)
	h, seen := hashSeed, uint64(0)
	for _, m := range marks {
		if int(m) >= b.candidates {
			return false
		}
		bit := uint64(1) << (m & 63)
		if seen&bit != 0 {
			b.odd |= hasRepeat
		}
		seen |= bit
		h = (h ^ uint64(m)) * hashFactor
		h ^= h >> 29
	}
	b.marks = append(append(b.marks, marks...), endMark)
	b.starts = append(b.starts, b.base+uint32(start))
	b.hashes = append(b.hashes, uint32(h>>32))
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
	b.total += votes
	return true
}

func (b *Batch) weight(i int) Votes {
	if b.plain {
		return 1
	}
	return b.weights[i]
}

// GroupBatches groups the papers of all batches, on two processors: each
// takes the papers whose hash begins with its bit, so that the groups do not
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
		part[k] = grouping{marks: p.marks, of: p.of, bit: uint32(k), expect: n}
		wg.Add(1)
		go func() {
			defer wg.Done()
			part[k].run(batches)
		}()
	}
	wg.Wait()
	first := uint32(len(part[0].starts))
	p.starts = append(part[0].starts, part[1].starts...)
	p.weights = append(part[0].weights, part[1].weights...)
	if keep {
		at := 0
		for _, b := range batches {
			for _, h := range b.hashes {
				if h>>31 == 1 {
					p.of[at] += first
				}
				at++
			}
		}
	}
	return p, nil
}

// grouping is the share of one processor.
type grouping struct {
	marks   []Mark
	of      []uint32
	bit     uint32
	expect  int
	starts  []uint32
	weights []Votes
}

// slot is an entry of the table: the hash beside the number of the group, so
// that most comparisons need no look at the marks.
type slot struct {
	hash, group uint32 // group+1; 0: empty
}

func (g *grouping) run(batches []*Batch) {
	size := 1024
	for size < g.expect+g.expect/4 {
		size *= 2
	}
	table := make([]slot, size)
	mask := uint32(size - 1)
	g.starts = make([]uint32, 0, g.expect/4+16)
	g.weights = make([]Votes, 0, g.expect/4+16)
	at := 0
	for _, b := range batches {
		for i, h := range b.hashes {
			if h>>31 != g.bit {
				continue
			}
			group := g.find(table, mask, h, b.starts[i])
			g.weights[group] += b.weight(i)
			if g.of != nil {
				g.of[at+i] = group
			}
		}
		at += len(b.hashes)
	}
}

// find gives the group with the marks at start, new if need be. The table
// has room: at least a quarter stays empty even if all papers differ.
func (g *grouping) find(table []slot, mask, h, start uint32) uint32 {
	for at := h & mask; ; at = (at + 1) & mask {
		switch s := table[at]; {
		case s.group == 0:
			g.starts = append(g.starts, start)
			g.weights = append(g.weights, 0)
			table[at] = slot{h, uint32(len(g.starts))}
			return uint32(len(g.starts)) - 1
		case s.hash == h && sameMarks(g.marks, g.starts[s.group-1], start):
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

// Compact copies the marks of the groups into an array of their own size, as
// is worth while where papers are kept and most were alike.
func (p *Papers) Compact() *Papers {
	c := *p
	c.marks = make([]Mark, 0, len(p.starts)*4)
	c.starts = make([]uint32, len(p.starts))
	for i := range p.starts {
		c.starts[i] = uint32(len(c.marks))
		c.marks = append(append(c.marks, p.at(i)...), endMark)
	}
	c.marks = slices.Clip(c.marks)
	return &c
}
