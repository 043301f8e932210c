package postbox_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"

	"github.com/omov/omov/bundle"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/web/sealedtest"
)

// haystack is everything that is looked through, by where it is.
type haystack struct {
	t   testing.TB
	mu  sync.Mutex
	all map[string][]byte
	had map[[32]byte]bool // answers
}

func (h *haystack) add(where string, b []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all[where] = append(h.all[where], b...)
}

// answered keeps an answer, once.
func (h *haystack) answered(b []byte) {
	h.mu.Lock()
	sum := sha256.Sum256(b)
	before := h.had[sum]
	h.had[sum] = true
	h.mu.Unlock()
	if !before {
		h.add("answers", b)
	}
}

// listen keeps what is posted, and what the server answers, as somebody on the
// line would.
func (h *haystack) listen(s *sealedtest.Society) {
	s.Between(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		b, again := copied(r)
		h.add("posted to "+filepath.Base(r.URL.Path), append([]byte(r.URL.String()), b...))
		rec := httptest.NewRecorder()
		server.ServeHTTP(rec, again)
		h.answered(rec.Body.Bytes())
		w.WriteHeader(rec.Code)
		w.Write(rec.Body.Bytes())
	})
}

// folder takes in every file below a folder.
func (h *haystack) folder(dir string) {
	h.t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		h.add(d.Name(), b)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// bundles takes in what both bundles hold.
func (h *haystack) bundles(s *sealedtest.Society) {
	h.t.Helper()
	var public, scrutineers bytes.Buffer
	if err := bundle.WritePublic(s.Ctx, s.Chamber, &public); err != nil {
		h.t.Fatal(err)
	}
	if err := bundle.WriteScrutineers(s.Ctx, s.Chamber, &scrutineers); err != nil {
		h.t.Fatal(err)
	}
	for name, b := range map[string][]byte{"public bundle": public.Bytes(), "scrutineers' bundle": scrutineers.Bytes()} {
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			h.t.Fatal(err)
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				h.t.Fatal(err)
			}
			content, err := io.ReadAll(r)
			if err != nil {
				h.t.Fatal(err)
			}
			h.add(name, content)
		}
	}
}

// unwrapped gives bytes with what stands in them as base64, also within base64
// within base64.
func unwrapped(b []byte, base64s *regexp.Regexp, depth int) [][]byte {
	out := [][]byte{b}
	if depth == 0 {
		return out
	}
	for _, run := range base64s.FindAll(b, -1) {
		if plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(string(run), "=")); err == nil {
			out = append(out, unwrapped(plain, base64s, depth-1)...)
		}
	}
	return out
}

// spread makes the haystack ready to be searched.
func (h *haystack) spread() {
	base64s := regexp.MustCompile(`[A-Za-z0-9+/]{40,}=*`)
	for where, b := range h.all {
		h.all[where] = bytes.Join(unwrapped(b, base64s, 3), []byte{0})
	}
}

// found gives where a secret is, in any of the ways in which one is written.
func (h *haystack) found(secret []byte) []string {
	text := hex.EncodeToString(secret)
	needles := []string{string(secret), text, strings.ToUpper(text), strings.TrimRight(base64.StdEncoding.EncodeToString(secret), "="), strings.TrimRight(base64.URLEncoding.EncodeToString(secret), "=")}
	var out []string
	for where, b := range h.all {
		if slices.ContainsFunc(needles, func(n string) bool { return bytes.Contains(b, []byte(n)) }) {
			out = append(out, where)
		}
	}
	slices.Sort(out)
	return out
}

// inside decrypts a file of a trustee or registrar.
func inside(t testing.TB, path string) map[string]json.RawMessage {
	t.Helper()
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	r, err := age.Decrypt(bytes.NewReader(readFile(t, path)), id)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]json.RawMessage
	if err := json.NewDecoder(r).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func bytesOf(t testing.TB, raw json.RawMessage) []byte {
	t.Helper()
	var b []byte
	if err := json.Unmarshal(raw, &b); err != nil || len(b) == 0 {
		t.Fatalf("no bytes in the file: %v", err)
	}
	return b
}

// secrets gives what a trustee has that nobody else may: the identity, the keys
// and coefficients that follow from it, the share of the key.
func (p *person) secrets(s *sealedtest.Society, ref string) map[string][]byte {
	p.t.Helper()
	id, err := keygen.IdentityFrom(bytesOf(p.t, inside(p.t, p.path)["identity"]))
	if err != nil {
		p.t.Fatal(err)
	}
	b := s.Board(ref)
	m, err := sealed.DecodeManifest([]byte(b.Manifest))
	if err != nil {
		p.t.Fatal(err)
	}
	hash, _ := m.Hash()
	g := ristretto.New()
	c, err := keygen.NewCeremony(g, m.Ceremony(hash))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, raw := range b.Ceremony.Messages {
		if err := c.Post(raw); err != nil {
			p.t.Fatal(err)
		}
		for c.Phase() != keygen.Done && len(c.Waiting()) == 0 {
			if err := c.Next(false); err != nil {
				p.t.Fatal(err)
			}
		}
	}
	member, err := keygen.NewMember(g, m.Ceremony(hash), id)
	if err != nil {
		p.t.Fatal(err)
	}
	share, err := member.Share(c)
	if err != nil {
		p.t.Fatal(err)
	}
	sign, seal := id.Sign(), id.Seal()
	return map[string][]byte{"identity": id.Expose(), "signing key": sign.Expose(), "sealing key": seal.Expose(), "share of the key": share.Expose()}
}

