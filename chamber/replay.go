package chamber

import (
	"context"
	"errors"
	"sort"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/store"
)

// replayBatch is how many entries one transaction of a replay applies.
const replayBatch = 200

// Replay rebuilds a book into an empty one: it copies the entries of c to
// `to`, in order, projecting each, so that every projection follows from the
// minutes alone. Particulars are copied as they are sealed; those whose key
// has been destroyed stay unreadable. progress is told the last entry done.
func (c *Chamber) Replay(ctx context.Context, to *Chamber, progress func(seq, of int64)) error {
	var head store.Head
	err := c.DB.Read(ctx, func(tx *store.Tx) (err error) {
		head, err = tx.Head()
		return err
	})
	if err != nil {
		return err
	}
	for from := int64(1); from <= head.Seq; from += replayBatch {
		part, err := c.minutes(ctx, from, replayBatch)
		if err != nil {
			return err
		}
		if err := to.replay(ctx, part); err != nil {
			return err
		}
		if progress != nil {
			progress(min(from+replayBatch-1, head.Seq), head.Seq)
		}
	}
	return nil
}

var errEnough = errors.New("enough")

// minutes gives up to n entries from one on.
func (c *Chamber) minutes(ctx context.Context, from int64, n int) ([]minutes.Minute, error) {
	var out []minutes.Minute
	err := c.DB.Read(ctx, func(tx *store.Tx) error {
		out = out[:0]
		return tx.Minutes(from, func(m minutes.Minute) error {
			if len(out) == n {
				return errEnough
			}
			out = append(out, m)
			return nil
		})
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return out, err
}

// ReplayMinutes puts entries of another copy of the same book at the end of
// this one and projects them.
func (c *Chamber) ReplayMinutes(ctx context.Context, part []minutes.Minute) error {
	for i := 0; i < len(part); i += replayBatch {
		if err := c.replay(ctx, part[i:min(i+replayBatch, len(part))]); err != nil {
			return err
		}
	}
	return nil
}

func (c *Chamber) replay(ctx context.Context, part []minutes.Minute) error {
	return c.DB.Write(ctx, func(tx *store.Tx) error {
		p := newProjector(c, tx)
		for _, m := range part {
			if err := tx.Replay(m); err != nil {
				return err
			}
			if err := p.project(m); err != nil {
				return err
			}
		}
		return p.flush()
	})
}

// Differ compares the digests of two books' projections and names those that
// are not the same. What is operational (mail, sessions, an open box) is in no
// digest.
func Differ(ctx context.Context, a, b *Chamber) ([]string, error) {
	x, err := a.DB.Digest(ctx)
	if err != nil {
		return nil, err
	}
	y, err := b.DB.Digest(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for name := range x {
		if x[name] != y[name] {
			out = append(out, name)
		}
	}
	if len(x) != len(y) {
		return nil, fault.New(fault.Internal, "the two books have different projections")
	}
	sort.Strings(out)
	return out, nil
}
