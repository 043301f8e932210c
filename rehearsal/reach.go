package rehearsal

import (
	"context"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
)

// setStanding uses a discretion that holds for every run.
func (r *runner) setStanding(s *step, a proceeding.Actor, as, slot, text string) error {
	x, ok := any(r.contests).(interface {
		SetStanding(ctx context.Context, by proceeding.Actor, as, slot string, unit register.UnitID, text string) error
	})
	if !ok {
		return fault.New(fault.Unavailable, "this version of omov sets no discretion outside a run")
	}
	u, err := r.unit(s.in)
	if err != nil {
		return err
	}
	return x.SetStanding(r.ctx, a, as, slot, u, text)
}

// event declares an event, for now or for a day.
func (r *runner) event(s *step) error {
	x, ok := any(r.contests).(interface {
		DeclareEvent(ctx context.Context, by proceeding.Actor, as, event string, at time.Time) error
	})
	if !ok {
		return fault.New(fault.Unavailable, "this version of omov declares no events")
	}
	a, as, err := r.one(s)
	if err != nil {
		return err
	}
	at := r.clock.now()
	c := &complaints{}
	if t := c.text(s.more, "day"); t.text != "" {
		w := c.when(t)
		if len(c.list) > 0 || w.after != "" {
			return fault.New(fault.Invalid, "%q is no day", t.text)
		}
		at = w.time(r.cal)
	}
	return x.DeclareEvent(r.ctx, a, as, s.val.text, at)
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
