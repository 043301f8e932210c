package mixing

import (
	"crypto/rand"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/transcript"
)

// Verify tells whether p shows that st holds; nil means that it does. The
// equations are checked together under weights that are drawn here, so that a
// false proof passes with a chance below 2^-119.
func Verify(g *ristretto.Group, st *Statement, p *Proof) error {
	if err := st.check(); err != nil {
		return err
	}
	if err := p.shape(st); err != nil {
		return err
	}
	v := &verifier{g: g, st: st, p: p, n: st.N(), gens: newGenerators(g, &st.Manifest)}
	if err := v.read(); err != nil {
		return err
	}
	t := st.start(p.C)
	v.seed = t.Draw("papers")
	v.c = p.challenge(t)
	if err := v.addUp(); err != nil {
		return err
	}
	return v.equations()
}

func (p *Proof) shape(st *Statement) error {
	n, w := st.N()*ristretto.Size, st.Width*ristretto.Size
	if len(st.Out) != len(st.In) {
		return fault.New(fault.Invalid, "%d papers went into the mix of %s and %d bytes came out, not as many", st.N(), st.Mixer, len(st.Out))
	}
	if len(p.C) != n || len(p.Chain) != n || len(p.TChain) != n || len(p.SChain) != n || len(p.SPerm) != n || len(p.T4) != 2*w || len(p.S4) != w {
		return fault.New(fault.Invalid, "the proof of the mix of %s is not as long as %d papers need", st.Mixer, st.N())
	}
	return nil
}

// verifier is a check in progress.
type verifier struct {
	g    *ristretto.Group
	st   *Statement
	p    *Proof
	n    int
	gens *generators
	seed [64]byte
	c    ristretto.Scalar

	key        ristretto.Point
	t1, t2, t3 ristretto.Point
	t4         []ristretto.Point
	s1, s2, s3 ristretto.Scalar
	s4         []ristretto.Scalar
	alpha      ristretto.Scalar // joins the equations of t1 and t3
	rho        []ristretto.Scalar

	productU, sumG ristretto.Scalar
	firstH         ristretto.Scalar // what H is taken times in the chain

	permutation, gensSum, in, out, links, tLinks []*ristretto.Sum
	lastLink                                     ristretto.Point
}

func (v *verifier) bad(what string) error {
	return fault.New(fault.Invalid, "the proof of the mix of %s does not hold: %s", v.st.Mixer, what)
}

// read reads what is there once.
func (v *verifier) read() error {
	p := v.p
	v.t4 = make([]ristretto.Point, 2*v.st.Width)
	points := []*ristretto.Point{&v.key, &v.t1, &v.t2, &v.t3, &v.lastLink}
	encs := [][]byte{v.st.Key[:], p.T1[:], p.T2[:], p.T3[:], p.Chain[len(p.Chain)-ristretto.Size:]}
	for k := range v.t4 {
		points, encs = append(points, &v.t4[k]), append(encs, p.T4[k*ristretto.Size:(k+1)*ristretto.Size])
	}
	for i := range points {
		if !v.g.Decode(points[i], encs[i]) {
			return v.bad("it holds an element that is none")
		}
	}
	if v.g.IsIdentity(&v.key) {
		return v.bad("the joint key is the neutral element")
	}
	v.s4 = make([]ristretto.Scalar, v.st.Width)
	scalars := []*ristretto.Scalar{&v.s1, &v.s2, &v.s3}
	encs = [][]byte{p.S1[:], p.S2[:], p.S3[:]}
	for k := range v.s4 {
		scalars, encs = append(scalars, &v.s4[k]), append(encs, p.S4[k*ristretto.Size:(k+1)*ristretto.Size])
	}
	for i := range scalars {
		var ok bool
		if *scalars[i], ok = transcript.Scalar(encs[i]); !ok {
			return v.bad("it holds a number that is none")
		}
	}
	return nil
}

// short is how many bits challenges and weights have, and their sum.
const short = 129

