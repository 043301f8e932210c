package count

import (
	"fmt"
	"slices"

	"github.com/omov/omov/fault"
)

// meekRule is what tells the two Meek rules apart. Both keep nine places.
type meekRule struct {
	ties  TieRule
	omega Votes // iteration ends below this total surplus, in 10⁻⁹ votes
	sure  bool  // a candidate who cannot catch up is excluded before it ends
	tied  bool  // for exclusion, whoever is within the surplus of the lowest is tied
	cut   bool  // shares are cut at nine places, not rounded up; deficits count against surpluses
}

// countMeekPRF is the Proportional Representation Foundation's Reference Meek
// Rule: nine places; ω = 0.000001; a paper's share w·kf is rounded up; quota
// = votes/(seats+1) cut, plus 10⁻⁹, renewed at each iteration; keep factor
// kf·quota (up)/votes (up); candidates within the total surplus of the
// lowest are tied, and a tie goes to the lot. Sure losers are not excluded
// together.
//
// Papers with equal ranks, which the rule does not speak of, are shared in
// equal parts among those of the rank who are not excluded, cut at nine
// places, and what they do not keep goes on together (Hill's way).
func countMeekPRF(c *Contest, sections []Section) (*Sheet, error) {
	return countMeek(c, sections[0].Papers, meekRule{ties: TiesLot, omega: 1000, tied: true})
}

// countMeekNZ is the New Zealand method, Local Electoral Regulations 2001,
// schedule 1A: nine places; quota = (votes − non-transferable)/(seats+1) cut,
// plus 10⁻⁹; shares and keep values rounded up; iteration until the total
// surplus is below 0.0001, or until the lowest candidate and the surplus
// together have fewer votes than the next one. Ties: ahead at the first
// difference; the schedule's pseudo-random numbers are replaced by the
// committed lot.
func countMeekNZ(c *Contest, sections []Section) (*Sheet, error) {
	return countMeek(c, sections[0].Papers, meekRule{ties: TiesForward, omega: 100_000, sure: true})
}

// countMeek9 is Meek's method as programs in the line of Hill's count it,
// with nine places and ω = 0.000001: what a candidate keeps and what goes on
// are both cut, iteration ends at or below ω, and the surplus is the plain
// sum. A paper with equal ranks is split at each rank into equal parts, one
// for each of the rank who is not excluded, and each part goes on by itself.
//
// Source: Hill, Wichmann and Woodall, Computer Journal 30 (1987), 277–281,
// and the published logs of stv-rs, which it equals to the last place except
// that there a paper ends at a rank of which all are excluded.
func countMeek9(c *Contest, sections []Section) (*Sheet, error) {
	return countMeek(c, sections[0].Papers, meekRule{ties: TiesLot, omega: 1000, tied: true, cut: true})
}

const meekPlaces, meekOne = 9, Votes(1_000_000_000)

// meek is a count in progress.
type meek struct {
	c        *Contest
	rule     meekRule
	table    pool
	root     *meekNode
	tied     []item // papers with equal ranks
	state    []state
	alive    []bool // not withdrawn, not excluded
	keep     []Votes
	votes    []Votes
	lost     Votes
	quota    Votes
	surplus  Votes
	history  [][]Votes
	order    []int
	guard    *guard
	ties     *breaker
	stages   []Stage
	turns    int // iterations since the last stage
	branches int
}

// meekNode is papers that agree so far: what a paper keeps and passes on
// depends only on whom it has named up to here.
type meekNode struct {
	candidate int
	votes     Votes
	papers    []item // not yet dealt further
	open      bool
	kids      []*meekNode
	ended     Votes // votes on papers that name nobody further
}

func countMeek(c *Contest, p *Papers, rule meekRule) (*Sheet, error) {
	if p.den != 1 {
		return nil, fault.New(fault.Invalid, "This method counts whole papers; the papers bear fractions of %d.", p.den)
	}
	if _, ok := mulVotes(p.total, meekOne); !ok {
		return nil, fault.New(fault.TooMuch, "There are too many votes to count with nine decimal places; at most %d.", MaxVotes/meekOne)
	}
	n := len(c.Candidates)
	m := &meek{c: c, rule: rule, table: pool{p: p}, state: make([]state, n), alive: make([]bool, n), keep: make([]Votes, n),
		votes: make([]Votes, n), guard: newGuard(c), ties: newBreaker(c, rule.ties)}
	for _, x := range c.standing() {
		m.state[x], m.alive[x], m.keep[x] = hopeful, true, meekOne
	}
	m.plant()
	if err := m.run(); err != nil {
		return nil, err
	}
	s := &Sheet{Stages: m.stages, Elected: c.names(m.order), Quota: fixedAmount(m.quota, meekPlaces)}
	if c.Trail {
		s.Trail = [][]Path{m.paths()}
	}
	return s, nil
}

