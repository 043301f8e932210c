package chamber

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/store"
)

// snapshot is the small part of the register that is kept in memory: units,
// terms of office, vocabulary. It is good for as long as the organisation's
// own state has the same version: every entry that changes these is counted
// there.
type snapshot struct {
	version int64
	tree    *register.Tree
	roster  *register.Roster
	terms   map[string]register.Term
	words   []string
}

// World is one snapshot of the organisation: the database's transaction, the
// rulebook in force and the small part of the register. It implements
// proceeding.World. It is for one goroutine and for as long as its
// transaction.
type World struct {
	c    *Chamber
	tx   *store.Tx
	snap *snapshot
	book *rulebook.Book // nil before a rulebook has been adopted
	at   time.Time
	seq  int64
	org  *Organisation

	reads   bool     // this is a snapshot for reading, and can be counted at once
	missing *missing // of this World and those made of it

	views   map[register.UnitID]*roll.View
	records map[register.PersonID]*register.Record
	states  map[string]*proceeding.State
	rows    []store.RunRow // of all proceedings, the newest first; nil: not read yet
	given   map[string]int // references given in this decision, by their beginning

	fresh []store.RulebookRow // versions adopted in this decision
}

var _ proceeding.World = (*World)(nil)

// world looks at a transaction. What it loads is kept for others (keep) only
// where the transaction cannot see what may yet be rolled back.
func (c *Chamber) world(tx *store.Tx, keep bool) (*World, error) {
	head, err := tx.Head()
	if err != nil {
		return nil, err
	}
	w := &World{c: c, tx: tx, at: tx.At(), seq: head.Seq, reads: keep, missing: &missing{}, views: map[register.UnitID]*roll.View{},
		records: map[register.PersonID]*register.Record{}, states: map[string]*proceeding.State{}, given: map[string]int{}}
	if w.org, err = loadOrganisation(tx); err != nil {
		return nil, err
	}
	if w.snap, err = c.snapshot(tx, w.org.Version, keep); err != nil {
		return nil, err
	}
	w.book, err = c.Current(tx)
	if fault.Is(err, fault.NotFound) {
		err = nil
	}
	return w, err
}

// snapshot gives the units and offices as they stand in a version of the
// organisation's state.
func (c *Chamber) snapshot(tx *store.Tx, version int64, keep bool) (*snapshot, error) {
	c.mu.Lock()
	s := c.snap
	c.mu.Unlock()
	if s != nil && s.version == version {
		return s, nil
	}
	s, err := loadSnapshot(tx, version)
	if err != nil || !keep {
		return s, err
	}
	c.mu.Lock()
	if c.snap == nil || c.snap.version < version {
		c.snap = s
	}
	c.mu.Unlock()
	return s, nil
}

func loadSnapshot(tx *store.Tx, version int64) (*snapshot, error) {
	s := &snapshot{version: version, terms: map[string]register.Term{}}
	rows, err := tx.Units()
	if err != nil {
		return nil, err
	}
	units := make([]register.Unit, len(rows))
	for i, r := range rows {
		units[i] = register.Unit{ID: register.UnitID(r.ID), Kind: r.Kind, Parent: register.UnitID(r.Parent), Name: r.Name, Opened: r.Opened, Closed: r.Closed, Known: r.Seq}
		if len(r.Facts) > 0 {
			if err := json.Unmarshal(r.Facts, &units[i].Facts); err != nil {
				return nil, fault.Wrap(fault.Damaged, err, "the facts of unit %d cannot be read", r.ID)
			}
		}
	}
	if s.tree, err = register.NewTree(units); err != nil {
		return nil, err
	}
	terms, err := tx.OfficeTerms()
	if err != nil {
		return nil, err
	}
	offices := make([]register.TermOfOffice, len(terms))
	for i, t := range terms {
		offices[i] = register.TermOfOffice{ID: t.ID, Office: t.Office, Unit: register.UnitID(t.Unit), Person: register.PersonID(t.Person),
			From: t.From, Until: t.Until, Known: t.Known, Ended: t.Ended}
	}
	s.roster = register.NewRoster(offices)
	words, err := tx.Terms()
	if err != nil {
		return nil, err
	}
	for id, word := range words {
		for int64(len(s.words)) <= id {
			s.words = append(s.words, "")
		}
		s.words[id] = word
		s.terms[word] = register.Term(id)
	}
	return s, nil
}

// Tx is the transaction, for the few use cases that read more than World
// gives.
func (w *World) Tx() *store.Tx { return w.tx }

// Book is the rulebook in force, nil before one has been adopted; in a
// decision about a proceeding, the one that is pinned.
func (w *World) Book() *rulebook.Book { return w.book }

// At is the book's time.
func (w *World) At() time.Time { return w.at }

// Seq is the number of the book's last entry.
func (w *World) Seq() int64 { return w.seq }

// Tree, Roster and Terms are the small part of the register.
func (w *World) Tree() *register.Tree { return w.snap.tree }

// Roster is who holds which office.
func (w *World) Roster() *register.Roster { return w.snap.roster }

// Terms is the vocabulary.
func (w *World) Terms() map[string]register.Term { return w.snap.terms }

