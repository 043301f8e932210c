package rulebook

import (
	"math/big"
	"sort"
	"strings"
	"time"

	"cel.dev/cel-go/common/ast"

	"github.com/omov/omov/fault"
)

// function compiles a call by name: of a person, a unit, a list of people, or
// of nothing.
func (c *compiler) function(e ast.Expr) *code {
	k := e.AsCall()
	name := k.FunctionName()
	if !k.IsMemberFunction() {
		return c.global(e, name)
	}
	target := c.compile(k.Target())
	if target == nil {
		return nil
	}
	switch target.t.k {
	case kPerson:
		return c.ofPerson(e, target, name)
	case kUnit:
		return c.ofUnit(e, target, name)
	case kPeople:
		return c.ofPeople(e, target, name)
	}
	return c.fail(e, "%s cannot be asked `%s(…)`", target.t, name)
}

func (c *compiler) noFunction(e ast.Expr, of, name string, known ...string) *code {
	sort.Strings(known)
	if hint := didYouMean(name, known); hint != "" {
		return c.fail(e, "%s has no `%s(…)`; %s", of, name, hint)
	}
	return c.fail(e, "%s has no `%s(…)`; there is %s", of, name, strings.Join(known, ", "))
}

// args compiles the arguments and checks their kinds; it gives nil after a
// report.
func (c *compiler) args(e ast.Expr, want ...kind) []*code {
	k := e.AsCall()
	if len(k.Args()) != len(want) {
		c.fail(e, "`%s(…)` takes %s", k.FunctionName(), inBrackets(want))
		return nil
	}
	var out []*code
	for i, a := range k.Args() {
		x := c.compile(a)
		if x == nil {
			return nil
		}
		if x.t.k != want[i] && !(want[i] == kNumber && x.t.k == kShare) {
			c.fail(a, "`%s(…)` takes %s; this is %s", k.FunctionName(), inBrackets(want), x.t)
			return nil
		}
		out = append(out, x)
	}
	return out
}

func inBrackets(want []kind) string {
	if len(want) == 0 {
		return "nothing between the brackets"
	}
	var parts []string
	for _, k := range want {
		if k == kRun {
			parts = append(parts, "a run")
			continue
		}
		parts = append(parts, typ{k: k}.String())
	}
	return strings.Join(parts, " and ")
}

func (c *compiler) ofPerson(e ast.Expr, p *code, name string) *code {
	switch name {
	case "is", "since":
		a := c.args(e, kClass)
		if a == nil {
			return nil
		}
		return personClass(p, a[0].lit.Words, name == "since")
	case "holds":
		a := c.args(e, kOffice)
		if a == nil {
			return nil
		}
		return personHolds(p, a[0])
	case "unit":
		a := c.args(e, kUnitKind)
		if a == nil {
			return nil
		}
		return personUnit(p, a[0].lit.Words)
	case "conflicted":
		a := c.args(e, kPerson)
		if a == nil {
			return nil
		}
		return pairOfPersons(p, a[0])
	case "took_part":
		a := c.args(e, kRun)
		if a == nil {
			return nil
		}
		return &code{t: typ{k: kFlag}, flag: func(f frame) (bool, error) {
			x, err := p.person(f)
			if err != nil {
				return false, err
			}
			r, err := a[0].run(f)
			if err != nil || r == nil {
				return false, err
			}
			return x.TookPart(r), nil
		}}
	}
	return c.noFunction(e, "a person", name, "is", "since", "holds", "unit", "conflicted", "took_part")
}

func personClass(p *code, class string, since bool) *code {
	if since {
		return &code{t: typ{k: kMoment}, moment: func(f frame) (Moment, error) {
			x, err := p.person(f)
			if err != nil {
				return Moment{}, err
			}
			if m, ok := x.Since(class); ok {
				return m, nil
			}
			return never(), nil
		}}
	}
	return &code{t: typ{k: kFlag}, flag: func(f frame) (bool, error) {
		x, err := p.person(f)
		if err != nil {
			return false, err
		}
		return x.Is(class), nil
	}}
}

func personHolds(p, office *code) *code {
	return &code{t: typ{k: kFlag}, flag: func(f frame) (bool, error) {
		x, err := p.person(f)
		if err != nil {
			return false, err
		}
		o, err := office.words(f)
		if err != nil {
			return false, err
		}
		return x.Holds(o), nil
	}}
}

func personUnit(p *code, unitKind string) *code {
	unknown := &Unknown{Name: unitKind}
	return &code{t: typ{k: kUnit}, unit: func(f frame) (Unit, error) {
		x, err := p.person(f)
		if err != nil {
			return nil, err
		}
		if u, ok := x.Unit(unitKind); ok {
			return u, nil
		}
		return nil, unknown
	}}
}

func pairOfPersons(p, q *code) *code {
	return &code{t: typ{k: kFlag}, flag: func(f frame) (bool, error) {
		x, err := p.person(f)
		if err != nil {
			return false, err
		}
		y, err := q.person(f)
		if err != nil {
			return false, err
		}
		return x.Conflicted(y), nil
	}}
}

