package web_test

import (
	"context"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/store"
)

// A small society whose rulebook has a little of everything that is done on
// pages: motions counted in the room, a board that decides with figures, a
// standing ruling, an event, a lot, a case about a person, orders.
const society = `
rulebook: Rules of the Kingfisher Society
edition: 2026-01-01
zone: Europe/London
clauses: {"1": The society meets., "2": The board decides., "3": Conduct., "4": Orders., "5": The rules are changed by a meeting.}
facts: {text: {objective: words}}
classes: {member: {says: Members}}
offices:
  secretary: {says: Keeps the book.}
  chair: {says: Presides.}
  board_member: {seats: 3, from: member, says: Sits on the board.}
  auditor: {seats: 2, from: member, term: 1 year, says: Audits the accounts.}
bodies:
  board: {when: person.holds(board_member), decides: {how: recorded, quorum: {count: present, at_least: 2}, passes: {more_than: 1/2, of: cast}}}
  court: {outside: secretary}
slots:
  reading_of_quorum: {says: "How the quorum of clause 1 is read", choices: [papers, entitled], set_by: board, standing: true, otherwise: papers, cite: "1"}
  meeting_room: {says: Where the meeting is, is: words, set_by: secretary, otherwise: '"The hall"', cite: "1"}
events: {annual_fair: {declared_by: secretary, says: The annual fair opens.}}
sanctions: {suspension: {removes: [vote, stand], says: "Is suspended", cite: "3"}}
precedence: [rulebook, resolution]
powers:
  - {who: secretary, may: close, cite: "4"}
  - {who: court, may: [stay, resume, set_aside], cite: "4"}
  - {who: chair, may: [stop], cite: "4"}
procedures:
  motion:
    says: The meeting adopts a motion.
    cite: "1"
    takes: {text: resolution}
    begins: [{as: moved, by: secretary}]
    stages:
      - {stage: board_view, decide: board, options: [for_it, against_it], window: 3 days, otherwise: for_it, says: What the board thinks of it.}
      - stage: vote
        ballot: member
        how: counted
        passes: {more_than: 1/2, of: cast}
        then: {carried: {adopt: resolution}, lost: {nothing: The motion falls.}}
  audit:
    says: Two auditors are drawn by lot.
    cite: "1"
    fills: auditor
    begins: [{as: yearly, by: secretary}]
    stages:
      - {stage: lot, draw: member, seats: 2, window: 5 days, then: {drawn: {fill: auditor}, short: {nothing: Too few.}}}
  conduct:
    says: What a member is said to have done is heard.
    cite: "3"
    takes: {subject: person, allegation: words}
    begins: [{as: complaint, by: chair}]
    stages:
      - {stage: answer, decide: subject, options: [answered], window: 7 days, otherwise: answered}
      - stage: hearing
        decide: board
        options: [dismissed, upheld]
        window: 7 days
        otherwise: dismissed
        then:
          dismissed: {nothing: No case.}
          upheld: {impose: suspension, whom: subject, until: hearing.closed + 6 months}
  rule_change:
    says: The rules are changed.
    cite: "5"
    takes: {text: rulebook}
    begins: [{as: proposed, by: secretary}]
    stages:
      - {stage: vote, ballot: member, how: counted, passes: {at_least: 2/3, of: cast}, then: {carried: {adopt: rulebook}, lost: {nothing: They stay.}}}
`

// serveSociety serves a society of twelve; the first three are the board, then
// the secretary and the chair.
func serveSociety(t *testing.T) (*party, []register.PersonID) {
	t.Helper()
	return serveRules(t, society)
}

