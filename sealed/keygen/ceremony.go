package keygen

import (
	"bytes"
	"encoding/hex"
	"slices"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/sealed/transcript"
)

// Kind is a kind of message, and the phase in which it is posted.
type Kind string

// The phases in order; Done follows the last.
const (
	Commit  Kind = "commit"
	Reveal  Kind = "reveal"
	Verdict Kind = "verdict"
	Reply   Kind = "answer"
	Confirm Kind = "confirm"
	Done    Kind = "done"
)

// MaxMessage is the most bytes that a message has.
const MaxMessage = 16 << 10

// purpose is what the signatures of messages are for.
const purpose = "keygen"

// Message is what a trustee posts: canonical JSON (package minutes), signed
// with the registered key over the message without its signature.
type Message struct {
	Version      int      `json:"v"` // 1
	Manifest     string   `json:"manifest"`
	From         int      `json:"from"` // 1 to n
	Kind         Kind     `json:"kind"`
	Commit       []byte   `json:"commit,omitempty"`       // commit: 64 bytes
	Salt         []byte   `json:"salt,omitempty"`         // reveal: 32 bytes
	Coefficients []byte   `json:"coefficients,omitempty"` // reveal: t elements, the constant term first
	Knows        []byte   `json:"knows,omitempty"`        // reveal: proof of the constant term
	Shares       [][]byte `json:"shares,omitempty"`       // reveal: one a trustee; one's own is empty
	Complaints   []int    `json:"complaints,omitempty"`   // verdict: whose share is wrong, ascending
	Answers      []Answer `json:"answers,omitempty"`      // answer: ascending
	Digest       []byte   `json:"digest,omitempty"`       // confirm: Ceremony.Digest
	Signature    []byte   `json:"signature,omitempty"`
}

// Answer is a share in the open.
type Answer struct {
	To    int    `json:"to"`
	Share []byte `json:"share"`
}

// trustee is what a ceremony knows of one.
type trustee struct {
	out          string // why disqualified
	commit       []byte
	encoded      []byte
	coefficients []ristretto.Point
	shares       [][]byte
	done         map[Kind]bool
	accusers     []int
	open         map[int]ristretto.Scalar // answered shares
}

// Ceremony follows the messages of one key generation. The same messages and
// ends of phases in the same order always give the same.
type Ceremony struct {
	g        *ristretto.Group
	p        Params
	phase    Kind
	trustees []trustee
	log      *transcript.Transcript
	digest   [64]byte
	joint    ristretto.Point
	keys     []ristretto.Point
}

// NewCeremony starts one.
func NewCeremony(g *ristretto.Group, p Params) (*Ceremony, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	c := &Ceremony{g: g, p: p, phase: Commit, trustees: make([]trustee, len(p.Sign)), log: transcript.New("keygen")}
	for i := range c.trustees {
		c.trustees[i].done = map[Kind]bool{}
		c.trustees[i].open = map[int]ristretto.Scalar{}
		c.log.Absorb("trustee", p.Sign[i][:], p.Seal[i][:])
		var q ristretto.Point
		for _, k := range [][32]byte{p.Sign[i], p.Seal[i]} {
			if !g.Decode(&q, k[:]) || g.IsIdentity(&q) {
				return nil, fault.New(fault.Invalid, "a registered key of trustee %d is not one", i+1)
			}
		}
	}
	c.log.Absorb("manifest", p.Manifest[:])
	c.log.Number("threshold", p.Threshold)
	return c, nil
}

// Phase is what may be posted now.
func (c *Ceremony) Phase() Kind { return c.phase }

// Waiting gives the trustees whose message of this phase is not there yet.
func (c *Ceremony) Waiting() []int {
	var out []int
	for i := range c.trustees {
		t := &c.trustees[i]
		if t.out == "" && !t.done[c.phase] && c.phase != Done && (c.phase != Reply || len(t.accusers) > 0) {
			out = append(out, i+1)
		}
	}
	return out
}

// Disqualified gives those who are, and why.
func (c *Ceremony) Disqualified() map[int]string {
	out := map[int]string{}
	for i := range c.trustees {
		if c.trustees[i].out != "" {
			out[i+1] = c.trustees[i].out
		}
	}
	return out
}

// Qualified gives those who are not disqualified.
func (c *Ceremony) Qualified() []int {
	var out []int
	for i := range c.trustees {
		if c.trustees[i].out == "" {
			out = append(out, i+1)
		}
	}
	return out
}

func bad(format string, args ...any) error { return fault.New(fault.Invalid, format, args...) }

// signedBytes is what a message's signature is over.
func (m *Message) signedBytes() ([]byte, error) {
	u := *m
	u.Signature = nil
	return minutes.Canonical(&u)
}

