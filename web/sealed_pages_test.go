package web_test

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/sealed"
	board "github.com/omov/omov/sealing"
)

// Only the pages whose script has to ask something may; the second device's may
// not. Each script is held against its hash.
func TestSealedPagesMaySendLittle(t *testing.T) {
	p := serveDemo(t, 400)
	ref := p.sealedRef()
	member := p.reader("a member", p.people.Member)
	for path, may := range map[string]bool{"/vote": true, "/receipt": true, "/check": false, "/trustees": false, "": false} {
		resp, err := member.http.Get(p.base + "/contests/" + ref + path)
		if err != nil {
			t.Fatal(err)
		}
		got := member.answer(path, resp, nil)
		csp := resp.Header.Get("Content-Security-Policy")
		if resp.StatusCode != http.StatusOK || strings.Contains(csp, "connect-src") != may || may && !strings.Contains(csp, "connect-src 'self'") || !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("%s: %d, %s", path, resp.StatusCode, csp)
		}
		for _, m := range regexp.MustCompile(`<script[^>]*src="/static/([a-z.]+)"([^>]*)>`).FindAllStringSubmatch(got.body, -1) {
			b, err := os.ReadFile("static/" + m[1])
			if err != nil {
				t.Fatal(err)
			}
			sum := sha512.Sum384(b)
			if want := `integrity="sha384-` + base64.StdEncoding.EncodeToString(sum[:]) + `"`; !strings.Contains(html.UnescapeString(m[2]), want) {
				t.Errorf("%s: %s has not %s", path, m[0], want)
			}
		}
		if got.wellMade(t, "a member"); path != "/trustees" && path != "" && !strings.Contains(got.body, "voter.js") {
			t.Errorf("%s has no script", path)
		}
	}
	if got := p.reader("the public", 0).get("/contests/" + ref + "/vote"); got.status != http.StatusUnauthorized {
		t.Errorf("the public gets a paper: %d", got.status)
	}
	// What is marked has no name on the page, so a browser without the script
	// sends nothing of it.
	page := member.get("/contests/" + ref + "/vote")
	for _, m := range regexp.MustCompile(`<(input|select)[^>]*data-option[^>]*>`).FindAllString(page.body, -1) {
		if strings.Contains(m, "name=") && !strings.Contains(m, `type="radio"`) {
			t.Errorf("the field has a name: %s", m)
		}
	}
	if i, j := strings.Index(page.body, `id="sealed"`), strings.Index(page.body, "Seal my paper"); i < 0 || strings.Contains(page.body[i:j], "<form") {
		t.Error("the paper stands in a form")
	}
	member.do("/contests/"+ref+"/vote", "/contests/"+ref+"/review", url.Values{"code": {"0123456789abcdef0123456789abcdef"}, "mark": {"1"}}, "not possible", "sealed on the voter’s own device")
}

// Without the script a paper is found too, and the page says that it is only the
// server's word.
func TestReceiptWithoutScript(t *testing.T) {
	p := serveDemo(t, 400)
	ref := p.sealedRef()
	public := p.reader("the public", 0)
	var standing, replaced string
	for seq := int64(1); seq <= p.size() && (standing == "" || replaced == ""); seq++ {
		hash := p.paperAt(seq)
		if hash == "" {
			continue
		}
		found, err := p.s.SealedPaperLike(p.ctx, ref, unhexed(t, hash[:20]))
		if err != nil || found.Hash != hash || found.Seq != seq {
			t.Fatalf("the paper of entry %d is not found: %+v %v", seq, found, err)
		}
		if found.Standing {
			standing = hash
		} else {
			replaced = hash
		}
	}
	if standing == "" || replaced == "" {
		t.Fatal("the demo has no paper that was replaced")
	}
	for _, c := range []struct{ code, says string }{
		{standing, "It counts"}, {standing[:20], "It counts"}, {strings.ToUpper(standing[:4] + "-" + standing[4:8] + " " + standing[8:20]), "It counts"},
		{replaced, "A later paper was cast"},
	} {
		got := public.get("/contests/" + ref + "/receipt?code=" + url.QueryEscape(c.code))
		if got.status != http.StatusOK || !strings.Contains(got.text(), c.says) || !strings.Contains(got.text(), "Your own device has not checked this") {
			t.Errorf("%s: %q is not on the page: %.500s", c.code, c.says, got.text())
		}
		got.wellMade(t, "the public")
	}
	for _, c := range []struct{ code, says string }{{"12", "five groups of four"}, {strings.Repeat("zz", 10), "five groups of four"}, {standing[:20] + "00", "five groups of four"}, {strings.Repeat("ab", 10), "No paper with this code"}} {
		if got := public.get("/contests/" + ref + "/receipt?code=" + c.code); !strings.Contains(got.text(), c.says) {
			t.Errorf("%s: %q is not on the page: %.500s", c.code, c.says, got.text())
		}
	}
	for path, status := range map[string]int{"zz": 400, "abcd": 400, strings.Repeat("ab", 33): 400, strings.Repeat("ab", 32): 404, standing: 200} {
		if got := public.get("/contests/" + ref + "/sealed/papers/" + path); got.status != status {
			t.Errorf("%s: %d, not %d", path, got.status, status)
		}
	}
}

