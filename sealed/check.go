package sealed

import (
	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/proof"
)

// Checker checks papers' proofs and signatures under one manifest and joint
// key. It is safe for concurrent use.
type Checker struct {
	g        *ristretto.Group
	m        *Manifest
	hash     [32]byte
	key      [32]byte
	keyPoint ristretto.Point
}

// NewChecker makes a checker.
func NewChecker(g *ristretto.Group, m *Manifest, key [32]byte) (*Checker, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	hash, err := m.Hash()
	if err != nil {
		return nil, err
	}
	c := &Checker{g: g, m: m, hash: hash, key: key}
	if !g.Decode(&c.keyPoint, key[:]) || g.IsIdentity(&c.keyPoint) {
		return nil, bad("the trustees' joint key is not a key")
	}
	return c, nil
}

// place checks that a paper belongs to this ballot and has the form of its
// contest, at no cost to speak of.
func (c *Checker) place(p *Paper) error {
	contest := c.m.Contest(p.Contest)
	switch {
	case p.Manifest != c.hash:
		return fault.New(fault.Invalid, "this paper belongs to another ballot")
	case contest == nil:
		return fault.New(fault.Invalid, "the ballot has no contest %s", p.Contest)
	case p.Sum != (contest.Form == FormSum) || len(p.Pairs) != contest.Slots()*proof.PairSize:
		return fault.New(fault.Invalid, "this paper has not the form of the contest %s", p.Contest)
	}
	for i := 0; i < len(p.Pairs); i += proof.Size {
		if proof.IsIdentity(p.Pairs[i : i+proof.Size]) {
			return fault.New(fault.Invalid, "this paper is not encrypted")
		}
	}
	return nil
}

// Check tells whether a paper is bound to its place, its proof holds, and it
// is signed by its credential. It says nothing of whether the credential may
// vote.
func (c *Checker) Check(p *Paper) error {
	if err := c.place(p); err != nil {
		return err
	}
	var e proof.Equations
	p.equations(&e, c.m.Contest(p.Contest), &c.key)
	if !e.Hold(c.g, &c.keyPoint) {
		return c.failed(p)
	}
	return nil
}

func (c *Checker) failed(p *Paper) error {
	if !proof.Signed(c.g, purposePaper, p.Key[:], p.Raw[:p.unsaid], p.Signature) {
		return fault.New(fault.Invalid, "the paper is not signed by its credential")
	}
	return fault.New(fault.Invalid, "the proof of the paper does not hold")
}

// Sizes of the work in hand of CheckAll.
const (
	checkChunk = 1 << 13
	checkLeaf  = 16
)

// CheckAll checks many papers at a fraction of the cost: what each of them must
// satisfy is added up under random weights (a false one passes with a chance
// of 2^-127). Where the sum fails the culprits are found by halves. The result
// has an error or nil for each paper, as Check would give it.
func (c *Checker) CheckAll(ps []*Paper) []error {
	errs := make([]error, len(ps))
	good := make([]int, 0, len(ps))
	for i, p := range ps {
		if errs[i] = c.place(p); errs[i] == nil {
			good = append(good, i)
		}
	}
	if c.sumHolds(ps, good, len(good)) {
		return errs
	}
	for lo := 0; lo < len(good); lo += checkChunk {
		c.culprits(ps, good[lo:min(lo+checkChunk, len(good))], errs)
	}
	return errs
}

// culprits finds the papers that fail among those at the given places.
func (c *Checker) culprits(ps []*Paper, at []int, errs []error) {
	if len(at) <= checkLeaf {
		ristretto.Spread(len(at), 1, func(i, _ int) { errs[at[i]] = c.Check(ps[at[i]]) })
		return
	}
	if c.sumHolds(ps, at, len(at)) {
		return
	}
	c.culprits(ps, at[:len(at)/2], errs)
	c.culprits(ps, at[len(at)/2:], errs)
}

// sumHolds checks the papers at the given places together.
func (c *Checker) sumHolds(ps []*Paper, at []int, n int) bool {
	b := proof.NewBatch(c.g, &c.keyPoint, 2*n)
	const block = 128
	for lo := 0; lo < len(at); lo += checkChunk {
		part := at[lo:min(lo+checkChunk, len(at))]
		es := make([]*proof.Equations, (len(part)+block-1)/block)
		ristretto.Spread(len(part), block, func(a, b int) {
			e := new(proof.Equations)
			for _, i := range part[a:b] {
				ps[i].equations(e, c.m.Contest(ps[i].Contest), &c.key)
			}
			es[a/block] = e
		})
		if !b.Add(es...) {
			return false
		}
	}
	return b.Hold()
}

// Audit opens a paper with the randomness that it was made of, and gives what
// the voter put on it. It is for papers that are audited instead of cast: it
// shows that the page encrypted what it was told. Every part must fit.
func (c *Checker) Audit(p *Paper, rs []proof.Secret) ([]int, error) {
	if err := c.Check(p); err != nil {
		return nil, err
	}
	n := len(p.Pairs) / proof.PairSize
	if len(rs) != n {
		return nil, bad("the paper has %d ciphertexts, and %d numbers were given to open it", n, len(rs))
	}
	plain := make([]ristretto.Point, n)
	for i, r := range rs {
		pair := p.Pairs[i*proof.PairSize : (i+1)*proof.PairSize]
		if a := r.Public(c.g); a != [32]byte(pair[:32]) {
			return nil, bad("the numbers given do not open this paper: it is not what the page says")
		}
		var m ristretto.Point
		c.g.Decode(&m, pair[32:])
		d := c.g.Mul(r.Scalar(), &c.keyPoint)
		plain[i] = c.g.Sub(&m, &d)
	}
	contest := c.m.Contest(p.Contest)
	if !p.Sum {
		book, err := contest.marks().Book()
		if err != nil {
			return nil, err
		}
		number, err := book.Extract(c.g, c.g.EncodeAll(nil, plain))
		if err != nil {
			return nil, err
		}
		return book.Paper(number)
	}
	paper := make([]int, len(contest.Options))
	for i := range paper {
		if !c.g.IsIdentity(&plain[i]) {
			paper[i] = 1
		}
	}
	return paper, nil
}
