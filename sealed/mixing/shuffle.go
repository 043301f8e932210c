package mixing

import (
	"crypto/rand"
	"encoding/binary"

	"filippo.io/edwards25519"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/transcript"
)

// Shuffle fills in st.Out and gives the proof. st.In has to have been checked:
// an element that is none is refused. It computes on all cores, in a time that
// depends on its one-time secrets: it is for a machine of the mixer's own.
func Shuffle(g *ristretto.Group, st *Statement) (*Proof, error) {
	if err := st.check(); err != nil {
		return nil, err
	}
	var key ristretto.Point
	if !g.Decode(&key, st.Key[:]) || g.IsIdentity(&key) {
		return nil, fault.New(fault.Invalid, "the trustees' joint key is not a key")
	}
	m := newMixer(g, st, &key)
	if bad := g.DecodeAll(m.in, st.In); bad >= 0 {
		return nil, fault.New(fault.Invalid, "paper %d of the mix holds an element that is none", bad/(2*st.Width))
	}
	m.reencrypt()
	t := st.start(m.proof.C)
	seed := t.Draw("papers")
	m.chain(&seed)
	m.proof.finish(m, t)
	return m.proof, nil
}

// mixer is a shuffle in progress. Secrets of paper i belong to the i-th paper
// that comes out, but r, which belongs to the one that goes in.
type mixer struct {
	g      *ristretto.Group
	st     *Statement
	n      int
	in     []ristretto.Affine
	gens   *generators
	base   *ristretto.Table
	keyTab *ristretto.Table
	perm   []uint32           // the paper that comes out at i went in at perm[i]
	r      []ristretto.Scalar // randomness of the commitments to the permutation
	re     []ristretto.Scalar // of the re-encryption, Width a paper
	wPerm  []ristretto.Scalar // ω̃
	rChain []ristretto.Scalar // r̂
	wChain []ristretto.Scalar // ω̂
	u      []ristretto.Scalar // ũ: the challenges, in the order of coming out
	w      [3]ristretto.Scalar
	w4     []ristretto.Scalar
	proof  *Proof

	sumR, sumRChain, sumRU ristretto.Scalar   // r̄, r̂', r'
	sumRe                  []ristretto.Scalar // r̃', one an element of a paper
}

func newMixer(g *ristretto.Group, st *Statement, key *ristretto.Point) *mixer {
	n := st.N()
	base := g.Base()
	width := ristretto.TableWidth(n)
	return &mixer{
		g: g, st: st, n: n,
		in:   make([]ristretto.Affine, 2*n*st.Width),
		gens: newGenerators(g, &st.Manifest),
		base: g.NewTable(&base, width), keyTab: g.NewTable(key, width),
		perm: permutation(n),
		r:    randomScalars(n), re: randomScalars(n * st.Width), wPerm: randomScalars(n),
		w: [3]ristretto.Scalar(randomScalars(3)), w4: randomScalars(st.Width),
		proof: &Proof{C: make([]byte, n*ristretto.Size)},
	}
}

// permutation draws one, all alike (Fisher, Yates).
func permutation(n int) []uint32 {
	perm := make([]uint32, n)
	for i := range perm {
		perm[i] = uint32(i)
	}
	buf := make([]byte, 0, 8192)
	for i := n - 1; i > 0; i-- {
		j := below(&buf, uint64(i)+1)
		perm[i], perm[j] = perm[j], perm[i]
	}
	return perm
}

// below draws a number under n without bias.
func below(buf *[]byte, n uint64) uint64 {
	for {
		if len(*buf) < 8 {
			*buf = (*buf)[:cap(*buf)/8*8]
			if len(*buf) < 8 {
				*buf = make([]byte, 8192)
			}
			rand.Read(*buf)
		}
		v := binary.LittleEndian.Uint64(*buf)
		*buf = (*buf)[8:]
		if limit := -n % n; v >= limit { // 2^64 mod n values are left out
			return v % n
		}
	}
}

func randomScalars(n int) []ristretto.Scalar {
	ks := make([]ristretto.Scalar, n)
	ristretto.Spread(n, 1024, func(lo, hi int) {
		buf := make([]byte, 64*(hi-lo))
		rand.Read(buf)
		for i := lo; i < hi; i++ {
			ks[i] = transcript.Wide((*[64]byte)(buf[64*(i-lo):]))
		}
		clear(buf)
	})
	return ks
}

