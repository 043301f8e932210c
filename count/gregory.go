package count

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/omov/omov/fault"
)

// gregoryRule is what tells the rules of the weighted inclusive Gregory
// method apart.
type gregoryRule struct {
	places int  // decimal places that a paper's value is cut to
	whole  bool // the quota is a whole number, else it has the same places
	ties   TieRule
	batch  bool // sure losers are excluded together, before surpluses
}

// countScottish is the count of the Scottish Local Government Elections
// Order 2007 (SSI 2007/42), schedule 1, rules 45–52; the Order of 2011
// (SSI 2011/399) has the same.
//
//	46  quota = valid/(seats+1), decimals ignored, plus one
//	47  who equals or exceeds the quota is elected
//	48  surplus: every paper goes on at value × surplus/votes, cut to five places
//	49  the largest surplus first; equal ones: the most recent stage at which
//	    they differed, then lot
//	50  else the lowest is excluded, papers keep their value
//	51  equal lowest: the most recent stage at which they differed, then lot
//	52  as many left as vacancies: all are elected
//
// Rule 52(2) (no further transfer) is read as since SSI 2021/437 and as the
// published stage reports have it: the papers of the last excluded are still
// shown as transferred. "Unequal" among three or more is read as in
// [breaker.pick].
func countScottish(c *Contest, sections []Section) (*Sheet, error) {
	return countGregory(c, sections[0].Papers, scottishRule())
}

func scottishRule() gregoryRule { return gregoryRule{places: 5, whole: true, ties: TiesBackward} }

// countWIGM is the Proportional Representation Foundation's Reference WIGM
// Rule: four places; quota = votes/(seats+1) cut, plus 0.0001; the same
// transfers; ties by lot. Contest.Batch adds its optional step that defeats
// sure losers together.
func countWIGM(c *Contest, sections []Section) (*Sheet, error) {
	return countGregory(c, sections[0].Papers, wigmRule(c))
}

func wigmRule(c *Contest) gregoryRule {
	return gregoryRule{places: 4, ties: TiesLot, batch: c.Batch}
}

// states of a candidate in an STV count.
type state uint8

const (
	gone    state = iota // withdrawn or excluded
	hopeful              // continuing
	chosen               // elected
)

// parcel is papers that came together at one value (in units of the last
// decimal place).
type parcel struct {
	papers pile
	value  Votes
}

// gregory is a count in progress.
type gregory struct {
	c       *Contest
	rule    gregoryRule
	table   pool
	one     Votes // the value of a whole vote
	quota   Votes
	state   []state
	votes   []Votes
	parcels [][]parcel
	lost    Votes // value of non-transferable papers
	history [][]Votes
	order   []int // elected, in order
	guard   *guard
	ties    *breaker
	stages  []Stage
	trail   *trail
	moved   []bool // whose surplus has been transferred
	keep    func(c int, from []parcel, surplus Votes)
}

func newGregory(c *Contest, p *Papers, rule gregoryRule) (*gregory, error) {
	one := pow10(rule.places)
	if p.den != 1 {
		return nil, fault.New(fault.Invalid, "This method counts whole papers; the papers bear fractions of %d.", p.den)
	}
	if _, ok := mulVotes(p.total, one); !ok {
		return nil, fault.New(fault.TooMuch, "There are too many votes to count with %d decimal places; at most %d.", rule.places, MaxVotes/one)
	}
	n := len(c.Candidates)
	g := &gregory{c: c, rule: rule, table: pool{p: p}, one: one, state: make([]state, n), votes: make([]Votes, n),
		parcels: make([][]parcel, n), guard: newGuard(c), ties: newBreaker(c, rule.ties), moved: make([]bool, n)}
	for _, x := range c.standing() {
		g.state[x] = hopeful
	}
	if c.Trail {
		g.trail = newTrail(p)
	}
	whole := p.total / Votes(c.Seats+1)
	if g.quota = (whole + 1) * one; !rule.whole {
		g.quota = p.total*one/Votes(c.Seats+1) + 1
	}
	return g, nil
}

func countGregory(c *Contest, p *Papers, rule gregoryRule) (*Sheet, error) {
	g, err := newGregory(c, p, rule)
	if err != nil {
		return nil, err
	}
	if err := g.run(); err != nil {
		return nil, err
	}
	return g.sheet(), nil
}

func (g *gregory) sheet() *Sheet {
	s := &Sheet{Stages: g.stages, Elected: g.c.names(g.order), Quota: fixedAmount(g.quota, g.places())}
	if g.trail != nil {
		s.Trail = [][]Path{g.trail.paths()}
	}
	return s
}

func (g *gregory) places() int { return g.rule.places }

