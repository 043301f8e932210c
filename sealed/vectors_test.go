package sealed_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"slices"
	"testing"

	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/group"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/marks"
	"github.com/omov/omov/sealed/mixing"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/sealed/transcript"
)

// hexBytes is written in hexadecimal.
type hexBytes []byte

func (h hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

func (h *hexBytes) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

// vectors are what Go, JavaScript and the verifier all must agree on. What
// follows from the inputs is recomputed and compared; what was drawn is
// checked. OMOV_VECTORS=1 writes the file anew: only where a format changes.
type vectors struct {
	Note       string             `json:"note"`
	Transcript []transcriptVector `json:"transcripts"`
	Stream     streamVector       `json:"stream"`
	Generators generatorsVector   `json:"generators"`
	Codes      []codeVector       `json:"codes"`
	Signatures []signatureVector  `json:"signatures"`
	Numbers    []numberVector     `json:"numbers"`
	Manifest   hexBytes           `json:"manifest"`
	Hash       hexBytes           `json:"manifest_hash"`
	Keygen     []string           `json:"keygen_messages"`
	Digest     hexBytes           `json:"keygen_digest"`
	Joint      hexBytes           `json:"joint_key"`
	Publics    []hexBytes         `json:"verification_keys"`
	Papers     []paperVector      `json:"papers"`
	Mix        mixVector          `json:"mix"`
	Opening    openingVector      `json:"opening"`
}

type transcriptVector struct {
	Protocol  string        `json:"protocol"`
	Frames    [][2]hexBytes `json:"frames"` // name, data
	Draw      string        `json:"draw"`
	Digest    hexBytes      `json:"digest"`
	Scalar    hexBytes      `json:"scalar"`
	NextDraw  string        `json:"next_draw"`
	NextValue hexBytes      `json:"next_digest"`
}

type streamVector struct {
	Seed   hexBytes   `json:"seed"`
	Values []hexBytes `json:"values"`
	Short  []hexBytes `json:"short_scalars"`
}

type generatorsVector struct {
	Manifest hexBytes   `json:"manifest_hash"`
	Elements []hexBytes `json:"elements"` // 0 is H, for the chain
}

type codeVector struct {
	Text     string   `json:"text"`
	Manifest hexBytes `json:"manifest_hash"`
	Section  string   `json:"section"`
	Secret   hexBytes `json:"secret"`
	Key      hexBytes `json:"key"`
}

type signatureVector struct {
	Purpose   string   `json:"purpose"`
	Key       hexBytes `json:"key"`
	Message   hexBytes `json:"message"`
	Signature hexBytes `json:"signature"`
}

type numberVector struct {
	Form     marks.Form `json:"form"`
	Paper    []int      `json:"paper"`
	Number   string     `json:"number"`
	Elements hexBytes   `json:"elements"`
}

type paperVector struct {
	Contest string     `json:"contest"`
	Marks   []int      `json:"marks"`
	Raw     hexBytes   `json:"paper"`
	Hash    hexBytes   `json:"hash"`
	Random  []hexBytes `json:"randomness"`
}

type mixVector struct {
	Closing hexBytes `json:"closing"`
	Group   string   `json:"group"`
	Mixer   string   `json:"mixer"`
	In      hexBytes `json:"in"`
	Bytes   hexBytes `json:"mix"`
}

type openingVector struct {
	Outputs hexBytes   `json:"outputs"`
	Shares  []hexBytes `json:"shares"`
	Papers  [][]int    `json:"papers"`
}

const vectorsFile = "testdata/vectors.json"

func TestVectors(t *testing.T) {
	if os.Getenv("OMOV_VECTORS") != "" {
		writeVectors(t)
	}
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	for name, check := range map[string]func(*testing.T, *vectors){
		"transcript": checkTranscripts, "codes": checkCodes, "numbers": checkNumbers, "election": checkElection,
	} {
		t.Run(name, func(t *testing.T) { check(t, &v) })
	}
}

func same(t testing.TB, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) || len(want) == 0 {
		t.Errorf("%s is %x, not %x", what, got, want)
	}
}

