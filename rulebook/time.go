package rulebook

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Calendar is what time arithmetic needs to know: where days begin, and which
// of them are holidays.
type Calendar struct {
	Zone     *time.Location
	Holidays Holidays
}

// Calendar gives the calendar of the book.
func (b *Book) Calendar() Calendar { return Calendar{Zone: b.Zone, Holidays: b.Holidays} }

// dayOf gives the day of a civil date; month and day may overflow as in
// time.Date.
func dayOf(y int, m time.Month, d int) Day {
	return Day(floorDiv(int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()), 86400))
}

// Date gives year, month and day of the month.
func (d Day) Date() (int, time.Month, int) {
	return time.Unix(int64(d)*86400, 0).UTC().Date()
}

// String gives the day as 2026-02-20.
func (d Day) String() string {
	y, m, n := d.Date()
	return fmt.Sprintf("%04d-%02d-%02d", y, int(m), n)
}

// Moment gives the day as a moment in the calendar's zone.
func (c Calendar) Moment(d Day) Moment {
	y, m, n := d.Date()
	return Moment{T: c.first(y, m, n), IsDay: true}
}

// Instant gives an instant as a moment in the calendar's zone.
func (c Calendar) Instant(t time.Time) Moment { return Moment{T: t.In(c.zone())} }

func (c Calendar) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// first gives the first instant of a day. Where midnight is skipped that is
// the first instant after it, where it comes twice the first of the two.
func (c Calendar) first(y int, m time.Month, d int) time.Time {
	return c.resolve(y, m, d, 0, 0, 0, false)
}

// At gives the instant of a local time: a skipped one is the first instant
// after the gap, a doubled one the later of the two.
func (c Calendar) At(d Day, hour, minute int) Moment {
	y, m, n := d.Date()
	return Moment{T: c.resolve(y, m, n, hour, minute, 0, true)}
}

// resolve tries the offsets in force a day before and a day after: a local
// time that both of them give exists twice, one that neither gives is skipped.
func (c Calendar) resolve(y int, m time.Month, d, h, mi, s int, later bool) time.Time {
	z := c.zone()
	wall := time.Date(y, m, d, h, mi, s, 0, time.UTC)
	_, before := wall.Add(-36 * time.Hour).In(z).Zone()
	_, after := wall.Add(36 * time.Hour).In(z).Zone()
	early := wall.Add(-time.Duration(max(before, after)) * time.Second).In(z)
	if before == after {
		return early
	}
	late := wall.Add(-time.Duration(min(before, after)) * time.Second).In(z)
	earlyOK, lateOK := sameWall(early, wall), sameWall(late, wall)
	switch {
	case earlyOK && (!later || !lateOK):
		return early
	case lateOK:
		return late
	}
	start, _ := late.ZoneBounds()
	if start.IsZero() {
		return late
	}
	return start.In(z)
}

func sameWall(t, wall time.Time) bool {
	y, m, d := t.Date()
	y2, m2, d2 := wall.Date()
	return y == y2 && m == m2 && d == d2 && t.Hour() == wall.Hour() && t.Minute() == wall.Minute() && t.Second() == wall.Second()
}

// Day gives the day on which the moment falls.
func (m Moment) Day() Day {
	y, mo, d := m.T.Date()
	return dayOf(y, mo, d)
}

// Start gives the first instant of a day, and an instant as it is.
func (m Moment) Start() time.Time { return m.T }

// End gives the instant at which a deadline set at the moment has passed: for
// a day the first instant of the next one, for an instant itself. What
// happens before End is in time.
func (m Moment) End() time.Time {
	if !m.IsDay {
		return m.T
	}
	y, mo, d := m.T.Date()
	return Calendar{Zone: m.T.Location()}.first(y, mo, d+1)
}

// longAgo and never stand for moments that were never or will never be: when
// a procedure that has never run ended, and since when somebody belongs who
// does not. They compare as the past and the future of everything.
func longAgo() Moment { return Moment{T: time.Unix(-1<<40, 0).UTC()} }
func never() Moment   { return Moment{T: time.Unix(1<<40, 0).UTC()} }

func (m Moment) bounded() bool {
	s := m.T.Unix()
	return s > -1<<39 && s < 1<<39
}

// Compare gives -1, 0 or 1. A day is compared with an instant by day.
func (m Moment) Compare(o Moment) int {
	if m.IsDay == o.IsDay {
		return m.T.Compare(o.T)
	}
	if m.IsDay {
		return -o.Compare(m)
	}
	switch { // m is an instant, o a day
	case m.T.Before(o.T):
		return -1
	case m.T.Sub(o.T) > 27*time.Hour || !m.T.Before(o.End()):
		return 1
	}
	return 0
}

