package proceeding

import "fmt"

// Marking says how a paper is marked.
type Marking string

// The ways in which papers are marked.
const (
	ByRank   Marking = "rank"   // put the candidates in order
	ByOne    Marking = "one"    // one mark
	ByMany   Marking = "many"   // up to as many marks as seats, or as wanted
	ByChoice Marking = "choose" // for, against …
)

// Marking gives how the papers of a ballot are marked, and how many marks one
// can have.
func (b *Ballot) Marking() (Marking, int) {
	switch b.Method {
	case "":
		return ByChoice, 1
	case "plurality", "exhaustive":
		return ByOne, 1
	case "plurality-at-large":
		return ByMany, min(b.Seats, len(b.Options))
	case "approval":
		return ByMany, len(b.Options)
	}
	return ByRank, len(b.Options)
}

// OptionNames are the options' names as the paper and the count show them, told
// apart where two are the same.
func OptionNames(options []Person) []string {
	out := make([]string, len(options))
	seen := map[string]int{}
	for i, o := range options {
		out[i] = o.Name
		if seen[o.Name]++; seen[o.Name] > 1 {
			out[i] = fmt.Sprintf("%s (%d)", o.Name, seen[o.Name])
		}
	}
	return out
}
