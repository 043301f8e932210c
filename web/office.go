package web

import (
	"slices"
	"strings"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

func (s *Site) officeRoutes() {
	s.handle("GET /office", (*visit).office)
	s.handle("GET /office/call", (*visit).preview)
	s.handle("POST /office/call", (*visit).call)
	s.handle("POST /contests/{ref}/close", (*visit).closeBallot)
	s.handle("POST /contests/{ref}/lot", (*visit).commitLot)
	s.handle("POST /contests/{ref}/slot", (*visit).setSlot)
	s.handle("POST /contests/{ref}/extend", (*visit).extend)
	s.handle("POST /demo/clock", (*visit).moveClock)
	s.handle("GET /outbox", (*visit).outbox)
}

// needsOffice refuses who runs no ballots.
func (v *visit) needsOffice() error {
	if err := v.needs(); err != nil {
		return err
	}
	if !v.Officer() {
		return fault.New(fault.NotEntitled, "This page is for the officers who run ballots: the %s.", strings.Join(spacedAll(proceeding.Officers(v.Book)), " and the "))
	}
	return nil
}

func spacedAll(list []string) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = spaced(x)
	}
	return out
}

// OfficeView is an officer's part of a contest's page.
type OfficeView struct {
	MyOffice  string
	Slots     []proceeding.SlotView // that can be decided now
	Settled   []proceeding.SlotView
	CanClose  bool
	Closing   bool
	Waits     string   // when it can be closed
	Closers   []string // who has asked
	Committed bool
	CanCommit bool
	Extends   string // who may extend, empty: nobody
	Closes    string
}

// empty tells whether there is nothing to show of an officer's part.
func (x *OfficeView) empty() bool {
	return len(x.Slots)+len(x.Settled) == 0 && !x.CanClose && !x.Closing && x.Waits == "" && !x.CanCommit && !x.Committed && x.Extends == ""
}

func (v *visit) officeView(book *rulebook.Book, st *proceeding.State, w *chamber.World) *OfficeView {
	x := &OfficeView{}
	for _, s := range proceeding.Discretions(book, st, w, w.At().UnixMilli()) {
		if s.Open {
			x.Slots = append(x.Slots, s)
		} else {
			x.Settled = append(x.Settled, s)
		}
	}
	for _, o := range proceeding.Officers(book) {
		if v.Holds(o) {
			x.MyOffice = o
			break
		}
	}
	now := st.Now()
	if now == nil {
		return x
	}
	b := st.OpenBallot()
	if b == nil || b.Closed != 0 {
		return x
	}
	if b.How == "counted" || b.How == "judged" {
		return x // its result is entered
	}
	at := w.At().UnixMilli()
	mine := false
	for _, o := range b.Closers {
		x.Closers = append(x.Closers, spaced(o))
		mine = mine || o == x.MyOffice
	}
	over := b.Closes == 0 || at >= b.Closes
	x.CanClose, x.Closing = over && !mine, mine
	if !over {
		x.Waits = moment(book, b.Closes)
	}
	for _, c := range b.Commits {
		x.Committed = x.Committed || c.Office == x.MyOffice
	}
	x.CanCommit = !x.Committed && !over
	for _, p := range book.Powers {
		if slices.Contains(p.May, "extend") && !over {
			x.Extends = spaced(p.Who[0].Name)
		}
	}
	x.Closes = moment(book, b.Closes)
	return x
}

// officerTasks are what a contest wants of an officer.
func officerTasks(v *visit, book *rulebook.Book, st *proceeding.State) []Task {
	t := Task{Title: contest.Title(book, st), Link: "/contests/" + st.Ref + "#office"}
	b := st.OpenBallot()
	var out []Task
	add := func(do, why, until string) {
		x := t
		x.Do, x.Why, x.Until = do, why, until
		out = append(out, x)
	}
	my := ""
	for _, o := range proceeding.Officers(book) {
		if v.Holds(o) {
			my = o
			break
		}
	}
	if b != nil && b.Closed == 0 {
		over := b.Closes == 0 || v.Now.UnixMilli() >= b.Closes
		committed := false
		for _, c := range b.Commits {
			committed = committed || c.Office == my
		}
		asked := false
		for _, o := range b.Closers {
			asked = asked || o == my
		}
		switch {
		case b.How == "counted" || b.How == "judged":
			x := t
			x.Link = "/contests/" + st.Ref + "#acts"
			x.Do, x.Why = "Enter the result", "The vote is taken in the room; what was counted is entered here."
			out = append(out, x)
		case over && !asked:
			add("Close and count", closing(book, b), "")
		case !over && !committed:
			add("Commit to the lot", "So that nobody can choose how a tie is broken.", moment(book, b.Closes))
		}
	}
	out = append(out, sealedTasks(book, st, t)...)
	if st.Phase == proceeding.Halted {
		add("Decide", "The contest waits for "+spaced(st.Waits)+".", "")
	}
	return out
}

