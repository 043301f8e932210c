package contest_test

import (
	"encoding/hex"
	"slices"
	"testing"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/proof"
)

// registrar makes credentials apart from the server.
type registrar struct {
	h     *house
	key   proof.Secret
	hash  [32]byte
	codes map[int64]sealed.Code
}

// withRegistrar names one trustee and a registrar, and begins an election.
func (h *house) withRegistrar() (*registrar, string, []trustee) {
	h.t.Helper()
	g := ristretto.New()
	r := &registrar{h: h, key: proof.NewSecret(), codes: map[int64]sealed.Code{}}
	ash := trustee{keygen.NewIdentity(), "Ash"}
	sign, seal, key := ash.id.Sign().Public(g), ash.id.Seal().Public(g), r.key.Public(g)
	if err := h.s.NameTrustees(h.ctx, as(h.officers[0]), proceeding.TrusteesBody{
		Threshold: 1, Mixers: []string{ash.name},
		Trustees:  []proceeding.Trustee{{Name: ash.name, Sign: hex.EncodeToString(sign[:]), Seal: hex.EncodeToString(seal[:])}},
		Registrar: proceeding.Registrar{Name: "Hazel Quill", Key: hex.EncodeToString(key[:])},
	}); err != nil {
		h.t.Fatal(err)
	}
	ref := h.election()
	b, err := h.s.SealedBoard(h.ctx, ref)
	if err != nil {
		h.t.Fatal(err)
	}
	m, err := sealed.DecodeManifest([]byte(b.Manifest))
	if err != nil {
		h.t.Fatal(err)
	}
	r.hash, _ = m.Hash()
	return r, ref, []trustee{ash}
}

func (r *registrar) public(c sealed.Code) []byte {
	k := c.Key(r.hash, "voters").Public(ristretto.New())
	return k[:]
}

// list makes the codes and posts the list.
func (r *registrar) list(ref string) error {
	roll, err := r.h.s.SealedRoll(r.h.ctx, ref)
	if err != nil {
		return err
	}
	group := sealed.ListingGroup{Section: "voters", Class: "v1"}
	for _, e := range roll {
		c := sealed.NewCode()
		r.codes[e.Voter] = c
		group.Keys = append(group.Keys, r.public(c))
	}
	slices.SortFunc(group.Keys, slices.Compare)
	body, signature, err := sealed.SignListing(ristretto.New(), &sealed.Listing{Version: 1, Manifest: hex.EncodeToString(r.hash[:]), Groups: []sealed.ListingGroup{group}}, r.key)
	if err != nil {
		return err
	}
	return r.h.s.SealedList(r.h.ctx, ref, body, signature)
}

// reissue replaces the code of a voter by a new one, as change n.
func (r *registrar) reissue(n int64, p register.PersonID) (change, signature []byte, c sealed.Code) {
	r.h.t.Helper()
	c = sealed.NewCode()
	change, signature, err := sealed.SignRelisting(ristretto.New(), &sealed.Relisting{Version: 1, Manifest: hex.EncodeToString(r.hash[:]), N: n,
		Swaps: []sealed.Swap{{Section: "voters", Class: "v1", Out: r.public(r.codes[int64(p)]), In: r.public(c)}}}, r.key)
	if err != nil {
		r.h.t.Fatal(err)
	}
	return change, signature, c
}

func (r *registrar) vote(ref string, p register.PersonID, c sealed.Code, marks []int) {
	r.h.t.Helper()
	given, err := r.h.s.SealedSeat(r.h.ctx, ref, p, 0, "")
	if err != nil || given.Code != "" {
		r.h.t.Fatalf("the server has a code that only the registrar should have: %v", err)
	}
	r.h.post(ref, r.h.sealWith(ref, given, c, marks))
}

// A lost code is replaced before anything was cast with it: the old one has no
// vote any more, the list has as many keys as before, the record shows it, and
// everybody can check it.
func TestLostCodesAreReplaced(t *testing.T) {
	h := smallHouse(t, sealedBook("av"), 12)
	r, ref, all := h.withRegistrar()
	h.ceremony(ref, all)
	if b := h.state(ref).OpenBallot(); b != nil {
		t.Fatal("the ballot is open, and there is no list")
	}
	r.codes[int64(h.members[0])] = sealed.NewCode()
	early, signature, _ := r.reissue(1, h.members[0])
	h.refuse(fault.TooEarly, h.s.SealedRelist(h.ctx, ref, early, signature))
	if err := r.list(ref); err != nil {
		t.Fatal(err)
	}
	if b := h.state(ref).OpenBallot(); b == nil || b.Seal.Registrar {
		t.Fatal("key and list are there, and the ballot is not open")
	}
	for i := range 6 {
		r.vote(ref, h.members[i], r.codes[int64(h.members[i])], [][]int{{1, 2}, {0, 1}}[i%2])
	}
	lost := h.members[7]
	change, signature, fresh := r.reissue(1, lost)
	for range 2 { // twice is no mistake
		if err := h.s.SealedRelist(h.ctx, ref, change, signature); err != nil {
			t.Fatal(err)
		}
	}
	other, otherSignature, _ := r.reissue(1, lost)
	h.refuse(fault.Already, h.s.SealedRelist(h.ctx, ref, other, otherSignature))
	cast, castSignature, _ := r.reissue(2, h.members[0])
	h.refuse(fault.TooLate, h.s.SealedRelist(h.ctx, ref, cast, castSignature))
	h.refuse(fault.Invalid, h.s.SealedRelist(h.ctx, ref, cast, otherSignature))
	k := r.codes[int64(lost)].Key(r.hash, "voters").Public(ristretto.New())
	if seat, err := h.s.SealedCredential(h.ctx, ref, k); err != nil || seat.Listed {
		t.Errorf("the lost code still votes: %+v %v", seat, err)
	}
	r.vote(ref, lost, fresh, []int{0, 1})
	h.pass(h.state(ref).OpenBallot().Closes)
	h.must(h.s.Close(h.ctx, ref, as(h.officers[0])))
	late, lateSignature, _ := r.reissue(2, h.members[8])
	h.refuse(fault.TooLate, h.s.SealedRelist(h.ctx, ref, late, lateSignature))
	h.deeds(ref, all)
	st := h.state(ref)
	if st.Phase != proceeding.Ended || st.Ballots[0].Returned[0].Papers != 7 {
		t.Fatalf("%s, returned %+v", st.Phase, st.Ballots[0].Returned)
	}
	h.replayed()
}
