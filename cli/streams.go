// Package cli is the commands of omov: it reads flags and files, calls the
// packages below, and writes what they answer. It decides nothing, and it is
// the only place besides web where a kind of refusal becomes something else:
// an exit code.
package cli

import "io"

// Streams is where a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}
