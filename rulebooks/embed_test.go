package rulebooks

import (
	"strings"
	"testing"

	"github.com/omov/omov/rulebook"
)

// TestShipped checks every shipped book, warnings too: what is shipped is an
// example to others.
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
		if len(ps) > 0 {
			t.Errorf("%s:\n%s", name, ps.Error())
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
	for _, name := range []string{"mps-only-1976", "college-1981", "thirds-1993", "omov-2014", "double-gate-2018"} {
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
