package count

import (
	"math/big"
	"slices"
	"sync"

	"github.com/omov/omov/fault"
)

// pairMethods lists the methods that compare candidates two by two.
func pairMethods() []Method {
	m := func(id, name, source string, f func(*Contest, []Section) (*Sheet, error)) Method {
		return Method{ID: id, Name: name, Kind: Ranked, Source: source, Gaps: Skip, Repeats: Skip, Equals: Share, Equal: true, count: f}
	}
	return []Method{
		m("schulze", "Schulze", "Schulze, A new monotonic … single-winner election method, Social Choice and Welfare 36 (2011)", countSchulze),
		m("debian", "Debian", "Debian Constitution, appendix A.5 (quorum, majority, cloneproof Schwartz sequential dropping)", countDebian),
		m("ranked-pairs", "Ranked pairs", "Tideman, Independence of clones, Social Choice and Welfare 4 (1987)", countRankedPairs),
		m("minimax", "Minimax", "Simpson (1969), Kramer (1977): the smallest greatest defeat", countMinimax),
	}
}

// pairs holds the votes for each over each, in units of the denominator: an
// option that a paper does not rank is below all that it ranks, and equal to
// the others it does not rank.
type pairs struct {
	n   int
	den Votes
	v   []Votes // v[a*n+b]: votes that rank a above b
}

func (p *pairs) over(a, b int) Votes { return p.v[a*p.n+b] }

// countPairs compares all candidates on all papers, on two processors where
// there are many.
func countPairs(t *Papers) *pairs {
	n := t.candidates
	out := &pairs{n: n, den: t.den, v: make([]Votes, n*n)}
	groups := t.Len()
	if groups < parallelFrom {
		out.add(t, 0, groups)
		return out
	}
	other := &pairs{n: n, v: make([]Votes, n*n)}
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		other.add(t, groups/2, groups)
	}()
	out.add(t, 0, groups/2)
	wg.Wait()
	for i, v := range other.v {
		out.v[i] += v
	}
	return out
}

// add adds the groups from lo to hi. A candidate beats all who have not been
// seen when their rank is read; the unseen are kept as a bit set where there
// are at most 64 candidates.
func (p *pairs) add(t *Papers, lo, hi int) {
	seen := make([]bool, p.n)
	list := make([]int, p.n) // unseen candidates in list[:k], by position
	pos := make([]int, p.n)
	for i := range list {
		list[i], pos[i] = i, i
	}
	for i := lo; i < hi; i++ {
		w, marks := t.weights[i], t.at(i)
		k := p.n
		take := func(c int) {
			k--
			last, at := list[k], pos[c]
			list[at], list[k] = last, c
			pos[last], pos[c] = at, k
			seen[c] = true
		}
		for j := 0; j < len(marks); {
			end := j + 1
			for end < len(marks) && marks[end].Equal() {
				end++
			}
			for _, m := range marks[j:end] {
				if m != Gap && !seen[m.Candidate()] {
					take(m.Candidate())
				}
			}
			for _, m := range marks[j:end] {
				if m == Gap {
					continue
				}
				row := p.v[m.Candidate()*p.n : (m.Candidate()+1)*p.n]
				for _, b := range list[:k] {
					row[b] += w
				}
			}
			j = end
		}
		for _, m := range marks {
			if m != Gap {
				seen[m.Candidate()] = false
			}
		}
	}
}

// pairwise is a count by pairs in progress.
type pairwise struct {
	c     *Contest
	p     *pairs
	in    []int // options still in
	sheet *Sheet
	stage Stage
	ties  *breaker
}

// maxPairwise bounds the candidates of the pairwise methods: their work grows
// with the third power.
const maxPairwise = 1000

func newPairwise(c *Contest, sections []Section) (*pairwise, error) {
	if n := len(c.Candidates); n > maxPairwise {
		return nil, fault.New(fault.TooMuch, "There are %d candidates; methods that compare them two by two take at most %d.", n, maxPairwise)
	}
	x := &pairwise{c: c, p: countPairs(sections[0].Papers), in: c.standing(), ties: newBreaker(c, TiesLot)}
	x.sheet = &Sheet{}
	for a := range c.Candidates {
		row := make([]Amount, len(c.Candidates))
		for b := range row {
			row[b] = amountOf(x.p.over(a, b), x.p.den)
		}
		x.sheet.Pairs = append(x.sheet.Pairs, row)
	}
	first, _ := firstVotes(sections[0].Papers)
	x.stage = Stage{Action: "pairs", Groups: c.byGroup(sections[0].Papers),
		Votes: tally(c.Candidates, func(i int) (Amount, bool) { return amountOf(first[i], x.p.den), slices.Contains(x.in, i) })}
	x.stage.Note = "votes are first preferences; the pairs decide"
	return x, nil
}

