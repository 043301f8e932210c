package postbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/sealed"
)

// change is a change of the list: codes that were lost, replaced. It is made
// once, durably, before it leaves the machine; it holds once the log has it.
type change struct {
	N         int64       `json:"n"`
	Body      []byte      `json:"body"`
	Signature []byte      `json:"signature"`
	Codes     []voterCode `json:"codes"` // the new ones
	Why       string      `json:"why"`
	Entry     int64       `json:"entry"`   // of the log; 0: it is not there
	Refused   string      `json:"refused"` // what the server said against it
}

func (c *change) voters() []int64 {
	var out []int64
	for _, v := range c.Codes {
		out = append(out, v.Voter)
	}
	return out
}

// Reissue replaces the codes of voters by new ones, while nothing was cast with
// the old: the log shows which keys were replaced, and the registrar's own log
// whose they were, and why. It may be repeated: a change that was made and has
// not arrived is sent again, the same to the byte.
func (r *Registrar) Reissue(ctx context.Context, voters []int64, why string) error {
	if why = strings.TrimSpace(why); why == "" || plain(why) != why {
		return fault.New(fault.Invalid, "say why, in a line: it is entered in your log")
	}
	x, i, err := r.listed(ctx)
	if err != nil {
		return err
	}
	slices.Sort(voters)
	if c := i.waiting(); c != nil {
		if !slices.Equal(c.voters(), slices.Compact(voters)) {
			r.say("A change of the list that you have made before has not arrived; it is sent first.")
			if err := r.send(ctx, i, c); err != nil {
				return err
			}
		} else {
			r.say("This change was made before and has not arrived; the same one is sent again.")
			return r.send(ctx, i, c)
		}
	}
	c, err := r.swap(x, i, slices.Compact(voters), why)
	if err != nil {
		return err
	}
	return r.send(ctx, i, c)
}

// listed looks, and makes sure that the log holds the list and its changes as
// they were signed.
func (r *Registrar) listed(ctx context.Context) (*sight, *issue, error) {
	x, err := r.look(ctx)
	if err != nil {
		return nil, nil, err
	}
	i := r.file.issue(x.m.Election)
	if i == nil || x.b.List == nil {
		return nil, nil, fault.New(fault.TooEarly, "the list of this ballot has not been published: do that first (omov registrar list)")
	}
	return x, i, r.found(ctx, x, i)
}

// waiting gives the change that was made and is not in the log.
func (i *issue) waiting() *change {
	for _, c := range i.Changes {
		if c.Entry == 0 && c.Refused == "" {
			return c
		}
	}
	return nil
}

// swap makes a change, and keeps it durably.
func (r *Registrar) swap(x *sight, i *issue, voters []int64, why string) (*change, error) {
	c := &change{N: 1, Why: why}
	for _, o := range i.Changes {
		if o.Entry != 0 {
			c.N++
		}
	}
	l := &sealed.Relisting{Version: 1, Manifest: hex.EncodeToString(x.hash[:]), N: c.N}
	codes := i.codes()
	for _, v := range voters {
		old, ok := codes[v]
		if !ok {
			return nil, fault.New(fault.NotFound, "the roll of this ballot has no voter %d. Their number stands in the first column of the roll", v)
		}
		fresh := make([]byte, 16)
		rand.Read(fresh)
		c.Codes = append(c.Codes, voterCode{v, fresh})
		for _, line := range i.Lines {
			if line.Voter == v {
				out, in := r.public(x, old, line.Section), r.public(x, sealed.CodeFrom([16]byte(fresh)), line.Section)
				l.Swaps = append(l.Swaps, sealed.Swap{Section: line.Section, Class: line.Class, Out: out[:], In: in[:]})
			}
		}
	}
	slices.SortFunc(l.Swaps, func(a, b sealed.Swap) int { return bytes.Compare(a.In, b.In) })
	var err error
	if c.Body, c.Signature, err = sealed.SignRelisting(r.g, l, r.file.key); err != nil {
		return nil, err
	}
	i.Changes = append(i.Changes, c)
	for _, v := range voters {
		r.file.note(i, v, "made a new code", why)
	}
	return c, r.file.save()
}

func (r *Registrar) public(x *sight, c sealed.Code, section string) [32]byte {
	k := c.Key(x.hash, section)
	defer k.Wipe()
	return k.Public(r.g)
}

