package count

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/omov/omov/fault"
)

// Amount is an exact number of votes as text: a whole number, a decimal with
// as many places as the rule has, or a fraction "a/b" in lowest terms.
type Amount string

// Rat gives the amount as a number; an empty or broken amount is 0.
func (a Amount) Rat() *big.Rat {
	if r, ok := new(big.Rat).SetString(string(a)); ok {
		return r
	}
	return new(big.Rat)
}

// Decimal gives the amount rounded half away from zero to so many places,
// for people; a whole number stays whole.
func (a Amount) Decimal(places int) string {
	s := string(a)
	if !strings.ContainsAny(s, "./") {
		return s
	}
	return a.Rat().FloatString(places)
}

// Total is an Amount that is a JSON number where it is whole.
type Total Amount

// MarshalJSON writes a whole number as a number, anything else as a string.
func (t Total) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("0"), nil
	}
	if strings.ContainsAny(string(t), "./") {
		return json.Marshal(string(t))
	}
	return []byte(t), nil
}

// UnmarshalJSON takes either.
func (t *Total) UnmarshalJSON(b []byte) error {
	*t = Total(strings.Trim(string(b), `"`))
	return nil
}

// Rat gives the total as a number.
func (t Total) Rat() *big.Rat { return Amount(t).Rat() }

// Cell is one candidate's amount.
type Cell struct {
	Name  string
	Votes Amount
}

// Tally is amounts by name, in the order of the candidates. In JSON it is an
// object with its keys in that order.
type Tally []Cell

// Of gives the amount of a name, "" if it has none.
func (t Tally) Of(name string) Amount {
	for _, c := range t {
		if c.Name == name {
			return c.Votes
		}
	}
	return ""
}

// MarshalJSON writes an object.
func (t Tally) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, c := range t {
		if i > 0 {
			b.WriteByte(',')
		}
		k, err := json.Marshal(c.Name)
		if err != nil {
			return nil, err
		}
		b.Write(k)
		b.WriteByte(':')
		b.WriteString(strconv.Quote(string(c.Votes)))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads an object and keeps the order of its keys.
func (t *Tally) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return err
	}
	*t = Tally{}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return err
		}
		var v Amount
		if err := d.Decode(&v); err != nil {
			return err
		}
		name, ok := k.(string)
		if !ok {
			return fault.New(fault.Invalid, "A tally is an object of names and amounts.")
		}
		*t = append(*t, Cell{name, v})
	}
	return nil
}

// Sheet is a count sheet.
type Sheet struct {
	Method     string   `json:"method"`
	Source     string   `json:"source"`
	Seats      int      `json:"seats"`
	Candidates []string `json:"candidates"`
	Withdrawn  []string `json:"withdrawn,omitempty"`
	Valid      Total    `json:"valid"`
	Invalid    Total    `json:"invalid"` // spoilt and blank
	Blank      Total    `json:"blank"`
	Quota      Amount   `json:"quota"` // what had to be reached at the last stage; "" where the method has none
	Stages     []Stage  `json:"stages"`
	Elected    []string `json:"elected"` // in order of election
	// Carried is the answer of a yes/no vote, nil for an election.
	Carried *bool `json:"carried,omitempty"`
	// Ranking is the whole order, where the method gives one; equal places
	// share a row.
	Ranking [][]string `json:"ranking,omitempty"`
	// Pairs are the votes for each over each, for pairwise methods, in the
	// order of the candidates.
	Pairs [][]Amount `json:"pairs,omitempty"`
	// Notes are readings taken and things a reader should know.
	Notes []string `json:"notes,omitempty"`
	// Trail, if the contest asked for it, is where the papers of each group
	// lay: by section, then by group.
	Trail [][]Path `json:"-"`
}

// Stage is one stage of a count. In av, exhaustive, college and the Meek rules
// Excluded are those whom the votes of this stage exclude: the next stage shows their
// papers gone on. In the Gregory rules (scottish-stv, wigm-prf, ers97) a stage
// is a transfer: its votes are those after it, and Excluded are those whose
// papers it transferred. Elected are always those elected by these votes.
type Stage struct {
	N               int      `json:"n"`
	Action          string   `json:"action"`
	Quota           Amount   `json:"quota,omitempty"`
	Votes           Tally    `json:"votes"`
	NonTransferable Amount   `json:"non_transferable"`
	Rounding        Amount   `json:"rounding,omitempty"` // lost because the rule cuts decimals
	Surplus         Amount   `json:"surplus,omitempty"`  // not yet transferred
	Elected         []string `json:"elected"`
	Excluded        []string `json:"excluded"`
	Withdrawn       []string `json:"withdrawn,omitempty"`
	Ties            []Tie    `json:"ties"`
	// Sections are there where sections have weights; Votes then holds the
	// totals as shares of the sum of the weights.
	Sections []SectionStage `json:"sections,omitempty"`
	// Groups are the first preferences by reporting group, at the first stage.
	Groups []GroupTally `json:"groups,omitempty"`
	Keep   Tally        `json:"keep,omitempty"` // keep factors (meek)
	Note   string       `json:"note"`
}

// SectionStage is what a section contributed at a stage.
type SectionStage struct {
	Name         string `json:"name"`
	Weight       Amount `json:"weight"`
	InPlay       Amount `json:"in_play"` // the base: votes still in play here
	Votes        Tally  `json:"votes"`
	Contribution Tally  `json:"contribution"` // Weight × votes / in play
}

// GroupTally is first preferences of one reporting group.
type GroupTally struct {
	Name  string `json:"name"`
	Votes Tally  `json:"votes"`
	Total Amount `json:"total"`
}

// Path is where the papers of a group lay, in order.
type Path []Step

// Step says that from a stage on the papers lay with a candidate (−1:
// non-transferable) at a value each ("" where the value is always one).
type Step struct {
	Stage     int
	Candidate int
	Value     Amount
}

// amountOf writes n/d.
func amountOf(n, d Votes) Amount {
	if d == 1 {
		return Amount(strconv.FormatInt(n, 10))
	}
	return ratAmount(big.NewRat(n, d))
}

func ratAmount(r *big.Rat) Amount {
	if r.IsInt() {
		return Amount(r.Num().String())
	}
	return Amount(r.String())
}

// fixedAmount writes v units of the given decimal place.
func fixedAmount(v Votes, places int) Amount {
	if places == 0 {
		return Amount(strconv.FormatInt(v, 10))
	}
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	p := pow10(places)
	return Amount(fmt.Sprintf("%s%d.%0*d", sign, v/p, places, v%p))
}

func pow10(n int) Votes {
	p := Votes(1)
	for range n {
		p *= 10
	}
	return p
}

// tally gives the amounts of all candidates but those that show leaves out.
func tally(names []string, amount func(c int) (Amount, bool)) Tally {
	t := make(Tally, 0, len(names))
	for i, n := range names {
		if a, ok := amount(i); ok {
			t = append(t, Cell{n, a})
		}
	}
	return t
}
