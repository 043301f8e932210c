package proof

import (
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/transcript"
)

// Lengths of what a paper carries.
const (
	PairSize  = 2 * Size // a ciphertext: A = r·G, B = m + r·key
	KnownSize = 2 * Size // a proof of knowledge of r
	BitSize   = 7 * Size // a proof that a mark is 0 or 1
	TotalSize = 3 * Size // a proof of the weighted total of the marks
)

// Encrypt gives the ciphertext of m under the joint key with randomness r, in
// constant time.
func Encrypt(g *ristretto.Group, key, m *ristretto.Point, r Secret) []byte {
	a := g.MulBase(r.f())
	b := g.Mul(r.f(), key)
	b = g.Add(&b, m)
	return g.EncodeAll(nil, []ristretto.Point{a, b})
}

// KnowAll proves knowledge of the randomness of each ciphertext, under one
// challenge, in a transcript that holds everything else of the paper.
func KnowAll(g *ristretto.Group, t *transcript.Transcript, rs []Secret) []byte {
	ks := make([]Secret, len(rs))
	cs := make([][Size]byte, len(rs))
	for i := range rs {
		ks[i] = NewSecret()
		cs[i] = ks[i].Public(g)
		t.Absorb("commitment", cs[i][:])
	}
	c := t.Challenge("challenge")
	var out []byte
	for i := range rs {
		out = append(append(out, cs[i][:]...), answer(&c, rs[i].f(), ks[i].f())...)
		ks[i].Wipe()
	}
	return out
}

// Known adds the equations of KnowAll. Lengths must be right.
func (e *Equations) Known(t *transcript.Transcript, pairs, proof []byte) {
	n := len(pairs) / PairSize
	if len(proof) != n*KnownSize {
		e.broken = true
		return
	}
	for i := range n {
		t.Absorb("commitment", proof[i*KnownSize:i*KnownSize+Size])
	}
	c := t.Challenge("challenge")
	for i := range n {
		p := proof[i*KnownSize : (i+1)*KnownSize]
		s := e.scalar(p[Size:])
		e.schnorr(&c, &s, pairs[i*PairSize:i*PairSize+Size], p[:Size])
		e.Valid(pairs[i*PairSize+Size : (i+1)*PairSize])
	}
}

// Marks is a homomorphic paper being proved: marks of 0 or 1, each with its
// weight in the total, which is fixed.
type Marks struct {
	Bits    []bool
	Rs      []Secret
	Weights []uint64
	Total   uint64
}

// bit is a proof in progress: the true branch answers, the other is made up.
type bit struct {
	k, cFake, zFake Secret
	commitments     []byte // a0, b0, a1, b1
}

// Prove proves that each ciphertext of pairs holds 0 or 1 and that their
// weighted total is what it is, under one challenge, in a transcript that holds
// everything else of the paper. Which branch is made up does not show in the
// time: both are computed by the same operations.
func (m *Marks) Prove(g *ristretto.Group, t *transcript.Transcript, key *ristretto.Point, pairs []byte) []byte {
	bits := make([]bit, len(m.Bits))
	sum := *new(ristretto.Scalar)
	for i := range bits {
		bits[i] = m.commit(g, key, pairs[i*PairSize:(i+1)*PairSize], i)
		t.Absorb("commitments", bits[i].commitments)
		w := Number(m.Weights[i])
		sum.MultiplyAdd(&w, m.Rs[i].f(), &sum)
	}
	k := NewSecret()
	total := g.MulBase(k.f())
	totalKey := g.Mul(k.f(), key)
	enc := g.EncodeAll(nil, []ristretto.Point{total, totalKey})
	t.Absorb("total", enc)
	c := t.Challenge("challenge")
	var out []byte
	for i := range bits {
		out = append(out, bits[i].finish(&c, m.Rs[i], m.Bits[i])...)
	}
	out = append(append(out, enc...), answer(&c, &sum, k.f())...)
	k.Wipe()
	return out
}