func checkTranscripts(t *testing.T, v *vectors) {
	for _, c := range v.Transcript {
		run := func() *transcript.Transcript {
			tr := transcript.New(c.Protocol)
			for _, f := range c.Frames {
				tr.Absorb(string(f[0]), f[1])
			}
			return tr
		}
		tr := run()
		d := tr.Draw(c.Draw)
		same(t, "draw", d[:], c.Digest)
		d = tr.Draw(c.NextDraw)
		same(t, "next draw", d[:], c.NextValue)
		s := run().Challenge(c.Draw)
		same(t, "scalar", s.Bytes(), c.Scalar)
	}
	for i := range v.Stream.Values {
		d := transcript.At((*[64]byte)(v.Stream.Seed), i)
		same(t, "value", d[:], v.Stream.Values[i])
		s := transcript.ShortAt((*[64]byte)(v.Stream.Seed), i)
		same(t, "short scalar", s.Bytes(), v.Stream.Short[i])
	}
	g := ristretto.New()
	for i, e := range mixing.Generators(g, [32]byte(v.Generators.Manifest), len(v.Generators.Elements)) {
		same(t, "generator", g.EncodeAll(nil, []ristretto.Point{e}), v.Generators.Elements[i])
	}
	for _, s := range v.Signatures {
		if !proof.Signed(g, s.Purpose, s.Key, s.Message, s.Signature) {
			t.Error("a signature does not hold")
		}
	}
	if len(v.Transcript) < 2 || len(v.Stream.Values) < 2 || len(v.Generators.Elements) < 3 || len(v.Signatures) == 0 {
		t.Error("too few vectors")
	}
}

func checkCodes(t *testing.T, v *vectors) {
	g := ristretto.New()
	for _, c := range v.Codes {
		code, err := sealed.ReadCode(c.Text)
		if err != nil {
			t.Fatal(err)
		}
		k := code.Key([32]byte(c.Manifest), c.Section)
		same(t, "secret", k.Expose(), c.Secret)
		p := k.Public(g)
		same(t, "key", p[:], c.Key)
	}
	if len(v.Codes) < 2 {
		t.Error("too few vectors")
	}
}

func checkNumbers(t *testing.T, v *vectors) {
	g := ristretto.New()
	for _, c := range v.Numbers {
		book, err := c.Form.Book()
		if err != nil {
			t.Fatal(err)
		}
		n, err := book.Number(c.Paper)
		if err != nil || n.String() != c.Number {
			t.Errorf("%v has number %v (%v), not %s", c.Paper, n, err, c.Number)
			continue
		}
		e, err := book.Embed(g, n)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "elements", e, c.Elements)
		back, err := book.Extract(g, c.Elements)
		if err != nil || back.Cmp(n) != 0 {
			t.Errorf("%s comes back as %v (%v)", c.Number, back, err)
		}
	}
	if len(v.Numbers) < 8 {
		t.Error("too few vectors")
	}
}

func checkElection(t *testing.T, v *vectors) {
	e := &election{t: t, g: ristretto.New()}
	var err error
	e.m, err = sealed.DecodeManifest(v.Manifest)
	e.must(err)
	e.hash, err = e.m.Hash()
	e.must(err)
	same(t, "hash", e.hash[:], v.Hash)
	e.ceremony, err = keygen.NewCeremony(e.g, e.m.Ceremony(e.hash))
	e.must(err)
	for i, raw := range v.Keygen {
		e.must(e.ceremony.Post([]byte(raw)))
		if (i+1)%len(e.m.Trustees) == 0 {
			e.must(e.ceremony.Next(false))
			if e.ceremony.Phase() == keygen.Reply {
				e.must(e.ceremony.Next(false))
			}
		}
	}
	digest, err := e.ceremony.Digest()
	e.must(err)
	same(t, "digest", digest[:], v.Digest)
	e.key, err = e.ceremony.Joint()
	e.must(err)
	same(t, "joint key", e.key[:], v.Joint)
	e.checker, err = sealed.NewChecker(e.g, e.m, e.key)
	e.must(err)
	for _, c := range v.Papers {
		p, err := sealed.DecodePaper(c.Raw)
		e.must(err)
		same(t, "hash", p.Hash[:], c.Hash)
		var rs []proof.Secret
		for _, r := range c.Random {
			s, ok := transcript.Scalar(r)
			if !ok {
				t.Fatal("randomness is no number")
			}
			rs = append(rs, proof.SecretOf(s))
		}
		got, err := e.checker.Audit(p, rs)
		if err != nil || !slices.Equal(got, c.Marks) {
			t.Errorf("a paper audits as %v (%v), not %v", got, err, c.Marks)
		}
	}
	st := &mixing.Statement{Manifest: e.hash, Closing: [32]byte(v.Mix.Closing), Group: v.Mix.Group, Mixer: v.Mix.Mixer, Key: e.key, Width: 1, In: v.Mix.In}
	p, err := mixing.Decode(st, v.Mix.Bytes)
	e.must(err)
	e.must(mixing.Verify(e.g, st, p))
	same(t, "outputs", st.Out, v.Opening.Outputs)
	e.checkOpening(v, st)
}

