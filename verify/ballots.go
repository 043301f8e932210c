package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
)

// ballotEntry checks an entry about a ballot. What else a proceeding enters
// (effects, the register) is looked at elsewhere.
func (v *verifier) ballotEntry(e *entry, r *run, x any) {
	switch b := x.(type) {
	case *proceeding.RollBody:
		v.frozen(e, r, b)
	case *rollBody:
		v.rollLines(e, r, b)
	case *proceeding.BallotBody:
		v.ballotOpened(e, r, &b.Ballot)
	case *proceeding.CommitBody:
		v.secret(e, r, b)
	case *proceeding.RecordedBody:
		v.recorded(e, r, b)
	case *proceeding.CloserBody:
		v.closer(e, r, b)
	case *proceeding.ShutBody:
		v.shut(e, r, b)
	case *papersBody:
		v.papers(e, r, b)
	case *markedBody:
		v.marked(e, r, b)
	case *proceeding.TotalsBody:
		v.totals(e, r, b)
	case *proceeding.ResultBody:
		v.result(e, r, b)
	case *proceeding.DrawBody:
		v.drew(e, r, b)
	default:
		v.sealEntry(e, r, x)
	}
}

// frozen checks a roll as it is published: the sections and the freeze of the
// rulebook, and totals that add up.
func (v *verifier) frozen(e *entry, r *run, b *proceeding.RollBody) {
	c := v.Check(CheckRolls)
	now := r.st.Now()
	kind := rulebook.StageKind("")
	if now != nil {
		kind = r.proc.Stages[r.st.Current].Kind
	}
	ok := (kind == rulebook.Ballot || kind == rulebook.Draw) && now.Status == proceeding.Coming
	if !v.Check(CheckSteps).must(ok && b.Ballot == r.st.BallotID(), e.seq, "a roll is taken and no ballot is about to open") {
		return
	}
	v.Check(CheckTimes).must(b.Roll.At <= e.at.UnixMilli() && (b.Roll.At >= now.Opens || now.Opens != 0 && v.sealedStage(e, r)), e.seq, "the roll is taken at another time than the ballot opens")
	c.must(b.Roll.Known < e.seq && b.Roll.Known >= r.last, e.seq, "the roll is taken on a state of the register that was not the last")
	r.frozen, r.frozenAt = b, e.seq
	s := v.scope(e, r, b.Roll.At)
	s.seen, s.known = b.Roll.At/1000, b.Roll.Known
	plan, freeze, err := s.plan(&r.proc.Stages[r.st.Current])
	if !c.must(err == nil, e.seq, "the rulebook's electorate cannot be made out: %v", err) {
		return
	}
	c.must(b.Roll.Freeze == freezeText(freeze), e.seq, "the roll is frozen as of %q; by the rulebook it is as of %q", b.Roll.Freeze, freezeText(freeze))
	if c.must(len(plan.Sections) == len(b.Roll.Sections), e.seq, "the roll has %d sections, the electorate %d", len(b.Roll.Sections), len(plan.Sections)) {
		for i := range plan.Sections {
			v.rollSection(e, &plan.Sections[i], &b.Roll.Sections[i])
		}
	}
}

// plan is the electorate of a ballot, made ready to be asked.
func (s *scope) plan(rule *rulebook.Stage) (*roll.Plan, *rulebook.Moment, error) {
	who := rule.Voters
	if rule.Kind == rulebook.Draw {
		who = rule.Pool
	}
	if who == nil {
		return nil, nil, fmt.Errorf("the stage %s has no voters", rule.Name)
	}
	freeze, err := s.freeze()
	if err != nil {
		return nil, nil, err
	}
	voters, err := s.chosen(*who)
	if err != nil {
		return nil, nil, err
	}
	plan, err := roll.NewPlan(s.r.book, voters, s, s.view(), freeze)
	return plan, freeze, err
}

