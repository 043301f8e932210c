package rulebook

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func party(t testing.TB) *Book {
	t.Helper()
	b, err := Parse([]byte(example(t, "party-2018.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCompiledForm looks at what a book becomes, in the places on which
// whoever runs it relies.
func TestCompiledForm(t *testing.T) {
	b := party(t)
	if b.Zone.String() != "Europe/London" || b.Edition.String() != "2018-09-26" || len(b.Hash) != 64 || !b.Holidays.Set() {
		t.Error("the head is not read")
	}
	if got := b.Body("executive").Offices; !slices.Equal(got, []string{"executive_member", "executive_other", "leader"}) {
		t.Errorf("the executive is made of %v", got)
	}
	if b.Body("panel").Offices != nil || !b.Body("panel").Drawn || b.Body("court").Outside != "general_secretary" {
		t.Error("bodies drawn and outside")
	}
	lead := b.Procedure("leadership")
	if lead.Freeze.Source() != "freeze_date" || lead.Begins[0].Vacancy != "office" || lead.Begins[0].As != "vacancy" || lead.Begins[1].As != "challenge" {
		t.Error("the beginning of leadership")
	}
	needs := lead.Begins[1].Backed
	if v, ok := needs.Amount.Literal(); !ok || v.Type != TypeShare || v.Number.RatString() != "1/5" || !needs.Share || needs.Round != "up" || needs.From.Kind != WhoBody {
		t.Error("the gate of a challenge")
	}
	if v, _ := needs.Of.Literal(); v.Words != "entitled" {
		t.Error("its denominator")
	}
	units, i := lead.Stage("units")
	if i != 3 || len(units.Needs.Any) != 2 || len(units.Needs.Any[1].All) != 3 || units.Needs.Any[1].All[2].Weigh == nil {
		t.Error("the second gate")
	}
	if e, ok := units.Next("short"); !ok || e[0].Do != DoGo || e[0].Target != "mps" {
		t.Error("what follows when it is not passed")
	}
	vote, _ := lead.Stage("vote")
	if v, _ := vote.Method.Literal(); v.Words != "av" || !slices.Equal(vote.Outcomes(), []string{"elected"}) {
		t.Error("the ballot")
	}
	branches := b.Procedure("trigger").Stages[1].Needs.Any[0]
	if _, fixed := branches.Of.Literal(); fixed || !slices.Equal(branches.Of.Names(), []string{"trigger_denominator"}) || branches.From.Kind != WhoUnit {
		t.Error("a denominator that is a slot")
	}
	if w := b.UnitKind("constituency").Decides.Ballot; w.Kind != WhoSlot || len(w.Any) != 2 || w.Any[0].Kind != WhoBody || w.Any[1].Kind != WhoClass {
		t.Error("a WHO that is a slot")
	}
	if b.Procedure("motion").Freeze.Source() != "called" {
		t.Error("the freeze is the call where nothing is said")
	}
	if reply := b.Procedure("letter").Stages[0]; reply.By.Kind != WhoOffice || reply.Otherwise != "standing" {
		t.Error("the letter")
	}
	if by := b.Procedure("appeal").Begins[0].By; by.Kind != WhoPerson || by.Name != "decision.subject" {
		t.Error("a person who was given")
	}
	if s := b.Slot("supporters_fee"); s.Is != SlotMoney {
		t.Error("a fee")
	} else if v, ok := s.Otherwise.Literal(); !ok || v.Money != (Money{2500, "GBP"}) {
		t.Error("25 GBP")
	}
}

func TestSentence(t *testing.T) {
	c := london(t)
	e := party(t).Electorate("leadership_voters")
	s := tryScope(c)
	if got := e.Conditions[1].Says.Text(s); got != "Joined on or before the freeze date, 12 January 2016" {
		t.Error(got)
	}
	if got := e.Conditions[3].Says.Text(s); !strings.Contains(got, "paid up to 1 March 2016") {
		t.Error(got)
	}
	s.persons["person"].(*fakePerson).facts = nil
	if got := e.Conditions[3].Says.Text(s); !strings.Contains(got, "paid up to not entered") {
		t.Error(got)
	}
}

func TestReadSlot(t *testing.T) {
	b := party(t)
	for _, x := range []struct {
		slot, text string
		ok         bool
	}{
		{"freeze_date", "2016-01-12", true}, {"freeze_date", "12 January", false}, {"ballot_window", "6 weeks", true}, {"ballot_window", "6", false},
		{"supporters_fee", "3 GBP", true}, {"supporters_fee", "3", false}, {"trigger_denominator", "papers", true}, {"trigger_denominator", "cast", false},
	} {
		if _, ok := b.ReadSlot(b.Slot(x.slot), x.text); ok != x.ok {
			t.Errorf("%s: %q: %v", x.slot, x.text, ok)
		}
	}
}

// TestConcurrent evaluates one expression from many goroutines with scopes of
// their own: meant for the race detector.
func TestConcurrent(t *testing.T) {
	c := london(t)
	e := party(t).Electorate("established_members").Conditions[0].When
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s := tryScope(c)
			s.vars["freeze"] = Value{Type: TypeMoment, Moment: on(c, "2016-01-12").Add(Span{Days: i % 2 * 3000}, c)}
			for range 2000 {
				if ok, err := e.Flag(s); err != nil || ok != true {
					t.Errorf("%v %v", ok, err)
					return
				}
			}
		}()
	}
	wg.Wait()
}

// TestRoll evaluates four conditions for a million people, on two goroutines:
// the figure behind the speed of a freeze. It is a test so that it cannot rot.
func TestRoll(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second or two")
	}
	c := london(t)
	conds := party(t).Electorate("leadership_voters").Conditions
	const people = 200_000
	start := time.Now()
	var wg sync.WaitGroup
	for range 2 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s := tryScope(c)
			p := s.persons["person"].(*fakePerson)
			p.facts["on_electoral_register"] = Value{Type: TypeFlag, Flag: true}
			for range people / 2 {
				for i := range conds {
					if ok, err := conds[i].When.Flag(s); err != nil || !ok {
						t.Errorf("%s: %v %v", conds[i].ID, ok, err)
						return
					}
				}
			}
		}()
	}
	wg.Wait()
	d := time.Since(start)
	t.Logf("%d people × %d conditions in %s: %s a condition on one core", people, len(conds), d, 2*d/time.Duration(people*len(conds)))
	if d > 10*time.Second {
		t.Errorf("%s for %d people", d, people)
	}
}

func TestAgainstNumbers(t *testing.T) {
	b, err := Parse([]byte(example(t, "others.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	ps := b.AgainstNumbers(map[string]int64{"member": 5000, "local_party": 12, "branch": 40})
	if len(ps) != 2 || !strings.Contains(ps[0].Message, "at least 20 of `local_party`; there are 12") || !strings.Contains(ps[1].Message, "100000") {
		t.Errorf("%v", ps)
	}
	if ps := b.AgainstNumbers(nil); len(ps) != 0 {
		t.Errorf("%v", ps)
	}
}

func BenchmarkCheck(b *testing.B) {
	src := []byte(example(b, "party-2018.yaml"))
	b.ReportAllocs()
	for b.Loop() {
		if book, ps := Check(src); book == nil {
			b.Fatal(ps)
		}
	}
}
