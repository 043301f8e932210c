package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rehearse runs `omov rehearse` on a script and gives its exit code and what
// it printed.
func rehearse(t *testing.T, script string, args ...string) (int, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "meeting.yaml")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := Main(append([]string{"rehearse", file}, args...), &Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	return code, out.String() + errs.String()
}

func TestRehearse(t *testing.T) {
	const script = `rehearsal: A meeting
rulebook: cooperative
begin: 2026-03-01
people: [{named: Member, make: 30, class: member, since: 2020-01-01}]
steps:
  - {at: 2026-03-02, by: Member 2..4, call: special_meeting, with: {text: Sell no houses}}
  - {at: 2026-05-01, papers: {for: 14, against: 9}}
expect: {outcome: carried}
---
rehearsal: Another
rulebook: cooperative
begin: 2026-03-01
people: [{named: Member, make: 30, class: member, since: 2020-01-01}]
steps: [{at: 2026-03-02, by: Member 1..3, call: special_meeting, with: {text: Keep bees}}]
`
	for _, x := range []struct {
		script string
		args   []string
		code   int
		want   []string
	}{
		{script, nil, 0, []string{"✓ A meeting  (", "✓ Another  ("}},
		{script, []string{"--only", "another"}, 0, []string{"✓ Another"}},
		{script, []string{"--only", "cake"}, 2, []string{"no rehearsal has"}},
		{script, []string{"-v"}, 0, []string{"  2 March 2026, 12:00\n", "Member 2..4 calls special meeting", "Declared: carried (14 for, 9 against).", "replayed into an empty database: the same; both bundles verify."}},
		{strings.Replace(script, "outcome: carried", "outcome: lost", 1), nil, 1, []string{"✗ A meeting", "meeting.yaml:8: outcome", "expected  lost", "got       carried", "✓ Another", "1 of 2 came otherwise"}},
		{strings.Replace(script, "papers:", "paper:", 1), nil, 2, []string{"meeting.yaml:7:", "did you mean `papers`?"}},
		{strings.Replace(script, "class: member", "class: membre", 1), nil, 1, []string{"✗ A meeting", "no class called `membre`", "✓ Another"}},
	} {
		code, out := rehearse(t, x.script, x.args...)
		if code != x.code {
			t.Errorf("exit code %d, want %d:\n%s", code, x.code, out)
		}
		for _, w := range x.want {
			if !strings.Contains(out, w) {
				t.Errorf("not printed: %q\n%s", w, out)
			}
		}
	}
	if _, out := rehearse(t, script, "--only", "another"); strings.Contains(out, "A meeting") {
		t.Error("--only runs all")
	}
}

// TestRehearseFiles: everything that is wrong with several files is said at
// once, and nothing runs.
func TestRehearseFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"one.yaml": "hello\n", "two.yaml": "rehearsal: \"a\" b\n", "three.yaml": "\x7fELF\x00"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	code := Main([]string{"rehearse", filepath.Join(dir, "one.yaml"), filepath.Join(dir, "two.yaml"), filepath.Join(dir, "three.yaml"), filepath.Join(dir, "four.yaml"), dir},
		&Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	if code != 2 || out.Len() > 0 {
		t.Errorf("exit code %d, printed:\n%s", code, out.String())
	}
	for _, w := range []string{"one.yaml:1:1: a rehearsal is a list of keys and values", "two.yaml:1:16: something stands behind a value", "three.yaml:1:1: this is no text file", "there is no file", "is a folder"} {
		if !strings.Contains(errs.String(), w) {
			t.Errorf("not said: %q\n%s", w, errs.String())
		}
	}
}
