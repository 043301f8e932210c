package sealing

import (
	"context"
	"slices"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/mixing"
	"github.com/omov/omov/tiles"
)

// maxPart is how many bytes of a mix or of shares one entry has.
const maxPart = 256 << 10

// MaxBytes is the most bytes of a mix that is taken in.
const MaxBytes = 256 << 20

// Expects gives the most bytes that a deed can speak of, if it is signed by a
// trustee and waited for: whoever is none can send nothing large. One that is on
// the board already is known, and what it speaks of need not be looked at.
func (s *Sealing) Expects(ctx context.Context, ref string, raw []byte) (most int64, known bool, err error) {
	_, err = s.look(ctx, ref, func(w *chamber.World, x *seen) error {
		t, d, err := s.signed(w, x, raw)
		if err != nil || d.Kind == sealed.Witness {
			return err
		}
		most, known = MaxBytes, t.has(d)
		if known { // sent twice
			return nil
		}
		return t.due(d)
	})
	return most, known, err
}

// signed reads a deed without what it speaks of.
func (s *Sealing) signed(w *chamber.World, x *seen, raw []byte) (*tally, *sealed.Deed, error) {
	t, err := s.tallyOf(w, x)
	if err != nil {
		return nil, nil, err
	}
	if x.ballot.Seal.Closing == "" {
		return nil, nil, fault.Under(fault.TooEarly, x.clause, "the closing checkpoint is not there yet; try again in a moment")
	}
	d, err := x.m.SignedDeed(s.g, t.closing, raw)
	return t, d, err
}

// has tells whether a deed is on the board already.
func (t *tally) has(d *sealed.Deed) bool {
	return slices.ContainsFunc(t.deeds, func(y *deed) bool {
		return y.Kind == d.Kind && y.From == d.From && y.Group == d.Group && y.Digest == d.Digest
	})
}

// Deed takes a trustee's deed in, after checking everything it says.
func (s *Sealing) Deed(ctx context.Context, ref string, raw, about []byte) error {
	if len(raw) > sealed.MaxDeed || len(about) > MaxBytes {
		return fault.New(fault.TooMuch, "a deed has at most %d bytes, and what it speaks of %d", sealed.MaxDeed, MaxBytes)
	}
	s.work.Lock()
	defer s.work.Unlock()
	return s.deed(ctx, ref, raw, about, false)
}

// deed checks and enters one; own is the server's, who need not check their
// own mix. The caller has the work.
func (s *Sealing) deed(ctx context.Context, ref string, raw, about []byte, own bool) error {
	var known bool
	x, err := s.look(ctx, ref, func(w *chamber.World, x *seen) error {
		t, d, err := s.signed(w, x, raw)
		if err == nil {
			err = d.About(about)
		}
		if err != nil {
			return err
		}
		known = t.has(d)
		if known { // sent twice
			return nil
		}
		if err := t.due(d); err != nil {
			return err
		}
		return s.right(w, t, d, about, own)
	})
	if err != nil || known {
		return err
	}
	cmd := proceeding.Deed{Raw: raw}
	for part := range slices.Chunk(about, maxPart) {
		cmd.Parts = append(cmd.Parts, part)
	}
	_, err = s.ch.DoAt(ctx, ref, x.version, cmd)
	return err
}

// due refuses a deed that is not waited for, and says why.
func (t *tally) due(d *sealed.Deed) error {
	if t.ballot.Seal.Opened || t.ballot.Unopened {
		return fault.Under(fault.TooLate, t.clause, "nothing more is opened of this ballot")
	}
	if d.Kind == sealed.Witness {
		if slices.Contains(t.witnesses, d.From) {
			return fault.Under(fault.Already, t.clause, "%s has witnessed the close", d.From)
		}
		return nil
	}
	g := t.group(d.Group)
	switch {
	case g == nil:
		return fault.Under(fault.Invalid, t.clause, "the ballot has no papers of a group %q", d.Group)
	case !t.witnessed():
		return fault.Under(fault.TooEarly, t.clause, "%d trustees have to witness the close first; %d have", t.m.Threshold, len(t.witnesses))
	}
	next := t.nextMixer(g)
	if d.Kind == sealed.Mix {
		switch {
		case next == "":
			return fault.Under(fault.TooLate, t.clause, "the group %s has been mixed", g.name)
		case next != d.From:
			return fault.Under(fault.TooEarly, t.clause, "the group %s is mixed by %s next", g.name, next)
		}
		return nil
	}
	switch {
	case next != "":
		return fault.Under(fault.TooEarly, t.clause, "the group %s is not opened before %s has mixed it", g.name, next)
	case len(g.shares) >= t.m.Threshold:
		return fault.Under(fault.TooLate, t.clause, "as many trustees as are needed have opened the group %s", g.name)
	case slices.ContainsFunc(g.shares, func(y *deed) bool { return y.From == d.From }):
		return fault.Under(fault.Already, t.clause, "%s has opened the group %s", d.From, g.name)
	}
	return nil
}

