package rulebook

import (
	"strings"
	"sync/atomic"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"github.com/omov/omov/fault"
)

// call compiles an operator, a function, or a function of something.
func (c *compiler) call(e ast.Expr) *code {
	k := e.AsCall()
	c.cost++
	switch op := k.FunctionName(); op {
	case operators.LogicalAnd, operators.LogicalOr:
		return c.logical(e, op == operators.LogicalOr)
	case operators.LogicalNot, "not":
		return c.not(e)
	case operators.Equals, operators.NotEquals:
		return c.equality(e, op == operators.NotEquals)
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		return c.ordering(e, op)
	case operators.Add, operators.Subtract, operators.Multiply, operators.Divide:
		return c.arithmetic(e, op)
	case operators.Negate:
		return c.negate(e)
	case operators.Conditional:
		return c.conditional(e)
	case operators.Modulo, operators.Index, operators.In, operators.OptIndex, operators.OptSelect:
		return c.fail(e, "`%s` is not used in rulebooks", plainOperator(op))
	}
	return c.function(e)
}

func plainOperator(op string) string {
	return strings.Trim(strings.ReplaceAll(op, "_", " "), " @")
}

// operands compiles what an operator stands between; ok is false after a
// report.
func (c *compiler) operands(e ast.Expr) (out []*code, ok bool) {
	ok = true
	for _, a := range e.AsCall().Args() {
		x := c.compile(a)
		out = append(out, x)
		ok = ok && x != nil
	}
	return out, ok
}

// logical compiles && and ||. As in CEL a side that decides the result makes
// it irrelevant that the other is not known.
func (c *compiler) logical(e ast.Expr, or bool) *code {
	args, ok := c.operands(e)
	if !ok {
		return nil
	}
	for i, a := range args {
		if a.t.k != kFlag {
			return c.fail(e.AsCall().Args()[i], "`&&` and `||` join conditions; this is %s", a.t)
		}
	}
	out := args[0].flag
	for _, a := range args[1:] {
		out = join(out, a.flag, or)
	}
	return &code{t: typ{k: kFlag}, flag: out}
}

func join(a, b func(frame) (bool, error), or bool) func(frame) (bool, error) {
	return func(f frame) (bool, error) {
		x, err := a(f)
		if err == nil && x == or {
			return or, nil
		}
		if err != nil && !isUnknown(err) {
			return false, err
		}
		y, err2 := b(f)
		if err2 == nil && y == or {
			return or, nil
		}
		if err != nil && (err2 == nil || isUnknown(err2)) {
			return false, err
		}
		return !or && err2 == nil, err2
	}
}

func isUnknown(err error) bool { _, ok := err.(*Unknown); return ok }

func (c *compiler) not(e ast.Expr) *code {
	args, ok := c.operands(e)
	if !ok {
		return nil
	}
	if len(args) != 1 || args[0].t.k != kFlag {
		return c.fail(e, "not(…) turns one condition round")
	}
	a := args[0].flag
	return &code{t: typ{k: kFlag}, flag: func(f frame) (bool, error) {
		x, err := a(f)
		return !x && err == nil, err
	}}
}

func (c *compiler) equality(e ast.Expr, negate bool) *code {
	args, ok := c.operands(e)
	if !ok {
		return nil
	}
	a, b := args[0], args[1]
	eq := equal(a, b)
	if eq == nil {
		return c.misfit(e, "==", a, b)
	}
	if !c.possible(e, a, b) || !c.possible(e, b, a) {
		return nil
	}
	if !negate {
		return &code{t: typ{k: kFlag}, flag: eq}
	}
	return &code{t: typ{k: kFlag}, flag: func(f frame) (bool, error) {
		x, err := eq(f)
		return !x && err == nil, err
	}}
}

// possible refuses a comparison of words with a quoted text that they can
// never be: a misspelling there would shut everybody out without a word.
func (c *compiler) possible(e ast.Expr, a, b *code) bool {
	if a.choices == nil || b.literal == "" {
		return true
	}
	for _, s := range a.choices {
		if s == b.literal {
			return true
		}
	}
	if hint := didYouMean(b.literal, a.choices); hint != "" {
		c.fail(e, "this is never %q; %s", b.literal, hint)
		return false
	}
	c.fail(e, "this is never %q; it can be %s", b.literal, strings.Join(a.choices, ", "))
	return false
}

