package verify

import (
	"slices"

	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
)

// reaching is an effect of one run on others: what it starts, stops, stays,
// resumes or sets aside.
type reaching struct {
	proceeding.Done
	from string
	used bool
}

// caused finds an effect that accounts for what happened to a run from
// outside it. What a case about a person sets going cannot be seen; it is
// counted.
func (v *verifier) caused(e *entry, r *run, ref string, verb rulebook.Verb, proc string, unit register.UnitID) bool {
	for i := len(v.org.reaching) - 1; i >= 0; i-- {
		x := &v.org.reaching[i]
		if rulebook.Verb(x.Verb) != verb || x.used && verb == rulebook.DoStart {
			continue
		}
		if x.Ref != "" && x.Ref == ref || x.Ref == "" && x.Target == proc && x.Unit == unit {
			x.used = true
			return true
		}
	}
	if v.apart > 0 {
		v.Check(CheckSteps).note("%s: by a decision that only those concerned can read", ref)
		return true
	}
	return false
}

// act checks that what is decided within a run is numbered on, so that it can
// be spoken of.
func (v *verifier) act(e *entry, r *run, n int64) {
	v.Check(CheckSteps).must(n == 0 || n == int64(len(r.st.Acts))+1, e.seq, "it is numbered %d; %d is next", n, len(r.st.Acts)+1)
}

// setAside checks what an order sets aside.
func (v *verifier) setAside(e *entry, r *run, b *proceeding.OrderBody) {
	c := v.Check(CheckSteps)
	if b.Target == proceeding.Whole {
		c.must(r.st.Phase == proceeding.Ended && r.st.InForce(proceeding.Whole), e.seq, "it sets aside a decision that was not taken, or is set aside already")
		r.reopened = true
		return
	}
	i := slices.IndexFunc(r.st.Acts, func(a proceeding.Act) bool { return a.N == b.Target })
	if c.must(i >= 0 && r.st.InForce(b.Target), e.seq, "it sets aside something that there is not, or that does not stand") && r.st.Acts[i].Aside == proceeding.Whole {
		r.reopened = true
	}
}

// rolls compares what an act says it does to the rolls to come. It takes every
// roll twice, so it is done on a scrutineers' bundle.
func (v *verifier) rolls(e *entry, r *run, b []proceeding.RollChange, after func(*proceeding.State)) {
	if !v.full || len(b) == 0 {
		return
	}
	c := v.Check(CheckRollAgain)
	next := *r
	next.st = r.st.Clone()
	after(next.st)
	for _, x := range b {
		rule, _ := r.proc.Stage(x.Stage)
		if !c.must(rule != nil && rule.Voters != nil, e.seq, "it changes the roll of a stage %q that has none", x.Stage) {
			return
		}
		var plans [2]*roll.Plan
		var err error
		for k, run := range []*run{r, &next} {
			if plans[k], _, err = v.scope(e, run, e.at.UnixMilli()).plan(rule); err != nil {
				c.fail(e.seq, "the roll cannot be taken: %v", err)
				return
			}
		}
		before, then, moved := v.compare(e, r, plans)
		c.must(before == x.Before && then == x.After && moved == x.Moved, e.seq, "by it the roll goes from %d to %d and %d are concerned; it says %d, %d and %d", before, then, moved, x.Before, x.After, x.Moved)
	}
}

func (v *verifier) compare(e *entry, r *run, plans [2]*roll.Plan) (before, after, moved int64) {
	votes := map[register.PersonID]int64{}
	s := v.scope(e, r, e.at.UnixMilli())
	for k := range plans {
		err := s.o.assess(s.view(), plans[k], func(p register.PersonID, lines []roll.Line) {
			if int64(p) < 1 {
				return
			}
			var n int64
			for _, l := range lines {
				if l.Reason == 0 {
					n++
				}
			}
			if k == 0 {
				before += n
				votes[p] = n
				return
			}
			after += n
			if votes[p] != n {
				moved++
			}
		})
		if err != nil {
			v.Check(CheckRollAgain).fail(e.seq, "the roll cannot be taken: %v", err)
		}
	}
	return before, after, moved
}

// standing checks that a standing discretion is used by whom it is given to.
func (v *verifier) standing(e *entry, b *standingBody) {
	book := v.org.books[v.org.inForce(e.at.UnixMilli())]
	if !v.Check(CheckSteps).must(book != nil, e.seq, "a discretion is used before there is a rulebook") {
		return
	}
	sl := book.Slot(b.Slot)
	v.Check(CheckSteps).must(sl != nil && sl.Standing && sl.SetBy.Name == b.Set.By, e.seq, "the rulebook gives %q no standing discretion called %s", b.Set.By, b.Slot)
}

// declared checks that an event is one of the rulebook's, declared by whom it
// names.
func (v *verifier) declared(e *entry, b *eventBody) {
	book := v.org.books[v.org.inForce(e.at.UnixMilli())]
	if !v.Check(CheckSteps).must(book != nil, e.seq, "an event is declared before there is a rulebook") {
		return
	}
	x := book.Event(b.Event)
	v.Check(CheckSteps).must(x != nil && (b.By == "" || x.DeclaredBy.Name == b.By), e.seq, "the rulebook knows no event %q that %s declares", b.Event, spaced(b.By))
}

// apartOnly tells whether an entry that is not open is one that no bundle
// holds: the record of a case about a person.
func apartOnly(a minutes.Access) bool { return a == minutes.Parties }

// overridden checks which of two contradictory decisions prevails: the stronger
// kind, between equals the later.
func (v *verifier) overridden(e *entry, b *overriddenBody) {
	c := v.Check(CheckResults)
	loser, winner := v.org.runs[b.Ref], v.org.runs[b.By]
	book := v.org.books[v.org.inForce(e.at.UnixMilli())]
	if !c.must(book != nil && loser != nil && winner != nil && loser.adopted && winner.adopted, e.seq, "it puts two decisions in order, and %s or %s has adopted nothing", b.Ref, b.By) {
		return
	}
	x, y := slices.Index(book.Precedence, winner.text), slices.Index(book.Precedence, loser.text)
	stronger := x >= 0 && (y < 0 || x < y)
	c.must(stronger || x == y && winner.adoptedAt >= loser.adoptedAt, e.seq, "%s is said to prevail over %s, and by precedence and time it does not", b.By, b.Ref)
}
