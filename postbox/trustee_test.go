package postbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/postbox"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/web/sealedtest"
)

const passphrase = "four words nobody guesses"

// person is a trustee at their own machine: a file, and commands that open it,
// do something and end.
type person struct {
	t    testing.TB
	name string
	path string
	said []string
	page string
}

// trustees are people with files, of whom t open and the first ones mix.
func trustees(t testing.TB, s *sealedtest.Society, threshold, mixers int, registrar proceeding.Registrar, names ...string) []*person {
	t.Helper()
	dir := t.TempDir()
	var all []*person
	var list []proceeding.Trustee
	for _, n := range names {
		p := &person{t: t, name: n, path: filepath.Join(dir, n+".omov")}
		f, err := postbox.NewTrusteeFile(p.path, passphrase, n, 1)
		if err != nil {
			t.Fatal(err)
		}
		r := f.Registration()
		f.Close()
		all, list = append(all, p), append(list, proceeding.Trustee{Name: n, Sign: r.Sign, Seal: r.Seal})
	}
	s.NameTrustees(list, threshold, mixers, registrar)
	return all
}

// at sets the ballot's page for everybody.
func at(all []*person, page string) {
	for _, p := range all {
		p.page = page
	}
}

// run is one command: the file is opened, and closed at the end.
func (p *person) run(do func(*postbox.Trustee, context.Context) (*postbox.Progress, error)) (*postbox.Progress, error) {
	p.t.Helper()
	f, err := postbox.OpenTrusteeFile(p.path, passphrase)
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	c, err := postbox.NewClient(p.page)
	if err != nil {
		p.t.Fatal(err)
	}
	t := postbox.NewTrustee(f, c)
	t.Say = func(line string) { p.said = append(p.said, line) }
	t.Compare = func([]postbox.Other) (bool, error) { return true, nil }
	return do(t, context.Background())
}

func (p *person) work() (*postbox.Progress, error) { return p.run((*postbox.Trustee).Work) }

// works wants a command to go well.
func (p *person) works() *postbox.Progress {
	p.t.Helper()
	x, err := p.work()
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	return x
}

// refuses wants the command to refuse, with these words, and to post nothing.
func (p *person) refuses(s *sealedtest.Society, words ...string) {
	p.t.Helper()
	before := entries(s)
	_, err := p.work()
	if err == nil {
		p.t.Fatalf("%s contributed; want a refusal of %q", p.name, words)
	}
	f := fault.Of(err)
	if f == nil {
		p.t.Fatalf("%s: not a refusal: %v", p.name, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error()+f.Remedy, w) {
			p.t.Errorf("%s: %q does not say %q", p.name, err, w)
		}
	}
	if after := entries(s); after != before {
		p.t.Errorf("%s refused, and %d entries were made", p.name, after-before)
	}
}

func entries(s *sealedtest.Society) int64 {
	head, err := s.Chamber.DB.Checkpoint(s.Ctx)
	if err != nil {
		s.T.Fatal(err)
	}
	var n int64
	if _, err := fmt.Sscan(strings.Split(string(head), "\n")[1], &n); err != nil {
		s.T.Fatal(err)
	}
	return n
}

// together lets everybody work until nobody has anything to do.
func together(all []*person) {
	for {
		did := false
		for _, p := range all {
			if p.works().Did {
				did = true
			}
		}
		if !did {
			return
		}
	}
}

// open brings trustees to an open ballot, and members have voted.
func open(t testing.TB, method string, mixers int, names ...string) (*sealedtest.Society, string, []*person) {
	t.Helper()
	s := sealedtest.New(t, method, 12)
	all := trustees(t, s, len(names)/2+1, mixers, proceeding.Registrar{}, names...)
	ref := s.Call()
	at(all, s.Page(ref))
	together(all)
	vote(s, ref)
	return s, ref, all
}

// closed brings them to a ballot whose close nobody has witnessed.
func closed(t testing.TB, method string, mixers int, names ...string) (*sealedtest.Society, string, []*person) {
	t.Helper()
	s, ref, all := open(t, method, mixers, names...)
	s.Close(ref)
	return s, ref, all
}

// vote has eight of twelve vote: five for the second, three for the first.
func vote(s *sealedtest.Society, ref string) {
	for i := range 8 {
		marks := []int{0, 1}
		if i < 3 {
			marks = []int{1, 0}
		}
		s.Vote(ref, s.Code(ref, s.Members[i]), marks...)
	}
}

// elected wants the election to have ended as eight voted.
func elected(s *sealedtest.Society, ref string) {
	s.T.Helper()
	st := s.State(ref)
	if st.Outcome != proceeding.Elected || len(st.Elected) != 1 || st.Elected[0].ID != s.Members[1] {
		s.T.Fatalf("five of eight marked the second: %s %s %v", st.Phase, st.Outcome, st.Elected)
	}
}

