package sealed_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/group"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/mixing"
	"github.com/omov/omov/sealed/proof"
)

// refused posts a paper that must be refused for a reason.
func (e *election) refused(raw []byte, reason sealed.Reason, kind fault.Kind) *sealed.Refusal {
	e.t.Helper()
	_, err := e.board.Post(raw)
	var r *sealed.Refusal
	if !errors.As(err, &r) || r.Reason != reason || !fault.Is(err, kind) {
		e.t.Errorf("wanted %s (%s): %v", reason, kind, err)
		return nil
	}
	return r
}

// resign signs a changed paper with voter i's key.
func (e *election) resign(i int, raw []byte) []byte {
	body := raw[:len(raw)-proof.SignatureSize]
	return append(bytes.Clone(body), proof.Sign(e.g, e.secrets[i], "paper", body)...)
}

// places of the fields of a paper of the contest leader in section members.
func fields(contest, section string) (key, previous, sequence, pairs int) {
	key = 1 + 32 + 1 + len(contest) + 1 + len(section)
	return key, key + 32, key + 64, key + 64 + 4 + 1 + 2
}

func TestHostilePapers(t *testing.T) {
	e := newElection(t, 1, 1, 12)
	paper := []int{1, 2, 0, 0, 0}
	good := e.cast(0, "leader", paper) // voter 0, section members
	key, previous, sequence, pairs := fields("leader", "members")
	fresh := func() []byte { return e.seal(3, "leader", paper) } // voter 3, too
	change := func(at int, with []byte) []byte {
		raw := fresh()
		copy(raw[at:], with)
		return e.resign(3, raw)
	}
	identity := make([]byte, 32)

	// The same paper again gets the old receipt.
	if r := e.refused(good, sealed.Repeated, fault.Already); r == nil || r.Receipt == nil || r.Receipt.Sequence != 1 || r.Receipt.Position != 0 {
		t.Error("a retransmission does not get the old receipt")
	}
	// A copied ballot: somebody else's ciphertext and proof, one's own credential.
	copied := bytes.Clone(good)
	copy(copied[key:], e.list[3].Key[:])
	e.refused(e.resign(3, copied), sealed.Unproved, fault.Invalid)
	// A re-encrypted copy has no proof either.
	raw := fresh()
	copy(raw[pairs:pairs+64], reencrypted(e, good[pairs:pairs+64]))
	e.refused(e.resign(3, raw), sealed.Unproved, fault.Invalid)
	// Replay into another contest, section, ballot.
	for old, new := range map[string]string{"leader": "letter", "members": "unionsx"} {
		e.refused(e.resign(3, bytes.Replace(fresh(), []byte(old), []byte(new), 1)), map[string]sealed.Reason{"leader": sealed.Malformed, "members": sealed.Unlisted}[old], map[string]fault.Kind{"leader": fault.Invalid, "members": fault.NotEntitled}[old])
	}
	e.refused(change(1, []byte{1, 2, 3}), sealed.Malformed, fault.Invalid)
	// The neutral element, and strings that are no elements.
	e.refused(change(pairs, identity), sealed.Malformed, fault.Invalid)
	e.refused(change(pairs+32, identity), sealed.Malformed, fault.Invalid)
	notCanonical := append([]byte{0xed}, append(bytes.Repeat([]byte{0xff}, 30), 0x7f)...)
	negative := append([]byte{1}, identity[1:]...)
	for _, b := range [][]byte{notCanonical, negative, bytes.Repeat([]byte{0xff}, 32)} {
		for _, at := range []int{pairs, pairs + 32, pairs + 64, pairs + 96} {
			e.refused(change(at, b), sealed.Unproved, fault.Invalid)
		}
	}
	// A forged credential, one that is not on the list, one of another section.
	stranger := proof.NewSecret()
	e.secrets = append(e.secrets, stranger)
	e.list = append(e.list, sealed.Credential{Key: stranger.Public(e.g), Section: "members"})
	e.refused(e.seal(12, "leader", paper), sealed.Unlisted, fault.NotEntitled)
	forged := fresh()
	e.refused(append(forged[:len(forged)-64], proof.Sign(e.g, stranger, "paper", forged[:len(forged)-64])...), sealed.Unproved, fault.Invalid)
	b := sealed.Ballot{Group: e.g, Manifest: e.m, Key: e.key, Contest: "leader", Section: "unions", Previous: e.hash, Sequence: 1}
	raw, _, err := b.Seal(paper, e.secrets[3])
	e.must(err)
	e.refused(raw, sealed.Unlisted, fault.NotEntitled)
	// Everything in front of the proof is bound to it, even when signed again.
	e.refused(change(previous, []byte{1}), sealed.Unproved, fault.Invalid)
	e.refused(change(sequence, []byte{0, 0, 0, 9}), sealed.Unproved, fault.Invalid)
	// Under another joint key.
	b = sealed.Ballot{Group: e.g, Manifest: e.m, Key: stranger.Public(e.g), Contest: "leader", Section: "members", Previous: e.hash, Sequence: 1}
	raw, _, err = b.Seal(paper, e.secrets[3])
	e.must(err)
	e.refused(raw, sealed.Unproved, fault.Invalid)
	// The honest paper is still taken after all that.
	if _, err := e.board.Post(fresh()); err != nil {
		t.Error(err)
	}
	a := e.board.Account()
	refused := 0
	for _, n := range a.Refused {
		refused += n
	}
	if a.Received != a.Accepted+refused || a.Accepted != 2 || refused < 20 {
		t.Errorf("%+v", a)
	}
}

