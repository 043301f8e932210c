package chamber

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebooks"
	"github.com/omov/omov/store"
)

// A reader whose view is older than a change of the offices does not leave it
// to those who come after: who has lost an office has lost it for everybody.
func TestOldReaderDoesNotKeepOffices(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	c, err := Open(ctx, Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	src, err := rulebooks.Read("omov-2014")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Found(ctx, FoundedBody{Name: "x"}, src); err != nil {
		t.Fatal(err)
	}
	write := func(kind string, body func(w *World) any) {
		t.Helper()
		if err := c.Write(ctx, func(w *World) ([]minutes.Entry, error) {
			return []minutes.Entry{{Kind: kind, Access: minutes.Public, Rulebook: w.Book().Hash, Body: body(w)}}, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	held := func(w *World) []register.TermOfOffice {
		return w.Roster().Holders("general_secretary", 0, w.Tree(), w.At().Unix(), w.Seq())
	}
	write(register.KindFilled, func(w *World) any {
		return register.FilledBody{Name: "A", Term: register.TermOfOffice{Office: "general_secretary", Person: 1, From: w.At().Unix() - 10}}
	})
	err = c.DB.Read(ctx, func(old *store.Tx) error {
		if _, err := old.Head(); err != nil { // from here on the view is fixed
			return err
		}
		write(register.KindVacated, func(w *World) any {
			list := held(w)
			if len(list) != 1 {
				t.Fatalf("%d hold the office before", len(list))
			}
			return register.VacatedBody{Term: list[0].ID, At: w.At().Unix() - 1, Why: "test", Who: 1}
		})
		_, err := c.world(old, true)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Read(ctx, func(w *World) error {
		if n := len(held(w)); n != 0 {
			t.Errorf("%d still hold the office", n)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// Two runs that one decision sets going have two references.
func TestTwoReferencesInOneDecision(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	c, err := Open(ctx, Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Read(ctx, func(w *World) error {
		a, err := w.nextRef("leadership")
		if err != nil {
			return err
		}
		b, err := w.nextRef("local_selection")
		if a == b {
			t.Errorf("both are %s", a)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
