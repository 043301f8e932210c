package seal

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"slices"
	"testing"

	"github.com/omov/omov/ristretto"
)

// vectors are those that every program shares (docs/sealed-format.md).
type vectors struct {
	Signatures []struct{ Purpose, Key, Message, Signature string }
	Generators struct {
		Manifest string   `json:"manifest_hash"`
		Elements []string `json:"elements"`
	}
	Numbers []struct {
		Form struct {
			Kind               string
			Options, Most, Top int
		}
		Paper            []int
		Number, Elements string
	}
	Manifest string
	Hash     string   `json:"manifest_hash"`
	Messages []string `json:"keygen_messages"`
	Joint    string   `json:"joint_key"`
	Keys     []string `json:"verification_keys"`
	Papers   []struct {
		Contest, Paper, Hash string
		Marks                []int
	}
	Mix     struct{ Closing, Group, Mixer, In, Mix string }
	Opening struct {
		Outputs string
		Shares  []string
		Papers  [][]int
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func load(t testing.TB) *vectors {
	t.Helper()
	b, err := os.ReadFile("../../sealed/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	v := &vectors{}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
	return v
}

// groups are the two ways in which the group is computed.
func groups() map[string]*ristretto.Group {
	return map[string]*ristretto.Group{"lanes": ristretto.New(), "plain": ristretto.NewPlain()}
}

func election(t testing.TB, g *ristretto.Group, v *vectors) *Election {
	t.Helper()
	e, err := Open(g, unhex(t, v.Manifest))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func messages(t testing.TB, v *vectors) [][]byte {
	var out [][]byte
	for _, m := range v.Messages {
		out = append(out, []byte(m))
	}
	return out
}

// follow follows a key generation to its end.
func follow(e *Election, messages [][]byte) (*Ceremony, error) {
	c := e.Ceremony()
	for i, raw := range messages {
		if err := c.Post(raw); err != nil {
			return c, fmt.Errorf("message %d of the key generation: %w", i+1, err)
		}
	}
	return c, c.Done()
}

// keyed is an election whose key generation has been followed.
func keyed(t testing.TB, g *ristretto.Group, v *vectors) *Election {
	t.Helper()
	e := election(t, g, v)
	if _, err := follow(e, messages(t, v)); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestVectors(t *testing.T) {
	v := load(t)
	for name, g := range groups() {
		t.Run(name, func(t *testing.T) {
			e := election(t, g, v)
			if hex.EncodeToString(e.Hash[:]) != v.Hash {
				t.Errorf("the manifest's hash is %x", e.Hash)
			}
			for _, x := range v.Signatures {
				for _, purpose := range []string{x.Purpose, x.Purpose + "x"} {
					q := &equations{e: e}
					q.signature(purpose, unhex(t, x.Key), unhex(t, x.Message), unhex(t, x.Signature))
					if q.hold() != (purpose == x.Purpose) {
						t.Errorf("a signature for %s, read as one for %s: %v", x.Purpose, purpose, q.hold())
					}
				}
			}
			other := *e
			copy(other.Hash[:], unhex(t, v.Generators.Manifest))
			for i, p := range other.generators(len(v.Generators.Elements) - 1) {
				point := p.Point()
				if enc := g.Encode(&point); hex.EncodeToString(enc[:]) != v.Generators.Elements[i] {
					t.Errorf("generator %d is %x", i, enc)
				}
			}
			for _, x := range v.Numbers {
				c := &Contest{ID: "x", Form: x.Form.Kind, Options: make([]string, x.Form.Options), Most: x.Form.Most, Top: x.Form.Top}
				n, err := e.numberOf(c, unhex(t, x.Elements))
				if err != nil || n.String() != x.Number {
					t.Errorf("%s: number %v: %v", x.Form.Kind, n, err)
					continue
				}
				if got := c.paperOf(n); !slices.Equal(got, x.Paper) {
					t.Errorf("%s %s: paper %v, not %v", x.Form.Kind, x.Number, got, x.Paper)
				}
			}
			c, err := follow(e, messages(t, v))
			if err != nil {
				t.Fatal(err)
			}
			if hex.EncodeToString(e.Key[:]) != v.Joint || len(c.Confirmed()) < e.Manifest.Threshold {
				t.Errorf("joint key %x, confirmed by %v", e.Key, c.Confirmed())
			}
			for i, k := range v.Keys {
				if hex.EncodeToString(e.Shares[i][:]) != k {
					t.Errorf("verification key %d is %x", i+1, e.Shares[i])
				}
			}
			opensVectors(t, e, v)
		})
	}
}

func opensVectors(t *testing.T, e *Election, v *vectors) {
	for _, x := range v.Papers {
		p := e.read(unhex(t, x.Paper))
		if p == nil || hex.EncodeToString(p.hash[:]) != x.Hash {
			t.Errorf("the paper in %s cannot be read", x.Contest)
			continue
		}
		if !e.proved([]*paper{p})[0] {
			t.Errorf("the paper in %s does not hold", x.Contest)
		}
		for _, at := range []int{len(p.stated) + 3, len(p.stated) - 70, len(p.raw) - 5, 40} {
			raw := slices.Clone(p.raw)
			raw[at] ^= 1
			if q := e.read(raw); q != nil && e.proved([]*paper{q})[0] {
				t.Errorf("%s: byte %d can be altered", x.Contest, at)
			}
		}
	}
	m := v.Mix
	contest := e.Contest("leader")
	closing := [32]byte(unhex(t, m.Closing))
	in := unhex(t, m.In)
	group := &Group{Contest: contest, Section: "members", Class: "full"}
	if group.Name() != m.Group {
		t.Fatalf("the vectors mix %s", m.Group)
	}
	raw := unhex(t, m.Mix)
	out, err := e.Mix(closing, group, m.Mixer, 0, in, raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{20, 20 + 32*3, len(mixHead) + 5 + 192 + 10, len(raw) - 40, len(raw) / 2} {
		bad := slices.Clone(raw)
		bad[at] ^= 1
		if _, err := e.Mix(closing, group, m.Mixer, 0, in, bad); err == nil {
			t.Errorf("byte %d of the mix can be altered", at)
		}
	}
	if _, err := e.Mix([32]byte{1}, group, m.Mixer, 0, in, raw); err == nil {
		t.Error("the mix holds for another closing checkpoint")
	}
	if _, err := e.Mix(closing, group, m.Mixer, 1, in, raw); err == nil {
		t.Error("the mix holds for another place in the order")
	}
	if hex.EncodeToString(out) != v.Opening.Outputs && v.Opening.Outputs != "" && len(v.Opening.Outputs) == len(hex.EncodeToString(out)) {
		t.Error("what came out is not what was opened")
	}
	var good []*Shares
	for _, s := range v.Opening.Shares {
		x, err := e.ReadShares(closing, m.Group, out, unhex(t, s))
		if err != nil {
			t.Fatal(err)
		}
		good = append(good, x)
	}
	plain, err := e.Combine(out, good)
	if err != nil {
		t.Fatal(err)
	}
	said, spoilt := e.Read(contest, plain)
	var papers [][]int
	for _, x := range said {
		for range x.N {
			papers = append(papers, x.Paper)
		}
	}
	if spoilt != 0 || fmt.Sprint(sorted(papers)) != fmt.Sprint(sorted(v.Opening.Papers)) {
		t.Errorf("opened %v, %d spoilt; not %v", papers, spoilt, v.Opening.Papers)
	}
	broken := unhex(t, v.Opening.Shares[0])
	broken[30] ^= 1
	if _, err := e.ReadShares(closing, m.Group, out, broken); err == nil {
		t.Error("a wrong share is taken")
	}
	if _, err := e.Combine(out, append(good[:1:1], good[0])); err == nil {
		t.Error("the shares of one trustee are taken twice")
	}
}

// However many trustees there are, the coefficients of any of them add up to
// one, and give back what was shared.
func TestLagrange(t *testing.T) {
	for _, trustees := range [][]int{{1}, {2, 1}, {3, 1, 5}, {1, 2, 3, 4, 5, 6, 7, 8}, {15, 13, 11, 9, 7, 5, 3, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}} {
		up, down := lagrange(trustees)
		at := func(x int64) *big.Int { // a polynomial of as many coefficients
			y, power := new(big.Int), big.NewInt(1)
			for i := range trustees {
				y.Add(y, new(big.Int).Mul(power, big.NewInt(int64(7*i+3))))
				power = new(big.Int).Mul(power, big.NewInt(x))
			}
			return y
		}
		sum := new(big.Int)
		for i, j := range trustees {
			sum.Add(sum, new(big.Int).Mul(up[i], at(int64(j))))
		}
		if want := new(big.Int).Mul(down, at(0)); sum.Cmp(want) != 0 {
			t.Errorf("%v: %v over %v gives %v, not %v", trustees, up, down, sum, want)
		}
	}
}

func sorted(ps [][]int) [][]int {
	out := slices.Clone(ps)
	slices.SortFunc(out, slices.Compare[[]int])
	return out
}

// Every number below the count is a paper, and no two are the same.
func TestEveryNumberIsOnePaper(t *testing.T) {
	for _, c := range []*Contest{
		{Form: "ranks", Options: make([]string, 4)}, {Form: "ranks", Options: make([]string, 5), Most: 2}, {Form: "equal", Options: make([]string, 4)},
		{Form: "marks", Options: make([]string, 6), Most: 3}, {Form: "points", Options: make([]string, 3), Top: 4},
	} {
		seen := map[string]bool{}
		n := c.papers()
		for i := new(big.Int); i.Cmp(n) < 0; i.Add(i, big.NewInt(1)) {
			seen[fmt.Sprint(c.paperOf(i))] = true
		}
		if int64(len(seen)) != n.Int64() {
			t.Errorf("%s of %d: %d papers for %v numbers", c.Form, len(c.Options), len(seen), n)
		}
	}
}

// A key generation in which a message is left out, altered or said twice does
// not hold.
func TestKeysTampered(t *testing.T) {
	v := load(t)
	g := ristretto.New()
	all := messages(t, v)
	for i := range all {
		e := election(t, g, v)
		if _, err := follow(e, slices.Delete(slices.Clone(all), i, i+1)); err == nil && i < len(all)-len(e.Manifest.Trustees) {
			t.Errorf("message %d can be left out", i)
		}
		bad := slices.Clone(all)
		bad[i] = slices.Clone(all[i])
		bad[i][len(bad[i])/2] ^= 1
		if _, err := follow(election(t, g, v), bad); err == nil {
			t.Errorf("message %d can be altered", i)
		}
		twice := slices.Insert(slices.Clone(all), i, all[i])
		if _, err := follow(election(t, g, v), twice); err == nil {
			t.Errorf("message %d can be said twice", i)
		}
	}
}

// A phase in which somebody is waited for ends by an officer alone.
func TestPhases(t *testing.T) {
	v := load(t)
	all := messages(t, v)
	c := election(t, ristretto.New(), v).Ceremony()
	if err := c.Post(all[0]); err != nil {
		t.Fatal(err)
	}
	for _, phase := range []string{"reveal", "confirm", "done", ""} {
		if err := c.End(phase); err == nil {
			t.Errorf("the phase %q can be ended while commitments are waited for", phase)
		}
	}
	if err := c.End("commit"); err == nil && len(c.all) > 1 && c.e.Manifest.Threshold > 1 {
		t.Error("a key generation goes on with too few trustees")
	}
}

// Readers take anything without falling over.
func FuzzReaders(f *testing.F) {
	v := load(f)
	g := ristretto.New()
	e := keyed(f, g, v)
	for _, p := range v.Papers {
		f.Add(unhex(f, p.Paper))
	}
	f.Add(unhex(f, v.Mix.Mix))
	f.Add(unhex(f, v.Opening.Shares[0]))
	f.Add(unhex(f, v.Manifest))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p := e.read(b); p != nil {
			e.proved([]*paper{p})
		}
		_, _ = Open(g, b)
		_, _ = readMix(b, 3, 1)
		_, _ = e.ReadShares([32]byte{}, "leader/members/full", make([]byte, 64*3), b)
		_ = e.Listing(b, make([]byte, 64))
		_, _ = follow(election(t, g, v), [][]byte{b})
		_, _ = ReadAudit(g, b)
		_ = e.Change(1, b, make([]byte, 64))
		if d, err := ReadDeed(b); err == nil {
			_ = e.CheckDeed([32]byte{}, d, nil)
		}
	})
}
