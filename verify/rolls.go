package verify

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"slices"

	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
)

// takenRoll is a roll as officers and scrutineers read it.
type takenRoll struct {
	facts  rollFacts
	chunks map[int64]*roll.Chunk
}

// rollLines takes a roll again from the register and the rulebook, and
// compares every line, the totals and the root.
func (v *verifier) rollLines(e *entry, r *run, b *rollBody) {
	c := v.Check(CheckRollAgain)
	if !c.must(r.frozen != nil && b.Ballot == r.frozen.Ballot && len(b.Facts.Seed) == 32, e.seq, "it is no roll of the ballot that is about to open") {
		return
	}
	pub := r.frozen.Roll
	c.must(hex.EncodeToString(b.Root) == pub.Root && b.Facts.At == pub.At && b.Facts.Known == pub.Known && b.Facts.Freeze == pub.Freeze, e.seq, "it is another roll than the one that was published")
	t := &takenRoll{facts: b.Facts, chunks: map[int64]*roll.Chunk{}}
	for _, p := range b.Lines {
		ch, err := roll.ReadChunk(p.N, p.Lines)
		if !c.must(err == nil && t.chunks[p.N] == nil, e.seq, "part %d of the roll cannot be read, or is there twice", p.N) {
			return
		}
		t.chunks[p.N] = ch
	}
	r.rolls[b.Ballot] = t
	s := v.scope(e, r, pub.At)
	s.seen, s.known = pub.At/1000, pub.Known
	plan, _, err := s.plan(&r.proc.Stages[r.st.Current])
	if err != nil || len(plan.Sections) != len(b.Facts.Sections) || len(plan.Sections) != len(pub.Sections) || !slices.Equal(plan.People, b.Facts.People) {
		c.fail(e.seq, "the roll has other sections than the electorate: %v", err)
		return
	}
	v.retake(e, s, plan, t, b, pub)
}

// retake assesses everybody.
func (v *verifier) retake(e *entry, s *scope, plan *roll.Plan, t *takenRoll, b *rollBody, pub proceeding.Roll) {
	c := v.Check(CheckRollAgain)
	var leaves [][32]byte
	for i := range plan.Sections {
		leaves = v.listed(e, s, &plan.Sections[i], &b.Facts.Sections[i], &pub.Sections[i], b.Facts.Seed, leaves)
	}
	tally := roll.NewTally(plan)
	var people, lines int64
	if len(plan.People) > 0 {
		err := s.o.assess(s.view(), plan, func(p register.PersonID, want []roll.Line) {
			if int64(p) < 1 {
				return
			}
			packed := make([]byte, 0, 2*len(want))
			for k, l := range want {
				packed = append(packed, l.Reason, l.Votes)
				var got roll.Line
				var ok bool
				if ch := t.chunks[roll.ChunkOf(p)]; ch != nil {
					got, ok = ch.Line(p, k)
				}
				lines++
				if !ok || got != l {
					c.fail(e.seq, "person %d, section %q: the roll says %s; register and rulebook say %s", p, plan.Sections[plan.People[k]].Name, reason(plan, k, got, ok), reason(plan, k, l, true))
				}
			}
			people++
			tally.Add(want)
			leaf, _ := roll.Leaf(b.Facts.Seed, int64(p), packed)
			leaves = append(leaves, leaf)
		})
		c.must(err == nil, e.seq, "the roll cannot be taken again: %v", err)
	}
	c.Done += lines
	var there int64
	for _, ch := range t.chunks {
		ch.Each(func(register.PersonID, []byte) { there++ })
	}
	c.must(there == people, e.seq, "the roll has lines of %d people; the register knew %d", there, people)
	root := roll.Root(leaves)
	c.must(bytes.Equal(root[:], b.Root) && b.Size == int64(len(leaves)), e.seq, "the roll taken again has another root")
	v.rollTotals(e, plan, tally, pub)
	c.note("%s: %d people, %d lines", b.Ballot, people, lines)
}

func reason(p *roll.Plan, k int, l roll.Line, ok bool) string {
	reasons := p.Sections[p.People[k]].Reasons
	if !ok || int(l.Reason) >= len(reasons) {
		return "nothing"
	}
	return reasons[l.Reason].ID
}

