package verify

import (
	"fmt"
	"strings"
)

// The checks, in the order of a report. Those from CheckOpened on are made on
// a scrutineers' bundle only.
const (
	CheckSignature   = "signature"
	CheckFiles       = "files"
	CheckLeaves      = "leaves"
	CheckTree        = "tree"
	CheckConsistency = "consistency"
	CheckOrder       = "order"
	CheckRecords     = "records"
	CheckPrivacy     = "privacy"
	CheckRulebooks   = "rulebooks"
	CheckSteps       = "steps"
	CheckTimes       = "times"
	CheckGates       = "gates"
	CheckRolls       = "rolls"
	CheckBallots     = "ballots"
	CheckTurnout     = "turnout"
	CheckLots        = "lots"
	CheckSheets      = "sheets"
	CheckResults     = "results"
	CheckOffices     = "offices"

	CheckOpened    = "opened"
	CheckSupport   = "support"
	CheckBases     = "bases"
	CheckGateAgain = "gate again"
	CheckRollAgain = "roll again"
	CheckMarked    = "marked roll"
	CheckPapers    = "papers"
	CheckClosing   = "closing root"
	CheckRecount   = "recount"
)

// The checks of sealed ballots, in the order of their list of thirteen. They are
// made on either bundle.
const (
	CheckSealManifest = "sealed manifest"
	CheckSealLog      = "sealed log"
	CheckSealList     = "sealed list"
	CheckSealKey      = "sealed key"
	CheckSealPapers   = "sealed papers"
	CheckSealAccepted = "sealed acceptance"
	CheckSealInput    = "sealed input"
	CheckSealMixes    = "sealed mixes"
	CheckSealShares   = "sealed shares"
	CheckSealPlain    = "sealed plaintexts"
	CheckSealCount    = "sealed count"
	CheckSealResult   = "sealed result"
	CheckSealLeft     = "sealed left out"
)

// titles says what each check establishes, in order.
func titles() [][2]string {
	return [][2]string{
		{CheckSignature, "The checkpoint is signed by the log"},
		{CheckFiles, "The bundle holds its files and no others"},
		{CheckLeaves, "Every entry is what the log committed to"},
		{CheckTree, "The log's root and tiles follow from its entries"},
		{CheckConsistency, "The log goes on from an older checkpoint"},
		{CheckOrder, "Entries are in order of number and time"},
		{CheckRecords, "Every record is of a known kind and can be read"},
		{CheckPrivacy, "What is not public says nothing in public"},
		{CheckRulebooks, "Every proceeding is pinned to the rulebook in force"},
		{CheckSteps, "Every proceeding took its steps in the rulebook's order"},
		{CheckTimes, "No window was closed early or used late"},
		{CheckGates, "Published support was measured as the rulebook says"},
		{CheckRolls, "Roll totals add up, frozen as the rulebook says"},
		{CheckBallots, "Ballots show the candidates and method that they must"},
		{CheckTurnout, "Papers, voters and those entitled agree"},
		{CheckLots, "Secrets for the lot open to their commitments; lots follow"},
		{CheckSheets, "Every count sheet adds up, stage by stage"},
		{CheckResults, "Every declared result follows from what is published"},
		{CheckOffices, "Offices are filled by those elected"},
		{CheckOpened, "Every entry is open to the scrutineers"},
		{CheckSupport, "Every supporter could support, with that weight"},
		{CheckBases, "Denominators counted again from the register"},
		{CheckGateAgain, "The gate, counted again from every nomination"},
		{CheckRollAgain, "The roll, taken again from register and rulebook"},
		{CheckMarked, "The marked roll: entitled voters, each once"},
		{CheckPapers, "As many papers as voters, in the form of the contest"},
		{CheckClosing, "The closing root binds marked roll and papers"},
		{CheckRecount, "The papers, counted again, give the same sheet"},
	}
}

