package contest_test

import (
	"testing"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/store"
)

// A case that a board decides by a secret ballot.
const caseBook = `
rulebook: Rules of a society with a board
edition: 2026-01-01
zone: Europe/London
classes: {member: Members}
offices:
  secretary: {says: the secretary}
  board_member: {seats: 5, from: member, says: Sits on the board.}
bodies:
  board: {when: person.holds(board_member), decides: {how: box, quorum: {count: papers, at_least: 3}, passes: {more_than: 1/2, of: cast}}}
sanctions: {suspension: {removes: [vote], says: Is suspended}}
precedence: [rulebook]
powers: [{who: secretary, may: close}]
procedures:
  conduct:
    takes: {subject: person, allegation: words}
    begins: [{as: complaint, by: secretary}]
    stages:
      - stage: hearing
        decide: board
        window: 3 days
        then:
          carried: {impose: suspension, whom: subject, until: hearing.closed + 6 months}
          lost: {nothing: No case.}
          silence: {nothing: Nobody decided.}
  amendment:
    takes: {text: rulebook}
    begins: [{as: moved, by: secretary}]
    stages:
      - {stage: vote, ballot: member, how: counted, passes: {more_than: 1/2, of: cast}, window: 1 day, then: {carried: {adopt: rulebook}, lost: {nothing: They stay.}}}
`

func caseHouse(t *testing.T) (*house, string) {
	h := smallHouse(t, caseBook, 8)
	var posts []registry.Appointment
	for _, p := range h.members[:5] {
		posts = append(posts, registry.Appointment{Office: "board_member", Person: p})
	}
	if err := h.reg.Appoint(h.ctx, posts); err != nil {
		t.Fatal(err)
	}
	st := h.must(h.s.Call(h.ctx, proceeding.Begin{Procedure: "conduct", By: as(h.officers[0]), Takes: map[string]proceeding.Held{
		"subject": {Type: "person", Text: "7"}, "allegation": {Type: "words", Text: "Fed the cats"}}}))
	if st.OpenBallot() == nil || st.OpenBallot().How != "box" {
		t.Fatalf("no secret ballot of the board: %+v", st.Now())
	}
	return h, st.Ref
}

// The board votes in secret within a case: the papers are counted, the sanction
// is in the register, and no entry of it is for anybody but the parties.
func TestSecretVoteWithinACase(t *testing.T) {
	h, ref := caseHouse(t)
	for i, choice := range []int{0, 0, 0, 1} {
		if _, err := h.s.Cast(h.ctx, contest.Vote{Ref: ref, Person: h.members[i], Paper: contest.Paper{Choice: choice}, Code: contest.NewCode()}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.s.Cast(h.ctx, contest.Vote{Ref: ref, Person: h.members[6], Paper: contest.Paper{Choice: 1}, Code: contest.NewCode()}); err == nil {
		t.Error("somebody who does not sit on the board votes")
	}
	st := h.closeSmall(ref)
	if st.Outcome != "carried" || st.Ballots[0].Figures["for"] != 3 {
		t.Fatalf("%s %v", st.Outcome, st.Ballots[0].Figures)
	}
	err := h.ch.Read(h.ctx, func(w *chamber.World) error {
		if !w.Record(7).Has(register.Sanction, w.Terms()["suspension"], w.At().Unix(), w.Seq()) {
			t.Error("the sanction is not in the register")
		}
		page, err := w.Tx().Page(store.Query{Proceeding: ref, Bodies: true, Limit: 100})
		for _, m := range page {
			if m.Access != minutes.Parties {
				t.Errorf("entry %d, %s, is for %s", m.Seq, m.Kind, m.Access)
			}
		}
		if len(page) < 5 {
			t.Errorf("%d entries of the case", len(page))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.replayed()
}

// Too few of the board vote: that is silence, and nothing is opened.
func TestTooFewWithinACase(t *testing.T) {
	h, ref := caseHouse(t)
	for i := range 2 {
		if _, err := h.s.Cast(h.ctx, contest.Vote{Ref: ref, Person: h.members[i], Paper: contest.Paper{Choice: 0}, Code: contest.NewCode()}); err != nil {
			t.Fatal(err)
		}
	}
	st := h.closeSmall(ref)
	if st.Phase != proceeding.Ended || !st.Ballots[0].Unopened || len(st.Sanctioned) > 0 {
		t.Fatalf("%s %s %+v", st.Phase, st.Outcome, st.Sanctioned)
	}
	if len(st.Done) != 1 || st.Done[0].Says != "Nobody decided." {
		t.Errorf("what followed: %+v", st.Done)
	}
	h.replayed()
}
