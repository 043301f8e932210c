//go:build !purego

package ristretto

import (
	"unsafe"

	"filippo.io/edwards25519/field"
	"golang.org/x/sys/cpu"
)

// Eight elements at a time, with the AVX-512 instructions that multiply 52 by
// 52 bits (IFMA). Everything here has a counterpart without them, which is what
// runs where a processor lacks them.

// vec is eight field elements: vec[k][i] is limb k of the i-th.
type vec [5][8]uint64

// vecPoint, vecAffine and vecCached are eight of each. They are read and
// written as rows of words, so the order of their fields is that of Point and
// Affine.
type (
	vecPoint  struct{ x, y, z, t vec }
	vecAffine struct{ yp, ym, t2d vec }
	vecCached struct {
		vecAffine
		z2 vec
	}
)

//go:noescape
func mul8(z, x, y *vec)

//go:noescape
func sqn8(z, x *vec, n int)

//go:noescape
func add8(z, x, y *vec)

//go:noescape
func sub8(z, x, y *vec)

//go:noescape
func gather8(dst *uint64, from *[8]unsafe.Pointer, n int)

//go:noescape
func scatter8(to *[8]unsafe.Pointer, src *uint64, n int)

//go:noescape
func same8(dst *vecAffine, q *Affine, neg uint8)

//go:noescape
func sign8(q *vecAffine, neg uint8)

//go:noescape
func pick8(dst *vecCached, table *[9]vecCached, at, neg uint64)

// haveLanes tells whether the processor has what is needed, and whether a
// field.Element is what this file takes it for: five limbs of 51 bits.
func haveLanes() bool {
	if !cpu.X86.HasAVX512F || !cpu.X86.HasAVX512DQ || !cpu.X86.HasAVX512IFMA || unsafe.Sizeof(field.Element{}) != 40 {
		return false
	}
	var e field.Element
	b := make([]byte, Size)
	for i := range b {
		b[i] = byte(3*i + 1)
	}
	b[31] = 0x5a
	if _, err := e.SetBytes(b); err != nil {
		return false
	}
	var v vec
	v.put(0, &e)
	limb := func(bit int) uint64 {
		n := uint64(0)
		for k := range 51 {
			n |= uint64(b[(bit+k)/8]>>((bit+k)%8)&1) << k
		}
		return n
	}
	for k := range v {
		if v[k][0] != limb(51*k) {
			return false
		}
	}
	return true
}

// limbs gives the five limbs of an element. The package that owns it promises
// limbs below 2^52 between operations, which is what the instructions take.
func limbs(e *field.Element) *[5]uint64 { return (*[5]uint64)(unsafe.Pointer(e)) }

func (v *vec) put(i int, e *field.Element) {
	l := limbs(e)
	v[0][i], v[1][i], v[2][i], v[3][i], v[4][i] = l[0], l[1], l[2], l[3], l[4]
}

func (v *vec) get(i int) (e field.Element) {
	*limbs(&e) = [5]uint64{v[0][i], v[1][i], v[2][i], v[3][i], v[4][i]}
	return e
}

// all gives one element to all lanes.
func (v *vec) all(e *field.Element) {
	for i := range 8 {
		v.put(i, e)
	}
}

// add adds q to p: seven products.
func (p *vecPoint) add(q *vecAffine) {
	var a, b, c, d, s vec
	add8(&a, &p.y, &p.x)
	mul8(&a, &a, &q.yp)
	sub8(&b, &p.y, &p.x)
	mul8(&b, &b, &q.ym)
	mul8(&c, &p.t, &q.t2d)
	add8(&d, &p.z, &p.z)
	p.complete(&a, &b, &c, &d, &s)
}

// complete does the last four products of an addition.
func (p *vecPoint) complete(a, b, c, d, s *vec) {
	var x, y, z vec
	sub8(&x, a, b)
	add8(&y, a, b)
	add8(&z, d, c)
	sub8(s, d, c)
	mul8(&p.x, &x, s)
	mul8(&p.y, &y, &z)
	mul8(&p.z, &z, s)
	mul8(&p.t, &x, &y)
}

