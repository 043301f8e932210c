package sealing

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/store"
)

// open is a ballot that takes papers. Papers that come at the same time are
// checked together, at a quarter of the cost, and written in one transaction.
type open struct {
	*seen
	checker *sealed.Checker
	waiting []*posting
	workers int
}

// posting is one paper on its way.
type posting struct {
	paper   *sealed.Paper
	done    chan struct{}
	receipt Receipt
	err     error
}

// Receipt says that a paper is on the board.
type Receipt struct {
	Hash  string `json:"hash"`
	Seq   int64  `json:"seq"` // its entry in the minute book
	Again bool   `json:"again"`
}

const (
	together   = 256 // papers that are checked at once
	maxWorkers = 2
	maxWaiting = 20_000
	takeTime   = 30 * time.Second
)

// Post takes a paper in and returns when it is durable. A refusal is a
// *sealed.Refusal.
func (s *Sealing) Post(ctx context.Context, ref string, raw []byte) (Receipt, error) {
	if len(raw) > sealed.MaxPaper {
		return Receipt{}, &sealed.Refusal{Reason: sealed.Malformed, Err: fault.New(fault.TooMuch, "this is longer than any sealed paper")}
	}
	o, err := s.opened(ctx, ref)
	if err != nil {
		return Receipt{}, err
	}
	paper, err := sealed.DecodePaper(raw)
	if err != nil {
		err = &sealed.Refusal{Reason: sealed.Malformed, Err: err}
		return Receipt{}, errors.Join(err, s.count(ctx, o, map[sealed.Reason]int64{sealed.Malformed: 1}))
	}
	p := &posting{paper: paper, done: make(chan struct{})}
	s.mu.Lock()
	if len(o.waiting) >= maxWaiting {
		s.mu.Unlock()
		return Receipt{}, fault.New(fault.Unavailable, "so many papers are arriving that this one was not taken in; send it again")
	}
	o.waiting = append(o.waiting, p)
	if o.workers < maxWorkers {
		o.workers++
		go s.drain(o)
	}
	s.mu.Unlock()
	select {
	case <-p.done:
		return p.receipt, p.err
	case <-ctx.Done():
		return Receipt{}, fault.Wrap(fault.Unavailable, ctx.Err(), "it is not known whether this paper was recorded; send the same one again")
	}
}

// opened gives the ballot that takes papers. fault.TooLate or TooEarly where
// none does.
func (s *Sealing) opened(ctx context.Context, ref string) (*open, error) {
	s.mu.Lock()
	o := s.open[ref]
	s.mu.Unlock()
	if o != nil {
		return o, nil
	}
	x, err := s.look(ctx, ref, nil)
	switch {
	case err != nil:
		return nil, err
	case x.prep != nil:
		return nil, fault.Under(fault.TooEarly, x.clause, "the ballot is being prepared; it has not opened")
	case x.ballot.Closed != 0 || !x.st.Live():
		return nil, &sealed.Refusal{Reason: sealed.AfterClose, Err: sealed.Late()}
	}
	o = &open{seen: x}
	if o.checker, err = s.checker(x); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.open[ref]; now != nil && now.hash == o.hash {
		return now, nil
	}
	s.open[ref] = o
	return o, nil
}

// Forget drops what is kept of a ballot in memory: it has closed.
func (s *Sealing) Forget(ref string) {
	s.mu.Lock()
	delete(s.open, ref)
	s.mu.Unlock()
}

