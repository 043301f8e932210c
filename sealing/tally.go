package sealing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/mixing"
	"github.com/omov/omov/tiles"
)

// mixGroup is a mix group of a ballot that has closed, and how far it is.
type mixGroup struct {
	name           string
	section, class string
	papers         int64
	mixed          []*deed
	shares         []*deed
}

// deed is one on the board. parts are the entries that hold its bytes.
type deed struct {
	*sealed.Deed
	raw   []byte
	parts []int64
}

// tally is a closed ballot: its groups that have papers, and what trustees have
// done.
type tally struct {
	*seen
	contest   *sealed.Contest
	closing   [32]byte
	witnesses []string
	groups    []*mixGroup
	deeds     []*deed // all, in the order of the board
}

// tallyOf reads it.
func (s *Sealing) tallyOf(w *chamber.World, x *seen) (*tally, error) {
	if x.prep != nil || x.ballot.Closed == 0 {
		return nil, fault.Under(fault.TooEarly, x.clause, "the ballot has not closed")
	}
	t := &tally{seen: x, contest: &x.m.Contests[0]}
	counts, err := w.Tx().SealedGroups(x.ballot.ID)
	if err != nil {
		return nil, err
	}
	for _, sec := range x.m.Sections {
		for _, c := range sec.Classes {
			for _, n := range counts {
				if n.Section == sec.ID && n.Class == c.ID && n.Papers > 0 {
					t.groups = append(t.groups, &mixGroup{name: sealed.GroupName(t.contest.ID, sec.ID, c.ID), section: sec.ID, class: c.ID, papers: n.Papers})
				}
			}
		}
	}
	if x.ballot.Seal.Closing != "" {
		if t.closing, err = ClosingHash(x.ballot.Seal.Closing); err != nil {
			return nil, err
		}
	}
	return t, t.read(w)
}

// ClosingHash is the closing hash of a signed checkpoint.
func ClosingHash(note string) ([32]byte, error) {
	text, _, ok := strings.Cut(note, "\n\n")
	if !ok {
		return [32]byte{}, fault.New(fault.Damaged, "the closing checkpoint is no signed note")
	}
	c, err := tiles.ParseBody(text + "\n")
	if err != nil {
		return [32]byte{}, err
	}
	return sealed.Closing([]byte(c.Body())), nil
}

// read reads the deeds.
func (t *tally) read(w *chamber.World) error {
	parts, err := w.Tx().SealedEntries(t.ballot.ID, proceeding.KindPart)
	if err != nil {
		return err
	}
	seqs, err := w.Tx().SealedEntries(t.ballot.ID, proceeding.KindDeed)
	for _, seq := range seqs {
		b, err := w.Tx().Body(seq)
		if err != nil {
			return err
		}
		var e proceeding.DeedBody
		d := &deed{Deed: &sealed.Deed{}}
		if err = json.Unmarshal(b, &e); err == nil {
			err = minutes.Decode(e.Deed, d.Deed)
		}
		if err != nil {
			return fault.Wrap(fault.Damaged, err, "entry %d is no trustee's deed", seq)
		}
		d.raw = e.Deed
		i, _ := slices.BinarySearch(parts, seq)
		d.parts = parts[max(0, i-e.Parts):i]
		t.add(d)
	}
	return err
}

func (t *tally) add(d *deed) {
	t.deeds = append(t.deeds, d)
	g := t.group(d.Group)
	switch {
	case d.Kind == sealed.Witness:
		t.witnesses = append(t.witnesses, d.From)
	case g == nil:
	case d.Kind == sealed.Mix:
		g.mixed = append(g.mixed, d)
	case d.Kind == sealed.Open:
		g.shares = append(g.shares, d)
	}
}

func (t *tally) group(name string) *mixGroup {
	for _, g := range t.groups {
		if g.name == name {
			return g
		}
	}
	return nil
}

func (t *tally) sums() bool { return t.contest.Form == sealed.FormSum }

// nextMixer is who has to mix a group now; empty where it has been mixed.
func (t *tally) nextMixer(g *mixGroup) string {
	if t.sums() {
		return ""
	}
	for i := len(t.m.Mixers) - 1; i >= 0; i-- { // behind the last who mixed
		if len(g.mixed) > 0 && t.m.Mixers[i] == g.mixed[len(g.mixed)-1].From {
			return t.firstOf(t.m.Mixers[i+1:])
		}
	}
	return t.firstOf(t.m.Mixers)
}

func (t *tally) firstOf(mixers []string) string {
	for _, m := range mixers {
		if !slices.Contains(t.ballot.Seal.Excused, m) {
			return m
		}
	}
	return ""
}

// witnessed tells whether as many trustees as open have witnessed the close.
func (t *tally) witnessed() bool { return len(t.witnesses) >= t.m.Threshold }

