package verify

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/omov/omov/count"
	"github.com/omov/omov/proceeding"
)

// distinct are people's names as a sheet has them: told apart by a number
// where two are the same.
func distinct(list []proceeding.Person) []string {
	out := make([]string, len(list))
	times := map[string]int{}
	for i, p := range list {
		times[p.Name]++
		out[i] = p.Name
		if n := times[p.Name]; n > 1 {
			out[i] = fmt.Sprintf("%s (%d)", p.Name, n)
		}
	}
	return out
}

// sheet checks a count sheet by itself: whose it is, that every stage adds up,
// that whoever is elected or leaves is the one whom the stage's figures name.
func (v *verifier) sheet(e *entry, r *run, x *proceeding.Ballot, s *count.Sheet, all []proceeding.Person) {
	c := v.Check(CheckSheets)
	method := x.Method
	pooled := weighed(x)
	if len(x.Roll.Sections) > 1 && method != "exhaustive" && !pooled {
		method = "college"
	}
	c.must(s.Method == method && slices.Equal(s.Candidates, distinct(all)) && s.Seats == max(1, x.Seats), e.seq, "the sheet is of another count: %s, %d places, %d candidates", s.Method, s.Seats, len(s.Candidates))
	var papers int64
	plain := !pooled
	for i, y := range x.Returned {
		papers += y.Papers
		if votes := rat(x.Roll.Sections[i].Votes); votes == nil || votes.Cmp(new(big.Rat).SetInt64(x.Roll.Sections[i].Entitled)) != 0 {
			plain = false
		}
	}
	if cl := r.closings[x.ID]; x.Sealed() && cl != nil && cl.papers != nil {
		for i := range cl.papers.Sections {
			papers -= cl.papers.Sections[i].Spoilt
		}
	}
	if s.Method != "exhaustive" {
		total := new(big.Rat).Add(s.Valid.Rat(), s.Invalid.Rat())
		c.must(!plain || total.Cmp(new(big.Rat).SetInt64(papers)) == 0, e.seq, "the sheet counts %s papers; %d were returned", total.RatString(), papers)
	}
	var elected []string
	for i := range s.Stages {
		st := &s.Stages[i]
		c.must(st.N == i+1, e.seq, "the sheet's stages are not in order")
		v.addsUp(e, s, st)
		v.decides(e, s, st, i)
		v.lots(e, x, s, st)
		elected = append(elected, st.Elected...)
	}
	c.must(sameNames(elected, s.Elected), e.seq, "the sheet says %s elected; its stages elect %s", strings.Join(s.Elected, ", "), strings.Join(elected, ", "))
	v.continuity(e, x, s)
}

