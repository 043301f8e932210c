package seal_test

import (
	"fmt"
	"testing"

	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/mixing"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/verify/seal"
)

// The verifier's own check of a mix, with its two ways of computing the group.
func BenchmarkVerifierMix(b *testing.B) {
	x := hold(b, 10)
	for _, n := range []int{10_000, 100_000} {
		if n > 10_000 && testing.Short() {
			continue
		}
		in := ciphertexts(x, n)
		st := &mixing.Statement{Manifest: x.hash, Closing: closing(), Group: groupName, Mixer: x.m.Mixers[0], Position: 0, Key: x.key, Width: 1, In: in}
		p := must[*mixing.Proof](b)(mixing.Shuffle(x.g, st))
		for name, g := range map[string]*ristretto.Group{"lanes": ristretto.New(), "plain": ristretto.NewPlain()} {
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				e := must[*seal.Election](b)(x.keyed(g))
				raw := p.Encode(st)
				group := &seal.Group{Contest: e.Contest("leader"), Section: "members", Class: "full"}
				for b.Loop() {
					if _, err := e.Mix(closing(), group, x.m.Mixers[0], 0, in, raw); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s")
			})
		}
	}
}

// ciphertexts are n encryptions of nothing in particular.
func ciphertexts(x *board, n int) []byte {
	var key ristretto.Point
	x.g.Decode(&key, x.key[:])
	out := make([]byte, 0, 64*n)
	base := x.g.Base()
	r := proof.NewSecret()
	first := proof.Encrypt(x.g, &key, &base, r)
	for range n {
		out = append(out, first...)
	}
	return out
}

// The verifier's own check of papers, proofs and signatures.
func BenchmarkVerifierPapers(b *testing.B) {
	x := hold(b, 10)
	const n = 10_000
	var papers [][]byte
	one := x.seal(b, 0, "leader", []int{1, 2, 3})
	for range n {
		papers = append(papers, one)
	}
	e := must[*seal.Election](b)(x.keyed(x.g))
	for b.Loop() {
		board := e.Board()
		for i, p := range papers {
			board.Post(int64(i), p)
		}
		board.Check()
	}
	b.ReportMetric(60*b.Elapsed().Seconds()/float64(b.N), "s/600k")
}
