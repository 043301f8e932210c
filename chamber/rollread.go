package chamber

import (
	"encoding/json"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/store"
)

// RollOf gives the roll of a ballot: its number and what it keeps beside its
// chunks.
func RollOf(tx *store.Tx, ref, ballot string) (int64, RollFacts, error) {
	var f RollFacts
	rows, err := tx.RollsOf(ref)
	if err != nil {
		return 0, f, err
	}
	for _, row := range rows {
		if row.Ballot != ballot {
			continue
		}
		if err := json.Unmarshal(row.Facts, &f); err != nil {
			return 0, f, fault.Wrap(fault.Damaged, err, "the roll of %s cannot be read", ballot)
		}
		return row.ID, f, nil
	}
	return 0, f, fault.New(fault.NotFound, "the ballot %s has no roll", ballot)
}

// StateIn gives a proceeding's state as a write sees it.
func StateIn(tx *store.Tx, ref string) (*proceeding.State, error) {
	row, err := tx.Proceeding(ref)
	if err != nil {
		return nil, err
	}
	st := &proceeding.State{}
	if err := json.Unmarshal(row.State, st); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "the state of %s cannot be read", ref)
	}
	return st, nil
}
