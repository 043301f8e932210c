package verify

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"slices"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// A lot is drawn from a roll: people come out in the order of
// SHA-256("omov/draw/1" 0 id 0 root 0 number), and are taken in that order
// within the stage's `where`, spread and quotas.

func drawKey(id, root string, n int64) [32]byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	h := sha256.New()
	h.Write([]byte("omov/draw/1\x00"))
	h.Write([]byte(id + "\x00" + root + "\x00"))
	h.Write(b[:])
	return [32]byte(h.Sum(nil))
}

// drew checks a draw that was made, or what became of it when somebody
// declined.
func (v *verifier) drew(e *entry, r *run, b *proceeding.DrawBody) {
	v.instant(e, b.At)
	c := v.Check(CheckSteps)
	now := r.st.Now()
	if !c.must(now != nil && now.Name == b.Stage && now.Status == proceeding.Open && r.proc.Stages[r.st.Current].Kind == rulebook.Draw, e.seq, "lots are drawn and no draw is on") {
		return
	}
	rule := &r.proc.Stages[r.st.Current]
	s := v.scope(e, r, b.At)
	c = v.Check(CheckLots)
	if now.Draw == nil { // the draw itself
		frozen := r.frozen
		r.frozen = nil
		if !c.must(frozen != nil && frozen.Roll.Root == b.Roll, e.seq, "lots are drawn from another roll than was taken") {
			return
		}
		s.seen, s.known = frozen.Roll.At/1000, frozen.Roll.Known
		v.drawOrder(e, s, rule, frozen.Ballot, b)
	} else {
		left := slices.DeleteFunc(slices.Clone(now.Draw.Order), func(p register.PersonID) bool { return !slices.Contains(b.Order, p) })
		c.must(len(b.Order) == len(now.Draw.Order)-1 && slices.Equal(left, b.Order) && b.Seats == now.Draw.Seats, e.seq, "somebody declined, and more than one is gone, or the order is another")
	}
	d := &drawing{s: s, rule: rule, seats: b.Seats, id: r.st.BallotID()}
	drawn, full, err := d.take(b.Order)
	c.must(err == nil && slices.Equal(drawn, b.Drawn) && full == b.Full, e.seq, "drawn by the rule are %v; it says %v: %v", drawn, b.Drawn, err)
}

// drawOrder compares the order of a draw with the one that the roll gives.
func (v *verifier) drawOrder(e *entry, s *scope, rule *rulebook.Stage, id string, b *proceeding.DrawBody) {
	c := v.Check(CheckLots)
	t := s.r.rolls[id]
	if !c.must(t != nil, e.seq, "the roll that lots were drawn from is missing") {
		return
	}
	type ticket struct {
		key [32]byte
		who register.PersonID
	}
	var pool []ticket
	add := func(p register.PersonID) { pool = append(pool, ticket{drawKey(id, b.Roll, int64(p)), p}) }
	for i := range t.facts.Sections {
		for _, x := range t.facts.Sections[i].Voters {
			if x.Person != 0 && x.Bar == "" {
				add(x.Person)
			}
		}
	}
	for _, ch := range t.chunks {
		ch.Each(func(p register.PersonID, _ []byte) {
			for k := range t.facts.People {
				if l, ok := ch.Line(p, k); ok && l.Reason == 0 {
					add(p)
					return
				}
			}
		})
	}
	c.must(b.Pool == int64(len(pool)), e.seq, "%d could be drawn; it says %d", len(pool), b.Pool)
	slices.SortFunc(pool, func(a, b ticket) int { return slices.Compare(a.key[:], b.key[:]) })
	var want []register.PersonID
	for _, x := range pool {
		if len(want) == len(b.Order) {
			break
		}
		if rule.Where != nil {
			one := *s
			one.person = s.view().Person(x.who)
			if ok, err := rule.Where.Flag(&one); err != nil || !ok {
				continue
			}
		}
		want = append(want, x.who)
	}
	c.must(slices.Equal(want, b.Order), e.seq, "people came out in another order than the lot gives")
	n, err := rule.DrawSeats.Number(s.inHere())
	c.must(err == nil && n.IsInt() && n.Num().Int64() == int64(b.Seats), e.seq, "%d places are drawn; by the rulebook it is another number", b.Seats)
}

