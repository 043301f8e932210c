package postbox

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/tiles"
)

// book is a log whose server can sign whatever it likes, the registrar being in
// league with it.
type book struct {
	t         *testing.T
	g         *ristretto.Group
	m         *sealed.Manifest
	hash      [32]byte
	registrar proof.Secret
	joint     [32]byte
	lines     [][]byte
	leaves    []tiles.Hash
}

func newBook(t *testing.T) *book {
	t.Helper()
	b := &book{t: t, g: ristretto.New(), registrar: proof.NewSecret()}
	id := keygen.NewIdentity()
	sign, seal, reg := id.Sign().Public(b.g), id.Seal().Public(b.g), b.registrar.Public(b.g)
	b.m = &sealed.Manifest{Version: 1, Group: "ristretto255", Election: "R-1.vote.1.1", Threshold: 1, Mixers: []string{"Ash"}, MinSize: 5,
		Contests:  []sealed.Contest{{ID: "vote", Options: []string{"yes", "no"}, Form: "ranks"}},
		Sections:  []sealed.Section{{ID: "voters", Classes: []sealed.Class{{ID: "v1", Weight: "1"}}}},
		Trustees:  []sealed.Trustee{{Name: "Ash", Sign: hex.EncodeToString(sign[:]), Seal: hex.EncodeToString(seal[:])}},
		Registrar: sealed.Registrar{Name: "Hazel", Key: hex.EncodeToString(reg[:])}}
	if err := b.m.Check(); err != nil {
		t.Fatal(err)
	}
	b.hash, _ = b.m.Hash()
	b.joint = proof.NewSecret().Public(b.g)
	return b
}

// enter appends a public entry, and gives its number.
func (b *book) enter(kind string, body any) int64 {
	b.t.Helper()
	m, err := minutes.Number(minutes.Entry{Kind: kind, Access: minutes.Public, Proceeding: "R-1", Body: body}, int64(len(b.lines)+1), time.Now(), sha256.Sum256([]byte{byte(len(b.lines))}))
	if err != nil {
		b.t.Fatal(err)
	}
	leaf, err := m.Leaf()
	if err != nil {
		b.t.Fatal(err)
	}
	header, err := m.Header()
	if err != nil {
		b.t.Fatal(err)
	}
	line, err := json.Marshal(map[string]any{"header": json.RawMessage(header), "salt": hex.EncodeToString(m.Salt[:]), "body": json.RawMessage(m.Body)})
	if err != nil {
		b.t.Fatal(err)
	}
	b.lines, b.leaves = append(b.lines, append(line, '\n')), append(b.leaves, tiles.LeafHash(leaf))
	return int64(len(b.lines))
}

func (b *book) list(codes ...sealed.Code) int64 {
	b.t.Helper()
	g := sealed.ListingGroup{Section: "voters", Class: "v1"}
	for _, c := range codes {
		k := c.Key(b.hash, "voters").Public(b.g)
		g.Keys = append(g.Keys, k[:])
	}
	slices.SortFunc(g.Keys, bytes.Compare)
	body, signature, err := sealed.SignListing(b.g, &sealed.Listing{Version: 1, Manifest: hex.EncodeToString(b.hash[:]), Groups: []sealed.ListingGroup{g}}, b.registrar)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.enter(kindListed, proceeding.ListedBody{Ballot: "R-1/vote/1", List: body, Signature: signature})
}

func (b *book) paper(c sealed.Code) []byte {
	b.t.Helper()
	x := &sealed.Ballot{Group: b.g, Manifest: b.m, Key: b.joint, Contest: "vote", Section: "voters", Previous: b.hash, Sequence: 1}
	raw, _, err := x.Seal([]int{1, 2}, c.Key(b.hash, "voters"))
	if err != nil {
		b.t.Fatal(err)
	}
	return raw
}

func (b *book) cast(papers ...[]byte) {
	for _, p := range papers {
		b.enter(kindPaper, proceeding.SealedPaperBody{Ballot: "R-1/vote/1", Paper: p})
	}
}

// shut enters the close, with the root of what stands after a list and papers.
func (b *book) shut(list []sealed.Credential, papers ...[]byte) {
	b.t.Helper()
	checker, err := sealed.NewChecker(b.g, b.m, b.joint)
	if err != nil {
		b.t.Fatal(err)
	}
	board, err := sealed.NewBoard(checker, list)
	if err != nil {
		b.t.Fatal(err)
	}
	board.PostAll(papers)
	pairs, n := board.Group("vote", "voters", "v1")
	root := sealed.StandingRoot([]sealed.Standing{{Group: "vote/voters/v1", Papers: int64(n), Pairs: sha256.Sum256(pairs)}})
	b.enter(kindShut, map[string]any{"ballot": "R-1/vote/1", "root": hex.EncodeToString(root[:])})
}

