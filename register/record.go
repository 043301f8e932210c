// Package register is who belongs: people, units, classes, offices and
// sanctions, as facts in two times. Every fact carries when it was true (From,
// Until) and when the book knew it (Known, Ended: sequences of the entries
// that recorded and superseded it), so that a roll can be taken "as of 12
// January, as known on the 20th" and taken again years later with the same
// result.
//
// It decides what a record says at a moment and in a state of knowledge. It
// never reads a clock or a database, holds no names or addresses of people
// (those are particulars, kept apart under a key per person), and applies no
// rule: whether somebody may vote is roll's business.
//
// # Format of a record
//
// A record is a version byte (1), then spans, each: one byte of aspect, then
// unsigned varints name, unit, then signed varints value, from, until - from
// (0 for "until further notice"), then unsigned varints known, ended. Names
// are terms of the book's vocabulary, instants are Unix seconds. The record
// of a member (term 3) of unit 12 since 2020-01-01, recorded by entry 5, is
//
//	01 | 01 03 0c 00 8084dfe00b 00 05 00
package register

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/omov/omov/fault"
)

// PersonID is a person's number in the book; it means nothing outside it.
type PersonID int64

// UnitID is a unit's number in the book. 0 is the organisation itself.
type UnitID int64

// Term is a word of the book's vocabulary: the name of a class, fact or
// sanction, or a value that is words.
type Term int64

// Aspect is what a span is about.
type Aspect uint8

// The aspects.
const (
	Belongs  Aspect = 1 // Name is a class, Unit the unit through which
	Fact     Aspect = 2 // Name is a fact; Value its value (flag 0/1, number, day, or a Term)
	Sanction Aspect = 3 // Name is a sanction
	Declared Aspect = 4 // Name is a declaration or a conflict of interest; Value a person
)

// Forever is the Until of a span without an end.
const Forever int64 = math.MaxInt64

// Span is one thing that was true of a person for a time, and known for a
// time. From is included, Until is not; both are Unix seconds. Known is the
// sequence of the entry that recorded it; Ended that of the entry that
// replaced it, 0 while it stands.
type Span struct {
	Aspect       Aspect
	Name         Term
	Unit         UnitID
	Value        int64
	From, Until  int64
	Known, Ended int64
}

// At tells whether the span was true at an instant as the book stood after
// entry known.
func (s *Span) At(at, known int64) bool {
	return s.From <= at && at < s.Until && s.knownAt(known)
}

func (s *Span) knownAt(known int64) bool {
	return s.Known <= known && (s.Ended == 0 || s.Ended > known)
}

// Record is the history of one person.
type Record struct{ Spans []Span }

// Has tells whether a span of this aspect and name was true at an instant as
// known after an entry.
func (r *Record) Has(a Aspect, name Term, at, known int64) bool {
	for i := range r.Spans {
		s := &r.Spans[i]
		if s.Aspect == a && s.Name == name && s.At(at, known) {
			return true
		}
	}
	return false
}

// Since gives the first instant of the unbroken membership of a class that
// holds at an instant: two memberships through two units, one beginning
// before the other ends, are unbroken.
func (r *Record) Since(class Term, at, known int64) (int64, bool) {
	from, ok := int64(math.MaxInt64), false
	for edge := at; ; {
		moved := false
		for i := range r.Spans {
			s := &r.Spans[i]
			if s.Aspect == Belongs && s.Name == class && s.knownAt(known) && s.From <= edge && edge <= s.Until && at >= s.From && s.From < from && (edge != at || at < s.Until) {
				from, ok, moved = s.From, true, true
			}
		}
		if !moved || !ok {
			return from, ok
		}
		edge = from
	}
}

// Fact gives the value of a fact at an instant; false if nobody entered it.
func (r *Record) Fact(name Term, at, known int64) (int64, bool) {
	for i := len(r.Spans) - 1; i >= 0; i-- {
		s := &r.Spans[i]
		if s.Aspect == Fact && s.Name == name && s.At(at, known) {
			return s.Value, true
		}
	}
	return 0, false
}

// Units calls yield with each unit through which the person belongs in any
// class at an instant.
func (r *Record) Units(at, known int64, yield func(class Term, u UnitID) bool) {
	for i := range r.Spans {
		s := &r.Spans[i]
		if s.Aspect == Belongs && s.At(at, known) && !yield(s.Name, s.Unit) {
			return
		}
	}
}

