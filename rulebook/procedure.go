package rulebook

// runPlace gives what an expression can name inside a run: of a procedure,
// or, with nil, of whichever comes along.
func (d *decoder) runPlace(sig *procSig) place {
	vars := map[string]typ{
		"called": {k: kMoment}, "cause": {k: kWords}, "freeze": {k: kMoment}, "candidates": {k: kPeople},
	}
	if sig == nil || sig.in != "" {
		vars["here"] = typ{k: kUnit}
	}
	if sig == nil || len(sig.fills) > 0 {
		vars["office"] = typ{k: kOffice}
	}
	out := d.base.with(vars)
	if sig == nil {
		return out
	}
	choices := map[string][]string{"cause": causes(sig.node)}
	for k, v := range d.base.choices {
		choices[k] = v
	}
	for _, t := range sig.takes {
		out.vars[t.Name] = takeType(t)
		if t.Is == TakeChoice {
			choices[t.Name] = t.Of2
		}
	}
	for _, s := range sig.stages {
		out.vars[s] = typ{k: kStage, proc: sig.name + "." + s}
	}
	out.choices = choices
	return out
}

// causes gives the words by which a run can have begun.
func causes(n *node) []string {
	out := []string{"start"}
	for _, b := range n.get("begins").list() {
		if as := b.get("as"); as != nil {
			out = append(out, as.text)
			continue
		}
		for _, way := range waysToBegin() {
			if b.get(way) != nil {
				out = append(out, way)
			}
		}
	}
	return out
}

func waysToBegin() []string { return []string{"by", "backed", "every", "vacancy", "event"} }

func (d *decoder) procedures(n *node) {
	d.each(n, fProcedure, func(p pair, def *node) {
		sig := d.sy.procs[p.key]
		if def == nil || sig == nil || sig.node != def {
			return
		}
		d.proc = p.key
		d.b.Procedures = append(d.b.Procedures, d.procedure(p, def, sig))
		d.proc = ""
	})
}

func (d *decoder) procedure(p pair, n *node, sig *procSig) Procedure {
	in := d.runPlace(sig)
	out := Procedure{Named: d.named(p.key, p.pos, n, in), Takes: sig.takes}
	if out.In = d.ref(n.get("in"), "in", aUnit); out.In == "" {
		out.In = d.b.Unit.Kind
	}
	for _, t := range sig.takes {
		d.used[t.Of] = true
	}
	for _, f := range n.get("fills").list() {
		if o := d.ref(f, "fills", anOffice); o != "" {
			out.Fills = append(out.Fills, o)
			d.fillable(o, f.pos, sig.in)
		}
	}
	out.Freeze = d.expr(n.get("freeze"), "freeze", in, kMoment)
	if out.Freeze == nil {
		out.Freeze = compileExpr(d.sy, "called", Pos{}, in, d.c)
	}
	for _, b := range n.get("begins").list() {
		if d.keys(b, fBegins, "a beginning of `"+p.key+"`") {
			out.Begins = append(out.Begins, d.begins(b, in, sig))
		}
	}
	for _, s := range n.get("stages").list() {
		if st, ok := d.stage(s, in, sig); ok {
			out.Stages = append(out.Stages, st)
		}
	}
	for _, s := range n.get("stops_on").all() {
		e := &node{text: s.key, pos: s.pos}
		out.StopsOn = append(out.StopsOn, StopOn{Event: d.ref(e, "stops_on", anEvent), Effects: d.effects(s.val, in, sig), Pos: s.pos})
	}
	return out
}

// fillable checks that it can be told which office is filled.
func (d *decoder) fillable(office string, pos Pos, in string) {
	per := d.sy.per[office]
	if per != "" && (in == "" || !d.inside(in, per)) {
		d.c.err("which", pos, "Let the procedure run `in: "+per+"`.", "there is one `%s` in every %s; which one is filled?", office, per)
	}
}

