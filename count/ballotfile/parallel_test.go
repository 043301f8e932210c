package ballotfile_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/omov/omov/count"
	"github.com/omov/omov/count/ballotfile"
	"github.com/omov/omov/count/sample"
)

// TestSampleIsTheSameEverywhere: the papers that speed is measured with are
// the same bytes for ever.
func TestSampleIsTheSameEverywhere(t *testing.T) {
	var b bytes.Buffer
	if err := (sample.Shape{Papers: 1000, Candidates: 10, Seats: 6, Seed: 20260101}).WriteBLT(&b); err != nil {
		t.Fatal(err)
	}
	const want = "d52000c87ae51104"
	sum := sha256.Sum256(b.Bytes())
	if got := hex.EncodeToString(sum[:8]); got != want {
		t.Errorf("the sample has changed: %s", got)
	}
}

// TestTwoProcessors: papers read and grouped on two processors, and counted
// on two, give the sheets of those added one by one.
func TestTwoProcessors(t *testing.T) {
	for _, s := range []sample.Shape{
		{Papers: 30_000, Candidates: 10, Seats: 3, Seed: 7},
		{Papers: 30_000, Candidates: 10, Seats: 3, Seed: 8, Uniform: true},
		{Papers: 12_000, Candidates: 40, Seats: 5, Seed: 9}, // papers too long for a packed key
	} {
		var b bytes.Buffer
		if err := s.WriteBLT(&b); err != nil {
			t.Fatal(err)
		}
		f, err := ballotfile.ReadBLT(b.Bytes(), ballotfile.Options{KeepPapers: true})
		if err != nil {
			t.Fatal(err)
		}
		plain, err := s.Group()
		if err != nil {
			t.Fatal(err)
		}
		if f.Papers.Len() != plain.Len() || f.Papers.Added() != s.Papers {
			t.Errorf("%d groups of %d papers, one by one %d", f.Papers.Len(), f.Papers.Added(), plain.Len())
		}
		for _, m := range []string{"av", "scottish-stv", "ers97", "meek-prf", "schulze"} {
			c := s.Contest()
			if m == "av" || m == "schulze" {
				c.Seats = 1
			}
			one, err := count.Count(m, c, count.Pool(plain))
			if err != nil {
				t.Fatal(err)
			}
			two, err := count.Count(m, c, count.Pool(f.Papers))
			if err != nil {
				t.Fatal(err)
			}
			x, _ := json.Marshal(one)
			y, _ := json.Marshal(two)
			if !bytes.Equal(x, y) {
				t.Errorf("%s: %s\n%s", m, x, y)
			}
		}
		n := 0
		err = s.Each(func(ranks []int) error {
			g, ok := f.Papers.GroupOf(n)
			if !ok {
				t.Fatalf("paper %d has no group", n)
			}
			marks, _, _ := f.Papers.Group(g)
			for i, m := range marks {
				if len(marks) != len(ranks) || m.Candidate() != ranks[i] {
					t.Fatalf("paper %d is not in its group", n)
				}
			}
			n++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
