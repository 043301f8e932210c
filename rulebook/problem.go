package rulebook

import (
	"fmt"
	"sort"
	"strings"
)

// Code names one check of the checker; docs/rulebook.md lists them.
type Code string

// Problem is one thing that is wrong with a rulebook, or, where Warning is
// set, legal and unwise. Message is a whole sentence; Remedy says what to
// write instead and may be empty.
type Problem struct {
	Code    Code
	Pos     Pos
	Message string
	Remedy  string
	Warning bool
}

// String gives the problem on one line: where, what, and what to do.
func (p Problem) String() string {
	kind := "error"
	if p.Warning {
		kind = "warning"
	}
	s := fmt.Sprintf("%d:%d: %s: %s [%s]", p.Pos.Line, p.Pos.Column, kind, p.Message, p.Code)
	if p.Remedy != "" {
		s += "\n    " + p.Remedy
	}
	return s
}

// Problems is everything that a check has found, in the order of the source.
// As an error it is returned only when it holds at least one error.
type Problems []Problem

// Error gives every problem on its own line.
func (ps Problems) Error() string {
	var b strings.Builder
	for i, p := range ps {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.String())
	}
	return b.String()
}

// Errors gives those that make the book unusable.
func (ps Problems) Errors() Problems { return ps.only(false) }

// Warnings gives those that are legal and unwise.
func (ps Problems) Warnings() Problems { return ps.only(true) }

func (ps Problems) only(warning bool) Problems {
	var out Problems
	for _, p := range ps {
		if p.Warning == warning {
			out = append(out, p)
		}
	}
	return out
}

// Has tells whether a problem with the code was found.
func (ps Problems) Has(c Code) bool {
	for _, p := range ps {
		if p.Code == c {
			return true
		}
	}
	return false
}

// maxProblems bounds a report: a file that is no rulebook at all would
// otherwise give a line of complaint for each of its lines.
const maxProblems = 200

// complaints collects problems while a book is read.
type complaints struct{ list Problems }

func (c *complaints) add(p Problem) {
	if len(c.list) < maxProblems {
		c.list = append(c.list, p)
	}
}

// err records an error; remedy may be empty.
func (c *complaints) err(code Code, at Pos, remedy, format string, args ...any) {
	c.add(Problem{Code: code, Pos: at, Message: fmt.Sprintf(format, args...), Remedy: remedy})
}

// warn records a warning; remedy may be empty.
func (c *complaints) warn(code Code, at Pos, remedy, format string, args ...any) {
	c.add(Problem{Code: code, Pos: at, Message: fmt.Sprintf(format, args...), Remedy: remedy, Warning: true})
}

// sorted gives the problems in the order of the source, without repeats.
func (c *complaints) sorted() Problems {
	out := append(Problems(nil), c.list...)
	sort.SliceStable(out, func(i, j int) bool {
		a, b := out[i].Pos, out[j].Pos
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
	kept := out[:0]
	for i, p := range out {
		if i > 0 && p == out[i-1] {
			continue
		}
		kept = append(kept, p)
	}
	return kept
}

// didYouMean gives "did you mean `x`?" for the nearest of the known names, or
// "" where none is near.
func didYouMean(name string, known []string) string {
	if len(name) > 64 {
		return ""
	}
	best, dist := "", min(2, len(name)/3)+1
	for _, k := range known {
		if len(k) > 64 {
			continue
		}
		if strings.EqualFold(k, name) {
			best = k
			break
		}
		if d := editDistance(name, k); d < dist || d == dist && best != "" && k < best {
			best, dist = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "did you mean `" + best + "`?"
}

// editDistance counts the letters to insert, remove, replace or swap with
// their neighbour to get from a to b.
func editDistance(a, b string) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
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
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
