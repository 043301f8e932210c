package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

func (s *Site) voteRoutes() {
	s.handle("GET /contests/{ref}/vote", (*visit).paper)
	s.handle("POST /contests/{ref}/review", (*visit).review)
	s.handle("POST /contests/{ref}/vote", (*visit).cast)
}

// PaperView is a ballot paper, empty or filled in.
type PaperView struct {
	Ref, Title, Question, Section, UnitName, Declare, Clause string
	Unit                                                     register.UnitID
	Kind                                                     proceeding.Marking
	Most                                                     int
	Options                                                  []PaperOption
	Choices                                                  []string
	Choice                                                   string
	Ranks                                                    []int // places to choose from
	Order                                                    []string
	Code                                                     string
	Closes                                                   string
	How                                                      string
	Standings                                                []contest.Standing
	Wrong                                                    string
	Revote                                                   bool
	Minimum                                                  int64 // papers of a section with which they are opened
}

// PaperOption is one candidate on the paper.
type PaperOption struct {
	N         int
	Name      string
	Statement string
	Rank      int // 0: none
	Marked    bool
}

// paper shows an empty paper for the section that is asked for, or the list of
// papers where the visitor has several.
func (v *visit) paper() error {
	if err := v.needs(); err != nil {
		return err
	}
	x, b, err := v.paperView(v.r.URL.Query().Get("section"), v.r.URL.Query().Get("unit"))
	if err != nil {
		return err
	}
	if b == nil { // choose a section first
		return v.page("papers.html", "Your votes", x)
	}
	if b.Sealed() {
		return v.sealPaper(x, b)
	}
	return v.page("paper.html", "Ballot paper", x)
}

// paperView makes the paper. The ballot is nil where the visitor has more
// than one paper and has not chosen.
func (v *visit) paperView(section, unit string) (*PaperView, *proceeding.Ballot, error) {
	ref := v.r.PathValue("ref")
	st, book, err := v.state(ref)
	if err != nil {
		return nil, nil, err
	}
	x := &PaperView{Ref: ref, Title: contest.Title(book, st)}
	if x.Standings, err = v.s.Contests.Standings(v.r.Context(), ref, v.Person); err != nil {
		return nil, nil, err
	}
	b := st.OpenBallot()
	if b == nil || b.Closed != 0 || v.over(b) {
		return nil, nil, v.noBallot(book, st)
	}
	one, err := choose(x.Standings, section, unit)
	if err != nil || one == nil {
		return x, nil, err
	}
	x.Section, x.Unit, x.UnitName, x.Declare = one.Section, one.Unit, one.UnitName, one.Declare
	x.Question, x.How, x.Revote, x.Minimum, x.Closes = b.Question, b.How, b.Revote, b.Minimum, moment(book, b.Closes)
	x.Kind, x.Most = b.Marking()
	if p := proceeding.ProcedureOf(book, st); p != nil {
		x.Clause = p.Stages[b.Stage].Cite
	}
	for i, o := range b.Options {
		x.Options = append(x.Options, PaperOption{N: i, Name: o.Name, Statement: statementOf(st, o.ID)})
		x.Ranks = append(x.Ranks, i+1)
	}
	x.Choices = b.Choices
	x.Code = contest.NewCode().String()
	return x, b, nil
}

func statementOf(st *proceeding.State, p register.PersonID) string {
	if c := st.Candidate(p); c != nil {
		return c.Statement
	}
	return ""
}

// choose finds the one paper that is meant: the named section's, or the only
// one there is.
func choose(list []contest.Standing, section, unit string) (*contest.Standing, error) {
	var open []*contest.Standing
	for i := range list {
		s := &list[i]
		if section != "" && s.Section != section || unit != "" && fmt.Sprint(s.Unit) != unit {
			continue
		}
		if s.Entitled && !s.Voted {
			open = append(open, s)
		}
	}
	if len(open) == 1 {
		return open[0], nil
	}
	if len(open) > 1 {
		return nil, nil
	}
	return nil, whyNot(list, section)
}

