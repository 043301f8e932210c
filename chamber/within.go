package chamber

import (
	"math"
	"slices"

	"github.com/omov/omov/register"
	"github.com/omov/omov/store"
)

// classKey is a class as the register stood after an entry.
type classKey struct {
	class register.Term
	known int64
}

// unitCounts is how many people belong to each unit, or to one below it, in a
// class, at every instant (Unix seconds) from the one until before the other:
// no membership of the class begins or ends between. A unit without anybody
// is not in n. One person counts once in a unit, however many of the units
// below it they belong to.
type unitCounts struct {
	from, until int64
	n           map[register.UnitID]int64
}

// maxWithin bounds the counts of units that are kept.
const maxWithin = 32

// missing is the first count that a decision needed and did not have. A
// decision that was made without it does not stand, even where what made it
// passed over the error.
type missing struct{ err error }

// countIn is how many belong to a unit in a class at an instant. All units are
// counted in one pass over the register: at once in a read; in the writer the
// decision is put off.
func (w *World) countIn(u register.UnitID, class string, at int64) (int64, error) {
	n, err := w.countedIn(u, class, at)
	if off := putOff(err); off != nil && w.reads {
		if _, err = off.take(w.tx); err == nil {
			n, err = w.countedIn(u, class, at)
		}
	}
	if err != nil && w.missing.err == nil {
		w.missing.err = err
	}
	return n, err
}

// countedIn gives that count where it has been taken, else an error that
// takes it. Unlike everything else of a World it may be asked by several
// goroutines, and while the transaction is being read.
func (w *World) countedIn(u register.UnitID, class string, at int64) (int64, error) {
	term, ok := w.snap.terms[class]
	if !ok {
		return 0, nil // no entry has used the word: nobody belongs
	}
	c := w.c
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.within[classKey{term, w.registerSeq()}] {
		if x.from <= at && at < x.until {
			return x.n[u], nil
		}
	}
	return 0, &errCount{take: func(tx *store.Tx) (map[string]int64, error) {
		fresh, err := c.world(tx, true)
		if err != nil {
			return nil, err
		}
		counts, err := fresh.countUnits(term, at)
		if err != nil {
			return nil, err
		}
		c.keepWithin(classKey{term, fresh.registerSeq()}, counts)
		return nil, nil
	}}
}

func (c *Chamber) keepWithin(key classKey, counts unitCounts) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := 0
	for _, list := range c.within {
		all += len(list)
	}
	if all >= maxWithin {
		clear(c.within)
	}
	c.within[key] = append(c.within[key], counts)
}

// countUnits goes through the register once.
func (w *World) countUnits(class register.Term, at int64) (unitCounts, error) {
	out := unitCounts{from: math.MinInt64, until: math.MaxInt64, n: map[register.UnitID]int64{}}
	direct := map[register.UnitID]int64{} // people who belong through one unit
	var rec register.Record
	var through, above []register.UnitID
	for r, err := range w.tx.PeopleAfter(0, 0) {
		if err != nil {
			return out, err
		}
		if err := rec.Decode(r.Facts); err != nil {
			return out, err
		}
		through = out.through(through[:0], &rec, class, at, w.seq)
		if len(through) == 1 {
			direct[through[0]]++
			continue
		}
		above = above[:0]
		for _, u := range through {
			above = w.andAbove(above, u)
		}
		slices.Sort(above)
		for _, u := range slices.Compact(above) {
			out.n[u]++
		}
	}
	for u, n := range direct {
		for _, x := range w.andAbove(above[:0], u) {
			out.n[x] += n
		}
	}
	return out, nil
}

// through adds the units through which somebody belongs to the class, each
// once, and narrows the time in which the counts hold to when that is so.
func (c *unitCounts) through(units []register.UnitID, rec *register.Record, class register.Term, at, known int64) []register.UnitID {
	for i := range rec.Spans {
		s := &rec.Spans[i]
		if s.Aspect != register.Belongs || s.Name != class || !s.At(s.From, known) {
			continue
		}
		for _, edge := range [2]int64{s.From, s.Until} {
			if edge <= at {
				c.from = max(c.from, edge)
			} else {
				c.until = min(c.until, edge)
			}
		}
		if s.At(at, known) && !slices.Contains(units, s.Unit) {
			units = append(units, s.Unit)
		}
	}
	return units
}

// andAbove adds a unit and those above it, up to the organisation.
func (w *World) andAbove(units []register.UnitID, id register.UnitID) []register.UnitID {
	for id != 0 {
		units = append(units, id)
		u := w.snap.tree.Unit(id)
		if u == nil {
			break
		}
		id = u.Parent
	}
	return append(units, 0)
}
