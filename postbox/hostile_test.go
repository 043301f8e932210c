package postbox_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/web/sealedtest"
)

// remade changes the manifest that the server shows.
func remade(t testing.TB, change func(*sealed.Manifest)) func(map[string]any) {
	return func(b map[string]any) {
		m, err := sealed.DecodeManifest([]byte(b["manifest"].(string)))
		if err != nil {
			t.Error(err)
			return
		}
		change(m)
		text, err := m.Bytes()
		if err != nil {
			t.Error(err)
			return
		}
		b["manifest"] = string(text)
	}
}

// ceremony is the key generation that the server shows.
func ceremony(b map[string]any) map[string]any { return b["ceremony"].(map[string]any) }

func publicKey() string {
	k := proof.NewSecret()
	p := k.Public(ristretto.New())
	return hex.EncodeToString(p[:])
}

func TestServerThatLiesOfTheKey(t *testing.T) {
	s := sealedtest.New(t, "av", 12)
	all := trustees(t, s, 2, 2, proceeding.Registrar{}, "Ash", "Birch", "Cedar")
	ref := s.Call()
	at(all, s.Page(ref))
	ash := all[0]

	s.LieOfBoard(remade(t, func(m *sealed.Manifest) { m.Trustees[0].Sign = publicKey() }))
	ash.refuses(s, "the keys of this trustee are not registered", "compare the fingerprint")
	s.LieOfBoard(remade(t, func(m *sealed.Manifest) { m.Election = "2026-X-009.ballot.1.1" }))
	ash.refuses(s, "the manifest is of the election 2026-X-009.ballot.1.1")
	s.LieOfBoard(func(b map[string]any) { b["ballot"] = "2026-X-009/ballot/1" })
	ash.refuses(s, "another ballot")
	s.LieOfBoard(func(b map[string]any) { b["manifest"] = "{}" })
	ash.refuses(s, "a manifest by which no ballot can be held")
	s.Between(nil)

	ash.works() // commits
	s.LieOfBoard(remade(t, func(m *sealed.Manifest) { m.Contests[0].Options[0] = "Nobody" }))
	ash.refuses(s, "another manifest of the election", "compare the hash")
	s.LieOfBoard(remade(t, func(m *sealed.Manifest) { m.Trustees[1].Seal = publicKey() }))
	ash.refuses(s, "another manifest of the election")
	s.LieOfBoard(func(b map[string]any) { ceremony(b)["messages"] = []any{} }) // as if it had not come
	ash.works()                                                                // the same again, and no harm
	s.Between(nil)

	all[1].works()
	all[2].works()
	ash.works() // reveals, having seen the three commitments
	s.LieOfBoard(func(b map[string]any) {
		m := ceremony(b)["messages"].([]any)
		slices.Reverse(m[:3])
	})
	ash.refuses(s, "does not go on from what was seen", "begin anew")
	s.LieOfBoard(func(b map[string]any) { ceremony(b)["messages"] = ceremony(b)["messages"].([]any)[:2] })
	ash.refuses(s, "does not go on from what was seen")
	s.LieOfBoard(func(b map[string]any) {
		m := ceremony(b)["messages"].([]any)
		ceremony(b)["messages"] = append(m, m[0])
	})
	ash.refuses(s, "the key generation that the server shows does not hold")
	s.LieOfBoard(func(b map[string]any) {
		ceremony(b)["ended"] = []any{map[string]any{"phase": "verdict", "after": 4}}
	})
	ash.refuses(s, `the phase "verdict" was ended before it began`)
	s.Between(nil)

	together(all)
	s.LieOfBoard(func(b map[string]any) { b["key"] = publicKey() })
	ash.refuses(s, "another key than the trustees have made", "sealed to somebody else")
}

