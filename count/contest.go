package count

import (
	"math/big"
	"slices"
	"strings"

	"github.com/omov/omov/fault"
)

// Contest is what has to be known for a count besides the papers.
type Contest struct {
	// Candidates are the names as they stand on the sheet; the index is the
	// candidate's number. Names are distinct and not empty.
	Candidates []string
	// Seats is how many are to be elected; 0 means 1.
	Seats int

	// Withdrawn are candidates who withdrew before the voting ended: marks
	// for them count as not written, and a paper left without a mark is blank.
	Withdrawn []int
	// WithdrawnAfter are candidates who withdrew between the voting and the
	// count: their papers are valid and pass to the next preference at full
	// value before the first stage; a paper that names nobody else stays in
	// the valid votes (and so in a quota) as non-transferable.
	WithdrawnAfter []int

	// Gaps, Repeats and Equals say what an irregular paper is worth. The
	// empty value is the method's own rule (see Method).
	Gaps    Validity
	Repeats Validity
	Equals  Validity
	// MaxGap is how many ranks in a row may be empty before Gaps applies.
	MaxGap int
	// MinMarks and MaxMarks bound the candidates named on a valid paper
	// (after Withdrawn); a paper outside is invalid. 0: no bound, except that
	// plurality-at-large allows no more marks than seats.
	MinMarks, MaxMarks int
	// PaperQuotas must hold on every paper (at least six women named …),
	// else it is invalid.
	PaperQuotas []Quota
	// TooMany says what more than MaxMarks do: Spoil (the zero value) or
	// Stop: the first MaxMarks count.
	TooMany Validity

	// Ties says how a tie is broken before there is a lot. The empty value
	// is the rule's own text.
	Ties TieRule
	// Seed is the committed seed of the lot; nil: none, and a tie that needs
	// one ends the count with a *TieError.
	Seed []byte
	// Order, if set, is a lot that has been drawn by hand: of tied
	// candidates, whoever stands first in it is picked. It goes before Seed.
	Order []int
	// LotsBefore is how many lots of this contest were drawn before this
	// count, where a contest is counted round by round; they are numbered on.
	LotsBefore int

	// Quotas on the result: kept by guarding and dooming (the STV methods,
	// plurality-at-large; other methods refuse them).
	Quotas []Quota

	// Pass is what majority needs; the zero value is more than half of the
	// votes cast.
	Pass Threshold
	// Scale is what a mark at each rank is worth (points).
	Scale []Votes
	// Inside is the method used inside a college's sections: av (the zero
	// value), plurality or exhaustive.
	Inside string
	// Cards are the units of a card vote.
	Cards []Card
	// Halves are the parts that a card vote is normalised to; none: one pool.
	Halves []Half
	// Rounds are the rounds of an exhaustive ballot, when all of it is
	// counted at once (see also Round).
	Rounds []Round
	// Condorcet holds what schulze, debian, ranked-pairs and minimax can be
	// told.
	Condorcet Condorcet

	// Batch lets av and wigm-prf exclude several sure losers at one stage.
	Batch bool
	// DownTo lets av go on until so many candidates are left, although one
	// has more than half; 0: the count stops at more than half.
	DownTo int

	// Trail asks for what happened to each group of papers (Sheet.Trail):
	// the audit log of single papers is made from it.
	Trail bool
}

// Section is one part of those who vote, with its weight in the whole. Where
// there is only one, name and weight may be left out: Pool(papers).
type Section struct {
	Name   string
	Weight *big.Rat
	Papers *Papers
}

// Pool is the only section of a contest without sections.
func Pool(p *Papers) Section { return Section{Papers: p} }

// Validity is what an irregular mark does to a paper.
type Validity string

// The kinds of Validity.
const (
	ByRule   Validity = ""         // as the method's text has it
	Skip     Validity = "skip"     // passed over; what follows counts
	Stop     Validity = "stop"     // the paper ends there
	Spoil    Validity = "spoil"    // the paper is invalid
	Share    Validity = "share"    // equal ranks only: the paper is shared (meek) or both are ranked equal (pairwise methods)
	WhenOne  Validity = "when-one" // equal ranks only (av): counts as soon as one of the equals is left, ends there while several are
	Straight Validity = "straight" // equal ranks only: read in the order written
)

// Quota is a bound on how many of a named group are elected.
type Quota struct {
	Name    string
	Members []int // candidates
	AtLeast int
	AtMost  int // 0 with NoMore false: no upper bound
	NoMore  bool
}