// A page that looks a paper up follows it to the signed root by itself: it takes
// what holds, wherever in the record the paper stands, and nothing in which a
// byte is another.
func TestPageFollowsThePaperToTheRoot(t *testing.T) {
	p := serveDemo(t, 400)
	ref := p.sealedRef()
	ctx := voterPage(t, browser(t))
	key, _ := json.Marshal(p.ch.DB.VerifierKey())
	const js = `(async (found, key) => {
		const m = window.voter, out = [];
		try { m.follow(found, found.hash, key); m.follow(found, found.hash.slice(0, 20), key); } catch (e) { out.push("what holds is refused: " + e.message); }
		const refuse = (what, f, begin = found.hash, k = key) => { try { m.follow({ ...found, ...f }, begin, k); out.push(what); } catch (e) {} };
		const bytes = (s) => Uint8Array.from(atob(s), (c) => c.charCodeAt(0)), base64 = (b) => btoa(String.fromCharCode(...b));
		const bad = (s, i) => { const b = bytes(s); b[(i + b.length) % b.length] ^= 1; return base64(b); };
		refuse("another code", {}, "ab".repeat(32));
		refuse("another hash", { hash: "ab".repeat(32) }, "ab".repeat(32));
		refuse("another salt", { salt: bad(found.salt, 0) });
		refuse("another body", { body: base64(new TextEncoder().encode(new TextDecoder().decode(bytes(found.body)).replace("ballot/1", "ballot/2"))) });
		refuse("another commitment", { leaf: bad(found.leaf, -1) });
		refuse("another header", { leaf: base64(new TextEncoder().encode(new TextDecoder("latin1").decode(bytes(found.leaf)).replace('"seq":' + found.seq, '"seq":' + (found.seq + 1)))) });
		refuse("another place", { seq: found.seq - 1 });
		found.proof.forEach((h, i) => refuse("another hash " + i + " of the proof", { proof: found.proof.with(i, "00".repeat(32)) }));
		refuse("a longer proof", { proof: [...found.proof, "00".repeat(32)] });
		refuse("a shorter proof", { proof: found.proof.slice(1) });
		refuse("another size", { checkpoint: found.checkpoint.replace(/\n([0-9]+)\n/, (_, n) => "\n" + (Number(n) + 1) + "\n") });
		refuse("no signature", { checkpoint: found.checkpoint.split("\n\n")[0] + "\n\n" });
		refuse("another signature", { checkpoint: found.checkpoint.replace(/.(.)(=*)\n$/, (_, a, e) => (a === "A" ? "BB" : "AA") + e + "\n") });
		refuse("another key", {}, found.hash, key.slice(0, -4) + "AAA=");
		return out;
	})`
	n := 0
	for seq := p.size(); seq > 0 && n < 12; seq-- {
		hash := p.paperAt(seq)
		if hash == "" || n > 3 && seq%7 != 0 {
			continue
		}
		n++
		found := p.reader("the public", 0).get("/contests/" + ref + "/sealed/papers/" + hash)
		for _, what := range ask[[]string](t, ctx, js+"("+found.body+","+string(key)+")") {
			t.Errorf("entry %d: the page takes %s", seq, what)
		}
	}
	if n < 12 {
		t.Errorf("%d papers were followed", n)
	}
}

