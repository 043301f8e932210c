package proceeding

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
)

// Command is something somebody asks for, or that falls due.
type Command interface{ decide(*decider) error }

// Actor is who asks. System acts where the rule itself does, or where an act
// is entered for a body as a whole.
type Actor struct {
	Person register.PersonID
	System bool
}

// Decide gives the entries that follow from a command at an instant, or the
// refusal. st is nil for Begin. It changes nothing: the state as it will be
// comes back beside the entries.
func Decide(book *rulebook.Book, st *State, cmd Command, at time.Time, w World) (*State, []minutes.Entry, error) {
	d := &decider{book: book, cal: book.Calendar(), world: w, at: at}
	if st != nil {
		d.st = st.Clone()
		d.proc = ProcedureOf(book, st)
		if d.proc == nil {
			return nil, nil, fault.New(fault.Damaged, "%s runs %s, which its rulebook does not have", st.Ref, st.Procedure)
		}
		if _, ok := cmd.(Tick); !ok {
			if err := (Tick{}).decide(d); err != nil {
				return nil, nil, err
			}
		}
	} else {
		d.st = &State{Current: -1}
	}
	due := len(d.out)
	if err := cmd.decide(d); err != nil {
		if due > 0 && fault.Of(err) != nil {
			// What has fallen due is recorded even where the command is refused.
			return d.st, d.out[:due], err
		}
		return nil, nil, err
	}
	return d.st, d.out, nil
}

// decider works on one command.
type decider struct {
	book    *rulebook.Book
	proc    *rulebook.Procedure
	cal     rulebook.Calendar
	st      *State
	world   World
	at      time.Time
	out     []minutes.Entry
	office  string // in which the actor acts
	cached  *roll.View
	ended   []int64 // terms of office that this decision has ended already
	steps   int
	outcome string // whose effects are carried out
}

func (d *decider) view() *roll.View {
	if d.cached == nil || d.cached.Here != d.st.Unit {
		d.cached = d.world.View(d.st.Unit)
	}
	return d.cached
}

func (d *decider) now() int64 { return d.at.UnixMilli() }

// cite is the clause that stands behind what happens now: the current
// stage's, else the procedure's.
func (d *decider) cite() string {
	if s := d.stageRule(); s != nil && s.Cite != "" {
		return s.Cite
	}
	if d.proc != nil {
		return d.proc.Cite
	}
	return ""
}

func (d *decider) stageRule() *rulebook.Stage {
	if d.proc == nil || d.st.Current < 0 || d.st.Current >= len(d.proc.Stages) {
		return nil
	}
	return &d.proc.Stages[d.st.Current]
}

// emit adds an entry and applies it to the state.
func (d *decider) emit(kind string, access minutes.Access, body any) error {
	b, ready := body.([]byte)
	var err error
	if !ready {
		b, err = minutes.Canonical(body)
	}
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the entry %s cannot be written", kind)
	}
	e := minutes.Entry{Kind: kind, Access: access, Office: d.office, Proceeding: d.st.Ref, Rulebook: d.book.Hash, Clause: d.cite(), Body: b}
	if d.book.Private(d.proc) {
		// The record of a case is for those concerned. What it changes in the
		// register is entered there, and says nothing of the case.
		e.Access = minutes.Parties
		switch kind {
		case register.KindChanged, register.KindFilled, register.KindVacated:
			e.Access, e.Proceeding, e.Office, e.Clause = access, "", "", ""
		}
	}
	d.out = append(d.out, e)
	return d.st.Apply(d.st.Ref, d.book.Hash, kind, d.office, b)
}

// voter is who supports or votes: a person or a unit.
type voter struct {
	person register.PersonID
	unit   register.UnitID
}

// Key writes a voter down: p12 or u4.
func (v voter) key() string {
	if v.unit != 0 {
		return "u" + strconv.FormatInt(int64(v.unit), 10)
	}
	return "p" + strconv.FormatInt(int64(v.person), 10)
}

