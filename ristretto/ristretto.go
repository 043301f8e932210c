// Package ristretto is the group ristretto255 of RFC 9496, in bulk: decoding,
// encoding, the one-way map, sums of many multiples (Pippenger), tables for
// fixed bases, and multiplication by a secret.
//
// It decides what is an element and what is not: only canonical encodings
// decode. It knows no protocol, draws nothing, reads nothing, keeps nothing.
// The arithmetic of the field and of scalars, and every multiplication by a
// secret, is filippo.io/edwards25519's; the codec, the map and the sums are
// ours, after RFC 9496 (section 4.3), Bernstein–Doumen–Lange–Oosterwijk 2012
// (sums over signed digits) and Hisil–Wong–Carter–Dawson 2008 (addition).
//
// It stands below both package sealed, which makes sealed ballots, and package
// verify, which checks them and may import nothing of sealed. Package
// sealed/group holds it against a second implementation.
//
// # What takes how long
//
// Mul, MulBase and MulEach take the same time for every scalar and may be used
// with a key. Everything else (Table, Sum, Digits) may take a time that depends
// on the scalars: for what is public, and for one-time secrets on a machine of
// one's own.
package ristretto

import (
	"math/big"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"
)

// Size is the length of an encoded element or scalar in bytes.
const Size = 32

// Scalar is an integer modulo the order of the group. Printing one shows it:
// a secret one has to be wrapped by whoever keeps it.
type Scalar = edwards25519.Scalar

// Point is an element in extended coordinates: x = X/Z, y = Y/Z, xy = T/Z. The
// zero value is not an element; Identity gives the neutral one. Several sets of
// coordinates stand for one element: compare with Group.Equal, never with ==.
type Point struct{ x, y, z, t field.Element }

// Affine is an element made ready to be added often: y+x, y-x and 2dxy.
type Affine struct{ yp, ym, t2d field.Element }

// Group holds the constants of the group. It is safe for concurrent use.
type Group struct {
	zero, one                    field.Element
	d, d2, sqrtM1                field.Element
	sqrtADMinus1, invSqrtAMinusD field.Element
	oneMinusDSq, dMinusOneSq     field.Element
	lanes                        bool
}

// New gives the group.
func New() *Group {
	g := new(Group)
	g.one.One()
	// RFC 9496, section 4.1.
	g.d = constant("37095705934669439343138083508754565189542113879843219016388785533085940283555")
	g.sqrtM1 = constant("19681161376707505956807079304988542015446066515923890162744021073123829784752")
	g.sqrtADMinus1 = constant("25063068953384623474111414158702152701244531502492656460079210482610430750235")
	g.invSqrtAMinusD = constant("54469307008909316920995813868745141605393597292927456921205312896311721017578")
	g.oneMinusDSq = constant("1159843021668779879193775521855586647937357759715417654439879720876111806838")
	g.dMinusOneSq = constant("40440834346308536858101042469323190826248399146238708352240133220865137265952")
	g.d2.Add(&g.d, &g.d)
	g.lanes = haveLanes()
	return g
}

// NewPlain gives the group without the vector instructions that New uses where
// the processor has them. The results are the same.
func NewPlain() *Group {
	g := New()
	g.lanes = false
	return g
}

// Lanes tells whether eight elements are computed at a time.
func (g *Group) Lanes() bool { return g.lanes }

// constant reads a field element in decimal.
func constant(decimal string) (e field.Element) {
	n, ok := new(big.Int).SetString(decimal, 10)
	if !ok {
		panic("ristretto: a constant is no number")
	}
	b := n.FillBytes(make([]byte, Size))
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	if _, err := e.SetBytes(b); err != nil {
		panic(err)
	}
	return e
}

// Identity gives the neutral element.
func (g *Group) Identity() (p Point) {
	p.y, p.z = g.one, g.one
	return p
}

// Base gives the generator of RFC 9496.
func (g *Group) Base() Point { return fromEdwards(edwards25519.NewGeneratorPoint()) }

func fromEdwards(e *edwards25519.Point) Point {
	x, y, z, t := e.ExtendedCoordinates()
	return Point{*x, *y, *z, *t}
}