// chosen resolves a who that is left to a discretion.
func (s *scope) chosen(who rulebook.Who) (rulebook.Who, error) {
	if who.Kind != rulebook.WhoSlot {
		return who, nil
	}
	if word, ok := s.Var(who.Name); ok {
		for _, w := range who.Any {
			if w.Name == word.Words {
				return w, nil
			}
		}
	}
	return who, fmt.Errorf("nobody has decided who votes (%s)", who.Name)
}

func freezeText(m *rulebook.Moment) string {
	switch {
	case m == nil:
		return ""
	case m.IsDay:
		return m.Day().String()
	}
	return m.T.UTC().Format(time.RFC3339)
}

func (v *verifier) rollSection(e *entry, want *roll.Section, pub *proceeding.RollSection) {
	c := v.Check(CheckRolls)
	same := pub.Name == want.Name && pub.Weight == want.Weight.RatString() && pub.Declare == want.Declare && pub.Listed == want.Listed
	c.must(same, e.seq, "the section %q is not that of the rulebook", pub.Name)
	votes := rat(pub.Votes)
	if !c.must(votes != nil && pub.Entitled >= 0, e.seq, "the votes of the section %q are no number", pub.Name) {
		return
	}
	if want.Listed {
		sum := new(big.Rat)
		for _, x := range pub.Voters {
			v.Check(CheckPrivacy).must(x.Bar == "", e.seq, "it says in public that somebody is under a sanction")
			if value := rat(x.Value); c.must(value != nil, e.seq, "the vote of %s is worth no number", x.Name) {
				sum.Add(sum, value)
			}
		}
		// People are counted and not named: who is missing would be known.
		named := len(pub.Voters) > 0
		for _, x := range pub.Voters {
			v.Check(CheckPrivacy).must(x.Person == 0, e.seq, "it lists the people of the section %q", pub.Name)
		}
		c.must(!named || pub.Entitled == int64(len(pub.Voters)) && sum.Cmp(votes) == 0, e.seq, "the section %q lists %d voters with %s votes, and says %d with %s", pub.Name, len(pub.Voters), sum.RatString(), pub.Entitled, pub.Votes)
		return
	}
	c.must(len(pub.Voters) == 0 && votes.Cmp(new(big.Rat).SetInt64(pub.Entitled)) >= 0, e.seq, "the section %q has fewer votes than voters", pub.Name)
	for _, x := range pub.Stopped {
		known := x.ID == roll.TooFew && x.Clause == "" || slices.ContainsFunc(want.Reasons, func(y roll.Reason) bool { return y.ID == x.ID && y.Clause == x.Clause && y.Says == x.Says })
		c.must(known && x.People > 0 && x.ID != roll.Entitled, e.seq, "the section %q stops %d people by %q, which is no condition of the rulebook", pub.Name, x.People, x.ID)
	}
}

