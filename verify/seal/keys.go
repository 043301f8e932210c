package seal

import (
	"bytes"
	"encoding/hex"
	"slices"

	"github.com/omov/omov/minutes"
	"github.com/omov/omov/ristretto"
)

// message is one trustee's word in the key generation.
type message struct {
	Version      int      `json:"v"`
	Manifest     string   `json:"manifest"`
	From         int      `json:"from"`
	Kind         string   `json:"kind"`
	Commit       []byte   `json:"commit,omitempty"`
	Salt         []byte   `json:"salt,omitempty"`
	Coefficients []byte   `json:"coefficients,omitempty"`
	Knows        []byte   `json:"knows,omitempty"`
	Shares       [][]byte `json:"shares,omitempty"`
	Complaints   []int    `json:"complaints,omitempty"`
	Answers      []answer `json:"answers,omitempty"`
	Digest       []byte   `json:"digest,omitempty"`
	Signature    []byte   `json:"signature,omitempty"`
}

type answer struct {
	To    int    `json:"to"`
	Share []byte `json:"share"`
}

// phases are the kinds of message, in order.
func phases() []string { return []string{"commit", "reveal", "verdict", "answer", "confirm"} }

// holder is what is known of a trustee.
type holder struct {
	out          bool
	commit       []byte
	coefficients []byte
	ps           []ristretto.Point
	accusers     []int
	answered     bool
	posted       map[string]bool
}

// Ceremony follows a key generation, message by message.
type Ceremony struct {
	e      *Election
	phase  int
	all    []holder
	log    *script
	digest []byte
	signed []int // who confirmed
	over   bool  // an officer has gone on with those who have
}

// Ceremony begins to follow the key generation of an election.
func (e *Election) Ceremony() *Ceremony {
	c := &Ceremony{e: e, log: newScript("keygen")}
	for _, t := range e.Manifest.Trustees {
		sign, _ := hex.DecodeString(t.Sign) // read by Open
		sealed, _ := hex.DecodeString(t.Seal)
		c.log.put("trustee", sign, sealed)
		c.all = append(c.all, holder{posted: map[string]bool{}})
	}
	c.log.put("manifest", e.Hash[:]).number("threshold", e.Manifest.Threshold)
	return c
}

// Confirmed gives who has signed the transcript, by number, ascending.
func (c *Ceremony) Confirmed() []int { return slices.Sorted(slices.Values(c.signed)) }

// Disqualified gives who is out, by number, ascending.
func (c *Ceremony) Disqualified() []int {
	out := []int{}
	for j := range c.all {
		if c.all[j].out {
			out = append(out, j+1)
		}
	}
	return out
}

// Done tells whether there is a key, and as many have confirmed it as open.
func (c *Ceremony) Done() error {
	if phases()[c.phase] != "confirm" || len(c.signed) < c.e.Manifest.Threshold {
		return wrong("%d trustees have confirmed the key; it takes %d", len(c.signed), c.e.Manifest.Threshold)
	}
	if c.waiting() && !c.over {
		return wrong("not everybody has confirmed the key, and no officer has gone on")
	}
	if c.e.g.IsIdentity(&c.e.y) {
		return wrong("the trustees have made a key that is none")
	}
	return nil
}

// waiting tells whether somebody's message of this phase is missing.
func (c *Ceremony) waiting() bool {
	for j := range c.all {
		t := &c.all[j]
		var missing bool
		switch phases()[c.phase] {
		case "commit":
			missing = t.commit == nil
		case "reveal":
			missing = t.coefficients == nil
		case "verdict":
			missing = !t.posted["verdict"]
		case "answer":
			missing = len(t.accusers) > 0 && !t.answered
		default:
			missing = !t.posted["confirm"]
		}
		if missing && !t.out {
			return true
		}
	}
	return false
}

// reach ends the phases before one in which nobody is waited for.
func (c *Ceremony) reach(at int) error {
	for c.phase < at && !c.waiting() {
		if err := c.end(); err != nil {
			return err
		}
	}
	return nil
}