func (p *vecPoint) addCached(q *vecCached) {
	var a, b, c, d, s vec
	add8(&a, &p.y, &p.x)
	mul8(&a, &a, &q.yp)
	sub8(&b, &p.y, &p.x)
	mul8(&b, &b, &q.ym)
	mul8(&c, &p.t, &q.t2d)
	mul8(&d, &p.z, &q.z2)
	p.complete(&a, &b, &c, &d, &s)
}

// double doubles p; t is left out unless it is needed next.
func (p *vecPoint) double(withT bool) {
	var xx, yy, zz, a, y, z, t vec
	sqn8(&xx, &p.x, 1)
	sqn8(&yy, &p.y, 1)
	sqn8(&zz, &p.z, 1)
	add8(&zz, &zz, &zz)
	add8(&a, &p.x, &p.y)
	sqn8(&a, &a, 1)
	add8(&y, &yy, &xx)
	sub8(&z, &yy, &xx)
	sub8(&a, &a, &y)
	sub8(&t, &zz, &z)
	mul8(&p.x, &a, &t)
	mul8(&p.y, &y, &z)
	mul8(&p.z, &z, &t)
	if withT {
		mul8(&p.t, &a, &y)
	}
}

// pow22523 raises to (p-5)/8 = 2^252-3.
func (v *vec) pow22523(x *vec) {
	var t0, t1, t2 vec
	sqn8(&t0, x, 1)     // 2
	sqn8(&t1, &t0, 2)   // 8
	mul8(&t1, x, &t1)   // 9
	mul8(&t0, &t0, &t1) // 11
	sqn8(&t0, &t0, 1)   // 22
	mul8(&t0, &t1, &t0) // 2^5-1
	sqn8(&t1, &t0, 5)   //
	mul8(&t0, &t1, &t0) // 2^10-1
	sqn8(&t1, &t0, 10)  //
	mul8(&t1, &t1, &t0) // 2^20-1
	sqn8(&t2, &t1, 20)  //
	mul8(&t1, &t2, &t1) // 2^40-1
	sqn8(&t1, &t1, 10)  //
	mul8(&t0, &t1, &t0) // 2^50-1
	sqn8(&t1, &t0, 50)  //
	mul8(&t1, &t1, &t0) // 2^100-1
	sqn8(&t2, &t1, 100) //
	mul8(&t1, &t2, &t1) // 2^200-1
	sqn8(&t1, &t1, 50)  //
	mul8(&t0, &t1, &t0) // 2^250-1
	sqn8(&t0, &t0, 2)   //
	mul8(v, &t0, x)     // 2^252-3
}

// invSqrt gives r with r² = 1/w or, where w has no root, something else; and w·r².
func invSqrt(r, check, w *vec) {
	var w3, w7 vec
	sqn8(&w3, w, 1)
	mul8(&w3, &w3, w)
	sqn8(&w7, &w3, 1)
	mul8(&w7, &w7, w)
	r.pow22523(&w7)
	mul8(r, r, &w3)
	sqn8(check, r, 1)
	mul8(check, check, w)
}

// decode8 reads eight encodings. Bit i of the result is set where the i-th is
// an element.
func (g *Group) decode8(dst []Affine, enc []byte) uint8 {
	var s, ss, u1, u2, u2Sq, v, w, r, check, one vec
	ok := uint8(0)
	for i := range 8 {
		b := enc[i*Size : (i+1)*Size]
		var e field.Element
		if canonical(b) {
			ok |= 1 << i
			e.SetBytes(b)
		}
		s.put(i, &e)
	}
	one.all(&g.one)
	sqn8(&ss, &s, 1)
	sub8(&u1, &one, &ss)
	add8(&u2, &one, &ss)
	sqn8(&u2Sq, &u2, 1)
	var d, zero vec
	d.all(&g.d)
	sqn8(&v, &u1, 1)
	mul8(&v, &v, &d)
	sub8(&v, &zero, &v)
	sub8(&v, &v, &u2Sq)
	mul8(&w, &v, &u2Sq)
	invSqrt(&r, &check, &w)
	ok &= g.root(&r, &check)
	var dx, dy, x, y vec
	mul8(&dx, &r, &u2)
	mul8(&dy, &r, &dx)
	mul8(&dy, &dy, &v)
	add8(&x, &s, &s)
	mul8(&x, &x, &dx)
	mul8(&y, &u1, &dy)
	x.absolute()
	var t, t2d, d2 vec
	mul8(&t, &x, &y)
	d2.all(&g.d2)
	mul8(&t2d, &t, &d2)
	add8(&u1, &y, &x)
	sub8(&u2, &y, &x)
	for i := range 8 {
		ti, yi := t.get(i), y.get(i)
		if ti.IsNegative() == 1 || yi.Equal(&g.zero) == 1 {
			ok &^= 1 << i
		}
		dst[i] = Affine{u1.get(i), u2.get(i), t2d.get(i)}
	}
	return ok
}

