// Package sample makes papers for measuring and testing: the same seed gives
// the same papers, byte for byte, on every machine.
//
// It decides nothing about a count. Its numbers come from SplitMix64 (Steele,
// Lea and Flood, 2014), written here so that no library's change can change
// the papers.
package sample

import (
	"bufio"
	"fmt"
	"io"
	"strconv"

	"github.com/omov/omov/count"
)

// Shape says what the papers look like.
type Shape struct {
	Papers     int
	Candidates int
	Seats      int
	Seed       uint64
	// Uniform makes every order equally likely and every paper full; else
	// candidate k is about 1/(k+3) as popular, voters lean to one of three
	// wings, and papers have any length.
	Uniform bool
}

// random is SplitMix64.
type random uint64

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below gives a number from 0 to n-1.
func (r *random) below(n uint64) uint64 { return r.next() % n }

// Each calls f with each paper's candidates in order; the slice is reused.
func (s Shape) Each(f func(ranks []int) error) error {
	r := random(s.Seed)
	weights := make([]uint64, s.Candidates)
	left := make([]int, s.Candidates)
	paper := make([]int, 0, s.Candidates)
	for range s.Papers {
		for i := range left {
			left[i] = i
		}
		paper = paper[:0]
		length, wing := s.Candidates, 3
		if !s.Uniform {
			length, wing = 1+int(r.below(uint64(s.Candidates))), int(r.below(3))
		}
		sum := uint64(0)
		for i := range weights {
			if weights[i] = 1; !s.Uniform {
				if weights[i] = 1_000_000 / uint64(i+3); i%3 == wing {
					weights[i] *= 6
				}
			}
			sum += weights[i]
		}
		n := s.Candidates
		for range length {
			at, x := 0, r.below(sum)
			for x >= weights[left[at]] {
				x -= weights[left[at]]
				at++
			}
			c := left[at]
			sum -= weights[c]
			paper = append(paper, c)
			n--
			left[at] = left[n]
		}
		if err := f(paper); err != nil {
			return err
		}
	}
	return nil
}

// WriteBLT writes the papers one by one, ungrouped, as a BLT file.
func (s Shape) WriteBLT(w io.Writer) error {
	b := bufio.NewWriterSize(w, 1<<16)
	fmt.Fprintf(b, "%d %d\n", s.Candidates, max(s.Seats, 1))
	line := make([]byte, 0, 256)
	err := s.Each(func(ranks []int) error {
		line = append(line[:0], '1', ' ')
		for _, c := range ranks {
			line = strconv.AppendInt(line, int64(c)+1, 10)
			line = append(line, ' ')
		}
		_, err := b.Write(append(line, '0', '\n'))
		return err
	})
	if err != nil {
		return err
	}
	b.WriteString("0\n")
	for i := range s.Candidates {
		fmt.Fprintf(b, "\"Candidate %d\"\n", i+1)
	}
	fmt.Fprintf(b, "\"%d papers, seed %d\"\n", s.Papers, s.Seed)
	return b.Flush()
}

// Group gives the papers grouped.
func (s Shape) Group() (*count.Papers, error) {
	g := count.NewGrouper(s.Candidates)
	marks := make([]count.Mark, 0, s.Candidates)
	err := s.Each(func(ranks []int) error {
		marks = marks[:0]
		for _, c := range ranks {
			marks = append(marks, count.Mark(c))
		}
		return g.Add(marks, 1)
	})
	return g.Papers(), err
}

// Contest gives a contest over these papers.
func (s Shape) Contest() count.Contest {
	c := count.Contest{Seats: max(s.Seats, 1), Seed: []byte("sample")}
	for i := range s.Candidates {
		c.Candidates = append(c.Candidates, "Candidate "+strconv.Itoa(i+1))
	}
	return c
}
