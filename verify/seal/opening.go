package seal

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"slices"

	"github.com/omov/omov/ristretto"
)

const sharesHead = "omov shares 1\n"

// Shares are one trustee's shares of everything that is opened of a group.
type Shares struct {
	Trustee int
	d       []byte
}

// ReadShares reads and checks one trustee's shares of ciphertexts.
func (e *Election) ReadShares(closing [32]byte, group string, pairs, raw []byte) (*Shares, error) {
	n := len(pairs) / 64
	if !bytes.HasPrefix(raw, []byte(sharesHead)) {
		return nil, wrong("these are no shares")
	}
	c := &cursor{b: raw[len(sharesHead):]}
	j := int(c.take(1)[0])
	got := binary.BigEndian.Uint32(c.take(4))
	if j < 1 || j > len(e.Shares) || int(got) != n {
		return nil, wrong("they are of trustee %d and %d ciphertexts; %d are to be opened", j, got, n)
	}
	s := &Shares{Trustee: j, d: c.take(32 * n)}
	commitments, zb := c.take(64), c.take(32)
	z, ok := scalarOf(zb)
	if c.bad || len(c.b) > 0 || !ok {
		return nil, wrong("the shares of trustee %d end too early or too late", j)
	}
	as := make([]byte, 0, 32*n)
	for i := range n {
		as = append(as, pairs[64*i:64*i+32]...)
	}
	x := e.Shares[j-1]
	t := newScript("opening").put("manifest", e.Hash[:]).put("closing", closing[:]).put("group", []byte(group)).number("trustee", j).put("key", x[:]).put("a", as).put("d", s.d)
	seed := t.draw("weights")
	rho := make([]ristretto.Scalar, n)
	ristretto.Spread(n, 1_024, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			rho[i] = short(seed, i)
		}
	})
	ch := t.put("commitments", commitments).challenge()
	var key, first, second ristretto.Point
	if !e.g.Decode(&key, x[:]) || !e.g.Decode(&first, commitments[:32]) || !e.g.Decode(&second, commitments[32:]) {
		return nil, wrong("the shares of trustee %d have a proof that is none", j)
	}
	a, ok1 := e.combined(rho, as)
	d, ok2 := e.combined(rho, s.d)
	if !ok1 || !ok2 {
		return nil, wrong("a share of trustee %d is no element", j)
	}
	if !e.relation(&z, &ch, ptrPoint(e.g.Base()), &key, &first) || !e.relation(&z, &ch, &a, &d, &second) {
		return nil, wrong("the shares of trustee %d are not right", j)
	}
	return s, nil
}

func ptrPoint(p ristretto.Point) *ristretto.Point { return &p }

// combined is Σ k·P, of short scalars; false where something is no element.
func (e *Election) combined(ks []ristretto.Scalar, enc []byte) (ristretto.Point, bool) {
	t := e.total(len(ks))
	t.bytes(ks, enc)
	if !t.ok {
		return ristretto.Point{}, false
	}
	return t.sum.Result(), true
}

// relation tells whether z·base = commitment + c·value.
func (e *Election) relation(z, c *ristretto.Scalar, base, value, commitment *ristretto.Point) bool {
	sum := e.g.FewMul([]ristretto.Scalar{*z, negated(*c)}, []ristretto.Point{*base, *value})
	return e.g.Equal(&sum, commitment)
}

// lagrange gives numerators and a common denominator of the coefficients by
// which the shares of these trustees add up to the whole: λ_j = Π k/(k-j) over
// the others k. Small numbers cost little to multiply by.
func lagrange(trustees []int) (up []*big.Int, down *big.Int) {
	down = big.NewInt(1)
	all := make([]*big.Rat, len(trustees))
	for a, j := range trustees {
		all[a] = big.NewRat(1, 1)
		for _, k := range trustees {
			if k != j {
				all[a].Mul(all[a], big.NewRat(int64(k), int64(k-j)))
			}
		}
		gcd := new(big.Int).GCD(nil, nil, down, all[a].Denom())
		down.Mul(down, new(big.Int).Quo(all[a].Denom(), gcd))
	}
	for _, x := range all {
		up = append(up, new(big.Int).Mul(x.Num(), new(big.Int).Quo(down, x.Denom())))
	}
	return up, down
}

// whole is a whole number, which may be below nought, as a scalar.
func whole(n *big.Int) ristretto.Scalar {
	var b [64]byte
	new(big.Int).Abs(n).FillBytes(b[:])
	slices.Reverse(b[:])
	k := reduced(b[:])
	if n.Sign() < 0 {
		k.Negate(&k)
	}
	return k
}