// reencrypt makes Out, the commitments to the permutation, t3 and t4.
func (m *mixer) reencrypt() {
	g, w := m.g, m.st.Width
	width := g.WidthFor(m.n, 253)
	t3 := g.NewSum(253, width)
	t4 := make([]*ristretto.Sum, 2*w)
	for i := range t4 {
		t4[i] = g.NewSum(253, width)
	}
	hs := make([]ristretto.Affine, min(m.n, chunk))
	column := make([]ristretto.Affine, len(hs))
	m.st.Out = make([]byte, 0, len(m.st.In))
	for lo := 0; lo < m.n; lo += chunk {
		hi := min(lo+chunk, m.n)
		h := hs[:hi-lo]
		m.gens.fill(h, lo)
		d := ristretto.Recode(m.wPerm[lo:hi], 253, width)
		t3.Add(d, h)
		m.commit(lo, h)
		out := m.stretch(lo, hi)
		for k := range t4 {
			for i := range h {
				column[i] = out[i*2*w+k]
			}
			t4[k].Add(d, column[:len(h)])
		}
	}
	p := t3.Result()
	q := g.MulBase(&m.w[2])
	p = g.Add(&p, &q)
	m.proof.T3 = g.Encode(&p)
	m.finishT4(t4)
}

func (m *mixer) finishT4(t4 []*ristretto.Sum) {
	g := m.g
	var key ristretto.Point
	g.Decode(&key, m.st.Key[:])
	for k, s := range t4 {
		p := s.Result()
		q := g.MulBase(&m.w4[k/2])
		if k%2 == 1 {
			q = g.Mul(&m.w4[k/2], &key)
		}
		p = g.Sub(&p, &q)
		e := g.Encode(&p)
		m.proof.T4 = append(m.proof.T4, e[:]...)
	}
}

// commit makes the commitments that belong to the papers coming out at lo and
// on: c at perm[i] is r·G + h of i.
func (m *mixer) commit(lo int, h []ristretto.Affine) {
	ks := make([]ristretto.Scalar, len(h))
	for i := range ks {
		ks[i] = m.r[m.perm[lo+i]]
	}
	ps := m.g.Identities(len(h))
	m.base.AddMultiples(ps, ks)
	ristretto.Spread(len(ps), 1024, func(a, b int) {
		for i := a; i < b; i++ {
			ps[i] = m.g.AddAffine(&ps[i], &h[i])
		}
	})
	for i, enc := 0, m.g.EncodeAll(nil, ps); i < len(ps); i++ {
		copy(m.proof.C[int(m.perm[lo+i])*ristretto.Size:], enc[i*ristretto.Size:(i+1)*ristretto.Size])
	}
}

// stretch re-encrypts the papers that come out from lo to hi, appends them to
// Out, and gives them.
func (m *mixer) stretch(lo, hi int) []ristretto.Affine {
	g, w := m.g, m.st.Width
	d := ristretto.Recode(m.re[lo*w:hi*w], 253, m.base.Width())
	as, bs := g.Identities((hi-lo)*w), g.Identities((hi-lo)*w)
	m.base.AddTo(as, d)
	m.keyTab.AddTo(bs, d)
	ps := make([]ristretto.Point, 2*w*(hi-lo))
	ristretto.Spread(len(as), 1024, func(a, b int) {
		for i := a; i < b; i++ {
			from := (int(m.perm[lo+i/w])*w + i%w) * 2
			ps[2*i] = g.AddAffine(&as[i], &m.in[from])
			ps[2*i+1] = g.AddAffine(&bs[i], &m.in[from+1])
		}
	})
	m.st.Out = g.EncodeAll(m.st.Out, ps)
	out := make([]ristretto.Affine, len(ps))
	g.Normalize(out, ps)
	return out
}

