package registry_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/rulebooks"
	"github.com/omov/omov/store"
)

func open(t testing.TB) (*chamber.Chamber, *registry.Registry) {
	t.Helper()
	return openIn(t, t.TempDir())
}

func openIn(t testing.TB, dir string) (*chamber.Chamber, *registry.Registry) {
	t.Helper()
	ctx := context.Background()
	ch, err := chamber.Open(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: filepath.Join(dir, "box")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ch.Close() })
	src, err := rulebooks.Read("omov-2014")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.Found(ctx, chamber.FoundedBody{Name: "The Test Party"}, src); err != nil {
		t.Fatal(err)
	}
	r := registry.New(ch)
	if _, err := r.OpenUnits(ctx, []registry.UnitSpec{{Kind: "constituency", Name: "Northtown"}, {Kind: "constituency", Name: "Southtown"}, {Kind: "affiliate", Name: "Rail Union"}}); err != nil {
		t.Fatal(err)
	}
	return ch, r
}

const good = `Member No,Full name,E-mail,unit,since,on_electoral_register,paid_to,office
1,Ann Able,ann@example.org,Northtown,2015-05-07,yes,2030-01-01,mp
2,Bo Baker,bo@example.org,Southtown,12/01/2016,no,2030-01-01,
3,Çelik Örn,,Northtown,2020-02-29,yes,2029-12-31,
`

func columns() registry.Columns {
	return registry.Columns{"id": "Member No", "name": "Full name", "email": "E-mail"}
}