// codeBytes are the 16 bytes of a code, and how it is written.
func codeBytes(t testing.TB, text string) map[string][]byte {
	t.Helper()
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var all []byte
	n, bits := 0, 0
	for _, c := range strings.ReplaceAll(text, "-", "") {
		n, bits = n<<5|strings.IndexRune(alphabet, c), bits+5
		if bits >= 8 {
			all = append(all, byte(n>>(bits-8)))
			n, bits = n&(1<<(bits-8)-1), bits-8
		}
	}
	return map[string][]byte{"code": []byte(text), "code without hyphens": []byte(strings.ReplaceAll(text, "-", "")), "code as bytes": all[:16]}
}

// A whole sealed election, and then everything that the server has written or
// said, and all that was sent to it, is searched for what nobody but a trustee,
// the registrar or a voter may have.
func TestSecretsAreNowhere(t *testing.T) {
	for _, apart := range []bool{true, false} {
		name := map[bool]string{true: "a registrar apart", false: "the server as registrar"}[apart]
		t.Run(name, func(t *testing.T) {
			s := sealedtest.New(t, "av", 12)
			h := &haystack{t: t, all: map[string][]byte{}, had: map[[32]byte]bool{}}
			r, named := newRegistrar(t)
			if !apart {
				named = proceeding.Registrar{}
			}
			all := trustees(t, s, 2, 2, named, "Ash", "Birch", "Cedar")
			ref := s.Call()
			at(all, s.Page(ref))
			h.listen(s)
			codes := map[int64]string{}
			if r.page = s.Page(ref); apart {
				r.ok(r.make(export(s, ref)))
				r.ok(r.publish())
				old := r.codes()[int64(s.Members[9])]
				r.ok(r.reissue(int64(s.Members[9])))
				codes = r.codes()
				codes[-1] = old
			}
			together(all)
			for i, m := range s.Members[:8] {
				if !apart {
					codes[int64(m)] = s.Code(ref, m)
				}
				s.Vote(ref, codes[int64(m)], [][]int{{1, 2}, {0, 1}}[i%2]...)
			}
			h.folder(s.Dir) // while it is open
			s.Close(ref)
			for _, p := range all { // a trustee is interrupted: something lies aside
				p.works()
			}
			lost(s, func() { all[0].work() })
			h.folder(filepath.Dir(all[0].path))
			h.listen(s)
			together(all)
			h.folder(s.Dir)
			h.add("the server's log", s.Log())
			h.bundles(s)
			h.spread()

			secrets := map[string][]byte{"the passphrase": []byte(passphrase)}
			for _, p := range all {
				for what, b := range p.secrets(s, ref) {
					secrets[p.name+"'s "+what] = b
				}
			}
			if apart {
				secrets["the registrar's key"] = bytesOf(t, inside(t, r.path)["key"])
			}
			for voter, c := range codes {
				for what, b := range codeBytes(t, c) {
					secrets[strings.Join([]string{what, "of", s.Board(ref).Ballot, asJSON(t, voter)}, " ")] = b
				}
			}
			for what, b := range secrets {
				if where := h.found(b); len(where) > 0 {
					t.Errorf("%s is in %v", what, where)
				}
			}
			h.sees(s, ref, all[0])
		})
	}
}

// sees makes sure that the search finds what is there: a public key as the
// manifest has it, a message as it was posted, and a hash within it.
func (h *haystack) sees(s *sealedtest.Society, ref string, p *person) {
	h.t.Helper()
	key, err := hex.DecodeString(registration(h.t, p).Sign)
	if err != nil {
		h.t.Fatal(err)
	}
	var m keygen.Message
	if err := json.Unmarshal(s.Board(ref).Ceremony.Messages[0], &m); err != nil {
		h.t.Fatal(err)
	}
	for what, b := range map[string][]byte{"a public key": key, "a commitment": m.Commit} {
		where := h.found(b)
		for _, w := range []string{"book.db-wal", "public bundle", "scrutineers' bundle", "answers"} {
			if !slices.Contains(where, w) {
				h.t.Errorf("%s was found in %v, and not in %s", what, where, w)
			}
		}
	}
	if where := h.found(m.Commit); !slices.Contains(where, "posted to message") {
		h.t.Errorf("a commitment that was posted was found in %v", where)
	}
	for where := range h.all {
		if strings.Contains(where, ".part-") {
			return
		}
	}
	h.t.Error("nothing lay aside")
}
