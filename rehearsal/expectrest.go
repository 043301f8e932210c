package rehearsal

import (
	"slices"
	"strconv"
	"strings"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
)

// rollLook is a roll as it was taken, or, before that, as it would be now.
type rollLook struct {
	sections map[string]int64 // entitled
	leftOut  map[string]int64 // by the id of the condition
}

// rollKeys are what can be expected of a roll.
func rollKeys() []string { return []string{"size", "left_out", "sections", "why"} }

// roll compares how many may vote, whom each condition stops, and what stops
// one person.
func (l *look) roll(c *check) error {
	var got *rollLook
	for _, p := range c.val.pairs {
		if !slices.Contains(rollKeys(), p.key) {
			return fault.New(fault.Invalid, "a roll has %s, and no %q%s", strings.Join(rollKeys(), ", "), p.key, didYouMean(p.key, rollKeys()))
		}
		if p.key == "why" {
			if err := l.why(p.val); err != nil {
				return err
			}
			continue
		}
		if got == nil {
			var err error
			if got, err = l.takeRoll(); err != nil {
				return err
			}
		}
		l.at = p.pos
		switch p.key {
		case "size":
			var n int64
			for _, k := range got.sections {
				n += k
			}
			l.same("roll: size", number(p.val.text), strconv.FormatInt(n, 10))
		case "sections":
			for _, x := range p.val.pairs {
				l.same("roll: section "+x.key, number(x.val.text), strconv.FormatInt(got.sections[x.key], 10))
			}
		case "left_out":
			for _, x := range p.val.pairs {
				l.same("roll: left out by "+x.key, number(x.val.text), strconv.FormatInt(got.leftOut[x.key], 10))
			}
		}
	}
	return nil
}

// number lets numbers be written with a space or a stroke between thousands.
func number(s string) string { return strings.NewReplacer("_", "", ",", "", " ", "").Replace(s) }

// takeRoll reads the roll of the latest ballot from the book's own lines (the
// public totals hide what would single people out); where none has been taken
// it is taken now and thrown away.
func (l *look) takeRoll() (*rollLook, error) {
	out := &rollLook{sections: map[string]int64{}, leftOut: map[string]int64{}}
	err := l.r.ch.Read(l.r.ctx, func(w *chamber.World) error {
		if n := len(l.st.Ballots); n > 0 && l.st.Ballots[n-1].Stage == l.st.Current || n > 0 && !l.st.Live() {
			return l.rollTaken(w, &l.st.Ballots[n-1], out)
		}
		return l.rollNow(w.WithBook(l.book), out)
	})
	return out, err
}

func (l *look) rollTaken(w *chamber.World, b *proceeding.Ballot, out *rollLook) error {
	id, facts, err := chamber.RollOf(w.Tx(), l.st.Ref, b.ID)
	if err != nil {
		return err
	}
	for i := range facts.Sections {
		if sec := &facts.Sections[i]; sec.Listed {
			countListed(out, sec.Name, sec.Voters)
		} else {
			out.sections[sec.Name] += 0
		}
	}
	last, err := w.Tx().LastPerson()
	if err != nil {
		return err
	}
	for n := int64(0); n <= roll.ChunkOf(register.PersonID(last)) && len(facts.People) > 0; n++ {
		raw, err := w.Tx().RollChunk(id, n)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		c, err := roll.ReadChunk(n, raw)
		if err != nil {
			return err
		}
		c.Each(func(_ register.PersonID, lines []byte) {
			for k, i := range facts.People {
				out.add(facts.Sections[i].Name, facts.Sections[i].Reasons, lines[2*k])
			}
		})
	}
	return nil
}

func (out *rollLook) add(section string, reasons []roll.Reason, reason byte) {
	if reason == 0 {
		out.sections[section]++
	} else if int(reason) < len(reasons) {
		out.leftOut[reasons[reason].ID]++
	}
}

func countListed(out *rollLook, section string, voters []proceeding.ListedVoter) {
	for _, v := range voters {
		if v.Bar == "" {
			out.sections[section]++
		} else {
			out.leftOut[roll.Unsanction+":"+v.Bar]++
		}
	}
}

