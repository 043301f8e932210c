package ristretto

import (
	"math/bits"

	"filippo.io/edwards25519/field"
)

// Decode reads an element from its 32 canonical bytes (RFC 9496, section
// 4.3.1). It tells whether they are one; if not, p is left as it was.
func (g *Group) Decode(p *Point, enc []byte) bool {
	x, y, t, ok := g.decode(enc)
	if ok {
		*p = Point{x, y, g.one, t}
	}
	return ok
}

func (g *Group) decode(enc []byte) (x, y, t field.Element, ok bool) {
	if !canonical(enc) {
		return x, y, t, false
	}
	var s, ss, u1, u2, u2Sq, v, w, inv field.Element
	if _, err := s.SetBytes(enc); err != nil {
		return x, y, t, false
	}
	ss.Square(&s)
	u1.Subtract(&g.one, &ss)
	u2.Add(&g.one, &ss)
	u2Sq.Square(&u2)
	v.Multiply(v.Square(&u1), &g.d)
	v.Subtract(v.Negate(&v), &u2Sq)
	_, square := inv.SqrtRatio(&g.one, w.Multiply(&v, &u2Sq))
	var dx, dy field.Element
	dx.Multiply(&inv, &u2)
	dy.Multiply(dy.Multiply(&inv, &dx), &v)
	x.Multiply(x.Add(&s, &s), &dx)
	x.Absolute(&x)
	y.Multiply(&u1, &dy)
	t.Multiply(&x, &y)
	ok = square == 1 && t.IsNegative() == 0 && y.Equal(&g.zero) == 0
	return x, y, t, ok
}

// canonical tells whether b is a field element below 2^255-19 that is not
// negative, that is, even.
func canonical(b []byte) bool {
	if len(b) != Size || b[0]&1 == 1 || b[31]&0x80 != 0 {
		return false
	}
	if b[31] != 0x7f {
		return true
	}
	for _, c := range b[1:31] {
		if c != 0xff {
			return true
		}
	}
	return b[0] < 0xed
}

// Encode gives the canonical bytes of p (RFC 9496, section 4.3.2), in constant
// time.
func (g *Group) Encode(p *Point) (enc [Size]byte) {
	var u1, u2, w, inv, den1, den2, zInv, a, b field.Element
	u1.Multiply(a.Add(&p.z, &p.y), b.Subtract(&p.z, &p.y))
	u2.Multiply(&p.x, &p.y)
	inv.SqrtRatio(&g.one, w.Multiply(&u1, w.Square(&u2)))
	den1.Multiply(&inv, &u1)
	den2.Multiply(&inv, &u2)
	zInv.Multiply(zInv.Multiply(&den1, &den2), &p.t)
	rotate := a.Multiply(&p.t, &zInv).IsNegative()
	var x, y, ix, iy, ench field.Element
	ix.Multiply(&p.x, &g.sqrtM1)
	iy.Multiply(&p.y, &g.sqrtM1)
	ench.Multiply(&den1, &g.invSqrtAMinusD)
	x.Select(&iy, &p.x, rotate)
	y.Select(&ix, &p.y, rotate)
	den2.Select(&ench, &den2, rotate)
	y.Select(b.Negate(&y), &y, a.Multiply(&x, &zInv).IsNegative())
	a.Multiply(&den2, a.Subtract(&p.z, &y))
	a.Absolute(&a)
	copy(enc[:], a.Bytes())
	return enc
}

// DecodeAll reads len(dst) elements that lie one after the other in enc. It
// gives the index of the first that is not a canonical element, or -1; dst is
// then good only before that index.
func (g *Group) DecodeAll(dst []Affine, enc []byte) int {
	if len(enc) != len(dst)*Size {
		return 0
	}
	bad := new(first)
	Spread(len(dst), 64, func(lo, hi int) {
		for ; g.lanes && hi-lo >= 8; lo += 8 {
			if ok := g.decode8(dst[lo:lo+8], enc[lo*Size:(lo+8)*Size]); ok != 0xff {
				bad.note(lo + bits.TrailingZeros8(^ok))
				return
			}
		}
		for i := lo; i < hi; i++ {
			x, y, t, ok := g.decode(enc[i*Size : (i+1)*Size])
			if !ok {
				bad.note(i)
				return
			}
			dst[i] = g.affine(&x, &y, &t)
		}
	})
	return bad.index()
}

// EncodeAll appends the encodings of ps to enc.
func (g *Group) EncodeAll(enc []byte, ps []Point) []byte {
	at := len(enc)
	enc = append(enc, make([]byte, len(ps)*Size)...)
	Spread(len(ps), 64, func(lo, hi int) {
		for ; g.lanes && hi-lo >= 8; lo += 8 {
			g.encode8(enc[at+lo*Size:], ps[lo:lo+8])
		}
		for i := lo; i < hi; i++ {
			e := g.Encode(&ps[i])
			copy(enc[at+i*Size:], e[:])
		}
	})
	return enc
}

