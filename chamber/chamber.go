// Package chamber is the one way of a write. It loads what a decision needs,
// lets the domain decide, appends the entries to the minute book and projects
// them, all in one transaction of the store's writer, and it has the one Now.
//
// It decides nothing itself but the order of things: what has fallen due goes
// before a command, the state a decision was made on is the state it is
// written on. It holds no use case (contest and registry do), no rule and no
// SQL.
//
// Decisions are made inside the writer's transaction, on the state as the
// head lock shows it, so no decision can be stale. What takes long is done
// before, on a read snapshot: rolls are staged in chunks and made valid by one
// entry, and counts of the whole register are kept by the register's state;
// a decision that needs a count which is not there is put off, the count is
// taken outside, and the decision made again, a few times at the most, then
// the caller gets a conflict.
package chamber

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/omov/omov/box"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/store"
)

// Options say how a chamber is opened.
type Options struct {
	Store store.Options
	Keys  string // folder for the keys of open ballot boxes
}

// Chamber is an open organisation. It is safe for concurrent use.
type Chamber struct {
	DB  *store.DB
	Box box.Keys

	taking sync.Mutex // one roll is taken at a time

	mu     sync.Mutex
	books  map[string]*rulebook.Book
	snap   *snapshot
	counts map[string]int64
	within map[classKey][]unitCounts
	names  map[int64]string
	after  []func(minutes.Minute)

	looked    int64     // entry up to which it is known what begins by itself
	nextBegin time.Time // when the next run does
}

// Open opens a chamber over a book that has been founded, or is about to be.
func Open(ctx context.Context, o Options) (*Chamber, error) {
	c := &Chamber{Box: box.Keys{Dir: o.Keys}, books: map[string]*rulebook.Book{}, counts: map[string]int64{}, within: map[classKey][]unitCounts{}, names: map[int64]string{}}
	db, err := store.Open(ctx, o.Store)
	if err != nil {
		return nil, err
	}
	c.DB = db
	return c, nil
}

// Close closes the book.
func (c *Chamber) Close() error { return c.DB.Close() }

// Now is the book's time: the demo's clock where the book is a demo's.
func (c *Chamber) Now() time.Time { return c.DB.Now() }

// OnMinute calls fn after each entry that this node has committed; fn must be
// quick and must not write.
func (c *Chamber) OnMinute(fn func(minutes.Minute)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.after = append(c.after, fn)
}

// Book gives a version of the rulebook by its hash.
func (c *Chamber) Book(tx *store.Tx, hash string) (*rulebook.Book, error) {
	c.mu.Lock()
	b := c.books[hash]
	c.mu.Unlock()
	if b != nil {
		return b, nil
	}
	row, err := tx.Rulebook(hash)
	if err != nil {
		return nil, err
	}
	if b, err = rulebook.Parse(row.Source); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "the rulebook %s cannot be read any more", hash)
	}
	c.mu.Lock()
	c.books[hash] = b
	c.mu.Unlock()
	return b, nil
}

// Current gives the rulebook in force at the book's time.
func (c *Chamber) Current(tx *store.Tx) (*rulebook.Book, error) {
	rows, err := tx.Rulebooks()
	if err != nil {
		return nil, err
	}
	now := tx.At()
	var best *store.RulebookRow
	for i := range rows {
		r := &rows[i]
		if r.Within == "" && !r.InForceAt.After(now) && (best == nil || !r.InForceAt.Before(best.InForceAt)) {
			best = r
		}
	}
	if best == nil {
		return nil, fault.New(fault.NotFound, "this organisation has not adopted a rulebook yet: omov new --rulebook FILE")
	}
	return c.Book(tx, best.Hash)
}

// errCount puts a decision off until counts of the register are there. take
// gives them by the keys under which they are looked for, or keeps them
// itself.
type errCount struct {
	take func(*store.Tx) (map[string]int64, error)
}

func (e *errCount) Error() string { return "a count of the register is needed first" }

// maxTries is how often a decision is made before the caller gets a conflict:
// each try may find out that one more count of the register is needed.
const maxTries = 12

