package rulebook

import (
	"math/big"
	"slices"
	"strings"
	"time"
)

// head reads what stands at the top of a book: title, edition, zone,
// holidays, clauses, origin.
func (d *decoder) head(root *node) {
	d.b.Title = d.str(root.get("rulebook"), "the title")
	if n := root.get("edition"); n != nil {
		day, ok := parseDay(d.str(n, "`edition`"))
		if !ok {
			d.c.err("type", n.pos, "Write it as 2026-01-10.", "`edition` is the day of adoption; %s is no day", n)
		}
		d.b.Edition = day
	}
	if d.outer == nil {
		d.b.Zone = time.UTC
		if n := root.get("zone"); n != nil {
			d.b.Zone = d.zone(n)
		}
		d.holidays(root.get("holidays"))
	}
	d.sy.cal = d.b.Calendar()
	for _, p := range root.get("clauses").all() {
		d.b.Clauses = append(d.b.Clauses, Clause{Number: p.key, Text: d.str(p.val, "the text of a clause")})
	}
	if n := root.get("based_on"); n != nil && d.keys(n, fOrigin, "`based_on`") {
		d.b.BasedOn = Origin{Title: d.str(n.get("title"), "`title`"), Edition: d.str(n.get("edition"), "`edition`"), Hash: d.str(n.get("hash"), "`hash`")}
	}
}

func (d *decoder) zone(n *node) *time.Location {
	name := d.str(n, "`zone`")
	z, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		d.c.err("word", n.pos, "Write it as in Europe/London or America/Toronto.", "there is no time zone called %q", name)
		return time.UTC
	}
	return z
}

func (d *decoder) holidays(n *node) {
	if n == nil {
		return
	}
	if n.form == scalar {
		if _, isDay := parseDay(n.text); !isDay {
			d.b.Holidays.Name = d.word(n, "holidays", shippedHolidays()...)
			return
		}
	}
	for _, i := range n.list() {
		day, ok := parseDay(d.str(i, "a holiday"))
		if !ok {
			d.c.err("type", i.pos, "Write it as 2026-12-25.", "%s is no day", i)
			continue
		}
		d.b.Holidays.Days = append(d.b.Holidays.Days, day)
	}
	slices.Sort(d.b.Holidays.Days)
}

func (d *decoder) facts(n *node) {
	if n == nil || !d.keys(n, fFacts, "`facts`") {
		return
	}
	for _, of := range []FactOf{OfPerson, OfUnit, OfText} {
		for _, p := range n.get(string(of)).all() {
			f := Fact{Of: of, Named: Named{Name: p.key, Pos: p.pos}}
			is := p.val
			if p.val.form == mapping {
				d.keys(p.val, fFact, "the fact `"+p.key+"`")
				f.Named = d.named(p.key, p.pos, p.val, d.base)
				f.KeptBy = d.ref(p.val.get("kept_by"), "kept_by", anOffice)
				is = p.val.get("is")
			}
			f.Is = FactType(d.word(is, "is", string(FactFlag), string(FactNumber), string(FactDate), string(FactWords)))
			d.b.Facts = append(d.b.Facts, f)
		}
	}
}

// each runs over the definitions of a part of the book; those written as a
// sentence alone come with a nil node.
func (d *decoder) each(n *node, form string, read func(p pair, def *node)) {
	if n == nil {
		return
	}
	if n.form != mapping {
		if !n.empty() {
			d.c.err("type", n.pos, "Write each as `name: …`.", "names and what they mean are wanted here; this is %s", n)
		}
		return
	}
	for _, p := range n.pairs {
		if p.val.form != mapping {
			must := ""
			for _, k := range d.forms[form].keys {
				if k.must {
					must = k.name
				}
			}
			if must != "" || p.val.form == sequence {
				d.keys(p.val, form, "`"+p.key+"`")
				continue
			}
			read(p, nil)
			continue
		}
		d.keys(p.val, form, "the "+form+" `"+p.key+"`")
		read(p, p.val)
	}
}