// closing says who has to close a ballot.
func closing(book *rulebook.Book, b *proceeding.Ballot) string {
	if len(b.Closers) > 0 {
		return "Voting has ended. The " + strings.Join(spacedAll(b.Closers), " and the ") + " has asked to close the ballot; it waits for you."
	}
	names := "the " + strings.Join(spacedAll(proceeding.Officers(book)), " and the ")
	if proceeding.ClosersNeeded(book) > 1 {
		return "Voting has ended. It takes " + names + " together to close the ballot."
	}
	return "Voting has ended. The ballot is closed by " + names + "."
}

// OfficeHome is the officers' page.
type OfficeHome struct {
	Tasks     []Task
	Rows      []Row
	Vacancies []Vacancy
	Waiting   int64
	Sent      int64
	Standing  *StandingView
}

// Vacancy is an office that is vacant and for which a procedure can be called.
type Vacancy struct {
	Office, Label, Procedure, Clause, Live string
}

func (v *visit) office() error {
	if err := v.needsOffice(); err != nil {
		return err
	}
	o := &OfficeHome{}
	err := v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		var err error
		if o.Rows, err = v.rows(w); err != nil {
			return err
		}
		states, err := v.readable(w)
		if err != nil {
			return err
		}
		for _, st := range states {
			book, err := v.s.Chamber.Book(w.Tx(), st.Book)
			if err != nil {
				return err
			}
			if st.Live() {
				o.Tasks = append(o.Tasks, officerTasks(v, book, st)...)
			}
		}
		o.Vacancies, o.Standing = vacancies(w), v.standing(w)
		o.Waiting, o.Sent, err = w.Tx().MailCounts()
		return err
	})
	if err != nil {
		return err
	}
	return v.page("office.html", "Office", o)
}

// vacancies finds offices of the whole organisation that nobody holds and that
// a procedure fills.
func vacancies(w *chamber.World) []Vacancy {
	var out []Vacancy
	book := w.Book()
	for i := range book.Procedures {
		p := &book.Procedures[i]
		if p.In != "" {
			continue
		}
		for _, office := range p.Fills {
			o := book.Office(office)
			if o == nil || len(w.Roster().Holders(office, 0, w.Tree(), w.At().Unix(), w.Seq())) > 0 {
				continue
			}
			x := Vacancy{Office: office, Label: spaced(office), Procedure: p.Name, Clause: p.Cite}
			if live := w.Live(p.Name, 0, office); len(live) > 0 {
				x.Live = live[0]
			}
			out = append(out, x)
		}
	}
	return out
}

// CallView is the preview of a call.
type CallView struct {
	Procedure, Office, Title, Says, Clause, Freeze string
	Planned                                        []PlannedRow
	Entitled                                       int64
}

// PlannedRow is one stage of the preview.
type PlannedRow struct{ Label, Opens, Closes, Waits string }

