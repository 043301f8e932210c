package store

import (
	"iter"

	"github.com/omov/omov/fault"
)

// RollRow is a roll. While Valid is 0 it is staged: written in chunks beside
// the book, and nothing until the entry of that sequence makes it valid.
type RollRow struct {
	ID         int64
	Proceeding string
	Ballot     string
	Root       []byte
	Size       int64
	Seed       []byte
	Valid      int64
	Facts      []byte
}

const rollColumns = `id, proceeding, ballot, root, size, seed, valid_seq, facts`

func toRoll(r row) RollRow {
	return RollRow{r.int(0), r.text(1), r.text(2), r.blob(3), r.int(4), r.blob(5), r.int(6), r.blob(7)}
}

// PutRoll writes a roll's row, whole; with the sequence of an entry in Valid
// it makes the roll valid. A roll that is valid is not changed
// (fault.Already).
func (tx *Tx) PutRoll(x RollRow) error {
	n, err := tx.write(`INSERT INTO roll (`+rollColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET proceeding = excluded.proceeding, ballot = excluded.ballot, root = excluded.root, size = excluded.size,
		seed = excluded.seed, valid_seq = excluded.valid_seq, facts = excluded.facts WHERE roll.valid_seq = 0`,
		x.ID, x.Proceeding, x.Ballot, full(x.Root), x.Size, full(x.Seed), x.Valid, full(x.Facts))
	if err == nil && n == 0 {
		err = fault.New(fault.Already, "this roll is frozen and cannot be changed")
	}
	return err
}

// PutRollChunk writes chunk n of a roll.
func (tx *Tx) PutRollChunk(roll, n int64, entries []byte) error {
	_, err := tx.write(`INSERT INTO roll_chunk (roll, n, entries) VALUES ($1, $2, $3) ON CONFLICT (roll, n) DO UPDATE SET entries = excluded.entries`, roll, n, full(entries))
	return err
}

// Roll gives a roll by its number; fault.NotFound where there is none.
func (tx *Tx) Roll(id int64) (RollRow, error) {
	var x RollRow
	found, err := tx.one(`SELECT `+rollColumns+` FROM roll WHERE id = $1`, func(r row) { x = toRoll(r) }, id)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "there is no roll %d", id)
	}
	return x, err
}

// RollsOf gives the valid rolls of a proceeding, in the order in which they
// were frozen.
func (tx *Tx) RollsOf(proceeding string) ([]RollRow, error) {
	var xs []RollRow
	err := tx.query(`SELECT `+rollColumns+` FROM roll WHERE proceeding = $1 AND valid_seq > 0 ORDER BY valid_seq, id`, func(r row) error {
		xs = append(xs, toRoll(r))
		return nil
	}, proceeding)
	return xs, err
}

// RollChunk gives chunk n of a roll; fault.NotFound where there is none.
func (tx *Tx) RollChunk(roll, n int64) ([]byte, error) {
	var b []byte
	found, err := tx.one(`SELECT entries FROM roll_chunk WHERE roll = $1 AND n = $2`, func(r row) { b = r.blob(0) }, roll, n)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "roll %d has no part %d", roll, n)
	}
	return b, err
}

// RollPart is a chunk of a roll with its number.
type RollPart struct {
	N       int64
	Entries []byte
}

// RollChunks gives the chunks of a roll in order. An error ends it.
func (tx *Tx) RollChunks(roll int64) iter.Seq2[RollPart, error] {
	return func(yield func(RollPart, error) bool) {
		x := RollPart{N: -1}
		for {
			found, err := tx.one(`SELECT n, entries FROM roll_chunk WHERE roll = $1 AND n > $2 ORDER BY n LIMIT 1`, func(r row) { x.N, x.Entries = r.int(0), r.blob(1) }, roll, x.N)
			if !found && err == nil || !yield(x, err) || err != nil {
				return
			}
		}
	}
}