func unhexed(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A mixer who vanishes is excused on the page, with a reason that is public; then
// the next one goes on.
func TestMixerIsExcusedOnPages(t *testing.T) {
	p, ids := serveRules(t, strings.NewReplacer("METHOD", "av", "ballot: college", "ballot: member").Replace(sealedSociety))
	secretary, member := p.reader("the secretary", ids[3]), p.reader("a member", ids[7])
	h := p.holders("Ash", "Bay", "Cob")
	lines := strings.Join([]string{h.line("Ash"), h.line("Bay"), h.line("Cob")}, "\n")
	secretary.do("/office/trustees", "/office/trustees", url.Values{"lines": {lines}, "t": {"2"}, "sure": {"1"}}, "They hold the keys")
	st, err := p.s.Call(p.ctx, proceeding.Begin{Procedure: "election", Office: "chair", Cause: "annual", By: proceeding.Actor{Person: ids[3]}})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{5, 6} {
		if _, err := p.s.Do(p.ctx, st.Ref, proceeding.Back{By: proceeding.Actor{Person: ids[i]}, Candidate: ids[i]}); err != nil {
			t.Fatal(err)
		}
	}
	p.days(3)
	h.do(st.Ref, "Ash", "Bay", "Cob")
	for i, id := range ids[:9] {
		given, err := p.s.SealedSeat(p.ctx, st.Ref, id, 0, "")
		if err != nil {
			t.Fatal(err)
		}
		p.casts(st.Ref, id, codeOf(t, given), [][]int{{1, 2}, {2, 1}, {0, 1}}[i%3])
	}
	p.days(4)
	page := "/contests/" + st.Ref + "/trustees"
	secretary.do("/contests/"+st.Ref, "/contests/"+st.Ref+"/close", url.Values{}, "being opened")
	h.do(st.Ref, "Bay", "Cob")
	if got := secretary.get(page); !strings.Contains(got.text(), "Ash, to shuffle") || !strings.Contains(got.text(), "Excuse Ash from shuffling") {
		t.Fatalf("Ash is not waited for: %.900s", got.text())
	}
	if got := member.get(page); !strings.Contains(got.text(), "Ash, to shuffle") || strings.Contains(got.text(), "Excuse Ash") {
		t.Errorf("a member is shown what they cannot do: %.900s", got.text())
	}
	member.do("/me", page+"/excuse", url.Values{"trustee": {"Ash"}, "why": {"gone"}}, "not possible")
	secretary.do(page, page+"/excuse", url.Values{"trustee": {"Ash"}, "why": {""}}, "not possible", "public")
	secretary.do(page, page+"/excuse", url.Values{"trustee": {"Ash"}, "why": {"No answer to three letters."}}, "Ash is excused", "Bay, to shuffle")
	h.do(st.Ref, "Bay", "Cob")
	if got := secretary.get(page); !strings.Contains(got.text(), "The papers were opened and counted") || !strings.Contains(got.text(), "excused") {
		t.Errorf("two of three do not open it: %.900s", got.text())
	}
	b, err := p.s.SealedBoard(p.ctx, st.Ref)
	if err != nil || b.Phase != board.Counted {
		t.Errorf("the ballot is %+v: %v", b, err)
	}
}

// paperAt is the hash of the sealed paper that an entry holds; empty where it
// holds none.
func (p *party) paperAt(seq int64) string {
	p.t.Helper()
	m := p.minute(seq)
	if m.Kind != proceeding.KindSealedPaper {
		return ""
	}
	var b proceeding.SealedPaperBody
	if err := json.Unmarshal(m.Body, &b); err != nil {
		p.t.Fatal(err)
	}
	return hashOf(p.t, b.Paper)
}

func (p *party) minute(seq int64) (m minutes.Minute) {
	p.t.Helper()
	if err := p.ch.Read(p.ctx, func(w *chamber.World) (err error) {
		m, err = w.Tx().Minute(seq)
		return err
	}); err != nil {
		p.t.Fatal(err)
	}
	return m
}

func hashOf(t *testing.T, raw []byte) string {
	t.Helper()
	paper, err := sealed.DecodePaper(raw)
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(paper.Hash[:])
}

// codeOf is the voting code that the server gives a voter's page.
func codeOf(t *testing.T, given *board.Given) sealed.Code {
	t.Helper()
	c, err := sealed.ReadCode(given.Code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
