package proceeding

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
)

// World is what Decide may ask about everything outside the run. It shows one
// snapshot; asking twice gives the same answer.
type World interface {
	// View looks at people and units at the instant of the decision, with
	// classes meaning those within unit `here`.
	View(here register.UnitID) *roll.View
	// Count is how many people in the register are who; it may take long.
	Count(who rulebook.Who, here register.UnitID, scope rulebook.Scope, freeze *rulebook.Moment) (int64, error)
	// Least counts the people in each section of who that is not listed, up to
	// a number at which there is no need to go on; it may take long.
	Least(who rulebook.Who, here register.UnitID, scope rulebook.Scope, freeze *rulebook.Moment, least int64) ([]int64, error)
	// Shift compares two rolls of the same voters, each with its own scope and
	// freeze: how many are on either, and how many on one only. It may take
	// long.
	Shift(who rulebook.Who, here register.UnitID, scopes [2]rulebook.Scope, freezes [2]*rulebook.Moment) (before, after, moved int64, err error)
	// Next is when a declared event takes place.
	Next(event string) (rulebook.Moment, bool)
	// Latest is a procedure's latest finished run.
	Latest(procedure string, here register.UnitID) (*State, bool)
	// Decided is when a run of a procedure that took a value (its text) as what
	// it takes under a name last came to a decision, Unix milliseconds; 0 where
	// none has.
	Decided(procedure, take, value string) int64
	// Run gives a run by its reference.
	Run(ref string) (*State, bool)
	// Live gives the references of runs of a procedure that have not ended.
	Live(procedure string, here register.UnitID, office string) []string
	// Slot gives a standing slot's value as a unit, or the organisation, set it.
	Slot(name string, unit register.UnitID) (Slot, bool)
}

// Held is a value as an entry keeps it: its type and its text. Moments are
// 2006-01-02 or RFC 3339, spans "months days working-days hours", numbers and
// shares exact fractions, people and units their numbers.
type Held struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// Hold writes a value down.
func Hold(v rulebook.Value) Held {
	h := Held{Type: string(v.Type)}
	switch v.Type {
	case rulebook.TypeFlag:
		h.Text = strconv.FormatBool(v.Flag)
	case rulebook.TypeNumber, rulebook.TypeShare:
		h.Text = v.Number.RatString()
	case rulebook.TypeWords:
		h.Text = v.Words
	case rulebook.TypeMoment:
		h.Text = v.Moment.T.UTC().Format(time.RFC3339)
		if v.Moment.IsDay {
			h.Text = v.Moment.Day().String()
		}
	case rulebook.TypeSpan:
		s := v.Span
		h.Text = strings.Join([]string{strconv.Itoa(s.Months), strconv.Itoa(s.Days), strconv.Itoa(s.WorkingDays), strconv.Itoa(s.Hours)}, " ")
	case rulebook.TypeMoney:
		h.Text = strconv.FormatInt(v.Money.Minor, 10) + " " + v.Money.Currency
	case rulebook.TypePerson, rulebook.TypePeople:
		var ids []string
		for _, p := range v.Persons {
			ids = append(ids, strconv.FormatInt(p.Key(), 10))
		}
		h.Text = strings.Join(ids, " ")
	case rulebook.TypeUnit:
		if len(v.Units) > 0 {
			h.Text = strconv.FormatInt(v.Units[0].Key(), 10)
		}
	}
	return h
}

// Value reads what Hold wrote; false where it is not of its type.
func (h Held) Value(cal rulebook.Calendar, v *roll.View) (rulebook.Value, bool) {
	out := rulebook.Value{Type: rulebook.ValueType(h.Type)}
	switch out.Type {
	case rulebook.TypeFlag:
		out.Flag = h.Text == "true"
	case rulebook.TypeNumber, rulebook.TypeShare:
		n, ok := new(big.Rat).SetString(h.Text)
		out.Number = n
		return out, ok
	case rulebook.TypeWords:
		out.Words = h.Text
	case rulebook.TypeMoment:
		return heldMoment(out, h.Text, cal)
	case rulebook.TypeSpan:
		return heldSpan(out, h.Text)
	case rulebook.TypeMoney:
		n, cur, _ := strings.Cut(h.Text, " ")
		m, err := strconv.ParseInt(n, 10, 64)
		out.Money = rulebook.Money{Minor: m, Currency: cur}
		return out, err == nil
	case rulebook.TypePerson, rulebook.TypePeople:
		for _, s := range strings.Fields(h.Text) {
			id, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				return out, false
			}
			out.Persons = append(out.Persons, v.Person(register.PersonID(id)))
		}
	case rulebook.TypeUnit:
		id, err := strconv.ParseInt(h.Text, 10, 64)
		if err != nil {
			return out, false
		}
		out.Units = []rulebook.Unit{v.Unit(register.UnitID(id))}
	}
	return out, true
}

func heldMoment(out rulebook.Value, text string, cal rulebook.Calendar) (rulebook.Value, bool) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		out.Moment = cal.Instant(t)
		return out, true
	}
	t, err := time.Parse("2006-01-02", text)
	out.Moment = cal.Moment(rulebook.Day(t.Unix() / 86400))
	return out, err == nil
}

