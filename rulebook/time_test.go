package rulebook

import (
	"testing"
	"time"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestAdd(t *testing.T) {
	c := london(t)
	for _, x := range []struct{ from, span, want string }{
		{"2026-01-31", "1 month", "28 February 2026"},
		{"2024-01-31", "1 month", "29 February 2024"},
		{"2024-02-29", "1 year", "28 February 2025"},
		{"2026-12-31", "2 months", "28 February 2027"},
		{"2026-03-28 12:00", "1 day", "29 March 2026"},
		{"2026-03-28 12:00", "24 hours", "29 March 2026, 13:00"}, // the clocks go forward
		{"2026-03-29", "23 hours", "30 March 2026, 00:00"},
		{"2026-10-25", "25 hours", "26 October 2026, 00:00"},
		{"2026-07-12 14:00", "2 weeks", "26 July 2026"},
		{"2026-12-24", "1 working day", "29 December 2026"}, // 25th a Friday, 28th the substitute for the 26th
		{"2021-12-24", "1 working day", "29 December 2021"}, // Christmas on a Saturday
		{"2022-12-23", "1 working day", "28 December 2022"}, // Christmas on a Sunday
		{"2026-04-02", "1 working day", "7 April 2026"},     // Easter
	} {
		m, ok := parseMoment(x.from, c)
		s, ok2 := parseSpan(x.span)
		if !ok || !ok2 {
			t.Fatal(x)
		}
		if got := m.Add(s, c).String(); got != x.want {
			t.Errorf("%s + %s = %s, want %s", x.from, x.span, got, x.want)
		}
	}
}

func TestLocalTimes(t *testing.T) {
	for _, x := range []struct{ zone, at, want string }{
		{"Europe/London", "2026-03-29 01:30", "2026-03-29T01:00:00Z"}, // skipped: the first instant after
		{"Europe/London", "2026-10-25 01:30", "2026-10-25T01:30:00Z"}, // doubled: the later
		{"Europe/London", "2026-07-01 12:00", "2026-07-01T11:00:00Z"},
		{"America/New_York", "2026-03-08 02:15", "2026-03-08T07:00:00Z"},
		{"America/New_York", "2026-11-01 01:15", "2026-11-01T06:15:00Z"},
		{"Australia/Lord_Howe", "2026-10-04 02:10", "2026-10-03T15:30:00Z"}, // half an hour is skipped
	} {
		c := Calendar{Zone: zone(t, x.zone)}
		m, ok := parseMoment(x.at, c)
		if got := m.T.UTC().Format(time.RFC3339); !ok || got != x.want {
			t.Errorf("%s %s = %s, want %s", x.zone, x.at, got, x.want)
		}
	}
	// In Beirut the day begins at one o'clock when the clocks go forward at midnight.
	c := Calendar{Zone: zone(t, "Asia/Beirut")}
	d, _ := parseDay("2026-03-29")
	if m := c.Moment(d); m.Day() != d || m.T.Hour() != 1 {
		t.Errorf("the day begins at %s", m.T)
	}
	before, _ := parseDay("2026-03-28")
	if e := c.Moment(before).End(); !e.Equal(c.Moment(d).Start()) {
		t.Errorf("the day before ends at %s", e)
	}
}

func TestCompare(t *testing.T) {
	c := london(t)
	day := on(c, "2026-07-01")
	for _, x := range []struct {
		at   string
		want int
	}{
		{"2026-06-30 23:59", -1}, {"2026-07-01 00:00", 0}, {"2026-07-01 23:59", 0}, {"2026-07-02 00:00", 1},
		{"2026-07-01", 0}, {"2026-07-02", 1}, {"2020-01-01 00:00", -1},
	} {
		m := on(c, x.at)
		if got := m.Compare(day); got != x.want {
			t.Errorf("%s against the day: %d, want %d", x.at, got, x.want)
		}
		if got := day.Compare(m); got != -x.want {
			t.Errorf("the day against %s: %d, want %d", x.at, got, -x.want)
		}
	}
	if longAgo().Compare(day) != -1 || never().Compare(day) != 1 || longAgo().Add(Span{Months: 12}, c).Compare(day) != -1 {
		t.Error("long ago and never are not where they belong")
	}
}

func TestWindows(t *testing.T) {
	c := london(t)
	at := func(s string) time.Time { return on(c, s).T }
	if got := c.Opens(c.Instant(at("2026-07-01 15:00")), Span{Days: 7}); !got.Equal(at("2026-07-08 00:00")) {
		t.Errorf("seven days' notice opens at %s", got)
	}
	for _, x := range []struct{ opened, window, want string }{
		{"2026-07-01 15:00", "7 days", "2026-07-09 00:00"}, // never shorter, and ends with a day
		{"2026-07-01 00:00", "7 days", "2026-07-08 00:00"},
		{"2026-07-01 15:00", "48 hours", "2026-07-03 15:00"},
		{"2026-07-01 00:00", "1 day", "2026-07-02 00:00"},
	} {
		s, _ := parseSpan(x.window)
		if got := c.Closes(at(x.opened), s); !got.Equal(at(x.want)) {
			t.Errorf("%s from %s closes at %s, want %s", x.window, x.opened, got, x.want)
		}
	}
}

// TestBankHolidays compares with the published list for some years.
func TestBankHolidays(t *testing.T) {
	for year, want := range map[int][]string{
		2019: {"01-01", "04-19", "04-22", "05-06", "05-27", "08-26", "12-25", "12-26"},
		2020: {"01-01", "04-10", "04-13", "05-08", "05-25", "08-31", "12-25", "12-28"},
		2021: {"01-01", "04-02", "04-05", "05-03", "05-31", "08-30", "12-27", "12-28"},
		2022: {"01-03", "04-15", "04-18", "05-02", "06-02", "06-03", "08-29", "09-19", "12-26", "12-27"},
		2023: {"01-02", "04-07", "04-10", "05-01", "05-08", "05-29", "08-28", "12-25", "12-26"},
		2026: {"01-01", "04-03", "04-06", "05-04", "05-25", "08-31", "12-25", "12-28"},
	} {
		var got []string
		for d := dayOf(year, 1, 1); d <= dayOf(year, 12, 31); d++ {
			if bankHoliday(d) && !weekend(d) {
				got = append(got, d.String()[5:])
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d: %v, want %v", year, got, want)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%d: %v, want %v", year, got, want)
				break
			}
		}
	}
}
