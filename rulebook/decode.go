package rulebook

import (
	"slices"
	"strconv"
	"strings"
)

// decoder reads the tree of a source into a Book, with all names known.
type decoder struct {
	c     *complaints
	sy    *symbols
	b     *Book
	forms map[string]keySet
	base  place

	proc  string                     // the procedure being read, or empty
	uses  map[string]map[string]bool // slot: procedures that use it
	used  map[string]bool            // names of the book that something refers to
	outer *Book                      // of a local book; its definitions are not checked again
}

func newDecoder(sy *symbols, b *Book, c *complaints) *decoder {
	return &decoder{c: c, sy: sy, b: b, forms: forms(),
		base: place{vars: sy.variables(), choices: sy.choices},
		uses: map[string]map[string]bool{}, used: map[string]bool{}}
}

// keys checks that n is a mapping with the keys of a form; ok is false where
// it cannot be read at all.
func (d *decoder) keys(n *node, form, what string) bool {
	f := d.forms[form]
	if n == nil || n.form != mapping {
		d.c.err("type", n.where(), d.formRemedy(n, f), "%s is written as keys and values; this is %s", what, n)
		return false
	}
	var known []string
	for _, k := range f.keys {
		known = append(known, k.name)
	}
	for _, p := range n.pairs {
		if !slices.Contains(known, p.key) {
			remedy := capital(didYouMean(p.key, known))
			if remedy == "" {
				remedy = "It can have " + strings.Join(known, ", ") + "."
			}
			d.c.err("unknown-key", p.pos, remedy, "%s has no `%s`", what, p.key)
		}
	}
	for _, k := range f.keys {
		if v := n.get(k.name); k.must && (v == nil || v.empty()) {
			d.c.err("missing", n.where(), "Add `"+k.name+"`: "+k.says+".", "%s needs `%s`", what, k.name)
		}
	}
	return true
}

// formRemedy says how a value that was written as words is written as keys
// and values.
func (d *decoder) formRemedy(n *node, f keySet) string {
	if n == nil || n.form != scalar || len(f.keys) == 0 {
		return ""
	}
	key, value, _ := strings.Cut(strings.TrimSpace(n.text), " ")
	for _, k := range f.keys {
		if k.name == key && value != "" {
			return "Write `{" + key + ": " + value + "}`."
		}
	}
	var names []string
	for _, k := range f.keys {
		names = append(names, k.name)
	}
	return "Write `{KEY: VALUE}`; a key is " + sentenceList(names, "or") + "."
}

func (n *node) where() Pos {
	if n == nil {
		return Pos{1, 1}
	}
	return n.pos
}

// str reads a scalar.
func (d *decoder) str(n *node, what string) string {
	if n == nil {
		return ""
	}
	if n.form != scalar {
		d.c.err("type", n.pos, "", "%s is one value; this is %s", what, n)
		return ""
	}
	return strings.TrimSpace(n.text)
}

// yesNo reads true or false.
func (d *decoder) yesNo(n *node, otherwise bool) bool {
	if n == nil {
		return otherwise
	}
	switch n.text {
	case "true":
		return true
	case "false":
		return false
	}
	d.c.err("type", n.pos, "Write true or false.", "this is true or false; it is %s", n)
	return otherwise
}

// ref reads the name of something of the book that is of one of the sorts.
func (d *decoder) ref(n *node, key string, sorts ...sortOf) string {
	name := d.str(n, "`"+key+"`")
	if name == "" {
		return ""
	}
	e, ok := d.sy.names[name]
	if ok && slices.Contains(sorts, e.sort) {
		d.used[name] = true
		return name
	}
	var want []string
	for _, s := range sorts {
		want = append(want, s.article())
	}
	if ok {
		d.c.err("dead", n.pos, "", "`%s` needs %s; `%s` is %s", key, strings.Join(want, " or "), name, e.sort.article())
		return ""
	}
	d.dead(n.pos, name, d.sy.known(sorts...))
	return ""
}

func (d *decoder) dead(pos Pos, name string, known []string) {
	remedy := capital(didYouMean(name, known))
	if remedy == "" {
		remedy = "Define it, or name something that is defined."
		if len(known) > 0 && len(known) <= 12 {
			remedy = "There is " + strings.Join(known, ", ") + "."
		}
	}
	d.c.err("dead", pos, remedy, "nothing is called `%s`", name)
}

// word reads one of a few words.
func (d *decoder) word(n *node, key string, allowed ...string) string {
	w := d.str(n, "`"+key+"`")
	if w == "" || slices.Contains(allowed, w) {
		return w
	}
	d.badWord(n.pos, key, w, allowed)
	return ""
}