// Words is the vocabulary by number.
func (w *World) Words() []string { return w.snap.words }

// WithBook looks at the same snapshot under another version of the rulebook.
func (w *World) WithBook(b *rulebook.Book) *World {
	v := *w
	v.book, v.views = b, map[register.UnitID]*roll.View{}
	return &v
}

// View looks at people and units, with classes meaning those within a unit.
func (w *World) View(here register.UnitID) *roll.View {
	if v := w.views[here]; v != nil {
		return v
	}
	v := w.view(here)
	v.Name = w.NameOf
	v.Load = w.Record
	v.Took = w.took
	v.Count = w.countIn
	w.views[here] = v
	return v
}

func (w *World) view(here register.UnitID) *roll.View {
	return &roll.View{Book: w.book, Tree: w.snap.tree, Roster: w.snap.roster, Terms: w.snap.terms, Words: w.snap.words,
		At: w.at.Unix(), Known: w.seq, Here: here, Count: w.countedIn}
}

// Record gives a person's record, nil for nobody.
func (w *World) Record(p register.PersonID) *register.Record {
	if r, ok := w.records[p]; ok {
		return r
	}
	row, err := w.tx.Person(int64(p))
	if err != nil {
		return nil
	}
	r := &register.Record{}
	if err := r.Decode(row.Facts); err != nil {
		return nil
	}
	w.records[p] = r
	return r
}

// Particulars are what identifies a person.
type Particulars struct {
	Name    string `json:"name"`
	Email   string `json:"email,omitempty"`
	Address string `json:"address,omitempty"`
}

// ParticularsOf opens a person's particulars; fault.NotFound where they have
// been erased.
func (w *World) ParticularsOf(p register.PersonID) (Particulars, error) {
	var out Particulars
	row, err := w.tx.Person(int64(p))
	if err != nil {
		return out, err
	}
	if row.Particular == nil {
		return out, fault.New(fault.NotFound, "there are no particulars of person %d", p)
	}
	b, err := w.c.DB.Keys().OpenParticular(context.Background(), int64(p), row.Particular)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(b, &out); err != nil {
		return out, fault.Wrap(fault.Damaged, err, "the particulars of person %d cannot be read", p)
	}
	return out, nil
}

// maxNames bounds the names kept in memory.
const maxNames = 50_000

// NameOf gives a person's name, empty where it is erased or there is none.
func (w *World) NameOf(p register.PersonID) string {
	c := w.c
	c.mu.Lock()
	n, ok := c.names[int64(p)]
	c.mu.Unlock()
	if ok {
		return n
	}
	d, err := w.ParticularsOf(p)
	if err != nil {
		return ""
	}
	c.mu.Lock()
	if len(c.names) >= maxNames {
		clear(c.names)
	}
	c.names[int64(p)] = d.Name
	c.mu.Unlock()
	return d.Name
}

// State gives a proceeding's state.
func (w *World) State(ref string) (*proceeding.State, error) {
	if st := w.states[ref]; st != nil {
		return st, nil
	}
	if ref == organisationRef {
		return nil, fault.New(fault.NotFound, "there is no proceeding %s", ref)
	}
	row, err := w.tx.Proceeding(ref)
	if err != nil {
		return nil, err
	}
	st := &proceeding.State{}
	if err := json.Unmarshal(row.State, st); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "the state of %s cannot be read; omov replay rebuilds it from the minute book", ref)
	}
	w.states[ref] = st
	return st, nil
}

// Run gives a run by its reference.
func (w *World) Run(ref string) (*proceeding.State, bool) {
	st, err := w.State(ref)
	return st, err == nil
}

// runs lists every proceeding without its state, the newest first.
func (w *World) runs() ([]store.RunRow, error) {
	if w.rows == nil {
		rows, err := w.tx.Runs()
		if err != nil {
			return nil, err
		}
		slices.Reverse(rows)
		w.rows = slices.DeleteFunc(rows, func(r store.RunRow) bool { return r.Ref == organisationRef })
	}
	return w.rows, nil
}

// those gives the states of the runs that match, the newest first. What it may
// match by is what never changes of a run: its procedure, unit and office. So
// hundreds of branches that vote at once do not read each other.
func (w *World) those(match func(*store.RunRow) bool) ([]*proceeding.State, error) {
	rows, err := w.runs()
	if err != nil {
		return nil, err
	}
	var out []*proceeding.State
	for i := range rows {
		if !match(&rows[i]) {
			continue
		}
		st, err := w.State(rows[i].Ref)
		if err != nil {
			return nil, err
		}
		out = append(out, st)
	}
	return out, nil
}

// States gives every proceeding, the newest first.
func (w *World) States() ([]*proceeding.State, error) {
	return w.those(func(*store.RunRow) bool { return true })
}

// Latest gives a procedure's latest finished run in a unit.
func (w *World) Latest(procedure string, here register.UnitID) (*proceeding.State, bool) {
	all, err := w.those(func(r *store.RunRow) bool { return r.Procedure == procedure && r.Unit == int64(here) })
	if err != nil {
		return nil, false
	}
	var best *proceeding.State
	for _, st := range all {
		if st.Phase == proceeding.Ended && !st.Archive && (best == nil || st.Ended > best.Ended) {
			best = st
		}
	}
	return best, best != nil
}

