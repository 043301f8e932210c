package web_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/register"
)

// reader is somebody who reads and sends pages without a browser.
type reader struct {
	p    *party
	who  string
	http http.Client
}

func (p *party) reader(who string, person register.PersonID) *reader {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r := &reader{p: p, who: who, http: http.Client{Jar: jar, Timeout: 20 * time.Second}}
	if person == 0 {
		return r
	}
	link, err := p.logins.Link(p.ctx, person, time.Hour)
	if err != nil {
		p.t.Fatal(err)
	}
	page := r.get(strings.TrimPrefix(link, p.base))
	if got := r.post("/enter", url.Values{"token": {page.token()}, "link": {page.field("link")}}); got.status != http.StatusOK || !strings.Contains(got.body, "Sign out") {
		p.t.Fatalf("%s cannot sign in: %d %s", who, got.status, got.text())
	}
	return r
}

// sheet is a page as it came.
type sheet struct {
	path, body, kind string
	status           int
}

func (r *reader) answer(path string, resp *http.Response, err error) sheet {
	r.p.t.Helper()
	if err != nil {
		r.p.t.Fatalf("%s: %s: %v", r.who, path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.p.t.Fatal(err)
	}
	return sheet{path: path, body: string(body), kind: resp.Header.Get("Content-Type"), status: resp.StatusCode}
}

func (r *reader) get(path string) sheet {
	r.p.t.Helper()
	resp, err := r.http.Get(r.p.base + path)
	return r.answer(path, resp, err)
}

func (r *reader) post(path string, v url.Values) sheet {
	r.p.t.Helper()
	resp, err := r.http.PostForm(r.p.base+path, v)
	return r.answer(path, resp, err)
}

// token is the token of the forms on a page.
func (s sheet) token() string { return s.field("token") }

func (s sheet) field(name string) string {
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(s.body)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

// text is what a person reads of a page: not its tags, and not what is set as
// code.
func (s sheet) text() string {
	b := regexp.MustCompile(`(?s)<(pre|code|script|title)\b.*?</(pre|code|script|title)>`).ReplaceAllString(s.body, " ")
	b = regexp.MustCompile(`(?s)<[^>]*>`).ReplaceAllString(b, " ")
	return strings.Join(strings.Fields(html.UnescapeString(b)), " ")
}

func (s sheet) links() []string {
	var out []string
	for _, m := range regexp.MustCompile(`href="(/[^"]*)"`).FindAllStringSubmatch(s.body, -1) {
		to, _, _ := strings.Cut(html.UnescapeString(m[1]), "#")
		out = append(out, to)
	}
	return out
}

// wellMade wants a page without what no page should have; among it a wide table
// that scrolls and cannot be reached by keyboard.
func (s sheet) wellMade(t *testing.T, who string) {
	t.Helper()
	for _, bad := range []string{"{{", "}}", "<no value>", "%!", "ZgotmplZ", ` style="`, "<style", "javascript:", `<div class="wide">`} {
		if strings.Contains(s.body, bad) {
			t.Errorf("%s, %s: the page has %q in it", who, s.path, bad)
		}
	}
	for _, m := range regexp.MustCompile(`<script[^>]*>|\son[a-z]+="`).FindAllString(s.body, -1) {
		if !strings.Contains(m, ` src="/static/`) {
			t.Errorf("%s, %s: a script within the page: %s", who, s.path, m)
		}
	}
	if !strings.HasSuffix(strings.TrimSpace(s.body), "</html>") {
		t.Errorf("%s, %s: the page breaks off: …%.80q", who, s.path, s.body[max(0, len(s.body)-80):])
	}
	text := s.text()
	for _, m := range regexp.MustCompile(`\b[a-z]+_[a-z_]+\b`).FindAllString(text, -1) {
		t.Errorf("%s, %s: %q is a name of the rulebook's data, not a word", who, s.path, m)
	}
	for _, m := range regexp.MustCompile(`\b[a-z]+\.[a-z]+/\d\b|\b\d{4}-\d{2}-\d{2}\b`).FindAllString(text, -1) {
		t.Errorf("%s, %s: %q is not how people write", who, s.path, m)
	}
	for _, m := range regexp.MustCompile(`\b(unit|person|holders|latest)[.(][a-z]\S*`).FindAllString(text, -1) {
		t.Errorf("%s, %s: %q is an expression, not words", who, s.path, m)
	}
	for _, bad := range []string{"not entered", "<nil>", " 0001", "map[", "1970"} {
		if strings.Contains(text, bad) {
			t.Errorf("%s, %s: %q is read on the page", who, s.path, bad)
		}
	}
}

// alike is the kind of a page: its path without numbers.
func alike(path string) string {
	return regexp.MustCompile(`[0-9a-f]{12,}|\d+`).ReplaceAllString(path, "N")
}

// A crawler follows every link from the first page, as nobody and as each
// kind of person: every page is whole, in words, and looking at it changes
// nothing.
func TestEveryPage(t *testing.T) {
	p := serveDemo(t, 400)
	seen := map[string]bool{}
	p.crawl(seen)
	// Some weeks on, other people have something to do.
	if err := p.ch.MoveTo(p.ctx, p.clock, p.clock.Now().AddDate(0, 0, 20)); err != nil {
		t.Fatal(err)
	}
	for {
		if n, err := p.s.Due(p.ctx); err != nil {
			t.Fatal(err)
		} else if n == 0 {
			break
		}
	}
	p.ref("second_gate")
	p.crawl(seen)
	for _, want := range []string{"/contests", "/contests/N-L-N", "/contests/N-L-N/vote?section=", "/contests/N-L-N/recount", "/contests/N-L-N/result.json", "/contests/N-L-N/papers.blt",
		"/rulebook", "/rulebook/N/source", "/minutes", "/minutes/N", "/minutes?before=N", "/verify", "/log/checkpoint", "/office/trustees", "/contests/N-E-N/vote", "/contests/N-E-N/receipt", "/contests/N-E-N/check", "/contests/N-E-N/trustees", "/contests/N-E-N/sealed", "/archive", "/bundle/public.zip", "/archive/N-leader", "/signin", "/me", "/rulebook/me", "/office", "/outbox", "/begin"} {
		if !seen[want] {
			t.Errorf("no link leads to %s", want)
		}
	}
	if strings.Contains(p.log.String(), "ERROR") {
		t.Errorf("the server's log has errors: %s", p.log.String())
	}
}

// crawl follows the links as everybody.
func (p *party) crawl(seen map[string]bool) {
	t := p.t
	t.Helper()
	before := p.size()
	who := map[string]register.PersonID{"the public": 0, "a member": p.people.Member, "an MP": p.people.MP, "a secretary": p.people.Secretary,
		"the returning officer": p.people.Returning, "the second officer": p.people.Second, "a scrutineer": p.people.Scrutineer}
	for name, person := range who {
		r := p.reader(name, person)
		kinds := map[string]int{}
		todo := []string{"/"}
		met := map[string]bool{"/": true}
		for len(todo) > 0 {
			path := todo[0]
			todo = todo[1:]
			got := r.get(path)
			seen[alike(path)] = true
			if got.status == http.StatusUnauthorized && person == 0 && (got.path == "/me" || got.path == "/rulebook/me") {
				continue // it asks the public to sign in
			}
			if got.status != http.StatusOK {
				t.Errorf("%s follows a link to %s and gets %d: %.200s", name, path, got.status, got.text())
				continue
			}
			if !strings.HasPrefix(got.kind, "text/html") {
				continue
			}
			got.wellMade(t, name)
			for _, to := range got.links() {
				if k := alike(to); !met[to] && kinds[k] < 3 {
					met[to] = true
					kinds[k]++
					todo = append(todo, to)
				}
			}
		}
	}
	if after := p.size(); after != before {
		t.Errorf("looking at pages has written %d entries", after-before)
	}
}

// size is the number of entries in the minute book.
func (p *party) size() (n int64) {
	p.t.Helper()
	if err := p.ch.Read(p.ctx, func(w *chamber.World) error { n = w.Seq(); return nil }); err != nil {
		p.t.Fatal(err)
	}
	return n
}

// forms are the addresses that forms send to, with fields that would be
// accepted from the right person.
func (p *party) forms(member *reader) map[string]url.Values {
	voting, open := p.ref("ballot"), p.ref("nominations")
	paper := member.get("/contests/" + voting + "/vote")
	vote := url.Values{"code": {paper.field("code")}, "section": {""}, "rank0": {"1"}}
	return map[string]url.Values{
		"/signin":                                          {"email": {"nobody@riverside.example"}},
		"/signout":                                         {},
		"/begin":                                           {"procedure": {"confidence"}, "sure": {"1"}},
		"/contests/" + voting + "/review":                  vote,
		"/contests/" + voting + "/vote":                    vote,
		"/contests/" + voting + "/lot":                     {},
		"/contests/" + voting + "/close":                   {},
		"/contests/" + voting + "/extend":                  {"until": {"2027-01-10"}, "why": {"post"}},
		"/contests/" + open + "/nominate":                  {"candidate": {"1"}},
		"/contests/" + open + "/unback":                    {},
		"/contests/" + open + "/answer":                    {"answer": {"accept"}},
		"/contests/" + open + "/withdraw":                  {"sure": {"1"}},
		"/contests/" + open + "/slot":                      {"slot": {"ballot_window"}, "value": {"5 weeks"}},
		"/contests/" + open + "/decide":                    {"option": {"for"}},
		"/office/trustees":                                 {"alone": {"1"}, "sure": {"1"}},
		"/contests/" + p.sealedRef() + "/trustees/prepare": {},
		"/contests/" + p.sealedRef() + "/trustees/phase":   {"phase": {"commit"}, "sure": {"1"}},
		"/contests/" + p.sealedRef() + "/trustees/excuse":  {"trustee": {"server"}, "why": {"gone"}},
		"/office/call":                                     {"procedure": {"leadership"}, "office": {"leader"}},
		"/demo/clock":                                      {"by": {"day"}},
	}
}

// A form that does not carry the token of the session that sends it is
// refused, and so is one that is too large.
func TestFormsOfOthers(t *testing.T) {
	p := serveDemo(t, 400)
	member, mp := p.reader("a member", p.people.Member), p.reader("an MP", p.people.MP)
	anybody := p.reader("the public", 0)
	theirs, ours := mp.get("/").token(), member.get("/").token()
	none := anybody.get("/signin").token()
	if theirs == ours || none == ours || ours == "" {
		t.Fatalf("tokens are not bound to sessions: %q %q %q", theirs, ours, none)
	}
	before := p.size()
	for path, fields := range p.forms(member) {
		for what, token := range map[string]string{"no token": "", "another session's token": theirs, "the token of nobody": none} {
			v := url.Values{}
			for k, x := range fields {
				v[k] = x
			}
			if token != "" {
				v.Set("token", token)
			}
			got := member.post(path, v)
			if got.status != http.StatusUnauthorized || !strings.Contains(got.text(), "nothing has been changed") {
				t.Errorf("%s with %s: %d %.120s", path, what, got.status, got.text())
			}
		}
		v := url.Values{"token": {ours}, "statement": {strings.Repeat("x", 1<<20)}}
		if got := member.post(path, v); got.status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s with a megabyte: %d %.120s", path, got.status, got.text())
		}
	}
	if after := p.size(); after != before {
		t.Errorf("refused forms have written %d entries", after-before)
	}
	if got := member.get("/me"); got.status != http.StatusOK {
		t.Errorf("a refused form has signed the member out: %d", got.status)
	}
}

// stopped finds somebody who is stopped from voting by a condition.
func (p *party) stopped(ref string) (register.PersonID, string) {
	p.t.Helper()
	for id := register.PersonID(1); id < 700; id++ {
		list, err := p.s.Standings(p.ctx, ref, id)
		if err != nil {
			continue
		}
		for _, s := range list {
			for _, c := range s.Conditions {
				if !s.Entitled && c.First && c.Clause == "3.4" {
					return id, c.Text
				}
			}
		}
	}
	p.t.Fatal("nobody in the demo joined too late")
	return 0, ""
}

// What is refused is refused in words: with the clause and its text where the
// rulebook says no, and always with nothing changed.
func TestRefusalPages(t *testing.T) {
	p := serveDemo(t, 400)
	voting, open := p.ref("ballot"), p.ref("nominations")
	late, clause := p.stopped(voting)
	member, mp, anybody := p.reader("a member", p.people.Member), p.reader("an MP", p.people.MP), p.reader("the public", 0)
	newcomer := p.reader("a member who joined too late", late)
	before := p.size()
	for _, c := range []struct {
		r      *reader
		path   string
		form   url.Values // nil: a GET
		status int
		words  []string
	}{
		{anybody, "/me", nil, 401, []string{"Sign in"}},
		{anybody, "/rulebook/me", nil, 401, []string{"Sign in"}},
		{anybody, "/contests/" + voting + "/vote", nil, 401, []string{"Sign in"}},
		{anybody, "/nowhere", nil, 404, []string{"There is no page here"}},
		{anybody, "/contests/2020-X-999", nil, 404, []string{"not possible"}},
		{anybody, "/minutes/nine", nil, 404, []string{"have numbers"}},
		{anybody, "/minutes/999999", nil, 404, []string{"not possible"}},
		{anybody, "/rulebook/abc", nil, 404, []string{"not possible"}},
		{anybody, "/enter/xyz", nil, 0, []string{"link"}},
		{anybody, "/contests/" + voting + "/result.json", nil, 409, []string{"There is no result yet"}},
		{anybody, "/contests/" + p.decided() + "/recount?under=no-such-book", nil, 404, []string{"not possible"}},
		{member, "/office", nil, 403, []string{"general secretary", "deputy secretary"}},
		{member, "/contests/" + open + "/vote", nil, 409, []string{"not open"}},
		{newcomer, "/contests/" + voting + "/vote", nil, 403, []string{"Joined on or before the freeze date", "Clause 3.4", clause, "What you can do"}},
		{member, "/contests/" + open + "/nominate", url.Values{"candidate": {"1"}}, 403, []string{"not possible"}},
		{member, "/contests/" + voting + "/nominate", url.Values{"candidate": {"1"}}, 0, []string{"not possible"}},
		{member, "/contests/" + voting + "/lot", url.Values{}, 403, []string{"not possible"}},
		{member, "/contests/" + voting + "/close", url.Values{}, 0, []string{"not possible"}},
		{member, "/contests/" + voting + "/vote", url.Values{"code": {"short"}, "rank0": {"1"}}, 400, []string{"not possible"}},
		{member, "/contests/" + voting + "/vote", url.Values{"rank0": {"1"}, "rank1": {"1"}}, 400, []string{"have both the 1st place"}},
		{mp, "/contests/" + open + "/nominate", url.Values{"candidate": {"nobody"}}, 400, []string{"Choose somebody from the list"}},
		{mp, "/contests/" + open + "/withdraw", url.Values{}, 400, []string{"Tick the box"}},
	} {
		var got sheet
		if c.form == nil {
			got = c.r.get(c.path)
		} else {
			c.form.Set("token", c.r.get("/").token())
			got = c.r.post(c.path, c.form)
		}
		if c.status == 0 && (got.status < 400 || got.status >= 500) || c.status != 0 && got.status != c.status {
			t.Errorf("%s, %s: status %d, want %d: %.160s", c.r.who, c.path, got.status, c.status, got.text())
		}
		for _, w := range c.words {
			if !strings.Contains(got.text(), w) {
				t.Errorf("%s, %s: the refusal does not say %q: %.400s", c.r.who, c.path, w, got.text())
			}
		}
		got.wellMade(t, c.r.who)
	}
	if after := p.size(); after != before {
		t.Errorf("refusals have written %d entries", after-before)
	}
}

// Every answer says that nothing from elsewhere runs on the page.
func TestHeaders(t *testing.T) {
	p := serveDemo(t, 400)
	for _, path := range []string{"/", "/nowhere", "/static/style.css", "/log/checkpoint"} {
		resp, err := http.Get(p.base + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		csp := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || slices.Contains(resp.Header.Values("Server"), "omov") {
			t.Errorf("%s: %s", path, csp)
		}
		for h, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
			if got := resp.Header.Get(h); got != want {
				t.Errorf("%s: %s is %q", path, h, got)
			}
		}
	}
	for _, method := range []string{"PUT", "DELETE", "TRACE"} {
		req, err := http.NewRequestWithContext(p.ctx, method, p.base+"/contests", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode < 400 {
			t.Errorf("%s: %d", method, resp.StatusCode)
		}
	}
}
