package verify_test

import (
	"encoding/hex"
	"slices"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/verify"
)

// What is altered while votes are taken: papers, which of them count, what goes
// into the first mix.

// voting has everybody vote but the first member and the first supporter, of
// whom the plan says what they do.
func voting(f func(p *poll, member, supporter *voter)) plan {
	return plan{vote: func(p *poll) {
		member, supporter := p.voter("members", "v1", 0), p.voter("supporters", "v1", 0)
		p.but(member, supporter)
		f(p, member, supporter)
	}}
}

// counted has the first member's paper count, whatever it is; the supporter
// votes.
func counted(f func(p *poll, v *voter) []byte) plan {
	return voting(func(p *poll, member, supporter *voter) {
		raw := f(p, member)
		p.post(raw)
		p.count(raw)
		p.take(supporter, p.seal(supporter, supporter.marks))
	})
}

func papersAltered() []altered {
	const check = verify.CheckSealPapers
	stranger := func(section string) plan {
		return voting(func(p *poll, member, supporter *voter) {
			p.take(member, p.seal(member, member.marks))
			p.take(supporter, p.seal(supporter, supporter.marks))
			v := p.stranger(section)
			p.take(v, p.seal(v, member.marks))
		})
	}
	return []altered{
		{name: "a paper by a credential that no registrar made", check: check, also: moreThanEntitled(), plan: stranger("members")},
		{name: "a forged credential in place of a voter who stayed away", check: check, plan: voting(func(p *poll, _, supporter *voter) {
			p.take(supporter, p.seal(supporter, supporter.marks))
			v := p.stranger("members")
			p.take(v, p.seal(v, supporter.marks))
		})},
		{name: "a paper for a section that the credential is not of", check: check, plan: counted(func(p *poll, v *voter) []byte {
			x := p.sealing(v)
			x.Section = "supporters"
			raw, _, err := x.Seal(v.marks, v.secret)
			must(p.t, err)
			return raw
		})},
		{name: "a paper that somebody else signed", check: check, plan: counted(func(p *poll, v *voter) []byte {
			raw := p.seal(v, v.marks)
			unsigned := slices.Clip(raw[:len(raw)-64])
			return append(unsigned, proof.Sign(p.g, proof.NewSecret(), "paper", unsigned)...)
		})},
		{name: "a paper signed for another purpose", check: check, plan: counted(func(p *poll, v *voter) []byte {
			raw := p.seal(v, v.marks)
			unsigned := slices.Clip(raw[:len(raw)-64])
			return append(unsigned, proof.Sign(p.g, v.secret, "deed", unsigned)...)
		})},
		{name: "a paper altered after it was signed", check: check, plan: counted(func(p *poll, v *voter) []byte {
			other, _ := sealed.DecodePaper(p.seal(p.voter("members", "v1", 3), v.marks))
			raw := p.seal(v, v.marks)
			copy(raw[len(raw)-192:], other.Pairs)
			return raw
		})},
		{name: "another voter's ballot copied under one's own credential", check: check, plan: counted(func(p *poll, v *voter) []byte {
			other := p.standing[p.voter("members", "v1", 1).public]
			return p.craft(v, crafted{pairs: other.Pairs, proofOf: other.Proof})
		})},
		{name: "a ballot that another credential's proof vouches for", check: check, plan: counted(func(p *poll, v *voter) []byte {
			return p.craft(v, crafted{proofOf: p.standing[p.voter("members", "v1", 1).public].Proof})
		})},
		{name: "a ballot made from another, without knowing what is in it", check: check, plan: counted(func(p *poll, v *voter) []byte {
			other := p.standing[p.voter("members", "v1", 1).public]
			r := proof.NewSecret()
			return p.craft(v, crafted{r: &r, pairs: again(p, other.Pairs, r)})
		})},
		{name: "a number of the proof that is not reduced", check: check, plan: counted(func(p *poll, v *voter) []byte {
			raw := p.seal(v, v.marks)
			copy(raw[len(raw)-96:], unreduced(raw[len(raw)-96:len(raw)-64]))
			return p.sign(v, raw[:len(raw)-64])
		})},
		{name: "a signature whose number is not reduced", check: check, plan: counted(func(p *poll, v *voter) []byte {
			raw := p.seal(v, v.marks)
			copy(raw[len(raw)-32:], unreduced(raw[len(raw)-32:]))
			return raw
		})},
		{name: "a ciphertext in an encoding that is none", check: check, also: []string{verify.CheckSealMixes}, plan: plan{
			vote: func(p *poll) {
				v := p.voter("members", "v1", 0)
				p.but(v)
				r := proof.NewSecret()
				raw := p.seal(v, v.marks)
				x, _ := sealed.DecodePaper(raw)
				pairs := slices.Clone(x.Pairs)
				copy(pairs[32:], noncanonical(pairs[32:]))
				raw = p.craft(v, crafted{pairs: pairs, r: &r})
				p.post(raw)
				p.count(raw)
			},
			late: func(p *poll) { // the mixers read it leniently
				for _, g := range p.groups {
					g.pairs = slices.Clone(g.pairs)
					for i := 0; i < len(g.pairs); i += 32 {
						if g.pairs[i]&1 == 1 {
							copy(g.pairs[i:], noncanonical(g.pairs[i:i+32]))
						}
					}
				}
			}}},
		{name: "a paper of another ballot played again", check: check, plan: counted(func(p *poll, v *voter) []byte {
			return p.craft(v, crafted{manifest: make([]byte, 32)})
		})},
		{name: "a vote in the clear: the neutral element as a part of a ciphertext", check: check, plan: counted(func(p *poll, v *voter) []byte {
			none := proof.SecretOf(ristretto.Scalar{})
			return p.craft(v, crafted{r: &none})
		})},
		{name: "a vote of two for one side of a motion", check: check, of: "motion", also: []string{verify.CheckTurnout}, plan: counted(func(p *poll, v *voter) []byte { return p.more(v, p.seal(v, v.marks), slices.Index(v.marks, 1), 1) })},
		{name: "a vote of less than nothing on a motion", check: check, of: "motion", also: []string{verify.CheckTurnout}, plan: counted(func(p *poll, v *voter) []byte { return p.more(v, p.seal(v, v.marks), slices.Index(v.marks, 0), -1) })},
		{name: "a vote moved from one side of a motion to the other", check: check, of: "motion", plan: counted(func(p *poll, v *voter) []byte {
			raw := p.more(v, p.seal(v, v.marks), 0, 1)
			return p.more(v, raw, 1, -1)
		})},
		{name: "a vote on a motion whose total is not proved", check: check, of: "motion", plan: counted(func(p *poll, v *voter) []byte { return p.altered(v, p.seal(v, v.marks), -100) })},
		{name: "a forged credential on a motion", check: check, of: "motion", plan: voting(func(p *poll, _, supporter *voter) {
			p.take(supporter, p.seal(supporter, supporter.marks))
			v := p.stranger("members")
			p.take(v, p.seal(v, supporter.marks))
		})},
	}
}