// right checks a mix or shares.
func (s *Sealing) right(w *chamber.World, t *tally, d *sealed.Deed, about []byte, own bool) error {
	if d.Kind == sealed.Witness || own {
		return nil
	}
	g := t.group(d.Group)
	pairs, err := s.current(w, t, g)
	if err != nil {
		return err
	}
	if d.Kind == sealed.Mix {
		st := s.statement(t, g, d.From, len(g.mixed), pairs)
		p, err := mixing.Decode(st, about)
		if err != nil {
			return err
		}
		return mixing.Verify(s.g, st, p)
	}
	sh, err := sealed.DecodeShares(about)
	if err != nil {
		return err
	}
	if sh.Trustee != t.trustee(d.From)+1 {
		return fault.New(fault.Invalid, "these shares are of trustee %d, and %s is trustee %d", sh.Trustee, d.From, t.trustee(d.From)+1)
	}
	c, err := s.replayed(w, t.seen)
	if err != nil {
		return err
	}
	public, err := c.Public(sh.Trustee)
	if err != nil {
		return err
	}
	o := &sealed.Opening{Manifest: t.hash, Closing: t.closing, Group: g.name, Pairs: pairs}
	return o.CheckShares(s.g, sh, public)
}

// replayed follows the key generation of a ballot once more.
func (s *Sealing) replayed(w *chamber.World, x *seen) (*keygen.Ceremony, error) {
	list, err := steps(w, x.ballot.ID)
	if err != nil {
		return nil, err
	}
	return s.follow(x, list)
}

// Excuse is an officer excusing a mixer who does not answer.
func (s *Sealing) Excuse(ctx context.Context, ref string, by proceeding.Actor, name, why string) error {
	x, err := s.look(ctx, ref, func(w *chamber.World, x *seen) error {
		t, err := s.tallyOf(w, x)
		if err != nil {
			return err
		}
		return t.excusable(name)
	})
	if err != nil {
		return err
	}
	_, err = s.ch.DoAt(ctx, ref, x.version, proceeding.Excuse{By: by, Trustee: name, Why: why})
	return err
}

// excusable refuses to leave too few mixers.
func (t *tally) excusable(name string) error {
	if !slices.Contains(t.m.Mixers, name) {
		return fault.Under(fault.Invalid, t.clause, "%s is no mixer of this ballot", name)
	}
	least := min(2, len(t.m.Trustees))
	for _, g := range t.groups {
		left := 0
		for _, m := range t.m.Mixers {
			did := slices.ContainsFunc(g.mixed, func(d *deed) bool { return d.From == m })
			if did || m != name && !slices.Contains(t.ballot.Seal.Excused, m) {
				left++
			}
		}
		if left < least {
			return fault.Under(fault.Conflict, t.clause, "without %s fewer than %d mixers would be left, and whoever mixes alone can link every paper to its credential", name, least)
		}
	}
	return nil
}

// Carry does what the server has to do of a ballot that has closed: fix the
// closing checkpoint, and, where it is the only trustee, witness, mix and open.
func (s *Sealing) Carry(ctx context.Context, ref string) error {
	x, err := s.look(ctx, ref, nil)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil || x.prep != nil || x.ballot.Closed == 0 || x.ballot.Unopened || x.ballot.Counted != 0 || !x.st.Live() {
		return err
	}
	if x.ballot.Seal.Closing == "" {
		signed, err := s.closingCheckpoint(ctx, x)
		if err != nil {
			return err
		}
		if _, err := s.ch.DoAt(ctx, ref, x.version, proceeding.FixClosing{Checkpoint: string(signed)}); err != nil && !fault.Is(err, fault.Already) {
			return err
		}
	}
	if x.ballot.Seal.Server {
		return s.ownPart(ctx, ref)
	}
	return nil
}

// closingCheckpoint signs the log as it is: it covers the close.
func (s *Sealing) closingCheckpoint(ctx context.Context, x *seen) ([]byte, error) {
	signed, err := s.ch.DB.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	_, err = tiles.Open(signed, s.ch.DB.VerifierKey())
	return signed, err
}