func (d *decoder) begins(n *node, in place, sig *procSig) Beginning {
	out := Beginning{Pos: n.pos, As: d.str(n.get("as"), "`as`"), Kept: d.yesNo(n.get("kept"), true), Quiet: d.yesNo(n.get("quiet"), false)}
	out.If = d.expr(n.get("if"), "if", in, kFlag)
	out.Says = d.sentence(n.get("says"), in)
	ways := 0
	for _, way := range waysToBegin() {
		if n.get(way) != nil {
			if ways++; out.As == "" {
				out.As = way
			}
		}
	}
	if ways != 1 {
		d.c.err("missing", n.pos, "Say by, backed, every, vacancy or event; a second way is a second item of the list.", "a beginning needs one way to begin; this has %d", ways)
	}
	out.By = d.actor(n.get("by"), "by", sig.in)
	out.Backed = d.threshold(n.get("backed"), gateContext{place: in, gate: true})
	out.Window = d.expr(n.get("window"), "window", in, kSpan)
	if n.get("backed") != nil && n.get("window") == nil {
		d.c.err("endless", n.pos, "Add `window: 28 days`, or another length.", "support for a beginning is gathered without end")
	}
	if n.get("backed") == nil && n.get("window") != nil {
		d.c.err("unknown-key", n.get("window").pos, "Leave it out.", "a `window` goes with `backed` only")
	}
	out.Every = d.expr(n.get("every"), "every", in, kSpan)
	if v, ok := out.Every.Literal(); ok && v.Span == (Span{}) {
		d.c.err("span", n.get("every").pos, "Write how often, as in `1 year`.", "what comes round every %s never stops beginning", v.Text())
	}
	if v := n.get("vacancy"); v != nil {
		if v.text == "office" && len(sig.fills) > 0 {
			out.Vacancy = "office"
		} else if out.Vacancy = d.ref(v, "vacancy", anOffice); out.Vacancy != "" {
			d.fillable(out.Vacancy, v.pos, sig.in)
		}
	}
	out.Event = d.ref(n.get("event"), "event", anEvent)
	return out
}

// effects reads a list of effects, or one.
func (d *decoder) effects(n *node, in place, sig *procSig) []Effect {
	var out []Effect
	for _, i := range n.list() {
		if e, ok := d.effect(i, in, sig); ok {
			out = append(out, e)
		}
	}
	if len(n.list()) == 0 {
		d.c.err("missing", n.where(), "Say `nothing: …` if nothing follows.", "no effect is written here")
	}
	return out
}

func verbs() []Verb {
	return []Verb{DoFill, DoVacate, DoAdopt, DoImpose, DoLift, DoAdmit, DoRelease, DoStart, DoStop, DoStay, DoResume, DoSetAside, DoReport, DoNothing, DoGo, DoEnd}
}

func (d *decoder) effect(n *node, in place, sig *procSig) (Effect, bool) {
	if !d.keys(n, fEffect, "an effect") {
		return Effect{}, false
	}
	out := Effect{Pos: n.pos}
	for _, v := range verbs() {
		if n.get(string(v)) == nil {
			continue
		}
		if out.Do != "" {
			d.c.err("unknown-key", n.pos, "Make two items of the list.", "one effect does one thing; this has `%s` and `%s`", out.Do, v)
			continue
		}
		out.Do = v
	}
	if out.Do == "" && !d.c.reportedAt(n.pos.Line, "unknown-key") {
		d.c.err("missing", n.pos, "Say fill, vacate, adopt, impose, lift, admit, release, start, stop, stay, resume, set_aside, report, nothing, go or end.", "an effect has to do something")
	}
	if out.Do == "" {
		return out, false
	}
	target := n.get(string(out.Do))
	d.target(&out, target, in, sig)
	d.ownEffect(out, target)
	out.Whom = d.expr(n.get("whom"), "whom", in, kPerson, kPeople)
	out.Until = d.expr(n.get("until"), "until", in, kMoment)
	out.InForce = d.expr(n.get("in_force"), "in_force", in, kMoment)
	out.If = d.expr(n.get("if"), "if", in, kFlag)
	out.In = d.expr(n.get("in"), "in", in, kUnit)
	for _, w := range n.get("with").all() {
		if v := d.argument(w, out.Target, in); v != nil {
			out.With = append(out.With, Argument{Name: w.key, Value: v})
		}
	}
	d.modifiers(n, out)
	return out, true
}

