package mixing_test

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/mixing"
)

// sizes gives the sizes of the benchmarks: the large ones take minutes.
func sizes() []int {
	if os.Getenv("OMOV_BIG") != "" {
		return []int{10_000, 100_000, 600_000, 1_000_000}
	}
	return []int{10_000, 100_000}
}

func BenchmarkShuffle(b *testing.B) {
	g := ristretto.New()
	for _, n := range sizes() {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			st, _ := statement(g, n, 1)
			for b.Loop() {
				if _, err := mixing.Shuffle(g, st); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s")
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
			for b.Loop() {
				if err := mixing.Verify(g, st, p); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s")
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
