package chamber

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
)

// see makes an entry that is about to be written part of what later decisions
// of the same transaction look at: whoever was just taken out of an office does
// not hold it any more when the procedure begins that this sets going. Under
// the head lock the number it will have is known.
func (w *World) see(e *minutes.Entry, seq int64) error {
	w.seq = seq
	raw, ok := e.Body.([]byte)
	if !ok {
		return nil
	}
	read := func(v any) error {
		if err := json.Unmarshal(raw, v); err != nil {
			return fault.Wrap(fault.Internal, err, "an entry %s cannot be read", e.Kind)
		}
		return nil
	}
	snap := *w.snap
	switch e.Kind {
	case register.KindFilled:
		var b register.FilledBody
		if err := read(&b); err != nil {
			return err
		}
		b.Term.ID, b.Term.Known = seq, seq
		snap.roster = snap.roster.Filled(b.Term)
	case register.KindVacated:
		var b register.VacatedBody
		if err := read(&b); err != nil {
			return err
		}
		snap.roster = snap.roster.Vacated(b, seq)
	case register.KindChanged:
		var b register.ImportedBody
		if err := read(&b); err != nil {
			return err
		}
		w.records = maps.Clone(w.records)
		for _, row := range b.Rows {
			rec := &register.Record{}
			if old := w.Record(row.Person); old != nil {
				rec.Spans = append(rec.Spans, old.Spans...)
			}
			rec.Apply(seq, row.Changes)
			w.records[row.Person] = rec
		}
	case proceeding.KindAdopted:
		var b proceeding.AdoptedBody
		if err := read(&b); err != nil {
			return err
		}
		org := *w.org
		org.Adopted = append(slices.Clip(org.Adopted), textOf(e.Proceeding, &b, w.at.UnixMilli()))
		w.org = &org
		return nil
	default:
		return nil
	}
	w.snap = &snap
	clear(w.views)
	return nil
}
