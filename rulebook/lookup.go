package rulebook

import "slices"

// find gives the definition of a name, or nil.
func find[T any](list []T, name string, named func(*T) *Named) *T {
	for i := range list {
		if named(&list[i]).Name == name {
			return &list[i]
		}
	}
	return nil
}

// Procedure gives the procedure of a name, or nil.
func (b *Book) Procedure(name string) *Procedure {
	return find(b.Procedures, name, func(p *Procedure) *Named { return &p.Named })
}

// Office gives the office of a name, or nil.
func (b *Book) Office(name string) *Office {
	return find(b.Offices, name, func(o *Office) *Named { return &o.Named })
}

// Body gives the body of a name, or nil.
func (b *Book) Body(name string) *Body {
	return find(b.Bodies, name, func(x *Body) *Named { return &x.Named })
}

// Slot gives the slot of a name, or nil.
func (b *Book) Slot(name string) *Slot {
	return find(b.Slots, name, func(s *Slot) *Named { return &s.Named })
}

// Class gives the class of a name, or nil.
func (b *Book) Class(name string) *Class {
	return find(b.Classes, name, func(c *Class) *Named { return &c.Named })
}

// UnitKind gives the kind of unit of a name, or nil.
func (b *Book) UnitKind(name string) *UnitKind {
	return find(b.Units, name, func(u *UnitKind) *Named { return &u.Named })
}

// Electorate gives the electorate of a name, or nil.
func (b *Book) Electorate(name string) *Electorate {
	return find(b.Electorates, name, func(e *Electorate) *Named { return &e.Named })
}

// Sanction gives the sanction of a name, or nil.
func (b *Book) Sanction(name string) *Sanction {
	return find(b.Sanctions, name, func(s *Sanction) *Named { return &s.Named })
}

// Event gives the event of a name, or nil.
func (b *Book) Event(name string) *Event {
	return find(b.Events, name, func(e *Event) *Named { return &e.Named })
}

// Fact gives the fact of a name about a person, a unit or a text, or nil.
func (b *Book) Fact(of FactOf, name string) *Fact {
	for i := range b.Facts {
		if b.Facts[i].Of == of && b.Facts[i].Name == name {
			return &b.Facts[i]
		}
	}
	return nil
}

// Clause gives the text of a clause, and false where the book has none under
// the number.
func (b *Book) Clause(number string) (string, bool) {
	for _, c := range b.Clauses {
		if c.Number == number {
			return c.Text, true
		}
	}
	return "", false
}

// Stage gives the stage of a name and its place in the order, or nil and -1.
func (p *Procedure) Stage(name string) (*Stage, int) {
	for i := range p.Stages {
		if p.Stages[i].Name == name {
			return &p.Stages[i], i
		}
	}
	return nil, -1
}

// Next gives the effects of an outcome of the stage, and false where the book
// lists none: then the next stage follows.
func (s *Stage) Next(outcome string) ([]Effect, bool) {
	for _, t := range s.Then {
		if t.Outcome == outcome {
			return t.Effects, true
		}
	}
	return nil, false
}

// Private tells whether the runs of a procedure are about a person, or about a
// decision that was: then only those concerned read their record.
func (b *Book) Private(p *Procedure) bool { return b.private(p, len(b.Procedures)) }

func (b *Book) private(p *Procedure, deep int) bool {
	if p == nil || deep < 0 {
		return false
	}
	for _, t := range p.Takes {
		if t.Is == TakePerson || t.Is == TakeRun && b.private(b.Procedure(t.Of), deep-1) {
			return true
		}
	}
	return false
}

// Reaches tells whether a procedure stops, stays or resumes the run that it
// takes, or reports to it: then it takes one that is under way, and else a decision that has been
// taken.
func (p *Procedure) Reaches(take string) bool {
	reaches := func(list []Effect) bool {
		return slices.ContainsFunc(list, func(e Effect) bool {
			return e.Target == take && (e.Do == DoStop || e.Do == DoStay || e.Do == DoResume || e.Do == DoReport)
		})
	}
	for i := range p.Stages {
		if slices.ContainsFunc(p.Stages[i].Then, func(t Then) bool { return reaches(t.Effects) }) {
			return true
		}
	}
	return slices.ContainsFunc(p.StopsOn, func(x StopOn) bool { return reaches(x.Effects) })
}
