// Package sealing holds the use cases of sealed ballots: making the key and
// the list, taking papers in, and what trustees do after the close. It follows
// docs/sealed-board.md; what is a valid message, paper, mix or share is decided
// by package sealed, what may happen when by package proceeding.
//
// It checks everything that a stranger, a trustee or a registrar sends before it
// enters it, bounded in size first. It never opens a single paper, and has no
// secret but where the server plays a trustee's or the registrar's part, which
// the manifest says. It counts nothing.
package sealing

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/keygen"
)

// Sealing are the sealed ballots of one organisation. Safe for concurrent use.
type Sealing struct {
	ch *chamber.Chamber
	g  *ristretto.Group

	mu      sync.Mutex
	open    map[string]*open     // ballots that take papers, by run
	counted map[[32]byte]counted // by manifest
	work    sync.Mutex           // one long computation at a time
}

// New makes the use cases over a chamber.
func New(ch *chamber.Chamber) *Sealing {
	return &Sealing{ch: ch, g: ristretto.New(), open: map[string]*open{}, counted: map[[32]byte]counted{}}
}

// seen is what a snapshot says of a run's sealed ballot: the one that is being
// prepared, that is open, or the last that was.
type seen struct {
	ref     string
	version int64
	clause  string
	book    *rulebook.Book
	st      *proceeding.State
	prep    *proceeding.Prep   // while it is prepared
	ballot  *proceeding.Ballot // the ballot, or the draft of it
	m       *sealed.Manifest
	hash    [32]byte
}

// of looks at a run; fault.NotFound where it has no sealed ballot.
func (s *Sealing) of(w *chamber.World, ref string) (*seen, error) {
	st, err := w.State(ref)
	if err != nil {
		return nil, err
	}
	x := &seen{ref: ref, version: st.Version, st: st}
	if x.book, err = s.ch.Book(w.Tx(), st.Book); err != nil {
		return nil, err
	}
	text := ""
	if now := st.Now(); now != nil && now.Prep != nil && now.Status == proceeding.Coming {
		x.prep, x.ballot, text = now.Prep, &now.Prep.Paper, now.Prep.Manifest
	} else if i := lastSealed(st); i >= 0 {
		x.ballot, text = &st.Ballots[i], st.Ballots[i].Seal.Manifest
	} else {
		return nil, fault.New(fault.NotFound, "%s has no sealed ballot that is being prepared, open or closed", ref)
	}
	if p := proceeding.ProcedureOf(x.book, st); p != nil && x.ballot.Stage < len(p.Stages) {
		x.clause = p.Stages[x.ballot.Stage].Cite
	}
	if x.m, err = sealed.DecodeManifest([]byte(text)); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "the manifest of %s cannot be read", x.ballot.ID)
	}
	x.hash, err = x.m.Hash()
	return x, err
}

func lastSealed(st *proceeding.State) int {
	for i := len(st.Ballots) - 1; i >= 0; i-- {
		if st.Ballots[i].Sealed() {
			return i
		}
	}
	return -1
}

// look reads what a run's sealed ballot is at.
func (s *Sealing) look(ctx context.Context, ref string, more func(*chamber.World, *seen) error) (*seen, error) {
	var x *seen
	err := s.ch.Read(ctx, func(w *chamber.World) (err error) {
		if x, err = s.of(w, ref); err == nil && more != nil {
			err = more(w, x)
		}
		return err
	})
	return x, err
}

// step is a message of the key generation, or the end of a phase.
type step struct {
	message []byte
	phase   string
}

// steps gives them in the order of the board.
func steps(w *chamber.World, ballot string) ([]step, error) {
	type at struct {
		seq int64
		step
	}
	var all []at
	for _, kind := range []string{proceeding.KindMessage, proceeding.KindPhase} {
		seqs, err := w.Tx().SealedEntries(ballot, kind)
		if err != nil {
			return nil, err
		}
		for _, seq := range seqs {
			b, err := w.Tx().Body(seq)
			if err != nil {
				return nil, err
			}
			var m struct {
				Message []byte `json:"message"`
				Phase   string `json:"phase"`
			}
			if err := json.Unmarshal(b, &m); err != nil {
				return nil, fault.Wrap(fault.Damaged, err, "entry %d of the minute book cannot be read", seq)
			}
			all = append(all, at{seq, step{m.Message, m.Phase}})
		}
	}
	slices.SortFunc(all, func(x, y at) int { return int(x.seq - y.seq) })
	out := make([]step, len(all))
	for i := range all {
		out[i] = all[i].step
	}
	return out, nil
}

