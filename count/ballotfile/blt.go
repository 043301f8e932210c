package ballotfile

import (
	"bytes"
	"math/big"
	"strings"

	"github.com/omov/omov/count"
)

// ReadBLT reads the format of Hill, Wichmann and Woodall (Computer Journal
// 30, 1987) as programs write it today:
//
//	4 2                 candidates, seats
//	-2                  candidate 2 has withdrawn (any number of these)
//	[nick ann ben]      words that stand for candidates 1, 2, …
//	[withdrawn 2]       the same as -2
//	[tie 3 1 2 4]       an order to break ties by
//	3 1 2=4 3 0         3 votes: 1, then 2 and 4 equal, then 3; 0 ends it
//	(b17) 1 2 - 4 0     an identifier, one vote, a rank left empty
//	3/2 1 0             a fraction of votes, also 1.5
//	0                   the end of the papers
//	"Ann" "Ben" …       the names, then the title
//
// # begins a comment, /* … */ surrounds one. Papers may be spread over lines.
func ReadBLT(data []byte, o Options) (*File, error) {
	p := &bltParser{lexer: lexer{data: data}, o: o, f: &File{}}
	if err := p.header(); err != nil {
		return nil, err
	}
	if err := p.papers(); err != nil {
		return nil, err
	}
	if err := p.names(); err != nil {
		return nil, err
	}
	return p.f, nil
}

type bltParser struct {
	lexer
	o     Options
	f     *File
	n     int
	nicks map[string]int
	g     *count.Grouper
	// careful leaves the fast reader out, as a test of it needs.
	careful bool
}

// header reads the first line and the options.
func (p *bltParser) header() error {
	t := p.next()
	n, ok := t.whole()
	if !ok || n < 0 {
		return p.wrong(t, "The file must begin with the number of candidates, not %q.", t.text)
	}
	if n == 0 {
		return p.wrong(t, "There are no candidates.")
	}
	if n > count.MaxCandidates {
		return p.wrong(t, "There are %s candidates; at most %d can be counted.", t.text, count.MaxCandidates)
	}
	p.n = int(n)
	t = p.next()
	s, ok := t.whole()
	if !ok || s < 1 {
		return p.wrong(t, "The number of seats must follow the number of candidates, not %q.", t.text)
	}
	if s > n {
		return p.wrong(t, "There are %d seats but only %d candidates.", s, n)
	}
	p.f.Seats = int(s)
	for {
		mark := p.at
		t = p.next()
		switch {
		case t.kind == option:
			if err := p.option(t); err != nil {
				return err
			}
		case strings.HasPrefix(t.text, "-") && len(t.text) > 1:
			w, err := p.candidate(t, t.text[1:])
			if err != nil {
				return err
			}
			p.withdraw(w)
		default:
			p.at = mark
			return nil
		}
	}
}

func (p *bltParser) withdraw(c int) {
	for _, w := range p.f.Withdrawn {
		if w == c {
			return
		}
	}
	p.f.Withdrawn = append(p.f.Withdrawn, c)
}

// option reads [word arguments].
func (p *bltParser) option(t token) error {
	words := strings.Fields(t.text)
	if len(words) == 0 {
		return p.wrong(t, "An option in brackets is empty.")
	}
	switch words[0] {
	case "nick":
		if len(words)-1 != p.n {
			return p.wrong(t, "There are %d short names for %d candidates.", len(words)-1, p.n)
		}
		p.nicks = make(map[string]int, p.n)
		for i, w := range words[1:] {
			p.nicks[w] = i
		}
		if len(p.nicks) != p.n {
			return p.wrong(t, "Two short names are the same.")
		}
	case "withdrawn", "tie":
		for _, w := range words[1:] {
			c, err := p.candidate(t, w)
			if err != nil {
				return err
			}
			if words[0] == "tie" {
				p.f.Order = append(p.f.Order, c)
			} else {
				p.withdraw(c)
			}
		}
	case "droop":
		// settings of another program
	default:
		return p.wrong(t, "The option %q is not known; there are nick, withdrawn and tie.", words[0])
	}
	return nil
}

// candidate reads a number or short name.
func (p *bltParser) candidate(t token, s string) (int, error) {
	if c, ok := p.nicks[s]; ok {
		return c, nil
	}
	c, ok := token{text: s}.whole()
	if !ok || c < 1 {
		return 0, p.wrong(t, "%q is no candidate.", s)
	}
	if c > int64(p.n) {
		return 0, p.wrong(t, "There is no candidate %s, only %d.", s, p.n)
	}
	return int(c) - 1, nil
}

// papers reads all papers: fast where every line is one plain paper, else
// word by word.
func (p *bltParser) papers() error {
	body := p.at
	if p.nicks == nil && !p.careful {
		if end, papers := fastPapers(p.data[body:], p.n, p.o.KeepPapers); papers != nil {
			p.f.Papers, p.at = papers, body+end
			return nil
		}
	}
	p.at = body
	p.g = count.NewGrouper(p.n)
	if p.o.KeepPapers {
		p.g.KeepPapers()
	}
	var marks []count.Mark
	for {
		t := p.next()
		if t.kind == identifier {
			t = p.next()
		}
		if t.kind == end {
			return p.wrong(t, "The file ends before the 0 that ends the papers.")
		}
		if t.kind == word && t.text == "0" {
			return nil
		}
		var err error
		if marks, err = p.paper(t, marks[:0]); err != nil {
			return err
		}
	}
}

