package ballotfile

import (
	"bytes"
	"sync"

	"github.com/omov/omov/count"
)

// fastPapers reads the papers of a BLT file in which every line is one plain
// paper (votes, candidates, 0) up to a line with 0 alone. It gives the offset
// after that line and what was collected, or nil where anything is unusual:
// then the careful parser reads the same bytes and says what is wrong.
func fastPapers(data []byte, candidates int, keep bool) (int, *count.Grouper) {
	stop, after := lastLine(data)
	if stop < 0 {
		return 0, nil
	}
	first := bytes.IndexByte(data, '\n') + 1 // the rest of the header's line
	if first <= 0 || first > stop || len(bytes.TrimSpace(data[:first])) > 0 {
		first = 0
	}
	body := data[first:stop]
	mid := 0
	if len(body) > 1<<16 {
		mid = len(body)/2 + bytes.IndexByte(body[len(body)/2:], '\n') + 1
	}
	var second *count.Grouper
	var wg sync.WaitGroup
	if mid > 0 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			second = fastChunk(body[mid:], candidates, keep)
		}()
	} else {
		mid = len(body)
	}
	g := fastChunk(body[:mid], candidates, keep)
	wg.Wait()
	if g == nil || mid < len(body) && second == nil {
		return 0, nil
	}
	if second != nil {
		if err := g.Merge(second); err != nil {
			return 0, nil
		}
	}
	return after, g
}

// lastLine finds the line that is 0 alone.
func lastLine(data []byte) (stop, after int) {
	for at := 0; ; {
		i := bytes.Index(data[at:], []byte("\n0"))
		if i < 0 {
			return -1, 0
		}
		at += i + 2
		for j := at; ; j++ {
			if j == len(data) || data[j] == '\n' {
				return at - 1, j
			}
			if c := data[j]; c != ' ' && c != '\r' && c != '\t' {
				break
			}
		}
	}
}

// fastChunk reads whole lines; nil if one is unusual.
func fastChunk(data []byte, candidates int, keep bool) *count.Grouper {
	g := count.NewGrouper(candidates)
	if keep {
		g.KeepPapers()
	}
	marks := make([]count.Mark, 0, 64)
	for at := 0; at < len(data); {
		marks = marks[:0]
		weight, numbers, done := int64(0), 0, false
		for !done {
			if at == len(data) {
				if numbers > 0 {
					return nil // a paper without its 0
				}
				break
			}
			c := data[at]
			if c <= ' ' {
				at++
				if c == '\n' && numbers > 0 {
					return nil // a paper over several lines
				}
				continue
			}
			n, start := int64(0), at
			for at < len(data) {
				d := data[at] - '0'
				if d > 9 {
					break
				}
				n = n*10 + int64(d)
				at++
			}
			if at == start || at-start > 15 || at < len(data) && data[at] > ' ' {
				return nil
			}
			switch {
			case numbers == 0:
				weight = n
			case n == 0:
				done = true
			case n > int64(candidates):
				return nil
			default:
				marks = append(marks, count.Mark(n-1))
			}
			numbers++
		}
		if numbers == 0 {
			break
		}
		if numbers > maxMarks || g.Add(marks, weight) != nil {
			return nil
		}
	}
	return g
}
