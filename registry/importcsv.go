package registry

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
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
	raw, err := readText(in)
	if err != nil {
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

// compare finds who is in the register already, and what differs.
func (r *Registry) compare(ctx context.Context, im *importer) error {
	line := make(map[string]int, len(im.rows)) // by external number
	for i := range im.rows {
		line[im.rows[i].sealed.External] = i
	}
	err := r.ch.Read(ctx, func(w *chamber.World) error {
		for i := range im.rows {
			x := &im.rows[i]
			x.person, x.changes, x.reseal = 0, x.wants, true
		}
		im.report.Offices = 0
		for after := int64(0); ; {
			known, err := w.Tx().WithExternal(after, register.MaxRows)
			if err != nil {
				return err
			}
			if len(known) == 0 {
				break
			}
			after = known[len(known)-1].ID
			if err := r.comparePage(ctx, w, im, line, known); err != nil {
				return err
			}
		}
		for i := range im.rows {
			if im.rows[i].office != "" && !holdsAlready(w, &im.rows[i]) {
				im.report.Offices++
			}
		}
		return nil
	})
	for i := range im.rows {
		switch x := &im.rows[i]; {
		case x.person == 0:
			im.report.New++
		case len(x.changes) > 0 || x.reseal:
			im.report.Changed++
		default:
			im.report.Unchanged++
		}
	}
	return err
}

// comparePage compares the rows of some people of the register with what is
// kept of them.
func (r *Registry) comparePage(ctx context.Context, w *chamber.World, im *importer, line map[string]int, known []store.PersonRow) error {
	known = slices.DeleteFunc(known, func(p store.PersonRow) bool { _, ok := line[p.External]; return !ok })
	people := make([]int64, len(known))
	for i := range known {
		people[i] = known[i].ID
	}
	keys, err := r.ch.DB.Keys().KeysOf(ctx, people)
	if err != nil {
		return err
	}
	var rec register.Record
	for i := range known {
		p := &known[i]
		x := &im.rows[line[p.External]]
		x.person = register.PersonID(p.ID)
		if err := rec.Decode(p.Facts); err != nil {
			return err
		}
		x.changes = differing(&rec, x.wants, w.At().Unix(), w.Seq())
		key, ok := keys[p.ID]
		x.reseal = !ok || !seals(key, p, x.sealed)
	}
	return nil
}

// seals tells whether what is kept of a person opens and is the same.
func seals(key store.Key, p *store.PersonRow, want chamber.Sealed) bool {
	b, err := key.Open(p.ID, p.Particular)
	if err != nil {
		return false
	}
	var s chamber.Sealed
	return json.Unmarshal(b, &s) == nil && s.Particulars == want.Particulars
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
	people, at := make([]NewPerson, 0, len(im.rows)), make([]int, 0, len(im.rows))
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
