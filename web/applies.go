package web

import (
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/proceeding"
)

// AppliesView is the rulebook as it applies to the visitor.
type AppliesView struct {
	Title      string
	Procedures []AppliesProcedure
}

// AppliesProcedure is one procedure: what the visitor could do in it, and what
// not and why, if it were called now.
type AppliesProcedure struct {
	ID, Name, Says, Unit, Clause string
	Can, Cannot                  []AppliesRole
}

// AppliesRole is one part in a procedure, as a sentence.
type AppliesRole struct{ Says, Because, Clause, Remedy string }

// applies shows what each procedure of the rulebook in force means for the
// visitor.
func (v *visit) applies() error {
	if err := v.needs(); err != nil {
		return err
	}
	x := &AppliesView{}
	err := v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		book := w.Book()
		*x = AppliesView{Title: book.Title}
		list, err := proceeding.Applies(book, w, w.At().UnixMilli(), v.Person)
		if err != nil {
			return err
		}
		for _, a := range list {
			p := AppliesProcedure{ID: a.Procedure, Name: upper(spaced(a.Procedure)), Says: book.Procedure(a.Procedure).Says.Raw(), Clause: a.Clause}
			if u := w.Tree().Unit(a.Unit); u != nil {
				p.Unit = u.Name
			}
			for _, r := range a.Roles {
				out := AppliesRole{Says: roleSays(r), Because: r.Because, Clause: r.Clause, Remedy: r.Remedy}
				if r.Yes {
					p.Can = append(p.Can, out)
				} else {
					p.Cannot = append(p.Cannot, out)
				}
			}
			x.Procedures = append(x.Procedures, p)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.page("applies.html", "The rulebook and me", x)
}

// roleSays words a part in a procedure.
func roleSays(r proceeding.Role) string {
	does := map[string]string{
		"begin": "begin it", "support": "support its call", "nominate": "nominate", "stand": "stand",
		"vote": "vote", "decide": "decide", "be drawn": "be drawn by lot",
	}[r.Does]
	if r.Does == "support" && r.Stage != "" {
		does = "support it"
	}
	if r.Stage != "" {
		does += ", in the stage “" + spaced(r.Stage) + "”"
	}
	return does
}
