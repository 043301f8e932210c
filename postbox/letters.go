package postbox

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"

	"github.com/omov/omov/fault"
)

// Letter is what a letter to a voter is written of.
type Letter struct {
	Voter     int64
	Name      string
	Email     string
	Code      string   // six groups of five
	Sections  []string // in which they vote; empty where there is one
	Title     string   // of the ballot
	Page      string
	Registrar string
}

// DefaultLetter is the letter that is written where no other is given.
const DefaultLetter = `{{if .Name}}Dear {{.Name}},{{else}}Dear member,{{end}}

this is your voting code for the ballot "{{.Title}}":

    {{.Code}}

Vote at {{.Page}}

Sign in there as usual, mark your paper, and type in the code when the page asks
for it. Capital or small letters, blanks and hyphens do not matter. The page says
until when you can vote.{{if .Sections}}
You vote in {{join .Sections}}, with the same code.{{end}}

What the code is for. Your vote is sealed on your own device before it is sent,
and the code is what signs it. With the code and your sign-in a vote counts as
yours; the organisation's server does not know the code, so that nobody there can
vote in your name.

- Give the code to nobody. Nobody has to know it to help you: not the
  organisation, not its officers, not those who answer questions about the vote.
- Type it in at the address above and nowhere else.
- You may change your vote until the ballot closes, with the same code. Keep this
  letter until then.
- If you have voted and lose the letter, your vote stands.
- If you have not voted, and the letter is lost or somebody may have seen it, tell
  me at once.

What it does not do. The code does not protect you from somebody who watches you
vote, or from a device or page that has been tampered with. Before you cast, the
page offers to check your sealed paper on a second device; that finds it out.

{{.Registrar}}, credential registrar
`

// readLetter reads a letter's template; empty is the default one.
func readLetter(text string) (*template.Template, error) {
	if text == "" {
		text = DefaultLetter
	}
	t, err := template.New("letter").Option("missingkey=error").Funcs(template.FuncMap{"join": func(s []string) string { return strings.Join(s, ", ") }}).Parse(text)
	if err == nil {
		var out strings.Builder
		if err = t.Execute(&out, Letter{Code: "XXXXX"}); err == nil && !strings.Contains(out.String(), "XXXXX") {
			return nil, fault.New(fault.Invalid, "the letter does not have {{.Code}} in it: nobody could vote by it")
		}
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the letter cannot be written: its fields are .Name, .Email, .Code, .Sections, .Title, .Page, .Registrar, .Voter")
	}
	return t, nil
}

// letters gives a letter a voter, in the order of the roll.
func (f *RegistrarFile) letters(i *issue, each func(Letter) error) error {
	if err := i.whole(); err != nil {
		return err
	}
	codes, at := i.codes(), map[int64]int{}
	var all []Letter
	several := slices.ContainsFunc(i.Lines, func(l Line) bool { return l.Section != i.Lines[0].Section })
	for _, l := range i.Lines {
		n, ok := at[l.Voter]
		if !ok {
			n, at[l.Voter] = len(all), len(all)
			all = append(all, Letter{Voter: l.Voter, Name: l.Name, Email: l.Email, Title: i.Title, Page: i.Page, Registrar: f.state.Name})
		}
		if several {
			all[n].Sections = append(all[n].Sections, l.Section)
		}
	}
	for _, l := range all {
		l.Code = codes[l.Voter].Text()
		if err := each(l); err != nil {
			return err
		}
	}
	return nil
}

// WriteMailing writes a line a voter, for whoever prints or sends the letters:
// CSV with the columns voter, name, email, code, sections, page. page says of
// which ballot; empty where the file knows only one.
func (f *RegistrarFile) WriteMailing(page string, out io.Writer) (int, error) {
	i, err := f.latest(page)
	if err != nil {
		return 0, err
	}
	w, n := csv.NewWriter(out), 0
	w.Write([]string{"voter", "name", "email", "code", "sections", "page"})
	err = f.letters(i, func(l Letter) error {
		n++
		return w.Write([]string{fmt.Sprint(l.Voter), cell(l.Name), cell(l.Email), l.Code, cell(strings.Join(l.Sections, "; ")), l.Page})
	})
	w.Flush()
	if err == nil {
		err = w.Error()
	}
	if err != nil {
		return 0, unwritten(err)
	}
	f.note(i, 0, fmt.Sprintf("exported %d codes as a table", n), "")
	return n, f.save()
}

func unwritten(err error) error {
	if fault.Of(err) != nil {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "the letters could not be written")
}

// WriteLetters writes a letter a voter, each by a name of its own. text is a
// template in the language of Go's text/template over a Letter; empty, it is
// DefaultLetter.
func (f *RegistrarFile) WriteLetters(page, text string, write func(name string, letter []byte) error) (int, error) {
	i, err := f.latest(page)
	if err != nil {
		return 0, err
	}
	t, err := readLetter(text)
	if err != nil {
		return 0, err
	}
	n := 0
	err = f.letters(i, func(l Letter) error {
		var out strings.Builder
		if err := t.Execute(&out, l); err != nil {
			return fault.Wrap(fault.Invalid, err, "the letter cannot be written")
		}
		n++
		return write(LetterName(l.Voter), []byte(out.String()))
	})
	if err != nil {
		return 0, unwritten(err)
	}
	f.note(i, 0, fmt.Sprintf("exported %d letters", n), "")
	return n, f.save()
}

// LetterName is the name of a voter's letter as a file.
func LetterName(voter int64) string {
	name := fmt.Sprintf("voter-%d.txt", voter)
	if voter < 0 {
		name = fmt.Sprintf("unit-%d.txt", -voter)
	}
	return name
}

// Again writes a voter's letter once more, with the same code: the letter did
// not arrive, or is lost, and nobody else has it. It is entered in the
// registrar's log, with the reason, before the code is shown.
func (f *RegistrarFile) Again(page string, voter int64, why, text string) ([]byte, error) {
	i, err := f.latest(page)
	if err != nil {
		return nil, err
	}
	if why = strings.TrimSpace(why); why == "" || plain(why) != why {
		return nil, fault.New(fault.Invalid, "say why, in a line: it is entered in your log")
	}
	t, err := readLetter(text)
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	found := false
	err = f.letters(i, func(l Letter) error {
		if l.Voter != voter {
			return nil
		}
		found = true
		return t.Execute(&out, l)
	})
	if err != nil {
		return nil, unwritten(err)
	}
	if !found {
		return nil, fault.New(fault.NotFound, "the roll of this ballot has no voter %d. Their number stands in the first column of the roll", voter)
	}
	f.note(i, voter, "wrote this letter alone", why)
	if err := f.save(); err != nil {
		return nil, err
	}
	return []byte(out.String()), nil
}
