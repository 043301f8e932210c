package rulebook

import (
	"bytes"
	"slices"
)

// Amendment is a change of the rules that stands: by which run it was adopted, its text,
// and from when it holds (Unix milliseconds).
type Amendment struct {
	Ref  string
	Text string
	From int64
}

// Version is a rulebook and from when it is in force.
type Version struct {
	From   int64
	Source []byte
}

// Unfit is a change that could not be made, and why.
type Unfit struct {
	Ref string
	Why string
}

// Versions gives the rulebooks that come of a first one and the changes that
// stand, in the order in which they were adopted. A change is made to the
// version in force when it comes into force and to all that come later. One
// that does not fit one of them is left out as a whole.
func Versions(first []byte, changes []Amendment) ([]Version, []Unfit) {
	out := []Version{{Source: first}}
	var unfit []Unfit
	for _, c := range changes {
		next, err := changed(out, c)
		if err != nil {
			unfit = append(unfit, Unfit{Ref: c.Ref, Why: err.Error()})
			continue
		}
		out = next
	}
	return out, unfit
}

func changed(versions []Version, c Amendment) ([]Version, error) {
	out := slices.Clone(versions)
	i := InForceAt(out, c.From)
	if i < 0 { // it holds from before the first version
		i = 0
	} else if out[i].From < c.From {
		i++
		out = slices.Insert(out, i, Version{From: c.From, Source: out[i-1].Source})
	}
	for ; i < len(out); i++ {
		base, err := Parse(out[i].Source)
		if err != nil {
			return nil, err
		}
		next, problems := base.Amend([]byte(c.Text))
		if next == nil {
			return nil, problems.Errors()
		}
		out[i].Source = next.Source
	}
	return out, nil
}

// InForceAt is the place of the version in force at an instant, among versions
// in the order in which they come into force; -1 where there is none.
func InForceAt(versions []Version, at int64) int {
	best := -1
	for i := range versions {
		if versions[i].From <= at {
			best = i
		}
	}
	return best
}

// SameRules tells whether two texts are the same rulebook but for comments and
// the way in which they are written.
func SameRules(a, b []byte) bool {
	c := &complaints{}
	x, y := readTree(a, c), readTree(b, c)
	if x == nil || y == nil {
		return bytes.Equal(a, b)
	}
	return bytes.Equal(writeTree(x), writeTree(y))
}
