package register

// The kinds of entry that the register owns. The number behind the stroke is
// the version of the body's form; a form is never changed, only added to.
const (
	KindUnits    = "units.opened/1"      // public: the tree is no secret
	KindImported = "register.imported/1" // officers: up to 10,000 people
	KindChanged  = "register.changed/1"  // officers: one person
	KindFilled   = "office.filled/1"     // public: who holds an office acts publicly
	KindVacated  = "office.vacated/1"    // public
	KindErased   = "person.erased/1"     // officers
)

// UnitsBody opens units, or restates them.
type UnitsBody struct {
	At    int64  `json:"at"` // Unix seconds: open from then
	Units []Unit `json:"units"`
	Ends  bool   `json:"ends,omitempty"` // the units close then; when they opened stays
}

// PersonRow is what an entry says of one person. Commitment covers the
// particulars (see minutes.Particular); it is absent where they stay as they
// were.
type PersonRow struct {
	Person     PersonID `json:"p"`
	New        bool     `json:"new,omitempty"`
	Changes    []Change `json:"c,omitempty"`
	Commitment string   `json:"h,omitempty"` // SHA-256, base64
}

// MaxRows is the most people that one entry speaks of.
const MaxRows = 10_000

// ImportedBody is one part of an import. Terms are the words that the
// vocabulary did not have yet, numbered on from First.
type ImportedBody struct {
	Source string      `json:"source,omitempty"` // SHA-256 of the file, hex
	Part   int         `json:"part"`
	First  Term        `json:"first,omitempty"`
	Terms  []string    `json:"terms,omitempty"`
	Rows   []PersonRow `json:"rows"`
}

// FilledBody fills an office. Name is public: an office-holder acts publicly.
type FilledBody struct {
	Term TermOfOffice `json:"term"`
	Name string       `json:"name"`
	How  string       `json:"how"` // elected, elected without a ballot, appointed, imported
}

// VacatedBody ends a term of office.
type VacatedBody struct {
	Term int64    `json:"term"`
	At   int64    `json:"at"` // Unix seconds
	Why  string   `json:"why"`
	Who  PersonID `json:"person"`
}

// ErasedBody says that a person's particulars can no longer be read.
type ErasedBody struct {
	Person PersonID `json:"p"`
	Ground string   `json:"ground"`
}
