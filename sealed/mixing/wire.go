package mixing

import (
	"encoding/binary"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
)

// magic begins the bytes of a mix.
const magic = "omov mix 1\n"

// sections gives where each part of a mix of n papers of width w lies, in the
// order in which they are written.
func (p *Proof) sections(st *Statement, n, w int) []struct {
	field *[]byte
	size  int
} {
	e := ristretto.Size
	return []struct {
		field *[]byte
		size  int
	}{
		{&st.Out, n * w * pair}, {&p.C, n * e}, {&p.Chain, n * e}, {&p.TChain, n * e}, {&p.T4, 2 * w * e}, {&p.S4, w * e}, {&p.SChain, n * e}, {&p.SPerm, n * e},
	}
}

func (p *Proof) singles() []*[32]byte {
	return []*[32]byte{&p.T1, &p.T2, &p.T3, &p.S1, &p.S2, &p.S3}
}

// Encode gives the bytes of a mix, its output and proof: "omov mix 1", a line
// feed, the number of papers (4 bytes, big-endian) and of elements a paper (1
// byte); T1, T2, T3, S1, S2, S3; then Out, C, Chain, TChain, T4, S4, SChain,
// SPerm.
func (p *Proof) Encode(st *Statement) []byte {
	b := binary.BigEndian.AppendUint32([]byte(magic), uint32(st.N()))
	b = append(b, byte(st.Width))
	for _, s := range p.singles() {
		b = append(b, s[:]...)
	}
	for _, s := range p.sections(st, st.N(), st.Width) {
		b = append(b, *s.field...)
	}
	return b
}

// Decode reads the bytes of a mix: the output goes into st.Out. Number and
// width must be those of st.In. The slices are parts of b.
func Decode(st *Statement, b []byte) (*Proof, error) {
	if err := st.check(); err != nil {
		return nil, err
	}
	head := len(magic) + 5
	if len(b) < head || string(b[:len(magic)]) != magic {
		return nil, fault.New(fault.Invalid, "these bytes are not a mix")
	}
	n, w := st.N(), st.Width
	if binary.BigEndian.Uint32(b[len(magic):]) != uint32(n) || int(b[head-1]) != w {
		return nil, fault.New(fault.Invalid, "the mix of %s is not of %d papers with %d elements each", st.Mixer, n, w)
	}
	p := new(Proof)
	size := head + len(p.singles())*ristretto.Size
	for _, s := range p.sections(st, n, w) {
		size += s.size
	}
	if len(b) != size {
		return nil, fault.New(fault.Invalid, "the mix of %s has %d bytes instead of %d", st.Mixer, len(b), size)
	}
	b = b[head:]
	for _, s := range p.singles() {
		*s = [32]byte(b)
		b = b[ristretto.Size:]
	}
	for _, s := range p.sections(st, n, w) {
		*s.field = b[:s.size:s.size]
		b = b[s.size:]
	}
	return p, nil
}

// Generators gives the first n of the bases that a manifest's hash fixes,
// number 0 being that of the chain.
func Generators(g *ristretto.Group, manifest [32]byte, n int) []ristretto.Point {
	gs := newGenerators(g, &manifest)
	out := make([]ristretto.Point, n)
	for i := range out {
		out[i] = gs.one(i)
	}
	return out
}
