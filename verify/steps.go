package verify

import (
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// promptness is how long after a decision its entry may be written: the writer
// takes what waits in batches.
const promptness = 60_000

// latency is the same for acts that carry no time of their own: from the
// decision to the entry.
const latency = 500

// prompt checks that an act carries the time at which it was entered, so that
// nothing can be dated back.
func (v *verifier) prompt(e *entry, at int64) bool {
	now := e.at.UnixMilli()
	return v.Check(CheckTimes).must(at <= now && now-at < promptness, e.seq, "it was entered at another time than it says")
}

// openedAt is the entry that opened a gathering, last: support given before it
// was for an earlier pass.
func (r *run) openedAt(stage string) int64 { return r.opened[stage] }

// stage checks a stage that is announced, opened or closed.
func (v *verifier) stage(e *entry, r *run, b *proceeding.StageBody) {
	v.instant(e, b.At)
	rule, i := r.proc.Stage(b.Stage)
	if !v.Check(CheckSteps).must(rule != nil && i < len(r.st.Stages), e.seq, "%s has no stage %q", r.st.Procedure, b.Stage) {
		return
	}
	s := v.scope(e, r, b.At)
	switch e.head.Kind {
	case proceeding.KindComing:
		v.coming(e, r, s, rule, i, b)
	case proceeding.KindOpened:
		v.opening(e, r, s, rule, i, b)
	case proceeding.KindClosed, proceeding.KindChosen:
		v.closing(e, r, s, rule, i, b)
	}
}

// coming checks that a stage follows, and that its times are those of the
// rulebook.
func (v *verifier) coming(e *entry, r *run, s *scope, rule *rulebook.Stage, i int, b *proceeding.StageBody) {
	c := v.Check(CheckSteps)
	c.must(i == r.st.Current+1 || i == r.st.Current || leadsTo(r.proc, rule.Name), e.seq, "%s does not follow", spaced(rule.Name))
	if now := r.st.Now(); now != nil && i != r.st.Current {
		c.must(now.Status == proceeding.Closed || now.Status == proceeding.Skipped, e.seq, "%s is announced before %s has closed", spaced(rule.Name), spaced(now.Name))
	}
	if b.Skipped {
		c.must(rule.If != nil, e.seq, "%s is passed over, which the rulebook does not allow", spaced(rule.Name))
		return
	}
	if b.How != "" {
		ballot := proceeding.AsBallot(r.book, rule)
		how, err := ballot.How.Words(s)
		v.Check(CheckBallots).must(rule.Kind == rulebook.Decide && err == nil && how == b.How, e.seq, "it is decided by a ballot (%s) where the rulebook has none", b.How)
		rule = &ballot
	}
	if b.Opens == 0 { // waits for a discretion; announced again when it is used
		return
	}
	if rule.Kind == rulebook.Ballot && rule.Method != nil {
		seats := s.seats(rule)
		if seats == notPublic && b.Opens == b.At || len(r.st.Standing()) <= seats {
			return // no ballot is held: it opens and closes at once
		}
	}
	opens, closes, err := s.window(rule, b.At)
	v.Check(CheckTimes).must(err == nil && b.Opens == opens && b.Closes == closes, e.seq, "%s is announced from %s to %s; by the rulebook it is from %s to %s", spaced(rule.Name), show(b.Opens), show(b.Closes), show(opens), show(closes))
}

// leadsTo tells whether an outcome of the procedure goes on to a stage.
func leadsTo(p *rulebook.Procedure, stage string) bool {
	for i := range p.Stages {
		for _, t := range p.Stages[i].Then {
			if slices.ContainsFunc(t.Effects, func(f rulebook.Effect) bool { return f.Do == rulebook.DoGo && f.Target == stage }) {
				return true
			}
		}
	}
	return false
}

func show(ms int64) string {
	if ms == 0 {
		return "its result"
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05Z")
}

// window is when a stage opens and closes, given when what was before ended.
func (s *scope) window(r *rulebook.Stage, prev int64) (opens, closes int64, err error) {
	cal := s.cal()
	at := time.UnixMilli(prev).UTC()
	if r.Notice != nil {
		span, err := r.Notice.Span(s)
		if err != nil {
			return 0, 0, err
		}
		at = cal.Opens(cal.Instant(at), span)
	}
	if r.Opens != nil {
		m, err := r.Opens.Moment(s)
		if err != nil {
			return 0, 0, err
		}
		// A fixed day does not cut the notice short.
		if r.Notice == nil || m.Start().After(at) {
			at = m.Start()
		}
		if at.UnixMilli() < prev {
			at = time.UnixMilli(prev).UTC()
		}
	}
	if r.Closes != nil {
		m, err := r.Closes.Moment(s)
		if err != nil {
			return 0, 0, err
		}
		closes = m.End().UnixMilli()
	} else if r.Window != nil {
		span, err := r.Window.Span(s)
		if err != nil {
			return 0, 0, err
		}
		closes = cal.Closes(at, span).UnixMilli()
	}
	return at.UnixMilli(), closes, nil
}

// opening checks that a stage opens when it was announced to, and counts the
// denominators of its gate.
func (v *verifier) opening(e *entry, r *run, s *scope, rule *rulebook.Stage, i int, b *proceeding.StageBody) {
	st := &r.st.Stages[i]
	v.Check(CheckSteps).must(i == r.st.Current && st.Status == proceeding.Coming, e.seq, "%s opens without having been announced", spaced(rule.Name))
	v.Check(CheckTimes).must(b.At >= st.Opens && b.Opens == st.Opens, e.seq, "%s opens at another time than was announced", spaced(rule.Name))
	if rule.Kind == rulebook.Ballot || rule.Kind == rulebook.Draw {
		v.Check(CheckSteps).must(r.frozen != nil, e.seq, "the ballot or draw opens without a roll")
		return
	}
	v.Check(CheckTimes).must(b.Closes == st.Closes, e.seq, "%s closes at another time than was announced", spaced(rule.Name))
	r.opened[rule.Name] = e.seq
	r.automatic = nil
	if rule.Kind == rulebook.Gather && rule.Gathers == "candidates" && rule.Automatic != nil {
		if list, err := rule.Automatic.People(s); err == nil {
			for _, p := range list {
				r.automatic = append(r.automatic, register.PersonID(p.Key()))
			}
		}
	}
	if rule.Kind == rulebook.Gather && rule.Needs != nil {
		v.bases(e, s, rule.Needs, b.Bases)
	}
}

// closing checks that a stage closes in time and with the outcome that follows.
func (v *verifier) closing(e *entry, r *run, s *scope, rule *rulebook.Stage, i int, b *proceeding.StageBody) {
	c := v.Check(CheckSteps)
	st := &r.st.Stages[i]
	if !c.must(i == r.st.Current, e.seq, "%s closes and is not the stage that is on", spaced(rule.Name)) {
		return
	}
	switch rule.Kind {
	case rulebook.Gather:
		c.must(st.Status == proceeding.Open, e.seq, "%s closes and was not open", spaced(rule.Name))
		v.Check(CheckTimes).must(st.Closes == 0 || b.At >= st.Closes, e.seq, "%s closes early", spaced(rule.Name))
		v.gateClosed(e, r, s, rule, b)
	case rulebook.Decide:
		v.decided(e, r, s, rule, st, b)
	case rulebook.Draw:
		c.must(st.Status == proceeding.Open, e.seq, "%s closes and was not open", spaced(rule.Name))
		v.drawn(e, r, rule, st, b)
	case rulebook.Ballot:
		last := len(r.st.Ballots) - 1
		held := last >= 0 && r.st.Ballots[last].Stage == i && r.st.Ballots[last].Counted != 0 && r.st.Ballots[last].Outcome == b.Outcome
		c.must(held || r.unopposed, e.seq, "the ballot stage closes without that result")
	}
}

// gateClosed checks the gate as it stood at the close.
func (v *verifier) gateClosed(e *entry, r *run, s *scope, rule *rulebook.Stage, b *proceeding.StageBody) {
	c := v.Check(CheckGates)
	g := gathering{t: rule.Needs, stage: rule.Name}
	if st := r.st.StageNamed(rule.Name); st.Gather != nil {
		g.bases = st.Gather.Bases
	}
	want := "done"
	switch rule.Gathers {
	case "candidates":
		through := v.candidatesGate(e, r, s, g, b)
		c.must(slices.Equal(through, b.Through), e.seq, "those who go on are not those who reached the gate")
		want = map[bool]string{true: "enough", false: "short"}[len(through) > 0]
	case "support":
		met := len(b.Gate) == 1 && v.gate(e, r, s, g, b.Gate[0], 0)
		c.must(len(b.Gate) == 1 && b.Gate[0].Met == met, e.seq, "it says that its gate was reached: %v", !met)
		want = map[bool]string{true: "enough", false: "short"}[met]
	}
	c.must(b.Outcome == want, e.seq, "its outcome %q is not what its gate gives (%s)", b.Outcome, want)
}

// candidatesGate measures each candidate's support; who fell short has no
// name in public.
func (v *verifier) candidatesGate(e *entry, r *run, s *scope, g gathering, b *proceeding.StageBody) []register.PersonID {
	c := v.Check(CheckGates)
	for _, p := range r.automatic {
		cand := r.st.Candidate(p)
		gone := cand != nil && (cand.Status == proceeding.Declined || cand.Status == proceeding.Withdrawn)
		early := cand == nil && !v.full && r.st.Stages[r.st.Current].Pass > 1 // may have declined before, which only officers read
		c.must(gone || early || cand != nil && cand.Automatic, e.seq, "%s is a candidate without nominations by the rulebook, and has been left out", v.org.names[p])
	}
	standing := r.st.Standing()
	if v.full {
		v.Check(CheckGateAgain).must(len(standing) == len(b.Gate), e.seq, "it measures %d candidates; %d stand", len(b.Gate), len(standing))
	}
	var through []register.PersonID
	for i, x := range b.Gate {
		id := x.For
		if v.full && i < len(standing) {
			id = standing[i].ID
		}
		met := v.gate(e, r, s, g, x, id)
		c.must(x.Met == (met || x.Auto), e.seq, "it says of a candidate: through %v; by the figures: %v", x.Met, met || x.Auto)
		if !x.Met {
			v.Check(CheckPrivacy).must(x.For == 0 && x.Name == "", e.seq, "it names somebody who fell short")
			continue
		}
		cand := r.st.Candidate(x.For)
		fine := cand != nil && x.For == id && cand.Name == x.Name && cand.Automatic == x.Auto && (cand.Status == proceeding.Accepted || cand.Status == proceeding.Proposed)
		c.must(fine, e.seq, "%s goes on, who does not stand", x.Name)
		through = append(through, x.For)
	}
	return through
}

// decided checks what an office or a body chose, or what holds where it was
// silent.
func (v *verifier) decided(e *entry, r *run, s *scope, rule *rulebook.Stage, st *proceeding.Stage, b *proceeding.StageBody) {
	c := v.Check(CheckSteps)
	c.must(st.Status == proceeding.Open, e.seq, "%s is decided and was not open", spaced(rule.Name))
	if b.By == "" {
		want := rule.Otherwise
		if want == "" {
			want = "silence"
		}
		late := st.Closes != 0 && b.At >= st.Closes
		v.Check(CheckTimes).must(late && b.Outcome == want, e.seq, "%s ends without a decision before its time, or otherwise than the rulebook says", spaced(rule.Name))
		return
	}
	c.must(rule.By != nil && b.By == rule.By.Name, e.seq, "%s is not for %s to decide", spaced(rule.Name), spaced(b.By))
	options := rule.Options
	if len(options) == 0 {
		options = []string{"carried", "lost"}
	}
	if len(rule.Pick) > 0 {
		options = []string{"enough", "short"}
		for _, p := range b.Through {
			cand := r.st.Candidate(p)
			c.must(cand != nil && (cand.Status == proceeding.Accepted || cand.Status == proceeding.Proposed), e.seq, "somebody is picked who does not stand")
		}
	}
	c.must(slices.Contains(options, b.Outcome), e.seq, "%q is not among %s", b.Outcome, strings.Join(options, ", "))
	v.bodyVote(e, r, s, rule, b)
}

// bodyVote measures the figures of a body's vote against how it decides.
func (v *verifier) bodyVote(e *entry, r *run, s *scope, rule *rulebook.Stage, b *proceeding.StageBody) {
	dec := proceeding.DecidesBy(r.book, rule.By)
	if dec == nil || len(b.Votes) == 0 {
		return
	}
	f := map[string]int64{}
	for k, n := range b.Votes {
		f[k] = n
		if !slices.Contains([]string{"present", "papers", "abstain", "spoilt"}, k) {
			f["cast"] += n
		}
	}
	option := b.Outcome
	switch {
	case len(rule.Pick) > 0:
		option = "for" // a list is put as one
	case len(rule.Options) == 0:
		option = map[string]string{"carried": "for", "lost": "against"}[b.Outcome]
	}
	f["for"] = f[option]
	if _, given := b.Votes["papers"]; !given {
		f["papers"] = f["cast"] + f["abstain"] + f["spoilt"]
	}
	if f["present"] == 0 {
		f["present"] = f["papers"]
	}
	c := v.Check(CheckResults)
	if n, known := s.sitting(v, rule.By, dec); known {
		f["entitled"] = n
	}
	quorum, passes := dec.Quorum, dec.Passes
	if rule.Quorum != nil {
		quorum = rule.Quorum
	}
	if rule.Passes != nil {
		passes = rule.Passes
	}
	quorate, ok1 := s.passes(quorum, f)
	carried, ok2 := s.passes(passes, f)
	lost := rule.By.Kind == rulebook.WhoUnit && option == "against"
	c.must((!ok1 || !ok2) && !v.full || ok1 && quorate && (lost || ok2 && carried), e.seq, "the %s decided %q without its quorum or its majority", spaced(b.By), b.Outcome)
	v.namedVotes(e, s, rule, b)
}

// sitting is how many could vote where a body or a unit decides; known is false
// where only the register says, which a public bundle does not have.
func (s *scope) sitting(v *verifier, by *rulebook.Who, dec *rulebook.Decides) (n int64, known bool) {
	if by.Kind == rulebook.WhoUnit {
		if dec.Ballot == nil || !v.full {
			return 0, dec.Ballot == nil
		}
		n, err := s.everybody(*dec.Ballot)
		return n, err == nil
	}
	list, err := s.members(*by)
	return int64(len(list)), err == nil
}

// namedVotes checks votes by name of a body: each is a member's, each has one,
// and the figures are theirs.
func (v *verifier) namedVotes(e *entry, s *scope, rule *rulebook.Stage, b *proceeding.StageBody) {
	if len(b.Named) == 0 {
		return
	}
	list, err := s.members(*rule.By)
	c := v.Check(CheckResults)
	counted := map[string]int64{}
	seen := map[register.PersonID]bool{}
	for _, x := range b.Named {
		p, _, ok := unkey(x.Voter)
		c.must(err == nil && ok && slices.Contains(list, p) && !seen[p], e.seq, "%s votes by name and does not sit in the %s, or votes twice", x.Name, spaced(b.By))
		seen[p] = true
		counted[x.Choice]++
	}
	for k, n := range counted {
		c.must(b.Votes[k] == n, e.seq, "%d voted %q by name; it says %d", n, k, b.Votes[k])
	}
}

// candidate checks what becomes of a candidate.
func (v *verifier) candidate(e *entry, r *run, b *proceeding.CandidateBody) {
	c := v.Check(CheckSteps)
	v.instant(e, b.At)
	now := r.st.Now()
	if !c.must(now != nil && r.st.OpenBallot() == nil, e.seq, "candidates are not taken or withdrawn now") {
		return
	}
	rule := &r.proc.Stages[r.st.Current]
	cand := r.st.Candidate(b.Candidate.ID)
	s := v.scope(e, r, b.At)
	switch e.head.Kind {
	case proceeding.KindAccepted:
		c.must(rule.Kind == rulebook.Gather && rule.Gathers == "candidates", e.seq, "no candidates are gathered now")
		if b.Automatic {
			var list []rulebook.Person
			if rule.Automatic != nil {
				list, _ = rule.Automatic.People(s)
			}
			c.must(slices.ContainsFunc(list, func(p rulebook.Person) bool { return p.Key() == int64(b.Candidate.ID) }), e.seq, "%s is a candidate without nominations, which the rulebook does not say", b.Candidate.Name)
		} else if v.full {
			c.must(cand != nil, e.seq, "%s was not proposed by anybody", b.Candidate.Name)
		}
	case proceeding.KindProposed:
		if rule.Stand != nil {
			in, err := s.oneOf(b.Candidate.ID, 0, rule.Stand)
			v.Check(CheckSupport).must(err == nil && in, e.seq, "the rulebook does not let this candidate stand")
		}
	case proceeding.KindWithdrew, proceeding.KindDeclined:
		if v.full || e.head.Kind == proceeding.KindWithdrew {
			c.must(cand != nil && (cand.Status == proceeding.Accepted || cand.Status == proceeding.Proposed), e.seq, "%s is no candidate", b.Candidate.Name)
		}
	}
}

// passes measures figures of a vote against a threshold; ok is false where it
// cannot be measured.
func (s *scope) passes(t *rulebook.Threshold, f map[string]int64) (met, ok bool) {
	if !s.applies(t) {
		return true, true
	}
	parts, all := t.All, true
	if len(t.Any) > 0 {
		parts, all = t.Any, false
	}
	if len(parts) > 0 {
		met = all
		held := 0
		for _, p := range parts {
			if !s.applies(p) {
				continue
			}
			held++
			m, fine := s.passes(p, f)
			if !fine {
				return false, false
			}
			if all {
				met = met && m
			} else {
				met = met || m
			}
		}
		return met || held == 0, true
	}
	amount, err := t.Amount.Number(s)
	if err != nil {
		return false, false
	}
	needs := amount
	if t.Share {
		of, err := t.Of.Words(s)
		n, known := f[of]
		if err != nil || !known {
			return false, false
		}
		needs = rounded(new(big.Rat).Mul(amount, new(big.Rat).SetInt64(n)), t.Round)
		if n == 0 {
			needs = ofNobody(t, of, amount, needs)
		}
	}
	counted := t.Count
	if counted == "" {
		counted = "for"
	}
	cmp := new(big.Rat).SetInt64(f[counted]).Cmp(needs)
	switch t.Cmp {
	case rulebook.MoreThan:
		return cmp > 0, true
	case rulebook.AtMost:
		return cmp <= 0, true
	}
	return cmp >= 0, true
}
