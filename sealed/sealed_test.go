package sealed_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/group"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/mixing"
	"github.com/omov/omov/sealed/proof"
)

// election is a whole one in memory: trustees, registrar, voters, board.
type election struct {
	t         testing.TB
	g         *ristretto.Group
	m         *sealed.Manifest
	hash      [32]byte
	ids       []keygen.Identity
	ceremony  *keygen.Ceremony
	key       [32]byte
	registrar proof.Secret
	list      []sealed.Credential
	codes     []sealed.Code
	secrets   []proof.Secret
	checker   *sealed.Checker
	board     *sealed.Board
}

func (e *election) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

func hexKey(g *ristretto.Group, s proof.Secret) string {
	k := s.Public(g)
	return hex.EncodeToString(k[:])
}

func names() []string {
	return []string{"Ash Fenwick", "Bay Tallow", "Cedar Holm", "Dale Moss", "Elm Harrow"}
}

func manifest(g *ristretto.Group, ids []keygen.Identity, threshold int, registrar proof.Secret) *sealed.Manifest {
	m := &sealed.Manifest{
		Version: 1, Group: "ristretto255", Election: "2031-L-001", Threshold: threshold, MinSize: 5,
		Contests: []sealed.Contest{
			{ID: "leader", Options: []string{"Rowan Pike", "Sorrel Vane", "Tansy Oake", "Umber Lyle", "Vetch Marlow"}, Form: "ranks"},
			{ID: "motion", Options: []string{"yes", "no"}, Form: "sum", Least: 1, Most: 1},
			{ID: "panel", Options: []string{"Wren", "Xan", "Yarrow", "Zinnia"}, Form: "sum", Least: 1, Most: 3},
			{ID: "letter", Options: options(70), Form: "ranks"},
		},
		Sections: []sealed.Section{
			{ID: "members", Classes: []sealed.Class{{ID: "full", Weight: "1"}}},
			{ID: "unions", Classes: []sealed.Class{{ID: "half", Weight: "1/2"}, {ID: "third", Weight: "1/3"}}},
		},
		Registrar: sealed.Registrar{Name: "Hazel Quill", Key: hexKey(g, registrar)},
	}
	for i, id := range ids {
		m.Trustees = append(m.Trustees, sealed.Trustee{Name: names()[i], Sign: hexKey(g, id.Sign()), Seal: hexKey(g, id.Seal()), Operator: i == 0})
		m.Mixers = append(m.Mixers, names()[i])
	}
	return m
}

func options(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("option %d", i+1)
	}
	return out
}

