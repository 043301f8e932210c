package rehearsal

import (
	"os"
	"strings"
	"testing"
)

// The page for rulebook authors names every key there is, and its first
// rehearsal runs.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/rehearsals.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	var keys []string
	keys = append(append(append(keys, verbNames()...), checkNames()...), personKeys()...)
	for _, more := range verbs() {
		keys = append(keys, more...)
	}
	keys = append(append(keys, rollKeys()...), byHandWords()...)
	for _, k := range keys {
		if !strings.Contains(page, "`"+k+"`") && !strings.Contains(page, "`"+k+":") && !strings.Contains(page, k+": ") {
			t.Errorf("docs/rehearsals.md does not name %s", k)
		}
	}
	_, after, ok := strings.Cut(page, "```yaml\nrehearsal: ")
	example, _, closed := strings.Cut(after, "```")
	if !ok || !closed {
		t.Fatal("docs/rehearsals.md has no example")
	}
	for _, f := range run(t, "rehearsal: "+example).Failures {
		t.Error(f)
	}
}
