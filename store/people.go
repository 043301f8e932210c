package store

import (
	"iter"
	"slices"

	"github.com/omov/omov/fault"
)

// PersonRow is what the projection keeps of a person. Facts are the
// register's bytes; Particular is sealed with the person's key.
type PersonRow struct {
	ID         int64
	External   string // the organisation's own number; empty: none
	EmailMAC   []byte // a keyed hash, to find a person by address; nil: none
	Facts      []byte
	Particular []byte // nil: none, or erased
	Seq        int64  // the entry that last changed the row
}

const personColumns = `id, external, email_mac, facts, particular, seq`

func toPerson(r row) PersonRow {
	return PersonRow{r.int(0), r.text(1), r.blob(2), r.blob(3), r.blob(4), r.int(5)}
}

// PutPeople writes people, whole, over what was kept of them. In one call a
// person occurs once. Two people with one external number are refused
// (fault.Conflict).
func (tx *Tx) PutPeople(ps []PersonRow) error {
	last, err := tx.LastPerson()
	if err != nil {
		return err
	}
	// Those whose number is beyond the last are new; writing them need not
	// provide for a row that is there already.
	var fresh, known []PersonRow
	if n := slices.IndexFunc(ps, func(p PersonRow) bool { return p.ID <= last }); n < 0 {
		fresh = ps
	} else {
		for _, p := range ps {
			if p.ID > last {
				fresh = append(fresh, p)
			} else {
				known = append(known, p)
			}
		}
	}
	if err := tx.putPeople(tx.db.tables.person, known); err != nil {
		return err
	}
	return tx.putPeople(tx.db.tables.newPerson, fresh)
}

func (tx *Tx) putPeople(t *table, ps []PersonRow) error {
	err := tx.bulk(t, len(ps), func(i int, r row) {
		p := &ps[i]
		r[0], r[1], r[2], r[3], r[4], r[5] = p.ID, null(p.External), nullBlob(p.EmailMAC), full(p.Facts), nullBlob(p.Particular), p.Seq
	})
	if err != nil && tx.db.duplicate(err) {
		return fault.Wrap(fault.Conflict, err, "two people have the same external number")
	}
	return err
}

// Person gives a person; fault.NotFound where there is none.
func (tx *Tx) Person(id int64) (PersonRow, error) {
	return tx.person(`SELECT `+personColumns+` FROM person WHERE id = $1`, id)
}

// PersonByExternal gives the person with an external number; fault.NotFound
// where there is none.
func (tx *Tx) PersonByExternal(external string) (PersonRow, error) {
	return tx.person(`SELECT `+personColumns+` FROM person WHERE external = $1`, external)
}

func (tx *Tx) person(sql string, key any) (PersonRow, error) {
	var p PersonRow
	found, err := tx.one(sql, func(r row) { p = toPerson(r) }, key)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "the register has nobody of that number")
	}
	return p, err
}

// PeopleByEmail gives everyone whose address has that keyed hash, by number.
func (tx *Tx) PeopleByEmail(mac []byte) ([]PersonRow, error) {
	var ps []PersonRow
	err := tx.query(`SELECT `+personColumns+` FROM person WHERE email_mac = $1 ORDER BY id`, func(r row) error {
		ps = append(ps, toPerson(r))
		return nil
	}, full(mac))
	return ps, err
}

// streamPage is how many rows a stream asks for at a time.
const streamPage = 10_000

// PeopleAfter gives people in the order of their numbers, after a number, at
// most limit of them (0: all): number, facts and sequence only, fast. The
// facts are the caller's to keep. An error ends it.
func (tx *Tx) PeopleAfter(id int64, limit int) iter.Seq2[PersonRow, error] {
	return func(yield func(PersonRow, error) bool) {
		left := limit
		for {
			page := streamPage
			if limit > 0 {
				page = min(page, left)
			}
			n, stopped := 0, false
			err := tx.query(`SELECT id, facts, seq FROM person WHERE id > $1 ORDER BY id LIMIT $2`, func(r row) error {
				n++
				id = r.int(0)
				if !stopped && !yield(PersonRow{ID: id, Facts: r.blob(1), Seq: r.int(2)}, nil) {
					stopped = true
				}
				return nil
			}, id, int64(page))
			left -= n
			switch {
			case err != nil:
				if !stopped {
					yield(PersonRow{}, err)
				}
				return
			case stopped || n < page || limit > 0 && left == 0:
				return
			}
		}
	}
}

// WithExternal gives the people after a number who have an external number,
// whole, in the order of their numbers, at most limit of them: what an import
// compares its file with.
func (tx *Tx) WithExternal(after int64, limit int) ([]PersonRow, error) {
	ps := make([]PersonRow, 0, min(limit, streamPage))
	err := tx.query(`SELECT `+personColumns+` FROM person WHERE id > $1 AND external IS NOT NULL ORDER BY id LIMIT $2`, func(r row) error {
		ps = append(ps, toPerson(r))
		return nil
	}, after, int64(limit))
	return ps, err
}

// CountPeople gives how many people the register has, and the highest number
// that was given.
func (tx *Tx) CountPeople() (n, last int64, err error) {
	_, err = tx.one(`SELECT count(*), coalesce(max(id), 0) FROM person`, func(r row) { n, last = r.int(0), r.int(1) })
	return n, last, err
}

// LastPerson gives the highest number that was given to a person.
func (tx *Tx) LastPerson() (last int64, err error) {
	_, err = tx.one(`SELECT coalesce(max(id), 0) FROM person`, func(r row) { last = r.int(0) })
	return last, err
}

// ErasePerson removes what identifies a person from the projection; the facts
// that Apply needs stay.
func (tx *Tx) ErasePerson(id int64) error {
	_, err := tx.write(`UPDATE person SET external = NULL, email_mac = NULL, particular = NULL WHERE id = $1`, id)
	return err
}

// Term gives the number of a word in the book's vocabulary, adding it where
// it is new. Numbers count from 1 in the order of first use.
func (tx *Tx) Term(word string) (int64, error) {
	var id int64
	find := func(r row) { id = r.int(0) }
	found, err := tx.one(`SELECT id FROM term WHERE word = $1`, find, word)
	if found || err != nil {
		return id, err
	}
	if err := tx.usable(writing); err != nil {
		return 0, fault.New(fault.NotFound, "the vocabulary does not have %q", word)
	}
	if _, err := tx.one(`SELECT coalesce(max(id), 0) + 1 FROM term`, find); err != nil {
		return 0, err
	}
	return id, tx.PutTerm(id, word)
}

// PutTerm adds a word under a number; for a replay.
func (tx *Tx) PutTerm(id int64, word string) error {
	_, err := tx.write(`INSERT INTO term (id, word) VALUES ($1, $2)`, id, word)
	return err
}

// Terms gives the whole vocabulary by number.
func (tx *Tx) Terms() (map[int64]string, error) {
	ts := map[int64]string{}
	err := tx.query(`SELECT id, word FROM term`, func(r row) error {
		ts[r.int(0)] = r.text(1)
		return nil
	})
	return ts, err
}
