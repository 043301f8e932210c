// Package contest holds the use cases of a contest: calling it, nominating,
// standing, voting, closing, counting, the result and its downloads. It works
// over the chamber, which writes; over proceeding, which decides; and over
// count, which counts.
//
// It decides what goes into a ballot box and what comes out: how a paper is
// written down, that a voter is marked and the paper stored in one
// transaction, that nothing but the content of papers is left after the
// close. It knows neither HTTP nor SQL, and holds no rule of any
// organisation.
//
// # Papers
//
// In the box a paper is one byte 'r' (ranks) or 'c' (choice), then for ranks
// the option numbers, the first preference first, as unsigned varints, or the
// number of the choice; where a voter's vote is worth something else than one,
// then a zero-length separator byte '=' and the exact value as text. It is
// padded to the longest paper that the contest can have.
//
// After the close the entry ballot.papers/1 holds, by section, each distinct
// paper and how many bore it, sorted by content:
//
//	{"ballot":"2026-L-001/ballot/1","sections":[{"section":"members","papers":[{"m":[2,0,1],"n":317}]}]}
//
// and the entry ballot.marked/1 who voted, for those who may check it. The
// closing root is SHA-256("omov/closing/1" || 0 || the salted root of the
// marked roll || SHA-256 of the papers' entry body).
package contest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/omov/omov/box"
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/sealing"
)

// Contests are the contests of one organisation. Safe for concurrent use.
type Contests struct {
	ch      *chamber.Chamber
	sealing *sealing.Sealing

	mu   sync.Mutex
	open map[string]*openBallot // by reference of the proceeding
}

// New makes the use cases over a chamber.
func New(ch *chamber.Chamber) *Contests {
	return &Contests{ch: ch, sealing: sealing.New(ch), open: map[string]*openBallot{}}
}

// Chamber is what the contests work over.
func (s *Contests) Chamber() *chamber.Chamber { return s.ch }

