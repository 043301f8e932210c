package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/omov/omov/box"
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/store"
)

// NewCmd is `omov new`.
type NewCmd struct {
	Where
	Rulebook string `required:"" help:"The rulebook: a file, or the name of a shipped one (omov rulebook show)." placeholder:"FILE"`
	Name     string `help:"The organisation's name; default: the rulebook's title."`
	Origin   string `help:"The name of the log, part of every checkpoint: one under a domain of the organisation is best." placeholder:"votes.example.org/log"`
}

// Run founds an organisation in an empty database.
func (c *NewCmd) Run(ctx context.Context, s *Streams) error {
	src, err := readRulebook(s, c.Rulebook)
	if err != nil {
		return err
	}
	book, problems := rulebook.Check(src)
	for _, p := range problems {
		fmt.Fprintf(s.Err, "%s:%s\n", c.Rulebook, p)
	}
	if book == nil {
		return fault.New(fault.Invalid, "the rulebook has errors; nothing has been founded")
	}
	o := c.options()
	o.Store.Origin = c.Origin
	ch, err := chamber.Open(ctx, o)
	if err != nil {
		return err
	}
	defer ch.Close()
	name := c.Name
	if name == "" {
		name = book.Title
	}
	if _, err := ch.Found(ctx, chamber.FoundedBody{Name: name}, src); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "%s is founded under %q.\n\nNext:\n", name, book.Title)
	if len(book.Units) > 0 {
		fmt.Fprintf(s.Out, "  omov register units units.csv --db %s      (kind, name, in, and the facts of units)\n", c.DB)
	}
	fmt.Fprintf(s.Out, "  omov register import people.csv --db %s --dry-run\n  omov serve --db %s\n", c.DB, c.DB)
	return nil
}

// RegisterCmd is `omov register`.
type RegisterCmd struct {
	Import RegisterImportCmd `cmd:"" help:"Import people from a CSV file. Safe to repeat: people are found by their id."`
	Units  RegisterUnitsCmd  `cmd:"" help:"Open and correct units from a CSV file with the columns kind, name, in. Safe to repeat: units are found by kind and name."`
	Link   RegisterLinkCmd   `cmd:"" help:"Print a sign-in link for somebody, by their id."`
	Vacate RegisterVacateCmd `cmd:"" help:"End a term of office: a resignation, a death, the end of a mandate."`
	Erase  RegisterEraseCmd  `cmd:"" help:"Destroy what identifies somebody, for good. The facts that rolls follow from stay, without a name."`
}

// RegisterImportCmd is `omov register import`.
type RegisterImportCmd struct {
	Where
	DryRun bool              `help:"Check the file and say what an import would do; write nothing."`
	Column map[string]string `help:"Which heading of the file is what, as id='Member No' (repeat). Remembered for the next import." placeholder:"NAME=HEADING"`
	Class  string            `help:"Class of rows that have none of their own; default: the rulebook's first."`
	File   string            `arg:"" help:"CSV in UTF-8 with a heading, or - for standard input."`
}

// Run imports people, or says what is wrong, line by line.
func (c *RegisterImportCmd) Run(ctx context.Context, s *Streams) error {
	in, done, err := openInput(s, c.File)
	if err != nil {
		return err
	}
	defer done()
	ch, _, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer ch.Close()
	show, shown := progress(s.Err), false
	o := registry.Import{Dry: c.DryRun, Class: c.Class, Progress: func(done, of int) {
		show("entering people", done, of)
		shown = true
	}}
	if len(c.Column) > 0 {
		o.Columns = registry.Columns(c.Column)
	}
	rep, err := registry.New(ch).ImportCSV(ctx, in, o)
	if shown {
		fmt.Fprintf(s.Err, "\r%-60s\r", "") // the result has a line of its own
	}
	if err != nil {
		return err
	}
	if err := troubles(s, rep); err != nil {
		return err
	}
	word := "Imported"
	if c.DryRun {
		word = "An import would do this"
	}
	fmt.Fprintf(s.Out, "%s: %d people in the file, %d new, %d changed, %d as they were, %d offices filled.\n", word, rep.Lines, rep.New, rep.Changed, rep.Unchanged, rep.Offices)
	return nil
}

