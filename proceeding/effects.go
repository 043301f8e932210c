package proceeding

import (
	"strings"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

func newDecider(book *rulebook.Book, st *State, w World, at int64) *decider {
	return &decider{book: book, proc: ProcedureOf(book, st), cal: book.Calendar(), st: st, world: w, at: time.UnixMilli(at).UTC()}
}

// effects does what follows an outcome, in order. Where nothing says `go`,
// the run ends with the outcome, or with the word that `end` gives.
func (d *decider) effects(list []rulebook.Effect, outcome string) error {
	next := ""
	d.outcome = outcome
	for i := range list {
		e := &list[i]
		if e.If != nil {
			ok, err := e.If.Flag(&scope{d: d})
			if err != nil && unknown(err) == "" {
				return damaged(err, "the condition of an effect")
			}
			if err != nil || !ok {
				continue
			}
		}
		switch e.Do {
		case rulebook.DoGo:
			next = e.Target
		case rulebook.DoEnd:
			outcome = e.Target
		default:
			if err := d.effect(e); err != nil {
				return err
			}
		}
	}
	if next == "" {
		return d.end(outcome)
	}
	i := stageIndex(d.proc, next)
	if i < 0 {
		return fault.New(fault.Damaged, "the rulebook goes on to a stage %s that there is not", next)
	}
	return d.enter(i)
}

// effect carries out one effect.
func (d *decider) effect(e *rulebook.Effect) error {
	done := Done{Verb: string(e.Do), Target: e.Target, At: d.now(), Says: e.Says.Text(&scope{d: d})}
	switch e.Do {
	case rulebook.DoNothing:
	case rulebook.DoReport:
		d.report(e, &done)
	case rulebook.DoFill:
		if err := d.fill(e, &done); err != nil {
			return err
		}
	case rulebook.DoVacate:
		if err := d.vacate(e, &done); err != nil {
			return err
		}
	case rulebook.DoAdopt:
		if err := d.adopt(e); err != nil {
			return err
		}
	case rulebook.DoImpose, rulebook.DoLift:
		return d.sanction(e)
	case rulebook.DoAdmit, rulebook.DoRelease:
		if err := d.membership(e, &done); err != nil {
			return err
		}
	case rulebook.DoStart, rulebook.DoStop, rulebook.DoStay, rulebook.DoResume, rulebook.DoSetAside:
		// Carried out by the chamber, which reads the entry and decides the
		// other run in the same transaction.
		if err := d.beyond(e, &done); err != nil {
			return err
		}
	default:
		return fault.New(fault.Unavailable, "this version of omov cannot carry out %q; nothing has been recorded", e.Do)
	}
	return d.emit(KindEffect, minutes.Public, &EffectBody{Done: done})
}

// beyond fills in what another run is given: the values of its takes, and the
// unit it belongs to.
func (d *decider) beyond(e *rulebook.Effect, done *Done) error {
	done.Unit = d.st.Unit
	if h, taken := d.st.Takes[e.Target]; taken { // the decision that was taken
		done.Ref = h.Text
	} else if q := d.book.Procedure(e.Target); q != nil {
		done.Unit = d.unitFor(q)
	}
	s := &scope{d: d}
	if e.In != nil {
		v, err := e.In.Eval(s)
		if err != nil || len(v.Units) != 1 {
			return damaged(err, "the unit in which "+e.Target+" begins")
		}
		done.Unit = register.UnitID(v.Units[0].Key())
	}
	for _, a := range e.With {
		v, err := a.Value.Eval(s)
		if err != nil {
			return damaged(err, "what "+e.Target+" is given as "+a.Name)
		}
		if done.With == nil {
			done.With = map[string]Held{}
		}
		done.With[a.Name] = Hold(v)
	}
	return nil
}

// unitFor is the unit in which another procedure runs, seen from this run's:
// its own, the one of that kind above it, or none.
func (d *decider) unitFor(q *rulebook.Procedure) register.UnitID {
	if q.In == "" || d.st.Unit == 0 {
		return 0
	}
	if u, ok := d.view().Tree.Up(d.st.Unit, q.In); ok {
		return u.ID
	}
	return d.st.Unit
}

func (d *decider) officeOf(target string) string {
	if target == "office" {
		return d.st.Office
	}
	return target
}

// fill puts the elected, or whom the rule names, into an office. Those who
// held it until now leave it, unless places are left for them.
func (d *decider) fill(e *rulebook.Effect, done *Done) error {
	office := d.officeOf(e.Target)
	people := d.st.Elected
	if e.Whom != nil {
		list, err := e.Whom.People(&scope{d: d})
		if err != nil {
			return damaged(err, "whom the office is filled with")
		}
		people = nil
		for _, p := range list {
			people = append(people, d.public(register.PersonID(p.Key())))
		}
	}
	if len(people) == 0 && e.Whom == nil {
		for _, c := range d.st.Standing() {
			people = append(people, c.Person)
		}
	}
	held := d.holders(office, 0)
	if len(held)+len(people) > d.places(office) {
		for _, t := range held {
			done.Left = append(done.Left, t.Person)
			if err := d.vacateTerm(t, "succeeded"); err != nil {
				return err
			}
		}
	}
	var names []string
	for _, p := range people {
		names = append(names, p.Name)
		done.People = append(done.People, p.ID)
		if err := d.fillWith(office, p, d.how()); err != nil {
			return err
		}
	}
	done.Target, done.Whom = office, strings.Join(names, ", ")
	return nil
}

// fillWith enters that somebody holds an office from now on.
func (d *decider) fillWith(office string, p Person, how string) error {
	until := int64(0)
	rule := d.book.Office(office)
	if rule != nil && rule.Term != nil {
		if span, err := rule.Term.Span(&scope{d: d}); err == nil {
			until = d.cal.Instant(d.at).Add(span, d.cal).Start().Unix()
		}
	}
	unit := register.UnitID(0)
	if rule != nil && rule.Per != "" {
		unit = d.st.Unit
	}
	return d.emit(register.KindFilled, minutes.Public, &register.FilledBody{Name: p.Name, How: how,
		Term: register.TermOfOffice{Office: office, Unit: unit, Person: p.ID, From: d.at.Unix(), Until: until}})
}

func (d *decider) how() string {
	for i := range d.st.Stages {
		if d.st.Stages[i].Draw != nil {
			return "drawn by lot"
		}
	}
	if len(d.st.Ballots) == 0 {
		return Unopposed
	}
	return Elected
}

func (d *decider) vacateTerm(t register.TermOfOffice, why string) error {
	d.ended = append(d.ended, t.ID)
	return d.emit(register.KindVacated, minutes.Public, &register.VacatedBody{Term: t.ID, At: d.at.Unix(), Why: why, Who: t.Person})
}

func (d *decider) vacate(e *rulebook.Effect, done *Done) error {
	only := map[register.PersonID]bool{}
	if e.Whom != nil {
		list, err := e.Whom.People(&scope{d: d})
		if err != nil {
			return damaged(err, "who leaves the office")
		}
		for _, p := range list {
			only[register.PersonID(p.Key())] = true
		}
	}
	var names []string
	done.Target = d.officeOf(e.Target)
	for _, t := range d.holders(done.Target, 0) {
		if e.Whom != nil && !only[t.Person] {
			continue
		}
		names = append(names, d.personName(t.Person))
		done.Left = append(done.Left, t.Person)
		if err := d.vacateTerm(t, "vacated"); err != nil {
			return err
		}
	}
	done.Whom = strings.Join(names, ", ")
	return nil
}

// adopt takes the text that was put, or what the stage says.
func (d *decider) adopt(e *rulebook.Effect) error {
	text, objective := "", ""
	for _, t := range d.proc.Takes {
		if t.Is == rulebook.TakeText && (t.Of == e.Target || text == "") {
			text, objective = d.st.Takes[t.Name].Text, d.st.Takes[t.Name+".objective"].Text
		}
	}
	if text == "" {
		for i := len(d.st.Ballots) - 1; i >= 0 && text == ""; i-- {
			text = d.st.Ballots[i].Question
		}
	}
	b := &AdoptedBody{Kind: e.Target, Text: text, InForce: d.now(), Unit: d.st.Unit, Objective: objective}
	if e.InForce != nil {
		m, err := e.InForce.Moment(&scope{d: d})
		if err != nil {
			return damaged(err, "when the text comes into force")
		}
		b.InForce = m.Start().UnixMilli()
	}
	return d.emit(KindAdopted, minutes.Public, b)
}

// sanction imposes or lifts a sanction: an entry of the register that only
// officers read, and one of the run for those concerned.
func (d *decider) sanction(e *rulebook.Effect) error {
	if e.Whom == nil {
		return fault.New(fault.Damaged, "%s %s does not say on whom", e.Do, e.Target)
	}
	list, err := e.Whom.People(&scope{d: d})
	if err != nil {
		return damaged(err, "on whom a sanction falls")
	}
	done := Sanctioned{Verb: string(e.Do), Sanction: e.Target}
	if e.Until != nil {
		m, err := e.Until.Moment(&scope{d: d})
		if err != nil {
			return damaged(err, "until when a sanction lasts")
		}
		done.Until = m.End().Unix()
	}
	for _, p := range list {
		done.Whom = append(done.Whom, register.PersonID(p.Key()))
	}
	if len(done.Whom) == 0 {
		return nil
	}
	if err := d.applySanction(done); err != nil {
		return err
	}
	return d.emit(KindSanction, minutes.Parties, &SanctionBody{Done: done})
}

// applySanction enters a sanction in the register. Lifting one that nobody is
// under changes nothing.
func (d *decider) applySanction(s Sanctioned) error {
	term, ok := d.view().Terms[s.Sanction]
	if !ok {
		return fault.New(fault.Internal, "the book's vocabulary lacks the sanction %s", s.Sanction)
	}
	c := register.Change{Aspect: register.Sanction, Name: term, From: d.at.Unix(), Until: s.Until, End: s.Verb == string(rulebook.DoLift)}
	b := &register.ImportedBody{}
	for _, p := range s.Whom {
		b.Rows = append(b.Rows, register.PersonRow{Person: p, Changes: []register.Change{c}})
	}
	return d.emit(register.KindChanged, minutes.Officers, b)
}

// membership admits to a class or opens a unit; releases from a class or
// closes the run's own unit.
func (d *decider) membership(e *rulebook.Effect, done *Done) error {
	admits := e.Do == rulebook.DoAdmit
	if kind := d.book.UnitKind(e.Target); kind != nil && admits {
		u := register.Unit{ID: d.view().Tree.Next(), Kind: kind.Name, Parent: d.st.Unit, Name: d.st.Takes["name"].Text}
		if u.Name == "" {
			return fault.Under(fault.Invalid, d.cite(), "a new %s needs a name: let the procedure take `name: words`", spaced(kind.Name))
		}
		done.Unit, done.Whom = u.ID, u.Name
		return d.emit(register.KindUnits, minutes.Public, &register.UnitsBody{At: d.at.Unix(), Units: []register.Unit{u}})
	}
	if e.Target == "here" {
		u := d.view().Tree.Unit(d.st.Unit)
		if u == nil || admits {
			return fault.New(fault.Damaged, "the run is in no unit that could leave")
		}
		done.Unit, done.Whom = u.ID, u.Name
		return d.emit(register.KindUnits, minutes.Public, &register.UnitsBody{At: d.at.Unix(), Ends: true, Units: []register.Unit{*u}})
	}
	if e.Whom == nil {
		return fault.New(fault.Damaged, "%s %s does not say whom", e.Do, e.Target)
	}
	list, err := e.Whom.People(&scope{d: d})
	if err != nil {
		return damaged(err, "whom "+string(e.Do)+" means")
	}
	term, ok := d.view().Terms[e.Target]
	if !ok {
		return fault.New(fault.Internal, "the book's vocabulary lacks the class %s", e.Target)
	}
	b := &register.ImportedBody{}
	for _, p := range list {
		id := register.PersonID(p.Key())
		changes := []register.Change{{Aspect: register.Belongs, Name: term, Unit: d.st.Unit, From: d.at.Unix()}}
		if !admits {
			changes = d.view().Person(id).Leaving(term, d.at.Unix())
		}
		if len(changes) > 0 {
			b.Rows = append(b.Rows, register.PersonRow{Person: id, Changes: changes})
		}
	}
	if len(b.Rows) == 0 {
		return nil
	}
	return d.emit(register.KindChanged, minutes.Officers, b)
}
