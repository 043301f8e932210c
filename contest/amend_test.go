package contest_test

import (
	"testing"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
)

// The rulebook is amended by the procedure that it lays down itself: the
// change becomes the version in force when the vote carries, a contest under
// way keeps its version, and a change with errors cannot be put.
func TestAmendment(t *testing.T) {
	h := newHouse(t, "mps-only-1976", 12, 2)
	running := h.must(h.s.Call(h.ctx, proceeding.Begin{Procedure: "leadership", Office: "leader", Cause: "vacancy", By: as(h.officers[0])}))
	put := func(text string) (*proceeding.State, error) {
		return h.s.Call(h.ctx, proceeding.Begin{Procedure: "rule_change", Backers: h.mps[:2], Takes: map[string]proceeding.Held{"text": {Type: "words", Text: text}}})
	}
	_, err := put("leadership.nominations.window: 3 bananas")
	h.refuse(fault.Invalid, err)
	_, err = put("")
	h.refuse(fault.Invalid, err)
	st := h.must(put("leadership.nominations.window: 10 days"))
	h.pass(st.Due())
	if b := h.state(st.Ref).OpenBallot(); b == nil || b.How != "recorded" {
		t.Fatalf("the vote is not open: %+v", h.state(st.Ref))
	}
	for i, p := range h.mps {
		choice := 0
		if i > 7 {
			choice = 1
		}
		if _, err := h.s.Cast(h.ctx, contest.Vote{Ref: st.Ref, Person: p, Paper: contest.Paper{Choice: choice}, Code: contest.NewCode()}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = h.s.Cast(h.ctx, contest.Vote{Ref: st.Ref, Person: h.members[0], Paper: contest.Paper{}, Code: contest.NewCode()})
	h.refuse(fault.NotEntitled, err)
	st = h.end(st.Ref)
	if st.Outcome != "carried" || st.Ballots[0].Figures["for"] != 8 || st.Ballots[0].Figures["against"] != 4 {
		t.Fatalf("%s %v", st.Outcome, st.Ballots[0].Figures)
	}
	err = h.ch.Read(h.ctx, func(w *chamber.World) error {
		span := func(b *rulebook.Book) string {
			s, _ := b.Procedure("leadership").Stage("nominations")
			v, _ := s.Window.Literal()
			return v.Span.String()
		}
		if got := span(w.Book()); got != "10 days" {
			t.Errorf("the window in force is %s", got)
		}
		old, err := w.State(running.Ref)
		if err != nil {
			return err
		}
		pinned, err := h.ch.Book(w.Tx(), old.Book)
		if err != nil {
			return err
		}
		if got := span(pinned); got != "1 week" {
			t.Errorf("the running contest's window has become %s", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.replayed()
}
