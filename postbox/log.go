package postbox

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/tiles"
)

// source reads the tiles of the server's log for package tiles, and for
// package tlog, which authenticates them against a root.
type source struct {
	ctx context.Context
	c   *Client
}

// Tile implements tiles.Source.
func (s source) Tile(level int, n int64, width int) ([]byte, error) {
	return s.c.tile(s.ctx, tiles.Ref{Level: level, N: n, Width: width})
}

// Height implements tlog.TileReader.
func (s source) Height() int { return tiles.Height }

// ReadTiles implements tlog.TileReader.
func (s source) ReadTiles(list []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(list))
	for i, t := range list {
		b, err := s.Tile(t.L, t.N, t.W)
		if err != nil {
			return nil, err
		}
		out[i] = b
	}
	return out, nil
}

// SaveTiles implements tlog.TileReader; nothing is kept.
func (s source) SaveTiles([]tlog.Tile, [][]byte) {}

// goesOn checks that the log at the older checkpoint is the beginning of what
// it is at the newer.
func (s source) goesOn(older, newer tiles.Checkpoint) error {
	differs := func(err error) error {
		f := fault.New(fault.Damaged, "the log does not go on from what was seen of it (%d entries then, %d now): the server shows different records to different people, or has changed one. Nothing was contributed", older.Size, newer.Size)
		f.Remedy, f.Err = "Keep your file, tell the other trustees and the scrutineers, and compare what each of you has seen (omov trustee show FILE).", err
		return f
	}
	switch {
	case older.Origin != newer.Origin, newer.Size < older.Size, newer.Size == older.Size && newer.Root != older.Root:
		return differs(nil)
	case newer.Size == older.Size, older.Size == 0:
		return nil
	}
	proof, err := tiles.Consistency(s, newer.Size, older.Size)
	if err != nil {
		if k := fault.KindOf(err); k == fault.Unavailable || k == fault.NotFound || s.ctx.Err() != nil {
			return err
		}
		return differs(err)
	}
	if err := tiles.CheckConsistency(proof, newer.Size, newer.Root, older.Size, older.Root); err != nil {
		return differs(err)
	}
	return nil
}

// follow brings what is remembered of the server's log up to date, and gives
// its newest checkpoint and key. Nothing is saved here; first tells that the log
// was not known at this address before.
func (c *Client) follow(ctx context.Context, logs map[string]*logSeen, newLog bool) (head tiles.Checkpoint, first bool, err error) {
	key, err := c.LogKey(ctx)
	if err != nil {
		return head, false, err
	}
	signed, err := c.Checkpoint(ctx)
	if err != nil {
		return head, false, err
	}
	seen := logs[c.root]
	switch {
	case seen == nil:
		first, seen = true, &logSeen{Key: key}
	case seen.Key != key && newLog:
		first, seen = true, &logSeen{Key: key, Former: append(seen.Former, seen.Key)}
	case seen.Key != key:
		f := fault.New(fault.Damaged, "the log at %s has another key than when it was first seen. Nothing was contributed", c.root)
		f.Remedy = "Ask the organisation why. If it has opened a new log after a loss, and says so in public, repeat the command with --new-log."
		return head, false, f
	}
	if head, err = tiles.Open(signed, key); err != nil {
		return head, false, fault.Wrap(fault.Damaged, err, "the newest checkpoint is not signed by the log that this server keeps. Nothing was contributed")
	}
	// What was seen of this log under another address counts as well: else a
	// server could shed its past by moving.
	for _, l := range logs {
		if l.Key != key || l.Checkpoint == "" {
			continue
		}
		older, err := tiles.Open([]byte(l.Checkpoint), l.Key)
		if err != nil {
			return head, false, fault.Wrap(fault.Damaged, err, "the checkpoint that was kept cannot be read")
		}
		if err := (source{ctx, c}).goesOn(older, head); err != nil {
			return head, false, err
		}
	}
	seen.Checkpoint = string(signed)
	logs[c.root] = seen
	return head, first, nil
}
