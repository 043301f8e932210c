package rehearsal

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
)

// act does what a step says. The error is the refusal.
func (r *runner) act(s *step) error {
	switch s.verb {
	case "call":
		return r.call(s)
	case "people":
		return r.change(s)
	case "units":
		for _, u := range (&complaints{}).units(s.val) {
			if err := r.openUnits(u); err != nil {
				return err
			}
		}
		return nil
	case "event":
		return r.event(s)
	case "set":
		return r.set(s)
	case "contradict":
		return r.contradict(s)
	case "gone":
		return r.vanish(s)
	case "trustees":
		return r.each(s, func(t thing) error {
			a, _, err := r.actor(t)
			if err != nil {
				return err
			}
			return r.nameTrustees(s, a)
		})
	}
	ref, err := r.acting(s.run)
	if err != nil {
		return err
	}
	if err := r.inRun(s, ref); err != nil {
		return err
	}
	r.last = ref
	return nil
}

// inRun does what is done in a run.
func (r *runner) inRun(s *step, ref string) error {
	switch s.verb {
	case "papers":
		return r.papers(s, ref)
	case "back":
		return r.back(s, ref)
	case "decide":
		return r.decide(s, ref)
	case "order":
		return r.order(s, ref)
	case "enter":
		return r.enterFigures(s, ref)
	case "close":
		if len(s.by) == 0 {
			_, err := r.close(ref)
			return err
		}
	}
	return r.each(s, func(t thing) error {
		a, _, err := r.actor(t)
		if err != nil {
			return err
		}
		switch s.verb {
		case "accept", "decline":
			words := s.val.text
			if words == "true" {
				words = ""
			}
			_, err = r.contests.Do(r.ctx, ref, proceeding.Answer{By: a, Accept: s.verb == "accept", Statement: words})
		case "withdraw":
			if s.val.text == "support" {
				_, err = r.contests.Do(r.ctx, ref, proceeding.Unback{By: a, Unit: t.unit})
			} else {
				_, err = r.contests.Do(r.ctx, ref, proceeding.Withdraw{By: a})
			}
		case "close":
			_, err = r.contests.Close(r.ctx, ref, a)
		case "commit":
			err = r.commit(ref, a)
		case "prepare":
			err = r.contests.PrepareSealed(r.ctx, ref, a, s.val.text == "anew")
		case "end_phase":
			err = r.contests.EndSealedPhase(r.ctx, ref, a)
		case "excuse":
			err = r.contests.ExcuseMixer(r.ctx, ref, a, s.val.text, (&complaints{}).text(s.more, "why").text)
		default:
			err = fault.New(fault.Internal, "rehearsals cannot %s", s.verb)
		}
		return err
	})
}

// commit commits an officer to a secret for the lot.
func (r *runner) commit(ref string, a proceeding.Actor) error {
	_, book, err := r.contests.State(r.ctx, ref)
	if err != nil {
		return err
	}
	for _, o := range proceeding.Officers(book) {
		people, err := r.holders(o, 0)
		if err != nil {
			return err
		}
		if slices.Contains(people, a.Person) {
			_, err = r.contests.CommitLot(r.ctx, ref, a, o)
			return err
		}
	}
	_, err = r.contests.CommitLot(r.ctx, ref, a, "")
	return err
}

// each lets everybody of a step act, one after another. Where all are refused
// the first refusal is given; where only some are, the rest is a failure of
// its own.
func (r *runner) each(s *step, do func(thing) error) error {
	things, err := r.who(s.by)
	if err != nil {
		return err
	}
	if len(things) == 0 {
		return fault.New(fault.Invalid, "say who does this: by: NAME")
	}
	done := 0
	var first error
	var who thing
	refused := 0
	for _, t := range things {
		err := do(t)
		switch {
		case fatal(err) != nil:
			return err
		case err == nil:
			done++
		default:
			if refused++; first == nil {
				first, who = err, t
			}
		}
	}
	if first != nil && done > 0 {
		r.failed(s.pos, Failure{Message: fmt.Sprintf("%d of %d were refused, the first of them %s: %s", refused, len(things), r.thingName(who), first)})
		return nil
	}
	return first
}

