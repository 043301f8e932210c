package rulebook

import (
	"math/big"
	"testing"
	"time"
)

// fakePerson is a person made of maps.
type fakePerson struct {
	id      int64
	name    string
	classes map[string]Moment
	offices map[string]bool
	facts   map[string]Value
	units   map[string]Unit
}

func (p *fakePerson) Key() int64                         { return p.id }
func (p *fakePerson) Name() string                       { return p.name }
func (p *fakePerson) Is(class string) bool               { _, ok := p.classes[class]; return ok }
func (p *fakePerson) Since(class string) (Moment, bool)  { m, ok := p.classes[class]; return m, ok }
func (p *fakePerson) Holds(office string) bool           { return p.offices[office] }
func (p *fakePerson) Unit(kind string) (Unit, bool)      { u, ok := p.units[kind]; return u, ok }
func (p *fakePerson) Fact(name string) (v Value, k bool) { v, k = p.facts[name]; return }
func (p *fakePerson) Conflicted(other Person) bool       { return p.id == other.Key() }
func (p *fakePerson) TookPart(Run) bool                  { return p.offices["took_part"] }

// fakeUnit is a unit made of maps.
type fakeUnit struct {
	id      int64
	facts   map[string]Value
	members int64
	holders []Person
}

func (u *fakeUnit) Key() int64                           { return u.id }
func (u *fakeUnit) Kind() string                         { return "constituency" }
func (u *fakeUnit) Name() string                         { return "Seaside" }
func (u *fakeUnit) Fact(name string) (v Value, k bool)   { v, k = u.facts[name]; return }
func (u *fakeUnit) Count(string, *Moment) (int64, error) { return u.members, nil }
func (u *fakeUnit) Holders(string) []Person              { return u.holders }
func (u *fakeUnit) Vacant(string) bool                   { return len(u.holders) == 0 }
func (u *fakeUnit) Present(string) int64                 { return int64(len(u.holders)) }

// fakeScope is a scope made of maps.
type fakeScope struct {
	vars    map[string]Value
	persons map[string]Person
	units   map[string]Unit
	people  map[string][]Person
	runs    map[string]Run
	stages  map[string]StageTimes
	events  map[string]Moment
}

func (s *fakeScope) Var(n string) (v Value, ok bool)        { v, ok = s.vars[n]; return }
func (s *fakeScope) Person(n string) (p Person, ok bool)    { p, ok = s.persons[n]; return }
func (s *fakeScope) Unit(n string) (u Unit, ok bool)        { u, ok = s.units[n]; return }
func (s *fakeScope) People(n string) (p []Person, ok bool)  { p, ok = s.people[n]; return }
func (s *fakeScope) Run(n string) (r Run, ok bool)          { r, ok = s.runs[n]; return }
func (s *fakeScope) Stage(n string) (t StageTimes, ok bool) { t, ok = s.stages[n]; return }
func (s *fakeScope) Text(string) (Text, bool)               { return nil, false }
func (s *fakeScope) Holders(o string) []Person              { return s.people[o] }
func (s *fakeScope) Next(e string) (m Moment, ok bool)      { m, ok = s.events[e]; return }

func london(t testing.TB) Calendar {
	t.Helper()
	z, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return Calendar{Zone: z, Holidays: Holidays{Name: englandAndWales}}
}

func on(c Calendar, s string) Moment {
	m, _ := parseMoment(s, c)
	return m
}

// tryBook is the table of names that the tests of expressions use.
func tryBook(c Calendar) (*symbols, place) {
	sy := newSymbols()
	sy.cal = c
	for n, s := range map[string]sortOf{
		"member": aClass, "registered": aClass, "constituency": aUnit, "leader": anOffice, "delegate": anOffice,
		"conference": anEvent, "confidence": aProcedure, "window_slot": aSlot, "way": aSlot,
	} {
		sy.names[n] = entry{sort: s, pos: Pos{1, 1}}
	}
	sy.slots["window_slot"], sy.slots["way"] = SlotSpan, SlotChoices
	sy.choices["way"] = []string{"box", "recorded"}
	sy.facts[OfPerson]["woman"], sy.facts[OfPerson]["arrears"], sy.facts[OfPerson]["paid_to"] = FactFlag, FactNumber, FactDate
	sy.facts[OfUnit]["levy"] = FactNumber
	sy.procs["confidence"] = &procSig{stages: []string{"vote"}}
	p := place{vars: sy.variables(), choices: sy.choices}.with(map[string]typ{
		"person": {k: kPerson}, "candidate": {k: kPerson}, "unit": {k: kUnit}, "candidates": {k: kPeople}, "called": {k: kMoment},
		"freeze": {k: kMoment}, "cause": {k: kWords}, "office": {k: kOffice}, "meeting": {k: kStage}, "value": {k: kSpan}, "part": {k: kShare},
	})
	return sy, p
}