// preview shows what a call would set going, before it is made.
func (v *visit) preview() error {
	if err := v.needsOffice(); err != nil {
		return err
	}
	q := v.r.URL.Query()
	x := &CallView{Procedure: q.Get("procedure"), Office: q.Get("office")}
	err := v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		book := w.Book()
		planned, freeze, err := proceeding.Preview(book, x.Procedure, 0, x.Office, "vacancy", w.At(), w)
		if err != nil {
			return err
		}
		p := book.Procedure(x.Procedure)
		x.Says, x.Clause, x.Title = p.Says.Raw(), p.Cite, contest.Title(book, &proceeding.State{Procedure: x.Procedure, Office: x.Office})
		if freeze != nil {
			x.Freeze = freeze.String()
		}
		x.Planned = nil
		for _, s := range planned {
			x.Planned = append(x.Planned, PlannedRow{Label: spaced(s.Stage), Opens: opening(book, s.Opens), Closes: moment(book, s.Closes), Waits: spaced(s.Waits)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.page("call.html", "Call an election", x)
}

func (v *visit) call() error {
	if err := v.needsOffice(); err != nil {
		return err
	}
	st, err := v.s.Contests.Call(v.r.Context(), proceeding.Begin{Procedure: v.r.PostFormValue("procedure"), Office: v.r.PostFormValue("office"), Cause: "vacancy", By: v.actor()})
	if err != nil {
		return err
	}
	return v.done("/contests/"+st.Ref, "Called. Everybody can see the timetable now.")
}

func (v *visit) closeBallot() error {
	if err := v.needs(); err != nil {
		return err
	}
	st, err := v.s.Contests.Close(v.r.Context(), v.r.PathValue("ref"), v.actor())
	if err != nil {
		return err
	}
	if b := st.OpenBallot(); b != nil && b.Closed == 0 {
		return v.done(v.base(), "You have asked to close the ballot. It is closed when the other officer does too.")
	}
	return v.done(v.base(), "The ballot is closed and counted.")
}

func (v *visit) commitLot() error {
	if err := v.needs(); err != nil {
		return err
	}
	office := ""
	for _, o := range proceeding.Officers(v.Book) {
		if v.Holds(o) {
			office = o
			break
		}
	}
	if _, err := v.s.Contests.CommitLot(v.r.Context(), v.r.PathValue("ref"), v.actor(), office); err != nil {
		return err
	}
	return v.done(v.base(), "Your commitment for the lot is in the minute book.")
}

func (v *visit) setSlot() error {
	if err := v.needs(); err != nil {
		return err
	}
	if _, err := v.s.Contests.Do(v.r.Context(), v.r.PathValue("ref"), proceeding.SetSlot{By: v.actor(), Slot: v.r.PostFormValue("slot"), Text: v.r.PostFormValue("value")}); err != nil {
		return err
	}
	return v.done(v.base(), "The decision is recorded, and the timetable follows it.")
}

func (v *visit) extend() error {
	if err := v.needs(); err != nil {
		return err
	}
	until, err := time.ParseInLocation("2006-01-02", v.r.PostFormValue("until"), v.Book.Zone)
	if err != nil {
		return fault.New(fault.Invalid, "%q is not a day; write 2026-02-20.", v.r.PostFormValue("until"))
	}
	o := proceeding.Order{By: v.actor(), Order: "extend", Until: until.AddDate(0, 0, 1).UnixMilli(), Why: v.r.PostFormValue("why")}
	st, err := v.s.Contests.Do(v.r.Context(), v.r.PathValue("ref"), o)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(st.Asked, func(x proceeding.OrderBody) bool { return x.Order == "extend" }) {
		return v.done(v.base(), "You have asked to extend it. It is extended when the other officer asks for the same day.")
	}
	return v.done(v.base(), "Extended, for everybody.")
}

// moveClock moves the demo's clock, for whoever visits: it is everybody's.
func (v *visit) moveClock() error {
	if v.s.Clock == nil || !v.Demo {
		return fault.New(fault.NotFound, "Only a demo has a clock that can be moved.")
	}
	to := v.s.Clock.Now().Add(24 * time.Hour)
	if v.r.PostFormValue("by") == "next" {
		if next := v.nextDeadline(); !next.IsZero() {
			to = next.Add(time.Second)
		}
	}
	ctx := v.r.Context()
	if err := v.s.Chamber.MoveTo(ctx, v.s.Clock, to); err != nil {
		return err
	}
	if _, err := v.s.Contests.Due(ctx); err != nil {
		return err
	}
	back := v.r.PostFormValue("back")
	if !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") || strings.Contains(back, "\\") {
		back = "/"
	}
	return v.done(back, "It is "+to.In(v.Book.Zone).Format("Monday 2 January 2006, 15:04")+" now.")
}

// nextDeadline is the next instant at which something happens in any
// proceeding, the end of voting included.
func (v *visit) nextDeadline() time.Time {
	var next time.Time
	now := v.s.Clock.Now()
	consider := func(ms int64) {
		if t := time.UnixMilli(ms); ms != 0 && t.After(now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	_ = v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		states, err := w.States()
		for _, st := range states {
			if !st.Live() {
				continue
			}
			consider(st.Due())
			if b := st.OpenBallot(); b != nil && b.Closed == 0 {
				consider(b.Closes)
			}
		}
		return err
	})
	return next
}

// Letter is one message in the outbox.
type Letter struct {
	To, Subject, Body, Due, Sent, Error string
}

// outbox shows outgoing mail: in a demo to everybody, else to officers the
// delivery ledger without bodies.
func (v *visit) outbox() error {
	if !v.Demo {
		if err := v.needsOffice(); err != nil {
			return err
		}
	}
	var out []Letter
	err := v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		out = nil
		list, err := w.Tx().Outbox(0, 60)
		if err != nil {
			return err
		}
		for _, m := range list {
			l := Letter{To: w.NameOf(register.PersonID(m.Person)), Subject: m.Subject, Due: m.DueAt.In(v.Book.Zone).Format("2 January, 15:04"), Error: m.LastError}
			if !m.SentAt.IsZero() {
				l.Sent = m.SentAt.In(v.Book.Zone).Format("2 January, 15:04")
			}
			if v.Demo {
				if l.Body, err = v.s.Post.Text(v.r.Context(), m, l.To); err != nil {
					return err
				}
			}
			out = append(out, l)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.page("outbox.html", "Outbox", out)
}
