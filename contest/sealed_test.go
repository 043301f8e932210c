package contest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/omov/omov/bundle/bundletest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/group"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/mixing"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/sealing"
	"github.com/omov/omov/store/storetest"
)

// sealedBook is the very small society with sealed ballots.
func sealedBook(method string) string {
	return strings.NewReplacer("how: box", "how: sealed", "method: av", "method: "+method).Replace(smallBook)
}

// seal makes a voter's paper as their page does. marks are numbers an option.
func (h *house) seal(ref string, p register.PersonID, marks []int) []byte {
	h.t.Helper()
	given, err := h.s.SealedSeat(h.ctx, ref, p, 0, "")
	if err != nil {
		h.t.Fatal(err)
	}
	code, err := sealed.ReadCode(given.Code)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.sealWith(ref, given, code, marks)
}

func (h *house) sealWith(ref string, given *sealing.Given, code sealed.Code, marks []int) []byte {
	h.t.Helper()
	g := ristretto.New()
	m, err := sealed.DecodeManifest([]byte(given.Manifest))
	if err != nil {
		h.t.Fatal(err)
	}
	hash, _ := m.Hash()
	key := code.Key(hash, given.Section)
	seat, err := h.s.SealedCredential(h.ctx, ref, key.Public(g))
	if err != nil || !seat.Listed {
		h.t.Fatalf("the credential is not listed: %v", err)
	}
	b := &sealed.Ballot{Group: g, Manifest: m, Contest: given.Contest, Section: given.Section, Sequence: uint32(seat.Sequence) + 1}
	copy(b.Key[:], unhex(h.t, given.Key))
	copy(b.Previous[:], unhex(h.t, seat.Previous))
	raw, _, err := b.Seal(marks, key)
	if err != nil {
		h.t.Fatal(err)
	}
	return raw
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (h *house) post(ref string, raw []byte) sealing.Receipt {
	h.t.Helper()
	r, err := h.s.SealedPost(h.ctx, ref, raw)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func (h *house) refusedPaper(ref string, raw []byte, want sealed.Reason) {
	h.t.Helper()
	_, err := h.s.SealedPost(h.ctx, ref, raw)
	var r *sealed.Refusal
	if !errors.As(err, &r) || r.Reason != want {
		h.t.Errorf("want a paper refused as %s, got %v", want, err)
	}
}

// The server plays every part: a sealed ballot from the call to the result.
func TestSealedByTheServerAlone(t *testing.T) {
	for _, method := range []string{"av", "plurality", "approval"} {
		t.Run(method, func(t *testing.T) {
			h := smallHouse(t, sealedBook(method), 12)
			ref := h.election()
			b := h.state(ref).OpenBallot()
			if b == nil || !b.Sealed() || !b.Seal.Server || !b.Seal.Registrar {
				t.Fatalf("no sealed ballot is open: %+v", h.state(ref))
			}
			h.refuse(fault.NotEntitled, h.cast(ref, h.members[0], 0))
			for i := range 7 {
				marks := []int{1, 0}
				if i < 4 {
					marks = []int{0, 1}
				}
				h.post(ref, h.seal(ref, h.members[i], marks))
			}
			raw := h.seal(ref, h.members[6], []int{0, 1}) // changes their vote
			first, second := h.post(ref, raw), h.post(ref, raw)
			if !second.Again || first.Seq != second.Seq {
				t.Errorf("the same paper twice: %+v %+v", first, second)
			}
			h.post(ref, h.seal(ref, h.members[7], []int{0, 0})) // blank
			found, err := h.s.SealedPaper(h.ctx, ref, [32]byte(unhex(t, first.Hash)))
			if err != nil || !found.Standing {
				t.Errorf("the paper is not found: %+v %v", found, err)
			}
			st := h.closeSmall(ref)
			if st.Outcome != proceeding.Elected || st.Elected[0].ID != b.Options[1].ID {
				t.Fatalf("five of eight marked the second: %s %v", st.Outcome, st.Elected)
			}
			if y := st.Ballots[0].Returned; len(y) != 1 || y[0].Papers != 8 {
				t.Errorf("returned %+v", y)
			}
			h.refusedPaper(ref, raw, sealed.AfterClose)
			h.replayed()
		})
	}
}

func TestSealedPapersAreRefusedWithReason(t *testing.T) {
	h := smallHouse(t, sealedBook("av"), 12)
	ref := h.election()
	good := h.seal(ref, h.members[0], []int{1, 2})
	stale := h.seal(ref, h.members[0], []int{2, 1})
	h.post(ref, good)
	h.refusedPaper(ref, stale, sealed.Stale)
	h.refusedPaper(ref, good[:len(good)-1], sealed.Malformed)
	broken := slices.Clone(h.seal(ref, h.members[1], []int{1, 0}))
	broken[len(broken)-40] ^= 1
	h.refusedPaper(ref, broken, sealed.Unproved)
	given, err := h.s.SealedSeat(h.ctx, ref, h.members[2], 0, "")
	if err != nil {
		t.Fatal(err)
	}
	h.refusedPaper(ref, forged(t, given), sealed.Unlisted)
	h.refusedPaper(ref, make([]byte, sealed.MaxPaper+1), sealed.Malformed)
	for i := 1; i < 6; i++ {
		h.post(ref, h.seal(ref, h.members[i], []int{1, 0}))
	}
	h.closeSmall(ref)
	var shut proceeding.ShutBody
	h.entry(ref, proceeding.KindBallotShut, &shut)
	want := map[string]int64{"stale": 1, "malformed": 1, "unproved": 1, "unlisted": 1}
	if fmt.Sprint(shut.Refused) != fmt.Sprint(want) {
		t.Errorf("refused %v, want %v", shut.Refused, want)
	}
	h.replayed()
}

// forged is a paper under a code that the registrar never made.
func forged(t *testing.T, given *sealing.Given) []byte {
	t.Helper()
	m, err := sealed.DecodeManifest([]byte(given.Manifest))
	if err != nil {
		t.Fatal(err)
	}
	hash, _ := m.Hash()
	b := &sealed.Ballot{Group: ristretto.New(), Manifest: m, Contest: given.Contest, Section: given.Section, Sequence: 1, Previous: hash}
	copy(b.Key[:], unhex(t, given.Key))
	raw, _, err := b.Seal([]int{1, 0}, sealed.NewCode().Key(hash, given.Section))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestTooFewSealedPapersAreNotOpened(t *testing.T) {
	h := smallHouse(t, sealedBook("av"), 12)
	ref := h.election()
	for i := range 4 {
		h.post(ref, h.seal(ref, h.members[i], []int{1, 2}))
	}
	st := h.closeSmall(ref)
	if st.Outcome != proceeding.Unopened || !st.Ballots[0].Unopened || st.Ballots[0].Seal.Opened {
		t.Fatalf("four of twelve voted, five are needed: %s", st.Outcome)
	}
	h.replayed()
}

// trustee is one in a test: what the trustee's program does, without its care.
type trustee struct {
	id   keygen.Identity
	name string
}

func (h *house) name(n, threshold, mixers int) []trustee {
	h.t.Helper()
	g := ristretto.New()
	var out []trustee
	body := proceeding.TrusteesBody{Threshold: threshold}
	for i := range n {
		x := trustee{keygen.NewIdentity(), "Trustee " + string(rune('A'+i))}
		out = append(out, x)
		sign, seal := x.id.Sign().Public(g), x.id.Seal().Public(g)
		body.Trustees = append(body.Trustees, proceeding.Trustee{Name: x.name, Sign: hex.EncodeToString(sign[:]), Seal: hex.EncodeToString(seal[:])})
		if i < mixers {
			body.Mixers = append(body.Mixers, x.name)
		}
	}
	if err := h.s.NameTrustees(h.ctx, as(h.officers[0]), body); err != nil {
		h.t.Fatal(err)
	}
	return out
}

// ceremony follows the board and lets those who are there do their part.
func (h *house) ceremony(ref string, there []trustee) {
	h.t.Helper()
	g := ristretto.New()
	for range 30 {
		b, err := h.s.SealedBoard(h.ctx, ref)
		if err != nil {
			h.t.Fatal(err)
		}
		if b.Key != "" {
			return
		}
		m, err := sealed.DecodeManifest([]byte(b.Manifest))
		if err != nil {
			h.t.Fatal(err)
		}
		hash, _ := m.Hash()
		did := false
		for _, x := range there {
			if !slices.Contains(b.Ceremony.Waiting, x.name) {
				continue
			}
			did = true
			member, err := keygen.NewMember(g, m.Ceremony(hash), x.id)
			if err != nil {
				h.t.Fatal(err)
			}
			raw, err := member.Next(h.follow(m, hash, b))
			if err == nil {
				err = h.s.SealedMessage(h.ctx, ref, raw)
			}
			if err != nil {
				h.t.Fatal(err)
			}
			break
		}
		if !did {
			if err := h.s.EndSealedPhase(h.ctx, ref, as(h.officers[0])); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	h.t.Fatal("the key is not made")
}

func (h *house) follow(m *sealed.Manifest, hash [32]byte, b *sealing.Board) *keygen.Ceremony {
	h.t.Helper()
	c, err := keygen.NewCeremony(ristretto.New(), m.Ceremony(hash))
	if err != nil {
		h.t.Fatal(err)
	}
	ended := b.Ceremony.Ended
	for i := 0; i <= len(b.Ceremony.Messages); i++ {
		for len(ended) > 0 && ended[0].After == i {
			if err := c.Next(true); err != nil {
				h.t.Fatal(err)
			}
			ended = ended[1:]
		}
		if i == len(b.Ceremony.Messages) {
			return c
		}
		if err := c.Post(b.Ceremony.Messages[i]); err != nil {
			h.t.Fatal(err)
		}
		for c.Phase() != keygen.Done && len(c.Waiting()) == 0 {
			if err := c.Next(false); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	return c
}

// deeds lets those who are there do what is waited for.
func (h *house) deeds(ref string, there []trustee) *sealing.Board {
	h.t.Helper()
	for range 40 {
		b, err := h.s.SealedBoard(h.ctx, ref)
		if err != nil {
			h.t.Fatal(err)
		}
		i := slices.IndexFunc(b.Next, func(w sealing.Waits) bool {
			return slices.ContainsFunc(there, func(x trustee) bool { return x.name == w.Trustee })
		})
		if i < 0 {
			return b
		}
		h.deed(ref, b, b.Next[i], there)
	}
	h.t.Fatal("the trustees do not come to an end")
	return nil
}

func (h *house) deed(ref string, b *sealing.Board, do sealing.Waits, there []trustee) {
	h.t.Helper()
	g := ristretto.New()
	x := there[slices.IndexFunc(there, func(x trustee) bool { return x.name == do.Trustee })]
	m, err := sealed.DecodeManifest([]byte(b.Manifest))
	if err != nil {
		h.t.Fatal(err)
	}
	hash, _ := m.Hash()
	closing := [32]byte(unhex(h.t, b.Closing.Hash))
	var about []byte
	if do.Does != sealed.Witness {
		about = h.work(ref, b, m, hash, closing, do, x)
	}
	raw, err := sealed.NewDeed(hash, closing, x.name, do.Does, do.Group, about).Sign(g, x.id.Sign())
	if err == nil {
		err = h.s.SealedDeed(h.ctx, ref, raw, about)
	}
	if err != nil {
		h.t.Fatalf("%s %s %s: %v", x.name, do.Does, do.Group, err)
	}
}

// work makes a mix or shares.
func (h *house) work(ref string, b *sealing.Board, m *sealed.Manifest, hash, closing [32]byte, do sealing.Waits, x trustee) []byte {
	h.t.Helper()
	g := ristretto.New()
	part := strings.Split(do.Group, "/")
	pairs, err := h.s.SealedInput(h.ctx, ref, part[1], part[2])
	if err != nil {
		h.t.Fatal(err)
	}
	st := &mixing.Statement{Manifest: hash, Closing: closing, Group: do.Group, Key: [32]byte(unhex(h.t, b.Key)), Width: m.Contests[0].Slots(), In: pairs}
	if h.checked {
		h.checkMixes(ref, b, st)
	}
	for _, d := range b.Deeds {
		if d.Kind != sealed.Mix || d.Group != do.Group || h.checked {
			continue
		}
		bytes, err := h.s.SealedDeedBytes(h.ctx, ref, d.N)
		if err != nil {
			h.t.Fatal(err)
		}
		st.Mixer = d.From
		if _, err := mixing.Decode(st, bytes); err != nil {
			h.t.Fatal(err)
		}
		st.In, st.Out = slices.Clone(st.Out), nil
		st.Position++
	}
	if do.Does == sealed.Mix {
		st.Mixer = x.name
		p, err := mixing.Shuffle(g, st)
		if err != nil {
			h.t.Fatal(err)
		}
		return p.Encode(st)
	}
	if m.Contests[0].Form == sealed.FormSum {
		if st.In, err = sealed.AddUp(g, &m.Contests[0], st.In); err != nil {
			h.t.Fatal(err)
		}
	}
	member, err := keygen.NewMember(g, m.Ceremony(hash), x.id)
	if err != nil {
		h.t.Fatal(err)
	}
	share, err := member.Share(h.follow(m, hash, b))
	if err != nil {
		h.t.Fatal(err)
	}
	o := &sealed.Opening{Manifest: hash, Closing: closing, Group: do.Group, Pairs: st.In}
	sh, err := o.MakeShares(g, group.Backends()[0], member.Index(), share)
	if err != nil {
		h.t.Fatal(err)
	}
	return sh.Encode()
}

// Five trustees, three of whom open. One never makes a key, so the phase is
// ended for them; another, a mixer, vanishes after the close and is excused.
func TestSealedByTrusteesOfWhomTwoVanish(t *testing.T) {
	h := smallHouse(t, sealedBook("av"), 12)
	all := h.name(5, 3, 3)
	st := h.must(h.s.Call(h.ctx, proceeding.Begin{Procedure: "election", By: as(h.officers[0])}))
	ref := st.Ref
	for i := range 2 {
		h.must(h.s.Do(h.ctx, ref, proceeding.Back{By: as(h.members[i]), Candidate: h.members[i]}))
	}
	h.pass(h.state(ref).Due())
	if b := h.state(ref).OpenBallot(); b != nil {
		t.Fatal("the ballot is open, and there is no key")
	}
	h.pass(h.ch.Now().UnixMilli() + 36*3600_000) // the trustees take their time
	h.ceremony(ref, []trustee{all[0], all[1], all[2], all[4]})
	b := h.state(ref).OpenBallot()
	if b == nil || b.Seal.Server || !b.Seal.Registrar {
		t.Fatalf("the ballot is not open: %+v", h.state(ref).Now())
	}
	if b.Closes-b.Opened < 2*24*3600_000 {
		t.Errorf("a ballot that opens late has its whole window, not %d ms", b.Closes-b.Opened)
	}
	for i := range 8 {
		h.post(ref, h.seal(ref, h.members[i], [][]int{{1, 2}, {0, 1}}[i%2]))
	}
	h.pass(b.Closes)
	h.must(h.s.Close(h.ctx, ref, as(h.officers[0])))
	there := []trustee{all[0], all[2], all[4]}
	if x := h.deeds(ref, there); x.Phase != sealing.Mixing || len(x.Next) != 1 || x.Next[0].Trustee != all[1].name {
		t.Fatalf("the second mixer is waited for: %+v", x.Next)
	}
	h.refuse(fault.NotEntitled, h.s.ExcuseMixer(h.ctx, ref, as(h.members[3]), all[1].name, "I say so"))
	if err := h.s.ExcuseMixer(h.ctx, ref, as(h.officers[0]), all[1].name, "No answer to three letters."); err != nil {
		t.Fatal(err)
	}
	h.refuse(fault.Conflict, h.s.ExcuseMixer(h.ctx, ref, as(h.officers[0]), all[2].name, "Neither."))
	if x := h.deeds(ref, there); x.Phase != sealing.Counted {
		t.Fatalf("%s, and waits for %+v", x.Phase, x.Next)
	}
	if st = h.state(ref); st.Phase != proceeding.Ended || st.Ballots[0].Counted == 0 {
		t.Fatalf("%s %s", st.Phase, st.Outcome)
	}
	h.replayed()
}

// What a hostile trustee sends is refused with its reason, and enters nothing.
func TestFalseDeedsAreRefused(t *testing.T) {
	h := smallHouse(t, sealedBook("av"), 12)
	all := h.name(3, 2, 2)
	ref := h.election()
	h.ceremony(ref, all)
	for i := range 6 {
		h.post(ref, h.seal(ref, h.members[i], []int{1, 2}))
	}
	h.pass(h.state(ref).OpenBallot().Closes)
	h.must(h.s.Close(h.ctx, ref, as(h.officers[0])))
	b, err := h.s.SealedBoard(h.ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	m, _ := sealed.DecodeManifest([]byte(b.Manifest))
	hash, _ := m.Hash()
	closing := [32]byte(unhex(t, b.Closing.Hash))
	g := ristretto.New()
	send := func(want fault.Kind, by trustee, closing [32]byte, from, kind, group string, signer proof.Secret, about []byte) {
		t.Helper()
		raw, err := sealed.NewDeed(hash, closing, from, kind, group, about).Sign(g, signer)
		if err != nil {
			t.Fatal(err)
		}
		h.refuse(want, h.s.SealedDeed(h.ctx, ref, raw, about))
	}
	group := "vote/voters/v1"
	send(fault.Invalid, all[0], closing, all[1].name, sealed.Witness, "", all[0].id.Sign(), nil)                    // another's name
	send(fault.Invalid, all[0], sha256.Sum256([]byte("x")), all[0].name, sealed.Witness, "", all[0].id.Sign(), nil) // another close
	send(fault.TooEarly, all[0], closing, all[0].name, sealed.Mix, group, all[0].id.Sign(), []byte("omov mix 1\n")) // nobody has witnessed
	for _, x := range all[:2] {
		h.deed(ref, b, sealing.Waits{Trustee: x.name, Does: sealed.Witness}, all)
	}
	h.deed(ref, b, sealing.Waits{Trustee: all[0].name, Does: sealed.Witness}, all) // sent twice does no harm
	b, _ = h.s.SealedBoard(h.ctx, ref)
	mix := h.work(ref, b, m, hash, closing, sealing.Waits{Trustee: all[0].name, Does: sealed.Mix, Group: group}, all[0])
	send(fault.TooEarly, all[1], closing, all[1].name, sealed.Mix, group, all[1].id.Sign(), mix) // not their turn
	for _, at := range []int{20, len(mix) / 2, len(mix) - 5} {
		bad := slices.Clone(mix)
		bad[at] ^= 1
		send(fault.Invalid, all[0], closing, all[0].name, sealed.Mix, group, all[0].id.Sign(), bad)
	}
	send(fault.TooEarly, all[0], closing, all[0].name, sealed.Open, group, all[0].id.Sign(), mix)
	now, _ := h.s.SealedBoard(h.ctx, ref)
	if len(now.Deeds) != 2 {
		t.Errorf("%d deeds are on the board, two witnesses are right", len(now.Deeds))
	}
	if x := h.deeds(ref, all); x.Phase != sealing.Counted {
		t.Fatalf("%s", x.Phase)
	}
	bundletest.Holds(t, h.ctx, h.ch)
}

// Who has no credential, or is no trustee, is turned away before anything is
// computed or read for them.
func TestStrangersCostNothing(t *testing.T) {
	h := smallHouse(t, sealedBook("av"), 12)
	ref := h.election()
	given, err := h.s.SealedSeat(h.ctx, ref, h.members[2], 0, "")
	if err != nil {
		t.Fatal(err)
	}
	// The list is looked at before the proof, which here does not hold.
	raw := forged(t, given)
	raw[len(raw)-1] ^= 1
	h.refusedPaper(ref, raw, sealed.Unlisted)
	for i := range 6 {
		h.post(ref, h.seal(ref, h.members[i], []int{1, 2}))
	}
	h.closeSmall(ref)
	for _, deed := range [][]byte{nil, []byte("{}"), make([]byte, sealed.MaxDeed+1)} {
		if n, known, err := h.s.SealedExpects(h.ctx, ref, deed); n != 0 || known || err == nil {
			t.Errorf("%d bytes would be read for a deed that is none: %v", n, err)
		}
	}
}

// The same on PostgreSQL: trustees, changed votes, a mixed and opened result,
// the bundles, and the book replayed into SQLite.
func TestSealedOnPostgreSQL(t *testing.T) {
	h := society(t, houseOn(t, t.TempDir(), storetest.Postgres(t)), sealedBook("av"), 12)
	all := h.name(3, 2, 2)
	ref := h.election()
	h.ceremony(ref, all)
	for i := range 8 {
		h.post(ref, h.seal(ref, h.members[i], [][]int{{1, 2}, {0, 1}}[i%2]))
	}
	h.post(ref, h.seal(ref, h.members[0], []int{0, 1}))
	h.refusedPaper(ref, make([]byte, 200), sealed.Malformed)
	h.pass(h.state(ref).OpenBallot().Closes)
	h.must(h.s.Close(h.ctx, ref, as(h.officers[0])))
	if x := h.deeds(ref, all); x.Phase != sealing.Counted {
		t.Fatalf("%s, and waits for %+v", x.Phase, x.Next)
	}
	if st := h.state(ref); st.Outcome != proceeding.Elected || st.Elected[0].ID != st.Ballots[0].Options[1].ID {
		t.Fatalf("five of eight are for the second: %s %v", st.Outcome, st.Elected)
	}
	h.replayed()
}
