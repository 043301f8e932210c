// Package minutes is the envelope of the minute book: what an entry is before
// it is numbered (Entry), what it is afterwards (Minute), which bytes of it
// are public for ever (Header), and what the log commits to (Leaf).
//
// It decides who may read an entry only by carrying its access level. It has
// no list of kinds: each domain package owns its own. It never reads a clock,
// draws a salt or stores anything.
//
// # Format
//
// An entry is a header and a body. The body is canonical JSON (see
// Canonical). The leaf of the log is
//
//	header-bytes || 0x00 || SHA-256("omov/body/1\x00" || salt || body)
//
// where header-bytes is the canonical JSON of the header, at most 512 bytes,
// and salt is 32 random bytes kept with the body. A public entry's header
// says what it is, and when, unless that could tell who (a sealed paper):
//
//	{"at":"2026-02-20T14:30:00.000Z","clause":"C4.II.2","kind":"proceeding.called/1","office":"general_secretary","proceeding":"2026-L-001","rulebook":"9f…","seq":17,"v":1}
//
// Any other entry's header says nothing but that it is there:
//
//	{"access":"officers","seq":18,"v":1}
//
// because a public "suspension in branch X" would single somebody out. The
// header in full stands, with a line feed, at the front of the body that the
// salt protects.
//
// A particular (a name, an address, free text) is kept apart from the body,
// encrypted; the body holds its commitment,
//
//	SHA-256("omov/particular/1\x00" || salt || cipher)
//
// as lower-case hexadecimal or base64, as its kind says. Destroying the key
// and the row leaves the log and every hash as they were.
package minutes

import (
	"bytes"
	"crypto/sha256"
	"time"

	"github.com/omov/omov/fault"
)

// Access is who may read the body of an entry.
type Access string

// The levels. Scrutineers can read what officers can, except what is theirs
// alone. Parties are those whom a case is about, and those who decide it: such an
// entry is in no bundle.
const (
	Public      Access = "public"
	Members     Access = "members"
	Officers    Access = "officers"
	Scrutineers Access = "scrutineers"
	Parties     Access = "parties"
)

// MaxHeader is the longest header, in bytes.
const MaxHeader = 512

// MaxBody is the longest body, in bytes; larger things are split.
const MaxBody = 64 << 20

// Entry is something that happened, before the book has numbered it. Kind is
// versioned ("ballot.closed/1"); what a kind means is its package's business.
type Entry struct {
	Kind        string
	Access      Access
	Office      string // in which it was done; empty: by the rule itself
	Proceeding  string
	Rulebook    string // hash of the version it was decided under
	Clause      string
	Body        any // canonical JSON by Canonical; a []byte must be canonical already
	Particulars []Particular
	Untimed     bool // when it came is nobody's business: its header has no time
}

// Particular is what identifies a person, kept apart from the body: encrypted
// under that person's key, with its own salt and commitment, so that
// destroying the key erases it without touching the log.
type Particular struct {
	Person int64
	Cipher []byte
	Salt   []byte
}

// Commitment is what the entry's body says of a particular.
func (p Particular) Commitment() [32]byte {
	h := sha256.New()
	h.Write([]byte("omov/particular/1\x00"))
	h.Write(p.Salt)
	h.Write(p.Cipher)
	return [32]byte(h.Sum(nil))
}

// Header is what is public of an entry for ever.
type Header struct {
	V          int    `json:"v"`
	Seq        int64  `json:"seq"`
	Access     Access `json:"access,omitempty"` // only of entries that are not public
	At         string `json:"at,omitempty"`
	Kind       string `json:"kind,omitempty"`
	Office     string `json:"office,omitempty"`
	Proceeding string `json:"proceeding,omitempty"`
	Rulebook   string `json:"rulebook,omitempty"`
	Clause     string `json:"clause,omitempty"`
}

// Minute is a numbered entry as the book keeps it.
type Minute struct {
	Seq         int64
	At          time.Time // UTC, whole milliseconds; zero for an entry without a time
	Kind        string
	Access      Access
	Office      string
	Proceeding  string
	Rulebook    string
	Clause      string
	Salt        [32]byte
	Body        []byte // canonical JSON; nil where the reader may not see it or it is erased
	Particulars []Particular
}

