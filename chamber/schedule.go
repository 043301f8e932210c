package chamber

import (
	"context"
	"slices"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/store"
)

// What begins by itself: a procedure on a vacancy that has arisen, and one
// that is held every so often, counted from its last call; a call on a vacancy
// in between does not put the next round off. One that was never held begins
// when an officer calls it the first time, and an office that was never held is
// filled on an officer's call: nothing starts by surprise when a rulebook is
// adopted.

// beginning is a run that begins by itself at an instant.
type beginning struct {
	at        time.Time
	procedure string
	unit      register.UnitID
	office    string
	cause     string
}

// runKey is what two runs have in common when one follows the other.
type runKey struct {
	procedure string
	unit      register.UnitID
	office    string
}

// beginnings lists what begins by itself, past and to come.
func (w *World) beginnings() ([]beginning, error) {
	if w.book == nil {
		return nil, nil
	}
	runs, err := w.tx.Runs()
	if err != nil {
		return nil, err
	}
	last, round, live := map[runKey]time.Time{}, map[runKey]time.Time{}, map[runKey]bool{}
	for _, r := range runs {
		k := runKey{r.Procedure, register.UnitID(r.Unit), r.Office}
		if r.EndedAt.IsZero() && r.Phase != string(proceeding.Collecting) {
			live[k] = true
		}
		if r.Phase == string(proceeding.Lapsed) || !r.CalledAt.After(last[k]) {
			continue
		}
		last[k] = r.CalledAt
		if round[k].IsZero() || !w.byElection(r) {
			round[k] = r.CalledAt
		}
	}
	var out []beginning
	for i := range w.book.Procedures {
		p := &w.book.Procedures[i]
		for k := range p.Begins {
			b := &p.Begins[k]
			if b.Every == nil && b.Vacancy == "" {
				continue
			}
			for _, x := range w.runsOf(p) {
				if live[x] {
					continue
				}
				since := last[x]
				if b.Every != nil {
					since = round[x]
				}
				if at, ok := w.beginsAt(b, x, since); ok {
					out = append(out, beginning{at, x.procedure, x.unit, x.office, proceeding.Cause(b)})
				}
			}
		}
	}
	return out, nil
}

// byElection tells whether a run fills what became vacant between two rounds
// of what comes round: the next round does not wait for it.
func (w *World) byElection(r store.RunRow) bool {
	p := w.book.Procedure(r.Procedure)
	if p == nil || !slices.ContainsFunc(p.Begins, func(b rulebook.Beginning) bool { return b.Every != nil }) {
		return false
	}
	vacancies := slices.ContainsFunc(p.Begins, func(b rulebook.Beginning) bool { return b.Vacancy != "" })
	st, ok := w.Run(r.Ref)
	return vacancies && ok && st.Cause == "vacancy"
}

// runsOf lists the runs that a procedure can have side by side: one for each
// unit and each office.
func (w *World) runsOf(p *rulebook.Procedure) []runKey {
	units := []register.UnitID{0}
	if p.In != "" {
		units = w.snap.tree.Kind(p.In, 0)
	}
	offices := p.Fills
	if len(offices) == 0 {
		offices = []string{""}
	}
	var out []runKey
	for _, u := range units {
		for _, o := range offices {
			out = append(out, runKey{p.Name, u, o})
		}
	}
	return out
}

// beginsAt is when a way of beginning takes effect by itself.
func (w *World) beginsAt(b *rulebook.Beginning, x runKey, last time.Time) (time.Time, bool) {
	if b.Every != nil {
		if last.IsZero() {
			return time.Time{}, false
		}
		span, err := b.Every.Span(proceeding.Plain(w.book, w, w.at, x.unit))
		if err != nil {
			return time.Time{}, false
		}
		cal := w.book.Calendar()
		return cal.Instant(last).Add(span, cal).Start(), true
	}
	office := b.Vacancy
	if office == "office" {
		office = x.office
	} else if x.office != "" && x.office != office {
		return time.Time{}, false
	}
	at, ok := w.vacantSince(office, x.unit)
	return at, ok && at.After(last)
}

// vacantSince is when a place of an office that somebody held became free, or
// will.
func (w *World) vacantSince(office string, unit register.UnitID) (time.Time, bool) {
	rule := w.book.Office(office)
	if rule == nil {
		return time.Time{}, false
	}
	if rule.Per == "" {
		unit = 0
	}
	last, next := w.snap.roster.Ends(office, unit, w.at.Unix())
	held := len(w.snap.roster.Holders(office, unit, w.snap.tree, w.at.Unix(), w.seq))
	if held >= proceeding.Places(w.book, w, w.at, unit, office) {
		last = next
	}
	return time.Unix(last, 0).UTC(), last != 0
}

