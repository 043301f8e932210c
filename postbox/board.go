package postbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/tiles"
)

// A trustee who opened what a server chose could be made to open one person's
// paper. So before the closing checkpoint is witnessed, everything that the
// log holds of the ballot is read: each entry is shown to be in the log by its
// tiles, the registrar's list and every paper are judged again, and what then
// stands in each group is what is mixed or added up, and nothing else.

// The kinds of entry that are read here; docs/sealed-board.md.
const (
	kindListed = "seal.listed/1"
	kindChange = "seal.relisted/1"
	kindPaper  = "seal.paper/1"
	kindShut   = "ballot.closed/1"
	kindExcuse = "seal.excused/1"
)

// reading goes through the log up to the close.
type reading struct {
	t       *Trustee
	v       *view
	key     [32]byte
	checker *sealed.Checker
	board   *sealed.Board
	waiting [][]byte // papers that are judged together
	numbers []int64  // and their entries
	papers  int64
	root    string // of ballot.closed/1
	few     bool   // too few papers: nothing may be opened
	shut    bool
}

// together is how many papers are judged at once.
const together = 4096

// standing recomputes which papers count, from the log up to the closing
// checkpoint, and gives what stands in each group.
func (t *Trustee) standing(ctx context.Context, v *view, key [32]byte, closing tiles.Checkpoint) ([]pile, error) {
	if v.b.List == nil || v.b.List.Seq < 1 || v.b.List.Seq > closing.Size {
		return nil, fault.New(fault.Damaged, "the log up to the close holds no list of who may vote. Nothing was contributed")
	}
	r := &reading{t: t, v: v, key: key}
	var err error
	if r.checker, err = sealed.NewChecker(t.g, v.m, key); err != nil {
		return nil, err
	}
	from := t.from(v)
	done := t.timed("Reading the record from entry %d to %d, and judging every paper again", from, closing.Size)
	kinds := []string{kindListed, kindChange, kindPaper, kindShut}
	if err := t.c.record(ctx, closing, from, kinds, r.take); err != nil {
		return nil, err
	}
	if err := r.judge(); err != nil {
		return nil, err
	}
	done()
	return r.groups()
}

// from is the entry to begin with. No paper is older than this trustee's own
// part in the key, so whatever the log holds of the ballot since then is read,
// not only what follows on the list that the server points to: it could have
// entered a second one, of a few people. A trustee who had no part in the key
// cannot know, and reads everything.
func (t *Trustee) from(v *view) int64 {
	if v.rec.First == 0 {
		return 1
	}
	return min(v.b.List.Seq, v.rec.First+1)
}

// take judges an entry of the proceeding. Those of another ballot of the same
// proceeding have no say.
func (r *reading) take(seq int64, kind string, body []byte) error {
	var b struct {
		Ballot    string `json:"ballot"`
		List      []byte `json:"list"`
		Change    []byte `json:"change"`
		Signature []byte `json:"signature"`
		Paper     []byte `json:"paper"`
		Root      string `json:"root"`
		Unopened  bool   `json:"unopened"`
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return wrong(seq, "it cannot be read")
	}
	if b.Ballot != r.v.b.Ballot {
		return nil
	}
	switch {
	case r.shut:
		return wrong(seq, "it comes after the close of the ballot")
	case kind == kindListed:
		return r.list(seq, b.List, b.Signature)
	case r.board == nil:
		return wrong(seq, "it comes before the list of who may vote")
	case kind == kindChange:
		return r.change(seq, b.Change, b.Signature)
	case kind == kindShut:
		r.shut, r.root, r.few = true, b.Root, b.Unopened
		return nil
	}
	r.waiting, r.numbers = append(r.waiting, b.Paper), append(r.numbers, seq)
	if len(r.waiting) >= together {
		return r.judge()
	}
	return nil
}

func (r *reading) list(seq int64, list, signature []byte) error {
	if r.board != nil || seq != r.v.b.List.Seq {
		return wrong(seq, "it is a second list of who may vote")
	}
	creds, err := sealed.ReadListing(r.t.g, r.v.m, list, signature)
	if err != nil {
		return wrong(seq, "the list of who may vote does not hold: %v", err)
	}
	r.board, err = sealed.NewBoard(r.checker, creds)
	return err
}

// change takes the registrar's change of the list, after the papers before it.
func (r *reading) change(seq int64, body, signature []byte) error {
	if err := r.judge(); err != nil {
		return err
	}
	c, err := sealed.ReadRelisting(r.t.g, r.v.m, body, signature)
	if err == nil {
		err = r.board.Relist(c)
	}
	if err != nil {
		return wrong(seq, "the list of who may vote was changed, and the change does not hold: %v", err)
	}
	return nil
}

// judge judges the papers that wait. The log holds accepted papers only.
func (r *reading) judge() error {
	if len(r.waiting) == 0 {
		return nil
	}
	_, errs := r.board.PostAll(r.waiting)
	for i, err := range errs {
		if err != nil {
			return wrong(r.numbers[i], "a paper that does not count was recorded as one that does (%v)", err)
		}
	}
	r.papers += int64(len(r.waiting))
	r.t.say("  %d papers so far", r.papers)
	r.waiting, r.numbers = nil, nil
	return nil
}

// groups gives what stands in each mix group, as the entry of the close says.
func (r *reading) groups() ([]pile, error) {
	if r.board == nil || !r.shut {
		return nil, fault.New(fault.Damaged, "the log up to the closing checkpoint does not hold the list of who may vote and the close of the ballot. Nothing was contributed")
	}
	if r.few {
		return nil, fault.New(fault.NotEntitled, "too few papers came in: nothing of this ballot is opened. Nothing was contributed")
	}
	r.board.Close()
	var out []pile
	var all []sealed.Standing
	for _, p := range places(r.v.m) {
		pairs, n := r.board.Group(p.contest, p.section, p.class)
		if n > 0 && !r.v.m.Enough(p.section, int64(n)) {
			return nil, fault.New(fault.NotEntitled, "only %d papers stand in %s, and nothing is opened of fewer than %d. Nothing was contributed", n, p, r.v.m.MinSize)
		}
		sum := sha256.Sum256(pairs)
		all = append(all, sealed.Standing{Group: p.String(), Papers: int64(n), Pairs: sum})
		out = append(out, pile{Name: p.String(), Papers: int64(n), Bytes: int64(len(pairs)), Pairs: hex.EncodeToString(sum[:])})
	}
	if root := sealed.StandingRoot(all); hex.EncodeToString(root[:]) != r.root {
		return nil, fault.New(fault.Damaged, "the papers that count are others than the close of the ballot says. Nothing was contributed")
	}
	return out, nil
}
