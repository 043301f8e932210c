package web_test

import (
	"encoding/csv"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/proof"
)

// A society whose votes are sealed, in each way in which a paper can be marked.
const sealedSociety = `
rulebook: Rules of the Sealed Society
edition: 2026-01-01
zone: Europe/London
clauses: {"1": Motions are put to all members., "2": The chair is elected by three sections.}
classes: {member: {says: Members}}
units: {branch: {says: A branch., decides: {by: branch_delegate}}}
offices:
  secretary: {says: Keeps the book.}
  chair: {says: Presides., from: member}
  board_member: {seats: 3, from: member, says: Sits on the board.}
  branch_delegate: {per: branch, from: member, says: Votes for the branch.}
bodies: {board: {when: person.holds(board_member)}}
electorates:
  college:
    says: Board, members and branches.
    sections:
      - {section: board, of: board, weight: 1/4}
      - {section: members, of: member, weight: 1/2, declare: I support the aims of the society.}
      - {section: branches, of: branch, weight: 1/4}
precedence: [rulebook, resolution]
powers: [{who: secretary, may: close}]
procedures:
  motion:
    says: Members vote on a motion.
    cite: "1"
    begins: [{as: moved, by: secretary}]
    stages:
      - {stage: vote, says: That the birds be fed., ballot: member, how: sealed, notice: 2 days, window: 3 days, passes: {more_than: 1/2, of: cast}, then: {carried: {nothing: They are fed.}, lost: {nothing: They are not.}}}
  election:
    says: Three sections elect the chair.
    cite: "2"
    fills: chair
    begins: [{as: annual, by: secretary}]
    stages:
      - {stage: names, gather: candidates, stand: member, needs: {from: member, at_least: 1}, window: 2 days}
      - {stage: vote, says: Who shall preside?, ballot: college, how: sealed, method: METHOD, window: 3 days, then: {elected: {fill: chair}}}
  rule_change:
    says: The rules are changed.
    takes: {text: rulebook}
    begins: [{as: proposed, by: secretary}]
    stages:
      - {stage: vote, ballot: member, how: counted, passes: {at_least: 2/3, of: cast}, then: {carried: {adopt: rulebook}, lost: {nothing: They stay.}}}
`

// holders are trustees and a registrar in a test: what their programs do, without
// their care.
type holders struct {
	p     *party
	names []string
	ids   map[string]keygen.Identity
	key   proof.Secret
	codes map[int64]sealed.Code
}

func (p *party) holders(names ...string) *holders {
	h := &holders{p: p, names: names, ids: map[string]keygen.Identity{}, key: proof.NewSecret(), codes: map[int64]sealed.Code{}}
	for _, n := range names {
		h.ids[n] = keygen.NewIdentity()
	}
	return h
}

// line is what a trustee's program prints.
func (h *holders) line(name string) string {
	g := ristretto.New()
	sign, seal := h.ids[name].Sign().Public(g), h.ids[name].Seal().Public(g)
	return "trustee | " + name + " | " + hex.EncodeToString(sign[:]) + " | " + hex.EncodeToString(seal[:]) + " | " + keygen.Fingerprint(sign, seal)
}

func (h *holders) registrarKey() string {
	k := h.key.Public(ristretto.New())
	return hex.EncodeToString(k[:])
}

// do lets those who are there do what is waited for from them.
func (h *holders) do(ref string, there ...string) {
	h.p.t.Helper()
	for did := true; did; {
		did = false
		for _, n := range there {
			ok, err := h.p.s.SealedDo(h.p.ctx, ref, n, h.ids[n])
			if err != nil {
				h.p.t.Fatal(err)
			}
			did = did || ok
		}
	}
}

// list makes the codes of a roll, as a registrar took it, and posts their list.
func (h *holders) list(ref string, roll [][]string) {
	h.p.t.Helper()
	b, err := h.p.s.SealedBoard(h.p.ctx, ref)
	if err != nil {
		h.p.t.Fatal(err)
	}
	m, err := sealed.DecodeManifest([]byte(b.Manifest))
	if err != nil {
		h.p.t.Fatal(err)
	}
	hash, _ := m.Hash()
	l := &sealed.Listing{Version: 1, Manifest: hex.EncodeToString(hash[:])}
	for _, s := range m.Sections {
		for _, c := range s.Classes {
			g := sealed.ListingGroup{Section: s.ID, Class: c.ID}
			for _, row := range roll {
				if row[3] != s.ID || row[4] != c.ID {
					continue
				}
				voter, _ := strconv.ParseInt(row[0], 10, 64)
				if _, ok := h.codes[voter]; !ok {
					h.codes[voter] = sealed.NewCode()
				}
				secret := h.codes[voter].Key(hash, s.ID)
				k := secret.Public(ristretto.New())
				g.Keys = append(g.Keys, k[:])
			}
			slices.SortFunc(g.Keys, slices.Compare)
			l.Groups = append(l.Groups, g)
		}
	}
	body, signature, err := sealed.SignListing(ristretto.New(), l, h.key)
	if err == nil {
		err = h.p.s.SealedList(h.p.ctx, ref, body, signature)
	}
	if err != nil {
		h.p.t.Fatal(err)
	}
}

