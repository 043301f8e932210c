package sealing

import (
	"context"
	"encoding/hex"
	"slices"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/store"
)

// Board is a sealed ballot as it stands: what GET …/sealed gives, as
// docs/sealed-board.md describes it.
type Board struct {
	Ballot          string    `json:"ballot"`
	Phase           string    `json:"phase"`
	Title           string    `json:"title"`
	Opens           int64     `json:"opens"`
	Closes          int64     `json:"closes"`
	Manifest        string    `json:"manifest"`
	Server          bool      `json:"server"`
	ServerRegistrar bool      `json:"server_registrar"`
	Ceremony        Ceremony  `json:"ceremony"`
	Key             string    `json:"key"`
	List            *Listed   `json:"list"`
	Sections        []Section `json:"sections"`
	Closing         *Closing  `json:"closing"`
	Excused         []string  `json:"excused"`
	Deeds           []Done    `json:"deeds"`
	Next            []Waits   `json:"next"`
}

// The phases of a sealed ballot.
const (
	Preparing  = "preparing" // key and list are being made
	Waiting    = "waiting"   // both are there; its time has not come
	Taking     = "open"
	Closed     = "closed" // the closing checkpoint is not there yet
	Witnessing = "witnessing"
	Mixing     = "mixing"
	Opening    = "opening"
	Counted    = "counted"
	Unopened   = "unopened"
)

// Ceremony is the key generation so far.
type Ceremony struct {
	Phase        string   `json:"phase"`
	Messages     [][]byte `json:"messages"`
	Ended        []Ended  `json:"ended"`
	Waiting      []string `json:"waiting"`
	Disqualified []string `json:"disqualified"`
}

// Ended is a phase that an officer ended, after so many messages.
type Ended struct {
	Phase string `json:"phase"`
	After int    `json:"after"`
}

// Listed is the registrar's list.
type Listed struct {
	Seq     int64 `json:"seq"`
	Keys    int64 `json:"keys"`
	Changes int   `json:"changes"` // of the list since
}

// Section is a mix group with its figures.
type Section struct {
	ID       string `json:"id"`
	Class    string `json:"class"`
	Weight   string `json:"weight"`
	Entitled int64  `json:"entitled"`
	Papers   int64  `json:"papers"`
}

// Closing is the closing checkpoint.
type Closing struct {
	Checkpoint string `json:"checkpoint"`
	Hash       string `json:"hash"`
}

// Done is a deed on the board; N is its number, from 0.
type Done struct {
	N     int    `json:"n"`
	Kind  string `json:"kind"`
	From  string `json:"from"`
	Group string `json:"group"`
	Deed  []byte `json:"deed"`
	Size  int64  `json:"size"`
}

// Board gives the sealed ballot of a run as it stands.
func (s *Sealing) Board(ctx context.Context, ref string) (*Board, error) {
	var out *Board
	_, err := s.look(ctx, ref, func(w *chamber.World, x *seen) (err error) {
		out, err = s.board(w, x)
		return err
	})
	return out, err
}

func (s *Sealing) board(w *chamber.World, x *seen) (*Board, error) {
	b := &Board{Ballot: x.ballot.ID, Title: spaced(x.st.Procedure), Closes: x.ballot.Closes, Sections: []Section{}, Excused: []string{}, Deeds: []Done{}, Next: []Waits{}}
	if err := b.ceremony(s, w, x); err != nil {
		return nil, err
	}
	if err := b.list(s, w, x); err != nil {
		return nil, err
	}
	if p := x.prep; p != nil {
		now := x.st.Now()
		b.Manifest, b.Server, b.ServerRegistrar, b.Key, b.Opens, b.Closes = p.Manifest, p.Server, p.Registrar, p.Key, now.Opens, now.Closes
		b.Phase = Preparing
		if p.Ready() {
			b.Phase = Waiting
		}
		for _, n := range b.Ceremony.Waiting {
			b.Next = append(b.Next, Waits{Trustee: n, Does: b.Ceremony.Phase})
		}
		return b, nil
	}
	seal := x.ballot.Seal
	b.Manifest, b.Server, b.ServerRegistrar, b.Key, b.Opens = seal.Manifest, seal.Server, seal.Registrar, seal.Key, x.ballot.Opened
	b.Phase = Taking
	if x.ballot.Closed == 0 {
		return b, nil
	}
	return b, b.closed(s, w, x)
}

