package verify_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/omov/omov/contest"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/tiles"
)

// poll holds a sealed ballot of a society once more, entry by entry, as those
// would who have every secret of it: the log's, the trustees', the registrar's,
// the voters'. Everything from the naming of the trustees to the result is made
// anew, signed anew, and put where it belongs between the other entries. A plan
// says what is done otherwise; whatever follows from that is made to fit.
type poll struct {
	t    *testing.T
	s    *society
	plan plan
	g    *ristretto.Group
	out  *book
	now  string // time of the last entry
	edge *tiles.Edge
	seen int // entries that are in the edge
	size int // entries when the ballot closed

	named     proceeding.TrusteesBody
	ids       []keygen.Identity // who signs for each trustee
	registrar proof.Secret
	m         *sealed.Manifest
	text      []byte // of the manifest
	hash      [32]byte
	key       [32]byte
	held      []ristretto.Scalar // each trustee's share of the key
	whole     ristretto.Scalar   // the key itself
	confirms  []int
	gone      []int // disqualified

	voters   []voter
	standing map[[32]byte]*sealed.Paper // what the close counts, by credential
	ballot   proceeding.Ballot
	closing  [32]byte
	excused  []string
	groups   []*pollGroup
	papers   []byte
}

// voter is an elector with their key in this ballot, and their last paper.
type voter struct {
	elector
	secret   proof.Secret
	public   [32]byte
	previous [32]byte
	sequence uint32
}

// pollGroup is a mix group after the close.
type pollGroup struct {
	name, section, weight string
	n                     int64
	in                    []byte // what was received
	pairs                 []byte // what has been made of it so far
	mixed                 int
}

// plan is what is done otherwise than it must be. What is nil is done rightly.
type plan struct {
	trustees func(*proceeding.TrusteesBody)
	roll     func(*poll)                   // on the roll's entries
	manifest func(*poll, *sealed.Manifest) // before anything follows from it
	text     func([]byte) []byte           // the manifest as it is published
	prepared func(*poll, *proceeding.PreparedBody)
	keygen   func(*ceremony)
	keyed    func(*poll, *proceeding.KeyedBody)
	list     func(*poll, *sealed.Listing)
	listed   func(*poll, *proceeding.ListedBody)
	opened   func(*poll, *proceeding.Ballot)
	vote     func(*poll) // everybody's papers
	shut     func(*poll, *proceeding.ShutBody)
	late     func(*poll) // between the close and the closing checkpoint
	fix      func(*poll) // the closing checkpoint
	tally    func(*poll) // witnesses, mixes, shares
	read     func(*poll, *contest.PapersBody)
	body     func(*poll, []byte) []byte // of the opened papers, as it is entered
	result   func(*poll, *proceeding.ResultBody)
	after    func(*poll) // when all has been written
}

// hold gives the book of a ballot held by a plan.
func (s *society) hold(t *testing.T, x plan) *book {
	t.Helper()
	edge, _ := tiles.NewEdge(0, nil)
	p := &poll{t: t, s: s, ids: slices.Clone(s.ids), registrar: s.registrar, plan: x, g: ristretto.New(), out: &book{t: t, books: s.book.books}, edge: edge, standing: map[[32]byte]*sealed.Paper{}}
	done := map[string]bool{}
	for _, r := range s.book.recs {
		x := *r
		p.next(&x, done)
	}
	if p.plan.after != nil {
		p.plan.after(p)
	}
	return p.out
}

