package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/omov/omov/minutes"
	"github.com/omov/omov/store"
	"github.com/omov/omov/store/storetest"
)

const callers = 64

// many calls fn b.N times from 64 goroutines and reports how many a second.
func many(b *testing.B, fn func(n int64) error) {
	b.Helper()
	var next atomic.Int64
	var done sync.WaitGroup
	for range callers {
		done.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := fn(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	done.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}

func both(b *testing.B, fn func(b *testing.B, db *store.DB)) {
	b.Run("sqlite", func(b *testing.B) { fn(b, storetest.Open(b, storetest.SQLite(b))) })
	b.Run("postgres", func(b *testing.B) { fn(b, storetest.Open(b, storetest.Postgres(b))) })
}

// BenchmarkAppend is small entries, one a call, from 64 callers. PostgreSQL
// does not wait for the disk here.
func BenchmarkAppend(b *testing.B) {
	both(b, func(b *testing.B, db *store.DB) {
		many(b, func(n int64) error {
			return db.Write(context.Background(), func(tx *store.Tx) error {
				_, err := tx.Append(entry(int(n)))
				return err
			})
		})
	})
}

// BenchmarkPaper is what accepting a paper writes: a mark and a ciphertext of
// 200 bytes.
func BenchmarkPaper(b *testing.B) {
	both(b, func(b *testing.B, db *store.DB) {
		cipher := make([]byte, 200)
		many(b, func(n int64) error {
			return db.Write(context.Background(), func(tx *store.Tx) error {
				if _, err := tx.Mark("2026-L-001", "members", n); err != nil {
					return err
				}
				p := store.Paper{Ballot: "2026-L-001", Section: "members", Cipher: cipher}
				p.ID[0], p.ID[1], p.ID[2], p.ID[3] = byte(n*167), byte(n>>8*91), byte(n>>16), byte(n)
				_, err := tx.PutPaper(p)
				return err
			})
		})
	})
}

func crowd(b *testing.B, db *store.DB, n int) {
	b.Helper()
	facts := make([]byte, 60)
	rows := make([]store.PersonRow, 10_000)
	for from := 0; from < n; from += len(rows) {
		for i := range rows {
			id := from + i + 1
			rows[i] = store.PersonRow{ID: int64(id), External: fmt.Sprintf("M%07d", id), EmailMAC: fmt.Appendf(nil, "%016d", id*7919%1_000_003),
				Facts: facts, Particular: make([]byte, 90), Seq: 1}
		}
		if err := db.Write(context.Background(), func(tx *store.Tx) error { return tx.PutPeople(rows) }); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPutPeople600k writes 600,000 people with external number, keyed
// address, facts and particular, 10,000 a transaction.
func BenchmarkPutPeople600k(b *testing.B) {
	both(b, func(b *testing.B, db *store.DB) {
		for b.Loop() {
			crowd(b, db, 600_000)
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s")
	})
}

// BenchmarkStream1M reads number and facts of a million people.
func BenchmarkStream1M(b *testing.B) {
	both(b, func(b *testing.B, db *store.DB) {
		crowd(b, db, 1_000_000)
		b.ResetTimer()
		for range b.N {
			n := 0
			read(b, db, func(tx *store.Tx) error {
				for p, err := range tx.PeopleAfter(0, 0) {
					if err != nil {
						return err
					}
					n += len(p.Facts)
				}
				return nil
			})
			if n != 60_000_000 {
				b.Fatal(n)
			}
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s")
	})
}

// BenchmarkPutKeys draws and keeps 10,000 keys.
func BenchmarkPutKeys10k(b *testing.B) {
	both(b, func(b *testing.B, db *store.DB) {
		ids, next := make([]int64, 10_000), int64(0)
		for b.Loop() {
			for i := range ids {
				next++
				ids[i] = next
			}
			if _, err := db.Keys().PutKeys(b.Context(), ids); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(1000*b.Elapsed().Seconds()/float64(b.N), "ms")
	})
}

// BenchmarkImport10k is what one part of an import writes: 10,000 keys, one
// entry with a body of half a megabyte and 10,000 particulars, and the people.
// The book already has some.
func BenchmarkImport10k(b *testing.B) {
	both(b, func(b *testing.B, db *store.DB) {
		body := bytes.Repeat([]byte("1"), 500_000)
		body[0], body[len(body)-1] = '"', '"'
		ids, next := make([]int64, 10_000), int64(0)
		rows := make([]store.PersonRow, len(ids))
		for b.Loop() {
			for i := range ids {
				next++
				ids[i] = next
			}
			keys, err := db.Keys().PutKeys(b.Context(), ids)
			if err != nil {
				b.Fatal(err)
			}
			e := minutes.Entry{Kind: "register.imported/1", Access: minutes.Officers, Body: body}
			for i, id := range ids {
				p := keys[id].Seal(id, make([]byte, 60))
				e.Particulars = append(e.Particulars, p)
				mac := sha256.Sum256(p.Salt)
				rows[i] = store.PersonRow{ID: id, External: fmt.Sprintf("M%07d", id), EmailMAC: mac[:16], Facts: make([]byte, 60), Particular: p.Cipher, Seq: 1}
			}
			err = db.Write(b.Context(), func(tx *store.Tx) error {
				if _, err := tx.Append(e); err != nil {
					return err
				}
				return tx.PutPeople(rows)
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(1000*b.Elapsed().Seconds()/float64(b.N), "ms")
	})
}
