package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/omov/omov/count"
	"github.com/omov/omov/proceeding"
)

// papers checks what was in the box: as many papers as were returned, each in
// the form of the contest, grouped and in an order that says nothing.
func (v *verifier) papers(e *entry, r *run, b *papersBody) {
	if x := r.st.Ballot(b.Ballot); x != nil && x.Sealed() {
		v.sealedPapers(e, r, b)
		return
	}
	c := v.Check(CheckPapers)
	x, cl := r.st.Ballot(b.Ballot), r.closings[b.Ballot]
	if !c.must(x != nil && cl != nil && cl.papers == nil && x.Counted == 0 && len(b.Sections) == len(x.Roll.Sections), e.seq, "they are no papers of a ballot that has just been closed") {
		return
	}
	cl.papers, cl.sum = b, sha256.Sum256(e.body)
	var total int64
	for i, sec := range b.Sections {
		var n int64
		seen := map[string]bool{}
		for _, p := range sec.Papers {
			key := fmt.Sprint(p.Marks, p.Choice, p.Value)
			c.must(p.N > 0 && inForm(x, &p), e.seq, "a paper of the section %q is not in the form of the contest: %v", sec.Section, p.Marks)
			c.must(!seen[key], e.seq, "equal papers of the section %q are not grouped", sec.Section)
			seen[key] = true
			n += p.N
		}
		ok := i < len(x.Returned) && sec.Section == x.Roll.Sections[i].Name && n == x.Returned[i].Papers
		c.must(ok, e.seq, "the section %q holds %d papers; another number was published", sec.Section, n)
		total += n
	}
	c.note("%s: %d papers", b.Ballot, total)
}

// inForm tells whether a paper can be one of a ballot.
func inForm(x *proceeding.Ballot, p *grouped) bool {
	if p.Value != "" {
		if w := rat(p.Value); w == nil || w.Sign() < 0 {
			return false
		}
	}
	if x.Method == "" {
		return len(p.Marks) == 0 && p.Choice >= 0 && p.Choice < len(x.Choices)
	}
	most := len(x.Options)
	switch x.Method {
	case "plurality", "exhaustive":
		most = 1
	case "plurality-at-large":
		most = min(x.Seats, most)
	}
	if p.Choice != -1 || len(p.Marks) == 0 || len(p.Marks) > most {
		return false
	}
	for i, m := range p.Marks {
		if m < 0 || m >= len(x.Options) || slices.Contains(p.Marks[:i], m) {
			return false
		}
	}
	return true
}

// bound checks that the closing root binds the marked roll and the papers, and
// that papers are worth what their voters' votes are.
func (v *verifier) bound(e *entry, x *proceeding.Ballot, cl *closing) {
	if x.Unopened {
		v.nothingOpened(e, x, cl)
		return
	}
	c := v.Check(CheckClosing)
	if !c.must(cl.papers != nil, e.seq, "there are no papers of %s", x.ID) {
		return
	}
	h := sha256.New()
	h.Write([]byte("omov/closing/1\x00"))
	h.Write(cl.root)
	h.Write(cl.sum[:])
	c.must(hex.EncodeToString(h.Sum(nil)) == x.Root, e.seq, "the closing root of %s is not that of its marked roll and papers", x.ID)
	for _, sec := range cl.papers.Sections {
		worth := new(big.Rat)
		for _, p := range sec.Papers {
			w := big.NewRat(1, 1)
			if p.Value != "" {
				w = rat(p.Value)
			}
			if w != nil {
				worth.Add(worth, w.Mul(w, new(big.Rat).SetInt64(p.N)))
			}
		}
		want := cl.worth[sec.Section]
		v.Check(CheckPapers).must(want != nil && worth.Cmp(want) == 0, e.seq, "the papers of the section %q are worth %s votes; those who voted have %v", sec.Section, worth.RatString(), want)
	}
}

