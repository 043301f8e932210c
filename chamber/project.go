package chamber

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/store"
)

// commit appends entries and projects them, in the transaction of w.
func (c *Chamber) commit(w *World, entries []minutes.Entry) ([]minutes.Minute, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	p := newProjector(c, w.tx)
	var done []minutes.Minute
	for _, e := range entries {
		m, err := p.enter(e)
		if err != nil {
			return nil, err
		}
		done = append(done, m)
	}
	if err := p.flush(); err != nil {
		return nil, err
	}
	return done, nil
}

// enter appends an entry and projects it.
func (p *projector) enter(e minutes.Entry) (minutes.Minute, error) {
	p.ready = Ready{}
	if r, ok := e.Body.(Ready); ok {
		e.Body, p.ready = r.Bytes, r
	}
	m, err := p.tx.Append(e)
	if err != nil {
		return minutes.Minute{}, err
	}
	return m, p.project(m)
}

// Ready is the body of a large import, as bytes and as what they say: it
// spares the writer from reading 10,000 rows that it has just been given, and
// from opening what has just been sealed. Bytes must be the canonical bytes of
// Rows; Found says how the people of the entry's particulars are found, in the
// order of the particulars. A replay reads the bytes and opens the
// particulars, and comes to the same.
type Ready struct {
	Bytes []byte
	Rows  *register.ImportedBody
	Found []Found
}

// projector applies minutes to the projections. The live path and the replay
// use the same one, so they cannot differ.
type projector struct {
	c        *Chamber
	tx       *store.Tx
	states   map[string]*proceeding.State
	org      *Organisation
	orgDirty bool
	orgWas   int64
	dirty    map[string]bool
	was      map[string]int64 // versions as they stand in the database
	ready    Ready            // of the entry that is being projected
}

func newProjector(c *Chamber, tx *store.Tx) *projector {
	return &projector{c: c, tx: tx, states: map[string]*proceeding.State{}, dirty: map[string]bool{}, was: map[string]int64{}}
}

// project applies one minute.
func (p *projector) project(m minutes.Minute) error {
	if m.Kind == proceeding.KindSealedPaper || m.Kind == proceeding.KindRelisted || m.Kind == proceeding.KindPart {
		return p.sealedEntry(m) // they change no run
	}
	if m.Proceeding != "" {
		st, err := p.state(m.Proceeding)
		if err != nil {
			return err
		}
		if err := st.Apply(m.Proceeding, m.Rulebook, m.Kind, m.Office, m.Body); err != nil {
			return err
		}
		p.dirty[m.Proceeding] = true
		if err := p.ended(m, st); err != nil {
			return err
		}
	}
	switch m.Kind {
	case KindFounded, KindRulebook, KindUnfit, KindEvent, KindStanding, KindTerms, KindOverridden, proceeding.KindAdopted, proceeding.KindTrustees:
		return p.organisation(m)
	case register.KindUnits, register.KindImported, register.KindChanged, register.KindFilled, register.KindVacated, register.KindErased:
		o, err := p.loadOrg()
		if err != nil {
			return err
		}
		o.Register, o.Version, p.orgDirty = m.Seq, m.Seq, true
		return p.people(m)
	case proceeding.KindRollLines:
		return p.roll(m)
	case proceeding.KindBallotShut:
		return p.shut(m)
	case proceeding.KindPrepared, proceeding.KindMessage, proceeding.KindPhase, proceeding.KindListed, proceeding.KindClosing, proceeding.KindDeed:
		return p.sealedEntry(m)
	}
	return nil
}

