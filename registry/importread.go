package registry

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// readText reads a file whole, without the mark that some spreadsheets put
// before UTF-8.
func readText(in io.Reader) ([]byte, error) {
	var b bytes.Buffer
	if _, err := b.ReadFrom(io.LimitReader(in, MaxFile+1)); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the file cannot be read")
	}
	if b.Len() > MaxFile {
		return nil, fault.New(fault.TooMuch, "the file has more than %d MB; split it", MaxFile>>20)
	}
	raw := bytes.TrimPrefix(b.Bytes(), []byte("\xef\xbb\xbf"))
	return raw, checkEncoding(raw)
}

// checkEncoding finds the first byte that is not UTF-8 and says what to do.
func checkEncoding(raw []byte) error {
	if utf8.Valid(raw) {
		return nil
	}
	line := 1
	for i := 0; i < len(raw); {
		c, n := utf8.DecodeRune(raw[i:])
		if c == utf8.RuneError && n == 1 {
			return fault.New(fault.Invalid, "line %d is not UTF-8 (byte %#x). Save the file as \"CSV UTF-8\" in your spreadsheet and import it again; nothing has been written", line, raw[i])
		}
		if c == '\n' {
			line++
		}
		i += n
	}
	return nil
}

// importer works on one file.
type importer struct {
	opts    Import
	report  *Report
	book    *rulebook.Book
	terms   map[string]register.Term
	tree    *register.Tree
	units   map[string][]register.UnitID // by lower-case name
	at      int64
	columns Columns
	seen    map[string]int // id: line
	rows    []row

	// Where a record has what; 0: nowhere, else the column's number from 1.
	id, name, email, address, office int
	members                          []membership
	facts                            []factColumn

	rec     []string // the record that is being read
	changes []register.Change
	dates   map[string]int64           // as read before: a file has few
	places  map[string]register.UnitID // the same
}

// membership is where a record has one of its memberships; suffix is "" or
// "_2" to "_9".
type membership struct {
	suffix                    string
	class, unit, since, until int
}

type factColumn struct {
	fact *rulebook.Fact
	term register.Term
	at   int
}

// row is one line, understood.
type row struct {
	line    int
	sealed  chamber.Sealed
	wants   []register.Change
	office  string
	unit    register.UnitID
	person  register.PersonID // 0: new
	changes []register.Change
	reseal  bool
}

func (r *Registry) prepare(ctx context.Context, im *importer) error {
	return r.ch.Read(ctx, func(w *chamber.World) error {
		if w.Book() == nil {
			return fault.New(fault.TooEarly, "adopt a rulebook first: it says which classes and facts there are")
		}
		im.book, im.terms, im.tree, im.at = w.Book(), w.Terms(), w.Tree(), w.At().Unix()
		im.columns = im.opts.Columns
		if im.columns == nil {
			b, err := w.Tx().Setting(columnsSetting)
			if err != nil {
				return err
			}
			if b != nil {
				if err := json.Unmarshal(b, &im.columns); err != nil {
					return fault.Wrap(fault.Damaged, err, "the saved column map cannot be read; give one with --column")
				}
			}
		}
		im.units = unitsByName(w.Tree())
		if im.opts.Class == "" && len(im.book.Classes) > 0 {
			im.opts.Class = im.book.Classes[0].Name
		}
		return nil
	})
}

// unitsByName gives the units of each name in small letters: the open ones,
// or, where none is open, those that were closed.
func unitsByName(t *register.Tree) map[string][]register.UnitID {
	open, closed := map[string][]register.UnitID{}, map[string][]register.UnitID{}
	for id := register.UnitID(1); id < t.Next(); id++ {
		if u := t.Unit(id); u != nil && u.Closed == 0 {
			k := strings.ToLower(u.Name)
			open[k] = append(open[k], id)
		} else if u != nil {
			k := strings.ToLower(u.Name)
			closed[k] = append(closed[k], id)
		}
	}
	for k, ids := range closed {
		if open[k] == nil {
			open[k] = ids
		}
	}
	return open
}

// maxAhead bounds what is made room for before anything has been read.
const maxAhead = 1 << 20

// read understands every line.
func (im *importer) read(raw []byte) error {
	c := csv.NewReader(bytes.NewReader(raw))
	c.ReuseRecord = true
	c.FieldsPerRecord = -1
	if first, _, _ := bytes.Cut(raw, []byte("\n")); bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		c.Comma = ';'
	}
	head, err := c.Read()
	if errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "the file is empty; the first line has to name the columns, among them id and name")
	}
	if err != nil {
		return csvFault(err)
	}
	if err := im.heading(head); err != nil {
		return err
	}
	want := len(head)
	lines := min(bytes.Count(raw, []byte("\n")), maxAhead)
	im.seen, im.rows = make(map[string]int, lines), make([]row, 0, lines)
	im.dates, im.places = map[string]int64{}, map[string]register.UnitID{}
	for {
		rec, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return csvFault(err)
		}
		line, _ := c.FieldPos(0)
		if len(rec) != want {
			im.report.trouble(line, "", "there are %d fields, and the heading has %d", len(rec), want)
			continue
		}
		im.rec = rec
		im.row(line)
	}
}

