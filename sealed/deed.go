package sealed

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/proof"
)

// The kinds of deed.
const (
	Witness = "witness" // of the closing checkpoint
	Mix     = "mix"
	Open    = "shares"
)

// MaxDeed is the most bytes that a deed has, without the mix or the shares
// that it speaks of.
const MaxDeed = 4 << 10

// Deed is what a trustee signs after the close: that the closing checkpoint
// goes on from all that they have seen, or that a mix or shares are theirs.
type Deed struct {
	Version   int    `json:"v"` // 1
	Manifest  string `json:"manifest"`
	Closing   string `json:"closing"`
	From      string `json:"from"` // the trustee's name
	Kind      string `json:"kind"`
	Group     string `json:"group,omitempty"`
	Digest    string `json:"digest,omitempty"` // SHA-256 of the bytes, hex
	Signature []byte `json:"signature,omitempty"`
}

// NewDeed makes a deed about bytes; a witness has none.
func NewDeed(manifest, closing [32]byte, from, kind, group string, b []byte) *Deed {
	d := &Deed{Version: 1, Manifest: hex.EncodeToString(manifest[:]), Closing: hex.EncodeToString(closing[:]), From: from, Kind: kind, Group: group}
	if kind != Witness {
		sum := sha256.Sum256(b)
		d.Digest = hex.EncodeToString(sum[:])
	}
	return d
}

// Sign gives the canonical bytes with the trustee's signature.
func (d Deed) Sign(g *ristretto.Group, key proof.Secret) ([]byte, error) {
	d.Signature = nil
	body, err := minutes.Canonical(d)
	if err != nil {
		return nil, err
	}
	d.Signature = proof.Sign(g, key, "deed", body)
	return minutes.Canonical(d)
}

// SignedDeed reads a deed of this ballot after this close, signed by the trustee
// it names. What it speaks of need not have come yet: see About.
func (m *Manifest) SignedDeed(g *ristretto.Group, closing [32]byte, raw []byte) (*Deed, error) {
	d, bad := &Deed{}, func(what string) error {
		return fault.New(fault.Invalid, "this is no deed of a trustee of this ballot: %s", what)
	}
	if len(raw) > MaxDeed {
		return nil, bad("it is too long")
	}
	if err := minutes.Decode(raw, d); err != nil {
		return nil, err
	}
	hash, err := m.Hash()
	if err != nil {
		return nil, err
	}
	i := m.trustee(d.From)
	switch {
	case i < 0:
		return nil, bad("it names no trustee")
	case d.Version != 1 || d.Manifest != hex.EncodeToString(hash[:]):
		return nil, bad("it is of another ballot")
	case d.Closing != hex.EncodeToString(closing[:]):
		return nil, bad("it is about another close")
	case d.Kind != Witness && d.Kind != Mix && d.Kind != Open, (d.Kind == Witness) != (d.Group == "" && d.Digest == ""):
		return nil, bad("it says neither witness nor mix nor shares")
	}
	unsigned := *d
	unsigned.Signature = nil
	body, err := minutes.Canonical(unsigned)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(m.Trustees[i].Sign)
	if err != nil || !proof.Signed(g, "deed", key, body, d.Signature) {
		return nil, bad("its signature is not that of " + d.From)
	}
	return d, nil
}

// About checks that the deed speaks of these bytes; a witness speaks of none.
func (d *Deed) About(b []byte) error {
	sum := sha256.Sum256(b)
	if d.Kind == Witness && len(b) > 0 || d.Kind != Witness && d.Digest != hex.EncodeToString(sum[:]) {
		return fault.New(fault.Invalid, "this is no deed of a trustee of this ballot: it speaks of other bytes than came with it")
	}
	return nil
}

func (m *Manifest) trustee(name string) int {
	for i := range m.Trustees {
		if m.Trustees[i].Name == name {
			return i
		}
	}
	return -1
}

// Closing is the hash of a closing checkpoint: of its first three lines, which
// say whose log it is, how long, and what it holds.
func Closing(lines []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("omov/sealed/closing/1\x00"))
	h.Write(lines)
	return [32]byte(h.Sum(nil))
}

// Standing is one group's part of what a ballot's closing root covers.
type Standing struct {
	Group  string
	Papers int64
	Pairs  [32]byte // SHA-256 of the group's ciphertexts, sorted by credential
}

// StandingRoot is the closing root of a sealed ballot.
func StandingRoot(groups []Standing) [32]byte {
	h := sha256.New()
	h.Write([]byte("omov/sealed/standing/1\x00"))
	for _, g := range groups {
		h.Write([]byte{byte(len(g.Group))})
		h.Write([]byte(g.Group))
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(g.Papers)))
		h.Write(g.Pairs[:])
	}
	return [32]byte(h.Sum(nil))
}
