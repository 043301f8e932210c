// Package box is the ballot box of organisations that choose to trust their
// server: papers are encrypted as they come in, under a key of the contest
// whose private half is never in the database, its log, its replicas or its
// backups.
//
// It decides how a paper is sealed and opened, and where the key lies. It
// never knows who voted: a paper carries its section and nothing of a voter.
// It does not protect against whoever controls the running server; the page a
// voter sees says so.
//
// # Format
//
// A sealed paper is
//
//	version 1 | ephemeral X25519 public key, 32 bytes | nonce, 24 bytes | XChaCha20-Poly1305 ciphertext
//
// The key is HKDF-SHA256 of the shared point, with salt ephemeral || contest
// key and info "omov/box/1". The associated data is the ballot's id, a zero
// byte and the section. The plaintext is padded with a one byte and zeros to
// the size of the contest's longest paper, so that all papers of a contest are
// of one length. One ephemeral key serves all papers that one server process
// takes in, and nonces are random, so that neither sizes nor keys nor counters
// tell papers apart or in which order they came.
//
// A key file holds "omov-box-key-1", the ballot's id and the private half in
// base64, a line each. A copy for an officer is the same text sealed to the
// officer's recovery key as a paper of ballot "copy".
package box

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/omov/omov/fault"
)

const version = 1

// Overhead is how many bytes a sealed paper is longer than its size.
const Overhead = 1 + 32 + chacha20poly1305.NonceSizeX + 1 + chacha20poly1305.Overhead

// Key is the private half of a contest's key.
type Key struct{ k *ecdh.PrivateKey }

// NewKey makes a key.
func NewKey() (*Key, error) {
	k, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "no key could be made")
	}
	return &Key{k}, nil
}

// ReadKey takes a private half in base64.
func ReadKey(s string) (*Key, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil {
		return nil, fault.New(fault.Invalid, "this is not a key: it is not base64")
	}
	k, err := ecdh.X25519().NewPrivateKey(b)
	if err != nil {
		return nil, fault.New(fault.Invalid, "this is not a key: it has %d bytes, not 32", len(b))
	}
	return &Key{k}, nil
}

// Public is the public half in base64.
func (k *Key) Public() string { return base64.StdEncoding.EncodeToString(k.k.PublicKey().Bytes()) }

// Private is the private half in base64.
func (k *Key) Private() string { return base64.StdEncoding.EncodeToString(k.k.Bytes()) }

// Sealer seals the papers that one process takes in for one ballot. It is
// safe for concurrent use.
type Sealer struct {
	ballot    string
	size      int
	ephemeral []byte
	aead      interface {
		Seal(dst, nonce, plaintext, ad []byte) []byte
	}
}

// NewSealer makes a sealer for a ballot whose longest paper has size bytes.
func NewSealer(ballot, public string, size int) (*Sealer, error) {
	b, err := base64.StdEncoding.DecodeString(public)
	if err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "the ballot's key cannot be read")
	}
	pub, err := ecdh.X25519().NewPublicKey(b)
	if err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "the ballot's key cannot be read")
	}
	e, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "no key could be made")
	}
	secret, err := e.ECDH(pub)
	if err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "the ballot's key is not usable")
	}
	key, err := derive(secret, e.PublicKey().Bytes(), b)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "no cipher could be made")
	}
	return &Sealer{ballot: ballot, size: size, ephemeral: e.PublicKey().Bytes(), aead: aead}, nil
}

func derive(secret, ephemeral, public []byte) ([]byte, error) {
	salt := append(append([]byte{}, ephemeral...), public...)
	key, err := hkdf.Key(sha256.New, secret, salt, "omov/box/1", chacha20poly1305.KeySize)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "no key could be derived")
	}
	return key, nil
}

func associated(ballot, section string) []byte {
	return append(append([]byte(ballot), 0), section...)
}

