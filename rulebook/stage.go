package rulebook

import "slices"

// stage reads one stage; ok is false where it cannot be told what it does.
func (d *decoder) stage(n *node, in place, sig *procSig) (Stage, bool) {
	var kind StageKind
	for _, k := range []StageKind{Gather, Ballot, Decide, Draw} {
		if n.get(string(k)) == nil {
			continue
		}
		if kind != "" {
			d.c.err("unknown-key", n.pos, "Make two stages of it.", "a stage does one thing; this has `%s` and `%s`", kind, k)
			return Stage{}, false
		}
		kind = k
	}
	if kind == "" {
		if n.form != mapping {
			d.keys(n, fBallot, "a stage")
			return Stage{}, false
		}
		d.c.err("missing", n.pos, "Say gather, ballot, decide or draw.", "a stage has to do something")
		return Stage{}, false
	}
	what := "a stage that says `" + string(kind) + "`"
	d.keys(n, string(kind), what)
	out := Stage{Kind: kind, Named: d.named(d.str(n.get("stage"), "`stage`"), n.pos, n, in)}
	out.If = d.expr(n.get("if"), "if", in, kFlag)
	out.Opens = d.expr(n.get("opens"), "opens", in, kMoment)
	out.Notice = d.expr(n.get("notice"), "notice", in, kSpan)
	out.Window = d.expr(n.get("window"), "window", in, kSpan)
	out.Closes = d.expr(n.get("closes"), "closes", in, kMoment)
	if n.get("window") != nil && n.get("closes") != nil {
		d.c.err("unknown-key", n.get("closes").pos, "Keep one of the two.", "a stage has a `window` or says when it `closes`")
	}
	switch kind {
	case Gather:
		d.gather(n, &out, in, sig)
	case Ballot:
		d.ballot(n, &out, in)
	case Decide:
		d.decideStage(n, &out, in, sig)
	case Draw:
		d.draw(n, &out, in)
	}
	for _, p := range n.get("then").all() {
		out.Then = append(out.Then, Then{Outcome: p.key, Effects: d.effects(p.val, in, sig), Pos: p.pos})
	}
	return out, true
}

func (d *decoder) gather(n *node, out *Stage, in place, sig *procSig) {
	g := n.get("gather")
	switch g.text {
	case "candidates", "support":
		out.Gathers = g.text
	default:
		if out.Gathers = d.str(g, "`gather`"); !d.sy.is(out.Gathers, aClass) {
			d.dead(g.pos, out.Gathers, append(d.sy.known(aClass), "candidates", "support"))
		}
		d.used[out.Gathers] = true
	}
	out.Stand = d.who(n.get("stand"), "stand")
	out.Needs = d.threshold(n.get("needs"), gateContext{place: in, gate: true, pick: out.Gathers == "candidates"})
	out.Automatic = d.expr(n.get("automatic"), "automatic", in, kPeople, kPerson)
	out.Kept = d.yesNo(n.get("kept"), true)
	out.Fee = d.expr(n.get("fee"), "fee", in, kMoney)
	if v := n.get("votes"); v != nil {
		if out.Votes = d.ref(v, "votes", aProcedure); out.Gathers != "support" {
			d.c.err("votes", v.pos, "Let it gather `support`.", "only where support is gathered can each unit vote by a ballot of its own")
		}
	}
	if n.get("window") == nil && n.get("closes") == nil {
		d.c.err("endless", out.Pos, "Add `window: 14 days`, or say when it `closes`.", "stage `%s` has no end", out.Name)
	}
	if out.Gathers == "support" && n.get("needs") == nil {
		d.c.err("missing", out.Pos, "Add `needs`.", "support is gathered in stage `%s`, but not said how much is needed", out.Name)
	}
}

