package registry

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/store"
)

// Bounds of an import.
const (
	MaxFile    = 1 << 30 // bytes
	maxTrouble = 200     // lines of the report that are spelled out
)

// Columns says which column of a file holds what: the file's heading by the
// name omov uses. Names are id, name, email, class, unit, since, until, office
// and the facts of the rulebook; class, unit and since may have _2 to _9 for
// further memberships. What is not in the map is looked up under its own name.
type Columns map[string]string

const columnsSetting = "import/columns"

// Import is one import of a file.
type Import struct {
	Columns Columns // nil: as saved by the last import
	Dry     bool    // check and report, write nothing
	Class   string  // for rows without a class of their own
	// Progress, if set, is told how many people are done.
	Progress Progress
}

// Trouble is what is wrong with one line of a file; lines count from 1, with
// the heading.
type Trouble struct {
	Line    int
	Column  string
	Message string
}

// String gives the trouble for a report.
func (t Trouble) String() string {
	if t.Column == "" {
		return fmt.Sprintf("line %d: %s", t.Line, t.Message)
	}
	return fmt.Sprintf("line %d, column %s: %s", t.Line, t.Column, t.Message)
}

// Report says what an import did, or, on a dry run, would do.
type Report struct {
	Lines     int // people in the file
	New       int
	Changed   int
	Unchanged int
	Offices   int
	Troubles  []Trouble
	More      int // troubles that are not spelled out
	Unknown   []string
}

func (r *Report) trouble(line int, column, format string, args ...any) {
	if len(r.Troubles) >= maxTrouble {
		r.More++
		return
	}
	r.Troubles = append(r.Troubles, Trouble{line, column, fmt.Sprintf(format, args...)})
}

// ImportCSV reads people from a CSV file with a heading. Every line is checked
// before anything is written; with a single trouble nothing is, and the report
// names line and column. Repeating an import changes nothing; a corrected file
// changes what differs, by the organisation's own id.
func (r *Registry) ImportCSV(ctx context.Context, in io.Reader, o Import) (*Report, error) {
	raw, err := io.ReadAll(io.LimitReader(in, MaxFile+1))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the file cannot be read")
	}
	if len(raw) > MaxFile {
		return nil, fault.New(fault.TooMuch, "the file has more than %d MB; split it", MaxFile>>20)
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if err := checkEncoding(raw); err != nil {
		return nil, err
	}
	im := &importer{opts: o, report: &Report{}}
	if err := r.prepare(ctx, im); err != nil {
		return nil, err
	}
	if err := im.read(raw); err != nil {
		return nil, err
	}
	if err := r.compare(ctx, im); err != nil {
		return nil, err
	}
	if len(im.report.Troubles) > 0 || o.Dry {
		return im.report, nil
	}
	sum := sum(raw)
	return im.report, r.enterRows(ctx, im, hex.EncodeToString(sum[:]))
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
	index   map[string]int // omov's name: column
	seen    map[string]int // id: line
	rows    []row
}

// row is one line, understood.
type row struct {
	line    int
	id      string
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
		im.units = map[string][]register.UnitID{}
		for i := register.UnitID(1); int(i) <= w.Tree().Len(); i++ {
			if u := w.Tree().Unit(i); u != nil {
				k := strings.ToLower(u.Name)
				im.units[k] = append(im.units[k], u.ID)
			}
		}
		if im.opts.Class == "" && len(im.book.Classes) > 0 {
			im.opts.Class = im.book.Classes[0].Name
		}
		return nil
	})
}

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
	im.seen = map[string]int{}
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
		im.row(line, rec)
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
	im.index = map[string]int{}
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
		if _, twice := im.index[name]; twice {
			return fault.New(fault.Invalid, "two columns are %s", name)
		}
		im.index[name] = i
	}
	for _, need := range []string{"id", "name"} {
		if _, ok := im.index[need]; !ok {
			return fault.New(fault.Invalid, "no column is %s. Name it so in the heading, or say which it is: --column %s=HEADING", need, need)
		}
	}
	return nil
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

