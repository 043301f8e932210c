package contest

import (
	"context"
	"encoding/json"
	"math/big"
	"slices"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/count"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/store"
)

// PapersOf gives the papers of a closed ballot from the minute book. The
// caller sees to it that only those who may read them get them.
func (s *Contests) PapersOf(w *chamber.World, ref, ballot string) (*PapersBody, error) {
	before := int64(0)
	for {
		page, err := w.Tx().Page(store.Query{Proceeding: ref, Before: before, Access: []minutes.Access{minutes.Scrutineers, minutes.Parties, minutes.Public}, Bodies: true, Limit: 4})
		if err != nil {
			return nil, err
		}
		for _, m := range page {
			before = m.Seq
			if m.Kind != proceeding.KindPapers {
				continue
			}
			b := &PapersBody{}
			if err := json.Unmarshal(m.Body, b); err != nil {
				return nil, fault.Wrap(fault.Damaged, err, "the papers of %s cannot be read", ballot)
			}
			if b.Ballot == ballot {
				return b, nil
			}
		}
		if len(page) == 0 {
			return nil, fault.New(fault.NotFound, "the minute book has no papers of the ballot %s", ballot)
		}
	}
}

// declare counts a closed ballot and declares the result.
func (s *Contests) declare(ctx context.Context, st *proceeding.State) (*proceeding.State, error) {
	b := st.OpenBallot()
	if b == nil || b.Closed == 0 {
		return st, nil
	}
	if b.Unopened || b.Method != "" && nobody(b) {
		return s.Do(ctx, st.Ref, proceeding.Declare{})
	}
	var papers *PapersBody
	err := s.ch.Read(ctx, func(w *chamber.World) (err error) {
		papers, err = s.PapersOf(w, st.Ref, b.ID)
		return err
	})
	if err != nil {
		return st, err
	}
	d, err := Count(st, b, papers)
	if n := papers.spoilt(); err == nil && b.Method != "" && n > 0 {
		d.Figures = map[string]int64{"spoilt": n}
	}
	if b.Method != "" && (fault.Is(err, fault.Invalid) || fault.Is(err, fault.TooMuch)) {
		// The same papers would be refused again tomorrow: say so, and end.
		return s.Do(ctx, st.Ref, proceeding.Uncounted{Why: "the papers cannot be counted: " + fault.Of(err).Message})
	}
	if err != nil {
		return st, err
	}
	return s.Do(ctx, st.Ref, *d)
}

// spoilt is how many papers of a sealed ballot were spoilt.
func (p *PapersBody) spoilt() (n int64) {
	for i := range p.Sections {
		n += p.Sections[i].Spoilt
	}
	return n
}

// nobody tells whether no paper came at all.
func nobody(b *proceeding.Ballot) bool {
	for _, r := range b.Returned {
		if r.Papers > 0 {
			return false
		}
	}
	return true
}

// Count counts the papers of a ballot as its proceeding says, and gives what
// there is to declare. It is a pure function of its arguments: a verifier gets
// the same.
func Count(st *proceeding.State, b *proceeding.Ballot, papers *PapersBody) (*proceeding.Declare, error) {
	if b.Method == "" {
		return countVote(b, papers)
	}
	if b.Method == "exhaustive" {
		return countRound(st, b, papers)
	}
	c := count.Contest{Candidates: proceeding.OptionNames(b.Options), Seats: b.Seats, Seed: proceeding.LotSeed(b), Quotas: b.ResultQuotas(), Scale: b.Scale}
	sections, err := Sections(b, papers)
	if err != nil {
		return nil, err
	}
	if len(sections) > 1 && !insideCollege(b.Method) {
		if sections, err = Pooled(b, papers); err != nil {
			return nil, err
		}
	}
	sheet, err := countBy(b.Method, c, sections)
	if err != nil {
		return nil, err
	}
	d := &proceeding.Declare{}
	for _, n := range sheet.Elected {
		d.Elected = append(d.Elected, b.Options[slices.Index(c.Candidates, n)])
	}
	d.Sheet, err = sheetText(sheet)
	return d, err
}

