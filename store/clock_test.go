package store

import (
	"context"
	"testing"
	"time"

	"github.com/omov/omov/fault"
)

// A clock that jumped is not believed again until a restart.
func TestClockJump(t *testing.T) {
	w := newWatch(nil)
	if err := w.look(context.Background(), nil, false); err != nil {
		t.Fatal(err)
	}
	// As if the last look had been at a wall time two minutes further back,
	// with the monotonic clock where it is.
	w.last = w.last.Add(-time.Hour)
	if err := w.look(context.Background(), nil, false); err != nil {
		t.Errorf("an hour without writing is taken for a jump: %v", err)
	}
	w.last = time.Now().Round(0).Add(-2 * time.Minute) // no monotonic reading: both differences are two minutes
	if err := w.look(context.Background(), nil, false); err != nil {
		t.Errorf("two slow minutes are taken for a jump: %v", err)
	}
	w.jumped(2 * time.Minute)
	for range 2 {
		if err := w.look(context.Background(), nil, false); !fault.Is(err, fault.Unavailable) {
			t.Errorf("after a jump: %v", err)
		}
	}
	demo := newWatch(func() time.Time { return time.Time{} })
	demo.jumped(2 * time.Minute)
	if err := demo.look(context.Background(), nil, false); err != nil {
		t.Errorf("a demo's clock is watched: %v", err)
	}
}

// skewed answers every question with a time off by so much.
type skewed struct {
	conn
	off time.Duration
}

func (s skewed) query(_ context.Context, _ string, each func(row) error, _ ...any) error {
	return each(row{time.Now().Add(s.off).UnixMilli()})
}

// A node off the database's clock does not write until that is put right.
func TestClockSkew(t *testing.T) {
	w := newWatch(nil)
	for _, c := range []struct {
		off time.Duration
		ok  bool
	}{{3 * time.Second, false}, {-3 * time.Second, false}, {time.Second, true}, {time.Hour, true}} { // the last is not asked: it is too soon
		err := w.look(context.Background(), skewed{off: c.off}, true)
		if (err == nil) != c.ok || err != nil && !fault.Is(err, fault.Unavailable) {
			t.Errorf("off by %v: %v", c.off, err)
		}
	}
}
