package count

import (
	"slices"
	"sync"
)

// item is a group of papers on the table: where it is being read, which group
// it is, and its votes, which stand here because looking them up would cost
// more than all else.
type item struct {
	at    uint32 // index in Papers.marks
	group uint32
	votes uint32 // manyVotes: too many for the field, look them up
}

const manyVotes = 1<<32 - 1

// pile is papers lying with one candidate that came there together; whoever
// needs a value for them keeps it beside. As long as nobody has looked at
// them, they are only a range of groups.
type pile struct {
	items  []item
	lo, hi uint32 // if items is nil: the groups from lo to hi, at mark number depth
	depth  uint32
	shelf  int // of a range: 1 + the first of the shelves by second mark that make it up; 0: no such
}

func (p pile) size() int {
	if p.items != nil {
		return len(p.items)
	}
	return int(p.hi - p.lo)
}

// cut splits a pile after n items.
func (p pile) cut(n int) (a, b pile) {
	if p.items != nil {
		return pile{items: p.items[:n]}, pile{items: p.items[n:]}
	}
	mid := p.lo + uint32(n)
	return pile{lo: p.lo, hi: mid, depth: p.depth}, pile{lo: mid, hi: p.hi, depth: p.depth}
}

// pool is the papers of a section on the table, dealt by preference.
type pool struct {
	p  *Papers
	to [2][]uint16 // where each item of a deal goes, for either processor
}

// room gives space for so many destinations, kept from deal to deal.
func (t *pool) room(processor, n int) []uint16 {
	if cap(t.to[processor]) < n {
		t.to[processor] = make([]uint16, n)
	}
	return t.to[processor][:n]
}

// parallelFrom is from how many groups on a deal uses two processors.
const parallelFrom = 8000

// all gives every group of papers, unread.
func (t *pool) all() pile { return pile{hi: uint32(t.p.Len())} }

// open gives the items of a pile.
func (t *pool) open(p pile) []item {
	if p.items != nil {
		return p.items
	}
	out := make([]item, p.hi-p.lo)
	starts, weights := t.p.starts[p.lo:p.hi], t.p.weights[p.lo:p.hi]
	for i := range out {
		out[i] = item{starts[i] + p.depth, p.lo + uint32(i), uint32(min(weights[i], manyVotes))}
	}
	return out
}

// concat puts piles into one list.
func (t *pool) concat(piles []pile) []item {
	if len(piles) == 1 {
		return t.open(piles[0])
	}
	n := 0
	for _, p := range piles {
		n += p.size()
	}
	out := make([]item, 0, n)
	for _, p := range piles {
		out = append(out, t.open(p)...)
	}
	return out
}

// start deals all papers. Papers lie on shelves by their first mark, so those
// whose first candidate stands need not be looked at.
func (t *pool) start(stands []bool) dealt {
	n := len(stands)
	var rest []pile
	d := dealt{piles: make([][]pile, n), votes: make([]Votes, n)}
	for c := range n + 1 {
		w := t.p.width()
		p := pile{lo: t.p.shelves[c*w], hi: t.p.shelves[(c+1)*w]}
		if w > 1 && c < n {
			p.shelf = c*w + 1
		}
		switch {
		case p.lo == p.hi:
		case c < n && stands[c]:
			d.piles[c] = append(d.piles[c], p)
			for _, v := range t.p.onShelf[c*w : (c+1)*w] {
				d.votes[c] += v
			}
		default:
			rest = append(rest, p)
		}
	}
	more := t.deal(stands, rest...)
	for c := range n {
		d.piles[c] = append(d.piles[c], more.piles[c]...)
		d.votes[c] += more.votes[c]
	}
	d.spent, d.lost = more.spent, more.lost
	return d
}

// votes gives the votes of one item.
func (t *pool) votes(x item) Votes {
	if x.votes == manyVotes {
		return t.p.weights[x.group]
	}
	return Votes(x.votes)
}

// dealt is what came of dealing a pile.
type dealt struct {
	piles [][]pile // by candidate; empty ones are left out
	votes []Votes  // by candidate
	spent []pile   // papers that name nobody who stands
	lost  Votes    // votes on spent
}

// deal deals papers to the next candidate who stands. The piles are used up.
func (t *pool) deal(stands []bool, from ...pile) dealt {
	return t.dealBy(stands, t.p.odd&hasEqual != 0, from)
}

// dealPlain is deal for papers known to have no equal ranks.
func (t *pool) dealPlain(stands []bool, from ...pile) dealt { return t.dealBy(stands, false, from) }