// generate runs a key generation in which everybody does what they should.
func generate(t testing.TB, g *ristretto.Group, p keygen.Params, ids []keygen.Identity) *keygen.Ceremony {
	t.Helper()
	c, err := keygen.NewCeremony(g, p)
	if err != nil {
		t.Fatal(err)
	}
	for c.Phase() != keygen.Done {
		for _, id := range ids {
			m, err := keygen.NewMember(g, p, id)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(c.Waiting(), m.Index()) {
				continue
			}
			step := map[keygen.Kind]func() ([]byte, error){
				keygen.Commit: m.Commit, keygen.Reveal: m.Reveal,
				keygen.Verdict: func() ([]byte, error) { return m.Verdict(c) },
				keygen.Confirm: func() ([]byte, error) { return m.Confirm(c) },
			}[c.Phase()]
			raw, err := step()
			if err == nil {
				err = c.Post(raw)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Next(false); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// newElection has n voters, divided over the weight classes in turn.
func newElection(t testing.TB, trustees, threshold, n int) *election {
	e := &election{t: t, g: ristretto.New(), registrar: proof.NewSecret()}
	for range trustees {
		e.ids = append(e.ids, keygen.NewIdentity())
	}
	e.m = manifest(e.g, e.ids, threshold, e.registrar)
	e.must(e.m.Check())
	var err error
	e.hash, err = e.m.Hash()
	e.must(err)
	e.ceremony = generate(t, e.g, e.m.Ceremony(e.hash), e.ids)
	e.key, err = e.ceremony.Joint()
	e.must(err)
	places := []sealed.Credential{{Section: "members", Class: "full"}, {Section: "unions", Class: "half"}, {Section: "unions", Class: "third"}}
	for i := range n {
		c := sealed.NewCode()
		cr := places[i%3]
		s := c.Key(e.hash, cr.Section)
		cr.Key = s.Public(e.g)
		e.codes, e.secrets, e.list = append(e.codes, c), append(e.secrets, s), append(e.list, cr)
	}
	e.checker, err = sealed.NewChecker(e.g, e.m, e.key)
	e.must(err)
	e.board, err = sealed.NewBoard(e.checker, e.list)
	e.must(err)
	return e
}

// seal makes voter i's next paper.
func (e *election) seal(i int, contest string, paper []int) []byte {
	e.t.Helper()
	previous, sequence := e.board.Current(e.list[i].Key, contest)
	b := sealed.Ballot{Group: e.g, Manifest: e.m, Key: e.key, Contest: contest, Section: e.list[i].Section, Previous: previous, Sequence: sequence + 1}
	raw, _, err := b.Seal(paper, e.secrets[i])
	e.must(err)
	return raw
}

func (e *election) cast(i int, contest string, paper []int) []byte {
	e.t.Helper()
	raw := e.seal(i, contest, paper)
	_, err := e.board.Post(raw)
	e.must(err)
	return raw
}

// mix runs all mixers, each of which checks those before.
func (e *election) mix(contest, section, class string, width int) *sealed.Opening {
	e.t.Helper()
	in, n := e.board.Group(contest, section, class)
	if n < e.m.MinSize {
		e.t.Fatalf("%d papers of %s/%s/%s", n, contest, section, class)
	}
	name := sealed.GroupName(contest, section, class)
	for i, mixer := range e.m.Mixers {
		st := &mixing.Statement{Manifest: e.hash, Closing: [32]byte{9}, Group: name, Mixer: mixer, Position: i, Key: e.key, Width: width, In: in}
		p, err := mixing.Shuffle(e.g, st)
		e.must(err)
		e.must(mixing.Verify(e.g, st, p))
		in = st.Out
	}
	return &sealed.Opening{Manifest: e.hash, Closing: [32]byte{9}, Group: name, Pairs: in}
}

// open has the given trustees open.
func (e *election) open(o *sealed.Opening, trustees ...int) []ristretto.Point {
	e.t.Helper()
	var shares []*sealed.Shares
	for k, j := range trustees {
		m, err := keygen.NewMember(e.g, e.m.Ceremony(e.hash), e.ids[j-1])
		e.must(err)
		x, err := m.Share(e.ceremony)
		e.must(err)
		s, err := o.MakeShares(e.g, group.Backends()[k%2], m.Index(), x)
		e.must(err)
		public, err := e.ceremony.Public(j)
		e.must(err)
		e.must(o.CheckShares(e.g, s, public))
		shares = append(shares, s)
	}
	plain, err := o.Combine(e.g, e.m.Threshold, shares)
	e.must(err)
	return plain
}

// From casting to the result: ranked papers of one and of several elements,
// sums with and without a limit, weight classes, replaced papers, two trustees
// gone.
func TestCastMixOpen(t *testing.T) {
	e := newElection(t, 5, 3, 30)
	want := map[string][]string{}
	motion, panel := [3]int{}, [5]int{}
	for i := range e.list {
		class := e.list[i].Class
		paper := []int{1, 0, 2, 0, 0}
		paper[i%5], paper[0] = paper[0], paper[i%5]
		e.cast(i, "leader", []int{0, 0, 0, 0, 1})
		e.cast(i, "leader", paper) // replaces
		want[class] = append(want[class], fmt.Sprint(paper))
		if class != "full" {
			continue
		}
		long := make([]int, 70)
		for k := range long {
			long[k] = (k+i)%70 + 1
		}
		want["letter"] = append(want["letter"], fmt.Sprint(long))
		e.cast(i, "letter", long)
		v := [][]int{{1, 0}, {0, 1}, {0, 0}}[i%9/3]
		e.cast(i, "motion", v)
		motion[i%9/3]++
		p := [][]int{{1, 0, 0, 0}, {1, 1, 0, 1}, {0, 0, 0, 0}}[i%9/3]
		e.cast(i, "panel", p)
		for k, x := range p {
			panel[k] += x
		}
		if i%9/3 == 2 {
			panel[4]++
		}
	}
	e.board.Close()
	compare := func(got [][]int, want []string) {
		t.Helper()
		var g []string
		for _, p := range got {
			g = append(g, fmt.Sprint(p))
		}
		slices.Sort(g)
		slices.Sort(want)
		if !slices.Equal(g, want) {
			t.Errorf("opened:\n%v\ncast:\n%v", g, want)
		}
	}
	for _, gr := range []struct {
		contest, section, class, want string
		width                         int
	}{{"leader", "members", "full", "full", 1}, {"leader", "unions", "half", "half", 1}, {"leader", "unions", "third", "third", 1}, {"letter", "members", "full", "letter", 2}} {
		c := e.m.Contest(gr.contest)
		if c.Slots() != gr.width {
			t.Fatalf("papers of %s have %d elements", gr.contest, c.Slots())
		}
		plain := e.open(e.mix(gr.contest, gr.section, gr.class, gr.width), 2, 5, 3)
		papers, spoilt, err := sealed.Papers(e.g, c, plain)
		e.must(err)
		if len(spoilt) > 0 {
			t.Errorf("%d papers are spoilt: %v", len(spoilt), spoilt[0].Err)
		}
		compare(papers, want[gr.want])
	}
	for contest, totals := range map[string][]int{"motion": motion[:], "panel": panel[:]} {
		papers, n := e.board.Group(contest, "members", "full")
		sums, err := sealed.AddUp(e.g, e.m.Contest(contest), papers)
		e.must(err)
		o := &sealed.Opening{Manifest: e.hash, Closing: [32]byte{9}, Group: sealed.GroupName(contest, "members", "full"), Pairs: sums}
		got, err := sealed.Totals(e.g, e.open(o, 1, 4, 5), n)
		e.must(err)
		if !slices.Equal(got, totals) {
			t.Errorf("%s: %v, cast %v", contest, got, totals)
		}
	}
}
