// Package mixing shuffles and re-encrypts the papers of one mix group, and
// proves that every paper that went in came out, once, and nothing else,
// without showing which is which.
//
// It decides the proof and whether one holds. It never decides who may mix, in
// which order, or what is mixed; it never opens anything.
//
// The proof is that of Terelius and Wikström (2010), with the algorithms of
// Haenni, Locher, Koenig and Dubuis, "Pseudo-Code Algorithms for Verifiable
// Re-Encryption Mix-Nets" (2017), 8.1 to 8.5, written additively, for papers
// of several elements under one permutation (Wikström 2009). It differs in
// two points. The commitments t stand in the proof instead of the challenge,
// so that a verifier checks all equations together by random weights. And
// the challenges u are of 128 bits. docs/sealed-format.md gives every byte.
package mixing

import (
	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/transcript"
)

// Bounds on one mix.
const (
	MaxPapers = 4 << 20
	MaxWidth  = 64
)

// chunk is how many papers are in hand at a time.
const chunk = 8192

// pair is the length of an encoded ciphertext: A, then B.
const pair = 2 * ristretto.Size

// Statement is what a mixer claims: that Out is In shuffled and re-encrypted
// under Key. A paper is Width ciphertexts, 64 bytes each, one after the other.
type Statement struct {
	Manifest [32]byte // hash of the election manifest
	Closing  [32]byte // hash of the closing checkpoint
	Group    string   // the mix group: contest, section, weight class
	Mixer    string   // who mixed
	Position int      // 0 for the first mixer
	Key      [32]byte // joint key of the trustees
	Width    int
	In, Out  []byte
}

// N is the number of papers.
func (s *Statement) N() int { return len(s.In) / (pair * s.Width) }

// Proof shows that a Statement holds.
type Proof struct {
	C      []byte   // commitments to the permutation, 32 bytes a paper
	Chain  []byte   // the chain of commitments ĉ, 32 bytes a paper
	TChain []byte   // t̂, 32 bytes a paper
	T1     [32]byte // t1, t2, t3
	T2     [32]byte
	T3     [32]byte
	T4     []byte // for each element of a paper the pair for A and for B
	S1     [32]byte
	S2     [32]byte
	S3     [32]byte
	S4     []byte // 32 bytes for each element of a paper
	SChain []byte // ŝ, 32 bytes a paper
	SPerm  []byte // s̃, 32 bytes a paper
}

func (s *Statement) check() error {
	switch {
	case s.Width < 1 || s.Width > MaxWidth:
		return fault.New(fault.Invalid, "a paper of a mix has 1 to %d elements, not %d", MaxWidth, s.Width)
	case len(s.In) == 0 || len(s.In)%(pair*s.Width) != 0:
		return fault.New(fault.Invalid, "the papers that go into a mix are not whole papers")
	case s.N() > MaxPapers:
		return fault.New(fault.TooMuch, "a mix takes at most %d papers", MaxPapers)
	case len(s.Group) > 255 || len(s.Mixer) > 255:
		return fault.New(fault.Invalid, "the name of a mix group or of a mixer has at most 255 bytes")
	}
	return nil
}

// start absorbs the whole statement and the commitments to the permutation.
func (s *Statement) start(c []byte) *transcript.Transcript {
	t := transcript.New("mix")
	t.Absorb("manifest", s.Manifest[:])
	t.Absorb("closing", s.Closing[:])
	t.Absorb("group", []byte(s.Group))
	t.Absorb("mixer", []byte(s.Mixer))
	t.Number("position", s.Position)
	t.Absorb("key", s.Key[:])
	t.Number("width", s.Width)
	t.Number("papers", s.N())
	t.Absorb("in", s.In)
	t.Absorb("out", s.Out)
	t.Absorb("permutation", c)
	return t
}

// challenge absorbs everything that is committed to and gives the challenge.
func (p *Proof) challenge(t *transcript.Transcript) ristretto.Scalar {
	t.Absorb("chain", p.Chain)
	t.Absorb("t1", p.T1[:])
	t.Absorb("t2", p.T2[:])
	t.Absorb("t3", p.T3[:])
	t.Absorb("t4", p.T4)
	t.Absorb("t-chain", p.TChain)
	return t.Challenge("challenge")
}

// generators are the independent bases that the manifest's hash fixes: number
// 0 for the chain, 1 to N for the papers.
type generators struct {
	g    *ristretto.Group
	seed [64]byte
}

func newGenerators(g *ristretto.Group, manifest *[32]byte) *generators {
	t := transcript.New("generators")
	t.Absorb("manifest", manifest[:])
	return &generators{g, t.Draw("seed")}
}

func (gs *generators) one(i int) ristretto.Point {
	b := transcript.At(&gs.seed, i)
	return gs.g.Map(&b)
}

// fill writes generators lo+1 and on, those of papers lo and on, into dst.
func (gs *generators) fill(dst []ristretto.Affine, lo int) {
	ristretto.Spread(len(dst), 256, func(a, b int) {
		ps, uniform := make([]ristretto.Point, b-a), make([][64]byte, b-a)
		for i := range uniform {
			uniform[i] = transcript.At(&gs.seed, lo+a+i+1)
		}
		gs.g.MapAll(ps, uniform)
		gs.g.Normalize(dst[a:b], ps)
	})
}
