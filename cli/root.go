package cli

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/omov/omov/fault"
)

// Root is `omov`.
type Root struct {
	Demo      DemoCmd      `cmd:"" help:"Found a fictional party in a folder and serve it; started again, go on with it."`
	New       NewCmd       `cmd:"" help:"Found an organisation in an empty database, with its rulebook."`
	Register  RegisterCmd  `cmd:"" help:"The register: import people and units."`
	Serve     ServeCmd     `cmd:"" help:"Serve an organisation's pages."`
	Rulebook  RulebookCmd  `cmd:"" help:"Check, explain, compare and amend rulebooks."`
	Rehearse  RehearseCmd  `cmd:"" help:"Try a rulebook: people, dates, acts, and what should come of them."`
	Count     CountCmd     `cmd:"" help:"Count papers by any of the methods."`
	Verify    VerifyCmd    `cmd:"" help:"Check a published bundle: the log, and the results in it."`
	Bundle    BundleCmd    `cmd:"" help:"Write the public bundle, or the scrutineers', of an organisation."`
	Replay    ReplayCmd    `cmd:"" help:"Rebuild a database from its minute book, and compare the two."`
	Trustee   TrusteeCmd   `cmd:"" help:"A trustee's part in sealed ballots, on a machine of their own: keys, mixing, opening."`
	Registrar RegistrarCmd `cmd:"" help:"The credential registrar's part in sealed ballots: voters' codes and the list, apart from the server."`
	Box       BoxCmd       `cmd:"" help:"The keys of open ballot boxes: an officer's recovery key, and restoring from it."`
}

const description = `omov runs the internal democracy of a mass-membership organisation by its own rulebook, and proves to every member that it did.

Begin with: omov demo`

// Main runs a command line and gives the exit code of the process: see
// ExitCode.
func Main(args []string, s *Streams) int {
	var root Root
	exit := -1
	p, err := kong.New(&root, kong.Name("omov"), kong.Description(description), kong.UsageOnError(),
		kong.Writers(s.Out, s.Err), kong.Exit(func(code int) { exit = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}))
	if err != nil {
		fmt.Fprintln(s.Err, "omov:", err)
		return 1
	}
	ctx, err := p.Parse(args)
	if exit >= 0 {
		return exit
	}
	if err != nil {
		fmt.Fprintf(s.Err, "omov: %v\nTry: omov --help\n", err)
		return 2
	}
	stop, done := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer done()
	ctx.BindTo(stop, (*context.Context)(nil))
	if err := ctx.Run(s); err != nil {
		report(s, err)
		return ExitCode(err)
	}
	return 0
}

// report writes a refusal for a person.
func report(s *Streams, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	fmt.Fprintln(s.Err, "omov:", err)
	if f := fault.Of(err); f != nil && f.Remedy != "" {
		fmt.Fprintln(s.Err, f.Remedy)
	}
}
