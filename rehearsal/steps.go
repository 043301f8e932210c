package rehearsal

import (
	"slices"
	"strings"
)

// step is one thing that happens: somebody acts, or the register changes, or
// only time passes and something is looked at.
type step struct {
	at      *When // nil: at the time of the step before
	by      []reference
	verb    string // the key that says what is done; empty: only a look
	val     *node
	run     scalarAt
	as      scalarAt
	in      reference
	more    *node    // the step itself, for the further keys of its verb
	refused []string // words that the refusal has; nil: it is not refused
	expect  []expectation
	pos     pos
}

// verbs gives each verb with the further keys that a step with it can have.
func verbs() map[string][]string {
	return map[string][]string{
		"call":       {"with", "for", "cause", "collect"},
		"back":       {"votes"},
		"accept":     nil,
		"decline":    nil,
		"withdraw":   nil,
		"decide":     {"votes"},
		"set":        nil,
		"order":      {"until", "why"},
		"event":      {"day"},
		"papers":     {"section"},
		"enter":      nil,
		"close":      nil,
		"contradict": nil,
		"commit":     nil,
		"trustees":   nil,
		"gone":       nil,
		"prepare":    nil,
		"end_phase":  nil,
		"excuse":     {"why"},
		"people":     nil,
		"units":      nil,
	}
}

func verbNames() []string {
	var out []string
	for v := range verbs() {
		out = append(out, v)
	}
	slices.Sort(out)
	return out
}

// step reads one step.
func (c *complaints) step(n *node) step {
	s := step{pos: n.pos, more: n}
	if n.form != mapping {
		c.err(n.pos, "Write it as in `{at: 2026-03-02, by: Ann, call: special_meeting}`.", "this is no step")
		return s
	}
	common := []string{"at", "by", "run", "in", "as", "refused", "expect"}
	known := slices.Clone(common)
	for _, p := range n.pairs {
		more, isVerb := verbs()[p.key]
		switch {
		case isVerb && s.verb != "":
			c.err(p.pos, "Make two steps of it.", "a step does one thing; this one would `%s` and `%s`", s.verb, p.key)
		case isVerb:
			s.verb, s.val = p.key, p.val
			known = append(append(known, p.key), more...)
		}
	}
	for _, p := range n.pairs {
		if _, isVerb := verbs()[p.key]; isVerb || slices.Contains(known, p.key) {
			continue
		}
		if word := meant(p.key); word != "" {
			c.err(p.pos, "Write `"+word+"`.", "a step has no `%s`", p.key)
			continue
		}
		if s.verb == "" {
			c.err(p.pos, "A step can "+strings.Join(verbNames(), ", ")+".", "a step cannot `%s`%s", p.key, didYouMean(p.key, append(verbNames(), known...)))
			continue
		}
		c.err(p.pos, "It has "+strings.Join(known, ", ")+".", "a step that does `%s` has no `%s`%s", s.verb, p.key, didYouMean(p.key, known))
	}
	c.common(n, &s)
	c.verb(&s)
	return s
}

// meant gives the word of the language for one that people are apt to write in
// its place.
func meant(word string) string {
	switch word {
	case "vote", "votes", "ballots", "cast":
		return "papers"
	case "nominate", "support", "sign", "second":
		return "back"
	case "who":
		return "by"
	case "when", "date", "day", "on":
		return "at"
	case "expected", "result":
		return "expect"
	}
	return ""
}

// common reads the keys that every step can have.
func (c *complaints) common(n *node, s *step) {
	if t := c.text(n, "at"); t.text != "" {
		w := c.when(t)
		s.at = &w
	}
	s.by, s.run, s.as = c.references(n.get("by")), c.text(n, "run"), c.text(n, "as")
	if t := c.text(n, "in"); t.text != "" {
		s.in = c.reference(t.text, t.pos)
	}
	for _, t := range c.texts(n, "refused") {
		if t.text == "" {
			c.err(t.pos, "", "`refused` says words that the refusal contains")
		}
		s.refused = append(s.refused, t.text)
	}
	if s.refused != nil && s.verb == "" {
		c.err(n.pos, "", "nothing is done here that could be refused")
	}
	s.expect = c.expectations(n.get("expect"))
	if s.verb == "" && len(s.expect) == 0 && s.at == nil {
		c.err(n.pos, "A step can "+strings.Join(verbNames(), ", ")+", or `expect` something.", "in this step nothing happens")
	}
}

