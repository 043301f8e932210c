package contest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/omov/omov/bundle/bundletest"
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/store"
)

// A co-operative small enough for every case of the minimum: the board is
// elected by a box, five papers at least.
const smallBook = `
rulebook: Rules of a very small society
edition: 2026-01-01
zone: Europe/London
classes: {member: Members}
offices:
  secretary: {says: the secretary}
  chair: {says: the chair, from: member, term: 1 year}
precedence: [rulebook]
powers: [{who: secretary, may: close}]
procedures:
  election:
    fills: chair
    begins: [{as: annual, by: secretary}]
    stages:
      - stage: names
        gather: candidates
        stand: member
        needs: {from: member, at_least: 1}
        window: 2 days
      - stage: vote
        ballot: member
        how: box
        method: av
        minimum: 5
        window: 3 days
        then:
          elected: {fill: chair}
          too_few: {nothing: "Fewer than five voted. The chair stays, and a meeting decides."}
  amendment:
    takes: {text: rulebook}
    begins: [{as: moved, by: secretary}]
    stages:
      - stage: vote
        ballot: member
        how: counted
        passes: {more_than: 1/2, of: cast}
        window: 1 day
        then:
          carried: {adopt: rulebook}
          lost: {nothing: The rules stay as they are.}
`

func smallHouse(t testing.TB, source string, members int) *house {
	t.Helper()
	return society(t, emptyHouse(t), source, members)
}

