package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/tiles"
)

// The bounds of a batch: how many functions it takes, and how often it is
// tried when others are in the way.
const (
	maxBatch = 512
	maxTries = 10
)

// call is one waiting write.
type call struct {
	ctx   context.Context
	fn    func(*Tx) error
	taken atomic.Bool // by the writer, or by a caller that gave up
	done  chan error
}

// Write runs fn in a transaction under the head lock, together with whatever
// else is waiting, and returns when it is durable. The error is fn's own, or
// fault.Unavailable where the database or the node's clock do not allow
// writing.
//
// fn may run more than once, alone or in other company, and only what its
// last run did stays: it must not change anything outside its transaction
// that it could not change again. If it returns an error, nothing that it
// wrote stays; nobody else's write is touched. A panic in fn is an error of
// this call alone. fn must not wait for another Write.
//
// If ctx ends while the call is waiting it is withdrawn; once it has begun,
// Write waits for the answer, which is quick, so that the caller always knows
// what became of it.
func (db *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	c := &call{ctx: ctx, fn: fn, done: make(chan error, 1)}
	select {
	case <-db.stop:
		return errClosed()
	default:
	}
	select {
	case db.queue <- c:
	case <-db.stop:
		return errClosed()
	case <-ctx.Done():
		return fault.Wrap(fault.Unavailable, ctx.Err(), "this was given up before it was written")
	}
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		if c.taken.CompareAndSwap(false, true) {
			return fault.Wrap(fault.Unavailable, ctx.Err(), "this was given up before it was written")
		}
		return <-c.done
	}
}

// writer is the one goroutine of a node that writes.
type writer struct {
	db   *DB
	c    conn
	edge *tiles.Edge // nil where it must be read again
}

// writing is that goroutine. A function that ends it (runtime.Goexit, as
// testing's FailNow does) costs its batch an error, and it starts again.
func (db *DB) writing() {
	w := &writer{db: db}
	var batch []*call
	ended := false
	defer func() {
		if w.c != nil {
			w.c.close()
		}
		if !ended {
			for _, c := range batch {
				c.answer(fault.New(fault.Internal, "the goroutine of the writer was ended by a function"))
			}
			db.work.Go(db.writing)
		}
	}()
	for {
		select {
		case c := <-db.queue:
			batch = w.gather(c)
			w.run(batch)
			batch = nil
		case <-db.stop:
			w.refuse()
			ended = true
			return
		}
	}
}

// answer is given once; a second one is dropped.
func (c *call) answer(err error) {
	select {
	case c.done <- err:
	default:
	}
}

// gather takes what is waiting. It yields once, because those who were just
// answered are about to come back.
func (w *writer) gather(first *call) []*call {
	var batch []*call
	add := func(c *call) {
		if c.taken.CompareAndSwap(false, true) {
			batch = append(batch, c)
		}
	}
	add(first)
	for yields := 0; len(batch) < maxBatch; {
		select {
		case c := <-w.db.queue:
			add(c)
		default:
			if yields++; yields > 2 {
				return batch
			}
			runtime.Gosched()
		}
	}
	return batch
}

func (w *writer) refuse() {
	for {
		select {
		case c := <-w.db.queue:
			if c.taken.CompareAndSwap(false, true) {
				c.answer(errClosed())
			}
		default:
			return
		}
	}
}

// run writes a batch. A function that fails after it has written is taken out
// and the rest runs again; afterwards it runs alone, so that its answer rests
// on what is really in the book.
func (w *writer) run(batch []*call) {
	var alone []*call
	for len(batch) > 0 {
		bad := w.settle(batch)
		if bad == nil {
			break
		}
		alone = append(alone, bad)
		batch = slices.DeleteFunc(slices.Clone(batch), func(c *call) bool { return c == bad })
	}
	for _, c := range alone {
		w.settle([]*call{c})
	}
}

// settle brings a batch to an end: everyone is answered, or the one that has
// to be taken out is given.
func (w *writer) settle(batch []*call) *call {
	var err error
	for try := range maxTries {
		var res outcome
		res, err = w.try(batch)
		switch {
		case err == nil:
			for i, c := range batch {
				c.answer(res.answers[i])
			}
			return nil
		case res.bad != nil && len(batch) > 1:
			return res.bad
		case res.bad != nil:
			res.bad.answer(err)
			return nil
		case res.unknown || w.db.classify(err) == permanent:
			try = maxTries
		}
		if try == maxTries {
			break
		}
		time.Sleep(time.Duration(1+try*try) * 2 * time.Millisecond)
	}
	if fault.Of(err) == nil {
		err = fault.Wrap(fault.Unavailable, err, "the database could not write; nothing of this was kept")
	}
	for _, c := range batch {
		c.answer(err)
	}
	return nil
}

// outcome is what became of a try.
type outcome struct {
	answers []error
	bad     *call // failed after it had written
	unknown bool  // nobody can say whether it was committed
}

