package contest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/store"
)

// Code is the 128-bit secret of one paper's form. Who has it can find that
// paper again; the server keeps its hash only.
type Code [16]byte

// NewCode draws a code for a form.
func NewCode() Code {
	var c Code
	rand.Read(c[:])
	return c
}

// ReadCode reads a code as a form carries it.
func ReadCode(s string) (Code, error) {
	var c Code
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(c) {
		return c, fault.New(fault.Invalid, "The form is damaged. Open the ballot paper again; nothing has been recorded.")
	}
	return Code(b), nil
}

// String is the code as a form carries it.
func (c Code) String() string { return hex.EncodeToString(c[:]) }

// id is the paper's id in the box. It is bound to section and voter: the code
// of one paper must not find, and so replace, the paper of another section or
// of a unit whose vote is worth more. Without the code it tells nothing.
func (c Code) id(ballot, section string, voter int64) [32]byte {
	h := sha256.New()
	h.Write([]byte("omov/paper/2\x00"))
	fmt.Fprintf(h, "%s\x00%s\x00%d\x00", ballot, section, voter)
	h.Write(c[:])
	return [32]byte(h.Sum(nil))
}

// Receipt says that a paper was taken in. Its code is short for people; it
// does not say how the vote was, and no published paper carries it.
type Receipt struct {
	Code    string
	Section string
	Changed bool // an earlier paper was replaced
	Again   bool // the same request had been taken in before
}

// Vote is a voter's paper for one section of the open ballot of a proceeding.
// Unit is set where somebody votes for a unit.
type Vote struct {
	Ref     string
	Person  register.PersonID
	Unit    register.UnitID
	Section string
	Paper   Paper
	Code    Code
	// Declared says that the voter has made the declaration of the section,
	// where it asks for one.
	Declared bool
}

// Cast takes in a vote. It returns when the paper is durable; asked again
// with the same code it gives the same receipt. Voters in a listed section
// whose votes are given by name are recorded in the minute book.
func (s *Contests) Cast(ctx context.Context, v Vote) (Receipt, error) {
	b, err := s.ballot(ctx, v.Ref)
	if err != nil {
		return Receipt{}, err
	}
	section, voter, listed, votes, err := s.entitled(ctx, b, v)
	if err != nil {
		return Receipt{}, err
	}
	if err := b.check(&v.Paper); err != nil {
		return Receipt{}, err
	}
	b.canonical(&v.Paper)
	v.Paper.Value = ""
	switch {
	case listed != nil:
		v.Paper.Value = listed.Value
	case votes > 1: // one paper bears them all
		v.Paper.Value = strconv.Itoa(votes)
	}
	if b.ballot.How == "recorded" {
		v.Section = section // as the roll writes it, whatever the form said
		return s.record(ctx, b, v, listed)
	}
	if b.ballot.Sealed() {
		return Receipt{}, fault.Under(fault.NotEntitled, b.cite, "Votes of this ballot are sealed in the voter's own browser. Your vote was not recorded: open the ballot paper on its page, with JavaScript switched on.")
	}
	if b.ballot.How != "box" {
		return Receipt{}, fault.Under(fault.NotEntitled, b.cite, "This vote is taken in the room, not here.")
	}
	return s.put(ctx, b, v, section, voter)
}

// put marks the voter and stores the sealed paper, in one transaction.
func (s *Contests) put(ctx context.Context, b *openBallot, v Vote, section string, voter int64) (Receipt, error) {
	cipher, err := b.sealer.Seal(section, v.Paper.encode())
	if err != nil {
		return Receipt{}, err
	}
	id := v.Code.id(b.ballot.ID, section, voter)
	r := Receipt{Code: receiptCode(id), Section: section}
	err = s.ch.DB.Write(ctx, func(tx *store.Tx) error {
		r.Again, r.Changed = false, false
		if err := b.stillOpen(s, tx); err != nil {
			return err
		}
		marked, err := tx.IsMarked(b.ballot.ID, section, voter)
		if err != nil {
			return err
		}
		if marked {
			return s.again(tx, b, &r, id, cipher)
		}
		if fresh, err := tx.PutPaper(store.Paper{Ballot: b.ballot.ID, ID: id, Section: section, Cipher: cipher}); err != nil || !fresh {
			if err == nil {
				err = fault.New(fault.Conflict, "The form has been used already. Open the ballot paper again.")
			}
			return err
		}
		_, err = tx.Mark(b.ballot.ID, section, voter)
		return err
	})
	if fault.Is(err, fault.TooLate) {
		s.forget(b.ref)
	}
	return r, err
}

