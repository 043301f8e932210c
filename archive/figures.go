package archive

import (
	"math/big"
	"slices"
	"strings"

	"github.com/omov/omov/count"
	"github.com/omov/omov/fault"
)

// Figure is one printed figure beside what the count gives.
type Figure struct {
	Round     int
	Of        Measure
	Section   string // published name; "" : all together
	Candidate string
	Source    string // where it is not the contest's own
	Published string
	Is        *big.Rat
	Agrees    bool   // to the places that were printed
	Wrong     *Wrong // the data's own word that it does not, and why
}

// Figures compares every printed figure with a count under the contest's own
// rulebook.
func (c *Contest) Figures(r *Result) ([]Figure, error) {
	var out []Figure
	for i := range c.Rounds {
		if len(c.Rounds[i].Published) > 0 && i >= len(r.Sheet.Stages) {
			return nil, c.invalid("%d rounds were published, and the count has %d", len(c.Rounds), len(r.Sheet.Stages))
		}
		for _, t := range c.Rounds[i].Published {
			for _, s := range append([]string{""}, c.sectionNames()...) {
				for _, name := range c.Candidates {
					v, ok := t.Values[s][name]
					if !ok {
						continue
					}
					is, err := measure(&r.Sheet.Stages[i], t.Of, r.Section[s], name)
					if err != nil {
						return nil, err
					}
					f := Figure{Round: i + 1, Of: t.Of, Section: s, Candidate: name, Source: t.Source, Published: v, Is: is}
					f.Agrees = is.FloatString(Places(v)) == v
					f.Wrong = c.wrong(&f)
					out = append(out, f)
				}
			}
		}
	}
	return out, nil
}

func (c *Contest) sectionNames() []string {
	var out []string
	for _, s := range c.Sections {
		out = append(out, s.Name)
	}
	return out
}

func (c *Contest) wrong(f *Figure) *Wrong {
	i := slices.IndexFunc(c.Wrong, func(w Wrong) bool {
		return w.Round == f.Round && w.Of == f.Of && w.Section == f.Section && w.Candidate == f.Candidate && w.Published == f.Published
	})
	if i < 0 {
		return nil
	}
	return &c.Wrong[i]
}

// measure reads a figure off one stage of a sheet.
func measure(st *count.Stage, of Measure, section, name string) (*big.Rat, error) {
	switch of {
	case Votes:
		return st.Votes.Of(name).Rat(), nil
	case Total:
		return percent(st.Votes.Of(name).Rat(), sum(st.Votes)), nil
	}
	whole := new(big.Rat)
	for _, s := range st.Sections {
		whole.Add(whole, s.Weight.Rat())
	}
	for _, s := range st.Sections {
		switch {
		case s.Name != section:
		case of == Share:
			return percent(s.Votes.Of(name).Rat(), s.InPlay.Rat()), nil
		case of == Contribution:
			return percent(s.Contribution.Of(name).Rat(), whole), nil
		}
	}
	return nil, fault.New(fault.Internal, "The count has no %s of the section %q.", of, section)
}

func sum(t count.Tally) *big.Rat {
	x := new(big.Rat)
	for _, c := range t {
		x.Add(x, c.Votes.Rat())
	}
	return x
}

func percent(part, whole *big.Rat) *big.Rat {
	x := new(big.Rat)
	if whole.Sign() != 0 {
		x.Quo(x.Mul(part, big.NewRat(100, 1)), whole)
	}
	return x
}

// Places is to how many places a figure was printed.
func Places(printed string) int {
	_, frac, _ := strings.Cut(printed, ".")
	return len(frac)
}

// Percent is the ratio that was printed, exact.
func (r *Ratio) Percent() *big.Rat {
	return percent(big.NewRat(r.Part, 1), big.NewRat(r.Whole, 1))
}

// Agrees tells whether the printed per cent is the ratio's, to the places
// that were printed.
func (r *Ratio) Agrees() bool {
	return r.Percent().FloatString(Places(r.Published)) == r.Published
}
