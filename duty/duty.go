// Package duty wakes what has fallen due: windows that close, ballots that
// open, officers' tasks whose time is over, mail that has to go.
//
// It decides only when to look. What falls due, and what follows where nobody
// acted, is decided by those it wakes, from the rulebook. A late or missed
// wake changes nothing but the time at which it is recorded: every command
// records what is due before it.
package duty

import (
	"context"
	"log/slog"
	"time"
)

// Waker does what has fallen due and tells how much that was.
type Waker interface {
	Due(ctx context.Context) (int, error)
}

// Duty is something to be woken.
type Duty struct {
	Name  string
	Waker Waker
	Every time.Duration
}

// Run wakes each duty at its interval, and at once when nudge is sent to,
// until ctx ends. An error is logged and tried again at the next interval.
func Run(ctx context.Context, log *slog.Logger, nudge <-chan struct{}, duties ...Duty) {
	next := make([]time.Time, len(duties))
	for {
		now := time.Now()
		wait := time.Minute
		for i, d := range duties {
			if !next[i].After(now) {
				if _, err := d.Waker.Due(ctx); err != nil && ctx.Err() == nil {
					log.Error("a duty failed; it is tried again", "duty", d.Name, "error", err)
				}
				next[i] = time.Now().Add(d.Every)
			}
			wait = min(wait, time.Until(next[i]))
		}
		timer := time.NewTimer(max(wait, 0))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case <-nudge:
			timer.Stop()
			clear(next)
		}
	}
}
