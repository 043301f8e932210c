package proceeding

import (
	"slices"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/rulebook"
)

// A sealed ballot (docs/sealed-board.md) is prepared before it opens, and its
// papers come to light some time after it closed. What the cryptography says
// is checked by the caller; here is only what may happen when, and what the
// book says of it.

// The kinds of entry of a sealed ballot. All are public.
const (
	KindPrepared    = "seal.prepared/1"
	KindMessage     = "seal.message/1"
	KindPhase       = "seal.phase/1"
	KindKeyed       = "seal.keyed/1"
	KindListed      = "seal.listed/1"
	KindRelisted    = "seal.relisted/1" // these two change no state: the board is not the run's
	KindSealedPaper = "seal.paper/1"
	KindClosing     = "seal.closing/1"
	KindExcused     = "seal.excused/1"
	KindPart        = "seal.part/1" // changes no state
	KindDeed        = "seal.deed/1"
)

// PreparedBody fixes the paper of a sealed ballot.
type PreparedBody struct {
	Ballot    string `json:"ballot"`
	At        int64  `json:"at"`
	Attempt   int    `json:"attempt"`
	Manifest  string `json:"manifest"` // canonical JSON
	Server    bool   `json:"server"`
	Registrar bool   `json:"registrar"`
	Paper     Ballot `json:"paper"` // what the ballot will be
}

// MessageBody is a message of the key generation.
type MessageBody struct {
	Ballot  string `json:"ballot"`
	Message []byte `json:"message"`
}

// PhaseBody is an officer ending a phase of the key generation.
type PhaseBody struct {
	Ballot string `json:"ballot"`
	Phase  string `json:"phase"`
	At     int64  `json:"at"`
}

// KeyedBody is what the key generation gave. Trustees are numbered from 1.
type KeyedBody struct {
	Ballot       string `json:"ballot"`
	At           int64  `json:"at"`
	Key          string `json:"key"` // hex
	Confirmed    []int  `json:"confirmed"`
	Disqualified []int  `json:"disqualified"`
}

// ListedBody is the registrar's list.
type ListedBody struct {
	Ballot    string `json:"ballot"`
	At        int64  `json:"at"`
	List      []byte `json:"list"`
	Signature []byte `json:"signature"`
}

// RelistedBody is the registrar's change of the list.
type RelistedBody struct {
	Ballot    string `json:"ballot"`
	Change    []byte `json:"change"`
	Signature []byte `json:"signature"`
}

// SealedPaperBody is an accepted paper.
type SealedPaperBody struct {
	Ballot string `json:"ballot"`
	Paper  []byte `json:"paper"`
}

// ClosingBody fixes the closing checkpoint, a signed note.
type ClosingBody struct {
	Ballot     string `json:"ballot"`
	Checkpoint string `json:"checkpoint"`
}

// ExcusedBody excuses a mixer who is gone.
type ExcusedBody struct {
	Ballot  string `json:"ballot"`
	Trustee string `json:"trustee"`
	At      int64  `json:"at"`
	Why     string `json:"why"`
}

// PartBody is a part of the bytes that the deed after it speaks of.
type PartBody struct {
	Ballot string `json:"ballot"`
	N      int    `json:"n"` // from 1
	Bytes  []byte `json:"bytes"`
}

// DeedBody is a trustee's deed after the close.
type DeedBody struct {
	Ballot string `json:"ballot"`
	Deed   []byte `json:"deed"`
	Parts  int    `json:"parts"`
}

// Prep is a sealed ballot that is being prepared. Times are Unix milliseconds.
type Prep struct {
	Paper     Ballot `json:"paper"`
	Attempt   int    `json:"attempt"`
	Manifest  string `json:"manifest"`
	Server    bool   `json:"server,omitempty"`
	Registrar bool   `json:"registrar,omitempty"`
	Key       string `json:"key,omitempty"`
	Keyed     int64  `json:"keyed,omitempty"`
	Listed    int64  `json:"listed,omitempty"`
}