// recount counts the papers again and compares everything that was declared.
func (v *verifier) recount(e *entry, r *run, x *proceeding.Ballot, b *proceeding.ResultBody) {
	c := v.Check(CheckRecount)
	cl := r.closings[x.ID]
	if !c.must(cl != nil && cl.papers != nil && cl.markedAt != 0, e.seq, "papers or marked roll of %s are missing", x.ID) {
		return
	}
	if x.Method == "" {
		figures, sections, err := countChoices(x, cl.papers)
		c.must(err == nil && maps.Equal(figures, b.Figures), e.seq, "the papers counted again give %v, not %v: %v", figures, b.Figures, err)
		same := slices.EqualFunc(sections, b.Sections, func(a, z proceeding.SectionVotes) bool { return a.Section == z.Section && maps.Equal(a.Votes, z.Votes) })
		c.must(len(b.Sections) == 0 || same, e.seq, "the papers counted again give other votes in the sections: %v, not %v", sections, b.Sections)
		c.note("%s: %v", x.ID, figures)
		return
	}
	var sheet *count.Sheet
	var err error
	if x.Method == "exhaustive" {
		sheet, err = r.countRound(x, cl.papers)
	} else {
		sheet, err = countPapers(x, cl.papers)
	}
	if !c.must(err == nil, e.seq, "the papers of %s cannot be counted again: %v", x.ID, err) {
		return
	}
	text, err := json.Marshal(sheet)
	c.must(err == nil && bytes.Equal(text, []byte(b.Sheet)), e.seq, "the papers counted again give another sheet")
	c.note("%s: %s, elected %v", x.ID, plural(len(sheet.Stages), "stage"), sheet.Elected)
}

// countPapers counts by one of the counting engine's methods.
func countPapers(x *proceeding.Ballot, papers *papersBody) (*count.Sheet, error) {
	c := count.Contest{Candidates: distinct(x.Options), Seats: x.Seats, Seed: lotSeed(x), Scale: x.Scale}
	for _, q := range x.Quotas {
		if q.On == proceeding.OnResult {
			c.Quotas = append(c.Quotas, count.Quota{Name: q.Says, Members: q.Options, AtLeast: int(q.AtLeast), AtMost: int(q.AtMost), NoMore: q.NoMore})
		}
	}
	if weighed(x) {
		pool, err := together(x, papers)
		if err != nil {
			return nil, err
		}
		return count.Count(x.Method, c, count.Pool(pool))
	}
	var sections []count.Section
	for i := range x.Roll.Sections {
		g := count.NewGrouper(len(x.Options))
		for _, p := range papers.Sections[i].Papers {
			if err := deal(g, &p); err != nil {
				return nil, err
			}
		}
		w := rat(x.Roll.Sections[i].Weight)
		if w == nil {
			return nil, fmt.Errorf("the section %q has no weight", x.Roll.Sections[i].Name)
		}
		sections = append(sections, count.Section{Name: x.Roll.Sections[i].Name, Weight: w, Papers: g.Papers()})
	}
	if len(sections) == 1 {
		return count.Count(x.Method, c, sections...)
	}
	c.Inside = x.Method
	return count.Count("college", c, sections...)
}

// weighed tells whether the papers of several sections are counted in one pool,
// weighed, because no college counts by the method.
func weighed(x *proceeding.Ballot) bool {
	return len(x.Roll.Sections) > 1 && !slices.Contains([]string{"av", "plurality", "exhaustive"}, x.Method)
}

// together puts the papers of all sections into one pool, each section's
// weighed to its part of the whole.
func together(x *proceeding.Ballot, papers *papersBody) (*count.Papers, error) {
	g := count.NewGrouper(len(x.Options))
	for i := range x.Roll.Sections {
		weight := rat(x.Roll.Sections[i].Weight)
		if weight == nil {
			return nil, fmt.Errorf("the section %q has no weight", x.Roll.Sections[i].Name)
		}
		values := make([]*big.Rat, len(papers.Sections[i].Papers))
		sum := new(big.Rat)
		for k, p := range papers.Sections[i].Papers {
			values[k] = big.NewRat(1, 1)
			if p.Value != "" {
				if values[k] = rat(p.Value); values[k] == nil {
					return nil, fmt.Errorf("a paper is worth %q", p.Value)
				}
			}
			values[k].Mul(values[k], new(big.Rat).SetInt64(p.N))
			sum.Add(sum, values[k])
		}
		for k, p := range papers.Sections[i].Papers {
			marks := make([]count.Mark, len(p.Marks))
			for n, m := range p.Marks {
				marks[n] = count.Mark(m)
			}
			if err := g.AddFraction(marks, values[k].Quo(values[k].Mul(values[k], weight), sum)); err != nil {
				return nil, err
			}
		}
	}
	return g.Papers(), nil
}

