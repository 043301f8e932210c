package count

import "slices"

// trail records where groups of papers lay. A nil trail records nothing.
type trail struct {
	p    *Papers
	path []Path
}

func newTrail(p *Papers) *trail { return &trail{p: p, path: make([]Path, p.Len())} }

// move notes that piles went to a candidate, −1 for non-transferable.
func (t *trail) move(piles []pile, stage, to int, value Amount) {
	if t == nil {
		return
	}
	for _, p := range piles {
		for _, x := range (&pool{p: t.p}).open(p) {
			t.path[x.group] = append(t.path[x.group], Step{stage, to, value})
		}
	}
}

// paths gives the trail by the groups of the papers as they were handed to
// Count: groups that were set aside have no path.
func (t *trail) paths() []Path {
	if t.p.origin == nil {
		return t.path
	}
	out := make([]Path, len(t.p.origin))
	for i, j := range t.p.origin {
		if j >= 0 {
			out[i] = slices.Clip(t.path[j])
		}
	}
	return out
}
