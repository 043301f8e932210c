package count

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/omov/omov/fault"
)

// countAV is the alternative vote in one pool. Each paper lies with its first
// preference among those who stand. Whoever has more than half of the votes
// in play is elected; else the candidate with the fewest is excluded and
// their papers go to the next preference. A tie for exclusion looks back to
// the last stage that separates the tied, then goes to the lot; a tie of the
// last two has nothing that could break it but the earlier stages and the
// lot.
func countAV(c *Contest, sections []Section) (*Sheet, error) {
	a := &alternative{c: c, sections: []*avSection{newAVSection(c, sections[0])}, ties: newBreaker(c, TiesBackward)}
	return a.run()
}

// countSequential fills one place after another by the alternative vote, each
// time from all papers, without those already elected. It is not
// proportional: a majority takes every place.
func countSequential(c *Contest, sections []Section) (*Sheet, error) {
	ties := newBreaker(c, TiesBackward)
	whole := &Sheet{}
	next := *c
	for place := 1; place <= c.Seats; place++ {
		a := &alternative{c: &next, sections: []*avSection{newAVSection(&next, sections[0])}, ties: ties}
		s, err := a.run()
		if err != nil {
			return nil, err
		}
		for _, st := range s.Stages {
			st.Action = fmt.Sprintf("place %d: %s", place, st.Action)
			whole.Stages = append(whole.Stages, st)
		}
		whole.Quota = s.Quota
		whole.Elected = append(whole.Elected, s.Elected...)
		if c.Trail {
			whole.Trail = joinTrails(whole.Trail, s.Trail, len(whole.Stages)-len(s.Stages))
		}
		next.WithdrawnAfter = append(slices.Clone(next.WithdrawnAfter), slices.Index(c.Candidates, s.Elected[0]))
	}
	return whole, nil
}

// joinTrails puts the trails of counts one after another.
func joinTrails(a, b [][]Path, stages int) [][]Path {
	if a == nil {
		return b
	}
	for i := range b {
		for g, path := range b[i] {
			for _, step := range path {
				step.Stage += stages
				a[i][g] = append(a[i][g], step)
			}
		}
	}
	return a
}

// countCollege counts sections of given weight. At every round each section
// contributes its whole weight, divided among those who stand in proportion
// to the votes that are still in play in it: a candidate's total is
// Σ weight·votes/in play, exact. A section without a vote in play
// contributes to nobody, and the majority is of what is contributed.
// Source: the electoral colleges of a party's rulebook, 1981 and 1993 (plurality or
// further ballots, later AV).
func countCollege(c *Contest, sections []Section) (*Sheet, error) {
	if err := checkWeights(sections); err != nil {
		return nil, err
	}
	if c.Inside == "exhaustive" && len(c.Rounds) > 0 {
		return countRounds(c, sections)
	}
	a := &alternative{c: c, college: true, ties: newBreaker(c, TiesBackward)}
	switch c.Inside {
	case "", "av", "exhaustive":
	case "plurality":
		a.once = true
	default:
		return nil, fault.New(fault.Invalid, "Inside a college there can be av, plurality or exhaustive, not %q.", c.Inside)
	}
	for _, s := range sections {
		a.sections = append(a.sections, newAVSection(c, s))
	}
	return a.run()
}

func checkWeights(sections []Section) error {
	if len(sections) == 0 {
		return fault.New(fault.Invalid, "A college has at least one section.")
	}
	names := make(map[string]bool)
	for i, s := range sections {
		if s.Weight == nil && len(sections) > 1 || s.Weight != nil && s.Weight.Sign() <= 0 {
			return fault.New(fault.Invalid, "Section %d, %q, needs a weight above nought.", i+1, s.Name)
		}
		if names[s.Name] {
			return fault.New(fault.Invalid, "Two sections are called %q.", s.Name)
		}
		names[s.Name] = true
	}
	return nil
}

// avSection is a section during the count.
type avSection struct {
	Section
	table pool
	piles [][]pile
	votes []Votes
	lost  Votes // non-transferable so far
	trail *trail
}

func newAVSection(c *Contest, s Section) *avSection {
	if s.Weight == nil {
		s.Weight = big.NewRat(1, 1)
	}
	n := len(c.Candidates)
	x := &avSection{Section: s, table: pool{p: s.Papers}, piles: make([][]pile, n), votes: make([]Votes, n)}
	if c.Trail {
		x.trail = newTrail(s.Papers)
	}
	return x
}

// hand deals piles out to those who stand.
func (s *avSection) hand(from []pile, stands []bool, stage int) {
	s.take(s.table.deal(stands, from...), stage)
}

