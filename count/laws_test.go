package count

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/omov/omov/fault"
	"pgregory.net/rapid"
)

// vote is one paper of a drawn election.
type vote struct {
	ranks [][]int
	votes Votes
}

type election struct {
	c     Contest
	votes []vote
}

// draw makes an election of up to six candidates; equal ranks if wanted.
func draw(t *rapid.T, equals bool, seats int) election {
	n := rapid.IntRange(max(2, seats), 6).Draw(t, "candidates")
	e := election{c: Contest{Seats: seats, Seed: []byte("a seed")}}
	for i := range n {
		e.c.Candidates = append(e.c.Candidates, string(rune('A'+i)))
	}
	for k := range rapid.IntRange(1, 25).Draw(t, "papers") {
		order := rapid.Permutation(numbers(n)).Draw(t, fmt.Sprint("order", k))
		length := rapid.IntRange(1, n).Draw(t, fmt.Sprint("length", k))
		var ranks [][]int
		for i, c := range order[:length] {
			if equals && i > 0 && rapid.IntRange(0, 3).Draw(t, "equal") == 0 {
				ranks[len(ranks)-1] = append(ranks[len(ranks)-1], c)
			} else {
				ranks = append(ranks, []int{c})
			}
		}
		for _, r := range ranks {
			slices.Sort(r)
		}
		e.votes = append(e.votes, vote{ranks, Votes(rapid.IntRange(1, 9).Draw(t, fmt.Sprint("votes", k)))})
	}
	return e
}

func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func (e election) papers(t *rapid.T) *Papers {
	g := NewGrouper(len(e.c.Candidates))
	for _, v := range e.votes {
		if err := g.AddRanks(v.ranks, v.votes); err != nil {
			t.Fatal(err)
		}
	}
	return g.Papers()
}

func count(t *rapid.T, method string, c Contest, p *Papers) *Sheet {
	s, err := Count(method, c, Section{Name: "all", Papers: p})
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return s
}

// lawMethods gives every method that counts ranked papers in one pool.
func lawMethods() []string {
	return []string{"plurality", "approval", "points", "av", "av-sequential", "exhaustive", "college", "scottish-stv", "wigm-prf", "ers97",
		"meek-prf", "meek", "meek-nz", "schulze", "debian", "ranked-pairs", "minimax"}
}

func seatsOf(method string, want int) int {
	if m, _ := Find(method); !m.Many {
		return 1
	}
	return want
}

func (e election) contest(method string) Contest {
	c := e.c
	c.Seats = seatsOf(method, c.Seats)
	c.Scale = []Votes{5, 3, 2, 1}
	return c
}

func TestLawGroupingAndOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := draw(t, rapid.Bool().Draw(t, "equals"), 2)
		var split []vote
		for _, v := range e.votes {
			for range v.votes {
				split = append(split, vote{v.ranks, 1})
			}
		}
		f := election{e.c, rapid.Permutation(split).Draw(t, "shuffled")}
		for _, m := range lawMethods() {
			a, _ := json.Marshal(count(t, m, e.contest(m), e.papers(t)))
			b, _ := json.Marshal(count(t, m, f.contest(m), f.papers(t)))
			if string(a) != string(b) {
				t.Fatalf("%s: the order or grouping of papers changed the sheet:\n%s\n%s", m, a, b)
			}
		}
	})
}

func TestLawNeutrality(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := draw(t, rapid.Bool().Draw(t, "equals"), 2)
		to := rapid.Permutation(numbers(len(e.c.Candidates))).Draw(t, "to")
		f := election{c: e.c}
		f.c.Candidates = make([]string, len(to))
		for i, j := range to {
			f.c.Candidates[j] = e.c.Candidates[i]
		}
		for _, v := range e.votes {
			w := vote{votes: v.votes}
			for _, r := range v.ranks {
				var x []int
				for _, c := range r {
					x = append(x, to[c])
				}
				w.ranks = append(w.ranks, x)
			}
			f.votes = append(f.votes, w)
		}
		for _, m := range lawMethods() {
			a, b := count(t, m, e.contest(m), e.papers(t)), count(t, m, f.contest(m), f.papers(t))
			x, y := slices.Clone(a.Elected), slices.Clone(b.Elected)
			slices.Sort(x)
			slices.Sort(y)
			if !slices.Equal(x, y) {
				t.Fatalf("%s: numbered anew, %v instead of %v", m, y, x)
			}
			for i := range min(len(a.Stages), len(b.Stages)) {
				for _, cell := range a.Stages[i].Votes {
					if other := b.Stages[i].Votes.Of(cell.Name); other != cell.Votes {
						t.Fatalf("%s, stage %d: %s has %s, numbered anew %s", m, i+1, cell.Name, cell.Votes, other)
					}
				}
			}
		}
	})
}