// insideCollege tells whether a college counts its sections by a method; the
// papers of all others are put together, each section's weighed to its part.
func insideCollege(method string) bool {
	return method == "av" || method == "plurality" || method == "exhaustive"
}

// Pooled puts the papers of all sections together: a vote is worth its value,
// times the section's weight, divided by the value of the section's papers.
func Pooled(b *proceeding.Ballot, papers *PapersBody) ([]count.Section, error) {
	g := count.NewGrouper(len(b.Options))
	for i := range b.Roll.Sections {
		rs := &b.Roll.Sections[i]
		weight, ok := new(big.Rat).SetString(rs.Weight)
		if !ok {
			return nil, fault.New(fault.Damaged, "section %s has no weight", rs.Name)
		}
		var list []Grouped
		for _, sp := range papers.Sections {
			if sp.Section == rs.Name {
				list = append(list, sp.Papers...)
			}
		}
		sum := new(big.Rat)
		for _, p := range list {
			sum.Add(sum, worth(p))
		}
		for _, p := range list {
			marks := make([]count.Mark, len(p.Marks))
			for k, m := range p.Marks {
				marks[k] = count.Mark(m)
			}
			v := worth(p)
			if err := g.AddFraction(marks, v.Quo(v.Mul(v, weight), sum)); err != nil {
				return nil, err
			}
		}
	}
	return []count.Section{count.Pool(g.Papers())}, nil
}

// worth is what a group of equal papers is worth together.
func worth(p Grouped) *big.Rat {
	v := big.NewRat(1, 1)
	if p.Value != "" {
		if x, ok := new(big.Rat).SetString(p.Value); ok {
			v = x
		}
	}
	return v.Mul(v, new(big.Rat).SetInt64(p.N))
}

// countBy counts sections by a method: several are a college with the method
// inside.
func countBy(method string, c count.Contest, sections []count.Section) (*count.Sheet, error) {
	if len(sections) > 1 {
		c.Inside = method
		return count.Count("college", c, sections...)
	}
	return count.Count(method, c, sections...)
}

func sheetText(s *count.Sheet) (string, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "the count sheet cannot be written")
	}
	return string(b), nil
}

// Sections makes the sections of a count from papers.
func Sections(b *proceeding.Ballot, papers *PapersBody) ([]count.Section, error) {
	var out []count.Section
	for i := range b.Roll.Sections {
		rs := &b.Roll.Sections[i]
		g := count.NewGrouper(len(b.Options))
		for _, sp := range papers.Sections {
			if sp.Section != rs.Name {
				continue
			}
			if err := addPapers(g, sp.Papers); err != nil {
				return nil, err
			}
		}
		w, ok := new(big.Rat).SetString(rs.Weight)
		if !ok {
			return nil, fault.New(fault.Damaged, "section %s has no weight", rs.Name)
		}
		out = append(out, count.Section{Name: rs.Name, Weight: w, Papers: g.Papers()})
	}
	return out, nil
}