func reencrypted(e *election, pair []byte) []byte {
	var a, b, y ristretto.Point
	e.g.Decode(&a, pair[:32])
	e.g.Decode(&b, pair[32:])
	e.g.Decode(&y, e.key[:])
	r := proof.NewSecret()
	ra, rb := e.g.MulBase(r.Scalar()), e.g.Mul(r.Scalar(), &y)
	return e.g.EncodeAll(nil, []ristretto.Point{e.g.Add(&a, &ra), e.g.Add(&b, &rb)})
}

func TestChainOfPapers(t *testing.T) {
	e := newElection(t, 1, 1, 3)
	first := e.seal(0, "leader", []int{1, 0, 0, 0, 0})
	rival := e.seal(0, "leader", []int{0, 1, 0, 0, 0}) // follows on the same
	_, err := e.board.Post(first)
	e.must(err)
	e.refused(rival, sealed.Stale, fault.Conflict)
	second := e.cast(0, "leader", []int{0, 0, 1, 0, 0})
	e.refused(first, sealed.Repeated, fault.Already)  // an old one does not come back
	e.refused(rival, sealed.Stale, fault.Conflict)    // nor one that was refused
	e.refused(second, sealed.Repeated, fault.Already) // nor the current one
	e.cast(0, "motion", []int{1, 0})                  // another contest has its own chain
	if a := e.board.Account(); a.Standing != 2 || a.Replaced != 1 {
		t.Errorf("%+v", a)
	}
	if err := e.relist(1, e.list[0], e.list[0]); !fault.Is(err, fault.TooLate) {
		t.Errorf("a credential that has cast is replaced: %v", err)
	}
	e.must(e.relist(1, e.list[1], e.list[1]))
	e.refused(e.seal(1, "leader", []int{1, 0, 0, 0, 0}), sealed.Unlisted, fault.NotEntitled)
	e.board.Close()
	e.refused(e.seal(2, "leader", []int{1, 0, 0, 0, 0}), sealed.AfterClose, fault.TooLate)
}

// A voter who uses the same randomness twice, or hands it to another, is
// found by the repeated element.
func TestRepeatedRandomness(t *testing.T) {
	e := newElection(t, 1, 1, 6)
	first, err := sealed.DecodePaper(e.cast(0, "leader", []int{1, 0, 0, 0, 0}))
	e.must(err)
	for _, part := range [][]byte{first.Pairs[:32], first.Proof[:32]} {
		if used, _ := e.board.Used([][32]byte{[32]byte(part)}); !used {
			t.Error("an element A or a commitment may be used again")
		}
	}
	// Knowing r one can prove it: the same A under another's name.
	b := sealed.Ballot{Group: e.g, Manifest: e.m, Key: e.key, Contest: "leader", Section: "members", Previous: e.hash, Sequence: 1}
	_, rs, err := b.Seal([]int{1, 0, 0, 0, 0}, e.secrets[3])
	e.must(err)
	one, err := b.SealWith([]int{1, 0, 0, 0, 0}, e.secrets[3], rs)
	e.must(err)
	_, err = e.board.Post(one)
	e.must(err)
	again := sealed.Ballot{Group: e.g, Manifest: e.m, Key: e.key, Contest: "leader", Section: "members", Previous: e.hash, Sequence: 1}
	e2 := newListed(e)
	raw, err := again.SealWith([]int{0, 1, 0, 0, 0}, e2, rs)
	e.must(err)
	e.refused(raw, sealed.Copied, fault.Invalid)
}

