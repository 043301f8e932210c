package store

import "github.com/omov/omov/fault"

// SealedCredential is a key on the list of a sealed ballot, with its current
// paper: none while Sequence is 0.
type SealedCredential struct {
	Key      [32]byte
	Section  string
	Class    string
	Hash     [32]byte // of the current paper
	Sequence int64
	Seq      int64 // the entry of the current paper
}

// PutSealedCredentials enters the keys of a list, at the beginning of a
// ballot. A key that is there already is refused (fault.Conflict).
func (tx *Tx) PutSealedCredentials(ballot string, list []SealedCredential) error {
	n, err := tx.c.bulk(tx.statementContext(), tx.db.tables.credential, len(list), func(i int, r row) {
		c := &list[i]
		r[0], r[1], r[2], r[3], r[4], r[5], r[6] = ballot, c.Key[:], c.Section, c.Class, nil, int64(0), int64(0)
	})
	if err == nil {
		tx.wrote = true
		if n != int64(len(list)) {
			err = fault.New(fault.Conflict, "a key stands on the list twice")
		}
		return err
	}
	return tx.fail(err)
}

// RetireSealedCredential takes a key off the list, as another was put in its
// place. It is remembered, so that it is not put on again.
func (tx *Tx) RetireSealedCredential(ballot string, key [32]byte) error {
	_, err := tx.write(`UPDATE sealed_credential SET section = '', class = '' WHERE ballot = $1 AND key = $2 AND sequence = 0`, ballot, key[:])
	return err
}

// SealedOnce tells whether a key is or was on the list.
func (tx *Tx) SealedOnce(ballot string, key [32]byte) (bool, error) {
	return tx.one(`SELECT 1 FROM sealed_credential WHERE ballot = $1 AND key = $2`, func(row) {}, ballot, key[:])
}

// DropSealed forgets the list of a ballot whose paper is fixed anew. No paper
// has been taken under it.
func (tx *Tx) DropSealed(ballot string) error {
	_, err := tx.write(`DELETE FROM sealed_credential WHERE ballot = $1`, ballot)
	if err == nil {
		_, err = tx.write(`DELETE FROM sealed_entry WHERE ballot = $1`, ballot)
	}
	return err
}

// SealedCredential gives a key of the list; nil where it is not on it.
func (tx *Tx) SealedCredential(ballot string, key [32]byte) (*SealedCredential, error) {
	c := &SealedCredential{Key: key}
	found, err := tx.one(`SELECT section, class, hash, sequence, seq FROM sealed_credential WHERE ballot = $1 AND key = $2 AND section <> ''`, func(r row) {
		c.Section, c.Class, c.Sequence, c.Seq = r.text(0), r.text(1), r.int(3), r.int(4)
		copy(c.Hash[:], r.blob(2))
	}, ballot, key[:])
	if err != nil || !found {
		return nil, err
	}
	return c, nil
}

// PutSealedPaper enters an accepted paper, makes it its credential's current
// one, and keeps the elements that may stand in no other.
func (tx *Tx) PutSealedPaper(ballot string, key, hash [32]byte, sequence, seq int64, elements [][32]byte) error {
	if _, err := tx.write(`INSERT INTO sealed_paper (ballot, hash, key, sequence, seq) VALUES ($1, $2, $3, $4, $5)`, ballot, hash[:], key[:], sequence, seq); err != nil {
		return err
	}
	for _, e := range elements {
		if _, err := tx.write(`INSERT INTO sealed_used (ballot, element) VALUES ($1, $2)`, ballot, e[:]); err != nil {
			return err
		}
	}
	_, err := tx.write(`UPDATE sealed_credential SET hash = $3, sequence = $4, seq = $5 WHERE ballot = $1 AND key = $2`, ballot, key[:], hash[:], sequence, seq)
	return err
}

// SealedPaper is an accepted paper by its hash.
type SealedPaper struct {
	Key      [32]byte
	Sequence int64
	Seq      int64
}

// SealedPaper gives an accepted paper; nil where none has the hash.
func (tx *Tx) SealedPaper(ballot string, hash [32]byte) (*SealedPaper, error) {
	p := &SealedPaper{}
	found, err := tx.one(`SELECT key, sequence, seq FROM sealed_paper WHERE ballot = $1 AND hash = $2`, func(r row) {
		copy(p.Key[:], r.blob(0))
		p.Sequence, p.Seq = r.int(1), r.int(2)
	}, ballot, hash[:])
	if err != nil || !found {
		return nil, err
	}
	return p, nil
}