// addUp makes all sums in one pass over the papers.
func (v *verifier) addUp() error {
	w := v.st.Width
	sums := func(n, nbits int) []*ristretto.Sum {
		s := make([]*ristretto.Sum, n)
		for i := range s {
			s[i] = v.g.NewSum(nbits, v.g.WidthFor(v.n, nbits))
		}
		return s
	}
	v.permutation, v.gensSum, v.links, v.tLinks = sums(1, short), sums(1, 253), sums(1, 253), sums(1, short)
	v.in, v.out = sums(2*w, short), sums(2*w, 253)
	buf := make([]byte, 16)
	rand.Read(buf)
	buf[15] = 0
	v.alpha = transcript.Short(buf)
	v.productU = *one()
	for lo := 0; lo < v.n; lo += chunk {
		if err := v.stretch(lo, min(lo+chunk, v.n)); err != nil {
			return err
		}
	}
	return nil
}

// weights draws the weights of the chain's links lo to hi, and one more.
func weights(n int) []ristretto.Scalar {
	buf := make([]byte, 16*n)
	rand.Read(buf)
	ks := make([]ristretto.Scalar, n)
	for i := range ks {
		ks[i] = transcript.Short(buf[16*i:])
	}
	return ks
}

func (v *verifier) recode(ks []ristretto.Scalar, nbits int) *ristretto.Digits {
	return ristretto.Recode(ks, nbits, v.g.WidthFor(v.n, nbits))
}

func (v *verifier) stretch(lo, hi int) error {
	g, w, n := v.g, v.st.Width, hi-lo
	at := func(b []byte, size int) []byte { return b[lo*size : hi*size] }
	points := make([]ristretto.Affine, n*2*w)
	column := make([]ristretto.Affine, n)
	ks, err := v.coefficients(lo, hi)
	if err != nil {
		return err
	}
	one := func(sum *ristretto.Sum, ks []ristretto.Scalar, nbits int, enc []byte, what string) error {
		if g.DecodeAll(column, enc) >= 0 {
			return v.bad(what + " hold an element that is none")
		}
		sum.Add(v.recode(ks, nbits), column)
		return nil
	}
	if err := one(v.permutation[0], ks.c, short, at(v.p.C, ristretto.Size), "the commitments to the permutation"); err != nil {
		return err
	}
	if err := one(v.links[0], ks.link, 253, at(v.p.Chain, ristretto.Size), "the links of the chain"); err != nil {
		return err
	}
	if err := one(v.tLinks[0], ks.rho, short, at(v.p.TChain, ristretto.Size), "the commitments to the chain"); err != nil {
		return err
	}
	v.gens.fill(column, lo)
	v.gensSum[0].Add(v.recode(ks.gen, 253), column)
	many := func(sums []*ristretto.Sum, ks []ristretto.Scalar, nbits int, enc []byte, what string) error {
		if g.DecodeAll(points, enc) >= 0 {
			return v.bad(what + " hold an element that is none")
		}
		d := v.recode(ks, nbits)
		for k := range sums {
			for i := range column {
				column[i] = points[i*2*w+k]
			}
			sums[k].Add(d, column)
		}
		return nil
	}
	if err := many(v.in, ks.u, short, at(v.st.In, pair*w), "the papers that went in"); err != nil {
		return err
	}
	return many(v.out, ks.perm, 253, at(v.st.Out, pair*w), "the papers that came out")
}

// coefficients are what the elements of a stretch are taken times.
type coefficients struct{ u, perm, c, gen, link, rho []ristretto.Scalar }

