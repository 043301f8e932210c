//go:build !purego

package ristretto

import (
	"crypto/sha512"
	"math/big"
	"testing"

	"filippo.io/edwards25519/field"
)

func skipWithoutLanes(t testing.TB) *Group {
	g := New()
	if !g.lanes {
		t.Skip("this processor has no AVX-512 IFMA")
	}
	return g
}

func prime() *big.Int {
	p := new(big.Int).Lsh(big.NewInt(1), 255)
	return p.Sub(p, big.NewInt(19))
}

// value is what limbs stand for, modulo p.
func value(v *vec, i int) *big.Int {
	n := new(big.Int)
	for k := 4; k >= 0; k-- {
		n.Lsh(n, 51)
		n.Add(n, new(big.Int).SetUint64(v[k][i]))
	}
	return n.Mod(n, prime())
}

// fill makes limbs of up to 52 bits: random ones, and the extremes.
func fill(seed []byte) (v vec) {
	for i := range 8 {
		for k := range 5 {
			h := sha512.Sum512(append(seed, byte(i), byte(k)))
			n := uint64(0)
			for _, b := range h[:8] {
				n = n<<8 | uint64(b)
			}
			switch h[9] % 4 {
			case 0:
				v[k][i] = 1<<52 - 1
			case 1:
				v[k][i] = 0
			case 2:
				v[k][i] = n & (1<<51 - 1)
			default:
				v[k][i] = n & (1<<52 - 1)
			}
		}
	}
	return v
}

func checkLanes(t *testing.T, seed []byte) {
	x, y := fill(append(seed, 'x')), fill(append(seed, 'y'))
	p := prime()
	ops := map[string]struct {
		got  func(z *vec)
		want func(a, b *big.Int) *big.Int
	}{
		"product":    {func(z *vec) { mul8(z, &x, &y) }, func(a, b *big.Int) *big.Int { return a.Mul(a, b) }},
		"square":     {func(z *vec) { sqn8(z, &x, 1) }, func(a, _ *big.Int) *big.Int { return a.Mul(a, a) }},
		"7 squares":  {func(z *vec) { sqn8(z, &x, 7) }, func(a, _ *big.Int) *big.Int { return a.Exp(a, big.NewInt(128), p) }},
		"sum":        {func(z *vec) { add8(z, &x, &y) }, func(a, b *big.Int) *big.Int { return a.Add(a, b) }},
		"difference": {func(z *vec) { sub8(z, &x, &y) }, func(a, b *big.Int) *big.Int { return a.Sub(a, b) }},
		"(p-5)/8": {func(z *vec) { z.pow22523(&x) }, func(a, _ *big.Int) *big.Int {
			return a.Exp(a, new(big.Int).Rsh(new(big.Int).Sub(p, big.NewInt(5)), 3), p)
		}},
	}
	for name, op := range ops {
		var z vec
		op.got(&z)
		for i := range 8 {
			want := op.want(value(&x, i), value(&y, i))
			if want.Mod(want, p).Cmp(value(&z, i)) != 0 {
				t.Fatalf("%s, lane %d: %v, not %v", name, i, value(&z, i), want)
			}
			for k := range z {
				if z[k][i] >= 1<<51+1<<16 {
					t.Fatalf("%s, lane %d: limb %d is %#x", name, i, k, z[k][i])
				}
			}
			// The other package reads the same limbs as the same number.
			e := z.get(i)
			b := e.Bytes()
			for l, r := 0, len(b)-1; l < r; l, r = l+1, r-1 {
				b[l], b[r] = b[r], b[l]
			}
			if new(big.Int).SetBytes(b).Cmp(want) != 0 {
				t.Fatalf("%s, lane %d: reads as %x", name, i, b)
			}
		}
	}
}

func TestLanes(t *testing.T) {
	skipWithoutLanes(t)
	for i := range 500 {
		checkLanes(t, []byte{byte(i), byte(i >> 8)})
	}
}

func FuzzLanes(f *testing.F) {
	f.Add([]byte("seed"))
	f.Fuzz(func(t *testing.T, seed []byte) {
		skipWithoutLanes(t)
		checkLanes(t, seed[:min(len(seed), 64)])
	})
}

