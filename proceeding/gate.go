package proceeding

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// leaves calls yield with every leaf of a threshold and its path: "" for a
// threshold that is itself a leaf, "any.1.all.0" inside others.
func leaves(t *rulebook.Threshold, path string, yield func(path string, t *rulebook.Threshold)) {
	if t == nil {
		return
	}
	for i, c := range t.All {
		leaves(c, join(path, "all", i), yield)
	}
	for i, c := range t.Any {
		leaves(c, join(path, "any", i), yield)
	}
	if len(t.All) == 0 && len(t.Any) == 0 {
		yield(path, t)
	}
}

func join(path, word string, i int) string {
	s := word + "." + strconv.Itoa(i)
	if path == "" {
		return s
	}
	return path + "." + s
}

// bases counts, for every leaf that is a share of those entitled, how many
// there are: once, when the gathering opens.
func (d *decider) bases(t *rulebook.Threshold) (map[string]string, error) {
	out := map[string]string{}
	var failed error
	leaves(t, "", func(path string, t *rulebook.Threshold) {
		if failed != nil || !t.Share || t.From == nil {
			return
		}
		n, err := d.entitled(t)
		if err != nil {
			failed = err
			return
		}
		out[path] = n.RatString()
	})
	return out, failed
}

// entitled is the denominator of a leaf: how many could support, narrowed by
// its `where`, weighed by its `weigh`.
func (d *decider) entitled(t *rulebook.Threshold) (*big.Rat, error) {
	sum := new(big.Rat)
	for _, who := range alternatives(t.From) {
		switch who.Kind {
		case rulebook.WhoUnit:
			for _, id := range d.view().Tree.Kind(who.Name, d.st.Unit) {
				w, ok, err := d.share(t, nil, d.view().Unit(id), nil)
				if err != nil {
					return nil, err
				}
				if ok {
					sum.Add(sum, w)
				}
			}
		case rulebook.WhoBody, rulebook.WhoOffice, rulebook.WhoPerson:
			people, err := d.members(who)
			if err != nil {
				return nil, err
			}
			for _, p := range people {
				w, ok, err := d.share(t, d.view().Person(p), nil, nil)
				if err != nil {
					return nil, err
				}
				if ok {
					sum.Add(sum, w)
				}
			}
		default:
			n, err := d.world.Count(who, d.st.Unit, &scope{d: d}, d.freezeOrNil())
			if err != nil {
				return nil, err
			}
			sum.Add(sum, new(big.Rat).SetInt64(n))
		}
	}
	return sum, nil
}

func alternatives(w *rulebook.Who) []rulebook.Who {
	if w == nil {
		return nil
	}
	if w.Kind == rulebook.WhoAny || w.Kind == rulebook.WhoSlot {
		return w.Any
	}
	return []rulebook.Who{*w}
}

// share is what one person or unit adds to a leaf; ok is false where its
// `where` leaves them out.
func (d *decider) share(t *rulebook.Threshold, p rulebook.Person, u rulebook.Unit, candidate rulebook.Person) (*big.Rat, bool, error) {
	s := &scope{d: d, person: p, unit: u, candidate: candidate}
	if t.Where != nil && !(candidate == nil && uses(t.Where, "candidate")) {
		ok, err := t.Where.Flag(s)
		if err != nil && unknown(err) == "" {
			return nil, false, err
		}
		if !ok || err != nil {
			return nil, false, nil
		}
	}
	if t.Weigh == nil {
		return big.NewRat(1, 1), true, nil
	}
	w, err := t.Weigh.Number(s)
	if err != nil {
		if unknown(err) != "" {
			return new(big.Rat), true, nil // nobody has entered it: it weighs nothing
		}
		return nil, false, err
	}
	return w, true, nil
}

func uses(e *rulebook.Expr, name string) bool { return slices.Contains(e.Names(), name) }