func (m *Marks) commit(g *ristretto.Group, key *ristretto.Point, pair []byte, i int) bit {
	s := bit{k: NewSecret(), cFake: NewSecret(), zFake: NewSecret()}
	var a, b ristretto.Point
	g.Decode(&a, pair[:Size])
	g.Decode(&b, pair[Size:])
	if !m.Bits[i] { // what is made up is the branch of 1: B - G
		base := g.Base()
		b = g.Sub(&b, &base)
	}
	ka, kb := g.MulBase(s.k.f()), g.Mul(s.k.f(), key)
	// made up: z·G - c·A and z·key - c·B
	za, zb := g.MulBase(s.zFake.f()), g.Mul(s.zFake.f(), key)
	ca, cb := g.Mul(s.cFake.f(), &a), g.Mul(s.cFake.f(), &b)
	fa, fb := g.Sub(&za, &ca), g.Sub(&zb, &cb)
	order := []ristretto.Point{ka, kb, fa, fb}
	if m.Bits[i] {
		order = []ristretto.Point{fa, fb, ka, kb}
	}
	s.commitments = g.EncodeAll(nil, order)
	return s
}

// finish gives a0 b0 a1 b1 c0 z0 z1.
func (s *bit) finish(c *ristretto.Scalar, r Secret, one bool) []byte {
	var own ristretto.Scalar
	own.Subtract(c, s.cFake.f())
	z := answer(&own, r.f(), s.k.f())
	out := s.commitments
	if one {
		out = append(append(append(out, s.cFake.Expose()...), s.zFake.Expose()...), z...)
	} else {
		out = append(append(append(out, own.Bytes()...), z...), s.zFake.Expose()...)
	}
	s.k.Wipe()
	s.cFake.Wipe()
	s.zFake.Wipe()
	return out
}

// Marks adds the equations of Marks.Prove for marks of the given weights and
// their total.
func (e *Equations) Marks(t *transcript.Transcript, weights []uint64, total uint64, pairs, proof []byte) {
	n := len(weights)
	if len(pairs) != n*PairSize || len(proof) != n*BitSize+TotalSize {
		e.broken = true
		return
	}
	for i := range n {
		t.Absorb("commitments", proof[i*BitSize:i*BitSize+4*Size])
	}
	last := proof[n*BitSize:]
	t.Absorb("total", last[:2*Size])
	c := t.Challenge("challenge")

	// w5·(Ta + c·ΣwA - z·G) and w6·(Tb + c·(ΣwB - total·G) - z·key)
	w5, w6 := e.Weight(), e.Weight()
	z := e.scalar(last[2*Size:])
	var c5, c6, k ristretto.Scalar
	c5.Multiply(&w5, &c)
	c6.Multiply(&w6, &c)
	e.Once(&w5, last[:Size])
	e.Once(&w6, last[Size:2*Size])
	sum := Number(total)
	e.Base(k.Negate(k.MultiplyAdd(&w5, &z, k.Multiply(&c6, &sum))))
	e.Key(k.Negate(k.Multiply(&w6, &z)))
	for i := range n {
		w := Number(weights[i])
		var ka, kb ristretto.Scalar
		ka.Multiply(&c5, &w)
		kb.Multiply(&c6, &w)
		e.bit(&c, &ka, &kb, pairs[i*PairSize:(i+1)*PairSize], proof[i*BitSize:(i+1)*BitSize])
	}
}

// bit adds the four equations of a mark; ka and kb are what A and B are taken
// in the equations of the total.
func (e *Equations) bit(c, ka, kb *ristretto.Scalar, pair, p []byte) {
	at := func(i int) []byte { return p[i*Size : (i+1)*Size] }
	c0, z0, z1 := e.scalar(at(4)), e.scalar(at(5)), e.scalar(at(6))
	var c1, k ristretto.Scalar
	c1.Subtract(c, &c0)
	w1, w2, w3, w4 := e.Weight(), e.Weight(), e.Weight(), e.Weight()
	for i, w := range []*ristretto.Scalar{&w1, &w2, &w3, &w4} {
		e.Once(w, at(i))
	}
	ka.MultiplyAdd(&w1, &c0, ka)
	ka.MultiplyAdd(&w3, &c1, ka)
	kb.MultiplyAdd(&w2, &c0, kb)
	kb.MultiplyAdd(&w4, &c1, kb)
	e.Point(ka, pair[:Size])
	e.Point(kb, pair[Size:])
	k.Multiply(&w1, &z0)
	k.MultiplyAdd(&w3, &z1, &k)
	k.MultiplyAdd(&w4, &c1, &k)
	e.Base(k.Negate(&k))
	k.Multiply(&w2, &z0)
	k.MultiplyAdd(&w4, &z1, &k)
	e.Key(k.Negate(&k))
}
