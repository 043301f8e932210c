package demo_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/demo"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/store"
)

// A visitor finds one contest decided, one whose ballot is open and one that
// collects nominations, at the time of their visit.
func TestFound(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	ch, clock, err := chamber.OpenDemo(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: filepath.Join(dir, "box")})
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	if err := demo.Found(ctx, ch, clock, contest.New(ch), registry.New(ch), demo.Options{Members: 600}); err != nil {
		t.Fatal(err)
	}
	if off := time.Since(clock.Now()).Abs(); off > time.Minute {
		t.Errorf("the demo's clock is %v off when the visitor comes", off)
	}
	got := map[string]int{}
	err = ch.Read(ctx, func(w *chamber.World) error {
		all, err := w.States()
		for _, st := range all {
			switch {
			case st.Phase == proceeding.Ended && st.Outcome == "elected":
				got["decided"]++
			case st.OpenBallot() != nil:
				got["ballot"]++
			case st.Now() != nil && st.Now().Name == "nominations" && len(st.Standing()) == 3:
				got["nominations"]++
			}
		}
		return err
	})
	if err != nil || got["decided"] != 1 || got["ballot"] != 1 || got["nominations"] != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	people, err := demo.Find(ctx, ch)
	if err != nil || people.Member == 0 || people.MP == 0 || people.Returning == 0 || people.Second == 0 || people.Scrutineer == 0 {
		t.Fatalf("%+v, %v", people, err)
	}
}
