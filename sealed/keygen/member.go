package keygen

import (
	"encoding/hex"
	"errors"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/sealed/transcript"
)

// Member is one trustee's side of a ceremony. It keeps nothing but what follows
// from the identity, so that a program that was interrupted goes on where it
// was: it reads the board into a new Ceremony and makes a new Member.
type Member struct {
	g     *ristretto.Group
	p     Params
	id    Identity
	index int
}

// NewMember finds the trustee's place by the registered keys.
func NewMember(g *ristretto.Group, p Params, id Identity) (*Member, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	sign, seal := id.Sign().Public(g), id.Seal().Public(g)
	i := slices.Index(p.Sign, sign)
	if i < 0 || p.Seal[i] != seal {
		return nil, fault.Wrap(fault.NotEntitled, errNotRegistered, "the keys of this trustee are not registered for this ballot: compare the fingerprint %s with the returning officer", Fingerprint(sign, seal))
	}
	return &Member{g, p, id, i + 1}, nil
}

var errNotRegistered = errors.New("not among the ballot's trustees")

// NotRegistered tells whether NewMember refused because the keys are none of the
// ballot's.
func NotRegistered(err error) bool { return errors.Is(err, errNotRegistered) }

// Index is the trustee's number, from 1.
func (m *Member) Index() int { return m.index }

// coefficient draws the k-th coefficient, always the same one for a ballot.
func (m *Member) coefficient(k int) proof.Secret {
	return m.id.secret("coefficient", m.p.Manifest[:], []byte{byte(k)})
}

func (m *Member) salt() []byte {
	d := m.id.draw("salt", m.p.Manifest[:])
	return d[:32]
}

func (m *Member) coefficients() []byte {
	var out []byte
	for k := range m.p.Threshold {
		c := m.coefficient(k).Public(m.g)
		out = append(out, c[:]...)
	}
	return out
}

// share is the polynomial at j.
func (m *Member) share(j int) proof.Secret {
	x := proof.Number(uint64(j))
	var s ristretto.Scalar
	for k := m.p.Threshold - 1; k >= 0; k-- {
		c := m.coefficient(k)
		s.MultiplyAdd(&s, &x, c.Scalar())
		c.Wipe()
	}
	return proof.SecretOf(s)
}

// post signs a message.
func (m *Member) post(msg Message) ([]byte, error) {
	msg.Version, msg.Manifest, msg.From = 1, hex.EncodeToString(m.p.Manifest[:]), m.index
	b, err := msg.signedBytes()
	if err != nil {
		return nil, err
	}
	key := m.id.Sign()
	defer key.Wipe()
	msg.Signature = proof.Sign(m.g, key, purpose, b)
	return minutes.Canonical(&msg)
}

// Commit gives the first message.
func (m *Member) Commit() ([]byte, error) {
	return m.post(Message{Kind: Commit, Commit: commitmentHash(m.p.Manifest, m.index, m.salt(), m.coefficients())})
}

// Reveal gives the second.
func (m *Member) Reveal() ([]byte, error) {
	msg := Message{Kind: Reveal, Salt: m.salt(), Coefficients: m.coefficients(), Shares: make([][]byte, len(m.p.Sign))}
	constant := m.coefficient(0)
	defer constant.Wipe()
	msg.Knows = proof.Know(m.g, knowing(m.p.Manifest, m.index, msg.Coefficients), constant)
	for j := 1; j <= len(m.p.Sign); j++ {
		msg.Shares[j-1] = []byte{}
		if j == m.index {
			continue
		}
		sealed, err := m.sealShare(j)
		if err != nil {
			return nil, err
		}
		msg.Shares[j-1] = sealed
	}
	return m.post(msg)
}

// shareKey gives the key of a share from trustee from to trustee to.
func shareKey(g *ristretto.Group, manifest [32]byte, from, to int, ephemeral []byte, shared *ristretto.Point) []byte {
	t := transcript.New("keygen-share")
	t.Absorb("manifest", manifest[:])
	t.Number("from", from)
	t.Number("to", to)
	t.Absorb("ephemeral", ephemeral)
	e := g.Encode(shared)
	t.Absorb("shared", e[:])
	d := t.Draw("key")
	return d[:chacha20poly1305.KeySize]
}

// sealShare encrypts a share: E = e·G, then XChaCha20-Poly1305 under the key of
// e times the other's key, with a nonce of zeros, as each key is used once.
func (m *Member) sealShare(j int) ([]byte, error) {
	var to ristretto.Point
	if !m.g.Decode(&to, m.p.Seal[j-1][:]) {
		return nil, bad("the registered key of trustee %d is not one", j)
	}
	e := proof.NewSecret()
	defer e.Wipe()
	ephemeral := e.Public(m.g)
	shared := m.g.Mul(e.Scalar(), &to)
	key := shareKey(m.g, m.p.Manifest, m.index, j, ephemeral[:], &shared)
	defer clear(key)
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	s := m.share(j)
	defer s.Wipe()
	return aead.Seal(ephemeral[:], make([]byte, chacha20poly1305.NonceSizeX), s.Expose(), nil), nil
}

