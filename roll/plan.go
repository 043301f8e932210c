package roll

import (
	"errors"
	"math/big"
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// MaxSections is the most sections that one electorate can have.
const MaxSections = 16

// Reason is why somebody has no vote in a section; number 0 of every list is
// "entitled".
type Reason struct {
	ID     string `json:"id"`
	Clause string `json:"clause,omitempty"`
	Says   string `json:"says"` // the condition, as the rulebook words it, without anybody's facts
}

// Reasons that are not conditions of the rulebook.
const (
	Entitled    = "entitled"
	NotInClass  = "class"    // does not belong in the class that votes
	NotThen     = "freeze"   // did not yet belong at the freeze
	NotThrough  = "unit"     // belongs through none of the units that give a vote
	Unsanction  = "sanction" // followed by ":" and the sanction's name
	notAssessed = 0xff
)

// Section is one section of an electorate, resolved for one ballot.
type Section struct {
	Name    string
	Of      rulebook.Who
	Weight  *big.Rat
	Declare string
	Listed  bool // its voters are few and written out: units, a body, an office
	Reasons []Reason

	value      *rulebook.Expr
	class      string
	conditions []rulebook.Condition
	perKind    string
	cite       string
}

// Plan is an electorate made ready to be asked about many people.
type Plan struct {
	Sections []Section
	People   []int // indexes of the sections that are not listed

	book     *rulebook.Book
	scope    rulebook.Scope
	freeze   *rulebook.Moment
	sanction []sanctionRule
}

type sanctionRule struct {
	term   register.Term
	reason int // offset from the section's first sanction reason
	name   string
	says   string
	cite   string
}

// NewPlan resolves who votes. Scope gives the run's variables; freeze may be
// nil.
func NewPlan(book *rulebook.Book, who rulebook.Who, scope rulebook.Scope, v *View, freeze *rulebook.Moment) (*Plan, error) {
	p := &Plan{book: book, scope: scope, freeze: freeze}
	for i := range book.Sanctions {
		s := &book.Sanctions[i]
		for _, r := range s.Removes {
			if r == "vote" {
				p.sanction = append(p.sanction, sanctionRule{term: v.Terms[s.Name], name: s.Name, says: s.Says.Raw(), cite: s.Cite})
			}
		}
	}
	if who.Kind == rulebook.WhoElectorate {
		e := book.Electorate(who.Name)
		if e == nil {
			return nil, fault.New(fault.NotFound, "the rulebook has no electorate called %s", who.Name)
		}
		for _, s := range e.Sections {
			w, ok := new(big.Rat).SetString(s.Weight)
			if !ok {
				return nil, fault.New(fault.Damaged, "section %s has no weight", s.Name)
			}
			if err := p.add(v, Section{Name: s.Name, Of: s.Of, Weight: w, Declare: s.Declare, value: s.Value}); err != nil {
				return nil, err
			}
		}
	}
	if len(p.Sections) == 0 {
		if err := p.add(v, Section{Of: who, Weight: big.NewRat(1, 1)}); err != nil {
			return nil, err
		}
	}
	if len(p.Sections) > MaxSections {
		return nil, fault.New(fault.TooMuch, "an electorate can have %d sections; this one has %d", MaxSections, len(p.Sections))
	}
	return p, nil
}

func (p *Plan) add(v *View, s Section) error {
	s.Reasons = []Reason{{ID: Entitled}}
	switch s.Of.Kind {
	case rulebook.WhoUnit, rulebook.WhoBody, rulebook.WhoOffice, rulebook.WhoPerson, rulebook.WhoAny:
		s.Listed = true
	case rulebook.WhoClass:
		c := p.book.Class(s.Of.Name)
		if c == nil {
			return fault.New(fault.NotFound, "the rulebook has no class called %s", s.Of.Name)
		}
		s.class, s.cite = c.Name, c.Cite
		s.Reasons = append(s.Reasons, Reason{ID: NotInClass, Clause: c.Cite, Says: "Belongs as " + c.Name},
			Reason{ID: NotThen, Clause: c.Cite, Says: "Belonged as " + c.Name + " at the freeze"})
	case rulebook.WhoElectorate:
		e := p.book.Electorate(s.Of.Name)
		if e == nil || len(e.Sections) > 0 {
			return fault.New(fault.Invalid, "a section cannot be an electorate that has sections itself: %s", s.Of.Name)
		}
		s.conditions, s.perKind, s.cite = e.Conditions, e.OneVotePer, e.Cite
		for _, c := range e.Conditions {
			s.Reasons = append(s.Reasons, Reason{ID: c.ID, Clause: c.Cite, Says: general(c.Says, p.scope)})
		}
	}
	if s.perKind != "" {
		s.Reasons = append(s.Reasons, Reason{ID: NotThrough, Clause: s.cite, Says: "Belongs through a " + strings.ReplaceAll(s.perKind, "_", " ")})
	}
	if !s.Listed {
		for i := range p.sanction {
			r := &p.sanction[i]
			r.reason = i
			s.Reasons = append(s.Reasons, Reason{ID: Unsanction + ":" + r.name, Clause: r.cite, Says: r.says})
		}
		p.People = append(p.People, len(p.Sections))
	}
	if len(s.Reasons) >= notAssessed {
		return fault.New(fault.TooMuch, "an electorate can have at most %d conditions", notAssessed-1)
	}
	p.Sections = append(p.Sections, s)
	return nil
}

// general words a condition for everybody: with the run's own values filled
// in, and without the brackets that speak of one person's facts.
func general(says rulebook.Sentence, scope rulebook.Scope) string {
	if !strings.Contains(says.Raw(), "{person") {
		return says.Text(scope)
	}
	raw := says.Raw()
	from := strings.LastIndex(raw[:strings.Index(raw, "{person")], "(")
	if from < 0 {
		return raw
	}
	to := strings.Index(raw[from:], ")")
	if to < 0 {
		return raw
	}
	return strings.TrimSpace(strings.TrimSpace(raw[:from]) + raw[from+to+1:])
}

// Line is what a roll says of a person in one section: the number of the
// reason (0: entitled) and how many votes they have there.
type Line struct {
	Reason uint8
	Votes  uint8
}

// personScope adds the person in question to the run's scope.
type personScope struct {
	rulebook.Scope
	who  rulebook.Person
	unit rulebook.Unit
}

func (s *personScope) Person(name string) (rulebook.Person, bool) {
	if name == "person" && s.who != nil {
		return s.who, true
	}
	return s.Scope.Person(name)
}

func (s *personScope) Unit(name string) (rulebook.Unit, bool) {
	if name == "unit" && s.unit != nil {
		return s.unit, true
	}
	return s.Scope.Unit(name)
}

// Assessor asks a plan about one person after another without allocating; it
// is for one goroutine.
type Assessor struct {
	plan  *Plan
	scope personScope
}

// Assessor makes an assessor.
func (p *Plan) Assessor() *Assessor { return &Assessor{plan: p, scope: personScope{Scope: p.scope}} }

// LooksAtRuns tells whether a condition looks at a proceeding: at a
// procedure's latest run, or at a decision that the run was given.
func (p *Plan) LooksAtRuns(book *rulebook.Book) bool {
	for i := range p.Sections {
		for _, c := range p.Sections[i].conditions {
			for _, n := range c.When.Names() {
				if book.Procedure(n) != nil || strings.Contains(c.When.Source(), "took_part") {
					return true
				}
			}
		}
	}
	return false
}

// Warm evaluates every condition once, whatever it gives: what they look up
// beside the person in question is then at hand, and several assessors can ask
// at the same time.
func (p *Plan) Warm(person *Person) {
	s := &personScope{Scope: p.scope, who: person}
	for i := range p.Sections {
		for k := range p.Sections[i].conditions {
			_, _ = p.Sections[i].conditions[k].When.Flag(s)
		}
	}
}

// Assess fills out with a line for each section that is not listed, in the
// order of Plan.People, and gives it back. An evaluation that fails for any
// reason but an unknown fact is an error.
func (a *Assessor) Assess(person *Person, out []Line) ([]Line, error) {
	out = out[:0]
	a.scope.who = person
	for _, i := range a.plan.People {
		l, err := a.line(&a.plan.Sections[i], person)
		if err != nil {
			return out, err
		}
		out = append(out, l)
	}
	return out, nil
}

func (a *Assessor) line(s *Section, p *Person) (Line, error) {
	n := 1
	if s.class != "" {
		if !p.Is(s.class) {
			return Line{Reason: 1}, nil
		}
		if a.plan.freeze != nil && !p.isAt(s.class, LastInstant(*a.plan.freeze)) {
			return Line{Reason: 2}, nil
		}
		n = 3
	}
	for i := range s.conditions {
		ok, err := Met(s.conditions[i].When, &a.scope)
		if err != nil {
			return Line{}, err
		}
		if !ok {
			return Line{Reason: uint8(n)}, nil
		}
		n++
	}
	votes := s.votes(p)
	if s.perKind != "" {
		if votes == 0 {
			return Line{Reason: uint8(n)}, nil
		}
		n++
	}
	for _, r := range a.plan.sanction {
		if r.term != 0 && p.Rec.Has(register.Sanction, r.term, p.View.At, p.View.Known) {
			return Line{Reason: uint8(n + r.reason)}, nil
		}
	}
	return Line{Votes: votes}, nil
}

// votes is one, or one for each unit of a kind that is belonged to.
func (s *Section) votes(p *Person) uint8 {
	if s.perKind == "" {
		return 1
	}
	seen := make(map[register.UnitID]bool, 2)
	p.Rec.Units(p.View.At, p.View.Known, func(_ register.Term, id register.UnitID) bool {
		if u, ok := p.View.Tree.Up(id, s.perKind); ok {
			seen[u.ID] = true
		}
		return len(seen) < 255
	})
	return uint8(len(seen))
}

// Met evaluates a condition. One that needs a fact nobody has entered is not
// met; that is no error.
func Met(e *rulebook.Expr, s rulebook.Scope) (bool, error) {
	ok, err := e.Flag(s)
	if err == nil {
		return ok, nil
	}
	var u *rulebook.Unknown
	if errors.As(err, &u) {
		return false, nil
	}
	return false, err
}

// Value is what the vote of a listed voter is worth in a section.
func (s *Section) Value(scope rulebook.Scope, who rulebook.Person, unit rulebook.Unit) (*big.Rat, error) {
	if s.value == nil {
		return big.NewRat(1, 1), nil
	}
	return s.value.Number(&personScope{Scope: scope, who: who, unit: unit})
}
