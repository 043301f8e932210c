package count

import (
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/omov/omov/fault"
)

// TestTieRules: Ben and Cy are tied for exclusion at stage 3. At stage 2 Cy
// had fewer, at stage 1 Ben.
func TestTieRules(t *testing.T) {
	// Stage 1: Ben 10, Cy 12, Di 4, Ed 5. Di's papers go to Ben: 14 to 12 at
	// stage 2. Two of Ed's go to Cy: 14 each at stage 3.
	q := group(t, 5, []int{20, 0}, []int{10, 1}, []int{12, 2}, []int{4, 3, 1}, []int{2, 4, 2}, []int{3, 4, 0})
	for rule, want := range map[TieRule]string{TiesBackward: "Cy", TiesForward: "Ben", TiesFirst: "Ben"} {
		c := Contest{Candidates: []string{"Ann", "Ben", "Cy", "Di", "Ed"}, Ties: rule}
		s := mustCount(t, "exhaustive", c, Pool(q))
		var got *Tie
		for i := range s.Stages {
			for j := range s.Stages[i].Ties {
				got = &s.Stages[i].Ties[j]
			}
		}
		if got == nil || got.Picked[0] != want || !strings.HasPrefix(got.How, "stage ") {
			t.Errorf("%s: %+v, not %s", rule, got, want)
		}
	}
}

// TestThreeTied: an earlier stage separates one of three; the reading is on
// the sheet, and the other two go to the lot.
func TestThreeTied(t *testing.T) {
	c := Contest{Candidates: []string{"A", "B", "C"}, Order: []int{2, 1, 0}}
	b := newBreaker(&c, TiesBackward)
	pick, tie, err := b.pick("exclusion", []int{0, 1, 2}, [][]Votes{{3, 3, 3}, {4, 4, 5}}, true, 3)
	if err != nil || pick != 1 || tie.Reading == "" || tie.How != "stage 2, then drawn order" {
		t.Errorf("%d %+v %v", pick, tie, err)
	}
	c.Order = nil
	_, _, err = b.pick("exclusion", []int{0, 1, 2}, [][]Votes{{3, 3, 3}, {4, 4, 5}}, true, 3)
	var te *TieError
	if !errors.As(err, &te) || !slices.Equal(te.Among, []string{"A", "B"}) || te.Number != 2 {
		t.Errorf("%+v", err)
	}
}

func TestGuardAndDoom(t *testing.T) {
	// Three men have most votes; at least one woman has to be among two.
	p := group(t, 4, []int{30, 0}, []int{25, 1}, []int{20, 2}, []int{5, 3})
	c := Contest{Candidates: []string{"Max", "Nick", "Otto", "Pia"}, Seats: 2, Quotas: []Quota{{Name: "women", Members: []int{3}, AtLeast: 1}}, TooMany: Stop}
	for _, m := range []string{"plurality-at-large", "scottish-stv", "wigm-prf", "ers97", "meek-prf", "meek-nz"} {
		s := mustCount(t, m, c, Pool(p))
		if !slices.Contains(s.Elected, "Pia") || !slices.Contains(s.Elected, "Max") {
			t.Errorf("%s: elected %v", m, s.Elected)
		}
		text := s.Text()
		if !strings.Contains(text, "Pia is guarded") {
			t.Errorf("%s: the sheet does not say who is guarded:\n%s", m, text)
		}
	}
	c.Quotas = append(c.Quotas, Quota{Name: "men", Members: []int{0, 1, 2}, AtLeast: 2})
	if _, err := Count("scottish-stv", c, Pool(p)); !fault.Is(err, fault.Invalid) {
		t.Errorf("impossible quotas: %v", err)
	}
	if _, err := Count("av", Contest{Candidates: c.Candidates, Quotas: c.Quotas}, Pool(p)); !fault.Is(err, fault.Invalid) {
		t.Errorf("av with quotas: %v", err)
	}
}

