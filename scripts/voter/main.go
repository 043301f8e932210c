// Command voter builds the script with which papers are sealed in the voter's
// browser: web/voter into web/static/voter.js. The same sources give the same
// bytes on every machine; a test of package web compares them.
package main

import (
	"fmt"
	"os"

	"github.com/omov/omov/scripts/voter/bundle"
)

func main() {
	out, err := bundle.Build("web/voter")
	if err == nil {
		err = os.WriteFile("web/static/voter.js", out, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "voter:", err)
		os.Exit(1)
	}
	fmt.Printf("web/static/voter.js: %d bytes\n", len(out))
}