// again is a second paper of a voter who is marked: the same request repeated
// gives the same receipt, a changed vote replaces the paper that the code
// finds, anything else is refused.
func (s *Contests) again(tx *store.Tx, b *openBallot, r *Receipt, id [32]byte, cipher []byte) error {
	_, err := tx.Paper(b.ballot.ID, id)
	if fault.Is(err, fault.NotFound) {
		if b.ballot.Revote {
			return fault.Under(fault.Already, b.cite, "You have voted. To change your vote, open the paper with the code of your receipt.")
		}
		return fault.Under(fault.Already, b.cite, "You have voted, and a vote is final.")
	}
	if err != nil {
		return err
	}
	r.Again = true
	if b.ballot.Revote {
		r.Changed = true
		return tx.ReplacePaper(b.ballot.ID, id, cipher)
	}
	return nil
}

// stillOpen checks, under the head lock, that the ballot takes papers at the
// book's time.
func (b *openBallot) stillOpen(s *Contests, tx *store.Tx) error {
	v, err := tx.ProceedingVersion(b.ref)
	if err != nil {
		return err
	}
	if v == b.version {
		if b.ballot.Closes != 0 && tx.At().UnixMilli() >= b.ballot.Closes {
			return fault.Under(fault.TooLate, b.cite, "Voting ended on %s. Your vote was not recorded.", when(b.book, b.ballot.Closes))
		}
		return nil
	}
	// Something happened in the proceeding since it was loaded: look whether
	// the ballot is still open, and until when.
	st, err := chamber.StateIn(tx, b.ref)
	if err != nil {
		return err
	}
	now := st.OpenBallot()
	if now == nil || now.ID != b.ballot.ID || now.Closed != 0 || now.ReadyToClose(b.book) || !st.Live() {
		return fault.Under(fault.TooLate, b.cite, "The ballot has closed. Your vote was not recorded.")
	}
	if st.Phase == proceeding.Stayed {
		return fault.Under(fault.TooLate, b.cite, "The contest is stayed by an order; no votes are taken until it is resumed. Your vote was not recorded.")
	}
	if now.Closes != 0 && tx.At().UnixMilli() >= now.Closes {
		return fault.Under(fault.TooLate, b.cite, "Voting ended on %s. Your vote was not recorded.", when(b.book, now.Closes))
	}
	s.forget(b.ref) // the next voter loads it anew
	return nil
}

// receiptCode is what a voter reads: twelve letters and digits.
func receiptCode(id [32]byte) string {
	h := sha256.Sum256(append([]byte("omov/receipt/1\x00"), id[:]...))
	s := hex.EncodeToString(h[:6])
	return fmt.Sprintf("%s-%s-%s", s[:4], s[4:8], s[8:12])
}

// entitled finds the section in which somebody votes, and refuses who has no
// vote there, with the condition that stops them. votes is how many votes
// somebody who is not listed has there: one, or one for each unit that the
// rulebook counts.
func (s *Contests) entitled(ctx context.Context, b *openBallot, v Vote) (section string, voter int64, listed *proceeding.ListedVoter, votes int, err error) {
	var refusal error
	for i := range b.facts.Sections {
		sec := &b.facts.Sections[i]
		if v.Section != sec.Name && (v.Section != "" || len(b.facts.Sections) > 1) {
			continue
		}
		if sec.Declare != "" && !v.Declared {
			return "", 0, nil, 0, fault.Under(fault.Invalid, b.cite, "To vote in this section, make its declaration: %s", sec.Declare)
		}
		if sec.Listed {
			if l := b.listed(sec, v); l != nil {
				return sec.Name, chamber.VoterNumber(*l), l, 1, s.mayAct(ctx, b, v, l)
			}
			refusal = fault.Under(fault.NotEntitled, b.cite, "You are not on the roll of this section.")
			continue
		}
		if v.Unit != 0 {
			continue
		}
		l, known, err := s.line(ctx, b, v.Person, b.peopleIndex(i))
		if err != nil {
			return "", 0, nil, 0, err
		}
		if known && l.Reason == 0 {
			return sec.Name, int64(v.Person), nil, int(l.Votes), nil
		}
		refusal = b.notOnRoll(sec, l, known)
	}
	if refusal == nil {
		refusal = fault.Under(fault.NotFound, b.cite, "This ballot has no section %q.", v.Section)
	}
	return "", 0, nil, 0, refusal
}

