package rulebook

import (
	"slices"
	"strings"
)

// checks runs over a book that has been read. They tolerate what is missing:
// that has been reported already.
func (d *decoder) checks(root *node) {
	for _, p := range d.ownProcedures() {
		d.outcomes(p)
		d.flow(p)
		d.beginnings(p)
		d.unitVotes(p)
		d.filling(p)
		d.adopting(p)
		d.numbersOf(p)
		d.sanctioning(p)
		d.atHome(p)
	}
	d.begun()
	d.circles()
	if d.outer == nil {
		d.amendable(root)
	}
	d.slotChecks()
	d.wisdom()
	d.unused()
}

// ownProcedures gives those of the book that is being read, without those of
// the outer one.
func (d *decoder) ownProcedures() []*Procedure {
	var out []*Procedure
	for i := range d.b.Procedures {
		if !d.sy.names[d.b.Procedures[i].Name].outer {
			out = append(out, &d.b.Procedures[i])
		}
	}
	return out
}

// effectsOf gives every effect of a procedure.
func (p *Procedure) effectsOf() []Effect {
	var out []Effect
	for _, s := range p.Stages {
		for _, t := range s.Then {
			out = append(out, t.Effects...)
		}
	}
	for _, s := range p.StopsOn {
		out = append(out, s.Effects...)
	}
	return out
}

// outcomes checks that what is listed can come out, and that the last stage
// lists all.
func (d *decoder) outcomes(p *Procedure) {
	for i := range p.Stages {
		s := &p.Stages[i]
		known := s.Outcomes()
		for _, t := range s.Then {
			if t.Outcome == "short" && s.Method != nil || t.Outcome == Unopened && s.maySecret() {
				continue // nobody stands, or too few voted: it may be said, and need not
			}
			if !slices.Contains(known, t.Outcome) {
				d.c.err("outcome", t.Pos, orElse(didYouMean(t.Outcome, known), "It can be "+sentenceList(known, "or")+"."), "`%s` cannot come out of stage `%s`", t.Outcome, s.Name)
			}
		}
		if i < len(p.Stages)-1 {
			continue
		}
		for _, o := range known {
			if _, ok := s.Next(o); !ok {
				d.c.err("open-end", s.Pos, "Add `"+o+": {nothing: …}` under `then`, with the sentence that is said in public.", "the last stage, `%s`, does not say what follows when the outcome is `%s`", s.Name, o)
			}
		}
	}
}

// way is one way out of a stage.
type way struct {
	to  int // a stage, or -1: the run ends
	out string
}

// ways gives every way out of a stage.
func (p *Procedure) ways(i int) []way {
	s := &p.Stages[i]
	next := i + 1
	if next == len(p.Stages) {
		next = -1
	}
	var out []way
	outcomes := s.Outcomes()
	if s.Method != nil {
		if _, ok := s.Next("short"); ok {
			outcomes = append(outcomes, "short")
		}
	}
	if _, ok := s.Next(Unopened); ok && s.maySecret() {
		outcomes = append(outcomes, Unopened)
	}
	for _, o := range outcomes {
		effects, listed := s.Next(o)
		if !listed {
			out = append(out, way{next, o})
			continue
		}
		to, sure := -1, false
		for _, e := range effects {
			if e.Do != DoGo {
				continue
			}
			if _, k := p.Stage(e.Target); k >= 0 {
				if e.If != nil {
					out = append(out, way{k, o})
					continue
				}
				to, sure = k, true
			}
		}
		if sure {
			out = append(out, way{to, o})
		} else {
			out = append(out, way{-1, o})
		}
	}
	if s.If != nil {
		out = append(out, way{next, "skipped"})
	}
	return out
}

// flow checks that every stage can be reached and that the run can end from
// wherever it gets to.
func (d *decoder) flow(p *Procedure) {
	n := len(p.Stages)
	if n == 0 {
		return
	}
	reached := make([]bool, n)
	todo := []int{0}
	reached[0] = true
	for len(todo) > 0 {
		i := todo[0]
		todo = todo[1:]
		for _, w := range p.ways(i) {
			if w.to >= 0 && !reached[w.to] {
				reached[w.to] = true
				todo = append(todo, w.to)
			}
		}
	}
	ends := make([]bool, n)
	for range p.Stages {
		for i := range p.Stages {
			for _, w := range p.ways(i) {
				ends[i] = ends[i] || w.to < 0 || ends[w.to]
			}
		}
	}
	for i, s := range p.Stages {
		switch {
		case !reached[i]:
			d.c.err("unreachable", s.Pos, "Let an outcome `go: "+s.Name+"`, or leave an outcome before it unlisted.", "stage `%s` is never reached", s.Name)
		case !ends[i]:
			d.c.err("cannot-end", s.Pos, "Let one outcome end it, with an effect or `nothing: …`.", "once in stage `%s`, `%s` cannot end", s.Name, p.Name)
		}
	}
}

