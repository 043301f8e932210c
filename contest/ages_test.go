package contest_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/omov/omov/archive"
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/count"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
)

// The five ages of the rules, each run from the call to a filled office
// through the same use cases, over the votes of a published contest. 1976 and
// 1983 run at their full size, 2010, 2015 and 2020 at a scale that a test has
// time for; at full size all are counted in package archive.

// age is a house with a published contest to be held in it.
type age struct {
	*house
	c      *archive.Contest
	ref    string
	people map[string][]register.PersonID // by what they belong as
	stood  map[string]register.PersonID   // the published candidates
}

func newAge(t *testing.T, id string, mps int) *age {
	t.Helper()
	c, err := archive.Find(id)
	if err != nil {
		t.Fatal(err)
	}
	a := &age{house: newHouse(t, c.Rulebook, mps, 0), c: c, people: map[string][]register.PersonID{}, stood: map[string]register.PersonID{}}
	for i, name := range c.Candidates {
		a.stood[name] = a.mps[i]
	}
	return a
}

// belong enters n people who belong as classes, the i-th in the units that
// in(i) gives (0: none); none of them is in arrears.
func (a *age) belong(as string, n int, in func(i int) []register.UnitID) []register.PersonID {
	a.t.Helper()
	var terms map[string]register.Term
	if err := a.ch.Read(a.ctx, func(w *chamber.World) error { terms = w.Terms(); return nil }); err != nil {
		a.t.Fatal(err)
	}
	from := a.clock.Now().AddDate(-5, 0, 0).Unix()
	var list []registry.NewPerson
	for i := range n {
		p := registry.NewPerson{Sealed: &chamber.Sealed{Particulars: chamber.Particulars{Name: fmt.Sprintf("%s %d", as, len(a.people[as])+i)}, External: fmt.Sprintf("%s-%d", as, len(a.people[as])+i)}}
		for _, u := range in(i) {
			p.Changes = append(p.Changes, register.Change{Aspect: register.Belongs, Name: terms[as], Unit: u, From: from})
		}
		for fact, v := range map[string]int64{"on_electoral_register": 1, "paid_to": a.clock.Now().AddDate(1, 0, 0).Unix() / 86400, "arrears": 0} {
			if t, ok := terms[fact]; ok {
				p.Changes = append(p.Changes, register.Change{Aspect: register.Fact, Name: t, Value: v, From: from})
			}
		}
		list = append(list, p)
	}
	ids, err := a.reg.Enter(a.ctx, list, "", nil)
	if err != nil {
		a.t.Fatal(err)
	}
	a.people[as] = append(a.people[as], ids...)
	return ids
}

// seated spreads people over the constituencies.
func (a *age) seated(i int) []register.UnitID {
	return []register.UnitID{a.seats[i%len(a.seats)]}
}

func nowhere(int) []register.UnitID { return []register.UnitID{0} }

// affiliates opens affiliates with so many levy payers each; the first two
// are unions. Member of parliament i speaks for affiliate i.
func (a *age) affiliates(levy ...int64) []register.UnitID {
	a.t.Helper()
	var specs []registry.UnitSpec
	for i, n := range levy {
		union := int64(0)
		if i < 2 {
			union = 1
		}
		specs = append(specs, registry.UnitSpec{Kind: "affiliate", Name: fmt.Sprintf("Affiliate %d", i+1), Facts: map[string]int64{"union": union, "levy_members": n}})
	}
	units, err := a.reg.OpenUnits(a.ctx, specs)
	if err != nil {
		a.t.Fatal(err)
	}
	a.speaks("affiliate_secretary", units)
	return units
}

// speaks makes member of parliament i the secretary of unit i.
func (a *age) speaks(office string, units []register.UnitID) {
	a.t.Helper()
	var list []registry.Appointment
	for i, u := range units {
		list = append(list, registry.Appointment{Office: office, Unit: u, Person: a.mps[i]})
	}
	if err := a.reg.Appoint(a.ctx, list); err != nil {
		a.t.Fatal(err)
	}
}

