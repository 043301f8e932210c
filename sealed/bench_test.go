//go:build unix

package sealed_test

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/group"
	"github.com/omov/omov/sealed/proof"
)

// many is how many papers the large benchmarks have: 600,000 where OMOV_BIG is
// set, else a tenth, whose figure is given for 600,000.
func many() (n int, scale float64) {
	if os.Getenv("OMOV_BIG") != "" {
		return 600_000, 1
	}
	return 60_000, 10
}

// processor gives the processor time used so far, in seconds. A figure core-s is
// that time shared out over the cores: what "s" would be if nothing else ran.
func processor() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// timed runs a benchmark and reports s and core-s, times scale.
func timed(b *testing.B, scale float64, do func() error) {
	b.Helper()
	start := processor()
	for b.Loop() {
		if err := do(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(scale*b.Elapsed().Seconds()/float64(b.N), "s")
	b.ReportMetric(scale*(processor()-start)/float64(b.N)/float64(runtime.GOMAXPROCS(0)), "core-s")
}

// BenchmarkOpen is one trustee's part of opening.
func BenchmarkOpen(b *testing.B) {
	n, scale := many()
	g := ristretto.New()
	x, base := proof.NewSecret(), g.Base()
	table := g.NewTable(&base, 11)
	ks := make([]ristretto.Scalar, 2*n)
	for i := range ks {
		ks[i] = *proof.NewSecret().Scalar()
	}
	ps := g.Identities(2 * n)
	table.AddMultiples(ps, ks)
	o := &sealed.Opening{Group: "a/b/c", Pairs: g.EncodeAll(nil, ps)}
	var s *sealed.Shares
	for _, be := range group.Backends() {
		b.Run(be.Name(), func(b *testing.B) {
			timed(b, scale, func() (err error) {
				s, err = o.MakeShares(g, be, 1, x)
				return err
			})
		})
	}
	b.Run("check", func(b *testing.B) {
		timed(b, scale, func() error { return o.CheckShares(g, s, x.Public(g)) })
	})
	b.Run("combine", func(b *testing.B) {
		other, last := *s, *s
		other.Trustee, last.Trustee = 3, 4 // not consecutive: the coefficients are no small numbers
		timed(b, scale, func() error {
			_, err := o.Combine(g, 3, []*sealed.Shares{s, &other, &last})
			return err
		})
	})
}

// BenchmarkCheckPapers is the check of all papers' proofs and signatures.
func BenchmarkCheckPapers(b *testing.B) {
	n, scale := many()
	e := newElection(b, 1, 1, 3)
	raws := make([][]byte, n)
	ristretto.Spread(n, 64, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			bl := sealed.Ballot{Group: e.g, Manifest: e.m, Key: e.key, Contest: "leader", Section: "members", Previous: e.hash, Sequence: 1}
			raws[i], _, _ = bl.Seal([]int{1, 2, 3, 0, 0}, e.secrets[0])
		}
	})
	timed(b, scale, func() error {
		ps := make([]*sealed.Paper, n)
		ristretto.Spread(n, 256, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				ps[i], _ = sealed.DecodePaper(raws[i])
			}
		})
		return errors.Join(e.checker.CheckAll(ps)...)
	})
}

// BenchmarkCheckPaper is the check of one, as a server does it.
func BenchmarkCheckPaper(b *testing.B) {
	e := newElection(b, 1, 1, 3)
	for contest, paper := range map[string][]int{"leader": {1, 2, 3, 0, 0}, "motion": {1, 0}} {
		p, err := sealed.DecodePaper(e.seal(0, contest, paper))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(contest, func(b *testing.B) {
			b.SetParallelism(32)
			start := processor()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := e.checker.Check(p); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "papers/s")
			b.ReportMetric(1e6*(processor()-start)/float64(b.N), "cpu-us")
		})
	}
}

// BenchmarkCheckBatch is the check of the 64 papers that a server's writer may
// have waiting at once.
func BenchmarkCheckBatch(b *testing.B) {
	e := newElection(b, 1, 1, 3)
	for contest, paper := range map[string][]int{"leader": {1, 2, 3, 0, 0}, "motion": {1, 0}} {
		var ps []*sealed.Paper
		for range 64 {
			p, err := sealed.DecodePaper(e.seal(0, contest, paper))
			if err != nil {
				b.Fatal(err)
			}
			ps = append(ps, p)
		}
		b.Run(contest, func(b *testing.B) {
			start := processor()
			for b.Loop() {
				if err := errors.Join(e.checker.CheckAll(ps)...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(64*float64(b.N)/b.Elapsed().Seconds(), "papers/s")
			b.ReportMetric(1e6*(processor()-start)/float64(b.N)/64, "cpu-us")
		})
	}
}