// newListed enters one more member.
func newListed(e *election) proof.Secret {
	s := proof.NewSecret()
	e.must(e.board.Add(sealed.Credential{Key: s.Public(e.g), Section: "members", Class: "full"}))
	return s
}

// What a hostile voter of a sum could do: two marks, a mark of 2, a negative
// one. None has a proof; with package proof's own tests for the proof itself.
func TestHostileSums(t *testing.T) {
	e := newElection(t, 1, 1, 3)
	b := sealed.Ballot{Group: e.g, Manifest: e.m, Key: e.key, Contest: "panel", Section: "members", Previous: e.hash, Sequence: 1}
	for _, paper := range [][]int{{1, 1, 1, 1}, {2, 0, 0, 0}, {-1, 1, 0, 0}, {1}} {
		if _, _, err := b.Seal(paper, e.secrets[0]); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v is sealed: %v", paper, err)
		}
	}
	raw := e.seal(0, "panel", []int{1, 0, 1, 0})
	_, _, _, pairs := fields("panel", "members")
	// Two slots exchanged, with their proofs: the challenge covers their order.
	other := bytes.Clone(raw)
	copy(other[pairs:], raw[pairs+64:pairs+128])
	copy(other[pairs+64:], raw[pairs:pairs+64])
	e.refused(e.resign(0, other), sealed.Unproved, fault.Invalid)
	_, err := e.board.Post(raw)
	e.must(err)
}

// Good, duplicate, replayed, malformed, late and replaced papers in any order:
// all are accounted for, PostAll gives what Post gives, and so does another
// run.
func TestAccounting(t *testing.T) {
	e := newElection(t, 1, 1, 9)
	r := rand.New(rand.NewPCG(1, 2))
	var posts [][]byte
	for len(posts) < 150 {
		i := r.IntN(9)
		raw := e.seal(i, []string{"leader", "motion"}[i%2], [][]int{{0, 1, 0, 2, 0}, {1, 0}}[i%2])
		switch r.IntN(6) {
		case 0:
			raw[r.IntN(len(raw))] ^= 1 << r.IntN(8)
		case 1:
			raw = raw[:r.IntN(len(raw))]
		case 2:
			if len(posts) > 0 {
				raw = posts[r.IntN(len(posts))]
			}
		case 3: // held back and posted twice
			posts = append(posts, raw)
		default:
			_, err := e.board.Post(raw)
			e.must(err)
		}
		posts = append(posts, raw)
	}
	run := func(post func(b *sealed.Board) []error) (sealed.Account, []string, []byte) {
		b, err := sealed.NewBoard(e.checker, e.list)
		e.must(err)
		var said []string
		for _, err := range post(b) {
			said = append(said, fmt.Sprint(err))
		}
		pairs, _ := b.Group("leader", "members", "full")
		return b.Account(), said, pairs
	}
	one := func(b *sealed.Board) []error {
		var errs []error
		for i, raw := range posts {
			if i == 140 {
				b.Close()
			}
			_, err := b.Post(raw)
			errs = append(errs, err)
		}
		return errs
	}
	all := func(b *sealed.Board) []error {
		_, errs := b.PostAll(posts[:140])
		b.Close()
		_, late := b.PostAll(posts[140:])
		return append(errs, late...)
	}
	a1, said1, group1 := run(one)
	a2, said2, group2 := run(all)
	if !slices.Equal(said1, said2) || !bytes.Equal(group1, group2) || fmt.Sprint(a1) != fmt.Sprint(a2) {
		t.Errorf("one by one and together differ: %+v, %+v", a1, a2)
	}
	refused := 0
	for _, n := range a1.Refused {
		refused += n
	}
	if a1.Received != len(posts) || a1.Received != a1.Accepted+refused || a1.Accepted != a1.Standing+a1.Replaced {
		t.Errorf("%+v of %d posted", a1, len(posts))
	}
	for _, reason := range []sealed.Reason{sealed.Malformed, sealed.Unproved, sealed.Repeated, sealed.Stale, sealed.AfterClose} {
		if a1.Refused[reason] == 0 {
			t.Errorf("nothing was refused as %s: the test looks at too little", reason)
		}
	}
}

