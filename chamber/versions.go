package chamber

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/store"
)

// rulesKind is the kind of decision that changes the rulebook.
const rulesKind = "rulebook"

// amend makes a new version of the rulebook: the change is applied to what will
// be in force when it comes into force, not to what the proceeding was pinned
// to. Versions that have been adopted and come into force after it take it up
// as well, or it would be gone with the first of them. A change that no longer
// fits leaves the rules as they are, and the record says why: the vote was
// taken, and its result has to be declared.
func (w *World) amend(ref string, b *proceeding.AdoptedBody) ([]minutes.Entry, error) {
	rows, err := w.rulebooks()
	if err != nil {
		return nil, err
	}
	from := max(b.InForce, w.at.UnixMilli())
	var books []*rulebook.Book
	var bodies []RulebookBody
	for _, r := range versionsFrom(rows, from) {
		base, err := rulebook.Parse(r.Source)
		if err != nil {
			return nil, fault.Wrap(fault.Damaged, err, "the rulebook %s cannot be read any more", r.Hash)
		}
		next, problems := base.Amend([]byte(b.Text))
		if next == nil {
			return []minutes.Entry{w.unfit(ref, problems.Errors().Error())}, nil
		}
		at := max(from, r.InForceAt.UnixMilli())
		if next, err = titled(fmt.Sprintf("As amended by %s", ref), at, next.Source); err != nil {
			return nil, err
		}
		books = append(books, next)
		bodies = append(bodies, adopted(next, ref, at))
	}
	if len(bodies) == 0 {
		return nil, fault.New(fault.NotFound, "there is no rulebook that could be changed")
	}
	return w.adoptAll(books, bodies), nil
}

// changedRules tells whether a run adopted a change of the rulebook.
func (w *World) changedRules(ref string) bool {
	return slices.ContainsFunc(w.org.Adopted, func(a Adopted) bool { return a.Ref == ref && a.Kind == rulesKind && a.Unit == 0 })
}

// rebuild puts the rulebook together again from the changes that stand, after
// an order about what a run decided: as it is in force from now on, and as it
// will be whenever a version comes into force that is in the book already.
// Nothing is rewritten; what differs is adopted anew, and runs keep the version
// that they were called under.
func (w *World) rebuild(ref string, order int64) ([]minutes.Entry, error) {
	rows, err := w.rulebooks()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(rows, func(r store.RulebookRow) bool { return r.Within == "" })
	if i < 0 {
		return nil, fault.New(fault.NotFound, "there is no rulebook that could be put together again")
	}
	changes, err := w.standingChanges()
	if err != nil {
		return nil, err
	}
	versions, unfit := rulebook.Versions(rows[i].Source, changes)
	now := w.at.UnixMilli()
	var books []*rulebook.Book
	var bodies []RulebookBody
	for _, r := range versionsFrom(rows, now) {
		at := max(now, r.InForceAt.UnixMilli())
		v := versions[rulebook.InForceAt(versions, at)]
		if rulebook.SameRules(v.Source, r.Source) {
			continue
		}
		next, err := titled(fmt.Sprintf("As it stands by order %d about %s", order, ref), at, v.Source)
		if err != nil {
			return nil, err
		}
		b := adopted(next, ref, at)
		b.Rebuilt = true
		books, bodies = append(books, next), append(bodies, b)
	}
	out := w.adoptAll(books, bodies)
	for _, u := range unfit {
		out = append(out, w.unfit(u.Ref, u.Why))
	}
	return out, nil
}

// standingChanges gives the changes of the rulebook that have not been set
// aside, in the order in which they were adopted.
func (w *World) standingChanges() ([]rulebook.Amendment, error) {
	var out []rulebook.Amendment
	for i := range w.org.Adopted {
		a := &w.org.Adopted[i]
		if a.Kind != rulesKind || a.Unit != 0 {
			continue
		}
		st, err := w.State(a.Ref)
		if err != nil {
			return nil, err
		}
		if st.InForce(proceeding.Whole) {
			out = append(out, rulebook.Amendment{Ref: a.Ref, Text: a.Text, From: max(a.At, a.InForce)})
		}
	}
	return out, nil
}

func (w *World) unfit(ref, why string) minutes.Entry {
	return minutes.Entry{Kind: KindUnfit, Access: minutes.Public, Rulebook: w.book.Hash, Body: UnfitBody{Ref: ref, Why: why}}
}

// adoptAll gives the entries that adopt versions; the first one carries the new
// words of all of them.
func (w *World) adoptAll(books []*rulebook.Book, bodies []RulebookBody) []minutes.Entry {
	var words []string
	for _, b := range books {
		words = append(words, vocabulary(b)...)
	}
	out := make([]minutes.Entry, len(bodies))
	for i := range bodies {
		if i == 0 {
			bodies[0].First, bodies[0].Terms = w.newTerms(words)
		}
		w.fresh = append(w.fresh, store.RulebookRow{Hash: bodies[i].Hash, Source: bodies[i].Source, InForceAt: time.UnixMilli(bodies[i].InForce).UTC()})
		out[i] = adoptionEntry(bodies[i])
	}
	return out
}

// rulebooks gives all versions, those of this transaction last.
func (w *World) rulebooks() ([]store.RulebookRow, error) {
	rows, err := w.tx.Rulebooks()
	return append(rows, w.fresh...), err
}

// current is the rulebook in force, whatever this transaction has changed in it.
func (w *World) current() (*rulebook.Book, error) {
	rows, err := w.rulebooks()
	if err != nil {
		return nil, err
	}
	if len(w.fresh) == 0 {
		return w.c.Current(w.tx)
	}
	return rulebook.Parse(versionsFrom(rows, w.at.UnixMilli())[0].Source)
}

// titled reads a version under a first line that says what it comes from, so
// that a change back to what once was is a version of its own.
func titled(from string, at int64, source []byte) (*rulebook.Book, error) {
	book, err := rulebook.Parse(source)
	if err != nil {
		return nil, err
	}
	day := book.Calendar().Instant(time.UnixMilli(at)).T.Format("2 January 2006")
	return rulebook.Parse(append(fmt.Appendf(nil, "# %s, in force from %s.\n", from, day), source...))
}

// versionsFrom gives the version in force at an instant (Unix milliseconds),
// and those that have been adopted and come into force after it, in that order.
func versionsFrom(rows []store.RulebookRow, at int64) []store.RulebookRow {
	var base *store.RulebookRow
	later := map[int64]store.RulebookRow{}
	for i := range rows { // in the order in which they were adopted
		r := &rows[i]
		switch from := r.InForceAt.UnixMilli(); {
		case r.Within != "":
		case from > at:
			later[from] = *r
		case base == nil || !r.InForceAt.Before(base.InForceAt):
			base = r
		}
	}
	out := []store.RulebookRow{}
	if base != nil {
		out = append(out, *base)
	}
	for _, from := range slices.Sorted(maps.Keys(later)) {
		out = append(out, later[from])
	}
	return out
}