func (t *tally) trustee(name string) int {
	return slices.IndexFunc(t.m.Trustees, func(x sealed.Trustee) bool { return x.Name == name })
}

// Waits is something that is waited for: a trustee's part. Kind is a phase of
// the key generation or a kind of deed.
type Waits struct {
	Trustee string `json:"trustee"`
	Does    string `json:"does"`
	Group   string `json:"group,omitempty"`
}

// next lists what is waited for.
func (t *tally) next() []Waits {
	var out []Waits
	if t.ballot.Seal.Closing == "" || t.ballot.Seal.Opened || t.ballot.Unopened {
		return out
	}
	if !t.witnessed() {
		for _, x := range t.m.Trustees {
			if !slices.Contains(t.witnesses, x.Name) {
				out = append(out, Waits{Trustee: x.Name, Does: sealed.Witness})
			}
		}
		return out
	}
	for _, g := range t.groups {
		if m := t.nextMixer(g); m != "" {
			out = append(out, Waits{m, sealed.Mix, g.name})
			continue
		}
		if len(g.shares) >= t.m.Threshold {
			continue
		}
		for _, x := range t.m.Trustees {
			if !slices.ContainsFunc(g.shares, func(d *deed) bool { return d.From == x.Name }) {
				out = append(out, Waits{x.Name, sealed.Open, g.name})
			}
		}
	}
	return out
}

// bytes puts a deed's bytes together again.
func (d *deed) bytes(w *chamber.World) ([]byte, error) {
	var out []byte
	for _, seq := range d.parts {
		b, err := w.Tx().Body(seq)
		if err != nil {
			return nil, err
		}
		var p proceeding.PartBody
		if err := json.Unmarshal(b, &p); err != nil {
			return nil, fault.Wrap(fault.Damaged, err, "entry %d is no part of a trustee's deed", seq)
		}
		out = append(out, p.Bytes...)
	}
	sum := sha256.Sum256(out)
	if d.Kind != sealed.Witness && hex.EncodeToString(sum[:]) != d.Digest {
		return nil, fault.New(fault.Damaged, "the bytes of a deed of %s are not those that were signed", d.From)
	}
	return out, nil
}

// input gives the ciphertexts of a group's standing papers, in the order of
// their credentials.
func input(w *chamber.World, ballot, section, class string) ([]byte, int64, error) {
	var out []byte
	n := int64(0)
	err := w.Tx().SealedStanding(ballot, section, class, func(body []byte) error {
		var b proceeding.SealedPaperBody
		if err := json.Unmarshal(body, &b); err != nil {
			return fault.Wrap(fault.Damaged, err, "a sealed paper cannot be read")
		}
		p, err := sealed.DecodePaper(b.Paper)
		if err != nil {
			return fault.Wrap(fault.Damaged, err, "a sealed paper cannot be read")
		}
		n++
		out = append(out, p.Pairs...)
		return nil
	})
	return out, n, err
}

// current gives what a group is at: what the next mixer takes, or what is
// opened. For a sum it is the sums.
func (s *Sealing) current(w *chamber.World, t *tally, g *mixGroup) ([]byte, error) {
	in, n, err := input(w, t.ballot.ID, g.section, g.class)
	if err != nil {
		return nil, err
	}
	if n != g.papers {
		return nil, fault.New(fault.Damaged, "the board of %s holds %d papers of the group %s, not %d", t.ballot.ID, n, g.name, g.papers)
	}
	if t.sums() {
		return sealed.AddUp(s.g, t.contest, in)
	}
	if len(g.mixed) == 0 {
		return in, nil
	}
	b, err := g.mixed[len(g.mixed)-1].bytes(w)
	if err != nil {
		return nil, err
	}
	st := s.statement(t, g, g.mixed[len(g.mixed)-1].From, len(g.mixed)-1, in)
	if _, err := mixing.Decode(st, b); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "the mix of %s cannot be read", g.mixed[len(g.mixed)-1].From)
	}
	return bytes.Clone(st.Out), nil
}

// statement is what a mixer of a group claims.
func (s *Sealing) statement(t *tally, g *mixGroup, mixer string, position int, in []byte) *mixing.Statement {
	key, _ := hex.DecodeString(t.ballot.Seal.Key)
	st := &mixing.Statement{Manifest: t.hash, Closing: t.closing, Group: g.name, Mixer: mixer, Position: position, Width: t.contest.Slots(), In: in}
	copy(st.Key[:], key)
	return st
}

// Input gives the ciphertexts of the standing papers of a section and class of
// a ballot that has closed.
func (s *Sealing) Input(ctx context.Context, ref, section, class string) ([]byte, error) {
	var out []byte
	_, err := s.look(ctx, ref, func(w *chamber.World, x *seen) error {
		if x.prep != nil || x.ballot.Closed == 0 {
			return fault.Under(fault.TooEarly, x.clause, "the ballot has not closed")
		}
		var err error
		out, _, err = input(w, x.ballot.ID, section, class)
		return err
	})
	return out, err
}

