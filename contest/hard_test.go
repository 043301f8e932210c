package contest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/store"
)

// voting brings a house to an open ballot of three candidates.
func (h *house) voting() (ref string) {
	h.t.Helper()
	st := h.must(h.s.Call(h.ctx, proceeding.Begin{Procedure: "leadership", Office: "leader", By: as(h.officers[0])}))
	ref = st.Ref
	need := (len(h.mps)*15 + 99) / 100
	for i := range 3 * need {
		h.must(h.s.Do(h.ctx, ref, proceeding.Back{By: as(h.mps[i]), Candidate: h.mps[i/need]}))
	}
	for range 4 {
		if st = h.state(ref); st.OpenBallot() != nil {
			return ref
		}
		h.pass(st.Due())
	}
	h.t.Fatal("the ballot does not open")
	return ref
}

// dueBallot brings a contest to the moment at which its ballot is due.
func (h *house) dueBallot() (ref string) {
	st := h.must(h.s.Call(h.ctx, proceeding.Begin{Procedure: "leadership", Office: "leader", By: as(h.officers[0])}))
	need := (len(h.mps)*15 + 99) / 100
	for i := range 3 * need {
		h.must(h.s.Do(h.ctx, st.Ref, proceeding.Back{By: as(h.mps[i]), Candidate: h.mps[i/need]}))
	}
	for range 4 {
		st = h.state(st.Ref)
		if now := st.Now(); now.Name == "ballot" {
			break
		}
		if err := h.ch.MoveTo(h.ctx, h.clock, time.UnixMilli(st.Due()+1000)); err != nil {
			h.t.Fatal(err)
		}
		h.must(h.ch.Do(h.ctx, st.Ref, proceeding.Tick{}))
	}
	if err := h.ch.MoveTo(h.ctx, h.clock, time.UnixMilli(h.state(st.Ref).Now().Opens+1000)); err != nil {
		h.t.Fatal(err)
	}
	return st.Ref
}

// end closes the ballot by both officers.
func (h *house) end(ref string) *proceeding.State {
	h.t.Helper()
	h.pass(h.state(ref).OpenBallot().Closes)
	h.must(h.s.Close(h.ctx, ref, as(h.officers[0])))
	return h.must(h.s.Close(h.ctx, ref, as(h.officers[1])))
}

