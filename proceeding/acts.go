package proceeding

import (
	"slices"
	"strconv"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/rulebook"
)

// Act is something decided within a run that a later order can set aside: a
// discretion that was used, or an order. Acts are numbered from 1 as they are
// entered.
type Act struct {
	N     int64  `json:"n"`
	Name  string `json:"name,omitempty"` // what people call it
	Order string `json:"order,omitempty"`
	Slot  string `json:"slot,omitempty"`
	Value Held   `json:"value,omitzero"`
	By    string `json:"by"`
	At    int64  `json:"at"`
	Aside int64  `json:"aside,omitempty"` // the act that this one sets aside

	Rolls []RollChange `json:"rolls,omitempty"`
}

// InForce tells whether an act (or Whole: what the run decided) stands: nothing in force sets it aside. Who
// sets aside an order that had set something aside restores that.
func (s *State) InForce(n int64) bool {
	for i := len(s.Acts) - 1; i >= 0; i-- {
		if a := &s.Acts[i]; a.Aside == n && a.N > n && s.InForce(a.N) {
			return false
		}
	}
	return true
}

// Act finds an act by its number or by what people call it, the latest of that
// name; nil where there is none.
func (s *State) Act(name string) *Act {
	n, err := strconv.ParseInt(name, 10, 64)
	for i := len(s.Acts) - 1; i >= 0; i-- {
		if a := &s.Acts[i]; err == nil && a.N == n || name != "" && a.Name == name {
			return a
		}
	}
	return nil
}

// act enters an act.
func (s *State) act(a Act) {
	if a.N == 0 {
		return
	}
	s.Acts = append(s.Acts, a)
	if a.Aside != 0 {
		s.settle()
	}
}

// After is the run as it was when an act had been entered and no later one.
func (s *State) After(n int64) *State {
	c := s.Clone()
	c.Acts = slices.DeleteFunc(c.Acts, func(a Act) bool { return a.N > n })
	for i := range s.Acts {
		if slot := s.Acts[i].Slot; slot != "" {
			delete(c.Slots, slot)
		}
	}
	c.settle()
	return c
}

// settle puts every slot to what stands.
func (s *State) settle() {
	touched := map[string]bool{}
	for i := range s.Acts {
		if x := &s.Acts[i]; x.Slot != "" {
			touched[x.Slot] = true
		}
	}
	for slot := range touched {
		delete(s.Slots, slot)
	}
	for i := range s.Acts {
		if x := &s.Acts[i]; x.Slot != "" && s.InForce(x.N) {
			s.Slots = mapWith(s.Slots, x.Slot, Slot{Value: x.Value, By: x.By, At: x.At})
		}
	}
}

// stayedAt is when the stay in force began, 0 where none is known.
func (s *State) stayedAt() int64 {
	for i := len(s.Acts) - 1; i >= 0; i-- {
		if s.Acts[i].Order == "stay" {
			return s.Acts[i].At
		}
	}
	return 0
}

// nextAct is the number of the next act.
func (s *State) nextAct() int64 { return int64(len(s.Acts)) + 1 }

// RollChange is what an act does to the roll of a ballot that is to come: how
// many could vote before and after it, and how many of them it concerns.
type RollChange struct {
	Stage  string `json:"stage"`
	Before int64  `json:"before"`
	After  int64  `json:"after"`
	Moved  int64  `json:"moved"` // people who gain or lose their vote by it
}

// SetSlot uses a discretion. A System actor acts as the body or office named
// in As. Name is what people call the decision, so that it can be spoken of.
type SetSlot struct {
	By   Actor
	As   string
	Slot string
	Text string
	Name string
}

func (c SetSlot) decide(d *decider) error {
	sl := d.book.Slot(c.Slot)
	if sl == nil {
		return fault.New(fault.NotFound, "the rulebook leaves no discretion called %s", c.Slot)
	}
	if !d.st.Live() {
		return fault.Under(fault.TooLate, sl.Cite, "%s has ended", d.st.Ref)
	}
	if err := d.actsAs(c.By, c.As, sl.SetBy, sl.Cite, "%s is set by %s", spaced(sl.Name)); err != nil {
		return err
	}
	if sl.By != nil {
		by, err := sl.By.Moment(&scope{d: d})
		if err == nil && !d.at.Before(by.End()) {
			return fault.Under(fault.TooLate, sl.Cite, "%s could be set until %s", spaced(sl.Name), by.String())
		}
	}
	v, err := d.allowed(sl, c.Text)
	if err != nil {
		return err
	}
	return d.set(&SlotBody{Slot: sl.Name, Value: Hold(v), By: sl.SetBy.Name, Name: c.Name})
}