// Due records whatever has fallen due, opens the ballots whose time has come,
// and gives how many proceedings it touched. One that fails does not keep the
// others waiting; the first error is returned.
func (s *Contests) Due(ctx context.Context) (int, error) {
	var refs []string
	err := s.ch.Read(ctx, func(w *chamber.World) error {
		rows, err := w.Tx().DueBefore(w.At().Add(time.Millisecond))
		for _, r := range rows {
			refs = append(refs, r.Ref)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	var first error
	for _, ref := range refs {
		if _, err := s.bring(ctx, ref); err != nil && first == nil {
			first = err
		}
	}
	begun, err := s.ch.Beginnings(ctx)
	if first == nil {
		first = err
	}
	return len(refs) + begun, first
}

// DeclareEvent declares an event of the rulebook for an instant, with what stops
// and what begins on it. Runs that waited for it go on.
func (s *Contests) DeclareEvent(ctx context.Context, by proceeding.Actor, as, event string, at time.Time) error {
	if err := s.ch.Declare(ctx, by, as, event, at); err != nil {
		return err
	}
	if err := s.abandoned(ctx); err != nil {
		return err
	}
	return s.wake(ctx)
}

// SetStanding uses a standing discretion, for the organisation (unit 0) or for
// one unit. Runs that waited for it go on.
func (s *Contests) SetStanding(ctx context.Context, by proceeding.Actor, as, slot string, unit register.UnitID, text string) error {
	if err := s.ch.SetStanding(ctx, by, as, slot, unit, text); err != nil {
		return err
	}
	return s.wake(ctx)
}

// Contradict records that two decisions contradict each other; the rulebook's
// precedence says which prevails.
func (s *Contests) Contradict(ctx context.Context, by proceeding.Actor, one, other string) error {
	return s.ch.Contradict(ctx, by, one, other)
}

// wake lets every run that waits for something look whether it is there.
func (s *Contests) wake(ctx context.Context) error {
	var refs []string
	err := s.ch.Read(ctx, func(w *chamber.World) error {
		refs = refs[:0]
		rows, err := w.Tx().Runs()
		for _, r := range rows {
			if r.Phase == string(proceeding.Halted) {
				refs = append(refs, r.Ref)
			}
		}
		return err
	})
	for _, ref := range refs {
		if err == nil {
			_, err = s.bring(ctx, ref)
		}
	}
	return err
}

// bring brings a proceeding up to now.
func (s *Contests) bring(ctx context.Context, ref string) (*proceeding.State, error) {
	st, err := s.ch.Do(ctx, ref, proceeding.Tick{})
	if err != nil {
		return nil, err
	}
	for range 3 {
		opened, err := s.ch.OpenDue(ctx, ref)
		if fault.Is(err, fault.Conflict) {
			continue
		}
		if err != nil {
			return st, err
		}
		if opened != nil {
			st = opened
		}
		return s.prepared(ctx, st)
	}
	return st, fault.New(fault.Conflict, "%s changes too quickly for its roll to be taken; it is tried again", ref)
}

// Do decides a command of a proceeding and carries out what it set going.
func (s *Contests) Do(ctx context.Context, ref string, cmd proceeding.Command) (*proceeding.State, error) {
	st, err := s.ch.Do(ctx, ref, cmd)
	if err != nil {
		return st, err
	}
	return s.follow(ctx, st)
}

// Call begins a procedure.
func (s *Contests) Call(ctx context.Context, b proceeding.Begin) (*proceeding.State, error) {
	st, err := s.ch.Begin(ctx, b)
	if err != nil {
		return nil, err
	}
	return s.follow(ctx, st)
}

// follow opens a ballot that is due at once, and destroys the key of one that
// the run has left behind.
func (s *Contests) follow(ctx context.Context, st *proceeding.State) (*proceeding.State, error) {
	if b := st.OpenBallot(); b != nil && !st.Live() && b.Closed == 0 {
		return st, s.emptied(ctx, st.Ref, b.ID)
	}
	if slices.ContainsFunc(st.Done, func(d proceeding.Done) bool { return d.Verb == string(rulebook.DoStop) }) {
		if err := s.abandoned(ctx); err != nil {
			return st, err
		}
	}
	opened, err := s.ch.OpenDue(ctx, st.Ref)
	if err != nil && !fault.Is(err, fault.Conflict) {
		return st, err
	}
	if opened != nil {
		st = opened
	}
	return s.prepared(ctx, st)
}

// State gives a proceeding and the rulebook that it is pinned to.
func (s *Contests) State(ctx context.Context, ref string) (*proceeding.State, *rulebook.Book, error) {
	var st *proceeding.State
	var book *rulebook.Book
	err := s.ch.Read(ctx, func(w *chamber.World) error {
		var err error
		if st, err = w.State(ref); err != nil {
			return err
		}
		book, err = s.ch.Book(w.Tx(), st.Book)
		return err
	})
	return st, book, err
}

// openBallot is what taking in papers needs of an open ballot; it is kept in
// memory while the ballot is open.
type openBallot struct {
	ref     string
	version int64 // of the proceeding when it was loaded
	ballot  proceeding.Ballot
	cite    string
	book    *rulebook.Book
	roll    int64
	facts   chamber.RollFacts
	sealer  *box.Sealer

	mu     sync.Mutex
	chunks map[int64]*roll.Chunk
}

// ballot gives the open ballot of a proceeding. fault.TooLate where none is.
func (s *Contests) ballot(ctx context.Context, ref string) (*openBallot, error) {
	s.mu.Lock()
	b := s.open[ref]
	s.mu.Unlock()
	if b != nil {
		return b, nil
	}
	return s.load(ctx, ref)
}

// forget drops what is kept of a ballot: it has closed.
func (s *Contests) forget(ref string) {
	s.mu.Lock()
	delete(s.open, ref)
	s.mu.Unlock()
}

func (s *Contests) load(ctx context.Context, ref string) (*openBallot, error) {
	out := &openBallot{ref: ref, chunks: map[int64]*roll.Chunk{}}
	err := s.ch.Read(ctx, func(w *chamber.World) error {
		st, err := w.State(ref)
		if err != nil {
			return err
		}
		b := st.OpenBallot()
		if b == nil || b.Closed != 0 || !st.Live() {
			return s.notOpen(w, st)
		}
		out.version, out.ballot = st.Version, *b
		if out.book, err = s.ch.Book(w.Tx(), st.Book); err != nil {
			return err
		}
		if p := proceeding.ProcedureOf(out.book, st); p != nil {
			out.cite = p.Stages[b.Stage].Cite
		}
		out.roll, out.facts, err = chamber.RollOf(w.Tx(), ref, b.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !out.ballot.Sealed() {
		if out.sealer, err = box.NewSealer(out.ballot.ID, out.ballot.Key, out.longest()); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.open[ref]; b != nil && b.ballot.ID == out.ballot.ID {
		return b, nil
	}
	s.open[ref] = out
	return out, nil
}

// notOpen says whether the ballot is over or still to come.
func (s *Contests) notOpen(w *chamber.World, st *proceeding.State) error {
	book, err := s.ch.Book(w.Tx(), st.Book)
	if err != nil {
		return err
	}
	for i := len(st.Ballots) - 1; i >= 0; i-- {
		if b := st.Ballots[i]; b.Closed != 0 {
			return fault.Under(fault.TooLate, stageCite(book, st, b.Stage), "The ballot closed on %s.", when(book, b.Closed))
		}
	}
	if !st.Live() {
		return fault.Under(fault.TooLate, stageCite(book, st, st.Current), "%s has ended.", st.Ref)
	}
	if now := st.Now(); now != nil && now.Status == proceeding.Coming && now.Opens != 0 {
		return fault.Under(fault.TooEarly, stageCite(book, st, st.Current), "The ballot has not opened. It opens on %s.", opens(book, now.Opens))
	}
	return fault.New(fault.TooEarly, "No ballot of %s is open.", st.Ref)
}

func stageCite(book *rulebook.Book, st *proceeding.State, i int) string {
	if p := proceeding.ProcedureOf(book, st); p != nil && i >= 0 && i < len(p.Stages) {
		return p.Stages[i].Cite
	}
	return ""
}

// when writes an instant as people of the organisation's zone read it. A
// midnight is the end of the day before.
func when(book *rulebook.Book, ms int64) string {
	t := time.UnixMilli(ms).In(book.Zone)
	if h, m, s := t.Clock(); h == 0 && m == 0 && s == 0 {
		return t.AddDate(0, 0, -1).Format("2 January 2006") + ", at the end of the day"
	}
	return book.Calendar().Instant(t).String()
}

// opens is when for an instant at which something begins.
func opens(book *rulebook.Book, ms int64) string {
	if ms == 0 {
		return "a day that is not known yet"
	}
	t := time.UnixMilli(ms).In(book.Zone)
	if h, m, s := t.Clock(); h == 0 && m == 0 && s == 0 {
		return t.Format("2 January 2006")
	}
	return book.Calendar().Instant(t).String()
}

// line gives what the roll says of a person in one of the people's sections.
func (s *Contests) line(ctx context.Context, b *openBallot, p register.PersonID, section int) (roll.Line, bool, error) {
	n := roll.ChunkOf(p)
	b.mu.Lock()
	c := b.chunks[n]
	b.mu.Unlock()
	if c == nil {
		err := s.ch.Read(ctx, func(w *chamber.World) error {
			raw, err := w.Tx().RollChunk(b.roll, n)
			if err != nil {
				return err
			}
			c, err = roll.ReadChunk(n, raw)
			return err
		})
		if fault.Is(err, fault.NotFound) {
			return roll.Line{}, false, nil
		}
		if err != nil {
			return roll.Line{}, false, err
		}
		b.mu.Lock()
		b.chunks[n] = c
		b.mu.Unlock()
	}
	l, ok := c.Line(p, section)
	return l, ok, nil
}
