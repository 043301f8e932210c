package web

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html/template"
	"math/big"
	"slices"
	"strings"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/count"
	"github.com/omov/omov/count/chart"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/rulebooks"
)

// ResultView is a result as the public sees it.
type ResultView struct {
	Unopposed bool
	Elected   []string
	Sheet     *count.Sheet
	Table     *RoundTable
	Sections  []SectionTable
	Chart     template.HTML
	Turnout   []Turnout
	Figures   []Figure
	Spoilt    string // papers of a sealed election
	Tests     []proceeding.Reached
	Outcome   string
	Secrets   []proceeding.Commit
	Root      string
	Official  bool
	BLT       bool // whether the public may have the papers
}

// RoundTable is votes by round: a row a candidate, a column a round.
type RoundTable struct {
	Rounds []string
	Rows   []RoundRow
	Rest   []string // non-transferable
	Sum    []string
}

// RoundRow is one candidate's row.
type RoundRow struct {
	Name  string
	Won   bool
	Cells []RoundCell
}

// RoundCell is votes and share in one round.
type RoundCell struct{ Votes, Share, Note string }

// SectionTable is one section's votes by round.
type SectionTable struct {
	Name, Weight string
	Table        *RoundTable
}

// Turnout is how many of how many came back.
type Turnout struct {
	Section           string
	Returned, Roll    string
	Share             string
	Valid, InvalidNum string
}

// Figure is one count of a vote.
type Figure struct {
	Label, Votes, Share string
}

// resultView reads the result of the last counted ballot, nil where there is
// none.
func resultView(book *rulebook.Book, st *proceeding.State) (*ResultView, error) {
	if len(st.Elected) > 0 && len(st.Ballots) == 0 {
		r := &ResultView{Unopposed: true, Official: true}
		for _, p := range st.Elected {
			r.Elected = append(r.Elected, p.Name)
		}
		return r, nil
	}
	for i := len(st.Ballots) - 1; i >= 0; i-- {
		if st.Ballots[i].Counted != 0 {
			return ballotResult(&st.Ballots[i], st)
		}
	}
	return nil, nil
}

func ballotResult(b *proceeding.Ballot, st *proceeding.State) (*ResultView, error) {
	r := &ResultView{Outcome: came(b.Outcome), Tests: b.Tests, Secrets: b.Commits, Root: b.Root, Official: true, Turnout: turnout(b)}
	r.BLT = contest.Publishable(b)
	if b.Sheet == "" {
		r.Figures = figures(b)
		return r, nil
	}
	if n := b.Figures["spoilt"]; n > 0 {
		r.Spoilt = group(fmt.Sprint(n))
	}
	r.Sheet = &count.Sheet{}
	if err := json.Unmarshal([]byte(b.Sheet), r.Sheet); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "the count sheet cannot be read")
	}
	r.fill()
	return r, nil
}

// fill makes tables and chart of the sheet.
func (r *ResultView) fill() {
	s := r.Sheet
	r.Elected = s.Elected
	shown := perCent(s)
	r.Table = roundTable(shown, func(st *count.Stage) (count.Tally, *big.Rat) { return st.Votes, sum(st.Votes) })
	if shown != s {
		for i := range r.Table.Rows {
			for k := range r.Table.Rows[i].Cells {
				c := &r.Table.Rows[i].Cells[k]
				if c.Share != "" {
					c.Votes, c.Share = c.Share, ""
				}
			}
		}
	}
	if len(s.Stages) > 0 {
		for i, sec := range s.Stages[0].Sections {
			t := roundTable(s, func(st *count.Stage) (count.Tally, *big.Rat) {
				if i < len(st.Sections) {
					return st.Sections[i].Votes, st.Sections[i].InPlay.Rat()
				}
				return nil, nil
			})
			t.Rest = restOf(s, i)
			r.Sections = append(r.Sections, SectionTable{Name: sec.Name, Weight: string(sec.Weight), Table: t})
		}
	}
	r.Chart = template.HTML(chart.Stages(shown, chart.Options{Title: "Votes by round", ID: "rounds", Width: 480, Words: map[string]string{"stage": "Round", "excluded": "out"}})) // built by package chart, which escapes names
}

// perCent gives a sheet whose totals are per cent where sections have weights,
// so that three thirds are shown as 100 and not as 1; else the sheet itself.
func perCent(s *count.Sheet) *count.Sheet {
	if len(s.Stages) == 0 || len(s.Stages[0].Sections) == 0 {
		return s
	}
	whole := new(big.Rat)
	for _, sec := range s.Stages[0].Sections {
		whole.Add(whole, sec.Weight.Rat())
	}
	if whole.Sign() == 0 {
		return s
	}
	scale := func(a count.Amount) count.Amount {
		x := new(big.Rat).Mul(a.Rat(), big.NewRat(100, 1))
		return count.Amount(x.Quo(x, whole).RatString())
	}
	out := *s
	out.Stages = slices.Clone(s.Stages)
	for i := range out.Stages {
		st := &out.Stages[i]
		st.Votes = slices.Clone(st.Votes)
		for k := range st.Votes {
			st.Votes[k].Votes = scale(st.Votes[k].Votes)
		}
		if st.Quota != "" {
			st.Quota = scale(st.Quota)
		}
	}
	return &out
}

