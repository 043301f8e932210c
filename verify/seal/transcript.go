package seal

import (
	"crypto/sha512"
	"encoding/binary"
	"hash"

	"github.com/omov/omov/ristretto"
)

// script is a transcript (docs/sealed-format.md, "Transcript").
type script struct{ h hash.Hash }

func newScript(protocol string) *script {
	s := &script{sha512.New()}
	return s.put("omov/sealed/1", []byte(protocol))
}

func (s *script) put(name string, data ...[]byte) *script {
	var n uint64
	for _, d := range data {
		n += uint64(len(d))
	}
	s.h.Write([]byte{byte(len(name))})
	s.h.Write([]byte(name))
	s.h.Write(binary.BigEndian.AppendUint64(nil, n))
	for _, d := range data {
		s.h.Write(d)
	}
	return s
}

func (s *script) number(name string, n int) *script {
	return s.put(name, binary.BigEndian.AppendUint64(nil, uint64(n)))
}

func (s *script) draw(name string) []byte {
	s.put("draw", []byte(name))
	return s.h.Sum(nil)
}

func (s *script) challenge() ristretto.Scalar { return reduced(s.draw("challenge")) }

// reduced reads 64 bytes modulo the order.
func reduced(b []byte) (k ristretto.Scalar) {
	if _, err := k.SetUniformBytes(b); err != nil {
		panic(err) // always 64 bytes
	}
	return k
}

// stream is value i of the stream of a draw.
func stream(seed []byte, i int) []byte {
	b := binary.BigEndian.AppendUint64(append(make([]byte, 0, 72), seed...), uint64(i))
	sum := sha512.Sum512(b)
	return sum[:]
}

// short is the short scalar i of a stream.
func short(seed []byte, i int) ristretto.Scalar {
	var b [64]byte
	copy(b[:16], stream(seed, i))
	return reduced(b[:])
}

// scalarOf reads 32 canonical bytes.
func scalarOf(b []byte) (k ristretto.Scalar, ok bool) {
	_, err := k.SetCanonicalBytes(b)
	return k, err == nil
}

// small is a whole number as a scalar.
func small(n uint64) (k ristretto.Scalar) {
	var b [64]byte
	binary.LittleEndian.PutUint64(b[:], n)
	return reduced(b[:])
}