func (c *compiler) misfit(e ast.Expr, op string, a, b *code) *code {
	switch {
	case a.t.k == kMoment && b.t.k == kSpan, a.t.k == kSpan && b.t.k == kMoment:
		c.remedy = "Say from when the length of time counts, as in `called + 28 days`."
	case a.t.k == kRun || b.t.k == kRun || a.t.k == kStage || b.t.k == kStage:
		c.remedy = "Say what of it, as in `.closed` or `.outcome`."
	}
	return c.fail(e, "`%s` does not go with %s and %s", op, a.t, b.t)
}

// equal gives the comparison of two codes, or nil where they cannot be equal.
func equal(a, b *code) func(frame) (bool, error) {
	switch {
	case a.t.k == kFlag && b.t.k == kFlag:
		return func(f frame) (bool, error) {
			x, err := a.flag(f)
			if err != nil {
				return false, err
			}
			y, err := b.flag(f)
			return err == nil && x == y, err
		}
	case a.t.k == kPerson && b.t.k == kPerson:
		return func(f frame) (bool, error) {
			x, err := a.person(f)
			if err != nil {
				return false, err
			}
			y, err := b.person(f)
			return err == nil && x.Key() == y.Key(), err
		}
	case a.t.k == kUnit && b.t.k == kUnit:
		return func(f frame) (bool, error) {
			x, err := a.unit(f)
			if err != nil {
				return false, err
			}
			y, err := b.unit(f)
			return err == nil && x.Kind() == y.Kind() && x.Key() == y.Key(), err
		}
	case a.words != nil && b.words != nil && a.t.k == b.t.k:
		return func(f frame) (bool, error) {
			x, err := a.words(f)
			if err != nil {
				return false, err
			}
			y, err := b.words(f)
			return err == nil && x == y, err
		}
	}
	cmp := compare(a, b)
	if cmp == nil {
		return nil
	}
	return func(f frame) (bool, error) {
		n, err := cmp(f)
		return err == nil && n == 0, err
	}
}

// compare gives the order of two codes, or nil where they have none. A share
// goes with a number.
func compare(a, b *code) func(frame) (int, error) {
	switch {
	case a.t.k == kMoment && b.t.k == kMoment:
		return func(f frame) (int, error) {
			x, err := a.moment(f)
			if err != nil {
				return 0, err
			}
			y, err := b.moment(f)
			if err != nil {
				return 0, err
			}
			return x.Compare(y), nil
		}
	case a.num != nil && b.num != nil:
		return func(f frame) (int, error) {
			x, err := a.num(f)
			if err != nil {
				return 0, err
			}
			y, err := b.num(f)
			return x.cmp(y), err
		}
	case a.t.k == kSpan && b.t.k == kSpan:
		return func(f frame) (int, error) {
			x, err := a.span(f)
			if err != nil {
				return 0, err
			}
			y, err := b.span(f)
			return sign(x.seconds() - y.seconds()), err
		}
	case a.t.k == kMoney && b.t.k == kMoney:
		return func(f frame) (int, error) {
			x, err := a.money(f)
			if err != nil {
				return 0, err
			}
			y, err := b.money(f)
			if err == nil && x.Currency != y.Currency {
				err = fault.New(fault.Invalid, "%s and %s are sums in two currencies.", x, y)
			}
			return sign(x.Minor - y.Minor), err
		}
	}
	return nil
}

func sign(n int64) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func (c *compiler) ordering(e ast.Expr, op string) *code {
	args, ok := c.operands(e)
	if !ok {
		return nil
	}
	cmp := compare(args[0], args[1])
	if cmp == nil {
		return c.misfit(e, plainOperator(op), args[0], args[1])
	}
	less, same := op == operators.Less || op == operators.LessEquals, op == operators.LessEquals || op == operators.GreaterEquals
	return &code{t: typ{k: kFlag}, flag: func(f frame) (bool, error) {
		n, err := cmp(f)
		if err != nil {
			return false, err
		}
		return n == 0 && same || n < 0 && less || n > 0 && !less, nil
	}}
}

func (c *compiler) arithmetic(e ast.Expr, op string) *code {
	args, ok := c.operands(e)
	if !ok {
		return nil
	}
	a, b := args[0], args[1]
	add, sub := op == operators.Add, op == operators.Subtract
	switch {
	case a.t.k == kMoment && b.t.k == kSpan && (add || sub):
		return c.shiftMoment(a, b, sub)
	case a.t.k == kSpan && b.t.k == kMoment && add:
		return c.shiftMoment(b, a, false)
	case a.t.k == kSpan && b.t.k == kSpan && (add || sub):
		return &code{t: a.t, span: func(f frame) (Span, error) {
			x, err := a.span(f)
			if err != nil {
				return x, err
			}
			y, err := b.span(f)
			if sub {
				y = y.Negative()
			}
			return x.plus(y), err
		}}
	case a.num != nil && b.num != nil:
		if op == operators.Divide && b.lit != nil && b.lit.Number.Sign() == 0 {
			return c.fail(e, "nothing can be divided by 0")
		}
		return c.numbers(op, a, b)
	}
	return c.misfit(e, plainOperator(op), a, b)
}