// Change is one thing that an entry says of a record: it begins, or it ends.
type Change struct {
	Aspect Aspect `json:"a"`
	Name   Term   `json:"n"`
	Unit   UnitID `json:"u,omitempty"`
	Value  int64  `json:"v,omitempty"`
	From   int64  `json:"f"`           // true from then
	Until  int64  `json:"t,omitempty"` // 0: until further notice
	End    bool   `json:"e,omitempty"` // what held at From ends then, instead of beginning
}

// Apply records changes made by entry seq. What they contradict is
// superseded, never removed: a fact's earlier value ends where the later one
// begins, a membership of the same class through the same unit is replaced.
// The same changes applied twice by the same entry leave one record.
func (r *Record) Apply(seq int64, changes []Change) {
	for _, c := range changes {
		until := c.Until
		if until == 0 {
			until = Forever
		}
		r.supersede(seq, c, until)
		if !c.End {
			r.Spans = append(r.Spans, Span{Aspect: c.Aspect, Name: c.Name, Unit: c.Unit, Value: c.Value, From: c.From, Until: until, Known: seq})
		}
	}
}

// supersede ends, in knowledge, every standing span that c overlaps, and
// keeps the part of it that c leaves true.
func (r *Record) supersede(seq int64, c Change, until int64) {
	n := len(r.Spans)
	for i := 0; i < n; i++ {
		s := &r.Spans[i]
		if s.Aspect != c.Aspect || s.Name != c.Name || s.Ended != 0 || s.Until <= c.From || s.From >= until {
			continue
		}
		if c.Aspect == Belongs && s.Unit != c.Unit || c.Aspect == Declared && s.Value != c.Value {
			continue
		}
		if s.Known == seq {
			s.Ended = seq // the same entry said it twice: the later word stands
		}
		s.Ended = seq
		if s.From < c.From {
			before := *s
			before.Until, before.Known, before.Ended = c.From, seq, 0
			r.Spans = append(r.Spans, before)
		}
		if s := &r.Spans[i]; !c.End && s.Until > until {
			after := *s
			after.From, after.Known, after.Ended = until, seq, 0
			r.Spans = append(r.Spans, after)
		}
	}
	r.Spans = slices.DeleteFunc(r.Spans, func(s Span) bool { return s.Known == seq && s.Ended == seq })
}

const recordVersion = 1

// Append adds the record's bytes to b.
func (r *Record) Append(b []byte) []byte {
	b = append(b, recordVersion)
	for i := range r.Spans {
		s := &r.Spans[i]
		b = append(b, byte(s.Aspect))
		b = binary.AppendUvarint(b, uint64(s.Name))
		b = binary.AppendUvarint(b, uint64(s.Unit))
		b = binary.AppendVarint(b, s.Value)
		b = binary.AppendVarint(b, s.From)
		length := int64(0)
		if s.Until != Forever {
			length = s.Until - s.From
		}
		b = binary.AppendUvarint(b, uint64(length))
		b = binary.AppendUvarint(b, uint64(s.Known))
		b = binary.AppendUvarint(b, uint64(s.Ended))
	}
	return b
}

// MaxSpans bounds a record.
const MaxSpans = 10_000

// Decode reads a record into r, reusing its spans. Bytes that are not a
// record give fault.Damaged.
func (r *Record) Decode(b []byte) error {
	r.Spans = r.Spans[:0]
	if len(b) == 0 || b[0] != recordVersion {
		return fault.New(fault.Damaged, "a person's record in the register cannot be read: it is not of version %d", recordVersion)
	}
	d := decoder{b: b[1:]}
	for len(d.b) > 0 && !d.bad {
		var s Span
		s.Aspect, d.b = Aspect(d.b[0]), d.b[1:]
		s.Name, s.Unit = Term(d.uint()), UnitID(d.uint())
		s.Value, s.From = d.int(), d.int()
		length := d.uint()
		s.Until = s.From + length
		if length == 0 {
			s.Until = Forever
		}
		s.Known, s.Ended = d.uint(), d.uint()
		if s.Aspect < Belongs || s.Aspect > Declared || s.Until < s.From || len(r.Spans) >= MaxSpans {
			d.bad = true
		}
		r.Spans = append(r.Spans, s)
	}
	if d.bad {
		return fault.New(fault.Damaged, "a person's record in the register cannot be read: its bytes are cut short or out of range")
	}
	return nil
}

type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) uint() int64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > math.MaxInt64 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return int64(v)
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}
