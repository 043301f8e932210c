package verify

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/verify/seal"
)

// A sealed ballot is followed entry by entry (docs/sealed-board.md): what the
// cryptography says is decided by package seal, what it has to be about is
// decided here. The checks are the thirteen of docs/verifying.md. Where one
// fails that leaves nothing to go on with, those behind it are not made for
// this ballot.

// sealing is one sealed ballot while its entries pass.
type sealing struct {
	id       string
	prepared *proceeding.PreparedBody
	e        *seal.Election // nil: its manifest cannot be read
	ceremony *seal.Ceremony
	keyed    *proceeding.KeyedBody
	listed   bool
	broken   string // the check after which nothing more can be made
	opened   bool   // it takes papers, or took them

	board  *seal.Board
	late   int64
	closed int64 // entry that closed it
	groups []*mixGroup

	closing   [32]byte
	fixed     bool
	witnesses []string
	excused   []string
	part      int64 // the last entry that is a part of a deed
	parts     int
	bytes     []byte
	spoilt    map[string]int64 // by section of the roll
	done      bool             // its papers are in the book
}

// mixGroup is what is mixed or added up together.
type mixGroup struct {
	seal.Group
	mixed  []string
	pairs  []byte // what came out last; sums, of papers that are added up
	shares []*seal.Shares
}

// maxDeed bounds the bytes that one deed can speak of.
const maxDeed = 1 << 30

// maxPart is the most bytes that one part has.
const maxPart = 256 << 10

// serverName is what a manifest calls the server in the part of a trustee or of
// the registrar.
const serverName = "the server"

// sealEntry checks an entry of a sealed ballot.
func (v *verifier) sealEntry(e *entry, r *run, x any) {
	switch b := x.(type) {
	case *proceeding.PreparedBody:
		v.prepared(e, r, b)
	case *proceeding.MessageBody:
		if s := v.preparing(e, r, b.Ballot); s != nil {
			v.message(e, s, s.ceremony.Post(b.Message))
		}
	case *proceeding.PhaseBody:
		v.prompt(e, b.At)
		if s := v.preparing(e, r, b.Ballot); s != nil {
			v.Check(CheckSteps).must(slices.Contains(r.officers(), e.head.Office), e.seq, "a phase of the key generation is ended by %q, who runs no ballots", e.head.Office)
			v.message(e, s, s.ceremony.End(b.Phase))
		}
	case *proceeding.KeyedBody:
		v.keyed(e, r, b)
	case *proceeding.RelistedBody:
		v.relisted(e, r, b)
	case *proceeding.ListedBody:
		v.listedKeys(e, r, b)
	case *proceeding.SealedPaperBody:
		v.sealedPaper(e, r, b)
	case *proceeding.ClosingBody:
		v.closingCheckpoint(e, r, b)
	case *proceeding.ExcusedBody:
		v.excused(e, r, b)
	case *proceeding.PartBody:
		v.partOf(e, r, b)
	case *proceeding.DeedBody:
		v.deed(e, r, b)
	}
}

// stop notes that nothing more can be checked of a ballot.
func (v *verifier) stop(s *sealing, check string) {
	if s.broken == "" && !v.Check(check).off {
		s.broken = check
		v.Check(check).note("%s: what follows from it is not checked", s.id)
	}
}

// prepared checks the manifest by itself and by who had been named; whether
// it is that of the ballot is looked at when the ballot opens.
func (v *verifier) prepared(e *entry, r *run, b *proceeding.PreparedBody) {
	v.prompt(e, b.At)
	now := r.st.Now()
	due := r.frozen != nil && r.frozen.Ballot == b.Ballot && now != nil && now.Status == proceeding.Coming && now.Opens != 0 && b.Ballot == r.st.BallotID()
	if !v.Check(CheckSteps).must(due, e.seq, "the paper of a ballot is fixed that is not to come, or has no roll") {
		return
	}
	v.Check(CheckSteps).must(e.head.Office == "" || slices.Contains(r.officers(), e.head.Office), e.seq, "the paper is fixed by the %s, who runs no ballots", spaced(e.head.Office))
	s := &sealing{id: b.Ballot, prepared: b}
	attempt := 1
	if r.seal != nil && r.seal.id == b.Ballot {
		attempt = r.seal.prepared.Attempt + 1
		other := !samePaper(&r.seal.prepared.Paper, &b.Paper)
		v.Check(CheckSteps).must(other || e.head.Office != "" && r.seal.keyed == nil, e.seq, "the paper is fixed again, and neither has it changed nor has an officer begun its key anew")
	}
	v.unfinished(r.seal)
	r.seal = s
	c := v.Check(CheckSealManifest)
	var err error
	s.e, err = seal.Open(v.group, []byte(b.Manifest))
	if !c.must(err == nil, e.seq, "the manifest cannot be read: %v", err) || s.e == nil {
		s.broken = CheckSealManifest
		return
	}
	s.ceremony = s.e.Ceremony()
	m := s.e.Manifest
	c.must(b.Attempt == attempt && m.Election == strings.ReplaceAll(b.Ballot, "/", ".")+"."+strconv.Itoa(attempt), e.seq, "the manifest is of %q, preparation %d", m.Election, b.Attempt)
	v.named(e, s)
}