func (d *decoder) ballot(n *node, out *Stage, in place) {
	out.Voters = d.who(n.get("ballot"), "ballot")
	out.How = d.choice(n.get("how"), "how", waysOfVoting())
	out.Passes = d.threshold(n.get("passes"), gateContext{place: in})
	out.Quorum = d.threshold(n.get("quorum"), gateContext{place: in})
	if m := n.get("method"); m != nil {
		if out.Method = d.choice(m, "method", Methods()); out.Method == nil {
			// it stays an election, so that its outcomes are not complained of too
			out.Method = literalExpr(m.text, m.pos, typ{k: kWords}, Value{})
		}
	}
	out.Seats = d.seatsWritten(n.get("seats"), in)
	out.Paper = d.thresholds(n.get("paper"), gateContext{place: in, pick: true})
	out.Result = d.thresholds(n.get("result"), gateContext{place: in, pick: true})
	out.Options = d.texts(n.get("options"), "an option")
	out.Revote = d.yesNo(n.get("revote"), false)
	out.Interval = d.expr(n.get("interval"), "interval", in, kSpan)
	out.Minimum = d.expr(n.get("minimum"), "minimum", in, kNumber)
	d.scale(n.get("scale"), out)
	d.ballotParts(n, out)
}

// ballotParts checks that a ballot is a vote, an election or a choice
// between options, and has what goes with it.
func (d *decoder) ballotParts(n *node, out *Stage) {
	how := constantWord(out.How)
	election := n.get("method") != nil
	switch {
	case election && n.get("passes") != nil:
		d.c.err("unknown-key", n.get("passes").pos, "Keep `method` for an election, `passes` for a vote.", "an election has no `passes`: its method says who is elected")
	case election && n.get("options") != nil:
		d.c.err("unknown-key", n.get("options").pos, "Keep one of the two.", "an election has no `options`")
	case how == "judged" && n.get("passes") != nil:
		d.c.err("judged", n.get("passes").pos, "Let it be counted, or leave `passes` out.", "the chair judges without numbers; `passes` cannot be tested")
	case how == "judged" && n.get("quorum") != nil && countsPapers(out.Quorum):
		d.c.err("judged", n.get("quorum").pos, "Let the quorum count who is `present`.", "the chair judges without numbers; this quorum cannot be tested")
	case how == "judged" && election:
		d.c.err("judged", n.get("method").pos, "Let it be counted.", "the chair judges without numbers; an election cannot be judged")
	case !election && n.get("options") == nil && n.get("passes") == nil && how != "judged" && n.get("how") != nil:
		d.c.err("missing", out.Pos, "Add `passes: {more_than: 1/2, of: cast}`, or `method` for an election.", "the vote `%s` does not say what a majority is", out.Name)
	}
	if !election {
		for _, k := range []string{"seats", "paper", "result"} {
			if x := n.get(k); x != nil {
				d.c.err("unknown-key", x.pos, "Add `method` if it is an election.", "a vote has no `%s`", k)
			}
		}
	}
	if x := n.get("minimum"); x != nil {
		if v, ok := out.Minimum.Literal(); ok && v.Number != nil && (!v.Number.IsInt() || v.Number.Sign() <= 0) {
			d.c.err("type", x.pos, "Write a number of papers, as in `minimum: 10`.", "`minimum` is a whole number from 1")
		}
		if !out.maySecret() {
			d.c.err("unknown-key", x.pos, "Leave it out, or let the ballot be a `box` or `sealed`.", "only a secret ballot has a `minimum`")
		}
	}
	if x := n.get("interval"); x != nil && constantWord(out.Method) != "exhaustive" {
		d.c.err("unknown-key", x.pos, "Leave it out.", "only the method exhaustive has rounds with an `interval` between them")
	}
}

func countsPapers(t *Threshold) bool { return t != nil && t.Count != "present" }

// constantWord gives a word that is written out, and "" for a slot.
func constantWord(e *Expr) string {
	if v, ok := e.Literal(); ok {
		return v.Words
	}
	return ""
}

// Methods are the ids of the counting methods that an election can name. A
// vote for and against names none: its `passes` is the method.
func Methods() []string {
	return []string{
		"plurality", "plurality-at-large", "approval", "points", "av", "av-sequential", "exhaustive", "college",
		"scottish-stv", "ers97", "meek", "meek-nz", "meek-prf", "wigm-prf",
		"schulze", "ranked-pairs", "minimax", "debian",
	}
}

