package rulebook

import (
	"slices"
	"strings"
	"testing"
)

// TestScale reads scales of points, refuses those that are none, and gives
// Borda's where none is written.
func TestScale(t *testing.T) {
	src := func(line string) string {
		return strings.Replace(example(t, "cooperative.yaml"), "        method: plurality-at-large\n", "        method: "+line+"\n", 1)
	}
	for _, c := range []struct {
		line string
		want []int64
	}{
		{"points", []int64{3, 2, 1}},
		{"points\n        scale: [12, 10, 8..6]", []int64{12, 10, 8, 7, 6}},
		{"points\n        scale: 2..2", []int64{2}},
	} {
		b, err := Parse([]byte(src(c.line)))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, p := range b.Procedures {
			for i := range p.Stages {
				if s := &p.Stages[i]; constantWord(s.Method) == "points" {
					found = true
					if got := s.ScaleFor(3); !slices.Equal(got, c.want) {
						t.Errorf("%s: %v, not %v", c.line, got, c.want)
					}
				}
			}
		}
		if !found {
			t.Errorf("%s: no election by points", c.line)
		}
	}
	for line, want := range map[string]string{
		"points\n        scale: [1, 2]":             "a lower rank cannot be worth more",
		"points\n        scale: 19..80":             "a lower rank cannot be worth more",
		"points\n        scale: [0, 0]":             "a lower rank cannot be worth more",
		"points\n        scale: [3, 1/2]":           "`scale` is a list of whole numbers",
		"points\n        scale: [3, -1]":            "`scale` is a list of whole numbers",
		"points\n        scale: 1000000..0":         "`scale` is a list of whole numbers",
		"points\n        scale: 99999999999999..0":  "`scale` is a list of whole numbers",
		"plurality-at-large\n        scale: [2, 1]": "only the method points has a `scale`",
	} {
		_, ps := Check([]byte(src(line)))
		if !strings.Contains(ps.Error(), want) {
			t.Errorf("%s: the check says %s", line, ps.Error())
		}
	}
}

// TestScaleText reads a scale aloud.
func TestScaleText(t *testing.T) {
	if got := scaleText([]int64{12, 10, 8, 7, 6, 5, 4, 3, 2, 1}); got != "12, 10 and 8 down to 1" {
		t.Error(got)
	}
}
