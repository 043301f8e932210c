package rulebook

import (
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// speaker puts a book into words. What it has no words for it quotes as it is
// written: an explanation never says less than the rule.
type speaker struct {
	b        *Book
	outerToo bool // of a local book: speak of what is the outer one's too
}

// spaced gives a name as words: parliamentary_party, parliamentary party. A
// name without vowels is an abbreviation: mp, MP.
func spaced(name string) string {
	if len(name) <= 3 && !strings.ContainsAny(name, "aeiouy_") {
		return strings.ToUpper(name)
	}
	return strings.ReplaceAll(name, "_", " ")
}

// plural gives the plural of a name.
func plural(name string) string {
	s := spaced(name)
	switch {
	case strings.HasSuffix(s, "ed"), strings.HasSuffix(s, "s"), strings.HasSuffix(s, "people"):
		return s
	case strings.HasSuffix(s, "y") && !strings.HasSuffix(s, "ay") && !strings.HasSuffix(s, "ey"):
		return s[:len(s)-1] + "ies"
	case strings.HasSuffix(s, "ch"), strings.HasSuffix(s, "sh"), strings.HasSuffix(s, "x"):
		return s + "es"
	}
	return s + "s"
}

// the gives a Who as the subject of a sentence that acts as one.
func (s *speaker) the(w *Who) string {
	if w == nil {
		return "nobody"
	}
	switch w.Kind {
	case WhoAny:
		var parts []string
		for i := range w.Any {
			parts = append(parts, s.the(&w.Any[i]))
		}
		return sentenceList(parts, "or")
	case WhoSlot:
		var parts []string
		for i := range w.Any {
			parts = append(parts, s.the(&w.Any[i]))
		}
		return sentenceList(parts, "or") + " (as decided under “" + spaced(w.Name) + "”)"
	case WhoPerson:
		return "the " + spaced(strings.TrimPrefix(w.Name, "decision."))
	case WhoClass, WhoElectorate:
		return s.people(w)
	}
	return "the " + spaced(w.Name)
}

// people gives a Who as those who vote, stand or are counted.
func (s *speaker) people(w *Who) string {
	if w == nil {
		return "anybody"
	}
	switch w.Kind {
	case WhoAny:
		var parts []string
		for i := range w.Any {
			parts = append(parts, s.people(&w.Any[i]))
		}
		return sentenceList(parts, "or")
	case WhoSlot:
		return s.the(w)
	case WhoClass:
		if strings.HasSuffix(w.Name, "ed") {
			return "the " + spaced(w.Name)
		}
		return plural(w.Name)
	case WhoOffice, WhoUnit:
		return plural(w.Name)
	case WhoBody:
		return "members of the " + spaced(w.Name)
	}
	return "the " + spaced(w.Name)
}

// value puts an expression, literal or slot into words.
func (s *speaker) value(e *Expr) string {
	if e == nil {
		return ""
	}
	if v, ok := e.Literal(); ok {
		return s.literal(e, v)
	}
	if e.tree == nil {
		return e.src
	}
	if w, ok := s.tree(e.tree); ok {
		return w
	}
	return "`" + e.src + "`"
}

// literal gives a constant as it was written: 28 days, not four weeks.
func (s *speaker) literal(e *Expr, v Value) string {
	switch v.Type {
	case TypeWords:
		return spaced(v.Words)
	case TypeMoment, TypeFlag:
		return v.Text()
	}
	return e.src
}

// sentence gives a sentence with its expressions in words; what differs from
// person to person is left open.
func (s *speaker) sentence(x Sentence) string {
	if len(x.parts) == 0 {
		return x.raw
	}
	var b strings.Builder
	for _, p := range x.parts {
		switch {
		case p.expr == nil:
			b.WriteString(p.words)
		case len(p.expr.facts) > 0:
			b.WriteString("…")
		case p.expr.src == "freeze" && strings.HasSuffix(b.String(), "the freeze date, "):
			return strings.TrimSuffix(b.String(), ", ")
		default:
			b.WriteString(s.value(p.expr))
		}
	}
	return b.String()
}

// tree puts a parsed expression into words; ok is false where there are none.
func (s *speaker) tree(e ast.Expr) (string, bool) {
	switch e.Kind() {
	case ast.LiteralKind:
		return s.constant(e)
	case ast.IdentKind:
		return s.ident(e.AsIdent()), true
	case ast.SelectKind:
		return s.selected(e)
	case ast.CallKind:
		return s.call(e)
	}
	return "", false
}

func (s *speaker) constant(e ast.Expr) (string, bool) {
	switch v := e.AsLiteral().Value().(type) {
	case string:
		return "“" + v + "”", true
	case int64:
		return numberText(num{i: v}.rat()), true
	case bool:
		if v {
			return "always", true
		}
		return "never", true
	}
	return "", false
}

func (s *speaker) ident(name string) string {
	switch name {
	case "called":
		return "the call"
	case "freeze":
		return "the freeze date"
	case "value":
		return "it"
	case "cause":
		return "the cause"
	case "here":
		return "this unit"
	case "office":
		return "the office"
	case "candidates":
		return "the candidates"
	case "person", "candidate", "unit":
		return "the " + name
	case "at":
		return "the day in question"
	}
	if s.b.Slot(name) != nil {
		return "the “" + spaced(name) + "”"
	}
	return "the " + spaced(name)
}

func (s *speaker) selected(e ast.Expr) (string, bool) {
	sel := e.AsSelect()
	of, ok := s.tree(sel.Operand())
	if !ok {
		return "", false
	}
	of = strings.TrimPrefix(of, "the ")
	switch sel.FieldName() {
	case "closed":
		return "the end of “" + of + "”", true
	case "opened":
		return "the opening of “" + of + "”", true
	case "ended":
		return "the end of the last “" + of + "”", true
	case "outcome":
		return "the outcome of “" + of + "”", true
	case "called":
		return "the call of “" + of + "”", true
	case "last_decided":
		return "the last decision on the same question", true
	}
	named := "the " + of
	if of == "this unit" {
		named = of
	}
	if f := s.b.Fact(OfPerson, sel.FieldName()); f != nil && f.Is == FactFlag && s.b.Fact(OfUnit, sel.FieldName()) == nil {
		return named + " is marked “" + spaced(f.Name) + "”", true
	}
	if f := s.b.Fact(OfUnit, sel.FieldName()); f != nil && f.Is == FactFlag {
		return named + " is marked “" + spaced(f.Name) + "”", true
	}
	return named + "'s " + spaced(sel.FieldName()), true
}

// pair puts the two sides of an operator into words.
func (s *speaker) pair(e ast.Expr) (a, b string, ok bool) {
	args := e.AsCall().Args()
	if len(args) != 2 {
		return "", "", false
	}
	a, ok = s.tree(args[0])
	if !ok {
		return "", "", false
	}
	b, ok = s.tree(args[1])
	return a, b, ok
}

func (s *speaker) call(e ast.Expr) (string, bool) {
	k := e.AsCall()
	name := k.FunctionName()
	if join, ok := joiners()[name]; ok {
		a, b, ok := s.pair(e)
		return a + join + b, ok
	}
	switch name {
	case operators.Add, operators.Subtract:
		return s.sum(e, name == operators.Subtract)
	case "not", operators.LogicalNot:
		return s.negated(e)
	case "span", "share", "money", "date":
		return s.writtenOut(k)
	case "next":
		if a, ok := s.tree(k.Args()[0]); ok {
			return "the next " + strings.TrimPrefix(a, "the "), true
		}
	case "latest":
		if m, ok := s.tree(k.Args()[1]); ok {
			return "the last " + strings.Trim(mustWord(k.Args()[0]), "“”") + " not after " + m, true
		}
	case "holders":
		if a, ok := s.tree(k.Args()[0]); ok {
			return whoeverHolds(a), true
		}
	}
	switch {
	case k.IsMemberFunction() && name == "count" && len(k.Args()) == 2:
		return s.countAt(k)
	case k.IsMemberFunction() && (name == "exists" || name == "all") && len(k.Args()) == 2:
		return s.each(k)
	case k.IsMemberFunction() && name == "filter" && len(k.Args()) == 2:
		return s.filtered(k)
	case name == "parts" && len(k.Args()) == 2:
		return s.parts(k)
	}
	if k.IsMemberFunction() && len(k.Args()) == 1 {
		return s.member(k)
	}
	if k.IsMemberFunction() && name == "size" {
		of, ok := s.tree(k.Target())
		if office, holders := strings.CutPrefix(of, "whoever holds "); holders {
			return "the number of people who hold " + office, ok
		}
		return "the number of " + of, ok
	}
	return "", false
}

func whoeverHolds(office string) string {
	if office == "the office" {
		return "whoever holds the office"
	}
	return "whoever holds the office of " + strings.TrimPrefix(office, "the ")
}

// each reads candidates.exists(c, …) as "one of the candidates …".
func (s *speaker) each(k ast.CallExpr) (string, bool) {
	of, ok := s.tree(k.Target())
	if !ok || k.Args()[0].Kind() != ast.IdentKind {
		return "", false
	}
	body, ok := s.tree(k.Args()[1])
	who := "one of "
	if k.FunctionName() == "all" {
		who = "every one of "
	}
	return strings.ReplaceAll(body, "the "+spaced(k.Args()[0].AsIdent())+" ", who+of+" "), ok
}

// filtered reads candidates.filter(c, c.woman) as "those of the candidates of
// whom it holds that they are marked “woman”".
func (s *speaker) filtered(k ast.CallExpr) (string, bool) {
	of, ok := s.tree(k.Target())
	if !ok || k.Args()[0].Kind() != ast.IdentKind {
		return "", false
	}
	body, ok := s.tree(k.Args()[1])
	one := "the " + spaced(k.Args()[0].AsIdent()) + " "
	holds := strings.ReplaceAll(body, one+"is ", "they are ")
	return "those of " + of + " of whom it holds that " + holds, ok && !strings.Contains(holds, one)
}

// parts reads parts(250, n) as "one for every 250, or part of 250, in n".
func (s *speaker) parts(k ast.CallExpr) (string, bool) {
	size, ok := s.tree(k.Args()[0])
	if !ok {
		return "", false
	}
	n, ok := s.tree(k.Args()[1])
	return "one for every " + size + ", or part of " + size + ", in " + n, ok
}

func (s *speaker) countAt(k ast.CallExpr) (string, bool) {
	of, ok := s.tree(k.Target())
	if !ok {
		return "", false
	}
	class, ok := s.tree(k.Args()[0])
	if !ok {
		return "", false
	}
	at, ok := s.tree(k.Args()[1])
	return "the number of " + plural(strings.TrimPrefix(class, "the ")) + " in " + of + " on " + at, ok
}

// joiners gives the words between the two sides of an operator.
func joiners() map[string]string {
	return map[string]string{
		operators.LogicalAnd: " and ", operators.LogicalOr: " or ",
		operators.Equals: " is ", operators.NotEquals: " is not ",
		operators.GreaterEquals: " is at least ", operators.LessEquals: " is at most ",
		operators.Greater: " is more than ", operators.Less: " is less than ",
		operators.Multiply: " times ", operators.Divide: " divided by ",
	}
}

func mustWord(e ast.Expr) string {
	if e.Kind() == ast.LiteralKind {
		if v, ok := e.AsLiteral().Value().(string); ok {
			return v
		}
	}
	return ""
}

// sum reads a moment and a span as `14 days after the call`, and numbers as a
// sum.
func (s *speaker) sum(e ast.Expr, minus bool) (string, bool) {
	a, b, ok := s.pair(e)
	if !ok {
		return "", false
	}
	right := e.AsCall().Args()[1]
	isSpan := right.Kind() == ast.CallKind && right.AsCall().FunctionName() == "span"
	if right.Kind() == ast.IdentKind {
		if sl := s.b.Slot(right.AsIdent()); sl != nil && sl.Is == SlotSpan {
			isSpan = true
		}
	}
	switch {
	case isSpan && minus:
		return b + " before " + a, true
	case isSpan:
		return b + " after " + a, true
	case minus:
		return a + " less " + b, true
	}
	return a + " plus " + b, true
}

func (s *speaker) negated(e ast.Expr) (string, bool) {
	a := e.AsCall().Args()[0]
	w, ok := s.tree(a)
	if !ok {
		return "", false
	}
	for _, x := range [][2]string{
		{" is marked ", " is not marked "}, {" has a conflict of interest ", " has no conflict of interest "}, {" took part in ", " took no part in "},
		{" is vacant", " is not vacant"}, {" holds the office ", " does not hold the office "}, {" is of the class ", " is not of the class "},
	} {
		if strings.Count(w, x[0]) == 1 && !strings.Contains(w, " and ") && !strings.Contains(w, " or ") {
			return strings.Replace(w, x[0], x[1], 1), true
		}
	}
	return "it is not so that " + w, true
}

func (s *speaker) writtenOut(k ast.CallExpr) (string, bool) {
	text := mustWord(k.Args()[0])
	if k.FunctionName() == "date" {
		m, ok := parseMoment(text, s.b.Calendar())
		return m.String(), ok
	}
	return text, text != ""
}

// member reads what is asked of a person or unit.
func (s *speaker) member(k ast.CallExpr) (string, bool) {
	of, ok := s.tree(k.Target())
	if !ok {
		return "", false
	}
	arg, ok := s.tree(k.Args()[0])
	if !ok {
		return "", false
	}
	bare := strings.TrimPrefix(arg, "the ")
	switch k.FunctionName() {
	case "is":
		return of + " is of the class " + bare, true
	case "since":
		return "the day since when " + of + " is of the class " + bare, true
	case "holds":
		return of + " holds the office of " + bare, true
	case "unit":
		return of + "'s " + bare, true
	case "conflicted":
		return of + " has a conflict of interest with " + arg, true
	case "took_part":
		return of + " took part in " + arg, true
	case "count":
		return "the number of " + plural(bare) + " in " + of, true
	case "holder", "holders":
		return whoeverHolds(arg) + " in " + of, true
	case "vacant":
		return "the office of " + bare + " is vacant in " + of, true
	case "present":
		return "the number of " + plural(bare) + " present from " + of, true
	}
	return "", false
}
