package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/demo"
	"github.com/omov/omov/login"
	"github.com/omov/omov/mail"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/store"
	"github.com/omov/omov/web"
)

// party is a demo served for a test.
type party struct {
	t       *testing.T
	ctx     context.Context
	ch      *chamber.Chamber
	clock   *chamber.DemoClock
	s       *contest.Contests
	notices *contest.Notices
	logins  *login.Logins
	people  demo.People
	base    string
	log     *strings.Builder
	wire    wire
}

// wire is what lies between the browsers and the server. It keeps what was asked
// for, and can break after a request has been served.
type wire struct {
	pages  http.Handler
	mu     sync.Mutex
	asked  []string
	broken bool
}

func (w *wire) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.asked = append(w.asked, r.Method+" "+r.URL.RequestURI())
	broken := w.broken
	w.mu.Unlock()
	if broken {
		w.pages.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	w.pages.ServeHTTP(out, r)
}

// since gives what was asked for since it was last called.
func (w *wire) since() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.asked
	w.asked = nil
	return out
}

func (w *wire) breaks(on bool) {
	w.mu.Lock()
	w.broken = on
	w.mu.Unlock()
}

func serveDemo(t *testing.T, members int) *party {
	t.Helper()
	ctx := context.Background()
	dir := t.TempDir()
	ch, clock, err := chamber.OpenDemo(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: filepath.Join(dir, "box")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ch.Close() })
	p := &party{t: t, ctx: ctx, ch: ch, clock: clock, s: contest.New(ch), log: &strings.Builder{}}
	reg := registry.New(ch)
	if err := demo.Found(ctx, ch, clock, p.s, reg, demo.Options{Members: members}); err != nil {
		t.Fatal(err)
	}
	if p.people, err = demo.Find(ctx, ch); err != nil {
		t.Fatal(err)
	}
	p.serve(reg)
	return p
}

// serve serves the pages of a party over its chamber.
func (p *party) serve(reg *registry.Registry) {
	srv := httptest.NewUnstartedServer(nil)
	p.base = "http://" + srv.Listener.Addr().String()
	place := registry.Directory{Chamber: p.ch}
	post := mail.New(p.ch.DB, place, nil, p.ch.Now)
	p.logins = login.New(p.ch.DB, p.base, place, registry.LinkPost{Post: post, Chamber: p.ch})
	p.notices = contest.NewNotices(p.s, post, p.base)
	log := slog.New(slog.NewTextHandler(io.MultiWriter(p.log, testWriter{p.t}), nil))
	p.wire.pages = web.New(web.Options{Chamber: p.ch, Clock: p.clock, Contests: p.s, Registry: reg, Logins: p.logins, Post: post, Log: log, Base: p.base, Wake: func() {}})
	srv.Config.Handler = &p.wire
	srv.Start()
	p.t.Cleanup(srv.Close)
}

// testWriter lets a server's log appear where its test fails.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// browser starts a Chromium.
func browser(t testing.TB) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("Chromium is needed; make needs installs it")
	}
	opts := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.Flag("headless", true), chromedp.Flag("no-sandbox", true), chromedp.Flag("disable-gpu", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("no-first-run", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("disable-quic", true),
		chromedp.WindowSize(1100, 1000), chromedp.UserDataDir(t.TempDir())}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(alloc)
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// tab is one person at a browser of their own.
type tab struct {
	p   *party
	ctx context.Context
	who string
}

func (p *party) tab(alloc context.Context, who string, person register.PersonID) *tab {
	p.t.Helper()
	ctx, stop := chromedp.NewContext(alloc, chromedp.WithNewBrowserContext())
	p.t.Cleanup(stop)
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	p.t.Cleanup(cancel)
	b := &tab{p: p, ctx: ctx, who: who}
	if person == 0 {
		return b
	}
	link, err := p.logins.Link(p.ctx, person, time.Hour)
	if err != nil {
		p.t.Fatal(err)
	}
	b.run(chromedp.Navigate(link))
	b.press("Sign in")
	return b
}

func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.p.t.Helper()
	b.want(chromedp.Do(b.ctx, actions...))
}

func (b *tab) want(err error) {
	b.p.t.Helper()
	if err == nil {
		return
	}
	text, _ := chromedp.Run(b.ctx, chromedp.Text("body"))
	b.p.t.Fatalf("%s: %v\nthe page says: %.1500s", b.who, err, text)
}

// follow clicks and waits for the page that follows.
func (b *tab) follow(sel string) {
	b.p.t.Helper()
	_, err := chromedp.RunResponse(b.ctx, chromedp.Click(sel))
	b.want(err)
}

func (b *tab) open(path string) { b.p.t.Helper(); b.run(chromedp.Navigate(b.p.base + path)) }

// press clicks a button by its words and waits for the page that follows.
func (b *tab) press(words string) {
	b.p.t.Helper()
	b.follow(`//main//*[self::button or self::a][contains(normalize-space(.), "` + words + `")]`)
}

// sees wants words on the page.
func (b *tab) sees(words ...string) {
	b.p.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Text("body"))
	b.want(err)
	for _, w := range words {
		if !strings.Contains(text, w) {
			b.p.t.Fatalf("%s does not see %q; the page says: %.2000s", b.who, w, text)
		}
	}
}

// shoot keeps a picture of the page where OMOV_SHOTS names a folder.
func (b *tab) shoot(name string) {
	b.p.t.Helper()
	dir := os.Getenv("OMOV_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	b.want(err)
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		b.p.t.Fatal(err)
	}
}