func (d *decoder) decideStage(n *node, out *Stage, in place, sig *procSig) {
	out.By = d.actor(n.get("decide"), "decide", sig.in)
	out.Options = d.texts(n.get("options"), "an option")
	out.Pick = d.thresholds(n.get("pick"), gateContext{place: in, pick: true})
	out.Otherwise = d.str(n.get("otherwise"), "`otherwise`")
	if h := n.get("how"); h != nil {
		out.How = d.choice(h, "how", waysOfVoting())
	}
	out.Passes = d.threshold(n.get("passes"), gateContext{place: in})
	out.Quorum = d.threshold(n.get("quorum"), gateContext{place: in})
	if n.get("pick") != nil && n.get("options") != nil {
		d.c.err("unknown-key", n.get("options").pos, "Keep one of the two.", "who picks candidates has no `options`")
	}
	if n.get("window") == nil && n.get("closes") == nil {
		d.c.err("endless", out.Pos, "Add `window: 14 days`, or say when it `closes`.", "stage `%s` has no end", out.Name)
	}
	if o := n.get("otherwise"); o != nil && out.Otherwise != "" {
		known := decideOutcomes(out)
		if !slices.Contains(known, out.Otherwise) {
			d.c.err("otherwise", o.pos, orElse(didYouMean(out.Otherwise, known), "Write "+sentenceList(known, "or")+"."), "`%s` is not one of the outcomes", out.Otherwise)
		}
	}
}

// decideOutcomes are what a decision can be, silence apart.
func decideOutcomes(s *Stage) []string {
	switch {
	case len(s.Options) > 0:
		return s.Options
	case len(s.Pick) > 0:
		return []string{"enough", "short"}
	}
	return []string{"carried", "lost"}
}

func (d *decoder) draw(n *node, out *Stage, in place) {
	out.Pool = d.who(n.get("draw"), "draw")
	inner := in.with(d.inQuestion(out.Pool))
	inner.vars["person"] = typ{k: kPerson}
	out.Where = d.expr(n.get("where"), "where", inner, kFlag)
	out.DrawSeats = d.seatsWritten(n.get("seats"), in)
	out.Spread = d.ref(n.get("spread"), "spread", aUnit)
	out.Result = d.thresholds(n.get("result"), gateContext{place: in, pick: true})
	out.Into = d.ref(n.get("into"), "into", aBody)
	if out.Into != "" {
		if b := d.b.Body(out.Into); b != nil && !b.Drawn {
			d.c.err("dead", n.get("into").pos, "Say `drawn: true` in the body.", "`%s` is not drawn by lot", out.Into)
		}
	}
}

// Outcomes gives what can come out of the stage, in a fixed order.
func (s *Stage) Outcomes() []string {
	var out []string
	switch s.Kind {
	case Gather:
		if s.Gathers != "candidates" && s.Gathers != "support" {
			return []string{"done"}
		}
		return []string{"enough", "short"}
	case Draw:
		return []string{"drawn", "short"}
	case Decide:
		out = append(out, decideOutcomes(s)...)
		if s.Otherwise == "" {
			out = append(out, "silence")
		}
		return out
	}
	switch {
	case s.Method != nil:
		out = []string{"elected"}
	case len(s.Options) > 0:
		out = append(out, s.Options...)
	default:
		out = []string{"carried", "lost"}
	}
	if s.Quorum != nil {
		out = append(out, "inquorate")
	}
	if constantWord(s.How) == "judged" {
		out = append(out, "doubted")
	}
	return out
}

// maySecret tells whether a ballot can be secret: as written, or as somebody
// decides.
func (s *Stage) maySecret() bool {
	if s.Kind != Ballot {
		return false
	}
	how := constantWord(s.How)
	return how == "" || how == "box" || how == "sealed"
}
