package rulebook

import (
	"strconv"
	"strings"
)

func (s *speaker) procedure(p *Procedure) ExplainedSection {
	out := ExplainedSection{ID: "procedure-" + p.Name, Heading: capital(spaced(p.Name)), Cite: p.Cite}
	add := func(text string) {
		if text != "" {
			out.Points = append(out.Points, Point{Text: text})
		}
	}
	if p.Says.Set() {
		add(s.sentence(p.Says))
	}
	add(s.scope(p))
	out.Points = append(out.Points, s.beginnings(p)...)
	if p.Freeze != nil && p.Freeze.pos.Line > 0 {
		add(s.freeze(p.Freeze))
	}
	for i := range p.Stages {
		out.Points = append(out.Points, s.stage(p, i)...)
	}
	for _, x := range p.StopsOn {
		out.Points = append(out.Points, Point{Text: "If the " + spaced(x.Event) + " comes in between, this run ends: " + s.effects(x.Effects, p, -1)})
	}
	return out
}

// freeze says which day is frozen, and who decides it where somebody does.
func (s *speaker) freeze(e *Expr) string {
	sl := s.b.Slot(e.src)
	if sl == nil {
		return "The freeze date is " + s.value(e) + "."
	}
	out := "The freeze date is decided by " + s.the(&sl.SetBy)
	if sl.Otherwise != nil {
		out += "; if it is not, it is " + s.value(sl.Otherwise)
	}
	return out + "."
}

// scope says where a procedure runs, what it fills and what it takes.
func (s *speaker) scope(p *Procedure) string {
	var parts []string
	if p.In != "" {
		parts = append(parts, "Each run belongs to one "+spaced(p.In)+".")
	}
	if len(p.Fills) > 0 {
		var os []string
		for _, o := range p.Fills {
			os = append(os, spaced(o))
		}
		line := "It fills the office of " + sentenceList(os, "or") + "."
		if len(os) > 1 {
			line = "It fills the office of " + sentenceList(os, "or") + ", each in a run of its own."
		}
		parts = append(parts, line)
	}
	if len(p.Takes) > 0 {
		var ts []string
		for _, t := range p.Takes {
			if t.Is == TakeRun && p.Reaches(t.Name) {
				ts = append(ts, "a run of “"+spaced(t.Of)+"” that is under way")
				continue
			}
			ts = append(ts, s.take(t))
		}
		parts = append(parts, "Whoever calls it supplies "+sentenceList(ts, "and")+".")
	}
	return strings.Join(parts, " ")
}

func (s *speaker) take(t Take) string {
	name := spaced(t.Name)
	switch t.Is {
	case TakeChoice:
		var cs []string
		for _, c := range t.Of2 {
			cs = append(cs, spaced(c))
		}
		return "the " + name + " (" + sentenceList(cs, "or") + ")"
	case TakeText:
		if t.Of == "rulebook" {
			return "the wording of the change"
		}
		return "the wording of the " + spaced(t.Of)
	case TakeOffice:
		return "the " + name + ", who holds the office of " + spaced(t.Of)
	case TakeUnit:
		return "the " + name + ", a " + spaced(t.Of)
	case TakeRun:
		return "a decision under “" + spaced(t.Of) + "”"
	case TakePerson:
		return "the " + name + ", a person"
	}
	return "the " + name
}

func (s *speaker) beginnings(p *Procedure) []Point {
	if len(p.Begins) == 0 {
		return []Point{{Text: "It begins only where another procedure starts it."}}
	}
	if len(p.Begins) == 1 {
		t, c := s.beginning(&p.Begins[0])
		return []Point{{Text: "It begins " + t + ".", Cite: c, Rule: s.value(p.Begins[0].If)}}
	}
	out := []Point{{Text: "It begins in one of these ways:"}}
	for i := range p.Begins {
		t, c := s.beginning(&p.Begins[i])
		label := p.Begins[i].As
		if label == "by" || label == "backed" || label == "every" || label == "event" || label == "vacancy" {
			label = ""
		}
		out = append(out, Point{Depth: 1, Label: capital(spaced(label)), Text: t + ".", Cite: c, Rule: s.value(p.Begins[i].If), key: p.Begins[i].As})
	}
	return out
}

