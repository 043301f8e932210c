package sealing

import (
	"context"
	"encoding/hex"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/tiles"
)

// Found is a paper on the board, with the proof that the log holds it. The leaf
// commits to salt and body, and the body holds the paper: so whoever asks can
// follow it from the paper's hash to the root of the checkpoint.
type Found struct {
	Hash       string   `json:"hash"`
	Seq        int64    `json:"seq"`
	Standing   bool     `json:"standing"`
	ReplacedBy string   `json:"replaced_by,omitempty"` // the credential's current paper
	Leaf       []byte   `json:"leaf"`
	Salt       []byte   `json:"salt"`
	Body       []byte   `json:"body"` // canonical JSON, as the leaf commits to it
	Proof      []string `json:"proof"`
	Checkpoint string   `json:"checkpoint"`
}

// ShortCode is how many bytes of a paper's hash its short code shows.
const ShortCode = 10

// Paper finds an accepted paper by its hash.
func (s *Sealing) Paper(ctx context.Context, ref string, hash [32]byte) (*Found, error) {
	return s.find(ctx, ref, hash[:])
}

// PaperLike finds an accepted paper by its hash or by the beginning of it that a
// receipt shows.
func (s *Sealing) PaperLike(ctx context.Context, ref string, begin []byte) (*Found, error) {
	if len(begin) < ShortCode || len(begin) > 32 {
		return nil, fault.New(fault.Invalid, "a short code has %d letters and digits, a whole one %d", 2*ShortCode, 64)
	}
	return s.find(ctx, ref, begin)
}

func (s *Sealing) find(ctx context.Context, ref string, begin []byte) (*Found, error) {
	signed, err := s.ch.DB.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	head, err := tiles.Open(signed, s.ch.DB.VerifierKey())
	if err != nil {
		return nil, err
	}
	out := &Found{Checkpoint: string(signed)}
	_, err = s.look(ctx, ref, func(w *chamber.World, x *seen) error {
		list, err := w.Tx().SealedLike(x.ballot.ID, begin)
		switch {
		case err != nil:
			return err
		case len(list) == 0:
			return fault.New(fault.NotFound, "no paper with this code is in the record of this ballot")
		case len(list) > 1:
			return fault.New(fault.Conflict, "two papers begin with this code; give the whole one")
		}
		return out.fill(w, x.ballot.ID, list[0], head.Size)
	})
	return out, err
}

// fill reads the paper, what became of it, and the proof to a size of the log.
func (f *Found) fill(w *chamber.World, ballot string, hash [32]byte, size int64) error {
	p, err := w.Tx().SealedPaper(ballot, hash)
	if err != nil {
		return err
	}
	c, err := w.Tx().SealedCredential(ballot, p.Key)
	if err != nil {
		return err
	}
	f.Hash, f.Seq, f.Proof, f.ReplacedBy = hex.EncodeToString(hash[:]), p.Seq, []string{}, ""
	if f.Standing = c != nil && c.Hash == hash; !f.Standing && c != nil {
		f.ReplacedBy = hex.EncodeToString(c.Hash[:])
	}
	m, err := w.Tx().Minute(p.Seq)
	if err != nil {
		return err
	}
	f.Salt, f.Body = m.Salt[:], m.Body
	if f.Leaf, err = m.Leaf(); err != nil {
		return err
	}
	path, err := tiles.Inclusion(w.Tx(), size, p.Seq-1)
	for _, h := range path {
		f.Proof = append(f.Proof, hex.EncodeToString(h[:]))
	}
	return err
}