func readVoter(s string) voter {
	if len(s) < 2 {
		return voter{}
	}
	n, err := strconv.ParseInt(s[1:], 10, 64)
	if err != nil {
		return voter{}
	}
	if s[0] == 'u' {
		return voter{unit: register.UnitID(n)}
	}
	return voter{person: register.PersonID(n)}
}

func (d *decider) voterName(v voter) string {
	if v.unit != 0 {
		return d.view().Unit(v.unit).Name()
	}
	return d.personName(v.person)
}

func (d *decider) personName(p register.PersonID) string {
	if n := d.view().Person(p).Name(); n != "" {
		return n
	}
	return "Person " + strconv.FormatInt(int64(p), 10)
}

func (d *decider) public(p register.PersonID) Person { return Person{ID: p, Name: d.personName(p)} }

// holders gives the terms of an office in force: of the run's unit where the
// office is one per unit, of unit `of` if it is not 0.
func (d *decider) holders(office string, of register.UnitID) []register.TermOfOffice {
	v := d.view()
	in := of
	if o := d.book.Office(office); in == 0 && o != nil && o.Per != "" {
		in = d.st.Unit
	}
	terms := v.Roster.Holders(office, in, v.Tree, v.At, v.Known)
	if len(d.ended) == 0 {
		return terms
	}
	return slices.DeleteFunc(terms, func(t register.TermOfOffice) bool { return slices.Contains(d.ended, t.ID) })
}

// holds tells whether a person holds an office, in a unit or (0) anywhere the
// run reaches.
func (d *decider) holds(p register.PersonID, office string, of register.UnitID) bool {
	for _, t := range d.holders(office, of) {
		if t.Person == p && (of == 0 || t.Unit == of) {
			return true
		}
	}
	return false
}

// members gives the people of a body, the holders of an office, or a person
// that the run takes.
func (d *decider) members(who rulebook.Who) ([]register.PersonID, error) {
	switch who.Kind {
	case rulebook.WhoOffice:
		var out []register.PersonID
		for _, t := range d.holders(who.Name, 0) {
			out = append(out, t.Person)
		}
		return out, nil
	case rulebook.WhoPerson:
		s := &scope{d: d}
		if p, ok := s.Person(who.Name); ok {
			return []register.PersonID{register.PersonID(p.Key())}, nil
		}
		return nil, nil
	}
	if b := d.book.Body(who.Name); b != nil && b.Drawn {
		return d.st.Drawn[who.Name], nil
	}
	return Members(d.book, d.view(), who.Name, &scope{d: d})
}

// Members gives the people of a body as a view shows them. Where the body's
// condition is not about offices alone, somebody has to go through the whole
// register, and this gives an error.
func Members(book *rulebook.Book, v *roll.View, body string, s rulebook.Scope) ([]register.PersonID, error) {
	b := book.Body(body)
	if b == nil {
		return nil, fault.New(fault.NotFound, "the rulebook has no body called %s", body)
	}
	if b.When != nil && len(b.Offices) == 0 {
		return nil, fault.New(fault.Invalid, "who sits in %s cannot be listed: its condition is not about offices", body)
	}
	seen := map[register.PersonID]bool{}
	var out []register.PersonID
	for _, o := range b.Offices {
		in := register.UnitID(0)
		if rule := book.Office(o); rule != nil && rule.Per != "" {
			in = v.Here
		}
		for _, t := range v.Roster.Holders(o, in, v.Tree, v.At, v.Known) {
			if seen[t.Person] {
				continue
			}
			seen[t.Person] = true
			ok, err := roll.Met(b.When, &withPerson{Scope: s, p: v.Person(t.Person)})
			if err != nil {
				return nil, damaged(err, "who sits in "+body)
			}
			if ok {
				out = append(out, t.Person)
			}
		}
	}
	return out, nil
}

// withPerson adds the person in question to a scope.
type withPerson struct {
	rulebook.Scope
	p rulebook.Person
}

// Person gives the person in question under the names that mean them.
func (w *withPerson) Person(name string) (rulebook.Person, bool) {
	if name == "person" || name == "candidate" {
		return w.p, true
	}
	return w.Scope.Person(name)
}

