package count

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text writes the sheet for people: a block a stage, names to the left,
// amounts in one column, then who was elected or excluded and why. Fractions
// are rounded to five places and marked with ≈; the JSON sheet has them exact.
func (s *Sheet) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s — %s\n", s.Method, s.Source)
	fmt.Fprintf(&b, "%d candidates for %d %s; valid %s, invalid %s (of which blank %s)\n", len(s.Candidates), s.Seats,
		plural(s.Seats, "place", "places"), s.Valid, s.Invalid, s.Blank)
	if len(s.Withdrawn) > 0 {
		fmt.Fprintf(&b, "withdrawn: %s\n", list(s.Withdrawn))
	}
	for _, st := range s.Stages {
		st.text(&b)
	}
	s.textPairs(&b)
	b.WriteString("\nResult\n")
	if s.Carried != nil {
		word := "not carried"
		if *s.Carried {
			word = "carried"
		}
		fmt.Fprintf(&b, "  %s\n", word)
	} else {
		for i, n := range s.Elected {
			fmt.Fprintf(&b, "  %d. %s\n", i+1, n)
		}
	}
	if len(s.Ranking) > 1 {
		rows := make([]string, len(s.Ranking))
		for i, r := range s.Ranking {
			rows[i] = strings.Join(r, " = ")
		}
		fmt.Fprintf(&b, "  order: %s\n", strings.Join(rows, " > "))
	}
	for _, n := range s.Notes {
		fmt.Fprintf(&b, "  note: %s\n", n)
	}
	return b.String()
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func (st *Stage) text(b *strings.Builder) {
	fmt.Fprintf(b, "\nStage %d: %s\n", st.N, st.Action)
	width := 18
	for _, c := range st.Votes {
		width = max(width, utf8.RuneCountInString(c.Name))
	}
	row := func(name string, a Amount, mark string) {
		if a != "" {
			line := fmt.Sprintf("  %s %16s  %s", pad(name, width), readable(a), mark)
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	for _, c := range st.Votes {
		row(c.Name, c.Votes, st.mark(c.Name))
	}
	row("non-transferable", st.NonTransferable, "")
	if st.Rounding != "" && st.Rounding.Rat().Sign() != 0 {
		row("lost to rounding", st.Rounding, "")
	}
	row("needed", st.Quota, "")
	for _, s := range st.Sections {
		fmt.Fprintf(b, "  section %s: weight %s, %s votes in play\n", s.Name, readable(s.Weight), readable(s.InPlay))
		for i, c := range s.Votes {
			row("  "+c.Name, c.Votes, "gives "+readable(s.Contribution[i].Votes))
		}
	}
	for _, g := range st.Groups {
		fmt.Fprintf(b, "  of these, %s (%s)\n", g.Name, readable(g.Total))
		for _, c := range g.Votes {
			row("  "+c.Name, c.Votes, "")
		}
	}
	if len(st.Withdrawn) > 0 {
		fmt.Fprintf(b, "  withdrew: %s\n", list(st.Withdrawn))
	}
	for _, t := range st.Ties {
		fmt.Fprintf(b, "  tie for %s among %s, broken by %s: %s\n", t.For, list(t.Among), t.How, list(t.Picked))
		if len(t.Order) > 0 {
			fmt.Fprintf(b, "    lot %d drew: %s\n", t.Number, list(t.Order))
		}
		if t.Reading != "" {
			fmt.Fprintf(b, "    reading: %s\n", t.Reading)
		}
	}
	if st.Note != "" {
		fmt.Fprintf(b, "  %s\n", st.Note)
	}
}

func (st *Stage) mark(name string) string {
	for _, n := range st.Elected {
		if n == name {
			return "elected"
		}
	}
	for _, n := range st.Excluded {
		if n == name {
			return "excluded"
		}
	}
	return ""
}

// textPairs writes the matrix of pairs: the row's candidate over the
// column's.
func (s *Sheet) textPairs(b *strings.Builder) {
	if len(s.Pairs) == 0 {
		return
	}
	b.WriteString("\nVotes for the row over the column\n")
	width := 4
	for i, row := range s.Pairs {
		width = max(width, utf8.RuneCountInString(s.Candidates[i]))
		for _, a := range row {
			width = max(width, len(readable(a)))
		}
	}
	width = min(width, 24)
	fmt.Fprintf(b, "  %s", pad("", width))
	for i := range s.Candidates {
		fmt.Fprintf(b, " %8s", "("+strconv.Itoa(i+1)+")")
	}
	b.WriteString("\n")
	for i, row := range s.Pairs {
		fmt.Fprintf(b, "  %s", pad(fmt.Sprintf("(%d) %s", i+1, s.Candidates[i]), width))
		for j, a := range row {
			cell := readable(a)
			if i == j {
				cell = "·"
			}
			fmt.Fprintf(b, " %8s", cell)
		}
		b.WriteString("\n")
	}
}

// readable rounds fractions for the eye.
func readable(a Amount) string {
	if strings.Contains(string(a), "/") {
		r := a.Rat()
		if n, exact := r.FloatPrec(); exact && n <= 5 {
			return r.FloatString(n)
		}
		return "≈" + a.Decimal(5)
	}
	return string(a)
}

func pad(s string, width int) string {
	if n := utf8.RuneCountInString(s); n < width {
		return s + strings.Repeat(" ", width-n)
	}
	return s
}

// Rows gives the sheet as a table: a heading, then a row for each candidate
// of each stage: stage, action, section ("" for the whole), name, votes,
// decimal (five places), state (elected, excluded or "").
func (s *Sheet) Rows() [][]string {
	out := [][]string{{"stage", "action", "section", "name", "votes", "decimal", "state"}}
	for _, st := range s.Stages {
		n := strconv.Itoa(st.N)
		add := func(section, name string, a Amount, mark string) {
			out = append(out, []string{n, st.Action, section, name, string(a), a.Decimal(5), mark})
		}
		for _, c := range st.Votes {
			add("", c.Name, c.Votes, st.mark(c.Name))
		}
		add("", "non-transferable", st.NonTransferable, "")
		for _, sec := range st.Sections {
			for _, c := range sec.Votes {
				add(sec.Name, c.Name, c.Votes, "")
			}
		}
	}
	return out
}

// Percent gives an amount as a percentage of a whole, as text with so many
// places, "" where the whole is nought.
func Percent(a, whole Amount, places int) string {
	w := whole.Rat()
	if w.Sign() == 0 {
		return ""
	}
	r := new(big.Rat).Quo(a.Rat(), w)
	return r.Mul(r, big.NewRat(100, 1)).FloatString(places)
}