// named names Ash, Bay, Cob and the registrar Quill on the officers' page.
func (h *holders) named(secretary *reader) {
	h.p.t.Helper()
	form := url.Values{"lines": {strings.Join([]string{h.line("Ash"), h.line("Bay"), h.line("Cob")}, "\n")}, "t": {"2"}, "registrar": {"Quill"}, "registrar_key": {h.registrarKey()}}
	secretary.do("/office/trustees", "/office/trustees", form, "Compare the fingerprints", "2 of 3", "Quill")
	form.Set("sure", "1")
	secretary.do("/office/trustees", "/office/trustees", form, "They hold the keys of the sealed ballots", "Ash", "Bay", "Cob", "Quill")
}

// Trustees and a registrar are named on a page, after their fingerprints were
// compared; what cannot be, or has been changed on its way, is refused in words.
func TestNamingTrustees(t *testing.T) {
	p, ids := serveRules(t, strings.Replace(sealedSociety, "METHOD", "av", 1))
	secretary, member := p.reader("the secretary", ids[3]), p.reader("a member", ids[7])
	h := p.holders("Ash", "Bay", "Cob")
	member.do("/me", "/office/trustees", url.Values{"lines": {h.line("Ash")}, "t": {"1"}, "sure": {"1"}}, "not possible")
	all := strings.Join([]string{h.line("Ash"), h.line("Bay"), h.line("Cob")}, "\n")
	with := func(pairs ...string) url.Values {
		v := url.Values{"lines": {all}, "t": {"2"}, "sure": {"1"}}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	before := p.size()
	swapped := strings.Split(h.line("Ash"), " | ")
	swapped[3] = strings.Split(h.line("Bay"), " | ")[3]
	for _, c := range []struct {
		form url.Values
		says string
	}{
		{with("lines", ""), "Paste a line for each trustee"},
		{with("lines", "Ash, Bay"), "not the line of a trustee"},
		{with("lines", strings.Join(swapped, " | ")), "changed on its way"},
		{with("t", "1"), "from 2 to 3"},
		{with("t", "4"), "from 2 to 3"},
		{with("mixers", "Ash, Dew"), "is no trustee"},
		{with("operator", "Dew"), "is no trustee"},
		{with("registrar", "Quill"), "a name and a key"},
		{with("registrar", "Quill", "registrar_key", "12ab"), "64 letters and digits"},
		{with("mixers", "Ash"), "mixers"},
	} {
		secretary.do("/office/trustees", "/office/trustees", c.form, c.says, "Nothing has been changed")
	}
	one := url.Values{"lines": {h.line("Ash")}, "t": {"1"}}
	secretary.do("/office/trustees", "/office/trustees", one, "One trustee alone can open every paper", "One mixer alone", "knows whose code is whose")
	secretary.do("/office/trustees", "/office/trustees", url.Values{"lines": {all}, "t": {"3"}, "operator": {"Bay"}}, "nothing of the ballot can ever be opened", "also runs this server")
	if after := p.size(); after != before {
		t.Fatalf("%d entries were written", after-before)
	}
	h.named(secretary)
	secretary.do("/office/trustees", "/office/trustees", url.Values{"alone": {"1"}}, "Tick the box")
	secretary.do("/office/trustees", "/office/trustees", url.Values{"alone": {"1"}, "sure": {"1"}}, "holds the key alone", "Nobody has been named")
}

// A sealed ballot as officers and the public see it: who is waited for, what an
// officer can do when somebody vanishes, the roll for the registrar, and a close
// with two of three.
func TestSealedBallotOfTrusteesOnPages(t *testing.T) {
	p, ids := serveRules(t, strings.Replace(sealedSociety, "METHOD", "av", 1))
	secretary, member, public := p.reader("the secretary", ids[3]), p.reader("a member", ids[7]), p.reader("the public", 0)
	h := p.holders("Ash", "Bay", "Cob")
	h.named(secretary)
	ref := p.motion(ids[3])
	page := "/contests/" + ref + "/trustees"
	sees := func(r *reader, path string, words ...string) sheet {
		t.Helper()
		got := r.get(path)
		for _, w := range words {
			if got.status != http.StatusOK || !strings.Contains(got.text(), w) {
				t.Fatalf("%s, %s: %q is not on the page (%d): %.900s", r.who, path, w, got.status, got.text())
			}
		}
		got.wellMade(t, r.who)
		return got
	}
	sees(public, page, "has not been fixed yet", "Any 2 of these 3", "Quill")
	sees(public, "/contests/"+ref, "Who holds the key")
	member.do("/me", page+"/prepare", url.Values{}, "not possible")
	secretary.do(page, page+"/prepare", url.Values{}, "The paper is fixed", "Quill, to make the voting codes", "Ash, to commit to their part of the key")
	sees(secretary, "/office", "See who is waited for", "The trustees make the key of the ballot, and the registrar")

	// Cob vanishes; an officer goes on without them.
	h.do(ref, "Ash", "Bay")
	sees(public, page, "Cob, to commit to their part of the key", "The step before was entered on")
	member.do("/me", page+"/phase", url.Values{"phase": {"commit"}, "sure": {"1"}}, "not possible")
	secretary.do(page, page+"/phase", url.Values{"phase": {"commit"}}, "Tick the box")
	secretary.do(page, page+"/phase", url.Values{"phase": {"reveal"}, "sure": {"1"}}, "have gone on since")
	secretary.do(page, page+"/phase", url.Values{"phase": {"commit"}, "sure": {"1"}}, "It goes on without", "left out")
	h.do(ref, "Ash", "Bay")
	if b, _ := p.s.SealedBoard(p.ctx, ref); b.Key == "" { // Cob was to confirm the key
		secretary.do(page, page+"/phase", url.Values{"phase": {b.Ceremony.Phase}, "sure": {"1"}}, "It goes on without")
	}
	sees(secretary, "/office", "The registrar makes the list of voting codes")

	// The roll goes to officers only, and is kept nowhere.
	for _, r := range []*reader{member, public} {
		if got := r.get(page + "/roll.csv"); got.status != http.StatusForbidden && got.status != http.StatusUnauthorized || strings.Contains(got.body, "Dov Dale,") {
			t.Errorf("%s gets the roll: %d", r.who, got.status)
		}
	}
	resp, err := secretary.http.Get(p.base + page + "/roll.csv")
	if err != nil {
		t.Fatal(err)
	}
	roll, err := csv.NewReader(resp.Body).ReadAll()
	resp.Body.Close()
	if err != nil || resp.Header.Get("Cache-Control") != "no-store" || strings.Join(roll[0], ",") != "voter,name,email,section,class" || len(roll) != 13 || roll[1][1] != "Ada Alder" {
		t.Fatalf("the roll is %v: %v", roll, err)
	}
	h.list(ref, roll[1:])
	p.days(4)
	sees(member, "/", "Vote, or replace your vote")
	sees(public, "/contests/"+ref, "ballot open")

	// All but one vote; the ballot is closed, and two of three open it.
	for _, id := range ids[:11] {
		p.casts(ref, id, h.codes[int64(id)], []int{1, 0})
	}
	sees(public, page, "All voters", "12", "11")
	p.days(3)
	secretary.do("/contests/"+ref, "/contests/"+ref+"/close", url.Values{}, "being opened")
	sees(secretary, "/office", "See who is waited for", "The ballot is closed")
	sees(public, page, "to witness the record at the close")
	h.do(ref, "Ash")
	sees(public, page, "It takes 2 of the 3 trustees")
	h.do(ref, "Bay", "Ash")
	sees(public, page, "Nothing is waited for. The papers were opened and counted.")
	sees(public, "/contests/"+ref, "They are fed.")
	sees(public, "/minutes?contest="+ref, "A sealed paper.", "The trustees' key is made.", "A trustee witnesses the close")
}

// motion begins the motion, whose vote opens two days on.
func (p *party) motion(by register.PersonID) string {
	p.t.Helper()
	st, err := p.s.Call(p.ctx, proceeding.Begin{Procedure: "motion", Cause: "moved", By: proceeding.Actor{Person: by}})
	if err != nil {
		p.t.Fatal(err)
	}
	return st.Ref
}

// casts seals and casts a paper as a voter's page does.
func (p *party) casts(ref string, id register.PersonID, code sealed.Code, marks []int) {
	p.t.Helper()
	given, err := p.s.SealedSeat(p.ctx, ref, id, 0, "")
	if err != nil {
		p.t.Fatal(err)
	}
	m, err := sealed.DecodeManifest([]byte(given.Manifest))
	if err != nil {
		p.t.Fatal(err)
	}
	hash, _ := m.Hash()
	b := &sealed.Ballot{Group: ristretto.New(), Manifest: m, Contest: given.Contest, Section: given.Section, Sequence: 1, Previous: hash}
	key, err := hex.DecodeString(given.Key)
	if err != nil {
		p.t.Fatal(err)
	}
	copy(b.Key[:], key)
	raw, _, err := b.Seal(marks, code.Key(hash, given.Section))
	if err == nil {
		_, err = p.s.SealedPost(p.ctx, ref, raw)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// Where a registrar makes the codes the voter types theirs. A wrong letter is
// found on the device, a code that is not on the list by the server; the code
// itself is never sent. Then a vote is cast by keyboard: for, blank, abstained.
func TestVotingCodeIsTyped(t *testing.T) {
	p, ids := serveRules(t, strings.Replace(sealedSociety, "METHOD", "av", 1))
	alloc := browser(t)
	secretary := p.reader("the secretary", ids[3])
	h := p.holders("Ash", "Bay", "Cob")
	h.named(secretary)
	ref := p.motion(ids[3])
	page := "/contests/" + ref + "/trustees"
	officer := p.tab(alloc, "secretary", ids[3])
	officer.at("/office/trustees", "sealed-trustees")
	officer.at(page, "sealed-unprepared")
	secretary.do(page, page+"/prepare", url.Values{}, "The paper is fixed")
	h.do(ref, "Ash", "Bay")
	officer.at(page, "sealed-state")
	h.do(ref, "Ash", "Bay", "Cob")
	roll, err := csv.NewReader(strings.NewReader(secretary.get(page + "/roll.csv").body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	h.list(ref, roll[1:])
	p.days(4)
	voter := p.tab(alloc, "voter", ids[7])
	voter.open("/contests/" + ref + "/vote")
	voter.shows("fill")
	voter.sees("Your voting code", "from Quill", "Any 2 of them together can open papers", "The voting codes are made by Quill, apart from this server")
	good := h.codes[int64(ids[7])].Text()
	wrong := []byte(good)
	wrong[3] = map[bool]byte{true: '7', false: '8'}[wrong[3] == '8']
	p.wire.since()
	voter.types(string(wrong))
	voter.click("#m0")
	voter.click(button("seal"))
	voter.sees("A letter of the code is wrong", "Nothing has been sent")
	voter.accessible("sealed-code")
	if got := p.wire.since(); len(got) != 0 {
		t.Errorf("with a wrong letter the page asks for %v", got)
	}
	voter.types(sealed.NewCode().Text())
	voter.click(button("seal"))
	voter.run(chromedp.WaitVisible(`//*[@id="wrong"][contains(., "not on the list of this ballot")]`))
	voter.sees("ask Quill", "Nothing has been recorded")
	voter.types(strings.ToLower(strings.ReplaceAll(good, "-", " ")))
	voter.click(button("seal"))
	voter.shows("decide")
	voter.accessible("sealed-decide-code")
	if got := voter.read("#says"); got != "For" {
		t.Errorf("the paper says %q", got)
	}
	voter.click(button("check"))
	voter.shows("check")
	voter.accessible("sealed-check-sum")
	address := p.selected(voter, "#check-text")
	second := p.tab(alloc, "second device", 0)
	second.run(chromedp.Navigate(address))
	second.shows("opened")
	second.accessible("sealed-opened-sum")
	if got := second.read("#says"); got != "For" {
		t.Errorf("the second device reads %q", got)
	}
	voter.click(button("change"))
	voter.shows("fill")
	for _, c := range []struct{ mark, says string }{{"#m-1", "Abstain"}, {"#m1", "Against"}, {"#m0", "For"}} {
		voter.click(c.mark)
		voter.click(button("seal"))
		voter.shows("decide")
		if got := voter.read("#says"); got != c.says {
			t.Errorf("the paper says %q, not %q", got, c.says)
		}
		voter.click(button("cast"))
		voter.shows("recorded")
		if c.says == "Abstain" {
			voter.accessible("sealed-recorded")
		}
		voter.open("/contests/" + ref + "/vote")
		voter.shows("fill")
		voter.types(good)
	}
	code := strings.ToLower(strings.ReplaceAll(good, "-", ""))
	for _, u := range p.wire.since() {
		if strings.Contains(strings.ToLower(strings.ReplaceAll(u, "-", "")), code) {
			t.Errorf("the voting code was sent: %s", u)
		}
	}
	for _, id := range slices.Concat(ids[:3], ids[8:11]) {
		p.casts(ref, id, h.codes[int64(id)], []int{0, 1})
	}
	p.days(4)
	secretary.do("/contests/"+ref, "/contests/"+ref+"/close", url.Values{}, "being opened")
	officer.at(page, "sealed-state-closed")
	officer.at("/contests/"+ref, "sealed-contest-closed")
	h.do(ref, "Ash", "Cob")
	officer.at(page, "sealed-state-counted")
	officer.open("/contests/" + ref)
	officer.sees("Not carried", "They are not.")
}

// types puts a voting code in its field.
func (b *tab) types(code string) {
	b.p.t.Helper()
	b.run(chromedp.SetValue("#code", code))
}

// Whoever votes in several capacities has a paper for each: as one of the board,
// as a member who makes a declaration, and for a branch. Candidates are ranked.
func TestSealedSections(t *testing.T) {
	p, ids := serveRules(t, strings.Replace(sealedSociety, "METHOD", "av", 1))
	reg := registry.New(p.ch)
	units, err := reg.OpenUnits(p.ctx, []registry.UnitSpec{{Kind: "branch", Name: "North"}, {Kind: "branch", Name: "South"}, {Kind: "branch", Name: "West"}})
	if err != nil {
		t.Fatal(err)
	}
	var posts []registry.Appointment
	for i, u := range units {
		posts = append(posts, registry.Appointment{Office: "branch_delegate", Unit: u, Person: ids[i]})
	}
	if err := reg.Appoint(p.ctx, posts); err != nil {
		t.Fatal(err)
	}
	st, err := p.s.Call(p.ctx, proceeding.Begin{Procedure: "election", Office: "chair", Cause: "annual", By: proceeding.Actor{Person: ids[3]}})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{5, 6, 7} {
		if _, err := p.s.Do(p.ctx, st.Ref, proceeding.Back{By: proceeding.Actor{Person: ids[i]}, Candidate: ids[i]}); err != nil {
			t.Fatal(err)
		}
	}
	p.days(3)
	alloc := browser(t)
	ada := p.tab(alloc, "Ada of the board", ids[0])
	ada.open("/contests/" + st.Ref + "/vote")
	ada.sees("more than one capacity")
	ada.accessible("sealed-papers")
	for _, c := range []struct{ section, query string }{{"board", "section=board"}, {"members", "section=members"}, {"branches", "section=branches&unit=" + strconv.FormatInt(int64(units[0]), 10)}} {
		ada.open("/contests/" + st.Ref + "/vote?" + c.query)
		ada.shows("fill")
		ada.run(chromedp.SetValue("#rank2", "1"), chromedp.SetValue("#rank0", "2"))
		if c.section == "members" {
			ada.click(button("seal"))
			ada.sees("tick the declaration")
			ada.click("#declare")
		}
		ada.click(button("seal"))
		ada.shows("decide")
		if got, want := ada.read("#says"), p.option(st.Ref, 2)+"\n"+p.option(st.Ref, 0); got != want {
			t.Errorf("the paper of %s says %q, not %q", c.section, got, want)
		}
		if c.section == "branches" {
			ada.accessible("sealed-ranked")
		}
		ada.click(button("check"))
		ada.shows("check")
		second := p.tab(alloc, "second device", 0)
		second.run(chromedp.Navigate(p.selected(ada, "#check-text")))
		second.shows("opened")
		second.sees("Section: " + c.section)
		if got, want := second.read("#says"), p.option(st.Ref, 2)+"\n"+p.option(st.Ref, 0); got != want {
			t.Errorf("the second device reads %q of %s, not %q", got, c.section, want)
		}
		ada.click(button("change"))
		ada.shows("fill")
		ada.click(button("seal"))
		ada.shows("decide")
		ada.click(button("cast"))
		ada.shows("recorded")
		ada.sees("My other votes in this ballot")
	}
	if got := p.papers(st.Ref); got != 3 {
		t.Errorf("%d papers are in the record, 3 were cast", got)
	}
}