// The thief's test: in every file of the database, write-ahead log included,
// while the box is open and after it has been closed, there is no paper in the
// clear, no code, and no paper's id next to a voter; and after the close the
// encrypted papers are gone too.
func TestThiefOfTheDatabase(t *testing.T) {
	h := newHouse(t, "omov-2014", 20, 60)
	ref := h.voting()
	b := h.state(ref).OpenBallot()
	type cast struct {
		voter register.PersonID
		code  contest.Code
		plain []byte
	}
	var casts []cast
	for i, p := range h.members[:40] {
		c := cast{voter: p, code: contest.NewCode(), plain: []byte{'r', byte(i % 3), byte((i + 1) % 3), byte((i + 2) % 3)}}
		_, err := h.s.Cast(h.ctx, contest.Vote{Ref: ref, Person: p, Code: c.code, Paper: contest.Paper{Ranks: []int{i % 3, (i + 1) % 3, (i + 2) % 3}, Choice: -1}})
		if err != nil {
			t.Fatal(err)
		}
		casts = append(casts, c)
	}
	files := func() map[string][]byte {
		out := map[string][]byte{}
		names, err := filepath.Glob(filepath.Join(h.dir, "book.db*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			raw, err := os.ReadFile(n)
			if err != nil {
				continue // the folder of box keys
			}
			out[filepath.Base(n)] = raw
		}
		return out
	}
	open := files()
	if len(open["book.db-wal"]) == 0 {
		t.Fatal("the write-ahead log is empty: the test looks at nothing")
	}
	key, err := h.ch.Box.Load(b.ID, b.Key)
	if err != nil {
		t.Fatal(err)
	}
	private := []byte(key.Private())
	var sizes = map[int]bool{}
	err = h.ch.DB.Read(h.ctx, func(tx *store.Tx) error {
		for p, err := range tx.Papers(b.ID) {
			if err != nil {
				return err
			}
			sizes[len(p.Cipher)] = true
		}
		return nil
	})
	if err != nil || len(sizes) != 1 {
		t.Fatalf("papers have %d different sizes: %v", len(sizes), err)
	}
	for name, raw := range open {
		for _, c := range casts {
			for what, secret := range map[string][]byte{"a code": c.code[:], "a code in hex": []byte(hex.EncodeToString(c.code[:]))} {
				if bytes.Contains(raw, secret) {
					t.Errorf("%s holds %s", name, what)
				}
			}
		}
		if bytes.Contains(raw, private) {
			t.Errorf("%s holds the private half of the ballot's key", name)
		}
	}
	var sealed [][]byte
	err = h.ch.DB.Read(h.ctx, func(tx *store.Tx) error {
		for p, err := range tx.Papers(b.ID) {
			if err != nil {
				return err
			}
			sealed = append(sealed, bytes.Clone(p.Cipher[33:])) // behind the ephemeral key, which all share
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.inNoOrder(b.ID, b.Key)
	h.end(ref)
	for name, raw := range files() {
		for _, c := range sealed {
			if bytes.Contains(raw, c) {
				t.Errorf("after the close %s still holds an encrypted paper", name)
				break
			}
		}
	}
	if _, err := h.ch.Box.Load(b.ID, b.Key); err == nil {
		t.Error("the ballot's key is still there after the close")
	}
	h.replayed()
}

// inNoOrder wants the rows of the box in an order that has nothing to do with
// the order in which people voted: the i-th voter ranked option i%3 first.
func (h *house) inNoOrder(ballot, public string) {
	h.t.Helper()
	key, err := h.ch.Box.Load(ballot, public)
	if err != nil {
		h.t.Fatal(err)
	}
	same, opener := 0, key.Opener(ballot)
	var order []byte
	err = h.ch.DB.Read(h.ctx, func(tx *store.Tx) error {
		for p, err := range tx.Papers(ballot) {
			if err != nil {
				return err
			}
			plain, err := opener.Open(p.Section, p.Cipher)
			if err != nil {
				return err
			}
			order = append(order, plain[1])
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	for i, first := range order {
		if int(first) == i%3 {
			same++
		}
	}
	if same == len(order) {
		h.t.Error("the box lists papers in the order in which they came")
	}
}

// Many requests of one voter at once, with one code and with many: one paper
// is in the box.
func TestOnePaperAVoter(t *testing.T) {
	h := newHouse(t, "omov-2014", 20, 20)
	ref := h.voting()
	code := contest.NewCode()
	var wg sync.WaitGroup
	var receipts sync.Map
	var refused atomic.Int64
	for i := range 40 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c := code
			if i%2 == 1 {
				c = contest.NewCode()
			}
			r, err := h.s.Cast(h.ctx, contest.Vote{Ref: ref, Person: h.members[0], Code: c, Paper: contest.Paper{Ranks: []int{i % 3}, Choice: -1}})
			switch {
			case err == nil:
				receipts.Store(r.Code, true)
			case fault.Is(err, fault.Already):
				refused.Add(1)
			default:
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	n := 0
	receipts.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d different receipts for one voter; %d requests were refused", n, refused.Load())
	}
	st := h.end(ref)
	if got := st.Ballots[0].Returned[0].Papers; got != 1 {
		t.Errorf("%d papers in the box, want 1", got)
	}
}

// Two officers, and two windows of one of them, close at the same moment: the
// ballot is closed and counted once.
func TestClosingAtOnce(t *testing.T) {
	h := newHouse(t, "omov-2014", 20, 30)
	ref := h.voting()
	for i, p := range h.members {
		if err := h.cast(ref, p, i%3); err != nil {
			t.Fatal(err)
		}
	}
	h.pass(h.state(ref).OpenBallot().Closes)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, err := h.s.Close(h.ctx, ref, as(h.officers[i%2]))
			if err != nil && !fault.Is(err, fault.Already) && !fault.Is(err, fault.TooLate) && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.TooEarly) {
				t.Errorf("closing: %v", err)
			}
		}()
	}
	wg.Wait()
	if err := h.s.Recover(h.ctx); err != nil {
		t.Fatal(err)
	}
	st := h.state(ref)
	if st.Phase != proceeding.Ended || len(st.Ballots) != 1 || st.Ballots[0].Returned[0].Papers != 30 {
		t.Fatalf("%s, %d ballots", st.Phase, len(st.Ballots))
	}
	h.replayed()
}

// A server killed between a voter's confirm and the page: what was
// acknowledged is there, once, and a request that is repeated gets its
// receipt.
func TestKilledServer(t *testing.T) {
	if os.Getenv("OMOV_VOTING_CHILD") != "" {
		votingChild(t)
		return
	}
	rounds := 10
	if os.Getenv("OMOV_SOAK") != "" {
		rounds = 60
	}
	h := newHouse(t, "omov-2014", 20, 4000)
	ref := h.voting()
	h.ch.Close()
	acked := map[int64]string{}
	for round := range rounds {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledServer$")
		cmd.Env = append(os.Environ(), "OMOV_VOTING_CHILD="+h.dir, "OMOV_VOTING_REF="+ref, fmt.Sprintf("OMOV_VOTING_ROUND=%d", round))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		seen := 0
		for lines.Scan() {
			f := strings.Fields(lines.Text())
			if len(f) != 3 || f[0] != "acknowledged" {
				continue
			}
			n, _ := strconv.ParseInt(f[1], 10, 64)
			acked[n] = f[2]
			if seen++; seen == 30+17*round {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
		if seen == 0 {
			t.Fatal("the server took no vote")
		}
	}
	h.reopen()
	marked, papers := 0, 0
	ballot := h.state(ref).OpenBallot().ID
	err := h.ch.DB.Read(h.ctx, func(tx *store.Tx) error {
		for m, err := range tx.Marked(ballot) {
			if err != nil {
				return err
			}
			delete(acked, m.Voter)
			marked++
		}
		n, err := tx.CountPapers(ballot)
		for _, k := range n {
			papers += int(k)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(acked) > 0 {
		t.Errorf("%d acknowledged votes are lost", len(acked))
	}
	if marked != papers {
		t.Errorf("%d voters are marked and %d papers are in the box", marked, papers)
	}
	st := h.end(ref)
	if got := st.Ballots[0].Returned[0].Papers; int(got) != papers || st.Phase != proceeding.Ended {
		t.Errorf("%d papers counted, %d were in the box", got, papers)
	}
	h.replayed()
}

// votingChild votes with everybody who has not voted yet, from many callers,
// and says each acknowledgement, until it is killed.
func votingChild(t *testing.T) {
	ctx := context.Background()
	dir, ref := os.Getenv("OMOV_VOTING_CHILD"), os.Getenv("OMOV_VOTING_REF")
	ch, _, err := chamber.OpenDemo(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: filepath.Join(dir, "box")})
	if err != nil {
		t.Fatal(err)
	}
	s := contest.New(ch)
	var wg sync.WaitGroup
	var out sync.Mutex
	next := make(chan int64)
	for range 16 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for p := range next {
				r, err := s.Cast(ctx, contest.Vote{Ref: ref, Person: register.PersonID(p), Code: contest.NewCode(), Paper: contest.Paper{Ranks: []int{int(p) % 3}, Choice: -1}})
				if err == nil {
					out.Lock()
					fmt.Printf("acknowledged %d %s\n", p, r.Code)
					out.Unlock()
				}
			}
		}()
	}
	for p := int64(21); p < 4000; p++ {
		next <- p
	}
	close(next)
	wg.Wait()
	time.Sleep(time.Minute)
}

func (h *house) reopen() {
	h.t.Helper()
	ch, clock, err := chamber.OpenDemo(h.ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(h.dir, "book.db")}, Keys: filepath.Join(h.dir, "box")})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { ch.Close() })
	h.ch, h.clock, h.s = ch, clock, contest.New(ch)
}

// A ballot that many open at once (a duty, and whoever asks at that moment)
// is opened once, and the key that the book names is the one that is kept.
func TestOpeningAtOnce(t *testing.T) {
	h := newHouse(t, "omov-2014", 20, 30)
	ref := h.dueBallot()
	var wg sync.WaitGroup
	for range 6 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if _, err := h.ch.OpenDue(h.ctx, ref); err != nil && !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	b := h.state(ref).OpenBallot()
	if b == nil || b.Round != 1 {
		t.Fatalf("%+v", b)
	}
	if _, err := h.ch.Box.Load(b.ID, b.Key); err != nil {
		t.Fatal(err)
	}
	for i, p := range h.members {
		if err := h.cast(ref, p, i%3); err != nil {
			t.Fatal(err)
		}
	}
	if st := h.end(ref); st.Ballots[0].Returned[0].Papers != 30 {
		t.Fatalf("%d papers", st.Ballots[0].Returned[0].Papers)
	}
}
