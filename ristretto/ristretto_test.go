package ristretto_test

import (
	"bytes"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"filippo.io/edwards25519"

	"github.com/omov/omov/ristretto"
)

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// vectors are those of RFC 9496, appendix A.
type vectors struct {
	Multiples []string    `json:"multiples_of_the_generator"`
	Invalid   []string    `json:"invalid_encodings"`
	Map       [][2]string `json:"one_way_map"`
}

func readVectors(t *testing.T) (v vectors) {
	b, err := os.ReadFile("testdata/rfc9496.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Multiples) != 16 || len(v.Invalid) != 29 || len(v.Map) < 7 {
		t.Fatalf("%d, %d, %d vectors", len(v.Multiples), len(v.Invalid), len(v.Map))
	}
	return v
}

func TestRFC9496(t *testing.T) {
	both(t, testRFC9496)
}

func testRFC9496(t *testing.T, g *ristretto.Group) {
	v := readVectors(t)
	p, base := g.Identity(), g.Base()
	for i, want := range v.Multiples {
		if got := g.Encode(&p); hex.EncodeToString(got[:]) != want {
			t.Errorf("%d times the generator is %x, not %s", i, got, want)
		}
		var q ristretto.Point
		if !g.Decode(&q, unhex(t, want)) || !g.Equal(&p, &q) {
			t.Errorf("%s does not decode to %d times the generator", want, i)
		}
		p = g.Add(&p, &base)
	}
	for _, bad := range v.Invalid {
		if g.Decode(&p, unhex(t, bad)) {
			t.Errorf("%s decodes", bad)
		}
	}
	for _, m := range v.Map {
		p := g.Map((*[64]byte)(unhex(t, m[0])))
		if got := g.Encode(&p); hex.EncodeToString(got[:]) != m[1] {
			t.Errorf("%s maps to %x, not %s", m[0], got, m[1])
		}
	}
}

// both runs a test with and without the vector instructions, where the
// processor has them.
func both(t *testing.T, test func(*testing.T, *ristretto.Group)) {
	t.Run("plain", func(t *testing.T) { test(t, ristretto.NewPlain()) })
	if g := ristretto.New(); g.Lanes() {
		t.Run("lanes", func(t *testing.T) { test(t, g) })
	}
}

func scalar(i int, of string) ristretto.Scalar {
	h := sha512.Sum512(binary.BigEndian.AppendUint64([]byte(of), uint64(i)))
	s, err := edwards25519.NewScalar().SetUniformBytes(h[:])
	if err != nil {
		panic(err)
	}
	return *s
}

func short(i int, of string) ristretto.Scalar {
	h := sha512.Sum512(binary.BigEndian.AppendUint64([]byte(of), uint64(i)))
	s, err := edwards25519.NewScalar().SetCanonicalBytes(append(h[:16:16], make([]byte, 16)...))
	if err != nil {
		panic(err)
	}
	return *s
}

// points gives n elements whose logarithms nobody has.
func points(g *ristretto.Group, n int) []ristretto.Point {
	ps := make([]ristretto.Point, n)
	for i := range ps {
		h := sha512.Sum512(binary.BigEndian.AppendUint64(nil, uint64(i)))
		ps[i] = g.Map(&h)
	}
	return ps
}

func TestMapIgnoresTopBits(t *testing.T) {
	g := ristretto.New()
	h := sha512.Sum512([]byte("x"))
	p := g.Map(&h)
	h[31] ^= 0x80
	h[63] ^= 0x80
	if q := g.Map(&h); !g.Equal(&p, &q) {
		t.Error("the top bits count")
	}
}

// naive is the sum done one by one, by the other package's own arithmetic.
func naive(g *ristretto.Group, ks []ristretto.Scalar, ps []ristretto.Point) ristretto.Point {
	r := g.Identity()
	for i := range ks {
		m := g.Mul(&ks[i], &ps[i])
		r = g.Add(&r, &m)
	}
	return r
}

func TestSum(t *testing.T) {
	both(t, testSum)
}