// moreThanEntitled are the checks that miss nothing where more vote than may.
func moreThanEntitled() []string { return []string{verify.CheckTurnout} }

// again encrypts ciphertexts anew.
func again(p *poll, pairs []byte, r proof.Secret) []byte {
	var key, a, b ristretto.Point
	p.g.Decode(&key, p.key[:])
	p.g.Decode(&a, pairs[:32])
	p.g.Decode(&b, pairs[32:])
	x, y := p.g.MulBase(r.Scalar()), p.g.Mul(r.Scalar(), &key)
	return p.g.EncodeAll(nil, []ristretto.Point{p.g.Add(&a, &x), p.g.Add(&b, &y)})
}

func acceptanceAltered() []altered {
	const check = verify.CheckSealAccepted
	return []altered{
		{name: "a stale paper counted", check: check, plan: voting(func(p *poll, member, supporter *voter) {
			stale := p.seal(member, supporter.marks)
			p.take(member, p.seal(member, member.marks))
			p.post(stale)
			p.count(stale)
			p.take(supporter, p.seal(supporter, supporter.marks))
		})},
		{name: "a stale vote on a motion counted", check: check, of: "motion", plan: voting(func(p *poll, member, supporter *voter) {
			stale := p.seal(member, []int{0, 1})
			p.take(member, p.seal(member, []int{1, 0}))
			p.post(stale)
			p.count(stale)
			p.take(supporter, p.seal(supporter, supporter.marks))
		})},
		{name: "a paper that skips a number counted", check: check, plan: counted(func(p *poll, v *voter) []byte { return p.craft(v, crafted{sequence: 2}) })},
		{name: "a paper that follows on another voter's counted", check: check, plan: counted(func(p *poll, v *voter) []byte {
			other := p.voter("members", "v1", 1)
			return p.craft(v, crafted{previous: other.previous[:]})
		})},
		{name: "a change of vote that follows on no paper counted", check: check, plan: voting(func(p *poll, member, supporter *voter) {
			p.take(member, p.seal(member, member.marks))
			raw := p.craft(member, crafted{previous: p.hash[:]})
			p.post(raw)
			p.count(raw)
			p.take(supporter, p.seal(supporter, supporter.marks))
		})},
		{name: "two voters with one ciphertext, and both counted", check: check, plan: counted(func(p *poll, v *voter) []byte {
			other := p.voter("members", "v1", 1)
			r := proof.NewSecret()
			p.take(other, p.craft(other, crafted{r: &r}))
			return p.craft(v, crafted{r: &r})
		})},
		{name: "a paper counted that came after the close", check: check, plan: plan{
			vote: func(p *poll) {
				v := p.voter("members", "v1", 0)
				p.but(v)
				p.count(p.seal(v, v.marks))
			},
			late: func(p *poll) { p.post(p.standing[p.voter("members", "v1", 0).public].Raw) }}},
		{name: "a paper counted that is not on the board", check: check, plan: plan{vote: func(p *poll) {
			v := p.voter("members", "v1", 0)
			p.but(v)
			p.count(p.seal(v, v.marks))
		}}},
		{name: "a vote on a motion counted that is not on the board", check: check, of: "motion", plan: plan{vote: func(p *poll) {
			v := p.voter("members", "v1", 0)
			p.but(v)
			p.count(p.seal(v, v.marks))
		}}},
	}
}

