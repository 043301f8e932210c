package ballotfile_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/omov/omov/count"
	"github.com/omov/omov/count/ballotfile"
)

// rctabRound is a round of a report.
type rctabRound struct {
	Tally        map[string]string
	TallyResults []map[string]any
	Threshold    string
}

func readReport(t *testing.T, path string) []rctabRound {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var report struct{ Results []rctabRound }
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	return report.Results
}

// readCDF reads cast vote records in the common data format.
func readCDF(t *testing.T, paths ...string) ([]string, *count.Papers) {
	t.Helper()
	var names []string
	var g *count.Grouper
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var f struct {
			CVR []struct {
				CVRSnapshot []struct {
					CVRContest []struct {
						CVRContestSelection []struct {
							ContestSelectionId string
							SelectionPosition  []struct{ Rank int }
						}
					}
				}
			}
			Election []struct {
				Candidate []struct {
					ID   string `json:"@id"`
					Name string
				}
				Contest []struct {
					ContestSelection []struct {
						ID           string `json:"@id"`
						CandidateIds []string
					}
				}
			}
		}
		if err := json.Unmarshal(data, &f); err != nil {
			t.Fatal(err)
		}
		names = names[:0]
		number := map[string]int{}
		for i, c := range f.Election[0].Candidate {
			names = append(names, c.Name)
			for _, s := range f.Election[0].Contest[0].ContestSelection {
				if s.CandidateIds[0] == c.ID {
					number[s.ID] = i
				}
			}
		}
		if g == nil {
			g = count.NewGrouper(len(names))
		}
		for _, cvr := range f.CVR {
			ranks := make([][]int, 8)
			for _, s := range cvr.CVRSnapshot[0].CVRContest[0].CVRContestSelection {
				for _, p := range s.SelectionPosition {
					ranks[p.Rank-1] = append(ranks[p.Rank-1], number[s.ContestSelectionId])
				}
			}
			for len(ranks) > 0 && ranks[len(ranks)-1] == nil {
				ranks = ranks[:len(ranks)-1]
			}
			if err := g.AddRanks(ranks, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	return names, g.Papers()
}

// sameRounds compares an AV sheet with a report. Write-ins nobody stood for
// are thrown out in that program's first round, before anybody else; here
// they withdraw before the count, so comparing begins at round skip.
func sameRounds(t *testing.T, stages []count.Stage, rounds []rctabRound, skip int) {
	t.Helper()
	if len(stages) != len(rounds)-skip {
		t.Errorf("%d stages, the report has %d rounds, of which %d do not count", len(stages), len(rounds), skip)
	}
	for i := range min(len(stages), len(rounds)-skip) {
		r := rounds[i+skip]
		for name, v := range r.Tally {
			if got := string(stages[i].Votes.Of(name)); got != v && !(got == "" && v == "0") {
				t.Errorf("round %d: %s has %s, the report has %s", i+1+skip, name, got, v)
			}
		}
		var out []string
		for _, x := range r.TallyResults {
			if name, ok := x["eliminated"].(string); ok {
				out = append(out, name)
			}
		}
		got := slices.Clone(stages[i].Excluded)
		slices.Sort(got)
		slices.Sort(out)
		if !slices.Equal(got, out) {
			t.Errorf("round %d: excluded %v, the report has %v", i+1+skip, got, out)
		}
	}
}

// rules turns the settings of a configuration into a contest's.
func rctabRules(t *testing.T, dir string, names []string) count.Contest {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*_config.json"))
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Candidates []struct{ Name string }
		Rules      map[string]any
	}
	if err := json.Unmarshal(data, &config); err != nil {
		t.Fatal(err)
	}
	c := count.Contest{Candidates: names, Gaps: count.Stop, Ties: count.TiesLot}
	if c.MaxGap, err = strconv.Atoi(fmt.Sprint(config.Rules["maxSkippedRanksAllowed"])); err != nil {
		t.Fatal(err)
	}
	switch config.Rules["overvoteRule"] {
	case "exhaustImmediately":
		c.Equals = count.Stop
	case "alwaysSkipToNextRank":
		c.Equals = count.Skip
	case "exhaustIfMultipleContinuing":
		c.Equals = count.WhenOne
	}
	if config.Rules["exhaustOnDuplicateCandidate"] == true {
		c.Repeats = count.Stop
	}
	c.Batch = config.Rules["batchElimination"] == true
	if config.Rules["continueUntilTwoCandidatesRemain"] == true {
		c.DownTo = 2
	}
	// Of tied candidates the one listed last is excluded.
	for i := len(config.Candidates) - 1; i >= 0; i-- {
		if n := slices.Index(names, config.Candidates[i].Name); n >= 0 {
			c.Order = append(c.Order, n)
		}
	}
	return c
}

func TestRCTabSmall(t *testing.T) {
	dir := filepath.Join(caseDir(t), "rctab")
	for _, name := range []string{"test_set_0_skipped_first_choice", "test_set_1_exhaust_at_overvote", "test_set_2_overvote_skip_to_next",
		"test_set_4_skipped_choice_next", "test_set_6_duplicate_exhaust", "test_set_8_multi_cdf"} {
		t.Run(name, func(t *testing.T) {
			at := filepath.Join(dir, name)
			files, _ := filepath.Glob(filepath.Join(at, name+"_cvr*.json"))
			names, p := readCDF(t, files...)
			s, err := count.Count("av", rctabRules(t, at, names), count.Pool(p))
			if err != nil {
				t.Fatal(err)
			}
			sameRounds(t, s.Stages, readReport(t, filepath.Join(at, name+"_expected_detailed_report.json")), 0)
		})
	}
}

func TestRCTabTable(t *testing.T) {
	dir := filepath.Join(caseDir(t), "rctab")
	for _, x := range []struct{ name, file, writeIn string }{
		{"generic_csv_test", "generic_csv_test/generic_csv_test_cvr.csv", "Write-In"},
		{"2013_minneapolis_mayor", "_csv/2013_minneapolis_mayor_cvr.csv.gz", "UWI"},
		{"2017_minneapolis_mayor", "_csv/2017_minneapolis_mayor_cvr.csv.gz", "UWI"},
	} {
		t.Run(x.name, func(t *testing.T) {
			f, c := rctabTable(t, dir, x.name, x.file, x.writeIn)
			s, err := count.Count("av", c, count.Pool(f.Papers))
			if err != nil {
				t.Fatal(err)
			}
			sameRounds(t, s.Stages, readReport(t, filepath.Join(dir, x.name, x.name+"_expected_detailed_report.json")), 1)
		})
	}
}

func rctabTable(t *testing.T, dir, name, file, writeIn string) (*ballotfile.File, count.Contest) {
	t.Helper()
	r, err := os.Open(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	o := ballotfile.Options{Name: file}
	if c := rctabRules(t, filepath.Join(dir, name), nil); c.Equals == count.Skip {
		o.Overvote = count.Skip
	}
	f, err := ballotfile.Read(r, o)
	if err != nil {
		t.Fatal(err)
	}
	c := rctabRules(t, filepath.Join(dir, name), f.Candidates)
	if i := slices.Index(f.Candidates, writeIn); i >= 0 {
		c.WithdrawnAfter = append(c.WithdrawnAfter, i)
	}
	return f, c
}

func TestRCTabSequential(t *testing.T) {
	dir := filepath.Join(caseDir(t), "rctab")
	const name = "2013_minneapolis_park_sequential"
	f, c := rctabTable(t, dir, name, "_csv/2013_minneapolis_park_cvr.csv.gz", "UWI")
	c.Seats = 3
	s, err := count.Count("av-sequential", c, count.Pool(f.Papers))
	if err != nil {
		t.Fatal(err)
	}
	for place := 1; place <= 3; place++ {
		var stages []count.Stage
		for _, st := range s.Stages {
			if strings.HasPrefix(st.Action, fmt.Sprintf("place %d:", place)) {
				stages = append(stages, st)
			}
		}
		sameRounds(t, stages, readReport(t, filepath.Join(dir, name, fmt.Sprintf("%s_%d_expected_detailed_report.json", name, place))), 1)
	}
}

func TestCambridgeAndPortland(t *testing.T) {
	dir := caseDir(t)
	for file, want := range map[string]string{
		"2019.csv.gz": "Alanna Mallon, Denise Simmons, Dennis Carlone, Jivan Sobrinho-Wheeler, Marc McGovern, Patricia Nolan, Quinton Zondervan, Sumbul Siddiqui, Timothy Toomey",
		"2023.csv.gz": "Azeem, McGovern, Nolan, Pickett, Siddiqui, Simmons, Sobrinho-Wheeler, Toner, Wilson",
	} {
		f := load(t, filepath.Join(dir, "stv-cambridge", file))
		c := f.Contest()
		c.Seats, c.Seed = 9, []byte("cambridge")
		s, err := count.Count("wigm-prf", c, count.Pool(f.Papers))
		if err != nil {
			t.Fatal(err)
		}
		got := slices.Clone(s.Elected)
		slices.Sort(got)
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: elected %v", file, got)
		}
	}
}

// TestPortland reads 332,969 cast vote records with a column for each
// candidate and rank, "Choice_…:rank:…:name:…".
func TestPortland(t *testing.T) {
	f := load(t, filepath.Join(caseDir(t), "plurality-large", "portland_or_2024_auditor.cvr.csv.gz"))
	s, err := count.Count("av", f.Contest(), count.Pool(f.Papers))
	if err != nil {
		t.Fatal(err)
	}
	if f.Papers.Added() != 332_969 || s.Elected[0] != "Simone Rede" {
		t.Errorf("%d papers, elected %v", f.Papers.Added(), s.Elected)
	}
}
