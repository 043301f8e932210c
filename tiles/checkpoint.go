package tiles

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/omov/omov/fault"
)

// Checkpoint says how long a log is and what it holds.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   Hash
}

// Body is the text that is signed.
func (c Checkpoint) Body() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

const algEd25519 = 1

// NewSigner makes the signer of a log from its origin and the 32-byte seed of
// an Ed25519 key. The origin names the log and the key; it has no spaces and
// no plus sign.
func NewSigner(origin string, seed [32]byte) (note.Signer, error) {
	pub := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	key := base64.StdEncoding.EncodeToString(append([]byte{algEd25519}, seed[:]...))
	s, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", origin, keyHash(origin, algEd25519, pub), key))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%q cannot be the name of a log", origin)
	}
	return s, nil
}

// VerifierKey is the public key of the same log in the form that clients and
// witnesses are given: "origin+hash+key".
func VerifierKey(origin string, seed [32]byte) (string, error) {
	pub := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	k, err := note.NewEd25519VerifierKey(origin, pub)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "%q cannot be the name of a log", origin)
	}
	return k, nil
}

func keyHash(name string, alg byte, pub []byte) uint32 {
	h := sha256.New()
	h.Write([]byte(name + "\n"))
	h.Write([]byte{alg})
	h.Write(pub)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

// Sign signs a checkpoint. Only over a size that is durably committed: what
// is signed here must never be taken back.
func Sign(c Checkpoint, s note.Signer) ([]byte, error) {
	return note.Sign(&note.Note{Text: c.Body()}, s)
}

// Open reads a signed checkpoint of the log with that verifier key. The error
// is fault.Damaged where the signature is not the log's or the text is no
// checkpoint.
func Open(signed []byte, verifierKey string) (Checkpoint, error) {
	v, err := note.NewVerifier(verifierKey)
	if err != nil {
		return Checkpoint{}, fault.Wrap(fault.Invalid, err, "this is not the verifier key of a log")
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return Checkpoint{}, fault.Wrap(fault.Damaged, err, "the checkpoint is not signed by the log")
	}
	c, err := ParseBody(n.Text)
	if err == nil && c.Origin != v.Name() {
		err = fault.New(fault.Damaged, "the checkpoint is of another log")
	}
	return c, err
}

// ParseBody reads the text of a checkpoint. Lines after the third are
// extensions and are ignored.
func ParseBody(text string) (Checkpoint, error) {
	bad := fault.New(fault.Damaged, "this is not a checkpoint of a log")
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] == "" || lines[len(lines)-1] != "" {
		return Checkpoint{}, bad
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	root, err2 := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || err2 != nil || size < 0 || len(root) != len(Hash{}) {
		return Checkpoint{}, bad
	}
	c := Checkpoint{Origin: lines[0], Size: size, Root: Hash(root)}
	if !strings.HasPrefix(text, c.Body()) { // another way of writing the same number or root
		return Checkpoint{}, bad
	}
	return c, nil
}
