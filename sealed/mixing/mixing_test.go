package mixing_test

import (
	"bytes"
	"crypto/sha512"
	"encoding/binary"
	"strconv"
	"testing"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/mixing"
	"github.com/omov/omov/sealed/transcript"
)

func scalar(i int, of string) ristretto.Scalar {
	h := sha512.Sum512(binary.BigEndian.AppendUint64([]byte(of), uint64(i)))
	return transcript.Wide(&h)
}

// statement makes n papers of width elements whose plaintext is known.
func statement(g *ristretto.Group, n, width int) (*mixing.Statement, ristretto.Scalar) {
	x := scalar(0, "key")
	y := g.MulBase(&x)
	st := &mixing.Statement{Manifest: [32]byte{1}, Closing: [32]byte{2}, Group: "leader/members/1", Mixer: "Trustee Ash", Key: g.Encode(&y), Width: width}
	base := g.Base()
	tg, ty := g.NewTable(&base, 9), g.NewTable(&y, 9)
	rs, ms := make([]ristretto.Scalar, n*width), make([]ristretto.Scalar, n*width)
	for i := range rs {
		rs[i], ms[i] = scalar(i, "r"), scalar(i, "m")
	}
	as, bs := g.Identities(n*width), g.Identities(n*width)
	tg.AddMultiples(as, rs)
	ty.AddMultiples(bs, rs)
	tg.AddMultiples(bs, ms)
	ps := make([]ristretto.Point, 2*n*width)
	for i := range as {
		ps[2*i], ps[2*i+1] = as[i], bs[i]
	}
	st.In = g.EncodeAll(nil, ps)
	return st, x
}

// opened gives the plaintexts of papers as a sorted multiset.
func opened(t testing.TB, g *ristretto.Group, x ristretto.Scalar, papers []byte, width int) map[string]int {
	got := map[string]int{}
	for len(papers) > 0 {
		var plain []byte
		for range width {
			var a, b ristretto.Point
			if !g.Decode(&a, papers[:32]) || !g.Decode(&b, papers[32:64]) {
				t.Fatal("an element that is none")
			}
			d := g.Mul(&x, &a)
			m := g.Sub(&b, &d)
			e := g.Encode(&m)
			plain = append(plain, e[:]...)
			papers = papers[64:]
		}
		got[string(plain)]++
	}
	return got
}

func TestMix(t *testing.T) {
	g := ristretto.New()
	for _, c := range []struct{ n, width int }{{1, 1}, {2, 1}, {3, 2}, {50, 1}, {40, 3}, {300, 1}} {
		st, x := statement(g, c.n, c.width)
		p, err := mixing.Shuffle(g, st)
		if err != nil {
			t.Fatal(err)
		}
		if err := mixing.Verify(g, st, p); err != nil {
			t.Fatalf("%d papers of %d: %v", c.n, c.width, err)
		}
		before, after := opened(t, g, x, st.In, c.width), opened(t, g, x, st.Out, c.width)
		if len(before) != c.n || len(after) != c.n {
			t.Fatalf("%d different papers in, %d out, of %d", len(before), len(after), c.n)
		}
		for k := range before {
			if after[k] != 1 {
				t.Error("a paper is gone")
			}
		}
		for i := 0; i < len(st.In); i += 64 {
			if bytes.Contains(st.Out, st.In[i:i+32]) {
				t.Error("an element came out as it went in")
			}
		}
	}
}

// Papers beyond one stretch.
func TestMixInStretches(t *testing.T) {
	if testing.Short() {
		t.Skip("20,000 papers")
	}
	g := ristretto.New()
	st, x := statement(g, 8192*2+11, 1)
	p, err := mixing.Shuffle(g, st)
	if err != nil {
		t.Fatal(err)
	}
	if err := mixing.Verify(g, st, p); err != nil {
		t.Fatal(err)
	}
	tail := len(st.Out) - 64*100
	before := opened(t, g, x, st.In, 1)
	for k := range opened(t, g, x, st.Out[tail:], 1) {
		if before[k] != 1 {
			t.Fatal("a paper came out that did not go in")
		}
	}
	p.SPerm[8192*32] ^= 1
	if mixing.Verify(g, st, p) == nil {
		t.Error("a response at the edge of a stretch is not checked")
	}
}

func clone(p *mixing.Proof) *mixing.Proof {
	q := *p
	for _, f := range []*[]byte{&q.C, &q.Chain, &q.TChain, &q.T4, &q.S4, &q.SChain, &q.SPerm} {
		*f = bytes.Clone(*f)
	}
	return &q
}

