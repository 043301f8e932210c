package mixing

import "sync/atomic"

// first remembers, across goroutines, that something was wrong.
type first struct{ b atomic.Bool }

func (f *first) set()        { f.b.Store(true) }
func (f *first) isSet() bool { return f.b.Load() }