// ref gives the run that is meant: by what `as` called it, by its procedure
// (the latest), by its reference; else the one touched last.
func (r *runner) ref(name scalarAt) (string, error) {
	if name.text == "" {
		if r.last != "" {
			return r.last, nil
		}
		st, err := r.latest("")
		if err == nil && st == nil {
			err = fault.New(fault.NotFound, "nothing has been called yet")
		}
		if err != nil {
			return "", err
		}
		return st.Ref, nil
	}
	if ref, ok := r.aliases[name.text]; ok {
		return ref, nil
	}
	st, err := r.latest(name.text)
	if err != nil {
		return "", err
	}
	if st == nil {
		return "", fault.New(fault.NotFound, "no run is called %q, and nothing of that name has been called", name.text)
	}
	return st.Ref, nil
}

// acting gives the run in which somebody acts: as ref, but where the run
// touched last has ended, the newest that has not.
func (r *runner) acting(name scalarAt) (string, error) {
	ref, err := r.ref(name)
	if err != nil || name.text != "" {
		return ref, err
	}
	err = r.ch.Read(r.ctx, func(w *chamber.World) error {
		states, err := w.States()
		newest := ""
		for _, st := range states {
			if st.Live() && newest == "" {
				newest = st.Ref
			}
			if st.Ref == ref && st.Live() {
				newest = ref
				break
			}
		}
		if newest != "" {
			ref = newest
		}
		return err
	})
	return ref, err
}

// latest gives the newest run of a procedure, or with a reference; nil where
// there is none.
func (r *runner) latest(name string) (*proceeding.State, error) {
	var out *proceeding.State
	err := r.ch.Read(r.ctx, func(w *chamber.World) error {
		out = nil
		states, err := w.States()
		for _, st := range states {
			if name == "" || st.Procedure == name || st.Ref == name {
				out = st
				break
			}
		}
		return err
	})
	return out, err
}

// current is the rulebook in force.
func (r *runner) current() *rulebook.Book {
	book := r.book
	_ = r.ch.Read(r.ctx, func(w *chamber.World) error {
		if b := w.Book(); b != nil {
			book = b
		}
		return nil
	})
	return book
}

// call begins a procedure.
func (r *runner) call(s *step) error {
	book := r.current()
	things, err := r.who(s.by)
	if err != nil {
		return err
	}
	c := &complaints{}
	b := proceeding.Begin{Procedure: s.val.text, Office: c.text(s.more, "for").text, Cause: c.text(s.more, "cause").text,
		Collect: c.text(s.more, "collect").text == "true", By: proceeding.Actor{System: true}}
	proc := book.Procedure(b.Procedure)
	if proc == nil {
		var known []string
		for i := range book.Procedures {
			known = append(known, book.Procedures[i].Name)
		}
		return fault.New(fault.NotFound, "the rulebook has no procedure called %s%s", b.Procedure, didYouMean(b.Procedure, known))
	}
	if b.Unit, err = r.unit(s.in); err != nil {
		return err
	}
	if b.Takes, err = r.takes(book, proc, s.more.get("with")); err != nil {
		return err
	}
	for i, t := range things {
		a, as, err := r.actor(t)
		if err != nil {
			return err
		}
		if as != "" {
			if err := r.asBody(proc, as, &b); err != nil {
				return err
			}
		}
		if i == 0 && a.Person != 0 {
			b.By = a
		}
		if t.unit != 0 {
			b.Units = append(b.Units, t.unit)
		} else if a.Person != 0 {
			b.Backers = append(b.Backers, a.Person)
		}
	}
	if len(b.Units)+max(0, len(b.Backers)-1) > 0 && b.Cause == "" {
		b.Cause = backedWay(proc)
	}
	if len(b.Units) > 0 && b.Cause == "" && !slices.ContainsFunc(proc.Begins, func(x rulebook.Beginning) bool { return x.By != nil && x.By.Kind == rulebook.WhoUnit }) {
		return fault.Under(fault.NotEntitled, proc.Cite, "%s does not begin with a unit's support", spaced(proc.Name))
	}
	st, err := r.contests.Call(r.ctx, b)
	if err != nil {
		return err
	}
	r.last = st.Ref
	if s.as.text != "" {
		r.aliases[s.as.text] = st.Ref
	}
	return nil
}

