package rehearsal

import (
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
)

// change changes the register: people join, leave, come under a sanction,
// take or lose an office.
func (r *runner) change(s *step) error {
	now := r.clock.now()
	for _, p := range (&complaints{}).people(s.val) {
		if p.also.text == "" {
			if err := r.join(&p); err != nil {
				return err
			}
			continue
		}
		found := r.names.find((&complaints{}).reference(p.also.text, p.also.pos))
		if len(found) == 0 || found[0].person == 0 {
			return r.nobody(reference{text: p.also.text})
		}
		parts, err := r.prepare(&p, len(found), now)
		if err != nil {
			return err
		}
		for i, t := range found {
			if err := r.changeOne(&p, parts, i, t.person); err != nil {
				return err
			}
		}
	}
	return nil
}

// join enters new people in the middle of a rehearsal.
func (r *runner) join(p *personLine) error {
	var last int64
	err := r.ch.Read(r.ctx, func(w *chamber.World) (err error) {
		last, err = w.Tx().LastPerson()
		return err
	})
	if err != nil {
		return err
	}
	if !r.names.add(group{name: p.named.text, first: last + 1, n: p.make}, p.numbered()) {
		return fault.New(fault.Already, "somebody is called %q already", p.named.text)
	}
	r.report.People += p.make
	return r.admit([]made{{p, register.PersonID(last + 1), p.make}}, nil, r.clock.now())
}

func (r *runner) changeOne(p *personLine, parts *prepared, i int, id register.PersonID) error {
	changes := parts.changes(i)
	now := r.clock.now().Unix()
	if p.freed.text != "" {
		changes = append(changes, register.Change{Aspect: register.Sanction, Name: r.terms[p.freed.text], From: now, End: true})
	}
	if p.leaves.text != "" {
		ends, err := r.leaves(id, r.terms[p.leaves.text], now)
		if err != nil {
			return err
		}
		changes = append(changes, ends...)
	}
	if len(changes) > 0 {
		if err := r.reg.Change(r.ctx, id, changes); err != nil {
			return err
		}
	}
	if p.loses.text != "" {
		if err := r.loses(id, p.loses.text); err != nil {
			return err
		}
	}
	if posts := parts.appointments(i, id); len(posts) > 0 {
		return r.reg.Appoint(r.ctx, posts)
	}
	return nil
}

// leaves gives the changes that end somebody's membership of a class.
func (r *runner) leaves(id register.PersonID, class register.Term, now int64) ([]register.Change, error) {
	var out []register.Change
	err := r.ch.Read(r.ctx, func(w *chamber.World) error {
		out = nil
		rec := w.Record(id)
		for i := range rec.Spans {
			if s := &rec.Spans[i]; s.Aspect == register.Belongs && s.Name == class && s.At(now, w.Seq()) {
				out = append(out, register.Change{Aspect: register.Belongs, Name: class, Unit: s.Unit, From: now, End: true})
			}
		}
		return nil
	})
	if err == nil && len(out) == 0 {
		err = fault.New(fault.NotFound, "%s does not belong in that class", r.names.person(id))
	}
	return out, err
}

// loses ends somebody's term in an office.
func (r *runner) loses(id register.PersonID, office string) error {
	var unit register.UnitID
	others, holds := 0, false
	err := r.ch.Read(r.ctx, func(w *chamber.World) error {
		others, holds = 0, false
		for _, t := range w.Roster().Of(id, w.At().Unix(), w.Seq()) {
			if t.Office == office {
				unit, holds = t.Unit, true
			}
		}
		for _, t := range w.Roster().Holders(office, unit, w.Tree(), w.At().Unix(), w.Seq()) {
			if t.Person != id {
				others++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !holds {
		return fault.New(fault.NotFound, "%s does not hold the office of %s", r.names.person(id), spaced(office))
	}
	if others > 0 {
		return r.resigns(id, office)
	}
	return r.reg.Vacate(r.ctx, office, unit, "left the office")
}

// resigns ends one of several terms in an office. The registry ends all of an
// office at once; this is the same entry, for one.
func (r *runner) resigns(id register.PersonID, office string) error {
	return r.ch.Write(r.ctx, func(w *chamber.World) ([]minutes.Entry, error) {
		for _, t := range w.Roster().Of(id, w.At().Unix(), w.Seq()) {
			if t.Office == office {
				return []minutes.Entry{{Kind: register.KindVacated, Access: minutes.Public, Rulebook: w.Book().Hash, Clause: w.Book().Office(office).Cite,
					Body: register.VacatedBody{Term: t.ID, At: w.At().Unix(), Why: "resigned", Who: id}}}, nil
			}
		}
		return nil, fault.New(fault.NotFound, "%s does not hold the office", r.names.person(id))
	})
}