// whyNot is the refusal of somebody who has no paper to fill in.
func whyNot(list []contest.Standing, section string) error {
	for i := range list {
		s := &list[i]
		if section != "" && s.Section != section {
			continue
		}
		if s.Voted {
			return fault.Under(fault.Already, s.Clause, "You have voted, and your vote is in the box.")
		}
	}
	for i := range list {
		s := &list[i]
		for _, c := range s.Conditions {
			if c.First {
				f := &fault.Error{Kind: fault.NotEntitled, Clause: c.Clause, Message: "You have no vote in this ballot. What is missing: " + strings.TrimSuffix(c.Says, ".") + ".", Remedy: c.Remedy}
				if c.KeptBy != "" {
					f.Source = "a fact of the register that the " + spaced(c.KeptBy) + " keeps; ask there if it is wrong"
				}
				return f
			}
		}
		if s.Because != "" && len(list) == 1 {
			return fault.Under(fault.NotEntitled, s.Clause, "%s", s.Because)
		}
	}
	return fault.New(fault.NotEntitled, "You have no vote in this ballot.")
}

// over tells whether the time for voting has passed.
func (v *visit) over(b *proceeding.Ballot) bool {
	return b.Closes != 0 && v.Now.UnixMilli() >= b.Closes
}

func (v *visit) noBallot(book *rulebook.Book, st *proceeding.State) error {
	for i := len(st.Ballots) - 1; i >= 0; i-- {
		if b := &st.Ballots[i]; b.Closed == 0 && v.over(b) {
			return fault.New(fault.TooLate, "Voting ended on %s.", moment(book, b.Closes))
		} else if b.Closed != 0 {
			return fault.New(fault.TooLate, "The ballot closed on %s.", moment(book, b.Closed))
		}
	}
	if now := st.Now(); now != nil && now.Opens > v.Now.UnixMilli() {
		return fault.New(fault.TooEarly, "The ballot has not opened. The next stage, %s, opens on %s.", spaced(now.Name), opening(book, now.Opens))
	}
	return fault.New(fault.TooEarly, "The ballot of this contest is not open.")
}

// filled reads a paper from its form.
func (v *visit) filled(x *PaperView) (contest.Paper, error) {
	p := contest.Paper{Choice: -1}
	switch x.Kind {
	case proceeding.ByChoice:
		p.Choice = slices.Index(x.Choices, v.r.PostFormValue("choice"))
		if p.Choice < 0 {
			return p, fault.New(fault.Invalid, "Choose one of the answers.")
		}
		x.Choice = x.Choices[p.Choice]
		x.Order = []string{x.Choice}
		return p, nil
	case proceeding.ByOne, proceeding.ByMany:
		return v.marks(x, p)
	}
	return v.ranks(x, p)
}

func (v *visit) marks(x *PaperView, p contest.Paper) (contest.Paper, error) {
	for _, s := range v.r.PostForm["mark"] {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 || n >= len(x.Options) {
			return p, fault.New(fault.Invalid, "A mark is for somebody who is not on the paper.")
		}
		p.Ranks = append(p.Ranks, n)
		x.Options[n].Marked = true
		x.Order = append(x.Order, x.Options[n].Name)
	}
	if len(p.Ranks) > x.Most {
		return p, fault.New(fault.Invalid, "There are %d marks, and the paper can have %d. Take some away.", len(p.Ranks), x.Most)
	}
	if len(p.Ranks) == 0 {
		return p, fault.New(fault.Invalid, "The paper is empty. Mark at least one candidate.")
	}
	return p, nil
}