// ballotOpened checks that a ballot is held as the rulebook says, on the roll
// that was frozen, with everybody who stands on the paper.
func (v *verifier) ballotOpened(e *entry, r *run, b *proceeding.Ballot) {
	c := v.Check(CheckBallots)
	now := r.st.Now()
	if !v.Check(CheckSteps).must(r.frozen != nil && now != nil && now.Status == proceeding.Open && b.Stage == r.st.Current && b.ID == r.frozen.Ballot && b.ID == r.st.BallotID(), e.seq, "a ballot opens that is not due") {
		r.frozen = nil
		return
	}
	own, err1 := minutes.Canonical(b.Roll)
	frozen, err2 := minutes.Canonical(r.frozen.Roll)
	v.Check(CheckRolls).must(err1 == nil && err2 == nil && bytes.Equal(own, frozen), e.seq, "the ballot has another roll than the one that was frozen")
	if v.full {
		v.Check(CheckRollAgain).must(r.rolls[b.ID] != nil, e.seq, "the roll itself is missing")
	}
	r.frozen = nil
	rule := &r.proc.Stages[r.st.Current]
	s := v.scope(e, r, b.Opened)
	how, err := rule.How.Words(s)
	c.must(err == nil && how == b.How, e.seq, "the vote is held by %q; the rulebook says %q", b.How, how)
	least, ok := s.minimum(rule, how)
	v.Check(CheckPrivacy).must(ok && b.Minimum == least, e.seq, "the ballot is opened from %d papers on; the rulebook says %d", b.Minimum, least)
	for i := range b.Roll.Sections {
		sec := &b.Roll.Sections[i]
		v.Check(CheckPrivacy).must(!peopleVote(sec) || !few(sec.Entitled, least), e.seq, "a secret ballot of %d people is held in the section %q", sec.Entitled, sec.Name)
	}
	v.Check(CheckTimes).must(b.Closes == now.Closes && v.prompt(e, b.Opened), e.seq, "the ballot closes at another time than its stage")
	c.must(b.Closed == 0 && b.Counted == 0 && b.Sheet == "" && len(b.Commits)+len(b.Closers)+len(b.Returned)+len(b.Recorded)+len(b.Tests)+len(b.Figures)+len(b.Sections) == 0, e.seq, "the ballot opens with a result")
	v.sealedOpens(e, r, b)
	c.must(b.Revote == (rule.Revote || how == "sealed"), e.seq, "whether votes can be changed is not as the rulebook says")
	if rule.Method == nil {
		choices := rule.Options
		if len(choices) == 0 {
			choices = []string{"for", "against", "abstain"}
		}
		c.must(b.Method == "" && slices.Equal(choices, b.Choices), e.seq, "the choices on the paper are not those of the rulebook")
		return
	}
	method, err := rule.Method.Words(s)
	seats := s.seats(rule)
	c.must(err == nil && method == b.Method && (b.Seats == seats || seats == notPublic && b.Seats > 0), e.seq, "%d are elected by %s; the rulebook says %d by %s", b.Seats, b.Method, seats, method)
	var scale []int64
	if method == "points" {
		scale = rule.ScaleFor(len(b.Options))
	}
	c.must(slices.Equal(scale, b.Scale), e.seq, "the ranks are worth %v; by the rulebook they are worth %v", b.Scale, scale)
	v.quotas(e, s, rule, b)
	c.must(samePeople(r.st.Standing(), b.Options), e.seq, "the paper does not show everybody who stands, and nobody else")
}

// samePeople tells whether the options are those who stand, whatever the
// order.
func samePeople(standing []proceeding.Candidate, options []proceeding.Person) bool {
	if len(standing) != len(options) {
		return false
	}
	for _, c := range standing {
		if !slices.Contains(options, c.Person) {
			return false
		}
	}
	return true
}

// open gives the ballot that an entry is about, if it is the one that is open.
func (v *verifier) open(e *entry, r *run, id string, closed bool) *proceeding.Ballot {
	b := r.st.OpenBallot()
	if !v.Check(CheckSteps).must(b != nil && b.ID == id && (b.Closed != 0) == closed, e.seq, "it is about the ballot %q, which is not at that point", id) {
		return nil
	}
	return b
}

// secret checks a commitment to a secret for the lot, or its opening.
func (v *verifier) secret(e *entry, r *run, b *proceeding.CommitBody) {
	c := v.Check(CheckLots)
	opening := e.head.Kind == proceeding.KindSecret
	x := v.open(e, r, b.Ballot, opening)
	if x == nil {
		return
	}
	i := slices.IndexFunc(x.Commits, func(y proceeding.Commit) bool { return y.Office == b.Commit.Office })
	if !opening {
		h, err := hex.DecodeString(b.Commit.Hash)
		c.must(err == nil && len(h) == 32 && b.Commit.Secret == "" && !b.Commit.Absent, e.seq, "it is not a commitment")
		c.must(i < 0, e.seq, "the %s commits a second time", spaced(b.Commit.Office))
		c.must(slices.Contains(r.officers(), b.Commit.Office), e.seq, "the %s has no part in the lot", spaced(b.Commit.Office))
		v.Check(CheckTimes).must(x.Closes == 0 || e.at.UnixMilli() < x.Closes+latency, e.seq, "a secret for the lot is committed after the voting")
		return
	}
	if !c.must(i >= 0 && x.Commits[i].Hash == b.Commit.Hash && x.Commits[i].Secret == "" && !x.Commits[i].Absent, e.seq, "it opens something else than was committed") {
		return
	}
	if b.Commit.Absent {
		c.must(b.Commit.Secret == "", e.seq, "a secret is withheld and there")
		c.note("%s: the %s withheld the secret", b.Ballot, spaced(b.Commit.Office))
		return
	}
	sum := sha256.Sum256([]byte("omov/lot/secret/1\x00" + b.Ballot + "\x00" + b.Commit.Secret))
	c.must(hex.EncodeToString(sum[:]) == b.Commit.Hash, e.seq, "the secret of the %s is not the one that was committed", spaced(b.Commit.Office))
}

