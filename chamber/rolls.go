package chamber

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"math/big"
	"runtime"
	"sync"
	"time"

	"github.com/omov/omov/box"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/store"
)

// assessed is one person with their lines.
type assessed struct {
	person register.PersonID
	lines  []roll.Line
}

// batch is people to be assessed, as stored.
type batch struct {
	ids   []int64
	facts [][]byte
}

// batchSize is how many people one worker takes at a time.
const batchSize = 2_000

// walk assesses everybody in the register with a plan, on all cores. each is
// called with a batch's results, one call at a time, in any order.
//
// Conditions may look at other runs (took_part, the end of an earlier vote).
// What they look up is read beforehand: the workers must not ask the database
// while its rows are being read.
func (w *World) walk(tx *store.Tx, here register.UnitID, plan *roll.Plan, each func([]assessed)) error {
	if err := w.warm(here, plan); err != nil {
		return err
	}
	in := make(chan batch, 4)
	workers := max(1, runtime.GOMAXPROCS(0))
	errs := make(chan error, workers+1)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			a := plan.Assessor()
			person := &roll.Person{View: w.walking(here), Rec: &register.Record{}}
			for b := range in {
				out, err := assessBatch(a, person, b, len(plan.People))
				if err != nil {
					errs <- err
					for range in { // let the reader finish
					}
					return
				}
				mu.Lock()
				each(out)
				mu.Unlock()
			}
		}()
	}
	err := feed(tx, in)
	close(in)
	wg.Wait()
	if err == nil && len(errs) > 0 {
		err = <-errs
	}
	return err
}

// warm reads what the conditions of a plan look up beside people's records.
func (w *World) warm(here register.UnitID, plan *roll.Plan) error {
	if plan.LooksAtRuns(w.book) {
		if _, err := w.States(); err != nil {
			return err
		}
	}
	plan.Warm(&roll.Person{View: w.walking(here), Rec: &register.Record{}})
	return nil
}

// walking is a view for going through the register: it asks the database for
// nothing.
func (w *World) walking(here register.UnitID) *roll.View {
	v := w.view(here)
	v.Took = func(p register.PersonID, run string) bool {
		st := w.states[run]
		return st != nil && st.TookPart(p)
	}
	return v
}

func feed(tx *store.Tx, in chan<- batch) error {
	b := batch{}
	for r, err := range tx.PeopleAfter(0, 0) {
		if err != nil {
			return err
		}
		b.ids, b.facts = append(b.ids, r.ID), append(b.facts, r.Facts)
		if len(b.ids) == batchSize {
			in <- b
			b = batch{}
		}
	}
	if len(b.ids) > 0 {
		in <- b
	}
	return nil
}

func assessBatch(a *roll.Assessor, person *roll.Person, b batch, sections int) ([]assessed, error) {
	out := make([]assessed, len(b.ids))
	flat := make([]roll.Line, 0, len(b.ids)*sections)
	lines := make([]roll.Line, 0, sections)
	for i, id := range b.ids {
		person.ID = register.PersonID(id)
		if err := person.Rec.Decode(b.facts[i]); err != nil {
			return nil, err
		}
		var err error
		if lines, err = a.Assess(person, lines); err != nil {
			return nil, err
		}
		at := len(flat)
		flat = append(flat, lines...)
		out[i] = assessed{person: person.ID, lines: flat[at:len(flat):len(flat)]}
	}
	return out, nil
}

// RollFacts is what a roll keeps for later readers beside its chunks.
type RollFacts struct {
	Sections []RollSectionFacts `json:"sections"`
	People   []int              `json:"people"` // which sections the chunks hold
	Seed     []byte             `json:"seed"`
	Freeze   string             `json:"freeze,omitempty"`
	At       int64              `json:"at"`
	Known    int64              `json:"known"`
}

// RollSectionFacts is a section's reasons and, where it is listed, its voters.
type RollSectionFacts struct {
	Name    string                   `json:"name"`
	Weight  string                   `json:"weight"`
	Declare string                   `json:"declare,omitempty"`
	Listed  bool                     `json:"listed,omitempty"`
	Reasons []roll.Reason            `json:"reasons"`
	Voters  []proceeding.ListedVoter `json:"voters,omitempty"`
}

