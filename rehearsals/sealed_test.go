package rehearsals_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/omov/omov/rehearsal"
	"github.com/omov/omov/rulebooks"
)

// otherwise are the rehearsals that come otherwise in a sealed ballot than in a
// box, as they should: a sealed vote can be changed, a paper that breaks a quota
// is found when it is opened and not when it is cast, and what is refused is
// refused in other words.
func otherwise() []string {
	return []string{
		"No confidence by 172 to 40, three honest shares, and no effect",
		"The annual meeting, seven candidates for five places, one of them a supporter short",
		"The officers do not close the ballot; no paper is taken after its end, and they can close it later",
		"Members elect six of eight to the executive, each with the nominations of five constituency parties",
		"Thirty-five letters of 229 lead to a vote, thirty-four do not, and the leader goes",
		"Nineteen of twenty-five are elected, and a paper with five women is not taken in",
		"A place becomes free, and in the by-election a paper with one man on it is valid",
		"Only four women stand, and a paper need not name six of them",
		"Three candidates in three sections, and whoever belongs twice votes twice",
	}
}

// Every secret ballot of the shipped rulebooks can be sealed: the same votes lead
// to the same result. All of it with OMOV_SOAK; else some of each kind: rounds,
// sections, weights, several places, quotas, points, yes and no.
func TestSealedInsteadOfBoxes(t *testing.T) {
	files := []string{"convention-quotas.yaml", "executive-sections.yaml", "list-points.yaml", "mps-1976-rounds.yaml", "network.yaml", "rounds-then-members.yaml", "selection-1987.yaml", "shared-leadership.yaml", "thirds-1993.yaml", "union-executive.yaml"}
	if os.Getenv("OMOV_SOAK") != "" {
		files, _ = filepath.Glob("*.yaml")
	}
	box, named := regexp.MustCompile(`how: box\b`), regexp.MustCompile(`(?m)^rulebook: ([a-z0-9-]+)$`)
	o := rehearsal.Options{Rulebook: func(path string) ([]byte, error) {
		src, err := rulebooks.Read(strings.TrimSuffix(filepath.Base(path), ".sealed.yaml"))
		return box.ReplaceAll(src, []byte("how: sealed")), err
	}}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		src = box.ReplaceAll(named.ReplaceAll(src, []byte("rulebook: $1.sealed.yaml")), []byte("how: sealed"))
		list, err := rehearsal.Read(file, src)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			if slices.Contains(otherwise(), s.Title) || strings.HasSuffix(file, "-large.yaml") {
				continue
			}
			t.Run(strings.TrimSuffix(file, ".yaml")+"/"+s.Title, func(t *testing.T) {
				t.Parallel()
				r, err := rehearsal.Run(context.Background(), s, o)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range r.Failures {
					t.Error(f)
				}
			})
		}
	}
}
