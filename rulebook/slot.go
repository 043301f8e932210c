package rulebook

// slots reads the slots, last of all: what their expressions can name depends
// on the procedures that use them.
func (d *decoder) slots(n *node) {
	d.each(n, fSlot, func(p pair, def *node) {
		in := d.slotPlace(p.key)
		s := Slot{Named: d.named(p.key, p.pos, p.val, in)}
		s.Is = SlotChoices
		if is := def.get("is"); is != nil {
			s.Is = SlotType(d.word(is, "is", "date", "span", "share", "number", "money", "words"))
			if def.get("choices") != nil {
				d.c.err("unknown-key", def.get("choices").pos, "Keep one of the two.", "a slot has `is` or `choices`")
			}
		} else if s.Choices = d.texts(def.get("choices"), "a choice"); len(s.Choices) == 0 {
			d.c.err("missing", p.pos, "Say `is: date` or another type, or list its `choices`.", "the slot `%s` does not say what it is", p.key)
		}
		s.Standing = d.yesNo(def.get("standing"), false)
		if w := d.slotActor(p.key, def.get("set_by"), s.Standing); w != nil {
			s.SetBy = *w
		}
		kind := slotKind(s.Is)
		s.By = d.expr(def.get("by"), "by", in, kMoment)
		s.Allow = d.expr(def.get("allow"), "allow", in.with(map[string]typ{"value": {k: kind}}), kFlag)
		if o := def.get("otherwise"); o != nil && kind == kWords && len(s.Choices) > 0 {
			s.Otherwise = d.choice(o, "otherwise", s.Choices)
		} else {
			s.Otherwise = d.expr(o, "otherwise", in, kind)
		}
		d.b.Slots = append(d.b.Slots, s)
	})
}

// slotPlace gives what a slot's expressions can name: what every run that
// uses the slot has.
func (d *decoder) slotPlace(name string) place {
	out := d.runPlace(nil)
	first := true
	var common map[string]typ
	for proc := range d.uses[name] {
		sig := d.sy.procs[proc]
		if sig == nil {
			continue
		}
		vars := d.runPlace(sig).vars
		if first {
			common, first = vars, false
			continue
		}
		for n, t := range common {
			if u := vars[n]; u != t && !(u.k == kStage && t.k == kStage) {
				delete(common, n)
			}
		}
	}
	if first { // nothing uses it: that is warned of, and no more
		for proc, sig := range d.sy.procs {
			for _, st := range sig.stages {
				if _, taken := out.vars[st]; !taken {
					out.vars[st] = typ{k: kStage, proc: proc + "." + st}
				}
			}
		}
		return out
	}
	return place{vars: common, choices: d.base.choices}
}

// slotActor reads who sets a slot. A slot that stands is set by each unit for
// itself; another is set in a run, where it has to be told who.
func (d *decoder) slotActor(name string, n *node, standing bool) *Who {
	if standing || len(d.uses[name]) == 0 {
		return d.actorOf(n)
	}
	var out *Who
	for proc := range d.uses[name] {
		in := ""
		if sig := d.sy.procs[proc]; sig != nil {
			in = sig.in
		} else {
			return d.actorOf(n)
		}
		out = d.actor(n, "set_by", in)
	}
	return out
}

func (d *decoder) actorOf(n *node) *Who {
	w := d.who(n, "set_by")
	if w != nil && (w.Kind == WhoClass || w.Kind == WhoElectorate) {
		d.c.err("as-one", w.Pos, "Name an office, a body or a kind of unit.", "%s cannot act as one", w.Name)
		return nil
	}
	if w != nil {
		d.speaks(w.Name, w.Pos)
	}
	return w
}
