package verify

import (
	"encoding/json"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/ristretto"
)

// Without switches a check off: what it finds is not found.
func (o Options) Without(check string) Options {
	o.off = check
	return o
}

// By has sealed ballots checked with one of the group's two back ends.
func (o Options) By(g *ristretto.Group) Options {
	o.group = g
	return o
}

// SealedChecks are those of sealed ballots.
func SealedChecks() []string {
	var out []string
	for _, x := range sealedTitles() {
		out = append(out, x[0])
	}
	return out
}

// CountAgain counts opened papers of a ballot: figures and sections of a vote,
// the sheet of an election.
func CountAgain(x *proceeding.Ballot, papers []byte) (figures map[string]int64, sections []proceeding.SectionVotes, sheet string, err error) {
	var b papersBody
	if err := json.Unmarshal(papers, &b); err != nil {
		return nil, nil, "", err
	}
	if x.Method == "" {
		figures, sections, err = countChoices(x, &b)
		return figures, sections, "", err
	}
	s, err := countPapers(x, &b)
	if err != nil {
		return nil, nil, "", err
	}
	text, err := json.Marshal(s)
	return nil, nil, string(text), err
}