// Seal encrypts one paper. A paper longer than the contest's longest is
// refused.
func (s *Sealer) Seal(section string, paper []byte) ([]byte, error) {
	if len(paper) > s.size {
		return nil, fault.New(fault.TooMuch, "this paper is longer than the longest that the contest can have")
	}
	padded := make([]byte, s.size+1)
	copy(padded, paper)
	padded[len(paper)] = 1
	out := make([]byte, 0, s.size+Overhead)
	out = append(out, version)
	out = append(out, s.ephemeral...)
	var nonce [chacha20poly1305.NonceSizeX]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "no random number could be drawn")
	}
	out = append(out, nonce[:]...)
	return s.aead.Seal(out, nonce[:], padded, associated(s.ballot, section)), nil
}

// Opener opens the papers of a ballot; it remembers the derived keys of the
// ephemerals it has met. It is for one goroutine.
type Opener struct {
	key    *Key
	ballot string
	seen   map[string]interface {
		Open(dst, nonce, ciphertext, ad []byte) ([]byte, error)
	}
}

// Opener makes an opener.
func (k *Key) Opener(ballot string) *Opener {
	return &Opener{key: k, ballot: ballot, seen: map[string]interface {
		Open(dst, nonce, ciphertext, ad []byte) ([]byte, error)
	}{}}
}

// Open decrypts one paper of a section. Anything that was not sealed for this
// ballot and section is fault.Damaged.
func (o *Opener) Open(section string, sealed []byte) ([]byte, error) {
	if len(sealed) < Overhead || sealed[0] != version {
		return nil, fault.New(fault.Damaged, "a paper in the box is cut short or of an unknown version")
	}
	e, nonce, c := sealed[1:33], sealed[33:33+chacha20poly1305.NonceSizeX], sealed[33+chacha20poly1305.NonceSizeX:]
	aead, ok := o.seen[string(e)]
	if !ok {
		pub, err := ecdh.X25519().NewPublicKey(e)
		if err != nil {
			return nil, fault.Wrap(fault.Damaged, err, "a paper in the box cannot be opened")
		}
		secret, err := o.key.k.ECDH(pub)
		if err != nil {
			return nil, fault.Wrap(fault.Damaged, err, "a paper in the box cannot be opened")
		}
		key, err := derive(secret, e, o.key.k.PublicKey().Bytes())
		if err != nil {
			return nil, err
		}
		if aead, err = chacha20poly1305.NewX(key); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "no cipher could be made")
		}
		o.seen[string(e)] = aead
	}
	p, err := aead.Open(nil, nonce, c, associated(o.ballot, section))
	if err != nil {
		return nil, fault.New(fault.Damaged, "a paper in the box was not sealed for this ballot, or was changed")
	}
	for len(p) > 0 && p[len(p)-1] == 0 {
		p = p[:len(p)-1]
	}
	if len(p) == 0 || p[len(p)-1] != 1 {
		return nil, fault.New(fault.Damaged, "a paper in the box has no end")
	}
	return p[:len(p)-1], nil
}

// Keys is the folder on the server in which the private halves lie while
// their ballots are open: apart from the database, so that no backup, replica
// or dump of it holds them.
type Keys struct{ Dir string }

// file names a file of a ballot's key. The key's own print is in it: where two
// who open the same ballot at once each make a key, neither writes over the
// other's, and the one that the minute book names is there.
func (k Keys) file(ballot, public, suffix string) string {
	name := base64.RawURLEncoding.EncodeToString([]byte(ballot))
	sum := sha256.Sum256([]byte(public))
	return filepath.Join(k.Dir, name+"."+hex.EncodeToString(sum[:8])+suffix)
}

// files lists the files of all keys of a ballot that end in a suffix.
func (k Keys) files(ballot, suffix string) ([]string, error) {
	name := base64.RawURLEncoding.EncodeToString([]byte(ballot))
	list, err := filepath.Glob(filepath.Join(k.Dir, name+".*"+suffix))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the ballot keys cannot be listed")
	}
	return list, nil
}