func (c *compiler) ofUnit(e ast.Expr, u *code, name string) *code {
	switch name {
	case "count":
		return c.unitCount(e, u)
	case "holder", "holders", "vacant", "present":
		a := c.args(e, kOffice)
		if a == nil {
			return nil
		}
		return unitOffice(u, a[0], name)
	}
	return c.noFunction(e, "a unit", name, "count", "holder", "holders", "vacant", "present")
}

func (c *compiler) unitCount(e ast.Expr, u *code) *code {
	var a []*code
	if len(e.AsCall().Args()) == 2 {
		a = c.args(e, kClass, kMoment)
	} else {
		a = c.args(e, kClass)
	}
	if a == nil {
		return nil
	}
	class := a[0].lit.Words
	return &code{t: typ{k: kNumber}, num: func(f frame) (num, error) {
		x, err := u.unit(f)
		if err != nil {
			return num{}, err
		}
		if len(a) == 1 {
			n, err := x.Count(class, nil)
			return num{i: n}, err
		}
		m, err := a[1].moment(f)
		if err != nil {
			return num{}, err
		}
		n, err := x.Count(class, &m)
		return num{i: n}, err
	}}
}

func unitOffice(u, office *code, name string) *code {
	ask := func(f frame) (Unit, string, error) {
		x, err := u.unit(f)
		if err != nil {
			return nil, "", err
		}
		o, err := office.words(f)
		return x, o, err
	}
	switch name {
	case "holder":
		return &code{t: typ{k: kPerson}, person: func(f frame) (Person, error) {
			x, o, err := ask(f)
			if err != nil {
				return nil, err
			}
			if hs := x.Holders(o); len(hs) > 0 {
				return hs[0], nil
			}
			return nil, &Unknown{Name: o}
		}}
	case "holders":
		return &code{t: typ{k: kPeople}, people: func(f frame) ([]Person, error) {
			x, o, err := ask(f)
			if err != nil {
				return nil, err
			}
			return x.Holders(o), nil
		}}
	case "vacant":
		return &code{t: typ{k: kFlag}, flag: func(f frame) (bool, error) {
			x, o, err := ask(f)
			return err == nil && x.Vacant(o), err
		}}
	}
	return &code{t: typ{k: kNumber}, num: func(f frame) (num, error) {
		x, o, err := ask(f)
		if err != nil {
			return num{}, err
		}
		return num{i: x.Present(o)}, nil
	}}
}

func (c *compiler) ofPeople(e ast.Expr, list *code, name string) *code {
	switch name {
	case "size":
		if c.args(e) == nil && len(e.AsCall().Args()) != 0 {
			return nil
		}
		return sizeOf(list)
	case "exists", "all", "filter":
		return c.each(e, list, name)
	}
	return c.noFunction(e, "a list of people", name, "size", "exists", "all", "filter")
}

func sizeOf(list *code) *code {
	return &code{t: typ{k: kNumber}, num: func(f frame) (num, error) {
		ps, err := list.people(f)
		return num{i: int64(len(ps))}, err
	}}
}

// each compiles exists, all and filter: a name and a condition on it.
func (c *compiler) each(e ast.Expr, list *code, name string) *code {
	args := e.AsCall().Args()
	if len(args) != 2 || args[0].Kind() != ast.IdentKind {
		return c.fail(e, "`%s` takes a name and a condition, as in candidates.%s(c, c.woman)", name, name)
	}
	before := c.cost
	c.cost = 1
	c.bound = append(c.bound, args[0].AsIdent())
	body := c.compile(args[1])
	c.bound = c.bound[:len(c.bound)-1]
	c.cost = before + c.cost*listSize
	if body == nil {
		return nil
	}
	if body.t.k != kFlag {
		return c.fail(args[1], "`%s` needs a condition; this is %s", name, body.t)
	}
	if name == "filter" {
		return filtered(list, body.flag)
	}
	return quantified(list, body.flag, name == "exists")
}

func quantified(list *code, body func(frame) (bool, error), exists bool) *code {
	return &code{t: typ{k: kFlag}, flag: func(f frame) (bool, error) {
		ps, err := list.people(f)
		if err != nil {
			return false, err
		}
		var open error
		for _, p := range ps {
			g, err := f.bind(p)
			if err != nil {
				return false, err
			}
			x, err := body(g)
			switch {
			case err != nil && !isUnknown(err):
				return false, err
			case err != nil:
				open = err
			case x == exists:
				return exists, nil
			}
			f.loc = keepSteps(f.loc, g.loc)
		}
		if open != nil {
			return false, open
		}
		return !exists, nil
	}}
}

// keepSteps carries the count of steps from one bound person to the next at
// the outermost level, where there is no local yet to hold it.
func keepSteps(outer, inner *local) *local {
	if outer != nil {
		return outer
	}
	return &local{depth: -1, steps: inner.steps}
}

