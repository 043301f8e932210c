package proof_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/sealed/transcript"
)

func TestSignature(t *testing.T) {
	g := ristretto.New()
	key, other := proof.NewSecret(), proof.NewSecret()
	public, message := key.Public(g), []byte("a paper")
	s := proof.Sign(g, key, "paper", message)
	if !proof.Signed(g, "paper", public[:], message, s) {
		t.Fatal("a signature does not hold")
	}
	if bytes.Equal(s, proof.Sign(g, key, "paper", message)) {
		t.Error("two signatures are alike: the nonce has no fresh randomness")
	}
	wrong := other.Public(g)
	refused := func(what, purpose string, key, message, s []byte) {
		t.Helper()
		if proof.Signed(g, purpose, key, message, s) {
			t.Errorf("%s: the signature holds", what)
		}
	}
	refused("another purpose", "list", public[:], message, s)
	refused("another key", "paper", wrong[:], message, s)
	refused("another message", "paper", public[:], []byte("b paper"), s)
	refused("too short", "paper", public[:], message, s[:63])
	refused("too long", "paper", public[:], message, append(bytes.Clone(s), 0))
	refused("no key", "paper", nil, message, s)
	refused("the neutral key", "paper", make([]byte, 32), message, make([]byte, 64))
	for i := range s {
		c := bytes.Clone(s)
		c[i] ^= 4
		refused(fmt.Sprintf("byte %d changed", i), "paper", public[:], message, c)
	}
	// s + order of the group is another encoding of the same number.
	order := []byte{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10}
	c, carry := bytes.Clone(s), 0
	for i := range 32 {
		carry += int(c[32+i]) + int(order[i])
		c[32+i] = byte(carry)
		carry >>= 8
	}
	refused("a number that is not reduced", "paper", public[:], message, c)
}

func TestKnowAndEqual(t *testing.T) {
	g := ristretto.New()
	x, y := proof.NewSecret(), proof.NewSecret()
	public := x.Public(g)
	statement := func(s string) *transcript.Transcript {
		t := transcript.New("test")
		t.Absorb("statement", []byte(s))
		return t
	}
	p := proof.Know(g, statement("a"), x)
	if !proof.Knows(g, statement("a"), public[:], p) || proof.Knows(g, statement("b"), public[:], p) || proof.Knows(g, statement("a"), make([]byte, 32), p) {
		t.Error("knowledge")
	}
	h := g.MulBase(y.Scalar())
	q := g.Mul(x.Scalar(), &h)
	pub := g.MulBase(x.Scalar())
	e := proof.Equal(g, statement("a"), x, &h)
	if !proof.AreEqual(g, statement("a"), &pub, &h, &q, e) {
		t.Error("equal logarithms are not")
	}
	for i := range e {
		c := bytes.Clone(e)
		c[i] ^= 4
		if proof.AreEqual(g, statement("a"), &pub, &h, &q, c) {
			t.Errorf("holds with byte %d changed", i)
		}
	}
	for name, holds := range map[string]bool{
		"another statement": proof.AreEqual(g, statement("b"), &pub, &h, &q, e),
		"exchanged":         proof.AreEqual(g, statement("a"), &pub, &q, &h, e),
		"another element":   proof.AreEqual(g, statement("a"), &pub, &h, &h, e),
		"another key":       proof.AreEqual(g, statement("a"), &h, &h, &q, e),
		"too short":         proof.AreEqual(g, statement("a"), &pub, &h, &q, e[1:]),
	} {
		if holds {
			t.Error("equal logarithms: " + name)
		}
	}
}

// marks gives a paper of the bits and how to check it.
func marks(g *ristretto.Group, bits []bool, values []uint64, weights []uint64, total uint64) (pairs, p []byte, key ristretto.Point) {
	x := proof.NewSecret()
	key = g.MulBase(x.Scalar())
	m := &proof.Marks{Bits: bits, Weights: weights, Total: total}
	for _, v := range values {
		k := proof.Number(v)
		e := g.MulBase(&k)
		m.Rs = append(m.Rs, proof.NewSecret())
		pairs = append(pairs, proof.Encrypt(g, &key, &e, m.Rs[len(m.Rs)-1])...)
	}
	return pairs, m.Prove(g, transcript.New("test"), &key, pairs), key
}