func addPapers(g *count.Grouper, papers []Grouped) error {
	for _, p := range papers {
		marks := make([]count.Mark, len(p.Marks))
		for i, m := range p.Marks {
			marks[i] = count.Mark(m)
		}
		var err error
		if p.Value == "" || p.Value == "1" {
			err = g.Add(marks, p.N)
		} else {
			v, ok := new(big.Rat).SetString(p.Value)
			if !ok {
				return fault.New(fault.Damaged, "a paper is worth %q, which is no number", p.Value)
			}
			err = g.AddFraction(marks, v.Mul(v, new(big.Rat).SetInt64(p.N)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// countRound settles one round of an exhaustive ballot. The sheet holds every
// round so far.
func countRound(st *proceeding.State, b *proceeding.Ballot, papers *PapersBody) (*proceeding.Declare, error) {
	all, earlier, sheet, lots, err := roundsBefore(st, b)
	if err != nil {
		return nil, err
	}
	c := count.Contest{Candidates: proceeding.OptionNames(all), Seats: b.Seats, Seed: proceeding.LotSeed(b), LotsBefore: lots}
	stands := make([]int, len(b.Options))
	for i, o := range b.Options {
		stands[i] = slices.IndexFunc(all, func(p proceeding.Person) bool { return p.ID == o.ID })
	}
	var sections []count.Section
	round := count.Round{}
	for i := range b.Roll.Sections {
		rs := &b.Roll.Sections[i]
		votes := make([]count.Votes, len(all))
		for _, sp := range papers.Sections {
			if sp.Section == rs.Name {
				if err := plainVotes(votes, stands, sp.Papers); err != nil {
					return nil, err
				}
			}
		}
		round.Votes = append(round.Votes, votes)
		w, _ := new(big.Rat).SetString(rs.Weight)
		if len(b.Roll.Sections) > 1 {
			sections = append(sections, count.Section{Name: rs.Name, Weight: w})
		}
	}
	o, err := count.Ballot(c, stands, sections, earlier, round)
	if err != nil {
		return nil, err
	}
	sheet.Stages = append(sheet.Stages, o.Stage)
	d := &proceeding.Declare{Again: len(o.Elected) == 0}
	for _, i := range o.Elected {
		d.Elected = append(d.Elected, all[i])
		sheet.Elected = append(sheet.Elected, c.Candidates[i])
	}
	for _, l := range o.Leaves {
		d.Leaves = append(d.Leaves, all[l])
	}
	d.Sheet, err = sheetText(sheet)
	return d, err
}

// plainVotes adds papers of one mark each.
func plainVotes(votes []count.Votes, stands []int, papers []Grouped) error {
	for _, p := range papers {
		if len(p.Marks) == 0 {
			continue
		}
		n := p.N
		if p.Value != "" {
			v, ok := new(big.Rat).SetString(p.Value)
			if !ok || !v.IsInt() || !v.Num().IsInt64() || v.Num().Int64() > 1<<40 {
				return fault.New(fault.Invalid, "an exhaustive ballot needs votes of whole value, not %s", p.Value)
			}
			n *= v.Num().Int64()
		}
		votes[stands[p.Marks[0]]] += n
	}
	return nil
}

// roundsBefore reads the earlier rounds of an exhaustive ballot off their
// sheet.
func roundsBefore(st *proceeding.State, b *proceeding.Ballot) ([]proceeding.Person, []count.Round, *count.Sheet, int, error) {
	all := b.Options
	sheet := &count.Sheet{Method: "exhaustive", Seats: max(1, b.Seats)}
	for i, x := range st.Rounds(b) {
		if i == 0 {
			all = x.Options
		}
		if err := json.Unmarshal([]byte(x.Sheet), sheet); err != nil {
			return nil, nil, nil, 0, fault.Wrap(fault.Damaged, err, "the sheet of %s cannot be read", x.ID)
		}
	}
	sheet.Candidates = proceeding.OptionNames(all)
	var earlier []count.Round
	lots := 0
	for _, stage := range sheet.Stages {
		r := count.Round{}
		tallies := []count.Tally{stage.Votes}
		if len(stage.Sections) > 0 {
			tallies = nil
			for _, s := range stage.Sections {
				tallies = append(tallies, s.Votes)
			}
		}
		for _, t := range tallies {
			votes := make([]count.Votes, len(all))
			for i, n := range sheet.Candidates {
				votes[i] = t.Of(n).Rat().Num().Int64()
			}
			r.Votes = append(r.Votes, votes)
		}
		earlier = append(earlier, r)
		for _, t := range stage.Ties {
			if t.Number > 0 {
				lots++
			}
		}
	}
	return all, earlier, sheet, lots, nil
}

// countVote counts a vote without candidates: each choice's votes, weighed by
// section where there are several.
func countVote(b *proceeding.Ballot, papers *PapersBody) (*proceeding.Declare, error) {
	totals := make([]*big.Rat, len(b.Choices))
	for i := range totals {
		totals[i] = new(big.Rat)
	}
	var returned int64
	var sections []proceeding.SectionVotes
	weighed := len(b.Roll.Sections) > 1
	for i := range b.Roll.Sections {
		rs := &b.Roll.Sections[i]
		votes, n, err := choiceVotes(b, papers, rs.Name)
		if err != nil {
			return nil, err
		}
		returned += n
		cast := new(big.Rat)
		for k, v := range votes {
			if b.Choices[k] != "abstain" {
				cast.Add(cast, v)
			}
		}
		if weighed {
			sv := proceeding.SectionVotes{Section: rs.Name, Votes: map[string]string{}}
			for k, v := range votes {
				sv.Votes[b.Choices[k]] = v.RatString()
			}
			sections = append(sections, sv)
		}
		w, _ := new(big.Rat).SetString(rs.Weight)
		for k, v := range votes {
			if weighed && cast.Sign() > 0 {
				v.Quo(v.Mul(v, w), cast)
			}
			totals[k].Add(totals[k], v)
		}
	}
	f := map[string]int64{"papers": returned}
	for k, n := range scaled(totals) {
		f[b.Choices[k]] = n
	}
	return &proceeding.Declare{Figures: f, Sections: sections}, nil
}

func choiceVotes(b *proceeding.Ballot, papers *PapersBody, section string) ([]*big.Rat, int64, error) {
	votes := make([]*big.Rat, len(b.Choices))
	for i := range votes {
		votes[i] = new(big.Rat)
	}
	var returned int64
	for _, sp := range papers.Sections {
		if sp.Section != section {
			continue
		}
		for _, p := range sp.Papers {
			if p.Choice == -1 && len(p.Marks) == 0 { // a blank paper of a sealed ballot
				returned += p.N
				continue
			}
			if p.Choice < 0 || p.Choice >= len(votes) {
				return nil, 0, fault.New(fault.Damaged, "a paper of %s makes a choice that there is not", b.ID)
			}
			v := new(big.Rat).SetInt64(p.N)
			if p.Value != "" {
				w, ok := new(big.Rat).SetString(p.Value)
				if !ok {
					return nil, 0, fault.New(fault.Damaged, "a paper of %s is worth %q", b.ID, p.Value)
				}
				v.Mul(v, w)
			}
			votes[p.Choice].Add(votes[p.Choice], v)
			returned += p.N
		}
	}
	return votes, returned, nil
}

// maxScaled bounds the numbers by which votes of fractions are shown: they are
// in entries, which hold whole numbers up to 2^53.
const maxScaled = 1 << 52

// evenParts is divided by every number up to twenty.
const evenParts = 232_792_560

// scaled brings exact amounts to whole numbers in the same proportion: by
// their common denominator, or, where that would be too long, all of them by
// the finest scale that fits. A share of up to twenty parts of a vote in
// sections is exact on that scale too.
func scaled(amounts []*big.Rat) []int64 {
	scale, sum := big.NewInt(1), new(big.Rat)
	for _, a := range amounts {
		g := new(big.Int).GCD(nil, nil, scale, a.Denom())
		scale.Mul(scale, new(big.Int).Quo(a.Denom(), g))
		sum.Add(sum, a)
	}
	if whole := new(big.Rat).Mul(sum, new(big.Rat).SetInt(scale)); whole.Num().Cmp(big.NewInt(maxScaled)) > 0 {
		most := new(big.Rat).Quo(big.NewRat(maxScaled, 1), sum)
		scale.Quo(most.Num(), most.Denom())
		if scale.Cmp(big.NewInt(evenParts)) > 0 {
			scale.Sub(scale, new(big.Int).Rem(scale, big.NewInt(evenParts)))
		}
	}
	out := make([]int64, len(amounts))
	for i, a := range amounts {
		x := new(big.Rat).Mul(a, new(big.Rat).SetInt(scale))
		out[i] = new(big.Int).Quo(x.Num(), x.Denom()).Int64()
	}
	return out
}
