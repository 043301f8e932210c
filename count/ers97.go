package count

import (
	"fmt"
	"slices"

	"github.com/omov/omov/fault"
)

// countERS97 follows "How to conduct an election by the Single Transferable
// Vote", Electoral Reform Society, third edition 1997, paragraphs 5.1–5.6:
//
//	5.1.6  quota = valid/(seats+1) to two places, rounded up
//	5.1.7  elected: who has the quota, or the total active vote divided by one
//	       more than the places not yet filled
//	5.2.2  surpluses are deferred while they cannot change who is lowest
//	5.2.5  as many of the lowest as possible are excluded together
//	5.3    a surplus is taken from the batch of papers received last; the
//	       value of a paper is surplus/transferable papers, cut to two places
//	5.4    excluded papers go in batches of descending value; each batch is a
//	       sub-stage, after which candidates may be elected
//	5.4.8  until somebody is elected, the quota shrinks with the votes in play
//	5.5.1  an exclusion that leaves as many as there are places elects them
//	5.6.2  ties across the last place: the earliest point at which they
//	       differed; if there is none, none of them is elected yet
//
// Each sub-stage is a stage of the sheet. Ties for exclusion and surplus: the
// earliest point at which the tied differed, then the lot.
func countERS97(c *Contest, sections []Section) (*Sheet, error) {
	g, err := newGregory(c, sections[0].Papers, gregoryRule{places: 2, ties: TiesForward})
	if err != nil {
		return nil, err
	}
	e := &ers97{gregory: g, batch: make([][]int, len(c.Candidates))}
	e.quota = e.quotaOf(g.table.p.total * g.one)
	if err := e.run(); err != nil {
		return nil, err
	}
	return e.sheet(), nil
}

// ers97 is a count in progress. batch holds, beside gregory's parcels, the
// number of the batch each parcel came with.
type ers97 struct {
	*gregory
	batch   [][]int
	batches int
}

// quotaOf divides by seats+1, rounded up.
func (e *ers97) quotaOf(votes Votes) Votes {
	d := Votes(e.c.Seats + 1)
	return (votes + d - 1) / d
}

func (e *ers97) run() error {
	e.batches++
	e.begin()
	e.noteBatch()
	if err := e.end(Stage{Action: "first preferences"}); err != nil {
		return err
	}
	for len(e.order) < e.c.Seats {
		if done, err := e.step(); err != nil || done {
			return err
		}
	}
	return nil
}

// step is one stage: a surplus, or an exclusion with its sub-stages.
func (e *ers97) step() (done bool, err error) {
	if out := e.doomed(); len(out) > 0 {
		return e.excludeAll(out, Stage{Note: "excluded because the quotas on the result cannot be kept with them"})
	}
	together := e.excludable()
	st := Stage{}
	if e.surpluses() > 0 && len(together) == 0 {
		from, err := e.largestSurplus(&st)
		if err != nil {
			return false, err
		}
		e.transferLast(from, &st)
		return false, e.end(st)
	}
	if e.surpluses() > 0 {
		st.Note = "surpluses deferred: they cannot change who is lowest"
	}
	if len(together) == 0 {
		low, err := e.lowest(&st)
		if err != nil {
			return false, err
		}
		together = []int{low}
	}
	return e.excludeAll(together, st)
}

// surpluses gives the sum of the surpluses not yet transferred.
func (e *ers97) surpluses() Votes {
	sum := Votes(0)
	for _, c := range e.order {
		sum += max(e.votes[c]-e.quota, 0)
	}
	return sum
}

// excludable gives the largest group of lowest candidates who may be excluded
// together (5.2.5); none, if surpluses have to be transferred first or the
// lowest is not clear.
func (e *ers97) excludable() []int {
	left := e.with(hopeful)
	if e.guard != nil { // several at once could break a quota that each keeps
		return e.clearLowest(left)
	}
	slices.SortStableFunc(left, func(a, b int) int { return compare(e.votes[a], e.votes[b]) })
	places := e.c.Seats - len(e.order)
	sum, best := e.surpluses(), 0
	for i := 0; i+1 < len(left) && len(left)-i-1 >= places; i++ {
		sum += e.votes[left[i]]
		if next := e.votes[left[i+1]]; sum <= next && e.votes[left[i]] < next {
			best = i + 1
		}
	}
	out := slices.Clone(left[:best])
	slices.Sort(out)
	return out
}

