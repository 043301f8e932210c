package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/omov/omov/count"
)

// TestWorkedExamples runs the example of every page on a method and compares
// what it says with the page.
func TestWorkedExamples(t *testing.T) {
	t.Chdir(filepath.Join("..", "docs", "methods"))
	for _, m := range count.Methods() {
		page, err := os.ReadFile(m.ID + ".md")
		if err != nil {
			t.Errorf("there is no page on %s: %v", m.ID, err)
			continue
		}
		_, rest, ok := strings.Cut(string(page), "\n$ omov count ")
		command, rest, ok2 := strings.Cut(rest, "\n")
		want, _, ok3 := strings.Cut(rest, "```")
		if !ok || !ok2 || !ok3 {
			t.Errorf("the page on %s has no worked example", m.ID)
			continue
		}
		args := strings.Fields(strings.ReplaceAll(command, "'", ""))
		if out, code, err := run(t, "", args...); code != 0 || out != want {
			t.Errorf("%s: exit %d, %v\n%s", m.ID, code, err, out)
		}
	}
}
