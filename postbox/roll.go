package postbox

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/sealed"
)

// Line is a line of the roll that an officer has exported: a credential is made
// for each. A voter who votes in two sections has two lines.
type Line struct {
	Voter   int64  `json:"voter"` // a person's number, or minus a unit's
	Name    string `json:"name"`
	Email   string `json:"email"`
	Section string `json:"section"`
	Class   string `json:"class"`
}

// maxRoll is the most lines that a roll has, and the most bytes of its file.
const (
	maxRoll     = 4_000_000
	maxRollFile = 1 << 30
)

// rollColumns are the columns of a roll's file, in any order.
func rollColumns() []string { return []string{"voter", "name", "email", "section", "class"} }

// ReadRoll reads a roll as the officer's page exports it: CSV in UTF-8 with the
// columns voter, name, email, section, class. What is wrong is said by its line.
func ReadRoll(in io.Reader) ([]Line, error) {
	r := csv.NewReader(&io.LimitedReader{R: in, N: maxRollFile})
	head, err := r.Read()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the roll cannot be read: it is CSV with the heading %s", strings.Join(rollColumns(), ","))
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	at := make([]int, len(rollColumns()))
	for i, name := range rollColumns() {
		if at[i] = slices.Index(head, name); at[i] < 0 {
			return nil, fault.New(fault.Invalid, "the roll has no column %q; its heading is %s", name, strings.Join(rollColumns(), ","))
		}
	}
	var out []Line
	seen := map[string]int{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the roll cannot be read any further")
		}
		n, _ := r.FieldPos(0)
		l, err := rollLine(n, row, at)
		if err != nil {
			return nil, err
		}
		place := fmt.Sprint(l.Voter, " ", l.Section)
		if before := seen[place]; before > 0 {
			return nil, fault.New(fault.Invalid, "line %d of the roll: voter %d stands in line %d already, in the same section", n, l.Voter, before)
		}
		if seen[place] = n; len(out) >= maxRoll {
			return nil, fault.New(fault.TooMuch, "the roll has more than %d lines", maxRoll)
		}
		out = append(out, l)
	}
}

func rollLine(n int, row []string, at []int) (Line, error) {
	l := Line{Name: row[at[1]], Email: row[at[2]], Section: row[at[3]], Class: row[at[4]]}
	var err error
	if l.Voter, err = strconv.ParseInt(row[at[0]], 10, 64); err != nil || l.Voter == 0 {
		return l, fault.New(fault.Invalid, "line %d of the roll: %q is not a voter's number", n, plain(row[at[0]]))
	}
	for _, x := range row {
		if plain(x) != x {
			return l, fault.New(fault.Invalid, "line %d of the roll: %q is too long, or has signs that do not belong into a letter", n, plain(x))
		}
	}
	return l, nil
}

// fits refuses a roll that is not the ballot's: another place, or other figures
// than the ballot is held by.
func fits(b *Ballot, m *sealed.Manifest, roll []Line) error {
	type where struct{ section, class string }
	have, want := map[where]int64{}, map[where]int64{}
	for _, s := range m.Sections {
		for _, c := range s.Classes {
			want[where{s.ID, c.ID}] = 0
		}
	}
	for _, s := range b.Sections {
		if _, ok := want[where{s.ID, s.Class}]; ok {
			want[where{s.ID, s.Class}] = s.Entitled
		}
	}
	for i, l := range roll {
		w := where{l.Section, l.Class}
		if _, ok := want[w]; !ok {
			return fault.New(fault.Invalid, "the roll has voter %d (the %s of it) in section %q, class %q, and the ballot has no such: is it the roll of this ballot?", l.Voter, ordinal(i+1), l.Section, l.Class)
		}
		have[w]++
	}
	for _, s := range m.Sections {
		for _, c := range s.Classes {
			w := where{s.ID, c.ID}
			if have[w] != want[w] {
				f := fault.New(fault.Invalid, "the roll that you have been given has %d voters in section %s, class %s; the ballot is held by a roll of %d. Nothing was made", have[w], s.ID, c.ID, want[w])
				f.Remedy = "Ask the returning officer to export the roll of this ballot again, and how the two came to differ."
				return f
			}
		}
	}
	return nil
}

func ordinal(n int) string {
	suffix := "th"
	if d := n % 10; n/10%10 != 1 && d >= 1 && d <= 3 {
		suffix = []string{"st", "nd", "rd"}[d-1]
	}
	return strconv.Itoa(n) + suffix
}

// cell makes text safe for a spreadsheet, which takes what begins like a formula
// for one: a name on the roll could send the code beside it away.
func cell(s string) string {
	if s != "" && bytes.IndexByte([]byte("=+-@\t\r"), s[0]) >= 0 {
		return "'" + s
	}
	return s
}
