package web

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// Row is one contest in a list.
type Row struct {
	Ref, Title, Stage, Tag, When, Outcome string
	Ballot, Ended                         bool
}

func (s *Site) contestRoutes() {
	s.handle("GET /contests", (*visit).contests)
	s.handle("GET /contests/{ref}", (*visit).contest)
	s.handle("POST /contests/{ref}/nominate", (*visit).nominate)
	s.handle("POST /contests/{ref}/unback", (*visit).unback)
	s.handle("POST /contests/{ref}/answer", (*visit).answer)
	s.handle("POST /contests/{ref}/withdraw", (*visit).withdraw)
	s.handle("GET /contests/{ref}/result.json", (*visit).sheetJSON)
	s.handle("GET /contests/{ref}/result.csv", (*visit).sheetCSV)
	s.handle("GET /contests/{ref}/roll.json", (*visit).rollJSON)
	s.handle("GET /contests/{ref}/papers.blt", (*visit).papersBLT)
	s.handle("GET /contests/{ref}/recount", (*visit).recount)
}

// rows lists every contest, the live ones first.
func (v *visit) rows(w *chamber.World) ([]Row, error) {
	states, err := v.readable(w)
	if err != nil {
		return nil, err
	}
	var live, over []Row
	for _, st := range states {
		book, err := v.s.Chamber.Book(w.Tx(), st.Book)
		if err != nil {
			return nil, err
		}
		r := row(book, st, w.At().UnixMilli())
		if r.Ended {
			over = append(over, r)
		} else {
			live = append(live, r)
		}
	}
	return append(live, over...), nil
}

func row(book *rulebook.Book, st *proceeding.State, at int64) Row {
	r := Row{Ref: st.Ref, Title: contest.Title(book, st), Ended: !st.Live()}
	switch {
	case st.Phase == proceeding.Lapsed:
		r.Tag, r.Outcome = "lapsed", "The call did not find its support in time."
	case st.Phase == proceeding.Ended:
		r.Tag, r.Outcome = "decided", outcome(st)
	case st.Phase == proceeding.Collecting:
		r.Tag, r.When = "collecting support", "until "+moment(book, st.Backing.Closes)
	case st.Phase == proceeding.Halted:
		r.Tag, r.When = "waits", "for "+spaced(st.Waits)
	case st.Phase == proceeding.Stayed:
		r.Tag = "stayed"
	default:
		liveRow(&r, book, st, at)
	}
	return r
}

func liveRow(r *Row, book *rulebook.Book, st *proceeding.State, at int64) {
	now := st.Now()
	if now == nil {
		return
	}
	r.Stage = spaced(now.Name)
	b := st.OpenBallot()
	switch {
	case b != nil && b.Closed == 0 && b.Closes != 0 && at >= b.Closes:
		r.Tag, r.When = "voting has ended", "to be closed and counted by the officers"
	case b != nil && b.Closed == 0:
		r.Ballot, r.Tag = true, "ballot open"
		if b.Closes != 0 {
			r.When = "until " + moment(book, b.Closes)
		}
	case b != nil && b.Sealed() && !b.Seal.Opened:
		r.Tag, r.When = "being opened", "the trustees do their part"
	case b != nil:
		r.Tag = "being counted"
	case now.Prep != nil && now.Status == proceeding.Coming && !now.Prep.Ready():
		r.Tag, r.When = spaced(now.Name)+" coming", "opens "+opening(book, now.Opens)+", when its key has been made"
	case now.Status == proceeding.Coming && now.Opens != 0:
		r.Tag, r.When = spaced(now.Name)+" coming", "opens "+opening(book, now.Opens)
	default:
		r.Tag = spaced(now.Name)
		if now.Closes != 0 {
			r.When = "until " + moment(book, now.Closes)
		}
	}
}

func spaced(s string) string { return strings.ReplaceAll(s, "_", " ") }

// outcome is what came of a run, in a sentence.
func outcome(st *proceeding.State) string {
	if len(st.Elected) > 0 {
		var names []string
		for _, p := range st.Elected {
			names = append(names, p.Name)
		}
		if len(st.Ballots) == 0 {
			return strings.Join(names, ", ") + " elected without a ballot"
		}
		return strings.Join(names, ", ") + " elected"
	}
	for _, d := range st.Done {
		if d.Says != "" {
			return d.Says
		}
	}
	return sentence(came(st.Outcome))
}

func (v *visit) contests() error {
	var list []Row
	err := v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) (err error) {
		list, err = v.rows(w)
		return err
	})
	if err != nil {
		return err
	}
	return v.page("contests.html", "Contests", list)
}

// StageRow is one stage on the time line.
type StageRow struct {
	Label, Says, Clause, Status, When, Outcome string
}

// GateRow is how far one candidate has come.
type GateRow struct {
	Person    register.PersonID
	Name      string
	Status    string
	Statement string
	Auto, Met bool
	Quiet     bool // how much there is, is not shown
	Gates     *GateTree
}

