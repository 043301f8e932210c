package rulebook

import (
	"slices"
	"strconv"
	"strings"
)

// languageWords are the names that a book cannot give to a thing of its own:
// variables, functions, words of thresholds and of CEL.
func languageWords() []string {
	return []string{
		"person", "candidate", "candidates", "unit", "here", "office", "called", "cause", "freeze", "value", "at",
		"not", "holders", "next", "latest", "date", "parts", "size", "exists", "all", "filter", "span", "share", "money",
		"is", "since", "holds", "conflicted", "took_part", "count", "holder", "vacant", "present",
		"entitled", "papers", "cast", "seats", "picked", "support",
		"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
		"package", "namespace", "null", "return", "true", "var", "void", "while", "on", "off", "yes", "no", "now", "today",
	}
}

// collector fills the table of names before any expression is read.
type collector struct {
	sy   *symbols
	unit string // of a local book: the kind of its unit
	c    *complaints
	bans map[string]bool
}

func collect(root *node, sy *symbols, c *complaints) {
	k := &collector{sy: sy, c: c, bans: map[string]bool{}}
	if u := root.get("unit").all(); len(u) > 0 {
		k.unit = u[0].key
	}
	for _, w := range languageWords() {
		k.bans[w] = true
	}
	k.facts(root.get("facts"))
	for _, part := range []struct {
		key  string
		sort sortOf
	}{
		{"classes", aClass}, {"units", aUnit}, {"offices", anOffice}, {"bodies", aBody}, {"electorates", anElect},
		{"slots", aSlot}, {"events", anEvent}, {"sanctions", aSanction}, {"procedures", aProcedure},
	} {
		k.section(root.get(part.key), part.sort)
	}
	for _, n := range root.get("precedence").list() {
		if n.form == scalar {
			k.declare(n.text, n.pos, aDecision)
		}
	}
	for _, p := range root.get("procedures").all() {
		k.procedure(p)
	}
}

// all gives the pairs of a mapping, and none of anything else.
func (n *node) all() []pair {
	if n == nil || n.form != mapping {
		return nil
	}
	return n.pairs
}

// declare enters a name; it is refused where it is no name, a word of the
// language, or taken.
func (k *collector) declare(name string, pos Pos, s sortOf) {
	if !k.usable(name, pos) {
		return
	}
	if e, twice := k.sy.names[name]; twice {
		k.c.err("twice", pos, "Give one of the two another name.", "`%s` is already %s (%s)", name, e.sort.article(), e.where())
		return
	}
	k.sy.names[name] = entry{sort: s, pos: pos}
}

func (e entry) where() string {
	if e.outer {
		return "the outer rulebook"
	}
	return "line " + strconv.Itoa(e.pos.Line)
}

func (k *collector) usable(name string, pos Pos) bool {
	switch {
	case !isName(name):
		k.c.err("name", pos, "Write small letters, digits and `_`, and begin with a letter.", "`%s` cannot be a name", name)
		return false
	case k.bans[name]:
		k.c.err("name", pos, "Choose another name.", "`%s` is a word of the language", name)
		return false
	}
	return true
}

// isName tells whether a name is small letters, digits and _, beginning with
// a letter.
func isName(s string) bool {
	if s == "" || len(s) > 64 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		if b := s[i]; (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '_' {
			return false
		}
	}
	return true
}

func (k *collector) facts(n *node) {
	for _, of := range []FactOf{OfPerson, OfUnit, OfText} {
		for _, p := range n.get(string(of)).all() {
			if !k.usable(p.key, p.pos) {
				continue
			}
			is := p.val.text
			if p.val.form == mapping {
				is = ""
				if v := p.val.get("is"); v != nil {
					is = v.text
				}
			}
			k.sy.facts[of][p.key] = FactType(is)
		}
	}
}

func (k *collector) section(n *node, s sortOf) {
	for _, p := range n.all() {
		k.declare(p.key, p.pos, s)
		switch s {
		case anOffice, aBody:
			if per := p.val.get("per"); per != nil {
				k.sy.per[p.key] = per.text
			} else if k.unit != "" {
				k.sy.per[p.key] = k.unit
			}
		case aSlot:
			k.slot(p)
		}
	}
}

