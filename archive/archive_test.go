package archive_test

import (
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/omov/omov/archive"
	"github.com/omov/omov/count"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/rulebooks"
)

func find(t *testing.T, id string) (*archive.Contest, *archive.Result) {
	t.Helper()
	c, err := archive.Find(id)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Count()
	if err != nil {
		t.Fatal(id, err)
	}
	return c, r
}

func TestTheArchiveHasTheContests(t *testing.T) {
	all, err := archive.All()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	for _, id := range []string{"1976-leader", "1983-leader", "1983-deputy", "1988-leader", "1988-deputy", "1992-leader", "1992-deputy",
		"1994-leader", "2010-leader", "2015-leader", "2015-deputy", "2016-leader", "2016-plp-vonc", "2020-leader", "2025-deputy"} {
		if !slices.Contains(ids, id) {
			t.Errorf("no %s in the archive", id)
		}
	}
	if _, err := archive.Find("1951-leader"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a contest that is not there: %v", err)
	}
}

// Every published round comes out of the papers under the contest's own
// rulebook: the same votes, the same candidates leaving, the same winner.
func TestRoundsAsPublished(t *testing.T) {
	all, err := archive.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		r, err := c.Count()
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		if c.Winner != "" && !slices.Equal(r.Sheet.Elected, []string{c.Winner}) {
			t.Errorf("%s: elected %v, published %s", c.ID, r.Sheet.Elected, c.Winner)
		}
		if len(r.Sheet.Stages) != len(c.Rounds) || len(r.LeftOut) > 0 {
			t.Errorf("%s: %d rounds, published %d; left out %v", c.ID, len(r.Sheet.Stages), len(c.Rounds), r.LeftOut)
			continue
		}
		for i := range c.Rounds {
			sameVotes(t, c, r, i)
			for name, how := range c.Rounds[i].Leaves {
				st := r.Sheet.Stages[i]
				if list := map[archive.Leaving][]string{archive.Lowest: st.Excluded, archive.Withdrew: st.Withdrawn}[how]; !slices.Contains(list, name) {
					t.Errorf("%s, round %d: %s should leave (%s); excluded %v, withdrawn %v", c.ID, i+1, name, how, st.Excluded, st.Withdrawn)
				}
			}
		}
	}
}

func sameVotes(t *testing.T, c *archive.Contest, r *archive.Result, i int) {
	t.Helper()
	st, round := &r.Sheet.Stages[i], c.Rounds[i]
	for _, s := range c.Sections {
		tally := st.Votes
		if k := slices.IndexFunc(st.Sections, func(x count.SectionStage) bool { return x.Name == r.Section[s.Name] }); k >= 0 {
			tally = st.Sections[k].Votes
		} else if k := slices.IndexFunc(st.Groups, func(x count.GroupTally) bool { return x.Name == s.Says }); k >= 0 {
			tally = st.Groups[k].Votes
		} else if len(c.Sections) > 1 {
			t.Errorf("%s, round %d: the sheet does not tell the section %s apart", c.ID, i+1, s.Name)
		}
		for name, n := range round.Votes[s.Name] {
			if got := tally.Of(name); got != count.Amount(fmt.Sprint(n)) {
				t.Errorf("%s, round %d, %s: %s has %s votes, published %d", c.ID, i+1, s.Name, name, got, n)
			}
		}
	}
}

