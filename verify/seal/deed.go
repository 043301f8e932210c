package seal

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/omov/omov/minutes"
)

// The kinds of deed.
const (
	Witness = "witness" // of the closing checkpoint
	Mixed   = "mix"
	Opened  = "shares"
)

// Deed is what a trustee signed after the close (docs/sealed-board.md).
type Deed struct {
	Version   int    `json:"v"`
	Manifest  string `json:"manifest"`
	Closing   string `json:"closing"`
	From      string `json:"from"`
	Kind      string `json:"kind"`
	Group     string `json:"group,omitempty"`
	Digest    string `json:"digest,omitempty"`
	Signature []byte `json:"signature,omitempty"`
}

// ReadDeed reads a deed: its form only. It may not be right (CheckDeed).
func ReadDeed(raw []byte) (*Deed, error) {
	d := &Deed{}
	if len(raw) > 4<<10 {
		return nil, wrong("a deed has at most 4 KiB")
	}
	if err := minutes.Decode(raw, d); err != nil {
		return nil, err
	}
	if d.Version != 1 || !slices.Contains([]string{Witness, Mixed, Opened}, d.Kind) || (d.Kind == Witness) != (d.Group == "") {
		return nil, wrong("a deed says neither witness nor mix nor shares")
	}
	return d, nil
}

// CheckDeed tells whether a deed is one of this election after this close,
// about these bytes, signed by the trustee whom it names.
func (e *Election) CheckDeed(closing [32]byte, d *Deed, about []byte) error {
	at := e.Trustee(d.From)
	if at == 0 {
		return wrong("%q is no trustee", d.From)
	}
	if d.Manifest != hex.EncodeToString(e.Hash[:]) || d.Closing != hex.EncodeToString(closing[:]) {
		return wrong("the deed is about another ballot or another closing checkpoint")
	}
	sum := sha256.Sum256(about)
	if digest := hex.EncodeToString(sum[:]); d.Kind == Witness && (d.Digest != "" || len(about) > 0) || d.Kind != Witness && d.Digest != digest {
		return wrong("the deed is about other bytes")
	}
	unsigned := *d
	unsigned.Signature = nil
	said, err := minutes.Canonical(&unsigned)
	if err != nil {
		return err
	}
	key, _ := hex.DecodeString(e.Manifest.Trustees[at-1].Sign) // read by Open
	q := &equations{e: e}
	if q.signature("deed", key, said, d.Signature); !q.hold() {
		return wrong("the deed is not signed by %s", d.From)
	}
	return nil
}

// Trustee gives the number of a trustee, from 1; 0 if there is none of the name.
func (e *Election) Trustee(name string) int {
	return 1 + slices.IndexFunc(e.Manifest.Trustees, func(t Trustee) bool { return t.Name == name })
}

// Closing is the hash of a closing checkpoint: of its first three lines.
func Closing(body string) [32]byte {
	return sha256.Sum256(append([]byte("omov/sealed/closing/1\x00"), body...))
}
