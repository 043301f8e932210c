package rulebook

import (
	"strconv"
	"strings"
)

// Amend gives the book as it would be with the changes, and everything that
// the check says of it; the book is nil where there are errors. The changes
// are the text of an amendment: YAML, a list of `PATH: VALUE` or a mapping.
// A path leads through the book by names: `leadership.mps.needs` is the key
// needs of the stage mps of the procedure leadership; `slots.fee` enters a
// slot; a value of null removes. Dots inside a name stand in quotes, as in
// `clauses."3.1"`. Of a list, an item is named by what it calls itself
// (stage, id, section, as) or by its number, and `+` adds one at the end.
//
// The positions of problems are those in the amended text, which Amend writes
// anew: comments of the old one are not in it.
func (b *Book) Amend(changes []byte) (*Book, Problems) {
	c := &complaints{}
	root := readTree(b.Source, c)
	list := readTree(changes, c)
	if root == nil || list == nil {
		return nil, c.sorted()
	}
	pairs := changePairs(list, c)
	for _, p := range pairs {
		applyChange(root, p, c)
	}
	if len(c.list) > 0 {
		return nil, c.sorted()
	}
	if len(pairs) == 0 {
		c.err("missing", Pos{1, 1}, "Write each change as `PATH: VALUE`.", "there is no change in this amendment")
		return nil, c.sorted()
	}
	return Check(writeTree(root))
}

// maxChanges bounds an amendment.
const maxChanges = 1000

func changePairs(list *node, c *complaints) []pair {
	var out []pair
	for _, i := range list.list() {
		if i.form != mapping {
			c.err("type", i.pos, "Write each change as `PATH: VALUE`.", "this is no change")
			continue
		}
		out = append(out, i.pairs...)
	}
	if len(out) > maxChanges {
		c.err("size", list.pos, "Put a new rulebook to the vote instead.", "an amendment has at most %d changes", maxChanges)
		return nil
	}
	return out
}

// applyChange follows a path and sets or removes what it leads to.
func applyChange(root *node, p pair, c *complaints) {
	path := splitPath(p.key)
	if len(path) == 0 || len(path) > maxDepth {
		c.err("dead", p.pos, "Write it as in `leadership.mps.needs`.", "`%s` is no path", p.key)
		return
	}
	at := root
	if root.get(path[0]) == nil {
		if s := sectionWith(root, path[0]); s != "" {
			path = append([]string{s}, path...)
		}
	}
	for i, seg := range path[:len(path)-1] {
		next := at.step(seg)
		if next == nil && at == root && i == 0 && isPart(seg) {
			next = &node{form: mapping, pos: p.pos}
			root.set(seg, next, p.pos)
		}
		if next == nil {
			c.err("dead", p.pos, orElse(didYouMean(seg, at.steps()), "Name each step from the top of the rulebook."), "the path `%s` leads nowhere: there is no `%s`", p.key, seg)
			return
		}
		at = next
	}
	last := path[len(path)-1]
	remove := p.val.form == scalar && p.val.empty()
	if !at.put(last, p.val, p.pos, remove) {
		c.err("dead", p.pos, orElse(didYouMean(last, at.steps()), "Name what the rulebook has."), "the path `%s` leads nowhere: there is no `%s`", p.key, last)
	}
}

func isPart(seg string) bool {
	for _, k := range forms()[fBook].keys {
		if k.name == seg {
			return true
		}
	}
	return false
}

// splitPath splits at dots outside of quotes.
func splitPath(s string) []string {
	var out []string
	var cur strings.Builder
	quoted := false
	for _, r := range s {
		switch {
		case r == '"':
			quoted = !quoted
		case r == '.' && !quoted:
			out = append(out, cur.String())
			cur.Reset()
		default:
			cur.WriteRune(r)
		}
	}
	if cur.Len() > 0 {
		out = append(out, cur.String())
	}
	return out
}

// sectionWith gives the part of a book in which a name is defined.
func sectionWith(root *node, name string) string {
	for _, p := range root.pairs {
		if isDefining(p.key) && p.val.get(name) != nil {
			return p.key
		}
	}
	return ""
}

func isDefining(key string) bool {
	switch key {
	case "procedures", "offices", "bodies", "electorates", "slots", "classes", "units", "events", "sanctions":
		return true
	}
	return false
}

// called tells whether an item of a list calls itself so.
func (n *node) called(seg string) bool {
	for _, key := range []string{"stage", "id", "section", "as"} {
		if v := n.get(key); v != nil {
			return v.text == seg
		}
	}
	for _, way := range waysToBegin() {
		if way == seg && n.get(way) != nil {
			return true
		}
	}
	return n.form == scalar && n.text == seg
}

// step follows one segment of a path. A procedure's segment may be a stage, a
// condition or a section: the list between is left out.
func (n *node) step(seg string) *node {
	if n.form == sequence {
		if i := n.item(seg); i >= 0 {
			return n.items[i]
		}
		return nil
	}
	if v := n.get(seg); v != nil {
		return v
	}
	for _, key := range []string{"stages", "conditions", "sections", "begins"} {
		if l := n.get(key); l != nil {
			for _, i := range l.list() {
				if i.called(seg) {
					return i
				}
			}
		}
	}
	if n.form == mapping && n.called(seg) {
		return n // one item that stands for a list of one
	}
	return nil
}

