package web_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/omov/omov/chamber"
)

// sealedRef is the run of the demo whose ballot is sealed.
func (p *party) sealedRef() string {
	p.t.Helper()
	return p.find("sealed ballot", func(w *chamber.World) (ref string, err error) {
		states, err := w.States()
		for _, st := range states {
			if b := st.OpenBallot(); b != nil && b.Sealed() {
				ref = st.Ref
			}
		}
		return ref, err
	})
}

// papers is how many sealed papers are in the record of a ballot.
func (p *party) papers(ref string) (n int64) {
	p.t.Helper()
	err := p.ch.Read(p.ctx, func(w *chamber.World) error {
		st, err := w.State(ref)
		if err != nil {
			return err
		}
		groups, err := w.Tx().SealedGroups(st.OpenBallot().ID)
		n = 0
		for _, g := range groups {
			n += g.Papers
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// click clicks on what needs no new page.
func (b *tab) click(sel string) { b.p.t.Helper(); b.run(chromedp.Click(sel)) }

// button is a button of the sealed page's script.
func button(does string) string { return `#sealed section:not([hidden]) [data-do="` + does + `"]` }

// shows waits until a part of the sealed page is shown.
func (b *tab) shows(step string) {
	b.p.t.Helper()
	b.run(chromedp.WaitVisible(`[data-step="` + step + `"]`))
}

func (b *tab) read(sel string) string {
	b.p.t.Helper()
	s, err := chromedp.Run(b.ctx, chromedp.Text(sel))
	b.want(err)
	return strings.TrimSpace(s)
}

// seals fills in a paper of marks and seals it.
func (b *tab) seals(ref string, marks ...string) (code string) {
	b.p.t.Helper()
	b.open("/contests/" + ref + "/vote")
	b.shows("fill")
	for _, m := range marks {
		b.click(m)
	}
	b.click(button("seal"))
	b.shows("decide")
	return b.read("#short")
}

// A vote in real browsers: sealed, checked on a second device, sealed anew, cast,
// found, replaced, and found to be replaced. Before it is cast nothing is sent,
// whether the page is left or closed.
func TestSealedVoteInBrowsers(t *testing.T) {
	p := serveDemo(t, 600)
	alloc := browser(t)
	ref := p.sealedRef()
	before := p.papers(ref)
	member := p.tab(alloc, "member", p.people.Member)

	p.wire.since()
	member.open("/")
	member.sees("Vote, or replace your vote")
	member.open("/contests/" + ref)
	member.sees("Is my paper in the record?", "keeps no list of who has voted")
	member.open("/contests/" + ref + "/vote")
	member.shows("fill")
	member.sees("Mark up to 2 candidates", "This server alone holds the key", "also makes the voting codes")
	member.shoot("sealed-paper")
	for _, m := range []string{"#m0", "#m1", "#m2"} {
		member.click(m)
	}
	member.click(button("seal"))
	member.sees("There are 3 marks, and the paper can have 2")
	member.click("#m2")
	member.run(chromedp.Focus(button("seal")), chromedp.KeyEvent("\r")) // by keyboard
	member.shows("decide")
	first := member.read("#short")
	if !regexp.MustCompile(`^([0-9a-f]{4}-){4}[0-9a-f]{4}$`).MatchString(first) || !strings.HasPrefix(strings.ReplaceAll(member.read("#whole"), " ", ""), strings.ReplaceAll(first, "-", "")) {
		t.Errorf("the code of the paper is %q, the whole one %q", first, member.read("#whole"))
	}
	member.sees("It has not been cast", "Cast it", "Or check it")
	member.shoot("sealed-decide")

	// Checked on a second device, which says what it holds and sends nothing.
	member.click(button("check"))
	member.shows("check")
	member.shoot("sealed-check")
	address := p.selected(member, "#check-text")
	second := p.tab(alloc, "second device", 0)
	p.wire.since()
	second.run(chromedp.Navigate(address))
	second.shows("opened")
	second.sees("It was sealed for this ballot", first, p.option(ref, 0), p.option(ref, 1))
	if strings.Contains(second.read("#says"), p.option(ref, 2)) {
		t.Error("the second device reads a mark that was not made")
	}
	second.shoot("sealed-opened")
	for _, u := range p.wire.since() {
		if u != "GET /contests/"+ref+"/check" && !strings.HasPrefix(u, "GET /static/") {
			t.Errorf("the second device sends %s", u)
		}
	}
	second.run(chromedp.Navigate(p.base + "/contests/" + ref + "/check"))
	second.shows("ask")
	second.run(chromedp.SetValue("#text", "123"), chromedp.Click("#look"))
	second.sees("These are not the digits of a paper")
	second.run(chromedp.SetValue("#text", tampered(address)), chromedp.Click("#look"))
	second.sees("was not made of what the device says")

	// A paper that was opened is not cast; the page is left, and nothing was sent.
	member.click(button("change"))
	member.shows("fill")
	member.click(button("seal"))
	member.shows("decide")
	if got := member.read("#short"); got == first {
		t.Errorf("the paper that was checked would be cast: %s", got)
	}
	member.open("/")
	closing := p.tab(alloc, "member who closes the page", p.people.Member)
	closing.seals(ref, "#m3")
	closing.want(chromedp.Cancel(closing.ctx))
	time.Sleep(200 * time.Millisecond)
	for _, u := range p.wire.since() {
		if strings.HasPrefix(u, "POST") && u != "POST /enter" || strings.Contains(u, "/sealed/paper") {
			t.Errorf("before it was cast the page has sent %s", u)
		}
	}
	if got := p.papers(ref); got != before {
		t.Fatalf("%d papers are in the record, %d before anybody has cast one", got, before)
	}

	// Cast, found, replaced.
	code := member.seals(ref, "#m0", "#m3")
	member.click(button("cast"))
	member.shows("recorded")
	member.run(chromedp.WaitVisible(`//*[@id="proof"][contains(., "has checked")]`))
	member.sees("Your vote is in the record", code)
	member.shoot("sealed-receipt")
	public := p.tab(alloc, "public", 0)
	public.open("/contests/" + ref + "/receipt")
	public.run(chromedp.SetValue("#code", code))
	public.click("#find button")
	public.shows("found")
	public.sees("It counts", "Your own device has checked this")
	public.shoot("sealed-found")
	again := member.seals(ref, "#m1")
	member.sees("with the code " + code + ". If you cast this one, it replaces that one.")
	member.click(button("cast"))
	member.shows("recorded")
	member.sees("It has replaced the paper with the code " + code)
	public.open("/contests/" + ref + "/receipt")
	public.run(chromedp.SetValue("#code", code))
	public.click("#find button")
	public.shows("found")
	public.sees("replaced", again)
	public.run(chromedp.Navigate(p.base + "/contests/" + ref + "/receipt#" + strings.Repeat("ab", 32)))
	public.sees("No paper with this code is in the record")
	if got := p.papers(ref); got != before+1 {
		t.Errorf("%d papers count, after %d", got, before)
	}
}

// tampered alters the randomness in an address of a paper that is checked.
func tampered(address string) string {
	i := len(address) - 20
	return address[:i] + string('0'+(address[i]-'0'+1)%10) + address[i+1:]
}

// option is the name of an option on the paper.
func (p *party) option(ref string, i int) string {
	p.t.Helper()
	st, _, err := p.s.State(p.ctx, ref)
	if err != nil {
		p.t.Fatal(err)
	}
	return st.OpenBallot().Options[i].Name
}

// What happens to an honest voter whose paper is not taken: they are told what
// happened, that the vote was not recorded or that it is not known, and what to
// do.
func TestSealedPaperIsRefusedInWords(t *testing.T) {
	p := serveDemo(t, 600)
	alloc := browser(t)
	ref := p.sealedRef()
	desk, phone := p.tab(alloc, "at the desk", p.people.Member), p.tab(alloc, "at the telephone", p.people.Member)
	desk.seals(ref, "#m0")
	other := phone.seals(ref, "#m1")
	phone.click(button("cast"))
	phone.shows("recorded")

	// Stale: said, with the other paper's code; replaced if that is wanted.
	desk.click(button("cast"))
	desk.shows("refused")
	desk.sees("a vote was cast in your name from elsewhere", other, "Your vote was not recorded.")
	desk.accessible("sealed-stale")
	desk.click(button("replace"))
	desk.shows("decide")

	// No answer: not known; the same paper is sent again, and is there once.
	code := desk.read("#short")
	p.wire.breaks(true)
	desk.click(button("cast"))
	desk.shows("refused")
	desk.sees("It is not known whether your vote was recorded", "send the same paper again")
	desk.shoot("sealed-offline")
	p.wire.breaks(false)
	desk.click(button("resend"))
	desk.shows("recorded")
	if got := desk.read("#short-cast"); got != code {
		t.Errorf("another paper was sent: %s, not %s", got, code)
	}

	// Late.
	phone.seals(ref, "#m2")
	if err := p.ch.MoveTo(p.ctx, p.clock, p.clock.Now().AddDate(0, 0, 30)); err != nil {
		t.Fatal(err)
	}
	phone.click(button("cast"))
	phone.shows("refused")
	phone.sees("Voting has ended", "Your vote was not recorded.", "The paper with the code "+code)
	phone.shoot("sealed-late")
}