func (b *book) credentials(codes ...sealed.Code) []sealed.Credential {
	var out []sealed.Credential
	for _, c := range codes {
		out = append(out, sealed.Credential{Key: c.Key(b.hash, "voters").Public(b.g), Section: "voters", Class: "v1"})
	}
	return out
}

// ServeHTTP serves the log.
func (b *book) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/log/entries/"):
		for _, l := range b.lines {
			w.Write(l)
		}
	case strings.HasPrefix(r.URL.Path, "/log/tile/0/"):
		for _, h := range b.leaves {
			w.Write(h[:])
		}
	default:
		http.NotFound(w, r)
	}
}

// standing is what a trustee makes of the log, with the list that the server
// points to, and a log of so many entries when they began with the key.
func (b *book) standing(list, first int64) ([]pile, error) {
	b.t.Helper()
	srv := httptest.NewServer(b)
	defer srv.Close()
	c, err := NewClient(srv.URL + "/contests/R-1")
	if err != nil {
		b.t.Fatal(err)
	}
	f, err := NewTrusteeFile(filepath.Join(b.t.TempDir(), "ash"), pass, "Ash", 1)
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	edge, _ := tiles.NewEdge(0, nil)
	for _, h := range b.leaves {
		edge.Append(h)
	}
	v := &view{b: &Ballot{Ballot: "R-1/vote/1"}, m: b.m, hash: b.hash, rec: &record{First: first}}
	if err := json.Unmarshal([]byte(`{"seq":0}`), &v.b.List); err != nil {
		b.t.Fatal(err)
	}
	v.b.List.Seq = list
	return NewTrustee(f, c).standing(b.t.Context(), v, b.joint, tiles.Checkpoint{Size: edge.Size(), Root: edge.Root()})
}

func someCodes(n int) []sealed.Code {
	out := make([]sealed.Code, n)
	for i := range out {
		out[i] = sealed.NewCode()
	}
	return out
}

// A server in league with the registrar wants to know how one person voted: it
// enters a second list, with that person and four of its own, and their papers,
// and points trustees to it. Everything in the log is signed and true; opening
// it would show one paper. Trustees read from where no paper can be older.
func TestSecondListIsNotBelieved(t *testing.T) {
	b := newBook(t)
	voters, own := someCodes(8), someCodes(4)
	first := b.list(voters...)
	var papers [][]byte
	for _, c := range voters {
		papers = append(papers, b.paper(c))
	}
	b.cast(papers...)
	few := append(slices.Clone(own), voters[3])
	second := b.list(few...)
	chosen := [][]byte{papers[3]}
	for _, c := range own {
		chosen = append(chosen, b.paper(c))
	}
	b.cast(chosen...)
	b.shut(b.credentials(few...), chosen...)

	for _, began := range []int64{0, first - 1, first} {
		_, err := b.standing(second, began)
		refused(t, err, fault.Damaged, "of the log: it")
	}
	_, err := b.standing(first, first)
	refused(t, err, fault.Damaged, "a second list of who may vote")
	// The same without what came before is a ballot like any other: it is the
	// reading from the beginning that tells them apart.
	if all, err := b.standing(second, second-1); err != nil || all[0].Papers != 5 {
		t.Errorf("the second list alone: %v %v", all, err)
	}
}

func TestHonestLogStands(t *testing.T) {
	b := newBook(t)
	b.enter("something.else/1", map[string]string{"x": "y"})
	voters := someCodes(6)
	list := b.list(voters...)
	var papers [][]byte
	for _, c := range voters {
		papers = append(papers, b.paper(c))
	}
	b.cast(papers...)
	b.shut(b.credentials(voters...), papers...)
	for _, began := range []int64{0, 1, list} {
		if all, err := b.standing(list, began); err != nil || len(all) != 1 || all[0].Papers != 6 {
			t.Errorf("%v %v", all, err)
		}
	}
	b.cast(papers[0])
	_, err := b.standing(list, 0)
	refused(t, err, fault.Damaged, "after the close")
}

