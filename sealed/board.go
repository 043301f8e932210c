package sealed

import (
	"bytes"
	"slices"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
)

// Reason says in a word why a paper on the board does not count.
type Reason string

// The reasons, in the order in which they are looked for.
const (
	Malformed  Reason = "malformed" // not a sealed paper of this ballot and contest
	Unlisted   Reason = "unlisted"  // the credential is not on the list for that section
	Unproved   Reason = "unproved"  // proof or signature does not hold
	Repeated   Reason = "repeated"  // exactly this paper is on the board
	Copied     Reason = "copied"    // a ciphertext or a commitment stands in another paper
	Stale      Reason = "stale"     // it does not follow on this credential's current paper
	AfterClose Reason = "late"      // posted after the close
)

// Refusal is why a paper was refused.
type Refusal struct {
	Reason Reason
	Err    error
	// Receipt is that of the paper that is on the board, where the same one
	// was sent again.
	Receipt *Receipt
}

// Error implements error.
func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap gives the fault.
func (r *Refusal) Unwrap() error { return r.Err }

// Receipt is what a voter keeps.
type Receipt struct {
	Paper    [32]byte // hash
	Sequence uint32
	Position int // the paper's place among all accepted ones, from 0
}

// seat is where one credential votes in one contest.
type seat struct {
	key     [32]byte
	contest string
}

// standing is a credential's current paper.
type standing struct {
	hash     [32]byte
	sequence uint32
	position int
	pairs    []byte
}

// Board decides which of the papers posted count. The same papers and list in
// the same order always give the same: it draws nothing and reads no clock. It
// is not safe for concurrent use; proofs may be checked beforehand by a
// Checker on all cores.
type Board struct {
	c        *Checker
	roll     map[[32]byte]Credential
	gone     map[[32]byte]bool // keys that were replaced
	changes  int64             // of the list
	cast     map[[32]byte]bool
	current  map[seat]standing
	receipts map[[32]byte]Receipt
	used     map[[32]byte]struct{} // elements A and commitments
	accepted int
	refused  map[Reason]int
	closed   bool
}

// NewBoard makes the board of a ballot with the registrar's list.
func NewBoard(c *Checker, list []Credential) (*Board, error) {
	b := &Board{
		c: c, roll: map[[32]byte]Credential{}, gone: map[[32]byte]bool{}, cast: map[[32]byte]bool{}, current: map[seat]standing{},
		receipts: map[[32]byte]Receipt{}, used: map[[32]byte]struct{}{}, refused: map[Reason]int{},
	}
	for _, cr := range list {
		if err := b.Add(cr); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Add enters a credential, from now on.
func (b *Board) Add(cr Credential) error {
	if _, ok := b.roll[cr.Key]; ok || b.closed {
		return fault.New(fault.Already, "this credential is on the list, or the ballot is closed")
	}
	if b.c.m.class(cr.Section, cr.Class) == nil {
		return fault.New(fault.Invalid, "the ballot has no weight class %s in section %s", cr.Class, cr.Section)
	}
	b.roll[cr.Key] = cr
	return nil
}

// Relist takes the registrar's next change of the list.
func (b *Board) Relist(r *Relisting) error {
	if b.closed {
		return fault.New(fault.TooLate, "the ballot is closed: the list stays as it is")
	}
	if r.N != b.changes+1 {
		return fault.New(fault.Conflict, "this is change %d of the list; number %d is next", r.N, b.changes+1)
	}
	once := func(key [32]byte) (bool, error) {
		_, there := b.roll[key]
		return there || b.gone[key], nil
	}
	if err := r.Fits(b.Credential, once, func(key [32]byte) (bool, error) { return b.cast[key], nil }); err != nil {
		return err
	}
	b.changes++
	for _, s := range r.Swaps {
		b.gone[[32]byte(s.Out)] = true
		delete(b.roll, [32]byte(s.Out))
		b.roll[[32]byte(s.In)] = Credential{[32]byte(s.In), s.Section, s.Class}
	}
	return nil
}

// Close ends the voting: what is posted afterwards is refused.
func (b *Board) Close() { b.closed = true }

// Post takes the next paper of the board, checks it, and gives a receipt or a
// *Refusal.
func (b *Board) Post(raw []byte) (*Receipt, error) {
	p, err := DecodePaper(raw)
	if err != nil {
		return nil, b.refuse(Malformed, err)
	}
	return b.Take(p, func() error { return b.c.Check(p) })
}

// PostAll takes many papers in their order; the proofs are checked together
// first. The results are as those of Post.
func (b *Board) PostAll(raws [][]byte) ([]*Receipt, []error) {
	ps, decodeErrs := make([]*Paper, len(raws)), make([]error, len(raws))
	ristretto.Spread(len(raws), 256, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			ps[i], decodeErrs[i] = DecodePaper(raws[i])
		}
	})
	var well []*Paper
	for _, p := range ps {
		if p != nil {
			well = append(well, p)
		}
	}
	checks := b.c.CheckAll(well)
	receipts, errs := make([]*Receipt, len(raws)), make([]error, len(raws))
	for i, p := range ps {
		if p == nil {
			errs[i] = b.refuse(Malformed, decodeErrs[i])
			continue
		}
		check := checks[0]
		checks = checks[1:]
		receipts[i], errs[i] = b.Take(p, func() error { return check })
	}
	return receipts, errs
}

