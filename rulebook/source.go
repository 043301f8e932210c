package rulebook

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a source. The largest rulebook known to us has 30 KiB and 3,000
// marks; the YAML library takes time by the square of them.
const (
	maxSource = 256 << 10
	maxMarks  = 16_000 // line ends, colons and commas
	maxDepth  = 40
	maxNodes  = 100_000
)

// form is the shape of a node of the source.
type form int

const (
	scalar form = iota
	mapping
	sequence
)

// node is the source as a tree of what a rulebook may contain: scalars as
// they were written, mappings in their order, sequences.
type node struct {
	form   form
	text   string // of a scalar, as written and without quotes
	quoted bool   // of a scalar: it was written in quotes or as a block
	pairs  []pair
	index  map[string]int // from key to its place in pairs
	items  []*node
	pos    Pos
}

// pair is one key of a mapping and its value.
type pair struct {
	key string
	pos Pos
	val *node
}

// get gives the value of a key, or nil.
func (n *node) get(key string) *node {
	if n == nil || n.form != mapping {
		return nil
	}
	if i, ok := n.index[key]; ok {
		return n.pairs[i].val
	}
	return nil
}

// list gives the items of a sequence; one item may stand for a list of one,
// and an empty value for none.
func (n *node) list() []*node {
	switch {
	case n == nil || n.empty():
		return nil
	case n.form == sequence:
		return n.items
	}
	return []*node{n}
}

// empty tells whether nothing was written.
func (n *node) empty() bool { return n.form == scalar && n.text == "" && !n.quoted }

// readTree turns source bytes into a tree. It returns nil only with a
// problem.
func readTree(src []byte, c *complaints) (root *node) {
	src = bytes.TrimPrefix(src, []byte(byteOrderMark))
	if len(src) > maxSource {
		c.err("size", Pos{1, 1}, "Split it: what units decide for themselves belongs into local rulebooks.",
			"this file has %d bytes; a rulebook has at most %d", len(src), maxSource)
		return nil
	}
	if marks := bytes.Count(src, []byte("\n")) + bytes.Count(src, []byte(":")) + bytes.Count(src, []byte(",")); marks > maxMarks {
		c.err("size", Pos{1, 1}, "Split it: what units decide for themselves belongs into local rulebooks.",
			"this file has too many lines and entries (%d; at most %d)", marks, maxMarks)
		return nil
	}
	if !plainText(src) {
		c.err("yaml", Pos{1, 1}, "Save it as plain text in UTF-8.", "this is no text file, or one in another encoding")
		return nil
	}
	if line := tooDeep(src); line > 0 {
		c.err("size", Pos{line, 1}, "", "brackets are nested more than %d deep", maxDepth)
		return nil
	}
	// The YAML library has panicked on odd input before; a rulebook that does
	// that to it is refused like any other that it cannot read.
	defer func() {
		if r := recover(); r != nil {
			c.err("yaml", Pos{1, 1}, "", "this cannot be read as YAML")
			root = nil
		}
	}()
	file, err := parser.ParseBytes(src, 0)
	if err != nil {
		c.add(yamlProblem(err))
		return nil
	}
	r := &reader{c: c}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			c.err("yaml", at(doc.Body), "Put each rulebook into a file of its own.", "a second document begins here")
			return nil
		}
		root = r.read(doc.Body, 0)
	}
	if root == nil && len(c.list) == 0 {
		c.err("missing", Pos{1, 1}, "Begin with `rulebook: ` and the title.", "there is nothing in this file")
	}
	return root
}

// byteOrderMark stands at the head of what some editors save as UTF-8.
const byteOrderMark = "\ufeff"

// plainText tells whether a source is text in UTF-8: no picture, no document
// of a word processor, no text in two bytes a letter.
func plainText(src []byte) bool { return utf8.Valid(src) && !bytes.ContainsRune(src, 0) }

// tooDeep gives the line on which flow brackets or indentation pass the
// bound, or 0. The parser is recursive, so this is asked before it runs.
func tooDeep(src []byte) int {
	line, depth, indent, start := 1, 0, 0, true
	for _, b := range src {
		switch b {
		case '\n':
			line, indent, start = line+1, 0, true
			continue
		case ' ', '-', '?', ':':
			if start {
				indent++
			}
			if indent > 8*maxDepth {
				return line
			}
			continue
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(0, depth-1)
		}
		start = false
		if depth > maxDepth {
			return line
		}
	}
	return 0
}

