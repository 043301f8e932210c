package keygen_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/proof"
)

type hall struct {
	t   *testing.T
	g   *ristretto.Group
	p   keygen.Params
	ids []keygen.Identity
	c   *keygen.Ceremony
}

func newHall(t *testing.T, n, threshold int) *hall {
	h := &hall{t: t, g: ristretto.New(), p: keygen.Params{Manifest: [32]byte{7}, Threshold: threshold}}
	for range n {
		id := keygen.NewIdentity()
		h.ids = append(h.ids, id)
		h.p.Sign, h.p.Seal = append(h.p.Sign, id.Sign().Public(h.g)), append(h.p.Seal, id.Seal().Public(h.g))
	}
	var err error
	h.c, err = keygen.NewCeremony(h.g, h.p)
	h.must(err)
	return h
}

func (h *hall) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *hall) member(j int) *keygen.Member {
	h.t.Helper()
	m, err := keygen.NewMember(h.g, h.p, h.ids[j-1])
	h.must(err)
	return m
}

// message gives what trustee j honestly posts now.
func (h *hall) message(j int) []byte {
	h.t.Helper()
	m := h.member(j)
	var raw []byte
	var err error
	switch h.c.Phase() {
	case keygen.Commit:
		raw, err = m.Commit()
	case keygen.Reveal:
		raw, err = m.Reveal()
	case keygen.Verdict:
		raw, err = m.Verdict(h.c)
	case keygen.Reply:
		raw, err = m.Answer(h.c)
	default:
		raw, err = m.Confirm(h.c)
	}
	h.must(err)
	return raw
}

// rest has everybody who is waited for do what they should, but those named.
func (h *hall) rest(but ...int) {
	h.t.Helper()
	for _, j := range h.c.Waiting() {
		if !slices.Contains(but, j) {
			h.must(h.c.Post(h.message(j)))
		}
	}
}

func (h *hall) finish(but ...int) {
	h.t.Helper()
	for h.c.Phase() != keygen.Done {
		h.rest(but...)
		h.must(h.c.Next(len(but) > 0))
	}
}

// forge changes a message and signs it again as trustee j.
func (h *hall) forge(j int, raw []byte, change func(*keygen.Message)) []byte {
	h.t.Helper()
	var m keygen.Message
	h.must(json.Unmarshal(raw, &m))
	change(&m)
	m.Signature = nil
	b, err := minutes.Canonical(&m)
	h.must(err)
	m.Signature = proof.Sign(h.g, h.ids[j-1].Sign(), "keygen", b)
	b, err = minutes.Canonical(&m)
	h.must(err)
	return b
}

func (h *hall) refused(raw []byte, kind fault.Kind, what string) {
	h.t.Helper()
	err := h.c.Post(raw)
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), what) {
		h.t.Errorf("wanted %s, %q: %v", kind, what, err)
	}
}

// opens checks that the shares of these trustees make up the joint key.
func (h *hall) opens(js ...int) bool {
	h.t.Helper()
	joint, err := h.c.Joint()
	h.must(err)
	var sum ristretto.Scalar
	for _, j := range js {
		x, err := h.member(j).Share(h.c)
		h.must(err)
		public, err := h.c.Public(j)
		h.must(err)
		if x.Public(h.g) != public {
			h.t.Errorf("share %d does not fit its verification key", j)
		}
		l := proof.Number(1)
		for _, k := range js {
			if k != j {
				top, a, b := proof.Number(uint64(k)), proof.Number(uint64(k)), proof.Number(uint64(j))
				a.Subtract(&a, &b)
				a.Invert(&a)
				l.Multiply(&l, top.Multiply(&top, &a))
			}
		}
		sum.MultiplyAdd(&l, x.Scalar(), &sum)
	}
	return proof.SecretOf(sum).Public(h.g) == joint
}

func TestAnyThresholdOpens(t *testing.T) {
	for _, c := range [][2]int{{1, 1}, {2, 2}, {3, 2}, {5, 3}} {
		h := newHall(t, c[0], c[1])
		h.finish()
		all := []int{1, 2, 3, 4, 5}[:c[0]]
		for start := range all {
			some := append(slices.Clone(all[start:]), all[:start]...)[:c[1]]
			if !h.opens(some...) {
				t.Errorf("%d of %d: trustees %v do not make up the key", c[1], c[0], some)
			}
			if c[1] > 1 && h.opens(some[:c[1]-1]...) {
				t.Errorf("%d of %d: trustees %v are too few and make up the key", c[1], c[0], some[:c[1]-1])
			}
		}
	}
	if w := (&keygen.Params{Threshold: 1}).Warnings(); len(w) != 1 {
		t.Error("a lone trustee is not warned of")
	}
}

