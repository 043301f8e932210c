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
func fastPapers(data []byte, candidates int, keep bool) (int, *count.Papers) {
	stop, after := lastLine(data)
	if stop < 0 {
		return 0, nil
	}
	first := bytes.IndexByte(data, '\n') + 1 // the rest of the header's line
	if first <= 0 || first > stop || len(bytes.TrimSpace(data[:first])) > 0 {
		first = 0
	}
	body := data[first:stop]
	mid := len(body)
	if len(body) > 1<<16 {
		mid = len(body)/2 + bytes.IndexByte(body[len(body)/2:], '\n') + 1
	}
	// A mark takes at least two bytes of text, and so does the 0 at the end
	// for which the batch keeps its own mark; a last line may lack its end.
	batches, err := count.NewBatches(candidates, mid/2+2, (len(body)-mid)/2+2)
	if err != nil {
		return 0, nil
	}
	var good [2]bool
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		good[1] = fastChunk(body[mid:], batches[1])
	}()
	good[0] = fastChunk(body[:mid], batches[0])
	wg.Wait()
	if !good[0] || !good[1] {
		return 0, nil
	}
	papers, err := count.GroupBatches(keep, batches...)
	if err != nil {
		return 0, nil
	}
	return after, papers
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

// fastChunk reads whole lines; false if one is unusual. Every line ends with a
// newline, so the bytes of a number and the one after it are there.
func fastChunk(data []byte, into *count.Batch) bool {
	if len(data) == 0 {
		return true
	}
	if data[len(data)-1] != '\n' {
		return false
	}
	into.Expect(bytes.Count(data, []byte("\n")))
	for at := 0; at < len(data); {
		weight, start := int64(0), at
		for d := data[at] - '0'; d <= 9; d = data[at] - '0' {
			weight = weight*10 + int64(d)
			at++
		}
		if at == start || at-start > 15 || weight == 0 { // a 0 ends the papers
			return false
		}
		room := into.Room()
		n := 0
		for {
			if data[at] != ' ' {
				return false
			}
			at++
			d := data[at] - '0'
			if d > 9 {
				return false
			}
			at++
			if e := data[at] - '0'; e <= 9 {
				if d == 0 || d > 6 {
					return false
				}
				d = d*10 + e
				at++
			}
			if d == 0 {
				break
			}
			if n >= len(room) || n >= maxMarks {
				return false
			}
			room[n] = count.Mark(d - 1)
			n++
		}
		if data[at] == '\r' {
			at++
		}
		if data[at] != '\n' || !into.Take(n, weight) {
			return false
		}
		at++
	}
	return true
}
