package postbox_test

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/postbox"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/mixing"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/web/sealedtest"
)

// insider is a hostile trustee: a key, and the test does with it what it likes.
type insider struct {
	t  testing.TB
	g  *ristretto.Group
	id keygen.Identity
	s  *sealedtest.Society
}

const mallow = "Mallow"

// withInsider names honest trustees and Mallow at a place among them, and calls
// an election.
func withInsider(t testing.TB, place, mixers int, names ...string) (*insider, []*person, string) {
	t.Helper()
	x := &insider{t: t, g: ristretto.New(), id: keygen.NewIdentity(), s: sealedtest.New(t, "av", 12)}
	all := trustees(t, x.s, len(names)/2+1, len(names), proceeding.Registrar{}, names...)
	var list []proceeding.Trustee
	for _, p := range all {
		r := registration(t, p)
		list = append(list, proceeding.Trustee{Name: p.name, Sign: r.Sign, Seal: r.Seal})
	}
	sign, seal := x.id.Sign().Public(x.g), x.id.Seal().Public(x.g)
	me := proceeding.Trustee{Name: mallow, Sign: hex.EncodeToString(sign[:]), Seal: hex.EncodeToString(seal[:])}
	x.s.NameTrustees(slices.Insert(list, place, me), 2, mixers, proceeding.Registrar{})
	ref := x.s.Call()
	at(all, x.s.Page(ref))
	return x, all, ref
}

