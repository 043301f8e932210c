package proceeding

import (
	"slices"

	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// Whole is the target of an order that sets aside what a run as a whole
// decided, in place of the number of one of its acts.
const Whole = -1

// undo takes back what a run did: who came into an office by it leaves, who
// made room comes back where there is room, what it imposed is lifted and what
// it lifted is imposed. A text that it adopted is marked as set aside by the
// chamber. What it started goes its own way.
func (d *decider) undo() error {
	for i := len(d.st.Done) - 1; i >= 0; i-- {
		done := &d.st.Done[i]
		if done.Verb != string(rulebook.DoFill) && done.Verb != string(rulebook.DoVacate) {
			continue
		}
		if err := d.swap(done.Target, done.People, done.Left); err != nil {
			return err
		}
	}
	for i := len(d.st.Sanctioned) - 1; i >= 0; i-- {
		x := d.st.Sanctioned[i]
		imposed := x.Verb == string(rulebook.DoImpose)
		if !imposed && x.Until == 0 {
			continue // lifted: until when it would have lasted nobody wrote down
		}
		x.Verb = map[bool]string{true: string(rulebook.DoLift), false: string(rulebook.DoImpose)}[imposed]
		x.Until = 0
		if err := d.applySanction(x); err != nil {
			return err
		}
	}
	return nil
}

// redo does again what was undone, where setting it aside has been set aside
// itself. Sanctions whose time has run out meanwhile stay as they are.
func (d *decider) redo() error {
	for i := range d.st.Done {
		done := &d.st.Done[i]
		if done.Verb != string(rulebook.DoFill) && done.Verb != string(rulebook.DoVacate) {
			continue
		}
		if err := d.swap(done.Target, done.Left, done.People); err != nil {
			return err
		}
	}
	for _, x := range d.st.Sanctioned {
		if x.Until != 0 && x.Until <= d.at.Unix() {
			continue
		}
		if err := d.applySanction(x); err != nil {
			return err
		}
	}
	return nil
}

// swap takes people out of an office and puts others in, where there is room.
func (d *decider) swap(office string, out, in []register.PersonID) error {
	held := d.holders(office, 0)
	left := 0
	for _, t := range held {
		if slices.Contains(out, t.Person) {
			left++
			if err := d.vacateTerm(t, "set aside"); err != nil {
				return err
			}
		}
	}
	room := d.places(office) - len(held) + left
	for _, p := range in {
		if room <= 0 {
			break
		}
		if slices.ContainsFunc(held, func(t register.TermOfOffice) bool { return t.Person == p }) {
			continue
		}
		room--
		if err := d.fillWith(office, d.public(p), "restored"); err != nil {
			return err
		}
	}
	return nil
}