// named compares a manifest's trustees with those that have been named.
func (v *verifier) named(e *entry, s *sealing) {
	c, m, t := v.Check(CheckSealManifest), s.e.Manifest, v.org.trustees
	alone := t == nil || len(t.Trustees) == 0
	if c.must(s.prepared.Server == alone, e.seq, "it says that the server is the only trustee: %v", s.prepared.Server); s.prepared.Server {
		same := len(m.Trustees) == 1 && m.Trustees[0].Name == serverName && m.Trustees[0].Operator && m.Threshold == 1 && slices.Equal(m.Mixers, []string{serverName})
		c.must(same, e.seq, "no trustees have been named, and the manifest has others than the server")
	} else if !alone {
		same := slices.EqualFunc(m.Trustees, t.Trustees, func(x seal.Trustee, y proceeding.Trustee) bool { return x == seal.Trustee(y) })
		c.must(same && m.Threshold == t.Threshold && slices.Equal(m.Mixers, t.Mixers), e.seq, "the manifest has other trustees, mixers or another threshold than were named")
	}
	own := t == nil || t.Registrar.Key == ""
	c.must(s.prepared.Registrar == own, e.seq, "it says that the server is the registrar: %v", s.prepared.Registrar)
	if own {
		c.must(m.Registrar.Name == serverName, e.seq, "no registrar has been named, and the manifest has %q", m.Registrar.Name)
	} else {
		c.must(m.Registrar.Name == t.Registrar.Name && m.Registrar.Key == t.Registrar.Key, e.seq, "the manifest has another registrar than was named")
	}
}

// preparing gives the ballot that is being prepared, if an entry is about it
// and it can still be checked.
func (v *verifier) preparing(e *entry, r *run, id string) *sealing {
	s, now := r.seal, r.st.Now()
	ok := s != nil && s.id == id && !s.opened && now != nil && now.Status == proceeding.Coming
	if !v.Check(CheckSteps).must(ok, e.seq, "it is about the ballot %q, which is not being prepared", id) || s == nil || s.broken != "" {
		return nil
	}
	return s
}

// message takes in a step of the key generation.
func (v *verifier) message(e *entry, s *sealing, err error) {
	if !v.Check(CheckSealKey).must(err == nil && s.keyed == nil, e.seq, "the key generation: %v", err) {
		v.stop(s, CheckSealKey)
	}
}

func (v *verifier) keyed(e *entry, r *run, b *proceeding.KeyedBody) {
	v.prompt(e, b.At)
	s := v.preparing(e, r, b.Ballot)
	if s == nil {
		return
	}
	c := v.Check(CheckSealKey)
	err := s.ceremony.Done()
	key := fmt.Sprintf("%x", s.e.Key)
	switch {
	case !c.must(s.keyed == nil && err == nil, e.seq, "%v", err),
		!c.must(b.Key == key, e.seq, "the key is said to be %s; the trustees' messages give %s", b.Key, key),
		!c.must(slices.Equal(b.Confirmed, s.ceremony.Confirmed()) && slices.Equal(b.Disqualified, s.ceremony.Disqualified()), e.seq, "it says that %v confirmed the key and %v are disqualified; by the messages it is %v and %v", b.Confirmed, b.Disqualified, s.ceremony.Confirmed(), s.ceremony.Disqualified()):
		v.stop(s, CheckSealKey)
	}
	s.keyed = b
	c.note("%s: key of %s, %d open, %d confirmed", s.id, plural(len(s.e.Manifest.Trustees), "trustee"), s.e.Manifest.Threshold, len(b.Confirmed))
}

