package bundle_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/omov/omov/bundle"
	"github.com/omov/omov/bundle/bundletest"
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/demo"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/rulebooks"
	"github.com/omov/omov/store"
)

// age is a party under one of the shipped rulebooks.
type age struct {
	t        *testing.T
	ctx      context.Context
	ch       *chamber.Chamber
	clock    *chamber.DemoClock
	s        *contest.Contests
	reg      *registry.Registry
	terms    map[string]register.Term
	seats    []register.UnitID
	unions   []register.UnitID
	mps      []register.PersonID
	members  []register.PersonID
	officers []register.PersonID
	clp, aff []register.PersonID
}

func open(t *testing.T) *age {
	t.Helper()
	dir := t.TempDir()
	ctx := context.Background()
	ch, clock, err := chamber.OpenDemo(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: filepath.Join(dir, "box")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ch.Close() })
	return &age{t: t, ctx: ctx, ch: ch, clock: clock, s: contest.New(ch), reg: registry.New(ch)}
}

func (a *age) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// Leadership contests under three ages of the rules, each with its own way of
// voting, give bundles in which every check holds: an exhaustive ballot in
// several rounds, units with card values by name, and weighed sections in
// which one person has several votes.
func TestAges(t *testing.T) {
	for book, second := range map[string]string{"mps-only-1976": "scrutineer", "college-1981": "scrutineer", "thirds-1993": "scrutineer"} {
		t.Run(book, func(t *testing.T) {
			a := open(t)
			src, err := rulebooks.Read(book)
			a.must(err)
			_, err = a.ch.Found(a.ctx, chamber.FoundedBody{Name: book, Demo: true}, src)
			a.must(err)
			a.people(second)
			a.contest()
			bundletest.Holds(t, a.ctx, a.ch)
		})
	}
}

const seats, unions = 12, 4

func (a *age) people(second string) {
	a.must(a.ch.Read(a.ctx, func(w *chamber.World) error { a.terms = w.Terms(); return nil }))
	var specs []registry.UnitSpec
	for i := range seats {
		specs = append(specs, registry.UnitSpec{Kind: "constituency", Name: fmt.Sprintf("Seat %d", i+1)})
	}
	affiliates := false
	a.must(a.ch.Read(a.ctx, func(w *chamber.World) error { affiliates = w.Book().UnitKind("affiliate") != nil; return nil }))
	if affiliates {
		for i := range unions {
			specs = append(specs, registry.UnitSpec{Kind: "affiliate", Name: fmt.Sprintf("Union %d", i+1), Facts: map[string]int64{"levy_members": int64(1000 * (i + 1))}})
		}
	}
	ids, err := a.reg.OpenUnits(a.ctx, specs)
	a.must(err)
	a.seats, a.unions = ids[:seats], ids[seats:]
	var list []registry.NewPerson
	for i := range 2*seats + 40 + unions + 2 {
		list = append(list, a.person(i))
	}
	people, err := a.reg.Enter(a.ctx, list, "", nil)
	a.must(err)
	a.mps, a.clp, a.members = people[:seats], people[seats:2*seats], people[2*seats:2*seats+40]
	a.aff, a.officers = people[2*seats+40:2*seats+40+unions], people[2*seats+40+unions:]
	appoint := []registry.Appointment{{Office: "general_secretary", Person: a.officers[0]}, {Office: second, Person: a.officers[1]}}
	for i, u := range a.seats {
		appoint = append(appoint, registry.Appointment{Office: "mp", Unit: u, Person: a.mps[i]})
		if affiliates {
			appoint = append(appoint, registry.Appointment{Office: "constituency_secretary", Unit: u, Person: a.clp[i]})
		}
	}
	for i, u := range a.unions {
		appoint = append(appoint, registry.Appointment{Office: "affiliate_secretary", Unit: u, Person: a.aff[i]})
	}
	a.must(a.reg.Appoint(a.ctx, appoint))
}

func (a *age) person(i int) registry.NewPerson {
	joined := time.Now().AddDate(-4, 0, 0).Unix()
	p := registry.NewPerson{Sealed: &chamber.Sealed{Particulars: chamber.Particulars{Name: fmt.Sprintf("Person %d", i)}, External: fmt.Sprint(i)}}
	belongs := func(class string, unit register.UnitID) {
		if t, ok := a.terms[class]; ok {
			p.Changes = append(p.Changes, register.Change{Aspect: register.Belongs, Name: t, Unit: unit, From: joined})
		}
	}
	belongs("member", a.seats[i%seats])
	if len(a.unions) > 0 && i%3 == 0 {
		belongs("levy_payer", a.unions[i%unions])
		if i%2 == 0 {
			belongs("levy_payer", a.unions[(i+1)%unions])
		}
	}
	for fact, v := range map[string]int64{"arrears": int64(i % 9)} {
		if t, ok := a.terms[fact]; ok {
			p.Changes = append(p.Changes, register.Change{Aspect: register.Fact, Name: t, Value: v, From: joined})
		}
	}
	return p
}

