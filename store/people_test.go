package store_test

import (
	"fmt"
	"testing"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/store"
	"github.com/omov/omov/store/storetest"
)

// Rows that were written before one of them was refused do not stay, not even
// where the caller passes over the refusal.
func TestRefusedRowsLeaveNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ps := make([]store.PersonRow, 200)
		for i := range ps {
			ps[i] = store.PersonRow{ID: int64(i + 1), External: fmt.Sprint("M-", i), Facts: []byte{1}}
		}
		ps[150].External = "M-3"
		wantKind(t, db.Write(t.Context(), func(tx *store.Tx) error { return tx.PutPeople(ps) }), fault.Conflict)
		wantKind(t, db.Write(t.Context(), func(tx *store.Tx) error {
			wantKind(t, tx.PutPeople(ps), fault.Conflict)
			return nil
		}), fault.Internal)
		read(t, db, func(tx *store.Tx) error {
			n, _, err := tx.CountPeople()
			check(t, "people who were half written", n, int64(0))
			return err
		})
	})
}

// New people and people of the register are written in one call; a number
// that one gives up another can have.
func TestPutPeopleNewAndKnown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		first := []store.PersonRow{{ID: 1, External: "A", Facts: []byte{1}}, {ID: 5, External: "E", Facts: []byte{1}}}
		write(t, db, func(tx *store.Tx) error { return tx.PutPeople(first) })
		then := []store.PersonRow{{ID: 6, External: "E", Facts: []byte{2}, Seq: 2}, {ID: 5, External: "F", Facts: []byte{3}, Seq: 2}, {ID: 3, External: "C", Facts: []byte{4}, Seq: 2}}
		write(t, db, func(tx *store.Tx) error { return tx.PutPeople(then) })
		read(t, db, func(tx *store.Tx) error {
			for _, want := range append(then, first[0]) {
				p, err := tx.Person(want.ID)
				if err != nil {
					return err
				}
				check(t, "person", p, want)
			}
			return nil
		})
	})
}

// Particulars of several entries that wait together go to the entry that
// brought them; entries without any may stand between.
func TestParticularsOfManyEntries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		counts := []int{0, 2, 0, 0, 3, 1, 0}
		write(t, db, func(tx *store.Tx) error {
			for i, n := range counts {
				e := minutes.Entry{Kind: "test/1", Access: minutes.Officers, Body: []byte(`{}`)}
				for k := range n {
					e.Particulars = append(e.Particulars, minutes.Particular{Person: int64(10*i + k), Salt: []byte{byte(k)}, Cipher: []byte{byte(i)}})
				}
				if _, err := tx.Append(e); err != nil {
					return err
				}
			}
			return nil
		})
		read(t, db, func(tx *store.Tx) error {
			i := 0
			return tx.Minutes(1, func(m minutes.Minute) error {
				check(t, "number of particulars", len(m.Particulars), counts[i])
				for k, p := range m.Particulars {
					check(t, "particular", p, minutes.Particular{Person: int64(10*i + k), Salt: []byte{byte(k)}, Cipher: []byte{byte(i)}})
				}
				i++
				return nil
			})
		})
	})
}
