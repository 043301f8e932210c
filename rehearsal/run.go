package rehearsal

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/omov/omov/bundle"
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/rulebooks"
	"github.com/omov/omov/store"
	"github.com/omov/omov/verify"

	"archive/zip"
)

// Options say how a rehearsal is run. The zero value is enough.
type Options struct {
	// Dir is where the book is kept while it runs; empty: in memory for
	// small ones where the system has such a folder, else in the folder for
	// temporary files. It is empty again afterwards.
	Dir string
	// Rulebook reads the file that a script names; nil: from the disk, beside
	// the script. Names of shipped rulebooks are not asked for.
	Rulebook func(path string) ([]byte, error)
	// Progress is told what takes long, and how much of it is done.
	Progress func(what string, done, of int)
	// Story keeps what happened step by step, in Report.Story.
	Story bool
}

// Report is what became of a rehearsal.
type Report struct {
	Script   *Script
	Failures []Failure
	Story    []Line
	People   int
	Entries  int64 // in the minute book
	Took     time.Duration
	Replayed time.Duration // of that, for the replay and its comparison
	Verified bool          // both its bundles too
}

// Failed tells whether anything came otherwise than expected.
func (r *Report) Failed() bool { return len(r.Failures) > 0 }

// Failure is one thing that came otherwise.
type Failure struct {
	File      string
	Line      int
	What      string // what was looked at, as "outcome"
	Want, Got string // where it is a comparison
	Message   string // else a sentence
}

// String gives a failure with its place, what was expected and what came.
func (f Failure) String() string {
	at := fmt.Sprintf("%s:%d: ", f.File, f.Line)
	if f.Message != "" {
		return at + f.Message
	}
	return fmt.Sprintf("%s%s\n    expected  %s\n    got       %s", at, f.What, f.Want, f.Got)
}

// smallBook is how many people a book can have to be kept in memory, and its
// bundle verified: some tens of megabytes.
const smallBook = 5_000

// maxFailures bounds a report: what follows from one mistake is no news.
const maxFailures = 50

// clock is the time of a rehearsal.
type clock struct{ ms atomic.Int64 }

func (c *clock) now() time.Time { return time.UnixMilli(c.ms.Load()).UTC() }

// runner is one rehearsal being run.
type runner struct {
	ctx      context.Context
	s        *Script
	o        Options
	report   *Report
	clock    clock
	ch       *chamber.Chamber
	contests *contest.Contests
	reg      *registry.Registry
	book     *rulebook.Book // in force at the beginning
	cal      rulebook.Calendar
	terms    map[string]register.Term
	names    names
	aliases  map[string]string // what `as` called: reference of a run, or an order
	last     string            // reference of the run touched last
	voted    map[string]*queue // by ballot and section, who is still to vote
	tells    bool              // the script looks at who is written to
	told     int               // since the step began
	free     map[string]int    // by kind of unit, how many have been given to holders of offices
	looked   int               // how often a run under way has been looked at

	trustees []trustee // of sealed ballots

	mu     sync.Mutex
	fresh  []minutes.Minute                   // since the story was told last
	record []string                           // what the record says, in sentences
	shifts map[string][]proceeding.RollChange // by run, what the last act did to its rolls
}

// Run runs a rehearsal. What comes otherwise than expected is in the report;
// the error is Problems where the script does not fit its rulebook, and else
// something that kept the rehearsal from being run at all.
func Run(ctx context.Context, s *Script, o Options) (*Report, error) {
	begun := time.Now()
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	r := &runner{ctx: ctx, s: s, o: o, report: &Report{Script: s}, aliases: map[string]string{}, voted: map[string]*queue{}, free: map[string]int{}, shifts: map[string][]proceeding.RollChange{}}
	book, err := r.rulebook()
	if err != nil {
		return nil, err
	}
	r.book, r.cal, r.tells = book, book.Calendar(), s.asksTold()
	if err := r.fits(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(r.dir(), "omov-rehearsal-")
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "there is no place for the rehearsal's book")
	}
	defer os.RemoveAll(dir)
	if err := r.open(dir); err != nil {
		return nil, err
	}
	defer r.ch.Close()
	if err := r.enter(); err != nil {
		return nil, err
	}
	if err := r.play(); err != nil {
		return nil, err
	}
	if err := r.proved(dir); err != nil {
		return nil, err
	}
	r.report.Took = time.Since(begun)
	return r.report, nil
}

