package sealing

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/store"
)

// Relist takes in the registrar's change of the list: codes that were lost
// before a paper was cast with them are replaced. Whether one was cast is judged
// in the transaction that enters the change. The same change sent again is no
// mistake.
func (s *Sealing) Relist(ctx context.Context, ref string, change, signature []byte) error {
	x, err := s.look(ctx, ref, nil)
	if err != nil {
		return err
	}
	r, err := sealed.ReadRelisting(s.g, x.m, change, signature)
	if err != nil {
		return err
	}
	var refusal error
	err = s.ch.DB.Write(ctx, func(tx *store.Tx) (err error) {
		if refusal, err = s.unchangeable(tx, x); refusal != nil || err != nil {
			return err
		}
		refusal, err = s.relist(tx, x, r, change, signature)
		return err
	})
	if err != nil {
		return err
	}
	return refusal
}

// unchangeable tells, under the head lock, why the list cannot be changed.
func (s *Sealing) unchangeable(tx *store.Tx, x *seen) (refusal, err error) {
	if x.prep == nil {
		if x.ballot.Closed != 0 {
			return sealed.Late(), nil
		}
		return s.late(tx, &open{seen: x})
	}
	v, err := tx.ProceedingVersion(x.ref)
	switch {
	case err != nil:
		return nil, err
	case v != x.version:
		return fault.New(fault.Conflict, "something else of %s was changed at the same moment; send the change again", x.ref), nil
	case x.prep.Listed == 0:
		return fault.Under(fault.TooEarly, x.clause, "there is no list yet that could be changed"), nil
	}
	return nil, nil
}

// relist judges a change and enters it.
func (s *Sealing) relist(tx *store.Tx, x *seen, r *sealed.Relisting, change, signature []byte) (refusal, err error) {
	seqs, err := tx.SealedEntries(x.ballot.ID, proceeding.KindRelisted)
	if err != nil {
		return nil, err
	}
	n := int64(len(seqs))
	if r.N <= n {
		return sameChange(tx, seqs[r.N-1], change)
	}
	if r.N > n+1 {
		return fault.Under(fault.Conflict, x.clause, "this is change %d of the list; number %d is next", r.N, n+1), nil
	}
	on := &chamber.Board{Tx: tx, Ballot: x.ballot.ID, Manifest: x.hash}
	if err := r.Fits(on.Credential, on.Once, on.Cast); err != nil {
		if fault.Of(err) != nil {
			return err, nil
		}
		return nil, err
	}
	return nil, s.ch.Relist(tx, x.ref, x.st.Book, x.clause, proceeding.RelistedBody{Ballot: x.ballot.ID, Change: change, Signature: signature})
}

// sameChange refuses a second change of the same number.
func sameChange(tx *store.Tx, seq int64, change []byte) (refusal, err error) {
	b, err := tx.Body(seq)
	if err != nil {
		return nil, err
	}
	var old proceeding.RelistedBody
	if err := json.Unmarshal(b, &old); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "entry %d is no change of a list", seq)
	}
	if !bytes.Equal(old.Change, change) {
		return fault.New(fault.Already, "another change of the list has this number: it is entry %d of the record", seq), nil
	}
	return nil, nil
}
