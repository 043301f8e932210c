package archive

import (
	"math/big"
	"slices"

	"github.com/omov/omov/fault"
)

// Division is a card vote of a conference as it was printed: what each part
// of the conference adds for and against, and the sums, in per cent of the
// whole.
type Division struct {
	ID     string   `json:"id"`
	Title  string   `json:"title"`
	Date   string   `json:"date,omitempty"`
	Source []string `json:"source"`
	Notes  []string `json:"notes,omitempty"`
	Parts  []Part   `json:"parts,omitempty"`
	Total  Pair     `json:"total"`
	Wrong  []Slip   `json:"wrong,omitempty"`
}

// Part is one part of a conference. Votes are there where they were
// published; then For and Against follow from them and the weight.
type Part struct {
	Name   string     `json:"name"`
	Weight string     `json:"weight,omitempty"` // what it is worth; empty: not published as a whole
	Votes  *VotesPair `json:"votes,omitempty"`
	Pair
}

// Pair is what was printed for and against.
type Pair struct {
	For     string `json:"for"`
	Against string `json:"against"`
}

// VotesPair is card values for and against.
type VotesPair struct {
	For     int64 `json:"for"`
	Against int64 `json:"against"`
}

// Slip is something about a division that does not add up: the sum as
// printed, and as the printed parts make it. Mended are figures with which
// all sums hold, where there are such.
type Slip struct {
	What    string `json:"what"` // "for", "against" or the name of a part
	Printed string `json:"printed"`
	Is      string `json:"is"`
	Mended  string `json:"mended,omitempty"`
	Why     string `json:"why"`
}

const divisionsFile = "data/divisions.json"

// Divisions gives the card votes of conferences that the archive has.
func Divisions() ([]Division, error) {
	var out []Division
	if err := read(divisionsFile, &out); err != nil {
		return nil, err
	}
	return out, nil
}

// Slips finds what does not add up in a division: parts that are not worth
// their weight, and sums that are not those of the parts.
func (d *Division) Slips() ([]Slip, error) {
	var out []Slip
	yes, no := new(big.Rat), new(big.Rat)
	for _, p := range d.Parts {
		f, a, err := p.rats()
		if err != nil {
			return nil, err
		}
		yes.Add(yes, f)
		no.Add(no, a)
		if p.Weight != "" {
			out = append(out, slip(p.Name, p.Weight, new(big.Rat).Add(f, a))...)
		}
	}
	if len(d.Parts) > 0 {
		out = append(out, slip("for", d.Total.For, yes)...)
		out = append(out, slip("against", d.Total.Against, no)...)
	}
	return out, nil
}

// Reason is the data's own word on something that does not add up, or nil.
func (d *Division) Reason(s Slip) *Slip {
	i := slices.IndexFunc(d.Wrong, func(w Slip) bool { return w.What == s.What && w.Printed == s.Printed && w.Is == s.Is })
	if i < 0 {
		return nil
	}
	return &d.Wrong[i]
}

func slip(what, printed string, is *big.Rat) []Slip {
	want, ok := new(big.Rat).SetString(printed)
	if ok && want.Cmp(is) == 0 {
		return nil
	}
	return []Slip{{What: what, Printed: printed, Is: is.FloatString(max(1, Places(printed)))}}
}

func (p *Pair) rats() (yes, no *big.Rat, err error) {
	yes, ok := new(big.Rat).SetString(p.For)
	no, fine := new(big.Rat).SetString(p.Against)
	if !ok || !fine {
		return nil, nil, fault.New(fault.Invalid, "%q and %q are not figures.", p.For, p.Against)
	}
	return yes, no, nil
}
