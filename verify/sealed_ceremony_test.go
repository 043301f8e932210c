package verify_test

import (
	"crypto/rand"
	"encoding/hex"
	"math/big"
	"slices"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/group"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/sealed/transcript"
)

// backend is the group that makes shares.
func backend() group.Backend { return group.Backends()[0] }

// ceremony makes the key of a poll as somebody would who has all trustees'
// secrets: message by message, each as it must be or altered and signed again.
// What is encrypted for another trustee are random bytes: nobody but that
// trustee can tell.
type ceremony struct {
	p       *poll
	n, t    int
	secrets [][]ristretto.Scalar // coefficients, by trustee
	salts   [][]byte
	out     map[int]bool
	log     *transcript.Transcript
	digest  [64]byte
	more    func(*keygen.Message) // alters messages before they are signed
}

// generate makes the key by the plan.
func (p *poll) generate() {
	c := &ceremony{p: p, n: len(p.m.Trustees), t: p.m.Threshold, out: map[int]bool{}, log: transcript.New("keygen")}
	p.confirms, p.gone = nil, nil
	for _, t := range p.m.Trustees {
		sign, _ := hex.DecodeString(t.Sign)
		sealed, _ := hex.DecodeString(t.Seal)
		c.log.Absorb("trustee", sign, sealed)
		var ks []ristretto.Scalar
		for range c.t {
			ks = append(ks, *proof.NewSecret().Scalar())
		}
		c.secrets = append(c.secrets, ks)
		salt := make([]byte, 32)
		rand.Read(salt)
		c.salts = append(c.salts, salt)
	}
	c.log.Absorb("manifest", p.hash[:])
	c.log.Number("threshold", c.t)
	if p.plan.keygen != nil {
		p.plan.keygen(c)
		return
	}
	c.begin()
	c.finish()
}

// all are the trustees who are not disqualified, from 1.
func (c *ceremony) all() []int {
	var out []int
	for j := 1; j <= c.n; j++ {
		if !c.out[j] {
			out = append(out, j)
		}
	}
	return out
}

// begin has all commit, reveal and find nothing wrong.
func (c *ceremony) begin() {
	for _, j := range c.all() {
		c.commit(j)
	}
	c.phase("commit")
	for _, j := range c.all() {
		c.reveal(j)
	}
	c.phase("reveal")
	for _, j := range c.all() {
		c.verdict(j)
	}
	c.phase("verdict")
	c.phase("answer")
}

// finish has all confirm the key that follows.
func (c *ceremony) finish() {
	c.settle()
	for _, j := range c.all() {
		c.confirm(j)
	}
}

// post signs a message as a trustee, and enters it.
func (c *ceremony) post(j int, m keygen.Message, alter ...func(*keygen.Message)) {
	m.Version, m.Manifest, m.From = 1, hex.EncodeToString(c.p.hash[:]), j
	for _, f := range alter {
		f(&m)
	}
	if c.more != nil {
		c.more(&m)
	}
	said := canonical(c.p.t, &m)
	m.Signature = proof.Sign(c.p.g, c.p.ids[j-1].Sign(), "keygen", said)
	c.enter(canonical(c.p.t, &m))
	if m.Kind != keygen.Confirm {
		c.log.Absorb("message", said)
	}
}

func (c *ceremony) enter(raw []byte) {
	id := c.p.out.find(proceeding.KindPrepared, 0)
	var b proceeding.PreparedBody
	must(c.p.t, decode(id.body, &b))
	c.p.enter(proceeding.KindMessage, "", &proceeding.MessageBody{Ballot: b.Ballot, Message: raw})
}

// end has an officer end a phase; those named are disqualified by it.
func (c *ceremony) end(phase string, gone ...int) {
	var b proceeding.PreparedBody
	must(c.p.t, decode(c.p.out.find(proceeding.KindPrepared, 0).body, &b))
	c.p.enter(proceeding.KindPhase, "secretary", &proceeding.PhaseBody{Ballot: b.Ballot, Phase: phase, At: c.p.ms()})
	c.phase(phase, gone...)
}

// phase is the end of a phase, by itself.
func (c *ceremony) phase(name string, gone ...int) {
	for _, j := range gone {
		c.out[j] = true
		c.p.gone = append(c.p.gone, j)
		c.log.Number("disqualified", j)
	}
	slices.Sort(c.p.gone)
	c.log.Absorb("phase", []byte(name))
}

