package verify_test

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/verify"
)

// altered is one altered sealed ballot: held by a plan that does one thing
// otherwise, with all secrets there are, so that everything that follows from it
// fits again. Only the check that is named can find it.
type altered struct {
	name  string
	check string
	of    string // the ballot: election where it is empty, or motion
	full  bool   // only scrutineers can see it
	plan  plan
	also  []string // checks that cannot but fail with it
}

func (x altered) procedure() string {
	if x.of == "" {
		return "election"
	}
	return x.of
}

func corpus() []altered {
	return slices.Concat(manifestAltered(), listAltered(), keyAltered(), papersAltered(), acceptanceAltered(), inputAltered(), leftAltered(),
		logAltered(), mixesAltered(), sharesAltered(), plainAltered(), countAltered(), resultAltered(), recordsAltered(), changesAltered())
}

// societies are the two ballots that the corpus is made of, held once.
type societies struct {
	t  *testing.T
	mu sync.Mutex
	of map[string]*society
}

func (s *societies) get(procedure string) *society {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[string]*society{}
	}
	if s.of[procedure] == nil {
		s.of[procedure] = hold(s.t, procedure)
	}
	return s.of[procedure]
}

// backends are the two ways in which the verifier computes the group.
func backends() map[string]*ristretto.Group {
	return map[string]*ristretto.Group{"lanes": ristretto.New(), "plain": ristretto.NewPlain()}
}

func decode(b []byte, x any) error { return json.Unmarshal(b, x) }

// problems writes out what a report found.
func problems(r *verify.Report) string {
	var out []string
	for _, c := range r.Checks {
		for _, p := range c.Problems {
			out = append(out, c.ID+": "+p)
		}
	}
	return strings.Join(out, "\n")
}

// The ballots hold as they were held by the use cases, and as the generator
// holds them once more.
func TestSealedUntampered(t *testing.T) {
	all := &societies{t: t}
	for _, procedure := range []string{"election", "motion"} {
		s := all.get(procedure)
		if r := check(t, s.files, verify.Options{}); !r.Holds() {
			t.Errorf("the %s as it was held: %s", procedure, problems(r))
		}
		b := s.hold(t, plan{})
		for _, public := range []bool{true, false} {
			b.public = public
			files, key := b.write(1)
			for name, g := range backends() {
				r := check(t, files, verify.Options{Key: key}.By(g))
				if !r.Holds() {
					t.Errorf("the %s held again, %s, public %v: %s", procedure, name, public, problems(r))
				}
				for _, id := range verify.SealedChecks() {
					if c := r.Check(id); c.Done == 0 && id != verify.CheckSealLeft && (procedure != "motion" || id != verify.CheckSealMixes) {
						t.Errorf("the %s: %s has looked at nothing", procedure, id)
					}
				}
			}
		}
	}
}

// What a ballot survives: wrong papers and shares are left out, late ones
// change nothing, trustees who do not do their part are not needed.
func TestSealedHoldsAllTheSame(t *testing.T) {
	all := &societies{t: t}
	all.get("election")
	all.get("motion")
	for _, x := range slices.Concat(unharmed(), changesUnharmed()) {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			b := all.get(x.procedure()).hold(t, x.plan)
			for name, g := range backends() {
				b.public = name == "plain"
				files, key := b.write(1)
				r := check(t, files, verify.Options{Key: key}.By(g))
				if !r.Holds() {
					t.Errorf("%s, public %v: %s", name, b.public, problems(r))
				}
				if x.check != "" && !strings.Contains(fmt.Sprint(r.Check(verify.CheckSealLeft).Notes), x.check) {
					t.Errorf("it is not said what is left out: %v", r.Check(verify.CheckSealLeft).Notes)
				}
			}
		})
	}
}

func TestSealedTampered(t *testing.T) {
	all := &societies{t: t}
	all.get("election")
	all.get("motion")
	was := debug.SetGCPercent(400) // many small elections, soon forgotten
	t.Cleanup(func() { debug.SetGCPercent(was) })
	for _, x := range corpus() {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			b := all.get(x.procedure()).hold(t, x.plan)
			var failed []string
			for name, g := range backends() {
				b.public = !x.full && name == "plain"
				files, key := b.write(1)
				r := check(t, files, verify.Options{Key: key}.By(g))
				if !slices.Contains(r.Failed(), x.check) {
					t.Errorf("%s, a %s bundle: not found by %q; failed: %v\n%s", name, r.Kind, x.check, r.Failed(), problems(r))
				}
				failed = append(failed, r.Failed()...)
				for _, id := range r.Failed() {
					if id != x.check && !slices.Contains(x.also, id) {
						t.Errorf("%s, a %s bundle: %s fails too: %v", name, r.Kind, id, r.Check(id).Problems)
					}
				}
			}
			for _, id := range x.also {
				if !slices.Contains(failed, id) {
					t.Errorf("%s does not fail with it", id)
				}
			}
		})
	}
}

// Each check is switched off, and the corpus gone through until an altered
// ballot goes unnoticed. If none does nobody would notice if the check were
// gone, or if what it finds were thrown away.
func TestTamperedNeedsEveryCheck(t *testing.T) {
	all := &societies{t: t}
	all.get("election")
	all.get("motion")
	for _, id := range verify.SealedChecks() {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			var noticed []string
			for _, x := range corpus() {
				if x.check != id || len(x.also) > 0 {
					continue // it is found by others anyway
				}
				b := all.get(x.procedure()).hold(t, x.plan)
				b.public = !x.full
				files, key := b.write(1)
				r := check(t, files, verify.Options{Key: key}.Without(id))
				if r.Holds() {
					t.Logf("without %q this goes unnoticed: %s", id, x.name)
					return
				}
				noticed = append(noticed, fmt.Sprintf("%s: %v", x.name, r.Failed()))
			}
			t.Errorf("without %q everything is noticed all the same:\n%s", id, strings.Join(noticed, "\n"))
		})
	}
}
