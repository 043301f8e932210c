package count

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/omov/omov/fault"
)

// TieRule is how a tie is broken before a lot is drawn.
type TieRule string

// The tie rules. Looking back goes through the earlier stages from the last
// one, looking forward from the first.
const (
	TiesByRule   TieRule = ""
	TiesBackward TieRule = "backward"
	TiesForward  TieRule = "forward"
	TiesFirst    TieRule = "first" // the first stage only
	TiesLot      TieRule = "lot"   // at once by lot
)

// Tie records a tie and how it was broken.
type Tie struct {
	Number int      `json:"number,omitempty"` // of the lot, where one was drawn
	For    string   `json:"for"`              // exclusion, election, surplus, place
	Among  []string `json:"among"`
	How    string   `json:"how"` // "stage 3", "lot", "drawn order"
	Picked []string `json:"picked"`
	// Order is the order of the lot, the first drawn first.
	Order []string `json:"order,omitempty"`
	// Reading says which reading of the rule was taken where it has several.
	Reading string `json:"reading,omitempty"`
}

// TieError ends a count that needs a lot for which there is no seed. Once
// the seed is known the count is done again with it.
type TieError struct {
	Number int      // the how-manieth lot of this count it is, from 1
	For    string   // what it decides: exclusion, election, surplus, place
	Among  []string // who is tied
	Stage  int
}

func (e *TieError) Error() string {
	return fmt.Sprintf("%s are tied for %s at stage %d, and the rule leaves it to a lot (number %d): a seed is needed",
		strings.Join(e.Among, ", "), e.For, e.Stage, e.Number)
}

// Unwrap makes the tie a refusal that may be repeated once the lot is there.
func (e *TieError) Unwrap() error {
	return fault.New(fault.Unavailable, "A lot has to be drawn first.")
}

// LotOrder draws a lot: the order of the named among themselves.
//
// Each name gets the SHA-256 of
//
//	"omov lot v1" 0x00
//	length of the seed in bytes, 8 bytes big-endian; the seed
//	number of the tie within the count, from 1, 8 bytes big-endian
//	the candidate's name in UTF-8
//
// and the names are ordered by these 32 bytes, smallest first. The first is
// the one picked: elected, excluded, or whose surplus goes first, whatever
// the tie is about. The caller composes the seed (two officers' secrets
// committed before the close, the contest, the root of the closing entry);
// that the seed is long and unpredictable is the caller's duty.
func LotOrder(seed []byte, tie int, names []string) []string {
	type drawn struct {
		key  [sha256.Size]byte
		name string
	}
	list := make([]drawn, len(names))
	for i, name := range names {
		b := []byte("omov lot v1\x00")
		b = binary.BigEndian.AppendUint64(b, uint64(len(seed)))
		b = append(b, seed...)
		b = binary.BigEndian.AppendUint64(b, uint64(tie))
		b = append(b, name...)
		list[i] = drawn{sha256.Sum256(b), name}
	}
	slices.SortFunc(list, func(a, b drawn) int { return bytes.Compare(a.key[:], b.key[:]) })
	out := make([]string, len(list))
	for i, d := range list {
		out[i] = d.name
	}
	return out
}

// breaker breaks the ties of one count.
type breaker struct {
	c    *Contest
	rule TieRule // the one in force, never TiesByRule
	lots int
}

func newBreaker(c *Contest, own TieRule) *breaker {
	b := &breaker{c: c, rule: c.Ties, lots: c.LotsBefore}
	if b.rule == TiesByRule {
		b.rule = own
	}
	return b
}

// pick picks one of the tied. history holds the tallies of earlier stages
// (and may hold the present one: it separates nobody); lowest says that the
// one with fewer votes is picked, else the one with more. stage is the
// number of the present stage, for the record.
func (b *breaker) pick(what string, tied []int, history [][]Votes, lowest bool, stage int) (int, Tie, error) {
	t := Tie{For: what, Among: b.c.names(tied)}
	left := slices.Clone(tied)
	look := func(i int) bool {
		next := extreme(left, history[i], lowest)
		if len(next) < len(left) {
			if len(next) > 1 || len(left) > 2 {
				t.Reading = "a stage that separates some of the tied decides as far as it separates them; the rest are compared further"
			}
			left = next
			t.How = fmt.Sprintf("stage %d", i+1)
		}
		return len(left) == 1
	}
	n := len(history)
	switch b.rule {
	case TiesBackward:
		for i := n - 1; i >= 0 && !look(i); i-- {
		}
	case TiesForward:
		for i := 0; i < n && !look(i); i++ {
		}
	case TiesFirst:
		if n > 0 {
			look(0)
		}
	}
	if len(left) == 1 {
		t.Picked = b.c.names(left)
		return left[0], t, nil
	}
	return b.draw(t, left, stage)
}

// draw leaves it to the lot.
func (b *breaker) draw(t Tie, left []int, stage int) (int, Tie, error) {
	b.lots++
	if t.How != "" {
		t.How += ", then "
	}
	order, how, err := b.order(t.For, left, stage)
	if err != nil {
		return 0, t, err
	}
	t.Number, t.Picked, t.Order = b.lots, b.c.names(order[:1]), b.c.names(order)
	t.How += how
	return order[0], t, nil
}

// order draws lot number b.lots among the tied.
func (b *breaker) order(what string, tied []int, stage int) ([]int, string, error) {
	if len(b.c.Order) > 0 {
		out := slices.Clone(tied)
		place := func(c int) int {
			if i := slices.Index(b.c.Order, c); i >= 0 {
				return i
			}
			return len(b.c.Order) + c
		}
		slices.SortFunc(out, func(x, y int) int { return place(x) - place(y) })
		return out, "drawn order", nil
	}
	if b.c.Seed == nil {
		return nil, "", &TieError{Number: b.lots, For: what, Among: b.c.names(tied), Stage: stage}
	}
	number := make(map[string]int, len(tied))
	for _, c := range tied {
		number[b.c.Candidates[c]] = c
	}
	out := make([]int, 0, len(tied))
	for _, name := range LotOrder(b.c.Seed, b.lots, b.c.names(tied)) {
		out = append(out, number[name])
	}
	return out, "lot", nil
}

// extreme gives those of the candidates with the fewest (or the most) votes.
func extreme(of []int, votes []Votes, lowest bool) []int {
	var out []int
	for _, c := range of {
		if len(out) > 0 {
			d := votes[c] - votes[out[0]]
			if d != 0 && (d < 0) == lowest {
				out = out[:0]
			} else if d != 0 {
				continue
			}
		}
		out = append(out, c)
	}
	return out
}
