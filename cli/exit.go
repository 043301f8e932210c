package cli

import (
	"errors"

	"github.com/omov/omov/count"
	"github.com/omov/omov/fault"
)

// ExitCode maps an error to the exit code of the process: 0 no error; 2 bad
// input; 3 a tie that needs a lot and has no seed; 1 anything else.
func ExitCode(err error) int {
	var tie *count.TieError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &tie):
		return 3
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.TooMuch):
		return 2
	}
	return 1
}
