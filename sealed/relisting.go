package sealed

import (
	"bytes"
	"encoding/hex"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/proof"
)

// MaxSwaps is how many keys one change of the list replaces at most.
const MaxSwaps = 10_000

// Relisting is the registrar's change of a list that has been published: codes
// that were lost are replaced, so that the number of credentials of each section
// and class stays what the roll says.
type Relisting struct {
	Version  int    `json:"v"` // 1
	Manifest string `json:"manifest"`
	N        int64  `json:"n"` // 1 for the first change of this list
	Swaps    []Swap `json:"swaps"`
}

// Swap puts one key in the place of another. Swaps are sorted by the new key,
// so that their order says nothing.
type Swap struct {
	Section string `json:"section"`
	Class   string `json:"class"`
	Out     []byte `json:"out"` // 32 bytes each
	In      []byte `json:"in"`
}

const purposeRelisting = "credentials-change"

// SignRelisting gives the canonical bytes of a change and the registrar's
// signature of them.
func SignRelisting(g *ristretto.Group, r *Relisting, registrar proof.Secret) (body, signature []byte, err error) {
	body, err = minutes.Canonical(r)
	if err != nil {
		return nil, nil, err
	}
	return body, proof.Sign(g, registrar, purposeRelisting, body), nil
}

// ReadRelisting checks the signature and form of a change. Whether it fits the
// list as it stands is the board's to say.
func ReadRelisting(g *ristretto.Group, m *Manifest, body, signature []byte) (*Relisting, error) {
	key, err := keyOf(m.Registrar.Key)
	if err != nil {
		return nil, err
	}
	if !proof.Signed(g, purposeRelisting, key[:], body, signature) {
		return nil, bad("the change of the list does not bear the registrar's signature")
	}
	r := &Relisting{}
	if err := minutes.Decode(body, r); err != nil {
		return nil, err
	}
	hash, err := m.Hash()
	if err != nil {
		return nil, err
	}
	if r.Version != 1 || r.Manifest != hex.EncodeToString(hash[:]) || r.N < 1 {
		return nil, bad("the change is of another ballot's list")
	}
	if len(r.Swaps) == 0 || len(r.Swaps) > MaxSwaps {
		return nil, fault.New(fault.TooMuch, "a change of the list replaces 1 to %d keys", MaxSwaps)
	}
	return r, r.keys(g, m)
}

// keys checks that each key is one, and the order.
func (r *Relisting) keys(g *ristretto.Group, m *Manifest) error {
	var all []byte
	seen := map[[32]byte]bool{}
	for i, s := range r.Swaps {
		if m.class(s.Section, s.Class) == nil {
			return bad("the change has a weight class that the ballot does not have")
		}
		for _, k := range [][]byte{s.Out, s.In} {
			if len(k) != 32 || proof.IsIdentity(k) || seen[[32]byte(k)] {
				return bad("the change has a key twice, or one that is none")
			}
			seen[[32]byte(k)] = true
		}
		if i > 0 && bytes.Compare(r.Swaps[i-1].In, s.In) >= 0 {
			return bad("the keys of the change are not in order")
		}
		all = append(all, s.In...)
	}
	if g.DecodeAll(make([]ristretto.Affine, len(r.Swaps)), all) >= 0 {
		return bad("the change has a key that is none")
	}
	return nil
}

// Fits refuses a change that replaces a key with which a paper was cast, or
// that is not on the list, or puts in one that has been on it. has gives a key
// of the list; once tells whether a key was ever on it, and cast whether a paper
// was accepted under it.
func (r *Relisting) Fits(has func(key [32]byte) (*Credential, error), once, cast func(key [32]byte) (bool, error)) error {
	for _, s := range r.Swaps {
		old, err := has([32]byte(s.Out))
		if err != nil {
			return err
		}
		if old == nil || old.Section != s.Section || old.Class != s.Class {
			return fault.New(fault.NotFound, "a key that is to be replaced is not on the list in section %s", s.Section)
		}
		used, err := cast([32]byte(s.Out))
		if err != nil {
			return err
		}
		if used {
			return fault.New(fault.TooLate, "a paper has been cast with a code that is to be replaced: the paper counts, and its code stays")
		}
		if used, err = once([32]byte(s.In)); err != nil {
			return err
		}
		if used {
			return fault.New(fault.Already, "a new key has been on the list before")
		}
	}
	return nil
}
