package sealing

import (
	"context"
	"slices"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/group"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/mixing"
	"github.com/omov/omov/sealed/proof"
)

// Do does the next thing that is waited for from a trustee whose identity this
// process has: the server where it is the only one, and those of a rehearsal.
// Trustees who hold a key apart from the server have a program of their own.
// False where nothing is waited for.
func (s *Sealing) Do(ctx context.Context, ref, name string, id keygen.Identity) (bool, error) {
	x, err := s.look(ctx, ref, nil)
	if err != nil {
		return false, err
	}
	if x.prep != nil {
		return s.doKey(ctx, x, id)
	}
	return s.doDeed(ctx, ref, name, id)
}

// ownPart does all that is waited for from a server that is the only trustee.
func (s *Sealing) ownPart(ctx context.Context, ref string) error {
	id, err := s.ch.ServerIdentity(ctx)
	if err != nil {
		return err
	}
	defer id.Wipe()
	for {
		more, err := s.Do(ctx, ref, chamber.Server, id)
		if err != nil && !fault.Is(err, fault.Conflict) || err == nil && !more {
			return err
		}
	}
}

// doKey is a trustee's next message of the key generation.
func (s *Sealing) doKey(ctx context.Context, x *seen, id keygen.Identity) (bool, error) {
	if x.prep.Key != "" {
		return false, nil
	}
	member, err := keygen.NewMember(s.g, x.m.Ceremony(x.hash), id)
	if err != nil {
		return false, err
	}
	var list []step
	now, err := s.look(ctx, x.ref, func(w *chamber.World, x *seen) (err error) {
		list, err = steps(w, x.ballot.ID)
		return err
	})
	if err != nil || now.prep == nil || now.prep.Key != "" || now.hash != x.hash {
		return false, err
	}
	c, err := s.follow(now, list)
	if err != nil {
		return false, err
	}
	if c.Phase() == keygen.Done { // stopped just before the key was entered
		return true, s.keyed(ctx, x.ref, now.version, c)
	}
	if !slices.Contains(c.Waiting(), member.Index()) {
		return false, nil
	}
	raw, err := member.Next(c)
	if err != nil {
		return false, err
	}
	return true, s.Message(ctx, x.ref, raw)
}

// doDeed is a trustee's next deed after the close.
func (s *Sealing) doDeed(ctx context.Context, ref, name string, id keygen.Identity) (bool, error) {
	s.work.Lock()
	defer s.work.Unlock()
	var t *tally
	var do *Waits
	var about []byte
	_, err := s.look(ctx, ref, func(w *chamber.World, x *seen) (err error) {
		do = nil
		if x.prep != nil || x.ballot.Closed == 0 {
			return nil
		}
		if t, err = s.tallyOf(w, x); err != nil {
			return err
		}
		list := t.next()
		if i := slices.IndexFunc(list, func(y Waits) bool { return y.Trustee == name }); i >= 0 {
			do = &list[i]
			about, err = s.bytesOf(w, t, do, id)
		}
		return err
	})
	if err != nil || do == nil {
		return false, err
	}
	sign := id.Sign()
	defer sign.Wipe()
	raw, err := sealed.NewDeed(t.hash, t.closing, name, do.Does, do.Group, about).Sign(s.g, sign)
	if err != nil {
		return false, err
	}
	return true, s.deed(ctx, ref, raw, about, true)
}

// bytesOf makes a mix or shares.
func (s *Sealing) bytesOf(w *chamber.World, t *tally, do *Waits, id keygen.Identity) ([]byte, error) {
	if do.Does == sealed.Witness {
		return nil, nil
	}
	g := t.group(do.Group)
	pairs, err := s.current(w, t, g)
	if err != nil {
		return nil, err
	}
	if do.Does == sealed.Mix {
		st := s.statement(t, g, do.Trustee, len(g.mixed), pairs)
		p, err := mixing.Shuffle(s.g, st)
		if err != nil {
			return nil, err
		}
		return p.Encode(st), nil
	}
	share, err := s.shareOf(w, t, id)
	if err != nil {
		return nil, err
	}
	defer share.Wipe()
	o := &sealed.Opening{Manifest: t.hash, Closing: t.closing, Group: g.name, Pairs: pairs}
	// The book is the record of what is opened: it has one close, and nothing
	// in it is rewritten.
	sh, err := o.MakeShares(s.g, group.Backends()[0], t.trustee(do.Trustee)+1, share)
	if err != nil {
		return nil, err
	}
	return sh.Encode(), nil
}

func (s *Sealing) shareOf(w *chamber.World, t *tally, id keygen.Identity) (proof.Secret, error) {
	c, err := s.replayed(w, t.seen)
	if err != nil {
		return proof.Secret{}, err
	}
	m, err := keygen.NewMember(s.g, t.m.Ceremony(t.hash), id)
	if err != nil {
		return proof.Secret{}, err
	}
	return m.Share(c)
}
