package chamber

import (
	"context"
	"fmt"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/store"
)

// Shift compares two rolls of the same voters: how many votes there are on
// each, and how many people gain or lose theirs. It is taken outside the
// writer, as Count is.
func (w *World) Shift(who rulebook.Who, here register.UnitID, scopes [2]rulebook.Scope, freezes [2]*rulebook.Moment) (before, after, moved int64, err error) {
	book := w.book
	key := fmt.Sprintf("shift|%s|%s", freezeKey(freezes[1]), w.countKey(who, here, scopes[0], freezes[0]))
	var got [3]int64
	missing := false
	w.c.mu.Lock()
	for i := range got {
		n, ok := w.c.counts[fmt.Sprintf("%s|%d", key, i)]
		got[i], missing = n, missing || !ok
	}
	w.c.mu.Unlock()
	if !missing {
		return got[0], got[1], got[2], nil
	}
	return 0, 0, 0, &errCount{take: func(tx *store.Tx) (map[string]int64, error) {
		fresh, err := w.c.world(tx, true)
		if err != nil {
			return nil, err
		}
		fresh = fresh.WithBook(book)
		var plans [2]*roll.Plan
		for i := range plans {
			if plans[i], err = roll.NewPlan(book, who, over(scopes[i], fresh), fresh.View(here), freezes[i]); err != nil {
				return nil, err
			}
		}
		n, err := fresh.shift(tx, here, plans, func(register.PersonID, int64, int64) {})
		out := map[string]int64{}
		for i := range n {
			out[fmt.Sprintf("%s|%d", key, i)] = n[i]
		}
		return out, err
	}}
}

// shift assesses everybody by both plans; moved is called with those who have
// another number of votes by the second.
func (w *World) shift(tx *store.Tx, here register.UnitID, plans [2]*roll.Plan, moved func(p register.PersonID, before, after int64)) (n [3]int64, err error) {
	var ask [2]*roll.Assessor
	for i := range plans {
		if err := w.warm(here, plans[i]); err != nil {
			return n, err
		}
		ask[i] = plans[i].Assessor()
	}
	p := &roll.Person{View: w.walking(here), Rec: &register.Record{}}
	var lines []roll.Line
	for r, err := range tx.PeopleAfter(0, 0) {
		if err != nil {
			return n, err
		}
		p.ID = register.PersonID(r.ID)
		if err := p.Rec.Decode(r.Facts); err != nil {
			return n, err
		}
		var votes [2]int64
		for i := range ask {
			if lines, err = ask[i].Assess(p, lines); err != nil {
				return n, err
			}
			for _, l := range lines {
				if l.Reason == 0 {
					votes[i]++
				}
			}
			n[i] += votes[i]
		}
		if votes[0] != votes[1] {
			n[2]++
			moved(p.ID, votes[0], votes[1])
		}
	}
	return n, nil
}

// Moved gives the people whose vote an act of a run gave or took, as the
// register stands now.
func (c *Chamber) Moved(ctx context.Context, ref string, act int64) (gained, lost []register.PersonID, err error) {
	err = c.Read(ctx, func(w *World) error {
		gained, lost = nil, nil
		st, err := w.State(ref)
		if err != nil {
			return err
		}
		book, err := c.Book(w.tx, st.Book)
		if err != nil {
			return err
		}
		v := w.WithBook(book)
		for _, a := range st.Acts {
			if a.N != act {
				continue
			}
			for _, x := range a.Rolls {
				var plans [2]*roll.Plan
				for i, s := range []*proceeding.State{st.After(act - 1), st.After(act)} {
					if plans[i], err = proceeding.PlanOf(book, s, v, w.at.UnixMilli(), x.Stage); err != nil {
						return err
					}
				}
				_, err := v.shift(w.tx, st.Unit, plans, func(p register.PersonID, before, after int64) {
					if before < after {
						gained = append(gained, p)
					} else {
						lost = append(lost, p)
					}
				})
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	return gained, lost, err
}
