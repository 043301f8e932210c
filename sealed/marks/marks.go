// Package marks writes what a voter put on a paper as one whole number, and
// that number as elements of the group.
//
// It decides which papers there are for a form and which number each one has,
// with no gaps: every number below Count is a paper, and every paper has one
// number. It never encrypts and never counts.
//
// # Numbers
//
// A paper is a list with a number for each option, in the manifest's order; 0
// is "nothing". What the others mean depends on the form:
//
//   - ranks: 1 for the first preference, 2 for the second and so on, without
//     gaps, no two alike;
//   - equal: the same, but several options may share a rank;
//   - marks: 1 for a mark, at most Most of them;
//   - points: the points given, plus one (1 is "no points", said expressly).
//
// ranks: papers with fewer preferences come first. Those with k preferences
// are numbered by their Lehmer code: for each rank in turn, the place of the
// option among those not yet ranked, in the mixed radix n, n-1, …, n-k+1, the
// first rank being the most significant. With at most Most preferences.
//
// equal: with W(m) the number of papers over m options, 0 is the empty one;
// otherwise the options of the first rank are a set of size k out of the m
// left: number = 1 + Σ_{j<k} C(m,j)·W(m-j) + place·W(m-k) + number of the
// rest, where j runs from 1 and place is that of the set among those of its
// size in lexicographic order.
//
// marks: papers with fewer marks come first, then lexicographic order.
//
// points: digits in base Top+2, the first option being the most significant.
//
// # Elements
//
// A number is cut into digits in base 2^240, as many as Elements says, the most
// significant first. A digit fills bytes 1 to 30 of an encoding, big-endian;
// byte 0 is 2i and byte 31 is j, with 0 ≤ i, j ≤ 127, and the first of (i, j) =
// (0,0), (1,0), …, (127,0), (0,1), … that decodes is taken. Reading one requires
// that no earlier one decodes: otherwise the choice would be a mark by which a
// paper could be told.
package marks

import (
	"math/big"
	"math/bits"

	"github.com/omov/omov/fault"
)

// Kind says what the numbers of a paper mean.
type Kind string

// The kinds of paper.
const (
	Ranks  Kind = "ranks"
	Equal  Kind = "equal"
	Marks  Kind = "marks"
	Points Kind = "points"
)

// Bounds on a form.
const (
	MaxOptions  = 400
	MaxElements = 32
	MaxPoints   = 1000
)

// Form is what may stand on a paper.
type Form struct {
	Kind    Kind `json:"kind"`
	Options int  `json:"options"` // how many options
	Most    int  `json:"most"`    // ranks, marks: at most so many; 0 means as many as options
	Top     int  `json:"top"`     // points: the most for one option
}

// digitBits is what one element holds.
const digitBits = 240

// Check refuses a form that means nothing or is too large.
func (f Form) Check() error {
	switch {
	case f.Options < 1 || f.Options > MaxOptions:
		return fault.New(fault.Invalid, "a paper has 1 to %d options, not %d", MaxOptions, f.Options)
	case f.Most < 0 || f.Most > f.Options:
		return fault.New(fault.Invalid, "a limit of %d on %d options means nothing", f.Most, f.Options)
	case f.Most > 0 && f.Kind != Ranks && f.Kind != Marks:
		return fault.New(fault.Invalid, "only ranks and marks have a limit on how many")
	case f.Kind == Points && (f.Top < 1 || f.Top > MaxPoints):
		return fault.New(fault.Invalid, "an option can be given at most 1 to %d points, not %d", MaxPoints, f.Top)
	case f.Kind != Points && f.Top != 0:
		return fault.New(fault.Invalid, "only points have a most for one option")
	case f.Kind != Ranks && f.Kind != Equal && f.Kind != Marks && f.Kind != Points:
		return fault.New(fault.Invalid, "there is no kind of paper called %q", f.Kind)
	case f.Elements() > MaxElements:
		return fault.New(fault.TooMuch, "a paper of this form would take %d elements, more than %d: fewer options, or a limit on the preferences", f.Elements(), MaxElements)
	}
	return nil
}

