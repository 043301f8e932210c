package registry

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// unitLine is one line of a file of units.
type unitLine struct {
	line           int
	kind, name, in string
	facts          map[string]string // by the rulebook's name; empty cells are left out
}

// ImportUnitsCSV opens units from a CSV file with the columns kind, name, in
// (the name of the unit above, which may stand anywhere in the file) and the
// rulebook's facts of units. Every line is checked before anything is written;
// with a single trouble nothing is, and the report names line and column.
// Units are found by kind and name: repeating an import changes nothing, and a
// corrected file moves units and changes facts. An empty cell leaves a fact as
// it is. With dry set nothing is written.
func (r *Registry) ImportUnitsCSV(ctx context.Context, in io.Reader, dry bool) (*Report, error) {
	raw, err := readText(in)
	if err != nil {
		return nil, err
	}
	var rep *Report
	plan := func(w *chamber.World) (*grove, error) {
		g, err := newGrove(w)
		if err != nil {
			return nil, err
		}
		rep = &Report{}
		lines, err := readUnits(raw, g.book, rep)
		if err != nil {
			return nil, err
		}
		p := unitPlan{grove: g, report: rep, terms: w.Terms()}
		p.lines(lines)
		return g, nil
	}
	if dry {
		err := r.ch.Read(ctx, func(w *chamber.World) error {
			_, err := plan(w)
			return err
		})
		return rep, err
	}
	err = r.ch.WriteEach(ctx, func(w *chamber.World, put func(minutes.Entry) error) error {
		g, err := plan(w)
		if err != nil || len(rep.Troubles) > 0 {
			return err
		}
		return g.enter(put)
	})
	return rep, err
}

// readUnits takes the file apart.
func readUnits(raw []byte, book *rulebook.Book, rep *Report) ([]unitLine, error) {
	c := csv.NewReader(bytes.NewReader(raw))
	c.FieldsPerRecord = -1
	if first, _, _ := bytes.Cut(raw, []byte("\n")); bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		c.Comma = ';'
	}
	head, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Invalid, "the file is empty; the first line has to name the columns, among them kind and name")
	}
	if err != nil {
		return nil, csvFault(err)
	}
	names := make([]string, len(head)) // empty: of no meaning here
	for i, h := range head {
		h = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(h)), " ", "_")
		if h != "kind" && h != "name" && h != "in" && book.Fact(rulebook.OfUnit, h) == nil {
			rep.Unknown = append(rep.Unknown, h)
			continue
		}
		if slices.Contains(names, h) {
			return nil, fault.New(fault.Invalid, "two columns are %s", h)
		}
		names[i] = h
	}
	for _, need := range []string{"kind", "name"} {
		if !slices.Contains(names, need) {
			return nil, fault.New(fault.Invalid, "no column is %s; the heading needs kind and name", need)
		}
	}
	var out []unitLine
	for {
		rec, err := c.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, csvFault(err)
		}
		u := unitLine{facts: map[string]string{}}
		u.line, _ = c.FieldPos(0)
		if len(rec) != len(head) {
			rep.trouble(u.line, "", "there are %d fields, and the heading has %d", len(rec), len(head))
			continue
		}
		for i, text := range rec {
			switch text = strings.TrimSpace(text); {
			case names[i] == "kind":
				u.kind = text
			case names[i] == "name":
				u.name = text
			case names[i] == "in":
				u.in = text
			case names[i] != "" && text != "":
				u.facts[names[i]] = text
			}
		}
		rep.Lines++
		out = append(out, u)
	}
}

// unitPlan places the lines of a file in the tree.
type unitPlan struct {
	*grove
	report *Report
	terms  map[string]register.Term
}

