package proceeding

import (
	"strconv"
	"strings"

	"github.com/omov/omov/count"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/rulebook"
)

// An election whose candidates cannot fill the places within the quotas on its
// result is not held: whatever the papers said, it could not be counted. That
// is found out when the ballot would open, on the candidates as they then
// stand, and where no ballot is needed.

// ResultQuotas gives the quotas on who is elected, as the counting engine takes them.
func (b *Ballot) ResultQuotas() []count.Quota {
	var out []count.Quota
	for i := range b.Quotas {
		if q := &b.Quotas[i]; q.On == OnResult {
			out = append(out, count.Quota{Name: q.Says, Members: q.Options, AtLeast: int(q.AtLeast), AtMost: int(q.AtMost), NoMore: q.NoMore})
		}
	}
	return out
}

// Unfilled gives every quota on the result with how near the candidates on the
// paper come to it, and why the places cannot be filled; why is empty where they
// can. all says that everybody on the paper is elected.
func (b *Ballot) Unfilled(all bool) (tests []Reached, why string) {
	quotas := b.ResultQuotas()
	if len(quotas) == 0 {
		return nil, ""
	}
	kept := true
	for i := range quotas {
		t := reachable(&quotas[i], len(b.Options), b.Seats, all)
		kept = kept && t.Met
		tests = append(tests, t)
	}
	switch {
	case !kept:
		var missed []string
		for i := range tests {
			if !tests[i].Met {
				missed = append(missed, tests[i].What)
			}
		}
		return tests, "the candidates cannot fill the places: of those elected there have to be " + strings.Join(missed, ", and ")
	case all:
		return nil, ""
	}
	c := count.Contest{Seats: b.Seats, Quotas: quotas, Candidates: make([]string, len(b.Options))}
	if err := count.QuotasKept(c); err != nil {
		return tests, "the candidates cannot fill the places within all quotas together"
	}
	return nil, ""
}

// reachable holds a quota against the most, or the fewest, of those it is about
// who can be among the elected.
func reachable(q *count.Quota, candidates, seats int, all bool) Reached {
	members := len(q.Members)
	most, fewest := min(members, seats), max(0, seats-(candidates-members))
	if all {
		most, fewest = members, members
	}
	if q.NoMore {
		return Reached{What: q.Name, Has: strconv.Itoa(fewest), Needs: strconv.Itoa(q.AtMost), Cmp: string(rulebook.AtMost), Met: fewest <= q.AtMost}
	}
	return Reached{What: q.Name, Has: strconv.Itoa(most), Needs: strconv.Itoa(q.AtLeast), Cmp: string(rulebook.AtLeast), Met: most >= q.AtLeast}
}

// unfillable ends an election before its ballot opens, where the candidates
// cannot fill the places.
func (d *decider) unfillable(b *Ballot) (done bool, err error) {
	tests, why := b.Unfilled(false)
	if why == "" {
		return false, nil
	}
	return true, d.short(&ResultBody{At: d.now(), Outcome: TooFew, Tests: tests, Why: why})
}

// short declares that an election elected nobody, and why, and goes on with
// what the rulebook lists for that: in the stage itself, else in an earlier one
// unless that begins anew.
func (d *decider) short(b *ResultBody) error {
	i := d.st.Current
	if err := d.emit(KindResult, minutes.Public, b); err != nil {
		return err
	}
	if err := d.emit(KindClosed, minutes.Public, &StageBody{Stage: d.st.Stages[i].Name, At: d.now(), Outcome: TooFew}); err != nil {
		return err
	}
	for _, t := range d.proc.Stages[i].Then {
		if t.Outcome == TooFew {
			return d.effects(t.Effects, TooFew)
		}
	}
	return d.nobody(i, TooFew)
}

// Uncounted declares that the papers of a closed election cannot be counted, so
// that the run ends, or goes on, and does not wait for ever.
type Uncounted struct{ Why string }

func (c Uncounted) decide(d *decider) error {
	b := d.openBallot()
	if b == nil || b.Closed == 0 || b.Method == "" {
		return fault.Under(fault.TooEarly, d.cite(), "no election of %s is closed and waits to be counted", d.st.Ref)
	}
	return d.short(&ResultBody{Ballot: b.ID, At: d.now(), Outcome: TooFew, Why: c.Why})
}
