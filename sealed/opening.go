package sealed

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/group"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/sealed/transcript"
)

// Opening is what is opened: the outputs of the last mix of a group, or the
// sums of one.
type Opening struct {
	Manifest [32]byte
	Closing  [32]byte // hash of the closing checkpoint
	Group    string   // GroupName
	Pairs    []byte   // ciphertexts, 64 bytes each
}

// Pledge is what a trustee's file keeps, durably, before the first share of a
// group leaves it: one set of outputs, for ever.
type Pledge struct {
	Manifest [32]byte
	Group    string
	Closing  [32]byte
	Outputs  [32]byte // SHA-256 of the ciphertexts
}

// Pledge names this opening.
func (o *Opening) Pledge() Pledge {
	return Pledge{o.Manifest, o.Group, o.Closing, sha256.Sum256(o.Pairs)}
}

// Allows refuses another set of outputs, or another close, for the group of a
// pledge made before. A pledge for another group has no say.
func (p Pledge) Allows(o *Opening) error {
	if p.Manifest != o.Manifest || p.Group != o.Group || p == o.Pledge() {
		return nil
	}
	return fault.New(fault.Already, "other outputs of the group %s have been opened before with this key share: a second set is never opened, because two sets that differ in one paper would show that paper", o.Group)
}

// Shares is one trustee's part of an opening.
type Shares struct {
	Trustee int    // 1 to n
	D       []byte // share times A of each ciphertext, 32 bytes each
	Proof   []byte // that all of them are
}

func (o *Opening) check() error {
	if len(o.Pairs) == 0 || len(o.Pairs)%proof.PairSize != 0 {
		return bad("what is to be opened is not whole ciphertexts")
	}
	return nil
}

// firsts gives the A of each ciphertext.
func (o *Opening) firsts() []byte {
	as := make([]byte, 0, len(o.Pairs)/2)
	for i := 0; i < len(o.Pairs); i += proof.PairSize {
		as = append(as, o.Pairs[i:i+proof.Size]...)
	}
	return as
}

// transcript holds the whole statement of a trustee's shares. Its first draw
// is the seed of the weights under which all shares are proved as one.
func (o *Opening) transcript(trustee int, public *[32]byte, as, ds []byte) *transcript.Transcript {
	t := transcript.New("opening")
	t.Absorb("manifest", o.Manifest[:])
	t.Absorb("closing", o.Closing[:])
	t.Absorb("group", []byte(o.Group))
	t.Number("trustee", trustee)
	t.Absorb("key", public[:])
	t.Absorb("a", as)
	t.Absorb("d", ds)
	return t
}

// joined gives Σ w_i·P_i for each list of elements, under the weights of seed.
func joined(g *ristretto.Group, seed *[64]byte, lists ...[]byte) ([]ristretto.Point, bool) {
	n := len(lists[0]) / proof.Size
	width := g.WidthFor(n, 128)
	sums := make([]*ristretto.Sum, len(lists))
	for i := range sums {
		sums[i] = g.NewSum(128, width)
	}
	const stretch = 8192
	ws, ps := make([]ristretto.Scalar, min(n, stretch)), make([]ristretto.Affine, min(n, stretch))
	for lo := 0; lo < n; lo += stretch {
		hi := min(lo+stretch, n)
		ristretto.Spread(hi-lo, 1024, func(a, b int) {
			for i := a; i < b; i++ {
				ws[i] = transcript.ShortAt(seed, lo+i)
			}
		})
		d := ristretto.Recode(ws[:hi-lo], 128, width)
		for k, list := range lists {
			if g.DecodeAll(ps[:hi-lo], list[lo*proof.Size:hi*proof.Size]) >= 0 {
				return nil, false
			}
			sums[k].Add(d, ps[:hi-lo])
		}
	}
	out := make([]ristretto.Point, len(lists))
	for i := range out {
		out[i] = sums[i].Result()
	}
	return out, true
}

// MakeShares makes trustee's shares with the given back end, whose MulEach is
// the work, in a time that does not depend on the key share. The caller has
// recorded the Pledge.
func (o *Opening) MakeShares(g *ristretto.Group, be group.Backend, trustee int, share proof.Secret) (*Shares, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	as := o.firsts()
	k := share.Expose()
	defer clear(k)
	ds, wrong := be.MulEach(k, as)
	if wrong >= 0 {
		return nil, bad("ciphertext %d of the group %s is none", wrong, o.Group)
	}
	public := share.Public(g)
	t := o.transcript(trustee, &public, as, ds)
	seed := t.Draw("weights")
	sum, ok := joined(g, &seed, as)
	if !ok {
		return nil, bad("a ciphertext of the group %s is none", o.Group)
	}
	return &Shares{trustee, ds, proof.Equal(g, t, share, &sum[0])}, nil
}

