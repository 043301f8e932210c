package rehearsal

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealing"
)

// trustee is one of a rehearsal's, who do their part of sealed ballots by
// themselves until the script says that they are gone.
type trustee struct {
	name string
	id   keygen.Identity
	gone bool
}

// nameTrustees names them: {named: [Ash, Bay, Cedar], open: 2, mixers: [Ash, Bay]}.
func (r *runner) nameTrustees(s *step, by proceeding.Actor) error {
	g := ristretto.New()
	c := &complaints{}
	open, err := strconv.Atoi(c.text(s.val, "open").text)
	if err != nil {
		return fault.New(fault.Invalid, "line %d: say how many trustees open, as in {named: [Ash, Bay, Cedar], open: 2, mixers: [Ash, Bay]}", s.pos.line)
	}
	body := proceeding.TrusteesBody{Threshold: open}
	r.trustees = nil
	for _, n := range c.texts(s.val, "named") {
		x := trustee{name: n.text, id: keygen.NewIdentity()}
		sign, seal := x.id.Sign().Public(g), x.id.Seal().Public(g)
		body.Trustees = append(body.Trustees, proceeding.Trustee{Name: x.name, Sign: hex.EncodeToString(sign[:]), Seal: hex.EncodeToString(seal[:])})
		r.trustees = append(r.trustees, x)
	}
	for _, n := range c.texts(s.val, "mixers") {
		body.Mixers = append(body.Mixers, n.text)
	}
	return r.contests.NameTrustees(r.ctx, by, body)
}

// vanish lets trustees do nothing any more.
func (r *runner) vanish(s *step) error {
	for _, n := range s.val.list() {
		i := slices.IndexFunc(r.trustees, func(x trustee) bool { return x.name == n.text })
		if i < 0 {
			return fault.New(fault.Invalid, "line %d: %q is no trustee", n.pos.line, n.text)
		}
		r.trustees[i].gone = true
	}
	return nil
}

// ceremonies lets the trustees who are there do what is waited for from them.
func (r *runner) ceremonies() error {
	var refs []string
	err := r.ch.Read(r.ctx, func(w *chamber.World) error {
		refs = nil
		states, err := r.live(w)
		for _, st := range states {
			b := st.OpenBallot()
			if now := st.Now(); now != nil && now.Prep != nil || b != nil && b.Sealed() && b.Closed != 0 {
				refs = append(refs, st.Ref)
			}
		}
		return err
	})
	for _, ref := range refs {
		for err == nil {
			var did bool
			if did, err = r.oneDeed(ref); !did {
				break
			}
		}
	}
	return err
}

// oneDeed lets one trustee do one thing.
func (r *runner) oneDeed(ref string) (bool, error) {
	for i := range r.trustees {
		x := &r.trustees[i]
		if x.gone {
			continue
		}
		did, err := r.contests.SealedDo(r.ctx, ref, x.name, x.id)
		if fault.Is(err, fault.NotFound) || fault.Is(err, fault.NotEntitled) {
			continue // a ballot without this trustee
		}
		if did || err != nil {
			return did, err
		}
	}
	return false, nil
}

// seal casts a vote as the voter's page does.
func (r *runner) seal(b *proceeding.Ballot, v contest.Vote) error {
	given, err := r.contests.SealedSeat(r.ctx, v.Ref, v.Person, v.Unit, v.Section)
	if err != nil {
		return err
	}
	m, err := sealed.DecodeManifest([]byte(given.Manifest))
	if err != nil {
		return err
	}
	code, err := sealed.ReadCode(given.Code)
	if err != nil {
		return fault.New(fault.Invalid, "a rehearsal casts sealed papers only where the server is the registrar")
	}
	hash, err := m.Hash()
	if err != nil {
		return err
	}
	g := ristretto.New()
	key := code.Key(hash, given.Section)
	seat, err := r.contests.SealedCredential(r.ctx, v.Ref, key.Public(g))
	if err != nil {
		return err
	}
	paper := &sealed.Ballot{Group: g, Manifest: m, Contest: given.Contest, Section: given.Section, Sequence: uint32(seat.Sequence) + 1}
	if _, err := hex.Decode(paper.Key[:], []byte(given.Key)); err != nil {
		return err
	}
	if _, err := hex.Decode(paper.Previous[:], []byte(seat.Previous)); err != nil {
		return err
	}
	raw, _, err := paper.Seal(marksOf(b, &m.Contests[0], v.Paper), key)
	if err != nil {
		return err
	}
	_, err = r.contests.SealedPost(r.ctx, v.Ref, raw)
	return err
}

// marksOf writes a paper as a number for each option.
func marksOf(b *proceeding.Ballot, c *sealed.Contest, p contest.Paper) []int {
	out := make([]int, len(c.Options))
	if b.Method == "" {
		if i := slices.Index(c.Options, b.Choices[p.Choice]); i >= 0 {
			out[i] = 1
		}
		return out
	}
	for rank, option := range p.Ranks {
		if out[option] = 1; c.Form == "ranks" {
			out[option] = rank + 1
		}
	}
	return out
}

// sealed looks how far the sealed ballot of a run is, and whom it waits for.
func (l *look) sealed(c *check) error {
	b, err := l.r.contests.SealedBoard(l.r.ctx, l.st.Ref)
	if err != nil {
		return err
	}
	if c.key == "sealed" {
		l.same("the sealed ballot", c.val.text, b.Phase)
		return nil
	}
	var want []string
	for _, n := range c.val.list() {
		want = append(want, n.text)
	}
	l.same("trustees it waits for", strings.Join(want, ", "), strings.Join(waitedFor(b), ", "))
	return nil
}

func waitedFor(b *sealing.Board) []string {
	var out []string
	for _, w := range b.Next {
		if !slices.Contains(out, w.Trustee) {
			out = append(out, w.Trustee)
		}
	}
	return out
}
