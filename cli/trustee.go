package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/postbox"
)

// TrusteeCmd is `omov trustee`.
type TrusteeCmd struct {
	New  TrusteeNewCmd  `cmd:"" help:"Make a trustee's file, with its keys, under a passphrase; and print the line by which an officer names you."`
	Show TrusteeShowCmd `cmd:"" help:"Show your fingerprint, and what you have done in each ballot."`
	Work TrusteeWorkCmd `cmd:"" help:"Do whatever is yours to do next in a ballot: the key, and after the close witness, mix and open."`
	Key  TrusteeKeyCmd  `cmd:"" help:"Do your part of making the key, and nothing else."`
	Mix  TrusteeMixCmd  `cmd:"" help:"Witness the close, and mix when it is your turn."`
	Open TrusteeOpenCmd `cmd:"" help:"Witness the close, and open your part when all mixers have mixed."`
}

// Help says what a trustee is.
func (*TrusteeCmd) Help() string {
	return `A trustee holds a share of the key of a sealed ballot, on a machine of their own. The server is a post-box to these commands: everything it shows is checked, and refused with a reason where it does not follow. Each command can be stopped and repeated at any time.

  omov trustee new ash.omov --name "Ash Alder"
  omov trustee work ash.omov https://votes.example.org/contests/2026-L-001 --wait
  omov trustee work ash.omov https://votes.example.org --wait       (all its ballots)

The guide is docs/trustees.md.`
}

// TrusteeNewCmd is `omov trustee new`.
type TrusteeNewCmd struct {
	Passphrase
	Name string `required:"" help:"Your name, as it will stand in public."`
	Work int    `hidden:"" help:"The work of a guess at the passphrase: scrypt, 2^N."`
	File string `arg:"" help:"The file to make."`
}

// Run makes a trustee's file.
func (c *TrusteeNewCmd) Run(s *Streams) error {
	pass, err := c.read(s, true)
	if err != nil {
		return err
	}
	f, err := postbox.NewTrusteeFile(c.File, pass, c.Name, c.Work)
	if err != nil {
		return err
	}
	defer f.Close()
	r := f.Registration()
	fmt.Fprintf(s.Out, `%s holds your keys, under your passphrase. Neither can be replaced: make a copy of the
file now, on another medium, and keep the passphrase apart from both.

Send this line to the returning officer, who enters it:

  %s

Your fingerprint. Read it to the other trustees by telephone, or show it to them;
they compare it with the one that the server gives them:

  %s
`, c.File, r.Line(), r.Fingerprint)
	return nil
}

// TrusteeShowCmd is `omov trustee show`.
type TrusteeShowCmd struct {
	Passphrase
	File string `arg:"" help:"Your file."`
}

// Run shows what a trustee's file holds, without secrets.
func (c *TrusteeShowCmd) Run(s *Streams) error {
	pass, err := c.read(s, false)
	if err != nil {
		return err
	}
	f, err := postbox.LookAtTrusteeFile(c.File, pass)
	if err != nil {
		return err
	}
	defer f.Close()
	r := f.Registration()
	fmt.Fprintf(s.Out, "%s\n\nYour fingerprint:  %s\n", r.Line(), r.Fingerprint)
	for _, b := range f.Ballots() {
		fmt.Fprintf(s.Out, "\n%s\n  election   %s\n  manifest   %s\n  log        %s\n", b.Page, b.Election, b.Manifest, b.LogKey)
		for _, l := range []struct {
			what string
			is   bool
			of   []string
		}{{"key        held by what you have checked", b.Confirmed, nil}, {"close      witnessed", b.Witnessed, nil}, {"mixed      ", len(b.Mixed) > 0, b.Mixed}, {"opened     ", len(b.Opened) > 0, b.Opened}} {
			if l.is {
				fmt.Fprintf(s.Out, "  %s%s\n", l.what, strings.Join(l.of, ", "))
			}
		}
		if b.Seen != "" {
			fmt.Fprintf(s.Out, "  seen       %s\n", b.Seen)
		}
	}
	return nil
}

// AtBallot is what the commands of a ballot have in common.
type AtBallot struct {
	Passphrase
	NewLog bool   `help:"Accept a log with another key than before: only after the organisation has said in public that it had to begin a new one."`
	File   string `arg:"" help:"Your file."`
	URL    string `arg:"" help:"The ballot's page, https://…/contests/…; for work also the address of the organisation's pages: then all its ballots."`
}

// Part is what a trustee's commands in a ballot have in common.
type Part struct {
	AtBallot
	Compared bool          `help:"Say that you have compared the fingerprints of the other trustees with them; otherwise you are asked, once."`
	Wait     bool          `help:"Go on until nothing more is yours to do, looking again from time to time."`
	Every    time.Duration `help:"How often to look again." default:"20s"`
}

// TrusteeWorkCmd is `omov trustee work`.
type TrusteeWorkCmd struct{ Part }

// TrusteeKeyCmd is `omov trustee key`.
type TrusteeKeyCmd struct{ Part }

// TrusteeMixCmd is `omov trustee mix`.
type TrusteeMixCmd struct{ Part }

// TrusteeOpenCmd is `omov trustee open`.
type TrusteeOpenCmd struct{ Part }

// Run does whatever is next, in one ballot or in all of an organisation.
func (c *TrusteeWorkCmd) Run(ctx context.Context, s *Streams) error {
	if !strings.Contains(c.URL, "/contests/") {
		return c.everywhere(ctx, s)
	}
	return c.run(ctx, s, (*postbox.Trustee).Work)
}