// ended destroys the open box of a run that ended without its result, and
// marks a text whose adoption was set aside, or restored.
func (p *projector) ended(m minutes.Minute, st *proceeding.State) error {
	switch m.Kind {
	case proceeding.KindEnded, proceeding.KindLapsed:
		if b := st.OpenBallot(); b != nil && b.Closed == 0 {
			if err := p.tx.DestroyPapers(b.ID); err != nil {
				return err
			}
			return p.tx.ClearMarked(b.ID)
		}
	case proceeding.KindOrdered:
		if len(st.Acts) == 0 || st.Phase != proceeding.Ended {
			return nil
		}
		o, err := p.loadOrg()
		if err != nil {
			return err
		}
		for i := range o.Adopted {
			if a := &o.Adopted[i]; a.Ref == st.Ref {
				a.Aside = !st.InForce(proceeding.Whole)
				o.Version, p.orgDirty = m.Seq, true
			}
		}
	}
	return nil
}

// roll writes a roll and its chunks; the entry's number is the roll's.
func (p *projector) roll(m minutes.Minute) error {
	var b RollBody
	if err := body(m, &b); err != nil {
		return err
	}
	facts, err := json.Marshal(b.Facts)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the roll's facts cannot be written")
	}
	if err := p.tx.PutRoll(store.RollRow{ID: m.Seq, Proceeding: m.Proceeding, Ballot: b.Ballot, Root: b.Root, Size: b.Size, Seed: b.Facts.Seed, Valid: m.Seq, Facts: facts}); err != nil {
		return err
	}
	for _, l := range b.Lines {
		if err := p.tx.PutRollChunk(m.Seq, l.N, l.Lines); err != nil {
			return err
		}
	}
	return nil
}

// shut destroys the open box: what it held is in the book now.
func (p *projector) shut(m minutes.Minute) error {
	var b proceeding.ShutBody
	if err := body(m, &b); err != nil {
		return err
	}
	if err := p.tx.DestroyPapers(b.Ballot); err != nil {
		return err
	}
	if err := p.tx.EndSealed(b.Ballot); err != nil {
		return err
	}
	return p.tx.ClearMarked(b.Ballot)
}

func (p *projector) state(ref string) (*proceeding.State, error) {
	if st := p.states[ref]; st != nil {
		return st, nil
	}
	row, err := p.tx.Proceeding(ref)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	st := &proceeding.State{Current: -1}
	if err == nil {
		if err := json.Unmarshal(row.State, st); err != nil {
			return nil, fault.Wrap(fault.Damaged, err, "the state of %s cannot be read", ref)
		}
	}
	p.states[ref], p.was[ref] = st, st.Version
	return st, nil
}

func (p *projector) loadOrg() (*Organisation, error) {
	if p.org == nil {
		o, err := loadOrganisation(p.tx)
		if err != nil {
			return nil, err
		}
		p.org, p.orgWas = o, o.Version
	}
	return p.org, nil
}

func (p *projector) organisation(m minutes.Minute) error {
	o, err := p.loadOrg()
	if err != nil {
		return err
	}
	o.Version, p.orgDirty = m.Seq, true
	switch m.Kind {
	case KindFounded:
		var b FoundedBody
		if err := body(m, &b); err != nil {
			return err
		}
		o.Name, o.Demo = b.Name, b.Demo
	case KindRulebook:
		return p.rulebook(m)
	case KindUnfit:
		var b UnfitBody
		if err := body(m, &b); err != nil {
			return err
		}
		for i := range o.Adopted {
			if a := &o.Adopted[i]; a.Ref == b.Ref && a.Kind == rulesKind {
				a.Unfit = true
			}
		}
	case KindEvent:
		var b EventBody
		if err := body(m, &b); err != nil {
			return err
		}
		o.Events = append(o.Events, b)
	case KindStanding:
		var b StandingBody
		if err := body(m, &b); err != nil {
			return err
		}
		if o.Slots == nil {
			o.Slots = map[string]proceeding.Slot{}
		}
		o.Slots[fmt.Sprintf("%s@%d", b.Slot, b.Unit)] = b.Set
	case proceeding.KindTrustees:
		o.Trustees = &proceeding.TrusteesBody{}
		return body(m, o.Trustees)
	case KindTerms:
		var b register.ImportedBody
		if err := body(m, &b); err != nil {
			return err
		}
		return p.terms(b.First, b.Terms)
	case proceeding.KindAdopted:
		var b proceeding.AdoptedBody
		if err := body(m, &b); err != nil {
			return err
		}
		o.Adopted = append(o.Adopted, textOf(m.Proceeding, &b, m.At.UnixMilli()))
	case KindOverridden:
		var b OverriddenBody
		if err := body(m, &b); err != nil {
			return err
		}
		for i := range o.Adopted {
			if a := &o.Adopted[i]; a.Ref == b.Ref && a.Overridden == "" {
				a.Overridden = b.By
			}
		}
	}
	return nil
}

