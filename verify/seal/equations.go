package seal

import (
	"crypto/rand"
	"slices"

	"github.com/omov/omov/ristretto"
)

// equations are sums of multiples of elements that must all be neutral. They
// are added up, each under a random weight of 128 bits: if one is not neutral
// the sum is, once in 2^128.
type equations struct {
	e    *Election
	base ristretto.Scalar // of the generator
	key  ristretto.Scalar // of the joint key
	ks   []ristretto.Scalar
	enc  []byte // the elements, 32 bytes each
	read []byte // elements that only have to be such
	bad  bool
}

// few is up to how many elements are added up one by one: a signature alone, not
// the papers of a ballot.
const few = 16

// weight draws the weight of the next equation.
func weight() ristretto.Scalar {
	var b [64]byte
	rand.Read(b[:16])
	return reduced(b[:])
}

// scalar reads a scalar; one that is not canonical breaks all equations.
func (q *equations) scalar(b []byte) ristretto.Scalar {
	k, ok := scalarOf(b)
	q.bad = q.bad || !ok
	return k
}

func (q *equations) add(k *ristretto.Scalar, element []byte) {
	q.ks = append(q.ks, *k)
	q.enc = append(q.enc, element...)
}

// minus adds an element -k times.
func (q *equations) minus(k ristretto.Scalar, element []byte) {
	k.Negate(&k)
	q.add(&k, element)
}

func times(a, b *ristretto.Scalar) (c ristretto.Scalar) {
	c.Multiply(a, b)
	return c
}

// schnorr adds s·G = commitment + c·key.
func (q *equations) schnorr(c, s *ristretto.Scalar, key, commitment []byte) {
	w := weight()
	q.base.MultiplyAdd(&w, s, &q.base)
	q.minus(w, commitment)
	q.minus(times(&w, c), key)
}

// signature adds a signature for a purpose.
func (q *equations) signature(purpose string, key, message, signature []byte) {
	if len(signature) != 64 || len(key) != 32 || slices.Equal(key, make([]byte, 32)) {
		q.bad = true
		return
	}
	r := signature[:32]
	c := newScript("signature").put("purpose", []byte(purpose)).put("key", key).put("commitment", r).put("message", message).challenge()
	s := q.scalar(signature[32:])
	q.schnorr(&c, &s, key, r)
}

// hold tells whether all equations do.
func (q *equations) hold() bool {
	if q.bad {
		return false
	}
	g := q.e.g
	ps := make([]ristretto.Affine, len(q.ks))
	if g.DecodeAll(ps, q.enc) >= 0 {
		return false
	}
	if also := make([]ristretto.Affine, len(q.read)/32); g.DecodeAll(also, q.read) >= 0 {
		return false
	}
	if len(ps) > few {
		sum := q.e.multiples(q.ks, ps)
		base, key := g.MulBase(&q.base), g.Mul(&q.key, &q.e.y)
		sum = g.Add(&sum, &base)
		sum = g.Add(&sum, &key)
		return g.IsIdentity(&sum)
	}
	ks, points := append(q.ks, q.base, q.key), make([]ristretto.Point, len(ps), len(ps)+2)
	for i := range ps {
		points[i] = ps[i].Point()
	}
	sum := g.FewMul(ks, append(points, g.Base(), q.e.y))
	return g.IsIdentity(&sum)
}