func deal(g *count.Grouper, p *grouped) error {
	marks := make([]count.Mark, len(p.Marks))
	for i, m := range p.Marks {
		marks[i] = count.Mark(m)
	}
	if p.Value == "" || p.Value == "1" {
		return g.Add(marks, p.N)
	}
	w := rat(p.Value)
	if w == nil {
		return fmt.Errorf("a paper is worth %q", p.Value)
	}
	return g.AddFraction(marks, w.Mul(w, new(big.Rat).SetInt64(p.N)))
}

// countRound counts one round of an exhaustive ballot; the sheet goes on from
// that of the round before.
func (r *run) countRound(x *proceeding.Ballot, papers *papersBody) (*count.Sheet, error) {
	all := r.roundOne(x)
	sheet := &count.Sheet{Method: "exhaustive", Seats: max(1, x.Seats)}
	for _, y := range r.earlier(x) {
		if err := json.Unmarshal([]byte(y.Sheet), sheet); err != nil {
			return nil, err
		}
	}
	sheet.Candidates = distinct(all)
	earlier, lots := roundsOf(sheet)
	stands := make([]int, len(x.Options))
	for i, o := range x.Options {
		stands[i] = slices.IndexFunc(all, func(p proceeding.Person) bool { return p.ID == o.ID })
		if stands[i] < 0 {
			return nil, fmt.Errorf("%s joined after the first round", o.Name)
		}
	}
	now, sections, err := roundOf(x, papers, stands, len(all))
	if err != nil {
		return nil, err
	}
	c := count.Contest{Candidates: sheet.Candidates, Seats: x.Seats, Seed: lotSeed(x), LotsBefore: lots}
	o, err := count.Ballot(c, stands, sections, earlier, now)
	if err != nil {
		return nil, err
	}
	sheet.Stages = append(sheet.Stages, o.Stage)
	for _, i := range o.Elected {
		sheet.Elected = append(sheet.Elected, sheet.Candidates[i])
	}
	return sheet, nil
}

// roundOf adds up the papers of one round, one mark each.
func roundOf(x *proceeding.Ballot, papers *papersBody, stands []int, candidates int) (count.Round, []count.Section, error) {
	var round count.Round
	var sections []count.Section
	for i := range x.Roll.Sections {
		votes := make([]count.Votes, candidates)
		for _, p := range papers.Sections[i].Papers {
			if len(p.Marks) == 0 {
				continue
			}
			n := new(big.Rat).SetInt64(p.N)
			if p.Value != "" {
				w := rat(p.Value)
				if w == nil {
					return round, nil, fmt.Errorf("a paper is worth %q", p.Value)
				}
				n.Mul(n, w)
			}
			if !n.IsInt() || !n.Num().IsInt64() {
				return round, nil, fmt.Errorf("a paper is worth %q", p.Value)
			}
			votes[stands[p.Marks[0]]] += n.Num().Int64()
		}
		round.Votes = append(round.Votes, votes)
		if len(x.Roll.Sections) > 1 {
			sections = append(sections, count.Section{Name: x.Roll.Sections[i].Name, Weight: rat(x.Roll.Sections[i].Weight)})
		}
	}
	return round, sections, nil
}

// roundsOf reads earlier rounds off a sheet, and how many lots were drawn.
func roundsOf(s *count.Sheet) ([]count.Round, int) {
	var out []count.Round
	lots := 0
	for _, st := range s.Stages {
		tallies := []count.Tally{st.Votes}
		if len(st.Sections) > 0 {
			tallies = nil
			for _, sec := range st.Sections {
				tallies = append(tallies, sec.Votes)
			}
		}
		var r count.Round
		for _, t := range tallies {
			votes := make([]count.Votes, len(s.Candidates))
			for i, n := range s.Candidates {
				votes[i] = t.Of(n).Rat().Num().Int64()
			}
			r.Votes = append(r.Votes, votes)
		}
		out = append(out, r)
		for _, t := range st.Ties {
			if t.Number > 0 {
				lots++
			}
		}
	}
	return out, lots
}