// Ready tells whether the ballot can be opened.
func (p *Prep) Ready() bool { return p.Key != "" && p.Listed != 0 }

// Seal is what a sealed ballot has beside what every ballot has.
type Seal struct {
	Manifest  string   `json:"manifest"`
	Key       string   `json:"key"`                 // joint key of the trustees, hex
	Server    bool     `json:"server,omitempty"`    // the server is the only trustee
	Registrar bool     `json:"registrar,omitempty"` // the server is the registrar
	Closing   string   `json:"closing,omitempty"`   // the closing checkpoint
	Excused   []string `json:"excused,omitempty"`
	Deeds     int      `json:"deeds,omitempty"`
	Opened    bool     `json:"opened,omitempty"` // its papers are in the book
}

// Sealed tells whether a ballot's votes are sealed.
func (b *Ballot) Sealed() bool { return b.How == "sealed" && b.Seal != nil }

// Draft is the ballot that is to come in a stage that has been announced, as
// its paper would be now; nil where none is, or it is not sealed.
func Draft(book *rulebook.Book, st *State, w World, at int64) (*Ballot, error) {
	d := newDecider(book, st, w, at)
	b, err := d.draft()
	if err != nil || b == nil {
		return nil, err
	}
	b.ID = st.BallotID()
	return b, nil
}

func (d *decider) draft() (*Ballot, error) {
	st := d.st.Now()
	if st == nil || st.Status != Coming || st.Opens == 0 || d.st.Phase != Running && d.st.Phase != Stayed {
		return nil, nil
	}
	r := d.stageRule()
	if r == nil || r.Kind != rulebook.Ballot || r.How == nil {
		return nil, nil
	}
	how, err := r.How.Words(&scope{d: d})
	if err != nil || how != "sealed" {
		return nil, nil // who decides how the vote is held has not yet
	}
	b := &Ballot{ID: d.st.BallotID(), Stage: d.st.Current, How: how, Revote: true, Closes: st.Closes, Round: 1}
	if b.Minimum, err = d.minimum(r, how); err != nil {
		return nil, err
	}
	if b.Minimum < 1 {
		b.Minimum = 1
	}
	return b, d.paper(r, b)
}

// samePaper tells whether what was fixed is still what stands.
func samePaper(a, b *Ballot) bool {
	same := a.ID == b.ID && a.Method == b.Method && a.Seats == b.Seats && a.Minimum == b.Minimum &&
		slices.Equal(a.Options, b.Options) && slices.Equal(a.Choices, b.Choices) && slices.Equal(a.Scale, b.Scale) && len(a.Quotas) == len(b.Quotas)
	for i := range a.Quotas {
		q, x := &a.Quotas[i], &b.Quotas[i]
		same = same && q.On == x.On && q.AtLeast == x.AtLeast && q.AtMost == x.AtMost && slices.Equal(q.Options, x.Options)
	}
	return same
}

// NeedsPreparing tells whether the paper of a sealed ballot has to be fixed
// now: it is due, or what was fixed does not stand any more.
func (s *State) NeedsPreparing(draft *Ballot, at int64) bool {
	st := s.Now()
	if draft == nil || st == nil {
		return false
	}
	if st.Prep == nil {
		return st.Opens <= at
	}
	return !samePaper(&st.Prep.Paper, draft)
}

// Prepare fixes the paper of a sealed ballot, with its roll and manifest.
type Prepare struct {
	By        Actor
	Roll      Roll
	Lines     []byte
	Attempt   int
	Manifest  string
	Server    bool
	Registrar bool
	Anew      bool // by an officer: the same paper again, under a new manifest, as its key cannot be made
}

