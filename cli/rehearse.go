package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/rehearsal"
)

// RehearseCmd is `omov rehearse`.
type RehearseCmd struct {
	Files   []string `arg:"" name:"file" help:"Files of rehearsals."`
	Verbose bool     `short:"v" help:"Tell what happens, step by step."`
	Only    string   `help:"Run only those with these words in their title." placeholder:"WORDS"`
	Dir     string   `help:"Folder for the books of the rehearsals while they run; they are removed afterwards." placeholder:"DIR" type:"path"`
}

// Help teaches the form of a script.
func (c *RehearseCmd) Help() string {
	return `A rehearsal tries a rulebook: people, dates, acts, and what should come of them.
It runs on a clock of its own, through everything that a real contest goes
through, and leaves nothing behind. Write one like this, as meeting.yaml:

  rehearsal: Three of thirty ask for a meeting
  rulebook: cooperative              # a shipped one, or a file beside this one
  begin: 2026-03-01
  people:
    - {named: Member, make: 30, class: member, since: 2020-01-01}
    - {also: Member 1, named: Sam, holds: secretary}
  steps:
    - {at: 2026-03-02, by: Member 2..3, call: special_meeting,
       with: {text: Sell no houses}, refused: "2 of 30"}
    - {at: 2026-03-02, by: Member 2..4, call: special_meeting,
       with: {text: Sell no houses}}
    - {at: 2026-05-01, papers: {for: 14, against: 9}}
  expect: {outcome: carried, effect: adopt resolution}

Then

  omov rehearse meeting.yaml         # a line for each rehearsal
  omov rehearse -v meeting.yaml      # and what happened, day by day

The exit code is 1 if anything came otherwise than expected. Several rehearsals
in one file are separated by a line of ---. What a step can do and what can be
expected is in docs/rehearsals.md.`
}

// Run runs the rehearsals.
func (c *RehearseCmd) Run(ctx context.Context, s *Streams) error {
	list, err := readScripts(c.Files)
	if err != nil {
		return err
	}
	failed, run := 0, 0
	for _, x := range list {
		if c.Only != "" && !strings.Contains(strings.ToLower(x.Title), strings.ToLower(c.Only)) {
			continue
		}
		run++
		ok, err := c.one(ctx, s, x)
		if err != nil {
			return err
		}
		if !ok {
			failed++
		}
	}
	switch {
	case run == 0:
		return fault.New(fault.Invalid, "no rehearsal has %q in its title", c.Only)
	case failed > 0:
		return fault.New(fault.NotEntitled, "%d of %d came otherwise than expected", failed, run)
	}
	return nil
}

// readScripts reads all files before anything runs, and says what is wrong in
// each of them.
func readScripts(files []string) ([]*rehearsal.Script, error) {
	var list []*rehearsal.Script
	var wrong []string
	for _, file := range files {
		src, err := readScript(file)
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		scripts, err := rehearsal.Read(file, src)
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		list = append(list, scripts...)
	}
	if len(wrong) > 0 {
		return nil, fault.New(fault.Invalid, "%s", strings.Join(wrong, "\n"))
	}
	return list, nil
}

// maxScript bounds a file of rehearsals before it is read.
const maxScript = 1 << 20

func readScript(file string) ([]byte, error) {
	st, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, fault.New(fault.NotFound, "there is no file %s", file)
	case st.IsDir():
		return nil, fault.New(fault.Invalid, "%s is a folder; name the files in it, as in %s", file, filepath.Join(file, "*.yaml"))
	case !st.Mode().IsRegular() || st.Size() > maxScript:
		return nil, fault.New(fault.Invalid, "%s is no file of rehearsals", file)
	}
	return os.ReadFile(file)
}

// one runs one rehearsal and prints its line; false where it failed.
func (c *RehearseCmd) one(ctx context.Context, s *Streams, x *rehearsal.Script) (bool, error) {
	p := &rehearsing{out: s.Err, title: x.Title, from: time.Now()}
	r, err := rehearsal.Run(ctx, x, rehearsal.Options{Dir: c.Dir, Story: c.Verbose, Progress: p.tell})
	p.clear()
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		why, _, _ := strings.Cut(err.Error(), "\ngoroutine ")
		fmt.Fprintf(s.Out, "✗ %s\n    %s\n", x.Title, strings.ReplaceAll(strings.TrimSpace(why), "\n", "\n    "))
		return false, nil
	}
	tick := "✓"
	if r.Failed() {
		tick = "✗"
	}
	fmt.Fprintf(s.Out, "%s %s  (%s)\n", tick, x.Title, took(r.Took))
	if c.Verbose {
		tellStory(s.Out, r)
	}
	for _, f := range r.Failures {
		fmt.Fprintf(s.Out, "    %s\n", strings.ReplaceAll(f.String(), "\n", "\n    "))
	}
	return !r.Failed(), nil
}

func took(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// tellStory prints what happened: the day where it is a new one, acts against
// the margin, what followed from them below.
func tellStory(out io.Writer, r *rehearsal.Report) {
	last := ""
	for _, l := range r.Story {
		if l.When != last {
			fmt.Fprintf(out, "\n  %s\n", l.When)
			last = l.When
		}
		fmt.Fprintf(out, "    %s%s\n", strings.Repeat("  ", l.Depth), l.Text)
	}
	fmt.Fprintf(out, "\n  %d people, %d entries in the record; replayed into an empty database: %s", r.People, r.Entries, same(r))
	if r.Verified {
		fmt.Fprint(out, "; both bundles verify")
	}
	fmt.Fprint(out, ".\n\n")
}

func same(r *rehearsal.Report) string {
	if r.Failed() {
		return "see below"
	}
	return "the same"
}

// rehearsing tells on a terminal how far a long rehearsal is, once it has taken
// a second.
type rehearsing struct {
	out   io.Writer
	title string
	from  time.Time
	last  time.Time
	shown bool
}

func (p *rehearsing) tell(what string, done, of int) {
	now := time.Now()
	if now.Sub(p.from) < time.Second || now.Sub(p.last) < 200*time.Millisecond || of == 0 || !isTerminal(p.out) {
		return
	}
	p.last, p.shown = now, true
	fmt.Fprintf(p.out, "\r\033[K  %s: %s, %d of %d", p.title, what, done, of)
}

func (p *rehearsing) clear() {
	if p.shown {
		fmt.Fprint(p.out, "\r\033[K")
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
