package verify

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
)

// minimum is the fewest papers with which a stage's ballot is opened, 0 where
// votes are not secret.
func (s *scope) minimum(r *rulebook.Stage, how string) (int64, bool) {
	if how != "box" && how != "sealed" {
		return 0, true
	}
	if r.Minimum == nil {
		return rulebook.DefaultMinimum, true
	}
	n, err := r.Minimum.Number(s)
	if err != nil || !n.IsInt() || !n.Num().IsInt64() || n.Sign() <= 0 {
		return 0, false
	}
	return n.Num().Int64(), true
}

// peopleVote tells whether nobody in a section votes for a unit.
func peopleVote(s *proceeding.RollSection) bool {
	for _, x := range s.Voters {
		if x.Unit != 0 {
			return false
		}
	}
	return true
}

// few tells whether a number of papers is too small to be opened: none at all
// gives nobody away.
func few(n, least int64) bool { return n > 0 && n < least }

// fewPapers tells whether papers came back from a section, and too few.
func fewPapers(x *proceeding.Ballot, returned []proceeding.Returned) bool {
	for i, y := range returned {
		if i < len(x.Roll.Sections) && peopleVote(&x.Roll.Sections[i]) && few(y.Papers, x.Minimum) {
			return true
		}
	}
	return false
}

// unopened checks a result that says too few papers came back, or that the
// roll is too small for a secret ballot.
func (v *verifier) unopened(e *entry, r *run, x *proceeding.Ballot, b *proceeding.ResultBody) {
	c := v.Check(CheckResults)
	c.must(b.Outcome == proceeding.Unopened && len(b.Elected)+len(b.Leaves)+len(b.Figures) == 0 && b.Sheet == "" && b.Next == 0, e.seq, "too few papers came back to be opened, and it says %q, or more than that", b.Outcome)
	if x != nil {
		if cl := r.closings[x.ID]; (v.full || x.Sealed()) && cl != nil {
			v.Check(CheckPrivacy).must(cl.papers == nil, e.seq, "papers of %s are published, of which there are too few", x.ID)
		}
		return
	}
	// No ballot was opened: the roll that had been taken for it says why.
	i := r.st.Current
	if !c.must(r.frozen != nil && i >= 0 && b.Ballot == "", e.seq, "it says that the roll is too small, and no roll was taken") {
		return
	}
	rule := &r.proc.Stages[i]
	s := v.scope(e, r, b.At)
	how, err := rule.How.Words(s)
	least, ok := s.minimum(rule, how)
	small := false
	for k := range r.frozen.Roll.Sections {
		sec := &r.frozen.Roll.Sections[k]
		small = small || peopleVote(sec) && few(sec.Entitled, least)
	}
	c.must(err == nil && ok && small, e.seq, "it says that the roll is too small for a secret ballot, and it is not")
	r.frozen, r.unopposed = nil, true
}

// nothingOpened checks the close of a ballot with too few papers: its root
// binds the marked roll alone.
func (v *verifier) nothingOpened(e *entry, x *proceeding.Ballot, cl *closing) {
	empty := sha256.Sum256(nil)
	h := sha256.New()
	h.Write([]byte("omov/closing/1\x00"))
	h.Write(cl.root)
	h.Write(empty[:])
	v.Check(CheckClosing).must(cl.papers == nil && hex.EncodeToString(h.Sum(nil)) == x.Root, e.seq, "the closing root of %s, which was not opened, is not that of its marked roll", x.ID)
}
