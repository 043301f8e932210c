package roll

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
)

// ChunkSize is how many consecutive numbers of people one chunk covers.
const ChunkSize = 10_000

// Chunk is a part of a roll: people n*ChunkSize … n*ChunkSize+9999, two bytes
// (reason, votes) a section for each; reason 0xff means that the person is
// not in the register. The bytes are what is stored: a header of "omr1", the
// number of sections, then the lines.
type Chunk struct {
	N        int64
	sections int
	b        []byte
}

const chunkMagic = "omr1"

// NewChunk makes an empty chunk.
func NewChunk(n int64, sections int) *Chunk {
	head := len(chunkMagic) + 1
	b := append([]byte(chunkMagic), byte(sections))
	b = append(b, bytes.Repeat([]byte{notAssessed, 0}, ChunkSize*sections)...)
	return &Chunk{N: n, sections: sections, b: b[:head+ChunkSize*sections*2]}
}

// ReadChunk takes stored bytes as chunk n.
func ReadChunk(n int64, b []byte) (*Chunk, error) {
	head := len(chunkMagic) + 1
	if len(b) < head || string(b[:4]) != chunkMagic || len(b) != head+ChunkSize*int(b[4])*2 {
		return nil, fault.New(fault.Damaged, "part %d of the roll cannot be read", n)
	}
	return &Chunk{N: n, sections: int(b[4]), b: b}, nil
}

// ChunkOf is the number of the chunk that holds a person.
func ChunkOf(p register.PersonID) int64 { return int64(p) / ChunkSize }

// Bytes is what is stored.
func (c *Chunk) Bytes() []byte { return c.b }

func (c *Chunk) at(p register.PersonID) int {
	return len(chunkMagic) + 1 + int(int64(p)%ChunkSize)*c.sections*2
}

// Set writes a person's lines.
func (c *Chunk) Set(p register.PersonID, lines []Line) {
	at := c.at(p)
	for i, l := range lines {
		c.b[at+2*i], c.b[at+2*i+1] = l.Reason, l.Votes
	}
}

// Line reads a person's line in one of the people's sections; false if the
// person was not in the register.
func (c *Chunk) Line(p register.PersonID, section int) (Line, bool) {
	if ChunkOf(p) != c.N || section >= c.sections {
		return Line{}, false
	}
	at := c.at(p) + 2*section
	if c.b[at] == notAssessed {
		return Line{}, false
	}
	return Line{Reason: c.b[at], Votes: c.b[at+1]}, true
}

// Each calls yield with every person of the chunk that was assessed and their
// bytes, in order of their numbers.
func (c *Chunk) Each(yield func(p register.PersonID, lines []byte)) {
	at := len(chunkMagic) + 1
	for i := range int64(ChunkSize) {
		if l := c.b[at : at+2*c.sections]; len(l) > 0 && l[0] != notAssessed {
			yield(register.PersonID(c.N*ChunkSize+i), l)
		}
		at += 2 * c.sections
	}
}

// Tally counts what a roll says: by section, how many are entitled, how many
// votes they have, and how many are stopped by each reason.
type Tally struct {
	Entitled []int64   `json:"entitled"`
	Votes    []int64   `json:"votes"`
	Stopped  [][]int64 `json:"stopped"` // [section][reason]; reason 0 stays 0
}

// NewTally makes a tally for the people's sections of a plan.
func NewTally(p *Plan) *Tally {
	t := &Tally{Entitled: make([]int64, len(p.People)), Votes: make([]int64, len(p.People))}
	for _, i := range p.People {
		t.Stopped = append(t.Stopped, make([]int64, len(p.Sections[i].Reasons)))
	}
	return t
}

// Add counts one person's lines.
func (t *Tally) Add(lines []Line) {
	for i, l := range lines {
		if l.Reason == 0 {
			t.Entitled[i]++
			t.Votes[i] += int64(l.Votes)
		} else {
			t.Stopped[i][l.Reason]++
		}
	}
}

// Merge adds another tally of the same plan.
func (t *Tally) Merge(o *Tally) {
	for i := range t.Entitled {
		t.Entitled[i] += o.Entitled[i]
		t.Votes[i] += o.Votes[i]
		for j := range t.Stopped[i] {
			t.Stopped[i][j] += o.Stopped[i][j]
		}
	}
}

// MinShown is how few people may share a reason before it is no longer told
// apart in public: "one person: suspension" would single somebody out.
const MinShown = 5

// TooFew is the id under which rare reasons are published together.
const TooFew = "other"

// Shown is how many people one reason stops, as it is published.
type Shown struct {
	Reason
	People int64
}

// Published is what may be public of how many people each reason stops:
// reasons that fewer than MinShown people share are put together.
func Published(reasons []Reason, stopped []int64) []Shown {
	var out []Shown
	var few int64
	for n, r := range reasons {
		switch {
		case n == 0 || stopped[n] == 0:
		case stopped[n] < MinShown:
			few += stopped[n]
		default:
			out = append(out, Shown{r, stopped[n]})
		}
	}
	if few > 0 {
		out = append(out, Shown{Reason{ID: TooFew, Says: "A condition that so few miss that it is not told apart here"}, few})
	}
	return out
}

// Leaf is the salted commitment to one voter's line. The salt follows from
// the roll's seed and the voter, so that a voter can be given theirs without
// the seed. What is committed is the voter's number (units negative) and the
// line's bytes.
func Leaf(seed []byte, voter int64, line []byte) (leaf, salt [32]byte) {
	salt = Salt(seed, voter)
	return LeafWith(salt, voter, line), salt
}

// Salt is the salt of a voter's line.
func Salt(seed []byte, voter int64) [32]byte {
	m := hmac.New(sha256.New, seed)
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(voter))
	m.Write([]byte("omov/roll/salt/1\x00"))
	m.Write(n[:])
	return [32]byte(m.Sum(nil))
}

// LeafWith is the commitment under a salt that is already known.
func LeafWith(salt [32]byte, voter int64, line []byte) [32]byte {
	var buf [96]byte
	b := append(buf[:0], "omov/roll/leaf/1\x00"...)
	b = append(b, salt[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(voter))
	b = append(b, line...)
	return sha256.Sum256(b)
}

// Root is the root over leaves, which it sorts: since they are salted, sorted
// means random. Inner nodes are SHA-256(0x01 || left || right), leaves
// SHA-256(0x00 || leaf), an odd node goes up as it is (the tree of RFC 6962).
func Root(leaves [][32]byte) [32]byte {
	if len(leaves) == 0 {
		return sha256.Sum256(nil)
	}
	slices.SortFunc(leaves, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	level := make([][32]byte, len(leaves))
	var in [65]byte
	for i := range leaves {
		in[0] = 0
		copy(in[1:], leaves[i][:])
		level[i] = sha256.Sum256(in[:33])
	}
	for len(level) > 1 {
		n := len(level) / 2
		for i := range n {
			in[0] = 1
			copy(in[1:], level[2*i][:])
			copy(in[33:], level[2*i+1][:])
			level[i] = sha256.Sum256(in[:])
		}
		if len(level)%2 == 1 {
			level[n] = level[len(level)-1]
			n++
		}
		level = level[:n]
	}
	return level[0]
}
