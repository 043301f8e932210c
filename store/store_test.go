package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/store"
	"github.com/omov/omov/store/storetest"
	"github.com/omov/omov/tiles"
)

func entry(n int) minutes.Entry {
	return minutes.Entry{Kind: "test.happened/1", Access: minutes.Public, Proceeding: "2026-T-001", Body: map[string]int{"n": n}}
}

func write(t testing.TB, db *store.DB, fn func(*store.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, db *store.DB, fn func(*store.Tx) error) {
	t.Helper()
	if err := db.Read(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func wantKind(t testing.TB, err error, k fault.Kind) {
	t.Helper()
	if !fault.Is(err, k) {
		t.Errorf("got %v; want a refusal of kind %s", err, k)
	}
}

func TestAppendAndRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const n = 700
		var written []minutes.Minute
		write(t, db, func(tx *store.Tx) error {
			written = written[:0]
			for i := range n {
				e := entry(i)
				if i%3 == 1 {
					e.Access = minutes.Officers
					e.Particulars = []minutes.Particular{{Person: int64(i), Salt: []byte{1}, Cipher: []byte{2, 3}}}
				}
				m, err := tx.Append(e)
				if err != nil {
					return err
				}
				written = append(written, m)
			}
			// What has been appended can be read within the transaction.
			m, err := tx.Minute(5)
			if err != nil || m.Seq != 5 {
				return fmt.Errorf("%+v, %w", m, err)
			}
			return nil
		})
		read(t, db, func(tx *store.Tx) error {
			i := 0
			err := tx.Minutes(1, func(m minutes.Minute) error {
				if fmt.Sprint(m) != fmt.Sprint(written[i]) {
					t.Fatalf("entry %d came back as\n%+v\nwant\n%+v", i+1, m, written[i])
				}
				i++
				return nil
			})
			if i != n {
				t.Errorf("%d entries came back", i)
			}
			if err != nil {
				return err
			}
			_, err = tx.Minute(n + 1)
			wantKind(t, err, fault.NotFound)
			return checkLog(t, tx, n)
		})
	})
}

// checkLog compares the log with the minutes: leaves, tiles, root, a proof.
func checkLog(t *testing.T, tx *store.Tx, size int64) error {
	t.Helper()
	h, err := tx.Head()
	if err != nil {
		return err
	}
	if h.Seq != size {
		t.Errorf("the head is at %d; want %d", h.Seq, size)
	}
	root, err := tiles.RootAt(tx, size)
	if err != nil || root != h.Root {
		t.Errorf("the tiles give root %v, %v; the head %v", root, err, h.Root)
	}
	var leaves [][]byte
	for n := int64(0); n*tiles.Width < size; n++ {
		b, err := tx.Entries(n, tiles.WidthAt(size, 0, n))
		if err != nil {
			return err
		}
		ls, err := tiles.SplitBundle(b)
		if err != nil {
			return err
		}
		leaves = append(leaves, ls...)
	}
	err = tx.Minutes(1, func(m minutes.Minute) error { return m.CheckLeaf(leaves[m.Seq-1]) })
	if err != nil {
		return err
	}
	p, err := tiles.Inclusion(tx, size, size/2)
	if err != nil {
		return err
	}
	return tiles.CheckInclusion(p, size, h.Root, size/2, tiles.LeafHash(leaves[size/2]))
}

func TestPage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(tx *store.Tx) error {
			for i := range 20 {
				e := entry(i)
				if i%2 == 1 {
					e.Access, e.Proceeding = minutes.Members, ""
				}
				if _, err := tx.Append(e); err != nil {
					return err
				}
			}
			return nil
		})
		for _, c := range []struct {
			q    store.Query
			want string
		}{
			{store.Query{Limit: 3}, "[20 19 18]"},
			{store.Query{Limit: 3, Before: 18}, "[17 16 15]"},
			{store.Query{Limit: 2, Access: []minutes.Access{minutes.Public}}, "[19 17]"},
			{store.Query{Limit: 2, Access: []minutes.Access{minutes.Public, minutes.Members}, Before: 20}, "[19 18]"},
			{store.Query{Limit: 2, Proceeding: "2026-T-001", Bodies: true}, "[19 17]"},
			{store.Query{Proceeding: "none"}, "[]"},
		} {
			read(t, db, func(tx *store.Tx) error {
				ms, err := tx.Page(c.q)
				seqs := []int64{}
				for _, m := range ms {
					seqs = append(seqs, m.Seq)
					if (m.Body != nil) != c.q.Bodies {
						t.Errorf("%+v: body %q", c.q, m.Body)
					}
				}
				if got := fmt.Sprint(seqs); got != c.want {
					t.Errorf("%+v gave %s; want %s", c.q, got, c.want)
				}
				return err
			})
		}
	})
}