// root multiplies r by the square root of -1 in the lanes where check is -1,
// and gives the lanes where it is 1 or -1.
func (g *Group) root(r, check *vec) uint8 {
	var f, minus vec
	sub8(&minus, &f, check)
	ok := uint8(0)
	for i := range 8 {
		c, m := check.get(i), minus.get(i)
		switch {
		case c.Equal(&g.one) == 1:
			ok |= 1 << i
			f.put(i, &g.one)
		case m.Equal(&g.one) == 1:
			ok |= 1 << i
			f.put(i, &g.sqrtM1)
		}
	}
	mul8(r, r, &f)
	return ok
}

// absolute negates the lanes that are negative.
func (v *vec) absolute() {
	var minus, zero vec
	sub8(&minus, &zero, v)
	for i := range 8 {
		e := v.get(i)
		if e.IsNegative() == 1 {
			v.take(i, &minus)
		}
	}
}

// take copies lane i of w.
func (v *vec) take(i int, w *vec) {
	for k := range v {
		v[k][i] = w[k][i]
	}
}

// encode8 writes the encodings of eight points.
func (g *Group) encode8(enc []byte, ps []Point) {
	var p vecPoint
	p.load(ps)
	var a, b, u1, u2, w, r, check, den1, den2, zInv vec
	add8(&a, &p.z, &p.y)
	sub8(&b, &p.z, &p.y)
	mul8(&u1, &a, &b)
	mul8(&u2, &p.x, &p.y)
	sqn8(&w, &u2, 1)
	mul8(&w, &w, &u1)
	invSqrt(&r, &check, &w)
	g.root(&r, &check)
	mul8(&den1, &r, &u1)
	mul8(&den2, &r, &u2)
	mul8(&zInv, &den1, &den2)
	mul8(&zInv, &zInv, &p.t)
	var ix, iy, ench, i8, magic, zero vec
	i8.all(&g.sqrtM1)
	magic.all(&g.invSqrtAMinusD)
	mul8(&ix, &p.x, &i8)
	mul8(&iy, &p.y, &i8)
	mul8(&ench, &den1, &magic)
	mul8(&a, &p.t, &zInv)
	for i := range 8 {
		if e := a.get(i); e.IsNegative() == 1 {
			p.x.take(i, &iy)
			p.y.take(i, &ix)
			den2.take(i, &ench)
		}
	}
	mul8(&a, &p.x, &zInv)
	sub8(&b, &zero, &p.y)
	for i := range 8 {
		if e := a.get(i); e.IsNegative() == 1 {
			p.y.take(i, &b)
		}
	}
	sub8(&a, &p.z, &p.y)
	mul8(&a, &a, &den2)
	a.absolute()
	for i := range 8 {
		e := a.get(i)
		copy(enc[i*Size:], e.Bytes())
	}
}

// load and store move eight points in and out.
func (p *vecPoint) load(ps []Point) {
	var from [8]unsafe.Pointer
	for i := range from {
		from[i] = unsafe.Pointer(&ps[i])
	}
	gather8(&p.x[0][0], &from, 20)
}

func (p *vecPoint) store(ps []Point) {
	var to [8]unsafe.Pointer
	for i := range to {
		to[i] = unsafe.Pointer(&ps[i])
	}
	scatter8(&to, &p.x[0][0], 20)
}

