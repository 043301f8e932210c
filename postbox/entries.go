package postbox

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/tiles"
)

// recorded reads entries of the log: those of some kinds, of this ballot's
// proceeding.
type recorded struct {
	c     *Client
	kinds []string
	take  func(seq int64, kind string, body []byte) error
}

// record gives the entries of some kinds from one on up to a checkpoint, each
// shown to be in the log by its tiles.
func (c *Client) record(ctx context.Context, at tiles.Checkpoint, from int64, kinds []string, take func(seq int64, kind string, body []byte) error) error {
	r := &recorded{c, kinds, take}
	hashes := tlog.TileHashReader(tlog.Tree{N: at.Size, Hash: at.Root}, source{ctx, c})
	for n := (from - 1) / tiles.Width; n*tiles.Width < at.Size; n++ {
		if err := r.stretch(ctx, hashes, n, max(from-1, n*tiles.Width), min((n+1)*tiles.Width, at.Size)); err != nil {
			return err
		}
	}
	return nil
}

// wrong is what is said of a record that does not hold.
func wrong(seq int64, format string, args ...any) error {
	f := fault.New(fault.Damaged, "entry %d of the log: "+format+". Nothing was contributed", append([]any{seq}, args...)...)
	f.Remedy = "Tell the other trustees, the scrutineers and the returning officer."
	return f
}

// stretch reads the entries below tile n of the log, from one leaf to another,
// counted from 0.
func (r *recorded) stretch(ctx context.Context, hashes tlog.HashReader, n, from, end int64) error {
	indexes := make([]int64, 0, tiles.Width)
	for i := from; i < end; i++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, i))
	}
	want, err := hashes.ReadHashes(indexes)
	if err != nil {
		if fault.Of(err) != nil || ctx.Err() != nil {
			return err
		}
		return fault.Wrap(fault.Damaged, err, "the log does not hold what its checkpoint says. Nothing was contributed")
	}
	ctx, cancel := context.WithTimeout(ctx, later)
	defer cancel()
	body, err := r.c.entries(ctx, n)
	if err != nil {
		return err
	}
	defer body.Close()
	lines := bufio.NewReaderSize(body, 1<<20)
	for i := n * tiles.Width; i < end; i++ {
		line, err := readLine(lines, maxLine)
		if err != nil {
			return err
		}
		if i < from {
			continue
		}
		if err := r.entry(i+1, line, want[i-from]); err != nil {
			return err
		}
	}
	return nil
}

// readLine reads a line of at most so many bytes.
func readLine(r *bufio.Reader, most int) ([]byte, error) {
	var out []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(out)+len(part) > most {
			return nil, fault.New(fault.TooMuch, "the server sends a longer entry than there can be")
		}
		out = append(out, part...)
		switch {
		case err == nil:
			return out, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return nil, fault.New(fault.Unavailable, "the server does not send all of its record; try again later")
		default:
			return nil, fault.Wrap(fault.Unavailable, err, "the connection broke off; try again")
		}
	}
}

// opened is a line of a bundle's entries file (docs/verifying.md).
type opened struct {
	Body       json.RawMessage `json:"body"`
	Commitment string          `json:"commitment"`
	Header     json.RawMessage `json:"header"`
	Salt       string          `json:"salt"`
}

// leaf gives the bytes of the entry's leaf; false where there are none.
func (x *opened) leaf() ([]byte, bool) {
	if x.Commitment == "" {
		salt, err := hex.DecodeString(x.Salt)
		if err != nil || len(salt) != 32 {
			return nil, false
		}
		return minutes.JoinLeaf(x.Header, minutes.Commit([32]byte(salt), x.Body)), true
	}
	commitment, err := hex.DecodeString(x.Commitment)
	if err != nil || len(commitment) != 32 {
		return nil, false
	}
	return minutes.JoinLeaf(x.Header, [32]byte(commitment)), true
}

// entry takes one entry in, once it is shown to be the log's.
func (r *recorded) entry(seq int64, line []byte, want tiles.Hash) error {
	var x opened
	err := json.Unmarshal(line, &x)
	leaf, ok := x.leaf()
	if err != nil || !ok {
		return wrong(seq, "what the server sends of it cannot be read")
	}
	if tiles.LeafHash(leaf) != want {
		return wrong(seq, "the log holds something else than the server sends")
	}
	h, _, err := minutes.SplitLeaf(leaf)
	if err != nil || h.Seq != seq {
		return wrong(seq, "it is not an entry of a minute book")
	}
	if h.Access != "" || h.Proceeding != r.c.ref || !slices.Contains(r.kinds, h.Kind) {
		return nil
	}
	if x.Commitment != "" {
		return wrong(seq, "the server keeps back what is public")
	}
	return r.take(seq, h.Kind, x.Body)
}
