// Package demo founds a fictional party and lets it live for half a year, so
// that a visitor finds one leadership contest decided, one with its ballot
// open and one collecting nominations, and an election to the executive whose
// papers are sealed.
//
// It does everything through the same use cases as a real organisation; only
// the clock is the demo's own, and the book's first entry says so. Nobody in it
// exists.
package demo

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/rulebooks"
)

// Name is the demo's organisation.
const Name = "The Riverside Party"

// Book is the rulebook that the demo's is made of.
const Book = "double-gate-2018"

// Rules gives the rulebook that the demo runs under: the shipped one, but that
// the executive is elected by sealed ballot.
func Rules() ([]byte, error) {
	src, err := rulebooks.Read(Book)
	if err != nil {
		return nil, err
	}
	const title, elects, how = "rulebook: One member, one vote with a double gate, 2018", "method: plurality-at-large\n        how: box", "method: plurality-at-large\n        how: sealed"
	for _, part := range []string{title, elects} {
		if bytes.Count(src, []byte(part)) != 1 {
			return nil, fault.New(fault.Internal, "the shipped rulebook %s has changed; the demo no longer knows it", Book)
		}
	}
	src = bytes.Replace(src, []byte(title), []byte("rulebook: "+Title), 1)
	return bytes.Replace(src, []byte(elects), []byte(how), 1), nil
}

// Title is what the demo's rulebook is called.
const Title = "One member, one vote with a double gate, and the executive by sealed ballot"

// Options say how large a demo is.
type Options struct {
	Members  int // people besides MPs and officers; 0: 5,000
	Progress func(what string, done, of int)
}

// People are those whom the demo hands sign-in links to.
type People struct {
	Member, MP, Returning, Second, Scrutineer register.PersonID
	Secretary                                 register.PersonID // of a constituency party
}

// house is a demo being founded.
type house struct {
	ch      *chamber.Chamber
	clock   *chamber.DemoClock
	s       *contest.Contests
	reg     *registry.Registry
	o       Options
	rnd     *rand.Rand
	terms   map[string]register.Term
	start   time.Time
	seats   []register.UnitID
	branch  []register.UnitID
	affil   []register.UnitID
	mps     []register.PersonID
	clp     []register.PersonID // constituency secretaries
	aff     []register.PersonID // affiliates' secretaries
	members []register.PersonID
	staff   [3]register.PersonID
	decides string // the run that is decided when the visitor comes
	closes  time.Time
	sealed  string // the run whose ballot is sealed
}

// The demo's size apart from its members.
const (
	constituencies = 60
	affiliates     = 12
	unions         = 8
)

// life is how long the demo has lived when a visitor comes.
const life = 150 * 24 * time.Hour

