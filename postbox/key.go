package postbox

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/sealed/keygen"
)

// Progress is how a part of a trustee's work stands after a step.
type Progress struct {
	Done    bool     // nothing more of this part is to be done, ever
	Did     bool     // something was contributed just now
	Waiting []string // whom it waits for; may be empty where it waits for time
	What    string   // what it waits for
}

// order is that of the phases of a key generation.
func order(k keygen.Kind) int {
	return slices.Index([]keygen.Kind{keygen.Commit, keygen.Reveal, keygen.Verdict, keygen.Reply, keygen.Confirm, keygen.Done}, k)
}

// steps is a key generation as the server shows it, with the hash of its steps
// after each of them.
type steps struct {
	c      *keygen.Ceremony
	chain  hash.Hash
	hashes []string
}

func (s *steps) took(what string, data []byte) {
	s.chain.Write([]byte{byte(len(what))})
	s.chain.Write([]byte(what))
	s.chain.Write(binary.BigEndian.AppendUint64(nil, uint64(len(data))))
	s.chain.Write(data)
	s.hashes = append(s.hashes, hex.EncodeToString(s.chain.Sum(nil)))
}

// settle ends the phases in which everybody's message is there.
func (s *steps) settle() error {
	for s.c.Phase() != keygen.Done && len(s.c.Waiting()) == 0 {
		if err := s.c.Next(false); err != nil {
			return err
		}
	}
	return nil
}

// end ends a phase, as an officer did. One that had ended by itself stays so.
func (s *steps) end(k keygen.Kind) error {
	if at := order(k); at < 0 || at > order(s.c.Phase()) {
		return fault.New(fault.Invalid, "the phase %q was ended before it began", plain(string(k)))
	} else if at < order(s.c.Phase()) {
		return nil
	}
	s.took("end", []byte(k))
	if err := s.c.Next(true); err != nil {
		return err
	}
	return s.settle()
}

// replay follows the key generation on the board. Everything on it has been
// accepted, so that what is refused here shows that the server shows something
// else than it accepted.
func (t *Trustee) replay(v *view) (*steps, error) {
	c, err := keygen.NewCeremony(t.g, v.m.Ceremony(v.hash))
	if err != nil {
		return nil, err
	}
	s, shown := &steps{c: c, chain: sha256.New()}, &v.b.Ceremony
	wrong := func(err error) error {
		f := fault.Wrap(fault.Damaged, err, "the key generation that the server shows does not hold: %v. Nothing was contributed", err)
		f.Remedy = "Tell the other trustees and the returning officer; the key generation may have to begin anew."
		return f
	}
	ended := shown.Ended
	for i := 0; i <= len(shown.Messages); i++ {
		for len(ended) > 0 && ended[0].After <= i {
			if err := s.end(ended[0].Phase); err != nil {
				return nil, wrong(err)
			}
			ended = ended[1:]
		}
		if i == len(shown.Messages) {
			break
		}
		if err := s.c.Post(shown.Messages[i]); err != nil {
			return nil, wrong(err)
		}
		s.took("message", shown.Messages[i])
		if err := s.settle(); err != nil {
			return nil, wrong(err)
		}
	}
	return s, s.check(v)
}

// check compares the key generation with what was seen of it before.
func (s *steps) check(v *view) error {
	before := v.rec.Steps
	if before > len(s.hashes) || before > 0 && s.hashes[before-1] != v.rec.Chain {
		f := fault.New(fault.Damaged, "the key generation does not go on from what was seen of it: the server has changed it, or shows different ones. Nothing was contributed")
		f.Remedy = "Tell the other trustees and the returning officer; the key generation has to begin anew."
		return f
	}
	if v.rec.Confirmed == "" {
		return nil
	}
	digest, err := s.c.Digest()
	if err != nil || hex.EncodeToString(digest[:]) != v.rec.Confirmed {
		return fault.New(fault.Damaged, "the server shows another key generation than the one that this trustee has confirmed. Nothing was contributed")
	}
	return nil
}

// remember notes how far the key generation has been seen.
func (s *steps) remember(r *record) {
	if n := len(s.hashes); n > 0 {
		r.Steps, r.Chain = n, s.hashes[n-1]
	}
}