// take puts dealt papers to the candidates.
func (s *avSection) take(d dealt, stage int) {
	for c := range d.piles {
		s.piles[c] = append(s.piles[c], d.piles[c]...)
		s.votes[c] += d.votes[c]
		s.trail.move(d.piles[c], stage, c, "")
	}
	s.lost += d.lost
	s.trail.move(d.spent, stage, -1, "")
}

// leave takes all papers from candidates.
func (s *avSection) leave(out []int, stands []bool, stage int) {
	var from []pile
	for _, c := range out {
		from = append(from, s.piles[c]...)
		s.piles[c], s.votes[c] = nil, 0
	}
	s.hand(from, stands, stage)
}

func (s *avSection) inPlay() Votes { return s.table.p.total - s.lost }

// alternative is a count by AV, in one pool or over weighted sections.
type alternative struct {
	c        *Contest
	sections []*avSection
	college  bool
	once     bool // plurality inside: the first stage decides
	ties     *breaker
	stands   []bool
	history  [][]*big.Rat // totals at each stage, for ties; only kept for a college
	plain    [][]Votes    // the same for one pool
	stages   []Stage
}

func (a *alternative) run() (*Sheet, error) {
	a.stands = make([]bool, len(a.c.Candidates))
	for _, x := range a.c.standing() {
		a.stands[x] = true
	}
	for _, s := range a.sections {
		s.take(s.table.start(a.stands), 1)
	}
	action := "first preferences"
	var order []int // excluded, the last one last
	for {
		totals := a.totals()
		a.remember(totals)
		st := a.stage(action, totals)
		winner, err := a.winner(totals, &st)
		if err != nil {
			return nil, err
		}
		if winner >= 0 {
			st.Elected = a.c.names([]int{winner})
			a.stages = append(a.stages, st)
			return a.sheet(winner, order), nil
		}
		out, err := a.lowest(totals, &st)
		if err != nil {
			return nil, err
		}
		st.Excluded = a.c.names(out)
		st.Note = joinNotes(st.Note, a.whyExcluded(out))
		a.stages = append(a.stages, st)
		order = append(order, out...)
		for _, x := range out {
			a.stands[x] = false
		}
		action = "exclusion of " + list(a.c.names(out))
		for _, s := range a.sections {
			s.leave(out, a.stands, len(a.stages)+1)
		}
	}
}

// totals gives each candidate's votes, or in a college their share; the last
// element is the whole in play.
func (a *alternative) totals() []*big.Rat {
	n := len(a.stands)
	out := make([]*big.Rat, n+1)
	for i := range out {
		out[i] = new(big.Rat)
	}
	for _, s := range a.sections {
		base := s.inPlay()
		if base == 0 {
			continue
		}
		f := big.NewRat(1, s.table.p.den)
		if a.college {
			f.Quo(s.Weight, big.NewRat(base, 1))
		}
		for c, v := range s.votes {
			if v > 0 {
				out[c].Add(out[c], new(big.Rat).Mul(f, new(big.Rat).SetInt64(v)))
			}
		}
		out[n].Add(out[n], new(big.Rat).Mul(f, new(big.Rat).SetInt64(base)))
	}
	return out
}

// remember keeps the totals so that ties can look back. Totals are turned
// into ranks: ties only compare.
func (a *alternative) remember(totals []*big.Rat) {
	a.history = append(a.history, totals)
	a.plain = append(a.plain, ranks(totals[:len(a.stands)]))
}

// ranks gives each number its place among the distinct numbers, the smallest
// first, so that exact fractions can be compared as whole numbers.
func ranks(of []*big.Rat) []Votes {
	sorted := slices.Clone(of)
	slices.SortFunc(sorted, (*big.Rat).Cmp)
	sorted = slices.CompactFunc(sorted, func(a, b *big.Rat) bool { return a.Cmp(b) == 0 })
	out := make([]Votes, len(of))
	for i, r := range of {
		at, _ := slices.BinarySearchFunc(sorted, r, (*big.Rat).Cmp)
		out[i] = Votes(at)
	}
	return out
}

func (a *alternative) standing() []int {
	var out []int
	for i, s := range a.stands {
		if s {
			out = append(out, i)
		}
	}
	return out
}

// winner gives who is elected at this stage, −1 for nobody.
func (a *alternative) winner(totals []*big.Rat, st *Stage) (int, error) {
	left := a.standing()
	now := a.plain[len(a.plain)-1]
	top := extreme(left, now, false)
	half := new(big.Rat).Mul(big.NewRat(1, 2), totals[len(totals)-1])
	enough := len(top) == 1 && totals[top[0]].Cmp(half) > 0
	if enough {
		st.Note = fmt.Sprintf("%s has more than half", a.c.Candidates[top[0]])
	}
	switch {
	case len(left) == 1, len(top) == 1 && a.once, enough && len(left) <= max(a.c.DownTo, 2), enough && a.c.DownTo == 0:
		return top[0], nil
	case a.once:
		pick, t, err := a.ties.pick("election", top, nil, false, len(a.stages)+1)
		st.Ties = append(st.Ties, t)
		return pick, err
	}
	return -1, nil
}

