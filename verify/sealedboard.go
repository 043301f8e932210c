package verify

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/verify/seal"
)

// What stands on the board of a sealed ballot, and what was counted of it.

// onBoard gives the sealed ballot that an entry is about, if it can still be
// checked. What happened in a ballot that nothing is opened of, or whose run is
// over, has no place in the book.
func (v *verifier) onBoard(e *entry, r *run, id string, closed bool) *sealing {
	s := r.seal
	b := r.st.OpenBallot()
	ok := s != nil && s.id == id && s.opened && b != nil && b.ID == id && (b.Closed != 0) == closed
	if !v.Check(CheckSteps).must(ok, e.seq, "it is about the ballot %q, which is not at that point", id) || s.broken != "" {
		return nil
	}
	return s
}

// sealedPaper takes a paper of the board in. One that comes after the close
// changes nothing.
func (v *verifier) sealedPaper(e *entry, r *run, b *proceeding.SealedPaperBody) {
	if x := r.st.OpenBallot(); x != nil && x.ID == b.Ballot && x.Closed != 0 && r.seal != nil {
		r.seal.late++
		v.Check(CheckSealLeft).note("entry %d: a paper that came after the close is left out", e.seq)
		return
	}
	s := v.onBoard(e, r, b.Ballot, false)
	if s == nil {
		return
	}
	x := r.st.OpenBallot()
	v.Check(CheckPrivacy).must(e.head.At == "", e.seq, "it says when somebody voted")
	v.Check(CheckTimes).must(x.Closes == 0 || e.at.UnixMilli() < x.Closes+latency, e.seq, "a paper is taken after the voting")
	s.board.Post(e.seq, b.Paper)
}

// relisted takes in the registrar's change of the list, before or while papers
// come in.
func (v *verifier) relisted(e *entry, r *run, b *proceeding.RelistedBody) {
	s, x := r.seal, r.st.OpenBallot()
	ok := s != nil && s.id == b.Ballot && s.listed && s.closed == 0 && (x == nil || x.ID != b.Ballot || x.Closed == 0)
	if !v.Check(CheckSteps).must(ok, e.seq, "the list of %q is changed, which is not at that point", b.Ballot) || s.broken != "" {
		return
	}
	err := s.e.Change(e.seq, b.Change, b.Signature)
	if !v.Check(CheckSealList).must(err == nil, e.seq, "%v", err) || err != nil {
		v.stop(s, CheckSealList)
		return
	}
	v.Check(CheckSealList).Done++
	v.Check(CheckSealList).note("entry %d: the registrar has replaced codes that were lost", e.seq)
}

// sealedShut checks the close of a sealed ballot: which papers count, and that
// the published root and turnout are theirs.
func (v *verifier) sealedShut(e *entry, r *run, b *proceeding.ShutBody) {
	s := r.seal
	if s == nil || s.id != b.Ballot || s.broken != "" || s.board == nil {
		return
	}
	s.board.Check()
	s.closed = e.seq
	for _, l := range s.board.Robbed() {
		v.Check(CheckSealList).must(false, l.Seq, "the credential of this paper, which counts, was replaced")
	}
	v.refused(e, s, b)
	v.settle(e, s, b)
	if s.broken != "" {
		return
	}
	var few bool
	for _, g := range s.board.Groups(false) {
		few = few || g.Papers > 0 && g.Papers < int64(s.e.Manifest.MinSize) && !s.ofUnits(g.Section)
		if g.Papers > 0 {
			s.groups = append(s.groups, &mixGroup{Group: g, pairs: g.Pairs})
		}
	}
	x := r.st.OpenBallot()
	v.Check(CheckPrivacy).must(b.Unopened == (few || fewPapers(x, b.Returned)), e.seq, "fewer papers than the minimum of %d are to be opened, or enough are not", s.e.Manifest.MinSize)
	if !b.Unopened {
		v.watching++
	}
}

