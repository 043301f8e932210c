package archive

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/omov/omov/count"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/rulebooks"
)

// Result is a published contest counted under a rulebook.
type Result struct {
	Rulebook string // its title
	Clause   string
	Sheet    *count.Sheet
	// Section gives the rulebook's section for each published one that votes
	// under it; "" is its only one.
	Section map[string]string
	LeftOut []string // published sections that have no vote under it
}

// Count counts a contest under the rulebook that it ran under.
func (c *Contest) Count() (*Result, error) { return c.Under(c.Rulebook) }

// Under counts a contest under a shipped rulebook: by its method, in its
// sections, with its weights. Where the papers do not say who would have voted
// in a section of it, that is a refusal.
func (c *Contest) Under(name string) (*Result, error) {
	r, err := ruleOf(name, c.Procedure)
	if err != nil {
		return nil, err
	}
	groups, left, err := c.arrange(r)
	if err != nil {
		return nil, err
	}
	out := &Result{Rulebook: r.title, Clause: r.clause, Section: map[string]string{}, LeftOut: left}
	for i, g := range groups {
		for _, s := range g {
			out.Section[s] = r.sections[i].Name
		}
	}
	if out.Sheet, err = c.count(r, name, groups); err != nil {
		return nil, err
	}
	for _, s := range left {
		out.Sheet.Notes = append(out.Sheet.Notes, c.section(s).Says+" have no vote under this rulebook; their papers are left out.")
	}
	return out, nil
}

func (c *Contest) section(name string) *Section {
	for i := range c.Sections {
		if c.Sections[i].Name == name {
			return &c.Sections[i]
		}
	}
	return nil
}

// rule is what a rulebook says about the ballot of a procedure.
type rule struct {
	title, clause, method string
	sections              []count.Section // names and weights; one without a name where there are none
	voters                map[string][]string
	pass                  count.Threshold // of a vote without candidates
}

// ruleOf reads the last ballot of a procedure off a compiled rulebook.
func ruleOf(name, procedure string) (*rule, error) {
	src, err := rulebooks.Read(name)
	if err != nil {
		return nil, err
	}
	book, err := rulebook.Parse(src)
	if err != nil {
		return nil, err
	}
	stage := lastBallot(book.Procedure(procedure))
	if stage == nil {
		return nil, fault.New(fault.NotFound, "The rulebook %q has no ballot called %s.", book.Title, procedure)
	}
	r := &rule{title: book.Title, clause: stage.Cite, method: "majority"}
	if stage.Method != nil {
		v, ok := stage.Method.Literal()
		if !ok {
			return nil, fault.New(fault.NotFound, "The rulebook %q leaves the method to a decision.", book.Title)
		}
		r.method = v.Words
	} else if r.pass, err = threshold(stage.Passes); err != nil {
		return nil, err
	}
	if err := r.sectionsOf(book, stage); err != nil {
		return nil, err
	}
	return r, r.votersOf(name + "/" + procedure)
}

func lastBallot(p *rulebook.Procedure) *rulebook.Stage {
	if p == nil {
		return nil
	}
	for i := len(p.Stages) - 1; i >= 0; i-- {
		if p.Stages[i].Kind == rulebook.Ballot {
			return &p.Stages[i]
		}
	}
	return nil
}

// threshold reads a plain majority: a share of what was cast.
func threshold(t *rulebook.Threshold) (count.Threshold, error) {
	if t == nil {
		return count.Threshold{}, nil
	}
	amount, ok := t.Amount.Literal()
	of, fixed := t.Of.Literal()
	if !ok || !fixed || !t.Share || amount.Number == nil {
		return count.Threshold{}, fault.New(fault.NotFound, "The rulebook's majority is not a plain share.")
	}
	return count.Threshold{Share: amount.Number, AtLeast: t.Cmp == rulebook.AtLeast, Of: of.Words}, nil
}

func (r *rule) sectionsOf(book *rulebook.Book, stage *rulebook.Stage) error {
	var e *rulebook.Electorate
	if stage.Voters.Kind == rulebook.WhoElectorate {
		e = book.Electorate(stage.Voters.Name)
	}
	if e == nil || len(e.Sections) == 0 {
		r.sections = []count.Section{{}}
		return nil
	}
	for _, s := range e.Sections {
		w, ok := new(big.Rat).SetString(s.Weight)
		if !ok {
			return fault.New(fault.Invalid, "The section %s of %q has no weight.", s.Name, book.Title)
		}
		r.sections = append(r.sections, count.Section{Name: s.Name, Weight: w})
	}
	return nil
}

