package contest

import (
	"context"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/proceeding"
)

// SealedRun is a run with a sealed ballot in which trustees or a registrar may
// have something to do.
type SealedRun struct {
	Ref   string `json:"ref"`
	Title string `json:"title"`
}

// SealedRuns gives the runs whose sealed ballot is being prepared, or has closed
// and is not counted yet, the oldest first. Only public ones: a case has no
// sealed ballots.
func (s *Contests) SealedRuns(ctx context.Context) ([]SealedRun, error) {
	var out []SealedRun
	err := s.ch.Read(ctx, func(w *chamber.World) error {
		out = []SealedRun{}
		states, err := w.States()
		for i := len(states) - 1; i >= 0; i-- {
			st := states[i]
			b, now := st.OpenBallot(), st.Now()
			prepared := now != nil && now.Prep != nil && now.Status == proceeding.Coming && !now.Prep.Server
			closed := b != nil && b.Sealed() && b.Closed != 0 && !b.Unopened && !b.Seal.Opened && !b.Seal.Server
			if st.Private || !st.Live() || !prepared && !closed {
				continue
			}
			book, err := s.ch.Book(w.Tx(), st.Book)
			if err != nil {
				return err
			}
			out = append(out, SealedRun{st.Ref, Title(book, st)})
		}
		return err
	})
	return out, err
}