func TestServerThatLiesOfTheLog(t *testing.T) {
	s, ref, all := open(t, "av", 2, "Ash", "Birch", "Cedar")
	ash := all[0]
	ash.works() // has seen the log so far

	earlier, err := s.Chamber.DB.Checkpoint(s.Ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.Vote(ref, s.Code(ref, s.Members[9]), 0, 1)
	ash.works()
	s.Lie(func(path string, b []byte) []byte {
		if path == "/log/checkpoint" {
			return earlier
		}
		return b
	})
	ash.refuses(s, "does not go on from what was seen", "compare what each of you has seen")

	other := sealedtest.New(t, "av", 12) // another book
	ash.page = strings.Replace(ash.page, s.URL, other.URL, 1)
	elsewhere := proxied(t, s, other)
	ash.refuses(elsewhere, "this ballot is in another log than before")
	ash.page = s.Page(ref)

	s.Lie(func(path string, b []byte) []byte {
		if path == "/log/key" {
			return []byte(other.Chamber.DB.VerifierKey())
		}
		return b
	})
	ash.refuses(s, "another key than when it was first seen", "--new-log")
	s.Lie(func(path string, b []byte) []byte {
		if path == "/log/checkpoint" {
			return bytes.Replace(b, []byte("\n"), []byte("x\n"), 1)
		}
		return b
	})
	ash.refuses(s, "is not signed by the log")
}

// proxied has another society's server show this one's ballot, over its own log.
func proxied(t testing.TB, s, other *sealedtest.Society) *sealedtest.Society {
	t.Helper()
	other.Between(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		if strings.HasPrefix(r.URL.Path, "/log/") {
			server.ServeHTTP(w, r)
			return
		}
		resp, err := http.Get(s.URL + r.URL.Path)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		var b bytes.Buffer
		b.ReadFrom(resp.Body)
		w.WriteHeader(resp.StatusCode)
		w.Write(b.Bytes())
	})
	return other
}