func (c *compiler) shiftMoment(m, s *code, back bool) *code {
	cal := c.sy.cal
	if s.lit != nil {
		by := s.lit.Span
		if back {
			by = by.Negative()
		}
		add := func(x Moment) Moment { return x.Add(by, cal) }
		if m.fixed {
			add = remembered(add)
		}
		return &code{t: m.t, fixed: m.fixed, moment: func(f frame) (Moment, error) {
			x, err := m.moment(f)
			if err != nil {
				return x, err
			}
			return add(x), nil
		}}
	}
	return &code{t: m.t, moment: func(f frame) (Moment, error) {
		x, err := m.moment(f)
		if err != nil {
			return x, err
		}
		by, err := s.span(f)
		if back {
			by = by.Negative()
		}
		return x.Add(by, cal), err
	}}
}

// remembered keeps the last result of a sum of a moment that is the same for
// everybody: a condition such as `person.since(member) <= freeze - 6 months`
// is asked of a million people.
func remembered(add func(Moment) Moment) func(Moment) Moment {
	type sum struct{ in, out Moment }
	var last atomic.Pointer[sum]
	return func(x Moment) Moment {
		if s := last.Load(); s != nil && s.in == x {
			return s.out
		}
		s := &sum{in: x, out: add(x)}
		last.Store(s)
		return s.out
	}
}

// numbers computes exactly. A share of a number is a number; shares added or
// subtracted are a share.
func (c *compiler) numbers(op string, a, b *code) *code {
	t := typ{k: kNumber}
	if a.t.k == kShare && b.t.k == kShare && (op == operators.Add || op == operators.Subtract) {
		t.k = kShare
	}
	return &code{t: t, num: func(f frame) (num, error) {
		x, err := a.num(f)
		if err != nil {
			return x, err
		}
		y, err := b.num(f)
		if err != nil {
			return y, err
		}
		z, ok := arith(op, x, y)
		if !ok {
			return z, fault.New(fault.Invalid, "The rule divides by nothing.")
		}
		return z, nil
	}}
}

func (c *compiler) negate(e ast.Expr) *code {
	args, ok := c.operands(e)
	if !ok {
		return nil
	}
	if args[0].num == nil {
		return c.fail(e, "a minus goes with a number, not with %s", args[0].t)
	}
	zero := constant(typ{k: kNumber}, rational(num{}.rat()))
	return c.numbers(operators.Subtract, zero, args[0])
}

// conditional compiles a ? b : c for the types a value can have.
func (c *compiler) conditional(e ast.Expr) *code {
	args, ok := c.operands(e)
	if !ok {
		return nil
	}
	q, a, b := args[0], args[1], args[2]
	if q.t.k != kFlag {
		return c.fail(e, "before `?` stands a condition, not %s", q.t)
	}
	if a.t != b.t {
		return c.misfit(e, "? :", a, b)
	}
	out := &code{t: a.t}
	switch {
	case a.flag != nil:
		out.flag = choose(q, a.flag, b.flag)
	case a.num != nil:
		out.num = choose(q, a.num, b.num)
	case a.moment != nil:
		out.moment = choose(q, a.moment, b.moment)
	case a.span != nil:
		out.span = choose(q, a.span, b.span)
	case a.money != nil:
		out.money = choose(q, a.money, b.money)
	case a.words != nil:
		out.words = choose(q, a.words, b.words)
	case a.person != nil:
		out.person = choose(q, a.person, b.person)
	case a.people != nil:
		out.people = choose(q, a.people, b.people)
	case a.unit != nil:
		out.unit = choose(q, a.unit, b.unit)
	default:
		return c.misfit(e, "? :", a, b)
	}
	return out
}

func choose[T any](q *code, a, b func(frame) (T, error)) func(frame) (T, error) {
	return func(f frame) (T, error) {
		x, err := q.flag(f)
		if err != nil {
			var none T
			return none, err
		}
		if x {
			return a(f)
		}
		return b(f)
	}
}