// verb checks the form of what a step does.
func (c *complaints) verb(s *step) {
	v := s.val
	switch s.verb {
	case "call", "event":
		if v.form != scalar || v.empty() {
			c.err(v.pos, "", "`%s` is one name of the rulebook", s.verb)
		}
	case "set":
		if v.form != mapping || len(v.pairs) != 1 {
			c.err(v.pos, "Write it as in `set: {meeting_day: 2026-04-10}`.", "`set` gives one slot its value")
		}
	case "order":
		if v.form == mapping && (len(v.pairs) != 1 || v.pairs[0].val.form != scalar && v.pairs[0].key != "set") || v.form == sequence {
			c.err(v.pos, "Write it as in `order: stay` or `order: {set_aside: NAME}`.", "`order` gives one order")
		}
	case "withdraw":
		if v.form != scalar || !slices.Contains([]string{"", "candidate", "support"}, v.text) {
			c.err(v.pos, "Write `withdraw: candidate` or `withdraw: support`.", "`withdraw` says what is taken back")
		}
	case "trustees":
		if v.form != mapping {
			c.err(v.pos, "Write it as in `trustees: {named: [Ash, Bay, Cedar], open: 2, mixers: [Ash, Bay]}`.", "`trustees` names those who hold the key of sealed ballots")
		}
	case "prepare":
		if v.form != scalar || v.text != "true" && v.text != "anew" {
			c.err(v.pos, "Write `prepare: true`, or `prepare: anew`.", "`prepare` fixes the paper of a sealed ballot")
		}
	case "excuse":
		if v.form != scalar || v.empty() {
			c.err(v.pos, "Write it as in `excuse: Bay`, with `why`.", "`excuse` names one mixer")
		}
	case "close", "commit", "accept", "decline", "end_phase":
		if v.form != scalar {
			c.err(v.pos, "Write `"+s.verb+": true`.", "`%s` has no list", s.verb)
		}
	case "papers", "enter":
		if v.empty() {
			c.err(v.pos, "Write it as in `papers: {for: 14, against: 9}`.", "`%s` says which papers", s.verb)
		}
	case "contradict":
		if v.form != sequence || len(v.items) != 2 {
			c.err(v.pos, "Write it as in `contradict: [the motion, the rule change]`.", "`contradict` names two runs whose decisions cannot both hold")
		}
	case "people":
		s.crowd(c.people(v), c)
	}
}

// crowd bounds what a step enters: the large numbers are there at the
// beginning.
func (s *step) crowd(list []personLine, c *complaints) {
	n := 0
	for _, p := range list {
		n += p.make
	}
	if n > 100_000 {
		c.err(s.pos, "Enter them at the beginning, `since` a later day.", "a step can enter 100,000 people; this one enters %d", n)
	}
}

// expectation is what should be so at a point of the rehearsal.
type expectation struct {
	run    scalarAt
	checks []check
	pos    pos
}

// check is one thing expected.
type check struct {
	key string
	val *node
	pos pos
}

// checkForms says what can be expected, and in which forms it is written: s
// one value, l a list, m keys and values.
func checkForms() map[string]string {
	return map[string]string{
		"outcome": "s", "phase": "s", "stage": "s", "opens": "s", "closes": "s", "freeze": "s", "cause": "s",
		"candidates": "sl", "elected": "sl", "backed": "sl", "gate": "slm", "roll": "m", "slot": "m", "shares": "m",
		"figures": "m", "effect": "sl", "holds": "m", "minutes": "sl", "waits_for": "s", "told": "s", "running": "m",
		"overridden": "sl", "sealed": "s", "trustees": "sl", "shift": "m", "drawn": "m", "in_force": "sl", "papers": "sm",
	}
}

func checkNames() []string {
	var out []string
	for k := range checkForms() {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// expectations reads `expect`: one, or a list of them about several runs.
func (c *complaints) expectations(n *node) []expectation {
	var out []expectation
	for _, x := range n.list() {
		e := expectation{pos: x.pos}
		if x.form != mapping {
			c.err(x.pos, "Write it as in `expect: {outcome: carried}`.", "this says nothing that could be expected")
			continue
		}
		e.run = c.text(x, "run")
		for _, p := range x.pairs {
			if p.key == "run" {
				continue
			}
			forms, ok := checkForms()[p.key]
			if !ok {
				c.err(p.pos, "What can be expected is "+strings.Join(checkNames(), ", ")+".", "`%s` cannot be expected%s", p.key, didYouMean(p.key, append(checkNames(), "run")))
				continue
			}
			if !strings.ContainsRune(forms, rune("sml"[map[form]int{scalar: 0, mapping: 1, sequence: 2}[p.val.form]])) {
				c.err(p.val.pos, "See docs/rehearsals.md.", "`%s` is not written in this form", p.key)
				continue
			}
			c.checkMoment(p)
			e.checks = append(e.checks, check{p.key, p.val, p.pos})
		}
		if len(e.checks) == 0 {
			c.err(x.pos, "What can be expected is "+strings.Join(checkNames(), ", ")+".", "nothing is expected here")
		}
		out = append(out, e)
	}
	return out
}

// checkMoment reads the moments among what is expected, for their form.
func (c *complaints) checkMoment(p pair) {
	if (p.key == "opens" || p.key == "closes") && !p.val.empty() {
		if w := c.when(scalarAt{p.val.text, p.val.pos}); w.after != "" {
			c.err(p.val.pos, "", "`%s` is a day, or a day with a time", p.key)
		}
	}
}
