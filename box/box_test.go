package box

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/omov/omov/fault"
)

func TestSealAndOpen(t *testing.T) {
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		paper := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "paper")
		s, err := NewSealer("2026-L-001/vote/1", key.Public(), 40)
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.Seal("members", paper)
		if err != nil {
			t.Fatal(err)
		}
		if len(c) != 40+Overhead {
			t.Fatalf("a sealed paper has %d bytes, want %d whatever it holds", len(c), 40+Overhead)
		}
		got, err := key.Opener("2026-L-001/vote/1").Open("members", c)
		if err != nil || !bytes.Equal(got, paper) {
			t.Fatalf("got %x, %v; want %x", got, err, paper)
		}
		for _, wrong := range []struct{ ballot, section string }{{"2026-L-001/vote/2", "members"}, {"2026-L-001/vote/1", "affiliates"}} {
			if _, err := key.Opener(wrong.ballot).Open(wrong.section, c); !fault.Is(err, fault.Damaged) {
				t.Fatalf("opened as %v", wrong)
			}
		}
		i := rapid.IntRange(0, len(c)-1).Draw(t, "changed")
		c[i] ^= 1
		if _, err := key.Opener("2026-L-001/vote/1").Open("members", c); err == nil {
			t.Fatalf("opened with byte %d changed", i)
		}
	})
}

func TestTooLong(t *testing.T) {
	key, _ := NewKey()
	s, err := NewSealer("b", key.Public(), 3)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Seal("", []byte("four")); !fault.Is(err, fault.TooMuch) {
		t.Fatalf("got %v", err)
	}
}

func TestKeyFiles(t *testing.T) {
	k := Keys{Dir: t.TempDir()}
	key, _ := NewKey()
	officer, _ := NewKey()
	other, _ := NewKey()
	if err := k.Save("a/b/1", key, map[string]string{"scrutineer": officer.Public()}); err != nil {
		t.Fatal(err)
	}
	got, err := k.Load("a/b/1", key.Public())
	if err != nil || got.Private() != key.Private() {
		t.Fatalf("%v", err)
	}
	if err := os.Remove(k.file("a/b/1", key.Public(), ".key")); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Load("a/b/1", key.Public()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "officers") {
		t.Fatalf("got %v", err)
	}
	if err := k.Restore("a/b/1", "scrutineer", other); !fault.Is(err, fault.NotEntitled) {
		t.Fatalf("restored with the wrong key: %v", err)
	}
	if err := k.Restore("a/b/1", "scrutineer", officer); err != nil {
		t.Fatal(err)
	}
	// A second key for the same ballot, made by somebody who came too late,
	// leaves the first as it is.
	late, _ := NewKey()
	if err := k.Save("a/b/1", late, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := k.Load("a/b/1", key.Public()); err != nil || got.Private() != key.Private() {
		t.Fatalf("the first key is lost: %v", err)
	}
	if err := k.Destroy("a/b/1"); err != nil {
		t.Fatal(err)
	}
	left, _ := os.ReadDir(k.Dir)
	if len(left) != 0 {
		t.Fatalf("%d files are left", len(left))
	}
}

func BenchmarkSeal(b *testing.B) {
	key, _ := NewKey()
	s, _ := NewSealer("b", key.Public(), 64)
	paper := []byte{1, 2, 3, 4, 5}
	for b.Loop() {
		if _, err := s.Seal("members", paper); err != nil {
			b.Fatal(err)
		}
	}
}
