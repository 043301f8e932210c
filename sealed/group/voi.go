package group

import (
	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"

	"github.com/omov/omov/ristretto"
)

// Voi is github.com/oasisprotocol/curve25519-voi, with vector instructions
// where the processor has them.
type Voi struct{}

// Name gives "voi".
func (Voi) Name() string { return "voi" }

func voiPoint(b []byte) (*curve.RistrettoPoint, bool) {
	c, err := curve.NewCompressedRistretto().SetBytes(b)
	if err != nil {
		return nil, false
	}
	p, err := curve.NewRistrettoPoint().SetCompressed(c)
	return p, err == nil
}

func voiScalar(b []byte) (*scalar.Scalar, bool) {
	s, err := scalar.NewFromCanonicalBytes(b)
	return s, err == nil
}

func voiBytes(p *curve.RistrettoPoint) (out [32]byte) {
	c := curve.NewCompressedRistretto().SetRistrettoPoint(p)
	copy(out[:], c[:])
	return out
}

// Valid implements Backend.
func (Voi) Valid(enc []byte) bool {
	_, ok := voiPoint(enc)
	return ok
}

// Map implements Backend.
func (Voi) Map(uniform *[64]byte) [32]byte {
	p, err := curve.NewRistrettoPoint().SetUniformBytes(uniform[:])
	if err != nil {
		panic(err) // the length is right
	}
	return voiBytes(p)
}

// Add implements Backend.
func (Voi) Add(a, b []byte) ([32]byte, bool) {
	p, ok := voiPoint(a)
	q, ok2 := voiPoint(b)
	if !ok || !ok2 {
		return [32]byte{}, false
	}
	return voiBytes(p.Add(p, q)), true
}

// MulBase implements Backend.
func (Voi) MulBase(k []byte) ([32]byte, bool) {
	s, ok := voiScalar(k)
	if !ok {
		return [32]byte{}, false
	}
	return voiBytes(curve.NewRistrettoPoint().MulBasepoint(curve.RISTRETTO_BASEPOINT_TABLE, s)), true
}

// Sum implements Backend.
func (Voi) Sum(ks, ps [][]byte) ([32]byte, bool) {
	if len(ks) != len(ps) {
		return [32]byte{}, false
	}
	ss, qs := make([]*scalar.Scalar, len(ks)), make([]*curve.RistrettoPoint, len(ps))
	for i := range ks {
		var ok, ok2 bool
		ss[i], ok = voiScalar(ks[i])
		qs[i], ok2 = voiPoint(ps[i])
		if !ok || !ok2 {
			return [32]byte{}, false
		}
	}
	return voiBytes(curve.NewRistrettoPoint().MultiscalarMulVartime(ss, qs)), true
}

// MulEach implements Backend.
func (Voi) MulEach(k, ps []byte) ([]byte, int) {
	s, ok := voiScalar(k)
	if !ok || len(ps)%ristretto.Size != 0 {
		return nil, 0
	}
	out := make([]byte, len(ps))
	bad := make([]bool, len(ps)/ristretto.Size)
	ristretto.Spread(len(bad), 64, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			p, ok := voiPoint(ps[i*ristretto.Size : (i+1)*ristretto.Size])
			if !ok {
				bad[i] = true
				return
			}
			b := voiBytes(p.Mul(p, s))
			copy(out[i*ristretto.Size:], b[:])
		}
	})
	for i, b := range bad {
		if b {
			return nil, i
		}
	}
	return out, -1
}