// EncodeDoubles appends the encodings of 2p for each p of ps. Twice a point
// needs no square root, and the divisions are done together, so that this is
// many times faster than EncodeAll: who makes points from scalars halves the
// scalars (after the batch encoding of curve25519-dalek).
func (g *Group) EncodeDoubles(enc []byte, ps []Point) []byte {
	at := len(enc)
	enc = append(enc, make([]byte, len(ps)*Size)...)
	Spread(len(ps), 256, func(lo, hi int) {
		g.encodeDoubles(enc[at+lo*Size:at+hi*Size], ps[lo:hi])
	})
	return enc
}

// half is what encodeDoubles keeps of a point.
type half struct{ e, f, g, h, eg, fh field.Element }

func (g *Group) encodeDoubles(enc []byte, ps []Point) {
	hs := make([]half, len(ps))
	inv := make([]field.Element, len(ps))
	for i := range ps {
		p, s := &ps[i], &hs[i]
		var xx, yy, zz, dtt field.Element
		xx.Square(&p.x)
		yy.Square(&p.y)
		zz.Square(&p.z)
		dtt.Multiply(dtt.Square(&p.t), &g.d)
		s.e.Multiply(&p.x, s.e.Add(&p.y, &p.y))
		s.f.Add(&zz, &dtt)
		s.g.Add(&yy, &xx)
		s.h.Subtract(&zz, &dtt)
		s.eg.Multiply(&s.e, &s.g)
		s.fh.Multiply(&s.f, &s.h)
		inv[i].Multiply(&s.eg, &s.fh)
	}
	g.invert(inv)
	for i := range hs {
		copy(enc[i*Size:], g.finish(&hs[i], &inv[i]))
	}
}

func (g *Group) finish(s *half, inv *field.Element) []byte {
	var zInv, tInv, a, magic field.Element
	zInv.Multiply(&s.eg, inv)
	tInv.Multiply(&s.fh, inv)
	rotate := a.Multiply(&s.eg, &zInv).IsNegative()
	var e, gg, h field.Element
	e.Select(&s.g, &s.e, rotate)
	gg.Select(a.Negate(&s.e), &s.g, rotate)
	h.Select(a.Multiply(&s.f, &g.sqrtM1), &s.h, rotate)
	magic.Select(&g.sqrtM1, &g.invSqrtAMinusD, rotate)
	a.Multiply(a.Multiply(&h, &e), &zInv)
	gg.Select(zInv.Negate(&gg), &gg, a.IsNegative())
	a.Multiply(&gg, &tInv)
	a.Multiply(&a, &magic)
	a.Multiply(&a, zInv.Subtract(&h, &gg))
	a.Absolute(&a)
	return a.Bytes()
}

// Map gives the element that 64 uniform bytes stand for: nobody knows its
// logarithm to any other (RFC 9496, section 4.3.4).
func (g *Group) Map(uniform *[64]byte) Point {
	p, q := g.elligator(uniform[:32]), g.elligator(uniform[32:])
	return g.Add(&p, &q)
}

// MapAll writes the elements of many times 64 uniform bytes into dst.
func (g *Group) MapAll(dst []Point, uniform [][64]byte) {
	Spread(len(dst), 64, func(lo, hi int) {
		for ; g.lanes && hi-lo >= 8; lo += 8 {
			g.map8(dst[lo:lo+8], uniform[lo:lo+8])
		}
		for i := lo; i < hi; i++ {
			dst[i] = g.Map(&uniform[i])
		}
	})
}

func (g *Group) elligator(b []byte) (p Point) {
	var r0, r, ns, c, d, s, sp, nt, t field.Element
	if _, err := r0.SetBytes(b); err != nil { // the top bit is ignored
		panic(err)
	}
	r.Multiply(r.Square(&r0), &g.sqrtM1)
	ns.Multiply(ns.Add(&r, &g.one), &g.oneMinusDSq)
	c.Negate(&g.one)
	d.Multiply(&g.d, &r)
	d.Subtract(&c, &d)
	d.Multiply(&d, t.Add(&r, &g.d))
	_, square := s.SqrtRatio(&ns, &d)
	sp.Multiply(&s, &r0)
	sp.Negate(sp.Absolute(&sp))
	s.Select(&s, &sp, square)
	c.Select(&c, &r, square)
	nt.Multiply(&c, nt.Subtract(&r, &g.one))
	nt.Multiply(&nt, &g.dMinusOneSq)
	nt.Subtract(&nt, &d)
	var w completed
	w.x.Multiply(w.x.Add(&s, &s), &d)
	w.z.Multiply(&nt, &g.sqrtADMinus1)
	t.Square(&s)
	w.y.Subtract(&g.one, &t)
	w.t.Add(&g.one, &t)
	p.set(&w)
	return p
}