func testSum(t *testing.T, g *ristretto.Group) {
	minusOne := edwards25519.NewScalar().Negate(new(edwards25519.Scalar).Subtract(ptr(scalar(1, "x")), ptr(scalar(1, "x"))))
	one, _ := edwards25519.NewScalar().SetCanonicalBytes(append([]byte{1}, make([]byte, 31)...))
	minusOne.Subtract(minusOne, one)
	for _, n := range []int{0, 1, 2, 33, 300} {
		ps := points(g, n)
		as := make([]ristretto.Affine, n)
		g.Normalize(as, ps)
		ks, us := make([]ristretto.Scalar, n), make([]ristretto.Scalar, n)
		for i := range ks {
			ks[i], us[i] = scalar(i, "k"), short(i, "u")
			if i%5 == 3 {
				ks[i] = *minusOne
			}
			if i%7 == 2 {
				ks[i] = *edwards25519.NewScalar()
			}
		}
		want, wantShort := naive(g, ks, ps), naive(g, us, ps)
		for width := 2; width <= 15; width++ {
			s := g.NewSum(253, width)
			half := n / 2
			s.Add(ristretto.Recode(ks[:half], 253, width), as[:half])
			s.Add(ristretto.Recode(ks[half:], 253, width), as[half:])
			if got := s.Result(); !g.Equal(&got, &want) {
				t.Errorf("sum of %d with digits of %d bits is wrong", n, width)
			}
			s = g.NewSum(128, width)
			s.Add(ristretto.Recode(us, 128, width), as)
			if got := s.Result(); !g.Equal(&got, &wantShort) {
				t.Errorf("short sum of %d with digits of %d bits is wrong", n, width)
			}
		}
		if got := g.MultiMul(ks, as); !g.Equal(&got, &want) {
			t.Errorf("MultiMul of %d is wrong", n)
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestRecodeRefusesLongScalars(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a scalar of 253 bits passes for one of 128")
		}
	}()
	ristretto.Recode([]ristretto.Scalar{scalar(1, "long")}, 128, 7)
}

func TestTable(t *testing.T) {
	both(t, testTable)
}

func testTable(t *testing.T, g *ristretto.Group) {
	p := points(g, 1)[0]
	for _, width := range []int{2, 5, 8, 11} {
		table := g.NewTable(&p, width)
		ks := make([]ristretto.Scalar, 50)
		for i := range ks {
			ks[i] = scalar(i, "t")
		}
		ks[3] = *edwards25519.NewScalar()
		got := g.Identities(len(ks))
		table.AddMultiples(got, ks)
		for i := range ks {
			if want := g.Mul(&ks[i], &p); !g.Equal(&got[i], &want) {
				t.Fatalf("multiple %d by a table of %d bits is wrong", i, width)
			}
		}
	}
}

func TestBulkCodec(t *testing.T) {
	both(t, testBulkCodec)
}

func testBulkCodec(t *testing.T, g *ristretto.Group) {
	ps := points(g, 700)
	ps[5] = g.Identity()
	ps[9] = g.Sub(&ps[10], &ps[10]) // the neutral element in other coordinates
	var one, doubles []byte
	for i := range ps {
		e := g.Encode(&ps[i])
		one = append(one, e[:]...)
		d := g.Double(&ps[i])
		e = g.Encode(&d)
		doubles = append(doubles, e[:]...)
	}
	if got := g.EncodeAll(nil, ps); !bytes.Equal(got, one) {
		t.Error("EncodeAll differs from Encode")
	}
	if got := g.EncodeDoubles([]byte("x"), ps); !bytes.Equal(got[1:], doubles) {
		t.Error("EncodeDoubles differs from Encode of Double")
	}
	as := make([]ristretto.Affine, len(ps))
	if bad := g.DecodeAll(as, one); bad >= 0 {
		t.Fatalf("element %d does not decode", bad)
	}
	for i := range as {
		if p := as[i].Point(); !g.Equal(&p, &ps[i]) {
			t.Fatalf("element %d decodes to another", i)
		}
		p := g.Identity()
		if p = g.AddAffine(&p, &as[i]); !g.Equal(&p, &ps[i]) {
			t.Fatalf("element %d adds as another", i)
		}
	}
	for _, at := range []int{699, 320, 17} {
		one[at*32] ^= 1
		if bad := g.DecodeAll(as, one); bad != at {
			t.Errorf("the first bad element is %d, not %d", bad, at)
		}
	}
}

// All four sets of coordinates that stand for an element encode alike.
func TestTorsion(t *testing.T) {
	g := ristretto.New()
	// A point of order four on the curve: (sqrt(-1), 0).
	e, err := new(edwards25519.Point).SetBytes(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	p := points(g, 1)[0]
	want := g.Encode(&p)
	q := p
	tor := ristretto.FromEdwards(e)
	for range 4 {
		q = g.Add(&q, &tor)
		if got := g.Encode(&q); got != want || !g.Equal(&p, &q) {
			t.Error("one element, two encodings")
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	g := ristretto.New()
	e := g.EncodeAll(nil, points(g, 1))
	var p ristretto.Point
	for b.Loop() {
		g.Decode(&p, e)
	}
}

func BenchmarkEncode(b *testing.B) {
	g := ristretto.New()
	p := points(g, 1)[0]
	for b.Loop() {
		g.Encode(&p)
	}
}

func BenchmarkEncodeDoubles(b *testing.B) {
	g := ristretto.New()
	ps := points(g, 4096)
	for b.Loop() {
		g.EncodeDoubles(nil, ps)
	}
	perElement(b, len(ps))
}

func perElement(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/element")
}

func BenchmarkMap(b *testing.B) {
	g := ristretto.New()
	h := sha512.Sum512(nil)
	for b.Loop() {
		g.Map(&h)
	}
}

func BenchmarkMul(b *testing.B) {
	g, k := ristretto.New(), scalar(1, "k")
	p := g.Base()
	for b.Loop() {
		p = g.Mul(&k, &p)
	}
}

func BenchmarkSum(b *testing.B) {
	g := ristretto.New()
	const n = 1 << 16
	ps := points(g, n)
	as := make([]ristretto.Affine, n)
	g.Normalize(as, ps)
	ks := make([]ristretto.Scalar, n)
	for i := range ks {
		ks[i] = scalar(i, "b")
	}
	for _, width := range []int{8, 9, 11} {
		b.Run(string(rune('a'+width-8)), func(b *testing.B) {
			for b.Loop() {
				s := g.NewSum(253, width)
				d := ristretto.Recode(ks, 253, width)
				for range 4 {
					s.Add(d, as)
				}
				s.Result()
			}
			perElement(b, 4*n)
		})
	}
}

func BenchmarkTable(b *testing.B) {
	g := ristretto.New()
	p := points(g, 1)[0]
	ks := make([]ristretto.Scalar, 1<<15)
	for i := range ks {
		ks[i] = scalar(i, "b")
	}
	for _, width := range []int{11, 13, 14, 15} {
		table := g.NewTable(&p, width)
		b.Run(string(rune('a'+width-8)), func(b *testing.B) {
			for b.Loop() {
				table.AddMultiples(g.Identities(len(ks)), ks)
			}
			perElement(b, len(ks))
		})
	}
}