// Culprits among many are found, and only they.
func TestCulprits(t *testing.T) {
	e := newElection(t, 1, 1, 3)
	var ps []*sealed.Paper
	bad := map[int]bool{0: true, 7: true, 8: true, 70: true, 99: true}
	for i := range 100 {
		raw := e.seal(0, []string{"leader", "motion"}[i%2], [][]int{{0, 1, 0, 2, 0}, {1, 0}}[i%2])
		if bad[i] {
			raw[len(raw)-1-32*(i%3)] ^= 1
		}
		p, err := sealed.DecodePaper(raw)
		e.must(err)
		ps = append(ps, p)
	}
	for i, err := range e.checker.CheckAll(ps) {
		if (err != nil) != bad[i] {
			t.Errorf("paper %d: %v", i, err)
		}
		if one := e.checker.Check(ps[i]); fmt.Sprint(one) != fmt.Sprint(err) {
			t.Errorf("paper %d: alone %v, together %v", i, one, err)
		}
	}
}

// A mixer that drops, doubles, exchanges or marks a paper has no proof.
func TestHostileMixer(t *testing.T) {
	e := newElection(t, 1, 1, 18)
	for i := range e.list {
		paper := make([]int, 5)
		paper[i%5] = 1
		e.cast(i, "leader", paper)
	}
	in, n := e.board.Group("leader", "members", "full")
	st := &mixing.Statement{Manifest: e.hash, Group: "leader/members/full", Mixer: e.m.Mixers[0], Key: e.key, Width: 1, In: in}
	p, err := mixing.Shuffle(e.g, st)
	e.must(err)
	e.must(mixing.Verify(e.g, st, p))
	stuffed := encryptMarks(e, 3)
	for name, change := range map[string]func(out []byte) []byte{
		"drops":    func(out []byte) []byte { return out[64:] },
		"adds":     func(out []byte) []byte { return append(out, stuffed...) },
		"doubles":  func(out []byte) []byte { copy(out[64:], out[:64]); return out },
		"replaces": func(out []byte) []byte { copy(out[64:], stuffed); return out },
		"marks": func(out []byte) []byte { // the same paper re-encrypted once more, after the proof
			copy(out[128:], reencrypted(e, out[128:192]))
			return out
		},
		"moves": func(out []byte) []byte { return append(out[64:], out[:64]...) },
	} {
		s := *st
		s.Out = change(bytes.Clone(st.Out))
		if err := mixing.Verify(e.g, &s, p); !fault.Is(err, fault.Invalid) {
			t.Errorf("a mixer that %s: %v", name, err)
		}
		// Nor with a shuffle of what was changed before: then the input is not the board's.
		if name == "replaces" {
			s = *st
			s.In = change(bytes.Clone(st.In))
			p2, err := mixing.Shuffle(e.g, &s)
			e.must(err)
			s.In = st.In
			if mixing.Verify(e.g, &s, p2) == nil {
				t.Error("a shuffle of other papers passes for one of these")
			}
		}
	}
	if n != 6 {
		t.Errorf("%d papers", n)
	}
}

func encryptMarks(e *election, n uint64) []byte {
	var y ristretto.Point
	e.g.Decode(&y, e.key[:])
	k := proof.Number(n)
	m := e.g.MulBase(&k)
	return proof.Encrypt(e.g, &y, &m, proof.NewSecret())
}

