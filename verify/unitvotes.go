package verify

import (
	"slices"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// Units that vote by ballots of their own (docs/rulebook.md, "Two tiers").

// reports checks what a unit's ballot is said to have given, against that
// ballot.
func (v *verifier) reports(e *entry, r *run, x *proceeding.Done) {
	if rulebook.Verb(x.Verb) != rulebook.DoReport {
		return
	}
	c := v.Check(CheckResults)
	n := len(r.st.Ballots)
	if !c.must(n > 0 && x.Unit == r.st.Unit, e.seq, "it reports a vote that was not held here") {
		return
	}
	b := &r.st.Ballots[n-1]
	c.must(x.Yes == b.Figures["for"] && x.No == b.Figures["against"], e.seq, "it reports %d for and %d against; the vote gave %d and %d", x.Yes, x.No, b.Figures["for"], b.Figures["against"])
	c.must(x.Refused == (b.Outcome != proceeding.Carried), e.seq, "it reports another outcome than %s", b.Outcome)
	taken := slices.ContainsFunc(r.proc.Takes, func(t rulebook.Take) bool {
		return t.Is == rulebook.TakeRun && r.st.Takes[t.Name].Text == x.Ref
	})
	c.must(taken, e.seq, "it reports to a run that did not ask")
}

// ownBallot checks that a unit's word is what its own ballot reported.
func (v *verifier) ownBallot(e *entry, r *run, unit register.UnitID, x *proceeding.Support) {
	rule, from := r.proc.Stages[r.st.Current], v.org.runs[x.From]
	found := slices.ContainsFunc(v.org.reaching, func(y reaching) bool {
		return y.from == x.From && y.Verb == string(rulebook.DoReport) && y.Ref == e.head.Proceeding && y.Unit == unit &&
			y.Yes == x.Yes && y.No == x.No && y.Refused == x.Against
	})
	ok := found && from != nil && rule.Votes != "" && from.proc.Name == rule.Votes && from.st.Unit == unit && x.Through == 0 && !x.Void
	v.Check(CheckSupport).must(ok, e.seq, "it is said to come from a ballot of the unit, and none gave it")
}