func (d *decoder) definitions(root *node) {
	d.facts(root.get("facts"))
	d.each(root.get("classes"), fClass, func(p pair, _ *node) {
		d.b.Classes = append(d.b.Classes, Class{d.named(p.key, p.pos, p.val, d.base)})
	})
	d.units(root.get("units"))
	d.offices(root.get("offices"))
	d.bodies(root.get("bodies"))
	d.each(root.get("electorates"), fElectorate, d.electorate)
	d.each(root.get("events"), fEvent, func(p pair, n *node) {
		e := Event{Named: d.named(p.key, p.pos, p.val, d.base)}
		if w := d.actor(n.get("declared_by"), "declared_by", ""); w != nil {
			e.DeclaredBy = *w
		}
		d.b.Events = append(d.b.Events, e)
	})
	d.each(root.get("sanctions"), fSanction, func(p pair, n *node) {
		s := Sanction{Named: d.named(p.key, p.pos, p.val, d.base)}
		for _, r := range n.get("removes").list() {
			if w := d.word(r, "removes", "vote", "stand", "attend", "belong"); w != "" {
				s.Removes = append(s.Removes, w)
			}
		}
		d.b.Sanctions = append(d.b.Sanctions, s)
	})
	for _, n := range root.get("precedence").list() {
		d.b.Precedence = append(d.b.Precedence, d.str(n, "a kind of decision"))
	}
}

// units reads the kinds first and then how they decide, since a unit may
// speak through one that is defined after it.
func (d *decoder) units(n *node) {
	d.each(n, fUnit, func(p pair, def *node) {
		d.b.Units = append(d.b.Units, UnitKind{Named: d.named(p.key, p.pos, p.val, d.base), In: d.ref(def.get("in"), "in", aUnit)})
	})
	d.each2(n, func(p pair) {
		if u := d.b.UnitKind(p.key); u != nil && p.val.get("decides") != nil {
			u.Decides = d.decides(p.val.get("decides"), "the unit `"+p.key+"`", true)
		}
	})
	for i, u := range d.b.Units {
		seen := map[string]bool{}
		for k := u.In; k != ""; {
			if seen[k] || k == u.Name {
				d.c.err("word", u.Pos, "", "`%s` lies inside itself", u.Name)
				d.b.Units[i].In = ""
				break
			}
			seen[k] = true
			next := d.b.UnitKind(k)
			if next == nil {
				break
			}
			k = next.In
		}
	}
}

// each2 runs over a part a second time, without its complaints.
func (d *decoder) each2(n *node, read func(p pair)) {
	for _, p := range n.all() {
		if p.val.form == mapping {
			read(p)
		}
	}
}

func (d *decoder) decides(n *node, whose string, unit bool) *Decides {
	if !d.keys(n, fDecides, "how "+whose+" decides") {
		return nil
	}
	out := &Decides{}
	if by := n.get("by"); by != nil {
		out.By = d.ref(by, "by", anOffice)
		for _, k := range []string{"ballot", "how", "quorum", "passes"} {
			if x := n.get(k); x != nil {
				d.c.err("unknown-key", x.pos, "Keep `by`, or the ballot.", "what an office reports has no `%s`", k)
			}
		}
		return out
	}
	for _, k := range []string{"how", "passes", "ballot"} {
		if n.get(k) == nil && (k != "ballot" || unit) {
			d.c.err("missing", n.pos, "Add `"+k+"`, or say `by` whom it is reported.", "how %s decides needs `%s`", whose, k)
		}
	}
	if b := n.get("ballot"); b != nil && !unit {
		d.c.err("unknown-key", b.pos, "Leave it out: its members vote.", "a body's `decides` has no `ballot`")
	} else {
		out.Ballot = d.who(b, "ballot")
	}
	out.How = d.choice(n.get("how"), "how", waysOfVoting())
	out.Quorum = d.threshold(n.get("quorum"), gateContext{place: d.runPlace(nil)})
	out.Passes = d.threshold(n.get("passes"), gateContext{place: d.runPlace(nil)})
	return out
}

