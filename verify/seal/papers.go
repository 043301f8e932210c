package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"

	"github.com/omov/omov/minutes"
	"github.com/omov/omov/ristretto"
)

// Listing reads the registrar's list: its signature, every key, each once.
func (e *Election) Listing(body, signature []byte) error {
	var l struct {
		Version  int    `json:"v"`
		Manifest string `json:"manifest"`
		Groups   []struct {
			Section string   `json:"section"`
			Class   string   `json:"class"`
			Keys    [][]byte `json:"keys"`
		} `json:"groups"`
	}
	q := &equations{e: e}
	if q.signature("credentials", e.registrar, body, signature); !q.hold() {
		return wrong("the list of credentials is not signed by the registrar")
	}
	if err := minutes.Decode(body, &l); err != nil {
		return err
	}
	if l.Version != 1 || l.Manifest != hex.EncodeToString(e.Hash[:]) {
		return wrong("the list of credentials is another election's")
	}
	e.listed = map[[32]byte]seat{}
	groups := map[seat]bool{}
	for _, gr := range l.Groups {
		s := seat{section: gr.Section, class: gr.Class}
		if !e.known(s) || groups[s] {
			return wrong("the list has a group %s/%s that the manifest does not have, or has it twice", gr.Section, gr.Class)
		}
		groups[s] = true
		var flat []byte
		for i, k := range gr.Keys {
			if len(k) != 32 || i > 0 && bytes.Compare(gr.Keys[i-1], k) >= 0 {
				return wrong("the keys of %s/%s are not sorted, or one is none", gr.Section, gr.Class)
			}
			if _, twice := e.listed[[32]byte(k)]; twice || slices.Equal(k, make([]byte, 32)) {
				return wrong("a credential stands in the list twice, or is neutral")
			}
			e.listed[[32]byte(k)] = s
			flat = append(flat, k...)
		}
		if ps := make([]ristretto.Affine, len(gr.Keys)); e.g.DecodeAll(ps, flat) >= 0 {
			return wrong("a key of %s/%s is no element", gr.Section, gr.Class)
		}
	}
	return nil
}

func (e *Election) known(s seat) bool {
	for _, x := range e.Manifest.Sections {
		for _, c := range x.Classes {
			if x.ID == s.section && c.ID == s.class {
				return true
			}
		}
	}
	return false
}

// Change takes a change of the list, which stands on the board at a place: from
// there on each new key is on the list, and each key that it replaces is not.
// Whether a paper counted under one that was replaced is told by Board.Check.
func (e *Election) Change(seq int64, body, signature []byte) error {
	var r struct {
		Version  int    `json:"v"`
		Manifest string `json:"manifest"`
		N        int64  `json:"n"`
		Swaps    []struct {
			Section string `json:"section"`
			Class   string `json:"class"`
			Out     []byte `json:"out"`
			In      []byte `json:"in"`
		} `json:"swaps"`
	}
	q := &equations{e: e}
	if q.signature("credentials-change", e.registrar, body, signature); !q.hold() {
		return wrong("the change of the list is not signed by the registrar")
	}
	if err := minutes.Decode(body, &r); err != nil {
		return err
	}
	if r.Version != 1 || r.Manifest != hex.EncodeToString(e.Hash[:]) || r.N != e.changes+1 || len(r.Swaps) == 0 {
		return wrong("the change is another list's, or not the next")
	}
	e.changes++
	var flat []byte
	for i, s := range r.Swaps {
		if len(s.In) != 32 || len(s.Out) != 32 || i > 0 && bytes.Compare(r.Swaps[i-1].In, s.In) >= 0 || slices.Equal(s.In, make([]byte, 32)) {
			return wrong("the keys of the change are not sorted, or one is none")
		}
		old, there := e.listed[[32]byte(s.Out)]
		if !there || old.until != 0 || old.section != s.Section || old.class != s.Class {
			return wrong("a key is replaced that is not on the list in %s/%s", s.Section, s.Class)
		}
		if _, twice := e.listed[[32]byte(s.In)]; twice {
			return wrong("a new key was on the list before")
		}
		old.until = seq
		e.listed[[32]byte(s.Out)] = old
		e.listed[[32]byte(s.In)] = seat{section: s.Section, class: s.Class, from: seq}
		flat = append(flat, s.In...)
	}
	if ps := make([]ristretto.Affine, len(r.Swaps)); e.g.DecodeAll(ps, flat) >= 0 {
		return wrong("a new key is no element")
	}
	return nil
}

// Listed is how many credentials the list has, by section and class.
func (e *Election) Listed() map[[2]string]int64 {
	out := map[[2]string]int64{}
	for _, s := range e.listed {
		if s.until == 0 {
			out[[2]string{s.section, s.class}]++
		}
	}
	return out
}

// paper is a sealed paper, read.
type paper struct {
	raw               []byte
	hash              [32]byte
	contest           *Contest
	section           string
	key, previous     [32]byte
	sequence          uint32
	pairs, proof      []byte
	stated, signature []byte
	unsaid            []byte
	malformed         bool // it can be read, and is no paper of this election
}

// cursor takes pieces off bytes.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n int) []byte {
	if c.bad || n > len(c.b) {
		c.bad = true
		return make([]byte, n)
	}
	out := c.b[:n:n]
	c.b = c.b[n:]
	return out
}

