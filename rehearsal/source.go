package rehearsal

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a source. The YAML library takes time by the square of the marks
// (line ends, colons, commas) of a document.
const (
	maxFile      = 1 << 20
	maxDocuments = 200
	maxSource    = 256 << 10
	maxMarks     = 16_000
	maxDepth     = 20
	maxNodes     = 60_000
)

// Problem is something wrong with a script itself. Message is a sentence;
// Remedy says what to write instead and may be empty.
type Problem struct {
	File         string
	Line, Column int
	Message      string
	Remedy       string
}

// String gives the problem as file:line:column: message.
func (p Problem) String() string {
	s := fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
	if p.Remedy != "" {
		s += "\n    " + p.Remedy
	}
	return s
}

// Problems is everything that is wrong with a file of scripts.
type Problems []Problem

// Error gives each problem on a line of its own.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// maxProblems bounds a report.
const maxProblems = 100

// complaints collects problems while a file is read.
type complaints struct {
	file string
	list Problems
}

func (c *complaints) err(at pos, remedy, format string, args ...any) {
	if len(c.list) < maxProblems {
		c.list = append(c.list, Problem{File: c.file, Line: at.line, Column: at.column, Message: fmt.Sprintf(format, args...), Remedy: remedy})
	}
}

// pos is where something stands, counted from 1.
type pos struct{ line, column int }

// form is the shape of a node.
type form int

const (
	scalar form = iota
	mapping
	sequence
)

// node is a script's source as a tree.
type node struct {
	form   form
	text   string
	quoted bool
	pairs  []pair
	items  []*node
	pos    pos
}

type pair struct {
	key string
	pos pos
	val *node
}

func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	for i := range n.pairs {
		if n.pairs[i].key == key {
			return n.pairs[i].val
		}
	}
	return nil
}

// list gives the items of a sequence; one item may stand for a list of one.
func (n *node) list() []*node {
	switch {
	case n == nil || n.empty():
		return nil
	case n.form == sequence:
		return n.items
	}
	return []*node{n}
}

func (n *node) empty() bool { return n.form == scalar && n.text == "" && !n.quoted }

// yaml writes a node as flow YAML, so that it can be handed on as a text: an
// amendment, or a change tried in a rehearsal.
func (n *node) yaml(b *strings.Builder) {
	switch n.form {
	case mapping:
		b.WriteByte('{')
		for i, p := range n.pairs {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(strconv.Quote(p.key) + ": ")
			p.val.yaml(b)
		}
		b.WriteByte('}')
	case sequence:
		b.WriteByte('[')
		for i, x := range n.items {
			if i > 0 {
				b.WriteString(", ")
			}
			x.yaml(b)
		}
		b.WriteByte(']')
	default:
		if n.empty() {
			b.WriteString("null")
			return
		}
		b.WriteString(strconv.Quote(n.text))
	}
}

// changes writes a mapping of PATH: VALUE, one a line.
func (n *node) changes() []byte {
	var b strings.Builder
	for _, p := range n.pairs {
		b.WriteString(strconv.Quote(p.key) + ": ")
		p.val.yaml(&b)
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

// documents splits a file at lines of `---`; lines says on which line each
// begins. The splitting is ours, so that the time for each stays bounded.
func documents(src []byte) (docs [][]byte, lines []int) {
	begin, line, from := 0, 1, 1
	for at := 0; at <= len(src); {
		end := bytes.IndexByte(src[at:], '\n')
		next := at + end + 1
		if end < 0 {
			end, next = len(src)-at, len(src)+1
		}
		if l := bytes.TrimRight(src[at:at+end], " \r"); string(l) == "---" {
			docs, lines = append(docs, src[begin:at]), append(lines, from)
			begin, from = min(next, len(src)), line+1
		}
		at, line = next, line+1
	}
	return append(docs, src[begin:]), append(lines, from)
}

// blank tells whether a document holds nothing but comments.
func blank(doc []byte) bool {
	for l := range bytes.Lines(doc) {
		l = bytes.TrimSpace(l)
		if len(l) > 0 && l[0] != '#' {
			return false
		}
	}
	return true
}

// readTree turns a document into a tree; nil only with a problem.
func readTree(src []byte, first int, c *complaints) (root *node) {
	top := pos{first, 1}
	if len(src) > maxSource {
		c.err(top, "Split it into several rehearsals, with a line of --- between them.", "this rehearsal has %d bytes; it can have %d", len(src), maxSource)
		return nil
	}
	if marks := bytes.Count(src, []byte("\n")) + bytes.Count(src, []byte(":")) + bytes.Count(src, []byte(",")); marks > maxMarks {
		c.err(top, "Let people be made by the number: {named: Member, make: 1000}.", "this rehearsal has too many lines and entries (%d; at most %d)", marks, maxMarks)
		return nil
	}
	if !utf8.Valid(src) || bytes.ContainsRune(src, 0) {
		c.err(top, "Save it as plain text in UTF-8.", "this is no text file, or one in another encoding")
		return nil
	}
	if line := tooDeep(src); line > 0 {
		c.err(pos{first + line - 1, 1}, "", "brackets are nested more than %d deep", maxDepth)
		return nil
	}
	// The YAML library has panicked on odd input before.
	defer func() {
		if r := recover(); r != nil {
			c.err(top, "", "this cannot be read as YAML")
			root = nil
		}
	}()
	file, err := parser.ParseBytes(src, 0)
	if err != nil {
		c.yaml(err, first)
		return nil
	}
	r := &reader{c: c, first: first - 1}
	before := len(c.list)
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			c.err(r.at(doc.Body), "", "a second document begins here")
			return nil
		}
		root = r.read(doc.Body, 0)
	}
	if root == nil && len(c.list) == before {
		c.err(top, "Begin with `rehearsal: ` and a title.", "there is nothing here")
	}
	return root
}

