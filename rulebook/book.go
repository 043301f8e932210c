package rulebook

import "time"

// Book is a checked rulebook: every name in it is resolved, every expression
// compiled, every threshold has its denominator. It is immutable.
type Book struct {
	Title   string
	Edition Day            // the day of adoption
	Zone    *time.Location // in which days begin and end
	Hash    string         // SHA-256 of Source, lower-case hex: what proceedings are pinned to
	Source  []byte         // as it was written

	Clauses  []Clause // in the order written; empty: clauses are cited by number only
	BasedOn  Origin
	Holidays Holidays

	Facts       []Fact
	Classes     []Class
	Units       []UnitKind
	Offices     []Office
	Bodies      []Body
	Electorates []Electorate
	Slots       []Slot
	Events      []Event
	Sanctions   []Sanction
	Precedence  []string // kinds of decision, the stronger first
	Powers      []Power
	Local       []LocalPart
	Procedures  []Procedure

	// Of a local rulebook: every list then holds the outer book's definitions
	// as well, its own last, and what is its own belongs to Unit.
	Within string    // the name of the outer book, as written; empty: this is none
	Unit   LocalUnit // whose rulebook it is
	Set    []Setting // slots that the outer book leaves to the unit

	// of a local book: the names of the outer one, and how many powers and
	// clauses are the outer one's
	outer                     map[string]bool
	outerPowers, outerClauses int
}

// Own tells whether a definition is the book's own and not, in a local book,
// the outer one's.
func (b *Book) Own(name string) bool { return !b.outer[name] }

// LocalUnit names the unit of a local rulebook.
type LocalUnit struct{ Kind, Name string }

// Setting is a value that a local rulebook gives to a slot.
type Setting struct {
	Slot  string
	Value *Expr
	Pos   Pos
}

// Pos is where something stands in the source, both counted from 1.
type Pos struct{ Line, Column int }

// Clause is one citable part of the book's own text.
type Clause struct{ Number, Text string }

// Origin says where a book was taken over from.
type Origin struct{ Title, Edition, Hash string }

// Named is what every definition has: its name, the sentence people read, the
// clause it rests on, and where it stands.
type Named struct {
	Name string
	Says Sentence
	Cite string
	Pos  Pos
}

// Fact is something the register keeps about a person, a unit or a text.
type Fact struct {
	Named
	Of     FactOf
	Is     FactType
	KeptBy string // the office to ask for a correction; may be empty
}

// FactOf says what a fact is about.
type FactOf string

// What facts are about.
const (
	OfPerson FactOf = "person"
	OfUnit   FactOf = "unit"
	OfText   FactOf = "text"
)

// FactType is the type of a fact's value.
type FactType string

// The types of facts.
const (
	FactFlag   FactType = "flag"
	FactNumber FactType = "number"
	FactDate   FactType = "date"
	FactWords  FactType = "words"
)

// Class is a capacity in which a person belongs.
type Class struct{ Named }

// UnitKind is a kind of node of the tree of units.
type UnitKind struct {
	Named
	In      string   // the kind of the parent; empty: directly under the organisation
	Decides *Decides // how a unit of the kind speaks as one; nil: it cannot
}

// Office is a post that is held.
type Office struct {
	Named
	Per   string // one in every unit of this kind; empty: one for the organisation
	Seats *Expr  // number of places, with `at` and `unit` in scope; nil: one
	From  *Who   // who can hold it; nil: anybody
	Term  *Expr  // span; nil: until it ends otherwise
}

// Body is people who sit and decide together.
type Body struct {
	Named
	When    *Expr    // over person; nil where Drawn or Outside
	Offices []string // where When is a disjunction of offices held: those; nil: When has to be asked of everybody
	Drawn   bool
	Outside string // the office that records what an outside body has done
	Per     string // one in every unit of this kind
	Decides *Decides
}

// Decides says how a body or a unit says something.
type Decides struct {
	By     string // an office reports it; then all else is empty
	Ballot *Who   // who votes in the unit; nil for a body: its members
	How    *Expr  // words: one of the ways of voting (a literal or a slot)
	Quorum *Threshold
	Passes *Threshold
}

// Electorate is a rule for who may vote: conditions, or sections.
type Electorate struct {
	Named
	OneVotePer string // a kind of unit: a vote for each one belonged to; empty: one a person
	Conditions []Condition
	Sections   []Section
}

// Condition is one condition to vote. The first one that is not met is the
// reason why somebody has no vote.
type Condition struct {
	ID     string
	When   *Expr
	Says   Sentence
	Remedy Sentence
	Cite   string
	Pos    Pos
}

