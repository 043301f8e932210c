package chamber

import (
	"context"
	"slices"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
)

// KindOverridden says which of two decisions that contradict each other
// prevails. Public.
const KindOverridden = "text.overridden/1"

// OverriddenBody names the decision that gives way, and the one that prevails.
// Both stay on the record.
type OverriddenBody struct {
	Ref  string `json:"ref"`
	By   string `json:"by"`
	At   int64  `json:"at"`
	Rule string `json:"rule"` // precedence: the stronger kind; later: the same kind, decided later
}

// prevails tells which of two adopted texts prevails, by the order in which the
// rulebook puts kinds of decision; between equals the later.
func prevails(book *rulebook.Book, a, b *Adopted) (winner, loser *Adopted, rule string) {
	x, y := slices.Index(book.Precedence, a.Kind), slices.Index(book.Precedence, b.Kind)
	switch {
	case x >= 0 && (y < 0 || x < y):
		return a, b, "precedence"
	case y >= 0 && (x < 0 || y < x):
		return b, a, "precedence"
	case a.At > b.At:
		return a, b, "later"
	}
	return b, a, "later"
}

// contradicted gives the entries by which a text that has just been adopted and
// those in force with the same objective are put in order.
func (w *World) contradicted(ref string, b *proceeding.AdoptedBody) []minutes.Entry {
	if b.Objective == "" || w.book == nil {
		return nil
	}
	mine := &Adopted{Kind: b.Kind, Ref: ref, At: w.at.UnixMilli(), Unit: int64(b.Unit), Objective: b.Objective}
	var out []minutes.Entry
	for i := range w.org.Adopted {
		a := &w.org.Adopted[i]
		if a.Objective != b.Objective || a.Unit != mine.Unit || a.Overridden != "" || a.Aside || a.Ref == ref {
			continue
		}
		winner, loser, rule := prevails(w.book, a, mine)
		out = append(out, w.overridden(winner, loser, rule))
	}
	return out
}

func (w *World) overridden(winner, loser *Adopted, rule string) minutes.Entry {
	return minutes.Entry{Kind: KindOverridden, Access: minutes.Public, Rulebook: w.book.Hash,
		Body: OverriddenBody{Ref: loser.Ref, By: winner.Ref, At: w.at.UnixMilli(), Rule: rule}}
}

// Contradict records that two decisions contradict each other. By the rulebook's
// precedence one of them prevails; the other is marked, not deleted.
func (c *Chamber) Contradict(ctx context.Context, by proceeding.Actor, one, other string) error {
	return c.Write(ctx, func(w *World) ([]minutes.Entry, error) {
		if w.book == nil {
			return nil, fault.New(fault.NotFound, "this organisation has not adopted a rulebook yet")
		}
		office, err := proceeding.Officer(w.book, w, w.at, by)
		if err != nil {
			return nil, err
		}
		var found [2]*Adopted
		for i := range w.org.Adopted {
			a := &w.org.Adopted[i]
			for k, ref := range []string{one, other} {
				if a.Ref == ref {
					found[k] = a
				}
			}
		}
		for k, ref := range []string{one, other} {
			if found[k] == nil || one == other {
				return nil, fault.New(fault.NotFound, "%s has adopted no text that could contradict another", ref)
			}
			if found[k].Overridden != "" {
				return nil, fault.New(fault.Already, "what %s adopted is overridden already, by %s", ref, found[k].Overridden)
			}
		}
		winner, loser, rule := prevails(w.book, found[0], found[1])
		e := w.overridden(winner, loser, rule)
		e.Office = office
		return []minutes.Entry{e}, nil
	})
}
