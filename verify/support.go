package verify

import (
	"slices"
	"strings"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
)

// support checks one supporter's word: in time, by somebody who could support
// here, with the weight that the rulebook gives, and through the office that
// speaks for the unit.
func (v *verifier) support(e *entry, r *run, b *proceeding.SupportBody) {
	c := v.Check(CheckSupport)
	x := &b.Support
	g, closes, ok := r.gatheringNow(b.Stage)
	if !c.must(ok, e.seq, "nothing is being gathered for it") {
		return
	}
	s := v.scope(e, r, e.at.UnixMilli())
	if e.head.Kind == proceeding.KindUnsupport {
		v.unsupport(e, r, s, g, b)
		return
	}
	v.Check(CheckTimes).must(closes == 0 || x.At < closes, e.seq, "it was given after the window had closed")
	if v.prompt(e, x.At) {
		s.at, s.seen = x.At, x.At/1000
	}
	person, unit, ok := unkey(x.By)
	if !c.must(ok && x.Gone == "", e.seq, "its supporter %q is nobody", x.By) {
		return
	}
	v.once(e, r, s, g, x)
	if g.t == nil {
		return
	}
	want, err := s.parts(g.t, person, unit, x.For)
	c.must(err == nil && len(want) > 0 && slices.Equal(want, x.Leaves), e.seq, "the rulebook gives this supporter another weight, or none: %v", want)
	if unit != 0 && x.From != "" {
		v.ownBallot(e, r, unit, x)
		return
	}
	if unit != 0 {
		v.unitSupport(e, s, unit, x)
		return
	}
	c.must(x.From == "" && x.Through == 0 && !x.Against && !x.Void, e.seq, "a person's support has a unit's figures")
}

// once checks that nobody supports more than they may.
func (v *verifier) once(e *entry, r *run, s *scope, g gathering, x *proceeding.Support) {
	places, n, opened := 1, 0, r.openedAt(g.stage)
	if x.For != 0 {
		for i := range r.proc.Stages {
			if st := &r.proc.Stages[i]; st.Kind == rulebook.Ballot && st.Method != nil {
				if places = s.seats(st); places == notPublic {
					places = len(r.st.Candidates)
				}
				break
			}
		}
		cand := r.st.Candidate(x.For)
		v.Check(CheckSupport).must(cand != nil && (cand.Status == proceeding.Proposed || cand.Status == proceeding.Accepted), e.seq, "it is for somebody who does not stand")
	}
	for _, old := range r.supports {
		if old.stage != g.stage || old.seq < opened || old.By != x.By || old.Gone != "" || old.Void {
			continue
		}
		n++
		v.Check(CheckSupport).must(old.For != x.For, e.seq, "%s supports the same a second time", x.By)
	}
	v.Check(CheckSupport).must(n < places, e.seq, "%s supports more than %d", x.By, places)
}

// unsupport checks that support is taken back where it may be, or has lapsed
// because its giver has left.
func (v *verifier) unsupport(e *entry, r *run, s *scope, g gathering, b *proceeding.SupportBody) {
	c := v.Check(CheckSupport)
	kept := false
	if st, _ := r.proc.Stage(b.Stage); st != nil {
		kept = st.Kept
	} else if way := wayOf(r.proc, r.st.Cause); way != nil {
		kept = way.Kept
	}
	c.must(!kept, e.seq, "support once given stays, and this is taken away")
	had := slices.ContainsFunc(r.supports, func(x given) bool { return x.stage == b.Stage && x.By == b.Support.By && x.Gone == "" })
	c.must(had, e.seq, "%s had given no support", b.Support.By)
	if b.Support.Gone != "left" {
		c.must(b.Support.Gone == "withdrawn", e.seq, "support is gone for the unknown reason %q", b.Support.Gone)
		return
	}
	person, unit, _ := unkey(b.Support.By)
	parts, err := s.parts(g.t, person, unit, b.Support.For)
	c.must(err == nil && len(parts) == 0, e.seq, "%s could still support, and their support was dropped", b.Support.By)
}

// gatheringNow is what a run gathers support for now.
func (r *run) gatheringNow(stage string) (g gathering, closes int64, ok bool) {
	if stage == "" {
		way := wayOf(r.proc, r.st.Cause)
		if r.st.Phase != proceeding.Collecting || r.st.Backing == nil || way == nil {
			return g, 0, false
		}
		return gathering{t: way.Backed, bases: r.st.Backing.Bases}, r.st.Backing.Closes, true
	}
	rule, i := r.proc.Stage(stage)
	now := r.st.Now()
	if rule == nil || rule.Kind != rulebook.Gather || r.st.Current != i || now.Status != proceeding.Open || now.Gather == nil {
		return g, 0, false
	}
	return gathering{t: rule.Needs, bases: now.Gather.Bases, stage: stage}, now.Closes, true
}