// ofUnits tells whether the voters of a section are units, whose votes are no
// secret.
func (s *sealing) ofUnits(section string) bool {
	return slices.ContainsFunc(s.e.Manifest.Sections, func(x seal.Section) bool { return x.ID == section && x.Units })
}

// refused looks at what the close says of papers that came and did not get onto
// the board, and lists those on it that do not count.
func (v *verifier) refused(e *entry, s *sealing, b *proceeding.ShutBody) {
	c := v.Check(CheckSealLeft)
	for _, why := range sorted(b.Refused) {
		n := b.Refused[why]
		known := slices.Contains(seal.Outcomes(), seal.Outcome(why)) && why != string(seal.Late)
		c.must(known && n > 0, e.seq, "%d papers are said to have been refused as %q, which is no reason", n, why)
		c.note("%s: %d refused as %s", s.id, n, why)
	}
	for _, l := range s.board.Left {
		c.note("entry %d: a paper that does not count: %s", l.Seq, l.Why)
	}
	v.Check(CheckSealPapers).Done += s.board.Received
	v.Check(CheckSealPapers).note("%s: %d papers", s.id, s.board.Received)
}

// settle compares what counts with what was published at the close. Where
// papers were counted that do not count, the checks behind go on with them: so
// one lie is told once.
func (v *verifier) settle(e *entry, s *sealing, b *proceeding.ShutBody) {
	strict := s.board.Groups(false)
	accepted := v.Check(CheckSealAccepted)
	accepted.Done++
	same := func(groups []seal.Group) bool {
		root := seal.Root(groups)
		return hex.EncodeToString(root[:]) == b.Root
	}
	claimed := s.board.Claimed()
	switch {
	case same(strict):
		v.turnout(e, s, b, strict)
	case len(claimed) > 0 && same(s.board.Groups(true)):
		for _, l := range claimed {
			check := CheckSealPapers
			if slices.Contains([]seal.Outcome{seal.Repeated, seal.Copied, seal.Stale}, l.Why) {
				check = CheckSealAccepted
			}
			v.Check(check).must(false, l.Seq, "this paper is counted, and must not be: %s", l.Why)
		}
		s.board.TakeClaimed()
		strict = s.board.Groups(false)
		v.turnout(e, s, b, strict)
	default:
		v.unsettled(e, s, b, strict)
	}
	var n int64
	for i := range strict {
		n += strict[i].Papers
	}
	accepted.note("%s: %d on the board, %d count", s.id, s.board.Received, n)
}

// unsettled says what is wrong with a closing root that is not that of the
// papers that count.
func (v *verifier) unsettled(e *entry, s *sealing, b *proceeding.ShutBody, groups []seal.Group) {
	returned := map[string]int64{}
	for _, y := range b.Returned {
		returned[sectionID(y.Section)] += y.Papers
	}
	equal, fewer := true, false
	for section, n := range bySection(groups) {
		equal = equal && returned[section] == n
		fewer = fewer || returned[section] < n
	}
	switch {
	case equal:
		v.Check(CheckSealInput).must(false, e.seq, "the closing root is of other papers than those that count, or in another order")
		v.stop(s, CheckSealInput)
	case fewer:
		v.Check(CheckSealLeft).must(false, e.seq, "papers that count have been left out: the close says %v, the board has %v", returned, bySection(groups))
		v.stop(s, CheckSealLeft)
	default:
		v.Check(CheckSealAccepted).must(false, e.seq, "more papers are counted than count: the close says %v, the board has %v", returned, bySection(groups))
		v.stop(s, CheckSealAccepted)
	}
}

func bySection(groups []seal.Group) map[string]int64 {
	out := map[string]int64{}
	for i := range groups {
		out[groups[i].Section] += groups[i].Papers
	}
	return out
}

