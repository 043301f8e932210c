// Package proof holds the small proofs of sealed ballots: signatures, proofs of
// knowledge of a paper's randomness, proofs that a mark is 0 or 1, proofs of
// equal logarithms.
//
// It decides when such a proof holds. It never decides what is proved to whom:
// each proof's challenge comes from a transcript that the caller has filled
// with the whole statement.
//
// Every check is a set of linear equations between elements. They are gathered
// (Equations) and checked together under random weights of 128 bits, a single
// paper's or those of a whole ballot (Bellare, Garay, Rabin 1998). The group
// has prime order, so that one by one and together never disagree.
//
// The proofs: Schnorr 1991 for signatures and knowledge, Chaum–Pedersen 1992
// for equal logarithms, Cramer–Damgård–Schoenmakers 1994 for 0 or 1. All carry
// their commitments instead of the challenge, because only then can they be
// checked together.
package proof

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"

	"filippo.io/edwards25519"

	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/transcript"
)

// Size is the length of an encoded element or number.
const Size = ristretto.Size

// Secret is a scalar that must not be shown. It prints as "(secret)", also
// inside other values, and refuses to be written as JSON or text.
//
// It lies behind a function, because package fmt follows pointers inside other
// values when a verb does not fit, and asks no method there.
type Secret struct{ f func() *ristretto.Scalar }

// ErrSecret says that a secret was about to be written down.
var ErrSecret = errors.New("a secret cannot be written out this way")

// NewSecret draws one.
func NewSecret() Secret {
	var b [64]byte
	rand.Read(b[:])
	defer clear(b[:])
	return SecretFrom(&b)
}

// SecretFrom reduces 64 bytes to a secret.
func SecretFrom(b *[64]byte) Secret {
	return SecretOf(transcript.Wide(b))
}

// SecretOf wraps a scalar.
func SecretOf(k ristretto.Scalar) Secret {
	return Secret{func() *ristretto.Scalar { return &k }}
}

// Scalar gives the number itself, for computing.
func (s Secret) Scalar() *ristretto.Scalar { return s.f() }

// Expose gives the 32 bytes of the secret, for an encrypted file.
func (s Secret) Expose() []byte { return s.f().Bytes() }

// Public gives the secret times the generator.
func (s Secret) Public(g *ristretto.Group) [Size]byte {
	p := g.MulBase(s.f())
	return g.Encode(&p)
}

// Wipe overwrites the secret. Copies that the compiler or the collector has
// made are out of reach.
func (s Secret) Wipe() {
	if s.f != nil {
		*s.f() = ristretto.Scalar{}
	}
}

// String gives "(secret)".
func (s Secret) String() string { return "(secret)" }

// Format prints "(secret)" whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// LogValue keeps the secret out of logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON refuses.
func (s Secret) MarshalJSON() ([]byte, error) { return nil, ErrSecret }

// MarshalText refuses.
func (s Secret) MarshalText() ([]byte, error) { return nil, ErrSecret }

// Number gives n as a scalar.
func Number(n uint64) ristretto.Scalar {
	var b [32]byte
	for i := range 8 {
		b[i] = byte(n >> (8 * i))
	}
	s, err := edwards25519.NewScalar().SetCanonicalBytes(b[:])
	if err != nil {
		panic(err)
	}
	return *s
}

// IsIdentity tells whether enc is the encoding of the neutral element.
func IsIdentity(enc []byte) bool {
	var or byte
	for _, b := range enc {
		or |= b
	}
	return or == 0
}

// answer gives w + c·x as 32 bytes.
func answer(c, x, w *ristretto.Scalar) []byte {
	var s ristretto.Scalar
	return s.MultiplyAdd(c, x, w).Bytes()
}