// Every printed figure is what the count gives, to the places printed, or is
// on the list of those that are wrong, with what it should be.
func TestPrintedFigures(t *testing.T) {
	all, err := archive.All()
	if err != nil {
		t.Fatal(err)
	}
	figures, wrong := 0, 0
	for _, c := range all {
		r, err := c.Count()
		if err != nil {
			t.Fatal(c.ID, err)
		}
		list, err := c.Figures(r)
		if err != nil {
			t.Fatal(c.ID, err)
		}
		used := 0
		for _, f := range list {
			figures++
			what := fmt.Sprintf("%s, round %d, %s %s of %s: printed %s, is %s", c.ID, f.Round, f.Section, f.Of, f.Candidate, f.Published, f.Is.FloatString(4))
			switch {
			case f.Agrees && f.Wrong != nil:
				t.Error(what + ", which agrees, but the data say that it is wrong")
			case !f.Agrees && f.Wrong == nil:
				t.Error(what + ", and the data do not say so")
			case f.Wrong != nil:
				used++
				if is := f.Is.FloatString(archive.Places(f.Wrong.Is)); is != f.Wrong.Is || f.Wrong.Why == "" {
					t.Errorf("%s; the data say %s", what, f.Wrong.Is)
				}
			}
		}
		if used != len(c.Wrong) {
			t.Errorf("%s: %d figures are listed as wrong, %d were found", c.ID, len(c.Wrong), used)
		}
		wrong += used
	}
	if figures < 170 || wrong != 19 {
		t.Errorf("%d printed figures compared, %d wrong", figures, wrong)
	}
}

// The figures that are known to be wrong, one by one: what was printed and
// what the votes give.
func TestPrintedWrong(t *testing.T) {
	for _, x := range []struct {
		id        string
		round     int
		of        archive.Measure
		section   string
		candidate string
		printed   string
		is        string
	}{
		{"1976-leader", 1, archive.Total, "", "Anthony Crosland", "5.3", "5.41"},
		{"1988-deputy", 1, archive.Contribution, "clp", "John Prescott", "7.843", "7.845"},
		{"1988-deputy", 1, archive.Contribution, "plp", "John Prescott", "7.193", "7.195"},
		{"1988-deputy", 1, archive.Total, "", "Roy Hattersley", "67.3", "66.823"},
		{"1988-deputy", 1, archive.Total, "", "Eric Heffer", "9.4", "9.483"},
		{"1992-leader", 1, archive.Contribution, "clp", "John Smith", "29.3", "29.41"},
		{"1992-leader", 1, archive.Contribution, "clp", "Bryan Gould", "0.7", "0.59"},
		{"1992-leader", 1, archive.Contribution, "plp", "John Smith", "23.2", "23.13"},
		{"1992-leader", 1, archive.Contribution, "plp", "Bryan Gould", "6.8", "6.87"},
		{"1994-leader", 1, archive.Share, "mps_meps", "Tony Blair", "60.5", "60.55"},
		{"2010-leader", 3, archive.Total, "", "Ed Miliband", "41.26", "41.268"},
	} {
		c, r := find(t, x.id)
		list, err := c.Figures(r)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(list, func(f archive.Figure) bool {
			return f.Round == x.round && f.Of == x.of && f.Section == x.section && f.Candidate == x.candidate && f.Published == x.printed
		})
		if i < 0 || list[i].Agrees || list[i].Is.FloatString(archive.Places(x.is)) != x.is {
			t.Errorf("%s: %s printed for %s: %+v", x.id, x.printed, x.candidate, list)
		}
	}
}

