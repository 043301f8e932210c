package ristretto

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Spread calls do for the stretches of at most size that together make up 0
// to n, on all cores, and returns when all are done. Which core takes which
// stretch is left open; do writes only what belongs to its own.
func Spread(n, size int, do func(lo, hi int)) {
	workers := min(runtime.GOMAXPROCS(0), (n+size-1)/size)
	if workers <= 1 {
		for lo := 0; lo < n; lo += size {
			do(lo, min(lo+size, n))
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				lo := int(next.Add(int64(size))) - size
				if lo >= n {
					return
				}
				do(lo, min(lo+size, n))
			}
		})
	}
	wg.Wait()
}

// first keeps the smallest index that is noted.
type first struct {
	mu   sync.Mutex
	at   int
	some bool
}

func (f *first) note(i int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.some || i < f.at {
		f.at, f.some = i, true
	}
}

func (f *first) index() int {
	if !f.some {
		return -1
	}
	return f.at
}
