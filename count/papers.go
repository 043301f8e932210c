package count

import (
	"math/big"
	"slices"
	"sync"

	"github.com/omov/omov/fault"
)

// Votes is a whole number of votes, or of the units 1/Denominator of the
// papers it belongs to.
type Votes = int64

// MaxCandidates is the largest number of candidates in a contest. A sheet
// grows with its square: 2,000 make some hundred megabytes.
const MaxCandidates = 2000

// MaxVotes bounds the sum of all weights (in units of the denominator) so
// that sums and differences of tallies cannot overflow.
const MaxVotes Votes = 1 << 60

// Mark is one position of a paper: a candidate's number, a Gap, or a
// candidate ranked equal with the mark before it.
type Mark uint16

const (
	// Gap is a rank left empty.
	Gap Mark = 0x7fff

	// endMark stands after the last mark of every group, so that walking a
	// paper needs no second look-up.
	endMark  Mark = 0x7ffe
	equalBit Mark = 0x8000
	candBits Mark = 0x7fff
)

// Candidate gives the number of the candidate; meaningless for a Gap.
func (m Mark) Candidate() int { return int(m & candBits) }

// Equal tells whether this candidate shares its rank with the mark before.
func (m Mark) Equal() bool { return m&equalBit != 0 }

// WithPrevious gives the mark that shares its rank with the mark before it.
func (m Mark) WithPrevious() Mark { return m | equalBit }

// Papers are the papers of one contest or section, identical ones grouped
// (a group is one content and the votes it bears). They are immutable and
// safe for concurrent use. Build them with a Grouper.
type Papers struct {
	candidates int
	marks      []Mark
	starts     []uint32 // where group i begins in marks; it ends before an endMark
	weights    []Votes
	shelves    []uint32 // groups lie on shelves: shelf s holds those from shelves[s] to shelves[s+1]; see shelf
	onShelf    []Votes  // votes on each shelf
	classes    []string // reporting groups; empty: none
	class      []uint8  // of each group of papers, where classes exist
	den        Votes
	total      Votes // sum of weights of papers that bear at least one mark
	blank      Votes
	invalid    Votes
	added      int      // papers handed in, not counting weights
	of         []uint32 // group of each paper in order of adding; nil unless kept
	origin     []int32  // cleaned papers: for each group before, the group here or −1 if aside
	odd        oddity
}

// oddity says which irregular things occur somewhere in the papers, so that
// regular papers are counted without being looked at twice.
type oddity uint8

const (
	hasGap oddity = 1 << iota
	hasRepeat
	hasEqual
)

// Candidates gives how many candidates the papers can name.
func (p *Papers) Candidates() int { return p.candidates }

// Len gives the number of groups.
func (p *Papers) Len() int { return len(p.starts) }

// Added gives the number of papers that were added, whatever their weight,
// those without a mark included.
func (p *Papers) Added() int { return p.added }

// Denominator gives d where weights are whole numbers of 1/d votes.
func (p *Papers) Denominator() Votes { return p.den }

// Total gives the votes on papers with at least one mark, in units of
// 1/Denominator.
func (p *Papers) Total() Votes { return p.total }

// Blank and Invalid give votes on papers without a mark and on spoilt ones.
func (p *Papers) Blank() Votes   { return p.blank }
func (p *Papers) Invalid() Votes { return p.invalid }

// Classes gives the names of the reporting groups, none if papers have none.
func (p *Papers) Classes() []string { return slices.Clone(p.classes) }

// Group gives the marks (not to be changed), the votes and the reporting
// group of group i.
func (p *Papers) Group(i int) (marks []Mark, votes Votes, class int) {
	if p.class != nil {
		class = int(p.class[i])
	}
	return p.at(i), p.weights[i], class
}

// GroupOf gives the group that the n-th added paper belongs to; ok is false
// for a blank paper, and for all unless they were grouped with KeepPapers.
func (p *Papers) GroupOf(n int) (group int, ok bool) {
	if n < 0 || n >= len(p.of) || p.of[n] == noGroup {
		return 0, false
	}
	return int(p.of[n]), true
}

func (p *Papers) at(i int) []Mark {
	from := p.starts[i]
	to := from
	for p.marks[to] != endMark {
		to++
	}
	return p.marks[from:to:to]
}

// noGroup stands for the group of a blank paper.
const noGroup = 1<<32 - 1

