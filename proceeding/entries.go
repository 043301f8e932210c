package proceeding

import (
	"github.com/omov/omov/register"
)

// The kinds of entry that a proceeding writes. The number behind the stroke
// is the version of the body's form; forms are added to, never changed.
const (
	KindBegun      = "proceeding.begun/1"   // public: support for a call is being collected
	KindCalled     = "proceeding.called/1"  // public
	KindLapsed     = "proceeding.lapsed/1"  // public
	KindEnded      = "proceeding.ended/1"   // public
	KindHalted     = "proceeding.halted/1"  // public: waits for a decision nobody has taken
	KindOrdered    = "proceeding.ordered/1" // public: stay, resume, stop, extend
	KindSupport    = "support.given/1"      // officers: who supports whom is nobody else's business
	KindUnsupport  = "support.withdrawn/1"  // officers
	KindProposed   = "candidate.proposed/1" // officers: until it is accepted
	KindAccepted   = "candidate.accepted/1" // public: from here on a person acts publicly
	KindDeclined   = "candidate.declined/1" // officers
	KindWithdrew   = "candidate.withdrew/1" // public
	KindSlot       = "slot.set/1"           // public
	KindComing     = "stage.coming/1"       // public: its times are fixed
	KindOpened     = "stage.opened/1"       // public
	KindClosed     = "stage.closed/1"       // public, with the gate as it stood
	KindChosen     = "stage.decided/1"      // public: what an office or a body decided
	KindRoll       = "roll.frozen/1"        // public: totals and root
	KindRollLines  = "roll.lines/1"         // officers: the roll itself
	KindBallot     = "ballot.opened/1"      // public
	KindCommit     = "lot.committed/1"      // public
	KindSecret     = "lot.opened/1"         // public
	KindRecorded   = "paper.recorded/1"     // officers until the declaration names them
	KindCloser     = "ballot.closing/1"     // public: the first of two officers
	KindBallotShut = "ballot.closed/1"      // public: the marked roll's root and totals
	KindPapers     = "ballot.papers/1"      // scrutineers: the papers, grouped and sorted
	KindMarked     = "ballot.marked/1"      // officers: who voted
	KindTotals     = "ballot.entered/1"     // public: what two tellers counted
	KindResult     = "result.declared/1"    // public
	KindEffect     = "effect.applied/1"     // public
	KindAdopted    = "text.adopted/1"       // public
	KindDrawn      = "draw.made/1"          // officers: who declines is nobody else's business
	KindSanction   = "sanction.applied/1"   // parties
)

// CalledBody begins a run, or the collecting of support for one.
type CalledBody struct {
	Procedure string            `json:"procedure"`
	Unit      register.UnitID   `json:"unit,omitempty"`
	Office    string            `json:"office,omitempty"`
	Cause     string            `json:"cause,omitempty"`
	At        int64             `json:"at"`               // Unix milliseconds
	Closes    int64             `json:"closes,omitempty"` // of the collecting
	Stages    []string          `json:"stages,omitempty"`
	Bases     map[string]string `json:"bases,omitempty"`
	Gate      []Reached         `json:"gate,omitempty"`
	Takes     map[string]Held   `json:"takes,omitempty"`
	Freeze    string            `json:"freeze,omitempty"` // as it stands at the call
	Preview   []Planned         `json:"preview,omitempty"`
	Private   bool              `json:"private,omitempty"` // about a person
}

// Planned is when a stage is expected to open and close if nobody uses a
// discretion and every stage goes on to the next.
type Planned struct {
	Stage  string `json:"stage"`
	Opens  int64  `json:"opens,omitempty"`
	Closes int64  `json:"closes,omitempty"`
	Waits  string `json:"waits,omitempty"` // what has to be known first
}

// SupportBody gives or withdraws support. Stage is empty where it is for the
// call itself.
type SupportBody struct {
	Stage   string  `json:"stage,omitempty"`
	Support Support `json:"support"`
}

// CandidateBody is about a candidate.
type CandidateBody struct {
	Candidate Person `json:"candidate"`
	Automatic bool   `json:"automatic,omitempty"`
	Statement string `json:"statement,omitempty"`
	At        int64  `json:"at"`
	Why       string `json:"why,omitempty"`
}

// SlotBody uses a discretion. Moves are the deadlines that follow.
type SlotBody struct {
	Slot  string `json:"slot"`
	Value Held   `json:"value"`
	By    string `json:"by"`
	At    int64  `json:"at"`
	Moves []Move `json:"moves,omitempty"`

	N     int64        `json:"act,omitempty"`  // its number among the run's acts
	Name  string       `json:"name,omitempty"` // what people call it
	Rolls []RollChange `json:"rolls,omitempty"`
}

// Move is a deadline that has become another.
type Move struct {
	Stage  string `json:"stage"`
	Opens  int64  `json:"opens,omitempty"`
	Closes int64  `json:"closes,omitempty"`
}

// StageBody is about a stage.
type StageBody struct {
	Stage   string              `json:"stage"`
	At      int64               `json:"at"`
	Opens   int64               `json:"opens,omitempty"`
	Closes  int64               `json:"closes,omitempty"`
	Bases   map[string]string   `json:"bases,omitempty"`
	Seats   int                 `json:"seats,omitempty"`
	Skipped bool                `json:"skipped,omitempty"`
	Outcome string              `json:"outcome,omitempty"`
	Gate    []Standing          `json:"gate,omitempty"`
	Through []register.PersonID `json:"through,omitempty"` // candidates who go on
	By      string              `json:"by,omitempty"`
	Votes   map[string]int64    `json:"votes,omitempty"`
	Named   []RecordedPaper     `json:"named,omitempty"` // votes by name of a body
	How     string              `json:"how,omitempty"`   // where a decision is taken by a secret ballot
	Drawn   []Person            `json:"drawn,omitempty"`
	Into    string              `json:"into,omitempty"` // the body that those drawn form
}

