package ballotfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/omov/omov/count"
	"github.com/omov/omov/fault"
)

// ReadCSV reads papers from a table with a heading, one row a paper:
//
//	rank1,rank2,rank3,votes,class
//	Ann,Ben,,12,members
//	Cy=Ben,Ann,,3/2,registered
//
// A column is a rank if its heading holds a number and the word rank, choice
// or preference ("rank1", "2ND CHOICE MAYOR", "Preference 3"), in the order
// of these numbers. The columns votes (or count, weight, quantity) and class
// are optional; others are ignored. A cell names a candidate, or several
// joined by = or |; an empty cell, "undervote", "skipped" or "-" is a gap;
// "overvote" is a rank with several candidates that nobody wrote down: the
// paper ends there, unless Options.Overvote says otherwise.
//
// If no column is a rank but columns hold ranks by candidate ("Ann","Ben":
// 2,1), that form is read too: a column then is a candidate if all of its
// cells are empty or numbers. So are cast vote records with a column for each
// candidate and rank, "Choice_…:contest:rank:…:name:party", cells 1 or 0.
//
// The candidates are those named, in alphabetical order, unless
// Options.Candidates names them.
func ReadCSV(data []byte, o Options) (*File, error) {
	r := &table{data: data, o: o, csv: csv.NewReader(bytes.NewReader(data))}
	r.csv.FieldsPerRecord = -1
	r.csv.LazyQuotes = true
	r.csv.ReuseRecord = true
	head, err := r.row()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &Error{1, 1, "The table has no heading."}
		}
		return nil, err
	}
	if columns, names := cvrColumns(head); len(columns) > 0 {
		return r.byMark(columns, names)
	}
	r.heading(head)
	if len(r.ranks) == 0 {
		return r.byCandidate(slices.Clone(head))
	}
	return r.byRank()
}

// table reads a CSV file of papers.
type table struct {
	data    []byte
	o       Options
	csv     *csv.Reader
	ranks   []int // columns in order of rank
	votes   int   // column, −1: none
	class   int
	names   map[string]int
	found   []string
	classes []string
	line    int // of the row read last
	width   int // its cells
}

func (t *table) row() ([]string, error) {
	row, err := t.csv.Read()
	var p *csv.ParseError
	if errors.As(err, &p) {
		return nil, &Error{max(p.Line, 1), max(p.Column, 1), p.Err.Error() + "."}
	}
	if t.width = len(row); t.width > 0 {
		t.line, _ = t.csv.FieldPos(0)
	}
	return row, err
}

// heading finds the columns.
func (t *table) heading(head []string) {
	t.votes, t.class = -1, -1
	type column struct{ rank, at int }
	var ranks []column
	for i, h := range head {
		h = strings.ToLower(strings.TrimSpace(h))
		switch h {
		case "votes", "count", "weight", "quantity":
			t.votes = i
			continue
		case "class":
			t.class = i
			continue
		}
		for _, w := range []string{"rank", "choice", "preference"} {
			if n := numberIn(h); n > 0 && strings.Contains(h, w) && !strings.Contains(h, ":") {
				ranks = append(ranks, column{n, i})
				break
			}
		}
	}
	slices.SortStableFunc(ranks, func(a, b column) int { return a.rank - b.rank })
	for _, c := range ranks {
		t.ranks = append(t.ranks, c.at)
	}
}

// numberIn gives the first number in a heading, 0 if there is none.
func numberIn(s string) int {
	i := strings.IndexAny(s, "123456789")
	if i < 0 {
		return 0
	}
	j := i
	for j < len(s) && s[j] >= '0' && s[j] <= '9' {
		j++
	}
	n, err := strconv.Atoi(s[i:j])
	if err != nil || n > 1<<20 {
		return 0
	}
	return n
}

// paper is a row before the candidates are sorted.
type paper struct {
	marks []count.Mark // by order of appearance
	votes *big.Rat
	class int
}

func (t *table) byRank() (*File, error) {
	t.names = make(map[string]int)
	for _, n := range t.o.Candidates {
		t.names[n] = len(t.found)
		t.found = append(t.found, n)
	}
	var papers []paper
	for {
		row, err := t.row()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		p, err := t.paper(row)
		if err != nil {
			return nil, err
		}
		papers = append(papers, p)
	}
	return t.finish(papers)
}

func (t *table) paper(row []string) (p paper, err error) {
	if p.votes, err = t.weight(row); err != nil {
		return p, err
	}
	if t.class >= 0 && t.class < len(row) {
		name := strings.TrimSpace(row[t.class])
		if p.class = slices.Index(t.classes, name); p.class < 0 {
			p.class = len(t.classes)
			t.classes = append(t.classes, name)
		}
	}
	for _, c := range t.ranks {
		cell := ""
		if c < len(row) {
			cell = strings.TrimSpace(row[c])
		}
		switch strings.ToLower(cell) {
		case "", "-", "undervote", "skipped":
			p.marks = append(p.marks, count.Gap)
			continue
		case "overvote":
			if t.o.Overvote == count.Skip {
				continue
			}
			return p.trim(), nil
		}
		first := true
		for name := range strings.FieldsFuncSeq(cell, func(r rune) bool { return r == '=' || r == '|' }) {
			n, err := t.number(strings.ToValidUTF8(strings.TrimSpace(name), "\ufffd"), c)
			if err != nil {
				return p, err
			}
			m := count.Mark(n)
			if !first {
				m = m.WithPrevious()
			}
			p.marks, first = append(p.marks, m), false
		}
	}
	return p.trim(), nil
}

