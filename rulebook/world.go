package rulebook

import (
	"math/big"
	"time"
)

// Day is a day of the calendar, counted from 1 January 1970.
type Day int32

// Moment is a day or an instant. A day is compared with an instant by the day
// on which the instant falls in the book's zone.
type Moment struct {
	T     time.Time // in the book's zone; for a day its first instant
	IsDay bool
}

// Span is a length of time. Its parts are added in the order months, days,
// working days, hours.
type Span struct {
	Months, Days, WorkingDays int
	Hours                     int
}

// Money is an amount in the smallest unit of a currency.
type Money struct {
	Minor    int64
	Currency string // ISO 4217
}

// Value is what an expression gives, and what a fact or a slot holds. Exactly
// the field that Type names is set.
type Value struct {
	Type    ValueType
	Flag    bool
	Number  *big.Rat // number and share
	Words   string
	Moment  Moment
	Span    Span
	Money   Money
	Persons []Person // a list of people, or one
	Units   []Unit
}

// ValueType is the type of a Value.
type ValueType string

// The types of values.
const (
	TypeFlag   ValueType = "flag"
	TypeNumber ValueType = "number"
	TypeShare  ValueType = "share"
	TypeWords  ValueType = "words"
	TypeMoment ValueType = "moment"
	TypeSpan   ValueType = "span"
	TypeMoney  ValueType = "money"
	TypePerson ValueType = "person"
	TypePeople ValueType = "people"
	TypeUnit   ValueType = "unit"
)

// Person is what an expression can ask about one person, as the register
// stood at the moment and at the state of knowledge that the asker fixed.
type Person interface {
	Key() int64
	Name() string
	Is(class string) bool
	Since(class string) (Moment, bool)
	Holds(office string) bool
	Unit(kind string) (Unit, bool)
	Fact(name string) (Value, bool) // false: nobody has entered it
	Conflicted(other Person) bool
	TookPart(run Run) bool
}

// Unit is what an expression can ask about one unit.
type Unit interface {
	Key() int64
	Kind() string
	Name() string
	Fact(name string) (Value, bool)
	Count(class string, at *Moment) (int64, error)
	Holders(office string) []Person
	Vacant(office string) bool
	Present(office string) int64
}

// Run is what an expression can ask about a proceeding.
type Run interface {
	Key() string
	Outcome() string
	Called() Moment
	Ended() (Moment, bool) // false: it has not ended, or there was never one
	Take(name string) (Value, bool)
	Stage(name string) (StageTimes, bool)
}

// StageTimes is what an expression can ask about a stage of a run.
type StageTimes struct {
	Opened, Closed *Moment // nil: not yet
	Outcome        string
}

// Text is what an expression can ask about a text that is put to the vote.
type Text interface {
	Fact(name string) (Value, bool)
	LastDecided() (Moment, bool) // when a text with the same objective was last decided
}

// Scope is what one evaluation can see. It is asked only for the names that
// the expression uses. A false second result means that the value does not
// exist yet (a window that has not closed, a slot nobody has set): the
// evaluation then ends with *Unknown.
type Scope interface {
	Var(name string) (Value, bool)       // called, cause, freeze, at, value, slots, what the run takes
	Person(name string) (Person, bool)   // person, candidate, a taken person
	Unit(name string) (Unit, bool)       // here, unit
	People(name string) ([]Person, bool) // candidates
	Run(name string) (Run, bool)         // a procedure's latest finished run, or a taken decision
	Stage(name string) (StageTimes, bool)
	Text(name string) (Text, bool)
	Holders(office string) []Person
	Next(event string) (Moment, bool)
}

// Unknown is the error of an evaluation that needs something nobody has
// entered or decided yet. Name is the fact, slot, stage or event.
type Unknown struct{ Name string }

// Error names what is missing.
func (u *Unknown) Error() string { return "nobody has entered " + u.Name + " yet" }