func TestLawConservation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := draw(t, false, rapid.IntRange(1, 3).Draw(t, "seats"))
		p := e.papers(t)
		for _, m := range []string{"av", "scottish-stv", "wigm-prf", "ers97", "meek-prf", "meek", "meek-nz"} {
			s := count(t, m, e.contest(m), p)
			for _, st := range s.Stages {
				sum := new(big.Rat).Add(st.NonTransferable.Rat(), st.Rounding.Rat())
				for _, c := range st.Votes {
					sum.Add(sum, c.Votes.Rat())
					if c.Votes.Rat().Sign() < 0 {
						t.Fatalf("%s, stage %d: %s has %s", m, st.N, c.Name, c.Votes)
					}
				}
				if sum.Cmp(s.Valid.Rat()) != 0 {
					t.Fatalf("%s, stage %d: %s votes of %s", m, st.N, sum.RatString(), s.Valid)
				}
				if st.Rounding.Rat().Sign() < 0 {
					t.Fatalf("%s, stage %d: rounding made %s votes", m, st.N, st.Rounding)
				}
			}
			if len(s.Elected) != e.contest(m).Seats {
				t.Fatalf("%s: %d elected for %d seats", m, len(s.Elected), e.c.Seats)
			}
			seen := map[string]bool{}
			for _, n := range s.Elected {
				if seen[n] {
					t.Fatalf("%s: %s elected twice", m, n)
				}
				seen[n] = true
			}
		}
	})
}

func TestLawOneSeat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := draw(t, false, 1)
		p := e.papers(t)
		av := count(t, "av", e.c, p)
		for _, m := range []string{"scottish-stv", "exhaustive", "av-sequential"} {
			if s := count(t, m, e.c, p); s.Elected[0] != av.Elected[0] {
				t.Fatalf("%s elects %v, av %v", m, s.Elected, av.Elected)
			}
		}
		college := count(t, "college", e.c, p)
		if college.Elected[0] != av.Elected[0] || len(college.Stages) != len(av.Stages) {
			t.Fatalf("a college of one section elects %v, av %v", college.Elected, av.Elected)
		}
		for i, st := range college.Stages {
			if !slices.Equal(st.Excluded, av.Stages[i].Excluded) {
				t.Fatalf("stage %d: a college of one section excludes %v, av %v", i+1, st.Excluded, av.Stages[i].Excluded)
			}
		}
	})
}

func TestLawSmithSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := draw(t, rapid.Bool().Draw(t, "equals"), 1)
		p := e.papers(t)
		v := countPairs(p)
		// The smallest set whose members beat all outside: grow it from each
		// candidate by whoever is not beaten.
		var smith []int
		for a := range e.c.Candidates {
			set := []int{a}
			for i := 0; i < len(set); i++ {
				for b := range e.c.Candidates {
					if !slices.Contains(set, b) && v.over(set[i], b) <= v.over(b, set[i]) {
						set = append(set, b)
					}
				}
			}
			if smith == nil || len(set) < len(smith) {
				smith = set
			}
		}
		for _, m := range []string{"schulze", "ranked-pairs", "debian"} {
			s := count(t, m, e.c, p)
			if !slices.Contains(e.c.names(smith), s.Elected[0]) {
				t.Fatalf("%s elects %v, the Smith set is %v", m, s.Elected, e.c.names(smith))
			}
		}
	})
}

func TestLawQuotasOnTheResult(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seats := rapid.IntRange(1, 3).Draw(t, "seats")
		e := draw(t, false, seats)
		n := len(e.c.Candidates)
		for k := range rapid.IntRange(1, 3).Draw(t, "quotas") {
			q := Quota{Name: fmt.Sprint("q", k), AtLeast: rapid.IntRange(0, 2).Draw(t, "least"), AtMost: rapid.IntRange(0, 2).Draw(t, "most")}
			q.NoMore = q.AtMost == 0 && rapid.Bool().Draw(t, "none")
			for c := range n {
				if rapid.Bool().Draw(t, "member") {
					q.Members = append(q.Members, c)
				}
			}
			e.c.Quotas = append(e.c.Quotas, q)
		}
		keeps := func(set []int) bool {
			for _, q := range e.c.Quotas {
				k := 0
				for _, m := range q.Members {
					if slices.Contains(set, m) {
						k++
					}
				}
				if k < q.AtLeast || k > q.max(seats) {
					return false
				}
			}
			return true
		}
		possible := false
		for bits := range 1 << n {
			var set []int
			for c := range n {
				if bits>>c&1 == 1 {
					set = append(set, c)
				}
			}
			possible = possible || len(set) == seats && keeps(set)
		}
		p := e.papers(t)
		for _, m := range []string{"plurality-at-large", "scottish-stv", "wigm-prf", "ers97", "meek-prf", "meek-nz"} {
			c := e.c
			c.TooMany = Stop
			s, err := Count(m, c, Pool(p))
			if !possible {
				if !fault.Is(err, fault.Invalid) {
					t.Fatalf("%s: impossible quotas gave %v, %v", m, s, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", m, err)
			}
			var set []int
			for _, name := range s.Elected {
				set = append(set, slices.Index(c.Candidates, name))
			}
			if len(set) != seats || !keeps(set) {
				t.Fatalf("%s: elected %v against %v", m, s.Elected, c.Quotas)
			}
		}
	})
}

