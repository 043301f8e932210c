package ballotfile

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/omov/omov/count"
)

// ReadPrefLib reads the ordinal formats of PrefLib (Mattei and Walsh): .soc
// and .soi without, .toc and .toi with equal ranks in braces. Today's form
//
//	# NUMBER ALTERNATIVES: 3
//	# ALTERNATIVE NAME 1: Ann
//	12: 1,{2,3}
//
// and the form before 2022 (number of alternatives; a line "1,Ann" each;
// "voters,sum,distinct"; lines "12,1,{2,3}") are both read.
func ReadPrefLib(data []byte, o Options) (*File, error) {
	p := &preflib{data: data, f: &File{}}
	lines := bytes.SplitAfter(data, []byte("\n"))
	var err error
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("#")) {
		err = p.modern(lines, o)
	} else {
		err = p.old(lines, o)
	}
	if err != nil {
		return nil, err
	}
	p.f.Papers = p.g.Papers()
	return p.f, nil
}

type preflib struct {
	data []byte
	at   int // offset of the line being read
	f    *File
	g    *count.Grouper
}

func (p *preflib) begin(n int64, ok bool, o Options) error {
	if !ok || n < 1 || n > count.MaxCandidates {
		return wrong(p.data, p.at, "The number of alternatives must be between 1 and %d.", count.MaxCandidates)
	}
	p.f.Candidates = make([]string, n)
	p.g = count.NewGrouper(int(n))
	if o.KeepPapers {
		p.g.KeepPapers()
	}
	return nil
}

func (p *preflib) modern(lines [][]byte, o Options) error {
	for _, raw := range lines {
		line := string(bytes.TrimSpace(raw))
		switch {
		case line == "":
		case line[0] == '#':
			if err := p.meta(strings.TrimSpace(line[1:]), o); err != nil {
				return err
			}
		default:
			votes, order, ok := strings.Cut(line, ":")
			if p.g == nil {
				return wrong(p.data, p.at, "The line NUMBER ALTERNATIVES is missing before the first order.")
			}
			if !ok {
				return wrong(p.data, p.at, "A line must be a number of votes, a colon and an order.")
			}
			if err := p.order(votes, order, len(votes)+1); err != nil {
				return err
			}
		}
		p.at += len(raw)
	}
	return p.named()
}

// meta reads "KEY: value".
func (p *preflib) meta(line string, o Options) error {
	key, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch {
	case key == "NUMBER ALTERNATIVES" && p.g == nil:
		n, ok := token{text: value}.whole()
		return p.begin(n, ok, o)
	case key == "TITLE":
		p.f.Title = value
	case strings.HasPrefix(key, "ALTERNATIVE NAME"):
		n, err := strconv.Atoi(strings.TrimSpace(key[len("ALTERNATIVE NAME"):]))
		if err != nil || n < 1 || n > len(p.f.Candidates) {
			return wrong(p.data, p.at, "%q names no alternative of %d.", key, len(p.f.Candidates))
		}
		p.f.Candidates[n-1] = strings.ToValidUTF8(value, "\ufffd")
	}
	return nil
}

// named checks that every alternative has a name of its own.
func (p *preflib) named() error {
	if p.g == nil {
		return wrong(p.data, p.at, "There are no alternatives.")
	}
	seen := make(map[string]bool)
	for i, n := range p.f.Candidates {
		if n == "" {
			return wrong(p.data, p.at, "Alternative %d has no name.", i+1)
		}
		if seen[n] {
			return wrong(p.data, p.at, "Two alternatives have the name %q.", n)
		}
		seen[n] = true
	}
	return nil
}

func (p *preflib) old(lines [][]byte, o Options) error {
	names := 0
	sums := false
	for _, raw := range lines {
		line := string(bytes.TrimSpace(raw))
		switch {
		case line == "":
		case p.g == nil:
			n, ok := token{text: line}.whole()
			if err := p.begin(n, ok, o); err != nil {
				return err
			}
		case names < len(p.f.Candidates):
			number, name, ok := strings.Cut(line, ",")
			n, isNumber := token{text: strings.TrimSpace(number)}.whole()
			if !ok || !isNumber || n < 1 || n > int64(len(p.f.Candidates)) {
				return wrong(p.data, p.at, "Here the name of an alternative should stand, as in 1,Ann.")
			}
			p.f.Candidates[n-1] = strings.ToValidUTF8(strings.TrimSpace(name), "\ufffd")
			names++
		case !sums:
			if strings.Count(line, ",") != 2 {
				return wrong(p.data, p.at, "Here the numbers of voters, votes and distinct orders should stand.")
			}
			sums = true
		default:
			votes, order, _ := strings.Cut(line, ",")
			if err := p.order(votes, order, len(votes)+1); err != nil {
				return err
			}
		}
		p.at += len(raw)
	}
	return p.named()
}

// order adds one order, "1,{2,3}".
func (p *preflib) order(votes, order string, shift int) error {
	w, ok := token{text: strings.TrimSpace(votes)}.whole()
	if !ok {
		return wrong(p.data, p.at, "%.40q is no number of votes.", votes)
	}
	marks := make([]count.Mark, 0, 16)
	braces, first := false, true
	for len(order) > 0 {
		c := order[0]
		switch {
		case c == ' ' || c == ',' || c == '\t':
		case c == '{' && !braces:
			braces, first = true, true
		case c == '}' && braces:
			if braces = false; first {
				marks = append(marks, count.Gap)
			}
			first = true
		case c >= '0' && c <= '9':
			end := 1
			for end < len(order) && order[end] >= '0' && order[end] <= '9' {
				end++
			}
			n, ok := token{text: order[:end]}.whole()
			if !ok || n < 1 || n > int64(len(p.f.Candidates)) {
				return wrong(p.data, p.at+shift, "There is no alternative %.20s, only %d.", order[:end], len(p.f.Candidates))
			}
			m := count.Mark(n - 1)
			if braces && !first {
				m = m.WithPrevious()
			}
			marks, first = append(marks, m), false
			order = order[end-1:]
			shift += end - 1
		default:
			return wrong(p.data, p.at+shift, "%q has no business in an order.", c)
		}
		if len(marks) > maxMarks {
			return wrong(p.data, p.at, "An order has more than %d marks.", maxMarks)
		}
		order = order[1:]
		shift++
	}
	if braces {
		return wrong(p.data, p.at+shift, "A brace is not closed.")
	}
	if err := p.g.Add(marks, w); err != nil {
		return located(p.data, p.at, err)
	}
	return nil
}
