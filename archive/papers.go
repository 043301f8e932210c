package archive

import (
	"slices"

	"github.com/omov/omov/count"
)

// Paper is one content of a ranked paper, and how many bore it. Marks are
// numbers of candidates, the first preference first.
type Paper struct {
	Marks []int
	N     int64
}

// SectionPapers are the papers of one published section.
type SectionPapers struct {
	Section string
	Papers  []Paper
	Spoilt  int64
}

// Papers reconstructs ranked papers from published rounds, section by
// section: when a candidate leaves, their papers go to those remaining by
// what these have more in the next round, and the rest is not transferable.
// Rounds that no papers could give are refused: somebody who loses votes from
// one round to the next, or more votes gained than were set free.
func (c *Contest) Papers() ([]SectionPapers, error) {
	var out []SectionPapers
	for _, s := range c.Sections {
		papers, err := c.flow(s.Name)
		if err != nil {
			return nil, err
		}
		out = append(out, SectionPapers{Section: s.Name, Papers: papers, Spoilt: c.Rounds[0].Spoilt[s.Name]})
	}
	out[0].Spoilt += c.Rounds[0].Spoilt[""] // in no count does it matter whose they were
	return out, nil
}

// flow follows the votes of one section through the rounds. Piles hold each
// candidate's papers; what is out of play is done.
func (c *Contest) flow(section string) ([]Paper, error) {
	piles := make([][]Paper, len(c.Candidates))
	for i, name := range c.Candidates {
		if n := c.Rounds[0].Votes[section][name]; n > 0 {
			piles[i] = []Paper{{Marks: []int{i}, N: n}}
		}
	}
	var done []Paper
	for r := 1; r < len(c.Rounds); r++ {
		gains, err := c.gains(section, r)
		if err != nil {
			return nil, err
		}
		for from, name := range c.Candidates {
			if c.stands(name, r-1) && !c.stands(name, r) {
				done = append(done, pour(piles, from, gains)...)
			}
		}
		for i, g := range gains {
			if g > 0 {
				return nil, c.invalid("%s gains %d more votes in round %d among %s than those who left had to give, so these rounds are not of one ballot", c.Candidates[i], g, r+1, section)
			}
		}
	}
	for _, p := range piles {
		done = append(done, p...)
	}
	return done, nil
}

// gains is what each candidate has more in a round than in the one before.
func (c *Contest) gains(section string, r int) ([]int64, error) {
	out := make([]int64, len(c.Candidates))
	before, now := c.Rounds[r-1].Votes[section], c.Rounds[r].Votes[section]
	for i, name := range c.Candidates {
		if !c.stands(name, r) {
			if now[name] > 0 {
				return nil, c.invalid("%s has votes in round %d after leaving", name, r+1)
			}
			continue
		}
		if out[i] = now[name] - before[name]; out[i] < 0 {
			return nil, c.invalid("%s has fewer votes in round %d than in the one before among %s, and papers cannot leave a candidate who stays", name, r+1, section)
		}
	}
	return out, nil
}

// pour deals the papers of a candidate who leaves out to those who gain, in
// the order of the candidates, and gives what nobody gains. It takes from
// gains what it has dealt.
func pour(piles [][]Paper, from int, gains []int64) (rest []Paper) {
	to := 0
	for _, p := range piles[from] {
		for p.N > 0 {
			for to < len(gains) && gains[to] == 0 {
				to++
			}
			if to == len(gains) {
				rest = append(rest, p)
				break
			}
			n := min(p.N, gains[to])
			piles[to] = append(piles[to], Paper{Marks: append(slices.Clone(p.Marks), to), N: n})
			gains[to] -= n
			p.N -= n
		}
	}
	piles[from] = nil
	return rest
}

// ballots are the rounds as votes held anew each time, with what each group
// of sections adds up to.
func (c *Contest) ballots(groups [][]string) []count.Round {
	var out []count.Round
	for _, r := range c.Rounds {
		b := count.Round{}
		for _, sections := range groups {
			row := make([]count.Votes, len(c.Candidates))
			for _, s := range sections {
				for i, name := range c.Candidates {
					row[i] += r.Votes[s][name]
				}
				b.Spoilt += r.Spoilt[s]
			}
			b.Votes = append(b.Votes, row)
		}
		for i, name := range c.Candidates {
			if r.Leaves[name] == Withdrew {
				b.Withdraw = append(b.Withdraw, i)
			}
		}
		out = append(out, b)
	}
	return out
}