func TestTrusteesFromKeyToResult(t *testing.T) {
	for _, method := range []string{"av", "plurality"} { // mixed; added up
		t.Run(method, func(t *testing.T) {
			s, ref, all := closed(t, method, 2, "Ash", "Birch", "Cedar")
			together(all)
			elected(s, ref)
			for _, p := range all {
				if x := p.works(); !x.Done || !strings.Contains(x.What, "counted") {
					t.Errorf("%s has more to do: %+v", p.name, x)
				}
			}
			said := strings.Join(all[0].said, "\n")
			for _, w := range []string{"Election " + ref, "On the paper: Person A, Person B", "2 of 3 trustees open", "Step 4 of 4", "8 papers", "You have witnessed the close"} {
				if !strings.Contains(said, w) {
					t.Errorf("Ash was not told %q:\n%s", w, said)
				}
			}
			left, _ := filepath.Glob(all[0].path + ".part-*")
			if len(left) > 0 {
				t.Errorf("mixes that are on the board are left: %v", left)
			}
		})
	}
}

// Each part is a command of its own too, and says what it waits for.
func TestPartsApart(t *testing.T) {
	s, ref, all := open(t, "av", 2, "Ash", "Birch", "Cedar")
	ash := all[0]
	part := func(p *person, do func(*postbox.Trustee, context.Context) (*postbox.Progress, error), want string, did, done bool) {
		t.Helper()
		x, err := p.run(do)
		if err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		if got := x.What + " " + strings.Join(x.Waiting, ", "); x.Did != did || x.Done != done || !strings.Contains(got, want) {
			t.Errorf("%s: %+v; want %q, did %v, done %v", p.name, x, want, did, done)
		}
	}
	key, mix, open := (*postbox.Trustee).Key, (*postbox.Trustee).Mix, (*postbox.Trustee).Open
	part(ash, key, "", false, true)
	part(ash, mix, "the close of the ballot", false, false)
	part(ash, open, "the close of the ballot", false, false)
	s.Close(ref)
	part(ash, mix, "", true, false) // witnesses
	part(ash, mix, "to witness the close Birch, Cedar", false, false)
	part(all[2], open, "", true, false)
	part(all[1], (*postbox.Trustee).Witness, "", true, false)
	part(all[1], mix, "the mixers before you Ash", false, false)
	part(all[2], mix, "", false, true) // no mixer
	part(ash, open, "the mixers Ash", false, false)
	part(ash, mix, "", true, false)
	part(ash, mix, "", false, true)
	part(all[1], mix, "", true, false)
	part(all[1], open, "", true, false)
	part(all[2], open, "", true, false)
	elected(s, ref)
}

func TestTooFewPapersAreNotOpenedByTrustees(t *testing.T) {
	s := sealedtest.New(t, "av", 12)
	all := trustees(t, s, 2, 2, proceeding.Registrar{}, "Ash", "Birch")
	ref := s.Call()
	at(all, s.Page(ref))
	together(all)
	for i := range 4 {
		s.Vote(ref, s.Code(ref, s.Members[i]), 1, 2)
	}
	s.Close(ref)
	for _, p := range all {
		if x := p.works(); !x.Done || !strings.Contains(x.What, "too few papers") {
			t.Errorf("%s: %+v", p.name, x)
		}
	}
}

// Every message is lost once on its way to the server, and once its answer is:
// as when the machine is switched off between the two. The commands start
// again from the file, and what they send is the same to the byte.
func TestInterruptedAnywhere(t *testing.T) {
	s := sealedtest.New(t, "av", 12)
	all := trustees(t, s, 2, 2, proceeding.Registrar{}, "Ash", "Birch", "Cedar")
	ref := s.Call()
	at(all, s.Page(ref))
	posts := map[string]int{} // how often a body came
	s.Between(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		if r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "/paper") {
			server.ServeHTTP(w, r)
			return
		}
		body, again := copied(r)
		posts[string(body)]++
		switch posts[string(body)] {
		case 1: // it never arrives
			panic(http.ErrAbortHandler)
		case 2: // it arrives, and its answer does not
			server.ServeHTTP(httptest.NewRecorder(), again)
			panic(http.ErrAbortHandler)
		}
		server.ServeHTTP(w, again)
	})
	interrupted := func() {
		t.Helper()
		for rest, rounds := 0, 0; rest < 2*len(all); rounds++ {
			if rounds > 100 {
				t.Fatal("they do not come to an end")
			}
			for _, p := range all {
				x, err := p.work()
				switch {
				case fault.Is(err, fault.Unavailable):
					rest = 0
				case err != nil:
					t.Fatalf("%s: %v", p.name, err)
				case x.Did:
					rest = 0
				default:
					rest++
				}
			}
		}
	}
	interrupted()
	vote(s, ref)
	s.Close(ref)
	interrupted()
	elected(s, ref)
	few := 0
	for body, n := range posts {
		if n == 1 && strings.Contains(body, `"kind":"shares"`) && few == 0 {
			few++ // a third trustee's, who came when two had opened
		} else if n != 2 {
			t.Errorf("%d times, not twice: %.200q", n, body)
		}
	}
	if len(posts) != 4*3+3+2+2+few { // of the key; witnesses; mixes; two open
		t.Errorf("%d different things were posted", len(posts))
	}
}

