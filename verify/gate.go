package verify

import (
	"math/big"
	"slices"
	"strconv"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
)

// gathering is support being measured against a threshold of the rulebook.
type gathering struct {
	t     *rulebook.Threshold
	bases map[string]string // denominators as they were counted at the opening
	stage string            // empty: for the call itself
}

// leaves calls yield with every part of a threshold that is measured, and its
// path: "" where the threshold is one itself, "any.1.all.0" inside others.
func leaves(t *rulebook.Threshold, path string, yield func(string, *rulebook.Threshold)) {
	if t == nil {
		return
	}
	for i, c := range t.All {
		leaves(c, below(path, "all", i), yield)
	}
	for i, c := range t.Any {
		leaves(c, below(path, "any", i), yield)
	}
	if len(t.All)+len(t.Any) == 0 {
		yield(path, t)
	}
}

func below(path, word string, i int) string {
	if path != "" {
		path += "."
	}
	return path + word + "." + strconv.Itoa(i)
}

// gate compares the support that was published with the rulebook: what it
// needs, and whether that is reached; on a scrutineers' bundle the figure
// itself is added up again from the supporters' entries. It tells whether the
// gate is reached.
func (v *verifier) gate(e *entry, r *run, s *scope, g gathering, published proceeding.Standing, candidate register.PersonID) bool {
	rest := published.Gates
	if !s.applies(g.t) { // no support is asked for
		v.Check(CheckGates).must(len(rest) == 0, e.seq, "it measures support that the rulebook does not ask for")
		return true
	}
	met, ok := v.measure(e, r, s, g, g.t, "", &rest, candidate)
	v.Check(CheckGates).must(ok && len(rest) == 0, e.seq, "it does not list the parts of the rulebook's gate")
	return ok && met
}

func (v *verifier) measure(e *entry, r *run, s *scope, g gathering, t *rulebook.Threshold, path string, rest *[]proceeding.Reached, candidate register.PersonID) (met, ok bool) {
	parts, word := t.All, "all"
	if len(t.Any) > 0 {
		parts, word = t.Any, "any"
	}
	if len(parts) == 0 {
		return v.leaf(e, r, s, g, t, path, rest, candidate)
	}
	met, on := word == "all", 0
	for i, c := range parts {
		if !s.applies(c) {
			continue
		}
		on++
		m, fine := v.measure(e, r, s, g, c, below(path, word, i), rest, candidate)
		if !fine {
			return false, false
		}
		if word == "all" {
			met = met && m
		} else {
			met = met || m
		}
	}
	return met || on == 0, true
}

// applies tells whether there is a threshold, and its `when` switches it on.
func (s *scope) applies(t *rulebook.Threshold) bool {
	if t == nil || t.When == nil {
		return t != nil
	}
	held, err := t.When.Flag(s)
	return err == nil && held
}

// leaf measures one part.
func (v *verifier) leaf(e *entry, r *run, s *scope, g gathering, t *rulebook.Threshold, path string, rest *[]proceeding.Reached, candidate register.PersonID) (met, ok bool) {
	if len(*rest) == 0 {
		return false, false
	}
	pub := (*rest)[0]
	*rest = (*rest)[1:]
	has := rat(pub.Has)
	if has == nil || pub.Leaf != path {
		return false, false
	}
	var papers *big.Rat
	if v.full {
		var again *big.Rat
		again, papers = r.count(g, t, path, candidate)
		v.Check(CheckGateAgain).must(again.Cmp(has) == 0, e.seq, "it says %s from %s; the entries give %s", pub.Has, pub.What, again.RatString())
	}
	base := func(of string) *big.Rat {
		if of == "papers" || of == "cast" {
			if papers == nil {
				return rat(pub.Base)
			}
			return papers
		}
		b := rat(g.bases[path])
		if b == nil || !t.Share || t.Weigh != nil || t.Where == nil || !slices.Contains(t.Where.Names(), "candidate") {
			return b
		}
		others := new(big.Rat).Sub(b, big.NewRat(1, 1))
		if published := rat(pub.Base); !v.full && published != nil && published.Cmp(others) == 0 {
			return others // who fell short has no name in public, and nobody has their class there
		}
		if out, err := s.leavesOut(t, candidate); err == nil && out && candidate != 0 {
			return others
		}
		return b
	}
	return v.reached(e, CheckGates, s, t, pub, has, base)
}

