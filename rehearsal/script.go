package rehearsal

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// Bounds of what a script can ask for.
const (
	maxPeople = 2_000_000
	maxUnits  = 50_000
	maxSteps  = 2_000
	maxYears  = 100
)

// Script is one rehearsal, as it was read. It is not changed by being run.
type Script struct {
	File  string
	Line  int
	Title string
	Says  string // what it is about, in a sentence; may be empty

	rulebook scalarAt
	change   *node // PATH: VALUE, nil if nothing is changed
	begin    When
	byHand   []string // what the runner is not to do by itself
	units    []unitLine
	people   []personLine
	steps    []step
	expect   []expectation
}

// scalarAt is a value and where it stands.
type scalarAt struct {
	text string
	pos  pos
}

// unitLine opens units of a kind: one, or `make` of them with numbers.
type unitLine struct {
	kind, named scalarAt
	make        int
	in          []reference
	facts       []pair
	pos         pos
}

// personLine enters people: one, or `make` of them with numbers; with `also`
// it says more of people who are there already.
type personLine struct {
	named, also scalarAt
	make        int
	class       []scalarAt
	since       *span
	until       *When
	in          []reference
	holds       []scalarAt
	under       scalarAt    // a sanction, from now on
	loses       scalarAt    // an office
	leaves      scalarAt    // a class
	freed       scalarAt    // of a sanction
	conflicted  []reference // with whom there is a conflict of interest
	facts       []pair
	pos         pos
}

// span is a moment, or two of them between which things are spread evenly.
type span struct{ from, to When }

// reference names people, units, an office or a body: `Ann`, or `MP 2..52`.
// From and to are 0 where no numbers are given.
type reference struct {
	text     string
	base     string
	from, to int
	pos      pos
}

// Read reads a file of rehearsals. The error is Problems.
func Read(file string, src []byte) ([]*Script, error) {
	c := &complaints{file: file}
	if len(src) > maxFile {
		c.err(pos{1, 1}, "Split it.", "this file has %d bytes; a file of rehearsals has at most %d", len(src), maxFile)
		return nil, c.list
	}
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	docs, lines := documents(src)
	if len(docs) > maxDocuments {
		c.err(pos{1, 1}, "Split it.", "this file holds %d rehearsals; a file has at most %d", len(docs), maxDocuments)
		return nil, c.list
	}
	var out []*Script
	for i, d := range docs {
		if blank(d) {
			continue
		}
		if root := readTree(d, lines[i], c); root != nil && len(c.list) < maxProblems {
			out = append(out, decode(root, c))
		}
	}
	if len(out) == 0 && len(c.list) == 0 {
		c.err(pos{1, 1}, "Begin with `rehearsal: ` and a title.", "there is no rehearsal in this file")
	}
	if len(c.list) > 0 {
		return nil, c.list
	}
	return out, nil
}

// decode turns a tree into a script, complaining of whatever cannot be meant.
func decode(root *node, c *complaints) *Script {
	s := &Script{File: c.file, Line: root.pos.line}
	if root.form != mapping {
		c.err(root.pos, "Begin with `rehearsal: ` and a title.", "a rehearsal is a list of keys and values")
		return s
	}
	c.keys(root, "a rehearsal", []string{"rehearsal", "says", "rulebook", "change", "begin", "by_hand", "units", "people", "steps", "expect"})
	s.Title = c.needed(root, "rehearsal", "a rehearsal", "its title").text
	s.Says = c.text(root, "says").text
	s.rulebook = c.needed(root, "rulebook", "a rehearsal", "the name of a shipped rulebook, or a file")
	if n := root.get("change"); n != nil {
		if n.form != mapping || len(n.pairs) == 0 {
			c.err(n.pos, "Write each change as `PATH: VALUE`.", "`change` lists what is different in the rulebook")
		} else {
			s.change = n
		}
	}
	if b := c.needed(root, "begin", "a rehearsal", "the day on which it begins"); b.text != "" {
		s.begin = c.when(b)
		if s.begin.after != "" {
			c.err(b.pos, "", "`begin` is a day, not a length of time")
		}
	}
	for _, x := range c.texts(root, "by_hand") {
		if !slices.Contains(byHandWords(), x.text) {
			c.err(x.pos, "Leave it out, or write `by_hand: close`.", "`%s` is not something the rehearsal does by itself%s", x.text, didYouMean(x.text, byHandWords()))
		}
		s.byHand = append(s.byHand, x.text)
	}
	s.units, s.people = c.units(root.get("units")), c.people(root.get("people"))
	c.crowd(s)
	for i, n := range root.get("steps").list() {
		if i == maxSteps {
			c.err(n.pos, "Split it into several rehearsals.", "a rehearsal has at most %d steps", maxSteps)
			break
		}
		s.steps = append(s.steps, c.step(n))
	}
	s.expect = c.expectations(root.get("expect"))
	return s
}

// byHandWords are what can be kept from happening by itself.
func byHandWords() []string { return []string{"close"} }

// crowd bounds how many there are altogether.
func (c *complaints) crowd(s *Script) {
	people, units := 0, 0
	for _, p := range s.people {
		people += p.make
	}
	for _, u := range s.units {
		units += u.make
	}
	if people > maxPeople {
		c.err(pos{s.Line, 1}, "", "this rehearsal has %d people; it can have %d", people, maxPeople)
	}
	if units > maxUnits {
		c.err(pos{s.Line, 1}, "", "this rehearsal has %d units; it can have %d", units, maxUnits)
	}
}