// tooDeep gives the line on which brackets or indentation pass the bound, or
// 0: the parser is recursive.
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

// yaml puts an error of the YAML library into our form.
func (c *complaints) yaml(err error, first int) {
	at, msg, remedy := pos{first, 1}, "", ""
	msg, _, _ = strings.Cut(err.Error(), "\n")
	var ye yaml.Error
	if errors.As(err, &ye) {
		msg = ye.GetMessage()
		if t := ye.GetToken(); t != nil && t.Position != nil {
			at = pos{first + t.Position.Line - 1, t.Position.Column}
		}
	}
	switch {
	case strings.Contains(msg, "mapping value is not allowed"):
		msg, remedy = "a colon stands where it cannot", "Put the whole value into double quotes if it contains `: ` (or, between braces, a comma)."
	case strings.Contains(msg, "already defined"):
		msg, remedy = writtenTwice(msg, first), "Keep one of the two."
	case strings.Contains(msg, "value is not allowed in this context"):
		msg, remedy = "something stands behind a value that has ended already", "Put the whole value into single quotes if it begins with a double one, or write one thing a line."
	case strings.Contains(msg, "reserved character"):
		remedy = "Put the value into quotes."
	case strings.Contains(msg, "end token"):
		remedy = "Close the bracket that is opened here."
	case strings.Contains(msg, `'\t'`), strings.Contains(msg, "'\t'"):
		msg, remedy = "a tab stands where only spaces may", "Indent with spaces."
	}
	c.err(at, remedy, "%s", msg)
}

// writtenTwice words the library's `mapping key "at" already defined at [3:1]`.
func writtenTwice(message string, first int) string {
	_, rest, _ := strings.Cut(message, `"`)
	key, rest, _ := strings.Cut(rest, `"`)
	_, rest, _ = strings.Cut(rest, "[")
	number, _, _ := strings.Cut(rest, ":")
	line, err := strconv.Atoi(number)
	if err != nil {
		return message
	}
	return fmt.Sprintf("`%s` already stands in line %d", key, first+line-1)
}

// reader turns the library's tree into ours.
type reader struct {
	c     *complaints
	first int // lines before this document
	nodes int
}

func (r *reader) read(n ast.Node, depth int) *node {
	out := &node{pos: r.at(n)}
	if r.nodes++; r.nodes > maxNodes || depth > maxDepth {
		if r.nodes == maxNodes+1 || depth == maxDepth+1 {
			r.c.err(out.pos, "", "this rehearsal is nested too deeply or has too many parts")
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
	default:
		r.c.err(out.pos, "Write the value out, in quotes if it begins with a sign.", "this form of YAML is not used in rehearsals")
	}
	return out
}

func (r *reader) pair(out *node, v *ast.MappingValueNode, depth int) {
	p := pair{pos: r.at(v.Key), val: r.read(v.Value, depth+1)}
	switch k := v.Key.(type) {
	case *ast.StringNode:
		p.key = k.Value
	case *ast.MergeKeyNode, *ast.MappingKeyNode:
		r.c.err(p.pos, "Write the keys out.", "this form of key is not used in rehearsals")
		return
	default:
		if t := v.Key.GetToken(); t != nil {
			p.key = t.Value
		}
	}
	if out.get(p.key) != nil {
		r.c.err(p.pos, "Keep one of the two.", "`%s` stands here twice", p.key)
		return
	}
	out.pairs = append(out.pairs, p)
}

// at gives the position of a node in the file; of a mapping that of its first
// key.
func (r *reader) at(n ast.Node) pos {
	switch m := n.(type) {
	case nil:
		return pos{r.first + 1, 1}
	case *ast.MappingNode:
		if !m.IsFlowStyle && len(m.Values) > 0 {
			return r.at(m.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return r.at(m.Key)
	}
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return pos{r.first + 1, 1}
	}
	return pos{r.first + t.Position.Line, t.Position.Column}
}

// didYouMean gives "did you mean `x`?" for the nearest of the known names.
func didYouMean(name string, known []string) string {
	if len(name) > 40 {
		return ""
	}
	best, dist := "", min(2, len(name)/3)+1
	for _, k := range known {
		if strings.EqualFold(name, k) {
			best = k
			break
		}
		if d := distance(name, k); len(k) <= 64 && d < dist {
			best, dist = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean `" + best + "`?"
}

// distance counts the letters to insert, remove or replace from a to b.
func distance(a, b string) int {
	prev, cur := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
		}
		prev, cur = cur, prev
	}
	return prev[len(b)]
}
