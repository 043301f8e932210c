package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"
)

// projection is a table as its digest covers it: sql gives a page of it after
// a key, which is the row's first column, or its second in tables that belong
// to a roll.
type projection struct {
	name   string
	sql    string
	ofRoll bool
	start  any
	page   int64
}

// projections are the durable ones. What identifies a person is left out,
// because erasing it must not change a digest; so is what is operational
// (mail, sessions, settings), the open box, and a roll that is staged.
func projections() []projection {
	const low = int64(-1 << 62)
	return []projection{
		{"minute", `SELECT seq, commitment FROM minute WHERE seq > $1 ORDER BY seq LIMIT $2`, false, low, streamPage},
		{"office_term", `SELECT ` + officeColumns + ` FROM office_term WHERE id > $1 ORDER BY id LIMIT $2`, false, low, streamPage},
		{"person", `SELECT id, facts, seq FROM person WHERE id > $1 ORDER BY id LIMIT $2`, false, low, streamPage},
		{"proceeding", `SELECT ` + proceedingColumns + ` FROM proceeding WHERE ref > $1 ORDER BY ref LIMIT $2`, false, "", 100},
		{"roll", `SELECT ` + rollColumns + ` FROM roll WHERE id > $1 AND valid_seq > 0 ORDER BY id LIMIT $2`, false, low, 100},
		{"roll_chunk", `SELECT roll, n, entries FROM roll_chunk WHERE roll = $1 AND n > $2 ORDER BY n LIMIT $3`, true, low, 10},
		{"rulebook", `SELECT ` + rulebookColumns + ` FROM rulebook WHERE hash > $1 ORDER BY hash LIMIT $2`, false, "", 10},
		{"term", `SELECT id, word FROM term WHERE id > $1 ORDER BY id LIMIT $2`, false, low, streamPage},
		{"unit", `SELECT ` + unitColumns + ` FROM unit WHERE id > $1 ORDER BY id LIMIT $2`, false, low, streamPage},
	}
}

// Digest gives, for each durable projection, the SHA-256 (hex) over its rows
// in the order of their keys: the same for the same rows on either dialect.
// Every column goes in as one byte for its kind (0 NULL, 1 integer, 2 text, 3
// bytes), then eight bytes, the highest first, of the integer or of the
// length, then the text or bytes.
func (db *DB) Digest(ctx context.Context) (map[string]string, error) {
	all := map[string]string{}
	err := db.Read(ctx, func(tx *Tx) error {
		for _, p := range projections() {
			h := sha256.New()
			if err := tx.digest(p, h); err != nil {
				return err
			}
			all[p.name] = hex.EncodeToString(h.Sum(nil))
		}
		return nil
	})
	return all, err
}

func (tx *Tx) digest(p projection, h hash.Hash) error {
	if !p.ofRoll {
		return tx.digestPages(p, h)
	}
	var rolls []int64
	err := tx.query(`SELECT id FROM roll WHERE valid_seq > 0 ORDER BY id`, func(r row) error {
		rolls = append(rolls, r.int(0))
		return nil
	})
	for _, id := range rolls {
		if err == nil {
			err = tx.digestPages(p, h, id)
		}
	}
	return err
}

func (tx *Tx) digestPages(p projection, h hash.Hash, of ...any) error {
	var b []byte
	for after := p.start; ; {
		n := int64(0)
		err := tx.query(p.sql, func(r row) error {
			n++
			after = r[len(of)]
			b = b[:0]
			for i := range r {
				b = appendColumn(b, r[i])
			}
			return write(h, b)
		}, slices.Concat(of, []any{after, p.page})...)
		if err != nil || n < p.page {
			return err
		}
	}
}

func write(h hash.Hash, b []byte) error {
	_, err := h.Write(b)
	return err
}

func appendColumn(b []byte, v any) []byte {
	switch v := v.(type) {
	case int64:
		return binary.BigEndian.AppendUint64(append(b, 1), uint64(v))
	case string:
		return append(binary.BigEndian.AppendUint64(append(b, 2), uint64(len(v))), v...)
	case []byte:
		return append(binary.BigEndian.AppendUint64(append(b, 3), uint64(len(v))), v...)
	default:
		return append(b, 0)
	}
}
