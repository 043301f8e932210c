package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/postbox"
)

// RegistrarCmd is `omov registrar`.
type RegistrarCmd struct {
	New     RegistrarNewCmd     `cmd:"" help:"Make a registrar's file, with its key, under a passphrase; and print the line by which an officer names you."`
	Show    RegistrarShowCmd    `cmd:"" help:"Show your key, and the ballots that you have made codes for."`
	Make    RegistrarMakeCmd    `cmd:"" help:"Draw a code for every voter of a ballot's roll. Nothing is sent."`
	List    RegistrarListCmd    `cmd:"" help:"Publish the list of public keys that belong to the codes, signed; and make sure that the log holds it."`
	Mailing RegistrarMailingCmd `cmd:"" help:"Write the letters with the codes, or a table of them."`
	Reissue RegistrarReissueCmd `cmd:"" help:"Replace codes that were lost, while nothing was cast with them; or write the same letter again."`
	Log     RegistrarLogCmd     `cmd:"" help:"Show what you have done: codes made, letters written, codes replaced."`
}

// Help says what a registrar is.
func (*RegistrarCmd) Help() string {
	return `The credential registrar makes the code with which each voter's paper is signed, on a machine of their own, and brings it to the voter by another way than the server: so that nobody at the server can vote for anybody. Each command can be stopped and repeated at any time.

  omov registrar new hazel.omov --name "Hazel Quill"
  omov registrar make hazel.omov https://votes.example.org/contests/2026-L-001 --roll roll.csv
  omov registrar list hazel.omov https://votes.example.org/contests/2026-L-001
  omov registrar mailing hazel.omov --out letters/

The guide is docs/trustees.md.`
}

// RegistrarNewCmd is `omov registrar new`.
type RegistrarNewCmd struct {
	Passphrase
	Name string `required:"" help:"Your name, as it will stand in public and under the letters."`
	Work int    `hidden:"" help:"The work of a guess at the passphrase: scrypt, 2^N."`
	File string `arg:"" help:"The file to make."`
}

// Run makes a registrar's file.
func (c *RegistrarNewCmd) Run(s *Streams) error {
	pass, err := c.read(s, true)
	if err != nil {
		return err
	}
	f, err := postbox.NewRegistrarFile(c.File, pass, c.Name, c.Work)
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Fprintf(s.Out, `%s holds your key, and will hold the codes, under your passphrase. Keep a copy of it on
another medium, renewed whenever you have made codes, and the passphrase apart from both.

Send this line to the returning officer, who enters it:

  %s
`, c.File, f.Registration().RegistrarLine())
	return nil
}

// Held is a registrar's file that is looked at or written from.
type Held struct {
	Passphrase
	File string `arg:"" help:"Your file."`
}

func (h *Held) open(s *Streams) (*postbox.RegistrarFile, error) {
	pass, err := h.read(s, false)
	if err != nil {
		return nil, err
	}
	return postbox.OpenRegistrarFile(h.File, pass)
}

func (h *Held) look(s *Streams) (*postbox.RegistrarFile, error) {
	pass, err := h.read(s, false)
	if err != nil {
		return nil, err
	}
	return postbox.LookAtRegistrarFile(h.File, pass)
}

// RegistrarShowCmd is `omov registrar show`.
type RegistrarShowCmd struct{ Held }

// Run shows what a registrar's file holds, without secrets.
func (c *RegistrarShowCmd) Run(s *Streams) error {
	f, err := c.look(s)
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Fprintln(s.Out, f.Registration().RegistrarLine())
	for _, b := range f.Ballots() {
		list := "not signed"
		if b.Signed {
			list = "signed; not found in the log yet"
		}
		if b.Entry != 0 {
			list = fmt.Sprintf("entry %d of the log", b.Entry)
		}
		fmt.Fprintf(s.Out, "\n%s, %s\n  election     %s\n  voters       %d\n  credentials  %d\n  list         %s\n  log          %s\n", b.Title, b.Page, b.Election, b.Voters, b.Credentials, list, b.LogKey)
	}
	return nil
}

// registrar opens the file and the ballot.
func (c *AtBallot) registrar(s *Streams) (*postbox.RegistrarFile, *postbox.Registrar, error) {
	pass, err := c.read(s, false)
	if err != nil {
		return nil, nil, err
	}
	client, err := postbox.NewClient(c.URL)
	if err != nil {
		return nil, nil, err
	}
	f, err := postbox.OpenRegistrarFile(c.File, pass)
	if err != nil {
		return nil, nil, err
	}
	r := postbox.NewRegistrar(f, client)
	r.NewLog = c.NewLog
	r.Say = func(line string) { fmt.Fprintln(s.Out, line) }
	return f, r, nil
}

// RegistrarMakeCmd is `omov registrar make`.
type RegistrarMakeCmd struct {
	AtBallot
	Roll string `required:"" help:"The ballot's roll as an officer has exported it: CSV with the columns voter, name, email, section, class." placeholder:"FILE"`
}

// Run draws codes.
func (c *RegistrarMakeCmd) Run(ctx context.Context, s *Streams) error {
	in, err := os.Open(c.Roll)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the roll %s cannot be opened", c.Roll)
	}
	defer in.Close()
	roll, err := postbox.ReadRoll(in)
	if err != nil {
		return err
	}
	f, r, err := c.registrar(s)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := r.Make(ctx, roll); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "Copy %s to another medium now. Then publish the list: omov registrar list %s %s\n", c.File, c.File, c.URL)
	return nil
}