// TestCountbackByPapers: Ann left with a quota of 34 of her 60 votes; the papers
// that stayed with her name Cy more often than Di.
func TestCountbackByPapers(t *testing.T) {
	p := group(t, 4, []int{40, 0, 2}, []int{20, 0, 3}, []int{25, 1}, []int{15, 3})
	c := Contest{Candidates: []string{"Ann", "Ben", "Cy", "Di"}, Seats: 2}
	s, err := Countback("scottish-stv", c, Vacancy{Rule: PapersHeld, Vacating: 0}, Pool(p))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Elected, []string{"Cy"}) || s.Stages[0].Votes.Of("Cy").Rat().Cmp(s.Stages[0].Votes.Of("Di").Rat()) <= 0 {
		t.Errorf("%v", s.Text())
	}
	whole := new(big.Rat).Add(s.Stages[0].Votes.Of("Cy").Rat(), s.Stages[0].Votes.Of("Di").Rat())
	if d := new(big.Rat).Sub(whole, big.NewRat(34, 1)); d.Abs(d).Cmp(big.NewRat(1, 1000)) > 0 {
		t.Errorf("the papers held are worth %s, not the quota of 34", whole.FloatString(5))
	}
	s, err = Countback("scottish-stv", c, Vacancy{Vacating: 1, Unwilling: []int{3}}, Pool(p))
	if err != nil || !slices.Equal(s.Elected, []string{"Cy"}) {
		t.Errorf("%v %v", s, err)
	}
	if _, err := Countback("scottish-stv", c, Vacancy{Vacating: 3}, Pool(p)); !fault.Is(err, fault.Invalid) {
		t.Errorf("Di was never elected: %v", err)
	}
}

// For two places rounds go on until two are left, whoever has a majority.
func TestBallotDownToTwo(t *testing.T) {
	c := Contest{Candidates: []string{"Ada", "Bram", "Cleo", "Dov"}, Seats: 2}
	one := Round{Votes: [][]Votes{{90, 6, 4, 3}}}
	o, err := Ballot(c, []int{0, 1, 2, 3}, nil, nil, one)
	if err != nil || len(o.Elected) != 0 || !slices.Equal(o.Stands, []int{0, 1, 2}) {
		t.Fatalf("more than half wins nothing here: %+v %v", o, err)
	}
	// the last two of three are tied: the earlier round decides
	o, err = Ballot(c, o.Stands, nil, []Round{one}, Round{Votes: [][]Votes{{90, 5, 5, 0}}})
	if err != nil || !slices.Equal(o.Elected, []int{0, 1}) || !slices.Equal(o.Leaves, []int{2}) || !slices.Equal(o.Stage.Elected, []string{"Ada", "Bram"}) {
		t.Errorf("%+v %v", o, err)
	}
	o, err = Ballot(c, []int{0, 1, 2}, nil, []Round{one}, Round{Votes: [][]Votes{{90, 5, 5, 0}}, Withdraw: []int{0}})
	if err != nil || !slices.Equal(o.Elected, []int{1, 2}) {
		t.Errorf("two are left: %+v %v", o, err)
	}
	c.Rounds = []Round{one, {Votes: [][]Votes{{90, 4, 6, 0}}}}
	s, err := Count("exhaustive", c)
	if err != nil || !slices.Equal(s.Elected, []string{"Ada", "Cleo"}) || len(s.Stages) != 2 {
		t.Errorf("%v %v", s, err)
	}
}