// DeedBytes gives the bytes that a deed speaks of, by its number from 0.
func (s *Sealing) DeedBytes(ctx context.Context, ref string, n int) ([]byte, error) {
	var out []byte
	_, err := s.look(ctx, ref, func(w *chamber.World, x *seen) error {
		t, err := s.tallyOf(w, x)
		if err != nil {
			return err
		}
		if n < 0 || n >= len(t.deeds) {
			return fault.New(fault.NotFound, "there is no deed %d", n)
		}
		out, err = t.deeds[n].bytes(w)
		return err
	})
	return out, err
}

// Shut gives with what a sealed ballot closes: how many papers stand, and the
// root over them. Nothing is opened.
func (s *Sealing) Shut(w *chamber.World, st *proceeding.State) (*proceeding.Shut, error) {
	x, err := s.of(w, st.Ref)
	if err != nil {
		return nil, err
	}
	out := &proceeding.Shut{}
	if out.Refused, err = w.Tx().SealedRefused(x.ballot.ID); err != nil {
		return nil, err
	}
	var standing []sealed.Standing
	for i, sec := range x.m.Sections {
		back := proceeding.Returned{Section: x.ballot.Roll.Sections[i].Name}
		for _, c := range sec.Classes {
			pairs, n, err := input(w, x.ballot.ID, sec.ID, c.ID)
			if err != nil {
				return nil, err
			}
			standing = append(standing, sealed.Standing{Group: sealed.GroupName(x.m.Contests[0].ID, sec.ID, c.ID), Papers: n, Pairs: sha256.Sum256(pairs)})
			back.Papers += n
			out.Few = out.Few || n > 0 && !x.m.Enough(sec.ID, n)
		}
		back.Voters = back.Papers
		out.Returned = append(out.Returned, back)
	}
	root := sealed.StandingRoot(standing)
	out.Root = hex.EncodeToString(root[:])
	return out, nil
}

// Opened is what a group's papers say. A blank paper has no marks.
type Opened struct {
	Section string // as the rulebook calls it
	Value   string // what each of its votes is worth
	Papers  [][]int
	Sums    []int // how many papers have marked each option, the blank last; nil where papers are mixed
	Spoilt  int64
}

// Open puts the trustees' shares together; nil while there are too few.
func (s *Sealing) Open(ctx context.Context, ref string) ([]Opened, error) {
	s.work.Lock()
	defer s.work.Unlock()
	var out []Opened
	_, err := s.look(ctx, ref, func(w *chamber.World, x *seen) error {
		out = nil
		t, err := s.tallyOf(w, x)
		if err != nil {
			return err
		}
		if x.ballot.Seal.Closing == "" || x.ballot.Unopened || len(t.next()) > 0 {
			return nil
		}
		for _, g := range t.groups {
			o, err := s.openGroup(w, t, g)
			if err != nil {
				return err
			}
			out = append(out, *o)
		}
		if out == nil {
			out = []Opened{}
		}
		return nil
	})
	return out, err
}

func (s *Sealing) openGroup(w *chamber.World, t *tally, g *mixGroup) (*Opened, error) {
	pairs, err := s.current(w, t, g)
	if err != nil {
		return nil, err
	}
	var shares []*sealed.Shares
	for _, d := range g.shares {
		b, err := d.bytes(w)
		if err != nil {
			return nil, err
		}
		sh, err := sealed.DecodeShares(b)
		if err != nil {
			return nil, err
		}
		shares = append(shares, sh)
	}
	o := &sealed.Opening{Manifest: t.hash, Closing: t.closing, Group: g.name, Pairs: pairs}
	plain, err := o.Combine(s.g, t.m.Threshold, shares)
	if err != nil {
		return nil, err
	}
	out := &Opened{}
	for i, sec := range t.m.Sections {
		for _, c := range sec.Classes {
			if sec.ID == g.section && c.ID == g.class {
				out.Section, out.Value = t.ballot.Roll.Sections[i].Name, c.Weight
			}
		}
	}
	return out, s.readGroup(t, g, plain, out)
}

func (s *Sealing) readGroup(t *tally, g *mixGroup, plain []ristretto.Point, out *Opened) (err error) {
	if t.sums() {
		out.Sums, err = sealed.Totals(s.g, plain, int(g.papers))
		return err
	}
	papers, spoilt, err := sealed.Papers(s.g, t.contest, plain)
	out.Papers, out.Spoilt = papers, int64(len(spoilt))
	return err
}

// partSize is how many bytes an entry's part has.
func partSize(body []byte) int64 {
	var p proceeding.PartBody
	if json.Unmarshal(body, &p) != nil {
		return 0
	}
	return int64(len(p.Bytes))
}