// counts works out towards which leaves of a threshold a supporter's word
// goes. A supporter who can support through none of them is refused.
func (d *decider) counts(t *rulebook.Threshold, by voter, candidate register.PersonID) ([]LeafShare, error) {
	var out []LeafShare
	var failed error
	var names []string
	var c rulebook.Person
	if candidate != 0 {
		c = d.view().Person(candidate)
	}
	leaves(t, "", func(path string, t *rulebook.Threshold) {
		if failed != nil || t.From == nil {
			return
		}
		for _, who := range alternatives(t.From) {
			names = append(names, d.words(who))
			in, err := d.isWho(by, who)
			if err != nil {
				failed = err
				return
			}
			if !in {
				continue
			}
			ls, ok, err := d.leafShare(path, t, by, c)
			if err != nil {
				failed = err
				return
			}
			if ok {
				out = append(out, ls)
			}
			return
		}
	})
	if failed != nil {
		return nil, failed
	}
	if len(out) == 0 {
		slices.Sort(names)
		return nil, fault.Under(fault.NotEntitled, d.cite(), "%s cannot support this: it takes %s", d.voterName(by), orList(slices.Compact(names)))
	}
	return out, nil
}

func (d *decider) leafShare(path string, t *rulebook.Threshold, by voter, c rulebook.Person) (LeafShare, bool, error) {
	var p rulebook.Person
	var u rulebook.Unit
	if by.unit != 0 {
		u = d.view().Unit(by.unit)
	} else {
		p = d.view().Person(by.person)
	}
	w, ok, err := d.share(t, p, u, c)
	if err != nil || !ok {
		return LeafShare{}, false, err
	}
	ls := LeafShare{Leaf: path}
	if w.Cmp(big.NewRat(1, 1)) != 0 {
		ls.Weight = w.RatString()
	}
	if t.Distinct != "" && p != nil {
		if x, ok := p.Unit(t.Distinct); ok {
			ls.Unit = x.Key()
		}
	}
	return ls, true, nil
}

// Tally counts what a gathering shows for a candidate (0: for the question),
// leaf by leaf, and whether the whole is reached. An *rulebook.Unknown says
// that a discretion has to be used first.
func (d *decider) tally(t *rulebook.Threshold, path string, g *Gather, candidate register.PersonID) (bool, []Reached, error) {
	if on, err := d.applies(t); err != nil || !on {
		return true, nil, err
	}
	if len(t.All) > 0 {
		return d.tallyParts(t.All, "all", path, g, candidate)
	}
	if len(t.Any) > 0 {
		return d.tallyParts(t.Any, "any", path, g, candidate)
	}
	r, err := d.leaf(t, path, g, candidate)
	if err != nil {
		return false, nil, err
	}
	return r.Met, []Reached{r}, nil
}

func (d *decider) tallyParts(parts []*rulebook.Threshold, word, path string, g *Gather, candidate register.PersonID) (bool, []Reached, error) {
	met, on := word == "all", 0
	var out []Reached
	for i, c := range parts {
		if ok, err := d.applies(c); err != nil {
			return false, nil, err
		} else if !ok {
			continue
		}
		on++
		m, r, err := d.tally(c, join(path, word, i), g, candidate)
		if err != nil {
			return false, nil, err
		}
		out = append(out, r...)
		if word == "all" {
			met = met && m
		} else {
			met = met || m
		}
	}
	return met || on == 0, out, nil
}

func (d *decider) leaf(t *rulebook.Threshold, path string, g *Gather, candidate register.PersonID) (Reached, error) {
	has, units := new(big.Rat), map[int64]bool{}
	papers := new(big.Rat)
	for i := range g.Supports {
		s := &g.Supports[i]
		if s.Gone != "" || s.Void {
			continue
		}
		for _, l := range s.Leaves {
			if l.Leaf != path {
				continue
			}
			w := big.NewRat(1, 1)
			if l.Weight != "" {
				w.SetString(l.Weight)
			}
			papers.Add(papers, w)
			if s.For != candidate || s.Against {
				continue
			}
			if t.Distinct != "" {
				if l.Unit != 0 && !units[l.Unit] {
					units[l.Unit] = true
					has.Add(has, big.NewRat(1, 1))
				}
				continue
			}
			has.Add(has, w)
		}
	}
	r := Reached{Leaf: path, What: d.leafWords(t), Has: has.RatString()}
	own, err := d.leavesOut(t, candidate)
	if err != nil {
		return r, err
	}
	base := func(of string) (*big.Rat, bool) {
		if of == "papers" || of == "cast" {
			return papers, true
		}
		b, ok := new(big.Rat).SetString(g.Bases[path])
		if ok && own {
			b.Sub(b, big.NewRat(1, 1))
		}
		return b, ok
	}
	return d.reach(t, r, has, base)
}

