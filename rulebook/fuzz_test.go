package rulebook

import (
	"strings"
	"testing"
	"time"
)

// within fails where something takes unbounded time.
func within(t *testing.T, limit time.Duration, what string, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if d := time.Since(start); d > limit {
		t.Errorf("%s took %s", what, d)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"cooperative.yaml", "network.yaml", "college-1993.yaml"} {
		f.Add(example(f, name))
	}
	for _, s := range []string{"", "rulebook: x", "- a\n- b", "a: [", "a: &b c\nd: *b", "rulebook: {}\nprocedures: [1]", "offices: {a: {seats: [1]}}\nunits: {u: {in: u}}",
		"procedures: {p: {stages: {stage: s, ballot: [], how: }}}", "slots: {s: {choices: [s], set_by: s}}", strings.Repeat("[", 200), strings.Repeat("a:\n ", 50)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 1<<16 {
			return
		}
		within(t, 5*time.Second, "a rulebook", func() {
			b, ps := Check([]byte(src))
			if b == nil && len(ps.Errors()) == 0 {
				t.Error("neither a book nor an error")
			}
			_ = ps.Error()
		})
	})
}

func FuzzExpression(f *testing.F) {
	for _, s := range []string{`person.since(member) <= freeze - 6 months`, `candidates.exists(c, c.woman)`, `1 + parts(250, unit.count(member) - 749)`,
		`latest("31 December", called)`, `a ? b : c`, `"x" + 'y`, `10%%`, `1/0`, `((((`, `person.person.person`, `-9223372036854775808 - 1`, `99999999999999999999`, `5 working days`} {
		f.Add(s)
	}
	c := Calendar{Zone: time.UTC}
	sy, in := tryBook(c)
	scope := tryScope(c)
	f.Fuzz(func(t *testing.T, src string) {
		within(t, 5*time.Second, "an expression", func() {
			var comp complaints
			e := compileExpr(sy, src, Pos{1, 1}, in, &comp)
			if e == nil {
				if len(comp.list) == 0 {
					t.Error("refused without a word")
				}
				return
			}
			if e.typ.k == kStage || e.typ.k == kRun || e.typ.k == kText {
				return
			}
			if v, err := e.Eval(scope); err == nil {
				_ = v.Text()
			}
		})
	})
}

// TestHostile tries sources that have brought other parsers down.
func TestHostile(t *testing.T) {
	for name, src := range map[string]string{
		"brackets":  strings.Repeat("[", 100_000),
		"braces":    "a: " + strings.Repeat("{a: ", 20_000),
		"keys":      manyKeys(7_000),
		"many keys": manyKeys(20_000),
		"entries":   "a: {" + strings.Repeat("b: c, ", 5000) + "}",
		"items":     "a: [" + strings.Repeat("b, ", 15_000) + "]",
		"deep":      deep(2000),
		"anchors":   "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n",
		"long":      "rulebook: " + strings.Repeat("x", 500_000),
		"not utf-8": "rulebook: \xff\xfe\n",
		"nul":       "rulebook: \x00\n",
		"documents": strings.Repeat("---\na: b\n", 5000),
		"huge":      strings.Repeat("#\n", 1<<20),
	} {
		within(t, 10*time.Second, name, func() {
			if b, ps := Check([]byte(src)); b != nil || len(ps) == 0 {
				t.Errorf("%s: accepted", name)
			}
		})
	}
}

// TestEncodings: an editor's mark at the head of a file does no harm, and what
// is no text in UTF-8 is refused in words that help.
func TestEncodings(t *testing.T) {
	src := example(t, "cooperative.yaml")
	if b, ps := Check([]byte("\ufeff" + src)); b == nil {
		t.Errorf("with a mark at its head: %v", ps)
	}
	if b, ps := Check([]byte(strings.ReplaceAll(src, "14 days", "14\u00a0days"))); b == nil {
		t.Errorf("with spaces that do not break: %v", ps)
	}
	var wide strings.Builder
	for _, r := range src {
		wide.WriteString(string(r) + "\x00")
	}
	for name, src := range map[string]string{"two bytes a letter": "\xff\xfe" + wide.String(), "latin 1": strings.Replace(src, "member", "m\xe9mber", 1), "a program": "\x7fELF\x02\x01\x00"} {
		if b, ps := Check([]byte(src)); b != nil || len(ps) != 1 || !strings.Contains(ps[0].Remedy, "UTF-8") {
			t.Errorf("%s: %v", name, ps)
		}
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	b.WriteString("rulebook: x\nclasses:\n")
	for i := range n {
		b.WriteString("  c" + strings.Repeat("x", i%7) + itoaTest(i) + ": A class.\n")
	}
	return b.String()
}

func deep(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
		if b.Len() > 900_000 {
			break
		}
	}
	return b.String()
}

func itoaTest(n int) string { return num{i: int64(n)}.rat().RatString() }
