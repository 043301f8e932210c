package store

import (
	"context"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/tiles"
)

// Head is where the book stands. Seq is the number of its last entry, which
// is also the size of the log; At the time of that entry, zero in an empty
// book.
type Head struct {
	Origin string
	Seq    int64
	At     time.Time
	Root   tiles.Hash
}

type mode int

const (
	reading mode = iota
	writing
)

// Tx is a transaction. It is used by one goroutine and only until the
// function that was given it returns. Its methods return *fault.Error.
type Tx struct {
	ctx    context.Context
	db     *DB
	c      conn
	b      *batch // of a write
	head   *Head  // of a read, once asked for
	mode   mode
	at     time.Time // once asked for
	wrote  bool
	failed error // the first statement that failed
	over   bool
}

// Read runs fn on a snapshot: whatever is written meanwhile, fn sees the book
// at one moment. Reads do not wait for writes.
func (db *DB) Read(ctx context.Context, fn func(*Tx) error) error {
	for try := 0; ; try++ {
		tx, err := db.read(ctx, fn)
		if err == nil || tx == nil || tx.failed == nil || try == 2 || db.classify(tx.failed) == permanent || ctx.Err() != nil {
			return err
		}
	}
}

// read runs fn in a transaction of its own on a connection of the pool.
func (db *DB) read(ctx context.Context, fn func(*Tx) error) (*Tx, error) {
	c, err := db.readers.get(ctx)
	if err != nil {
		if fault.Of(err) == nil {
			err = unavailable(err)
		}
		return nil, err
	}
	defer db.readers.put(c)
	tx := &Tx{ctx: ctx, db: db, c: c, mode: reading}
	if err := c.begin(ctx, false); err != nil {
		return tx, tx.fail(err)
	}
	finished := false
	defer func() {
		if !finished { // fn ended its goroutine
			c.rollback(context.WithoutCancel(ctx))
		}
	}()
	err = tx.run(fn)
	finished = true
	if e := c.rollback(context.WithoutCancel(ctx)); e != nil {
		c.close()
	}
	return tx, err
}

// Head gives where the book stands: in a write, with the entries that this
// batch has appended so far.
func (tx *Tx) Head() (Head, error) {
	if tx.b != nil {
		h := tx.b.head
		h.Root = tx.b.edge.Root()
		return h, nil
	}
	if tx.head == nil {
		h, _, err := readHead(tx.ctx, tx.c, "")
		if err != nil {
			return h, tx.fail(err)
		}
		tx.head = &h
	}
	return *tx.head, nil
}

// At is the book's time of this transaction: the clock when it is first asked
// for, but in a write never before the last entry. It stays the same, so that
// what is decided and what is entered bear one time. UTC, whole milliseconds.
func (tx *Tx) At() time.Time {
	if tx.at.IsZero() {
		tx.at = tx.db.watch.now()
	}
	if tx.b != nil && tx.at.Before(tx.b.head.At) {
		tx.at = tx.b.head.At
	}
	return tx.at
}

// readHead reads the head row and the token of the batch that wrote it.
func readHead(ctx context.Context, c conn, lock string) (Head, []byte, error) {
	var h Head
	var token []byte
	err := c.query(ctx, `SELECT origin, seq, at, root, token FROM head WHERE id = 1`+lock, func(r row) error {
		h = Head{Origin: r.text(0), Seq: r.int(1), At: fromMilli(r.int(2))}
		copy(h.Root[:], r.blob(3))
		token = r.blob(4)
		return nil
	})
	if err == nil && token == nil {
		err = fault.New(fault.Damaged, "the book has lost its head row; restore the newest backup")
	}
	return h, token, err
}

// write runs a statement that writes, and gives the number of rows.
func (tx *Tx) write(sql string, args ...any) (int64, error) {
	if err := tx.usable(writing); err != nil {
		return 0, err
	}
	n, err := tx.c.exec(tx.statementContext(), sql, args...)
	if err != nil {
		return 0, tx.fail(err)
	}
	tx.wrote = tx.wrote || n > 0
	return n, nil
}

func (tx *Tx) bulk(t *table, n int, fill func(int, row)) error {
	if err := tx.usable(writing); err != nil || n == 0 {
		return err
	}
	tx.wrote = true
	_, err := tx.c.bulk(tx.statementContext(), t, n, fill)
	return tx.fail(err)
}

// query runs a statement that reads. An error of each is passed on as it is.
func (tx *Tx) query(sql string, each func(row) error, args ...any) error {
	if err := tx.usable(reading); err != nil {
		return err
	}
	var own error
	err := tx.c.query(tx.statementContext(), sql, func(r row) error {
		own = each(r)
		return own
	}, args...)
	if own != nil {
		return own
	}
	return tx.fail(err)
}

// usable refuses what this transaction is not for.
func (tx *Tx) usable(for_ mode) error {
	if tx.over {
		return fault.New(fault.Internal, "a transaction was used after its end")
	}
	if tx.mode < for_ {
		return fault.New(fault.Internal, "this transaction does not write that")
	}
	return nil
}

// statementContext is the caller's for reads. A write in a batch is not given
// up half-way because one of the callers has gone.
func (tx *Tx) statementContext() context.Context {
	if tx.b != nil {
		return context.WithoutCancel(tx.ctx)
	}
	return tx.ctx
}

// fail remembers that a statement failed: on PostgreSQL the transaction is
// lost with it.
func (tx *Tx) fail(err error) error {
	if err == nil {
		return nil
	}
	if tx.failed == nil {
		tx.failed = err
	}
	if fault.Of(err) != nil {
		return err
	}
	if tx.ctx.Err() != nil {
		return fault.Wrap(fault.Unavailable, err, "this was given up before it was answered")
	}
	return fault.Wrap(fault.Internal, err, "the database refused a statement")
}

// one runs a query for one row and tells whether there was one.
func (tx *Tx) one(sql string, each func(row), args ...any) (bool, error) {
	found := false
	err := tx.query(sql, func(r row) error {
		found = true
		each(r)
		return nil
	}, args...)
	return found, err
}

func fromMilli(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// milli gives Unix milliseconds; the zero time is NULL.
func milli(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// instant gives Unix milliseconds; the zero time is 0.
func instant(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
