package postbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/mixing"
)

// chain is the mixes of a group as they stand on the board, in order.
type chain struct {
	place
	group *pile
	mixes []*deed
	next  string // who has to mix now; empty: all have who are not excused
}

// mixChain gives the mixes of a group, and refuses an order that is not that of
// the manifest without those excused.
func (t *Trustee) mixChain(x *closed, p place, g *pile) (*chain, error) {
	c := &chain{place: p, group: g}
	at := 0
	for i := range x.deeds {
		d := &x.deeds[i]
		if d.Kind != sealed.Mix || d.Group != g.Name {
			continue
		}
		for at < len(x.m.Mixers) && x.m.Mixers[at] != d.From && slices.Contains(x.b.Excused, x.m.Mixers[at]) {
			at++
		}
		if at >= len(x.m.Mixers) || x.m.Mixers[at] != d.From {
			return nil, fault.New(fault.Damaged, "the board holds a mix of %s by %s, whose turn it was not. Nothing was contributed", g.Name, plain(d.From))
		}
		c.mixes, at = append(c.mixes, d), at+1
	}
	for ; at < len(x.m.Mixers) && c.next == ""; at++ {
		if !slices.Contains(x.b.Excused, x.m.Mixers[at]) {
			c.next = x.m.Mixers[at]
		}
	}
	if mine := x.rec.Mixes[g.Name]; mine != nil && mine.Taken && x.find(x.name, sealed.Mix, g.Name) == nil {
		return nil, fault.New(fault.Damaged, "the server took your mix of %s and does not show it any more. Nothing was contributed", g.Name)
	}
	return c, nil
}

// input gives the ciphertexts that stand in a group: those that this trustee
// has found in the log, or nothing.
func (t *Trustee) input(ctx context.Context, c *chain) ([]byte, error) {
	b, err := t.c.Input(ctx, c.place, c.group.Bytes)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != c.group.Pairs {
		return nil, fault.New(fault.Damaged, "the server gives other papers to be mixed in %s than the log holds. Nothing was contributed", c.group.Name)
	}
	return b, nil
}

// mixSize is how long a mix is, after sealed-format.md.
func mixSize(papers int64, width int) int64 {
	w := int64(width)
	return int64(len("omov mix 1\n")) + 4 + 1 + 6*32 + papers*(64*w+5*32) + 96*w
}

