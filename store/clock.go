package store

import (
	"context"
	"sync"
	"time"

	"github.com/omov/omov/fault"
)

// The bounds within which a node's clock is believed.
const (
	maxSkew  = 2 * time.Second // off the database's clock
	maxJump  = time.Minute     // between two looks, against the monotonic clock
	lookEach = 10 * time.Second
)

// watch is the writer's clock, and the watch over it.
type watch struct {
	clock func() time.Time
	real  bool

	mu      sync.Mutex
	last    time.Time
	asked   time.Time
	stopped error
}

func newWatch(clock func() time.Time) *watch {
	if clock != nil {
		return &watch{clock: clock}
	}
	return &watch{clock: time.Now, real: true, last: time.Now()}
}

func (w *watch) now() time.Time { return w.clock().UTC().Truncate(time.Millisecond) }

// look refuses (fault.Unavailable) once the real clock is not to be believed;
// only a restart, after somebody has looked, ends that. The database's clock
// is asked now and then, where it has one of its own.
func (w *watch) look(ctx context.Context, c conn, own bool) error {
	if !w.real {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.jumped(now.Round(0).Sub(w.last.Round(0)) - now.Sub(w.last))
	w.last = now
	if w.stopped != nil || !own || now.Sub(w.asked) < lookEach {
		return w.stopped
	}
	var theirs time.Time
	err := c.query(ctx, `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint`, func(r row) error {
		theirs = time.UnixMilli(r.int(0))
		return nil
	})
	if err != nil {
		return err
	}
	after := time.Now()
	w.asked = after
	if theirs.Before(now.Add(-maxSkew)) || theirs.After(after.Add(maxSkew)) {
		w.asked = time.Time{} // ask again at the next write: clocks are set right while running
		return fault.New(fault.Unavailable, "this node's clock is %v off the database's; it does not write until that is put right", theirs.Sub(after).Round(100*time.Millisecond))
	}
	return nil
}

// jumped stops the node if the wall clock went so much further than the
// monotonic one.
func (w *watch) jumped(by time.Duration) {
	if by.Abs() > maxJump {
		w.stopped = fault.New(fault.Unavailable, "this node's clock jumped by %v; it does not write until it is restarted with a right clock", by.Round(time.Second))
	}
}
