package rulebooks

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/omov/omov/rulebook"
)

var update = flag.Bool("update", false, "write golden files anew")

// meant names, for a book, the warnings that it is there to earn: it holds a
// rule that was in force and was unwise, and says so where it stands.
func meant(name string) []rulebook.Code {
	switch name {
	case "conference":
		return []rulebook.Code{"entrenched"} // two-thirds for the programme, and half for the rule that says so
	case "open-freeze-2016":
		return []rulebook.Code{"early-freeze"} // the executive could set the freeze before the call, and did
	case "rounds-then-members":
		return []rulebook.Code{"no-appeal"} // who has lost a vote of confidence does not stand in the contest that follows, and no longer
	case "union":
		return []rulebook.Code{"stay-home"} // the law's test of turnout before industrial action
	case "selection-2018":
		return []rulebook.Code{"halts"} // a third of which branches? The count waits for a ruling
	}
	return nil
}

// TestShipped checks every shipped book, warnings too: what is shipped is an
// example to others. A warning that a book is meant to earn has to come.
func TestShipped(t *testing.T) {
	if n := len(Names()); n < 6 {
		t.Fatalf("%d rulebooks are shipped", n)
	}
	for _, name := range Names() {
		src, err := Read(name)
		if err != nil {
			t.Fatal(err)
		}
		b, ps := rulebook.Check(src)
		var codes []rulebook.Code
		for _, p := range ps {
			codes = append(codes, p.Code)
		}
		if !slices.Equal(codes, meant(name)) {
			t.Errorf("%s: the check says %v:\n%s", name, codes, ps.Error())
		}
		if b == nil {
			continue
		}
		if b.Procedure("rule_change") == nil {
			t.Errorf("%s has no rule_change", name)
		}
		for _, n := range strings.Split(string(src), "\n") {
			if len(n) > 300 {
				t.Errorf("%s: a line of %d characters", name, len(n))
			}
		}
	}
}

// TestAges checks what the five ages have in common: whoever runs them relies
// on it.
func TestAges(t *testing.T) {
	for _, name := range []string{"mps-only-1976", "college-1981", "thirds-1993", "omov-2014", "double-gate-2018", "double-gate-2021"} {
		src, err := Read(name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := rulebook.Parse(src)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, o := range []string{"leader", "deputy_leader", "mp", "general_secretary", "scrutineer"} {
			if b.Office(o) == nil {
				t.Errorf("%s: no office %s", name, o)
			}
		}
		p := b.Procedure("leadership")
		if p == nil || p.Freeze == nil || len(p.Fills) != 2 {
			t.Errorf("%s: leadership does not freeze, or does not fill both offices", name)
		}
		if !closedByTwo(b) {
			t.Errorf("%s: a ballot is not closed by two officers", name)
		}
	}
}

func closedByTwo(b *rulebook.Book) bool {
	for _, p := range b.Powers {
		if p.Together && len(p.Who) == 2 && len(p.May) == 1 && p.May[0] == "close" {
			return true
		}
	}
	return false
}

func TestReadUnknown(t *testing.T) {
	if _, err := Read("nothing-like-it"); err == nil {
		t.Error("an unknown rulebook was read")
	}
}

// TestSchema keeps the schema that editors use the one that the language has.
// To write it anew: go test ./rulebooks -run Schema -update
func TestSchema(t *testing.T) {
	const file = "rulebook.schema.json"
	want := rulebook.Schema()
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("rulebook.schema.json is not current; run go test ./rulebooks -run Schema -update")
	}
}

// TestGolden keeps what check and explain say about the shipped books, and
// what diff says between neighbouring ages.
func TestGolden(t *testing.T) {
	books := map[string]*rulebook.Book{}
	for _, name := range Names() {
		src, err := Read(name)
		if err != nil {
			t.Fatal(err)
		}
		b, ps := rulebook.Check(src)
		if b == nil {
			t.Fatal(ps)
		}
		books[name] = b
		golden(t, "explain-"+name, b.Explain().Text(0))
	}
	one, err := books["omov-2014"].ExplainProcedure("leadership")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "explain-omov-2014-leadership", one.Text(0))
	golden(t, "diff-omov-2014-double-gate-2018", rulebook.Diff(books["omov-2014"], books["double-gate-2018"]).Text(0))
	golden(t, "diff-double-gate-2018-double-gate-2021", rulebook.Diff(books["double-gate-2018"], books["double-gate-2021"]).Text(0))
	golden(t, "diff-selection-1990-selection-2018", rulebook.Diff(books["selection-1990"], books["selection-2018"]).Text(0))
	golden(t, "diff-selection-2018-selection-2021", rulebook.Diff(books["selection-2018"], books["selection-2021"]).Text(0))
	golden(t, "diff-thirds-1993-omov-2014", rulebook.Diff(books["thirds-1993"], books["omov-2014"]).Text(0))
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is not current; look at the difference and run go test ./rulebooks -update", file)
	}
}

// TestAmended writes every shipped book anew, through an amendment that
// changes no rule: it has to say the same.
func TestAmended(t *testing.T) {
	for _, name := range Names() {
		src, err := Read(name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := rulebook.Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		c, ps := b.Amend([]byte("edition: 2030-01-01"))
		if c == nil || len(ps.Errors()) > 0 {
			t.Errorf("%s: %v", name, ps)
			continue
		}
		if d := rulebook.Diff(b, c); len(d.Sections) > 0 {
			t.Errorf("%s: written anew it says something else:\n%s", name, d.Text(0))
		}
	}
}
