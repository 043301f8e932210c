package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"math/big"
	"slices"

	"github.com/omov/omov/count"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
)

// result checks a declaration: the sheet adds up, and what is declared
// follows from it and from the tests of the rulebook.
func (v *verifier) result(e *entry, r *run, b *proceeding.ResultBody) {
	v.instant(e, b.At)
	r.unopposed = b.Unopposed
	if b.Outcome == proceeding.TooFew && b.Ballot == "" && b.Why != "" {
		v.unfilled(e, r, b)
		return
	}
	if b.Unopposed {
		v.noBallot(e, r, b)
		return
	}
	x := r.st.OpenBallot()
	if b.Outcome == proceeding.Unopened && b.Ballot == "" {
		v.unopened(e, r, nil, b)
		return
	}
	judged := x != nil && x.How == "judged"
	if !v.Check(CheckSteps).must(x != nil && x.ID == b.Ballot && (x.Closed != 0 || judged), e.seq, "a result is declared of the ballot %q, which is not closed", b.Ballot) || judged {
		return
	}
	if x.Unopened {
		v.unopened(e, r, x, b)
		return
	}
	if b.Why != "" {
		v.uncounted(e, r, x, b)
		return
	}
	rule := &r.proc.Stages[x.Stage]
	s := v.scope(e, r, b.At)
	given := b.Figures
	if x.Method != "" && x.How != "counted" { // its papers say everything
		_, spoilt := given["spoilt"]
		v.Check(CheckResults).must(len(given) == 0 || x.Sealed() && spoilt && len(given) == 1, e.seq, "it gives figures of an election that follow from no paper")
		given = nil
	}
	f := figuresOf(x, given)
	if x.Method != "" && x.Sealed() {
		f["cast"] -= b.Figures["spoilt"]
	}
	tests := b.Tests
	quorate := v.tests(e, s, rule.Quorum, f, &tests)
	c := v.Check(CheckResults)
	switch {
	case !quorate:
		c.must(b.Outcome == proceeding.Inquorate && len(b.Elected)+len(b.Leaves) == 0, e.seq, "there was no quorum, and it says %q, or that somebody is elected or out", b.Outcome)
	case x.Method != "" && x.How != "counted" && f["papers"] == 0:
		c.must(b.Outcome == proceeding.Unopened && len(b.Elected) == 0 && b.Sheet == "", e.seq, "nobody voted, and it says %q", b.Outcome)
		return
	case x.Method != "" && x.How == "counted":
		c.must(samePeople(standingOf(b.Elected), b.Elected), e.seq, "somebody is elected twice")
		c.note("%s: elected on what tellers counted in the room", x.ID)
	case x.Method != "":
		v.election(e, r, x, b)
	case len(rule.Options) > 0:
		most := ""
		for _, o := range x.Choices {
			if o != "abstain" && (most == "" || f[o] > f[most] || f[o] == f[most] && lotBefore(x, o, most)) {
				most = o
			}
		}
		f["for"] = f[most]
		if rule.Passes != nil && !v.tests(e, s, rule.Passes, f, &tests) {
			most = proceeding.Inquorate
		}
		c.must(b.Outcome == most, e.seq, "the figures say %q, and it says %q", most, b.Outcome)
		v.figures(e, x, b)
	default:
		carried := f["for"] > f["against"]
		if rule.Passes != nil {
			carried = v.tests(e, s, rule.Passes, f, &tests)
		}
		want := map[bool]string{true: proceeding.Carried, false: proceeding.Lost}[carried]
		c.must(b.Outcome == want, e.seq, "the figures say %q, and it says %q", want, b.Outcome)
		v.figures(e, x, b)
	}
	c.must(len(tests) == 0, e.seq, "it lists tests that the rulebook does not have")
	switch {
	case x.Sealed():
		v.sealedCount(e, r, x, b)
	case v.full && x.How != "counted":
		v.recount(e, r, x, b)
	}
}

