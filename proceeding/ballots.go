package proceeding

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
)

// The outcomes of ballots.
const (
	Elected   = "elected"
	Carried   = "carried"
	Lost      = "lost"
	Inquorate = "inquorate"
	Doubted   = "doubted"
	NextRound = "next round"
	TooFew    = "short"           // nobody stands
	Unopened  = rulebook.Unopened // too few papers for a secret ballot to be opened
	Unopposed = "elected without a ballot"
	// Abstain is the choice that is none.
	Abstain = "abstain"
)

// NeedsRoll tells whether a ballot of the run is due to open, so that its
// roll has to be taken.
func (s *State) NeedsRoll(book *rulebook.Book, at int64) bool {
	st := s.Now()
	if st == nil || s.Phase != Running || st.Status != Coming || st.Opens == 0 || st.Opens > at {
		return false
	}
	p := ProcedureOf(book, s)
	return p != nil && (p.Stages[s.Current].Kind == rulebook.Ballot || p.Stages[s.Current].Kind == rulebook.Draw)
}

// Draws tells whether the stage that is due draws lots.
func (s *State) Draws(book *rulebook.Book) bool {
	p := ProcedureOf(book, s)
	return p != nil && s.Current >= 0 && s.Current < len(p.Stages) && p.Stages[s.Current].Kind == rulebook.Draw
}

// BallotID gives the id of the next ballot of the current stage.
func (s *State) BallotID() string {
	round := 1
	for i := range s.Ballots {
		if s.Ballots[i].Stage == s.Current {
			round++
		}
	}
	if st := s.Now(); st.Draw != nil || round == 1 {
		round = max(round, st.Pass) // a draw made again, or a ballot that was not opened
	}
	return fmt.Sprintf("%s/%s/%d", s.Ref, s.Stages[s.Current].Name, round)
}

// Plan is the roll plan of the ballot or draw that is due, the freeze it looks
// at, and what its expressions see.
func Plan(book *rulebook.Book, st *State, w World, at int64) (*roll.Plan, *rulebook.Moment, rulebook.Scope, error) {
	d := newDecider(book, st, w, at)
	plan, freeze, err := d.plan(d.stageRule())
	return plan, freeze, &scope{d: d}, err
}

// PlanOf is the roll plan of a stage by its name, whether it is due or not.
func PlanOf(book *rulebook.Book, st *State, w World, at int64, stage string) (*roll.Plan, error) {
	d := newDecider(book, st, w, at)
	r, _ := d.proc.Stage(stage)
	plan, _, err := d.plan(r)
	return plan, err
}

func (d *decider) plan(r *rulebook.Stage) (*roll.Plan, *rulebook.Moment, error) {
	if r == nil || r.Voters == nil && r.Pool == nil {
		return nil, nil, fault.New(fault.Invalid, "%s has no ballot to take a roll for", d.st.Ref)
	}
	who := r.Voters
	if who == nil {
		who = r.Pool
	}
	freeze, err := d.freeze()
	if err != nil {
		if name := unknown(err); name != "" {
			return nil, nil, fault.Under(fault.TooEarly, d.cite(), "the roll waits for %s", name)
		}
		return nil, nil, damaged(err, "the freeze")
	}
	voters, err := d.chosen(*who)
	if err != nil {
		return nil, nil, err
	}
	plan, err := roll.NewPlan(d.book, voters, &scope{d: d}, d.view(), freeze)
	return plan, freeze, err
}

// Listed writes out the voters of a listed section.
func Listed(book *rulebook.Book, st *State, w World, at int64, sec *roll.Section) ([]ListedVoter, error) {
	return listed(newDecider(book, st, w, at), sec)
}

func listed(d *decider, sec *roll.Section) ([]ListedVoter, error) {
	var out []ListedVoter
	for _, who := range alternatives(&sec.Of) {
		if who.Kind == rulebook.WhoUnit {
			kind := d.book.UnitKind(who.Name)
			for _, id := range d.view().Tree.Kind(who.Name, d.st.Unit) {
				u := d.view().Unit(id)
				v, err := sec.Value(&scope{d: d}, nil, u)
				if err != nil {
					return nil, damaged(err, "what the vote of "+u.Name()+" is worth")
				}
				out = append(out, ListedVoter{Unit: id, Name: u.Name(), Value: v.RatString(), Acts: SpeaksFor(d.book, kind)})
			}
			continue
		}
		people, err := d.members(who)
		if err != nil {
			return nil, err
		}
		for _, p := range people {
			unit := d.officeUnit(p, who)
			v, err := sec.Value(&scope{d: d, unit: unit}, d.view().Person(p), unit)
			if err != nil {
				return nil, damaged(err, "what the vote of "+d.personName(p)+" is worth")
			}
			bar, _, _ := d.barred(p, "vote")
			out = append(out, ListedVoter{Person: p, Name: d.personName(p), Value: v.RatString(), Bar: bar})
		}
	}
	return out, nil
}

