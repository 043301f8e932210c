package postbox

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/omov/omov/fault"
)

const pass = "four words nobody guesses"

func newFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ash.omov")
	f, err := NewTrusteeFile(path, pass, "Ash", 1)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	return path
}

func refused(t *testing.T, err error, kind fault.Kind, words string) {
	t.Helper()
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), words) {
		t.Errorf("want a refusal of kind %s with %q, got %v", kind, words, err)
	}
}

func TestFileKeepsItsKeys(t *testing.T) {
	path := newFile(t)
	var lines []string
	for range 2 {
		f, err := OpenTrusteeFile(path, pass)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, f.Registration().Line())
		if err := f.save(); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if lines[0] != lines[1] || !strings.HasPrefix(lines[0], "trustee | Ash | ") {
		t.Errorf("the keys are %v", lines)
	}
	b, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(b), "age-encryption.org/v1\n-> scrypt ") {
		t.Errorf("it is no file of age: %.60q %v", b, err)
	}
	if i, err := os.Stat(path); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v %v", i.Mode(), err)
	}
}

func TestFilesThatAreNotOpened(t *testing.T) {
	path := newFile(t)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	open := func(b []byte, phrase string) error {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := OpenTrusteeFile(path, phrase)
		if err == nil {
			f.Close()
		}
		return err
	}
	refused(t, open(good, "another passphrase"), fault.NotEntitled, "does not open")
	refused(t, open(good, ""), fault.Invalid, "there is no passphrase")
	refused(t, open(nil, pass), fault.Damaged, "damaged")
	for _, n := range []int{10, 60, len(good) / 2, len(good) - 1} {
		if err := open(good[:n], pass); err == nil {
			t.Errorf("%d of %d bytes were opened", n, len(good))
		}
	}
	for at := 30; at < len(good); at += 7 { // any byte of it
		b := slices.Clone(good)
		b[at] ^= 1
		if err := open(b, pass); err == nil {
			t.Errorf("it was opened with byte %d changed", at)
		} else if fault.Of(err) == nil {
			t.Errorf("byte %d: not a refusal: %v", at, err)
		}
	}
	// A file that asks for more work than a second's is not begun with.
	refused(t, open([]byte(strings.Replace(string(good), " 1\n", " 30\n", 1)), pass), fault.Damaged, "damaged")
	if err := open(good, pass); err != nil {
		t.Errorf("the file itself: %v", err)
	}
}

func TestNewFilesThatAreNotMade(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.omov")
	make := func(phrase, name string, work int) error {
		_, err := NewTrusteeFile(path, phrase, name, work)
		return err
	}
	refused(t, make("short", "Ash", 1), fault.Invalid, "too short")
	refused(t, make(pass, "Ash\x1b[2J", 1), fault.Invalid, "a trustee has a name")
	refused(t, make(pass, "Ash", 40), fault.Invalid, "from 1 to 20")
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("a file was made")
	}
	_, err := NewTrusteeFile(filepath.Join(dir, "none", "x"), pass, "Ash", 1)
	refused(t, err, fault.Invalid, "nothing can be written beside")
}

// One command uses a file at a time; another may look at it.
func TestTwoCommandsAtOnce(t *testing.T) {
	path := newFile(t)
	first, err := OpenTrusteeFile(path, pass)
	if err != nil {
		t.Fatal(err)
	}
	_, err = OpenTrusteeFile(path, pass)
	refused(t, err, fault.Conflict, "another omov command is using")
	look, err := LookAtTrusteeFile(path, pass)
	if err != nil {
		t.Fatalf("it cannot be looked at: %v", err)
	}
	refused(t, look.save(), fault.Internal, "to be looked at only")
	look.Close()
	first.Close()
	again, err := OpenTrusteeFile(path, pass)
	if err != nil {
		t.Fatalf("it is still locked: %v", err)
	}
	again.Close()
}

// Somebody puts an old copy over the file while a command is using it: what the
// command would send stands in no file, so it does not send it.
func TestFileChangedUnderneath(t *testing.T) {
	path := newFile(t)
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := OpenTrusteeFile(path, pass)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.save(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, f.save(), fault.Conflict, "was changed while")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	refused(t, f.save(), fault.NotFound, "there is no file")
}

// Power fails while a file is being replaced: what was there before is whole.
func TestHalfWrittenFile(t *testing.T) {
	path := newFile(t)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), ".ash.omov.123"), []byte("age-encr"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := OpenTrusteeFile(path, pass)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

func TestAddresses(t *testing.T) {
	for page, want := range map[string]string{
		"https://votes.example.org/contests/2026-L-001":               "https://votes.example.org/contests/2026-L-001",
		" https://votes.example.org/x/contests/2026-L-001/sealed?a=b": "https://votes.example.org/x/contests/2026-L-001",
		"https://votes.example.org/contests/2026%20L":                 "https://votes.example.org/contests/2026%20L",
	} {
		c, err := NewClient(page)
		if err != nil || c.Page() != want {
			t.Errorf("%s: %v %v", page, c, err)
		}
	}
	for _, page := range []string{"", "votes.example.org/contests/1", "ftp://a/contests/1", "https://a/", "https://a/contests/", "https://u:p@a/contests/1", "https:///contests/1", "https://a/contests/a%2Fb"} {
		if c, err := NewClient(page); err == nil {
			t.Errorf("%q was taken for %s", page, c.Page())
		}
	}
}

// What a server sends is shown on one line, without what a terminal obeys.
func TestPlain(t *testing.T) {
	if got := plain("a\x1b[31mb\nc\u202ed"); got != "a�[31mb c�d" {
		t.Errorf("%q", got)
	}
	if got := plain(strings.Repeat("ä", 1000)); len([]rune(got)) != 301 {
		t.Errorf("%d letters", len([]rune(got)))
	}
}
