package contest

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/omov/omov/count"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
)

// WriteBLT writes the papers of a ballot as a BLT file that `omov count`
// reads: of one section, or, with section empty, of all that there are
// together.
func WriteBLT(out io.Writer, b *proceeding.Ballot, papers *PapersBody, section, title string) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%d %d\n", len(b.Options), max(1, b.Seats))
	found := section == ""
	for _, s := range papers.Sections {
		if section != "" && s.Section != section {
			continue
		}
		found = true
		for _, p := range s.Papers {
			if p.Value != "" && strings.Contains(p.Value, "/") {
				return fault.New(fault.Invalid, "Papers worth fractions cannot be written as a BLT file.")
			}
			weight := fmt.Sprint(p.N)
			if p.Value != "" {
				for range p.N {
					writePaper(w, p.Value, p.Marks)
				}
				continue
			}
			writePaper(w, weight, p.Marks)
		}
	}
	if !found {
		return fault.New(fault.NotFound, "This ballot has no section %q.", section)
	}
	fmt.Fprintln(w, "0")
	for _, n := range proceeding.OptionNames(b.Options) {
		fmt.Fprintf(w, "%q\n", n)
	}
	fmt.Fprintf(w, "%q\n", title)
	if err := w.Flush(); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the papers could not be written")
	}
	return nil
}

// Cut leaves of each paper only what the declared count looked at: its marks
// up to the first for a candidate who was still there at the last stage. The
// count of what is left is the same, and a long ranking is no signature any
// more. For methods that pass whole votes on (av, plurality).
func Cut(b *proceeding.Ballot, papers *PapersBody, sheet *count.Sheet) *PapersBody {
	gone := map[string]bool{}
	for i := range sheet.Stages {
		if i == len(sheet.Stages)-1 {
			break
		}
		for _, n := range slices.Concat(sheet.Stages[i].Excluded, sheet.Stages[i].Withdrawn) {
			gone[n] = true
		}
	}
	list := proceeding.OptionNames(b.Options)
	out := &PapersBody{Ballot: papers.Ballot}
	for _, s := range papers.Sections {
		short := SectionPapers{Section: s.Section}
		at := map[string]int{}
		for _, p := range s.Papers {
			p.Marks = cutMarks(p.Marks, func(m int) bool { return gone[list[m]] })
			key := fmt.Sprint(p.Marks, p.Value)
			if i, ok := at[key]; ok {
				short.Papers[i].N += p.N
				continue
			}
			at[key] = len(short.Papers)
			short.Papers = append(short.Papers, p)
		}
		out.Sections = append(out.Sections, short)
	}
	return out
}

func cutMarks(marks []int, gone func(int) bool) []int {
	for i, m := range marks {
		if !gone(m) {
			return marks[:i+1]
		}
	}
	return marks
}

// MinPublic is how many papers every section must have before papers can be
// public.
const MinPublic = 100

// Publishable tells whether the public may have the papers of a ballot, cut.
func Publishable(b *proceeding.Ballot) bool {
	if b.Method != "av" && b.Method != "plurality" || b.How == "recorded" {
		return false
	}
	for _, r := range b.Returned {
		if r.Papers < MinPublic {
			return false
		}
	}
	return len(b.Returned) > 0
}

func writePaper(w io.Writer, weight string, marks []int) {
	fmt.Fprint(w, weight)
	for _, m := range marks {
		fmt.Fprintf(w, " %d", m+1)
	}
	fmt.Fprintln(w, " 0")
}
