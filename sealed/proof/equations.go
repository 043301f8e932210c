package proof

import (
	"crypto/rand"

	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/transcript"
)

// Equations gathers equations that all say that a sum of multiples is the
// neutral element, under weights drawn here. G and the joint key stand in
// nearly all of them; their multiples are added up as numbers.
type Equations struct {
	base, key ristretto.Scalar
	full      []ristretto.Scalar
	fullEnc   []byte
	short     []ristretto.Scalar
	shortEnc  []byte
	valid     []byte
	drawn     []byte
	broken    bool
}

// Weight draws the weight of one more equation.
func (e *Equations) Weight() ristretto.Scalar {
	if len(e.drawn) < 16 {
		e.drawn = make([]byte, 16*64)
		rand.Read(e.drawn)
	}
	w := transcript.Short(e.drawn)
	e.drawn = e.drawn[16:]
	return w
}

// Base takes the generator k times.
func (e *Equations) Base(k *ristretto.Scalar) { e.base.Add(&e.base, k) }

// Key takes the joint key k times.
func (e *Equations) Key(k *ristretto.Scalar) { e.key.Add(&e.key, k) }

// Point takes an element k times.
func (e *Equations) Point(k *ristretto.Scalar, enc []byte) {
	e.full, e.fullEnc = append(e.full, *k), append(e.fullEnc, enc...)
}

// Once takes an element as many times as a weight says.
func (e *Equations) Once(weight *ristretto.Scalar, enc []byte) {
	e.short, e.shortEnc = append(e.short, *weight), append(e.shortEnc, enc...)
}

// Valid asks only that enc is an element.
func (e *Equations) Valid(enc []byte) { e.valid = append(e.valid, enc...) }

// Fail makes the equations fail: something was not even of the right form.
func (e *Equations) Fail() { e.broken = true }

// scalar reads a number; one that is none makes the equations fail.
func (e *Equations) scalar(b []byte) ristretto.Scalar {
	s, ok := transcript.Scalar(b)
	if !ok {
		e.broken = true
	}
	return s
}

// Hold tells whether all equations gathered hold. key may be nil where no
// equation has the joint key.
func (e *Equations) Hold(g *ristretto.Group, key *ristretto.Point) bool {
	if len(e.full)+len(e.short) <= few {
		return e.holdFew(g, key)
	}
	b := NewBatch(g, key, len(e.full))
	return b.Add(e) && b.Hold()
}

// few is up to how many elements one sum takes all, short weights or not;
// below fewest, doublings are shared instead of buckets.
const (
	few    = 300
	fewest = 14
)

// holdFew checks a single paper.
func (e *Equations) holdFew(g *ristretto.Group, key *ristretto.Point) bool {
	if e.broken {
		return false
	}
	n := len(e.full) + len(e.short)
	all := make([]ristretto.Affine, n+len(e.valid)/Size)
	enc := append(append(append(make([]byte, 0, len(all)*Size), e.fullEnc...), e.shortEnc...), e.valid...)
	if g.DecodeAll(all, enc) >= 0 {
		return false
	}
	ks := append(append(make([]ristretto.Scalar, 0, n+1), e.full...), e.short...)
	sum := g.MulBase(&e.base)
	add := func(p ristretto.Point) { sum = g.Add(&sum, &p) }
	if n > fewest {
		add(g.MultiMul(ks, all[:n]))
		if key != nil {
			add(g.FewMul([]ristretto.Scalar{e.key}, []ristretto.Point{*key}))
		}
		return g.IsIdentity(&sum)
	}
	ps := make([]ristretto.Point, n, n+1)
	for i := range ps {
		ps[i] = all[i].Point()
	}
	if key != nil {
		ks, ps = append(ks, e.key), append(ps, *key)
	}
	add(g.FewMul(ks, ps))
	return g.IsIdentity(&sum)
}

// Batch adds up the equations of many papers.
type Batch struct {
	g           *ristretto.Group
	keyPoint    *ristretto.Point
	n           int
	full, short *ristretto.Sum
	base, key   ristretto.Scalar
}

// NewBatch makes a batch for about n elements.
func NewBatch(g *ristretto.Group, key *ristretto.Point, n int) *Batch {
	return &Batch{g: g, keyPoint: key, n: n, full: g.NewSum(253, g.WidthFor(n, 253)), short: g.NewSum(128, g.WidthFor(n, 128))}
}

// Add adds gathered equations. It reports false where something is no element
// or not of the right form; the batch is then of no use.
func (b *Batch) Add(es ...*Equations) bool {
	var all Equations
	for _, e := range es {
		if e.broken {
			return false
		}
		b.base.Add(&b.base, &e.base)
		b.key.Add(&b.key, &e.key)
		if len(es) == 1 {
			all = *e
			break
		}
		all.full, all.fullEnc = append(all.full, e.full...), append(all.fullEnc, e.fullEnc...)
		all.short, all.shortEnc = append(all.short, e.short...), append(all.shortEnc, e.shortEnc...)
		all.valid = append(all.valid, e.valid...)
	}
	n := max(len(all.full), len(all.short), len(all.valid)/Size)
	points := make([]ristretto.Affine, n)
	if b.g.DecodeAll(points[:len(all.valid)/Size], all.valid) >= 0 {
		return false
	}
	if b.g.DecodeAll(points[:len(all.full)], all.fullEnc) >= 0 {
		return false
	}
	b.full.Add(ristretto.Recode(all.full, 253, b.g.WidthFor(b.n, 253)), points[:len(all.full)])
	if b.g.DecodeAll(points[:len(all.short)], all.shortEnc) >= 0 {
		return false
	}
	b.short.Add(ristretto.Recode(all.short, 128, b.g.WidthFor(b.n, 128)), points[:len(all.short)])
	return true
}

// Hold tells whether all equations added hold.
func (b *Batch) Hold() bool {
	g := b.g
	p, q := b.full.Result(), b.short.Result()
	p = g.Add(&p, &q)
	q = g.MulBase(&b.base)
	p = g.Add(&p, &q)
	if b.keyPoint != nil {
		q = g.Mul(&b.key, b.keyPoint)
		p = g.Add(&p, &q)
	}
	return g.IsIdentity(&p)
}
