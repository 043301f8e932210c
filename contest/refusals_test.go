package contest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
)

// clause wants a refusal that names its clause and says words.
func (h *house) clause(err error, kind fault.Kind, clause, words string) {
	h.t.Helper()
	f := fault.Of(err)
	if f == nil || f.Kind != kind || f.Clause != clause || !strings.Contains(f.Message, words) {
		h.t.Fatalf("want a refusal (%s) by clause %s saying %q, got %v", kind, clause, words, err)
	}
}

// Every refusal in the nominations names the clause, and changes nothing.
func TestNominationsRefused(t *testing.T) {
	h := newHouse(t, "omov-2014", 20, 10)
	_, err := h.s.Call(h.ctx, proceeding.Begin{Procedure: "leadership", Office: "leader", By: as(h.members[0])})
	h.refuse(fault.NotEntitled, err)
	st := h.must(h.s.Call(h.ctx, proceeding.Begin{Procedure: "leadership", Office: "leader", By: as(h.officers[0])}))
	ref := st.Ref
	_, err = h.s.Call(h.ctx, proceeding.Begin{Procedure: "leadership", Office: "leader", By: as(h.officers[0])})
	h.clause(err, fault.Already, "3", "already under way")

	h.must(h.s.Do(h.ctx, ref, proceeding.Back{By: as(h.mps[0]), Candidate: h.mps[1]}))
	before := h.state(ref).Version
	back := func(by, candidate register.PersonID) error {
		_, err := h.s.Do(h.ctx, ref, proceeding.Back{By: as(by), Candidate: candidate})
		return err
	}
	h.clause(back(h.mps[0], h.mps[1]), fault.Already, "3.1", "already")
	h.clause(back(h.mps[0], h.mps[2]), fault.Already, "3.1", "already nominated")
	h.clause(back(h.members[0], h.mps[2]), fault.NotEntitled, "3.1", "members of the parliamentary party")
	h.clause(back(h.mps[2], h.members[0]), fault.NotEntitled, "3.1", "cannot stand")
	h.clause(back(h.mps[2], 0), fault.Invalid, "3.1", "whom")
	if v := h.state(ref).Version; v != before {
		t.Fatalf("refusals changed the state from %d to %d", before, v)
	}
	h.must(h.s.Do(h.ctx, ref, proceeding.Answer{By: as(h.mps[1]), Accept: false}))
	h.clause(back(h.mps[3], h.mps[1]), fault.NotEntitled, "3.1", "has declined")
	_, err = h.s.Do(h.ctx, ref, proceeding.Answer{By: as(h.mps[1]), Accept: true})
	h.clause(err, fault.Already, "3.1", "already answered")
	_, err = h.s.Do(h.ctx, ref, proceeding.Answer{By: as(h.mps[7]), Accept: true})
	h.clause(err, fault.NotEntitled, "3.1", "nobody has nominated you")
	_, err = h.s.Do(h.ctx, ref, proceeding.Close{By: as(h.officers[0])})
	h.refuse(fault.TooLate, err)

	// One candidate reaches the gate of 3 of 20; another falls one short.
	for i := 3; i < 6; i++ {
		h.must(h.s.Do(h.ctx, ref, proceeding.Back{By: as(h.mps[i]), Candidate: h.mps[4]}))
	}
	for i := 6; i < 8; i++ {
		h.must(h.s.Do(h.ctx, ref, proceeding.Back{By: as(h.mps[i]), Candidate: h.mps[6]}))
	}
	h.pass(h.state(ref).Due())
	h.clause(back(h.mps[9], h.mps[6]), fault.TooLate, "3.1", "closed")
	st = h.state(ref)
	gate := st.StageNamed("nominations").Gather.Result
	met, short := 0, 0
	for _, g := range gate {
		if g.Met {
			met++
			if got := g.Gates[0].String(); got != "3 of 20 entitled parliamentary_party, needs 3" {
				t.Errorf("the gate says %q", got)
			}
		} else {
			short++
			if g.Name != "" || g.For != 0 {
				t.Error("the record names somebody who fell short")
			}
		}
	}
	if met != 1 || short != 1 {
		t.Fatalf("%d through and %d short", met, short)
	}
	// One candidate is left: elected without a ballot, and declared as such.
	for range 3 {
		if st = h.state(ref); !st.Live() {
			break
		}
		h.pass(st.Due())
	}
	if st.Phase != proceeding.Ended || len(st.Elected) != 1 || st.Elected[0].ID != h.mps[4] || len(st.Ballots) != 0 {
		t.Fatalf("%s %s %v", st.Phase, st.Outcome, st.Elected)
	}
	h.replayed()
}

// A candidate withdraws before the ballot opens, and only one is left.
func TestWithdrawalLeavesOne(t *testing.T) {
	h := newHouse(t, "omov-2014", 20, 10)
	st := h.must(h.s.Call(h.ctx, proceeding.Begin{Procedure: "leadership", Office: "leader", By: as(h.officers[0])}))
	for i := range 6 {
		h.must(h.s.Do(h.ctx, st.Ref, proceeding.Back{By: as(h.mps[i]), Candidate: h.mps[i/3]}))
	}
	for h.state(st.Ref).Now().Name != "ballot" {
		h.pass(h.state(st.Ref).Due())
	}
	st = h.must(h.s.Do(h.ctx, st.Ref, proceeding.Withdraw{By: as(h.mps[0])}))
	if st.Phase != proceeding.Ended || len(st.Elected) != 1 || st.Elected[0].ID != h.mps[1] {
		t.Fatalf("%s %v", st.Phase, st.Elected)
	}
	h.replayed()
}

