package verify_test

import (
	"encoding/hex"
	"slices"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/verify"
)

// change is a change of the registrar's list.
func (p *poll) change(n int64, swaps ...sealed.Swap) *sealed.Relisting {
	return &sealed.Relisting{Version: 1, Manifest: hex.EncodeToString(p.hash[:]), N: n, Swaps: swaps}
}

// swap puts a new key in the place of a voter's, and gives its secret.
func (p *poll) swap(v *voter) (sealed.Swap, proof.Secret) {
	s := proof.NewSecret()
	k := s.Public(p.g)
	return sealed.Swap{Section: v.section, Class: v.class, Out: slices.Clone(v.public[:]), In: k[:]}, s
}

// relist enters a change, signed.
func (p *poll) relist(r *sealed.Relisting, by proof.Secret) {
	body, signature, err := sealed.SignRelisting(p.g, r, by)
	must(p.t, err)
	p.enter(proceeding.KindRelisted, "", &proceeding.RelistedBody{Ballot: p.ballot.ID, Change: body, Signature: signature})
}

// replaced has a voter's lost code replaced, and then everybody votes.
func replaced(alter func(p *poll, v *voter, r *sealed.Relisting)) plan {
	return plan{vote: func(p *poll) {
		v := p.voter("members", "v1", 0)
		s, secret := p.swap(v)
		r := p.change(1, s)
		alter(p, v, r)
		p.relist(r, p.registrar)
		v.secret, v.public = secret, [32]byte(r.Swaps[0].In)
		p.everybody()
	}}
}

func changesAltered() []altered {
	const check = verify.CheckSealList
	return []altered{
		{name: "a change of the list that somebody else signed", check: check, plan: plan{vote: func(p *poll) {
			v := p.voter("members", "v1", 0)
			s, secret := p.swap(v)
			p.relist(p.change(1, s), proof.NewSecret())
			v.secret, v.public = secret, [32]byte(s.In)
			p.everybody()
		}}},
		{name: "a change of the list signed for another purpose", check: check, plan: plan{vote: func(p *poll) {
			v := p.voter("members", "v1", 0)
			s, secret := p.swap(v)
			body := canonical(p.t, p.change(1, s))
			p.enter(proceeding.KindRelisted, "", &proceeding.RelistedBody{Ballot: p.ballot.ID, Change: body, Signature: proof.Sign(p.g, p.registrar, "credentials", body)})
			v.secret, v.public = secret, [32]byte(s.In)
			p.everybody()
		}}},
		{name: "a change of the list out of turn", check: check, plan: replaced(func(p *poll, _ *voter, r *sealed.Relisting) { r.N = 2 })},
		{name: "a change of another ballot's list", check: check, plan: replaced(func(p *poll, _ *voter, r *sealed.Relisting) { r.Manifest = hex.EncodeToString(make([]byte, 32)) })},
		{name: "a change of the list of an unknown version", check: check, plan: replaced(func(p *poll, _ *voter, r *sealed.Relisting) { r.Version = 2 })},
		{name: "a key replaced that is not on the list", check: check, plan: replaced(func(p *poll, _ *voter, r *sealed.Relisting) {
			k := proof.NewSecret().Public(p.g)
			r.Swaps[0].Out = k[:]
		})},
		{name: "a key replaced by one with another weight", check: check, plan: replaced(func(p *poll, _ *voter, r *sealed.Relisting) {
			r.Swaps[0].Section, r.Swaps[0].Class = "supporters", "v2"
		})},
		{name: "a key replaced by one that is on the list", check: check, plan: replaced(func(p *poll, _ *voter, r *sealed.Relisting) {
			r.Swaps[0].In = slices.Clone(p.voter("members", "v1", 1).public[:])
		})},
		{name: "a key replaced by the neutral element", check: check, plan: replaced(func(p *poll, _ *voter, r *sealed.Relisting) { r.Swaps[0].In = make([]byte, 32) })},
		{name: "a key replaced by what is no element", check: check, plan: replaced(func(p *poll, _ *voter, r *sealed.Relisting) { r.Swaps[0].In = noncanonical(r.Swaps[0].In) })},
		{name: "a code replaced with which a paper was cast", check: check, plan: plan{vote: func(p *poll) {
			v := p.voter("members", "v1", 0)
			p.everybody()
			s, _ := p.swap(v)
			p.relist(p.change(1, s), p.registrar)
		}}},
		{name: "a paper of a code that was replaced is counted", check: verify.CheckSealPapers, plan: plan{vote: func(p *poll) {
			s, _ := p.swap(p.voter("members", "v1", 0))
			p.relist(p.change(1, s), p.registrar)
			p.everybody()
		}}},
		{name: "a change of the list after the close", check: verify.CheckSteps, plan: plan{late: func(p *poll) {
			s, _ := p.swap(p.voter("members", "v1", 0))
			p.relist(p.change(1, s), p.registrar)
		}}},
	}
}

// changesUnharmed are changes of the list that are in order.
func changesUnharmed() []altered {
	return []altered{
		{name: "a lost code is replaced, and its owner votes with the new one", plan: replaced(func(*poll, *voter, *sealed.Relisting) {})},
		{name: "the lost code is used all the same, and left out", check: "unlisted", plan: plan{vote: func(p *poll) {
			v := p.voter("members", "v1", 0)
			old := *v
			s, secret := p.swap(v)
			p.relist(p.change(1, s), p.registrar)
			v.secret, v.public = secret, [32]byte(s.In)
			p.everybody()
			p.post(p.seal(&old, old.marks))
		}}},
	}
}
