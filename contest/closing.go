package contest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
)

// PapersBody is the body of ballot.papers/1: what was in the box, by section,
// grouped and sorted by content.
type PapersBody struct {
	Ballot   string          `json:"ballot"`
	Sections []SectionPapers `json:"sections"`
}

// SectionPapers is one section's papers.
type SectionPapers struct {
	Section string    `json:"section"`
	Papers  []Grouped `json:"papers"`
	Spoilt  int64     `json:"spoilt,omitempty"` // of a sealed ballot: papers that say nothing a paper can say
}

// Grouped is one distinct paper and how many bore it. Choice is -1 where
// there are marks.
type Grouped struct {
	Marks  []int  `json:"m,omitempty"`
	Choice int    `json:"c"`
	Value  string `json:"v,omitempty"`
	N      int64  `json:"n"`
}

// MarkedBody is the body of ballot.marked/1: who voted, by section. Voters are
// unsigned varints of the differences between their numbers, in order, with
// units (negative) written out.
type MarkedBody struct {
	Ballot   string          `json:"ballot"`
	Root     string          `json:"root"` // salted, hex
	Sections []SectionMarked `json:"sections"`
}

// SectionMarked is one section's voters.
type SectionMarked struct {
	Section string  `json:"section"`
	N       int64   `json:"n"`
	People  []byte  `json:"people,omitempty"`
	Units   []int64 `json:"units,omitempty"`
}

// Close is an officer asking to close the ballot of a proceeding. The last
// one who has to ask closes it: the box is opened in memory, what it held is
// entered in the minute book, the count is made and the result declared.
func (s *Contests) Close(ctx context.Context, ref string, by proceeding.Actor) (*proceeding.State, error) {
	st, err := s.ch.Do(ctx, ref, proceeding.Close{By: by})
	if err != nil {
		return st, err
	}
	return s.carryOn(ctx, st)
}

// Recover goes on with every ballot that was being closed or counted when the
// server stopped.
func (s *Contests) Recover(ctx context.Context) error {
	var states []*proceeding.State
	err := s.ch.Read(ctx, func(w *chamber.World) error {
		var err error
		states, err = w.States()
		return err
	})
	if err == nil {
		err = s.abandoned(ctx)
	}
	for _, st := range states {
		if err == nil && st.Live() && st.OpenBallot() != nil {
			_, err = s.carryOn(ctx, st)
		}
	}
	return err
}

// abandoned destroys the keys of boxes that were open when something else ended
// their runs: another decision, or an event.
func (s *Contests) abandoned(ctx context.Context) error {
	left := map[string]proceeding.Ballot{} // by run
	err := s.ch.Read(ctx, func(w *chamber.World) error {
		clear(left)
		states, err := w.States()
		for _, st := range states {
			if b := st.OpenBallot(); b != nil && !st.Live() && b.Closed == 0 && b.Key != "" {
				left[st.Ref] = *b
			}
		}
		return err
	})
	for ref, b := range left {
		if _, gone := s.ch.Box.Load(b.ID, b.Key); err == nil && gone == nil {
			err = s.emptied(ctx, ref, b.ID)
		}
	}
	return err
}

// carryOn closes and counts as far as the state allows.
func (s *Contests) carryOn(ctx context.Context, st *proceeding.State) (*proceeding.State, error) {
	b := st.OpenBallot()
	if b == nil {
		return st, nil
	}
	var book *rulebook.Book
	err := s.ch.Read(ctx, func(w *chamber.World) (err error) {
		book, err = s.ch.Book(w.Tx(), st.Book)
		return err
	})
	if err != nil {
		return st, err
	}
	if b.Closed == 0 {
		if !b.ReadyToClose(book) {
			return st, nil
		}
		if b.Sealed() {
			st, err = s.closeSealed(ctx, st.Ref, b)
		} else {
			st, err = s.shut(ctx, st.Ref, b)
		}
		if err != nil {
			return st, err
		}
	}
	if b.Sealed() {
		var ready bool
		if st, ready, err = s.unseal(ctx, st); err != nil || !ready {
			return st, err
		}
		return s.declare(ctx, st)
	}
	if err := s.emptied(ctx, st.Ref, b.ID); err != nil {
		return st, err
	}
	return s.declare(ctx, st)
}

// scrubTime is how long a close waits for the database to overwrite the papers
// that were destroyed.
const scrubTime = 10 * time.Second

