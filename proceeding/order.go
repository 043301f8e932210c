package proceeding

import (
	"slices"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/rulebook"
)

// Order is given from outside the procedure by whom the rulebook gives the
// power: stay, resume, stop, extend (to Until, Unix milliseconds), set (Slot
// to Text, whatever its own rule says), set_aside (Target: an act of the run
// by its number or name; empty: what the run as a whole decided).
type Order struct {
	By     Actor
	As     string
	Order  string
	Until  int64
	Why    string
	Slot   string
	Text   string
	Target string
	Name   string // what people call the order
}

func (c Order) decide(d *decider) error {
	p, err := d.power(c)
	if err != nil {
		return err
	}
	b := &OrderBody{Order: c.Order, By: d.office, At: d.now(), Why: c.Why, Name: c.Name, N: d.st.nextAct()}
	switch c.Order {
	case "extend":
		err = d.extend(p, b, c.Until)
	case "stay":
		if d.st.Phase != Running && d.st.Phase != Halted {
			err = fault.Under(fault.Already, p.Cite, "%s is not running", d.st.Ref)
		}
	case "resume":
		if d.st.Phase != Stayed {
			err = fault.Under(fault.Already, p.Cite, "%s is not stayed", d.st.Ref)
		}
		b.Moves = d.afterStay()
	case "stop":
		if !d.st.Live() {
			err = fault.Under(fault.Already, p.Cite, "%s has ended", d.st.Ref)
		}
	case "set":
		return d.setByOrder(p, c)
	case "set_aside":
		err = d.aside(p, b, c.Target)
	default:
		err = fault.New(fault.Invalid, "%s is not an order", c.Order)
	}
	if err != nil {
		return err
	}
	if p.Together && !c.By.System {
		if waits, err := d.together(p, b, c.Until); err != nil || waits {
			return err
		}
	}
	return d.order(b)
}

// order enters an order and what follows from it at once.
func (d *decider) order(b *OrderBody) error {
	stood := d.st.InForce(Whole)
	if err := d.emit(KindOrdered, minutes.Public, b); err != nil {
		return err
	}
	switch b.Order {
	case "stop":
		return d.end("stopped")
	case "resume":
		if waits := d.st.Waits; waits != "" {
			// What it waited for before the stay, it waits for still.
			return d.emit(KindHalted, minutes.Public, &HaltBody{Waits: waits, At: d.now()})
		}
	case "set_aside":
		// However many orders lie between, what the run decided stands or not.
		switch stands := d.st.InForce(Whole); {
		case stood && !stands:
			return d.undo()
		case !stood && stands:
			return d.redo()
		}
		return Tick{}.decide(d)
	}
	return nil
}

func (d *decider) extend(p *rulebook.Power, b *OrderBody, until int64) error {
	st := d.st.Now()
	if st == nil || st.Closes == 0 || st.Status == Closed || d.now() >= st.Closes {
		return fault.Under(fault.TooLate, p.Cite, "a window is extended before it has passed; afterwards it can only be opened again")
	}
	if until <= st.Closes {
		return fault.Under(fault.Invalid, p.Cite, "an extension ends later than %s", d.show(st.Closes))
	}
	if p.Limit != nil {
		span, err := p.Limit.Span(&scope{d: d})
		if err != nil {
			return damaged(err, "the limit of the power to extend")
		}
		if most := d.cal.Closes(time.UnixMilli(st.Closes), span); until > most.UnixMilli() {
			return fault.Under(fault.NotEntitled, p.Cite, "it can be extended until %s at the most", d.show(most.UnixMilli()))
		}
	}
	b.Moves = []Move{{Stage: st.Name, Opens: st.Opens, Closes: until}}
	return nil
}

// afterStay gives the time of a stay back: what was open when it began stays
// open as long as it would have been.
func (d *decider) afterStay() []Move {
	st, since := d.st.Now(), d.st.stayedAt()
	if st == nil || since == 0 {
		return nil
	}
	by := d.now() - since
	m := Move{Stage: st.Name, Opens: st.Opens, Closes: st.Closes}
	if st.Status == Coming && st.Opens > since {
		m.Opens += by
	}
	if st.Closes > since {
		m.Closes += by
	}
	if m.Opens == st.Opens && m.Closes == st.Closes {
		return nil
	}
	return []Move{m}
}

