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
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/store"
)

// unit gives a unit by kind and name.
func unit(t *testing.T, ch *chamber.Chamber, kind, name string) (u register.Unit) {
	t.Helper()
	err := ch.Read(t.Context(), func(w *chamber.World) error {
		x, ok := w.Tree().ByName(kind, name)
		if !ok {
			return fault.New(fault.NotFound, "there is no %s %s", kind, name)
		}
		u = *x
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// A file of units is one entry, whatever the order of its lines; repeating it
// changes nothing, and a corrected one changes what differs and no more.
func TestImportUnits(t *testing.T) {
	ch, r := open(t) // with Northtown, Southtown and the Rail Union
	ctx := t.Context()
	const units = "\xef\xbb\xbfName;In;Kind;Levy members;Union;Colour\nQuay; westtown ;branch;;;red\nWesttown;;constituency;;;\nHarbour;Northtown;branch;;;\nMiners;;affiliate;5000;yes;\nrail union;;affiliate;60000;yes;\n"
	_, before := head(t, ch)
	rep, err := r.ImportUnitsCSV(ctx, strings.NewReader(units), true)
	if _, seq := head(t, ch); err != nil || rep.New != 4 || rep.Changed != 1 || len(rep.Troubles) != 0 || seq != before {
		t.Fatalf("a dry run: %+v, %v; the book went from %d to %d", rep, err, before, seq)
	}
	opened := unit(t, ch, "affiliate", "Rail Union")
	rep, err = r.ImportUnitsCSV(ctx, strings.NewReader(units), false)
	_, after := head(t, ch)
	if err != nil || rep.New != 4 || rep.Changed != 1 || rep.Lines != 5 || fmt.Sprint(rep.Unknown) != "[colour]" || after > before+2 {
		t.Fatalf("%+v, %v; the book went from %d to %d", rep, err, before, after)
	}
	quay, west, rail := unit(t, ch, "branch", "Quay"), unit(t, ch, "constituency", "Westtown"), unit(t, ch, "affiliate", "Rail Union")
	if quay.Parent != west.ID || west.ID > quay.ID || unit(t, ch, "affiliate", "Miners").Facts["levy_members"] != 5000 {
		t.Errorf("Quay is %+v, Westtown %+v", quay, west)
	}
	if rail.ID != opened.ID || rail.Name != "Rail Union" || rail.Opened != opened.Opened || rail.Facts["union"] != 1 || rail.Facts["levy_members"] != 60000 {
		t.Errorf("the Rail Union is %+v; it was %+v", rail, opened)
	}
	rep, err = r.ImportUnitsCSV(ctx, strings.NewReader(units), false)
	if _, seq := head(t, ch); err != nil || rep.Unchanged != 5 || rep.New+rep.Changed != 0 || seq != after {
		t.Fatalf("repeated: %+v, %v", rep, err)
	}
	corrected := "kind,name,in,levy_members\nbranch,Quay,Easttown,\nconstituency,Easttown,,\naffiliate,Rail Union,,61000\n"
	if rep, err = r.ImportUnitsCSV(ctx, strings.NewReader(corrected), false); err != nil || rep.New != 1 || rep.Changed != 2 {
		t.Fatalf("corrected: %+v, %v", rep, err)
	}
	if rail = unit(t, ch, "affiliate", "Rail Union"); rail.Facts["union"] != 1 || rail.Facts["levy_members"] != 61000 {
		t.Errorf("a fact that the file does not name has gone: %+v", rail)
	}
	if moved := unit(t, ch, "branch", "Quay"); moved.ID != quay.ID || moved.Parent != unit(t, ch, "constituency", "Easttown").ID || moved.Opened != quay.Opened {
		t.Errorf("Quay is %+v; it was %+v", moved, quay)
	}
	replays(t, ch)
}

// replays rebuilds the book and compares.
func replays(t *testing.T, ch *chamber.Chamber) {
	t.Helper()
	ctx, dir := t.Context(), t.TempDir()
	var origin string
	if err := ch.DB.Read(ctx, func(tx *store.Tx) error { h, err := tx.Head(); origin = h.Origin; return err }); err != nil {
		t.Fatal(err)
	}
	to, err := chamber.Open(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "replay.db"), Origin: origin}, Keys: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if err := ch.Replay(ctx, to, nil); err != nil {
		t.Fatal(err)
	}
	if differ, err := chamber.Differ(ctx, ch, to); err != nil || len(differ) > 0 {
		t.Fatalf("the replay differs in %v: %v", differ, err)
	}
}

func TestImportUnitsTroubles(t *testing.T) {
	ch, r := open(t)
	_, before := head(t, ch)
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "the file is empty"},
		{"no kind", "name\nWest\n", "no column is kind"},
		{"twice a column", "kind,name,name\n", "two columns are name"},
		{"encoding", "kind,name\nbranch,Caf\xe9\n", "line 2 is not UTF-8"},
		{"fields", "kind,name\nconstituency\n", "line 2: there are 1 fields, and the heading has 2"},
		{"kind", "kind,name\nconstituency,West\nward,X\n", `line 3, column kind: the rulebook has no kind of unit called "ward"; it has constituency, branch, affiliate`},
		{"name", "kind,name\nconstituency, \n", "line 2, column name: it is empty"},
		{"twice", "kind,name\nconstituency,West\nconstituency,WEST\n", `line 3, column name: constituency "WEST" stands in line 2 already`},
		{"nowhere", "kind,name,in\nbranch,Quay,Nowhere\n", `line 2, column in: there is no constituency called "Nowhere"`},
		{"wrong kind above", "kind,name,in\nbranch,Quay,Rail Union\n", `there is no constituency called "Rail Union"`},
		{"none above", "kind,name,in\nbranch,Quay,\n", "line 2, column in: it is empty: a branch is in a constituency"},
		{"above what stands alone", "kind,name,in\nconstituency,West,Northtown\n", "a constituency is directly in the organisation; leave it empty"},
		{"number", "kind,name,levy_members\naffiliate,Miners,many\n", `line 2, column levy_members: "many" is not a whole number`},
		{"flag", "kind,name,union\naffiliate,Miners,perhaps\n", `line 2, column union: "perhaps" is neither yes nor no`},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep, err := r.ImportUnitsCSV(t.Context(), strings.NewReader(c.file), false)
			got := fmt.Sprint(err)
			if err == nil {
				got = fmt.Sprint(rep.Troubles)
			} else if !fault.Is(err, fault.Invalid) {
				t.Errorf("%v is not a refusal of bad input", err)
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("got %s; want %s", got, c.want)
			}
		})
	}
	if _, seq := head(t, ch); seq != before {
		t.Errorf("%d entries were written", seq-before)
	}
}

