package minutes_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
)

func TestCanonical(t *testing.T) {
	type inner struct {
		B []byte `json:"b"`
		A int    `json:"a"`
	}
	for _, c := range []struct {
		in   any
		want string
	}{
		{map[string]any{"b": 1, "a": []int{}, "aa": nil}, `{"a":[],"aa":null,"b":1}`},
		{inner{B: []byte("hi"), A: -3}, `{"a":-3,"b":"aGk="}`},
		{"<&>\u2028\u007f\ufffd\"\\\n\b\x01é", "\"<&>\u2028\u007f\ufffd\\\"\\\\\\n\\b\\u0001é\""},
		{map[string]any{"<&>": map[string]any{"&": 0}}, `{"<&>":{"&":0}}`},
		{int64(9007199254740991), "9007199254740991"},
		{[]any{true, false, map[string]int{"z": 1, "y": 2}}, `[true,false,{"y":2,"z":1}]`},
	} {
		got, err := minutes.Canonical(c.in)
		if err != nil || string(got) != c.want {
			t.Errorf("Canonical(%v) = %s, %v; want %s", c.in, got, err, c.want)
		}
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for _, in := range []any{
		1.5, int64(9007199254740992), "\xff", map[string]int{"é": 1}, map[string]int{"a\"": 1},
		make(chan int), json.RawMessage(`{"a":1,"a":2}`), json.RawMessage(`{"b":1,"a":1,"b":2}`), 1e300,
	} {
		if b, err := minutes.Canonical(in); !fault.Is(err, fault.Invalid) {
			t.Errorf("Canonical(%v) = %s, %v; want a refusal", in, b, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, in := range []string{
		``, ` 1`, `1 `, `01`, `-0`, `-`, `1.0`, `1e3`, `9007199254740992`, `"\u0041"`, `"\/"`, `"\u0008"`, `"\u001F"`, "\"\xff\"", "\"\n\"",
		`{"b":1,"a":2}`, `{"a":1,"a":1}`, `{"a": 1}`, `[1,]`, `{"a":1,}`, `{"a"}`, `[`, `"`, `tru`, `nul`, `"\ud800"`, `[1]]`, `{"é":1}`,
		strings.Repeat("[", 1000) + strings.Repeat("]", 1000),
	} {
		var v any
		if err := minutes.Decode([]byte(in), &v); !fault.Is(err, fault.Invalid) {
			t.Errorf("Decode(%q) gave %v, %v; want a refusal", in, v, err)
		}
	}
	var s struct {
		A int `json:"a"`
	}
	for _, in := range []string{`{"a":1,"b":2}`, `{}`, `{"A":1}`, `null`, `{"a":null}`} {
		if err := minutes.Decode([]byte(in), &s); !fault.Is(err, fault.Invalid) {
			t.Errorf("Decode(%q) gave %v, %v; want a refusal: the value does not say it", in, s, err)
		}
	}
}

// What Check accepts comes out of a decoder and back the same, and what
// encoding/json can write Canonical either refuses or makes acceptable.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":"é"}],"c":null}`, `"\u0001\n"`, `[]`, `{"b":1,"a":2}`, `-1`, `1.5`, `"\ud83d\ude00"`, `{"a":{"d":1,"c":2},"A":0}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if minutes.Check(b) == nil {
			if same, err := minutes.Canonical(json.RawMessage(b)); err != nil || !bytes.Equal(same, b) {
				t.Fatalf("%q is canonical but comes out as %q, %v", b, same, err)
			}
			var v any
			if err := minutes.Decode(b, &v); err != nil {
				t.Fatalf("%q is canonical but does not decode: %v", b, err)
			}
		}
		if !json.Valid(b) {
			if minutes.Check(b) == nil {
				t.Fatalf("%q passes but is not JSON", b)
			}
			return
		}
		out, err := minutes.Canonical(json.RawMessage(b))
		if err != nil {
			var e *fault.Error
			if !errors.As(err, &e) {
				t.Fatalf("a refusal of another kind: %v", err)
			}
			return
		}
		if err := minutes.Check(out); err != nil {
			t.Fatalf("Canonical(%q) = %q, which is not canonical: %v", b, out, err)
		}
		if again, err := minutes.Canonical(json.RawMessage(out)); err != nil || !bytes.Equal(again, out) {
			t.Fatalf("Canonical is not stable: %q, then %q (%v)", out, again, err)
		}
	})
}

type row struct {
	Person int64  `json:"p"`
	Class  string `json:"class"`
	Joined int    `json:"joined"`
	Unit   int64  `json:"u"`
}

func rows(n int) []row {
	rs := make([]row, n)
	for i := range rs {
		rs[i] = row{int64(i), fmt.Sprint("class", i%3), 19000 + i%700, int64(i % 97)}
	}
	return rs
}

func BenchmarkCanonical10000Rows(b *testing.B) {
	rs := rows(10_000)
	for b.Loop() {
		if _, err := minutes.Canonical(rs); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode10000Rows(b *testing.B) {
	body, err := minutes.Canonical(rows(10_000))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		var rs []row
		if err := minutes.Decode(body, &rs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms")
}
