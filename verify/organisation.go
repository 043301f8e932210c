package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
)

// organisation is what a book says of an organisation, rebuilt entry by entry:
// rulebooks, units, offices and vocabulary, and, where their entries are open,
// people's records.
type organisation struct {
	kinds   map[string]kind
	books   map[string]*rulebook.Book
	adopted []adoption
	lastAt  int64    // of the last entry that is open, Unix milliseconds
	changes []change // of the rulebook, in the order in which they were adopted

	units  []register.Unit
	unitAt map[register.UnitID]int
	terms  []register.TermOfOffice
	tree   *register.Tree   // nil: to be built
	roster *register.Roster // nil: to be built

	words  []string
	vocab  map[string]register.Term
	events []eventBody
	slots  map[string]proceeding.Slot

	people map[register.PersonID][]byte // records, as package register writes them
	names  map[register.PersonID]string // of people who act publicly
	erased map[register.PersonID]bool
	runs   map[string]*run
	order  []string // references, the oldest first

	reaching []reaching // effects of runs on other runs
	trustees *proceeding.TrusteesBody
}

// adoption is a version of the rulebook and when it came into force.
type adoption struct {
	hash    string
	inForce int64
	within  string
}

func newOrganisation() *organisation {
	return &organisation{kinds: kinds(), books: map[string]*rulebook.Book{}, words: []string{""}, vocab: map[string]register.Term{},
		slots: map[string]proceeding.Slot{}, unitAt: map[register.UnitID]int{}, people: map[register.PersonID][]byte{}, names: map[register.PersonID]string{},
		erased: map[register.PersonID]bool{}, runs: map[string]*run{}}
}