// lotSeed is the seed of a ballot's lots.
func lotSeed(b *proceeding.Ballot) []byte {
	h := sha256.New()
	fmt.Fprintf(h, "omov/lot/seed/1\x00%s\x00%s", b.ID, b.Root)
	for _, c := range b.Commits {
		if c.Secret != "" {
			fmt.Fprintf(h, "\x00%s\x00%s", c.Office, c.Secret)
		}
	}
	return h.Sum(nil)
}

// recorded checks a vote by name: officers read it before the close.
func (v *verifier) recorded(e *entry, r *run, b *proceeding.RecordedBody) {
	x := v.open(e, r, b.Ballot, false)
	if x == nil {
		return
	}
	v.Check(CheckBallots).must(x.How == "recorded", e.seq, "a vote is recorded by name in a ballot that is not by name")
	v.Check(CheckTimes).must(x.Closes == 0 || e.at.UnixMilli() < x.Closes+latency, e.seq, "a vote is recorded after the close")
	twice := slices.ContainsFunc(x.Recorded, func(y proceeding.RecordedPaper) bool { return y.Voter == b.Paper.Voter && y.Section == b.Paper.Section })
	v.Check(CheckMarked).must(!twice, e.seq, "%s votes a second time", b.Paper.Name)
}

func (v *verifier) closer(e *entry, r *run, b *proceeding.CloserBody) {
	x := v.open(e, r, b.Ballot, false)
	if x == nil {
		return
	}
	v.Check(CheckTimes).must(v.prompt(e, b.At) && (x.Closes == 0 || b.At >= x.Closes), e.seq, "the ballot is closed before its time")
	known := b.Office == e.head.Office && (b.Office == "system" || slices.Contains(r.officers(), b.Office))
	v.Check(CheckSteps).must(known && !slices.Contains(x.Closers, b.Office), e.seq, "the %q cannot close the ballot, or has already", b.Office)
}

// closersNeeded is how many officers have to close a ballot together.
func (r *run) closersNeeded() int {
	for _, p := range r.book.Powers {
		if slices.Contains(p.May, "close") && p.Together {
			return len(p.Who)
		}
	}
	return 1
}

// closing is what a ballot was closed with.
type closing struct {
	papers   *papersBody
	sum      [32]byte // of the papers' entry body
	markedAt int64
	root     []byte              // of the marked roll, made again
	worth    map[string]*big.Rat // of the marked voters' votes, by section
}