func csvFault(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return fault.New(fault.Invalid, "line %d, column %d: %v. A field that has quotes in it is written \"like \"\"this\"\"\"; nothing has been written", p.Line, p.Column, p.Err)
	}
	return fault.Wrap(fault.Invalid, err, "the file cannot be read")
}

// heading maps the file's columns to omov's names.
func (im *importer) heading(head []string) error {
	index := map[string]int{}
	by := map[string]string{}
	for name, file := range im.columns {
		by[strings.ToLower(strings.TrimSpace(file))] = name
	}
	for i, h := range head {
		h = strings.ToLower(strings.TrimSpace(h))
		name, ok := by[h]
		if !ok {
			name = strings.ReplaceAll(h, " ", "_")
		}
		if !im.known(name) {
			im.report.Unknown = append(im.report.Unknown, h)
			continue
		}
		if _, twice := index[name]; twice {
			return fault.New(fault.Invalid, "two columns are %s", name)
		}
		index[name] = i + 1
	}
	for _, need := range []string{"id", "name"} {
		if index[need] == 0 {
			return fault.New(fault.Invalid, "no column is %s. Name it so in the heading, or say which it is: --column %s=HEADING", need, need)
		}
	}
	im.place(index)
	return nil
}

// place keeps which column has what.
func (im *importer) place(index map[string]int) {
	im.id, im.name, im.email, im.address, im.office = index["id"], index["name"], index["email"], index["address"], index["office"]
	for n := 1; n <= 9; n++ {
		suffix := ""
		if n > 1 {
			suffix = "_" + strconv.Itoa(n)
		}
		if n == 1 || index["class"+suffix] > 0 {
			im.members = append(im.members, membership{suffix, index["class"+suffix], index["unit"+suffix], index["since"+suffix], index["until"+suffix]})
		}
	}
	for i := range im.book.Facts {
		f := &im.book.Facts[i]
		if at := index[f.Name]; f.Of == rulebook.OfPerson && at > 0 {
			im.facts = append(im.facts, factColumn{f, im.terms[f.Name], at})
		}
	}
}

func (im *importer) known(name string) bool {
	base := name
	if n := len(name); n > 2 && name[n-2] == '_' && name[n-1] >= '2' && name[n-1] <= '9' {
		base = name[:n-2]
		return base == "class" || base == "unit" || base == "since" || base == "until"
	}
	switch base {
	case "id", "name", "email", "address", "class", "unit", "since", "until", "office":
		return true
	}
	return im.book.Fact(rulebook.OfPerson, name) != nil
}

// get gives a column of the record, empty where the file has none.
func (im *importer) get(column int) string {
	if column == 0 {
		return ""
	}
	return strings.TrimSpace(im.rec[column-1])
}

// row understands one line.
func (im *importer) row(line int) {
	r := row{line: line, sealed: im.sealed()}
	id := r.sealed.External
	before := len(im.report.Troubles) + im.report.More
	switch seen := im.seen[id]; {
	case id == "":
		im.report.trouble(line, "id", "it is empty; the id is how a later import finds the same person")
	case seen != 0:
		im.report.trouble(line, "id", "%s stands in line %d already", strconv.Quote(id), seen)
	}
	im.seen[id] = line
	if r.sealed.Name == "" {
		im.report.trouble(line, "name", "it is empty")
	}
	if e := r.sealed.Email; e != "" && (strings.Count(e, "@") != 1 || strings.ContainsAny(e, " \t,;<>")) {
		im.report.trouble(line, "email", "%q is not an e-mail address", e)
	}
	im.changes = im.changes[:0]
	im.memberships(&r)
	im.factsOf(&r)
	r.wants = append(make([]register.Change, 0, len(im.changes)), im.changes...)
	if r.office = im.get(im.office); r.office != "" {
		if o := im.book.Office(r.office); o == nil {
			im.report.trouble(line, "office", "the rulebook has no office called %q", r.office)
		} else if _, ok := im.tree.Up(r.unit, o.Per); o.Per != "" && !ok {
			im.report.trouble(line, "office", "there is one %s in every %s, and the line's unit is in none", o.Name, o.Per)
		} else {
			r.office = o.Name
		}
	}
	im.report.Lines++
	if len(im.report.Troubles)+im.report.More == before {
		im.rows = append(im.rows, r)
	}
}

// sealed gives what identifies the person of the record, in one string of
// their own: the record's holds the whole line.
func (im *importer) sealed() chamber.Sealed {
	id, name, email, address := im.get(im.id), im.get(im.name), im.get(im.email), im.get(im.address)
	all := id + name + email + address
	cut := func(n int) (s string) {
		s, all = all[:n], all[n:]
		return s
	}
	s := chamber.Sealed{External: cut(len(id))}
	s.Name, s.Email, s.Address = cut(len(name)), cut(len(email)), cut(len(address))
	return s
}

