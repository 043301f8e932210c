// Package login knows who is asking: it hands out links that sign one person
// in once, and sessions that last.
//
// It decides nothing about what somebody may do; that follows from the
// register and the rulebook at the moment of asking, never from a session.
// Tokens are 256 random bits; the database holds their SHA-256 only. Times are
// real time, also in a demo whose book has a clock of its own.
package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"sync"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
	"github.com/omov/omov/store"
)

// How long links and sessions are good for.
const (
	LinkLife    = time.Hour
	SessionLife = 12 * time.Hour
)

// Sender sends a sign-in link to a person, by whatever way reaches them.
type Sender interface {
	SendLink(ctx context.Context, p register.PersonID, link string) error
}

// Finder finds who has an e-mail address.
type Finder interface {
	ByEmail(ctx context.Context, address string) ([]register.PersonID, error)
}

// Logins hands out links and sessions. Safe for concurrent use.
type Logins struct {
	db     *store.DB
	finder Finder
	sender Sender
	base   string // the address under which the server is reached

	mu   sync.Mutex
	sent map[register.PersonID][]time.Time // links asked for lately
}

// New makes the logins of a server that is reached at base.
func New(db *store.DB, base string, f Finder, s Sender) *Logins {
	return &Logins{db: db, base: base, finder: f, sender: s, sent: map[register.PersonID][]time.Time{}}
}

// Token is a secret as it goes out.
type Token string

func newToken() (Token, []byte) {
	var b [32]byte
	rand.Read(b[:])
	t := Token(base64.RawURLEncoding.EncodeToString(b[:]))
	return t, t.hash()
}

func (t Token) hash() []byte {
	h := sha256.Sum256([]byte("omov/token/1\x00" + string(t)))
	return h[:]
}

// Link makes a link that signs a person in once, within life.
func (l *Logins) Link(ctx context.Context, p register.PersonID, life time.Duration) (string, error) {
	t, hash := newToken()
	err := l.db.Write(ctx, func(tx *store.Tx) error {
		return tx.PutLogin(hash, int64(p), time.Now().Add(life))
	})
	return l.base + "/enter/" + string(t), err
}

// answerAfter is how long a request for a link takes at least: longer than
// writing the link does.
const answerAfter = 300 * time.Millisecond

// Request sends a link to whoever has an address. It answers the same whether
// or not anybody has, and after the same time: who belongs is nobody else's
// business.
func (l *Logins) Request(ctx context.Context, address string) error {
	wait := time.NewTimer(answerAfter)
	defer wait.Stop()
	err := l.request(ctx, address)
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
	return err
}

func (l *Logins) request(ctx context.Context, address string) error {
	people, err := l.finder.ByEmail(ctx, address)
	if err != nil {
		return err
	}
	for i, p := range people {
		if i == 5 {
			break // an address that many people share
		}
		if !l.may(p) {
			continue
		}
		link, err := l.Link(ctx, p, LinkLife)
		if err != nil {
			return err
		}
		if err := l.sender.SendLink(ctx, p, link); err != nil {
			return err
		}
	}
	return nil
}

// Links that one person can be sent within a quarter of an hour; more would
// be somebody else asking.
const (
	mostLinks  = 4
	linkWindow = 15 * time.Minute
)

// may tells whether a person can be sent one more link, and counts it.
func (l *Logins) may(p register.PersonID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	since := time.Now().Add(-linkWindow)
	if len(l.sent) > 10_000 {
		for q, list := range l.sent {
			if list[len(list)-1].Before(since) {
				delete(l.sent, q)
			}
		}
	}
	recent := slices.DeleteFunc(l.sent[p], func(t time.Time) bool { return t.Before(since) })
	if len(recent) >= mostLinks {
		l.sent[p] = recent
		return false
	}
	l.sent[p] = append(recent, time.Now())
	return true
}

// Look tells whom a link would sign in, without using it: mail scanners open
// links. fault.SignIn where it is used up or has run out.
func (l *Logins) Look(ctx context.Context, t Token) (register.PersonID, error) {
	var p int64
	err := l.db.Read(ctx, func(tx *store.Tx) (err error) {
		p, err = tx.Login(t.hash(), time.Now())
		return err
	})
	return register.PersonID(p), stale(err)
}

func stale(err error) error {
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.SignIn, "This link has been used, or its time is over. Ask for a new one.")
	}
	return err
}

// Enter uses a link and opens a session.
func (l *Logins) Enter(ctx context.Context, t Token) (Token, error) {
	session, hash := newToken()
	err := l.db.Write(ctx, func(tx *store.Tx) error {
		p, err := tx.UseLogin(t.hash(), time.Now())
		if err != nil {
			return err
		}
		return tx.PutSession(store.Session{Hash: hash, Person: p, Expires: time.Now().Add(SessionLife)})
	})
	return session, stale(err)
}

// Who gives the person of a session; fault.SignIn where it has ended.
func (l *Logins) Who(ctx context.Context, session Token) (register.PersonID, error) {
	var s store.Session
	err := l.db.Read(ctx, func(tx *store.Tx) (err error) {
		s, err = tx.Session(session.hash(), time.Now())
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return 0, fault.New(fault.SignIn, "You are signed out. Sign in to go on.")
	}
	return register.PersonID(s.Person), err
}

// Leave ends a session.
func (l *Logins) Leave(ctx context.Context, session Token) error {
	return l.db.Write(ctx, func(tx *store.Tx) error { return tx.EndSession(session.hash()) })
}
