package rulebook

import (
	"sort"
	"strings"

	"cel.dev/cel-go/common/ast"
)

// compiler turns one parsed expression into code, and says in plain words
// what does not fit. It is the type checker of the language.
type compiler struct {
	sy      *symbols
	vars    map[string]typ
	choices map[string][]string // of variables that are words
	info    *ast.SourceInfo
	bad     func(off int32, format string, args ...any) // reports; off in characters of the rewritten text
	code    Code                                        // of the next report, if not `expression`
	remedy  string                                      // of the next report
	names   map[string]bool                             // asked from the scope
	facts   map[string]bool                             // asked from people, units and texts: person.woman
	known   map[string]bool                             // constants of the book used
	bound   []string                                    // people bound by exists, all and filter
	cost    uint64                                      // steps in the worst case
}

// maxCost is how many steps one expression may take for one person.
const maxCost = 100_000_000

// listSize is how long a list of people is taken to be when the cost of an
// expression is bounded.
const listSize = 1000

func (c *compiler) fail(e ast.Expr, format string, args ...any) *code {
	var off int32
	if r, ok := c.info.GetOffsetRange(e.ID()); ok {
		off = r.Start
	}
	c.bad(off, format, args...)
	return nil
}

// compile gives nil after it has reported what is wrong.
func (c *compiler) compile(e ast.Expr) *code {
	switch e.Kind() {
	case ast.LiteralKind:
		return c.literal(e)
	case ast.IdentKind:
		return c.ident(e)
	case ast.SelectKind:
		return c.selects(e)
	case ast.CallKind:
		return c.call(e)
	case ast.ListKind:
		return c.fail(e, "a list written out in brackets has no meaning here; name the class, body or electorate")
	case ast.MapKind, ast.StructKind:
		return c.fail(e, "braces have no meaning in an expression")
	}
	return c.fail(e, "this expression breaks off")
}

func (c *compiler) literal(e ast.Expr) *code {
	switch v := e.AsLiteral().Value().(type) {
	case bool:
		return constant(typ{k: kFlag}, Value{Flag: v})
	case int64:
		return constant(typ{k: kNumber}, Value{Number: num{i: v}.rat()})
	case string:
		out := constant(typ{k: kWords}, Value{Words: v})
		out.literal = v
		return out
	}
	return c.fail(e, "numbers are exact here: write 5/2 instead of 2.5")
}

// ident compiles a name: a bound person, a variable of the place, or a name
// of the book.
func (c *compiler) ident(e ast.Expr) *code {
	name := e.AsIdent()
	for i := len(c.bound) - 1; i >= 0; i-- {
		if c.bound[i] == name {
			return boundPerson(i)
		}
	}
	t, ok := c.vars[name]
	if !ok {
		return c.unknownName(e, name)
	}
	if t.isName() && !(name == "office") {
		c.known[name] = true
		return constant(t, Value{Words: name})
	}
	c.names[name] = true
	return c.variable(t, name)
}

// factsOf gives the part of `facts` that is about a type, or "".
func factsOf(t typ) string {
	switch t.k {
	case kPerson:
		return "person"
	case kUnit:
		return "unit"
	case kText:
		return "text"
	}
	return ""
}

func (c *compiler) unknownName(e ast.Expr, name string) *code {
	var known []string
	for n := range c.vars {
		known = append(known, n)
	}
	sort.Strings(known)
	if hint := didYouMean(name, known); hint != "" {
		return c.fail(e, "nothing here is called `%s`; %s", name, hint)
	}
	if entry, ok := c.sy.names[name]; ok {
		return c.fail(e, "`%s` is %s and has no meaning in an expression", name, entry.sort.article())
	}
	if s, ok := explainVariable(name); ok {
		return c.fail(e, "`%s` is not known here: %s", name, s)
	}
	return c.fail(e, "nothing here is called `%s`", name)
}

