package rehearsal

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/rulebook"
)

// enterBatch is how many people one call of the registry enters.
const enterBatch = 50_000

// longAgo is since when people belong of whom the script says nothing, in
// years before the beginning.
const longAgo = 10

// fits complains of what a script says that its rulebook does not have.
func (r *runner) fits() error {
	c := &complaints{file: r.s.File}
	var units, people []string
	for i := range r.book.Units {
		units = append(units, r.book.Units[i].Name)
	}
	for i := range r.book.Facts {
		if r.book.Facts[i].Of == rulebook.OfPerson {
			people = append(people, r.book.Facts[i].Name)
		}
	}
	for _, u := range r.s.units {
		r.fitUnit(c, u, units)
	}
	lines := append([]personLine(nil), r.s.people...)
	for i := range r.s.steps {
		if s := &r.s.steps[i]; s.verb == "people" {
			lines = append(lines, (&complaints{}).people(s.val)...)
		}
	}
	for _, p := range lines {
		r.fitPerson(c, p, people)
	}
	if len(c.list) > 0 {
		return c.list
	}
	return nil
}

func (r *runner) fitUnit(c *complaints, u unitLine, kinds []string) {
	if r.book.UnitKind(u.kind.text) == nil {
		c.err(u.kind.pos, "", "the rulebook has no kind of unit called `%s`%s", u.kind.text, didYouMean(u.kind.text, kinds))
	}
	for _, f := range u.facts {
		if r.book.Fact(rulebook.OfUnit, f.key) == nil {
			c.err(f.pos, "A unit has kind, named, make, in and the facts of the rulebook.", "a unit has no `%s`%s", f.key, didYouMean(f.key, []string{"kind", "named", "make", "in"}))
		}
	}
}

func (r *runner) fitPerson(c *complaints, p personLine, facts []string) {
	for _, f := range p.facts {
		if r.book.Fact(rulebook.OfPerson, f.key) == nil {
			c.err(f.pos, "A line of people has "+strings.Join(personKeys(), ", ")+" and the facts of the rulebook.",
				"nobody has `%s`%s", f.key, didYouMean(f.key, append(personKeys(), facts...)))
		}
	}
	for _, x := range append(append([]scalarAt(nil), p.class...), p.leaves) {
		if x.text != "" && r.book.Class(x.text) == nil {
			c.err(x.pos, "", "the rulebook has no class called `%s`", x.text)
		}
	}
	for _, x := range append(append([]scalarAt(nil), p.holds...), p.loses) {
		if x.text != "" && r.book.Office(x.text) == nil {
			c.err(x.pos, "", "the rulebook has no office called `%s`", x.text)
		}
	}
	for _, x := range []scalarAt{p.under, p.freed} {
		if x.text != "" && r.book.Sanction(x.text) == nil {
			c.err(x.pos, "", "the rulebook has no sanction called `%s`", x.text)
		}
	}
}

// enter opens the units and enters the people that the script begins with.
func (r *runner) enter() error {
	r.names.entering = true
	defer func() { r.names.entering = false }()
	for _, u := range r.s.units {
		if err := r.openUnits(u); err != nil {
			return r.at(u.pos, err)
		}
	}
	made, more, err := r.fold()
	if err != nil {
		return err
	}
	return r.admit(made, more, r.s.begin.time(r.cal).AddDate(-longAgo, 0, 0))
}

// at says where in the script an error comes from.
func (r *runner) at(p pos, err error) error {
	if _, ok := err.(Problems); ok || err == nil {
		return err
	}
	return Problems{{File: r.s.File, Line: p.line, Column: p.column, Message: err.Error()}}
}

func (r *runner) openUnits(u unitLine) error {
	parents, err := r.unitList(u.in)
	if err != nil {
		return err
	}
	facts, err := r.unitFacts(u)
	if err != nil {
		return err
	}
	specs := make([]registry.UnitSpec, u.make)
	numbered := u.make > 1
	for i := range specs {
		specs[i] = registry.UnitSpec{Kind: u.kind.text, Name: u.named.text, Facts: facts}
		if numbered {
			specs[i].Name += " " + strconv.Itoa(i+1)
		}
		if len(parents) > 0 {
			specs[i].In = parents[i%len(parents)]
		}
	}
	ids, err := r.reg.OpenUnits(r.ctx, specs)
	if err != nil {
		return err
	}
	if !r.names.add(group{name: u.named.text, first: int64(ids[0]), n: u.make, unit: true}, numbered) {
		return fault.New(fault.Already, "two lines here name %q", u.named.text)
	}
	return nil
}

