// Command omov runs the internal democracy of an organisation.
package main

import (
	"os"
	_ "time/tzdata" // deadlines are the same on every machine

	"github.com/omov/omov/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], &cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
