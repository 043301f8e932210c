// Package storetest runs a test on every database that the store supports.
// Package tests of other floors use it as the store's own do:
//
//	func TestMain(m *testing.M) { storetest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		storetest.Each(t, func(t *testing.T, db *store.DB) { … })
//	}
//
// Main starts one PostgreSQL server for the test binary; without it every
// test that needs one starts its own, which takes some seconds.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/omov/omov/store"
	"github.com/omov/omov/store/pgtest"
)

// serverVariable names the server that Main has started. OMOV_TEST_POSTGRES
// can also name one that is running already, on which databases are made.
const serverVariable = "OMOV_TEST_POSTGRES"

// Main runs the tests with one PostgreSQL server and exits.
func Main(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv(serverVariable) != "" {
		return m.Run()
	}
	s, err := pgtest.Start(context.Background(), false)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := s.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	if err := os.Setenv(serverVariable, s.DSN("postgres")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// Each runs a test on a new book in SQLite and on one in PostgreSQL, as
// subtests called by the dialect.
func Each(t *testing.T, fn func(t *testing.T, db *store.DB)) {
	EachOptions(t, func(t *testing.T, o store.Options) { fn(t, Open(t, o)) })
}

// EachOptions is Each for tests that open the book themselves: it gives the
// options of a book that does not exist yet.
func EachOptions(t *testing.T, fn func(t *testing.T, o store.Options)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, Postgres(t)) })
}

// SQLite gives the options of a new book in a file that goes with the test.
func SQLite(t testing.TB) store.Options {
	return store.Options{DSN: "sqlite:" + filepath.Join(t.TempDir(), "book.db"), Origin: "omov.example/test"}
}

// Postgres gives the options of a new book in a database that goes with the
// test.
func Postgres(t testing.TB) store.Options {
	t.Helper()
	ctx := context.Background()
	server := os.Getenv(serverVariable)
	if server == "" {
		s, err := pgtest.Start(ctx, false)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		})
		server = s.DSN("postgres")
	}
	dsn, drop, err := pgtest.Create(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Error(err)
		}
	})
	return store.Options{DSN: dsn, Checkpoint: filepath.Join(t.TempDir(), "checkpoint"), Origin: "omov.example/test"}
}

// Open opens a book and closes it at the end of the test.
func Open(t testing.TB, o store.Options) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Files gives what is on the disk of a book in SQLite, by file name: the
// database, its write-ahead log, the key store. With it a test looks for what
// must not be there.
func Files(t testing.TB, o store.Options) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(strings.TrimPrefix(o.DSN, "sqlite:") + "*")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a checkpoint that was being written when the names were read
		}
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(n)] = b
	}
	return files
}

// Clock is a clock that stands still until it is moved. It is used by one
// goroutine at a time, or moved while nothing is written.
type Clock struct{ At time.Time }

// Now is for Options.Clock.
func (c *Clock) Now() time.Time { return c.At }
