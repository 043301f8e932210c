package chamber

import (
	"context"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
)

// OutOfReach warns of the gates of a rulebook, adopted or not, that nobody can
// pass as the register stands now.
func (c *Chamber) OutOfReach(ctx context.Context, book *rulebook.Book) (rulebook.Problems, error) {
	for range 100 * maxTries { // each gate may need counts
		var out rulebook.Problems
		err := c.Read(ctx, func(w *World) (err error) {
			out, err = proceeding.OutOfReach(book, w.WithBook(book), w.At())
			if w.missing.err != nil {
				return w.missing.err
			}
			return err
		})
		n := putOff(err)
		if n == nil {
			return out, err
		}
		if err := c.count(ctx, n); err != nil {
			return nil, err
		}
	}
	return nil, fault.New(fault.Conflict, "the register changes too quickly to be counted; try again")
}