func (c Prepare) decide(d *decider) error {
	draft, err := d.draft()
	if err != nil {
		return err
	}
	if draft == nil || d.st.Phase != Running {
		return fault.Under(fault.TooEarly, d.cite(), "no sealed ballot of %s has been announced", d.st.Ref)
	}
	st, r := d.st.Now(), d.stageRule()
	if st.Prep != nil && samePaper(&st.Prep.Paper, draft) {
		switch {
		case !c.Anew || c.By.System:
			return fault.Under(fault.Already, d.cite(), "the paper of this ballot has been fixed")
		case st.Prep.Key != "":
			return fault.Under(fault.TooLate, d.cite(), "the key of this ballot has been made; it is not begun anew")
		}
	}
	if !c.By.System {
		if err := d.officer(c.By); err != nil {
			return err
		}
	}
	if d.book.Private(d.proc) {
		return fault.Under(fault.Invalid, d.cite(), "a sealed ballot needs a public record, and the record of a case is not public; its rule should say how: box")
	}
	draft.Roll = publicRoll(c.Roll)
	if s := smallRoll(&c.Roll, draft.Minimum); s != nil {
		if st.Opens > d.now() {
			return fault.Under(fault.Conflict, d.cite(), "there are %d voters in the section %s; with fewer than %d papers a result would say how somebody voted", s.Entitled, s.Name, draft.Minimum)
		}
		return d.unheld(r, &OpenBallot{Roll: c.Roll, Lines: c.Lines}, s, draft.Minimum)
	}
	if err := d.emit(KindRoll, minutes.Public, &RollBody{Ballot: draft.ID, Roll: draft.Roll}); err != nil {
		return err
	}
	if c.Lines != nil {
		if err := d.emit(KindRollLines, minutes.Officers, c.Lines); err != nil {
			return err
		}
	}
	return d.emit(KindPrepared, minutes.Public, &PreparedBody{Ballot: draft.ID, At: d.now(), Attempt: c.Attempt, Manifest: c.Manifest, Server: c.Server, Registrar: c.Registrar, Paper: *draft})
}

// prep gives the preparation that is on.
func (d *decider) prep() (*Prep, error) {
	st := d.st.Now()
	if !d.st.Live() || st == nil || st.Status != Coming || st.Prep == nil {
		return nil, fault.Under(fault.TooLate, d.cite(), "no sealed ballot of %s is being prepared", d.st.Ref)
	}
	return st.Prep, nil
}

// Message enters a message of the key generation, which has been checked.
type Message struct{ Raw []byte }

func (c Message) decide(d *decider) error {
	p, err := d.prep()
	if err != nil {
		return err
	}
	if p.Key != "" {
		return fault.Under(fault.TooLate, d.cite(), "the key of this ballot has been made")
	}
	return d.emit(KindMessage, minutes.Public, &MessageBody{Ballot: p.Paper.ID, Message: c.Raw})
}

// EndPhase is an officer ending a phase of the key generation.
type EndPhase struct {
	By    Actor
	Phase string
}

func (c EndPhase) decide(d *decider) error {
	p, err := d.prep()
	if err != nil {
		return err
	}
	if err := d.officer(c.By); err != nil {
		return err
	}
	if p.Key != "" {
		return fault.Under(fault.TooLate, d.cite(), "the key of this ballot has been made")
	}
	return d.emit(KindPhase, minutes.Public, &PhaseBody{Ballot: p.Paper.ID, Phase: c.Phase, At: d.now()})
}

// Keyed enters the key that was made.
type Keyed struct {
	Key                     string
	Confirmed, Disqualified []int
}

func (c Keyed) decide(d *decider) error {
	p, err := d.prep()
	if err != nil {
		return err
	}
	if p.Key != "" {
		return fault.Under(fault.Already, d.cite(), "the key of this ballot has been made")
	}
	b := &KeyedBody{Ballot: p.Paper.ID, At: d.now(), Key: c.Key, Confirmed: c.Confirmed, Disqualified: c.Disqualified}
	if b.Disqualified == nil {
		b.Disqualified = []int{}
	}
	return d.emit(KindKeyed, minutes.Public, b)
}

