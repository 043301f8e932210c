package contest_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/omov/omov/bundle/bundletest"
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/rulebooks"
	"github.com/omov/omov/store"
	"github.com/omov/omov/store/storetest"
)

// house is a small organisation for tests: MPs each in a constituency of
// their own, members, two officers.
type house struct {
	t        testing.TB
	ctx      context.Context
	ch       *chamber.Chamber
	clock    *chamber.DemoClock
	s        *contest.Contests
	reg      *registry.Registry
	mps      []register.PersonID
	members  []register.PersonID
	officers [2]register.PersonID
	seats    []register.UnitID
	dir      string
	checked  bool // trustees check every mix before their own part
}

func newHouse(t *testing.T, book string, mps, members int) *house {
	return newHouseB(t, book, mps, members)
}

func newHouseB(t testing.TB, book string, mps, members int) *house {
	t.Helper()
	dir := t.TempDir()
	return newHouseIn(t, store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, dir, book, mps, members)
}

func newHouseIn(t testing.TB, o store.Options, dir, book string, mps, members int) *house {
	t.Helper()
	ctx := context.Background()
	ch, clock, err := chamber.OpenDemo(ctx, chamber.Options{Store: o, Keys: filepath.Join(dir, "box")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ch.Close() })
	h := &house{t: t, ctx: ctx, dir: dir, ch: ch, clock: clock, s: contest.New(ch), reg: registry.New(ch)}
	src, err := rulebooks.Read(book)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.Found(ctx, chamber.FoundedBody{Name: "The Test Party", Demo: true}, src); err != nil {
		t.Fatal(err)
	}
	h.people(mps, members)
	return h
}