func registration(t testing.TB, p *person) postbox.Registration {
	t.Helper()
	f, err := postbox.LookAtTrusteeFile(p.path, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return f.Registration()
}

func (x *insider) manifest(ref string) (*sealed.Manifest, [32]byte) {
	x.t.Helper()
	m, err := sealed.DecodeManifest([]byte(x.s.Board(ref).Manifest))
	if err != nil {
		x.t.Fatal(err)
	}
	hash, err := m.Hash()
	if err != nil {
		x.t.Fatal(err)
	}
	return m, hash
}

func (x *insider) member(ref string) *keygen.Member {
	x.t.Helper()
	m, hash := x.manifest(ref)
	out, err := keygen.NewMember(x.g, m.Ceremony(hash), x.id)
	if err != nil {
		x.t.Fatal(err)
	}
	return out
}

func (x *insider) post(ref string, raw []byte, err error) error {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
	return x.s.Contests.SealedMessage(x.s.Ctx, ref, raw)
}

// again signs a message after changing it.
func (x *insider) again(raw []byte, change func(*keygen.Message)) []byte {
	x.t.Helper()
	var m keygen.Message
	if err := json.Unmarshal(raw, &m); err != nil {
		x.t.Fatal(err)
	}
	change(&m)
	m.Signature = nil
	body, err := minutes.Canonical(&m)
	if err != nil {
		x.t.Fatal(err)
	}
	m.Signature = proof.Sign(x.g, x.id.Sign(), "keygen", body)
	out, err := minutes.Canonical(&m)
	if err != nil {
		x.t.Fatal(err)
	}
	return out
}

func (x *insider) endPhase(ref string) {
	x.t.Helper()
	if err := x.s.Contests.EndSealedPhase(x.s.Ctx, ref, x.s.Secretary()); err != nil {
		x.t.Fatal(err)
	}
}

// A trustee who rushes, and copies what another has committed to, cannot reveal
// it; the key is made without them.
func TestRushingTrustee(t *testing.T) {
	x, all, ref := withInsider(t, 2, 2, "Ash", "Birch")
	together(all)
	var theirs keygen.Message
	if err := json.Unmarshal(x.s.Board(ref).Ceremony.Messages[0], &theirs); err != nil {
		t.Fatal(err)
	}
	commit, err := x.member(ref).Commit()
	if err != nil {
		t.Fatal(err)
	}
	copied := x.again(commit, func(m *keygen.Message) { m.Commit = theirs.Commit })
	if err := x.post(ref, copied, nil); err != nil {
		t.Fatal(err)
	}
	together(all) // they reveal
	var ash keygen.Message
	if err := json.Unmarshal(x.s.Board(ref).Ceremony.Messages[3], &ash); err != nil {
		t.Fatal(err)
	}
	reveal, err := x.member(ref).Reveal()
	if err := x.post(ref, reveal, err); err == nil {
		t.Error("something else was revealed than committed to")
	}
	stolen := x.again(reveal, func(m *keygen.Message) { m.Salt, m.Coefficients, m.Knows = ash.Salt, ash.Coefficients, ash.Knows })
	if err := x.post(ref, stolen, nil); err == nil {
		t.Error("another's part of the key was taken as one's own")
	}
	x.endPhase(ref)
	together(all)
	withoutMallow(x, all, ref)
}

// A wrong share is found by whom it was sent to, and said in public.
func TestTrusteeWhoSendsAWrongShare(t *testing.T) {
	x, all, ref := withInsider(t, 2, 2, "Ash", "Birch")
	commit, err := x.member(ref).Commit()
	if err := x.post(ref, commit, err); err != nil {
		t.Fatal(err)
	}
	together(all)
	reveal, err := x.member(ref).Reveal()
	if err := x.post(ref, x.again(reveal, func(m *keygen.Message) { m.Shares[0] = m.Shares[1] }), err); err != nil {
		t.Fatal(err)
	}
	together(all)
	var said keygen.Message
	b := x.s.Board(ref)
	for _, raw := range b.Ceremony.Messages {
		if err := json.Unmarshal(raw, &said); err == nil && said.Kind == keygen.Verdict && said.From == 1 && !slices.Equal(said.Complaints, []int{3}) {
			t.Errorf("Ash complains of %v", said.Complaints)
		}
	}
	x.endPhase(ref) // Mallow says nothing of the others,
	x.endPhase(ref) // and answers nothing
	together(all)
	withoutMallow(x, all, ref)
}

func withoutMallow(x *insider, all []*person, ref string) {
	x.t.Helper()
	b := x.s.Board(ref)
	if b.Key == "" || !slices.Equal(b.Ceremony.Disqualified, []string{mallow}) {
		x.t.Fatalf("key %q, disqualified %v, waiting %v", b.Key, b.Ceremony.Disqualified, b.Ceremony.Waiting)
	}
	vote(x.s, ref)
	x.s.Close(ref)
	together(all)
	elected(x.s, ref)
}

// keyed makes the key with Mallow doing their part, up to a close that everybody
// has witnessed.
func (x *insider) keyed(ref string, all []*person) {
	x.t.Helper()
	for x.s.Board(ref).Key == "" {
		together(all)
		if did, err := x.s.Contests.SealedDo(x.s.Ctx, ref, mallow, x.id); err != nil || !did {
			x.t.Fatalf("Mallow has nothing to do: %v", err)
		}
	}
	vote(x.s, ref)
	x.s.Close(ref)
	if did, err := x.s.Contests.SealedDo(x.s.Ctx, ref, mallow, x.id); err != nil || !did {
		x.t.Fatal(err)
	}
	for _, p := range all {
		p.works()
	}
}

const votersGroup = "vote/voters/v1"

// statement is what a mixer of the ballot's papers takes.
func (x *insider) statement(ref string, position int, in []byte) *mixing.Statement {
	x.t.Helper()
	b, m := x.s.Board(ref), (*sealed.Manifest)(nil)
	m, hash := x.manifest(ref)
	st := &mixing.Statement{Manifest: hash, Group: votersGroup, Mixer: mallow, Position: position, Width: m.Contests[0].Slots(), In: in}
	copy(st.Key[:], x.unhex(b.Key))
	copy(st.Closing[:], x.unhex(b.Closing.Hash))
	return st
}

func (x *insider) unhex(s string) []byte {
	x.t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		x.t.Fatal(err)
	}
	return b
}

// mix shuffles, with a proof, and signs it.
func (x *insider) mix(st *mixing.Statement) (deed, b []byte) {
	x.t.Helper()
	p, err := mixing.Shuffle(x.g, st)
	if err != nil {
		x.t.Fatal(err)
	}
	b = p.Encode(st)
	return x.deed(st, b), b
}

func (x *insider) deed(st *mixing.Statement, b []byte) []byte {
	x.t.Helper()
	raw, err := sealed.NewDeed(st.Manifest, st.Closing, mallow, sealed.Mix, st.Group, b).Sign(x.g, x.id.Sign())
	if err != nil {
		x.t.Fatal(err)
	}
	return raw
}

// shows has the server be in league with Mallow: after some of the deeds that
// there are it shows one of Mallow's, and the bytes of it.
func (x *insider) shows(keep int, deed, about []byte) {
	x.s.Between(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		if strings.HasSuffix(r.URL.Path, "/sealed/deeds/99") {
			w.Write(about)
			return
		}
		rec := httptest.NewRecorder()
		server.ServeHTTP(rec, r)
		b := rec.Body.Bytes()
		if strings.HasSuffix(r.URL.Path, "/sealed") {
			var board map[string]any
			if err := json.Unmarshal(b, &board); err != nil {
				x.t.Error(err)
			}
			board["deeds"] = append(board["deeds"].([]any)[:keep:keep], map[string]any{"n": 99, "deed": deed, "size": len(about)})
			b, _ = json.Marshal(board)
		}
		w.WriteHeader(rec.Code)
		w.Write(b)
	})
}

