package postbox

import (
	"context"
	"slices"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/group"
)

// Open gives this trustee's shares of the next group that can be opened.
func (t *Trustee) Open(ctx context.Context) (*Progress, error) {
	return t.step(ctx, func(v *view) (*Progress, error) {
		x, p, err := t.ready(ctx, v)
		if err != nil || p != nil {
			return p, err
		}
		return t.open(ctx, x)
	})
}

func (t *Trustee) open(ctx context.Context, x *closed) (*Progress, error) {
	t.tidy(x)
	rest := &Progress{Done: true}
	for _, sums := range []bool{true, false} {
		all, err := t.groups(x, sums)
		if err != nil {
			return nil, err
		}
		for _, c := range all {
			switch {
			case x.find(x.name, sealed.Open, c.group.Name) != nil, x.openers(c.group.Name) >= x.m.Threshold:
			case sums || c.next == "":
				return &Progress{Did: true}, t.openGroup(ctx, x, c, sums)
			default:
				rest.Done, rest.What = false, "the mixers"
				if name := plain(c.next); !slices.Contains(rest.Waiting, name) {
					rest.Waiting = append(rest.Waiting, name)
				}
			}
		}
	}
	return rest, nil
}

// openers is how many trustees have opened a group: it takes no more than the
// threshold.
func (x *closed) openers(group string) int {
	n := 0
	for i := range x.m.Trustees {
		if x.find(x.m.Trustees[i].Name, sealed.Open, group) != nil {
			n++
		}
	}
	return n
}

// pairs gives what is opened of a group: the sums, or what came out of the last
// mix.
func (t *Trustee) pairs(ctx context.Context, x *closed, c *chain, sums bool) ([]byte, error) {
	if sums {
		in, err := t.input(ctx, c)
		if err != nil {
			return nil, err
		}
		return sealed.AddUp(t.g, x.m.Contest(c.contest), in)
	}
	if need := min(2, len(x.m.Trustees)); len(c.mixes) < need {
		return nil, fault.New(fault.NotEntitled, "%s was mixed by %d trustees; it takes at least %d. Nothing was contributed", c.group.Name, len(c.mixes), need)
	}
	st, err := t.outputs(ctx, x, c)
	if err != nil {
		return nil, err
	}
	return st.In, nil
}

// openGroup gives the shares of one group. What is opened stands durably in the
// file before, and another set of papers is never opened for that group.
func (t *Trustee) openGroup(ctx context.Context, x *closed, c *chain, sums bool) error {
	pairs, err := t.pairs(ctx, x, c, sums)
	if err != nil {
		return err
	}
	o := &sealed.Opening{Manifest: x.hash, Closing: x.closing, Group: c.group.Name, Pairs: pairs}
	if before := x.rec.pledge(c.group.Name); before != nil {
		if err := before.Allows(o); err != nil {
			return err
		}
	} else {
		x.rec.Pledges = append(x.rec.Pledges, o.Pledge())
		if err := t.file.save(); err != nil {
			return err
		}
	}
	if m := x.rec.Shares[c.group.Name]; m != nil {
		if b := t.file.putAside(m, sharesSize(int64(len(pairs)))); b != nil {
			t.say("Your part of opening %s was made before and has not arrived; the same one is sent again.", c.group.Name)
			return t.sendShares(ctx, m, b)
		}
	}
	m, b, err := t.shares(x, c, o)
	if err != nil {
		return err
	}
	return t.sendShares(ctx, m, b)
}

// sendShares posts shares. Once they have arrived they need not lie aside: what
// is opened of the group is pledged, so that the same would be made again.
func (t *Trustee) sendShares(ctx context.Context, m *made, b []byte) error {
	if err := t.c.Deed(ctx, m.Deed, b); err != nil {
		return err
	}
	t.file.dropAside(m)
	m.Taken, m.Gone = true, true
	return t.file.save()
}

// sharesSize is how long the shares of so many bytes of ciphertexts are.
func sharesSize(pairs int64) int64 { return pairs/2 + 1<<10 }

// shares makes a trustee's shares and the deed about them, and keeps both
// durably.
func (t *Trustee) shares(x *closed, c *chain, o *sealed.Opening) (*made, []byte, error) {
	if err := t.pin(x.view, x.steps); err != nil {
		return nil, nil, err
	}
	done := t.timed("Opening your part of %s, %d papers", c.group.Name, c.group.Papers)
	share, err := x.member.Share(x.steps.c)
	if err != nil {
		return nil, nil, err
	}
	defer share.Wipe()
	s, err := o.MakeShares(t.g, group.Backends()[0], x.member.Index(), share)
	if err != nil {
		return nil, nil, err
	}
	done()
	b := s.Encode()
	d := sealed.NewDeed(x.hash, x.closing, x.name, sealed.Open, c.group.Name, b)
	raw, err := d.Sign(t.g, t.file.id.Sign())
	if err != nil {
		return nil, nil, err
	}
	m := &made{Digest: d.Digest, Deed: raw}
	if err := t.file.keepAside(m, b); err != nil {
		return nil, nil, err
	}
	x.rec.Shares[c.group.Name] = m
	return m, b, t.file.save()
}

// Work does whatever is this trustee's to do next.
func (t *Trustee) Work(ctx context.Context) (*Progress, error) {
	return t.step(ctx, func(v *view) (*Progress, error) { return t.work(ctx, v) })
}

func (t *Trustee) work(ctx context.Context, v *view) (*Progress, error) {
	switch v.b.Phase {
	case phaseUnopened:
		return &Progress{Done: true, What: "too few papers came in: nothing of this ballot is opened"}, nil
	case phaseCounted:
		return &Progress{Done: true, What: "the papers have been opened and counted"}, nil
	}
	if v.b.Closing == nil {
		p, err := t.key(ctx, v)
		if err != nil || p.Did || !p.Done {
			return p, err
		}
		return &Progress{What: "the close of the ballot"}, nil
	}
	x, p, err := t.ready(ctx, v)
	if err != nil || p != nil {
		return p, err
	}
	mixed, err := t.mix(ctx, x)
	if err != nil || mixed.Did {
		return mixed, err
	}
	opened, err := t.open(ctx, x)
	if err != nil || opened.Did || !opened.Done {
		return opened, err
	}
	return mixed, nil
}