// send posts a change, and makes sure that it is in the log.
func (r *Registrar) send(ctx context.Context, i *issue, c *change) error {
	err := r.c.Change(ctx, c.Body, c.Signature)
	if k := fault.KindOf(err); k == fault.TooLate || k == fault.Already || k == fault.NotFound {
		c.Refused = err.Error()
		for _, v := range c.voters() {
			r.file.note(i, v, "the code was not replaced: "+c.Refused, "")
		}
		if e := r.file.save(); e != nil {
			return e
		}
		f := fault.Wrap(k, err, "the code was not replaced, and the old one holds")
		f.Remedy = "If a paper was cast with it, that paper counts, and can be changed with the old code only. If the voter did not cast it, somebody else has: tell the scrutineers."
		return f
	}
	if err != nil {
		return err
	}
	x, err := r.look(ctx)
	if err != nil {
		return err
	}
	if err := r.found(ctx, x, i); err != nil {
		return err
	}
	if c.Entry == 0 {
		return fault.New(fault.Damaged, "the server took the change of the list, and its log does not hold it. Tell the trustees and the returning officer")
	}
	r.say("Replaced: %d codes; entry %d of the log. The old codes have no vote any more.", len(c.Codes), c.Entry)
	return nil
}

// found makes sure that the log holds the list and its changes as they were
// signed, and nothing else that bears on who may vote. A change that is there
// holds from now on.
func (r *Registrar) found(ctx context.Context, x *sight, i *issue) error {
	if x.b.List == nil {
		return fault.New(fault.Damaged, "the server took the list and does not show it. Tell the trustees and the returning officer")
	}
	seq := x.b.List.Seq
	if seq < 1 || seq > x.head.Size {
		return fault.New(fault.Unavailable, "the server says that the list is entry %d, and its log has %d entries. Repeat the command in a minute", seq, x.head.Size)
	}
	is, known := false, i.Entry
	err := r.c.record(ctx, x.head, seq, []string{kindListed, kindChange}, func(n int64, kind string, body []byte) error {
		var b struct {
			Ballot       string
			List, Change []byte
		}
		if err := json.Unmarshal(body, &b); err != nil || b.Ballot != x.b.Ballot {
			return nil
		}
		if kind == kindChange {
			return r.applied(i, n, b.Change)
		}
		if digestOf(b.List) != i.List {
			return fault.New(fault.Damaged, "entry %d of the log is a list of who may vote that is not yours. Tell the trustees, the scrutineers and the returning officer", n)
		}
		is = is || n == seq
		return nil
	})
	if err != nil {
		return err
	}
	if !is {
		return fault.New(fault.Damaged, "entry %d of the log is not your list, though the server says so. Tell the trustees and the returning officer", seq)
	}
	if i.Entry = seq; known != seq {
		r.say("Your list is entry %d of the log, as you have signed it: %d keys.", seq, len(i.Lines))
		r.file.note(i, 0, fmt.Sprintf("found the list in the log, as entry %d", seq), "")
	}
	return r.file.save()
}

// applied takes in a change that the log has.
func (r *Registrar) applied(i *issue, seq int64, body []byte) error {
	for _, c := range i.Changes {
		if !bytes.Equal(c.Body, body) {
			continue
		}
		if c.Entry != 0 {
			return nil
		}
		c.Entry, c.Refused = seq, ""
		for n := range i.Codes {
			for _, fresh := range c.Codes {
				if i.Codes[n].Voter == fresh.Voter {
					clear(i.Codes[n].Code)
					i.Codes[n].Code = bytes.Clone(fresh.Code)
					r.file.note(i, fresh.Voter, fmt.Sprintf("the new code holds, by entry %d of the log", seq), "")
				}
			}
		}
		return nil
	}
	return fault.New(fault.Damaged, "entry %d of the log changes the list of who may vote, and you have not signed it. Tell the trustees, the scrutineers and the returning officer", seq)
}

// Change posts the registrar's change of the list.
func (c *Client) Change(ctx context.Context, change, signature []byte) error {
	b, err := json.Marshal(map[string][]byte{"change": change, "signature": signature})
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the change could not be written")
	}
	return c.post(ctx, c.box("change"), b)
}