// lines places all, those above before those below: kind by kind, as the
// rulebook has one in another.
func (p *unitPlan) lines(all []unitLine) {
	seen := map[string]int{}
	byDepth := map[int][]*unitLine{}
	for i := range all {
		u := &all[i]
		key := unitKey(u.kind, u.name)
		switch {
		case p.book.UnitKind(u.kind) == nil:
			p.report.trouble(u.line, "kind", "the rulebook has no kind of unit called %q; it has %s", u.kind, p.kinds())
		case u.name == "":
			p.report.trouble(u.line, "name", "it is empty")
		case seen[key] != 0:
			p.report.trouble(u.line, "name", "%s %q stands in line %d already", u.kind, u.name, seen[key])
		default:
			seen[key] = u.line
			d := p.depth(u.kind)
			byDepth[d] = append(byDepth[d], u)
		}
	}
	for _, d := range slices.Sorted(maps.Keys(byDepth)) {
		for _, u := range byDepth[d] {
			p.place(u)
		}
	}
	slices.SortStableFunc(p.report.Troubles, func(a, b Trouble) int { return a.Line - b.Line })
}

func (p *unitPlan) kinds() string {
	var names []string
	for i := range p.book.Units {
		names = append(names, p.book.Units[i].Name)
	}
	return strings.Join(names, ", ")
}

// depth is how many kinds a kind is in.
func (p *unitPlan) depth(kind string) int {
	for d := 0; d <= len(p.book.Units); d++ {
		k := p.book.UnitKind(kind)
		if k == nil || k.In == "" {
			return d
		}
		kind = k.In
	}
	return len(p.book.Units) // kinds in a circle: the tree is checked as a whole
}

// place opens the unit of a line, or changes it.
func (p *unitPlan) place(u *unitLine) {
	before := len(p.report.Troubles) + p.report.More
	parent := p.parent(u)
	facts := p.facts(u)
	if len(p.report.Troubles)+p.report.More > before {
		return
	}
	old := p.find(u.kind, u.name)
	if old == nil || old.Closed != 0 {
		if _, err := p.open(UnitSpec{Kind: u.kind, Name: u.name, In: parent, Facts: facts}); err != nil {
			p.report.trouble(u.line, "", "%v", err)
			return
		}
		p.report.New++
		return
	}
	now := maps.Clone(old.Facts)
	if now == nil {
		now = map[string]int64{}
	}
	maps.Copy(now, facts)
	if old.Parent == parent && maps.Equal(now, old.Facts) {
		p.report.Unchanged++
		return
	}
	old.Parent, old.Facts, p.moved[old.ID] = parent, now, true
	p.report.Changed++
}

// parent finds the unit above.
func (p *unitPlan) parent(u *unitLine) register.UnitID {
	kind := p.book.UnitKind(u.kind)
	switch {
	case u.in == "" && kind.In == "":
		return 0
	case u.in == "":
		p.report.trouble(u.line, "in", "it is empty: %s; write its name", placed(kind))
	case kind.In == "":
		p.report.trouble(u.line, "in", "%s; leave it empty", placed(kind))
	default:
		if above := p.find(kind.In, u.in); above != nil && above.Closed == 0 {
			return above.ID
		}
		p.report.trouble(u.line, "in", "there is no %s called %q, in the register or in a line without trouble", kind.In, u.in)
	}
	return 0
}

// facts reads the cells that are facts.
func (p *unitPlan) facts(u *unitLine) map[string]int64 {
	out := make(map[string]int64, len(u.facts))
	for _, name := range slices.Sorted(maps.Keys(u.facts)) {
		text := u.facts[name]
		switch p.book.Fact(rulebook.OfUnit, name).Is {
		case rulebook.FactFlag:
			v, ok := flag(text)
			if !ok {
				p.report.trouble(u.line, name, "%q is neither yes nor no", text)
			}
			out[name] = v
		case rulebook.FactDate:
			at, ok := dayOf(text, time.UTC)
			if !ok {
				p.report.trouble(u.line, name, "%q is not a date; write 2026-02-20", text)
			}
			out[name] = at.Unix() / 86400
		case rulebook.FactWords:
			t, ok := p.terms[text]
			if !ok {
				p.report.trouble(u.line, name, "%q is a new word; facts in words are entered one by one", text)
			}
			out[name] = int64(t)
		default:
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || n < -(1<<52) || n > 1<<52 {
				p.report.trouble(u.line, name, "%q is not a whole number", text)
			}
			out[name] = n
		}
	}
	return out
}
