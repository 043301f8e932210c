package count

import (
	"errors"
	"math/big"
	"slices"
	"testing"
)

// group makes papers from rows "votes, then candidates in order".
func group(t testing.TB, candidates int, rows ...[]int) *Papers {
	t.Helper()
	g := NewGrouper(candidates)
	for _, r := range rows {
		var ranks [][]int
		for _, c := range r[1:] {
			ranks = append(ranks, []int{c})
		}
		if err := g.AddRanks(ranks, Votes(r[0])); err != nil {
			t.Fatal(err)
		}
	}
	return g.Papers()
}

func mustCount(t testing.TB, method string, c Contest, s ...Section) *Sheet {
	t.Helper()
	sheet, err := Count(method, c, s...)
	if err != nil {
		t.Fatal(err)
	}
	return sheet
}

func TestAVTakesTheLowestOutFirst(t *testing.T) {
	p := group(t, 3, []int{4, 0}, []int{3, 1, 2}, []int{2, 2, 1})
	s := mustCount(t, "av", Contest{Candidates: []string{"Ann", "Ben", "Cy"}}, Pool(p))
	if !slices.Equal(s.Elected, []string{"Ben"}) || len(s.Stages) != 2 {
		t.Fatalf("elected %v in %d stages", s.Elected, len(s.Stages))
	}
	if got := s.Stages[1].Votes.Of("Ben"); got != "5" {
		t.Errorf("Ben has %s at stage 2, not 5", got)
	}
	if !slices.Equal(s.Stages[0].Excluded, []string{"Cy"}) {
		t.Errorf("excluded %v", s.Stages[0].Excluded)
	}
}

func TestWithoutASeedATieIsAnError(t *testing.T) {
	p := group(t, 2, []int{1, 0}, []int{1, 1})
	c := Contest{Candidates: []string{"Ann", "Ben"}}
	for _, m := range []string{"plurality", "av", "plurality-at-large", "approval"} {
		_, err := Count(m, c, Pool(p))
		var tie *TieError
		if !errors.As(err, &tie) || !slices.Equal(tie.Among, c.Candidates) || tie.Number != 1 {
			t.Errorf("%s: %v", m, err)
		}
		with := c
		with.Seed = []byte("a seed")
		s := mustCount(t, m, with, Pool(p))
		if len(s.Stages[0].Ties) != 1 || s.Stages[0].Ties[0].Order[0] != LotOrder([]byte("a seed"), 1, c.Candidates)[0] {
			t.Errorf("%s: the lot is not on the sheet: %+v", m, s.Stages[0].Ties)
		}
	}
}

func TestMajorityNamesItsDenominator(t *testing.T) {
	g := NewGrouper(3)
	for i, v := range []Votes{60, 30, 10} {
		if err := g.Add([]Mark{Mark(i)}, v); err != nil {
			t.Fatal(err)
		}
	}
	_ = g.Spoil(20)
	p := g.Papers()
	c := Contest{Candidates: []string{"For", "Against", "Abstain"}}
	for _, x := range []struct {
		pass Threshold
		want bool
		need Amount
	}{
		{Threshold{}, true, "45"},
		{Threshold{Share: big.NewRat(2, 3)}, false, "60"},
		{Threshold{Share: big.NewRat(2, 3), AtLeast: true}, true, "60"},
		{Threshold{Of: "papers"}, false, "60"},
		{Threshold{Of: "entitled", Entitled: 119}, true, "119/2"},
		{Threshold{Of: "entitled", Entitled: 121}, false, "121/2"},
	} {
		c.Pass = x.pass
		s := mustCount(t, "majority", c, Pool(p))
		if *s.Carried != x.want || s.Quota != x.need {
			t.Errorf("%+v: carried %v, needed %s", x.pass, *s.Carried, s.Quota)
		}
	}
}
