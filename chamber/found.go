package chamber

import (
	"context"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/store"
)

// Found writes the first entries of a book: that it is opened, by whose name,
// and the rulebook that it begins with. A demo says so for ever.
func (c *Chamber) Found(ctx context.Context, f FoundedBody, source []byte) (*rulebook.Book, error) {
	book, err := rulebook.Parse(source)
	if err != nil {
		return nil, err
	}
	if err := heldHere(book); err != nil {
		return nil, err
	}
	if f.Name == "" {
		return nil, fault.New(fault.Invalid, "an organisation needs a name")
	}
	err = c.Write(ctx, func(w *World) ([]minutes.Entry, error) {
		if w.seq > 0 {
			return nil, fault.New(fault.Already, "this book has been founded already, as %s", w.org.Name)
		}
		return []minutes.Entry{
			{Kind: KindFounded, Access: minutes.Public, Body: f},
			w.adoption(book, "", w.at.UnixMilli()),
		}, nil
	})
	return book, err
}

// heldHere refuses a rulebook that wants a way of voting which cannot be held:
// at the founding, not on the day of the ballot.
func heldHere(book *rulebook.Book) error {
	for i := range book.Procedures {
		if !book.Private(&book.Procedures[i]) {
			continue
		}
		for k := range book.Procedures[i].Stages {
			s := &book.Procedures[i].Stages[k]
			if s.How == nil {
				continue
			}
			if v, ok := s.How.Literal(); ok && v.Words == "sealed" {
				return fault.New(fault.Invalid, "line %d: stage %s of %s is sealed. A sealed ballot needs a public record, and the record of a case is not public: write how: box, and read what a box does not protect against", s.Pos.Line, s.Name, book.Procedures[i].Name)
			}
		}
	}
	return nil
}

// adoption is the entry that adopts a rulebook. The words that are new to the
// vocabulary are in it, so that a replay numbers them alike.
func (w *World) adoption(book *rulebook.Book, ref string, inForce int64) minutes.Entry {
	b := adopted(book, ref, inForce)
	b.First, b.Terms = w.newTerms(vocabulary(book))
	return adoptionEntry(b)
}

func adopted(book *rulebook.Book, ref string, inForce int64) RulebookBody {
	return RulebookBody{Title: book.Title, Edition: book.Edition.String(), Hash: book.Hash, InForce: inForce, Adopted: ref, Source: book.Source}
}

func adoptionEntry(b RulebookBody) minutes.Entry {
	return minutes.Entry{Kind: KindRulebook, Access: minutes.Public, Proceeding: "", Rulebook: b.Hash, Body: b}
}

// NewTerms gives the words that the vocabulary does not have, and the number
// of the first of them.
func (w *World) newTerms(words []string) (int64, []string) {
	first := int64(len(w.snap.words))
	if first == 0 {
		first = 1
	}
	var out []string
	for _, word := range words {
		if _, ok := w.snap.terms[word]; !ok && !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	if len(out) == 0 {
		return 0, nil
	}
	return first, out
}

// vocabulary is the words of a rulebook that records speak of.
func vocabulary(b *rulebook.Book) []string {
	out := []string{"conflict"}
	for i := range b.Classes {
		out = append(out, b.Classes[i].Name)
	}
	for i := range b.Facts {
		if b.Facts[i].Of == rulebook.OfPerson {
			out = append(out, b.Facts[i].Name)
		}
	}
	for i := range b.Sanctions {
		out = append(out, b.Sanctions[i].Name)
	}
	return out
}

// Vocabulary gives the numbers of words that are facts' values, adding an
// entry for those that are new.
func (c *Chamber) Vocabulary(ctx context.Context, words []string) (map[string]register.Term, error) {
	out := map[string]register.Term{}
	err := c.Write(ctx, func(w *World) ([]minutes.Entry, error) {
		clear(out)
		first, fresh := w.newTerms(words)
		for _, word := range words {
			if t, ok := w.snap.terms[word]; ok {
				out[word] = t
			}
		}
		if len(fresh) == 0 {
			return nil, nil
		}
		for i, word := range fresh {
			out[word] = register.Term(first + int64(i))
		}
		return []minutes.Entry{{Kind: KindTerms, Access: minutes.Officers, Body: register.ImportedBody{First: register.Term(first), Terms: fresh, Rows: []register.PersonRow{}}}}, nil
	})
	return out, err
}

// DemoClock is the clock of a demo's book: real time and an offset that is
// kept in the book's settings and only grows.
type DemoClock struct{ offset atomic.Int64 }

const demoSetting = "demo/clock"

// Now is real time moved by the offset.
func (d *DemoClock) Now() time.Time {
	return time.Now().Add(time.Duration(d.offset.Load()) * time.Millisecond)
}

// OpenDemo opens a demo's book with its own clock.
func OpenDemo(ctx context.Context, o Options) (*Chamber, *DemoClock, error) {
	clock := &DemoClock{}
	o.Store.Clock = clock.Now
	c, err := Open(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	err = c.DB.Read(ctx, func(tx *store.Tx) error {
		b, err := tx.Setting(demoSetting)
		if err == nil && b != nil {
			n, _ := strconv.ParseInt(string(b), 10, 64)
			clock.offset.Store(n)
		}
		return err
	})
	if err != nil {
		c.Close()
		return nil, nil, err
	}
	return c, clock, nil
}

// MoveTo moves a demo's clock forward to an instant. It refuses to go back,
// and it refuses on a book that is not a demo's.
func (c *Chamber) MoveTo(ctx context.Context, d *DemoClock, to time.Time) error {
	if d == nil {
		return fault.New(fault.NotEntitled, "only a demo has a clock that can be moved")
	}
	by := to.Sub(d.Now()).Milliseconds()
	if by <= 0 {
		return fault.New(fault.Invalid, "the demo's clock only goes forward; it is past that already")
	}
	err := c.DB.Write(ctx, func(tx *store.Tx) error {
		org, err := loadOrganisation(tx)
		if err != nil {
			return err
		}
		if !org.Demo {
			return fault.New(fault.NotEntitled, "this book is not a demo: its time is real")
		}
		return tx.PutSetting(demoSetting, []byte(strconv.FormatInt(d.offset.Load()+by, 10)))
	})
	if err != nil {
		return err
	}
	d.offset.Add(by)
	return nil
}

// StartDemo sets a demo's clock to the instant at which its life begins,
// which may be in the past. It can be done once, before the first entry.
func (c *Chamber) StartDemo(ctx context.Context, d *DemoClock, at time.Time) error {
	by := time.Until(at).Milliseconds()
	err := c.DB.Write(ctx, func(tx *store.Tx) error {
		head, err := tx.Head()
		if err != nil {
			return err
		}
		if head.Seq > 0 {
			return fault.New(fault.Already, "this book has been founded; its clock only goes forward")
		}
		return tx.PutSetting(demoSetting, []byte(strconv.FormatInt(by, 10)))
	})
	if err == nil {
		d.offset.Store(by)
	}
	return err
}