func (v *verifier) coefficients(lo, hi int) (*coefficients, error) {
	n := hi - lo
	all := make([]ristretto.Scalar, 5*n)
	k := &coefficients{u: all[:n], perm: all[n : 2*n], c: all[2*n : 3*n], gen: all[3*n : 4*n], link: all[4*n:]}
	if v.rho == nil {
		v.rho = weights(1)
	}
	k.rho = append(v.rho, weights(n)...) // one more: the next stretch begins with it
	sChain := make([]ristretto.Scalar, n)
	// The response of the paper after the last is needed too; 0 past the end.
	next := make([]ristretto.Scalar, n+1)
	var wrong first
	ristretto.Spread(n+1, 512, func(a, b int) {
		for j := a; j < b && lo+j < v.n; j++ {
			i := (lo + j) * ristretto.Size
			var ok, ok2 = false, true
			next[j], ok = transcript.Scalar(v.p.SPerm[i : i+ristretto.Size])
			if j < n {
				sChain[j], ok2 = transcript.Scalar(v.p.SChain[i : i+ristretto.Size])
				k.u[j] = transcript.ShortAt(&v.seed, lo+j)
			}
			if !ok || !ok2 {
				wrong.set()
			}
		}
	})
	if wrong.isSet() {
		return nil, v.bad("it holds a number that is none")
	}
	var minusC, alphaC ristretto.Scalar
	minusC.Negate(&v.c)
	alphaC.Multiply(&v.alpha, &v.c)
	ristretto.Spread(n, 512, func(a, b int) {
		for j := a; j < b; j++ {
			k.perm[j] = next[j]
			k.c[j].Add(&k.u[j], &v.alpha)
			k.gen[j].Add(&next[j], &alphaC)
			k.link[j].Multiply(&k.rho[j+1], &next[j+1])
			k.link[j].MultiplyAdd(&k.rho[j], &minusC, &k.link[j])
		}
	})
	for j := range n {
		v.productU.Multiply(&v.productU, &k.u[j])
		v.sumG.MultiplyAdd(&k.rho[j], &sChain[j], &v.sumG)
	}
	if lo == 0 {
		v.firstH.Multiply(&k.rho[0], &next[0])
	}
	v.rho = k.rho[n:]
	k.rho = k.rho[:n:n]
	return k, nil
}

// equations checks the sums against the commitments.
func (v *verifier) equations() error {
	g := v.g
	h := v.gens.one(0)
	mul := func(k *ristretto.Scalar, p ristretto.Point) ristretto.Point { return g.Mul(k, &p) }
	add := func(ps ...ristretto.Point) ristretto.Point {
		r := g.Identity()
		for i := range ps {
			r = g.Add(&r, &ps[i])
		}
		return r
	}
	var minusC, cU, s13 ristretto.Scalar
	minusC.Negate(&v.c)

	// t3 + α·t1 = (s3 + α·s1)·G + Σ (s̃_i + α·c)·h_i - c·Σ (u_i + α)·c_i
	s13.MultiplyAdd(&v.alpha, &v.s1, &v.s3)
	left := add(v.t3, mul(&v.alpha, v.t1))
	right := add(g.MulBase(&s13), v.gensSum[0].Result(), mul(&minusC, v.permutation[0].Result()))
	if !g.Equal(&left, &right) {
		return v.bad("the commitments are not to a permutation")
	}

	// t2 = s2·G - c·(ĉ_n - (Π u_i)·H)
	cU.Multiply(&v.c, &v.productU)
	right = add(g.MulBase(&v.s2), mul(&minusC, v.lastLink), mul(&cU, h))
	if !g.Equal(&v.t2, &right) {
		return v.bad("the chain does not end as it should")
	}

	// Σ ρ_i·t̂_i = (Σ ρ_i·ŝ_i)·G + Σ ρ_i·(s̃_i·ĉ_{i-1} - c·ĉ_i), with ĉ_0 = H
	left = v.tLinks[0].Result()
	right = add(g.MulBase(&v.sumG), mul(&v.firstH, h), v.links[0].Result())
	if !g.Equal(&left, &right) {
		return v.bad("a link of the chain is wrong")
	}

	// t4 = Σ s̃_i·out_i - s4·(G, key) - c·Σ u_i·in_i
	for k := range v.t4 {
		bottom := g.MulBase(&v.s4[k/2])
		if k%2 == 1 {
			bottom = mul(&v.s4[k/2], v.key)
		}
		right = add(v.out[k].Result(), g.Neg(&bottom), mul(&minusC, v.in[k].Result()))
		if !g.Equal(&v.t4[k], &right) {
			return v.bad("what came out is not what went in")
		}
	}
	return nil
}