func (p *Point) edwards() *edwards25519.Point {
	e, err := new(edwards25519.Point).SetExtendedCoordinates(&p.x, &p.y, &p.z, &p.t)
	if err != nil {
		panic("ristretto: a point that was never set: " + err.Error())
	}
	return e
}

// Mul gives k times p in a time that depends on neither.
func (g *Group) Mul(k *Scalar, p *Point) Point {
	return fromEdwards(new(edwards25519.Point).ScalarMult(k, p.edwards()))
}

// MulEach writes k times each of as into dst, in a time that depends on neither.
func (g *Group) MulEach(dst []Point, k *Scalar, as []Affine) {
	digits := signedDigits(k)
	defer clear(digits[:])
	Spread(len(as), 64, func(lo, hi int) {
		for ; g.lanes && hi-lo >= 8; lo += 8 {
			g.mulEach8(dst[lo:lo+8], &digits, as[lo:lo+8])
		}
		for i := lo; i < hi; i++ {
			p := as[i].Point()
			dst[i] = g.Mul(k, &p)
		}
	})
}

// signedDigits cuts k into 64 digits from -8 to 8, in constant time.
func signedDigits(k *Scalar) (d [64]int8) {
	for i, b := range k.Bytes() {
		d[2*i], d[2*i+1] = int8(b&15), int8(b>>4)
	}
	carry := int8(0)
	for i := range 63 {
		d[i] += carry
		carry = (d[i] + 8) >> 4
		d[i] -= carry << 4
	}
	d[63] += carry
	return d
}

// noneAffine is the neutral element.
func (g *Group) noneAffine() Affine { return g.affine(&g.zero, &g.one, &g.zero) }

// MulBase gives k times the generator in a time that does not depend on k.
func (g *Group) MulBase(k *Scalar) Point {
	return fromEdwards(new(edwards25519.Point).ScalarBaseMult(k))
}

// Equal tells whether p and q are the same element, in constant time
// (RFC 9496, section 4.3.3).
func (g *Group) Equal(p, q *Point) bool {
	var a, b, c, d field.Element
	a.Multiply(&p.x, &q.y)
	b.Multiply(&p.y, &q.x)
	c.Multiply(&p.y, &q.y)
	d.Multiply(&p.x, &q.x)
	return a.Equal(&b)|c.Equal(&d) == 1
}

// IsIdentity tells whether p is the neutral element.
func (g *Group) IsIdentity(p *Point) bool {
	return p.x.Equal(&g.zero)|p.y.Equal(&g.zero) == 1
}

// completed is the result of an addition before its last four products.
type completed struct{ x, y, z, t field.Element }

func (p *Point) set(c *completed) {
	p.x.Multiply(&c.x, &c.t)
	p.y.Multiply(&c.y, &c.z)
	p.z.Multiply(&c.z, &c.t)
	p.t.Multiply(&c.x, &c.y)
}

// Add gives p + q.
func (g *Group) Add(p, q *Point) (r Point) {
	var a, b, c, d, e field.Element
	a.Multiply(a.Add(&p.y, &p.x), e.Add(&q.y, &q.x))
	b.Multiply(b.Subtract(&p.y, &p.x), e.Subtract(&q.y, &q.x))
	c.Multiply(c.Multiply(&p.t, &q.t), &g.d2)
	d.Multiply(&p.z, &q.z)
	d.Add(&d, &d)
	var s completed
	s.x.Subtract(&a, &b)
	s.y.Add(&a, &b)
	s.z.Add(&d, &c)
	s.t.Subtract(&d, &c)
	r.set(&s)
	return r
}

// Sub gives p - q.
func (g *Group) Sub(p, q *Point) Point {
	n := g.Neg(q)
	return g.Add(p, &n)
}

// Neg gives -p.
func (g *Group) Neg(p *Point) Point {
	r := *p
	r.x.Negate(&p.x)
	r.t.Negate(&p.t)
	return r
}

// Double gives 2p.
func (g *Group) Double(p *Point) (r Point) {
	p.double(&r)
	return r
}

