package proceeding

import (
	"slices"
	"time"

	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// Way is a way in which somebody can begin a procedure now: by calling it, or,
// with Needs, by being the first to support it.
type Way struct {
	Procedure string
	Office    string // which it fills, where it fills several
	Cause     string
	Units     []register.UnitID // of which one has to be chosen; nil: it belongs to no unit
	Takes     []rulebook.Take
	Texts     []string // the text facts that can be given with what it takes
	Needs     string   // whose support, in words; empty: it is called at once
	As        string   // the office or body for which it is called
}

// Ways gives the ways of beginning that are open to a person now. A procedure
// that fills an office is left out while it is under way for that office.
func Ways(book *rulebook.Book, w World, at int64, p register.PersonID) []Way {
	var out []Way
	for i := range book.Procedures {
		proc := &book.Procedures[i]
		offices := proc.Fills
		if len(offices) == 0 {
			offices = []string{""}
		}
		for k := range proc.Begins {
			for _, office := range offices {
				if x, ok := wayFor(book, w, at, p, proc, &proc.Begins[k], office); ok {
					out = append(out, x)
				}
			}
		}
	}
	return out
}

func wayFor(book *rulebook.Book, w World, at int64, p register.PersonID, proc *rulebook.Procedure, b *rulebook.Beginning, office string) (Way, bool) {
	x := Way{Procedure: proc.Name, Office: office, Cause: Cause(b), Takes: proc.Takes}
	units := []register.UnitID{0}
	if proc.In != "" {
		units = w.View(0).Tree.Kind(proc.In, 0)
	}
	for _, u := range units {
		d := &decider{book: book, proc: proc, cal: book.Calendar(), world: w, at: time.UnixMilli(at).UTC(),
			st: &State{Procedure: proc.Name, Unit: u, Office: office, Cause: x.Cause, Current: -1}}
		needs, as, ok := d.mayBegin(b, p)
		if !ok || len(proc.Fills) > 0 && d.underWay(proc.Name, u, office, b.Backed != nil) != "" {
			continue
		}
		x.Needs, x.As = needs, as
		if proc.In == "" {
			return withTexts(book, x), true
		}
		x.Units = append(x.Units, u)
	}
	return withTexts(book, x), len(x.Units) > 0
}

// mayBegin tells whether somebody can use a way of beginning, whose support it
// takes, and for whom they call.
func (d *decider) mayBegin(b *rulebook.Beginning, p register.PersonID) (needs, as string, ok bool) {
	switch {
	case b.Backed != nil:
		if _, err := d.counts(b.Backed, voter{person: p}, 0); err != nil {
			return "", "", false
		}
		if b.As == "challenge" && !d.heldOrNone(d.st.Office) {
			return "", "", false // an office that is vacant is not challenged, it is filled
		}
		return d.leafNames(b.Backed), "", true
	case b.By != nil:
		err := d.actsAs(Actor{Person: p}, "", *b.By, "", "%s %s", "")
		return "", b.By.Name, err == nil
	case b.Vacancy != "":
		office := b.Vacancy
		if office == "office" {
			office = d.st.Office
		}
		if d.st.Office != "" && office != d.st.Office || !d.vacant(office) {
			return "", "", false
		}
	}
	return "", "", d.officer(Actor{Person: p}) == nil
}

// withTexts adds the facts that can be given of a text.
func withTexts(book *rulebook.Book, x Way) Way {
	if !slices.ContainsFunc(x.Takes, func(t rulebook.Take) bool { return t.Is == rulebook.TakeText }) {
		return x
	}
	for i := range book.Facts {
		if book.Facts[i].Of == rulebook.OfText {
			x.Texts = append(x.Texts, book.Facts[i].Name)
		}
	}
	return x
}