// dir chooses where the book is kept.
func (r *runner) dir() string {
	if r.o.Dir != "" {
		return r.o.Dir
	}
	n := 0
	for _, p := range r.s.people {
		n += p.make
	}
	const memory = "/dev/shm"
	if st, err := os.Stat(memory); err == nil && st.IsDir() && n <= smallBook {
		return memory
	}
	return ""
}

// rulebook reads the script's rulebook, with its changes.
func (r *runner) rulebook() (*rulebook.Book, error) {
	name := r.s.rulebook
	wrong := func(format string, args ...any) error {
		return Problems{{File: r.s.File, Line: name.pos.line, Column: name.pos.column, Message: fmt.Sprintf(format, args...)}}
	}
	src, err := r.source(name.text)
	if err != nil {
		return nil, wrong("%s", err)
	}
	book, err := rulebook.Parse(src)
	if err != nil {
		return nil, wrong("the rulebook %s cannot be used:\n%s", name.text, err)
	}
	if r.s.change == nil {
		return book, nil
	}
	changed, problems := book.Amend(r.s.change.changes())
	if changed == nil {
		return nil, Problems{{File: r.s.File, Line: r.s.change.pos.line, Column: r.s.change.pos.column,
			Message: "the rulebook with these changes has errors:\n" + problems.Errors().Error()}}
	}
	return changed, nil
}

// maxBook bounds a rulebook's file.
const maxBook = 1 << 20

func (r *runner) source(name string) ([]byte, error) {
	if !strings.ContainsAny(name, "/\\") && !strings.HasSuffix(name, ".yaml") {
		return rulebooks.Read(name)
	}
	path := name
	if !filepath.IsAbs(name) {
		path = filepath.Join(filepath.Dir(r.s.File), name)
	}
	if r.o.Rulebook != nil {
		return r.o.Rulebook(path)
	}
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fault.New(fault.NotFound, "there is no rulebook %s", path)
	case !st.Mode().IsRegular() || st.Size() > maxBook:
		return nil, fault.New(fault.Invalid, "%s is no rulebook", path)
	}
	return os.ReadFile(path)
}

// open founds the rehearsal's book in a folder.
func (r *runner) open(dir string) error {
	r.clock.ms.Store(r.s.begin.time(r.cal).UnixMilli())
	ch, err := chamber.Open(r.ctx, chamber.Options{
		Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db"), Clock: r.clock.now, Origin: "rehearsal.invalid/book"},
		Keys:  filepath.Join(dir, "box")})
	if err != nil {
		return err
	}
	r.ch, r.contests, r.reg = ch, contest.New(ch), registry.New(ch)
	ch.OnMinute(r.heard)
	_, err = ch.Found(r.ctx, chamber.FoundedBody{Name: r.book.Title, Demo: true, Note: "A rehearsal: " + r.s.Title}, r.book.Source)
	if err != nil {
		ch.Close()
		return err
	}
	return r.ch.Read(r.ctx, func(w *chamber.World) error { r.terms = w.Terms(); return nil })
}