// beginnings checks that what begins by itself takes nothing, and that what
// is started is handed all that it takes.
func (d *decoder) beginnings(p *Procedure) {
	for _, b := range p.Begins {
		itself := b.Every != nil || b.Vacancy != "" || b.Event != ""
		for _, t := range p.Takes {
			if itself {
				d.c.err("takes", t.Pos, "Let somebody call it, with `by` or `backed`.", "`%s` begins by itself, but takes `%s`: who supplies it?", p.Name, t.Name)
			}
		}
	}
	for _, e := range p.effectsOf() {
		q := d.b.Procedure(e.Target)
		if e.Do != DoStart || q == nil {
			continue
		}
		var missing []string
		for _, t := range q.Takes {
			if !slices.ContainsFunc(e.With, func(a Argument) bool { return a.Name == t.Name }) {
				missing = append(missing, t.Name)
			}
		}
		if len(missing) > 0 {
			d.c.err("takes", e.Pos, "Add `with: {"+missing[0]+": …}`.", "`%s` takes %s, which is not handed over here", q.Name, sentenceList(missing, "and"))
		}
		if q.In != "" && e.In == nil && !(p.In != "" && d.inside(p.In, q.In)) {
			d.c.err("which", e.Pos, "Say in which, with `in`.", "`%s` runs in one %s; in which?", q.Name, q.In)
		}
	}
}

// begun checks that everything can begin.
func (d *decoder) begun() {
	started := map[string]bool{}
	for i := range d.b.Procedures {
		for _, e := range d.b.Procedures[i].effectsOf() {
			if e.Do == DoStart {
				started[e.Target] = true
			}
		}
		for k := range d.b.Procedures[i].Stages {
			started[d.b.Procedures[i].Stages[k].Votes] = true
		}
	}
	for _, p := range d.ownProcedures() {
		if len(p.Begins) == 0 && !started[p.Name] && d.sy.procs[p.Name].node.get("begins") == nil {
			d.c.err("no-beginning", p.Pos, "Add `begins`, or let another procedure `start` it.", "nothing can begin `%s`", p.Name)
		}
	}
}

// filling checks that what is filled is what the procedure says it fills, and
// that a method can fill as many places as there are.
func (d *decoder) filling(p *Procedure) {
	filled := map[string]bool{}
	for _, e := range p.effectsOf() {
		if e.Do != DoFill || e.Target == "" {
			continue
		}
		filled[e.Target] = true
		if e.Target != "office" && e.Whom == nil && !slices.Contains(p.Fills, e.Target) {
			d.c.err("fills", e.Pos, "Add `fills: "+e.Target+"` to the procedure.", "`%s` is filled here, but `%s` does not say that it fills it", e.Target, p.Name)
		}
	}
	for _, o := range p.Fills {
		if !filled[o] && !filled["office"] {
			d.c.err("fills", p.Pos, "Let an outcome say `fill: "+o+"`.", "`%s` says that it fills `%s`, and nothing in it does", p.Name, o)
		}
	}
	for i := range p.Stages {
		d.places(p, &p.Stages[i])
	}
}

func (d *decoder) places(p *Procedure, s *Stage) {
	if s.Kind != Ballot || !slices.Contains([]string{"av", "av-sequential", "college"}, constantWord(s.Method)) {
		return
	}
	exprs := []*Expr{s.Seats}
	if s.Seats == nil {
		exprs = nil
		for _, f := range p.Fills {
			if o := d.b.Office(f); o != nil {
				exprs = append(exprs, o.Seats)
			}
		}
	}
	for _, e := range exprs {
		if v, ok := e.Literal(); ok && v.Number != nil && v.Number.Cmp(num{i: 1}.rat()) > 0 {
			d.c.err("seats", s.Method.pos, "Use plurality-at-large, approval, or a form of STV.", "`%s` fills one place, and there are %s", constantWord(s.Method), v.Text())
		}
	}
}

// adopting checks that a text which is adopted is one that was taken.
func (d *decoder) adopting(p *Procedure) {
	var texts []string
	for _, t := range p.Takes {
		if t.Is == TakeText {
			texts = append(texts, t.Of)
		}
	}
	for _, e := range p.effectsOf() {
		if e.Do != DoAdopt || e.Target == "" || slices.Contains(texts, e.Target) {
			continue
		}
		if len(texts) > 0 {
			d.c.err("text", e.Pos, "Let it adopt what it takes.", "`%s` takes a text of kind %s, and adopts one of kind %s", p.Name, sentenceList(texts, "or"), e.Target)
		} else if e.Target == "rulebook" {
			d.c.err("text", e.Pos, "Add `takes: {text: rulebook}`.", "a change of the rulebook is a text: `%s` takes none", p.Name)
		}
	}
}