// OpenDue opens the ballot, or makes the draw, of a proceeding that is due: the roll is taken on
// a read snapshot, the contest's key made and kept apart, and one transaction
// enters both. It does nothing where no ballot is due.
func (c *Chamber) OpenDue(ctx context.Context, ref string) (*proceeding.State, error) {
	if st, sealed, err := c.sealedDue(ctx, ref); err != nil || sealed {
		return st, err
	}
	if roll, err := c.rollIfDue(ctx, ref, false); err != nil || roll == nil {
		return nil, err
	}
	// Taking a roll is long work; two who take the same one are one too many.
	c.taking.Lock()
	defer c.taking.Unlock()
	roll, err := c.rollIfDue(ctx, ref, true)
	if err != nil || roll == nil {
		return nil, err
	}
	if roll.draw {
		return c.drawDue(ctx, ref)
	}
	key, err := box.NewKey()
	if err != nil {
		return nil, err
	}
	recovery, err := c.recoveryKeys(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.Box.Save(roll.ballot, key, recovery); err != nil {
		return nil, err
	}
	st, err := c.openWith(ctx, ref, roll, key)
	if err == nil && st.Ballot(roll.ballot) == nil {
		err = c.Box.Destroy(roll.ballot) // its roll is too small: no ballot opened
	}
	return st, err
}

// rollIfDue takes the roll of a ballot that is due; nil where none is. Without
// take it only looks.
func (c *Chamber) rollIfDue(ctx context.Context, ref string, take bool) (*taken, error) {
	var roll *taken
	err := c.Read(ctx, func(w *World) error {
		roll = nil
		st, err := w.State(ref)
		if err != nil {
			return err
		}
		book, err := c.Book(w.tx, st.Book)
		if err != nil || !st.NeedsRoll(book, w.at.UnixMilli()) {
			return err
		}
		if draws := st.Draws(book); !take || draws {
			roll = &taken{draw: draws}
			return nil
		}
		roll, err = w.WithBook(book).take(st)
		return err
	})
	return roll, err
}

func (c *Chamber) openWith(ctx context.Context, ref string, t *taken, key *box.Key) (*proceeding.State, error) {
	var out *proceeding.State
	err := c.Write(ctx, func(w *World) ([]minutes.Entry, error) {
		st, err := w.State(ref)
		if err != nil {
			return nil, err
		}
		if st.Version != t.version {
			return nil, fault.New(fault.Conflict, "%s changed while its roll was being taken; it is taken again", ref)
		}
		if w.book, err = c.Book(w.tx, st.Book); err != nil {
			return nil, err
		}
		next, entries, err := proceeding.Decide(w.book, st, proceeding.OpenBallot{Roll: t.roll, Lines: t.lines, Key: key.Public()}, w.at, w)
		out = next
		return w.follow(next, entries, err)
	})
	return out, err
}

// RecoverySetting is the prefix of the settings that hold officers' recovery
// keys, by office.
const RecoverySetting = "recovery/"

func (c *Chamber) recoveryKeys(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	err := c.Read(ctx, func(w *World) error {
		if w.book == nil {
			return nil
		}
		for _, o := range proceeding.Officers(w.book) {
			b, err := w.tx.Setting(RecoverySetting + o)
			if err != nil {
				return err
			}
			if b != nil {
				out[o] = string(b)
			}
		}
		return nil
	})
	return out, err
}

// taken is a roll that has been computed and is not in the book yet.
type taken struct {
	ballot  string
	version int64
	draw    bool // lots are drawn from it
	roll    proceeding.Roll
	lines   []byte
	facts   RollFacts
	chunks  []*roll.Chunk
}

// RollBody is the body of roll.lines/1: the roll itself. Lines are the chunks
// as package roll packs them.
type RollBody struct {
	Ballot string     `json:"ballot"`
	Root   []byte     `json:"root"`
	Size   int64      `json:"size"`
	Facts  RollFacts  `json:"facts"`
	Lines  []RollPart `json:"lines"`
}

// RollPart is one chunk of a roll.
type RollPart struct {
	N     int64  `json:"n"`
	Lines []byte `json:"b"`
}

// take computes a roll.
func (w *World) take(st *proceeding.State) (*taken, error) {
	plan, freeze, _, err := proceeding.Plan(w.book, st, w, w.at.UnixMilli())
	if err != nil {
		return nil, err
	}
	t := &taken{ballot: st.BallotID(), version: st.Version}
	facts := RollFacts{People: plan.People, Seed: make([]byte, 32), At: w.at.UnixMilli(), Known: w.seq}
	rand.Read(facts.Seed)
	if freeze != nil {
		facts.Freeze = freeze.T.UTC().Format(time.RFC3339)
		if freeze.IsDay {
			facts.Freeze = freeze.Day().String()
		}
	}
	var leaves [][32]byte
	for i := range plan.Sections {
		s, err := w.listedSection(st, &plan.Sections[i])
		if err != nil {
			return nil, err
		}
		for _, v := range s.Voters {
			leaf, _ := roll.Leaf(facts.Seed, VoterNumber(v), []byte(s.Name+"|"+v.Value))
			leaves = append(leaves, leaf)
		}
		facts.Sections = append(facts.Sections, s)
	}
	tally := roll.NewTally(plan)
	var chunks []*roll.Chunk
	if len(plan.People) > 0 {
		if chunks, leaves, err = w.chunks(st.Unit, plan, facts.Seed, leaves, tally); err != nil {
			return nil, err
		}
	}
	root := roll.Root(leaves)
	t.facts, t.chunks = facts, chunks
	t.roll = proceeding.Roll{Root: hex.EncodeToString(root[:]), At: facts.At, Known: facts.Known, Freeze: facts.Freeze, Sections: sectionTotals(plan, facts, tally)}
	body := RollBody{Ballot: t.ballot, Root: root[:], Size: int64(len(leaves)), Facts: facts, Lines: []RollPart{}}
	for _, ch := range chunks {
		body.Lines = append(body.Lines, RollPart{N: ch.N, Lines: ch.Bytes()})
	}
	t.lines, err = minutes.Canonical(body)
	return t, err
}

// VoterNumber is how a roll numbers a listed voter: people by their number,
// units by theirs, negative.
func VoterNumber(v proceeding.ListedVoter) int64 {
	if v.Unit != 0 {
		return -int64(v.Unit)
	}
	return int64(v.Person)
}

func (w *World) listedSection(st *proceeding.State, s *roll.Section) (RollSectionFacts, error) {
	out := RollSectionFacts{Name: s.Name, Weight: s.Weight.RatString(), Declare: s.Declare, Listed: s.Listed, Reasons: s.Reasons}
	if !s.Listed {
		return out, nil
	}
	var err error
	out.Voters, err = proceeding.Listed(w.book, st, w, w.at.UnixMilli(), s)
	return out, err
}

// chunks assesses everybody and packs the lines.
func (w *World) chunks(here register.UnitID, plan *roll.Plan, seed []byte, leaves [][32]byte, tally *roll.Tally) ([]*roll.Chunk, [][32]byte, error) {
	byN := map[int64]*roll.Chunk{}
	err := w.walk(w.tx, here, plan, func(list []assessed) {
		for _, a := range list {
			n := roll.ChunkOf(a.person)
			ch := byN[n]
			if ch == nil {
				ch = roll.NewChunk(n, len(plan.People))
				byN[n] = ch
			}
			ch.Set(a.person, a.lines)
			tally.Add(a.lines)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	var chunks []*roll.Chunk
	for _, ch := range byN {
		chunks = append(chunks, ch)
	}
	return chunks, append(leaves, chunkLeaves(chunks, seed)...), nil
}

// chunkLeaves salts and hashes the lines of all chunks, on all cores.
func chunkLeaves(chunks []*roll.Chunk, seed []byte) [][32]byte {
	parts := make([][][32]byte, len(chunks))
	var wg sync.WaitGroup
	next := make(chan int)
	for range max(1, runtime.GOMAXPROCS(0)) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range next {
				part := make([][32]byte, 0, roll.ChunkSize)
				chunks[i].Each(func(p register.PersonID, line []byte) {
					leaf, _ := roll.Leaf(seed, int64(p), line)
					part = append(part, leaf)
				})
				parts[i] = part
			}
		}()
	}
	for i := range chunks {
		next <- i
	}
	close(next)
	wg.Wait()
	var out [][32]byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func sectionTotals(plan *roll.Plan, facts RollFacts, tally *roll.Tally) []proceeding.RollSection {
	out := make([]proceeding.RollSection, len(plan.Sections))
	for i, s := range facts.Sections {
		out[i] = proceeding.RollSection{Name: s.Name, Weight: s.Weight, Listed: s.Listed, Declare: s.Declare, Voters: s.Voters}
		votes := new(big.Rat)
		for _, v := range s.Voters {
			if v.Bar != "" {
				continue
			}
			out[i].Entitled++
			x, _ := new(big.Rat).SetString(v.Value)
			votes.Add(votes, x)
		}
		out[i].Votes = votes.RatString()
	}
	for k, i := range plan.People {
		s := &out[i]
		s.Entitled, s.Votes = tally.Entitled[k], big.NewInt(tally.Votes[k]).String()
		for _, x := range roll.Published(plan.Sections[i].Reasons, tally.Stopped[k]) {
			s.Stopped = append(s.Stopped, proceeding.RollReason{ID: x.ID, Clause: x.Clause, Says: x.Says, People: x.People})
		}
	}
	return out
}
