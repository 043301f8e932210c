package seal_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/group"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/mixing"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/verify/seal"
)

// board is a whole election as it stands on a board: what the verifier gets.
// It is made by package sealed, which the verifier knows nothing of.
type board struct {
	g        *ristretto.Group
	m        *sealed.Manifest
	manifest []byte
	messages [][]byte
	list     []byte
	listSig  []byte
	received [][]byte
	closed   int
	reasons  []seal.Outcome
	mixes    [][]byte
	shares   [][]byte
	yes      int

	hash    [32]byte
	key     [32]byte
	ids     []keygen.Identity
	c       *keygen.Ceremony
	secrets []proof.Secret
	places  []sealed.Credential
	server  *sealed.Board
}

const groupName = "leader/members/full"

func closing() [32]byte { return [32]byte{7, 7} }

func must[T any](t testing.TB) func(T, error) T {
	return func(x T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

func keyText(g *ristretto.Group, s proof.Secret) string {
	k := s.Public(g)
	return hex.EncodeToString(k[:])
}

// hold holds an election: two contests, one of them a sum, n voters, three
// trustees of whom two open.
func hold(t testing.TB, n int) *board {
	t.Helper()
	b := &board{g: ristretto.New()}
	registrar := proof.NewSecret()
	b.m = &sealed.Manifest{Version: 1, Group: "ristretto255", Election: "2031-L-001", Threshold: 2, MinSize: 3,
		Contests:  []sealed.Contest{{ID: "leader", Options: []string{"Ada", "Bram", "Cleo"}, Form: "ranks"}, {ID: "motion", Options: []string{"yes", "no"}, Form: "sum", Least: 1, Most: 1}},
		Sections:  []sealed.Section{{ID: "members", Classes: []sealed.Class{{ID: "full", Weight: "1"}}}, {ID: "guests", Classes: []sealed.Class{{ID: "full", Weight: "1/2"}}}},
		Registrar: sealed.Registrar{Name: "Hazel", Key: keyText(b.g, registrar)}}
	for i, name := range []string{"Ash", "Bay", "Cedar"} {
		id := keygen.NewIdentity()
		b.ids = append(b.ids, id)
		b.m.Trustees = append(b.m.Trustees, sealed.Trustee{Name: name, Sign: keyText(b.g, id.Sign()), Seal: keyText(b.g, id.Seal()), Operator: i == 0})
	}
	b.m.Mixers = []string{"Ash", "Cedar"}
	b.manifest, b.hash = must[[]byte](t)(b.m.Bytes()), must[[32]byte](t)(b.m.Hash())
	b.generate(t)
	b.key = must[[32]byte](t)(b.c.Joint())
	l := &sealed.Listing{Version: 1, Manifest: hex.EncodeToString(b.hash[:]), Groups: []sealed.ListingGroup{{Section: "guests", Class: "full"}, {Section: "members", Class: "full"}}}
	for i := range n {
		cr := sealed.Credential{Section: "members", Class: "full"}
		if i%5 == 4 {
			cr.Section = "guests"
		}
		s := sealed.NewCode().Key(b.hash, cr.Section)
		cr.Key = s.Public(b.g)
		b.secrets, b.places = append(b.secrets, s), append(b.places, cr)
		at := map[string]int{"guests": 0, "members": 1}[cr.Section]
		l.Groups[at].Keys = append(l.Groups[at].Keys, cr.Key[:])
	}
	for i := range l.Groups {
		slices.SortFunc(l.Groups[i].Keys, slices.Compare[[]byte])
	}
	var err error
	if b.list, b.listSig, err = sealed.SignListing(b.g, l, registrar); err != nil {
		t.Fatal(err)
	}
	b.server = must[*sealed.Board](t)(sealed.NewBoard(must[*sealed.Checker](t)(sealed.NewChecker(b.g, b.m, b.key)), b.places))
	b.vote(t)
	b.tally(t)
	return b
}

func (b *board) generate(t testing.TB) {
	p := b.m.Ceremony(b.hash)
	b.c = must[*keygen.Ceremony](t)(keygen.NewCeremony(b.g, p))
	for b.c.Phase() != keygen.Done {
		for _, id := range b.ids {
			m := must[*keygen.Member](t)(keygen.NewMember(b.g, p, id))
			if !slices.Contains(b.c.Waiting(), m.Index()) {
				continue
			}
			step := map[keygen.Kind]func() ([]byte, error){keygen.Commit: m.Commit, keygen.Reveal: m.Reveal,
				keygen.Verdict: func() ([]byte, error) { return m.Verdict(b.c) }, keygen.Confirm: func() ([]byte, error) { return m.Confirm(b.c) }}[b.c.Phase()]
			raw := must[[]byte](t)(step())
			if err := b.c.Post(raw); err != nil {
				t.Fatal(err)
			}
			b.messages = append(b.messages, raw)
		}
		if err := b.c.Next(false); err != nil {
			t.Fatal(err)
		}
	}
}

// post gives the server something, and remembers what it said.
func (b *board) post(raw []byte) {
	_, err := b.server.Post(raw)
	b.received = append(b.received, raw)
	outcome := seal.Accepted
	var r *sealed.Refusal
	if errors.As(err, &r) {
		outcome = seal.Outcome(r.Reason)
	}
	b.reasons = append(b.reasons, outcome)
}

func (b *board) seal(t testing.TB, i int, contest string, paper []int) []byte {
	previous, sequence := b.server.Current(b.places[i].Key, contest)
	x := sealed.Ballot{Group: b.g, Manifest: b.m, Key: b.key, Contest: contest, Section: b.places[i].Section, Previous: previous, Sequence: sequence + 1}
	raw, _, err := x.Seal(paper, b.secrets[i])
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// vote has everybody vote, with all the mischief there is in between.
func (b *board) vote(t testing.TB) {
	r := rand.New(rand.NewPCG(1, 2))
	var earlier []byte
	for i := range b.places {
		first := b.seal(t, i, "leader", []int{1, 2, 3})
		b.post(first)
		b.post(first)                                  // again
		b.post(b.seal(t, i, "leader", []int{0, 2, 1})) // changed
		if earlier != nil {
			b.post(earlier) // an old one, replaced meanwhile
		}
		earlier = first
		yes := r.IntN(2)
		b.post(b.seal(t, i, "motion", []int{yes, 1 - yes}))
		if b.places[i].Section == "members" {
			b.yes += yes
		}
		bad := slices.Clone(first)
		bad[len(bad)-3] ^= 1
		b.post(bad)            // altered
		b.post(first[:100])    // cut off
		b.post([]byte("vote")) // nonsense
	}
	stranger := *b
	stranger.secrets, stranger.places = []proof.Secret{proof.NewSecret()}, []sealed.Credential{{Section: "members", Class: "full"}}
	stranger.places[0].Key = stranger.secrets[0].Public(b.g)
	b.post(stranger.seal(t, 0, "leader", []int{1, 0, 0})) // not on the list
	b.server.Close()
	b.closed = len(b.received)
	b.post(b.seal(t, 0, "leader", []int{3, 2, 1})) // late
}

func (b *board) tally(t testing.TB) {
	in, _ := b.server.Group("leader", "members", "full")
	for i, mixer := range b.m.Mixers {
		st := &mixing.Statement{Manifest: b.hash, Closing: closing(), Group: groupName, Mixer: mixer, Position: i, Key: b.key, Width: 1, In: in}
		p := must[*mixing.Proof](t)(mixing.Shuffle(b.g, st))
		b.mixes = append(b.mixes, p.Encode(st))
		in = st.Out
	}
	b.shares = b.open(t, groupName, in)
}

func (b *board) open(t testing.TB, name string, pairs []byte) (out [][]byte) {
	o := &sealed.Opening{Manifest: b.hash, Closing: closing(), Group: name, Pairs: pairs}
	for _, j := range []int{3, 1} {
		m := must[*keygen.Member](t)(keygen.NewMember(b.g, b.m.Ceremony(b.hash), b.ids[j-1]))
		s := must[*sealed.Shares](t)(o.MakeShares(b.g, group.Backends()[0], m.Index(), must[proof.Secret](t)(m.Share(b.c))))
		out = append(out, s.Encode())
	}
	return out
}

// keyed reads the manifest and follows the key generation.
func (b *board) keyed(g *ristretto.Group) (*seal.Election, error) {
	e, err := seal.Open(g, b.manifest)
	if err != nil {
		return nil, err
	}
	c := e.Ceremony()
	for _, m := range b.messages {
		if err := c.Post(m); err != nil {
			return nil, fmt.Errorf("key generation: %w", err)
		}
	}
	if err := c.Done(); err != nil {
		return nil, err
	}
	return e, e.Listing(b.list, b.listSig)
}

// outcomes goes through everything received.
func (b *board) outcomes(e *seal.Election) (*seal.Board, error) {
	x := e.Board()
	for i := range b.closed {
		x.Post(int64(i), b.received[i])
	}
	x.Check()
	why := map[int64]seal.Outcome{}
	for _, l := range x.Left {
		why[l.Seq] = l.Why
	}
	for i, said := range b.reasons[:b.closed] {
		o := why[int64(i)]
		if o == "" {
			o = seal.Accepted
		}
		if o != said {
			return nil, fmt.Errorf("paper %d is %s; the server said %s", i, o, said)
		}
	}
	return x, nil
}

func groupOf(x *seal.Board, name string) *seal.Group {
	for _, g := range x.Groups(false) {
		if g.Name() == name {
			return &g
		}
	}
	return nil
}

// verify checks everything on a board and gives the papers of the leader's
// contest.
func (b *board) verify(g *ristretto.Group) ([][]int, error) {
	e, err := b.keyed(g)
	if err != nil {
		return nil, err
	}
	x, err := b.outcomes(e)
	if err != nil {
		return nil, err
	}
	group := groupOf(x, groupName)
	out := group.Pairs
	if len(b.mixes) != len(b.m.Mixers) {
		return nil, fmt.Errorf("%d mixes", len(b.mixes))
	}
	for i, raw := range b.mixes {
		if out, err = e.Mix(closing(), group, b.m.Mixers[i], i, out, raw); err != nil {
			return nil, fmt.Errorf("mix of %s: %w", b.m.Mixers[i], err)
		}
	}
	plain, err := b.opened(e, out, groupName, b.shares)
	if err != nil {
		return nil, err
	}
	said, spoilt := e.Read(group.Contest, plain)
	if spoilt > 0 {
		return nil, fmt.Errorf("%d spoilt", spoilt)
	}
	var papers [][]int
	for _, s := range said {
		for range s.N {
			papers = append(papers, s.Paper)
		}
	}
	return papers, nil
}

// opened puts together the shares that are right.
func (b *board) opened(e *seal.Election, pairs []byte, group string, sent [][]byte) ([]ristretto.Point, error) {
	var good []*seal.Shares
	for _, raw := range sent {
		s, err := e.ReadShares(closing(), group, pairs, raw)
		if err == nil && !slices.ContainsFunc(good, func(x *seal.Shares) bool { return x.Trustee == s.Trustee }) {
			good = append(good, s)
		}
	}
	return e.Combine(pairs, good)
}

func TestWholeElection(t *testing.T) {
	b := hold(t, 12)
	for name, g := range map[string]*ristretto.Group{"lanes": ristretto.New(), "plain": ristretto.NewPlain()} {
		papers, err := b.verify(g)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(papers) != 10 {
			t.Errorf("%s: %d papers of ten members", name, len(papers))
		}
		for _, p := range papers {
			if !slices.Equal(p, []int{0, 2, 1}) {
				t.Errorf("%s: a paper says %v", name, p)
			}
		}
	}
	sums(t, b)
}

// sums checks the vote that is added up and not mixed.
func sums(t *testing.T, b *board) {
	e := must[*seal.Election](t)(b.keyed(b.g))
	group := groupOf(must[*seal.Board](t)(b.outcomes(e)), "motion/members/full")
	n := int(group.Papers)
	pairs := must[[]byte](t)(e.Summed(e.Contest("motion"), group.Pairs))
	plain := must[[]ristretto.Point](t)(b.opened(e, pairs, "motion/members/full", b.open(t, "motion/members/full", pairs)))
	totals := must[[]int64](t)(e.Totals(plain, group.Papers))
	if !slices.Equal(totals, []int64{int64(b.yes), int64(n - b.yes), 0}) {
		t.Errorf("totals %v of %d papers, %d of them yes", totals, n, b.yes)
	}
}

// An altered election does not hold: whatever is altered, and whoever did it.
func TestTamperedElections(t *testing.T) {
	whole := hold(t, 10)
	other := hold(t, 10)
	flip := func(b []byte, at int) []byte {
		out := slices.Clone(b)
		out[(at+len(out))%len(out)] ^= 1
		return out
	}
	// A paper that counts: the last of somebody in the leader's contest.
	standing := slices.Index(whole.reasons, seal.Accepted) + 2
	for _, c := range []struct {
		name string
		do   func(b *board)
		says string // what the verifier says
	}{
		{"another manifest", func(b *board) { b.manifest = other.manifest }, "key generation"},
		{"a manifest that is not canonical", func(b *board) { b.manifest = append([]byte(" "), b.manifest...) }, ""},
		{"a lower threshold", func(b *board) {
			b.manifest = []byte(strings.Replace(string(b.manifest), `"threshold":2`, `"threshold":3`, 1))
		}, ""},
		{"another key generation", func(b *board) { b.messages = other.messages }, "key generation"},
		{"a trustee's commitment left out", func(b *board) { b.messages = b.messages[1:] }, "key generation"},
		{"nobody confirms", func(b *board) { b.messages = b.messages[:len(b.messages)-3] }, "confirmed"},
		{"a list that the registrar has not signed", func(b *board) { b.listSig = flip(b.listSig, 5) }, "not signed"},
		{"another list", func(b *board) { b.list, b.listSig = other.list, other.listSig }, "registrar"},
		{"a key taken off the list", func(b *board) { b.list = flip(b.list, 60) }, "registrar"},
		{"a paper left out", func(b *board) {
			b.received = slices.Delete(slices.Clone(b.received), standing, standing+1)
			b.reasons = slices.Delete(slices.Clone(b.reasons), standing, standing+1)
			b.closed--
		}, ""},
		{"two papers exchanged", func(b *board) {
			b.received = slices.Clone(b.received)
			b.received[0], b.received[2] = b.received[2], b.received[0]
		}, "the server said"},
		{"a valid paper refused", func(b *board) { b.reasons = slices.Clone(b.reasons); b.reasons[0] = seal.Unproved }, "the server said"},
		{"a refused paper counted", func(b *board) { b.reasons = slices.Clone(b.reasons); b.reasons[1] = seal.Accepted }, "the server said"},
		{"a paper of another election", func(b *board) { b.received = slices.Clone(b.received); b.received[0] = other.received[0] }, "the server said"},
		{"a mix left out", func(b *board) { b.mixes = b.mixes[:1] }, "mixes"},
		{"mixes exchanged", func(b *board) { b.mixes = [][]byte{b.mixes[1], b.mixes[0]} }, "mix of"},
		{"a mix of another election", func(b *board) { b.mixes = other.mixes }, "mix of"},
		{"a paper replaced in the mix", func(b *board) { b.mixes = [][]byte{flip(b.mixes[0], 12+5+192+64), b.mixes[1]} }, "mix of"},
		{"an answer of the mix altered", func(b *board) { b.mixes = [][]byte{b.mixes[0], flip(b.mixes[1], -40)} }, "mix of"},
		{"a paper dropped by the mixer", func(b *board) { b.mixes = [][]byte{b.mixes[0][:len(b.mixes[0])-224], b.mixes[1]} }, "mix of"},
		{"too few shares", func(b *board) { b.shares = b.shares[:1] }, "it takes 2"},
		{"one trustee's shares twice", func(b *board) { b.shares = [][]byte{b.shares[0], b.shares[0]} }, "it takes 2"},
		{"a wrong share", func(b *board) { b.shares = [][]byte{b.shares[0], flip(b.shares[1], 30)} }, "it takes 2"},
		{"a share's proof altered", func(b *board) { b.shares = [][]byte{b.shares[0], flip(b.shares[1], -10)} }, "it takes 2"},
		{"shares of another election", func(b *board) { b.shares = other.shares }, "it takes 2"},
		{"shares under another trustee's number", func(b *board) { b.shares = [][]byte{b.shares[0], flip(b.shares[1], len("omov shares 1\n"))} }, "it takes 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := *whole
			c.do(&b)
			for name, g := range map[string]*ristretto.Group{"lanes": ristretto.New(), "plain": ristretto.NewPlain()} {
				if _, err := b.verify(g); err == nil {
					t.Errorf("%s: it holds", name)
				} else if !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s: it says %q, not %q", name, err, c.says)
				}
			}
		})
	}
}
