package seal

import (
	"bytes"
	"encoding/binary"

	"github.com/omov/omov/ristretto"
)

// Size is how many papers a mix says that it is of, -1 where it is none.
func Size(raw []byte) int64 {
	if !bytes.HasPrefix(raw, []byte(mixHead)) || len(raw) < len(mixHead)+5 {
		return -1
	}
	return int64(binary.BigEndian.Uint32(raw[len(mixHead):]))
}

// Mix checks a mix of a group: it proves that what came out is what went in, in
// another order and encrypted anew. It gives what came out. The position counts
// those who mixed the group before.
func (e *Election) Mix(closing [32]byte, group *Group, mixer string, position int, in, raw []byte) ([]byte, error) {
	w := group.Contest.slots()
	x, err := readMix(raw, len(in)/(64*w), w)
	if err != nil {
		return nil, err
	}
	s := newScript("mix").put("manifest", e.Hash[:]).put("closing", closing[:]).put("group", []byte(group.Name())).
		put("mixer", []byte(mixer)).number("position", position).put("key", e.Key[:]).number("width", w).number("papers", x.n).
		put("in", in).put("out", x.out).put("permutation", x.c)
	if err := x.check(e, s, in); err != nil {
		return nil, err
	}
	return x.out, nil
}

// mix is a mix as it was sent.
type mix struct {
	n, w       int
	t1, t2, t3 []byte
	s1, s2, s3 ristretto.Scalar
	out, c     []byte // what came out; the commitments to the permutation
	chain, tc  []byte
	t4         []byte
	s4         []ristretto.Scalar
	sc, sp     []ristretto.Scalar // of the chain; of the papers
}

const mixHead = "omov mix 1\n"

func readMix(raw []byte, n, w int) (*mix, error) {
	if !bytes.HasPrefix(raw, []byte(mixHead)) || len(raw) < len(mixHead)+5 {
		return nil, wrong("it is no mix")
	}
	c := &cursor{b: raw[len(mixHead):]}
	if got, wide := binary.BigEndian.Uint32(c.take(4)), c.take(1)[0]; int(got) != n || int(wide) != w || n < 1 {
		return nil, wrong("it is of %d papers of %d elements; %d of %d went in", got, wide, n, w)
	}
	x := &mix{n: n, w: w}
	ok := true
	scalars := func(k int) []ristretto.Scalar {
		out := make([]ristretto.Scalar, k)
		for i := range out {
			var fine bool
			out[i], fine = scalarOf(c.take(32))
			ok = ok && fine
		}
		return out
	}
	x.t1, x.t2, x.t3 = c.take(32), c.take(32), c.take(32)
	s := scalars(3)
	x.s1, x.s2, x.s3 = s[0], s[1], s[2]
	x.out, x.c, x.chain, x.tc = c.take(64*w*n), c.take(32*n), c.take(32*n), c.take(32*n)
	x.t4 = c.take(64 * w)
	x.s4 = scalars(w)
	x.sc, x.sp = scalars(n), scalars(n)
	if c.bad || len(c.b) > 0 || !ok {
		return nil, wrong("it ends too early or too late, or holds a number that is none")
	}
	return x, nil
}

// generators gives H and h_1 … h_n.
func (e *Election) generators(n int) []ristretto.Affine {
	if len(e.bases) > n {
		return e.bases[:n+1]
	}
	seed := newScript("generators").put("manifest", e.Hash[:]).draw("seed")
	out := make([]ristretto.Affine, n+1)
	ristretto.Spread(n+1, 1_024, func(lo, hi int) {
		u, ps := make([][64]byte, hi-lo), make([]ristretto.Point, hi-lo)
		for i := range u {
			copy(u[i][:], stream(seed, lo+i))
		}
		e.g.MapAll(ps, u)
		e.g.Normalize(out[lo:hi], ps)
	})
	e.bases = out
	return out
}

// total is a sum of multiples, of elements in their bytes or at hand. They are
// added as they come, in stretches, so that little is in memory.
type total struct {
	e     *Election
	width int
	sum   *ristretto.Sum
	ok    bool
}

// stretch is how many elements are worked on together: they stay in the caches.
const stretch = 8_192

// total makes an empty sum that is to have about n terms.
func (e *Election) total(n int) *total {
	width := e.g.WidthFor(n, 253)
	return &total{e: e, width: width, sum: e.g.NewSum(253, width), ok: true}
}

func (t *total) bytes(ks []ristretto.Scalar, enc []byte) {
	ps := make([]ristretto.Affine, min(stretch, len(ks)))
	for at := 0; at < len(ks); at += stretch {
		to := min(at+stretch, len(ks))
		part := ps[:to-at]
		if t.e.g.DecodeAll(part, enc[32*at:32*to]) >= 0 {
			t.ok = false
			return
		}
		t.add(ks[at:to], part)
	}
}

func (t *total) add(ks []ristretto.Scalar, ps []ristretto.Affine) {
	t.sum.Add(ristretto.Recode(ks, 253, t.width), ps)
}

func (t *total) affine(ks []ristretto.Scalar, ps []ristretto.Affine) {
	for at := 0; at < len(ks); at += stretch {
		to := min(at+stretch, len(ks))
		t.add(ks[at:to], ps[at:to])
	}
}

func (t *total) points(ks []ristretto.Scalar, ps []ristretto.Point) {
	norm := make([]ristretto.Affine, len(ps))
	t.e.g.Normalize(norm, ps)
	t.add(ks, norm)
}

func (t *total) neutral() bool {
	if !t.ok {
		return false
	}
	sum := t.sum.Result()
	return t.e.g.IsIdentity(&sum)
}