func filtered(list *code, body func(frame) (bool, error)) *code {
	return &code{t: typ{k: kPeople}, people: func(f frame) ([]Person, error) {
		ps, err := list.people(f)
		if err != nil {
			return nil, err
		}
		var out []Person
		for _, p := range ps {
			g, err := f.bind(p)
			if err != nil {
				return nil, err
			}
			x, err := body(g)
			if err != nil {
				return nil, err
			}
			if x {
				out = append(out, p)
			}
			f.loc = keepSteps(f.loc, g.loc)
		}
		return out, nil
	}}
}

// global compiles a function of nothing.
func (c *compiler) global(e ast.Expr, name string) *code {
	switch name {
	case "span", "share", "money", "date":
		return c.writtenOut(e, name)
	case "holders":
		a := c.args(e, kOffice)
		if a == nil {
			return nil
		}
		return &code{t: typ{k: kPeople}, people: func(f frame) ([]Person, error) {
			o, err := a[0].words(f)
			if err != nil {
				return nil, err
			}
			return f.s.Holders(o), nil
		}}
	case "next":
		a := c.args(e, kEvent)
		if a == nil {
			return nil
		}
		event := a[0].lit.Words
		unknown := &Unknown{Name: event}
		c.names[event] = true
		return &code{t: typ{k: kMoment}, fixed: true, moment: func(f frame) (Moment, error) {
			if m, ok := f.s.Next(event); ok {
				return m, nil
			}
			return Moment{}, unknown
		}}
	case "latest":
		return c.latest(e)
	case "parts":
		return c.parts(e)
	case "size":
		a := c.args(e, kPeople)
		if a == nil {
			return nil
		}
		return sizeOf(a[0])
	}
	return c.noFunction(e, "the language", name, "holders", "next", "latest", "date", "parts", "not", "size")
}

// writtenOut compiles a literal of the rulebook: span("6 months") and so on
// come from the rewriting, date("2026-02-20") from the author.
func (c *compiler) writtenOut(e ast.Expr, name string) *code {
	a := c.args(e, kWords)
	if a == nil {
		return nil
	}
	text := a[0].literal
	switch name {
	case "span":
		if s, ok := parseSpan(strings.Join(strings.Fields(text), " ")); ok {
			if s.WorkingDays != 0 && !c.sy.cal.Holidays.Set() {
				c.code, c.remedy = "calendar", "Add `holidays: england-and-wales`, or a list of dates, at the top."
				return c.fail(e, "working days need to know the holidays")
			}
			return constant(typ{k: kSpan}, Value{Span: s})
		}
	case "share":
		if r, ok := parseShare(text); ok {
			return constant(typ{k: kShare}, Value{Number: r})
		}
	case "money":
		if m, ok := parseMoney(strings.Join(strings.Fields(text), " ")); ok {
			return constant(typ{k: kMoney}, Value{Money: m})
		}
	case "date":
		if m, ok := parseMoment(text, c.sy.cal); ok {
			return constant(typ{k: kMoment}, Value{Moment: m})
		}
		return c.fail(e, "a date is written date(\"2026-02-20\")")
	}
	return c.fail(e, "%q cannot be read", text)
}

// latest compiles latest("31 December", moment): the last such day that is
// not after the moment.
func (c *compiler) latest(e ast.Expr) *code {
	a := c.args(e, kWords, kMoment)
	if a == nil {
		return nil
	}
	t, err := time.Parse("2 January 2006", a[0].literal+" 2000")
	if err != nil {
		return c.fail(e, "latest(…) needs a day and a month in quotes, as in latest(\"31 December\", called)")
	}
	month, day, cal := t.Month(), t.Day(), c.sy.cal
	return &code{t: typ{k: kMoment}, moment: func(f frame) (Moment, error) {
		m, err := a[1].moment(f)
		if err != nil {
			return m, err
		}
		y, _, _ := m.T.Date()
		d := dayOf(y, month, min(day, lastDay(y, month)))
		if d > m.Day() {
			d = dayOf(y-1, month, min(day, lastDay(y-1, month)))
		}
		return cal.Moment(d), nil
	}}
}

// parts compiles parts(250, n): how many 250s, or parts of one, are in n;
// none where n is not above nought.
func (c *compiler) parts(e ast.Expr) *code {
	a := c.args(e, kNumber, kNumber)
	if a == nil {
		return nil
	}
	return &code{t: typ{k: kNumber}, num: func(f frame) (num, error) {
		size, err := a[0].num(f)
		if err != nil {
			return size, err
		}
		n, err := a[1].num(f)
		if err != nil {
			return n, err
		}
		if size.rat().Sign() <= 0 {
			return num{}, fault.New(fault.Invalid, "parts(…) needs a size above nought.")
		}
		if n.rat().Sign() <= 0 {
			return num{}, nil
		}
		q := new(big.Rat).Quo(n.rat(), size.rat())
		up := new(big.Int).Add(q.Num(), q.Denom())
		up.Sub(up, big.NewInt(1))
		up.Quo(up, q.Denom())
		return numOf(new(big.Rat).SetInt(up)), nil
	}}
}
