package sealed

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/sealed/transcript"
)

// Code is an elector's code: 128 random bits. It prints as "(secret)"; Text
// gives what goes into the letter.
type Code struct{ bits func() *[16]byte }

// codeOf hides the bits behind a function, as proof.Secret does.
func codeOf(b [16]byte) Code { return Code{func() *[16]byte { return &b }} }

// alphabet is Crockford's base 32: no I, L, O, U.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// CodeFrom takes 16 bytes as a code: a server that plays the registrar's part
// derives them from a secret of the ballot.
func CodeFrom(b [16]byte) Code { return codeOf(b) }

// NewCode draws a code.
func NewCode() Code {
	var b [16]byte
	rand.Read(b[:])
	return codeOf(b)
}

// Text writes a code as six groups of five letters: 128 bits, then 22 bits of
// checksum, the first of SHA-256("omov/sealed/code/1", zero byte, code), five
// bits a letter, the most significant first.
func (c Code) Text() string {
	sum := sha256.Sum256(append([]byte("omov/sealed/code/1\x00"), c.bits()[:]...))
	all := append(c.bits()[:16:16], sum[:3]...)
	var b strings.Builder
	for i := range 30 {
		v := 0
		for j := range 5 {
			at := 5*i + j
			v = v<<1 | int(all[at/8]>>(7-at%8))&1
		}
		if i > 0 && i%5 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(alphabet[v])
	}
	return b.String()
}

// ReadCode reads what a person typed: small letters, spaces and hyphens do not
// matter, and I, L are read as 1, O as 0.
func ReadCode(text string) (Code, error) {
	if len(text) > 200 {
		return Code{}, fault.New(fault.Invalid, "the code is too long: it has thirty letters and digits")
	}
	clean := strings.NewReplacer(" ", "", "-", "", "\t", "", "\r", "", "\n", "", "I", "1", "L", "1", "O", "0").Replace(strings.ToUpper(text))
	if len(clean) != 30 {
		return Code{}, fault.New(fault.Invalid, "the code has thirty letters and digits; these are %d", len(clean))
	}
	var all [19]byte
	for i := range 30 {
		v := strings.IndexByte(alphabet, clean[i])
		if v < 0 {
			return Code{}, fault.New(fault.Invalid, "%q cannot stand in a code: look at the letter again", clean[i])
		}
		for j := range 5 {
			at := 5*i + j
			all[at/8] |= byte(v>>(4-j)&1) << (7 - at%8)
		}
	}
	c := codeOf([16]byte(all[:16]))
	if again := strings.ReplaceAll(c.Text(), "-", ""); again != clean {
		return Code{}, fault.New(fault.Invalid, "a letter of the code is wrong: compare it with the letter you were sent")
	}
	return c, nil
}

// String gives "(secret)".
func (c Code) String() string { return "(secret)" }

// Format prints "(secret)" whatever the verb.
func (c Code) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// MarshalJSON refuses.
func (c Code) MarshalJSON() ([]byte, error) { return nil, proof.ErrSecret }

// Key gives the signing key of a code in a section: the transcript
// "credential" over the manifest's hash, the section and the 16 bytes, drawn
// as a scalar.
func (c Code) Key(manifest [32]byte, section string) proof.Secret {
	t := transcript.New("credential")
	t.Absorb("manifest", manifest[:])
	t.Absorb("section", []byte(section))
	t.Absorb("code", c.bits()[:])
	return proof.SecretOf(t.Challenge("key"))
}

// Wipe overwrites the code.
func (c Code) Wipe() { clear(c.bits()[:]) }

// Credential is a public key on the registrar's list, and where it votes.
type Credential struct {
	Key     [32]byte
	Section string
	Class   string
}

// Listing is the registrar's list as it is published: for each section and
// class its keys in hexadecimal, sorted, so that their order says nothing.
type Listing struct {
	Version  int            `json:"v"`
	Manifest string         `json:"manifest"`
	Groups   []ListingGroup `json:"groups"`
}

// ListingGroup is the keys of one weight class.
type ListingGroup struct {
	Section string   `json:"section"`
	Class   string   `json:"class"`
	Keys    [][]byte `json:"keys"` // 32 bytes each, base64
}

const purposeListing = "credentials"

// SignListing gives the canonical bytes of a list and the registrar's
// signature of them.
func SignListing(g *ristretto.Group, l *Listing, registrar proof.Secret) (body, signature []byte, err error) {
	body, err = minutes.Canonical(l)
	if err != nil {
		return nil, nil, err
	}
	return body, proof.Sign(g, registrar, purposeListing, body), nil
}

// ReadListing checks the signature and every key, and gives the credentials.
func ReadListing(g *ristretto.Group, m *Manifest, body, signature []byte) ([]Credential, error) {
	key, err := keyOf(m.Registrar.Key)
	if err != nil {
		return nil, err
	}
	if !proof.Signed(g, purposeListing, key[:], body, signature) {
		return nil, bad("the list of credentials does not bear the registrar's signature")
	}
	var l Listing
	if err := minutes.Decode(body, &l); err != nil {
		return nil, err
	}
	hash, err := m.Hash()
	if err != nil {
		return nil, err
	}
	if l.Version != 1 || l.Manifest != hexOf(hash[:]) {
		return nil, bad("the list of credentials belongs to another ballot")
	}
	return m.credentials(g, &l)
}

func (m *Manifest) credentials(g *ristretto.Group, l *Listing) ([]Credential, error) {
	var out []Credential
	var all []byte
	seen := map[[32]byte]bool{}
	for _, gr := range l.Groups {
		if m.class(gr.Section, gr.Class) == nil {
			return nil, bad("the list of credentials has a weight class that the ballot does not have")
		}
		for i, k := range gr.Keys {
			if len(k) != 32 || proof.IsIdentity(k) || seen[[32]byte(k)] || i > 0 && bytes.Compare(gr.Keys[i-1], k) >= 0 {
				return nil, bad("the list of credentials has a key twice, out of order, or one that is none")
			}
			seen[[32]byte(k)] = true
			all = append(all, k...)
			out = append(out, Credential{[32]byte(k), gr.Section, gr.Class})
		}
	}
	if bad := g.DecodeAll(make([]ristretto.Affine, len(out)), all); bad >= 0 {
		return nil, fault.New(fault.Invalid, "the list of credentials has a key that is none")
	}
	return out, nil
}
