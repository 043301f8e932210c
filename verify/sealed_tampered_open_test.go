package verify_test

import (
	"bytes"
	"slices"

	"github.com/omov/omov/contest"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/verify"
)

// What is altered when the papers are opened, and what the book holds beside
// them.

// sharing is a plan with other shares of the members' papers.
func sharing(f func(p *poll, g *pollGroup)) plan {
	return plan{tally: func(p *poll) {
		p.witness(0, 2, 4)
		p.mixes()
		all := p.full()
		f(p, all[0])
		for _, g := range all[1:] {
			p.share(g, 0, 2, 4)
		}
	}}
}

// third has the third trustee's shares of the members' papers made otherwise.
func third(f func(p *poll, g *pollGroup)) plan {
	return sharing(func(p *poll, g *pollGroup) {
		p.share(g, 0, 2)
		f(p, g)
	})
}

func sharesAltered() []altered {
	const check = verify.CheckSealShares
	return []altered{
		{name: "fewer trustees open than it takes", check: check, plan: third(func(*poll, *pollGroup) {})},
		{name: "fewer trustees open a motion than it takes", check: check, of: "motion", plan: third(func(*poll, *pollGroup) {})},
		{name: "a group that nobody opened", check: check, plan: sharing(func(*poll, *pollGroup) {})},
		{name: "one trustee opens twice", check: check, plan: third(func(p *poll, g *pollGroup) { p.share(g, 2) })},
		{name: "a wrong share among as many as it takes", check: check, plan: third(func(p *poll, g *pollGroup) {
			x := p.shares(4, p.opening(g))
			copy(x.D, x.D[32:64])
			p.shareAs(4, g, x)
		})},
		{name: "a wrong share of a motion", check: check, of: "motion", plan: third(func(p *poll, g *pollGroup) {
			x := p.shares(4, p.opening(g))
			copy(x.D, x.D[32:64])
			p.shareAs(4, g, x)
		})},
		{name: "shares whose proof is altered", check: check, plan: third(func(p *poll, g *pollGroup) {
			x := p.shares(4, p.opening(g))
			x.Proof[70] ^= 1
			p.shareAs(4, g, x)
		})},
		{name: "shares whose proof is not reduced", check: check, plan: third(func(p *poll, g *pollGroup) {
			x := p.shares(4, p.opening(g))
			copy(x.Proof[64:], unreduced(x.Proof[64:]))
			p.shareAs(4, g, x)
		})},
		{name: "shares in an encoding that is none", check: check, plan: third(func(p *poll, g *pollGroup) {
			x := p.shares(4, p.opening(g))
			copy(x.D, noncanonical(x.D[:32]))
			p.shareAs(4, g, x)
		})},
		{name: "shares by another key than the trustee's", check: check, plan: third(func(p *poll, g *pollGroup) {
			p.held[4] = *proof.NewSecret().Scalar()
			p.share(g, 4)
		})},
		{name: "shares under another trustee's number", check: check, plan: third(func(p *poll, g *pollGroup) { p.shareAs(4, g, p.shares(3, p.opening(g))) })},
		{name: "shares that another trustee signed", check: check, plan: third(func(p *poll, g *pollGroup) {
			id := p.ids[4]
			p.ids[4] = p.ids[1]
			p.share(g, 4)
			p.ids[4] = id
		})},
		{name: "shares after another close", check: check, plan: third(func(p *poll, g *pollGroup) {
			o := p.opening(g)
			o.Closing = [32]byte{1}
			p.shareAs(4, g, p.shares(4, o))
		})},
		{name: "shares of another ballot", check: check, plan: third(func(p *poll, g *pollGroup) {
			o := p.opening(g)
			o.Manifest = [32]byte{1}
			p.shareAs(4, g, p.shares(4, o))
		})},
		{name: "shares of another group", check: check, plan: third(func(p *poll, g *pollGroup) {
			o := p.opening(g)
			o.Group = p.group("supporters", "v1").name
			p.shareAs(4, g, p.shares(4, o))
		})},
		{name: "shares of the papers as they were received", check: check, plan: third(func(p *poll, g *pollGroup) {
			o := p.opening(g)
			o.Pairs = g.in
			p.shareAs(4, g, p.shares(4, o))
		})},
		{name: "shares of other sums than those of the papers", check: check, of: "motion", plan: third(func(p *poll, g *pollGroup) {
			o := p.opening(g)
			o.Pairs = p.opens(p.group("supporters", "v1"))
			p.shareAs(4, g, p.shares(4, o))
		})},
		{name: "shares of one paper fewer", check: check, plan: third(func(p *poll, g *pollGroup) {
			o := p.opening(g)
			o.Pairs = o.Pairs[64:]
			p.shareAs(4, g, p.shares(4, o))
		})},
		{name: "a group opened without papers", check: check, plan: plan{vote: withoutHeavy, tally: func(p *poll) {
			p.tally()
			g := p.group("supporters", "v2")
			o := p.opening(g)
			o.Pairs = p.group("supporters", "v1").pairs
			p.shareAs(0, g, p.shares(0, o))
		}}},
		{name: "opened although too few papers came", check: check, also: append(afterNoResult(), verify.CheckPrivacy), plan: plan{
			vote: fewVote,
			shut: func(_ *poll, b *proceeding.ShutBody) { b.Unopened = true },
			result: func(_ *poll, b *proceeding.ResultBody) {
				*b = proceeding.ResultBody{Ballot: b.Ballot, At: b.At, Outcome: proceeding.Unopened}
			}}},
		{name: "opened although too few papers came, and it is not said", check: verify.CheckPrivacy, plan: plan{vote: fewVote}},
	}
}

