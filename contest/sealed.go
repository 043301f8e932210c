package contest

import (
	"context"
	"slices"
	"strconv"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealing"
	"github.com/omov/omov/store"
)

// What is done of a sealed ballot is the sealing package's; here it is joined
// to the contest: a ballot whose key and list are there opens, one that the
// trustees have opened is counted.

// NameTrustees names who holds the keys of the sealed ballots to come.
func (s *Contests) NameTrustees(ctx context.Context, by proceeding.Actor, t proceeding.TrusteesBody) error {
	return s.ch.NameTrustees(ctx, by, t)
}

// Trustees gives who has been named; without trustees it is the server alone.
func (s *Contests) Trustees(ctx context.Context) (*proceeding.TrusteesBody, error) {
	out := &proceeding.TrusteesBody{}
	err := s.ch.Read(ctx, func(w *chamber.World) error {
		if t := w.Organisation().Trustees; t != nil {
			*out = *t
		}
		return nil
	})
	return out, err
}

// PrepareSealed fixes the paper of a sealed ballot before it is due.
// With anew it is fixed again, because its key cannot be made.
func (s *Contests) PrepareSealed(ctx context.Context, ref string, by proceeding.Actor, anew bool) error {
	if _, err := s.ch.PrepareSealed(ctx, ref, by, anew); err != nil {
		return err
	}
	return s.goOn(ctx, ref)
}

// EndSealedPhase is an officer ending the phase of the key generation that is
// on, for those who have not done their part.
func (s *Contests) EndSealedPhase(ctx context.Context, ref string, by proceeding.Actor) error {
	b, err := s.sealing.Board(ctx, ref)
	if err != nil {
		return err
	}
	if err := s.sealing.EndPhase(ctx, ref, by, b.Ceremony.Phase); err != nil {
		return err
	}
	return s.goOn(ctx, ref)
}

// SealedBoard gives the sealed ballot of a run as it stands.
func (s *Contests) SealedBoard(ctx context.Context, ref string) (*sealing.Board, error) {
	return s.sealing.Board(ctx, ref)
}

// SealedMessage takes in a message of the key generation.
func (s *Contests) SealedMessage(ctx context.Context, ref string, raw []byte) error {
	if err := again(func() error { return s.sealing.Message(ctx, ref, raw) }); err != nil {
		return err
	}
	return s.goOn(ctx, ref)
}

// SealedList takes in the registrar's list.
func (s *Contests) SealedList(ctx context.Context, ref string, list, signature []byte) error {
	if err := again(func() error { return s.sealing.List(ctx, ref, list, signature) }); err != nil {
		return err
	}
	return s.goOn(ctx, ref)
}

// SealedRelist takes in the registrar's change of the list.
func (s *Contests) SealedRelist(ctx context.Context, ref string, change, signature []byte) error {
	return again(func() error { return s.sealing.Relist(ctx, ref, change, signature) })
}

// SealedPost takes in a paper. A refusal is a *sealed.Refusal.
func (s *Contests) SealedPost(ctx context.Context, ref string, raw []byte) (sealing.Receipt, error) {
	return s.sealing.Post(ctx, ref, raw)
}

// SealedCredential gives what a credential's next paper has to follow.
func (s *Contests) SealedCredential(ctx context.Context, ref string, key [32]byte) (*sealing.Seat, error) {
	return s.sealing.Credential(ctx, ref, key)
}

// SealedPaper finds an accepted paper.
func (s *Contests) SealedPaper(ctx context.Context, ref string, hash [32]byte) (*sealing.Found, error) {
	return s.sealing.Paper(ctx, ref, hash)
}

// SealedPaperLike finds an accepted paper by its hash, or by the beginning of it
// that a receipt shows.
func (s *Contests) SealedPaperLike(ctx context.Context, ref string, begin []byte) (*sealing.Found, error) {
	return s.sealing.PaperLike(ctx, ref, begin)
}

// SealedInput gives what the first mixer of a group takes.
func (s *Contests) SealedInput(ctx context.Context, ref, section, class string) ([]byte, error) {
	return s.sealing.Input(ctx, ref, section, class)
}

// SealedDeedBytes gives the bytes that a deed speaks of.
func (s *Contests) SealedDeedBytes(ctx context.Context, ref string, n int) ([]byte, error) {
	return s.sealing.DeedBytes(ctx, ref, n)
}

// SealedExpects gives the most bytes that a deed can speak of, if it is signed
// and waited for, and whether it is on the board already.
func (s *Contests) SealedExpects(ctx context.Context, ref string, deed []byte) (most int64, known bool, err error) {
	return s.sealing.Expects(ctx, ref, deed)
}

