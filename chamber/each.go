package chamber

import (
	"context"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/store"
)

// WriteEach is Write for what is too much to have in memory at once, such as
// an import: fill is called in the writer's transaction and hands entries to
// put one by one, each of which is appended and projected at once. Either all
// of them are committed or none: an error of fill or of put undoes everything.
//
// While fill waits for something the whole organisation waits, so it may wait
// only for what runs beside it and is nearly as quick as the writer. World
// shows the book as it was before the first entry. Like every function of the
// store's writer, fill may run more than once.
func (c *Chamber) WriteEach(ctx context.Context, fill func(w *World, put func(minutes.Entry) error) error) error {
	for range maxTries {
		var done []minutes.Minute
		err := c.DB.Write(ctx, func(tx *store.Tx) error {
			done = nil
			w, err := c.world(tx, false)
			if err != nil {
				return err
			}
			p := newProjector(c, tx)
			err = fill(w, func(e minutes.Entry) error {
				m, err := p.enter(e)
				m.Body, m.Particulars = nil, nil // who listens needs to know that, not what
				done = append(done, m)
				return err
			})
			if w.missing.err != nil {
				return w.missing.err
			}
			if err != nil {
				return err
			}
			return p.flush()
		})
		n := putOff(err)
		if n == nil {
			if err == nil {
				c.settle(done)
			}
			return err
		}
		if err := c.count(ctx, n); err != nil {
			return err
		}
	}
	return fault.New(fault.Conflict, "others changed the same thing at the same time; look again and repeat")
}