// call calls the contest; backers gives how many members of parliament
// nominate each of the published candidates, and after them others.
func (a *age) call(backers ...int) {
	a.t.Helper()
	a.ref = a.must(a.s.Call(a.ctx, proceeding.Begin{Procedure: "leadership", Office: "leader", By: as(a.officers[0])})).Ref
	by := 0
	for i, n := range backers {
		for range n {
			a.must(a.s.Do(a.ctx, a.ref, proceeding.Back{By: as(a.mps[by]), Candidate: a.mps[i]}))
			by++
		}
	}
}

// toStage lets time pass until a stage is open.
func (a *age) toStage(name string) *proceeding.State {
	a.t.Helper()
	for range 8 {
		st := a.state(a.ref)
		if now := st.Now(); now != nil && now.Name == name && now.Status == proceeding.Open {
			return st
		}
		if !st.Live() || st.Due() == 0 {
			a.t.Fatalf("%s never opens: %s %s", name, st.Phase, st.Outcome)
		}
		a.pass(st.Due())
	}
	a.t.Fatalf("%s never opens", name)
	return nil
}

// toBallot lets time pass until papers are taken, and wants these on them.
func (a *age) toBallot(candidates ...string) *proceeding.Ballot {
	a.t.Helper()
	for range 8 {
		st := a.state(a.ref)
		if b := st.OpenBallot(); b != nil {
			if len(b.Options) != len(candidates) {
				a.t.Fatalf("want %v on the paper, got %v", candidates, b.Options)
			}
			for _, name := range candidates {
				a.option(b, name)
			}
			return b
		}
		if !st.Live() || st.Due() == 0 {
			a.t.Fatalf("no ballot: %s %s", st.Phase, st.Outcome)
		}
		a.pass(st.Due())
	}
	a.t.Fatal("no ballot opens")
	return nil
}

// option is the number that a published candidate has on a paper.
func (a *age) option(b *proceeding.Ballot, name string) int {
	a.t.Helper()
	i := slices.IndexFunc(b.Options, func(p proceeding.Person) bool { return p.ID == a.stood[name] })
	if i < 0 {
		a.t.Fatalf("%s is not on the paper: %v", name, b.Options)
	}
	return i
}

// paper is a voter's paper with these candidates, by number in the archive.
func (a *age) paper(b *proceeding.Ballot, marks ...int) contest.Paper {
	p := contest.Paper{Choice: -1}
	for _, m := range marks {
		p.Ranks = append(p.Ranks, a.option(b, a.c.Candidates[m]))
	}
	return p
}

// poll hands in votes, many at a time as voters do; votes by name one after
// another, as secretaries do.
func (a *age) poll(votes []contest.Vote, callers int) {
	a.t.Helper()
	work := make(chan contest.Vote)
	var wg sync.WaitGroup
	for range callers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for v := range work {
				v.Ref, v.Code = a.ref, contest.NewCode()
				if _, err := a.s.Cast(a.ctx, v); err != nil {
					a.t.Errorf("%s: %v", v.Section, err)
				}
			}
		}()
	}
	for _, v := range votes {
		work <- v
	}
	close(work)
	wg.Wait()
	if a.t.Failed() {
		a.t.FailNow()
	}
}

// counted closes the ballot by two officers and gives the state after the
// count, and its sheet.
func (a *age) counted(second string) (*proceeding.State, *count.Sheet) {
	a.t.Helper()
	b := a.state(a.ref).OpenBallot()
	for i, office := range []string{"general_secretary", second} {
		a.must(a.s.CommitLot(a.ctx, a.ref, as(a.officers[i]), office))
	}
	a.pass(b.Closes)
	a.must(a.s.Close(a.ctx, a.ref, as(a.officers[0])))
	st := a.must(a.s.Close(a.ctx, a.ref, as(a.officers[1])))
	sheet := &count.Sheet{}
	if err := json.Unmarshal([]byte(st.Ballots[len(st.Ballots)-1].Sheet), sheet); err != nil {
		a.t.Fatal(err)
	}
	return st, sheet
}

