package login_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/login"
	"github.com/omov/omov/register"
	"github.com/omov/omov/store"
)

// book is one person with an address, and a letter box.
type book struct{ sent []string }

func (b *book) ByEmail(_ context.Context, address string) ([]register.PersonID, error) {
	if address == "ann@example.org" {
		return []register.PersonID{7}, nil
	}
	return nil, nil
}

func (b *book) SendLink(_ context.Context, _ register.PersonID, link string) error {
	b.sent = append(b.sent, link)
	return nil
}

func TestLinkOnceAndSession(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	db, err := store.Open(ctx, store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	b := &book{}
	l := login.New(db, "https://omov.example", b, b)
	for _, address := range []string{"nobody@example.org", "ann@example.org"} {
		if err := l.Request(ctx, address); err != nil {
			t.Fatalf("%s: %v; who belongs is nobody else's business", address, err)
		}
	}
	if len(b.sent) != 1 {
		t.Fatalf("%d links were sent", len(b.sent))
	}
	for range 20 {
		if err := l.Request(ctx, "ann@example.org"); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.sent) != 4 {
		t.Fatalf("somebody can have %d links sent to one person", len(b.sent))
	}
	link := login.Token(strings.TrimPrefix(b.sent[0], "https://omov.example/enter/"))
	for range 3 { // mail scanners open links
		if p, err := l.Look(ctx, link); err != nil || p != 7 {
			t.Fatalf("looking at a link: %d, %v", p, err)
		}
	}
	session, err := l.Enter(ctx, link)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Enter(ctx, link); !fault.Is(err, fault.SignIn) {
		t.Errorf("a link was used twice: %v", err)
	}
	if p, err := l.Who(ctx, session); err != nil || p != 7 {
		t.Fatalf("%d, %v", p, err)
	}
	if _, err := l.Who(ctx, session+"x"); !fault.Is(err, fault.SignIn) {
		t.Errorf("a made-up session: %v", err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "book.db*"))
	for _, f := range files {
		raw, _ := os.ReadFile(f)
		if bytes.Contains(raw, []byte(session)) || bytes.Contains(raw, []byte(link)) {
			t.Errorf("%s holds a token as it goes out", filepath.Base(f))
		}
	}
	if err := l.Leave(ctx, session); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Who(ctx, session); !fault.Is(err, fault.SignIn) {
		t.Errorf("a session that has ended: %v", err)
	}
	old, err := l.Link(ctx, 7, -time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Enter(ctx, login.Token(strings.TrimPrefix(old, "https://omov.example/enter/"))); !fault.Is(err, fault.SignIn) {
		t.Errorf("a link whose time is over: %v", err)
	}
}
