package count

import (
	"math/big"
	"slices"

	"github.com/omov/omov/fault"
)

// Round is one round of an exhaustive ballot: a new vote on those who stand.
type Round struct {
	// Votes of each section by candidate; one row where there are no
	// sections. Votes for somebody who does not stand are refused.
	Votes [][]Votes
	// Spoilt papers of the round, all sections together.
	Spoilt Votes
	// Withdraw are those who withdraw after the round.
	Withdraw []int
}

// Outcome is what followed from one round.
type Outcome struct {
	Stage   Stage
	Elected []int // as many as there are places; nobody: another round is needed
	Leaves  []int // who does not stand in the next round: the lowest, and those who withdrew
	Stands  []int // who stands in the next round
	Lots    int   // how many lots have been drawn in the contest, for LotsBefore
}

// Ballot settles one round of an exhaustive ballot, as it is needed where
// each round is a new ballot. stands are those who stood in it; sections give
// names and weights in a college and are empty otherwise; earlier are the
// rounds before, which only matter for ties.
//
// Whoever has more than half of the votes cast (in a college: of what the
// sections contribute) is elected. Else the lowest leaves; if the lowest
// withdraws, nobody else has to leave. If withdrawals leave one candidate
// standing, that one is elected. A tie for the lowest looks back to the
// earlier rounds, then goes to the lot; the last two tied vote again, which is
// the caller's to do: with two left and equal votes nobody leaves unless
// Ties is "lot".
//
// Where there are several places nobody is elected by a majority: rounds go on
// until as many are left standing as there are places, and those are elected.
//
// Source: the exhaustive ballots of parliamentary parties; the round-by-round
// tables of 1976 and 1980; for several places the parliamentary rounds that
// leave two candidates to the members.
func Ballot(c Contest, stands []int, sections []Section, earlier []Round, r Round) (*Outcome, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if len(sections) > 0 {
		if err := checkWeights(sections); err != nil {
			return nil, err
		}
	}
	return c.ballot(newBreaker(&c, TiesBackward), stands, sections, earlier, r)
}

func (c *Contest) ballot(ties *breaker, stands []int, sections []Section, earlier []Round, r Round) (*Outcome, error) {
	if err := c.checkRound(stands, sections, r); err != nil {
		return nil, err
	}
	o := &Outcome{}
	totals, whole := roundTotals(len(c.Candidates), sections, r)
	o.Stage = c.roundStage(stands, sections, r, totals, whole)
	o.Stage.N = len(earlier) + 1
	now := ranks(totals)
	half := new(big.Rat).Mul(whole, big.NewRat(1, 2))
	top := extreme(stands, now, false)
	rest := slices.DeleteFunc(slices.Clone(stands), func(x int) bool { return slices.Contains(r.Withdraw, x) })
	o.Stage.Withdrawn = c.names(r.Withdraw)
	switch {
	case c.Seats <= 1 && len(top) == 1 && totals[top[0]].Cmp(half) > 0:
		o.Elected, o.Stage.Note = top, c.Candidates[top[0]]+" has more than half"
	case len(rest) == 0:
		return nil, fault.New(fault.Invalid, "Everybody has withdrawn from the ballot.")
	case len(rest) <= max(1, c.Seats):
		o.Elected, o.Stage.Note = rest, "only "+list(c.names(rest))+" is left standing"
		if len(rest) > 1 {
			o.Stage.Note = "only " + list(c.names(rest)) + " are left standing"
		}
	}
	if len(o.Elected) > 0 {
		o.Stage.Elected = c.names(o.Elected)
		o.Stands, o.Lots = o.Elected, ties.lots
		return o, nil
	}
	low := extreme(stands, now, true)
	out, err := c.leaver(ties, low, stands, sections, earlier, r, &o.Stage)
	if err != nil {
		return nil, err
	}
	o.Stage.Excluded = c.names(out)
	o.Leaves = append(slices.Clone(r.Withdraw), out...)
	o.Stands = slices.DeleteFunc(rest, func(x int) bool { return slices.Contains(out, x) })
	last := len(o.Stands) == 1 && len(o.Leaves) > 0 && len(r.Withdraw) == 0 && len(stands) == 2
	if last || c.Seats > 1 && len(o.Stands) <= c.Seats {
		o.Elected = o.Stands
		o.Stage.Elected = c.names(o.Elected)
	}
	o.Lots = ties.lots
	return o, nil
}

// leaver gives who has to leave besides those who withdraw.
func (c *Contest) leaver(ties *breaker, low, stands []int, sections []Section, earlier []Round, r Round, st *Stage) ([]int, error) {
	for _, x := range low {
		if slices.Contains(r.Withdraw, x) {
			st.Note = joinNotes(st.Note, "the lowest has withdrawn; nobody else has to leave")
			return nil, nil
		}
	}
	if len(low) == 1 {
		st.Note = joinNotes(st.Note, c.Candidates[low[0]]+" has the fewest votes and leaves")
		return low, nil
	}
	if len(stands) == 2 && c.Ties != TiesLot {
		st.Note = joinNotes(st.Note, "the last two are tied: the round is held again")
		return nil, nil
	}
	var history [][]Votes
	for _, e := range earlier {
		t, _ := roundTotals(len(c.Candidates), sections, e)
		history = append(history, ranks(t))
	}
	pick, t, err := ties.pick("exclusion", low, history, true, st.N)
	if err != nil {
		return nil, err
	}
	st.Ties = append(st.Ties, t)
	return []int{pick}, nil
}