// emptied destroys what is left of a box that has been entered in the book: the
// key, and the papers' traces in the database's files. A server that stopped
// in between does it when it starts again.
func (s *Contests) emptied(ctx context.Context, ref, ballot string) error {
	s.forget(ref)
	if err := s.ch.Box.Destroy(ballot); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, scrubTime)
	defer cancel()
	// Without the key the traces are unreadable: a database that is busy must
	// not hold up the result.
	_ = s.ch.DB.Scrub(ctx)
	return nil
}

// shut opens the box in memory and enters what it held.
func (s *Contests) shut(ctx context.Context, ref string, b *proceeding.Ballot) (*proceeding.State, error) {
	shut := proceeding.Shut{}
	err := s.ch.Read(ctx, func(w *chamber.World) error {
		marked, err := markedRoll(w, ref, b)
		if err != nil {
			return err
		}
		if few, err := s.tooFew(w, b, marked, &shut); few || err != nil {
			return err
		}
		papers, err := s.openBox(w, b)
		if err != nil {
			return err
		}
		body, err := minutes.Canonical(papers)
		if err != nil {
			return fault.Wrap(fault.Internal, err, "the papers cannot be written down")
		}
		shut.Papers, shut.Marked = body, marked
		shut.Root = closingRoot(marked.Root, body)
		for _, m := range marked.Sections {
			shut.Returned = append(shut.Returned, proceeding.Returned{Section: m.Section, Voters: m.N, Papers: papers.count(m.Section)})
		}
		for _, r := range shut.Returned {
			if r.Papers != r.Voters {
				return fault.New(fault.Damaged, "the box of %s holds %d papers of section %q, but %d voters are marked; nothing has been closed", b.ID, r.Papers, r.Section, r.Voters)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	shut.Secrets = s.lotSecrets(ctx, b)
	return s.ch.Do(ctx, ref, shut)
}

// lotSecrets opens what officers committed to for the lot.
func (s *Contests) lotSecrets(ctx context.Context, b *proceeding.Ballot) []proceeding.Commit {
	var out []proceeding.Commit
	for _, c := range b.Commits {
		secret, err := s.lotSecret(ctx, b.ID, c.Office)
		if err != nil || lotHash(b.ID, secret) != c.Hash {
			c.Absent = true
		} else {
			c.Secret = secret
		}
		out = append(out, c)
	}
	return out
}

// tooFew looks whether too few papers came back for a secret ballot to be
// opened. They are counted by the marked voters, each of whom has one paper;
// none is decrypted.
func (s *Contests) tooFew(w *chamber.World, b *proceeding.Ballot, marked *MarkedBody, shut *proceeding.Shut) (bool, error) {
	var returned []proceeding.Returned
	for _, m := range marked.Sections {
		returned = append(returned, proceeding.Returned{Section: m.Section, Voters: m.N, Papers: m.N})
	}
	if b.Short(returned) == nil {
		return false, nil
	}
	papers := map[string]int64{}
	for p, err := range w.Tx().Papers(b.ID) {
		if err != nil {
			return true, err
		}
		papers[p.Section]++
	}
	for _, r := range returned {
		if papers[r.Section] != r.Voters {
			return true, fault.New(fault.Damaged, "the box of %s holds %d papers of section %q, but %d voters are marked; nothing has been closed", b.ID, papers[r.Section], r.Section, r.Voters)
		}
	}
	shut.Marked, shut.Returned, shut.Root = marked, returned, closingRoot(marked.Root, nil)
	return true, nil
}

// closingRoot commits to who voted and to what the papers say; nil where they
// were not opened.
func closingRoot(marked string, papers []byte) string {
	root, _ := hex.DecodeString(marked)
	sum := sha256.Sum256(papers)
	h := sha256.New()
	h.Write([]byte("omov/closing/1\x00"))
	h.Write(root)
	h.Write(sum[:])
	return hex.EncodeToString(h.Sum(nil))
}

func (p *PapersBody) count(section string) int64 {
	var n int64
	for _, s := range p.Sections {
		if s.Section == section {
			for _, g := range s.Papers {
				n += g.N
			}
		}
	}
	return n
}

// openBox decrypts every paper of a ballot and groups them. For a vote by
// name the papers are those on record.
func (s *Contests) openBox(w *chamber.World, b *proceeding.Ballot) (*PapersBody, error) {
	groups := map[string]map[string]int64{}
	add := func(section string, paper []byte) {
		if groups[section] == nil {
			groups[section] = map[string]int64{}
		}
		groups[section][string(paper)]++
	}
	if b.How == "recorded" {
		for _, r := range b.Recorded {
			p := Paper{Ranks: r.Ranks, Choice: slices.Index(b.Choices, r.Choice), Value: r.Value}
			add(r.Section, p.encode())
		}
		return grouped(b, groups)
	}
	key, err := s.ch.Box.Load(b.ID, b.Key)
	if err != nil {
		return nil, err
	}
	opener := key.Opener(b.ID)
	for p, err := range w.Tx().Papers(b.ID) {
		if err != nil {
			return nil, err
		}
		plain, err := opener.Open(p.Section, p.Cipher)
		if err != nil {
			return nil, err
		}
		add(p.Section, plain)
	}
	return grouped(b, groups)
}

// grouped sorts groups by content, so that nothing of the order in which
// papers came is left.
func grouped(b *proceeding.Ballot, groups map[string]map[string]int64) (*PapersBody, error) {
	out := &PapersBody{Ballot: b.ID}
	for i := range b.Roll.Sections {
		name := b.Roll.Sections[i].Name
		sec := SectionPapers{Section: name, Papers: []Grouped{}}
		keys := make([]string, 0, len(groups[name]))
		for k := range groups[name] {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			p, err := decodePaper([]byte(k))
			if err != nil {
				return nil, err
			}
			sec.Papers = append(sec.Papers, Grouped{Marks: p.Ranks, Choice: p.Choice, Value: p.Value, N: groups[name][k]})
		}
		out.Sections = append(out.Sections, sec)
	}
	return out, nil
}

// markedRoll lists who voted, with a root salted as the roll's.
func markedRoll(w *chamber.World, ref string, b *proceeding.Ballot) (*MarkedBody, error) {
	_, facts, err := chamber.RollOf(w.Tx(), ref, b.ID)
	if err != nil {
		return nil, err
	}
	voters := map[string][]int64{}
	if b.How == "recorded" {
		for _, r := range b.Recorded {
			n, err := strconv.ParseInt(r.Voter[1:], 10, 64)
			if err != nil {
				return nil, fault.Wrap(fault.Damaged, err, "a vote by name cannot be read")
			}
			if r.Voter[0] == 'u' {
				n = -n
			}
			voters[r.Section] = append(voters[r.Section], n)
		}
	} else {
		for m, err := range w.Tx().Marked(b.ID) {
			if err != nil {
				return nil, err
			}
			voters[m.Section] = append(voters[m.Section], m.Voter)
		}
	}
	out := &MarkedBody{Ballot: b.ID}
	var leaves [][32]byte
	for i := range b.Roll.Sections {
		name := b.Roll.Sections[i].Name
		list := voters[name]
		slices.Sort(list)
		sec := SectionMarked{Section: name, N: int64(len(list))}
		last := int64(0)
		for _, v := range list {
			leaf, _ := roll.Leaf(facts.Seed, v, []byte("marked|"+name))
			leaves = append(leaves, leaf)
			if v < 0 {
				sec.Units = append(sec.Units, v)
				continue
			}
			sec.People = binary.AppendUvarint(sec.People, uint64(v-last))
			last = v
		}
		out.Sections = append(out.Sections, sec)
	}
	root := roll.Root(leaves)
	out.Root = hex.EncodeToString(root[:])
	return out, nil
}

// CommitLot commits an officer to a secret for the lot. The server draws the
// secret and keeps it with its other secrets until the close.
func (s *Contests) CommitLot(ctx context.Context, ref string, by proceeding.Actor, office string) (*proceeding.State, error) {
	st, _, err := s.State(ctx, ref)
	if err != nil {
		return nil, err
	}
	b := st.OpenBallot()
	if b == nil {
		return nil, fault.New(fault.TooEarly, "No ballot of %s is open; a secret for the lot is committed while it is.", ref)
	}
	secret, err := s.lotSecret(ctx, b.ID, office)
	if err != nil {
		return nil, err
	}
	return s.ch.Do(ctx, ref, proceeding.CommitLot{By: by, Hash: lotHash(b.ID, secret)})
}

func (s *Contests) lotSecret(ctx context.Context, ballot, office string) (string, error) {
	secret, err := s.ch.DB.Keys().Secret(ctx, "lot/"+ballot+"/"+office)
	return hex.EncodeToString(secret[:]), err
}

// lotHash is what is committed of a secret.
func lotHash(ballot, secret string) string {
	sum := sha256.Sum256([]byte("omov/lot/secret/1\x00" + ballot + "\x00" + secret))
	return hex.EncodeToString(sum[:])
}
