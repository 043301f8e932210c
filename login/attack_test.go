package login_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/omov/omov/login"
	"github.com/omov/omov/store"
)

// How long the answer takes does not tell who belongs.
func TestAddressesAnswerAlikeInTime(t *testing.T) {
	ctx := context.Background()
	db, err := store.Open(ctx, store.Options{DSN: "sqlite:" + filepath.Join(t.TempDir(), "book.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	b := &book{}
	l := login.New(db, "http://x", b, b)
	for _, address := range []string{"ann@example.org", "nobody@example.org"} {
		begun := time.Now()
		if err := l.Request(ctx, address); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < 250*time.Millisecond {
			t.Errorf("%s is answered after %s", address, took)
		}
	}
}
