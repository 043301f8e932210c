package count

import (
	"encoding/json"
	"math/big"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"
)

type number = json.Number

// table is one published result.
type table struct {
	ID, Kind, Winner string
	Seats            int
	Spoilt           Votes
	Electorate       Votes             `json:"electorate_size"`
	Weights          map[string]number `json:"weights"`
	Votes            json.RawMessage
	Pct              map[string]number
	Published        map[string]number
	Rounds           []struct {
		Votes     json.RawMessage
		ByClass   map[string]map[string]Votes `json:"by_class"`
		Computed  map[string]number           `json:"computed_total_pct"`
		Published map[string]Votes            `json:"published_total"`
		Leaves    map[string]string
	}
}

func tables(t *testing.T) map[string]table {
	t.Helper()
	data, err := os.ReadFile("testdata/results.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Tables []table }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	out := map[string]table{}
	for _, x := range file.Tables {
		out[x.ID] = x
	}
	return out
}

func sortedKeys[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// plainRounds turns rounds of name → votes into rounds of an exhaustive
// ballot.
func plainRounds(t *testing.T, x table) (Contest, []Section) {
	t.Helper()
	c := Contest{}
	var sections []Section
	for i, r := range x.Rounds {
		var bySection map[string]map[string]Votes
		if json.Unmarshal(r.Votes, &bySection) != nil {
			var plain map[string]Votes
			if err := json.Unmarshal(r.Votes, &plain); err != nil {
				t.Fatal(x.ID, err)
			}
			bySection = map[string]map[string]Votes{"": plain}
		}
		names := sortedKeys(bySection)
		if i == 0 {
			c.Candidates = sortedKeys(bySection[names[0]])
			for _, n := range names {
				s := Section{Name: n, Papers: NewGrouper(len(c.Candidates)).Papers()}
				if w, ok := x.Weights[n]; ok {
					s.Weight, _ = new(big.Rat).SetString(string(w))
					if strings.HasPrefix(string(w), "33.33") {
						s.Weight = big.NewRat(100, 3)
					}
				}
				sections = append(sections, s)
			}
		}
		round := Round{}
		for _, n := range names {
			row := make([]Votes, len(c.Candidates))
			for name, v := range bySection[n] {
				row[slices.Index(c.Candidates, name)] = v
			}
			round.Votes = append(round.Votes, row)
		}
		for name, how := range r.Leaves {
			if strings.HasPrefix(how, "withdrew") {
				round.Withdraw = append(round.Withdraw, slices.Index(c.Candidates, name))
			}
		}
		c.Rounds = append(c.Rounds, round)
	}
	return c, sections
}

func TestPublishedRounds(t *testing.T) {
	n := 0
	for id, x := range tables(t) {
		if len(x.Rounds) == 0 || x.Rounds[0].Votes == nil || strings.HasPrefix(x.Kind, "motion") {
			continue
		}
		n++
		c, sections := plainRounds(t, x)
		method := "exhaustive"
		var given []Section
		if len(sections) > 1 {
			method, given, c.Inside = "college", sections, "exhaustive"
		}
		s, err := Count(method, c, given...)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if len(s.Elected) != 1 || s.Elected[0] != x.Winner {
			t.Errorf("%s: elected %v, not %s", id, s.Elected, x.Winner)
		}
		for i, r := range x.Rounds {
			for name, pct := range r.Computed {
				want, _ := new(big.Rat).SetString(string(pct))
				got := s.Stages[i].Votes.Of(name).Rat()
				if d := new(big.Rat).Sub(got, want); d.Abs(d).Cmp(big.NewRat(51, 100_000)) > 0 {
					t.Errorf("%s, round %d: %s has %s %%, not %s", id, i+1, name, got.FloatString(4), pct)
				}
			}
			for name, how := range r.Leaves {
				if how == "eliminated" && !slices.Contains(s.Stages[i].Excluded, name) {
					t.Errorf("%s, round %d: %s should leave, not %v", id, i+1, name, s.Stages[i].Excluded)
				}
			}
		}
	}
	if n < 9 {
		t.Errorf("only %d tables", n)
	}
}

func TestPublishedPools(t *testing.T) {
	n := 0
	for id, x := range tables(t) {
		if len(x.Rounds) == 0 || x.Rounds[0].ByClass == nil {
			continue
		}
		n++
		r := x.Rounds[0]
		classes := sortedKeys(r.ByClass)
		c := Contest{Candidates: sortedKeys(r.ByClass[classes[0]])}
		g := NewGrouper(len(c.Candidates))
		if err := g.SetClasses(classes); err != nil {
			t.Fatal(err)
		}
		for k, class := range classes {
			for name, v := range r.ByClass[class] {
				if err := g.AddIn(k, []Mark{Mark(slices.Index(c.Candidates, name))}, v); err != nil {
					t.Fatal(err)
				}
			}
		}
		p := g.Papers()
		s, err := Count("av", c, Pool(p))
		if err != nil {
			t.Fatal(id, err)
		}
		if s.Elected[0] != x.Winner || len(s.Stages) != 1 {
			t.Errorf("%s: elected %v in %d stages", id, s.Elected, len(s.Stages))
		}
		for name, v := range r.Published {
			if got := s.Stages[0].Votes.Of(name); got != amountOf(v, 1) {
				t.Errorf("%s: %s has %s, published %d", id, name, got, v)
			}
		}
		for k, class := range classes {
			for name, v := range r.ByClass[class] {
				if got := s.Stages[0].Groups[k].Votes.Of(name); got != amountOf(v, 1) {
					t.Errorf("%s: %s has %s among %s, not %d", id, name, got, class, v)
				}
			}
		}
	}
	if n < 3 {
		t.Errorf("only %d tables", n)
	}
}

func TestPublishedAtLarge(t *testing.T) {
	n := 0
	for id, x := range tables(t) {
		if !strings.HasPrefix(x.Kind, "plurality-at-large") {
			continue
		}
		n++
		var votes map[string]Votes
		if err := json.Unmarshal(x.Votes, &votes); err != nil {
			t.Fatal(err)
		}
		c := Contest{Candidates: sortedKeys(votes), Seats: x.Seats}
		g := NewGrouper(len(c.Candidates))
		for i, name := range c.Candidates {
			if err := g.Add([]Mark{Mark(i)}, votes[name]); err != nil {
				t.Fatal(err)
			}
		}
		s, err := Count("plurality-at-large", c, Pool(g.Papers()))
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		order := slices.Clone(c.Candidates)
		sort.SliceStable(order, func(i, j int) bool { return votes[order[i]] > votes[order[j]] })
		if !slices.Equal(s.Elected, order[:x.Seats]) {
			t.Errorf("%s: elected %v, not %v", id, s.Elected, order[:x.Seats])
		}
	}
	if n < 3 {
		t.Errorf("only %d tables", n)
	}
}

// TestPublishedNoConfidence: 172 to 40, 4 spoilt, 229 entitled; three shares
// went round because nobody had said of what.
func TestPublishedNoConfidence(t *testing.T) {
	x := tables(t)["2016-plp-vonc"]
	var votes map[string]Votes
	if err := json.Unmarshal(x.Rounds[0].Votes, &votes); err != nil {
		t.Fatal(err)
	}
	g := NewGrouper(2)
	_ = g.Add([]Mark{0}, votes["no_confidence"])
	_ = g.Add([]Mark{1}, votes["confidence"])
	_ = g.Spoil(x.Spoilt)
	p := g.Papers()
	for _, y := range []struct {
		of, want string
	}{{"cast", "81.13"}, {"papers", "79.63"}, {"entitled", "75.11"}} {
		s := mustCount(t, "majority", Contest{Candidates: []string{"no confidence", "confidence"},
			Pass: Threshold{Share: big.NewRat(2, 3), Of: y.of, Entitled: x.Electorate}}, Pool(p))
		whole := new(big.Rat).Mul(s.Quota.Rat(), big.NewRat(3, 2))
		if got := Percent(s.Stages[0].Votes.Of("no confidence"), ratAmount(whole), 2); got != y.want || !*s.Carried {
			t.Errorf("of %s: %s %%, not %s", y.of, got, y.want)
		}
	}
}

func TestPublishedCards(t *testing.T) {
	all := tables(t)
	for _, id := range []string{"conf-2021-cv1", "conf-2021-cv2"} {
		x := all[id]
		var votes map[string]map[string]int64
		if err := json.Unmarshal(x.Votes, &votes); err != nil {
			t.Fatal(err)
		}
		c := Contest{Candidates: []string{"For", "Against"}}
		for _, half := range sortedKeys(votes) {
			c.Halves = append(c.Halves, Half{Name: half, Weight: big.NewRat(50, 1)})
			a, b := big.NewRat(votes[half]["for"], 1), big.NewRat(votes[half]["against"], 1)
			c.Cards = append(c.Cards, Card{Unit: "all", Half: half, Value: new(big.Rat).Add(a, b), Votes: []*big.Rat{a, b}})
		}
		s := mustCount(t, "card", c)
		if !*s.Carried {
			t.Errorf("%s: not carried", id)
		}
		want := map[string]string{"conf-2021-cv1": "98.63", "conf-2021-cv2": "98.95"}[id]
		if got := s.Stages[0].Votes.Of("For").Decimal(2); got != want {
			t.Errorf("%s: %s for, not %s", id, got, want)
		}
	}
	// 1993: 8.1 per cent of the card value was not cast; the majority is of
	// the votes cast, the figures are of the whole value.
	pct := all["conf-1993-omov"].Pct
	yes, _ := new(big.Rat).SetString(string(pct["for"]))
	no, _ := new(big.Rat).SetString(string(pct["against"]))
	c := Contest{Candidates: []string{"For", "Against"}, Cards: []Card{{Unit: "conference", Value: big.NewRat(100, 1), Votes: []*big.Rat{yes, no}}}}
	s := mustCount(t, "card", c)
	if !*s.Carried || s.Stages[0].NonTransferable.Decimal(1) != "8.1" {
		t.Errorf("1993: %v, not cast %s", *s.Carried, s.Stages[0].NonTransferable)
	}
	c.Halves = []Half{{Name: "", Weight: big.NewRat(100, 1), OfValue: true}}
	if s := mustCount(t, "card", c); *s.Carried {
		t.Error("1993: of all card value there was no majority")
	}
}
