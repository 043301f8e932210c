package verify_test

import (
	"bytes"
	"encoding/hex"
	"slices"

	"github.com/omov/omov/contest"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/mixing"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/verify"
)

// What is altered after the close: checkpoint, witnesses, mixes.

// witnessed is a plan with other witnesses; mixes and shares are as they must
// be.
func witnessed(f func(*poll)) plan {
	return plan{tally: func(p *poll) {
		f(p)
		p.mixes()
		for _, g := range p.full() {
			p.share(g, 0, 2, 4)
		}
	}}
}

// fixed is a plan that fixes another checkpoint, which the trustees sign all the
// same.
func fixed(f func(*poll)) plan { return plan{fix: f} }

func logAltered() []altered {
	const check = verify.CheckSealLog
	return []altered{
		{name: "fewer witnesses than open", check: check, plan: witnessed(func(p *poll) { p.witness(0, 2) })},
		{name: "fewer witnesses of the close of a motion", check: check, of: "motion", plan: witnessed(func(p *poll) { p.witness(0, 2) })},
		{name: "one trustee as three witnesses", check: check, plan: witnessed(func(p *poll) { p.witness(0, 0, 0) })},
		{name: "no witness at all", check: check, plan: witnessed(func(*poll) {})},
		{name: "a witness of another close", check: check, plan: witnessed(func(p *poll) {
			p.witness(0, 2)
			p.deed(4, sealed.NewDeed(p.hash, [32]byte{1}, p.s.names[4], sealed.Witness, "", nil), nil)
		})},
		{name: "a witness of another ballot", check: check, plan: witnessed(func(p *poll) {
			p.witness(0, 2)
			p.deed(4, sealed.NewDeed([32]byte{1}, p.closing, p.s.names[4], sealed.Witness, "", nil), nil)
		})},
		{name: "a witness in another trustee's name", check: check, plan: witnessed(func(p *poll) {
			p.witness(0, 2)
			p.deed(3, sealed.NewDeed(p.hash, p.closing, p.s.names[4], sealed.Witness, "", nil), nil)
		})},
		{name: "a witness who is no trustee", check: check, plan: witnessed(func(p *poll) {
			p.witness(0, 2)
			p.deed(4, sealed.NewDeed(p.hash, p.closing, "Fir", sealed.Witness, "", nil), nil)
		})},
		{name: "mixed before enough trustees witnessed the close", check: check, plan: plan{tally: func(p *poll) {
			p.witness(0, 2)
			p.mix(0, p.full()...)
			p.witness(4)
			p.excuse(1)
			p.mix(2, p.full()...)
			for _, g := range p.full() {
				p.share(g, 0, 2, 4)
			}
		}}},
		{name: "a closing checkpoint of another log", check: check, plan: fixed(func(p *poll) {
			c, _ := p.checkpoint(p.size)
			c.Root[0] ^= 1
			p.fixAs(c, p.signed(c, 1))
		})},
		{name: "a closing checkpoint of a longer log", check: check, plan: fixed(func(p *poll) {
			c, _ := p.checkpoint(p.size)
			c.Size += 100
			p.fixAs(c, p.signed(c, 1))
		})},
		{name: "a closing checkpoint that another key signed", check: check, plan: fixed(func(p *poll) {
			c, _ := p.checkpoint(p.size)
			p.fixAs(c, p.signed(c, 2))
		})},
		{name: "a closing checkpoint from before the close", check: check, plan: fixed(func(p *poll) { p.fix(p.size - 1) })},
		{name: "a closing checkpoint from before the last paper", check: check, of: "motion", plan: fixed(func(p *poll) { p.fix(p.size - 3) })},
		{name: "two closing checkpoints", check: check, plan: fixed(func(p *poll) {
			p.fix(p.size)
			p.fix(len(p.out.recs))
		})},
		{name: "a deed from before the closing checkpoint", check: check, plan: plan{late: func(p *poll) {
			c, _ := p.checkpoint(p.size)
			p.closing = sealed.Closing([]byte(c.Body()))
			p.witness(3)
		}}},
	}
}