// filled wants the published winner in the office, and the whole book to
// replay to the same digest.
func (a *age) filled() {
	a.t.Helper()
	st := a.state(a.ref)
	if st.Phase != proceeding.Ended || len(st.Elected) != 1 || st.Elected[0].ID != a.stood[a.c.Winner] {
		a.t.Fatalf("want %s elected (%d), got %s %v", a.c.Winner, a.stood[a.c.Winner], st.Phase, st.Elected)
	}
	if err := a.ch.Read(a.ctx, func(w *chamber.World) error {
		held := w.Roster().Holders("leader", 0, w.Tree(), w.At().Unix(), w.Seq())
		if len(held) != 1 || held[0].Person != a.stood[a.c.Winner] {
			a.t.Errorf("the leader's office: %v", held)
		}
		return nil
	}); err != nil {
		a.t.Fatal(err)
	}
	a.replayed()
}

// nameOf is what the candidates are called on the sheet.
func (a *age) nameOf(b *proceeding.Ballot, published string) string {
	return b.Options[a.option(b, published)].Name
}

// shares compares totals with the published ones, exactly or within so many
// hundredths of a point.
func (a *age) shares(b *proceeding.Ballot, sheet *count.Sheet, within int64) {
	a.t.Helper()
	r, err := a.c.Count()
	if err != nil {
		a.t.Fatal(err)
	}
	if len(sheet.Stages) != len(r.Sheet.Stages) {
		a.t.Fatalf("%d rounds, published %d", len(sheet.Stages), len(r.Sheet.Stages))
	}
	for i := range sheet.Stages {
		for _, cell := range r.Sheet.Stages[i].Votes {
			want := share(r.Sheet.Stages[i].Votes, cell.Name)
			got := share(sheet.Stages[i].Votes, a.nameOf(b, cell.Name))
			if d := new(big.Rat).Sub(got, want); d.Abs(d).Cmp(big.NewRat(within, 10_000)) > 0 {
				a.t.Errorf("round %d, %s: %s, published votes give %s", i+1, cell.Name, got.FloatString(5), want.FloatString(5))
			}
		}
	}
}

func share(t count.Tally, name string) *big.Rat {
	whole := new(big.Rat)
	for _, c := range t {
		whole.Add(whole, c.Votes.Rat())
	}
	return whole.Quo(t.Of(name).Rat(), whole)
}

// Members of parliament alone, 1976: an exhaustive ballot of three rounds
// with two withdrawals after the first, at full size.
func TestAgeOfMembersOfParliament(t *testing.T) {
	t.Parallel()
	a := newAge(t, "1976-leader", 317)
	a.call(1, 1, 1, 1, 1, 1) // clause 3.1: no backing is needed; each names one
	var last *count.Sheet
	for i, round := range a.c.Rounds {
		votes := round.Votes["plp"]
		var stand []string
		for _, name := range a.c.Candidates {
			if votes[name] > 0 {
				stand = append(stand, name)
			}
		}
		b := a.toBallot(stand...)
		var list []contest.Vote
		for k, name := range a.c.Candidates {
			for range votes[name] {
				list = append(list, contest.Vote{Person: a.mps[len(list)], Paper: a.paper(b, k)})
			}
		}
		a.poll(list, 16)
		a.refuse(fault.TooLate, a.withdraw("James Callaghan"))
		st, sheet := a.counted("scrutineer")
		for _, name := range stand {
			if got := sheet.Stages[i].Votes.Of(a.nameOf(b, name)); got != count.Amount(fmt.Sprint(votes[name])) {
				t.Errorf("round %d: %s has %s, published %d", i+1, name, got, votes[name])
			}
		}
		for name, how := range round.Leaves {
			if how == archive.Withdrew {
				if err := a.withdraw(name); err != nil {
					t.Fatal(err)
				}
			} else if c := st.Candidate(a.stood[name]); c.Status != proceeding.Excluded {
				t.Errorf("round %d: %s is %s", i+1, name, c.Status)
			}
		}
		last = sheet
	}
	if len(last.Stages) != 3 {
		t.Errorf("the last sheet holds %d rounds", len(last.Stages))
	}
	a.filled()
}

func (a *age) withdraw(name string) error {
	_, err := a.s.Do(a.ctx, a.ref, proceeding.Withdraw{By: as(a.stood[name])})
	return err
}