// explainVariable says where a variable of the language is known.
func explainVariable(name string) (string, bool) {
	switch name {
	case "person":
		return "it is the person whom a condition is about", true
	case "candidate":
		return "it is the candidate whom a gate or a paper is about", true
	case "unit":
		return "it is the unit that is counted", true
	case "here":
		return "it is the unit of a run, for procedures with `in`", true
	case "office":
		return "it is the office of a run, for procedures with `fills`", true
	case "value":
		return "it is the value that a slot's `allow` looks at", true
	case "at":
		return "it is the moment at which an office's `seats` are worked out", true
	case "called", "cause", "freeze", "candidates":
		return "it belongs to a run of a procedure", true
	case "now", "today":
		return "an expression has no clock; name a moment of the run, such as `called`", true
	}
	return "", false
}

func boundPerson(depth int) *code {
	return &code{t: typ{k: kPerson}, person: func(f frame) (Person, error) {
		l := f.loc
		for l.depth > depth {
			l = l.up
		}
		return l.p, nil
	}}
}

// variable asks the scope for a name.
func (c *compiler) variable(t typ, name string) *code {
	unknown := &Unknown{Name: name}
	switch t.k {
	case kPerson:
		return &code{t: t, person: func(f frame) (Person, error) {
			if p, ok := f.s.Person(name); ok {
				return p, nil
			}
			return nil, unknown
		}}
	case kPeople:
		return &code{t: t, people: func(f frame) ([]Person, error) {
			if p, ok := f.s.People(name); ok {
				return p, nil
			}
			return nil, unknown
		}}
	case kUnit:
		return &code{t: t, unit: func(f frame) (Unit, error) {
			if u, ok := f.s.Unit(name); ok {
				return u, nil
			}
			return nil, unknown
		}}
	case kText:
		return &code{t: t, text: func(f frame) (Text, error) {
			if x, ok := f.s.Text(name); ok {
				return x, nil
			}
			return nil, unknown
		}}
	case kStage:
		return &code{t: t, stage: func(f frame) (StageTimes, error) {
			if s, ok := f.s.Stage(name); ok {
				return s, nil
			}
			return StageTimes{}, unknown
		}}
	case kRun:
		latest := c.sy.is(name, aProcedure)
		return &code{t: t, run: func(f frame) (Run, error) {
			if r, ok := f.s.Run(name); ok {
				return r, nil
			}
			if latest {
				return nil, nil
			}
			return nil, unknown
		}}
	}
	out := from(t, name, func(f frame) (Value, bool, error) {
		v, ok := f.s.Var(name)
		return v, ok, nil
	})
	out.choices, out.fixed = c.choices[name], t.k == kMoment
	return out
}

// selects compiles a field: person.woman, meeting.closed, confidence.ended.
func (c *compiler) selects(e ast.Expr) *code {
	s := e.AsSelect()
	op := c.compile(s.Operand())
	if op == nil {
		return nil
	}
	name := s.FieldName()
	t, known, ok := c.sy.field(op.t, name)
	if !ok {
		if hint := didYouMean(name, known); hint != "" {
			return c.fail(e, "%s has no `%s`; %s", op.t, name, hint)
		}
		if len(known) == 0 {
			return c.fail(e, "%s has nothing that is called with a dot, so no `%s`", op.t, name)
		}
		if part := factsOf(op.t); part != "" {
			c.remedy = "If the register is to keep it, add it under `facts: {" + part + ": {" + name + ": …}}`."
		}
		return c.fail(e, "%s has no `%s`; it has %s", op.t, name, strings.Join(known, ", "))
	}
	switch op.t.k {
	case kPerson:
		return c.personField(op, t, name)
	case kUnit:
		return c.unitField(op, t, name)
	case kText:
		c.facts["text."+name] = true
		return textField(op, t, name)
	case kStage:
		out := stageField(op, t, name, describe(s.Operand()))
		if name == "outcome" {
			out.choices = c.sy.results[op.t.proc]
		}
		return out
	}
	return runField(op, t, name)
}