// plant makes the root of the tree of papers and sets those with equal ranks
// aside.
func (m *meek) plant() {
	m.root = &meekNode{candidate: -1}
	if m.table.p.odd&hasEqual != 0 {
		all := m.table.open(m.table.all())
		plain := make([]item, 0, len(all))
		for _, x := range all {
			if slices.ContainsFunc(m.table.p.at(int(x.group)), Mark.Equal) {
				m.tied = append(m.tied, x)
			} else {
				plain = append(plain, x)
			}
		}
		m.root.papers = plain
	}
}

// spread deals the papers of a node to its kids.
func (m *meek) spread(n *meekNode) {
	n.open = true
	if n.candidate >= 0 {
		for i := range n.papers {
			n.papers[i].at++
		}
	}
	var d dealt
	if n == m.root && n.papers == nil {
		d = m.table.start(m.alive)
	} else {
		d = m.table.dealPlain(m.alive, pile{items: n.papers})
	}
	n.papers, n.ended = nil, d.lost
	for c, piles := range d.piles {
		if len(piles) > 0 {
			n.kids = append(n.kids, &meekNode{candidate: c, votes: d.votes[c], papers: m.table.concat(piles)})
		}
	}
}

// distribute is one iteration: every paper gives each candidate it names the
// part that the keep factor says of what has reached them.
func (m *meek) distribute() {
	clear(m.votes)
	m.lost = 0
	m.walk(m.root, meekOne)
	for _, x := range m.tied {
		if m.rule.cut {
			m.branches = 0
			m.branch(x.at, meekOne, m.table.p.weights[x.group])
		} else {
			m.share(x.at, meekOne, m.table.p.weights[x.group])
		}
	}
	sum := Votes(0)
	for _, v := range m.votes {
		sum += v
	}
	m.quota = sum/Votes(m.c.Seats+1) + 1
}

// walk passes the value w of one paper on to the kids of a node.
func (m *meek) walk(n *meekNode, w Votes) {
	if !n.open {
		m.spread(n)
	}
	m.lost += n.ended * w
	for _, k := range n.kids {
		rest := w
		if m.alive[k.candidate] {
			var part Votes
			part, rest = m.rule.split(w, m.keep[k.candidate])
			m.votes[k.candidate] += part * k.votes
			m.lost += (w - part - rest) * k.votes
		}
		if rest > 0 {
			m.walk(k, rest)
		}
	}
}

// split divides what has reached a candidate into what they keep and what
// goes on.
func (r meekRule) split(w, keep Votes) (part, rest Votes) {
	if r.cut {
		return mulDiv(w, keep, meekOne), mulDiv(w, meekOne-keep, meekOne)
	}
	part = mulDivUp(w, keep, meekOne)
	return part, w - part
}

// rank gives the end of the rank that begins at a mark and how many of it are
// not excluded.
func (m *meek) rank(at uint32) (end uint32, alive Votes) {
	marks := m.table.p.marks
	for end = at; end == at || marks[end] != endMark && marks[end].Equal(); end++ {
		if m.alive[marks[end].Candidate()] {
			alive++
		}
	}
	return end, alive
}

// maxBranches bounds the parts that one paper is split into; beyond, parts
// go on together, which changes no more than the last places.
const maxBranches = 1 << 16

// branch passes a part of a paper with equal ranks on.
func (m *meek) branch(at uint32, w, papers Votes) {
	marks := m.table.p.marks
	if m.branches++; m.branches > maxBranches {
		m.share(at, w, papers)
		return
	}
	for marks[at] != endMark {
		end, alive := m.rank(at)
		if alive == 0 {
			at = end
			continue
		}
		rests := make([]Votes, 0, alive)
		each := w / alive
		m.lost += (w - each*alive) * papers
		for _, mark := range marks[at:end] {
			c := mark.Candidate()
			if !m.alive[c] {
				continue
			}
			part, rest := m.rule.split(each, m.keep[c])
			m.votes[c] += part * papers
			m.lost += (each - part - rest) * papers
			rests = append(rests, rest)
		}
		// Equal parts go on alike, so they are followed once.
		slices.Sort(rests)
		for i := 0; i < len(rests); {
			j := i
			for j < len(rests) && rests[j] == rests[i] {
				j++
			}
			if rests[i] > 0 {
				m.branch(end, rests[i], papers*Votes(j-i))
			}
			i = j
		}
		return
	}
	m.lost += w * papers
}

