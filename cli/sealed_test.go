package cli

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/web/sealedtest"
)

// desk is a folder with files of trustees and a registrar, and the passphrase
// that all of them have.
type desk struct {
	t    *testing.T
	dir  string
	pass string
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, dir: t.TempDir()}
	d.pass = d.write("passphrase", "four words nobody guesses\n")
	return d
}

func (d *desk) path(name string) string { return filepath.Join(d.dir, name) }

func (d *desk) write(name, text string) string {
	d.t.Helper()
	if err := os.WriteFile(d.path(name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return d.path(name)
}

// says runs a command with the passphrase, and wants an exit code and words.
func (d *desk) says(code int, words []string, in string, args ...string) string {
	d.t.Helper()
	got, out := omov(in, append(args, "--passphrase-file", d.pass)...)
	if got != code {
		d.t.Fatalf("omov %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, out)
	}
	for _, w := range words {
		if !strings.Contains(out, w) {
			d.t.Errorf("omov %s does not say %q:\n%s", strings.Join(args, " "), w, out)
		}
	}
	return out
}

// registered makes a file, and gives the fields of its line.
func (d *desk) registered(who, name string) []string {
	d.t.Helper()
	out := d.says(0, []string{"Send this line to the returning officer"}, "", who, "new", d.path(name), "--name", name, "--work", "1")
	line := regexp.MustCompile(`(?m)^  (` + who + ` \| .*)$`).FindStringSubmatch(out)
	if line == nil {
		d.t.Fatalf("no line in\n%s", out)
	}
	return strings.Split(line[1], " | ")
}

// named makes files, and names their owners as trustees and registrar.
func (d *desk) named(s *sealedtest.Society, names ...string) {
	d.t.Helper()
	var list []proceeding.Trustee
	for _, n := range names {
		f := d.registered("trustee", n)
		list = append(list, proceeding.Trustee{Name: f[1], Sign: f[2], Seal: f[3]})
	}
	f := d.registered("registrar", "Hazel")
	s.NameTrustees(list, 2, 2, proceeding.Registrar{Name: f[1], Key: f[2]})
}

func (d *desk) roll(s *sealedtest.Society, ref string) string {
	d.t.Helper()
	all, err := s.Contests.SealedRoll(s.Ctx, ref)
	if err != nil {
		d.t.Fatal(err)
	}
	var out strings.Builder
	w := csv.NewWriter(&out)
	w.Write([]string{"voter", "name", "email", "section", "class"})
	for _, e := range all {
		w.Write([]string{fmt.Sprint(e.Voter), e.Name, e.Email, e.Section, e.Class})
	}
	w.Flush()
	return d.write("roll.csv", out.String())
}

// letter gives the code in a voter's letter.
func (d *desk) letter(dir string, voter any) string {
	d.t.Helper()
	b, err := os.ReadFile(filepath.Join(d.path(dir), fmt.Sprintf("voter-%d.txt", voter)))
	if err != nil {
		d.t.Fatal(err)
	}
	return regexp.MustCompile(`([0-9A-Z]{5}-){5}[0-9A-Z]{5}`).FindString(string(b))
}

// A whole election by commands: three trustees whose programs wait for what is
// theirs to do, a registrar, voters with codes from letters.
func TestSealedElectionByCommands(t *testing.T) {
	s := sealedtest.New(t, "av", 12)
	d := newDesk(t)
	names := []string{"Ash", "Birch", "Cedar"}
	d.named(s, names...)
	ref := s.Call()
	url, hazel := s.Page(ref), d.path("Hazel")

	d.says(0, []string{"Codes for 12 voters", "Copy"}, "", "registrar", "make", hazel, url, "--roll", d.roll(s, ref))
	d.says(0, []string{"Your list is entry", "Now the letters"}, "", "registrar", "list", hazel, url, "--out", d.path("list.json"))
	d.says(0, []string{"12 codes are in"}, "", "registrar", "mailing", hazel, "--out", d.path("letters"))
	d.says(0, []string{"12 codes are in"}, "", "registrar", "mailing", hazel, "--out", d.path("all.csv"), "--contest", url)

	var wait sync.WaitGroup
	out := make([]string, len(names))
	for i, n := range names {
		wait.Go(func() {
			code, text := omov("", "trustee", "work", d.path(n), url, "--compared", "--wait", "--every", "30ms", "--passphrase-file", d.pass)
			out[i] = text
			if code != 0 {
				t.Errorf("%s: exit code %d\n%s", n, code, text)
			}
		})
	}
	defer wait.Wait()
	for begun := time.Now(); s.State(ref).OpenBallot() == nil; time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			t.Fatal("the key is not made")
		}
	}
	for i, m := range s.Members[:6] {
		marks := []int{0, 1}
		if i == 5 {
			marks = []int{1, 0}
		}
		s.Vote(ref, d.letter("letters", m), marks...)
	}
	lost := s.Members[7]
	d.says(0, []string{"Replaced: 1 codes", "The letter to voter"}, "", "registrar", "reissue", hazel, url, fmt.Sprint(lost), "--reason", "The dog ate it.", "--out", d.path("again"))
	s.Vote(ref, d.letter("again", lost), 0, 1)
	s.Close(ref)
	wait.Wait()
	if st := s.State(ref); st.Outcome != proceeding.Elected || st.Elected[0].ID != s.Members[1] {
		t.Fatalf("%s %s %v", st.Phase, st.Outcome, st.Elected)
	}
	for i, text := range out {
		for _, w := range []string{"--compared", "Step 4 of 4", "Waiting: the close of the ballot.", "vote/voters/v1: 7 papers count", "Done: "} {
			if !strings.Contains(text, w) {
				t.Errorf("%s is not told %q:\n%s", names[i], w, text)
			}
		}
	}
	d.says(0, []string{"Your fingerprint:", "close      witnessed", "mixed      vote/voters/v1", "entries, "}, "", "trustee", "show", d.path("Ash"))
	d.says(0, []string{"registrar | Hazel |", "voters       12", "entry "}, "", "registrar", "show", hazel)
	d.says(0, []string{fmt.Sprintf("voter %d: made a new code: The dog ate it.", lost), "exported 12 letters"}, "", "registrar", "log", hazel)
	d.bundles(s)
}

// bundles writes both bundles, and checks them.
func (d *desk) bundles(s *sealedtest.Society) {
	d.t.Helper()
	for _, kind := range []string{"public", "scrutineers"} {
		file := d.path(kind + ".zip")
		args := []string{"bundle", "--db", "sqlite:" + filepath.Join(s.Dir, "book.db"), "--keys", filepath.Join(s.Dir, "box"), file}
		if kind == "scrutineers" {
			args = append(args, "--scrutineers")
		}
		if code, out := omov("", args...); code != 0 {
			d.t.Fatalf("omov bundle: %s", out)
		}
		if code, out := omov("", "verify", file); code != 0 {
			d.t.Fatalf("omov verify: %s", out)
		}
	}
}

// One command does a trustee's part in whatever ballots there are; whoever is
// no trustee of any does nothing, and learns of no mistake.
func TestTrusteeInAllBallots(t *testing.T) {
	s := sealedtest.New(t, "plurality", 12)
	d := newDesk(t)
	var list []proceeding.Trustee
	for _, n := range []string{"Ash", "Birch"} {
		f := d.registered("trustee", n)
		list = append(list, proceeding.Trustee{Name: f[1], Sign: f[2], Seal: f[3]})
	}
	s.NameTrustees(list, 2, 2, proceeding.Registrar{})
	d.registered("trustee", "Stranger")
	refs := []string{s.Call()}
	work := func(n string) string {
		code, out := omov("", "trustee", "work", d.path(n), s.URL, "--compared", "--passphrase-file", d.pass)
		if code != 0 {
			t.Fatalf("%s: exit code %d\n%s", n, code, out)
		}
		return out
	}
	for range 6 {
		work("Ash")
		work("Birch")
	}
	for _, ref := range refs {
		if s.State(ref).OpenBallot() == nil {
			t.Fatalf("the key of %s is not made", ref)
		}
		for i := range 6 {
			s.Vote(ref, s.Code(ref, s.Members[i]), 0, 1)
		}
	}
	if out := work("Stranger"); strings.Contains(out, "/contests/") {
		t.Errorf("a stranger is told of ballots:\n%s", out)
	}
	for _, ref := range refs {
		s.Close(ref)
	}
	for range 4 {
		work("Ash")
		work("Birch")
	}
	for _, ref := range refs {
		if st := s.State(ref); st.Outcome != proceeding.Elected {
			t.Errorf("%s: %s %s", ref, st.Phase, st.Outcome)
		}
	}
}

func TestTrusteesCommandsRefuse(t *testing.T) {
	s := sealedtest.New(t, "plurality", 12)
	d := newDesk(t)
	d.named(s, "Ash", "Birch")
	ref := s.Call()
	url, ash := s.Page(ref), d.path("Ash")
	other := d.write("other", "five words that are wrong\n")
	empty := d.write("empty", "\n")
	short := d.write("short", "short\n")

	for _, x := range []struct {
		code  int
		words string
		in    string
		args  []string
	}{
		{2, "no terminal", "", []string{"trustee", "show", ash}},
		{1, "does not open", "", []string{"trustee", "show", ash, "--passphrase-file", other}},
		{2, "is no passphrase", "", []string{"trustee", "show", ash, "--passphrase-file", empty}},
		{2, "cannot be read", "", []string{"trustee", "show", ash, "--passphrase-file", d.path("none")}},
		{2, "too short", "", []string{"trustee", "new", d.path("new"), "--name", "New", "--passphrase-file", short}},
		{1, "is not overwritten", "", []string{"trustee", "new", ash, "--name", "Ash", "--passphrase-file", d.pass}},
		{1, "there is no file", "", []string{"trustee", "show", d.path("none"), "--passphrase-file", d.pass}},
		{2, "is not a trustee's file", "", []string{"trustee", "show", d.path("Hazel"), "--passphrase-file", d.pass}},
		{2, "is not the address of a ballot's page", "", []string{"trustee", "key", ash, "votes.example.org", "--passphrase-file", d.pass}},
		{1, "no proceeding 2026-X-001", "", []string{"trustee", "key", ash, s.Page("2026-X-001"), "--passphrase-file", d.pass}},
		{1, "have not been compared", "no\n", []string{"trustee", "key", ash, url, "--passphrase-file", d.pass}},
		{1, "Ask each of them, by telephone or in person", "", []string{"trustee", "work", ash, url, "--passphrase-file", d.pass}},
		{0, "Waiting: the others' part of the key generation (commit): Birch.", "yes\n", []string{"trustee", "key", ash, url, "--passphrase-file", d.pass}},
		{0, "Waiting: the close of the ballot.", "", []string{"trustee", "mix", ash, url, "--passphrase-file", d.pass}},
		{0, "Waiting: the close of the ballot.", "", []string{"trustee", "open", ash, url, "--passphrase-file", d.pass}},
		{1, "is damaged", "", []string{"trustee", "show", d.write("broken", broken(t, ash)), "--passphrase-file", d.pass}},
		{2, "cannot be opened", "", []string{"registrar", "make", d.path("Hazel"), url, "--roll", d.path("none"), "--passphrase-file", d.pass}},
		{2, "no column", "", []string{"registrar", "make", d.path("Hazel"), url, "--roll", d.write("bad.csv", "a,b\n"), "--passphrase-file", d.pass}},
		{1, "Make them first: omov registrar make", "", []string{"registrar", "list", d.path("Hazel"), url, "--passphrase-file", d.pass}},
		{1, "has no codes yet", "", []string{"registrar", "mailing", d.path("Hazel"), "--out", d.path("x.csv"), "--passphrase-file", d.pass}},
		{0, "Nothing has been done", "", []string{"registrar", "log", d.path("Hazel"), "--passphrase-file", d.pass}},
		{0, "docs/trustees.md", "", []string{"trustee", "--help"}},
		{0, "docs/trustees.md", "", []string{"registrar", "--help"}},
		{0, "A trustee's part in sealed ballots", "", []string{"--help"}},
	} {
		code, out := omov(x.in, x.args...)
		if code != x.code || !strings.Contains(strings.Join(strings.Fields(out), " "), x.words) {
			t.Errorf("omov %s: exit code %d, want %d and %q:\n%s", strings.Join(x.args, " "), code, x.code, x.words, out)
		}
	}
}

// broken is a file of which a byte in the middle has changed.
func broken(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.Clone(b)
	b[len(b)-20] ^= 1
	return string(b)
}
