package bundle_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/omov/omov/bundle"
	"github.com/omov/omov/bundle/bundletest"
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/demo"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/store"
)

// A demo, with contests decided, open and collecting, gives bundles in which
// every check holds; no name of a member is in the public one; tiles are
// served as they are in it.
func TestDemo(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	ch, clock, err := chamber.OpenDemo(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: filepath.Join(dir, "box")})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	defer ch.Close()
	must(demo.Found(ctx, ch, clock, contest.New(ch), registry.New(ch), demo.Options{Members: 400}))
	bundletest.Holds(t, ctx, ch)
	people, err := demo.Find(ctx, ch)
	must(err)
	var name string
	must(ch.Read(ctx, func(w *chamber.World) error { name = w.NameOf(people.Member); return nil }))
	var public bytes.Buffer
	must(bundle.WritePublic(ctx, ch, &public))
	if text := unzip(t, public.Bytes()); name == "" || strings.Contains(text, name) || strings.Contains(text, "riverside.example") {
		t.Errorf("the public bundle holds a member's name or address (%q)", name)
	}
	if b, err := bundle.Tile(ctx, ch, "tile/entries/000"); err != nil || len(b) < 256*40 {
		t.Errorf("%d bytes of entries, %v", len(b), err)
	}
	if b, err := bundle.Tile(ctx, ch, "tile/0/000"); err != nil || len(b) != 256*32 {
		t.Errorf("%d bytes of a tile, %v", len(b), err)
	}
	for _, path := range []string{"tile/0/x001/000", "tile/0/0", "checkpoint", "../book.db"} {
		if _, err := bundle.Tile(ctx, ch, path); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
