package postbox

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/tiles"
)

// closed is a ballot after its close, as far as it has been checked.
type closed struct {
	*view
	steps   *steps
	key     [32]byte // joint
	closing [32]byte // hash of the closing checkpoint
	deeds   []deed
}

// deed is a deed on the board: its signature holds for the digest it names. The
// bytes that it speaks of have not been looked at.
type deed struct {
	sealed.Deed
	n int
}

// close reads the close that the server shows and compares it with the one that
// was witnessed, if one was. A nil result says that there is none yet.
func (t *Trustee) close(ctx context.Context, v *view) (*closed, error) {
	if v.b.Closing == nil {
		return nil, nil
	}
	x := &closed{view: v}
	var err error
	if x.steps, err = t.replay(v); err != nil {
		return nil, err
	}
	if x.key, err = t.joint(v, x.steps); err != nil {
		return nil, err
	}
	c, err := tiles.Open([]byte(v.b.Closing.Checkpoint), v.rec.Log)
	if err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "the closing checkpoint is not signed by the log of this ballot. Nothing was contributed")
	}
	x.closing = sealed.Closing([]byte(c.Body()))
	if v.b.Closing.Hash != hex.EncodeToString(x.closing[:]) {
		return nil, fault.New(fault.Damaged, "the server shows a closing checkpoint and the hash of another. Nothing was contributed")
	}
	if v.rec.Closing == "" {
		return x, t.onLog(ctx, v, c)
	}
	before, err := tiles.Open([]byte(v.rec.Closing), v.rec.Log)
	if err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "the closing checkpoint that was witnessed cannot be read")
	}
	if before != c {
		f := fault.New(fault.Damaged, "the server shows a second close of this ballot, at entry %d; the one that you have witnessed is at entry %d. Nothing was contributed", c.Size, before.Size)
		f.Remedy = "Tell the other trustees and the scrutineers: two closes are two different results."
		return nil, f
	}
	return x, nil
}

// onLog checks that the closing checkpoint is of the log that has been watched:
// the newest one goes on from all that were seen, and from the close.
func (t *Trustee) onLog(ctx context.Context, v *view, c tiles.Checkpoint) error {
	s := source{ctx, t.c}
	if c.Size > v.head.Size {
		return s.goesOn(v.head, c)
	}
	return s.goesOn(c, v.head)
}

// read checks every deed's signature. A deed that does not hold is not on an
// honest board.
func (t *Trustee) read(x *closed) error {
	for _, e := range x.b.Deeds {
		d, err := x.m.SignedDeed(t.g, x.closing, e.Deed)
		if err != nil {
			return fault.Wrap(fault.Damaged, err, "the board holds a deed that is none (%v). Nothing was contributed", err)
		}
		x.deeds = append(x.deeds, deed{*d, e.N})
	}
	return nil
}

// find gives a trustee's deed of a kind about a group.
func (x *closed) find(from, kind, group string) *deed {
	for i := range x.deeds {
		if d := &x.deeds[i]; d.From == from && d.Kind == kind && d.Group == group {
			return d
		}
	}
	return nil
}

// witnesses gives the trustees who have witnessed the close.
func (x *closed) witnesses() []string {
	var out []string
	for i := range x.deeds {
		if d := &x.deeds[i]; d.Kind == sealed.Witness && !slices.Contains(out, d.From) {
			out = append(out, d.From)
		}
	}
	return out
}

// Witness checks the close and signs it.
func (t *Trustee) Witness(ctx context.Context) (*Progress, error) {
	return t.step(ctx, func(v *view) (*Progress, error) {
		x, err := t.close(ctx, v)
		if err != nil || x == nil {
			return &Progress{What: "the close of the ballot"}, err
		}
		if err := t.read(x); err != nil {
			return nil, err
		}
		return t.witness(ctx, x)
	})
}

func (t *Trustee) witness(ctx context.Context, x *closed) (*Progress, error) {
	if x.rec.Closing != "" && x.find(x.name, sealed.Witness, "") != nil {
		return &Progress{Done: true}, nil
	}
	if x.rec.Closing == "" {
		c, err := tiles.Open([]byte(x.b.Closing.Checkpoint), x.rec.Log)
		if err != nil {
			return nil, err
		}
		if x.rec.Groups, err = t.standing(ctx, x.view, x.key, c); err != nil {
			return nil, err
		}
		if err := t.pin(x.view, x.steps); err != nil {
			return nil, err
		}
		x.rec.Closing = x.b.Closing.Checkpoint
		x.rec.Witness, err = sealed.NewDeed(x.hash, x.closing, x.name, sealed.Witness, "", nil).Sign(t.g, t.file.id.Sign())
		if err != nil {
			return nil, err
		}
		if err := t.file.save(); err != nil {
			return nil, err
		}
	}
	for _, g := range x.rec.Groups {
		t.say("%s: %d papers count", g.Name, g.Papers)
	}
	if x.find(x.name, sealed.Witness, "") != nil {
		return &Progress{Done: true}, nil
	}
	if err := t.c.Deed(ctx, x.rec.Witness, nil); err != nil {
		return nil, err
	}
	t.say("You have witnessed the close.")
	return &Progress{Did: true}, nil
}

// ready makes sure that this trustee has checked the close, and that enough
// others have seen the same one. Otherwise a Progress says what is waited for.
func (t *Trustee) ready(ctx context.Context, v *view) (*closed, *Progress, error) {
	x, err := t.close(ctx, v)
	if err != nil || x == nil {
		return nil, &Progress{What: "the close of the ballot"}, err
	}
	if err := t.read(x); err != nil {
		return nil, nil, err
	}
	p, err := t.witness(ctx, x)
	if err != nil || p.Did {
		return nil, p, err
	}
	have := x.witnesses()
	if len(have) >= x.m.Threshold {
		return x, nil, t.excused(ctx, x)
	}
	rest := &Progress{What: "the other trustees to witness the close"}
	for _, o := range x.m.Trustees {
		if !slices.Contains(have, o.Name) {
			rest.Waiting = append(rest.Waiting, plain(o.Name))
		}
	}
	return nil, rest, nil
}

// excused makes sure that whoever the server calls excused has been, by an
// entry of the log that everybody can see.
func (t *Trustee) excused(ctx context.Context, x *closed) error {
	unknown := func(name string) bool { return !slices.Contains(x.rec.Excused, name) }
	if !slices.ContainsFunc(x.b.Excused, unknown) {
		return nil
	}
	err := t.c.record(ctx, x.head, t.from(x.view), []string{kindExcuse}, func(seq int64, _ string, body []byte) error {
		var b struct{ Ballot, Trustee, Why string }
		if err := json.Unmarshal(body, &b); err != nil {
			return wrong(seq, "it cannot be read")
		}
		if b.Ballot == x.b.Ballot && unknown(b.Trustee) {
			t.say("Note: an officer has excused %s as a mixer (entry %d of the log): %s", plain(b.Trustee), seq, plain(b.Why))
			x.rec.Excused = append(x.rec.Excused, b.Trustee)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(x.b.Excused, unknown); i >= 0 {
		return fault.New(fault.Damaged, "the server says that %s has been excused as a mixer, and the log does not. Nothing was contributed", plain(x.b.Excused[i]))
	}
	return nil
}