// asBody lets a body begin what the rulebook lets it begin: it is entered for
// the body as a whole.
func (r *runner) asBody(proc *rulebook.Procedure, as string, b *proceeding.Begin) error {
	for i := range proc.Begins {
		w := &proc.Begins[i]
		if w.By == nil || !named(*w.By, as) {
			continue
		}
		if b.Cause == "" || b.Cause == w.As || b.Cause == w.By.Name {
			if b.Cause = w.By.Name; w.As != "" {
				b.Cause = w.As
			}
			return nil
		}
	}
	return fault.Under(fault.NotEntitled, proc.Cite, "%s does not begin with the %s", spaced(proc.Name), spaced(as))
}

// backedWay is the way of beginning by support, empty where there is none:
// units, and several people together, support; one of them may hold an office
// that could begin it in another way.
func backedWay(proc *rulebook.Procedure) string {
	for i := range proc.Begins {
		if proc.Begins[i].Backed != nil {
			return proceeding.Cause(&proc.Begins[i])
		}
	}
	return ""
}

// named tells whether a who means a name.
func named(w rulebook.Who, name string) bool {
	return w.Name == name || slices.ContainsFunc(w.Any, func(x rulebook.Who) bool { return named(x, name) })
}

// takes turns what the caller supplies into what a run keeps.
func (r *runner) takes(book *rulebook.Book, proc *rulebook.Procedure, n *node) (map[string]proceeding.Held, error) {
	if n == nil {
		return nil, nil
	}
	if n.form != mapping {
		return nil, fault.New(fault.Invalid, "`with` says by name what %s is given", spaced(proc.Name))
	}
	out := map[string]proceeding.Held{}
	var names []string
	for i := range proc.Takes {
		names = append(names, proc.Takes[i].Name)
	}
	for _, p := range n.pairs {
		i := slices.Index(names, p.key)
		if _, fact, ok := strings.Cut(p.key, "."); i < 0 && ok && book.Fact(rulebook.OfText, fact) != nil {
			h, err := r.held(textFact(book.Fact(rulebook.OfText, fact)), p.val)
			if err != nil {
				return nil, err
			}
			out[p.key] = h
			continue
		}
		if i < 0 {
			return nil, fault.New(fault.Invalid, "%s takes nothing called %s%s", spaced(proc.Name), p.key, didYouMean(p.key, names))
		}
		h, err := r.held(&proc.Takes[i], p.val)
		if err != nil {
			return nil, err
		}
		out[p.key] = h
	}
	return out, nil
}

// textFact reads a fact of a text as if it were taken by name.
func textFact(f *rulebook.Fact) *rulebook.Take {
	is := map[rulebook.FactType]rulebook.TakeType{rulebook.FactFlag: rulebook.TakeFlag, rulebook.FactNumber: rulebook.TakeNumber, rulebook.FactDate: rulebook.TakeDate}[f.Is]
	if is == "" {
		is = rulebook.TakeWords
	}
	return &rulebook.Take{Name: f.Name, Is: is}
}

func (r *runner) held(t *rulebook.Take, n *node) (proceeding.Held, error) {
	words := func(s string) proceeding.Held { return proceeding.Held{Type: string(rulebook.TypeWords), Text: s} }
	if t.Is == rulebook.TakeText && n.form == mapping {
		return words(string(n.changes())), nil // an amendment: PATH: VALUE
	}
	if n.form != scalar {
		return words(""), fault.New(fault.Invalid, "%s is one value", t.Name)
	}
	switch t.Is {
	case rulebook.TakePerson, rulebook.TakeOffice:
		p, err := r.onePerson(n.text)
		return proceeding.Held{Type: string(rulebook.TypePerson), Text: strconv.FormatInt(int64(p), 10)}, err
	case rulebook.TakeUnit:
		u, err := r.unit((&complaints{}).reference(n.text, n.pos))
		return proceeding.Held{Type: string(rulebook.TypeUnit), Text: strconv.FormatInt(int64(u), 10)}, err
	case rulebook.TakeRun:
		ref, err := r.ref(scalarAt{n.text, n.pos})
		return words(ref), err
	case rulebook.TakeNumber:
		return proceeding.Held{Type: string(rulebook.TypeNumber), Text: n.text}, nil
	case rulebook.TakeFlag:
		return proceeding.Held{Type: string(rulebook.TypeFlag), Text: n.text}, nil
	case rulebook.TakeDate:
		c := &complaints{}
		w := c.when(scalarAt{n.text, n.pos})
		if len(c.list) > 0 || w.after != "" {
			return words(""), fault.New(fault.Invalid, "%s is a day, not %q", t.Name, n.text)
		}
		return proceeding.Hold(rulebook.Value{Type: rulebook.TypeMoment, Moment: w.moment(r.cal)}), nil
	}
	return words(n.text), nil
}