// SealedLike gives the hashes of accepted papers that begin with some bytes, two
// at most: a short code that fits more than one names none.
func (tx *Tx) SealedLike(ballot string, begin []byte) ([][32]byte, error) {
	var from, to [32]byte
	for i := copy(from[:], begin); i < len(to); i++ {
		to[i] = 0xff
	}
	copy(to[:], begin)
	var out [][32]byte
	err := tx.query(`SELECT hash FROM sealed_paper WHERE ballot = $1 AND hash >= $2 AND hash <= $3 ORDER BY hash LIMIT 2`, func(r row) error {
		out = append(out, [32]byte(r.blob(0)))
		return nil
	}, ballot, from[:], to[:])
	return out, err
}

// SealedUsed tells whether one of the elements stands in an accepted paper.
func (tx *Tx) SealedUsed(ballot string, elements [][32]byte) (bool, error) {
	for _, e := range elements {
		found, err := tx.one(`SELECT 1 FROM sealed_used WHERE ballot = $1 AND element = $2`, func(row) {}, ballot, e[:])
		if err != nil || found {
			return found, err
		}
	}
	return false, nil
}

// EndSealed forgets what only papers to come are compared with.
func (tx *Tx) EndSealed(ballot string) error {
	_, err := tx.write(`DELETE FROM sealed_used WHERE ballot = $1`, ballot)
	return err
}

// CountSealedRefused adds to the papers that were refused for a reason.
func (tx *Tx) CountSealedRefused(ballot, reason string, n int64) error {
	_, err := tx.write(`INSERT INTO sealed_refused (ballot, reason, papers) VALUES ($1, $2, $3)
		ON CONFLICT (ballot, reason) DO UPDATE SET papers = sealed_refused.papers + excluded.papers`, ballot, reason, n)
	return err
}

// SealedRefused gives how many papers were refused, by reason.
func (tx *Tx) SealedRefused(ballot string) (map[string]int64, error) {
	return tx.countBy(`SELECT reason, papers FROM sealed_refused WHERE ballot = $1`, ballot)
}

// SealedGroup is how many keys a section and class has on the list, and how
// many of them have a paper.
type SealedGroup struct {
	Section, Class string
	Keys, Papers   int64
}

// SealedGroups counts the list.
func (tx *Tx) SealedGroups(ballot string) ([]SealedGroup, error) {
	var out []SealedGroup
	err := tx.query(`SELECT section, class, count(*), coalesce(sum(CASE WHEN sequence > 0 THEN 1 ELSE 0 END), 0) FROM sealed_credential WHERE ballot = $1 AND section <> '' GROUP BY section, class ORDER BY section, class`, func(r row) error {
		out = append(out, SealedGroup{r.text(0), r.text(1), r.int(2), r.int(3)})
		return nil
	}, ballot)
	return out, err
}

// SealedStanding gives the bodies of the standing papers of a group, in the
// order of their credentials.
func (tx *Tx) SealedStanding(ballot, section, class string, each func(body []byte) error) error {
	if err := tx.flushed(); err != nil {
		return err
	}
	last := []byte{}
	for {
		n := 0
		err := tx.query(`SELECT c.key, m.body FROM sealed_credential c JOIN minute m ON m.seq = c.seq
			WHERE c.ballot = $1 AND c.section = $2 AND c.class = $3 AND c.sequence > 0 AND c.key > $4 ORDER BY c.key LIMIT $5`, func(r row) error {
			n++
			last = r.blob(0)
			return each(r.blob(1))
		}, ballot, section, class, last, int64(streamPage))
		if err != nil || n < streamPage {
			return err
		}
	}
}

// PutSealedEntry notes an entry of a board.
func (tx *Tx) PutSealedEntry(ballot string, seq int64, kind string) error {
	_, err := tx.write(`INSERT INTO sealed_entry (ballot, seq, kind) VALUES ($1, $2, $3)`, ballot, seq, kind)
	return err
}

// SealedEntries gives the numbers of a board's entries of a kind, in order.
func (tx *Tx) SealedEntries(ballot, kind string) ([]int64, error) {
	var out []int64
	err := tx.query(`SELECT seq FROM sealed_entry WHERE ballot = $1 AND kind = $2 ORDER BY seq`, func(r row) error {
		out = append(out, r.int(0))
		return nil
	}, ballot, kind)
	return out, err
}

// Body gives the body of an entry; fault.NotFound where there is none.
func (tx *Tx) Body(seq int64) ([]byte, error) {
	if err := tx.flushed(); err != nil {
		return nil, err
	}
	var b []byte
	found, err := tx.one(`SELECT body FROM minute WHERE seq = $1`, func(r row) { b = r.blob(0) }, seq)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "the minute book has no entry %d", seq)
	}
	return b, err
}