// mixed is a plan with other mixes than those of the first and third mixer.
func mixed(f func(*poll)) plan {
	return plan{tally: func(p *poll) {
		p.witness(0, 2, 4)
		f(p)
		for _, g := range p.full() {
			p.share(g, 0, 2, 4)
		}
	}}
}

// ofMembers mixes the group of the members otherwise; the others rightly.
func ofMembers(f func(p *poll, g *pollGroup)) plan {
	return mixed(func(p *poll) {
		all := p.full()
		f(p, all[0])
		p.mix(0, all[1:]...)
		p.excuse(1)
		p.mix(2, all...)
	})
}

// falsely has the first mixer mix something else than what went in.
func falsely(change func(p *poll, pairs []byte) []byte) plan {
	return ofMembers(func(p *poll, g *pollGroup) {
		st := p.statement(0, g)
		st.In = change(p, slices.Clone(st.In))
		p.mixAs(0, g, st)
	})
}

// bent has the bytes of the first mix altered; the trustee signs them as they
// are.
func bent(change func(about []byte, n int) []byte) plan {
	return ofMembers(func(p *poll, g *pollGroup) {
		st := p.statement(0, g)
		x, err := mixing.Shuffle(p.g, st)
		must(p.t, err)
		p.mixed(0, g, st, change(x.Encode(st), int(g.n)))
	})
}

// mixHead is how many bytes stand before the papers of a mix.
const mixHead = 16 + 6*32

