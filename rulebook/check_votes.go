package rulebook

import "slices"

// unitVotes checks the procedures by which units vote when they are asked
// (`votes` of a stage that gathers support).
func (d *decoder) unitVotes(p *Procedure) {
	for i := range p.Stages {
		st := &p.Stages[i]
		q := d.b.Procedure(st.Votes)
		if q == nil {
			continue
		}
		if q.In == "" || !asks(st.Needs, q.In) {
			d.c.err("votes", st.Pos, "Let `"+q.Name+"` run `in` the kind of unit that `needs` counts.", "`%s` asks units, and `%s` is no vote of theirs", st.Name, q.Name)
			continue
		}
		if len(q.Takes) != 1 || q.Takes[0].Is != TakeRun || q.Takes[0].Of != p.Name {
			d.c.err("takes", q.Pos, "Write `takes: {question: "+p.Name+"}`.", "`%s` is begun by `%s`, and has to take the run of it that asks, and nothing else", q.Name, p.Name)
			continue
		}
		if !slices.ContainsFunc(q.effectsOf(), func(e Effect) bool { return e.Do == DoReport }) {
			d.c.err("votes", q.Pos, "Add `report: "+q.Takes[0].Name+"` to what follows its outcomes.", "`%s` never reports what the %s has said", q.Name, spaced(q.In))
		}
	}
}

// asks tells whether a threshold counts units of a kind.
func asks(t *Threshold, kind string) bool {
	if t == nil {
		return false
	}
	unit := func(w Who) bool { return w.Kind == WhoUnit && w.Name == kind }
	if t.From != nil && (unit(*t.From) || slices.ContainsFunc(t.From.Any, unit)) {
		return true
	}
	return slices.ContainsFunc(slices.Concat(t.All, t.Any), func(x *Threshold) bool { return asks(x, kind) })
}