// A server cannot shed what was seen of its log by moving to another address.
func TestLogUnderAnotherAddress(t *testing.T) {
	s, ref, all := open(t, "av", 2, "Ash", "Birch")
	earlier, err := s.Chamber.DB.Checkpoint(s.Ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.Vote(ref, s.Code(ref, s.Members[9]), 0, 1)
	all[0].works()
	s.Lie(func(path string, b []byte) []byte {
		if path == "/log/checkpoint" {
			return earlier
		}
		return b
	})
	all[0].page = strings.Replace(all[0].page, "127.0.0.1", "localhost", 1)
	all[0].refuses(s, "does not go on from what was seen")
}

func TestServerThatLiesOfTheClose(t *testing.T) {
	s, ref, all := closed(t, "av", 2, "Ash", "Birch", "Cedar")
	ash := all[0]

	earlier := s.Board(ref).Closing.Checkpoint
	s.LieOfBoard(func(b map[string]any) { b["closing"].(map[string]any)["hash"] = strings.Repeat("0", 64) })
	ash.refuses(s, "a closing checkpoint and the hash of another")
	s.LieOfBoard(func(b map[string]any) { b["list"] = nil })
	ash.refuses(s, "holds no list of who may vote")
	s.LieOfBoard(func(b map[string]any) { b["list"].(map[string]any)["seq"] = 10_000 })
	ash.refuses(s, "holds no list of who may vote")
	s.LieOfBoard(func(b map[string]any) {
		l := b["list"].(map[string]any)
		l["seq"] = l["seq"].(float64) + 12 // points at a paper, say
	})
	ash.refuses(s, "of the log: it")

	lines := func(change func(line map[string]any) map[string]any) {
		s.Lie(func(path string, body []byte) []byte {
			if !strings.HasPrefix(path, "/log/entries/") {
				return body
			}
			var out []byte
			for l := range bytes.Lines(body) {
				var x map[string]any
				if err := json.Unmarshal(l, &x); err != nil {
					t.Error(err)
				}
				if x = change(x); x != nil {
					b, _ := json.Marshal(x)
					out = append(append(out, b...), '\n')
				}
			}
			return out
		})
	}
	isPaper := func(x map[string]any) bool {
		h, _ := x["header"].(map[string]any)
		return h["kind"] == "seal.paper/1"
	}
	lines(func(x map[string]any) map[string]any {
		if isPaper(x) {
			return nil
		}
		return x
	})
	ash.refuses(s, "of the log")
	lines(func(x map[string]any) map[string]any {
		if isPaper(x) {
			x["body"].(map[string]any)["paper"] = "AAAA"
		}
		return x
	})
	ash.refuses(s, "the log holds something else than the server sends")
	lines(func(x map[string]any) map[string]any {
		if isPaper(x) {
			x["commitment"] = strings.Repeat("ab", 32)
		}
		return x
	})
	ash.refuses(s, "the log holds something else than the server sends")
	lines(func(x map[string]any) map[string]any { x["salt"] = "no"; return x })
	ash.refuses(s, "cannot be read")
	s.Between(nil)

	ash.works() // witnesses
	s.LieOfBoard(func(b map[string]any) { b["closing"] = nil })
	if x := ash.works(); x.Did || x.Done {
		t.Errorf("a close that was taken back: %+v", x)
	}
	// A second close: the newest checkpoint, which is signed and true.
	second, err := s.Chamber.DB.Checkpoint(s.Ctx)
	if err != nil || string(second) == earlier {
		t.Fatalf("want another checkpoint: %v", err)
	}
	s.LieOfBoard(func(b map[string]any) {
		c := b["closing"].(map[string]any)
		hash := sealed.Closing([]byte(firstLines(string(second))))
		c["checkpoint"], c["hash"] = string(second), hex.EncodeToString(hash[:])
	})
	ash.refuses(s, "a second close of this ballot", "two different results")
	s.Between(nil)
	together(all)
	elected(s, ref)
}

func firstLines(note string) string {
	l := strings.SplitAfterN(note, "\n", 4)
	return strings.Join(l[:3], "")
}

func TestServerThatLiesOfTheMix(t *testing.T) {
	s, ref, all := closed(t, "av", 3, "Ash", "Birch", "Cedar")
	for _, p := range all {
		p.works() // witness
	}
	birch := all[1]
	input := func(change func([]byte) []byte) {
		s.Lie(func(path string, b []byte) []byte {
			if strings.Contains(path, "/sealed/input/") {
				return change(bytes.Clone(b))
			}
			return b
		})
	}
	for name, change := range map[string]func([]byte) []byte{
		"dropped": func(b []byte) []byte { return b[64:] },
		"doubled": func(b []byte) []byte { copy(b[64:128], b[:64]); return b },
	} {
		input(change)
		all[0].refuses(s, "other papers to be mixed")
		t.Log(name)
	}
	input(func(b []byte) []byte { return append(b, b[:64]...) })
	all[0].refuses(s, "more than there can be")
	s.Between(nil)
	all[0].works() // mixes

	mixes := func(change func([]byte) []byte) {
		s.Lie(func(path string, b []byte) []byte {
			if strings.Contains(path, "/sealed/deeds/") {
				return change(bytes.Clone(b))
			}
			return b
		})
	}
	mixes(func(b []byte) []byte { b[len(b)-1] ^= 1; return b })
	birch.refuses(s, "another mix", "than Ash has signed")
	mixes(func(b []byte) []byte { return append(b, make([]byte, 1000)...) })
	birch.refuses(s, "more than there can be")
	s.LieOfBoard(func(b map[string]any) {
		d := b["deeds"].([]any)
		b["deeds"] = append(d, d[len(d)-1])
	})
	birch.refuses(s, "whose turn it was not")
	s.LieOfBoard(func(b map[string]any) {
		d := b["deeds"].([]any)
		raw := d[len(d)-1].(map[string]any)["deed"].(string)
		d[len(d)-1].(map[string]any)["deed"] = strings.Replace(raw, "A", "B", 1)
	})
	birch.refuses(s, "the board holds a deed that is none")
	s.LieOfBoard(func(b map[string]any) { b["deeds"] = b["deeds"].([]any)[:3] }) // Ash's is gone
	all[0].refuses(s, "took your mix", "does not show it any more")
	s.Between(nil)
	together(all)
	elected(s, ref)
}