// restOf is what is not transferable in one section, round by round: what was
// in play there at first and is not any more. Where every round is a new
// ballot nothing is transferred.
func restOf(s *count.Sheet, section int) []string {
	var out []string
	for i := range s.Stages {
		st := &s.Stages[i]
		if st.Action == "round" || section >= len(st.Sections) {
			out = append(out, "–")
			continue
		}
		gone := new(big.Rat).Sub(s.Stages[0].Sections[section].InPlay.Rat(), st.Sections[section].InPlay.Rat())
		out = append(out, group(count.Amount(gone.RatString()).Decimal(2)))
	}
	return out
}

func sum(t count.Tally) *big.Rat {
	x := new(big.Rat)
	for _, c := range t {
		x.Add(x, c.Votes.Rat())
	}
	return x
}

func roundTable(s *count.Sheet, get func(*count.Stage) (count.Tally, *big.Rat)) *RoundTable {
	t := &RoundTable{}
	for _, name := range s.Candidates {
		t.Rows = append(t.Rows, RoundRow{Name: name, Won: slices.Contains(s.Elected, name)})
	}
	for i := range s.Stages {
		st := &s.Stages[i]
		t.Rounds = append(t.Rounds, fmt.Sprintf("Round %d", st.N))
		tally, whole := get(st)
		for k := range t.Rows {
			row := &t.Rows[k]
			c := RoundCell{Votes: "–"}
			if a := tally.Of(row.Name); a != "" {
				c.Votes, c.Share = group(a.Decimal(2)), percent(a.Rat(), whole, 2)
			}
			switch {
			case slices.Contains(st.Elected, row.Name):
				c.Note = "elected"
			case slices.Contains(st.Excluded, row.Name):
				c.Note = "out"
			case slices.Contains(st.Withdrawn, row.Name):
				c.Note = "withdrew"
			}
			row.Cells = append(row.Cells, c)
		}
		if st.Action == "round" {
			t.Rest = append(t.Rest, "–") // a new ballot: nothing is transferred
		} else {
			t.Rest = append(t.Rest, group(st.NonTransferable.Decimal(2)))
		}
		t.Sum = append(t.Sum, group(count.Amount(sum(tally).RatString()).Decimal(2)))
	}
	return t
}

func turnout(b *proceeding.Ballot) []Turnout {
	var out []Turnout
	var papers, entitled int64
	for i, s := range b.Roll.Sections {
		t := Turnout{Section: s.Name, Roll: group(fmt.Sprint(s.Entitled))}
		if i < len(b.Returned) {
			n := b.Returned[i].Papers
			t.Returned, t.Share = group(fmt.Sprint(n)), percent(big.NewRat(n, 1), big.NewRat(s.Entitled, 1), 1)
			papers += n
		}
		entitled += s.Entitled
		if t.Section == "" {
			t.Section = "All voters"
		}
		out = append(out, t)
	}
	if len(out) > 1 {
		out = append(out, Turnout{Section: "Together", Returned: group(fmt.Sprint(papers)), Roll: group(fmt.Sprint(entitled)), Share: percent(big.NewRat(papers, 1), big.NewRat(entitled, 1), 1)})
	}
	return out
}

func figures(b *proceeding.Ballot) []Figure {
	var out []Figure
	cast := b.Figures["for"] + b.Figures["against"]
	for _, k := range []string{"for", "against", "abstain", "spoilt", "papers"} {
		n, ok := b.Figures[k]
		if !ok {
			continue
		}
		f := Figure{Label: k, Votes: group(fmt.Sprint(n))}
		if k == "for" || k == "against" {
			f.Share = percent(big.NewRat(n, 1), big.NewRat(max(cast, 0), 1), 2) + " of those for or against"
		}
		out = append(out, f)
	}
	return out
}

// counted finds the counted ballot of a contest.
func (v *visit) counted() (st *proceeding.State, b *proceeding.Ballot, err error) {
	st, _, err = v.state(v.r.PathValue("ref"))
	if err != nil {
		return nil, nil, err
	}
	for i := len(st.Ballots) - 1; i >= 0; i-- {
		if st.Ballots[i].Counted != 0 {
			return st, &st.Ballots[i], nil
		}
	}
	return nil, nil, fault.New(fault.TooEarly, "There is no result yet.")
}