func (d *decoder) badWord(pos Pos, key, w string, allowed []string) {
	remedy := "Write " + sentenceList(allowed, "or") + "."
	if hint := didYouMean(w, allowed); hint != "" {
		remedy = capital(hint)
	} else if part := partOf(w, allowed); part != "" {
		remedy = "Did you mean `" + part + "`?"
	}
	d.c.err("word", pos, remedy, "`%s` cannot be `%s`", key, w)
}

// partOf gives the one of the words that another is a part of: stv, of
// scottish-stv; "" where there are several, or none.
func partOf(w string, allowed []string) string {
	found := ""
	for _, a := range allowed {
		if !slices.Contains(strings.Split(a, "-"), w) {
			continue
		}
		if found != "" {
			return ""
		}
		found = a
	}
	return found
}

// named reads what every definition has.
func (d *decoder) named(name string, pos Pos, n *node, in place) Named {
	out := Named{Name: name, Pos: pos}
	if n == nil {
		return out
	}
	if n.form == scalar {
		if !n.empty() {
			out.Says = d.sentence(n, in)
		}
		return out
	}
	out.Says = d.sentence(n.get("says"), in)
	out.Cite = d.cite(n)
	return out
}

func (d *decoder) sentence(n *node, in place) Sentence {
	if n == nil {
		return Sentence{}
	}
	if n.form != scalar {
		d.c.err("type", n.pos, "Put the sentence into double quotes.", "a sentence is wanted; this is %s", n)
		return Sentence{}
	}
	s := compileSentence(d.sy, n, in, d.c)
	for _, p := range s.parts {
		if p.expr != nil {
			d.note(p.expr)
		}
	}
	return s
}

// cite reads the clause of a definition and checks that there is one.
func (d *decoder) cite(n *node) string {
	c := n.get("cite")
	if c == nil {
		return ""
	}
	number := d.str(c, "`cite`")
	if len(d.b.Clauses) == 0 || number == "" {
		return number
	}
	if _, ok := d.b.Clause(number); !ok {
		var known []string
		for _, k := range d.b.Clauses {
			known = append(known, k.Number)
		}
		d.c.err("clause", c.pos, orElse(didYouMean(number, known), "Add its text under `clauses`."), "there is no clause %s under `clauses`", number)
	}
	return number
}

// note remembers an expression and the slots it uses.
func (d *decoder) note(e *Expr) {
	if e == nil {
		return
	}
	for _, n := range e.names {
		d.use(n)
	}
	for _, n := range e.known {
		d.used[n] = true
	}
}

func (d *decoder) use(name string) {
	d.used[name] = true
	if d.sy.is(name, aSlot) {
		if d.uses[name] == nil {
			d.uses[name] = map[string]bool{}
		}
		d.uses[name][d.proc] = true
	}
}

// expr reads a value that has to be of one of the kinds: a literal, the name
// of a slot, or an expression.
func (d *decoder) expr(n *node, key string, in place, want ...kind) *Expr {
	if n == nil || n.empty() {
		return nil
	}
	if n.form != scalar {
		d.c.err("type", n.pos, "", "`%s` needs %s; this is %s", key, kindsText(want), n)
		return nil
	}
	text := strings.TrimSpace(strings.ReplaceAll(n.text, "\u00a0", " ")) // as word processors write 14 days
	if e := d.written(text, n.pos, want); e != nil {
		return e
	}
	if slices.Contains(want, kSpan) && d.notASpan(text, n.pos) {
		return nil
	}
	if figure := inFigures(text); figure != "" && (slices.Contains(want, kNumber) || slices.Contains(want, kShare)) && !d.sy.is(text, aSlot) {
		d.c.err("amount", n.pos, "Write `"+figure+"`.", "`%s` is written in words", text)
		return nil
	}
	pos := n.pos
	if n.quoted {
		pos.Column++ // the expression begins after the quote
	}
	e := compileExpr(d.sy, text, pos, in, d.c)
	if e == nil {
		return nil
	}
	d.note(e)
	if !slices.Contains(want, e.typ.k) {
		d.c.err("type", n.pos, typeRemedy(key, text, e.typ.k, want), "%q gives %s; `%s` needs %s", text, e.typ, key, kindsText(want))
		return nil
	}
	return e
}

// written reads the literals that are no expressions: a date, and a share
// written as a fraction.
func (d *decoder) written(text string, pos Pos, want []kind) *Expr {
	if slices.Contains(want, kMoment) {
		if m, ok := parseMoment(text, d.sy.cal); ok {
			return literalExpr(text, pos, typ{k: kMoment}, Value{Moment: m})
		}
	}
	if slices.Contains(want, kShare) {
		if r, ok := parseShare(text); ok {
			return literalExpr(text, pos, typ{k: kShare}, Value{Number: r})
		}
	}
	return nil
}