func as(p register.PersonID) proceeding.Actor { return proceeding.Actor{Person: p} }

func (a *age) state(ref string) *proceeding.State {
	st, _, err := a.s.State(a.ctx, ref)
	a.must(err)
	return st
}

func (a *age) pass(ms int64) {
	a.must(a.ch.MoveTo(a.ctx, a.clock, time.UnixMilli(ms+1000)))
	_, err := a.s.Due(a.ctx)
	a.must(err)
}

func (a *age) contest() {
	st, err := a.s.Call(a.ctx, proceeding.Begin{Procedure: "leadership", Office: "leader", Cause: "vacancy", By: as(a.officers[0])})
	a.must(err)
	ref := st.Ref
	for i := range 9 {
		_, err := a.s.Do(a.ctx, ref, proceeding.Back{By: as(a.mps[i]), Candidate: a.mps[i/3]})
		a.must(err)
	}
	for range 20 {
		if st = a.state(ref); !st.Live() {
			break
		}
		b := st.OpenBallot()
		if b == nil {
			a.pass(st.Due())
			continue
		}
		a.vote(ref, b)
		for i, office := range []string{"general_secretary", "scrutineer"} {
			_, err := a.s.CommitLot(a.ctx, ref, as(a.officers[i]), office)
			a.must(err)
		}
		if b.Closes > a.clock.Now().UnixMilli() {
			a.pass(b.Closes)
		}
		for i := range a.officers {
			_, err := a.s.Close(a.ctx, ref, as(a.officers[i]))
			a.must(err)
		}
	}
	a.t.Logf("%s by %d ballots, %d sections", st.Outcome, len(st.Ballots), len(st.Ballots[0].Roll.Sections))
	if st.Outcome != "elected" {
		a.t.Fatalf("%s: %s %s", st.Ref, st.Phase, st.Outcome)
	}
}

// vote lets everybody vote everywhere they can; a round without a majority
// comes first in an exhaustive ballot.
func (a *age) vote(ref string, b *proceeding.Ballot) {
	n, cast := len(b.Options), 0
	for i, p := range append(append(append(append([]register.PersonID{}, a.mps...), a.clp...), a.members...), a.aff...) {
		list, err := a.s.Standings(a.ctx, ref, p)
		a.must(err)
		for _, x := range list {
			if !x.Entitled {
				continue
			}
			ranks := []int{i % n} // as even as can be
			if b.Round > 1 {
				ranks[0] = min(i%4, n-1)
			}
			if b.Method != "exhaustive" && n > 1 {
				ranks = append(ranks, (i+1)%n)
			}
			_, err := a.s.Cast(a.ctx, contest.Vote{Ref: ref, Person: p, Unit: x.Unit, Section: x.Section, Paper: contest.Paper{Ranks: ranks, Choice: -1}, Code: contest.NewCode(), Declared: true})
			a.must(err)
			cast++
		}
	}
	if cast < seats {
		a.t.Fatalf("only %d voted in %s", cast, b.ID)
	}
}

// A demo, with contests decided, open and collecting, gives bundles in which
// every check holds; no name of a member is in the public one; tiles are
// served as they are in it.
func TestDemo(t *testing.T) {
	a := open(t)
	a.must(demo.Found(a.ctx, a.ch, a.clock, a.s, a.reg, demo.Options{Members: 400}))
	bundletest.Holds(t, a.ctx, a.ch)
	people, err := demo.Find(a.ctx, a.ch)
	a.must(err)
	var name string
	a.must(a.ch.Read(a.ctx, func(w *chamber.World) error { name = w.NameOf(people.Member); return nil }))
	var public bytes.Buffer
	a.must(bundle.WritePublic(a.ctx, a.ch, &public))
	if text := unzip(t, public.Bytes()); name == "" || strings.Contains(text, name) || strings.Contains(text, "riverside.example") {
		t.Errorf("the public bundle holds a member's name or address (%q)", name)
	}
	if b, err := bundle.Tile(a.ctx, a.ch, "tile/entries/000"); err != nil || len(b) < 256*40 {
		t.Errorf("%d bytes of entries, %v", len(b), err)
	}
	if b, err := bundle.Tile(a.ctx, a.ch, "tile/0/000"); err != nil || len(b) != 256*32 {
		t.Errorf("%d bytes of a tile, %v", len(b), err)
	}
	for _, path := range []string{"tile/0/x001/000", "tile/0/0", "checkpoint", "../book.db"} {
		if _, err := bundle.Tile(a.ctx, a.ch, path); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
