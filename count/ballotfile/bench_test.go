package ballotfile_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/omov/omov/count"
	"github.com/omov/omov/count/ballotfile"
	"github.com/omov/omov/count/sample"
)

// These benchmarks are the table of speed: from a text file on disk to the
// result. Each reports the milliseconds a count takes, the goal, and the
// ratio of the two (below 1 is within the goal).

func sampleFile(b *testing.B, s sample.Shape) string {
	b.Helper()
	var buf bytes.Buffer
	if err := s.WriteBLT(&buf); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "papers.blt")
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// clock is a moment, by the wall and in processor time.
type clock struct {
	wall time.Time
	cpu  time.Duration
}

func now() clock { return clock{time.Now(), cpuTime()} }

// cpuTime is the processor time of this process so far, both processors
// added: on a busy machine it says more than the wall clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func report(b *testing.B, started clock, goal time.Duration) {
	each := time.Since(started.wall) / time.Duration(b.N)
	b.ReportMetric(float64((cpuTime()-started.cpu).Microseconds())/1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(each.Microseconds())/1000, "ms/op")
	b.ReportMetric(float64(goal.Milliseconds()), "goal-ms")
	b.ReportMetric(float64(each)/float64(goal), "ratio")
	b.ReportMetric(0, "ns/op")
}

func fileToResult(b *testing.B, method string, s sample.Shape, goal time.Duration) {
	for _, uniform := range []bool{false, true} {
		s := s
		s.Seed, s.Uniform = 20260101, uniform
		b.Run(fmt.Sprintf("uniform=%v", uniform), func(b *testing.B) {
			path := sampleFile(b, s)
			b.ReportAllocs()
			b.ResetTimer()
			started := now()
			for range b.N {
				f, err := os.Open(path)
				if err != nil {
					b.Fatal(err)
				}
				file, err := ballotfile.Read(f, ballotfile.Options{Name: path})
				f.Close()
				if err != nil {
					b.Fatal(err)
				}
				c := file.Contest()
				c.Seed = []byte("bench")
				if _, err := count.Count(method, c, count.Pool(file.Papers)); err != nil {
					b.Fatal(err)
				}
			}
			report(b, started, goal)
		})
	}
}

func BenchmarkFileAV100kx10(b *testing.B) {
	fileToResult(b, "av", sample.Shape{Papers: 100_000, Candidates: 10}, 60*time.Millisecond)
}

func BenchmarkFileAV600kx10(b *testing.B) {
	fileToResult(b, "av", sample.Shape{Papers: 600_000, Candidates: 10}, 200*time.Millisecond)
}

func BenchmarkFileAV600kx20(b *testing.B) {
	fileToResult(b, "av", sample.Shape{Papers: 600_000, Candidates: 20}, 600*time.Millisecond)
}

func BenchmarkFileScottish600kx10(b *testing.B) {
	fileToResult(b, "scottish-stv", sample.Shape{Papers: 600_000, Candidates: 10, Seats: 6}, 250*time.Millisecond)
}

func BenchmarkFileERS97_600kx10(b *testing.B) {
	fileToResult(b, "ers97", sample.Shape{Papers: 600_000, Candidates: 10, Seats: 6}, 400*time.Millisecond)
}

func BenchmarkFileMeek600kx10(b *testing.B) {
	fileToResult(b, "meek-prf", sample.Shape{Papers: 600_000, Candidates: 10, Seats: 6}, time.Second)
}

func BenchmarkFileSchulze600kx10(b *testing.B) {
	fileToResult(b, "schulze", sample.Shape{Papers: 600_000, Candidates: 10}, 300*time.Millisecond)
}

func BenchmarkRecountAV600kx10(b *testing.B) {
	for _, uniform := range []bool{false, true} {
		s := sample.Shape{Papers: 600_000, Candidates: 10, Seed: 20260101, Uniform: uniform}
		b.Run(fmt.Sprintf("uniform=%v", uniform), func(b *testing.B) {
			p, err := s.Group()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(p.Len()), "groups")
			b.ResetTimer()
			started := now()
			for range b.N {
				if _, err := count.Count("av", s.Contest(), count.Pool(p)); err != nil {
					b.Fatal(err)
				}
			}
			report(b, started, 10*time.Millisecond)
		})
	}
}
