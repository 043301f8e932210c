package proceeding

import (
	"math/big"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/rulebook"
)

// Quota is a bound on how many of some options are named on a paper, or are
// elected. It is worked out when the ballot opens, from the facts about the
// candidates as they stand then, and is on the paper for all to see.
type Quota struct {
	On      string `json:"on"` // paper, result
	Says    string `json:"says"`
	Options []int  `json:"options"` // by number, those that count
	AtLeast int64  `json:"least,omitempty"`
	AtMost  int64  `json:"most,omitempty"` // with NoMore
	NoMore  bool   `json:"no_more,omitempty"`
	Share   string `json:"share,omitempty"` // of the marks on the paper, exact; then AtLeast and AtMost are 0 and NoMore says which
	More    bool   `json:"more,omitempty"`  // more than the share
}

// The parts of an election that quotas bound.
const (
	OnPaper  = "paper"
	OnResult = "result"
)

// quotas works out the quotas of a ballot.
func (d *decider) quotas(r *rulebook.Stage, b *Ballot) error {
	for _, part := range []struct {
		on   string
		list []*rulebook.Threshold
	}{{OnPaper, r.Paper}, {OnResult, r.Result}} {
		for _, t := range part.list {
			if err := d.quota(part.on, t, b); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *decider) quota(on string, t *rulebook.Threshold, b *Ballot) error {
	if len(t.Any) > 0 {
		return fault.Under(fault.Unavailable, t.Cite, "quotas joined by `any` are not held by this version of omov; list them one by one")
	}
	if t.When != nil {
		active, err := t.When.Flag(&scope{d: d})
		if err != nil {
			return damaged(err, "whether a quota holds")
		}
		if !active {
			return nil
		}
	}
	for _, part := range t.All {
		if err := d.quota(on, part, b); err != nil {
			return err
		}
	}
	if len(t.All) > 0 {
		return nil
	}
	q := Quota{On: on, Options: []int{}}
	for i, o := range b.Options {
		counts := true
		if t.Where != nil {
			p := d.view().Person(o.ID)
			ok, err := t.Where.Flag(&scope{d: d, candidate: p, person: p})
			if err != nil && unknown(err) == "" {
				return damaged(err, "who counts for a quota")
			}
			counts = ok && err == nil
		}
		if counts {
			q.Options = append(q.Options, i)
		}
	}
	n, err := t.Amount.Number(&scope{d: d})
	if err != nil {
		return err
	}
	q.Says = d.book.SayQuota(t)
	if t.Share {
		of, err := t.Of.Words(&scope{d: d})
		if err != nil {
			return err
		}
		if of == "seats" || on == OnResult {
			n = new(big.Rat).Mul(n, big.NewRat(int64(b.Seats), 1))
		} else {
			q.Share, q.NoMore, q.More = n.RatString(), t.Cmp == rulebook.AtMost, t.Cmp == rulebook.MoreThan
			b.Quotas = append(b.Quotas, q)
			return nil
		}
	}
	floor := new(big.Int).Div(n.Num(), n.Denom()).Int64()
	switch t.Cmp {
	case rulebook.AtMost:
		q.AtMost, q.NoMore = floor, true
	case rulebook.MoreThan:
		q.AtLeast = floor + 1
	default:
		q.AtLeast = floor
		if !n.IsInt() {
			q.AtLeast++
		}
	}
	b.Quotas = append(b.Quotas, q)
	return nil
}

// Keeps tells whether marks (option numbers) keep a quota on papers.
func (q *Quota) Keeps(marks []int) bool {
	var n int64
	for _, m := range marks {
		for _, o := range q.Options {
			if o == m {
				n++
			}
		}
	}
	if q.Share == "" {
		return n >= q.AtLeast && (!q.NoMore || n <= q.AtMost)
	}
	share, ok := new(big.Rat).SetString(q.Share)
	if !ok {
		return false
	}
	c := big.NewRat(n, 1).Cmp(share.Mul(share, big.NewRat(int64(len(marks)), 1)))
	switch {
	case q.NoMore:
		return c <= 0
	case q.More:
		return c > 0
	}
	return c >= 0
}