func heldSpan(out rulebook.Value, text string) (rulebook.Value, bool) {
	f := strings.Fields(text)
	if len(f) != 4 {
		return out, false
	}
	var n [4]int
	for i := range f {
		v, err := strconv.Atoi(f[i])
		if err != nil {
			return out, false
		}
		n[i] = v
	}
	out.Span = rulebook.Span{Months: n[0], Days: n[1], WorkingDays: n[2], Hours: n[3]}
	return out, true
}

// scope is what the run's expressions see.
type scope struct {
	d *decider
	// set for one evaluation
	person, candidate rulebook.Person
	unit              rulebook.Unit
	value             *rulebook.Value
}

var _ rulebook.Scope = (*scope)(nil)

// Over is the scope over another snapshot.
func (s *scope) Over(w World) rulebook.Scope {
	d, out := *s.d, *s
	d.world, d.cached = w, nil
	out.d = &d
	return &out
}

// Key names the run, the state it is in and what it takes: what the answers
// of the scope depend on besides the register, the organisation's own state
// and the time. A count under another key is another count.
func (s *scope) Key() string {
	st := s.d.st
	var b strings.Builder
	fmt.Fprintf(&b, "%s|%d|%s|%s|%s", st.Ref, st.Version, st.Procedure, st.Office, st.Cause)
	if s.unit != nil {
		fmt.Fprintf(&b, "|unit %d", s.unit.Key())
	}
	for _, name := range slices.Sorted(maps.Keys(st.Takes)) {
		fmt.Fprintf(&b, "|%q=%q", name, st.Takes[name])
	}
	return b.String()
}

// Var gives called, cause, office, freeze, what the run takes and slots.
func (s *scope) Var(name string) (rulebook.Value, bool) {
	d := s.d
	switch name {
	case "value":
		if s.value != nil {
			return *s.value, true
		}
		return rulebook.Value{}, false
	case "called":
		at := d.st.Called
		if at == 0 {
			at = d.at.UnixMilli()
		}
		return moment(d.cal.Instant(time.UnixMilli(at))), true
	case "at":
		return moment(d.cal.Instant(d.at)), true
	case "cause":
		return rulebook.Value{Type: rulebook.TypeWords, Words: d.st.Cause}, true
	case "office":
		return rulebook.Value{Type: rulebook.TypeWords, Words: d.st.Office}, true
	case "freeze":
		m, err := d.freeze()
		if err != nil || m == nil {
			return rulebook.Value{}, false
		}
		return moment(*m), true
	}
	if h, ok := d.st.Takes[name]; ok {
		return h.Value(d.cal, d.view())
	}
	if sl := d.book.Slot(name); sl != nil {
		return d.slotValue(sl, s.here())
	}
	return rulebook.Value{}, false
}

func (s *scope) here() register.UnitID {
	if s.unit != nil {
		return register.UnitID(s.unit.Key())
	}
	return s.d.st.Unit
}

func moment(m rulebook.Moment) rulebook.Value {
	return rulebook.Value{Type: rulebook.TypeMoment, Moment: m}
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
	if v, ok := s.taken(name); ok && len(v.Persons) == 1 {
		return v.Persons[0], true
	}
	return nil, false
}

// taken gives what the run takes, or what a decision that it takes took:
// `subject`, `decision.subject`.
func (s *scope) taken(name string) (rulebook.Value, bool) {
	if h, ok := s.d.st.Takes[name]; ok {
		return h.Value(s.d.cal, s.d.view())
	}
	run, of, ok := strings.Cut(name, ".")
	if !ok {
		return rulebook.Value{}, false
	}
	h, ok := s.d.st.Takes[run]
	if !ok {
		return rulebook.Value{}, false
	}
	st, ok := s.d.world.Run(h.Text)
	if !ok {
		return rulebook.Value{}, false
	}
	h, ok = st.Takes[of]
	if !ok {
		return rulebook.Value{}, false
	}
	return h.Value(s.d.cal, s.d.view())
}

// Unit gives here, the unit in question, or one the run takes.
func (s *scope) Unit(name string) (rulebook.Unit, bool) {
	switch {
	case name == "here" && s.d.st.Unit != 0:
		return s.d.view().Unit(s.d.st.Unit), true
	case name == "unit" && s.unit != nil:
		return s.unit, true
	}
	if v, ok := s.taken(name); ok && len(v.Units) == 1 {
		return v.Units[0], true
	}
	return nil, false
}

// People gives the candidates who still stand.
func (s *scope) People(name string) ([]rulebook.Person, bool) {
	if name != "candidates" {
		return nil, false
	}
	var out []rulebook.Person
	for _, c := range s.d.st.Standing() {
		out = append(out, s.d.view().Person(c.ID))
	}
	return out, true
}