// Post takes the next message of the board.
func (c *Ceremony) Post(raw []byte) error {
	if len(raw) > MaxMessage {
		return fault.New(fault.TooMuch, "a message of the key generation has at most %d bytes", MaxMessage)
	}
	var m Message
	if err := minutes.Decode(raw, &m); err != nil {
		return err
	}
	if m.Version != 1 || m.Manifest != hex.EncodeToString(c.p.Manifest[:]) || m.From < 1 || m.From > len(c.trustees) {
		return bad("this message belongs to another key generation")
	}
	t := &c.trustees[m.From-1]
	switch {
	case t.out != "":
		return fault.New(fault.NotEntitled, "trustee %d is disqualified: %s", m.From, t.out)
	case m.Kind != c.phase:
		return fault.New(fault.Conflict, "the key generation is at %q; this message is a %q", c.phase, m.Kind)
	case t.done[m.Kind]:
		return fault.New(fault.Already, "trustee %d has posted this already", m.From)
	}
	signed, err := m.signedBytes()
	if err != nil {
		return err
	}
	if !proof.Signed(c.g, purpose, c.p.Sign[m.From-1][:], signed, m.Signature) {
		return bad("the message is not signed by trustee %d", m.From)
	}
	if err := c.take(&m, t); err != nil {
		return err
	}
	t.done[m.Kind] = true
	if m.Kind != Confirm {
		c.log.Absorb("message", signed)
	}
	return nil
}

// only tells whether a message has nothing but what its kind has.
func (m *Message) only() bool {
	has := func(b bool, kinds ...Kind) bool { return !b || slices.Contains(kinds, m.Kind) }
	return has(m.Commit != nil, Commit) && has(m.Salt != nil || m.Coefficients != nil || m.Knows != nil || m.Shares != nil, Reveal) &&
		has(m.Complaints != nil, Verdict) && has(m.Answers != nil, Reply) && has(m.Digest != nil, Confirm)
}

func (c *Ceremony) take(m *Message, t *trustee) error {
	if !m.only() {
		return bad("the message holds what does not belong to a %q", m.Kind)
	}
	switch m.Kind {
	case Commit:
		if len(m.Commit) != 64 {
			return bad("a commitment has 64 bytes")
		}
		t.commit = m.Commit
		return nil
	case Reveal:
		return c.reveal(m, t)
	case Verdict:
		return c.verdict(m)
	case Reply:
		return c.answer(m, t)
	}
	if !bytes.Equal(m.Digest, c.digest[:]) {
		return bad("trustee %d confirms another key generation than this one: the trustees have not seen the same messages", m.From)
	}
	return nil
}

// sealedShare is the length of an encrypted share.
const sealedShare = 32 + 32 + 16

func (c *Ceremony) reveal(m *Message, t *trustee) error {
	if len(m.Coefficients) != c.p.Threshold*proof.Size || len(m.Shares) != len(c.trustees) || len(m.Salt) != 32 {
		return bad("what trustee %d reveals has not the right length", m.From)
	}
	for i, s := range m.Shares {
		if i == m.From-1 && len(s) != 0 || i != m.From-1 && len(s) != sealedShare {
			return bad("the encrypted shares of trustee %d are not one for each other trustee", m.From)
		}
	}
	if !bytes.Equal(commitmentHash(c.p.Manifest, m.From, m.Salt, m.Coefficients), t.commit) {
		return bad("trustee %d reveals something else than was committed to", m.From)
	}
	ps := make([]ristretto.Point, c.p.Threshold)
	for k := range ps {
		if !c.g.Decode(&ps[k], m.Coefficients[k*proof.Size:(k+1)*proof.Size]) {
			return bad("what trustee %d reveals holds an element that is none", m.From)
		}
	}
	if !proof.Knows(c.g, knowing(c.p.Manifest, m.From, m.Coefficients), m.Coefficients[:proof.Size], m.Knows) {
		return bad("trustee %d does not prove to know the constant term", m.From)
	}
	t.coefficients, t.encoded, t.shares = ps, m.Coefficients, m.Shares
	return nil
}

func (c *Ceremony) verdict(m *Message) error {
	for i, j := range m.Complaints {
		if j < 1 || j > len(c.trustees) || j == m.From || c.trustees[j-1].out != "" || i > 0 && m.Complaints[i-1] >= j {
			return bad("trustee %d complains of somebody who cannot be complained of", m.From)
		}
	}
	for _, j := range m.Complaints {
		c.trustees[j-1].accusers = append(c.trustees[j-1].accusers, m.From)
	}
	return nil
}

