package proceeding

import (
	"encoding/json"
	"slices"

	"github.com/omov/omov/register"
)

// State is one run of a procedure. Times are Unix milliseconds, 0 where there
// is none. It is a projection: only Apply changes it.
type State struct {
	Ref       string          `json:"ref"` // as people see it: 2026-L-001
	Procedure string          `json:"procedure"`
	Book      string          `json:"book"` // hash of the rulebook it is pinned to
	Unit      register.UnitID `json:"unit,omitempty"`
	Office    string          `json:"office,omitempty"` // which of the procedure's offices it fills
	Cause     string          `json:"cause,omitempty"`
	CalledBy  string          `json:"called_by,omitempty"` // office, or empty
	Takes     map[string]Held `json:"takes,omitempty"`
	Archive   bool            `json:"archive,omitempty"` // a published contest, outside the register

	Phase   Phase  `json:"phase"`
	Version int64  `json:"version"` // number of entries applied
	Begun   int64  `json:"begun"`   // when the collecting or the run began
	Called  int64  `json:"called"`
	Ended   int64  `json:"ended,omitempty"`
	Outcome string `json:"outcome,omitempty"`
	Waits   string `json:"waits,omitempty"` // the slot it halts for

	Backing    *Gather         `json:"backing,omitempty"` // support for beginning
	Stages     []Stage         `json:"stages"`
	Current    int             `json:"current"` // index of the current stage, -1 before the first
	Slots      map[string]Slot `json:"slots,omitempty"`
	Candidates []Candidate     `json:"candidates,omitempty"`
	Ballots    []Ballot        `json:"ballots,omitempty"`
	Elected    []Person        `json:"elected,omitempty"`
	Done       []Done          `json:"done,omitempty"`
	Asked      []OrderBody     `json:"asked,omitempty"` // orders that wait for another office
	Acts       []Act           `json:"acts,omitempty"`

	Private    bool                           `json:"private,omitempty"`    // about a person: only those concerned read it
	Drawn      map[string][]register.PersonID `json:"drawn,omitempty"`      // who sits in a drawn body
	Sanctioned []Sanctioned                   `json:"sanctioned,omitempty"` // in a private run
}

// Phase says how far a run is.
type Phase string

// The phases.
const (
	Collecting Phase = "collecting" // support for a call is being gathered
	Running    Phase = "running"
	Halted     Phase = "halted" // waits for a slot nobody has set
	Stayed     Phase = "stayed"
	Ended      Phase = "ended"
	Lapsed     Phase = "lapsed" // the call did not find its support in time
)

// Stage is one stage of the run, by the place it has in the rulebook.
type Stage struct {
	Name    string  `json:"name"`
	Status  Status  `json:"status"`
	Pass    int     `json:"pass,omitempty"` // how many times it was entered
	Opens   int64   `json:"opens,omitempty"`
	Closes  int64   `json:"closes,omitempty"` // 0: when its result is entered
	Opened  int64   `json:"opened,omitempty"`
	Closed  int64   `json:"closed,omitempty"`
	Outcome string  `json:"outcome,omitempty"`
	Why     string  `json:"why,omitempty"` // why nobody could be elected
	Gather  *Gather `json:"gather,omitempty"`
	Seats   int     `json:"seats,omitempty"`
	How     string  `json:"how,omitempty"`  // a decision taken by a secret ballot of its own
	Draw    *Draw   `json:"draw,omitempty"` // who was drawn
	Prep    *Prep   `json:"prep,omitempty"` // a sealed ballot that is being prepared

	Took []register.PersonID `json:"took,omitempty"` // who decided, by name
}

// Sanctioned is a sanction that a run imposed or lifted.
type Sanctioned struct {
	Verb     string              `json:"verb"`
	Sanction string              `json:"sanction"`
	Whom     []register.PersonID `json:"whom"`
	Until    int64               `json:"until,omitempty"` // Unix seconds
}

// Status is where a stage stands.
type Status string

// The statuses.
const (
	Waiting Status = ""
	Coming  Status = "coming"
	Open    Status = "open"
	Closed  Status = "closed"
	Skipped Status = "skipped"
)

// Gather is support being collected: for a call, for candidates, or for the
// question of a stage.
type Gather struct {
	Opened   int64             `json:"opened"`
	Closes   int64             `json:"closes,omitempty"`
	Bases    map[string]string `json:"bases,omitempty"` // denominators by leaf, exact
	Supports []Support         `json:"supports,omitempty"`
	Result   []Standing        `json:"result,omitempty"` // at the close
}

