package rehearsals_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/omov/omov/rehearsal"
)

// Every rehearsal of every file runs as a test of its own; files that end in
// -large, which take half a minute and more, with OMOV_SOAK only.
func TestRehearsals(t *testing.T) {
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no rehearsals here", err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list, err := rehearsal.Read(file, src)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		for _, s := range list {
			t.Run(strings.TrimSuffix(file, ".yaml")+"/"+s.Title, func(t *testing.T) {
				if strings.HasSuffix(file, "-large.yaml") && os.Getenv("OMOV_SOAK") == "" {
					t.Skip("large: with OMOV_SOAK=1, or omov rehearse " + file)
				}
				t.Parallel()
				r, err := rehearsal.Run(context.Background(), s, rehearsal.Options{})
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range r.Failures {
					t.Error(f)
				}
				if !r.Verified && r.People <= 5_000 || r.Entries < 2 { // a large book is replayed, and not bundled
					t.Errorf("a record of %d entries, verified %v", r.Entries, r.Verified)
				}
			})
		}
	}
}