func openInput(s *Streams, name string) (io.Reader, func(), error) {
	if name == "-" {
		return s.In, func() {}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "the file %s cannot be opened", name)
	}
	return f, func() { f.Close() }, nil
}

// RegisterUnitsCmd is `omov register units`.
type RegisterUnitsCmd struct {
	Where
	DryRun bool   `help:"Check the file and say what it would do; write nothing."`
	File   string `arg:"" help:"CSV with the columns kind, name, in (name of the unit above; empty where a kind is directly in the organisation) and facts of units, or - for standard input."`
}

// Run opens and corrects units, or says what is wrong, line by line.
func (c *RegisterUnitsCmd) Run(ctx context.Context, s *Streams) error {
	in, done, err := openInput(s, c.File)
	if err != nil {
		return err
	}
	defer done()
	ch, _, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer ch.Close()
	rep, err := registry.New(ch).ImportUnitsCSV(ctx, in, c.DryRun)
	if err != nil {
		return err
	}
	if err := troubles(s, rep); err != nil {
		return err
	}
	word := ""
	if c.DryRun {
		word = "This would happen: "
	}
	fmt.Fprintf(s.Out, "%s%d units opened, %d changed, %d as they were.\n", word, rep.New, rep.Changed, rep.Unchanged)
	return nil
}

// troubles prints what is wrong with a file, and refuses it if anything is.
func troubles(s *Streams, rep *registry.Report) error {
	for _, t := range rep.Troubles {
		fmt.Fprintln(s.Out, t)
	}
	if rep.More > 0 {
		fmt.Fprintf(s.Out, "and %d more\n", rep.More)
	}
	if len(rep.Unknown) > 0 {
		fmt.Fprintf(s.Out, "Columns that mean nothing here, and are left out: %s\n", strings.Join(rep.Unknown, ", "))
	}
	if len(rep.Troubles) > 0 {
		return fault.New(fault.Invalid, "%d lines have to be corrected; nothing has been imported", len(rep.Troubles)+rep.More)
	}
	return nil
}

// RegisterLinkCmd is `omov register link`.
type RegisterLinkCmd struct {
	Where
	Base string `help:"Address under which people reach the server." default:"http://localhost:8080"`
	ID   string `arg:"" help:"The organisation's own id of the person."`
}

// Run prints a link that signs somebody in once, within an hour: how the
// first officer gets in before mail is set up.
func (c *RegisterLinkCmd) Run(ctx context.Context, s *Streams) error {
	ch, clock, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer ch.Close()
	person, err := byID(ctx, ch, c.ID)
	if err != nil {
		return err
	}
	a := newApp(ch, clock, strings.TrimRight(c.Base, "/"), nil, logger(s))
	link, err := a.logins.Link(ctx, person, linkLife)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.Out, link)
	return nil
}

// byID finds a person by the organisation's own id.
func byID(ctx context.Context, ch *chamber.Chamber, id string) (register.PersonID, error) {
	var row store.PersonRow
	err := ch.DB.Read(ctx, func(tx *store.Tx) (err error) {
		row, err = tx.PersonByExternal(id)
		return err
	})
	return register.PersonID(row.ID), err
}

// RegisterVacateCmd is `omov register vacate`.
type RegisterVacateCmd struct {
	Where
	Unit   string `help:"The unit whose office it is, where there is one in every unit." placeholder:"NAME"`
	Why    string `required:"" help:"The reason, which is public: resigned, died, …"`
	Office string `arg:"" help:"The office, as the rulebook calls it."`
}