// officeUnit is the unit in which a person holds the office they vote by.
func (d *decider) officeUnit(p register.PersonID, who rulebook.Who) rulebook.Unit {
	if who.Kind != rulebook.WhoOffice {
		return nil
	}
	for _, t := range d.holders(who.Name, 0) {
		if t.Person == p && t.Unit != 0 {
			return d.view().Unit(t.Unit)
		}
	}
	return nil
}

// OpenBallot opens the ballot that is due, with its roll taken and, for a box,
// the public half of its key. Refused where its time has not come.
type OpenBallot struct {
	Roll  Roll
	Lines []byte // the body of the officers' entry that is the roll itself
	Key   string
}

func (c OpenBallot) decide(d *decider) error {
	if !d.st.NeedsRoll(d.book, d.now()) {
		return fault.Under(fault.TooEarly, d.cite(), "no ballot of %s is due to open", d.st.Ref)
	}
	r, st := d.stageRule(), d.st.Now()
	if st.Closes != 0 && d.now() >= st.Closes && !d.late(st.Prep, r) {
		return d.announceAgain(r)
	}
	how, err := r.How.Words(&scope{d: d})
	if err != nil {
		return d.emit(KindHalted, minutes.Public, &HaltBody{Waits: unknown(err), At: d.now()})
	}
	b := Ballot{ID: d.st.BallotID(), Stage: d.st.Current, How: how, Revote: r.Revote, Roll: c.Roll, Opened: d.now(), Closes: st.Closes, Key: c.Key, Round: 1}
	for i := range d.st.Ballots {
		if d.st.Ballots[i].Stage == d.st.Current {
			b.Round++
		}
	}
	if b.Closes == 0 && r.Window != nil {
		// A later round: its notice is the interval between rounds.
		span, err := r.Window.Span(&scope{d: d})
		if err != nil {
			return d.haltOr(err)
		}
		b.Closes = d.cal.Closes(d.at, span).UnixMilli()
	}
	if b.Minimum, err = d.minimum(r, how); err != nil {
		return d.haltOr(err)
	}
	if how == "sealed" {
		if err := d.sealedOpening(r, &b); err != nil {
			return err
		}
		c.Roll = b.Roll
	}
	if s := smallRoll(&c.Roll, b.Minimum); s != nil {
		return d.unheld(r, &c, s, b.Minimum)
	}
	if err := d.paper(r, &b); err != nil {
		return err
	}
	if done, err := d.unfillable(&b); err != nil || done {
		return err
	}
	if !b.Sealed() { // whose roll was taken when its paper was fixed
		if err := d.emit(KindRoll, minutes.Public, &RollBody{Ballot: b.ID, Roll: publicRoll(c.Roll)}); err != nil {
			return err
		}
		if c.Lines != nil {
			if err := d.emit(KindRollLines, minutes.Officers, c.Lines); err != nil {
				return err
			}
		}
	}
	if err := d.emit(KindOpened, minutes.Public, &StageBody{Stage: r.Name, At: d.now(), Opens: st.Opens, Closes: b.Closes, Seats: b.Seats}); err != nil {
		return err
	}
	b.Roll = publicRoll(b.Roll)
	return d.emit(KindBallot, minutes.Public, &BallotBody{Ballot: b})
}

// announceAgain gives a ballot whose whole window passed before it could be
// opened (the server was down) a new one, with its full notice and length: a
// ballot that nobody could vote in decides nothing. Where the rule names a
// fixed end that has passed, the run waits for an order.
func (d *decider) announceAgain(r *rulebook.Stage) error {
	opens, closes, err := d.times(r, d.at)
	if err != nil {
		return d.haltOr(err)
	}
	if closes != 0 && closes <= d.now() {
		return d.emit(KindHalted, minutes.Public, &HaltBody{Waits: "a new window: the old one passed before the ballot could be opened", At: d.now()})
	}
	return d.emit(KindComing, minutes.Public, &StageBody{Stage: r.Name, At: d.now(), Opens: opens, Closes: closes})
}

// publicRoll lists the units that vote, and of people only how many: whoever
// is missing from a list of names is under a sanction, and that is nobody
// else's business.
func publicRoll(r Roll) Roll {
	r.Sections = slices.Clone(r.Sections)
	for i := range r.Sections {
		s := &r.Sections[i]
		s.Voters = slices.DeleteFunc(slices.Clone(s.Voters), func(v ListedVoter) bool { return v.Person != 0 || v.Bar != "" })
	}
	return r
}