func (h *house) people(mps, members int) {
	h.t.Helper()
	var units []registry.UnitSpec
	for i := range mps {
		units = append(units, registry.UnitSpec{Kind: "constituency", Name: fmt.Sprintf("Seat %d", i+1)})
	}
	var err error
	if h.seats, err = h.reg.OpenUnits(h.ctx, units); err != nil {
		h.t.Fatal(err)
	}
	var terms map[string]register.Term
	if err := h.ch.Read(h.ctx, func(w *chamber.World) error { terms = w.Terms(); return nil }); err != nil {
		h.t.Fatal(err)
	}
	joined := time.Now().AddDate(-5, 0, 0).Unix()
	paid := time.Now().AddDate(1, 0, 0).Unix() / 86400
	person := func(name string, i int) registry.NewPerson {
		p := registry.NewPerson{Sealed: &chamber.Sealed{Particulars: chamber.Particulars{Name: name, Email: fmt.Sprintf("p%d@example.org", i)}, External: fmt.Sprint(i)}}
		if t, ok := terms["member"]; ok {
			p.Changes = append(p.Changes, register.Change{Aspect: register.Belongs, Name: t, Unit: h.seats[i%len(h.seats)], From: joined})
		}
		for fact, v := range map[string]int64{"on_electoral_register": 1, "paid_to": paid, "arrears": 0} {
			if t, ok := terms[fact]; ok {
				p.Changes = append(p.Changes, register.Change{Aspect: register.Fact, Name: t, Value: v, From: joined})
			}
		}
		return p
	}
	var list []registry.NewPerson
	for i := range mps {
		list = append(list, person(fmt.Sprintf("Mp %c%d", 'A'+i%26, i), len(list)))
	}
	for i := range members {
		list = append(list, person(fmt.Sprintf("Member %d", i), len(list)))
	}
	list = append(list, person("Gwen Secretary", len(list)), person("Sid Scrutineer", len(list)+1))
	ids, err := h.reg.Enter(h.ctx, list, "", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	h.mps, h.members = ids[:mps], ids[mps:mps+members]
	h.officers = [2]register.PersonID(ids[mps+members:])
	appoint := []registry.Appointment{{Office: "general_secretary", Person: h.officers[0]}, {Office: "scrutineer", Person: h.officers[1]}}
	for i, p := range h.mps {
		appoint = append(appoint, registry.Appointment{Office: "mp", Unit: h.seats[i], Person: p})
	}
	if err := h.reg.Appoint(h.ctx, appoint); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) must(st *proceeding.State, err error) *proceeding.State {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
	return st
}

func (h *house) refuse(kind fault.Kind, err error) {
	h.t.Helper()
	if !fault.Is(err, kind) {
		h.t.Fatalf("want a refusal of kind %s, got %v", kind, err)
	}
}

// pass moves the clock to an instant and lets fall due what does.
func (h *house) pass(ms int64) {
	h.t.Helper()
	if err := h.ch.MoveTo(h.ctx, h.clock, time.UnixMilli(ms+1000)); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.s.Due(h.ctx); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) state(ref string) *proceeding.State {
	h.t.Helper()
	st, _, err := h.s.State(h.ctx, ref)
	return h.must(st, err)
}

func (h *house) cast(ref string, p register.PersonID, ranks ...int) error {
	_, err := h.s.Cast(h.ctx, contest.Vote{Ref: ref, Person: p, Paper: contest.Paper{Ranks: ranks, Choice: -1}, Code: contest.NewCode()})
	return err
}

func TestMain(m *testing.M) { storetest.Main(m) }

// The same contest on PostgreSQL; its book, replayed into SQLite, gives the
// same projections.
func TestOnPostgres(t *testing.T) {
	h := newHouseIn(t, storetest.Postgres(t), t.TempDir(), "omov-2014", 20, 40)
	ref := h.voting()
	for i, p := range h.members {
		if err := h.cast(ref, p, i%3, (i+1)%3); err != nil {
			t.Fatal(err)
		}
	}
	h.refuse(fault.Already, h.cast(ref, h.members[0], 0))
	if st := h.end(ref); st.Phase != proceeding.Ended || st.Outcome != "elected" {
		t.Fatalf("%s %s", st.Phase, st.Outcome)
	}
	h.replayed()
}

func as(p register.PersonID) proceeding.Actor { return proceeding.Actor{Person: p} }

func TestOneMemberOneVote(t *testing.T) {
	h := newHouse(t, "omov-2014", 20, 100)
	st := h.must(h.s.Call(h.ctx, proceeding.Begin{Procedure: "leadership", Office: "leader", By: as(h.officers[0])}))
	ref := st.Ref
	// 15% of 20 is 3.
	for i := range 9 {
		h.must(h.s.Do(h.ctx, ref, proceeding.Back{By: as(h.mps[i]), Candidate: h.mps[i/3]}))
	}
	h.must(h.s.Do(h.ctx, ref, proceeding.Back{By: as(h.mps[9]), Candidate: h.mps[3]}))
	_, err := h.s.Do(h.ctx, ref, proceeding.Back{By: as(h.mps[9]), Candidate: h.mps[4]})
	h.refuse(fault.Already, err)
	_, err = h.s.Do(h.ctx, ref, proceeding.Back{By: as(h.members[0]), Candidate: h.mps[4]})
	h.refuse(fault.NotEntitled, err)
	h.refuse(fault.TooEarly, h.cast(ref, h.members[0], 0))
	h.must(h.s.Do(h.ctx, ref, proceeding.Answer{By: as(h.mps[0]), Accept: true}))
	for range 4 {
		if h.state(ref).OpenBallot() != nil {
			break
		}
		h.pass(h.state(ref).Due())
	}
	st = h.state(ref)
	b := st.OpenBallot()
	if b == nil || len(b.Options) != 3 {
		t.Fatalf("want a ballot of three, got %+v", st)
	}
	for i, p := range h.members {
		if i < 60 {
			if err := h.cast(ref, p, i%2, 2); err != nil {
				t.Fatal(err)
			}
		} else if i < 70 {
			if err := h.cast(ref, p, 2, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.refuse(fault.Already, h.cast(ref, h.members[0], 0))
	h.refuse(fault.Invalid, h.cast(ref, h.members[99], 0, 0))
	h.refuse(fault.Invalid, h.cast(ref, h.members[99], 7))
	_, err = h.s.Close(h.ctx, ref, as(h.officers[0]))
	h.refuse(fault.TooEarly, err)
	for i, o := range []string{"general_secretary", "scrutineer"} {
		h.must(h.s.CommitLot(h.ctx, ref, as(h.officers[i]), o))
	}
	h.pass(b.Closes)
	h.refuse(fault.TooLate, h.cast(ref, h.members[99], 0))
	h.must(h.s.Close(h.ctx, ref, as(h.officers[0])))
	_, err = h.s.Close(h.ctx, ref, as(h.officers[0]))
	h.refuse(fault.Already, err)
	st = h.must(h.s.Close(h.ctx, ref, as(h.officers[1])))
	if st.Phase != proceeding.Ended || st.Outcome != "elected" || len(st.Elected) != 1 {
		t.Fatalf("got %s %s %v", st.Phase, st.Outcome, st.Elected)
	}
	if st.Elected[0].ID != b.Options[1].ID {
		t.Fatalf("option 1 has 40 of 70 after the transfer; elected %v", st.Elected)
	}
	err = h.ch.Read(h.ctx, func(w *chamber.World) error {
		held := w.Roster().Holders("leader", 0, w.Tree(), w.At().Unix(), w.Seq())
		if len(held) != 1 || held[0].Person != b.Options[1].ID {
			t.Errorf("the leader's office: %v", held)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.replayed()
}

// replayed rebuilds the book into an empty database and wants the same
// projections.
func (h *house) replayed() {
	h.t.Helper()
	bundletest.Holds(h.t, h.ctx, h.ch)
	dir := h.t.TempDir()
	var origin string
	err := h.ch.DB.Read(h.ctx, func(tx *store.Tx) error {
		head, err := tx.Head()
		origin = head.Origin
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	to, err := chamber.Open(h.ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "replay.db"), Clock: h.clock.Now, Origin: origin}, Keys: filepath.Join(dir, "box")})
	if err != nil {
		h.t.Fatal(err)
	}
	defer to.Close()
	if err := h.ch.Replay(h.ctx, to, nil); err != nil {
		h.t.Fatal(err)
	}
	differ, err := chamber.Differ(h.ctx, h.ch, to)
	if err != nil {
		h.t.Fatal(err)
	}
	if len(differ) > 0 {
		h.t.Fatalf("the replay differs in %v", differ)
	}
}

func appoint(office string, p register.PersonID) []registry.Appointment {
	return []registry.Appointment{{Office: office, Person: p}}
}