// Add moves a moment by a span. Months keep the day of the month or take the
// last; days and longer spans lead from an instant to a day; hours count
// exactly and lead from a day, taken at its start, to an instant.
func (m Moment) Add(s Span, c Calendar) Moment {
	if !m.bounded() || s == (Span{}) {
		return m
	}
	if s.Months == 0 && s.Days == 0 && s.WorkingDays == 0 {
		return Moment{T: m.T.Add(time.Duration(s.Hours) * time.Hour)}
	}
	y, mo, d := m.T.Date()
	if s.Months != 0 {
		y, mo, d = addMonths(y, mo, d, s.Months)
	}
	day := dayOf(y, mo, d) + Day(s.Days)
	if s.WorkingDays != 0 {
		day = c.addWorking(day, s.WorkingDays)
	}
	out := c.Moment(day)
	if s.Hours != 0 {
		out = Moment{T: out.T.Add(time.Duration(s.Hours) * time.Hour)}
	}
	return out
}

func addMonths(y int, m time.Month, d, n int) (int, time.Month, int) {
	k := y*12 + int(m) - 1 + n
	y, m = floorDiv(k, 12), time.Month(k-12*floorDiv(k, 12)+1)
	if last := lastDay(y, m); d > last {
		d = last
	}
	return y, m, d
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func lastDay(y int, m time.Month) int {
	return time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// Opens gives the instant at which something opens that is announced at
// `ended` with the notice: N days open at the start of the Nth day after.
func (c Calendar) Opens(ended Moment, notice Span) time.Time {
	return ended.Add(notice, c).Start()
}

// Closes gives the instant at which a window closes: a window of days is
// never shorter and ends with a day, one of hours is exact.
func (c Calendar) Closes(opened time.Time, window Span) time.Time {
	from := c.Instant(opened)
	to := from.Add(window, c)
	if !to.IsDay || c.Moment(from.Day()).T.Equal(opened) {
		return to.Start()
	}
	return to.End()
}

// Negative gives the span backwards.
func (s Span) Negative() Span {
	return Span{-s.Months, -s.Days, -s.WorkingDays, -s.Hours}
}

// plus adds two spans part by part.
func (s Span) plus(o Span) Span {
	return Span{s.Months + o.Months, s.Days + o.Days, s.WorkingDays + o.WorkingDays, s.Hours + o.Hours}
}

// seconds weighs a span for comparison: a month is a twelfth of a mean year,
// a working day 7/5 of a day.
func (s Span) seconds() int64 {
	return int64(s.Months)*2629746 + int64(s.Days)*86400 + int64(s.WorkingDays)*120960 + int64(s.Hours)*3600
}

// String gives the span as it is written in a rulebook.
func (s Span) String() string {
	var parts []string
	put := func(n int, one string) {
		if n == 0 {
			return
		}
		if n != 1 && n != -1 {
			one += "s"
		}
		parts = append(parts, strconv.Itoa(n)+" "+one)
	}
	if s.Months%12 == 0 {
		put(s.Months/12, "year")
	} else {
		put(s.Months, "month")
	}
	if s.Days%7 == 0 {
		put(s.Days/7, "week")
	} else {
		put(s.Days, "day")
	}
	put(s.WorkingDays, "working day")
	put(s.Hours, "hour")
	if len(parts) == 0 {
		return "0 days"
	}
	return strings.Join(parts, " and ")
}

// String gives a moment for people: 12 January 2016, with the time of day
// where it has one.
func (m Moment) String() string {
	if !m.bounded() {
		return "never"
	}
	if m.IsDay {
		return m.T.Format("2 January 2006")
	}
	return m.T.Format("2 January 2006, 15:04")
}

// maxSpan bounds the number in front of a unit of time.
const maxSpan = 100_000

// maxWorking bounds working days, which are counted one by one.
const maxWorking = 1000

// parseSpan reads `14 days`; ok is false where it is no span at all.
func parseSpan(s string) (Span, bool) {
	num, unit, found := strings.Cut(s, " ")
	n, err := strconv.Atoi(num)
	if !found || err != nil || n < 0 || n > maxSpan || num[0] == '+' {
		return Span{}, false
	}
	switch strings.TrimSpace(unit) {
	case "hour", "hours":
		return Span{Hours: n}, true
	case "day", "days":
		return Span{Days: n}, true
	case "working day", "working days":
		return Span{WorkingDays: n}, n <= maxWorking
	case "week", "weeks":
		return Span{Days: 7 * n}, true
	case "month", "months":
		return Span{Months: n}, true
	case "year", "years":
		return Span{Months: 12 * n}, true
	}
	return Span{}, false
}

// parseDay reads 2026-02-20.
func parseDay(s string) (Day, bool) {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		return 0, false
	}
	return Day(floorDiv(int(t.Unix()), 86400)), true
}

// parseMoment reads 2026-02-20 or 2026-02-20 14:30 in the calendar's zone.
func parseMoment(s string, c Calendar) (Moment, bool) {
	day, clock, has := strings.Cut(s, " ")
	d, ok := parseDay(day)
	if !ok {
		return Moment{}, false
	}
	if !has {
		return c.Moment(d), true
	}
	t, err := time.Parse("15:04", clock)
	if err != nil {
		return Moment{}, false
	}
	return c.At(d, t.Hour(), t.Minute()), true
}