// Papers that must not count, and a close that says something else.
func TestLogThatCountsWhatMustNot(t *testing.T) {
	voters := someCodes(6)
	begin := func() (*book, [][]byte, int64) {
		b := newBook(t)
		list := b.list(voters...)
		var papers [][]byte
		for _, c := range voters {
			papers = append(papers, b.paper(c))
		}
		return b, papers, list
	}
	for name, bad := range map[string]func(b *book, papers [][]byte) []byte{
		"of nobody on the list": func(b *book, _ [][]byte) []byte { return b.paper(sealed.NewCode()) },
		"twice":                 func(_ *book, papers [][]byte) []byte { return papers[0] },
		"without a proof": func(_ *book, papers [][]byte) []byte {
			p := slices.Clone(papers[0])
			p[len(p)-80] ^= 1
			return p
		},
		"copied": func(b *book, papers [][]byte) []byte { // another's ciphertext under one's own key
			p := slices.Clone(papers[0])
			key := voters[1].Key(b.hash, "voters").Public(b.g)
			return bytes.Replace(p, key0(b, voters[0]), key[:], 1)
		},
		"no paper": func(*book, [][]byte) []byte { return []byte{1, 2, 3} },
	} {
		b, papers, list := begin()
		b.cast(append(slices.Clone(papers), bad(b, papers))...)
		b.shut(b.credentials(voters...), papers...)
		if _, err := b.standing(list, 0); !fault.Is(err, fault.Damaged) || !strings.Contains(err.Error(), "does not count") {
			t.Errorf("a paper %s: %v", name, err)
		}
	}
	b, papers, list := begin()
	b.cast(papers...)
	b.shut(b.credentials(voters...), papers[:5]...)
	_, err := b.standing(list, 0)
	refused(t, err, fault.Damaged, "are others than the close of the ballot says")

	b, papers, list = begin()
	b.cast(papers[:4]...)
	b.shut(b.credentials(voters...), papers[:4]...)
	_, err = b.standing(list, 0)
	refused(t, err, fault.NotEntitled, "only 4 papers stand")

	b, papers, list = begin()
	b.cast(papers...)
	_, err = b.standing(list, 0)
	refused(t, err, fault.Damaged, "does not hold the list of who may vote and the close")
}

func key0(b *book, c sealed.Code) []byte {
	k := c.Key(b.hash, "voters").Public(b.g)
	return k[:]
}

// What a server sends without end is cut off.
func TestHugeAnswers(t *testing.T) {
	_, err := readLine(bufio.NewReader(strings.NewReader(strings.Repeat("x", 1000))), 999)
	refused(t, err, fault.TooMuch, "a longer entry than there can be")
	_, err = readLine(bufio.NewReader(strings.NewReader("x")), 999)
	refused(t, err, fault.Unavailable, "does not send all of its record")
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 1 << 20 {
			if _, err := w.Write(bytes.Repeat([]byte("x"), 1<<16)); err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	c, err := NewClient(endless.URL + "/contests/R-1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.LogKey(t.Context())
	refused(t, err, fault.TooMuch, "more than there can be")
	_, err = c.Input(t.Context(), place{"vote", "voters", "v1"}, 64)
	refused(t, err, fault.TooMuch, "more than there can be")
	_, err = c.tile(t.Context(), tiles.Ref{Width: 3})
	refused(t, err, fault.TooMuch, "more than there can be")
	if _, err = c.Ballot(t.Context()); !fault.Is(err, fault.TooMuch) {
		t.Errorf("a ballot without end: %v", err)
	}
}

// What a server says instead of an answer.
func TestAnswersThatAreNone(t *testing.T) {
	for _, x := range []struct {
		status int
		body   string
		kind   fault.Kind
		words  string
	}{
		{404, "<html>", fault.NotFound, "no sealed ballot at this address"},
		{500, "", fault.Unavailable, "try again later"},
		{403, "no", fault.Invalid, "said no more than status 403"},
		{409, `{"error":{"kind":"late","message":"It is over\u001b[2J."}}`, fault.TooLate, "the server says: It is over�[2J."},
		{400, `{"error":{"kind":"internal","message":"x"}}`, fault.Invalid, "status 400"},
		{200, `<html>`, fault.Invalid, "not a sealed ballot: is the address right?"},
		{200, `{"ballot":"R-2/vote/1"}`, fault.Damaged, "another ballot"},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(x.status)
			w.Write([]byte(x.body))
		}))
		c, err := NewClient(srv.URL + "/contests/R-1")
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Ballot(t.Context())
		refused(t, err, x.kind, x.words)
		srv.Close()
	}
	moved := httptest.NewServer(http.RedirectHandler("https://elsewhere.example/", http.StatusMovedPermanently))
	defer moved.Close()
	c, err := NewClient(moved.URL + "/contests/R-1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Ballot(t.Context())
	refused(t, err, fault.Invalid, "sends on to https://elsewhere.example/")
}