// Support is one supporter's word. By is "p12" or "u4". For is the candidate
// supported, 0 where the question itself is. Leaves are the parts of the
// threshold that it counts towards, with what it weighs there.
type Support struct {
	By      string            `json:"by"`
	Through register.PersonID `json:"through,omitempty"` // who acted for a unit
	For     register.PersonID `json:"for,omitempty"`
	Against bool              `json:"against,omitempty"`
	Void    bool              `json:"void,omitempty"` // the unit's vote had no quorum: it has not voted
	Yes     int64             `json:"yes,omitempty"`
	No      int64             `json:"no,omitempty"`
	From    string            `json:"from,omitempty"` // the run in which the unit voted by a ballot of its own
	Leaves  []LeafShare       `json:"leaves,omitempty"`
	At      int64             `json:"at"`
	Gone    string            `json:"gone,omitempty"` // why it no longer counts
}

// LeafShare is what one supporter adds to one leaf of a threshold.
type LeafShare struct {
	Leaf   string `json:"leaf"`
	Weight string `json:"weight,omitempty"` // exact; empty: 1
	Unit   int64  `json:"unit,omitempty"`   // for `distinct`
}

// Standing is how much support somebody has at the close of a gathering.
type Standing struct {
	For   register.PersonID `json:"for,omitempty"`
	Name  string            `json:"name,omitempty"`
	Met   bool              `json:"met"`
	Auto  bool              `json:"automatic,omitempty"`
	Gates []Reached         `json:"gates,omitempty"`
}

// Reached is one leaf of a threshold, counted.
type Reached struct {
	Leaf  string `json:"leaf"`
	What  string `json:"what"`            // whose support, as the page says it
	Has   string `json:"has"`             // exact
	Needs string `json:"needs"`           // exact; after rounding where the rule rounds
	Base  string `json:"base,omitempty"`  // the denominator's value
	Of    string `json:"of,omitempty"`    // the denominator's name
	Share string `json:"share,omitempty"` // as the rule states it
	Round string `json:"round,omitempty"`
	Cmp   string `json:"cmp"`
	Met   bool   `json:"met"`
}

// Person is somebody who acts publicly, with the name the public sees.
type Person struct {
	ID   register.PersonID `json:"id"`
	Name string            `json:"name"`
}

// Candidate is somebody proposed.
type Candidate struct {
	Person
	Status    string `json:"status"`
	Automatic bool   `json:"automatic,omitempty"`
	Statement string `json:"statement,omitempty"`
	At        int64  `json:"at"`
}

// The statuses of a candidate. One who has been proposed and has neither
// accepted nor declined stands, when the gate is met: silence is consent, and
// the page says so.
const (
	Proposed  = "proposed"
	Accepted  = "accepted"
	Declined  = "declined"
	Withdrawn = "withdrawn"
	Fell      = "short"    // did not reach the gate
	Excluded  = "excluded" // left in a round of an exhaustive ballot
)

// Ballot is one vote being held; each round of an exhaustive ballot is one.
type Ballot struct {
	ID       string           `json:"id"` // ref/stage/round
	Stage    int              `json:"stage"`
	Round    int              `json:"round"`
	How      string           `json:"how"`
	Method   string           `json:"method,omitempty"` // empty: for or against
	Seats    int              `json:"seats,omitempty"`
	Options  []Person         `json:"options,omitempty"` // in the order of the paper
	Scale    []int64          `json:"scale,omitempty"`   // by points: what each rank is worth
	Choices  []string         `json:"choices,omitempty"` // for a vote: for, against …
	Question string           `json:"question,omitempty"`
	Revote   bool             `json:"revote,omitempty"`
	Roll     Roll             `json:"roll"`
	Opened   int64            `json:"opened"`
	Closes   int64            `json:"closes,omitempty"`
	Key      string           `json:"key,omitempty"` // public half of the box's key, base64
	Quotas   []Quota          `json:"quotas,omitempty"`
	Minimum  int64            `json:"minimum,omitempty"`  // the fewest papers of a section with which it is opened
	Unopened bool             `json:"unopened,omitempty"` // too few came: the papers were destroyed unread
	Commits  []Commit         `json:"commits,omitempty"`
	Closers  []string         `json:"closers,omitempty"` // offices that have asked to close it
	Closed   int64            `json:"closed,omitempty"`
	Root     string           `json:"root,omitempty"` // closing root, hex
	Returned []Returned       `json:"returned,omitempty"`
	Recorded []RecordedPaper  `json:"recorded,omitempty"`
	Counted  int64            `json:"counted,omitempty"`
	Sheet    string           `json:"sheet,omitempty"` // the count sheet, public
	Outcome  string           `json:"outcome,omitempty"`
	Tests    []Reached        `json:"tests,omitempty"`
	Figures  map[string]int64 `json:"figures,omitempty"`  // of a vote: for, against, spoilt …
	Seal     *Seal            `json:"seal,omitempty"`     // of a sealed ballot
	Sections []SectionVotes   `json:"sections,omitempty"` // of a vote in several sections: what each choice got in each
}

