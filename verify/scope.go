package verify

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
)

// scope is what the expressions of a rulebook see in a run at an instant:
// the register as it was known before the entry in question, the state as it
// was then.
type scope struct {
	o      *organisation
	r      *run
	at     int64 // of the decision, Unix milliseconds: when something fell due
	seen   int64 // of the entry, Unix seconds: the register is looked at then
	known  int64
	cached *roll.View

	// set for one evaluation
	person, candidate rulebook.Person
	unit              rulebook.Unit
	value             *rulebook.Value
}

var _ rulebook.Scope = (*scope)(nil)

func (v *verifier) scope(e *entry, r *run, at int64) *scope {
	if at == 0 {
		at = e.at.UnixMilli()
	}
	return &scope{o: v.org, r: r, at: at, seen: e.at.Unix(), known: e.seq - 1}
}

func (s *scope) view() *roll.View {
	if s.cached == nil {
		s.cached = s.o.view(s.r.book, s.seen, s.known, s.r.st.Unit)
	}
	return s.cached
}

func (s *scope) cal() rulebook.Calendar { return s.r.book.Calendar() }

func (s *scope) instant(ms int64) rulebook.Value {
	return rulebook.Value{Type: rulebook.TypeMoment, Moment: s.cal().Instant(time.UnixMilli(ms))}
}

// Var gives called, at, cause, office, freeze, value, what the run takes, and
// discretions.
func (s *scope) Var(name string) (rulebook.Value, bool) {
	st := s.r.st
	switch name {
	case "value":
		if s.value == nil {
			return rulebook.Value{}, false
		}
		return *s.value, true
	case "called":
		if st.Called == 0 {
			return s.instant(s.at), true
		}
		return s.instant(st.Called), true
	case "at":
		return s.instant(s.at), true
	case "cause":
		return rulebook.Value{Type: rulebook.TypeWords, Words: st.Cause}, true
	case "office":
		return rulebook.Value{Type: rulebook.TypeWords, Words: st.Office}, true
	case "freeze":
		m, err := s.freeze()
		if err != nil || m == nil {
			return rulebook.Value{}, false
		}
		return rulebook.Value{Type: rulebook.TypeMoment, Moment: *m}, true
	}
	if h, ok := st.Takes[name]; ok {
		return h.Value(s.cal(), s.view())
	}
	if sl := s.r.book.Slot(name); sl != nil {
		return s.slot(sl)
	}
	return rulebook.Value{}, false
}

// slot is what was set in the run, what stands, else what holds where nobody
// decides.
func (s *scope) slot(sl *rulebook.Slot) (rulebook.Value, bool) {
	if set, ok := s.r.st.Slots[sl.Name]; ok {
		return set.Value.Value(s.cal(), s.view())
	}
	if sl.Standing {
		units := []int64{int64(s.r.st.Unit), 0}
		if s.unit != nil {
			units = []int64{s.unit.Key(), units[0], 0}
		}
		for _, u := range units {
			if set, ok := s.o.slots[fmt.Sprintf("%s@%d", sl.Name, u)]; ok {
				return set.Value.Value(s.cal(), s.view())
			}
		}
	}
	if sl.Otherwise == nil {
		return rulebook.Value{}, false
	}
	plain := *s
	plain.person, plain.candidate, plain.unit, plain.value = nil, nil, nil, nil
	v, err := sl.Otherwise.Eval(&plain)
	return v, err == nil
}

func (s *scope) freeze() (*rulebook.Moment, error) {
	if s.r.proc.Freeze == nil {
		return nil, nil
	}
	m, err := s.r.proc.Freeze.Moment(s)
	return &m, err
}

// Person gives the person or candidate in question, or one the run takes.
func (s *scope) Person(name string) (rulebook.Person, bool) {
	switch {
	case name == "person" && s.person != nil:
		return s.person, true
	case name == "candidate" && s.candidate != nil:
		return s.candidate, true
	case name == "candidate" && s.person != nil:
		return s.person, true
	}
	v, ok := s.taken(name)
	if !ok || len(v.Persons) != 1 {
		return nil, false
	}
	return v.Persons[0], true
}

// Unit gives here, the unit in question, or one the run takes.
func (s *scope) Unit(name string) (rulebook.Unit, bool) {
	switch {
	case name == "here" && s.r.st.Unit != 0:
		return s.view().Unit(s.r.st.Unit), true
	case name == "unit" && s.unit != nil:
		return s.unit, true
	}
	v, ok := s.taken(name)
	if !ok || len(v.Units) != 1 {
		return nil, false
	}
	return v.Units[0], true
}

