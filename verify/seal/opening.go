package seal

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/omov/omov/ristretto"
)

const sharesHead = "omov shares 1\n"

// shares are one trustee's shares of everything that is opened of a group.
type shares struct {
	trustee int
	d       []byte
	ps      []ristretto.Point
}

// readShares reads and checks one trustee's shares of n ciphertexts.
func (e *Election) readShares(closing [32]byte, group string, pairs, raw []byte) (*shares, error) {
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
	s := &shares{trustee: j, d: c.take(32 * n)}
	commitments, zb := c.take(64), c.take(32)
	z, ok := scalarOf(zb)
	if c.bad || len(c.b) > 0 || !ok {
		return nil, wrong("the shares of trustee %d end too early or too late", j)
	}
	var as []byte
	for i := range n {
		as = append(as, pairs[64*i:64*i+32]...)
	}
	x := e.Shares[j-1]
	t := newScript("opening").put("manifest", e.Hash[:]).put("closing", closing[:]).put("group", []byte(group)).number("trustee", j).put("key", x[:]).put("a", as).put("d", s.d)
	seed := t.draw("weights")
	rho := make([]ristretto.Scalar, n)
	for i := range rho {
		rho[i] = short(seed, i)
	}
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
	s.ps = make([]ristretto.Point, n)
	for i := range n {
		e.g.Decode(&s.ps[i], s.d[32*i:32*i+32])
	}
	return s, nil
}

func ptrPoint(p ristretto.Point) *ristretto.Point { return &p }

func (e *Election) combined(ks []ristretto.Scalar, enc []byte) (ristretto.Point, bool) {
	ps := make([]ristretto.Affine, len(ks))
	if e.g.DecodeAll(ps, enc) >= 0 {
		return ristretto.Point{}, false
	}
	return e.multiples(ks, ps), true
}

// relation tells whether z·base = commitment + c·value.
func (e *Election) relation(z, c *ristretto.Scalar, base, value, commitment *ristretto.Point) bool {
	sum := e.g.FewMul([]ristretto.Scalar{*z, negated(*c)}, []ristretto.Point{*base, *value})
	return e.g.Equal(&sum, commitment)
}

// Opened recombines what was opened: with any so many trustees as it takes,
// whose shares are right. Wrong shares are left out and told. It gives the
// plaintext elements.
func (e *Election) Opened(closing [32]byte, group string, pairs []byte, sent [][]byte) (plain []ristretto.Point, leftOut []error, err error) {
	var good []*shares
	for _, raw := range sent {
		s, err := e.readShares(closing, group, pairs, raw)
		if err != nil {
			leftOut = append(leftOut, err)
			continue
		}
		if !slices.ContainsFunc(good, func(x *shares) bool { return x.trustee == s.trustee }) {
			good = append(good, s)
		}
	}
	t := e.Manifest.Threshold
	if len(good) < t {
		return nil, leftOut, wrong("%s: the shares of %d trustees are right; it takes %d", group, len(good), t)
	}
	good = good[:t]
	lambda := make([]ristretto.Scalar, t)
	for a, x := range good {
		lambda[a] = small(1)
		for _, y := range good {
			if y.trustee == x.trustee {
				continue
			}
			up, down := small(uint64(y.trustee)), small(uint64(y.trustee))
			own := small(uint64(x.trustee))
			down.Subtract(&down, &own)
			down.Invert(&down)
			lambda[a].Multiply(&lambda[a], &up)
			lambda[a].Multiply(&lambda[a], &down)
		}
	}
	n := len(pairs) / 64
	plain = make([]ristretto.Point, n)
	fine := make([]bool, n)
	ristretto.Spread(n, 256, func(lo, hi int) {
		ps := make([]ristretto.Point, t)
		for i := lo; i < hi; i++ {
			for a := range good {
				ps[a] = good[a].ps[i]
			}
			mask := e.g.FewMul(lambda, ps)
			var b ristretto.Point
			fine[i] = e.g.Decode(&b, pairs[64*i+32:64*i+64])
			plain[i] = e.g.Sub(&b, &mask)
		}
	})
	if slices.Contains(fine, false) {
		return nil, leftOut, wrong("%s: what is opened holds an element that is none", group)
	}
	return plain, leftOut, nil
}

// Papers reads opened papers. One that says nothing that a paper can say is
// spoilt; none vanishes: papers and spoilt are together as many as were opened.
func (e *Election) Papers(c *Contest, plain []ristretto.Point) (papers [][]int, spoilt int) {
	w := c.slots()
	enc := e.g.EncodeAll(nil, plain)
	size := 32 * w
	var rows [][]byte
	for at := 0; at+size <= len(enc); at += size {
		rows = append(rows, enc[at:at+size])
	}
	slices.SortFunc(rows, bytes.Compare)
	for _, row := range rows {
		n, err := e.numberOf(c, row)
		if err != nil {
			spoilt++
			continue
		}
		papers = append(papers, c.paperOf(n))
	}
	return papers, spoilt
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
	var out []byte
	for _, slot := range open {
		for half := range 2 {
			sum := e.g.Identity()
			for i := range n {
				at := 64*(i*slots+slot) + 32*half
				var p ristretto.Point
				if !e.g.Decode(&p, pairs[at:at+32]) {
					return nil, wrong("a paper holds an element that is none")
				}
				sum = e.g.Add(&sum, &p)
			}
			x := e.g.Encode(&sum)
			out = append(out, x[:]...)
		}
	}
	return out, nil
}

// Totals finds the numbers that opened sums stand for, from 0 to papers.
func (e *Election) Totals(opened []ristretto.Point, papers int) ([]int, error) {
	out := make([]int, len(opened))
	for i := range out {
		out[i] = -1
	}
	found := 0
	step, base := e.g.Identity(), e.g.Base()
	for n := 0; n <= papers && found < len(opened); n++ {
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
