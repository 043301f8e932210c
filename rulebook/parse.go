package rulebook

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// Parse reads and checks a rulebook. The error is a Problems with everything
// that is wrong, and nil where there are at most warnings: see Check for
// those.
func Parse(src []byte) (*Book, error) {
	b, ps := Check(src)
	if errs := ps.Errors(); len(errs) > 0 {
		return nil, errs
	}
	return b, nil
}

// Check reads a rulebook and gives everything that there is to say about it,
// warnings too. The book is nil where there are errors.
func Check(src []byte) (*Book, Problems) { return check(src, nil) }

// check reads a rulebook, or a local one inside an outer book.
func check(src []byte, outer *Book) (*Book, Problems) {
	c := &complaints{}
	root := readTree(src, c)
	if root == nil {
		return nil, c.sorted()
	}
	sum := sha256.Sum256(src)
	b := &Book{Source: slices.Clone(src), Hash: hex.EncodeToString(sum[:])}
	d := newDecoder(newSymbols(), b, c)
	switch {
	case outer != nil:
		if !d.inherit(root, outer) {
			return nil, c.sorted()
		}
	case root.get("within") != nil:
		c.err("local", root.get("within").pos, "Check it together with the rulebook it is within.", "this is a local rulebook")
		return nil, c.sorted()
	case !d.keys(root, fBook, "a rulebook"):
		return nil, c.sorted()
	}
	collect(root, d.sy, c)
	d.base = place{vars: d.sy.variables(), choices: d.sy.choices}
	d.head(root)
	d.definitions(root)
	d.procedures(root.get("procedures"))
	d.powers(root.get("powers"))
	d.slots(root.get("slots"))
	d.local(root.get("local"))
	d.settings(root.get("set"))
	d.checks(root)
	ps := c.sorted()
	if len(ps.Errors()) > 0 {
		return nil, ps
	}
	return b, ps
}

func (d *decoder) powers(n *node) {
	for _, i := range n.list() {
		if !d.keys(i, fPower, "a power") {
			continue
		}
		p := Power{Pos: i.pos, Cite: d.cite(i), Together: d.yesNo(i.get("together"), false)}
		for _, w := range i.get("who").list() {
			if a := d.who(w, "who"); a != nil {
				p.Who = append(p.Who, *a)
				if a.Kind == WhoClass || a.Kind == WhoElectorate {
					d.c.err("as-one", a.Pos, "Name an office or a body.", "%s cannot act as one", a.Name)
				}
			}
		}
		for _, m := range i.get("may").list() {
			if w := d.word(m, "may", "set", "set_aside", "stay", "resume", "stop", "extend", "close"); w != "" {
				p.May = append(p.May, w)
			}
		}
		p.Limit = d.expr(i.get("limit"), "limit", d.base, kSpan)
		if slices.Contains(p.May, "extend") && p.Limit == nil && i.get("limit") == nil {
			d.c.err("missing", i.pos, "Add `limit: 14 days`, or another length.", "a power to extend needs a `limit`")
		}
		d.b.Powers = append(d.b.Powers, p)
	}
}

// localParts are what a unit's own rulebook can be given.
func localParts() []string {
	return []string{"facts", "classes", "units", "offices", "bodies", "electorates", "slots", "events", "sanctions", "powers", "procedures"}
}

func (d *decoder) local(n *node) {
	for _, p := range n.all() {
		l := LocalPart{Kind: d.ref(&node{text: p.key, pos: p.pos}, "local", aUnit)}
		for _, i := range p.val.list() {
			if w := d.word(i, "local", localParts()...); w != "" {
				l.Parts = append(l.Parts, w)
			}
		}
		d.b.Local = append(d.b.Local, l)
	}
}