// serveRules serves the same society under other rules.
func serveRules(t *testing.T, rules string) (*party, []register.PersonID) {
	t.Helper()
	ctx := context.Background()
	dir := t.TempDir()
	ch, clock, err := chamber.OpenDemo(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: filepath.Join(dir, "box")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ch.Close() })
	if _, err := ch.Found(ctx, chamber.FoundedBody{Name: "The Kingfisher Society", Demo: true}, []byte(rules)); err != nil {
		t.Fatal(err)
	}
	p := &party{t: t, ctx: ctx, ch: ch, clock: clock, s: contest.New(ch), log: &strings.Builder{}}
	reg := registry.New(ch)
	var terms map[string]register.Term
	if err := ch.Read(ctx, func(w *chamber.World) error { terms = w.Terms(); return nil }); err != nil {
		t.Fatal(err)
	}
	var list []registry.NewPerson
	for i, name := range []string{"Ada Alder", "Bram Birch", "Cleo Copse", "Sami Secretary", "Cho Chair", "Dov Dale", "Edda Elder", "Finn Farrow", "Gil Gale", "Hana Heath", "Ivo Ivy", "Jo Juniper"} {
		list = append(list, registry.NewPerson{Sealed: &chamber.Sealed{Particulars: chamber.Particulars{Name: name}, External: "K" + string(rune('A'+i))},
			Changes: []register.Change{{Aspect: register.Belongs, Name: terms["member"], From: time.Now().AddDate(-2, 0, 0).Unix()}}})
	}
	ids, err := reg.Enter(ctx, list, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	posts := []registry.Appointment{{Office: "secretary", Person: ids[3]}, {Office: "chair", Person: ids[4]}}
	for _, id := range ids[:3] {
		posts = append(posts, registry.Appointment{Office: "board_member", Person: id})
	}
	if err := reg.Appoint(ctx, posts); err != nil {
		t.Fatal(err)
	}
	p.serve(reg)
	return p, ids
}

// do sends a form of a page, with its token, and wants words on what comes.
func (r *reader) do(page, path string, form url.Values, words ...string) sheet {
	r.p.t.Helper()
	form.Set("token", r.get(page).token())
	got := r.post(path, form)
	for _, w := range words {
		if !strings.Contains(got.text(), w) {
			r.p.t.Fatalf("%s, %s: %q is not on the page (%d): %.600s", r.who, path, w, got.status, got.text())
		}
	}
	got.wellMade(r.p.t, r.who)
	return got
}

func (p *party) days(n int) {
	p.t.Helper()
	if err := p.ch.MoveTo(p.ctx, p.clock, p.clock.Now().AddDate(0, 0, n)); err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.s.Due(p.ctx); err != nil {
		p.t.Fatal(err)
	}
}

func (p *party) latest(procedure string) *proceeding.State {
	p.t.Helper()
	var out *proceeding.State
	if err := p.ch.Read(p.ctx, func(w *chamber.World) error {
		states, err := w.States()
		for _, st := range states {
			if st.Procedure == procedure && out == nil {
				out = st
			}
		}
		return err
	}); err != nil || out == nil {
		p.t.Fatalf("no %s: %v", procedure, err)
	}
	return out
}

// A motion from the secretary's form to the adopted text, with the board's
// figures, tellers' figures, and a court that sets the decision aside.
func TestMotionOnPages(t *testing.T) {
	p, ids := serveSociety(t)
	secretary, member, public := p.reader("the secretary", ids[3]), p.reader("a member", ids[7]), p.reader("the public", 0)
	if got := member.get("/begin"); strings.Contains(got.body, "motion") {
		t.Errorf("a member is shown what they cannot begin: %s", got.text())
	}
	begin := url.Values{"procedure": {"motion"}, "cause": {"moved"}, "take.text": {"Feed the birds"}, "take.text.objective": {"birds"}, "sure": {"1"}}
	member.do("/me", "/begin", cloneForm(begin), "secretary")
	secretary.do("/begin", "/begin", url.Values{"procedure": {"motion"}, "cause": {"moved"}, "sure": {"1"}}, "say which")
	secretary.do("/begin", "/begin", begin, "Called", "Board view")
	st := p.latest("motion")
	page := "/contests/" + st.Ref
	member.do(page, page+"/decide", url.Values{"option": {"for_it"}}, "not possible")
	secretary.do(page, page+"/decide", url.Values{"option": {"for_it"}, "votes.for_it": {"1"}, "votes.present": {"1"}}, "quorum")
	secretary.do(page, page+"/decide", url.Values{"option": {"for_it"}, "votes.for_it": {"2"}, "votes.against_it": {"1"}}, "The decision is recorded")
	member.do(page, page+"/figures", url.Values{"votes.for": {"9"}, "votes.against": {"1"}, "tellers": {"Ada Alder, Bram Birch"}}, "not possible")
	secretary.do(page, page+"/figures", url.Values{"votes.for": {"9"}, "votes.against": {"1"}, "tellers": {"Ada Alder"}}, "Two tellers")
	secretary.do(page, page+"/figures", url.Values{"votes.for": {"9"}, "votes.against": {"1"}, "tellers": {"Ada Alder, Bram Birch"}}, "The result is recorded", "Carried")
	if got := public.get("/decisions"); !strings.Contains(got.text(), "Feed the birds") || !strings.Contains(got.text(), "in force") {
		t.Errorf("the motion is not among the decisions: %s", got.text())
	}
	member.do(page, page+"/order", url.Values{"order": {"set_aside"}, "sure": {"1"}}, "power")
	secretary.do(page, page+"/order", url.Values{"order": {"set_aside"}, "why": {"Notice was too short"}, "name": {"The court's order"}, "sure": {"1"}}, "Ordered")
	if got := public.get("/decisions"); !strings.Contains(got.text(), "set aside by an order") {
		t.Errorf("the motion still stands: %s", got.text())
	}
	n := p.latest("motion").Act("The court's order").N
	secretary.do(page, page+"/order", url.Values{"order": {"set_aside"}, "target": {string(rune('0' + n))}, "sure": {"1"}}, "Ordered")
	if got := public.get("/decisions"); strings.Contains(got.text(), "set aside by an order") {
		t.Errorf("what was restored does not stand: %s", got.text())
	}
	for _, path := range []string{page, "/decisions", "/office", "/begin", "/rulebook/me", "/minutes"} {
		secretary.get(path).wellMade(t, "the secretary")
	}
}

