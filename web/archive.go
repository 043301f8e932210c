package web

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/omov/omov/archive"
	"github.com/omov/omov/count"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/rulebooks"
)

func (s *Site) archiveRoutes() {
	s.handle("GET /archive", (*visit).archiveList)
	s.handle("GET /archive/{id}", (*visit).archiveContest)
	s.handle("GET /archive/{id}/count-sheet.json", (*visit).archiveSheet)
}

// ArchiveRow is one published contest in the list.
type ArchiveRow struct {
	ID, Title, Date, Book, Winner, Confidence string
	Rounds, Wrong                             int
}

// DivisionView is one printed card vote.
type DivisionView struct {
	archive.Division
	When  string
	Slips []archive.Slip
}

// ArchiveList is the list of published contests, by organisation.
type ArchiveList struct {
	Organisation string
	Rows         []ArchiveRow
	Divisions    []DivisionView
}

func (v *visit) archiveList() error {
	all, err := archive.All()
	if err != nil {
		return err
	}
	x := &ArchiveList{}
	titles := map[string]string{}
	for _, c := range all {
		if titles[c.Rulebook] == "" {
			if titles[c.Rulebook], err = bookTitle(c.Rulebook); err != nil {
				return err
			}
		}
		x.Organisation = c.Organisation
		r := ArchiveRow{ID: c.ID, Title: c.Title, Date: longDate(c.Date), Book: titles[c.Rulebook], Winner: c.Winner,
			Confidence: c.Confidence, Rounds: len(c.Rounds), Wrong: len(c.Wrong)}
		for _, q := range c.Ratios {
			if q.Is != "" {
				r.Wrong++
			}
		}
		x.Rows = append(x.Rows, r)
	}
	divisions, err := archive.Divisions()
	if err != nil {
		return err
	}
	for _, d := range divisions {
		y := DivisionView{Division: d, When: longDate(d.Date)}
		if y.Slips, err = d.Slips(); err != nil {
			return err
		}
		for i, s := range y.Slips {
			if w := d.Reason(s); w != nil {
				y.Slips[i] = *w
			}
		}
		x.Divisions = append(x.Divisions, y)
	}
	return v.page("archive.html", "Archive", x)
}

func bookTitle(name string) (string, error) {
	src, err := rulebooks.Read(name)
	if err != nil {
		return "", err
	}
	b, err := rulebook.Parse(src)
	if err != nil {
		return "", err
	}
	return b.Title, nil
}

// longDate writes a date of the archive for people; one that is not a whole
// date stays as it is.
func longDate(s string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return s
	}
	return t.Format("2\u00a0January\u00a02006") // on one line
}

// ArchivePage is one published contest.
type ArchivePage struct {
	C        *archive.Contest
	Date     string
	Under    string
	Clause   string
	Result   *ResultView
	Carried  bool
	Groups   *GroupTable
	Compared int
	Wrong    []WrongFigure
	Ratios   []RatioRow
	Unit     []string // what one vote is, where it is no single paper
	Apart    []string // sections whose votes are not the published ones

	Books    []Choice
	Recount  *ResultView
	RGroups  *GroupTable
	RUnder   string
	Refused  string
	Election bool
}

// Choice is one option of a form.
type Choice struct {
	Value, Says string
	Chosen      bool
}

// WrongFigure is a printed figure that the votes do not give.
type WrongFigure struct {
	Round                             int
	What, Candidate, Printed, Is, Why string
	Source                            string
}

// RatioRow is a printed per cent of one number in another.
type RatioRow struct {
	Says, Part, Whole, Printed, Is, Why string
	Agrees                              bool
}

// GroupTable is the votes of one round: a row a candidate, a column a kind of
// voter in one pool, or a section.
type GroupTable struct {
	Groups []string
	Weighs []string // of sections
	Rows   []RoundRow
	Totals []string
}

func (v *visit) archiveContest() error {
	c, err := archive.Find(v.r.PathValue("id"))
	if err != nil {
		return err
	}
	r, err := c.Count()
	if err != nil {
		return err
	}
	x := &ArchivePage{C: c, Date: longDate(c.Date), Under: r.Rulebook, Clause: r.Clause, Election: c.Winner != ""}
	x.Result, x.Groups = archiveResult(c, r)
	x.Carried = r.Sheet.Carried != nil && *r.Sheet.Carried
	if err := x.figures(r); err != nil {
		return err
	}
	for _, s := range c.Sections {
		if s.Unit != "" {
			x.Unit = append(x.Unit, s.Says+": "+s.Unit)
		}
		if s.Constructed != "" {
			x.Apart = append(x.Apart, s.Says+": "+s.Constructed)
		}
	}
	if x.Election {
		if err := x.recount(v.r.URL.Query().Get("under")); err != nil {
			return err
		}
	}
	return v.page("archive_contest.html", c.Title, x)
}