// keys complains of keys that a form does not have.
func (c *complaints) keys(n *node, what string, known []string) {
	if n.form != mapping {
		c.err(n.pos, "It has "+strings.Join(known, ", ")+".", "%s is a list of keys and values", what)
		return
	}
	for _, p := range n.pairs {
		if !slices.Contains(known, p.key) {
			c.err(p.pos, "It has "+strings.Join(known, ", ")+".", "%s has no `%s`%s", what, p.key, didYouMean(p.key, known))
		}
	}
}

// text gives a key's value as it was written; empty where there is none.
func (c *complaints) text(n *node, key string) scalarAt {
	v := n.get(key)
	if v == nil {
		return scalarAt{pos: n.pos}
	}
	if v.form != scalar {
		c.err(v.pos, "", "`%s` is one value", key)
	}
	return scalarAt{v.text, v.pos}
}

// needed is text that has to be there.
func (c *complaints) needed(n *node, key, what, hint string) scalarAt {
	t := c.text(n, key)
	if t.text == "" {
		c.err(n.pos, "It is "+hint+".", "%s needs `%s`", what, key)
	}
	return t
}

// texts gives a key's values: a list, or one.
func (c *complaints) texts(n *node, key string) []scalarAt {
	var out []scalarAt
	for _, v := range n.get(key).list() {
		if v.form != scalar {
			c.err(v.pos, "", "`%s` lists words", key)
			continue
		}
		out = append(out, scalarAt{v.text, v.pos})
	}
	return out
}

// count reads a number of at least one; 1 where the key is not there.
func (c *complaints) count(n *node, key string, most int) int {
	t := c.text(n, key)
	if t.text == "" {
		return 1
	}
	k, err := strconv.Atoi(strings.ReplaceAll(t.text, "_", ""))
	if err != nil || k < 1 || k > most {
		c.err(t.pos, "", "`%s` is a number from 1 to %d, not %q", key, most, t.text)
		return 1
	}
	return k
}

// references reads whom a key names: a list, or names with commas.
func (c *complaints) references(n *node) []reference {
	var out []reference
	for _, v := range n.list() {
		if v.form != scalar {
			c.err(v.pos, "", "this names people or units: `Ann`, or `MP 2..52`, or a list of such names")
			continue
		}
		for _, part := range strings.Split(v.text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, c.reference(part, v.pos))
			}
		}
	}
	return out
}

// reference reads `MP 2..52`, `MP 7` or `Ann`.
func (c *complaints) reference(s string, at pos) reference {
	r := reference{text: s, base: s, pos: at}
	cut := strings.LastIndexByte(s, ' ')
	if cut < 0 {
		return r
	}
	from, to, isRange := strings.Cut(s[cut+1:], "..")
	a, err := strconv.Atoi(from)
	if err != nil || a < 1 {
		return r
	}
	b := a
	if isRange {
		if b, err = strconv.Atoi(to); err != nil {
			return r
		}
	}
	if b < a || b > maxPeople {
		c.err(at, "Write the smaller number first, as in `MP 2..52`.", "%q names nobody", s)
		return r
	}
	r.base, r.from, r.to = s[:cut], a, b
	return r
}

func (c *complaints) units(n *node) []unitLine {
	var out []unitLine
	for _, x := range n.list() {
		u := unitLine{pos: x.pos}
		if x.form != mapping {
			c.err(x.pos, "Write it as in `{kind: branch, named: Branch, make: 9, in: Northtown}`.", "this is no unit")
			continue
		}
		u.kind = c.needed(x, "kind", "a unit", "a kind of unit of the rulebook")
		u.named = c.needed(x, "named", "a unit", "its name, or the beginning of the names of several")
		u.make, u.in = c.count(x, "make", maxUnits), c.references(x.get("in"))
		u.facts = rest(x, "kind", "named", "make", "in")
		if x.get("make") == nil {
			u.make = 1
		}
		out = append(out, u)
	}
	return out
}

func (c *complaints) people(n *node) []personLine {
	var out []personLine
	for _, x := range n.list() {
		if x.form != mapping {
			c.err(x.pos, "Write it as in `{named: Member, make: 30, class: member, since: 2020-01-01}`.", "this is nobody")
			continue
		}
		p := personLine{pos: x.pos, named: c.text(x, "named"), also: c.text(x, "also")}
		if p.named.text == "" && p.also.text == "" {
			c.err(x.pos, "Name somebody, or say more of somebody with `also: MP 1`.", "a line of people needs `named` or `also`")
		}
		p.make = c.count(x, "make", maxPeople)
		if p.also.text != "" {
			if x.get("make") != nil {
				c.err(x.pos, "", "`also` says more of people who are there; it makes none")
			}
			p.make = 0
		}
		p.class, p.holds = c.texts(x, "class"), c.texts(x, "holds")
		if t := c.text(x, "since"); t.text != "" {
			p.since = c.span(t)
		}
		if t := c.text(x, "until"); t.text != "" {
			w := c.when(t)
			p.until = &w
		}
		p.in = c.references(x.get("in"))
		p.under, p.loses, p.leaves, p.freed = c.text(x, "under"), c.text(x, "loses"), c.text(x, "leaves"), c.text(x, "freed")
		p.conflicted = c.references(x.get("conflicted"))
		p.facts = rest(x, personKeys()...)
		out = append(out, p)
	}
	return out
}

// personKeys are the keys of a line of people; all others are facts.
func personKeys() []string {
	return []string{"named", "also", "make", "class", "since", "until", "in", "holds", "under", "loses", "leaves", "freed", "conflicted"}
}

// rest gives the pairs whose keys are not among the known ones.
func rest(n *node, known ...string) []pair {
	var out []pair
	for _, p := range n.pairs {
		if !slices.Contains(known, p.key) {
			out = append(out, p)
		}
	}
	return out
}
