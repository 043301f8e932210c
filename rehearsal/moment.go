package rehearsal

import (
	"strconv"
	"strings"
	"time"

	"github.com/omov/omov/rulebook"
)

// When is a moment as a script writes it: a day, a day with a time, or a
// length of time after the step before.
type When struct {
	day       rulebook.Day
	hour, min int
	timed     bool
	after     string // "3 days"; then nothing else is set
	days      rulebook.Span
}

// when reads `2026-02-20`, `2026-02-20 14:30` or `+3 days`.
func (c *complaints) when(t scalarAt) When {
	if s, ok := strings.CutPrefix(t.text, "+"); ok {
		sp, ok := readSpan(strings.TrimSpace(s))
		if !ok {
			c.err(t.pos, "Write it as in `+3 days`, with hours, days, weeks, months or years.", "%q is no length of time", t.text)
		}
		return When{after: t.text, days: sp}
	}
	day, clock, timed := strings.Cut(t.text, " ")
	d, err := time.Parse("2006-01-02", day)
	if err != nil {
		c.err(t.pos, "Write it as in 2026-02-20 or 2026-02-20 14:30.", "%q is no day", t.text)
		return When{}
	}
	if y := d.Year(); y < 1850 || y > 2250 {
		c.err(t.pos, "", "rehearsals take place from 1850 to 2250, not in %d", y)
	}
	w := When{day: rulebook.Day(d.Unix() / 86400), timed: timed}
	if timed {
		h, err := time.Parse("15:04", strings.TrimSpace(clock))
		if err != nil {
			c.err(t.pos, "Write it as in 2026-02-20 14:30.", "%q is no time of day", clock)
		}
		w.hour, w.min = h.Hour(), h.Minute()
	}
	return w
}

// span reads one moment, or two with dots between them.
func (c *complaints) span(t scalarAt) *span {
	a, b, two := strings.Cut(t.text, "..")
	s := &span{from: c.when(scalarAt{strings.TrimSpace(a), t.pos})}
	s.to = s.from
	if two {
		s.to = c.when(scalarAt{strings.TrimSpace(b), t.pos})
		if s.to.day < s.from.day {
			c.err(t.pos, "Write the earlier day first.", "%q ends before it begins", t.text)
		}
	}
	return s
}

// maxSpan bounds one length of time, in its own unit.
const maxSpan = 40_000

// readSpan reads a length of time as rulebooks write it.
func readSpan(s string) (rulebook.Span, bool) {
	n, unit, _ := strings.Cut(s, " ")
	k, err := strconv.Atoi(n)
	if err != nil || k < 0 || k > maxSpan {
		return rulebook.Span{}, false
	}
	switch strings.TrimSuffix(strings.TrimSpace(unit), "s") {
	case "hour":
		return rulebook.Span{Hours: k}, true
	case "day":
		return rulebook.Span{Days: k}, true
	case "week":
		return rulebook.Span{Days: 7 * k}, true
	case "working day":
		return rulebook.Span{WorkingDays: k}, true
	case "month":
		return rulebook.Span{Months: k}, true
	case "year":
		return rulebook.Span{Months: 12 * k}, true
	}
	return rulebook.Span{}, false
}

// time resolves a moment: a day is its first instant.
func (w When) time(cal rulebook.Calendar) time.Time {
	if w.timed {
		return cal.At(w.day, w.hour, w.min).T
	}
	return cal.Moment(w.day).Start()
}

// acts resolves the moment of a step: on a day without a time people act at
// noon.
func (w When) acts(cal rulebook.Calendar) time.Time {
	if w.timed {
		return cal.At(w.day, w.hour, w.min).T
	}
	return cal.At(w.day, 12, 0).T
}

// exactly tells whether an instant is the one written: a day means, for an
// end, that the whole day is in time, else its first instant.
func (w When) exactly(cal rulebook.Calendar, at time.Time, end bool) bool {
	if w.timed || !end {
		return at.Equal(w.time(cal))
	}
	return at.Equal(cal.Moment(w.day).End())
}

// moment is the form in which a register takes what was written.
func (w When) moment(cal rulebook.Calendar) rulebook.Moment {
	if w.timed {
		return cal.At(w.day, w.hour, w.min)
	}
	return cal.Moment(w.day)
}