func (s *scope) taken(name string) (rulebook.Value, bool) {
	h, ok := s.r.st.Takes[name]
	if run, of, path := strings.Cut(name, "."); !ok && path {
		taken := s.o.runs[s.r.st.Takes[run].Text]
		if taken == nil {
			return rulebook.Value{}, false
		}
		h, ok = taken.st.Takes[of]
	}
	if !ok {
		return rulebook.Value{}, false
	}
	return h.Value(s.cal(), s.view())
}

// People gives the candidates who still stand.
func (s *scope) People(name string) ([]rulebook.Person, bool) {
	if name != "candidates" {
		return nil, false
	}
	var out []rulebook.Person
	for _, c := range s.r.st.Standing() {
		out = append(out, s.view().Person(c.ID))
	}
	return out, true
}

// Run gives a procedure's latest finished run, or a decision that was taken.
func (s *scope) Run(name string) (rulebook.Run, bool) {
	if h, ok := s.r.st.Takes[name]; ok {
		r := s.o.runs[h.Text]
		return &past{r: r, s: s}, r != nil
	}
	unit := s.r.st.Unit
	if q := s.r.book.Procedure(name); q != nil && unit != 0 {
		if u, ok := s.view().Tree.Up(unit, q.In); q.In == "" {
			unit = 0
		} else if ok {
			unit = u.ID
		}
	}
	r := s.o.latest(name, unit)
	return &past{r: r, s: s}, r != nil
}

// Stage gives the times of a stage of the run.
func (s *scope) Stage(name string) (rulebook.StageTimes, bool) {
	st := s.r.st.StageNamed(name)
	if st == nil {
		_, i := s.r.proc.Stage(name)
		return rulebook.StageTimes{}, i >= 0
	}
	return s.times(st), true
}

func (s *scope) times(st *proceeding.Stage) rulebook.StageTimes {
	t := rulebook.StageTimes{Outcome: st.Outcome}
	if st.Opened != 0 {
		m := s.instant(st.Opened).Moment
		t.Opened = &m
	}
	if st.Closed != 0 {
		m := s.instant(st.Closed).Moment
		t.Closed = &m
	}
	return t
}

// Text gives what is put to the vote, with the facts that were given of it.
func (s *scope) Text(name string) (rulebook.Text, bool) { return text{s, name}, true }

type text struct {
	s    *scope
	name string
}

func (t text) Fact(name string) (rulebook.Value, bool) {
	h, ok := t.s.r.st.Takes[t.name+"."+name]
	if !ok {
		return rulebook.Value{}, false
	}
	return h.Value(t.s.cal(), t.s.view())
}

// LastDecided is when the same procedure last decided a text with the same
// objective, or the same text.
func (t text) LastDecided() (rulebook.Moment, bool) {
	key := t.name + ".objective"
	if _, ok := t.s.r.st.Takes[key]; !ok {
		key = t.name
	}
	var last int64
	for _, r := range t.s.o.runs {
		h, ok := r.st.Takes[key]
		if ok && h.Text == t.s.r.st.Takes[key].Text && r.st.Procedure == t.s.r.st.Procedure && r.st.Phase == proceeding.Ended && r.st.Voted() {
			last = max(last, r.st.Ended)
		}
	}
	if last == 0 {
		return rulebook.Moment{}, false
	}
	return t.s.instant(last).Moment, true
}

// Holders gives who holds an office in the run's unit.
func (s *scope) Holders(office string) []rulebook.Person {
	var out []rulebook.Person
	for _, t := range s.holders(office) {
		out = append(out, s.view().Person(t.Person))
	}
	return out
}

func (s *scope) holders(office string) []register.TermOfOffice {
	in := register.UnitID(0)
	if o := s.r.book.Office(office); o != nil && o.Per != "" {
		in = s.r.st.Unit
	}
	v := s.view()
	return v.Roster.Holders(office, in, v.Tree, v.At, v.Known)
}

// Next gives when a declared event takes place.
func (s *scope) Next(event string) (rulebook.Moment, bool) {
	for _, e := range s.o.events {
		if e.Event == event && e.At >= s.seen*1000-1000 {
			return s.instant(e.At).Moment, true
		}
	}
	return rulebook.Moment{}, false
}

// past shows a run as expressions see it.
type past struct {
	r *run
	s *scope
}

func (p *past) Key() string {
	if p.r == nil {
		return ""
	}
	return p.r.st.Ref
}

func (p *past) Outcome() string {
	if p.r == nil {
		return ""
	}
	return p.r.st.Outcome
}

func (p *past) Called() rulebook.Moment { return p.s.instant(p.r.st.Called).Moment }

