package seal

import (
	"bytes"
	"slices"
)

// Outcome is what becomes of a paper that was received.
type Outcome string

// The outcomes, in the order in which they are looked for.
const (
	Accepted  Outcome = "accepted"
	Late      Outcome = "late"
	Malformed Outcome = "malformed"
	Unlisted  Outcome = "unlisted"
	Unproved  Outcome = "unproved"
	Repeated  Outcome = "repeated"
	Copied    Outcome = "copied"
	Stale     Outcome = "stale"
)

// place is where a credential votes in one contest.
type place struct {
	key     [32]byte
	contest string
}

// Board is what was received, in its order, and what counts of it.
type Board struct {
	Outcomes []Outcome // of each paper received
	standing map[place]*paper
	e        *Election
}

// Board goes through everything received before the close, in order, and says
// what counts: the last accepted paper of each credential in each contest.
// closed is how many had been received when the ballot closed.
func (e *Election) Board(received [][]byte, closed int) *Board {
	b := &Board{e: e, Outcomes: make([]Outcome, len(received)), standing: map[place]*paper{}}
	papers := make([]*paper, len(received))
	var check []*paper
	var at []int
	for i, raw := range received {
		if i >= closed {
			b.Outcomes[i] = Late
			continue
		}
		p := e.read(raw)
		switch {
		case p == nil:
			b.Outcomes[i] = Malformed
		case e.listed[p.key].section != p.section:
			b.Outcomes[i] = Unlisted
		default:
			papers[i] = p
			check, at = append(check, p), append(at, i)
		}
	}
	for k, ok := range e.proved(check) {
		if !ok {
			b.Outcomes[at[k]] = Unproved
			papers[at[k]] = nil
		}
	}
	hashes, seen := map[[32]byte]bool{}, map[[32]byte]bool{}
	for i, p := range papers {
		if p != nil {
			b.Outcomes[i] = b.post(p, hashes, seen)
		}
	}
	return b
}

// once are the parts of a paper that no other paper may have: each A, and each
// commitment of its proof.
func (p *paper) once() [][32]byte {
	var out [][32]byte
	for i := 0; i < len(p.pairs); i += 64 {
		out = append(out, [32]byte(p.pairs[i:i+32]))
	}
	if p.contest.sum() {
		for i := range len(p.pairs) / 64 {
			for k := range 4 {
				out = append(out, [32]byte(p.proof[224*i+32*k:224*i+32*k+32]))
			}
		}
		return out
	}
	for i := 0; i < len(p.proof); i += 64 {
		out = append(out, [32]byte(p.proof[i:i+32]))
	}
	return out
}

func (b *Board) post(p *paper, hashes, seen map[[32]byte]bool) Outcome {
	if hashes[p.hash] {
		return Repeated
	}
	parts := p.once()
	own := map[[32]byte]bool{}
	for _, x := range parts {
		if seen[x] || own[x] {
			return Copied
		}
		own[x] = true
	}
	at := place{p.key, p.contest.ID}
	before := b.standing[at]
	switch {
	case before == nil && (p.previous != b.e.Hash || p.sequence != 1):
		return Stale
	case before != nil && (p.previous != before.hash || p.sequence != before.sequence+1):
		return Stale
	}
	hashes[p.hash] = true
	for _, x := range parts {
		seen[x] = true
	}
	b.standing[at] = p
	return Accepted
}

// Group gives the ciphertexts of a mix group: of its standing papers, sorted by
// credential, with how many papers they are.
func (b *Board) Group(contest, section, class string) (pairs []byte, papers int) {
	var list []*paper
	for at, p := range b.standing {
		if at.contest == contest && b.e.listed[at.key] == (seat{section, class}) {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(x, y *paper) int { return bytes.Compare(x.key[:], y.key[:]) })
	for _, p := range list {
		pairs = append(pairs, p.pairs...)
	}
	return pairs, len(list)
}

// Standing is how many papers count.
func (b *Board) Standing() int { return len(b.standing) }