// chosen resolves a who that is left to a discretion.
func (d *decider) chosen(who rulebook.Who) (rulebook.Who, error) {
	if who.Kind != rulebook.WhoSlot {
		return who, nil
	}
	sl := d.book.Slot(who.Name)
	if sl == nil {
		return who, fault.New(fault.Damaged, "the rulebook has no discretion called %s", who.Name)
	}
	v, ok := d.slotValue(sl, d.st.Unit)
	if !ok {
		return who, &rulebook.Unknown{Name: who.Name}
	}
	for _, w := range who.Any {
		if w.Name == v.Words {
			return w, nil
		}
	}
	return who, fault.New(fault.Damaged, "%s is set to %q, which nobody is", who.Name, v.Words)
}

// isWho tells whether a voter is one of who.
func (d *decider) isWho(by voter, who rulebook.Who) (bool, error) {
	who, err := d.chosen(who)
	if err != nil {
		return false, err
	}
	if who.Kind == rulebook.WhoAny {
		for _, w := range who.Any {
			if ok, err := d.isWho(by, w); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	}
	if (who.Kind == rulebook.WhoUnit) != (by.unit != 0) {
		return false, nil
	}
	switch who.Kind {
	case rulebook.WhoUnit:
		u := d.view().Tree.Unit(by.unit)
		return u != nil && u.Kind == who.Name && u.Closed == 0 && d.view().Tree.Within(u.ID, d.st.Unit), nil
	case rulebook.WhoClass:
		return d.view().Person(by.person).Is(who.Name), nil
	case rulebook.WhoElectorate:
		return d.inElectorate(by.person, who)
	}
	if who.Kind == rulebook.WhoBody {
		return d.sits(by.person, who.Name)
	}
	people, err := d.members(who)
	return slices.Contains(people, by.person), err
}

// sits tells whether a person sits in a body: by what is known of that person
// alone, without going through all who sit there.
func (d *decider) sits(p register.PersonID, body string) (bool, error) {
	b := d.book.Body(body)
	switch {
	case b == nil:
		return false, fault.New(fault.NotFound, "the rulebook has no body called %s", body)
	case b.Drawn:
		return slices.Contains(d.st.Drawn[body], p), nil
	case b.When == nil:
		return false, nil
	case len(b.Offices) == 0:
		return false, fault.New(fault.Invalid, "who sits in %s cannot be listed: its condition is not about offices", body)
	}
	v := d.view()
	for _, t := range v.Roster.Of(p, v.At, v.Known) {
		rule := d.book.Office(t.Office)
		if !slices.Contains(b.Offices, t.Office) || rule != nil && rule.Per != "" && v.Here != 0 && !v.Tree.Within(t.Unit, v.Here) {
			continue
		}
		ok, err := roll.Met(b.When, &withPerson{Scope: &scope{d: d}, p: v.Person(p)})
		if err != nil {
			return false, damaged(err, "who sits in "+body)
		}
		return ok, nil
	}
	return false, nil
}

func (d *decider) inElectorate(p register.PersonID, who rulebook.Who) (bool, error) {
	in, _, err := d.whyNotIn(p, who)
	return in, err
}

// whyNotIn tells whether somebody is in an electorate, and if not the first
// condition that they do not meet.
func (d *decider) whyNotIn(p register.PersonID, who rulebook.Who) (bool, roll.Reason, error) {
	var why roll.Reason
	plan, err := roll.NewPlan(d.book, who, &scope{d: d}, d.view(), d.freezeOrNil())
	if err != nil {
		return false, why, err
	}
	lines, err := plan.Assessor().Assess(d.view().Person(p), nil)
	if err != nil {
		return false, why, err
	}
	for i, l := range lines {
		if l.Reason == 0 {
			return true, roll.Reason{}, nil
		}
		if why.ID == "" {
			why = plan.Sections[plan.People[i]].Reasons[l.Reason]
		}
	}
	return false, why, nil
}

// barred tells which sanction, if any, takes a right away from a person.
func (d *decider) barred(p register.PersonID, right string) (string, string, bool) {
	v := d.view()
	rec := v.Person(p).Rec
	for i := range d.book.Sanctions {
		s := &d.book.Sanctions[i]
		for _, r := range s.Removes {
			if term, ok := v.Terms[s.Name]; ok && r == right && rec.Has(register.Sanction, term, v.At, v.Known) {
				return s.Name, s.Cite, true
			}
		}
	}
	return "", "", false
}

// words names a who for people.
func (d *decider) words(w rulebook.Who) string {
	return Words(d.book, w)
}

// Words names a who for people: its sentence where the rulebook gives one,
// else its name with spaces.
func Words(book *rulebook.Book, w rulebook.Who) string {
	switch w.Kind {
	case rulebook.WhoBody:
		return "members of the " + spaced(w.Name)
	case rulebook.WhoUnit:
		return article(w.Name) + spaced(w.Name)
	case rulebook.WhoOffice:
		return "the " + spaced(w.Name)
	case rulebook.WhoAny:
		var parts []string
		for _, x := range w.Any {
			parts = append(parts, Words(book, x))
		}
		return orList(parts)
	}
	return spaced(w.Name)
}

// article is the indefinite article of an English word.
func article(word string) string {
	if word != "" && strings.ContainsRune("aeio", rune(word[0])) {
		return "an "
	}
	return "a "
}

func spaced(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] == '_' {
			b[i] = ' '
		}
	}
	return string(b)
}

