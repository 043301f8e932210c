package mail_test

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/mail"
	"github.com/omov/omov/register"
	"github.com/omov/omov/store"
)

// server is a real SMTP server that keeps what it takes, and can be told to
// refuse.
type server struct {
	mu     sync.Mutex
	got    []string
	refuse int
}

func (s *server) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{s: s}, nil }

type session struct {
	s  *server
	to string
}

func (x *session) Mail(string, *smtp.MailOptions) error { return nil }
func (x *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if x.s.refuse > 0 {
		x.s.refuse--
		return &smtp.SMTPError{Code: 451, Message: "try again later"}
	}
	x.to = to
	return nil
}
func (x *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.s.got = append(x.s.got, x.to+"\n"+string(b))
	return err
}
func (x *session) Reset()        {}
func (x *session) Logout() error { return nil }

func serve(t *testing.T) (*server, int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{}
	srv := smtp.NewServer(s)
	srv.Domain, srv.AllowInsecureAuth = "localhost", true
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(l); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Log(err)
		}
	}()
	t.Cleanup(func() { srv.Close(); <-done })
	return s, l.Addr().(*net.TCPAddr).Port
}

// people is a directory of three: one has no address.
type people struct{}

func (people) Reach(_ context.Context, p register.PersonID) (string, string, error) {
	switch p {
	case 1:
		return "Ann Able", "ann@example.org", nil
	case 2:
		return "Bo Bär", "bo@example.org", nil
	}
	return "", "", fault.New(fault.NotFound, "no address")
}

func TestDelivery(t *testing.T) {
	ctx := context.Background()
	s, port := serve(t)
	db, err := store.Open(ctx, store.Options{DSN: "sqlite:" + filepath.Join(t.TempDir(), "book.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	post := mail.New(db, people{}, &mail.SMTP{Host: "127.0.0.1", Port: port, From: "office@example.org"}, time.Now)
	if err := post.Keep(ctx, "notice/x", "Dear {name},\n\na ballot is open.\n"); err != nil {
		t.Fatal(err)
	}
	list := []mail.Message{
		{Dedupe: "a1", Person: 1, Subject: "Your vote is open", Body: "@notice/x"},
		{Dedupe: "a2", Person: 2, Subject: "Your vote is open", Body: "@notice/x"},
		{Dedupe: "a3", Person: 3, Subject: "Your vote is open", Body: "@notice/x"},
	}
	for want, times := 3, 0; times < 2; want, times = 0, times+1 {
		if n, err := post.Queue(ctx, list); err != nil || n != want {
			t.Fatalf("queued %d, %v; want %d", n, err, want)
		}
	}
	s.refuse = 1
	if n, err := post.Due(ctx); err != nil || n != 3 {
		t.Fatalf("tried %d: %v", n, err)
	}
	if len(s.got) != 1 {
		t.Fatalf("%d messages arrived, want 1: one was refused for now, one has no address", len(s.got))
	}
	var failed, given int
	err = db.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Outbox(0, 10)
		for _, m := range rows {
			if m.LastError == "" {
				continue
			}
			failed++
			if m.DueAt.After(time.Now().AddDate(1, 0, 0)) {
				given++
			}
			if len(m.Address) > 0 {
				t.Error("the outbox keeps an address")
			}
		}
		return err
	})
	if err != nil || failed != 2 || given != 1 {
		t.Fatalf("%d failed, %d given up: %v", failed, given, err)
	}
	text := s.got[0]
	if !strings.Contains(text, "a ballot is open") || !strings.Contains(text, "X-Omov-Message: a") || strings.Contains(text, "{name}") {
		t.Errorf("the message is %q", text)
	}
	// The ledger says what was sent; nothing that was sent is due again.
	err = db.Read(ctx, func(tx *store.Tx) error {
		waiting, sent, err := tx.MailCounts()
		if waiting != 2 || sent != 1 {
			t.Errorf("%d wait and %d are sent", waiting, sent)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