// One refused, failing or panicking function never touches the others of its
// batch.
func TestBatchesKeepFailuresApart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const callers, each = 16, 20
		refusal := fault.New(fault.TooLate, "too late")
		var done sync.WaitGroup
		for c := range callers {
			done.Go(func() {
				for i := range each {
					n := c*each + i
					err := db.Write(context.Background(), func(tx *store.Tx) error {
						switch n % 5 {
						case 1:
							return refusal
						case 2:
							if _, err := tx.Append(entry(-n)); err != nil {
								return err
							}
							return refusal
						case 3:
							if _, err := tx.Mark("b", "s", 1_000_000+int64(n)); err != nil {
								return err
							}
							panic("a mistake")
						}
						if _, err := tx.Mark("b", "s", int64(n)); err != nil {
							return err
						}
						_, err := tx.Append(entry(n))
						return err
					})
					switch n % 5 {
					case 1, 2:
						if !errors.Is(err, refusal) {
							t.Errorf("call %d: %v", n, err)
						}
					case 3:
						wantKind(t, err, fault.Internal)
					default:
						if err != nil {
							t.Errorf("call %d: %v", n, err)
						}
					}
				}
			})
		}
		done.Wait()
		want := int64(callers * each * 2 / 5)
		read(t, db, func(tx *store.Tx) error {
			n, err := tx.CountMarked("b")
			if n["s"] != want {
				t.Errorf("%d marks; want %d", n["s"], want)
			}
			if err != nil {
				return err
			}
			return checkLog(t, tx, want)
		})
	})
}

// A function that ends the writer's goroutine costs nobody more than an
// error.
func TestWriterSurvivesGoexit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		wantKind(t, db.Write(t.Context(), func(*store.Tx) error { runtime.Goexit(); return nil }), fault.Internal)
		write(t, db, func(tx *store.Tx) error { _, err := tx.Append(entry(1)); return err })
	})
}

// A failed statement is an error even if the function hides it.
func TestHiddenFailure(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(tx *store.Tx) error { return tx.PutTerm(1, "a") })
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			if tx.PutTerm(2, "a") == nil {
				t.Error("a word was put twice")
			}
			return nil
		})
		wantKind(t, err, fault.Internal)
		write(t, db, func(tx *store.Tx) error { return tx.PutTerm(2, "b") })
	})
}

func TestTransactionsAreForWhatTheyAreFor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var kept *store.Tx
		read(t, db, func(tx *store.Tx) error {
			kept = tx
			_, err := tx.Append(entry(1))
			wantKind(t, err, fault.Internal)
			_, err = tx.Mark("b", "s", 1)
			wantKind(t, err, fault.Internal)
			return nil
		})
		_, err := kept.Units()
		wantKind(t, err, fault.Internal)
	})
}

func TestReadIsASnapshot(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(tx *store.Tx) error { _, err := tx.Append(entry(1)); return err })
		read(t, db, func(tx *store.Tx) error {
			if _, err := tx.Minute(1); err != nil {
				return err
			}
			write(t, db, func(tx *store.Tx) error { _, err := tx.Append(entry(2)); return err })
			_, err := tx.Minute(2)
			wantKind(t, err, fault.NotFound)
			return nil
		})
	})
}

func TestBookTimeNeverGoesBack(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		clock := &storetest.Clock{At: time.Date(2026, 3, 1, 12, 0, 0, 1_999_999, time.UTC)}
		o.Clock = clock.Now
		db := storetest.Open(t, o)
		var first, second minutes.Minute
		write(t, db, func(tx *store.Tx) (err error) { first, err = tx.Append(entry(1)); return err })
		if want := time.Date(2026, 3, 1, 12, 0, 0, 1_000_000, time.UTC); !first.At.Equal(want) {
			t.Errorf("the time of an entry is %v; want %v", first.At, want)
		}
		clock.At = clock.At.Add(-time.Hour)
		write(t, db, func(tx *store.Tx) (err error) { second, err = tx.Append(entry(2)); return err })
		if !second.At.Equal(first.At) {
			t.Errorf("the book's time went from %v to %v", first.At, second.At)
		}
	})
}

