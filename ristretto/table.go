package ristretto

// Table holds multiples of one base, so that a multiple of it costs one
// addition for each digit of the scalar. Which entries are read depends on the
// scalar: not for keys.
type Table struct {
	g     *Group
	width int
	rows  [][]Affine // rows[i][j] = (j+1)·2^(i·width)·P
}

// TableWidth gives the width of a table with which n multiples, and making the
// table, together are fastest.
func TableWidth(n int) int {
	switch {
	case n < 64:
		return 5
	case n < 1000:
		return 7
	case n < 10_000:
		return 9
	case n < 50_000:
		return 11
	case n < 200_000:
		return 13
	}
	return 14
}

// NewTable makes a table of p with digits of width bits.
func (g *Group) NewTable(p *Point, width int) *Table {
	t := &Table{g: g, width: width, rows: make([][]Affine, rowsFor(253, width))}
	starts := make([]Point, len(t.rows))
	at := *p
	for i := range starts {
		starts[i] = at
		for range width {
			at.double(&at)
		}
	}
	Spread(len(t.rows), 1, func(i, _ int) {
		n := 1 << (width - 1)
		t.rows[i] = make([]Affine, n)
		ps := make([]Point, min(n, 256))
		step := make([]Affine, 1)
		g.normalize(step, starts[i:i+1])
		at := starts[i]
		for lo := 0; lo < n; lo += len(ps) {
			for j := range ps {
				ps[j] = at
				at.add(&step[0])
			}
			g.normalize(t.rows[i][lo:lo+len(ps)], ps)
		}
	})
	return t
}

// AddTo adds to each dst[i] the base times the i-th scalar of d, which must
// have been cut with Recode(ks, 253, t.Width()). It goes row by row, so that a
// row of the table stays in the cache while all scalars pass.
func (t *Table) AddTo(dst []Point, d *Digits) {
	if d.width != t.width || d.rows != len(t.rows) || d.n != len(dst) {
		panic("ristretto: digits that do not fit the table")
	}
	Spread(len(dst), 1024, func(lo, hi int) {
		if t.g.lanes {
			lo += t.addLanes(t.g, dst, d, lo, hi)
		}
		for row, entries := range t.rows {
			digits := d.d[row*d.n+lo : row*d.n+hi]
			for i, digit := range digits {
				if digit > 0 {
					dst[lo+i].add(&entries[digit-1])
				} else if digit < 0 {
					dst[lo+i].sub(&entries[-digit-1])
				}
			}
		}
	})
}

// Width is the width of the digits in bits.
func (t *Table) Width() int { return t.width }

// AddMultiples adds to each dst[i] the base times ks[i].
func (t *Table) AddMultiples(dst []Point, ks []Scalar) {
	t.AddTo(dst, Recode(ks, 253, t.width))
}

// Identities gives n neutral elements.
func (g *Group) Identities(n int) []Point {
	ps := make([]Point, n)
	id := g.Identity()
	for i := range ps {
		ps[i] = id
	}
	return ps
}
