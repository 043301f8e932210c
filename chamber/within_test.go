package chamber

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebooks"
	"github.com/omov/omov/store"
)

// founded opens a book with units: 1 to 4 constituencies, 5 to 12 branches,
// two of each of them.
func founded(t *testing.T) *Chamber {
	t.Helper()
	ctx, dir := t.Context(), t.TempDir()
	c, err := Open(ctx, Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	src, err := rulebooks.Read("omov-2014")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Found(ctx, FoundedBody{Name: "x"}, src); err != nil {
		t.Fatal(err)
	}
	enter(t, c, register.KindUnits, func(w *World) any {
		b := register.UnitsBody{At: w.At().Unix()}
		for i := register.UnitID(1); i <= 12; i++ {
			u := register.Unit{ID: i, Kind: "constituency", Name: fmt.Sprint("U", i)}
			if i > 4 {
				u.Kind, u.Parent = "branch", (i-5)/2+1
			}
			b.Units = append(b.Units, u)
		}
		return b
	})
	return c
}

func enter(t *testing.T, c *Chamber, kind string, body func(w *World) any) {
	t.Helper()
	err := c.Write(context.Background(), func(w *World) ([]minutes.Entry, error) {
		return []minutes.Entry{{Kind: kind, Access: minutes.Officers, Rulebook: w.Book().Hash, Body: body(w)}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// crowd enters people who belong here and there, from and until days 0 to 40,
// some to a unit that there is not.
func crowd(t *testing.T, c *Chamber, rnd *rand.Rand, n int) {
	t.Helper()
	enter(t, c, register.KindImported, func(w *World) any {
		b := register.ImportedBody{Part: 1}
		for i := range n {
			r := register.PersonRow{Person: register.PersonID(i + 1), New: true}
			for range rnd.IntN(4) {
				ch := register.Change{Aspect: register.Belongs, Name: w.Terms()[[]string{"member", "member", "affiliated"}[rnd.IntN(3)]],
					Unit: register.UnitID(rnd.IntN(14)), From: rnd.Int64N(40) * 86400}
				if rnd.IntN(2) == 0 {
					ch.Until = ch.From + (1+rnd.Int64N(20))*86400
				}
				r.Changes = append(r.Changes, ch)
			}
			b.Rows = append(b.Rows, r)
		}
		return b
	})
}

// within counts one unit the plain way.
func within(t *testing.T, w *World, u register.UnitID, class string, at int64) (n int64) {
	t.Helper()
	var rec register.Record
	for r, err := range w.Tx().PeopleAfter(0, 0) {
		if err != nil || rec.Decode(r.Facts) != nil {
			t.Fatal("the register cannot be read")
		}
		if slices.ContainsFunc(rec.Spans, func(s register.Span) bool {
			return s.Aspect == register.Belongs && s.Name == w.Terms()[class] && s.At(at, w.Seq()) && w.Tree().Within(s.Unit, u)
		}) {
			n++
		}
	}
	return n
}

// One pass over the register gives for every unit, class and instant what
// counting that unit alone gives, also where a count is used again for another
// instant, or the register has changed since.
func TestUnitCounts(t *testing.T) {
	c := founded(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	crowd(t, c, rnd, 300)
	compare := func() {
		t.Helper()
		err := c.Read(t.Context(), func(w *World) error {
			for range 150 {
				at := rnd.Int64N(65)*86400 + rnd.Int64N(3) - 1
				class := []string{"member", "affiliated", "no such class"}[rnd.IntN(3)]
				u := register.UnitID(rnd.IntN(14))
				got, err := w.View(0).Count(u, class, at)
				if err != nil {
					return err
				}
				if want := within(t, w, u, class, at); got != want {
					t.Fatalf("unit %d has %d of %s at %d; want %d", u, got, class, at, want)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	compare()
	enter(t, c, register.KindChanged, func(w *World) any {
		b := register.ImportedBody{}
		for p := register.PersonID(1); p <= 50; p++ {
			b.Rows = append(b.Rows, register.PersonRow{Person: p, Changes: []register.Change{{Aspect: register.Belongs, Name: w.Terms()["member"], Unit: 5, From: 10 * 86400}}})
		}
		return b
	})
	compare()
	kept := 0
	for _, list := range c.within {
		kept += len(list)
	}
	if kept == 0 || kept > maxWithin {
		t.Errorf("%d counts are kept; the most is %d", kept, maxWithin)
	}
}

// In the writer a decision that needs a count is put off and made again with
// it; one that passed over the missing count is not entered.
func TestUnitCountInADecision(t *testing.T) {
	c := founded(t)
	crowd(t, c, rand.New(rand.NewPCG(3, 4)), 100)
	for name, pass := range map[string]bool{"returned": false, "passed over": true} {
		t.Run(name, func(t *testing.T) {
			at, tries := int64(20*86400), 0
			if pass {
				at = 30 * 86400
			}
			var got, want int64
			err := c.Write(t.Context(), func(w *World) ([]minutes.Entry, error) {
				tries++
				n, err := w.View(0).Count(2, "member", at)
				if err != nil && !pass {
					return nil, err
				}
				got, want = n, within(t, w, 2, "member", at)
				return []minutes.Entry{{Kind: "test/1", Access: minutes.Public, Body: map[string]int64{"n": n}}}, nil
			})
			if err != nil || got != want || want == 0 || tries != 2 {
				t.Errorf("%d of %d, after %d tries: %v", got, want, tries, err)
			}
			var last minutes.Minute
			var seq int64
			err = c.Read(t.Context(), func(w *World) (err error) {
				seq = w.Seq()
				last, err = w.Tx().Minute(seq)
				return err
			})
			if err != nil || string(last.Body) != fmt.Sprintf(`{"n":%d}`, want) {
				t.Errorf("entry %d is %s, %v", seq, last.Body, err)
			}
		})
	}
}

// A register that cannot be read is not one without people: reads and
// decisions refuse, even where they pass over the error.
func TestUnitCountOfADamagedRegister(t *testing.T) {
	c := founded(t)
	crowd(t, c, rand.New(rand.NewPCG(5, 6)), 10)
	if err := c.DB.Write(t.Context(), func(tx *store.Tx) error {
		return tx.PutPeople([]store.PersonRow{{ID: 7, Facts: []byte{9, 9}}})
	}); err != nil {
		t.Fatal(err)
	}
	err := c.Read(t.Context(), func(w *World) error {
		w.View(0).Count(2, "member", 100)
		return nil
	})
	if !fault.Is(err, fault.Damaged) {
		t.Errorf("a read: %v", err)
	}
	err = c.Write(t.Context(), func(w *World) ([]minutes.Entry, error) {
		w.View(0).Count(2, "member", 100)
		return []minutes.Entry{{Kind: "test/1", Access: minutes.Public, Body: 1}}, nil
	})
	if !fault.Is(err, fault.Damaged) {
		t.Errorf("a decision: %v", err)
	}
}

// BenchmarkUnitCounts counts all units of a register of 600,000 people.
func BenchmarkUnitCounts600k(b *testing.B) {
	ctx, dir := b.Context(), b.TempDir()
	c, err := Open(ctx, Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	src, err := rulebooks.Read("omov-2014")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := c.Found(ctx, FoundedBody{Name: "x"}, src); err != nil {
		b.Fatal(err)
	}
	err = c.DB.Write(ctx, func(tx *store.Tx) error {
		rows := make([]store.PersonRow, 10_000)
		for from := range int64(60) {
			for i := range rows {
				id := from*10_000 + int64(i) + 1
				rec := register.Record{Spans: []register.Span{{Aspect: register.Belongs, Name: 1, Unit: register.UnitID(id % 650), From: id, Until: register.Forever, Known: 1}}}
				rows[i] = store.PersonRow{ID: id, Facts: rec.Append(nil), Seq: 1}
			}
			if err := tx.PutPeople(rows); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		err := c.Read(ctx, func(w *World) error {
			x, err := w.countUnits(1, 1<<40)
			if err == nil && x.n[0] != 600_000 {
				b.Errorf("%d people", x.n[0])
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(1000*b.Elapsed().Seconds()/float64(b.N), "ms")
}
