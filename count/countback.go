package count

import (
	"slices"

	"github.com/omov/omov/fault"
)

// CountbackRule is how a casual vacancy is filled from the papers.
type CountbackRule string

// The countback rules.
const (
	// Recount counts all papers again by the same method, without the member
	// who left and those unwilling, and with those still in office guarded:
	// they cannot be excluded. Whoever is elected besides them fills the
	// vacancy. (The way of the PRF rules and of Meek counts.)
	Recount CountbackRule = "recount"
	// PapersHeld counts only the papers that elected the member who left, at
	// the value with which they stayed with that member, by the alternative
	// vote among those willing who were not elected. (The way of the
	// Hare-Clark acts of Tasmania and the ACT; Gregory methods only.)
	PapersHeld CountbackRule = "papers"
)

// Vacancy is a place to be filled.
type Vacancy struct {
	Rule      CountbackRule // "" means Recount
	Vacating  int           // the member who left
	Unwilling []int         // candidates who do not stand for the vacancy
	// Sitting are those still in office; nil: those whom the original count
	// elects, without Vacating.
	Sitting []int
}

// Countback fills a casual vacancy from the papers of the election, which
// contest and papers describe as they were counted. The sheet is that of the
// countback; Elected holds whoever fills the vacancy.
func Countback(method string, c Contest, v Vacancy, section Section) (*Sheet, error) {
	m, err := Find(method)
	if err != nil {
		return nil, err
	}
	if m.Kind != Ranked || !m.Many {
		return nil, fault.New(fault.Invalid, "A vacancy is filled from the papers of an STV election, not by %s.", method)
	}
	if v.Vacating < 0 || v.Vacating >= len(c.Candidates) {
		return nil, noCandidate(v.Vacating, len(c.Candidates))
	}
	for _, w := range append(slices.Clone(v.Unwilling), v.Sitting...) {
		if w < 0 || w >= len(c.Candidates) {
			return nil, noCandidate(w, len(c.Candidates))
		}
	}
	original, err := Count(method, c, section)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(original.Elected, c.Candidates[v.Vacating]) && v.Sitting == nil {
		return nil, fault.New(fault.Invalid, "%s was not elected, so has no place to leave.", c.Candidates[v.Vacating])
	}
	if v.Sitting == nil {
		for _, name := range original.Elected {
			if i := slices.Index(c.Candidates, name); i != v.Vacating {
				v.Sitting = append(v.Sitting, i)
			}
		}
	}
	switch v.Rule {
	case "", Recount:
		return recount(method, c, v, section)
	case PapersHeld:
		return papersHeld(m, c, v, section)
	}
	return nil, fault.New(fault.Invalid, "There is no rule %q for filling a vacancy.", v.Rule)
}

// recount counts everything again with the sitting guarded.
func recount(method string, c Contest, v Vacancy, section Section) (*Sheet, error) {
	c.WithdrawnAfter = append(slices.Clone(c.WithdrawnAfter), v.Vacating)
	for _, w := range v.Unwilling {
		if !slices.Contains(v.Sitting, w) && w != v.Vacating {
			c.WithdrawnAfter = append(c.WithdrawnAfter, w)
		}
	}
	if c.Seats = max(c.Seats, 1); len(v.Sitting) >= c.Seats {
		return nil, fault.New(fault.Invalid, "There is no vacancy: %d places, %d members.", c.Seats, len(v.Sitting))
	}
	if len(v.Sitting) > 0 {
		c.Quotas = append(slices.Clone(c.Quotas), Quota{Name: "in office", Members: v.Sitting, AtLeast: len(v.Sitting)})
	}
	s, err := Count(method, c, section)
	if err != nil {
		return nil, err
	}
	sitting := c.names(v.Sitting)
	s.Elected = slices.DeleteFunc(s.Elected, func(n string) bool { return slices.Contains(sitting, n) })
	s.Notes = append(s.Notes, "countback by recount: "+list(sitting)+" remain in office and are guarded; "+
		c.Candidates[v.Vacating]+" has left")
	return s, nil
}

// papersHeld counts the papers that stayed with the member who left.
func papersHeld(m Method, c Contest, v Vacancy, section Section) (*Sheet, error) {
	var rule gregoryRule
	switch m.ID {
	case "scottish-stv":
		rule = scottishRule()
	case "wigm-prf":
		rule = wigmRule(&c)
	default:
		return nil, fault.New(fault.Invalid, "Only scottish-stv and wigm-prf know which papers elected a member; fill the vacancy by recount.")
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	cleaned, err := c.clean(m, section.Papers)
	if err != nil {
		return nil, err
	}
	g, err := newGregory(&c, cleaned, rule)
	if err != nil {
		return nil, err
	}
	held := NewGrouper(len(c.Candidates))
	add := func(from []parcel, value func(Votes) Votes) {
		for _, p := range from {
			for _, x := range g.table.open(p.papers) {
				// Values in the last decimal place: one vote is 10^places.
				_ = held.Add(g.table.p.at(int(x.group)), g.table.p.weights[x.group]*value(p.value))
			}
		}
	}
	g.keep = func(who int, from []parcel, surplus Votes) {
		if who == v.Vacating {
			total := g.votes[who]
			add(from, func(w Votes) Votes { return w - mulDiv(w, surplus, total) })
		}
	}
	if err := g.run(); err != nil {
		return nil, err
	}
	add(g.parcels[v.Vacating], func(w Votes) Votes { return w })
	papers := held.Papers()
	papers.den = g.one
	out := append(slices.Clone(v.Sitting), v.Unwilling...)
	next := Contest{Candidates: c.Candidates, Seats: 1, Ties: c.Ties, Seed: c.Seed, Order: c.Order, LotsBefore: g.ties.lots, Trail: c.Trail,
		WithdrawnAfter: append(out, append([]int{v.Vacating}, append(c.Withdrawn, c.WithdrawnAfter...)...)...)}
	s, err := Count("av", next, Pool(papers))
	if err != nil {
		return nil, err
	}
	s.Notes = append(s.Notes, "countback from the papers that elected "+c.Candidates[v.Vacating]+", each at the value that stayed with them")
	return s, nil
}