// The electoral college, 1983: affiliates and constituency parties vote by
// name through their secretaries, with their card values, members of
// parliament with one vote each; at full size.
func TestAgeOfTheCollege(t *testing.T) {
	t.Parallel()
	a := newAge(t, "1983-leader", 203)
	votes := a.c.Rounds[0].Votes
	blocks := []int64{2389, 2000, 1644, 7, 5} // in thousands; two unions are for the first
	units := a.affiliates(blocks...)
	backs := []int{0, 0, 1, 2, 3}
	clp := a.constituencies(votes["clp"])
	a.call(11, 11, 11, 11) // a twentieth of 203 is 10.15, so 11
	b := a.toBallot(a.c.Candidates...)
	list := make([]contest.Vote, 0, 240)
	for i, u := range units {
		list = append(list, contest.Vote{Person: a.mps[i], Unit: u, Section: "affiliates", Paper: a.paper(b, backs[i])})
	}
	for i, k := range clp {
		list = append(list, contest.Vote{Person: a.mps[i], Unit: a.seats[i], Section: "constituencies", Paper: a.paper(b, k)})
	}
	for k, name := range a.c.Candidates {
		for range votes["plp"][name] {
			list = append(list, contest.Vote{Person: a.mps[len(list)-len(units)-len(clp)], Section: "parliamentary party", Paper: a.paper(b, k)})
		}
	}
	_, err := a.s.Cast(a.ctx, contest.Vote{Ref: a.ref, Person: a.mps[1], Unit: units[0], Section: "affiliates", Paper: a.paper(b, 0), Code: contest.NewCode()})
	a.refuse(fault.NotEntitled, err) // only its secretary votes for an affiliate
	a.poll(list, 1)
	_, sheet := a.counted("scrutineer")
	a.shares(b, sheet, 0)
	for _, s := range sheet.Stages[0].Sections {
		own := map[string]string{"affiliates": "affiliates", "constituencies": "clp", "parliamentary party": "plp"}[s.Name]
		for name, n := range votes[own] {
			if got := s.Votes.Of(a.nameOf(b, name)); got != count.Amount(fmt.Sprint(n)) {
				t.Errorf("%s: %s has %s, published %d", s.Name, name, got, n)
			}
		}
	}
	a.filled()
}

// The college votes again where nobody has more than half: the last drops out,
// another withdraws before the second ballot, and each section has its weight
// in what is cast there anew.
func TestTheCollegeVotesAgain(t *testing.T) {
	t.Parallel()
	a := newAge(t, "1983-leader", 20)
	units := a.affiliates(900, 800, 400, 10)
	a.speaks("constituency_secretary", a.seats)
	a.call(5, 5, 5, 5)
	stand := slices.Clone(a.c.Candidates)
	for round, backs := range [][]int{{0, 1, 2, 3}, {0, 1, 1, 0}} {
		b := a.toBallot(stand...)
		if b.Round != round+1 {
			t.Fatalf("ballot %d is called round %d", round+1, b.Round)
		}
		var list []contest.Vote
		for i, k := range backs {
			list = append(list,
				contest.Vote{Person: a.mps[i], Unit: units[i], Section: "affiliates", Paper: a.paper(b, k)},
				contest.Vote{Person: a.mps[i+2], Unit: a.seats[i+2], Section: "constituencies", Paper: a.paper(b, k)})
		}
		for i, p := range a.mps[:10] {
			list = append(list, contest.Vote{Person: p, Section: "parliamentary party", Paper: a.paper(b, backs[i%2])})
		}
		a.poll(list, 1)
		st, sheet := a.counted("scrutineer")
		if round == 1 {
			// affiliates 910:1200, constituencies 2:2, members of parliament 5:5
			want := new(big.Rat).Add(big.NewRat(40*910, 2110), big.NewRat(30, 1))
			if got := sheet.Stages[1].Votes.Of(a.nameOf(b, "Neil Kinnock")).Rat(); got.Cmp(want) != 0 || len(sheet.Stages) != 2 {
				t.Errorf("%s of 100 at the second ballot, want %s", got, want)
			}
			if st.Phase != proceeding.Ended || len(st.Elected) != 1 || st.Elected[0].ID != a.stood["Roy Hattersley"] {
				t.Errorf("%s, elected %v", st.Phase, st.Elected)
			}
			break
		}
		if c := st.Candidate(a.stood["Peter Shore"]); c.Status != proceeding.Excluded {
			t.Errorf("the last is %s", c.Status)
		}
		if err := a.withdraw("Eric Heffer"); err != nil {
			t.Fatal(err)
		}
		stand = stand[:2]
	}
	a.replayed()
}