// Run does the trustee's part of the key.
func (c *TrusteeKeyCmd) Run(ctx context.Context, s *Streams) error {
	return c.run(ctx, s, (*postbox.Trustee).Key)
}

// Run mixes.
func (c *TrusteeMixCmd) Run(ctx context.Context, s *Streams) error {
	return c.run(ctx, s, (*postbox.Trustee).Mix)
}

// Run opens.
func (c *TrusteeOpenCmd) Run(ctx context.Context, s *Streams) error {
	return c.run(ctx, s, (*postbox.Trustee).Open)
}

type step = func(*postbox.Trustee, context.Context) (*postbox.Progress, error)

func (c *Part) run(ctx context.Context, s *Streams, do step) error {
	client, err := postbox.NewClient(c.URL)
	if err != nil {
		return err
	}
	f, err := c.file(s)
	if err != nil {
		return err
	}
	defer f.Close()
	return c.goOn(ctx, s, c.trustee(s, f, client), do)
}

// file opens the trustee's file, to use it.
func (c *Part) file(s *Streams) (*postbox.TrusteeFile, error) {
	pass, err := c.read(s, false)
	if err != nil {
		return nil, err
	}
	return postbox.OpenTrusteeFile(c.File, pass)
}

func (c *Part) trustee(s *Streams, f *postbox.TrusteeFile, client *postbox.Client) *postbox.Trustee {
	t := postbox.NewTrustee(f, client)
	t.NewLog = c.NewLog
	t.Say = func(line string) { fmt.Fprintln(s.Out, line) }
	t.Compare = func(others []postbox.Other) (bool, error) { return c.compared(s, others), nil }
	return t
}

// everywhere does whatever is next in every ballot of an organisation in which
// this trustee is one; with --wait until it is stopped. What goes wrong in one
// ballot keeps no other waiting.
func (c *Part) everywhere(ctx context.Context, s *Streams) error {
	f, err := c.file(s)
	if err != nil {
		return err
	}
	defer f.Close()
	said := map[string]string{}
	for {
		list, err := postbox.Runs(ctx, c.URL)
		if err != nil && !(c.Wait && fault.Is(err, fault.Unavailable)) {
			return err
		}
		var failed error
		for _, client := range list {
			if err := c.here(ctx, s, c.trustee(s, f, client), client.Page(), said); err != nil {
				failed = err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !c.Wait {
			if failed == nil {
				fmt.Fprintln(s.Out, "Nothing more is yours to do just now. Repeat the command later, or let it wait: --wait")
			}
			return failed
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(c.Every):
		}
	}
}

// here does steps in one ballot until there is nothing to do, and says once what
// is waited for or refused there.
func (c *Part) here(ctx context.Context, s *Streams, t *postbox.Trustee, page string, said map[string]string) error {
	for range 100 {
		p, err := t.Work(ctx)
		if postbox.NotMine(err) || ctx.Err() != nil {
			return nil
		}
		line := ""
		switch {
		case err != nil:
			line = "Refused: " + err.Error()
		case p.Did:
			fmt.Fprintln(s.Out, page)
			continue
		case p.Done:
			line = done(p)
		default:
			line = waits(p)
		}
		if said[page] != line {
			said[page] = line
			fmt.Fprintf(s.Out, "%s\n%s\n", page, line)
		}
		return err
	}
	return nil
}

// compared shows the others' fingerprints, and asks whether they were compared.
func (c *Part) compared(s *Streams, others []postbox.Other) bool {
	fmt.Fprintln(s.Out, "The server names these other trustees:")
	for _, o := range others {
		note := ""
		if o.Operator {
			note = "  (runs the server)"
		}
		fmt.Fprintf(s.Out, "  %s  %s%s\n", o.Fingerprint, o.Name, note)
	}
	if c.Compared {
		fmt.Fprintln(s.Out, "You say that you have compared them (--compared). That is remembered.")
		return true
	}
	return confirm(s, "Have you compared each of them with its trustee, by telephone or in person? A server that\ncould choose them would hold the key alone. Type yes if all are the same: ")
}

// goOn does steps until there is nothing to do, and with --wait looks again.
func (c *Part) goOn(ctx context.Context, s *Streams, t *postbox.Trustee, do step) error {
	said, before := "", ""
	for {
		p, err := do(t, ctx)
		switch {
		case raced(err) && before != err.Error(): // look again, once
			before = err.Error()
			continue
		case c.Wait && (fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Conflict)):
			p = &postbox.Progress{What: fault.Of(err).Message}
		case err != nil:
			return err
		}
		if p.Did {
			before = ""
			continue
		}
		if p.Done {
			fmt.Fprintln(s.Out, done(p))
			return nil
		}
		if line := waits(p); line != said {
			said = line
			fmt.Fprintln(s.Out, line)
		}
		if !c.Wait {
			fmt.Fprintln(s.Out, "Nothing is yours to do just now. Repeat the command later, or let it wait: --wait")
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(c.Every):
		}
	}
}

// raced tells whether a refusal may come of somebody else having been faster:
// then the ballot as it stands now says more.
func raced(err error) bool {
	k := fault.KindOf(err)
	return k == fault.Conflict || k == fault.Already || k == fault.TooLate || k == fault.TooEarly
}

func done(p *postbox.Progress) string {
	if p.What == "" {
		return "Done: nothing more of this is yours to do."
	}
	return "Done: " + p.What + "."
}

func waits(p *postbox.Progress) string {
	line := "Waiting: " + p.What
	if len(p.Waiting) > 0 {
		line += ": " + strings.Join(p.Waiting, ", ")
	}
	return line + "."
}
