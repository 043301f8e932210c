package proceeding

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"slices"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// Draw is a lot that was drawn: the beginning of the order in which people
// came out, and who of them was taken.
type Draw struct {
	Seats int                 `json:"seats"`
	Order []register.PersonID `json:"order"`
	Drawn []register.PersonID `json:"drawn"`
	Full  bool                `json:"full"`
}

// Reserves is how many more than the seats a draw looks at, so that who
// declines can be replaced by the next.
const Reserves = 20

// DrawKey is the place of a person in a draw: people come out in the order of
// SHA-256("omov/draw/1" || 0 || id of the draw || 0 || root of the roll || 0
// || number of the person, big-endian).
func DrawKey(id, root string, p register.PersonID) [32]byte {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(p))
	b := append([]byte("omov/draw/1\x00"+id+"\x00"+root+"\x00"), n[:]...)
	return sha256.Sum256(b)
}

// InDrawOrder sorts people into the order of a draw.
func InDrawOrder(id, root string, pool []register.PersonID) {
	keys := make(map[register.PersonID][32]byte, len(pool))
	for _, p := range pool {
		keys[p] = DrawKey(id, root, p)
	}
	slices.SortFunc(pool, func(a, b register.PersonID) int {
		x, y := keys[a], keys[b]
		return slices.Compare(x[:], y[:])
	})
}

// Pick is what a draw looks at beyond the order: it is the rulebook's stage
// over one snapshot.
type Pick struct {
	d     *decider
	r     *rulebook.Stage
	seats int
	spread
}

// spread is how many of each unit may be drawn.
type spread struct {
	kind string
	most map[int64]int
}

// NewPick prepares the draw of a run's current stage.
func NewPick(book *rulebook.Book, st *State, w World, at int64) (*Pick, error) {
	d := newDecider(book, st, w, at)
	return d.newPick(d.stageRule())
}

func (d *decider) newPick(r *rulebook.Stage) (*Pick, error) {
	if r == nil || r.Kind != rulebook.Draw || r.DrawSeats == nil {
		return nil, fault.New(fault.Invalid, "%s draws no lots now", d.st.Ref)
	}
	n, err := r.DrawSeats.Number(&scope{d: d, unit: d.hereUnit()})
	if err != nil {
		return nil, err
	}
	if !n.IsInt() || n.Sign() <= 0 || n.Cmp(big.NewRat(100_000, 1)) > 0 {
		return nil, fault.Under(fault.Invalid, r.Cite, "%s cannot be drawn; it takes a whole number of people from 1 to 100,000", n.RatString())
	}
	p := &Pick{d: d, r: r, seats: int(n.Num().Int64())}
	if r.Spread == "" {
		return p, nil
	}
	units := d.view().Tree.Kind(r.Spread, d.st.Unit)
	p.kind, p.most = r.Spread, map[int64]int{}
	if len(units) == 0 {
		return p, nil
	}
	// What does not divide goes, one each, to the units that a draw of their
	// own puts first.
	id := d.st.BallotID()
	slices.SortFunc(units, func(a, b register.UnitID) int {
		x, y := DrawKey(id, "spread", register.PersonID(a)), DrawKey(id, "spread", register.PersonID(b))
		return slices.Compare(x[:], y[:])
	})
	for i, u := range units {
		p.most[int64(u)] = p.seats / len(units)
		if i < p.seats%len(units) {
			p.most[int64(u)]++
		}
	}
	return p, nil
}

// Seats is how many are to be drawn.
func (p *Pick) Seats() int { return p.seats }

// May tells whether somebody who came out of the lot can be taken at all: the
// stage's `where`.
func (p *Pick) May(who register.PersonID) (bool, error) {
	if p.r.Where == nil {
		return true, nil
	}
	ok, err := p.r.Where.Flag(&scope{d: p.d, person: p.d.view().Person(who)})
	if err != nil && unknown(err) == "" {
		return false, damaged(err, "who may be drawn")
	}
	return ok && err == nil, nil
}

// quotas of a draw: who counts for each, and how many are wanted.
type quota struct {
	where *rulebook.Expr
	least int
	most  int // -1: any number
}

func (p *Pick) quotas() ([]quota, error) {
	var out []quota
	for _, t := range p.r.Result {
		if t.When != nil {
			on, err := t.When.Flag(&scope{d: p.d})
			if err != nil || !on {
				continue
			}
		}
		n, err := t.Amount.Number(&scope{d: p.d})
		if err != nil {
			return nil, damaged(err, "a quota of the draw")
		}
		if t.Share {
			n = new(big.Rat).Mul(n, big.NewRat(int64(p.seats), 1))
		}
		q := quota{where: t.Where, most: -1}
		up := int(round(n, "up").Num().Int64())
		down := int(new(big.Int).Quo(n.Num(), n.Denom()).Int64())
		switch t.Cmp {
		case rulebook.AtLeast:
			q.least = up
		case rulebook.MoreThan:
			q.least = down + 1
		case rulebook.AtMost:
			q.most = down
		}
		out = append(out, q)
	}
	return out, nil
}