func (f Form) most() int {
	if f.Most == 0 {
		return f.Options
	}
	return f.Most
}

// Book numbers the papers of one form; it keeps what is looked up again and
// again. It is safe for concurrent use.
type Book struct {
	form  Form
	count *big.Int
	// ranks, marks: offset[k] is the first number of the papers with k.
	offset []*big.Int
	// equal: W(m). marks and equal: choose[n][k].
	weak   []*big.Int
	choose [][]*big.Int
	small  *smallRanks
}

// Book makes the book of a form.
func (f Form) Book() (*Book, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	b := f.book()
	if f.Kind == Ranks && b.count.BitLen() <= 63 {
		b.small = newSmallRanks(f)
	}
	return b, nil
}

func (f Form) book() *Book {
	b := &Book{form: f, count: new(big.Int)}
	switch f.Kind {
	case Ranks:
		term := big.NewInt(1)
		for k := 0; k <= f.most(); k++ {
			b.offset = append(b.offset, new(big.Int).Set(b.count))
			b.count.Add(b.count, term)
			term = new(big.Int).Mul(term, big.NewInt(int64(f.Options-k)))
		}
	case Equal:
		b.pascal()
		for m := 0; m <= f.Options; m++ {
			w := big.NewInt(1)
			for k := 1; k <= m; k++ {
				w.Add(w, new(big.Int).Mul(b.choose[m][k], b.weak[m-k]))
			}
			b.weak = append(b.weak, w)
		}
		b.count.Set(b.weak[f.Options])
	case Marks:
		b.pascal()
		for k := 0; k <= f.most(); k++ {
			b.offset = append(b.offset, new(big.Int).Set(b.count))
			b.count.Add(b.count, b.choose[f.Options][k])
		}
	case Points:
		b.count.Exp(big.NewInt(int64(f.Top+2)), big.NewInt(int64(f.Options)), nil)
	}
	return b
}

// pascal fills in the binomials.
func (b *Book) pascal() {
	for n := 0; n <= b.form.Options; n++ {
		row := make([]*big.Int, n+1)
		row[0], row[n] = big.NewInt(1), big.NewInt(1)
		for k := 1; k < n; k++ {
			row[k] = new(big.Int).Add(b.choose[n-1][k-1], b.choose[n-1][k])
		}
		b.choose = append(b.choose, row)
	}
}

// Count is how many papers there are.
func (b *Book) Count() *big.Int { return new(big.Int).Set(b.count) }

// Elements is how many elements a paper takes.
func (b *Book) Elements() int { return elements(b.count) }

// Elements is how many elements a paper of the form takes.
func (f Form) Elements() int {
	if f.Kind == Equal && f.Options > 0 {
		// An upper bound without the binomials: n^n·2^n papers at most.
		if n := f.Options; n*(bits.Len(uint(n))+1) > 2*MaxElements*digitBits {
			return 2 * MaxElements
		}
	}
	return elements(f.book().count)
}

func elements(count *big.Int) int {
	n := new(big.Int).Sub(count, big.NewInt(1)).BitLen()
	return max(1, (n+digitBits-1)/digitBits)
}

// wrong says that a paper is none of the form.
func (f Form) wrong(what string) error {
	return fault.New(fault.Invalid, "this is no valid paper: %s", what)
}

// Number gives the number of a paper.
func (b *Book) Number(paper []int) (*big.Int, error) {
	if len(paper) != b.form.Options {
		return nil, fault.New(fault.Invalid, "a paper of this contest has %d options, not %d", b.form.Options, len(paper))
	}
	switch b.form.Kind {
	case Ranks:
		return b.numberRanks(paper)
	case Equal:
		return b.numberEqual(paper)
	case Marks:
		return b.numberMarks(paper)
	}
	n, base := new(big.Int), big.NewInt(int64(b.form.Top+2))
	for _, p := range paper {
		if p < 0 || p > b.form.Top+1 {
			return nil, b.form.wrong("an option has points that cannot be given")
		}
		n.Mul(n, base)
		n.Add(n, big.NewInt(int64(p)))
	}
	return n, nil
}