// leavesOut tells whether a part's `where` leaves the candidate out, who could
// else support.
func (s *scope) leavesOut(t *rulebook.Threshold, candidate register.PersonID) (bool, error) {
	in, err := s.oneOf(candidate, 0, t.From)
	if err != nil || !in {
		return false, err
	}
	x := *s
	x.person = s.view().Person(candidate)
	x.candidate = x.person
	ok, err := t.Where.Flag(&x)
	return !ok, err
}

// reached measures `has` against a threshold and compares every figure that
// was published with the rulebook's.
func (v *verifier) reached(e *entry, check string, s *scope, t *rulebook.Threshold, pub proceeding.Reached, has *big.Rat, base func(string) *big.Rat) (met, ok bool) {
	c := v.Check(check)
	needs, err := t.Amount.Number(s)
	if err != nil {
		c.fail(e.seq, "how much the rulebook asks for cannot be evaluated: %v", err)
		return false, false
	}
	of, share, denominator := "", "", ""
	if t.Share {
		if of, err = t.Of.Words(s); err != nil {
			c.fail(e.seq, "what the rulebook measures against cannot be evaluated: %v", err)
			return false, false
		}
		b := base(of)
		if b == nil {
			c.fail(e.seq, "it has no figure for %q", of)
			return false, false
		}
		share, denominator = t.Amount.Source(), b.RatString()
		amount := needs
		needs = rounded(new(big.Rat).Mul(amount, b), t.Round)
		if b.Sign() == 0 {
			needs = ofNobody(t, of, amount, needs)
		}
	}
	switch cmp := has.Cmp(needs); t.Cmp {
	case rulebook.AtLeast:
		met = cmp >= 0
	case rulebook.MoreThan:
		met = cmp > 0
	case rulebook.AtMost:
		met = cmp <= 0
	}
	same := pub.Cmp == string(t.Cmp) && pub.Round == t.Round && pub.Share == share && pub.Of == of && pub.Base == denominator
	c.must(same, e.seq, "it measures %s otherwise than the rulebook: %s of %s %s", pub.What, pub.Share, pub.Base, pub.Of)
	c.must(pub.Needs == needs.RatString() && pub.Met == met, e.seq, "it says %s of what it needs (%s): %v; the rulebook asks for %s: %v", pub.Has, pub.Needs, pub.Met, needs.RatString(), met)
	return met, true
}

// ofNobody is how much a share of nobody asks for: one, where something is asked
// for at all, for a share of nothing is not reached by nobody.
func ofNobody(t *rulebook.Threshold, of string, share, needs *big.Rat) *big.Rat {
	if t.Cmp != rulebook.AtLeast || share.Sign() <= 0 || of == "picked" || of == "seats" {
		return needs
	}
	return big.NewRat(1, 1)
}

// rounded brings an exact number to a whole one as a rule says.
func rounded(x *big.Rat, how string) *big.Rat {
	if how == "" || x.IsInt() {
		return x
	}
	two := big.NewInt(2)
	n, d := new(big.Int).Set(x.Num()), new(big.Int).Set(x.Denom())
	switch how {
	case "up":
		n.Add(n, new(big.Int).Sub(d, big.NewInt(1)))
	case "nearest": // a half goes up
		n.Add(n.Mul(n, two), d)
		d.Mul(d, two)
	}
	return new(big.Rat).SetInt(n.Div(n, d)) // amounts are not negative
}

// count adds up the support for a candidate (0: the question), and all
// support, of one part of a gate.
func (r *run) count(g gathering, t *rulebook.Threshold, path string, candidate register.PersonID) (has, papers *big.Rat) {
	has, papers = new(big.Rat), new(big.Rat)
	var units []int64
	opened := r.openedAt(g.stage)
	for _, x := range r.supports {
		if x.stage != g.stage || x.seq < opened || x.Gone != "" || x.Void {
			continue
		}
		for _, l := range x.Leaves {
			if l.Leaf != path {
				continue
			}
			w := rat(l.Weight)
			if w == nil {
				w = big.NewRat(1, 1)
			}
			papers.Add(papers, w)
			switch {
			case x.For != candidate || x.Against:
			case t.Distinct == "":
				has.Add(has, w)
			case l.Unit != 0 && !slices.Contains(units, l.Unit):
				units = append(units, l.Unit)
				has.Add(has, big.NewRat(1, 1))
			}
		}
	}
	return has, papers
}

