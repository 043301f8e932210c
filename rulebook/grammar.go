package rulebook

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/parser"
)

// Bounds of one expression.
const (
	maxExpr      = 2000 // characters
	maxExprDepth = 40   // nesting
)

// rewritten is an expression in which the literals of a rulebook (6 months,
// 10%, 25 GBP) are calls that CEL's grammar knows, with the way back to the
// places where they were written.
type rewritten struct {
	text  string
	shift []shift
}

// shift says that from a character of the new text on, characters lie delta
// further than in the old one.
type shift struct{ from, delta int }

func (w *rewritten) origin(pos int) int {
	d := 0
	for _, s := range w.shift {
		if pos < s.from {
			break
		}
		d = s.delta
	}
	return max(0, pos-d)
}

// rewrite finds literals outside of quotes. It never fails: what it does not
// know it leaves to the grammar.
func rewrite(src string) *rewritten {
	w := &rewritten{}
	var b strings.Builder
	count := 0 // characters written
	put := func(s string) { b.WriteString(s); count += utf8.RuneCountInString(s) }
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRuneInString(src[i:])
		switch {
		case r == '"' || r == '\'':
			n := quotedLen(src[i:])
			put(src[i : i+n])
			i += n
		case r >= '0' && r <= '9':
			call, n := literalAt(src[i:])
			if call == "" {
				put(src[i : i+n])
			} else {
				head := call + `("`
				before := 0
				if k := len(w.shift); k > 0 {
					before = w.shift[k-1].delta
				}
				put(head)
				w.shift = append(w.shift, shift{count, before + len(head)})
				put(src[i : i+n])
				put(`")`)
				w.shift = append(w.shift, shift{count, before + len(head) + 2})
			}
			i += n
		case r == '_' || unicode.IsLetter(r):
			n := wordLen(src[i:])
			put(src[i : i+n])
			i += n
		default:
			put(src[i : i+size])
			i += size
		}
	}
	w.text = b.String()
	return w
}

func quotedLen(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		}
	}
	return len(s)
}

func wordLen(s string) int {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return i
		}
	}
	return len(s)
}

// literalAt tells which literal begins at a digit, as the function that reads
// it, and how many bytes it has; a plain number has no function.
func literalAt(s string) (call string, n int) {
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] == '.' && n+1 < len(s) && s[n+1] >= '0' && s[n+1] <= '9') {
		n++
	}
	rest := s[n:]
	if strings.HasPrefix(rest, "%") {
		return "share", n + 1
	}
	trimmed := strings.TrimLeft(rest, " ")
	if len(trimmed) == len(rest) || trimmed == "" {
		return "", n
	}
	gap := len(rest) - len(trimmed)
	k := wordLen(trimmed)
	word := trimmed[:k]
	switch word {
	case "hour", "hours", "day", "days", "week", "weeks", "month", "months", "year", "years":
		return "span", n + gap + k
	case "working":
		after := strings.TrimLeft(trimmed[k:], " ")
		if d := wordLen(after); after[:d] == "day" || after[:d] == "days" {
			return "span", n + gap + len(trimmed) - len(after) + d
		}
	}
	if _, ok := parseMoney(s[:n] + " " + word); ok {
		return "money", n + gap + k
	}
	return "", n
}

// parseCEL parses an expression in the grammar of CEL, without its macros:
// exists, all and filter are ordinary calls to us.
func parseCEL(text string) (*ast.AST, *common.Errors) {
	p, err := parser.NewParser(
		parser.MaxRecursionDepth(maxExprDepth),
		parser.ExpressionSizeCodePointLimit(2*maxExpr),
		parser.MaxExpressionNodeCount(2*maxExpr),
		parser.ErrorReportingLimit(3),
	)
	if err != nil {
		errs := common.NewErrors(common.NewTextSource(text))
		errs.ReportErrorString(common.NoLocation, err.Error())
		return nil, errs
	}
	return p.Parse(common.NewTextSource(text))
}

// plainSyntax turns a message of the grammar into a sentence.
func plainSyntax(msg string) string {
	msg = strings.TrimPrefix(msg, "Syntax error: ")
	switch {
	case strings.Contains(msg, "reserved identifier"):
		return strings.ReplaceAll(msg, "reserved identifier: ", "this is a word of the language: ")
	case strings.HasPrefix(msg, "extraneous input"), strings.HasPrefix(msg, "mismatched input"), strings.HasPrefix(msg, "no viable alternative"), strings.HasPrefix(msg, "missing"):
		q := quotedIn(msg)
		if q == "<EOF>" || q == "" {
			return "the expression breaks off"
		}
		return "`" + q + "` does not fit here"
	case strings.Contains(msg, "token recognition error"):
		return "`" + quotedIn(msg) + "` does not belong into an expression"
	case strings.Contains(msg, "recursion"), strings.Contains(msg, "size exceeds"), strings.Contains(msg, "limit"):
		return "this expression is too long or too deeply nested"
	}
	return "this is no expression: " + msg
}

// syntaxRemedy says what to look for in an expression that does not parse.
func syntaxRemedy(src string) string {
	switch {
	case strings.Contains(src, "latest(") && !strings.ContainsAny(src, `"'`):
		return "Put the day into quotes, as in latest(\"31 December\", called)."
	case strings.Contains(src, " is ") || strings.Contains(src, " has ") || strings.Contains(src, " holds "):
		return "Write person.is(CLASS) or person.holds(OFFICE)."
	case strings.Contains(src, " and ") || strings.Contains(src, " or "):
		return "Write && for and, || for or."
	case strings.Count(src, "(") != strings.Count(src, ")"):
		return "Count the brackets: one is missing, or one too many."
	case strings.Contains(src, " = "):
		return "Write == to compare."
	}
	return "Look for a missing operator, comma or quote."
}

func quotedIn(msg string) string {
	_, rest, ok := strings.Cut(msg, "'")
	if !ok {
		return ""
	}
	q, _, _ := strings.Cut(rest, "'")
	return q
}
