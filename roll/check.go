package roll

import (
	"strings"

	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// Checked is one condition of a section, asked of one person, for a page:
// with the person's own facts in its sentence.
type Checked struct {
	ID     string
	Says   string
	Met    bool
	Clause string
	Remedy string
	KeptBy string // the office to ask where the fact is wrong
}

// Check asks every condition of a section that is not listed, not only up to
// the first that is not met.
func (s *Section) Check(book *rulebook.Book, p *Person, scope rulebook.Scope) ([]Checked, error) {
	sc := &personScope{Scope: scope, who: p}
	var out []Checked
	if s.class != "" {
		out = append(out, Checked{ID: NotInClass, Says: "Belongs as " + s.class, Met: p.Is(s.class), Clause: s.cite})
	}
	for i := range s.conditions {
		c := &s.conditions[i]
		met, err := Met(c.When, sc)
		if err != nil {
			return nil, err
		}
		out = append(out, Checked{ID: c.ID, Says: c.Says.Text(sc), Met: met, Clause: c.Cite, Remedy: c.Remedy.Text(sc), KeptBy: keptBy(book, c.When)})
	}
	if s.perKind != "" {
		out = append(out, Checked{ID: NotThrough, Says: "Belongs through a " + strings.ReplaceAll(s.perKind, "_", " "), Met: s.votes(p) > 0, Clause: s.cite})
	}
	for i := range book.Sanctions {
		x := &book.Sanctions[i]
		for _, r := range x.Removes {
			if t, ok := p.View.Terms[x.Name]; ok && r == "vote" && p.Rec.Has(register.Sanction, t, p.View.At, p.View.Known) {
				out = append(out, Checked{ID: Unsanction + ":" + x.Name, Says: "Is not under " + x.Name, Clause: x.Cite})
			}
		}
	}
	return out, nil
}

// keptBy names the office that keeps a fact which a condition looks at.
func keptBy(book *rulebook.Book, e *rulebook.Expr) string {
	for _, fact := range e.Facts() {
		name, ok := strings.CutPrefix(fact, "person.")
		if !ok {
			continue
		}
		if f := book.Fact(rulebook.OfPerson, name); f != nil && f.KeptBy != "" {
			return f.KeptBy
		}
	}
	return ""
}
