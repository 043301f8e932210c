package rehearsal

import (
	"fmt"
	"slices"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
)

// maxTurns bounds how often anything falls due in one rehearsal.
const maxTurns = 20_000

// maxLive bounds how many runs can be under way at once, and maxLooked how
// often one of them is looked at: each of a thousand units can have a run or
// two, and what goes on for ever is stopped within minutes.
const (
	maxLive   = 2_000
	maxLooked = 1_000_000
)

// until lets time pass until a step is to be done.
func (r *runner) until(s *step) error {
	if s.at == nil {
		return r.settle()
	}
	now := r.clock.now()
	to := now
	switch {
	case s.at.after != "":
		to = r.cal.Instant(now).Add(s.at.days, r.cal).T
	default:
		to = s.at.acts(r.cal)
		if to.Before(now) && !s.at.timed && r.cal.Instant(now).Day() == s.at.day {
			to = now // a day without a time: not before the step before it
		}
	}
	if to.Before(now) {
		r.failed(s.pos, Failure{Message: fmt.Sprintf("this step is before the one above it: it is %s already. Steps stand in the order in which they happen.", r.cal.Instant(now))})
		return nil
	}
	if to.After(r.s.begin.time(r.cal).AddDate(maxYears, 0, 0)) {
		return Problems{{File: r.s.File, Line: s.pos.line, Column: s.pos.column, Message: fmt.Sprintf("a rehearsal covers at most %d years", maxYears)}}
	}
	return r.pass(to)
}

// pass moves the clock to an instant, stopping wherever something falls due.
func (r *runner) pass(to time.Time) error {
	for range maxTurns {
		if err := r.settle(); err != nil {
			return err
		}
		next, err := r.next()
		if err != nil {
			return err
		}
		if next.IsZero() || next.After(to) {
			if to.After(r.clock.now()) {
				r.clock.ms.Store(to.UnixMilli())
			}
			return r.settle()
		}
		r.clock.ms.Store(next.UnixMilli())
	}
	return fault.New(fault.TooMuch, "more than %d things fall due one after another; the rulebook's procedures may go round in a circle", maxTurns)
}

// next is the next instant at which something falls due or a ballot ends,
// after now; zero where there is none.
func (r *runner) next() (time.Time, error) {
	var next time.Time
	now := r.clock.now()
	earlier := func(t time.Time) {
		if t.After(now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	err := r.ch.Read(r.ctx, func(w *chamber.World) error {
		next = time.Time{}
		t, err := w.Tx().NextDue()
		if err != nil {
			return err
		}
		earlier(t)
		states, err := r.live(w)
		if r.looked += len(states); len(states) > maxLive || r.looked > maxLooked {
			return fault.New(fault.TooMuch, "%d runs are under way at once; the rulebook's procedures may begin each other without end", len(states))
		}
		for _, st := range states {
			if due := st.Due(); due != 0 {
				earlier(time.UnixMilli(due))
			}
			if b := st.OpenBallot(); b != nil && b.Closed == 0 && b.Closes != 0 {
				earlier(time.UnixMilli(b.Closes))
			}
		}
		return err
	})
	if err != nil {
		return next, err
	}
	t, err := r.ch.NextBeginning(r.ctx)
	earlier(t)
	return next, err
}

// live gives the runs that have not ended.
func (r *runner) live(w *chamber.World) ([]*proceeding.State, error) {
	rows, err := w.Tx().OpenProceedings()
	if err != nil {
		return nil, err
	}
	var out []*proceeding.State
	for _, row := range rows {
		st, err := w.State(row.Ref)
		if fault.Is(err, fault.NotFound) {
			continue // the row of the organisation itself
		}
		if err != nil {
			return nil, err
		}
		out = append(out, st)
	}
	return out, nil
}

// settle lets everything happen that has fallen due by now, until nothing
// more does, and puts it into the story.
func (r *runner) settle() error {
	for range 50 {
		before, err := r.seq()
		if err != nil {
			return err
		}
		if _, err := r.contests.Due(r.ctx); err != nil {
			if e := fatal(err); e != nil {
				return e
			}
			r.say(1, "What has fallen due could not be done: %s", err)
		}
		if err := r.closings(); err != nil {
			return err
		}
		if err := r.ceremonies(); err != nil {
			return err
		}
		after, err := r.seq()
		if err != nil {
			return err
		}
		if after == before {
			break
		}
	}
	r.tell()
	if !r.tells {
		return nil
	}
	n, err := r.notices()
	r.told += n
	return err
}

func (r *runner) seq() (n int64, err error) {
	err = r.ch.Read(r.ctx, func(w *chamber.World) error { n = w.Seq(); return nil })
	return n, err
}

// closings closes the ballots whose time has passed, by the officers whom the
// rulebook names.
func (r *runner) closings() error {
	if slices.Contains(r.s.byHand, "close") {
		return nil
	}
	var refs []string
	now := r.clock.now().UnixMilli()
	err := r.ch.Read(r.ctx, func(w *chamber.World) error {
		refs = nil
		states, err := r.live(w)
		for _, st := range states {
			b := st.OpenBallot()
			if b == nil || b.Closed != 0 || b.Closes == 0 || b.Closes > now || st.Phase == proceeding.Stayed || inTheRoom(b) {
				continue
			}
			refs = append(refs, st.Ref)
		}
		return err
	})
	for _, ref := range refs {
		if err == nil {
			_, err = r.close(ref)
		}
	}
	if e := fatal(err); e != nil {
		return e
	}
	if err != nil {
		r.say(1, "A ballot could not be closed: %s", err)
	}
	return nil
}

// inTheRoom tells whether a vote is taken in a meeting, where figures are
// entered, and not with papers.
func inTheRoom(b *proceeding.Ballot) bool { return b.How == "counted" || b.How == "judged" }

// close closes a ballot as many officers as the rulebook wants; where an
// office is vacant, the rehearsal itself does.
func (r *runner) close(ref string) (*proceeding.State, error) {
	_, book, err := r.contests.State(r.ctx, ref)
	if err != nil {
		return nil, err
	}
	for _, o := range proceeding.Officers(book) {
		people, err := r.holders(o, 0)
		if err != nil {
			return nil, err
		}
		if len(people) == 0 {
			continue
		}
		st, err := r.contests.Close(r.ctx, ref, proceeding.Actor{Person: people[0]})
		if err != nil {
			return st, err
		}
		if closedNow(st) {
			return st, nil
		}
	}
	return r.contests.Close(r.ctx, ref, proceeding.Actor{System: true})
}

// closedNow tells whether the ballot that was open is not any more.
func closedNow(st *proceeding.State) bool {
	b := st.OpenBallot()
	return b == nil || b.Closed != 0
}

// day writes an instant of the rehearsal as people read it.
func (r *runner) day(ms int64) string { return showTime(r.cal, ms) }

func showTime(cal rulebook.Calendar, ms int64) string {
	m := cal.Instant(time.UnixMilli(ms))
	if h, mi, s := m.T.Clock(); h == 0 && mi == 0 && s == 0 {
		m.IsDay = true
	}
	return m.String()
}
