package rulebook

// gateContext is where a threshold stands: what it can name, and what it
// counts where it does not say.
type gateContext struct {
	place place
	gate  bool // support is gathered: `from` is wanted, a share needs a rounding
	pick  bool // about candidates: `where` speaks of candidate
}

// thresholds reads a list of them.
func (d *decoder) thresholds(n *node, in gateContext) []*Threshold {
	var out []*Threshold
	for _, i := range n.list() {
		if t := d.threshold(i, in); t != nil {
			out = append(out, t)
		}
	}
	return out
}

// threshold reads one threshold, or several combined by all or any.
func (d *decoder) threshold(n *node, in gateContext) *Threshold {
	if n == nil || !d.keys(n, fThreshold, "a threshold") {
		return nil
	}
	out := &Threshold{Pos: n.pos, Cite: d.cite(n)}
	all, anyOf := n.get("all"), n.get("any")
	if all != nil || anyOf != nil {
		if len(n.pairs) > 1 {
			d.c.err("unknown-key", n.pos, "Put the rest inside.", "`all` or `any` stands alone")
		}
		out.All, out.Any = d.thresholds(all, in), d.thresholds(anyOf, in)
		if len(out.All)+len(out.Any) == 0 {
			d.c.err("amount", n.pos, "", "there is nothing in this `all` or `any`")
			return nil
		}
		return out
	}
	if out.From = d.who(n.get("from"), "from"); in.gate {
		d.unitsSpeak(out.From)
	}
	d.counted(n, out, in)
	d.amount(n, out, in)
	d.narrowed(n, out, in)
	if out.Amount == nil {
		return nil
	}
	return out
}

// unitsSpeak refuses support of units that could never give it.
func (d *decoder) unitsSpeak(w *Who) {
	if w == nil {
		return
	}
	for _, a := range append([]Who{*w}, w.Any...) {
		if a.Kind == WhoUnit {
			d.speaks(a.Name, a.Pos)
		}
	}
}

func (d *decoder) counted(n *node, out *Threshold, in gateContext) {
	if c := n.get("count"); c != nil {
		out.Count = d.word(c, "count", "for", "against", "papers", "present", "marks", "picked")
	}
	if in.gate && out.From == nil && n.get("from") == nil {
		d.c.err("missing", n.pos, "Say whose support, as in `from: member`.", "a gate needs `from`")
	}
}

func (d *decoder) amount(n *node, out *Threshold, in gateContext) {
	var at *node
	for _, cmp := range []Cmp{AtLeast, MoreThan, AtMost} {
		if a := n.get(string(cmp)); a != nil {
			if at != nil {
				d.c.err("amount", a.pos, "Use `all` for two of them.", "a threshold has one amount")
				continue
			}
			at, out.Cmp = a, cmp
		}
	}
	if at == nil {
		d.c.err("amount", n.pos, "Add `at_least`, `more_than` or `at_most`.", "a threshold needs an amount: how much?")
		return
	}
	out.Amount = d.expr(at, string(out.Cmp), in.place, kShare, kNumber)
	if out.Amount == nil {
		return
	}
	out.Share = out.Amount.typ.k == kShare
	of := n.get("of")
	if of != nil {
		out.Of = d.choice(of, "of", denominators())
	}
	switch {
	case out.Share && of == nil:
		d.c.err("denominator", at.pos, "Add `of`: entitled, present, papers, cast, seats or picked.", "%s of what?", at.text)
	case !out.Share && of != nil:
		d.c.err("denominator", of.pos, "Write a share, as 1/3 or 10%, or leave `of` out.", "%s is a number, and a number is not `of` anything", at.text)
	}
	out.Round = d.word(n.get("round"), "round", "up", "down", "nearest")
	if in.gate && out.Share && out.Round == "" && out.Cmp != MoreThan {
		d.c.err("rounding", at.pos, "Add `round: up` (or down, or nearest).", "%s can fall between two numbers", at.text)
	}
	d.sensible(at, out)
}

// denominators are what a share can be of.
func denominators() []string {
	return []string{"entitled", "present", "papers", "cast", "seats", "picked"}
}

// sensible refuses an amount that can never be, or is always, reached.
func (d *decoder) sensible(at *node, t *Threshold) {
	v, ok := t.Amount.Literal()
	if !ok || v.Number == nil {
		return
	}
	switch sign := v.Number.Sign(); {
	case sign < 0:
		d.c.err("amount", at.pos, "Write it without a minus.", "`%s` is less than nothing", at.text)
		return
	case sign == 0 && t.Cmp == AtLeast:
		d.c.err("amount", at.pos, "Ask for 1, or leave the threshold out.", "at least %s is always reached", at.text)
		return
	case !t.Share:
		return
	}
	one := v.Number.Cmp(num{i: 1}.rat())
	if one > 0 || one == 0 && t.Cmp == MoreThan {
		d.c.err("impossible", at.pos, "", "nobody can reach %s %s", plainCmp(t.Cmp), at.text)
	}
}

func plainCmp(c Cmp) string {
	switch c {
	case MoreThan:
		return "more than"
	case AtMost:
		return "at most"
	}
	return "at least"
}

func (d *decoder) narrowed(n *node, out *Threshold, in gateContext) {
	vars := d.inQuestion(out.From)
	if in.pick {
		vars["candidate"] = typ{k: kPerson}
	}
	inner := in.place.with(vars)
	out.Where = d.expr(n.get("where"), "where", inner, kFlag)
	out.Weigh = d.expr(n.get("weigh"), "weigh", inner, kNumber)
	out.When = d.expr(n.get("when"), "when", in.place, kFlag)
	out.Distinct = d.ref(n.get("distinct"), "distinct", aUnit)
	if out.Distinct != "" && out.Weigh != nil {
		d.c.err("unknown-key", n.pos, "Keep one of the two.", "a threshold counts units (`distinct`) or adds up a number (`weigh`)")
	}
}
