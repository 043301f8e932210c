package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/omov/omov/count"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/rulebooks"
)

// rulebookCommand runs `omov rulebook ARGS` and gives what it wrote.
func rulebookCommand(t *testing.T, in string, args ...string) (string, error) {
	t.Helper()
	var root struct {
		Rulebook RulebookCmd `cmd:""`
	}
	p, err := kong.New(&root, kong.BindTo(t.Context(), (*context.Context)(nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := p.Parse(append([]string{"rulebook"}, args...))
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = ctx.Run(&Streams{In: strings.NewReader(in), Out: &out, Err: &out})
	return out.String(), err
}

func write0(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRulebookCommands(t *testing.T) {
	dir := t.TempDir()
	src, err := rulebooks.Read("cooperative")
	if err != nil {
		t.Fatal(err)
	}
	good := write0(t, dir, "good.yaml", string(src))
	bad := write0(t, dir, "bad.yaml", strings.Replace(string(src), "stand: member\n", "stand: membre\n", 1))
	more := write0(t, dir, "more.yaml", strings.Replace(string(src), "notice: 21 days", "notice: 28 days", 1))
	changes := write0(t, dir, "changes.yaml", "rule_change.vote.notice: 28 days\nedition: 2027-01-10\n")
	for _, x := range []struct {
		name string
		args []string
		want []string
		kind fault.Kind
	}{
		{"check a sound book", []string{"check", good}, []string{"good.yaml: sound"}, ""},
		{"check shipped books", []string{"check", "omov-2014", "cooperative"}, []string{"omov-2014: sound", "cooperative: sound"}, ""},
		{"check a broken book", []string{"check", bad}, []string{"nothing is called `membre` [dead]", "Did you mean `member`?", "1 error, 0 warnings"}, fault.Invalid},
		{"check as JSON", []string{"check", "--format=json", bad}, []string{`"code":"dead"`, `"level":"error"`}, fault.Invalid},
		{"explain", []string{"explain", "mps-only-1976"}, []string{"successive ballots", "The clauses"}, ""},
		{"explain one procedure", []string{"explain", "omov-2014", "leadership"}, []string{"at least 15% of all members"}, ""},
		{"explain one as Markdown", []string{"explain", "--format=markdown", "omov-2014", "leadership"}, []string{"## Leadership [3]"}, ""},
		{"explain what is not there", []string{"explain", "omov-2014", "coronation"}, nil, fault.NotFound},
		{"explain a broken book", []string{"explain", bad}, nil, fault.Invalid},
		{"diff", []string{"diff", good, more}, []string{"before: It opens 21 days after the call", "now:    It opens 28 days after the call"}, ""},
		{"diff of nothing", []string{"diff", good, good}, []string{"No rule changes."}, ""},
		{"amend", []string{"amend", good, changes, "--write", filepath.Join(dir, "new.yaml")}, []string{"now:    It opens 28 days after the call"}, ""},
		{"check what was amended", []string{"check", filepath.Join(dir, "new.yaml")}, []string{"sound"}, ""},
		{"show", []string{"show"}, []string{"double-gate-2018", "Mill Lane Housing Co-operative"}, ""},
		{"show one", []string{"show", "cooperative"}, []string{"rulebook: Mill Lane Housing Co-operative"}, ""},
		{"no such file", []string{"check", filepath.Join(dir, "none.yaml")}, nil, fault.Invalid},
	} {
		out, err := rulebookCommand(t, "", x.args...)
		if fault.KindOf(err) != x.kind {
			t.Errorf("%s: %v", x.name, err)
		}
		for _, w := range x.want {
			if !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(w), " ")) {
				t.Errorf("%s: %q is not in\n%s", x.name, w, out)
			}
		}
	}
}

func TestRulebookLocalAndStdin(t *testing.T) {
	dir := t.TempDir()
	outer, err := os.ReadFile(filepath.Join("..", "rulebook", "testdata", "network.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	local, err := os.ReadFile(filepath.Join("..", "rulebook", "testdata", "network-derby.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write0(t, dir, "network.yaml", string(outer))
	file := write0(t, dir, "derby.yaml", string(local))
	if out, err := rulebookCommand(t, "", "check", file); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	circle := write0(t, dir, "circle.yaml", strings.Replace(string(local), "within: network.yaml", "within: circle.yaml", 1))
	if _, err := rulebookCommand(t, "", "check", circle); !fault.Is(err, fault.Invalid) {
		t.Errorf("a book within itself: %v", err)
	}
	if out, err := rulebookCommand(t, string(outer), "check", "-"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestRulebookMethods: whatever can be counted can be named in a rulebook,
// but for the two that count votes, not elections.
func TestRulebookMethods(t *testing.T) {
	for _, m := range count.Methods() {
		if m.ID != "majority" && m.ID != "card" && !slices.Contains(rulebook.Methods(), m.ID) {
			t.Errorf("a rulebook cannot name the method %s", m.ID)
		}
	}
}

func TestRulebookSchemaCommand(t *testing.T) {
	out, err := rulebookCommand(t, "", "schema")
	var v map[string]any
	if err != nil || json.Unmarshal([]byte(out), &v) != nil || v["$defs"] == nil {
		t.Errorf("the schema is no JSON: %v", err)
	}
}