func TestLawWithdrawalAndCountback(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := draw(t, false, 2)
		if len(e.c.Candidates) < 4 {
			return
		}
		p := e.papers(t)
		w := rapid.IntRange(0, len(e.c.Candidates)-1).Draw(t, "withdrawn")
		for _, m := range lawMethods() {
			before, after := e.contest(m), e.contest(m)
			before.Withdrawn, after.WithdrawnAfter = []int{w}, []int{w}
			for _, c := range []Contest{before, after} {
				if s := count(t, m, c, p); slices.Contains(s.Elected, c.Candidates[w]) {
					t.Fatalf("%s: %s withdrew and is elected", m, c.Candidates[w])
				}
			}
		}
		for _, m := range []string{"scottish-stv", "wigm-prf", "meek-prf", "ers97"} {
			first := count(t, m, e.c, p)
			gone := slices.Index(e.c.Candidates, first.Elected[0])
			for _, rule := range []CountbackRule{Recount, PapersHeld} {
				s, err := Countback(m, e.c, Vacancy{Rule: rule, Vacating: gone}, Pool(p))
				if rule == PapersHeld && (m == "meek-prf" || m == "ers97") {
					if !fault.Is(err, fault.Invalid) {
						t.Fatalf("%s has no papers held: %v", m, err)
					}
					continue
				}
				if err != nil || len(s.Elected) != 1 || slices.Contains(first.Elected, s.Elected[0]) {
					t.Fatalf("%s by %s: %v after %v, %v", m, rule, s, first.Elected, err)
				}
			}
		}
	})
}

// TestLawTrail: where the papers lie at the end is what the last stage says.
func TestLawTrail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := draw(t, false, 1)
		p := e.papers(t)
		c := e.c
		c.Trail = true
		s := count(t, "av", c, p)
		votes := make([]Votes, len(c.Candidates)+1)
		for g := range p.Len() {
			path := s.Trail[0][g]
			at := path[len(path)-1].Candidate
			if at < 0 {
				at = len(c.Candidates)
			}
			_, w, _ := p.Group(g)
			votes[at] += w
		}
		last := s.Stages[len(s.Stages)-1]
		for _, cell := range last.Votes {
			if want := amountOf(votes[slices.Index(c.Candidates, cell.Name)], 1); cell.Votes != want {
				t.Fatalf("%s has %s, by the papers' trails %s", cell.Name, cell.Votes, want)
			}
		}
		if want := amountOf(votes[len(c.Candidates)], 1); last.NonTransferable != want {
			t.Fatalf("non-transferable %s, by the trails %s", last.NonTransferable, want)
		}
	})
}

// TestLawNoSeed: without a seed a count either is the same as with one, or
// asks for it.
func TestLawNoSeed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := draw(t, false, 2)
		p := e.papers(t)
		for _, m := range lawMethods() {
			with, without := e.contest(m), e.contest(m)
			without.Seed = nil
			s := count(t, m, with, p)
			drawn := 0
			for _, st := range s.Stages {
				for _, tie := range st.Ties {
					if tie.Number > 0 {
						drawn++
					}
				}
			}
			_, err := Count(m, without, Section{Name: "all", Papers: p})
			var tie *TieError
			if (drawn > 0) != errors.As(err, &tie) {
				t.Fatalf("%s: %d lots drawn, without a seed %v", m, drawn, err)
			}
		}
	})
}

func TestLotOrderIsAPermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.String(), 1, 8, func(s string) string { return s }).Draw(t, "names")
		seed := []byte(rapid.String().Draw(t, "seed"))
		a, b := LotOrder(seed, 1, names), slices.Clone(names)
		slices.Reverse(b)
		if !slices.Equal(a, LotOrder(seed, 1, b)) {
			t.Fatal("the order of the names matters")
		}
		slices.Sort(b)
		c := slices.Clone(a)
		slices.Sort(c)
		if !slices.Equal(b, c) {
			t.Fatal("not a permutation")
		}
	})
	// A vector, so that others can check their own programs.
	if got := strings.Join(LotOrder([]byte("omov"), 1, []string{"Ann", "Ben", "Cy"}), " "); got != lotVector {
		t.Errorf("the lot drew %s", got)
	}
}

// lotVector is the order for the seed "omov", tie 1.
const lotVector = "Ben Ann Cy"
