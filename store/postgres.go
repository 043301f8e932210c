package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/omov/omov/fault"
)

// pgConn talks to PostgreSQL, or to a database that speaks its protocol:
// nothing here needs triggers, LISTEN or advisory locks.
type pgConn struct {
	c       *pgx.Conn
	inserts map[*table]string
}

func openPG(ctx context.Context, dsn string) (conn, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	cfg.RuntimeParams["timezone"] = "UTC"
	c, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	// What is acknowledged is on a disk, whatever the server's default is; a
	// stricter one (remote_apply) stays.
	if _, err := c.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`); err != nil {
		return nil, errors.Join(err, c.Close(ctx))
	}
	return &pgConn{c: c, inserts: map[*table]string{}}, nil
}

func (p *pgConn) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	tag, err := p.c.Exec(ctx, sql, args...)
	return tag.RowsAffected(), err
}

// query reads everything before it calls each, because a PostgreSQL
// connection answers one question at a time and each may ask another.
// Whatever may be long is asked for in pages.
func (p *pgConn) query(ctx context.Context, sql string, each func(row) error, args ...any) error {
	rows, err := p.c.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	var all []row
	for rows.Next() {
		vs, err := rows.Values()
		if err != nil {
			rows.Close()
			return err
		}
		all = append(all, vs)
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return err
	}
	for _, r := range all {
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

// bulk writes rows through one statement over arrays, a column each.
func (p *pgConn) bulk(ctx context.Context, t *table, n int, fill func(int, row)) (changed int64, err error) {
	const most = 10_000
	r := make(row, len(t.columns))
	for from := 0; from < n; from += most {
		size := min(most, n-from)
		args := make([]any, len(t.columns))
		for j, c := range t.columns {
			args[j] = c.kind.array(size)
		}
		for i := range size {
			fill(from+i, r)
			for j, v := range r {
				setArray(args[j], i, v)
			}
		}
		tag, err := p.c.Exec(ctx, p.insert(t), args...)
		if err != nil {
			return changed, err
		}
		changed += tag.RowsAffected()
	}
	return changed, nil
}

func (p *pgConn) insert(t *table) string {
	if s, ok := p.inserts[t]; ok {
		return s
	}
	arrays := make([]string, len(t.columns))
	for j, c := range t.columns {
		arrays[j] = fmt.Sprintf("$%d::%s[]", j+1, c.kind.postgres())
	}
	p.inserts[t] = "INSERT INTO " + t.name + " (" + t.names() + ") SELECT * FROM unnest(" + strings.Join(arrays, ", ") + ")" + t.conflict
	return p.inserts[t]
}

func (p *pgConn) begin(ctx context.Context, write bool) error {
	sql := "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	if write {
		sql = "BEGIN ISOLATION LEVEL READ COMMITTED"
	}
	_, err := p.c.Exec(ctx, sql)
	return err
}

func (p *pgConn) commit(ctx context.Context) error {
	tag, err := p.c.Exec(ctx, "COMMIT")
	if err == nil && tag.String() == "ROLLBACK" {
		return errors.New("the transaction had failed before it was committed")
	}
	return err
}

func (p *pgConn) rollback(ctx context.Context) error {
	if p.c.IsClosed() {
		return nil // the server rolls back what was left open
	}
	_, err := p.c.Exec(ctx, "ROLLBACK")
	return err
}

func (p *pgConn) broken() bool { return p.c.IsClosed() }

func (p *pgConn) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	p.c.Close(ctx)
}

// classifyPG tells whether a failed statement may be tried again.
func classifyPG(err error) failure {
	if f := fault.Of(err); f != nil && f.Err == nil {
		return permanent // a refusal of ours
	}
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch {
		case e.Code == "40001", e.Code == "40P01", e.Code == "55P03":
			return again // serialisation failure, deadlock, lock timeout
		case strings.HasPrefix(e.Code, "57P"), strings.HasPrefix(e.Code, "08"):
			return lost // the server is shutting down or starting
		}
		return permanent
	}
	return lost // whatever is not an answer of the server is a lost connection
}
