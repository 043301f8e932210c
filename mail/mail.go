// Package mail is the outbox and the delivery ledger: every message is a row
// first, is sent at least once, and the row says what became of it.
//
// It decides when a message is tried again and when it is given up. It never
// decides who is written to, and it never carries a ballot code, a receipt or
// a credential. The outbox holds no addresses: they are looked up when a
// message goes, so that erasing a person erases them here too.
//
// A message to many people is one text, kept once under a name; the rows refer
// to it (Body "@name"), and {name} in it is filled in when it is sent.
package mail

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
	"github.com/omov/omov/store"
)

// Directory gives what is needed to write to a person.
type Directory interface {
	// Reach gives name and address; fault.NotFound where there is none.
	Reach(ctx context.Context, p register.PersonID) (name, address string, err error)
}

// Carrier sends one message.
type Carrier interface {
	Carry(ctx context.Context, to, name, subject, body, id string) error
}

// Post is the outbox of one organisation.
type Post struct {
	db      *store.DB
	dir     Directory
	carrier Carrier // nil: messages stay in the outbox, as in a demo
	now     func() time.Time
}

// New makes the outbox. carrier may be nil. now is the book's time, at which
// messages become due; attempts wait in real time.
func New(db *store.DB, dir Directory, carrier Carrier, now func() time.Time) *Post {
	return &Post{db: db, dir: dir, carrier: carrier, now: now}
}

// Message is a message to one person. Dedupe makes queueing it twice harmless.
type Message struct {
	Dedupe  string
	Person  register.PersonID
	Subject string
	Body    string // text, or "@" and the name of a text that is kept
}

// Queue puts messages into the outbox and tells how many were not there yet.
func (p *Post) Queue(ctx context.Context, list []Message) (int, error) {
	n := 0
	err := p.db.Write(ctx, func(tx *store.Tx) error {
		n = 0
		for _, m := range list {
			row := store.Mail{Dedupe: m.Dedupe, Person: int64(m.Person), Address: []byte{}, Subject: m.Subject, Body: m.Body, DueAt: time.Now()}
			rand.Read(row.ID[:])
			fresh, err := tx.PutMail(row)
			if err != nil {
				return err
			}
			if fresh {
				n++
			}
		}
		return nil
	})
	return n, err
}

const textSetting = "mail/"

// Keep keeps a text that many messages refer to.
func (p *Post) Keep(ctx context.Context, name, text string) error {
	return p.db.Write(ctx, func(tx *store.Tx) error { return tx.PutSetting(textSetting+name, []byte(text)) })
}

// Text gives the text of a message as its reader sees it.
func (p *Post) Text(ctx context.Context, m store.Mail, name string) (string, error) {
	body := m.Body
	if kept, ok := strings.CutPrefix(body, "@"); ok {
		err := p.db.Read(ctx, func(tx *store.Tx) error {
			b, err := tx.Setting(textSetting + kept)
			body = string(b)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return strings.ReplaceAll(body, "{name}", name), nil
}

// Attempts is how often a message is tried before it is given up.
const Attempts = 8

// batch is how many messages one wake takes.
const batch = 200

// lease is how long a taken message is nobody else's.
const lease = 2 * time.Minute

// Due sends what is due and tells how many messages it tried.
func (p *Post) Due(ctx context.Context) (int, error) {
	if p.carrier == nil {
		return 0, nil
	}
	tried := 0
	for {
		var list []store.Mail
		now := time.Now()
		err := p.db.Write(ctx, func(tx *store.Tx) (err error) {
			list, err = tx.TakeMail(now, now.Add(lease), batch)
			return err
		})
		if err != nil || len(list) == 0 {
			return tried, err
		}
		for _, m := range list {
			if err := ctx.Err(); err != nil {
				return tried, err
			}
			tried++
			if err := p.send(ctx, m); err != nil {
				return tried, err
			}
		}
	}
}

// send tries one message and writes down what became of it.
func (p *Post) send(ctx context.Context, m store.Mail) error {
	name, address, err := p.dir.Reach(ctx, register.PersonID(m.Person))
	if err == nil {
		var text string
		if text, err = p.Text(ctx, m, name); err == nil {
			err = p.carrier.Carry(ctx, address, name, m.Subject, text, m.Dedupe)
		}
	}
	return p.db.Write(ctx, func(tx *store.Tx) error {
		if err == nil {
			return tx.SentMail(m.ID, time.Now())
		}
		wait := time.Minute << min(m.Attempts, 10)
		if m.Attempts+1 >= Attempts || fault.Is(err, fault.NotFound) {
			wait = 100 * 365 * 24 * time.Hour // given up; the ledger keeps it
		}
		return tx.FailedMail(m.ID, err.Error(), time.Now().Add(wait))
	})
}

// SMTP sends through a mail server.
type SMTP struct {
	Host     string
	Port     int
	User     string
	Password string
	From     string
	TLS      bool // refuse a server without TLS
}

// Carry sends one message. The id makes a repeated delivery recognisable.
func (s *SMTP) Carry(ctx context.Context, to, name, subject, body, id string) error {
	msg := gomail.NewMsg()
	if err := msg.From(s.From); err != nil {
		return fault.Wrap(fault.Invalid, err, "the sender's address %q is not one", s.From)
	}
	if err := msg.AddToFormat(name, to); err != nil {
		return fault.Wrap(fault.NotFound, err, "the address is not one that mail can be sent to")
	}
	msg.Subject(subject)
	msg.SetBodyString(gomail.TypeTextPlain, body)
	msg.SetGenHeader("X-Omov-Message", id)
	opts := []gomail.Option{gomail.WithPort(s.Port), gomail.WithTimeout(30 * time.Second)}
	if s.TLS {
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	} else {
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	}
	if s.User != "" {
		opts = append(opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.User), gomail.WithPassword(s.Password))
	}
	c, err := gomail.NewClient(s.Host, opts...)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the mail server's settings cannot be used")
	}
	if err := c.DialAndSendWithContext(ctx, msg); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the mail server did not take the message")
	}
	return nil
}
