//go:build unix

package postbox

import (
	"os"
	"syscall"
)

// lockFile locks an open file until it is closed or the program ends, however
// it ends. It reports false where another has locked it.
func lockFile(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