// Max gives the upper bound for seats places.
func (q Quota) max(seats int) int {
	if q.AtMost > 0 || q.NoMore {
		return min(q.AtMost, seats)
	}
	return seats
}

// Threshold is a share of a named denominator.
type Threshold struct {
	Share    *big.Rat // nil: one half
	AtLeast  bool     // reaching the share is enough; else more than it
	Of       string   // "cast" (zero value: for and against), "papers" (with blank and invalid), "entitled"
	Entitled Votes    // for Of "entitled"
}

// Condorcet holds options of the pairwise methods.
type Condorcet struct {
	// Default is the option that stands for "none of these", −1 or 0 with
	// HasDefault false: none.
	Default    int
	HasDefault bool
	// Quorum is how many votes an option needs over the default option.
	Quorum *big.Rat
	// Majority is, by option, the ratio that it has to reach over the default:
	// V(A,D) more than Majority·V(D,A). nil or missing: 1.
	Majority map[int]*big.Rat
	// Strength of a defeat: "winning" (zero value: votes on the winning
	// side), "margin", or, for minimax only, "opposition" (votes against,
	// whether or not it is a defeat).
	Strength string
}

// check refuses a contest that cannot be counted.
func (c *Contest) check() error {
	n := len(c.Candidates)
	switch {
	case n == 0:
		return fault.New(fault.Invalid, "There are no candidates.")
	case n > MaxCandidates:
		return tooManyCandidates(n)
	case c.Seats < 0:
		return fault.New(fault.Invalid, "The number of seats is %d.", c.Seats)
	}
	if c.Seats == 0 {
		c.Seats = 1
	}
	seen := make(map[string]int, n)
	for i, name := range c.Candidates {
		if strings.TrimSpace(name) == "" {
			return fault.New(fault.Invalid, "Candidate %d has no name.", i+1)
		}
		if j, twice := seen[name]; twice {
			return fault.New(fault.Invalid, "Candidates %d and %d have the same name, %q.", j+1, i+1, name)
		}
		seen[name] = i
	}
	for _, list := range [][]int{c.Withdrawn, c.WithdrawnAfter, c.Order} {
		for _, w := range list {
			if w < 0 || w >= n {
				return noCandidate(w, n)
			}
		}
	}
	if left := len(c.standing()); c.Seats > left {
		return fault.New(fault.Invalid, "There are %d seats but only %d candidates.", c.Seats, left)
	}
	if err := c.checkWords(); err != nil {
		return err
	}
	for _, q := range c.PaperQuotas {
		if err := q.check(n); err != nil {
			return err
		}
	}
	for _, q := range c.Quotas {
		if err := q.check(n); err != nil {
			return err
		}
	}
	return nil
}

func (c *Contest) checkWords() error {
	if !slices.Contains([]Validity{ByRule, Skip, Stop, Spoil}, c.Gaps) ||
		!slices.Contains([]Validity{ByRule, Skip, Stop, Spoil}, c.Repeats) ||
		!slices.Contains([]Validity{ByRule, Skip, Stop, Spoil, Share, WhenOne, Straight}, c.Equals) {
		return fault.New(fault.Invalid, "There is no such rule for irregular papers: gaps %q, repeats %q, equal ranks %q.", c.Gaps, c.Repeats, c.Equals)
	}
	if !slices.Contains([]TieRule{TiesByRule, TiesBackward, TiesForward, TiesFirst, TiesLot}, c.Ties) {
		return fault.New(fault.Invalid, "There is no rule %q for ties.", c.Ties)
	}
	return nil
}

func (q Quota) check(n int) error {
	for _, m := range q.Members {
		if m < 0 || m >= n {
			return noCandidate(m, n)
		}
	}
	if q.AtLeast < 0 || q.AtMost < 0 {
		return fault.New(fault.Invalid, "The quota %q has a negative bound.", q.Name)
	}
	return nil
}

// standing gives the candidates who have not withdrawn, in order.
func (c *Contest) standing() []int {
	out := make([]int, 0, len(c.Candidates))
	gone := make([]bool, len(c.Candidates))
	for _, w := range c.Withdrawn {
		gone[w] = true
	}
	for _, w := range c.WithdrawnAfter {
		gone[w] = true
	}
	for i := range c.Candidates {
		if !gone[i] {
			out = append(out, i)
		}
	}
	return out
}

func (c *Contest) names(list []int) []string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = c.Candidates[n]
	}
	return out
}
