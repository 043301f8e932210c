package minutes_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
)

func TestLeafOfAPublicEntrySaysWhatItIs(t *testing.T) {
	m, err := minutes.Number(minutes.Entry{Kind: "proceeding.called/1", Access: minutes.Public, Office: "general_secretary",
		Proceeding: "2026-L-001", Rulebook: "9f", Clause: "C4.II.2", Body: map[string]int{"n": 1}},
		17, time.Date(2026, 2, 20, 14, 30, 0, 0, time.UTC), [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	h, err := m.Header()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"at":"2026-02-20T14:30:00.000Z","clause":"C4.II.2","kind":"proceeding.called/1","office":"general_secretary","proceeding":"2026-L-001","rulebook":"9f","seq":17,"v":1}`
	if string(h) != want {
		t.Errorf("header %s; want %s", h, want)
	}
	leaf, err := m.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	got, sum, err := minutes.SplitLeaf(leaf)
	if err != nil || got.Seq != 17 || sum != minutes.Commit(m.Salt, m.Body) {
		t.Errorf("SplitLeaf gave %+v, %x, %v", got, sum, err)
	}
	m.Body = []byte(`{"n":2}`)
	if err := m.CheckLeaf(leaf); !fault.Is(err, fault.Damaged) {
		t.Errorf("a changed body passes: %v", err)
	}
}

func TestLeafOfAnotherEntrySaysNothing(t *testing.T) {
	m, err := minutes.Number(minutes.Entry{Kind: "person.suspended/1", Access: minutes.Officers, Proceeding: "2026-D-003", Body: []byte(`{"branch":5}`)},
		18, time.UnixMilli(1_700_000_000_123), [32]byte{2})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := m.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"access":"officers","seq":18,"v":1}`; string(leaf[:len(leaf)-33]) != want {
		t.Errorf("header %q; want %q", leaf, want)
	}
	for _, hidden := range []string{"suspended", "D-003", "2023"} {
		if bytes.Contains(leaf, []byte(hidden)) {
			t.Errorf("the leaf gives away %q", hidden)
		}
	}
	other := m
	other.Kind = "person.reinstated/1"
	if err := other.CheckLeaf(leaf); err == nil {
		t.Error("the commitment does not cover the kind of a hidden entry")
	}
}

func TestNumberRefuses(t *testing.T) {
	for name, body := range map[string]any{"not canonical": []byte(`{"b":1, "a":2}`), "float": 0.5} {
		if _, err := minutes.Number(minutes.Entry{Body: body}, 1, time.Time{}, [32]byte{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m, err := minutes.Number(minutes.Entry{Access: minutes.Public, Clause: strings.Repeat("x", 600), Body: 1}, 1, time.Time{}, [32]byte{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Header(); !fault.Is(err, fault.TooMuch) {
		t.Errorf("a header of more than 512 bytes passes: %v", err)
	}
}
