package count

import (
	"fmt"
	"slices"

	"github.com/omov/omov/fault"
)

// guard keeps the quotas on a result. At any moment a candidate who has not
// yet been elected or excluded is
//
//   - doomed, if no result that keeps the quotas has them in it together with
//     those already elected: they are excluded;
//   - guarded, if no such result does without them: they are not excluded.
//
// Whether such a result exists is decided exactly, for groups that overlap
// too, by searching over kinds of candidates (those in the same groups).
// Source: Hill, "Implementing STV by Meek's method with constraints", Voting
// matters 9 (1998), for the words and the idea.
type guard struct {
	c       *Contest
	kind    []uint64 // per candidate: bit i set, if in Quotas[i]
	guarded []bool
	doomed  []bool
	notes   []string
	steps   int
}

// guardSteps bounds the search for a result that keeps the quotas.
const guardSteps = 2_000_000

// newGuard gives nil where there are no quotas.
func newGuard(c *Contest) *guard {
	if len(c.Quotas) == 0 {
		return nil
	}
	n := len(c.Candidates)
	g := &guard{c: c, kind: make([]uint64, n), guarded: make([]bool, n), doomed: make([]bool, n)}
	for i, q := range c.Quotas {
		for _, m := range q.Members {
			g.kind[m] |= 1 << (i & 63)
		}
	}
	return g
}

// update finds out who is guarded and who is doomed, given those elected and
// those who can still be. It refuses quotas that cannot be kept.
func (g *guard) update(left, elected []int) error {
	if g == nil {
		return nil
	}
	if len(g.c.Quotas) > 63 {
		return fault.New(fault.TooMuch, "There can be at most 63 quotas on a result.")
	}
	g.steps = 0
	if !g.possible(left, elected) {
		if g.steps > guardSteps {
			return fault.New(fault.TooMuch, "The quotas overlap in too many ways to be checked.")
		}
		return fault.New(fault.Invalid, "The quotas on the result cannot be kept: no %d of the candidates fulfil %s.", g.c.Seats, g.words())
	}
	known := make(map[uint64][2]bool)
	for _, x := range left {
		state, ok := known[g.kind[x]]
		if !ok {
			rest := slices.DeleteFunc(slices.Clone(left), func(y int) bool { return y == x })
			state[0] = !g.possible(rest, elected)
			state[1] = len(elected) >= g.c.Seats || !g.possible(rest, append(slices.Clone(elected), x))
			known[g.kind[x]] = state
		}
		g.note(x, state[0] && !g.guarded[x], state[1] && !g.doomed[x])
		g.guarded[x], g.doomed[x] = state[0], state[1]
	}
	if g.steps > guardSteps {
		return fault.New(fault.TooMuch, "The quotas overlap in too many ways to be checked.")
	}
	return nil
}

func (g *guard) note(x int, guarded, doomed bool) {
	if guarded {
		g.notes = append(g.notes, g.c.Candidates[x]+" is guarded: the quotas cannot be kept without them")
	}
	if doomed {
		g.notes = append(g.notes, g.c.Candidates[x]+" is doomed: the quotas cannot be kept with them")
	}
}

// takeNotes gives what changed since the last call.
func (g *guard) takeNotes() []string {
	if g == nil {
		return nil
	}
	out := g.notes
	g.notes = nil
	return out
}

// without leaves the doomed out.
func (g *guard) without(left []int) []int {
	if g == nil {
		return left
	}
	return slices.DeleteFunc(slices.Clone(left), func(x int) bool { return g.doomed[x] })
}

// bites tells whether electing one of the tied could shut out another of
// them, so that the order among them has to be decided.
func (g *guard) bites(tied, left, elected []int) bool {
	return !g.possible(slices.DeleteFunc(slices.Clone(left), func(x int) bool { return slices.Contains(tied, x) }),
		append(slices.Clone(elected), tied...))
}

func (g *guard) words() string {
	s := ""
	for i, q := range g.c.Quotas {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%q (at least %d, at most %d)", q.Name, q.AtLeast, q.max(g.c.Seats))
	}
	return s
}

// possible tells whether some of left together with elected fill the seats
// and keep all quotas.
func (g *guard) possible(left, elected []int) bool {
	if len(elected) > g.c.Seats {
		return false
	}
	have := make([]int, len(g.c.Quotas))
	for _, x := range elected {
		addKind(have, g.kind[x], 1)
	}
	var kinds []uint64
	number := make(map[uint64]int)
	for _, x := range left {
		if number[g.kind[x]] == 0 {
			kinds = append(kinds, g.kind[x])
		}
		number[g.kind[x]]++
	}
	// Kinds in many groups first: they decide most.
	slices.Sort(kinds)
	slices.Reverse(kinds)
	s := search{g: g, kinds: kinds, number: number, dead: make(map[string]bool)}
	return s.fill(0, g.c.Seats-len(elected), have)
}

func addKind(have []int, kind uint64, n int) {
	for i := range have {
		if kind>>i&1 == 1 {
			have[i] += n
		}
	}
}

// search tries how many of each kind to take; dead remembers what has been
// seen not to lead anywhere.
type search struct {
	g      *guard
	kinds  []uint64
	number map[uint64]int
	dead   map[string]bool
}

func (s *search) fill(k, seats int, have []int) bool {
	if s.g.steps++; s.g.steps > guardSteps {
		return false
	}
	for i, q := range s.g.c.Quotas {
		if have[i] > q.max(s.g.c.Seats) || have[i]+seats < q.AtLeast {
			return false
		}
	}
	if k == len(s.kinds) {
		return seats == 0
	}
	key := fmt.Sprint(k, seats, have)
	if s.dead[key] {
		return false
	}
	kind := s.kinds[k]
	for n := min(seats, s.number[kind]); n >= 0; n-- {
		addKind(have, kind, n)
		ok := s.fill(k+1, seats-n, have)
		addKind(have, kind, -n)
		if ok {
			return true
		}
	}
	s.dead[key] = true
	return false
}