func (p *past) Ended() (rulebook.Moment, bool) {
	if p.r == nil || p.r.st.Ended == 0 {
		return rulebook.Moment{}, false
	}
	return p.s.instant(p.r.st.Ended).Moment, true
}

func (p *past) Take(name string) (rulebook.Value, bool) {
	h, ok := p.r.st.Takes[name]
	if !ok {
		return rulebook.Value{}, false
	}
	return h.Value(p.s.cal(), p.s.view())
}

func (p *past) Stage(name string) (rulebook.StageTimes, bool) {
	st := p.r.st.StageNamed(name)
	if st == nil {
		return rulebook.StageTimes{}, false
	}
	return p.s.times(st), true
}

// notPublic stands for a number of places that follows from how many people
// belong, which a public bundle does not say.
const notPublic = -1

// places is how many people an office has room for, or notPublic.
func (s *scope) places(office string) int {
	o := s.r.book.Office(office)
	if o == nil || o.Seats == nil {
		return 1
	}
	if len(s.o.people) == 0 && strings.Contains(o.Seats.Source(), ".count(") {
		return notPublic
	}
	n, err := o.Seats.Number(s.inHere())
	if err != nil || !n.IsInt() || !n.Num().IsInt64() {
		return 1
	}
	return int(n.Num().Int64())
}

// inHere is the scope with the run's unit in question.
func (s *scope) inHere() *scope {
	c := *s
	if s.r.st.Unit != 0 {
		c.unit = s.view().Unit(s.r.st.Unit)
	}
	return &c
}

func (s *scope) vacant(office string) bool {
	if office == "office" {
		office = s.r.st.Office
	}
	places := s.places(office)
	return places == notPublic || len(s.holders(office)) < places
}

// seats is how many places a ballot fills, or notPublic.
func (s *scope) seats(r *rulebook.Stage) int {
	if r.Seats != nil {
		if n, err := r.Seats.Number(s.inHere()); err == nil && n.IsInt() && n.Num().IsInt64() {
			return int(n.Num().Int64())
		}
	}
	office := s.r.st.Office
	if office == "" {
		return 1
	}
	places := s.places(office)
	if s.r.st.Cause == "vacancy" && places != notPublic {
		if free := places - len(s.holders(office)); free > 0 {
			return free
		}
	}
	return places
}

// members are the people of a body, the holders of an office, or a person
// that the run takes.
func (s *scope) members(who rulebook.Who) ([]register.PersonID, error) {
	switch who.Kind {
	case rulebook.WhoOffice:
		return people(s.holders(who.Name)), nil
	case rulebook.WhoPerson:
		if p, ok := s.Person(who.Name); ok {
			return []register.PersonID{register.PersonID(p.Key())}, nil
		}
		return nil, nil
	}
	b := s.r.book.Body(who.Name)
	if b == nil {
		return nil, fmt.Errorf("the rulebook has no body called %s", who.Name)
	}
	if b.Drawn {
		return s.r.st.Drawn[who.Name], nil
	}
	var out []register.PersonID
	for _, office := range b.Offices {
		for _, p := range people(s.holders(office)) {
			if slices.Contains(out, p) {
				continue
			}
			c := *s
			c.person = s.view().Person(p)
			ok, err := roll.Met(b.When, &c)
			if err != nil {
				return nil, err
			}
			if ok {
				out = append(out, p)
			}
		}
	}
	return out, nil
}

func people(terms []register.TermOfOffice) []register.PersonID {
	var out []register.PersonID
	for _, t := range terms {
		if !slices.Contains(out, t.Person) {
			out = append(out, t.Person)
		}
	}
	return out
}

// alternatives are the parts of a who that lists several.
func alternatives(w *rulebook.Who) []rulebook.Who {
	switch {
	case w == nil:
		return nil
	case w.Kind == rulebook.WhoAny:
		return w.Any
	}
	return []rulebook.Who{*w}
}

// waits tells whether an evaluation failed only because something has not
// been entered yet.
func waits(err error) bool {
	var u *rulebook.Unknown
	return errors.As(err, &u)
}

// rat reads an exact number; nil where it is none.
func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok || len(s) > 200 {
		return nil
	}
	return r
}

// unkey reads a supporter or voter as entries write them down: p12 for a
// person, u4 for a unit; false where it is neither.
func unkey(s string) (person register.PersonID, unit register.UnitID, ok bool) {
	if len(s) < 2 {
		return 0, 0, false
	}
	n, err := strconv.ParseInt(s[1:], 10, 64)
	if err != nil || n <= 0 {
		return 0, 0, false
	}
	if s[0] == 'u' {
		return 0, register.UnitID(n), true
	}
	return register.PersonID(n), 0, s[0] == 'p'
}