// Units that are opened together are all opened or none, and none is in what
// there is not: the book would not open again.
func TestOpenUnitsAllOrNone(t *testing.T) {
	ch, r := open(t)
	_, before := head(t, ch)
	for name, bad := range map[string]registry.UnitSpec{
		"no unit above":    {Kind: "branch", Name: "Quay", In: 9999},
		"below nothing":    {Kind: "branch", Name: "Quay", In: -1},
		"in a wrong kind":  {Kind: "branch", Name: "Quay", In: 3},
		"the same twice":   {Kind: "constituency", Name: "w17"},
		"one that is open": {Kind: "constituency", Name: "northtown"},
	} {
		specs := make([]registry.UnitSpec, 6000)
		for i := range specs {
			specs[i] = registry.UnitSpec{Kind: "constituency", Name: fmt.Sprint("W", i)}
		}
		if _, err := r.OpenUnits(t.Context(), append(specs, bad)); err == nil {
			t.Errorf("%s: it was opened", name)
		}
	}
	if _, seq := head(t, ch); seq != before {
		t.Fatalf("%d entries were written", seq-before)
	}
	specs := []registry.UnitSpec{{Kind: "constituency", Name: "West"}, {Kind: "branch", Name: "Quay", In: 4}}
	ids, err := r.OpenUnits(t.Context(), specs)
	if err != nil || fmt.Sprint(ids) != "[4 5]" || unit(t, ch, "branch", "quay").Parent != 4 {
		t.Errorf("%v, %v", ids, err)
	}
}

func FuzzImportUnits(f *testing.F) {
	f.Add([]byte("kind,name,in,union,levy_members\nconstituency,West,,,\nbranch,Quay,West,,\naffiliate,Miners,,yes,60000\n"))
	f.Add([]byte("kind;name;in\nbranch;\"A\"\"b\";northtown\n"))
	_, r := open(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		rep, err := r.ImportUnitsCSV(context.Background(), bytes.NewReader(b), true)
		if err == nil && (rep == nil || len(rep.Troubles)+rep.More == 0 && rep.New+rep.Changed+rep.Unchanged != rep.Lines) {
			t.Fatalf("%+v, %v", rep, err)
		}
	})
}

// A unit that was closed stays so; its name can be had again.
func TestImportUnitsAfterOneClosed(t *testing.T) {
	ch, r := open(t)
	north := unit(t, ch, "constituency", "Northtown")
	err := ch.Write(t.Context(), func(w *chamber.World) ([]minutes.Entry, error) {
		return []minutes.Entry{{Kind: register.KindUnits, Access: minutes.Public, Rulebook: w.Book().Hash,
			Body: register.UnitsBody{At: w.At().Unix(), Ends: true, Units: []register.Unit{north}}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := r.ImportUnitsCSV(t.Context(), strings.NewReader("kind,name,in\nbranch,Quay,Northtown\nconstituency,Northtown,\n"), false)
	if err != nil || rep.New != 2 {
		t.Fatalf("%+v, %v", rep, err)
	}
	people, err := r.ImportCSV(t.Context(), strings.NewReader("id,name,unit\n1,Ann,Northtown\n"), registry.Import{})
	if err != nil || people.New != 1 {
		t.Fatalf("somebody in the one that is open: %+v, %v", people, err)
	}
	quay := unit(t, ch, "branch", "Quay")
	err = ch.Read(t.Context(), func(w *chamber.World) error {
		old, above := w.Tree().Unit(north.ID), w.Tree().Unit(quay.Parent)
		if old.Closed == 0 || above.ID == north.ID || above.Name != "Northtown" || above.Closed != 0 {
			t.Errorf("the old one is %+v, Quay is in %+v", old, above)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	replays(t, ch)
}