// openShare decrypts what trustee from sent; false where it is no right share.
func (m *Member) openShare(c *Ceremony, from int) (proof.Secret, bool) {
	t := &c.trustees[from-1]
	sealed := t.shares[m.index-1]
	var e ristretto.Point
	if len(sealed) != sealedShare || !m.g.Decode(&e, sealed[:32]) || m.g.IsIdentity(&e) {
		return proof.Secret{}, false
	}
	own := m.id.Seal()
	defer own.Wipe()
	shared := m.g.Mul(own.Scalar(), &e)
	key := shareKey(m.g, m.p.Manifest, from, m.index, sealed[:32], &shared)
	defer clear(key)
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return proof.Secret{}, false
	}
	plain, err := aead.Open(nil, make([]byte, chacha20poly1305.NonceSizeX), sealed[32:], nil)
	if err != nil {
		return proof.Secret{}, false
	}
	defer clear(plain)
	s, ok := transcript.Scalar(plain)
	if !ok || !c.fits(t, m.index, &s) {
		return proof.Secret{}, false
	}
	return proof.SecretOf(s), true
}

// Verdict looks at every share that was sent and gives the third message.
func (m *Member) Verdict(c *Ceremony) ([]byte, error) {
	if c.phase != Verdict {
		return nil, fault.New(fault.TooEarly, "the key generation is at %q", c.phase)
	}
	msg := Message{Kind: Verdict}
	for _, i := range c.Qualified() {
		if i == m.index {
			continue
		}
		s, ok := m.openShare(c, i)
		if !ok {
			msg.Complaints = append(msg.Complaints, i)
			continue
		}
		s.Wipe()
	}
	return m.post(msg)
}

// Answer shows, to all, the shares of those who complain.
func (m *Member) Answer(c *Ceremony) ([]byte, error) {
	if c.phase != Reply {
		return nil, fault.New(fault.TooEarly, "the key generation is at %q", c.phase)
	}
	msg := Message{Kind: Reply}
	for _, j := range slices.Sorted(slices.Values(c.trustees[m.index-1].accusers)) {
		s := m.share(j)
		msg.Answers = append(msg.Answers, Answer{j, s.Expose()})
		s.Wipe()
	}
	if len(msg.Answers) == 0 {
		return nil, fault.New(fault.Already, "nobody complains: there is nothing to answer")
	}
	return m.post(msg)
}

// Next makes this trustee's message of the phase that is on.
func (m *Member) Next(c *Ceremony) ([]byte, error) {
	switch c.Phase() {
	case Commit:
		return m.Commit()
	case Reveal:
		return m.Reveal()
	case Verdict:
		return m.Verdict(c)
	case Reply:
		return m.Answer(c)
	}
	return m.Confirm(c)
}

// Confirm checks that this trustee's own part stands there as it was made and
// that the share fits, and signs the whole.
func (m *Member) Confirm(c *Ceremony) ([]byte, error) {
	digest, err := c.Digest()
	if err != nil {
		return nil, err
	}
	if why := c.trustees[m.index-1].out; why != "" {
		return nil, fault.New(fault.NotEntitled, "this trustee is disqualified: %s", why)
	}
	if hex.EncodeToString(c.trustees[m.index-1].encoded) != hex.EncodeToString(m.coefficients()) {
		return nil, fault.New(fault.Damaged, "the board shows another contribution of this trustee than was made here: do not confirm, and tell the others")
	}
	s, err := m.Share(c)
	if err != nil {
		return nil, err
	}
	s.Wipe()
	return m.post(Message{Kind: Confirm, Digest: digest[:]})
}

// Share gives the trustee's share of the joint key. It is there from the phase
// Confirm on and has been checked against the verification key.
func (m *Member) Share(c *Ceremony) (proof.Secret, error) {
	if _, err := c.Digest(); err != nil {
		return proof.Secret{}, err
	}
	var sum ristretto.Scalar
	for _, i := range c.Qualified() {
		var s proof.Secret
		if open, ok := c.trustees[i-1].open[m.index]; ok {
			s = proof.SecretOf(open)
		} else if i == m.index {
			s = m.share(m.index)
		} else if s, ok = m.openShare(c, i); !ok {
			return proof.Secret{}, fault.New(fault.Conflict, "the share of trustee %d is wrong and was not complained of in time: this trustee cannot help to open", i)
		}
		sum.Add(&sum, s.Scalar())
		s.Wipe()
	}
	share := proof.SecretOf(sum)
	if public, err := c.Public(m.index); err != nil || share.Public(m.g) != public {
		return proof.Secret{}, fault.New(fault.Damaged, "the share does not fit the verification key")
	}
	return share, nil
}
