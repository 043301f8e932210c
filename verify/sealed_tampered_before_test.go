package verify_test

import (
	"bytes"
	"encoding/hex"
	"slices"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/verify"
)

// What is altered before the ballot opens: manifest, list, key.

// onManifest alters the manifest; everything follows from it as it then is.
func onManifest(change func(*sealed.Manifest)) plan {
	return plan{manifest: func(_ *poll, m *sealed.Manifest) { change(m) }}
}

// replaced gives a trustee keys that somebody else has, who then plays them.
func (p *poll) replaced(t *sealed.Trustee, at int) {
	p.ids[at] = keygen.NewIdentity()
	t.Sign, t.Seal = keyText(p.g, p.ids[at].Sign()), keyText(p.g, p.ids[at].Seal())
}

func manifestAltered() []altered {
	const check = verify.CheckSealManifest
	first := func(b []byte, old, new string) []byte { return bytes.Replace(b, []byte(old), []byte(new), 1) }
	return []altered{
		{name: "groups opened from fewer papers on than the rulebook says", check: check, plan: onManifest(func(m *sealed.Manifest) { m.MinSize = 1 })},
		{name: "a higher threshold than was named", check: check, plan: plan{
			manifest: func(_ *poll, m *sealed.Manifest) { m.Threshold = 4 },
			tally: func(p *poll) {
				p.witness(0, 1, 2, 4)
				p.mixes()
				for _, g := range p.full() {
					p.share(g, 0, 1, 2, 4)
				}
			}}},
		{name: "a mixer who was not named", check: check, plan: onManifest(func(m *sealed.Manifest) { m.Mixers = append(m.Mixers, "Dale") }).mixedBy(0, 2, 3)},
		{name: "mixers in another order than was named", check: check, plan: onManifest(func(m *sealed.Manifest) { m.Mixers = []string{"Cedar", "Bay", "Ash"} }).mixedBy(2, 0)},
		{name: "a trustee played by somebody else", check: check, plan: plan{manifest: func(p *poll, m *sealed.Manifest) { p.replaced(&m.Trustees[2], 2) }}},
		{name: "a registrar who was not named", check: check, plan: plan{manifest: func(p *poll, m *sealed.Manifest) {
			p.registrar = proof.NewSecret()
			m.Registrar.Key = keyText(p.g, p.registrar)
		}}},
		{name: "the server passed off as the registrar", check: check, plan: plan{
			prepared: func(_ *poll, b *proceeding.PreparedBody) { b.Registrar = true },
			opened:   func(_ *poll, b *proceeding.Ballot) { b.Seal.Registrar = true }}},
		{name: "the server passed off as the only trustee", check: check, plan: plan{
			prepared: func(_ *poll, b *proceeding.PreparedBody) { b.Server = true },
			opened:   func(_ *poll, b *proceeding.Ballot) { b.Seal.Server = true }}},
		{name: "two candidates exchanged in the manifest", check: check, plan: onManifest(func(m *sealed.Manifest) {
			o := m.Contests[0].Options
			o[0], o[1] = o[1], o[0]
		})},
		{name: "a candidate's name misspelt in the manifest", check: check, plan: onManifest(func(m *sealed.Manifest) { m.Contests[0].Options[3] = "E" })},
		{name: "yes and no exchanged in the manifest", check: check, of: "motion", plan: onManifest(func(m *sealed.Manifest) {
			o := m.Contests[0].Options
			o[0], o[1] = o[1], o[0]
		})},
		{name: "fewer preferences than the ballot allows", check: check, plan: onManifest(func(m *sealed.Manifest) { m.Contests[0].Most = 3 })},
		{name: "a mark for both sides of a motion allowed", check: check, of: "motion", plan: onManifest(func(m *sealed.Manifest) { m.Contests[0].Most = 2 })},
		{name: "a second contest slipped in", check: check, plan: onManifest(func(m *sealed.Manifest) {
			m.Contests = append(m.Contests, sealed.Contest{ID: "other", Options: []string{"x", "y"}, Form: sealed.FormSum, Least: 1, Most: 1})
		})},
		{name: "a weight that nobody on the roll has", check: check, full: true, plan: onManifest(func(m *sealed.Manifest) {
			m.Sections[0].Classes = append(m.Sections[0].Classes, sealed.Class{ID: "v5", Weight: "5"})
		})},
		{name: "weights in an order that says something", check: check, plan: onManifest(func(m *sealed.Manifest) {
			slices.Reverse(m.Sections[1].Classes)
		})},
		{name: "the manifest of another preparation", check: check, plan: onManifest(func(m *sealed.Manifest) { m.Election += "1" })},
		{name: "a manifest of an unknown version", check: check, plan: onManifest(func(m *sealed.Manifest) { m.Version = 2 })},
		{name: "a manifest of another group", check: check, plan: onManifest(func(m *sealed.Manifest) { m.Group = "ed25519" })},
		{name: "a manifest that is not canonical", check: check, plan: plan{text: func(b []byte) []byte { return append([]byte(" "), b...) }}},
		{name: "a manifest that says more than manifests do", check: check, plan: plan{text: func(b []byte) []byte { return first(b, `{"contests"`, `{"also":1,"contests"`) }}},
		{name: "half of the trustees suffice", check: check, plan: plan{
			trustees: func(b *proceeding.TrusteesBody) { b.Threshold = 2 },
			manifest: func(_ *poll, m *sealed.Manifest) { m.Threshold = 2 }}},
		{name: "one trustee under two names", check: check, plan: plan{
			trustees: func(b *proceeding.TrusteesBody) { b.Trustees[4].Sign = b.Trustees[0].Sign },
			manifest: func(p *poll, m *sealed.Manifest) {
				m.Trustees[4].Sign = m.Trustees[0].Sign
				p.ids[4] = p.ids[0]
			}}},
		{name: "two mixers run by the operator", check: check, plan: plan{
			trustees: func(b *proceeding.TrusteesBody) { b.Trustees[2].Operator = true },
			manifest: func(_ *poll, m *sealed.Manifest) { m.Trustees[2].Operator = true }}},
		{name: "a trustee's key that is the neutral element", check: check, plan: plan{
			trustees: func(b *proceeding.TrusteesBody) { b.Trustees[3].Seal = hex.EncodeToString(make([]byte, 32)) },
			manifest: func(_ *poll, m *sealed.Manifest) { m.Trustees[3].Seal = hex.EncodeToString(make([]byte, 32)) }}},
		{name: "the ballot opens under another manifest than was fixed", check: check, plan: plan{opened: func(_ *poll, b *proceeding.Ballot) { b.Seal.Manifest = b.Seal.Manifest[:len(b.Seal.Manifest)-1] + " }" }}},
		{name: "another paper was fixed than the ballot shows", check: check, plan: plan{prepared: func(_ *poll, b *proceeding.PreparedBody) { b.Paper.Seats = 2 }}},
		{name: "another quota was fixed than the ballot has", check: check, plan: plan{
			prepared: func(_ *poll, b *proceeding.PreparedBody) {
				b.Paper.Quotas = []proceeding.Quota{{Says: "None of it", On: proceeding.OnResult}}
			}}},
		{name: "trustees named by somebody who runs no ballots", check: check, plan: plan{
			trustees: func(b *proceeding.TrusteesBody) { b.By = "chair" },
			roll:     func(p *poll) { p.out.find(proceeding.KindTrustees, 0).head.Office = "chair" }}},
		{name: "trustees named by nobody, under no rulebook", check: check, plan: plan{
			trustees: func(b *proceeding.TrusteesBody) { b.By = "chair" },
			roll: func(p *poll) {
				h := &p.out.find(proceeding.KindTrustees, 0).head
				h.Office, h.Rulebook = "chair", ""
			}}},
	}
}

