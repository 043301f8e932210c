package chart

import (
	"encoding/xml"
	"errors"
	"io"
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
	d := xml.NewDecoder(strings.NewReader(svg))
	seen := map[string]int{}
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, svg)
		}
		if e, ok := tok.(xml.StartElement); ok {
			seen[e.Name.Local]++
		}
	}
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
