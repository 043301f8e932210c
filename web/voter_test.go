package web_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/scripts/voter/bundle"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/sealed/transcript"
	"github.com/omov/omov/verify/seal"
)

const voterScript = "static/voter.js"

// What is served is what the sources give: anybody can build it again.
func TestVoterScriptIsBuiltFromItsSources(t *testing.T) {
	want, err := bundle.Build("voter")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(voterScript)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Error("web/static/voter.js is not what its sources give; run go run ./scripts/voter")
	}
}

// voterPage opens a page in a browser that has nothing but the voter's script.
func voterPage(t testing.TB, alloc context.Context) context.Context {
	t.Helper()
	script, err := os.ReadFile(voterScript)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/voter.js" {
			w.Header().Set("Content-Type", "text/javascript")
			w.Write(script)
			return
		}
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'")
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><title>Voter</title>")
	}))
	t.Cleanup(srv.Close)
	ctx, stop := chromedp.NewContext(alloc, chromedp.WithNewBrowserContext())
	t.Cleanup(stop)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	if _, err := chromedp.Run(ctx, chromedp.Navigate(srv.URL)); err != nil {
		t.Fatal(err)
	}
	ask[bool](t, ctx, `import("/voter.js").then(m => { window.voter = m; return true; })`)
	return ctx
}

// ask evaluates a promise on the page.
func ask[T any](t testing.TB, ctx context.Context, js string) T {
	t.Helper()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("the page says: %v", err)
	}
	return out
}

