package demo

import (
	"context"
	"sync"
	"time"

	"github.com/omov/omov/contest"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
)

// voters is the most who vote in a contest of the demo, so that founding a
// demo of a million takes minutes and not an hour.
const voters = 20_000

func as(p register.PersonID) proceeding.Actor { return proceeding.Actor{Person: p} }

// voting runs the contest for the leader's office from the call until the votes
// are in.
func (h *house) voting(ctx context.Context) error {
	h.o.Progress("a leadership contest, from call to declaration", 0, 1)
	ref, err := h.call(ctx, "leader")
	if err != nil {
		return err
	}
	if err := h.nominate(ctx, ref, []int{0, 1, 2, 3}, []int{16, 14, 13, 10}); err != nil {
		return err
	}
	if err := h.secondGate(ctx, ref, []int{0, 1, 2}); err != nil {
		return err
	}
	if h.closes, err = h.untilBallot(ctx, ref); err != nil {
		return err
	}
	h.decides = ref
	if err := h.vote(ctx, ref, 65, []int{38, 34, 28}); err != nil {
		return err
	}
	for i, office := range []string{"general_secretary", "deputy_secretary"} {
		if _, err := h.s.CommitLot(ctx, ref, as(h.staff[i]), office); err != nil {
			return err
		}
	}
	return nil
}

// declared closes it when its time is over.
func (h *house) declared(ctx context.Context) error {
	if err := h.at(ctx, h.closes.Add(2*time.Hour)); err != nil {
		return err
	}
	for i := range 2 {
		if _, err := h.s.Close(ctx, h.decides, as(h.staff[i])); err != nil {
			return err
		}
	}
	return nil
}

// openBallot calls the contest for the deputy's office so that its ballot is
// open now, with some of the votes in.
func (h *house) openBallot(ctx context.Context) error {
	h.o.Progress("a contest whose ballot is open", 0, 1)
	if err := h.at(ctx, h.start.Add(life-54*24*time.Hour)); err != nil {
		return err
	}
	ref, err := h.call(ctx, "deputy_leader")
	if err != nil {
		return err
	}
	if err := h.nominate(ctx, ref, []int{10, 11, 12, 13, 14}, []int{9, 8, 8, 7, 7}); err != nil {
		return err
	}
	if err := h.secondGate(ctx, ref, []int{10, 11, 12, 13}); err != nil {
		return err
	}
	if _, err := h.untilBallot(ctx, ref); err != nil {
		return err
	}
	if err := h.at(ctx, h.clock.Now().Add(3*24*time.Hour)); err != nil {
		return err
	}
	return h.vote(ctx, ref, 22, []int{30, 28, 22, 20})
}

// collecting lets the leader resign and calls the contest that follows.
func (h *house) collecting(ctx context.Context) error {
	h.o.Progress("a contest that collects nominations", 0, 1)
	now := h.start.Add(life)
	if err := h.at(ctx, now.Add(-3*24*time.Hour)); err != nil {
		return err
	}
	if err := h.reg.Vacate(ctx, "leader", 0, "resigned"); err != nil {
		return err
	}
	if err := h.at(ctx, now.Add(-2*24*time.Hour)); err != nil {
		return err
	}
	ref, err := h.call(ctx, "leader")
	if err != nil {
		return err
	}
	if err := h.nominate(ctx, ref, []int{4, 5, 6}, []int{7, 4, 2}); err != nil {
		return err
	}
	return h.at(ctx, now)
}

func (h *house) call(ctx context.Context, office string) (string, error) {
	st, err := h.s.Call(ctx, proceeding.Begin{Procedure: "leadership", Office: office, Cause: "vacancy", By: as(h.staff[0])})
	if err != nil {
		return "", err
	}
	return st.Ref, nil
}

// nominate lets MPs nominate: candidate i is proposed by so many of them.
func (h *house) nominate(ctx context.Context, ref string, candidates, support []int) error {
	if err := h.at(ctx, h.clock.Now().Add(26*time.Hour)); err != nil {
		return err
	}
	mp := 0
	for i, c := range candidates {
		for range support[i] {
			if _, err := h.s.Do(ctx, ref, proceeding.Back{By: as(h.mps[mp]), Candidate: h.mps[c]}); err != nil {
				return err
			}
			mp++
		}
		if i%2 == 0 {
			answer := proceeding.Answer{By: as(h.mps[c]), Accept: true, Statement: statement(i)}
			if _, err := h.s.Do(ctx, ref, answer); err != nil {
				return err
			}
		}
	}
	return nil
}

