package proceeding

import (
	"slices"

	"github.com/omov/omov/rulebook"
)

// ProcedureOf is the procedure that a run follows: the rulebook's, with every
// decision that is taken by a secret ballot read as that ballot. nil where the
// rulebook has no such procedure.
func ProcedureOf(book *rulebook.Book, st *State) *rulebook.Procedure {
	p := book.Procedure(st.Procedure)
	if p == nil || !slices.ContainsFunc(st.Stages, func(s Stage) bool { return s.How != "" }) {
		return p
	}
	out := *p
	out.Stages = slices.Clone(p.Stages)
	for i := range out.Stages {
		if i < len(st.Stages) && st.Stages[i].How != "" {
			out.Stages[i] = AsBallot(book, &out.Stages[i])
		}
	}
	return &out
}

// DecidesBy is how the body or kind of unit that takes a decision says
// something; nil for an office, or where the rulebook does not say.
func DecidesBy(book *rulebook.Book, who *rulebook.Who) *rulebook.Decides {
	if who == nil {
		return nil
	}
	switch who.Kind {
	case rulebook.WhoBody:
		if b := book.Body(who.Name); b != nil {
			return b.Decides
		}
	case rulebook.WhoUnit:
		if u := book.UnitKind(who.Name); u != nil {
			return u.Decides
		}
	}
	return nil
}

// AsBallot reads a decision of a body or of a unit as the ballot by which it
// is taken.
func AsBallot(book *rulebook.Book, r *rulebook.Stage) rulebook.Stage {
	dec := DecidesBy(book, r.By)
	if dec == nil {
		return *r
	}
	b := *r
	b.Kind, b.Voters = rulebook.Ballot, dec.Ballot
	if b.Voters == nil {
		b.Voters = r.By
	}
	if b.How == nil {
		b.How = dec.How
	}
	if b.Passes == nil {
		b.Passes = dec.Passes
	}
	if b.Quorum == nil {
		b.Quorum = dec.Quorum
	}
	// What a ballot without a result leaves is silence.
	silence := r.Otherwise
	if silence == "" {
		silence = "silence"
	}
	b.Then = slices.Clone(r.Then)
	for _, none := range []string{Inquorate, Unopened} {
		if _, listed := r.Next(none); listed {
			continue
		}
		if effects, listed := r.Next(silence); listed {
			b.Then = append(b.Then, rulebook.Then{Outcome: none, Effects: effects})
		}
	}
	return b
}

// secretly tells how a decision is taken where it is by a secret ballot; empty
// for all others.
func (d *decider) secretly(r *rulebook.Stage) (string, error) {
	dec := DecidesBy(d.book, r.By)
	if r.Kind != rulebook.Decide || dec == nil || len(r.Pick) > 0 {
		return "", nil
	}
	how := r.How
	if how == nil {
		how = dec.How
	}
	if how == nil {
		return "", nil
	}
	w, err := how.Words(&scope{d: d})
	if err != nil || !Secret(w) {
		return "", err
	}
	return w, nil
}
