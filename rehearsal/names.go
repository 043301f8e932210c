package rehearsal

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// names is who and what a script calls by which name. Of those that are made
// by the number only the beginning of the name is kept.
type names struct {
	entering bool // at the beginning: the story is not told of it
	exact    map[string]thing
	groups   map[string]group
	people   []group // in the order of their numbers
	called   map[register.PersonID]string
}

// thing is a person, a unit, or (role) an office or body of the rulebook.
type thing struct {
	person register.PersonID
	unit   register.UnitID
	role   string
}

// group is people or units with one name and numbers from 1 to n.
type group struct {
	name  string
	first int64
	n     int
	unit  bool
}

// add enters names; false where the name is taken.
func (ns *names) add(g group, numbered bool) bool {
	if ns.exact == nil {
		ns.exact, ns.groups, ns.called = map[string]thing{}, map[string]group{}, map[register.PersonID]string{}
	}
	if _, ok := ns.exact[g.name]; ok {
		return false
	}
	if _, ok := ns.groups[g.name]; ok {
		return false
	}
	if numbered {
		ns.groups[g.name] = g
	} else {
		ns.exact[g.name] = g.at(0)
	}
	if !g.unit {
		if !numbered {
			ns.called[register.PersonID(g.first)] = g.name
		}
		ns.people = append(ns.people, g)
	}
	return true
}

// rename gives somebody of a group a name of their own beside the number.
func (ns *names) rename(p register.PersonID, name string) bool {
	if _, ok := ns.exact[name]; ok {
		return false
	}
	ns.exact[name] = thing{person: p}
	ns.called[p] = name
	return true
}

func (g group) at(i int) thing {
	if g.unit {
		return thing{unit: register.UnitID(g.first) + register.UnitID(i)}
	}
	return thing{person: register.PersonID(g.first) + register.PersonID(i)}
}

// find gives those whom a reference names, in order; nil for nobody.
func (ns *names) find(ref reference) []thing {
	if t, ok := ns.exact[ref.text]; ok {
		return []thing{t}
	}
	g, ok := ns.groups[ref.base]
	if !ok || ref.to > g.n {
		return nil
	}
	from, to := ref.from, ref.to
	if from == 0 {
		if ref.text != ref.base {
			return nil
		}
		from, to = 1, g.n
	}
	out := make([]thing, 0, to-from+1)
	for i := from; i <= to; i++ {
		out = append(out, g.at(i-1))
	}
	return out
}

// known gives the names there are, for "did you mean".
func (ns *names) known() []string {
	var out []string
	for n := range ns.exact {
		if out = append(out, n); len(out) > 2_000 {
			break
		}
	}
	for n, g := range ns.groups {
		out = append(out, n+" 1", n+" 1.."+strconv.Itoa(g.n))
	}
	slices.Sort(out)
	return out
}

// person gives the name of somebody as the register has it.
func (ns *names) person(p register.PersonID) string {
	if n, ok := ns.called[p]; ok {
		return n
	}
	for _, g := range ns.people {
		if i := int64(p) - g.first; i >= 0 && i < int64(g.n) {
			return g.name + " " + strconv.FormatInt(i+1, 10)
		}
	}
	return "person " + strconv.FormatInt(int64(p), 10)
}

// who resolves references to people, units, offices and bodies.
func (r *runner) who(refs []reference) ([]thing, error) {
	var out []thing
	for _, ref := range refs {
		found := r.names.find(ref)
		if found == nil && r.isRole(ref.text) {
			found = []thing{{role: ref.text}}
		}
		if found == nil {
			return nil, r.nobody(ref)
		}
		out = append(out, found...)
	}
	return out, nil
}

func (r *runner) isRole(name string) bool {
	return r.book.Body(name) != nil || r.book.Office(name) != nil
}

// nobody says that a name means nothing here.
func (r *runner) nobody(ref reference) error {
	known := r.names.known()
	for i := range r.book.Offices {
		known = append(known, r.book.Offices[i].Name)
	}
	for i := range r.book.Bodies {
		known = append(known, r.book.Bodies[i].Name)
	}
	if g, ok := r.names.groups[ref.base]; ok && ref.from > 0 {
		return fault.New(fault.NotFound, "there are %d called %s, and no %s", g.n, g.name, ref.text)
	}
	return fault.New(fault.NotFound, "nobody and nothing here is called %q%s", ref.text, didYouMean(ref.text, known))
}

// unit resolves a reference that has to be one unit.
func (r *runner) unit(ref reference) (register.UnitID, error) {
	if ref.text == "" {
		return 0, nil
	}
	found := r.names.find(ref)
	if len(found) != 1 || found[0].unit == 0 {
		return 0, fault.New(fault.NotFound, "no unit is called %q%s", ref.text, didYouMean(ref.text, r.names.known()))
	}
	return found[0].unit, nil
}

// onePerson resolves a name that has to be one person.
func (r *runner) onePerson(name string) (register.PersonID, error) {
	c := &complaints{}
	found, err := r.who([]reference{c.reference(name, pos{})})
	if err != nil {
		return 0, err
	}
	if len(found) == 1 && found[0].role != "" {
		people, err := r.holders(found[0].role, 0)
		if err != nil || len(people) == 0 {
			return 0, fault.New(fault.NotFound, "nobody holds the office of %s", name)
		}
		return people[0], nil
	}
	if len(found) != 1 || found[0].person == 0 {
		return 0, fault.New(fault.NotFound, "%q is not one person", name)
	}
	return found[0].person, nil
}

// holders gives who holds an office now: in a unit, or (0) anywhere.
func (r *runner) holders(office string, in register.UnitID) ([]register.PersonID, error) {
	var out []register.PersonID
	err := r.ch.Read(r.ctx, func(w *chamber.World) error {
		out = nil
		for _, t := range w.Roster().Holders(office, in, w.Tree(), w.At().Unix(), w.Seq()) {
			out = append(out, t.Person)
		}
		return nil
	})
	return out, err
}

// actor gives as whom somebody acts: a person as themself; an office as its
// holder; a body as a whole, whose act is entered for it. as is the name of
// the body or office.
func (r *runner) actor(t thing) (a proceeding.Actor, as string, err error) {
	switch {
	case t.person != 0:
		return proceeding.Actor{Person: t.person}, "", nil
	case t.role != "":
		if r.book.Office(t.role) != nil {
			people, err := r.holders(t.role, 0)
			if err != nil {
				return a, "", err
			}
			if len(people) > 0 {
				return proceeding.Actor{Person: people[0]}, "", nil
			}
		}
		return proceeding.Actor{System: true}, t.role, nil
	}
	return proceeding.Actor{System: true}, "", nil
}

// kindOf gives the kind of a unit.
func (r *runner) kindOf(u register.UnitID) (kind *rulebook.UnitKind, name string) {
	_ = r.ch.Read(r.ctx, func(w *chamber.World) error {
		if x := w.Tree().Unit(u); x != nil {
			kind, name = r.book.UnitKind(x.Kind), x.Name
		}
		return nil
	})
	return kind, name
}

// thingName names somebody for the story.
func (r *runner) thingName(t thing) string {
	switch {
	case t.person != 0:
		return r.names.person(t.person)
	case t.unit != 0:
		_, n := r.kindOf(t.unit)
		return n
	case t.role != "":
		return "the " + spaced(t.role)
	}
	return fmt.Sprint(t)
}
