package proceeding

import (
	"strconv"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
)

// The minimum size of a secret ballot (docs/rulebook.md, "Minimum"): with too
// few papers in a section, its result says how somebody voted. It is tested
// three times: on the electorate at the call, on the roll before the ballot
// opens, on the papers before they are opened.

// Secret tells whether nobody may learn how anybody voted in a ballot held in
// this way.
func Secret(how string) bool { return how == "box" || how == "sealed" }

// minimum is the fewest papers with which a stage's ballot is opened, 0 where
// votes are not secret.
func (d *decider) minimum(r *rulebook.Stage, how string) (int64, error) {
	if !Secret(how) {
		return 0, nil
	}
	if r.Minimum == nil {
		return rulebook.DefaultMinimum, nil
	}
	n, err := r.Minimum.Number(&scope{d: d})
	if err != nil {
		return 0, err
	}
	if !n.IsInt() || !n.Num().IsInt64() || n.Sign() <= 0 {
		return 0, fault.Under(fault.Damaged, r.Cite, "the minimum of a secret ballot is a whole number from 1")
	}
	return n.Num().Int64(), nil
}

// PeopleVote tells whether a section's voters are people: a unit that votes is
// no person whose vote could become known.
func PeopleVote(s *RollSection) bool {
	for _, v := range s.Voters {
		if v.Unit != 0 {
			return false
		}
	}
	return true
}

// smallRoll gives the first section with somebody in it, and fewer than the
// minimum.
func smallRoll(r *Roll, least int64) *RollSection {
	for i := range r.Sections {
		s := &r.Sections[i]
		if PeopleVote(s) && s.Entitled > 0 && s.Entitled < least {
			return s
		}
	}
	return nil
}

// Short gives the first section from which papers have come, and too few to
// be opened: 0 papers tell of nobody how they voted.
func (b *Ballot) Short(returned []Returned) *Returned {
	for i := range returned {
		y := &returned[i]
		if i < len(b.Roll.Sections) && PeopleVote(&b.Roll.Sections[i]) && y.Papers > 0 && y.Papers < b.Minimum {
			return y
		}
	}
	return nil
}

// shortOf says what was missing, as a test that was not met.
func shortOf(section string, has, least int64) Reached {
	if section == "" {
		section = "papers"
	}
	return Reached{What: section, Has: strconv.FormatInt(has, 10), Needs: strconv.FormatInt(least, 10), Cmp: string(rulebook.AtLeast)}
}

// callable refuses a call whose secret ballots could not be held: the
// electorate as it stands is smaller than the minimum. What depends on
// something that is not known yet is tested when the roll is taken.
func (d *decider) callable() error {
	for i := range d.proc.Stages {
		r := &d.proc.Stages[i]
		if r.Kind != rulebook.Ballot || r.If != nil || r.How == nil || r.Voters == nil {
			continue
		}
		how, ok := r.How.Literal()
		if !ok {
			continue
		}
		least, err := d.minimum(r, how.Words)
		if err != nil || least <= 1 {
			continue
		}
		freeze, err := d.freeze()
		if err != nil {
			continue
		}
		voters, err := d.chosen(*r.Voters)
		if err != nil {
			continue
		}
		if err := d.enough(r, voters, freeze, least); err != nil {
			return err
		}
	}
	return nil
}

func (d *decider) enough(r *rulebook.Stage, voters rulebook.Who, freeze *rulebook.Moment, least int64) error {
	plan, err := roll.NewPlan(d.book, voters, &scope{d: d}, d.view(), freeze)
	if err != nil {
		return nil // said when the roll is taken
	}
	few := func(section string, n int64) error {
		if n == 0 || n >= least {
			return nil
		}
		if section != "" {
			section = " of the section " + section
		}
		return fault.Under(fault.NotEntitled, r.Cite, "%s of %s is secret, and there are %d voters%s: with fewer than %d papers a result would say how somebody voted, so none would be opened. Let it be counted in the room or recorded by name", spaced(r.Name), spaced(d.proc.Name), n, section, least)
	}
	for i := range plan.Sections {
		s := &plan.Sections[i]
		if !s.Listed {
			continue
		}
		list, err := listed(d, s)
		if err != nil {
			return nil
		}
		sec := RollSection{Voters: list}
		if !PeopleVote(&sec) {
			continue
		}
		var n int64
		for _, v := range list {
			if v.Bar == "" {
				n++
			}
		}
		if err := few(s.Name, n); err != nil {
			return err
		}
	}
	if len(plan.People) == 0 {
		return nil
	}
	counts, err := d.world.Least(voters, d.st.Unit, &scope{d: d}, freeze, least)
	if err != nil {
		return err
	}
	for k, i := range plan.People {
		if k < len(counts) {
			if err := few(plan.Sections[i].Name, counts[k]); err != nil {
				return err
			}
		}
	}
	return nil
}

// unheld ends a ballot that does not open, because its roll is too small.
func (d *decider) unheld(r *rulebook.Stage, c *OpenBallot, s *RollSection, least int64) error {
	if err := d.emit(KindRoll, minutes.Public, &RollBody{Ballot: d.st.BallotID(), Roll: publicRoll(c.Roll)}); err != nil {
		return err
	}
	if c.Lines != nil {
		if err := d.emit(KindRollLines, minutes.Officers, c.Lines); err != nil {
			return err
		}
	}
	return d.declare(&ResultBody{At: d.now(), Outcome: Unopened, Tests: []Reached{shortOf(s.Name, s.Entitled, least)}})
}
