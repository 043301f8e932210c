package marks_test

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/marks"
)

func book(t testing.TB, f marks.Form) *marks.Book {
	b, err := f.Book()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// all gives every list of numbers 0 to top for the options.
func all(options, top int, do func([]int)) {
	p := make([]int, options)
	for {
		do(p)
		i := 0
		for ; i < options && p[i] == top; i++ {
			p[i] = 0
		}
		if i == options {
			return
		}
		p[i]++
	}
}

// Of all lists there are, exactly Count are papers; their numbers are 0 to
// Count-1, and each number leads back.
func TestNumbersHaveNoGaps(t *testing.T) {
	for _, f := range []marks.Form{
		{Kind: marks.Ranks, Options: 1}, {Kind: marks.Ranks, Options: 4}, {Kind: marks.Ranks, Options: 5, Most: 2},
		{Kind: marks.Equal, Options: 1}, {Kind: marks.Equal, Options: 5},
		{Kind: marks.Marks, Options: 2, Most: 1}, {Kind: marks.Marks, Options: 6}, {Kind: marks.Marks, Options: 7, Most: 3},
		{Kind: marks.Points, Options: 3, Top: 4},
	} {
		b := book(t, f)
		seen := map[int64]bool{}
		all(f.Options, max(f.Options, f.Top+1)+1, func(p []int) {
			n, err := b.Number(p)
			if err != nil {
				if !fault.Is(err, fault.Invalid) {
					t.Fatal(err)
				}
				return
			}
			if seen[n.Int64()] {
				t.Fatalf("%+v: two papers have number %d", f, n)
			}
			seen[n.Int64()] = true
			back, err := b.Paper(n)
			if err != nil || !slices.Equal(back, p) {
				t.Fatalf("%+v: %v has number %d, which is %v (%v)", f, p, n, back, err)
			}
		})
		if c := b.Count(); int64(len(seen)) != c.Int64() {
			t.Errorf("%+v: %d papers, Count says %d", f, len(seen), c)
		}
		for n := range b.Count().Int64() {
			if !seen[n] {
				t.Errorf("%+v: no paper has number %d", f, n)
			}
		}
		if _, err := b.Paper(b.Count()); err == nil {
			t.Errorf("%+v: the number after the last is a paper", f)
		}
		if _, err := b.Paper(big.NewInt(-1)); err == nil {
			t.Errorf("%+v: -1 is a paper", f)
		}
	}
}

// How many options one element holds.
func TestElements(t *testing.T) {
	for _, c := range []struct {
		f    marks.Form
		want int
	}{
		{marks.Form{Kind: marks.Ranks, Options: 54}, 1},
		{marks.Form{Kind: marks.Ranks, Options: 55}, 2},
		{marks.Form{Kind: marks.Equal, Options: 48}, 1},
		{marks.Form{Kind: marks.Equal, Options: 50}, 2},
		{marks.Form{Kind: marks.Ranks, Options: 200, Most: 10}, 1},
		{marks.Form{Kind: marks.Marks, Options: 240}, 1},
		{marks.Form{Kind: marks.Marks, Options: 241}, 2},
		{marks.Form{Kind: marks.Points, Options: 60, Top: 14}, 1},
		{marks.Form{Kind: marks.Points, Options: 61, Top: 14}, 2},
	} {
		if got := c.f.Elements(); got != c.want || book(t, c.f).Elements() != c.want {
			t.Errorf("%+v takes %d elements, not %d", c.f, got, c.want)
		}
	}
}

func TestFormsThatMeanNothing(t *testing.T) {
	for _, f := range []marks.Form{
		{}, {Kind: "flags", Options: 2}, {Kind: marks.Ranks}, {Kind: marks.Ranks, Options: 401}, {Kind: marks.Ranks, Options: 3, Most: 4},
		{Kind: marks.Ranks, Options: 3, Most: -1}, {Kind: marks.Equal, Options: 3, Most: 2}, {Kind: marks.Points, Options: 3},
		{Kind: marks.Points, Options: 3, Top: 1001}, {Kind: marks.Marks, Options: 3, Top: 1},
	} {
		if _, err := f.Book(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", f, err)
		}
	}
	if _, err := (marks.Form{Kind: marks.Points, Options: 400, Top: 1000_000}).Book(); err == nil {
		t.Error("a million points")
	}
}

func TestEmbed(t *testing.T) {
	g := ristretto.New()
	for _, f := range []marks.Form{{Kind: marks.Ranks, Options: 12}, {Kind: marks.Ranks, Options: 54}, {Kind: marks.Ranks, Options: 90}} {
		b := book(t, f)
		step := new(big.Int).Div(b.Count(), big.NewInt(97))
		for n := new(big.Int); n.Cmp(b.Count()) < 0; n.Add(n, step) {
			e, err := b.Embed(g, n)
			if err != nil {
				t.Fatal(err)
			}
			back, err := b.Extract(g, e)
			if err != nil || back.Cmp(n) != 0 {
				t.Fatalf("%d comes back as %d (%v)", n, back, err)
			}
		}
	}
}

// A number can be written under other counters too; that is a mark, and
// refused.
func TestOnlyTheSmallestCounter(t *testing.T) {
	g := ristretto.New()
	b := book(t, marks.Form{Kind: marks.Ranks, Options: 12})
	e, err := b.Embed(g, big.NewInt(1234))
	if err != nil {
		t.Fatal(err)
	}
	var p ristretto.Point
	found := 0
	for i := range 128 {
		for _, j := range []byte{0, 1, 127} {
			other := slices.Clone(e)
			other[0], other[31] = byte(2*i), j
			if slices.Equal(other, e) || !g.Decode(&p, other) {
				continue
			}
			found++
			if _, err := b.Extract(g, other); err == nil {
				t.Fatalf("counter %d, %d is taken", i, j)
			}
		}
	}
	if found == 0 {
		t.Error("no other counter decodes: the test looks at nothing")
	}
}

func FuzzNumbers(f *testing.F) {
	f.Add(uint8(0), uint8(20), uint8(0), []byte{1, 2, 3})
	f.Add(uint8(1), uint8(48), uint8(0), []byte{200, 2, 3, 7, 9, 0, 11})
	f.Add(uint8(2), uint8(30), uint8(4), []byte{9})
	f.Add(uint8(3), uint8(30), uint8(9), []byte{9, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, kind, options, limit uint8, raw []byte) {
		form := marks.Form{Kind: []marks.Kind{marks.Ranks, marks.Equal, marks.Marks, marks.Points}[kind%4], Options: int(options)}
		if form.Kind == marks.Points {
			form.Top = int(limit)
		} else if form.Kind != marks.Equal {
			form.Most = int(limit)
		}
		b, err := form.Book()
		if err != nil {
			return
		}
		n := new(big.Int).SetBytes(raw[:min(len(raw), 1000)])
		n.Mod(n, b.Count())
		p, err := b.Paper(n)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := b.Number(p); err != nil || back.Cmp(n) != 0 {
			t.Fatalf("%+v: %d is %v, which has number %d (%v)", form, n, p, back, err)
		}
		// Any list of numbers is a paper that leads back, or refused.
		list := make([]int, options)
		for i := range list {
			if len(raw) > 0 {
				list[i] = int(int8(raw[i%len(raw)]))
			}
		}
		if n, err := b.Number(list); err == nil {
			if back, err := b.Paper(n); err != nil || !slices.Equal(back, list) {
				t.Fatalf("%v comes back as %v", list, back)
			}
		}
	})
}

func BenchmarkNumber(b *testing.B) {
	for _, f := range []marks.Form{{Kind: marks.Ranks, Options: 20}, {Kind: marks.Ranks, Options: 54}, {Kind: marks.Equal, Options: 20}} {
		b.Run(fmt.Sprint(f.Kind, f.Options), func(b *testing.B) {
			bk := book(b, f)
			n := new(big.Int).Sub(bk.Count(), big.NewInt(1))
			for b.Loop() {
				p, err := bk.Paper(n)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := bk.Number(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