// next takes over an entry of the society's book, or puts what is to stand
// there instead.
func (p *poll) next(r *record, done map[string]bool) {
	p.now = max(p.now, r.head.At)
	first := !done[r.head.Kind]
	done[r.head.Kind] = true
	switch r.head.Kind {
	case proceeding.KindTrustees:
		p.put(r)
		edit(p.out, r.head.Kind, 0, p.nameTrustees)
	case proceeding.KindPrepared:
		if p.plan.roll != nil {
			p.plan.roll(p)
		}
		p.put(r)
		edit(p.out, r.head.Kind, 0, p.prepare)
	case proceeding.KindListed:
		p.put(r)
		edit(p.out, r.head.Kind, 0, p.list)
	case proceeding.KindMessage:
		if first {
			p.generate()
		}
	case proceeding.KindKeyed:
		p.put(r)
		edit(p.out, r.head.Kind, 0, p.keyed)
	case proceeding.KindBallot:
		p.put(r)
		edit(p.out, r.head.Kind, 0, p.open)
	case proceeding.KindSealedPaper:
		if first {
			p.do(p.plan.vote, (*poll).everybody)
		}
	case proceeding.KindCommit:
		p.put(r)
		var b proceeding.CommitBody
		must(p.t, json.Unmarshal(r.body, &b))
		p.ballot.Commits = append(p.ballot.Commits, b.Commit)
	case proceeding.KindBallotShut:
		p.put(r)
		edit(p.out, r.head.Kind, 0, p.shut)
		p.size = len(p.out.recs)
	case proceeding.KindSecret:
		p.put(r)
		var b proceeding.CommitBody
		must(p.t, json.Unmarshal(r.body, &b))
		p.ballot.Commits = []proceeding.Commit{b.Commit}
	case proceeding.KindClosing:
		p.do(p.plan.late, func(*poll) {})
		p.do(p.plan.fix, func(p *poll) { p.fix(p.size) })
	case proceeding.KindDeed:
		if first {
			p.do(p.plan.tally, (*poll).tally)
		}
	case proceeding.KindPart, proceeding.KindExcused, proceeding.KindPhase:
	case proceeding.KindPapers:
		p.read(r)
	case proceeding.KindResult:
		p.put(r)
		edit(p.out, r.head.Kind, 0, p.declare)
	default:
		p.put(r)
	}
}

// do does what the plan says, or what is right.
func (p *poll) do(plan, right func(*poll)) {
	if plan != nil {
		plan(p)
		return
	}
	right(p)
}

// put appends an entry, dated no earlier than the one before.
func (p *poll) put(r *record) {
	if r.head.At != "" {
		r.head.At = p.now
	}
	p.out.recs = append(p.out.recs, r)
}

// enter appends an entry of the ballot.
func (p *poll) enter(kind, office string, body any) {
	of := p.out.find(proceeding.KindPrepared, 0).head
	h := minutes.Header{V: 1, At: p.now, Kind: kind, Office: office, Proceeding: of.Proceeding, Rulebook: of.Rulebook, Clause: of.Clause}
	if kind == proceeding.KindSealedPaper {
		h.At = ""
	}
	p.out.recs = append(p.out.recs, &record{head: h, access: minutes.Public, salt: sha256.Sum256([]byte{byte(len(p.out.recs))}), body: canonical(p.t, body)})
}

// ms is the time of the last entry.
func (p *poll) ms() int64 {
	at, err := time.Parse("2006-01-02T15:04:05.000Z", p.now)
	must(p.t, err)
	return at.UnixMilli()
}

func (p *poll) nameTrustees(b *proceeding.TrusteesBody) {
	if p.plan.trustees != nil {
		p.plan.trustees(b)
	}
	p.named = *b
}

func (p *poll) prepare(b *proceeding.PreparedBody) {
	p.m = new(sealed.Manifest)
	must(p.t, minutes.Decode([]byte(b.Manifest), p.m))
	if p.plan.manifest != nil {
		p.plan.manifest(p, p.m)
	}
	p.text = canonical(p.t, p.m)
	if p.plan.text != nil {
		p.text = p.plan.text(p.text)
	}
	p.hash = sha256.Sum256(append([]byte("omov/sealed/manifest/1\x00"), p.text...))
	b.Manifest = string(p.text)
	if p.plan.prepared != nil {
		p.plan.prepared(p, b)
	}
	p.voters = nil
	for _, e := range p.s.electors {
		v := voter{elector: e, secret: e.code.Key(p.hash, e.section), previous: p.hash}
		v.public = v.secret.Public(p.g)
		p.voters = append(p.voters, v)
	}
}

func (p *poll) list(b *proceeding.ListedBody) {
	l := listOf(p.g, p.m, p.hash, p.s.electors)
	if p.plan.list != nil {
		p.plan.list(p, l)
	}
	b.List = canonical(p.t, l)
	b.Signature = proof.Sign(p.g, p.registrar, "credentials", b.List)
	if p.plan.listed != nil {
		p.plan.listed(p, b)
	}
}

