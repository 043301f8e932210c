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
	want := v.wanted(s, on, t, x)
	if want == nil || q.On != on || (v.full || t.Where == nil) && !slices.Equal(want.Options, q.Options) {
		return false
	}
	if want.Share != "" {
		share := rat(q.Share)
		return share != nil && share.Cmp(rat(want.Share)) == 0 && q.NoMore == want.NoMore && q.More == want.More
	}
	return q.Share == "" && q.AtLeast == want.AtLeast && q.AtMost == want.AtMost && q.NoMore == want.NoMore
}

// wanted works out the quota that a rule gives on a ballot, nil where it gives
// none that can be worked out. On a public bundle who counts for it is not
// known.
func (v *verifier) wanted(s *scope, on string, t *rulebook.Threshold, x *proceeding.Ballot) *proceeding.Quota {
	n, err := t.Amount.Number(s)
	if err != nil {
		return nil
	}
	q := &proceeding.Quota{On: on, Says: s.r.book.SayQuota(t), Options: []int{}}
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
			q.Options = append(q.Options, i)
		}
	}
	if t.Share {
		of, err := t.Of.Words(s)
		if err != nil {
			return nil
		}
		if of != "seats" && on == proceeding.OnPaper {
			q.Share, q.NoMore, q.More = n.RatString(), t.Cmp == rulebook.AtMost, t.Cmp == rulebook.MoreThan
			return q
		}
		n = new(big.Rat).Mul(n, big.NewRat(int64(x.Seats), 1))
	}
	q.AtLeast = new(big.Int).Div(n.Num(), n.Denom()).Int64()
	switch {
	case t.Cmp == rulebook.AtMost:
		q.AtLeast, q.AtMost, q.NoMore = 0, q.AtLeast, true
	case t.Cmp == rulebook.MoreThan || !n.IsInt():
		q.AtLeast++
	}
	return q
}

// unfilled checks an election that was not held because those who stand cannot
// fill the places within the quotas. Who counts for a quota, and who stood and
// had not accepted, only a scrutineers' bundle shows.
func (v *verifier) unfilled(e *entry, r *run, b *proceeding.ResultBody) {
	c := v.Check(CheckResults)
	i := r.st.Current
	if !c.must(i >= 0 && r.proc.Stages[i].Kind == rulebook.Ballot && b.Ballot == "", e.seq, "an election without a ballot is declared where none is due") {
		return
	}
	rule := &r.proc.Stages[i]
	r.frozen, r.unopposed = nil, true
	c.must(b.Outcome == proceeding.TooFew && len(b.Elected)+len(b.Leaves)+len(b.Figures) == 0 && b.Sheet == "" && b.Next == 0, e.seq, "the places cannot be filled, and it says %q, or more than that", b.Outcome)
	if !c.must(len(rule.Result) > 0 && len(b.Tests) > 0, e.seq, "it says that quotas cannot be kept, and the rulebook has none") || !v.full {
		return
	}
	s := v.scope(e, r, b.At)
	x := &proceeding.Ballot{Seats: s.seats(rule)}
	for _, p := range r.st.Standing() {
		x.Options = append(x.Options, p.Person)
	}
	v.onResult(s, rule.Result, x)
	tests, why := x.Unfilled(b.Unopposed)
	c.must(why != "" && slices.Equal(tests, b.Tests) && b.Why == why, e.seq, "it says that the places cannot be filled (%s), and by the rulebook: %q", b.Why, why)
}

// onResult puts the quotas of a rule on a ballot.
func (v *verifier) onResult(s *scope, list []*rulebook.Threshold, x *proceeding.Ballot) {
	for _, t := range list {
		if held, _ := v.switched(s, t); !held {
			continue
		}
		v.onResult(s, t.All, x)
		if len(t.All) > 0 {
			continue
		}
		if q := v.wanted(s, proceeding.OnResult, t, x); q != nil {
			x.Quotas = append(x.Quotas, *q)
		}
	}
}

// uncounted checks a declaration that papers cannot be counted: counted again,
// they cannot be.
func (v *verifier) uncounted(e *entry, r *run, x *proceeding.Ballot, b *proceeding.ResultBody) {
	c := v.Check(CheckResults)
	c.must(b.Outcome == proceeding.TooFew && len(b.Elected)+len(b.Leaves)+len(b.Figures)+len(b.Tests) == 0 && b.Sheet == "" && b.Next == 0, e.seq, "the papers cannot be counted, and it says %q, or more than that", b.Outcome)
	if x.Sealed() {
		v.sealedUncounted(e, r, x)
		return
	}
	cl := r.closings[x.ID]
	if !v.full || !v.Check(CheckRecount).must(cl != nil && cl.papers != nil, e.seq, "papers of %s are missing", x.ID) {
		return
	}
	var err error
	if x.Method == "exhaustive" {
		_, err = r.countRound(x, cl.papers)
	} else {
		_, err = countPapers(x, cl.papers)
	}
	v.Check(CheckRecount).must(err != nil, e.seq, "it says that the papers of %s cannot be counted, and they can", x.ID)
}
