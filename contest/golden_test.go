package contest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/store"
)

var writeGolden = flag.Bool("golden", false, "write this release's golden book; once a release, and never again")

// golden is a book as a release left it: its entries, and the digests of the
// projections that follow from them.
type golden struct {
	Origin  string            `json:"origin"`
	Minutes []minutes.Minute  `json:"minutes"`
	Digests map[string]string `json:"digests"`
}

// release is the one whose golden book -golden writes.
const release = "0.1"

// Every release's golden book is replayed to the same projections by every
// later one: bytes are never rewritten, and what they mean does not change.
func TestGoldenBooks(t *testing.T) {
	if *writeGolden {
		makeGolden(t, filepath.Join("testdata", "golden-"+release+".json.gz"))
	}
	files, err := filepath.Glob(filepath.Join("testdata", "golden-*.json.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there is no golden book: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { replayGolden(t, file) })
	}
}

func replayGolden(t *testing.T, file string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.NewDecoder(z).Decode(&g); err != nil {
		t.Fatal(err)
	}
	ctx, dir := context.Background(), t.TempDir()
	ch, err := chamber.Open(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db"), Origin: g.Origin}, Keys: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	if err := ch.ReplayMinutes(ctx, g.Minutes); err != nil {
		t.Fatal(err)
	}
	got, err := ch.DB.Digest(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range g.Digests {
		if got[name] != want {
			t.Errorf("the projection %s has become another one", name)
		}
	}
	if len(g.Minutes) < 60 || !maps.Equal(got, g.Digests) {
		t.Errorf("%d entries; %d projections, %d then", len(g.Minutes), len(got), len(g.Digests))
	}
}

// makeGolden runs a contest with a challenge of everything that is recorded:
// import, offices, nominations, a declined one, a discretion, a ballot, the
// lot, the count, and an amendment that is voted on by name.
func makeGolden(t *testing.T, file string) {
	h := newHouse(t, "omov-2014", 20, 40)
	ref := h.voting()
	for i, p := range h.members {
		if err := h.cast(ref, p, i%3, (i+1)%3); err != nil {
			t.Fatal(err)
		}
	}
	for i, o := range []string{"general_secretary", "scrutineer"} {
		h.must(h.s.CommitLot(h.ctx, ref, as(h.officers[i]), o))
	}
	h.end(ref)
	if err := h.reg.Erase(h.ctx, h.members[5], "asked to be forgotten"); err != nil {
		t.Fatal(err)
	}
	g := golden{}
	err := h.ch.DB.Read(h.ctx, func(tx *store.Tx) error {
		head, err := tx.Head()
		if err != nil {
			return err
		}
		g.Origin = head.Origin
		return tx.Minutes(1, func(m minutes.Minute) error { g.Minutes = append(g.Minutes, m); return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	if g.Digests, err = h.ch.DB.Digest(h.ctx); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := json.NewEncoder(z).Encode(g); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
