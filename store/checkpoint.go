package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/tiles"
)

// signEach is how often a log that grows is signed by itself.
const signEach = time.Second

// signer signs checkpoints and keeps the last one in a file outside the
// database.
type signer struct {
	origin string
	file   string
	note   note.Signer
	key    string // for those who verify
	dirty  atomic.Bool

	mu   sync.Mutex
	last []byte
	size int64
}

func newSigner(ctx context.Context, keys *Keys, origin, file string) (*signer, error) {
	seed, err := keys.Secret(ctx, "log")
	if err != nil {
		return nil, err
	}
	s := &signer{origin: origin, file: file, size: -1}
	if s.note, err = tiles.NewSigner(origin, seed); err != nil {
		return nil, err
	}
	s.key, err = tiles.VerifierKey(origin, seed)
	return s, err
}

// VerifierKey is the public key of the log, as clients and witnesses are
// given it: "origin+hash+key".
func (db *DB) VerifierKey() string { return db.log.key }

// Checkpoint signs how long the log durably is, and gives the note. The file
// outside the database has it before anybody else.
func (db *DB) Checkpoint(ctx context.Context) ([]byte, error) {
	s := db.log
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirty.Store(false)
	var h Head
	if err := db.Read(ctx, func(tx *Tx) (err error) {
		h, err = tx.Head()
		return err
	}); err != nil {
		return nil, err
	}
	if h.Seq == s.size {
		return s.last, nil
	}
	signed, err := tiles.Sign(tiles.Checkpoint{Origin: s.origin, Size: h.Seq, Root: h.Root}, s.note)
	if err != nil {
		return nil, err
	}
	if err := replace(s.file, signed); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the signed checkpoint cannot be kept in %s", s.file)
	}
	if err := db.Write(ctx, func(tx *Tx) error {
		_, err := tx.write(`INSERT INTO checkpoint (size, note) VALUES ($1, $2) ON CONFLICT (size) DO NOTHING`, h.Seq, signed)
		return err
	}); err != nil {
		return nil, err
	}
	s.last, s.size = signed, h.Seq
	s.dirty.Store(false) // by the write just made; the next entry sets it again
	return signed, nil
}

// signing signs what has been written, once a second at most.
func (db *DB) signing() {
	t := time.NewTicker(signEach)
	defer t.Stop()
	for {
		select {
		case <-db.stop:
			return
		case <-t.C:
			if db.log.dirty.Load() {
				// What fails now is tried again with the next write, and Close
				// reports it.
				_, _ = db.Checkpoint(context.Background())
			}
		}
	}
}

// verify compares the book with what was last signed.
func (db *DB) verify(ctx context.Context) error {
	tx, err := db.read(ctx, func(tx *Tx) error {
		h, err := tx.Head()
		if err != nil {
			return err
		}
		if _, err := readEdge(ctx, tx.c, h); err != nil {
			return err
		}
		signed, err := db.signed(tx)
		for _, s := range signed {
			if err := db.log.compare(tx, h, s); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil && tx != nil && tx.failed != nil && fault.Of(tx.failed) == nil {
		return unavailable(err)
	}
	return err
}

// signed gives the last checkpoints that are known: that of the file and that
// of the database.
func (db *DB) signed(tx *Tx) ([][]byte, error) {
	var all [][]byte
	b, err := os.ReadFile(db.log.file)
	switch {
	case err == nil:
		all = append(all, b)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fault.Wrap(fault.Unavailable, err, "the last signed checkpoint cannot be read")
	}
	_, err = tx.one(`SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1`, func(r row) { all = append(all, r.blob(0)) })
	return all, err
}

const advice = "restore the newest backup of the database; if the entries are lost for good, open a new origin, which records the loss in the minute book"

func (s *signer) compare(tx *Tx, h Head, signed []byte) error {
	c, err := tiles.Open(signed, s.key)
	if err != nil {
		return fault.Wrap(fault.Damaged, err, "the last signed checkpoint (%s) is not of this book; %s", s.file, advice)
	}
	if c.Size > h.Seq {
		return fault.New(fault.Damaged, "this book has %d entries, but %d were signed and may have been seen; %s", h.Seq, c.Size, advice)
	}
	root, err := tiles.RootAt(tx, c.Size)
	if err != nil {
		return err
	}
	if root != c.Root {
		return fault.New(fault.Damaged, "the first %d entries of this book are not those that were signed; %s", c.Size, advice)
	}
	return nil
}

// replace puts a file in the place of another, so that after a crash one of
// the two is there, whole.
func replace(file string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // does nothing once it is renamed
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// KindOrigin is the entry that opens a new origin. It is public.
const KindOrigin = "book.origin/1"

// OriginBody cites what was signed under the old origin and what is lost.
type OriginBody struct {
	Origin     string `json:"origin"`
	Old        string `json:"old"`
	Checkpoint string `json:"checkpoint"` // the old signed note, whole
	Signed     int64  `json:"signed"`     // entries that were signed
	Kept       int64  `json:"kept"`       // entries that are left
	Reason     string `json:"reason"`
}

// NewOrigin gives a book that no longer matches its last signed checkpoint a
// new origin. What is left of the log stays, and the first entry under the
// new origin cites the old checkpoint and the loss. It refuses
// (fault.Already) a book that is whole.
func NewOrigin(ctx context.Context, o Options, reason string) error {
	db, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	switch err := db.verify(ctx); {
	case err == nil:
		return errors.Join(fault.New(fault.Already, "this book matches its last signed checkpoint and needs no new origin"), db.shut())
	case !fault.Is(err, fault.Damaged):
		return errors.Join(err, db.shut())
	}
	if o.Origin == "" || o.Origin == db.log.origin {
		return errors.Join(fault.New(fault.Invalid, "a new origin needs a name of its own"), db.shut())
	}
	old, err := os.ReadFile(db.log.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, db.shut())
	}
	body := OriginBody{Origin: o.Origin, Old: db.log.origin, Checkpoint: string(old), Reason: reason}
	if c, err := tiles.Open(old, db.log.key); err == nil {
		body.Signed = c.Size
	}
	if db.log, err = newSigner(ctx, db.keys, o.Origin, db.log.file); err != nil {
		return errors.Join(err, db.shut())
	}
	db.work.Go(db.writing) // without signing: the old checkpoint stays until the loss is recorded
	err = db.Write(ctx, func(tx *Tx) error {
		body.Kept = tx.b.head.Seq
		if _, err := tx.write(`DELETE FROM checkpoint WHERE size >= 0`); err != nil {
			return err
		}
		if _, err := tx.write(`UPDATE head SET origin = $1 WHERE id = 1`, o.Origin); err != nil {
			return err
		}
		_, err := tx.Append(minutes.Entry{Kind: KindOrigin, Access: minutes.Public, Body: body})
		return err
	})
	if err != nil {
		return errors.Join(err, db.halt())
	}
	return db.Close()
}
