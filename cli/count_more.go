package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/omov/omov/count"
	"github.com/omov/omov/count/ballotfile"
)

func asError[T error](err error, to *T) bool { return errors.As(err, to) }

// CompareCmd counts the same papers by several methods.
type CompareCmd struct {
	Methods []string `help:"The methods, as av,schulze,meek-prf." required:"" placeholder:"IDS"`
	File    string   `arg:"" help:"BLT, PrefLib or CSV, also gzipped; - for standard input."`
	ContestFlags
}

// Run prints a line a method: who is elected, or why it cannot be counted.
// Methods of one seat fill one even where the file has more; each line says
// so.
func (c *CompareCmd) Run(s *Streams) error {
	f, err := readPapers(s, c.File, ballotfile.Options{})
	if err != nil {
		return err
	}
	contest, err := c.contest(f)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "method\tplaces\tstages\telected")
	for _, id := range c.Methods {
		m, err := count.Find(id)
		if err != nil {
			return err
		}
		x := contest
		if !m.Many {
			x.Seats = 1
		}
		if id == "plurality-at-large" && x.MaxMarks == 0 {
			x.TooMany = count.Stop // of a ranked paper, the first marks
		}
		sheet, err := count.Count(id, x, count.Pool(f.Papers))
		if err != nil {
			fmt.Fprintf(w, "%s\t\t\tnot counted: %v\n", id, err)
			continue
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\n", id, sheet.Seats, len(sheet.Stages), strings.Join(sheet.Elected, ", "))
	}
	return w.Flush()
}

// CountbackCmd fills a casual vacancy.
type CountbackCmd struct {
	Method    string   `help:"The method of the election." required:"" placeholder:"ID"`
	Rule      string   `help:"recount: all papers, those in office guarded; papers: only those that elected the member who left." default:"recount" enum:"recount,papers"`
	Vacating  string   `help:"Whose place is to be filled." required:"" placeholder:"NAME"`
	Unwilling []string `help:"A candidate who does not stand for the vacancy (repeat)." sep:"none" placeholder:"NAME"`
	Format    string   `help:"text, json or csv." default:"text" enum:"text,json,csv"`
	File      string   `arg:"" help:"The papers of the election."`
	ContestFlags
}

// Run fills the vacancy.
func (c *CountbackCmd) Run(s *Streams) error {
	f, err := readPapers(s, c.File, ballotfile.Options{})
	if err != nil {
		return err
	}
	contest, err := c.contest(f)
	if err != nil {
		return err
	}
	v := count.Vacancy{Rule: count.CountbackRule(c.Rule), Vacating: slices.Index(f.Candidates, c.Vacating)}
	for _, name := range c.Unwilling {
		v.Unwilling = append(v.Unwilling, slices.Index(f.Candidates, name))
	}
	sheet, err := count.Countback(c.Method, contest, v, count.Pool(f.Papers))
	if err != nil {
		return err
	}
	return write(s.Out, sheet, c.Format)
}

// MethodsCmd lists the methods.
type MethodsCmd struct{}

// Run lists them.
func (*MethodsCmd) Run(s *Streams) error {
	w := tabwriter.NewWriter(s.Out, 0, 8, 2, ' ', 0)
	for _, m := range count.Methods() {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", m.ID, m.Kind, m.Name, m.Source)
	}
	return w.Flush()
}

// audit writes a line for every paper:
//
//	number TAB section TAB stage:name[@value] …
//
// in the order of the file; papers that were set aside say "not counted",
// those without a mark "blank".
func audit(w io.Writer, sheet *count.Sheet, sections []count.Section) error {
	for k, sec := range sections {
		lines := make([]string, sec.Papers.Len())
		for g := range lines {
			var path count.Path
			if k < len(sheet.Trail) {
				path = sheet.Trail[k][g]
			}
			lines[g] = "\t" + sec.Name + "\t" + pathText(sheet, path) + "\n"
		}
		b := make([]byte, 0, 256)
		for n := range sec.Papers.Added() {
			line := "\t" + sec.Name + "\tblank\n"
			if g, ok := sec.Papers.GroupOf(n); ok {
				line = lines[g]
			}
			b = strconv.AppendInt(b[:0], int64(n)+1, 10)
			b = append(b, line...)
			if _, err := w.Write(b); err != nil {
				return err
			}
		}
	}
	return nil
}

func pathText(sheet *count.Sheet, path count.Path) string {
	if len(path) == 0 {
		return "not counted"
	}
	parts := make([]string, len(path))
	for i, p := range path {
		name := "non-transferable"
		if p.Candidate >= 0 {
			name = sheet.Candidates[p.Candidate]
		}
		parts[i] = strconv.Itoa(p.Stage) + ":" + name
		if p.Value != "" {
			parts[i] += "@" + string(p.Value)
		}
	}
	return strings.Join(parts, " ")
}