func TestWithdrawnAndClosed(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		db := storetest.Open(t, o)
		ctx, cancel := context.WithCancel(t.Context())
		inside, release := make(chan struct{}), make(chan struct{})
		go db.Write(t.Context(), func(*store.Tx) error { close(inside); <-release; return nil })
		<-inside
		go func() { time.Sleep(20 * time.Millisecond); cancel() }()
		wantKind(t, db.Write(ctx, func(*store.Tx) error { t.Error("a withdrawn call ran"); return nil }), fault.Unavailable)
		close(release)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		wantKind(t, db.Write(t.Context(), func(*store.Tx) error { return nil }), fault.Unavailable)
		wantKind(t, db.Read(t.Context(), func(*store.Tx) error { return nil }), fault.Unavailable)
	})
}

func TestCheckpoints(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		db, err := store.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		appendOne := func(tx *store.Tx) error { _, err := tx.Append(entry(1)); return err }
		write(t, db, appendOne)
		first, err := db.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c, err := tiles.Open(first, db.VerifierKey())
		if err != nil || c.Size != 1 || c.Origin != o.Origin {
			t.Errorf("%+v, %v", c, err)
		}
		for range 300 {
			write(t, db, appendOne)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		file := o.Checkpoint
		if file == "" {
			file = strings.TrimPrefix(o.DSN, "sqlite:") + ".checkpoint"
		}
		last, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if c, err = tiles.Open(last, db.VerifierKey()); err != nil || c.Size != 301 {
			t.Errorf("the last checkpoint outside the database is %+v, %v", c, err)
		}
		db = storetest.Open(t, o) // a book that is whole opens again
		read(t, db, func(tx *store.Tx) error { return checkLog(t, tx, 301) })
	})
}

// A book that lost entries, or in which one was changed, does not open until
// it gets a new origin.
func TestDamage(t *testing.T) {
	for name, damage := range map[string][]string{
		"shorter": {`DELETE FROM minute WHERE seq > 5`, `UPDATE head SET seq = 5`},
		"changed": {`UPDATE minute SET kind = 'other/1' WHERE seq = 3`},
		"rewound": {`DELETE FROM checkpoint`, `DELETE FROM minute`, `UPDATE head SET seq = 0, at = 0`},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.EachOptions(t, func(t *testing.T, o store.Options) {
				db, err := store.Open(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				for range 10 {
					write(t, db, func(tx *store.Tx) error { _, err := tx.Append(entry(1)); return err })
				}
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				raw(t, o.DSN, damage...)
				_, err = store.Open(t.Context(), o)
				wantKind(t, err, fault.Damaged)
			})
		})
	}
}

func TestNewOrigin(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		db, err := store.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		old := db.VerifierKey()
		write(t, db, func(tx *store.Tx) error { _, err := tx.Append(entry(1)); return err })
		signed, err := db.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		fresh := o
		fresh.Origin = "omov.example/second"
		wantKind(t, store.NewOrigin(t.Context(), fresh, "for fun"), fault.Already)
		root := tiles.EmptyRoot()
		raw(t, o.DSN, `DELETE FROM minute`, fmt.Sprintf(rootSQL(o.DSN), root[:]))
		wantKind(t, store.NewOrigin(t.Context(), o, "the disk was lost"), fault.Invalid)
		if err := store.NewOrigin(t.Context(), fresh, "the disk was lost"); err != nil {
			t.Fatal(err)
		}
		db = storetest.Open(t, o)
		if db.VerifierKey() == old {
			t.Error("the log kept its name")
		}
		read(t, db, func(tx *store.Tx) error {
			m, err := tx.Minute(1)
			if err != nil {
				return err
			}
			var body store.OriginBody
			if err := minutes.Decode(m.Body, &body); err != nil {
				return err
			}
			if body.Signed != 1 || body.Kept != 0 || body.Checkpoint != string(signed) || m.Kind != store.KindOrigin {
				t.Errorf("the first entry is %+v", body)
			}
			return nil
		})
	})
}