// Combine puts shares that were checked together, of as many different trustees
// as it takes, and gives the plaintext elements.
func (e *Election) Combine(pairs []byte, good []*Shares) ([]ristretto.Point, error) {
	var trustees []int
	for _, s := range good {
		if slices.Contains(trustees, s.Trustee) || len(s.d) != len(pairs)/2 {
			return nil, wrong("trustee %d has given shares twice, or of something else", s.Trustee)
		}
		trustees = append(trustees, s.Trustee)
	}
	t := e.Manifest.Threshold
	if len(good) < t {
		return nil, wrong("the shares of %d trustees are right; it takes %d", len(good), t)
	}
	good = good[:t]
	up, down := lagrange(trustees[:t])
	ks := []ristretto.Scalar{whole(down)} // of B; then of the shares
	for _, u := range up {
		ks = append(ks, negated(whole(u)))
	}
	var part ristretto.Scalar
	part.Invert(&ks[0])
	n := len(pairs) / 64
	plain := make([]ristretto.Point, n)
	fine := make([]bool, n)
	ristretto.Spread(n, 256, func(lo, hi int) {
		ps := make([]ristretto.Point, t+1)
		for i := lo; i < hi; i++ {
			fine[i] = e.g.Decode(&ps[0], pairs[64*i+32:64*i+64])
			for a, s := range good {
				fine[i] = e.g.Decode(&ps[a+1], s.d[32*i:32*i+32]) && fine[i]
			}
			if !fine[i] {
				return
			}
			plain[i] = e.g.FewMul(ks, ps)
			if down.Cmp(big.NewInt(1)) != 0 {
				plain[i] = e.g.FewMul([]ristretto.Scalar{part}, plain[i:i+1])
			}
		}
	})
	if slices.Contains(fine, false) {
		return nil, wrong("what is opened holds an element that is none")
	}
	return plain, nil
}

// Said is what opened papers say, and how many say it: a number for each
// option.
type Said struct {
	Paper []int
	N     int64
}

// Read reads opened papers. One that says nothing that a paper can say is
// spoilt; none vanishes: what is said and what is spoilt are together as many as
// were opened.
func (e *Election) Read(c *Contest, plain []ristretto.Point) (said []Said, spoilt int64) {
	enc := e.g.EncodeAll(nil, plain)
	size := 32 * c.slots()
	var rows [][]byte
	for at := 0; at+size <= len(enc); at += size {
		rows = append(rows, enc[at:at+size])
	}
	slices.SortFunc(rows, bytes.Compare)
	var n []int64
	distinct := rows[:0]
	for _, row := range rows {
		if k := len(distinct); k > 0 && bytes.Equal(distinct[k-1], row) {
			n[k-1]++
			continue
		}
		distinct, n = append(distinct, row), append(n, 1)
	}
	papers := make([][]int, len(distinct))
	ristretto.Spread(len(distinct), 64, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if number, err := e.numberOf(c, distinct[i]); err == nil {
				papers[i] = c.paperOf(number)
			}
		}
	})
	for i, p := range papers {
		if p == nil {
			spoilt += n[i]
		} else {
			said = append(said, Said{p, n[i]})
		}
	}
	return said, spoilt
}

// Summed adds up the papers of a group that is not mixed: for each option, then
// the blank, one ciphertext.
func (e *Election) Summed(c *Contest, pairs []byte) ([]byte, error) {
	slots, n := c.slots(), 0
	if slots > 0 {
		n = len(pairs) / (64 * slots)
	}
	var open []int
	for i := range c.Options {
		open = append(open, i)
	}
	open = append(open, slots-1)
	if slots < 2 || len(pairs)%(64*slots) != 0 {
		return nil, wrong("these are no papers that are added up")
	}
	sums := make([]ristretto.Point, 2*len(open))
	fine := make([]bool, len(sums))
	ristretto.Spread(len(sums), 1, func(k, _ int) {
		sums[k] = e.g.Identity()
		for i := range n {
			at := 64*(i*slots+open[k/2]) + 32*(k%2)
			var p ristretto.Point
			if !e.g.Decode(&p, pairs[at:at+32]) {
				return
			}
			sums[k] = e.g.Add(&sums[k], &p)
		}
		fine[k] = true
	})
	if slices.Contains(fine, false) {
		return nil, wrong("a paper holds an element that is none")
	}
	return e.g.EncodeAll(nil, sums), nil
}

// Totals finds the numbers that opened sums stand for, from 0 to papers.
func (e *Election) Totals(opened []ristretto.Point, papers int64) ([]int64, error) {
	out := make([]int64, len(opened))
	for i := range out {
		out[i] = -1
	}
	found := 0
	step, base := e.g.Identity(), e.g.Base()
	for n := int64(0); n <= papers && found < len(opened); n++ {
		for i := range opened {
			if out[i] < 0 && e.g.Equal(&step, &opened[i]) {
				out[i] = n
				found++
			}
		}
		step = e.g.Add(&step, &base)
	}
	if found < len(opened) {
		return nil, wrong("a sum is no number of papers")
	}
	return out, nil
}