// GateBar is one leaf of a gate with a bar.
type GateBar struct {
	Says       string // the rule in words
	Has, Needs string
	Rule       string // the share and its denominator: "10% of 60"
	Met        bool
	Width      int // of 100
}

// ContestView is what the page of a contest shows.
type ContestView struct {
	Row
	St         *proceeding.State
	Procedure  string
	Says       string
	Clause     string
	Cause      string
	Called     string
	BookTitle  string
	Stages     []StageRow
	Gate       []GateRow
	Question   *GateRow
	Candidates []proceeding.Candidate
	Capacities []proceeding.Capacity
	CanStand   []proceeding.Person
	Me         *proceeding.Candidate
	CanLeave   bool
	Ballot     *BallotView
	Standings  []contest.Standing
	Result     *ResultView
	Done       []proceeding.Done
	Office     *OfficeView
	Acts       *ActsView
	Taken      []TakenRow
	Elects     bool // it is about candidates
	Beside     bool // something stands beside the timetable
	InRoom     bool // the vote is taken in a room
	Drawn      []proceeding.Person
	Scrutineer bool
	Sealed     bool // a ballot of it is, or was, sealed
	Sealing    bool // one that is to come is
}

// BallotView is a ballot's own part of the page.
type BallotView struct {
	ID, How, Opened, Closes, Freeze, Root string
	Round                                 int
	Sections                              []SectionView
	Options                               []proceeding.Person
	Voted                                 int64
}

// SectionView is a section of a roll.
type SectionView struct {
	proceeding.RollSection
	Label string
}

// freezeWords writes a freeze, which is a day or an instant.
func freezeWords(book *rulebook.Book, text string) string {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return opening(book, t.UnixMilli())
	}
	return dayWords(text)
}

// causeWords says why a run began, where that is something to say.
func causeWords(st *proceeding.State) string {
	switch st.Cause {
	case "vacancy", "challenge":
		return "on a " + st.Cause
	case "every":
		return "because it was time"
	case "event":
		return "on an event that was declared"
	case proceeding.Started:
		return "by another decision"
	}
	return ""
}

// takenRows are what the run was given, in words.
func takenRows(book *rulebook.Book, p *rulebook.Procedure, st *proceeding.State, w *chamber.World) []TakenRow {
	var out []TakenRow
	for _, t := range p.Takes {
		h, ok := st.Takes[t.Name]
		if !ok {
			continue
		}
		row := TakenRow{Label: spaced(t.Name), Text: h.Text}
		id, _ := strconv.ParseInt(h.Text, 10, 64)
		switch t.Is {
		case rulebook.TakePerson, rulebook.TakeOffice:
			row.Text = w.NameOf(register.PersonID(id))
		case rulebook.TakeUnit:
			if u := w.Tree().Unit(register.UnitID(id)); u != nil {
				row.Text = u.Name
			}
		case rulebook.TakeRun:
			row.Link = "/contests/" + h.Text
		case rulebook.TakeText:
			row.Long = true
		case rulebook.TakeChoice:
			row.Text = spaced(h.Text)
		case rulebook.TakeDate:
			if m, ok := h.Value(book.Calendar(), w.View(0)); ok {
				row.Text = m.Text()
			}
		case rulebook.TakeFlag:
			row.Text = map[string]string{"true": "yes", "false": "no"}[h.Text]
		}
		out = append(out, row)
	}
	return out
}

// TakenRow is one thing that a run was given.
type TakenRow struct {
	Label, Text, Link string
	Long              bool
}

// electing tells whether a procedure is about candidates.
func electing(p *rulebook.Procedure) bool {
	return slices.ContainsFunc(p.Stages, func(s rulebook.Stage) bool {
		return s.Gathers == "candidates" || s.Method != nil || len(s.Pick) > 0
	})
}

func (v *visit) contest() error {
	c, err := v.contestView(v.r.PathValue("ref"))
	if err != nil {
		return err
	}
	return v.page("contest.html", c.Title, c)
}