// inForce is the version in force at an instant, in Unix milliseconds.
func (o *organisation) inForce(at int64) string {
	best := -1
	for i, a := range o.adopted {
		if a.within == "" && a.inForce <= at && (best < 0 || a.inForce >= o.adopted[best].inForce) {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	return o.adopted[best].hash
}

// about takes in an entry that is about the organisation as a whole.
func (v *verifier) about(e *entry, x any) {
	o := v.org
	switch b := x.(type) {
	case *foundedBody:
		v.Check(CheckRecords).must(e.seq == 1, e.seq, "the book is opened a second time")
		v.Name, v.Demo = b.Name, b.Demo
	case *rulebookBody:
		v.rulebook(e, b)
	case *unfitBody:
		v.unfit(e, b)
	case *eventBody:
		v.declared(e, b)
		o.events = append(o.events, *b)
	case *overriddenBody:
		v.overridden(e, b)
	case *proceeding.TrusteesBody:
		v.trustees(e, b)
	case *standingBody:
		v.standing(e, b)
		o.slots[fmt.Sprintf("%s@%d", b.Slot, b.Unit)] = b.Set
	case *register.ImportedBody:
		v.rows(e, b)
	case *register.UnitsBody:
		v.unitsOpened(e, b)
	case *register.FilledBody:
		t := b.Term
		t.ID, t.Known, t.Ended = e.seq, e.seq, 0
		o.terms, o.roster = append(o.terms, t), nil
		o.names[t.Person] = b.Name
	case *register.VacatedBody:
		v.vacated(e, b)
	case *register.ErasedBody:
		o.erased[b.Person] = true
	}
}

// rulebook takes in a version: its bytes must have the hash that everything
// is pinned to, and be a rulebook.
func (v *verifier) rulebook(e *entry, b *rulebookBody) {
	c := v.Check(CheckRulebooks)
	v.words(e, b.First, b.Terms)
	sum := sha256.Sum256(b.Source)
	if !c.must(hex.EncodeToString(sum[:]) == b.Hash, e.seq, "the rulebook's bytes have another hash than the entry says") {
		return
	}
	file, err := v.file("rulebooks/"+b.Hash+".yaml", 16<<20)
	c.must(err == nil && string(file) == string(b.Source), e.seq, "the file rulebooks/%s.yaml is not the rulebook that was adopted", b.Hash)
	book, err := rulebook.Parse(b.Source)
	if err != nil {
		c.fail(e.seq, "the rulebook %q cannot be read: %v", b.Title, err)
		return
	}
	c.must(book.Title == b.Title && book.Hash == b.Hash, e.seq, "the rulebook has another title than the entry says")
	if e.head.Proceeding == "" && len(v.org.adopted) > 0 {
		c.must(v.adoptedBy(b.Adopted), e.seq, "the rulebook was changed by no decision: %q adopted nothing", b.Adopted)
	}
	v.version(e, b)
	v.org.books[b.Hash] = book
	v.org.adopted = append(v.org.adopted, adoption{b.Hash, b.InForce, b.Within})
}

// adoptedBy tells whether a proceeding adopted a text.
func (v *verifier) adoptedBy(ref string) bool {
	r := v.org.runs[ref]
	return r != nil && r.adopted
}

// words takes in new words of the vocabulary. On a public bundle words of
// officers' entries are missing in between.
func (v *verifier) words(e *entry, first int64, words []string) {
	o := v.org
	if len(words) == 0 {
		return
	}
	next := int64(len(o.words))
	if v.full && !v.Check(CheckRecords).must(first == next, e.seq, "its words are numbered from %d; %d is next", first, next) || first < 1 || first > 1<<24 {
		return
	}
	for int64(len(o.words)) < first {
		o.words = append(o.words, "")
	}
	for i, w := range words {
		o.words = append(o.words[:first+int64(i)], w)
		o.vocab[w] = register.Term(first + int64(i))
	}
}

// rows takes in what an import or a change says of people's records.
func (v *verifier) rows(e *entry, b *register.ImportedBody) {
	v.words(e, int64(b.First), b.Terms)
	c := v.Check(CheckRecords)
	c.must(len(b.Rows) <= register.MaxRows, e.seq, "it speaks of %d people; the most is %d", len(b.Rows), register.MaxRows)
	var rec register.Record
	for _, r := range b.Rows {
		old, had := v.org.people[r.Person]
		if r.New && had || r.Person <= 0 {
			c.fail(e.seq, "it enters person %d, who is in the register", r.Person)
			continue
		}
		rec.Spans = rec.Spans[:0]
		if had {
			if err := rec.Decode(old); err != nil {
				c.fail(e.seq, "%v", err)
				continue
			}
		}
		rec.Apply(e.seq, r.Changes)
		v.org.people[r.Person] = rec.Append(nil)
	}
}

func (v *verifier) unitsOpened(e *entry, b *register.UnitsBody) {
	o := v.org
	for _, u := range b.Units {
		u.Opened, u.Known = b.At, e.seq
		i, restated := o.unitAt[u.ID]
		if b.Ends && v.Check(CheckRecords).must(restated, e.seq, "unit %d closes and was never open", u.ID) {
			u.Opened, u.Closed = o.units[i].Opened, b.At
		}
		if u.ID <= 0 {
			v.Check(CheckRecords).fail(e.seq, "a unit has the number %d", u.ID)
		} else if restated {
			o.units[i] = u
		} else {
			o.unitAt[u.ID] = len(o.units)
			o.units = append(o.units, u)
		}
	}
	o.tree = nil
	if _, err := register.NewTree(slices.Clone(o.units)); err != nil {
		v.Check(CheckRecords).fail(e.seq, "%v", err)
		o.units, o.unitAt = nil, map[register.UnitID]int{} // nothing that follows can be placed
	}
}

// vacated ends a term of office: what was known of it is superseded by a term
// with an end.
func (v *verifier) vacated(e *entry, b *register.VacatedBody) {
	o := v.org
	for i := range o.terms {
		if t := &o.terms[i]; t.ID == b.Term && t.Person == b.Who && t.Ended == 0 {
			after := *t
			t.Ended = e.seq
			after.ID, after.Until, after.Known, after.Ended = e.seq, b.At, e.seq, 0
			o.terms, o.roster = append(o.terms, after), nil
			v.Check(CheckOffices).Done++
			return
		}
	}
	v.Check(CheckOffices).must(false, e.seq, "it ends a term of office that nobody had")
}

// view looks at the organisation at an instant (Unix seconds), as known after
// an entry, with classes meaning those within a unit.
func (o *organisation) view(book *rulebook.Book, at, known int64, here register.UnitID) *roll.View {
	if o.tree == nil {
		o.tree, _ = register.NewTree(slices.Clone(o.units)) // checked when they were opened
	}
	if o.roster == nil {
		o.roster = register.NewRoster(slices.Clone(o.terms))
	}
	v := &roll.View{Book: book, Tree: o.tree, Roster: o.roster, Terms: o.vocab, Words: o.words, At: at, Known: known, Here: here}
	v.Name = func(p register.PersonID) string { return o.names[p] }
	v.Load = o.record
	v.Count = func(u register.UnitID, class string, at int64) (int64, error) { return o.countIn(u, class, at, known) }
	v.Took = func(p register.PersonID, ref string) bool { return o.took(p, ref) }
	return v
}

func (o *organisation) record(p register.PersonID) *register.Record {
	b, ok := o.people[p]
	r := &register.Record{}
	if !ok || r.Decode(b) != nil {
		return nil
	}
	return r
}

func (o *organisation) countIn(u register.UnitID, class string, at, known int64) (int64, error) {
	var n int64
	var rec register.Record
	term, ok := o.vocab[class]
	if !ok {
		return 0, nil
	}
	for _, b := range o.people {
		if err := rec.Decode(b); err != nil {
			return 0, err
		}
		if slices.ContainsFunc(rec.Spans, func(s register.Span) bool {
			return s.Aspect == register.Belongs && s.Name == term && s.At(at, known) && o.tree.Within(s.Unit, u)
		}) {
			n++
		}
	}
	return n, nil
}

func (o *organisation) took(p register.PersonID, ref string) bool {
	r := o.runs[ref]
	return r != nil && r.st.TookPart(p)
}

// latest is a procedure's latest finished run in a unit.
func (o *organisation) latest(procedure string, here register.UnitID) *run {
	var best *run
	for _, ref := range o.order {
		r := o.runs[ref]
		if r.st.Procedure == procedure && r.st.Unit == here && r.st.Phase == proceeding.Ended && (best == nil || r.st.Ended > best.st.Ended) {
			best = r
		}
	}
	return best
}

// spaced writes a rulebook's word for people.
func spaced(s string) string { return strings.ReplaceAll(s, "_", " ") }