func rootSQL(dsn string) string {
	if strings.HasPrefix(dsn, "sqlite:") {
		return `UPDATE head SET seq = 0, at = 0, root = x'%x'`
	}
	return `UPDATE head SET seq = 0, at = 0, root = '\x%x'`
}

func TestKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, k := t.Context(), db.Keys()
		keys, err := k.PutKeys(ctx, []int64{1, 2})
		if err != nil {
			t.Fatal(err)
		}
		again, err := k.PutKeys(ctx, []int64{2, 3})
		if err != nil || again[2] != keys[2] || again[3] == again[2] {
			t.Errorf("keys %v, then %v, %v", keys, again, err)
		}
		p, err := k.SealParticular(ctx, 2, []byte("Ada"))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := k.OpenParticular(ctx, 2, p.Cipher); err != nil || string(b) != "Ada" {
			t.Errorf("%q, %v", b, err)
		}
		_, err = k.OpenParticular(ctx, 1, p.Cipher)
		wantKind(t, err, fault.Damaged)
		_, err = keys[2].Open(2, p.Cipher[:5])
		wantKind(t, err, fault.Damaged)
		if err := k.DestroyKey(ctx, 2); err != nil {
			t.Fatal(err)
		}
		_, err = k.OpenParticular(ctx, 2, p.Cipher)
		wantKind(t, err, fault.NotFound)
		a, err := k.Secret(ctx, "email")
		b, err2 := k.Secret(ctx, "email")
		c, err3 := k.Secret(ctx, "other")
		if errors.Join(err, err2, err3) != nil || a != b || a == c {
			t.Errorf("secrets %x, %x, %x", a, b, c)
		}
	})
}

// A key that was destroyed is nowhere in the key store's files.
func TestDestroyedKeyIsGone(t *testing.T) {
	o := storetest.SQLite(t)
	db := storetest.Open(t, o)
	keys, err := db.Keys().PutKeys(t.Context(), []int64{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	holds := func(key store.Key) bool { return onDisk(t, o, key[:]) }
	if !holds(keys[2]) {
		t.Fatal("the key is not where this test looks for it")
	}
	if err := db.Keys().DestroyKey(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if holds(keys[2]) {
		t.Error("the destroyed key is still in the files")
	}
	if !holds(keys[1]) {
		t.Error("another key has gone too")
	}
}

func onDisk(t *testing.T, o store.Options, what []byte) bool {
	t.Helper()
	for _, b := range storetest.Files(t, o) {
		if bytes.Contains(b, what) {
			return true
		}
	}
	return false
}

// Papers that were destroyed are nowhere in the book's files, and the files
// are nobody's but the server's.
func TestDestroyedPapersAreGone(t *testing.T) {
	o := storetest.SQLite(t)
	db := storetest.Open(t, o)
	cipher := func(i int) []byte { return bytes.Repeat(fmt.Appendf(nil, "paper-%05d.", i), 30) }
	write(t, db, func(tx *store.Tx) error {
		for i := range 500 {
			if _, err := tx.PutPaper(store.Paper{Ballot: "b", ID: [32]byte{byte(i), byte(i >> 8)}, Cipher: cipher(i)}); err != nil {
				return err
			}
		}
		return nil
	})
	if !onDisk(t, o, cipher(7)) {
		t.Fatal("the paper is not where this test looks for it")
	}
	write(t, db, func(tx *store.Tx) error { return tx.DestroyPapers("b") })
	if err := db.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		if onDisk(t, o, cipher(i)[:12]) {
			t.Fatalf("paper %d is still in the files", i)
		}
	}
	names, err := filepath.Glob(strings.TrimPrefix(o.DSN, "sqlite:") + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		s, err := os.Stat(n)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a checkpoint that was being written when the names were read
		}
		if err != nil || s.Mode().Perm()&0o077 != 0 && !strings.HasSuffix(n, ".checkpoint") {
			t.Errorf("%s: %v, %v", filepath.Base(n), s.Mode(), err)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []store.Options{{}, {DSN: "mysql://x"}, {DSN: "sqlite:"}, {DSN: "postgres://x/y"}, {DSN: "sqlite:" + t.TempDir() + "/x", Origin: "two words"}} {
		_, err := store.Open(t.Context(), o)
		wantKind(t, err, fault.Invalid)
	}
}
