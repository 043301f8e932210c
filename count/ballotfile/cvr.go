package ballotfile

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/omov/omov/count"
)

// cvrColumn is a column "Choice_…:contest:rank:…:name:party" of a cast vote
// record with one column for each candidate and rank, whose cells are 1 or 0.
type cvrColumn struct {
	at, rank, candidate int
}

// cvrColumns finds such columns; none if the table is of another form.
func cvrColumns(head []string) (columns []cvrColumn, names []string) {
	for i, h := range head {
		parts := strings.Split(h, ":")
		if len(parts) < 5 || !strings.HasPrefix(parts[0], "Choice_") {
			continue
		}
		rank, err := strconv.Atoi(parts[2])
		if err != nil || rank < 1 || rank > 1000 {
			continue
		}
		name := strings.TrimSpace(parts[4])
		c := slices.Index(names, name)
		if c < 0 {
			c = len(names)
			names = append(names, name)
		}
		columns = append(columns, cvrColumn{i, rank, c})
	}
	slices.SortStableFunc(columns, func(a, b cvrColumn) int { return a.rank - b.rank })
	return columns, names
}

// byMark reads such a table.
func (t *table) byMark(columns []cvrColumn, names []string) (*File, error) {
	if len(names) > count.MaxCandidates {
		return nil, &Error{1, 1, "The heading names too many candidates."}
	}
	g := count.NewGrouper(len(names))
	if t.o.KeepPapers {
		g.KeepPapers()
	}
	marks := make([]count.Mark, 0, 16)
	for {
		row, err := t.row()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		marks = marks[:0]
		rank := 0
		for _, c := range columns {
			if c.at >= len(row) || row[c.at] != "1" {
				continue
			}
			m := count.Mark(c.candidate)
			if c.rank == rank {
				m = m.WithPrevious()
			} else {
				for ; rank < c.rank-1; rank++ {
					marks = append(marks, count.Gap)
				}
				rank = c.rank
			}
			marks = append(marks, m)
		}
		if err := g.Add(marks, 1); err != nil {
			return nil, &Error{t.line, 1, err.Error()}
		}
	}
	return &File{Candidates: names, Papers: g.Papers()}, nil
}
