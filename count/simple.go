package count

import (
	"math/big"
	"slices"

	"github.com/omov/omov/fault"
)

// countPlurality: the candidate with the most first marks is elected. A tie
// goes to the lot.
func countPlurality(c *Contest, sections []Section) (*Sheet, error) {
	p := sections[0].Papers
	votes, _ := firstVotes(p)
	return c.most(p, votes, "first marks", nil)
}

// countAtLarge: each paper bears up to as many marks as there are seats, each
// worth the paper's votes; the candidates with the most votes are elected,
// within the quotas of the contest.
func countAtLarge(c *Contest, sections []Section) (*Sheet, error) {
	p := sections[0].Papers
	return c.most(p, allMarks(p), "marks", newGuard(c))
}

// countApproval: any number of marks, whatever their order.
func countApproval(c *Contest, sections []Section) (*Sheet, error) {
	p := sections[0].Papers
	return c.most(p, allMarks(p), "approvals", nil)
}

// countPoints: a mark at rank r is worth Scale[r] points; beyond the scale,
// nothing. Candidates who share a rank get the points of that rank each.
func countPoints(c *Contest, sections []Section) (*Sheet, error) {
	if len(c.Scale) == 0 {
		return nil, fault.New(fault.Invalid, "The method points needs a scale: what each rank is worth.")
	}
	p := sections[0].Papers
	best := slices.Max(c.Scale)
	if slices.Min(c.Scale) < 0 {
		return nil, fault.New(fault.Invalid, "The scale of points must not go below nought.")
	}
	if _, ok := mulVotes(p.total, max(best, 1)); !ok {
		return nil, tooManyVotes()
	}
	votes := make([]Votes, p.candidates)
	for i := range p.starts {
		rank := -1
		for _, m := range p.at(i) {
			if m == Gap || !m.Equal() {
				rank++
			}
			if m != Gap && rank < len(c.Scale) {
				votes[m.Candidate()] += p.weights[i] * c.Scale[rank]
			}
		}
	}
	return c.most(p, votes, "points", nil)
}

// firstVotes gives the votes by first mark; alone is false for a paper whose
// first rank holds several.
func firstVotes(p *Papers) (votes []Votes, shared Votes) {
	votes = make([]Votes, p.candidates)
	for i := range p.starts {
		marks := p.at(i)
		for len(marks) > 0 && marks[0] == Gap {
			marks = marks[1:]
		}
		if len(marks) > 1 && marks[1].Equal() {
			shared += p.weights[i]
			continue
		}
		votes[marks[0].Candidate()] += p.weights[i]
	}
	return votes, shared
}

// allMarks gives the votes by any mark.
func allMarks(p *Papers) []Votes {
	votes := make([]Votes, p.candidates)
	for i := range p.starts {
		for _, m := range p.at(i) {
			if m != Gap {
				votes[m.Candidate()] += p.weights[i]
			}
		}
	}
	return votes
}

// most elects the candidates with the most votes, one after another, in one
// stage. A tie matters only across the last place (or for the order of
// election, which the sheet then leaves as the order of the candidates).
func (c *Contest) most(p *Papers, votes []Votes, what string, g *guard) (*Sheet, error) {
	stage := Stage{Action: what, Votes: tally(c.Candidates, func(i int) (Amount, bool) { return amountOf(votes[i], p.den), true })}
	stage.Groups = c.byGroup(p)
	b := newBreaker(c, TiesLot)
	left := c.standing()
	var elected []int
	for len(elected) < c.Seats {
		if g != nil {
			if err := g.update(left, elected); err != nil {
				return nil, err
			}
			left = g.without(left)
		}
		top := extreme(left, votes, false)
		pick := top[0]
		if len(top) > c.Seats-len(elected) || g != nil && len(top) > 1 && g.bites(top, left, elected) {
			var t Tie
			var err error
			if pick, t, err = b.pick("election", top, nil, false, 1); err != nil {
				return nil, err
			}
			stage.Ties = append(stage.Ties, t)
		}
		elected = append(elected, pick)
		left = slices.DeleteFunc(left, func(x int) bool { return x == pick })
	}
	if lost := c.lostToWithdrawn(votes); lost > 0 {
		stage.NonTransferable = amountOf(lost, p.den)
		stage.Note = "votes for candidates who withdrew after the voting elect nobody"
	}
	if g != nil && len(g.notes) > 0 {
		stage.Note = joinNotes(stage.Note, g.notes...)
	}
	stage.Elected = c.names(elected)
	s := &Sheet{Stages: []Stage{stage}, Elected: c.names(elected), Ranking: c.ranking(votes)}
	return s, nil
}