// fuzzGroup computes everything with and without lanes.
func compareLanes(t *testing.T, g *Group, raw []byte) {
	plain := NewPlain()
	h := sha512.Sum512(raw)
	uniform := make([][64]byte, 21)
	enc := make([]byte, 0, 21*Size)
	for i := range uniform {
		uniform[i] = h
		h = sha512.Sum512(h[:])
		enc = append(enc, h[:Size]...)
		if i%3 == 0 { // halfway to an element
			enc[i*Size] &^= 1
			enc[i*Size+31] &= 0x7f
		}
	}
	copy(enc, raw)
	// Strings that are mostly no elements: each in each lane.
	for i := range 21 {
		var a, b [8]Affine
		eight := make([]byte, 8*Size)
		for k := range 8 {
			copy(eight[k*Size:], enc[(i+k)%21*Size:][:Size])
		}
		ok := g.decode8(a[:], eight)
		for k := range 8 {
			bad := plain.DecodeAll(b[k:k+1], eight[k*Size:(k+1)*Size])
			if (bad < 0) != (ok>>k&1 == 1) {
				t.Fatalf("is %x an element: in a lane %v", eight[k*Size:(k+1)*Size], ok>>k&1)
			}
			if bad < 0 {
				p, q := a[k].Point(), b[k].Point()
				if !g.Equal(&p, &q) {
					t.Fatalf("%x decodes to another element in a lane", eight[k*Size:(k+1)*Size])
				}
			}
		}
	}
	ps, qs := make([]Point, 21), make([]Point, 21)
	g.MapAll(ps, uniform)
	plain.MapAll(qs, uniform)
	ps[3], qs[3] = g.Identity(), g.Identity()
	ps[4], qs[4] = g.Sub(&ps[5], &ps[5]), g.Identity()
	x, y := g.EncodeAll(nil, ps), plain.EncodeAll(nil, qs)
	if string(x) != string(y) || string(x) != string(plain.EncodeAll(nil, ps)) {
		t.Fatal("map or encoding differs in lanes")
	}
	as := make([]Affine, 21)
	g.Normalize(as, ps)
	k := uint8(0)
	if len(raw) > 0 {
		k = raw[0]
	}
	for _, s := range []*Scalar{scalarOf(h), scalarOf([64]byte{k}), scalarOf([64]byte{})} {
		out := make([]Point, 21)
		g.MulEach(out, s, as)
		for i := range out {
			if want := g.Mul(s, &ps[i]); !g.Equal(&out[i], &want) {
				t.Fatalf("multiple %d differs in lanes", i)
			}
		}
	}
}

func scalarOf(b [64]byte) *Scalar {
	s, err := new(Scalar).SetUniformBytes(b[:])
	if err != nil {
		panic(err)
	}
	return s
}

func TestLanesAgree(t *testing.T) {
	g := skipWithoutLanes(t)
	for i := range 60 {
		compareLanes(t, g, []byte{byte(i)})
	}
	compareLanes(t, g, make([]byte, 21*Size))
}

func FuzzLanesAgree(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 64))
	f.Fuzz(func(t *testing.T, raw []byte) { compareLanes(t, skipWithoutLanes(t), raw[:min(len(raw), 21*Size)]) })
}

// A scalar's digits are its own, whatever it is.
func TestSignedDigits(t *testing.T) {
	for i := range 300 {
		s := scalarOf(sha512.Sum512([]byte{byte(i), byte(i >> 8)}))
		if i == 0 {
			s.Subtract(new(Scalar), scalarOf([64]byte{1}))
		}
		n := new(big.Int)
		d := signedDigits(s)
		for k := 63; k >= 0; k-- {
			if d[k] < -8 || d[k] > 8 {
				t.Fatalf("digit %d is %d", k, d[k])
			}
			n.Lsh(n, 4)
			n.Add(n, big.NewInt(int64(d[k])))
		}
		b := s.Bytes()
		for l, r := 0, len(b)-1; l < r; l, r = l+1, r-1 {
			b[l], b[r] = b[r], b[l]
		}
		if n.Cmp(new(big.Int).SetBytes(b)) != 0 {
			t.Fatalf("digits of %x make %x", b, n)
		}
	}
}

func BenchmarkLanes(b *testing.B) {
	skipWithoutLanes(b)
	x := fill([]byte{1})
	b.Run("product", func(b *testing.B) {
		for b.Loop() {
			mul8(&x, &x, &x)
		}
	})
	b.Run("square", func(b *testing.B) {
		for b.Loop() {
			sqn8(&x, &x, 1)
		}
	})
	var e field.Element
	e.One()
	b.Run("one product without", func(b *testing.B) {
		for b.Loop() {
			e.Multiply(&e, &e)
		}
	})
}