func (r *runner) unitFacts(u unitLine) (map[string]int64, error) {
	out := map[string]int64{}
	for _, f := range u.facts {
		v, err := r.factValue(r.book.Fact(rulebook.OfUnit, f.key), f.val, 0, 1)
		if err != nil {
			return nil, err
		}
		out[f.key] = v
	}
	return out, nil
}

func (r *runner) unitList(refs []reference) ([]register.UnitID, error) {
	var out []register.UnitID
	for _, ref := range refs {
		found := r.names.find(ref)
		if len(found) == 0 || found[0].unit == 0 {
			return nil, fault.New(fault.NotFound, "no unit is called %q%s", ref.text, didYouMean(ref.text, r.names.known()))
		}
		for _, t := range found {
			out = append(out, t.unit)
		}
	}
	return out, nil
}

// made is a line of people with the number of its first.
type made struct {
	line  *personLine
	first register.PersonID
	n     int
}

// nth is somebody of whom a line says more: the i-th of so many.
type nth struct {
	line  *personLine
	i, of int
}

// fold numbers the people of the script, and finds what it says more of some
// of them.
func (r *runner) fold() ([]made, map[register.PersonID][]nth, error) {
	var list []made
	more := map[register.PersonID][]nth{}
	next := int64(1)
	for i := range r.s.people {
		p := &r.s.people[i]
		if p.also.text == "" {
			if !r.names.add(group{name: p.named.text, first: next, n: p.make}, p.numbered()) {
				return nil, nil, r.at(p.pos, fault.New(fault.Already, "two lines here name %q", p.named.text))
			}
			list = append(list, made{p, register.PersonID(next), p.make})
			next += int64(p.make)
			continue
		}
		found := r.names.find((&complaints{}).reference(p.also.text, p.also.pos))
		if len(found) == 0 || found[0].person == 0 {
			return nil, nil, r.at(p.also.pos, fault.New(fault.NotFound, "nobody above this line is called %q%s", p.also.text, didYouMean(p.also.text, r.names.known())))
		}
		for k, t := range found {
			more[t.person] = append(more[t.person], nth{p, k, len(found)})
		}
		if p.named.text != "" && (len(found) != 1 || !r.names.rename(found[0].person, p.named.text)) {
			return nil, nil, r.at(p.pos, fault.New(fault.Already, "%q names somebody else already, or more than one", p.named.text))
		}
	}
	r.report.People = int(next - 1)
	return list, more, nil
}

func (p *personLine) numbered() bool { return p.make > 1 }

