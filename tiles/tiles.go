// Package tiles is the public log under the minute book: a Merkle tree over
// the leaves, served as tiles, with signed checkpoints and proofs.
//
// It follows RFC 6962 for the hashes, C2SP tlog-tiles for tiles, entry
// bundles and their paths, C2SP tlog-checkpoint and signed-note for
// checkpoints, and C2SP tlog-cosignature for what witnesses add. It stores
// nothing, serves nothing and reads no clock.
//
// # Formats
//
// A tile of level L and number N holds up to 256 hashes of 32 bytes: those of
// level 8L of the tree from number 256N on. Its path is
//
//	tile/0/x001/234          a full tile
//	tile/0/x001/234.p/17     its first 17 hashes
//	tile/entries/x001/234    the leaves below it, each after its length as
//	                         two bytes, the higher first
//
// A checkpoint is a note signed with Ed25519:
//
//	example.org/omov/7f3a
//	1234
//	<base64 of the root>
//
//	— example.org/omov/7f3a <base64 of key hash and signature>
package tiles

import (
	"golang.org/x/mod/sumdb/tlog"
)

// Height is how many levels of the tree a tile spans; Width how many hashes a
// full tile holds.
const (
	Height = 8
	Width  = 1 << Height
)

// Hash is a node of the tree.
type Hash = tlog.Hash

// LeafHash is the hash of a leaf.
func LeafHash(leaf []byte) Hash { return tlog.RecordHash(leaf) }

// EmptyRoot is the root of a log without entries.
func EmptyRoot() Hash {
	h, _ := tlog.TreeHash(0, nil) // of nothing; reads nothing
	return h
}

// Tile is a tile that an append has completed or lengthened.
type Tile struct {
	Level  int
	N      int64
	Hashes []Hash
}

// Bytes gives the hashes one after another, as a tile is served.
func (t Tile) Bytes() []byte {
	b := make([]byte, 0, len(t.Hashes)*len(Hash{}))
	for _, h := range t.Hashes {
		b = append(b, h[:]...)
	}
	return b
}

// ParseHashes takes the bytes of a tile apart. It gives false where they are
// not whole hashes or more than a tile holds.
func ParseHashes(b []byte) ([]Hash, bool) {
	if len(b)%len(Hash{}) != 0 || len(b) > Width*len(Hash{}) {
		return nil, false
	}
	hs := make([]Hash, len(b)/len(Hash{}))
	for i := range hs {
		copy(hs[i][:], b[i*len(Hash{}):])
	}
	return hs, true
}

// Edge is the right edge of a growing tree: everything that is needed to
// append to it and to know its root, and nothing more. It is not safe for use
// by several goroutines.
type Edge struct {
	size   int64
	levels [][]Hash // the tile at the edge of every level, not yet full
	stack  []node   // roots of the complete subtrees, the largest first
}

type node struct {
	level int
	hash  Hash
}

// NewEdge makes the edge of a tree of that size from the tiles at its edge:
// levels[0] holds the last size%256 leaf hashes, levels[1] the last
// size/256%256 hashes of full tiles below, and so on. It gives false where
// their lengths do not fit the size.
func NewEdge(size int64, levels [][]Hash) (*Edge, bool) {
	e := &Edge{size: size}
	for n, l := size, 0; n > 0; n, l = n>>Height, l+1 {
		if l >= len(levels) || len(levels[l]) != int(n%Width) {
			return nil, false
		}
		e.levels = append(e.levels, append(make([]Hash, 0, Width), levels[l]...))
	}
	for l := len(e.levels) - 1; l >= 0; l-- {
		for _, h := range e.levels[l] {
			e.push(node{l * Height, h})
		}
	}
	return e, true
}

// Levels tells how many levels of tiles a tree of that size has.
func Levels(size int64) int {
	l := 0
	for ; size > 0; size >>= Height {
		l++
	}
	return l
}

// push puts a complete subtree beside the others and joins those of a size.
func (e *Edge) push(n node) {
	for len(e.stack) > 0 && e.stack[len(e.stack)-1].level == n.level {
		left := e.stack[len(e.stack)-1]
		e.stack = e.stack[:len(e.stack)-1]
		n = node{n.level + 1, tlog.NodeHash(left.hash, n.hash)}
	}
	e.stack = append(e.stack, n)
}

// Size is the number of leaves.
func (e *Edge) Size() int64 { return e.size }

// Root is the root of the tree.
func (e *Edge) Root() Hash {
	if len(e.stack) == 0 {
		return EmptyRoot()
	}
	h := e.stack[len(e.stack)-1].hash
	for i := len(e.stack) - 2; i >= 0; i-- {
		h = tlog.NodeHash(e.stack[i].hash, h)
	}
	return h
}

// Append adds a leaf and gives the tiles that are to be stored because of it:
// full ones of any level, and the lengthened partial ones above level 0. A
// partial tile of level 0 is not given, because it changes with every leaf
// and the leaves themselves hold it.
func (e *Edge) Append(leaf Hash) []Tile {
	var changed []Tile
	e.push(node{0, leaf})
	e.size++
	for l, h, n := 0, leaf, e.size; ; l++ {
		if l == len(e.levels) {
			e.levels = append(e.levels, make([]Hash, 0, Width))
		}
		e.levels[l] = append(e.levels[l], h)
		full := len(e.levels[l]) == Width
		if l > 0 || full {
			changed = append(changed, Tile{l, (n - 1) >> Height, append([]Hash(nil), e.levels[l]...)})
		}
		if !full {
			return changed
		}
		e.levels[l] = e.levels[l][:0]
		h, n = subtree(changed[len(changed)-1].Hashes), n>>Height
	}
}

// subtree is the root over the hashes of a full tile.
func subtree(hs []Hash) Hash {
	hs = append([]Hash(nil), hs...)
	for len(hs) > 1 {
		for i := range len(hs) / 2 {
			hs[i] = tlog.NodeHash(hs[2*i], hs[2*i+1])
		}
		hs = hs[:len(hs)/2]
	}
	return hs[0]
}

// Clone gives an edge that grows apart from this one.
func (e *Edge) Clone() *Edge {
	c := &Edge{size: e.size, stack: append([]node(nil), e.stack...)}
	for _, l := range e.levels {
		c.levels = append(c.levels, append(make([]Hash, 0, Width), l...))
	}
	return c
}