// End is an officer ending a phase in which somebody is waited for.
func (c *Ceremony) End(phase string) error {
	at := slices.Index(phases(), phase)
	if at < 0 {
		return wrong("there is no phase %q", phase)
	}
	if err := c.reach(at); err != nil {
		return err
	}
	if at != c.phase {
		return wrong("the phase %s is ended, and it is the turn of %s", phase, phases()[c.phase])
	}
	if phase == "confirm" {
		c.over = true // who has not confirmed is merely not among those who have
		return nil
	}
	return c.end()
}

// Post takes the next message. A phase ends by itself when everybody's message
// of it is there, and otherwise by an officer.
func (c *Ceremony) Post(raw []byte) error {
	var m message
	if len(raw) > 16<<10 {
		return wrong("it is too long")
	}
	if err := minutes.Decode(raw, &m); err != nil {
		return err
	}
	at := slices.Index(phases(), m.Kind)
	if m.Version != 1 || m.Manifest != hex.EncodeToString(c.e.Hash[:]) || m.From < 1 || m.From > len(c.all) || at < 0 {
		return wrong("it belongs to another key generation")
	}
	if err := c.reach(at); err != nil {
		return err
	}
	t := &c.all[m.From-1]
	if at != c.phase || t.out || t.posted[m.Kind] {
		return wrong("trustee %d has no %s to post now", m.From, m.Kind)
	}
	unsigned := m
	unsigned.Signature = nil
	said, err := minutes.Canonical(&unsigned)
	if err != nil {
		return err
	}
	key, _ := hex.DecodeString(c.e.Manifest.Trustees[m.From-1].Sign)
	q := &equations{e: c.e}
	q.signature("keygen", key, said, m.Signature)
	if !q.hold() {
		return wrong("it is not signed by trustee %d", m.From)
	}
	if err := c.take(&m, t); err != nil {
		return wrong("trustee %d: %v", m.From, err)
	}
	t.posted[m.Kind] = true
	if m.Kind != "confirm" {
		c.log.put("message", said)
	}
	return nil
}

// alone tells whether a message has nothing but what its kind has.
func (m *message) alone() bool {
	has := map[string]bool{"commit": m.Commit != nil, "reveal": m.Salt != nil || m.Coefficients != nil || m.Knows != nil || m.Shares != nil,
		"verdict": m.Complaints != nil, "answer": m.Answers != nil, "confirm": m.Digest != nil}
	for kind, there := range has {
		if there && kind != m.Kind {
			return false
		}
	}
	return true
}

func (c *Ceremony) take(m *message, t *holder) error {
	if !m.alone() {
		return wrong("a %s holds what does not belong to it", m.Kind)
	}
	switch m.Kind {
	case "commit":
		if t.commit = m.Commit; len(m.Commit) != 64 {
			return wrong("a commitment has 64 bytes")
		}
	case "reveal":
		return c.reveal(m, t)
	case "verdict":
		for i, j := range m.Complaints {
			if j < 1 || j > len(c.all) || j == m.From || c.all[j-1].out || i > 0 && m.Complaints[i-1] >= j {
				return wrong("it complains of somebody who cannot be complained of")
			}
			c.all[j-1].accusers = append(c.all[j-1].accusers, m.From)
		}
	case "answer":
		return c.answer(m, t)
	case "confirm":
		if !bytes.Equal(m.Digest, c.digest) {
			return wrong("another key generation is confirmed than this one")
		}
		c.signed = append(c.signed, m.From)
	}
	return nil
}