// Grouper collects papers and groups identical ones. The zero value is not
// ready; a Grouper is not safe for concurrent use. A reader that has many
// papers at once is faster with Batch.
type Grouper struct {
	p      *Papers
	table  []uint32 // open addressing: group number + 1
	hashes []uint32
	keep   bool
	seen   []uint32 // stamp per candidate, to notice repeats
	stamp  uint32
}

// NewGrouper starts collecting papers over a number of candidates. More than
// MaxCandidates are refused by the first Add and by Papers.
func NewGrouper(candidates int) *Grouper {
	g := &Grouper{p: &Papers{candidates: candidates, den: 1}}
	if candidates >= 0 && candidates <= MaxCandidates {
		g.seen = make([]uint32, candidates)
	}
	return g
}

// KeepPapers remembers the group of each single paper, as an audit log needs
// it: four bytes a paper. To be called before the first Add.
func (g *Grouper) KeepPapers() { g.keep = true }

// SetClasses names the reporting groups that AddIn refers to, at most 255.
// To be called before the first Add.
func (g *Grouper) SetClasses(names []string) error {
	if len(names) > 255 || g.p.Len() > 0 {
		return fault.New(fault.Invalid, "There can be at most 255 reporting groups, named before the first paper.")
	}
	g.p.classes = slices.Clone(names)
	return nil
}

// Add adds one paper that bears the given votes (units of 1/denominator). A
// paper without a mark is blank. The marks are copied.
func (g *Grouper) Add(marks []Mark, votes Votes) error { return g.AddIn(0, marks, votes) }

// AddRanks adds a paper given as ranks: ranks[0] holds the first preferences
// (several are equal, none is a gap).
func (g *Grouper) AddRanks(ranks [][]int, votes Votes) error {
	marks := make([]Mark, 0, len(ranks))
	for _, rank := range ranks {
		if len(rank) == 0 {
			marks = append(marks, Gap)
		}
		for i, c := range rank {
			if c < 0 || c >= g.p.candidates {
				return noCandidate(c, g.p.candidates)
			}
			m := Mark(c)
			if i > 0 {
				m = m.WithPrevious()
			}
			marks = append(marks, m)
		}
	}
	return g.Add(marks, votes)
}

// AddFraction adds a paper whose votes are a fraction, widening the common
// denominator as needed.
func (g *Grouper) AddFraction(marks []Mark, votes *big.Rat) error {
	if !votes.Denom().IsInt64() || !votes.Num().IsInt64() {
		return tooManyVotes()
	}
	d := votes.Denom().Int64()
	if err := g.widen(d); err != nil {
		return err
	}
	n, ok := mulVotes(votes.Num().Int64(), g.p.den/d)
	if !ok {
		return tooManyVotes()
	}
	return g.AddIn(0, marks, n)
}

// widen makes the denominator a multiple of d.
func (g *Grouper) widen(d Votes) error {
	p := g.p
	if d <= 0 {
		return fault.New(fault.Invalid, "A denominator must be positive.")
	}
	if p.den%d == 0 {
		return nil
	}
	f := d / gcd(p.den, d)
	den, ok := mulVotes(p.den, f)
	total, ok2 := mulVotes(p.total+p.blank+p.invalid, f)
	if !ok || !ok2 || total > MaxVotes || den > 1<<40 {
		return fault.New(fault.TooMuch, "The fractions on the papers have no common denominator small enough to count with.")
	}
	p.den, p.total, p.blank, p.invalid = den, p.total*f, p.blank*f, p.invalid*f
	for i := range p.weights {
		p.weights[i] *= f
	}
	return nil
}

// AddIn is Add for a paper of a reporting group.
func (g *Grouper) AddIn(class int, marks []Mark, votes Votes) error {
	p := g.p
	if g.seen == nil {
		return tooManyCandidates(p.candidates)
	}
	if votes < 0 || votes > MaxVotes || p.total+p.blank+p.invalid > MaxVotes-votes {
		return tooManyVotes()
	}
	if len(p.classes) > 0 && class >= len(p.classes) || class < 0 {
		return fault.New(fault.Invalid, "There is no reporting group %d.", class)
	}
	odd, any, err := g.look(marks)
	if err != nil {
		return err
	}
	p.added++
	if !any {
		p.blank += votes
		if g.keep {
			p.of = append(p.of, noGroup)
		}
		return nil
	}
	p.odd |= odd
	p.total += votes
	i := g.find(class, marks)
	p.weights[i] += votes
	if g.keep {
		p.of = append(p.of, i)
	}
	return nil
}

