package chamber

import (
	"context"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
)

// lot is a draw that has been made on a snapshot and is not in the book yet.
type lot struct {
	pool  int64
	order []register.PersonID
	drawn []register.PersonID
	full  bool
}

// draw makes the draw that is due from the roll that was taken for it.
func (w *World) draw(st *proceeding.State, t *taken) (*lot, error) {
	pool, err := w.pool(t)
	if err != nil {
		return nil, err
	}
	p, err := proceeding.NewPick(w.book, st, w, w.at.UnixMilli())
	if err != nil {
		return nil, err
	}
	proceeding.InDrawOrder(t.ballot, t.roll.Root, pool)
	l := &lot{pool: int64(len(pool))}
	// People are looked at in the order of the draw, and no further than
	// needed: with a million of them, seats and reserves are found among the
	// first few.
	for want := 2*p.Seats() + proceeding.Reserves; ; want *= 4 {
		if l.order, err = some(p, pool, want); err != nil {
			return nil, err
		}
		if l.drawn, l.full, err = p.Take(l.order, nil); err != nil {
			return nil, err
		}
		if l.full || len(l.order) < want {
			return l, nil
		}
	}
}

// some gives the first of a pool who may be drawn, at most n.
func some(p *proceeding.Pick, pool []register.PersonID, n int) ([]register.PersonID, error) {
	var out []register.PersonID
	for _, who := range pool {
		if len(out) == n {
			break
		}
		ok, err := p.May(who)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, who)
		}
	}
	return out, nil
}

// pool is everybody on the roll of a draw.
func (w *World) pool(t *taken) ([]register.PersonID, error) {
	var out []register.PersonID
	for i := range t.facts.Sections {
		for _, v := range t.facts.Sections[i].Voters {
			if v.Person != 0 && v.Bar == "" {
				out = append(out, v.Person)
			}
		}
	}
	for _, ch := range t.chunks {
		ch.Each(func(p register.PersonID, _ []byte) {
			for k := range t.facts.People {
				if l, ok := ch.Line(p, k); ok && l.Reason == 0 {
					out = append(out, p)
					return
				}
			}
		})
	}
	return out, nil
}

// drawDue makes the draw of a proceeding that is due and enters it.
func (c *Chamber) drawDue(ctx context.Context, ref string) (*proceeding.State, error) {
	var t *taken
	var l *lot
	err := c.Read(ctx, func(w *World) error {
		t, l = nil, nil
		st, err := w.State(ref)
		if err != nil {
			return err
		}
		book, err := c.Book(w.tx, st.Book)
		if err != nil || !st.NeedsRoll(book, w.at.UnixMilli()) {
			return err
		}
		v := w.WithBook(book)
		if t, err = v.take(st); err != nil {
			return err
		}
		l, err = v.draw(st, t)
		return err
	})
	if err != nil || l == nil {
		return nil, err
	}
	var out *proceeding.State
	err = c.Write(ctx, func(w *World) ([]minutes.Entry, error) {
		st, err := w.State(ref)
		if err != nil {
			return nil, err
		}
		if st.Version != t.version {
			return nil, fault.New(fault.Conflict, "%s changed while its lots were being drawn; they are drawn again", ref)
		}
		if w.book, err = c.Book(w.tx, st.Book); err != nil {
			return nil, err
		}
		cmd := proceeding.MakeDraw{Roll: t.roll, Lines: t.lines, Pool: l.pool, Order: l.order, Drawn: l.drawn, Full: l.full}
		next, entries, err := proceeding.Decide(w.book, st, cmd, w.at, w)
		out = next
		return w.follow(next, entries, err)
	})
	return out, err
}