// standingOf gives people once each.
func standingOf(list []proceeding.Person) []proceeding.Candidate {
	var out []proceeding.Candidate
	for _, p := range list {
		if !slices.ContainsFunc(out, func(c proceeding.Candidate) bool { return c.ID == p.ID }) {
			out = append(out, proceeding.Candidate{Person: p})
		}
	}
	return out
}

// noBallot checks an election that was not held because nobody opposed.
func (v *verifier) noBallot(e *entry, r *run, b *proceeding.ResultBody) {
	c := v.Check(CheckResults)
	i := r.st.Current
	if !c.must(i >= 0 && r.proc.Stages[i].Kind == rulebook.Ballot && b.Ballot == "" && b.Sheet == "", e.seq, "an election without a ballot is declared where none is due") {
		return
	}
	s := v.scope(e, r, b.At)
	seats := s.seats(&r.proc.Stages[i])
	c.must((seats == notPublic || len(r.st.Standing()) <= seats) && samePeople(r.st.Standing(), b.Elected), e.seq, "it is declared without a ballot, and more stand than there are places")
	want := proceeding.Elected
	if len(b.Elected) == 0 {
		want = proceeding.TooFew
	}
	c.must(b.Outcome == want, e.seq, "it says %q, where %q follows", b.Outcome, want)
}

// figuresOf are what a vote's thresholds are measured against.
func figuresOf(x *proceeding.Ballot, given map[string]int64) map[string]int64 {
	f := map[string]int64{}
	for k, n := range given {
		f[k] = n
	}
	for i := range x.Roll.Sections {
		f["entitled"] += x.Roll.Sections[i].Entitled
	}
	if given == nil {
		for _, y := range x.Returned {
			f["papers"] += y.Papers
		}
		f["cast"] = f["papers"]
	} else {
		f["cast"] = 0
		for _, o := range x.Choices {
			if o != "abstain" {
				f["cast"] += f[o]
			}
		}
		if _, ok := given["papers"]; !ok {
			f["papers"] = f["cast"] + f["spoilt"] + f["abstain"]
		}
	}
	if _, ok := given["present"]; !ok {
		f["present"] = f["papers"]
	}
	f["seats"] = int64(x.Seats)
	return f
}

// tests measures a vote's figures against a threshold and compares what was
// published of it.
func (v *verifier) tests(e *entry, s *scope, t *rulebook.Threshold, f map[string]int64, rest *[]proceeding.Reached) bool {
	if !s.applies(t) {
		return true
	}
	parts, all := t.All, true
	if len(t.Any) > 0 {
		parts, all = t.Any, false
	}
	if len(parts) > 0 {
		met, held := all, 0
		for _, p := range parts {
			if !s.applies(p) {
				continue
			}
			held++
			m := v.tests(e, s, p, f, rest)
			if all {
				met = met && m
			} else {
				met = met || m
			}
		}
		return met || held == 0
	}
	if !v.Check(CheckResults).must(len(*rest) > 0, e.seq, "it leaves out a test of the rulebook") {
		return false
	}
	pub := (*rest)[0]
	*rest = (*rest)[1:]
	what := t.Count
	if what == "" {
		what = "for"
	}
	has := new(big.Rat).SetInt64(f[what])
	v.Check(CheckResults).must(pub.Has == has.RatString() && pub.What == what, e.seq, "a test counts %s %s; there are %s %s", pub.Has, pub.What, has.RatString(), what)
	met, ok := v.reached(e, CheckResults, s, t, pub, has, func(of string) *big.Rat {
		n, known := f[of]
		if !known {
			return nil
		}
		return new(big.Rat).SetInt64(n)
	})
	return met && ok
}