// 1992, deputy: one printed table of contributions has two columns exchanged,
// and was made from rounded percentages; the printed totals are right.
func TestExchangedColumns(t *testing.T) {
	c, r := find(t, "1992-deputy")
	list, err := c.Figures(r)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]*big.Rat{}
	printed := map[string]map[string]*big.Rat{}
	for _, f := range list {
		v, _ := new(big.Rat).SetString(f.Published)
		switch f.Of {
		case archive.Contribution:
			if sums[f.Section] == nil {
				sums[f.Section], printed[f.Section] = new(big.Rat), map[string]*big.Rat{}
			}
			sums[f.Section].Add(sums[f.Section], v)
			printed[f.Section][f.Candidate] = v
		default:
			if !f.Agrees {
				t.Errorf("%s of %s in %q: printed %s, is %s", f.Of, f.Candidate, f.Section, f.Published, f.Is.FloatString(4))
			}
		}
	}
	for s, want := range map[string]string{"affiliates": "30.00", "plp": "40.00", "clp": "30.03"} {
		if got := sums[s].FloatString(2); got != want {
			t.Errorf("the printed contributions of %s add up to %s, not %s", s, got, want)
		}
	}
	near := big.NewRat(3, 100)
	for i := range r.Sheet.Stages[0].Sections {
		s := &r.Sheet.Stages[0].Sections[i]
		from := map[string]string{"affiliates": "plp", "parliamentary party": "affiliates", "constituencies": "clp"}[s.Name]
		for _, x := range s.Contribution {
			if d := new(big.Rat).Sub(x.Votes.Rat(), printed[from][x.Name]); d.Abs(d).Cmp(near) > 0 {
				t.Errorf("%s of %s: %s; with the columns put right %s was printed", s.Name, x.Name, x.Votes.Decimal(3), printed[from][x.Name].FloatString(2))
			}
		}
	}
}

// Turnouts and other printed shares of one number in another.
func TestRatios(t *testing.T) {
	all, err := archive.All()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range all {
		for _, r := range c.Ratios {
			n++
			if r.Agrees() != (r.Is == "") {
				t.Errorf("%s, %s: printed %s, is %s", c.ID, r.Says, r.Published, r.Percent().FloatString(3))
			}
			if r.Is != "" && (r.Percent().FloatString(archive.Places(r.Is)) != r.Is || r.Why == "") {
				t.Errorf("%s, %s: is %s, the data say %s", c.ID, r.Says, r.Percent().FloatString(3), r.Is)
			}
		}
	}
	if n < 12 {
		t.Errorf("only %d ratios", n)
	}
	// 2016: 77.6 only with the spoilt papers.
	c, r := find(t, "2016-leader")
	if got := ratio(r.Sheet.Valid.Rat(), 654006); got != "77.44" {
		t.Errorf("2016, valid votes only: %s", got)
	}
	all16 := new(big.Rat).Add(r.Sheet.Valid.Rat(), r.Sheet.Invalid.Rat())
	if got := ratio(all16, 654006); got != "77.60" || all16.Cmp(big.NewRat(c.Ratios[0].Part, 1)) != 0 {
		t.Errorf("2016, with spoilt papers: %s", got)
	}
	// 2020: papers returned are valid and spoilt ones, class by class.
	c, r = find(t, "2020-leader")
	back := new(big.Rat).Add(r.Sheet.Valid.Rat(), r.Sheet.Invalid.Rat())
	if got := ratio(back, 784151); got != "62.58" || back.Cmp(big.NewRat(490731, 1)) != 0 {
		t.Errorf("2020: %s returned, %s", back.RatString(), got)
	}
	for i, s := range c.Sections {
		n := c.Rounds[0].Spoilt[s.Name]
		for _, v := range c.Rounds[0].Votes[s.Name] {
			n += v
		}
		if n != c.Ratios[i].Part {
			t.Errorf("2020, %s: %d valid and spoilt, %d returned", s.Name, n, c.Ratios[i].Part)
		}
	}
}

func ratio(part *big.Rat, whole int64) string {
	x := new(big.Rat).Quo(part, big.NewRat(whole, 100))
	return x.FloatString(2)
}

