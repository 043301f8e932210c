package chamber

import (
	"fmt"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/store"
)

// Least counts the people in each section of who that is not listed, up to
// least: that a secret ballot can be held is known after a few people. Like
// Count it is taken outside the writer.
func (w *World) Least(who rulebook.Who, here register.UnitID, scope rulebook.Scope, freeze *rulebook.Moment, least int64) ([]int64, error) {
	book := w.book
	plan, err := roll.NewPlan(book, who, scope, w.View(here), freeze)
	if err != nil {
		return nil, err
	}
	key := func(section int) string {
		return fmt.Sprintf("least|%d|%d|%s", section, least, w.countKey(who, here, scope, freeze))
	}
	out := make([]int64, len(plan.People))
	for k := range out {
		w.c.mu.Lock()
		n, ok := w.c.counts[key(k)]
		w.c.mu.Unlock()
		if ok {
			out[k] = n
			continue
		}
		return nil, &errCount{take: func(tx *store.Tx) (map[string]int64, error) {
			fresh, err := w.c.world(tx, true)
			if err != nil {
				return nil, err
			}
			fresh = fresh.WithBook(book)
			plan, err := roll.NewPlan(book, who, over(scope, fresh), fresh.View(here), freeze)
			if err != nil {
				return nil, err
			}
			counts, err := fresh.least(tx, here, plan, least)
			out := map[string]int64{}
			for k, n := range counts {
				out[key(k)] = n
			}
			return out, err
		}}
	}
	return out, nil
}

// least counts each section's people until all have enough.
func (w *World) least(tx *store.Tx, here register.UnitID, plan *roll.Plan, least int64) ([]int64, error) {
	if err := w.warm(here, plan); err != nil {
		return nil, err
	}
	a, p := plan.Assessor(), &roll.Person{View: w.walking(here), Rec: &register.Record{}}
	out := make([]int64, len(plan.People))
	missing := len(out)
	var lines []roll.Line
	for r, err := range tx.PeopleAfter(0, 0) {
		if err != nil {
			return nil, err
		}
		p.ID = register.PersonID(r.ID)
		if err := p.Rec.Decode(r.Facts); err != nil {
			return nil, err
		}
		if lines, err = a.Assess(p, lines); err != nil {
			return nil, err
		}
		for k := range lines {
			if lines[k].Reason == 0 && out[k] < least {
				if out[k]++; out[k] == least {
					missing--
				}
			}
		}
		if missing == 0 {
			break
		}
	}
	return out, nil
}

// over lets expressions of a decision that was put off ask the snapshot on
// which it is made now: its own is gone.
func over(s rulebook.Scope, w *World) rulebook.Scope {
	if o, ok := s.(interface {
		Over(proceeding.World) rulebook.Scope
	}); ok {
		return o.Over(w)
	}
	return s
}