// listedKeys checks the registrar's list: for each voter of the roll a key,
// with that vote's value.
func (v *verifier) listedKeys(e *entry, r *run, b *proceeding.ListedBody) {
	v.prompt(e, b.At)
	s := v.preparing(e, r, b.Ballot)
	if s == nil {
		return
	}
	c := v.Check(CheckSealList)
	err := s.e.Listing(b.List, b.Signature)
	if !c.must(err == nil && !s.listed, e.seq, "%v", err) {
		v.stop(s, CheckSealList)
		return
	}
	s.listed = true
	keys := s.e.Listed()
	pub := r.frozen.Roll.Sections
	if len(pub) != len(s.e.Manifest.Sections) {
		return // it fails when the ballot opens
	}
	var total int64
	for i, sec := range s.e.Manifest.Sections {
		var n int64
		votes := new(big.Rat)
		for _, class := range sec.Classes {
			k := keys[[2]string{sec.ID, class.ID}]
			n += k
			votes.Add(votes, new(big.Rat).Mul(rat(class.Weight), new(big.Rat).SetInt64(k)))
		}
		want := rat(pub[i].Votes)
		c.must(n == pub[i].Entitled, e.seq, "the list has %d keys in the section %q; the roll has %d entitled", n, sec.ID, pub[i].Entitled)
		c.must(want != nil && votes.Cmp(want) == 0, e.seq, "the keys of the section %q have %s votes; the roll has %s", sec.ID, votes.RatString(), pub[i].Votes)
		total += n
	}
	if values := r.values(s.id); values != nil {
		for place, n := range keys {
			c.must(values[place] == n, e.seq, "the list has %d keys in %s/%s; the roll itself has %d", n, place[0], place[1], values[place])
		}
		c.must(len(values) == len(keys), e.seq, "the list leaves out voters of the roll")
	}
	c.note("%s: %d keys", s.id, total)
}

func sectionID(name string) string {
	if name == "" {
		return "voters"
	}
	return name
}

func classID(value string) string { return "v" + strings.ReplaceAll(value, "/", "-") }

// values counts the voters of a ballot's roll by section and class; nil where
// the roll is not open.
func (r *run) values(ballot string) map[[2]string]int64 {
	t := r.rolls[ballot]
	if t == nil {
		return nil
	}
	out := map[[2]string]int64{}
	for i := range t.facts.Sections {
		for _, x := range t.facts.Sections[i].Voters {
			if x.Bar == "" {
				out[[2]string{sectionID(t.facts.Sections[i].Name), classID(x.Value)}]++
			}
		}
	}
	t.each(func(section string, votes int) {
		out[[2]string{sectionID(section), classID(strconv.Itoa(votes))}]++
	})
	return out
}

// sealedOpens checks a sealed ballot as it opens: it is the one whose paper was
// fixed, under its manifest and key.
func (v *verifier) sealedOpens(e *entry, r *run, x *proceeding.Ballot) {
	s := r.seal
	if x.How != "sealed" {
		v.Check(CheckBallots).must(x.Seal == nil, e.seq, "a ballot that is not sealed has a manifest")
		return
	}
	ready := s != nil && s.id == x.ID && !s.opened && x.Seal != nil && (s.broken != "" || s.keyed != nil && s.listed)
	if !v.Check(CheckSteps).must(ready, e.seq, "a sealed ballot opens without its key, its list or its manifest") || s == nil || x.Seal == nil {
		return
	}
	s.opened = true
	if s.broken != "" {
		return
	}
	y := x.Seal
	c := v.Check(CheckSealManifest)
	c.must(y.Manifest == s.prepared.Manifest && y.Server == s.prepared.Server && y.Registrar == s.prepared.Registrar, e.seq, "the ballot opens under another manifest than was fixed")
	c.must(y.Closing == "" && len(y.Excused) == 0 && y.Deeds == 0 && !y.Opened, e.seq, "the ballot opens with what comes after its close")
	c.must(samePaper(&s.prepared.Paper, x), e.seq, "the paper is another one than was fixed")
	v.Check(CheckSealKey).must(s.keyed == nil || y.Key == s.keyed.Key, e.seq, "the ballot opens with another key than the trustees made")
	v.manifestOf(e, r, s, x)
	s.board = s.e.Board()
}