// List enters the registrar's list, which has been checked.
type List struct{ Body, Signature []byte }

func (c List) decide(d *decider) error {
	p, err := d.prep()
	if err != nil {
		return err
	}
	if p.Listed != 0 {
		return fault.Under(fault.Already, d.cite(), "the registrar's list of this ballot is in the book")
	}
	return d.emit(KindListed, minutes.Public, &ListedBody{Ballot: p.Paper.ID, At: d.now(), List: c.Body, Signature: c.Signature})
}

// sealedOpening fills in what a sealed ballot opens with; refused while it is
// not prepared.
func (d *decider) sealedOpening(r *rulebook.Stage, b *Ballot) error {
	st := d.st.Now()
	p := st.Prep
	if p == nil || !p.Ready() {
		return fault.Under(fault.TooEarly, d.cite(), "the trustees' key and the registrar's list of this ballot are not there yet")
	}
	draft, err := d.draft()
	if err != nil {
		return err
	}
	if draft == nil || !samePaper(&p.Paper, draft) {
		return fault.Under(fault.Conflict, d.cite(), "the paper has changed since it was fixed; it is fixed again")
	}
	b.Revote, b.Roll = true, p.Paper.Roll
	b.Seal = &Seal{Manifest: p.Manifest, Key: p.Key, Server: p.Server, Registrar: p.Registrar}
	if d.late(p, r) {
		span, err := r.Window.Span(&scope{d: d})
		if err != nil {
			return err
		}
		b.Closes = d.cal.Closes(d.at, span).UnixMilli()
	}
	return nil
}

// late tells whether trustees or a registrar kept a ballot waiting: then it has
// its whole window from when it opens.
func (d *decider) late(p *Prep, r *rulebook.Stage) bool {
	return p != nil && p.Ready() && r.Window != nil && !(p.Server && p.Registrar) && max(p.Keyed, p.Listed) > d.st.Now().Opens
}

// closedSeal gives the sealed ballot that has closed and is not counted.
func (d *decider) closedSeal() (*Ballot, error) {
	b := d.openBallot()
	if b == nil || !b.Sealed() || b.Closed == 0 {
		return nil, fault.Under(fault.TooEarly, d.cite(), "no sealed ballot of %s waits to be opened", d.st.Ref)
	}
	if b.Unopened {
		return nil, fault.Under(fault.TooLate, d.cite(), "too few papers came: nothing of this ballot is opened")
	}
	return b, nil
}

// FixClosing enters the closing checkpoint.
type FixClosing struct{ Checkpoint string }

func (c FixClosing) decide(d *decider) error {
	b, err := d.closedSeal()
	if err != nil {
		return err
	}
	if b.Seal.Closing != "" {
		return fault.Under(fault.Already, d.cite(), "the closing checkpoint is in the book")
	}
	return d.emit(KindClosing, minutes.Public, &ClosingBody{Ballot: b.ID, Checkpoint: c.Checkpoint})
}

// Excuse is an officer excusing a mixer who does not answer.
type Excuse struct {
	By      Actor
	Trustee string
	Why     string
}

func (c Excuse) decide(d *decider) error {
	b, err := d.closedSeal()
	if err != nil {
		return err
	}
	if err := d.officer(c.By); err != nil {
		return err
	}
	if slices.Contains(b.Seal.Excused, c.Trustee) {
		return fault.Under(fault.Already, d.cite(), "%s has been excused", c.Trustee)
	}
	if c.Why == "" || len(c.Why) > 2_000 {
		return fault.New(fault.Invalid, "say why the mixer is excused, in at most 2,000 bytes: it is public")
	}
	return d.emit(KindExcused, minutes.Public, &ExcusedBody{Ballot: b.ID, Trustee: c.Trustee, At: d.now(), Why: c.Why})
}