// fewVote has one supporter vote with the double weight.
func fewVote(p *poll) { p.but(p.voter("supporters", "v2", 0), p.voter("supporters", "v2", 1)) }

func plainAltered() []altered {
	const check = verify.CheckSealPlain
	read := func(change func(*contest.PapersBody)) plan {
		return plan{read: func(_ *poll, b *contest.PapersBody) { change(b) }}
	}
	return []altered{
		{name: "a paper opened otherwise than it was marked", check: check, plan: read(move)},
		{name: "a vote on a motion opened otherwise", check: check, of: "motion", plan: read(func(b *contest.PapersBody) {
			b.Sections[0].Papers[0].N++
			b.Sections[0].Papers[1].N--
		})},
		{name: "a paper that vanished when it was opened", check: check, plan: read(func(b *contest.PapersBody) {
			b.Sections[0].Papers = b.Sections[0].Papers[:len(b.Sections[0].Papers)-1]
		})},
		{name: "a blank paper that vanished", check: check, plan: read(func(b *contest.PapersBody) {
			b.Sections[1].Papers = slices.DeleteFunc(b.Sections[1].Papers, func(x contest.Grouped) bool { return len(x.Marks) == 0 })
		})},
		{name: "a vote on a motion that vanished", check: check, of: "motion", also: []string{verify.CheckTurnout}, plan: read(func(b *contest.PapersBody) { b.Sections[0].Papers[0].N-- })},
		{name: "a paper too many when they were opened", check: check, plan: read(func(b *contest.PapersBody) { b.Sections[0].Papers[0].N++ })},
		{name: "a valid paper counted as spoilt", check: check, plan: read(func(b *contest.PapersBody) {
			b.Sections[0].Papers = b.Sections[0].Papers[1:]
			b.Sections[0].Spoilt = 1
		})},
		{name: "a paper written in another way than the first counted as valid", check: check, plan: plan{vote: spoiling, read: func(p *poll, b *contest.PapersBody) {
			b.Sections[0].Spoilt = 0
			x := contest.Grouped{Choice: -1, Marks: ranked(p.voter("members", "v1", 0).marks), N: 1}
			b.Sections[0].Papers = append(b.Sections[0].Papers, x)
			slices.SortFunc(b.Sections[0].Papers, func(a, z contest.Grouped) int { return bytes.Compare(paperKey(&a), paperKey(&z)) })
		}}},
		{name: "a spoilt paper that vanished", check: check, plan: plan{vote: spoiling, read: func(_ *poll, b *contest.PapersBody) { b.Sections[0].Spoilt = 0 }}},
		{name: "an element that stands for no paper counted as valid", check: check, plan: plan{
			vote: func(p *poll) {
				v := p.voter("members", "v1", 0)
				p.but(v)
				e := p.g.Base()
				p.take(v, p.craft(v, crafted{element: &e}))
			},
			read: func(p *poll, b *contest.PapersBody) {
				b.Sections[0].Spoilt = 0
				b.Sections[0].Papers[0].N++
			}}},
		{name: "shares put together by other trustees' coefficients", check: check, also: []string{verify.CheckResults}, plan: read(func(b *contest.PapersBody) {
			b.Sections[0].Papers, b.Sections[0].Spoilt = []contest.Grouped{}, 7 // what comes out is nothing that a paper says
		})},
		{name: "a vote worth more than its class", check: check, plan: read(func(b *contest.PapersBody) { revalue(b, "3") })},
		{name: "a heavy vote opened as a light one", check: check, of: "motion", plan: plan{read: func(_ *poll, b *contest.PapersBody) {
			for i := range b.Sections[1].Papers {
				b.Sections[1].Papers[i].Value = ""
			}
			x := b.Sections[1].Papers
			b.Sections[1].Papers = []contest.Grouped{{Choice: 0, N: x[0].N + x[1].N}, {Choice: 1, N: x[2].N + x[3].N}}
		}}},
		{name: "a paper moved from one section to the other", check: check, plan: read(func(b *contest.PapersBody) {
			b.Sections[0].Papers = b.Sections[0].Papers[1:]
			for i := range b.Sections[1].Papers {
				if x := &b.Sections[1].Papers[i]; slices.Equal(x.Marks, []int{0}) {
					x.N++
				}
			}
		})},
		{name: "papers in an order that says something", check: check, plan: read(func(b *contest.PapersBody) { slices.Reverse(b.Sections[0].Papers) })},
		{name: "equal papers that are not put together", check: check, of: "motion", plan: read(func(b *contest.PapersBody) {
			x := b.Sections[0].Papers
			x[0].N--
			b.Sections[0].Papers = slices.Insert(x, 0, contest.Grouped{Choice: 0, N: 1})
		})},
		{name: "a section left out of the opened papers", check: check, plan: plan{body: func(p *poll, _ []byte) []byte {
			return p.papersWith(func(b *contest.PapersBody) { b.Sections = b.Sections[:1] })
		}}},
	}
}