// Run ends whoever's term in the office.
func (c *RegisterVacateCmd) Run(ctx context.Context, s *Streams) error {
	ch, _, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer ch.Close()
	var unit register.UnitID
	err = ch.Read(ctx, func(w *chamber.World) error {
		o := w.Book().Office(c.Office)
		if o == nil || o.Per == "" {
			return nil // Vacate refuses an office that there is not
		}
		u, ok := w.Tree().ByName(o.Per, c.Unit)
		if !ok {
			return fault.New(fault.Invalid, "there is a %s in every %s; say in which: --unit NAME", c.Office, o.Per)
		}
		unit = u.ID
		return nil
	})
	if err != nil {
		return err
	}
	if err := registry.New(ch).Vacate(ctx, c.Office, unit, c.Why); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "The office of %s is vacant.\n", strings.ReplaceAll(c.Office, "_", " "))
	return nil
}

// RegisterEraseCmd is `omov register erase`.
type RegisterEraseCmd struct {
	Where
	Ground string `required:"" help:"Why: it is entered for the officers."`
	Yes    bool   `help:"Do it; without, it is only said what would happen."`
	ID     string `arg:"" help:"The organisation's own id of the person."`
}

// Run erases a person's particulars.
func (c *RegisterEraseCmd) Run(ctx context.Context, s *Streams) error {
	ch, _, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer ch.Close()
	person, err := byID(ctx, ch, c.ID)
	if err != nil {
		return err
	}
	if !c.Yes {
		fmt.Fprintf(s.Out, "Name and address of %s would be destroyed for good, here and in every copy of the book. Add --yes to do it.\n", c.ID)
		return nil
	}
	if err := registry.New(ch).Erase(ctx, person, c.Ground); err != nil {
		return err
	}
	fmt.Fprintln(s.Out, "Erased. Backups of the keys made before today still hold the key; destroy them when their time is over.")
	return nil
}

// BoxCmd is `omov box`.
type BoxCmd struct {
	Key     BoxKeyCmd     `cmd:"" help:"Make a recovery key for an officer; the public half is kept by the server, the other is printed once."`
	Restore BoxRestoreCmd `cmd:"" help:"Put the key of an open ballot box back on the server from an officer's copy."`
}

// BoxKeyCmd is `omov box key`.
type BoxKeyCmd struct {
	Where
	Office string `arg:"" help:"The office, as the rulebook calls it."`
}

// Run makes a recovery key. Ballots that open from now on seal a copy of
// their key to it.
func (c *BoxKeyCmd) Run(ctx context.Context, s *Streams) error {
	ch, _, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer ch.Close()
	key, err := box.NewKey()
	if err != nil {
		return err
	}
	err = ch.Read(ctx, func(w *chamber.World) error {
		if w.Book() == nil || !slices.Contains(proceeding.Officers(w.Book()), c.Office) {
			return fault.New(fault.Invalid, "the rulebook does not let an office called %q close ballots", c.Office)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := ch.DB.Write(ctx, func(tx *store.Tx) error {
		return tx.PutSetting(chamber.RecoverySetting+c.Office, []byte(key.Public()))
	}); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "Recovery key of the %s. Write it down and keep it away from the server; it is not shown again:\n\n  %s\n", strings.ReplaceAll(c.Office, "_", " "), key.Private())
	return nil
}

// BoxRestoreCmd is `omov box restore`.
type BoxRestoreCmd struct {
	Where
	Ballot string `arg:"" help:"The ballot, as the contest's page calls it."`
	Office string `arg:"" help:"Whose copy it is."`
}

// Run reads the recovery key from standard input and puts the ballot's key
// back.
func (c *BoxRestoreCmd) Run(_ context.Context, s *Streams) error {
	b, err := io.ReadAll(io.LimitReader(s.In, 1000))
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the recovery key cannot be read from standard input")
	}
	key, err := box.ReadKey(string(b))
	if err != nil {
		return err
	}
	if err := (box.Keys{Dir: c.options().Keys}).Restore(c.Ballot, c.Office, key); err != nil {
		return err
	}
	fmt.Fprintln(s.Out, "The key is back; the ballot can be closed.")
	return nil
}
