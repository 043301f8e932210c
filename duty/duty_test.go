package duty_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/omov/omov/duty"
)

type counter struct {
	n   atomic.Int64
	err error
}

func (c *counter) Due(context.Context) (int, error) { c.n.Add(1); return 0, c.err }

// A duty that fails is tried again and keeps no other waiting; a nudge wakes
// all at once.
func TestRun(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	good, bad := &counter{}, &counter{err: errors.New("the disk is full")}
	nudge := make(chan struct{}, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		duty.Run(ctx, slog.New(slog.NewTextHandler(io.Discard, nil)), nudge, duty.Duty{Name: "bad", Waker: bad, Every: 20 * time.Millisecond}, duty.Duty{Name: "good", Waker: good, Every: time.Hour})
	}()
	until(t, func() bool { return bad.n.Load() >= 3 && good.n.Load() == 1 })
	nudge <- struct{}{}
	until(t, func() bool { return good.n.Load() == 2 })
	stop()
	<-done
}

func until(t *testing.T, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it did not happen within five seconds")
}