func (b *openBallot) listed(sec *chamber.RollSectionFacts, v Vote) *proceeding.ListedVoter {
	for i := range sec.Voters {
		l := &sec.Voters[i]
		if v.Unit != 0 && l.Unit == v.Unit || v.Unit == 0 && l.Unit == 0 && l.Person == v.Person {
			return l
		}
	}
	return nil
}

// mayAct checks that a person may vote as a listed voter: for themself, or
// for a unit as the holder of the office that speaks for it.
func (s *Contests) mayAct(ctx context.Context, b *openBallot, v Vote, l *proceeding.ListedVoter) error {
	if l.Bar != "" {
		return fault.Under(fault.NotEntitled, b.cite, "A %s takes away the right to vote for the time being.", l.Bar)
	}
	if l.Unit == 0 {
		return nil
	}
	return s.ch.Read(ctx, func(w *chamber.World) error {
		for _, t := range w.Roster().Of(v.Person, w.At().Unix(), w.Seq()) {
			if t.Office == l.Acts && t.Unit == l.Unit {
				return nil
			}
		}
		return fault.Under(fault.NotEntitled, b.cite, "The %s of %s votes for it.", l.Acts, l.Name)
	})
}

// peopleIndex is the place of a section among those in the roll's chunks.
func (b *openBallot) peopleIndex(section int) int {
	for k, i := range b.facts.People {
		if i == section {
			return k
		}
	}
	return -1
}

func (b *openBallot) notOnRoll(sec *chamber.RollSectionFacts, l roll.Line, known bool) error {
	if !known || int(l.Reason) >= len(sec.Reasons) {
		return fault.Under(fault.NotEntitled, b.cite, "You were not in the register when the roll was taken.")
	}
	r := sec.Reasons[l.Reason]
	if strings.HasPrefix(r.ID, roll.Unsanction+":") {
		return &fault.Error{Kind: fault.NotEntitled, Clause: r.Clause, Fact: r.ID,
			Message: "You are not on the roll of this ballot: " + strings.ToLower(r.Says[:min(1, len(r.Says))]) + strings.TrimSuffix(r.Says[min(1, len(r.Says)):], ".") + "."}
	}
	return &fault.Error{Kind: fault.NotEntitled, Clause: r.Clause, Fact: r.ID,
		Message: "You are not on the roll of this ballot. What is missing: " + strings.TrimSuffix(r.Says, ".") + "."}
}

// record enters a vote by name.
func (s *Contests) record(ctx context.Context, b *openBallot, v Vote, l *proceeding.ListedVoter) (Receipt, error) {
	p := proceeding.RecordedPaper{Section: v.Section, Ranks: v.Paper.Ranks, Value: "1"}
	if b.ballot.Method == "" {
		p.Choice = b.ballot.Choices[v.Paper.Choice]
	}
	if l == nil {
		return Receipt{}, fault.Under(fault.NotEntitled, b.cite, "Votes by name are for representatives and units.")
	}
	p.Name, p.Value = l.Name, l.Value
	p.Voter = fmt.Sprintf("p%d", l.Person)
	if l.Unit != 0 {
		p.Voter = fmt.Sprintf("u%d", l.Unit)
	}
	_, err := s.ch.Do(ctx, v.Ref, proceeding.Record{By: proceeding.Actor{Person: v.Person}, Paper: p})
	s.forget(v.Ref)
	return Receipt{Section: v.Section}, err
}
