package seal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"

	"github.com/omov/omov/ristretto"
)

// Audit is a paper that was not cast, with the randomness that it was made of,
// as a voter's page gives it (docs/verifying.md).
type Audit struct {
	Version    int      `json:"v"` // 1
	Manifest   string   `json:"manifest"`
	Key        string   `json:"key"` // joint key, hex
	Paper      []byte   `json:"paper"`
	Randomness []string `json:"randomness"` // hex, one scalar a ciphertext
}

// Audited is what an audited paper says.
type Audited struct {
	Election string
	Section  string
	Contest  *Contest
	Paper    []int // a number for each option
	Hash     [32]byte
	Next     uint32 // how many papers of this credential it would have made
}

// ReadAudit reads and checks an audited paper: that its proof and signature hold,
// and what it says if it was made of this randomness.
func ReadAudit(g *ristretto.Group, b []byte) (*Audited, error) {
	var a Audit
	if len(b) > 4<<20 {
		return nil, wrong("it is longer than four megabytes")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return nil, wrong("it is not what a voter's page gives: %v", err)
	}
	if a.Version != 1 {
		return nil, wrong("it is of version %d; this program reads version 1", a.Version)
	}
	e, err := Open(g, []byte(a.Manifest))
	if err != nil {
		return nil, wrong("its manifest: %v", err)
	}
	key, err := e.element(a.Key)
	if err != nil {
		return nil, err
	}
	e.Take([32]byte(key))
	p := e.read(a.Paper)
	if p == nil || p.malformed {
		return nil, wrong("it holds no paper of this ballot")
	}
	if !e.proved([]*paper{p})[0] {
		return nil, wrong("its proof or its signature does not hold: the server would have refused this paper")
	}
	rs := make([]ristretto.Scalar, len(a.Randomness))
	for i, text := range a.Randomness {
		raw, err := hex.DecodeString(text)
		ok := err == nil && len(raw) == 32
		if ok {
			rs[i], ok = scalarOf(raw)
		}
		if !ok {
			return nil, wrong("number %d of its randomness is none", i+1)
		}
	}
	marks, err := e.opened(p, rs)
	if err != nil {
		return nil, err
	}
	return &Audited{Election: e.Manifest.Election, Section: p.section, Contest: p.contest, Paper: marks, Hash: p.hash, Next: p.sequence}, nil
}

// Take has a key be the joint key, without following how it was made.
func (e *Election) Take(key [32]byte) bool {
	var y ristretto.Point
	if !e.g.Decode(&y, key[:]) {
		return false
	}
	e.y, e.Key = y, key
	return true
}

// opened opens a paper by its randomness: every ciphertext has to be of it.
func (e *Election) opened(p *paper, rs []ristretto.Scalar) ([]int, error) {
	n := len(p.pairs) / 64
	if len(rs) != n {
		return nil, wrong("it has randomness for %d ciphertexts; the paper has %d", len(rs), n)
	}
	plain := make([]ristretto.Point, n)
	for i := range n {
		var b ristretto.Point
		a := e.g.MulBase(&rs[i])
		enc := e.g.Encode(&a)
		if !bytes.Equal(enc[:], p.pairs[64*i:64*i+32]) || !e.g.Decode(&b, p.pairs[64*i+32:64*i+64]) {
			return nil, wrong("ciphertext %d was not made of this randomness: the page does not say the truth about the paper", i+1)
		}
		mask := e.g.Mul(&rs[i], &e.y)
		plain[i] = e.g.Sub(&b, &mask)
	}
	if p.contest.sum() {
		return e.marked(p.contest, plain)
	}
	number, err := e.numberOf(p.contest, e.g.EncodeAll(nil, plain))
	if err != nil {
		return nil, wrong("the paper would be spoilt: %v", err)
	}
	return p.contest.paperOf(number), nil
}

// marked reads the slots of a paper that is added up: the options that it
// marks, none for a blank one.
func (e *Election) marked(c *Contest, plain []ristretto.Point) ([]int, error) {
	zero, one := e.g.Identity(), e.g.Base()
	out := make([]int, len(c.Options))
	total := uint64(0)
	for i := range plain {
		switch {
		case e.g.Equal(&plain[i], &one):
			total += c.weight(i)
			if i < len(out) {
				out[i] = 1
			}
		case !e.g.Equal(&plain[i], &zero):
			return nil, wrong("slot %d of the paper holds neither a mark nor none", i+1)
		}
	}
	if total != uint64(c.Most) {
		return nil, wrong("the marks of the paper do not add up")
	}
	return out, nil
}