// mixedBy has other trustees mix than the first and the third.
func (x plan) mixedBy(by ...int) plan {
	x.tally = func(p *poll) {
		p.witness(0, 2, 4)
		for i, j := range by {
			if i == 1 {
				p.excuse(1)
			}
			p.mix(j, p.full()...)
		}
		for _, g := range p.full() {
			p.share(g, 0, 2, 4)
		}
	}
	return x
}

// onList alters the registrar's list, which is then signed.
func onList(change func(*poll, *sealed.Listing)) plan { return plan{list: change} }

// without has everybody vote but the first of a section and class.
func without(section, class string) func(*poll) {
	return func(p *poll) { p.but(p.voter(section, class, 0)) }
}

func listAltered() []altered {
	const check = verify.CheckSealList
	insert := func(g *sealed.ListingGroup, k []byte) {
		g.Keys = append(g.Keys, k)
		slices.SortFunc(g.Keys, bytes.Compare)
	}
	remove := func(g *sealed.ListingGroup, k [32]byte) {
		g.Keys = slices.DeleteFunc(slices.Clone(g.Keys), func(x []byte) bool { return bytes.Equal(x, k[:]) })
	}
	return []altered{
		{name: "a key too many on the list", check: check, plan: onList(func(p *poll, l *sealed.Listing) {
			k := proof.NewSecret().Public(p.g)
			insert(&l.Groups[0], k[:])
		})},
		{name: "a key missing on the list", check: check, plan: plan{
			list: func(p *poll, l *sealed.Listing) { remove(&l.Groups[0], p.voter("members", "v1", 0).public) },
			vote: without("members", "v1")}},
		{name: "a voter given the weight of another", check: check, plan: onList(func(p *poll, l *sealed.Listing) {
			v := p.voter("supporters", "v1", 0)
			remove(&l.Groups[1], v.public)
			insert(&l.Groups[2], v.public[:])
			v.class = "v2"
		})},
		{name: "a key moved from one section to the other", check: check, plan: plan{
			list: func(p *poll, l *sealed.Listing) {
				v := p.voter("members", "v1", 0)
				remove(&l.Groups[0], v.public)
				insert(&l.Groups[1], v.public[:])
			},
			vote: without("members", "v1")}},
		{name: "a list that somebody else signed", check: check, plan: plan{list: func(p *poll, _ *sealed.Listing) { p.registrar = proof.NewSecret() }}},
		{name: "a list signed for another purpose", check: check, plan: plan{listed: func(p *poll, b *proceeding.ListedBody) {
			b.Signature = proof.Sign(p.g, p.registrar, "paper", b.List)
		}}},
		{name: "the list of another ballot", check: check, plan: onList(func(p *poll, l *sealed.Listing) { l.Manifest = hex.EncodeToString(make([]byte, 32)) })},
		{name: "a list of an unknown version", check: check, plan: onList(func(p *poll, l *sealed.Listing) { l.Version = 2 })},
		{name: "a key twice in a group of the list", check: check, plan: onList(func(p *poll, l *sealed.Listing) { insert(&l.Groups[0], l.Groups[0].Keys[0]) })},
		{name: "a key on the list in two sections", check: check, plan: onList(func(p *poll, l *sealed.Listing) {
			l.Groups[0].Keys = l.Groups[0].Keys[1:]
			insert(&l.Groups[0], l.Groups[1].Keys[0])
		})},
		{name: "keys in an order that says something", check: check, plan: onList(func(p *poll, l *sealed.Listing) { slices.Reverse(l.Groups[0].Keys) })},
		{name: "the neutral element as a key on the list", check: check, plan: onList(func(p *poll, l *sealed.Listing) { l.Groups[0].Keys[0] = make([]byte, 32) })},
		{name: "a key on the list that is no element", check: check, plan: onList(func(p *poll, l *sealed.Listing) {
			k := noncanonical(l.Groups[0].Keys[0])
			l.Groups[0].Keys = l.Groups[0].Keys[1:]
			insert(&l.Groups[0], k)
		})},
		{name: "a group of the list that the manifest does not have", check: check, plan: onList(func(p *poll, l *sealed.Listing) {
			l.Groups = append(l.Groups, sealed.ListingGroup{Section: "members", Class: "v9", Keys: [][]byte{}})
		})},
		{name: "a group of the list twice", check: check, plan: onList(func(p *poll, l *sealed.Listing) {
			l.Groups = append(l.Groups, sealed.ListingGroup{Section: "members", Class: "v1", Keys: [][]byte{}})
		})},
		{name: "a second list", check: check, plan: plan{keygen: func(c *ceremony) {
			c.p.enter(proceeding.KindListed, "", secondList(c.p))
			c.begin()
			c.finish()
		}}},
	}
}

