package proceeding

import (
	"slices"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// SetStanding decides the use of a standing discretion outside any run, for the
// organisation or for one unit. It gives the slot as it is to be kept.
func SetStanding(book *rulebook.Book, w World, at time.Time, by Actor, as, slot string, unit register.UnitID, text string) (Slot, error) {
	d := &decider{book: book, cal: book.Calendar(), world: w, at: at, st: &State{Unit: unit, Current: -1}}
	sl := book.Slot(slot)
	if sl == nil {
		return Slot{}, fault.New(fault.NotFound, "the rulebook leaves no discretion called %s", slot)
	}
	if !sl.Standing {
		return Slot{}, fault.Under(fault.Invalid, sl.Cite, "%s is decided for each proceeding on its own", spaced(slot))
	}
	if sl.SetBy.Kind == rulebook.WhoUnit {
		if err := d.unitActs(by, as, sl.SetBy, unit, sl.Cite, spaced(slot)+" is set by %s"); err != nil {
			return Slot{}, err
		}
	} else {
		if err := d.actsAs(by, as, sl.SetBy, sl.Cite, "%s is set by %s", spaced(slot)); err != nil {
			return Slot{}, err
		}
	}
	v, err := d.allowed(sl, text)
	if err != nil {
		return Slot{}, err
	}
	return Slot{Value: Hold(v), By: sl.SetBy.Name, At: d.now()}, nil
}

// unitActs checks that an actor speaks for a unit of the kind that decides.
func (d *decider) unitActs(by Actor, as string, who rulebook.Who, unit register.UnitID, cite, refusal string) error {
	u := d.world.View(0).Tree.Unit(unit)
	if u == nil || u.Kind != who.Name {
		return fault.Under(fault.Invalid, cite, refusal+"; say which", spaced(who.Name))
	}
	if by.System && (as == "" || as == who.Name) || !by.System && d.holdsIn(by.Person, SpeaksFor(d.book, d.book.UnitKind(u.Kind)), unit) {
		return nil
	}
	return fault.Under(fault.NotEntitled, cite, refusal, spaced(who.Name))
}

// Declarable checks that an actor may declare an event.
func Declarable(book *rulebook.Book, w World, at time.Time, by Actor, as, event string) (string, error) {
	d := &decider{book: book, cal: book.Calendar(), world: w, at: at, st: &State{Current: -1}}
	e := book.Event(event)
	if e == nil {
		return "", fault.New(fault.NotFound, "the rulebook knows no event called %s", event)
	}
	if err := d.actsAs(by, as, e.DeclaredBy, e.Cite, "%s is declared by %s", spaced(event)); err != nil {
		return "", err
	}
	return e.DeclaredBy.Name, nil
}

// Voted tells whether a vote has been counted in a run.
func (s *State) Voted() bool {
	return slices.ContainsFunc(s.Ballots, func(b Ballot) bool { return b.Counted != 0 })
}

// Officer checks that an actor holds one of the offices that run ballots, and
// gives it.
func Officer(book *rulebook.Book, w World, at time.Time, by Actor) (string, error) {
	d := &decider{book: book, cal: book.Calendar(), world: w, at: at, st: &State{Current: -1}}
	err := d.officer(by)
	return d.office, err
}

// StandingSlots gives the standing discretions of a rulebook, as they stand for
// the organisation as a whole.
func StandingSlots(book *rulebook.Book, w World, at int64) []SlotView {
	d := &decider{book: book, cal: book.Calendar(), world: w, at: time.UnixMilli(at).UTC(), st: &State{Current: -1}}
	var out []SlotView
	for i := range book.Slots {
		sl := &book.Slots[i]
		if !sl.Standing {
			continue
		}
		x := SlotView{Name: sl.Name, Says: sl.Says.Text(&scope{d: d}), Clause: sl.Cite, SetBy: sl.SetBy, Is: sl.Is, Choices: sl.Choices, Open: true}
		if v, ok := d.slotValue(sl, 0); ok {
			x.Value = v.Text()
		}
		_, x.Set = w.Slot(sl.Name, 0)
		out = append(out, x)
	}
	return out
}
