package proceeding

import (
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// Where a stage asks units, each can decide by a ballot of its own: a run in
// that unit, begun when the stage opens, whose result is the unit's word
// (docs/rulebook.md, "Two tiers"). A unit whose roll turns out too small for a
// secret ballot says what its meeting counted, as where there is no such ballot.

// unitsVote begins those ballots.
func (d *decider) unitsVote(r *rulebook.Stage) error {
	q := d.book.Procedure(r.Votes)
	if q == nil {
		return nil
	}
	for _, u := range d.view().Tree.Kind(q.In, d.st.Unit) {
		done := Done{Verb: string(rulebook.DoStart), Target: q.Name, Unit: u, At: d.now(), With: map[string]Held{q.Takes[0].Name: {Text: d.st.Ref}}}
		if err := d.emit(KindEffect, minutes.Public, &EffectBody{Done: done}); err != nil {
			return err
		}
	}
	return nil
}

// ownBallot gives the run in which a unit votes for itself, if it does. One that
// had no ballot, because its roll was too small, is none.
func (d *decider) ownBallot(r *rulebook.Stage, u register.UnitID) (ref string, votes bool) {
	q := d.book.Procedure(r.Votes)
	if q == nil {
		return "", false
	}
	mine := func(st *State) bool { return st.Takes[q.Takes[0].Name].Text == d.st.Ref }
	for _, ref := range d.world.Live(q.Name, u, "") {
		if st, ok := d.world.Run(ref); ok && mine(st) {
			return ref, true
		}
	}
	if st, ok := d.world.Latest(q.Name, u); ok && mine(st) && len(st.Ballots) > 0 {
		return st.Ref, true
	}
	return "", false
}

// report fills in what a unit's ballot gave.
func (d *decider) report(e *rulebook.Effect, done *Done) {
	done.Ref, done.Unit = d.st.Takes[e.Target].Text, d.st.Unit
	done.Refused = d.outcome != Carried
	if n := len(d.st.Ballots); n > 0 {
		done.Yes, done.No = d.st.Ballots[n-1].Figures["for"], d.st.Ballots[n-1].Figures["against"]
	}
}

// Report is what a unit's own ballot gave, as its word in the run that asked.
// One that comes too late, or in which nobody voted, is no word.
type Report struct {
	Unit    register.UnitID
	Yes, No int64
	Refuse  bool
	From    string // the run of that ballot
}

func (c Report) decide(d *decider) error {
	r, st, err := d.openStage(rulebook.Gather)
	if err != nil || r.Gathers != "support" || r.Votes == "" || c.Yes+c.No == 0 || st.Closes != 0 && d.now() >= st.Closes {
		return nil
	}
	err = d.back(r.Needs, r.Name, st.Gather, Back{By: Actor{System: true}, Unit: c.Unit, Yes: c.Yes, No: c.No, Refuse: c.Refuse, from: c.From})
	if fault.Is(err, fault.Already) || fault.Is(err, fault.NotEntitled) {
		return nil
	}
	return err
}