// parts works out towards which parts of a gate a supporter's word goes.
func (s *scope) parts(t *rulebook.Threshold, person register.PersonID, unit register.UnitID, candidate register.PersonID) ([]proceeding.LeafShare, error) {
	var out []proceeding.LeafShare
	var failed error
	var p, c rulebook.Person
	var u rulebook.Unit
	if unit != 0 {
		u = s.view().Unit(unit)
	} else {
		p = s.view().Person(person)
	}
	if candidate != 0 {
		c = s.view().Person(candidate)
	}
	leaves(t, "", func(path string, t *rulebook.Threshold) {
		if failed != nil || t.From == nil {
			return
		}
		in, err := s.oneOf(person, unit, t.From)
		if err == nil && in {
			var w proceeding.LeafShare
			w, in, err = s.part(path, t, p, u, c)
			if err == nil && in {
				out = append(out, w)
			}
		}
		failed = err
	})
	return out, failed
}

func (s *scope) part(path string, t *rulebook.Threshold, p rulebook.Person, u rulebook.Unit, c rulebook.Person) (proceeding.LeafShare, bool, error) {
	out := proceeding.LeafShare{Leaf: path}
	w, in, err := s.share(t, p, u, c)
	if err != nil || !in {
		return out, false, err
	}
	if text := w.RatString(); text != "1" {
		out.Weight = text
	}
	if t.Distinct != "" && p != nil {
		if x, ok := p.Unit(t.Distinct); ok {
			out.Unit = x.Key()
		}
	}
	return out, true, nil
}

// oneOf tells whether a person or a unit is one of who.
func (s *scope) oneOf(person register.PersonID, unit register.UnitID, who *rulebook.Who) (bool, error) {
	for _, w := range alternatives(who) {
		in, err := s.is(person, unit, w)
		if in || err != nil {
			return in, err
		}
	}
	return false, nil
}

func (s *scope) is(person register.PersonID, unit register.UnitID, who rulebook.Who) (bool, error) {
	if (who.Kind == rulebook.WhoUnit) != (unit != 0) {
		return false, nil
	}
	switch who.Kind {
	case rulebook.WhoUnit:
		return slices.Contains(s.view().Tree.Kind(who.Name, s.r.st.Unit), unit), nil
	case rulebook.WhoClass:
		return s.view().Person(person).Is(who.Name), nil
	case rulebook.WhoElectorate:
		freeze, err := s.freeze()
		if err != nil {
			freeze = nil
		}
		plan, err := roll.NewPlan(s.r.book, who, s, s.view(), freeze)
		if err != nil {
			return false, err
		}
		lines, err := plan.Assessor().Assess(s.view().Person(person), nil)
		return slices.ContainsFunc(lines, func(l roll.Line) bool { return l.Reason == 0 }), err
	}
	list, err := s.members(who)
	return slices.Contains(list, person), err
}

// unitSupport checks who entered a unit's decision, and that its figures
// decide as its own rule has it.
func (v *verifier) unitSupport(e *entry, s *scope, unit register.UnitID, x *proceeding.Support) {
	c := v.Check(CheckSupport)
	u := s.view().Unit(unit)
	kind := s.r.book.UnitKind(u.Kind())
	if !c.must(kind != nil && kind.Decides != nil, e.seq, "the rulebook does not say how %s decides", u.Name()) {
		return
	}
	if x.Through != 0 {
		office := speaksFor(s.r.book, kind)
		held := slices.ContainsFunc(s.view().Roster.Of(x.Through, s.seen, s.known), func(t register.TermOfOffice) bool { return t.Office == office && t.Unit == unit })
		c.must(held, e.seq, "person %d does not hold the office that speaks for %s", x.Through, u.Name())
	}
	d := kind.Decides
	if d.By != "" || x.Yes+x.No == 0 {
		return
	}
	f := map[string]int64{"for": x.Yes, "against": x.No, "papers": x.Yes + x.No, "present": x.Yes + x.No, "cast": x.Yes + x.No}
	void, entitled := false, false
	leaves(d.Passes, "", func(_ string, t *rulebook.Threshold) {
		entitled = entitled || t.Of != nil && strings.Contains(t.Of.Source(), "entitled")
	})
	if d.Ballot != nil && (d.Quorum != nil || entitled) {
		there := *s
		view := *s.view()
		view.Here = unit
		there.cached = &view
		n, err := there.everybody(*d.Ballot)
		f["entitled"] = n
		quorate, fine := s.passes(d.Quorum, f)
		void = !quorate
		c.must(err == nil && fine, e.seq, "the quorum of %s cannot be measured", u.Name())
		c.must(err != nil || x.Yes+x.No <= n, e.seq, "%s has %d votes of %d who may vote there", u.Name(), x.Yes+x.No, n)
	}
	carried, fine := s.passes(d.Passes, f)
	c.must(fine && x.Void == void && (carried || x.Against), e.seq, "%s voted %d to %d, which does not decide as it was entered", u.Name(), x.Yes, x.No)
}

// speaksFor is the office that enters what a unit of a kind decided.
func speaksFor(book *rulebook.Book, kind *rulebook.UnitKind) string {
	if kind.Decides != nil && kind.Decides.By != "" {
		return kind.Decides.By
	}
	first := ""
	for i := range book.Offices {
		o := &book.Offices[i]
		if o.Per != kind.Name {
			continue
		}
		if n := len(o.Name); n > 9 && o.Name[n-9:] == "secretary" {
			return o.Name
		}
		if first == "" {
			first = o.Name
		}
	}
	return first
}
