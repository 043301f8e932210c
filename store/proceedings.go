package store

import (
	"time"

	"github.com/omov/omov/fault"
)

// RulebookRow is a version of a rulebook. Within is the unit or organisation
// whose it is, as the rulebook says; Seq the entry that adopted it.
type RulebookRow struct {
	Hash, Title, Edition string
	Source               []byte
	Within               string
	InForceAt            time.Time
	Seq                  int64
}

const rulebookColumns = `hash, title, edition, source, within, in_force_at, seq`

func toRulebook(r row) RulebookRow {
	return RulebookRow{r.text(0), r.text(1), r.text(2), r.blob(3), r.text(4), time.UnixMilli(r.int(5)).UTC(), r.int(6)}
}

// PutRulebook writes a version of a rulebook. What is there under its hash
// stays as it is.
func (tx *Tx) PutRulebook(b RulebookRow) error {
	_, err := tx.write(`INSERT INTO rulebook (`+rulebookColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (hash) DO NOTHING`,
		b.Hash, b.Title, b.Edition, full(b.Source), b.Within, b.InForceAt.UnixMilli(), b.Seq)
	return err
}

// Rulebook gives a version by its hash; fault.NotFound where there is none.
func (tx *Tx) Rulebook(hash string) (RulebookRow, error) {
	var b RulebookRow
	found, err := tx.one(`SELECT `+rulebookColumns+` FROM rulebook WHERE hash = $1`, func(r row) { b = toRulebook(r) }, hash)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "there is no rulebook %.12s in this book", hash)
	}
	return b, err
}

// Rulebooks gives all versions in the order in which they were adopted, with
// their sources.
func (tx *Tx) Rulebooks() ([]RulebookRow, error) {
	var bs []RulebookRow
	err := tx.query(`SELECT `+rulebookColumns+` FROM rulebook ORDER BY seq, hash`, func(r row) error {
		bs = append(bs, toRulebook(r))
		return nil
	})
	return bs, err
}

// ProceedingRow is what the projection keeps of a proceeding. State is
// proceeding's own bytes; the other columns are copies for lists.
type ProceedingRow struct {
	Ref, Procedure string
	Unit           int64
	Office         string
	Version        int64
	Phase          string
	DueAt          time.Time // when something falls due next; zero: nothing does
	State          []byte
	CalledAt       time.Time
	EndedAt        time.Time // zero: it has not ended
}

const proceedingColumns = `ref, procedure, unit, office, version, phase, due_at, state, called_at, ended_at`

func toProceeding(r row) ProceedingRow {
	return ProceedingRow{r.text(0), r.text(1), r.int(2), r.text(3), r.int(4), r.text(5), fromMilli(r.int(6)), r.blob(7), time.UnixMilli(r.int(8)).UTC(), fromMilli(r.int(9))}
}

// PutProceeding writes a proceeding whose stored version was was (0: it is
// new) and is p.Version from now on. A proceeding that has another version by
// now is left alone (fault.Conflict).
func (tx *Tx) PutProceeding(p ProceedingRow, was int64) error {
	var n int64
	var err error
	if was == 0 {
		n, err = tx.write(`INSERT INTO proceeding (`+proceedingColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (ref) DO NOTHING`,
			p.Ref, p.Procedure, p.Unit, p.Office, p.Version, p.Phase, milli(p.DueAt), full(p.State), p.CalledAt.UnixMilli(), milli(p.EndedAt))
	} else {
		n, err = tx.write(`UPDATE proceeding SET procedure = $2, unit = $3, office = $4, version = $5, phase = $6, due_at = $7, state = $8, called_at = $9, ended_at = $10 WHERE ref = $1 AND version = $11`,
			p.Ref, p.Procedure, p.Unit, p.Office, p.Version, p.Phase, milli(p.DueAt), full(p.State), p.CalledAt.UnixMilli(), milli(p.EndedAt), was)
	}
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "%s has changed in the meantime; look again and repeat what you did", p.Ref)
	}
	return err
}

// Proceeding gives a proceeding; fault.NotFound where there is none.
func (tx *Tx) Proceeding(ref string) (ProceedingRow, error) {
	var p ProceedingRow
	found, err := tx.one(`SELECT `+proceedingColumns+` FROM proceeding WHERE ref = $1`, func(r row) { p = toProceeding(r) }, ref)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "there is no proceeding %s", ref)
	}
	return p, err
}

// ProceedingVersion gives the version of a proceeding without its state.
func (tx *Tx) ProceedingVersion(ref string) (version int64, err error) {
	found, err := tx.one(`SELECT version FROM proceeding WHERE ref = $1`, func(r row) { version = r.int(0) }, ref)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "there is no proceeding %s", ref)
	}
	return version, err
}

// Proceedings gives all proceedings, those last called first.
func (tx *Tx) Proceedings() ([]ProceedingRow, error) {
	return tx.proceedings(`SELECT ` + proceedingColumns + ` FROM proceeding ORDER BY called_at DESC, ref DESC`)
}

// OpenProceedings gives those that have not ended, those last called first.
func (tx *Tx) OpenProceedings() ([]ProceedingRow, error) {
	return tx.proceedings(`SELECT ` + proceedingColumns + ` FROM proceeding WHERE ended_at IS NULL ORDER BY called_at DESC, ref DESC`)
}

// DueBefore gives the proceedings in which something falls due at or before
// an instant, the earliest first.
func (tx *Tx) DueBefore(t time.Time) ([]ProceedingRow, error) {
	return tx.proceedings(`SELECT `+proceedingColumns+` FROM proceeding WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at, ref`, t.UnixMilli())
}

// RunRow is a proceeding without its state.
type RunRow struct {
	Ref, Procedure, Office, Phase string
	Unit                          int64
	CalledAt, EndedAt             time.Time // EndedAt is zero where it has not ended
}

// Runs gives all proceedings without their states, the oldest first.
func (tx *Tx) Runs() ([]RunRow, error) {
	var out []RunRow
	err := tx.query(`SELECT ref, procedure, office, phase, unit, called_at, ended_at FROM proceeding ORDER BY called_at, ref`, func(r row) error {
		out = append(out, RunRow{r.text(0), r.text(1), r.text(2), r.text(3), r.int(4), time.UnixMilli(r.int(5)).UTC(), fromMilli(r.int(6))})
		return nil
	})
	return out, err
}

// NextDue gives when the next thing falls due in any proceeding; the zero
// time where nothing does.
func (tx *Tx) NextDue() (at time.Time, err error) {
	_, err = tx.one(`SELECT min(due_at) FROM proceeding WHERE due_at IS NOT NULL`, func(r row) { at = fromMilli(r.int(0)) })
	return at, err
}

func (tx *Tx) proceedings(sql string, args ...any) ([]ProceedingRow, error) {
	var ps []ProceedingRow
	err := tx.query(sql, func(r row) error {
		ps = append(ps, toProceeding(r))
		return nil
	}, args...)
	return ps, err
}