// Rounds gives the earlier ballots of the exhaustive election that one belongs
// to, the first one first. An election that had no result (no quorum, too few
// papers) and is held again begins afresh.
func (s *State) Rounds(of *Ballot) []*Ballot {
	var out []*Ballot
	for i := range s.Ballots {
		x := &s.Ballots[i]
		switch {
		case x.ID == of.ID:
			return out
		case x.Stage != of.Stage:
		case x.Outcome == NextRound:
			out = append(out, x)
		default:
			out = nil
		}
	}
	return out
}

// Roll is what a ballot knows of its roll.
type Roll struct {
	Root     string        `json:"root"` // hex
	At       int64         `json:"at"`
	Known    int64         `json:"known"`            // register sequence
	Freeze   string        `json:"freeze,omitempty"` // as the rule resolved it
	Sections []RollSection `json:"sections"`
}

// RollSection is a section's totals.
type RollSection struct {
	Name     string        `json:"name"`
	Weight   string        `json:"weight"`
	Listed   bool          `json:"listed,omitempty"`
	Entitled int64         `json:"entitled"`
	Votes    string        `json:"votes"` // exact: what they are worth together
	Declare  string        `json:"declare,omitempty"`
	Stopped  []RollReason  `json:"stopped,omitempty"`
	Voters   []ListedVoter `json:"voters,omitempty"`
}

// RollReason is how many people one condition stopped.
type RollReason struct {
	ID     string `json:"id"`
	Clause string `json:"clause,omitempty"`
	Says   string `json:"says"`
	People int64  `json:"people"`
}

// ListedVoter is one voter of a listed section: a unit, or a person who votes
// as the member of a body or the holder of an office.
type ListedVoter struct {
	Unit   register.UnitID   `json:"unit,omitempty"`
	Person register.PersonID `json:"person,omitempty"`
	Name   string            `json:"name"`
	Value  string            `json:"value"`          // exact
	Acts   string            `json:"acts,omitempty"` // the office that votes for the unit
	Bar    string            `json:"bar,omitempty"`  // the sanction that takes the vote away
}

// Commit is one officer's committed secret for the lot.
type Commit struct {
	Office string `json:"office"`
	Hash   string `json:"hash"`             // SHA-256 of the secret, hex
	Secret string `json:"secret,omitempty"` // once opened, hex
	Absent bool   `json:"absent,omitempty"` // withheld at the close
}

// Returned is how many papers came back in a section.
type Returned struct {
	Section string `json:"section"`
	Papers  int64  `json:"papers"`
	Voters  int64  `json:"voters"`
}

// SectionVotes is what each choice got in one section of a vote, before the
// section is weighed: exact, as 3 or 7/2.
type SectionVotes struct {
	Section string            `json:"section"`
	Votes   map[string]string `json:"votes"`
}

// RecordedPaper is a vote by name.
type RecordedPaper struct {
	Section string `json:"section"`
	Voter   string `json:"voter"` // p12 or u4
	Name    string `json:"name"`
	Ranks   []int  `json:"ranks,omitempty"` // option numbers, the first preference first
	Choice  string `json:"choice,omitempty"`
	Value   string `json:"value"`
}

// Slot is a discretion that was used.
type Slot struct {
	Value Held   `json:"value"`
	By    string `json:"by"` // office or body
	At    int64  `json:"at"`
}

