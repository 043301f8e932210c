package register

import (
	"slices"
	"strings"

	"github.com/omov/omov/fault"
)

// Unit is one node of the tree. Kind is the rulebook's word. Opened and
// Closed are Unix seconds (Closed 0: open). Known is the sequence of the entry
// that last said so.
type Unit struct {
	ID             UnitID           `json:"id"`
	Kind           string           `json:"kind"`
	Parent         UnitID           `json:"in,omitempty"`
	Name           string           `json:"name"`
	Facts          map[string]int64 `json:"facts,omitempty"` // flag 0/1, number, day
	Opened, Closed int64            `json:"-"`
	Known          int64            `json:"-"`
}

// Tree is all units; the organisation itself, unit 0, is its root.
type Tree struct {
	units    map[UnitID]*Unit
	children map[UnitID][]UnitID
	byKind   map[string][]UnitID
}

// NewTree builds a tree. A unit in a parent that does not exist, or in a
// circle, is an error.
func NewTree(units []Unit) (*Tree, error) {
	t := &Tree{units: make(map[UnitID]*Unit, len(units)), children: map[UnitID][]UnitID{}, byKind: map[string][]UnitID{}}
	for i := range units {
		u := &units[i]
		t.units[u.ID] = u
	}
	for i := range units {
		u := &units[i]
		if u.Parent != 0 && t.units[u.Parent] == nil {
			return nil, fault.New(fault.Invalid, "%s %q is in a unit that does not exist", u.Kind, u.Name)
		}
		t.children[u.Parent] = append(t.children[u.Parent], u.ID)
		t.byKind[u.Kind] = append(t.byKind[u.Kind], u.ID)
	}
	for _, u := range t.units {
		steps := 0
		for p := u.Parent; p != 0; p = t.units[p].Parent {
			if steps++; steps > len(units) {
				return nil, fault.New(fault.Invalid, "%s %q is, through its parents, in itself", u.Kind, u.Name)
			}
		}
	}
	for _, ids := range t.byKind {
		slices.Sort(ids)
	}
	return t, nil
}

// Unit gives a unit, nil if there is none.
func (t *Tree) Unit(id UnitID) *Unit { return t.units[id] }

// Len is the number of units.
func (t *Tree) Len() int { return len(t.units) }

// Children gives the units directly in one, in the order they were opened.
func (t *Tree) Children(id UnitID) []UnitID { return t.children[id] }

// Up gives the nearest unit of a kind at or above id; false if there is none.
func (t *Tree) Up(id UnitID, kind string) (*Unit, bool) {
	for u := t.units[id]; u != nil; u = t.units[u.Parent] {
		if u.Kind == kind {
			return u, true
		}
	}
	return nil, false
}

// Within tells whether unit id is in or below unit in; everything is within
// the organisation.
func (t *Tree) Within(id, in UnitID) bool {
	if in == 0 || id == in {
		return true
	}
	for u := t.units[id]; u != nil; u = t.units[u.Parent] {
		if u.ID == in {
			return true
		}
	}
	return false
}

// Next is the number that the next unit gets.
func (t *Tree) Next() UnitID {
	next := UnitID(1)
	for id := range t.units {
		next = max(next, id+1)
	}
	return next
}

// Kind gives the open units of a kind in or below unit in, by number.
func (t *Tree) Kind(kind string, in UnitID) []UnitID {
	var out []UnitID
	for _, id := range t.byKind[kind] {
		if t.units[id].Closed == 0 && t.Within(id, in) {
			out = append(out, id)
		}
	}
	return out
}

// ByName finds a unit of a kind by its name, letter case aside.
func (t *Tree) ByName(kind, name string) (*Unit, bool) {
	for _, id := range t.byKind[kind] {
		if strings.EqualFold(t.units[id].Name, strings.TrimSpace(name)) {
			return t.units[id], true
		}
	}
	return nil, false
}

// TermOfOffice is one person's holding of an office. From and Until are Unix
// seconds; Known and Ended are sequences, as in Span.
type TermOfOffice struct {
	ID           int64    `json:"id"`
	Office       string   `json:"office"`
	Unit         UnitID   `json:"unit,omitempty"`
	Person       PersonID `json:"person"`
	From         int64    `json:"from"`
	Until        int64    `json:"until,omitempty"` // 0 in an entry: until further notice
	Known, Ended int64    `json:"-"`
}

// Roster is who holds and held which office.
type Roster struct {
	terms    []TermOfOffice
	byOffice map[string][]int
	byPerson map[PersonID][]int
}

// NewRoster indexes terms of office.
func NewRoster(terms []TermOfOffice) *Roster {
	r := &Roster{terms: terms, byOffice: map[string][]int{}, byPerson: map[PersonID][]int{}}
	for i := range terms {
		t := &terms[i]
		if t.Until == 0 {
			t.Until = Forever
		}
		r.byOffice[t.Office] = append(r.byOffice[t.Office], i)
		r.byPerson[t.Person] = append(r.byPerson[t.Person], i)
	}
	return r
}

func (t *TermOfOffice) at(at, known int64) bool {
	return t.From <= at && at < t.Until && t.Known <= known && (t.Ended == 0 || t.Ended > known)
}

// Holders gives who holds an office at an instant, as known after an entry,
// in units in or below in (0: anywhere), in the order of their terms.
func (r *Roster) Holders(office string, in UnitID, t *Tree, at, known int64) []TermOfOffice {
	var out []TermOfOffice
	for _, i := range r.byOffice[office] {
		term := &r.terms[i]
		if term.at(at, known) && (in == 0 || t.Within(term.Unit, in)) {
			out = append(out, *term)
		}
	}
	return out
}

// Of gives the offices that a person holds at an instant.
func (r *Roster) Of(p PersonID, at, known int64) []TermOfOffice {
	var out []TermOfOffice
	for _, i := range r.byPerson[p] {
		if r.terms[i].at(at, known) {
			out = append(out, r.terms[i])
		}
	}
	return out
}

// Filled is the roster with one more term, which has its number already.
func (r *Roster) Filled(t TermOfOffice) *Roster {
	return NewRoster(append(slices.Clone(r.terms), t))
}

// Vacated is the roster after a term has ended, by the entry numbered seq.
func (r *Roster) Vacated(b VacatedBody, seq int64) *Roster {
	terms := slices.Clone(r.terms)
	for i := range terms {
		if t := &terms[i]; t.ID == b.Term && t.Person == b.Who && t.Ended == 0 {
			after := *t
			t.Ended = seq
			after.ID, after.Until, after.Known, after.Ended = seq, b.At, seq, 0
			return NewRoster(append(terms, after))
		}
	}
	return r
}

// Ends gives when places of an office in a unit became free and become free:
// the latest end up to an instant, and the earliest after it; 0 where there is
// none.
func (r *Roster) Ends(office string, unit UnitID, at int64) (last, next int64) {
	for _, i := range r.byOffice[office] {
		t := &r.terms[i]
		if t.Ended != 0 || t.Unit != unit || t.Until == Forever {
			continue
		}
		if t.Until <= at {
			last = max(last, t.Until)
		} else if next == 0 || t.Until < next {
			next = t.Until
		}
	}
	return last, next
}

// History gives every term of an office that is still known, the oldest first.
func (r *Roster) History(office string) []TermOfOffice {
	var out []TermOfOffice
	for _, i := range r.byOffice[office] {
		if r.terms[i].Ended == 0 {
			out = append(out, r.terms[i])
		}
	}
	slices.SortStableFunc(out, func(a, b TermOfOffice) int { return int(min(max(a.From-b.From, -1), 1)) })
	return out
}