// yamlProblem puts an error of the YAML library into our form.
func yamlProblem(err error) Problem {
	p := Problem{Code: "yaml", Pos: Pos{1, 1}, Message: firstLine(err.Error())}
	var ye yaml.Error
	if errors.As(err, &ye) {
		p.Message = ye.GetMessage()
		if t := ye.GetToken(); t != nil && t.Position != nil {
			p.Pos = Pos{t.Position.Line, t.Position.Column}
		}
	}
	switch {
	case strings.Contains(p.Message, "mapping value is not allowed"):
		p.Message = "a colon stands where it cannot"
		p.Remedy = "Put the whole value into double quotes if it contains `: ` (or, between braces, a comma)."
	case strings.Contains(p.Message, "already defined"):
		p.Message, p.Remedy = writtenTwice(p.Message), "Keep one of the two."
	case strings.Contains(p.Message, "value is not allowed in this context"):
		p.Message = "something stands behind a value that has ended already"
		p.Remedy = "Put the whole value into single quotes if it begins with a double one, or write one thing a line."
	case strings.Contains(p.Message, "reserved character"):
		p.Remedy = "Put the value into quotes."
	case strings.Contains(p.Message, "end token"):
		p.Remedy = "Close the bracket that is opened here."
	case strings.Contains(p.Message, `'\t'`) || strings.Contains(p.Message, "'\t'"):
		p.Message = "a tab stands where only spaces may"
		p.Remedy = "Indent with spaces."
	}
	return p
}

// writtenTwice words the library's `mapping key "zone" already defined at
// [3:1]`.
func writtenTwice(message string) string {
	_, rest, _ := strings.Cut(message, `"`)
	key, rest, _ := strings.Cut(rest, `"`)
	_, rest, _ = strings.Cut(rest, "[")
	line, _, ok := strings.Cut(rest, ":")
	if !ok {
		return message
	}
	return "`" + key + "` already stands in line " + line
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// reader turns the library's tree into ours and refuses what a rulebook may
// not contain.
type reader struct {
	c     *complaints
	nodes int
}

func (r *reader) read(n ast.Node, depth int) *node {
	out := &node{pos: at(n)}
	if r.nodes++; r.nodes > maxNodes || depth > maxDepth {
		if r.nodes == maxNodes+1 || depth == maxDepth+1 {
			r.c.err("size", out.pos, "", "this rulebook is nested too deeply or has too many parts")
		}
		return out
	}
	switch n := n.(type) {
	case nil, *ast.NullNode:
	case *ast.MappingNode:
		out.form = mapping
		for _, v := range n.Values {
			r.pair(out, v, depth)
		}
	case *ast.MappingValueNode:
		out.form = mapping
		r.pair(out, n, depth)
	case *ast.SequenceNode:
		out.form = sequence
		for _, v := range n.Values {
			out.items = append(out.items, r.read(v, depth+1))
		}
	case *ast.StringNode:
		out.text = n.Value
		out.quoted = n.Token != nil && (n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType)
	case *ast.LiteralNode:
		out.text, out.quoted = n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		out.text = n.GetToken().Value
	case *ast.TagNode:
		r.c.err("tag", out.pos, "Write not(…), or put the value into quotes.", "a value cannot start with `!`")
	case *ast.AnchorNode:
		r.c.err("anchor", out.pos, "Write the value out where it is needed.", "a rulebook has no anchors (`&`)")
	case *ast.AliasNode:
		r.c.err("anchor", out.pos, "Write the value out here.", "a rulebook has no references to anchors (`*`)")
	default:
		r.c.err("yaml", out.pos, "", "this form of YAML is not used in rulebooks")
	}
	return out
}

func (r *reader) pair(out *node, v *ast.MappingValueNode, depth int) {
	p := pair{pos: at(v.Key), val: r.read(v.Value, depth+1)}
	switch k := v.Key.(type) {
	case *ast.StringNode:
		p.key = k.Value
	case *ast.MergeKeyNode:
		r.c.err("anchor", p.pos, "Write the keys out.", "a rulebook has no merge keys (`<<`)")
		return
	case *ast.MappingKeyNode:
		r.c.err("yaml", p.pos, "", "a key cannot start with `?`")
		return
	default:
		p.key = v.Key.GetToken().Value
	}
	if i, twice := out.index[p.key]; twice {
		r.c.err("yaml", p.pos, "Keep one of the two.", "`%s` already stands in line %d", p.key, out.pairs[i].pos.Line)
		return
	}
	if out.index == nil {
		out.index = make(map[string]int)
	}
	out.index[p.key] = len(out.pairs)
	out.pairs = append(out.pairs, p)
}

// at gives the position of a node; of a mapping that of its first key.
func at(n ast.Node) Pos {
	switch m := n.(type) {
	case nil:
		return Pos{1, 1}
	case *ast.MappingNode:
		if !m.IsFlowStyle && len(m.Values) > 0 {
			return at(m.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return at(m.Key)
	}
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return Pos{1, 1}
	}
	return Pos{t.Position.Line, t.Position.Column}
}

// String gives a node in a few words, for messages.
func (n *node) String() string {
	switch {
	case n == nil:
		return "nothing"
	case n.form == mapping:
		return "keys and values"
	case n.form == sequence:
		return "a list"
	case n.empty():
		return "nothing"
	}
	return fmt.Sprintf("%q", n.text)
}
