package ballotfile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/omov/omov/count"
	"github.com/omov/omov/count/ballotfile"
)

// TestEveryFile reads every BLT file of the cases and counts it by every
// method; only files that are wrong on purpose are refused.
func TestEveryFile(t *testing.T) {
	wrong := map[string]string{
		"ballot_sum_overflows.blt":      "add up",
		"ers97_runassudo_retracted.blt": "no candidate 20", // it ends papers without a 0 of their own
	}
	n := 0
	err := filepath.WalkDir(root(""), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".blt") {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		file, err := ballotfile.Read(f, ballotfile.Options{Name: path})
		if words, bad := wrong[filepath.Base(path)]; err != nil || bad {
			if !bad || err == nil || !strings.Contains(err.Error(), words) {
				t.Errorf("%s: %v", path, err)
			}
			return nil
		}
		n++
		for _, m := range count.Methods() {
			if m.Kind != count.Ranked || file.Papers.Denominator() != 1 {
				continue
			}
			c := file.Contest()
			c.Seed = []byte("sweep")
			if !m.Many {
				c.Seats = 1
			}
			s, err := count.Count(m.ID, c, count.Section{Name: "all", Papers: file.Papers})
			if err != nil {
				t.Errorf("%s by %s: %v", path, m.ID, err)
			} else if len(s.Elected) != max(c.Seats, 1) {
				t.Errorf("%s by %s: %d elected for %d seats", path, m.ID, len(s.Elected), c.Seats)
			}
		}
		return nil
	})
	if err != nil || n < 14 {
		t.Errorf("%d files, %v", n, err)
	}
}