func (s *speaker) beginning(b *Beginning) (text, cite string) {
	switch {
	case b.By != nil:
		text = "when " + s.the(b.By) + " calls it"
	case b.Backed != nil:
		text = "when it is called for by " + s.threshold(b.Backed, "") + ", within " + s.value(b.Window)
		if !b.Kept {
			text += "; support is lost with whoever withdraws or leaves"
		}
		if b.Quiet {
			text += "; how much there is, only officers see until it is enough"
		}
	case b.Every != nil:
		text = "every " + strings.TrimPrefix(s.value(b.Every), "1 ")
	case b.Vacancy == "office":
		text = "when the office falls vacant"
	case b.Vacancy != "":
		text = "when the office of " + spaced(b.Vacancy) + " falls vacant"
	case b.Event != "":
		text = "when the " + spaced(b.Event) + " comes"
	}
	if b.If != nil {
		why := s.sentence(b.Says)
		if why == "" {
			why = s.value(b.If)
		}
		text += ", only if: " + strings.TrimSuffix(why, ".")
	}
	return text, ""
}

// stage puts one stage into words: what is done, when, and what follows.
func (s *speaker) stage(p *Procedure, i int) []Point {
	st := &p.Stages[i]
	text := s.sentence(st.Says)
	if text != "" && !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "?") {
		text += "."
	}
	text = strings.TrimSpace(text + " " + s.doing(p, st) + " " + s.timing(st, i == 0))
	if st.If != nil {
		text += " This stage is held only where " + s.value(st.If) + "."
	}
	out := []Point{{Label: strconv.Itoa(i+1) + ". " + capital(spaced(st.Name)), Text: text, Cite: st.Cite}}
	for _, t := range st.Then {
		out = append(out, Point{Depth: 1, Label: s.outcome(st, t.Outcome), Text: s.effects(t.Effects, p, i)})
	}
	return out
}

func (s *speaker) doing(p *Procedure, st *Stage) string {
	switch st.Kind {
	case Gather:
		return s.gathering(st)
	case Ballot:
		return s.balloting(p, st)
	case Decide:
		return s.deciding(st)
	}
	return s.drawing(st)
}

func (s *speaker) gathering(st *Stage) string {
	var out string
	switch st.Gathers {
	case "candidates":
		if out = "Candidates come forward."; st.Stand != nil {
			out = capital(s.people(st.Stand)) + " can stand."
		}
		if st.Needs != nil {
			out += " A candidate needs the support of " + s.threshold(st.Needs, "") + "."
		}
	case "support":
		out = "Support is gathered. It needs " + s.threshold(st.Needs, "") + "."
		if q := s.b.Procedure(st.Votes); q != nil {
			out += " Each " + spaced(q.In) + " votes by “" + spaced(q.Name) + "”, which begins there when this opens; one too small for a secret ballot says what its meeting counted."
		}
	default:
		out = "People can join as " + plural(st.Gathers) + " for this run."
	}
	if st.Automatic != nil {
		who := strings.ReplaceAll(s.value(st.Automatic), " in this unit", "")
		out += " " + capital(who) + " needs no support."
	}
	if st.Fee != nil {
		out += " The fee is " + s.value(st.Fee) + "."
	}
	if !st.Kept {
		out += " Support is lost when its giver withdraws or leaves."
	}
	return out
}

func (s *speaker) balloting(p *Procedure, st *Stage) string {
	out := capital(s.people(st.Voters)) + " vote " + s.how(st.How)
	switch {
	case constantWord(st.Method) == "exhaustive" && st.Seats != nil && s.value(st.Seats) != "1":
		out += "; counted by successive ballots, the last candidate dropping out until " + s.value(st.Seats) + " are left."
	case st.Method != nil:
		out += "; counted by " + methodText(constantWord(st.Method), s.value(st.Method)) + "."
	case len(st.Options) > 0:
		out += ", for " + optionsText(st.Options) + "."
	case st.Passes != nil:
		out += ". It is carried by " + s.threshold(st.Passes, "") + "."
	default:
		out += "."
	}
	if st.Quorum != nil {
		out += " Quorum: " + s.threshold(st.Quorum, "") + "."
	}
	if st.Seats != nil {
		one, are := s.value(st.Seats) == "1", " are elected."
		switch {
		case p.goesOn(st) && one:
			are = " goes on to the next stage."
		case p.goesOn(st):
			are = " go on to the next stage."
		case one:
			are = " is elected."
		}
		out += " " + capital(s.value(st.Seats)) + are
	}
	for _, t := range st.Paper {
		out += " A valid paper names " + s.quota(t) + "."
	}
	for _, t := range st.Result {
		out += " Among those elected there are " + s.quota(t) + "."
	}
	if st.Interval != nil {
		out += " Candidates may withdraw between two ballots, for which there is an interval of " + s.value(st.Interval) + "."
	}
	if len(st.Scale) > 0 {
		out += " The ranks are worth, from the first: " + scaleText(st.Scale) + " points."
	}
	if st.Minimum != nil {
		out += " If fewer than " + s.value(st.Minimum) + " papers come back in a section, none is opened."
	}
	if st.Revote {
		out += " A vote may be changed until the close."
	}
	switch {
	case st.Method != nil && p.goesOn(st):
		out += " If there are no more candidates than that, they go on without a ballot."
	case st.Method != nil:
		out += " If there are no more candidates than places, they are elected without a ballot."
	}
	return out
}

