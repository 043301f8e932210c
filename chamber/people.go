package chamber

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"strings"

	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/store"
)

// index is how a person is found: their number in the organisation's own
// files, and their e-mail address under a secret of the server.
type index struct {
	external string
	mac      []byte
}

// Sealed is what a person's particulars hold, as they are sealed: what people
// may read (Particulars) and the organisation's own number.
type Sealed struct {
	Particulars
	External string `json:"external,omitempty"`
}

// indexes opens the particulars of an entry and derives how its people are
// found. A person whose key has been destroyed cannot be found any more.
func (c *Chamber) indexes(tx *store.Tx, m minutes.Minute, rows []register.PersonRow) map[int64]index {
	if len(m.Particulars) == 0 {
		return nil
	}
	c.mu.Lock()
	primed := c.primed
	c.mu.Unlock()
	if primed != nil {
		if _, ok := primed[m.Particulars[0].Person]; ok {
			return primed
		}
	}
	out := make(map[int64]index, len(m.Particulars))
	people := make([]int64, len(m.Particulars))
	for i, p := range m.Particulars {
		people[i] = p.Person
	}
	keys, err := c.DB.Keys().KeysOf(context.Background(), people)
	if err != nil {
		return nil
	}
	secret, err := c.DB.Keys().Secret(context.Background(), "email")
	if err != nil {
		return nil
	}
	for _, p := range m.Particulars {
		key, ok := keys[p.Person]
		if !ok || p.Cipher == nil {
			continue
		}
		b, err := key.Open(p.Person, p.Cipher)
		if err != nil {
			continue
		}
		var s Sealed
		if json.Unmarshal(b, &s) != nil {
			continue
		}
		out[p.Person] = index{external: s.External, mac: EmailMAC(secret, s.Email)}
	}
	return out
}

// Prime spares the projection of an import from opening what the import has
// just sealed: it derives the same indexes from the plain particulars. nil
// ends it.
func (c *Chamber) Prime(ctx context.Context, people map[int64]Sealed) error {
	var primed map[int64]index
	if people != nil {
		secret, err := c.DB.Keys().Secret(ctx, "email")
		if err != nil {
			return err
		}
		primed = make(map[int64]index, len(people))
		for id, s := range people {
			primed[id] = index{external: s.External, mac: EmailMAC(secret, s.Email)}
		}
	}
	c.mu.Lock()
	c.primed = primed
	c.mu.Unlock()
	return nil
}

// EmailMAC is how an address is looked up without being kept: nil for none.
func EmailMAC(secret [32]byte, email string) []byte {
	email = strings.ToLower(strings.TrimSpace(email))
	if email == "" {
		return nil
	}
	h := hmac.New(sha256.New, secret[:])
	h.Write([]byte("omov/email/1\x00"))
	h.Write([]byte(email))
	return h.Sum(nil)[:16]
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