// follow brings a ceremony to where the board is. A phase ends by itself when
// everybody's message of it is there.
func (s *Sealing) follow(x *seen, list []step) (*keygen.Ceremony, error) {
	c, err := keygen.NewCeremony(s.g, x.m.Ceremony(x.hash))
	if err != nil {
		return nil, err
	}
	for _, st := range list {
		if err := s.take(c, st); err != nil {
			return nil, fault.Wrap(fault.Damaged, err, "the key generation of %s cannot be followed", x.ballot.ID)
		}
	}
	return c, nil
}

func (s *Sealing) take(c *keygen.Ceremony, st step) error {
	if st.phase != "" {
		if string(c.Phase()) != st.phase {
			return fault.New(fault.Conflict, "the phase %s is over; now it is %s", st.phase, c.Phase())
		}
		return c.Next(true)
	}
	if err := c.Post(st.message); err != nil {
		return err
	}
	for c.Phase() != keygen.Done && len(c.Waiting()) == 0 {
		if err := c.Next(false); err != nil {
			return err
		}
	}
	return nil
}

// Message takes a message of the key generation in.
func (s *Sealing) Message(ctx context.Context, ref string, raw []byte) error {
	if len(raw) > keygen.MaxMessage {
		return fault.New(fault.TooMuch, "a message of the key generation has at most %d bytes", keygen.MaxMessage)
	}
	return s.ceremony(ctx, ref, step{message: raw}, proceeding.Message{Raw: raw})
}

// EndPhase is an officer ending the phase of the key generation that is on.
func (s *Sealing) EndPhase(ctx context.Context, ref string, by proceeding.Actor, phase string) error {
	return s.ceremony(ctx, ref, step{phase: phase}, proceeding.EndPhase{By: by, Phase: phase})
}

// ceremony tries a step on the board as it is, and enters it. Where it
// completes the key, that is entered too.
func (s *Sealing) ceremony(ctx context.Context, ref string, next step, cmd proceeding.Command) error {
	var list []step
	x, err := s.look(ctx, ref, func(w *chamber.World, x *seen) (err error) {
		list, err = steps(w, x.ballot.ID)
		return err
	})
	if err != nil {
		return err
	}
	if x.prep == nil || x.prep.Key != "" {
		return fault.Under(fault.TooLate, x.clause, "the key of this ballot has been made")
	}
	c, err := s.follow(x, list)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(list, func(y step) bool { return len(next.message) > 0 && bytes.Equal(y.message, next.message) }) {
		return nil // sent twice
	}
	if err := s.take(c, next); err != nil {
		return err
	}
	st, err := s.ch.DoAt(ctx, ref, x.version, cmd)
	if err != nil || c.Phase() != keygen.Done {
		return err
	}
	return s.keyed(ctx, ref, st.Version, c)
}

// keyed enters the key that a ceremony has made.
func (s *Sealing) keyed(ctx context.Context, ref string, version int64, c *keygen.Ceremony) error {
	key, err := c.Joint()
	if err != nil {
		return err
	}
	out := proceeding.Keyed{Key: hex.EncodeToString(key[:]), Confirmed: c.Confirmed()}
	for i := range c.Disqualified() {
		out.Disqualified = append(out.Disqualified, i)
	}
	slices.Sort(out.Disqualified)
	_, err = s.ch.DoAt(ctx, ref, version, out)
	return err
}

// List takes the registrar's list in.
func (s *Sealing) List(ctx context.Context, ref string, list, signature []byte) error {
	type place struct{ section, class string }
	want := map[place]int64{}
	x, err := s.look(ctx, ref, func(w *chamber.World, x *seen) error {
		clear(want)
		return chamber.Electors(w.Tx(), ref, x.ballot.ID, func(e chamber.Elector) error {
			want[place{e.Section, e.Class}]++
			return nil
		})
	})
	if err != nil {
		return err
	}
	if x.prep == nil {
		return fault.Under(fault.TooLate, x.clause, "the list of this ballot is closed")
	}
	creds, err := sealed.ReadListing(s.g, x.m, list, signature)
	if err != nil {
		return err
	}
	for _, c := range creds {
		want[place{c.Section, c.Class}]--
	}
	for p, n := range want {
		if n != 0 {
			return fault.Under(fault.Invalid, x.clause, "the list has not as many keys in section %s, class %s as the roll has voters: the difference is %d", p.section, p.class, max(n, -n))
		}
	}
	_, err = s.ch.DoAt(ctx, ref, x.version, proceeding.List{Body: list, Signature: signature})
	return err
}

