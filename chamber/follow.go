package chamber

import (
	"encoding/json"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/store"
)

// maxFollow bounds how many entries can follow from one decision: hundreds of
// branches may begin to vote at once, and runs that start each other in a circle
// come to an end.
const maxFollow = 20_000

// follow adds what reaches beyond the run that was decided: a change of the
// rulebook becomes a version of it, another procedure begins, runs are
// stopped. All of it is committed with the decision, or nothing is.
func (w *World) follow(st *proceeding.State, entries []minutes.Entry, refusal error) ([]minutes.Entry, error) {
	if len(entries) == 0 {
		return entries, refusal
	}
	if st != nil {
		w.states[st.Ref] = st // consequences look at what has just been decided
	}
	out := entries
	base := w.seq
	for i := 0; i < len(out); i++ {
		if err := w.see(&out[i], base+int64(i)+1); err != nil {
			return nil, err
		}
		if len(out)-len(entries) > maxFollow {
			return nil, fault.New(fault.Invalid, "%s would set too much going at once", st.Ref)
		}
		more, err := w.consequence(&out[i])
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, refusal
}

// consequence gives the entries that follow from one.
func (w *World) consequence(e *minutes.Entry) ([]minutes.Entry, error) {
	raw, ok := e.Body.([]byte)
	if !ok {
		return nil, nil
	}
	switch e.Kind {
	case proceeding.KindAdopted:
		var b proceeding.AdoptedBody
		if err := json.Unmarshal(raw, &b); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "an adopted text cannot be read")
		}
		out := w.contradicted(e.Proceeding, &b)
		if b.Kind == rulesKind && b.Unit == 0 {
			amended, err := w.amend(e.Proceeding, &b)
			return append(out, amended...), err
		}
		return out, nil
	case proceeding.KindOrdered:
		var b proceeding.OrderBody
		if err := json.Unmarshal(raw, &b); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "an order cannot be read")
		}
		if b.Order == "set_aside" && !b.Asked && w.changedRules(e.Proceeding) {
			return w.rebuild(e.Proceeding, b.N)
		}
	case proceeding.KindEffect:
		var b proceeding.EffectBody
		if err := json.Unmarshal(raw, &b); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "an effect cannot be read")
		}
		switch rulebook.Verb(b.Done.Verb) {
		case rulebook.DoStart:
			return w.start(&b.Done)
		case rulebook.DoReport:
			return w.reach(&b.Done, proceeding.Report{Unit: b.Done.Unit, Yes: b.Done.Yes, No: b.Done.No, Refuse: b.Done.Refused, From: e.Proceeding})
		case rulebook.DoStop:
			return w.reach(&b.Done, proceeding.Stop{Why: why(e)})
		case rulebook.DoStay:
			return w.reach(&b.Done, proceeding.Stay{Why: why(e)})
		case rulebook.DoResume:
			return w.reach(&b.Done, proceeding.Resume{Why: why(e)})
		case rulebook.DoSetAside:
			return w.reach(&b.Done, proceeding.SetAside{Why: why(e)})
		}
	}
	return nil, nil
}

// why names the run whose effect reaches another one; a case about a person is
// not named in public.
func why(e *minutes.Entry) string {
	if e.Access == minutes.Parties {
		return "by another decision"
	}
	return e.Proceeding
}

// start begins another procedure, under the rulebook in force.
func (w *World) start(d *proceeding.Done) ([]minutes.Entry, error) {
	book, err := w.current()
	if err != nil {
		return nil, err
	}
	ref, err := w.nextRef(d.Target)
	if err != nil {
		return nil, err
	}
	begin := proceeding.Begin{Ref: ref, Procedure: d.Target, Unit: d.Unit, Takes: d.With, By: proceeding.Actor{System: true}, Started: true}
	next, entries, err := proceeding.Decide(book, nil, begin, time.UnixMilli(d.At).UTC(), w.WithBook(book))
	if err == nil {
		w.states[ref] = next
	}
	return entries, err
}

// reach decides a command in the runs that an effect is about: the one it
// names, or those of a procedure that the command can touch.
func (w *World) reach(d *proceeding.Done, cmd proceeding.Command) ([]minutes.Entry, error) {
	states, err := w.about(d)
	if err != nil {
		return nil, err
	}
	var out []minutes.Entry
	for _, st := range states {
		entries, err := w.decide(st, cmd)
		if err != nil {
			return nil, err
		}
		out = append(out, entries...)
	}
	return out, nil
}

// about gives the runs that an effect is about. What is set aside is the last
// decision; all else is about runs that have not ended.
func (w *World) about(d *proceeding.Done) ([]*proceeding.State, error) {
	if d.Ref != "" {
		st, err := w.State(d.Ref)
		if err == nil && !st.Live() && rulebook.Verb(d.Verb) != rulebook.DoSetAside {
			return nil, nil // it has ended in the meantime
		}
		return []*proceeding.State{st}, err
	}
	if rulebook.Verb(d.Verb) == rulebook.DoSetAside {
		if st, ok := w.Latest(d.Target, d.Unit); ok {
			return []*proceeding.State{st}, nil
		}
		return nil, nil
	}
	states, err := w.those(func(r *store.RunRow) bool { return r.Procedure == d.Target && r.Unit == int64(d.Unit) })
	if err != nil {
		return nil, err
	}
	var out []*proceeding.State
	for _, st := range states {
		if st.Live() {
			out = append(out, st)
		}
	}
	return out, nil
}

// decide makes a decision in another run of the same transaction.
func (w *World) decide(st *proceeding.State, cmd proceeding.Command) ([]minutes.Entry, error) {
	book, err := w.c.Book(w.tx, st.Book)
	if err != nil {
		return nil, err
	}
	next, entries, err := proceeding.Decide(book, st, cmd, w.at, w.WithBook(book))
	if err != nil {
		return nil, err
	}
	w.states[st.Ref] = next
	return entries, nil
}