// ranks reads a place for each candidate. A place given twice and a gap are
// said, and the paper comes back as it was filled in.
func (v *visit) ranks(x *PaperView, p contest.Paper) (contest.Paper, error) {
	at := map[int]int{}
	var twice error
	for i := range x.Options {
		s := v.r.PostFormValue("rank" + strconv.Itoa(i))
		if s == "" {
			continue
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > len(x.Options) {
			return p, fault.New(fault.Invalid, "A place is a number from 1 to %d.", len(x.Options))
		}
		x.Options[i].Rank = n
		if j, ok := at[n]; ok && twice == nil {
			twice = fault.New(fault.Invalid, "%s and %s have both the %s place. Give each their own.", x.Options[j].Name, x.Options[i].Name, ordinal(n))
		}
		at[n] = i
	}
	if twice != nil {
		return p, twice
	}
	if len(at) == 0 {
		return p, fault.New(fault.Invalid, "The paper is empty. Give at least a first place.")
	}
	for n := 1; n <= len(at); n++ {
		i, ok := at[n]
		if !ok {
			return p, fault.New(fault.Invalid, "The %s place is left out. Places go on without a gap, as far as you like.", ordinal(n))
		}
		p.Ranks = append(p.Ranks, i)
		x.Order = append(x.Order, x.Options[i].Name)
	}
	return p, nil
}

// review shows the paper once more before it is cast. Nothing is recorded.
func (v *visit) review() error {
	x, _, err := v.fromForm()
	if err != nil {
		return err
	}
	if x.Wrong != "" {
		return v.page("paper.html", "Ballot paper", x)
	}
	return v.page("review.html", "Check your paper", x)
}

// fromForm rebuilds the paper that the visitor is filling in.
func (v *visit) fromForm() (*PaperView, contest.Paper, error) {
	var p contest.Paper
	if err := v.needs(); err != nil {
		return nil, p, err
	}
	x, b, err := v.paperView(v.r.PostFormValue("section"), v.r.PostFormValue("unit"))
	if err != nil {
		return nil, p, err
	}
	if b == nil {
		return nil, p, fault.New(fault.Invalid, "Choose first for which section you vote.")
	}
	if b.Sealed() {
		return nil, p, fault.New(fault.Invalid, "Papers of this ballot are sealed on the voter’s own device; this server takes no other.")
	}
	if code, err := contest.ReadCode(v.r.PostFormValue("code")); err == nil {
		x.Code = code.String()
	} else {
		return nil, p, err
	}
	if v.r.PostFormValue("change") != "" {
		_, _ = v.filled(x)
		x.Wrong = " "
		return x, p, nil
	}
	if p, err = v.filled(x); err != nil {
		x.Wrong = sentence(fault.Of(err).Message)
	}
	if x.Wrong == "" && x.Declare != "" && v.r.PostFormValue("declare") == "" {
		x.Wrong = "To vote in this section, tick the declaration."
	}
	return x, p, nil
}

// ReceiptView is what a voter gets.
type ReceiptView struct {
	Ref, Title, Code, Section string
	Again, Recorded           bool
	More                      bool
}

// cast takes the paper in. It answers when the paper is durable; sending the
// form twice gives the same receipt.
func (v *visit) cast() error {
	if err := v.needs(); err != nil {
		return err
	}
	st, book, err := v.state(v.r.PathValue("ref"))
	if err != nil {
		return err
	}
	b := st.OpenBallot()
	if b == nil || b.Closed != 0 {
		return v.noBallot(book, st)
	}
	x := &PaperView{Choices: b.Choices}
	x.Kind, x.Most = b.Marking()
	for i, o := range b.Options {
		x.Options = append(x.Options, PaperOption{N: i, Name: o.Name})
	}
	p, err := v.filled(x)
	if err != nil {
		return err
	}
	code, err := contest.ReadCode(v.r.PostFormValue("code"))
	if err != nil {
		return err
	}
	unit, err := v.intField("unit")
	if err != nil {
		return err
	}
	got, err := v.s.Contests.Cast(v.r.Context(), contest.Vote{Ref: st.Ref, Person: v.Person, Unit: register.UnitID(unit), Section: v.r.PostFormValue("section"), Paper: p, Code: code, Declared: v.r.PostFormValue("declare") != ""})
	if err != nil {
		return err
	}
	out := ReceiptView{Ref: st.Ref, Title: contest.Title(book, st), Code: got.Code, Section: got.Section, Again: got.Again, Recorded: b.How == "recorded"}
	if list, err := v.s.Contests.Standings(v.r.Context(), st.Ref, v.Person); err == nil {
		out.More = slices.ContainsFunc(list, func(s contest.Standing) bool { return s.Entitled && !s.Voted })
	}
	return v.page("receipt.html", "Your vote is in the box", out)
}

// HomeView is the first page.
type HomeView struct {
	Rows    []Row
	Tasks   []Task
	Members int64
	Office  []Task
}

// Task is something that waits for the visitor.
type Task struct {
	Title, Until, Link, Do, Why string
}

func (s *Site) homeRoutes() {
	s.handle("GET /{$}", (*visit).home)
	s.handle("GET /me", (*visit).me)
}

// home is, for a member, what needs them and by when.
func (v *visit) home() error {
	h := &HomeView{}
	var states []*proceeding.State
	err := v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) (err error) {
		if h.Rows, err = v.rows(w); err != nil {
			return err
		}
		states, err = v.readable(w)
		return err
	})
	if err != nil {
		return err
	}
	if v.Person != 0 {
		for _, st := range states {
			if err := v.tasks(h, st); err != nil {
				return err
			}
		}
	}
	return v.page("home.html", "Home", h)
}