// map8 maps eight times 64 bytes.
func (g *Group) map8(dst []Point, uniform [][64]byte) {
	var p, q vecPoint
	g.elligator8(&p, uniform, 0)
	g.elligator8(&q, uniform, 32)
	var c vecCached
	g.cache8(&c, &q)
	p.addCached(&c)
	p.store(dst)
}

// cache8 makes p ready to be added.
func (g *Group) cache8(c *vecCached, p *vecPoint) {
	var d2 vec
	d2.all(&g.d2)
	add8(&c.yp, &p.y, &p.x)
	sub8(&c.ym, &p.y, &p.x)
	mul8(&c.t2d, &p.t, &d2)
	add8(&c.z2, &p.z, &p.z)
}

// elligator8 is elligator for bytes at to at+32 of each.
func (g *Group) elligator8(p *vecPoint, uniform [][64]byte, at int) {
	var r0, r, ns, d, t, one, k, zero vec
	for i := range 8 {
		var e field.Element
		e.SetBytes(uniform[i][at : at+32])
		r0.put(i, &e)
	}
	one.all(&g.one)
	k.all(&g.sqrtM1)
	sqn8(&r, &r0, 1)
	mul8(&r, &r, &k)
	add8(&ns, &r, &one)
	k.all(&g.oneMinusDSq)
	mul8(&ns, &ns, &k)
	k.all(&g.d)
	mul8(&d, &k, &r)
	sub8(&d, &zero, &d)
	sub8(&d, &d, &one)
	add8(&t, &r, &k)
	mul8(&d, &d, &t)
	s, square := g.sqrtRatio8(&ns, &d)
	var sp, c vec
	mul8(&sp, &s, &r0)
	sp.absolute()
	sub8(&sp, &zero, &sp)
	sub8(&c, &zero, &one)
	for i := range 8 {
		if square&(1<<i) == 0 {
			s.take(i, &sp)
			c.take(i, &r)
		}
	}
	var nt, x, y, z, w vec
	sub8(&t, &r, &one)
	mul8(&nt, &c, &t)
	k.all(&g.dMinusOneSq)
	mul8(&nt, &nt, &k)
	sub8(&nt, &nt, &d)
	add8(&x, &s, &s)
	mul8(&x, &x, &d)
	k.all(&g.sqrtADMinus1)
	mul8(&z, &nt, &k)
	sqn8(&t, &s, 1)
	sub8(&y, &one, &t)
	add8(&w, &one, &t)
	mul8(&p.x, &x, &w)
	mul8(&p.y, &y, &z)
	mul8(&p.z, &z, &w)
	mul8(&p.t, &x, &y)
}

// sqrtRatio8 is SqrtRatio of RFC 9496, section 4.2, and the lanes that have a
// root.
func (g *Group) sqrtRatio8(u, v *vec) (r vec, square uint8) {
	var v3, v7, check, zero, minus, iu, i8 vec
	sqn8(&v3, v, 1)
	mul8(&v3, &v3, v)
	sqn8(&v7, &v3, 1)
	mul8(&v7, &v7, v)
	mul8(&v7, &v7, u)
	r.pow22523(&v7)
	mul8(&r, &r, &v3)
	mul8(&r, &r, u)
	sqn8(&check, &r, 1)
	mul8(&check, &check, v)
	sub8(&minus, &zero, &check)
	i8.all(&g.sqrtM1)
	mul8(&iu, u, &i8)
	var f vec
	for i := range 8 {
		c, m, ui, iui := check.get(i), minus.get(i), u.get(i), iu.get(i)
		f.put(i, &g.one)
		flipped := m.Equal(&ui) == 1
		if c.Equal(&ui) == 1 || flipped {
			square |= 1 << i
		}
		if flipped || m.Equal(&iui) == 1 {
			f.put(i, &g.sqrtM1)
		}
	}
	mul8(&r, &r, &f)
	r.absolute()
	return r, square
}

