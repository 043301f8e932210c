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
// gives the numbers of all, in order. Either all are entered or none;
// fault.Conflict where somebody else has one of the external numbers. Keys
// that were drawn for people who were not entered after all stay, and serve
// whoever is entered under that number next.
func (r *Registry) Enter(ctx context.Context, people []NewPerson, source string, progress Progress) ([]register.PersonID, error) {
	macs, err := r.ch.EmailMACs(ctx)
	if err != nil {
		return nil, err
	}
	var ids []register.PersonID
	err = r.ch.WriteEach(ctx, func(w *chamber.World, put func(minutes.Entry) error) error {
		last, err := w.Tx().LastPerson()
		if err != nil {
			return err
		}
		e := entering{ch: r.ch, macs: macs, people: people, source: source, ids: number(people, last)}
		if w.Book() != nil {
			e.rulebook = w.Book().Hash
		}
		ids = e.ids
		return e.run(ctx, put, progress)
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// number gives everyone's number; those who are new follow the last.
func number(people []NewPerson, last int64) []register.PersonID {
	ids := make([]register.PersonID, len(people))
	for i := range people {
		if ids[i] = people[i].ID; ids[i] == 0 {
			last++
			ids[i] = register.PersonID(last)
		}
	}
	return ids
}

// entering is one run of Enter: parts are sealed by a goroutine of their own
// while those before them are written.
type entering struct {
	ch       *chamber.Chamber
	macs     *chamber.EmailMACs
	people   []NewPerson
	ids      []register.PersonID
	source   string
	rulebook string
}

// part is one entry of an import, ready to be appended.
type part struct {
	entry minutes.Entry
	rows  int
	err   error
}

// partsAhead is how many sealed parts wait for the writer at the most.
const partsAhead = 2

func (e *entering) run(ctx context.Context, put func(minutes.Entry) error, progress Progress) error {
	ctx, stop := context.WithCancel(ctx)
	parts := make(chan part, partsAhead)
	var sealer sync.WaitGroup
	defer sealer.Wait()
	defer stop()
	sealer.Go(func() {
		defer close(parts)
		e.seal(ctx, parts)
	})
	done := 0
	for p := range parts {
		if ctx.Err() != nil {
			break
		}
		if p.err == nil {
			p.err = put(p.entry)
		}
		if p.err != nil {
			return p.err
		}
		done += p.rows
		if progress != nil {
			progress(done, len(e.people))
		}
	}
	if done < len(e.people) {
		return fault.Wrap(fault.Unavailable, ctx.Err(), "this was given up before it was written")
	}
	return nil
}

// seal makes the parts, one after another, until all are made, one fails or
// ctx ends.
func (e *entering) seal(ctx context.Context, parts chan<- part) {
	for from := 0; from < len(e.people); from += register.MaxRows {
		p := e.part(ctx, from, min(from+register.MaxRows, len(e.people)))
		select {
		case parts <- p:
		case <-ctx.Done():
			return
		}
		if p.err != nil {
			return
		}
	}
}

// part draws keys, encrypts particulars and writes the body.
func (e *entering) part(ctx context.Context, from, to int) part {
	people, ids := e.people[from:to], e.ids[from:to]
	var withKeys []int64
	for i := range people {
		if people[i].Sealed != nil {
			withKeys = append(withKeys, int64(ids[i]))
		}
	}
	keys, err := e.ch.DB.Keys().PutKeys(ctx, withKeys)
	if err != nil {
		return part{err: err}
	}
	ready := chamber.Ready{Rows: &register.ImportedBody{Source: e.source, Part: from/register.MaxRows + 1, Rows: make([]register.PersonRow, len(people))},
		Found: make([]chamber.Found, 0, len(withKeys))}
	entry := minutes.Entry{Kind: register.KindImported, Access: minutes.Officers, Rulebook: e.rulebook, Particulars: make([]minutes.Particular, 0, len(withKeys))}
	for i := range people {
		p := &people[i]
		row := &ready.Rows.Rows[i]
		*row = register.PersonRow{Person: ids[i], New: p.ID == 0, Changes: p.Changes}
		if p.Sealed == nil {
			continue
		}
		plain, err := json.Marshal(p.Sealed)
		if err != nil {
			return part{err: fault.Wrap(fault.Internal, err, "a person's particulars cannot be written down")}
		}
		x := keys[int64(ids[i])].Seal(int64(ids[i]), plain)
		sum := x.Commitment()
		row.Commitment = base64.StdEncoding.EncodeToString(sum[:])
		entry.Particulars = append(entry.Particulars, x)
		ready.Found = append(ready.Found, chamber.Found{External: p.Sealed.External, MAC: e.macs.Of(p.Sealed.Email)})
	}
	ready.Bytes, err = ready.Rows.Canonical()
	entry.Body = ready
	return part{entry: entry, rows: len(people), err: err}
}

// sum is the SHA-256 of a file, as an import cites it.
func sum(b []byte) [32]byte { return sha256.Sum256(b) }
