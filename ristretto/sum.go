package ristretto

import (
	"encoding/binary"
	"math/bits"
)

// Digits are scalars cut into signed digits of one width, one row a digit, so
// that several sums with the same scalars cut them once.
type Digits struct {
	width, rows, n int
	d              []int16 // rows * n
}

// Recode cuts scalars below 2^nbits into digits of the given width in bits (2 to
// 15). At nbits 253 every scalar is allowed; a larger one than 2^nbits panics.
func Recode(ks []Scalar, nbits, width int) *Digits {
	d := &Digits{width: width, rows: rowsFor(nbits, width), n: len(ks)}
	d.d = make([]int16, d.rows*d.n)
	Spread(len(ks), 1024, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			d.cut(&ks[i], i)
		}
	})
	return d
}

// rowsFor leaves room for the carry out of the topmost digit.
func rowsFor(nbits, width int) int { return nbits/width + 1 }

func (d *Digits) cut(k *Scalar, i int) {
	var w [5]uint64
	b := k.Bytes()
	for j := range 4 {
		w[j] = binary.LittleEndian.Uint64(b[8*j:])
	}
	carry := uint64(0)
	mask, halfway := uint64(1)<<d.width-1, uint64(1)<<(d.width-1)
	for row := range d.rows {
		at := row * d.width
		word, shift := at/64, at%64
		v := uint64(0)
		if word < 4 {
			v = w[word]>>shift | w[word+1]<<(64-shift) // a shift by 64 gives 0
		}
		v = v&mask + carry
		carry = 0
		digit := int(v)
		if v > halfway {
			digit -= 1 << d.width
			carry = 1
		}
		d.d[row*d.n+i] = int16(digit)
	}
	if carry != 0 || !fits(&w, d.rows*d.width) {
		panic("ristretto: a scalar is longer than was said")
	}
}

// fits tells whether w has no bit at or above n.
func fits(w *[5]uint64, n int) bool {
	for j := 3; j >= 0; j-- {
		if w[j] != 0 {
			return j*64+bits.Len64(w[j]) <= n
		}
	}
	return true
}

// WidthFor gives the width of digits with which a sum of n multiples is
// fastest.
func WidthFor(n int) int {
	// Measured; above 13 the buckets of a row leave the second-level cache.
	for width, least := range []int{0, 0, 0, 0, 30, 80, 180, 400, 1000, 2500, 6000, 14000, 36000, 150000} {
		if width > 3 && n < least {
			return width - 1
		}
	}
	return 13
}

// Sum adds up k·P over any number of scalars and elements that come in
// stretches (Pippenger's buckets over signed digits). Not for secrets that
// outlive the run: the time it takes depends on the scalars.
type Sum struct {
	g       *Group
	width   int
	buckets [][]Point // a row a digit
}

// NewSum makes an empty sum of scalars below 2^nbits cut into digits of width.
func (g *Group) NewSum(nbits, width int) *Sum {
	s := &Sum{g: g, width: width, buckets: make([][]Point, rowsFor(nbits, width))}
	id := g.Identity()
	for i := range s.buckets {
		s.buckets[i] = make([]Point, 1<<(width-1))
		for j := range s.buckets[i] {
			s.buckets[i][j] = id
		}
	}
	return s
}

// Add adds the multiples of ps by the scalars that d was cut from, of which
// there are as many. The digits must have been cut as the sum was made.
func (s *Sum) Add(d *Digits, ps []Affine) {
	if d.width != s.width || d.rows != len(s.buckets) || d.n != len(ps) {
		panic("ristretto: digits that do not fit the sum")
	}
	Spread(d.rows, 1, func(row, _ int) {
		buckets := s.buckets[row]
		for i, digit := range d.d[row*d.n : (row+1)*d.n] {
			if digit > 0 {
				buckets[digit-1].add(&ps[i])
			} else if digit < 0 {
				buckets[-digit-1].sub(&ps[i])
			}
		}
	})
}

// Result gives the sum so far. More may be added afterwards.
func (s *Sum) Result() Point {
	sums := make([]Point, len(s.buckets))
	Spread(len(sums), 1, func(row, _ int) {
		running, total := s.g.Identity(), s.g.Identity()
		for j := len(s.buckets[row]) - 1; j >= 0; j-- {
			running = s.g.Add(&running, &s.buckets[row][j])
			total = s.g.Add(&total, &running)
		}
		sums[row] = total
	})
	r := sums[len(sums)-1]
	for row := len(sums) - 2; row >= 0; row-- {
		for range s.width {
			r.double(&r)
		}
		r = s.g.Add(&r, &sums[row])
	}
	return r
}

// MultiMul gives the sum of ks[i]·ps[i] for public scalars.
func (g *Group) MultiMul(ks []Scalar, ps []Affine) Point {
	width := WidthFor(len(ks))
	s := g.NewSum(253, width)
	s.Add(Recode(ks, 253, width), ps)
	return s.Result()
}

// FewMul gives the sum of ks[i]·ps[i] for a few public scalars: the doublings
// are shared (Straus), with signed digits of four bits, and none are spent on
// digits that are zero in every scalar, so that small scalars are cheap. A
// scalar close to the order counts as a small negative one.
func (g *Group) FewMul(ks []Scalar, ps []Point) Point {
	const width = 4
	signed, negative := make([]Scalar, len(ks)), make([]bool, len(ks))
	for i := range ks {
		var minus Scalar
		minus.Negate(&ks[i])
		signed[i] = ks[i]
		if shorter(&minus, &ks[i]) {
			signed[i], negative[i] = minus, true
		}
	}
	d := Recode(signed, 253, width)
	tables := make([][]Point, len(ps))
	r := g.Identity()
	started := false
	for row := d.rows - 1; row >= 0; row-- {
		if started {
			for range width {
				r.double(&r)
			}
		}
		for i := range ps {
			digit := int(d.d[row*d.n+i])
			if digit == 0 {
				continue
			}
			started = true
			if negative[i] {
				digit = -digit
			}
			if tables[i] == nil {
				tables[i] = g.multiples(&ps[i], 1<<(width-1))
			}
			if digit > 0 {
				r = g.Add(&r, &tables[i][digit-1])
			} else {
				r = g.Sub(&r, &tables[i][-digit-1])
			}
		}
	}
	return r
}

// shorter tells whether a has fewer bits than b.
func shorter(a, b *Scalar) bool {
	x, y := a.Bytes(), b.Bytes()
	for i := len(x) - 1; i >= 0; i-- {
		if x[i] != y[i] {
			return x[i] < y[i]
		}
	}
	return false
}

// multiples gives 1·p to n·p.
func (g *Group) multiples(p *Point, n int) []Point {
	out := make([]Point, n)
	out[0] = *p
	for i := 1; i < n; i++ {
		out[i] = g.Add(&out[i-1], p)
	}
	return out
}
