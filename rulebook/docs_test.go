package rulebook

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const keysBegin, keysEnd = "<!-- keys: written by go test ./rulebook -run Docs -update -->", "<!-- end of keys -->"

// TestDocs keeps the table of keys in the documentation the one that the
// checker uses, and every rulebook shown there sound.
func TestDocs(t *testing.T) {
	const file = "../docs/rulebook.md"
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(src), keysBegin)
	_, after, ok2 := strings.Cut(rest, keysEnd)
	if !ok || !ok2 {
		t.Fatal("docs/rulebook.md has no place for the keys")
	}
	want := before + keysBegin + "\n" + keyTables() + keysEnd + after
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(src) {
		t.Error("the keys in docs/rulebook.md are not current; run go test ./rulebook -run Docs -update")
	}
	for i, block := range strings.Split(string(src), "```yaml\n")[1:] {
		yaml, _, _ := strings.Cut(block, "```")
		if !strings.HasPrefix(yaml, "rulebook:") {
			continue
		}
		if _, ps := Check([]byte(yaml)); len(ps) > 0 {
			t.Errorf("the rulebook in block %d of docs/rulebook.md:\n%s", i+1, ps)
		}
	}
	for _, m := range Methods() {
		if !strings.Contains(string(src), "`"+m+"`") {
			t.Errorf("docs/rulebook.md does not name the method %s", m)
		}
	}
}

func keyTables() string {
	var b strings.Builder
	for _, f := range append(append(bookForms(), definitionForms()...), procedureForms()...) {
		fmt.Fprintf(&b, "\n**%s**\n\n| key | |\n|---|---|\n", f.name)
		for _, k := range f.keys {
			must := ""
			if k.must {
				must = " (required)"
			}
			fmt.Fprintf(&b, "| `%s` | %s%s |\n", k.name, k.says, must)
		}
	}
	b.WriteByte('\n')
	return b.String()
}
