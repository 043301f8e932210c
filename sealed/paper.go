package sealed

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/sealed/transcript"
)

// Forms of a sealed paper in its bytes.
const (
	formMix = 1
	formSum = 2
)

// MaxPaper is the most bytes that a sealed paper has.
const MaxPaper = 512 + MaxSlots*(proof.PairSize+proof.BitSize) + proof.TotalSize

// Paper is a sealed paper, decoded. Its slices are parts of Raw.
type Paper struct {
	Raw      []byte
	Hash     [32]byte
	Manifest [32]byte
	Contest  string
	Section  string
	Key      [32]byte // the credential
	Previous [32]byte // hash of the paper that this one replaces; first: the manifest's
	Sequence uint32   // 1 for the first

	Sum       bool
	Pairs     []byte // ciphertexts, 64 bytes each
	Proof     []byte
	Signature []byte

	stated int // Raw up to here is what the proof is bound to
	unsaid int // Raw up to here is what is signed
}

// hashPaper is the hash of a paper: what receipts and chains name it by.
func hashPaper(raw []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("omov/sealed/paper/1\x00"))
	h.Write(raw)
	return [32]byte(h.Sum(nil))
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// reader takes pieces off a slice; after the first piece that is not there it
// gives nothing more.
type reader struct {
	b   []byte
	at  int
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b)-r.at {
		r.bad = true
		return make([]byte, max(n, 0)&0xffff)
	}
	r.at += n
	return r.b[r.at-n : r.at : r.at]
}

func (r *reader) name() string {
	n := int(r.take(1)[0])
	if n > 64 {
		r.bad = true
		return ""
	}
	s := string(r.take(n))
	if !identifier(s) {
		r.bad = true
	}
	return s
}

// DecodePaper reads a sealed paper. It looks at form and length only, and at
// nothing beyond MaxPaper bytes; whether it counts, Board.Post says.
func DecodePaper(raw []byte) (*Paper, error) {
	if len(raw) > MaxPaper {
		return nil, fault.New(fault.TooMuch, "a sealed paper has at most %d bytes", MaxPaper)
	}
	r := &reader{b: raw}
	p := &Paper{Raw: raw}
	version := r.take(1)[0]
	p.Manifest = [32]byte(r.take(32))
	p.Contest, p.Section = r.name(), r.name()
	p.Key = [32]byte(r.take(32))
	p.Previous = [32]byte(r.take(32))
	p.Sequence = binary.BigEndian.Uint32(r.take(4))
	form := r.take(1)[0]
	n := int(binary.BigEndian.Uint16(r.take(2)))
	if r.bad || version != 1 || form != formMix && form != formSum || n < 1 || n > MaxSlots {
		return nil, fault.New(fault.Invalid, "these bytes are not a sealed paper")
	}
	p.Sum = form == formSum
	p.Pairs = r.take(n * proof.PairSize)
	p.stated = r.at
	if p.Sum {
		p.Proof = r.take(n*proof.BitSize + proof.TotalSize)
	} else {
		p.Proof = r.take(n * proof.KnownSize)
	}
	p.unsaid = r.at
	p.Signature = r.take(proof.SignatureSize)
	if r.bad || r.at != len(raw) {
		return nil, fault.New(fault.Invalid, "these bytes are not a sealed paper: they end too early or too late")
	}
	p.Hash = hashPaper(raw)
	return p, nil
}

// head writes everything before the ciphertexts.
func (p *Paper) head(n int) []byte {
	b := append([]byte{1}, p.Manifest[:]...)
	for _, s := range []string{p.Contest, p.Section} {
		b = append(append(b, byte(len(s))), s...)
	}
	b = append(append(b, p.Key[:]...), p.Previous[:]...)
	b = binary.BigEndian.AppendUint32(b, p.Sequence)
	form := byte(formMix)
	if p.Sum {
		form = formSum
	}
	return binary.BigEndian.AppendUint16(append(b, form), uint16(n))
}

// purposePaper is what a paper's signature is for.
const purposePaper = "paper"

// transcript is what the proof of a paper is bound to: the joint key and
// everything of the paper up to its ciphertexts.
func (p *Paper) transcript(key *[32]byte) *transcript.Transcript {
	t := transcript.New("paper")
	t.Absorb("key", key[:])
	t.Absorb("paper", p.Raw[:p.stated])
	return t
}

// equations adds what must hold of a paper of contest c under the joint key.
func (p *Paper) equations(e *proof.Equations, c *Contest, key *[32]byte) {
	t := p.transcript(key)
	if p.Sum {
		e.Marks(t, c.weights(), uint64(c.Most), p.Pairs, p.Proof)
	} else {
		e.Known(t, p.Pairs, p.Proof)
	}
	e.Signature(purposePaper, p.Key[:], p.Raw[:p.unsaid], p.Signature)
}