// batch is the state that the transactions of a batch share.
type batch struct {
	head    Head
	edge    *tiles.Edge
	pending []numbered
	size    int // bytes of pending bodies
	tiles   map[tileKey][]tiles.Hash
	wrote   bool
}

// try runs a batch once. An error means that nothing of it was committed,
// except where the outcome is unknown.
func (w *writer) try(calls []*call) (outcome, error) {
	ctx := context.Background()
	if w.c == nil || w.c.broken() {
		c, err := w.db.openWriter(ctx)
		if err != nil {
			return outcome{}, err
		}
		w.c, w.edge = c, nil
	}
	b, before, err := w.begin(ctx)
	if err != nil {
		w.abandon(ctx)
		return outcome{}, err
	}
	res := outcome{answers: make([]error, len(calls))}
	for i, c := range calls {
		tx := &Tx{ctx: c.ctx, db: w.db, c: w.c, b: b, mode: writing}
		err := tx.run(c.fn)
		if tx.failed != nil && w.db.classify(tx.failed) != permanent {
			w.abandon(ctx)
			return outcome{}, tx.failed
		}
		if err != nil && (tx.wrote || tx.failed != nil) {
			w.abandon(ctx)
			return outcome{bad: c}, err
		}
		b.wrote = b.wrote || tx.wrote
		res.answers[i] = err
	}
	if !b.wrote {
		return res, w.c.rollback(ctx)
	}
	unknown, err := w.end(ctx, b, before)
	res.unknown = unknown
	return res, err
}

// begin opens the transaction and takes the head lock.
func (w *writer) begin(ctx context.Context) (*batch, []byte, error) {
	if err := w.c.begin(ctx, true); err != nil {
		return nil, nil, err
	}
	lock := " FOR UPDATE"
	if w.db.lite {
		lock = "" // BEGIN IMMEDIATE has locked everything
	}
	h, token, err := readHead(ctx, w.c, lock)
	if err != nil {
		return nil, nil, err
	}
	if err := w.db.watch.look(ctx, w.c, !w.db.lite); err != nil {
		return nil, nil, err
	}
	if w.edge == nil || w.edge.Size() != h.Seq || w.edge.Root() != h.Root {
		if w.edge, err = readEdge(ctx, w.c, h); err != nil {
			return nil, nil, err
		}
	}
	return &batch{head: h, edge: w.edge, tiles: map[tileKey][]tiles.Hash{}}, token, nil
}

// end writes the log and the head, and commits. Where the commit's answer is
// lost the token in the head tells what became of it.
func (w *writer) end(ctx context.Context, b *batch, before []byte) (unknown bool, err error) {
	token := make([]byte, 16)
	rand.Read(token)
	b.head.Root = b.edge.Root()
	tx := &Tx{ctx: ctx, db: w.db, c: w.c, b: b, mode: writing}
	if err = tx.flush(); err == nil {
		err = tx.flushTiles()
	}
	if err == nil {
		_, err = w.c.exec(ctx, `UPDATE head SET seq = $1, at = $2, root = $3, token = $4 WHERE id = 1`,
			b.head.Seq, b.head.At.UnixMilli(), b.head.Root[:], token)
	}
	if err != nil {
		w.abandon(ctx)
		return false, err
	}
	if err = w.c.commit(ctx); err == nil {
		w.db.log.dirty.Store(true)
		return false, nil
	}
	w.abandon(ctx)
	return w.what(ctx, token, before, err)
}

// what finds out, after a commit that failed, whether it was one.
func (w *writer) what(ctx context.Context, token, before []byte, cause error) (unknown bool, err error) {
	for try := range maxTries {
		time.Sleep(time.Duration(try*try) * 10 * time.Millisecond)
		c, err := w.db.open(ctx)
		if err != nil {
			continue
		}
		_, now, err := readHead(ctx, c, "")
		c.close()
		switch {
		case err != nil:
			continue
		case string(now) == string(token):
			return false, nil
		case string(now) == string(before):
			return false, cause
		}
		break // another node has written since
	}
	return true, fault.Wrap(fault.Unavailable, cause, "the database broke off while it was writing; look whether it was kept before you repeat this")
}

// abandon rolls back, or drops the connection if even that fails.
func (w *writer) abandon(ctx context.Context) {
	w.edge = nil
	if w.c.rollback(ctx) != nil || w.c.broken() {
		w.c.close()
		w.c = nil
	}
}

// run calls fn and turns a panic into an error.
func (tx *Tx) run(fn func(*Tx) error) (err error) {
	defer func() {
		tx.over = true
		if p := recover(); p != nil {
			err = fault.Wrap(fault.Internal, fmt.Errorf("panic: %v\n%s", p, debug.Stack()), "something went wrong inside the server; nothing of this was kept")
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if tx.failed != nil {
		return errors.Join(fault.New(fault.Internal, "a statement failed and its error was not passed on"), tx.failed)
	}
	return nil
}