// waysOfVoting are the values of how.
func waysOfVoting() []string { return []string{"sealed", "box", "recorded", "counted", "judged"} }

func (d *decoder) offices(n *node) {
	d.each(n, fOffice, func(p pair, def *node) {
		o := Office{Named: d.named(p.key, p.pos, p.val, d.base), Per: d.perUnit(def)}
		in := map[string]typ{"at": {k: kMoment}}
		if o.Per != "" {
			in["unit"] = typ{k: kUnit}
		}
		o.Seats = d.seatsWritten(def.get("seats"), d.base.with(in))
		o.From = d.who(def.get("from"), "from")
		o.Term = d.expr(def.get("term"), "term", d.base, kSpan)
		d.b.Offices = append(d.b.Offices, o)
	})
}

// seatsWritten reads how many there are to fill: at least one, where it is written
// out.
func (d *decoder) seatsWritten(n *node, in place) *Expr {
	out := d.expr(n, "seats", in, kNumber)
	if v, ok := out.Literal(); ok && v.Number != nil && (v.Number.Sign() <= 0 || !v.Number.IsInt()) {
		d.c.err("seats", n.pos, "Write a whole number from 1, or leave it out where there is one place.", "there cannot be %s places", n.text)
	}
	return out
}

// perUnit reads `per`; what a local book defines belongs to its unit.
func (d *decoder) perUnit(def *node) string {
	if per := def.get("per"); per != nil || d.outer == nil {
		return d.ref(per, "per", aUnit)
	}
	return d.b.Unit.Kind
}

func (d *decoder) bodies(n *node) {
	d.each(n, fBody, func(p pair, def *node) {
		x := Body{Named: d.named(p.key, p.pos, p.val, d.base), Per: d.perUnit(def)}
		in := map[string]typ{"person": {k: kPerson}}
		if x.Per != "" {
			in["unit"] = typ{k: kUnit}
		}
		x.When = d.expr(def.get("when"), "when", d.base.with(in), kFlag)
		x.Offices = officesOf(x.When)
		x.Drawn = d.yesNo(def.get("drawn"), false)
		x.Outside = d.ref(def.get("outside"), "outside", anOffice)
		ways := 0
		for _, set := range []bool{def.get("when") != nil, x.Drawn, def.get("outside") != nil} {
			if set {
				ways++
			}
		}
		if ways != 1 {
			d.c.err("missing", p.pos, "Say `when: person.holds(…)`, `drawn: true`, or `outside: OFFICE`.", "the body `%s` needs one way of saying who sits in it; it has %d", p.key, ways)
		}
		if dn := def.get("decides"); dn != nil {
			x.Decides = d.decides(dn, "the body `"+p.key+"`", false)
		}
		d.b.Bodies = append(d.b.Bodies, x)
	})
}

// officesOf gives the offices of a body whose condition says no more than
// that a person holds one of them, and nil for any other.
func officesOf(when *Expr) []string {
	if when == nil {
		return nil
	}
	var out []string
	for _, part := range strings.Split(when.src, "||") {
		part = strings.TrimSpace(part)
		name, ok := strings.CutPrefix(part, "person.holds(")
		name, closed := strings.CutSuffix(name, ")")
		if !ok || !closed || !isName(strings.TrimSpace(name)) {
			return nil
		}
		out = append(out, strings.TrimSpace(name))
	}
	return out
}

func (d *decoder) electorate(p pair, n *node) {
	e := Electorate{Named: d.named(p.key, p.pos, p.val, d.base)}
	if per := n.get("one_vote_per"); per != nil && per.text != "person" {
		e.OneVotePer = d.ref(per, "one_vote_per", aUnit)
	}
	conds, sections := n.get("conditions"), n.get("sections")
	if (conds == nil) == (sections == nil) {
		d.c.err("missing", p.pos, "Give it `conditions`, or `sections`.", "the electorate `%s` needs conditions or sections, one of the two", p.key)
	}
	ids := map[string]bool{}
	for _, c := range conds.list() {
		cond, ok := d.condition(c, p.key)
		if ok && ids[cond.ID] {
			d.c.err("twice", c.pos, "", "`%s` has two conditions called `%s`", p.key, cond.ID)
		}
		ids[cond.ID] = true
		if ok {
			e.Conditions = append(e.Conditions, cond)
		}
	}
	for _, s := range sections.list() {
		if sec, ok := d.section(s); ok {
			e.Sections = append(e.Sections, sec)
		}
	}
	d.weights(e, sections)
	d.b.Electorates = append(d.b.Electorates, e)
}