func cloneForm(v url.Values) url.Values {
	out := url.Values{}
	for k, x := range v {
		out[k] = append([]string(nil), x...)
	}
	return out
}

// A lot: who was drawn declines on their page and is replaced; the names are
// public when it is final, and not before.
func TestLotOnPages(t *testing.T) {
	p, ids := serveSociety(t)
	secretary, public := p.reader("the secretary", ids[3]), p.reader("the public", 0)
	secretary.do("/begin", "/begin", url.Values{"procedure": {"audit"}, "cause": {"yearly"}, "sure": {"1"}}, "Called")
	st := p.latest("audit")
	page := "/contests/" + st.Ref
	drawn := st.Now().Draw.Drawn
	if len(drawn) != 2 {
		t.Fatalf("drawn: %v", drawn)
	}
	name := map[register.PersonID]string{}
	if err := p.ch.Read(p.ctx, func(w *chamber.World) error {
		for _, id := range ids {
			name[id] = w.NameOf(id)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := public.get(page).text(); strings.Contains(got, name[drawn[0]]) {
		t.Errorf("the public reads who was drawn before it is final: %s", got)
	}
	one := p.reader("who was drawn", drawn[0])
	if got := one.get(page).text(); !strings.Contains(got, "You have been drawn by lot") {
		t.Errorf("who was drawn is not told: %s", got)
	}
	one.do(page, page+"/answer", url.Values{"answer": {"decline"}})
	p.days(6)
	st = p.latest("audit")
	if st.Outcome != "drawn" || len(st.Elected) != 2 || st.Elected[0].ID == drawn[0] || st.Elected[1].ID == drawn[0] {
		t.Fatalf("%s: %v, and %s had declined", st.Outcome, st.Elected, name[drawn[0]])
	}
	if got := public.get(page).text(); !strings.Contains(got, st.Elected[0].Name) || strings.Contains(got, name[drawn[0]]) {
		t.Errorf("the public page: %s", got)
	}
}

// A case about a person: those concerned read it, and nobody else can tell
// that there is one.
func TestCaseOnPages(t *testing.T) {
	p, ids := serveSociety(t)
	chair, subject, member, public := p.reader("the chair", ids[4]), p.reader("whom it is about", ids[8]), p.reader("a member", ids[7]), p.reader("the public", 0)
	chair.do("/begin", "/begin", url.Values{"procedure": {"conduct"}, "cause": {"complaint"}, "take.subject": {"KZ"}, "take.allegation": {"Fed the cats"}, "sure": {"1"}}, "Nobody in the register")
	chair.do("/begin", "/begin", url.Values{"procedure": {"conduct"}, "cause": {"complaint"}, "take.subject": {"KI"}, "take.allegation": {"Fed the cats"}, "sure": {"1"}}, "Called")
	st := p.latest("conduct")
	page := "/contests/" + st.Ref
	for _, r := range []*reader{member, public} {
		if got := r.get(page); got.status != http.StatusNotFound {
			t.Errorf("%s reads a case: %d", r.who, got.status)
		}
		for _, path := range []string{"/decide", "/order", "/answer", "/nominate", "/close", "/slot"} {
			nowhere := r.post("/contests/2026-C-999"+path, url.Values{"token": {r.get("/").token()}})
			if got := r.post(page+path, url.Values{"token": {r.get("/").token()}}); got.status != nowhere.status || len(got.text()) != len(nowhere.text()) {
				t.Errorf("%s learns from %s that there is a case: %d %s", r.who, path, got.status, got.text())
			}
		}
		for _, list := range []string{"/", "/contests", "/minutes", "/decisions"} {
			if got := r.get(list); strings.Contains(got.body, st.Ref) || strings.Contains(got.text(), "cats") || strings.Contains(got.text(), "onduct") {
				t.Errorf("%s finds the case on %s", r.who, list)
			}
		}
	}
	subject.do(page, page+"/decide", url.Values{"option": {"answered"}}, "The decision is recorded")
	secretary := p.reader("the secretary", ids[3])
	board := p.reader("a board member", ids[0])
	if got := board.get(page); got.status != http.StatusOK {
		t.Errorf("who decides cannot read it: %d", got.status)
	}
	_ = secretary
	if _, err := p.s.Do(p.ctx, st.Ref, proceeding.Choose{By: proceeding.Actor{System: true}, As: "board", Option: "upheld"}); err != nil {
		t.Fatal(err)
	}
	err := p.ch.Read(p.ctx, func(w *chamber.World) error {
		rec := w.Record(ids[8])
		if !rec.Has(register.Sanction, w.Terms()["suspension"], w.At().Unix(), w.Seq()) {
			t.Error("the sanction is not in the register")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A standing decision, an event and a contradiction, from the office page.
func TestOfficeActs(t *testing.T) {
	p, ids := serveSociety(t)
	secretary, member := p.reader("the secretary", ids[3]), p.reader("a member", ids[7])
	member.do("/me", "/office/standing", url.Values{"slot": {"reading_of_quorum"}, "value": {"entitled"}}, "board")
	secretary.do("/office", "/office/standing", url.Values{"slot": {"reading_of_quorum"}, "value": {"nobody"}}, "not possible")
	secretary.do("/office", "/office/standing", url.Values{"slot": {"reading_of_quorum"}, "value": {"entitled"}}, "it holds until another")
	member.do("/me", "/office/event", url.Values{"event": {"annual_fair"}}, "secretary")
	secretary.do("/office", "/office/event", url.Values{"event": {"annual_fair"}}, "Declared")
	var refs []string
	for _, text := range []string{"Feed the birds", "Starve the birds"} {
		secretary.do("/begin", "/begin", url.Values{"procedure": {"motion"}, "cause": {"moved"}, "take.text": {text}, "sure": {"1"}}, "Called")
		refs = append(refs, p.latest("motion").Ref)
		p.days(4)
		page := "/contests/" + refs[len(refs)-1]
		secretary.do(page, page+"/figures", url.Values{"votes.for": {"9"}, "votes.against": {"1"}, "tellers": {"Ada Alder, Bram Birch"}}, "The result is recorded")
	}
	secretary.do("/office", "/office/contradiction", url.Values{"one": {refs[0]}, "other": {refs[1]}}, "one prevails")
	if got := member.get("/decisions").text(); !strings.Contains(got, "overridden by "+refs[1]) {
		t.Errorf("the later motion does not prevail: %s", got)
	}
}

// The forms of those who act can be used by everybody.
func TestActsAreAccessible(t *testing.T) {
	p, ids := serveSociety(t)
	alloc := browser(t)
	secretary := p.reader("the secretary", ids[3])
	secretary.do("/begin", "/begin", url.Values{"procedure": {"motion"}, "cause": {"moved"}, "take.text": {"Feed the birds"}, "sure": {"1"}}, "Called")
	tab := p.tab(alloc, "the secretary", ids[3])
	page := "/contests/" + p.latest("motion").Ref
	tab.at("/begin", "s-begin")
	tab.at(page, "s-decide")
	p.days(4)
	tab.at(page, "s-room")
	tab.at("/office", "s-office")
	secretary.do(page, page+"/figures", url.Values{"votes.for": {"9"}, "votes.against": {"1"}, "tellers": {"Ada Alder, Bram Birch"}}, "The result is recorded")
	tab.at(page, "s-carried")
	tab.at("/decisions", "s-decisions")
}
