package verify

import (
	"slices"

	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// run is one proceeding while its entries are replayed. On a public bundle
// its state lacks what only officers read: who supported whom, and who was
// proposed and never accepted.
type run struct {
	st        *proceeding.State
	book      *rulebook.Book
	proc      *rulebook.Procedure
	last      int64               // its last open entry
	filled    []register.PersonID // who was put into an office by it
	adopted   bool                // a text was adopted
	text      string              // of this kind
	adoptedAt int64               // by this entry
	supports  []given
	opened    map[string]int64     // entry that last opened each stage's gathering
	automatic []register.PersonID  // who needs no nominations in the gathering that is on
	unopposed bool                 // the last result was declared without a ballot
	frozen    *proceeding.RollBody // announced, its ballot not opened yet
	frozenAt  int64
	rolls     map[string]*takenRoll // by ballot
	closings  map[string]*closing
	seal      *sealing            // the sealed ballot that is prepared, open or closed, last
	unsealed  map[string]bool     // sealed ballots whose papers were opened again
	reopened  bool                // what it decided has been set aside, or restored
	left      []register.PersonID // who left an office by it
	overtaken string              // the event that ended it
}

// given is one supporter's word, as its entry had it.
type given struct {
	proceeding.Support
	seq   int64
	stage string
}

// entry takes one record in: a kind that is not known, or that is found where
// it does not belong, is a failure.
func (v *verifier) entry(e *entry) {
	c := v.Check(CheckRecords)
	defer func() {
		if p := recover(); p != nil {
			c.fail(e.seq, "it cannot be placed: %v", p)
		}
	}()
	if !e.open {
		v.closed(e)
		return
	}
	if v.full && e.access != minutes.Public {
		v.Check(CheckOpened).Done++
	}
	v.org.lastAt = e.at.UnixMilli()
	k, ok := v.org.kinds[e.head.Kind]
	if !c.must(ok, e.seq, "it is of the kind %q, which this verifier does not know", e.head.Kind) {
		return
	}
	access := v.access(e, &k)
	v.Check(CheckPrivacy).must(e.access == access, e.seq, "an entry of the kind %s is to be read by %s, and this one is by %s", e.head.Kind, access, e.access)
	x, err := k.read(e.body)
	if err != nil {
		c.fail(e.seq, "its body is not that of a %s: %v", e.head.Kind, err)
		return
	}
	switch {
	case k.run && e.head.Proceeding == "" || !k.run && !k.free && e.head.Proceeding != "":
		c.fail(e.seq, "a %s is in the wrong place: proceeding %q", e.head.Kind, e.head.Proceeding)
		return
	case e.seq == 1 && e.head.Kind != kindFounded:
		c.fail(e.seq, "the first entry does not open the book")
	}
	e.kinds = k
	if e.head.Proceeding != "" {
		v.step(e, x)
	}
	if !k.run {
		v.about(e, x)
	}
}

// closed counts an entry that is not open. A scrutineers' bundle has none.
func (v *verifier) closed(e *entry) {
	v.Check(CheckRecords).must(slices.Contains([]minutes.Access{minutes.Members, minutes.Officers, minutes.Scrutineers, minutes.Parties}, e.access), e.seq, "it is for %q, whom nobody knows", e.access)
	v.Check(CheckPrivacy).Done++
	if apartOnly(e.access) {
		v.apart++
		return
	}
	if v.full {
		v.Check(CheckOpened).must(false, e.seq, "it is not open; it could be anything")
	}
}

// step takes a proceeding one entry further.
func (v *verifier) step(e *entry, x any) {
	r := v.org.runs[e.head.Proceeding]
	if r == nil {
		if r = v.called(e, x); r == nil {
			return
		}
	}
	c := v.Check(CheckRulebooks)
	c.must(e.head.Rulebook == r.book.Hash, e.seq, "it is decided under another rulebook than %s is pinned to", e.head.Proceeding)
	if !r.st.Live() && r.st.Begun != 0 {
		order, isOrder := x.(*proceeding.OrderBody)
		again := isOrder && order.Order == "set_aside" || r.reopened && !e.kinds.run
		v.Check(CheckSteps).must(again, e.seq, "%s goes on after its end", e.head.Proceeding)
	}
	v.before(e, r, x)
	if err := r.st.Apply(e.head.Proceeding, e.head.Rulebook, e.head.Kind, e.head.Office, e.body); err != nil {
		v.Check(CheckRecords).fail(e.seq, "%v", err)
	}
	r.last = e.seq
	v.after(e, r, x)
}

// called begins a run: it must be pinned to the version in force.
func (v *verifier) called(e *entry, x any) *run {
	c := v.Check(CheckRulebooks)
	b, ok := x.(*proceeding.CalledBody)
	if !v.Check(CheckSteps).must(ok, e.seq, "%s has not been called", e.head.Proceeding) {
		return nil
	}
	book := v.org.books[e.head.Rulebook]
	if !c.must(book != nil, e.seq, "%s is pinned to a rulebook that was never adopted", e.head.Proceeding) {
		return nil
	}
	c.must(v.org.inForce(e.at.UnixMilli()) == e.head.Rulebook, e.seq, "%s is pinned to a rulebook that was not in force when it was called", e.head.Proceeding)
	proc := book.Procedure(b.Procedure)
	if !c.must(proc != nil, e.seq, "the rulebook has no procedure called %s", b.Procedure) {
		return nil
	}
	r := &run{st: &proceeding.State{Current: -1}, book: book, proc: proc, opened: map[string]int64{}, rolls: map[string]*takenRoll{}, closings: map[string]*closing{}, unsealed: map[string]bool{}}
	v.org.runs[e.head.Proceeding] = r
	v.org.order = append(v.org.order, e.head.Proceeding)
	return r
}

// before looks at an entry in the state that it was decided in.
func (v *verifier) before(e *entry, r *run, x any) {
	switch b := x.(type) {
	case *proceeding.CalledBody:
		v.beginning(e, r, b)
	case *proceeding.StageBody:
		v.stage(e, r, b)
	case *proceeding.SupportBody:
		v.support(e, r, b)
	case *proceeding.EffectBody:
		v.reports(e, r, &b.Done)
	case *proceeding.CandidateBody:
		v.candidate(e, r, b)
	case *proceeding.SlotBody:
		v.slot(e, r, b)
	case *proceeding.OrderBody:
		v.ordered(e, r, b)
	case *proceeding.EndBody:
		v.ending(e, r, b)
	case *proceeding.HaltBody:
		v.instant(e, b.At)
	case *register.FilledBody:
		v.filled(e, r, b)
	default:
		v.ballotEntry(e, r, x)
	}
}

// after remembers what later entries are compared with.
func (v *verifier) after(e *entry, r *run, x any) {
	switch b := x.(type) {
	case *proceeding.SupportBody:
		if e.head.Kind == proceeding.KindSupport {
			r.supports = append(r.supports, given{b.Support, e.seq, b.Stage})
			return
		}
		for i := range r.supports {
			if s := &r.supports[i]; s.stage == b.Stage && s.By == b.Support.By && s.Gone == "" {
				s.Gone = b.Support.Gone
			}
		}
	case *proceeding.AdoptedBody:
		r.adopted, r.text, r.adoptedAt = true, b.Kind, e.seq
		if b.Kind == "rulebook" && b.Unit == 0 {
			v.org.changes = append(v.org.changes, change{e.head.Proceeding, b.Text, max(b.InForce, e.at.UnixMilli())})
		}
	case *proceeding.EffectBody:
		v.org.reaching = append(v.org.reaching, reaching{Done: b.Done, from: e.head.Proceeding})
	case *register.VacatedBody:
		r.left = append(r.left, b.Who)
	case *proceeding.StageBody:
		if b.How != "" {
			r.asBallot(r.st.Current)
		}
	case *register.FilledBody:
		r.filled = append(r.filled, b.Term.Person)
	}
}

// asBallot reads a decision that is taken by a secret ballot as that ballot.
func (r *run) asBallot(i int) {
	p := *r.proc
	p.Stages = slices.Clone(p.Stages)
	p.Stages[i] = proceeding.AsBallot(r.book, &p.Stages[i])
	r.proc = &p
}

// instant checks an instant that a body names: never after its own entry.
// What falls due is entered when somebody looks, at the instant at which it
// fell due.
func (v *verifier) instant(e *entry, at int64) {
	v.Check(CheckTimes).must(at <= e.at.UnixMilli(), e.seq, "it speaks of a time after itself")
}

// beginning checks a call, or the collecting of support for one.
func (v *verifier) beginning(e *entry, r *run, b *proceeding.CalledBody) {
	c := v.Check(CheckSteps)
	v.instant(e, b.At)
	collecting := r.st.Phase == proceeding.Collecting
	c.must(r.st.Begun == 0 || collecting && e.head.Kind == proceeding.KindCalled, e.seq, "%s is called a second time", e.head.Proceeding)
	if collecting {
		c.must(b.Procedure == r.st.Procedure && b.Unit == r.st.Unit && b.Office == r.st.Office && b.Cause == r.st.Cause, e.seq, "it calls something else than what support was collected for")
	} else {
		r.st.Procedure, r.st.Unit, r.st.Office, r.st.Cause, r.st.Takes = b.Procedure, b.Unit, b.Office, b.Cause, b.Takes
	}
	c.must(len(r.proc.Fills) == 0 || slices.Contains(r.proc.Fills, b.Office), e.seq, "%s does not fill the office %q", b.Procedure, b.Office)
	if b.Cause == proceeding.Started {
		c.must(v.caused(e, r, e.head.Proceeding, rulebook.DoStart, b.Procedure, b.Unit), e.seq, "it says that another decision started it, and none did")
		c.must(sameStages(r.proc, b.Stages), e.seq, "it lists other stages than the rulebook")
		return
	}
	way := wayOf(r.proc, b.Cause)
	if !c.must(way != nil, e.seq, "%s does not begin by %q", b.Procedure, b.Cause) {
		return
	}
	s := v.scope(e, r, b.At)
	switch {
	case e.head.Kind == proceeding.KindBegun:
		c.must(way.Backed != nil, e.seq, "support is collected for a call that needs none")
		v.bases(e, s, way.Backed, b.Bases)
	case way.Backed != nil:
		if r.st.Backing == nil {
			v.Check(CheckGates).must(false, e.seq, "it is called without the support that the rulebook asks for")
			break
		}
		v.Check(CheckTimes).must(r.st.Backing.Closes == 0 || b.At < r.st.Backing.Closes, e.seq, "it is called after the window for support had closed")
		g := gathering{t: way.Backed, bases: r.st.Backing.Bases, stage: ""}
		met := v.gate(e, r, s, g, proceeding.Standing{Met: true, Gates: b.Gate}, 0)
		v.Check(CheckGates).must(met, e.seq, "it is called although its support does not suffice")
	case way.Vacancy != "":
		c.must(s.vacant(way.Vacancy), e.seq, "it is called on a vacancy, but nobody's place is vacant")
	}
	if e.head.Kind == proceeding.KindCalled {
		c.must(sameStages(r.proc, b.Stages), e.seq, "it lists other stages than the rulebook")
	}
}

func sameStages(p *rulebook.Procedure, names []string) bool {
	return slices.EqualFunc(p.Stages, names, func(s rulebook.Stage, n string) bool { return s.Name == n })
}

// wayOf finds the way of beginning that a cause names.
func wayOf(p *rulebook.Procedure, cause string) *rulebook.Beginning {
	for i := range p.Begins {
		b := &p.Begins[i]
		own := b.As
		switch {
		case own != "":
		case b.Vacancy != "":
			own = "vacancy"
		case b.Event != "":
			own = "event"
		case b.Every != nil:
			own = "every"
		case b.Backed != nil:
			own = "backed"
		case b.By != nil:
			own = "by"
		}
		if own == cause {
			return b
		}
	}
	return nil
}

func (v *verifier) ending(e *entry, r *run, b *proceeding.EndBody) {
	v.instant(e, b.At)
	if e.head.Kind == proceeding.KindLapsed && b.Outcome == proceeding.OrderOvertaken {
		n := len(v.org.events)
		stops := n > 0 && slices.ContainsFunc(r.proc.StopsOn, func(s rulebook.StopOn) bool { return s.Event == v.org.events[n-1].Event })
		v.Check(CheckSteps).must(stops && r.st.Phase == proceeding.Collecting, e.seq, "support stops being collected on an event that was not declared, or does not stop it")
		return
	}
	if e.head.Kind == proceeding.KindLapsed {
		ok := r.st.Phase == proceeding.Collecting && r.st.Backing != nil && r.st.Backing.Closes != 0 && b.At >= r.st.Backing.Closes
		v.Check(CheckTimes).must(ok, e.seq, "it lapses before its window for support has closed")
		return
	}
	if r.overtaken != "" {
		v.Check(CheckSteps).must(slices.Contains(r.endsOn(r.overtaken), b.Outcome), e.seq, "it ends as %q when %s was declared", b.Outcome, spaced(r.overtaken))
		return
	}
	if v.Check(CheckSteps).must(r.st.Now() != nil, e.seq, "it ends and has not begun") && b.Outcome != "stopped" {
		v.followed(e, r, b)
	}
}

// endsOn is how a run can end when an event is declared.
func (r *run) endsOn(event string) []string {
	out := []string{"stopped"}
	for _, s := range r.proc.StopsOn {
		for _, f := range s.Effects {
			if s.Event == event && f.Do == rulebook.DoEnd {
				out = append(out, f.Target)
			}
		}
	}
	return out
}

// followed checks that a run ends as its last stage decided, and that what
// the rulebook lists for that has been done.
func (v *verifier) followed(e *entry, r *run, b *proceeding.EndBody) {
	st := r.st.Now()
	rule := &r.proc.Stages[r.st.Current]
	effects, _ := rule.Next(st.Outcome)
	ends := []string{st.Outcome}
	if st.Outcome == proceeding.TooFew {
		ends = append(ends, "nobody stood")
	}
	if st.Status == proceeding.Skipped {
		ends = append(ends, "skipped")
	}
	for _, f := range effects {
		switch {
		case f.Do == rulebook.DoEnd:
			ends = append(ends, f.Target)
		case f.Do == rulebook.DoFill && f.If == nil && f.Whom == nil:
			for _, p := range r.st.Elected {
				v.Check(CheckOffices).must(slices.Contains(r.filled, p.ID), e.seq, "%s was elected, and the office has not been filled", p.Name)
			}
		}
	}
	closed := st.Status == proceeding.Closed || st.Status == proceeding.Skipped
	v.Check(CheckSteps).must(closed && (slices.Contains(ends, b.Outcome) || st.Outcome == proceeding.TooFew), e.seq, "it ends as %q; its last stage was %q, %s", b.Outcome, st.Outcome, st.Status)
}

// slot checks that a discretion is one of the rulebook's, and is used by whom
// it is given to, in time.
func (v *verifier) slot(e *entry, r *run, b *proceeding.SlotBody) {
	v.prompt(e, b.At)
	sl := r.book.Slot(b.Slot)
	v.act(e, r, b.N)
	v.rolls(e, r, b.Rolls, func(st *proceeding.State) {
		if st.Slots == nil {
			st.Slots = map[string]proceeding.Slot{}
		}
		st.Slots[b.Slot] = proceeding.Slot{Value: b.Value}
	})
	if sl != nil && sl.SetBy.Name != b.By && r.mayOrder(b.By, "set") {
		v.moves(e, r, b.At, b.Moves) // by an order: whatever its own rule says
		return
	}
	if !v.Check(CheckSteps).must(sl != nil && sl.SetBy.Name == b.By, e.seq, "the rulebook gives %q no discretion called %s", b.By, b.Slot) {
		return
	}
	s := v.scope(e, r, b.At)
	if sl.By != nil {
		if by, err := sl.By.Moment(s); err == nil {
			v.Check(CheckTimes).must(b.At < by.End().UnixMilli(), e.seq, "%s was set too late", spaced(b.Slot))
		}
	}
	val, ok := b.Value.Value(r.book.Calendar(), s.view())
	if sl.Allow != nil && v.Check(CheckSteps).must(ok, e.seq, "the value of %s cannot be read", spaced(b.Slot)) {
		s.value = &val
		allowed, err := sl.Allow.Flag(s)
		v.Check(CheckSteps).must(err == nil && allowed, e.seq, "%s is outside what clause %s allows", spaced(b.Slot), sl.Cite)
	}
	v.moves(e, r, b.At, b.Moves)
}

func (v *verifier) ordered(e *entry, r *run, b *proceeding.OrderBody) {
	v.prompt(e, b.At)
	c := v.Check(CheckSteps)
	if !b.Asked {
		v.act(e, r, b.N)
	}
	switch b.Order {
	case proceeding.OrderOvertaken:
		known := slices.ContainsFunc(v.org.events, func(x eventBody) bool { return x.Event == b.Why })
		listed := slices.ContainsFunc(r.proc.StopsOn, func(s rulebook.StopOn) bool { return s.Event == b.Why })
		c.must(known && listed, e.seq, "it is overtaken by %q, which was not declared, or does not stop it", b.Why)
		r.overtaken = b.Why
		return
	case "set_aside":
		v.setAside(e, r, b)
		v.rolls(e, r, b.Rolls, func(st *proceeding.State) {
			_ = st.Apply(st.Ref, st.Book, e.head.Kind, e.head.Office, e.body)
		})
	case "stay", "resume", "stop", "extend":
	default:
		c.must(false, e.seq, "there is no order called %q", b.Order)
	}
	if b.By == "" {
		verb := rulebook.Verb(b.Order)
		c.must(v.caused(e, r, e.head.Proceeding, verb, r.st.Procedure, r.st.Unit), e.seq, "nobody ordered it, and no decision has that effect")
	} else {
		c.must(r.mayOrder(b.By, b.Order), e.seq, "the rulebook gives %q no power to %s", b.By, spaced(b.Order))
	}
	if b.Order != "resume" { // a stay's time is given back, though it has passed
		v.moves(e, r, b.At, b.Moves)
	}
}

// mayOrder tells whether an office can have given an order.
func (r *run) mayOrder(office, order string) bool {
	return slices.ContainsFunc(r.book.Powers, func(p rulebook.Power) bool {
		return slices.Contains(p.May, order) && slices.ContainsFunc(p.Who, func(w rulebook.Who) bool { return r.speaks(office, w) })
	})
}

// moves checks that a deadline is moved before it has passed.
func (v *verifier) moves(e *entry, r *run, at int64, moves []proceeding.Move) {
	for _, m := range moves {
		st := r.st.StageNamed(m.Stage)
		if !v.Check(CheckSteps).must(st != nil, e.seq, "it moves a stage %q that there is not", m.Stage) {
			continue
		}
		v.Check(CheckTimes).must(st.Closes == 0 || at < st.Closes, e.seq, "it moves a deadline that has passed")
	}
}

// speaks tells whether an office can have entered what somebody decided: the
// office itself, the one that records for a body outside, or, for a body, an
// officer who runs ballots. What a unit decides is entered under no office.
func (r *run) speaks(office string, who rulebook.Who) bool {
	switch who.Kind {
	case rulebook.WhoBody:
		if b := r.book.Body(who.Name); b != nil && b.Outside != "" {
			return office == b.Outside || office == who.Name
		}
		return office == who.Name || slices.Contains(r.officers(), office)
	case rulebook.WhoUnit:
		return office == "" || office == who.Name || office == speaksFor(r.book, r.book.UnitKind(who.Name))
	}
	return office == who.Name
}

// officers are the offices with the power to close ballots.
func (r *run) officers() []string {
	var out []string
	for _, p := range r.book.Powers {
		for _, w := range p.Who {
			if slices.Contains(p.May, "close") && w.Kind == rulebook.WhoOffice && !slices.Contains(out, w.Name) {
				out = append(out, w.Name)
			}
		}
	}
	return out
}
