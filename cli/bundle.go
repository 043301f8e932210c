package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"

	"github.com/omov/omov/bundle"
	"github.com/omov/omov/fault"
)

// BundleCmd is `omov bundle`.
type BundleCmd struct {
	Where
	Scrutineers bool   `help:"Write the scrutineers' bundle: with it the gate, the roll and the count can be repeated. It is not for the public."`
	Out         string `arg:"" help:"File to write; it must not be there yet." placeholder:"FILE.zip"`
}

// Run writes the bundle.
func (c *BundleCmd) Run(ctx context.Context, s *Streams) (err error) {
	ch, _, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer ch.Close()
	if n, err := seq(ctx, ch); err != nil || n == 0 {
		if err == nil {
			err = fault.New(fault.NotFound, "the database %s holds no organisation", c.DB)
		}
		return err
	}
	mode := os.FileMode(0o644)
	write := bundle.WritePublic
	if c.Scrutineers {
		mode, write = 0o600, bundle.WriteScrutineers
	}
	f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "%s cannot be written", c.Out)
	}
	defer func() {
		if err != nil {
			os.Remove(c.Out) // half a bundle is none
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	err = write(ctx, ch, w)
	if e := w.Flush(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		if fault.Of(err) == nil {
			err = fault.Wrap(fault.Unavailable, err, "%s could not be written to its end", c.Out)
		}
		return err
	}
	info, err := os.Stat(c.Out)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "%s is gone", c.Out)
	}
	fmt.Fprintf(s.Out, "%s, %d bytes. The log's key, for those who check it:\n%s\n", c.Out, info.Size(), ch.DB.VerifierKey())
	return nil
}