// Beginnings begins what has fallen due to begin by itself and tells how many
// runs that were. It looks again only where the book has grown or the time of
// the next one has come.
func (c *Chamber) Beginnings(ctx context.Context) (int, error) {
	var due []beginning
	err := c.Read(ctx, func(w *World) error {
		due = nil
		c.mu.Lock()
		known, next := c.looked == w.seq, c.nextBegin
		c.mu.Unlock()
		if known && (next.IsZero() || w.at.Before(next)) {
			return nil
		}
		list, err := w.beginnings()
		if err != nil {
			return err
		}
		next = time.Time{}
		for _, b := range list {
			if !b.at.After(w.at) {
				due = append(due, b)
			} else if next.IsZero() || b.at.Before(next) {
				next = b.at
			}
		}
		c.mu.Lock()
		c.looked, c.nextBegin = w.seq, next
		c.mu.Unlock()
		return nil
	})
	n := 0
	for _, b := range due {
		_, err := c.Begin(ctx, proceeding.Begin{Procedure: b.procedure, Unit: b.unit, Office: b.office, Cause: b.cause, By: proceeding.Actor{System: true}, Itself: true})
		if err == nil {
			n++
		} else if fault.Of(err) == nil {
			return n, err // a refusal (its condition is not met) is no failure
		}
	}
	return n, err
}

// NextBeginning is when the next run begins by itself; the zero time where
// none is to come.
func (c *Chamber) NextBeginning(ctx context.Context) (time.Time, error) {
	var next time.Time
	err := c.Read(ctx, func(w *World) error {
		next = time.Time{}
		list, err := w.beginnings()
		for _, b := range list {
			if b.at.After(w.at) && (next.IsZero() || b.at.Before(next)) {
				next = b.at
			}
		}
		return err
	})
	return next, err
}

// Declare declares an event of the rulebook for an instant. Every run that
// stops on it does what its procedure lists and ends; then whatever begins on
// it begins. All of it is one transaction.
func (c *Chamber) Declare(ctx context.Context, by proceeding.Actor, as, event string, at time.Time) error {
	return c.Write(ctx, func(w *World) ([]minutes.Entry, error) {
		if w.book == nil {
			return nil, fault.New(fault.NotFound, "this organisation has not adopted a rulebook yet")
		}
		who, err := proceeding.Declarable(w.book, w, w.at, by, as, event)
		if err != nil {
			return nil, err
		}
		if at.Before(w.at.Add(-time.Minute)) {
			return nil, fault.New(fault.Invalid, "%s cannot be declared for a time that has passed", event)
		}
		e := EventBody{Event: event, At: max(at.UnixMilli(), w.at.UnixMilli()), By: who}
		w.org.Events = append(w.org.Events, e)
		out := []minutes.Entry{{Kind: KindEvent, Access: minutes.Public, Office: who, Rulebook: w.book.Hash, Clause: w.book.Event(event).Cite, Body: e}}
		stopped, err := w.overtake(event)
		if err != nil {
			return nil, err
		}
		begun, err := w.beginOn(event)
		if err != nil {
			return nil, err // all of it, or nothing
		}
		return append(append(out, stopped...), begun...), nil
	})
}

// overtake ends the runs that stop on an event.
func (w *World) overtake(event string) ([]minutes.Entry, error) {
	rows, err := w.tx.OpenProceedings()
	if err != nil {
		return nil, err
	}
	var out []minutes.Entry
	for _, r := range rows {
		if r.Ref == organisationRef {
			continue
		}
		st, err := w.State(r.Ref)
		if err != nil {
			return nil, err
		}
		entries, err := w.decide(st, proceeding.Overtaken{Event: event})
		if err != nil {
			return nil, err
		}
		if len(entries) > 0 {
			if entries, err = w.follow(w.states[r.Ref], entries, nil); err != nil {
				return nil, err
			}
		}
		out = append(out, entries...)
	}
	return out, nil
}

// beginOn begins what begins on an event, once for each unit and office.
func (w *World) beginOn(event string) ([]minutes.Entry, error) {
	var out []minutes.Entry
	for i := range w.book.Procedures {
		p := &w.book.Procedures[i]
		for k := range p.Begins {
			b := &p.Begins[k]
			if b.Event != event {
				continue
			}
			for _, x := range w.runsOf(p) {
				entries, err := w.beginItself(b, x)
				if err != nil {
					return nil, err
				}
				out = append(out, entries...)
			}
		}
	}
	return out, nil
}

func (w *World) beginItself(b *rulebook.Beginning, x runKey) ([]minutes.Entry, error) {
	ref, err := w.nextRef(x.procedure)
	if err != nil {
		return nil, err
	}
	cmd := proceeding.Begin{Ref: ref, Procedure: x.procedure, Unit: x.unit, Office: x.office, Cause: proceeding.Cause(b), By: proceeding.Actor{System: true}, Itself: true}
	next, entries, err := proceeding.Decide(w.book, nil, cmd, w.at, w.WithBook(w.book))
	if fault.Of(err) != nil {
		return nil, nil // its condition is not met, or it is under way
	}
	if err != nil {
		return nil, err
	}
	w.states[ref] = next
	return w.follow(next, entries, nil)
}

// SetStanding uses a standing discretion outside any run.
func (c *Chamber) SetStanding(ctx context.Context, by proceeding.Actor, as, slot string, unit register.UnitID, text string) error {
	return c.Write(ctx, func(w *World) ([]minutes.Entry, error) {
		if w.book == nil {
			return nil, fault.New(fault.NotFound, "this organisation has not adopted a rulebook yet")
		}
		set, err := proceeding.SetStanding(w.book, w, w.at, by, as, slot, unit, text)
		if err != nil {
			return nil, err
		}
		return []minutes.Entry{{Kind: KindStanding, Access: minutes.Public, Office: set.By, Rulebook: w.book.Hash, Clause: w.book.Slot(slot).Cite,
			Body: StandingBody{Slot: slot, Unit: int64(unit), Set: set}}}, nil
	})
}
