package web

import (
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
)

func (s *Site) beginRoutes() {
	s.handle("GET /begin", (*visit).beginnings)
	s.handle("POST /begin", (*visit).begin)
}

// beginnings lists what the visitor could begin by gathering support: a
// challenge, a confidence vote, a petition.
func (v *visit) beginnings() error {
	if err := v.needs(); err != nil {
		return err
	}
	var list []proceeding.Opening
	err := v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		list = proceeding.Openings(w.Book(), w, w.At().UnixMilli(), v.Person)
		return nil
	})
	if err != nil {
		return err
	}
	return v.page("begin.html", "Begin something", list)
}

// begin opens the gathering of support, with the visitor's own as the first.
func (v *visit) begin() error {
	if err := v.needs(); err != nil {
		return err
	}
	if v.r.PostFormValue("sure") == "" {
		return fault.New(fault.Invalid, "Tick the box to say that you are sure; nothing has been begun.")
	}
	st, err := v.s.Contests.Call(v.r.Context(), proceeding.Begin{Procedure: v.r.PostFormValue("procedure"), Office: v.r.PostFormValue("office"),
		Cause: v.r.PostFormValue("cause"), By: v.actor(), Backers: []register.PersonID{v.Person}, Collect: true})
	if err != nil {
		return err
	}
	return v.done("/contests/"+st.Ref, "Begun. It is called when the support is there.")
}