func (v *verifier) rollTotals(e *entry, plan *roll.Plan, tally *roll.Tally, pub proceeding.Roll) {
	c := v.Check(CheckRollAgain)
	for k, i := range plan.People {
		sec := &pub.Sections[i]
		c.must(sec.Entitled == tally.Entitled[k] && sec.Votes == big.NewInt(tally.Votes[k]).String(), e.seq, "the section %q has %d entitled; it was published with %d", sec.Name, tally.Entitled[k], sec.Entitled)
		want := roll.Published(plan.Sections[i].Reasons, tally.Stopped[k])
		if !c.must(len(want) == len(sec.Stopped), e.seq, "the section %q is stopped by %d reasons; it was published with %d", sec.Name, len(want), len(sec.Stopped)) {
			continue
		}
		for n, x := range sec.Stopped {
			c.must(x.ID == want[n].ID && x.People == want[n].People, e.seq, "the section %q stops %d by %q; it was published with %d by %q", sec.Name, want[n].People, want[n].ID, x.People, x.ID)
		}
	}
}

// listed writes out the voters of a listed section again.
func (v *verifier) listed(e *entry, s *scope, sec *roll.Section, facts *rollSection, pub *proceeding.RollSection, seed []byte, leaves [][32]byte) [][32]byte {
	c := v.Check(CheckRollAgain)
	same := facts.Name == sec.Name && facts.Weight == sec.Weight.RatString() && facts.Declare == sec.Declare && facts.Listed == sec.Listed && slices.Equal(facts.Reasons, sec.Reasons)
	c.must(same, e.seq, "the section %q has other conditions than the rulebook", facts.Name)
	for _, x := range facts.Voters {
		leaf, _ := roll.Leaf(seed, voterNumber(x), []byte(sec.Name+"|"+x.Value))
		leaves = append(leaves, leaf)
	}
	if !sec.Listed {
		c.must(len(facts.Voters) == 0, e.seq, "the section %q lists voters and is not one that does", facts.Name)
		return leaves
	}
	want, err := s.listVoters(sec)
	c.must(err == nil && sameVoters(want, facts.Voters), e.seq, "the section %q lists other voters than register and rulebook give", facts.Name)
	entitled := int64(0)
	for _, x := range facts.Voters {
		if x.Bar == "" {
			entitled++
		}
	}
	c.must(pub.Entitled == entitled, e.seq, "the section %q has %d entitled; it was published with %d", facts.Name, entitled, pub.Entitled)
	open := slices.DeleteFunc(slices.Clone(facts.Voters), func(x proceeding.ListedVoter) bool { return x.Bar != "" || x.Person != 0 })
	a, err1 := minutes.Canonical(open)
	b, err2 := minutes.Canonical(slices.Clone(pub.Voters))
	c.must(err1 == nil && err2 == nil && (bytes.Equal(a, b) || len(open)+len(pub.Voters) == 0), e.seq, "the section %q was published with other voters", facts.Name)
	return leaves
}

func voterNumber(x proceeding.ListedVoter) int64 {
	if x.Unit != 0 {
		return -int64(x.Unit)
	}
	return int64(x.Person)
}

// sameVoters compares all but names: those are not in the register's entries.
func sameVoters(a, b []proceeding.ListedVoter) bool {
	return slices.EqualFunc(a, b, func(x, y proceeding.ListedVoter) bool {
		return x.Unit == y.Unit && x.Person == y.Person && x.Value == y.Value && x.Acts == y.Acts && x.Bar == y.Bar
	})
}

func (s *scope) listVoters(sec *roll.Section) ([]proceeding.ListedVoter, error) {
	var out []proceeding.ListedVoter
	for _, who := range alternatives(&sec.Of) {
		if who.Kind == rulebook.WhoUnit {
			kind := s.r.book.UnitKind(who.Name)
			for _, id := range s.view().Tree.Kind(who.Name, s.r.st.Unit) {
				worth, err := sec.Value(s, nil, s.view().Unit(id))
				if err != nil {
					return nil, err
				}
				out = append(out, proceeding.ListedVoter{Unit: id, Value: worth.RatString(), Acts: speaksFor(s.r.book, kind)})
			}
			continue
		}
		list, err := s.members(who)
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			c := *s
			if who.Kind == rulebook.WhoOffice {
				for _, t := range s.holders(who.Name) {
					if t.Person == p && t.Unit != 0 {
						c.unit = s.view().Unit(t.Unit)
						break
					}
				}
			}
			worth, err := sec.Value(&c, s.view().Person(p), c.unit)
			if err != nil {
				return nil, err
			}
			out = append(out, proceeding.ListedVoter{Person: p, Value: worth.RatString(), Bar: s.barred(p)})
		}
	}
	return out, nil
}

