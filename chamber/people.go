package chamber

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"hash"
	"io"
	"strings"

	"github.com/omov/omov/minutes"
	"github.com/omov/omov/store"
)

// Found is how a person is found: their number in the organisation's own
// files, and their e-mail address under a secret of the server (see EmailMAC).
type Found struct {
	External string
	MAC      []byte
}

// Sealed is what a person's particulars hold, as they are sealed: what people
// may read (Particulars) and the organisation's own number.
type Sealed struct {
	Particulars
	External string `json:"external,omitempty"`
}

// find opens the particulars of an entry and derives how its people are
// found, in the same order. A person whose key has been destroyed cannot be
// found any more.
func (c *Chamber) find(m minutes.Minute) ([]Found, error) {
	out := make([]Found, len(m.Particulars))
	if len(out) == 0 {
		return out, nil
	}
	people := make([]int64, len(m.Particulars))
	for i, p := range m.Particulars {
		people[i] = p.Person
	}
	keys, err := c.DB.Keys().KeysOf(context.Background(), people)
	if err != nil {
		return nil, err
	}
	macs, err := c.EmailMACs(context.Background())
	if err != nil {
		return nil, err
	}
	for i, p := range m.Particulars {
		key, ok := keys[p.Person]
		if !ok || p.Cipher == nil {
			continue
		}
		b, err := key.Open(p.Person, p.Cipher)
		if err != nil {
			continue // sealed with a key that has been destroyed since, and drawn again
		}
		var s Sealed
		if json.Unmarshal(b, &s) != nil {
			continue
		}
		out[i] = Found{External: s.External, MAC: macs.Of(s.Email)}
	}
	return out, nil
}

// EmailMACs gives how addresses are looked up without being kept.
func (c *Chamber) EmailMACs(ctx context.Context) (*EmailMACs, error) {
	secret, err := c.DB.Keys().Secret(ctx, "email")
	if err != nil {
		return nil, err
	}
	return &EmailMACs{h: hmac.New(sha256.New, secret[:])}, nil
}

// EmailMACs makes of an address what it is looked up by: the first 16 bytes
// of HMAC-SHA-256 under the server's secret "email", over "omov/email/1", a
// zero byte and the address in small letters. It is for one goroutine.
type EmailMACs struct{ h hash.Hash }

// Of gives it for an address, nil for none.
func (m *EmailMACs) Of(email string) []byte {
	email = strings.ToLower(strings.TrimSpace(email))
	if email == "" {
		return nil
	}
	m.h.Reset()
	io.WriteString(m.h, "omov/email/1\x00")
	io.WriteString(m.h, email)
	return m.h.Sum(nil)[:16]
}

// forget drops names that may have changed.
func (c *Chamber) forget(rows []store.PersonRow) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(rows) > 100 {
		clear(c.names)
		return
	}
	for _, r := range rows {
		delete(c.names, r.ID)
	}
}
