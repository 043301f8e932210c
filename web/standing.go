package web

import (
	"slices"
	"strings"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// StandingView is what an officer can decide outside any proceeding.
type StandingView struct {
	Events []EventView
	Slots  []StandingSlot
	Texts  []TextView // two of which may contradict each other
}

// EventView is an event of the rulebook.
type EventView struct {
	Name, Says, Clause, By string
	Mine                   bool // the visitor can declare it
	Next                   string
	Last                   string
}

// StandingSlot is a standing discretion, with what stands.
type StandingSlot struct {
	proceeding.SlotView
	Units []UnitChoice // for which the visitor can set it; nil: for the organisation
	Mine  bool
}

// TextView is a text that was adopted.
type TextView struct {
	Ref, Title, Kind, Text, At, Unit string
	InForce                          bool
	Why                              string // why not
}

// standing lists events, standing discretions and texts.
func (v *visit) standing(w *chamber.World) *StandingView {
	x := &StandingView{Texts: v.texts(w)}
	book := w.Book()
	none := &proceeding.State{Current: -1}
	at := w.At().UnixMilli()
	for i := range book.Events {
		e := &book.Events[i]
		y := EventView{Name: e.Name, Says: e.Says.Raw(), Clause: e.Cite, By: e.DeclaredBy.Name, Mine: proceeding.MayAct(book, none, w, at, v.Person, e.DeclaredBy)}
		for _, d := range w.Organisation().Events {
			if d.Event != e.Name {
				continue
			}
			if d.At > at {
				y.Next = moment(book, d.At)
			} else {
				y.Last = moment(book, d.At)
			}
		}
		x.Events = append(x.Events, y)
	}
	for _, s := range proceeding.StandingSlots(book, w, at) {
		y := StandingSlot{SlotView: s}
		if s.SetBy.Kind == rulebook.WhoUnit {
			y.Units = v.spokenFor(w, s.SetBy.Name)
			y.Mine = len(y.Units) > 0
		} else {
			y.Mine = proceeding.MayAct(book, none, w, at, v.Person, s.SetBy)
		}
		x.Slots = append(x.Slots, y)
	}
	return x
}

// spokenFor lists the units of a kind for which the visitor speaks.
func (v *visit) spokenFor(w *chamber.World, kind string) []UnitChoice {
	office := proceeding.SpeaksFor(w.Book(), w.Book().UnitKind(kind))
	var out []UnitChoice
	for _, t := range w.Roster().Of(v.Person, w.At().Unix(), w.Seq()) {
		if u := w.Tree().Unit(t.Unit); t.Office == office && u != nil && u.Kind == kind {
			out = append(out, UnitChoice{u.ID, u.Name})
		}
	}
	return out
}

// texts lists what was adopted, the latest first.
func (v *visit) texts(w *chamber.World) []TextView {
	o := w.Organisation()
	var out []TextView
	for i := range o.Adopted {
		a := &o.Adopted[i]
		t := TextView{Ref: a.Ref, Kind: spaced(a.Kind), Text: a.Text, At: moment(w.Book(), a.At), InForce: o.InForce(a)}
		if st, err := w.State(a.Ref); err == nil {
			if st.Private {
				continue
			}
			t.Title = contest.Title(w.Book(), st)
		}
		if u := w.Tree().Unit(register.UnitID(a.Unit)); u != nil {
			t.Unit = u.Name
		}
		switch {
		case a.Aside:
			t.Why = "set aside by an order"
		case a.Unfit:
			t.Why = "it does not fit the rulebook any more, and was not made"
		case a.Overridden != "":
			t.Why = "overridden by " + a.Overridden + ", which prevails"
		}
		out = append(out, t)
	}
	slices.Reverse(out)
	return out
}

// DecisionsView is the public page of what was adopted.
type DecisionsView struct {
	Texts  []TextView
	Events []EventView
	Order  string // kinds of decision, the stronger first
}

// decisions shows everybody the texts that were adopted and the events that
// were declared.
func (v *visit) decisions() error {
	x := &DecisionsView{}
	err := v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		s := v.standing(w)
		*x = DecisionsView{Texts: s.Texts, Events: s.Events, Order: strings.Join(spacedAll(w.Book().Precedence), ", ")}
		return nil
	})
	if err != nil {
		return err
	}
	return v.page("decisions.html", "Decisions", x)
}