// secondList is a list with one voter's key exchanged for another.
func secondList(p *poll) *proceeding.ListedBody {
	b := &proceeding.ListedBody{}
	must(p.t, decode(p.out.find(proceeding.KindListed, 0).body, b))
	l := listOf(p.g, p.m, p.hash, p.s.electors)
	k := proof.NewSecret().Public(p.g)
	l.Groups[0].Keys[0] = k[:]
	slices.SortFunc(l.Groups[0].Keys, bytes.Compare)
	b.At, b.List = p.ms(), canonical(p.t, l)
	b.Signature = proof.Sign(p.g, p.registrar, "credentials", b.List)
	return b
}

// making is a plan that makes the key otherwise.
func making(f func(*ceremony)) plan { return plan{keygen: f} }

// wrongly makes the key with one message of the fifth trustee altered.
func wrongly(kind keygen.Kind, alter func(*ceremony, *keygen.Message)) plan {
	return making(func(c *ceremony) {
		by := func(k keygen.Kind, j int) []func(*keygen.Message) {
			if j != 5 || k != kind {
				return nil
			}
			return []func(*keygen.Message){func(m *keygen.Message) { alter(c, m) }}
		}
		for j := 1; j <= 5; j++ {
			c.commit(j, by(keygen.Commit, j)...)
		}
		c.phase("commit")
		for j := 1; j <= 5; j++ {
			c.reveal(j, by(keygen.Reveal, j)...)
		}
		c.phase("reveal")
		for j := 1; j <= 5; j++ {
			c.verdict(j)
		}
		c.phase("verdict")
		c.phase("answer")
		c.settle()
		for j := 1; j <= 5; j++ {
			c.confirm(j, by(keygen.Confirm, j)...)
		}
	})
}