// Take is Post for a paper whose proof and signature are checked by the
// caller's function, which must give what Checker.Check gives.
func (b *Board) Take(p *Paper, check func() error) (*Receipt, error) {
	if b.closed {
		return nil, b.refuse(AfterClose, Late())
	}
	refused, err := b.c.Judge(p, check, b)
	if err != nil {
		return nil, err
	}
	if refused != nil {
		b.refused[refused.Reason]++
		return nil, refused
	}
	for _, f := range p.Fresh() {
		b.used[f] = struct{}{}
	}
	r := Receipt{p.Hash, p.Sequence, b.accepted}
	b.accepted++
	b.cast[p.Key] = true
	b.receipts[p.Hash] = r
	b.current[seat{p.Key, p.Contest}] = standing{p.Hash, p.Sequence, r.Position, p.Pairs}
	return &r, nil
}

// Credential implements Records.
func (b *Board) Credential(key [32]byte) (*Credential, error) {
	cr, ok := b.roll[key]
	if !ok {
		return nil, nil
	}
	return &cr, nil
}

// Accepted implements Records.
func (b *Board) Accepted(hash [32]byte) (*Receipt, error) {
	r, ok := b.receipts[hash]
	if !ok {
		return nil, nil
	}
	return &r, nil
}

// Latest implements Records.
func (b *Board) Latest(key [32]byte, contest string) (hash [32]byte, sequence uint32, err error) {
	hash, sequence = b.Current(key, contest)
	return hash, sequence, nil
}

// Used implements Records.
func (b *Board) Used(elements [][32]byte) (bool, error) {
	for _, e := range elements {
		if _, ok := b.used[e]; ok {
			return true, nil
		}
	}
	return false, nil
}

func (b *Board) refuse(r Reason, err error) *Refusal {
	b.refused[r]++
	return &Refusal{Reason: r, Err: err}
}

// Account is how the papers posted divide up: Received = Accepted + Σ Refused,
// and Accepted = Standing + Replaced.
type Account struct {
	Received, Accepted, Standing, Replaced int
	Refused                                map[Reason]int
}

// Account counts.
func (b *Board) Account() Account {
	a := Account{Accepted: b.accepted, Standing: len(b.current), Refused: map[Reason]int{}}
	a.Received, a.Replaced = a.Accepted, a.Accepted-a.Standing
	for r, n := range b.refused {
		a.Refused[r] = n
		a.Received += n
	}
	return a
}

// Current gives the hash and sequence of a credential's current paper in a
// contest: what the next one has to follow.
func (b *Board) Current(key [32]byte, contest string) (previous [32]byte, sequence uint32) {
	if cur, ok := b.current[seat{key, contest}]; ok {
		return cur.hash, cur.sequence
	}
	return b.c.hash, 0
}

// Group gives the ciphertexts of the standing papers of a mix group, in the
// order of their credentials' keys, and how many papers they are. That order is
// what the first mixer takes.
func (b *Board) Group(contest, section, class string) ([]byte, int) {
	var keys [][32]byte
	for s := range b.current {
		if cr := b.roll[s.key]; s.contest == contest && cr.Section == section && cr.Class == class {
			keys = append(keys, s.key)
		}
	}
	slices.SortFunc(keys, func(x, y [32]byte) int { return bytes.Compare(x[:], y[:]) })
	var out []byte
	for _, k := range keys {
		out = append(out, b.current[seat{k, contest}].pairs...)
	}
	return out, len(keys)
}