// constituencies gives some constituency parties so many members that the card
// values of those that vote add up to each candidate's votes, and says for
// whom each votes. Each has its member of parliament as a member already, and
// the first two an officer.
func (a *age) constituencies(votes map[string]int64) (backs []int) {
	a.t.Helper()
	const each = 50 // members, where a candidate has so many left
	var where []register.UnitID
	for k, name := range a.c.Candidates {
		for n := votes[name]; n > 0; n -= each {
			i := len(backs)
			there := int64(1)
			if i < 2 {
				there++
			}
			for range min(n, each) - there {
				where = append(where, a.seats[i])
			}
			backs = append(backs, k)
		}
	}
	a.belong("member", len(where), func(i int) []register.UnitID { return where[i : i+1] })
	a.speaks("constituency_secretary", a.seats)
	return backs
}

// Three equal sections, 2010: members of parliament at full size, members and
// levy payers at 1 in 500. Members of parliament vote among the members as
// well, and who pays through two unions has two votes.
func TestAgeOfThirds(t *testing.T) {
	t.Parallel()
	const scale, meps, double = 500, 8, 20
	a := newAge(t, "2010-leader", 258)
	unions := a.affiliates(1000, 500, 20)
	europe := a.belong("member", meps, a.seated)
	var appoint []registry.Appointment
	for _, p := range europe {
		appoint = append(appoint, registry.Appointment{Office: "mep", Person: p})
	}
	if err := a.reg.Appoint(a.ctx, appoint); err != nil {
		t.Fatal(err)
	}
	parliament := append(slices.Clone(a.mps), europe...)
	members := append(slices.Clone(parliament[:100]), a.belong("member", 300, a.seated)...)
	levy := a.belong("levy_payer", 500, func(i int) []register.UnitID {
		if i < double {
			return unions[:2]
		}
		return unions[i%3 : i%3+1]
	})
	a.call(33, 33, 33, 33, 33) // an eighth of 258 is 32.25, so 33
	b := a.toBallot(a.c.Candidates...)
	papers, err := a.c.Papers()
	if err != nil {
		t.Fatal(err)
	}
	var list []contest.Vote
	for _, s := range papers {
		voters, section, per := parliament, "parliamentarians", int64(1)
		switch s.Section {
		case "members":
			voters, section, per = members, "members", scale
		case "affiliates":
			voters, section, per = levy, "affiliates", scale
		}
		next := 0
		for _, p := range s.Papers {
			for n := (p.N + per/2) / per; n > 0; n-- {
				if section == "affiliates" && next < double {
					n-- // this voter's paper bears two votes
				}
				list = append(list, contest.Vote{Person: voters[next], Section: section, Declared: true, Paper: a.paper(b, p.Marks...)})
				next++
			}
		}
	}
	a.poll(list, 32)
	st, sheet := a.counted("scrutineer")
	a.shares(b, sheet, 60)
	for i, s := range sheet.Stages[0].Sections {
		votes, papers := s.InPlay.Rat(), st.Ballots[0].Returned[i].Papers
		if s.Name == "affiliates" {
			papers += double
		}
		if votes.Cmp(big.NewRat(papers, 1)) != 0 || s.Weight != "1/3" {
			t.Errorf("%s: %s votes on papers for %d, weight %s", s.Name, s.InPlay, papers, s.Weight)
		}
	}
	a.filled()
}

