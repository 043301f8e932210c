package sealed_test

import (
	"encoding/hex"
	"testing"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/proof"
)

// relist replaces a credential by a new one, in the place of another, as change
// n of the list.
func (e *election) relist(n int64, out, in sealed.Credential) error {
	return e.relistBy(e.registrar, n, out, in, proof.NewSecret().Public(e.g))
}

func (e *election) relistBy(registrar proof.Secret, n int64, out, in sealed.Credential, key [32]byte) error {
	r := &sealed.Relisting{Version: 1, Manifest: hex.EncodeToString(e.hash[:]), N: n, Swaps: []sealed.Swap{{Section: in.Section, Class: in.Class, Out: out.Key[:], In: key[:]}}}
	body, signature, err := sealed.SignRelisting(e.g, r, registrar)
	e.must(err)
	read, err := sealed.ReadRelisting(e.g, e.m, body, signature)
	if err != nil {
		return err
	}
	return e.board.Relist(read)
}

// What a registrar, or somebody in their name, could do to a list that has been
// published.
func TestChangesOfTheList(t *testing.T) {
	e := newElection(t, 1, 1, 6)
	s := proof.NewSecret()
	refuse := func(want fault.Kind, err error) {
		t.Helper()
		if !fault.Is(err, want) {
			t.Errorf("want %s, got %v", want, err)
		}
	}
	refuse(fault.Invalid, e.relistBy(proof.NewSecret(), 1, e.list[0], e.list[0], s.Public(e.g)))  // not the registrar
	refuse(fault.Conflict, e.relist(2, e.list[0], e.list[0]))                                     // out of order
	refuse(fault.NotFound, e.relist(1, e.list[0], e.list[1]))                                     // into another section
	refuse(fault.NotFound, e.relist(1, sealed.Credential{Key: s.Public(e.g)}, e.list[0]))         // a key that is not listed
	refuse(fault.Already, e.relistBy(e.registrar, 1, e.list[0], e.list[0], e.list[1].Key))        // a key that is listed
	refuse(fault.Invalid, e.relistBy(e.registrar, 1, e.list[0], e.list[0], e.list[0].Key))        // itself
	refuse(fault.Invalid, e.relistBy(e.registrar, 1, e.list[0], e.list[0], [32]byte{}))           // the neutral element
	refuse(fault.Invalid, e.relistBy(e.registrar, 1, e.list[0], e.list[0], [32]byte{0xff, 0xff})) // no element
	e.must(e.relistBy(e.registrar, 1, e.list[0], e.list[0], s.Public(e.g)))
	e.refused(e.seal(0, "leader", []int{1, 0, 0, 0, 0}), sealed.Unlisted, fault.NotEntitled) // the lost code
	refuse(fault.Already, e.relistBy(e.registrar, 2, e.list[3], e.list[3], e.list[0].Key))   // does not come back
	e.secrets[0] = s
	e.cast(0, "leader", []int{1, 0, 0, 0, 0})
	e.board.Close()
	refuse(fault.TooLate, e.relist(2, e.list[3], e.list[3]))
}
