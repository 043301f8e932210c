package proceeding

import (
	"slices"
	"time"

	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// Applying is what a procedure would mean for one person, were it called now.
type Applying struct {
	Procedure string
	Office    string
	Unit      register.UnitID
	Clause    string
	Roles     []Role
}

// Role is one part that somebody has in a procedure, or does not have, and why.
type Role struct {
	Stage    string // empty: the beginning
	Does     string // begin, support, nominate, stand, vote, decide, be drawn
	Yes      bool
	Who      string // whose part it is, in words
	Because  string // the condition that is not met, as the rulebook words it
	Clause   string
	Remedy   string
	Votes    int    // several, where more than one
	Whenever string // a way of beginning
}

// Applies gives what every procedure of a rulebook would mean for a person if
// it were called at an instant. A local procedure is that of the person's own
// unit; one in a kind of unit to which they do not belong is left out.
func Applies(book *rulebook.Book, w World, at int64, p register.PersonID) ([]Applying, error) {
	var out []Applying
	for i := range book.Procedures {
		proc := &book.Procedures[i]
		unit := register.UnitID(0)
		if proc.In != "" {
			if unit = w.View(0).Person(p).UnitID(proc.In); unit == 0 {
				continue
			}
		}
		office := ""
		if len(proc.Fills) > 0 {
			office = proc.Fills[0]
		}
		st := &State{Procedure: proc.Name, Unit: unit, Office: office, Called: at, Current: -1, Phase: Running, Stages: make([]Stage, len(proc.Stages))}
		for k := range proc.Stages {
			st.Stages[k] = Stage{Name: proc.Stages[k].Name, Opened: at, Closed: at}
		}
		d := &decider{book: book, proc: proc, cal: book.Calendar(), st: st, world: w, at: time.UnixMilli(at).UTC()}
		a := Applying{Procedure: proc.Name, Office: office, Unit: unit, Clause: proc.Cite}
		for k := range proc.Begins {
			a.Roles = append(a.Roles, d.beginRole(&proc.Begins[k], p)...)
		}
		for k := range proc.Stages {
			st.Current = k
			roles, err := d.stageRoles(&proc.Stages[k], p)
			if err != nil {
				return nil, err
			}
			a.Roles = append(a.Roles, roles...)
		}
		out = append(out, a)
	}
	return out, nil
}

func (d *decider) beginRole(b *rulebook.Beginning, p register.PersonID) []Role {
	switch {
	case b.By != nil:
		return []Role{d.role("", "begin", *b.By, p)}
	case b.Backed != nil:
		return d.gateRoles("", "support", b.Backed, p)
	}
	return nil
}

// role asks whether a person is one of who; for a unit, whether they enter what
// it decides.
func (d *decider) role(stage, does string, who rulebook.Who, p register.PersonID) Role {
	r := Role{Stage: stage, Does: does, Who: d.words(who), Clause: d.cite()}
	if who.Kind == rulebook.WhoUnit {
		kind := d.book.UnitKind(who.Name)
		if kind == nil {
			return r
		}
		office := SpeaksFor(d.book, kind)
		v := d.view()
		r.Yes = slices.ContainsFunc(v.Roster.Of(p, v.At, v.Known), func(t register.TermOfOffice) bool {
			u := v.Tree.Unit(t.Unit)
			return t.Office == office && u != nil && u.Kind == who.Name && v.Tree.Within(u.ID, d.st.Unit)
		})
		if !r.Yes {
			r.Because = "What " + d.words(who) + " decides is entered by its " + spaced(office)
		}
		return r
	}
	ok, err := d.isWho(voter{person: p}, who)
	r.Yes = ok && err == nil
	if !r.Yes {
		r.Because = "It is for " + d.words(who)
	}
	return r
}

func (d *decider) gateRoles(stage, does string, t *rulebook.Threshold, p register.PersonID) []Role {
	var out []Role
	leaves(t, "", func(_ string, t *rulebook.Threshold) {
		for _, who := range alternatives(t.From) {
			r := d.role(stage, does, who, p)
			if t.Cite != "" {
				r.Clause = t.Cite
			}
			if !slices.ContainsFunc(out, func(x Role) bool { return x.Who == r.Who }) {
				out = append(out, r)
			}
		}
	})
	return out
}

func (d *decider) stageRoles(r *rulebook.Stage, p register.PersonID) ([]Role, error) {
	switch r.Kind {
	case rulebook.Gather:
		does := "support"
		var out []Role
		if r.Gathers == "candidates" {
			does = "nominate"
			if r.Stand != nil {
				out = append(out, d.role(r.Name, "stand", *r.Stand, p))
			}
		}
		return append(out, d.gateRoles(r.Name, does, r.Needs, p)...), nil
	case rulebook.Decide:
		return []Role{d.role(r.Name, "decide", *r.By, p)}, nil
	}
	return d.rollRoles(r, p)
}

// rollRoles asks the electorate, section by section, as if the roll were taken
// now.
func (d *decider) rollRoles(r *rulebook.Stage, p register.PersonID) ([]Role, error) {
	does := "vote"
	if r.Kind == rulebook.Draw {
		does = "be drawn"
	}
	plan, _, err := d.plan(r)
	if err != nil {
		return nil, nil // its electorate is not decided before the time
	}
	var out []Role
	for i := range plan.Sections {
		sec := &plan.Sections[i]
		if sec.Listed {
			for _, who := range alternatives(&sec.Of) {
				out = append(out, d.role(r.Name, does, who, p))
			}
			continue
		}
		lines, err := sec.Check(d.book, d.view().Person(p), &scope{d: d})
		if err != nil {
			return nil, err
		}
		role := Role{Stage: r.Name, Does: does, Yes: true, Who: d.words(sec.Of), Clause: d.cite()}
		for _, l := range lines {
			if !l.Met {
				role.Yes, role.Because, role.Clause, role.Remedy = false, l.Says, l.Clause, l.Remedy
				break
			}
		}
		out = append(out, role)
	}
	return out, nil
}