// countChoices counts a vote without candidates: what each choice got in each
// section, and the figures that follow.
func countChoices(x *proceeding.Ballot, papers *papersBody) (map[string]int64, []proceeding.SectionVotes, error) {
	returned := int64(0)
	sections := make([]proceeding.SectionVotes, len(x.Roll.Sections))
	for i := range x.Roll.Sections {
		votes := make([]*big.Rat, len(x.Choices))
		for k := range votes {
			votes[k] = new(big.Rat)
		}
		for _, p := range papers.Sections[i].Papers {
			w := big.NewRat(1, 1)
			if p.Value != "" {
				w = rat(p.Value)
			}
			if x.Sealed() && p.Choice == -1 && len(p.Marks) == 0 { // blank
				returned += p.N
				continue
			}
			if w == nil || p.Choice < 0 || p.Choice >= len(votes) {
				return nil, nil, fmt.Errorf("a paper makes a choice that there is not")
			}
			votes[p.Choice].Add(votes[p.Choice], w.Mul(w, new(big.Rat).SetInt64(p.N)))
			returned += p.N
		}
		sections[i] = proceeding.SectionVotes{Section: x.Roll.Sections[i].Name, Votes: map[string]string{}}
		for k, n := range votes {
			sections[i].Votes[x.Choices[k]] = n.RatString()
		}
	}
	figures, err := weighedFigures(x, sections)
	if err != nil {
		return nil, nil, err
	}
	figures["papers"] = returned
	if len(sections) == 1 {
		sections = nil // then the figures say it all
	}
	return figures, sections, nil
}

// weighedFigures puts what choices got in sections together: each section is
// worth its weight, however much was cast in it; a single one counts as it is.
// They are whole numbers in the same proportion.
func weighedFigures(x *proceeding.Ballot, sections []proceeding.SectionVotes) (map[string]int64, error) {
	totals := make([]*big.Rat, len(x.Choices))
	for i := range totals {
		totals[i] = new(big.Rat)
	}
	if len(sections) != len(x.Roll.Sections) {
		return nil, fmt.Errorf("there are votes of %d sections, and the roll has %d", len(sections), len(x.Roll.Sections))
	}
	for i, sec := range sections {
		weight, cast := rat(x.Roll.Sections[i].Weight), new(big.Rat)
		votes := make([]*big.Rat, len(x.Choices))
		for k, choice := range x.Choices {
			if votes[k] = rat(sec.Votes[choice]); votes[k] == nil || votes[k].Sign() < 0 || weight == nil || sec.Section != x.Roll.Sections[i].Name {
				return nil, fmt.Errorf("the votes of the section %q cannot be read", sec.Section)
			}
			if choice != "abstain" {
				cast.Add(cast, votes[k])
			}
		}
		for k, n := range votes {
			if len(sections) > 1 && cast.Sign() > 0 {
				n.Quo(n.Mul(n, weight), cast)
			}
			totals[k].Add(totals[k], n)
		}
	}
	out := map[string]int64{}
	for k, n := range whole(totals) {
		out[x.Choices[k]] = n
	}
	return out, nil
}

// whole brings exact amounts to whole numbers by their common denominator;
// where their sum would pass 2^52, all of them by the largest scale that keeps it
// within, rounded down to a multiple of the least number that every one up to
// twenty divides.
func whole(amounts []*big.Rat) []int64 {
	common, sum := big.NewInt(1), new(big.Rat)
	for _, a := range amounts {
		common.Mul(common, new(big.Int).Quo(a.Denom(), new(big.Int).GCD(nil, nil, common, a.Denom())))
		sum.Add(sum, a)
	}
	limit := new(big.Rat).SetInt64(1 << 52)
	if new(big.Rat).Mul(sum, new(big.Rat).SetInt(common)).Cmp(limit) > 0 {
		limit.Quo(limit, sum)
		common.Quo(limit.Num(), limit.Denom())
		if step := big.NewInt(232_792_560); common.Cmp(step) > 0 {
			common.Mul(new(big.Int).Quo(common, step), step)
		}
	}
	out := make([]int64, len(amounts))
	for i, a := range amounts {
		n := new(big.Rat).Mul(a, new(big.Rat).SetInt(common))
		out[i] = new(big.Int).Quo(n.Num(), n.Denom()).Int64()
	}
	return out
}
