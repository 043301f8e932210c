package contest

import (
	"math/big"
	"slices"

	"github.com/omov/omov/count"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
)

// RecountUnder counts the full papers of a ballot as another rulebook would
// have: by its method, in its sections where the papers tell them apart, in
// one pool where it has none. The sheet is unofficial; nothing is recorded.
// Where the papers do not say who belongs to a section of the other rulebook,
// that is a refusal.
func RecountUnder(other *rulebook.Book, procedure string, b *proceeding.Ballot, papers *PapersBody) (*count.Sheet, error) {
	if b.Method == "" {
		return nil, fault.New(fault.Invalid, "A vote for or against has no other way of counting.")
	}
	stage := electionOf(other, procedure)
	if stage == nil {
		return nil, fault.New(fault.NotFound, "The rulebook %q has no election called %s.", other.Title, procedure)
	}
	method := b.Method
	if v, ok := stage.Method.Literal(); ok {
		method = v.Words
	}
	exhaustive := method == "exhaustive"
	if exhaustive {
		method = "av" // the papers hold rankings, which stand for the later rounds
	}
	own, err := Sections(b, papers)
	if err != nil {
		return nil, err
	}
	sections, err := reweigh(other, stage, b, papers, own)
	if err != nil {
		return nil, err
	}
	c := count.Contest{Candidates: proceeding.OptionNames(b.Options), Seats: max(1, b.Seats), Seed: proceeding.LotSeed(b), Scale: stage.ScaleFor(len(b.Options))}
	sheet, err := countBy(method, c, sections)
	if err == nil && exhaustive {
		sheet.Notes = append(sheet.Notes, "An exhaustive ballot would have been held anew at every round; here the later preferences stand for the later rounds.")
	}
	return sheet, err
}

// electionOf is the last election of a procedure.
func electionOf(b *rulebook.Book, procedure string) *rulebook.Stage {
	p := b.Procedure(procedure)
	if p == nil {
		return nil
	}
	for i := len(p.Stages) - 1; i >= 0; i-- {
		if p.Stages[i].Kind == rulebook.Ballot && p.Stages[i].Method != nil {
			return &p.Stages[i]
		}
	}
	return nil
}

// reweigh arranges papers in the sections of another rulebook.
func reweigh(other *rulebook.Book, stage *rulebook.Stage, b *proceeding.Ballot, papers *PapersBody, own []count.Section) ([]count.Section, error) {
	var e *rulebook.Electorate
	if stage.Voters.Kind == rulebook.WhoElectorate {
		e = other.Electorate(stage.Voters.Name)
	}
	if office := onlyHolders(other, stage.Voters, e); office != "" {
		return nil, fault.New(fault.NotFound, "Under %q only those vote who hold an office (%s). The papers do not say who that is, so they cannot be counted under it.", other.Title, office)
	}
	if e == nil || len(e.Sections) == 0 {
		pool, err := onePool(b, papers)
		return []count.Section{pool}, err
	}
	var out []count.Section
	for _, s := range e.Sections {
		i := slices.IndexFunc(own, func(x count.Section) bool { return x.Name == s.Name })
		if i < 0 {
			return nil, fault.New(fault.NotFound, "The papers do not say who belongs to the section %q of %q, so they cannot be counted under it.", s.Name, other.Title)
		}
		w, ok := new(big.Rat).SetString(s.Weight)
		if !ok {
			return nil, fault.New(fault.Damaged, "section %s has no weight", s.Name)
		}
		out = append(out, count.Section{Name: s.Name, Weight: w, Papers: own[i].Papers})
	}
	return out, nil
}

// onlyHolders gives the office that all voters of an electorate without
// sections must hold; empty where there is none.
func onlyHolders(b *rulebook.Book, who *rulebook.Who, e *rulebook.Electorate) string {
	if who.Kind == rulebook.WhoOffice {
		return who.Name
	}
	if who.Kind == rulebook.WhoBody {
		if body := b.Body(who.Name); body != nil && len(body.Offices) > 0 {
			return body.Offices[0]
		}
		return who.Name
	}
	if e == nil {
		return ""
	}
	for _, c := range e.Conditions {
		for _, name := range c.When.Constants() {
			if b.Office(name) != nil {
				return name
			}
		}
	}
	return ""
}

// onePool puts the papers of all sections together, one vote each.
func onePool(b *proceeding.Ballot, papers *PapersBody) (count.Section, error) {
	g := count.NewGrouper(len(b.Options))
	for _, sp := range papers.Sections {
		plain := slices.Clone(sp.Papers)
		for i := range plain {
			plain[i].Value = ""
		}
		if err := addPapers(g, plain); err != nil {
			return count.Section{}, err
		}
	}
	return count.Pool(g.Papers()), nil
}
