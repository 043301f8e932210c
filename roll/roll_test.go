package roll

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
)

func TestChunk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sections := rapid.IntRange(1, 3).Draw(t, "sections")
		n := rapid.Int64Range(0, 100).Draw(t, "chunk")
		c := NewChunk(n, sections)
		want := map[register.PersonID][]Line{}
		for range rapid.IntRange(0, 30).Draw(t, "people") {
			p := register.PersonID(n*ChunkSize + rapid.Int64Range(0, ChunkSize-1).Draw(t, "person"))
			lines := make([]Line, sections)
			for i := range lines {
				lines[i] = Line{Reason: uint8(rapid.IntRange(0, 20).Draw(t, "reason")), Votes: uint8(rapid.IntRange(0, 3).Draw(t, "votes"))}
			}
			want[p] = lines
			c.Set(p, lines)
		}
		got, err := ReadChunk(n, bytes.Clone(c.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		got.Each(func(p register.PersonID, b []byte) {
			seen++
			for i, l := range want[p] {
				if b[2*i] != l.Reason || b[2*i+1] != l.Votes {
					t.Fatalf("person %d section %d", p, i)
				}
			}
		})
		if seen != len(want) {
			t.Fatalf("%d people, want %d", seen, len(want))
		}
		for p, lines := range want {
			for i, l := range lines {
				if x, ok := got.Line(p, i); !ok || x != l {
					t.Fatalf("person %d section %d: %v", p, i, x)
				}
			}
		}
		if _, ok := got.Line(register.PersonID((n+1)*ChunkSize), 0); ok {
			t.Fatal("a person of the next chunk has a line in this one")
		}
	})
	for _, bad := range [][]byte{nil, []byte("omr1"), []byte("omr2\x01"), append([]byte("omr1\x01"), 1, 2)} {
		if _, err := ReadChunk(0, bad); !fault.Is(err, fault.Damaged) {
			t.Errorf("% x was read: %v", bad, err)
		}
	}
}

// The root says nothing of the order in which the lines came, and changes
// with every line.
func TestRoot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "lines")
		seed := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed")
		leaves := func(change int) (out [][32]byte) {
			for i := range n {
				line := []byte{byte(i), 1}
				if i == change {
					line[1] = 2
				}
				l, _ := Leaf(seed, int64(i), line)
				out = append(out, l)
			}
			return out
		}
		whole := Root(leaves(-1))
		shuffled := rapid.Permutation(leaves(-1)).Draw(t, "order")
		if Root(shuffled) != whole {
			t.Fatal("the root depends on the order of the lines")
		}
		if Root(leaves(rapid.IntRange(0, n-1).Draw(t, "changed"))) == whole {
			t.Fatal("a changed line leaves the root as it was")
		}
	})
}

// A member who is given their salt can check their own line, and the salts of
// others do not follow from it.
func TestLeafWithSalt(t *testing.T) {
	seed := bytes.Repeat([]byte{7}, 32)
	leaf, salt := Leaf(seed, 12, []byte{0, 1})
	if LeafWith(salt, 12, []byte{0, 1}) != leaf {
		t.Error("the salt does not give the leaf")
	}
	if LeafWith(salt, 13, []byte{0, 1}) == leaf || LeafWith(salt, 12, []byte{1, 0}) == leaf {
		t.Error("another voter's or another line gives the same leaf")
	}
	if _, other := Leaf(seed, 13, nil); other == salt {
		t.Error("two voters share a salt")
	}
}

// A reason that few share is published together with the others like it.
func TestPublished(t *testing.T) {
	reasons := []Reason{{ID: Entitled}, {ID: "a"}, {ID: "b"}, {ID: "sanction:suspension"}, {ID: "c"}}
	got := Published(reasons, []int64{0, 40, MinShown - 1, 1, MinShown})
	want := map[string]int64{"a": 40, "c": MinShown, TooFew: MinShown}
	if len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	for _, x := range got {
		if want[x.ID] != x.People {
			t.Errorf("%s stops %d, want %d", x.ID, x.People, want[x.ID])
		}
	}
}