// Write runs decide in the writer's transaction and commits the entries it
// gives. Like every function of the store's writer it may run more than once.
// An error together with entries commits the entries and returns the error.
func (c *Chamber) Write(ctx context.Context, decide func(w *World) ([]minutes.Entry, error)) error {
	for range maxTries {
		var refusal error
		var done []minutes.Minute
		err := c.DB.Write(ctx, func(tx *store.Tx) error {
			refusal, done = nil, nil
			w, err := c.world(tx, false)
			if err != nil {
				return err
			}
			entries, err := decide(w)
			if w.missing.err != nil {
				return w.missing.err
			}
			if err != nil && len(entries) == 0 {
				return err
			}
			refusal = err
			done, err = c.commit(w, entries)
			return err
		})
		if n := putOff(err); n != nil {
			if err := c.count(ctx, n); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		c.settle(done)
		return refusal
	}
	return fault.New(fault.Conflict, "others changed the same thing at the same time; look again and repeat")
}

// putOff gives what err waits for, nil where it waits for nothing.
func putOff(err error) *errCount {
	var n *errCount
	errors.As(err, &n)
	return n
}

// count takes a count outside the writer. One that rests on others, because a
// condition asks how many belong to a unit, waits for those.
func (c *Chamber) count(ctx context.Context, n *errCount) error {
	for range maxTries {
		err := c.DB.Read(ctx, func(tx *store.Tx) error {
			counts, err := n.take(tx)
			if err != nil {
				return err
			}
			c.mu.Lock()
			if len(c.counts) > 10_000 {
				clear(c.counts)
			}
			maps.Copy(c.counts, counts)
			c.mu.Unlock()
			return nil
		})
		first := putOff(err)
		if first == nil {
			return err
		}
		if err := c.count(ctx, first); err != nil {
			return err
		}
	}
	return fault.New(fault.Conflict, "the register changes too quickly to be counted; try again")
}

// settle tells those who listen.
func (c *Chamber) settle(done []minutes.Minute) {
	c.mu.Lock()
	listeners := c.after
	c.mu.Unlock()
	for _, m := range done {
		for _, fn := range listeners {
			fn(m)
		}
	}
}

// Do decides one command of a proceeding.
func (c *Chamber) Do(ctx context.Context, ref string, cmd proceeding.Command) (*proceeding.State, error) {
	var out *proceeding.State
	err := c.Write(ctx, func(w *World) ([]minutes.Entry, error) {
		st, err := w.State(ref)
		if err != nil {
			return nil, err
		}
		book, err := c.Book(w.tx, st.Book)
		if err != nil {
			return nil, err
		}
		w.book = book
		next, entries, err := proceeding.Decide(book, st, cmd, w.at, w)
		if next != nil {
			out = next
		}
		return w.follow(next, entries, err)
	})
	return out, err
}

// Begin calls a procedure of the rulebook in force. The reference is given
// here.
func (c *Chamber) Begin(ctx context.Context, b proceeding.Begin) (*proceeding.State, error) {
	var out *proceeding.State
	err := c.Write(ctx, func(w *World) ([]minutes.Entry, error) {
		ref, err := w.nextRef(b.Procedure)
		if err != nil {
			return nil, err
		}
		b.Ref = ref
		next, entries, err := proceeding.Decide(w.book, nil, b, w.at, w)
		out = next
		return w.follow(next, entries, err)
	})
	return out, err
}

// Read runs fn over one snapshot.
func (c *Chamber) Read(ctx context.Context, fn func(w *World) error) error {
	for range maxTries {
		err := c.DB.Read(ctx, func(tx *store.Tx) error {
			w, err := c.world(tx, true)
			if err != nil {
				return err
			}
			err = fn(w)
			if w.missing.err != nil {
				return w.missing.err
			}
			return err
		})
		n := putOff(err)
		if n == nil {
			return err
		}
		if err := c.count(ctx, n); err != nil {
			return err
		}
	}
	return fault.New(fault.Conflict, "the register changes too quickly to be counted; try again")
}