// next lets the demo's clock go to the next deadline.
func (b *tab) next() {
	b.p.t.Helper()
	b.follow(`//button[normalize-space(.)="To the next deadline"]`)
}

// The whole of a contest in real browsers: a member finds their standing and
// votes, an MP nominates, two officers close it, everybody sees the result.
func TestContestInBrowsers(t *testing.T) {
	p := serveDemo(t, 600)
	alloc := browser(t)
	member := p.tab(alloc, "member", p.people.Member)
	mp := p.tab(alloc, "MP", p.people.MP)
	returning := p.tab(alloc, "returning officer", p.people.Returning)
	second := p.tab(alloc, "second officer", p.people.Second)
	public := p.tab(alloc, "public", 0)

	public.open("/")
	public.sees("The Riverside Party", "ballot open", "decided")
	public.shoot("home")
	public.open("/contests/2026-L-003")

	// The MP nominates in the contest that collects nominations.
	mp.open("/contests/" + p.ref("nominations"))
	mp.sees("Nominate", "needed", "a part of one counting as one")
	mp.run(chromedp.SetValue("#nominate select", p.value(mp, "#nominate select option:nth-child(3)")))
	mp.press("Nominate")
	mp.sees("Your nomination is recorded.")
	mp.shoot("nominate")

	// The member sees where they stand, and votes by keyboard.
	ref := p.ref("ballot")
	member.open("/")
	member.sees("This needs you")
	member.shoot("member")
	member.open("/contests/" + ref)
	member.sees("You are on the roll.")
	member.open("/contests/" + ref + "/vote")
	member.shoot("paper")
	member.sees("Put the candidates in order", "It does not protect against whoever controls the running server")
	member.run(chromedp.Focus("#rank1"), chromedp.KeyEvent("1"), chromedp.Focus("#rank0"), chromedp.KeyEvent("2"))
	member.press("Check my paper")
	member.sees("Cast my vote")
	member.shoot("review")
	member.press("Cast my vote")
	member.sees("Your vote is in the box", "Your receipt")
	member.shoot("receipt")
	member.open("/contests/" + ref + "/vote")
	member.sees("You have voted")
	member.open("/me")
	member.sees("In the register", "You have voted.")
	member.shoot("me")

	// The officers commit to the lot, wait for the end, and close it together.
	for _, o := range []*tab{returning, second} {
		o.open("/contests/" + ref)
		o.press("Commit to a secret")
		o.sees("Your commitment for the lot is in the minute book.")
	}
	returning.shoot("officer")
	for i := 0; p.voting(ref); i++ {
		if i == 12 {
			t.Fatal("the ballot does not end")
		}
		returning.next()
	}
	member.open("/contests/" + ref + "/vote")
	member.sees("That is not possible")
	returning.open("/contests/" + ref)
	returning.press("Close the ballot")
	returning.sees("when the other officer does too")
	second.open("/office")
	second.sees("Close and count")
	second.shoot("office")
	second.open("/contests/" + ref)
	second.press("Close the ballot")
	second.sees("The ballot is closed and counted.")

	public.open("/contests/" + ref)
	public.sees("Result", "elected", "Turnout", "Votes by round")
	public.shoot("result")
	public.open("/contests/" + ref + "/recount?under=omov-2014")
	public.sees("unofficial")
	public.open("/minutes")
	public.sees("Elected:")
	public.shoot("minutes")
	public.open("/rulebook")
	public.shoot("rulebook")
}

func (p *party) value(b *tab, sel string) string {
	v, err := chromedp.Run(b.ctx, chromedp.AttributeValue(sel, "value"))
	b.want(err)
	return v.Value
}

// ref finds the contest that is in a stage; not the one whose ballot is sealed.
func (p *party) ref(stage string) (ref string) {
	p.t.Helper()
	err := p.ch.Read(p.ctx, func(w *chamber.World) error {
		states, err := w.States()
		for _, st := range states {
			if b := st.OpenBallot(); st.Live() && st.Now() != nil && st.Now().Name == stage && (b == nil || !b.Sealed()) {
				ref = st.Ref
			}
		}
		return err
	})
	if err != nil || ref == "" {
		p.t.Fatalf("no contest is in %s: %v", stage, err)
	}
	return ref
}

func (p *party) voting(ref string) bool {
	st, _, err := p.s.State(p.ctx, ref)
	if err != nil {
		p.t.Fatal(err)
	}
	b := st.OpenBallot()
	return b != nil && p.clock.Now().UnixMilli() < b.Closes
}

// The paper works without JavaScript, and a place given twice is said without
// losing what was filled in.
func TestPaperWithoutScript(t *testing.T) {
	p := serveDemo(t, 600)
	member := p.tab(browser(t), "member without script", p.people.Member)
	ref := p.ref("ballot")
	member.run(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
	member.open("/contests/" + ref + "/vote")
	member.run(chromedp.SetValue("#rank0", "1"), chromedp.SetValue("#rank1", "1"))
	member.press("Check my paper")
	member.sees("have both the 1st place", "Nothing has been recorded")
	member.run(chromedp.SetValue("#rank1", "3"))
	member.press("Check my paper")
	member.sees("The 2nd place is left out")
	member.run(chromedp.SetValue("#rank1", "2"))
	member.press("Check my paper")
	member.press("Change it")
	if got := p.selected(member, "#rank1"); got != "2" {
		t.Errorf("going back to the paper lost the second place: %q", got)
	}
	member.press("Check my paper")
	member.press("Cast my vote")
	member.sees("Your vote is in the box")
}

func (p *party) selected(b *tab, sel string) string {
	v, err := chromedp.Run(b.ctx, chromedp.Value(sel))
	b.want(err)
	return v
}
