package postbox

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile locks an open file until it is closed or the program ends, however
// it ends. It reports false where another has locked it.
func lockFile(f *os.File) bool {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped)) == nil
}
