package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/omov/omov/count/sample"
)

// BenchmarkAuditAV600kx10 counts 600,000 papers from a file and writes a line
// for every paper; the goal is three seconds.
func BenchmarkAuditAV600kx10(b *testing.B) {
	dir := b.TempDir()
	var buf bytes.Buffer
	if err := (sample.Shape{Papers: 600_000, Candidates: 10, Seed: 20260101}).WriteBLT(&buf); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(dir, "papers.blt")
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	started := time.Now()
	b.ResetTimer()
	for range b.N {
		c := CountPapersCmd{Method: "av", Format: "text", Audit: filepath.Join(dir, "log"), Files: []string{path}}
		c.Ties, c.Gaps, c.Repeats, c.Equals, c.Majority, c.Of, c.Inside = "rule", "rule", "rule", "rule", ">1/2", "cast", "av"
		if err := c.Run(&Streams{Out: &bytes.Buffer{}}); err != nil {
			b.Fatal(err)
		}
	}
	each := time.Since(started) / time.Duration(b.N)
	info, err := os.Stat(filepath.Join(dir, "log"))
	if err != nil || info.Size() < 600_000*5 {
		b.Fatal(info, err)
	}
	b.ReportMetric(float64(each.Milliseconds()), "ms/op")
	b.ReportMetric(3000, "goal-ms")
	b.ReportMetric(float64(each)/float64(3*time.Second), "ratio")
}