// Found founds the demo in an empty book.
func Found(ctx context.Context, ch *chamber.Chamber, clock *chamber.DemoClock, s *contest.Contests, reg *registry.Registry, o Options) error {
	if o.Members == 0 {
		o.Members = 5_000
	}
	if o.Members < 300 || o.Members > 1_000_000 {
		return fault.New(fault.Invalid, "a demo has from 300 to 1,000,000 members, not %d", o.Members)
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	h := &house{ch: ch, clock: clock, s: s, reg: reg, o: o, rnd: rand.New(rand.NewPCG(1, 2)), start: time.Now().Add(-life)}
	for _, step := range []func(context.Context) error{h.found, h.units, h.people, h.voting, h.byElection, h.declared, h.openBallot, h.sealedPapers, h.collecting} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (h *house) found(ctx context.Context) error {
	src, err := Rules()
	if err != nil {
		return err
	}
	if err := h.ch.StartDemo(ctx, h.clock, h.start); err != nil {
		return err
	}
	if _, err := h.ch.Found(ctx, chamber.FoundedBody{Name: Name, Demo: true, Note: "A fictional party, to try omov with. Its clock can be moved forward."}, src); err != nil {
		return err
	}
	return h.ch.Read(ctx, func(w *chamber.World) error { h.terms = w.Terms(); return nil })
}

func (h *house) units(ctx context.Context) error {
	var specs []registry.UnitSpec
	for i := range constituencies {
		specs = append(specs, registry.UnitSpec{Kind: "constituency", Name: placeName(i)})
	}
	for i := range affiliates {
		f := map[string]int64{"union": 0, "levy_members": int64(20_000 + 7_000*i)}
		if i < unions {
			f = map[string]int64{"union": 1, "levy_members": int64(90_000 + 60_000*(unions-i))}
		}
		specs = append(specs, registry.UnitSpec{Kind: "affiliate", Name: affiliateName(i), Facts: f})
	}
	ids, err := h.reg.OpenUnits(ctx, specs)
	if err != nil {
		return err
	}
	h.seats, h.affil = ids[:constituencies], ids[constituencies:]
	specs = nil
	for i, seat := range h.seats {
		for k := range 2 + i%3 {
			specs = append(specs, registry.UnitSpec{Kind: "branch", Name: placeName(i) + " " + quarters()[k], In: seat})
		}
	}
	h.branch, err = h.reg.OpenUnits(ctx, specs)
	return err
}

// people enters everybody: MPs, secretaries, officers, then members.
func (h *house) people(ctx context.Context) error {
	var list []registry.NewPerson
	for i := range constituencies {
		list = append(list, h.member(len(list), h.seats[i], true))
	}
	for i := range constituencies {
		list = append(list, h.member(len(list), h.seats[i], true))
	}
	for range affiliates + 3 {
		list = append(list, h.member(len(list), h.seats[h.rnd.IntN(constituencies)], true))
	}
	special := len(list)
	for range h.o.Members {
		list = append(list, h.someone(len(list)))
	}
	ids, err := h.reg.Enter(ctx, list, "", func(done, of int) { h.o.Progress("entering people", done, of) })
	if err != nil {
		return err
	}
	h.mps, h.clp, h.aff = ids[:constituencies], ids[constituencies:2*constituencies], ids[2*constituencies:2*constituencies+affiliates]
	h.staff = [3]register.PersonID(ids[special-3 : special])
	h.members = ids[special:]
	return h.appoint(ctx)
}

func (h *house) appoint(ctx context.Context) error {
	var list []registry.Appointment
	add := func(office string, unit register.UnitID, p register.PersonID) {
		list = append(list, registry.Appointment{Office: office, Unit: unit, Person: p, How: "brought along at the founding"})
	}
	for i, seat := range h.seats {
		add("mp", seat, h.mps[i])
		add("constituency_secretary", seat, h.clp[i])
	}
	for i, a := range h.affil {
		add("affiliate_secretary", a, h.aff[i])
	}
	for i, office := range []string{"general_secretary", "deputy_secretary", "scrutineer"} {
		add(office, 0, h.staff[i])
	}
	for i := range 7 { // of nine
		add("executive_member", 0, h.clp[i*6])
	}
	return h.reg.Appoint(ctx, list)
}

// member is a member of long standing whose papers are in order.
func (h *house) member(i int, unit register.UnitID, sound bool) registry.NewPerson {
	joined := h.start.AddDate(-1-h.rnd.IntN(20), -h.rnd.IntN(12), -h.rnd.IntN(28))
	p := registry.NewPerson{Sealed: &chamber.Sealed{External: fmt.Sprintf("R%07d", i+1),
		Particulars: chamber.Particulars{Name: personName(h.rnd, i), Email: fmt.Sprintf("member%d@riverside.example", i+1)}}}
	p.Changes = []register.Change{
		{Aspect: register.Belongs, Name: h.terms["member"], Unit: unit, From: day(joined)},
		h.fact("on_electoral_register", 1, joined),
		h.fact("paid_to", h.start.AddDate(1, h.rnd.IntN(12), 0).Unix()/86400, joined),
	}
	if sound {
		return p
	}
	switch n := h.rnd.IntN(100); {
	case n < 6: // joined since: after the freeze of one contest or another
		since := h.start.AddDate(0, 0, 30+h.rnd.IntN(110))
		for k := range p.Changes {
			p.Changes[k].From = day(since)
		}
	case n < 10:
		p.Changes[1].Value = 0
	case n < 14:
		p.Changes[2].Value = h.start.AddDate(0, -8-h.rnd.IntN(8), 0).Unix() / 86400
	}
	return p
}

func (h *house) fact(name string, v int64, from time.Time) register.Change {
	return register.Change{Aspect: register.Fact, Name: h.terms[name], Value: v, From: day(from)}
}

// someone is a member or an affiliated supporter.
func (h *house) someone(i int) registry.NewPerson {
	p := h.member(i, h.branch[h.rnd.IntN(len(h.branch))], false)
	if h.rnd.IntN(4) == 0 {
		p.Changes[0].Name, p.Changes[0].Unit = h.terms["affiliated"], h.affil[h.rnd.IntN(affiliates)]
		p.Changes = p.Changes[:2]
	}
	return p
}

func day(t time.Time) int64 {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()
}

// at moves the demo's clock, letting fall due what does on the way.
func (h *house) at(ctx context.Context, t time.Time) error {
	for {
		next, err := h.nextDue(ctx)
		if err != nil {
			return err
		}
		if next.IsZero() || next.After(t) {
			break
		}
		if next.After(h.clock.Now()) {
			if err := h.ch.MoveTo(ctx, h.clock, next.Add(time.Second)); err != nil {
				return err
			}
		}
		if n, err := h.s.Due(ctx); err != nil || n == 0 {
			if err != nil {
				return err
			}
			break
		}
	}
	if t.After(h.clock.Now()) {
		return h.ch.MoveTo(ctx, h.clock, t)
	}
	return nil
}

func (h *house) nextDue(ctx context.Context) (t time.Time, err error) {
	err = h.ch.Read(ctx, func(w *chamber.World) error {
		t, err = w.Tx().NextDue()
		return err
	})
	return t, err
}

func quarters() []string { return []string{"North", "Quayside", "Old Town", "Hill"} }

// Find finds the people whom the demo hands links to, in a book that has been
// founded before.
func Find(ctx context.Context, ch *chamber.Chamber) (People, error) {
	var p People
	err := ch.Read(ctx, func(w *chamber.World) error {
		if !w.Organisation().Demo {
			return fault.New(fault.NotEntitled, "this book is not a demo's: its people sign in by e-mail")
		}
		holder := func(office string, n int) register.PersonID {
			held := w.Roster().Holders(office, 0, w.Tree(), w.At().Unix(), w.Seq())
			if len(held) == 0 {
				return 0
			}
			return held[min(n, len(held)-1)].Person
		}
		p.Returning, p.Second, p.Scrutineer = holder("general_secretary", 0), holder("deputy_secretary", 0), holder("scrutineer", 0)
		p.MP, p.Secretary = holder("mp", 20), holder("constituency_secretary", 20)
		last, err := w.Tx().LastPerson()
		p.Member = register.PersonID(min(last, firstMember(w)))
		return err
	})
	return p, err
}

// firstMember is the first ordinary member who may vote: entered after those
// who hold offices, their papers in order, and no vote of theirs cast.
func firstMember(w *chamber.World) int64 {
	for id := int64(2*constituencies + affiliates + 4); ; id++ {
		v := w.View(0).Person(register.PersonID(id))
		if len(v.Rec.Spans) == 0 {
			return id - 1
		}
		since, ok := v.Since("member")
		reg, known := v.Fact("on_electoral_register")
		paid, _ := v.Fact("paid_to")
		if ok && known && reg.Flag && since.T.Before(w.At().AddDate(-1, 0, 0)) && paid.Moment.T.After(w.At().AddDate(0, -3, 0)) {
			return id
		}
	}
}

// names: plain given and family names put together by number, so that nobody
// is meant.
func personName(r *rand.Rand, i int) string {
	given := strings.Fields("Ada Abel Bea Bram Cleo Cyril Dora Dov Edda Emil Fay Finn Gita Gus Hana Hugo Ines Ivo Jia Jonas Kaya Kit Lena Luca Mina Milo Nia Noor Olga Otis Pia Per Quin Rana Rafi Sena Sol Tara Tove Una Uri Vera Viggo Wren Wim Xenia Yara Yusuf Zoe Zeno")
	family := strings.Fields("Alder Ashdown Barrow Birch Bracken Brook Calder Carrow Cinder Copse Dale Dunmore Elder Farrow Fenwick Ferris Garrow Glade Hazel Heath Holme Ivory Juniper Kestrel Larch Linden Lorne Marsh Meadow Merrow Nettle Oakes Orchard Pike Quarry Reed Ridge Rowan Sallow Sedge Thorne Tarn Umber Vale Warren Weir Willow Wolde Yarrow Zephyr")
	if i < len(family) {
		return given[(i*7)%len(given)] + " " + family[i]
	}
	return given[r.IntN(len(given))] + " " + family[r.IntN(len(family))]
}

func placeName(i int) string {
	a := strings.Fields("Alder Beacon Cold Deep East Fair Green High Iron Kings")
	b := strings.Fields("bridge ford haven mere wick field")
	return a[i%len(a)] + b[i/len(a)%len(b)]
}

func affiliateName(i int) string {
	return []string{"Union of River Workers", "Builders' and Joiners' Union", "Transport Crews' Union", "Union of Shop Staff", "Health Workers Together",
		"Teachers' Association", "Post and Parcel Union", "Union of Makers", "Society of Allotment Holders", "Cooperators' League", "Tenants' Federation", "Students for Riverside"}[i]
}

// Part is somebody a visitor can be.
type Part struct {
	Part   string
	Person register.PersonID
}

// Parts gives everybody whom a visitor can be, in the order of a first visit.
func Parts(p People) []Part {
	return []Part{{"a member", p.Member}, {"an MP", p.MP}, {"a constituency", p.Secretary}, {"a returning officer", p.Returning},
		{"a second officer", p.Second}, {"a scrutineer", p.Scrutineer}}
}
