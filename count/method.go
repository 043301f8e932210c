package count

import (
	"math/big"
	"strings"

	"github.com/omov/omov/fault"
)

// Kind says what a paper of a method looks like.
type Kind string

// The kinds of paper.
const (
	Ranked Kind = "ranked" // candidates in order
	Marks  Kind = "marks"  // one mark or several, without order
	YesNo  Kind = "yes-no" // for, against
	Points Kind = "points" // a mark is worth points by its rank
	Cards  Kind = "cards"  // units vote with card values
)

// Method is a method of counting.
type Method struct {
	ID     string
	Name   string
	Kind   Kind
	Many   bool   // several seats; else one
	Source string // the text it follows
	// Equal tells whether the method has equal ranks; else they are
	// irregular and Contest.Equals says what happens.
	Equal bool
	// Sections tells whether it takes several weighted sections.
	Sections bool
	// Gaps, Repeats, Equals are its own rule for irregular papers.
	Gaps, Repeats, Equals Validity

	count func(*Contest, []Section) (*Sheet, error)
}

// Methods gives all methods in the order of the documentation.
func Methods() []Method {
	return append(simpleMethods(), append(stvMethods(), pairMethods()...)...)
}

func simpleMethods() []Method {
	return []Method{
		{ID: "plurality", Name: "Plurality", Kind: Marks, Source: "relative majority: whoever has the most votes",
			Gaps: Skip, Repeats: Skip, Equals: Stop, count: countPlurality},
		{ID: "plurality-at-large", Name: "Plurality at large", Kind: Marks, Many: true, Source: "block vote: as many marks as seats, the most votes win",
			Gaps: Skip, Repeats: Skip, Equals: Straight, Equal: true, count: countAtLarge},
		{ID: "approval", Name: "Approval", Kind: Marks, Many: true, Source: "Brams and Fishburn, Approval Voting (1978): any number of marks, the most votes win",
			Gaps: Skip, Repeats: Skip, Equals: Straight, Equal: true, count: countApproval},
		{ID: "majority", Name: "Majority (yes or no)", Kind: YesNo, Source: "the rulebook's threshold: a share of a named denominator",
			Gaps: Skip, Repeats: Skip, Equals: Spoil, count: countMajority},
		{ID: "points", Name: "Points", Kind: Points, Many: true, Source: "Borda (1781), with the scale that the rulebook gives",
			Gaps: Skip, Repeats: Skip, Equals: Share, Equal: true, count: countPoints},
		{ID: "av", Name: "Alternative vote", Kind: Ranked, Source: "the lowest is excluded until one has more than half of the votes still in play",
			Gaps: Skip, Repeats: Skip, Equals: Stop, count: countAV},
		{ID: "av-sequential", Name: "Sequential alternative vote", Kind: Ranked, Many: true, Source: "av once for each place; whoever has been elected withdraws from the next",
			Gaps: Skip, Repeats: Skip, Equals: Stop, count: countSequential},
		{ID: "exhaustive", Name: "Exhaustive ballot", Kind: Marks, Source: "successive ballots; the lowest leaves until one has more than half of the votes cast",
			Gaps: Skip, Repeats: Skip, Equals: Stop, count: countExhaustive},
		{ID: "college", Name: "Electoral college", Kind: Ranked, Sections: true, Source: "weighted sections, each re-based at every round to its full weight on the votes still in play there",
			Gaps: Skip, Repeats: Skip, Equals: Stop, count: countCollege},
		{ID: "card", Name: "Card vote", Kind: Cards, Source: "units with card values, split or block; parts normalised to their weight",
			Gaps: Skip, Repeats: Skip, Equals: Stop, count: countCard},
	}
}

// Find gives the method with an id.
func Find(id string) (Method, error) {
	var ids []string
	for _, m := range Methods() {
		if m.ID == id {
			return m, nil
		}
		ids = append(ids, m.ID)
	}
	return Method{}, fault.New(fault.Invalid, "There is no counting method %q; there are %s.", id, strings.Join(ids, ", "))
}

// Count counts the papers of a contest by a method. The error is a
// *fault.Error for input that cannot be counted, or a *TieError.
func Count(method string, c Contest, sections ...Section) (*Sheet, error) {
	m, err := Find(method)
	if err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := m.check(&c, sections); err != nil {
		return nil, err
	}
	cleaned := make([]Section, len(sections))
	for i, s := range sections {
		if s.Papers == nil { // rounds given as totals
			cleaned[i] = s
			continue
		}
		if s.Papers, err = c.clean(m, s.Papers); err != nil {
			return nil, err
		}
		cleaned[i] = s
	}
	sheet, err := m.count(&c, cleaned)
	if err != nil {
		return nil, err
	}
	sheet.Method, sheet.Source, sheet.Seats, sheet.Candidates = m.ID, m.Source, c.Seats, c.Candidates
	sheet.Withdrawn = c.names(append(append([]int(nil), c.Withdrawn...), c.WithdrawnAfter...))
	sheet.addPapers(cleaned)
	sheet.finish()
	return sheet, nil
}

// check refuses what the method does not have.
func (m Method) check(c *Contest, sections []Section) error {
	rounds := len(c.Rounds) > 0 && (m.ID == "exhaustive" || m.ID == "college")
	if !m.Many && c.Seats != 1 && !(rounds && m.ID == "exhaustive") {
		return fault.New(fault.Invalid, "The method %s fills one seat, not %d.", m.ID, c.Seats)
	}
	if len(c.Quotas) > 0 && !m.quotas() {
		return fault.New(fault.Invalid, "The method %s cannot keep quotas on the result; the STV methods and plurality-at-large can.", m.ID)
	}
	if len(sections) == 0 && m.ID != "card" && (m.ID != "exhaustive" || !rounds) || !m.Sections && len(sections) > 1 {
		return fault.New(fault.Invalid, "The method %s takes one section of papers, not %d.", m.ID, len(sections))
	}
	for _, s := range sections {
		if rounds && s.Papers == nil {
			continue
		}
		if s.Papers == nil || s.Papers.candidates != len(c.Candidates) {
			return fault.New(fault.Invalid, "The papers of %q are not papers over these %d candidates.", s.Name, len(c.Candidates))
		}
	}
	return nil
}

func (m Method) quotas() bool {
	return m.ID == "plurality-at-large" || m.Kind == Ranked && m.Many && m.ID != "av-sequential"
}

// addPapers writes the valid and invalid votes on the sheet, unless the
// method did so itself.
func (s *Sheet) addPapers(sections []Section) {
	if s.Valid != "" || len(sections) == 0 {
		return
	}
	valid, invalid, blank := new(big.Rat), new(big.Rat), new(big.Rat)
	for _, x := range sections {
		p := x.Papers
		valid.Add(valid, big.NewRat(p.total, p.den))
		blank.Add(blank, big.NewRat(p.blank, p.den))
		invalid.Add(invalid, big.NewRat(p.invalid+p.blank, p.den))
	}
	s.Valid, s.Invalid, s.Blank = Total(ratAmount(valid)), Total(ratAmount(invalid)), Total(ratAmount(blank))
}

// finish numbers the stages and makes empty lists of missing ones, so that
// JSON has [] and never null.
func (s *Sheet) finish() {
	for i := range s.Stages {
		st := &s.Stages[i]
		st.N = i + 1
		st.Elected, st.Excluded, st.Ties = some(st.Elected), some(st.Excluded), some(st.Ties)
		if st.NonTransferable == "" {
			st.NonTransferable = "0"
		}
	}
	s.Stages, s.Elected = some(s.Stages), some(s.Elected)
}

func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