// share does the same for a paper with equal ranks.
func (m *meek) share(at uint32, w, papers Votes) {
	marks := m.table.p.marks
	for w > 0 && marks[at] != endMark {
		end, k := m.rank(at)
		if k > 0 {
			each, rest := w/k, w-w/k*k
			for _, c := range marks[at:end] {
				if m.alive[c.Candidate()] {
					part := mulDivUp(each, m.keep[c.Candidate()], meekOne)
					m.votes[c.Candidate()] += part * papers
					rest += each - part
				}
			}
			w = rest
		}
		at = end
	}
	m.lost += w * papers
}

func (m *meek) run() error {
	m.distribute()
	if err := m.watch(); err != nil {
		return err
	}
	action := "first preferences"
	for len(m.order) < m.c.Seats {
		st := Stage{Action: action}
		if len(m.hopefuls()) <= m.c.Seats-len(m.order) {
			return m.fill(st)
		}
		before := len(m.order)
		out, err := m.iterate(&st)
		if err != nil {
			return err
		}
		if len(m.order) > before {
			action = "iteration after the election of " + list(st.Elected)
		} else {
			st.Excluded = m.c.names(out)
			action = "iteration after the exclusion of " + list(st.Excluded)
		}
		m.write(st)
		for _, c := range out {
			m.state[c], m.alive[c], m.keep[c] = gone, false, 0
		}
		if err := m.watch(); err != nil {
			return err
		}
	}
	return nil
}

func (m *meek) watch() error {
	if m.guard == nil || len(m.order) >= m.c.Seats {
		return nil
	}
	return m.guard.update(m.hopefuls(), m.order)
}

func (m *meek) hopefuls() []int {
	var out []int
	for i, s := range m.state {
		if s == hopeful {
			out = append(out, i)
		}
	}
	return out
}

// fill elects those who are left, the most votes first.
func (m *meek) fill(st Stage) error {
	m.distribute()
	m.total()
	left := m.hopefuls()
	slices.SortStableFunc(left, func(a, b int) int { return compare(m.votes[b], m.votes[a]) })
	for _, c := range left {
		m.choose(c, &st)
	}
	st.Note = joinNotes(st.Note, "as many are left as there are places")
	m.write(st)
	return nil
}

func (m *meek) choose(c int, st *Stage) {
	m.state[c] = chosen
	m.order = append(m.order, c)
	st.Elected = append(st.Elected, m.c.Candidates[c])
}

// maxTurns bounds the iterations of one stage; keep factors only go down, so
// a count that needs more does not exist, but a loop must have an end.
const maxTurns = 100_000

// iterate goes on until somebody is elected or it is clear who is excluded.
func (m *meek) iterate(st *Stage) ([]int, error) {
	last := Votes(-1)
	if m.rule.cut {
		last = m.table.p.total * meekOne
	}
	for m.turns = 1; m.turns < maxTurns; m.turns++ {
		m.distribute()
		elected, err := m.electReady(st)
		if err != nil {
			return nil, err
		}
		m.total()
		if elected {
			return nil, nil
		}
		if m.guard != nil {
			if out := slices.DeleteFunc(m.hopefuls(), func(c int) bool { return !m.guard.doomed[c] }); len(out) > 0 {
				st.Note = joinNotes(st.Note, "excluded because the quotas on the result cannot be kept with them")
				return out, nil
			}
		}
		if m.rule.sure {
			if low, ok := m.sureLoser(); ok {
				st.Note = joinNotes(st.Note, m.c.Candidates[low]+" cannot catch up even with all of the surplus")
				return []int{low}, nil
			}
		}
		if m.surplus < m.rule.omega || m.rule.cut && m.surplus == m.rule.omega || last >= 0 && m.surplus >= last {
			low, err := m.lowest(st)
			return []int{low}, err
		}
		last = m.surplus
		for _, c := range m.order {
			if !m.rule.sure || m.votes[c] > m.quota {
				m.keep[c] = mulDivUp(mulDivUp(m.keep[c], m.quota, meekOne), meekOne, m.votes[c])
			}
		}
	}
	return nil, fault.New(fault.Internal, "The iteration does not end.")
}

