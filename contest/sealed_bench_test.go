package contest_test

import (
	"archive/zip"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/omov/omov/bundle"
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/mixing"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/sealing"
	"github.com/omov/omov/verify"
)

// sealedCrowd is the very small society with n members more, and a sealed
// ballot of two that is open.
func sealedCrowd(b *testing.B, n int, named func(*house) []trustee) (*house, string, []trustee, *registrar) {
	b.Helper()
	h := smallHouse(b, sealedBook("av"), 12)
	var terms map[string]register.Term
	if err := h.ch.Read(h.ctx, func(w *chamber.World) error { terms = w.Terms(); return nil }); err != nil {
		b.Fatal(err)
	}
	joined := time.Now().AddDate(-5, 0, 0).Unix()
	for len(h.members) < n {
		list := make([]registry.NewPerson, min(100_000, n-len(h.members)))
		for i := range list {
			list[i].Changes = []register.Change{{Aspect: register.Belongs, Name: terms["member"], From: joined}}
		}
		ids, err := h.reg.Enter(h.ctx, list, "", nil)
		if err != nil {
			b.Fatal(err)
		}
		h.members = append(h.members, ids...)
	}
	if named == nil {
		return h, h.election(), nil, nil
	}
	all := named(h)
	r := h.crowdRegistrar()
	ref := h.election()
	r.crowdList(ref)
	h.ceremony(ref, all)
	return h, ref, all, r
}

// crowdRegistrar has a registrar beside the trustees who have been named, so that
// many papers can be sealed without asking the server for each voter's code.
func (h *house) crowdRegistrar() *registrar {
	h.t.Helper()
	r := &registrar{h: h, key: proof.NewSecret(), codes: map[int64]sealed.Code{}}
	key := r.key.Public(ristretto.New())
	named, err := h.s.Trustees(h.ctx)
	if err == nil {
		named.Registrar = proceeding.Registrar{Name: "Hazel Quill", Key: hex.EncodeToString(key[:])}
		err = h.s.NameTrustees(h.ctx, as(h.officers[0]), *named)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// crowdList makes all codes and posts the list.
func (r *registrar) crowdList(ref string) {
	r.h.t.Helper()
	g := ristretto.New()
	board, err := r.h.s.SealedBoard(r.h.ctx, ref)
	if err != nil {
		r.h.t.Fatal(err)
	}
	m, err := sealed.DecodeManifest([]byte(board.Manifest))
	if err != nil {
		r.h.t.Fatal(err)
	}
	r.hash, _ = m.Hash()
	codes, keys := make([]sealed.Code, len(r.h.members)), make([][]byte, len(r.h.members))
	ristretto.Spread(len(keys), 64, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			codes[i] = sealed.NewCode()
			k := codes[i].Key(r.hash, "voters").Public(g)
			keys[i] = k[:]
		}
	})
	for i, p := range r.h.members {
		r.codes[int64(p)] = codes[i]
	}
	slices.SortFunc(keys, slices.Compare)
	l := &sealed.Listing{Version: 1, Manifest: hex.EncodeToString(r.hash[:]), Groups: []sealed.ListingGroup{{Section: "voters", Class: "v1", Keys: keys}}}
	body, signature, err := sealed.SignListing(g, l, r.key)
	if err == nil {
		err = r.h.s.SealedList(r.h.ctx, ref, body, signature)
	}
	if err != nil {
		r.h.t.Fatal(err)
	}
}

// sealAll makes the papers of many voters, on all cores; r is nil where the
// server makes the codes.
func (h *house) sealAll(ref string, voters []register.PersonID, r *registrar) [][]byte {
	h.t.Helper()
	g := ristretto.New()
	given, err := h.s.SealedSeat(h.ctx, ref, voters[0], 0, "")
	if err != nil {
		h.t.Fatal(err)
	}
	m, err := sealed.DecodeManifest([]byte(given.Manifest))
	if err != nil {
		h.t.Fatal(err)
	}
	hash, _ := m.Hash()
	out := make([][]byte, len(voters))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(voters) {
					return
				}
				code := h.codeOf(ref, voters[i], r)
				p := &sealed.Ballot{Group: g, Manifest: m, Contest: given.Contest, Section: given.Section, Sequence: 1, Previous: hash}
				copy(p.Key[:], unhex(h.t, given.Key))
				raw, _, err := p.Seal([]int{1 + i%2, 2 - i%2}, code.Key(hash, given.Section))
				if err != nil {
					panic(err)
				}
				out[i] = raw
			}
		})
	}
	wg.Wait()
	return out
}

func (h *house) codeOf(ref string, voter register.PersonID, r *registrar) sealed.Code {
	if r != nil {
		return r.codes[int64(voter)]
	}
	mine, err := h.s.SealedSeat(h.ctx, ref, voter, 0, "")
	if err != nil {
		panic(err)
	}
	code, err := sealed.ReadCode(mine.Code)
	if err != nil {
		panic(err)
	}
	return code
}

