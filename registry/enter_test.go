package registry_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/store"
)

// head gives how many people there are and where the book stands.
func head(t *testing.T, ch *chamber.Chamber) (people, seq int64) {
	t.Helper()
	err := ch.Read(t.Context(), func(w *chamber.World) (err error) {
		seq = w.Seq()
		people, _, err = w.Tx().CountPeople()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return people, seq
}

func somebody(external string) registry.NewPerson {
	return registry.NewPerson{Sealed: &chamber.Sealed{Particulars: chamber.Particulars{Name: "N " + external, Email: external + "@Example.org"}, External: external},
		Changes: []register.Change{{Aspect: register.Belongs, Name: 1, From: 1}}}
}

// An import of several entries that fails late, or is given up while it is
// written, leaves nothing; repeated, it is entered under the same numbers.
func TestEnterAllOrNone(t *testing.T) {
	ch, r := open(t)
	const n = 2*register.MaxRows + 500
	people := make([]registry.NewPerson, n)
	for i := range people {
		people[i] = somebody(fmt.Sprint("m", i))
	}
	_, before := head(t, ch)
	untouched := func(what string) {
		t.Helper()
		if got, seq := head(t, ch); got != 0 || seq != before {
			t.Fatalf("%s: %d people and entry %d; want none, and %d", what, got, seq, before)
		}
	}
	last := people[n-1].Sealed.External
	people[n-1].Sealed.External = "m7"
	if _, err := r.Enter(t.Context(), people, "", nil); !fault.Is(err, fault.Conflict) {
		t.Fatalf("a number twice: %v", err)
	}
	untouched("a number twice")
	people[n-1].Sealed.External = last

	ctx, giveUp := context.WithCancel(t.Context())
	_, err := r.Enter(ctx, people, "", func(done, total int) {
		if total != n || done == 0 {
			t.Errorf("progress is %d of %d", done, total)
		}
		giveUp()
	})
	if !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.Canceled) {
		t.Fatalf("given up: %v", err)
	}
	untouched("given up")

	ids, err := r.Enter(t.Context(), people, "", nil)
	if err != nil || len(ids) != n || ids[0] != 1 || ids[n-1] != n {
		t.Fatalf("repeated: %d people, %v", len(ids), err)
	}
	if got, seq := head(t, ch); got != n || seq != before+3 {
		t.Fatalf("%d people, entry %d", got, seq)
	}
}

// Two who import at once get numbers of their own, and everyone is found by
// their own number and address: by the live path as by a replay, which opens
// the particulars where the live path was told.
func TestEnterAtOnceAndReplay(t *testing.T) {
	dir := t.TempDir()
	ch, r := openIn(t, dir)
	ctx := t.Context()
	var both sync.WaitGroup
	ids := [2][]register.PersonID{}
	for side := range ids {
		both.Go(func() {
			people := make([]registry.NewPerson, register.MaxRows+10)
			for i := range people {
				people[i] = somebody(fmt.Sprintf("s%d-%d", side, i))
			}
			people[5].Sealed = nil // somebody of whom only facts are known
			var err error
			if ids[side], err = r.Enter(ctx, people, "", nil); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if t.Failed() {
		t.FailNow()
	}
	found := func(ch *chamber.Chamber) map[string]register.PersonID {
		got := map[string]register.PersonID{}
		dir := registry.Directory{Chamber: ch}
		for side := range ids {
			for _, i := range []int{0, 4, 5, 6, register.MaxRows - 1, register.MaxRows, register.MaxRows + 9} {
				key := fmt.Sprintf("s%d-%d", side, i)
				byMail, err := dir.ByEmail(ctx, key+"@example.ORG")
				if err != nil {
					t.Fatal(err)
				}
				err = ch.Read(ctx, func(w *chamber.World) error {
					row, err := w.Tx().PersonByExternal(key)
					if fault.Is(err, fault.NotFound) && len(byMail) == 0 {
						return nil
					}
					if err == nil && (len(byMail) != 1 || int64(byMail[0]) != row.ID) {
						t.Errorf("%s is %d by number and %v by address", key, row.ID, byMail)
					}
					got[key] = register.PersonID(row.ID)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		return got
	}
	live := found(ch)
	for side := range ids {
		for _, i := range []int{0, 4, 6, register.MaxRows + 9} {
			if key := fmt.Sprintf("s%d-%d", side, i); live[key] != ids[side][i] || live[key] == 0 {
				t.Errorf("%s is person %d; want %d", key, live[key], ids[side][i])
			}
		}
	}
	var origin string
	if err := ch.DB.Read(ctx, func(tx *store.Tx) error { h, err := tx.Head(); origin = h.Origin; return err }); err != nil {
		t.Fatal(err)
	}
	to, err := chamber.Open(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "replay.db"), Keys: "sqlite:" + filepath.Join(dir, "book.db.keys"), Origin: origin}, Keys: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if err := ch.Replay(ctx, to, nil); err != nil {
		t.Fatal(err)
	}
	if differ, err := chamber.Differ(ctx, ch, to); err != nil || len(differ) > 0 {
		t.Fatalf("the replay differs in %v: %v", differ, err)
	}
	if again := found(to); fmt.Sprint(again) != fmt.Sprint(live) {
		t.Errorf("the replay finds %v; want %v", again, live)
	}
}