// recount counts under the rulebook that was chosen; a refusal is shown.
func (x *ArchivePage) recount(chosen string) error {
	for _, name := range rulebooks.Names() {
		if name == x.C.Rulebook {
			continue
		}
		title, err := bookTitle(name)
		if err != nil {
			return err
		}
		x.Books = append(x.Books, Choice{name, title, name == chosen})
	}
	if chosen == "" {
		return nil
	}
	r, err := x.C.Under(chosen)
	if f := fault.Of(err); f != nil {
		x.Refused = sentence(f.Message)
		return nil
	}
	if err != nil {
		return err
	}
	x.RUnder = r.Rulebook
	x.Recount, x.RGroups = archiveResult(x.C, r)
	return nil
}

// archiveResult makes a result page's tables of a published contest, with
// the sections called as they were published.
func archiveResult(c *archive.Contest, r *archive.Result) (*ResultView, *GroupTable) {
	v := &ResultView{Sheet: r.Sheet}
	v.fill()
	for i := range v.Sections {
		for _, s := range c.Sections {
			if r.Section[s.Name] == v.Sections[i].Name {
				v.Sections[i].Name = s.Says
			}
		}
	}
	if g := sectionTable(v); g != nil {
		v.Sections = nil // one table says it
		return v, g
	}
	return v, groupTable(r.Sheet)
}

// sectionTable puts the sections of a count with one round side by side.
func sectionTable(v *ResultView) *GroupTable {
	if len(v.Sheet.Stages) != 1 || len(v.Sections) == 0 {
		return nil
	}
	t := &GroupTable{}
	for _, row := range v.Table.Rows {
		t.Rows = append(t.Rows, RoundRow{Name: row.Name, Won: row.Won})
	}
	for i, s := range v.Sections {
		t.Groups, t.Weighs = append(t.Groups, s.Name), append(t.Weighs, s.Weight)
		t.Totals = append(t.Totals, group(v.Sheet.Stages[0].Sections[i].InPlay.Decimal(2)))
		for k := range t.Rows {
			c := s.Table.Rows[k].Cells[0]
			t.Rows[k].Cells = append(t.Rows[k].Cells, RoundCell{Votes: c.Votes, Share: c.Share})
		}
	}
	return t
}

func groupTable(s *count.Sheet) *GroupTable {
	if len(s.Stages) == 0 || len(s.Stages[0].Groups) < 2 {
		return nil
	}
	t := &GroupTable{}
	for _, name := range s.Candidates {
		t.Rows = append(t.Rows, RoundRow{Name: name, Won: slices.Contains(s.Elected, name)})
	}
	for _, g := range s.Stages[0].Groups {
		t.Groups = append(t.Groups, g.Name)
		t.Totals = append(t.Totals, group(g.Total.Decimal(2)))
		for i := range t.Rows {
			a := g.Votes.Of(t.Rows[i].Name)
			t.Rows[i].Cells = append(t.Rows[i].Cells, RoundCell{Votes: group(a.Decimal(2)), Share: percent(a.Rat(), g.Total.Rat(), 2)})
		}
	}
	return t
}

// figures lists what was printed wrong, and the printed ratios.
func (x *ArchivePage) figures(r *archive.Result) error {
	list, err := x.C.Figures(r)
	if err != nil {
		return err
	}
	x.Compared = len(list)
	for _, f := range list {
		if f.Wrong == nil {
			continue
		}
		x.Wrong = append(x.Wrong, WrongFigure{Round: f.Round, What: x.what(f), Candidate: f.Candidate, Printed: f.Published,
			Is: f.Wrong.Is, Why: f.Wrong.Why, Source: f.Source})
	}
	for i := range x.C.Ratios {
		q := &x.C.Ratios[i]
		is := q.Is
		if is == "" {
			is = q.Percent().FloatString(2)
		}
		x.Ratios = append(x.Ratios, RatioRow{Says: q.Says, Part: group(big.NewInt(q.Part).String()), Whole: group(big.NewInt(q.Whole).String()),
			Printed: q.Published, Is: is, Why: q.Why, Agrees: q.Agrees()})
	}
	return nil
}

func (x *ArchivePage) what(f archive.Figure) string {
	says := map[archive.Measure]string{archive.Share: "share of the votes of", archive.Contribution: "contribution of", archive.Total: "total", archive.Votes: "votes"}[f.Of]
	for _, s := range x.C.Sections {
		if s.Name == f.Section {
			return says + " " + strings.ToLower(s.Says[:1]) + s.Says[1:]
		}
	}
	return says
}

func (v *visit) archiveSheet() error {
	c, err := archive.Find(v.r.PathValue("id"))
	if err != nil {
		return err
	}
	r, err := c.Count()
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+c.ID+`-count-sheet.json"`)
	return json.NewEncoder(v.w).Encode(r.Sheet)
}
