package verify

import (
	"slices"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
)

// change is a change of the rulebook that a run adopted.
type change struct {
	ref  string
	text string
	from int64
}

// versions puts the rulebook together from the first one and the changes that
// stand after what has been read so far.
func (o *organisation) versions() ([]rulebook.Version, []rulebook.Unfit) {
	var changes []rulebook.Amendment
	for _, c := range o.changes {
		if r := o.runs[c.ref]; r != nil && r.st.InForce(proceeding.Whole) {
			changes = append(changes, rulebook.Amendment{Ref: c.ref, Text: c.text, From: c.from})
		}
	}
	first := slices.IndexFunc(o.adopted, func(a adoption) bool { return a.within == "" })
	if first < 0 {
		return nil, nil
	}
	return rulebook.Versions(o.books[o.adopted[first].hash].Source, changes)
}

// version checks that a version is what comes of the changes that stand.
func (v *verifier) version(e *entry, b *rulebookBody) {
	o, c := v.org, v.Check(CheckRulebooks)
	if b.Within != "" || len(o.adopted) == 0 {
		return
	}
	if r := o.runs[b.Adopted]; b.Rebuilt {
		c.must(r != nil && r.reopened, e.seq, "the rulebook is put together again, and nothing that %q decided was set aside or restored", b.Adopted)
	}
	versions, _ := o.versions()
	i := rulebook.InForceAt(versions, b.InForce)
	c.must(i >= 0 && rulebook.SameRules(versions[i].Source, b.Source), e.seq, "the rulebook is not what comes of the changes that stand")
}

// unfit checks that a change that was not made does not fit.
func (v *verifier) unfit(e *entry, b *unfitBody) {
	_, unfit := v.org.versions()
	v.Check(CheckRulebooks).must(slices.ContainsFunc(unfit, func(u rulebook.Unfit) bool { return u.Ref == b.Ref }), e.seq, "the change of the rules by %s is said not to fit, and it fits", b.Ref)
}

// rulesAtTheEnd checks that what is in force at the end of the book, and what
// comes into force after it, is what comes of the changes that stand: none was
// left out, and none that was set aside is still there.
func (v *verifier) rulesAtTheEnd(at int64) {
	o := v.org
	versions, _ := o.versions()
	if len(versions) == 0 {
		return
	}
	points := []int64{at}
	for _, a := range o.adopted {
		if a.inForce > at {
			points = append(points, a.inForce)
		}
	}
	for _, x := range versions {
		if x.From > at {
			points = append(points, x.From)
		}
	}
	for _, p := range points {
		book := o.books[o.inForce(p)]
		i := rulebook.InForceAt(versions, p)
		v.Check(CheckRulebooks).must(book != nil && i >= 0 && rulebook.SameRules(book.Source, versions[i].Source), 0, "the rulebook in force at the end is not what comes of the changes that stand")
	}
}
