package rulebook

import (
	"strings"
	"testing"
)

// TestAmountsInWords tells whoever writes an amount in words how it is written.
func TestAmountsInWords(t *testing.T) {
	base := example(t, "cooperative.yaml")
	for _, c := range []struct{ old, new, want string }{
		{"window: 14 days", "window: two weeks", "`two weeks` is written in words [span]\n    Write `2 weeks`."},
		{"passes: {more_than: 1/2", "passes: {more_than: half", "`half` is written in words [amount]\n    Write `1/2`."},
		{"at_least: 2/3", "at_least: two thirds", "`two thirds` is written in words [amount]\n    Write `2/3`."},
		{"seats: 5", "seats: five", "`five` is written in words [amount]\n    Write `5`."},
	} {
		if !strings.Contains(base, c.old) {
			t.Fatalf("the example has no %q", c.old)
		}
		_, ps := Check([]byte(strings.Replace(base, c.old, c.new, 1)))
		if !strings.Contains(ps.Error(), c.want) {
			t.Errorf("%s: the check says\n%s", c.new, ps.Error())
		}
	}
}