// SealedDeed takes in a trustee's deed. The last one that is needed lets the
// ballot be counted.
func (s *Contests) SealedDeed(ctx context.Context, ref string, deed, about []byte) error {
	if err := again(func() error { return s.sealing.Deed(ctx, ref, deed, about) }); err != nil {
		return err
	}
	return s.carryOnRef(ctx, ref)
}

// SealedDo does the next thing that is waited for from a trustee whose identity
// this process has, as in a rehearsal; false where nothing is.
func (s *Contests) SealedDo(ctx context.Context, ref, name string, id keygen.Identity) (bool, error) {
	did := false
	err := again(func() (err error) {
		did, err = s.sealing.Do(ctx, ref, name, id)
		return err
	})
	if err != nil || !did {
		return did, err
	}
	st, err := s.bring(ctx, ref)
	if err == nil {
		_, err = s.carryOn(ctx, st)
	}
	return true, err
}

// ExcuseMixer excuses a mixer who does not answer.
func (s *Contests) ExcuseMixer(ctx context.Context, ref string, by proceeding.Actor, name, why string) error {
	return again(func() error { return s.sealing.Excuse(ctx, ref, by, name, why) })
}

// SealedSeat gives a voter's page what it seals with, in a section in which
// they vote.
func (s *Contests) SealedSeat(ctx context.Context, ref string, person register.PersonID, unit register.UnitID, section string) (*sealing.Given, error) {
	b, err := s.sealedBallot(ctx, ref)
	if err != nil {
		return nil, err
	}
	name, voter, listed, votes, err := s.entitled(ctx, b, Vote{Ref: ref, Person: person, Unit: unit, Section: section, Declared: true})
	if err != nil {
		return nil, err
	}
	value := strconv.Itoa(votes)
	if listed != nil {
		value = listed.Value
	}
	return s.sealing.Give(ctx, ref, name, value, voter)
}

// sealedBallot is the open ballot of a run, as it is now: what is kept may be of
// a round before, which another server has closed.
func (s *Contests) sealedBallot(ctx context.Context, ref string) (*openBallot, error) {
	b, err := s.ballot(ctx, ref)
	if err != nil {
		return nil, err
	}
	var version int64
	if err := s.ch.DB.Read(ctx, func(tx *store.Tx) (err error) {
		version, err = tx.ProceedingVersion(ref)
		return err
	}); err != nil || version == b.version {
		return b, err
	}
	s.forget(ref)
	return s.ballot(ctx, ref)
}

// Elector is a line of the roll that a registrar makes credentials for.
type Elector struct {
	Voter   int64  // a person's number, or minus a unit's
	Name    string // of the person, or of the unit
	Email   string
	Section string
	Class   string
}

// SealedRoll gives the roll of a sealed ballot to the officers, for the
// registrar. The caller sees to it that only they get it.
func (s *Contests) SealedRoll(ctx context.Context, ref string) ([]Elector, error) {
	var out []Elector
	board, err := s.sealing.Board(ctx, ref)
	if err != nil {
		return nil, err
	}
	err = s.ch.Read(ctx, func(w *chamber.World) error {
		out = out[:0]
		err := chamber.Electors(w.Tx(), ref, board.Ballot, func(e chamber.Elector) error {
			out = append(out, Elector{Voter: e.Voter, Section: e.Section, Class: e.Class})
			return nil
		})
		for i := range out {
			if err == nil {
				err = s.elector(w, &out[i])
			}
		}
		return err
	})
	return out, err
}

func (s *Contests) elector(w *chamber.World, e *Elector) error {
	if e.Voter < 0 {
		if u := w.Tree().Unit(register.UnitID(-e.Voter)); u != nil {
			e.Name = u.Name
		}
		return nil
	}
	p, err := w.ParticularsOf(register.PersonID(e.Voter))
	if fault.Is(err, fault.NotFound) { // erased since
		return nil
	}
	if err != nil {
		return err
	}
	e.Name, e.Email = p.Name, p.Email
	return nil
}

