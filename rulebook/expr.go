package rulebook

import (
	"math/big"
	"sort"
	"strings"

	"cel.dev/cel-go/common/ast"

	"github.com/omov/omov/fault"
)

// Expr is one checked expression, literal or name of a slot: whatever gives a
// value. It is immutable and may be used by several goroutines at once.
type Expr struct {
	src   string
	pos   Pos
	typ   typ
	code  *code
	tree  ast.Expr // as parsed; nil: a literal that was written out
	names []string // asked from the scope
	facts []string // asked from people, units and texts
	known []string // names of the book used as constants
}

// Source gives the expression as it was written.
func (e *Expr) Source() string {
	if e == nil {
		return ""
	}
	return e.src
}

// Pos gives where the expression stands.
func (e *Expr) Pos() Pos { return e.pos }

// Type gives the type of what Eval gives.
func (e *Expr) Type() ValueType { return e.typ.valueType() }

// Names gives what the expression asks from its scope, sorted: variables,
// slots, stages, procedures and events.
func (e *Expr) Names() []string { return e.names }

// Facts gives the facts that the expression asks for, sorted: person.woman.
func (e *Expr) Facts() []string { return e.facts }

// Constants gives the names of the book that the expression mentions, sorted:
// classes, offices, kinds of unit.
func (e *Expr) Constants() []string { return e.known }

// Literal gives the value of a constant, and false for all else. A number in
// it is shared and not to be changed.
func (e *Expr) Literal() (Value, bool) {
	if e == nil || e.code.lit == nil {
		return Value{}, false
	}
	return *e.code.lit, true
}

// Eval evaluates the expression. The error is *Unknown where something is
// needed that nobody has entered or decided yet, a refusal of kind
// fault.Invalid where the rule divides by nothing, and fault.TooMuch where it
// asks about too many people.
func (e *Expr) Eval(s Scope) (Value, error) { return e.code.value(frame{s: s}) }

// Flag evaluates a condition.
func (e *Expr) Flag(s Scope) (bool, error) {
	if e.code.flag == nil {
		return false, e.mistaken(TypeFlag)
	}
	return e.code.flag(frame{s: s})
}

// Moment evaluates an expression that gives a moment.
func (e *Expr) Moment(s Scope) (Moment, error) {
	if e.code.moment == nil {
		return Moment{}, e.mistaken(TypeMoment)
	}
	return e.code.moment(frame{s: s})
}

// Span evaluates an expression that gives a length of time.
func (e *Expr) Span(s Scope) (Span, error) {
	if e.code.span == nil {
		return Span{}, e.mistaken(TypeSpan)
	}
	return e.code.span(frame{s: s})
}

// Number evaluates an expression that gives a number or a share; the result
// is not to be changed.
func (e *Expr) Number(s Scope) (*big.Rat, error) {
	if e.code.num == nil {
		return nil, e.mistaken(TypeNumber)
	}
	n, err := e.code.num(frame{s: s})
	if err != nil {
		return nil, err
	}
	return n.rat(), nil
}

// Words evaluates an expression that gives words or a name of the book.
func (e *Expr) Words(s Scope) (string, error) {
	if e.code.words == nil {
		return "", e.mistaken(TypeWords)
	}
	return e.code.words(frame{s: s})
}

// Money evaluates an expression that gives a sum of money.
func (e *Expr) Money(s Scope) (Money, error) {
	if e.code.money == nil {
		return Money{}, e.mistaken(TypeMoney)
	}
	return e.code.money(frame{s: s})
}

// People evaluates an expression that gives a person or a list of people.
func (e *Expr) People(s Scope) ([]Person, error) {
	v, err := e.Eval(s)
	return v.Persons, err
}

func (e *Expr) mistaken(want ValueType) error {
	return fault.New(fault.Internal, "%q gives %s and was asked for %s.", e.src, e.typ, want)
}

// place is where an expression stands: what it can name there, and what for.
type place struct {
	vars    map[string]typ
	choices map[string][]string
}

// with gives the place with more variables.
func (p place) with(vars map[string]typ) place {
	out := place{vars: make(map[string]typ, len(p.vars)+len(vars)), choices: p.choices}
	for n, t := range p.vars {
		out.vars[n] = t
	}
	for n, t := range vars {
		out.vars[n] = t
	}
	return out
}

