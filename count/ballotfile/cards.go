package ballotfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"math/big"
	"slices"
	"strings"

	"github.com/omov/omov/count"
)

// CardFile is what a table of cards holds.
type CardFile struct {
	Options []string
	Cards   []count.Card
}

// ReadCards reads a card vote, one row a unit:
//
//	unit,half,value,For,Against
//	Northern Union,affiliates,1200000,all,
//	Derby,constituencies,750,500,250
//
// half is optional; every column that is not unit, half or value is an
// option. A cell is a number of votes (whole, decimal or fraction), empty for
// none, or all: the whole card (a block vote). Sections whose halves have
// weights are named by the caller.
func ReadCards(r io.Reader, o Options) (*CardFile, error) {
	t, head, err := openTable(r, o)
	if err != nil {
		return nil, err
	}
	unit, half, value := column(head, "unit"), column(head, "half"), column(head, "value")
	if unit < 0 || value < 0 {
		return nil, &Error{1, 1, "A card vote needs the columns unit and value."}
	}
	f := &CardFile{}
	var options []int
	for i, h := range head {
		if i != unit && i != half && i != value {
			options = append(options, i)
			f.Options = append(f.Options, strings.TrimSpace(h))
		}
	}
	for {
		row, err := t.row()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		c := count.Card{Unit: cell(row, unit), Half: cell(row, half), Votes: make([]*big.Rat, len(options))}
		if c.Value = rational(cell(row, value)); c.Value == nil {
			return nil, t.wrong(value, "The value of a card must be a number.")
		}
		for k, at := range options {
			switch s := cell(row, at); s {
			case "":
			case "all":
				c.Votes[k] = c.Value
			default:
				if c.Votes[k] = rational(s); c.Votes[k] == nil {
					return nil, t.wrong(at, "%.40q is no number of votes.", s)
				}
			}
		}
		f.Cards = append(f.Cards, c)
	}
	return f, nil
}

// RoundFile is what a table of rounds holds.
type RoundFile struct {
	Candidates []string
	Sections   []string // "" alone where there are none
	Rounds     []count.Round
}

// ReadRounds reads an exhaustive ballot, one row a round, or a row for each
// section of a round:
//
//	round,section,Ann,Ben,Cy,spoilt,withdraw
//	1,,12,9,4,1,
//	2,,13,12,,0,
//
// section, spoilt and withdraw (names joined by |) are optional; every other
// column is a candidate, whose empty cell means no votes.
func ReadRounds(r io.Reader, o Options) (*RoundFile, error) {
	t, head, err := openTable(r, o)
	if err != nil {
		return nil, err
	}
	round, section := column(head, "round"), column(head, "section")
	spoilt, withdraw := column(head, "spoilt"), column(head, "withdraw")
	if round < 0 {
		return nil, &Error{1, 1, "Rounds need the column round."}
	}
	f := &RoundFile{}
	var who []int
	for i, h := range head {
		if i != round && i != section && i != spoilt && i != withdraw {
			who = append(who, i)
			f.Candidates = append(f.Candidates, strings.TrimSpace(h))
		}
	}
	last := ""
	for {
		row, err := t.row()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if n := cell(row, round); n != last || len(f.Rounds) == 0 {
			f.Rounds = append(f.Rounds, count.Round{})
			last = n
		}
		now := &f.Rounds[len(f.Rounds)-1]
		if err := t.roundRow(f, now, row, who, section, spoilt, withdraw); err != nil {
			return nil, err
		}
	}
	for _, x := range f.Rounds {
		if len(x.Votes) != len(f.Sections) {
			return nil, &Error{t.line, 1, "Every round needs a row for each section."}
		}
	}
	return f, nil
}

func (t *table) roundRow(f *RoundFile, now *count.Round, row []string, who []int, section, spoilt, withdraw int) error {
	name := cell(row, section)
	at := slices.Index(f.Sections, name)
	if at < 0 {
		if len(f.Rounds) > 1 {
			return t.wrong(max(section, 0), "The section %.40q is new in this round.", name)
		}
		at = len(f.Sections)
		f.Sections = append(f.Sections, name)
	}
	if at != len(now.Votes) {
		return t.wrong(max(section, 0), "The sections of a round must come in the same order as in the first, each once.")
	}
	votes := make([]count.Votes, len(who))
	for k, c := range who {
		s := cell(row, c)
		if s == "" || s == "-" {
			continue
		}
		n, ok := token{text: s}.whole()
		if !ok {
			return t.wrong(c, "%.40q is no number of votes.", s)
		}
		votes[k] = n
	}
	now.Votes = append(now.Votes, votes)
	if s := cell(row, spoilt); s != "" {
		n, ok := token{text: s}.whole()
		if !ok || n > count.MaxVotes-now.Spoilt {
			return t.wrong(spoilt, "%.40q is no number of papers.", s)
		}
		now.Spoilt += n
	}
	for name := range strings.FieldsFuncSeq(cell(row, withdraw), func(r rune) bool { return r == '|' }) {
		w := slices.Index(f.Candidates, strings.TrimSpace(name))
		if w < 0 {
			return t.wrong(withdraw, "There is no candidate %.40q.", name)
		}
		now.Withdraw = append(now.Withdraw, w)
	}
	return nil
}

func openTable(r io.Reader, o Options) (*table, []string, error) {
	data, err := slurp(r, o)
	if err != nil {
		return nil, nil, err
	}
	t := &table{data: data, csv: csv.NewReader(bytes.NewReader(data))}
	t.csv.FieldsPerRecord = -1
	t.csv.ReuseRecord = true
	head, err := t.row()
	if err != nil {
		return nil, nil, err
	}
	return t, slices.Clone(head), nil
}

func column(head []string, name string) int {
	return slices.IndexFunc(head, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) })
}

func cell(row []string, at int) string {
	if at < 0 || at >= len(row) {
		return ""
	}
	return strings.TrimSpace(row[at])
}