func inputAltered() []altered {
	const check = verify.CheckSealInput
	return []altered{
		{name: "a closing root over papers in another order", check: check, plan: plan{shut: func(p *poll, b *proceeding.ShutBody) {
			g := p.group("members", "v1")
			was := g.in
			g.in = slices.Concat(was[64:128], was[:64], was[128:])
			b.Root = p.root()
			g.in = was
		}}},
		{name: "a closing root over nothing that is known", check: check, plan: plan{shut: func(_ *poll, b *proceeding.ShutBody) { b.Root = hex.EncodeToString(make([]byte, 32)) }}},
		{name: "a closing root over nothing that is known, of a motion", check: check, of: "motion", plan: plan{shut: func(_ *poll, b *proceeding.ShutBody) { b.Root = hex.EncodeToString(make([]byte, 32)) }}},
		{name: "a paper counted that its voter had replaced", check: check, plan: voting(func(p *poll, member, supporter *voter) {
			first := p.seal(member, member.marks)
			p.take(member, first)
			p.take(member, p.seal(member, supporter.marks))
			p.count(first)
			p.take(supporter, p.seal(supporter, supporter.marks))
		})},
		{name: "a vote on a motion counted that its voter had replaced", check: check, of: "motion", plan: voting(func(p *poll, member, supporter *voter) {
			first := p.seal(member, []int{1, 0})
			p.take(member, first)
			p.take(member, p.seal(member, []int{0, 1}))
			p.count(first)
			p.take(supporter, p.seal(supporter, supporter.marks))
		})},
		{name: "two papers counted with each other's weight", check: check, plan: plan{shut: func(p *poll, b *proceeding.ShutBody) {
			light, heavy := p.group("supporters", "v1"), p.group("supporters", "v2")
			x, y := slices.Clone(light.in), slices.Clone(heavy.in)
			copy(light.in, y[:64])
			copy(heavy.in, x[:64])
			b.Root = p.root()
		}}},
		{name: "a valid paper refused, and a forged one counted for it", check: check, plan: voting(func(p *poll, member, supporter *voter) {
			p.post(p.seal(member, member.marks))
			p.take(supporter, p.seal(supporter, supporter.marks))
			v := p.stranger("members")
			p.take(v, p.seal(v, supporter.marks))
		})},
		{name: "a paper dropped before the first mix", check: check, plan: plan{late: func(p *poll) {
			g := p.group("members", "v1")
			g.pairs = g.pairs[64:]
		}}},
		{name: "a paper doubled before the first mix", check: check, plan: plan{late: func(p *poll) {
			g := p.group("members", "v1")
			g.pairs = slices.Concat(g.pairs, again(p, g.pairs, proof.NewSecret()))
		}}},
	}
}

func leftAltered() []altered {
	const check = verify.CheckSealLeft
	refused := func(why string, n int64) plan {
		return plan{shut: func(_ *poll, b *proceeding.ShutBody) { b.Refused = map[string]int64{why: n} }}
	}
	return []altered{
		{name: "a valid paper left out", check: check, plan: plan{vote: func(p *poll) {
			p.everybody()
			delete(p.standing, p.voter("members", "v1", 0).public)
		}}},
		{name: "a valid vote on a motion left out", check: check, of: "motion", plan: plan{vote: func(p *poll) {
			p.everybody()
			delete(p.standing, p.voter("supporters", "v2", 0).public)
		}}},
		{name: "all papers of a weight left out", check: check, plan: plan{vote: func(p *poll) {
			p.everybody()
			for n := range 3 {
				delete(p.standing, p.voter("supporters", "v2", n).public)
			}
		}}},
		{name: "a reason for refusing that there is not", check: check, plan: refused("unwelcome", 3)},
		{name: "late papers counted among those that came in time", check: check, plan: refused("late", 2)},
		{name: "accepted papers counted as refused", check: check, plan: refused("accepted", 1)},
		{name: "fewer than no papers refused", check: check, plan: refused("stale", -1)},
		{name: "a reason for refusing no papers", check: check, of: "motion", plan: refused("copied", 0)},
	}
}
