package web

import (
	"slices"
	"strconv"
	"strings"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/store"
)

func (s *Site) beginRoutes() {
	s.handle("GET /begin", (*visit).beginnings)
	s.handle("POST /begin", (*visit).begin)
}

// WayView is one way in which the visitor can begin something.
type WayView struct {
	proceeding.Way
	N      int
	Title  string
	Says   string
	Clause string
	Units  []UnitChoice
	Fields []TakeField
}

// UnitChoice is a unit that can be chosen.
type UnitChoice struct {
	ID   register.UnitID
	Name string
}

// TakeField is what has to be supplied for a procedure.
type TakeField struct {
	Name, Label, Kind, Hint string
	Choices                 []Alternative
	Long, Optional          bool
}

// Alternative is one of several values.
type Alternative struct{ Value, Label string }

// beginnings lists what the visitor could begin: by calling it, or by
// gathering support for it.
func (v *visit) beginnings() error {
	if err := v.needs(); err != nil {
		return err
	}
	var list []WayView
	err := v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		list = nil
		for i, x := range proceeding.Ways(w.Book(), w, w.At().UnixMilli(), v.Person) {
			p := w.Book().Procedure(x.Procedure)
			y := WayView{Way: x, N: i, Title: contest.Title(w.Book(), &proceeding.State{Procedure: x.Procedure, Office: x.Office}), Says: p.Says.Raw(), Clause: p.Cite}
			for _, u := range x.Units {
				y.Units = append(y.Units, UnitChoice{u, w.Tree().Unit(u).Name})
			}
			slices.SortFunc(y.Units, func(a, b UnitChoice) int { return strings.Compare(a.Name, b.Name) })
			var err error
			if y.Fields, err = v.takeFields(w, &x); err != nil {
				return err
			}
			list = append(list, y)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.page("begin.html", "Begin something", list)
}

// takeFields are the fields of the form for what a procedure takes.
func (v *visit) takeFields(w *chamber.World, x *proceeding.Way) ([]TakeField, error) {
	var out []TakeField
	for _, t := range x.Takes {
		f := TakeField{Name: t.Name, Label: spaced(t.Name), Kind: "text"}
		switch t.Is {
		case rulebook.TakePerson:
			f.Hint = "membership number"
		case rulebook.TakeNumber:
			f.Kind = "number"
		case rulebook.TakeDate:
			f.Kind = "date"
		case rulebook.TakeFlag:
			f.Choices = []Alternative{{"true", "yes"}, {"false", "no"}}
		case rulebook.TakeChoice:
			for _, c := range t.Of2 {
				f.Choices = append(f.Choices, Alternative{c, spaced(c)})
			}
		case rulebook.TakeClause:
			for _, c := range w.Book().Clauses {
				f.Choices = append(f.Choices, Alternative{c.Number, c.Number + ": " + short(c.Text)})
			}
		case rulebook.TakeOffice:
			for _, t := range w.Roster().Holders(t.Of, 0, w.Tree(), w.At().Unix(), w.Seq()) {
				f.Choices = append(f.Choices, Alternative{strconv.FormatInt(int64(t.Person), 10), w.NameOf(t.Person)})
			}
		case rulebook.TakeUnit:
			for _, u := range w.Tree().Kind(t.Of, 0) {
				f.Choices = append(f.Choices, Alternative{strconv.FormatInt(int64(u), 10), w.Tree().Unit(u).Name})
			}
		case rulebook.TakeRun:
			states, err := v.readable(w)
			if err != nil {
				return nil, err
			}
			for _, st := range states {
				if !proceeding.Takable(w.Book().Procedure(x.Procedure), &t, st) {
					continue
				}
				label := st.Ref + ", under way"
				if !st.Live() {
					label = st.Ref + ", " + came(st.Outcome)
				}
				f.Choices = append(f.Choices, Alternative{st.Ref, label})
			}
		case rulebook.TakeText, rulebook.TakeWords:
			f.Long = true
			if t.Of == "rulebook" {
				f.Hint = "one change a line, as in  leadership.ballot.notice: 10 days"
			}
		}
		out = append(out, f)
		if t.Is == rulebook.TakeText {
			for _, fact := range x.Texts {
				out = append(out, TakeField{Name: t.Name + "." + fact, Label: "its " + spaced(fact), Kind: "text", Optional: true})
			}
		}
	}
	return out, nil
}

// short is the beginning of a text.
func short(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + " …"
	}
	return s
}

