package store

import "strings"

// kind is what a column holds; the same three on both dialects, so that the
// digests of both are the same.
type kind int

const (
	integer kind = iota
	text
	blob
)

func (k kind) postgres() string {
	switch k {
	case integer:
		return "bigint"
	case text:
		return "text"
	default:
		return "bytea"
	}
}

// array makes what pgx sends as an array of that kind, with room for NULLs.
func (k kind) array(n int) any {
	switch k {
	case integer:
		return make([]*int64, n)
	case text:
		return make([]*string, n)
	default:
		return make([][]byte, n)
	}
}

func setArray(a any, i int, v any) {
	switch a := a.(type) {
	case []*int64:
		if n, ok := v.(int64); ok {
			a[i] = &n
		}
	case []*string:
		if s, ok := v.(string); ok {
			a[i] = &s
		}
	case [][]byte:
		if b, ok := v.([]byte); ok {
			a[i] = b
		}
	}
}

type column struct {
	name string
	kind kind
}

// table is a table as bulk writes and digests see it. conflict is what an
// insert does where the key is there already.
type table struct {
	name     string
	columns  []column
	conflict string
}

func (t *table) names() string {
	var ns []string
	for _, c := range t.columns {
		ns = append(ns, c.name)
	}
	return strings.Join(ns, ", ")
}

// newTable reads "name: column kind, column kind, …". Kinds are i, t and b.
func newTable(name, columns, conflict string) *table {
	t := &table{name: name, conflict: conflict}
	for _, f := range strings.Split(columns, ",") {
		n, k, _ := strings.Cut(strings.TrimSpace(f), " ")
		t.columns = append(t.columns, column{n, map[string]kind{"i": integer, "t": text, "b": blob}[k]})
	}
	if conflict == "update" {
		var sets []string
		for _, c := range t.columns[1:] {
			sets = append(sets, c.name+" = excluded."+c.name)
		}
		t.conflict = " ON CONFLICT (" + t.columns[0].name + ") DO UPDATE SET " + strings.Join(sets, ", ")
	}
	return t
}

// tables are the tables that are written many rows at a time.
type tables struct {
	minute, particular, tile, person, newPerson, unit, office, key, credential *table
}

func newTables() *tables {
	return &tables{
		minute:     newTable("minute", "seq i, at i, kind t, access t, office t, proceeding t, rulebook t, clause t, salt b, commitment b, body b", ""),
		particular: newTable("particular", "seq i, n i, person i, salt b, cipher b", ""),
		tile:       newTable("tile", "level i, n i, hashes b", " ON CONFLICT (level, n) DO UPDATE SET hashes = excluded.hashes"),
		person:     newTable("person", "id i, external t, email_mac b, facts b, particular b, seq i", "update"),
		newPerson:  newTable("person", "id i, external t, email_mac b, facts b, particular b, seq i", ""),
		unit:       newTable("unit", "id i, kind t, parent i, name t, facts b, opened i, closed i, seq i", "update"),
		office:     newTable("office_term", "id i, office t, unit i, person i, from_at i, until_at i, known_seq i, ended_seq i", "update"),
		credential: newTable("sealed_credential", "ballot t, key b, section t, class t, hash b, sequence i, seq i", " ON CONFLICT (ballot, key) DO NOTHING"),
		key:        newTable("person_key", "person i, key b", " ON CONFLICT (person) DO NOTHING"),
	}
}
