package web

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

func (s *Site) actRoutes() {
	s.handle("POST /contests/{ref}/decide", (*visit).decideStage)
	s.handle("POST /contests/{ref}/figures", (*visit).enterFigures)
	s.handle("POST /contests/{ref}/order", (*visit).giveOrder)
	s.handle("POST /office/event", (*visit).declareEvent)
	s.handle("POST /office/standing", (*visit).setStanding)
	s.handle("POST /office/contradiction", (*visit).contradict)
}

// ActsView is what the visitor can do in a proceeding beyond supporting and
// voting: decide, enter figures, give orders.
type ActsView struct {
	Decide   *DecideView
	Room     *RoomView
	Orders   []OrderView
	Drawn    bool // the visitor was drawn by lot and can still decline
	DrawnTil string
}

// DecideView is a decision that the visitor can record.
type DecideView struct {
	Stage, Says, By, Clause string
	Options                 []string
	Figures                 bool // a body or a unit decides: the figures of its vote can be entered
	Pick                    []proceeding.Candidate
	Quotas                  []string
}

// RoomView is a vote that is taken in a room, whose result is entered.
type RoomView struct {
	Judged     bool
	Choices    []string
	Candidates []proceeding.Person
	Seats      int
	Entitled   int64
}

// OrderView is an order that the visitor can give.
type OrderView struct {
	Order, Label, By, Clause string
	Targets                  []Alternative // for set_aside
	Slots                    []Alternative // for set
}

// acts works out what the visitor can do.
func (v *visit) acts(book *rulebook.Book, st *proceeding.State, w *chamber.World) *ActsView {
	if v.Person == 0 {
		return nil
	}
	x := &ActsView{}
	at := w.At().UnixMilli()
	p := proceeding.ProcedureOf(book, st)
	if now := st.Now(); now != nil && st.Current < len(p.Stages) && st.Phase == proceeding.Running {
		r := &p.Stages[st.Current]
		if r.Kind == rulebook.Decide && now.Status == proceeding.Open && proceeding.MayAct(book, st, w, at, v.Person, *r.By) {
			x.Decide = decideView(book, st, r)
		}
		if now.Draw != nil && now.Status == proceeding.Open && slices.Contains(now.Draw.Drawn, v.Person) {
			x.Drawn, x.DrawnTil = true, moment(book, now.Closes)
		}
		if b := st.OpenBallot(); b != nil && b.Closed == 0 && (b.How == "counted" || b.How == "judged") && v.Officer() {
			x.Room = &RoomView{Judged: b.How == "judged", Choices: b.Choices, Candidates: b.Options, Seats: b.Seats}
			for _, s := range b.Roll.Sections {
				x.Room.Entitled += s.Entitled
			}
		}
	}
	x.Orders = v.orders(book, st, w)
	if x.Decide == nil && x.Room == nil && !x.Drawn && len(x.Orders) == 0 {
		return nil
	}
	return x
}

func decideView(book *rulebook.Book, st *proceeding.State, r *rulebook.Stage) *DecideView {
	d := &DecideView{Stage: r.Name, Says: r.Says.Raw(), By: r.By.Name, Clause: r.Cite, Options: r.Options, Figures: proceeding.DecidesBy(book, r.By) != nil}
	if len(r.Pick) > 0 {
		d.Figures = false
		d.Pick = st.Standing()
		for _, t := range r.Pick {
			d.Quotas = append(d.Quotas, book.SayQuota(t))
		}
	} else if len(d.Options) == 0 {
		d.Options = []string{"for", "against"}
	}
	return d
}

// orderWords are the orders as people call them.
func orderWords() map[string]string {
	return map[string]string{"stay": "Stay it: nothing is done in it until it is resumed", "resume": "Let it go on", "stop": "Stop it for good",
		"set": "Set something that the rules leave open, whatever they say of it", "set_aside": "Set a decision aside"}
}

// orders are those that the visitor has the power to give now.
func (v *visit) orders(book *rulebook.Book, st *proceeding.State, w *chamber.World) []OrderView {
	var out []OrderView
	seen := map[string]bool{}
	for i := range book.Powers {
		p := &book.Powers[i]
		for _, who := range p.Who {
			if !proceeding.MayAct(book, st, w, w.At().UnixMilli(), v.Person, who) {
				continue
			}
			for _, may := range p.May {
				o := OrderView{Order: may, Label: orderWords()[may], By: who.Name, Clause: p.Cite}
				if seen[may] || o.Label == "" || !orderable(&o, book, st) {
					continue
				}
				seen[may] = true
				out = append(out, o)
			}
		}
	}
	return out
}

// orderable tells whether an order makes sense now, and fills in what it can be
// about.
func orderable(o *OrderView, book *rulebook.Book, st *proceeding.State) bool {
	switch o.Order {
	case "stay":
		return st.Phase == proceeding.Running || st.Phase == proceeding.Halted
	case "resume":
		return st.Phase == proceeding.Stayed
	case "stop":
		return st.Live()
	case "set":
		for i := range book.Slots {
			o.Slots = append(o.Slots, Alternative{book.Slots[i].Name, spaced(book.Slots[i].Name)})
		}
		return st.Live() && len(o.Slots) > 0
	}
	for i := range st.Acts {
		a := &st.Acts[i]
		if (a.Slot != "" || a.Aside != 0) && st.InForce(a.N) {
			o.Targets = append(o.Targets, Alternative{strconv.FormatInt(a.N, 10), actWords(a) + ", " + moment(book, a.At)})
		}
	}
	if st.Phase == proceeding.Ended && st.InForce(proceeding.Whole) {
		o.Targets = append(o.Targets, Alternative{"", "what it decided as a whole: " + came(st.Outcome)})
	}
	return len(o.Targets) > 0
}

