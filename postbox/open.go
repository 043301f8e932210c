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
	rest := &Progress{Done: true}
	for _, sums := range []bool{true, false} {
		all, err := t.groups(x, sums)
		if err != nil {
			return nil, err
		}
		for _, c := range all {
			switch {
			case x.find(x.name, sealed.Open, c.group.Name) != nil:
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
	if err := t.pin(x.view, x.steps); err != nil {
		return err
	}
	done := t.timed("Opening your part of %s, %d papers", c.group.Name, c.group.Papers)
	share, err := x.member.Share(x.steps.c)
	if err != nil {
		return err
	}
	defer share.Wipe()
	s, err := o.MakeShares(t.g, group.Backends()[0], x.member.Index(), share)
	if err != nil {
		return err
	}
	b := s.Encode()
	raw, err := sealed.NewDeed(x.hash, x.closing, x.name, sealed.Open, c.group.Name, b).Sign(t.g, t.file.id.Sign())
	if err != nil {
		return err
	}
	if err := t.c.Deed(ctx, raw, b); err != nil {
		return err
	}
	done()
	return nil
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
