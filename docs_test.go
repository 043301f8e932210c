package omov_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documents are the pages for people in this repository.
func documents(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/methods/*.md"} {
		list, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, list...)
	}
	if len(out) < 10 {
		t.Fatalf("only %d documents: the test looks at nothing", len(out))
	}
	return out
}

// What documents link to is there, and so are the tests that docs/security.md
// names for its claims.
func TestDocuments(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]*)(#[^)\s]*)?\)`)
	for _, doc := range documents(t) {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if to := m[1]; to != "" && !strings.Contains(to, "://") {
				if _, err := os.Stat(filepath.Join(filepath.Dir(doc), to)); err != nil {
					t.Errorf("%s links to %s, which is not there", doc, to)
				}
			}
		}
	}
	text, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\b([a-z]+(?:/[a-z]+)*)\.(Test[A-Za-z0-9]+)`).FindAllStringSubmatch(string(text), -1)
	if len(named) < 20 {
		t.Errorf("docs/security.md names %d tests", len(named))
	}
	for _, m := range named {
		files, err := filepath.Glob(m[1] + "/*_test.go")
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range files {
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.Contains(string(src), "func "+m[2]+"(")
		}
		if !found {
			t.Errorf("docs/security.md rests a claim on %s, which does not exist", m[0])
		}
	}
}

// Pictures stay small enough to be loaded with the page that shows them.
func TestPictures(t *testing.T) {
	files, err := filepath.Glob("docs/pictures/*")
	if err != nil {
		t.Fatal(err)
	}
	used := ""
	for _, doc := range documents(t) {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		used += string(text)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 250_000 {
			t.Errorf("%s has %d bytes", f, info.Size())
		}
		if !strings.Contains(used, filepath.Base(f)) {
			t.Errorf("%s is shown nowhere", f)
		}
	}
}
