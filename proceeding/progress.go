package proceeding

import (
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// Progress counts the gate of the stage that is gathering, candidate by
// candidate, or for the question (For is 0); nil where none is.
func Progress(book *rulebook.Book, st *State, w World, at int64) ([]Standing, error) {
	d := newDecider(book, st, w, at)
	if st.Phase == Collecting {
		way := d.wayOf()
		if way == nil {
			return nil, nil
		}
		met, gates, err := d.tally(way.Backed, "", st.Backing, 0)
		return []Standing{{Met: met, Gates: gates}}, err
	}
	r, now := d.stageRule(), st.Now()
	if r == nil || r.Kind != rulebook.Gather || now.Status != Open || r.Needs == nil {
		return nil, nil
	}
	if r.Gathers != "candidates" {
		met, gates, err := d.tally(r.Needs, "", now.Gather, 0)
		return []Standing{{Met: met, Gates: gates}}, err
	}
	var out []Standing
	for _, c := range st.Standing() {
		met, gates, err := d.tally(r.Needs, "", now.Gather, c.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, Standing{For: c.ID, Name: c.Name, Met: met || c.Automatic, Auto: c.Automatic, Gates: gates})
	}
	return out, nil
}

// Quiet tells whether how much support there is stays with the officers: it is
// still too little, and the rulebook wants it so.
func Quiet(book *rulebook.Book, st *State) bool {
	d := &decider{book: book, st: st, proc: ProcedureOf(book, st)}
	if st.Phase != Collecting && st.Phase != Lapsed {
		return false
	}
	way := d.wayOf()
	return way != nil && way.Quiet
}

// Needed is what has to be reached by what the run is gathering now; nil where
// it gathers nothing, or needs nothing.
func Needed(book *rulebook.Book, st *State) *rulebook.Threshold {
	d := &decider{book: book, st: st, proc: ProcedureOf(book, st)}
	if st.Phase == Collecting {
		if way := d.wayOf(); way != nil {
			return way.Backed
		}
		return nil
	}
	if r, now := d.stageRule(), st.Now(); r != nil && r.Kind == rulebook.Gather && now.Status == Open {
		return r.Needs
	}
	return nil
}

// Capacity is one way in which somebody can support what is being gathered:
// for themself (Unit 0), or for a unit whose decisions they enter.
type Capacity struct {
	Unit    register.UnitID
	Name    string
	Figures bool // the unit decides by a vote, whose figures are entered
	Gave    *Support
}

// Capacities gives the ways in which a person can support what the run is
// gathering now, and what they have given already.
func Capacities(book *rulebook.Book, st *State, w World, at int64, p register.PersonID) ([]Capacity, error) {
	d := newDecider(book, st, w, at)
	var need *rulebook.Threshold
	var g *Gather
	if st.Phase == Collecting {
		if way := d.wayOf(); way != nil {
			need, g = way.Backed, st.Backing
		}
	} else if r, now := d.stageRule(), st.Now(); r != nil && r.Kind == rulebook.Gather && now.Status == Open {
		need, g = r.Needs, now.Gather
	}
	if need == nil || g == nil {
		return nil, nil
	}
	var out []Capacity
	seen := map[string]bool{}
	var failed error
	add := func(v voter, name string, figures bool) {
		if !seen[v.key()] {
			seen[v.key()] = true
			out = append(out, Capacity{Unit: v.unit, Name: name, Figures: figures, Gave: g.given(v.key())})
		}
	}
	leaves(need, "", func(_ string, t *rulebook.Threshold) {
		for _, who := range alternatives(t.From) {
			if who.Kind == rulebook.WhoUnit {
				d.unitCapacities(who, p, add)
				continue
			}
			ok, err := d.isWho(voter{person: p}, who)
			if err != nil {
				failed = err
			}
			if ok {
				add(voter{person: p}, d.words(who), false)
			}
		}
	})
	return out, failed
}

func (d *decider) unitCapacities(who rulebook.Who, p register.PersonID, add func(voter, string, bool)) {
	kind := d.book.UnitKind(who.Name)
	if kind == nil || kind.Decides == nil {
		return
	}
	office, r := SpeaksFor(d.book, kind), d.stageRule()
	v := d.view()
	for _, t := range v.Roster.Of(p, v.At, v.Known) {
		u := v.Tree.Unit(t.Unit)
		if t.Office == office && u != nil && u.Kind == who.Name && v.Tree.Within(u.ID, d.st.Unit) {
			if r != nil && r.Votes != "" {
				if _, votes := d.ownBallot(r, u.ID); votes {
					continue
				}
			}
			add(voter{unit: u.ID}, u.Name, kind.Decides.Ballot != nil)
		}
	}
}

func (g *Gather) given(by string) *Support {
	for i := range g.Supports {
		if s := &g.Supports[i]; s.By == by && s.Gone == "" {
			return s
		}
	}
	return nil
}

// CanStand gives the people who could be proposed as candidates now, where
// they can be listed: the members of a body, the holders of an office, or the
// candidates who came through an earlier gate.
func CanStand(book *rulebook.Book, st *State, w World, at int64) ([]Person, error) {
	d := newDecider(book, st, w, at)
	r := d.stageRule()
	if r == nil || r.Gathers != "candidates" {
		return nil, nil
	}
	var out []Person
	if r.Stand == nil {
		for _, c := range st.Standing() {
			if !c.Automatic {
				out = append(out, c.Person)
			}
		}
		return out, nil
	}
	if r.Stand.Kind != rulebook.WhoBody && r.Stand.Kind != rulebook.WhoOffice {
		return nil, nil
	}
	people, err := d.members(*r.Stand)
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		if d.canStand(r, p, false) == nil {
			out = append(out, d.public(p))
		}
	}
	return out, nil
}

