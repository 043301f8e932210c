package rulebook

import "slices"

// CheckLocal reads the rulebook of a unit of b. The book that it gives holds
// the definitions of b too, its own last, and is nil where there are errors.
func (b *Book) CheckLocal(src []byte) (*Book, Problems) { return check(src, b) }

// ParseLocal reads the rulebook of a unit of b; the error is a Problems.
func (b *Book) ParseLocal(src []byte) (*Book, error) {
	l, ps := b.CheckLocal(src)
	if errs := ps.Errors(); len(errs) > 0 {
		return nil, errs
	}
	return l, nil
}

// inherit enters the names and definitions of the outer book, and checks what
// stands at the top of the local one.
func (d *decoder) inherit(root *node, outer *Book) bool {
	if !d.keys(root, fLocal, "a local rulebook") {
		return false
	}
	quiet := &complaints{}
	tree := readTree(outer.Source, quiet)
	if tree == nil {
		d.c.err("local", root.pos, "", "the outer rulebook cannot be read")
		return false
	}
	collect(tree, d.sy, quiet)
	names := map[string]bool{}
	for n, e := range d.sy.names {
		e.outer = true
		d.sy.names[n] = e
		names[n] = true
	}
	source, hash := d.b.Source, d.b.Hash
	*d.b = Book{outer: names, outerPowers: len(outer.Powers), outerClauses: len(outer.Clauses), Source: source, Hash: hash, Zone: outer.Zone, Holidays: outer.Holidays,
		Clauses: slices.Clone(outer.Clauses), Facts: slices.Clone(outer.Facts), Classes: slices.Clone(outer.Classes),
		Units: slices.Clone(outer.Units), Offices: slices.Clone(outer.Offices), Bodies: slices.Clone(outer.Bodies),
		Electorates: slices.Clone(outer.Electorates), Slots: slices.Clone(outer.Slots), Events: slices.Clone(outer.Events),
		Sanctions: slices.Clone(outer.Sanctions), Precedence: slices.Clone(outer.Precedence), Powers: slices.Clone(outer.Powers),
		Procedures: slices.Clone(outer.Procedures)}
	d.outer = outer
	d.sy.cal = outer.Calendar()
	d.b.Within = d.str(root.get("within"), "`within`")
	return d.ownUnit(root.get("unit")) && d.leftTo(root)
}

func (d *decoder) ownUnit(n *node) bool {
	pairs := n.all()
	if len(pairs) != 1 {
		d.c.err("type", n.where(), "Write it as `unit: {group: Derby}`.", "`unit` names one unit by its kind and name")
		return false
	}
	p := pairs[0]
	d.b.Unit = LocalUnit{Kind: d.ref(&node{text: p.key, pos: p.pos}, "unit", aUnit), Name: d.str(p.val, "the unit's name")}
	return d.b.Unit.Kind != ""
}

// leftTo checks that the local book adds only what the outer one leaves to
// units of its kind.
func (d *decoder) leftTo(root *node) bool {
	kind := d.b.Unit.Kind
	var parts []string
	for _, l := range d.outer.Local {
		if l.Kind == kind {
			parts = append(parts, l.Parts...)
		}
	}
	for _, p := range root.pairs {
		if slices.Contains(localParts(), p.key) && !slices.Contains(parts, p.key) {
			d.c.err("local", p.pos, "It is for the outer rulebook.", "a %s's own rulebook cannot add %s", kind, p.key)
		}
	}
	return true
}

// settings reads the slots that a unit sets for itself.
func (d *decoder) settings(n *node) {
	for _, p := range n.all() {
		s := d.b.Slot(p.key)
		if s == nil || !d.sy.is(p.key, aSlot) {
			d.dead(p.pos, p.key, d.sy.known(aSlot))
			continue
		}
		if s.SetBy.Kind != WhoUnit || s.SetBy.Name != d.b.Unit.Kind || !d.sy.names[p.key].outer {
			d.c.err("local", p.pos, "It is set by "+s.SetBy.text()+".", "`%s` is not left to a %s", p.key, d.b.Unit.Kind)
			continue
		}
		v := d.setting(s, p.val)
		if v == nil {
			continue
		}
		if !d.allows(s, v) {
			d.c.err("bounds", p.val.pos, "It allows: "+s.Allow.src+".", "%s is outside the bounds of `%s`", p.val.text, p.key)
		}
		d.b.Set = append(d.b.Set, Setting{Slot: p.key, Value: v, Pos: p.pos})
	}
}

func (d *decoder) setting(s *Slot, n *node) *Expr {
	if s.Is == SlotChoices {
		return d.choice(n, s.Name, s.Choices)
	}
	return d.expr(n, s.Name, d.base, slotKind(s.Is))
}

// ownEffect refuses an effect of a local book on what belongs to the outer
// one.
func (d *decoder) ownEffect(e Effect, target *node) {
	if d.outer == nil || e.Target == "" || e.Do == DoStart || e.Do == DoAdopt || e.Do == DoGo || e.Do == DoEnd {
		return
	}
	if entry, ok := d.sy.names[e.Target]; ok && entry.outer {
		d.c.err("outer-effect", target.pos, "Name one that this rulebook defines.", "`%s` belongs to the outer rulebook; a local one cannot %s it", e.Target, e.Do)
	}
}

// OuterOf tells whether a source is a local rulebook, and what it says that
// it is within.
func OuterOf(src []byte) (outer string, local bool) {
	root := readTree(src, &complaints{})
	n := root.get("within")
	if n == nil {
		return "", false
	}
	return n.text, true
}
