package chamber

import (
	"encoding/json"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/store"
)

// The kinds of entry that the chamber owns.
const (
	KindFounded  = "book.opened/1"      // public: the first entry of a book
	KindRulebook = "rulebook.adopted/1" // public: its body is the rulebook
	KindUnfit    = "rulebook.unfit/1"   // public: a change of the rules that could not be made
	KindEvent    = "event.declared/1"   // public
	KindStanding = "slot.standing/1"    // public: a standing discretion was used
	KindTerms    = "vocabulary.extended/1"
)

// FoundedBody opens a book. A demo says so here, for ever.
type FoundedBody struct {
	Name string `json:"name"`
	Demo bool   `json:"demo"`
	Note string `json:"note,omitempty"`
}

// RulebookBody adopts a version. Adopted is the reference of the proceeding
// that decided it; empty at the founding. Rebuilt says that what Adopted decided
// was set aside, or restored, and that the rulebook was put together again from
// the changes that stand.
type RulebookBody struct {
	Title   string   `json:"title"`
	Edition string   `json:"edition"`
	Hash    string   `json:"hash"`
	Within  string   `json:"within,omitempty"`
	InForce int64    `json:"in_force"` // Unix milliseconds
	Adopted string   `json:"adopted,omitempty"`
	Rebuilt bool     `json:"rebuilt,omitempty"`
	Terms   []string `json:"terms,omitempty"` // new words of the vocabulary, numbered on from First
	First   int64    `json:"first,omitempty"`
	Source  []byte   `json:"source"`
}

// UnfitBody says that a change of the rules was decided and could not be made,
// since it does not fit the rulebook any more. The decision stands on the record;
// the rules stay as they are.
type UnfitBody struct {
	Ref string `json:"ref"`
	Why string `json:"why"`
}

// EventBody declares an event for an instant.
type EventBody struct {
	Event string `json:"event"`
	At    int64  `json:"at"` // Unix milliseconds
	By    string `json:"by,omitempty"`
}

// StandingBody uses a standing discretion.
type StandingBody struct {
	Slot string          `json:"slot"`
	Unit int64           `json:"unit,omitempty"`
	Set  proceeding.Slot `json:"set"`
}

// organisationRef is where the organisation's own state lies among the
// proceedings: it is a projection like theirs.
const organisationRef = "*"

// Organisation is the state of the organisation that belongs to no proceeding.
type Organisation struct {
	Name     string                     `json:"name"`
	Demo     bool                       `json:"demo"`
	Version  int64                      `json:"version"`
	Register int64                      `json:"register"` // the last entry about people, units or offices
	Events   []EventBody                `json:"events,omitempty"`
	Slots    map[string]proceeding.Slot `json:"slots,omitempty"`
	Adopted  []Adopted                  `json:"adopted,omitempty"`

	Trustees *proceeding.TrusteesBody `json:"trustees,omitempty"` // of sealed ballots to come; nil: the server alone
}

// Adopted is a text in force.
type Adopted struct {
	Kind       string `json:"kind"`
	Text       string `json:"text"`
	Ref        string `json:"ref"`
	At         int64  `json:"at"`
	Unit       int64  `json:"unit,omitempty"`
	Objective  string `json:"objective,omitempty"`
	Overridden string `json:"overridden,omitempty"` // by the decision of this run, which prevails
	Aside      bool   `json:"aside,omitempty"`      // set aside by an order
	InForce    int64  `json:"in_force,omitempty"`   // from when, if it was not at once
	Unfit      bool   `json:"unfit,omitempty"`      // a change of the rules that could not be made
}

func textOf(ref string, b *proceeding.AdoptedBody, at int64) Adopted {
	a := Adopted{Kind: b.Kind, Text: b.Text, Ref: ref, At: at, Unit: int64(b.Unit), Objective: b.Objective}
	if b.InForce > at {
		a.InForce = b.InForce
	}
	return a
}

// Organisation is the state that belongs to no proceeding.
func (w *World) Organisation() *Organisation { return w.org }

func loadOrganisation(tx *store.Tx) (*Organisation, error) {
	o := &Organisation{}
	row, err := tx.Proceeding(organisationRef)
	if fault.Is(err, fault.NotFound) {
		return o, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(row.State, o); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "the organisation's state cannot be read; omov replay rebuilds it from the minute book")
	}
	return o, nil
}

// InForce tells whether an adopted text stands: it has not been set aside, and
// whatever overrode it has not been set aside either.
func (o *Organisation) InForce(a *Adopted) bool {
	if a.Aside || a.Unfit {
		return false
	}
	if a.Overridden == "" {
		return true
	}
	for i := range o.Adopted {
		if w := &o.Adopted[i]; w.Ref == a.Overridden {
			return !o.InForce(w)
		}
	}
	return false
}
