package proceeding

import (
	"slices"
	"strconv"
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// maxTaken bounds the words that a caller supplies, in bytes.
const maxTaken = 200_000

// takes holds what the caller supplies against what the procedure takes.
func (d *decider) takes(given map[string]Held) error {
	known := map[string]bool{}
	for _, t := range d.proc.Takes {
		known[t.Name] = true
		h, ok := given[t.Name]
		if !ok || h.Text == "" {
			return fault.Under(fault.Invalid, d.proc.Cite, "%s takes %s: say which", spaced(d.proc.Name), spaced(t.Name))
		}
		if len(h.Text) > maxTaken {
			return fault.New(fault.TooMuch, "%s is too long: at most %d characters", spaced(t.Name), maxTaken)
		}
		if err := d.take(&t, h); err != nil {
			return err
		}
	}
	for name := range given {
		text, fact, of := strings.Cut(name, ".")
		if known[name] || of && known[text] && d.book.Fact(rulebook.OfText, fact) != nil {
			continue
		}
		return fault.Under(fault.Invalid, d.proc.Cite, "%s takes no %s", spaced(d.proc.Name), spaced(name))
	}
	return nil
}

// Takable tells whether a run can be supplied: one that is under way where the
// procedure stops, stays or resumes it, else one that has been decided.
func Takable(p *rulebook.Procedure, t *rulebook.Take, st *State) bool {
	if st.Procedure != t.Of {
		return false
	}
	if p.Reaches(t.Name) {
		return st.Live() && st.Phase != Collecting
	}
	return st.Phase == Ended
}

// take checks one value that is supplied.
func (d *decider) take(t *rulebook.Take, h Held) error {
	wrong := func(what string) error {
		return fault.Under(fault.Invalid, d.proc.Cite, "%s is %s", spaced(t.Name), what)
	}
	switch t.Is {
	case rulebook.TakePerson, rulebook.TakeOffice:
		id, err := strconv.ParseInt(h.Text, 10, 64)
		if err != nil || h.Type != string(rulebook.TypePerson) && h.Type != string(rulebook.TypePeople) {
			return wrong("one person")
		}
		if t.Is == rulebook.TakeOffice && !d.holds(register.PersonID(id), t.Of, 0) {
			return wrong("somebody who holds the office of " + spaced(t.Of))
		}
	case rulebook.TakeUnit:
		id, err := strconv.ParseInt(h.Text, 10, 64)
		u := d.view().Tree.Unit(register.UnitID(id))
		if err != nil || h.Type != string(rulebook.TypeUnit) || u == nil || u.Kind != t.Of {
			return wrong("one " + spaced(t.Of))
		}
	case rulebook.TakeRun:
		st, ok := d.world.Run(h.Text)
		if ok && Takable(d.proc, t, st) {
			return nil
		}
		if d.proc.Reaches(t.Name) {
			return wrong("a run of " + spaced(t.Of) + " that is under way")
		}
		return wrong("a decision of " + spaced(t.Of) + " that has been taken")
	case rulebook.TakeChoice:
		if !slices.Contains(t.Of2, h.Text) {
			return wrong("one of " + orList(t.Of2))
		}
	case rulebook.TakeClause:
		if len(d.book.Clauses) > 0 && !slices.ContainsFunc(d.book.Clauses, func(c rulebook.Clause) bool { return c.Number == h.Text }) {
			return wrong("a clause of the rulebook")
		}
	case rulebook.TakeNumber, rulebook.TakeDate, rulebook.TakeFlag:
		if _, ok := h.Value(d.cal, d.view()); !ok || h.Type == string(rulebook.TypeWords) {
			return wrong("a " + string(t.Is))
		}
	}
	return nil
}
