package sealed

import "github.com/omov/omov/sealed/proof"

// SealWith seals with given randomness, as only a hostile voter would.
func (b *Ballot) SealWith(paper []int, signing proof.Secret, rs []proof.Secret) ([]byte, error) {
	raw, _, err := b.seal(paper, signing, rs)
	return raw, err
}

// Bits are the secret bits of a code.
func (c Code) Bits() [16]byte { return *c.bits() }
