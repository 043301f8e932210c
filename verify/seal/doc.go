// Package seal checks sealed ballots: the manifest, the trustees' key
// generation, the registrar's list, every paper, which of them count, every
// mix, every share, and what was opened. It follows docs/sealed-format.md.
//
// It decides whether what stands on the board is right; it never opens anything
// that is not published, and it shares nothing with package sealed, which made
// it, but the group (package ristretto): transcript, readers and proof checks
// are its own, so that a mistake there is not repeated here.
//
// Whatever cannot be read is not right. Nothing is skipped: a function gives an
// error for the first thing that does not hold, and who calls it stops.
package seal

import "fmt"

func wrong(format string, args ...any) error { return fmt.Errorf(format, args...) }