// Paper gives the paper of a number.
func (b *Book) Paper(n *big.Int) ([]int, error) {
	if n.Sign() < 0 || n.Cmp(b.count) >= 0 {
		return nil, b.form.wrong("its number stands for none")
	}
	switch b.form.Kind {
	case Ranks:
		return b.paperRanks(n), nil
	case Equal:
		return b.paperEqual(n), nil
	case Marks:
		return b.paperMarks(n), nil
	}
	paper := make([]int, b.form.Options)
	rest, base, digit := new(big.Int).Set(n), big.NewInt(int64(b.form.Top+2)), new(big.Int)
	for i := len(paper) - 1; i >= 0; i-- {
		rest.QuoRem(rest, base, digit)
		paper[i] = int(digit.Int64())
	}
	return paper, nil
}

// byRank gives the options in the order of their ranks, or says what is wrong.
func (f Form) byRank(paper []int) ([]int, error) {
	order := make([]int, len(paper))
	k := 0
	for i := range order {
		order[i] = -1
	}
	for option, rank := range paper {
		if rank == 0 {
			continue
		}
		if rank < 0 || rank > len(paper) {
			return nil, f.wrong("a rank is out of range")
		}
		if order[rank-1] >= 0 {
			return nil, f.wrong("two options have the same rank")
		}
		order[rank-1] = option
		k = max(k, rank)
	}
	for _, option := range order[:k] {
		if option < 0 {
			return nil, f.wrong("a rank is left out")
		}
	}
	if k > f.most() {
		return nil, f.wrong("it has more preferences than are allowed")
	}
	return order[:k], nil
}

func (b *Book) numberRanks(paper []int) (*big.Int, error) {
	order, err := b.form.byRank(paper)
	if err != nil {
		return nil, err
	}
	n := new(big.Int)
	left := upTo(b.form.Options)
	for _, option := range order {
		n.Mul(n, big.NewInt(int64(len(left))))
		at := place(left, option)
		n.Add(n, big.NewInt(int64(at)))
		left = append(left[:at], left[at+1:]...)
	}
	return n.Add(n, b.offset[len(order)]), nil
}

func (b *Book) paperRanks(n *big.Int) []int {
	if b.small != nil {
		return b.small.paper(n.Uint64())
	}
	k := last(b.offset, n)
	rest := new(big.Int).Sub(n, b.offset[k])
	digits := make([]int, k)
	radix, digit := new(big.Int), new(big.Int)
	for r := k - 1; r >= 0; r-- {
		rest.QuoRem(rest, radix.SetInt64(int64(b.form.Options-r)), digit)
		digits[r] = int(digit.Int64())
	}
	return fromLehmer(b.form.Options, digits)
}

func fromLehmer(options int, digits []int) []int {
	paper, left := make([]int, options), upTo(options)
	for r, at := range digits {
		paper[left[at]] = r + 1
		left = append(left[:at], left[at+1:]...)
	}
	return paper
}

// smallRanks numbers rankings that fit into 63 bits, twenty options and fewer.
type smallRanks struct {
	options int
	offset  []uint64
}

func newSmallRanks(f Form) *smallRanks {
	s := &smallRanks{options: f.Options}
	sum, term := uint64(0), uint64(1)
	for k := 0; k <= f.most(); k++ {
		s.offset = append(s.offset, sum)
		sum += term
		term *= uint64(f.Options - k)
	}
	return s
}

func (s *smallRanks) paper(n uint64) []int {
	k := len(s.offset) - 1
	for s.offset[k] > n {
		k--
	}
	n -= s.offset[k]
	digits := make([]int, k)
	for r := k - 1; r >= 0; r-- {
		radix := uint64(s.options - r)
		digits[r] = int(n % radix)
		n /= radix
	}
	return fromLehmer(s.options, digits)
}

func upTo(n int) []int {
	v := make([]int, n)
	for i := range v {
		v[i] = i
	}
	return v
}

func place(left []int, option int) int {
	for i, o := range left {
		if o == option {
			return i
		}
	}
	return -1
}

// last gives the last index at which offsets is not above n.
func last(offsets []*big.Int, n *big.Int) int {
	k := len(offsets) - 1
	for offsets[k].Cmp(n) > 0 {
		k--
	}
	return k
}