// shut checks the close: enough officers, and no more papers than voters and
// no more voters than entitled.
func (v *verifier) shut(e *entry, r *run, b *proceeding.ShutBody) {
	x := v.open(e, r, b.Ballot, false)
	if x == nil {
		return
	}
	v.instant(e, b.At)
	enough := len(x.Closers) >= r.closersNeeded() || slices.Contains(x.Closers, "system")
	v.Check(CheckSteps).must(enough, e.seq, "the ballot is closed by %d officers; the rulebook asks for %d", len(x.Closers), r.closersNeeded())
	root, err := hex.DecodeString(b.Root)
	v.Check(CheckTurnout).must(err == nil && len(root) == 32, e.seq, "the closing root is none")
	r.closings[b.Ballot] = &closing{}
	c := v.Check(CheckTurnout)
	if !c.must(len(b.Returned) == len(x.Roll.Sections), e.seq, "papers are returned in %d sections; the roll has %d", len(b.Returned), len(x.Roll.Sections)) {
		return
	}
	for i, y := range b.Returned {
		sec := &x.Roll.Sections[i]
		c.must(y.Section == sec.Name && y.Papers >= 0 && y.Papers == y.Voters, e.seq, "the section %q has %d papers of %d voters", y.Section, y.Papers, y.Voters)
		c.must(y.Voters <= sec.Entitled, e.seq, "in the section %q %d voted; %d were entitled", y.Section, y.Voters, sec.Entitled)
	}
	if x.Sealed() {
		v.sealedShut(e, r, b)
	} else {
		v.Check(CheckPrivacy).must(b.Unopened == fewPapers(x, b.Returned), e.seq, "fewer papers than the minimum of %d were opened, or enough were not", x.Minimum)
		c.must(len(b.Refused) == 0, e.seq, "papers are said to have been refused in a ballot that is not sealed")
	}
	if x.How == "recorded" {
		v.byName(e, x, b)
	} else {
		v.Check(CheckPrivacy).must(len(b.Recorded) == 0, e.seq, "it publishes votes by name of a secret ballot")
	}
}

// byName compares the votes by name that are published with the totals.
func (v *verifier) byName(e *entry, x *proceeding.Ballot, b *proceeding.ShutBody) {
	c := v.Check(CheckTurnout)
	for _, y := range b.Returned {
		var n int64
		seen := map[string]bool{}
		for _, p := range b.Recorded {
			if p.Section == y.Section {
				n++
				c.must(!seen[p.Voter], e.seq, "%s voted twice", p.Name)
				seen[p.Voter] = true
			}
		}
		c.must(n == y.Papers, e.seq, "%d votes by name are published; %d were returned", n, y.Papers)
	}
	if v.full {
		own, err1 := minutes.Canonical(x.Recorded)
		pub, err2 := minutes.Canonical(b.Recorded)
		c.must(err1 == nil && err2 == nil && bytes.Equal(own, pub), e.seq, "the votes by name are not those that were recorded")
	}
}

func (v *verifier) totals(e *entry, r *run, b *proceeding.TotalsBody) {
	x := v.open(e, r, b.Ballot, false)
	if x == nil {
		return
	}
	v.Check(CheckBallots).must(!slices.Contains([]string{"box", "sealed"}, x.How) || e.head.Office == "", e.seq, "totals are entered for a ballot that papers decide")
	for k, n := range b.Figures {
		v.Check(CheckTurnout).must(n >= 0, e.seq, "%s cannot be %d", k, n)
	}
}

// filled checks that an office is filled by those elected.
func (v *verifier) filled(e *entry, r *run, b *register.FilledBody) {
	c := v.Check(CheckOffices)
	c.must(r.book.Office(b.Term.Office) != nil, e.seq, "the rulebook has no office %q", b.Term.Office)
	named := false
	for i := range r.proc.Stages {
		for _, t := range r.proc.Stages[i].Then {
			named = named || slices.ContainsFunc(t.Effects, func(f rulebook.Effect) bool { return f.Do == rulebook.DoFill && f.Whom != nil })
		}
	}
	if named {
		c.note("%s: the rule itself names who fills the %s", e.head.Proceeding, spaced(b.Term.Office))
		return
	}
	in := func(p proceeding.Person) bool { return p.ID == b.Term.Person && p.Name == b.Name }
	if r.reopened {
		ours := slices.Contains(r.left, b.Term.Person) || slices.Contains(r.filled, b.Term.Person)
		c.must(ours, e.seq, "%s comes back into the office of %s, and had no part in what was set aside", b.Name, spaced(b.Term.Office))
		return
	}
	ok := slices.ContainsFunc(r.st.Elected, in)
	if len(r.st.Elected) == 0 {
		ok = slices.ContainsFunc(r.st.Standing(), func(c proceeding.Candidate) bool { return in(c.Person) })
	}
	c.must(ok, e.seq, "%s fills the office of %s and was not elected", b.Name, spaced(b.Term.Office))
}