// Live gives the references of runs that have not ended.
func (w *World) Live(procedure string, here register.UnitID, office string) []string {
	all, err := w.those(func(r *store.RunRow) bool {
		return r.Procedure == procedure && r.Unit == int64(here) && r.Office == office
	})
	if err != nil {
		return nil
	}
	var out []string
	for _, st := range all {
		if st.Live() {
			out = append(out, st.Ref)
		}
	}
	return out
}

// nextRef gives the next free reference: year, the procedure's first letter,
// a running number.
func (w *World) nextRef(procedure string) (string, error) {
	letter := strings.ToUpper(procedure[:min(1, len(procedure))])
	prefix := fmt.Sprintf("%d-%s-", w.at.Year(), letter)
	n, known := w.given[prefix]
	if !known {
		rows, err := w.runs()
		if err != nil {
			return "", err
		}
		for i := range rows {
			if strings.HasPrefix(rows[i].Ref, prefix) {
				n++
			}
		}
	}
	// One decision can set several runs going, none of them written yet.
	w.given[prefix] = n + 1
	return fmt.Sprintf("%s%03d", prefix, n+1), nil
}

// Next gives when a declared event takes place, if it is still to come.
func (w *World) Next(event string) (rulebook.Moment, bool) {
	for _, e := range w.org.Events {
		if e.Event == event && e.At >= w.at.UnixMilli()-1000 {
			return w.book.Calendar().Instant(time.UnixMilli(e.At)), true
		}
	}
	return rulebook.Moment{}, false
}

// Slot gives a standing slot's value.
func (w *World) Slot(name string, unit register.UnitID) (proceeding.Slot, bool) {
	s, ok := w.org.Slots[fmt.Sprintf("%s@%d", name, unit)]
	return s, ok
}

func (w *World) took(p register.PersonID, run string) bool {
	st, ok := w.Run(run)
	return ok && st.TookPart(p)
}

// Decided is when a run of a procedure that took a value last came to a
// decision, Unix milliseconds: when a vote on it was counted, not when the run
// was stopped before.
func (w *World) Decided(procedure, take, value string) int64 {
	all, err := w.those(func(r *store.RunRow) bool { return r.Procedure == procedure })
	if err != nil {
		return 0
	}
	var last int64
	for _, st := range all {
		h, ok := st.Takes[take]
		if ok && h.Text == value && st.Phase == proceeding.Ended && st.Voted() {
			last = max(last, st.Ended)
		}
	}
	return last
}

// Count is how many people are who. It is taken outside the writer and kept
// by the register's state.
func (w *World) Count(who rulebook.Who, here register.UnitID, scope rulebook.Scope, freeze *rulebook.Moment) (int64, error) {
	// Memberships begin and end at instants, as a rule at midnight: a count is
	// good for an hour at most.
	key := w.countKey(who, here, scope, freeze)
	w.c.mu.Lock()
	n, ok := w.c.counts[key]
	w.c.mu.Unlock()
	if ok {
		return n, nil
	}
	book := w.book
	return 0, &errCount{take: func(tx *store.Tx) (map[string]int64, error) {
		fresh, err := w.c.world(tx, true)
		if err != nil {
			return nil, err
		}
		fresh = fresh.WithBook(book)
		plan, err := roll.NewPlan(book, who, over(scope, fresh), fresh.View(here), freeze)
		if err != nil {
			return nil, err
		}
		total := roll.NewTally(plan)
		err = fresh.walk(tx, here, plan, func(chunk []assessed) {
			for _, a := range chunk {
				total.Add(a.lines)
			}
		})
		var sum int64
		for _, n := range total.Entitled {
			sum += n
		}
		return map[string]int64{key: sum}, err
	}}
}

// countKey is what a count of people depends on: besides the register, who is
// meant by which rulebook, and what their conditions ask, of the run (its
// scope), of the organisation (its version) and of the time.
func (w *World) countKey(who rulebook.Who, here register.UnitID, scope rulebook.Scope, freeze *rulebook.Moment) string {
	run := ""
	if s, ok := scope.(interface{ Key() string }); ok {
		run = s.Key()
	}
	return fmt.Sprintf("%s|%s|%d|%d|%s|%s|%s", w.book.Hash, whoKey(who), here, w.org.Version, w.at.Format("2006-01-02T15"), freezeKey(freeze), run)
}

func whoKey(who rulebook.Who) string {
	key := string(who.Kind) + " " + who.Name
	for _, x := range who.Any {
		key += "," + whoKey(x)
	}
	return key
}

// registerSeq is the last entry that may have changed who belongs. It is the
// organisation's own counter, so that papers and nominations do not make a
// count stale.
func (w *World) registerSeq() int64 { return w.org.Register }

func freezeKey(m *rulebook.Moment) string {
	if m == nil {
		return ""
	}
	if m.IsDay {
		return m.Day().String() // the whole of it, and not its first instant
	}
	return m.T.UTC().Format(time.RFC3339)
}