// setByOrder puts a discretion to a value from outside: by whom it is set, by
// when and within what bounds is what the order overrides.
func (d *decider) setByOrder(p *rulebook.Power, c Order) error {
	sl := d.book.Slot(c.Slot)
	if sl == nil {
		return fault.New(fault.NotFound, "the rulebook leaves no discretion called %s", c.Slot)
	}
	if !d.st.Live() {
		return fault.Under(fault.TooLate, p.Cite, "%s has ended", d.st.Ref)
	}
	v, ok := d.book.ReadSlot(sl, c.Text)
	if !ok {
		return fault.Under(fault.Invalid, sl.Cite, "%q is not a %s", c.Text, sl.Is)
	}
	return d.set(&SlotBody{Slot: sl.Name, Value: Hold(v), By: d.office, Name: c.Name})
}

// aside fills in what an order sets aside, and what moves by it.
func (d *decider) aside(p *rulebook.Power, b *OrderBody, target string) error {
	if target == "" {
		if d.st.Phase != Ended {
			return fault.Under(fault.TooEarly, p.Cite, "%s has not decided anything yet that could be set aside", d.st.Ref)
		}
		if !d.st.InForce(Whole) {
			return fault.Under(fault.Already, p.Cite, "what %s decided has been set aside already", d.st.Ref)
		}
		b.Target = Whole
		return nil
	}
	a := d.st.Act(target)
	switch {
	case a == nil:
		return fault.Under(fault.NotFound, p.Cite, "nothing in %s is called %q", d.st.Ref, target)
	case !d.st.InForce(a.N):
		return fault.Under(fault.Already, p.Cite, "it has been set aside already")
	case a.Slot == "" && a.Aside == 0:
		return fault.Under(fault.Invalid, p.Cite, "an order to %s is ended by another order, not set aside", a.Order)
	}
	b.Target = a.N
	after := d.st.Clone()
	after.act(Act{N: b.N, Order: b.Order, Aside: a.N})
	b.Moves = d.movesIn(after)
	var err error
	b.Rolls, err = d.rollChanges(after)
	return err
}

// together records that one office asks for an order that several have to
// give. waits is false where all the others have asked for the same.
func (d *decider) together(p *rulebook.Power, b *OrderBody, until int64) (waits bool, err error) {
	ask := *b
	ask.Asked, ask.Until, ask.Moves, ask.Rolls, ask.N = true, until, nil, nil, 0
	if st := d.st.Now(); st != nil {
		ask.Stage = st.Name
	}
	offices := map[string]bool{b.By: true}
	for _, x := range d.st.Asked {
		if x.Order != ask.Order || x.Stage != ask.Stage || x.Until != ask.Until || x.Target != ask.Target {
			continue
		}
		if x.By == b.By {
			return true, fault.Under(fault.Already, p.Cite, "the %s has already asked for this; another officer has to", spaced(b.By))
		}
		offices[x.By] = true
	}
	if len(offices) >= len(p.Who) {
		return false, nil
	}
	return true, d.emit(KindOrdered, minutes.Public, &ask)
}

// Stop ends a run because another one's effect says so; Stay and Resume hold
// it up and let it go on.
type Stop struct{ Why string }

func (c Stop) decide(d *decider) error {
	if !d.st.Live() {
		return nil
	}
	return d.order(&OrderBody{Order: "stop", At: d.now(), Why: c.Why})
}

// Stay holds a run up because another one's effect says so.
type Stay struct{ Why string }

func (c Stay) decide(d *decider) error {
	if d.st.Phase != Running && d.st.Phase != Halted {
		return nil
	}
	return d.order(&OrderBody{Order: "stay", At: d.now(), Why: c.Why, N: d.st.nextAct()})
}

// Resume lets a run go on because another one's effect says so.
type Resume struct{ Why string }

func (c Resume) decide(d *decider) error {
	if d.st.Phase != Stayed {
		return nil
	}
	return d.order(&OrderBody{Order: "resume", At: d.now(), Why: c.Why, N: d.st.nextAct(), Moves: d.afterStay()})
}

// SetAside undoes what a run decided because another one's effect says so.
type SetAside struct{ Why string }

func (c SetAside) decide(d *decider) error {
	if d.st.Phase != Ended || !d.st.InForce(Whole) {
		return nil
	}
	return d.order(&OrderBody{Order: "set_aside", At: d.now(), Why: c.Why, N: d.st.nextAct(), Target: Whole})
}

// power finds the power under which an order can be given.
func (d *decider) power(c Order) (*rulebook.Power, error) {
	for i := range d.book.Powers {
		p := &d.book.Powers[i]
		if !slices.Contains(p.May, c.Order) {
			continue
		}
		for _, w := range p.Who {
			if d.actsAs(c.By, c.As, w, p.Cite, "%s: only %s", c.Order) == nil {
				return p, nil
			}
		}
	}
	return nil, fault.Under(fault.NotEntitled, d.cite(), "whoever asks for this has no power to %s %s", spaced(c.Order), d.st.Ref)
}