// compileExpr compiles an expression; it gives nil after it has reported what
// is wrong.
func compileExpr(sy *symbols, src string, pos Pos, in place, c *complaints) *Expr {
	if len(src) > maxExpr {
		c.err("expression", pos, "Split the condition in two.", "this expression has more than %d characters", maxExpr)
		return nil
	}
	w := rewrite(src)
	tree, errs := parseCEL(w.text)
	if errs != nil && len(errs.GetErrors()) > 0 {
		first := errs.GetErrors()[0]
		p := pos
		if first.Location != nil && first.Location.Line() == 1 {
			p.Column += w.origin(first.Location.Column())
		}
		c.err("expression", p, syntaxRemedy(src), "%s", plainSyntax(first.Message))
		return nil
	}
	cp := &compiler{sy: sy, vars: in.vars, choices: in.choices, info: tree.SourceInfo(),
		names: map[string]bool{}, facts: map[string]bool{}, known: map[string]bool{}, code: "expression"}
	cp.bad = func(off int32, format string, args ...any) {
		p := pos
		p.Column += w.origin(int(off))
		c.err(cp.code, p, cp.remedy, format, args...)
		cp.code, cp.remedy = "expression", ""
	}
	out := cp.compile(tree.Expr())
	if out == nil {
		return nil
	}
	if cp.cost > maxCost {
		c.err("cost", pos, "Ask about one person, or about a list once.", "this can take %d steps each time it is asked", cp.cost)
		return nil
	}
	return &Expr{src: src, pos: pos, typ: out.t, code: out, tree: tree.Expr(),
		names: sortedKeys(cp.names), facts: sortedKeys(cp.facts), known: sortedKeys(cp.known)}
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// literalExpr makes the Expr of a value that was written out.
func literalExpr(src string, pos Pos, t typ, v Value) *Expr {
	return &Expr{src: src, pos: pos, typ: t, code: constant(t, v)}
}

// Sentence is a sentence for people, with expressions in braces.
type Sentence struct {
	raw   string
	parts []part
}

// part is words, or an expression to be filled in.
type part struct {
	words string
	expr  *Expr
}

// Raw gives the sentence as it was written.
func (s Sentence) Raw() string { return s.raw }

// Set tells whether there is a sentence.
func (s Sentence) Set() bool { return s.raw != "" }

// Text gives the sentence with its expressions filled in; what is not known
// reads `not entered`. A nil scope knows nothing.
func (s Sentence) Text(sc Scope) string {
	if len(s.parts) == 0 {
		return s.raw
	}
	var b strings.Builder
	for _, p := range s.parts {
		if p.expr == nil {
			b.WriteString(p.words)
			continue
		}
		b.WriteString(filledIn(p.expr, sc))
	}
	return b.String()
}

func filledIn(e *Expr, s Scope) string {
	if v, ok := e.Literal(); ok {
		return v.Text()
	}
	if s == nil {
		return notEntered
	}
	v, err := e.Eval(s)
	if err != nil {
		return notEntered
	}
	return v.Text()
}

// maxSentence bounds a sentence, in bytes.
const maxSentence = 4000

// compileSentence reads a sentence; expressions in braces are checked.
func compileSentence(sy *symbols, n *node, in place, c *complaints) Sentence {
	text := strings.TrimSpace(n.text)
	out := Sentence{raw: text}
	if len(text) > maxSentence {
		c.err("size", n.pos, "", "this sentence has more than %d characters", maxSentence)
		return out
	}
	rest := text
	for {
		words, after, found := strings.Cut(rest, "{")
		if !found {
			break
		}
		expr, tail, closed := strings.Cut(after, "}")
		if !closed {
			c.err("expression", n.pos, "Close it with `}`.", "a brace is opened in this sentence and not closed")
			return out
		}
		pos := n.pos
		pos.Column += len([]rune(text[:len(text)-len(after)]))
		e := compileExpr(sy, expr, pos, in, c)
		if e == nil {
			return out
		}
		if words != "" {
			out.parts = append(out.parts, part{words: words})
		}
		out.parts = append(out.parts, part{expr: e})
		rest = tail
	}
	if len(out.parts) > 0 && rest != "" {
		out.parts = append(out.parts, part{words: rest})
	}
	return out
}