// SanctionBody imposes or lifts a sanction, for those concerned to read; the
// register has its own entry.
type SanctionBody struct {
	Done Sanctioned `json:"done"`
}

// DrawBody is a lot that was drawn. Order is the beginning of the order in
// which people were drawn, far enough for some to decline.
type DrawBody struct {
	Stage string              `json:"stage"`
	At    int64               `json:"at"`
	Roll  string              `json:"roll,omitempty"` // root of the roll that was drawn from
	Pool  int64               `json:"pool,omitempty"` // how many that were; both empty where somebody declined
	Seats int                 `json:"seats"`
	Order []register.PersonID `json:"order"`
	Drawn []register.PersonID `json:"drawn"`
	Full  bool                `json:"full"` // as many as were to be drawn, within the quotas
}

// RollBody freezes a roll.
type RollBody struct {
	Ballot string `json:"ballot"`
	Roll   Roll   `json:"roll"`
}

// BallotBody opens a ballot.
type BallotBody struct {
	Ballot Ballot `json:"ballot"`
}

// CommitBody commits to, or opens, an officer's secret for the lot.
type CommitBody struct {
	Ballot string `json:"ballot"`
	Commit Commit `json:"commit"`
}

// RecordedBody is a vote by name.
type RecordedBody struct {
	Ballot string        `json:"ballot"`
	Paper  RecordedPaper `json:"paper"`
}

// CloserBody is the first of two officers asking to close.
type CloserBody struct {
	Ballot string `json:"ballot"`
	Office string `json:"office"`
	At     int64  `json:"at"`
}

// ShutBody closes a ballot. Root commits to the marked roll and to the papers
// (see the contest package).
type ShutBody struct {
	Ballot   string          `json:"ballot"`
	At       int64           `json:"at"`
	Root     string          `json:"root"`
	Returned []Returned      `json:"returned"`
	Recorded []RecordedPaper `json:"recorded,omitempty"`
	Unopened bool            `json:"unopened,omitempty"` // too few papers: none was opened, all are destroyed

	Refused map[string]int64 `json:"refused,omitempty"` // of a sealed ballot: papers that were refused, by reason
}

// TotalsBody is what tellers counted.
type TotalsBody struct {
	Ballot  string           `json:"ballot"`
	Figures map[string]int64 `json:"figures"`
	Tellers []string         `json:"tellers,omitempty"`
	At      int64            `json:"at"`
}

// ResultBody declares a result. Sheet is the count sheet as package count
// wrote it.
type ResultBody struct {
	Ballot    string           `json:"ballot"`
	At        int64            `json:"at"`
	Outcome   string           `json:"outcome"`
	Elected   []Person         `json:"elected,omitempty"`
	Leaves    []Person         `json:"leaves,omitempty"` // out after this round
	Next      int64            `json:"next,omitempty"`   // when the next round opens
	Tests     []Reached        `json:"tests,omitempty"`
	Figures   map[string]int64 `json:"figures,omitempty"`
	Sections  []SectionVotes   `json:"sections,omitempty"` // of a vote in several sections
	Sheet     string           `json:"sheet,omitempty"`    // JSON text: names are not ASCII
	Unopposed bool             `json:"unopposed,omitempty"`
	Why       string           `json:"why,omitempty"` // why nobody could be elected
}

// EndBody ends a run.
type EndBody struct {
	Outcome string `json:"outcome"`
	At      int64  `json:"at"`
}

// HaltBody says what a run waits for; empty when it goes on.
type HaltBody struct {
	Waits string `json:"waits"`
	At    int64  `json:"at"`
}

// OrderBody is an order from outside the procedure.
type OrderBody struct {
	Order string `json:"order"` // stay, resume, stop, extend, set_aside, overtaken
	By    string `json:"by"`
	At    int64  `json:"at"`
	Moves []Move `json:"moves,omitempty"`
	Why   string `json:"why,omitempty"`

	// Where several offices have to order together, each asks for it, until the
	// last one's entry is the order.
	Asked bool   `json:"asked,omitempty"` // asked for, not ordered yet
	Stage string `json:"stage,omitempty"` // for what is asked: the stage,
	Until int64  `json:"until,omitempty"` // and until when it is extended

	N      int64        `json:"act,omitempty"`    // its number among the run's acts
	Name   string       `json:"name,omitempty"`   // what people call it
	Target int64        `json:"target,omitempty"` // the act that is set aside
	Rolls  []RollChange `json:"rolls,omitempty"`
}

// EffectBody is an effect that was carried out.
type EffectBody struct {
	Done Done `json:"done"`
}

// AdoptedBody adopts a text.
type AdoptedBody struct {
	Kind    string          `json:"kind"`
	Text    string          `json:"text"`
	InForce int64           `json:"in_force"`
	Unit    register.UnitID `json:"unit,omitempty"`

	Objective string `json:"objective,omitempty"` // what it is about: two with the same contradict each other
}