func (c *Contest) lostToWithdrawn(votes []Votes) Votes {
	lost := Votes(0)
	for _, w := range c.WithdrawnAfter {
		lost += votes[w]
	}
	return lost
}

// ranking orders the standing candidates by votes; equal ones share a row.
func (c *Contest) ranking(votes []Votes) [][]string {
	var rows [][]string
	for left := c.standing(); len(left) > 0; {
		top := extreme(left, votes, false)
		rows = append(rows, c.names(top))
		left = slices.DeleteFunc(left, func(x int) bool { return slices.Contains(top, x) })
	}
	return rows
}

// byGroup gives the first preferences by reporting group.
func (c *Contest) byGroup(p *Papers) []GroupTally {
	out := make([]GroupTally, 0, len(p.classes))
	for k, name := range p.classes {
		votes, total := make([]Votes, p.candidates), Votes(0)
		for i := range p.starts {
			if int(p.class[i]) != k {
				continue
			}
			total += p.weights[i]
			if m := p.at(i); m[0] != Gap && !(len(m) > 1 && m[1].Equal()) {
				votes[m[0].Candidate()] += p.weights[i]
			}
		}
		out = append(out, GroupTally{name, tally(c.Candidates, func(i int) (Amount, bool) { return amountOf(votes[i], p.den), true }), amountOf(total, p.den)})
	}
	return out
}

// countMajority: the first option carries if its votes reach the threshold;
// with two options the second is "against"; a third, if any, is abstention
// and is not a vote cast. Equality is not more than half.
func countMajority(c *Contest, sections []Section) (*Sheet, error) {
	if n := len(c.Candidates); n < 2 || n > 3 {
		return nil, fault.New(fault.Invalid, "The method majority has the options for, against and perhaps abstention; here are %d.", n)
	}
	p := sections[0].Papers
	votes, _ := firstVotes(p)
	cast := votes[0] + votes[1]
	base := big.NewRat(cast, p.den)
	switch c.Pass.Of {
	case "", "cast":
	case "papers":
		base.SetFrac64(p.total+p.blank+p.invalid, p.den)
	case "entitled":
		if base.SetInt64(c.Pass.Entitled); c.Pass.Entitled <= 0 {
			return nil, fault.New(fault.Invalid, "A majority of those entitled needs their number.")
		}
	default:
		return nil, fault.New(fault.Invalid, "There is no denominator %q; there are cast, papers, entitled.", c.Pass.Of)
	}
	needed, carried := c.Pass.reached(big.NewRat(votes[0], p.den), base)
	stage := Stage{Action: "votes", Votes: tally(c.Candidates, func(i int) (Amount, bool) { return amountOf(votes[i], p.den), true }), Groups: c.byGroup(p)}
	s := &Sheet{Carried: &carried, Quota: ratAmount(needed)}
	stage.Quota, stage.Note = s.Quota, c.Pass.words(base)
	if carried {
		stage.Elected, s.Elected = c.Candidates[:1], c.Candidates[:1]
	}
	s.Stages = []Stage{stage}
	return s, nil
}

// reached tells how much of base was needed and whether votes reach it.
func (t Threshold) reached(votes, base *big.Rat) (needed *big.Rat, ok bool) {
	share := t.Share
	if share == nil {
		share = big.NewRat(1, 2)
	}
	needed = new(big.Rat).Mul(share, base)
	d := votes.Cmp(needed)
	return needed, d > 0 || d == 0 && t.AtLeast && votes.Sign() > 0
}

func (t Threshold) words(base *big.Rat) string {
	how, share, of := "more than ", "1/2", t.Of
	if t.AtLeast {
		how = "at least "
	}
	if t.Share != nil {
		share = t.Share.RatString()
	}
	if of == "" {
		of = "cast"
	}
	return how + share + " of " + string(ratAmount(base)) + " " + of
}

func joinNotes(first string, more ...string) string {
	for _, m := range more {
		if first != "" {
			first += "; "
		}
		first += m
	}
	return first
}
