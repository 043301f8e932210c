package rulebook

import (
	"math/big"

	"github.com/omov/omov/fault"
)

// frame is what one evaluation carries: the scope it asks, and the people
// bound by exists, all and filter. It is passed by value so that an
// evaluation allocates nothing.
type frame struct {
	s   Scope
	loc *local
}

// local is one person bound by exists, all or filter.
type local struct {
	depth int
	p     Person
	up    *local
	steps *int // how many people have been bound in this evaluation
}

// maxSteps bounds one evaluation: how many people its lists may bind in all.
const maxSteps = 2_000_000

func (f frame) bind(p Person) (frame, error) {
	l := &local{p: p, up: f.loc}
	if f.loc != nil {
		l.depth, l.steps = f.loc.depth+1, f.loc.steps
	} else {
		l.steps = new(int)
	}
	if *l.steps++; *l.steps > maxSteps {
		return f, fault.New(fault.TooMuch, "This rule asks about too many people at once.")
	}
	return frame{s: f.s, loc: l}, nil
}

// code is a checked expression as a function of its type: the one of its
// functions that belongs to t is set. Names of the book (classes, offices …)
// are words.
type code struct {
	t       typ
	lit     *Value // of a constant
	flag    func(frame) (bool, error)
	num     func(frame) (num, error) // number and share
	words   func(frame) (string, error)
	moment  func(frame) (Moment, error)
	span    func(frame) (Span, error)
	money   func(frame) (Money, error)
	person  func(frame) (Person, error)
	people  func(frame) ([]Person, error)
	unit    func(frame) (Unit, error)
	run     func(frame) (Run, error) // nil: never run
	stage   func(frame) (StageTimes, error)
	text    func(frame) (Text, error)
	literal string   // of a quoted text: for checks of what it is compared with
	choices []string // of words: what they can be; nil: anything
	fixed   bool     // of a moment: the same for everybody in a run
}

// value evaluates to a Value, for those types that can be one.
func (c *code) value(f frame) (Value, error) {
	if c.lit != nil {
		return *c.lit, nil
	}
	v := Value{Type: c.t.valueType()}
	var err error
	switch c.t.k {
	case kFlag:
		v.Flag, err = c.flag(f)
	case kNumber, kShare:
		var n num
		if n, err = c.num(f); err == nil {
			v.Number = n.rat()
		}
	case kMoment:
		v.Moment, err = c.moment(f)
	case kSpan:
		v.Span, err = c.span(f)
	case kMoney:
		v.Money, err = c.money(f)
	case kPerson:
		var p Person
		if p, err = c.person(f); err == nil {
			v.Persons = []Person{p}
		}
	case kPeople:
		v.Persons, err = c.people(f)
	case kUnit:
		var u Unit
		if u, err = c.unit(f); err == nil {
			v.Units = []Unit{u}
		}
	case kRun: // handed over to another procedure: by its reference
		v.Type = TypeWords
		var r Run
		if r, err = c.run(f); err == nil && r == nil {
			return Value{}, &Unknown{Name: c.t.proc}
		} else if err == nil {
			v.Words = r.Key()
		}
	default:
		if c.words == nil {
			return Value{}, fault.New(fault.Internal, "%s has no value of its own", c.t)
		}
		v.Words, err = c.words(f)
	}
	if err != nil {
		return Value{}, err
	}
	return v, nil
}

// constant makes the code of a literal.
func constant(t typ, v Value) *code {
	v.Type = t.valueType()
	c := &code{t: t, lit: &v}
	switch t.k {
	case kFlag:
		c.flag = func(frame) (bool, error) { return v.Flag, nil }
	case kNumber, kShare:
		n := numOf(v.Number)
		c.num = func(frame) (num, error) { return n, nil }
	case kMoment:
		c.moment, c.fixed = func(frame) (Moment, error) { return v.Moment, nil }, true
	case kSpan:
		c.span = func(frame) (Span, error) { return v.Span, nil }
	case kMoney:
		c.money = func(frame) (Money, error) { return v.Money, nil }
	default:
		c.words = func(frame) (string, error) { return v.Words, nil }
	}
	return c
}

// from makes the code that takes its value from a function of Values, as
// Scope.Var and Person.Fact are. A value of another type than declared counts
// as not entered: a register that holds words where the book says number has
// not got the number.
func from(t typ, name string, ask func(frame) (Value, bool, error)) *code {
	unknown := &Unknown{Name: name}
	want := t.valueType()
	get := func(f frame) (Value, error) {
		v, ok, err := ask(f)
		if err != nil {
			return Value{}, err
		}
		if !ok || v.Type != want && !(want == TypeShare && v.Type == TypeNumber) && !(want == TypeNumber && v.Type == TypeShare) {
			return Value{}, unknown
		}
		return v, nil
	}
	c := &code{t: t}
	switch t.k {
	case kFlag:
		c.flag = func(f frame) (bool, error) { v, err := get(f); return v.Flag, err }
	case kNumber, kShare:
		c.num = func(f frame) (num, error) {
			v, err := get(f)
			if err != nil {
				return num{}, err
			}
			return numOf(v.Number), nil
		}
	case kMoment:
		c.moment = func(f frame) (Moment, error) { v, err := get(f); return v.Moment, err }
	case kSpan:
		c.span = func(f frame) (Span, error) { v, err := get(f); return v.Span, err }
	case kMoney:
		c.money = func(f frame) (Money, error) { v, err := get(f); return v.Money, err }
	case kPerson:
		c.person = func(f frame) (Person, error) {
			v, err := get(f)
			if err != nil || len(v.Persons) == 0 {
				return nil, orUnknown(err, unknown)
			}
			return v.Persons[0], nil
		}
	case kPeople:
		c.people = func(f frame) ([]Person, error) { v, err := get(f); return v.Persons, err }
	case kUnit:
		c.unit = func(f frame) (Unit, error) {
			v, err := get(f)
			if err != nil || len(v.Units) == 0 {
				return nil, orUnknown(err, unknown)
			}
			return v.Units[0], nil
		}
	default:
		c.words = func(f frame) (string, error) { v, err := get(f); return v.Words, err }
	}
	return c
}

func orUnknown(err error, u *Unknown) error {
	if err != nil {
		return err
	}
	return u
}

// rational makes a Value of an exact number.
func rational(r *big.Rat) Value { return Value{Type: TypeNumber, Number: r} }
