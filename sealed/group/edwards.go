package group

import (
	"filippo.io/edwards25519"

	"github.com/omov/omov/ristretto"
)

// Edwards is package ristretto: the implementation that the verifier has too.
type Edwards struct{ G *ristretto.Group }

// Name gives "edwards25519".
func (Edwards) Name() string { return "edwards25519" }

// Valid implements Backend.
func (e Edwards) Valid(enc []byte) bool {
	var p ristretto.Point
	return e.G.Decode(&p, enc)
}

// Map implements Backend.
func (e Edwards) Map(uniform *[64]byte) [32]byte {
	p := e.G.Map(uniform)
	return e.G.Encode(&p)
}

// Add implements Backend.
func (e Edwards) Add(a, b []byte) ([32]byte, bool) {
	var p, q ristretto.Point
	if !e.G.Decode(&p, a) || !e.G.Decode(&q, b) {
		return [32]byte{}, false
	}
	p = e.G.Add(&p, &q)
	return e.G.Encode(&p), true
}

func edwardsScalar(b []byte) (*ristretto.Scalar, bool) {
	s, err := edwards25519.NewScalar().SetCanonicalBytes(b)
	return s, err == nil
}

// MulBase implements Backend.
func (e Edwards) MulBase(k []byte) ([32]byte, bool) {
	s, ok := edwardsScalar(k)
	if !ok {
		return [32]byte{}, false
	}
	p := e.G.MulBase(s)
	return e.G.Encode(&p), true
}

// Sum implements Backend.
func (e Edwards) Sum(ks, ps [][]byte) ([32]byte, bool) {
	if len(ks) != len(ps) {
		return [32]byte{}, false
	}
	ss, qs := make([]ristretto.Scalar, len(ks)), make([]ristretto.Affine, len(ps))
	for i := range ks {
		s, ok := edwardsScalar(ks[i])
		if !ok || e.G.DecodeAll(qs[i:i+1], ps[i]) >= 0 {
			return [32]byte{}, false
		}
		ss[i] = *s
	}
	p := e.G.MultiMul(ss, qs)
	return e.G.Encode(&p), true
}

// MulEach implements Backend.
func (e Edwards) MulEach(k, ps []byte) ([]byte, int) {
	s, ok := edwardsScalar(k)
	if !ok || len(ps)%ristretto.Size != 0 {
		return nil, 0
	}
	as := make([]ristretto.Affine, len(ps)/ristretto.Size)
	wrong := e.G.DecodeAll(as, ps)
	if wrong >= 0 {
		return nil, wrong
	}
	out := make([]ristretto.Point, len(as))
	e.G.MulEach(out, s, as)
	return e.G.EncodeAll(nil, out), -1
}
