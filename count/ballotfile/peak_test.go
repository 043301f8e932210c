package ballotfile_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/omov/omov/count"
	"github.com/omov/omov/count/ballotfile"
	"github.com/omov/omov/count/sample"
)

// TestPeakChild is not a test: BenchmarkPeakAV600kx10 runs it as a process of
// its own, whose highest use of memory can then be read.
func TestPeakChild(t *testing.T) {
	path := os.Getenv("OMOV_PEAK_FILE")
	if path == "" {
		t.Skip("only for BenchmarkPeakAV600kx10")
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	file, err := ballotfile.Read(f, ballotfile.Options{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := count.Count("av", file.Contest(), count.Pool(file.Papers)); err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			fmt.Printf("peak %s kB\n", strings.Fields(rest)[0])
		}
	}
}

// BenchmarkPeakAV600kx10 reports the most memory that a process holds which
// counts 600,000 papers of ten candidates from a file; the goal is 150 MB.
func BenchmarkPeakAV600kx10(b *testing.B) {
	for _, uniform := range []bool{false, true} {
		b.Run(fmt.Sprintf("uniform=%v", uniform), func(b *testing.B) {
			path := sampleFile(b, sample.Shape{Papers: 600_000, Candidates: 10, Seed: 20260101, Uniform: uniform})
			most := 0
			for range b.N {
				cmd := exec.Command(os.Args[0], "-test.run=^TestPeakChild$", "-test.v")
				cmd.Env = append(os.Environ(), "OMOV_PEAK_FILE="+path)
				out, err := cmd.CombinedOutput()
				if err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
				_, rest, ok := strings.Cut(string(out), "peak ")
				kb, _ := strconv.Atoi(strings.Fields(rest + " 0")[0])
				if !ok || kb == 0 {
					b.Skip("this system does not say")
				}
				most = max(most, kb)
			}
			mb := float64(most) / 1000
			b.ReportMetric(mb, "peak-MB")
			b.ReportMetric(150, "goal-MB")
			b.ReportMetric(mb/150, "ratio")
		})
	}
}
