package store

import (
	"iter"

	"github.com/omov/omov/fault"
)

// Paper is a paper in an open box: nothing but ciphertext under a key that is
// not in the database, under an id that is the hash of a code that only the
// voter has.
type Paper struct {
	Ballot  string
	ID      [32]byte
	Section string
	Cipher  []byte
}

// Mark writes that a voter has voted in a section of a ballot. False: they
// had already, and nothing was written.
func (tx *Tx) Mark(ballot, section string, voter int64) (bool, error) {
	n, err := tx.write(`INSERT INTO marked (ballot, section, voter) VALUES ($1, $2, $3) ON CONFLICT (ballot, section, voter) DO NOTHING`, ballot, section, voter)
	return n > 0, err
}

// IsMarked tells whether a voter has voted in a section of a ballot.
func (tx *Tx) IsMarked(ballot, section string, voter int64) (bool, error) {
	return tx.one(`SELECT 1 FROM marked WHERE ballot = $1 AND section = $2 AND voter = $3`, func(row) {}, ballot, section, voter)
}

// Marked gives who has voted in a ballot, ordered by section and number. An
// error ends it.
func (tx *Tx) Marked(ballot string) iter.Seq2[MarkedVoter, error] {
	return func(yield func(MarkedVoter, error) bool) {
		last := MarkedVoter{Voter: -1 << 63}
		for first := true; ; first = false {
			n, stopped := 0, false
			each := func(r row) error {
				n++
				last = MarkedVoter{r.text(0), r.int(1)}
				stopped = stopped || !yield(last, nil)
				return nil
			}
			var err error
			if first {
				err = tx.query(`SELECT section, voter FROM marked WHERE ballot = $1 ORDER BY section, voter LIMIT $2`, each, ballot, int64(streamPage))
			} else {
				err = tx.query(`SELECT section, voter FROM marked WHERE ballot = $1 AND (section, voter) > ($2, $3) ORDER BY section, voter LIMIT $4`, each, ballot, last.Section, last.Voter, int64(streamPage))
			}
			if err != nil && !stopped {
				yield(MarkedVoter{}, err)
			}
			if err != nil || stopped || n < streamPage {
				return
			}
		}
	}
}

// MarkedVoter is a voter who has voted in a section.
type MarkedVoter struct {
	Section string
	Voter   int64
}

// CountMarked gives how many have voted in a ballot, by section.
func (tx *Tx) CountMarked(ballot string) (map[string]int64, error) {
	return tx.countBy(`SELECT section, count(*) FROM marked WHERE ballot = $1 GROUP BY section`, ballot)
}

// ClearMarked removes the marks of a ballot, once the book has them.
func (tx *Tx) ClearMarked(ballot string) error {
	_, err := tx.write(`DELETE FROM marked WHERE ballot = $1`, ballot)
	return err
}

func (tx *Tx) countBy(sql, key string) (map[string]int64, error) {
	m := map[string]int64{}
	err := tx.query(sql, func(r row) error {
		m[r.text(0)] = r.int(1)
		return nil
	}, key)
	return m, err
}

// PutPaper puts a paper into the box. False: there is one under that id, and
// it stays as it is; so a repeated request changes nothing.
func (tx *Tx) PutPaper(p Paper) (bool, error) {
	n, err := tx.write(`INSERT INTO box_paper (ballot, id, section, cipher) VALUES ($1, $2, $3, $4) ON CONFLICT (ballot, id) DO NOTHING`, p.Ballot, p.ID[:], p.Section, full(p.Cipher))
	return n > 0, err
}

// ReplacePaper puts another ciphertext in the place of a paper, where votes
// can be changed; fault.NotFound where the box has no such paper.
func (tx *Tx) ReplacePaper(ballot string, id [32]byte, cipher []byte) error {
	n, err := tx.write(`UPDATE box_paper SET cipher = $3 WHERE ballot = $1 AND id = $2`, ballot, id[:], full(cipher))
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "the box has no paper for this code")
	}
	return err
}

// Paper gives a paper of the box; fault.NotFound where there is none.
func (tx *Tx) Paper(ballot string, id [32]byte) (Paper, error) {
	p := Paper{Ballot: ballot, ID: id}
	found, err := tx.one(`SELECT section, cipher FROM box_paper WHERE ballot = $1 AND id = $2`, func(r row) { p.Section, p.Cipher = r.text(0), r.blob(1) }, ballot, id[:])
	if err == nil && !found {
		err = fault.New(fault.NotFound, "the box has no paper for this code")
	}
	return p, err
}

// Papers gives the papers of a box in the order of their ids, which tells
// nothing. An error ends it.
func (tx *Tx) Papers(ballot string) iter.Seq2[Paper, error] {
	return func(yield func(Paper, error) bool) {
		last := []byte{}
		for {
			n, stopped := 0, false
			err := tx.query(`SELECT id, section, cipher FROM box_paper WHERE ballot = $1 AND id > $2 ORDER BY id LIMIT $3`, func(r row) error {
				n++
				last = r.blob(0)
				p := Paper{Ballot: ballot, Section: r.text(1), Cipher: r.blob(2)}
				copy(p.ID[:], last)
				stopped = stopped || !yield(p, nil)
				return nil
			}, ballot, last, int64(streamPage))
			if err != nil && !stopped {
				yield(Paper{}, err)
			}
			if err != nil || stopped || n < streamPage {
				return
			}
		}
	}
}

// CountPapers gives how many papers a box holds, by section.
func (tx *Tx) CountPapers(ballot string) (map[string]int64, error) {
	return tx.countBy(`SELECT section, count(*) FROM box_paper WHERE ballot = $1 GROUP BY section`, ballot)
}

// DestroyPapers empties a box, once the book has what was in it. On SQLite
// the rows are overwritten; DB.Scrub afterwards empties the write-ahead log
// too.
func (tx *Tx) DestroyPapers(ballot string) error {
	if err := tx.secureDelete("ON"); err != nil {
		return err
	}
	if _, err := tx.write(`DELETE FROM box_paper WHERE ballot = $1`, ballot); err != nil {
		return err
	}
	return tx.secureDelete("FAST")
}

// secureDelete tells SQLite how thoroughly to overwrite what is deleted. FAST,
// which the writer has otherwise, leaves pages alone that become free.
func (tx *Tx) secureDelete(how string) error {
	if !tx.db.lite {
		return nil
	}
	return tx.query(`PRAGMA secure_delete = `+how, func(row) error { return nil })
}