// votersOf reads which kinds of voter the sections are made of. This is the
// one thing about a rulebook that is not in the rulebook: it says who votes,
// but not what the tables of another age call them.
func (r *rule) votersOf(key string) error {
	all := map[string]map[string][]string{}
	if err := read(votersFile, &all); err != nil {
		return err
	}
	r.voters = all[key]
	for name := range r.voters {
		if !slices.ContainsFunc(r.sections, func(s count.Section) bool { return s.Name == name }) {
			return fault.New(fault.Internal, "The archive speaks of a section %q that %q does not have.", name, r.title)
		}
	}
	return nil
}

// arrange says which published sections vote in each section of a rulebook,
// and which in none.
func (c *Contest) arrange(r *rule) (groups [][]string, left []string, err error) {
	placed := map[string]bool{}
	for _, s := range r.sections {
		var g []string
		for _, own := range c.Sections {
			if slices.Contains(r.voters[s.Name], own.Kind) {
				g, placed[own.Name] = append(g, own.Name), true
			}
		}
		if len(g) == 0 {
			where := "would have voted"
			if s.Name != "" {
				where = "belongs to the section “" + s.Name + "”"
			}
			return nil, nil, &fault.Error{Kind: fault.NotFound,
				Message: fmt.Sprintf("The published figures do not say who %s under “%s”: they are of %s.", where, r.title, c.kinds())}
		}
		groups = append(groups, g)
	}
	for _, own := range c.Sections {
		if !placed[own.Name] {
			left = append(left, own.Name)
		}
	}
	return groups, left, nil
}

func (c *Contest) kinds() string {
	var out []string
	for _, s := range c.Sections {
		k := s.Kind
		if k == "mps" {
			k = "members of parliament"
		}
		out = append(out, k)
	}
	if n := len(out); n > 1 {
		return strings.Join(out[:n-1], ", ") + " and " + out[n-1]
	}
	return out[0]
}

// count counts by a rule. Where the contest itself was held anew at every
// round, an exhaustive ballot counts its rounds; under another rulebook only
// the first, because who stood in the later ones followed from its own.
func (c *Contest) count(r *rule, name string, groups [][]string) (*count.Sheet, error) {
	x := count.Contest{Candidates: c.Candidates, Pass: r.pass}
	plain, err := c.heldAnew()
	if err != nil {
		return nil, err
	}
	if r.method == "exhaustive" && plain {
		if x.Rounds = c.ballots(groups); name != c.Rulebook {
			x.Rounds = x.Rounds[:1]
			x.Rounds[0].Withdraw = nil
		}
		if len(r.sections) == 1 {
			return count.Count("exhaustive", x)
		}
		x.Inside = "exhaustive"
		return count.Count("college", x, r.sections...)
	}
	sections, err := c.sections(r, groups)
	if err != nil {
		return nil, err
	}
	method := r.method
	if len(sections) > 1 {
		x.Inside, method = r.method, "college"
	}
	sheet, err := count.Count(method, x, sections...)
	if err == nil && r.method == "exhaustive" {
		sheet.Notes = append(sheet.Notes, "An exhaustive ballot would have been held anew at every round; here the later preferences stand for the later rounds.")
	}
	return sheet, err
}

// heldAnew tells whether the contest's own rulebook holds a new ballot at
// every round.
func (c *Contest) heldAnew() (bool, error) {
	own, err := ruleOf(c.Rulebook, c.Procedure)
	if err != nil {
		return false, err
	}
	return own.method == "exhaustive", nil
}

// sections puts the papers into a rulebook's sections. Published sections
// that vote together stay told apart as reporting groups.
func (c *Contest) sections(r *rule, groups [][]string) ([]count.Section, error) {
	papers, err := c.Papers()
	if err != nil {
		return nil, err
	}
	out := slices.Clone(r.sections)
	for i, g := range groups {
		to := count.NewGrouper(len(c.Candidates))
		if len(g) > 1 {
			var says []string
			for _, s := range g {
				says = append(says, c.section(s).Says)
			}
			if err := to.SetClasses(says); err != nil {
				return nil, err
			}
		}
		for _, p := range papers {
			if class := slices.Index(g, p.Section); class >= 0 {
				if err := p.add(to, class); err != nil {
					return nil, err
				}
			}
		}
		out[i].Papers = to.Papers()
	}
	return out, nil
}

func (p *SectionPapers) add(to *count.Grouper, class int) error {
	for _, x := range p.Papers {
		marks := make([]count.Mark, len(x.Marks))
		for i, m := range x.Marks {
			marks[i] = count.Mark(m)
		}
		if err := to.AddIn(class, marks, x.N); err != nil {
			return err
		}
	}
	return to.Spoil(p.Spoilt)
}