// look checks the marks and says what is irregular about them and whether
// there is any candidate among them.
func (g *Grouper) look(marks []Mark) (odd oddity, any bool, err error) {
	g.stamp++
	if g.stamp == 0 {
		clear(g.seen)
		g.stamp = 1
	}
	for i, m := range marks {
		if m == Gap {
			odd |= hasGap
			continue
		}
		c := m.Candidate()
		if c >= len(g.seen) {
			return odd, any, noCandidate(c, g.p.candidates)
		}
		any = true
		if m.Equal() {
			if i == 0 || marks[i-1] == Gap {
				return odd, any, fault.New(fault.Invalid, "A paper begins with a candidate equal to nobody.")
			}
			odd |= hasEqual
		}
		if g.seen[c] == g.stamp {
			odd |= hasRepeat
		}
		g.seen[c] = g.stamp
	}
	return odd, any, nil
}

// find gives the group with these marks, new if need be.
func (g *Grouper) find(class int, marks []Mark) uint32 {
	p := g.p
	if len(p.starts)*2 >= len(g.table) {
		g.grow()
	}
	h := hashMarks(class, marks)
	mask := uint32(len(g.table) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		e := g.table[at]
		if e == 0 {
			g.table[at] = uint32(len(p.starts)) + 1
			g.hashes = append(g.hashes, h)
			p.starts = append(p.starts, uint32(len(p.marks)))
			p.marks = append(append(p.marks, marks...), endMark)
			p.weights = append(p.weights, 0)
			if len(p.classes) > 0 {
				p.class = append(p.class, uint8(class))
			}
			return uint32(len(p.starts)) - 1
		}
		if i := e - 1; g.hashes[i] == h && slices.Equal(p.at(int(i)), marks) &&
			(p.class == nil || int(p.class[i]) == class) {
			return i
		}
	}
}

func (g *Grouper) grow() {
	n := max(256, len(g.table)*4)
	g.table = make([]uint32, n)
	mask := uint32(n - 1)
	for i, h := range g.hashes {
		at := h & mask
		for g.table[at] != 0 {
			at = (at + 1) & mask
		}
		g.table[at] = uint32(i) + 1
	}
}

// hashMarks mixes the marks; it only has to spread them, a collision costs a
// comparison.
func hashMarks(class int, marks []Mark) uint32 {
	h := uint64(class)*0x9e3779b97f4a7c15 + hashSeed
	for _, m := range marks {
		h = (h ^ uint64(m)) * hashFactor
		h ^= h >> 29
	}
	return uint32(h >> 32)
}

const (
	hashSeed   uint64 = 0x2545f4914f6cdd1d
	hashFactor uint64 = 0xff51afd7ed558ccd
)

// Blank adds votes on papers without any mark, Spoil votes on invalid ones.
func (g *Grouper) Blank(votes Votes) error { return g.aside(&g.p.blank, votes) }
func (g *Grouper) Spoil(votes Votes) error { return g.aside(&g.p.invalid, votes) }

func (g *Grouper) aside(to *Votes, votes Votes) error {
	if votes < 0 || votes > MaxVotes || g.p.total+g.p.blank+g.p.invalid > MaxVotes-votes {
		return tooManyVotes()
	}
	*to += votes
	return nil
}

// Papers ends the collecting and gives what was collected. The Grouper must
// not be used afterwards.
func (g *Grouper) Papers() *Papers {
	p, _ := g.papers()
	return p
}

// papers also gives the number that each group had while it was collected.
func (g *Grouper) papers() (*Papers, []uint32) {
	p := g.p
	g.p, g.table, g.hashes = nil, nil, nil
	lengths := make([]uint32, len(p.starts))
	for i, at := range p.starts {
		next := uint32(len(p.marks))
		if i+1 < len(p.starts) {
			next = p.starts[i+1]
		}
		lengths[i] = next - at - 1
	}
	from := p.shelve(run{p.starts, p.weights, p.class, p.shelvesOf(p.starts), lengths})
	if p.of != nil {
		to := make([]uint32, len(from))
		for now, before := range from {
			to[before] = uint32(now)
		}
		for i, k := range p.of {
			if k != noGroup {
				p.of[i] = to[k]
			}
		}
	}
	return p, from
}