func tryScope(c Calendar) *fakeScope {
	ann := &fakePerson{id: 1, name: "Ann", classes: map[string]Moment{"member": on(c, "2015-07-12")}, offices: map[string]bool{"leader": true},
		facts: map[string]Value{"woman": {Type: TypeFlag, Flag: true}, "arrears": {Type: TypeNumber, Number: big.NewRat(3, 1)}, "paid_to": {Type: TypeMoment, Moment: on(c, "2016-03-01")}}}
	bob := &fakePerson{id: 2, name: "Bob", facts: map[string]Value{}}
	unit := &fakeUnit{id: 7, members: 1250, holders: []Person{ann, bob}, facts: map[string]Value{"levy": {Type: TypeNumber, Number: big.NewRat(900, 1)}}}
	closed := on(c, "2016-01-20")
	return &fakeScope{
		vars: map[string]Value{
			"called": {Type: TypeMoment, Moment: Moment{T: time.Date(2016, 7, 12, 14, 0, 0, 0, c.Zone)}}, "freeze": {Type: TypeMoment, Moment: on(c, "2016-01-12")},
			"cause": {Type: TypeWords, Words: "vacancy"}, "office": {Type: TypeWords, Words: "leader"}, "value": {Type: TypeSpan, Span: Span{Days: 10}},
			"part": {Type: TypeShare, Number: big.NewRat(1, 10)}, "way": {Type: TypeWords, Words: "box"},
		},
		persons: map[string]Person{"person": ann, "candidate": bob}, units: map[string]Unit{"unit": unit},
		people: map[string][]Person{"candidates": {ann, bob}, "leader": {ann}},
		stages: map[string]StageTimes{"meeting": {Closed: &closed, Outcome: "held"}},
		events: map[string]Moment{"conference": on(c, "2016-09-25")},
	}
}

func TestExpressions(t *testing.T) {
	c := london(t)
	sy, in := tryBook(c)
	s := tryScope(c)
	for _, x := range []struct{ src, want string }{
		{`person.is(member) && person.since(member) <= freeze - 6 months`, "yes"},
		{`person.since(member) <= freeze - 7 months`, "no"},
		{`person.is(registered)`, "no"},
		{`candidate.since(member) <= freeze`, "no"},
		{`not(person.woman) || person.arrears <= 6`, "yes"},
		{`person != candidate`, "yes"},
		{`called + 28 days`, "9 August 2016"},
		{`called + 48 hours`, "14 July 2016, 14:00"},
		{`next(conference) - 10 weeks`, "17 July 2016"},
		{`latest("31 December", called)`, "31 December 2015"},
		{`latest("29 February", date("2015-06-01"))`, "28 February 2015"},
		{`meeting.closed + 3 weeks`, "10 February 2016"},
		{`meeting.outcome == "held"`, "yes"},
		{`1 + parts(250, unit.count(member, latest("31 December", called)) - 749)`, "4"},
		{`parts(250, 0 - 5)`, "0"},
		{`unit.count(member) / unit.present(delegate)`, "625"},
		{`1/2 + 1/3`, "5/6"},
		{`holders(leader).size()`, "1"},
		{`3 - holders(office).size()`, "2"},
		{`holders(leader)`, "Ann"},
		{`candidates.exists(c, c.woman)`, "yes"},
		{`candidates.all(c, c == person || c == candidate)`, "yes"},
		{`candidates.filter(c, c.holds(leader)).size() == 1`, "yes"},
		{`value >= 5 days && value <= 2 weeks`, "yes"},
		{`part >= 5% && part <= 33%`, "yes"},
		{`part == 0.1`, "!"},
		{`confidence.outcome != "lost" || called >= confidence.ended + 12 months`, "yes"},
		{`called >= confidence.ended + 12 months`, "yes"},
		{`cause == "vacancy" ? 10 days : 20 days`, "10 days"},
		{`unit.vacant(leader)`, "no"},
		{`unit.holder(leader)`, "Ann"},
		{`date("2026-02-20 14:30") > date("2026-02-20")`, "no"},
		{`25 GBP`, "25 GBP"}, {`2.50 EUR`, "2.50 EUR"},
		{`21 working days`, "21 working days"},
		{`called + 2 working days`, "14 July 2016"},
		{`way == "box"`, "yes"},
		{`person.name`, "Ann"},
		{`candidate.arrears`, "? arrears"},
		{`candidate.woman || person.woman`, "yes"},
		{`candidate.woman && person.is(registered)`, "no"},
		{`candidate.woman && person.woman`, "? woman"},
		{`candidates.exists(c, c.arrears > 5)`, "? arrears"},
		{`called + window_slot`, "? window_slot"},
		{`1 / (unit.present(delegate) - 2) > 0`, "divides"},
	} {
		var comp complaints
		e := compileExpr(sy, x.src, Pos{1, 1}, in, &comp)
		if e == nil {
			if x.want != "!" {
				t.Errorf("%s: %v", x.src, comp.list)
			}
			continue
		}
		got := ""
		v, err := e.Eval(s)
		switch u := err.(type) {
		case nil:
			got = v.Text()
		case *Unknown:
			got = "? " + u.Name
		default:
			got = "divides"
		}
		if got != x.want {
			t.Errorf("%s = %s, want %s", x.src, got, x.want)
		}
	}
}

