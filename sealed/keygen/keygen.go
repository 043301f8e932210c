// Package keygen makes the key of a sealed ballot: n trustees draw it together
// so that any t of them can open and fewer learn nothing, and nobody ever has
// it whole.
//
// It decides, from messages that trustees post one after the other, who has
// taken part rightly, what the joint key is, and each trustee's verification
// key. It keeps no file, sends nothing, and knows no deadline: whoever holds
// the ceremony says when a phase ends.
//
// The protocol is Pedersen's (1991) with Feldman's commitments (1987), joint
// Feldman, in the form with a round of commitments first; its remaining bias,
// that somebody may drop out after seeing the others, does no harm to the
// secrecy of ElGamal (Gennaro, Jarecki, Krawczyk, Rabin 2007).
//
// # Phases
//
//	commit   each posts a hash of the commitments to the coefficients
//	reveal   each posts the commitments, a proof of knowing the constant term,
//	         and a share for each other, encrypted to that one's registered key
//	verdict  each says whose share is wrong
//	answer   who is accused posts the share in the open
//	confirm  each signs the hash of everything posted, and so the joint key
//
// Who does not commit or reveal, or leaves an accusation unanswered, is
// disqualified. A message that is refused changes nothing.
//
// Trustees' registered keys must have been compared by their fingerprints out
// of band: a server that may name them can play all of them.
package keygen

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/sealed/transcript"
)

// MaxTrustees is how many trustees there can be.
const MaxTrustees = 15

// Params are what a ceremony is for.
type Params struct {
	Manifest  [32]byte
	Threshold int
	Sign      [][32]byte // registered keys, trustee 1 first
	Seal      [][32]byte
}

// Check refuses parameters that make no key.
func (p *Params) Check() error {
	n := len(p.Sign)
	if n < 1 || n > MaxTrustees || len(p.Seal) != n || p.Threshold < 1 || p.Threshold > n || 2*p.Threshold <= n {
		return fault.New(fault.Invalid, "of %d trustees more than half and at most all open, not %d", n, p.Threshold)
	}
	return nil
}

// Warnings says in sentences what the parameters give up.
func (p *Params) Warnings() []string {
	if p.Threshold == 1 {
		return []string{"One trustee alone holds the key: whoever has it can read every paper."}
	}
	return nil
}

// Identity is everything secret that a trustee has: 32 random bytes, from which
// keys and coefficients follow, so that only they need to be kept. It prints as
// "(secret)".
type Identity struct{ seed func() *[32]byte }

// NewIdentity draws one.
func NewIdentity() Identity {
	var b [32]byte
	rand.Read(b[:])
	return identity(b)
}

// IdentityFrom reads one from 32 bytes of an encrypted file.
func IdentityFrom(b []byte) (Identity, error) {
	if len(b) != 32 {
		return Identity{}, fault.New(fault.Invalid, "a trustee's secret has 32 bytes, not %d", len(b))
	}
	return identity([32]byte(b)), nil
}

// identity hides the seed behind a function, as proof.Secret does.
func identity(b [32]byte) Identity {
	return Identity{func() *[32]byte { return &b }}
}

// Expose gives the bytes to be kept in an encrypted file.
func (id Identity) Expose() []byte { return append([]byte(nil), id.seed()[:]...) }

// Wipe overwrites the identity.
func (id Identity) Wipe() { clear(id.seed()[:]) }

// String gives "(secret)".
func (id Identity) String() string { return "(secret)" }

// Format prints "(secret)" whatever the verb.
func (id Identity) Format(f fmt.State, _ rune) { fmt.Fprint(f, id.String()) }

// MarshalJSON refuses.
func (id Identity) MarshalJSON() ([]byte, error) { return nil, proof.ErrSecret }

func (id Identity) draw(what string, parts ...[]byte) [64]byte {
	t := transcript.New("trustee")
	t.Absorb("seed", id.seed()[:])
	for _, p := range parts {
		t.Absorb("for", p)
	}
	return t.Draw(what)
}

func (id Identity) secret(what string, parts ...[]byte) proof.Secret {
	d := id.draw(what, parts...)
	defer clear(d[:])
	return proof.SecretFrom(&d)
}

// Sign is the signing key.
func (id Identity) Sign() proof.Secret { return id.secret("sign") }

// Seal is the key that shares are encrypted to.
func (id Identity) Seal() proof.Secret { return id.secret("seal") }

// Fingerprint is what trustees compare by telephone: 128 bits of the hash of
// their two public keys, in groups of four.
func Fingerprint(sign, seal [32]byte) string {
	h := sha256.New()
	h.Write([]byte("omov/sealed/trustee/1\x00"))
	h.Write(sign[:])
	h.Write(seal[:])
	s := hex.EncodeToString(h.Sum(nil)[:16])
	var groups []string
	for ; len(s) > 0; s = s[4:] {
		groups = append(groups, s[:4])
	}
	return strings.Join(groups, " ")
}

// commitmentHash is what is posted first.
func commitmentHash(manifest [32]byte, from int, salt, coefficients []byte) []byte {
	t := transcript.New("keygen-commit")
	t.Absorb("manifest", manifest[:])
	t.Number("from", from)
	t.Absorb("salt", salt)
	t.Absorb("coefficients", coefficients)
	d := t.Draw("hash")
	return d[:]
}

// knowing starts the transcript of the proof of the constant term.
func knowing(manifest [32]byte, from int, coefficients []byte) *transcript.Transcript {
	t := transcript.New("keygen-know")
	t.Absorb("manifest", manifest[:])
	t.Number("from", from)
	t.Absorb("coefficients", coefficients)
	return t
}

// at gives Σ j^k·C_k: the public half of the share of trustee j.
func at(g *ristretto.Group, coefficients []ristretto.Point, j int) ristretto.Point {
	x := proof.Number(uint64(j))
	r := coefficients[len(coefficients)-1]
	for k := len(coefficients) - 2; k >= 0; k-- {
		r = g.Mul(&x, &r)
		r = g.Add(&r, &coefficients[k])
	}
	return r
}