// amendable checks that the book can be changed by itself, and that its kinds
// of decision are in order.
func (d *decoder) amendable(root *node) {
	prec := root.get("precedence")
	if prec != nil && !slices.Contains(d.b.Precedence, "rulebook") {
		d.c.err("precedence", prec.pos, "Add `rulebook` where it belongs, as a rule the first.", "`precedence` does not say where the rulebook itself stands")
	}
	for _, p := range d.b.Procedures {
		for _, e := range p.effectsOf() {
			if e.Do == DoAdopt && e.Target == "rulebook" && p.In == "" {
				return
			}
		}
		if p.takesA("rulebook") && d.c.reportedIn(d.sy.procs[p.Name].node) {
			return // it is there, and cannot be read
		}
	}
	d.c.err("no-amendment", root.pos, "Add a procedure with `takes: {text: rulebook}` that can `adopt: rulebook`.", "a rulebook without a way to change it cannot be adopted")
}

// takesA tells whether the procedure takes a text of a kind.
func (p *Procedure) takesA(kind string) bool {
	return slices.ContainsFunc(p.Takes, func(t Take) bool { return t.Of == kind })
}

// reportedIn tells whether an error was reported inside a node.
func (c *complaints) reportedIn(n *node) bool {
	first, last := n.pos.Line, n.last()
	return slices.ContainsFunc(c.list, func(p Problem) bool { return !p.Warning && p.Pos.Line >= first && p.Pos.Line <= last })
}

// last gives the line on which the last part of a node begins.
func (n *node) last() int {
	line := n.pos.Line
	for _, p := range n.pairs {
		line = max(line, p.pos.Line, p.val.last())
	}
	for _, i := range n.items {
		line = max(line, i.last())
	}
	return line
}

// numbersOf checks that a gate or quorum does not ask for more people than
// there are.
func (d *decoder) numbersOf(p *Procedure) {
	for _, b := range p.Begins {
		d.reachable(b.Backed, nil)
	}
	for i := range p.Stages {
		s := &p.Stages[i]
		d.reachable(s.Needs, nil)
		d.reachable(s.Quorum, s.Voters)
	}
}

func (d *decoder) reachable(t *Threshold, among *Who) {
	if t == nil {
		return
	}
	for _, part := range slices.Concat(t.All, t.Any) {
		d.reachable(part, among)
	}
	if t.From != nil {
		among = t.From
	}
	if t.Amount == nil || among == nil || t.Share || t.Weigh != nil || t.Cmp == AtMost {
		return
	}
	v, ok := t.Amount.Literal()
	if !ok || v.Number == nil {
		return
	}
	most, known := d.atMost(*among)
	if !known {
		return
	}
	c := v.Number.Cmp(num{i: most}.rat())
	if c > 0 || c == 0 && t.Cmp == MoreThan {
		d.c.err("impossible", t.Pos, "Ask for fewer, or let others support it too.", "nobody can pass this gate: it needs %s %s of `%s`; there are %d", strings.TrimPrefix(plainCmp(t.Cmp), "at least "), v.Text(), among.Name, most)
	}
}

// atMost bounds how many people there are of a Who, where the book says so.
func (d *decoder) atMost(w Who) (int64, bool) {
	switch w.Kind {
	case WhoOffice:
		o := d.b.Office(w.Name)
		if o == nil || o.Per != "" {
			return 0, false
		}
		if o.Seats == nil {
			return 1, true
		}
		v, ok := o.Seats.Literal()
		if !ok || v.Number == nil || !v.Number.IsInt() {
			return 0, false
		}
		return v.Number.Num().Int64(), true
	case WhoBody:
		b := d.b.Body(w.Name)
		if b == nil || b.Per != "" || len(b.Offices) == 0 {
			return 0, false
		}
		var sum int64
		for _, o := range b.Offices {
			n, ok := d.atMost(Who{Kind: WhoOffice, Name: o})
			if !ok {
				return 0, false
			}
			sum += n
		}
		return sum, true
	}
	return 0, false
}

// sanctioning checks that nobody loses rights for ever.
func (d *decoder) sanctioning(p *Procedure) {
	for _, e := range p.effectsOf() {
		if s := d.b.Sanction(e.Target); e.Do == DoImpose && s != nil && len(s.Removes) > 0 && e.Until == nil {
			d.c.err("for-ever", e.Pos, "Add `until: called + 5 years`, or another moment.", "`%s` takes away rights without end", s.Name)
		}
	}
}

// atHome checks that whoever a procedure asks does not speak of the unit or
// the office of a run where the run has none.
func (d *decoder) atHome(p *Procedure) {
	d.visit(p, func(e *Expr) {
		if p.In == "" && slices.Contains(e.names, "here") {
			d.c.err("which", e.pos, "Let the procedure run `in` a kind of unit, or ask for `person.unit(…)`.", "this asks for `here`, but `%s` runs in no unit", p.Name)
		}
		if len(p.Fills) == 0 && slices.Contains(e.names, "office") {
			d.c.err("which", e.pos, "Let the procedure say what it `fills`, or name the office.", "this asks for `office`, but `%s` fills none", p.Name)
		}
	}, func(*Who) {})
}