// Prepare does what the server has to do of a ballot that is being prepared:
// the key where it is the only trustee, the list where it is the registrar.
func (s *Sealing) Prepare(ctx context.Context, ref string) error {
	x, err := s.look(ctx, ref, nil)
	if fault.Is(err, fault.NotFound) || err == nil && x.prep == nil {
		return nil
	}
	if err != nil {
		return err
	}
	if x.prep.Registrar && x.prep.Listed == 0 {
		if err := s.ownList(ctx, x); err != nil {
			return err
		}
	}
	if x.prep.Server && x.prep.Key == "" {
		return s.ownPart(ctx, ref)
	}
	return nil
}

// ownCode is the code of a voter where the server is the registrar: from a
// secret of the ballot, so that nothing has to be kept a person.
func (s *Sealing) ownCode(ctx context.Context, hash [32]byte) (func(voter int64) sealed.Code, error) {
	seed, err := s.ch.DB.Keys().Secret(ctx, "sealed/codes/"+hex.EncodeToString(hash[:]))
	if err != nil {
		return nil, err
	}
	return func(voter int64) sealed.Code { return codeOf(seed, voter) }, nil
}

// ownList is the list of a server that is the registrar.
func (s *Sealing) ownList(ctx context.Context, x *seen) error {
	code, err := s.ownCode(ctx, x.hash)
	if err != nil {
		return err
	}
	var all []chamber.Elector
	if err := s.ch.Read(ctx, func(w *chamber.World) error {
		all = all[:0]
		return chamber.Electors(w.Tx(), x.ref, x.ballot.ID, func(e chamber.Elector) error {
			all = append(all, e)
			return nil
		})
	}); err != nil {
		return err
	}
	keys := make([][32]byte, len(all))
	ristretto.Spread(len(all), 64, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			c := code(all[i].Voter)
			k := c.Key(x.hash, all[i].Section)
			keys[i] = k.Public(s.g)
			k.Wipe()
			c.Wipe()
		}
	})
	l := listing(x, all, keys)
	key, err := s.ch.ServerRegistrar(ctx)
	if err != nil {
		return err
	}
	defer key.Wipe()
	body, signature, err := sealed.SignListing(s.g, l, key)
	if err != nil {
		return err
	}
	now, err := s.look(ctx, x.ref, nil)
	if err != nil || now.prep == nil || now.hash != x.hash {
		return err
	}
	_, err = s.ch.DoAt(ctx, x.ref, now.version, proceeding.List{Body: body, Signature: signature})
	return err
}

// listing puts keys into the manifest's groups, sorted.
func listing(x *seen, all []chamber.Elector, keys [][32]byte) *sealed.Listing {
	l := &sealed.Listing{Version: 1, Manifest: hex.EncodeToString(x.hash[:])}
	at := map[[2]string]int{}
	for _, sec := range x.m.Sections {
		for _, c := range sec.Classes {
			at[[2]string{sec.ID, c.ID}] = len(l.Groups)
			l.Groups = append(l.Groups, sealed.ListingGroup{Section: sec.ID, Class: c.ID, Keys: [][]byte{}})
		}
	}
	for i := range all {
		g := &l.Groups[at[[2]string{all[i].Section, all[i].Class}]]
		g.Keys = append(g.Keys, keys[i][:])
	}
	for i := range l.Groups {
		slices.SortFunc(l.Groups[i].Keys, bytes.Compare)
	}
	return l
}

// checker judges the papers of a ballot.
func (s *Sealing) checker(x *seen) (*sealed.Checker, error) {
	b, err := hex.DecodeString(x.ballot.Seal.Key)
	if err != nil || len(b) != 32 {
		return nil, fault.New(fault.Damaged, "the key of %s cannot be read", x.ballot.ID)
	}
	return sealed.NewChecker(s.g, x.m, [32]byte(b))
}

// spaced writes a rulebook's word as people read it.
func spaced(word string) string { return strings.ReplaceAll(word, "_", " ") }
