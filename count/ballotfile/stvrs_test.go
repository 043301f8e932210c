package ballotfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/omov/omov/count"
	"github.com/omov/omov/count/ballotfile"
)

// rustStage is one election or exclusion in a log of stv-rs.
type rustStage struct {
	quota string
	votes map[string]string
}

// readRust gives the first election or exclusion of each round and the
// elected of the end.
func readRust(t *testing.T, path string) (stages []rustStage, elected map[string]bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	elected = map[string]bool{}
	var now *rustStage
	fresh, final := false, false
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "Round "):
			fresh, now = true, nil
		case strings.HasPrefix(line, "Action: Count Complete"):
			final, now = true, nil
		case strings.HasPrefix(line, "Action: Elect:"), strings.HasPrefix(line, "Action: Defeat ("):
			if now = nil; fresh {
				stages = append(stages, rustStage{votes: map[string]string{}})
				now, fresh = &stages[len(stages)-1], false
			}
		case strings.HasPrefix(line, "Action:"):
			now = nil
		case strings.HasPrefix(line, "Quota: ") && now != nil:
			now.quota = strings.TrimPrefix(line, "Quota: ")
		case strings.HasPrefix(line, "Elected: "), strings.HasPrefix(line, "Hopeful: "), strings.HasPrefix(line, "Defeated: "):
			_, rest, _ := strings.Cut(line, ":")
			names, votes, _ := strings.Cut(strings.TrimSuffix(strings.TrimSpace(rest), ")"), " (")
			for _, n := range strings.Split(names, ", ") {
				if now != nil {
					now.votes[n] = votes
				}
				if final && strings.HasPrefix(line, "Elected") {
					elected[n] = true
				}
			}
		}
	}
	return stages, elected
}

func TestMeekAgainstStvRs(t *testing.T) {
	dir := root("meek-stvrs")
	n, whole := 0, 0
	_ = filepath.WalkDir(filepath.Join(dir, "ballots"), func(path string, d os.DirEntry, err error) error {
		name, ok := strings.CutSuffix(path, ".blt")
		if err != nil || !ok {
			return err
		}
		name, _ = filepath.Rel(filepath.Join(dir, "ballots"), name)
		log := filepath.Join(dir, "expected", name+".fixed9.log")
		if _, err := os.Stat(log); err != nil {
			return nil
		}
		n++
		t.Run(name, func(t *testing.T) {
			if name == filepath.Join("bigint", "ballot_sum_overflows") {
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				var at *ballotfile.Error
				if _, err := ballotfile.ReadBLT(data, ballotfile.Options{}); !errors.As(err, &at) || at.Line != 3 {
					t.Errorf("more votes than can be counted: %v", err)
				}
				return
			}
			f := load(t, path)
			sheet, err := count.Count("meek", firstInOrder(f), count.Pool(f.Papers))
			if err != nil {
				t.Fatal(err)
			}
			stages, elected := readRust(t, log)
			out := map[int]bool{}
			for _, w := range f.Withdrawn {
				out[w] = true
			}
			for i, want := range stages {
				if i > 0 && i <= len(sheet.Stages) {
					for _, name := range sheet.Stages[i-1].Excluded {
						out[slices.Index(f.Candidates, name)] = true
					}
				}
				if lostRank(f.Papers, out) {
					// From here on that program lets papers end at a rank
					// of which all are excluded, which Meek's method does not.
					t.Logf("equal up to stage %d of %d", i, len(stages))
					return
				}
				if i >= len(sheet.Stages) {
					t.Errorf("%d stages, the log has %d", len(sheet.Stages), len(stages))
					break
				}
				st := sheet.Stages[i]
				if string(st.Quota) != want.quota {
					t.Errorf("stage %d: quota %s, the log has %s", i+1, st.Quota, want.quota)
				}
				for name, v := range want.votes {
					if got := string(st.Votes.Of(name)); got != v && !(got == "" && strings.Trim(v, "0.") == "") {
						t.Errorf("stage %d: %s has %s, the log has %s", i+1, name, got, v)
					}
				}
			}
			whole++
			for _, name := range f.Candidates {
				if set(sheet.Elected)[name] != elected[name] {
					t.Errorf("%s: elected %v in the log", name, elected[name])
				}
			}
		})
		return nil
	})
	if n < 13 || whole < 10 {
		t.Errorf("only %d logs, %d to their end", n, whole)
	}
}

// lostRank tells whether a paper with equal ranks has a rank of which
// everybody is out.
func lostRank(p *count.Papers, out map[int]bool) bool {
	for i := range p.Len() {
		marks, _, _ := p.Group(i)
		if !slices.ContainsFunc(marks, count.Mark.Equal) {
			continue
		}
		alive := true
		for j, m := range marks {
			if !m.Equal() && j > 0 {
				if !alive {
					return true
				}
				alive = false
			} else if j == 0 {
				alive = false
			}
			alive = alive || !out[m.Candidate()]
		}
		if !alive {
			return true
		}
	}
	return false
}