func TestHostileShares(t *testing.T) {
	e := newElection(t, 3, 2, 15)
	for i := 0; i < 15; i += 3 {
		e.cast(i, "leader", []int{1, 2, 0, 0, 0})
	}
	o := e.mix("leader", "members", "full", 1)
	shares := make([]*sealed.Shares, 3)
	publics := make([][32]byte, 3)
	for j := range shares {
		m, err := keygen.NewMember(e.g, e.m.Ceremony(e.hash), e.ids[j])
		e.must(err)
		x, err := m.Share(e.ceremony)
		e.must(err)
		shares[j], err = o.MakeShares(e.g, group.Backends()[j%2], j+1, x)
		e.must(err)
		publics[j], err = e.ceremony.Public(j + 1)
		e.must(err)
		e.must(o.CheckShares(e.g, shares[j], publics[j]))
	}
	other := encryptMarks(e, 5)[:32]
	for name, change := range map[string]func(s *sealed.Shares, o *sealed.Opening){
		"one share wrong": func(s *sealed.Shares, _ *sealed.Opening) { copy(s.D[32:], other) },
		"two shares exchanged": func(s *sealed.Shares, _ *sealed.Opening) {
			s.D = append(bytes.Clone(s.D[32:64]), append(s.D[:32:32], s.D[64:]...)...)
		},
		"not canonical":            func(s *sealed.Shares, _ *sealed.Opening) { s.D[31] = 0xff },
		"one missing":              func(s *sealed.Shares, _ *sealed.Opening) { s.D = s.D[32:] },
		"another trustee's number": func(s *sealed.Shares, _ *sealed.Opening) { s.Trustee = 2 },
		"proof changed":            func(s *sealed.Shares, _ *sealed.Opening) { s.Proof[70] ^= 1 },
		"proof cut":                func(s *sealed.Shares, _ *sealed.Opening) { s.Proof = s.Proof[:64] },
		"another group":            func(_ *sealed.Shares, o *sealed.Opening) { o.Group += "x" },
		"another close":            func(_ *sealed.Shares, o *sealed.Opening) { o.Closing[0]++ },
		"another paper":            func(_ *sealed.Shares, o *sealed.Opening) { copy(o.Pairs, other) },
	} {
		s, op := *shares[0], *o
		s.D, s.Proof, op.Pairs = bytes.Clone(s.D), bytes.Clone(s.Proof), bytes.Clone(o.Pairs)
		change(&s, &op)
		if err := op.CheckShares(e.g, &s, publics[0]); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := o.CheckShares(e.g, shares[0], publics[1]); err == nil {
		t.Error("a share passes for another trustee's")
	}
	// One trustee's shares are wrong: the other two open.
	plain, err := o.Combine(e.g, 2, shares[1:])
	e.must(err)
	papers, spoilt, err := sealed.Papers(e.g, e.m.Contest("leader"), plain)
	e.must(err)
	if len(papers) != 5 || len(spoilt) != 0 {
		t.Errorf("%d papers, %d spoilt", len(papers), len(spoilt))
	}
	if _, err := o.Combine(e.g, 2, shares[:1]); !fault.Is(err, fault.TooEarly) {
		t.Errorf("one of two opens: %v", err)
	}
	if _, err := o.Combine(e.g, 2, []*sealed.Shares{shares[1], shares[1]}); !fault.Is(err, fault.Invalid) {
		t.Errorf("one trustee counts twice: %v", err)
	}
}

func TestPledge(t *testing.T) {
	o := &sealed.Opening{Group: "a/b/c", Pairs: bytes.Repeat([]byte{1}, 64)}
	p := o.Pledge()
	same, more, closing, group := *o, *o, *o, *o
	more.Pairs = bytes.Repeat([]byte{2}, 64)
	closing.Closing[3] = 1
	group.Group = "a/b/d"
	for name, c := range map[string]struct {
		o  *sealed.Opening
		ok bool
	}{"the same": {&same, true}, "other outputs": {&more, false}, "another close": {&closing, false}, "another group": {&group, true}} {
		if err := p.Allows(c.o); (err == nil) != c.ok || err != nil && !fault.Is(err, fault.Already) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Papers that are encrypted and proved rightly but say nothing come out as
// spoilt, each of them.
func TestSpoiltPapers(t *testing.T) {
	e := newElection(t, 1, 1, 3)
	c := e.m.Contest("leader")
	g := e.g
	x := proof.NewSecret()
	notEmbedded := g.MulBase(x.Scalar())
	plain := []ristretto.Point{g.Identity(), g.Identity(), notEmbedded}
	papers, spoilt, err := sealed.Papers(g, c, plain)
	e.must(err)
	// The neutral element reads as paper 0, the blank: all its bytes are 0.
	if len(papers) != 2 || len(spoilt) != 1 || !slices.Equal(papers[0], []int{0, 0, 0, 0, 0}) {
		t.Errorf("%v, %v", papers, spoilt)
	}
}

func TestAudit(t *testing.T) {
	e := newElection(t, 1, 1, 3)
	for contest, paper := range map[string][]int{"leader": {3, 1, 2, 0, 0}, "panel": {0, 1, 1, 0}, "motion": {0, 0}} {
		b := sealed.Ballot{Group: e.g, Manifest: e.m, Key: e.key, Contest: contest, Section: "members", Previous: e.hash, Sequence: 1}
		raw, rs, err := b.Seal(paper, e.secrets[0])
		e.must(err)
		p, err := sealed.DecodePaper(raw)
		e.must(err)
		got, err := e.checker.Audit(p, rs)
		if err != nil || !slices.Equal(got, paper) {
			t.Errorf("%s: %v audits as %v (%v)", contest, paper, got, err)
		}
		rs[0] = proof.NewSecret()
		if _, err := e.checker.Audit(p, rs); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: opens with another number: %v", contest, err)
		}
	}
}

func TestCodes(t *testing.T) {
	for range 200 {
		c := sealed.NewCode()
		text := c.Text()
		again, err := sealed.ReadCode(strings.ToLower(strings.ReplaceAll(text, "-", " ")))
		if err != nil || again.Text() != text {
			t.Fatalf("%s reads as %v", text, err)
		}
		// One wrong letter is found wherever it is.
		for i := range text {
			if text[i] == '-' {
				continue
			}
			wrong := []byte(text)
			wrong[i] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[(strings.IndexByte("0123456789ABCDEFGHJKMNPQRSTVWXYZ", text[i])+1+i)%32]
			if wrong[i] == text[i] {
				continue
			}
			if _, err := sealed.ReadCode(string(wrong)); err == nil {
				t.Fatalf("%s passes for %s", wrong, text)
			}
		}
	}
	for _, s := range []string{"", "x", strings.Repeat("0", 31), strings.Repeat("U", 30), strings.Repeat("-", 300)} {
		if _, err := sealed.ReadCode(s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", s, err)
		}
	}
	c := sealed.NewCode()
	bits := c.Bits()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		s := fmt.Sprintf(verb, struct{ c sealed.Code }{c}) + fmt.Sprintf(verb, c)
		for _, needle := range []string{fmt.Sprintf("%x", bits[:4]), strings.Trim(fmt.Sprint(bits[:4]), "[]"), c.Text()[:5]} {
			if strings.Contains(s, needle) {
				t.Errorf("%s shows a code: %s", verb, s)
			}
		}
	}
	var a, b [32]byte
	b[0] = 1
	k := c.Key(a, "members").Expose()
	if bytes.Equal(k, c.Key(b, "members").Expose()) || bytes.Equal(k, c.Key(a, "unions").Expose()) {
		t.Error("one key for two ballots or two sections")
	}
}

func TestListing(t *testing.T) {
	e := newElection(t, 1, 1, 30)
	l := &sealed.Listing{Version: 1, Manifest: fmt.Sprintf("%x", e.hash)}
	for _, place := range [][2]string{{"members", "full"}, {"unions", "half"}} {
		gr := sealed.ListingGroup{Section: place[0], Class: place[1]}
		for _, c := range e.list {
			if c.Section == place[0] && c.Class == place[1] {
				gr.Keys = append(gr.Keys, bytes.Clone(c.Key[:]))
			}
		}
		slices.SortFunc(gr.Keys, bytes.Compare)
		l.Groups = append(l.Groups, gr)
	}
	body, sig, err := sealed.SignListing(e.g, l, e.registrar)
	e.must(err)
	got, err := sealed.ReadListing(e.g, e.m, body, sig)
	if err != nil || len(got) != 20 {
		t.Fatalf("%d, %v", len(got), err)
	}
	keys := l.Groups[0].Keys
	for name, change := range map[string]func(){
		"a key twice":      func() { keys[1] = keys[0] },
		"out of order":     func() { keys[0], keys[1] = keys[1], keys[0] },
		"no element":       func() { keys[len(keys)-1] = bytes.Repeat([]byte{0xff}, 32) },
		"the neutral one":  func() { keys[0] = make([]byte, 32) },
		"too short":        func() { keys[0] = keys[0][1:] },
		"in two groups":    func() { l.Groups[1].Keys = keys },
		"another ballot":   func() { l.Manifest = strings.Repeat("0", 64) },
		"an unknown class": func() { l.Groups[0].Class = "x" },
	} {
		saved := slices.Clone(keys)
		m, cl, second := l.Manifest, l.Groups[0].Class, l.Groups[1].Keys
		change()
		body, sig, err := sealed.SignListing(e.g, l, e.registrar)
		e.must(err)
		if _, err := sealed.ReadListing(e.g, e.m, body, sig); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		copy(keys, saved)
		l.Manifest, l.Groups[0].Class, l.Groups[1].Keys = m, cl, second
	}
	if _, err := sealed.ReadListing(e.g, e.m, append(body, ' '), sig); !fault.Is(err, fault.Invalid) {
		t.Errorf("changed after signing: %v", err)
	}
}

func TestManifests(t *testing.T) {
	e := newElection(t, 3, 2, 3)
	b, err := e.m.Bytes()
	e.must(err)
	again, err := sealed.DecodeManifest(b)
	e.must(err)
	if h, err := again.Hash(); err != nil || h != e.hash {
		t.Error("a manifest reads as another")
	}
	for name, change := range map[string]func(m *sealed.Manifest){
		"version":             func(m *sealed.Manifest) { m.Version = 2 },
		"group":               func(m *sealed.Manifest) { m.Group = "p256" },
		"election":            func(m *sealed.Manifest) { m.Election = "a/b" },
		"no contests":         func(m *sealed.Manifest) { m.Contests = nil },
		"one contest twice":   func(m *sealed.Manifest) { m.Contests[1].ID = "leader" },
		"one option twice":    func(m *sealed.Manifest) { m.Contests[0].Options = []string{"x", "x"} },
		"unknown form":        func(m *sealed.Manifest) { m.Contests[0].Form = "x" },
		"least over most":     func(m *sealed.Manifest) { m.Contests[1].Least = 2 },
		"most over options":   func(m *sealed.Manifest) { m.Contests[1].Most = 3 },
		"too many options":    func(m *sealed.Manifest) { m.Contests[1].Options = options(600) },
		"weight not lowest":   func(m *sealed.Manifest) { m.Sections[1].Classes[0].Weight = "2/4" },
		"weight 0":            func(m *sealed.Manifest) { m.Sections[1].Classes[0].Weight = "0" },
		"half open":           func(m *sealed.Manifest) { m.Threshold = 1 },
		"more than all open":  func(m *sealed.Manifest) { m.Threshold = 4 },
		"one key twice":       func(m *sealed.Manifest) { m.Trustees[1].Sign = m.Trustees[0].Sign },
		"one key for both":    func(m *sealed.Manifest) { m.Trustees[1].Sign = m.Trustees[1].Seal },
		"no key":              func(m *sealed.Manifest) { m.Trustees[1].Sign = strings.Repeat("0", 64) },
		"capitals":            func(m *sealed.Manifest) { m.Registrar.Key = strings.ToUpper(m.Registrar.Key) },
		"one mixer":           func(m *sealed.Manifest) { m.Mixers = m.Mixers[:1] },
		"a mixer twice":       func(m *sealed.Manifest) { m.Mixers[1] = m.Mixers[0] },
		"a strange mixer":     func(m *sealed.Manifest) { m.Mixers[1] = "Nobody" },
		"operator mixes more": func(m *sealed.Manifest) { m.Trustees[1].Operator = true },
		"no least size":       func(m *sealed.Manifest) { m.MinSize = 0 },
	} {
		m, err := sealed.DecodeManifest(b)
		e.must(err)
		change(m)
		if err := m.Check(); err == nil || fault.KindOf(err) == fault.Internal {
			t.Errorf("%s: %v", name, err)
		}
		if h, err := m.Hash(); err == nil && h == e.hash {
			t.Errorf("%s: the hash does not cover it", name)
		}
	}
}

func FuzzDecodePaper(f *testing.F) {
	e := newElection(f, 1, 1, 3)
	f.Add(e.seal(0, "leader", []int{1, 0, 0, 0, 0}))
	f.Add(e.seal(0, "motion", []int{1, 0}))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := sealed.DecodePaper(raw)
		if err != nil {
			if fault.KindOf(err) == fault.Internal {
				t.Fatal(err)
			}
			return
		}
		// What decodes is what its fields say, and nothing else.
		b := append([]byte{1}, p.Manifest[:]...)
		b = append(append(b, byte(len(p.Contest))), p.Contest...)
		b = append(append(b, byte(len(p.Section))), p.Section...)
		b = append(append(b, p.Key[:]...), p.Previous[:]...)
		b = binary.BigEndian.AppendUint32(b, p.Sequence)
		form := byte(1)
		if p.Sum {
			form = 2
		}
		b = binary.BigEndian.AppendUint16(append(b, form), uint16(len(p.Pairs)/64))
		b = append(append(append(b, p.Pairs...), p.Proof...), p.Signature...)
		if !bytes.Equal(b, raw) {
			t.Fatal("a paper has bytes that no field has")
		}
		e.checker.Check(p)
	})
}