// multiples is the sum of ks[i]·ps[i].
func (e *Election) multiples(ks []ristretto.Scalar, ps []ristretto.Affine) ristretto.Point {
	t := e.total(len(ks))
	t.affine(ks, ps)
	return t.sum.Result()
}

func scaled(ks []ristretto.Scalar, by *ristretto.Scalar) []ristretto.Scalar {
	out := make([]ristretto.Scalar, len(ks))
	for i := range ks {
		out[i].Multiply(&ks[i], by)
	}
	return out
}

func negated(k ristretto.Scalar) (n ristretto.Scalar) {
	n.Negate(&k)
	return n
}

// check checks the proof of Terelius and Wikström. Every equation is taken
// under a random weight, and all of them are added up.
func (x *mix) check(e *Election, s *script, in []byte) error {
	seed := s.draw("papers")
	u := make([]ristretto.Scalar, x.n)
	product := small(1)
	for i := range u {
		u[i] = short(seed, i)
		product.Multiply(&product, &u[i])
	}
	c := s.put("chain", x.chain).put("t1", x.t1).put("t2", x.t2).put("t3", x.t3).put("t4", x.t4).put("t-chain", x.tc).challenge()
	h := e.generators(x.n)
	t := e.total(4*x.n*(1+x.w) + 8)
	one := []ristretto.Scalar{small(1)}
	base, key := small(0), small(0)
	hs := make([]ristretto.Scalar, x.n) // multiples of h_1 … h_n
	top := small(0)                     // of H

	// t1 = s1·G - c·(Σ c_i - Σ h_i)
	w1 := weight()
	wc := times(&w1, &c)
	base.MultiplyAdd(&w1, &x.s1, &base)
	t.bytes(scaled(one, ptr(negated(w1))), x.t1)
	ones := make([]ristretto.Scalar, x.n)
	for i := range ones {
		ones[i] = negated(wc)
		hs[i].Add(&hs[i], &wc)
	}

	// t2 = s2·G - c·(ĉ_n - (Π u)·H)
	w2 := weight()
	wc2 := times(&w2, &c)
	base.MultiplyAdd(&w2, &x.s2, &base)
	t.bytes(scaled(one, ptr(negated(w2))), x.t2)
	t.bytes([]ristretto.Scalar{negated(wc2)}, x.chain[32*(x.n-1):])
	top.MultiplyAdd(&wc2, &product, &top)

	// t3 = s3·G + Σ s̃_i·h_i - c·Σ u_i·c_i
	w3 := weight()
	wc3 := times(&w3, &c)
	base.MultiplyAdd(&w3, &x.s3, &base)
	t.bytes(scaled(one, ptr(negated(w3))), x.t3)
	for i := range hs {
		hs[i].MultiplyAdd(&w3, &x.sp[i], &hs[i])
		k := times(&wc3, &u[i])
		ones[i].Subtract(&ones[i], &k)
	}
	t.bytes(ones, x.c)

	x.papers(e, t, in, u, &c, &base, &key)
	x.links(t, &c, &base, &top)
	t.points([]ristretto.Scalar{base, key}, []ristretto.Point{e.g.Base(), e.y})
	t.affine([]ristretto.Scalar{top}, h[:1])
	t.affine(hs, h[1:])
	if !t.neutral() {
		return wrong("its proof does not hold")
	}
	return nil
}

func ptr(k ristretto.Scalar) *ristretto.Scalar { return &k }

// papers adds t4: for each of the w elements Σ s̃_i·(A'_i, B'_i) - s4·(G, Y) -
// c·Σ u_i·(A_i, B_i).
func (x *mix) papers(e *Election, t *total, in []byte, u []ristretto.Scalar, c, base, key *ristretto.Scalar) {
	wa, wb := make([]ristretto.Scalar, x.w), make([]ristretto.Scalar, x.w)
	for k := range x.w {
		wa[k], wb[k] = weight(), weight()
		a, b := times(&wa[k], &x.s4[k]), times(&wb[k], &x.s4[k])
		base.Subtract(base, &a)
		key.Subtract(key, &b)
		t.bytes([]ristretto.Scalar{negated(wa[k]), negated(wb[k])}, x.t4[64*k:64*k+64])
	}
	after, before := make([]ristretto.Scalar, 2*x.w*x.n), make([]ristretto.Scalar, 2*x.w*x.n)
	ristretto.Spread(x.n, 1_024, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			cu := times(c, &u[i])
			cu.Negate(&cu)
			for k := range x.w {
				at := 2 * (i*x.w + k)
				after[at], after[at+1] = times(&wa[k], &x.sp[i]), times(&wb[k], &x.sp[i])
				before[at], before[at+1] = times(&wa[k], &cu), times(&wb[k], &cu)
			}
		}
	})
	t.bytes(after, x.out)
	t.bytes(before, in)
}

// links adds t̂_i = ŝ_i·G + s̃_i·ĉ_{i-1} - c·ĉ_i for every i.
func (x *mix) links(t *total, c, base, top *ristretto.Scalar) {
	chain, tc := make([]ristretto.Scalar, x.n), make([]ristretto.Scalar, x.n)
	for i := range x.n {
		w := weight()
		base.MultiplyAdd(&w, &x.sc[i], base)
		tc[i] = negated(w)
		wc := times(&w, c)
		chain[i].Subtract(&chain[i], &wc)
		ws := times(&w, &x.sp[i])
		if i == 0 {
			top.Add(top, &ws)
		} else {
			chain[i-1].Add(&chain[i-1], &ws)
		}
	}
	t.bytes(chain, x.chain)
	t.bytes(tc, x.tc)
}
