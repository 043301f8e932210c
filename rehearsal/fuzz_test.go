package rehearsal

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// seeds are rehearsals as they are shipped, and odd ones.
func seeds(f *testing.F) {
	files, _ := filepath.Glob("../rehearsals/*.yaml")
	for _, name := range files {
		if src, err := os.ReadFile(name); err == nil && len(src) < 8_000 {
			f.Add(string(src))
		}
	}
	for _, s := range []string{"", "rehearsal: x", "---\n---\n", "a: [", small + "steps:\n - papers: {? : 1}\n", small + "steps: [{set: {}}]\n",
		small + "steps: [{at: +40000 years}]\n", small + "steps: [{order: {set: {}}}, {by: [], call: x}, {units: [{kind: }]}]\n",
		small + "change: {procedures: null}\n", small + "steps: [{people: {also: Member 1..99999999999999999999}}]\n"} {
		f.Add(s)
	}
}

// No text makes the reader panic or take long.
func FuzzRead(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 1<<16 {
			return
		}
		begun := time.Now()
		list, err := Read("f.yaml", []byte(src))
		if err == nil && len(list) == 0 {
			t.Error("neither a rehearsal nor a problem")
		}
		if err != nil && err.Error() == "" {
			t.Error("refused without a word")
		}
		if d := time.Since(begun); d > 5*time.Second {
			t.Errorf("reading took %s", d)
		}
	})
}

// No script that can be read makes a rehearsal panic or go on for ever.
func FuzzRun(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 4_000 {
			return
		}
		list, err := Read("f.yaml", []byte(src))
		if err != nil {
			return
		}
		for _, s := range list[:1] {
			people := 0
			for _, p := range s.people {
				people += p.make
			}
			if people > 500 || len(s.steps) > 40 {
				return
			}
			ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
			begun := time.Now()
			_, err := Run(ctx, s, Options{Story: true, Rulebook: func(string) ([]byte, error) { return nil, os.ErrNotExist }})
			stop()
			if d := time.Since(begun); d > 15*time.Second {
				t.Errorf("running took %s: %v", d, err)
			}
		}
	})
}
