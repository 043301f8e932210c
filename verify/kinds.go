package verify

import (
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
)

// The kinds that no package of floor 0 owns, as docs/verifying.md specifies
// them.
const (
	kindFounded  = "book.opened/1"
	kindOrigin   = "book.origin/1"
	kindRulebook = "rulebook.adopted/1"
	kindUnfit    = "rulebook.unfit/1"
	kindEvent    = "event.declared/1"
	kindStanding = "slot.standing/1"
	kindTerms    = "vocabulary.extended/1"

	kindOverridden = "text.overridden/1"
)

type foundedBody struct {
	Name string `json:"name"`
	Demo bool   `json:"demo"`
	Note string `json:"note,omitempty"`
}

type originBody struct {
	Origin     string `json:"origin"`
	Old        string `json:"old"`
	Checkpoint string `json:"checkpoint"`
	Signed     int64  `json:"signed"`
	Kept       int64  `json:"kept"`
	Reason     string `json:"reason"`
}

type rulebookBody struct {
	Title   string   `json:"title"`
	Edition string   `json:"edition"`
	Hash    string   `json:"hash"`
	Within  string   `json:"within,omitempty"`
	InForce int64    `json:"in_force"`
	Adopted string   `json:"adopted,omitempty"`
	Rebuilt bool     `json:"rebuilt,omitempty"`
	Terms   []string `json:"terms,omitempty"`
	First   int64    `json:"first,omitempty"`
	Source  []byte   `json:"source"`
}

type unfitBody struct {
	Ref string `json:"ref"`
	Why string `json:"why"`
}

type eventBody struct {
	Event string `json:"event"`
	At    int64  `json:"at"`
	By    string `json:"by,omitempty"`
}

type standingBody struct {
	Slot string          `json:"slot"`
	Unit int64           `json:"unit,omitempty"`
	Set  proceeding.Slot `json:"set"`
}

type rollBody struct {
	Ballot string     `json:"ballot"`
	Root   []byte     `json:"root"`
	Size   int64      `json:"size"`
	Facts  rollFacts  `json:"facts"`
	Lines  []rollPart `json:"lines"`
}

type rollFacts struct {
	Sections []rollSection `json:"sections"`
	People   []int         `json:"people"`
	Seed     []byte        `json:"seed"`
	Freeze   string        `json:"freeze,omitempty"`
	At       int64         `json:"at"`
	Known    int64         `json:"known"`
}

type rollSection struct {
	Name    string                   `json:"name"`
	Weight  string                   `json:"weight"`
	Declare string                   `json:"declare,omitempty"`
	Listed  bool                     `json:"listed,omitempty"`
	Reasons []roll.Reason            `json:"reasons"`
	Voters  []proceeding.ListedVoter `json:"voters,omitempty"`
}

type rollPart struct {
	N     int64  `json:"n"`
	Lines []byte `json:"b"`
}

type overriddenBody struct {
	Ref  string `json:"ref"`
	By   string `json:"by"`
	At   int64  `json:"at"`
	Rule string `json:"rule"`
}

type papersBody struct {
	Ballot   string          `json:"ballot"`
	Sections []sectionPapers `json:"sections"`
}

type sectionPapers struct {
	Section string    `json:"section"`
	Papers  []grouped `json:"papers"`
	Spoilt  int64     `json:"spoilt,omitempty"` // of a sealed ballot
}

// grouped is one distinct paper and how many bore it.
type grouped struct {
	Marks  []int  `json:"m,omitempty"`
	Choice int    `json:"c"`
	Value  string `json:"v,omitempty"`
	N      int64  `json:"n"`
}

type markedBody struct {
	Ballot   string          `json:"ballot"`
	Root     string          `json:"root"`
	Sections []sectionMarked `json:"sections"`
}

type sectionMarked struct {
	Section string  `json:"section"`
	N       int64   `json:"n"`
	People  []byte  `json:"people,omitempty"`
	Units   []int64 `json:"units,omitempty"`
}

// kind is a kind of entry: how its body is read, who may read it, and whether
// it belongs to a proceeding (or may).
type kind struct {
	read   func([]byte) (any, error)
	access minutes.Access
	run    bool // always of a proceeding
	free   bool // of a proceeding or of none
}

func body[T any](b []byte) (any, error) {
	x := new(T)
	err := minutes.Decode(b, x)
	return x, err
}