func (d *decoder) condition(n *node, whose string) (Condition, bool) {
	if !d.keys(n, fCondition, "a condition of `"+whose+"`") {
		return Condition{}, false
	}
	in := d.runPlace(nil).with(map[string]typ{"person": {k: kPerson}})
	out := Condition{ID: d.str(n.get("id"), "`id`"), Pos: n.pos, Cite: d.cite(n)}
	if out.ID != "" && !isName(out.ID) {
		d.c.err("name", n.get("id").pos, "Write small letters, digits and `_`.", "`%s` cannot be a name", out.ID)
	}
	out.When = d.expr(n.get("when"), "when", in, kFlag)
	out.Says = d.sentence(n.get("says"), in)
	out.Remedy = d.sentence(n.get("remedy"), in)
	return out, out.When != nil
}

func (d *decoder) section(n *node) (Section, bool) {
	if !d.keys(n, fSection, "a section") {
		return Section{}, false
	}
	out := Section{Named: d.named(d.str(n.get("section"), "`section`"), n.pos, n, d.base)}
	if of := d.who(n.get("of"), "of"); of != nil {
		out.Of = *of
	}
	if w := n.get("weight"); w != nil {
		text := strings.TrimSpace(w.text)
		r, ok := parseShare(text)
		if !ok {
			r, ok = parseDecimal(text)
		}
		if !ok || r.Sign() <= 0 {
			d.c.err("type", w.pos, "Write 40, 12.5 or 1/3.", "a weight is a number above nought; this is %s", w)
			r = big.NewRat(1, 1)
		}
		out.Weight = r.RatString()
	}
	out.Value = d.expr(n.get("value"), "value", d.runPlace(nil).with(d.inQuestion(&out.Of)), kNumber)
	out.Split = d.yesNo(n.get("split"), false)
	out.Declare = d.str(n.get("declare"), "`declare`")
	return out, true
}

// inQuestion gives the variables by which an expression speaks of who is
// counted: person, unit, or both for an office or body of a unit.
func (d *decoder) inQuestion(w *Who) map[string]typ {
	out := map[string]typ{}
	if w == nil {
		return out
	}
	for _, p := range append([]Who{*w}, w.Any...) {
		switch p.Kind {
		case WhoUnit:
			out["unit"] = typ{k: kUnit}
		case WhoOffice, WhoBody:
			out["person"] = typ{k: kPerson}
			if d.sy.per[p.Name] != "" {
				out["unit"] = typ{k: kUnit}
			}
		case WhoAny, WhoSlot:
		default:
			out["person"] = typ{k: kPerson}
		}
	}
	return out
}

// maxSections bounds the sections of a college: a voter's sections are kept
// as bits.
const maxSections = 16

// weights checks that the sections of a college make a whole: 100, or 1.
func (d *decoder) weights(e Electorate, n *node) {
	if len(e.Sections) == 0 {
		return
	}
	if len(e.Sections) > maxSections {
		d.c.err("size", n.pos, "", "an electorate has at most %d sections", maxSections)
	}
	sum := new(big.Rat)
	for _, s := range e.Sections {
		if r, ok := new(big.Rat).SetString(s.Weight); ok {
			sum.Add(sum, r)
		}
	}
	if s := sum.RatString(); s != "100" && s != "1" {
		d.c.err("weights", n.pos, "Let them add up to 100, or to 1.", "the weights of `%s` add up to %s", e.Name, s)
	}
}