func (p *projector) rulebook(m minutes.Minute) error {
	var b RulebookBody
	if err := body(m, &b); err != nil {
		return err
	}
	if err := p.terms(register.Term(b.First), b.Terms); err != nil {
		return err
	}
	if b.Rebuilt { // those that do not fit are entered after it
		for i := range p.org.Adopted {
			p.org.Adopted[i].Unfit = false
		}
	}
	return p.tx.PutRulebook(store.RulebookRow{Hash: b.Hash, Title: b.Title, Edition: b.Edition, Source: b.Source, Within: b.Within,
		InForceAt: time.UnixMilli(b.InForce).UTC(), Seq: m.Seq})
}

// terms adds words to the vocabulary under the numbers that the entry gives
// them.
func (p *projector) terms(first register.Term, words []string) error {
	for i, word := range words {
		if err := p.tx.PutTerm(int64(first)+int64(i), word); err != nil {
			return err
		}
	}
	return nil
}

// people projects the register's own entries.
func (p *projector) people(m minutes.Minute) error {
	switch m.Kind {
	case register.KindUnits:
		return p.units(m)
	case register.KindImported, register.KindChanged:
		return p.rows(m)
	case register.KindFilled:
		var b register.FilledBody
		if err := body(m, &b); err != nil {
			return err
		}
		t := b.Term
		return p.tx.PutOfficeTerms([]store.OfficeTermRow{{ID: m.Seq, Office: t.Office, Unit: int64(t.Unit), Person: int64(t.Person), From: t.From, Until: t.Until, Known: m.Seq}})
	case register.KindVacated:
		return p.vacate(m)
	case register.KindErased:
		var b register.ErasedBody
		if err := body(m, &b); err != nil {
			return err
		}
		p.c.forget([]store.PersonRow{{ID: int64(b.Person)}})
		return p.tx.ErasePerson(int64(b.Person))
	}
	return nil
}

func (p *projector) units(m minutes.Minute) error {
	var b register.UnitsBody
	if err := body(m, &b); err != nil {
		return err
	}
	rows := make([]store.UnitRow, len(b.Units))
	for i, u := range b.Units {
		facts, err := json.Marshal(u.Facts)
		if err != nil {
			return fault.Wrap(fault.Internal, err, "the facts of unit %d cannot be written", u.ID)
		}
		rows[i] = store.UnitRow{ID: int64(u.ID), Kind: u.Kind, Parent: int64(u.Parent), Name: u.Name, Facts: facts, Opened: b.At, Seq: m.Seq}
		if b.Ends {
			rows[i].Opened, rows[i].Closed = u.Opened, b.At
			if old, err := p.tx.Unit(int64(u.ID)); err == nil {
				rows[i].Opened = old.Opened
			}
		}
	}
	return p.tx.PutUnits(rows)
}

// vacate ends a term of office: what was known of it is superseded by a term
// with an end.
func (p *projector) vacate(m minutes.Minute) error {
	var b register.VacatedBody
	if err := body(m, &b); err != nil {
		return err
	}
	terms, err := p.tx.OfficeTermsOf(int64(b.Who))
	if err != nil {
		return err
	}
	for _, t := range terms {
		if t.ID != b.Term || t.Ended != 0 {
			continue
		}
		after := t
		t.Ended = m.Seq
		after.ID, after.Until, after.Known, after.Ended = m.Seq, b.At, m.Seq, 0
		return p.tx.PutOfficeTerms([]store.OfficeTermRow{t, after})
	}
	return nil
}