// freeze evaluates the procedure's freeze; nil where it has none.
func (d *decider) freeze() (*rulebook.Moment, error) {
	if d.proc == nil || d.proc.Freeze == nil {
		return nil, nil
	}
	m, err := d.proc.Freeze.Moment(&scope{d: d})
	if err != nil {
		return nil, err
	}
	return &m, nil
}

func (d *decider) freezeOrNil() *rulebook.Moment {
	m, err := d.freeze()
	if err != nil {
		return nil
	}
	return m
}

// show writes a person's or an officer's instant for a refusal.
func (d *decider) show(ms int64) string {
	m := d.cal.Instant(time.UnixMilli(ms))
	if h, mi, s := m.T.Clock(); h == 0 && mi == 0 && s == 0 {
		return "the end of " + m.T.AddDate(0, 0, -1).Format("2 January 2006")
	}
	return m.T.Format("2 January 2006, 15:04")
}

// showOpens is show for an instant at which something begins: a midnight is the
// start of its day.
func (d *decider) showOpens(ms int64) string {
	if ms == 0 {
		return "a day that is not known yet"
	}
	m := d.cal.Instant(time.UnixMilli(ms))
	if h, mi, s := m.T.Clock(); h == 0 && mi == 0 && s == 0 {
		return m.T.Format("2 January 2006")
	}
	return m.T.Format("2 January 2006, 15:04")
}

// officer checks that the actor holds one of the offices that the rulebook
// lets close ballots and record for bodies (powers), and notes it.
func (d *decider) officer(a Actor) error {
	if a.System {
		return nil
	}
	for _, o := range Officers(d.book) {
		if d.holds(a.Person, o, 0) {
			d.office = o
			return nil
		}
	}
	if len(Officers(d.book)) == 0 {
		return fault.Under(fault.NotEntitled, d.cite(), "by this rulebook nobody can do this: no office has the power to close ballots")
	}
	return fault.Under(fault.NotEntitled, d.cite(), "only %s can do this", orList(officeWords(Officers(d.book))))
}

// Officers gives the offices that the rulebook entrusts with running
// ballots: those with the power to close.
func Officers(book *rulebook.Book) []string {
	var out []string
	seen := map[string]bool{}
	for _, p := range book.Powers {
		for _, m := range p.May {
			if m != "close" {
				continue
			}
			for _, w := range p.Who {
				if w.Kind == rulebook.WhoOffice && !seen[w.Name] {
					seen[w.Name] = true
					out = append(out, w.Name)
				}
			}
		}
	}
	return out
}

// ClosersNeeded is how many different offices have to close a ballot.
func ClosersNeeded(book *rulebook.Book) int {
	for _, p := range book.Powers {
		for _, m := range p.May {
			if m == "close" && p.Together {
				return len(p.Who)
			}
		}
	}
	return 1
}

func officeWords(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = "the " + spaced(n)
	}
	return out
}
