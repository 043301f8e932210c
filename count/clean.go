package count

import "cmp"

// clean gives the papers as the method reads them: marks for withdrawn
// candidates struck, gaps, repeats and equal ranks dealt with, papers that
// the contest's validity rules refuse counted as invalid. Papers with
// nothing irregular are returned as they are.
func (c *Contest) clean(m Method, p *Papers) (*Papers, error) {
	r := newReading(c, m)
	if !r.needed(p) {
		return p, nil
	}
	g := NewGrouper(p.candidates)
	g.p.classes, g.p.den, g.p.blank, g.p.invalid = p.classes, p.den, p.blank, p.invalid
	origin := make([]int32, p.Len())
	for i := range origin {
		marks, votes, class := p.Group(i)
		origin[i] = -1
		read, ok := r.read(marks)
		if !ok {
			g.p.invalid += votes
			continue
		}
		if len(read) == 0 {
			if r.cut {
				g.p.invalid += votes
			} else {
				g.p.blank += votes
			}
			continue
		}
		odd, _, err := g.look(read)
		if err != nil {
			return nil, err
		}
		g.p.odd |= odd
		g.p.total += votes
		j := g.find(class, read)
		g.p.weights[j] += votes
		origin[i] = int32(j)
	}
	out, from := g.papers()
	to := make([]int32, len(from))
	for now, before := range from {
		to[before] = int32(now)
	}
	for i, k := range origin {
		if k >= 0 {
			origin[i] = to[k]
		}
	}
	out.added, out.of, out.origin = p.added, p.of, origin
	return out, nil
}

// reading is how papers are read in one count.
type reading struct {
	c                    *Contest
	gaps, repeats, equal Validity
	struck               []bool
	anyStruck            bool
	cut                  bool // the last paper read lost marks to a gap or to equal ranks
	keepGaps             bool // points: an empty rank is worth its points to nobody
	max                  int
	seen                 []int
	stamp                int
	out                  []Mark
	tier                 []Mark
}

func newReading(c *Contest, m Method) *reading {
	n := len(c.Candidates)
	r := &reading{c: c, struck: make([]bool, n), seen: make([]int, n), keepGaps: m.Kind == Points,
		gaps:    cmp.Or(c.Gaps, m.Gaps),
		repeats: cmp.Or(c.Repeats, m.Repeats),
		equal:   cmp.Or(c.Equals, m.Equals), max: c.MaxMarks}
	if r.max == 0 && m.ID == "plurality-at-large" {
		r.max = c.Seats
	}
	for _, w := range c.Withdrawn {
		r.struck[w] = true
		r.anyStruck = true
	}
	return r
}

func (r *reading) needed(p *Papers) bool {
	if r.anyStruck || r.max > 0 || r.c.MinMarks > 0 || len(r.c.PaperQuotas) > 0 {
		return true
	}
	return p.odd&hasGap != 0 && !r.keepGaps || p.odd&hasRepeat != 0 ||
		p.odd&hasEqual != 0 && r.equal != Share && r.equal != WhenOne
}

// read gives the marks as they count; ok is false for an invalid paper. The
// result is good until the next call.
func (r *reading) read(marks []Mark) (out []Mark, ok bool) {
	r.stamp++
	r.out, r.cut = r.out[:0], false
	gap, named := 0, 0
	for i := 0; i < len(marks); {
		j := i + 1
		for j < len(marks) && marks[j].Equal() {
			j++
		}
		rank := marks[i:j]
		i = j
		if rank[0] == Gap {
			gap++
			if r.keepGaps {
				r.out = append(r.out, Gap)
			} else if gap > r.c.MaxGap && r.gaps == Spoil {
				return nil, false
			} else if gap > r.c.MaxGap && r.gaps == Stop {
				r.cut = true
				return r.bounded(named)
			}
			continue
		}
		gap = 0
		rank, stop, ok := r.rank(rank)
		if !ok {
			return nil, false
		}
		named += len(rank)
		r.out = append(r.out, rank...)
		if len(rank) == 0 && r.keepGaps {
			r.out = append(r.out, Gap)
		}
		if stop {
			break
		}
	}
	return r.bounded(named)
}

// rank reads one rank: stop says that the paper ends with it.
func (r *reading) rank(rank []Mark) (out []Mark, stop, ok bool) {
	if len(rank) > 1 {
		r.cut = r.cut || r.equal == Stop || r.equal == Skip
		switch r.equal {
		case Spoil:
			return nil, false, false
		case Stop:
			return nil, true, true
		case Skip:
			return nil, false, true
		}
	}
	r.tier = r.tier[:0]
	for _, m := range rank {
		c := m.Candidate()
		if r.seen[c] == r.stamp {
			switch r.repeats {
			case Spoil:
				return nil, false, false
			case Stop:
				return r.tier, true, true
			}
			continue
		}
		r.seen[c] = r.stamp
		if r.struck[c] {
			continue
		}
		if len(r.tier) > 0 && r.equal != Straight {
			r.tier = append(r.tier, Mark(c).WithPrevious())
		} else {
			r.tier = append(r.tier, Mark(c))
		}
	}
	return r.tier, false, true
}

// bounded applies the bounds on how many, and of whom, a paper may name.
func (r *reading) bounded(named int) ([]Mark, bool) {
	if r.max > 0 && named > r.max {
		if r.c.TooMany != Stop {
			return nil, false
		}
		r.out = r.out[:r.max]
		named = r.max
	}
	if named == 0 {
		return nil, true
	}
	if named < r.c.MinMarks {
		return nil, false
	}
	for _, q := range r.c.PaperQuotas {
		n := 0
		for _, m := range r.out {
			for _, who := range q.Members {
				if m != Gap && m.Candidate() == who {
					n++
				}
			}
		}
		if n < q.AtLeast || n > q.max(len(r.c.Candidates)) {
			return nil, false
		}
	}
	return r.out, true
}