func (c *Contest) checkRound(stands []int, sections []Section, r Round) error {
	n := len(c.Candidates)
	if len(r.Votes) != max(1, len(sections)) {
		return fault.New(fault.Invalid, "A round has one row of votes a section: %d rows for %d sections.", len(r.Votes), len(sections))
	}
	sum := r.Spoilt
	for _, row := range r.Votes {
		if len(row) != n {
			return fault.New(fault.Invalid, "A row of votes has %d numbers for %d candidates.", len(row), n)
		}
		for i, v := range row {
			if v < 0 || v > MaxVotes || sum > MaxVotes-v {
				return tooManyVotes()
			}
			sum += v
			if v > 0 && !slices.Contains(stands, i) {
				return fault.New(fault.Invalid, "There are votes for %s, who does not stand in this round.", c.Candidates[i])
			}
		}
	}
	for _, w := range append(slices.Clone(r.Withdraw), stands...) {
		if w < 0 || w >= n {
			return noCandidate(w, n)
		}
	}
	for _, w := range r.Withdraw {
		if !slices.Contains(stands, w) {
			return fault.New(fault.Invalid, "%s cannot withdraw: they do not stand.", c.Candidates[w])
		}
	}
	return nil
}

// roundTotals gives totals by candidate and what more than half is of.
func roundTotals(n int, sections []Section, r Round) ([]*big.Rat, *big.Rat) {
	out, whole := make([]*big.Rat, n), new(big.Rat)
	for i := range out {
		out[i] = new(big.Rat)
	}
	for k, row := range r.Votes {
		base := Votes(0)
		for _, v := range row {
			base += v
		}
		if base == 0 {
			continue
		}
		f := big.NewRat(1, 1)
		if len(sections) > 0 && sections[k].Weight != nil {
			f.Quo(sections[k].Weight, new(big.Rat).SetInt64(base))
		}
		for i, v := range row {
			out[i].Add(out[i], new(big.Rat).Mul(f, new(big.Rat).SetInt64(v)))
		}
		whole.Add(whole, new(big.Rat).Mul(f, new(big.Rat).SetInt64(base)))
	}
	return out, whole
}

func (c *Contest) roundStage(stands []int, sections []Section, r Round, totals []*big.Rat, whole *big.Rat) Stage {
	show := func(i int) bool { return slices.Contains(stands, i) }
	st := Stage{Action: "round", Quota: moreThanHalf(whole, len(sections) == 0),
		Votes: tally(c.Candidates, func(i int) (Amount, bool) { return ratAmount(totals[i]), show(i) })}
	for k, s := range sections {
		base, row := Votes(0), r.Votes[k]
		for _, v := range row {
			base += v
		}
		weight := s.Weight
		if weight == nil {
			weight = new(big.Rat).SetInt64(base)
		}
		st.Sections = append(st.Sections, SectionStage{Name: s.Name, Weight: ratAmount(weight), InPlay: amountOf(base, 1),
			Votes: tally(c.Candidates, func(i int) (Amount, bool) { return amountOf(row[i], 1), show(i) }),
			Contribution: tally(c.Candidates, func(i int) (Amount, bool) {
				if base == 0 {
					return "0", show(i)
				}
				return ratAmount(new(big.Rat).Mul(weight, big.NewRat(row[i], base))), show(i)
			})})
	}
	return st
}

// countExhaustive counts given rounds, or, from ranked papers, as if every
// voter voted in each round for whoever stands highest on their paper.
func countExhaustive(c *Contest, sections []Section) (*Sheet, error) {
	if len(c.Rounds) > 0 {
		return countRounds(c, nil)
	}
	s, err := countAV(c, sections)
	if err == nil {
		s.Notes = append(s.Notes, "from ranked papers: each round as if every voter voted for whoever stands highest on their paper")
	}
	return s, err
}

// countRounds puts several rounds on one sheet.
func countRounds(c *Contest, sections []Section) (*Sheet, error) {
	ties := newBreaker(c, TiesBackward)
	s := &Sheet{}
	stands := c.standing()
	for i, r := range c.Rounds {
		o, err := c.ballot(ties, stands, sections, c.Rounds[:i], r)
		if err != nil {
			return nil, err
		}
		s.Stages = append(s.Stages, o.Stage)
		s.Quota = o.Stage.Quota
		s.Invalid, s.Blank = Total(amountOf(r.Spoilt, 1)), "0"
		sum := Votes(0)
		for _, row := range r.Votes {
			for _, v := range row {
				sum += v
			}
		}
		s.Valid = Total(amountOf(sum, 1))
		stands = o.Stands
		if len(o.Elected) > 0 {
			s.Elected = c.names(o.Elected)
			if i+1 < len(c.Rounds) {
				return nil, fault.New(fault.Invalid, "Round %d elected %s, but there are %d rounds.", i+1, s.Elected[0], len(c.Rounds))
			}
		}
	}
	if len(s.Elected) == 0 {
		s.Notes = append(s.Notes, "nobody has been elected yet: a further round is needed between "+list(c.names(stands)))
	}
	s.Notes = append(s.Notes, "valid and invalid are those of the last round")
	return s, nil
}