// sameNames tells whether two lists hold the same names.
func sameNames(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func sum(t count.Tally) *big.Rat {
	out := new(big.Rat)
	for _, c := range t {
		out.Add(out, c.Votes.Rat())
	}
	return out
}

// addsUp checks the sums of one stage.
func (v *verifier) addsUp(e *entry, s *count.Sheet, st *count.Stage) {
	c := v.Check(CheckSheets)
	for _, x := range st.Votes {
		c.must(slices.Contains(s.Candidates, x.Name) && x.Votes.Rat().Sign() >= 0, e.seq, "stage %d has votes for %q: %s", st.N, x.Name, x.Votes)
	}
	if len(st.Sections) > 0 {
		v.sectionsAddUp(e, st)
		return
	}
	if !conserves(s.Method) {
		return
	}
	all := sum(st.Votes)
	all.Add(all, st.NonTransferable.Rat()).Add(all, st.Rounding.Rat())
	c.must(all.Cmp(s.Valid.Rat()) == 0, e.seq, "stage %d adds up to %s of %s valid votes", st.N, all.RatString(), s.Valid)
}

// conserves tells whether the votes of every stage of a method add up to the
// valid ones.
func conserves(method string) bool {
	return slices.Contains([]string{"plurality", "av", "majority"}, method)
}

// sectionsAddUp checks that each section contributes its weight times the
// share of the votes in play, and that the totals are the sums of that.
func (v *verifier) sectionsAddUp(e *entry, st *count.Stage) {
	c := v.Check(CheckSheets)
	totals := map[string]*big.Rat{}
	for _, sec := range st.Sections {
		play := sec.InPlay.Rat()
		c.must(sum(sec.Votes).Cmp(play) == 0, e.seq, "stage %d, section %q: the votes do not add up to %s in play", st.N, sec.Name, sec.InPlay)
		for _, x := range sec.Votes {
			share := new(big.Rat)
			if play.Sign() > 0 {
				share.Quo(x.Votes.Rat(), play)
				share.Mul(share, sec.Weight.Rat())
			}
			c.must(sec.Contribution.Of(x.Name).Rat().Cmp(share) == 0, e.seq, "stage %d, section %q: %s does not contribute %s", st.N, sec.Name, x.Name, sec.Contribution.Of(x.Name))
			if totals[x.Name] == nil {
				totals[x.Name] = new(big.Rat)
			}
			totals[x.Name].Add(totals[x.Name], share)
		}
	}
	whole := new(big.Rat)
	for _, sec := range st.Sections {
		whole.Add(whole, sec.Weight.Rat())
	}
	for _, x := range st.Votes {
		want := totals[x.Name]
		if want == nil {
			want = new(big.Rat)
		}
		share := new(big.Rat)
		if whole.Sign() > 0 {
			share.Quo(want, whole)
		}
		got := x.Votes.Rat()
		c.must(got.Cmp(want) == 0 || got.Cmp(share) == 0, e.seq, "stage %d: the total of %s is not the sum of the sections", st.N, x.Name)
	}
}

// decides checks, for methods whose rule needs nothing but the stage, that
// the elected has more than half, or is the only one left, and that whoever
// leaves has the fewest votes.
func (v *verifier) decides(e *entry, s *count.Sheet, st *count.Stage, i int) {
	if !slices.Contains([]string{"av", "college", "exhaustive", "plurality"}, s.Method) || len(st.Votes) == 0 {
		return
	}
	c := v.Check(CheckSheets)
	votes := map[string]*big.Rat{}
	var most, least *big.Rat
	for _, x := range st.Votes {
		n := x.Votes.Rat()
		votes[x.Name] = n
		if most == nil || n.Cmp(most) > 0 {
			most = n
		}
		if least == nil || n.Cmp(least) < 0 {
			least = n
		}
	}
	half := new(big.Rat).Quo(sum(st.Votes), big.NewRat(2, 1))
	if s.Method == "exhaustive" && s.Seats > 1 {
		v.remains(e, s, st)
		half = sum(st.Votes) // and nobody is elected by a majority
	}
	for _, n := range st.Elected {
		if s.Method == "exhaustive" && s.Seats > 1 {
			break
		}
		x := votes[n]
		ok := x != nil && (x.Cmp(half) > 0 || len(st.Votes) == 1 || s.Method == "plurality" && x.Cmp(most) == 0)
		left := len(st.Votes) - len(st.Excluded) - len(st.Withdrawn)
		c.must(ok || x != nil && left == 1 && !slices.Contains(st.Excluded, n) && !slices.Contains(st.Withdrawn, n), e.seq, "stage %d elects %s, who has no majority and is not the last", st.N, n)
	}
	if len(st.Elected) == 0 {
		for _, n := range votes {
			c.must(n.Cmp(half) <= 0 || s.Method == "plurality", e.seq, "stage %d elects nobody, and somebody has more than half", st.N)
		}
		c.must(i < len(s.Stages)-1 || s.Method == "exhaustive", e.seq, "the sheet ends without a result")
	}
	for _, n := range st.Excluded {
		x := votes[n]
		c.must(x != nil && (x.Cmp(least) == 0 || len(st.Excluded) > 1), e.seq, "stage %d excludes %s, who does not have the fewest votes", st.N, n)
	}
}

// remains checks a round for several places: those who are left are elected
// as soon as there are no more of them than places, and nobody before.
func (v *verifier) remains(e *entry, s *count.Sheet, st *count.Stage) {
	var left []string
	for _, x := range st.Votes {
		if !slices.Contains(st.Excluded, x.Name) && !slices.Contains(st.Withdrawn, x.Name) {
			left = append(left, x.Name)
		}
	}
	if len(left) > s.Seats {
		left = nil
	}
	v.Check(CheckSheets).must(sameNames(left, st.Elected), e.seq, "round %d elects %v; those who are left for %d places are %v", st.N, st.Elected, s.Seats, left)
}

// lots draws every lot of a stage again.
func (v *verifier) lots(e *entry, x *proceeding.Ballot, s *count.Sheet, st *count.Stage) {
	c := v.Check(CheckLots)
	for _, t := range st.Ties {
		if t.Number == 0 {
			continue
		}
		order := count.LotOrder(lotSeed(x), t.Number, t.Order)
		if s.Method == "exhaustive" && st != &s.Stages[len(s.Stages)-1] {
			continue // of an earlier round, under its own seed; checked with it
		}
		known := !slices.ContainsFunc(t.Order, func(n string) bool { return !slices.Contains(t.Among, n) })
		c.must(known && len(t.Order) > 1 && slices.Equal(order, t.Order) && slices.Equal(t.Picked, t.Order[:1]), e.seq, "lot %d of stage %d does not follow from the secrets and the closing root", t.Number, st.N)
	}
}

// continuity checks that whoever has left stays away, and that the rounds of
// an exhaustive ballot before this one are those that were declared.
func (v *verifier) continuity(e *entry, x *proceeding.Ballot, s *count.Sheet) {
	if !slices.Contains([]string{"av", "college"}, s.Method) {
		return
	}
	c := v.Check(CheckSheets)
	gone := map[string]bool{}
	for _, st := range s.Stages {
		for _, y := range st.Votes {
			c.must(!gone[y.Name] || y.Votes.Rat().Sign() == 0, e.seq, "%s has votes at stage %d, after being excluded", y.Name, st.N)
		}
		for _, n := range slices.Concat(st.Excluded, st.Withdrawn) {
			gone[n] = true
		}
	}
}