// Number turns an entry into a minute. The body is made canonical here, so
// that what is hashed is what is kept.
func Number(e Entry, seq int64, at time.Time, salt [32]byte) (Minute, error) {
	body, ok := e.Body.([]byte)
	if ok {
		if err := Check(body); err != nil {
			return Minute{}, err
		}
	} else {
		b, err := Canonical(e.Body)
		if err != nil {
			return Minute{}, err
		}
		body = b
	}
	if len(body) > MaxBody {
		return Minute{}, fault.New(fault.TooMuch, "an entry of %d bytes is too large for the minute book; the most is %d", len(body), MaxBody)
	}
	if e.Untimed {
		at = time.Time{}
	}
	return Minute{Seq: seq, At: at.UTC().Truncate(time.Millisecond), Kind: e.Kind, Access: e.Access,
		Office: e.Office, Proceeding: e.Proceeding, Rulebook: e.Rulebook, Clause: e.Clause,
		Salt: salt, Body: body, Particulars: e.Particulars}, nil
}

// full is the header with everything in it, whatever the access.
func (m *Minute) full() Header {
	h := Header{V: 1, Seq: m.Seq, Kind: m.Kind, Office: m.Office,
		Proceeding: m.Proceeding, Rulebook: m.Rulebook, Clause: m.Clause}
	if !m.At.IsZero() {
		h.At = m.At.Format(timeFormat)
	}
	return h
}

const timeFormat = "2006-01-02T15:04:05.000Z"

// Header gives the public bytes of the header.
func (m *Minute) Header() ([]byte, error) {
	h := m.full()
	if m.Access != Public {
		h = Header{V: 1, Seq: m.Seq, Access: m.Access}
	}
	b, err := Canonical(h)
	if err != nil {
		return nil, err
	}
	if len(b) > MaxHeader {
		return nil, fault.New(fault.TooMuch, "the header of entry %d is %d bytes; the most is %d", m.Seq, len(b), MaxHeader)
	}
	return b, nil
}

// Committed gives the bytes that the commitment covers besides the salt: for
// an entry that is not public the full header stands before the body.
func (m *Minute) Committed() ([]byte, error) {
	if m.Access == Public {
		return m.Body, nil
	}
	h, err := Canonical(m.full())
	if err != nil {
		return nil, err
	}
	return append(append(h, '\n'), m.Body...), nil
}

// Leaf gives the bytes of the log's leaf.
func (m *Minute) Leaf() ([]byte, error) {
	h, err := m.Header()
	if err != nil {
		return nil, err
	}
	c, err := m.Committed()
	if err != nil {
		return nil, err
	}
	return JoinLeaf(h, Commit(m.Salt, c)), nil
}

// CheckLeaf tells whether the leaf of the log is this minute's: the header as
// it must be public, and the commitment to salt and body. The error is
// fault.Damaged.
func (m *Minute) CheckLeaf(leaf []byte) error {
	own, err := m.Leaf()
	if err != nil {
		return err
	}
	if !bytes.Equal(own, leaf) {
		return fault.New(fault.Damaged, "entry %d is not the one that the log committed to", m.Seq)
	}
	return nil
}

// SplitLeaf takes a leaf apart into its public header and the commitment.
// It refuses (fault.Invalid) what is not a leaf.
func SplitLeaf(leaf []byte) (Header, [32]byte, error) {
	var h Header
	n := len(leaf) - sha256.Size - 1
	if n < 2 || n > MaxHeader || leaf[n] != 0 {
		return h, [32]byte{}, fault.New(fault.Invalid, "these %d bytes are not a leaf of a minute book", len(leaf))
	}
	if err := Decode(leaf[:n], &h); err != nil {
		return h, [32]byte{}, err
	}
	return h, [32]byte(leaf[n+1:]), nil
}

// JoinLeaf gives the leaf's bytes for header bytes and a commitment.
func JoinLeaf(header []byte, commitment [32]byte) []byte {
	leaf := make([]byte, 0, len(header)+1+len(commitment))
	return append(append(append(leaf, header...), 0), commitment[:]...)
}

// Commit is the commitment to a body.
func Commit(salt [32]byte, body []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("omov/body/1\x00"))
	h.Write(salt[:])
	h.Write(body)
	return [32]byte(h.Sum(nil))
}