// strength gives how strong the defeat of b by a is; 0 where a does not
// defeat b.
func (x *pairwise) strength(a, b int) Votes {
	ab, ba := x.p.over(a, b), x.p.over(b, a)
	switch {
	case x.c.Condorcet.Strength == "opposition":
		return ab
	case ab <= ba:
		return 0
	case x.c.Condorcet.Strength == "margin":
		return ab - ba
	}
	return ab
}

// finish ranks the options from top to bottom by rows of equals and elects
// the first; equals at the top go to the lot.
func (x *pairwise) finish(rows [][]int) (*Sheet, error) {
	for _, r := range rows {
		x.sheet.Ranking = append(x.sheet.Ranking, x.c.names(r))
	}
	top := rows[0]
	pick := top[0]
	if len(top) > 1 {
		var t Tie
		var err error
		if pick, t, err = x.ties.pick("election", top, nil, false, 1); err != nil {
			return nil, err
		}
		x.stage.Ties = append(x.stage.Ties, t)
	}
	x.stage.Elected = x.c.names([]int{pick})
	x.sheet.Elected = x.stage.Elected
	x.sheet.Stages = append(x.sheet.Stages, x.stage)
	return x.sheet, nil
}

// beaten makes rows: those whom nobody beats, then, without them, again. The
// relation must not have cycles.
func beaten(of []int, beats func(a, b int) bool) [][]int {
	var rows [][]int
	left := slices.Clone(of)
	for len(left) > 0 {
		var row []int
		for _, a := range left {
			if !slices.ContainsFunc(left, func(b int) bool { return beats(b, a) }) {
				row = append(row, a)
			}
		}
		if len(row) == 0 { // a cycle cannot be, but a loop must end
			row = slices.Clone(left)
		}
		rows = append(rows, row)
		left = slices.DeleteFunc(left, func(c int) bool { return slices.Contains(row, c) })
	}
	return rows
}

// countSchulze is the Schulze method: the strength of a path is that of its
// weakest link, the strongest path from a to b is compared with that from b
// to a, and whoever is not beaten so is elected; links are measured by
// winning votes, or by margins.
func countSchulze(c *Contest, sections []Section) (*Sheet, error) {
	x, err := newPairwise(c, sections)
	if err != nil {
		return nil, err
	}
	if err := c.noOpposition(); err != nil {
		return nil, err
	}
	path := x.paths()
	n := len(c.Candidates)
	return x.finish(beaten(x.in, func(a, b int) bool { return path[a*n+b] > path[b*n+a] }))
}

// paths gives the strength of the strongest path between each two options
// that are in (Floyd and Warshall).
func (x *pairwise) paths() []Votes {
	n := len(x.c.Candidates)
	path := make([]Votes, n*n)
	for _, a := range x.in {
		for _, b := range x.in {
			if a != b {
				path[a*n+b] = x.strength(a, b)
			}
		}
	}
	for _, k := range x.in {
		for _, a := range x.in {
			if a == k || path[a*n+k] == 0 {
				continue
			}
			for _, b := range x.in {
				if b != a && b != k {
					path[a*n+b] = max(path[a*n+b], min(path[a*n+k], path[k*n+b]))
				}
			}
		}
	}
	return path
}

// countMinimax elects whoever's worst defeat is smallest: by winning votes,
// by margins, or by the greatest opposition in any comparison.
func countMinimax(c *Contest, sections []Section) (*Sheet, error) {
	x, err := newPairwise(c, sections)
	if err != nil {
		return nil, err
	}
	worst := make([]Votes, len(c.Candidates))
	for _, a := range x.in {
		for _, b := range x.in {
			if a != b {
				worst[a] = max(worst[a], x.strength(b, a))
			}
		}
	}
	x.stage.Votes = tally(c.Candidates, func(i int) (Amount, bool) { return amountOf(worst[i], x.p.den), slices.Contains(x.in, i) })
	x.stage.Note = "votes are each candidate's greatest defeat; the smallest is elected"
	return x.finish(beaten(x.in, func(a, b int) bool { return worst[a] < worst[b] }))
}

// atLeast compares votes/den with a number, exactly.
func atLeast(votes, den Votes, r *big.Rat) bool { return big.NewRat(votes, den).Cmp(r) >= 0 }