func TestParams(t *testing.T) {
	g := ristretto.New()
	k := proof.NewSecret().Public(g)
	keys := func(n int) [][32]byte { return slices.Repeat([][32]byte{k}, n) }
	for _, p := range []keygen.Params{
		{}, {Threshold: 1, Sign: keys(2), Seal: keys(2)}, {Threshold: 2, Sign: keys(4), Seal: keys(4)}, {Threshold: 3, Sign: keys(2), Seal: keys(2)},
		{Threshold: 9, Sign: keys(16), Seal: keys(16)}, {Threshold: 2, Sign: keys(2), Seal: keys(1)},
		{Threshold: 1, Sign: [][32]byte{{}}, Seal: keys(1)}, {Threshold: 1, Sign: keys(1), Seal: [][32]byte{{0xff}}},
	} {
		if _, err := keygen.NewCeremony(g, p); !fault.Is(err, fault.Invalid) {
			t.Errorf("%d of %d: %v", p.Threshold, len(p.Sign), err)
		}
	}
}

// Two of five vanish, at every phase: the others make the key.
func TestTrusteesVanish(t *testing.T) {
	for _, from := range []keygen.Kind{keygen.Commit, keygen.Reveal, keygen.Verdict, keygen.Confirm} {
		h := newHall(t, 5, 3)
		for h.c.Phase() != keygen.Done {
			if h.c.Phase() == from || h.c.Phase() == keygen.Confirm {
				h.rest(2, 4)
				if len(h.c.Waiting()) > 0 {
					if err := h.c.Next(false); !fault.Is(err, fault.TooEarly) {
						t.Errorf("%s ends without two of them: %v", h.c.Phase(), err)
					}
				}
			} else {
				h.rest()
			}
			h.must(h.c.Next(true))
		}
		if !h.opens(1, 3, 5) {
			t.Errorf("gone from %s on: the others do not make up the key", from)
		}
		out := slices.Sorted(maps.Keys(h.c.Disqualified()))
		if early := from == keygen.Commit || from == keygen.Reveal; early != slices.Equal(out, []int{2, 4}) || !early && len(out) > 0 {
			t.Errorf("gone from %s on: %v are disqualified", from, out)
		}
	}
}

func TestTooFewLeft(t *testing.T) {
	h := newHall(t, 3, 2)
	h.rest(2, 3)
	if err := h.c.Next(true); !fault.Is(err, fault.Conflict) {
		t.Errorf("goes on with one of two: %v", err)
	}
	if h.c.Phase() != keygen.Commit {
		t.Error("the phase has changed")
	}
}

// Who waits to see what the others reveal cannot change their own part.
func TestRushingTrustee(t *testing.T) {
	h := newHall(t, 3, 2)
	h.rest()
	h.must(h.c.Next(false))
	h.rest(3) // the others have revealed; trustee 3 knows all
	raw := h.message(3)
	other := proof.NewSecret().Public(h.g)
	h.refused(h.forge(3, raw, func(m *keygen.Message) { copy(m.Coefficients, other[:]) }), fault.Invalid, "something else than was committed to")
	h.refused(h.forge(3, raw, func(m *keygen.Message) { m.Salt[0]++ }), fault.Invalid, "something else")
	h.must(h.c.Next(true))
	if h.c.Disqualified()[3] == "" {
		t.Error("trustee 3 is still in")
	}
	h.refused(raw, fault.NotEntitled, "disqualified")
	h.finish(3)
	if !h.opens(1, 2) {
		t.Error("the others do not make up the key")
	}
}

