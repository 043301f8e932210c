package store

import (
	"context"
	"crypto/rand"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/tiles"
)

// numbered is a minute that waits to be written, with what the log committed
// to.
type numbered struct {
	minutes.Minute
	commitment [32]byte
}

type tileKey struct {
	level int
	n     int64
}

// maxPending bounds what waits in memory before it is written to the
// transaction, in bytes of bodies.
const maxPending = 8 << 20

// Append numbers an entry, draws its salt and puts it at the end of the book.
// The minute is what was written; it counts once the Write has returned
// without an error. An entry that cannot be written (too large, not
// canonical) is refused and leaves the book as it was.
func (tx *Tx) Append(e minutes.Entry) (minutes.Minute, error) {
	if err := tx.usable(writing); err != nil {
		return minutes.Minute{}, err
	}
	var salt [32]byte
	rand.Read(salt[:])
	m, err := minutes.Number(e, tx.b.head.Seq+1, tx.At(), salt)
	if err != nil {
		return minutes.Minute{}, err
	}
	return m, tx.append(m)
}

// Replay puts a minute from another copy of the same book at the end of this
// one, with its number, time and salt as they are. It is refused
// (fault.Conflict) where it is not the next.
func (tx *Tx) Replay(m minutes.Minute) error {
	if err := tx.usable(writing); err != nil {
		return err
	}
	if m.Seq != tx.b.head.Seq+1 || !m.At.IsZero() && m.At.Before(tx.b.head.At) {
		return fault.New(fault.Conflict, "entry %d does not follow entry %d", m.Seq, tx.b.head.Seq)
	}
	return tx.append(m)
}

func (tx *Tx) append(m minutes.Minute) error {
	header, err := m.Header()
	if err != nil {
		return err
	}
	committed, err := m.Committed()
	if err != nil {
		return err
	}
	b := tx.b
	n := numbered{m, minutes.Commit(m.Salt, committed)}
	for _, t := range b.edge.Append(tiles.LeafHash(minutes.JoinLeaf(header, n.commitment))) {
		b.tiles[tileKey{t.Level, t.N}] = t.Hashes
	}
	tx.wrote = true
	if b.head.Seq = m.Seq; !m.At.IsZero() {
		b.head.At = m.At
	}
	b.pending = append(b.pending, n)
	if b.size += len(m.Body); b.size > maxPending {
		return tx.flush()
	}
	return nil
}

// flush writes the minutes that wait into the transaction.
func (tx *Tx) flush() error {
	if tx.b == nil || len(tx.b.pending) == 0 {
		return nil
	}
	p := tx.b.pending
	tx.b.pending, tx.b.size = nil, 0
	ctx := tx.statementContext()
	_, err := tx.c.bulk(ctx, tx.db.tables.minute, len(p), func(i int, r row) {
		m := &p[i]
		r[0], r[1], r[2], r[3], r[4] = m.Seq, instant(m.At), m.Kind, string(m.Access), m.Office
		r[5], r[6], r[7], r[8], r[9], r[10] = m.Proceeding, m.Rulebook, m.Clause, m.Salt[:], m.commitment[:], nullBlob(m.Body)
	})
	if err != nil {
		return tx.fail(err)
	}
	total := 0
	for i := range p {
		total += len(p[i].Particulars)
	}
	e, n := 0, 0 // the next particular: of which entry, and which of its
	_, err = tx.c.bulk(ctx, tx.db.tables.particular, total, func(_ int, r row) {
		for n == len(p[e].Particulars) {
			e, n = e+1, 0
		}
		q := &p[e].Particulars[n]
		r[0], r[1], r[2], r[3], r[4] = p[e].Seq, int64(n), q.Person, full(q.Salt), nullBlob(q.Cipher)
		n++
	})
	return tx.fail(err)
}

// flushTiles writes the tiles that have changed.
func (tx *Tx) flushTiles() error {
	keys := make([]tileKey, 0, len(tx.b.tiles))
	for k := range tx.b.tiles {
		keys = append(keys, k)
	}
	_, err := tx.c.bulk(tx.statementContext(), tx.db.tables.tile, len(keys), func(i int, r row) {
		k := keys[i]
		r[0], r[1], r[2] = int64(k.level), k.n, tiles.Tile{Hashes: tx.b.tiles[k]}.Bytes()
	})
	return tx.fail(err)
}