// The challenge: 20% of MPs, a part of one counting as one; the holder is on
// the ballot without nominations.
func TestChallenge(t *testing.T) {
	h := newHouse(t, "omov-2014", 23, 10) // 20% is 4.6: five
	if err := h.reg.Appoint(h.ctx, appoint("leader", h.mps[0])); err != nil {
		t.Fatal(err)
	}
	_, err := h.s.Call(h.ctx, proceeding.Begin{Procedure: "leadership", Office: "leader", Cause: "vacancy", By: as(h.officers[0])})
	h.clause(err, fault.TooEarly, "3", "not vacant")
	_, err = h.s.Call(h.ctx, proceeding.Begin{Procedure: "leadership", Office: "leader", Cause: "challenge", Backers: h.mps[1:5]})
	h.clause(err, fault.NotEntitled, "3.2", "4 of 23 entitled parliamentary_party, needs 5")
	st := h.must(h.s.Call(h.ctx, proceeding.Begin{Procedure: "leadership", Office: "leader", Cause: "challenge", Backers: h.mps[1:5], Collect: true}))
	if st.Phase != proceeding.Collecting {
		t.Fatalf("phase %s", st.Phase)
	}
	st = h.must(h.s.Do(h.ctx, st.Ref, proceeding.Back{By: as(h.mps[5])}))
	if st.Phase != proceeding.Running || len(st.Candidates) != 1 || !st.Candidates[0].Automatic || st.Candidates[0].ID != h.mps[0] {
		t.Fatalf("%s %+v", st.Phase, st.Candidates)
	}
	// A challenge that is not backed in time lapses.
	h2 := newHouse(t, "omov-2014", 23, 10)
	if err := h2.reg.Appoint(h2.ctx, appoint("leader", h2.mps[0])); err != nil {
		t.Fatal(err)
	}
	st = h2.must(h2.s.Call(h2.ctx, proceeding.Begin{Procedure: "leadership", Office: "leader", Cause: "challenge", Backers: h2.mps[1:3], Collect: true}))
	h2.pass(st.Due())
	if st = h2.state(st.Ref); st.Phase != proceeding.Lapsed {
		t.Fatalf("phase %s", st.Phase)
	}
	h2.replayed()
}

// The roll says of everybody which condition stops them, and the member's
// page says on which fact and what to do.
func TestStandings(t *testing.T) {
	h := newHouse(t, "omov-2014", 20, 30)
	terms := map[string]register.Term{}
	if err := h.ch.Read(h.ctx, func(w *chamber.World) error { terms = w.Terms(); return nil }); err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	change := func(p register.PersonID, c register.Change) {
		if err := h.reg.Change(h.ctx, p, []register.Change{c}); err != nil {
			t.Fatal(err)
		}
	}
	change(h.members[0], register.Change{Aspect: register.Fact, Name: terms["on_electoral_register"], Value: 0, From: now})
	change(h.members[1], register.Change{Aspect: register.Fact, Name: terms["paid_to"], Value: time.Now().AddDate(-1, 0, 0).Unix() / 86400, From: now})
	change(h.members[2], register.Change{Aspect: register.Belongs, Name: terms["member"], Unit: h.seats[22%20], From: now - 86400*3650, Until: now, End: true})
	ref := h.voting()
	b := h.state(ref).OpenBallot()
	stopped := map[string]int64{}
	for _, r := range b.Roll.Sections[0].Stopped {
		stopped[r.ID] = r.People
	}
	// So few are stopped that the public is not told by what.
	if len(stopped) != 1 || b.Roll.Sections[0].Entitled+stopped["other"] != 52 || stopped["other"] < 2 {
		t.Errorf("stopped %v, entitled %d of 52", stopped, b.Roll.Sections[0].Entitled)
	}
	list, err := h.s.Standings(h.ctx, ref, h.members[0])
	if err != nil || len(list) != 1 || list[0].Entitled || !list[0].Frozen {
		t.Fatalf("%+v %v", list, err)
	}
	found := false
	for _, c := range list[0].Conditions {
		if c.First {
			found = c.ID == "electoral_register" && c.Clause == "3.5" && c.Remedy != "" && c.KeptBy == "general_secretary" && c.Text != ""
		}
	}
	if !found {
		t.Errorf("the reason is not whole: %+v", list[0].Conditions)
	}
	err = h.cast(ref, h.members[0], 0)
	h.clause(err, fault.NotEntitled, "3.5", "On the electoral register"[3:])
	h.clause(h.cast(ref, h.members[1], 0), fault.NotEntitled, "3.5", "arrears")
	_, err = h.s.Cast(h.ctx, contest.Vote{Ref: ref, Person: 9999, Code: contest.NewCode(), Paper: contest.Paper{Ranks: []int{0}, Choice: -1}})
	h.refuse(fault.NotEntitled, err)
	h.end(ref)
	h.refuse(fault.TooLate, h.cast(ref, h.members[5], 0))
}