func (b *Book) numberEqual(paper []int) (*big.Int, error) {
	sets, err := b.form.levels(paper)
	if err != nil {
		return nil, err
	}
	n := new(big.Int)
	left := upTo(b.form.Options)
	for _, set := range sets {
		m, k := len(left), len(set)
		n.Add(n, big.NewInt(1))
		for j := 1; j < k; j++ {
			n.Add(n, new(big.Int).Mul(b.choose[m][j], b.weak[m-j]))
		}
		at := b.setPlace(left, set)
		n.Add(n, at.Mul(at, b.weak[m-k]))
		left = without(left, set)
	}
	return n, nil
}

// levels gives the options of each rank in turn.
func (f Form) levels(paper []int) ([][]int, error) {
	sets := make([][]int, len(paper))
	top := 0
	for option, rank := range paper {
		if rank < 0 || rank > len(paper) {
			return nil, f.wrong("a rank is out of range")
		}
		if rank > 0 {
			sets[rank-1] = append(sets[rank-1], option)
			top = max(top, rank)
		}
	}
	for _, s := range sets[:top] {
		if len(s) == 0 {
			return nil, f.wrong("a rank is left out")
		}
	}
	return sets[:top], nil
}

func (b *Book) paperEqual(n *big.Int) []int {
	paper, left := make([]int, b.form.Options), upTo(b.form.Options)
	rest := new(big.Int).Set(n)
	for rank := 1; rest.Sign() > 0; rank++ {
		m, k := len(left), 1
		rest.Sub(rest, big.NewInt(1))
		for ; ; k++ {
			block := new(big.Int).Mul(b.choose[m][k], b.weak[m-k])
			if rest.Cmp(block) < 0 {
				break
			}
			rest.Sub(rest, block)
		}
		at := new(big.Int)
		at.QuoRem(rest, b.weak[m-k], rest)
		set := b.setAt(left, k, at)
		for _, option := range set {
			paper[option] = rank
		}
		left = without(left, set)
	}
	return paper
}

func without(left, set []int) []int {
	kept := left[:0]
	for _, o := range left {
		if place(set, o) < 0 {
			kept = append(kept, o)
		}
	}
	return kept
}

// setPlace gives the place of a set, whose members are in the order of left,
// among the sets of its size in lexicographic order.
func (b *Book) setPlace(left, set []int) *big.Int {
	at, need := new(big.Int), len(set)
	for i, o := range left {
		if need == 0 {
			break
		}
		if o == set[len(set)-need] {
			need--
			continue
		}
		// All sets that have o here come first.
		at.Add(at, b.chosen(len(left)-i-1, need-1))
	}
	return at
}

func (b *Book) setAt(left []int, k int, at *big.Int) []int {
	var set []int
	at = new(big.Int).Set(at)
	for i, o := range left {
		if len(set) == k {
			break
		}
		with := b.chosen(len(left)-i-1, k-len(set)-1)
		if at.Cmp(with) < 0 {
			set = append(set, o)
			continue
		}
		at.Sub(at, with)
	}
	return set
}

func (b *Book) chosen(n, k int) *big.Int {
	if k > n {
		return new(big.Int)
	}
	return b.choose[n][k]
}

func (b *Book) numberMarks(paper []int) (*big.Int, error) {
	var set []int
	for option, mark := range paper {
		if mark != 0 && mark != 1 {
			return nil, b.form.wrong("an option has something else than a mark")
		}
		if mark == 1 {
			set = append(set, option)
		}
	}
	if len(set) > b.form.most() {
		return nil, b.form.wrong("it has more marks than are allowed")
	}
	at := b.setPlace(upTo(b.form.Options), set)
	return at.Add(at, b.offset[len(set)]), nil
}

func (b *Book) paperMarks(n *big.Int) []int {
	k := last(b.offset, n)
	paper := make([]int, b.form.Options)
	for _, option := range b.setAt(upTo(b.form.Options), k, new(big.Int).Sub(n, b.offset[k])) {
		paper[option] = 1
	}
	return paper
}