func (v *visit) contestView(ref string) (*ContestView, error) {
	c := &ContestView{}
	err := v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		st, err := v.run(w, ref)
		if err != nil {
			return err
		}
		book, err := v.s.Chamber.Book(w.Tx(), st.Book)
		if err != nil {
			return err
		}
		w = w.WithBook(book)
		*c = ContestView{Row: row(book, st, w.At().UnixMilli()), St: st, Cause: causeWords(st), BookTitle: book.Title, Called: opening(book, st.Called), Done: st.Done, Scrutineer: v.Scrutineer()}
		if st.Called == 0 {
			c.Called = ""
		}
		p := proceeding.ProcedureOf(book, st)
		c.Procedure, c.Says, c.Clause = st.Procedure, p.Says.Raw(), p.Cite
		c.Stages = timeline(book, p, st)
		c.Taken, c.Elects = takenRows(book, p, st, w), electing(p)
		if !c.Elects && len(st.Elected) > 0 {
			c.Drawn = st.Elected
		}
		if err := v.gate(c, book, st, w); err != nil {
			return err
		}
		c.ballot(book, st)
		c.Beside = c.Elects || len(c.Gate) > 0 || c.Question != nil || len(c.Drawn) > 0
		if b := st.OpenBallot(); b != nil {
			c.InRoom = b.How == "counted" || b.How == "judged"
		}
		if c.Sealed, c.Sealing, err = sealedRun(book, st, w); err != nil {
			return err
		}
		if c.Result, err = resultView(book, st); err != nil {
			return err
		}
		c.Acts = v.acts(book, st, w)
		if v.Officer() && st.Live() {
			if c.Office = v.officeView(book, st, w); c.Office.empty() {
				c.Office = nil
			}
		}
		return nil
	})
	if err != nil || v.Person == 0 {
		return c, err
	}
	if c.Standings, err = v.s.Contests.Standings(v.r.Context(), ref, v.Person); err != nil {
		c.Standings = nil // a freeze that is not known yet is no reason to hide the page
	}
	return c, nil
}

func timeline(book *rulebook.Book, p *rulebook.Procedure, st *proceeding.State) []StageRow {
	var out []StageRow
	for i := range p.Stages {
		r := &p.Stages[i]
		row := StageRow{Label: spaced(r.Name), Says: r.Says.Raw(), Clause: r.Cite}
		if i < len(st.Stages) {
			x := &st.Stages[i]
			row.Status, row.Outcome = string(x.Status), came(x.Outcome)
			switch x.Status {
			case proceeding.Coming:
				if x.Opens != 0 {
					row.When = "opens " + opening(book, x.Opens)
				}
			case proceeding.Open:
				row.When = "open until its result is entered"
				if x.Closes != 0 {
					row.When = "until " + moment(book, x.Closes)
				}
			case proceeding.Closed:
				row.When = "closed " + moment(book, x.Closed)
			}
		}
		out = append(out, row)
	}
	return out
}

// gate fills in candidates and how far they have come. Who has been proposed
// and has not answered is shown to those who can support, not to the public.
func (v *visit) gate(c *ContestView, book *rulebook.Book, st *proceeding.State, w *chamber.World) error {
	at := w.At().UnixMilli()
	progress, err := proceeding.Progress(book, st, w, at)
	if err != nil {
		return err
	}
	if v.Person != 0 {
		if c.Capacities, err = proceeding.Capacities(book, st, w, at, v.Person); err != nil {
			return err
		}
		if len(c.Capacities) > 0 {
			if c.CanStand, err = proceeding.CanStand(book, st, w, at); err != nil {
				return err
			}
		}
		c.Me = st.Candidate(v.Person)
		c.CanLeave = c.Me != nil && st.Live() && st.OpenBallot() == nil && (c.Me.Status == proceeding.Proposed || c.Me.Status == proceeding.Accepted)
	}
	for _, x := range progress {
		g := GateRow{Person: x.For, Name: x.Name, Auto: x.Auto, Met: x.Met}
		if proceeding.Quiet(book, st) && !v.Officer() {
			c.Question = &GateRow{Quiet: true}
			continue
		}
		if t := proceeding.Needed(book, st); t != nil {
			if tree, ok := gateTree(book, t, "", x.Gates); ok {
				g.Gates = &tree
			}
		}
		if x.For == 0 {
			c.Question = &g
			continue
		}
		cand := st.Candidate(x.For)
		if cand.Status == proceeding.Proposed && len(c.Capacities) == 0 && x.For != v.Person && !v.Officer() {
			continue
		}
		g.Status, g.Statement = cand.Status, cand.Statement
		c.Gate = append(c.Gate, g)
	}
	if len(progress) == 0 {
		for _, cand := range st.Candidates {
			if cand.Status != proceeding.Proposed && cand.Status != proceeding.Declined && cand.Status != proceeding.Fell {
				c.Candidates = append(c.Candidates, cand)
			}
		}
	}
	return nil
}

func (c *ContestView) ballot(book *rulebook.Book, st *proceeding.State) {
	if len(st.Ballots) == 0 {
		return
	}
	b := &st.Ballots[len(st.Ballots)-1]
	x := &BallotView{ID: b.ID, How: b.How, Opened: opening(book, b.Opened), Closes: moment(book, b.Closes), Freeze: freezeWords(book, b.Roll.Freeze), Root: b.Roll.Root, Round: b.Round, Options: b.Options}
	for _, s := range b.Roll.Sections {
		label := s.Name
		if label == "" {
			label = "All voters"
		}
		x.Sections = append(x.Sections, SectionView{s, label})
	}
	c.Ballot = x
}

// base is where a contest's page is.
func (v *visit) base() string { return "/contests/" + v.r.PathValue("ref") }

// dayWords writes 2026-07-09 as 9 July 2026; what is no day stays as it is.
func dayWords(s string) string {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		return s
	}
	return t.Format("2 January 2006")
}