const magic = "omov-box-key-1"

func keyText(ballot string, key *Key) string {
	return magic + "\n" + ballot + "\n" + key.Private() + "\n"
}

// Save writes a key durably, and a copy sealed to each recovery key (base64
// by office).
func (k Keys) Save(ballot string, key *Key, recovery map[string]string) error {
	if err := os.MkdirAll(k.Dir, 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the folder for ballot keys cannot be made")
	}
	text := keyText(ballot, key)
	for office, pub := range recovery {
		s, err := NewSealer("copy", pub, len(text))
		if err != nil {
			return err
		}
		c, err := s.Seal(office, []byte(text))
		if err != nil {
			return err
		}
		if err := writeDurably(k.file(ballot, key.Public(), "."+office+".copy"), c); err != nil {
			return err
		}
	}
	return writeDurably(k.file(ballot, key.Public(), ".key"), []byte(text))
}

func writeDurably(name string, b []byte) error {
	f, err := os.OpenFile(name+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err == nil {
		_, err = f.Write(b)
		if e := f.Sync(); err == nil {
			err = e
		}
		if e := f.Close(); err == nil {
			err = e
		}
	}
	if err == nil {
		err = os.Rename(name+".new", name)
	}
	if err == nil {
		err = syncDir(filepath.Dir(name))
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "a ballot key cannot be written")
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Load reads the key of a ballot whose public half the minute book names.
func (k Keys) Load(ballot, public string) (*Key, error) {
	b, err := os.ReadFile(k.file(ballot, public, ".key"))
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the key of ballot %s is not on this server; two officers hold copies (omov box restore)", ballot)
	}
	key, err := parseKey(ballot, b)
	if err == nil && key.Public() != public {
		err = fault.New(fault.Damaged, "the key file of ballot %s holds another key", ballot)
	}
	return key, err
}

func parseKey(ballot string, b []byte) (*Key, error) {
	l := strings.Split(string(b), "\n")
	if len(l) < 3 || l[0] != magic || l[1] != ballot {
		return nil, fault.New(fault.Damaged, "the key file of ballot %s is damaged", ballot)
	}
	return ReadKey(l[2])
}

// Restore puts a ballot's key back from an officer's copies with the officer's
// recovery key.
func (k Keys) Restore(ballot, office string, recovery *Key) error {
	copies, err := k.files(ballot, "."+office+".copy")
	if err != nil {
		return err
	}
	if len(copies) == 0 {
		return fault.New(fault.NotFound, "there is no copy of the key of ballot %s for the office %s", ballot, office)
	}
	for _, name := range copies {
		c, err := os.ReadFile(name)
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "the copy of the key of ballot %s cannot be read", ballot)
		}
		text, err := recovery.Opener("copy").Open(office, c)
		if err != nil {
			return fault.New(fault.NotEntitled, "this recovery key does not open the copy of the office %s", office)
		}
		key, err := parseKey(ballot, text)
		if err != nil {
			return err
		}
		if err := writeDurably(k.file(ballot, key.Public(), ".key"), []byte(keyText(ballot, key))); err != nil {
			return err
		}
	}
	return nil
}

// Destroy overwrites and removes a key and its copies; once a ballot is
// counted nobody can open a stray copy of its box. A key that is not there is
// no error.
func (k Keys) Destroy(ballot string) error {
	files, err := k.files(ballot, "")
	if err != nil {
		return err
	}
	for _, name := range files {
		if info, err := os.Stat(name); err == nil {
			if err := writeOver(name, int(info.Size())); err != nil {
				return fault.Wrap(fault.Unavailable, err, "a ballot key cannot be overwritten")
			}
		}
		if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
			return fault.Wrap(fault.Unavailable, err, "a ballot key cannot be removed")
		}
	}
	return nil
}

func writeOver(name string, size int) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, size))
	if e := f.Sync(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