func vectors(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("../sealed/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// checkVectors holds everything in the shared vectors that a voter's page does
// against what it does; it gives what differs.
const checkVectors = `(async (v) => {
	const m = window.voter, wrong = [], same = (what, got, want) => { if (got !== want) wrong.push(what + ": " + got + ", not " + want); };
	for (const x of v.transcripts) {
		const t = new m.Transcript(x.protocol);
		for (const [name, data] of x.frames || []) t.absorb(new TextDecoder().decode(m.unhex(name)), m.unhex(data));
		const d = t.draw(x.draw);
		same("digest", m.hex(d), x.digest);
		same("scalar", m.hex(m.scalar(m.wide(d))), x.scalar);
		same("next digest", m.hex(t.draw(x.next_draw)), x.next_digest);
	}
	for (const x of v.codes) {
		const code = m.readCode(x.text);
		same("code", m.writeCode(code), x.text);
		const k = m.signingKey(code, m.unhex(x.manifest_hash), x.section);
		same("secret", m.hex(m.scalar(k)), x.secret);
		same("key", m.hex(m.encode(m.times(m.BASE, k))), x.key);
	}
	for (const x of v.signatures) {
		const [key, msg, sig] = [m.unhex(x.key), m.unhex(x.message), m.unhex(x.signature)];
		same("signature", m.verify(key, x.purpose, msg, sig), true);
		sig[40] ^= 1;
		same("a signature that was altered", m.verify(key, x.purpose, msg, sig), false);
		sig[40] ^= 1;
		same("a signature for something else", m.verify(key, x.purpose + "s", msg, sig), false);
	}
	for (const x of v.numbers) {
		const n = m.numberOf(x.form, x.paper);
		same("number", n.toString(), x.number);
		same("elements", m.hex(m.embed(x.form, n)), x.elements);
		same("the paper of a number", String(m.paperOf(x.form, n)), String(x.paper));
	}
	const manifest = JSON.parse(new TextDecoder().decode(m.unhex(v.manifest)));
	for (const x of v.papers) {
		const raw = m.unhex(x.paper);
		same("hash of a paper", m.hex(m.hashOf(raw)), x.hash);
		const place = { contest: manifest.contests.find(c => c.id === x.contest), section: manifest.sections[0].id, key: m.unhex(v.joint_key) };
		const rs = x.randomness.map(m.unhex);
		same("an audit", m.audit(place, x.marks, raw, rs), true);
		const ballot = { manifest: new TextDecoder().decode(m.unhex(v.manifest)), key: v.joint_key };
		same("what a paper says when it is opened", String(m.open(ballot, m.unpack(m.pack(raw, rs))).marks), String(x.marks));
		same("what its file says", String(m.open(ballot, m.readFile(m.file(ballot.manifest, m.unhex(ballot.key), raw, rs))).marks), String(x.marks));
		const refuse = (what, f) => { try { f(); wrong.push("it is opened with " + what); } catch (e) {} };
		const bad = (b, i) => { const c = b.slice(); c[i] ^= 1; return c; };
		refuse("other randomness", () => m.open(ballot, { raw, randomness: [bad(rs[0], 3), ...rs.slice(1)] }));
		refuse("less randomness", () => m.open(ballot, { raw, randomness: rs.slice(1) }));
		refuse("another manifest", () => m.open({ ...ballot, manifest: ballot.manifest.replace('"v":1', '"v":2') }, { raw, randomness: rs }));
		refuse("another key", () => m.open({ ...ballot, key: m.hex(m.encode(m.BASE)) }, { raw, randomness: rs }));
		refuse("a file for another key", () => m.open(ballot, { raw, randomness: rs, key: m.hex(m.encode(m.BASE)) }));
		for (const at of [0, 5, 40, raw.length - 70, raw.length - 1]) refuse("byte " + at + " altered", () => m.open(ballot, { raw: bad(raw, at), randomness: rs }));
		refuse("a byte more", () => m.open(ballot, { raw: new Uint8Array([...raw, 0]), randomness: rs }));
		refuse("a byte less", () => m.open(ballot, { raw: raw.slice(0, -1), randomness: rs }));
		const other = x.marks.map((k, i) => place.contest.form === "sum" ? (i === 0 ? 1 - k : k) : k ? x.marks.filter(Boolean).length + 1 - k : 0);
		try { same("an audit of other marks", m.audit(place, other, raw, rs), false); } catch (e) {}
	}
	return wrong;
})`

func TestVoterAgreesOnTheVectors(t *testing.T) {
	ctx := voterPage(t, browser(t))
	for _, w := range ask[[]string](t, ctx, checkVectors+"("+string(vectors(t))+")") {
		t.Error(w)
	}
}

// sealing seals papers on the page: for each a contest, marks and what it
// replaces. It gives their bytes and randomness in hexadecimal.
const sealing = `(async (v, jobs) => {
	const m = window.voter, manifest = JSON.parse(new TextDecoder().decode(m.unhex(v.manifest)));
	const hash = m.unhex(v.manifest_hash), section = manifest.sections[0].id;
	const secret = m.signingKey(m.readCode(v.codes[0].text), hash, section);
	const last = {};
	return jobs.map(j => {
		const contest = manifest.contests.find(c => c.id === j.contest);
		const before = last[j.contest] || { hash, sequence: 0 };
		const place = { manifestHash: hash, key: m.unhex(v.joint_key), contest, section, previous: before.hash, sequence: before.sequence + 1 };
		const p = m.seal(place, j.marks, secret);
		last[j.contest] = { hash: p.hash, sequence: place.sequence };
		return { raw: m.hex(p.raw), hash: m.hex(p.hash), randomness: p.randomness.map(m.hex) };
	});
})`

type sealedOnPage struct {
	Raw        string
	Hash       string
	Randomness []string
}

type job struct {
	Contest string `json:"contest"`
	Marks   []int  `json:"marks"`
}

// What the page seals the server accepts, and opened with its randomness it
// says what was marked: in every form, replaced again and again.
func TestServerTakesWhatThePageSeals(t *testing.T) {
	var v struct {
		Manifest string `json:"manifest"`
		Joint    string `json:"joint_key"`
		Codes    []struct {
			Text string `json:"text"`
		} `json:"codes"`
	}
	if err := json.Unmarshal(vectors(t), &v); err != nil {
		t.Fatal(err)
	}
	raw, _ := hex.DecodeString(v.Manifest)
	m, err := sealed.DecodeManifest(raw)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := m.Hash()
	if err != nil {
		t.Fatal(err)
	}
	g := ristretto.New()
	key, _ := hex.DecodeString(v.Joint)
	checker, err := sealed.NewChecker(g, m, [32]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	code, err := sealed.ReadCode(v.Codes[0].Text)
	if err != nil {
		t.Fatal(err)
	}
	section := m.Sections[0]
	board, err := sealed.NewBoard(checker, []sealed.Credential{{Key: code.Key(hash, section.ID).Public(g), Section: section.ID, Class: section.Classes[0].ID}})
	if err != nil {
		t.Fatal(err)
	}
	jobs := []job{
		{"leader", []int{0, 0, 0, 0, 0}}, {"leader", []int{1, 2, 3, 4, 5}}, {"leader", []int{0, 2, 0, 0, 1}}, {"leader", []int{5, 4, 3, 2, 1}},
		{"motion", []int{1, 0}}, {"motion", []int{0, 1}}, {"motion", []int{0, 0}},
		{"panel", []int{1, 1, 1, 0}}, {"panel", []int{0, 0, 0, 1}}, {"panel", []int{0, 0, 0, 0}},
	}
	long := make([]int, 70)
	for i := range long {
		long[(i*37)%70] = i + 1
	}
	jobs = append(jobs, job{"letter", long})
	given, _ := json.Marshal(jobs)
	out := ask[[]sealedOnPage](t, voterPage(t, browser(t)), sealing+"("+string(vectors(t))+","+string(given)+")")
	if len(out) != len(jobs) {
		t.Fatalf("%d papers of %d", len(out), len(jobs))
	}
	for i, p := range out {
		raw, _ := hex.DecodeString(p.Raw)
		receipt, err := board.Post(raw)
		if err != nil {
			t.Errorf("%s %v is refused: %v", jobs[i].Contest, jobs[i].Marks, err)
			continue
		}
		if hex.EncodeToString(receipt.Paper[:]) != p.Hash {
			t.Errorf("%s: the page shows %s, the receipt is %x", jobs[i].Contest, p.Hash, receipt.Paper)
		}
		paper, err := sealed.DecodePaper(raw)
		if err != nil {
			t.Fatal(err)
		}
		var rs []proof.Secret
		for _, r := range p.Randomness {
			b, _ := hex.DecodeString(r)
			s, ok := transcript.Scalar(b)
			if !ok {
				t.Fatal("the randomness is no scalar")
			}
			rs = append(rs, proof.SecretOf(s))
		}
		marks, err := checker.Audit(paper, rs)
		if err != nil || !slices.Equal(marks, jobs[i].Marks) {
			t.Errorf("%s: marked %v, sealed %v: %v", jobs[i].Contest, jobs[i].Marks, marks, err)
		}
	}
}

// The file that the page gives of a paper that is checked is what the verifier
// reads, with code of its own, and both say the same of it.
func TestVerifierReadsThePagesFile(t *testing.T) {
	var v struct {
		Papers []struct{ Marks []int } `json:"papers"`
	}
	if err := json.Unmarshal(vectors(t), &v); err != nil {
		t.Fatal(err)
	}
	files := ask[[]string](t, voterPage(t, browser(t)), `(async (v) => {
		const m = window.voter, manifest = new TextDecoder().decode(m.unhex(v.manifest));
		return v.papers.map((x) => m.file(manifest, m.unhex(v.joint_key), m.unhex(x.paper), x.randomness.map(m.unhex)));
	})`+"("+string(vectors(t))+")")
	for i, f := range files {
		got, err := seal.ReadAudit(ristretto.New(), []byte(f))
		if err != nil || !slices.Equal(got.Paper, v.Papers[i].Marks) {
			t.Errorf("the verifier reads %+v, not %v: %v", got, v.Papers[i].Marks, err)
		}
	}
	if len(files) < 3 {
		t.Errorf("%d files", len(files))
	}
}

// A paper that cannot be is not sealed, and a mistyped code is found.
func TestPageRefusesWhatCannotBe(t *testing.T) {
	ctx := voterPage(t, browser(t))
	got := ask[[]string](t, ctx, `(async (v) => {
		const m = window.voter, out = [], manifest = JSON.parse(new TextDecoder().decode(m.unhex(v.manifest)));
		const hash = m.unhex(v.manifest_hash), secret = m.signingKey(m.readCode(v.codes[0].text), hash, "members");
		const place = (id) => ({ manifestHash: hash, key: m.unhex(v.joint_key), contest: manifest.contests.find(c => c.id === id), section: "members", previous: hash, sequence: 1 });
		const refuse = (what, f) => { try { f(); out.push(what); } catch (e) {} };
		refuse("two first preferences", () => m.seal(place("leader"), [1, 1, 0, 0, 0], secret));
		refuse("a rank left out", () => m.seal(place("leader"), [1, 3, 0, 0, 0], secret));
		refuse("too few options", () => m.seal(place("leader"), [1, 2], secret));
		refuse("two marks of one", () => m.seal(place("motion"), [1, 1], secret));
		refuse("half a mark", () => m.seal(place("motion"), [0.5, 0], secret));
		refuse("a key that is none", () => m.seal({ ...place("motion"), key: new Uint8Array(32) }, [1, 0], secret));
		refuse("a mistyped code", () => m.readCode(v.codes[0].text.replace(/.$/, c => c === "0" ? "1" : "0")));
		refuse("half a code", () => m.readCode(v.codes[0].text.slice(0, 20)));
		return out;
	})`+"("+string(vectors(t))+")")
	for _, what := range got {
		t.Errorf("the page takes %s", what)
	}
}

// The time in which the page seals a ranking of twenty.
func BenchmarkVoterSeals20(b *testing.B) {
	ctx := voterPage(b, browser(b))
	const js = `(async (v) => {
		const m = window.voter, hash = m.unhex(v.manifest_hash), secret = m.signingKey(m.readCode(v.codes[0].text), hash, "members");
		const options = Array.from({ length: 20 }, (_, i) => "option " + i), marks = options.map((_, i) => (i * 7) % 20 + 1);
		const place = { manifestHash: hash, key: m.unhex(v.joint_key), contest: { id: "leader", form: "ranks", options, least: 0, most: 0, top: 0 }, section: "members", previous: hash, sequence: 1 };
		const times = [];
		for (let i = 0; i < 15; i++) { const t = performance.now(); m.seal(place, marks, secret); times.push(performance.now() - t); }
		return times.sort((a, b) => a - b)[7];
	})`
	for b.Loop() {
		b.ReportMetric(ask[float64](b, ctx, js+"("+string(vectors(b))+")"), "ms/paper")
	}
}
