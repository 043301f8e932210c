package verify

import (
	"slices"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/tiles"
	"github.com/omov/omov/verify/seal"
)

// What trustees did after the close of a sealed ballot.

// closingCheckpoint checks that the closing checkpoint is of this log: signed
// with its key, with the root that the log had at that size.
func (v *verifier) closingCheckpoint(e *entry, r *run, b *proceeding.ClosingBody) {
	s := v.onBoard(e, r, b.Ballot, true)
	if !v.openable(e, r, s) {
		return
	}
	c := v.Check(CheckSealLog)
	cp, err := tiles.Open([]byte(b.Checkpoint), v.Key)
	root, known := v.roots[cp.Size]
	switch {
	case !c.must(err == nil && cp.Origin == v.Origin, e.seq, "the closing checkpoint: %v", err),
		!c.must(!s.fixed, e.seq, "the closing checkpoint is fixed a second time"),
		!c.must(cp.Size >= s.closed && cp.Size < e.seq, e.seq, "the closing checkpoint is of %d entries; entry %d closed the ballot", cp.Size, s.closed),
		!c.must(known && root == cp.Root, e.seq, "the closing checkpoint is of another log: with %d entries this one had another root", cp.Size):
		v.stop(s, CheckSealLog)
	}
	if !s.fixed {
		if v.watching--; v.watching == 0 {
			clear(v.roots)
		}
	}
	s.closing, s.fixed = seal.Closing(cp.Body()), true
	c.note("%s: closed by entry %d, checkpoint of %d entries", s.id, s.closed, cp.Size)
}

// openable tells whether anything may be opened of a ballot.
func (v *verifier) openable(e *entry, r *run, s *sealing) bool {
	if s == nil {
		return false
	}
	x := r.st.OpenBallot()
	if !v.Check(CheckSealShares).must(!x.Unopened, e.seq, "something is done to open %s, of which too few papers came", s.id) {
		return false
	}
	return s.broken == ""
}

func (v *verifier) excused(e *entry, r *run, b *proceeding.ExcusedBody) {
	v.prompt(e, b.At)
	s := v.onBoard(e, r, b.Ballot, true)
	if !v.openable(e, r, s) {
		return
	}
	v.Check(CheckSteps).must(slices.Contains(r.officers(), e.head.Office), e.seq, "a mixer is excused by %q, who runs no ballots", e.head.Office)
	c := v.Check(CheckSealMixes)
	c.must(slices.Contains(s.e.Manifest.Mixers, b.Trustee) && !slices.Contains(s.excused, b.Trustee), e.seq, "%q is excused, and is no mixer, or has been", b.Trustee)
	s.excused = append(s.excused, b.Trustee)
	c.note("%s: %s is excused: %s", s.id, b.Trustee, b.Why)
}

// partOf takes in bytes of the deed that follows.
func (v *verifier) partOf(e *entry, r *run, b *proceeding.PartBody) {
	s := v.onBoard(e, r, b.Ballot, true)
	if !v.openable(e, r, s) {
		return
	}
	ok := b.N == s.parts+1 && (s.parts == 0 || s.part == e.seq-1) && len(b.Bytes) > 0 && len(b.Bytes) <= maxPart && len(s.bytes) <= maxDeed
	if !v.Check(CheckSteps).must(ok, e.seq, "it is not the part of a deed that follows") {
		s.bytes, s.parts = nil, 0
		return
	}
	s.part, s.parts = e.seq, b.N
	s.bytes = append(s.bytes, b.Bytes...)
}

// deed checks what a trustee did. A mix that is not right is a failure; of
// shares those that are right are taken while there are enough.
func (v *verifier) deed(e *entry, r *run, b *proceeding.DeedBody) {
	s := v.onBoard(e, r, b.Ballot, true)
	if !v.openable(e, r, s) {
		return
	}
	about, whole := s.bytes, s.parts == b.Parts && (b.Parts == 0 || s.part == e.seq-1)
	s.bytes, s.parts = nil, 0
	v.Check(CheckSteps).must(whole, e.seq, "the parts of the deed do not stand right before it")
	d, err := seal.ReadDeed(b.Deed)
	if !v.Check(CheckRecords).must(err == nil, e.seq, "it is no deed that this verifier knows: %v", err) || err != nil {
		return
	}
	if !v.Check(CheckSealLog).must(s.fixed, e.seq, "a deed stands before the closing checkpoint") {
		v.stop(s, CheckSealLog)
		return
	}
	err = s.e.CheckDeed(s.closing, d, about)
	switch d.Kind {
	case seal.Witness:
		v.witness(e, s, d, err)
	case seal.Mixed:
		v.mix(e, s, d, err, about)
	case seal.Opened:
		v.shares(e, s, d, err, about)
	}
}

func (v *verifier) witness(e *entry, s *sealing, d *seal.Deed, err error) {
	c := v.Check(CheckSealLog)
	if c.must(err == nil, e.seq, "a witness of the close: %v", err) && !slices.Contains(s.witnesses, d.From) {
		s.witnesses = append(s.witnesses, d.From)
		c.note("%s: witnessed by %s", s.id, d.From)
	}
}

