// Package verify checks a published bundle of a minute book: that the log is
// the one that was signed, that every entry is what the log committed to, that
// every proceeding kept to the rulebook that it is pinned to, and that the
// published result follows from what is published. On a scrutineers' bundle
// it repeats the gate, the roll and the count.
//
// It decides whether a bundle holds, and fails closed: a record that it does
// not know, cannot read or cannot place is a failure. It never trusts a
// figure of the server where it has what the figure was made from. It shares
// with the server only the counting engine (count), the evaluation of a
// rulebook's expressions (rulebook, register, roll), the shapes of published
// entries (minutes, proceeding) and the log (tiles); it never imports what
// keeps, seals or writes. What proceeding decides (Decide) is not used: the
// verifier evaluates gates, times and thresholds itself.
//
// The format of a bundle and the checks, by number, are described in
// docs/verifying.md.
package verify

import (
	"context"
	"io/fs"
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/tiles"
)

// Options say against what a bundle is checked.
type Options struct {
	Key      string // the log's public key, from a source that the checker trusts; empty: the bundle's own
	Since    []byte // an older signed checkpoint that the log has to go on from
	Progress func(done, of int64)

	group *ristretto.Group // of sealed ballots; nil: the fastest that there is
	off   string           // in the tests: a check that finds nothing
}

// Format is the version of the bundle's form that this package reads.
const Format = "omov-bundle/1"

// manifest is the file bundle.json.
type manifest struct {
	Format string `json:"format"`
	Kind   string `json:"kind"`
	Origin string `json:"origin"`
	Size   int64  `json:"size"`
}

// verifier is one run over one bundle.
type verifier struct {
	*Report
	ctx   context.Context
	files fs.FS
	full  bool // a scrutineers' bundle
	head  tiles.Checkpoint
	since tiles.Checkpoint
	org   *organisation
	apart int // entries that only the parties of a case can read

	group    *ristretto.Group
	watching int                  // sealed ballots that wait for their closing checkpoint
	roots    map[int64]tiles.Hash // of the log, by size, while any does
}

// Verify checks a bundle. What does not hold is in the report; the error is
// for a bundle that cannot be read at all (fault.Invalid) and for a context
// that ended.
func Verify(ctx context.Context, files fs.FS, o Options) (*Report, error) {
	v := &verifier{Report: newReport(), ctx: ctx, files: files, org: newOrganisation(), group: o.group, roots: map[int64]tiles.Hash{}}
	if v.group == nil {
		v.group = ristretto.New()
	}
	v.Check(o.off).off = o.off != ""
	if err := v.begin(o); err != nil {
		return nil, err
	}
	if !v.Check(CheckSignature).Holds() {
		return v.Report, nil // nothing that follows would mean anything
	}
	if err := v.read(o.Progress); err != nil {
		return nil, err
	}
	v.finish()
	return v.Report, nil
}

// begin reads what a bundle says of itself, and the signatures.
func (v *verifier) begin(o Options) error {
	b, err := v.file("bundle.json", 10_000)
	if err != nil {
		return err
	}
	var m manifest
	if err := minutes.Decode([]byte(strings.TrimSuffix(string(b), "\n")), &m); err != nil {
		return fault.Wrap(fault.Invalid, err, "bundle.json is not that of a bundle")
	}
	if m.Format != Format {
		return fault.New(fault.Invalid, "this bundle is of the form %q; this version of omov reads %s", m.Format, Format)
	}
	switch m.Kind {
	case "public":
	case "scrutineers":
		v.full = true
	default:
		return fault.New(fault.Invalid, "there is no kind of bundle %q", m.Kind)
	}
	v.Kind, v.Origin, v.Size = m.Kind, m.Origin, m.Size
	return v.signatures(o, m)
}

func (v *verifier) signatures(o Options, m manifest) error {
	own, err := v.file("vkey", 1_000)
	if err != nil {
		return err
	}
	signed, err := v.file("checkpoint", 100_000)
	if err != nil {
		return err
	}
	key := strings.TrimSpace(string(own))
	c := v.Check(CheckSignature)
	if o.Key != "" {
		if key != o.Key {
			c.fail(0, "the bundle names another key of the log than the one given")
		}
		key, v.KeyGiven = o.Key, true
	}
	v.Key = key
	if v.head, err = tiles.Open(signed, key); err != nil {
		c.fail(0, "%v", err)
		return nil
	}
	c.note("%d entries of %s", v.head.Size, v.head.Origin)
	if v.head.Size != m.Size || v.head.Origin != m.Origin {
		c.fail(0, "bundle.json speaks of %d entries of %s, the signed checkpoint of %d of %s", m.Size, m.Origin, v.head.Size, v.head.Origin)
	}
	s := v.Check(CheckConsistency)
	if o.Since == nil {
		s.skip("no older checkpoint was given (--since)")
		return nil
	}
	if v.since, err = tiles.Open(o.Since, key); err != nil {
		s.fail(0, "the older checkpoint: %v", err)
	} else if v.since.Size > v.head.Size {
		s.fail(0, "the older checkpoint has %d entries, the bundle only %d: entries have been taken away", v.since.Size, v.head.Size)
	} else {
		s.note("goes on from %d entries", v.since.Size)
	}
	return nil
}
