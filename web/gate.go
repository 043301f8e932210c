package web

import (
	"math/big"
	"strconv"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// GateTree is a gate as the rulebook builds it: one bar, or parts of which all
// or any have to be reached.
type GateTree struct {
	Bar   *GateBar
	Any   bool
	Parts []GateTree
	Met   bool
}

// gateTree puts what was reached where the rulebook has it. Parts that do not
// hold at the moment are left out, as they were in the tally.
func gateTree(book *rulebook.Book, t *rulebook.Threshold, path string, reached []proceeding.Reached) (GateTree, bool) {
	parts, word := t.All, "all"
	if len(t.Any) > 0 {
		parts, word = t.Any, "any"
	}
	if len(parts) == 0 {
		for _, r := range reached {
			if r.Leaf == path {
				b := bar(r)
				b.Says = book.Say(t)
				return GateTree{Bar: &b, Met: r.Met}, true
			}
		}
		return GateTree{}, false
	}
	out := GateTree{Any: word == "any", Met: word == "all"}
	for i, p := range parts {
		below := word + "." + strconv.Itoa(i)
		if path != "" {
			below = path + "." + below
		}
		x, ok := gateTree(book, p, below, reached)
		if !ok {
			continue
		}
		out.Parts = append(out.Parts, x)
		if out.Any {
			out.Met = out.Met || x.Met
		} else {
			out.Met = out.Met && x.Met
		}
	}
	return out, len(out.Parts) > 0
}

// bar makes the bar of one leaf of a gate: what there is of what is needed,
// with the denominator said out loud.
func bar(r proceeding.Reached) GateBar {
	b := GateBar{Has: whole(r.Has), Needs: whole(r.Needs), Met: r.Met}
	has, ok1 := new(big.Rat).SetString(r.Has)
	needs, ok2 := new(big.Rat).SetString(r.Needs)
	if ok1 && ok2 && needs.Sign() > 0 {
		w := has.Quo(has.Mul(has, big.NewRat(100, 1)), needs)
		b.Width = 100
		if w.Cmp(big.NewRat(100, 1)) < 0 {
			b.Width = int(new(big.Int).Quo(w.Num(), w.Denom()).Int64())
		}
	} else if r.Met {
		b.Width = 100
	}
	if r.Share != "" {
		b.Rule = r.Share + " of " + whole(r.Base)
	}
	return b
}

// whole writes an exact number for people.
func whole(s string) string {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return s
	}
	if r.IsInt() {
		return group(r.Num().String())
	}
	return group(r.FloatString(1))
}

func (v *visit) personField(name string) (register.PersonID, error) {
	n, err := strconv.ParseInt(v.r.PostFormValue(name), 10, 64)
	if err != nil {
		return 0, fault.New(fault.Invalid, "Choose somebody from the list; nothing has been changed.")
	}
	return register.PersonID(n), nil
}

func (v *visit) intField(name string) (int64, error) {
	s := v.r.PostFormValue(name)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > 100_000_000 {
		return 0, fault.New(fault.Invalid, "%q is not a number of votes; nothing has been changed.", s)
	}
	return n, nil
}

func (v *visit) nominate() error {
	if err := v.needs(); err != nil {
		return err
	}
	c := proceeding.Back{By: v.actor(), Refuse: v.r.PostFormValue("refuse") != ""}
	if v.r.PostFormValue("candidate") != "" {
		p, err := v.personField("candidate")
		if err != nil {
			return err
		}
		c.Candidate = p
	}
	unit, err := v.intField("unit")
	if err != nil {
		return err
	}
	c.Unit = register.UnitID(unit)
	if c.Yes, err = v.intField("yes"); err != nil {
		return err
	}
	if c.No, err = v.intField("no"); err != nil {
		return err
	}
	if _, err := v.s.Contests.Do(v.r.Context(), v.r.PathValue("ref"), c); err != nil {
		return err
	}
	return v.done(v.base(), "Your nomination is recorded.")
}

func (v *visit) unback() error {
	if err := v.needs(); err != nil {
		return err
	}
	unit, err := v.intField("unit")
	if err != nil {
		return err
	}
	if _, err := v.s.Contests.Do(v.r.Context(), v.r.PathValue("ref"), proceeding.Unback{By: v.actor(), Unit: register.UnitID(unit)}); err != nil {
		return err
	}
	return v.done(v.base(), "Your nomination is withdrawn.")
}

func (v *visit) answer() error {
	if err := v.needs(); err != nil {
		return err
	}
	a := proceeding.Answer{By: v.actor(), Accept: v.r.PostFormValue("answer") == "accept", Statement: v.r.PostFormValue("statement")}
	if _, err := v.s.Contests.Do(v.r.Context(), v.r.PathValue("ref"), a); err != nil {
		return err
	}
	if a.Accept {
		return v.done(v.base(), "You have accepted: from now on you are a candidate in public.")
	}
	return v.done(v.base(), "You have declined.")
}

func (v *visit) withdraw() error {
	if err := v.needs(); err != nil {
		return err
	}
	if v.r.PostFormValue("sure") == "" {
		return fault.New(fault.Invalid, "Tick the box to say that you are sure; you are still a candidate.")
	}
	if _, err := v.s.Contests.Do(v.r.Context(), v.r.PathValue("ref"), proceeding.Withdraw{By: v.actor()}); err != nil {
		return err
	}
	return v.done(v.base(), "You have withdrawn.")
}
