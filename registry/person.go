package registry

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"sync"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/store"
)

// NewPerson is somebody to be entered, or, where ID is set, somebody whose
// record changes. Sealed is what identifies them; nil leaves it as it is.
type NewPerson struct {
	ID      register.PersonID
	Sealed  *chamber.Sealed
	Changes []register.Change
}

// Progress is told how much of a long piece of work is done.
type Progress func(done, total int)

// Enter enters people in one transaction, in entries of at most 10,000, and
// gives the numbers of all, in order. Either all are entered or none.
func (r *Registry) Enter(ctx context.Context, people []NewPerson, source string, progress Progress) ([]register.PersonID, error) {
	if progress == nil {
		progress = func(int, int) {}
	}
	var err error
	for range 3 {
		var ids []register.PersonID
		ids, err = r.enter(ctx, people, source, progress)
		if !fault.Is(err, fault.Conflict) {
			return ids, err
		}
	}
	return nil, err // what it ran into: others who enter people, or an external number that is taken
}

func (r *Registry) enter(ctx context.Context, people []NewPerson, source string, progress Progress) ([]register.PersonID, error) {
	last, err := r.last(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]register.PersonID, len(people))
	fresh := last
	sealed := 0
	for i := range people {
		ids[i] = people[i].ID
		if ids[i] == 0 {
			fresh++
			ids[i] = register.PersonID(fresh)
		}
		if people[i].Sealed != nil {
			sealed++
		}
	}
	parts, err := r.sealParts(ctx, people, ids, source, progress)
	if err != nil {
		return nil, err
	}
	primed := make(map[int64]chamber.Sealed, sealed)
	for i := range people {
		if people[i].Sealed != nil {
			primed[int64(ids[i])] = *people[i].Sealed
		}
	}
	if err := r.ch.Prime(ctx, primed); err != nil {
		return nil, err
	}
	defer r.ch.Prime(ctx, nil)
	return ids, r.write(ctx, parts, last, len(people), progress)
}

func (r *Registry) last(ctx context.Context) (last int64, err error) {
	err = r.ch.DB.Read(ctx, func(tx *store.Tx) error {
		last, err = tx.LastPerson()
		return err
	})
	return last, err
}

// part is one entry of an import, ready to be appended.
type part struct {
	entry minutes.Entry
	rows  int
}

// sealParts draws keys, encrypts particulars and writes bodies; while one part
// is sealed the keys of the next are drawn.
func (r *Registry) sealParts(ctx context.Context, people []NewPerson, ids []register.PersonID, source string, progress Progress) ([]part, error) {
	n := (len(people) + register.MaxRows - 1) / register.MaxRows
	parts, errs := make([]part, n), make([]error, n)
	var wg sync.WaitGroup
	defer wg.Wait()
	gate := make(chan struct{}, 2)
	for i := range n {
		from, to := i*register.MaxRows, min((i+1)*register.MaxRows, len(people))
		var sealed []int64
		for k := from; k < to; k++ {
			if people[k].Sealed != nil {
				sealed = append(sealed, int64(ids[k]))
			}
		}
		keys, err := r.ch.DB.Keys().PutKeys(ctx, sealed)
		if err != nil {
			return nil, err
		}
		progress(from/2, len(people))
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			parts[i], errs[i] = sealPart(people[from:to], ids[from:to], keys, source, i+1)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return parts, nil
}

func sealPart(people []NewPerson, ids []register.PersonID, keys map[int64]store.Key, source string, n int) (part, error) {
	b := register.ImportedBody{Source: source, Part: n, Rows: make([]register.PersonRow, len(people))}
	e := minutes.Entry{Kind: register.KindImported, Access: minutes.Officers}
	for i := range people {
		p := &people[i]
		row := register.PersonRow{Person: ids[i], New: p.ID == 0, Changes: p.Changes}
		if p.Sealed != nil {
			plain, err := json.Marshal(p.Sealed)
			if err != nil {
				return part{}, fault.Wrap(fault.Internal, err, "a person's particulars cannot be written down")
			}
			x := keys[int64(ids[i])].Seal(int64(ids[i]), plain)
			sum := x.Commitment()
			row.Commitment = base64.StdEncoding.EncodeToString(sum[:])
			e.Particulars = append(e.Particulars, x)
		}
		b.Rows[i] = row
	}
	body, err := minutes.Canonical(b)
	e.Body = chamber.Ready{Bytes: body, Rows: &b}
	return part{entry: e, rows: len(people)}, err
}

// write appends all parts in one transaction.
func (r *Registry) write(ctx context.Context, parts []part, last int64, total int, progress Progress) error {
	return r.ch.Write(ctx, func(w *chamber.World) ([]minutes.Entry, error) {
		now, err := w.Tx().LastPerson()
		if err != nil {
			return nil, err
		}
		if now != last {
			return nil, fault.New(fault.Conflict, "somebody else has entered people meanwhile")
		}
		entries := make([]minutes.Entry, len(parts))
		done := 0
		for i, p := range parts {
			entries[i] = p.entry
			if w.Book() != nil {
				entries[i].Rulebook = w.Book().Hash
			}
			done += p.rows
		}
		progress(total, total)
		return entries, nil
	})
}

// sum is the SHA-256 of a file, as an import cites it.
func sum(b []byte) [32]byte { return sha256.Sum256(b) }
