package contest_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/rulebooks"
	"github.com/omov/omov/store"
)

// changed is a house whose rulebook is a shipped one with texts replaced:
// pairs of what is there and what comes in its place.
func changed(t *testing.T, book string, mps, members int, pairs ...string) *house {
	t.Helper()
	src, err := rulebooks.Read(book)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if !bytes.Contains(src, []byte(pairs[i])) {
			t.Fatalf("%s has no %q", book, pairs[i])
		}
		src = bytes.Replace(src, []byte(pairs[i]), []byte(pairs[i+1]), 1)
	}
	dir := t.TempDir()
	h := &house{t: t, ctx: t.Context(), dir: dir}
	o := chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: filepath.Join(dir, "box")}
	if h.ch, h.clock, err = chamber.OpenDemo(h.ctx, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.ch.Close() })
	h.s, h.reg = contest.New(h.ch), registry.New(h.ch)
	if _, err := h.ch.Found(h.ctx, chamber.FoundedBody{Name: "The Test Party", Demo: true}, src); err != nil {
		t.Fatal(err)
	}
	h.people(mps, members)
	return h
}

// Where votes can be changed, the code of one voter's paper does not let
// another replace it: that would be two votes for the one, none for the other.
func TestCodeOfAnotherPaper(t *testing.T) {
	h := changed(t, "omov-2014", 20, 5, "window: ballot_window", "window: ballot_window\n        revote: true")
	ref := h.voting()
	mine, yours := contest.NewCode(), contest.NewCode()
	vote := func(i int, code contest.Code, first int) (contest.Receipt, error) {
		return h.s.Cast(h.ctx, contest.Vote{Ref: ref, Person: h.members[i], Code: code, Paper: contest.Paper{Ranks: []int{first}, Choice: -1}})
	}
	if _, err := vote(0, mine, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := vote(1, yours, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := vote(1, mine, 1); !fault.Is(err, fault.Already) {
		t.Errorf("another voter's paper was replaced: %v", err)
	}
	if r, err := vote(0, mine, 2); err != nil || !r.Changed {
		t.Errorf("a vote cannot be changed with its own code: %v", err)
	}
}

// A form that leaves the section out does not give a second vote by name.
func TestRecordedTwiceBySection(t *testing.T) {
	h := changed(t, "mps-only-1976", 6, 0, "ballot: parliamentary_party", "ballot: named", "events:\n",
		"  named:\n    says: The party in parliament, by name.\n    cite: \"5\"\n    sections:\n      - {section: house, of: parliamentary_party, weight: 1, cite: \"5\"}\n\nevents:\n")
	st := h.must(h.s.Call(h.ctx, proceeding.Begin{Procedure: "rule_change", Backers: h.mps[:2],
		Takes: map[string]proceeding.Held{"text": {Type: "words", Text: "leadership.nominations.window: 10 days"}}}))
	h.pass(st.Due())
	vote := func(section string) error {
		_, err := h.s.Cast(h.ctx, contest.Vote{Ref: st.Ref, Person: h.mps[0], Section: section, Code: contest.NewCode()})
		return err
	}
	if err := vote(""); err != nil {
		t.Fatal(err)
	}
	h.refuse(fault.Already, vote("house"))
	if st = h.end(st.Ref); st.Ballots[0].Returned[0].Papers != 1 || st.Ballots[0].Figures["for"] != 1 {
		t.Errorf("%+v %v", st.Ballots[0].Returned, st.Ballots[0].Figures)
	}
}

// The refusals of nominations do not read out the register, nor who has
// declined, to somebody who cannot nominate.
func TestNominationsDoNotReadOutTheRegister(t *testing.T) {
	h := newHouse(t, "omov-2014", 20, 5)
	st := h.must(h.s.Call(h.ctx, proceeding.Begin{Procedure: "leadership", Office: "leader", By: as(h.officers[0])}))
	h.must(h.s.Do(h.ctx, st.Ref, proceeding.Back{By: as(h.mps[0]), Candidate: h.mps[1]}))
	h.must(h.s.Do(h.ctx, st.Ref, proceeding.Answer{By: as(h.mps[1])}))
	_, err := h.s.Do(h.ctx, st.Ref, proceeding.Back{By: as(h.mps[2]), Candidate: h.members[3]})
	h.refuse(fault.NotEntitled, err)
	if strings.Contains(err.Error(), "Member 3") {
		t.Errorf("a member is named: %v", err)
	}
	_, err = h.s.Do(h.ctx, st.Ref, proceeding.Back{By: as(h.members[0]), Candidate: h.mps[1]})
	h.refuse(fault.NotEntitled, err)
	if strings.Contains(err.Error(), "declined") {
		t.Errorf("who declined is told to who cannot nominate: %v", err)
	}
}

// Nobody is told that voting has ended when it has been extended.
func TestVoteAfterExtension(t *testing.T) {
	h := newHouse(t, "omov-2014", 20, 5)
	ref := h.voting()
	if err := h.cast(ref, h.members[0], 0); err != nil {
		t.Fatal(err)
	}
	closes := h.state(ref).OpenBallot().Closes
	h.must(h.s.Do(h.ctx, ref, proceeding.Order{By: proceeding.Actor{System: true}, Order: "extend", Until: closes + 86_400_000}))
	h.pass(closes)
	if err := h.cast(ref, h.members[1], 0); err != nil {
		t.Errorf("the first vote after the old deadline: %v", err)
	}
}

// While an order holds a contest up, nobody ends it by withdrawing or closing.
func TestNothingWhileStayed(t *testing.T) {
	h := newHouse(t, "omov-2014", 20, 5)
	ref := h.dueBallot()
	h.must(h.ch.Do(h.ctx, ref, proceeding.Order{By: proceeding.Actor{System: true}, Order: "stay"}))
	_, err := h.s.Do(h.ctx, ref, proceeding.Withdraw{By: as(h.mps[0])})
	h.refuse(fault.TooLate, err)

	h = newHouse(t, "omov-2014", 20, 5)
	ref = h.voting()
	closes := h.state(ref).OpenBallot().Closes
	h.must(h.s.Do(h.ctx, ref, proceeding.Order{By: proceeding.Actor{System: true}, Order: "stay"}))
	h.pass(closes)
	for _, p := range h.officers {
		_, err := h.s.Close(h.ctx, ref, as(p))
		h.refuse(fault.TooLate, err)
	}
}

// Where two offices extend together, neither does alone, nor does one asking
// twice, nor somebody who holds both.
func TestExtendTogether(t *testing.T) {
	h := newHouse(t, "mps-only-1976", 6, 0)
	if err := h.reg.Appoint(h.ctx, appoint("scrutineer", h.officers[0])); err != nil {
		t.Fatal(err)
	}
	st := h.must(h.s.Call(h.ctx, proceeding.Begin{Procedure: "leadership", Office: "leader", Cause: "vacancy", By: as(h.officers[0])}))
	was := st.Now().Closes
	until := was + 86_400_000
	extend := func(i int, until int64) (*proceeding.State, error) {
		return h.s.Do(h.ctx, st.Ref, proceeding.Order{By: as(h.officers[i]), Order: "extend", Until: until})
	}
	if st = h.must(extend(0, until)); st.Now().Closes != was {
		t.Fatal("one officer has extended alone")
	}
	_, err := extend(0, until)
	h.refuse(fault.Already, err)
	if st = h.must(extend(1, until-3_600_000)); st.Now().Closes != was {
		t.Fatal("they asked for different days")
	}
	if st = h.must(extend(1, until)); st.Now().Closes != until || len(st.Asked) != 0 {
		t.Fatalf("not extended by both: %+v", st.Asked)
	}
	h.replayed()
}

// A run that waited for a decision before it was stayed waits for it after.
func TestHaltedThenStayed(t *testing.T) {
	h := changed(t, "omov-2014", 20, 5, "    otherwise: called + 26 weeks\n", "")
	system := proceeding.Actor{System: true}
	st := h.must(h.s.Call(h.ctx, proceeding.Begin{Procedure: "rule_change", Cause: "executive", By: system,
		Takes: map[string]proceeding.Held{"text": {Type: "words", Text: "leadership.ballot.notice: 8 days"}}}))
	if st.Phase != proceeding.Halted {
		t.Fatalf("%s, not halted", st.Phase)
	}
	h.must(h.s.Do(h.ctx, st.Ref, proceeding.Order{By: system, Order: "stay"}))
	if st = h.must(h.s.Do(h.ctx, st.Ref, proceeding.Order{By: system, Order: "resume"})); st.Phase != proceeding.Halted {
		t.Fatalf("after the stay it is %s, and nothing can move it", st.Phase)
	}
	day := h.ch.Now().AddDate(0, 0, 60).Format("2006-01-02")
	if st = h.must(h.s.Do(h.ctx, st.Ref, proceeding.SetSlot{By: system, Slot: "conference_day", Text: day})); st.Phase != proceeding.Running || st.Now().Opens == 0 {
		t.Fatalf("%s, opens %d", st.Phase, st.Now().Opens)
	}
	h.replayed()
}

// A member cannot write what they like into the book as an office, nor fill it
// with one demand over and over.
func TestBeginnings(t *testing.T) {
	h := newHouse(t, "double-gate-2018", 20, 5)
	begin := func(office string) error {
		_, err := h.s.Call(h.ctx, proceeding.Begin{Procedure: "confidence", Office: office, By: as(h.mps[0]), Backers: h.mps[:1], Collect: true})
		return err
	}
	h.refuse(fault.Invalid, begin("an office of my own"))
	if err := begin(""); err != nil {
		t.Fatal(err)
	}
	h.refuse(fault.Already, begin(""))
}

// A server that was down for the whole of a ballot's window does not open it
// in the past: the ballot is announced anew, with its notice and its length.
func TestDownForTheWholeWindow(t *testing.T) {
	h := newHouse(t, "omov-2014", 20, 30)
	ref := h.dueBallot()
	planned := h.state(ref).Now().Closes
	if err := h.ch.MoveTo(h.ctx, h.clock, time.UnixMilli(planned).Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.s.Due(h.ctx); err != nil {
		t.Fatal(err)
	}
	st := h.state(ref)
	if st.OpenBallot() != nil || st.Now().Opens <= planned || st.Now().Closes <= st.Now().Opens {
		t.Fatalf("%+v", st.Now())
	}
	h.pass(st.Now().Opens)
	for i, p := range h.members {
		if err := h.cast(ref, p, i%3); err != nil {
			t.Fatal(err)
		}
	}
	if st := h.end(ref); st.Phase != proceeding.Ended || st.Ballots[0].Returned[0].Papers != 30 {
		t.Fatalf("%s", st.Phase)
	}
	h.replayed()
}

// Officers who close a vote that is counted in the room, before its figures
// are entered, would make it lost with nobody for it: they are refused.
func TestCountedVoteIsNotClosed(t *testing.T) {
	st := &proceeding.State{Ref: "2026-V-001", Procedure: "leadership", Phase: proceeding.Running, Current: 2, Stages: make([]proceeding.Stage, 3),
		Ballots: []proceeding.Ballot{{ID: "2026-V-001/ballot/1", Stage: 2, Round: 1, How: "counted"}}}
	h := newHouse(t, "omov-2014", 20, 2)
	err := h.ch.Read(h.ctx, func(w *chamber.World) error {
		_, _, err := proceeding.Decide(w.Book(), st, proceeding.Close{By: as(h.officers[0])}, w.At(), w)
		return err
	})
	h.refuse(fault.NotEntitled, err)
}