// paper fills in what the ballot paper shows.
func (d *decider) paper(r *rulebook.Stage, b *Ballot) error {
	b.Question = r.Says.Text(&scope{d: d})
	if r.Method == nil {
		b.Choices = []string{"for", "against", Abstain}
		if len(r.Options) > 0 {
			b.Choices = slices.Clone(r.Options)
		}
		return nil
	}
	m, err := r.Method.Words(&scope{d: d})
	if err != nil {
		return damaged(err, "the method of the ballot")
	}
	b.Method, b.Seats = m, d.seats(r)
	for _, c := range d.st.Standing() {
		b.Options = append(b.Options, c.Person)
	}
	slices.SortFunc(b.Options, func(x, y Person) int { return compareNames(x.Name, y.Name) })
	if m == "points" {
		b.Scale = r.ScaleFor(len(b.Options))
	}
	return d.quotas(r, b)
}

// unopposed ends an election that has no more candidates than places: it is
// not held. done is false where there has to be a ballot.
func (d *decider) unopposed(r *rulebook.Stage) (done bool, err error) {
	stand := d.st.Standing()
	seats := d.seats(r)
	if len(stand) > seats {
		return false, nil
	}
	i := d.st.Current
	if i < 0 || d.st.Stages[i].Name != r.Name {
		i = stageIndex(d.proc, r.Name)
	}
	if d.st.Stages[i].Status != Coming {
		if err := d.emit(KindComing, minutes.Public, &StageBody{Stage: r.Name, At: d.now(), Opens: d.now()}); err != nil {
			return true, err
		}
	}
	b := &ResultBody{At: d.now(), Outcome: Elected, Unopposed: true}
	for _, c := range stand {
		b.Elected = append(b.Elected, c.Person)
	}
	if len(stand) == 0 {
		b.Outcome = TooFew
	} else {
		paper := Ballot{Seats: seats, Options: b.Elected}
		if err := d.quotas(r, &paper); err != nil {
			return true, err
		}
		if tests, why := paper.Unfilled(true); why != "" {
			return true, d.short(&ResultBody{At: d.now(), Outcome: TooFew, Unopposed: true, Tests: tests, Why: why})
		}
	}
	if err := d.emit(KindResult, minutes.Public, b); err != nil {
		return true, err
	}
	if err := d.emit(KindClosed, minutes.Public, &StageBody{Stage: r.Name, At: d.now(), Outcome: b.Outcome}); err != nil {
		return true, err
	}
	if b.Outcome == TooFew {
		return true, d.nobody(i, "nobody stood")
	}
	return true, d.after(i, Elected)
}

// nobody ends an election in which nobody stands any more: what the rulebook
// lists for too few candidates in an earlier stage, else the run ends with a
// word.
func (d *decider) nobody(i int, word string) error {
	for j := i; j >= 0; j-- {
		for _, t := range d.proc.Stages[j].Then {
			if t.Outcome == TooFew && !goesOn(t.Effects) {
				return d.effects(t.Effects, TooFew)
			}
		}
	}
	return d.end(word)
}

func goesOn(effects []rulebook.Effect) bool {
	return slices.ContainsFunc(effects, func(e rulebook.Effect) bool { return e.Do == rulebook.DoGo })
}

// CommitLot is an officer committing to a secret for the lot, before the
// close. Hash is SHA-256 of "omov/lot/secret/1" and a stroke, the ballot's id
// and a stroke, and the secret.
type CommitLot struct {
	By   Actor
	Hash string
}

func (c CommitLot) decide(d *decider) error {
	b := d.openBallot()
	if b == nil || b.Closed != 0 {
		return fault.Under(fault.TooLate, d.cite(), "no ballot of %s is open; a secret for the lot is committed before the close", d.st.Ref)
	}
	if err := d.officer(c.By); err != nil {
		return err
	}
	if h, err := hex.DecodeString(c.Hash); err != nil || len(h) != 32 {
		return fault.New(fault.Invalid, "a commitment is 64 hexadecimal digits")
	}
	if b.Closes != 0 && d.now() >= b.Closes {
		return fault.Under(fault.TooLate, d.cite(), "voting has ended; a secret for the lot is committed before")
	}
	for _, x := range b.Commits {
		if x.Office == d.office {
			return fault.Under(fault.Already, d.cite(), "the %s has already committed", spaced(d.office))
		}
	}
	return d.emit(KindCommit, minutes.Public, &CommitBody{Ballot: b.ID, Commit: Commit{Office: d.office, Hash: c.Hash}})
}

