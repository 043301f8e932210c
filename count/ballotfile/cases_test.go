package ballotfile_test

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/omov/omov/count"
	"github.com/omov/omov/count/ballotfile"
)

// root gives the folder that holds a part of the cases: all of them where
// OMOV_CASES says where they are, else those under an open licence in
// testdata.
func root(part string) string {
	if dir := os.Getenv("OMOV_CASES"); dir != "" {
		return filepath.Join(dir, part)
	}
	return filepath.Join("testdata", "cases", part)
}

// caseDir is for cases that are not in testdata.
func caseDir(t testing.TB) string {
	dir := os.Getenv("OMOV_CASES")
	if dir == "" {
		t.Skip("OMOV_CASES is not set")
	}
	return dir
}

func load(t testing.TB, path string) *ballotfile.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	file, err := ballotfile.Read(f, ballotfile.Options{Name: path})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return file
}

// droopRow is one line of a dump: a stage as that program saw it.
type droopRow struct {
	round, action string
	quota, lost   string
	votes         map[string]string
	state         map[string]string
}

func readDump(t testing.TB, path string) []droopRow {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var rows []droopRow
	var head []string
	s := bufio.NewScanner(strings.NewReader(string(data)))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		cells := strings.Split(s.Text(), "\t")
		if head == nil {
			head = cells
			continue
		}
		if len(cells) < 4 || cells[1] == "log" || cells[1] == "round" {
			continue
		}
		r := droopRow{round: cells[0], action: cells[1], votes: map[string]string{}, state: map[string]string{}}
		name := ""
		for i, c := range cells {
			_, what, _ := strings.Cut(head[i], ".")
			switch {
			case head[i] == "Quota":
				r.quota = c
			case head[i] == "Non-Transferable":
				r.lost = c
			case what == "name":
				name = strings.Join(strings.Fields(c), " ")
			case what == "state":
				r.state[name] = c
			case what == "vote":
				r.votes[name] = c
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// sameGregory compares a count by parcels with a dump, stage by stage to the
// last decimal place.
func sameGregory(t *testing.T, sheet *count.Sheet, rows []droopRow, batch bool) {
	t.Helper()
	var want []droopRow
	for i, r := range rows {
		// That program also writes down the transfer of a surplus of nought,
		// which the rules do not have: nothing changes.
		if n := len(want); r.action == "transfer" && rows[i-1].action == "unpend" && r.lost == want[n-1].lost && maps.Equal(r.votes, want[n-1].votes) {
			continue
		}
		if r.action == "begin" || r.action == "transfer" {
			want = append(want, r)
		}
	}
	// Where sure losers are excluded together and nothing is left to decide,
	// that program does not show their papers as transferred.
	missing := len(sheet.Stages) - len(want)
	if missing != 0 && !(batch && missing == 1) {
		t.Errorf("%d stages, the dump has %d", len(sheet.Stages), len(want))
	}
	for i := range min(len(want), len(sheet.Stages)) {
		st := sheet.Stages[i]
		if string(st.Quota) != want[i].quota {
			t.Errorf("stage %d: quota %s, the dump has %s", i+1, st.Quota, want[i].quota)
		}
		if string(st.NonTransferable) != want[i].lost {
			t.Errorf("stage %d: non-transferable %s, the dump has %s", i+1, st.NonTransferable, want[i].lost)
		}
		for name, v := range want[i].votes {
			if got := st.Votes.Of(name); string(got) != v && !(got == "" && strings.Trim(v, "0.") == "") {
				t.Errorf("stage %d: %s has %s, the dump has %s", i+1, name, got, v)
			}
		}
	}
	elected := map[string]bool{}
	for name, s := range rows[len(rows)-1].state {
		if s == "E" {
			elected[name] = true
		}
	}
	if fmt.Sprint(elected) != fmt.Sprint(set(sheet.Elected)) {
		t.Errorf("elected %v, the dump has %v", sheet.Elected, elected)
	}
}

func set(names []string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}

// firstInOrder makes the tie order of those programs: the file's own, else
// the order of the candidates.
func firstInOrder(f *ballotfile.File) count.Contest {
	c := f.Contest()
	if c.Order = f.Order; c.Order == nil {
		for i := range c.Candidates {
			c.Order = append(c.Order, i)
		}
	}
	return c
}

func TestScottishStageByStage(t *testing.T) {
	dir := filepath.Join(caseDir(t), "stv-scottish", "glasgow2007")
	files, _ := filepath.Glob(filepath.Join(dir, "*.blt"))
	if len(files) < 15 {
		t.Fatalf("%d files in %s", len(files), dir)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".blt")
		t.Run(name, func(t *testing.T) {
			f := load(t, path)
			sheet, err := count.Count("scottish-stv", firstInOrder(f), count.Pool(f.Papers))
			if err != nil {
				t.Fatal(err)
			}
			sameGregory(t, sheet, readDump(t, filepath.Join(dir, "expected", name+".tsv")), false)
		})
	}
}

func TestDroopGregory(t *testing.T) {
	dir := filepath.Join(caseDir(t), "stv-droop-ref")
	files, _ := filepath.Glob(filepath.Join(dir, "*.blt"))
	n := 0
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".blt")
		for _, rule := range []struct {
			method, file string
			batch        bool
		}{
			{"scottish-stv", "scotland-fixed-p5-d5", false},
			{"wigm-prf", "wigm-prf-fixed-p4-d4", false},
			{"wigm-prf", "wigm-prf-batch-fixed-p4-d4", true},
		} {
			dump := filepath.Join(dir, "expected", name+"-"+rule.file+".txt")
			if _, err := os.Stat(dump); err != nil {
				continue
			}
			n++
			t.Run(name+"/"+rule.file, func(t *testing.T) {
				f := load(t, path)
				c := firstInOrder(f)
				c.Batch = rule.batch
				sheet, err := count.Count(rule.method, c, count.Pool(f.Papers))
				if err != nil {
					t.Fatal(err)
				}
				sameGregory(t, sheet, readDump(t, dump), rule.batch)
			})
		}
	}
	if n < 20 {
		t.Errorf("only %d dumps", n)
	}
}

