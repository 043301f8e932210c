package rulebook

import "slices"

// spot is a stage of a procedure.
type spot struct{ proc, stage int }

// circles refuses procedures that lead back to themselves without any time
// passing: once begun they would never stop, and fill the minute book. What
// happens only under a condition is let pass.
func (d *decoder) circles() {
	done := map[spot]bool{}
	for i := range d.b.Procedures {
		if len(d.b.Procedures[i].Stages) > 0 {
			d.circle(spot{i, 0}, nil, done)
		}
	}
}

// circle follows what comes at once from a spot; trail is how it was reached.
func (d *decoder) circle(at spot, trail []spot, done map[spot]bool) {
	if slices.Contains(trail, at) {
		p := &d.b.Procedures[at.proc]
		if s := p.Stages[at.stage]; !d.sy.names[p.Name].outer {
			d.c.err("endless", s.Pos, "Give a stage a `window` or a `notice`, or let the circle end.", "stage `%s` of `%s` leads back to itself at once, and never stops", s.Name, p.Name)
		}
		return
	}
	if done[at] {
		return
	}
	done[at] = true
	for _, next := range d.atOnce(at) {
		d.circle(next, append(slices.Clone(trail), at), done)
	}
}

// atOnce gives the spots to which a stage leads without any time passing.
func (d *decoder) atOnce(at spot) []spot {
	p := &d.b.Procedures[at.proc]
	s := &p.Stages[at.stage]
	var out []spot
	if s.If != nil && at.stage+1 < len(p.Stages) {
		out = append(out, spot{at.proc, at.stage + 1})
	}
	for _, o := range s.comesAtOnce() {
		effects, listed := s.Next(o)
		if !listed && at.stage+1 < len(p.Stages) {
			out = append(out, spot{at.proc, at.stage + 1})
		}
		for _, e := range effects {
			switch {
			case e.If != nil:
			case e.Do == DoGo:
				if _, k := p.Stage(e.Target); k >= 0 {
					out = append(out, spot{at.proc, k})
				}
			case e.Do == DoStart:
				k := slices.IndexFunc(d.b.Procedures, func(q Procedure) bool { return q.Name == e.Target })
				if k >= 0 && len(d.b.Procedures[k].Stages) > 0 {
					out = append(out, spot{k, 0})
				}
			}
		}
	}
	return out
}

// comesAtOnce gives the outcomes that a stage can have in the moment in which
// it is reached: of a draw, of a window of no length, and of an election that
// has no more candidates than places.
func (s *Stage) comesAtOnce() []string {
	if s.Notice != nil || s.Opens != nil || s.Closes != nil {
		return nil
	}
	if v, ok := s.Window.Literal(); ok && v.Span == (Span{}) {
		return s.Outcomes()
	}
	switch {
	case s.Kind == Draw && s.Window == nil:
		return s.Outcomes()
	case s.Kind == Ballot && s.Method != nil:
		out := []string{"elected"}
		if _, listed := s.Next("short"); listed {
			out = append(out, "short")
		}
		return out
	}
	return nil
}
