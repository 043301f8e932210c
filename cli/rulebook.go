package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/rulebooks"
)

// RulebookCmd is `omov rulebook`.
type RulebookCmd struct {
	Check   RulebookCheckCmd   `cmd:"" help:"Check rulebooks: errors with line, column and remedy, and warnings."`
	Explain RulebookExplainCmd `cmd:"" help:"Explain a rulebook, or one procedure of it, in prose with clause numbers."`
	Diff    RulebookDiffCmd    `cmd:"" help:"Say in words what changes from one rulebook to another."`
	Amend   RulebookAmendCmd   `cmd:"" help:"Try an amendment: check it, and say what it changes."`
	Show    RulebookShowCmd    `cmd:"" help:"Print a shipped rulebook, to start your own from; without a name, list them."`
	Schema  RulebookSchemaCmd  `cmd:"" help:"Print the JSON Schema of rulebooks, for editors."`
}

// RulebookCheckCmd checks files.
type RulebookCheckCmd struct {
	Strict bool     `help:"Fail on warnings too."`
	Format string   `help:"text or json." default:"text" enum:"text,json"`
	Within string   `help:"The outer rulebook of a local one, if not where its within says." placeholder:"FILE"`
	DB     string   `name:"db" help:"Also warn of gates that nobody can pass at the present numbers of this organisation's register." placeholder:"sqlite:FILE"`
	Files  []string `arg:"" name:"file" help:"Rulebooks: files, names of shipped ones, or - for standard input."`
}

// Run checks every file and reports all that there is to say; the error is a
// refusal of kind fault.Invalid where one cannot be used.
func (c *RulebookCheckCmd) Run(ctx context.Context, s *Streams) error {
	bad := 0
	for _, f := range c.Files {
		src, err := readRulebook(s, f)
		if err != nil {
			return err
		}
		book, ps, err := checkRulebook(s, f, c.Within, src)
		if err != nil {
			return err
		}
		if book != nil && c.DB != "" {
			more, err := outOfReach(ctx, c.DB, book)
			if err != nil {
				return err
			}
			ps = append(ps, more...)
		}
		if len(ps.Errors()) > 0 || c.Strict && len(ps) > 0 {
			bad++
		}
		if c.Format == "json" {
			if err := writeProblems(s.Out, f, ps); err != nil {
				return err
			}
			continue
		}
		for _, p := range ps {
			fmt.Fprintf(s.Out, "%s:%s\n", f, p)
		}
		fmt.Fprintf(s.Out, "%s: %s\n", f, verdict(ps))
	}
	if bad > 0 {
		return fault.New(fault.Invalid, "%s cannot be used as %s.", counted(bad, "rulebook", "rulebooks"), isAre(bad))
	}
	return nil
}

// outOfReach compares a rulebook with an organisation's register.
func outOfReach(ctx context.Context, db string, book *rulebook.Book) (rulebook.Problems, error) {
	ch, _, err := (&Where{DB: db}).open(ctx)
	if err != nil {
		return nil, err
	}
	defer ch.Close()
	return ch.OutOfReach(ctx, book)
}

