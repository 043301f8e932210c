package contest

import (
	"strings"

	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
)

// Title is what people call a proceeding: the procedure's sentence would be
// too long, so it is the procedure's name, and the office where it fills one.
func Title(book *rulebook.Book, st *proceeding.State) string {
	name := strings.ReplaceAll(st.Procedure, "_", " ")
	if st.Office != "" {
		office := strings.ReplaceAll(st.Office, "_", " ")
		if o := book.Office(st.Office); o != nil && o.Says.Raw() != "" {
			office = strings.TrimSuffix(o.Says.Raw(), ".")
		}
		if drawn(book.Procedure(st.Procedure)) {
			return "Lot: " + office
		}
		return "Election: " + office
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// drawn tells whether a procedure fills its office by lot.
func drawn(p *rulebook.Procedure) bool {
	if p == nil {
		return false
	}
	lots, votes := false, false
	for i := range p.Stages {
		lots = lots || p.Stages[i].Kind == rulebook.Draw && p.Stages[i].Into == ""
		votes = votes || p.Stages[i].Method != nil
	}
	return lots && !votes
}
