package verify

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/omov/omov/proceeding"
)

func halves() *proceeding.Ballot {
	return &proceeding.Ballot{Choices: []string{"for", "against", "abstain"},
		Roll: proceeding.Roll{Sections: []proceeding.RollSection{{Name: "constituencies", Weight: "50"}, {Name: "affiliates", Weight: "50"}}}}
}

func votesOf(section, yes, no string) proceeding.SectionVotes {
	return proceeding.SectionVotes{Section: section, Votes: map[string]string{"for": yes, "against": no, "abstain": "0"}}
}

// The figures of card vote 1 of 2021 follow from the votes in its halves; votes
// that cannot be of them are refused.
func TestWeighedFigures(t *testing.T) {
	f, err := weighedFigures(halves(), []proceeding.SectionVotes{votesOf("constituencies", "342921", "8723"), votesOf("affiliates", "1810113", "4825")})
	if err != nil {
		t.Fatal(err)
	}
	if p := big.NewRat(100*f["for"], f["for"]+f["against"]).FloatString(2); p != "98.63" {
		t.Errorf("%s per cent; 98.63 were published", p)
	}
	for name, list := range map[string][]proceeding.SectionVotes{
		"a section is missing":     {votesOf("constituencies", "3", "1")},
		"another section":          {votesOf("constituencies", "3", "1"), votesOf("unions", "3", "1")},
		"votes that are no number": {votesOf("constituencies", "3", "1"), votesOf("affiliates", "three", "1")},
		"votes below nought":       {votesOf("constituencies", "3", "1"), votesOf("affiliates", "3", "-1")},
		"a choice is missing":      {votesOf("constituencies", "3", "1"), {Section: "affiliates", Votes: map[string]string{"for": "3", "abstain": "0"}}},
	} {
		if f, err := weighedFigures(halves(), list); err == nil {
			t.Errorf("%s: %v", name, f)
		}
	}
}

// However long the fractions are, figures keep their order, and shares that a
// rule can ask for are met exactly when the amounts meet them.
func TestWholeKeepsProportions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		// Long fractions: those who abstain are weighed by what the others cast.
		a, b := big.NewRat(1+r.Int64N(1e9), 999_999_937), big.NewRat(1+r.Int64N(1e9), 999_999_893)
		a.Mul(a, big.NewRat(1, 1+r.Int64N(1e6)))
		parts := 1 + r.Int64N(20)
		yes := r.Int64N(parts + 1)
		// yes of so many parts are for it, to the last fraction
		n := whole([]*big.Rat{big.NewRat(100*yes, parts), big.NewRat(100*(parts-yes), parts), new(big.Rat).Add(a, b)})
		if n[0]*parts != yes*(n[0]+n[1]) {
			t.Fatalf("%d of %d parts became %v", yes, parts, n)
		}
		n = whole([]*big.Rat{a, b})
		if want, got := a.Cmp(b), big.NewInt(n[0]).Cmp(big.NewInt(n[1])); want != got {
			t.Fatalf("%s and %s became %v", a.RatString(), b.RatString(), n)
		}
		if n[0] < 0 || n[0]+n[1] > 1<<52 {
			t.Fatalf("%v is more than an entry can hold", n)
		}
	}
}