// clearLowest gives the lowest candidate who is not guarded, if surpluses
// cannot change who that is.
func (e *ers97) clearLowest(left []int) []int {
	left = slices.DeleteFunc(left, func(c int) bool { return e.guard.guarded[c] })
	slices.SortStableFunc(left, func(a, b int) int { return compare(e.votes[a], e.votes[b]) })
	if len(left) == 1 || len(left) > 1 && e.votes[left[0]] < e.votes[left[1]] && e.votes[left[0]]+e.surpluses() <= e.votes[left[1]] {
		return left[:1]
	}
	return nil
}

// deal hands parcels on as one batch.
func (e *ers97) deal(from []parcel, value func(Votes) Votes) {
	e.batches++
	e.hand(from, value)
	e.noteBatch()
}

// noteBatch gives new parcels the number of the batch.
func (e *ers97) noteBatch() {
	for c := range e.parcels {
		for len(e.batch[c]) < len(e.parcels[c]) {
			e.batch[c] = append(e.batch[c], e.batches)
		}
	}
}

// transferLast passes on a surplus out of the last batch of papers (5.3).
func (e *ers97) transferLast(c int, st *Stage) {
	st.Action = "surplus of " + e.c.Candidates[c]
	surplus := e.votes[c] - e.quota
	last := e.batch[c][len(e.batch[c])-1]
	first := slices.Index(e.batch[c], last)
	from := slices.Clone(e.parcels[c][first:])
	e.parcels[c], e.batch[c] = e.parcels[c][:first], e.batch[c][:first]
	papers, worth := e.transferable(from)
	value := func(v Votes) Votes { return v }
	note := "the transferable papers are worth no more than the surplus and keep their value"
	if worth > surplus {
		each := surplus / papers
		value = func(Votes) Votes { return each }
		note = fmt.Sprintf("%d transferable papers of the last batch at %s each", papers, fixedAmount(each, 2))
	}
	st.Note = joinNotes(st.Note, note)
	lost, before := e.lost, e.sum()
	if e.keep != nil {
		e.keep(c, from, surplus)
	}
	e.deal(from, value)
	e.votes[c], e.moved[c] = e.quota, true
	// Non-transferable papers stay at the value they had; what the stage
	// loses besides is the difference that the cut decimals make.
	e.lost = lost + surplus - (e.sum() - before + surplus)
}

// sum gives the votes credited to all candidates.
func (e *ers97) sum() Votes {
	sum := Votes(0)
	for _, v := range e.votes {
		sum += v
	}
	return sum
}

// transferable counts the papers that name a continuing candidate, and their
// present value.
func (e *ers97) transferable(from []parcel) (papers, worth Votes) {
	stands := e.stands()
	for _, p := range from {
		for _, x := range e.table.open(p.papers) {
			for at := x.at; e.table.p.marks[at] != endMark; at++ {
				if stands[e.table.p.marks[at]] {
					w := e.table.votes(x)
					papers, worth = papers+w, worth+w*p.value
					break
				}
			}
		}
	}
	return papers, worth
}

