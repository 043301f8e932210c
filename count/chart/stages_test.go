package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"

	"github.com/omov/omov/count"
)

func TestStages(t *testing.T) {
	g := count.NewGrouper(3)
	for i, v := range []count.Votes{4, 3, 2} {
		if err := g.Add([]count.Mark{count.Mark(i), count.Mark((i + 1) % 3)}, v); err != nil {
			t.Fatal(err)
		}
	}
	s, err := count.Count("av", count.Contest{Candidates: []string{`Ann <"&'`, "Ben\x00", "Cy"}}, count.Pool(g.Papers()))
	if err != nil {
		t.Fatal(err)
	}
	svg := Stages(s, Options{ID: "c1", Words: map[string]string{"elected": "gewählt"}})
	seen := elements(t, svg)
	if seen["title"] < 1 || seen["desc"] != 1 {
		t.Errorf("elements %v", seen)
	}
	for _, want := range []string{`aria-labelledby="c1-title c1-desc"`, "gewählt", "url(#c1-out)", "Ann &lt;&#34;&amp;&#39;"} {
		if !strings.Contains(svg, want) {
			t.Errorf("%q is missing in\n%s", want, svg)
		}
	}
	if strings.Contains(svg, `width="-`) || strings.Contains(svg, ".5\"") {
		t.Error("lengths are whole and not negative")
	}
	// The longest bar fills the room, half of it is half as long.
	if a, b := pixels("4", greatest(s), 100), pixels("2", greatest(s), 100); a < b*2-1 || a > 100 {
		t.Errorf("%d and %d pixels", a, b)
	}
}

// elements checks that a picture is well-formed and counts its elements.
func elements(t *testing.T, svg string) map[string]int {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	seen := map[string]int{}
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return seen
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, svg)
		}
		if e, ok := tok.(xml.StartElement); ok {
			seen[e.Name.Local]++
		}
	}
}

func TestSections(t *testing.T) {
	var sections []count.Section
	for k, rows := range [][]count.Votes{{60, 40}, {1, 3}} {
		g := count.NewGrouper(2)
		for i, v := range rows {
			if err := g.Add([]count.Mark{count.Mark(i)}, v); err != nil {
				t.Fatal(err)
			}
		}
		sections = append(sections, count.Section{Name: []string{"MPs & peers", "members"}[k], Weight: big.NewRat(1, 2), Papers: g.Papers()})
	}
	s, err := count.Count("college", count.Contest{Candidates: []string{"Ann", "Ben"}}, sections...)
	if err != nil {
		t.Fatal(err)
	}
	svg := Sections(s, Options{})
	seen := elements(t, svg)
	// Two pieces for each candidate and two in the legend, beside the patterns.
	if seen["rect"] != 2*2+2+2*2 || seen["pattern"] != 2 {
		t.Errorf("elements %v\n%s", seen, svg)
	}
	for _, want := range []string{"MPs &amp; peers", "Ben 0.575: MPs &amp; peers 0.200 members 0.375;"} {
		if !strings.Contains(svg, want) {
			t.Errorf("%q is missing in\n%s", want, svg)
		}
	}
}