// ceremony reports the key generation.
func (b *Board) ceremony(s *Sealing, w *chamber.World, x *seen) error {
	list, err := steps(w, x.ballot.ID)
	if err != nil {
		return err
	}
	b.Ceremony = Ceremony{Messages: [][]byte{}, Ended: []Ended{}, Waiting: []string{}, Disqualified: []string{}}
	for _, st := range list {
		if st.phase != "" {
			b.Ceremony.Ended = append(b.Ceremony.Ended, Ended{st.phase, len(b.Ceremony.Messages)})
		} else {
			b.Ceremony.Messages = append(b.Ceremony.Messages, st.message)
		}
	}
	c, err := s.follow(x, list)
	if err != nil {
		return err
	}
	b.Ceremony.Phase = string(c.Phase())
	if c.Phase() != keygen.Done {
		for _, i := range c.Waiting() {
			b.Ceremony.Waiting = append(b.Ceremony.Waiting, x.m.Trustees[i-1].Name)
		}
	}
	out := c.Disqualified()
	for i := range x.m.Trustees {
		if _, gone := out[i+1]; gone {
			b.Ceremony.Disqualified = append(b.Ceremony.Disqualified, x.m.Trustees[i].Name)
		}
	}
	return nil
}

// list reports the registrar's list and what came of it.
func (b *Board) list(s *Sealing, w *chamber.World, x *seen) error {
	seqs, err := w.Tx().SealedEntries(x.ballot.ID, proceeding.KindListed)
	if err != nil {
		return err
	}
	c, err := s.counts(w, x, len(seqs) > 0)
	if err != nil {
		return err
	}
	keys := int64(0)
	for _, sec := range x.m.Sections {
		for _, class := range sec.Classes {
			n := c.by[[2]string{sec.ID, class.ID}]
			keys += n.Keys
			b.Sections = append(b.Sections, Section{ID: sec.ID, Class: class.ID, Weight: class.Weight, Entitled: n.Keys, Papers: n.Papers})
		}
	}
	if len(seqs) == 0 {
		return nil
	}
	changes, err := w.Tx().SealedEntries(x.ballot.ID, proceeding.KindRelisted)
	b.List = &Listed{Seq: seqs[0], Keys: keys, Changes: len(changes)}
	return err
}

// counted is how many may vote in each section and class, and how many papers
// stand there: of the roll, or once there is one of the list, which has as many.
type counted struct {
	by     map[[2]string]store.SealedGroup
	listed bool
	closed bool
	at     time.Time
}

// fresh is how old the numbers of papers that anybody is shown may be: a roll of
// a million is not gone through for everybody who looks.
const fresh = 2 * time.Second

func (s *Sealing) counts(w *chamber.World, x *seen, listed bool) (counted, error) {
	closed := x.ballot.Closed != 0
	s.mu.Lock()
	c, known := s.counted[x.hash]
	s.mu.Unlock()
	if known && c.listed == listed && c.closed == closed && (closed || !listed || time.Since(c.at) < fresh) {
		return c, nil
	}
	c = counted{by: map[[2]string]store.SealedGroup{}, listed: listed, closed: closed, at: time.Now()}
	var err error
	if listed {
		var groups []store.SealedGroup
		groups, err = w.Tx().SealedGroups(x.ballot.ID)
		for _, g := range groups {
			c.by[[2]string{g.Section, g.Class}] = g
		}
	} else {
		err = chamber.Electors(w.Tx(), x.ref, x.ballot.ID, func(e chamber.Elector) error {
			k := [2]string{e.Section, e.Class}
			g := c.by[k]
			g.Keys++
			c.by[k] = g
			return nil
		})
	}
	if err != nil {
		return c, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.counted) > 1_000 {
		clear(s.counted)
	}
	s.counted[x.hash] = c
	return c, nil
}

// closed reports what trustees do after the close.
func (b *Board) closed(s *Sealing, w *chamber.World, x *seen) error {
	t, err := s.tallyOf(w, x)
	if err != nil {
		return err
	}
	seal := x.ballot.Seal
	b.Phase = Closed
	if seal.Closing != "" {
		b.Closing = &Closing{Checkpoint: seal.Closing, Hash: hex.EncodeToString(t.closing[:])}
		b.Phase = Witnessing
	}
	b.Excused = append(b.Excused, seal.Excused...)
	for i, d := range t.deeds {
		size := int64(0)
		if n := len(d.parts); n > 0 { // all parts but the last are full
			last, err := w.Tx().Body(d.parts[n-1])
			if err != nil {
				return err
			}
			size = int64(n-1)*maxPart + partSize(last)
		}
		b.Deeds = append(b.Deeds, Done{N: i, Kind: d.Kind, From: d.From, Group: d.Group, Deed: d.raw, Size: size})
	}
	b.Next = append(b.Next, t.next()...)
	switch {
	case x.ballot.Unopened:
		b.Phase = Unopened
	case seal.Opened || x.ballot.Counted != 0:
		b.Phase = Counted
	case t.witnessed() && seal.Closing != "":
		b.Phase = Opening
		if slices.ContainsFunc(t.groups, func(g *mixGroup) bool { return t.nextMixer(g) != "" }) {
			b.Phase = Mixing
		}
	}
	return nil
}
