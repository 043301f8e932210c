package registry_test

import (
	"context"
	"strings"
	"testing"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/registry"
)

// A name that was read before an erasure is not kept beyond it.
func TestErasedNameIsNotKept(t *testing.T) {
	ch, r := open(t)
	ctx := context.Background()
	if _, err := r.ImportCSV(ctx, strings.NewReader(good), registry.Import{Columns: columns()}); err != nil {
		t.Fatal(err)
	}
	name := func() (n string) {
		if err := ch.Read(ctx, func(w *chamber.World) error { n = w.NameOf(3); return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if name() == "" {
		t.Fatal("there is no name to erase")
	}
	if err := r.Erase(ctx, 3, "asked to be forgotten"); err != nil {
		t.Fatal(err)
	}
	if n := name(); n != "" {
		t.Errorf("%q is still shown", n)
	}
}
