package proceeding

import (
	"math/big"
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// Back supports a call that is collecting, a candidate, or the question of a
// stage. For a unit, Yes and No are what its meeting counted, where the
// rulebook lets it decide by a vote; with Refuse the unit decided against.
type Back struct {
	By        Actor
	Unit      register.UnitID
	Candidate register.PersonID
	Yes, No   int64
	Refuse    bool
	from      string // the run of the unit's own ballot
}

func (c Back) decide(d *decider) error {
	if d.st.Phase == Collecting {
		way := d.wayOf()
		if way == nil {
			return fault.New(fault.Damaged, "%s collects support for a call that its rulebook does not know", d.st.Ref)
		}
		if err := d.back(way.Backed, "", d.st.Backing, c); err != nil {
			return err
		}
		_, err := d.callIfBacked(way)
		return err
	}
	r, st, err := d.openStage(rulebook.Gather)
	if err != nil {
		return err
	}
	if r.Gathers == "candidates" {
		if c.Candidate == 0 {
			return fault.Under(fault.Invalid, d.cite(), "say whom you nominate")
		}
		if err := d.mayBack(r.Needs, c); err != nil {
			return err
		}
		if err := d.canStand(r, c.Candidate, c.By.Person == c.Candidate); err != nil {
			return err
		}
	} else {
		if r.Gathers != "support" {
			return d.wrongStage(rulebook.Gather)
		}
		c.Candidate = 0
		if ref, votes := d.ownBallot(r, c.Unit); votes && c.Unit != 0 {
			return fault.Under(fault.NotEntitled, d.cite(), "%s votes by a ballot of its own (%s): what that gives is its word", d.voterName(voter{unit: c.Unit}), ref)
		}
	}
	return d.back(r.Needs, r.Name, st.Gather, c)
}

// mayBack asks whether somebody can support at all, before anything is said of
// whom they name: who has declined is not everybody's business.
func (d *decider) mayBack(t *rulebook.Threshold, c Back) error {
	by, err := d.supporter(c)
	if err != nil || t == nil {
		return err
	}
	_, err = d.counts(t, by, 0)
	return err
}

// openStage gives the current stage if it is open and of a kind.
func (d *decider) openStage(kind rulebook.StageKind) (*rulebook.Stage, *Stage, error) {
	r, st := d.stageRule(), d.st.Now()
	switch {
	case d.st.Phase == Stayed:
		return nil, nil, d.notStayed()
	case !d.st.Live():
		return nil, nil, fault.Under(fault.TooLate, d.cite(), "%s has ended", d.st.Ref)
	case st == nil || r == nil:
		return nil, nil, fault.Under(fault.TooEarly, d.cite(), "%s has not opened yet", d.st.Ref)
	case r.Kind != kind:
		return nil, nil, d.wrongStage(kind)
	case st.Status == Coming:
		return nil, nil, fault.Under(fault.TooEarly, d.cite(), "%s of %s is coming: it opens on %s", spaced(r.Name), spaced(d.st.Procedure), d.showOpens(st.Opens))
	case st.Status != Open:
		return nil, nil, fault.Under(fault.TooLate, d.cite(), "%s is not open", spaced(r.Name))
	}
	return r, st, nil
}

// notStayed refuses what cannot be done while an order holds the run up.
func (d *decider) notStayed() error {
	if d.st.Phase != Stayed {
		return nil
	}
	return fault.Under(fault.TooLate, d.cite(), "%s is stayed by an order; nothing can be done in it until it is resumed", d.st.Ref)
}

// wrongStage says whether what was asked for is over or still to come.
func (d *decider) wrongStage(kind rulebook.StageKind) error {
	what := map[rulebook.StageKind]string{rulebook.Gather: "Nominations", rulebook.Ballot: "The ballot", rulebook.Decide: "The decision", rulebook.Draw: "The draw"}[kind]
	for i := len(d.st.Stages) - 1; i >= 0; i-- {
		if i < len(d.proc.Stages) && d.proc.Stages[i].Kind == kind && d.st.Stages[i].Status == Closed && i != d.st.Current {
			return fault.Under(fault.TooLate, d.proc.Stages[i].Cite, "%s closed on %s", what, d.show(d.st.Stages[i].Closed))
		}
	}
	return fault.Under(fault.TooEarly, d.cite(), "%s is not open: the stage now is %s", what, spaced(d.st.Stages[d.st.Current].Name))
}

// canStand checks that a person can be proposed in a stage.
func (d *decider) canStand(r *rulebook.Stage, p register.PersonID, self bool) error {
	// A form can carry any number: only who is a candidate is named, or the
	// refusals would read out the register.
	name := "whom you chose"
	if c := d.st.Candidate(p); c != nil {
		name = c.Name
		switch c.Status {
		case Declined:
			return fault.Under(fault.NotEntitled, d.cite(), "%s has declined to stand", name)
		case Withdrawn:
			return fault.Under(fault.NotEntitled, d.cite(), "%s has withdrawn", name)
		case Fell:
			if r.Stand == nil {
				return fault.Under(fault.NotEntitled, d.cite(), "%s did not reach the gate of the stage before", name)
			}
		}
		if c.Automatic {
			return fault.Under(fault.Already, d.cite(), "%s is a candidate without needing nominations", name)
		}
		if r.Stand == nil {
			return nil
		}
	} else if r.Stand == nil {
		return fault.Under(fault.NotEntitled, d.cite(), "%s is not among the candidates of this contest", name)
	}
	ok, err := d.isWho(voter{person: p}, *r.Stand)
	if err != nil {
		return err
	}
	if !ok && self && r.Stand.Kind == rulebook.WhoElectorate { // one's own reason is no secret from oneself
		if _, why, err := d.whyNotIn(p, *r.Stand); err == nil && why.Says != "" {
			return fault.Under(fault.NotEntitled, why.Clause, "you cannot stand: this is required: %s", why.Says)
		}
	}
	if !ok {
		return fault.Under(fault.NotEntitled, d.cite(), "%s cannot stand: a candidate comes from %s", name, d.words(*r.Stand))
	}
	if s, cite, barred := d.barred(p, "stand"); barred {
		return fault.Under(fault.NotEntitled, cite, "%s cannot stand while under %s", name, spaced(s))
	}
	return nil
}

// back records support in a gathering.
func (d *decider) back(t *rulebook.Threshold, stage string, g *Gather, c Back) error {
	by, err := d.supporter(c)
	if err != nil {
		return err
	}
	places := 1
	if c.Candidate != 0 {
		places = d.seatsNow()
	}
	given := 0
	for i := range g.Supports {
		s := &g.Supports[i]
		if s.By != by.key() || s.Gone != "" || s.Void { // who had no quorum has not voted, and may
			continue
		}
		if s.For == c.Candidate {
			return fault.Under(fault.Already, d.cite(), "%s has already done so", d.voterName(by))
		}
		given++
	}
	if given >= places {
		return fault.Under(fault.Already, d.cite(), "%s has already nominated; a nominator nominates %d", d.voterName(by), places)
	}
	s := Support{By: by.key(), For: c.Candidate, At: d.now(), Against: c.Refuse, Yes: c.Yes, No: c.No}
	if t != nil {
		if s.Leaves, err = d.counts(t, by, c.Candidate); err != nil {
			return err
		}
	}
	if by.unit != 0 {
		s.Through, s.From = c.By.Person, c.from
		if c.from != "" { // its ballot has been tested where it was held
			return d.emit(KindSupport, minutes.Officers, &SupportBody{Stage: stage, Support: s})
		}
		if err := d.unitVote(by, &s); err != nil {
			return err
		}
	}
	if c.Candidate != 0 && d.st.Candidate(c.Candidate) == nil {
		if err := d.emit(KindProposed, minutes.Officers, &CandidateBody{Candidate: d.public(c.Candidate), At: d.now()}); err != nil {
			return err
		}
	}
	return d.emit(KindSupport, minutes.Officers, &SupportBody{Stage: stage, Support: s})
}

// supporter works out who supports: a person for themself, or a unit through
// the office that speaks for it.
func (d *decider) supporter(c Back) (voter, error) {
	if c.Unit == 0 {
		if s, cite, barred := d.barred(c.By.Person, "vote"); barred {
			return voter{}, fault.Under(fault.NotEntitled, cite, "%s takes this right away for the time being", spaced(s))
		}
		return voter{person: c.By.Person}, nil
	}
	u := d.view().Tree.Unit(c.Unit)
	if u == nil {
		return voter{}, fault.New(fault.NotFound, "there is no such unit")
	}
	kind := d.book.UnitKind(u.Kind)
	if kind == nil || kind.Decides == nil {
		return voter{}, fault.Under(fault.NotEntitled, d.cite(), "the rulebook does not say how %s decides", u.Name)
	}
	if c.By.System {
		return voter{unit: c.Unit}, nil
	}
	office := SpeaksFor(d.book, kind)
	if office == "" || !d.holdsIn(c.By.Person, office, c.Unit) {
		return voter{}, fault.Under(fault.NotEntitled, kind.Cite, "the %s of %s enters what it decided", spaced(office), u.Name)
	}
	d.office = office
	return voter{unit: c.Unit}, nil
}

func (d *decider) holdsIn(p register.PersonID, office string, u register.UnitID) bool {
	v := d.view()
	for _, t := range v.Roster.Of(p, v.At, v.Known) {
		if t.Office == office && t.Unit == u {
			return true
		}
	}
	return false
}

// SpeaksFor gives the office that enters what a unit of a kind decided: the
// one its `decides` names, else the only office per that kind whose name says
// secretary, else the only office there is per that kind.
func SpeaksFor(book *rulebook.Book, kind *rulebook.UnitKind) string {
	if kind.Decides != nil && kind.Decides.By != "" {
		return kind.Decides.By
	}
	var per, secretary string
	for i := range book.Offices {
		if o := &book.Offices[i]; o.Per == kind.Name {
			if per == "" {
				per = o.Name
			}
			if secretary == "" && len(o.Name) > 9 && o.Name[len(o.Name)-9:] == "secretary" {
				secretary = o.Name
			}
		}
	}
	if secretary != "" {
		return secretary
	}
	return per
}

// unitVote applies the unit's own rule to the figures of its meeting: without
// a quorum it has not voted, without its majority it has not supported.
func (d *decider) unitVote(by voter, s *Support) error {
	kind := d.book.UnitKind(d.view().Unit(by.unit).Kind())
	dec := kind.Decides
	if dec.By != "" || s.Yes+s.No == 0 {
		return nil
	}
	if s.Yes < 0 || s.No < 0 {
		return fault.New(fault.Invalid, "votes are counted from nought")
	}
	f := figures{"for": s.Yes, "against": s.No, "papers": s.Yes + s.No, "present": s.Yes + s.No, "cast": s.Yes + s.No}
	entitled := false // a share of them is asked for
	leaves(dec.Passes, "", func(_ string, t *rulebook.Threshold) {
		entitled = entitled || t.Of != nil && strings.Contains(t.Of.Source(), "entitled")
	})
	if dec.Ballot != nil && (dec.Quorum != nil || entitled) {
		n, err := d.world.Count(*dec.Ballot, by.unit, &scope{d: d}, d.freezeOrNil())
		if err != nil {
			return err
		}
		if s.Yes+s.No > n {
			return fault.Under(fault.Invalid, kind.Cite, "%d votes are more than the %d who may vote in %s", s.Yes+s.No, n, d.voterName(by))
		}
		f["entitled"] = n
		ok, _, err := d.test(dec.Quorum, f)
		if err != nil {
			return err
		}
		s.Void = !ok
	}
	ok, _, err := d.test(dec.Passes, f)
	if err != nil {
		return err
	}
	s.Against = s.Against || !ok
	return nil
}

// figures are the counts of a vote: for, against, papers, present, cast,
// entitled, seats, picked, spoilt.
type figures map[string]int64

// test compares the figures of a vote with a threshold.
func (d *decider) test(t *rulebook.Threshold, f figures) (bool, []Reached, error) {
	if on, err := d.applies(t); err != nil || !on {
		return true, nil, err
	}
	parts, all := t.All, true
	if len(t.Any) > 0 {
		parts, all = t.Any, false
	}
	if len(parts) > 0 {
		met, held := all, 0
		var out []Reached
		for _, p := range parts {
			if on, err := d.applies(p); err != nil {
				return false, nil, err
			} else if !on {
				continue
			}
			held++
			ok, r, err := d.test(p, f)
			if err != nil {
				return false, nil, err
			}
			out = append(out, r...)
			if all {
				met = met && ok
			} else {
				met = met || ok
			}
		}
		return met || held == 0, out, nil
	}
	count := t.Count
	if count == "" {
		count = "for"
	}
	has := new(big.Rat).SetInt64(f[count])
	r, err := d.reach(t, Reached{What: count, Has: has.RatString()}, has, func(of string) (*big.Rat, bool) {
		n, ok := f[of]
		return new(big.Rat).SetInt64(n), ok
	})
	return r.Met, []Reached{r}, err
}

// applies tells whether there is a threshold, and its `when` switches it on.
func (d *decider) applies(t *rulebook.Threshold) (bool, error) {
	if t == nil || t.When == nil {
		return t != nil, nil
	}
	return t.When.Flag(&scope{d: d})
}

// seatsNow is how many places the run's election has.
func (d *decider) seatsNow() int {
	for i := range d.proc.Stages {
		if r := &d.proc.Stages[i]; r.Kind == rulebook.Ballot && r.Method != nil {
			return d.seats(r)
		}
	}
	return 1
}

// seats is how many a ballot elects: what the stage says, else how many
// places of the office are to be filled.
func (d *decider) seats(r *rulebook.Stage) int {
	if r.Seats != nil {
		if n, err := r.Seats.Number(&scope{d: d, unit: d.hereUnit()}); err == nil && n.IsInt() && n.Num().IsInt64() {
			return int(n.Num().Int64())
		}
	}
	if d.st.Office == "" {
		return 1
	}
	places := d.places(d.st.Office)
	if d.st.Cause == "vacancy" {
		if free := places - len(d.holders(d.st.Office, 0)); free > 0 {
			return free
		}
	}
	return places
}

// Unback takes support back, where the rulebook lets support be taken back.
type Unback struct {
	By   Actor
	Unit register.UnitID
}

func (c Unback) decide(d *decider) error {
	by, err := d.supporter(Back{By: c.By, Unit: c.Unit})
	if err != nil {
		return err
	}
	stage, kept, g := "", false, d.st.Backing
	if d.st.Phase == Collecting {
		kept = d.wayOf().Kept
	} else {
		r, st, err := d.openStage(rulebook.Gather)
		if err != nil {
			return err
		}
		stage, kept, g = r.Name, r.Kept, st.Gather
	}
	if kept {
		return fault.Under(fault.NotEntitled, d.cite(), "support once given stays; only the person supported can withdraw")
	}
	for i := range g.Supports {
		if s := g.Supports[i]; s.By == by.key() && s.Gone == "" {
			s.Gone = "withdrawn"
			return d.emit(KindUnsupport, minutes.Officers, &SupportBody{Stage: stage, Support: s})
		}
	}
	return fault.New(fault.NotFound, "%s has not supported anything here", d.voterName(by))
}

// Answer is a candidate accepting or declining.
type Answer struct {
	By        Actor
	Accept    bool
	Statement string
}

func (c Answer) decide(d *decider) error {
	if _, _, err := d.openStage(rulebook.Draw); err == nil {
		if c.Accept {
			return nil // who was drawn serves, unless they say that they do not want to
		}
		return d.declineDraw(c.By.Person)
	}
	cand := d.st.Candidate(c.By.Person)
	if cand == nil {
		return fault.Under(fault.NotEntitled, d.cite(), "nobody has nominated you in %s", d.st.Ref)
	}
	if cand.Status != Proposed && !(cand.Status == Accepted && c.Accept && c.Statement != "") {
		return fault.Under(fault.Already, d.cite(), "you have already answered: %s", cand.Status)
	}
	if _, _, err := d.openStage(rulebook.Gather); err != nil {
		return err
	}
	if len(c.Statement) > 5000 {
		return fault.New(fault.TooMuch, "a statement has at most 5,000 characters; this one has %d", len(c.Statement))
	}
	b := &CandidateBody{Candidate: cand.Person, At: d.now(), Statement: c.Statement}
	if c.Accept {
		return d.emit(KindAccepted, minutes.Public, b)
	}
	return d.emit(KindDeclined, minutes.Officers, b)
}

// Withdraw takes a candidate out. It can be done until the ballot opens, and
// between the rounds of an exhaustive ballot.
type Withdraw struct{ By Actor }

func (c Withdraw) decide(d *decider) error {
	cand := d.st.Candidate(c.By.Person)
	if cand == nil || cand.Status != Proposed && cand.Status != Accepted {
		return fault.Under(fault.NotEntitled, d.cite(), "you are not a candidate in %s", d.st.Ref)
	}
	st := d.st.Now()
	if !d.st.Live() || st == nil {
		return fault.Under(fault.TooLate, d.cite(), "%s is over", d.st.Ref)
	}
	if err := d.notStayed(); err != nil {
		return err
	}
	if b := d.st.OpenBallot(); b != nil {
		return fault.Under(fault.TooLate, d.cite(), "the papers are out: a candidate can withdraw until the ballot opens and between rounds")
	}
	kind, access := KindWithdrew, minutes.Public
	if cand.Status == Proposed { // who has not accepted does not act publicly yet
		kind, access = KindDeclined, minutes.Officers
	}
	if err := d.emit(kind, access, &CandidateBody{Candidate: cand.Person, At: d.now()}); err != nil {
		return err
	}
	r := d.stageRule()
	if r.Kind != rulebook.Ballot || st.Status != Coming {
		return nil
	}
	_, err := d.unopposed(r)
	return err
}
