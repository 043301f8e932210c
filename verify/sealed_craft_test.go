package verify_test

import (
	"encoding/binary"
	"math/big"
	"slices"

	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/sealed/transcript"
)

// Papers that no voter's page would make.

// crafted is a mixed paper written field by field. What is nil or empty is what
// it must be.
type crafted struct {
	manifest []byte
	contest  string
	previous []byte
	sequence uint32
	element  *ristretto.Point
	r        *proof.Secret
	pairs    []byte // in place of the encryption
	proofOf  []byte // in place of the proof
}

// craft writes a mixed paper of a voter.
func (p *poll) craft(v *voter, x crafted) []byte {
	if x.manifest == nil {
		x.manifest = p.hash[:]
	}
	if x.contest == "" {
		x.contest = "vote"
	}
	if x.previous == nil {
		x.previous = v.previous[:]
	}
	if x.sequence == 0 {
		x.sequence = v.sequence + 1
	}
	if x.r == nil {
		r := proof.NewSecret()
		x.r = &r
	}
	if x.element == nil {
		e := p.element(v)
		x.element = &e
	}
	if x.pairs == nil {
		var key ristretto.Point
		p.g.Decode(&key, p.key[:])
		x.pairs = proof.Encrypt(p.g, &key, x.element, *x.r)
	}
	raw := append([]byte{1}, x.manifest...)
	raw = append(append(raw, byte(len(x.contest))), x.contest...)
	raw = append(append(raw, byte(len(v.section))), v.section...)
	raw = append(append(raw, v.public[:]...), x.previous...)
	raw = binary.BigEndian.AppendUint32(raw, x.sequence)
	raw = append(append(raw, 1, 0, 1), x.pairs...)
	if x.proofOf == nil {
		t := transcript.New("paper")
		t.Absorb("key", p.key[:])
		t.Absorb("paper", raw)
		x.proofOf = proof.KnowAll(p.g, t, []proof.Secret{*x.r})
	}
	return p.sign(v, append(raw, x.proofOf...))
}

// sign signs a paper that lacks its signature.
func (p *poll) sign(v *voter, unsigned []byte) []byte {
	unsigned = slices.Clip(unsigned)
	return append(unsigned, proof.Sign(p.g, v.secret, "paper", unsigned)...)
}

// element is what a voter's paper holds.
func (p *poll) element(v *voter) ristretto.Point {
	x, err := sealed.DecodePaper(p.seal(v, v.marks))
	must(p.t, err)
	return p.plain(x.Pairs)[0]
}

// otherwise gives the element that says the same with a later counter than the
// first that is an element.
func (p *poll) otherwise(e ristretto.Point) ristretto.Point {
	enc := p.g.Encode(&e)
	var q ristretto.Point
	for n := int(enc[0])/2 + 128*int(enc[31]) + 1; n < 128*128; n++ {
		enc[0], enc[31] = byte(n%128)*2, byte(n/128)
		if p.g.Decode(&q, enc[:]) {
			return q
		}
	}
	p.t.Fatal("there is no other way to write it")
	return q
}

// altered gives a paper with a byte changed at an offset, negative from the end,
// and signed again by its voter.
func (p *poll) altered(v *voter, raw []byte, at int) []byte {
	raw = slices.Clone(raw[:len(raw)-64])
	raw[(at+len(raw))%len(raw)] ^= 1
	return p.sign(v, raw)
}

// more adds k·G to what a slot of a paper that is added up holds; its proof then
// fits no more.
func (p *poll) more(v *voter, raw []byte, slot int, k int64) []byte {
	x, err := sealed.DecodePaper(raw)
	must(p.t, err)
	raw = slices.Clone(raw[:len(raw)-64])
	at := len(raw) - len(x.Proof) - len(x.Pairs) + 64*slot + 32
	var b ristretto.Point
	p.g.Decode(&b, raw[at:at+32])
	by, base := proof.Number(uint64(max(k, -k))), p.g.Base()
	add := p.g.Mul(&by, &base)
	if k < 0 {
		add = p.g.Neg(&add)
	}
	b = p.g.Add(&b, &add)
	enc := p.g.Encode(&b)
	copy(raw[at:], enc[:])
	return p.sign(v, raw)
}

// unreduced adds the order of the group to a scalar: the same number, written in
// a way that is not allowed.
func unreduced(b []byte) []byte {
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	be := slices.Clone(b)
	slices.Reverse(be)
	out := new(big.Int).Add(new(big.Int).SetBytes(be), order).FillBytes(make([]byte, 32))
	slices.Reverse(out)
	return out
}

// noncanonical is another encoding of an element, that is none: its number
// negated.
func noncanonical(b []byte) []byte {
	prime := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	be := slices.Clone(b)
	slices.Reverse(be)
	out := new(big.Int).Sub(prime, new(big.Int).SetBytes(be)).FillBytes(make([]byte, 32))
	slices.Reverse(out)
	return out
}

// stranger is a voter with a code that no registrar made.
func (p *poll) stranger(section string) *voter {
	v := &voter{elector: elector{section: section, class: "v1", marks: p.voters[0].marks}, secret: proof.NewSecret(), previous: p.hash}
	v.public = v.secret.Public(p.g)
	return v
}

// voter gives the nth voter of a section and class.
func (p *poll) voter(section, class string, n int) *voter {
	for i := range p.voters {
		if v := &p.voters[i]; v.section == section && v.class == class {
			if n == 0 {
				return v
			}
			n--
		}
	}
	p.t.Fatalf("there is no such voter of %s/%s", section, class)
	return nil
}

// but has everybody vote but some.
func (p *poll) but(out ...*voter) {
	for i := range p.voters {
		v := &p.voters[i]
		if !slices.Contains(out, v) {
			p.take(v, p.seal(v, v.marks))
		}
	}
}

// find gives where a voter's paper lies among ciphertexts.
func (p *poll) find(pairs []byte, v *voter) int {
	e := p.element(v)
	for i, m := range p.plain(pairs) {
		if p.g.Equal(&m, &e) {
			return 64 * i
		}
	}
	p.t.Fatal("their paper is not there")
	return 0
}
