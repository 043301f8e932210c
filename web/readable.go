package web

import (
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
)

// readable gives the proceedings that the visitor may read, the newest first:
// a case about a person is there for those concerned, and for nobody else.
func (v *visit) readable(w *chamber.World) ([]*proceeding.State, error) {
	states, err := w.States()
	if err != nil {
		return nil, err
	}
	var out []*proceeding.State
	for _, st := range states {
		ok, err := v.mayRead(w, st)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, st)
		}
	}
	return out, nil
}

func (v *visit) mayRead(w *chamber.World, st *proceeding.State) (bool, error) {
	if !st.Private {
		return true, nil
	}
	book, err := v.s.Chamber.Book(w.Tx(), st.Book)
	if err != nil {
		return false, err
	}
	return proceeding.MayRead(book, st, w.WithBook(book), w.At().UnixMilli(), v.Person), nil
}

// run gives a proceeding that the visitor may read; for one that they may not
// it says what it says for one that there is not.
func (v *visit) run(w *chamber.World, ref string) (*proceeding.State, error) {
	st, err := w.State(ref)
	if err != nil {
		return nil, err
	}
	ok, err := v.mayRead(w, st)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no proceeding %s", ref)
	}
	return st, err
}

// concerned refuses whoever may not read a proceeding, whatever they ask of it:
// as if there were none.
func (v *visit) concerned(ref string) error {
	return v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		_, err := v.run(w, ref)
		return err
	})
}

// state is run, with the rulebook that the proceeding is pinned to.
func (v *visit) state(ref string) (st *proceeding.State, book *rulebook.Book, err error) {
	err = v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		if st, err = v.run(w, ref); err != nil {
			return err
		}
		book, err = v.s.Chamber.Book(w.Tx(), st.Book)
		return err
	})
	return st, book, err
}