func (k *collector) slot(p pair) {
	if is := p.val.get("is"); is != nil {
		k.sy.slots[p.key] = SlotType(is.text)
		return
	}
	k.sy.slots[p.key] = SlotChoices
	k.sy.choices[p.key] = []string{}
	for _, c := range p.val.get("choices").list() {
		k.sy.choices[p.key] = append(k.sy.choices[p.key], c.text)
	}
}

func (k *collector) procedure(p pair) {
	sig := &procSig{name: p.key, node: p.val, in: k.unit}
	if in := p.val.get("in"); in != nil {
		sig.in = in.text
	}
	for _, f := range p.val.get("fills").list() {
		sig.fills = append(sig.fills, f.text)
	}
	for _, t := range p.val.get("takes").all() {
		if k.localName(t.key, t.pos, sig) {
			sig.takes = append(sig.takes, k.take(t))
		}
	}
	for _, s := range p.val.get("stages").list() {
		if n := s.get("stage"); n != nil && k.localName(n.text, n.pos, sig) {
			sig.stages = append(sig.stages, n.text)
			k.sy.results[p.key+"."+n.text] = possibleOutcomes(s)
		}
	}
	if _, twice := k.sy.procs[p.key]; !twice {
		k.sy.procs[p.key] = sig
	}
}

// localName checks the name of a stage or of something taken: it holds in its
// procedure, and means nothing else there.
func (k *collector) localName(name string, pos Pos, sig *procSig) bool {
	if !k.usable(name, pos) {
		return false
	}
	if e, ok := k.sy.names[name]; ok {
		k.c.err("twice", pos, "Give one of the two another name.", "`%s` is already %s (%s)", name, e.sort.article(), e.where())
		return false
	}
	taken := slices.Contains(sig.stages, name)
	for _, t := range sig.takes {
		taken = taken || t.Name == name
	}
	if taken {
		k.c.err("twice", pos, "Give one of the two another name.", "`%s` already stands in this procedure", name)
		return false
	}
	return true
}

// possibleOutcomes gives, before a stage is read, every outcome that it might
// have.
func possibleOutcomes(n *node) []string {
	out := []string{"inquorate", "doubted", "silence", "short", "enough", "carried", "lost", "elected", "drawn", "done"}
	options := n.get("options").list()
	if len(options) > 0 {
		out = []string{"inquorate", "silence"}
	}
	for _, o := range options {
		out = append(out, o.text)
	}
	return out
}

func (k *collector) take(t pair) Take {
	out := Take{Name: t.key, Pos: t.pos}
	if t.val.form == sequence {
		out.Is = TakeChoice
		for _, c := range t.val.items {
			out.Of2 = append(out.Of2, c.text)
		}
		return out
	}
	word := t.val.text
	switch TakeType(word) {
	case TakePerson, TakeWords, TakeNumber, TakeDate, TakeFlag, TakeClause:
		out.Is = TakeType(word)
		return out
	}
	out.Of = word
	switch k.sy.names[word].sort {
	case anOffice:
		out.Is = TakeOffice
	case aUnit:
		out.Is = TakeUnit
	case aDecision:
		out.Is = TakeText
	case aProcedure:
		out.Is = TakeRun
	default:
		out.Is = TakeWords
		known := append(k.sy.known(anOffice, aUnit, aDecision, aProcedure), "person", "words", "number", "date", "flag", "clause")
		if t.key == "text" && isName(word) {
			k.c.err("kind-of-decision", t.val.pos, orElse(didYouMean(word, known), "Add it to `precedence`, where it belongs in the order."), "`%s` is not in `precedence`", word)
			return out
		}
		k.c.err("dead", t.val.pos, capital(didYouMean(word, known)), "nothing that can be taken is called `%s`", word)
	}
	return out
}

func orElse(a, b string) string {
	if a != "" {
		return capital(a)
	}
	return b
}

// capital gives a sentence its first letter.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
