package store

import "github.com/omov/omov/fault"

// ProceedingVersion gives the version of a proceeding without its state.
func (tx *Tx) ProceedingVersion(ref string) (version int64, err error) {
	found, err := tx.one(`SELECT version FROM proceeding WHERE ref = $1`, func(r row) { version = r.int(0) }, ref)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "there is no proceeding %s", ref)
	}
	return version, err
}