// describe gives a name or path as it was written, for naming what is
// unknown.
func describe(e ast.Expr) string {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent()
	case ast.SelectKind:
		return describe(e.AsSelect().Operand()) + "." + e.AsSelect().FieldName()
	}
	return "it"
}

func (c *compiler) personField(op *code, t typ, name string) *code {
	if name == "name" && c.sy.facts[OfPerson]["name"] == "" {
		return &code{t: t, words: func(f frame) (string, error) {
			p, err := op.person(f)
			if err != nil {
				return "", err
			}
			return p.Name(), nil
		}}
	}
	c.facts["person."+name] = true
	return from(t, name, func(f frame) (Value, bool, error) {
		p, err := op.person(f)
		if err != nil {
			return Value{}, false, err
		}
		v, ok := p.Fact(name)
		return v, ok, nil
	})
}

func (c *compiler) unitField(op *code, t typ, name string) *code {
	if name == "name" && c.sy.facts[OfUnit]["name"] == "" {
		return &code{t: t, words: func(f frame) (string, error) {
			u, err := op.unit(f)
			if err != nil {
				return "", err
			}
			return u.Name(), nil
		}}
	}
	c.facts["unit."+name] = true
	return from(t, name, func(f frame) (Value, bool, error) {
		u, err := op.unit(f)
		if err != nil {
			return Value{}, false, err
		}
		v, ok := u.Fact(name)
		return v, ok, nil
	})
}

func textField(op *code, t typ, name string) *code {
	if name == "last_decided" {
		return &code{t: t, moment: func(f frame) (Moment, error) {
			x, err := op.text(f)
			if err != nil {
				return Moment{}, err
			}
			if m, ok := x.LastDecided(); ok {
				return m, nil
			}
			return longAgo(), nil
		}}
	}
	return from(t, name, func(f frame) (Value, bool, error) {
		x, err := op.text(f)
		if err != nil {
			return Value{}, false, err
		}
		v, ok := x.Fact(name)
		return v, ok, nil
	})
}

func stageField(op *code, t typ, name, whose string) *code {
	unknown := &Unknown{Name: whose + "." + name}
	if name == "outcome" {
		return &code{t: t, words: func(f frame) (string, error) {
			s, err := op.stage(f)
			return s.Outcome, err
		}}
	}
	opened := name == "opened"
	return &code{t: t, fixed: true, moment: func(f frame) (Moment, error) {
		s, err := op.stage(f)
		if err != nil {
			return Moment{}, err
		}
		m := s.Closed
		if opened {
			m = s.Opened
		}
		if m == nil {
			return Moment{}, unknown
		}
		return *m, nil
	}}
}

// runField compiles a field of a run. Of a procedure that has never run, the
// moments lie long ago and the outcome is empty.
func runField(op *code, t typ, name string) *code {
	unknown := &Unknown{Name: op.t.proc + "." + name}
	switch name {
	case "outcome":
		return &code{t: t, words: func(f frame) (string, error) {
			r, err := op.run(f)
			if err != nil || r == nil {
				return "", err
			}
			return r.Outcome(), nil
		}}
	case "called", "ended":
		called := name == "called"
		return &code{t: t, moment: func(f frame) (Moment, error) {
			r, err := op.run(f)
			switch {
			case err != nil:
				return Moment{}, err
			case r == nil:
				return longAgo(), nil
			case called:
				return r.Called(), nil
			}
			if m, ok := r.Ended(); ok {
				return m, nil
			}
			return Moment{}, unknown
		}}
	}
	if t.k == kStage {
		return &code{t: t, stage: func(f frame) (StageTimes, error) {
			r, err := op.run(f)
			if err != nil {
				return StageTimes{}, err
			}
			if r != nil {
				if s, ok := r.Stage(name); ok {
					return s, nil
				}
			}
			return StageTimes{}, nil
		}}
	}
	return from(t, op.t.proc+"."+name, func(f frame) (Value, bool, error) {
		r, err := op.run(f)
		if err != nil || r == nil {
			return Value{}, false, err
		}
		v, ok := r.Take(name)
		return v, ok, nil
	})
}