// Done is an effect that was carried out.
type Done struct {
	Verb   string `json:"verb"`
	Target string `json:"target,omitempty"`
	Whom   string `json:"whom,omitempty"` // names
	Says   string `json:"says,omitempty"`
	At     int64  `json:"at"`

	People []register.PersonID `json:"people,omitempty"` // who came into an office, or left it
	Left   []register.PersonID `json:"left,omitempty"`   // who made room

	Ref  string          `json:"ref,omitempty"`  // the run it is about, where it is one
	Unit register.UnitID `json:"unit,omitempty"` // for start and stop
	With map[string]Held `json:"with,omitempty"`

	Yes     int64 `json:"yes,omitempty"` // of a report: the votes in the unit
	No      int64 `json:"no,omitempty"`
	Refused bool  `json:"refused,omitempty"`
}

// Clone gives a state that shares nothing with this one.
func (s *State) Clone() *State {
	b, err := json.Marshal(s)
	if err != nil {
		panic("proceeding: a state that cannot be written: " + err.Error())
	}
	c := &State{}
	if err := json.Unmarshal(b, c); err != nil {
		panic("proceeding: a state that cannot be read: " + err.Error())
	}
	return c
}

// Stage gives the stage by name, nil if there is none.
func (s *State) StageNamed(name string) *Stage {
	for i := range s.Stages {
		if s.Stages[i].Name == name {
			return &s.Stages[i]
		}
	}
	return nil
}

// Now gives the current stage, nil before the first and after the last.
func (s *State) Now() *Stage {
	if s.Current < 0 || s.Current >= len(s.Stages) {
		return nil
	}
	return &s.Stages[s.Current]
}

// Ballot gives the ballot with an id, nil if there is none.
func (s *State) Ballot(id string) *Ballot {
	for i := range s.Ballots {
		if s.Ballots[i].ID == id {
			return &s.Ballots[i]
		}
	}
	return nil
}

// OpenBallot gives the ballot that has not been counted yet, nil if there is
// none.
func (s *State) OpenBallot() *Ballot {
	if n := len(s.Ballots); n > 0 && s.Ballots[n-1].Counted == 0 {
		return &s.Ballots[n-1]
	}
	return nil
}

// Candidate gives the candidate who is a person, nil if there is none.
func (s *State) Candidate(p register.PersonID) *Candidate {
	for i := range s.Candidates {
		if s.Candidates[i].ID == p {
			return &s.Candidates[i]
		}
	}
	return nil
}

// Standing candidates are those who have neither declined, withdrawn, fallen
// short nor been excluded.
func (s *State) Standing() []Candidate {
	var out []Candidate
	for _, c := range s.Candidates {
		if c.Status == Proposed || c.Status == Accepted {
			out = append(out, c)
		}
	}
	return out
}

// Live tells whether anything can still happen in the run.
func (s *State) Live() bool { return s.Phase != Ended && s.Phase != Lapsed }

// Due is the next instant at which something falls due without anybody
// acting, 0 if nothing does.
func (s *State) Due() int64 {
	switch s.Phase {
	case Collecting:
		return s.Backing.Closes
	case Running:
	default:
		return 0
	}
	st := s.Now()
	if st == nil {
		return s.Called
	}
	switch st.Status {
	case Coming:
		if st.Prep != nil && !st.Prep.Ready() {
			return 0 // it waits for its trustees and its registrar
		}
		return st.Opens
	case Open:
		if b := s.OpenBallot(); b != nil && b.Stage == s.Current {
			return 0 // closes by its officers; no paper is taken after its end
		}
		return st.Closes
	}
	return 0
}

// TookPart tells whether a person had a part in what the run decided: by
// supporting, by a vote by name, or in a drawn body.
func (s *State) TookPart(p register.PersonID) bool {
	by := voter{person: p}.key()
	for i := range s.Stages {
		st := &s.Stages[i]
		if slices.Contains(st.Took, p) {
			return true
		}
		if st.Gather != nil && slices.ContainsFunc(st.Gather.Supports, func(x Support) bool { return x.By == by }) {
			return true
		}
	}
	for _, body := range s.Drawn {
		if slices.Contains(body, p) {
			return true
		}
	}
	for i := range s.Ballots {
		if slices.ContainsFunc(s.Ballots[i].Recorded, func(x RecordedPaper) bool { return x.Voter == by }) {
			return true
		}
	}
	return false
}