func mixesAltered() []altered {
	const check = verify.CheckSealMixes
	scaled := func(p *poll, pairs []byte) []byte { // a paper marked: both parts doubled
		var ps [2]ristretto.Point
		for i := range ps {
			p.g.Decode(&ps[i], pairs[32*i:32*i+32])
			ps[i] = p.g.Add(&ps[i], &ps[i])
		}
		return append(p.g.EncodeAll(nil, ps[:]), pairs[64:]...)
	}
	return []altered{
		{name: "a paper dropped in a mix and another doubled", check: check, plan: falsely(func(p *poll, in []byte) []byte {
			a, b := p.find(in, p.voter("members", "v1", 0)), p.find(in, p.voter("members", "v1", 3))
			copy(in[b:], again(p, in[a:a+64], proof.NewSecret()))
			return in
		})},
		{name: "a paper replaced by the mixer's own", check: check, plan: falsely(func(p *poll, in []byte) []byte {
			v := p.voter("members", "v1", 0)
			x, _ := sealed.DecodePaper(p.seal(v, v.marks))
			copy(in[p.find(in, p.voter("members", "v1", 3)):], x.Pairs)
			return in
		})},
		{name: "a paper marked in a mix, to be known again", check: check, plan: falsely(scaled)},
		{name: "two papers' ciphertexts exchanged in part", check: check, plan: falsely(func(_ *poll, in []byte) []byte {
			a := slices.Clone(in[:32])
			copy(in[:32], in[64:96])
			copy(in[64:], a)
			return in
		})},
		{name: "the last mixer replaces a paper", check: check, plan: mixed(func(p *poll) {
			all := p.full()
			p.mix(0, all...)
			p.excuse(1)
			st := p.statement(2, all[0])
			st.In = slices.Clone(st.In)
			a, b := p.find(st.In, p.voter("members", "v1", 0)), p.find(st.In, p.voter("members", "v1", 3))
			copy(st.In[b:], again(p, st.In[a:a+64], proof.NewSecret()))
			p.mixAs(2, all[0], st)
			p.mix(2, all[1:]...)
		})},
		{name: "a mixer who mixes what went into the mix before", check: check, plan: mixed(func(p *poll) {
			all := p.full()
			in := all[0].pairs
			p.mix(0, all...)
			p.excuse(1)
			all[0].pairs = in
			p.mix(2, all...)
		})},
		{name: "a mixer passed over, and not excused", check: check, plan: mixed(func(p *poll) {
			p.mix(0, p.full()...)
			p.mix(1, p.full()...)
		})},
		{name: "only one mixer mixes", check: check, plan: mixed(func(p *poll) {
			p.excuse(0)
			p.excuse(1)
			p.mix(2, p.full()...)
		})},
		{name: "nobody mixes", check: check, plan: mixed(func(p *poll) {
			for i := range 3 {
				p.excuse(i)
			}
		})},
		{name: "mixers out of their turn", check: check, plan: mixed(func(p *poll) {
			p.excuse(1)
			p.mix(2, p.full()...)
			p.mix(0, p.full()...)
		})},
		{name: "a mixer who mixes twice", check: check, plan: mixed(func(p *poll) {
			p.mix(0, p.full()...)
			p.mix(0, p.full()...)
			p.excuse(1)
		})},
		{name: "a trustee who is no mixer mixes", check: check, plan: mixed(func(p *poll) {
			p.mix(0, p.full()...)
			p.excuse(1)
			p.mix(3, p.full()...)
		})},
		{name: "somebody excused who is no mixer", check: check, plan: mixed(func(p *poll) {
			p.excuse(3)
			p.mixes()
		})},
		{name: "a mixer excused twice", check: check, plan: mixed(func(p *poll) {
			p.excuse(1)
			p.mixes()
		})},
		{name: "a mix that another trustee signed", check: check, plan: ofMembers(func(p *poll, g *pollGroup) {
			id := p.ids[0]
			p.ids[0] = p.ids[3]
			p.mix(0, g)
			p.ids[0] = id
		})},
		{name: "a mix signed after another close", check: check, plan: ofMembers(func(p *poll, g *pollGroup) {
			was := p.closing
			p.closing = [32]byte{1}
			p.mix(0, g)
			p.closing = was
		})},
		{name: "a mix proved after another close", check: check, plan: ofMembers(func(p *poll, g *pollGroup) {
			st := p.statement(0, g)
			st.Closing = [32]byte{1}
			p.mixAs(0, g, st)
		})},
		{name: "a mix with another ballot's generators", check: check, plan: ofMembers(func(p *poll, g *pollGroup) {
			st := p.statement(0, g)
			st.Manifest = [32]byte{1}
			p.mixAs(0, g, st)
		})},
		{name: "a mix of another group", check: check, plan: ofMembers(func(p *poll, g *pollGroup) {
			st := p.statement(0, g)
			st.Group = p.group("supporters", "v1").name
			p.mixAs(0, g, st)
		})},
		{name: "a mix in another's place in the order", check: check, plan: ofMembers(func(p *poll, g *pollGroup) {
			st := p.statement(0, g)
			st.Position = 1
			p.mixAs(0, g, st)
		})},
		{name: "another mixer's mix under one's own name", check: check, plan: ofMembers(func(p *poll, g *pollGroup) {
			st := p.statement(0, g)
			st.Mixer = p.s.names[2]
			p.mixAs(0, g, st)
		})},
		{name: "a mix encrypted to another key", check: check, also: []string{verify.CheckResults}, plan: ofMembers(func(p *poll, g *pollGroup) {
			st := p.statement(0, g)
			st.Key = proof.NewSecret().Public(p.g)
			p.mixAs(0, g, st)
		})},
		{name: "a mix signed about other bytes", check: check, plan: ofMembers(func(p *poll, g *pollGroup) {
			st := p.statement(0, g)
			x, err := mixing.Shuffle(p.g, st)
			must(p.t, err)
			raw, err := sealed.NewDeed(p.hash, p.closing, p.s.names[0], sealed.Mix, g.name, []byte("x")).Sign(p.g, p.ids[0].Sign())
			must(p.t, err)
			p.raw(raw, x.Encode(st))
			g.pairs, g.mixed = st.Out, 1
		})},
		{name: "a commitment to the permutation altered", check: check, plan: bent(func(b []byte, n int) []byte { copy(b[mixHead+64*n:], b[mixHead+64*n+32:mixHead+64*n+64]); return b })},
		{name: "the chain of commitments altered", check: check, plan: bent(func(b []byte, n int) []byte { at := mixHead + 96*n; copy(b[at:], b[at+32:at+64]); return b })},
		{name: "an answer of the mix that is not reduced", check: check, plan: bent(func(b []byte, _ int) []byte { copy(b[len(b)-32:], unreduced(b[len(b)-32:])); return b })},
		{name: "the first answer of the mix altered", check: check, plan: bent(func(b []byte, _ int) []byte { b[16+3*32] ^= 1; return b })},
		{name: "the answer about the papers altered", check: check, plan: bent(func(b []byte, n int) []byte { b[mixHead+160*n+64] ^= 1; return b })},
		{name: "an output in an encoding that is none", check: check, plan: bent(func(b []byte, _ int) []byte { copy(b[mixHead:], noncanonical(b[mixHead:mixHead+32])); return b })},
		{name: "a mix that goes on after its end", check: check, plan: bent(func(b []byte, _ int) []byte { return append(b, 0) })},
		{name: "a group mixed without papers", check: check, plan: plan{vote: withoutHeavy, tally: func(p *poll) {
			p.witness(0, 2, 4)
			g := p.group("supporters", "v2")
			st := p.statement(0, g)
			st.In = p.group("supporters", "v1").pairs
			p.mixAs(0, g, st)
			p.mixes()
			for _, g := range p.full() {
				p.share(g, 0, 2, 4)
			}
		}}},
		{name: "mixed again after it was opened", check: check, plan: plan{tally: func(p *poll) {
			p.tally()
			p.mix(1, p.full()[0])
		}, read: func(p *poll, b *contest.PapersBody) { *b = *p.opened() }}},
		{name: "a mix of what is added up", check: check, of: "motion", plan: plan{tally: func(p *poll) {
			p.witness(0, 2, 4)
			g := p.full()[0]
			in := g.pairs
			p.mix(0, g)
			g.pairs = in
			for _, g := range p.full() {
				p.share(g, 0, 2, 4)
			}
		}}},
	}
}

