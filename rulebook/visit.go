package rulebook

import "slices"

// visitor goes over everything that a procedure asks: its own expressions
// (but not its freeze), and those of the electorates, bodies and units that it
// names, directly or through others.
type visitor struct {
	b    *Book
	seen map[string]bool
	expr func(*Expr)
	who  func(*Who)
}

func (d *decoder) visit(p *Procedure, expr func(*Expr), who func(*Who)) {
	v := &visitor{b: d.b, seen: map[string]bool{}, expr: expr, who: who}
	for _, b := range p.Begins {
		v.exprs(b.If, b.Window)
		v.threshold(b.Backed)
		v.whos(b.By)
	}
	for i := range p.Stages {
		s := &p.Stages[i]
		v.exprs(s.If, s.Opens, s.Notice, s.Window, s.Closes, s.Automatic, s.Fee, s.How, s.Method, s.Seats, s.Interval, s.Minimum, s.Where, s.DrawSeats)
		v.whos(s.Stand, s.Voters, s.By, s.Pool)
		for _, t := range slices.Concat([]*Threshold{s.Needs, s.Passes, s.Quorum}, s.Paper, s.Result, s.Pick) {
			v.threshold(t)
		}
	}
}

func (v *visitor) exprs(es ...*Expr) {
	for _, e := range es {
		if e != nil {
			v.expr(e)
		}
	}
}

func (v *visitor) threshold(t *Threshold) {
	if t == nil {
		return
	}
	for _, x := range slices.Concat(t.All, t.Any) {
		v.threshold(x)
	}
	v.whos(t.From)
	v.exprs(t.Amount, t.Of, t.Where, t.Weigh, t.When)
}

func (v *visitor) whos(ws ...*Who) {
	for _, w := range ws {
		if w == nil || w.Name != "" && v.seen[w.Name] {
			continue
		}
		v.seen[w.Name] = true
		v.who(w)
		for i := range w.Any {
			v.whos(&w.Any[i])
		}
		v.inside(w)
	}
}

// inside goes on into what a name stands for.
func (v *visitor) inside(w *Who) {
	switch w.Kind {
	case WhoBody:
		if b := v.b.Body(w.Name); b != nil {
			v.exprs(b.When)
			v.decides(b.Decides)
		}
	case WhoUnit:
		if u := v.b.UnitKind(w.Name); u != nil {
			v.decides(u.Decides)
		}
	case WhoElectorate:
		e := v.b.Electorate(w.Name)
		if e == nil {
			return
		}
		for _, c := range e.Conditions {
			v.exprs(c.When)
		}
		for i := range e.Sections {
			v.exprs(e.Sections[i].Value)
			v.whos(&e.Sections[i].Of)
		}
	}
}

func (v *visitor) decides(x *Decides) {
	if x == nil {
		return
	}
	v.whos(x.Ballot)
	v.exprs(x.How)
	v.threshold(x.Quorum)
	v.threshold(x.Passes)
}
