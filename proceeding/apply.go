package proceeding

import (
	"encoding/json"
	"slices"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
)

// Apply changes a state by one entry. Kinds that are not about the state of a
// proceeding leave it as it is, but for the version, which counts entries.
// Bytes that are not the body of the kind give fault.Damaged.
func (s *State) Apply(ref, book, kind, office string, body []byte) error {
	s.Version++
	switch kind {
	case KindBegun, KindCalled:
		return with(body, func(b *CalledBody) { s.called(ref, book, office, kind, b) })
	case KindLapsed, KindEnded:
		return with(body, func(b *EndBody) {
			s.Phase, s.Outcome, s.Ended = Ended, b.Outcome, b.At
			if kind == KindLapsed {
				s.Phase = Lapsed
			}
		})
	case KindHalted:
		return with(body, func(b *HaltBody) {
			s.Phase, s.Waits = Halted, b.Waits
			if b.Waits == "" {
				s.Phase = Running
			}
		})
	case KindOrdered:
		return with(body, s.ordered)
	case KindSupport:
		return with(body, func(b *SupportBody) {
			if g := s.gather(b.Stage); g != nil {
				g.Supports = append(g.Supports, b.Support)
			}
		})
	case KindUnsupport:
		return with(body, func(b *SupportBody) {
			if g := s.gather(b.Stage); g != nil {
				g.drop(b.Support.By, b.Support.Gone)
			}
		})
	case KindSlot:
		return with(body, func(b *SlotBody) {
			if s.Slots == nil {
				s.Slots = map[string]Slot{}
			}
			s.Slots[b.Slot] = Slot{Value: b.Value, By: b.By, At: b.At}
			s.act(Act{N: b.N, Name: b.Name, Slot: b.Slot, Value: b.Value, By: b.By, At: b.At, Rolls: b.Rolls})
			s.move(b.Moves)
		})
	case KindProposed, KindAccepted, KindDeclined, KindWithdrew:
		return with(body, func(b *CandidateBody) { s.candidate(kind, b) })
	case KindComing, KindOpened, KindClosed:
		return with(body, func(b *StageBody) { s.stage(kind, b) })
	}
	return s.applyBallot(kind, body)
}

func (s *State) applyBallot(kind string, body []byte) error {
	switch kind {
	case KindBallot:
		return with(body, func(b *BallotBody) { s.Ballots = append(s.Ballots, b.Ballot) })
	case KindCommit, KindSecret:
		return with(body, func(b *CommitBody) { s.commit(b) })
	case KindRecorded:
		return with(body, func(b *RecordedBody) {
			if x := s.Ballot(b.Ballot); x != nil {
				x.Recorded = append(x.Recorded, b.Paper)
			}
		})
	case KindCloser:
		return with(body, func(b *CloserBody) {
			if x := s.Ballot(b.Ballot); x != nil {
				x.Closers = append(x.Closers, b.Office)
			}
		})
	case KindBallotShut:
		return with(body, func(b *ShutBody) {
			if x := s.Ballot(b.Ballot); x != nil {
				x.Closed, x.Root, x.Returned, x.Unopened = b.At, b.Root, b.Returned, b.Unopened
			}
		})
	case KindTotals:
		return with(body, func(b *TotalsBody) {
			if x := s.Ballot(b.Ballot); x != nil {
				x.Figures, x.Closed = b.Figures, b.At
			}
		})
	case KindResult:
		return with(body, s.result)
	case KindEffect:
		return with(body, func(b *EffectBody) { s.Done = append(s.Done, b.Done) })
	case KindSanction:
		return with(body, func(b *SanctionBody) { s.Sanctioned = append(s.Sanctioned, b.Done) })
	case KindDrawn:
		return with(body, s.drawn)
	}
	return s.applySeal(kind, body)
}

func with[T any](body []byte, f func(*T)) error {
	var b T
	if err := json.Unmarshal(body, &b); err != nil {
		return fault.Wrap(fault.Damaged, err, "an entry of the minute book cannot be read")
	}
	f(&b)
	return nil
}

func (s *State) called(ref, book, office, kind string, b *CalledBody) {
	if s.Begun == 0 {
		s.Ref, s.Book, s.Procedure, s.Unit, s.Office, s.Cause = ref, book, b.Procedure, b.Unit, b.Office, b.Cause
		s.Begun, s.Takes, s.CalledBy, s.Current, s.Private = b.At, b.Takes, office, -1, b.Private
	}
	if kind == KindBegun {
		s.Phase = Collecting
		s.Backing = &Gather{Opened: b.At, Closes: b.Closes, Bases: b.Bases}
		return
	}
	s.Phase, s.Called = Running, b.At
	if s.Backing != nil {
		s.Backing.Result = []Standing{{Met: true, Gates: b.Gate}}
	}
	s.Stages = make([]Stage, len(b.Stages))
	for i, n := range b.Stages {
		s.Stages[i].Name = n
	}
}

func (s *State) gather(stage string) *Gather {
	if stage == "" {
		return s.Backing
	}
	if st := s.StageNamed(stage); st != nil {
		return st.Gather
	}
	return nil
}

func (g *Gather) drop(by, why string) {
	for i := range g.Supports {
		if g.Supports[i].By == by && g.Supports[i].Gone == "" {
			g.Supports[i].Gone = why
		}
	}
}

