package tiles

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/omov/omov/fault"
)

// A witness has seen that a log only grows, and adds its own signature to a
// checkpoint (C2SP tlog-cosignature, version 1). The signature covers
//
//	cosignature/v1
//	time 1700000000
//	<the checkpoint's text>
//
// and stands in the note as eight bytes of that time, the highest first, and
// 64 bytes of Ed25519. A witness's verifier key is "name+hash+key", where key
// is base64 of the byte 4 and the 32 bytes of the public key.
const (
	algCosignature = 4
	cosignatureLen = 8 + ed25519.SignatureSize
)

// witness verifies cosignatures of one witness; it is a note.Verifier.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

// NewWitness reads a witness's verifier key. The error is fault.Invalid.
func NewWitness(verifierKey string) (note.Verifier, error) {
	bad := fault.New(fault.Invalid, "%q is not the verifier key of a witness", verifierKey)
	name, rest, ok := strings.Cut(verifierKey, "+")
	hash, key, ok2 := strings.Cut(rest, "+")
	h, err := strconv.ParseUint(hash, 16, 32)
	b, err2 := base64.StdEncoding.DecodeString(key)
	if !ok || !ok2 || len(hash) != 8 || err != nil || err2 != nil || len(b) != 1+ed25519.PublicKeySize || b[0] != algCosignature || name == "" || strings.ContainsAny(name, " \n") {
		return nil, bad
	}
	w := &witness{name, uint32(h), b[1:]}
	if keyHash(name, algCosignature, w.key) != w.hash {
		return nil, bad
	}
	return w, nil
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.hash }

func (w *witness) Verify(text, sig []byte) bool {
	return len(sig) == cosignatureLen &&
		ed25519.Verify(w.key, cosigned(binary.BigEndian.Uint64(sig), text), sig[8:])
}

func cosigned(at uint64, text []byte) []byte {
	return append(fmt.Appendf(nil, "cosignature/v1\ntime %d\n", at), text...)
}

// Cosignature is that a witness saw a checkpoint at a time.
type Cosignature struct {
	Witness string
	At      time.Time // whole seconds, UTC
}

// OpenCosigned reads a checkpoint as Open does, and gives which of the
// witnesses have signed it too. Signatures of others are ignored.
func OpenCosigned(signed []byte, verifierKey string, witnesses []string) (Checkpoint, []Cosignature, error) {
	c, err := Open(signed, verifierKey)
	if err != nil {
		return c, nil, err
	}
	var vs []note.Verifier
	for _, k := range witnesses {
		w, err := NewWitness(k)
		if err != nil {
			return c, nil, err
		}
		vs = append(vs, w)
	}
	n, err := note.Open(signed, note.VerifierList(vs...))
	if unverified, ok := err.(*note.UnverifiedNoteError); ok {
		n, err = unverified.Note, nil
	}
	if err != nil {
		return c, nil, fault.Wrap(fault.Damaged, err, "a witness's signature on the checkpoint is forged")
	}
	var all []Cosignature
	for _, s := range n.Sigs {
		b, err := base64.StdEncoding.DecodeString(s.Base64)
		if err != nil || len(b) != 4+cosignatureLen {
			continue // cannot be: it has just been verified
		}
		all = append(all, Cosignature{s.Name, time.Unix(int64(binary.BigEndian.Uint64(b[4:])), 0).UTC()})
	}
	return c, all, nil
}

// cosigner signs as a witness at one moment; it is a note.Signer.
type cosigner struct {
	witness
	seed [32]byte
	at   time.Time
}

func (c *cosigner) Sign(text []byte) ([]byte, error) {
	at := uint64(c.at.Unix())
	sig := ed25519.Sign(ed25519.NewKeyFromSeed(c.seed[:]), cosigned(at, text))
	return append(binary.BigEndian.AppendUint64(nil, at), sig...), nil
}

// WitnessKey is the verifier key of the witness with that name and seed.
func WitnessKey(name string, seed [32]byte) string {
	pub := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	return fmt.Sprintf("%s+%08x+%s", name, keyHash(name, algCosignature, pub), base64.StdEncoding.EncodeToString(append([]byte{algCosignature}, pub...)))
}

// Cosign adds a witness's signature to another log's checkpoint. Whoever
// calls it has checked before (CheckConsistency) that the log has grown from
// the last checkpoint that this witness signed.
func Cosign(signed []byte, logKey, name string, seed [32]byte, at time.Time) ([]byte, error) {
	if _, err := Open(signed, logKey); err != nil {
		return nil, err
	}
	v, err := note.NewVerifier(logKey)
	if err != nil {
		return nil, err
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return nil, err
	}
	w, err := NewWitness(WitnessKey(name, seed))
	if err != nil {
		return nil, err
	}
	return note.Sign(n, &cosigner{*w.(*witness), seed, at})
}