// barred is the sanction that takes the vote of a person away.
func (s *scope) barred(p register.PersonID) string {
	rec := s.view().Person(p).Rec
	for i := range s.r.book.Sanctions {
		x := &s.r.book.Sanctions[i]
		term, ok := s.view().Terms[x.Name]
		if ok && slices.Contains(x.Removes, "vote") && rec.Has(register.Sanction, term, s.seen, s.known) {
			return x.Name
		}
	}
	return ""
}

// marked checks who voted: each once, each entitled by the roll, with the
// root that the closing root binds.
func (v *verifier) marked(e *entry, r *run, b *markedBody) {
	c := v.Check(CheckMarked)
	x, cl, t := r.st.Ballot(b.Ballot), r.closings[b.Ballot], r.rolls[b.Ballot]
	if !c.must(x != nil && cl != nil && t != nil && !x.Sealed() && cl.markedAt == 0 && x.Counted == 0 && len(b.Sections) == len(x.Roll.Sections), e.seq, "it is no marked roll of a ballot that has just been closed") {
		return
	}
	cl.markedAt, cl.worth = e.seq, map[string]*big.Rat{}
	var leaves [][32]byte
	for i, sec := range b.Sections {
		voters, ok := voters(sec)
		if !c.must(ok && sec.Section == x.Roll.Sections[i].Name && int64(len(voters)) == sec.N, e.seq, "the voters of the section %q cannot be read", sec.Section) {
			return
		}
		c.must(i < len(x.Returned) && x.Returned[i].Voters == sec.N, e.seq, "in the section %q %d are marked; another number was published", sec.Section, sec.N)
		worth := new(big.Rat)
		for k, n := range voters {
			value, entitled := t.entitled(i, n)
			c.must(entitled, e.seq, "voter %d of the section %q is marked and not entitled", n, sec.Section)
			c.must(k == 0 || n > voters[k-1], e.seq, "voter %d of the section %q is marked twice", n, sec.Section)
			if value != nil {
				worth.Add(worth, value)
			}
			leaf, _ := roll.Leaf(t.facts.Seed, n, []byte("marked|"+sec.Section))
			leaves = append(leaves, leaf)
		}
		cl.worth[sec.Section] = worth
	}
	root := roll.Root(leaves)
	cl.root = root[:]
	c.must(hex.EncodeToString(root[:]) == b.Root, e.seq, "the marked roll has another root than it says")
	c.note("%s: %d voters", b.Ballot, len(leaves))
	v.bound(e, x, cl)
}

// each calls do for every person's vote: its section and how many votes it is.
func (t *takenRoll) each(do func(section string, votes int)) {
	for _, ch := range t.chunks {
		ch.Each(func(p register.PersonID, _ []byte) {
			for k, i := range t.facts.People {
				if l, ok := ch.Line(p, k); ok && l.Reason == 0 {
					do(t.facts.Sections[i].Name, int(l.Votes))
				}
			}
		})
	}
}

// voters reads the numbers of those who voted: units, which are negative,
// then people as differences.
func voters(s sectionMarked) ([]int64, bool) {
	out := slices.Clone(s.Units)
	for _, u := range out {
		if u >= 0 {
			return nil, false
		}
	}
	last := int64(0)
	for b := s.People; len(b) > 0; {
		d, n := binary.Uvarint(b)
		if n <= 0 || d > 1<<40 {
			return nil, false
		}
		last += int64(d)
		out, b = append(out, last), b[n:]
	}
	return out, true
}

// entitled tells whether a voter has a vote in a section, and what it is
// worth.
func (t *takenRoll) entitled(section int, voter int64) (*big.Rat, bool) {
	sec := &t.facts.Sections[section]
	if sec.Listed {
		for _, x := range sec.Voters {
			if voterNumber(x) == voter {
				return rat(x.Value), x.Bar == ""
			}
		}
		return nil, false
	}
	p := register.PersonID(voter)
	ch := t.chunks[roll.ChunkOf(p)]
	if voter <= 0 || ch == nil {
		return nil, false
	}
	l, ok := ch.Line(p, slices.Index(t.facts.People, section))
	// Where the rulebook counts units, one paper bears a vote for each.
	return big.NewRat(max(1, int64(l.Votes)), 1), ok && l.Reason == 0
}