func (g *gregory) run() error {
	g.begin()
	if err := g.endStage(Stage{Action: "first preferences"}); err != nil {
		return err
	}
	for len(g.order) < g.c.Seats {
		st := Stage{}
		doomed := g.doomed()
		sure := g.sureLosers()
		from, err := g.largestSurplus(&st)
		switch {
		case err != nil:
			return err
		case len(doomed) > 0:
			st.Note = "excluded because the quotas on the result cannot be kept with them"
			g.exclude(doomed, &st)
		case len(sure) > 0:
			st.Note = "together, and with all surpluses, they have fewer votes than the next candidate"
			g.exclude(sure, &st)
		case from >= 0:
			g.transfer(from, &st)
		default:
			low, err := g.lowest(&st)
			if err != nil {
				return err
			}
			g.exclude([]int{low}, &st)
		}
		if err := g.endStage(st); err != nil {
			return err
		}
	}
	return nil
}

func (g *gregory) with(s state) []int {
	var out []int
	for i, x := range g.state {
		if x == s {
			out = append(out, i)
		}
	}
	return out
}

func (g *gregory) stands() []bool {
	out := make([]bool, len(g.state))
	for i, x := range g.state {
		out[i] = x == hopeful
	}
	return out
}

// sameValue is piles of one value.
type sameValue struct {
	value Votes
	piles []pile
}

// together puts parcels of the same value together, in order of appearance.
func together(from []parcel) []sameValue {
	var out []sameValue
	for _, p := range from {
		i := slices.IndexFunc(out, func(s sameValue) bool { return s.value == p.value })
		if i < 0 {
			i = len(out)
			out = append(out, sameValue{value: p.value})
		}
		out[i].piles = append(out[i].piles, p.papers)
	}
	return out
}

// hand deals parcels on to the next continuing candidate at a new value.
func (g *gregory) hand(from []parcel, value func(Votes) Votes) {
	stands := g.stands()
	for _, p := range together(from) {
		v := value(p.value)
		g.take(g.table.deal(stands, p.piles...), v)
	}
}

// begin deals all papers by first preference.
func (g *gregory) begin() { g.take(g.table.start(g.stands()), g.one) }

// take credits dealt papers at a value.
func (g *gregory) take(d dealt, v Votes) {
	for c := range d.piles {
		for _, x := range d.piles[c] {
			g.parcels[c] = append(g.parcels[c], parcel{x, v})
		}
		g.votes[c] += d.votes[c] * v
		if g.trail != nil && len(d.piles[c]) > 0 {
			g.trail.move(d.piles[c], len(g.stages)+1, c, fixedAmount(v, g.places()))
		}
	}
	g.lost += d.lost * v
	if g.trail != nil {
		g.trail.move(d.spent, len(g.stages)+1, -1, fixedAmount(v, g.places()))
	}
}

// transfer passes on the surplus of an elected candidate.
func (g *gregory) transfer(c int, st *Stage) {
	surplus, total := g.votes[c]-g.quota, g.votes[c]
	st.Action = "surplus of " + g.c.Candidates[c]
	st.Note = joinNotes(st.Note, fmt.Sprintf("each paper goes on at its value × %s / %s",
		fixedAmount(surplus, g.places()), fixedAmount(total, g.places())))
	from := g.parcels[c]
	if g.keep != nil {
		g.keep(c, from, surplus)
	}
	g.parcels[c] = nil
	g.votes[c] = g.quota
	g.moved[c] = true
	g.hand(from, func(v Votes) Votes { return mulDiv(v, surplus, total) })
}

// mulDiv gives a·b/c cut to a whole number, with a product of 128 bits.
func mulDiv(a, b, c Votes) Votes {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	q, _ := bits.Div64(hi, lo, uint64(c))
	return Votes(q)
}

// mulDivUp is mulDiv, rounded up.
func mulDivUp(a, b, c Votes) Votes {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	q, r := bits.Div64(hi, lo, uint64(c))
	if r > 0 {
		q++
	}
	return Votes(q)
}

// exclude takes candidates out and passes on their papers at their value.
func (g *gregory) exclude(out []int, st *Stage) {
	st.Excluded = g.c.names(out)
	st.Action = "exclusion of " + list(st.Excluded)
	var from []parcel
	for _, c := range out {
		g.state[c] = gone
		from = append(from, g.parcels[c]...)
		g.parcels[c], g.votes[c] = nil, 0
	}
	g.hand(from, func(v Votes) Votes { return v })
}