// Key does the trustee's next step of the key generation, if there is one.
func (t *Trustee) Key(ctx context.Context) (*Progress, error) {
	return t.step(ctx, func(v *view) (*Progress, error) { return t.key(ctx, v) })
}

func (t *Trustee) key(ctx context.Context, v *view) (*Progress, error) {
	s, err := t.replay(v)
	if err != nil {
		return nil, err
	}
	if s.c.Phase() == keygen.Done {
		return t.keyed(v, s)
	}
	me := v.member.Index()
	if why, out := s.c.Disqualified()[me]; out {
		return nil, fault.New(fault.TooLate, "this trustee takes no part in the key of this ballot: %s. The others make it without you", why)
	}
	if waiting := s.c.Waiting(); !slices.Contains(waiting, me) {
		p := &Progress{What: "the others' part of the key generation (" + string(s.c.Phase()) + ")"}
		for _, i := range waiting {
			p.Waiting = append(p.Waiting, plain(v.m.Trustees[i-1].Name))
		}
		return p, nil
	}
	raw := v.rec.said(s.c.Phase())
	if raw != nil {
		t.say("Your message was made before and has not arrived; the same one is sent again.")
	} else if raw, err = t.speak(v, s); err != nil {
		return nil, err
	}
	if err := t.c.Message(ctx, raw); err != nil {
		return nil, err
	}
	t.say("%s", did(s.c.Phase()))
	return &Progress{Did: true}, nil
}

// speak makes this trustee's message of a phase, and keeps it durably with what
// it was made on.
func (t *Trustee) speak(v *view, s *steps) ([]byte, error) {
	raw, err := v.member.Next(s.c)
	if err != nil {
		return nil, err
	}
	if s.c.Phase() == keygen.Confirm {
		digest, err := s.c.Digest()
		if err != nil {
			return nil, err
		}
		v.rec.Confirmed = hex.EncodeToString(digest[:])
	}
	if v.rec.First == 0 {
		v.rec.First = v.head.Size
	}
	v.rec.Said = append(v.rec.Said, said{s.c.Phase(), raw})
	s.remember(v.rec)
	return raw, t.file.save()
}

func did(k keygen.Kind) string {
	switch k {
	case keygen.Commit:
		return "Step 1 of 4: you have committed to your part of the key."
	case keygen.Reveal:
		return "Step 2 of 4: your part has been revealed, and the others have their shares of it."
	case keygen.Verdict:
		return "Step 3 of 4: you have checked the others' shares and said what you found."
	case keygen.Reply:
		return "You have answered the complaints about your shares."
	}
	return "Step 4 of 4: you have checked the key and confirmed it."
}

// keyed is a key generation that is done.
func (t *Trustee) keyed(v *view, s *steps) (*Progress, error) {
	key, err := t.joint(v, s)
	if err != nil {
		return nil, err
	}
	share, err := v.member.Share(s.c)
	if err != nil {
		return nil, err
	}
	share.Wipe()
	if v.rec.Steps != len(s.hashes) || v.rec.Confirmed == "" {
		t.say("The key of this ballot has been made, and you hold a share of it: %s", hex.EncodeToString(key[:]))
	}
	if err := t.pin(v, s); err != nil {
		return nil, err
	}
	return &Progress{Done: true}, nil
}

// pin keeps which key generation it was, also of a trustee who was not there to
// confirm it: a share of another one is never used.
func (t *Trustee) pin(v *view, s *steps) error {
	if v.rec.Steps == len(s.hashes) && v.rec.Confirmed != "" {
		return nil
	}
	digest, err := s.c.Digest()
	if err != nil {
		return err
	}
	v.rec.Confirmed = hex.EncodeToString(digest[:])
	s.remember(v.rec)
	return t.file.save()
}

// joint gives the key of a ballot, as recomputed, and compares it with the one
// that the server shows.
func (t *Trustee) joint(v *view, s *steps) ([32]byte, error) {
	key, err := s.c.Joint()
	if err != nil {
		return key, err
	}
	if v.b.Key != "" && v.b.Key != hex.EncodeToString(key[:]) {
		return key, fault.New(fault.Damaged, "the server shows another key than the trustees have made: papers would be sealed to somebody else. Tell the other trustees and the returning officer")
	}
	return key, nil
}