// 2010 under one member, one vote: the same final papers in one pool elect
// the same candidate, by 54.38%.
func TestOneMemberOneVoteIn2010(t *testing.T) {
	c, own := find(t, "2010-leader")
	if w := own.Sheet.Stages[0].Sections[0].Weight; w != "1/3" {
		t.Errorf("the weight of a section is the rulebook's third, exactly; it is %s", w)
	}
	r, err := c.Under("omov-2014")
	if err != nil {
		t.Fatal(err)
	}
	last := r.Sheet.Stages[len(r.Sheet.Stages)-1]
	if e, d := last.Votes.Of("Ed Miliband"), last.Votes.Of("David Miliband"); e != "175519" || d != "147220" {
		t.Errorf("%s to %s", e, d)
	} else if got := new(big.Rat).Quo(new(big.Rat).Mul(e.Rat(), big.NewRat(100, 1)), new(big.Rat).Add(e.Rat(), d.Rat())).FloatString(2); got != "54.38" {
		t.Errorf("%s%%", got)
	}
	if !slices.Equal(r.Sheet.Elected, []string{"Ed Miliband"}) || !slices.Equal(own.Sheet.Elected, r.Sheet.Elected) {
		t.Errorf("elected %v, under its own rules %v", r.Sheet.Elected, own.Sheet.Elected)
	}
}

