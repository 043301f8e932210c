// Package store keeps a book: its minutes and log, the projections of them,
// open ballot boxes, rolls, outgoing mail and sessions, in SQLite or in
// PostgreSQL. It decides the order of writes, numbers entries, sets the
// book's time, and signs what is durable. It holds no rule and knows no kind
// of entry; bodies and states are bytes to it.
//
// # Writing
//
// All writes of a node pass through one goroutine, which takes whatever is
// waiting, opens one transaction under the lock of the head row, runs the
// functions one after another and commits once for all (see DB.Write). Every
// function sees what those before it in the batch wrote. Nothing is answered
// before it is durable.
//
// # Storage
//
// One set of tables, described in migrations/; one SQL text for both
// dialects. Instants are Unix milliseconds. "sqlite:FILE" keeps a second file
// FILE.keys with the keys of particulars, so that it can have its own
// short-lived backups, and FILE.checkpoint with the last signed checkpoint.
// On PostgreSQL the keys are in the schema omov_keys and the checkpoint in a
// file that Options names.
//
// A book that is shorter than its last signed checkpoint, or differs from it,
// does not open: something has taken entries away that people may hold proofs
// of. Restore the newest backup, or open a new origin (NewOrigin), whose first
// entry cites the old checkpoint and the loss.
package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/tiles"
)

// Options say which book to open.
type Options struct {
	// DSN is "sqlite:FILE" or "postgres://…". A file that does not exist is
	// made.
	DSN string
	// Keys is the database of keys; empty: beside the book, as the package
	// says.
	Keys string
	// Checkpoint is the file for the last signed checkpoint. It must outlive
	// the database and, with PostgreSQL, has to be given.
	Checkpoint string
	// Origin names the log of a new book; it is part of every checkpoint, so
	// a name under a domain of the organisation is best. Empty: a random name.
	Origin string
	// Clock is the writer's clock, nil for the real one. The real one is
	// watched: a node whose clock jumps, or is off the database's, stops
	// writing.
	Clock func() time.Time
	// Readers is how many reads run at once; 0: 8.
	Readers int
}

// DB is an open book. It is safe for use by several goroutines.
type DB struct {
	opts       Options
	lite       bool // the dialect: SQLite, else PostgreSQL
	open       func(context.Context) (conn, error)
	openWriter func(context.Context) (conn, error)
	classify   func(error) failure
	tables     *tables
	readers    *pool
	keys       *Keys
	queue      chan *call
	stop       chan struct{}
	closing    sync.Once
	work       sync.WaitGroup
	watch      *watch
	log        *signer
}

// Open opens a book, making it and bringing its tables up to date where
// needed. The error is fault.Damaged where the book is shorter than, or
// differs from, what was signed; fault.Invalid where the options are wrong;
// fault.Unavailable where the database does not answer.
func Open(ctx context.Context, o Options) (*DB, error) {
	db, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := db.verify(ctx); err != nil {
		return nil, errors.Join(err, db.shut())
	}
	db.start()
	return db, nil
}

// prepare opens everything without comparing the book with its checkpoint.
func prepare(ctx context.Context, o Options) (*DB, error) {
	db := &DB{opts: o, tables: newTables(), queue: make(chan *call, 1024), stop: make(chan struct{})}
	if err := db.dialect(); err != nil {
		return nil, err
	}
	if err := migrate(ctx, db.opts.DSN, "book"); err != nil {
		return nil, err
	}
	keys, err := openKeys(ctx, db.opts.Keys, db.tables)
	if err != nil {
		return nil, err
	}
	db.keys = keys
	readers := o.Readers
	if readers == 0 {
		readers = 8
	}
	db.readers = newPool(readers, db.open)
	db.watch = newWatch(o.Clock)
	if err := db.found(ctx); err != nil {
		return nil, errors.Join(err, db.shut())
	}
	return db, nil
}