// notASpan reports a number with a unit of time that there is not.
func (d *decoder) notASpan(text string, pos Pos) bool {
	if back, minus := strings.CutPrefix(text, "-"); minus {
		if _, ok := parseSpan(strings.TrimSpace(back)); ok {
			d.c.err("span", pos, "Write it without a minus; what lies before a moment is written `called - "+back+"`.", "a length of time cannot be less than nothing")
			return true
		}
	}
	if whole := spelledOut(text); whole != "" {
		d.c.err("span", pos, "Write `"+whole+"`.", "`%s` is no length of time", text)
		return true
	}
	number, unit, ok := strings.Cut(text, " ")
	if !ok || unit == "" {
		return false
	}
	if !digits(number) {
		if figure := inFigures(number); figure != "" {
			d.c.err("span", pos, "Write `"+figure+" "+unit+"`.", "`%s` is written in words", text)
			return true
		}
		return false
	}
	for _, r := range unit {
		if r != ' ' && (r < 'a' || r > 'z') {
			return false
		}
	}
	if _, good := parseSpan(text); good {
		return false
	}
	d.c.err("span", pos, "Write hours, days, working days, weeks, months or years.", "`%s` is no length of time", text)
	return true
}

// spelledOut gives 14 days for 14d and 14days; "" for anything else.
func spelledOut(text string) string {
	unit := strings.TrimLeft(text, "0123456789")
	number := strings.TrimSuffix(text, unit)
	if number == "" {
		return ""
	}
	switch unit {
	case "h", "d", "w", "m", "y":
		unit = map[string]string{"h": "hours", "d": "days", "w": "weeks", "m": "months", "y": "years"}[unit]
	case "hour", "hours", "day", "days", "week", "weeks", "month", "months", "year", "years":
	default:
		return ""
	}
	return number + " " + unit
}

// inFigures gives the figure for an amount in words, where people are apt to
// write one; "" for anything else.
func inFigures(word string) string {
	switch strings.ReplaceAll(word, " ", "") {
	case "half", "ahalf", "onehalf":
		return "1/2"
	case "third", "athird", "onethird":
		return "1/3"
	case "twothirds", "two-thirds":
		return "2/3"
	case "threequarters", "three-quarters":
		return "3/4"
	case "quarter", "aquarter":
		return "1/4"
	case "tenth", "atenth":
		return "1/10"
	}
	for i, w := range []string{"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"} {
		if w == word {
			return strconv.Itoa(i + 1)
		}
	}
	return ""
}

func kindsText(want []kind) string {
	var parts []string
	for _, k := range want {
		parts = append(parts, typ{k: k}.String())
	}
	return sentenceList(parts, "or")
}

func typeRemedy(key, text string, got kind, want []kind) string {
	if got == kSpan && slices.Contains(want, kMoment) {
		return "Say from when, as in `" + key + ": called + " + text + "`."
	}
	switch {
	case got == kMoment && slices.Contains(want, kSpan):
		return "Say how long, as in `14 days`."
	case got == kNumber && slices.Contains(want, kSpan):
		return "Say of what, as in `" + text + " days`, weeks, months or years."
	}
	return ""
}

// choice reads one of a few words, or a slot whose choices are among them.
func (d *decoder) choice(n *node, key string, allowed []string) *Expr {
	text := d.str(n, "`"+key+"`")
	if text == "" {
		return nil
	}
	if slices.Contains(allowed, text) {
		return literalExpr(text, n.pos, typ{k: kWords}, Value{Words: text})
	}
	if !d.sy.is(text, aSlot) {
		d.badWord(n.pos, key, text, append(slices.Clone(allowed), d.slotsWithin(allowed)...))
		return nil
	}
	choices := d.sy.choices[text]
	if choices == nil {
		d.c.err("type", n.pos, "", "`%s` is %s; `%s` needs a choice", text, typ{k: slotKind(d.sy.slots[text])}, key)
		return nil
	}
	for _, ch := range choices {
		if !slices.Contains(allowed, ch) {
			d.c.err("word", n.pos, "Its choices have to be among "+strings.Join(allowed, ", ")+".", "the slot `%s` can be `%s`, which `%s` cannot", text, ch, key)
			return nil
		}
	}
	e := compileExpr(d.sy, text, n.pos, d.base, d.c)
	d.note(e)
	return e
}

// slotsWithin gives the slots all of whose choices are among some words.
func (d *decoder) slotsWithin(allowed []string) []string {
	var out []string
	for _, s := range d.sy.known(aSlot) {
		fits := len(d.sy.choices[s]) > 0
		for _, c := range d.sy.choices[s] {
			fits = fits && slices.Contains(allowed, c)
		}
		if fits {
			out = append(out, s)
		}
	}
	return out
}

// texts reads a list of names.
func (d *decoder) texts(n *node, what string) []string {
	var out []string
	for _, i := range n.list() {
		if s := d.str(i, what); s != "" {
			out = append(out, s)
		}
	}
	return out
}