// chain makes the chain of commitments and t1, t2, t̂. A link is
// ĉ_i = r̂_i·G + ũ_i·ĉ_{i-1}; who knows all r̂ has it as R_i·G + U_i·H with
// R_i = r̂_i + ũ_i·R_{i-1} and U_i = ũ_i·U_{i-1}, two multiples of fixed bases.
func (m *mixer) chain(seed *[64]byte) {
	m.in = nil // let go of what is not needed any more
	m.rChain, m.wChain = randomScalars(m.n), randomScalars(m.n)
	m.challenges(seed)
	bigR, bigU := m.links()
	m.sums()
	h := m.gens.one(0)
	hTab := m.g.NewTable(&h, m.base.Width())
	half := halfScalar()
	// Stretch by stretch: what is encoded is twice a point made from halves.
	for lo := 0; lo < m.n; lo += chunk {
		hi := min(lo+chunk, m.n)
		ks := make([]ristretto.Scalar, 4*(hi-lo))
		rs, us := ks[:2*(hi-lo)], ks[2*(hi-lo):]
		ristretto.Spread(hi-lo, 1024, func(a, b int) {
			for j := a; j < b; j++ {
				i := lo + j
				rs[j].Multiply(&bigR[i+1], half)
				us[j].Multiply(&bigU[i+1], half)
				var t ristretto.Scalar
				t.Multiply(&m.wPerm[i], half)
				t2 := ristretto.Scalar{}
				t2.Multiply(&m.wChain[i], half)
				rs[hi-lo+j].MultiplyAdd(&t, &bigR[i], &t2)
				us[hi-lo+j].Multiply(&t, &bigU[i])
			}
		})
		ps := m.g.Identities(2 * (hi - lo))
		m.base.AddMultiples(ps, rs)
		hTab.AddMultiples(ps, us)
		enc := m.g.EncodeDoubles(nil, ps)
		m.proof.Chain = append(m.proof.Chain, enc[:len(enc)/2]...)
		m.proof.TChain = append(m.proof.TChain, enc[len(enc)/2:]...)
	}
	for k, dst := range []*[32]byte{&m.proof.T1, &m.proof.T2} {
		p := m.g.MulBase(&m.w[k])
		*dst = m.g.Encode(&p)
	}
}

// halfScalar is 1/2.
func halfScalar() *ristretto.Scalar {
	two, err := edwards25519.NewScalar().SetCanonicalBytes(append([]byte{2}, make([]byte, 31)...))
	if err != nil {
		panic(err)
	}
	return two.Invert(two)
}

// challenges draws u and puts them into the order of coming out.
func (m *mixer) challenges(seed *[64]byte) {
	m.u = make([]ristretto.Scalar, m.n)
	ristretto.Spread(m.n, 1024, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			m.u[i] = transcript.ShortAt(seed, int(m.perm[i]))
		}
	})
}

// links gives R and U, with R_0 = 0 and U_0 = 1 in front.
func (m *mixer) links() (bigR, bigU []ristretto.Scalar) {
	bigR, bigU = make([]ristretto.Scalar, m.n+1), make([]ristretto.Scalar, m.n+1)
	bigU[0] = *one()
	for i := range m.n {
		bigR[i+1].MultiplyAdd(&m.u[i], &bigR[i], &m.rChain[i])
		bigU[i+1].Multiply(&m.u[i], &bigU[i])
	}
	// r̂' = Σ r̂_i·(ũ_{i+1}···ũ_n) is just R_n.
	m.sumRChain = bigR[m.n]
	return bigR, bigU
}

func one() *ristretto.Scalar {
	s, err := edwards25519.NewScalar().SetCanonicalBytes(append([]byte{1}, make([]byte, 31)...))
	if err != nil {
		panic(err)
	}
	return s
}

// sums gives the secrets of the equations over all papers.
func (m *mixer) sums() {
	w := m.st.Width
	m.sumRe = make([]ristretto.Scalar, w)
	for i := range m.n {
		r := &m.r[m.perm[i]]
		m.sumR.Add(&m.sumR, r)
		m.sumRU.MultiplyAdd(r, &m.u[i], &m.sumRU)
		for k := range w {
			m.sumRe[k].MultiplyAdd(&m.re[i*w+k], &m.u[i], &m.sumRe[k])
		}
	}
}

// finish draws the challenge and answers it.
func (p *Proof) finish(m *mixer, t *transcript.Transcript) {
	c := p.challenge(t)
	answer := func(w, secret *ristretto.Scalar) (out [32]byte) {
		var s ristretto.Scalar
		copy(out[:], s.MultiplyAdd(&c, secret, w).Bytes())
		return out
	}
	p.S1 = answer(&m.w[0], &m.sumR)
	p.S2 = answer(&m.w[1], &m.sumRChain)
	p.S3 = answer(&m.w[2], &m.sumRU)
	for k := range m.w4 {
		s := answer(&m.w4[k], &m.sumRe[k])
		p.S4 = append(p.S4, s[:]...)
	}
	p.SChain, p.SPerm = make([]byte, m.n*ristretto.Size), make([]byte, m.n*ristretto.Size)
	ristretto.Spread(m.n, 1024, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			a, b := answer(&m.wChain[i], &m.rChain[i]), answer(&m.wPerm[i], &m.u[i])
			copy(p.SChain[i*ristretto.Size:], a[:])
			copy(p.SPerm[i*ristretto.Size:], b[:])
		}
	})
	for _, secrets := range [][]ristretto.Scalar{m.r, m.re, m.wPerm, m.rChain, m.wChain, m.w4} {
		clear(secrets)
	}
	clear(m.perm)
}