func (c *Ceremony) answer(m *Message, t *trustee) error {
	accusers := slices.Sorted(slices.Values(t.accusers))
	if len(accusers) == 0 {
		return bad("nobody complains of trustee %d", m.From)
	}
	open := map[int]ristretto.Scalar{}
	for i, a := range m.Answers {
		if i > 0 && m.Answers[i-1].To >= a.To || !slices.Contains(accusers, a.To) {
			return bad("trustee %d answers somebody who has not complained", m.From)
		}
		s, ok := transcript.Scalar(a.Share)
		if !ok {
			return bad("the share that trustee %d shows is no number", m.From)
		}
		if !c.fits(t, a.To, &s) {
			return bad("the share that trustee %d shows to trustee %d does not fit what was revealed", m.From, a.To)
		}
		open[a.To] = s
	}
	if len(open) != len(accusers) {
		return bad("trustee %d leaves a complaint without an answer", m.From)
	}
	t.open = open
	return nil
}

// fits tells whether s is the share of trustee to by what from has revealed.
func (c *Ceremony) fits(from *trustee, to int, s *ristretto.Scalar) bool {
	want := at(c.g, from.coefficients, to)
	got := c.g.MulBase(s)
	return c.g.Equal(&want, &got)
}

// Next ends a phase. While somebody's message is missing it refuses, unless
// the deadline has passed: then who has not committed, revealed or answered is
// disqualified, who has given no verdict complains of nobody, and who has not
// confirmed is merely not among those who have.
func (c *Ceremony) Next(deadline bool) error {
	waiting := c.Waiting()
	if len(waiting) > 0 && !deadline {
		return fault.New(fault.TooEarly, "the key generation still waits for trustees %v", waiting)
	}
	order := []Kind{Commit, Reveal, Verdict, Reply, Confirm, Done}
	at := slices.Index(order, c.phase)
	if c.phase == Done {
		return fault.New(fault.Already, "the key generation is done")
	}
	if c.phase == Confirm && len(c.Confirmed()) < c.p.Threshold {
		return fault.New(fault.TooEarly, "%d trustees have confirmed; it takes %d", len(c.Confirmed()), c.p.Threshold)
	}
	why := map[Kind]string{Commit: "no commitment in time", Reveal: "nothing revealed in time that fits the commitment", Reply: "a complaint left without a right answer"}[c.phase]
	if why != "" {
		if left := len(c.Qualified()) - len(waiting); left < c.p.Threshold {
			return fault.New(fault.Conflict, "only %d trustees are left, and it takes %d: the key generation has to begin anew", left, c.p.Threshold)
		}
		for _, j := range waiting {
			c.trustees[j-1].out = why
			c.log.Number("disqualified", j)
		}
	}
	c.log.Absorb("phase", []byte(c.phase))
	c.phase = order[at+1]
	if c.phase == Confirm {
		c.settle()
	}
	return nil
}

// settle computes the joint key and everybody's verification key.
func (c *Ceremony) settle() {
	c.joint = c.g.Identity()
	c.keys = c.g.Identities(len(c.trustees))
	for _, i := range c.Qualified() {
		t := &c.trustees[i-1]
		c.joint = c.g.Add(&c.joint, &t.coefficients[0])
		for j := range c.keys {
			p := at(c.g, t.coefficients, j+1)
			c.keys[j] = c.g.Add(&c.keys[j], &p)
		}
	}
	joint := c.g.Encode(&c.joint)
	c.log.Absorb("joint", joint[:])
	c.log.Absorb("keys", c.g.EncodeAll(nil, c.keys))
	c.digest = c.log.Draw("digest")
}

// Confirmed gives the trustees who have signed the whole.
func (c *Ceremony) Confirmed() []int {
	var out []int
	for i := range c.trustees {
		if c.trustees[i].out == "" && c.trustees[i].done[Confirm] {
			out = append(out, i+1)
		}
	}
	return out
}

// Digest is the hash of everything posted, which trustees confirm; it is there
// from the phase Confirm on.
func (c *Ceremony) Digest() ([64]byte, error) {
	if c.phase != Confirm && c.phase != Done {
		return [64]byte{}, fault.New(fault.TooEarly, "the key generation is at %q", c.phase)
	}
	return c.digest, nil
}

// Joint is the key that papers are encrypted to.
func (c *Ceremony) Joint() ([32]byte, error) {
	if c.phase != Done {
		return [32]byte{}, fault.New(fault.TooEarly, "the key generation is at %q: the trustees have not confirmed the key", c.phase)
	}
	if c.g.IsIdentity(&c.joint) {
		return [32]byte{}, bad("the trustees have made a key that is none")
	}
	return c.g.Encode(&c.joint), nil
}

// Public is the verification key of trustee j (1 to n).
func (c *Ceremony) Public(j int) ([32]byte, error) {
	if c.phase != Confirm && c.phase != Done || j < 1 || j > len(c.keys) {
		return [32]byte{}, fault.New(fault.TooEarly, "there is no verification key of trustee %d", j)
	}
	return c.g.Encode(&c.keys[j-1]), nil
}