// row understands one line.
func (im *importer) row(line int, rec []string) {
	get := func(name string) string {
		if i, ok := im.index[name]; ok {
			return strings.TrimSpace(rec[i])
		}
		return ""
	}
	r := row{line: line, id: get("id")}
	before := len(im.report.Troubles) + im.report.More
	switch {
	case r.id == "":
		im.report.trouble(line, "id", "it is empty; the id is how a later import finds the same person")
	case im.seen[r.id] != 0:
		im.report.trouble(line, "id", "%s stands in line %d already", strconv.Quote(r.id), im.seen[r.id])
	}
	im.seen[r.id] = line
	if get("name") == "" {
		im.report.trouble(line, "name", "it is empty")
	}
	r.sealed = chamber.Sealed{Particulars: chamber.Particulars{Name: get("name"), Email: get("email"), Address: get("address")}, External: strings.Clone(r.id)}
	r.sealed.Name, r.sealed.Email, r.sealed.Address = strings.Clone(r.sealed.Name), strings.Clone(r.sealed.Email), strings.Clone(r.sealed.Address)
	r.id = r.sealed.External
	if e := r.sealed.Email; e != "" && (strings.Count(e, "@") != 1 || strings.ContainsAny(e, " \t,;<>")) {
		im.report.trouble(line, "email", "%q is not an e-mail address", e)
	}
	im.memberships(&r, get)
	im.facts(&r, get)
	if r.office = get("office"); r.office != "" {
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

// memberships reads class, unit and since, and their numbered brothers.
func (im *importer) memberships(r *row, get func(string) string) {
	for n := 1; n <= 9; n++ {
		suffix := ""
		if n > 1 {
			suffix = "_" + strconv.Itoa(n)
		}
		class, unit, since := get("class"+suffix), get("unit"+suffix), get("since"+suffix)
		if n > 1 && class == "" {
			continue
		}
		if class == "" {
			class = im.opts.Class
		}
		c := register.Change{Aspect: register.Belongs, From: im.at}
		if im.book.Class(class) == nil {
			im.report.trouble(r.line, "class"+suffix, "the rulebook has no class called %q; it has %s", class, im.classes())
		}
		c.Name = im.terms[class]
		if unit != "" {
			c.Unit = im.unit(r, "unit"+suffix, unit)
			if n == 1 {
				r.unit = c.Unit
			}
		}
		if since != "" {
			c.From = im.date(r, "since"+suffix, since)
		}
		if until := get("until" + suffix); until != "" {
			c.Until = im.date(r, "until"+suffix, until)
			if c.Until != 0 && c.Until <= c.From {
				im.report.trouble(r.line, "until"+suffix, "it ends before it begins")
			}
		}
		r.wants = append(r.wants, c)
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
func (im *importer) unit(r *row, column, text string) register.UnitID {
	if kind, name, ok := strings.Cut(text, ":"); ok {
		if u, ok := im.tree.ByName(strings.TrimSpace(kind), name); ok {
			return u.ID
		}
	}
	found := im.units[strings.ToLower(text)]
	switch len(found) {
	case 1:
		return found[0]
	case 0:
		im.report.trouble(r.line, column, "there is no unit called %q; open it first, or correct the name", text)
	default:
		im.report.trouble(r.line, column, "%d units are called %q; write \"kind: name\"", len(found), text)
	}
	return 0
}

// date reads 2026-02-20, 20/02/2026 and 20.02.2026, as the start of the day in
// the organisation's zone.
func (im *importer) date(r *row, column, text string) int64 {
	for _, layout := range []string{"2006-01-02", "02/01/2006", "02.01.2006", "2.1.2006", "2/1/2006"} {
		if t, err := time.ParseInLocation(layout, text, im.book.Zone); err == nil {
			if y := t.Year(); y < 1850 || y > 2200 {
				break
			}
			return t.Unix()
		}
	}
	im.report.trouble(r.line, column, "%q is not a date; write 2026-02-20", text)
	return 0
}

// facts reads the columns that are facts of the rulebook.
func (im *importer) facts(r *row, get func(string) string) {
	for i := range im.book.Facts {
		f := &im.book.Facts[i]
		if f.Of != rulebook.OfPerson {
			continue
		}
		text := get(f.Name)
		if text == "" {
			continue
		}
		c := register.Change{Aspect: register.Fact, Name: im.terms[f.Name], From: im.at}
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
			d := im.date(r, f.Name, text)
			y, m, day := time.Unix(d, 0).In(im.book.Zone).Date()
			c.Value = time.Date(y, m, day, 0, 0, 0, 0, time.UTC).Unix() / 86400
		case rulebook.FactWords:
			t, ok := im.terms[text]
			if !ok {
				im.report.trouble(r.line, f.Name, "%q is a new word; facts in words are entered one by one", text)
			}
			c.Value = int64(t)
		}
		r.wants = append(r.wants, c)
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

// compare finds who is in the register already, and what differs.
func (r *Registry) compare(ctx context.Context, im *importer) error {
	return r.ch.Read(ctx, func(w *chamber.World) error {
		known, err := w.Tx().Externals()
		if err != nil {
			return err
		}
		for i := range im.rows {
			x := &im.rows[i]
			id, ok := known[x.id]
			if !ok {
				x.changes, x.reseal = x.wants, true
				im.report.New++
				continue
			}
			x.person = register.PersonID(id)
			rec := w.Record(x.person)
			if rec == nil {
				return fault.New(fault.Damaged, "the record of %s cannot be read", x.id)
			}
			x.changes = differing(rec, x.wants, w.At().Unix(), w.Seq())
			if p, err := w.ParticularsOf(x.person); err != nil || p != x.sealed.Particulars {
				x.reseal = true
			}
			if len(x.changes) > 0 || x.reseal {
				im.report.Changed++
			} else {
				im.report.Unchanged++
			}
		}
		for i := range im.rows {
			if im.rows[i].office != "" && !holdsAlready(w, &im.rows[i]) {
				im.report.Offices++
			}
		}
		return nil
	})
}

func holdsAlready(w *chamber.World, x *row) bool {
	return x.person != 0 && slices.ContainsFunc(w.Roster().Of(x.person, w.At().Unix(), w.Seq()), func(t register.TermOfOffice) bool {
		return t.Office == x.office
	})
}

// differing keeps the changes that the record does not already say.
func differing(rec *register.Record, wants []register.Change, at, known int64) []register.Change {
	var out []register.Change
	for _, c := range wants {
		same := false
		for i := range rec.Spans {
			s := &rec.Spans[i]
			if s.Aspect != c.Aspect || s.Name != c.Name || s.Ended != 0 {
				continue
			}
			until := c.Until
			if until == 0 {
				until = register.Forever
			}
			switch c.Aspect {
			case register.Belongs:
				same = same || s.Unit == c.Unit && (s.From == c.From || c.From >= at && s.At(at, known)) && s.Until == until
			case register.Fact:
				same = same || s.Value == c.Value && s.At(at, known)
			}
		}
		if !same {
			out = append(out, c)
		}
	}
	return out
}

// enterRows enters what differs, appoints, and saves the column map.
func (r *Registry) enterRows(ctx context.Context, im *importer, source string) error {
	var people []NewPerson
	var at []int
	for i := range im.rows {
		x := &im.rows[i]
		if len(x.changes) == 0 && !x.reseal {
			continue
		}
		p := NewPerson{ID: x.person, Changes: x.changes}
		if x.reseal {
			p.Sealed = &x.sealed
		}
		people = append(people, p)
		at = append(at, i)
	}
	ids, err := r.Enter(ctx, people, source, im.opts.Progress)
	if err != nil {
		return err
	}
	for k, i := range at {
		im.rows[i].person = ids[k]
	}
	if err := r.appointRows(ctx, im); err != nil {
		return err
	}
	b, err := json.Marshal(im.columns)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the column map cannot be saved")
	}
	return r.ch.DB.Write(ctx, func(tx *store.Tx) error { return tx.PutSetting(columnsSetting, b) })
}

// appointRows fills the offices that the file names.
func (r *Registry) appointRows(ctx context.Context, im *importer) error {
	var list []Appointment
	err := r.ch.Read(ctx, func(w *chamber.World) error {
		for i := range im.rows {
			x := &im.rows[i]
			if x.office == "" || holdsAlready(w, x) {
				continue
			}
			a := Appointment{Office: x.office, Person: x.person, How: "imported"}
			if o := im.book.Office(x.office); o.Per != "" {
				u, ok := w.Tree().Up(x.unit, o.Per)
				if !ok {
					return fault.New(fault.Invalid, "line %d: there is a %s in every %s, and the line names none", x.line, x.office, o.Per)
				}
				a.Unit = u.ID
			}
			list = append(list, a)
		}
		return nil
	})
	if err != nil || len(list) == 0 {
		return err
	}
	return r.Appoint(ctx, list)
}