// witnessed checks that enough trustees have witnessed the close before
// anything is mixed or opened.
func (v *verifier) witnessed(e *entry, s *sealing) bool {
	t := s.e.Manifest.Threshold
	if !v.Check(CheckSealLog).must(len(s.witnesses) >= t, e.seq, "it is done before %d trustees witnessed the close: %v did", t, s.witnesses) {
		v.stop(s, CheckSealLog)
	}
	return s.broken == ""
}

func (s *sealing) group(name string) *mixGroup {
	for _, g := range s.groups {
		if g.Name() == name {
			return g
		}
	}
	return nil
}

// next is who has to mix a group now: the first behind the last who mixed it
// that is not excused; empty where it has been mixed.
func (s *sealing) next(g *mixGroup) string {
	mixers := s.e.Manifest.Mixers
	if g.Contest.Form == "sum" {
		return ""
	}
	from := 0
	if n := len(g.mixed); n > 0 {
		from = slices.Index(mixers, g.mixed[n-1]) + 1
	}
	for _, m := range mixers[from:] {
		if !slices.Contains(s.excused, m) {
			return m
		}
	}
	return ""
}

func (v *verifier) mix(e *entry, s *sealing, d *seal.Deed, signed error, about []byte) {
	c, g := v.Check(CheckSealMixes), s.group(d.Group)
	if !v.witnessed(e, s) {
		return
	}
	if !c.must(g != nil && g.Contest.Form != "sum" && len(g.shares) == 0, e.seq, "%q is mixed: a group without papers, that is added up, or that is being opened", d.Group) || g == nil {
		v.stop(s, CheckSealMixes)
		return
	}
	next := s.next(g)
	if !c.must(signed == nil, e.seq, "the mix of %s: %v", d.From, signed) || !c.must(d.From == next, e.seq, "%s mixes %s; it was the turn of %q", d.From, d.Group, next) {
		v.stop(s, CheckSealMixes)
		return
	}
	if n := seal.Size(about); len(g.mixed) == 0 && !v.Check(CheckSealInput).must(n < 0 || n == g.Papers, e.seq, "%d papers went into the first mix of %s; %d count", n, d.Group, g.Papers) {
		v.stop(s, CheckSealInput)
		return
	}
	out, err := s.e.Mix(s.closing, &g.Group, d.From, len(g.mixed), g.pairs, about)
	if !c.must(err == nil, e.seq, "the mix of %s: %v", d.From, err) || out == nil {
		v.stop(s, CheckSealMixes)
		return
	}
	g.pairs, g.mixed = out, append(g.mixed, d.From)
	c.note("%s: %d papers mixed by %s", d.Group, g.Papers, d.From)
}

// ready checks that a group has been mixed as it must before it is opened, and
// gives what is opened.
func (v *verifier) ready(e *entry, s *sealing, g *mixGroup) bool {
	if len(g.shares) > 0 {
		return true
	}
	if g.Contest.Form == "sum" {
		sums, err := s.e.Summed(g.Contest, g.Pairs)
		if !v.Check(CheckSealInput).must(err == nil, e.seq, "%v", err) {
			v.stop(s, CheckSealInput)
			return false
		}
		g.pairs = sums
		return true
	}
	c := v.Check(CheckSealMixes)
	least := min(2, len(s.e.Manifest.Trustees))
	next := s.next(g)
	if !c.must(next == "" && len(g.mixed) >= least, e.seq, "%s is opened, mixed by %v; %q has not mixed it, and at least %d have to", g.Name(), g.mixed, next, least) {
		v.stop(s, CheckSealMixes)
	}
	return s.broken == ""
}

func (v *verifier) shares(e *entry, s *sealing, d *seal.Deed, signed error, about []byte) {
	g := s.group(d.Group)
	if !v.witnessed(e, s) {
		return
	}
	if !v.Check(CheckSealShares).must(g != nil, e.seq, "%q is opened: a group without papers", d.Group) || g == nil || !v.ready(e, s, g) {
		return
	}
	v.Check(CheckSealShares).Done++
	x, err := s.e.ReadShares(s.closing, d.Group, g.pairs, about)
	switch {
	case signed != nil:
		err = signed
	case err == nil && x.Trustee != s.e.Trustee(d.From):
		err = errOtherTrustee(d.From, x.Trustee)
	case err == nil && slices.ContainsFunc(g.shares, func(y *seal.Shares) bool { return y.Trustee == x.Trustee }):
		err = errTwice(d.From)
	}
	if err != nil {
		v.Check(CheckSealLeft).note("entry %d: shares of %s are left out: %v", e.seq, d.From, err)
		return
	}
	g.shares = append(g.shares, x)
	v.Check(CheckSealShares).note("%s: shares of %s", d.Group, d.From)
}