// largestSurplus gives whose surplus goes next, −1 if there is none.
func (g *gregory) largestSurplus(st *Stage) (int, error) {
	var pending []int
	for _, c := range g.order {
		if g.votes[c] > g.quota {
			pending = append(pending, c)
		}
	}
	if len(pending) == 0 {
		return -1, nil
	}
	top := extreme(pending, g.votes, false)
	if len(top) == 1 {
		return top[0], nil
	}
	pick, t, err := g.ties.pick("surplus", top, g.history[:len(g.history)-1], false, len(g.stages)+1)
	st.Ties = append(st.Ties, t)
	return pick, err
}

// lowest gives who is excluded next.
func (g *gregory) lowest(st *Stage) (int, error) {
	left := g.with(hopeful)
	if g.guard != nil {
		left = slices.DeleteFunc(left, func(c int) bool { return g.guard.guarded[c] })
	}
	if len(left) == 0 {
		return 0, fault.New(fault.Internal, "Nobody is left who could be excluded.")
	}
	low := extreme(left, g.votes, true)
	if len(low) == 1 {
		return low[0], nil
	}
	pick, t, err := g.ties.pick("exclusion", low, g.history[:len(g.history)-1], true, len(g.stages)+1)
	st.Ties = append(st.Ties, t)
	return pick, err
}

// doomed gives the candidates whom the quotas on the result shut out.
func (g *gregory) doomed() []int {
	if g.guard == nil {
		return nil
	}
	return slices.DeleteFunc(g.with(hopeful), func(c int) bool { return !g.guard.doomed[c] })
}

// sureLosers gives the largest group of lowest candidates that together with
// all surpluses has fewer votes than the next one.
func (g *gregory) sureLosers() []int {
	if !g.rule.batch || g.guard != nil {
		return nil
	}
	left := g.with(hopeful)
	slices.SortStableFunc(left, func(a, b int) int { return compare(g.votes[a], g.votes[b]) })
	sum, best := Votes(0), 0
	for _, c := range g.order {
		sum += max(g.votes[c]-g.quota, 0)
	}
	for i := 0; i+1 < len(left) && len(left)-i-1 >= g.c.Seats-len(g.order); i++ {
		if sum += g.votes[left[i]]; sum < g.votes[left[i+1]] {
			best = i + 1
		}
	}
	out := slices.Clone(left[:best])
	slices.Sort(out)
	return out
}

func compare(a, b Votes) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// elect declares whoever has the quota elected, the most votes first, and
// fills the last places.
func (g *gregory) elect(st *Stage) error {
	if err := g.watch(); err != nil {
		return err
	}
	for len(g.order) < g.c.Seats {
		left := g.with(hopeful)
		if g.guard != nil {
			left = g.guard.without(left)
		}
		able := slices.DeleteFunc(slices.Clone(left), func(c int) bool { return g.votes[c] < g.quota })
		if len(able) == 0 {
			if len(left) != g.c.Seats-len(g.order) {
				return nil
			}
			able = left
			st.Note = joinNotes(st.Note, "as many are left as there are places")
		}
		top := extreme(able, g.votes, false)
		pick := top[0]
		if g.guard != nil && len(top) > 1 && g.guard.bites(top, left, g.order) {
			var t Tie
			var err error
			if pick, t, err = g.ties.pick("election", top, g.history, false, len(g.stages)+1); err != nil {
				return err
			}
			st.Ties = append(st.Ties, t)
		}
		g.state[pick] = chosen
		g.order = append(g.order, pick)
		st.Elected = append(st.Elected, g.c.Candidates[pick])
		if err := g.watch(); err != nil {
			return err
		}
	}
	return nil
}

func (g *gregory) watch() error {
	if g.guard == nil || len(g.order) >= g.c.Seats {
		return nil
	}
	return g.guard.update(g.with(hopeful), g.order)
}

// endStage elects and writes the stage down.
func (g *gregory) endStage(st Stage) error {
	if err := g.elect(&st); err != nil {
		return err
	}
	st.Note = joinNotes(st.Note, g.guard.takeNotes()...)
	g.history = append(g.history, slices.Clone(g.votes))
	sum, surplus := g.lost, Votes(0)
	for c, v := range g.votes {
		sum += v
		if g.state[c] == chosen && v > g.quota {
			surplus += v - g.quota
		}
	}
	amount := func(v Votes) Amount { return fixedAmount(v, g.places()) }
	st.Votes = tally(g.c.Candidates, func(c int) (Amount, bool) {
		return amount(g.votes[c]), g.state[c] != gone || g.votes[c] > 0 || slices.Contains(st.Excluded, g.c.Candidates[c])
	})
	st.Quota, st.NonTransferable, st.Surplus = amount(g.quota), amount(g.lost), amount(surplus)
	st.Rounding = amount(g.table.p.total*g.one - sum)
	if len(g.stages) == 0 {
		st.Groups = g.c.byGroup(g.table.p)
	}
	g.stages = append(g.stages, st)
	return nil
}