// excludeAll excludes candidates, batch by batch of descending value (5.4).
func (e *ers97) excludeAll(out []int, st Stage) (done bool, err error) {
	names := e.c.names(out)
	st.Excluded = names
	left := len(e.with(hopeful)) - len(out)
	var from []parcel
	for _, c := range out {
		e.state[c] = gone
		from = append(from, e.parcels[c]...)
	}
	if left == e.c.Seats-len(e.order) {
		st.Action = "exclusion of " + list(names)
		st.Note = joinNotes(st.Note, "no transfer: as many are left as there are places (5.5.1)")
		return true, e.end(st)
	}
	for i := 0; ; i++ {
		value := Votes(-1)
		for _, p := range from {
			value = max(value, p.value)
		}
		now := slices.DeleteFunc(slices.Clone(from), func(p parcel) bool { return p.value != value })
		from = slices.DeleteFunc(from, func(p parcel) bool { return p.value == value })
		st.Action = fmt.Sprintf("exclusion of %s: papers of value %s", list(names), fixedAmount(max(value, 0), 2))
		for _, c := range out {
			for k, p := range e.parcels[c] {
				if p.value == value {
					e.votes[c] -= value * e.table.votesOf(p.papers)
					e.parcels[c][k].papers = pile{}
				}
			}
		}
		e.deal(now, func(v Votes) Votes { return v })
		if len(e.order) == 0 {
			e.quota = e.quotaOf(e.table.p.total*e.one - e.lost)
		}
		if err := e.end(st); err != nil || len(e.order) == e.c.Seats || len(from) == 0 {
			for _, c := range out {
				e.parcels[c], e.batch[c] = nil, nil
			}
			return false, err
		}
		st = Stage{}
	}
}

// active gives the total active vote: what is not bound to elected
// candidates and not lost.
func (e *ers97) active() Votes {
	a := e.table.p.total*e.one - e.lost
	for _, c := range e.order {
		a -= min(e.votes[c], e.quota)
	}
	return a
}

// electERS deems elected whoever has what is required, in descending order.
func (e *ers97) electERS(st *Stage) error {
	if err := e.watch(); err != nil {
		return err
	}
	for len(e.order) < e.c.Seats {
		left := e.with(hopeful)
		if e.guard != nil {
			left = e.guard.without(left)
		}
		places := Votes(e.c.Seats - len(e.order))
		active := e.active()
		able := slices.DeleteFunc(slices.Clone(left), func(c int) bool {
			return e.votes[c] < e.quota && e.votes[c]*(places+1) < active || e.votes[c] == 0
		})
		if len(left) == int(places) {
			able = left
		}
		if len(able) == 0 {
			return nil
		}
		top := extreme(able, e.votes, false)
		if Votes(len(top)) > places || e.guard != nil && len(top) > 1 && e.guard.bites(top, left, e.order) {
			for i := 0; i < len(e.history) && len(top) > 1; i++ {
				top = extreme(top, e.history[i], false)
			}
			if len(top) > 1 {
				st.Note = joinNotes(st.Note, list(e.c.names(top))+" are tied and there are not enough places: none of them is elected yet (5.6.2)")
				return nil
			}
		}
		e.state[top[0]] = chosen
		e.order = append(e.order, top[0])
		st.Elected = append(st.Elected, e.c.Candidates[top[0]])
		if err := e.watch(); err != nil {
			return err
		}
	}
	return nil
}

// end elects and writes the stage down.
func (e *ers97) end(st Stage) error {
	if err := e.electERS(&st); err != nil {
		return err
	}
	st.Note = joinNotes(st.Note, e.guard.takeNotes()...)
	e.history = append(e.history, slices.Clone(e.votes))
	lost := e.lost
	if len(e.order) == e.c.Seats {
		st.Note = joinNotes(st.Note, "all places are filled")
	}
	places := Votes(e.c.Seats - len(e.order))
	if places > 0 {
		d := places + 1
		required := min(e.quota, (e.active()+d-1)/d)
		st.Note = joinNotes(st.Note, "now required: "+string(fixedAmount(required, 2)))
	}
	amount := func(v Votes) Amount { return fixedAmount(v, 2) }
	st.Votes = tally(e.c.Candidates, func(c int) (Amount, bool) {
		return amount(e.votes[c]), e.state[c] != gone || e.votes[c] > 0 || slices.Contains(st.Excluded, e.c.Candidates[c])
	})
	st.Quota, st.NonTransferable, st.Surplus, st.Rounding = amount(e.quota), amount(lost), amount(e.surpluses()), amount(0)
	if sum := e.sum() + lost; sum != e.table.p.total*e.one {
		return fault.New(fault.Internal, "The votes of a stage add up to %s.", amount(sum))
	}
	if len(e.stages) == 0 {
		st.Groups = e.c.byGroup(e.table.p)
	}
	e.stages = append(e.stages, st)
	return nil
}
