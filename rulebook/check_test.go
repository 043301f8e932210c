package rulebook

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write golden files anew")

func example(t testing.TB, name string) string {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

// checkExample checks a book of testdata, a local one inside its outer.
func checkExample(t testing.TB, name, src string) Problems {
	t.Helper()
	if name != "network-derby.yaml" {
		_, ps := Check([]byte(src))
		return ps
	}
	outer, err := Parse([]byte(example(t, "network.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	_, ps := outer.CheckLocal([]byte(src))
	return ps
}

func TestExamplesAreSound(t *testing.T) {
	for _, name := range []string{"cooperative.yaml", "party-2018.yaml", "college-1981.yaml", "college-1993.yaml", "others.yaml", "network.yaml", "network-derby.yaml"} {
		if errs := checkExample(t, name, example(t, name)).Errors(); len(errs) > 0 {
			t.Errorf("%s:\n%s", name, errs)
		}
	}
}

// TestBroken breaks a sound book in one place a case; the check that is named
// has to notice it.
func TestBroken(t *testing.T) {
	c := &complaints{}
	cases := readTree([]byte(example(t, "broken.yaml")), c)
	if cases == nil || len(cases.items) < 59 {
		t.Fatalf("broken.yaml: %d cases, %v", len(cases.list()), c.list)
	}
	for _, x := range cases.items {
		base, old := x.get("base").text, x.get("old").text
		want := Code(x.get("want").text)
		src := example(t, base)
		if strings.Count(src, old) == 0 {
			t.Errorf("%s: %q does not occur", base, old)
			continue
		}
		before := checkExample(t, base, src)
		broken := strings.Replace(src, old, x.get("new").text, 1)
		ps := checkExample(t, base, broken)
		if !ps.Has(want) {
			t.Errorf("line %d, %s, %q: want %s, got\n%v", x.pos.Line, base, x.get("new").text, want, ps)
			continue
		}
		if before.Has(want) && len(before) >= len(ps) {
			t.Errorf("line %d: %s was there before", x.pos.Line, want)
		}
	}
}

// TestMessages keeps what is said about each broken book: the sentences are
// for people who are not programmers, and are read when they change.
func TestMessages(t *testing.T) {
	cases := readTree([]byte(example(t, "broken.yaml")), &complaints{})
	var b strings.Builder
	for _, x := range cases.items {
		base := x.get("base").text
		src := example(t, base)
		before := checkExample(t, base, src)
		fmt.Fprintf(&b, "%s: %q for %q\n", base, x.get("new").text, x.get("old").text)
		for _, p := range checkExample(t, base, strings.Replace(src, x.get("old").text, x.get("new").text, 1)) {
			if !said(before, p) {
				b.WriteString(p.String() + "\n")
			}
		}
		b.WriteByte('\n')
	}
	file := filepath.Join("testdata", "broken.txt")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := example(t, "broken.txt"); want != b.String() {
		t.Error("testdata/broken.txt is not current; look at the difference and run go test ./rulebook -run Messages -update")
	}
}

// said tells whether the sound book has the same problem already.
func said(ps Problems, p Problem) bool {
	for _, q := range ps {
		if q.Code == p.Code && q.Message == p.Message {
			return true
		}
	}
	return false
}

// TestLocalExplained keeps what a local book says of itself.
func TestLocalExplained(t *testing.T) {
	outer, err := Parse([]byte(example(t, "network.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	b, err := outer.ParseLocal([]byte(example(t, "network-derby.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	if !b.Own("kitchen") || b.Own("recall") || b.Office("kitchen_organiser").Per != "group" || b.Procedure("kitchen").In != "group" || len(b.Set) != 3 {
		t.Error("what is its own belongs to the group")
	}
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", "network-derby.txt"), []byte(b.Explain().Text(0)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.Explain().Text(0); got != example(t, "network-derby.txt") {
		t.Errorf("testdata/network-derby.txt is not current:\n%s", got)
	}
	if _, err := b.ExplainProcedure("recall"); err != nil {
		t.Error(err)
	}
}