func recordsAltered() []altered {
	unfinished := func(p *poll) {
		p.tally()
		p.enter(proceeding.KindPart, "", &proceeding.PartBody{Ballot: p.ballot.ID, N: 1, Bytes: []byte("omov shares 1\n")})
	}
	garbled := func(raw []byte) plan {
		return plan{tally: func(p *poll) {
			p.tally()
			p.raw(raw, nil)
		}}
	}
	return []altered{
		{name: "an entry of a sealed ballot of an unknown kind", check: verify.CheckRecords, plan: plan{late: func(p *poll) {
			p.enter("seal.amended/1", "", map[string]any{"ballot": p.ballot.ID})
		}}},
		{name: "a paper's entry that says more than it may", check: verify.CheckRecords, also: []string{verify.CheckSealAccepted}, plan: plan{late: func(p *poll) {
			r := p.out.find(proceeding.KindSealedPaper, 2)
			r.body = append([]byte(`{"also":1,`), r.body[1:]...)
		}}},
		{name: "a deed of an unknown kind", check: verify.CheckRecords, plan: plan{tally: func(p *poll) {
			p.tally()
			p.deed(3, sealed.NewDeed(p.hash, p.closing, p.s.names[3], "blessing", "vote/members/v1", nil), nil)
		}}},
		{name: "a deed that cannot be read", check: verify.CheckRecords, plan: garbled([]byte("a deed"))},
		{name: "a deed of an unknown version", check: verify.CheckRecords, plan: plan{tally: func(p *poll) {
			p.tally()
			d := sealed.NewDeed(p.hash, p.closing, p.s.names[3], sealed.Witness, "", nil)
			d.Version = 2
			p.deed(3, d, nil)
		}}},
		{name: "a deed that begins and does not end", check: verify.CheckSteps, plan: plan{tally: unfinished}},
		{name: "a deed with a part left out", check: verify.CheckSteps, also: []string{verify.CheckSealShares}, plan: plan{tally: func(p *poll) {
			p.tally()
			p.out.recs[len(p.out.recs)-2] = p.out.recs[len(p.out.recs)-1]
			p.out.recs = p.out.recs[:len(p.out.recs)-1]
		}}},
		{name: "a phase ended by somebody who runs no ballots", check: verify.CheckSteps, plan: making(func(c *ceremony) {
			withoutDale(c)
			c.p.out.find(proceeding.KindPhase, 0).head.Office = "chair"
		})},
		{name: "a mixer excused by somebody who runs no ballots", check: verify.CheckSteps, plan: plan{tally: func(p *poll) {
			p.tally()
			p.out.find(proceeding.KindExcused, 0).head.Office = "chair"
		}}},
		{name: "a ballot closed twice", check: verify.CheckSteps, plan: plan{late: func(p *poll) {
			r := *p.out.find(proceeding.KindBallotShut, 0)
			p.put(&r)
		}}},
		{name: "a key made twice", check: verify.CheckSealKey, plan: plan{keyed: func(p *poll, b *proceeding.KeyedBody) {
			r := *p.out.find(proceeding.KindKeyed, 0)
			r.body = canonical(p.t, b)
			p.put(&r)
		}}},
		{name: "a ballot opened without its list", check: verify.CheckSteps, also: []string{verify.CheckSealCount}, plan: plan{opened: func(p *poll, _ *proceeding.Ballot) { p.out.drop(proceeding.KindListed, 0) }}},
		{name: "a paper whose entry says when it came", check: verify.CheckPrivacy, plan: plan{vote: func(p *poll) {
			p.everybody()
			p.out.find(proceeding.KindSealedPaper, 1).head.At = p.now
		}}},
		{name: "opened papers that only scrutineers can read", check: verify.CheckPrivacy, full: true, plan: plan{after: func(p *poll) {
			p.out.find(proceeding.KindPapers, 0).access = minutes.Scrutineers
		}}},
		{name: "papers opened twice", check: verify.CheckSteps, plan: plan{body: func(p *poll, b []byte) []byte {
			p.enter(proceeding.KindPapers, "", p.opened())
			return b
		}}},
		{name: "a counted ballot whose papers are missing, and whose manifest cannot be read", check: verify.CheckSealManifest, plan: plan{
			text:  func(b []byte) []byte { return append([]byte(" "), b...) },
			after: func(p *poll) { p.out.drop(proceeding.KindPapers, 0) }}},
	}
}

