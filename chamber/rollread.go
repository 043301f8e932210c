package chamber

import (
	"encoding/json"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/store"
)

// ReadRollFacts gives what a roll keeps beside its chunks.
func ReadRollFacts(tx *store.Tx, id int64) (RollFacts, error) {
	var f RollFacts
	row, err := tx.Roll(id)
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(row.Facts, &f); err != nil {
		return f, fault.Wrap(fault.Damaged, err, "the facts of roll %d cannot be read", id)
	}
	return f, nil
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
