package proceeding

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/omov/omov/fault"
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
		if b != nil && b.Drawn && slices.Contains(d.st.Drawn[b.Name], a.Person) {
			d.office = b.Name // one of those who were drawn records what they decided
			return nil
		}
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
		speaks := SpeaksFor(d.book, d.book.UnitKind(who.Name))
		for _, id := range d.view().Tree.Kind(who.Name, d.st.Unit) {
			if d.holdsIn(a.Person, speaks, id) {
				d.office = speaks
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
	Named  []RecordedPaper // votes by name; then Votes are counted from them
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
	if err := d.byName(r, &c); err != nil {
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
	b := &StageBody{Outcome: outcome, By: r.By.Name, Votes: c.Votes, Named: c.Named}
	return d.closeStage(r, b)
}

// byName checks votes by name: each is a member's, and each has one. The
// figures are counted from them.
func (d *decider) byName(r *rulebook.Stage, c *Choose) error {
	if len(c.Named) == 0 {
		return nil
	}
	if r.By.Kind != rulebook.WhoBody {
		return fault.Under(fault.Invalid, d.cite(), "only a body votes by name")
	}
	people, err := d.members(*r.By)
	if err != nil {
		return err
	}
	votes := map[string]int64{}
	seen := map[string]bool{}
	for i := range c.Named {
		x := &c.Named[i]
		v := readVoter(x.Voter)
		if !slices.Contains(people, v.person) {
			return fault.Under(fault.NotEntitled, d.cite(), "%s does not sit in the %s", x.Voter, spaced(r.By.Name))
		}
		if seen[x.Voter] {
			return fault.Under(fault.Already, d.cite(), "%s has voted twice", d.personName(v.person))
		}
		seen[x.Voter], x.Name, x.Value, x.Section = true, d.personName(v.person), "1", ""
		votes[x.Choice]++
	}
	votes["present"] = max(c.Votes["present"], int64(len(c.Named)))
	c.Votes = votes
	return nil
}

// bodyVote checks the figures of a body's or a unit's vote against how it
// decides.
func (d *decider) bodyVote(r *rulebook.Stage, c Choose) error {
	dec := DecidesBy(d.book, r.By)
	if dec == nil || len(c.Votes) == 0 {
		return nil
	}
	f := figures{}
	for k, n := range c.Votes {
		if n < 0 {
			return fault.New(fault.Invalid, "votes are counted from nought")
		}
		f[k] = n
		if k != "present" && k != "papers" && k != Abstain && k != "spoilt" {
			f["cast"] += n
		}
	}
	f["for"] = f[c.Option]
	if _, given := c.Votes["papers"]; !given {
		f["papers"] = f["cast"] + f[Abstain] + f["spoilt"]
	}
	if f["present"] == 0 {
		f["present"] = f["papers"]
	}
	var err error
	if f["entitled"], err = d.sitting(r.By, dec); err != nil {
		return err
	}
	if err := d.plausibleVote(r, c.Votes, f); err != nil {
		return err
	}
	quorum, passes := dec.Quorum, dec.Passes
	if r.Quorum != nil {
		quorum = r.Quorum
	}
	if r.Passes != nil {
		passes = r.Passes
	}
	cite := d.cite()
	if b := d.book.Body(r.By.Name); b != nil && b.Cite != "" {
		cite = b.Cite
	}
	ok, reached, err := d.test(quorum, f)
	if err != nil {
		return err
	}
	if !ok {
		return fault.Under(fault.NotEntitled, cite, "there was not a quorum for that: %s", reachedList(reached))
	}
	if r.By.Kind == rulebook.WhoUnit && c.Option == "against" {
		return nil // what is not carried is lost
	}
	if ok, reached, err = d.test(passes, f); err != nil {
		return err
	}
	if !ok {
		return fault.Under(fault.NotEntitled, cite, "there was not a majority for that: %s", reachedList(reached))
	}
	return nil
}

// plausibleVote refuses figures of a body's vote that no count can have given.
func (d *decider) plausibleVote(r *rulebook.Stage, given map[string]int64, f figures) error {
	known := []string{"for", "against"}
	if len(r.Options) > 0 {
		known = slices.Clone(r.Options)
	}
	known = append(known, Abstain, "spoilt", "papers", "present")
	for _, k := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(known, k) {
			return fault.Under(fault.Invalid, d.cite(), "%q is not counted here; it is %s", k, strings.Join(known, ", "))
		}
	}
	return d.addsUp(f["cast"]+given["spoilt"]+given[Abstain], f, f["entitled"])
}

// sitting is how many could vote where a body or a unit decides.
func (d *decider) sitting(by *rulebook.Who, dec *rulebook.Decides) (int64, error) {
	if by.Kind == rulebook.WhoUnit {
		if dec.Ballot == nil {
			return 0, nil
		}
		who, err := d.chosen(*dec.Ballot)
		if err != nil {
			return 0, err
		}
		if who.Kind != rulebook.WhoBody && who.Kind != rulebook.WhoOffice {
			return d.world.Count(who, d.st.Unit, &scope{d: d}, d.freezeOrNil())
		}
		by = &who
	}
	people, err := d.members(*by)
	return int64(len(people)), err
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
	c.Option = "for" // the list is put as one
	if err := d.bodyVote(r, c); err != nil {
		return err
	}
	return d.closeStage(r, &StageBody{Outcome: out, By: r.By.Name, Gate: gate, Through: through, Votes: c.Votes, Named: c.Named})
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
	if t.Where != nil {
		r[0].What += " where " + t.Where.Source()
	}
	return ok, r[0], nil
}
