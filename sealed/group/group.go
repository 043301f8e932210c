// Package group holds two implementations of ristretto255 against each other
// behind one small interface: Voi, after curve25519-voi, and Edwards, after
// filippo.io/edwards25519 through package ristretto.
//
// It decides nothing but which of the two does the work. The protocol of
// package sealed computes in bulk through package ristretto, which is the
// faster there; what voi does faster, multiplying many elements by one key, is
// done by whichever back end is chosen. Everything in the interface is bytes
// in, bytes out, so that neither back end sees the other's coordinates, and
// the fuzz targets of this package compare them on every operation.
package group

import (
	"github.com/omov/omov/ristretto"
)

// Backend is an implementation of ristretto255 (RFC 9496). Elements and
// scalars are their 32 canonical bytes; an operation on bytes that are none
// reports false and gives nothing.
type Backend interface {
	Name() string

	// Valid tells whether enc is the canonical encoding of an element.
	Valid(enc []byte) bool

	// Map gives the element of 64 uniform bytes.
	Map(uniform *[64]byte) [32]byte

	// Add gives the sum of two elements.
	Add(a, b []byte) ([32]byte, bool)

	// MulBase gives k times the generator, in constant time.
	MulBase(k []byte) ([32]byte, bool)

	// Sum gives the sum of the ks[i]·ps[i], for public scalars.
	Sum(ks, ps [][]byte) ([32]byte, bool)

	// MulEach gives k times each of the elements that lie one after the other
	// in ps, in a time that does not depend on k, on all cores. The second
	// result is the index of the first that is no element, or -1; then nothing
	// else is given. A k that is no scalar reports 0.
	MulEach(k, ps []byte) ([]byte, int)
}

// Backends gives both, the one that multiplies faster first.
func Backends() []Backend { return []Backend{Voi{}, Edwards{ristretto.New()}} }
