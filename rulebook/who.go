package rulebook

import (
	"slices"
	"strings"
)

// who reads a WHO: a name or list of class, office, body, electorate or kind
// of unit; a slot whose choices are such; or a person that the run was given.
func (d *decoder) who(n *node, key string) *Who {
	if n == nil || n.empty() {
		return nil
	}
	if n.form == sequence {
		out := &Who{Kind: WhoAny, Pos: n.pos}
		for _, i := range n.items {
			if w := d.whoName(i, key); w != nil {
				out.Any = append(out.Any, *w)
			}
		}
		return out
	}
	return d.whoName(n, key)
}

func (d *decoder) whoName(n *node, key string) *Who {
	name := d.str(n, "`"+key+"`")
	if name == "" {
		return nil
	}
	if w := d.taken(name, n.pos); w != nil {
		return w
	}
	if e, ok := d.sy.names[name]; ok {
		d.use(name)
		if kind, ok := whoKind(e.sort); ok {
			return &Who{Kind: kind, Name: name, Pos: n.pos}
		}
		if e.sort == aSlot {
			return d.whoSlot(name, n.pos, key)
		}
		d.c.err("dead", n.pos, "Name a class, office, body, electorate or kind of unit.", "`%s` names people; `%s` is %s", key, name, e.sort.article())
		return nil
	}
	d.dead(n.pos, name, append(d.sy.known(aClass, anOffice, aBody, anElect, aUnit), d.takenPeople()...))
	return nil
}

func whoKind(s sortOf) (WhoKind, bool) {
	switch s {
	case aClass:
		return WhoClass, true
	case anOffice:
		return WhoOffice, true
	case aBody:
		return WhoBody, true
	case anElect:
		return WhoElectorate, true
	case aUnit:
		return WhoUnit, true
	}
	return "", false
}

// taken reads a person that the run was given: subject, decision.subject.
func (d *decoder) taken(name string, pos Pos) *Who {
	if !slices.Contains(d.takenPeople(), name) {
		return nil
	}
	return &Who{Kind: WhoPerson, Name: name, Pos: pos}
}

func (d *decoder) takenPeople() []string {
	var out []string
	p := d.sy.procs[d.proc]
	if p == nil {
		return nil
	}
	for _, t := range p.takes {
		switch tt := takeType(t); tt.k {
		case kPerson:
			out = append(out, t.Name)
		case kRun:
			if q := d.sy.procs[t.Of]; q != nil {
				for _, u := range q.takes {
					if takeType(u).k == kPerson {
						out = append(out, t.Name+"."+u.Name)
					}
				}
			}
		}
	}
	return out
}

// whoSlot resolves a slot whose choices name people: which of them it is, a
// decision says.
func (d *decoder) whoSlot(name string, pos Pos, key string) *Who {
	out := &Who{Kind: WhoSlot, Name: name, Pos: pos}
	for _, ch := range d.sy.choices[name] {
		e := d.sy.names[ch]
		kind, ok := whoKind(e.sort)
		if !ok {
			d.c.err("dead", pos, "Its choices have to be classes, offices, bodies, electorates or kinds of unit.", "`%s` names people; the slot `%s` can be `%s`, which does not", key, name, ch)
			return nil
		}
		d.used[ch] = true
		out.Any = append(out.Any, Who{Kind: kind, Name: ch, Pos: pos})
	}
	if len(out.Any) == 0 {
		d.c.err("dead", pos, "", "`%s` names people; the slot `%s` does not", key, name)
		return nil
	}
	return out
}

// actor reads an ACTOR: somebody who acts as one. A class or an electorate
// cannot; an office that there is one of in every unit can only where the
// unit is known.
func (d *decoder) actor(n *node, key, in string) *Who {
	w := d.who(n, key)
	if w == nil {
		return nil
	}
	parts := []Who{*w}
	if w.Kind == WhoAny || w.Kind == WhoSlot {
		parts = w.Any
	}
	for _, p := range parts {
		switch p.Kind {
		case WhoClass, WhoElectorate:
			d.c.err("as-one", p.Pos, "Say how many, as in `backed: {from: "+p.Name+", at_least: 3}`.", "`%s` cannot act as one", p.Name)
			return nil
		case WhoOffice, WhoBody:
			d.which(p, in)
		case WhoUnit:
			d.speaks(p.Name, p.Pos)
		}
		if p.Kind == WhoBody {
			d.speaks(p.Name, p.Pos)
		}
	}
	return w
}

// which refuses an office or body of a unit where the run belongs to none
// from which it can be told.
func (d *decoder) which(w Who, in string) {
	per := d.sy.per[w.Name]
	if per == "" || in != "" && d.inside(in, per) {
		return
	}
	d.c.err("which", w.Pos, "Let the procedure run `in: "+per+"`.", "there is one `%s` in every %s; which one acts?", w.Name, per)
}

// inside tells whether a unit of the kind in lies in one of the kind per, or
// is one.
func (d *decoder) inside(in, per string) bool {
	for range len(d.sy.names) {
		if in == per {
			return true
		}
		u := d.b.UnitKind(in)
		if u == nil || u.In == "" {
			return false
		}
		in = u.In
	}
	return false
}

// speaks refuses a body or unit that does not say how it decides.
func (d *decoder) speaks(name string, pos Pos) {
	says := false
	if b := d.b.Body(name); b != nil {
		says = b.Decides != nil || b.Outside != ""
	}
	if u := d.b.UnitKind(name); u != nil {
		says = u.Decides != nil
	}
	switch {
	case says:
	case d.sy.is(name, aBody):
		d.c.err("decides", pos, "Add `decides: {how: …, passes: …}` to it.", "`%s` does not say how it decides", name)
	case d.sy.is(name, aUnit):
		d.c.err("decides", pos, "Add `decides: {by: OFFICE}` to it, the office that reports it, or `decides: {ballot: …, how: …, passes: …}`.", "`%s` does not say how it decides", name)
	}
}

// text gives a Who in words, for messages and explanations.
func (w Who) text() string {
	if w.Kind != WhoAny {
		return w.Name
	}
	var names []string
	for _, a := range w.Any {
		names = append(names, a.Name)
	}
	return strings.Join(names, ", ")
}