func keyAltered() []altered {
	const check = verify.CheckSealKey
	return append([]altered{
		{name: "the server's key in place of the trustees'", check: check, plan: plan{keyed: func(p *poll, b *proceeding.KeyedBody) {
			own := proof.NewSecret()
			p.whole, p.key = *own.Scalar(), own.Public(p.g)
			b.Key = hex.EncodeToString(p.key[:])
		}, tally: func(p *poll) {
			for i := range p.held {
				p.held[i] = p.whole
			}
			p.tally()
		}}},
		{name: "the ballot opens with another key than the trustees made", check: check, plan: plan{opened: func(p *poll, b *proceeding.Ballot) {
			k := proof.NewSecret().Public(p.g)
			b.Seal.Key = hex.EncodeToString(k[:])
		}}},
		{name: "confirmations claimed that were not given", check: check, plan: plan{keygen: func(c *ceremony) {
			c.begin()
			c.settle()
			for j := 1; j <= 4; j++ {
				c.confirm(j)
			}
			c.end("confirm")
		}, keyed: func(_ *poll, b *proceeding.KeyedBody) { b.Confirmed = []int{1, 2, 3, 4, 5} }}},
		{name: "a key that too few have confirmed", check: check, plan: making(func(c *ceremony) {
			c.begin()
			c.settle()
			c.confirm(1)
			c.confirm(3)
			c.end("confirm")
		})},
		{name: "a key that not all have confirmed, and no officer goes on", check: check, plan: making(func(c *ceremony) {
			c.begin()
			c.settle()
			for j := 1; j <= 4; j++ {
				c.confirm(j)
			}
		})},
		{name: "a disqualified trustee left unsaid", check: check, plan: plan{keygen: withoutDale, keyed: func(_ *poll, b *proceeding.KeyedBody) { b.Disqualified = []int{} }}},
		{name: "a disqualified trustee's part counted in the key", check: check, plan: making(func(c *ceremony) {
			for j := 1; j <= 5; j++ {
				c.commit(j)
			}
			c.phase("commit")
			for j := 1; j <= 4; j++ {
				c.reveal(j)
			}
			c.end("reveal", 5)
			c.out[5] = false
			for j := 1; j <= 4; j++ {
				c.verdict(j)
			}
			c.phase("verdict")
			c.phase("answer")
			c.settle()
			for j := 1; j <= 4; j++ {
				c.confirm(j)
			}
		})},
		{name: "a trustee who confirms another key generation", check: check, plan: wrongly(keygen.Confirm, func(_ *ceremony, m *keygen.Message) { m.Digest = make([]byte, 64) })},
	}, messagesAltered()...)
}

