package group_test

import (
	"bytes"
	"crypto/sha512"
	"testing"

	"filippo.io/edwards25519"

	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/group"
)

// scalarOf makes 32 canonical bytes of anything.
func scalarOf(t testing.TB, b []byte) []byte {
	h := sha512.Sum512(b)
	s, err := edwards25519.NewScalar().SetUniformBytes(h[:])
	if err != nil {
		t.Fatal(err)
	}
	return s.Bytes()
}

// compare runs every operation on both back ends.
func compare(t *testing.T, raw []byte) {
	compareWith(t, raw, group.Edwards{G: ristretto.New()})
	compareWith(t, raw, group.Edwards{G: ristretto.NewPlain()})
}

func compareWith(t *testing.T, raw []byte, edw group.Edwards) {
	voi := group.Voi{}
	h := sha512.Sum512(raw)
	p, q := voi.Map(&h), edw.Map(&h)
	if p != q {
		t.Fatalf("map of %x: %x and %x", h, p, q)
	}
	if len(raw) >= 32 {
		if a, b := voi.Valid(raw[:32]), edw.Valid(raw[:32]); a != b {
			t.Fatalf("is %x an element: voi %v, edwards25519 %v", raw[:32], a, b)
		}
	}
	other := sha512.Sum512(h[:])
	r := voi.Map(&other)
	same := func(what string, a, b [32]byte, ok, ok2 bool) {
		t.Helper()
		if a != b || ok != ok2 {
			t.Fatalf("%s: %x %v and %x %v", what, a, ok, b, ok2)
		}
	}
	for _, k := range [][]byte{scalarOf(t, raw), raw[:min(32, len(raw))]} {
		a, ok := voi.MulBase(k)
		b, ok2 := edw.MulBase(k)
		same("multiple of the generator", a, b, ok, ok2)
		c, ok := voi.Sum([][]byte{k, scalarOf(t, h[:]), scalarOf(t, h[1:])}, [][]byte{p[:], r[:], a[:]})
		d, ok2 := edw.Sum([][]byte{k, scalarOf(t, h[:]), scalarOf(t, h[1:])}, [][]byte{p[:], r[:], a[:]})
		same("sum", c, d, ok, ok2)
		var in []byte
		for range 5 { // more than eight
			in = append(append(in, p[:]...), r[:]...)
		}
		in = append(in, raw[:min(32, len(raw))]...)
		e, bad := voi.MulEach(k, in)
		f, bad2 := edw.MulEach(k, in)
		if bad != bad2 || bad < 0 && !bytes.Equal(e, f) {
			t.Fatalf("multiples: %d %x and %d %x", bad, e, bad2, f)
		}
	}
	a, ok := voi.Add(p[:], r[:])
	b, ok2 := edw.Add(p[:], r[:])
	same("sum of two", a, b, ok, ok2)
}

func TestBackEndsAgree(t *testing.T) {
	compare(t, nil)
	compare(t, make([]byte, 32))
	for i := range 200 {
		h := sha512.Sum512([]byte{byte(i)})
		compare(t, h[:32+i%8])
	}
}

func FuzzBackEndsAgree(f *testing.F) {
	for i := range 4 {
		h := sha512.Sum512([]byte{byte(i)})
		f.Add(h[:32])
	}
	f.Add(bytes.Repeat([]byte{0}, 32))
	f.Add(bytes.Repeat([]byte{0xff}, 32))
	f.Fuzz(func(t *testing.T, raw []byte) { compare(t, raw[:min(len(raw), 64)]) })
}

func TestMulEachRefuses(t *testing.T) {
	for _, b := range group.Backends() {
		good, _ := b.MulBase(scalarOf(t, []byte("k")))
		bad := append(append([]byte{}, good[:]...), bytes.Repeat([]byte{0xff}, 32)...)
		if _, at := b.MulEach(scalarOf(t, []byte("x")), bad); at != 1 {
			t.Errorf("%s: the first bad element is said to be %d", b.Name(), at)
		}
		if _, at := b.MulEach(bytes.Repeat([]byte{0xff}, 32), good[:]); at != 0 {
			t.Errorf("%s: takes a scalar that is none", b.Name())
		}
	}
}

func BenchmarkMulEach(b *testing.B) {
	k := scalarOf(b, []byte("key"))
	var ps []byte
	v := group.Voi{}
	for i := range 4096 {
		h := sha512.Sum512([]byte{byte(i), byte(i >> 8)})
		p := v.Map(&h)
		ps = append(ps, p[:]...)
	}
	for _, be := range group.Backends() {
		b.Run(be.Name(), func(b *testing.B) {
			for b.Loop() {
				be.MulEach(k, ps)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4096, "ns/element")
		})
	}
}