// voteWords is what there is to do at a ballot. Who has cast a sealed paper is
// not known, and it can be replaced.
func voteWords(b *proceeding.Ballot) string {
	if b.Sealed() {
		return "Vote, or replace your vote"
	}
	return "Vote"
}

// tasks adds what a contest wants of the visitor.
func (v *visit) tasks(h *HomeView, st *proceeding.State) error {
	if !st.Live() {
		return nil
	}
	_, book, err := v.s.Contests.State(v.r.Context(), st.Ref)
	if err != nil {
		return err
	}
	link := "/contests/" + st.Ref
	if b := st.OpenBallot(); b != nil && b.Closed == 0 && b.How != "counted" && b.How != "judged" {
		list, err := v.s.Contests.Standings(v.r.Context(), st.Ref, v.Person)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(list, func(s contest.Standing) bool { return s.Entitled && !s.Voted }) && (b.Closes == 0 || v.Now.UnixMilli() < b.Closes) {
			h.Tasks = append(h.Tasks, Task{Title: contest.Title(book, st), Until: moment(book, b.Closes), Link: link + "/vote", Do: voteWords(b), Why: b.Question})
		}
	}
	return v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		w = w.WithBook(book)
		caps, err := proceeding.Capacities(book, st, w, w.At().UnixMilli(), v.Person)
		if err != nil {
			return err
		}
		for _, c := range caps {
			if c.Gave != nil {
				continue
			}
			t := Task{Title: contest.Title(book, st), Link: link + "#nominate", Do: "Nominate", Until: moment(book, st.Due())}
			if c.Unit != 0 {
				t.Why = "for " + c.Name
			}
			h.Tasks = append(h.Tasks, t)
		}
		if me := st.Candidate(v.Person); me != nil && me.Status == proceeding.Proposed {
			h.Tasks = append(h.Tasks, Task{Title: contest.Title(book, st), Link: link + "#answer", Do: "Accept or decline", Why: "You have been nominated."})
		}
		if x := v.acts(book, st, w); x != nil && (x.Decide != nil || x.Drawn) {
			t := Task{Title: contest.Title(book, st), Link: link + "#acts", Do: "Record the decision", Until: moment(book, st.Due())}
			if x.Drawn {
				t.Do, t.Why = "Look", "You have been drawn by lot."
			} else {
				t.Why = x.Decide.Says
			}
			h.Tasks = append(h.Tasks, t)
		}
		if v.Officer() {
			h.Office = append(h.Office, officerTasks(v, book, st)...)
		}
		return nil
	})
}