// allowed reads a slot's value and holds it against what the rulebook allows.
func (d *decider) allowed(sl *rulebook.Slot, text string) (rulebook.Value, error) {
	v, ok := d.book.ReadSlot(sl, text)
	if !ok {
		return v, fault.Under(fault.Invalid, sl.Cite, "%q is not a %s", text, sl.Is)
	}
	if sl.Allow == nil {
		return v, nil
	}
	ok, err := sl.Allow.Flag(&scope{d: d, value: &v})
	if name := unknown(err); name != "" {
		return v, fault.Under(fault.TooEarly, sl.Cite, "%s cannot be set yet: it depends on %s", spaced(sl.Name), spaced(name))
	}
	if err != nil {
		return v, damaged(err, "what "+sl.Name+" may be")
	}
	if !ok {
		return v, fault.Under(fault.NotEntitled, sl.Cite, "%s is outside what clause %s allows for %s", v.Text(), sl.Cite, spaced(sl.Name))
	}
	return v, nil
}

// set enters a discretion that was used, with what it moves and whose vote it
// gives or takes.
func (d *decider) set(b *SlotBody) error {
	b.At, b.N = d.now(), d.st.nextAct()
	after := d.st.Clone()
	after.Slots = mapWith(after.Slots, b.Slot, Slot{Value: b.Value})
	b.Moves = d.movesIn(after)
	var err error
	if b.Rolls, err = d.rollChanges(after); err != nil {
		return err
	}
	if err := d.emit(KindSlot, minutes.Public, b); err != nil {
		return err
	}
	return Tick{}.decide(d)
}

func mapWith(m map[string]Slot, k string, v Slot) map[string]Slot {
	if m == nil {
		m = map[string]Slot{}
	}
	m[k] = v
	return m
}

// in looks at the run as another state has it.
func (d *decider) in(st *State) *decider {
	c := *d
	c.st, c.out = st, nil
	return &c
}

// movesIn works out which times of the current stage become others in a state
// in which a discretion is used otherwise.
func (d *decider) movesIn(after *State) []Move {
	st, r := d.st.Now(), d.stageRule()
	if st == nil || d.st.Phase != Running {
		return nil
	}
	a := d.in(after)
	opens, closes, err := a.times(r, d.endedBefore())
	if err != nil {
		return nil
	}
	if st.Status == Open {
		opens = st.Opens
	}
	if opens == st.Opens && closes == st.Closes {
		return nil
	}
	return []Move{{Stage: r.Name, Opens: opens, Closes: closes}}
}

// rollChanges compares the rolls of the ballots to come as they would be now
// and in another state, where what changed is something conditions look at.
func (d *decider) rollChanges(after *State) ([]RollChange, error) {
	if d.proc.Freeze == nil {
		return nil, nil
	}
	a := d.in(after)
	before, err := d.freeze()
	if err != nil {
		return nil, nil // not known yet: nobody has a place on a roll
	}
	then, err := a.freeze()
	if err != nil || before == nil || then == nil || before.T.Equal(then.T) && before.IsDay == then.IsDay {
		return nil, nil
	}
	var out []RollChange
	for i := range d.proc.Stages {
		r := &d.proc.Stages[i]
		if r.Kind != rulebook.Ballot || i < d.st.Current || i == d.st.Current && d.st.Stages[i].Status != Coming || r.Voters.Kind == rulebook.WhoBody {
			continue
		}
		voters, err := d.chosen(*r.Voters)
		if err != nil {
			continue
		}
		b, n, m, err := d.world.Shift(voters, d.st.Unit, [2]rulebook.Scope{&scope{d: d}, &scope{d: a}}, [2]*rulebook.Moment{before, then})
		if err != nil {
			return nil, err
		}
		out = append(out, RollChange{Stage: r.Name, Before: b, After: n, Moved: m})
	}
	return out, nil
}

// Overtaken does what a run's procedure lists for an event that has been
// declared, and ends the run.
type Overtaken struct{ Event string }

func (c Overtaken) decide(d *decider) error {
	if !d.st.Live() {
		return nil
	}
	i := slices.IndexFunc(d.proc.StopsOn, func(s rulebook.StopOn) bool { return s.Event == c.Event })
	if i < 0 {
		return nil
	}
	if d.st.Phase == Collecting {
		return d.emit(KindLapsed, minutes.Public, &EndBody{Outcome: OrderOvertaken, At: d.now()})
	}
	if err := d.emit(KindOrdered, minutes.Public, &OrderBody{Order: OrderOvertaken, At: d.now(), Why: c.Event}); err != nil {
		return err
	}
	return d.effects(d.proc.StopsOn[i].Effects, "stopped")
}

// OrderOvertaken is the order that an event gives.
const OrderOvertaken = "overtaken"
