package proceeding

import (
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// maxSteps bounds how many stages one command can go through, so that a
// rulebook whose stages skip in a circle ends in a refusal and not in a loop.
const maxSteps = 200

// times gives when a stage opens and closes, given when the one before it
// ended. Closes is 0 where the stage ends with its result.
func (d *decider) times(r *rulebook.Stage, prev time.Time) (opens, closes int64, err error) {
	s := &scope{d: d}
	at := prev
	if r.Notice != nil {
		span, err := r.Notice.Span(s)
		if err != nil {
			return 0, 0, err
		}
		at = d.cal.Opens(d.cal.Instant(prev), span)
	}
	if r.Opens != nil {
		m, err := r.Opens.Moment(s)
		if err != nil {
			return 0, 0, err
		}
		// The notice is a promise to the voters: a fixed day that would cut it
		// short gives way to it.
		if m.Start().After(at) || r.Notice == nil {
			at = m.Start()
		}
		if at.Before(prev) {
			at = prev
		}
	}
	opens = at.UnixMilli()
	switch {
	case r.Closes != nil:
		m, err := r.Closes.Moment(s)
		if err != nil {
			return 0, 0, err
		}
		closes = m.End().UnixMilli()
	case r.Window != nil:
		span, err := r.Window.Span(s)
		if err != nil {
			return 0, 0, err
		}
		closes = d.cal.Closes(at, span).UnixMilli()
	}
	return opens, closes, nil
}

// enter makes stage i the current one: it is skipped, announced, or opened.
func (d *decider) enter(i int) error {
	if d.steps++; d.steps > maxSteps {
		return fault.Under(fault.Invalid, d.cite(), "the stages of %s lead in a circle", spaced(d.st.Procedure))
	}
	r := &d.proc.Stages[i]
	if r.If != nil {
		ok, err := r.If.Flag(&scope{d: d})
		if err != nil && unknown(err) == "" {
			return damaged(err, "whether stage "+r.Name+" is held")
		}
		if err != nil || !ok {
			if err := d.emit(KindComing, minutes.Public, &StageBody{Stage: r.Name, At: d.now(), Skipped: true}); err != nil {
				return err
			}
			return d.after(i, "skipped")
		}
	}
	how, err := d.secretly(r)
	if err == nil && how != "" {
		ballot := AsBallot(d.book, r)
		r = &ballot
	}
	opens, closes := int64(0), int64(0)
	if err == nil {
		opens, closes, err = d.times(r, d.at)
	}
	if err != nil {
		name := unknown(err)
		if name == "" {
			return damaged(err, "when stage "+r.Name+" opens")
		}
		if err := d.emit(KindComing, minutes.Public, &StageBody{Stage: r.Name, At: d.now()}); err != nil {
			return err
		}
		return d.emit(KindHalted, minutes.Public, &HaltBody{Waits: name, At: d.now()})
	}
	if r.Kind == rulebook.Ballot && r.Method != nil {
		done, err := d.unopposed(r)
		if err != nil || done {
			return err
		}
	}
	if err := d.emit(KindComing, minutes.Public, &StageBody{Stage: r.Name, At: d.now(), Opens: opens, Closes: closes, How: how}); err != nil {
		return err
	}
	if how != "" {
		d.proc = ProcedureOf(d.book, d.st)
	}
	if opens <= d.now() {
		return d.open(i)
	}
	return nil
}

// open opens the current stage. A ballot waits for its roll, which somebody
// has to take first (OpenBallot).
func (d *decider) open(i int) error {
	r, st := &d.proc.Stages[i], &d.st.Stages[i]
	if r.Kind == rulebook.Ballot || r.Kind == rulebook.Draw {
		return nil
	}
	b := &StageBody{Stage: r.Name, At: d.now(), Opens: st.Opens, Closes: st.Closes}
	if r.Kind == rulebook.Gather && r.Needs != nil {
		bases, err := d.bases(r.Needs)
		if err != nil {
			return err
		}
		b.Bases = bases
	}
	if err := d.emit(KindOpened, minutes.Public, b); err != nil {
		return err
	}
	if r.Kind == rulebook.Gather && r.Gathers == "candidates" && r.Automatic != nil {
		return d.automatic(r)
	}
	return d.unitsVote(r)
}

// automatic puts those who need no support among the candidates.
func (d *decider) automatic(r *rulebook.Stage) error {
	people, err := r.Automatic.People(&scope{d: d})
	if err != nil {
		if unknown(err) != "" {
			return nil
		}
		return damaged(err, "who is a candidate without nominations")
	}
	for _, p := range people {
		id := register.PersonID(p.Key())
		if c := d.st.Candidate(id); c != nil && (c.Status == Declined || c.Status == Withdrawn || c.Automatic) {
			continue
		}
		if err := d.emit(KindAccepted, minutes.Public, &CandidateBody{Candidate: d.public(id), Automatic: true, At: d.now()}); err != nil {
			return err
		}
	}
	return nil
}

// Tick is time passing: whatever has fallen due by now is recorded, at the
// instant at which it fell due.
type Tick struct{}

func (Tick) decide(d *decider) error {
	now := d.at
	defer func() { d.at = now }()
	for range maxSteps {
		if d.st.Phase == Halted {
			if err := d.resumeHalted(); err != nil || d.st.Phase == Halted {
				return err
			}
			continue
		}
		due := d.st.Due()
		if due == 0 || due > now.UnixMilli() || !d.st.Live() {
			return nil
		}
		before := d.st.Version
		d.at = time.UnixMilli(due).UTC()
		if err := d.fallDue(); err != nil {
			return err
		}
		if d.st.Version == before {
			return nil // a ballot waits for its roll
		}
	}
	return fault.New(fault.Invalid, "too much falls due in %s at once", d.st.Ref)
}

func (d *decider) fallDue() error {
	if d.st.Phase == Collecting {
		return d.emit(KindLapsed, minutes.Public, &EndBody{Outcome: "lapsed", At: d.now()})
	}
	st, r := d.st.Now(), d.stageRule()
	if st == nil || r == nil {
		return nil
	}
	if st.Status == Coming {
		return d.open(d.st.Current)
	}
	switch r.Kind {
	case rulebook.Gather:
		return d.closeGather(r, st)
	case rulebook.Decide:
		out := r.Otherwise
		if out == "" {
			out = "silence"
		}
		return d.closeStage(r, &StageBody{Outcome: out})
	case rulebook.Draw:
		return d.closeDraw(r)
	}
	return nil
}

// resumeHalted looks whether what the run waited for is there now.
func (d *decider) resumeHalted() error {
	if d.st.Current < 0 {
		return nil
	}
	st, r := d.st.Now(), d.stageRule()
	if st.Status == Open && r.Kind == rulebook.Gather {
		if _, _, err := d.tally(r.Needs, "", st.Gather, 0); unknown(err) != "" {
			return nil
		}
		if err := d.emit(KindHalted, minutes.Public, &HaltBody{At: d.now()}); err != nil {
			return err
		}
		return d.closeGather(r, st)
	}
	if _, _, err := d.times(r, d.at); unknown(err) != "" {
		return nil
	}
	if err := d.emit(KindHalted, minutes.Public, &HaltBody{At: d.now()}); err != nil {
		return err
	}
	return d.enter(d.st.Current)
}

// closeGather counts the gate and goes on.
func (d *decider) closeGather(r *rulebook.Stage, st *Stage) error {
	b := &StageBody{Gate: []Standing{}}
	var err error
	if !r.Kept {
		if err = d.dropLeft(r.Needs, r.Name, st.Gather); err != nil {
			return err
		}
	}
	switch r.Gathers {
	case "candidates":
		err = d.gateCandidates(r, st, b)
	case "support":
		var met bool
		var gates []Reached
		met, gates, err = d.tally(r.Needs, "", st.Gather, 0)
		b.Gate = []Standing{{Met: met, Gates: gates}}
		b.Outcome = shortUnless(met)
	default:
		b.Outcome = "done"
	}
	if name := unknown(err); name != "" {
		return d.emit(KindHalted, minutes.Public, &HaltBody{Waits: name, At: d.now()})
	}
	if err != nil {
		return err
	}
	return d.closeStage(r, b)
}

func shortUnless(met bool) string {
	if met {
		return "enough"
	}
	return "short"
}

// dropLeft takes out the support of those who could not give it any more.
func (d *decider) dropLeft(t *rulebook.Threshold, stage string, g *Gather) error {
	for _, s := range g.Supports {
		if s.Gone != "" || d.stillCounts(t, &s) {
			continue
		}
		s.Gone = "left"
		if err := d.emit(KindUnsupport, minutes.Officers, &SupportBody{Stage: stage, Support: s}); err != nil {
			return err
		}
	}
	return nil
}

// stillCounts asks again whether a supporter may support: only where the
// rulebook does not keep support whose giver has left.
func (d *decider) stillCounts(t *rulebook.Threshold, s *Support) bool {
	_, err := d.counts(t, readVoter(s.By), s.For)
	return err == nil
}

func (d *decider) gateCandidates(r *rulebook.Stage, st *Stage, b *StageBody) error {
	for _, c := range d.st.Standing() {
		met, gates, err := d.tally(r.Needs, "", st.Gather, c.ID)
		if err != nil {
			return err
		}
		s := Standing{For: c.ID, Name: c.Name, Met: met || c.Automatic, Auto: c.Automatic, Gates: gates}
		b.Gate = append(b.Gate, s)
		if s.Met {
			b.Through = append(b.Through, c.ID)
		}
	}
	b.Outcome = shortUnless(len(b.Through) > 0)
	return nil
}

// closeStage records the outcome of the current stage and what follows.
func (d *decider) closeStage(r *rulebook.Stage, b *StageBody) error {
	b.Stage, b.At = r.Name, d.now()
	if b.Outcome == "enough" && r.Gathers == "candidates" {
		for _, s := range b.Gate {
			c := d.st.Candidate(s.For)
			if s.Met && c != nil && c.Status == Proposed {
				// From here on a candidate acts publicly.
				if err := d.emit(KindAccepted, minutes.Public, &CandidateBody{Candidate: c.Person, At: d.now()}); err != nil {
					return err
				}
			}
		}
	}
	b.Gate = publicGate(b.Gate)
	if err := d.emit(KindClosed, minutes.Public, b); err != nil {
		return err
	}
	return d.after(d.st.Current, b.Outcome)
}

// publicGate leaves out who fell short: their name is nobody's business.
func publicGate(gate []Standing) []Standing {
	for i := range gate {
		if !gate[i].Met {
			gate[i].For, gate[i].Name = 0, ""
		}
	}
	return gate
}

// after does what the rulebook lists for an outcome; what is not listed goes
// on to the next stage.
func (d *decider) after(i int, outcome string) error {
	r := &d.proc.Stages[i]
	for _, t := range r.Then {
		if t.Outcome == outcome {
			return d.effects(t.Effects, outcome)
		}
	}
	if outcome == Unopened && d.st.Stages[i].How == "" {
		return d.end(outcome) // what nobody decided is not gone on with
	}
	if i+1 < len(d.proc.Stages) {
		return d.enter(i + 1)
	}
	return d.end(outcome)
}

func (d *decider) end(outcome string) error {
	return d.emit(KindEnded, minutes.Public, &EndBody{Outcome: outcome, At: d.now()})
}