// RegistrarListCmd is `omov registrar list`.
type RegistrarListCmd struct {
	AtBallot
	Out string `help:"Also write the list and its signature into this file, as they are published." placeholder:"FILE"`
}

// Run publishes the list.
func (c *RegistrarListCmd) Run(ctx context.Context, s *Streams) error {
	f, r, err := c.registrar(s)
	if err != nil {
		return err
	}
	defer f.Close()
	var posted func(list, signature []byte) error
	if c.Out != "" {
		posted = func(list, signature []byte) error {
			b, err := json.Marshal(map[string][]byte{"list": list, "signature": signature})
			if err != nil {
				return fault.Wrap(fault.Internal, err, "the list could not be written")
			}
			return toFile(c.Out, b)
		}
	}
	if err := r.Publish(ctx, posted); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "Now the letters: omov registrar mailing %s --out letters/\n", c.File)
	return nil
}

// toFile writes what only its owner may read.
func toFile(name string, b []byte) error {
	if err := os.WriteFile(name, b, 0o600); err != nil {
		return fault.Wrap(fault.Invalid, err, "%s could not be written", name)
	}
	return nil
}

// RegistrarMailingCmd is `omov registrar mailing`.
type RegistrarMailingCmd struct {
	Held
	Out     string `required:"" help:"A folder, for a letter a voter; or a file that ends in .csv, for a table of voter, name, email, code, sections and page." placeholder:"DIR|FILE.csv"`
	Letter  string `help:"Your own letter: a template with {{.Name}}, {{.Code}}, {{.Title}}, {{.Page}}, {{.Registrar}}, {{.Sections}}." placeholder:"FILE"`
	Contest string `help:"The ballot's page, where your file has codes of several." placeholder:"URL"`
}

// Run writes letters, or a table.
func (c *RegistrarMailingCmd) Run(s *Streams) error {
	text, err := letterText(c.Letter)
	if err != nil {
		return err
	}
	page, err := pageOf(c.Contest)
	if err != nil {
		return err
	}
	f, err := c.open(s)
	if err != nil {
		return err
	}
	defer f.Close()
	n := 0
	if strings.HasSuffix(c.Out, ".csv") {
		var table bytes.Buffer
		if n, err = f.WriteMailing(page, &table); err == nil {
			err = toFile(c.Out, table.Bytes())
		}
	} else if err = os.MkdirAll(c.Out, 0o700); err == nil {
		n, err = f.WriteLetters(page, text, func(name string, b []byte) error { return toFile(filepath.Join(c.Out, name), b) })
	} else {
		err = fault.Wrap(fault.Invalid, err, "the folder %s cannot be made", c.Out)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "%d codes are in %s, readable for whoever has it. Send them by post or by your own mail, never\nthrough the organisation's server, and destroy what you have written when they are out.\n", n, c.Out)
	return nil
}

func letterText(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the letter %s cannot be read", file)
	}
	return string(b), nil
}

// pageOf gives the address of a ballot's page as files remember it.
func pageOf(url string) (string, error) {
	if url == "" {
		return "", nil
	}
	c, err := postbox.NewClient(url)
	if err != nil {
		return "", err
	}
	return c.Page(), nil
}

// RegistrarReissueCmd is `omov registrar reissue`.
type RegistrarReissueCmd struct {
	AtBallot
	Voters   []int64 `arg:"" help:"The voters' numbers, as in the first column of the roll. Several replaced together say less about each."`
	Reason   string  `required:"" help:"Why, in a line: it is entered in your log."`
	SameCode bool    `help:"Write the letter again, with the same code: only where nobody else can have seen it. Nothing is sent to the server."`
	Out      string  `required:"" help:"Folder for the letters." placeholder:"DIR"`
	Letter   string  `help:"Your own letter, as for mailing." placeholder:"FILE"`
}

// Run replaces codes, and writes the letters.
func (c *RegistrarReissueCmd) Run(ctx context.Context, s *Streams) error {
	text, err := letterText(c.Letter)
	if err != nil {
		return err
	}
	f, r, err := c.registrar(s)
	if err != nil {
		return err
	}
	defer f.Close()
	page, err := pageOf(c.URL)
	if err != nil {
		return err
	}
	if !c.SameCode {
		if err := r.Reissue(ctx, c.Voters, c.Reason); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(c.Out, 0o700); err != nil {
		return fault.Wrap(fault.Invalid, err, "the folder %s cannot be made", c.Out)
	}
	for _, v := range c.Voters {
		letter, err := f.Again(page, v, c.Reason, text)
		if err != nil {
			return err
		}
		name := filepath.Join(c.Out, postbox.LetterName(v))
		if err := toFile(name, letter); err != nil {
			return err
		}
		fmt.Fprintf(s.Out, "The letter to voter %d is in %s.\n", v, name)
	}
	return nil
}

// RegistrarLogCmd is `omov registrar log`.
type RegistrarLogCmd struct{ Held }

// Run shows the registrar's log.
func (c *RegistrarLogCmd) Run(s *Streams) error {
	f, err := c.look(s)
	if err != nil {
		return err
	}
	defer f.Close()
	events := f.Events()
	if len(events) == 0 {
		fmt.Fprintln(s.Out, "Nothing has been done with this file yet.")
	}
	for _, e := range events {
		line := time.UnixMilli(e.At).UTC().Format("2006-01-02 15:04 UTC") + "  " + e.Ballot + "  "
		if e.Voter != 0 {
			line += fmt.Sprintf("voter %d: ", e.Voter)
		}
		line += e.What
		if e.Why != "" {
			line += ": " + e.Why
		}
		fmt.Fprintln(s.Out, line)
	}
	return nil
}