// drain takes papers until none waits.
func (s *Sealing) drain(o *open) {
	for {
		s.mu.Lock()
		n := min(len(o.waiting), together)
		list := o.waiting[:n:n]
		o.waiting = o.waiting[n:]
		if n == 0 {
			o.workers--
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		s.takeAll(o, list)
		for _, p := range list {
			close(p.done)
		}
	}
}

// takeAll checks papers together and enters those that are accepted.
func (s *Sealing) takeAll(o *open, list []*posting) {
	ctx, cancel := context.WithTimeout(context.Background(), takeTime)
	defer cancel()
	closed := false
	checks, err := s.checks(ctx, o, list)
	if err != nil {
		for _, p := range list {
			p.receipt, p.err = Receipt{}, err
		}
		return
	}
	err = s.ch.DB.Write(ctx, func(tx *store.Tx) error {
		late, err := s.late(tx, o)
		if err != nil {
			return err
		}
		closed = late != nil
		refused := map[sealed.Reason]int64{}
		on := &chamber.Board{Tx: tx, Ballot: o.ballot.ID, Manifest: o.hash}
		for i, p := range list {
			p.receipt, p.err = Receipt{}, late
			if late != nil {
				continue
			}
			if err := s.judge(tx, o, on, p, checks[i]); err != nil {
				return err
			}
			if r := (*sealed.Refusal)(nil); errors.As(p.err, &r) {
				refused[r.Reason]++
			}
		}
		return addRefused(tx, o.ballot.ID, refused)
	})
	if err != nil {
		for _, p := range list {
			p.receipt, p.err = Receipt{}, err
		}
	}
	if closed {
		s.Forget(o.ref)
	}
}

// checks checks proofs and signatures of papers together. Those whose key is on
// no list are left for later, which never comes for a stranger's: nobody without
// a credential can make the server compute.
func (s *Sealing) checks(ctx context.Context, o *open, list []*posting) ([]func() error, error) {
	var known []int
	err := s.ch.DB.Read(ctx, func(tx *store.Tx) error {
		known = known[:0]
		for i, p := range list {
			c, err := tx.SealedCredential(o.ballot.ID, p.paper.Key)
			if err != nil {
				return err
			}
			if c != nil && c.Section == p.paper.Section {
				known = append(known, i)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	papers := make([]*sealed.Paper, len(known))
	for k, i := range known {
		papers[k] = list[i].paper
	}
	out := make([]func() error, len(list))
	for i, p := range list {
		out[i] = func() error { return o.checker.Check(p.paper) }
	}
	for k, err := range o.checker.CheckAll(papers) {
		out[known[k]] = func() error { return err }
	}
	return out, nil
}

// judge decides on one paper and enters it if it is accepted; what is wrong with
// it is in p. The same paper sent again gets its receipt again.
func (s *Sealing) judge(tx *store.Tx, o *open, on *chamber.Board, p *posting, check func() error) error {
	refusal, err := o.checker.Judge(p.paper, check, on)
	if err != nil {
		return err
	}
	p.receipt.Hash = hex.EncodeToString(p.paper.Hash[:])
	switch {
	case refusal == nil:
		p.receipt.Seq, err = s.ch.Take(tx, o.ref, o.st.Book, o.clause, o.ballot.ID, p.paper.Raw)
		return err
	case refusal.Reason == sealed.Repeated && refusal.Receipt != nil:
		p.receipt.Seq, p.receipt.Again = int64(refusal.Receipt.Position), true
	default:
		p.err = refusal
	}
	return nil
}

// late tells, under the head lock, why the ballot takes no papers any more; nil
// where it does.
func (s *Sealing) late(tx *store.Tx, o *open) (late, err error) {
	v, err := tx.ProceedingVersion(o.ref)
	if err != nil {
		return nil, err
	}
	b := o.ballot
	if v != o.version {
		st, err := chamber.StateIn(tx, o.ref)
		if err != nil {
			return nil, err
		}
		b = st.OpenBallot()
		if b == nil || b.ID != o.ballot.ID || b.Closed != 0 || b.ReadyToClose(o.book) || !st.Live() {
			return &sealed.Refusal{Reason: sealed.AfterClose, Err: sealed.Late()}, nil
		}
		if st.Phase == proceeding.Stayed {
			return fault.Under(fault.TooLate, o.clause, "The contest is stayed by an order; no votes are taken until it is resumed. Your vote was not recorded."), nil
		}
	}
	if b.Closes != 0 && tx.At().UnixMilli() >= b.Closes {
		return &sealed.Refusal{Reason: sealed.AfterClose, Err: sealed.Late()}, nil
	}
	return nil, nil
}

func addRefused(tx *store.Tx, ballot string, refused map[sealed.Reason]int64) error {
	for r, n := range refused {
		if err := tx.CountSealedRefused(ballot, string(r), n); err != nil {
			return err
		}
	}
	return nil
}

// count adds papers that were refused before they reached the board.
func (s *Sealing) count(ctx context.Context, o *open, refused map[sealed.Reason]int64) error {
	return s.ch.DB.Write(ctx, func(tx *store.Tx) error {
		if late, err := s.late(tx, o); late != nil || err != nil {
			return err
		}
		return addRefused(tx, o.ballot.ID, refused)
	})
}

// Seat is what a credential's next paper has to follow.
type Seat struct {
	Listed   bool   `json:"listed"`
	Section  string `json:"section"`
	Class    string `json:"class"`
	Previous string `json:"previous"`
	Sequence int64  `json:"sequence"`
}

// Credential looks a key of the list up.
func (s *Sealing) Credential(ctx context.Context, ref string, key [32]byte) (*Seat, error) {
	out := &Seat{}
	_, err := s.look(ctx, ref, func(w *chamber.World, x *seen) error {
		*out = Seat{Previous: hex.EncodeToString(x.hash[:])}
		c, err := w.Tx().SealedCredential(x.ballot.ID, key)
		if err != nil || c == nil {
			return err
		}
		out.Listed, out.Section, out.Class, out.Sequence = true, c.Section, c.Class, c.Sequence
		if c.Sequence > 0 {
			out.Previous = hex.EncodeToString(c.Hash[:])
		}
		return nil
	})
	return out, err
}

// Given is what a voter's page seals with. Code is there only where the server
// is the registrar.
type Given struct {
	Manifest string `json:"manifest"`
	Key      string `json:"key"`
	Contest  string `json:"contest"`
	Section  string `json:"section"`
	Class    string `json:"class"`
	Code     string `json:"code,omitempty"`
	Server   bool   `json:"server"` // the server is the only trustee
}

// Give gives a voter what their page needs. The caller has made sure that they
// vote in the section, with a vote of that value.
func (s *Sealing) Give(ctx context.Context, ref, section, value string, voter int64) (*Given, error) {
	x, err := s.look(ctx, ref, nil)
	if err != nil {
		return nil, err
	}
	if x.prep != nil {
		return nil, fault.Under(fault.TooEarly, x.clause, "the ballot is being prepared; it has not opened")
	}
	seal := x.ballot.Seal
	out := &Given{Manifest: seal.Manifest, Key: seal.Key, Contest: x.m.Contests[0].ID, Section: chamber.SectionID(section), Class: chamber.ClassID(value), Server: seal.Server}
	if seal.Registrar {
		code, err := s.ownCode(ctx, x.hash)
		if err != nil {
			return nil, err
		}
		out.Code = code(voter).Text()
	}
	return out, nil
}

// codeOf derives a voter's code from the ballot's secret.
func codeOf(seed [32]byte, voter int64) sealed.Code {
	h := hmac.New(sha256.New, seed[:])
	fmt.Fprint(h, "omov/sealed/code/1\x00")
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(voter)))
	return sealed.CodeFrom([16]byte(h.Sum(nil)[:16]))
}
