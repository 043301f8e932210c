package proceeding

import (
	"maps"
	"strings"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// Started is the cause of a run that another one's effect began.
const Started = "start"

// Begin calls a procedure, or begins to collect the support that a call
// needs. Ref is the reference it will have. Backers support at once; with
// Collect, a call that has too few of them yet stays open for more, else it is
// refused.
type Begin struct {
	Ref       string
	Procedure string
	Unit      register.UnitID
	Office    string
	Cause     string // vacancy, challenge, …; empty: the first way that fits
	By        Actor
	Backers   []register.PersonID
	Units     []register.UnitID // backing units, recorded by By
	Takes     map[string]Held
	Collect   bool
	Started   bool // by another run's effect: no way of beginning is looked for
	Itself    bool // by the rule itself: an event, a vacancy, time
}

func (c Begin) decide(d *decider) error {
	d.proc = d.book.Procedure(c.Procedure)
	if d.proc == nil {
		return fault.New(fault.NotFound, "the rulebook has no procedure called %s", c.Procedure)
	}
	d.st = &State{Ref: c.Ref, Procedure: c.Procedure, Book: d.book.Hash, Unit: c.Unit, Office: c.Office, Takes: c.Takes, Current: -1}
	if err := d.target(&c); err != nil {
		return err
	}
	if err := d.takes(c.Takes); err != nil {
		return err
	}
	if err := d.changesRules(c.Takes); err != nil {
		return err
	}
	if ref := d.underWay(c.Procedure, c.Unit, c.Office, len(c.Backers)+len(c.Units) > 0); ref != "" && len(d.proc.Fills) > 0 {
		return fault.Under(fault.Already, d.proc.Cite, "%s is already under way for this office: %s", spaced(c.Procedure), ref)
	}
	if c.Started {
		d.st.Cause = Started
		return d.call(&CalledBody{})
	}
	way, err := d.way(&c)
	if err != nil {
		return err
	}
	d.st.Cause = Cause(way)
	if way.If != nil {
		ok, err := way.If.Flag(&scope{d: d})
		if err != nil && unknown(err) == "" {
			return damaged(err, "the condition for beginning "+c.Procedure)
		}
		if err != nil || !ok {
			return fault.Under(fault.NotEntitled, d.proc.Cite, "%s cannot begin now: %s", spaced(c.Procedure), way.Says.Text(&scope{d: d}))
		}
	}
	if err := d.callable(); err != nil {
		return err
	}
	if way.Backed != nil {
		return d.collect(&c, way)
	}
	return d.call(&CalledBody{})
}

// underWay gives a live run for the same office. One that still collects
// support for its call stands in the way of another like it only: it must not
// keep a vacancy open.
func (d *decider) underWay(procedure string, unit register.UnitID, office string, backed bool) string {
	for _, ref := range d.world.Live(procedure, unit, office) {
		st, ok := d.world.Run(ref)
		if ref != d.st.Ref && ok && (backed || st.Phase != Collecting) {
			return ref
		}
	}
	return ""
}

// changesRules tries a change of the rulebook before it is put: one that has
// errors cannot be.
func (d *decider) changesRules(takes map[string]Held) error {
	for _, t := range d.proc.Takes {
		if t.Is != rulebook.TakeText || t.Of != "rulebook" {
			continue
		}
		text := takes[t.Name].Text
		if text == "" {
			return fault.Under(fault.Invalid, d.proc.Cite, "a change of the rulebook is put with its text: a line PATH: VALUE for each change")
		}
		if _, problems := d.book.Amend([]byte(text)); len(problems.Errors()) > 0 {
			return fault.Under(fault.Invalid, d.proc.Cite, "a change with errors cannot be put: %s", inWords(problems.Errors()))
		}
	}
	return nil
}

// inWords gives problems without where they stand: that would be a place in
// the rulebook as it would become, which nobody has before them.
func inWords(ps rulebook.Problems) string {
	var out []string
	for _, p := range ps {
		out = append(out, strings.TrimSuffix(p.Message+". "+p.Remedy, " "))
	}
	return strings.Join(out, " ")
}

// target checks unit and office, and fills in the only office there is.
func (d *decider) target(c *Begin) error {
	if d.proc.In != "" {
		u := d.world.View(0).Tree.Unit(c.Unit)
		if u == nil || u.Kind != d.proc.In {
			return fault.Under(fault.Invalid, d.proc.Cite, "%s belongs to one %s; say which", spaced(d.proc.Name), spaced(d.proc.In))
		}
	}
	if len(d.proc.Fills) == 1 && c.Office == "" {
		c.Office = d.proc.Fills[0]
		d.st.Office = c.Office
	}
	if c.Office != "" && d.book.Office(c.Office) == nil {
		return fault.Under(fault.Invalid, d.proc.Cite, "the rulebook has no office of that name")
	}
	if len(d.proc.Fills) > 0 {
		for _, o := range d.proc.Fills {
			if o == c.Office {
				return nil
			}
		}
		return fault.Under(fault.Invalid, d.proc.Cite, "%s fills %s; say which", spaced(d.proc.Name), orList(officeWords(d.proc.Fills)))
	}
	return nil
}

// Cause is the word by which a run knows how it began: the way's own name, or
// the word of the way.
func Cause(b *rulebook.Beginning) string {
	switch {
	case b.As != "":
		return b.As
	case b.Vacancy != "":
		return "vacancy"
	case b.Event != "":
		return "event"
	case b.Every != nil:
		return "every"
	case b.Backed != nil:
		return "backed"
	case b.By != nil:
		return "by"
	}
	return ""
}

// way finds the way of beginning that fits who calls and why.
func (d *decider) way(c *Begin) (*rulebook.Beginning, error) {
	var refusal error
	for i := range d.proc.Begins {
		b := &d.proc.Begins[i]
		if c.Cause != "" && Cause(b) != c.Cause {
			continue
		}
		err := d.fits(c, b)
		if err == nil {
			return b, nil
		}
		if refusal == nil || len(c.Backers) > 0 && b.Backed != nil {
			refusal = err
		}
	}
	if refusal == nil {
		refusal = fault.Under(fault.Invalid, d.proc.Cite, "%s does not begin by %s", spaced(c.Procedure), c.Cause)
	}
	return nil, refusal
}

func (d *decider) fits(c *Begin, b *rulebook.Beginning) error {
	switch {
	case b.Backed != nil:
		if len(c.Backers)+len(c.Units) == 0 {
			return fault.Under(fault.NotEntitled, d.proc.Cite, "%s begins with support, and nobody supports it", spaced(c.Procedure))
		}
		return nil
	case b.By != nil:
		if c.By.System {
			return nil
		}
		// A body begins something as one: an officer records that it did.
		if d.actsAs(c.By, "", *b.By, d.proc.Cite, "%s: %s", "") != nil {
			return fault.Under(fault.NotEntitled, d.proc.Cite, "%s can begin %s", d.words(*b.By), spaced(c.Procedure))
		}
		return nil
	case b.Vacancy != "":
		office := b.Vacancy
		if office == "office" {
			office = c.Office
		}
		if !c.Itself {
			if err := d.officer(c.By); err != nil {
				return err
			}
		}
		if !d.vacant(office) {
			return fault.Under(fault.TooEarly, d.proc.Cite, "the office of %s is not vacant", spaced(office))
		}
		return nil
	}
	if c.Itself {
		return nil
	}
	return d.officer(c.By) // every, event: recorded by an officer where it has not begun by itself
}

// vacant tells whether an office has fewer holders than places.
func (d *decider) vacant(office string) bool {
	return len(d.holders(office, 0)) < d.places(office)
}

// places is how many people an office has room for.
func (d *decider) places(office string) int {
	o := d.book.Office(office)
	if o == nil || o.Seats == nil {
		return 1
	}
	n, err := o.Seats.Number(&scope{d: d, unit: d.hereUnit()})
	if err != nil || !n.IsInt() || !n.Num().IsInt64() {
		return 1
	}
	return int(n.Num().Int64())
}

func (d *decider) hereUnit() rulebook.Unit {
	if d.st.Unit == 0 {
		return nil
	}
	return d.view().Unit(d.st.Unit)
}

// collect opens the collecting of support, or calls at once where it is
// already enough.
func (d *decider) collect(c *Begin, way *rulebook.Beginning) error {
	if c.Collect && len(c.Backers) == 1 {
		if ref := d.collecting(c); ref != "" {
			return fault.Under(fault.Already, d.proc.Cite, "support for this is being gathered already, and yours is with it: %s", ref)
		}
	}
	bases, err := d.bases(way.Backed)
	if err != nil {
		return err
	}
	closes := int64(0)
	if way.Window != nil {
		span, err := way.Window.Span(&scope{d: d})
		if err != nil {
			return damaged(err, "the window for support")
		}
		closes = d.cal.Closes(d.at, span).UnixMilli()
	}
	if err := d.emit(KindBegun, minutes.Public, &CalledBody{Procedure: c.Procedure, Unit: c.Unit, Office: c.Office,
		Cause: d.st.Cause, At: d.now(), Closes: closes, Bases: bases, Takes: c.Takes, Private: d.book.Private(d.proc)}); err != nil {
		return err
	}
	for _, p := range c.Backers {
		if err := d.back(way.Backed, "", d.st.Backing, Back{By: Actor{Person: p}}); err != nil {
			return err
		}
	}
	for _, u := range c.Units {
		if err := d.back(way.Backed, "", d.st.Backing, Back{By: c.By, Unit: u}); err != nil {
			return err
		}
	}
	called, err := d.callIfBacked(way)
	if err != nil || called {
		return err
	}
	if c.Collect {
		return nil
	}
	_, r, err := d.tally(way.Backed, "", d.st.Backing, 0)
	if err != nil {
		return err
	}
	cite := way.Backed.Cite
	if cite == "" {
		cite = d.proc.Cite
	}
	return fault.Under(fault.NotEntitled, cite, "%s does not have the support it needs: %s", spaced(c.Procedure), reachedList(r))
}

// collecting finds a gathering of support for the same, with the same words,
// that the only backer has joined: nobody fills the book with one demand.
func (d *decider) collecting(c *Begin) string {
	for _, ref := range d.world.Live(c.Procedure, c.Unit, c.Office) {
		st, ok := d.world.Run(ref)
		if ok && st.Phase == Collecting && st.Backing.given(voter{person: c.Backers[0]}.key()) != nil && maps.Equal(texts(st.Takes), texts(c.Takes)) {
			return ref
		}
	}
	return ""
}

// texts are the words of what a run takes.
func texts(takes map[string]Held) map[string]string {
	out := map[string]string{}
	for k, h := range takes {
		out[k] = h.Text
	}
	return out
}

func reachedList(r []Reached) string {
	s := ""
	for i := range r {
		if i > 0 {
			s += "; "
		}
		s += r[i].String()
	}
	return s
}

// callIfBacked calls the run once the support is there.
func (d *decider) callIfBacked(way *rulebook.Beginning) (bool, error) {
	met, gate, err := d.tally(way.Backed, "", d.st.Backing, 0)
	if met && !way.Kept { // as it seems: some may have left since
		if err = d.dropLeft(way.Backed, "", d.st.Backing); err == nil {
			met, gate, err = d.tally(way.Backed, "", d.st.Backing, 0)
		}
	}
	if err != nil || !met {
		return false, err
	}
	if len(d.proc.Fills) > 0 && d.underWay(d.st.Procedure, d.st.Unit, d.st.Office, false) != "" {
		return false, nil // the office is being filled already
	}
	return true, d.call(&CalledBody{Gate: gate})
}

// wayOf finds the beginning that the state is collecting for.
func (d *decider) wayOf() *rulebook.Beginning {
	for i := range d.proc.Begins {
		if b := &d.proc.Begins[i]; b.Backed != nil && Cause(b) == d.st.Cause {
			return b
		}
	}
	return nil
}

// call records the call and goes into the first stage.
func (d *decider) call(b *CalledBody) error {
	b.Private = d.book.Private(d.proc)
	b.Procedure, b.Unit, b.Office, b.Cause, b.At, b.Takes = d.st.Procedure, d.st.Unit, d.st.Office, d.st.Cause, d.now(), d.st.Takes
	for i := range d.proc.Stages {
		b.Stages = append(b.Stages, d.proc.Stages[i].Name)
	}
	if m := d.freezeOrNil(); m != nil {
		b.Freeze = Hold(moment(*m)).Text
	}
	if err := d.emit(KindCalled, minutes.Public, b); err != nil {
		return err
	}
	return d.enter(0)
}

// Preview is what a call at an instant would set going: when the stages open
// and close if no discretion is used, and the freeze; for the officer who is
// about to call.
func Preview(book *rulebook.Book, procedure string, unit register.UnitID, office, cause string, at time.Time, w World) ([]Planned, *rulebook.Moment, error) {
	d := &decider{book: book, cal: book.Calendar(), world: w, at: at, proc: book.Procedure(procedure)}
	if d.proc == nil {
		return nil, nil, fault.New(fault.NotFound, "the rulebook has no procedure called %s", procedure)
	}
	d.st = &State{Procedure: procedure, Unit: unit, Office: office, Cause: cause, Called: at.UnixMilli(), Current: -1, Phase: Running}
	d.st.Stages = make([]Stage, len(d.proc.Stages))
	var out []Planned
	prev := at
	for i := range d.proc.Stages {
		r := &d.proc.Stages[i]
		st := &d.st.Stages[i]
		st.Name, d.st.Current = r.Name, i
		p := Planned{Stage: r.Name}
		opens, closes, err := d.times(r, prev)
		if err != nil {
			p.Waits = unknown(err)
			out = append(out, p)
			break
		}
		p.Opens, p.Closes = opens, closes
		st.Opened, st.Closed, st.Status = opens, closes, Closed
		if closes == 0 {
			st.Closed = opens
		}
		prev = time.UnixMilli(st.Closed)
		d.at = prev
		out = append(out, p)
	}
	return out, d.freezeOrNil(), nil
}