// Every field of the proof and of the statement counts: another valid element
// or number in its place makes the proof fail.
func TestEveryFieldCounts(t *testing.T) {
	g := ristretto.New()
	st, _ := statement(g, 12, 2)
	p, err := mixing.Shuffle(g, st)
	if err != nil {
		t.Fatal(err)
	}
	x := scalar(7, "other")
	el := g.MulBase(&x)
	element, number := g.Encode(&el), x.Bytes()
	refused := func(what string, st *mixing.Statement, p *mixing.Proof) {
		t.Helper()
		if err := mixing.Verify(g, st, p); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	fields := func(p *mixing.Proof) map[string][]byte {
		return map[string][]byte{
			"C": p.C, "Chain": p.Chain, "TChain": p.TChain, "T1": p.T1[:], "T2": p.T2[:], "T3": p.T3[:], "T4": p.T4,
			"S1": p.S1[:], "S2": p.S2[:], "S3": p.S3[:], "S4": p.S4, "SChain": p.SChain, "SPerm": p.SPerm,
		}
	}
	for name := range fields(p) {
		for at := 0; at < len(fields(p)[name]); at += 32 {
			q := clone(p)
			if name[0] == 'S' {
				copy(fields(q)[name][at:], number)
			} else {
				copy(fields(q)[name][at:], element[:])
			}
			refused(name+" "+strconv.Itoa(at/32), st, q)
			copy(fields(q)[name][at:], bytes.Repeat([]byte{0xff}, 32))
			refused(name+" not canonical", st, q)
		}
		q := clone(p)
		if f := fields(q)[name]; len(f) > 32 {
			continue
		}
	}
	for name, change := range map[string]func(*mixing.Statement){
		"manifest": func(s *mixing.Statement) { s.Manifest[0]++ },
		"closing":  func(s *mixing.Statement) { s.Closing[0]++ },
		"group":    func(s *mixing.Statement) { s.Group += "x" },
		"mixer":    func(s *mixing.Statement) { s.Mixer = "Trustee Oak" },
		"position": func(s *mixing.Statement) { s.Position = 1 },
		"key":      func(s *mixing.Statement) { s.Key = element },
		"no key":   func(s *mixing.Statement) { s.Key = [32]byte{} },
		"width":    func(s *mixing.Statement) { s.Width = 1 },
		"one in changed": func(s *mixing.Statement) {
			s.In = bytes.Clone(s.In)
			copy(s.In[64:], element[:])
		},
		"two in exchanged": func(s *mixing.Statement) {
			s.In = append(append(bytes.Clone(s.In[128:256]), s.In[:128]...), s.In[256:]...)
		},
		"a paper dropped": func(s *mixing.Statement) { s.Out = s.Out[128:] },
		"a paper replaced by another": func(s *mixing.Statement) {
			s.Out = bytes.Clone(s.Out)
			copy(s.Out[:128], s.Out[128:256])
		},
	} {
		s := *st
		change(&s)
		refused(name, &s, p)
	}
	for name := range fields(p) {
		if len(name) > 2 || name == "C" {
			q := clone(p)
			switch name {
			case "C":
				q.C = q.C[32:]
			case "Chain":
				q.Chain = q.Chain[32:]
			case "TChain":
				q.TChain = q.TChain[32:]
			case "SChain":
				q.SChain = q.SChain[32:]
			case "SPerm":
				q.SPerm = q.SPerm[32:]
			}
			refused(name+" too short", st, q)
		}
	}
}

func TestRefusals(t *testing.T) {
	g := ristretto.New()
	st, _ := statement(g, 2, 1)
	for name, change := range map[string]func(*mixing.Statement){
		"nothing":           func(s *mixing.Statement) { s.In = nil },
		"no width":          func(s *mixing.Statement) { s.Width = 0 },
		"too wide":          func(s *mixing.Statement) { s.Width = 65 },
		"half a paper":      func(s *mixing.Statement) { s.In = s.In[:96] },
		"no key":            func(s *mixing.Statement) { s.Key = [32]byte{} },
		"not an element":    func(s *mixing.Statement) { s.In = bytes.Repeat([]byte{0xff}, 128) },
		"a name too long":   func(s *mixing.Statement) { s.Group = string(make([]byte, 256)) },
		"key not canonical": func(s *mixing.Statement) { s.Key[31] = 0xff },
	} {
		s := *st
		change(&s)
		if _, err := mixing.Shuffle(g, &s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
