package register

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/omov/omov/fault"
)

func span(t *rapid.T) Span {
	from := rapid.Int64Range(-1<<40, 1<<40).Draw(t, "from")
	until := Forever
	if rapid.Bool().Draw(t, "ends") {
		until = from + rapid.Int64Range(1, 1<<40).Draw(t, "length")
	}
	return Span{Aspect: Aspect(rapid.IntRange(1, 4).Draw(t, "aspect")), Name: Term(rapid.Int64Range(0, 1<<40).Draw(t, "name")), Unit: UnitID(rapid.Int64Range(0, 1<<40).Draw(t, "unit")),
		Value: rapid.Int64().Draw(t, "value"), From: from, Until: until, Known: rapid.Int64Range(0, 1<<50).Draw(t, "known"), Ended: rapid.Int64Range(0, 1<<50).Draw(t, "ended")}
}

func TestRecordBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Record{Spans: rapid.SliceOfN(rapid.Custom(span), 0, 12).Draw(t, "spans")}
		b := r.Append(nil)
		got := Record{Spans: make([]Span, 3)}
		if err := got.Decode(b); err != nil || !slices.Equal(got.Spans, r.Spans) {
			t.Fatalf("%v: got %v, want %v", err, got.Spans, r.Spans)
		}
		if len(b) > 1 {
			if err := got.Decode(b[:len(b)-1]); err == nil {
				t.Fatal("a record cut short was read")
			}
		}
	})
}

func TestRecordExample(t *testing.T) {
	r := Record{Spans: []Span{{Aspect: Belongs, Name: 3, Unit: 12, From: 1577836800, Until: Forever, Known: 5}}}
	want := []byte{0x01, 0x01, 0x03, 0x0c, 0x00, 0x80, 0x84, 0xdf, 0xe0, 0x0b, 0x00, 0x05, 0x00}
	if got := r.Append(nil); !bytes.Equal(got, want) {
		t.Fatalf("the example of the package comment is % x", got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{1, 1, 3, 12, 0, 0x80, 0x84, 0xdf, 0xe0, 0x0b, 0, 5, 0})
	f.Add([]byte{1})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Record
		if err := r.Decode(b); err != nil {
			if !fault.Is(err, fault.Damaged) {
				t.Fatal(err)
			}
			return
		}
		var again Record
		if err := again.Decode(r.Append(nil)); err != nil || !slices.Equal(r.Spans, again.Spans) {
			t.Fatalf("%v", err)
		}
	})
}

// Two times: what was known after an entry does not change by what is
// recorded later, whatever the order of the facts.
func TestTwoTimes(t *testing.T) {
	var r Record
	r.Apply(10, []Change{{Aspect: Belongs, Name: 1, Unit: 4, From: 1000}})
	r.Apply(20, []Change{{Aspect: Fact, Name: 7, Value: 1, From: 1000}})
	r.Apply(30, []Change{{Aspect: Fact, Name: 7, Value: 0, From: 1500}})              // changes from then
	r.Apply(40, []Change{{Aspect: Belongs, Name: 1, Unit: 4, From: 900}})             // it had begun earlier, as is found later
	r.Apply(50, []Change{{Aspect: Belongs, Name: 1, Unit: 4, From: 2000, End: true}}) // and ends
	fact := func(at, known int64) int64 {
		v, ok := r.Fact(7, at, known)
		if !ok {
			return -1
		}
		return v
	}
	since := func(at, known int64) int64 {
		s, ok := r.Since(1, at, known)
		if !ok {
			return -1
		}
		return s
	}
	for _, c := range []struct {
		what      string
		got, want int64
	}{
		{"a fact before it was known", fact(1600, 15), -1},
		{"a fact as first known", fact(1600, 25), 1},
		{"a fact after its change was known", fact(1600, 35), 0},
		{"the same fact at an earlier time", fact(1200, 35), 1},
		{"membership as first known", since(1600, 10), 1000},
		{"membership as corrected", since(1600, 40), 900},
		{"what had been known is not rewritten", since(1600, 39), 1000},
		{"membership before its end", since(1999, 50), 900},
		{"membership after its end", since(2000, 50), -1},
		{"its end was not known before", since(2000, 49), 900},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %d, want %d", c.what, c.got, c.want)
		}
	}
}

// A membership that goes on through another unit is unbroken.
func TestSinceThroughTwoUnits(t *testing.T) {
	var r Record
	r.Apply(1, []Change{{Aspect: Belongs, Name: 1, Unit: 4, From: 100, Until: 200}, {Aspect: Belongs, Name: 1, Unit: 5, From: 200}})
	if s, ok := r.Since(1, 300, 9); !ok || s != 100 {
		t.Errorf("moved from one unit to the next: since %d", s)
	}
	r.Apply(2, []Change{{Aspect: Belongs, Name: 2, Unit: 4, From: 100, Until: 150}, {Aspect: Belongs, Name: 2, Unit: 5, From: 200}})
	if s, ok := r.Since(2, 300, 9); !ok || s != 200 {
		t.Errorf("left and came back: since %d", s)
	}
}

// Applying the same entry twice leaves one record.
func TestApplyTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		change := rapid.Custom(func(t *rapid.T) Change {
			c := Change{Aspect: Aspect(rapid.IntRange(1, 2).Draw(t, "aspect")), Name: Term(rapid.IntRange(1, 2).Draw(t, "name")), Unit: UnitID(rapid.IntRange(0, 2).Draw(t, "unit")), From: rapid.Int64Range(0, 50).Draw(t, "from")}
			if rapid.Bool().Draw(t, "ends") {
				c.Until = c.From + rapid.Int64Range(1, 50).Draw(t, "length")
			}
			return c
		})
		var r Record
		for seq := range rapid.IntRange(1, 6).Draw(t, "entries") {
			r.Apply(int64(seq+1), []Change{change.Draw(t, "change")})
		}
		last := []Change{change.Draw(t, "last")}
		r.Apply(99, last)
		at := func() (out []bool) {
			for when := range int64(110) {
				out = append(out, r.Has(last[0].Aspect, last[0].Name, when, 99))
			}
			return out
		}
		before := at()
		r.Apply(99, last)
		if !slices.Equal(before, at()) {
			t.Fatal("the same entry again changed what holds when")
		}
	})
}

func TestTreeRefuses(t *testing.T) {
	for name, units := range map[string][]Unit{
		"no parent": {{ID: 1, Kind: "branch", Name: "a", Parent: 9}},
		"a circle":  {{ID: 1, Kind: "branch", Name: "a", Parent: 2}, {ID: 2, Kind: "branch", Name: "b", Parent: 1}},
	} {
		if _, err := NewTree(units); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	tree, err := NewTree([]Unit{{ID: 1, Kind: "region", Name: "R"}, {ID: 2, Kind: "seat", Name: "S", Parent: 1}, {ID: 3, Kind: "branch", Name: "B", Parent: 2}, {ID: 4, Kind: "seat", Name: "T", Closed: 5, Parent: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if u, ok := tree.Up(3, "region"); !ok || u.ID != 1 {
		t.Errorf("the branch's region is %v", u)
	}
	if !tree.Within(3, 1) || tree.Within(1, 3) || !tree.Within(3, 0) {
		t.Error("Within")
	}
	if got := tree.Kind("seat", 1); !slices.Equal(got, []UnitID{2}) {
		t.Errorf("open seats %v", got)
	}
}