func TestExpressionProblems(t *testing.T) {
	c := london(t)
	sy, in := tryBook(c)
	for _, x := range []struct {
		src, want string
		col       int
	}{
		{`person.is(membre)`, "nothing here is called `membre`; did you mean `member`?", 11},
		{`person.holds(direktor)`, "nothing here is called `direktor`", 14},
		{`person.womn`, "a person has no `womn`; did you mean `woman`?", 7},
		{`called >= 28 days`, "`>=` does not go with a moment and a length of time", 8},
		{`called + 28 days >= membre`, "did you mean `member`?", 21},
		{`person.is(leader)`, "`is(…)` takes a class; this is an office", 11},
		{`way == "boxx"`, "this is never \"boxx\"; did you mean `box`?", 5},
		{`latest(31 December, called)`, "", 11},
		{`called >`, "the expression breaks off", 0},
		{`now - 6 months`, "an expression has no clock", 1},
		{`candidates.exists(c, candidates.exists(d, candidates.exists(e, c == d && d == e)))`, "steps", 1},
		{`1.5 > part`, "numbers are exact here", 1},
		{`person.age(3)`, "a person has no `age(…)`", 0},
		{`[1, 2]`, "brackets", 0},
		{`if`, "", 0},
	} {
		var comp complaints
		e := compileExpr(sy, x.src, Pos{1, 1}, in, &comp)
		if e != nil || len(comp.list) == 0 {
			t.Errorf("%s: compiled", x.src)
			continue
		}
		p := comp.list[0]
		if !contains(p.Message, x.want) || x.col != 0 && p.Pos.Column != x.col {
			t.Errorf("%s: %d: %s", x.src, p.Pos.Column, p.Message)
		}
	}
}

func contains(s, part string) bool {
	for i := 0; i+len(part) <= len(s); i++ {
		if s[i:i+len(part)] == part {
			return true
		}
	}
	return false
}

func BenchmarkCondition(b *testing.B) {
	c := london(b)
	sy, in := tryBook(c)
	s := tryScope(c)
	for _, src := range []string{
		`person.is(member) || person.is(registered)`,
		`person.is(registered) || person.since(member) <= freeze`,
		`person.is(member) && person.since(member) <= freeze - 6 months`,
		`person.woman`,
		`not(person.is(member)) || person.paid_to >= freeze - 6 months`,
		`person.arrears <= 6`,
	} {
		var comp complaints
		e := compileExpr(sy, src, Pos{1, 1}, in, &comp)
		if e == nil {
			b.Fatal(comp.list)
		}
		b.Run(src, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Flag(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