func TestBallotRoundByRound(t *testing.T) {
	c := Contest{Candidates: []string{"Foot", "Callaghan", "Healey"}}
	one := Round{Votes: [][]Votes{{90, 84, 30}}}
	o, err := Ballot(c, []int{0, 1, 2}, nil, nil, one)
	if err != nil || len(o.Elected) != 0 || !slices.Equal(o.Stands, []int{0, 1}) || !slices.Equal(o.Leaves, []int{2}) {
		t.Fatalf("%+v %v", o, err)
	}
	if _, err := Ballot(c, o.Stands, nil, []Round{one}, Round{Votes: [][]Votes{{100, 104, 1}}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("votes for somebody who left: %v", err)
	}
	o, err = Ballot(c, []int{0, 1}, nil, []Round{one}, Round{Votes: [][]Votes{{100, 100, 0}}})
	if err != nil || len(o.Elected) != 0 || len(o.Stands) != 2 {
		t.Errorf("the last two tied vote again: %+v %v", o, err)
	}
	o, err = Ballot(c, []int{0, 1}, nil, []Round{one}, Round{Votes: [][]Votes{{99, 101, 0}}})
	if err != nil || !slices.Equal(o.Elected, []int{1}) {
		t.Errorf("%+v %v", o, err)
	}
	o, err = Ballot(c, []int{0, 1, 2}, nil, nil, Round{Votes: [][]Votes{{90, 84, 30}}, Withdraw: []int{0, 2}})
	if err != nil || !slices.Equal(o.Elected, []int{1}) {
		t.Errorf("one is left: %+v %v", o, err)
	}
	college := []Section{{Name: "mps", Weight: big.NewRat(1, 2)}, {Name: "members", Weight: big.NewRat(1, 2)}}
	o, err = Ballot(c, []int{0, 1, 2}, college, nil, Round{Votes: [][]Votes{{60, 40, 0}, {1, 3, 0}}})
	if err != nil || !slices.Equal(o.Elected, []int{1}) || o.Stage.Votes.Of("Callaghan") != "23/40" || o.Stage.Sections[1].InPlay != "4" {
		t.Errorf("%+v %v", o, err)
	}
}

// TestCollegeRebases: once Cy is out, the papers of section b that name nobody
// else leave its base.
func TestCollegeRebases(t *testing.T) {
	a := group(t, 3, []int{5, 0}, []int{5, 1})
	b := group(t, 3, []int{3, 0}, []int{4, 1}, []int{2, 2})
	c := Contest{Candidates: []string{"A", "B", "C"}}
	s := mustCount(t, "college", c, Section{"a", big.NewRat(2, 3), a}, Section{"b", big.NewRat(1, 3), b})
	last := s.Stages[len(s.Stages)-1]
	if last.Sections[1].InPlay != "7" || last.Sections[1].Contribution.Of("B") != "4/21" || last.Votes.Of("B") != "11/21" || s.Elected[0] != "B" {
		t.Errorf("%s", s.Text())
	}
	total := new(big.Rat)
	for _, cell := range last.Votes {
		total.Add(total, cell.Votes.Rat())
	}
	if total.Cmp(big.NewRat(1, 1)) != 0 {
		t.Errorf("the sections contribute %s", total)
	}
}

func TestFractionalWeights(t *testing.T) {
	g := NewGrouper(2)
	for i, w := range []*big.Rat{big.NewRat(1, 3), big.NewRat(1, 2)} {
		if err := g.AddFraction([]Mark{Mark(i)}, w); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Add([]Mark{0}, 6); err != nil { // six units of 1/6
		t.Fatal(err)
	}
	p := g.Papers()
	s := mustCount(t, "av", Contest{Candidates: []string{"A", "B"}}, Pool(p))
	if s.Stages[0].Votes.Of("A") != "4/3" || s.Valid != "11/6" {
		t.Errorf("%s", s.Text())
	}
	if _, err := Count("scottish-stv", Contest{Candidates: []string{"A", "B"}}, Pool(p)); !fault.Is(err, fault.Invalid) {
		t.Errorf("fractions in a rule of five places: %v", err)
	}
	big1 := NewGrouper(2)
	if err := big1.Add([]Mark{0}, MaxVotes); err != nil {
		t.Fatal(err)
	}
	if err := big1.Add([]Mark{1}, 1); !fault.Is(err, fault.TooMuch) {
		t.Errorf("overflow: %v", err)
	}
	if _, err := Count("meek-prf", Contest{Candidates: []string{"A", "B"}}, Pool(big1.Papers())); !fault.Is(err, fault.TooMuch) {
		t.Errorf("too many votes for nine places: %v", err)
	}
}

func TestValidity(t *testing.T) {
	g := NewGrouper(3)
	for _, ranks := range [][][]int{{{0}, {}, {1}}, {{1}, {1}, {2}}, {{0, 1}, {2}}, {{2}}} {
		if err := g.AddRanks(ranks, 1); err != nil {
			t.Fatal(err)
		}
	}
	p := g.Papers()
	c := Contest{Candidates: []string{"A", "B", "C"}, Seed: []byte("x")}
	for _, x := range []struct {
		gaps, repeats, equals Validity
		valid, invalid        Total
		a, b, c               Amount
	}{
		{Skip, Skip, Skip, "4", "0", "1", "1", "2"},
		{Spoil, Spoil, Spoil, "1", "3", "0", "0", "1"},
		{Stop, Stop, Stop, "3", "1", "1", "1", "1"},
		{Skip, Skip, Straight, "4", "0", "2", "1", "1"},
	} {
		c.Gaps, c.Repeats, c.Equals = x.gaps, x.repeats, x.equals
		s := mustCount(t, "av", c, Pool(p))
		v := s.Stages[0].Votes
		if s.Valid != x.valid || s.Invalid != x.invalid || v.Of("A") != x.a || v.Of("B") != x.b || v.Of("C") != x.c {
			t.Errorf("%+v: valid %s invalid %s %v", x, s.Valid, s.Invalid, v)
		}
	}
	c = Contest{Candidates: c.Candidates, Seed: c.Seed, Seats: 2, PaperQuotas: []Quota{{Name: "C", Members: []int{2}, AtLeast: 1}}}
	if s := mustCount(t, "plurality-at-large", c, Pool(p)); s.Valid != "2" {
		t.Errorf("papers that name C: %s", s.Valid) // the third names three
	}
}

func TestSheetRoundTrip(t *testing.T) {
	p := group(t, 3, []int{4, 0, 1}, []int{3, 1, 2}, []int{2, 2, 1})
	for _, m := range []string{"av", "scottish-stv", "meek-prf", "schulze"} {
		s := mustCount(t, m, Contest{Candidates: []string{"Ann \"A\"", "Ben", "Cy"}}, Pool(p))
		a, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Sheet
		if err := json.Unmarshal(a, &back); err != nil {
			t.Fatal(err)
		}
		b, _ := json.Marshal(&back)
		if string(a) != string(b) {
			t.Errorf("%s:\n%s\n%s", m, a, b)
		}
		if strings.Contains(string(a), "null") {
			t.Errorf("%s: null in %s", m, a)
		}
	}
}

func TestContestIsChecked(t *testing.T) {
	p := group(t, 2, []int{1, 0})
	for name, c := range map[string]Contest{
		"nobody":       {},
		"twice":        {Candidates: []string{"A", "A"}},
		"no name":      {Candidates: []string{"A", " "}},
		"seats":        {Candidates: []string{"A", "B"}, Seats: 3},
		"all withdrew": {Candidates: []string{"A", "B"}, Withdrawn: []int{0, 1}},
		"a stranger":   {Candidates: []string{"A", "B"}, Withdrawn: []int{2}},
		"ties":         {Candidates: []string{"A", "B"}, Ties: "coin"},
		"gaps":         {Candidates: []string{"A", "B"}, Gaps: "maybe"},
		"other papers": {Candidates: []string{"A", "B", "C"}},
	} {
		if _, err := Count("av", c, Pool(p)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Count("av", Contest{Candidates: []string{"A", "B"}, Seats: 2}, Pool(p)); !fault.Is(err, fault.Invalid) {
		t.Errorf("av with two seats: %v", err)
	}
	if _, err := Count("none", Contest{Candidates: []string{"A", "B"}}, Pool(p)); err == nil {
		t.Error("a method that is not there")
	}
	none := NewGrouper(2).Papers()
	for _, m := range lawMethods() {
		if s, err := Count(m, Contest{Candidates: []string{"A", "B"}, Scale: []Votes{1}, Seed: []byte("s")}, Pool(none)); err != nil || len(s.Elected) != 1 {
			t.Errorf("%s without papers: %v %v", m, s, err)
		}
	}
}

// TestPoints: the scale 80 … over the ranks, gaps keep their place.
func TestPoints(t *testing.T) {
	g := NewGrouper(3)
	_ = g.AddRanks([][]int{{0}, {}, {1}}, 2)
	_ = g.AddRanks([][]int{{2}, {1}}, 1)
	s := mustCount(t, "points", Contest{Candidates: []string{"A", "B", "C"}, Scale: []Votes{80, 79, 78}}, Pool(g.Papers()))
	v := s.Stages[0].Votes
	if v.Of("A") != "160" || v.Of("B") != "235" || v.Of("C") != "80" || s.Elected[0] != "B" {
		t.Errorf("%v", v)
	}
}

func TestDebianQuorumAndMajority(t *testing.T) {
	names := []string{"X", "Y", "none"}
	p := group(t, 3, []int{5, 0, 1, 2}, []int{4, 1, 0, 2}, []int{2, 2, 0, 1})
	c := Contest{Candidates: names, Condorcet: Condorcet{Default: 2, HasDefault: true}, Seed: []byte("s")}
	if s := mustCount(t, "debian", c, Pool(p)); s.Elected[0] != "X" {
		t.Errorf("%s", s.Text())
	}
	c.Condorcet.Majority = map[int]*big.Rat{0: big.NewRat(9, 2)}
	if s := mustCount(t, "debian", c, Pool(p)); s.Elected[0] != "Y" || !slices.Equal(s.Stages[0].Excluded, []string{"X"}) {
		t.Errorf("X needs more than nine to two: %s", s.Text())
	}
	c.Condorcet.Majority, c.Condorcet.Quorum = nil, big.NewRat(10, 1)
	if s := mustCount(t, "debian", c, Pool(p)); s.Elected[0] != "none" {
		t.Errorf("nobody reaches the quorum: %s", s.Text())
	}
}

// TestManyCandidates: as many candidates as there may be, each with papers of
// their own, are counted in a bounded time.
func TestManyCandidates(t *testing.T) {
	n := 600
	if testing.Short() {
		n = 100
	}
	g := NewGrouper(n)
	c := Contest{Seats: 5, Seed: []byte("many")}
	for i := range n {
		c.Candidates = append(c.Candidates, "Candidate "+strings.Repeat("x", i%7)+string(rune('A'+i%26))+amountText(i))
		for k := 1; k < 6; k++ {
			_ = g.Add([]Mark{Mark(i), Mark((i * k) % n), Mark((i + 7*k) % n)}, Votes(1+i%3))
		}
	}
	p := g.Papers()
	for _, m := range []string{"scottish-stv", "ers97", "meek-nz"} {
		if s := mustCount(t, m, c, Pool(p)); len(s.Elected) != 5 {
			t.Errorf("%s: %v", m, s.Elected)
		}
	}
	c.Seats = 1
	if s := mustCount(t, "av", c, Pool(p)); len(s.Elected) != 1 {
		t.Errorf("av: %v", s.Elected)
	}
	if _, err := Count("av", Contest{Candidates: make([]string, MaxCandidates+1)}, Pool(p)); !fault.Is(err, fault.TooMuch) {
		t.Errorf("too many candidates: %v", err)
	}
	if err := NewGrouper(MaxCandidates+1).Add([]Mark{0}, 1); !fault.Is(err, fault.TooMuch) {
		t.Errorf("papers over too many candidates: %v", err)
	}
}

func amountText(i int) string { return string(amountOf(Votes(i), 1)) }