// TestERS97SubStages compares with the rows of another program's report:
// votes of eleven candidates, exhausted, surplus and the votes required.
func TestERS97SubStages(t *testing.T) {
	dir := filepath.Join(caseDir(t), "stv-ers97")
	f := load(t, filepath.Join(dir, "ers97_clean.blt"))
	sheet, err := count.Count("ers97", firstInOrder(f), count.Pool(f.Papers))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "openstv_ERS97STV.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var head, rows [][]string
	var cells []string
	for line := range strings.Lines(string(data)) {
		if !strings.Contains(line, "|") || strings.Contains(line, "---") {
			continue
		}
		parts := strings.Split(strings.TrimRight(line, "\n"), "|")
		if len(parts) < 5 {
			continue
		}
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		cells = append(cells, parts[1:]...)
		if parts[0] == "" {
			if head == nil {
				head = append(head, cells)
			} else {
				rows = append(rows, cells)
			}
			cells = nil
		}
	}
	if len(rows) != len(sheet.Stages) {
		t.Errorf("%d stages, the report has %d", len(sheet.Stages), len(rows))
	}
	for i := range min(len(rows), len(sheet.Stages)) {
		st := sheet.Stages[i]
		for k, name := range head[0] {
			got := string(st.Votes.Of(name))
			switch name {
			case "Exhausted":
				got = string(st.NonTransferable)
			case "Surplus":
				got = string(st.Surplus)
			case "Threshold":
				continue
			}
			if want := rows[i][k]; got != want && !(want == "" && (got == "" || got == "0.00")) {
				t.Errorf("stage %d: %s has %s, the report has %s", i+1, name, got, want)
			}
		}
	}
	if got := strings.Join(sheet.Elected, ", "); got != "Smith, Duke, Carpenter, Prince, Vicar, Freeman" {
		t.Errorf("elected %s", got)
	}
}

// TestMeekPRF compares with the dumps at every election and exclusion.
func TestMeekPRF(t *testing.T) {
	dir := filepath.Join(caseDir(t), "stv-droop-ref")
	files, _ := filepath.Glob(filepath.Join(dir, "*.blt"))
	n := 0
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".blt")
		dump := filepath.Join(dir, "expected", name+"-meek-prf-o6-fixed-p9-d9.txt")
		if _, err := os.Stat(dump); err != nil {
			continue
		}
		n++
		t.Run(name, func(t *testing.T) {
			f := load(t, path)
			sheet, err := count.Count("meek-prf", firstInOrder(f), count.Pool(f.Papers))
			if err != nil {
				t.Fatal(err)
			}
			rows := readDump(t, dump)
			byRound := map[string]droopRow{}
			var order []string
			for _, r := range rows {
				if r.action != "elect" && r.action != "defeat" {
					continue
				}
				if _, seen := byRound[r.round]; !seen {
					order = append(order, r.round)
					byRound[r.round] = r
				}
			}
			for i, round := range order {
				if i >= len(sheet.Stages) {
					t.Errorf("%d stages, the dump has %d", len(sheet.Stages), len(order))
					break
				}
				r, st := byRound[round], sheet.Stages[i]
				if string(st.Quota) != r.quota {
					t.Errorf("round %s: quota %s, the dump has %s", round, st.Quota, r.quota)
				}
				for name, v := range r.votes {
					if got := string(st.Votes.Of(name)); got != v && !(got == "" && strings.Trim(v, "0.") == "") {
						t.Errorf("round %s: %s has %s, the dump has %s", round, name, got, v)
					}
				}
			}
			for name, s := range rows[len(rows)-1].state {
				if (s == "E") != set(sheet.Elected)[name] {
					t.Errorf("%s: %s in the dump, elected here %v", name, s, sheet.Elected)
				}
			}
		})
	}
	if n < 6 {
		t.Errorf("only %d dumps", n)
	}
}