// Which contests can be counted under which rulebook: where the published
// figures do not say who would have voted, that is a refusal and not a guess.
func TestUnderOtherRulebooks(t *testing.T) {
	can := map[string][]string{
		"1976-leader": {"mps-only-1976"},
		"1983-leader": {"college-1981", "mps-only-1976"},
		"1994-leader": {"double-gate-2018", "double-gate-2021", "omov-2014", "open-freeze-2016", "thirds-1993"},
		"2010-leader": {"double-gate-2018", "double-gate-2021", "omov-2014", "open-freeze-2016", "thirds-1993"},
		"2015-leader": {"double-gate-2018", "double-gate-2021", "omov-2014", "open-freeze-2016"},
		"2015-deputy": {"double-gate-2018", "omov-2014"},
		"2016-leader": {"double-gate-2018", "double-gate-2021", "omov-2014", "open-freeze-2016"},
		"2020-leader": {"double-gate-2018", "double-gate-2021", "omov-2014", "open-freeze-2016"},
		"2025-deputy": {"double-gate-2018", "double-gate-2021", "omov-2014"},
	}
	for id, want := range can {
		c, _ := find(t, id)
		var got []string
		for _, name := range rulebooks.Names() {
			r, err := c.Under(name)
			switch {
			case err == nil:
				got = append(got, name)
				if r.Sheet == nil {
					t.Errorf("%s under %s: no sheet", id, name)
				}
			case !fault.Is(err, fault.NotFound):
				t.Errorf("%s under %s: %v", id, name, err)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s can be counted under %v, want %v", id, got, want)
		}
	}
	// Under the rulebook of 2021 registered supporters have no vote.
	c, _ := find(t, "2015-leader")
	r, err := c.Under("double-gate-2021")
	if err != nil || !slices.Equal(r.LeftOut, []string{"registered"}) || r.Sheet.Stages[0].Votes.Of("Jeremy Corbyn") != "162968" {
		t.Errorf("2015 under the rulebook of 2021: %+v %v", r, err)
	}
	// Members of parliament alone gave nobody more than half in 1983.
	c, _ = find(t, "1983-leader")
	if r, err = c.Under("mps-only-1976"); err != nil || len(r.Sheet.Elected) != 0 || len(r.Sheet.Stages) != 1 {
		t.Errorf("1983 by members of parliament alone: %+v %v", r, err)
	}
}

// The names that the archive has for a rulebook's voters are the rulebook's.
func TestVotersOfRulebooks(t *testing.T) {
	voters, err := os.ReadFile("data/voters.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range rulebooks.Names() {
		src, err := rulebooks.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := rulebook.Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		if p := b.Procedure("leadership"); p == nil {
			continue
		}
		if !strings.Contains(string(voters), `"`+name+`/leadership":`) {
			t.Errorf("the archive does not say who votes under %s", name)
		}
	}
}

// Rounds that no papers could give are refused.
func TestImpossibleRounds(t *testing.T) {
	c, _ := find(t, "1976-leader")
	if _, err := c.Papers(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "not of one ballot") {
		t.Errorf("the three ballots of 1976 as one: %v", err)
	}
	c, _ = find(t, "2010-leader")
	c.Rounds[1].Votes["members"]["Ed Balls"] = 12_000
	if _, err := c.Papers(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "fewer votes") {
		t.Errorf("votes lost: %v", err)
	}
	c, _ = find(t, "2010-leader")
	c.Rounds[3].Votes["members"]["Ed Balls"] = 1
	if _, err := c.Count(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "after leaving") {
		t.Errorf("votes after leaving: %v", err)
	}
	c, _ = find(t, "2010-leader")
	delete(c.Rounds[1].Leaves, "Andy Burnham")
	if _, err := c.Papers(); !fault.Is(err, fault.Invalid) {
		t.Errorf("somebody gone without leaving: %v", err)
	}
}

// Papers of one section: what is set free is gained or not transferable.
func TestFlow(t *testing.T) {
	c, _ := find(t, "2010-leader")
	papers, err := c.Papers()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range papers {
		var all, last int64
		for _, p := range s.Papers {
			all += p.N
			if m := p.Marks[len(p.Marks)-1]; m < 2 {
				last += p.N
			}
			if p.N <= 0 {
				t.Errorf("a paper that nobody bore: %+v", p)
			}
		}
		var first, final int64
		for _, n := range c.Rounds[0].Votes[s.Section] {
			first += n
		}
		for _, n := range c.Rounds[3].Votes[s.Section] {
			final += n
		}
		if all != first || last != final {
			t.Errorf("%s: %d papers for %d votes, %d of %d at the end", s.Section, all, first, last, final)
		}
	}
}

// The vote of 2016: three shares went round because nobody had said of what.
func TestNoConfidence(t *testing.T) {
	c, r := find(t, "2016-plp-vonc")
	if r.Sheet.Carried == nil || !*r.Sheet.Carried {
		t.Error("172 to 40 is carried")
	}
	papers := new(big.Rat).Add(r.Sheet.Valid.Rat(), r.Sheet.Invalid.Rat())
	for i, whole := range []*big.Rat{r.Sheet.Valid.Rat(), papers, big.NewRat(c.Entitled, 1)} {
		if whole.Cmp(big.NewRat(c.Ratios[i].Whole, 1)) != 0 {
			t.Errorf("%s: of %s, not %d", c.Ratios[i].Says, whole.RatString(), c.Ratios[i].Whole)
		}
	}
}

// Card votes of conferences: what was printed adds up, or the data say that
// it does not.
func TestDivisions(t *testing.T) {
	all, err := archive.Divisions()
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		d := &all[i]
		slips, err := d.Slips()
		if err != nil {
			t.Fatal(d.ID, err)
		}
		if len(slips) != len(d.Wrong) {
			t.Errorf("%s: found %+v, listed %+v", d.ID, slips, d.Wrong)
		}
		for _, s := range slips {
			if w := d.Reason(s); w == nil || w.Why == "" {
				t.Errorf("%s: %+v is not listed", d.ID, s)
			}
		}
		for _, p := range d.Parts {
			if p.Votes == nil {
				continue
			}
			w, _ := new(big.Rat).SetString(p.Weight)
			is := new(big.Rat).Mul(w, big.NewRat(p.Votes.For, p.Votes.For+p.Votes.Against))
			if is.FloatString(2) != p.For {
				t.Errorf("%s, %s: printed %s, the votes give %s", d.ID, p.Name, p.For, is.FloatString(4))
			}
		}
	}
	// 2023: two digits changed places; put right, the part is worth 50.
	i := slices.IndexFunc(all, func(d archive.Division) bool { return d.ID == "2023-longlist" })
	all[i].Parts[0].For = "21.91"
	slips, err := all[i].Slips()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range slips {
		if s.What == "constituency parties" || s.What == "for" && s.Is != "43.04" {
			t.Errorf("with 21.91: %+v", s)
		}
	}
}