// A mixer who drops, doubles or marks papers, in league with a server that
// shows it as a good mix, is found out by the next trustee.
func TestMixerInLeagueWithTheServer(t *testing.T) {
	x, all, ref := withInsider(t, 0, 2, "Ash", "Birch")
	x.keyed(ref, all)
	in, err := x.s.Contests.SealedInput(x.s.Ctx, ref, "voters", "v1")
	if err != nil {
		t.Fatal(err)
	}
	doubled := slices.Clone(in)
	copy(doubled[64:128], doubled[:64])
	ash, words := all[0], []string{"the mix of vote/voters/v1 by Mallow does not hold", "dropped, added or changed"}

	deed, b := x.mix(x.statement(ref, 0, doubled)) // a true proof of other papers
	x.shows(3, deed, b)
	ash.refuses(x.s, words...)
	deed, b = x.mix(x.statement(ref, 0, in[64:]))
	x.shows(3, deed, b)
	ash.refuses(x.s, words...)
	st := x.statement(ref, 0, in)
	_, b = x.mix(st)
	out := len("omov mix 1\n") + 4 + 1 + 6*32
	copy(b[out:out+64], b[out+64:out+128]) // one paper twice, another not
	x.shows(3, x.deed(st, b), b)
	ash.refuses(x.s, words...)
	_, b = x.mix(st)
	copy(b[out:out+32], make([]byte, 32)) // the neutral element marks a paper
	x.shows(3, x.deed(st, b), b)
	ash.refuses(x.s, words...)
	x.s.Between(nil)
	if err := x.s.Contests.SealedDeed(x.s.Ctx, ref, x.deed(st, b), b); err == nil {
		t.Error("the server took such a mix")
	}

	// A mix that holds, and after Ash has mixed it another one in its place.
	deed, b = x.mix(x.statement(ref, 0, in))
	if err := x.s.Contests.SealedDeed(x.s.Ctx, ref, deed, b); err != nil {
		t.Fatal(err)
	}
	lost(x.s, func() {
		if _, err := ash.work(); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("want a mix that does not arrive: %v", err)
		}
	})
	deed, b = x.mix(x.statement(ref, 0, in))
	x.shows(3, deed, b)
	ash.refuses(x.s, "a mix before yours was exchanged")
	x.s.Between(nil)
	together(all)
	elected(x.s, ref)
}

// lost lets nothing that is posted arrive.
func lost(s *sealedtest.Society, while func()) {
	s.Between(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		if r.Method != http.MethodGet {
			panic(http.ErrAbortHandler)
		}
		server.ServeHTTP(w, r)
	})
	while()
	s.Between(nil)
}

// Two mixes of the same papers, each with a good proof: whoever has opened what
// came out of one does not open what came out of the other, for the two together
// would show who is where.
func TestSecondOutputsAreNotOpened(t *testing.T) {
	x, all, ref := withInsider(t, 1, 2, "Ash", "Birch")
	x.keyed(ref, all)
	ash := all[0]
	ash.works() // mixes first
	first, err := x.s.Contests.SealedInput(x.s.Ctx, ref, "voters", "v1")
	if err != nil {
		t.Fatal(err)
	}
	st := x.statement(ref, 0, first)
	st.Mixer = "Ash"
	mixed, err := x.s.Contests.SealedDeedBytes(x.s.Ctx, ref, 3)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mixing.Decode(st, mixed); err != nil {
		t.Fatal(err)
	}
	one, oneBytes := x.mix(x.statement(ref, 1, st.Out))
	two, twoBytes := x.mix(x.statement(ref, 1, st.Out))
	x.shows(4, one, oneBytes)
	if _, err := all[1].work(); err == nil {
		t.Fatal("the server has not got the mix; it refuses the shares")
	}
	x.shows(4, two, twoBytes)
	all[1].refuses(x.s, "a second set is never opened")
	x.s.Between(nil)
	if err := x.s.Contests.SealedDeed(x.s.Ctx, ref, one, oneBytes); err != nil {
		t.Fatal(err)
	}
	together(all)
	elected(x.s, ref)
}
