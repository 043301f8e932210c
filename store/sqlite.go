package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/omov/omov/fault"
)

// liteConn talks to SQLite through the driver itself, without database/sql:
// a million people are read in a second or so, and every layer counts.
// Statements are prepared once a connection.
type liteConn struct {
	c       driver.Conn
	stmts   map[string]*liteStmt
	args    []driver.NamedValue
	inserts map[insertKey]string
	closed  bool
}

type liteStmt struct {
	s    driver.Stmt
	busy bool
}

// liteDSN gives the driver's name for a file with the pragmas every
// connection needs. Full durability: a commit returns when it is on the disk.
func liteDSN(file string, pragmas ...string) string {
	q := url.Values{"_pragma": append([]string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(4000)", "temp_store(MEMORY)"}, pragmas...)}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + q.Encode()
}

// openLite opens a connection with a page cache of so many MiB.
func openLite(file string, cache int, pragmas ...string) (conn, error) {
	c, err := (&sqlite.Driver{}).Open(liteDSN(file, append(pragmas, fmt.Sprintf("cache_size(%d)", -1024*cache))...))
	if err != nil {
		return nil, err
	}
	return &liteConn{c: c, stmts: map[string]*liteStmt{}, inserts: map[insertKey]string{}}, nil
}

func (l *liteConn) bind(args []any) []driver.NamedValue {
	l.args = l.args[:0]
	for i, a := range args {
		if n, ok := a.(int); ok {
			a = int64(n)
		}
		l.args = append(l.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return l.args
}

// stmt gives a prepared statement and what to do when done with it. A
// statement that is still being read, because a row of it asked the same
// question again, is prepared a second time.
func (l *liteConn) stmt(sql string) (driver.Stmt, func(), error) {
	st := l.stmts[sql]
	if st != nil && !st.busy {
		st.busy = true
		return st.s, func() { st.busy = false }, nil
	}
	s, err := l.c.Prepare(sql)
	if err != nil {
		return nil, nil, err
	}
	if st != nil {
		return s, func() { s.Close() }, nil
	}
	st = &liteStmt{s: s, busy: true}
	l.stmts[sql] = st
	return s, func() { st.busy = false }, nil
}

func (l *liteConn) exec(_ context.Context, sql string, args ...any) (int64, error) {
	s, done, err := l.stmt(sql)
	if err != nil {
		return 0, err
	}
	defer done()
	// Without a context that ends: the driver would start a goroutine for
	// every statement to watch it.
	res, err := s.(driver.StmtExecContext).ExecContext(context.Background(), l.bind(args))
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (l *liteConn) query(ctx context.Context, sql string, each func(row) error, args ...any) (err error) {
	s, done, err := l.stmt(sql)
	if err != nil {
		return err
	}
	defer done()
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), l.bind(args))
	if err != nil {
		return err
	}
	defer func() {
		if e := rows.Close(); err == nil {
			err = e
		}
	}()
	dest := make([]driver.Value, len(rows.Columns()))
	r := make(row, len(dest))
	for n := 0; ; n++ {
		if err := rows.Next(dest); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		for i, v := range dest {
			r[i] = v
		}
		if err := each(r); err != nil {
			return err
		}
		if n%1024 == 1023 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// bulk writes rows through statements of many rows each: 64 at a time, and
// the rest by smaller powers of four, so that few statements are prepared.
func (l *liteConn) bulk(ctx context.Context, t *table, n int, fill func(int, row)) (changed int64, err error) {
	args := make([]any, 64*len(t.columns))
	for i := 0; i < n; {
		size := 64
		for size > n-i {
			size /= 4
		}
		for k := range size {
			fill(i+k, args[k*len(t.columns):(k+1)*len(t.columns)])
		}
		c, err := l.exec(ctx, l.insert(t, size), args[:size*len(t.columns)]...)
		if err != nil {
			return changed, err
		}
		changed += c
		i += size
	}
	return changed, nil
}

func (l *liteConn) begin(ctx context.Context, write bool) error {
	if write {
		_, err := l.exec(ctx, "BEGIN IMMEDIATE")
		return err
	}
	_, err := l.exec(ctx, "BEGIN")
	return err
}

func (l *liteConn) commit(ctx context.Context) error {
	_, err := l.exec(ctx, "COMMIT")
	return err
}

func (l *liteConn) rollback(ctx context.Context) error {
	_, err := l.exec(ctx, "ROLLBACK")
	if err != nil && strings.Contains(err.Error(), "no transaction is active") {
		return nil // SQLite rolls back by itself after some errors
	}
	return err
}

func (l *liteConn) broken() bool { return l.closed }

func (l *liteConn) close() {
	l.closed = true
	for _, s := range l.stmts {
		s.s.Close()
	}
	l.c.Close()
}

// emptyWAL moves the write-ahead log into the file and empties it, waiting
// for reads that still need it.
func emptyWAL(ctx context.Context, c conn) error {
	for try := range 50 {
		busy := true
		err := c.query(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`, func(r row) error {
			busy = r.int(0) != 0
			return nil
		})
		if err != nil && classifyLite(err) != again {
			return err
		}
		if err == nil && !busy {
			return nil
		}
		time.Sleep(time.Duration(try) * 5 * time.Millisecond)
	}
	return fault.New(fault.Unavailable, "the database's log of writes could not be emptied, because somebody is reading for a long time; try again")
}

// classifyLite tells whether a failed statement may be tried again.
func classifyLite(err error) failure {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return again
		}
	}
	return permanent
}

// liteFile gives the file of "sqlite:FILE".
func liteFile(dsn string) (string, bool) {
	file, ok := strings.CutPrefix(dsn, "sqlite:")
	return strings.TrimPrefix(file, "//"), ok
}

// insert gives the statement that writes so many rows of a table.
func (l *liteConn) insert(t *table, rows int) string {
	key := insertKey{t, rows}
	if s, ok := l.inserts[key]; ok {
		return s
	}
	var b strings.Builder
	// OR FAIL: what a statement has written before it fails is not taken back
	// by itself, so SQLite need not note every page that it touches; the
	// transaction is given up after any failure (see Tx.run, Keys.write).
	b.WriteString("INSERT OR FAIL INTO " + t.name + " (" + t.names() + ") VALUES ")
	// Without numbers: the driver looks the name of each parameter up, and
	// SQLite searches all names for it.
	one := "(?" + strings.Repeat(",?", len(t.columns)-1) + ")"
	b.WriteString(one + strings.Repeat(","+one, rows-1))
	b.WriteString(t.conflict)
	l.inserts[key] = b.String()
	return l.inserts[key]
}

type insertKey struct {
	t    *table
	rows int
}