func isAre(n int) string {
	if n == 1 {
		return "it is"
	}
	return "they are"
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func verdict(ps rulebook.Problems) string {
	errs, warns := len(ps.Errors()), len(ps.Warnings())
	switch {
	case errs > 0:
		return counted(errs, "error", "errors") + ", " + counted(warns, "warning", "warnings")
	case warns > 0:
		return "sound, with " + counted(warns, "warning", "warnings")
	}
	return "sound"
}

// writeProblems writes one JSON object a line.
func writeProblems(w io.Writer, file string, ps rulebook.Problems) error {
	enc := json.NewEncoder(w)
	for _, p := range ps {
		level := "error"
		if p.Warning {
			level = "warning"
		}
		if err := enc.Encode(map[string]any{"file": file, "line": p.Pos.Line, "column": p.Pos.Column, "level": level,
			"code": p.Code, "message": p.Message, "remedy": p.Remedy}); err != nil {
			return err
		}
	}
	return nil
}

// RulebookExplainCmd explains a file.
type RulebookExplainCmd struct {
	Format    string `help:"text, markdown or json." default:"text" enum:"text,markdown,json"`
	Within    string `help:"The outer rulebook of a local one, if not where its within says." placeholder:"FILE"`
	File      string `arg:"" help:"A file, the name of a shipped rulebook, or - for standard input."`
	Procedure string `arg:"" optional:"" help:"Only this procedure, with what it uses."`
}

// Run explains.
func (c *RulebookExplainCmd) Run(s *Streams) error {
	b, err := soundRulebook(s, c.File, c.Within)
	if err != nil {
		return err
	}
	e := b.Explain()
	if c.Procedure != "" {
		if e, err = b.ExplainProcedure(c.Procedure); err != nil {
			return err
		}
	}
	switch c.Format {
	case "json":
		return writeJSON(s.Out, e)
	case "markdown":
		_, err = io.WriteString(s.Out, e.Markdown())
	default:
		_, err = io.WriteString(s.Out, e.Text(0))
	}
	return err
}

// RulebookDiffCmd compares two files.
type RulebookDiffCmd struct {
	Format string `help:"text or json." default:"text" enum:"text,json"`
	From   string `arg:"" help:"The rulebook as it is."`
	To     string `arg:"" help:"The rulebook as it would be."`
}

// Run compares.
func (c *RulebookDiffCmd) Run(s *Streams) error {
	a, err := soundRulebook(s, c.From, "")
	if err != nil {
		return err
	}
	b, err := soundRulebook(s, c.To, "")
	if err != nil {
		return err
	}
	return writeDiff(s.Out, rulebook.Diff(a, b), c.Format)
}

func writeDiff(w io.Writer, d *rulebook.Difference, format string) error {
	if format == "json" {
		return writeJSON(w, d)
	}
	_, err := io.WriteString(w, d.Text(0))
	return err
}

// RulebookAmendCmd tries an amendment.
type RulebookAmendCmd struct {
	Write   string `help:"Write the amended rulebook to this file." placeholder:"FILE" type:"path"`
	File    string `arg:"" help:"The rulebook as it is."`
	Changes string `arg:"" help:"A file with the changes, each PATH: VALUE."`
}

// Run applies the changes, says what they mean and, if asked, writes the
// result. The error is a refusal of kind fault.Invalid where the amended book
// would not be sound.
func (c *RulebookAmendCmd) Run(s *Streams) error {
	b, err := soundRulebook(s, c.File, "")
	if err != nil {
		return err
	}
	changes, err := readText(s, c.Changes)
	if err != nil {
		return err
	}
	amended, ps := b.Amend(changes)
	for _, p := range ps {
		fmt.Fprintln(s.Out, p)
	}
	if amended == nil {
		return fault.New(fault.Invalid, "The amendment cannot be put as it is.")
	}
	if c.Write != "" {
		if err := os.WriteFile(c.Write, amended.Source, 0o644); err != nil {
			return fault.Wrap(fault.Invalid, err, "%s cannot be written", c.Write)
		}
	}
	return writeDiff(s.Out, rulebook.Diff(b, amended), "text")
}

// RulebookShowCmd prints a shipped rulebook.
type RulebookShowCmd struct {
	Name string `arg:"" optional:"" help:"Which."`
}

// Run prints.
func (c *RulebookShowCmd) Run(s *Streams) error {
	if c.Name != "" {
		src, err := rulebooks.Read(c.Name)
		if err == nil {
			_, err = s.Out.Write(src)
		}
		return err
	}
	for _, n := range rulebooks.Names() {
		b, err := soundRulebook(s, n, "")
		if err != nil {
			return err
		}
		fmt.Fprintf(s.Out, "%-24s %s\n", n, b.Title)
	}
	return nil
}

// RulebookSchemaCmd prints the schema.
type RulebookSchemaCmd struct{}

// Run prints.
func (c *RulebookSchemaCmd) Run(s *Streams) error {
	_, err := s.Out.Write(rulebook.Schema())
	return err
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// maxText bounds what is read as a rulebook or a list of changes.
const maxText = 1 << 20

// readText reads a file, or standard input for -.
func readText(s *Streams, file string) ([]byte, error) {
	in := s.In
	if file != "-" {
		st, err := os.Stat(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fault.New(fault.Invalid, "there is no file %s", file)
		case err == nil && st.IsDir():
			return nil, fault.New(fault.Invalid, "%s is a folder; name a file in it", file)
		}
		f, err := os.Open(file)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "%s cannot be read", file)
		}
		defer f.Close()
		in = f
	}
	src, err := io.ReadAll(io.LimitReader(in, maxText))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s cannot be read", file)
	}
	return src, nil
}

// readRulebook reads a file; where there is none of the name, a shipped one.
func readRulebook(s *Streams, file string) ([]byte, error) {
	if _, err := os.Stat(file); err != nil && slices.Contains(rulebooks.Names(), strings.TrimSuffix(file, ".yaml")) {
		return rulebooks.Read(file)
	}
	return readText(s, file)
}

// checkRulebook checks a rulebook; a local one inside the outer book that it
// names, looked for beside it, or in the file that was given.
func checkRulebook(s *Streams, file, within string, src []byte) (*rulebook.Book, rulebook.Problems, error) {
	outer, local := rulebook.OuterOf(src)
	if !local {
		b, ps := rulebook.Check(src)
		return b, ps, nil
	}
	if within == "" {
		within = outer
		if beside := filepath.Join(filepath.Dir(file), outer); file != "-" && !filepath.IsAbs(outer) {
			if _, err := os.Stat(beside); err == nil {
				within = beside
			}
		}
	}
	outerSrc, err := readRulebook(s, within)
	if err != nil {
		return nil, nil, err
	}
	ob, err := rulebook.Parse(outerSrc)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "%s, the outer rulebook of %s, is not sound", within, file)
	}
	b, ps := ob.CheckLocal(src)
	return b, ps, nil
}

// soundRulebook reads a rulebook that has to be without errors.
func soundRulebook(s *Streams, file, within string) (*rulebook.Book, error) {
	src, err := readRulebook(s, file)
	if err != nil {
		return nil, err
	}
	b, ps, err := checkRulebook(s, file, within, src)
	if err != nil {
		return nil, err
	}
	if b == nil {
		var said strings.Builder
		errs := ps.Errors()
		for _, p := range errs {
			fmt.Fprintf(&said, "\n%s:%s", file, p)
		}
		return nil, fault.New(fault.Invalid, "%s has %s:%s", file, counted(len(errs), "error", "errors"), said.String())
	}
	return b, nil
}