func (e *election) checkOpening(v *vectors, st *mixing.Statement) {
	e.t.Helper()
	o := &sealed.Opening{Manifest: e.hash, Closing: st.Closing, Group: st.Group, Pairs: st.Out}
	var shares []*sealed.Shares
	for _, raw := range v.Opening.Shares {
		s, err := sealed.DecodeShares(raw)
		e.must(err)
		public, err := e.ceremony.Public(s.Trustee)
		e.must(err)
		same(e.t, "verification key", public[:], v.Publics[s.Trustee-1])
		e.must(o.CheckShares(e.g, s, public))
		shares = append(shares, s)
	}
	plain, err := o.Combine(e.g, e.m.Threshold, shares)
	e.must(err)
	papers, spoilt, err := sealed.Papers(e.g, e.m.Contest("leader"), plain)
	e.must(err)
	if fmt.Sprint(papers) != fmt.Sprint(v.Opening.Papers) || len(spoilt) > 0 || len(papers) < 5 {
		e.t.Errorf("%v, not %v", papers, v.Opening.Papers)
	}
}

func writeVectors(t *testing.T) {
	v := &vectors{Note: "Shared by Go, JavaScript and the verifier; docs/sealed-format.md says what each is. Bytes are in hexadecimal."}
	writeSmall(t, v)
	writeElection(t, v)
	b, err := json.MarshalIndent(v, "", " ")
	if err == nil {
		err = os.WriteFile(vectorsFile, append(b, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func writeSmall(t *testing.T, v *vectors) {
	g := ristretto.New()
	for _, c := range []transcriptVector{
		{Protocol: "test", Draw: "challenge", NextDraw: "challenge"},
		{Protocol: "mix", Draw: "papers", NextDraw: "challenge", Frames: [][2]hexBytes{{[]byte("manifest"), bytes.Repeat([]byte{1}, 32)}, {[]byte("in"), nil}, {[]byte("out"), bytes.Repeat([]byte{0xab}, 300)}}},
	} {
		tr, again := transcript.New(c.Protocol), transcript.New(c.Protocol)
		for _, f := range c.Frames {
			tr.Absorb(string(f[0]), f[1])
			again.Absorb(string(f[0]), f[1])
		}
		d := tr.Draw(c.Draw)
		c.Digest = slices.Clone(d[:])
		d = tr.Draw(c.NextDraw)
		c.NextValue = slices.Clone(d[:])
		s := again.Challenge(c.Draw)
		c.Scalar = s.Bytes()
		v.Transcript = append(v.Transcript, c)
	}
	seed := transcript.New("test").Draw("seed")
	v.Stream.Seed = seed[:]
	for i := range 3 {
		d, s := transcript.At(&seed, i), transcript.ShortAt(&seed, i)
		v.Stream.Values, v.Stream.Short = append(v.Stream.Values, d[:]), append(v.Stream.Short, s.Bytes())
	}
	manifest := [32]byte{1, 2, 3}
	v.Generators.Manifest = manifest[:]
	for _, p := range mixing.Generators(g, manifest, 4) {
		v.Generators.Elements = append(v.Generators.Elements, g.EncodeAll(nil, []ristretto.Point{p}))
	}
	for _, section := range []string{"members", "unions"} {
		c := sealed.NewCode()
		k := c.Key(manifest, section)
		p := k.Public(g)
		v.Codes = append(v.Codes, codeVector{c.Text(), manifest[:], section, k.Expose(), p[:]})
		v.Signatures = append(v.Signatures, signatureVector{"paper", p[:], []byte(section), proof.Sign(g, k, "paper", []byte(section))})
	}
	for _, c := range []struct {
		f marks.Form
		p []int
	}{
		{marks.Form{Kind: marks.Ranks, Options: 3}, []int{0, 0, 0}}, {marks.Form{Kind: marks.Ranks, Options: 3}, []int{2, 0, 1}},
		{marks.Form{Kind: marks.Ranks, Options: 5, Most: 2}, []int{0, 0, 2, 0, 1}}, {marks.Form{Kind: marks.Equal, Options: 4}, []int{1, 2, 1, 0}},
		{marks.Form{Kind: marks.Equal, Options: 5}, []int{2, 1, 1, 3, 3}}, {marks.Form{Kind: marks.Marks, Options: 6, Most: 3}, []int{0, 1, 0, 0, 1, 0}},
		{marks.Form{Kind: marks.Points, Options: 3, Top: 5}, []int{6, 0, 1}}, {marks.Form{Kind: marks.Ranks, Options: 54}, ranking(54)}, {marks.Form{Kind: marks.Ranks, Options: 60}, ranking(60)},
	} {
		book, err := c.f.Book()
		if err != nil {
			t.Fatal(err)
		}
		var n *big.Int
		if n, err = book.Number(c.p); err != nil {
			t.Fatal(err)
		}
		e, err := book.Embed(g, n)
		if err != nil {
			t.Fatal(err)
		}
		v.Numbers = append(v.Numbers, numberVector{c.f, c.p, n.String(), e})
	}
}

// ranking ranks every option, in an order of its own.
func ranking(n int) []int {
	p := make([]int, n)
	for i := range p {
		p[i] = (11*i+3)%n + 1 // n has no factor of 11
	}
	return p
}

func writeElection(t *testing.T, v *vectors) {
	e := newElection(t, 3, 2, 18)
	b, err := e.m.Bytes()
	e.must(err)
	v.Manifest, v.Hash = b, e.hash[:]
	c, err := keygen.NewCeremony(e.g, e.m.Ceremony(e.hash))
	e.must(err)
	for c.Phase() != keygen.Done {
		for _, j := range c.Waiting() {
			m, err := keygen.NewMember(e.g, e.m.Ceremony(e.hash), e.ids[j-1])
			e.must(err)
			raw, err := map[keygen.Kind]func() ([]byte, error){
				keygen.Commit: m.Commit, keygen.Reveal: m.Reveal,
				keygen.Verdict: func() ([]byte, error) { return m.Verdict(c) },
				keygen.Confirm: func() ([]byte, error) { return m.Confirm(c) },
			}[c.Phase()]()
			e.must(err)
			e.must(c.Post(raw))
			v.Keygen = append(v.Keygen, string(raw))
		}
		e.must(c.Next(false))
	}
	e.ceremony = c
	digest, _ := c.Digest()
	v.Digest, v.Joint = digest[:], e.key[:]
	for j := range e.ids {
		p, err := c.Public(j + 1)
		e.must(err)
		v.Publics = append(v.Publics, p[:])
	}
	for contest, paper := range map[string][]int{"leader": {3, 1, 2, 0, 0}, "motion": {0, 1}, "panel": {1, 0, 1, 0}, "letter": ranking(70)} {
		bl := sealed.Ballot{Group: e.g, Manifest: e.m, Key: e.key, Contest: contest, Section: "members", Previous: e.hash, Sequence: 1}
		raw, rs, err := bl.Seal(paper, e.secrets[0])
		e.must(err)
		p, err := sealed.DecodePaper(raw)
		e.must(err)
		pv := paperVector{Contest: contest, Marks: paper, Raw: raw, Hash: p.Hash[:]}
		for _, r := range rs {
			pv.Random = append(pv.Random, r.Expose())
		}
		v.Papers = append(v.Papers, pv)
	}
	slices.SortFunc(v.Papers, func(a, b paperVector) int { return bytes.Compare([]byte(a.Contest), []byte(b.Contest)) })
	e.writeOpening(v)
}

func (e *election) writeOpening(v *vectors) {
	for i := 0; i < 18; i += 3 {
		paper := make([]int, 5)
		paper[i%5], paper[(i+1)%5] = 1, 2
		e.cast(i, "leader", paper)
	}
	in, _ := e.board.Group("leader", "members", "full")
	st := &mixing.Statement{Manifest: e.hash, Closing: [32]byte{9}, Group: "leader/members/full", Mixer: e.m.Mixers[0], Key: e.key, Width: 1, In: in}
	p, err := mixing.Shuffle(e.g, st)
	e.must(err)
	v.Mix = mixVector{st.Closing[:], st.Group, st.Mixer, in, p.Encode(st)}
	o := &sealed.Opening{Manifest: e.hash, Closing: st.Closing, Group: st.Group, Pairs: st.Out}
	v.Opening.Outputs = st.Out
	var shares []*sealed.Shares
	for _, j := range []int{1, 3} {
		m, err := keygen.NewMember(e.g, e.m.Ceremony(e.hash), e.ids[j-1])
		e.must(err)
		x, err := m.Share(e.ceremony)
		e.must(err)
		s, err := o.MakeShares(e.g, group.Voi{}, j, x)
		e.must(err)
		shares = append(shares, s)
		v.Opening.Shares = append(v.Opening.Shares, s.Encode())
	}
	plain, err := o.Combine(e.g, 2, shares)
	e.must(err)
	v.Opening.Papers, _, err = sealed.Papers(e.g, e.m.Contest("leader"), plain)
	e.must(err)
}