// modifiers refuses what an effect has no use for.
func (d *decoder) modifiers(n *node, e Effect) {
	goes := map[string][]Verb{
		"whom": {DoFill, DoVacate, DoImpose, DoLift, DoAdmit, DoRelease}, "until": {DoImpose}, "in_force": {DoAdopt}, "with": {DoStart}, "in": {DoStart},
	}
	for key, with := range goes {
		x := n.get(key)
		fits := x == nil
		for _, v := range with {
			fits = fits || v == e.Do
		}
		if !fits {
			d.c.err("unknown-key", x.pos, "Leave it out.", "`%s` has no `%s`", e.Do, key)
		}
	}
	if (e.Do == DoImpose || e.Do == DoLift) && n.get("whom") == nil {
		d.c.err("missing", n.pos, "Add `whom`.", "`%s` needs `whom`", e.Do)
	}
}

func (d *decoder) target(out *Effect, n *node, in place, sig *procSig) {
	key := string(out.Do)
	switch out.Do {
	case DoFill, DoVacate:
		if n.text == "office" && len(sig.fills) > 0 {
			out.Target = "office"
			return
		}
		if out.Target = d.ref(n, key, anOffice); out.Target != "" {
			d.fillable(out.Target, n.pos, sig.in)
		}
	case DoAdopt:
		out.Target = d.decision(n)
	case DoImpose, DoLift:
		out.Target = d.ref(n, key, aSanction)
	case DoAdmit:
		out.Target = d.ref(n, key, aClass, aUnit)
	case DoRelease:
		if n.text == "here" && sig.in != "" {
			out.Target = "here"
			return
		}
		out.Target = d.ref(n, key, aClass)
	case DoStart:
		out.Target = d.ref(n, key, aProcedure)
	case DoStop, DoStay, DoResume, DoSetAside:
		for _, t := range sig.takes {
			if t.Is == TakeRun && t.Name == n.text {
				out.Target = n.text
				return
			}
		}
		out.Target = d.ref(n, key, aProcedure)
	case DoReport:
		for _, t := range sig.takes {
			if t.Is == TakeRun && t.Name == n.text {
				out.Target = n.text
				return
			}
		}
		d.c.err("votes", n.pos, "Let the procedure take a run of the one that asks, as in `takes: {question: trigger}`, and report to `question`.", "`report` names the run that was taken")
	case DoNothing:
		out.Says = d.sentence(n, in)
	case DoGo:
		out.Target = d.stageRef(n, sig)
	case DoEnd:
		if out.Target = d.str(n, "`end`"); out.Target != "" && !isName(out.Target) {
			d.c.err("name", n.pos, "Write small letters, digits and `_`.", "`%s` cannot be an outcome", out.Target)
		}
	}
}

func (d *decoder) decision(n *node) string {
	name := d.str(n, "`adopt`")
	if d.sy.is(name, aDecision) {
		d.used[name] = true
		return name
	}
	if name != "" {
		d.c.err("kind-of-decision", n.pos, orElse(didYouMean(name, d.sy.known(aDecision)), "Add it where it belongs in the order."), "`%s` is not in `precedence`", name)
	}
	return ""
}

func (d *decoder) stageRef(n *node, sig *procSig) string {
	name := d.str(n, "`go`")
	for _, s := range sig.stages {
		if s == name {
			return name
		}
	}
	d.dead(n.pos, name, sig.stages)
	return ""
}

// argument reads one value that start hands over; its type is what the
// started procedure takes.
func (d *decoder) argument(w pair, proc string, in place) *Expr {
	sig := d.sy.procs[proc]
	if sig == nil {
		return nil
	}
	var known []string
	for _, t := range sig.takes {
		if t.Name == w.key {
			is := takeType(t)
			if is.k == kText {
				is.k = kWords
			}
			e := d.expr(w.val, w.key, in, is.k)
			if e != nil && is.k == kRun && e.typ.proc != is.proc {
				d.c.err("type", w.val.pos, "", "%q gives %s; `%s` needs %s", e.src, e.typ, w.key, is)
				return nil
			}
			return e
		}
		known = append(known, t.Name)
	}
	d.c.err("takes", w.pos, capital(didYouMean(w.key, known)), "`%s` takes no `%s`", proc, w.key)
	return nil
}