// withoutDale makes the key with a trustee who never comes.
func withoutDale(c *ceremony) {
	for _, j := range []int{1, 2, 3, 5} {
		c.commit(j)
	}
	c.end("commit", 4)
	for _, j := range c.all() {
		c.reveal(j)
	}
	c.phase("reveal")
	for _, j := range c.all() {
		c.verdict(j)
	}
	c.phase("verdict")
	c.phase("answer")
	c.finish()
}

// opened marks the phases of a key generation in which the fifth complains of
// the fourth; then says what the fourth answers.
func complaint(answer func(*ceremony)) plan {
	return making(func(c *ceremony) {
		for j := 1; j <= 5; j++ {
			c.commit(j)
		}
		c.phase("commit")
		for j := 1; j <= 5; j++ {
			c.reveal(j)
		}
		c.phase("reveal")
		for j := 1; j <= 4; j++ {
			c.verdict(j)
		}
		c.verdict(5, 4)
		c.phase("verdict")
		answer(c)
		c.finish()
	})
}

func messagesAltered() []altered {
	const check = verify.CheckSealKey
	return []altered{
		{name: "a trustee who commits after seeing what others reveal", check: check, plan: making(func(c *ceremony) {
			for j := 1; j <= 4; j++ {
				c.commit(j)
			}
			for j := 1; j <= 4; j++ {
				c.reveal(j)
			}
			c.commit(5)
			c.phase("commit")
			c.reveal(5)
			c.phase("reveal")
			for j := 1; j <= 5; j++ {
				c.verdict(j)
			}
			c.phase("verdict")
			c.phase("answer")
			c.finish()
		})},
		{name: "something else revealed than was committed to", check: check, plan: wrongly(keygen.Reveal, func(c *ceremony, m *keygen.Message) {
			c.secrets[4][0] = *proof.NewSecret().Scalar()
			m.Coefficients = c.coefficients(5)
			m.Knows = c.knows(5, m.Coefficients)
		})},
		{name: "a constant term that the trustee does not know", check: check, plan: wrongly(keygen.Reveal, func(c *ceremony, m *keygen.Message) { m.Knows[40] ^= 1 })},
		{name: "a proof of the constant term copied from another trustee", check: check, plan: wrongly(keygen.Reveal, func(c *ceremony, m *keygen.Message) { m.Knows = c.knows(4, c.coefficients(4)) })},
		{name: "the neutral element as a constant term", check: check, plan: making(func(c *ceremony) {
			c.secrets[4][0] = ristretto.Scalar{}
			c.begin()
			c.finish()
		})},
		{name: "a key that is none: the last trustee's part takes the others' away", check: check, also: afterNoResult(), plan: plan{keygen: func(c *ceremony) {
			var sum ristretto.Scalar
			for _, x := range c.secrets[:4] {
				sum.Add(&sum, &x[0])
			}
			c.secrets[4][0].Negate(&sum)
			c.begin()
			c.finish()
		}, vote: func(*poll) {}}},
		{name: "a polynomial of a lower degree", check: check, plan: making(func(c *ceremony) {
			c.secrets[4] = c.secrets[4][:2]
			c.begin()
			c.finish()
		})},
		{name: "a coefficient in an encoding that is none", check: check, plan: wrongly(keygen.Commit, func(c *ceremony, m *keygen.Message) {
			m.Commit = c.committed(5, c.salts[4], spoiltCoefficients(c))
		}).then(keygen.Reveal, func(c *ceremony, m *keygen.Message) {
			m.Coefficients = spoiltCoefficients(c)
			m.Knows = c.knows(5, m.Coefficients)
		})},
		{name: "a share left out of what is revealed", check: check, plan: wrongly(keygen.Reveal, func(c *ceremony, m *keygen.Message) { m.Shares[1] = []byte{} })},
		{name: "a message with what belongs to another phase", check: check, plan: wrongly(keygen.Commit, func(c *ceremony, m *keygen.Message) { m.Digest = make([]byte, 64) })},
		{name: "a message of another key generation", check: check, plan: wrongly(keygen.Commit, func(c *ceremony, m *keygen.Message) { m.Manifest = hex.EncodeToString(make([]byte, 32)) })},
		{name: "a message that another trustee signed", check: check, plan: making(func(c *ceremony) {
			id := c.p.ids[4]
			c.p.ids[4] = c.p.ids[3]
			c.commit(5)
			c.p.ids[4] = id
			for j := 1; j <= 4; j++ {
				c.commit(j)
			}
			c.phase("commit")
			for j := 1; j <= 5; j++ {
				c.reveal(j)
			}
			c.phase("reveal")
			for j := 1; j <= 5; j++ {
				c.verdict(j)
			}
			c.phase("verdict")
			c.phase("answer")
			c.finish()
		})},
		{name: "a message twice", check: check, plan: making(func(c *ceremony) {
			c.commit(1)
			c.begin()
			c.finish()
		})},
		{name: "a phase ended out of its turn", check: check, plan: making(func(c *ceremony) {
			c.end("verdict")
			c.begin()
			c.finish()
		})},
		{name: "a complaint without an answer", check: check, plan: complaint(func(c *ceremony) { c.phase("answer") })},
		{name: "a complaint with a wrong answer", check: check, plan: complaint(func(c *ceremony) {
			was := c.secrets[3][0]
			c.secrets[3][0] = *proof.NewSecret().Scalar()
			c.answer(4, 5)
			c.secrets[3][0] = was
			c.phase("answer")
		})},
		{name: "an answer to somebody who did not complain", check: check, plan: complaint(func(c *ceremony) {
			c.answer(4, 3)
			c.phase("answer")
		})},
	}
}

// spoiltCoefficients are the fifth trustee's, one of them written as no element
// is.
func spoiltCoefficients(c *ceremony) []byte {
	b := c.coefficients(5)
	copy(b[64:], noncanonical(b[64:96]))
	return b
}

// then alters another message too.
func (x plan) then(kind keygen.Kind, alter func(*ceremony, *keygen.Message)) plan {
	before := x.keygen
	x.keygen = func(c *ceremony) {
		c.more = func(m *keygen.Message) {
			if m.From == 5 && m.Kind == kind {
				alter(c, m)
			}
		}
		before(c)
	}
	return x
}