// mulEach8 gives k times each of eight points, k in signed digits of four bits, in
// a time that depends on neither.
func (g *Group) mulEach8(dst []Point, digits *[64]int8, as []Affine) {
	var table [9]vecCached
	var p, acc vecPoint
	ps := make([]Point, 8)
	for i := range ps {
		ps[i] = as[i].Point()
	}
	p.load(ps)
	for i := range ps {
		ps[i] = g.Identity()
	}
	acc.load(ps)
	g.cache8(&table[0], &acc)
	g.cache8(&table[1], &p)
	q := p
	for i := 2; i <= 8; i++ {
		q.addCached(&table[1])
		g.cache8(&table[i], &q)
	}
	var c vecCached
	for i := 63; i >= 0; i-- {
		if i != 63 {
			for j := range 4 {
				acc.double(j == 3)
			}
		}
		d := digits[i]
		sign := d >> 7
		pick8(&c, &table, uint64((d^sign)-sign), uint64(sign&1))
		acc.addCached(&c)
	}
	acc.store(dst)
	clear(table[:])
}

// tableAdd8 adds, in eight lanes, the entries that the digits name.
func (g *Group) tableAdd8(p *vecPoint, none *Affine, entries []Affine, digits []int16) {
	var from [8]unsafe.Pointer
	var q vecAffine
	neg := uint8(0)
	for i := range from {
		digit := int(digits[i])
		switch {
		case digit > 0:
			from[i] = unsafe.Pointer(&entries[digit-1])
		case digit < 0:
			from[i] = unsafe.Pointer(&entries[-digit-1])
			neg |= 1 << i
		default:
			from[i] = unsafe.Pointer(none)
		}
	}
	gather8(&q.yp[0][0], &from, 15)
	sign8(&q, neg)
	p.add(&q)
}

// addLanes adds the multiples of scalars lo to hi, eight at a time, and gives
// how many it has done.
func (t *Table) addLanes(g *Group, dst []Point, d *Digits, lo, hi int) int {
	n := (hi - lo) / 8
	ps := make([]vecPoint, n)
	for i := range ps {
		ps[i].load(dst[lo+8*i:])
	}
	none := g.noneAffine()
	for row, entries := range t.rows {
		digits := d.d[row*d.n+lo : row*d.n+hi]
		for i := range ps {
			g.tableAdd8(&ps[i], &none, entries, digits[8*i:8*i+8])
		}
	}
	for i := range ps {
		ps[i].store(dst[lo+8*i:])
	}
	return 8 * n
}

// addLanes adds points to the buckets of eight rows at a time, so that no two
// lanes ever meet in one bucket. Bucket 0 of a row takes what has digit 0.
func (s *bucketSet) addLanes(d *Digits, ps []Affine, lo, hi int) {
	var p vecPoint
	var q vecAffine
	var at [8]unsafe.Pointer
	for row := 0; row < len(s.rows); row += 8 {
		rows := s.rows[row : row+8]
		for i := lo; i < hi; i++ {
			neg := uint8(0)
			for k := range at {
				digit := 0
				if row+k < d.rows {
					digit = int(d.d[(row+k)*d.n+i])
				}
				if digit < 0 {
					digit = -digit
					neg |= 1 << k
				}
				at[k] = unsafe.Pointer(&rows[k][digit])
			}
			gather8(&p.x[0][0], &at, 20)
			same8(&q, &ps[i], neg)
			p.add(&q)
			scatter8(&at, &p.x[0][0], 20)
		}
	}
}

// rowSums8 gives Σ j·bucket[j] for eight rows from row on.
func (s *Sum) rowSums8(dst []Point, row int) {
	var running, total, b vecPoint
	var c vecCached
	ps := s.g.Identities(8)
	running.load(ps)
	total.load(ps)
	var at [8]unsafe.Pointer
	for j := 1 << (s.width - 1); j > 0; j-- {
		for _, set := range s.sets {
			for k := range at {
				at[k] = unsafe.Pointer(&set.rows[row+k][j])
			}
			gather8(&b.x[0][0], &at, 20)
			s.g.cache8(&c, &b)
			running.addCached(&c)
		}
		s.g.cache8(&c, &running)
		total.addCached(&c)
	}
	total.store(ps)
	copy(dst[row:], ps)
}