func (c *Ceremony) reveal(m *message, t *holder) error {
	n := c.e.Manifest.Threshold
	if len(m.Coefficients) != 32*n || len(m.Shares) != len(c.all) || len(m.Salt) != 32 || len(m.Knows) != 64 {
		return wrong("what is revealed has not the right length")
	}
	for i, s := range m.Shares {
		if want := 80; i == m.From-1 && len(s) != 0 || i != m.From-1 && len(s) != want {
			return wrong("there is not one encrypted share for each other trustee")
		}
	}
	h := newScript("keygen-commit").put("manifest", c.e.Hash[:]).number("from", m.From).put("salt", m.Salt).put("coefficients", m.Coefficients).draw("hash")
	if !bytes.Equal(h, t.commit) {
		return wrong("something else is revealed than was committed to")
	}
	t.ps = make([]ristretto.Point, n)
	for k := range t.ps {
		if !c.e.g.Decode(&t.ps[k], m.Coefficients[32*k:32*k+32]) {
			return wrong("it reveals an element that is none")
		}
	}
	ch := newScript("keygen-know").put("manifest", c.e.Hash[:]).number("from", m.From).put("coefficients", m.Coefficients).put("commitment", m.Knows[:32]).challenge()
	q := &equations{e: c.e}
	s := q.scalar(m.Knows[32:])
	q.schnorr(&ch, &s, m.Coefficients[:32], m.Knows[:32])
	if c.e.g.IsIdentity(&t.ps[0]) || !q.hold() {
		return wrong("it does not prove to know the constant term")
	}
	t.coefficients = m.Coefficients
	return nil
}

func (c *Ceremony) answer(m *message, t *holder) error {
	accusers := slices.Sorted(slices.Values(t.accusers))
	if len(accusers) == 0 || len(m.Answers) != len(accusers) {
		return wrong("it does not answer every complaint, and nothing else")
	}
	for i, a := range m.Answers {
		s, ok := scalarOf(a.Share)
		if a.To != accusers[i] || !ok {
			return wrong("it answers somebody else, or with no number")
		}
		want, got := c.e.share(t.ps, a.To), c.e.g.MulBase(&s)
		if !c.e.g.Equal(&want, &got) {
			return wrong("the share that it shows does not fit what was revealed")
		}
	}
	t.answered = true
	return nil
}

// share is Σ j^k·C_k.
func (e *Election) share(ps []ristretto.Point, j int) ristretto.Point {
	sum := e.g.Identity()
	for k := len(ps) - 1; k >= 0; k-- {
		x := small(uint64(j))
		sum = e.g.FewMul([]ristretto.Scalar{x}, []ristretto.Point{sum})
		sum = e.g.Add(&sum, &ps[k])
	}
	return sum
}

// end ends a phase: who has not done what it asks is out.
func (c *Ceremony) end() error {
	for j := range c.all {
		t := &c.all[j]
		if t.out {
			continue
		}
		missing := false
		switch phases()[c.phase] {
		case "commit":
			missing = t.commit == nil
		case "reveal":
			missing = t.coefficients == nil
		case "answer":
			missing = len(t.accusers) > 0 && !t.answered
		}
		if missing {
			t.out = true
			c.log.number("disqualified", j+1)
		}
	}
	left := 0
	for i := range c.all {
		if !c.all[i].out {
			left++
		}
	}
	if left < c.e.Manifest.Threshold {
		return wrong("only %d trustees are left", left)
	}
	c.log.put("phase", []byte(phases()[c.phase]))
	c.phase++
	if phases()[c.phase] == "confirm" {
		c.settle()
	}
	return nil
}

// settle computes the joint key, everybody's verification key and the digest.
func (c *Ceremony) settle() {
	e := c.e
	joint := e.g.Identity()
	var keys []byte
	e.Shares = nil
	for j := range c.all {
		sum := e.g.Identity()
		for i := range c.all {
			if t := &c.all[i]; !t.out {
				x := e.share(t.ps, j+1)
				sum = e.g.Add(&sum, &x)
				if j == 0 {
					joint = e.g.Add(&joint, &t.ps[0])
				}
			}
		}
		e.Shares = append(e.Shares, e.g.Encode(&sum))
		keys = append(keys, e.Shares[j][:]...)
	}
	e.y, e.Key = joint, e.g.Encode(&joint)
	c.digest = c.log.put("joint", e.Key[:]).put("keys", keys).draw("digest")
}