// leavesOut tells whether a leaf's `where` leaves the candidate out, who could
// else support: "a tenth of the others" is a tenth of one fewer.
func (d *decider) leavesOut(t *rulebook.Threshold, candidate register.PersonID) (bool, error) {
	if candidate == 0 || !t.Share || t.Weigh != nil || t.Where == nil || !uses(t.Where, "candidate") {
		return false, nil
	}
	for _, who := range alternatives(t.From) {
		if in, err := d.isWho(voter{person: candidate}, who); err != nil {
			return false, err
		} else if in {
			c := d.view().Person(candidate)
			_, counts, err := d.share(t, c, nil, c)
			return !counts, err
		}
	}
	return false, nil
}

// reach compares what there is with what is needed. base gives the value of a
// named denominator.
func (d *decider) reach(t *rulebook.Threshold, r Reached, has *big.Rat, base func(string) (*big.Rat, bool)) (Reached, error) {
	s := &scope{d: d}
	amount, err := t.Amount.Number(s)
	if err != nil {
		return r, err
	}
	r.Cmp, r.Round = string(t.Cmp), t.Round
	needs := amount
	if t.Share {
		of, err := t.Of.Words(s)
		if err != nil {
			return r, err
		}
		b, ok := base(of)
		if !ok {
			return r, fault.New(fault.Damaged, "the rulebook measures against %q, which is not known here", of)
		}
		r.Of, r.Base, r.Share = of, b.RatString(), t.Amount.Source()
		needs = round(new(big.Rat).Mul(amount, b), t.Round)
		if ofNothing(t, of, amount, b) {
			needs = big.NewRat(1, 1)
		}
	}
	r.Needs = needs.RatString()
	switch c := has.Cmp(needs); t.Cmp {
	case rulebook.AtLeast:
		r.Met = c >= 0
	case rulebook.MoreThan:
		r.Met = c > 0
	case rulebook.AtMost:
		r.Met = c <= 0
	}
	return r, nil
}

// ofNothing tells whether a share of nobody is asked for. It is not reached by
// nobody: a third of no branches is no support, two thirds of no votes no
// majority. So one is needed.
func ofNothing(t *rulebook.Threshold, of string, amount, base *big.Rat) bool {
	return t.Cmp == rulebook.AtLeast && base.Sign() == 0 && amount.Sign() > 0 && of != "picked" && of != "seats"
}

// round brings an exact number to a whole one as a rule says; with no word it
// stays exact.
func round(x *big.Rat, how string) *big.Rat {
	if how == "" || x.IsInt() {
		return x
	}
	q := new(big.Int).Quo(x.Num(), x.Denom())
	switch how {
	case "up":
		q.Add(q, big.NewInt(1))
	case "nearest": // a half goes up
		twice := new(big.Rat).Mul(x, big.NewRat(2, 1))
		twice.Add(twice, big.NewRat(1, 1))
		q.Quo(twice.Num(), new(big.Int).Mul(twice.Denom(), big.NewInt(2)))
	}
	return new(big.Rat).SetInt(q)
}

// String says what was reached: "43 of 212 entitled plp, needs 22".
func (r Reached) String() string {
	b := &strings.Builder{}
	b.WriteString(r.Has)
	if r.Base != "" {
		fmt.Fprintf(b, " of %s %s %s", r.Base, r.Of, r.What)
	} else {
		fmt.Fprintf(b, " from %s", r.What)
	}
	switch r.Cmp {
	case string(rulebook.MoreThan):
		fmt.Fprintf(b, ", needs more than %s", r.Needs)
	case string(rulebook.AtMost):
		fmt.Fprintf(b, ", at most %s", r.Needs)
	default:
		fmt.Fprintf(b, ", needs %s", r.Needs)
	}
	return b.String()
}

func (d *decider) leafWords(t *rulebook.Threshold) string {
	var names []string
	for _, w := range alternatives(t.From) {
		names = append(names, w.Name)
	}
	if t.From == nil {
		names = append(names, t.Count)
	}
	s := strings.Join(names, ", ")
	if t.Distinct != "" {
		s += " in different " + t.Distinct
	}
	if t.Weigh != nil {
		s += " by " + t.Weigh.Source()
	}
	if t.Where != nil {
		s += " where " + t.Where.Source()
	}
	return s
}

func orList(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
