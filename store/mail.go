package store

import (
	"crypto/rand"
	"time"

	"github.com/omov/omov/fault"
)

// Mail is an outgoing message. Address is sealed or enciphered by the caller.
// Dedupe is what makes it this message and no other: the same one is not put
// twice.
type Mail struct {
	ID        [16]byte
	Dedupe    string
	Person    int64
	Address   []byte
	Subject   string
	Body      string
	DueAt     time.Time
	SentAt    time.Time // zero: not yet
	Attempts  int64
	LastError string
}

const mailColumns = `id, dedupe, person, address, subject, body, due_at, sent_at, attempts, last_error`

func toMail(r row) Mail {
	m := Mail{Dedupe: r.text(1), Person: r.int(2), Address: r.blob(3), Subject: r.text(4), Body: r.text(5),
		DueAt: fromMilli(r.int(6)), SentAt: fromMilli(r.int(7)), Attempts: r.int(8), LastError: r.text(9)}
	copy(m.ID[:], r.blob(0))
	return m
}

// PutMail puts a message into the outbox under a random id. False: there is
// one with that Dedupe already.
func (tx *Tx) PutMail(m Mail) (bool, error) {
	rand.Read(m.ID[:])
	n, err := tx.write(`INSERT INTO mail (`+mailColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, 0, '') ON CONFLICT (dedupe) DO NOTHING`,
		m.ID[:], m.Dedupe, m.Person, full(m.Address), m.Subject, m.Body, m.DueAt.UnixMilli())
	return n > 0, err
}

// DueMail gives messages that are to be sent by an instant, the oldest first.
func (tx *Tx) DueMail(at time.Time, limit int) ([]Mail, error) {
	return tx.mails(`SELECT `+mailColumns+` FROM mail WHERE sent_at IS NULL AND due_at <= $1 ORDER BY due_at, id LIMIT $2`, at.UnixMilli(), int64(limit))
}

// TakeMail puts off due messages to until and gives them, so that no other
// node takes them meanwhile. One that is not sent by then comes again:
// delivery is at least once.
func (tx *Tx) TakeMail(at, until time.Time, limit int) ([]Mail, error) {
	ms, err := tx.DueMail(at, limit)
	for i := range ms {
		if err != nil {
			break
		}
		_, err = tx.write(`UPDATE mail SET due_at = $2, attempts = attempts + 1 WHERE id = $1`, ms[i].ID[:], until.UnixMilli())
	}
	return ms, err
}

// SentMail writes that a message has been sent.
func (tx *Tx) SentMail(id [16]byte, at time.Time) error {
	_, err := tx.write(`UPDATE mail SET sent_at = $2, last_error = '' WHERE id = $1`, id[:], at.UnixMilli())
	return err
}

// FailedMail writes that a message could not be sent, and when it is to be
// tried again.
func (tx *Tx) FailedMail(id [16]byte, why string, next time.Time) error {
	_, err := tx.write(`UPDATE mail SET last_error = $2, due_at = $3 WHERE id = $1`, id[:], why, next.UnixMilli())
	return err
}

// Outbox gives the newest messages, sent or not; person 0: of everyone.
func (tx *Tx) Outbox(person int64, limit int) ([]Mail, error) {
	return tx.mails(`SELECT `+mailColumns+` FROM mail WHERE (CAST($1 AS BIGINT) = 0 OR person = $1) ORDER BY due_at DESC, id LIMIT $2`, person, int64(limit))
}

// MailCounts tells how many messages wait, and how many have been sent.
func (tx *Tx) MailCounts() (waiting, sent int64, err error) {
	_, err = tx.one(`SELECT count(*), count(sent_at) FROM mail`, func(r row) { waiting, sent = r.int(0)-r.int(1), r.int(1) })
	return waiting, sent, err
}

func (tx *Tx) mails(sql string, args ...any) ([]Mail, error) {
	var ms []Mail
	err := tx.query(sql, func(r row) error {
		ms = append(ms, toMail(r))
		return nil
	}, args...)
	return ms, err
}

// PutLogin keeps the hash of a sign-in link.
func (tx *Tx) PutLogin(hash []byte, person int64, expires time.Time) error {
	_, err := tx.write(`INSERT INTO login (hash, person, expires, used) VALUES ($1, $2, $3, 0)`, hash, person, expires.UnixMilli())
	return err
}

// Login gives the person of a sign-in link without using it up; fault.SignIn
// where it is unknown, used or expired at that instant.
func (tx *Tx) Login(hash []byte, at time.Time) (int64, error) {
	var person int64
	found, err := tx.one(`SELECT person FROM login WHERE hash = $1 AND used = 0 AND expires > $2`, func(r row) { person = r.int(0) }, full(hash), at.UnixMilli())
	if err == nil && !found {
		err = fault.New(fault.SignIn, "this sign-in link has been used or is too old; ask for a new one")
	}
	return person, err
}

// UseLogin uses a sign-in link up and gives its person; fault.SignIn as with
// Login.
func (tx *Tx) UseLogin(hash []byte, at time.Time) (int64, error) {
	person, err := tx.Login(hash, at)
	if err == nil {
		_, err = tx.write(`UPDATE login SET used = 1 WHERE hash = $1`, hash)
	}
	return person, err
}

// Session is somebody who is signed in. Hash is of the secret in their
// cookie.
type Session struct {
	Hash    []byte
	Person  int64
	Roles   string
	Expires time.Time
}

// PutSession writes a session, or prolongs it.
func (tx *Tx) PutSession(s Session) error {
	_, err := tx.write(`INSERT INTO session (hash, person, roles, expires) VALUES ($1, $2, $3, $4)
		ON CONFLICT (hash) DO UPDATE SET roles = excluded.roles, expires = excluded.expires`, s.Hash, s.Person, s.Roles, s.Expires.UnixMilli())
	return err
}

// Session gives a session; fault.SignIn where it is unknown or has expired.
func (tx *Tx) Session(hash []byte, at time.Time) (Session, error) {
	s := Session{Hash: hash}
	found, err := tx.one(`SELECT person, roles, expires FROM session WHERE hash = $1 AND expires > $2`, func(r row) {
		s.Person, s.Roles, s.Expires = r.int(0), r.text(1), fromMilli(r.int(2))
	}, full(hash), at.UnixMilli())
	if err == nil && !found {
		err = fault.New(fault.SignIn, "you are not signed in, or have been away too long")
	}
	return s, err
}

// EndSession signs somebody out; EndSessions does so everywhere.
func (tx *Tx) EndSession(hash []byte) error {
	_, err := tx.write(`DELETE FROM session WHERE hash = $1`, full(hash))
	return err
}

// EndSessions signs a person out everywhere.
func (tx *Tx) EndSessions(person int64) error {
	_, err := tx.write(`DELETE FROM session WHERE person = $1`, person)
	return err
}

// SweepLogins removes links and sessions that expired before an instant.
func (tx *Tx) SweepLogins(at time.Time) error {
	if _, err := tx.write(`DELETE FROM login WHERE expires < $1`, at.UnixMilli()); err != nil {
		return err
	}
	_, err := tx.write(`DELETE FROM session WHERE expires < $1`, at.UnixMilli())
	return err
}

// PutSetting keeps something of the server's own by name; it is no part of
// the book.
func (tx *Tx) PutSetting(name string, value []byte) error {
	_, err := tx.write(`INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, full(value))
	return err
}

// Setting gives such a thing; nil where there is none.
func (tx *Tx) Setting(name string) (value []byte, err error) {
	_, err = tx.one(`SELECT value FROM setting WHERE name = $1`, func(r row) { value = full(r.blob(0)) }, name)
	return value, err
}
