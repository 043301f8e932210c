package chamber_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/rulebooks"
	"github.com/omov/omov/store"
)

// What this version does not hold is refused at the founding, with the line,
// and the book stays empty; every shipped rulebook is held.
func TestHeld(t *testing.T) {
	ctx := context.Background()
	open := func() *chamber.Chamber {
		dir := t.TempDir()
		ch, err := chamber.Open(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: dir})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ch.Close() })
		return ch
	}
	for _, name := range rulebooks.Names() {
		src, err := rulebooks.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := open().Found(ctx, chamber.FoundedBody{Name: "x"}, src); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	src, err := rulebooks.Read("omov-2014")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{"zone: Europe/London", "zone: Europe/Atlantis", "zone"},
	} {
		ch := open()
		_, err := ch.Found(ctx, chamber.FoundedBody{Name: "x"}, []byte(strings.Replace(string(src), c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.new, err)
		}
		if err := ch.Read(ctx, func(w *chamber.World) error {
			if w.Seq() != 0 {
				t.Errorf("%s: the book has %d entries", c.new, w.Seq())
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	ch := open()
	if _, err := ch.Found(ctx, chamber.FoundedBody{Name: "x"}, src); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.Found(ctx, chamber.FoundedBody{Name: "y"}, src); !fault.Is(err, fault.Already) {
		t.Errorf("founded twice: %v", err)
	}
}
