package rulebook

import (
	"sort"
	"time"
)

// Holidays says which days besides Saturdays and Sundays are not working
// days. The zero value is no calendar at all: with it, a rulebook cannot use
// working days.
type Holidays struct {
	Name string // a calendar that omov ships; empty: Days were written out
	Days []Day  // sorted
}

// Set tells whether there is a calendar.
func (h Holidays) Set() bool { return h.Name != "" || len(h.Days) > 0 }

// On tells whether a day is a holiday.
func (h Holidays) On(d Day) bool {
	if h.Name == englandAndWales {
		return bankHoliday(d)
	}
	i := sort.Search(len(h.Days), func(i int) bool { return h.Days[i] >= d })
	return i < len(h.Days) && h.Days[i] == d
}

// addWorking moves n working days on from a day, or back.
func (c Calendar) addWorking(d Day, n int) Day {
	step := Day(1)
	if n < 0 {
		step, n = -1, -n
	}
	for n > 0 {
		d += step
		if !weekend(d) && !c.Holidays.On(d) {
			n--
		}
	}
	return d
}

// weekday counts from Sunday, 0; 1 January 1970 was a Thursday.
func weekday(d Day) int { return ((int(d)+4)%7 + 7) % 7 }

func weekend(d Day) bool { w := weekday(d); return w == 0 || w == 6 }

// Names of the calendars that are shipped.
const englandAndWales = "england-and-wales"

func shippedHolidays() []string { return []string{englandAndWales} }

// bankHoliday follows, for England and Wales, the Banking and Financial
// Dealings Act 1971, schedule 1, the royal proclamations of 1973 (New Year's
// Day) and 1977 (first Monday in May), and the custom of a substitute day
// where one falls on a weekend. The days moved or added by proclamation since
// 1995 are in the table of moved; years to come follow the rule until a
// proclamation says otherwise, and a book can then write its dates out.
func bankHoliday(d Day) bool {
	y, m, _ := d.Date()
	extra, gone := moved(y)
	for _, g := range gone {
		if g == d {
			return false
		}
	}
	for _, e := range extra {
		if e == d {
			return true
		}
	}
	switch m {
	case time.January:
		return y >= 1974 && d == substitute(dayOf(y, 1, 1), 0)
	case time.March, time.April:
		e := easter(y)
		return d == e-2 || d == e+1
	case time.May:
		return y >= 1978 && d == nthMonday(y, time.May, 1) || d == lastMonday(y, time.May)
	case time.August:
		return d == lastMonday(y, time.August)
	case time.December:
		christmas := dayOf(y, 12, 25)
		return d == christmas || d == christmas+1 || d == substitute(christmas, 1) || d == substitute(christmas+1, 1)
	}
	return false
}

// moved gives the bank holidays of England and Wales that were proclaimed
// beside the rule, and those of the rule that they replaced.
// Source: the list published by the United Kingdom's government at
// gov.uk/bank-holidays, and the proclamations it names.
func moved(year int) (extra, gone []Day) {
	switch year {
	case 1995: // 50 years after the end of the war in Europe
		return []Day{dayOf(1995, 5, 8)}, []Day{dayOf(1995, 5, 1)}
	case 1999: // the millennium
		return []Day{dayOf(1999, 12, 31)}, nil
	case 2002: // golden jubilee
		return []Day{dayOf(2002, 6, 3), dayOf(2002, 6, 4)}, []Day{dayOf(2002, 5, 27)}
	case 2011: // a royal wedding
		return []Day{dayOf(2011, 4, 29)}, nil
	case 2012: // diamond jubilee
		return []Day{dayOf(2012, 6, 4), dayOf(2012, 6, 5)}, []Day{dayOf(2012, 5, 28)}
	case 2020: // 75 years after the end of the war in Europe
		return []Day{dayOf(2020, 5, 8)}, []Day{dayOf(2020, 5, 4)}
	case 2022: // platinum jubilee, a state funeral
		return []Day{dayOf(2022, 6, 2), dayOf(2022, 6, 3), dayOf(2022, 9, 19)}, []Day{dayOf(2022, 5, 30)}
	case 2023: // a coronation
		return []Day{dayOf(2023, 5, 8)}, nil
	}
	return nil, nil
}

// substitute gives the first weekday from a day on that is not taken by
// another holiday of the same days: Christmas Day and the day after share the
// Monday and the Tuesday that follow a weekend.
func substitute(d Day, pair int) Day {
	if !weekend(d) {
		return d
	}
	monday := d + Day((8-weekday(d))%7)
	if pair == 0 {
		return monday
	}
	_, _, n := d.Date()
	switch {
	case weekday(d) == 0 && n == 25: // Sunday: the day after has the Monday
		return monday + 1
	case weekday(d) == 0 && n == 26: // Christmas Day on the Saturday has the Monday
		return monday + 1
	}
	return monday
}

func nthMonday(y int, m time.Month, n int) Day {
	d := dayOf(y, m, 1)
	return d + Day((8-weekday(d))%7) + Day(7*(n-1))
}

func lastMonday(y int, m time.Month) Day {
	d := dayOf(y, m+1, 0)
	return d - Day((weekday(d)+6)%7)
}

// easter gives Easter Sunday by the anonymous Gregorian computus as printed
// in Meeus, Astronomical Algorithms, chapter 8.
func easter(y int) Day {
	a, b, c := y%19, y/100, y%100
	d, e := b/4, b%4
	f := (b + 8) / 25
	g := (b - f + 1) / 3
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return dayOf(y, time.Month(n/31), n%31+1)
}