// CheckShares tells whether a trustee's shares are right; public is the
// trustee's verification key from the key generation.
func (o *Opening) CheckShares(g *ristretto.Group, s *Shares, public [32]byte) error {
	if err := o.check(); err != nil {
		return err
	}
	as := o.firsts()
	var x ristretto.Point
	if len(s.D) != len(as) || !g.Decode(&x, public[:]) || g.IsIdentity(&x) {
		return bad("the shares of trustee %d are not one for each ciphertext", s.Trustee)
	}
	t := o.transcript(s.Trustee, &public, as, s.D)
	seed := t.Draw("weights")
	sums, ok := joined(g, &seed, as, s.D)
	if !ok || !proof.AreEqual(g, t, &x, &sums[0], &sums[1], s.Proof) {
		return bad("the shares of trustee %d are wrong", s.Trustee)
	}
	return nil
}

// Lagrange gives the coefficients by which the shares of these trustees add up
// to the whole: λ_k = Π j/(j-k) over the other j.
func Lagrange(trustees []int) ([]ristretto.Scalar, error) {
	out := make([]ristretto.Scalar, len(trustees))
	for i, k := range trustees {
		top, bottom := proof.Number(1), proof.Number(1)
		for m, j := range trustees {
			if m == i {
				continue
			}
			if j == k || j < 1 || j > MaxTrustees {
				return nil, bad("the trustees whose shares are put together are not different ones")
			}
			a, b, c := proof.Number(uint64(j)), proof.Number(uint64(j)), proof.Number(uint64(k))
			top.Multiply(&top, &a)
			bottom.Multiply(&bottom, b.Subtract(&b, &c))
		}
		out[i].Multiply(&top, bottom.Invert(&bottom))
	}
	return out, nil
}

// Combine puts together the shares of at least threshold trustees, which have
// been checked, and gives the plaintexts: 32 bytes for each ciphertext. Of more
// shares than needed the first are used.
func (o *Opening) Combine(g *ristretto.Group, threshold int, shares []*Shares) ([]ristretto.Point, error) {
	if len(shares) < threshold || threshold < 1 {
		return nil, fault.New(fault.TooEarly, "%d trustees have given right shares of the group %s; it takes %d", len(shares), o.Group, threshold)
	}
	shares = shares[:threshold]
	trustees := make([]int, len(shares))
	for i, s := range shares {
		trustees[i] = s.Trustee
	}
	lambda, err := Lagrange(trustees)
	if err != nil {
		return nil, err
	}
	for i := range lambda { // what is taken away
		lambda[i].Negate(&lambda[i])
	}
	out := make([]ristretto.Point, len(o.Pairs)/proof.PairSize)
	wrong := make([]bool, len(out))
	ristretto.Spread(len(out), 64, func(lo, hi int) {
		row := make([]ristretto.Point, len(shares))
		for i := lo; i < hi; i++ {
			var b ristretto.Point
			ok := g.Decode(&b, o.Pairs[i*proof.PairSize+proof.Size:(i+1)*proof.PairSize])
			for k, s := range shares {
				ok = g.Decode(&row[k], s.D[i*proof.Size:(i+1)*proof.Size]) && ok
			}
			if wrong[i] = !ok; ok {
				sum := g.FewMul(lambda, row)
				out[i] = g.Add(&b, &sum)
			}
		}
	})
	for i := range wrong {
		if wrong[i] {
			return nil, bad("ciphertext %d of the group %s, or a share of it, is none", i, o.Group)
		}
	}
	return out, nil
}

// AddUp gives the sums of the first options+1 slots of papers that are added
// up, the blank last: one ciphertext for each option and one for the blank.
func AddUp(g *ristretto.Group, c *Contest, papers []byte) ([]byte, error) {
	size := c.Slots() * proof.PairSize
	if c.Form != FormSum || len(papers)%size != 0 {
		return nil, bad("these are not papers of contest %s that are added up", c.ID)
	}
	var slots []int
	for i := range c.Options {
		slots = append(slots, i)
	}
	slots = append(slots, c.Slots()-1)
	sums := g.Identities(2 * len(slots))
	wrong := make([]bool, len(sums))
	ristretto.Spread(len(sums), 1, func(k, _ int) {
		at := slots[k/2]*proof.PairSize + k%2*proof.Size
		for ; at < len(papers); at += size {
			var p ristretto.Point
			if !g.Decode(&p, papers[at:at+proof.Size]) {
				wrong[k] = true
				return
			}
			sums[k] = g.Add(&sums[k], &p)
		}
	})
	for _, w := range wrong {
		if w {
			return nil, bad("a paper of contest %s holds an element that is none", c.ID)
		}
	}
	return g.EncodeAll(nil, sums), nil
}