// maxShelved is up to how many candidates shelves go by second mark too.
const maxShelved = 64

// width is how many shelves each first mark has.
func (p *Papers) width() int {
	if p.candidates > maxShelved {
		return 1
	}
	return p.candidates + 1
}

// shelf gives the shelf of the paper at an index of marks: by first mark and,
// with up to maxShelved candidates, by second. Where a mark is no candidate
// standing alone in its rank (the end, a gap, equals) it counts as one beyond
// the last candidate.
func (p *Papers) shelf(marks []Mark, at uint32) uint16 {
	alone := func(at uint32) int {
		m := marks[at]
		if int(m) >= p.candidates || marks[at+1].Equal() {
			return p.candidates
		}
		return int(m)
	}
	first := alone(at)
	w := p.width()
	if w == 1 {
		return uint16(first)
	}
	second := p.candidates
	if first < p.candidates {
		second = alone(at + 1)
	}
	return uint16(first*w + second)
}

func (p *Papers) shelvesOf(starts []uint32) []uint16 {
	out := make([]uint16, len(starts))
	for i, at := range starts {
		out[i] = p.shelf(p.marks, at)
	}
	return out
}

// run is groups as they were collected.
type run struct {
	starts  []uint32
	weights []Votes
	class   []uint8
	shelf   []uint16
	lengths []uint32 // marks of each group
}

// shelve lays groups on their shelves, on each in the order they have. It
// gives for each group the number it had before, counting through all runs.
func (p *Papers) shelve(runs ...run) []uint32 {
	n := (p.candidates + 1) * p.width()
	p.shelves = make([]uint32, n+1)
	p.onShelf = make([]Votes, n)
	total := 0
	for _, r := range runs {
		for i, s := range r.shelf {
			p.shelves[s+1]++
			p.onShelf[s] += r.weights[i]
		}
		total += len(r.shelf)
	}
	for i := range n {
		p.shelves[i+1] += p.shelves[i]
	}
	next := slices.Clone(p.shelves)
	p.starts, p.weights = make([]uint32, total), make([]Votes, total)
	lengths := make([]uint32, total)
	from := make([]uint32, total)
	if len(p.classes) > 0 {
		p.class = make([]uint8, total)
	}
	before := uint32(0)
	for _, r := range runs {
		for i, s := range r.shelf {
			at := next[s]
			next[s]++
			p.starts[at], p.weights[at], from[at], lengths[at] = r.starts[i], r.weights[i], before, r.lengths[i]
			if p.class != nil {
				p.class[at] = r.class[i]
			}
			before++
		}
	}
	p.layOut(lengths)
	return from
}

// layOut copies the marks into the order of the groups, so that papers that
// lie together in a count lie together in memory.
func (p *Papers) layOut(lengths []uint32) {
	to := make([]uint32, len(lengths))
	size := uint32(0)
	for i, n := range lengths {
		to[i] = size
		size += n + 1
	}
	marks := make([]Mark, size)
	lay := func(lo, hi int) {
		for i := lo; i < hi; i++ {
			copy(marks[to[i]:to[i]+lengths[i]+1], p.marks[p.starts[i]:])
		}
	}
	if half := len(to) / 2; len(to) >= parallelFrom {
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			defer wg.Done()
			lay(half, len(to))
		}()
		lay(0, half)
		wg.Wait()
	} else {
		lay(0, len(to))
	}
	p.marks, p.starts = marks, to
}

func gcd(a, b Votes) Votes {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// mulVotes multiplies and tells whether the product stays within MaxVotes.
func mulVotes(a, b Votes) (Votes, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	if a < 0 || b < 0 || a > MaxVotes/b {
		return 0, false
	}
	return a * b, true
}

func noCandidate(c, n int) error {
	return fault.New(fault.Invalid, "A paper names candidate %d, but there are only %d.", c+1, n)
}

func tooManyCandidates(n int) error {
	return fault.New(fault.TooMuch, "There are %d candidates; at most %d can be counted.", n, MaxCandidates)
}

func tooManyVotes() error {
	return fault.New(fault.TooMuch, "The votes on the papers are negative or add up to more than can be counted exactly (%d).", MaxVotes)
}

// Denominator gives the common denominator so far.
func (g *Grouper) Denominator() Votes { return g.p.den }