// rollNow assesses everybody for the ballot that is to come.
func (l *look) rollNow(w *chamber.World, out *rollLook) error {
	st := l.st.Clone()
	p := l.book.Procedure(st.Procedure)
	stage := -1
	for i := max(st.Current, 0); i < len(p.Stages) && stage < 0; i++ {
		if p.Stages[i].Kind == rulebook.Ballot {
			stage = i
		}
	}
	if stage < 0 {
		return fault.New(fault.Invalid, "%s has no ballot to come", spaced(st.Procedure))
	}
	st.Current = stage
	plan, _, _, err := proceeding.Plan(l.book, st, w, w.At().UnixMilli())
	if err != nil {
		return err
	}
	for i := range plan.Sections {
		sec := &plan.Sections[i]
		if !sec.Listed {
			continue
		}
		voters, err := proceeding.Listed(l.book, st, w, w.At().UnixMilli(), sec)
		if err != nil {
			return err
		}
		countListed(out, sec.Name, voters)
	}
	if len(plan.People) == 0 {
		return nil
	}
	a, person := plan.Assessor(), &roll.Person{View: w.View(st.Unit), Rec: &register.Record{}}
	var lines []roll.Line
	for row, err := range w.Tx().PeopleAfter(0, 0) {
		if err != nil {
			return err
		}
		person.ID = register.PersonID(row.ID)
		if err := person.Rec.Decode(row.Facts); err != nil {
			return err
		}
		if lines, err = a.Assess(person, lines); err != nil {
			return err
		}
		for k, i := range plan.People {
			out.add(plan.Sections[i].Name, plan.Sections[i].Reasons, lines[k].Reason)
		}
	}
	return nil
}

// why compares what stops one person, as that person is shown it: the id of
// the first condition that is not met, or `entitled`.
func (l *look) why(n *node) error {
	for _, p := range n.pairs {
		id, err := l.r.onePerson(p.key)
		if err != nil {
			return err
		}
		list, err := l.r.contests.Standings(l.r.ctx, l.st.Ref, id)
		if err != nil {
			return err
		}
		l.at = p.pos
		l.same("roll: "+p.key, p.val.text, reason(list))
	}
	return nil
}

func reason(list []contest.Standing) string {
	condition, because := "", ""
	for _, s := range list {
		if s.Entitled {
			return "entitled"
		}
		for _, c := range s.Conditions {
			if c.First && condition == "" {
				condition = c.ID
			}
		}
		if because == "" {
			because = s.Because
		}
	}
	if condition == "" {
		return because
	}
	return condition
}

// slots compares the values of discretions as they stand in the run.
func (l *look) slots(c *check) error {
	for _, p := range c.val.pairs {
		sl := l.book.Slot(p.key)
		if sl == nil {
			return fault.New(fault.NotFound, "the rulebook leaves no discretion called %s", p.key)
		}
		got, err := l.slotText(sl)
		if err != nil {
			return err
		}
		want := p.val.text
		if v, ok := l.book.ReadSlot(sl, want); ok {
			want = v.Text()
		}
		l.at = p.pos
		l.same("slot "+p.key, want, got)
	}
	return nil
}

func (l *look) slotText(sl *rulebook.Slot) (string, error) {
	got := "nobody has set it"
	err := l.r.ch.Read(l.r.ctx, func(w *chamber.World) error {
		if l.st != nil {
			for _, v := range proceeding.Discretions(l.book, l.st, w.WithBook(l.book), w.At().UnixMilli()) {
				if v.Name == sl.Name {
					if v.Value != "" {
						got = v.Value
					}
					return nil
				}
			}
			if s, ok := l.st.Slots[sl.Name]; ok {
				got = heldText(l.book, s.Value)
				return nil
			}
		}
		unit := register.UnitID(0)
		if l.st != nil {
			unit = l.st.Unit
		}
		for _, u := range []register.UnitID{unit, 0} {
			if s, ok := w.Slot(sl.Name, u); ok {
				got = heldText(l.book, s.Value)
				return nil
			}
		}
		return nil
	})
	return got, err
}