// kinds are all that this verifier knows. Whatever is not here fails.
func kinds() map[string]kind {
	const public, officers, scrutineers = minutes.Public, minutes.Officers, minutes.Scrutineers
	p := func(read func([]byte) (any, error)) kind { return kind{read: read, access: public, run: true} }
	o := func(read func([]byte) (any, error)) kind { return kind{read: read, access: officers, run: true} }
	return map[string]kind{
		kindFounded:    {read: body[foundedBody], access: public},
		kindOrigin:     {read: body[originBody], access: public},
		kindRulebook:   {read: body[rulebookBody], access: public},
		kindUnfit:      {read: body[unfitBody], access: public},
		kindEvent:      {read: body[eventBody], access: public},
		kindStanding:   {read: body[standingBody], access: public},
		kindTerms:      {read: body[register.ImportedBody], access: officers},
		kindOverridden: {read: body[overriddenBody], access: public},

		register.KindUnits:    {read: body[register.UnitsBody], access: public, free: true},
		register.KindImported: {read: body[register.ImportedBody], access: officers},
		register.KindChanged:  {read: body[register.ImportedBody], access: officers, free: true},
		register.KindFilled:   {read: body[register.FilledBody], access: public, free: true},
		register.KindVacated:  {read: body[register.VacatedBody], access: public, free: true},
		register.KindErased:   {read: body[register.ErasedBody], access: officers},

		proceeding.KindBegun:      p(body[proceeding.CalledBody]),
		proceeding.KindCalled:     p(body[proceeding.CalledBody]),
		proceeding.KindLapsed:     p(body[proceeding.EndBody]),
		proceeding.KindEnded:      p(body[proceeding.EndBody]),
		proceeding.KindHalted:     p(body[proceeding.HaltBody]),
		proceeding.KindOrdered:    p(body[proceeding.OrderBody]),
		proceeding.KindSupport:    o(body[proceeding.SupportBody]),
		proceeding.KindUnsupport:  o(body[proceeding.SupportBody]),
		proceeding.KindProposed:   o(body[proceeding.CandidateBody]),
		proceeding.KindAccepted:   p(body[proceeding.CandidateBody]),
		proceeding.KindDeclined:   o(body[proceeding.CandidateBody]),
		proceeding.KindWithdrew:   p(body[proceeding.CandidateBody]),
		proceeding.KindSlot:       p(body[proceeding.SlotBody]),
		proceeding.KindComing:     p(body[proceeding.StageBody]),
		proceeding.KindOpened:     p(body[proceeding.StageBody]),
		proceeding.KindClosed:     p(body[proceeding.StageBody]),
		proceeding.KindChosen:     p(body[proceeding.StageBody]),
		proceeding.KindRoll:       p(body[proceeding.RollBody]),
		proceeding.KindRollLines:  o(body[rollBody]),
		proceeding.KindBallot:     p(body[proceeding.BallotBody]),
		proceeding.KindCommit:     p(body[proceeding.CommitBody]),
		proceeding.KindSecret:     p(body[proceeding.CommitBody]),
		proceeding.KindRecorded:   o(body[proceeding.RecordedBody]),
		proceeding.KindCloser:     p(body[proceeding.CloserBody]),
		proceeding.KindBallotShut: p(body[proceeding.ShutBody]),
		proceeding.KindPapers:     {read: body[papersBody], access: scrutineers, run: true},
		proceeding.KindMarked:     o(body[markedBody]),
		proceeding.KindTotals:     p(body[proceeding.TotalsBody]),
		proceeding.KindResult:     p(body[proceeding.ResultBody]),
		proceeding.KindEffect:     p(body[proceeding.EffectBody]),
		proceeding.KindAdopted:    p(body[proceeding.AdoptedBody]),
		proceeding.KindDrawn:      o(body[proceeding.DrawBody]),

		proceeding.KindTrustees:    {read: body[proceeding.TrusteesBody], access: public},
		proceeding.KindPrepared:    p(body[proceeding.PreparedBody]),
		proceeding.KindMessage:     p(body[proceeding.MessageBody]),
		proceeding.KindPhase:       p(body[proceeding.PhaseBody]),
		proceeding.KindKeyed:       p(body[proceeding.KeyedBody]),
		proceeding.KindListed:      p(body[proceeding.ListedBody]),
		proceeding.KindRelisted:    p(body[proceeding.RelistedBody]),
		proceeding.KindSealedPaper: p(body[proceeding.SealedPaperBody]),
		proceeding.KindClosing:     p(body[proceeding.ClosingBody]),
		proceeding.KindExcused:     p(body[proceeding.ExcusedBody]),
		proceeding.KindPart:        p(body[proceeding.PartBody]),
		proceeding.KindDeed:        p(body[proceeding.DeedBody]),

		proceeding.KindSanction: {read: body[proceeding.SanctionBody], access: minutes.Parties, run: true},
	}
}
