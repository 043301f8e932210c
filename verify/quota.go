package verify

import (
	"math/big"
	"slices"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
)

// quotas checks the quotas of a ballot: as many as the rulebook has, of the
// same size, and, where records are open, of the same candidates.
func (v *verifier) quotas(e *entry, s *scope, rule *rulebook.Stage, x *proceeding.Ballot) {
	c := v.Check(CheckBallots)
	rest := x.Quotas
	ok := v.quotaList(e, s, proceeding.OnPaper, rule.Paper, x, &rest) && v.quotaList(e, s, proceeding.OnResult, rule.Result, x, &rest)
	c.must(ok && len(rest) == 0, e.seq, "the quotas on the paper are not those of the rulebook")
}

func (v *verifier) quotaList(e *entry, s *scope, on string, list []*rulebook.Threshold, x *proceeding.Ballot, rest *[]proceeding.Quota) bool {
	for _, t := range list {
		if t.When != nil {
			if active, err := t.When.Flag(s); err != nil || !active {
				if err != nil {
					return false
				}
				continue
			}
		}
		if len(t.All) > 0 {
			if !v.quotaList(e, s, on, t.All, x, rest) {
				return false
			}
			continue
		}
		if len(*rest) == 0 {
			return false
		}
		q := (*rest)[0]
		*rest = (*rest)[1:]
		if !v.quota(s, on, t, x, &q) {
			return false
		}
	}
	return true
}

func (v *verifier) quota(s *scope, on string, t *rulebook.Threshold, x *proceeding.Ballot, q *proceeding.Quota) bool {
	n, err := t.Amount.Number(s)
	if err != nil || q.On != on {
		return false
	}
	if v.full || t.Where == nil {
		var members []int
		for i, o := range x.Options {
			in := true
			if t.Where != nil {
				one := *s
				one.person = s.view().Person(o.ID)
				one.candidate = one.person
				yes, err := t.Where.Flag(&one)
				in = yes && err == nil
			}
			if in {
				members = append(members, i)
			}
		}
		if !slices.Equal(members, q.Options) {
			return false
		}
	}
	if t.Share {
		of, err := t.Of.Words(s)
		if err != nil {
			return false
		}
		if of != "seats" && on == proceeding.OnPaper {
			share := rat(q.Share)
			return share != nil && share.Cmp(n) == 0 && q.NoMore == (t.Cmp == rulebook.AtMost) && q.More == (t.Cmp == rulebook.MoreThan)
		}
		n = new(big.Rat).Mul(n, big.NewRat(int64(x.Seats), 1))
	}
	floor := new(big.Int).Div(n.Num(), n.Denom()).Int64()
	want := proceeding.Quota{AtLeast: floor}
	switch {
	case t.Cmp == rulebook.AtMost:
		want = proceeding.Quota{AtMost: floor, NoMore: true}
	case t.Cmp == rulebook.MoreThan || !n.IsInt():
		want.AtLeast = floor + 1
	}
	return q.Share == "" && q.AtLeast == want.AtLeast && q.AtMost == want.AtMost && q.NoMore == want.NoMore
}