// heldText writes a kept value as people read it.
func heldText(book *rulebook.Book, h proceeding.Held) string {
	if h.Type == string(rulebook.TypePerson) || h.Type == string(rulebook.TypePeople) || h.Type == string(rulebook.TypeUnit) {
		return h.Text
	}
	if v, ok := h.Value(book.Calendar(), nil); ok {
		return v.Text()
	}
	return h.Text
}

// holders compares who holds an office: of the run's unit where there is one
// in each; `mp Northtown` names another unit.
func (l *look) holders(c *check) error {
	for _, p := range c.val.pairs {
		office, where, _ := strings.Cut(p.key, " ")
		o := l.r.current().Office(office)
		if o == nil {
			return fault.New(fault.NotFound, "the rulebook has no office called %s", office)
		}
		in := register.UnitID(0)
		if o.Per != "" && l.st != nil {
			in = l.st.Unit
		}
		if where != "" {
			var err error
			if in, err = l.r.unit((&complaints{}).reference(where, p.pos)); err != nil {
				return err
			}
		}
		got, err := l.r.holders(office, in)
		if err != nil {
			return err
		}
		want, err := l.wanted(p.val)
		if err != nil {
			return err
		}
		var names []string
		for _, id := range got {
			names = append(names, l.r.names.person(id))
		}
		l.at = p.pos
		l.sameSet("office of "+spaced(p.key), want, got, names)
	}
	return nil
}

// running compares how many runs of a procedure have not ended.
func (l *look) running(c *check) error {
	n := map[string]int{}
	err := l.r.ch.Read(l.r.ctx, func(w *chamber.World) error {
		clear(n)
		states, err := w.States()
		for _, st := range states {
			if st.Live() {
				n[st.Procedure]++
			}
		}
		return err
	})
	for _, p := range c.val.pairs {
		if l.r.current().Procedure(p.key) == nil {
			return fault.New(fault.NotFound, "the rulebook has no procedure called %s", p.key)
		}
		l.at = p.pos
		l.same("running: "+p.key, p.val.text, strconv.Itoa(n[p.key]))
	}
	return err
}

// texts looks among what has been adopted, by words of the text.
func (l *look) texts(c *check) error {
	var adopted []chamber.Adopted
	err := l.r.ch.Read(l.r.ctx, func(w *chamber.World) error {
		adopted = slices.Clone(w.Organisation().Adopted)
		return nil
	})
	var got []string
	for _, a := range adopted {
		if !a.Aside && !a.Unfit && (a.Overridden != "") == (c.key == "overridden") {
			got = append(got, a.Text)
		}
	}
	for _, n := range c.val.list() {
		if n.text == "none" {
			l.same(c.key, "none", orNone(got))
			continue
		}
		ok := slices.ContainsFunc(got, func(s string) bool { return strings.Contains(fold(s), fold(n.text)) })
		l.unless(ok, c.key, n.text, orNothing(got))
	}
	return err
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, "; ")
}

// toldNow compares how many people were written to since the step began.
func (l *look) toldNow(c *check) {
	l.same("told", number(c.val.text), strconv.Itoa(l.r.told))
}

// shift compares what the last discretion or order did to the roll to come:
// how many could vote before and after it, and how many gain or lose theirs.
func (l *look) shift(c *check) {
	got := map[string]int64{}
	for _, x := range l.r.shifts[l.st.Ref] {
		got["before"], got["after"], got["moved"] = x.Before, x.After, x.Moved
	}
	for _, p := range c.val.pairs {
		l.at = p.pos
		l.same("shift of the roll: "+p.key, number(p.val.text), strconv.FormatInt(got[p.key], 10))
	}
}

// drawn compares how many have been drawn in a stage.
func (l *look) drawn(c *check) {
	for _, p := range c.val.pairs {
		n := 0
		if st := l.st.StageNamed(p.key); st != nil && st.Draw != nil {
			n = len(st.Draw.Drawn)
		}
		l.at = p.pos
		l.same("drawn in "+p.key, number(p.val.text), strconv.Itoa(n))
	}
}
