package rulebook

import (
	"math/big"
	"slices"
	"sort"
	"time"
)

// slotChecks checks what a slot falls back to, and warns of one that falls
// back to nothing.
func (d *decoder) slotChecks() {
	for i := range d.b.Slots {
		s := &d.b.Slots[i]
		if d.sy.names[s.Name].outer {
			continue
		}
		if s.Otherwise == nil {
			if !d.c.reportedAt(s.Pos.Line, "missing") {
				d.c.warn("halts", s.Pos, "Add `otherwise`, unless waiting is what you want.", "`%s` has no `otherwise`: all that needs it stops until `%s` decides", s.Name, s.SetBy.text())
			}
			continue
		}
		if !d.allows(s, s.Otherwise) {
			d.c.err("bounds", s.Otherwise.pos, "Let `allow` admit it, or choose another.", "`%s` is by default %s, which it does not itself allow", s.Name, s.Otherwise.src)
		}
	}
}

// reportedAt tells whether a code was reported for a line.
func (c *complaints) reportedAt(line int, code Code) bool {
	return slices.ContainsFunc(c.list, func(p Problem) bool { return p.Pos.Line == line && p.Code == code })
}

// allows tries a value of a slot against the slot's bounds, at calls in
// different months; where that cannot be worked out beforehand it is allowed.
func (d *decoder) allows(s *Slot, value *Expr) bool {
	if s.Allow == nil {
		return true
	}
	for month := range 12 {
		p := d.probe(month)
		v, err := value.Eval(p)
		if err != nil {
			return true
		}
		p.value = v
		ok, err := s.Allow.Flag(p)
		if err != nil || ok {
			return true
		}
	}
	return false
}

// probe is a run that never was, called in a month of 2026, every stage of
// which has just ended: to try a slot's bounds on.
type probe struct {
	called Moment
	value  Value
}

func (d *decoder) probe(month int) *probe {
	at := time.Date(2026, time.Month(month+1), 15, 11, 0, 0, 0, d.sy.cal.zone())
	return &probe{called: Moment{T: at}}
}

func (p *probe) Var(name string) (Value, bool) {
	switch name {
	case "called", "freeze":
		return Value{Type: TypeMoment, Moment: p.called}, true
	case "value":
		return p.value, true
	}
	return Value{}, false
}

func (p *probe) Stage(string) (StageTimes, bool) {
	return StageTimes{Opened: &p.called, Closed: &p.called}, true
}

func (p *probe) Person(string) (Person, bool)   { return nil, false }
func (p *probe) Unit(string) (Unit, bool)       { return nil, false }
func (p *probe) People(string) ([]Person, bool) { return nil, false }
func (p *probe) Run(string) (Run, bool)         { return nil, false }
func (p *probe) Text(string) (Text, bool)       { return nil, false }
func (p *probe) Holders(string) []Person        { return nil }
func (p *probe) Next(string) (Moment, bool)     { return Moment{}, false }

// wisdom warns of what is legal and unwise.
func (d *decoder) wisdom() {
	for _, p := range d.ownProcedures() {
		d.earlyFreeze(p)
		d.idleFreeze(p)
		d.ownJudge(p)
		d.noAppeal(p)
		d.noOfficer(p)
		for j := range p.Stages {
			d.stayHome(p.Stages[j].Quorum)
		}
	}
	for i := range d.b.Units {
		if x := d.b.Units[i].Decides; x != nil && !d.sy.names[d.b.Units[i].Name].outer {
			d.stayHome(x.Quorum)
		}
	}
	for i := range d.b.Bodies {
		if x := d.b.Bodies[i].Decides; x != nil && !d.sy.names[d.b.Bodies[i].Name].outer {
			d.stayHome(x.Quorum)
		}
	}
	if d.outer == nil {
		d.entrenched()
	}
}

// stayHome warns of a quorum that counts votes: whoever is against can then
// do more by not voting than by voting against.
func (d *decoder) stayHome(t *Threshold) {
	if t == nil {
		return
	}
	for _, part := range slices.Concat(t.All, t.Any) {
		d.stayHome(part)
	}
	if t.Cmp != "" && t.Cmp != AtMost && (t.Count == "papers" || t.Count == "") {
		d.c.warn("stay-home", t.Pos, "Count who is `present`, or ask for a share of the entitled in `passes`.", "with a quorum of votes, an opponent does better by staying at home than by voting against")
	}
}

// earlyFreeze warns where somebody may set the freeze to a day before the
// call, so that it shuts people out who could not know.
func (d *decoder) earlyFreeze(p *Procedure) {
	if p.Freeze == nil {
		return
	}
	for _, name := range p.Freeze.names {
		s := d.b.Slot(name)
		if s == nil || s.Is != SlotDate {
			continue
		}
		pr := d.probe(5)
		pr.value = Value{Type: TypeMoment, Moment: pr.called.Add(Span{Days: -1}, d.sy.cal)}
		early := true
		if s.Allow != nil {
			ok, err := s.Allow.Flag(pr)
			early = err == nil && ok
		}
		if early {
			d.c.warn("early-freeze", s.Pos, "Add `allow: value >= called`, or a later bound.", "`%s` may set the freeze to a day before the call", s.SetBy.text())
		}
	}
}

