package proceeding

import (
	"fmt"
	"math/big"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// OutOfReach gives a warning for each gate of a rulebook that nobody can pass as
// the register stands: 25 constituencies are asked for, and there are 20. Shares
// are left out, for they move with what they are shares of, and so is what
// depends on a candidate or a discretion. It may take long, as World.Count may.
func OutOfReach(book *rulebook.Book, w World, at time.Time) (rulebook.Problems, error) {
	var out rulebook.Problems
	for i := range book.Procedures {
		p := &book.Procedures[i]
		units := []register.UnitID{0}
		if p.In != "" {
			units = w.View(0).Tree.Kind(p.In, 0)
		}
		for _, t := range gatesOf(p) {
			ps, err := outOfReach(book, p, t, units, w, at)
			if err != nil {
				return nil, err
			}
			out = append(out, ps...)
		}
	}
	return out, nil
}

// gatesOf gives what calls and stages of a procedure ask for.
func gatesOf(p *rulebook.Procedure) []*rulebook.Threshold {
	var out []*rulebook.Threshold
	for i := range p.Begins {
		if t := p.Begins[i].Backed; t != nil {
			out = append(out, t)
		}
	}
	for i := range p.Stages {
		if t := p.Stages[i].Needs; t != nil {
			out = append(out, t)
		}
	}
	return out
}

// outOfReach looks at one gate in each unit in which its procedure can run.
func outOfReach(book *rulebook.Book, p *rulebook.Procedure, t *rulebook.Threshold, units []register.UnitID, w World, at time.Time) (rulebook.Problems, error) {
	var out rulebook.Problems
	for _, u := range units {
		d := newDecider(book, &State{Procedure: p.Name, Unit: u, Called: at.UnixMilli(), Current: -1}, w, at.UnixMilli())
		why, err := d.beyondReach(t)
		if err != nil {
			return nil, err
		}
		if why == "" {
			continue
		}
		if x := d.view().Tree.Unit(u); x != nil {
			why += " in " + x.Name
		}
		return append(out, rulebook.Problem{Code: "out-of-reach", Pos: t.Pos, Warning: true,
			Message: fmt.Sprintf("nobody can pass this gate of `%s` at present numbers: %s", p.Name, why),
			Remedy:  "Ask for fewer, or for a share, which moves with how many there are."}), nil
	}
	return out, nil
}

// beyondReach says what is missing of a gate; empty where it can be passed, or
// where that cannot be told.
func (d *decider) beyondReach(t *rulebook.Threshold) (string, error) {
	if len(t.Any) > 0 {
		for i, part := range t.Any {
			why, err := d.beyondReach(part)
			if err != nil || why == "" || i == len(t.Any)-1 {
				return why, err
			}
		}
	}
	for _, part := range t.All {
		if why, err := d.beyondReach(part); err != nil || why != "" {
			return why, err
		}
	}
	amount, fixed := rulebook.Value{}, false
	if t.Amount != nil {
		amount, fixed = t.Amount.Literal()
	}
	if t.From == nil || t.Share || !fixed || amount.Number == nil || t.Cmp == rulebook.AtMost || t.When != nil {
		return "", nil
	}
	has, err := d.entitled(t)
	if err != nil {
		if fault.Of(err) == nil && unknown(err) == "" {
			return "", err // a count that has to be taken first
		}
		return "", nil // it depends on what is not known before a run
	}
	if t.Distinct != "" {
		if n := new(big.Rat).SetInt64(int64(len(d.view().Tree.Kind(t.Distinct, d.st.Unit)))); n.Cmp(has) < 0 {
			has = n
		}
	}
	if c := has.Cmp(amount.Number); c > 0 || c == 0 && t.Cmp == rulebook.AtLeast {
		return "", nil
	}
	return fmt.Sprintf("it needs %s of %s, and there are %s", amount.Number.RatString(), d.leafWords(t), has.RatString()), nil
}
