package cli

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// omov runs a command line as a person would, and gives exit code and output.
func omov(in string, args ...string) (int, string) {
	var out bytes.Buffer
	code := Main(args, &Streams{In: strings.NewReader(in), Out: &out, Err: &out})
	return code, out.String()
}

// A real organisation by hand: founded with its rulebook, units and people
// brought in, an officer's recovery key made, and served.
func TestOrganisationByHand(t *testing.T) {
	dir := t.TempDir()
	db := "sqlite:" + filepath.Join(dir, "party.db")
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	units := file("units.csv", "kind,name,in,union,levy_members\nconstituency,Northtown,,,\nconstituency,Southtown,,,\nbranch,Quay,Northtown,,\naffiliate,Rail Union,,yes,60000\n")
	people := file("people.csv", "Member No,name,email,unit,since,on_electoral_register,paid_to,office\n1,Ann Able,ann@example.org,Northtown,2015-05-07,yes,2030-01-01,mp\n2,Gwen Grey,gwen@example.org,Southtown,2016-01-12,yes,2030-01-01,general_secretary\n")
	bad := file("bad.csv", "Member No,name,unit\n1,Ann,Nowhere\n1,Bo,Northtown\n")
	steps := []struct {
		in   string
		args []string
		code int
		want []string
	}{
		{"", []string{"serve", "--db", db}, 1, []string{"omov new"}},
		{"", []string{"new", "--db", db, "--rulebook", file("broken.yaml", "rulebook: X\nedition: 2026-01-01\n")}, 2, []string{"zone", "nothing has been founded"}},
		{"", []string{"new", "--db", db, "--rulebook", "omov-2014", "--name", "The Town Party"}, 0, []string{"The Town Party is founded"}},
		{"", []string{"new", "--db", db, "--rulebook", "omov-2014"}, 1, []string{"founded already"}},
		{"", []string{"register", "units", "--db", db, units}, 0, []string{"4 units opened"}},
		{"", []string{"register", "import", "--db", db, "--column", "id=Member No", bad}, 2, []string{`line 2, column unit: there is no unit called "Nowhere"`, `line 3, column id: "1" stands in line 2 already`, "nothing has been imported"}},
		{"", []string{"register", "import", "--db", db, "--column", "id=Member No", "--dry-run", people}, 0, []string{"An import would do this: 2 people in the file, 2 new"}},
		{"", []string{"register", "import", "--db", db, "--column", "id=Member No", people}, 0, []string{"2 new", "2 offices filled"}},
		{"", []string{"register", "import", "--db", db, people}, 0, []string{"0 new, 0 changed, 2 as they were, 0 offices"}},
		{"", []string{"rulebook", "check", "double-gate-2018", "--db", db}, 0, []string{"nobody can pass this gate", "it needs 5 of constituency, and there are 2", "[out-of-reach]"}},
		{"", []string{"rulebook", "check", "local-party", "--db", db}, 0, []string{"local-party: sound"}},
		{"", []string{"box", "key", "--db", db, "general_secretary"}, 0, []string{"Recovery key"}},
		{"", []string{"box", "key", "--db", db, "mp"}, 2, []string{"does not let"}},
		{"not a key", []string{"box", "restore", "--db", db, "2026-L-001/ballot/1", "general_secretary"}, 2, []string{"not a key"}},
		{"", []string{"register", "vacate", "--db", db, "--why", "resigned", "mp"}, 2, []string{"--unit NAME"}},
		{"", []string{"register", "vacate", "--db", db, "--why", "resigned", "--unit", "Northtown", "mp"}, 0, []string{"The office of mp is vacant"}},
		{"", []string{"register", "vacate", "--db", db, "--why", "resigned", "--unit", "Northtown", "mp"}, 1, []string{"nobody holds"}},
		{"", []string{"register", "erase", "--db", db, "--ground", "asked", "1"}, 0, []string{"Add --yes"}},
		{"", []string{"register", "erase", "--db", db, "--ground", "asked", "--yes", "1"}, 0, []string{"Erased."}},
		{"", []string{"register", "erase", "--db", db, "--ground", "asked", "--yes", "1"}, 1, []string{"nobody of that number"}},
		{"", []string{"nonsense"}, 2, []string{"omov --help"}},
		{"", []string{"--help"}, 0, []string{"Begin with: omov demo", "register", "rulebook", "count"}},
	}
	for _, s := range steps {
		code, out := omov(s.in, s.args...)
		if code != s.code {
			t.Fatalf("omov %v: exit code %d, want %d\n%s", s.args, code, s.code, out)
		}
		for _, w := range s.want {
			if !strings.Contains(out, w) {
				t.Fatalf("omov %v does not say %q:\n%s", s.args, w, out)
			}
		}
	}
	served(t, db)
}

// served serves the organisation, signs an officer in by a link, and stops.
func served(t *testing.T, db string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		c := &ServeCmd{Where: Where{DB: db}, Addr: addr}
		done <- c.Run(ctx, &Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard})
	}()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	jar, _ := cookiejar.New(nil)
	web := &http.Client{Jar: jar, Timeout: 10 * time.Second}
	var page string
	for range 100 {
		if page, err = get(web, "http://"+addr+"/"); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil || !strings.Contains(page, "The Town Party") || strings.Contains(page, "This is a demo") {
		t.Fatalf("%v: %.300s", err, page)
	}
	code, out := omov("", "register", "link", "--db", db, "--base", "http://"+addr, "2")
	if code != 0 {
		t.Fatal(out)
	}
	if page, err = get(web, strings.TrimSpace(out)); err != nil || !strings.Contains(page, "Gwen Grey") {
		t.Fatalf("%v: %.600s", err, page)
	}
	field := func(name string) string {
		m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(page)
		if m == nil {
			t.Fatalf("the page has no field %s", name)
		}
		return m[1]
	}
	r, err := web.PostForm("http://"+addr+"/enter", url.Values{"token": {field("token")}, "link": {field("link")}})
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", err, r)
	}
	r.Body.Close()
	if page, err = get(web, "http://"+addr+"/office"); err != nil || !strings.Contains(page, "Vacant offices") {
		t.Fatalf("%v: %.600s", err, page)
	}
	if r, err := web.PostForm("http://"+addr+"/demo/clock", url.Values{"token": {field("token")}}); err != nil || r.StatusCode == http.StatusOK {
		t.Errorf("a real organisation's clock was moved: %v %v", err, r.StatusCode)
	}
}

func get(web *http.Client, at string) (string, error) {
	r, err := web.Get(at)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return string(b), err
}