// rows applies changes to people's records.
func (p *projector) rows(m minutes.Minute) error {
	b, found := p.ready.Rows, p.ready.Found
	if b == nil {
		b = &register.ImportedBody{}
		if err := body(m, b); err != nil {
			return err
		}
	}
	if err := p.terms(b.First, b.Terms); err != nil {
		return err
	}
	if len(found) != len(m.Particulars) {
		var err error
		if found, err = p.c.find(m); err != nil {
			return err
		}
	}
	parts := newParts(m.Particulars)
	rows := make([]store.PersonRow, len(b.Rows))
	facts := make([]byte, 0, 64*len(b.Rows)) // of all rows, so that each is no allocation of its own
	var rec register.Record
	for i := range b.Rows {
		r, row := &b.Rows[i], &rows[i]
		row.ID = int64(r.Person)
		rec.Spans = rec.Spans[:0]
		if !r.New {
			old, err := p.tx.Person(row.ID)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			if err == nil {
				*row = old
				if err := rec.Decode(old.Facts); err != nil {
					return err
				}
			}
		}
		row.Seq = m.Seq
		rec.Apply(m.Seq, r.Changes)
		from := len(facts)
		facts = rec.Append(facts)
		row.Facts = facts[from:len(facts):len(facts)]
		if k := parts.of(row.ID); k >= 0 {
			row.Particular = m.Particulars[k].Cipher
			row.External, row.EmailMAC = found[k].External, found[k].MAC
		}
	}
	p.c.forget(rows)
	return p.tx.PutPeople(rows)
}

// parts finds the particulars of an entry's rows. As a rule both are in the
// same order.
type parts struct {
	list []minutes.Particular
	next int
	all  map[int64]int // where they are not
}

func newParts(list []minutes.Particular) *parts { return &parts{list: list} }

// of gives the place of a person's particulars in the entry, -1 for none.
func (s *parts) of(person int64) int {
	if s.next < len(s.list) && s.list[s.next].Person == person {
		s.next++
		return s.next - 1
	}
	if s.all == nil {
		s.all = make(map[int64]int, len(s.list))
		for i := range s.list {
			s.all[s.list[i].Person] = i
		}
	}
	if i, ok := s.all[person]; ok {
		return i
	}
	return -1
}

// flush writes the states that changed.
func (p *projector) flush() error {
	refs := make([]string, 0, len(p.dirty))
	for ref := range p.dirty {
		refs = append(refs, ref)
	}
	slices.Sort(refs)
	for _, ref := range refs {
		st := p.states[ref]
		b, err := json.Marshal(st)
		if err != nil {
			return fault.Wrap(fault.Internal, err, "the state of %s cannot be written", ref)
		}
		row := store.ProceedingRow{Ref: ref, Procedure: st.Procedure, Unit: int64(st.Unit), Office: st.Office, Version: st.Version, Phase: string(st.Phase),
			State: b, CalledAt: fromMilli(st.Begun), DueAt: fromMilli(st.Due()), EndedAt: fromMilli(st.Ended)}
		if err := p.tx.PutProceeding(row, p.was[ref]); err != nil {
			return err
		}
		p.was[ref] = st.Version
	}
	p.dirty = map[string]bool{}
	if !p.orgDirty {
		return nil
	}
	p.orgDirty = false
	was := p.orgWas
	p.orgWas = p.org.Version
	b, err := json.Marshal(p.org)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the organisation's state cannot be written")
	}
	return p.tx.PutProceeding(store.ProceedingRow{Ref: organisationRef, Procedure: organisationRef, Version: p.org.Version, Phase: "running", State: b}, was)
}

func fromMilli(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// body reads the body of a minute. It was canonical when it was appended.
func body(m minutes.Minute, v any) error {
	if err := json.Unmarshal(m.Body, v); err != nil {
		return fault.Wrap(fault.Damaged, err, "entry %d of the minute book cannot be read", m.Seq)
	}
	return nil
}
