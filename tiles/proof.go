package tiles

import (
	"encoding/binary"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/omov/omov/fault"
)

// Source gives the tiles of a log: the first width hashes of tile n of that
// level, as bytes.
type Source interface {
	Tile(level int, n int64, width int) ([]byte, error)
}

// reader reads hashes of a tree of a size from its tiles.
type reader struct {
	src  Source
	size int64
	have map[Ref][]byte
}

func (r *reader) ReadHashes(indexes []int64) ([]Hash, error) {
	hs := make([]Hash, len(indexes))
	for i, x := range indexes {
		t := tlog.TileForIndex(Height, x)
		t.W = WidthAt(r.size, t.L, t.N)
		ref := Ref{Level: t.L, N: t.N, Width: t.W}
		b, ok := r.have[ref]
		if !ok {
			var err error
			if b, err = r.src.Tile(ref.Level, ref.N, ref.Width); err != nil {
				return nil, err
			}
			r.have[ref] = b
		}
		h, err := tlog.HashFromTile(t, b, x)
		if err != nil {
			return nil, fault.Wrap(fault.Damaged, err, "tile %s of the log is damaged", ref.Path())
		}
		hs[i] = h
	}
	return hs, nil
}

// WidthAt is how many hashes tile n of a level holds in a log of that size.
func WidthAt(size int64, level int, n int64) int {
	return int(max(0, min(Width, size>>(level*Height)-n*Width)))
}

// RootAt computes the root that a log had at a size.
func RootAt(src Source, size int64) (Hash, error) {
	return tlog.TreeHash(size, &reader{src, size, map[Ref][]byte{}})
}

// Inclusion proves that leaf index (counted from 0) is in the log of that
// size.
func Inclusion(src Source, size, index int64) ([]Hash, error) {
	if index < 0 || index >= size {
		return nil, fault.New(fault.Invalid, "a log of %d entries has no entry %d", size, index)
	}
	return tlog.ProveRecord(size, index, &reader{src, size, map[Ref][]byte{}})
}

// CheckInclusion checks such a proof; the error is fault.Damaged.
func CheckInclusion(proof []Hash, size int64, root Hash, index int64, leaf Hash) error {
	if err := tlog.CheckRecord(proof, size, root, index, leaf); err != nil {
		return fault.Wrap(fault.Damaged, err, "the proof does not show entry %d in the log of %d", index, size)
	}
	return nil
}

// Consistency proves that the log of size older is the beginning of the log
// of size newer. The older size is at least 1.
func Consistency(src Source, newer, older int64) ([]Hash, error) {
	if older < 1 || older > newer {
		return nil, fault.New(fault.Invalid, "a log of %d entries cannot be compared with one of %d", newer, older)
	}
	return tlog.ProveTree(newer, older, &reader{src, newer, map[Ref][]byte{}})
}

// CheckConsistency checks such a proof; the error is fault.Damaged.
func CheckConsistency(proof []Hash, newer int64, newRoot Hash, older int64, oldRoot Hash) error {
	if err := tlog.CheckTree(proof, newer, newRoot, older, oldRoot); err != nil {
		return fault.Wrap(fault.Damaged, err, "the log of %d entries does not go on from the log of %d", newer, older)
	}
	return nil
}

// AppendBundle puts a leaf at the end of an entry bundle. A leaf is at most
// 65,535 bytes long; omov's never come near.
func AppendBundle(bundle, leaf []byte) []byte {
	return append(binary.BigEndian.AppendUint16(bundle, uint16(len(leaf))), leaf...)
}

// SplitBundle takes an entry bundle apart; fault.Invalid where it is not one.
func SplitBundle(b []byte) ([][]byte, error) {
	var leaves [][]byte
	for len(b) > 0 {
		if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
			return nil, fault.New(fault.Invalid, "an entry bundle breaks off in its entry %d", len(leaves))
		}
		n := int(binary.BigEndian.Uint16(b))
		leaves = append(leaves, b[2:2+n])
		b = b[2+n:]
	}
	return leaves, nil
}