// society founds the very small society in an empty book.
func society(t testing.TB, h *house, source string, members int) *house {
	t.Helper()
	if _, err := h.ch.Found(h.ctx, chamber.FoundedBody{Name: "A Very Small Society", Demo: true}, []byte(source)); err != nil {
		t.Fatal(err)
	}
	var terms map[string]register.Term
	if err := h.ch.Read(h.ctx, func(w *chamber.World) error { terms = w.Terms(); return nil }); err != nil {
		t.Fatal(err)
	}
	var list []registry.NewPerson
	for i := range members + 1 {
		p := registry.NewPerson{Sealed: &chamber.Sealed{Particulars: chamber.Particulars{Name: "Person " + string(rune('A'+i))}}}
		if i < members {
			p.Changes = []register.Change{{Aspect: register.Belongs, Name: terms["member"], From: time.Now().AddDate(-2, 0, 0).Unix()}}
		}
		list = append(list, p)
	}
	ids, err := h.reg.Enter(h.ctx, list, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	h.members, h.officers = ids[:members], [2]register.PersonID{ids[members]}
	if err := h.reg.Appoint(h.ctx, appoint("secretary", ids[members])); err != nil {
		t.Fatal(err)
	}
	return h
}

func emptyHouse(t testing.TB) *house {
	dir := t.TempDir()
	return houseOn(t, dir, store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")})
}

// houseOn is an empty book on a database.
func houseOn(t testing.TB, dir string, o store.Options) *house {
	ctx := context.Background()
	ch, clock, err := chamber.OpenDemo(ctx, chamber.Options{Store: o, Keys: filepath.Join(dir, "box")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ch.Close() })
	return &house{t: t, ctx: ctx, dir: dir, ch: ch, clock: clock, s: contest.New(ch), reg: registry.New(ch)}
}

// election brings the small society to an open ballot of two.
func (h *house) election() string {
	h.t.Helper()
	st := h.must(h.s.Call(h.ctx, proceeding.Begin{Procedure: "election", By: as(h.officers[0])}))
	for i := range 2 {
		h.must(h.s.Do(h.ctx, st.Ref, proceeding.Back{By: as(h.members[i]), Candidate: h.members[i]}))
	}
	h.pass(h.state(st.Ref).Due())
	return st.Ref
}

func (h *house) closeSmall(ref string) *proceeding.State {
	h.t.Helper()
	h.pass(h.state(ref).OpenBallot().Closes)
	return h.must(h.s.Close(h.ctx, ref, as(h.officers[0])))
}

func TestTooFewPapersAreNotOpened(t *testing.T) {
	h := smallHouse(t, smallBook, 12)
	ref := h.election()
	for i := range 4 {
		if err := h.cast(ref, h.members[i], i%2); err != nil {
			t.Fatal(err)
		}
	}
	ballot := h.state(ref).OpenBallot()
	st := h.closeSmall(ref)
	b := st.Ballots[0]
	if st.Outcome != proceeding.Unopened || !b.Unopened || b.Sheet != "" || len(st.Elected) != 0 || b.Figures != nil {
		t.Fatalf("four of twelve voted, five are needed: %s %+v", st.Outcome, b)
	}
	if len(b.Tests) != 1 || b.Tests[0].Has != "4" || b.Tests[0].Needs != "5" {
		t.Errorf("it says %+v", b.Tests)
	}
	if _, err := h.ch.Box.Load(ballot.ID, ballot.Key); err == nil {
		t.Error("the key of the box is still there")
	}
	err := h.ch.Read(h.ctx, func(w *chamber.World) error {
		for p, err := range w.Tx().Papers(ballot.ID) {
			t.Errorf("a paper is still there: %v %v", p.ID, err)
		}
		if _, err := h.s.PapersOf(w, ref, ballot.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("the minute book has papers: %v", err)
		}
		if held := w.Roster().Holders("chair", 0, w.Tree(), w.At().Unix(), w.Seq()); len(held) != 0 {
			t.Errorf("the chair: %v", held)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.replayed()
}

func TestEnoughPapersAreOpened(t *testing.T) {
	h := smallHouse(t, smallBook, 12)
	ref := h.election()
	for i := range 5 {
		if err := h.cast(ref, h.members[i], 0); err != nil {
			t.Fatal(err)
		}
	}
	if st := h.closeSmall(ref); st.Outcome != proceeding.Elected || st.Ballots[0].Unopened {
		t.Fatalf("five of twelve voted: %s", st.Outcome)
	}
	h.replayed()
}

// Nobody voted: that gives nobody away, nobody is elected, and no lot is drawn.
func TestNoPaperAtAll(t *testing.T) {
	h := smallHouse(t, smallBook, 12)
	ref := h.election()
	h.closeSmall(ref)
	if st := h.state(ref); st.Ballots[0].Unopened || st.Outcome != proceeding.Unopened || len(st.Elected) > 0 {
		t.Fatalf("an empty box: %s, elected %v", st.Outcome, st.Elected)
	}
	h.replayed()
}

func TestElectorateTooSmallAtTheCall(t *testing.T) {
	h := smallHouse(t, smallBook, 4)
	_, err := h.s.Call(h.ctx, proceeding.Begin{Procedure: "election", By: as(h.officers[0])})
	h.refuse(fault.NotEntitled, err)
	if !strings.Contains(err.Error(), "4 voters") || !strings.Contains(err.Error(), "fewer than 5") {
		t.Errorf("the refusal says %q", err)
	}
}

// Members left between the call and the ballot: it is not opened.
func TestRollTooSmall(t *testing.T) {
	h := smallHouse(t, smallBook, 6)
	st := h.must(h.s.Call(h.ctx, proceeding.Begin{Procedure: "election", By: as(h.officers[0])}))
	for i := range 2 {
		h.must(h.s.Do(h.ctx, st.Ref, proceeding.Back{By: as(h.members[i]), Candidate: h.members[i]}))
	}
	h.leave(h.members[4:6]...)
	h.pass(h.state(st.Ref).Due())
	st = h.state(st.Ref)
	if st.Outcome != proceeding.Unopened || len(st.Ballots) != 0 {
		t.Fatalf("four are left: %s, %d ballots", st.Outcome, len(st.Ballots))
	}
	h.replayed()
}

func (h *house) leave(people ...register.PersonID) {
	h.t.Helper()
	var terms map[string]register.Term
	if err := h.ch.Read(h.ctx, func(w *chamber.World) error { terms = w.Terms(); return nil }); err != nil {
		h.t.Fatal(err)
	}
	for _, p := range people {
		if err := h.reg.Change(h.ctx, p, []register.Change{{Aspect: register.Belongs, Name: terms["member"], From: h.clock.Now().Unix(), End: true}}); err != nil {
			h.t.Fatal(err)
		}
	}
}

// A bundle in which fewer papers than the minimum were opened does not hold.
func TestMinimumIsVerified(t *testing.T) {
	if _, err := rulebook.Parse(bytes.Replace([]byte(smallBook), []byte("minimum: 5"), []byte("minimum: 0"), 1)); err == nil {
		t.Error("a minimum of nought is taken")
	}
	h := smallHouse(t, strings.Replace(smallBook, "minimum: 5", "minimum: 2", 1), 12)
	ref := h.election()
	for i := range 2 {
		if err := h.cast(ref, h.members[i], 0); err != nil {
			t.Fatal(err)
		}
	}
	if st := h.closeSmall(ref); st.Outcome != proceeding.Elected {
		t.Fatalf("a rulebook can allow two papers: %s", st.Outcome)
	}
	bundletest.Holds(t, h.ctx, h.ch)
}

// entry reads the last entry of a kind of a run.
func (h *house) entry(ref, kind string, into any) {
	h.t.Helper()
	err := h.ch.Read(h.ctx, func(w *chamber.World) error {
		page, err := w.Tx().Page(store.Query{Proceeding: ref, Bodies: true, Limit: 500})
		for _, m := range page {
			if m.Kind == kind {
				return json.Unmarshal(m.Body, into)
			}
		}
		if err == nil {
			err = fault.New(fault.NotFound, "no entry %s", kind)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}
