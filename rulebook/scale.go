package rulebook

import (
	"strconv"
	"strings"
)

// The bounds of a scale of points: so many ranks, and so much for one of them.
const (
	maxRanks  = 1000
	maxPoints = 1_000_000
)

// ScaleFor gives what each rank is worth in an election by points with so many
// candidates: the stage's scale or, where it has none, Borda's, in which the
// first of n candidates is worth n points and the last one.
func (s *Stage) ScaleFor(candidates int) []int64 {
	if len(s.Scale) > 0 {
		return s.Scale
	}
	out := make([]int64, candidates)
	for i := range out {
		out[i] = int64(candidates - i)
	}
	return out
}

// scale reads what each rank is worth: numbers, and ranges such as 80..19.
func (d *decoder) scale(n *node, out *Stage) {
	if n == nil {
		return
	}
	if m := constantWord(out.Method); m != "" && m != "points" || out.Method == nil {
		d.c.err("unknown-key", n.pos, "Leave it out, or write `method: points`.", "only the method points has a `scale`")
		return
	}
	for _, i := range n.list() {
		first, last, ranged := strings.Cut(i.text, "..")
		if !ranged {
			last = first
		}
		a, b := points(first), points(last)
		if a < 0 || b < 0 || len(out.Scale)+max(a-b, b-a) >= maxRanks {
			d.c.err("type", i.pos, "Write what the ranks are worth, the first rank first, as in `[5, 3, 1]`, or `80..19` for every number from 80 down to 19.", "`scale` is a list of whole numbers, at most %d", maxRanks)
			return
		}
		for step := 1; ; a += step {
			if a > b {
				step = -1
			}
			out.Scale = append(out.Scale, int64(a))
			if a == b {
				break
			}
		}
	}
	for i, p := range out.Scale {
		if i > 0 && p > out.Scale[i-1] || out.Scale[0] == 0 {
			d.c.err("type", n.pos, "Let the first rank be worth most.", "a lower rank cannot be worth more than a higher one")
			return
		}
	}
}

// points reads a whole number of points; -1 if it is none.
func points(text string) int {
	v, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || v < 0 || v > maxPoints {
		return -1
	}
	return v
}

// scaleText reads a scale as a sentence.
func scaleText(scale []int64) string {
	var parts []string
	for i := 0; i < len(scale); {
		end := i
		for end+1 < len(scale) && scale[end+1] == scale[end]-1 {
			end++
		}
		if end-i >= 3 {
			parts = append(parts, strconv.FormatInt(scale[i], 10)+" down to "+strconv.FormatInt(scale[end], 10))
			i = end + 1
			continue
		}
		parts = append(parts, strconv.FormatInt(scale[i], 10))
		i++
	}
	return sentenceList(parts, "and")
}