// Take goes through people in the order of the draw and takes as many as there
// are seats: evenly over units first, within the quotas always; then, where
// units have too few, from whoever comes next. It stops looking when the seats
// are filled and gives how many it looked at. ok is false where seats or
// quotas stay unfilled.
func (p *Pick) Take(order []register.PersonID, gone map[register.PersonID]bool) (taken []register.PersonID, ok bool, err error) {
	quotas, err := p.quotas()
	if err != nil {
		return nil, false, err
	}
	t := &taking{Pick: p, quotas: quotas, count: make([]int, len(quotas)), perUnit: map[int64]int{}, in: map[register.PersonID]bool{}}
	for pass := range 2 {
		if pass == 1 && p.kind == "" {
			break
		}
		for _, who := range order {
			if len(taken) == p.seats {
				break
			}
			if gone[who] || t.in[who] {
				continue
			}
			yes, err := t.fits(who, pass == 1)
			if err != nil {
				return nil, false, err
			}
			if yes {
				taken = append(taken, who)
			}
		}
	}
	ok = len(taken) == p.seats
	for i, q := range quotas {
		ok = ok && t.count[i] >= q.least
	}
	return taken, ok, nil
}

type taking struct {
	*Pick
	quotas  []quota
	count   []int
	perUnit map[int64]int
	in      map[register.PersonID]bool
}

// fits takes somebody if unit and quotas leave room.
func (t *taking) fits(who register.PersonID, anywhere bool) (bool, error) {
	person := t.d.view().Person(who)
	unit := int64(0)
	if t.kind != "" {
		if u, ok := person.Unit(t.kind); ok {
			unit = u.Key()
		}
		if !anywhere && t.perUnit[unit] >= t.most[unit] {
			return false, nil
		}
	}
	counts := make([]bool, len(t.quotas))
	left := t.seats - len(t.in) - 1
	for i, q := range t.quotas {
		counts[i] = true
		if q.where != nil {
			ok, err := q.where.Flag(&scope{d: t.d, person: person, candidate: person})
			if err != nil && unknown(err) == "" {
				return false, damaged(err, "a quota of the draw")
			}
			counts[i] = ok && err == nil
		}
		if counts[i] && q.most >= 0 && t.count[i] >= q.most {
			return false, nil
		}
		if !counts[i] && q.least-t.count[i] > left {
			return false, nil
		}
	}
	for i := range counts {
		if counts[i] {
			t.count[i]++
		}
	}
	t.in[who] = true
	t.perUnit[unit]++
	return true, nil
}

// MakeDraw draws the lots that are due, from a roll that was taken for it.
// Order and Drawn are as Pick gave them over the snapshot of the roll.
type MakeDraw struct {
	Roll  Roll
	Lines []byte
	Pool  int64
	Order []register.PersonID
	Drawn []register.PersonID
	Full  bool
}

func (c MakeDraw) decide(d *decider) error {
	if !d.st.NeedsRoll(d.book, d.now()) || !d.st.Draws(d.book) {
		return fault.Under(fault.TooEarly, d.cite(), "no draw of %s is due", d.st.Ref)
	}
	r, st := d.stageRule(), d.st.Now()
	p, err := d.newPick(r)
	if err != nil {
		return d.haltOr(err)
	}
	id := d.st.BallotID()
	if err := d.emit(KindRoll, minutes.Public, &RollBody{Ballot: id, Roll: publicRoll(c.Roll)}); err != nil {
		return err
	}
	if c.Lines != nil {
		if err := d.emit(KindRollLines, minutes.Officers, c.Lines); err != nil {
			return err
		}
	}
	closes := st.Closes
	if err := d.emit(KindOpened, minutes.Public, &StageBody{Stage: r.Name, At: d.now(), Opens: st.Opens, Closes: closes, Seats: p.seats}); err != nil {
		return err
	}
	b := &DrawBody{Stage: r.Name, At: d.now(), Roll: c.Roll.Root, Pool: c.Pool, Seats: p.seats, Order: orNone(c.Order), Drawn: orNone(c.Drawn), Full: c.Full}
	if err := d.emit(KindDrawn, minutes.Officers, b); err != nil {
		return err
	}
	if closes != 0 && closes > d.now() {
		return nil // who does not want to can say so until then
	}
	return d.closeDraw(r)
}

func orNone(list []register.PersonID) []register.PersonID {
	if list == nil {
		return []register.PersonID{}
	}
	return list
}

// closeDraw makes a draw final: from here on those drawn act publicly.
func (d *decider) closeDraw(r *rulebook.Stage) error {
	draw := d.st.Now().Draw
	if draw == nil {
		return nil
	}
	b := &StageBody{Stage: r.Name, At: d.now(), Outcome: "drawn", Drawn: []Person{}, Into: r.Into}
	if !draw.Full {
		b.Outcome = TooFew
	}
	for _, p := range draw.Drawn {
		b.Drawn = append(b.Drawn, d.public(p))
	}
	if err := d.emit(KindClosed, minutes.Public, b); err != nil {
		return err
	}
	return d.after(d.st.Current, b.Outcome)
}

// declineDraw replaces somebody who was drawn and does not want to by the next.
func (d *decider) declineDraw(who register.PersonID) error {
	r, st := d.stageRule(), d.st.Now()
	if st.Draw == nil || !slices.Contains(st.Draw.Drawn, who) {
		return fault.Under(fault.NotEntitled, d.cite(), "you have not been drawn in %s", d.st.Ref)
	}
	p, err := d.newPick(r)
	if err != nil {
		return err
	}
	order := slices.DeleteFunc(slices.Clone(st.Draw.Order), func(x register.PersonID) bool { return x == who })
	drawn, full, err := p.Take(order, nil)
	if err != nil {
		return err
	}
	return d.emit(KindDrawn, minutes.Officers, &DrawBody{Stage: r.Name, At: d.now(), Seats: st.Draw.Seats, Order: orNone(order), Drawn: orNone(drawn), Full: full})
}
