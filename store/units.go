package store

import "github.com/omov/omov/fault"

// UnitRow is what the projection keeps of a unit. Opened and Closed are the
// register's instants, not the store's.
type UnitRow struct {
	ID             int64
	Kind           string
	Parent         int64
	Name           string
	Facts          []byte
	Opened, Closed int64
	Seq            int64
}

const unitColumns = `id, kind, parent, name, facts, opened, closed, seq`

func toUnit(r row) UnitRow {
	return UnitRow{r.int(0), r.text(1), r.int(2), r.text(3), r.blob(4), r.int(5), r.int(6), r.int(7)}
}

// PutUnits writes units, whole. In one call a unit occurs once.
func (tx *Tx) PutUnits(us []UnitRow) error {
	return tx.bulk(tx.db.tables.unit, len(us), func(i int, r row) {
		u := &us[i]
		r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7] = u.ID, u.Kind, u.Parent, u.Name, full(u.Facts), u.Opened, u.Closed, u.Seq
	})
}

// Unit gives a unit; fault.NotFound where there is none.
func (tx *Tx) Unit(id int64) (UnitRow, error) {
	var u UnitRow
	found, err := tx.one(`SELECT `+unitColumns+` FROM unit WHERE id = $1`, func(r row) { u = toUnit(r) }, id)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "there is no unit %d", id)
	}
	return u, err
}

// Units gives all units by number.
func (tx *Tx) Units() ([]UnitRow, error) {
	var us []UnitRow
	err := tx.query(`SELECT `+unitColumns+` FROM unit ORDER BY id`, func(r row) error {
		us = append(us, toUnit(r))
		return nil
	})
	return us, err
}

// OfficeTermRow is what the projection keeps of a term of office. From and
// Until are the register's instants; Known and Ended are sequences.
type OfficeTermRow struct {
	ID           int64
	Office       string
	Unit, Person int64
	From, Until  int64
	Known, Ended int64
}

const officeColumns = `id, office, unit, person, from_at, until_at, known_seq, ended_seq`

func toOfficeTerm(r row) OfficeTermRow {
	return OfficeTermRow{r.int(0), r.text(1), r.int(2), r.int(3), r.int(4), r.int(5), r.int(6), r.int(7)}
}

// PutOfficeTerms writes terms of office, whole. In one call a term occurs
// once.
func (tx *Tx) PutOfficeTerms(ts []OfficeTermRow) error {
	return tx.bulk(tx.db.tables.office, len(ts), func(i int, r row) {
		t := &ts[i]
		r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7] = t.ID, t.Office, t.Unit, t.Person, t.From, t.Until, t.Known, t.Ended
	})
}

// OfficeTerms gives all terms of office, past ones too, by number.
func (tx *Tx) OfficeTerms() ([]OfficeTermRow, error) {
	return tx.officeTerms(`SELECT ` + officeColumns + ` FROM office_term ORDER BY id`)
}

// OfficeTermsOf gives those of a person, by number.
func (tx *Tx) OfficeTermsOf(person int64) ([]OfficeTermRow, error) {
	return tx.officeTerms(`SELECT `+officeColumns+` FROM office_term WHERE person = $1 ORDER BY id`, person)
}

func (tx *Tx) officeTerms(sql string, args ...any) ([]OfficeTermRow, error) {
	var ts []OfficeTermRow
	err := tx.query(sql, func(r row) error {
		ts = append(ts, toOfficeTerm(r))
		return nil
	}, args...)
	return ts, err
}

// LastOfficeTerm gives the highest number that was given to a term of office.
func (tx *Tx) LastOfficeTerm() (last int64, err error) {
	_, err = tx.one(`SELECT coalesce(max(id), 0) FROM office_term`, func(r row) { last = r.int(0) })
	return last, err
}