// samePaper tells whether two ballots show the same.
func samePaper(a, b *proceeding.Ballot) bool {
	same := a.ID == b.ID && a.Stage == b.Stage && a.How == b.How && a.Method == b.Method && a.Seats == b.Seats && a.Minimum == b.Minimum
	quotas := slices.EqualFunc(a.Quotas, b.Quotas, func(x, y proceeding.Quota) bool {
		return x.On == y.On && x.AtLeast == y.AtLeast && x.AtMost == y.AtMost && x.NoMore == y.NoMore && slices.Equal(x.Options, y.Options)
	})
	return same && quotas && slices.Equal(a.Options, b.Options) && slices.Equal(a.Choices, b.Choices) && slices.Equal(a.Scale, b.Scale)
}

// manifestOf checks that the manifest is that of the ballot: contest, sections
// and least size (docs/sealed-board.md, Names).
func (v *verifier) manifestOf(e *entry, r *run, s *sealing, x *proceeding.Ballot) {
	c, m := v.Check(CheckSealManifest), s.e.Manifest
	c.must(int64(m.MinSize) == max(1, x.Minimum), e.seq, "groups are opened from %d papers on; the rulebook says %d", m.MinSize, x.Minimum)
	if c.must(len(m.Contests) == 1, e.seq, "the manifest has %d contests; a ballot has one", len(m.Contests)) {
		want, got := contestOf(x), &m.Contests[0]
		same := got.ID == want.ID && slices.Equal(got.Options, want.Options)
		c.must(same, e.seq, "the manifest's options are %v; the paper shows %v", got.Options, want.Options)
		form := got.Form == want.Form && got.Least == want.Least && got.Most == want.Most && got.Top == want.Top
		c.must(form, e.seq, "the papers are of the form %s (%d to %d); by the ballot it is %s (%d to %d)", got.Form, got.Least, got.Most, want.Form, want.Least, want.Most)
	}
	values := r.values(x.ID)
	if !c.must(len(m.Sections) == len(x.Roll.Sections), e.seq, "the manifest has %d sections; the roll has %d", len(m.Sections), len(x.Roll.Sections)) {
		return
	}
	for i, sec := range m.Sections {
		c.must(sec.Units == !proceeding.PeopleVote(&x.Roll.Sections[i]), e.seq, "whether the voters of the section %q are units is not as on the roll", sec.ID)
		c.must(sec.ID == sectionID(x.Roll.Sections[i].Name), e.seq, "the manifest's section %q is %q on the roll", sec.ID, x.Roll.Sections[i].Name)
		var last *big.Rat
		n := 0
		for _, class := range sec.Classes {
			w := rat(class.Weight)
			c.must(class.ID == classID(class.Weight) && (last == nil || last.Cmp(w) < 0), e.seq, "the class %q of the section %q is not that of a vote's value, or stands in the wrong place", class.ID, sec.ID)
			last = w
			if values[[2]string{sec.ID, class.ID}] > 0 {
				n++
			}
		}
		empty := n == 0 && len(sec.Classes) == 1 && sec.Classes[0].Weight == "1"
		c.must(values == nil || n == len(sec.Classes) || empty, e.seq, "the section %q has classes that nobody on the roll belongs to", sec.ID)
	}
}

// contestOf is what a manifest has to say of a ballot's paper.
func contestOf(x *proceeding.Ballot) seal.Contest {
	c := seal.Contest{ID: "vote", Options: distinct(x.Options)}
	switch x.Method {
	case "":
		c.Options, c.Form, c.Least, c.Most = nil, "sum", 1, 1
		for _, o := range x.Choices {
			if o != "abstain" {
				c.Options = append(c.Options, o)
			}
		}
	case "plurality", "exhaustive":
		c.Form, c.Most = "marks", 1
		if len(c.Options) <= 8 {
			c.Form, c.Least = "sum", 1
		}
	case "plurality-at-large":
		c.Form, c.Most = "marks", min(x.Seats, len(c.Options))
	case "approval":
		c.Form, c.Most = "marks", len(c.Options)
	default:
		c.Form = "ranks"
	}
	return c
}