// withoutHeavy has everybody vote whose vote has no double weight.
func withoutHeavy(p *poll) {
	p.but(p.voter("supporters", "v2", 0), p.voter("supporters", "v2", 1), p.voter("supporters", "v2", 2))
}

func countAltered() []altered {
	const check = verify.CheckSealCount
	return []altered{
		{name: "other papers counted than were opened", check: check, plan: plan{result: func(p *poll, b *proceeding.ResultBody) { p.counted(b, p.moved()) }}},
		{name: "other votes on a motion counted than were opened", check: check, of: "motion", plan: plan{result: func(p *poll, b *proceeding.ResultBody) { p.counted(b, p.moved()) }}},
		{name: "a lot from another seed", check: check, also: []string{verify.CheckLots}, plan: plan{result: func(p *poll, b *proceeding.ResultBody) {
			right := b.Sheet
			for i := byte(0); b.Sheet == right && i < 200; i++ {
				p.ballot.Root = hex.EncodeToString(bytes.Repeat([]byte{i}, 32))
				p.counted(b, p.papers)
			}
		}}},
		{name: "a heavy vote counted as a light one", check: check, plan: plan{result: func(p *poll, b *proceeding.ResultBody) {
			p.counted(b, p.revalued(""))
		}}},
		{name: "the figures of a motion doubled", check: check, of: "motion", also: []string{verify.CheckTurnout}, plan: plan{result: func(p *poll, b *proceeding.ResultBody) {
			for k := range b.Figures {
				b.Figures[k] *= 2
			}
			p.tests(b)
		}}},
		{name: "papers said to be none that can be counted", check: check, also: afterNoResult(), plan: plan{result: func(_ *poll, b *proceeding.ResultBody) {
			*b = proceeding.ResultBody{Ballot: b.Ballot, At: b.At, Outcome: proceeding.TooFew, Why: "Nobody could be elected within the quotas."}
		}}},
		{name: "counted before the papers are opened", check: check, also: []string{verify.CheckSteps, verify.CheckPrivacy}, plan: plan{after: func(p *poll) {
			i := p.out.index(proceeding.KindPapers, 0)
			r := p.out.recs[i]
			p.out.recs = append(slices.Delete(p.out.recs, i, i+1), r)
			r.head.At = p.now
		}}},
		{name: "a result of papers that nobody opened", check: check, plan: plan{after: func(p *poll) { p.out.drop(proceeding.KindPapers, 0) }}},
		{name: "a ballot said to be without papers, by its figures", check: verify.CheckResults, also: append(afterNoResult(), verify.CheckSheets, check), plan: plan{result: func(_ *poll, b *proceeding.ResultBody) {
			*b = proceeding.ResultBody{Ballot: b.Ballot, At: b.At, Outcome: proceeding.Unopened, Figures: map[string]int64{"papers": 0}}
		}}},
	}
}