func (t *pool) dealBy(stands []bool, equals bool, from []pile) dealt {
	n, size := len(stands), 0
	d := dealt{piles: make([][]pile, n), votes: make([]Votes, n)}
	from = t.dealShelves(&d, stands, from)
	for _, p := range from {
		size += p.size()
	}
	if len(from) > 1 && len(from)*n > size { // each pile costs some work for every candidate
		from = []pile{{items: t.concat(from)}}
	}
	if size < parallelFrom {
		for _, p := range from {
			d.add(t.dealOne(p, stands, equals, 0))
		}
		return d
	}
	first, second := halve(from, size/2)
	others := make([]one, len(second))
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		for i, p := range second {
			others[i] = t.dealOne(p, stands, equals, 1)
		}
	}()
	for _, p := range first {
		d.add(t.dealOne(p, stands, equals, 0))
	}
	wg.Wait()
	for _, o := range others {
		d.add(o)
	}
	return d
}

// dealShelves deals what lies on shelves by second mark without looking at
// the papers, where their first candidate has left; the rest it gives back.
func (t *pool) dealShelves(d *dealt, stands []bool, from []pile) []pile {
	if !slices.ContainsFunc(from, func(p pile) bool { return p.shelf > 0 && !stands[(p.shelf-1)/t.p.width()] }) {
		return from
	}
	var rest []pile
	for _, p := range from {
		if p.shelf == 0 || stands[(p.shelf-1)/t.p.width()] {
			rest = append(rest, p)
			continue
		}
		for c := range t.p.width() {
			s := p.shelf - 1 + c
			part := pile{lo: t.p.shelves[s], hi: t.p.shelves[s+1], depth: 1}
			switch {
			case part.lo == part.hi:
			case c < len(stands) && stands[c]:
				d.piles[c] = append(d.piles[c], part)
				d.votes[c] += t.p.onShelf[s]
			default:
				rest = append(rest, part)
			}
		}
	}
	return rest
}

// halve splits piles so that about half of the items are on each side.
func halve(from []pile, half int) (first, second []pile) {
	for i, p := range from {
		if p.size() < half {
			half -= p.size()
			continue
		}
		a, b := p.cut(half)
		first = append(append(first, from[:i]...), a)
		return first, append(append(second, b), from[i+1:]...)
	}
	return from, nil
}

func (d *dealt) add(o one) {
	for c, x := range o.piles[:len(d.votes)] {
		if len(x) > 0 {
			d.piles[c] = append(d.piles[c], pile{items: x})
			d.votes[c] += o.votes[c]
		}
	}
	if x := o.piles[len(d.votes)]; len(x) > 0 {
		d.spent = append(d.spent, pile{items: x})
		d.lost += o.votes[len(d.votes)]
	}
}

// one is a deal done by one processor; the last pile is the spent papers.
type one struct {
	piles [][]item
	votes []Votes
}

func (t *pool) dealOne(papers pile, stands []bool, equals bool, processor int) one {
	n := len(stands)
	o := one{make([][]item, n+1), make([]Votes, n+1)}
	from, fresh := papers.items, papers.items == nil
	if fresh {
		from = make([]item, papers.size())
	}
	to := t.room(processor, len(from))
	counts := make([]int, n+1)
	marks := t.p.marks
	for i := range from {
		x := &from[i]
		if fresh {
			g := papers.lo + uint32(i)
			*x = item{t.p.starts[g] + papers.depth, g, uint32(min(t.p.weights[g], manyVotes))}
		}
		at, c := x.at, n
		if equals {
			at, c = t.nextAmongEquals(at, stands)
		} else {
			for ; ; at++ {
				m := marks[at]
				if m == endMark {
					break
				}
				if stands[m] {
					c = int(m)
					break
				}
			}
		}
		x.at = at
		to[i] = uint16(c)
		counts[c]++
		o.votes[c] += t.votes(*x)
	}
	back := make([]item, len(from))
	begins := make([]int, n+1)
	begin := 0
	for c, k := range counts {
		o.piles[c] = back[begin : begin+k]
		begins[c] = begin
		begin += k
	}
	for i, c := range to {
		back[begins[c]] = from[i]
		begins[c]++
	}
	return o
}

// nextAmongEquals finds the next rank with exactly one candidate who stands.
// Where several of a rank stand the paper is spent, until perhaps only one
// of them is left: it is not looked at again, as the rule WhenOne says.
func (t *pool) nextAmongEquals(at uint32, stands []bool) (uint32, int) {
	marks := t.p.marks
	for marks[at] != endMark {
		end := at + 1
		for marks[end] != endMark && marks[end].Equal() {
			end++
		}
		found, several := -1, false
		for _, m := range marks[at:end] {
			if m != Gap && stands[m.Candidate()] {
				several = found >= 0
				found = m.Candidate()
				if several {
					return at, len(stands)
				}
			}
		}
		if found >= 0 {
			return at, found
		}
		at = end
	}
	return at, len(stands)
}

// votesOf adds up the votes of a pile, in units of the denominator.
func (t *pool) votesOf(p pile) Votes {
	sum := Votes(0)
	for _, x := range t.open(p) {
		sum += t.votes(x)
	}
	return sum
}
