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
	fits := map[int]bool{0: true} // how many quotas of the paper the rules so far can account for
	fits = v.quotaList(s, proceeding.OnPaper, rule.Paper, x, fits)
	fits = v.quotaList(s, proceeding.OnResult, rule.Result, x, fits)
	v.Check(CheckBallots).must(fits[len(x.Quotas)], e.seq, "the quotas on the paper are not those of the rulebook")
}

// quotaList accounts for the quotas that a list of rules gives. A rule that is
// switched on by facts about people, which a public bundle does not hold, may
// give its quota or none.
func (v *verifier) quotaList(s *scope, on string, list []*rulebook.Threshold, x *proceeding.Ballot, fits map[int]bool) map[int]bool {
	for _, t := range list {
		held, open := v.switched(s, t)
		next := map[int]bool{}
		if open || !held {
			for n := range fits {
				next[n] = true
			}
		}
		if open || held {
			if len(t.All) > 0 {
				for n := range v.quotaList(s, on, t.All, x, fits) {
					next[n] = true
				}
			} else {
				for n := range fits {
					if n < len(x.Quotas) && v.quota(s, on, t, x, &x.Quotas[n]) {
						next[n+1] = true
					}
				}
			}
		}
		fits = next
	}
	return fits
}

// switched tells whether a quota holds, or that a public bundle leaves it open.
func (v *verifier) switched(s *scope, t *rulebook.Threshold) (held, open bool) {
	if t.When == nil {
		return true, false
	}
	held, err := t.When.Flag(s)
	people := slices.ContainsFunc(t.When.Names(), func(n string) bool { return n == "candidates" || n == "person" || n == "candidate" })
	return held && err == nil, !v.full && (people || err != nil)
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