// Close is an officer asking to close the ballot. When as many different
// officers have asked as the rulebook wants, ReadyToClose is true.
type Close struct{ By Actor }

func (c Close) decide(d *decider) error {
	b := d.openBallot()
	if b == nil || b.Closed != 0 {
		return fault.Under(fault.TooLate, d.cite(), "no ballot of %s is open", d.st.Ref)
	}
	if err := d.notStayed(); err != nil {
		return err
	}
	if b.How == "counted" || b.How == "judged" {
		return fault.Under(fault.NotEntitled, d.cite(), "this vote is taken in the room: it ends when its result is entered")
	}
	if err := d.officer(c.By); err != nil {
		return err
	}
	if b.Closes != 0 && d.now() < b.Closes {
		return fault.Under(fault.TooEarly, d.cite(), "voting goes on until %s", d.show(b.Closes))
	}
	if c.By.System {
		d.office = "system"
	}
	if slices.Contains(b.Closers, d.office) {
		return fault.Under(fault.Already, d.cite(), "the %s has already asked to close; another officer has to", spaced(d.office))
	}
	return d.emit(KindCloser, minutes.Public, &CloserBody{Ballot: b.ID, Office: d.office, At: d.now()})
}

// ReadyToClose tells whether enough officers have asked.
func (b *Ballot) ReadyToClose(book *rulebook.Book) bool {
	return b.Closed == 0 && (len(b.Closers) >= ClosersNeeded(book) || slices.Contains(b.Closers, "system"))
}

// Shut closes the ballot with what its box held. Papers and Marked are the
// bodies of entries of their own (see the contest package).
type Shut struct {
	Root     string
	Returned []Returned
	Papers   any // nil where too few came back, then none is opened; and of a sealed ballot
	Marked   any
	Secrets  []Commit // the lot's secrets, opened

	Few     bool             // of a sealed ballot: too few came back
	Refused map[string]int64 // of a sealed ballot: papers that were refused, by reason
}

func (c Shut) decide(d *decider) error {
	b := d.openBallot()
	if b == nil || b.Closed != 0 || !b.ReadyToClose(d.book) {
		return fault.Under(fault.Conflict, d.cite(), "the ballot is not ready to be closed")
	}
	shut := &ShutBody{Ballot: b.ID, At: d.now(), Root: c.Root, Returned: c.Returned, Recorded: b.Recorded, Unopened: b.Short(c.Returned) != nil || c.Few, Refused: c.Refused}
	if !b.Sealed() && shut.Unopened != (c.Papers == nil) {
		return fault.New(fault.Internal, "papers of %s are opened, and there are too few, or the other way round", b.ID)
	}
	if err := d.emit(KindBallotShut, minutes.Public, shut); err != nil {
		return err
	}
	if c.Papers != nil {
		if err := d.emit(KindPapers, minutes.Scrutineers, c.Papers); err != nil {
			return err
		}
	}
	if c.Marked != nil {
		if err := d.emit(KindMarked, minutes.Officers, c.Marked); err != nil {
			return err
		}
	}
	for _, s := range c.Secrets {
		if err := d.emit(KindSecret, minutes.Public, &CommitBody{Ballot: b.ID, Commit: s}); err != nil {
			return err
		}
	}
	return nil
}

// openBallot gives the ballot that has not been counted yet, of a run that has
// not been ended over it.
func (d *decider) openBallot() *Ballot {
	if !d.st.Live() {
		return nil
	}
	return d.st.OpenBallot()
}

// Record is a vote by name.
type Record struct {
	By    Actor
	Paper RecordedPaper
}

func (c Record) decide(d *decider) error {
	b := d.openBallot()
	if b == nil || b.Closed != 0 || b.How != "recorded" {
		return fault.Under(fault.TooLate, d.cite(), "no vote by name is open in %s", d.st.Ref)
	}
	if err := d.notStayed(); err != nil {
		return err
	}
	if b.ReadyToClose(d.book) { // what comes now would be in no count
		return fault.Under(fault.TooLate, d.cite(), "the vote of %s is being closed", d.st.Ref)
	}
	if b.Closes != 0 && d.now() >= b.Closes {
		return fault.Under(fault.TooLate, d.cite(), "voting ended on %s", d.show(b.Closes))
	}
	for i := range b.Recorded {
		if x := &b.Recorded[i]; x.Voter == c.Paper.Voter && x.Section == c.Paper.Section {
			return fault.Under(fault.Already, d.cite(), "%s has already voted", x.Name)
		}
	}
	return d.emit(KindRecorded, minutes.Officers, &RecordedBody{Ballot: b.ID, Paper: c.Paper})
}