// afterNoResult are the checks that miss the result that the book goes on with.
func afterNoResult() []string {
	return []string{verify.CheckSteps}
}

// papersWith are the opened papers, altered.
func (p *poll) papersWith(change func(*contest.PapersBody)) []byte {
	b := p.opened()
	change(b)
	return canonical(p.t, b)
}

// moved are the papers with one of a member's moved to another.
func (p *poll) moved() []byte {
	return p.papersWith(func(b *contest.PapersBody) { move(b) })
}

// move makes one paper of the members, for B or against, say what the first says.
func move(b *contest.PapersBody) {
	x := b.Sections[0].Papers
	i := min(3, len(x)-2)
	x[0].N++
	if x[i].N--; x[i].N == 0 {
		b.Sections[0].Papers = slices.Delete(x, i, i+1)
	}
}

// revalued are the papers with the supporters' heavier votes worth something
// else.
func (p *poll) revalued(value string) []byte {
	return p.papersWith(func(b *contest.PapersBody) { revalue(b, value) })
}

func revalue(b *contest.PapersBody, value string) {
	for i := range b.Sections[1].Papers {
		if x := &b.Sections[1].Papers[i]; x.Value == "2" {
			x.Value = value
		}
	}
	slices.SortFunc(b.Sections[1].Papers, func(a, z contest.Grouped) int { return bytes.Compare(paperKey(&a), paperKey(&z)) })
}

func resultAltered() []altered {
	const check = verify.CheckSealResult
	turnout := func(section int, by int64) plan {
		return plan{shut: func(_ *poll, b *proceeding.ShutBody) {
			b.Returned[section].Papers += by
			b.Returned[section].Voters += by
		}}
	}
	return []altered{
		{name: "a lower turnout than papers count", check: check, plan: turnout(0, -1)},
		{name: "a lower turnout in the section with weights", check: check, plan: turnout(1, -2)},
		{name: "a higher turnout than papers count", check: check, plan: plan{vote: without("supporters", "v1"), shut: turnout(1, 1).shut}},
		{name: "a lower turnout on a motion", check: check, of: "motion", also: []string{verify.CheckTurnout}, plan: turnout(0, -1)},
		{name: "spoilt papers declared that there are not", check: check, plan: plan{result: func(_ *poll, b *proceeding.ResultBody) { b.Figures = map[string]int64{"spoilt": 2} }}},
		{name: "spoilt papers declared as none", check: check, plan: plan{vote: spoiling, result: func(_ *poll, b *proceeding.ResultBody) { b.Figures = map[string]int64{"spoilt": 0} }}},
		{name: "figures of an election that mean nothing", check: verify.CheckResults, plan: plan{result: func(_ *poll, b *proceeding.ResultBody) { b.Figures = map[string]int64{"papers": 500} }}},
	}
}

// spoiling has a member's page write a paper in another way than the first.
func spoiling(p *poll) {
	v := p.voter("members", "v1", 0)
	p.but(v)
	e := p.otherwise(p.element(v))
	p.take(v, p.craft(v, crafted{element: &e}))
}