// heard collects entries for the story and for what is expected of the
// record.
func (r *runner) heard(m minutes.Minute) {
	switch m.Kind {
	case register.KindImported, register.KindUnits, register.KindFilled, register.KindVacated, chamber.KindFounded, chamber.KindTerms:
		if m.Kind == register.KindImported || r.names.entering {
			return
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m.Particulars = nil
	r.fresh = append(r.fresh, m)
}

// play goes through the steps.
func (r *runner) play() error {
	for i := range r.s.steps {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if len(r.s.steps) > 20 {
			r.o.Progress("step", i+1, len(r.s.steps))
		}
		if err := r.step(&r.s.steps[i]); err != nil {
			return err
		}
	}
	for i := range r.s.expect {
		r.expect(&r.s.expect[i])
	}
	return nil
}

// step lets time pass until a step, does it, and looks at what is expected.
func (r *runner) step(s *step) error {
	r.told = 0
	if err := r.until(s); err != nil {
		return err
	}
	if s.verb != "" {
		r.say(0, "%s", r.describe(s))
		err := r.act(s)
		if e := fatal(err); e != nil {
			return e
		}
		r.judged(s, err)
	}
	if err := r.settle(); err != nil {
		return err
	}
	for i := range s.expect {
		r.expect(&s.expect[i])
	}
	return nil
}

// fatal gives the errors after which a rehearsal makes no sense.
func fatal(err error) error {
	switch fault.KindOf(err) {
	case fault.Damaged, fault.Unavailable:
		if fault.Of(err).Err != nil {
			return err
		}
	case fault.Internal:
		return err
	}
	return nil
}

// judged compares what became of an act with what the script says of it.
func (r *runner) judged(s *step, err error) {
	switch {
	case err == nil && s.refused == nil:
	case err == nil:
		r.failed(s.pos, Failure{What: "`" + s.verb + "` is refused", Want: strings.Join(s.refused, "; "), Got: "it was done"})
	case s.refused == nil:
		r.say(1, "Refused: %s", err)
		r.failed(s.pos, Failure{Message: fmt.Sprintf("`%s` was refused: %s", s.verb, err)})
	default:
		r.say(1, "Refused: %s", err)
		for _, words := range s.refused {
			if !strings.Contains(fold(err.Error()), fold(words)) {
				r.failed(s.pos, Failure{What: "`" + s.verb + "` is refused with the words", Want: words, Got: err.Error()})
			}
		}
	}
}

// fold is how words are compared: letter case and spaces aside.
func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

func (r *runner) failed(at pos, f Failure) {
	f.File, f.Line = r.s.File, at.line
	if len(r.report.Failures) < maxFailures {
		r.report.Failures = append(r.report.Failures, f)
	}
	r.say(1, "✗ %s", strings.Join(strings.Fields(strings.TrimPrefix(f.String(), fmt.Sprintf("%s:%d: ", f.File, f.Line))), " "))
}

// proved replays the book into an empty one and compares the two; both bundles
// of a small one are verified too.
func (r *runner) proved(dir string) error {
	begun := time.Now()
	to, err := chamber.Open(r.ctx, chamber.Options{
		Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "replay", "book.db"), Clock: r.clock.now, Origin: "rehearsal.invalid/book"},
		Keys:  filepath.Join(dir, "replay", "box")})
	if err != nil {
		return err
	}
	defer to.Close()
	err = r.ch.Replay(r.ctx, to, func(seq, of int64) {
		r.report.Entries = of
		r.o.Progress("replaying the record", int(seq), int(of))
	})
	if err != nil {
		return err
	}
	differ, err := chamber.Differ(r.ctx, r.ch, to)
	if err != nil {
		return err
	}
	if len(differ) > 0 {
		r.failed(pos{r.s.Line, 1}, Failure{Message: "replayed into an empty database, the record gives something else for " + strings.Join(differ, ", ") + ". This is a mistake in omov; please report it."})
	}
	r.report.Replayed = time.Since(begun)
	if r.report.People > smallBook {
		return nil
	}
	r.report.Verified = true
	if err := r.verified("public", bundle.WritePublic); err != nil {
		return err
	}
	return r.verified("scrutineers'", bundle.WriteScrutineers)
}

// verified checks a bundle as a stranger would, or a scrutineer.
func (r *runner) verified(which string, write func(context.Context, *chamber.Chamber, io.Writer) error) error {
	var b bytes.Buffer
	if err := write(r.ctx, r.ch, &b); err != nil {
		return err
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		return err
	}
	v, err := verify.Verify(r.ctx, z, verify.Options{Key: r.ch.DB.VerifierKey()})
	if err != nil {
		return err
	}
	for _, c := range v.Checks {
		for _, p := range c.Problems {
			r.report.Verified = false
			r.failed(pos{r.s.Line, 1}, Failure{Message: fmt.Sprintf("the %s bundle does not verify (%s): %s. This is a mistake in omov; please report it.", which, c.ID, p)})
		}
	}
	return nil
}