// item gives the place of an item by its name or number, or -1.
func (n *node) item(seg string) int {
	for i, x := range n.items {
		if x.called(seg) {
			return i
		}
	}
	if k, err := strconv.Atoi(seg); err == nil && k >= 1 && k <= len(n.items) {
		return k - 1
	}
	return -1
}

func (n *node) steps() []string {
	var out []string
	for _, p := range n.pairs {
		out = append(out, p.key)
	}
	for _, key := range []string{"stage", "id", "section", "as"} {
		for _, i := range n.items {
			if v := i.get(key); v != nil {
				out = append(out, v.text)
			}
		}
	}
	return out
}

// put sets or removes what a last segment names; it is false where there is
// nothing to remove or no place to set.
func (n *node) put(seg string, v *node, pos Pos, remove bool) bool {
	if n.form == sequence {
		return n.putItem(seg, v, remove)
	}
	if n.form != mapping {
		return false
	}
	if n.get(seg) == nil {
		for _, key := range []string{"stages", "conditions", "sections", "begins"} {
			l := n.get(key)
			if l != nil && l.form == sequence && l.item(seg) >= 0 && !digits(seg) {
				return l.putItem(seg, v, remove)
			}
		}
		if remove {
			return false
		}
	}
	if remove {
		n.drop(seg)
		return true
	}
	n.set(seg, v, pos)
	return true
}

func (n *node) putItem(seg string, v *node, remove bool) bool {
	if seg == "+" && !remove {
		n.items = append(n.items, v)
		return true
	}
	i := n.item(seg)
	switch {
	case i < 0:
		return false
	case remove:
		n.items = append(n.items[:i:i], n.items[i+1:]...)
	default:
		n.items[i] = v
	}
	return true
}

func (n *node) set(key string, v *node, pos Pos) {
	if i, ok := n.index[key]; ok {
		n.pairs[i].val = v
		return
	}
	if n.index == nil {
		n.index = map[string]int{}
	}
	n.index[key] = len(n.pairs)
	n.pairs = append(n.pairs, pair{key: key, pos: pos, val: v})
}

func (n *node) drop(key string) {
	i := n.index[key]
	n.pairs = append(n.pairs[:i:i], n.pairs[i+1:]...)
	n.index = map[string]int{}
	for j, p := range n.pairs {
		n.index[p.key] = j
	}
}

// writeTree writes a tree as YAML that reads back as the same tree: block
// style, two spaces, quotes wherever a value could be read otherwise.
func writeTree(root *node) []byte {
	var b strings.Builder
	for i, p := range root.pairs {
		if i > 0 && (p.val.form != scalar || root.pairs[i-1].val.form != scalar) {
			b.WriteByte('\n')
		}
		writePair(&b, p, 0)
	}
	return []byte(b.String())
}

func writePair(b *strings.Builder, p pair, depth int) {
	b.WriteString(strings.Repeat("  ", depth) + writeScalar(p.key, false) + ":")
	writeValue(b, p.val, depth)
}

func writeValue(b *strings.Builder, n *node, depth int) {
	switch {
	case n.form == mapping && len(n.pairs) > 0:
		b.WriteByte('\n')
		for _, p := range n.pairs {
			writePair(b, p, depth+1)
		}
	case n.form == sequence && len(n.items) > 0:
		b.WriteByte('\n')
		for _, i := range n.items {
			writeItem(b, i, depth+1)
		}
	case n.form == mapping:
		b.WriteString(" {}\n")
	case n.form == sequence:
		b.WriteString(" []\n")
	case n.empty():
		b.WriteByte('\n')
	default:
		b.WriteString(" " + writeScalar(n.text, n.quoted) + "\n")
	}
}

func writeItem(b *strings.Builder, n *node, depth int) {
	pad := strings.Repeat("  ", depth)
	switch {
	case n.form == mapping && len(n.pairs) > 0:
		for i, p := range n.pairs {
			if i == 0 {
				b.WriteString(pad + "- " + writeScalar(p.key, false) + ":")
			} else {
				b.WriteString(pad + "  " + writeScalar(p.key, false) + ":")
			}
			writeValue(b, p.val, depth+1)
		}
	case n.form == sequence:
		b.WriteString(pad + "-")
		writeValue(b, n, depth)
	default:
		b.WriteString(pad + "- " + writeScalar(n.text, n.quoted) + "\n")
	}
}

// writeScalar quotes a value unless it is plainly safe.
func writeScalar(s string, quoted bool) string {
	plain := s != "" && !quoted && s == strings.TrimSpace(s)
	for i, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
		case i > 0 && strings.ContainsRune(" ./()+<=%;", r):
		default:
			plain = false
		}
	}
	switch s {
	case "true", "false", "null", "yes", "no", "on", "off", "~":
		plain = s == "true" || s == "false"
	}
	if plain {
		return s
	}
	return quote(s)
}

// quote writes a double-quoted scalar of YAML.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case '\n':
			b.WriteString(`\n`)
		case '\t':
			b.WriteString(`\t`)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