// outputs gives what came out of the mixes on the board, and the statement of
// the next one. Each mix is checked, once.
func (t *Trustee) outputs(ctx context.Context, x *closed, c *chain) (*mixing.Statement, error) {
	in, err := t.input(ctx, c)
	if err != nil {
		return nil, err
	}
	width := x.m.Contest(c.contest).Slots()
	st := &mixing.Statement{Manifest: x.hash, Closing: x.closing, Group: c.group.Name, Key: x.key, Width: width, In: in}
	for i, d := range c.mixes {
		b, err := t.c.DeedBytes(ctx, d.n, mixSize(c.group.Papers, width))
		if err != nil {
			return nil, err
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != d.Digest {
			return nil, fault.New(fault.Damaged, "the server gives another mix of %s than %s has signed. Nothing was contributed", c.group.Name, plain(d.From))
		}
		st.Mixer, st.Position = d.From, i
		if err := t.proved(x, st, d, b); err != nil {
			return nil, err
		}
		st.In, st.Out = st.Out, nil
	}
	st.Mixer, st.Position = x.name, len(c.mixes)
	return st, nil
}

// proved checks a mix, and fills in what came out of it.
func (t *Trustee) proved(x *closed, st *mixing.Statement, d *deed, b []byte) error {
	refuse := func(err error) error {
		f := fault.Wrap(fault.Damaged, err, "the mix of %s by %s does not hold: %v. Nothing was contributed", st.Group, plain(d.From), err)
		f.Remedy = "Tell the other trustees and the returning officer: papers may have been dropped, added or changed."
		return f
	}
	p, err := mixing.Decode(st, b)
	if err != nil {
		return refuse(err)
	}
	in := sha256.Sum256(st.In)
	mark := strings.Join([]string{hex.EncodeToString(in[:]), d.Digest, strconv.Itoa(st.Position), d.From}, " ")
	if slices.Contains(x.rec.Proved, mark) {
		return nil
	}
	done := t.timed("Checking the mix of %s by %s, %d papers", st.Group, plain(d.From), st.N())
	if err := mixing.Verify(t.g, st, p); err != nil {
		return refuse(err)
	}
	done()
	x.rec.Proved = append(x.rec.Proved, mark)
	return nil
}

// groups gives the groups that have papers and are mixed, or added up.
func (t *Trustee) groups(x *closed, sums bool) ([]*chain, error) {
	var out []*chain
	for _, p := range places(x.m) {
		g := x.rec.group(p.String())
		if g == nil {
			return nil, fault.New(fault.Damaged, "your file does not say what stands in %s", p)
		}
		if g.Papers == 0 || (x.m.Contest(p.contest).Form == sealed.FormSum) != sums {
			continue
		}
		c, err := t.mixChain(x, p, g)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Mix mixes the next group whose turn it is.
func (t *Trustee) Mix(ctx context.Context) (*Progress, error) {
	return t.step(ctx, func(v *view) (*Progress, error) {
		x, p, err := t.ready(ctx, v)
		if err != nil || p != nil {
			return p, err
		}
		return t.mix(ctx, x)
	})
}

func (t *Trustee) mix(ctx context.Context, x *closed) (*Progress, error) {
	t.tidy(x)
	rest := &Progress{Done: true}
	if !slices.Contains(x.m.Mixers, x.name) {
		return rest, nil
	}
	all, err := t.groups(x, false)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		switch {
		case c.next == x.name:
			return &Progress{Did: true}, t.mixGroup(ctx, x, c)
		case c.next == "" || x.find(x.name, sealed.Mix, c.group.Name) != nil || slices.Contains(x.b.Excused, x.name):
		default:
			rest.Done, rest.What = false, "the mixers before you"
			if name := plain(c.next); !slices.Contains(rest.Waiting, name) {
				rest.Waiting = append(rest.Waiting, name)
			}
		}
	}
	return rest, nil
}

// tidy removes what was put aside and is on the board.
func (t *Trustee) tidy(x *closed) {
	for kind, all := range map[string]map[string]*made{sealed.Mix: x.rec.Mixes, sealed.Open: x.rec.Shares} {
		for group, m := range all {
			if !m.Gone && x.find(x.name, kind, group) != nil {
				t.file.dropAside(m)
				m.Gone = true
			}
		}
	}
}

// mixGroup mixes a group, or sends again what was mixed and did not arrive.
func (t *Trustee) mixGroup(ctx context.Context, x *closed, c *chain) error {
	st, err := t.outputs(ctx, x, c)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(st.In)
	in, m := hex.EncodeToString(sum[:]), x.rec.Mixes[c.group.Name]
	if m != nil && m.In != in {
		return fault.New(fault.Damaged, "the server shows other papers of %s than you have mixed: a mix before yours was exchanged. Nothing was contributed", c.group.Name)
	}
	if m != nil {
		if b := t.file.putAside(m, mixSize(int64(st.N()), st.Width)); b != nil {
			t.say("The mix of %s was made before and has not arrived; the same one is sent again.", c.group.Name)
			return t.sendMix(ctx, x, c.group.Name, b)
		}
		t.say("The mix of %s that was made before is lost, and did not arrive; another is made.", c.group.Name)
	}
	b, err := t.shuffle(x, st, in)
	if err != nil {
		return err
	}
	return t.sendMix(ctx, x, c.group.Name, b)
}

// shuffle makes a mix, and keeps it durably.
func (t *Trustee) shuffle(x *closed, st *mixing.Statement, in string) ([]byte, error) {
	done := t.timed("Mixing %s, %d papers", st.Group, st.N())
	p, err := mixing.Shuffle(t.g, st)
	if err != nil {
		return nil, err
	}
	b := p.Encode(st)
	done()
	d := sealed.NewDeed(x.hash, x.closing, x.name, sealed.Mix, st.Group, b)
	raw, err := d.Sign(t.g, t.file.id.Sign())
	if err != nil {
		return nil, err
	}
	m := &made{Digest: d.Digest, In: in, Deed: raw}
	if err := t.file.keepAside(m, b); err != nil {
		return nil, err
	}
	x.rec.Mixes[st.Group] = m
	return b, t.file.save()
}

func (t *Trustee) sendMix(ctx context.Context, x *closed, name string, b []byte) error {
	m := x.rec.Mixes[name]
	done := t.timed("Sending the mix of %s, %s", name, size(len(b)))
	if err := t.c.Deed(ctx, m.Deed, b); err != nil {
		return err
	}
	done()
	m.Taken = true
	return t.file.save()
}