func (v *visit) download(name, kind string) {
	h := v.w.Header()
	h.Set("Content-Type", kind+"; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+v.r.PathValue("ref")+"-"+name+`"`)
}

func (v *visit) sheetJSON() error {
	_, b, err := v.counted()
	if err != nil {
		return err
	}
	if b.Sheet == "" {
		return fault.New(fault.NotFound, "A vote for or against has no count sheet; its figures are on the page.")
	}
	v.download("count-sheet.json", "application/json")
	fmt.Fprintln(v.w, b.Sheet)
	return nil
}

func (v *visit) sheetCSV() error {
	_, b, err := v.counted()
	if err != nil {
		return err
	}
	s := &count.Sheet{}
	if err := json.Unmarshal([]byte(b.Sheet), s); err != nil {
		return fault.New(fault.NotFound, "A vote for or against has no count sheet; its figures are on the page.")
	}
	v.download("count-sheet.csv", "text/csv")
	out := csv.NewWriter(v.w)
	out.Write([]string{"round", "section", "candidate", "votes", "contribution", "status"})
	for _, st := range s.Stages {
		for _, c := range st.Votes {
			out.Write([]string{fmt.Sprint(st.N), "", c.Name, string(c.Votes), "", stageStatus(&st, c.Name)})
		}
		for _, sec := range st.Sections {
			for _, c := range sec.Votes {
				out.Write([]string{fmt.Sprint(st.N), sec.Name, c.Name, string(c.Votes), string(sec.Contribution.Of(c.Name)), ""})
			}
		}
	}
	out.Flush()
	return out.Error()
}

func stageStatus(st *count.Stage, name string) string {
	switch {
	case slices.Contains(st.Elected, name):
		return "elected"
	case slices.Contains(st.Excluded, name):
		return "excluded"
	}
	return ""
}

func (v *visit) rollJSON() error {
	st, _, err := v.state(v.r.PathValue("ref"))
	if err != nil {
		return err
	}
	if len(st.Ballots) == 0 {
		return fault.New(fault.TooEarly, "No roll has been taken yet.")
	}
	v.download("roll-totals.json", "application/json")
	e := json.NewEncoder(v.w)
	e.SetIndent("", "  ")
	return e.Encode(st.Ballots[len(st.Ballots)-1].Roll)
}

// papersBLT gives the papers: to scrutineers, and to everybody where they are
// many and short enough not to be signatures.
func (v *visit) papersBLT() error {
	st, b, err := v.counted()
	if err != nil {
		return err
	}
	if !v.Scrutineer() && !contest.Publishable(b) {
		return &fault.Error{Kind: fault.NotEntitled, Message: "The full papers go to scrutineers.",
			Source: "the rule that a ranking among many candidates, or in a small section, is nearly a signature: it could be bought or demanded as one",
			Remedy: "The count sheet, which is public, shows every round."}
	}
	papers, err := v.papers(st.Ref, b.ID)
	if err != nil {
		return err
	}
	if !v.Scrutineer() {
		sheet := &count.Sheet{}
		if err := json.Unmarshal([]byte(b.Sheet), sheet); err != nil {
			return fault.Wrap(fault.Damaged, err, "the count sheet cannot be read")
		}
		papers = contest.Cut(b, papers, sheet)
	}
	section := v.r.URL.Query().Get("section")
	v.download("papers"+strings.ReplaceAll(section, "/", "-")+".blt", "text/plain")
	return contest.WriteBLT(v.w, b, papers, section, v.Org+" "+st.Ref)
}

// papers reads the papers of a ballot from the minute book.
func (v *visit) papers(ref, ballot string) (papers *contest.PapersBody, err error) {
	err = v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) (err error) {
		papers, err = v.s.Contests.PapersOf(w, ref, ballot)
		return err
	})
	return papers, err
}

// RecountView is a recount under another rulebook.
type RecountView struct {
	Ref, Title string
	Books      []Choice
	Chosen     string
	Under      string
	Result     *ResultView
	Refused    string
}

// recount counts the same papers under another shipped rulebook. What it
// gives is unofficial, and the page says so.
func (v *visit) recount() error {
	st, b, err := v.counted()
	if err != nil {
		return err
	}
	x := &RecountView{Ref: st.Ref, Chosen: v.r.URL.Query().Get("under")}
	for _, name := range rulebooks.Names() {
		title, err := bookTitle(name)
		if err != nil {
			return err
		}
		x.Books = append(x.Books, Choice{name, title, name == x.Chosen})
	}
	if x.Chosen == "" {
		return v.page("recount.html", "Recount under another rulebook", x)
	}
	src, err := rulebooks.Read(x.Chosen)
	if err != nil {
		return err
	}
	other, err := rulebook.Parse(src)
	if err != nil {
		return err
	}
	x.Under = other.Title
	var sheet *count.Sheet
	err = v.alone(func() error {
		papers, err := v.papers(st.Ref, b.ID)
		if err == nil {
			sheet, err = contest.RecountUnder(other, st.Procedure, b, papers)
		}
		return err
	})
	if f := fault.Of(err); f != nil {
		x.Refused = sentence(f.Message)
		return v.page("recount.html", "Recount under another rulebook", x)
	}
	if err != nil {
		return err
	}
	x.Result = &ResultView{Sheet: sheet}
	x.Result.fill()
	return v.page("recount.html", "Recount under another rulebook", x)
}