// Whoever commits to the difference to another's contribution, to cancel it,
// cannot prove to know its logarithm; nor does another's proof do.
func TestCopiedContribution(t *testing.T) {
	h := newHall(t, 3, 2)
	var first keygen.Message
	reveal, err := h.member(1).Reveal()
	h.must(err)
	h.must(json.Unmarshal(reveal, &first))
	for j := 1; j <= 2; j++ {
		h.must(h.c.Post(h.message(j)))
	}
	salt := bytes.Repeat([]byte{1}, 32)
	commit := keygen.CommitmentHash(h.p.Manifest, 3, salt, first.Coefficients)
	h.must(h.c.Post(h.forge(3, h.message(3), func(m *keygen.Message) { m.Commit = commit })))
	h.must(h.c.Next(false))
	h.must(h.c.Post(reveal))
	copied := h.forge(3, h.message(3), func(m *keygen.Message) {
		m.Salt, m.Coefficients, m.Knows = salt, first.Coefficients, first.Knows
	})
	h.refused(copied, fault.Invalid, "does not prove to know")
}

// A wrong share is complained of; shown rightly, the trustee stays in.
func TestWrongShare(t *testing.T) {
	h := newHall(t, 3, 2)
	h.rest()
	h.must(h.c.Next(false))
	h.rest(1)
	h.must(h.c.Post(h.forge(1, h.message(1), func(m *keygen.Message) { m.Shares[1][40] ^= 1 })))
	h.must(h.c.Next(false))
	h.rest()
	h.must(h.c.Next(false))
	if w := h.c.Waiting(); !slices.Equal(w, []int{1}) {
		t.Fatalf("waiting for %v", w)
	}
	raw := h.message(1)
	h.refused(h.forge(1, raw, func(m *keygen.Message) { m.Answers[0].Share[0] ^= 1 }), fault.Invalid, "does not fit")
	h.refused(h.forge(1, raw, func(m *keygen.Message) { m.Answers[0].To = 3 }), fault.Invalid, "has not complained")
	h.refused(h.forge(1, raw, func(m *keygen.Message) { m.Answers = nil }), fault.Invalid, "without an answer")
	h.refused(h.forge(1, raw, func(m *keygen.Message) { m.Answers[0].Share = bytes.Repeat([]byte{0xff}, 32) }), fault.Invalid, "no number")
	h.must(h.c.Post(raw))
	h.must(h.c.Next(false))
	h.finish()
	for _, pair := range [][]int{{1, 2}, {2, 3}, {1, 3}} {
		if !h.opens(pair...) {
			t.Errorf("trustees %v do not make up the key", pair)
		}
	}
}

// A complaint that is not answered disqualifies, and the key is made of the
// others' parts alone.
func TestComplaintUnanswered(t *testing.T) {
	h := newHall(t, 5, 3)
	h.rest()
	h.must(h.c.Next(false))
	h.rest(4)
	h.must(h.c.Post(h.forge(4, h.message(4), func(m *keygen.Message) { m.Shares[0] = bytes.Repeat([]byte{9}, len(m.Shares[0])) })))
	h.must(h.c.Next(false))
	h.rest()
	h.must(h.c.Next(false))
	h.must(h.c.Next(true))
	if why := h.c.Disqualified()[4]; !strings.Contains(why, "complaint") {
		t.Errorf("trustee 4: %q", why)
	}
	h.finish(4)
	if !h.opens(1, 2, 3) || !h.opens(2, 3, 5) {
		t.Error("the others do not make up the key")
	}
}

// A false complaint costs its target nothing but showing the one share.
func TestFalseComplaint(t *testing.T) {
	h := newHall(t, 3, 2)
	h.rest()
	h.must(h.c.Next(false))
	h.rest()
	h.must(h.c.Next(false))
	h.rest(2)
	raw := h.message(2)
	for _, complaints := range [][]int{{2}, {0}, {4}, {3, 1}, {1, 1}} {
		h.refused(h.forge(2, raw, func(m *keygen.Message) { m.Complaints = complaints }), fault.Invalid, "cannot be complained of")
	}
	h.must(h.c.Post(h.forge(2, raw, func(m *keygen.Message) { m.Complaints = []int{1, 3} })))
	h.must(h.c.Next(false))
	h.finish()
	if len(h.c.Disqualified()) > 0 || !h.opens(1, 3) || !h.opens(2, 3) {
		t.Error("a false complaint did harm")
	}
}