// memberships reads class, unit and since, and their numbered brothers.
func (im *importer) memberships(r *row) {
	for n := range im.members {
		m := &im.members[n]
		class, unit, since := im.get(m.class), im.get(m.unit), im.get(m.since)
		if n > 0 && class == "" {
			continue
		}
		if class == "" {
			class = im.opts.Class
		}
		c := register.Change{Aspect: register.Belongs, From: im.at}
		if im.book.Class(class) == nil {
			im.report.trouble(r.line, "class"+m.suffix, "the rulebook has no class called %q; it has %s", class, im.classes())
		}
		c.Name = im.terms[class]
		if unit != "" {
			c.Unit = im.unit(r, m.suffix, unit)
			if n == 0 {
				r.unit = c.Unit
			}
		}
		if since != "" {
			c.From = im.date(r, "since", m.suffix, since)
		}
		if until := im.get(m.until); until != "" {
			c.Until = im.date(r, "until", m.suffix, until)
			if c.Until != 0 && c.Until <= c.From {
				im.report.trouble(r.line, "until"+m.suffix, "it ends before it begins")
			}
		}
		im.changes = append(im.changes, c)
	}
}

func (im *importer) classes() string {
	var names []string
	for i := range im.book.Classes {
		names = append(names, im.book.Classes[i].Name)
	}
	return strings.Join(names, ", ")
}

// unit finds a unit by its name, or by "kind: name" where two kinds share it.
func (im *importer) unit(r *row, suffix, text string) register.UnitID {
	if u, ok := im.places[text]; ok {
		return u
	}
	if kind, name, ok := strings.Cut(text, ":"); ok {
		for _, id := range im.units[strings.ToLower(strings.TrimSpace(name))] {
			if im.tree.Unit(id).Kind == strings.TrimSpace(kind) {
				im.places[strings.Clone(text)] = id
				return id
			}
		}
	}
	found := im.units[strings.ToLower(text)]
	switch len(found) {
	case 1:
		im.places[strings.Clone(text)] = found[0]
		return found[0]
	case 0:
		im.report.trouble(r.line, "unit"+suffix, "there is no unit called %q; open it first, or correct the name", text)
	default:
		im.report.trouble(r.line, "unit"+suffix, "%d units are called %q; write \"kind: name\"", len(found), text)
	}
	return 0
}

// date reads 2026-02-20, 20/02/2026 and 20.02.2026, as the start of the day in
// the organisation's zone.
func (im *importer) date(r *row, column, suffix, text string) int64 {
	if at, ok := im.dates[text]; ok {
		return at
	}
	if t, ok := dayOf(text, im.book.Zone); ok {
		im.dates[strings.Clone(text)] = t.Unix()
		return t.Unix()
	}
	im.report.trouble(r.line, column+suffix, "%q is not a date; write 2026-02-20", text)
	return 0
}

// dayOf reads a date between 1850 and 2200, as the start of the day in a zone.
func dayOf(text string, zone *time.Location) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02", "02/01/2006", "02.01.2006", "2.1.2006", "2/1/2006"} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, t.Year() >= 1850 && t.Year() <= 2200
		}
	}
	return time.Time{}, false
}

// factsOf reads the columns that are facts of the rulebook.
func (im *importer) factsOf(r *row) {
	for i := range im.facts {
		f := im.facts[i].fact
		text := im.get(im.facts[i].at)
		if text == "" {
			continue
		}
		c := register.Change{Aspect: register.Fact, Name: im.facts[i].term, From: im.at}
		switch f.Is {
		case rulebook.FactFlag:
			v, ok := flag(text)
			if !ok {
				im.report.trouble(r.line, f.Name, "%q is neither yes nor no", text)
			}
			c.Value = v
		case rulebook.FactNumber:
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || n < -(1<<52) || n > 1<<52 {
				im.report.trouble(r.line, f.Name, "%q is not a whole number", text)
			}
			c.Value = n
		case rulebook.FactDate:
			d := im.date(r, f.Name, "", text)
			y, m, day := time.Unix(d, 0).In(im.book.Zone).Date()
			c.Value = time.Date(y, m, day, 0, 0, 0, 0, time.UTC).Unix() / 86400
		case rulebook.FactWords:
			t, ok := im.terms[text]
			if !ok {
				im.report.trouble(r.line, f.Name, "%q is a new word; facts in words are entered one by one", text)
			}
			c.Value = int64(t)
		}
		im.changes = append(im.changes, c)
	}
}

func flag(s string) (int64, bool) {
	switch strings.ToLower(s) {
	case "1", "y", "yes", "true", "x":
		return 1, true
	case "0", "n", "no", "false", "-":
		return 0, true
	}
	return 0, false
}
