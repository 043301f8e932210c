package registry

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// UnitSpec is a unit to be opened. In names its parent's number; 0 is the
// organisation. Facts are flags (0 or 1) and numbers of the rulebook.
type UnitSpec struct {
	Kind, Name string
	In         register.UnitID
	Facts      map[string]int64
}

// maxUnits is the most units that one entry opens.
const maxUnits = 5_000

// OpenUnits opens units and gives their numbers, in the order of specs: all of
// them or none.
func (r *Registry) OpenUnits(ctx context.Context, specs []UnitSpec) ([]register.UnitID, error) {
	var ids []register.UnitID
	err := r.ch.WriteEach(ctx, func(w *chamber.World, put func(minutes.Entry) error) error {
		g, err := newGrove(w)
		if err != nil {
			return err
		}
		ids = ids[:0]
		for _, s := range specs {
			id, err := g.open(s)
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return g.enter(put)
	})
	return ids, err
}

// grove is the tree of units as it will be after an entry.
type grove struct {
	book  *rulebook.Book
	at    int64
	units []register.Unit            // all, by number
	named map[string]register.UnitID // by kind and name, letter case aside
	fresh map[register.UnitID]bool
	moved map[register.UnitID]bool // or with other facts
}

func newGrove(w *chamber.World) (*grove, error) {
	if w.Book() == nil {
		return nil, fault.New(fault.TooEarly, "adopt a rulebook first: it says which kinds of unit there are")
	}
	next := w.Tree().Next()
	g := &grove{book: w.Book(), at: w.At().Unix(), units: make([]register.Unit, 0, next), named: make(map[string]register.UnitID, next),
		fresh: map[register.UnitID]bool{}, moved: map[register.UnitID]bool{}}
	for id := register.UnitID(1); id < next; id++ {
		u := w.Tree().Unit(id)
		if u == nil {
			return nil, fault.New(fault.Damaged, "unit %d is missing from the register; omov replay rebuilds it from the minute book", id)
		}
		g.units = append(g.units, *u)
		if k := unitKey(u.Kind, u.Name); g.named[k] == 0 || u.Closed == 0 {
			g.named[k] = id // one that is open goes before one that was closed
		}
	}
	return g, nil
}

func unitKey(kind, name string) string {
	return kind + "\x00" + strings.ToLower(strings.TrimSpace(name))
}

// find gives a unit by kind and name, nil for none.
func (g *grove) find(kind, name string) *register.Unit {
	if id := g.named[unitKey(kind, name)]; id != 0 {
		return &g.units[id-1]
	}
	return nil
}

// open adds a unit.
func (g *grove) open(s UnitSpec) (register.UnitID, error) {
	kind := g.book.UnitKind(s.Kind)
	if kind == nil {
		return 0, fault.New(fault.Invalid, "the rulebook has no kind of unit called %q", s.Kind)
	}
	s.Name = strings.TrimSpace(s.Name)
	if s.Name == "" {
		return 0, fault.New(fault.Invalid, "a %s needs a name", s.Kind)
	}
	if u := g.find(s.Kind, s.Name); u != nil && u.Closed == 0 {
		return 0, fault.New(fault.Already, "there is a %s called %q already", s.Kind, s.Name)
	}
	if s.In != 0 && (s.In < 0 || int(s.In) > len(g.units) || g.units[s.In-1].Kind != kind.In || g.units[s.In-1].Closed != 0) {
		return 0, fault.New(fault.Invalid, "%s %q cannot be in unit %d: %s", s.Kind, s.Name, s.In, placed(kind))
	}
	id := register.UnitID(len(g.units) + 1)
	g.units = append(g.units, register.Unit{ID: id, Kind: s.Kind, Parent: s.In, Name: s.Name, Facts: s.Facts})
	g.named[unitKey(s.Kind, s.Name)], g.fresh[id] = id, true
	return id, nil
}

// placed says where units of a kind are.
func placed(k *rulebook.UnitKind) string {
	if k.In == "" {
		return "a " + k.Name + " is directly in the organisation"
	}
	return "a " + k.Name + " is in a " + k.In + " that is open"
}

// enter writes what is new or has changed, in entries of at most maxUnits. A
// unit that has changed stays open from when it was opened.
func (g *grove) enter(put func(minutes.Entry) error) error {
	if _, err := register.NewTree(slices.Clone(g.units)); err != nil {
		return err
	}
	// What is new goes first: what has moved may have moved there.
	var list, moved []register.Unit
	for _, u := range g.units {
		switch {
		case g.fresh[u.ID]:
			u.Opened = g.at
			list = append(list, u)
		case g.moved[u.ID]:
			moved = append(moved, u)
		}
	}
	slices.SortStableFunc(moved, func(a, b register.Unit) int { return cmp.Compare(a.Opened, b.Opened) })
	list = append(list, moved...)
	for len(list) > 0 {
		n := 1
		for n < len(list) && n < maxUnits && list[n].Opened == list[0].Opened {
			n++
		}
		e := minutes.Entry{Kind: register.KindUnits, Access: minutes.Public, Rulebook: g.book.Hash,
			Body: register.UnitsBody{At: list[0].Opened, Units: list[:n:n]}}
		if err := put(e); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}