// read reads a sealed paper; nil where it cannot be one of any contest of this
// election.
func (e *Election) read(raw []byte) *paper {
	c := &cursor{b: raw}
	p := &paper{raw: raw}
	version, manifest := c.take(1)[0], [32]byte(c.take(32))
	contest := string(c.take(int(c.take(1)[0])))
	p.section = string(c.take(int(c.take(1)[0])))
	p.key, p.previous = [32]byte(c.take(32)), [32]byte(c.take(32))
	p.sequence = binary.BigEndian.Uint32(c.take(4))
	form, n := c.take(1)[0], int(binary.BigEndian.Uint16(c.take(2)))
	p.contest = e.Contest(contest)
	if c.bad || version != 1 || p.contest == nil || n != p.contest.slots() || form != map[bool]byte{false: 1, true: 2}[p.contest.sum()] {
		return nil
	}
	p.pairs = c.take(64 * n)
	p.stated = raw[:len(raw)-len(c.b)]
	if p.contest.sum() {
		p.proof = c.take(224*n + 96)
	} else {
		p.proof = c.take(64 * n)
	}
	p.unsaid = raw[:len(raw)-len(c.b)]
	p.signature = c.take(64)
	if c.bad || len(c.b) > 0 {
		return nil
	}
	p.malformed = manifest != e.Hash || !reference(p.section)
	for i := 0; i < len(p.pairs); i += 32 {
		p.malformed = p.malformed || bytes.Equal(p.pairs[i:i+32], make([]byte, 32)) // a neutral part
	}
	p.hash = sha256.Sum256(append([]byte("omov/sealed/paper/1\x00"), raw...))
	return p
}

// equations adds what must hold of a paper: its proof and its signature.
func (p *paper) equations(q *equations) {
	t := newScript("paper").put("key", q.e.Key[:]).put("paper", p.stated)
	if p.contest.sum() {
		p.marks(t, q)
	} else {
		p.knows(t, q)
	}
	q.signature("paper", p.key[:], p.unsaid, p.signature)
}

func (p *paper) knows(t *script, q *equations) {
	n := len(p.pairs) / 64
	for i := range n {
		t.put("commitment", p.proof[64*i:64*i+32])
	}
	c := t.challenge()
	for i := range n {
		z := q.scalar(p.proof[64*i+32 : 64*i+64])
		q.schnorr(&c, &z, p.pairs[64*i:64*i+32], p.proof[64*i:64*i+32])
		q.read = append(q.read, p.pairs[64*i+32:64*i+64]...)
	}
}

// marks adds, for each slot, that it holds 0 or 1, and that all add up.
func (p *paper) marks(t *script, q *equations) {
	n := len(p.pairs) / 64
	part := func(i, k int) []byte { return p.proof[224*i+32*k : 224*i+32*k+32] }
	for i := range n {
		t.put("commitments", p.proof[224*i:224*i+128])
	}
	last := p.proof[224*n:]
	c := t.put("total", last[:64]).challenge()
	wa, wb := weight(), weight()
	z, most := q.scalar(last[64:]), small(uint64(p.contest.Most))
	// Ta + c·ΣwA - z·G and Tb + c·ΣwB - c·most·G - z·Y
	q.add(&wa, last[:32])
	q.add(&wb, last[32:64])
	x := times(&wa, &z)
	q.base.Subtract(&q.base, &x)
	x = times(&wb, &c)
	x = times(&x, &most)
	q.base.Subtract(&q.base, &x)
	x = times(&wb, &z)
	q.key.Subtract(&q.key, &x)
	for i := range n {
		a, b := p.pairs[64*i:64*i+32], p.pairs[64*i+32:64*i+64]
		w := small(p.contest.weight(i))
		cw := times(&c, &w)
		ka, kb := times(&wa, &cw), times(&wb, &cw)
		q.add(&ka, a)
		q.add(&kb, b)
		c0 := q.scalar(part(i, 4))
		var c1 ristretto.Scalar
		c1.Subtract(&c, &c0)
		zero, one := q.scalar(part(i, 5)), q.scalar(part(i, 6))
		q.branch(&c0, &zero, a, b, part(i, 0), part(i, 1), false)
		q.branch(&c1, &one, a, b, part(i, 2), part(i, 3), true)
	}
}

// branch adds z·G = ta + c·A and z·Y = tb + c·(B - mark·G).
func (q *equations) branch(c, z *ristretto.Scalar, a, b, ta, tb []byte, mark bool) {
	q.schnorr(c, z, a, ta)
	w := weight()
	q.key.MultiplyAdd(&w, z, &q.key)
	q.minus(w, tb)
	wc := times(&w, c)
	q.minus(wc, b)
	if mark {
		q.base.Add(&q.base, &wc)
	}
}

// proved tells which of the papers have proofs and signatures that hold.
// Together first, then by halves where something does not.
func (e *Election) proved(ps []*paper) []bool {
	out := make([]bool, len(ps))
	const part = 4_096
	ristretto.Spread((len(ps)+part-1)/part, 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			from, to := i*part, min((i+1)*part, len(ps))
			e.provedPart(ps[from:to], out[from:to])
		}
	})
	return out
}

func (e *Election) provedPart(ps []*paper, out []bool) {
	q := &equations{e: e}
	for _, p := range ps {
		p.equations(q)
	}
	if q.hold() {
		for i := range out {
			out[i] = true
		}
		return
	}
	if len(ps) == 1 {
		return
	}
	h := len(ps) / 2
	e.provedPart(ps[:h], out[:h])
	e.provedPart(ps[h:], out[h:])
}
