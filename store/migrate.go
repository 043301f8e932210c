package store

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/omov/omov/fault"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the tables of a book, or of a key store, up to date. Two
// nodes that start at once may get in each other's way: the one that loses
// tries again and finds the work done.
func migrate(ctx context.Context, dsn, what string) (err error) {
	for try := range 6 {
		if try > 0 {
			time.Sleep(time.Duration(try) * 100 * time.Millisecond)
		}
		if err = migrateOnce(ctx, dsn, what); err == nil || fault.Is(err, fault.Invalid) || ctx.Err() != nil {
			break
		}
	}
	return err
}

func migrateOnce(ctx context.Context, dsn, what string) error {
	db, dialect, dir, err := forMigrations(ctx, dsn, what)
	if err != nil {
		return err
	}
	defer db.Close()
	sub, err := fs.Sub(migrations, "migrations/"+dir)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, sub, goose.WithDisableGlobalRegistry(true), goose.WithTableName("schema_"+what))
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the tables of the database could not be made or brought up to date")
	}
	return nil
}

func forMigrations(ctx context.Context, dsn, what string) (*sql.DB, goose.Dialect, string, error) {
	prefix := ""
	if what == "keys" {
		prefix = "keys-"
	}
	if file, ok := liteFile(dsn); ok {
		// For nobody but the server; SQLite gives its other files the same mode.
		f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			return nil, "", "", fault.Wrap(fault.Unavailable, err, "the database file %s cannot be opened", file)
		}
		db, err := sql.Open("sqlite", liteDSN(file))
		return db, goose.DialectSQLite3, prefix + "sqlite", err
	}
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, "", "", fault.Wrap(fault.Invalid, err, "the address of the PostgreSQL database cannot be read")
	}
	if what == "keys" {
		cfg.RuntimeParams["search_path"] = keySchema
	}
	db := stdlib.OpenDB(*cfg)
	if what == "keys" {
		if _, err := db.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS "+keySchema); err != nil {
			db.Close()
			return nil, "", "", unavailable(err)
		}
	}
	return db, goose.DialectPostgres, prefix + "postgres", nil
}
