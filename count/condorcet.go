package count

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/omov/omov/fault"
)

func (c *Contest) noOpposition() error {
	switch c.Condorcet.Strength {
	case "", "winning", "margin":
		return nil
	}
	return fault.New(fault.Invalid, "Defeats are measured by winning votes or by margin here, not by %q.", c.Condorcet.Strength)
}

// countDebian is the vote counting of the Debian Constitution, appendix A
// (A.5 since version 1.9): options that do not reach the quorum over the
// default option, or do not defeat it by their majority, are dropped; then
// cloneproof Schwartz sequential dropping: while there are defeats within
// the Schwartz set, the weakest are dropped, all that are equally weak at
// once; one option left wins, of several the lot decides. A defeat is weaker if it has
// fewer votes for it, or as many and more against it.
func countDebian(c *Contest, sections []Section) (*Sheet, error) {
	x, err := newPairwise(c, sections)
	if err != nil {
		return nil, err
	}
	if err := c.noOpposition(); err != nil {
		return nil, err
	}
	if c.Condorcet.HasDefault {
		if d := c.Condorcet.Default; d < 0 || d >= len(c.Candidates) {
			return nil, noCandidate(d, len(c.Candidates))
		}
		x.dropByDefault()
	}
	n := len(c.Candidates)
	live := make([]bool, n*n) // defeats still in force
	for _, a := range x.in {
		for _, b := range x.in {
			live[a*n+b] = x.p.over(a, b) > x.p.over(b, a)
		}
	}
	for {
		set := schwartz(x.in, n, live)
		weakest := x.weakest(set, live)
		if len(weakest) == 0 {
			return x.debianEnd(set)
		}
		for _, d := range weakest {
			live[d[0]*n+d[1]] = false
			x.stage.Note = joinNotes(x.stage.Note, fmt.Sprintf("dropped: the defeat of %s by %s", c.Candidates[d[1]], c.Candidates[d[0]]))
		}
	}
}

// dropByDefault drops what fails the quorum or its majority.
func (x *pairwise) dropByDefault() {
	o := x.c.Condorcet
	var out []int
	for _, a := range x.in {
		if a == o.Default {
			continue
		}
		forIt, against := x.p.over(a, o.Default), x.p.over(o.Default, a)
		switch ratio := o.Majority[a]; {
		case o.Quorum != nil && !atLeast(forIt, x.p.den, o.Quorum):
			out = append(out, a)
			x.stage.Note = joinNotes(x.stage.Note, x.c.Candidates[a]+" does not reach the quorum")
		case ratio == nil && forIt <= against,
			ratio != nil && new(big.Rat).SetInt64(forIt).Cmp(new(big.Rat).Mul(ratio, new(big.Rat).SetInt64(against))) <= 0:
			out = append(out, a)
			x.stage.Note = joinNotes(x.stage.Note, x.c.Candidates[a]+" does not defeat the default option by its majority")
		}
	}
	x.stage.Excluded = x.c.names(out)
	x.in = slices.DeleteFunc(x.in, func(a int) bool { return slices.Contains(out, a) })
}

// schwartz gives the options that beat, by a chain of defeats, everyone who so
// beats them.
func schwartz(in []int, n int, live []bool) []int {
	reach := slices.Clone(live)
	for _, k := range in {
		for _, a := range in {
			for _, b := range in {
				if reach[a*n+k] && reach[k*n+b] {
					reach[a*n+b] = true
				}
			}
		}
	}
	var set []int
	for _, a := range in {
		if !slices.ContainsFunc(in, func(b int) bool { return reach[b*n+a] && !reach[a*n+b] }) {
			set = append(set, a)
		}
	}
	return set
}

// weakest gives the weakest defeats within a set, as pairs winner, loser.
func (x *pairwise) weakest(set []int, live []bool) [][2]int {
	var out [][2]int
	n := len(x.c.Candidates)
	for _, a := range set {
		for _, b := range set {
			if !live[a*n+b] {
				continue
			}
			if len(out) > 0 {
				d := x.compare([2]int{a, b}, out[0])
				if d > 0 {
					continue
				}
				if d < 0 {
					out = out[:0]
				}
			}
			out = append(out, [2]int{a, b})
		}
	}
	return out
}

// compare compares two defeats: positive if d is the stronger.
func (x *pairwise) compare(d, e [2]int) int {
	df, da := x.p.over(d[0], d[1]), x.p.over(d[1], d[0])
	ef, ea := x.p.over(e[0], e[1]), x.p.over(e[1], e[0])
	if x.c.Condorcet.Strength == "margin" {
		return compare(df-da, ef-ea)
	}
	if df != ef {
		return compare(df, ef)
	}
	return compare(ea, da)
}

