package contest_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/store"
)

// crowd enters n more members, without particulars.
func (h *house) crowd(b *testing.B, n int) []register.PersonID {
	b.Helper()
	var terms map[string]register.Term
	if err := h.ch.Read(h.ctx, func(w *chamber.World) error { terms = w.Terms(); return nil }); err != nil {
		b.Fatal(err)
	}
	var all []register.PersonID
	joined, paid := time.Now().AddDate(-5, 0, 0), time.Now().AddDate(1, 0, 0).Unix()/86400
	for len(all) < n {
		list := make([]registry.NewPerson, min(100_000, n-len(all)))
		for i := range list {
			since := joined.AddDate(0, 0, i%1900).Unix()
			list[i].Changes = []register.Change{
				{Aspect: register.Belongs, Name: terms["member"], Unit: h.seats[i%len(h.seats)], From: since},
				{Aspect: register.Fact, Name: terms["on_electoral_register"], Value: int64(min(i%20, 1)), From: since},
				{Aspect: register.Fact, Name: terms["paid_to"], Value: paid - int64(i%500), From: since},
			}
		}
		ids, err := h.reg.Enter(h.ctx, list, "", nil)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, ids...)
	}
	return all
}

// The roll of a million with a reason for each: computed, salted, hashed,
// entered in the minute book and durable.
func BenchmarkFreeze1M(b *testing.B) {
	var took time.Duration
	for b.Loop() {
		b.StopTimer()
		h := newHouseB(b, "omov-2014", 20, 100)
		h.crowd(b, 1_000_000)
		ref := h.dueBallot()
		b.StartTimer()
		begun := time.Now()
		st, err := h.ch.OpenDue(h.ctx, ref)
		took += time.Since(begun)
		if err != nil || st == nil || st.OpenBallot() == nil {
			b.Fatalf("%v", err)
		}
		var n int64
		for _, s := range st.OpenBallot().Roll.Sections[0].Stopped {
			n += s.People
		}
		if n+st.OpenBallot().Roll.Sections[0].Entitled < 1_000_000 {
			b.Fatalf("only %d people are on the roll", n+st.OpenBallot().Roll.Sections[0].Entitled)
		}
	}
	b.ReportMetric(took.Seconds()/float64(b.N), "s")
}

// Papers taken in through the use case: entitled by the roll, checked, sealed,
// marked, stored, durable; 64 callers.
func BenchmarkCast64(b *testing.B) {
	h := newHouseB(b, "omov-2014", 20, 100)
	voters := h.crowd(b, 200_000)
	ref := h.dueBallot()
	st, err := h.ch.OpenDue(h.ctx, ref)
	if err != nil || st == nil {
		b.Fatal(err)
	}
	var next, taken atomic.Int64
	b.SetParallelism(32) // of two cores
	b.ResetTimer()
	begun := time.Now()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := next.Add(1)
			if int(i) >= len(voters) {
				continue
			}
			_, err := h.s.Cast(h.ctx, contest.Vote{Ref: ref, Person: voters[i], Code: contest.NewCode(), Paper: contest.Paper{Ranks: []int{int(i % 3), int(i+1) % 3}, Choice: -1}})
			if err == nil {
				taken.Add(1)
			}
		}
	})
	b.ReportMetric(float64(taken.Load())/time.Since(begun).Seconds(), "papers/s")
}

// The memory of a server with 600,000 members, after a roll has been frozen
// and people have looked at their standing: the most it ever had.
func BenchmarkMemory600k(b *testing.B) {
	if dir := os.Getenv("OMOV_MEMORY_CHILD"); dir != "" {
		return
	}
	for b.Loop() {
		b.StopTimer()
		h := newHouseB(b, "omov-2014", 20, 100)
		h.crowd(b, 600_000)
		ref := h.dueBallot()
		h.ch.Close()
		b.StartTimer()
		cmd := exec.Command(os.Args[0], "-test.run", "^TestMemoryChild$", "-test.v")
		cmd.Env = append(os.Environ(), "OMOV_MEMORY_CHILD="+h.dir, "OMOV_MEMORY_REF="+ref)
		out, err := cmd.CombinedOutput()
		if err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		for line := range strings.Lines(string(out)) {
			if v, ok := strings.CutPrefix(strings.TrimSpace(line), "peak MiB "); ok {
				n, _ := strconv.ParseFloat(v, 64)
				b.ReportMetric(n, "MiB")
			}
		}
	}
}

// TestMemoryChild is the server of BenchmarkMemory600k.
func TestMemoryChild(t *testing.T) {
	dir, ref := os.Getenv("OMOV_MEMORY_CHILD"), os.Getenv("OMOV_MEMORY_REF")
	if dir == "" {
		t.Skip("only as the child of BenchmarkMemory600k")
	}
	ctx := context.Background()
	ch, _, err := chamber.OpenDemo(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: filepath.Join(dir, "box")})
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	s := contest.New(ch)
	if _, err := ch.OpenDue(ctx, ref); err != nil {
		t.Fatal(err)
	}
	for p := register.PersonID(200); p < 600_000; p += 601 {
		if _, err := s.Standings(ctx, ref, p); err != nil {
			t.Fatal(err)
		}
		_, _ = s.Cast(ctx, contest.Vote{Ref: ref, Person: p, Code: contest.NewCode(), Paper: contest.Paper{Ranks: []int{0}, Choice: -1}})
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("the memory of a process is read from /proc")
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			kb, _ := strconv.ParseInt(f[1], 10, 64)
			fmt.Printf("peak MiB %d\n", kb/1024)
		}
	}
}
