// Package transcript turns what a proof speaks of into its challenge: one hash
// over everything said so far, each part with its name and its length, so that
// no two statements have the same bytes.
//
// It decides the bytes that are hashed and how a digest becomes a scalar. It
// never decides what has to be absorbed; whoever proves something absorbs the
// whole statement before any commitment (Bernhard, Pereira, Warinschi 2012).
//
// # Format
//
// A frame is
//
//	len(name), 1 byte | name | len(data), 8 bytes, big-endian | data
//
// A transcript is SHA-512 over frames. It starts with the frame of the name
// "omov/sealed/1" and the protocol as data. A draw absorbs a frame of the name
// "draw" with the draw's own name as data, and gives the digest of everything
// up to there; the transcript goes on from there. A scalar is such a digest
// read as a little-endian integer of 64 bytes modulo the order of the group.
//
// A stream of many values comes from one draw, the seed: value i is
// SHA-512(seed | i as 8 bytes, big-endian). A short scalar is its first 16
// bytes, little-endian.
//
// testdata/vectors.json of package sealed has examples.
package transcript

import (
	"crypto/sha512"
	"encoding/binary"
	"hash"

	"filippo.io/edwards25519"

	"github.com/omov/omov/ristretto"
)

// Transcript is a hash in progress.
type Transcript struct{ h hash.Hash }

// New starts a transcript of a protocol. Protocols that may be confused have
// different names.
func New(protocol string) *Transcript {
	t := &Transcript{sha512.New()}
	t.Absorb("omov/sealed/1", []byte(protocol))
	return t
}

// Absorb adds a frame. Its data are the parts one after the other.
func (t *Transcript) Absorb(name string, parts ...[]byte) {
	if len(name) > 255 {
		panic("transcript: a name of over 255 bytes")
	}
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	head := append([]byte{byte(len(name))}, name...)
	t.h.Write(binary.BigEndian.AppendUint64(head, uint64(n)))
	for _, p := range parts {
		t.h.Write(p)
	}
}

// Number adds a frame whose data are n as 8 bytes, big-endian.
func (t *Transcript) Number(name string, n int) {
	t.Absorb(name, binary.BigEndian.AppendUint64(nil, uint64(n)))
}

// Draw gives 64 bytes that depend on everything absorbed so far.
func (t *Transcript) Draw(name string) (d [64]byte) {
	t.Absorb("draw", []byte(name))
	t.h.Sum(d[:0])
	return d
}

// Challenge draws a scalar.
func (t *Transcript) Challenge(name string) ristretto.Scalar {
	d := t.Draw(name)
	return Wide(&d)
}

// Wide reduces 64 uniform bytes to a scalar.
func Wide(b *[64]byte) ristretto.Scalar {
	s, err := edwards25519.NewScalar().SetUniformBytes(b[:])
	if err != nil {
		panic(err) // the length is right
	}
	return *s
}

// At gives value i of the stream that seed starts.
func At(seed *[64]byte, i int) [64]byte {
	var b [72]byte
	copy(b[:], seed[:])
	binary.BigEndian.PutUint64(b[64:], uint64(i))
	return sha512.Sum512(b[:])
}

// ShortAt gives value i of the stream as a scalar below 2^128.
func ShortAt(seed *[64]byte, i int) ristretto.Scalar {
	d := At(seed, i)
	return Short(d[:16])
}

// Short reads 16 bytes as a scalar.
func Short(b []byte) ristretto.Scalar {
	var w [32]byte
	copy(w[:16], b[:16])
	s, err := edwards25519.NewScalar().SetCanonicalBytes(w[:])
	if err != nil {
		panic(err) // below 2^128
	}
	return *s
}

// Scalar reads the 32 canonical bytes of a scalar and tells whether they are.
func Scalar(b []byte) (ristretto.Scalar, bool) {
	s, err := edwards25519.NewScalar().SetCanonicalBytes(b)
	if err != nil {
		return ristretto.Scalar{}, false
	}
	return *s, true
}