// bases compares the denominators counted at an opening with those that the
// rulebook asks for and, where the register is open, with the register.
func (v *verifier) bases(e *entry, s *scope, t *rulebook.Threshold, published map[string]string) {
	want := 0
	leaves(t, "", func(path string, t *rulebook.Threshold) {
		if !t.Share || t.From == nil {
			return
		}
		want++
		pub := rat(published[path])
		if !v.Check(CheckGates).must(pub != nil, e.seq, "it counts no denominator for the part %q of its gate", path) {
			return
		}
		if !v.full && !listable(t) {
			return
		}
		n, err := s.entitled(t)
		check := CheckBases
		if !v.full {
			check = CheckGates
		}
		v.Check(check).must(err == nil && n.Cmp(pub) == 0, e.seq, "it counts %s who could support; the register gives %v", pub.RatString(), n)
	})
	v.Check(CheckGates).must(len(published) == want, e.seq, "it counts %d denominators; the rulebook asks for %d", len(published), want)
}

// listable tells whether a denominator follows from public entries.
func listable(t *rulebook.Threshold) bool {
	return t.Where == nil && t.Weigh == nil && !slices.ContainsFunc(alternatives(t.From), func(w rulebook.Who) bool {
		return w.Kind == rulebook.WhoClass || w.Kind == rulebook.WhoElectorate
	})
}

// entitled counts who could support through a part of a gate.
func (s *scope) entitled(t *rulebook.Threshold) (*big.Rat, error) {
	sum := new(big.Rat)
	for _, who := range alternatives(t.From) {
		switch who.Kind {
		case rulebook.WhoUnit:
			for _, id := range s.view().Tree.Kind(who.Name, s.r.st.Unit) {
				if err := s.addShare(sum, t, nil, s.view().Unit(id)); err != nil {
					return nil, err
				}
			}
		case rulebook.WhoClass, rulebook.WhoElectorate:
			n, err := s.everybody(who)
			if err != nil {
				return nil, err
			}
			sum.Add(sum, new(big.Rat).SetInt64(n))
		default:
			list, err := s.members(who)
			if err != nil {
				return nil, err
			}
			for _, p := range list {
				if err := s.addShare(sum, t, s.view().Person(p), nil); err != nil {
					return nil, err
				}
			}
		}
	}
	return sum, nil
}

func (s *scope) addShare(sum *big.Rat, t *rulebook.Threshold, p rulebook.Person, u rulebook.Unit) error {
	w, in, err := s.share(t, p, u, nil)
	if err == nil && in {
		sum.Add(sum, w)
	}
	return err
}

// everybody counts the people in the register who are in a class or an
// electorate.
func (s *scope) everybody(who rulebook.Who) (int64, error) {
	freeze, err := s.freeze()
	if err != nil {
		freeze = nil
	}
	plan, err := roll.NewPlan(s.r.book, who, s, s.view(), freeze)
	if err != nil {
		return 0, err
	}
	var n int64
	err = s.o.assess(s.view(), plan, func(_ register.PersonID, lines []roll.Line) {
		for _, l := range lines {
			if l.Reason == 0 {
				n++
			}
		}
	})
	return n, err
}

// assess asks a plan about everybody in the register.
func (o *organisation) assess(view *roll.View, plan *roll.Plan, each func(register.PersonID, []roll.Line)) error {
	a := plan.Assessor()
	p := &roll.Person{View: view, Rec: &register.Record{}}
	lines := make([]roll.Line, 0, len(plan.People))
	for id, b := range o.people {
		p.ID = id
		err := p.Rec.Decode(b)
		if err == nil {
			lines, err = a.Assess(p, lines)
		}
		if err != nil {
			return err
		}
		each(id, lines)
	}
	return nil
}

// share is what one person or unit adds to a part of a gate; in is false
// where its `where` leaves them out.
func (s *scope) share(t *rulebook.Threshold, p rulebook.Person, u rulebook.Unit, candidate rulebook.Person) (w *big.Rat, in bool, err error) {
	c := *s
	c.person, c.unit, c.candidate = p, u, candidate
	if t.Where != nil && (candidate != nil || !slices.Contains(t.Where.Names(), "candidate")) {
		ok, err := roll.Met(t.Where, &c)
		if err != nil || !ok {
			return nil, false, err
		}
	}
	if t.Weigh == nil {
		return big.NewRat(1, 1), true, nil
	}
	w, err = t.Weigh.Number(&c)
	if err != nil && waits(err) {
		return new(big.Rat), true, nil // nobody has entered it: it weighs nothing
	}
	return w, err == nil, err
}
