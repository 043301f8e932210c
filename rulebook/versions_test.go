package rulebook_test

import (
	"strings"
	"testing"

	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/rulebooks"
)

func TestVersionsOfTheChangesThatStand(t *testing.T) {
	first, err := rulebooks.Read("cooperative")
	if err != nil {
		t.Fatal(err)
	}
	seven := rulebook.Amendment{Ref: "a", Text: "offices.director.seats: 7", From: 200}
	at := rulebook.Amendment{Ref: "b", Text: "offices.director.term: 2 years", From: 100}
	none := rulebook.Amendment{Ref: "c", Text: "slots.parking.is: number", From: 150}
	versions, unfit := rulebook.Versions(first, []rulebook.Amendment{seven, at, none})
	if len(unfit) != 1 || unfit[0].Ref != "c" || !strings.Contains(unfit[0].Why, "parking") {
		t.Errorf("left out: %v", unfit)
	}
	for _, x := range []struct {
		at          int64
		seven, term bool
	}{{50, false, false}, {100, false, true}, {199, false, true}, {200, true, true}} {
		i := rulebook.InForceAt(versions, x.at)
		if i < 0 {
			t.Fatalf("at %d nothing is in force", x.at)
		}
		b, err := rulebook.Parse(versions[i].Source)
		if err != nil {
			t.Fatal(err)
		}
		d := b.Office("director")
		n, _ := d.Seats.Literal()
		if got := n.Text() == "7"; got != x.seven {
			t.Errorf("at %d there are seven seats: %t", x.at, got)
		}
		if got := strings.Contains(d.Term.Source(), "2"); got != x.term {
			t.Errorf("at %d the term is two years: %t", x.at, got)
		}
	}
	if rulebook.SameRules(first, versions[len(versions)-1].Source) || !rulebook.SameRules(first, append([]byte("# a comment\n"), first...)) {
		t.Error("SameRules looks at comments, or not at rules")
	}
}
