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

// Take appends accepted papers to the book and projects them. It is called
// within the writer's transaction that judged them.
func (c *Chamber) Take(tx *store.Tx, ref, rulebook, clause, ballot string, paper []byte) (int64, error) {
	p := newProjector(c, tx)
	m, err := p.enter(minutes.Entry{Kind: proceeding.KindSealedPaper, Access: minutes.Public, Proceeding: ref, Rulebook: rulebook, Clause: clause, Untimed: true,
		Body: proceeding.SealedPaperBody{Ballot: ballot, Paper: paper}})
	return m.Seq, err
}
