// Package archive holds published contests of the past as data and counts them
// anew: papers are reconstructed that fit the published rounds, and run under
// a shipped rulebook, whose method, sections and weights are taken from the
// rulebook and not from the data. It decides whether published rounds are
// possible at all, and which printed figures do not follow from the votes.
//
// It never writes to a register or a minute book: what is here happened
// elsewhere. It never mends a printed figure: one that is wrong stays as it
// was printed, with what it should be beside it. Reconstructed papers say no
// more than the published rounds do; whose they were, and what else was on
// them, nobody knows.
package archive

import (
	"bytes"
	"embed"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"

	"github.com/omov/omov/fault"
)

// The published tables are compiled in; embedding needs a variable of the
// package, and nothing can change it.
//
//go:embed data/*.json
var files embed.FS

// Contest is a contest as it was published. Figures are as they were printed,
// as text; votes are whole numbers.
type Contest struct {
	ID             string   `json:"id"`
	Title          string   `json:"title"`
	Organisation   string   `json:"organisation"`
	Date           string   `json:"date"`
	Rulebook       string   `json:"rulebook"`  // the shipped rulebook it ran under
	Procedure      string   `json:"procedure"` // in that rulebook
	Source         []string `json:"source"`
	Confidence     string   `json:"confidence"`
	ConfidenceSays string   `json:"confidence_says"`
	Notes          []string `json:"notes"`

	Candidates []string  `json:"candidates"`
	Sections   []Section `json:"sections"`
	Rounds     []Round   `json:"rounds"`
	Winner     string    `json:"winner,omitempty"` // empty: a vote, not an election
	Entitled   int64     `json:"entitled,omitempty"`
	Wrong      []Wrong   `json:"wrong,omitempty"`
	Ratios     []Ratio   `json:"ratios,omitempty"`
}

// Section is a group of voters whose votes were published apart. Kind says
// who they are; it is what decides where a rulebook would have them vote.
type Section struct {
	Name        string `json:"name"`
	Says        string `json:"says"`
	Kind        string `json:"kind"`
	Unit        string `json:"unit,omitempty"`        // what one vote is, where it is no single paper
	Constructed string `json:"constructed,omitempty"` // why the votes are not the published ones
}

// Round is one published round.
type Round struct {
	Date      string                      `json:"date,omitempty"`
	Votes     map[string]map[string]int64 `json:"votes"`            // by section, then candidate
	Spoilt    map[string]int64            `json:"spoilt,omitempty"` // by section; "" where not told apart
	Leaves    map[string]Leaving          `json:"leaves,omitempty"`
	Published []Printed                   `json:"published,omitempty"`
}

// Leaving says why a candidate stood in no later round.
type Leaving string

// The ways of leaving.
const (
	Lowest   Leaving = "lowest"
	Withdrew Leaving = "withdrew"
)

// Printed is a printed table: by section ("" where it is of all together),
// then candidate.
type Printed struct {
	Of     Measure                      `json:"of"`
	Source string                       `json:"source,omitempty"` // where it is not the contest's own
	Values map[string]map[string]string `json:"values"`
}

// Measure says what printed figures are.
type Measure string

// The measures. Shares are per cent.
const (
	Share        Measure = "share"        // of the section's votes
	Contribution Measure = "contribution" // what the section adds to the total
	Total        Measure = "total"        // of all votes, sections weighted
	Votes        Measure = "votes"        // all votes together
)

// Wrong is a printed figure that does not follow from the votes.
type Wrong struct {
	Round     int     `json:"round"`
	Of        Measure `json:"of"`
	Section   string  `json:"section"`
	Candidate string  `json:"candidate"`
	Published string  `json:"published"`
	Is        string  `json:"is"`
	Why       string  `json:"why"`
}

// Ratio is a printed per cent of one number of another, a turnout mostly. Is
// is set where it does not hold.
type Ratio struct {
	Says      string `json:"says"`
	Part      int64  `json:"part"`
	Whole     int64  `json:"whole"`
	Published string `json:"published"`
	Is        string `json:"is,omitempty"`
	Why       string `json:"why,omitempty"`
}

// votersFile is not a contest but says who votes where under each rulebook.
const votersFile = "data/voters.json"

// All gives the published contests, the newest first.
func All() ([]*Contest, error) {
	names, err := fs.Glob(files, "data/*.json")
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the archive cannot be listed")
	}
	var out []*Contest
	for _, name := range names {
		if name == votersFile || name == divisionsFile {
			continue
		}
		c := &Contest{}
		if err := read(name, c); err != nil {
			return nil, err
		}
		if err := c.check(); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b *Contest) int { return strings.Compare(b.Date, a.Date) })
	return out, nil
}

// Find gives the contest with an id.
func Find(id string) (*Contest, error) {
	all, err := All()
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.ID == id {
			return c, nil
		}
	}
	return nil, fault.New(fault.NotFound, "The archive has no contest %q.", id)
}

func read(name string, into any) error {
	b, err := files.ReadFile(name)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "%s of the archive cannot be read", name)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fault.Wrap(fault.Internal, err, "%s of the archive cannot be read", name)
	}
	return nil
}

// check refuses tables that name somebody or something they do not list.
func (c *Contest) check() error {
	if len(c.Candidates) < 2 || len(c.Sections) == 0 || len(c.Rounds) == 0 || len(c.Source) == 0 {
		return c.invalid("it needs candidates, sections, rounds and a source")
	}
	for i, r := range c.Rounds {
		for _, s := range c.Sections {
			if _, ok := r.Votes[s.Name]; !ok {
				return c.invalid("round %d has no votes of the section %s", i+1, s.Name)
			}
		}
		if len(r.Votes) != len(c.Sections) {
			return c.invalid("round %d has votes of a section that is not listed", i+1)
		}
		for _, votes := range r.Votes {
			for name, n := range votes {
				if !slices.Contains(c.Candidates, name) || n < 0 {
					return c.invalid("round %d has %d votes for %s", i+1, n, name)
				}
			}
		}
		for s, n := range r.Spoilt {
			if s != "" && c.section(s) == nil || n < 0 {
				return c.invalid("round %d has %d spoilt papers of the section %s", i+1, n, s)
			}
		}
		for name := range r.Leaves {
			if !slices.Contains(c.Candidates, name) {
				return c.invalid("%s leaves, who is not a candidate", name)
			}
		}
	}
	return nil
}

func (c *Contest) invalid(format string, args ...any) *fault.Error {
	f := fault.New(fault.Invalid, format, args...)
	f.Message = "The published contest " + c.ID + ": " + f.Message + "."
	return f
}

// stands tells whether a candidate stands in a round: nobody who left an
// earlier one does.
func (c *Contest) stands(name string, round int) bool {
	for _, r := range c.Rounds[:round] {
		if _, left := r.Leaves[name]; left {
			return false
		}
	}
	return true
}
