package tiles_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/tiles"
)

// memory is a log kept as a store would keep it: tiles as Append gives them,
// and the leaves.
type memory struct {
	edge   *tiles.Edge
	leaves []tiles.Hash
	stored map[string][]tiles.Hash
}

func newMemory(t *testing.T) *memory {
	e, ok := tiles.NewEdge(0, nil)
	if !ok {
		t.Fatal("no empty edge")
	}
	return &memory{edge: e, stored: map[string][]tiles.Hash{}}
}

func (m *memory) add(leaf []byte) {
	h := tiles.LeafHash(leaf)
	m.leaves = append(m.leaves, h)
	for _, c := range m.edge.Append(h) {
		m.stored[fmt.Sprint(c.Level, "/", c.N)] = c.Hashes
	}
}

func (m *memory) Tile(level int, n int64, width int) ([]byte, error) {
	hs := m.stored[fmt.Sprint(level, "/", n)]
	if level == 0 && hs == nil {
		hs = m.leaves[n*tiles.Width:]
	}
	if len(hs) < width {
		return nil, fault.New(fault.NotFound, "tile %d/%d has %d hashes, not %d", level, n, len(hs), width)
	}
	return tiles.Tile{Hashes: hs[:width]}.Bytes(), nil
}

// The tree is compared with golang.org/x/mod's at every size up to a few
// tiles and then at sizes around the second level.
func TestTreeIsThatOfTlog(t *testing.T) {
	m := newMemory(t)
	var all hashes
	sizes := map[int]bool{65535: true, 65536: true, 65537: true, 66000: true}
	for n := range 66001 {
		if n < 700 || sizes[n] {
			want, err := tlog.TreeHash(int64(n), all)
			if err != nil {
				t.Fatal(err)
			}
			if got := m.edge.Root(); got != want {
				t.Fatalf("root of %d leaves is %v; want %v", n, got, want)
			}
			if got, err := tiles.RootAt(m, int64(n)); err != nil || got != want {
				t.Fatalf("root of %d leaves from tiles is %v, %v; want %v", n, got, err, want)
			}
			again(t, m, want)
		}
		leaf := fmt.Appendf(nil, "leaf %d", n)
		hs, err := tlog.StoredHashes(int64(n), leaf, all)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, hs...)
		m.add(leaf)
	}
}

// again builds the edge from its stored tiles, as a restarted server does.
func again(t *testing.T, m *memory, want tiles.Hash) {
	t.Helper()
	size := m.edge.Size()
	var levels [][]tiles.Hash
	for l := range tiles.Levels(size) {
		n := size >> ((l + 1) * tiles.Height)
		b, err := m.Tile(l, n, tiles.WidthAt(size, l, n))
		if tiles.WidthAt(size, l, n) == 0 {
			b, err = nil, nil
		}
		hs, ok := tiles.ParseHashes(b)
		if err != nil || !ok {
			t.Fatal(err)
		}
		levels = append(levels, hs)
	}
	e, ok := tiles.NewEdge(size, levels)
	if !ok || e.Root() != want {
		t.Fatalf("an edge of %d leaves read again has another root", size)
	}
}

type hashes []tiles.Hash

func (h hashes) ReadHashes(ix []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(ix))
	for i, x := range ix {
		out[i] = h[x]
	}
	return out, nil
}

func TestProofs(t *testing.T) {
	m := newMemory(t)
	roots := []tiles.Hash{m.edge.Root()}
	for n := range 600 {
		m.add(fmt.Append(nil, n))
		roots = append(roots, m.edge.Root())
	}
	for _, size := range []int64{1, 2, 255, 256, 257, 600} {
		for _, index := range []int64{0, size / 2, size - 1} {
			p, err := tiles.Inclusion(m, size, index)
			if err != nil {
				t.Fatal(err)
			}
			if err := tiles.CheckInclusion(p, size, roots[size], index, m.leaves[index]); err != nil {
				t.Error(err)
			}
			if err := tiles.CheckInclusion(p, size, roots[size], index, tiles.LeafHash([]byte("x"))); !fault.Is(err, fault.Damaged) {
				t.Errorf("a wrong leaf passes: %v", err)
			}
		}
		p, err := tiles.Consistency(m, 600, size)
		if err != nil {
			t.Fatal(err)
		}
		if err := tiles.CheckConsistency(p, 600, roots[600], size, roots[size]); err != nil {
			t.Error(err)
		}
		if err := tiles.CheckConsistency(p, 600, roots[600], size, roots[size-1]); err == nil {
			t.Error("a wrong old root passes")
		}
	}
	if _, err := tiles.Inclusion(m, 5, 5); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

func TestPaths(t *testing.T) {
	for path, want := range map[string]tiles.Ref{
		"tile/0/000":                  {Width: 256},
		"tile/3/x001/x234/067.p/8":    {Level: 3, N: 1234067, Width: 8},
		"tile/entries/x001/234.p/255": {Entries: true, N: 1234, Width: 255},
		"tile/entries/x001/x000/000":  {Entries: true, N: 1000000, Width: 256},
	} {
		if got, err := tiles.ParsePath(path); err != nil || got != want {
			t.Errorf("ParsePath(%q) = %+v, %v", path, got, err)
		}
	}
	for _, path := range []string{"", "tile/0/0", "tile/0/x001", "tile/8/000", "tile/00/000", "tile/0/000.p/256", "tile/0/000.p/0", "tile/0/001/234", "tile/0/x000/001", "tile/-1/000", "tile/0/x001/x001/x001/x001/x001/x001/x001/001", "tile/0/+01"} {
		if r, err := tiles.ParsePath(path); err == nil {
			t.Errorf("ParsePath(%q) = %+v; want a refusal", path, r)
		}
	}
}

func TestBundle(t *testing.T) {
	b := tiles.AppendBundle(tiles.AppendBundle(nil, []byte("one")), nil)
	got, err := tiles.SplitBundle(b)
	if err != nil || len(got) != 2 || string(got[0]) != "one" || len(got[1]) != 0 {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := tiles.SplitBundle(b[:4]); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

func TestCheckpoint(t *testing.T) {
	seed := [32]byte{7}
	s, err := tiles.NewSigner("example.org/log", seed)
	if err != nil {
		t.Fatal(err)
	}
	key, err := tiles.VerifierKey("example.org/log", seed)
	if err != nil {
		t.Fatal(err)
	}
	c := tiles.Checkpoint{Origin: "example.org/log", Size: 12, Root: tiles.LeafHash([]byte("x"))}
	signed, err := tiles.Sign(c, s)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tiles.Open(signed, key); err != nil || got != c {
		t.Errorf("%+v, %v", got, err)
	}
	forged := []byte(strings.Replace(string(signed), "\n12\n", "\n13\n", 1))
	if _, err := tiles.Open(forged, key); !fault.Is(err, fault.Damaged) {
		t.Errorf("a forged checkpoint passes: %v", err)
	}
	if _, err := tiles.NewSigner("two words", seed); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}