func TestMessagesOutOfPlace(t *testing.T) {
	h := newHall(t, 3, 2)
	raw := h.message(1)
	reveal, err := h.member(1).Reveal()
	h.must(err)
	h.refused(reveal, fault.Conflict, `is at "commit"`)
	h.refused(h.forge(2, raw, func(*keygen.Message) {}), fault.Invalid, "not signed")
	h.refused(h.forge(1, raw, func(m *keygen.Message) { m.Manifest = strings.Repeat("0", 64) }), fault.Invalid, "another key generation")
	h.refused(h.forge(1, raw, func(m *keygen.Message) { m.From = 4 }), fault.Invalid, "another key generation")
	h.refused(h.forge(1, raw, func(m *keygen.Message) { m.Commit = m.Commit[1:] }), fault.Invalid, "64 bytes")
	h.refused(h.forge(1, raw, func(m *keygen.Message) { m.Digest = []byte{1} }), fault.Invalid, "does not belong")
	h.refused(append([]byte(" "), raw...), fault.Invalid, "")
	h.refused(bytes.Repeat([]byte{'x'}, keygen.MaxMessage+1), fault.TooMuch, "")
	h.must(h.c.Post(raw))
	h.refused(raw, fault.Already, "already")
	if _, err := h.c.Joint(); !fault.Is(err, fault.TooEarly) {
		t.Errorf("a key before its time: %v", err)
	}
	if _, err := h.member(1).Share(h.c); !fault.Is(err, fault.TooEarly) {
		t.Errorf("a share before its time: %v", err)
	}
}

// Trustees who were shown different messages do not confirm the same.
func TestTwoBoards(t *testing.T) {
	h := newHall(t, 3, 2)
	other := &hall{t: t, g: h.g, p: h.p, ids: slices.Clone(h.ids)}
	var err error
	other.c, err = keygen.NewCeremony(h.g, h.p)
	h.must(err)
	h.rest()
	other.rest(3)
	h.must(h.c.Next(false))
	other.must(other.c.Next(true)) // trustee 3 is hidden from the others
	for h.c.Phase() != keygen.Confirm {
		h.rest()
		h.must(h.c.Next(false))
	}
	for other.c.Phase() != keygen.Confirm {
		other.rest(3)
		other.must(other.c.Next(true))
	}
	raw, err := other.member(1).Confirm(other.c)
	h.must(err)
	h.refused(raw, fault.Invalid, "have not seen the same messages")
}

// A program that was interrupted goes on from the board and the identity.
func TestResume(t *testing.T) {
	h := newHall(t, 3, 2)
	h.finish()
	id, err := keygen.IdentityFrom(h.ids[0].Expose())
	h.must(err)
	m, err := keygen.NewMember(h.g, h.p, id)
	h.must(err)
	a, err := m.Share(h.c)
	h.must(err)
	b, err := h.member(1).Share(h.c)
	h.must(err)
	if !bytes.Equal(a.Expose(), b.Expose()) {
		t.Error("another share after reading the identity again")
	}
	if _, err := keygen.IdentityFrom(nil); err == nil {
		t.Error("an identity of nothing")
	}
	if _, err := keygen.NewMember(h.g, h.p, keygen.NewIdentity()); !fault.Is(err, fault.NotEntitled) {
		t.Errorf("a stranger takes part: %v", err)
	}
}

func TestIdentityIsNotShown(t *testing.T) {
	id := keygen.NewIdentity()
	seed := fmt.Sprintf("%x", id.Expose())
	h := struct{ id keygen.Identity }{id}
	for _, v := range []any{id, &id, h, &h} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s", "%d"} {
			if s := fmt.Sprintf(verb, v); strings.Contains(s, seed[:16]) || strings.Contains(s, strings.Trim(fmt.Sprint(id.Expose()[:4]), "[]")) {
				t.Errorf("%s shows the seed: %s", verb, s)
			}
		}
	}
	if _, err := json.Marshal(id); err == nil {
		t.Error("an identity is written as JSON")
	}
	if keygen.Fingerprint(id.Sign().Public(ristretto.New()), [32]byte{}) == keygen.Fingerprint(id.Sign().Public(ristretto.New()), [32]byte{1}) {
		t.Error("one fingerprint for two keys")
	}
}

func FuzzPost(f *testing.F) {
	f.Add([]byte(`{"v":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		h := newHall(t, 1, 1)
		if err := h.c.Post(raw); err == nil {
			t.Fatal("a message that nobody signed is taken")
		}
	})
}