// SlotView is a discretion that can be used in a run now.
type SlotView struct {
	Name, Says, Clause string
	SetBy              rulebook.Who
	Is                 rulebook.SlotType
	Choices            []string
	Value              string // as it stands
	Set                bool   // by a decision; else it is what holds if nobody decides
	Until              string // by when it can be set
	Open               bool
}

// Discretions gives the discretions of a run's procedure, as they stand.
func Discretions(book *rulebook.Book, st *State, w World, at int64) []SlotView {
	d := newDecider(book, st, w, at)
	var out []SlotView
	for i := range book.Slots {
		sl := &book.Slots[i]
		if !slotUsed(d.proc, sl.Name) {
			continue
		}
		x := SlotView{Name: sl.Name, Says: sl.Says.Text(&scope{d: d}), Clause: sl.Cite, SetBy: sl.SetBy, Is: sl.Is, Choices: sl.Choices, Open: st.Live()}
		if v, ok := d.slotValue(sl, st.Unit); ok {
			x.Value = v.Text()
		}
		_, x.Set = st.Slots[sl.Name]
		if sl.By != nil {
			if by, err := sl.By.Moment(&scope{d: d}); err == nil {
				x.Until, x.Open = by.String(), x.Open && d.at.Before(by.End())
			}
		}
		out = append(out, x)
	}
	return out
}

// slotUsed tells whether a procedure's times, fees or ways look at a slot.
func slotUsed(p *rulebook.Procedure, name string) bool {
	uses := func(list ...*rulebook.Expr) bool {
		for _, e := range list {
			if e == nil {
				continue
			}
			for _, n := range e.Names() {
				if n == name {
					return true
				}
			}
		}
		return false
	}
	if p == nil {
		return false
	}
	if uses(p.Freeze) {
		return true
	}
	for i := range p.Stages {
		s := &p.Stages[i]
		if uses(s.Opens, s.Notice, s.Window, s.Closes, s.Fee, s.How, s.Method, s.Seats, s.Interval, s.Minimum) {
			return true
		}
	}
	return false
}

// heldOrNone: an office that is vacant is not challenged, it is filled.
func (d *decider) heldOrNone(office string) bool {
	return office == "" || len(d.holders(office, 0)) > 0
}

func (d *decider) leafNames(t *rulebook.Threshold) string {
	var names []string
	leaves(t, "", func(_ string, t *rulebook.Threshold) {
		for _, who := range alternatives(t.From) {
			names = append(names, d.words(who))
		}
	})
	return orList(names)
}
