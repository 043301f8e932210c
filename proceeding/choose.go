package proceeding

import (
	"slices"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// endedBefore is when the stage before the current one ended: the call, for
// the first.
func (d *decider) endedBefore() time.Time {
	ended := d.st.Called
	for i := range d.st.Stages {
		if s := &d.st.Stages[i]; i != d.st.Current && s.Closed > ended {
			ended = s.Closed
		}
	}
	return time.UnixMilli(ended)
}

// slotValue gives a slot's value in this run: what was set here, what stands,
// else what the rulebook says where nobody decides. False while it has none.
func (d *decider) slotValue(sl *rulebook.Slot, unit register.UnitID) (rulebook.Value, bool) {
	if s, ok := d.st.Slots[sl.Name]; ok {
		return s.Value.Value(d.cal, d.view())
	}
	if sl.Standing {
		for _, u := range []register.UnitID{unit, d.st.Unit, 0} {
			if s, ok := d.world.Slot(sl.Name, u); ok {
				return s.Value.Value(d.cal, d.view())
			}
		}
	}
	if sl.Otherwise == nil {
		return rulebook.Value{}, false
	}
	v, err := sl.Otherwise.Eval(&scope{d: d})
	return v, err == nil
}

// actsAs checks that an actor may act as who: a holder of the office; for a
// body that decides together, an officer who records what it decided, or,
// where it is outside, the office that records its acts.
func (d *decider) actsAs(a Actor, as string, who rulebook.Who, cite, refusal, what string) error {
	no := func() error { return fault.Under(fault.NotEntitled, cite, refusal, what, who.Name) }
	if a.System {
		if as != "" && as != who.Name {
			return no()
		}
		d.office = who.Name
		return nil
	}
	switch who.Kind {
	case rulebook.WhoBody:
		b := d.book.Body(who.Name)
		if b != nil && b.Outside != "" {
			if d.holds(a.Person, b.Outside, 0) {
				d.office = b.Outside
				return nil
			}
			return no()
		}
		if d.officer(a) == nil {
			return nil
		}
		return no()
	case rulebook.WhoOffice, rulebook.WhoPerson:
		ok, err := d.isWho(voter{person: a.Person}, who)
		if err != nil {
			return err
		}
		if !ok {
			return no()
		}
		d.office = who.Name
		return nil
	case rulebook.WhoUnit:
		kind := d.book.UnitKind(who.Name)
		for _, id := range d.view().Tree.Kind(who.Name, d.st.Unit) {
			if d.holdsIn(a.Person, SpeaksFor(d.book, kind), id) {
				return nil
			}
		}
	}
	return no()
}

// Choose decides a stage of kind decide. Votes are the figures of the body's
// vote where one was taken: for, against, present, by option.
type Choose struct {
	By     Actor
	As     string
	Option string
	Picked []register.PersonID
	Votes  map[string]int64
}

func (c Choose) decide(d *decider) error {
	r, _, err := d.openStage(rulebook.Decide)
	if err != nil {
		return err
	}
	if r.By == nil {
		return fault.New(fault.Damaged, "stage %s does not say who decides", r.Name)
	}
	if err := d.actsAs(c.By, c.As, *r.By, d.cite(), "%s: %s decides here", spaced(r.Name)); err != nil {
		return err
	}
	if len(r.Pick) > 0 {
		return d.pick(r, c)
	}
	options := r.Options
	if len(options) == 0 {
		options = []string{"for", "against"}
	}
	if !slices.Contains(options, c.Option) {
		return fault.Under(fault.Invalid, d.cite(), "%q is not one of the options: %s", c.Option, orList(options))
	}
	outcome := c.Option
	if len(r.Options) == 0 {
		outcome = map[string]string{"for": "carried", "against": "lost"}[c.Option]
	}
	if err := d.bodyVote(r, c); err != nil {
		return err
	}
	b := &StageBody{Outcome: outcome, By: r.By.Name, Votes: c.Votes}
	return d.closeStage(r, b)
}

// bodyVote checks the figures of a body's vote against how it decides.
func (d *decider) bodyVote(r *rulebook.Stage, c Choose) error {
	body := d.book.Body(r.By.Name)
	if r.By.Kind != rulebook.WhoBody || body == nil || body.Decides == nil || len(c.Votes) == 0 {
		return nil
	}
	f := figures{}
	for k, n := range c.Votes {
		if n < 0 {
			return fault.New(fault.Invalid, "votes are counted from nought")
		}
		f[k] = n
		if k != "present" {
			f["cast"] += n
		}
	}
	f["for"] = f[c.Option]
	if f["present"] == 0 {
		f["present"] = f["cast"]
	}
	f["papers"] = f["cast"]
	people, err := d.members(*r.By)
	if err != nil {
		return err
	}
	f["entitled"] = int64(len(people))
	for what, t := range map[string]*rulebook.Threshold{"a quorum": body.Decides.Quorum, "a majority": body.Decides.Passes} {
		ok, reached, err := d.test(t, f)
		if err != nil {
			return err
		}
		if !ok {
			return fault.Under(fault.NotEntitled, body.Cite, "there was not %s for that: %s", what, reachedList(reached))
		}
	}
	return nil
}

// pick takes candidates to the next stage.
func (d *decider) pick(r *rulebook.Stage, c Choose) error {
	var through []register.PersonID
	gate := []Standing{}
	for _, cand := range d.st.Standing() {
		in := slices.Contains(c.Picked, cand.ID) || cand.Automatic
		if in {
			through = append(through, cand.ID)
		}
		gate = append(gate, Standing{For: cand.ID, Name: cand.Name, Met: in, Auto: cand.Automatic})
	}
	for _, p := range c.Picked {
		if !slices.Contains(through, p) {
			return fault.Under(fault.NotEntitled, d.cite(), "%s is not among the candidates", d.personName(p))
		}
	}
	for _, t := range r.Pick {
		ok, reached, err := d.picked(t, through)
		if err != nil {
			return err
		}
		if !ok {
			return fault.Under(fault.NotEntitled, d.cite(), "this list does not keep the rule: %s", reached.String())
		}
	}
	out := "enough"
	if len(through) == 0 {
		out = "short"
	}
	return d.closeStage(r, &StageBody{Outcome: out, By: r.By.Name, Gate: gate, Through: through, Votes: c.Votes})
}

// picked counts a chosen list against one quota.
func (d *decider) picked(t *rulebook.Threshold, list []register.PersonID) (bool, Reached, error) {
	if t.When != nil {
		on, err := t.When.Flag(&scope{d: d})
		if err != nil || !on {
			return true, Reached{}, err
		}
	}
	n := int64(0)
	for _, p := range list {
		if t.Where != nil {
			ok, err := t.Where.Flag(&scope{d: d, candidate: d.view().Person(p)})
			if err != nil && unknown(err) == "" {
				return false, Reached{}, err
			}
			if err != nil || !ok {
				continue
			}
		}
		n++
	}
	ok, r, err := d.test(&rulebook.Threshold{Count: "picked", Cmp: t.Cmp, Amount: t.Amount, Share: t.Share, Of: t.Of, Round: t.Round},
		figures{"picked": n, "seats": int64(len(list))})
	if t.Share {
		ok, r, err = d.test(&rulebook.Threshold{Count: "for", Cmp: t.Cmp, Amount: t.Amount, Share: true, Of: t.Of, Round: t.Round},
			figures{"for": n, "picked": int64(len(list))})
	}
	if err != nil || len(r) == 0 {
		return ok, Reached{}, err
	}
	return ok, r[0], nil
}

// Order is given from outside the procedure by whom the rulebook gives the
// power: stay, resume, stop, extend (to Until, Unix milliseconds).
type Order struct {
	By    Actor
	As    string
	Order string
	Until int64
	Why   string
}

func (c Order) decide(d *decider) error {
	p, err := d.power(c)
	if err != nil {
		return err
	}
	b := &OrderBody{Order: c.Order, By: d.office, At: d.now(), Why: c.Why}
	st := d.st.Now()
	switch c.Order {
	case "extend":
		if st == nil || st.Closes == 0 || st.Status == Closed || d.now() >= st.Closes {
			return fault.Under(fault.TooLate, p.Cite, "a window is extended before it has passed; afterwards it can only be opened again")
		}
		if c.Until <= st.Closes {
			return fault.Under(fault.Invalid, p.Cite, "an extension ends later than %s", d.show(st.Closes))
		}
		if p.Limit != nil {
			span, err := p.Limit.Span(&scope{d: d})
			if err != nil {
				return damaged(err, "the limit of the power to extend")
			}
			if most := d.cal.Closes(time.UnixMilli(st.Closes), span); c.Until > most.UnixMilli() {
				return fault.Under(fault.NotEntitled, p.Cite, "it can be extended until %s at the most", d.show(most.UnixMilli()))
			}
		}
		b.Moves = []Move{{Stage: st.Name, Opens: st.Opens, Closes: c.Until}}
	case "stay":
		if d.st.Phase != Running && d.st.Phase != Halted {
			return fault.Under(fault.Already, p.Cite, "%s is not running", d.st.Ref)
		}
	case "resume":
		if d.st.Phase != Stayed {
			return fault.Under(fault.Already, p.Cite, "%s is not stayed", d.st.Ref)
		}
	case "stop":
		if !d.st.Live() {
			return fault.Under(fault.Already, p.Cite, "%s has ended", d.st.Ref)
		}
	default:
		return fault.New(fault.Invalid, "%s is not an order", c.Order)
	}
	if p.Together && !c.By.System {
		if waits, err := d.together(p, b, c.Until); err != nil || waits {
			return err
		}
	}
	if err := d.emit(KindOrdered, minutes.Public, b); err != nil {
		return err
	}
	if c.Order == "stop" {
		return d.end("stopped")
	}
	if waits := d.st.Waits; c.Order == "resume" && waits != "" {
		// What it waited for before the stay, it waits for still.
		return d.emit(KindHalted, minutes.Public, &HaltBody{Waits: waits, At: d.now()})
	}
	return nil
}

// together records that one office asks for an order that several have to
// give. waits is false where all the others have asked for the same.
func (d *decider) together(p *rulebook.Power, b *OrderBody, until int64) (waits bool, err error) {
	ask := *b
	ask.Asked, ask.Until, ask.Moves = true, until, nil
	if st := d.st.Now(); st != nil {
		ask.Stage = st.Name
	}
	offices := map[string]bool{b.By: true}
	for _, x := range d.st.Asked {
		if x.Order != ask.Order || x.Stage != ask.Stage || x.Until != ask.Until {
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

// Stop ends a run because another one's effect says so.
type Stop struct{ Why string }

func (c Stop) decide(d *decider) error {
	if !d.st.Live() {
		return nil
	}
	if err := d.emit(KindOrdered, minutes.Public, &OrderBody{Order: "stop", At: d.now(), Why: c.Why}); err != nil {
		return err
	}
	return d.end("stopped")
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
	return nil, fault.Under(fault.NotEntitled, d.cite(), "nobody here has the power to %s %s that you act for", c.Order, d.st.Ref)
}