// Section is one part of a college, worth its weight whatever its size.
type Section struct {
	Named
	Of      Who
	Weight  string // exact rational, as "40" or "1/3"
	Value   *Expr  // number: what one voter's vote is worth inside the section; nil: 1
	Split   bool   // a unit may split its value
	Declare string // what has to be declared to vote here
}

// Slot is a discretion: a value somebody may decide as the case arises.
type Slot struct {
	Named
	Is        SlotType
	Choices   []string
	SetBy     Who
	By        *Expr // moment; nil: while it can still matter
	Allow     *Expr // flag over `value`; nil: anything of the type
	Otherwise *Expr // of the slot's type; nil: the run halts until it is set
	Standing  bool  // holds until set again, for every run
}

// SlotType is the type of a slot's value.
type SlotType string

// The types of slots.
const (
	SlotDate    SlotType = "date"
	SlotSpan    SlotType = "span"
	SlotShare   SlotType = "share"
	SlotNumber  SlotType = "number"
	SlotMoney   SlotType = "money"
	SlotWords   SlotType = "words"
	SlotChoices SlotType = "choices"
)

// Event is something declared that procedures begin or stop on.
type Event struct {
	Named
	DeclaredBy Who
}

// Sanction takes rights away.
type Sanction struct {
	Named
	Removes []string // of vote, stand, attend, belong
}

// Power is an order that may be given outside any procedure.
type Power struct {
	Who      []Who
	May      []string // set, set_aside, stay, resume, stop, extend, close
	Limit    *Expr    // span, for extend
	Together bool     // all of Who have to act
	Cite     string
	Pos      Pos
}

// LocalPart says what units of a kind may add in their own rulebooks.
type LocalPart struct {
	Kind  string
	Parts []string
}

// Who is who acts, votes or is counted.
type Who struct {
	Kind WhoKind
	Name string
	Any  []Who // for Kind WhoAny: any of these; for WhoSlot: one of them
	Pos  Pos
}

// WhoKind tells what the name of a Who names.
type WhoKind string

// The kinds of Who. WhoPerson names a person the run was given (a taken name,
// or a path such as decision.subject).
const (
	WhoClass      WhoKind = "class"
	WhoOffice     WhoKind = "office"
	WhoBody       WhoKind = "body"
	WhoElectorate WhoKind = "electorate"
	WhoUnit       WhoKind = "unit" // units of a kind, each voting as one
	WhoPerson     WhoKind = "person"
	WhoAny        WhoKind = "any"
	WhoSlot       WhoKind = "slot" // whichever of Any the slot Name says; each of Any is named as its choice
)

// Threshold is what has to be reached. Exactly one of All, Any and Cmp is set.
type Threshold struct {
	All, Any []*Threshold

	From     *Who   // whose support; nil: Count says what is counted
	Count    string // for, against, papers, present, marks, picked; empty: what fits (for in passes, marks in paper, picked in pick)
	Cmp      Cmp
	Amount   *Expr  // number or share
	Share    bool   // whether Amount is a share
	Of       *Expr  // words: entitled, present, papers, cast, seats, picked (literal or slot); nil for numbers
	Round    string // up, down, nearest; empty: compared exactly
	Where    *Expr  // over person, candidate or unit: narrows both sides of the fraction
	Distinct string // a kind of unit: counts units instead of heads
	Weigh    *Expr  // number over unit or person: adds this up instead of heads
	When     *Expr  // switches the threshold on; nil: always
	Cite     string
	Pos      Pos
}

// Cmp is how an amount is compared.
type Cmp string

// The comparisons.
const (
	AtLeast  Cmp = "at_least"
	MoreThan Cmp = "more_than"
	AtMost   Cmp = "at_most"
)

// Procedure is a rule for how something is decided.
type Procedure struct {
	Named
	In      string // each run belongs to one unit of this kind, `here`
	Takes   []Take
	Fills   []string // offices; with several, one run each, called `office`
	Freeze  *Expr    // moment; where the book does not say: `called`
	Begins  []Beginning
	Stages  []Stage
	StopsOn []StopOn
}

// Take is something the caller supplies.
type Take struct {
	Name string
	Is   TakeType
	Of   string   // for TakeOffice, TakeUnit, TakeText, TakeRun: which
	Of2  []string // for TakeChoice: the choices
	Pos  Pos
}

// TakeType is the type of what a caller supplies.
type TakeType string

