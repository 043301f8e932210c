package rehearsal

import (
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
)

// order gives an order from outside the procedure.
func (r *runner) order(s *step, ref string) error {
	a, as, err := r.one(s)
	if err != nil {
		return err
	}
	c := &complaints{}
	o := proceeding.Order{By: a, As: as, Order: s.val.text, Why: c.text(s.more, "why").text, Name: s.as.text}
	until := c.text(s.more, "until")
	if s.val.form == mapping {
		p := s.val.pairs[0]
		switch o.Order = p.key; o.Order {
		case "extend":
			until = scalarAt{p.val.text, p.val.pos}
		case "set_aside":
			o.Target = p.val.text
			if other, ok := r.aliases[o.Target]; ok { // what a run as a whole decided
				ref, o.Target = other, ""
			}
		case "set":
			if p.val.form != mapping || len(p.val.pairs) != 1 {
				return fault.New(fault.Invalid, "write it as in order: {set: {freeze_date: 2016-01-12}}")
			}
			o.Slot, o.Text = p.val.pairs[0].key, p.val.pairs[0].val.text
		}
	}
	if until.text != "" {
		w := c.when(until)
		if len(c.list) > 0 || w.after != "" {
			return fault.New(fault.Invalid, "%q is no day until which something is extended", until.text)
		}
		o.Until = w.moment(r.cal).End().UnixMilli()
	}
	if _, err = r.contests.Do(r.ctx, ref, o); err == nil {
		r.last = ref
	}
	return err
}

// set uses a discretion: one that stands for every run outside of any, else
// in the run.
func (r *runner) set(s *step) error {
	p := s.val.pairs[0]
	sl := r.current().Slot(p.key)
	if sl == nil {
		var known []string
		for i := range r.book.Slots {
			known = append(known, r.book.Slots[i].Name)
		}
		return fault.New(fault.NotFound, "the rulebook leaves no discretion called %s%s", p.key, didYouMean(p.key, known))
	}
	a, as, err := r.one(s)
	if err != nil {
		return err
	}
	if sl.Standing {
		u, err := r.unit(s.in)
		if err != nil {
			return err
		}
		return r.contests.SetStanding(r.ctx, a, as, p.key, u, p.val.text)
	}
	ref, err := r.acting(s.run)
	if err != nil {
		return err
	}
	if _, err = r.contests.Do(r.ctx, ref, proceeding.SetSlot{By: a, As: as, Slot: p.key, Text: p.val.text, Name: s.as.text}); err == nil {
		r.last = ref
	}
	return err
}

// event declares an event, for now or for a day.
func (r *runner) event(s *step) error {
	a, as, err := r.one(s)
	if err != nil {
		return err
	}
	at := r.clock.now()
	c := &complaints{}
	if t := c.text(s.more, "day"); t.text != "" {
		w := c.when(t)
		if len(c.list) > 0 || w.after != "" {
			return fault.New(fault.Invalid, "%q is no day", t.text)
		}
		at = w.time(r.cal)
	}
	return r.contests.DeclareEvent(r.ctx, a, as, strings.TrimSpace(s.val.text), at)
}

// contradict records that what two runs adopted cannot both hold.
func (r *runner) contradict(s *step) error {
	a, _, err := r.one(s)
	if err != nil {
		return err
	}
	var refs [2]string
	for i, n := range s.val.items {
		if refs[i], err = r.ref(scalarAt{n.text, n.pos}); err != nil {
			return err
		}
	}
	return r.contests.Contradict(r.ctx, a, refs[0], refs[1])
}
