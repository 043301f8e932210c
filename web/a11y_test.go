package web_test

import (
	_ "embed"
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/store"
)

// axe-core, which looks for what keeps people out; see testdata/axe/README.md.
//
//go:embed testdata/axe/axe.min.js
var axe string

// runAxe is what axe is asked: the rules of WCAG 2.2, levels A and AA.
const runAxe = `axe.run(document, {resultTypes: ["violations"], preload: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}).then(r => JSON.stringify(
	{passed: r.passes.length, violations: r.violations.map(v => v.id + ": " + v.help + "\n" + v.nodes.slice(0, 4).map(n => "\t" + n.html.slice(0, 200) + "\n\t" + n.failureSummary).join("\n"))}))`

// accessible wants that axe finds nothing on the page, as a desk and as a
// telephone shows it, and that a telephone shows it without scrolling
// sideways.
func (b *tab) accessible(name string) {
	b.p.t.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Evaluate[chromedp.Void](axe))
	b.want(err)
	for _, s := range []struct {
		at   string
		wide int64
	}{{"", 1100}, {"-phone", 390}} {
		b.run(chromedp.EmulateViewport(s.wide, 1000))
		out, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](runAxe, chromedp.EvalAwaitPromise))
		b.want(err)
		var found struct {
			Passed     int
			Violations []string
		}
		if err := json.Unmarshal([]byte(out), &found); err != nil {
			b.p.t.Fatal(err)
		}
		if found.Passed < 5 {
			b.p.t.Errorf("%s%s: axe looked at next to nothing: %d rules", name, s.at, found.Passed)
		}
		for _, v := range found.Violations {
			b.p.t.Errorf("%s%s: %s", name, s.at, v)
		}
		over, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
		b.want(err)
		if over > 0 {
			b.p.t.Errorf("%s%s: %d pixels stand over at the side", name, s.at, over)
		}
		b.shoot(name + s.at)
	}
	b.run(chromedp.EmulateViewport(1100, 1000))
}

// at opens a page and wants it accessible.
func (b *tab) at(path, name string) {
	b.p.t.Helper()
	b.open(path)
	b.accessible(name)
}

// Every kind of page can be used by everybody: no violation of WCAG 2.2 AA
// that axe can find. What a program cannot find (whether words are clear, an
// order makes sense) is for people to look at.
func TestPagesAreAccessible(t *testing.T) {
	p := serveDemo(t, 600)
	alloc := browser(t)
	public := p.tab(alloc, "public", 0)
	decided, voting, open := p.decided(), p.ref("ballot"), p.ref("nominations")

	public.at("/", "a-home")
	public.at("/contests", "a-contests")
	public.at("/contests/"+decided, "a-decided")
	public.at("/contests/"+decided+"/recount?under=omov-2014", "a-recount")
	public.at("/contests/"+voting, "a-voting")
	public.at("/contests/"+open, "a-nominations")
	public.at("/rulebook", "a-rulebook")
	public.at("/decisions", "a-decisions")
	public.at("/minutes", "a-minutes")
	public.at("/minutes?contest="+decided, "a-minutes-contest")
	public.at("/minutes/1", "a-minute")
	public.at("/minutes/"+p.hidden(), "a-minute-hidden")
	public.at("/verify", "a-verify")
	public.at("/outbox", "a-outbox")
	public.at("/archive", "a-archive")
	public.at("/archive/2010-leader", "a-archive-contest")
	public.at("/signin", "a-signin")
	public.at("/nowhere", "a-refusal")
	public.at("/office", "a-refusal-signin")

	sealed := "/contests/" + p.sealedRef()
	public.at(sealed, "a-sealed")
	public.at(sealed+"/trustees", "a-sealed-state")
	public.at(sealed+"/check", "a-sealed-check")
	public.at(sealed+"/receipt", "a-sealed-receipt")
	public.at(sealed+"/receipt?code=0000-0000-0000-0000-0000", "a-sealed-none")

	member := p.tab(alloc, "member", p.people.Member)
	link, err := p.logins.Link(p.ctx, p.people.Member, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	member.run(chromedp.Navigate(link))
	member.accessible("m-enter")
	member.at("/", "m-home")
	member.at("/me", "m-me")
	member.at("/rulebook/me", "m-rulebook")
	member.at("/contests/"+voting, "m-voting")
	member.at("/contests/"+open, "m-nominations")
	member.at("/contests/"+voting+"/vote", "m-paper")
	member.run(chromedp.SetValue("#rank1", "1"))
	member.press("Check my paper")
	member.accessible("m-review")
	member.press("Cast my vote")
	member.accessible("m-receipt")
	member.at("/contests/"+voting+"/vote", "m-refusal")

	mp := p.tab(alloc, "MP", p.people.MP)
	mp.at("/", "p-home")
	mp.at("/begin", "p-begin")
	mp.at("/contests/"+open, "p-nominations")

	officer := p.tab(alloc, "returning officer", p.people.Returning)
	officer.at("/office", "o-office")
	officer.at("/office/trustees", "o-trustees")
	officer.at("/contests/"+voting, "o-voting")
	officer.at("/contests/"+open, "o-nominations")
	officer.at("/office/call?procedure="+p.procedure(open)+"&office=leader", "o-call")
	for i := 0; p.voting(voting); i++ {
		if i == 12 {
			t.Fatal("the ballot does not end")
		}
		officer.next()
	}
	officer.at("/contests/"+voting, "o-closing")
	officer.at("/office", "o-office-closing")
	secretary := p.tab(alloc, "constituency secretary", p.people.Secretary)
	secretary.at("/", "s-home")
	secretary.at("/contests/"+open, "s-second-gate")
}

// find gives the number or name of something of the book.
func (p *party) find(what string, fn func(w *chamber.World) (string, error)) (got string) {
	p.t.Helper()
	err := p.ch.Read(p.ctx, func(w *chamber.World) (err error) {
		got, err = fn(w)
		return err
	})
	if err != nil || got == "" {
		p.t.Fatalf("the demo has no %s: %v", what, err)
	}
	return got
}

// decided is a contest that has been decided.
func (p *party) decided() string {
	p.t.Helper()
	return p.find("contest that is decided", func(w *chamber.World) (ref string, err error) {
		states, err := w.States()
		for _, st := range states {
			if len(st.Elected) > 0 {
				ref = st.Ref
			}
		}
		return ref, err
	})
}

// hidden is an entry that the public does not see.
func (p *party) hidden() string {
	p.t.Helper()
	return p.find("entry that is not public", func(w *chamber.World) (string, error) {
		list, err := w.Tx().Page(store.Query{Access: []minutes.Access{minutes.Members, minutes.Officers, minutes.Scrutineers}, Limit: 1})
		if err != nil || len(list) == 0 {
			return "", err
		}
		return strconv.FormatInt(list[0].Seq, 10), nil
	})
}

// procedure is the procedure that a contest runs by.
func (p *party) procedure(ref string) string {
	p.t.Helper()
	return p.find("procedure of "+ref, func(w *chamber.World) (string, error) {
		st, err := w.State(ref)
		if err != nil {
			return "", err
		}
		return st.Procedure, nil
	})
}