func TestImport(t *testing.T) {
	ch, r := open(t)
	ctx := context.Background()
	seq := func() (n int64) {
		if err := ch.Read(ctx, func(w *chamber.World) error { n = w.Seq(); return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := seq()
	rep, err := r.ImportCSV(ctx, strings.NewReader(good), registry.Import{Columns: columns(), Dry: true})
	if err != nil || rep.New != 3 || len(rep.Troubles) != 0 || seq() != before {
		t.Fatalf("dry run: %+v, %v; book went from %d to %d", rep, err, before, seq())
	}
	rep, err = r.ImportCSV(ctx, strings.NewReader(good), registry.Import{Columns: columns()})
	if err != nil || rep.New != 3 || rep.Offices != 1 {
		t.Fatalf("%+v, %v", rep, err)
	}
	after := seq()
	// The column map is remembered, and a repetition changes nothing.
	rep, err = r.ImportCSV(ctx, strings.NewReader("\xef\xbb\xbf"+good), registry.Import{})
	if err != nil || rep.Unchanged != 3 || rep.Offices != 0 || seq() != after {
		t.Fatalf("repeated: %+v, %v; book went from %d to %d", rep, err, after, seq())
	}
	rep, err = r.ImportCSV(ctx, strings.NewReader(strings.Replace(good, "Southtown,12/01/2016,no", "Southtown,12/01/2016,yes", 1)), registry.Import{})
	if err != nil || rep.Changed != 1 || rep.Unchanged != 2 {
		t.Fatalf("corrected: %+v, %v", rep, err)
	}
	err = ch.Read(ctx, func(w *chamber.World) error {
		row, err := w.Tx().PersonByExternal("3")
		if err != nil {
			return err
		}
		p, err := w.ParticularsOf(3)
		if err != nil || p.Name != "Çelik Örn" || row.ID != 3 {
			t.Errorf("%+v %v %v", p, row.ID, err)
		}
		if v := w.View(0).Person(2); !v.Is("member") {
			t.Error("2 is no member")
		}
		if v, ok := w.View(0).Person(2).Fact("on_electoral_register"); !ok || !v.Flag {
			t.Error("the correction is not there")
		}
		if !w.View(0).Person(1).Holds("mp") {
			t.Error("1 is no MP")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestImportTroubles(t *testing.T) {
	ch, r := open(t)
	ctx := context.Background()
	cases := []struct{ name, file, want string }{
		{"encoding", "id,name\n1,Caf\xe9\n", "line 2 is not UTF-8"},
		{"empty", "", "the file is empty"},
		{"no id", "name\nAnn\n", "--column id="},
		{"quotes", "id,name\n1,\"Ann\n", "line 2"},
		{"twice", "id,name\n7,Ann\n8,Bo\n7,Cy\n", `line 4, column id: "7" stands in line 2 already`},
		{"unit", "id,name,unit\n1,Ann,Nowhere\n", `line 2, column unit: there is no unit called "Nowhere"`},
		{"date", "id,name,since\n1,Ann,2015-02-30\n", `"2015-02-30" is not a date`},
		{"flag", "id,name,on_electoral_register\n1,Ann,perhaps\n", "neither yes nor no"},
		{"class", "id,name,class\n1,Ann,membre\n", `no class called "membre"`},
		{"fields", "id,name\n1\n", "there are 1 fields, and the heading has 2"},
		{"office", "id,name,office\n1,Ann,mp\n", "one mp in every constituency"},
		{"email", "id,name,email\n1,Ann,ann at home\n", "is not an e-mail address"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rep, err := r.ImportCSV(ctx, strings.NewReader(c.file), registry.Import{})
			var all []string
			if err != nil {
				if !fault.Is(err, fault.Invalid) {
					t.Fatalf("%v is not a refusal of bad input", err)
				}
				all = append(all, err.Error())
			} else {
				for _, x := range rep.Troubles {
					all = append(all, x.String())
				}
			}
			if !strings.Contains(strings.Join(all, "\n"), c.want) {
				t.Fatalf("got %q, want %q", all, c.want)
			}
		})
	}
	err := ch.Read(ctx, func(w *chamber.World) error {
		n, _, err := w.Tx().CountPeople()
		if n != 0 {
			t.Errorf("%d people have been half imported", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzImport(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("id;name\n1;\"A\"\"nn\"\n"))
	f.Add([]byte("id,name,since_2,class_2\n1,x,2020-01-01,member\n"))
	_, r := open(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		rep, err := r.ImportCSV(context.Background(), bytes.NewReader(b), registry.Import{Dry: true})
		if err == nil && rep == nil {
			t.Fatal("neither a report nor a refusal")
		}
	})
}

// file makes a file of n people.
func file(n int) []byte {
	var b bytes.Buffer
	b.WriteString("id,name,email,unit,since,on_electoral_register,paid_to\n")
	for i := range n {
		fmt.Fprintf(&b, "M%07d,Given%d Family%d,m%d@example.org,%s,20%02d-%02d-%02d,yes,2027-01-01\n", i, i%977, i%7919, i, []string{"Northtown", "Southtown"}[i%2], 10+i%16, 1+i%12, 1+i%28)
	}
	return b.Bytes()
}

func BenchmarkImport600k(b *testing.B) {
	raw := file(600_000)
	for b.Loop() {
		b.StopTimer()
		_, r := open(b)
		b.StartTimer()
		rep, err := r.ImportCSV(context.Background(), bytes.NewReader(raw), registry.Import{})
		if err != nil || rep.New != 600_000 {
			b.Fatalf("%+v, %v", rep, err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s")
}

// BenchmarkReimport600k imports a file again in which 20,000 people of 600,000
// have changed: what a secretary does every month.
func BenchmarkReimport600k(b *testing.B) {
	raw := file(600_000)
	_, r := open(b)
	if _, err := r.ImportCSV(b.Context(), bytes.NewReader(raw), registry.Import{}); err != nil {
		b.Fatal(err)
	}
	answer := [2]string{",yes,", ",no,"}
	for b.Loop() {
		b.StopTimer()
		raw = bytes.Replace(raw, []byte(answer[0]), []byte(answer[1]), 20_000)
		answer[0], answer[1] = answer[1], answer[0]
		b.StartTimer()
		rep, err := r.ImportCSV(b.Context(), bytes.NewReader(raw), registry.Import{})
		if err != nil || rep.Changed != 20_000 || rep.Unchanged != 580_000 {
			b.Fatalf("%+v, %v", rep, err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s")
}