func holds(g *ristretto.Group, key *ristretto.Point, weights []uint64, total uint64, pairs, p []byte) bool {
	var e proof.Equations
	e.Marks(transcript.New("test"), weights, total, pairs, p)
	return e.Hold(g, key)
}

func TestMarks(t *testing.T) {
	g := ristretto.New()
	weights := []uint64{1, 1, 1, 2}
	for _, bits := range [][]bool{{true, true, false, false}, {false, false, false, true}, {true, false, true, false}} {
		values := make([]uint64, 4)
		for i, b := range bits {
			if b {
				values[i] = 1
			}
		}
		pairs, p, key := marks(g, bits, values, weights, 2)
		if !holds(g, &key, weights, 2, pairs, p) {
			t.Errorf("%v does not hold", bits)
		}
		if holds(g, &key, weights, 3, pairs, p) || holds(g, &key, []uint64{1, 1, 1, 1}, 2, pairs, p) && values[3] == 1 {
			t.Errorf("%v holds for another total", bits)
		}
		for at := 0; at < len(p); at += 11 {
			c := bytes.Clone(p)
			c[at] ^= 4
			if holds(g, &key, weights, 2, pairs, c) {
				t.Errorf("holds with byte %d changed", at)
			}
		}
		for at := 0; at < len(pairs); at += 11 {
			c := bytes.Clone(pairs)
			c[at] ^= 4
			if holds(g, &key, weights, 2, c, p) {
				t.Errorf("holds with byte %d of the ciphertexts changed", at)
			}
		}
		if holds(g, &key, weights, 2, pairs, p[32:]) || holds(g, &key, weights[:3], 2, pairs, p) {
			t.Error("holds at another length")
		}
	}
	// Who marks 2, or too much in all, has no proof whichever branch is taken.
	for _, c := range []struct {
		bits   []bool
		values []uint64
	}{
		{[]bool{true, false, false, false}, []uint64{2, 0, 0, 0}},
		{[]bool{false, false, false, false}, []uint64{2, 0, 0, 0}},
		{[]bool{true, true, true, false}, []uint64{1, 1, 1, 0}},
		{[]bool{true, false, false, true}, []uint64{1, 0, 0, 1}},
		{[]bool{false, false, false, false}, []uint64{0, 0, 0, 0}},
	} {
		pairs, p, key := marks(g, c.bits, c.values, weights, 2)
		if holds(g, &key, weights, 2, pairs, p) {
			t.Errorf("marks %v pass", c.values)
		}
	}
}

// A secret is not shown by printing it, or anything that holds it.
func TestSecretsAreNotShown(t *testing.T) {
	s := proof.NewSecret()
	raw := s.Expose()
	inside := struct {
		Name string
		S    proof.Secret
		s    proof.Secret
		list []proof.Secret
	}{"x", s, s, []proof.Secret{s}}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "secret", s, "inside", inside)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "secret", s, "inside", inside)
	texts := []string{log.String()}
	for _, v := range []any{s, &s, inside, &inside, []proof.Secret{s}, map[string]proof.Secret{"k": s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
			texts = append(texts, fmt.Sprintf(verb, v))
		}
	}
	scalar := fmt.Sprint(*s.Scalar()) // what a bare scalar would show
	words := strings.FieldsFunc(scalar, func(r rune) bool { return r < '0' || r > '9' })
	needles := []string{fmt.Sprintf("%x", raw[:8]), fmt.Sprintf("%X", raw[:8]), strings.Trim(fmt.Sprint(raw[:6]), "[]")}
	for _, w := range words {
		if len(w) > 9 {
			needles = append(needles, w)
		}
	}
	if len(needles) < 4 {
		t.Fatalf("only %d things looked for", len(needles))
	}
	for _, text := range texts {
		for _, n := range needles {
			if strings.Contains(text, n) {
				t.Errorf("%q shows the secret", text)
			}
		}
	}
	if _, err := json.Marshal(s); err == nil {
		t.Error("a secret is written as JSON")
	}
	if _, err := json.Marshal(inside); err == nil {
		t.Error("what holds a secret is written as JSON")
	}
	s.Wipe()
	if !bytes.Equal(s.Expose(), make([]byte, 32)) {
		t.Error("a wiped secret is there")
	}
}
