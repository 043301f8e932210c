package store_test

import (
	"testing"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/store"
	"github.com/omov/omov/store/storetest"
)

// key is 32 bytes that begin with b.
func key(b ...byte) (k [32]byte) {
	copy(k[:], b)
	return k
}

// The board of a sealed ballot: its list, lost codes, papers and what they may
// not have in common, and what trustees read of it.
func TestSealedBoard(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const ballot = "2026-L-001/ballot/1"
		list := []store.SealedCredential{{Key: key(9), Section: "members", Class: "v1"}, {Key: key(200), Section: "members", Class: "v1"}, {Key: key(3), Section: "unions", Class: "v2"}}
		write(t, db, func(tx *store.Tx) error { return tx.PutSealedCredentials(ballot, list) })
		wantKind(t, db.Write(t.Context(), func(tx *store.Tx) error { return tx.PutSealedCredentials(ballot, list[:1]) }), fault.Conflict)

		// A lost code is replaced: the old one is on no list, and does not come back.
		write(t, db, func(tx *store.Tx) error {
			if err := tx.RetireSealedCredential(ballot, key(200)); err != nil {
				return err
			}
			return tx.PutSealedCredentials(ballot, []store.SealedCredential{{Key: key(201), Section: "members", Class: "v1"}})
		})
		wantKind(t, db.Write(t.Context(), func(tx *store.Tx) error {
			return tx.PutSealedCredentials(ballot, []store.SealedCredential{{Key: key(200), Section: "members", Class: "v1"}})
		}), fault.Conflict)

		// Three papers of two credentials.
		put := func(k, hash [32]byte, sequence int64, element byte) {
			write(t, db, func(tx *store.Tx) error {
				m, err := tx.Append(minutes.Entry{Kind: "seal.paper/1", Access: minutes.Public, Untimed: true, Body: map[string]int{"n": int(element)}})
				if err != nil {
					return err
				}
				return tx.PutSealedPaper(ballot, k, hash, sequence, m.Seq, [][32]byte{key(element)})
			})
		}
		put(key(201), key(0xab, 1), 1, 50)
		put(key(9), key(0xab, 2), 1, 51)
		put(key(9), key(0xcd), 2, 52)
		write(t, db, func(tx *store.Tx) error {
			if err := tx.CountSealedRefused(ballot, "stale", 2); err != nil {
				return err
			}
			return tx.CountSealedRefused(ballot, "stale", 1)
		})
		read(t, db, func(tx *store.Tx) error {
			c, err := tx.SealedCredential(ballot, key(9))
			if err != nil || c == nil || c.Sequence != 2 || c.Hash != key(0xcd) || c.Section != "members" {
				t.Errorf("a credential and its current paper: %+v %v", c, err)
			}
			for k, want := range map[byte]bool{200: false, 201: true, 3: true, 77: false} {
				if c, err := tx.SealedCredential(ballot, key(k)); err != nil || (c != nil) != want {
					t.Errorf("key %d on the list: %v %v", k, c, err)
				}
			}
			for k, want := range map[byte]bool{200: true, 77: false} {
				if once, err := tx.SealedOnce(ballot, key(k)); err != nil || once != want {
					t.Errorf("key %d was once on the list: %v %v", k, once, err)
				}
			}
			p, err := tx.SealedPaper(ballot, key(0xab, 2))
			if err != nil || p == nil || p.Key != key(9) || p.Sequence != 1 {
				t.Errorf("a paper by its hash: %+v %v", p, err)
			}
			for begin, want := range map[string]int{"\xab": 2, "\xab\x02": 1, "\xcd": 1, "\x01": 0} {
				if got, err := tx.SealedLike(ballot, []byte(begin)); err != nil || len(got) != want {
					t.Errorf("papers that begin with %x: %d, want %d %v", begin, len(got), want, err)
				}
			}
			used, err := tx.SealedUsed(ballot, [][32]byte{key(1), key(51)})
			check(t, "used", used, true)
			if err != nil {
				return err
			}
			groups, err := tx.SealedGroups(ballot)
			check(t, "groups", groups, []store.SealedGroup{{Section: "members", Class: "v1", Keys: 2, Papers: 2}, {Section: "unions", Class: "v2", Keys: 1, Papers: 0}})
			if err != nil {
				return err
			}
			var bodies []string
			err = tx.SealedStanding(ballot, "members", "v1", func(b []byte) error { bodies = append(bodies, string(b)); return nil })
			check(t, "standing, by credential", bodies, []string{`{"n":52}`, `{"n":50}`})
			refused, e := tx.SealedRefused(ballot)
			check(t, "refused", refused, map[string]int64{"stale": 3})
			if err == nil {
				err = e
			}
			return err
		})
		write(t, db, func(tx *store.Tx) error { return tx.EndSealed(ballot) })
		read(t, db, func(tx *store.Tx) error {
			used, err := tx.SealedUsed(ballot, [][32]byte{key(51)})
			check(t, "used after the close", used, false)
			return err
		})
	})
}