// readEdge reads the right edge of the log and compares it with the head.
func readEdge(ctx context.Context, c conn, h Head) (*tiles.Edge, error) {
	var levels [][]tiles.Hash
	for l := range tiles.Levels(h.Seq) {
		n := h.Seq >> ((l + 1) * tiles.Height)
		hs, err := readTile(ctx, c, l, n, tiles.WidthAt(h.Seq, l, n))
		if err != nil {
			return nil, err
		}
		levels = append(levels, hs)
	}
	e, ok := tiles.NewEdge(h.Seq, levels)
	if !ok || e.Root() != h.Root {
		return nil, fault.New(fault.Damaged, "the log of %d entries does not match its root; restore the newest backup", h.Seq)
	}
	return e, nil
}

// readTile reads the first hashes of a tile. The one at the edge of level 0
// is not stored; its hashes come from the minutes.
func readTile(ctx context.Context, c conn, level int, n int64, width int) ([]tiles.Hash, error) {
	if width == 0 {
		return nil, nil
	}
	var hs []tiles.Hash
	ok := true
	err := c.query(ctx, `SELECT hashes FROM tile WHERE level = $1 AND n = $2`, func(r row) error {
		hs, ok = tiles.ParseHashes(r.blob(0))
		return nil
	}, int64(level), n)
	if err == nil && hs == nil && level == 0 {
		err = leaves(ctx, c, n*tiles.Width, width, func(leaf []byte) {
			hs = append(hs, tiles.LeafHash(leaf))
		})
	}
	if err != nil {
		return nil, err
	}
	if !ok || len(hs) < width {
		return nil, fault.New(fault.Damaged, "tile %s of the log is missing or damaged; restore the newest backup", tiles.Ref{Level: level, N: n, Width: width}.Path())
	}
	return hs[:width], nil
}

// leaves gives n leaves from index on (counted from 0), without reading the
// bodies.
func leaves(ctx context.Context, c conn, index int64, n int, each func([]byte)) error {
	return c.query(ctx, `SELECT seq, at, kind, access, office, proceeding, rulebook, clause, commitment FROM minute WHERE seq > $1 AND seq <= $2 ORDER BY seq`, func(r row) error {
		m := minutes.Minute{Seq: r.int(0), At: fromMilli(r.int(1)), Kind: r.text(2), Access: minutes.Access(r.text(3)),
			Office: r.text(4), Proceeding: r.text(5), Rulebook: r.text(6), Clause: r.text(7)}
		h, err := m.Header()
		if err != nil {
			return err
		}
		sum := r.blob(8)
		if len(sum) != 32 {
			return fault.New(fault.Damaged, "entry %d has lost its commitment; restore the newest backup", m.Seq)
		}
		each(minutes.JoinLeaf(h, [32]byte(sum)))
		return nil
	}, index, index+int64(n))
}

// Tile gives the first width hashes of a tile of the log, as it is served.
// With it a Tx is a tiles.Source. fault.NotFound where the log has not grown
// so far.
func (tx *Tx) Tile(level int, n int64, width int) ([]byte, error) {
	h, err := tx.Head()
	if err != nil {
		return nil, err
	}
	if n < 0 || level < 0 || level > 7 || width < 1 || width > tiles.WidthAt(h.Seq, level, n) {
		return nil, fault.New(fault.NotFound, "the log has no such tile")
	}
	if err := tx.flushed(); err != nil {
		return nil, err
	}
	hs, err := readTile(tx.statementContext(), tx.c, level, n, width)
	if err != nil {
		return nil, tx.fail(err)
	}
	return tiles.Tile{Hashes: hs}.Bytes(), nil
}

// flushed makes what waits in this batch readable.
func (tx *Tx) flushed() error {
	if err := tx.usable(reading); err != nil || tx.b == nil {
		return err
	}
	if err := tx.flush(); err != nil {
		return err
	}
	err := tx.flushTiles()
	clear(tx.b.tiles)
	return err
}

// Entries gives the bundle of the first width leaves below tile n of level 0,
// as it is served. fault.NotFound where the log has not grown so far.
func (tx *Tx) Entries(n int64, width int) ([]byte, error) {
	h, err := tx.Head()
	if err != nil {
		return nil, err
	}
	if n < 0 || width < 1 || width > tiles.WidthAt(h.Seq, 0, n) {
		return nil, fault.New(fault.NotFound, "the log has no such entries")
	}
	if err := tx.flushed(); err != nil {
		return nil, err
	}
	var b []byte
	err = leaves(tx.statementContext(), tx.c, n*tiles.Width, width, func(leaf []byte) { b = tiles.AppendBundle(b, leaf) })
	return b, tx.fail(err)
}

// Leaves calls fn with n leaves of the log from the entry of that sequence
// on.
func (tx *Tx) Leaves(from int64, n int, fn func(leaf []byte)) error {
	if err := tx.flushed(); err != nil {
		return err
	}
	return tx.fail(leaves(tx.statementContext(), tx.c, from-1, n, fn))
}
