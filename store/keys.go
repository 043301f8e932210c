package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"sync"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
)

const keySchema = "omov_keys"

// Keys is the key store of a book: a key for the particulars of each person,
// and the server's own secrets. It is apart from the book so that its backups
// can be short-lived: a key that is destroyed must not come back with an old
// backup of everything.
//
// A particular is sealed with AES-256-GCM: a random nonce of 12 bytes, then
// the ciphertext; the person's number (eight bytes, the highest first) is
// authenticated with it.
type Keys struct {
	t    *tables
	lite bool
	pool *pool
	mu   sync.Mutex // one writer, so that SQLite never has to wait
}

// Key is the key of one person's particulars.
type Key [32]byte

func openKeys(ctx context.Context, dsn string, t *tables) (*Keys, error) {
	if err := migrate(ctx, dsn, "keys"); err != nil {
		return nil, err
	}
	k := &Keys{t: t}
	file, lite := liteFile(dsn)
	k.lite = lite
	k.pool = newPool(4, func(ctx context.Context) (conn, error) {
		if lite {
			return openLite(file, 4, "secure_delete(ON)")
		}
		c, err := openPG(ctx, dsn)
		if err == nil {
			_, err = c.exec(ctx, `SET search_path = `+keySchema)
		}
		return c, err
	})
	return k, nil
}

func (k *Keys) close() error {
	k.pool.close()
	return nil
}

func (k *Keys) with(ctx context.Context, fn func(conn) error) error {
	c, err := k.pool.get(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer k.pool.put(c)
	err = fn(c)
	if err != nil && fault.Of(err) == nil {
		err = unavailable(err)
	}
	return err
}

// write runs fn in a transaction.
func (k *Keys) write(ctx context.Context, fn func(conn) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.with(ctx, func(c conn) error {
		if err := c.begin(ctx, true); err != nil {
			return err
		}
		err := fn(c)
		if err == nil {
			err = c.commit(ctx)
		}
		if err != nil {
			c.rollback(context.WithoutCancel(ctx))
		}
		return err
	})
}

// PutKeys gives the keys of people, drawing and keeping one for each that has
// none. They are durable when it returns, so an entry sealed with them can
// follow.
func (k *Keys) PutKeys(ctx context.Context, people []int64) (map[int64]Key, error) {
	drawn := make([]Key, len(people))
	all := make([]byte, 32*len(people))
	rand.Read(all)
	for i := range drawn {
		copy(drawn[i][:], all[32*i:])
	}
	keys := make(map[int64]Key, len(people))
	err := k.write(ctx, func(c conn) error {
		n, err := c.bulk(ctx, k.t.key, len(people), func(i int, r row) { r[0], r[1] = people[i], drawn[i][:] })
		if err != nil {
			return err
		}
		for i, p := range people {
			keys[p] = drawn[i]
		}
		if n == int64(len(people)) {
			return nil
		}
		for p := range keys {
			if keys[p], err = readKey(ctx, c, p); err != nil {
				return err
			}
		}
		return nil
	})
	return keys, err
}

func readKey(ctx context.Context, c conn, person int64) (key Key, err error) {
	found := false
	err = c.query(ctx, `SELECT key FROM person_key WHERE person = $1`, func(r row) error {
		found = copy(key[:], r.blob(0)) == len(key)
		return nil
	}, person)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "the particulars of person %d have been erased, or there never were any", person)
	}
	return key, err
}

// Key gives a person's key; fault.NotFound where there is none, or where it
// has been destroyed.
func (k *Keys) Key(ctx context.Context, person int64) (key Key, err error) {
	err = k.with(ctx, func(c conn) (err error) {
		key, err = readKey(ctx, c, person)
		return err
	})
	return key, err
}

// DestroyKey destroys a person's key and with it, everywhere and in every
// backup of the book, what was sealed with it. On SQLite its bytes are
// overwritten in the file and the write-ahead log is emptied; on PostgreSQL
// the table is vacuumed, and the server's own log of writes has to be kept
// short.
func (k *Keys) DestroyKey(ctx context.Context, person int64) error {
	err := k.write(ctx, func(c conn) error {
		_, err := c.exec(ctx, `DELETE FROM person_key WHERE person = $1`, person)
		return err
	})
	if err != nil {
		return err
	}
	return k.with(ctx, func(c conn) error {
		if !k.lite {
			_, err := c.exec(ctx, `VACUUM person_key`)
			return err
		}
		return emptyWAL(ctx, c)
	})
}

// Secret gives a secret of the server by its name ("log", "email"), drawing
// it when it is first asked for.
func (k *Keys) Secret(ctx context.Context, name string) (secret [32]byte, err error) {
	rand.Read(secret[:])
	err = k.write(ctx, func(c conn) error {
		if _, err := c.exec(ctx, `INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, secret[:]); err != nil {
			return err
		}
		return c.query(ctx, `SELECT value FROM secret WHERE name = $1`, func(r row) error {
			copy(secret[:], r.blob(0))
			return nil
		}, name)
	})
	return secret, err
}

// Seal encrypts a particular of a person, for an entry.
func (key Key) Seal(person int64, plaintext []byte) minutes.Particular {
	const salt, nonce, tag = 32, 12, 16
	b := make([]byte, salt+nonce, salt+nonce+len(plaintext)+tag) // one allocation, and one draw: an import has many
	rand.Read(b)
	drawn := b[salt:]
	return minutes.Particular{Person: person, Salt: b[:salt:salt],
		Cipher: key.aead().Seal(drawn, drawn, plaintext, binary.BigEndian.AppendUint64(nil, uint64(person)))}
}

// Open decrypts what Seal encrypted; fault.Damaged where it cannot.
func (key Key) Open(person int64, sealed []byte) ([]byte, error) {
	aead := key.aead()
	if len(sealed) < aead.NonceSize() {
		return nil, fault.New(fault.Damaged, "a particular of person %d is damaged", person)
	}
	b, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], binary.BigEndian.AppendUint64(nil, uint64(person)))
	if err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "a particular of person %d does not open with the key that is kept", person)
	}
	return b, nil
}

func (key Key) aead() cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // a key has 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	return aead
}

// SealParticular encrypts a particular with the person's key, drawing the key
// where there is none.
func (k *Keys) SealParticular(ctx context.Context, person int64, plaintext []byte) (minutes.Particular, error) {
	keys, err := k.PutKeys(ctx, []int64{person})
	if err != nil {
		return minutes.Particular{}, err
	}
	return keys[person].Seal(person, plaintext), nil
}

// OpenParticular decrypts a particular; fault.NotFound where it has been
// erased.
func (k *Keys) OpenParticular(ctx context.Context, person int64, sealed []byte) ([]byte, error) {
	key, err := k.Key(ctx, person)
	if err != nil {
		return nil, err
	}
	return key.Open(person, sealed)
}
