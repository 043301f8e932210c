// Package roll decides the standing of a person at a moment: to which
// sections of an electorate they belong, and, where they have no vote, which
// condition stops them, clause by clause. It freezes an electorate into a
// roll: an entry per person with the number of a reason, packed, and a root
// over salted leaves in random order, so that a member can be shown their own
// line and nobody else's.
//
// It never reads a clock or a database and never counts a vote. What a
// condition says is the rulebook's; what a person's record says is the
// register's.
package roll

import (
	"math/big"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// View fixes the moment and the state of knowledge from which people and
// units are looked at. At is Unix seconds, Known the sequence of an entry.
type View struct {
	Book   *rulebook.Book
	Tree   *register.Tree
	Roster *register.Roster
	Terms  map[string]register.Term
	Words  []string // by Term
	At     int64
	Known  int64
	Here   register.UnitID // classes mean those who belong within it

	// Name, Count, Present and Took answer what a record does not hold; each
	// may be nil where the rulebook does not ask; a count that is asked for
	// and cannot be had is an error.
	Name    func(register.PersonID) string
	Count   func(u register.UnitID, class string, at int64) (int64, error)
	Present func(u register.UnitID, office string) int64
	Took    func(p register.PersonID, run string) bool
	Load    func(register.PersonID) *register.Record
}

// Person looks at one person through the view. Rec may be reset to walk over
// many people with one Person.
type Person struct {
	View *View
	ID   register.PersonID
	Rec  *register.Record
}

// Person gives a person by number; one who is not in the register has an
// empty record.
func (v *View) Person(id register.PersonID) *Person {
	rec := &register.Record{}
	if v.Load != nil {
		if r := v.Load(id); r != nil {
			rec = r
		}
	}
	return &Person{View: v, ID: id, Rec: rec}
}

// Key is the person's number.
func (p *Person) Key() int64 { return int64(p.ID) }

// Name is the person's name where the asker may know it.
func (p *Person) Name() string {
	if p.View.Name == nil {
		return ""
	}
	return p.View.Name(p.ID)
}

// Is tells whether the person belongs in a class, within the view's unit.
func (p *Person) Is(class string) bool { return p.isAt(class, p.View.At) }

func (p *Person) isAt(class string, at int64) bool {
	term, ok := p.View.Terms[class]
	if !ok {
		return false
	}
	for i := range p.Rec.Spans {
		s := &p.Rec.Spans[i]
		if s.Aspect == register.Belongs && s.Name == term && s.At(at, p.View.Known) &&
			(p.View.Here == 0 || p.View.Tree.Within(s.Unit, p.View.Here)) {
			return true
		}
	}
	return false
}

// Since gives the day on which the unbroken membership of a class began.
func (p *Person) Since(class string) (rulebook.Moment, bool) {
	term, ok := p.View.Terms[class]
	if !ok {
		return rulebook.Moment{}, false
	}
	at, ok := p.Rec.Since(term, p.View.At, p.View.Known)
	if !ok {
		return rulebook.Moment{}, false
	}
	return p.View.day(at), true
}

func (v *View) day(unix int64) rulebook.Moment {
	t := time.Unix(unix, 0).In(v.Book.Zone)
	y, m, d := t.Date()
	return rulebook.Moment{T: time.Date(y, m, d, 0, 0, 0, 0, v.Book.Zone), IsDay: true}
}

// Leaving is what ends the person's belonging in a class, within the view's
// unit, at an instant (Unix seconds): one change for each unit.
func (p *Person) Leaving(class register.Term, at int64) []register.Change {
	var out []register.Change
	for i := range p.Rec.Spans {
		s := &p.Rec.Spans[i]
		if s.Aspect == register.Belongs && s.Name == class && s.At(p.View.At, p.View.Known) && (p.View.Here == 0 || p.View.Tree.Within(s.Unit, p.View.Here)) {
			out = append(out, register.Change{Aspect: register.Belongs, Name: class, Unit: s.Unit, From: at, End: true})
		}
	}
	return out
}

// Holds tells whether the person holds an office, in the view's unit where
// the office is one per unit.
func (p *Person) Holds(office string) bool {
	for _, t := range p.View.Roster.Of(p.ID, p.View.At, p.View.Known) {
		if t.Office == office && (t.Unit == 0 || p.View.Tree.Within(t.Unit, p.View.Here)) {
			return true
		}
	}
	return false
}

// Unit gives the unit of a kind through which the person belongs.
func (p *Person) Unit(kind string) (rulebook.Unit, bool) {
	if u := p.UnitID(kind); u != 0 {
		return p.View.Unit(u), true
	}
	return nil, false
}

// UnitID is Unit without the wrapping; 0 if there is none.
func (p *Person) UnitID(kind string) register.UnitID {
	var found register.UnitID
	p.Rec.Units(p.View.At, p.View.Known, func(_ register.Term, id register.UnitID) bool {
		if u, ok := p.View.Tree.Up(id, kind); ok {
			found = u.ID
			return false
		}
		return true
	})
	return found
}

// Fact gives what the register keeps about the person under a name.
func (p *Person) Fact(name string) (rulebook.Value, bool) {
	term, ok := p.View.Terms[name]
	if !ok {
		return rulebook.Value{}, false
	}
	raw, ok := p.Rec.Fact(term, p.View.At, p.View.Known)
	if !ok {
		return rulebook.Value{}, false
	}
	return p.View.value(rulebook.OfPerson, name, raw)
}

func (v *View) value(of rulebook.FactOf, name string, raw int64) (rulebook.Value, bool) {
	for i := range v.Book.Facts {
		f := &v.Book.Facts[i]
		if f.Of != of || f.Name != name {
			continue
		}
		switch f.Is {
		case rulebook.FactFlag:
			return rulebook.Value{Type: rulebook.TypeFlag, Flag: raw != 0}, true
		case rulebook.FactNumber:
			return rulebook.Value{Type: rulebook.TypeNumber, Number: new(big.Rat).SetInt64(raw)}, true
		case rulebook.FactDate:
			d := time.Unix(raw*86400, 0).UTC()
			y, m, day := d.Date()
			return rulebook.Value{Type: rulebook.TypeMoment, Moment: rulebook.Moment{T: time.Date(y, m, day, 0, 0, 0, 0, v.Book.Zone), IsDay: true}}, true
		case rulebook.FactWords:
			if raw >= 0 && raw < int64(len(v.Words)) {
				return rulebook.Value{Type: rulebook.TypeWords, Words: v.Words[raw]}, true
			}
		}
	}
	return rulebook.Value{}, false
}

// Conflicted tells whether a conflict of interest with another person is on
// record.
func (p *Person) Conflicted(other rulebook.Person) bool {
	term, ok := p.View.Terms["conflict"]
	if !ok {
		return false
	}
	for i := range p.Rec.Spans {
		s := &p.Rec.Spans[i]
		if s.Aspect == register.Declared && s.Name == term && s.Value == other.Key() && s.At(p.View.At, p.View.Known) {
			return true
		}
	}
	return false
}

// TookPart tells whether the person took part in a run.
func (p *Person) TookPart(run rulebook.Run) bool {
	return p.View.Took != nil && p.View.Took(p.ID, run.Key())
}

// Unit looks at one unit through a view.
type Unit struct {
	View *View
	Node *register.Unit
}

// Unit gives a unit by number; one that does not exist has no name.
func (v *View) Unit(id register.UnitID) *Unit {
	n := v.Tree.Unit(id)
	if n == nil {
		n = &register.Unit{ID: id}
	}
	return &Unit{View: v, Node: n}
}

// Key is the unit's number.
func (u *Unit) Key() int64 { return int64(u.Node.ID) }

// Kind is the rulebook's word for what it is.
func (u *Unit) Kind() string { return u.Node.Kind }

// Name is the unit's name.
func (u *Unit) Name() string { return u.Node.Name }

// Fact gives what the register keeps about the unit.
func (u *Unit) Fact(name string) (rulebook.Value, bool) {
	raw, ok := u.Node.Facts[name]
	if !ok {
		return rulebook.Value{}, false
	}
	return u.View.value(rulebook.OfUnit, name, raw)
}

// Count is how many people belong to the unit in a class at a moment.
func (u *Unit) Count(class string, at *rulebook.Moment) (int64, error) {
	if u.View.Count == nil {
		return 0, fault.New(fault.Internal, "the people of a unit cannot be counted here")
	}
	when := u.View.At
	if at != nil {
		when = LastInstant(*at)
	}
	return u.View.Count(u.Node.ID, class, when)
}

// Holders gives who holds an office of the unit.
func (u *Unit) Holders(office string) []rulebook.Person {
	var out []rulebook.Person
	for _, t := range u.View.Roster.Holders(office, u.Node.ID, u.View.Tree, u.View.At, u.View.Known) {
		if t.Unit == u.Node.ID {
			out = append(out, u.View.Person(t.Person))
		}
	}
	return out
}

// Vacant tells whether nobody holds an office of the unit.
func (u *Unit) Vacant(office string) bool { return len(u.Holders(office)) == 0 }

// Present is how many holders of an office are present at the meeting that
// is being held; all of them where presence is not recorded.
func (u *Unit) Present(office string) int64 {
	if u.View.Present == nil {
		return int64(len(u.Holders(office)))
	}
	return u.View.Present(u.Node.ID, office)
}

// LastInstant is the last second of a moment: of the day, where it is a day.
func LastInstant(m rulebook.Moment) int64 {
	if !m.IsDay {
		return m.T.Unix()
	}
	y, mo, d := m.T.Date()
	return time.Date(y, mo, d+1, 0, 0, 0, 0, m.T.Location()).Unix() - 1
}