// turnout compares the published turnout with the papers that count.
func (v *verifier) turnout(e *entry, s *sealing, b *proceeding.ShutBody, groups []seal.Group) {
	v.Check(CheckSealInput).Done++
	count := bySection(groups)
	for _, y := range b.Returned {
		n := count[sectionID(y.Section)]
		v.Check(CheckSealResult).must(y.Papers == n && y.Voters == n, e.seq, "in the section %q %d papers of %d voters are published; %d count", y.Section, y.Papers, y.Voters, n)
	}
}

// sealedFigures says, at the end, what was looked at.
func (v *verifier) sealedFigures() {
	found, closed := false, false
	for _, ref := range v.org.order {
		r := v.org.runs[ref]
		for i := range r.st.Ballots {
			x := &r.st.Ballots[i]
			if !x.Sealed() {
				continue
			}
			found, closed = true, closed || x.Closed != 0
			// Fails closed: a ballot that was counted has been checked to its end.
			if finished := x.Counted == 0 || x.Unopened || r.unsealed[x.ID]; !finished && len(v.Failed()) == 0 {
				v.Check(CheckSealLeft).fail(0, "%s was counted, and not everything about it could be checked", x.ID)
			}
		}
		v.unfinished(r.seal)
	}
	for _, c := range v.Checks {
		if !c.Sealed {
			continue
		}
		switch {
		case !found:
			c.skip("no ballot in this book was sealed")
		case c.Done == 0 && !closed:
			c.skip("the sealed ballots in this book are still open")
		case c.Done == 0 && c.ID != CheckSealLeft:
			c.skip("no sealed ballot in this book came so far, or needed it")
		default:
			c.note("%s", fmt.Sprintf("%d compared", c.Done))
		}
	}
}

// unfinished refuses what was begun of a sealed ballot that is over.
func (v *verifier) unfinished(s *sealing) {
	if s != nil && s.parts > 0 {
		v.Check(CheckSteps).fail(s.part, "it is part of a deed that does not follow")
	}
}

// trustees takes in who holds the keys of the sealed ballots to come.
func (v *verifier) trustees(e *entry, b *proceeding.TrusteesBody) {
	v.prompt(e, b.At)
	c := v.Check(CheckSealManifest)
	book := v.org.books[e.head.Rulebook]
	if c.must(book != nil && e.head.Rulebook == v.org.inForce(e.at.UnixMilli()), e.seq, "trustees are named under a rulebook that was not in force") && book != nil {
		officers := (&run{book: book}).officers()
		c.must(b.By == e.head.Office && (b.By == "" || slices.Contains(officers, b.By)), e.seq, "trustees are named by %q, who runs no ballots", e.head.Office)
	}
	v.org.trustees = b
}

// access is who has to be able to read an entry of a kind: opened papers
// everybody where the ballot was sealed, and otherwise scrutineers.
func (v *verifier) access(e *entry, k *kind) minutes.Access {
	if r := v.org.runs[e.head.Proceeding]; r != nil && e.head.Kind == proceeding.KindPapers {
		if b := r.st.OpenBallot(); b != nil && b.Sealed() {
			return minutes.Public
		}
	}
	return k.access
}

// sealedStage tells whether the ballot of the stage that is coming is a sealed
// one: its roll may be taken as soon as it is announced.
func (v *verifier) sealedStage(e *entry, r *run) bool {
	rule := &r.proc.Stages[r.st.Current]
	if rule.How == nil {
		return false
	}
	how, err := rule.How.Words(v.scope(e, r, e.at.UnixMilli()))
	return err == nil && how == "sealed"
}

// unmarked is how many papers of a sealed vote make no choice: blank ones, and
// spoilt ones.
func (v *verifier) unmarked(x *proceeding.Ballot) int64 {
	var n int64
	for _, r := range v.org.runs {
		if cl := r.closings[x.ID]; x.Sealed() && cl != nil && cl.papers != nil {
			for _, sec := range cl.papers.Sections {
				n += sec.Spoilt
				for _, p := range sec.Papers {
					if p.Choice == -1 && len(p.Marks) == 0 {
						n += p.N
					}
				}
			}
		}
	}
	return n
}