// admit enters people through the registry, in parts, and gives them their
// offices.
func (r *runner) admit(list []made, more map[register.PersonID][]nth, from time.Time) error {
	var batch []registry.NewPerson
	var posts []registry.Appointment
	total, done := 0, 0
	ready := map[*personLine]*prepared{}
	for _, m := range list {
		total += m.n
	}
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		_, err := r.reg.Enter(r.ctx, batch, "", func(k, _ int) {
			if total > smallBook {
				r.o.Progress("entering people", done+k, total)
			}
		})
		done += len(batch)
		batch = batch[:0]
		return err
	}
	for _, m := range list {
		parts, err := r.prepare(m.line, m.n, from)
		if err != nil {
			return r.at(m.line.pos, err)
		}
		for i := range m.n {
			id := m.first + register.PersonID(i)
			p := registry.NewPerson{Sealed: &chamber.Sealed{Particulars: chamber.Particulars{Name: r.names.person(id)}}, Changes: parts.changes(i)}
			posts = append(posts, parts.appointments(i, id)...)
			for _, l := range more[id] {
				also := ready[l.line]
				if also == nil {
					if also, err = r.prepare(l.line, l.of, from); err != nil {
						return r.at(l.line.pos, err)
					}
					ready[l.line] = also
				}
				p.Changes = append(p.Changes, also.changes(l.i)...)
				posts = append(posts, also.appointments(l.i, id)...)
			}
			batch = append(batch, p)
			if len(batch) == enterBatch {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	if err := flush(); err != nil || len(posts) == 0 {
		return err
	}
	return r.reg.Appoint(r.ctx, posts)
}

// prepared is a line of people worked out, so that each of them is made
// quickly.
type prepared struct {
	r      *runner
	n      int
	from   func(i int) int64
	until  int64
	units  []register.UnitID
	class  []register.Term
	office []post
	fixed  []register.Change // the same for all
	each   []spread
}

// post is an office that everybody of a line holds; free are the units in
// which they do where the line does not say.
type post struct {
	office string
	per    bool
	free   []register.UnitID
}

// spread is a fact whose value is different for each.
type spread struct {
	change register.Change
	from   int64
	to     int64
}

// evenly gives the i-th of n values between two.
func evenly(from, to int64, i, n int) int64 {
	if n < 2 {
		return from
	}
	return from + (to-from)*int64(i)/int64(n-1)
}

// prepare works out a line for n people. since is from when they belong, and
// their facts are known, where the line does not say.
func (r *runner) prepare(p *personLine, n int, since time.Time) (*prepared, error) {
	out := &prepared{r: r, n: n, from: func(int) int64 { return since.Unix() }}
	if p.since != nil {
		a, b := p.since.from.time(r.cal).Unix(), p.since.to.time(r.cal).Unix()
		out.from = func(i int) int64 { return evenly(a, b, i, n) }
	}
	if p.until != nil {
		out.until = p.until.moment(r.cal).End().Unix()
	}
	var err error
	if out.units, err = r.unitList(p.in); err != nil {
		return nil, err
	}
	for _, c := range p.class {
		out.class = append(out.class, r.terms[c.text])
	}
	for _, f := range p.facts {
		if err := r.prepareFact(out, f, since); err != nil {
			return nil, err
		}
	}
	if p.under.text != "" {
		out.fixed = append(out.fixed, register.Change{Aspect: register.Sanction, Name: r.terms[p.under.text], From: r.clock.now().Unix(), Until: out.until})
		out.until = 0
	}
	if err := r.prepareConflicts(out, p); err != nil {
		return nil, err
	}
	for _, h := range p.holds {
		o := r.book.Office(h.text)
		x := post{office: o.Name, per: o.Per != ""}
		if x.per && len(out.units) == 0 {
			if x.free, err = r.freeUnits(o.Per, n); err != nil {
				return nil, err
			}
			out.units = x.free
		}
		out.office = append(out.office, x)
	}
	return out, nil
}

// prepareConflicts adds the conflicts of interest of a line: from now on, as
// they are declared.
func (r *runner) prepareConflicts(out *prepared, p *personLine) error {
	for _, ref := range p.conflicted {
		found := r.names.find(ref)
		if len(found) == 0 || found[0].person == 0 {
			return r.nobody(ref)
		}
		for _, t := range found {
			out.fixed = append(out.fixed, register.Change{Aspect: register.Declared, Name: r.terms["conflict"], Value: int64(t.person), From: r.clock.now().Unix()})
		}
	}
	return nil
}

func (r *runner) prepareFact(out *prepared, f pair, since time.Time) error {
	rule := r.book.Fact(rulebook.OfPerson, f.key)
	a, err := r.factValue(rule, f.val, 0, 2)
	if err != nil {
		return err
	}
	b, err := r.factValue(rule, f.val, 1, 2)
	if err != nil {
		return err
	}
	c := register.Change{Aspect: register.Fact, Name: r.terms[f.key], Value: a, From: since.Unix()}
	if a == b {
		out.fixed = append(out.fixed, c)
		return nil
	}
	out.each = append(out.each, spread{c, a, b})
	return nil
}

// changes are those of the i-th person of the line.
func (p *prepared) changes(i int) []register.Change {
	out := make([]register.Change, 0, len(p.class)+len(p.fixed)+len(p.each))
	for _, c := range p.class {
		x := register.Change{Aspect: register.Belongs, Name: c, From: p.from(i), Until: p.until}
		if len(p.units) > 0 {
			x.Unit = p.units[i%len(p.units)]
		}
		out = append(out, x)
	}
	out = append(out, p.fixed...)
	for _, s := range p.each {
		s.change.Value = evenly(s.from, s.to, i, p.n)
		out = append(out, s.change)
	}
	return out
}

// posts are the offices of the i-th person of the line.
func (p *prepared) appointments(i int, id register.PersonID) []registry.Appointment {
	var out []registry.Appointment
	for _, x := range p.office {
		a := registry.Appointment{Office: x.office, Person: id, How: "brought along at the founding"}
		if !p.r.names.entering {
			a.How = "appointed"
		}
		if x.per {
			a.Unit = p.r.unitFor(x.office, p.units[i%len(p.units)])
		}
		out = append(out, a)
	}
	return out
}

// unitFor gives the unit at or above one in which an office is held.
func (r *runner) unitFor(office string, u register.UnitID) register.UnitID {
	o := r.book.Office(office)
	out := u
	_ = r.ch.Read(r.ctx, func(w *chamber.World) error {
		if up, ok := w.Tree().Up(u, o.Per); ok {
			out = up.ID
		}
		return nil
	})
	return out
}

// freeUnits gives n units of a kind to holders of an office of which there is
// one in each: those there are, in turn; where there are too few, they are
// opened.
func (r *runner) freeUnits(kind string, n int) ([]register.UnitID, error) {
	var have []register.UnitID
	if err := r.ch.Read(r.ctx, func(w *chamber.World) error { have = w.Tree().Kind(kind, 0); return nil }); err != nil {
		return nil, err
	}
	used := r.free[kind]
	var specs []registry.UnitSpec
	for i := len(have); i < used+n; i++ {
		specs = append(specs, registry.UnitSpec{Kind: kind, Name: fmt.Sprintf("%s no. %d", upper(kind), i+1)})
	}
	if len(have)+len(specs) > maxUnits {
		return nil, fault.New(fault.TooMuch, "a rehearsal can have %d units", maxUnits)
	}
	if len(specs) > 0 {
		ids, err := r.reg.OpenUnits(r.ctx, specs)
		if err != nil {
			return nil, err
		}
		for i, id := range ids {
			r.names.add(group{name: specs[i].Name, first: int64(id), n: 1, unit: true}, false)
		}
		have = append(have, ids...)
	}
	r.free[kind] = used + n
	return have[used : used+n], nil
}

// factValue reads a fact as a register keeps it. Of a range, side says which
// end (0 or 1) of how many.
func (r *runner) factValue(f *rulebook.Fact, n *node, side, sides int) (int64, error) {
	if n.form != scalar {
		return 0, fault.New(fault.Invalid, "%s is one value", f.Name)
	}
	text := n.text
	if a, b, ok := strings.Cut(text, ".."); ok && sides == 2 && (f.Is == rulebook.FactDate || f.Is == rulebook.FactNumber) {
		text = []string{strings.TrimSpace(a), strings.TrimSpace(b)}[side]
	}
	switch f.Is {
	case rulebook.FactFlag:
		if text != "true" && text != "false" {
			return 0, fault.New(fault.Invalid, "%s is true or false, not %q", f.Name, text)
		}
		if text == "true" {
			return 1, nil
		}
		return 0, nil
	case rulebook.FactDate:
		c := &complaints{}
		w := c.when(scalarAt{text, n.pos})
		if len(c.list) > 0 {
			return 0, fault.New(fault.Invalid, "%s is a day, not %q", f.Name, text)
		}
		return int64(w.day), nil
	case rulebook.FactWords:
		t, err := r.ch.Vocabulary(r.ctx, []string{text})
		return int64(t[text]), err
	}
	k, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
	if err != nil {
		return 0, fault.New(fault.Invalid, "%s is a number, not %q", f.Name, text)
	}
	return k, nil
}

func upper(s string) string {
	s = spaced(s)
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func spaced(s string) string { return strings.ReplaceAll(s, "_", " ") }