// Deed enters a trustee's deed, which has been checked, with its bytes in
// parts.
type Deed struct {
	Raw   []byte
	Parts [][]byte
}

func (c Deed) decide(d *decider) error {
	b, err := d.closedSeal()
	if err != nil {
		return err
	}
	if b.Seal.Closing == "" || b.Seal.Opened {
		return fault.Under(fault.Conflict, d.cite(), "nothing is waited for from the trustees")
	}
	for i, p := range c.Parts {
		if err := d.emit(KindPart, minutes.Public, &PartBody{Ballot: b.ID, N: i + 1, Bytes: p}); err != nil {
			return err
		}
	}
	return d.emit(KindDeed, minutes.Public, &DeedBody{Ballot: b.ID, Deed: c.Raw, Parts: len(c.Parts)})
}

// Unseal enters the papers that the trustees opened. Papers is the body of
// their entry.
type Unseal struct{ Papers []byte }

func (c Unseal) decide(d *decider) error {
	b, err := d.closedSeal()
	if err != nil {
		return err
	}
	if b.Seal.Opened {
		return fault.Under(fault.Already, d.cite(), "the papers of this ballot are in the book")
	}
	return d.emit(KindPapers, minutes.Public, c.Papers)
}

// applySeal applies the entries of a sealed ballot.
func (s *State) applySeal(kind string, body []byte) error {
	prep := func(f func(*Prep)) {
		if st := s.Now(); st != nil && st.Prep != nil {
			f(st.Prep)
		}
	}
	seal := func(id string, f func(*Seal)) {
		if b := s.Ballot(id); b != nil && b.Seal != nil {
			f(b.Seal)
		}
	}
	switch kind {
	case KindPrepared:
		return with(body, func(b *PreparedBody) {
			if st := s.Now(); st != nil {
				st.Prep = &Prep{Paper: b.Paper, Attempt: b.Attempt, Manifest: b.Manifest, Server: b.Server, Registrar: b.Registrar}
			}
		})
	case KindKeyed:
		return with(body, func(b *KeyedBody) { prep(func(p *Prep) { p.Key, p.Keyed = b.Key, b.At }) })
	case KindListed:
		return with(body, func(b *ListedBody) { prep(func(p *Prep) { p.Listed = b.At }) })
	case KindClosing:
		return with(body, func(b *ClosingBody) { seal(b.Ballot, func(x *Seal) { x.Closing = b.Checkpoint }) })
	case KindExcused:
		return with(body, func(b *ExcusedBody) { seal(b.Ballot, func(x *Seal) { x.Excused = append(x.Excused, b.Trustee) }) })
	case KindDeed:
		return with(body, func(b *DeedBody) { seal(b.Ballot, func(x *Seal) { x.Deeds++ }) })
	case KindPapers:
		if b := s.OpenBallot(); b != nil && b.Seal != nil {
			b.Seal.Opened = true
		}
	}
	return nil
}

// KindTrustees names the trustees of the sealed ballots to come; it belongs to
// no proceeding.
const KindTrustees = "seal.trustees/1"

// Trustee is one of those who hold the key of sealed ballots together. The keys
// are elements of the group, in hexadecimal.
type Trustee struct {
	Name     string `json:"name"`
	Sign     string `json:"sign"`
	Seal     string `json:"seal"`
	Operator bool   `json:"operator"` // runs the server too
}

// Registrar makes the credentials; without a key the server does.
type Registrar struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// TrusteesBody names trustees. Without any the server is the only one.
type TrusteesBody struct {
	At        int64     `json:"at"`
	By        string    `json:"by"` // office
	Trustees  []Trustee `json:"trustees"`
	Threshold int       `json:"threshold"`
	Mixers    []string  `json:"mixers"` // names of trustees, in the order of mixing
	Registrar Registrar `json:"registrar"`
}