func (p *poll) keyed(b *proceeding.KeyedBody) {
	b.Key, b.Confirmed, b.Disqualified = hex.EncodeToString(p.key[:]), p.confirms, p.gone
	if b.Disqualified == nil {
		b.Disqualified = []int{}
	}
	if p.plan.keyed != nil {
		p.plan.keyed(p, b)
	}
}

func (p *poll) open(b *proceeding.BallotBody) {
	b.Ballot.Seal.Manifest, b.Ballot.Seal.Key = string(p.text), hex.EncodeToString(p.key[:])
	edit(p.out, proceeding.KindRoll, 0, func(x *proceeding.RollBody) { b.Ballot.Roll = x.Roll })
	if p.plan.opened != nil {
		p.plan.opened(p, &b.Ballot)
	}
	p.ballot = b.Ballot
}

// sealing is a paper of a voter that follows on their last.
func (p *poll) sealing(v *voter) *sealed.Ballot {
	return &sealed.Ballot{Group: p.g, Manifest: p.m, Key: p.key, Contest: "vote", Section: v.section, Previous: v.previous, Sequence: v.sequence + 1}
}

// seal makes a voter's next paper.
func (p *poll) seal(v *voter, marks []int) []byte {
	raw, _, err := p.sealing(v).Seal(marks, v.secret)
	must(p.t, err)
	return raw
}

// post enters a paper on the board.
func (p *poll) post(raw []byte) {
	p.enter(proceeding.KindSealedPaper, "", &proceeding.SealedPaperBody{Ballot: p.ballot.ID, Paper: raw})
}

// count has a paper count, in place of its credential's last.
func (p *poll) count(raw []byte) {
	x, err := sealed.DecodePaper(raw)
	must(p.t, err)
	p.standing[x.Key] = x
}

// take enters a paper and has it count.
func (p *poll) take(v *voter, raw []byte) {
	p.post(raw)
	p.count(raw)
	x, _ := sealed.DecodePaper(raw)
	v.previous, v.sequence = x.Hash, x.Sequence
}

// everybody votes once.
func (p *poll) everybody() {
	for i := range p.voters {
		v := &p.voters[i]
		p.take(v, p.seal(v, v.marks))
	}
}

// seat is where a credential votes: the first class of the paper's section, if
// it is on no list.
func (p *poll) seat(x *sealed.Paper) (section, class string) {
	for i := range p.voters {
		if p.voters[i].public == x.Key {
			return p.voters[i].section, p.voters[i].class
		}
	}
	return x.Section, "v1"
}

// gather makes the mix groups of what counts.
func (p *poll) gather() {
	keys := make([][32]byte, 0, len(p.standing))
	for k := range p.standing {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	p.groups = nil
	for _, contest := range p.m.Contests {
		for _, sec := range p.m.Sections {
			for _, c := range sec.Classes {
				g := &pollGroup{name: sealed.GroupName(contest.ID, sec.ID, c.ID), section: sec.ID, weight: c.Weight}
				for _, k := range keys {
					if s, class := p.seat(p.standing[k]); s == sec.ID && class == c.ID && contest.ID == "vote" {
						g.n++
						g.in = append(g.in, p.standing[k].Pairs...)
					}
				}
				g.pairs = g.in
				p.groups = append(p.groups, g)
			}
		}
	}
}

// group gives a group by its section and class.
func (p *poll) group(section, class string) *pollGroup {
	for _, g := range p.groups {
		if g.name == sealed.GroupName("vote", section, class) {
			return g
		}
	}
	p.t.Fatalf("there is no group %s/%s", section, class)
	return nil
}

// root is the closing root of the groups as they are.
func (p *poll) root() string {
	var list []sealed.Standing
	for _, g := range p.groups {
		list = append(list, sealed.Standing{Group: g.name, Papers: g.n, Pairs: sha256.Sum256(g.in)})
	}
	root := sealed.StandingRoot(list)
	return hex.EncodeToString(root[:])
}

func (p *poll) shut(b *proceeding.ShutBody) {
	p.gather()
	b.Root = p.root()
	for i := range b.Returned {
		y := &b.Returned[i]
		y.Papers = 0
		for _, g := range p.groups {
			if g.section == y.Section {
				y.Papers += g.n
			}
		}
		y.Voters = y.Papers
	}
	if p.plan.shut != nil {
		p.plan.shut(p, b)
	}
	p.ballot.Root, p.ballot.Returned = b.Root, b.Returned
}