// coefficients are the elements of a trustee's polynomial.
func (c *ceremony) coefficients(j int) []byte {
	var out []byte
	for k := range c.secrets[j-1] {
		x := proof.SecretOf(c.secrets[j-1][k]).Public(c.p.g)
		out = append(out, x[:]...)
	}
	return out
}

func (c *ceremony) commit(j int, alter ...func(*keygen.Message)) {
	c.post(j, keygen.Message{Kind: keygen.Commit, Commit: c.committed(j, c.salts[j-1], c.coefficients(j))}, alter...)
}

// committed is what a trustee commits with.
func (c *ceremony) committed(j int, salt, coefficients []byte) []byte {
	t := transcript.New("keygen-commit")
	t.Absorb("manifest", c.p.hash[:])
	t.Number("from", j)
	t.Absorb("salt", salt)
	t.Absorb("coefficients", coefficients)
	d := t.Draw("hash")
	return d[:]
}

func (c *ceremony) reveal(j int, alter ...func(*keygen.Message)) {
	m := keygen.Message{Kind: keygen.Reveal, Salt: c.salts[j-1], Coefficients: c.coefficients(j), Shares: make([][]byte, c.n)}
	m.Knows = c.knows(j, m.Coefficients)
	for i := range m.Shares {
		m.Shares[i] = []byte{}
		if i != j-1 {
			m.Shares[i] = make([]byte, 80)
			rand.Read(m.Shares[i])
		}
	}
	c.post(j, m, alter...)
}

// knows proves knowledge of the constant term.
func (c *ceremony) knows(j int, coefficients []byte) []byte {
	t := transcript.New("keygen-know")
	t.Absorb("manifest", c.p.hash[:])
	t.Number("from", j)
	t.Absorb("coefficients", coefficients)
	return proof.Know(c.p.g, t, proof.SecretOf(c.secrets[j-1][0]))
}

func (c *ceremony) verdict(j int, of ...int) {
	c.post(j, keygen.Message{Kind: keygen.Verdict, Complaints: of})
}

func (c *ceremony) answer(j int, to ...int) {
	m := keygen.Message{Kind: keygen.Reply}
	for _, i := range to {
		x := c.share(j, i)
		m.Answers = append(m.Answers, keygen.Answer{To: i, Share: x.Bytes()})
	}
	c.post(j, m)
}

func (c *ceremony) confirm(j int, alter ...func(*keygen.Message)) {
	c.p.confirms = append(c.p.confirms, j)
	slices.Sort(c.p.confirms)
	c.post(j, keygen.Message{Kind: keygen.Confirm, Digest: c.digest[:]}, alter...)
}

// share is the polynomial of j at i.
func (c *ceremony) share(j, i int) ristretto.Scalar {
	x := proof.Number(uint64(i))
	var s ristretto.Scalar
	for k := len(c.secrets[j-1]) - 1; k >= 0; k-- {
		s.MultiplyAdd(&s, &x, &c.secrets[j-1][k])
	}
	return s
}

// settle adds up the key and its shares from those who are not disqualified.
func (c *ceremony) settle() {
	p := c.p
	p.whole, p.held = ristretto.Scalar{}, make([]ristretto.Scalar, c.n)
	for _, j := range c.all() {
		p.whole.Add(&p.whole, &c.secrets[j-1][0])
		for i := range p.held {
			x := c.share(j, i+1)
			p.held[i].Add(&p.held[i], &x)
		}
	}
	p.key = proof.SecretOf(p.whole).Public(p.g)
	var keys []byte
	for i := range p.held {
		k := proof.SecretOf(p.held[i]).Public(p.g)
		keys = append(keys, k[:]...)
	}
	c.log.Absorb("joint", p.key[:])
	c.log.Absorb("keys", keys)
	c.digest = c.log.Draw("digest")
}

// tests measures a vote's figures as they are.
func (p *poll) tests(b *proceeding.ResultBody) {
	if len(b.Tests) == 0 {
		return
	}
	x := &b.Tests[0]
	has, base := big.NewRat(b.Figures["for"], 1), big.NewRat(b.Figures["for"]+b.Figures["against"], 1)
	needs := new(big.Rat).Mul(base, big.NewRat(1, 2))
	x.Has, x.Base, x.Needs, x.Met = has.RatString(), base.RatString(), needs.RatString(), has.Cmp(needs) > 0
}
