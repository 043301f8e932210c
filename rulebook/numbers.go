package rulebook

import (
	"fmt"
	"slices"
)

// AgainstNumbers warns of gates and quorums that nobody can pass at present
// numbers: they ask for more of a class, office, body, electorate or kind of
// unit than there are. What is not in present is not looked at.
func (b *Book) AgainstNumbers(present map[string]int64) Problems {
	c := &complaints{}
	for i := range b.Procedures {
		p := &b.Procedures[i]
		for _, x := range p.Begins {
			c.numbers(x.Backed, nil, p.Name, present)
		}
		for j := range p.Stages {
			s := &p.Stages[j]
			c.numbers(s.Needs, nil, p.Name, present)
			c.numbers(s.Quorum, s.Voters, p.Name, present)
		}
	}
	return c.sorted()
}

// numbers looks at one threshold. Of alternatives one has to be possible, so
// only a threshold that every way leads through is warned of.
func (c *complaints) numbers(t *Threshold, among *Who, where string, present map[string]int64) bool {
	if t == nil {
		return true
	}
	if len(t.Any) > 0 {
		quiet := &complaints{}
		if slices.ContainsFunc(t.Any, func(x *Threshold) bool { return quiet.numbers(x, among, where, present) }) {
			return true
		}
		for _, p := range quiet.list {
			c.add(p)
		}
		return false
	}
	ok := true
	for _, x := range t.All {
		ok = c.numbers(x, among, where, present) && ok
	}
	if t.From != nil {
		among = t.From
	}
	if t.Amount == nil || among == nil || t.Share || t.Weigh != nil || t.Cmp == AtMost {
		return ok
	}
	name := among.Name
	if t.Distinct != "" {
		name = t.Distinct
	}
	n, known := present[name]
	v, fixed := t.Amount.Literal()
	if !known || !fixed || v.Number == nil {
		return ok
	}
	if d := v.Number.Cmp(num{i: n}.rat()); d < 0 || d == 0 && t.Cmp == AtLeast {
		return ok
	}
	c.warn("numbers", t.Pos, "Ask for fewer, or for a share.", "%s", fmt.Sprintf("nobody can pass this gate of `%s` at present: it needs %s %s of `%s`; there are %d", where, plainCmp(t.Cmp), v.Text(), name, n))
	return false
}
