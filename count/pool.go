package count

import "sync"

// item is a group of papers on the table: where it is being read, and which
// group it is.
type item struct {
	at    uint32 // index in Papers.marks
	group uint32
}

// pile is papers lying with one candidate that came there together; whoever
// needs a value for them keeps it beside.
type pile []item

// pool is the papers of a section on the table, dealt by preference.
type pool struct {
	p *Papers
}

// parallelFrom is from how many groups on a deal uses two processors.
const parallelFrom = 20000

// all gives every group of papers, unread.
func (t *pool) all() pile {
	out := make(pile, t.p.Len())
	at := uint32(0)
	for i, end := range t.p.ends {
		out[i] = item{at, uint32(i)}
		at = end + 1
	}
	return out
}

// dealt is what came of dealing a pile.
type dealt struct {
	piles [][]pile // by candidate; empty ones are left out
	votes []Votes  // by candidate
	spent pile     // papers that name nobody who stands
	lost  Votes    // votes on spent
}

// deal deals papers to the next candidate who stands. The pile is used up.
func (t *pool) deal(from pile, stands []bool) dealt {
	return t.dealBy(from, stands, t.p.odd&hasEqual != 0)
}

// dealPlain is deal for papers known to have no equal ranks.
func (t *pool) dealPlain(from pile, stands []bool) dealt { return t.dealBy(from, stands, false) }

func (t *pool) dealBy(from pile, stands []bool, equals bool) dealt {
	n := len(stands)
	if len(from) < parallelFrom {
		d := dealt{piles: make([][]pile, n), votes: make([]Votes, n)}
		d.add(t.dealOne(from, stands, equals))
		return d
	}
	var halves [2]one
	var wg sync.WaitGroup
	mid := len(from) / 2
	wg.Add(1)
	go func() {
		defer wg.Done()
		halves[1] = t.dealOne(from[mid:], stands, equals)
	}()
	halves[0] = t.dealOne(from[:mid], stands, equals)
	wg.Wait()
	d := dealt{piles: make([][]pile, n), votes: make([]Votes, n)}
	d.add(halves[0])
	d.add(halves[1])
	return d
}

func (d *dealt) add(o one) {
	for c, x := range o.piles[:len(d.votes)] {
		if len(x) > 0 {
			d.piles[c] = append(d.piles[c], x)
			d.votes[c] += o.votes[c]
		}
	}
	if x := o.piles[len(d.votes)]; len(x) > 0 {
		d.spent = append(d.spent, x...)
		d.lost += o.votes[len(d.votes)]
	}
}

// one is a deal done by one processor; the last pile is the spent papers.
type one struct {
	piles []pile
	votes []Votes
}

func (t *pool) dealOne(from pile, stands []bool, equals bool) one {
	n := len(stands)
	o := one{make([]pile, n+1), make([]Votes, n+1)}
	to := make([]uint16, len(from))
	counts := make([]int, n+1)
	marks, weights := t.p.marks, t.p.weights
	for i := range from {
		at, c := from[i].at, n
		if equals {
			at, c = t.nextAmongEquals(at, stands)
		} else {
			for ; marks[at] != endMark; at++ {
				if m := marks[at]; stands[m] {
					c = int(m)
					break
				}
			}
		}
		from[i].at = at
		to[i] = uint16(c)
		counts[c]++
		o.votes[c] += weights[from[i].group]
	}
	back := make(pile, len(from))
	begin := 0
	for c, k := range counts {
		o.piles[c] = back[begin : begin : begin+k]
		begin += k
	}
	for i, c := range to {
		o.piles[c] = append(o.piles[c], from[i])
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
	for _, x := range p {
		sum += t.p.weights[x.group]
	}
	return sum
}