// Run gives a procedure's latest finished run, or a decision that was taken.
func (s *scope) Run(name string) (rulebook.Run, bool) {
	if h, ok := s.d.st.Takes[name]; ok {
		st, found := s.d.world.Run(h.Text)
		return &finished{st: st, d: s.d}, found
	}
	unit := s.d.st.Unit
	if q := s.d.book.Procedure(name); q != nil {
		unit = s.d.unitFor(q)
	}
	st, ok := s.d.world.Latest(name, unit)
	return &finished{st: st, d: s.d}, ok
}

// Stage gives the times of a stage of the run.
func (s *scope) Stage(name string) (rulebook.StageTimes, bool) {
	st := s.d.st.StageNamed(name)
	if st == nil {
		return rulebook.StageTimes{}, s.d.proc != nil && stageIndex(s.d.proc, name) >= 0
	}
	return stageTimes(st, s.d.cal), true
}

func stageTimes(st *Stage, cal rulebook.Calendar) rulebook.StageTimes {
	t := rulebook.StageTimes{Outcome: st.Outcome}
	if st.Opened != 0 {
		m := cal.Instant(time.UnixMilli(st.Opened))
		t.Opened = &m
	}
	if st.Closed != 0 {
		m := cal.Instant(time.UnixMilli(st.Closed))
		t.Closed = &m
	}
	return t
}

// Text gives what is put to the vote, with the facts that were given of it.
func (s *scope) Text(name string) (rulebook.Text, bool) { return text{s.d, name}, true }

type text struct {
	d    *decider
	name string
}

// Fact is what the caller gave of the text: it is kept with what the run
// takes, as `text.objective`.
func (t text) Fact(name string) (rulebook.Value, bool) {
	h, ok := t.d.st.Takes[t.name+"."+name]
	if !ok {
		return rulebook.Value{}, false
	}
	return h.Value(t.d.cal, t.d.view())
}

// LastDecided is when the same procedure last decided a text with the same
// objective; where texts have none, the same text.
func (t text) LastDecided() (rulebook.Moment, bool) {
	key := t.name + ".objective"
	mine, ok := t.d.st.Takes[key]
	if !ok {
		key, mine = t.name, t.d.st.Takes[t.name]
	}
	at := t.d.world.Decided(t.d.st.Procedure, key, mine.Text)
	if at == 0 {
		return rulebook.Moment{}, false
	}
	return t.d.cal.Instant(time.UnixMilli(at)), true
}

// Holders gives who holds an office in the run's unit.
func (s *scope) Holders(office string) []rulebook.Person {
	v := s.d.view()
	var out []rulebook.Person
	for _, t := range s.d.holders(office, 0) {
		out = append(out, v.Person(t.Person))
	}
	return out
}

// Next gives when a declared event takes place.
func (s *scope) Next(event string) (rulebook.Moment, bool) { return s.d.world.Next(event) }

// finished shows a state as expressions see a run.
type finished struct {
	st *State
	d  *decider
}

func (f *finished) Key() string {
	if f.st == nil {
		return ""
	}
	return f.st.Ref
}

func (f *finished) Outcome() string {
	if f.st == nil {
		return ""
	}
	return f.st.Outcome
}

func (f *finished) Called() rulebook.Moment { return f.d.cal.Instant(time.UnixMilli(f.st.Called)) }

func (f *finished) Ended() (rulebook.Moment, bool) {
	if f.st == nil || f.st.Ended == 0 {
		return rulebook.Moment{}, false
	}
	return f.d.cal.Instant(time.UnixMilli(f.st.Ended)), true
}

func (f *finished) Take(name string) (rulebook.Value, bool) {
	h, ok := f.st.Takes[name]
	if !ok {
		return rulebook.Value{}, false
	}
	return h.Value(f.d.cal, f.d.view())
}

func (f *finished) Stage(name string) (rulebook.StageTimes, bool) {
	st := f.st.StageNamed(name)
	if st == nil {
		return rulebook.StageTimes{}, false
	}
	return stageTimes(st, f.d.cal), true
}

func stageIndex(p *rulebook.Procedure, name string) int {
	for i := range p.Stages {
		if p.Stages[i].Name == name {
			return i
		}
	}
	return -1
}

// unknown gives the name of what an evaluation waits for, empty if err is
// something else.
func unknown(err error) string {
	var u *rulebook.Unknown
	if errors.As(err, &u) {
		return u.Name
	}
	return ""
}

func damaged(err error, what string) error {
	return fault.Wrap(fault.Damaged, err, "%s cannot be evaluated", what)
}

// Plain is the scope of what is evaluated outside any run, in a unit.
func Plain(book *rulebook.Book, w World, at time.Time, unit register.UnitID) rulebook.Scope {
	return &scope{d: &decider{book: book, cal: book.Calendar(), world: w, at: at, st: &State{Unit: unit, Current: -1}}}
}

// Places is how many people an office has room for, in a unit.
func Places(book *rulebook.Book, w World, at time.Time, unit register.UnitID, office string) int {
	d := &decider{book: book, cal: book.Calendar(), world: w, at: at, st: &State{Unit: unit, Current: -1}}
	return d.places(office)
}
