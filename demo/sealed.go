package demo

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
)

// In the sealed ballot the server is the only trustee, and makes the voting
// codes: trustees whose keys the demo played would only look like more. Its pages
// say what is lost by that.

// sealers is the most who cast a sealed paper in the demo.
const sealers = 1_500

// calls is when in the demo's life it is called: nominations take eight weeks,
// notice one, and the ballot four.
const calls = 72 * 24 * time.Hour

// byElection calls the election for the two vacant places on the executive, so
// that its ballot is open when the visitor comes.
func (h *house) byElection(ctx context.Context) error {
	h.o.Progress("an election by sealed ballot", 0, 1)
	if err := h.at(ctx, h.start.Add(calls)); err != nil {
		return err
	}
	st, err := h.s.Call(ctx, proceeding.Begin{Procedure: "executive_election", Office: "executive_member", Cause: "vacancy", By: as(h.staff[0])})
	if err != nil {
		return err
	}
	h.sealed = st.Ref
	if err := h.at(ctx, h.clock.Now().Add(26*time.Hour)); err != nil {
		return err
	}
	for i := range 20 { // four candidates, each of five constituency parties
		b := proceeding.Back{By: as(h.clp[i]), Unit: h.seats[i], Candidate: h.clp[30+i%4], Yes: int64(25 + i%13), No: int64(4 + i%7)}
		if _, err := h.s.Do(ctx, h.sealed, b); err != nil {
			return err
		}
	}
	for i := range 4 {
		answer := proceeding.Answer{By: as(h.clp[30+i]), Accept: true, Statement: sealedStatement(i)}
		if _, err := h.s.Do(ctx, h.sealed, answer); err != nil {
			return err
		}
	}
	return nil
}

func sealedStatement(i int) string {
	return []string{"Minutes of the executive within a week, for everybody.", "", "A seat is not a reward. I will ask the awkward questions.", "Money to the branches."}[i]
}

// sealedPapers lets the sealed ballot open and part of the members vote, a few
// of them twice.
func (h *house) sealedPapers(ctx context.Context) error {
	closes, err := h.untilBallot(ctx, h.sealed)
	if err != nil {
		return err
	}
	if now := h.start.Add(life); closes.Before(now.Add(24 * time.Hour)) {
		return fault.New(fault.Internal, "the demo's sealed ballot closes on %v, before the visitor comes", closes)
	}
	given, err := h.s.SealedSeat(ctx, h.sealed, h.clp[0], 0, "")
	if err != nil {
		return err
	}
	b := &booth{h: h, g: ristretto.New()}
	if b.m, err = sealed.DecodeManifest([]byte(given.Manifest)); err != nil {
		return err
	}
	if b.hash, err = b.m.Hash(); err != nil {
		return err
	}
	type job struct {
		p     register.PersonID
		marks [][]int // the last counts
	}
	jobs := make(chan job, 64)
	failed := make(chan error, 1)
	var wg sync.WaitGroup
	for range 32 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := range jobs {
				for _, m := range j.marks {
					if err := b.vote(ctx, j.p, m); err != nil && !fault.Is(err, fault.NotEntitled) {
						select {
						case failed <- err:
						default:
						}
					}
				}
			}
		}()
	}
	cast := 0
	for i, p := range h.members {
		if i <= 30 || h.rnd.IntN(100) >= 35 || cast == sealers { // the first few are for visitors
			continue
		}
		cast++
		j := job{p: p, marks: [][]int{h.twoOf(4)}}
		if h.rnd.IntN(25) == 0 {
			j.marks = append(j.marks, h.twoOf(4))
		}
		jobs <- j
	}
	close(jobs)
	wg.Wait()
	select {
	case err := <-failed:
		return fmt.Errorf("a paper of the demo was not taken: %w", err)
	default:
		return ctx.Err()
	}
}

// twoOf marks one or two of so many.
func (h *house) twoOf(n int) []int {
	out := make([]int, n)
	out[min(h.rnd.IntN(n+1), n-1)] = 1
	out[h.rnd.IntN(n)] = 1
	return out
}

// booth is where simulated members seal their papers, as the voter's page does.
type booth struct {
	h    *house
	g    *ristretto.Group
	m    *sealed.Manifest
	hash [32]byte
}

// vote seals and casts one paper. Who is not on the roll is refused, as they
// would be.
func (b *booth) vote(ctx context.Context, p register.PersonID, marks []int) error {
	given, err := b.h.s.SealedSeat(ctx, b.h.sealed, p, 0, "")
	if err != nil {
		return err
	}
	code, err := sealed.ReadCode(given.Code)
	if err != nil {
		return err
	}
	key := code.Key(b.hash, given.Section)
	seat, err := b.h.s.SealedCredential(ctx, b.h.sealed, key.Public(b.g))
	if err != nil {
		return err
	}
	x := &sealed.Ballot{Group: b.g, Manifest: b.m, Contest: given.Contest, Section: given.Section, Sequence: uint32(seat.Sequence) + 1}
	for _, f := range []struct {
		to   []byte
		text string
	}{{x.Key[:], given.Key}, {x.Previous[:], seat.Previous}} {
		raw, err := hex.DecodeString(f.text)
		if err != nil || copy(f.to, raw) != 32 {
			return fault.New(fault.Damaged, "the demo's sealed ballot gives what is no key: %q", f.text)
		}
	}
	raw, _, err := x.Seal(marks, key)
	if err != nil {
		return err
	}
	_, err = b.h.s.SealedPost(ctx, b.h.sealed, raw)
	return err
}