// begin calls a procedure, or opens the gathering of support for it, with the
// visitor's own as the first.
func (v *visit) begin() error {
	if err := v.needs(); err != nil {
		return err
	}
	if v.r.PostFormValue("sure") == "" {
		return fault.New(fault.Invalid, "Tick the box to say that you are sure; nothing has been begun.")
	}
	unit, err := v.intField("unit")
	if err != nil {
		return err
	}
	b := proceeding.Begin{Procedure: v.r.PostFormValue("procedure"), Office: v.r.PostFormValue("office"), Cause: v.r.PostFormValue("cause"), Unit: register.UnitID(unit), By: v.actor()}
	proc := v.Book.Procedure(b.Procedure)
	if proc == nil {
		return fault.New(fault.NotFound, "The rulebook has no such procedure.")
	}
	backed := slices.ContainsFunc(proc.Begins, func(x rulebook.Beginning) bool { return x.Backed != nil && proceeding.Cause(&x) == b.Cause })
	if backed {
		b.Backers, b.Collect = []register.PersonID{v.Person}, true
	}
	if b.Takes, err = v.taken(proc); err != nil {
		return err
	}
	st, err := v.s.Contests.Call(v.r.Context(), b)
	if err != nil {
		return err
	}
	if st.Phase == proceeding.Collecting {
		return v.done("/contests/"+st.Ref, "Begun. It is called when the support is there.")
	}
	return v.done("/contests/"+st.Ref, "Called. Its timetable is here.")
}

// taken reads what the form supplies.
func (v *visit) taken(proc *rulebook.Procedure) (map[string]proceeding.Held, error) {
	var out map[string]proceeding.Held
	put := func(name, typ, text string) {
		if out == nil {
			out = map[string]proceeding.Held{}
		}
		out[name] = proceeding.Held{Type: typ, Text: text}
	}
	for _, t := range proc.Takes {
		text := strings.TrimSpace(v.r.PostFormValue("take." + t.Name))
		if text == "" {
			continue // refused with the name of what is missing
		}
		switch t.Is {
		case rulebook.TakePerson:
			p, err := v.byNumber(text)
			if err != nil {
				return nil, err
			}
			put(t.Name, string(rulebook.TypePerson), strconv.FormatInt(int64(p), 10))
		case rulebook.TakeOffice:
			put(t.Name, string(rulebook.TypePerson), text)
		case rulebook.TakeUnit:
			put(t.Name, string(rulebook.TypeUnit), text)
		case rulebook.TakeNumber:
			put(t.Name, string(rulebook.TypeNumber), text)
		case rulebook.TakeDate:
			put(t.Name, string(rulebook.TypeMoment), text)
		case rulebook.TakeFlag:
			put(t.Name, string(rulebook.TypeFlag), text)
		default:
			put(t.Name, string(rulebook.TypeWords), strings.ReplaceAll(text, "\r\n", "\n"))
		}
		for i := range v.Book.Facts {
			f := &v.Book.Facts[i]
			if given := strings.TrimSpace(v.r.PostFormValue("take." + t.Name + "." + f.Name)); t.Is == rulebook.TakeText && f.Of == rulebook.OfText && given != "" {
				put(t.Name+"."+f.Name, string(rulebook.TypeWords), given)
			}
		}
	}
	return out, nil
}

// byNumber finds a person by the organisation's own number.
func (v *visit) byNumber(number string) (register.PersonID, error) {
	var p register.PersonID
	err := v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		row, err := personByNumber(w.Tx(), number)
		p = register.PersonID(row.ID)
		return err
	})
	return p, err
}

func personByNumber(tx *store.Tx, number string) (store.PersonRow, error) {
	row, err := tx.PersonByExternal(number)
	if fault.Is(err, fault.NotFound) {
		return row, fault.New(fault.NotFound, "Nobody in the register has the membership number %q; nothing has been begun.", number)
	}
	return row, err
}