func statement(i int) string {
	return []string{
		"Every decision that binds members should be one that members can read, follow and undo. I will open the books of this party, and keep them open.",
		"", "A party is its branches. I will give them the means to act, and then ask them what to do.",
		"", "Rivers bring people together. So should we: fewer panels, more meetings, and minutes that anybody can read.",
	}[i]
}

// secondGate lets constituency parties and affiliates nominate.
func (h *house) secondGate(ctx context.Context, ref string, candidates []int) error {
	if err := h.untilStage(ctx, ref, "second_gate"); err != nil {
		return err
	}
	if err := h.at(ctx, h.clock.Now().Add(5*24*time.Hour)); err != nil {
		return err
	}
	for i := range 40 {
		c := candidates[i%len(candidates)]
		if i%8 == 7 {
			continue // its meeting had no majority
		}
		b := proceeding.Back{By: as(h.clp[i]), Unit: h.seats[i], Candidate: h.mps[c], Yes: int64(20 + i%17), No: int64(5 + i%11)}
		if _, err := h.s.Do(ctx, ref, b); err != nil {
			return err
		}
	}
	for i := range affiliates - 3 {
		if _, err := h.s.Do(ctx, ref, proceeding.Back{By: as(h.aff[i]), Unit: h.affil[i], Candidate: h.mps[candidates[i%2]]}); err != nil {
			return err
		}
	}
	return nil
}

// untilStage lets time pass until a stage is open.
func (h *house) untilStage(ctx context.Context, ref, stage string) error {
	for range 20 {
		st, _, err := h.s.State(ctx, ref)
		if err != nil {
			return err
		}
		if now := st.Now(); now != nil && now.Name == stage && now.Status == proceeding.Open {
			return nil
		}
		if err := h.at(ctx, time.UnixMilli(st.Due()).Add(time.Second)); err != nil {
			return err
		}
		if _, err := h.s.Due(ctx); err != nil {
			return err
		}
	}
	return nil
}

// untilBallot lets time pass until the ballot is open, and gives when it
// closes.
func (h *house) untilBallot(ctx context.Context, ref string) (time.Time, error) {
	if err := h.untilStage(ctx, ref, "ballot"); err != nil {
		return time.Time{}, err
	}
	st, _, err := h.s.State(ctx, ref)
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(st.OpenBallot().Closes), nil
}

// vote lets so many in a hundred of those who may vote do so; weights say how
// likely each option is to be ranked first.
func (h *house) vote(ctx context.Context, ref string, percent int, weights []int) error {
	list := h.members
	if len(list)*percent/100 > voters {
		list = list[:voters*100/percent]
	}
	type job struct {
		p     register.PersonID
		ranks []int
	}
	jobs := make(chan job, 256)
	var wg sync.WaitGroup
	for range 64 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := range jobs {
				// Who is not on the roll is refused, as they would be.
				_, _ = h.s.Cast(ctx, contest.Vote{Ref: ref, Person: j.p, Paper: contest.Paper{Ranks: j.ranks, Choice: -1}, Code: contest.NewCode()})
			}
		}()
	}
	for i, p := range list {
		if i > 30 && h.rnd.IntN(100) < percent { // the first few are for visitors
			jobs <- job{p, h.ranking(weights)}
		}
		if i%2_000 == 0 {
			h.o.Progress("votes", i, len(list))
		}
	}
	close(jobs)
	wg.Wait()
	return ctx.Err()
}

func (h *house) ranking(weights []int) []int {
	left := append([]int{}, weights...)
	n := 1 + h.rnd.IntN(len(weights))
	var out []int
	for len(out) < n {
		sum := 0
		for _, w := range left {
			sum += w
		}
		at := h.rnd.IntN(sum)
		for i, w := range left {
			if at < w {
				out = append(out, i)
				left[i] = 0
				break
			}
			at -= w
		}
	}
	return out
}