// lowest gives who is excluded at this stage.
func (a *alternative) lowest(totals []*big.Rat, st *Stage) ([]int, error) {
	left := a.standing()
	now := a.plain[len(a.plain)-1]
	if a.c.Batch {
		if sure := a.sureLosers(left, totals); len(sure) > 1 {
			return sure, nil
		}
	}
	low := extreme(left, now, true)
	if len(low) == 1 {
		return low, nil
	}
	pick, t, err := a.ties.pick("exclusion", low, a.plain[:len(a.plain)-1], true, len(a.stages)+1)
	st.Ties = append(st.Ties, t)
	return []int{pick}, err
}

// sureLosers gives the largest group of lowest candidates whose votes
// together are fewer than those of the next one, leaving at least DownTo.
func (a *alternative) sureLosers(left []int, totals []*big.Rat) []int {
	slices.SortStableFunc(left, func(x, y int) int { return totals[x].Cmp(totals[y]) })
	sum, best := new(big.Rat), 0
	for i := 0; i+1 < len(left); i++ {
		sum.Add(sum, totals[left[i]])
		if rest := len(left) - i - 1; rest < max(a.c.DownTo, 1) {
			break
		}
		if sum.Cmp(totals[left[i+1]]) < 0 {
			best = i + 1
		}
	}
	out := slices.Clone(left[:best])
	slices.Sort(out)
	return out
}

func (a *alternative) whyExcluded(out []int) string {
	if len(out) > 1 {
		return list(a.c.names(out)) + " together have fewer votes than the next candidate"
	}
	return a.c.Candidates[out[0]] + " has the fewest votes"
}

// stage writes down a stage.
func (a *alternative) stage(action string, totals []*big.Rat) Stage {
	n := len(a.stands)
	show := func(c int) bool { return a.stands[c] || totals[c].Sign() != 0 || len(a.stages) == 0 }
	whole := totals[n]
	st := Stage{Action: action, Votes: tally(a.c.Candidates, func(c int) (Amount, bool) { return ratAmount(totals[c]), show(c) }), Quota: a.needed(whole)}
	lost := new(big.Rat)
	for _, s := range a.sections {
		lost.Add(lost, big.NewRat(s.lost, s.table.p.den))
		if !a.college {
			continue
		}
		st.Sections = append(st.Sections, a.sectionStage(s, show))
	}
	st.NonTransferable = ratAmount(lost)
	if len(a.stages) == 0 {
		for _, s := range a.sections {
			st.Groups = append(st.Groups, a.c.byGroup(s.table.p)...)
		}
	}
	return st
}

func (a *alternative) sectionStage(s *avSection, show func(int) bool) SectionStage {
	base := s.inPlay()
	return SectionStage{Name: s.Name, Weight: ratAmount(s.Weight), InPlay: amountOf(base, s.table.p.den),
		Votes: tally(a.c.Candidates, func(c int) (Amount, bool) { return amountOf(s.votes[c], s.table.p.den), show(c) }),
		Contribution: tally(a.c.Candidates, func(c int) (Amount, bool) {
			if base == 0 {
				return "0", show(c)
			}
			return ratAmount(new(big.Rat).Mul(s.Weight, big.NewRat(s.votes[c], base))), show(c)
		})}
}

// needed says what more than half is: the smallest whole number above it, or
// the half itself where votes are not whole.
func (a *alternative) needed(whole *big.Rat) Amount {
	return moreThanHalf(whole, !a.college && a.sections[0].table.p.den == 1)
}

// moreThanHalf gives the smallest whole number above half of whole votes,
// and the half itself, which has to be exceeded, of anything else.
func moreThanHalf(whole *big.Rat, votes bool) Amount {
	if votes && whole.IsInt() {
		return Amount(new(big.Int).Add(new(big.Int).Rsh(whole.Num(), 1), big.NewInt(1)).String())
	}
	return ratAmount(new(big.Rat).Mul(whole, big.NewRat(1, 2)))
}

func (a *alternative) sheet(winner int, order []int) *Sheet {
	s := &Sheet{Stages: a.stages, Elected: a.c.names([]int{winner}), Quota: a.stages[len(a.stages)-1].Quota}
	for _, x := range a.sections {
		if x.trail != nil {
			s.Trail = append(s.Trail, x.trail.paths())
		}
	}
	if a.college && !a.once {
		s.Notes = append(s.Notes, "the totals are parts of the sections' weights; more than half of what is contributed elects")
	}
	return s
}

// list joins names for a sentence.
func list(names []string) string {
	s := ""
	for i, n := range names {
		if i > 0 {
			s += ", "
		}
		s += n
	}
	return s
}