// actWords says what an act was.
func actWords(a *proceeding.Act) string {
	switch {
	case a.Name != "":
		return a.Name
	case a.Slot != "":
		return spaced(a.Slot) + " set by the " + spaced(a.By)
	}
	return spaced(a.Order) + " by the " + spaced(a.By)
}

func (v *visit) decideStage() error {
	if err := v.needs(); err != nil {
		return err
	}
	c := proceeding.Choose{By: v.actor(), Option: v.r.PostFormValue("option")}
	for _, s := range v.r.PostForm["pick"] {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return fault.New(fault.Invalid, "Choose from the list; nothing has been changed.")
		}
		c.Picked = append(c.Picked, register.PersonID(n))
	}
	for field, list := range v.r.PostForm {
		if name, ok := strings.CutPrefix(field, "votes."); ok && len(list) == 1 && list[0] != "" {
			n, err := v.intField(field)
			if err != nil {
				return err
			}
			if c.Votes == nil {
				c.Votes = map[string]int64{}
			}
			c.Votes[name] = n
		}
	}
	if _, err := v.s.Contests.Do(v.r.Context(), v.r.PathValue("ref"), c); err != nil {
		return err
	}
	return v.done(v.base(), "The decision is recorded.")
}

// enterFigures records what tellers counted in a room, or the chair judged.
func (v *visit) enterFigures() error {
	if err := v.needs(); err != nil {
		return err
	}
	e := proceeding.Enter{By: v.actor(), Judged: v.r.PostFormValue("judged"), Figures: map[string]int64{}}
	for field, list := range v.r.PostForm {
		if name, ok := strings.CutPrefix(field, "votes."); ok && len(list) == 1 && list[0] != "" {
			n, err := v.intField(field)
			if err != nil {
				return err
			}
			e.Figures[name] = n
		}
	}
	for _, s := range v.r.PostForm["elected"] {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return fault.New(fault.Invalid, "Choose from the list; nothing has been changed.")
		}
		e.Elected = append(e.Elected, register.PersonID(n))
	}
	for _, name := range strings.Split(v.r.PostFormValue("tellers"), ",") {
		if name = strings.TrimSpace(name); name != "" {
			e.Tellers = append(e.Tellers, name)
		}
	}
	if e.Judged == "" && len(e.Tellers) < 2 {
		return fault.New(fault.Invalid, "Two tellers count; name them both. Nothing has been recorded.")
	}
	if _, err := v.s.Contests.Do(v.r.Context(), v.r.PathValue("ref"), e); err != nil {
		return err
	}
	return v.done(v.base(), "The result is recorded.")
}

func (v *visit) giveOrder() error {
	if err := v.needs(); err != nil {
		return err
	}
	if v.r.PostFormValue("sure") == "" {
		return fault.New(fault.Invalid, "Tick the box to say that you are sure; nothing has been ordered.")
	}
	o := proceeding.Order{By: v.actor(), Order: v.r.PostFormValue("order"), Why: v.r.PostFormValue("why"), Target: v.r.PostFormValue("target"),
		Slot: v.r.PostFormValue("slot"), Text: v.r.PostFormValue("value"), Name: v.r.PostFormValue("name")}
	if o.Order == "extend" {
		return fault.New(fault.Invalid, "An extension has its own form.")
	}
	st, err := v.s.Contests.Do(v.r.Context(), v.r.PathValue("ref"), o)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(st.Asked, func(x proceeding.OrderBody) bool { return x.Order == o.Order }) {
		return v.done(v.base(), "You have asked for it. It is ordered when the other officer asks for the same.")
	}
	return v.done(v.base(), "Ordered. It is in the minute book.")
}

func (v *visit) declareEvent() error {
	if err := v.needs(); err != nil {
		return err
	}
	at, err := time.ParseInLocation("2006-01-02T15:04", v.r.PostFormValue("at"), v.Book.Zone)
	if v.r.PostFormValue("at") == "" {
		at, err = v.Now, nil
	}
	if err != nil {
		return fault.New(fault.Invalid, "%q is not a time; nothing has been declared.", v.r.PostFormValue("at"))
	}
	if err := v.s.Contests.DeclareEvent(v.r.Context(), v.actor(), "", v.r.PostFormValue("event"), at); err != nil {
		return err
	}
	return v.done("/office", "Declared. What stops on it has stopped, and what begins on it has begun.")
}

func (v *visit) setStanding() error {
	if err := v.needs(); err != nil {
		return err
	}
	unit, err := v.intField("unit")
	if err != nil {
		return err
	}
	if err := v.s.Contests.SetStanding(v.r.Context(), v.actor(), "", v.r.PostFormValue("slot"), register.UnitID(unit), v.r.PostFormValue("value")); err != nil {
		return err
	}
	return v.done("/office", "The decision is recorded; it holds until another.")
}

func (v *visit) contradict() error {
	if err := v.needs(); err != nil {
		return err
	}
	if err := v.s.Contests.Contradict(v.r.Context(), v.actor(), v.r.PostFormValue("one"), v.r.PostFormValue("other")); err != nil {
		return err
	}
	return v.done("/office", "Recorded. By the rulebook's order of decisions one prevails; the other is marked.")
}
