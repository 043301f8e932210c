package chamber

import (
	"encoding/json"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/store"
)

// sealedEntry projects what the board of a sealed ballot needs to judge the
// next paper, and where the rest of it stands.
func (p *projector) sealedEntry(m minutes.Minute) error {
	var of struct {
		Ballot string `json:"ballot"`
	}
	switch m.Kind {
	case proceeding.KindSealedPaper:
		return p.sealedPaper(m)
	case proceeding.KindListed:
		return p.sealedList(m)
	case proceeding.KindRelisted:
		return p.sealedChange(m)
	}
	if err := body(m, &of); err != nil {
		return err
	}
	if m.Kind == proceeding.KindPrepared {
		if err := p.tx.DropSealed(of.Ballot); err != nil {
			return err
		}
	}
	return p.tx.PutSealedEntry(of.Ballot, m.Seq, m.Kind)
}

// sealedPaper makes a paper its credential's current one.
func (p *projector) sealedPaper(m minutes.Minute) error {
	var b proceeding.SealedPaperBody
	if err := body(m, &b); err != nil {
		return err
	}
	x, err := sealed.DecodePaper(b.Paper)
	if err != nil {
		return fault.Wrap(fault.Damaged, err, "entry %d is no sealed paper", m.Seq)
	}
	return p.tx.PutSealedPaper(b.Ballot, x.Key, x.Hash, int64(x.Sequence), m.Seq, x.Fresh())
}

// sealedList enters the credentials of a list, which was checked before it was
// entered.
func (p *projector) sealedList(m minutes.Minute) error {
	var b proceeding.ListedBody
	if err := body(m, &b); err != nil {
		return err
	}
	var l sealed.Listing
	if err := json.Unmarshal(b.List, &l); err != nil {
		return fault.Wrap(fault.Damaged, err, "entry %d is no list of credentials", m.Seq)
	}
	for _, g := range l.Groups {
		rows := make([]store.SealedCredential, len(g.Keys))
		for i, k := range g.Keys {
			if len(k) != 32 {
				return fault.New(fault.Damaged, "entry %d lists what is no key", m.Seq)
			}
			rows[i] = store.SealedCredential{Key: [32]byte(k), Section: g.Section, Class: g.Class}
		}
		if err := p.tx.PutSealedCredentials(b.Ballot, rows); err != nil {
			return err
		}
	}
	return p.tx.PutSealedEntry(b.Ballot, m.Seq, m.Kind)
}

// sealedChange puts keys in the place of others.
func (p *projector) sealedChange(m minutes.Minute) error {
	var b proceeding.RelistedBody
	if err := body(m, &b); err != nil {
		return err
	}
	var r sealed.Relisting
	if err := json.Unmarshal(b.Change, &r); err != nil {
		return fault.Wrap(fault.Damaged, err, "entry %d is no change of a list of credentials", m.Seq)
	}
	rows := make([]store.SealedCredential, len(r.Swaps))
	for i, s := range r.Swaps {
		if len(s.In) != 32 || len(s.Out) != 32 {
			return fault.New(fault.Damaged, "entry %d lists what is no key", m.Seq)
		}
		if err := p.tx.RetireSealedCredential(b.Ballot, [32]byte(s.Out)); err != nil {
			return err
		}
		rows[i] = store.SealedCredential{Key: [32]byte(s.In), Section: s.Section, Class: s.Class}
	}
	if err := p.tx.PutSealedCredentials(b.Ballot, rows); err != nil {
		return err
	}
	return p.tx.PutSealedEntry(b.Ballot, m.Seq, m.Kind)
}

// Board is the board of a sealed ballot in a transaction: what papers are
// judged by. It implements sealed.Records.
type Board struct {
	Tx       *store.Tx
	Ballot   string
	Manifest [32]byte // hash
}

var _ sealed.Records = (*Board)(nil)

// Credential implements sealed.Records.
func (b *Board) Credential(key [32]byte) (*sealed.Credential, error) {
	c, err := b.Tx.SealedCredential(b.Ballot, key)
	if err != nil || c == nil {
		return nil, err
	}
	return &sealed.Credential{Key: key, Section: c.Section, Class: c.Class}, nil
}

// Accepted implements sealed.Records. The position is the number of the entry.
func (b *Board) Accepted(hash [32]byte) (*sealed.Receipt, error) {
	p, err := b.Tx.SealedPaper(b.Ballot, hash)
	if err != nil || p == nil {
		return nil, err
	}
	return &sealed.Receipt{Paper: hash, Sequence: uint32(p.Sequence), Position: int(p.Seq)}, nil
}

// Latest implements sealed.Records.
func (b *Board) Latest(key [32]byte, _ string) ([32]byte, uint32, error) {
	c, err := b.Tx.SealedCredential(b.Ballot, key)
	if err != nil || c == nil || c.Sequence == 0 {
		return b.Manifest, 0, err
	}
	return c.Hash, uint32(c.Sequence), nil
}

// Used implements sealed.Records.
func (b *Board) Used(elements [][32]byte) (bool, error) { return b.Tx.SealedUsed(b.Ballot, elements) }

// Once tells whether a key is or was on the list, and Cast whether a paper was
// accepted under it.
func (b *Board) Once(key [32]byte) (bool, error) { return b.Tx.SealedOnce(b.Ballot, key) }

// Cast tells whether a paper was accepted under a key.
func (b *Board) Cast(key [32]byte) (bool, error) {
	c, err := b.Tx.SealedCredential(b.Ballot, key)
	return c != nil && c.Sequence > 0, err
}

// Relist appends the registrar's change of the list and projects it, within the
// writer's transaction that judged it.
func (c *Chamber) Relist(tx *store.Tx, ref, rulebook, clause string, b proceeding.RelistedBody) error {
	_, err := newProjector(c, tx).enter(minutes.Entry{Kind: proceeding.KindRelisted, Access: minutes.Public, Proceeding: ref, Rulebook: rulebook, Clause: clause, Body: b})
	return err
}

// Take appends accepted papers to the book and projects them. It is called
// within the writer's transaction that judged them.
func (c *Chamber) Take(tx *store.Tx, ref, rulebook, clause, ballot string, paper []byte) (int64, error) {
	p := newProjector(c, tx)
	m, err := p.enter(minutes.Entry{Kind: proceeding.KindSealedPaper, Access: minutes.Public, Proceeding: ref, Rulebook: rulebook, Clause: clause, Untimed: true,
		Body: proceeding.SealedPaperBody{Ballot: ballot, Paper: paper}})
	return m.Seq, err
}
