//go:build unix

package mixing_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/mixing"
)

// How far from the multiplications alone, for a paper of one element, in
// products of field elements (3.1 ns each in lanes on the machine of the
// goals, so that two cores can do no better than the last column at 600,000):
//
//	                          prove                          verify
//	multiples of fixed bases  7 x 20 x 7             980     -
//	sums, 253 bits            3 x 24 x 7             504     4 x 24 x 7   672
//	sums, 128 bits            -                              4 x 16 x 7   448
//	decoding                  2 x 272                544     7 x 272     1904
//	generators                2 x 280                560     2 x 280      560
//	encoding                  3 x 280 + 2 x 22       884     -
//	together                  3472: 3.2 s                    3584: 3.3 s
//
// What is above that is moving numbers in and out of lanes, additions, hashing,
// and arithmetic with scalars. The metric core-s is the processor time, shared
// out over the cores: what "s" would be if nothing else ran and nothing waited.

// processor gives the processor time used so far, in seconds.
func processor() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// timed runs a benchmark and reports s and core-s.
func timed(b *testing.B, do func() error) {
	start := processor()
	for b.Loop() {
		if err := do(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s")
	b.ReportMetric((processor()-start)/float64(b.N)/float64(runtime.GOMAXPROCS(0)), "core-s")
}

// sizes gives the sizes of the benchmarks: the large ones take minutes.
func sizes() []int {
	if os.Getenv("OMOV_BIG") != "" {
		return []int{10_000, 100_000, 600_000, 1_000_000}
	}
	return []int{10_000, 100_000}
}

// groups are the group with and without the vector instructions.
func groups() map[string]*ristretto.Group {
	m := map[string]*ristretto.Group{"plain": ristretto.NewPlain()}
	if g := ristretto.New(); g.Lanes() {
		m["lanes"] = g
	}
	return m
}

// BenchmarkPlain is 10,000 papers where a processor has no lanes.
func BenchmarkPlain(b *testing.B) {
	for name, g := range groups() {
		b.Run(name, func(b *testing.B) {
			st, _ := statement(g, 10_000, 1)
			timed(b, func() error {
				p, err := mixing.Shuffle(g, st)
				if err != nil {
					return err
				}
				return mixing.Verify(g, st, p)
			})
		})
	}
}

func BenchmarkShuffle(b *testing.B) {
	g := ristretto.New()
	for _, n := range sizes() {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			st, _ := statement(g, n, 1)
			timed(b, func() error {
				_, err := mixing.Shuffle(g, st)
				return err
			})
		})
	}
}

func BenchmarkShuffleVerify(b *testing.B) {
	g := ristretto.New()
	for _, n := range sizes() {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			st, _ := statement(g, n, 1)
			p, err := mixing.Shuffle(g, st)
			if err != nil {
				b.Fatal(err)
			}
			timed(b, func() error { return mixing.Verify(g, st, p) })
		})
	}
}

// BenchmarkMemory600k is the most memory that a shuffle and its check take:
// the process's resident set, on Linux. Without OMOV_BIG it is that of 100,000
// papers times six, which is too much rather than too little.
func BenchmarkMemory600k(b *testing.B) {
	n, scale := 100_000, 6.0
	if os.Getenv("OMOV_BIG") != "" {
		n, scale = 600_000, 1
	}
	g := ristretto.New()
	st, _ := statement(g, n, 1)
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Skip("the system does not tell: ", err)
	}
	for b.Loop() {
		p, err := mixing.Shuffle(g, st)
		if err != nil {
			b.Fatal(err)
		}
		if err := mixing.Verify(g, st, p); err != nil {
			b.Fatal(err)
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("the system does not tell: ", err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kib float64
	if _, err := fmt.Sscan(after, &kib); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(scale*kib/1024, "MiB")
}