func (s *State) ordered(b *OrderBody) {
	if b.Asked {
		s.Asked = append(s.Asked, *b)
		return
	}
	s.Asked = slices.DeleteFunc(s.Asked, func(x OrderBody) bool { return x.Order == b.Order })
	switch b.Order {
	case "stay":
		s.Phase = Stayed
	case "resume":
		s.Phase = Running
	}
	s.act(Act{N: b.N, Name: b.Name, Order: b.Order, By: b.By, At: b.At, Aside: b.Target, Rolls: b.Rolls})
	s.move(b.Moves)
}

func (s *State) move(moves []Move) {
	for _, m := range moves {
		if st := s.StageNamed(m.Stage); st != nil {
			st.Opens, st.Closes = m.Opens, m.Closes
			if st.Gather != nil {
				st.Gather.Closes = m.Closes
			}
			if b := s.OpenBallot(); b != nil && st.Status == Open && s.Stages[b.Stage].Name == m.Stage {
				b.Closes = m.Closes
			}
		}
	}
}

func (s *State) candidate(kind string, b *CandidateBody) {
	c := s.Candidate(b.Candidate.ID)
	if c == nil {
		s.Candidates = append(s.Candidates, Candidate{Person: b.Candidate, Status: Proposed, At: b.At})
		c = &s.Candidates[len(s.Candidates)-1]
	}
	c.Automatic = c.Automatic || b.Automatic
	if b.Statement != "" {
		c.Statement = b.Statement
	}
	switch kind {
	case KindAccepted:
		c.Status = Accepted
	case KindDeclined:
		c.Status = Declined
	case KindWithdrew:
		c.Status = Withdrawn
	}
	if kind == KindProposed && c.Status == Fell {
		c.Status = Proposed
	}
}

func (s *State) stage(kind string, b *StageBody) {
	i := 0
	for i < len(s.Stages) && s.Stages[i].Name != b.Stage {
		i++
	}
	if i == len(s.Stages) {
		return
	}
	st := &s.Stages[i]
	switch kind {
	case KindComing:
		*st = Stage{Name: st.Name, Pass: st.Pass + 1, Status: Coming, Opens: b.Opens, Closes: b.Closes, Seats: b.Seats, How: b.How}
		if b.Skipped {
			st.Status, st.Closed = Skipped, b.At
		}
		s.Current = i
	case KindOpened:
		st.Status, st.Opened, st.Opens, st.Closes, st.Seats, st.Prep = Open, b.At, b.Opens, b.Closes, b.Seats, nil
		st.Gather = &Gather{Opened: b.At, Closes: b.Closes, Bases: b.Bases}
	case KindClosed:
		st.Status, st.Closed, st.Outcome = Closed, b.At, b.Outcome
		if st.Opened == 0 {
			st.Opened = b.At
		}
		if st.Gather != nil {
			st.Gather.Result = b.Gate
		}
		if b.Gate != nil {
			s.through(b)
		}
		s.sits(b)
		for _, p := range b.Named {
			st.Took = append(st.Took, readVoter(p.Voter).person)
		}
	}
}

// drawn keeps the order of a draw.
func (s *State) drawn(b *DrawBody) {
	if st := s.StageNamed(b.Stage); st != nil {
		st.Draw = &Draw{Seats: b.Seats, Order: b.Order, Drawn: b.Drawn, Full: b.Full}
	}
}

// sits seats those who were drawn.
func (s *State) sits(b *StageBody) {
	if b.Drawn == nil {
		return
	}
	s.Elected = b.Drawn
	if b.Into == "" {
		return
	}
	if s.Drawn == nil {
		s.Drawn = map[string][]register.PersonID{}
	}
	s.Drawn[b.Into] = nil
	for _, p := range b.Drawn {
		s.Drawn[b.Into] = append(s.Drawn[b.Into], p.ID)
	}
}

// through keeps the candidates who reached the gate.
func (s *State) through(b *StageBody) {
	on := map[int64]bool{}
	for _, p := range b.Through {
		on[int64(p)] = true
	}
	for i := range s.Candidates {
		c := &s.Candidates[i]
		if (c.Status == Proposed || c.Status == Accepted) && !on[int64(c.ID)] {
			c.Status = Fell
		}
	}
}

func (s *State) commit(b *CommitBody) {
	x := s.Ballot(b.Ballot)
	if x == nil {
		return
	}
	for i := range x.Commits {
		if x.Commits[i].Office == b.Commit.Office {
			x.Commits[i] = b.Commit
			return
		}
	}
	x.Commits = append(x.Commits, b.Commit)
}

func (s *State) result(b *ResultBody) {
	s.Elected = b.Elected
	if st := s.Now(); st != nil {
		st.Why = b.Why
	}
	if x := s.Ballot(b.Ballot); x != nil {
		x.Counted, x.Outcome, x.Tests, x.Sheet = b.At, b.Outcome, b.Tests, b.Sheet
		if b.Figures != nil {
			x.Figures = b.Figures
		}
		x.Sections = b.Sections
		if x.Closed == 0 {
			x.Closed = b.At
		}
	}
	for _, p := range b.Leaves {
		if c := s.Candidate(p.ID); c != nil {
			c.Status = Excluded
		}
	}
	if b.Outcome == Elected && s.Current+1 < len(s.Stages) {
		s.onlyElected(b.Elected) // they are the next stage's candidates
	}
	if st := s.Now(); st != nil && b.Next != 0 {
		st.Status, st.Opens, st.Closes = Coming, b.Next, 0
	}
}

func (s *State) onlyElected(elected []Person) {
	in := map[int64]bool{}
	for _, p := range elected {
		in[int64(p.ID)] = true
	}
	for i := range s.Candidates {
		c := &s.Candidates[i]
		if (c.Status == Proposed || c.Status == Accepted) && !in[int64(c.ID)] {
			c.Status = Excluded
		}
	}
}