// copied reads a request's body, and gives the request with it.
func copied(r *http.Request) ([]byte, *http.Request) {
	b, err := readAll(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return b, withBody(r, b)
}

func TestExcusedMixer(t *testing.T) {
	s, ref, all := closed(t, "av", 3, "Ash", "Birch", "Cedar")
	there := []*person{all[0], all[2]}
	together(there)
	s.LieOfBoard(func(b map[string]any) { b["excused"] = []string{"Birch"} })
	all[2].refuses(s, "has been excused as a mixer, and the log does not")
	s.Between(nil)
	if err := s.Contests.ExcuseMixer(s.Ctx, ref, s.Secretary(), "Birch", "No answer to three letters."); err != nil {
		t.Fatal(err)
	}
	together(there)
	elected(s, ref)
	if said := strings.Join(all[2].said, "\n"); !strings.Contains(said, "an officer has excused Birch as a mixer") || !strings.Contains(said, "three letters") {
		t.Errorf("Cedar was not told who was excused, and why:\n%s", said)
	}
}

// Somebody never makes their part of the key: an officer ends the phase.
func TestKeyWithoutOne(t *testing.T) {
	s := sealedtest.New(t, "av", 12)
	all := trustees(t, s, 2, 2, proceeding.Registrar{}, "Ash", "Birch", "Cedar")
	ref := s.Call()
	at(all, s.Page(ref))
	together(all[:2])
	if x := all[0].works(); !slices.Equal(x.Waiting, []string{"Cedar"}) {
		t.Errorf("it waits for %+v", x)
	}
	if err := s.Contests.EndSealedPhase(s.Ctx, ref, s.Secretary()); err != nil {
		t.Fatal(err)
	}
	together(all[:2])
	_, err := all[2].work()
	if err != nil && !strings.Contains(err.Error(), "takes no part") {
		t.Errorf("Cedar: %v", err)
	}
	vote(s, ref)
	s.Close(ref)
	together(all) // Cedar has no part in the key, and a share of it
	elected(s, ref)
}

// A trustee whose file was lost goes on with the copy of it that was made on the
// first day.
func TestOldCopyOfTheFile(t *testing.T) {
	s := sealedtest.New(t, "av", 12)
	all := trustees(t, s, 2, 2, proceeding.Registrar{}, "Ash", "Birch", "Cedar")
	old := readFile(t, all[1].path)
	ref := s.Call()
	at(all, s.Page(ref))
	together(all)
	vote(s, ref)
	s.Close(ref)
	writeFile(t, all[1].path, old)
	all[2].page = all[1].page
	together(all[:2])
	elected(s, ref)
}

func TestOtherKeysAreComparedOnce(t *testing.T) {
	s := sealedtest.New(t, "av", 12)
	all := trustees(t, s, 2, 2, proceeding.Registrar{}, "Ash", "Birch", "Cedar")
	ref := s.Call()
	at(all, s.Page(ref))
	asked := [][]postbox.Other{}
	ask := func(yes bool, stop error) (*postbox.Progress, error) {
		return all[0].run(func(tr *postbox.Trustee, ctx context.Context) (*postbox.Progress, error) {
			tr.Compare = func(o []postbox.Other) (bool, error) {
				asked = append(asked, o)
				return yes, stop
			}
			return tr.Key(ctx)
		})
	}
	if _, err := ask(false, nil); !fault.Is(err, fault.NotEntitled) || !strings.Contains(err.Error(), "have not been compared") {
		t.Fatalf("keys that were not compared: %v", err)
	}
	gone := errors.New("the terminal is gone")
	if _, err := ask(true, gone); !errors.Is(err, gone) {
		t.Fatalf("want the error of whoever asks, got %v", err)
	}
	if x, err := ask(true, nil); err != nil || !x.Did {
		t.Fatalf("%+v %v", x, err)
	}
	if _, err := ask(false, nil); err != nil {
		t.Fatalf("asked again: %v", err)
	}
	if len(asked) != 3 || len(asked[0]) != 2 || asked[0][0].Name != "Birch" || len(asked[0][0].Fingerprint) != 39 {
		t.Errorf("asked %+v", asked)
	}
}

func asJSON(t testing.TB, x any) string {
	t.Helper()
	b, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
