// Package registry holds the use cases of who belongs: opening units,
// importing people from an organisation's own files, changing one person's
// record, appointing to an office, and erasing what identifies somebody.
//
// It decides what a file says and whether it can be trusted to be whole:
// nothing of an import is written unless every line can be. It applies no rule
// of the rulebook beyond its words, and knows neither HTTP nor SQL.
package registry

import (
	"context"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
)

// Registry is the register of one organisation. Safe for concurrent use.
type Registry struct{ ch *chamber.Chamber }

// New makes the use cases over a chamber.
func New(ch *chamber.Chamber) *Registry { return &Registry{ch: ch} }

// Appointment puts a person into an office.
type Appointment struct {
	Office string
	Unit   register.UnitID
	Person register.PersonID
	From   time.Time // zero: now
	How    string    // imported, appointed
}

// Appoint fills offices without an election: what an organisation brings with
// it, and what its rules let be appointed.
func (r *Registry) Appoint(ctx context.Context, list []Appointment) error {
	return r.ch.Write(ctx, func(w *chamber.World) ([]minutes.Entry, error) {
		var out []minutes.Entry
		for _, a := range list {
			o := w.Book().Office(a.Office)
			if o == nil {
				return nil, fault.New(fault.Invalid, "the rulebook has no office called %q", a.Office)
			}
			if u := w.Tree().Unit(a.Unit); o.Per != "" && (u == nil || u.Kind != o.Per) {
				return nil, fault.New(fault.Invalid, "there is a %s in every %s; say in which", a.Office, o.Per)
			}
			name := w.NameOf(a.Person)
			if name == "" {
				return nil, fault.New(fault.NotFound, "there is no person %d", a.Person)
			}
			from := a.From
			if from.IsZero() {
				from = w.At()
			}
			how := a.How
			if how == "" {
				how = "appointed"
			}
			out = append(out, minutes.Entry{Kind: register.KindFilled, Access: minutes.Public, Rulebook: w.Book().Hash, Clause: o.Cite,
				Body: register.FilledBody{Name: name, How: how, Term: register.TermOfOffice{Office: a.Office, Unit: a.Unit, Person: a.Person, From: from.Unix()}}})
		}
		return out, nil
	})
}

// Vacate ends whoever's term in an office, with a reason.
func (r *Registry) Vacate(ctx context.Context, office string, unit register.UnitID, why string) error {
	return r.ch.Write(ctx, func(w *chamber.World) ([]minutes.Entry, error) {
		o := w.Book().Office(office)
		if o == nil {
			return nil, fault.New(fault.Invalid, "the rulebook has no office called %q", office)
		}
		var out []minutes.Entry
		for _, t := range w.Roster().Holders(office, unit, w.Tree(), w.At().Unix(), w.Seq()) {
			out = append(out, minutes.Entry{Kind: register.KindVacated, Access: minutes.Public, Rulebook: w.Book().Hash, Clause: o.Cite,
				Body: register.VacatedBody{Term: t.ID, At: w.At().Unix(), Why: why, Who: t.Person}})
		}
		if len(out) == 0 {
			return nil, fault.New(fault.Already, "nobody holds the office of %s", office)
		}
		return out, nil
	})
}

// Change records changes of one person: facts, memberships, sanctions. Names
// are the rulebook's words.
func (r *Registry) Change(ctx context.Context, p register.PersonID, changes []register.Change) error {
	return r.ch.Write(ctx, func(w *chamber.World) ([]minutes.Entry, error) {
		if w.Record(p) == nil {
			return nil, fault.New(fault.NotFound, "there is no person %d", p)
		}
		return []minutes.Entry{{Kind: register.KindChanged, Access: minutes.Officers, Rulebook: w.Book().Hash,
			Body: register.ImportedBody{Rows: []register.PersonRow{{Person: p, Changes: changes}}}}}, nil
	})
}

// Erase destroys what identifies a person. The key goes first: once it is
// gone the erasure has happened, and a repeated call finishes what a crash
// left.
func (r *Registry) Erase(ctx context.Context, p register.PersonID, ground string) error {
	if err := r.ch.DB.Keys().DestroyKey(ctx, int64(p)); err != nil {
		return err
	}
	return r.ch.Write(ctx, func(w *chamber.World) ([]minutes.Entry, error) {
		if w.Record(p) == nil {
			return nil, fault.New(fault.NotFound, "there is no person %d", p)
		}
		if err := w.Tx().EraseParticulars(int64(p)); err != nil {
			return nil, err
		}
		return []minutes.Entry{{Kind: register.KindErased, Access: minutes.Officers, Rulebook: w.Book().Hash, Body: register.ErasedBody{Person: p, Ground: ground}}}, nil
	})
}
