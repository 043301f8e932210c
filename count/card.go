package count

import (
	"math/big"
	"slices"

	"github.com/omov/omov/fault"
)

// Card is one unit's card in a card vote: its value, and how it was used. A
// block card goes whole to one option; a split card says how much goes to
// each; what goes to none was not cast.
type Card struct {
	Unit  string
	Half  string     // name of the Half it belongs to; "" where there are none
	Value *big.Rat   // what the card is worth
	Votes []*big.Rat // by candidate or option; nil entries are 0; their sum is at most Value
}

// Half is a part of a card vote with a weight of its own.
type Half struct {
	Name   string
	Weight *big.Rat
	// OfValue normalises by the value of all cards, cast or not; else by
	// what was cast.
	OfValue bool
}

// countCard adds up cards. With halves, each half is normalised: an option's
// contribution is weight × votes / base, the base being what was cast in the
// half (or the value of all its cards). With the options for and against (and
// one seat) Pass decides whether it carries; with candidates the most votes
// elect.
//
// Source: card votes at conferences with two parts, each normalised and then
// added (rulebooks from 1993 on); before, one pool of card values.
func countCard(c *Contest, _ []Section) (*Sheet, error) {
	halves := c.Halves
	if len(halves) == 0 {
		halves = []Half{{}}
	}
	n := len(c.Candidates)
	totals := zeros(n)
	stage := Stage{Action: "cards"}
	whole, uncast := new(big.Rat), new(big.Rat)
	used := 0
	for _, h := range halves {
		votes, cast, value, k, err := c.cardsOf(h.Name)
		if err != nil {
			return nil, err
		}
		used += k
		uncast.Add(uncast, new(big.Rat).Sub(value, cast))
		f, base := big.NewRat(1, 1), cast
		if h.OfValue {
			base = value
		}
		if len(c.Halves) > 0 {
			if h.Weight == nil || h.Weight.Sign() <= 0 {
				return nil, fault.New(fault.Invalid, "The part %q of the card vote needs a weight above nought.", h.Name)
			}
			if f = new(big.Rat); base.Sign() > 0 {
				f.Quo(h.Weight, base)
			}
			stage.Sections = append(stage.Sections, c.cardStage(h, votes, base, f))
		}
		for i, v := range votes {
			totals[i].Add(totals[i], new(big.Rat).Mul(f, v))
		}
		whole.Add(whole, new(big.Rat).Mul(f, base))
	}
	if used != len(c.Cards) {
		return nil, fault.New(fault.Invalid, "%d cards belong to no part of the card vote.", len(c.Cards)-used)
	}
	stage.Votes = tally(c.Candidates, func(i int) (Amount, bool) { return ratAmount(totals[i]), true })
	stage.NonTransferable = ratAmount(uncast)
	stage.Note = "non-transferable: card value that was not cast"
	return c.cardSheet(stage, totals, whole)
}

func zeros(n int) []*big.Rat {
	out := make([]*big.Rat, n)
	for i := range out {
		out[i] = new(big.Rat)
	}
	return out
}

// cardsOf adds up the cards of one half.
func (c *Contest) cardsOf(half string) (votes []*big.Rat, cast, value *big.Rat, used int, err error) {
	votes, cast, value = zeros(len(c.Candidates)), new(big.Rat), new(big.Rat)
	for _, card := range c.Cards {
		if card.Half != half {
			continue
		}
		used++
		if card.Value == nil || card.Value.Sign() < 0 || len(card.Votes) > len(votes) {
			return nil, nil, nil, 0, fault.New(fault.Invalid, "The card of %s has no value, or votes for options that are not there.", card.Unit)
		}
		sum := new(big.Rat)
		for i, v := range card.Votes {
			if v == nil {
				continue
			}
			if v.Sign() < 0 {
				return nil, nil, nil, 0, fault.New(fault.Invalid, "The card of %s has negative votes.", card.Unit)
			}
			sum.Add(sum, v)
			votes[i].Add(votes[i], v)
		}
		if sum.Cmp(card.Value) > 0 {
			return nil, nil, nil, 0, fault.New(fault.Invalid, "The card of %s is worth %s but %s was cast on it.", card.Unit, card.Value.RatString(), sum.RatString())
		}
		cast.Add(cast, sum)
		value.Add(value, card.Value)
	}
	return votes, cast, value, used, nil
}

func (c *Contest) cardStage(h Half, votes []*big.Rat, base, f *big.Rat) SectionStage {
	return SectionStage{Name: h.Name, Weight: ratAmount(h.Weight), InPlay: ratAmount(base),
		Votes:        tally(c.Candidates, func(i int) (Amount, bool) { return ratAmount(votes[i]), true }),
		Contribution: tally(c.Candidates, func(i int) (Amount, bool) { return ratAmount(new(big.Rat).Mul(f, votes[i])), true })}
}

// cardSheet decides by the totals.
func (c *Contest) cardSheet(stage Stage, totals []*big.Rat, whole *big.Rat) (*Sheet, error) {
	s := &Sheet{Valid: Total(amountOf(Votes(len(c.Cards)), 1)), Invalid: "0", Blank: "0"}
	if c.isMotion() {
		needed, carried := c.Pass.reached(totals[0], whole)
		s.Carried, s.Quota = &carried, ratAmount(needed)
		stage.Note = joinNotes(stage.Note, c.Pass.words(whole))
		if carried {
			stage.Elected = c.Candidates[:1]
		}
	} else {
		now := ranks(totals)
		b := newBreaker(c, TiesLot)
		left := c.standing()
		for len(stage.Elected) < c.Seats {
			top := extreme(left, now, false)
			pick := top[0]
			if len(top) > c.Seats-len(stage.Elected) {
				var t Tie
				var err error
				if pick, t, err = b.pick("election", top, nil, false, 1); err != nil {
					return nil, err
				}
				stage.Ties = append(stage.Ties, t)
			}
			stage.Elected = append(stage.Elected, c.Candidates[pick])
			left = slices.DeleteFunc(left, func(x int) bool { return x == pick })
		}
		s.Ranking = c.ranking(now)
	}
	s.Elected, s.Stages = stage.Elected, []Stage{stage}
	return s, nil
}

// isMotion tells whether the options are for and against (and perhaps a
// third for abstention), by the words or because a threshold is set.
func (c *Contest) isMotion() bool {
	return len(c.Candidates) == 2 && c.Candidates[0] == "For" && c.Candidates[1] == "Against" || c.Pass != Threshold{}
}
