package store

import (
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
)

const minuteColumns = `seq, at, kind, access, office, proceeding, rulebook, clause, salt, body`

func toMinute(r row) minutes.Minute {
	m := minutes.Minute{Seq: r.int(0), At: fromMilli(r.int(1)), Kind: r.text(2), Access: minutes.Access(r.text(3)),
		Office: r.text(4), Proceeding: r.text(5), Rulebook: r.text(6), Clause: r.text(7), Body: r.blob(9)}
	copy(m.Salt[:], r.blob(8))
	return m
}

// Minutes calls fn with every entry from a sequence on, in order, with bodies
// and particulars. It stops at fn's error and returns it.
func (tx *Tx) Minutes(from int64, fn func(minutes.Minute) error) error {
	if err := tx.flushed(); err != nil {
		return err
	}
	const page = 100 // bodies may have half a megabyte each
	for {
		var ms []minutes.Minute
		err := tx.query(`SELECT `+minuteColumns+` FROM minute WHERE seq >= $1 ORDER BY seq LIMIT $2`, func(r row) error {
			ms = append(ms, toMinute(r))
			return nil
		}, from, int64(page))
		if err != nil || len(ms) == 0 {
			return err
		}
		if err := tx.particulars(ms); err != nil {
			return err
		}
		for _, m := range ms {
			if err := fn(m); err != nil {
				return err
			}
		}
		from = ms[len(ms)-1].Seq + 1
	}
}

// particulars fills in those of consecutive minutes.
func (tx *Tx) particulars(ms []minutes.Minute) error {
	first := ms[0].Seq
	return tx.query(`SELECT seq, person, salt, cipher FROM particular WHERE seq >= $1 AND seq <= $2 ORDER BY seq, n`, func(r row) error {
		m := &ms[r.int(0)-first]
		m.Particulars = append(m.Particulars, minutes.Particular{Person: r.int(1), Salt: r.blob(2), Cipher: r.blob(3)})
		return nil
	}, first, ms[len(ms)-1].Seq)
}

// Minute gives one entry with body and particulars; fault.NotFound where the
// book is not that long.
func (tx *Tx) Minute(seq int64) (minutes.Minute, error) {
	var m minutes.Minute
	if err := tx.flushed(); err != nil {
		return m, err
	}
	found, err := tx.one(`SELECT `+minuteColumns+` FROM minute WHERE seq = $1`, func(r row) { m = toMinute(r) }, seq)
	if err != nil {
		return m, err
	}
	if !found {
		return m, fault.New(fault.NotFound, "the minute book has no entry %d", seq)
	}
	ms := []minutes.Minute{m}
	err = tx.particulars(ms)
	return ms[0], err
}

// Query chooses entries for a page.
type Query struct {
	Before     int64            // only entries before this sequence; 0: from the end
	Proceeding string           // only of this proceeding; empty: of all
	Access     []minutes.Access // only of these levels; none: of all
	Bodies     bool             // with bodies
	Limit      int              // at most so many; 0: 50
}

// Page gives entries, the newest first, without particulars.
func (tx *Tx) Page(q Query) ([]minutes.Minute, error) {
	if err := tx.flushed(); err != nil {
		return nil, err
	}
	if q.Limit <= 0 {
		q.Limit = 50
	}
	if q.Before == 0 {
		q.Before = 1 << 62
	}
	levels := []any{"", "", "", ""}
	for i, a := range q.Access {
		if i < len(levels) {
			levels[i] = string(a)
		}
	}
	columns := minuteColumns
	if !q.Bodies {
		columns = `seq, at, kind, access, office, proceeding, rulebook, clause, salt, NULL`
	}
	sql := `SELECT ` + columns + ` FROM minute WHERE seq < $1 AND ($2 = 0 OR access IN ($3, $4, $5, $6))`
	args := append([]any{q.Before, int64(len(q.Access))}, levels...)
	if q.Proceeding != "" {
		// "<> ''" is in the index, and names it to the planner.
		sql += ` AND proceeding = $7 AND proceeding <> ''`
		args = append(args, q.Proceeding)
	}
	args = append(args, int64(q.Limit))
	sql += ` ORDER BY seq DESC LIMIT $` + string(rune('0'+len(args)))
	var ms []minutes.Minute
	err := tx.query(sql, func(r row) error {
		ms = append(ms, toMinute(r))
		return nil
	}, args...)
	return ms, err
}

// EraseParticulars removes what the book's rows hold of a person's
// particulars. Commitments and salts stay, so that a verifier can count what
// was erased. Destroying the key (Keys.DestroyKey) is the erasure itself.
func (tx *Tx) EraseParticulars(person int64) error {
	if err := tx.flushed(); err != nil {
		return err
	}
	_, err := tx.write(`UPDATE particular SET cipher = NULL WHERE person = $1`, person)
	return err
}