// goesOn tells whether those whom an election gives are the candidates of the
// stage after it.
func (p *Procedure) goesOn(st *Stage) bool {
	_, i := p.Stage(st.Name)
	_, listed := st.Next("elected")
	return st.Method != nil && !listed && i >= 0 && i < len(p.Stages)-1
}

// SayQuota puts a bound on candidates into words, without what switches it on:
// "at least 6 of whom it holds that the candidate is marked “woman”".
func (b *Book) SayQuota(t *Threshold) string {
	plain := *t
	plain.Cite, plain.When = "", nil
	return (&speaker{b: b}).quota(&plain)
}

// quota reads a threshold on candidates.
func (s *speaker) quota(t *Threshold) string {
	if len(t.All)+len(t.Any) > 0 {
		return s.threshold(t, "")
	}
	out := plainCmp(t.Cmp) + " " + s.value(t.Amount)
	if t.Share {
		out += " of " + denominator(s.value(t.Of))
	}
	if t.Where != nil {
		out += " of whom it holds that " + s.value(t.Where)
	}
	if t.When != nil {
		out += " (where " + s.value(t.When) + ")"
	}
	return out
}

func optionsText(options []string) string {
	var out []string
	for _, o := range options {
		out = append(out, "“"+spaced(o)+"”")
	}
	return sentenceList(out, "or")
}

func methodText(id, text string) string {
	switch id {
	case "av":
		return "the alternative vote"
	case "exhaustive":
		return "successive ballots, the last candidate dropping out until one has more than half of the votes cast"
	case "plurality":
		return "plurality: the most votes win"
	case "plurality-at-large":
		return "plurality at large: as many marks as places, the most votes win"
	case "approval":
		return "approval: any number of marks, the most votes win"
	case "scottish-stv":
		return "the single transferable vote, by the Scottish rules"
	case "ers97":
		return "the single transferable vote, by the rules of 1997 of the Electoral Reform Society"
	}
	return text
}

func (s *speaker) deciding(st *Stage) string {
	out := capital(s.the(st.By))
	switch {
	case len(st.Options) == 1:
		out += " reports when it is done."
	case len(st.Options) > 0:
		out += " decides: " + optionsText(st.Options) + "."
	case len(st.Pick) > 0:
		var parts []string
		for _, t := range st.Pick {
			parts = append(parts, s.quota(t))
		}
		out += " picks among the candidates: " + strings.Join(parts, "; and ") + "."
	default:
		out += " decides for or against."
	}
	if st.How != nil {
		out += " It votes " + s.how(st.How) + "."
	}
	if st.Passes != nil {
		out += " It is carried by " + s.threshold(st.Passes, "") + "."
	}
	if st.Quorum != nil {
		out += " Quorum: " + s.threshold(st.Quorum, "") + "."
	}
	if st.Otherwise != "" {
		out += " Silence counts as “" + spaced(st.Otherwise) + "”."
	}
	return out
}

func (s *speaker) drawing(st *Stage) string {
	out := capital(s.value(st.DrawSeats)) + " are drawn by lot from " + s.people(st.Pool)
	if st.Where != nil {
		out += ", where " + s.value(st.Where)
	}
	if st.Spread != "" {
		out += ", spread evenly over the " + plural(st.Spread)
	}
	out += "."
	for _, t := range st.Result {
		out += " Among them there are " + s.quota(t) + "."
	}
	if st.Into != "" {
		out += " They form the " + spaced(st.Into) + "."
	}
	return out
}

// timing says when a stage opens and closes.
func (s *speaker) timing(st *Stage, first bool) string {
	opens := ""
	switch {
	case st.Opens != nil:
		opens = "It opens " + onDay(s.value(st.Opens))
		if st.Notice != nil {
			opens += ", announced " + s.value(st.Notice) + " before,"
		}
	case st.Notice != nil && first:
		opens = "It opens " + s.value(st.Notice) + " after the call"
	case st.Notice != nil:
		opens = "It opens " + s.value(st.Notice) + " after the stage before has ended"
	}
	closes := ""
	switch {
	case st.Window != nil:
		closes = "is open for " + s.value(st.Window)
	case st.Closes != nil:
		closes = "closes " + onDay(s.value(st.Closes))
	}
	switch {
	case opens == "" && closes == "":
		return ""
	case opens == "":
		return "It " + closes + "."
	case closes == "":
		return strings.TrimSuffix(opens, ",") + "."
	}
	return opens + " and " + closes + "."
}

