package ristretto

import (
	"encoding/binary"
	"math/bits"
	"runtime"
	"sync"
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

// WidthFor gives the width of digits with which a sum of n multiples of
// scalars below 2^nbits is fastest.
func (g *Group) WidthFor(n, nbits int) int {
	if g.lanes {
		// Rows come by eights: 253 bits make 56, 32 or 24 rows, 129 make 24 or 16.
		switch {
		case nbits > 129 && n >= 5000:
			return 11
		case nbits > 129 && n >= 100:
			return 8
		case nbits > 129:
			return 5
		case n >= 800:
			return 9
		}
		return 6
	}
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
	g     *Group
	width int
	n     int          // rows
	sets  []*bucketSet // one a core
}

// bucketSet is one core's buckets: rows[i][j] holds what is to be taken j
// times in row i.
type bucketSet struct{ rows [][]Point }

// NewSum makes an empty sum of scalars below 2^nbits cut into digits of width.
func (g *Group) NewSum(nbits, width int) *Sum {
	s := &Sum{g: g, width: width, n: rowsFor(nbits, width)}
	s.another()
	return s
}

// another makes one more set of buckets.
func (s *Sum) another() {
	rows := s.n
	if s.g.lanes {
		rows = (rows + 7) / 8 * 8
	}
	set := &bucketSet{make([][]Point, rows)}
	for i := range set.rows {
		set.rows[i] = s.g.Identities(1<<(s.width-1) + 1)
	}
	s.sets = append(s.sets, set)
}

// serial is how many points one core adds rather than share them out.
const serial = 512

// Add adds the multiples of ps by the scalars that d was cut from, of which
// there are as many. The digits must have been cut as the sum was made.
func (s *Sum) Add(d *Digits, ps []Affine) {
	if d.width != s.width || d.rows != s.n || d.n != len(ps) {
		panic("ristretto: digits that do not fit the sum")
	}
	cores := 1
	if len(ps) > serial {
		cores = runtime.GOMAXPROCS(0)
	}
	for len(s.sets) < cores {
		s.another()
	}
	var wg sync.WaitGroup
	for k := range cores {
		lo, hi := len(ps)*k/cores, len(ps)*(k+1)/cores
		wg.Go(func() {
			if s.g.lanes {
				s.sets[k].addLanes(d, ps, lo, hi)
				return
			}
			s.sets[k].add(d, ps, lo, hi)
		})
	}
	wg.Wait()
}

func (s *bucketSet) add(d *Digits, ps []Affine, lo, hi int) {
	for row := range d.rows {
		buckets := s.rows[row]
		for i, digit := range d.d[row*d.n+lo : row*d.n+hi] {
			if digit > 0 {
				buckets[digit].add(&ps[lo+i])
			} else if digit < 0 {
				buckets[-digit].sub(&ps[lo+i])
			}
		}
	}
}

// Result gives the sum so far. More may be added afterwards.
func (s *Sum) Result() Point {
	sums := make([]Point, len(s.sets[0].rows))
	if s.g.lanes {
		Spread(len(sums)/8, 1, func(k, _ int) { s.rowSums8(sums, 8*k) })
	} else {
		Spread(len(sums), 1, func(row, _ int) { sums[row] = s.rowSum(row) })
	}
	r := sums[s.n-1]
	for row := s.n - 2; row >= 0; row-- {
		for range s.width {
			r.double(&r)
		}
		r = s.g.Add(&r, &sums[row])
	}
	return r
}

// rowSum gives Σ j·bucket[j] of a row.
func (s *Sum) rowSum(row int) Point {
	running, total := s.g.Identity(), s.g.Identity()
	for j := 1 << (s.width - 1); j > 0; j-- {
		for _, set := range s.sets {
			running = s.g.Add(&running, &set.rows[row][j])
		}
		total = s.g.Add(&total, &running)
	}
	return total
}

// MultiMul gives the sum of ks[i]·ps[i] for public scalars.
func (g *Group) MultiMul(ks []Scalar, ps []Affine) Point {
	width := g.WidthFor(len(ks), 253)
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
