package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/store"
)

// ReplayCmd is `omov replay`.
type ReplayCmd struct {
	Where
	To string `help:"Empty database to rebuild into; it is kept. Without it the rebuilt one is thrown away after the comparison." placeholder:"sqlite:FILE"`
}

// Run rebuilds a database from its minute book and compares the two.
func (c *ReplayCmd) Run(ctx context.Context, s *Streams) error {
	from, _, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer from.Close()
	to := c.To
	if to == "" {
		dir, err := os.MkdirTemp("", "omov-replay-*")
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "there is no room for another database")
		}
		defer os.RemoveAll(dir)
		to = "sqlite:" + filepath.Join(dir, "book.db")
	}
	o, err := c.target(ctx, from, to)
	if err != nil {
		return err
	}
	// The demo's clock is not in the book: entries keep their own times.
	rebuilt, err := chamber.Open(ctx, o)
	if err != nil {
		return err
	}
	err = replay(ctx, s.Out, from, rebuilt)
	return errors.Join(err, rebuilt.Close())
}

// target gives the options of the database to rebuild into. The log keeps its
// name there.
func (c *ReplayCmd) target(ctx context.Context, from *chamber.Chamber, to string) (chamber.Options, error) {
	var head store.Head
	err := from.DB.Read(ctx, func(tx *store.Tx) (err error) {
		head, err = tx.Head()
		return err
	})
	if err != nil {
		return chamber.Options{}, err
	}
	if head.Seq == 0 {
		return chamber.Options{}, fault.New(fault.NotFound, "the database %s holds no organisation", c.DB)
	}
	if to == c.DB {
		return chamber.Options{}, fault.New(fault.Invalid, "a book cannot be rebuilt into itself; --to names an empty database")
	}
	keys := "omov-replay.box"
	if file, ok := strings.CutPrefix(to, "sqlite:"); ok {
		keys = file + ".box"
		if _, err := os.Stat(file); err == nil {
			return chamber.Options{}, fault.New(fault.Already, "%s is there already; --to names a database that is not", file)
		}
	}
	return chamber.Options{Store: store.Options{DSN: to, Origin: head.Origin}, Keys: keys}, nil
}

func replay(ctx context.Context, out io.Writer, from, to *chamber.Chamber) error {
	begun := time.Now()
	var last time.Time
	var entries int64
	err := from.Replay(ctx, to, func(seq, of int64) {
		if entries = of; seq == of || time.Since(last) > 200*time.Millisecond {
			last = time.Now()
			fmt.Fprintf(out, "\r%d of %d entries", seq, of)
		}
	})
	fmt.Fprintln(out)
	if err != nil {
		return err
	}
	different, err := chamber.Differ(ctx, from, to)
	if err != nil {
		return err
	}
	took := time.Since(begun).Seconds()
	if len(different) > 0 {
		for _, name := range different {
			fmt.Fprintf(out, "DIFFERS  %s\n", name)
		}
		return fault.New(fault.Damaged, "the database does not follow from its minute book: %s", strings.Join(different, ", "))
	}
	digests, err := to.DB.Digest(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d entries replayed in %.1f s; all %d projections are the same.\n", entries, took, len(digests))
	return nil
}