// again repeats what met somebody else's change at the same time.
func again(do func() error) error {
	var err error
	for range 5 {
		if err = do(); !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return err
}

// goOn does what the server has to do of a ballot that is being prepared, and
// opens it if it is due.
func (s *Contests) goOn(ctx context.Context, ref string) error {
	_, err := s.bring(ctx, ref)
	return err
}

// prepared does the server's part of a sealed ballot that is being prepared;
// then it may be due.
func (s *Contests) prepared(ctx context.Context, st *proceeding.State) (*proceeding.State, error) {
	now := st.Now()
	if now == nil || now.Prep == nil || now.Status != proceeding.Coming {
		return st, nil
	}
	if !now.Prep.Ready() && (now.Prep.Server || now.Prep.Registrar) {
		if err := again(func() error { return s.sealing.Prepare(ctx, st.Ref) }); err != nil {
			return st, err
		}
	}
	opened, err := s.ch.OpenDue(ctx, st.Ref)
	if err != nil || opened == nil {
		return st, err
	}
	return opened, nil
}

func (s *Contests) carryOnRef(ctx context.Context, ref string) error {
	st, _, err := s.State(ctx, ref)
	if err == nil {
		_, err = s.carryOn(ctx, st)
	}
	return err
}

// unseal goes on with a sealed ballot that has closed: the server's part, and,
// once the trustees have opened every group, the papers. False while something
// is waited for.
func (s *Contests) unseal(ctx context.Context, st *proceeding.State) (*proceeding.State, bool, error) {
	s.sealing.Forget(st.Ref)
	if err := again(func() error { return s.sealing.Carry(ctx, st.Ref) }); err != nil {
		return st, false, err
	}
	st, _, err := s.State(ctx, st.Ref)
	if err != nil {
		return st, false, err
	}
	b := st.OpenBallot()
	if b == nil || b.Unopened || b.Seal.Opened {
		return st, true, nil
	}
	opened, err := s.sealing.Open(ctx, st.Ref)
	if err != nil || opened == nil {
		return st, false, err
	}
	papers, err := papersOf(b, opened)
	if err != nil {
		return st, false, err
	}
	body, err := minutes.Canonical(papers)
	if err != nil {
		return st, false, fault.Wrap(fault.Internal, err, "the papers cannot be written down")
	}
	st, err = s.ch.Do(ctx, st.Ref, proceeding.Unseal{Papers: body})
	return st, err == nil, err
}

// papersOf writes opened papers as those of every ballot are written: grouped
// and sorted by content.
func papersOf(b *proceeding.Ballot, opened []sealing.Opened) (*PapersBody, error) {
	groups, spoilt := map[string]map[string]int64{}, map[string]int64{}
	ob := &openBallot{ballot: *b}
	for i := range opened {
		o := &opened[i]
		if groups[o.Section] == nil {
			groups[o.Section] = map[string]int64{}
		}
		value := o.Value
		if value == "1" {
			value = ""
		}
		spoilt[o.Section] += o.Spoilt
		for option, n := range o.Sums {
			p := Paper{Choice: -1, Value: value}
			if option < len(o.Sums)-1 {
				p.Ranks = []int{option}
			}
			ob.put(groups[o.Section], &p, int64(n))
		}
		for _, marks := range o.Papers {
			p := Paper{Choice: -1, Value: value, Ranks: ranksOf(marks, len(b.Options))}
			if len(p.Ranks) > 0 && ob.check(&p) != nil {
				spoilt[o.Section]++ // a paper that breaks a rule on papers
				continue
			}
			ob.put(groups[o.Section], &p, 1)
		}
	}
	out, err := grouped(b, groups)
	if err != nil {
		return nil, err
	}
	for i := range out.Sections {
		out.Sections[i].Spoilt = spoilt[out.Sections[i].Section]
	}
	return out, nil
}

// put adds papers to their group. On a vote the option is one of the choices
// that are not abstaining, and a blank paper abstains, where there is that
// choice.
func (b *openBallot) put(group map[string]int64, p *Paper, n int64) {
	if n == 0 {
		return
	}
	if b.ballot.Method == "" {
		p.Choice = choiceOf(b.ballot.Choices, p.Ranks)
		p.Ranks = nil
	}
	group[string(p.encode())] += n
}

func choiceOf(choices []string, ranks []int) int {
	if len(ranks) == 0 {
		return slices.Index(choices, proceeding.Abstain)
	}
	k := ranks[0]
	for i, c := range choices {
		if c == proceeding.Abstain {
			continue
		}
		if k == 0 {
			return i
		}
		k--
	}
	return -1
}

// ranksOf reads a paper of numbers an option into options in order; where marks
// have no order they all are 1.
func ranksOf(marks []int, options int) []int {
	out := []int{}
	for rank := 1; rank <= options; rank++ {
		for i, m := range marks {
			if m == rank {
				out = append(out, i)
			}
		}
	}
	return out
}

// closeSealed closes a sealed ballot. Nothing is opened: that is the trustees'.
func (s *Contests) closeSealed(ctx context.Context, ref string, b *proceeding.Ballot) (*proceeding.State, error) {
	var shut *proceeding.Shut
	err := s.ch.Read(ctx, func(w *chamber.World) error {
		st, err := w.State(ref)
		if err == nil {
			shut, err = s.sealing.Shut(w, st)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	shut.Secrets = s.lotSecrets(ctx, b)
	st, err := s.ch.Do(ctx, ref, *shut)
	s.forget(ref)
	return st, err
}