// trim takes gaps off the end.
func (p paper) trim() paper {
	for len(p.marks) > 0 && p.marks[len(p.marks)-1] == count.Gap {
		p.marks = p.marks[:len(p.marks)-1]
	}
	return p
}

func (t *table) wrong(column int, format string, args ...any) error {
	e := &Error{max(t.line, 1), 1, fmt.Sprintf(format, args...)}
	if column >= 0 && column < t.width {
		e.Line, e.Column = t.csv.FieldPos(column)
	}
	return e
}

func (t *table) number(name string, column int) (int, error) {
	n, ok := t.names[name]
	if ok {
		return n, nil
	}
	if len(t.o.Candidates) > 0 {
		return 0, t.wrong(column, "There is no candidate %q.", name)
	}
	if n = len(t.found); n >= count.MaxCandidates {
		return 0, t.wrong(column, "The table names more than %d candidates.", count.MaxCandidates)
	}
	t.names[name] = n
	t.found = append(t.found, name)
	return n, nil
}

func (t *table) weight(row []string) (*big.Rat, error) {
	if t.votes < 0 || t.votes >= len(row) || row[t.votes] == "" {
		return nil, nil
	}
	r := rational(strings.TrimSpace(row[t.votes]))
	if r == nil {
		return nil, t.wrong(t.votes, "%.40q is no number of votes.", row[t.votes])
	}
	return r, nil
}

// finish sorts the candidates by name and groups the papers.
func (t *table) finish(papers []paper) (*File, error) {
	if len(t.found) == 0 {
		return nil, &Error{max(t.line, 1), 1, "The table names no candidates."}
	}
	names := slices.Clone(t.found)
	if len(t.o.Candidates) == 0 {
		slices.Sort(names)
	}
	to := make([]count.Mark, len(names))
	for i, n := range names {
		to[t.names[n]] = count.Mark(i)
	}
	g := count.NewGrouper(len(names))
	if t.o.KeepPapers {
		g.KeepPapers()
	}
	if len(t.classes) > 0 {
		if err := g.SetClasses(t.classes); err != nil {
			return nil, err
		}
	}
	for _, p := range papers {
		for i, m := range p.marks {
			if m != count.Gap {
				p.marks[i] = to[m.Candidate()]
				if m.Equal() {
					p.marks[i] = p.marks[i].WithPrevious()
				}
			}
		}
		var err error
		switch {
		case p.votes == nil:
			err = g.AddIn(p.class, p.marks, 1)
		case p.votes.IsInt() && p.votes.Num().IsInt64() && g.Denominator() == 1:
			err = g.AddIn(p.class, p.marks, p.votes.Num().Int64())
		case len(t.classes) > 0:
			err = fault.New(fault.Invalid, "Papers with a class bear whole votes.")
		default:
			err = g.AddFraction(p.marks, p.votes)
		}
		if err != nil {
			return nil, located(t.data, len(t.data), err)
		}
	}
	return &File{Candidates: names, Papers: g.Papers()}, nil
}

// byCandidate reads a column a candidate, the cells being ranks.
func (t *table) byCandidate(head []string) (*File, error) {
	var rows [][]string
	isRank := make([]bool, len(head))
	for i := range isRank {
		isRank[i] = i != t.votes && i != t.class && strings.TrimSpace(head[i]) != "" && !isNumbering(head[i])
	}
	for {
		row, err := t.row()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, slices.Clone(row))
		for i := range isRank {
			if i < len(row) && row[i] != "" && (len(row[i]) > 5 || strings.Trim(row[i], "0123456789") != "") {
				isRank[i] = false
			}
		}
	}
	t.names = make(map[string]int)
	var columns []int
	for i, ok := range isRank {
		if ok {
			columns = append(columns, i)
			t.names[strings.TrimSpace(head[i])] = len(t.found)
			t.found = append(t.found, strings.TrimSpace(head[i]))
		}
	}
	if len(columns) == 0 {
		return nil, &Error{1, 1, "The heading has no ranks (rank1, rank2 …) and no columns with ranks by candidate."}
	}
	if len(t.names) < len(t.found) || len(t.found) > count.MaxCandidates {
		return nil, &Error{1, 1, "Two columns have the same name, or there are too many."}
	}
	t.o.Candidates = t.found
	var papers []paper
	for _, row := range rows {
		p, err := t.ranksOf(row, columns)
		if err != nil {
			return nil, err
		}
		papers = append(papers, p)
	}
	return t.finish(papers)
}

// isNumbering tells whether a column only numbers the papers.
func isNumbering(head string) bool {
	return slices.Contains([]string{"id", "number", "no", "nr", "paper", "ballot"}, strings.ToLower(strings.TrimSpace(head)))
}

func (t *table) ranksOf(row []string, columns []int) (p paper, err error) {
	if p.votes, err = t.weight(row); err != nil {
		return p, err
	}
	byRank := make(map[int][]int)
	last := 0
	for k, c := range columns {
		if c >= len(row) || row[c] == "" {
			continue
		}
		n, err := strconv.Atoi(row[c])
		if err != nil || n < 0 {
			return p, &Error{1, 1, "A rank is no number: " + row[c]}
		}
		if n > 0 {
			byRank[n] = append(byRank[n], k)
			last = max(last, n)
		}
	}
	for n := 1; n <= last; n++ {
		if len(byRank[n]) == 0 {
			p.marks = append(p.marks, count.Gap)
		}
		for i, k := range byRank[n] {
			m := count.Mark(k)
			if i > 0 {
				m = m.WithPrevious()
			}
			p.marks = append(p.marks, m)
		}
	}
	return p.trim(), nil
}