// debianEnd elects; what is left of the order is by strongest paths, which
// agree with the dropping.
func (x *pairwise) debianEnd(set []int) (*Sheet, error) {
	rest := slices.DeleteFunc(slices.Clone(x.in), func(a int) bool { return slices.Contains(set, a) })
	rows := [][]int{set}
	if len(rest) > 0 {
		path := x.paths()
		n := len(x.c.Candidates)
		rows = append(rows, beaten(rest, func(a, b int) bool { return path[a*n+b] > path[b*n+a] })...)
	}
	return x.finish(rows)
}

// countRankedPairs locks defeats in from the strongest to the weakest (fewer
// votes against breaks equal strength), each unless it would close a circle
// with those already locked. Where defeats are equally strong, they are taken
// in the order of the lot among the candidates concerned, but only if that can
// matter: if all of them can be locked together they are.
func countRankedPairs(c *Contest, sections []Section) (*Sheet, error) {
	x, err := newPairwise(c, sections)
	if err != nil {
		return nil, err
	}
	if err := c.noOpposition(); err != nil {
		return nil, err
	}
	n := len(c.Candidates)
	var defeats [][2]int
	for _, a := range x.in {
		for _, b := range x.in {
			if x.p.over(a, b) > x.p.over(b, a) {
				defeats = append(defeats, [2]int{a, b})
			}
		}
	}
	slices.SortStableFunc(defeats, func(d, e [2]int) int { return x.compare(e, d) })
	locked := make([]bool, n*n)
	for i := 0; i < len(defeats); {
		j := i + 1
		for j < len(defeats) && x.compare(defeats[i], defeats[j]) == 0 {
			j++
		}
		if err := x.lock(locked, defeats[i:j]); err != nil {
			return nil, err
		}
		i = j
	}
	return x.finish(beaten(x.in, func(a, b int) bool { return locked[a*n+b] }))
}

// lock locks defeats of equal strength.
func (x *pairwise) lock(locked []bool, equal [][2]int) error {
	n := len(x.c.Candidates)
	var open [][2]int
	for _, d := range equal {
		if !reaches(locked, n, d[1], d[0]) {
			open = append(open, d)
		} else {
			x.stage.Note = joinNotes(x.stage.Note, fmt.Sprintf("left out: %s over %s, it would close a circle", x.c.Candidates[d[0]], x.c.Candidates[d[1]]))
		}
	}
	together := slices.Clone(locked)
	for _, d := range open {
		together[d[0]*n+d[1]] = true
	}
	if !slices.ContainsFunc(open, func(d [2]int) bool { return reaches(together, n, d[1], d[0]) }) {
		copy(locked, together)
		return nil
	}
	if err := x.lotAmong(open); err != nil {
		return err
	}
	for _, d := range open {
		if !reaches(locked, n, d[1], d[0]) {
			locked[d[0]*n+d[1]] = true
		}
	}
	return nil
}

// lotAmong orders equal defeats by the lot: the winner drawn first goes
// first; with the same winner, the loser drawn last.
func (x *pairwise) lotAmong(open [][2]int) error {
	var who []int
	for _, d := range open {
		for _, c := range d {
			if !slices.Contains(who, c) {
				who = append(who, c)
			}
		}
	}
	slices.Sort(who)
	x.ties.lots++
	order, how, err := x.ties.order("order of equal defeats", who, 1)
	if err != nil {
		return err
	}
	x.stage.Ties = append(x.stage.Ties, Tie{Number: x.ties.lots, For: "order of equal defeats", Among: x.c.names(who),
		How: how, Picked: x.c.names(order[:1]), Order: x.c.names(order)})
	slices.SortStableFunc(open, func(d, e [2]int) int {
		if d[0] != e[0] {
			return slices.Index(order, d[0]) - slices.Index(order, e[0])
		}
		return slices.Index(order, e[1]) - slices.Index(order, d[1])
	})
	return nil
}

// reaches tells whether locked defeats lead from a to b.
func reaches(locked []bool, n, a, b int) bool {
	seen := make([]bool, n)
	todo := []int{a}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if at == b {
			return true
		}
		if seen[at] {
			continue
		}
		seen[at] = true
		for c := range n {
			if locked[at*n+c] {
				todo = append(todo, c)
			}
		}
	}
	return false
}
