package cli

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/web/sealedtest"
)

// A paper that its voter checks instead of casting it says what it says; one
// whose page lied does not, and is no reason to trust that page.
func TestCheckedPaper(t *testing.T) {
	s := sealedtest.New(t, "av", 12)
	ref := s.Call()
	given, err := s.Contests.SealedSeat(s.Ctx, ref, s.Members[3], 0, "")
	if err != nil {
		t.Fatal(err)
	}
	m, err := sealed.DecodeManifest([]byte(given.Manifest))
	if err != nil {
		t.Fatal(err)
	}
	hash, _ := m.Hash()
	code, err := sealed.ReadCode(given.Code)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := hex.DecodeString(given.Key)
	b := &sealed.Ballot{Group: ristretto.New(), Manifest: m, Key: [32]byte(key), Contest: given.Contest, Section: given.Section, Sequence: 1, Previous: hash}
	file := func(marks []int, spoil bool) string {
		raw, rs, err := b.Seal(marks, code.Key(hash, given.Section))
		if err != nil {
			t.Fatal(err)
		}
		if spoil {
			_, rs, _ = b.Seal(marks, code.Key(hash, given.Section))
		}
		random := []string{}
		for _, r := range rs {
			random = append(random, hex.EncodeToString(r.Expose()))
		}
		text, err := json.Marshal(map[string]any{"v": 1, "manifest": given.Manifest, "key": given.Key, "paper": raw, "randomness": random})
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), "paper.json")
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	names := m.Contests[0].Options
	for _, x := range []struct {
		file string
		code int
		want []string
	}{
		{file([]int{2, 1}, false), 0, []string{"1. " + names[1] + "\n  2. " + names[0], "Its proof and its signature hold", "Its code"}},
		{file([]int{0, 0}, false), 0, []string{"it is blank"}},
		{file([]int{2, 1}, true), 1, []string{"is not what its page said", "ciphertext 1"}},
	} {
		code, out := omov("", "verify", x.file)
		if code != x.code {
			t.Errorf("exit code %d, want %d\n%s", code, x.code, out)
		}
		for _, w := range x.want {
			if !strings.Contains(out, w) {
				t.Errorf("it does not say %q:\n%s", w, out)
			}
		}
	}
}