// paper reads one paper whose weight is the token t.
func (p *bltParser) paper(t token, marks []count.Mark) ([]count.Mark, error) {
	first := t
	if t.kind != word {
		return marks, p.wrong(t, "A paper must begin with its number of votes, not %q.", t.text)
	}
	weight, whole := t.whole()
	var fraction *big.Rat
	if !whole {
		if fraction = rational(t.text); fraction == nil {
			return marks, p.wrong(t, "A paper must begin with its number of votes, not %q.", t.text)
		}
	}
	for {
		t = p.next()
		if t.kind != word {
			return marks, p.wrong(t, "A paper must end with 0, not %q.", t.text)
		}
		if t.text == "0" {
			break
		}
		if t.text == "-" {
			marks = append(marks, count.Gap)
			continue
		}
		for i, s := range strings.Split(t.text, "=") {
			c, err := p.candidate(t, s)
			if err != nil {
				return marks, err
			}
			m := count.Mark(c)
			if i > 0 {
				m = m.WithPrevious()
			}
			marks = append(marks, m)
		}
		if len(marks) > maxMarks {
			return marks, p.wrong(t, "A paper has more than %d marks.", maxMarks)
		}
	}
	var err error
	if fraction != nil {
		err = p.g.AddFraction(marks, fraction)
	} else {
		err = p.g.Add(marks, weight)
	}
	if err != nil {
		return marks, located(p.data, first.at, err)
	}
	return marks, nil
}

// maxMarks bounds one paper: more marks than candidates are repeats or gaps.
const maxMarks = 4 << 20

// rational reads "3/2" or "1.5" of bounded length.
func rational(s string) *big.Rat {
	if len(s) > 40 || strings.Trim(s, "0123456789./") != "" {
		return nil
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil
	}
	return r
}

// names reads what follows the papers.
func (p *bltParser) names() error {
	seen := make(map[string]bool)
	for i := range p.n {
		t := p.next()
		if t.kind != text {
			if t.kind == end {
				return p.wrong(t, "The file ends after %d of %d names.", i, p.n)
			}
			return p.wrong(t, "The name of candidate %d must stand in quotation marks, not be %q.", i+1, t.text)
		}
		name := strings.Join(strings.Fields(t.text), " ")
		if name == "" {
			return p.wrong(t, "Candidate %d has no name.", i+1)
		}
		if seen[name] {
			return p.wrong(t, "Two candidates have the name %q.", name)
		}
		seen[name] = true
		p.f.Candidates = append(p.f.Candidates, name)
	}
	if t := p.next(); t.kind == text {
		p.f.Title = strings.TrimSpace(t.text)
	}
	if p.f.Papers == nil {
		p.f.Papers = p.g.Papers()
	}
	return nil
}

// token kinds.
const (
	word = iota
	text
	option
	identifier
	end
	broken
)

type token struct {
	kind int
	text string
	at   int
}

// whole reads a whole number that is not too long.
func (t token) whole() (int64, bool) {
	if t.kind != word || len(t.text) == 0 || len(t.text) > 18 {
		return 0, false
	}
	n := int64(0)
	for i := range len(t.text) {
		d := t.text[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + int64(d)
	}
	return n, true
}

// lexer splits a BLT file into tokens.
type lexer struct {
	data []byte
	at   int
}

func (l *lexer) wrong(t token, format string, args ...any) error {
	if t.kind == broken {
		return wrong(l.data, t.at, "%s", t.text)
	}
	if len(t.text) > 40 {
		for i, a := range args {
			if s, ok := a.(string); ok && len(s) > 40 {
				args[i] = strings.ToValidUTF8(s[:40], "") + "…"
			}
		}
	}
	return wrong(l.data, t.at, format, args...)
}

func (l *lexer) next() token {
	for l.at < len(l.data) {
		switch c := l.data[l.at]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			l.at++
		case c == '#':
			l.until("\n")
		case c == '/' && bytes.HasPrefix(l.data[l.at:], []byte("/*")):
			at := l.at
			if _, ok := l.until("*/"); !ok {
				return token{broken, "A comment has no end.", at}
			}
		case c == '"' || c == '[' || c == '(':
			return l.enclosed(c)
		default:
			at := l.at
			for l.at < len(l.data) && l.data[l.at] > ' ' && l.data[l.at] != '#' && l.data[l.at] != '"' {
				l.at++
			}
			if at == l.at {
				l.at++
				return token{broken, "A character has no business here.", at}
			}
			return token{word, string(l.data[at:l.at]), at}
		}
	}
	return token{end, "the end of the file", len(l.data)}
}

// enclosed reads "text", [option] or (identifier).
func (l *lexer) enclosed(open byte) token {
	at := l.at
	l.at++
	shut, kind := "\"", text
	switch open {
	case '[':
		shut, kind = "]", option
	case '(':
		shut, kind = ")", identifier
	}
	s, ok := l.until(shut)
	if !ok {
		return token{broken, "What is opened here is never closed with " + shut + ".", at}
	}
	return token{kind, strings.ToValidUTF8(s, "\ufffd"), at}
}

// until goes past a string and gives what stood before it.
func (l *lexer) until(s string) (string, bool) {
	i := bytes.Index(l.data[l.at:], []byte(s))
	if i < 0 {
		rest := string(l.data[l.at:])
		l.at = len(l.data)
		return rest, false
	}
	before := string(l.data[l.at : l.at+i])
	l.at += i + len(s)
	return before, true
}