// sealedTitles says the same of sealed ballots.
func sealedTitles() [][2]string {
	return [][2]string{
		{CheckSealManifest, "The manifest follows from rulebook, roll, candidates and trustees"},
		{CheckSealLog, "The closing checkpoint is of this log, and trustees witnessed it"},
		{CheckSealList, "The registrar's list has a key for each voter of the roll"},
		{CheckSealKey, "The key is the one that the trustees made and confirmed"},
		{CheckSealPapers, "Every paper that counts is by a credential of the list, proved and signed"},
		{CheckSealAccepted, "Of each credential the last paper that follows counts, and no other"},
		{CheckSealInput, "What was mixed or added up are the papers that count"},
		{CheckSealMixes, "Every mixer mixed, in turn, and only mixed"},
		{CheckSealShares, "As many trustees as it takes opened what was mixed, and nothing else"},
		{CheckSealPlain, "What was opened are the published papers; none vanished"},
		{CheckSealCount, "The papers, counted again, give the same count and lots"},
		{CheckSealResult, "Turnout and spoilt papers are those that were published"},
		{CheckSealLeft, "Papers and shares that do not hold are left out, and no others"},
	}
}

// Report is what a verification found.
type Report struct {
	Kind     string // public or scrutineers
	Origin   string
	Name     string // of the organisation
	Demo     bool
	Size     int64
	Key      string // the log's public key that was used
	KeyGiven bool   // by the checker, and not only by the bundle
	Checks   []*Check
}

// Check is one check with its figures. Done is how many things were looked
// at.
type Check struct {
	Number   int
	Sealed   bool // of sealed ballots: Number is that of their own list
	ID       string
	Title    string
	Done     int64
	Notes    []string
	Skipped  string // why it was not made
	Problems []string
	Failures int64 // including those beyond the first few

	off bool // in the tests: what fails here is not found
}

// maxProblems is how many problems of one check are written out.
const maxProblems = 20

func newReport() *Report {
	r := &Report{}
	for i, t := range titles() {
		r.Checks = append(r.Checks, &Check{Number: i + 1, ID: t[0], Title: t[1]})
	}
	for i, t := range sealedTitles() {
		r.Checks = append(r.Checks, &Check{Number: i + 1, Sealed: true, ID: t[0], Title: t[1]})
	}
	return r
}

// Check gives a check by its id.
func (r *Report) Check(id string) *Check {
	for _, c := range r.Checks {
		if c.ID == id {
			return c
		}
	}
	return &Check{ID: id}
}

// Holds tells whether nothing was found.
func (r *Report) Holds() bool { return len(r.Failed()) == 0 }

// Failed gives the ids of the checks that do not hold.
func (r *Report) Failed() []string {
	var out []string
	for _, c := range r.Checks {
		if !c.Holds() {
			out = append(out, c.ID)
		}
	}
	return out
}

// Label is a check's number as it is printed; those of sealed ballots begin
// with an S.
func (c *Check) Label() string {
	if c.Sealed {
		return fmt.Sprintf("S%d", c.Number)
	}
	return fmt.Sprint(c.Number)
}

// Holds tells whether the check found nothing.
func (c *Check) Holds() bool { return c.Failures == 0 }

// Figures says what was looked at.
func (c *Check) Figures() string {
	if c.Skipped != "" {
		return c.Skipped
	}
	return strings.Join(c.Notes, "; ")
}

func (c *Check) note(format string, args ...any) {
	if len(c.Notes) < maxProblems {
		c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
	}
}

func (c *Check) skip(why string) { c.Skipped = why }

// fail records a problem with the entry of a number (0: with none).
func (c *Check) fail(seq int64, format string, args ...any) {
	if c.off {
		return
	}
	c.Failures++
	if len(c.Problems) < maxProblems {
		s := fmt.Sprintf(format, args...)
		if seq > 0 {
			s = fmt.Sprintf("entry %d: %s", seq, s)
		}
		c.Problems = append(c.Problems, s)
	}
}

// must counts one thing looked at, and fails where it does not hold.
func (c *Check) must(ok bool, seq int64, format string, args ...any) bool {
	c.Done++
	if !ok {
		c.fail(seq, format, args...)
	}
	return ok || c.off
}