// Count finds the n at most most with p = n·G, in about 2·√most steps (Shanks).
func Count(g *ristretto.Group, p *ristretto.Point, most int) (int, error) {
	step := 1 << ((bits.Len(uint(most)) + 1) / 2)
	small := make(map[[32]byte]int, step)
	base := g.Base()
	at := g.Identity()
	for i := range step {
		small[g.Encode(&at)] = i
		at = g.Add(&at, &base)
	}
	left := *p
	for giant := 0; giant <= most; giant += step {
		if i, ok := small[g.Encode(&left)]; ok && giant+i <= most {
			return giant + i, nil
		}
		left = g.Sub(&left, &at)
	}
	return 0, fault.New(fault.Damaged, "a sum does not open to a number from 0 to %d", most)
}

// Totals reads opened sums: how many marks each option has, and how many
// papers are blank.
func Totals(g *ristretto.Group, opened []ristretto.Point, papers int) ([]int, error) {
	out := make([]int, len(opened))
	for i := range opened {
		n, err := Count(g, &opened[i], papers)
		if err != nil {
			return nil, err
		}
		out[i] = n
	}
	return out, nil
}

// Spoilt is what Papers gives for a paper that does not read as one.
type Spoilt struct {
	Place    int
	Elements []byte
	Err      error
}

// Papers reads opened papers of a contest that were mixed, sorted by their
// elements so that the order of the mix is gone. Those that are no valid paper
// come apart: none vanishes.
func Papers(g *ristretto.Group, c *Contest, opened []ristretto.Point) (valid [][]int, spoilt []Spoilt, err error) {
	book, err := c.marks().Book()
	if err != nil {
		return nil, nil, err
	}
	size := book.Elements() * proof.Size
	all := g.EncodeAll(nil, opened)
	if len(all)%size != 0 {
		return nil, nil, bad("the opened elements are not whole papers of contest %s", c.ID)
	}
	papers := sortedRecords(all, size)
	read, errs := make([][]int, len(papers)), make([]error, len(papers))
	ristretto.Spread(len(papers), 256, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			n, err := book.Extract(g, papers[i])
			if err == nil {
				read[i], err = book.Paper(n)
			}
			errs[i] = err
		}
	})
	for i := range papers {
		if errs[i] != nil {
			spoilt = append(spoilt, Spoilt{i, bytes.Clone(papers[i]), errs[i]})
		} else {
			valid = append(valid, read[i])
		}
	}
	return valid, spoilt, nil
}

// sortedRecords cuts b into records of size bytes and sorts them.
func sortedRecords(b []byte, size int) [][]byte {
	out := make([][]byte, 0, len(b)/size)
	for ; len(b) > 0; b = b[size:] {
		out = append(out, b[:size])
	}
	slices.SortFunc(out, bytes.Compare)
	return out
}

// sharesMagic begins the bytes of a trustee's shares.
const sharesMagic = "omov shares 1\n"

// Encode gives the bytes of the shares: "omov shares 1", a line feed, the
// trustee's number (1 byte), the number of shares (4 bytes, big-endian), the
// shares, the proof.
func (s *Shares) Encode() []byte {
	b := append([]byte(sharesMagic), byte(s.Trustee))
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.D)/proof.Size))
	return append(append(b, s.D...), s.Proof...)
}

// DecodeShares reads the bytes of shares. Its slices are parts of b.
func DecodeShares(b []byte) (*Shares, error) {
	head := len(sharesMagic) + 5
	if len(b) < head || string(b[:len(sharesMagic)]) != sharesMagic {
		return nil, bad("these bytes are not a trustee's shares")
	}
	n := int64(binary.BigEndian.Uint32(b[head-4:]))
	if int64(len(b)) != int64(head)+n*proof.Size+proof.EqualSize {
		return nil, bad("a trustee's shares are not as many as they say")
	}
	at := len(b) - proof.EqualSize
	return &Shares{Trustee: int(b[len(sharesMagic)]), D: b[head:at:at], Proof: b[at:]}, nil
}
