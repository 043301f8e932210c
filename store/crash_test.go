package store_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/omov/omov/minutes"
	"github.com/omov/omov/store"
	"github.com/omov/omov/store/pgtest"
	"github.com/omov/omov/store/storetest"
)

// childVariable makes this test binary a server that writes until it is
// killed.
const childVariable = "OMOV_STORE_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		child()
		return
	}
	storetest.Main(m)
}

// child writes vote after vote from several goroutines, and says which was
// acknowledged only after the store has said so.
func child() {
	from, err := strconv.ParseInt(os.Getenv("OMOV_STORE_FROM"), 10, 64)
	if err != nil {
		panic(err)
	}
	db, err := store.Open(context.Background(), store.Options{DSN: os.Getenv(childVariable), Checkpoint: os.Getenv("OMOV_STORE_CHECKPOINT")})
	if err != nil {
		panic(err)
	}
	var next atomic.Int64
	next.Store(from)
	var done sync.WaitGroup
	for range 16 {
		done.Go(func() {
			for {
				n := next.Add(1)
				if err := db.Write(context.Background(), func(tx *store.Tx) error { return vote(tx, n) }); err != nil {
					panic(err)
				}
				fmt.Println(n) // one write to the pipe each, whole
			}
		})
	}
	done.Wait()
}

// vote writes one thing in two places.
func vote(tx *store.Tx, n int64) error {
	if _, err := tx.Mark("b", "s", n); err != nil {
		return err
	}
	_, err := tx.Append(entry(int(n)))
	return err
}

// rounds is how often something is killed: ten times in make test, more in
// make soak.
func rounds(few, many int) int {
	if os.Getenv("OMOV_SOAK") != "" {
		return many
	}
	return few
}

// A server is killed while it writes. What it had acknowledged is there,
// once; what it had not is there whole or not at all; the log goes on.
func TestKilledServer(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		acknowledged, from := map[int64]bool{}, int64(0)
		for range rounds(10, 60) {
			from = killed(t, o, from, acknowledged)
			db, err := store.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			checkVotes(t, db, acknowledged)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%d acknowledged", len(acknowledged))
	})
}

// killed runs a child for a while, kills it, and gives the highest number it
// can have used.
func killed(t *testing.T, o store.Options, from int64, acknowledged map[int64]bool) int64 {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+o.DSN, "OMOV_STORE_CHECKPOINT="+o.Checkpoint, fmt.Sprint("OMOV_STORE_FROM=", from))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for first := true; lines.Scan(); first = false {
		if first {
			time.AfterFunc(time.Duration(5+rand.IntN(100))*time.Millisecond, func() { cmd.Process.Kill() })
		}
		n, err := strconv.ParseInt(lines.Text(), 10, 64)
		if err != nil {
			break // the last line, cut off
		}
		acknowledged[n] = true
		from = max(from, n)
	}
	cmd.Wait() // reports the kill
	return from + 1000
}

// checkVotes compares marks, entries and what was acknowledged.
func checkVotes(t *testing.T, db *store.DB, acknowledged map[int64]bool) {
	t.Helper()
	read(t, db, func(tx *store.Tx) error {
		entries, marks := map[int64]int{}, 0
		err := tx.Minutes(1, func(m minutes.Minute) error {
			var body struct {
				N int64 `json:"n"`
			}
			err := minutes.Decode(m.Body, &body)
			entries[body.N]++
			return err
		})
		if err != nil {
			return err
		}
		for v, err := range tx.Marked("b") {
			if err != nil {
				return err
			}
			if entries[v.Voter] != 1 {
				t.Errorf("vote %d is marked and has %d entries", v.Voter, entries[v.Voter])
			}
			marks++
		}
		if marks != len(entries) {
			t.Errorf("%d marks, %d entries", marks, len(entries))
		}
		for n := range acknowledged {
			if entries[n] != 1 {
				t.Errorf("vote %d was acknowledged and is there %d times", n, entries[n])
			}
		}
		return checkLog(t, tx, int64(len(entries)))
	})
}

// The database server is killed while nodes write, and started again. The
// nodes go on by themselves; every answer they gave was true.
func TestKilledDatabase(t *testing.T) {
	ctx := t.Context()
	server, err := pgtest.Start(ctx, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	o := store.Options{DSN: server.DSN("postgres"), Checkpoint: t.TempDir() + "/checkpoint"}
	db := storetest.Open(t, o)
	var mu sync.Mutex
	acknowledged := map[int64]bool{}
	var next, failed atomic.Int64
	stop := make(chan struct{})
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				n := next.Add(1)
				if err := db.Write(context.Background(), func(tx *store.Tx) error { return vote(tx, n) }); err != nil {
					failed.Add(1)
					time.Sleep(time.Millisecond)
					continue
				}
				mu.Lock()
				acknowledged[n] = true
				mu.Unlock()
			}
		})
	}
	for range rounds(3, 30) {
		time.Sleep(time.Duration(100+rand.IntN(200)) * time.Millisecond)
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := server.Restart(ctx, true); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(200 * time.Millisecond)
	close(stop)
	done.Wait()
	t.Logf("%d acknowledged, %d refused", len(acknowledged), failed.Load())
	checkVotes(t, db, acknowledged)
}

// Two nodes write to one PostgreSQL database, each through its own writer.
func TestTwoNodes(t *testing.T) {
	o := storetest.Postgres(t)
	other := o
	other.Checkpoint = t.TempDir() + "/other"
	nodes := []*store.DB{storetest.Open(t, o), storetest.Open(t, other)}
	acknowledged := map[int64]bool{}
	var done sync.WaitGroup
	for i := range int64(400) {
		acknowledged[i] = true
		done.Go(func() {
			if err := nodes[i%2].Write(context.Background(), func(tx *store.Tx) error { return vote(tx, i) }); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	checkVotes(t, nodes[0], acknowledged)
	for _, db := range nodes {
		if _, err := db.Checkpoint(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