// onDay puts the word on before a day that is named, and none before one that is
// counted: "on the next conference", "3 weeks after the call".
func onDay(when string) string {
	if when != "" && when[0] >= '0' && when[0] <= '9' && strings.Contains(when, " after ") || strings.Contains(when, " before ") {
		return when
	}
	return "on " + when
}

// outcome names an outcome of a stage as the beginning of a sentence.
func (s *speaker) outcome(st *Stage, o string) string {
	short := o == "short"
	switch {
	case o != "enough" && !short:
		return outcomeText(o)
	case st.Kind == Draw:
		return "If there are too few"
	case st.Kind == Ballot:
		return "If nobody stands"
	case st.Kind == Decide && short:
		return "If too few are picked"
	case st.Kind == Decide:
		return "Whoever is picked"
	case st.Gathers == "candidates" && st.Needs == nil && short:
		return "If nobody stands"
	case st.Gathers == "candidates" && st.Needs == nil:
		return "If somebody stands"
	case st.Gathers == "candidates" && short:
		return "If nobody has enough support"
	case short:
		return "If there is not enough support"
	}
	return "If there is enough support"
}

func outcomeText(o string) string {
	switch o {
	case "carried":
		return "If carried"
	case "lost":
		return "If lost"
	case "elected":
		return "Whoever is elected"
	case "inquorate":
		return "Without a quorum"
	case "doubted":
		return "If the chair's judgement is doubted"
	case "silence":
		return "If nothing is decided in time"
	case "drawn":
		return "When they are drawn"
	case "done":
		return "Then"
	}
	return "If “" + spaced(o) + "”"
}

// effects puts what follows an outcome into words.
func (s *speaker) effects(list []Effect, p *Procedure, stage int) string {
	var parts []string
	for i := range list {
		e := &list[i]
		t := s.effect(e, p, stage)
		if e.If != nil {
			t += " (only where " + s.value(e.If) + ")"
		}
		parts = append(parts, t)
	}
	out := ""
	for _, t := range parts {
		switch {
		case out == "":
			out = t
		case strings.HasSuffix(out, "."):
			out += " " + capital(t)
		default:
			out += "; " + t
		}
	}
	if out != "" && !strings.HasSuffix(out, ".") {
		out += "."
	}
	return out
}

// handedOver says what a started procedure is given.
func (s *speaker) handedOver(e *Effect) string {
	out := ""
	if e.In != nil {
		out = " in " + s.value(e.In)
	}
	var args []string
	for _, a := range e.With {
		args = append(args, spaced(a.Name)+" ("+s.value(a.Value)+")")
	}
	if len(args) > 0 {
		out += ", with " + sentenceList(args, "and")
	}
	return out
}

func (s *speaker) effect(e *Effect, p *Procedure, stage int) string {
	name := spaced(e.Target)
	whom := s.value(e.Whom)
	switch e.Do {
	case DoFill:
		office := "the office of " + name
		if e.Target == "office" {
			office = "the office"
		}
		if whom != "" {
			return whom + " takes " + office
		}
		return "takes " + office
	case DoVacate:
		if e.Target == "office" {
			return "the office falls vacant"
		}
		return "the office of " + name + " falls vacant"
	case DoAdopt:
		out := "it is adopted as " + sortOf(name).article()
		if e.Target == "rulebook" {
			out = "the change becomes part of this rulebook"
		}
		if e.InForce != nil {
			out += ", in force from " + s.value(e.InForce)
		}
		return out
	case DoImpose:
		return name + " of " + whom + ", until " + s.value(e.Until)
	case DoLift:
		return "any " + name + " of " + whom + " is lifted"
	case DoAdmit:
		return "admission as " + name
	case DoRelease:
		if e.Target == "here" {
			return "the " + spaced(p.In) + " leaves"
		}
		return "no longer belongs as " + name
	case DoStart:
		return "“" + name + "” begins" + s.handedOver(e)
	case DoStop:
		return "“" + name + "” ends"
	case DoStay:
		return "“" + name + "” is stayed"
	case DoResume:
		return "“" + name + "” goes on"
	case DoSetAside:
		return "the " + strings.TrimPrefix(name, "the ") + " is set aside"
	case DoReport:
		return "this is the word of the " + spaced(p.In)
	case DoNothing:
		return s.sentence(e.Says)
	case DoGo:
		if _, to := p.Stage(e.Target); to >= 0 && to <= stage {
			return "“" + name + "” is held again"
		}
		return "it goes on with “" + name + "”"
	case DoEnd:
		return "the outcome is “" + name + "”"
	}
	return string(e.Do) + " " + name
}