// idleFreeze warns of a freeze at which nothing looks.
func (d *decoder) idleFreeze(p *Procedure) {
	if p.Freeze == nil || p.Freeze.pos.Line == 0 {
		return
	}
	bound := false
	d.visit(p, func(e *Expr) {
		bound = bound || slices.Contains(e.names, "freeze")
	}, func(w *Who) {
		bound = bound || w.Kind == WhoClass // a bare class means who belonged at the freeze
	})
	if !bound {
		d.c.warn("idle-freeze", p.Freeze.pos, "Leave it out, or let a condition look at it.", "no condition looks at `freeze`")
	}
}

// ownJudge warns where a body decides on a decision that was its own.
func (d *decoder) ownJudge(p *Procedure) {
	for _, t := range p.Takes {
		q := d.b.Procedure(t.Of)
		if t.Is != TakeRun || q == nil {
			continue
		}
		for _, s := range p.Stages {
			if s.By == nil || s.By.Kind != WhoBody && s.By.Kind != WhoOffice {
				continue
			}
			if b := d.b.Body(s.By.Name); b != nil && b.Drawn {
				continue
			}
			for _, r := range q.Stages {
				if r.By != nil && r.By.Name == s.By.Name && r.By.Kind == s.By.Kind {
					d.c.warn("own-judge", s.By.Pos, "Let another body decide, or one drawn from those who took no part.", "`%s` would judge its own decision", s.By.Name)
					break
				}
			}
		}
	}
}

// noOfficer warns of ballots that nobody could close: it is said once, at the
// first procedure that has one.
func (d *decoder) noOfficer(p *Procedure) {
	first := func(q *Procedure) bool {
		return slices.ContainsFunc(q.Stages, func(s Stage) bool { return s.Kind == Ballot })
	}
	if !first(p) || d.outer != nil {
		return
	}
	for i := range d.b.Procedures {
		if q := &d.b.Procedures[i]; q.Name == p.Name {
			break
		} else if first(q) {
			return
		}
	}
	for _, w := range d.b.Powers {
		if slices.Contains(w.May, "close") {
			return
		}
	}
	d.c.warn("no-officer", p.Pos, "Add `powers: {who: OFFICE, may: close}`. Whoever can close a ballot also calls what comes round, and enters what bodies decide.", "no office has the power to close ballots, so nobody could")
}

// noAppeal warns of a procedure that takes rights away and that no other can
// set aside.
func (d *decoder) noAppeal(p *Procedure) {
	takes := false
	for _, e := range p.effectsOf() {
		s := d.b.Sanction(e.Target)
		takes = takes || e.Do == DoImpose && s != nil && len(s.Removes) > 0
	}
	if !takes {
		return
	}
	for i := range d.b.Procedures {
		q := &d.b.Procedures[i]
		for _, e := range q.effectsOf() {
			if e.Do != DoSetAside {
				continue
			}
			if e.Target == p.Name {
				return
			}
			for _, t := range q.Takes {
				if t.Name == e.Target && t.Of == p.Name {
					return
				}
			}
		}
	}
	d.c.warn("no-appeal", p.Pos, "Add a procedure that takes a decision of it and can `set_aside` it.", "`%s` takes away rights and nothing can set it aside", p.Name)
}

// entrenched warns where a lesser decision needs a larger majority than a
// change of the rulebook: whoever has the smaller one changes the rule first.
func (d *decoder) entrenched() {
	least := map[string]*big.Rat{}
	where := map[string]Pos{}
	for i := range d.b.Procedures {
		p := &d.b.Procedures[i]
		for j := range p.Stages {
			s := &p.Stages[j]
			m := majority(s.Passes)
			if m == nil || p.In != "" {
				continue
			}
			for _, t := range s.Then {
				for _, e := range t.Effects {
					if e.Do == DoAdopt && (least[e.Target] == nil || m.Cmp(least[e.Target]) < 0) {
						least[e.Target], where[e.Target] = m, s.Passes.Pos
					}
				}
			}
		}
	}
	own := least["rulebook"]
	if own == nil {
		return
	}
	var kinds []string
	for k := range least {
		kinds = append(kinds, k)
	}
	sort.Strings(kinds)
	for _, k := range kinds {
		if least[k].Cmp(own) > 0 {
			d.c.warn("entrenched", where[k], "Let a change of the rulebook need as much.", "a decision of kind %s needs %s, but the rulebook itself can be changed by %s", k, shareText(least[k]), shareText(own))
		}
	}
}

// majority gives the share of the votes cast that a vote needs, or nil.
func majority(t *Threshold) *big.Rat {
	if t == nil {
		return nil
	}
	var out *big.Rat
	for _, part := range t.All {
		if m := majority(part); m != nil && (out == nil || m.Cmp(out) > 0) {
			out = m
		}
	}
	if out != nil || !t.Share || constantWord(t.Of) != "cast" {
		return out
	}
	if v, ok := t.Amount.Literal(); ok {
		return v.Number
	}
	return nil
}

// unused warns of definitions that nothing refers to.
func (d *decoder) unused() {
	for _, n := range d.sy.known(anElect, aSlot, anEvent, aSanction, aBody) {
		e := d.sy.names[n]
		if !d.used[n] && !e.outer && e.pos.Line > 0 {
			d.c.warn("unused", e.pos, "Leave it out, or use it.", "nothing uses the %s `%s`", e.sort, n)
		}
	}
}