// electReady elects whoever has the quota, the most votes first.
func (m *meek) electReady(st *Stage) (bool, error) {
	before := len(m.order)
	for len(m.order) < m.c.Seats {
		able := slices.DeleteFunc(m.hopefuls(), func(c int) bool {
			return m.votes[c] < m.quota || m.guard != nil && m.guard.doomed[c]
		})
		if len(able) == 0 {
			break
		}
		top := extreme(able, m.votes, false)
		pick := top[0]
		if m.guard != nil && len(top) > 1 && m.guard.bites(top, m.hopefuls(), m.order) {
			var t Tie
			var err error
			if pick, t, err = m.ties.pick("election", top, m.history, false, len(m.stages)+1); err != nil {
				return false, err
			}
			st.Ties = append(st.Ties, t)
		}
		m.choose(pick, st)
		if err := m.watch(); err != nil {
			return false, err
		}
	}
	return len(m.order) > before, nil
}

// total adds up the surpluses.
func (m *meek) total() {
	sum := Votes(0)
	for _, c := range m.order {
		sum += m.votes[c] - m.quota
	}
	if m.surplus = max(sum, 0); m.rule.cut {
		m.surplus = sum
	}
}

// unguarded gives those who may be excluded, the lowest first.
func (m *meek) unguarded() []int {
	left := m.hopefuls()
	if m.guard != nil {
		left = slices.DeleteFunc(left, func(c int) bool { return m.guard.guarded[c] })
	}
	slices.SortStableFunc(left, func(a, b int) int { return compare(m.votes[a], m.votes[b]) })
	return left
}

func (m *meek) sureLoser() (int, bool) {
	left := m.unguarded()
	if len(left) > 1 && m.votes[left[0]]+m.surplus < m.votes[left[1]] {
		return left[0], true
	}
	return 0, false
}

// lowest gives who is excluded.
func (m *meek) lowest(st *Stage) (int, error) {
	left := m.unguarded()
	if len(left) == 0 {
		return 0, fault.New(fault.Internal, "Nobody is left who could be excluded.")
	}
	within := Votes(0)
	if m.rule.tied {
		within = max(m.surplus, 0)
	}
	low := slices.DeleteFunc(left, func(c int) bool { return m.votes[c] > m.votes[left[0]]+within })
	slices.Sort(low)
	if len(low) == 1 {
		return low[0], nil
	}
	pick, t, err := m.ties.pick("exclusion", low, m.history, true, len(m.stages)+1)
	st.Ties = append(st.Ties, t)
	return pick, err
}

// write writes a stage down.
func (m *meek) write(st Stage) {
	amount := func(v Votes) Amount { return fixedAmount(v, meekPlaces) }
	m.history = append(m.history, slices.Clone(m.votes))
	show := func(c int) bool { return m.alive[c] }
	st.Votes = tally(m.c.Candidates, func(c int) (Amount, bool) { return amount(m.votes[c]), show(c) })
	st.Keep = tally(m.c.Candidates, func(c int) (Amount, bool) { return amount(m.keep[c]), m.state[c] == chosen })
	st.Quota, st.NonTransferable, st.Surplus = amount(m.quota), amount(m.lost), amount(m.surplus)
	if m.turns > 1 {
		st.Note = joinNotes(st.Note, fmt.Sprintf("after %d iterations", m.turns))
	}
	st.Note = joinNotes(st.Note, m.guard.takeNotes()...)
	if len(m.stages) == 0 {
		st.Groups = m.c.byGroup(m.table.p)
	}
	m.stages = append(m.stages, st)
}

// paths gives, for each group of papers, what the candidates keep of it at
// the end: the whole of a Meek count's audit, since papers do not move but
// are shared anew at each stage.
func (m *meek) paths() []Path {
	t := newTrail(m.table.p)
	for i := range t.path {
		w := meekOne
		for _, mark := range m.table.p.at(i) {
			c := mark.Candidate()
			if mark.Equal() || !m.alive[c] || w == 0 {
				continue
			}
			var part Votes
			part, w = m.rule.split(w, m.keep[c])
			t.path[i] = append(t.path[i], Step{len(m.stages), c, fixedAmount(part, meekPlaces)})
		}
		if w > 0 {
			t.path[i] = append(t.path[i], Step{len(m.stages), -1, fixedAmount(w, meekPlaces)})
		}
	}
	return t.paths()
}