// What can be taken.
const (
	TakePerson TakeType = "person"
	TakeWords  TakeType = "words"
	TakeNumber TakeType = "number"
	TakeDate   TakeType = "date"
	TakeFlag   TakeType = "flag"
	TakeClause TakeType = "clause"
	TakeChoice TakeType = "choices"
	TakeOffice TakeType = "office" // the holder of an office
	TakeUnit   TakeType = "unit"   // a unit of a kind
	TakeText   TakeType = "text"   // a text of a kind of decision
	TakeRun    TakeType = "run"    // a decision of a procedure
)

// Beginning is one way in which a procedure begins. Exactly one of By,
// Backed, Every, Vacancy and Event is set.
type Beginning struct {
	As      string // names the cause; default: the way's own word
	If      *Expr
	Says    Sentence
	By      *Who
	Backed  *Threshold
	Window  *Expr  // span, with Backed
	Kept    bool   // with Backed: support stays although its giver leaves
	Quiet   bool   // with Backed: how much there is, only officers see until it is enough
	Every   *Expr  // span
	Vacancy string // an office, or "office" for whichever the run fills
	Event   string
	Pos     Pos
}

// StageKind says what one stage does.
type StageKind string

// The kinds of stage.
const (
	Gather StageKind = "gather"
	Ballot StageKind = "ballot"
	Decide StageKind = "decide"
	Draw   StageKind = "draw"
)

// DefaultMinimum is the fewest papers with which a secret ballot is opened
// where the rulebook does not say: with two, each voter knows the other's vote.
const DefaultMinimum = 3

// Unopened is the outcome of a secret ballot from which too few papers came
// back to be opened. It need not be listed: the run then ends.
const Unopened = "too_few"

// Stage is one step of a procedure; which fields are set depends on Kind.
type Stage struct {
	Named
	Kind   StageKind
	If     *Expr
	Opens  *Expr // moment; nil: when the one before ended, plus Notice
	Notice *Expr // span
	Window *Expr // span
	Closes *Expr // moment

	// gather
	Gathers   string // candidates, support, or a class
	Stand     *Who
	Needs     *Threshold
	Automatic *Expr // people who need no support
	Kept      bool
	Fee       *Expr  // money
	Votes     string // procedure by which each unit that supports votes; begun in each when the stage opens

	// ballot
	Voters   *Who
	How      *Expr // words: sealed, box, recorded, counted, judged
	Passes   *Threshold
	Quorum   *Threshold
	Method   *Expr // words: an id of count; nil: a vote, not an election
	Seats    *Expr
	Paper    []*Threshold
	Result   []*Threshold
	Options  []string
	Revote   bool
	Interval *Expr   // span between the rounds of an exhaustive ballot, for withdrawals
	Scale    []int64 // what each rank is worth, by points; empty: see ScaleFor
	Minimum  *Expr   // number: the fewest papers with which a secret ballot is opened; nil: DefaultMinimum

	// decide
	By        *Who
	Pick      []*Threshold
	Otherwise string

	// draw
	Pool      *Who
	Where     *Expr
	DrawSeats *Expr
	Spread    string
	Into      string

	Then []Then // in the order written
}

// Then is what follows an outcome. Where no effect says `go`, the run ends.
type Then struct {
	Outcome string
	Effects []Effect
	Pos     Pos
}

// StopOn is what happens to a run when an event is declared.
type StopOn struct {
	Event   string
	Effects []Effect
	Pos     Pos
}

// Effect is one thing that follows. Do is the verb.
type Effect struct {
	Do      Verb
	Target  string // the office, kind of decision, sanction, procedure, stage or word
	Whom    *Expr
	Until   *Expr
	InForce *Expr
	If      *Expr
	With    []Argument
	In      *Expr
	Says    Sentence // for nothing: the sentence said in public
	Pos     Pos
}

// Argument is one value that start hands over.
type Argument struct {
	Name  string
	Value *Expr
}

// Verb is what an effect does.
type Verb string

// The verbs.
const (
	DoFill     Verb = "fill"
	DoVacate   Verb = "vacate"
	DoAdopt    Verb = "adopt"
	DoImpose   Verb = "impose"
	DoLift     Verb = "lift"
	DoAdmit    Verb = "admit"
	DoRelease  Verb = "release"
	DoStart    Verb = "start"
	DoStop     Verb = "stop"
	DoStay     Verb = "stay"
	DoResume   Verb = "resume"
	DoSetAside Verb = "set_aside"
	DoReport   Verb = "report"
	DoNothing  Verb = "nothing"
	DoGo       Verb = "go"
	DoEnd      Verb = "end"
)