// figures compares the published figures of a vote with its turnout.
func (v *verifier) figures(e *entry, x *proceeding.Ballot, b *proceeding.ResultBody) {
	c := v.Check(CheckTurnout)
	if x.How == "counted" {
		return
	}
	var papers, choices int64
	plain := len(x.Roll.Sections) == 1
	for i, y := range x.Returned {
		papers += y.Papers
		sec := &x.Roll.Sections[i]
		votes := rat(sec.Votes)
		plain = plain && votes != nil && votes.Cmp(new(big.Rat).SetInt64(sec.Entitled)) == 0
	}
	for _, k := range x.Choices {
		choices += b.Figures[k]
		c.must(b.Figures[k] >= 0, e.seq, "%s cannot be %d", k, b.Figures[k])
	}
	if len(b.Sections) > 0 {
		sum, err := weighedFigures(x, b.Sections)
		if err == nil {
			sum["papers"] = b.Figures["papers"]
		}
		c.must(err == nil && maps.Equal(sum, b.Figures), e.seq, "the votes in the sections make %v, not %v: %v", sum, b.Figures, err)
	}
	c.must(b.Figures["papers"] == papers, e.seq, "it speaks of %d papers; %d were returned", b.Figures["papers"], papers)
	c.must(!plain || choices == papers-v.unmarked(x), e.seq, "%d papers make %d choices", papers, choices)
}

// election checks an election's declaration against its sheet.
func (v *verifier) election(e *entry, r *run, x *proceeding.Ballot, b *proceeding.ResultBody) {
	c := v.Check(CheckResults)
	var sheet count.Sheet
	if !v.Check(CheckSheets).must(json.Unmarshal([]byte(b.Sheet), &sheet) == nil, e.seq, "the count sheet cannot be read") {
		return
	}
	all := r.roundOne(x)
	v.sheet(e, r, x, &sheet, all)
	var elected []proceeding.Person
	for _, n := range sheet.Elected {
		if i := slices.Index(distinct(all), n); i >= 0 {
			elected = append(elected, all[i])
		}
	}
	c.must(slices.Equal(elected, b.Elected), e.seq, "those declared elected are not those of the count sheet")
	want := proceeding.Elected
	if len(elected) == 0 && x.Method == "exhaustive" {
		want = proceeding.NextRound
	}
	c.must(b.Outcome == want, e.seq, "it says %q; by the sheet it is %q", b.Outcome, want)
	c.must(want != proceeding.Elected || len(elected) == max(1, x.Seats), e.seq, "%d are elected to %d places", len(elected), max(1, x.Seats))
	if x.Method != "exhaustive" {
		c.must(len(b.Leaves) == 0 && b.Next == 0, e.seq, "it goes on to another round, which this method does not have")
		return
	}
	if n := len(sheet.Stages); n > 0 && want == proceeding.NextRound {
		var leaves []string
		for _, p := range b.Leaves {
			if i := slices.Index(all, p); i >= 0 {
				leaves = append(leaves, distinct(all)[i])
			}
		}
		last := sheet.Stages[n-1]
		c.must(slices.Equal(leaves, slices.Concat(last.Withdrawn, last.Excluded)), e.seq, "those who leave are not those of the sheet")
	}
}

// roundOne gives the candidates of the first round of a ballot: the sheet of
// an exhaustive ballot lists them all.
func (r *run) roundOne(x *proceeding.Ballot) []proceeding.Person {
	if x.Method == "exhaustive" {
		if before := r.earlier(x); len(before) > 0 {
			return before[0].Options
		}
	}
	return x.Options
}

// earlier gives the rounds of an exhaustive election before one: those that
// were followed by another. After any other outcome it begins afresh.
func (r *run) earlier(x *proceeding.Ballot) []*proceeding.Ballot {
	var out []*proceeding.Ballot
	for i := range r.st.Ballots {
		y := &r.st.Ballots[i]
		if y.ID == x.ID {
			break
		}
		if y.Stage == x.Stage {
			out = append(out, y)
			if y.Outcome != proceeding.NextRound {
				out = nil
			}
		}
	}
	return out
}

// lotBefore tells whether an option comes before another in the lot: by the
// hash of the seed and its name.
func lotBefore(x *proceeding.Ballot, a, b string) bool {
	seed := lotSeed(x)
	p := sha256.Sum256(append(slices.Clone(seed), a...))
	q := sha256.Sum256(append(slices.Clone(seed), b...))
	return bytes.Compare(p[:], q[:]) < 0
}