// postAll hands papers in, 64 at a time.
func (h *house) postAll(ref string, papers [][]byte) time.Duration {
	h.t.Helper()
	begun := time.Now()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(papers) {
					return
				}
				if _, err := h.s.SealedPost(h.ctx, ref, papers[i]); err != nil {
					panic(err)
				}
			}
		})
	}
	wg.Wait()
	return time.Since(begun)
}

// One-element ranked papers taken in: proofs and signatures checked, judged
// against the board, entered in the log, durable; 64 callers.
func BenchmarkSealedPost64(b *testing.B) {
	const n = 40_000
	var took time.Duration
	for b.Loop() {
		b.StopTimer()
		h, ref, _, _ := sealedCrowd(b, n, nil)
		papers := h.sealAll(ref, h.members, nil)
		b.StartTimer()
		took += h.postAll(ref, papers)
	}
	b.ReportMetric(float64(n)*float64(b.N)/took.Seconds(), "papers/s")
}

// tallySize is 600,000 where OMOV_BIG=1 is set, and any other number that it
// names; else 60,000. times is what the figures are multiplied by, to be those of
// 600,000.
func tallySize() (n int, times float64) {
	big := os.Getenv("OMOV_BIG")
	switch k, err := strconv.Atoi(big); {
	case big == "":
		return 60_000, 10
	case err == nil && k > 1:
		return k, 1
	}
	return 600_000, 1
}

// forgetPeak begins to measure the most memory that the process has, and peak
// gives it in MiB. What it has already, which does not grow with the papers, is
// what forgetPeak gives; 0 where the system does not tell.
func forgetPeak() (mib float64) {
	debug.FreeOSMemory()
	if os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) != nil {
		return 0
	}
	return peak()
}

func peak() (mib float64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kib float64
	if _, err := fmt.Sscan(after, &kib); err != nil {
		return 0
	}
	return kib / 1024
}

// The whole tally: closing, three mixes, three of five open, each trustee
// checking every mix before their own part, and the server everything.
// Then the independent verification of the public bundle.
func BenchmarkSealedTally(b *testing.B) {
	n, times := tallySize()
	for b.Loop() {
		b.StopTimer()
		h, ref, all, r := sealedCrowd(b, n, func(h *house) []trustee { return h.name(5, 3, 3) })
		b.Logf("the list of %d is made", n)
		papers := h.sealAll(ref, h.members, r)
		r.codes = nil
		took := h.postAll(ref, papers)
		b.Logf("%d papers taken in %v", n, took)
		papers = nil // they are the voters'
		had := forgetPeak()
		h.pass(h.state(ref).OpenBallot().Closes)
		b.StartTimer()
		begun := time.Now()
		h.must(h.s.Close(h.ctx, ref, as(h.officers[0])))
		b.Logf("closed after %v", time.Since(begun))
		h.checked = true
		if x := h.deeds(ref, all[:3]); x.Phase != sealing.Counted {
			b.Fatalf("%s: %+v", x.Phase, x.Next)
		}
		b.ReportMetric(time.Since(begun).Seconds()*times, "s-tally")
		if st := h.state(ref); st.Phase != proceeding.Ended || st.Outcome != proceeding.Elected {
			b.Fatalf("%s %s", st.Phase, st.Outcome)
		}
		b.StopTimer()
		file := filepath.Join(h.dir, "public.zip")
		out, err := os.Create(file)
		if err == nil {
			err = bundle.WritePublic(h.ctx, h.ch, out)
		}
		if err == nil {
			err = out.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
		if info, err := os.Stat(file); err == nil {
			b.Logf("the bundle has %d MiB", info.Size()>>20)
		}
		b.StartTimer()
		begun = time.Now()
		h.verifies(b, file)
		b.ReportMetric(time.Since(begun).Seconds()*times, "s-verify")
		if had > 0 {
			b.ReportMetric(had+(peak()-had)*times, "MiB")
		}
	}
}

// verifies checks a bundle as omov verify does.
func (h *house) verifies(b *testing.B, file string) {
	b.Helper()
	files, err := zip.OpenReader(file)
	if err != nil {
		b.Fatal(err)
	}
	defer files.Close()
	r, err := verify.Verify(h.ctx, files, verify.Options{})
	if err != nil || !r.Holds() {
		b.Fatalf("the bundle does not hold: %v", err)
	}
}

// checkMixes is what a careful trustee does before their own part.
func (h *house) checkMixes(ref string, b *sealing.Board, st *mixing.Statement) {
	h.t.Helper()
	g := ristretto.New()
	in := st.In
	for _, d := range b.Deeds {
		if d.Kind != sealed.Mix || d.Group != st.Group {
			continue
		}
		raw, err := h.s.SealedDeedBytes(h.ctx, ref, d.N)
		if err != nil {
			h.t.Fatal(err)
		}
		x := *st
		x.In, x.Mixer = in, d.From
		p, err := mixing.Decode(&x, raw)
		if err == nil {
			err = mixing.Verify(g, &x, p)
		}
		if err != nil {
			h.t.Fatal(err)
		}
		in = slices.Clone(x.Out)
		st.Position++
	}
	st.In = in
}