func (p *Point) double(r *Point) {
	var xx, yy, zz, a field.Element
	xx.Square(&p.x)
	yy.Square(&p.y)
	zz.Square(&p.z)
	zz.Add(&zz, &zz)
	a.Square(a.Add(&p.x, &p.y))
	var s completed
	s.y.Add(&yy, &xx)
	s.z.Subtract(&yy, &xx)
	s.x.Subtract(&a, &s.y)
	s.t.Subtract(&zz, &s.z)
	r.set(&s)
}

// add adds q to p in place: seven products.
func (p *Point) add(q *Affine) {
	var a, b, c, d field.Element
	a.Multiply(a.Add(&p.y, &p.x), &q.yp)
	b.Multiply(b.Subtract(&p.y, &p.x), &q.ym)
	c.Multiply(&p.t, &q.t2d)
	d.Add(&p.z, &p.z)
	var s completed
	s.x.Subtract(&a, &b)
	s.y.Add(&a, &b)
	s.z.Add(&d, &c)
	s.t.Subtract(&d, &c)
	p.set(&s)
}

// sub takes q from p in place.
func (p *Point) sub(q *Affine) {
	var a, b, c, d field.Element
	a.Multiply(a.Add(&p.y, &p.x), &q.ym)
	b.Multiply(b.Subtract(&p.y, &p.x), &q.yp)
	c.Multiply(&p.t, &q.t2d)
	d.Add(&p.z, &p.z)
	var s completed
	s.x.Subtract(&a, &b)
	s.y.Add(&a, &b)
	s.z.Subtract(&d, &c)
	s.t.Add(&d, &c)
	p.set(&s)
}

// AddAffine gives p + q.
func (g *Group) AddAffine(p *Point, q *Affine) Point {
	r := *p
	r.add(q)
	return r
}

// Point gives the same element in extended coordinates.
func (a *Affine) Point() (p Point) {
	p.x.Subtract(&a.yp, &a.ym) // 2x
	p.y.Add(&a.yp, &a.ym)      // 2y
	p.t.Multiply(&p.x, &p.y)   // 4xy, with Z = 4
	p.x.Add(&p.x, &p.x)
	p.y.Add(&p.y, &p.y)
	p.z.One()
	p.z.Add(&p.z, &p.z)
	p.z.Add(&p.z, &p.z)
	return p
}

// affine makes an Affine of affine coordinates.
func (g *Group) affine(x, y, t *field.Element) (a Affine) {
	a.yp.Add(y, x)
	a.ym.Subtract(y, x)
	a.t2d.Multiply(t, &g.d2)
	return a
}

// Normalize writes each point of ps into dst, which has the same length. The
// divisions are done together.
func (g *Group) Normalize(dst []Affine, ps []Point) {
	Spread(len(ps), 256, func(lo, hi int) { g.normalize(dst[lo:hi], ps[lo:hi]) })
}

func (g *Group) normalize(dst []Affine, ps []Point) {
	inv := make([]field.Element, len(ps))
	for i := range ps {
		inv[i] = ps[i].z
	}
	g.invert(inv)
	var x, y, t field.Element
	for i := range ps {
		x.Multiply(&ps[i].x, &inv[i])
		y.Multiply(&ps[i].y, &inv[i])
		t.Multiply(&x, &y)
		dst[i] = g.affine(&x, &y, &t)
	}
}

// invert replaces each element of v by its inverse, zero by zero, at three
// products each (Montgomery's trick).
func (g *Group) invert(v []field.Element) {
	products := make([]field.Element, len(v))
	acc := g.one
	for i := range v {
		products[i] = acc
		if v[i].Equal(&g.zero) == 0 {
			acc.Multiply(&acc, &v[i])
		}
	}
	acc.Invert(&acc)
	for i := len(v) - 1; i >= 0; i-- {
		if v[i].Equal(&g.zero) == 1 {
			continue
		}
		var t field.Element
		t.Multiply(&acc, &products[i])
		acc.Multiply(&acc, &v[i])
		v[i] = t
	}
}