// unharmed are ballots that hold whatever was tried. check is what has to stand
// among what was left out.
func unharmed() []altered {
	posted := func(why string, f func(p *poll, member, supporter *voter) []byte) plan {
		return voting(func(p *poll, member, supporter *voter) {
			p.take(member, p.seal(member, member.marks))
			p.take(supporter, p.seal(supporter, supporter.marks))
			p.post(f(p, member, supporter))
		})
	}
	return []altered{
		{name: "a trustee who never comes is disqualified, and opens all the same", plan: plan{keygen: withoutDale, tally: func(p *poll) {
			p.witness(0, 2, 3)
			p.mixes()
			for _, g := range p.full() {
				p.share(g, 0, 2, 3)
			}
		}}},
		{name: "a complaint that is answered", plan: complaint(func(c *ceremony) {
			c.answer(4, 5)
			c.phase("answer")
		})},
		{name: "a complaint without an answer disqualifies", plan: complaint(func(c *ceremony) { c.end("answer", 4) })},
		{name: "three confirm, and an officer goes on", plan: making(func(c *ceremony) {
			c.begin()
			c.settle()
			for _, j := range []int{5, 1, 3} {
				c.confirm(j)
			}
			c.end("confirm")
		})},
		{name: "votes are changed, twice", plan: voting(func(p *poll, member, supporter *voter) {
			p.take(member, p.seal(member, supporter.marks))
			p.take(supporter, p.seal(supporter, member.marks))
			p.take(member, p.seal(member, member.marks))
			p.take(supporter, p.seal(supporter, supporter.marks))
			p.take(member, p.seal(member, supporter.marks))
		})},
		{name: "a paper after the close changes nothing", check: "after the close", plan: plan{late: func(p *poll) {
			v := p.voter("members", "v1", 0)
			p.post(p.seal(v, p.voter("members", "v1", 3).marks))
		}}},
		{name: "a stale paper changes nothing", check: "stale", plan: posted("stale", func(p *poll, v, _ *voter) []byte { return p.craft(v, crafted{previous: p.hash[:]}) })},
		{name: "the same paper again changes nothing", check: "repeated", plan: posted("repeated", func(p *poll, v, _ *voter) []byte { return p.standing[v.public].Raw })},
		{name: "a copied ballot changes nothing", check: "unproved", plan: posted("unproved", func(p *poll, v, other *voter) []byte {
			x := p.standing[other.public]
			return p.craft(v, crafted{pairs: x.Pairs, proofOf: x.Proof})
		})},
		{name: "a stranger's paper changes nothing", check: "unlisted", plan: posted("unlisted", func(p *poll, v, _ *voter) []byte {
			x := p.stranger("members")
			return p.seal(x, v.marks)
		})},
		{name: "a paper of another ballot changes nothing", check: "malformed", plan: posted("malformed", func(p *poll, v, _ *voter) []byte {
			return p.craft(v, crafted{manifest: make([]byte, 32)})
		})},
		{name: "a paper of another contest changes nothing", check: "malformed", plan: posted("malformed", func(p *poll, v, _ *voter) []byte {
			return p.craft(v, crafted{contest: "other"})
		})},
		{name: "what is no paper changes nothing", check: "malformed", plan: posted("malformed", func(*poll, *voter, *voter) []byte { return []byte("no paper") })},
		{name: "a vote of two on a motion changes nothing", check: "unproved", of: "motion", plan: posted("unproved", func(p *poll, v, _ *voter) []byte { return p.more(v, p.seal(v, v.marks), 0, 1) })},
		{name: "wrong shares are left out", check: "Dale", plan: sharing(func(p *poll, g *pollGroup) {
			x := p.shares(3, p.opening(g))
			copy(x.D, x.D[32:64])
			p.shareAs(3, g, x)
			p.share(g, 0, 2, 4)
		})},
		{name: "more trustees open than it takes", plan: sharing(func(p *poll, g *pollGroup) { p.share(g, 4, 3, 1, 0, 2) })},
		{name: "all mixers mix", plan: mixed(func(p *poll) {
			for i := range 3 {
				p.mix(i, p.full()...)
			}
		})},
		{name: "a spoilt paper is counted as such", plan: plan{vote: spoiling}},
		{name: "a spoilt paper is declared as such", plan: plan{vote: spoiling, result: func(_ *poll, b *proceeding.ResultBody) { b.Figures = map[string]int64{"spoilt": 1} }}},
		{name: "nobody with a heavier vote comes", plan: plan{vote: withoutHeavy}},
		{name: "nobody with a heavier vote comes to a motion", of: "motion", plan: plan{vote: withoutHeavy}},
		{name: "papers were refused, and it is said how many", check: "3 refused as stale", plan: plan{shut: func(_ *poll, b *proceeding.ShutBody) { b.Refused = map[string]int64{"stale": 3, "copied": 1} }}},
		{name: "a closing checkpoint that covers more than the close", plan: plan{fix: func(p *poll) { p.fix(len(p.out.recs)) }}},
	}
}