// back supports a call, a candidate or the question of a stage.
func (r *runner) back(s *step, ref string) error {
	b := proceeding.Back{}
	switch s.val.text {
	case "for", "true", "":
	case "against":
		b.Refuse = true
	default:
		p, err := r.onePerson(s.val.text)
		if err != nil {
			return err
		}
		b.Candidate = p
	}
	if n := s.more.get("votes"); n != nil { // of a unit's meeting
		f, err := figures(n)
		if err != nil {
			return err
		}
		b.Yes, b.No = f["for"], f["against"]
	}
	return r.each(s, func(t thing) error {
		a, _, err := r.actor(t)
		if err != nil {
			return err
		}
		x := b
		x.By, x.Unit = a, t.unit
		_, err = r.contests.Do(r.ctx, ref, x)
		return err
	})
}

// actors gives who acts in a step that one acts in; nobody named is the
// rehearsal itself.
func (r *runner) one(s *step) (a proceeding.Actor, as string, err error) {
	things, err := r.who(s.by)
	if err != nil {
		return a, "", err
	}
	switch len(things) {
	case 0:
		return proceeding.Actor{System: true}, "", nil
	case 1:
		return r.actor(things[0])
	}
	return a, "", fault.New(fault.Invalid, "one office, body or person does this, not %d", len(things))
}

// decide decides a stage: an option, or those who are picked.
func (r *runner) decide(s *step, ref string) error {
	a, as, err := r.one(s)
	if err != nil {
		return err
	}
	c := proceeding.Choose{By: a, As: as}
	if n := s.more.get("votes"); n != nil {
		if c.Votes, err = figures(n); err != nil {
			return err
		}
	}
	st, book, err := r.contests.State(r.ctx, ref)
	if err != nil {
		return err
	}
	if p := book.Procedure(st.Procedure); p != nil && st.Current >= 0 && st.Current < len(p.Stages) && len(p.Stages[st.Current].Pick) > 0 {
		things, err := r.who((&complaints{}).references(s.val))
		if err != nil {
			return err
		}
		for _, t := range things {
			c.Picked = append(c.Picked, t.person)
		}
	} else if s.val.form != scalar {
		return fault.New(fault.Invalid, "one option is decided")
	} else {
		c.Option = s.val.text
	}
	_, err = r.contests.Do(r.ctx, ref, c)
	return err
}

// figures reads how many there were of each.
func figures(n *node) (map[string]int64, error) {
	if n.form != mapping {
		return nil, fault.New(fault.Invalid, "write figures as in {for: 14, against: 9}")
	}
	out := map[string]int64{}
	for _, p := range n.pairs {
		k, err := strconv.ParseInt(strings.ReplaceAll(p.val.text, "_", ""), 10, 64)
		if err != nil || k > 1e12 {
			return nil, fault.New(fault.Invalid, "%q is not how many there were of %s", p.val.text, p.key)
		}
		out[p.key] = k
	}
	return out, nil
}

// enterFigures enters what tellers counted in the room, or the chair's word.
func (r *runner) enterFigures(s *step, ref string) error {
	a, _, err := r.one(s)
	if err != nil {
		return err
	}
	e := proceeding.Enter{By: a}
	if s.val.form == scalar {
		e.Judged = s.val.text
	} else if e.Figures, err = figures(s.val); err != nil {
		return err
	}
	_, err = r.contests.Do(r.ctx, ref, e)
	return err
}
