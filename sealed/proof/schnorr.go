package proof

import (
	"crypto/rand"

	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/transcript"
)

// SignatureSize is the length of a signature: R, then s, with s·G = R + c·key.
const SignatureSize = 2 * Size

// signature starts the transcript of a signature; purpose keeps signatures for
// one thing from passing for another.
func signatureChallenge(purpose string, key, r, message []byte) ristretto.Scalar {
	t := transcript.New("signature")
	t.Absorb("purpose", []byte(purpose))
	t.Absorb("key", key)
	t.Absorb("commitment", r)
	t.Absorb("message", message)
	return t.Challenge("challenge")
}

// Sign signs a message for a purpose. The nonce is a hash of the key, the
// message and fresh randomness: neither a bad generator nor a repeated message
// gives the key away.
func Sign(g *ristretto.Group, key Secret, purpose string, message []byte) []byte {
	public := key.Public(g)
	var fresh [32]byte
	rand.Read(fresh[:])
	t := transcript.New("nonce")
	t.Absorb("key", key.Expose())
	t.Absorb("fresh", fresh[:])
	t.Absorb("purpose", []byte(purpose))
	t.Absorb("message", message)
	k := t.Challenge("nonce")
	p := g.MulBase(&k)
	r := g.Encode(&p)
	c := signatureChallenge(purpose, public[:], r[:], message)
	return append(r[:], answer(&c, key.f(), &k)...)
}

// Signature adds the equation of a signature.
func (e *Equations) Signature(purpose string, key, message, signature []byte) {
	if len(signature) != SignatureSize || len(key) != Size || IsIdentity(key) {
		e.broken = true
		return
	}
	r, s := signature[:Size], e.scalar(signature[Size:])
	c := signatureChallenge(purpose, key, r, message)
	e.schnorr(&c, &s, key, r)
}

// schnorr adds weight·(T + c·X - s·G).
func (e *Equations) schnorr(c, s *ristretto.Scalar, x, t []byte) {
	w := e.Weight()
	var k ristretto.Scalar
	e.Once(&w, t)
	e.Point(k.Multiply(&w, c), x)
	k.Multiply(&w, s)
	e.Base(k.Negate(&k))
}

// Signed tells whether a signature holds.
func Signed(g *ristretto.Group, purpose string, key, message, signature []byte) bool {
	var e Equations
	e.Signature(purpose, key, message, signature)
	return e.Hold(g, nil)
}

// Know proves knowledge of the secret behind secret·G, in a transcript that
// holds the statement: 64 bytes, the commitment and the answer.
func Know(g *ristretto.Group, t *transcript.Transcript, secret Secret) []byte {
	k := NewSecret()
	defer k.Wipe()
	r := k.Public(g)
	t.Absorb("commitment", r[:])
	c := t.Challenge("challenge")
	return append(r[:], answer(&c, secret.f(), k.f())...)
}

// Knows tells whether a proof of knowledge holds, with the transcript filled
// as it was when the proof was made.
func Knows(g *ristretto.Group, t *transcript.Transcript, x, proof []byte) bool {
	if len(proof) != 2*Size || len(x) != Size || IsIdentity(x) {
		return false
	}
	var e Equations
	t.Absorb("commitment", proof[:Size])
	c := t.Challenge("challenge")
	s := e.scalar(proof[Size:])
	e.schnorr(&c, &s, x, proof[:Size])
	return e.Hold(g, nil)
}

// EqualSize is the length of a proof of equal logarithms: two commitments and
// the answer.
const EqualSize = 3 * Size

// Equal proves that secret·G and secret·p have the same factor, in a
// transcript that holds the statement. It takes the same time for every
// secret.
func Equal(g *ristretto.Group, t *transcript.Transcript, secret Secret, p *ristretto.Point) []byte {
	k := NewSecret()
	defer k.Wipe()
	a := k.Public(g)
	q := g.Mul(k.f(), p)
	b := g.Encode(&q)
	t.Absorb("commitments", a[:], b[:])
	c := t.Challenge("challenge")
	return append(append(a[:], b[:]...), answer(&c, secret.f(), k.f())...)
}

// AreEqual tells whether a proof holds that x is to G as q is to p.
func AreEqual(g *ristretto.Group, t *transcript.Transcript, x, p, q *ristretto.Point, proof []byte) bool {
	if len(proof) != EqualSize {
		return false
	}
	t.Absorb("commitments", proof[:2*Size])
	c := t.Challenge("challenge")
	z, ok := transcript.Scalar(proof[2*Size:])
	var a, b ristretto.Point
	if !ok || !g.Decode(&a, proof[:Size]) || !g.Decode(&b, proof[Size:2*Size]) {
		return false
	}
	holds := func(left ristretto.Point, t, x *ristretto.Point) bool {
		right := g.Mul(&c, x)
		right = g.Add(&right, t)
		return g.Equal(&left, &right)
	}
	return holds(g.MulBase(&z), &a, x) && holds(g.Mul(&z, p), &b, q)
}
