package store

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/omov/omov/fault"
)

// conn is one connection to a database. Everything above it is written once;
// the two dialects differ below it and in their DDL. A conn is used by one
// goroutine at a time. Arguments are int64, string, []byte or nil; columns
// come back as the same four.
type conn interface {
	// exec gives the number of rows that changed.
	exec(ctx context.Context, sql string, args ...any) (int64, error)
	// query calls each for every row. The row's slice is used again for the
	// next one; its elements are not.
	query(ctx context.Context, sql string, each func(row) error, args ...any) error
	// bulk writes n rows of a table; fill sets the columns of row i, and is
	// called once for each, in order. It gives the number of rows that were
	// new or changed. If it fails, some rows may have been written: the
	// transaction has to be given up.
	bulk(ctx context.Context, t *table, n int, fill func(i int, r row)) (int64, error)
	// begin opens a transaction: for writing, it waits for other writers
	// where the dialect locks the whole database; otherwise it is a snapshot.
	begin(ctx context.Context, write bool) error
	commit(ctx context.Context) error
	rollback(ctx context.Context) error
	// broken tells whether the connection can no longer be used.
	broken() bool
	close()
}

// row is the columns of one row.
type row []any

func (r row) int(i int) int64 {
	n, _ := r[i].(int64) // NULL reads as 0
	return n
}

func (r row) text(i int) string {
	s, _ := r[i].(string) // NULL reads as ""
	return s
}

func (r row) blob(i int) []byte {
	b, _ := r[i].([]byte)
	return b
}

// null gives a value that is stored as NULL where it is empty.
func null[T int64 | string](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

func nullBlob(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// full gives a blob that is never NULL.
func full(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// failure says what became of a statement that failed.
type failure int

const (
	permanent failure = iota
	again             // nothing was committed; the same may succeed
	lost              // the connection is gone
)

// pool keeps idle connections.
type pool struct {
	open   func(context.Context) (conn, error)
	slots  chan struct{}
	mu     sync.Mutex
	idle   []conn
	closed bool
}

func newPool(size int, open func(context.Context) (conn, error)) *pool {
	return &pool{open: open, slots: make(chan struct{}, size)}
}

func (p *pool) get(ctx context.Context) (conn, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fault.Wrap(fault.Unavailable, ctx.Err(), "the database is busy; try again")
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		<-p.slots
		return nil, errClosed()
	}
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	c, err := p.open(ctx)
	if err != nil {
		<-p.slots
	}
	return c, err
}

func (p *pool) put(c conn) {
	p.mu.Lock()
	if p.closed || c.broken() {
		c.close()
	} else {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	<-p.slots
}

// close closes idle connections now and the others when they are put back.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		c.close()
	}
	p.idle = nil
}

func errClosed() error {
	return fault.New(fault.Unavailable, "the database is closed; the server is stopping")
}

// duplicate tells whether a statement failed because of a unique key.
func (db *DB) duplicate(err error) bool {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505"
}
