package proceeding

import (
	"slices"
	"strconv"

	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// MayRead tells whether somebody may read the record of a run: all but of a
// case about a person, which is for that person, for those who began it and
// for those who decide in it.
func MayRead(book *rulebook.Book, st *State, w World, at int64, p register.PersonID) bool {
	if !st.Private {
		return true
	}
	if p == 0 {
		return false
	}
	d := newDecider(book, st, w, at)
	if d.proc == nil {
		return false
	}
	for _, t := range d.proc.Takes {
		if t.Is == rulebook.TakePerson && st.Takes[t.Name].Text == strconv.FormatInt(int64(p), 10) {
			return true
		}
	}
	is := func(who *rulebook.Who) bool {
		if who == nil {
			return false
		}
		ok, err := d.isWho(voter{person: p}, *who)
		return ok && err == nil
	}
	for i := range d.proc.Begins {
		if is(d.proc.Begins[i].By) {
			return true
		}
	}
	for i := range d.proc.Stages {
		if r := &d.proc.Stages[i]; is(r.By) {
			return true
		}
	}
	for _, body := range st.Drawn {
		if slices.Contains(body, p) {
			return true
		}
	}
	return false
}

// MayAct tells whether somebody may act as who in a run: hold the office, record
// what a body decided, speak for a unit.
func MayAct(book *rulebook.Book, st *State, w World, at int64, p register.PersonID, who rulebook.Who) bool {
	d := newDecider(book, st, w, at)
	return d.actsAs(Actor{Person: p}, "", who, "", "%s %s", "") == nil
}