// Ballot is the place of a paper: everything on it but the marks.
type Ballot struct {
	Group    *ristretto.Group
	Manifest *Manifest
	Key      [32]byte // joint key of the trustees
	Contest  string
	Section  string
	Previous [32]byte
	Sequence uint32
}

// Seal makes a sealed paper of what the voter put on it: for a form of package
// marks a list as described there, for a sum a 1 for each mark (none at all is
// the blank). It also gives the randomness, for who audits the paper instead of
// casting it, and must then be wiped.
func (b *Ballot) Seal(paper []int, signing proof.Secret) ([]byte, []proof.Secret, error) {
	c := b.Manifest.Contest(b.Contest)
	if c == nil {
		return nil, nil, fault.New(fault.NotFound, "the ballot has no contest %s", b.Contest)
	}
	rs := make([]proof.Secret, c.Slots())
	for i := range rs {
		rs[i] = proof.NewSecret()
	}
	return b.seal(paper, signing, rs)
}

func (b *Ballot) seal(paper []int, signing proof.Secret, rs []proof.Secret) ([]byte, []proof.Secret, error) {
	c := b.Manifest.Contest(b.Contest)
	hash, err := b.Manifest.Hash()
	if err != nil {
		return nil, nil, err
	}
	var key ristretto.Point
	if !b.Group.Decode(&key, b.Key[:]) || b.Group.IsIdentity(&key) {
		return nil, nil, bad("the trustees' joint key is not a key")
	}
	p := &Paper{Manifest: hash, Contest: b.Contest, Section: b.Section, Key: signing.Public(b.Group), Previous: b.Previous, Sequence: b.Sequence, Sum: c.Form == FormSum}
	if p.Sum {
		err = b.sealSum(p, c, &key, paper, rs)
	} else {
		err = b.sealMix(p, c, &key, paper, rs)
	}
	if err != nil {
		return nil, nil, err
	}
	p.Raw = append(p.Raw, proof.Sign(b.Group, signing, purposePaper, p.Raw)...)
	return p.Raw, rs, nil
}

func (b *Ballot) sealMix(p *Paper, c *Contest, key *ristretto.Point, paper []int, rs []proof.Secret) error {
	book, err := c.marks().Book()
	if err != nil {
		return err
	}
	n, err := book.Number(paper)
	if err != nil {
		return err
	}
	elements, err := book.Embed(b.Group, n)
	if err != nil {
		return err
	}
	p.Raw = p.head(len(elements) / proof.Size)
	for i, r := range rs {
		var m ristretto.Point
		b.Group.Decode(&m, elements[i*proof.Size:(i+1)*proof.Size])
		p.Raw = append(p.Raw, proof.Encrypt(b.Group, key, &m, r)...)
	}
	p.stated = len(p.Raw)
	p.Raw = append(p.Raw, proof.KnowAll(b.Group, p.transcript(&b.Key), rs)...)
	return nil
}

// slots fills in the marks of a paper that is added up.
func (c *Contest) slots(paper []int) ([]bool, error) {
	if len(paper) != len(c.Options) {
		return nil, bad("a paper of this contest has %d options, not %d", len(c.Options), len(paper))
	}
	bits := make([]bool, c.Slots())
	made := 0
	for i, v := range paper {
		if v != 0 && v != 1 {
			return nil, bad("an option has something else than a mark")
		}
		bits[i] = v == 1
		made += v
	}
	if made == 0 {
		bits[len(bits)-1] = true
		return bits, nil
	}
	if made < c.Least || made > c.Most {
		return nil, bad("%d to %d marks are allowed, or none at all; these are %d", c.Least, c.Most, made)
	}
	for i := range c.Most - made {
		bits[len(c.Options)+i] = true
	}
	return bits, nil
}

func (b *Ballot) sealSum(p *Paper, c *Contest, key *ristretto.Point, paper []int, rs []proof.Secret) error {
	bits, err := c.slots(paper)
	if err != nil {
		return err
	}
	m := proof.Marks{Rs: rs, Bits: bits, Weights: c.weights(), Total: uint64(c.Most)}
	p.Raw = p.head(len(bits))
	var pairs []byte
	for i, one := range bits {
		v := b.Group.Identity()
		if one {
			v = b.Group.Base()
		}
		pairs = append(pairs, proof.Encrypt(b.Group, key, &v, rs[i])...)
	}
	p.Raw = append(p.Raw, pairs...)
	p.stated = len(p.Raw)
	p.Raw = append(p.Raw, m.Prove(b.Group, p.transcript(&b.Key), key, pairs)...)
	return nil
}
