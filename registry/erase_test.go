package registry_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/store"
)

// Erasing somebody destroys what identifies them, for good and everywhere; the
// book goes on, replays, and says that it happened.
func TestErase(t *testing.T) {
	ch, r := open(t)
	ctx := context.Background()
	if _, err := r.ImportCSV(ctx, strings.NewReader(good), registry.Import{Columns: columns()}); err != nil {
		t.Fatal(err)
	}
	if err := r.Erase(ctx, 3, "asked to be forgotten"); err != nil {
		t.Fatal(err)
	}
	if err := r.Erase(ctx, 3, "again"); err != nil {
		t.Errorf("a repeated erasure: %v", err)
	}
	err := ch.Read(ctx, func(w *chamber.World) error {
		if _, err := w.ParticularsOf(3); !fault.Is(err, fault.NotFound) {
			t.Errorf("particulars are still there: %v", err)
		}
		if w.NameOf(3) != "" {
			t.Error("the name is still there")
		}
		if !w.View(0).Person(3).Is("member") {
			t.Error("the facts that rolls follow from have gone too")
		}
		if _, err := w.Tx().PersonByExternal("3"); !fault.Is(err, fault.NotFound) {
			t.Errorf("still found by the organisation's number: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var origin string
	if err := ch.DB.Read(ctx, func(tx *store.Tx) error { h, err := tx.Head(); origin = h.Origin; return err }); err != nil {
		t.Fatal(err)
	}
	to, err := chamber.Open(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "replay.db"), Origin: origin}, Keys: dir})
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
	files, _ := filepath.Glob(filepath.Join(dir, "replay.db*"))
	for _, f := range files {
		raw, _ := os.ReadFile(f)
		if bytes.Contains(raw, []byte("Çelik")) || bytes.Contains(raw, []byte("bo@example.org")) {
			t.Errorf("%s holds particulars in the clear", filepath.Base(f))
		}
	}
}