// dialect fills in what follows from the DSN.
func (db *DB) dialect() error {
	o := &db.opts
	if file, ok := liteFile(o.DSN); ok {
		if file == "" || strings.ContainsAny(file, "?#") {
			return fault.New(fault.Invalid, "%q names no database file; write sqlite:FILE, without ? and #", o.DSN)
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return fault.Wrap(fault.Unavailable, err, "the folder of the database %s cannot be made", file)
		}
		db.lite, db.classify = true, classifyLite
		// Imports touch every page of the indexes at random, so the writer has
		// a large cache; the readers are many.
		db.openWriter = func(context.Context) (conn, error) { return openLite(file, 96, "secure_delete(FAST)") }
		db.open = func(context.Context) (conn, error) { return openLite(file, 12, "secure_delete(FAST)") }
		if o.Keys == "" {
			o.Keys = "sqlite:" + file + ".keys"
		}
		if o.Checkpoint == "" {
			o.Checkpoint = file + ".checkpoint"
		}
		return nil
	}
	if !isPG(o.DSN) {
		return fault.New(fault.Invalid, "%q is not a database; write sqlite:FILE or postgres://…", o.DSN)
	}
	if o.Checkpoint == "" {
		return fault.New(fault.Invalid, "say in which file, outside the database, the last signed checkpoint is to be kept")
	}
	db.classify = classifyPG
	db.open = func(ctx context.Context) (conn, error) { return openPG(ctx, o.DSN) }
	db.openWriter = db.open
	if o.Keys == "" {
		o.Keys = o.DSN
	}
	return nil
}

func isPG(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// found makes the head row of a new book. Two nodes may do so at once.
func (db *DB) found(ctx context.Context) error {
	c, err := db.open(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer c.close()
	origin := db.opts.Origin
	if origin == "" {
		var r [8]byte
		rand.Read(r[:])
		origin = "omov.invalid/" + hex.EncodeToString(r[:])
	}
	root := tiles.EmptyRoot()
	if _, err = c.exec(ctx, `INSERT INTO head (id, origin, seq, at, root, token) VALUES (1, $1, 0, 0, $2, $3) ON CONFLICT (id) DO NOTHING`,
		origin, root[:], []byte{0}); err != nil {
		return unavailable(err)
	}
	h, _, err := readHead(ctx, c, "")
	if err != nil {
		return err
	}
	db.log, err = newSigner(ctx, db.keys, h.Origin, db.opts.Checkpoint)
	return err
}

func unavailable(err error) error {
	return fault.Wrap(fault.Unavailable, err, "the database does not answer")
}

// start lets the writer and the signer begin.
func (db *DB) start() {
	db.work.Go(db.writing)
	db.work.Go(db.signing)
}

// Close finishes what is being written, signs the last state and closes the
// book. What is still waiting is refused (fault.Unavailable).
func (db *DB) Close() error {
	var err error
	db.closing.Do(func() {
		_, err = db.Checkpoint(context.Background())
		err = errors.Join(err, db.halt())
	})
	return err
}

// halt closes the book without signing anything.
func (db *DB) halt() error {
	close(db.stop)
	db.work.Wait()
	return db.shut()
}

func (db *DB) shut() error {
	db.readers.close()
	return db.keys.close()
}

// Keys gives the key store of the book.
func (db *DB) Keys() *Keys { return db.keys }

// Dialect is "sqlite" or "postgres", for messages and tests.
func (db *DB) Dialect() string {
	if db.lite {
		return "sqlite"
	}
	return "postgres"
}

// Now is the book's clock: the writer's, in UTC and whole milliseconds. It is
// for windows shown on pages; a write has its own time (Tx.At).
func (db *DB) Now() time.Time { return db.watch.now() }

// Scrub takes deleted papers out of what is on the disk: SQLite's write-ahead
// log is emptied into the file, where deleted rows have been overwritten;
// PostgreSQL's table is vacuumed. Its own log of writes remains until it is
// recycled; the papers in it are ciphertext.
func (db *DB) Scrub(ctx context.Context) error {
	c, err := db.readers.get(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer db.readers.put(c)
	if db.lite {
		err = emptyWAL(ctx, c)
	} else {
		_, err = c.exec(ctx, `VACUUM box_paper`)
	}
	if err != nil && fault.Of(err) == nil {
		err = unavailable(err)
	}
	return err
}