// drawing takes people in the order of the lot.
type drawing struct {
	s     *scope
	rule  *rulebook.Stage
	seats int
	id    string

	limit  map[int64]int // places a unit
	quotas []drawQuota
	taken  []register.PersonID
	unit   map[int64]int
}

type drawQuota struct {
	where       *rulebook.Expr
	least, most int
	n           int
}

func (d *drawing) take(order []register.PersonID) ([]register.PersonID, bool, error) {
	if err := d.prepare(); err != nil {
		return nil, false, err
	}
	out := []register.PersonID{}
	for pass := 0; pass < 2 && (pass == 0 || d.limit != nil); pass++ {
		for _, p := range order {
			if len(d.taken) < d.seats && !slices.Contains(d.taken, p) && d.fits(p, pass > 0) {
				d.taken = append(d.taken, p)
			}
		}
	}
	out = append(out, d.taken...)
	full := len(out) == d.seats
	for _, q := range d.quotas {
		full = full && q.n >= q.least
	}
	return out, full, nil
}

func (d *drawing) prepare() error {
	d.unit = map[int64]int{}
	if d.rule.Spread != "" {
		d.limit = map[int64]int{}
		units := d.s.view().Tree.Kind(d.rule.Spread, d.s.r.st.Unit)
		slices.SortFunc(units, func(a, b register.UnitID) int {
			x, y := drawKey(d.id, "spread", int64(a)), drawKey(d.id, "spread", int64(b))
			return slices.Compare(x[:], y[:])
		})
		for i := range units {
			d.limit[int64(units[i])] = (d.seats + len(units) - 1 - i) / len(units)
		}
	}
	for _, t := range d.rule.Result {
		if t.When != nil {
			if on, err := t.When.Flag(d.s); err != nil || !on {
				continue
			}
		}
		n, err := t.Amount.Number(d.s)
		if err != nil {
			return err
		}
		if t.Share {
			n = new(big.Rat).Mul(n, big.NewRat(int64(d.seats), 1))
		}
		floor := int(new(big.Int).Div(n.Num(), n.Denom()).Int64())
		q := drawQuota{where: t.Where, most: d.seats}
		switch t.Cmp {
		case rulebook.AtMost:
			q.most = floor
		case rulebook.MoreThan:
			q.least = floor + 1
		default:
			q.least = floor
			if !n.IsInt() {
				q.least++
			}
		}
		d.quotas = append(d.quotas, q)
	}
	return nil
}

// fits takes somebody where unit and quotas leave room for them.
func (d *drawing) fits(p register.PersonID, anywhere bool) bool {
	one := *d.s
	person := d.s.view().Person(p)
	one.person, one.candidate = person, person
	home := int64(0)
	if d.limit != nil {
		if u, ok := person.Unit(d.rule.Spread); ok {
			home = u.Key()
		}
		if !anywhere && d.unit[home] >= d.limit[home] {
			return false
		}
	}
	in := make([]bool, len(d.quotas))
	after := d.seats - len(d.taken) - 1
	for i := range d.quotas {
		q := &d.quotas[i]
		ok, err := true, error(nil)
		if q.where != nil {
			ok, err = q.where.Flag(&one)
		}
		in[i] = ok && err == nil
		if in[i] && q.n >= q.most || !in[i] && q.least-q.n > after {
			return false
		}
	}
	for i := range in {
		if in[i] {
			d.quotas[i].n++
		}
	}
	d.unit[home]++
	return true
}

// drawn checks that those who were drawn are those who are named.
func (v *verifier) drawn(e *entry, r *run, rule *rulebook.Stage, st *proceeding.Stage, b *proceeding.StageBody) {
	c := v.Check(CheckLots)
	c.must(b.Into == rule.Into && (b.Outcome == "drawn" || b.Outcome == proceeding.TooFew), e.seq, "the draw ends as %q", b.Outcome)
	v.Check(CheckTimes).must(st.Closes == 0 || b.At >= st.Closes || st.Closes <= st.Opened, e.seq, "the draw is final before those drawn could decline")
	if !v.full {
		return
	}
	if !c.must(st.Draw != nil, e.seq, "people are named as drawn, and no lots were") {
		return
	}
	var ids []register.PersonID
	for _, p := range b.Drawn {
		ids = append(ids, p.ID)
	}
	c.must(slices.Equal(ids, st.Draw.Drawn) && (b.Outcome == "drawn") == st.Draw.Full, e.seq, "others are named than were drawn")
}