// One pool, 2015: members, registered and affiliated supporters at 1 in 1,000.
func TestAgeOfOnePool(t *testing.T) {
	t.Parallel()
	a := newAge(t, "2015-leader", 40)
	a.belong("member", 260, a.seated)
	a.belong("registered", 120, nowhere)
	a.belong("affiliated", 80, nowhere)
	a.call(6, 6, 6, 6) // 15% of 40
	b := a.toBallot(a.c.Candidates...)
	list := a.scaled(b, 1000)
	list[0].Paper.Value = "1000" // what a vote is worth is not the voter's to say
	a.poll(list, 32)
	_, sheet := a.counted("scrutineer")
	a.shares(b, sheet, 50)
	a.filled()
}

// scaled gives the votes of a pool at 1 in so many, each class by its own
// people.
func (a *age) scaled(b *proceeding.Ballot, per int64) []contest.Vote {
	a.t.Helper()
	var list []contest.Vote
	for _, s := range a.c.Sections {
		voters := a.people[map[string]string{"members": "member", "registered": "registered", "affiliated": "affiliated"}[s.Name]]
		next := 0
		for k, name := range a.c.Candidates {
			for range (a.c.Rounds[0].Votes[s.Name][name] + per/2) / per {
				list = append(list, contest.Vote{Person: voters[next], Paper: a.paper(b, k)})
				next++
			}
		}
	}
	return list
}

// The double gate, 2020, at 1 in 100: 22 of 212 members of parliament are
// enough and 21 are not; then constituency parties, or three affiliates of
// which two are unions, one candidate going each way and one falling short.
func TestAgeOfTheDoubleGate(t *testing.T) {
	t.Parallel()
	a := newAge(t, "2020-leader", 212)
	if err := a.reg.Appoint(a.ctx, []registry.Appointment{{Office: "deputy_secretary", Person: a.officers[1]}}); err != nil {
		t.Fatal(err)
	}
	unions := a.affiliates(50_000, 40_000, 2_000, 900_000)
	a.speaks("constituency_secretary", a.seats)
	a.belong("member", 5528-212-2, a.seated)
	a.belong("registered", 136, nowhere)
	a.belong("affiliated", 2177, nowhere)
	a.call(30, 23, 23, 22, 21) // the fourth has just enough, the fifth has not
	st := a.toStage("second_gate")
	if f, g := st.Candidate(a.mps[3]), st.Candidate(a.mps[4]); f.Status == proceeding.Fell || g.Status != proceeding.Fell {
		t.Fatalf("22 of 212: %s, 21 of 212: %s", f.Status, g.Status)
	}
	_, err := a.s.Do(a.ctx, a.ref, proceeding.Back{By: as(a.mps[0]), Unit: unions[0], Candidate: a.mps[4]})
	a.refuse(fault.NotEntitled, err)
	by := 0
	for k, n := range []int{11, 0, 11, 10} { // 5% of 212 is 10.6, so 11
		for range n {
			a.must(a.s.Do(a.ctx, a.ref, proceeding.Back{By: as(a.mps[by]), Unit: a.seats[by], Candidate: a.mps[k], Yes: 12, No: 5}))
			by++
		}
	}
	for i := range 3 { // 92,000 of 992,000 levy payers are more than 5%
		a.must(a.s.Do(a.ctx, a.ref, proceeding.Back{By: as(a.mps[i]), Unit: unions[i], Candidate: a.mps[1]}))
	}
	b := a.toBallot(a.c.Candidates...)
	if c := a.state(a.ref).Candidate(a.mps[3]); c.Status != proceeding.Fell {
		t.Errorf("10 constituency parties of 212: %s", c.Status)
	}
	began := time.Now()
	list := a.scaled(b, 100)
	a.poll(list, 64)
	t.Logf("%d papers in %s", len(list), time.Since(began).Round(time.Millisecond))
	st, sheet := a.counted("deputy_secretary")
	a.shares(b, sheet, 5)
	if r, s := st.Ballots[0].Returned[0], st.Ballots[0].Roll.Sections[0]; r.Papers != int64(len(list)) || s.Entitled != 5528+136+2177 {
		t.Errorf("%d of %d returned", r.Papers, s.Entitled)
	} else if got := big.NewRat(100*r.Papers, s.Entitled).FloatString(1); got != "62.6" {
		t.Errorf("turnout %s%%", got)
	}
	a.filled()
}
