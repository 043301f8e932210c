package web

import (
	"fmt"
	"html/template"
	"math/big"
	"strings"
	"time"

	"github.com/omov/omov/count"
	"github.com/omov/omov/rulebook"
)

// funcs are what templates can call.
func (s *Site) funcs() template.FuncMap {
	return template.FuncMap{
		"instant": func(t time.Time) string { return t.Format("Monday 2 January 2006, 15:04") },
		"spaced":  func(x string) string { return strings.ReplaceAll(x, "_", " ") },
		"title": func(x string) string {
			x = strings.ReplaceAll(x, "_", " ")
			if x == "" {
				return x
			}
			return strings.ToUpper(x[:1]) + x[1:]
		},
		"num":     func(n int64) string { return group(fmt.Sprint(n)) },
		"amount":  func(a count.Amount) string { return group(a.Decimal(2)) },
		"add":     func(a, b int) int { return a + b },
		"ordinal": ordinal,
		"came":    came,

		"followed":  followed,
		"integrity": integrity,
		"dict":      dict,
	}
}

// dict gives a template several values under names.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict wants pairs")
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		k, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict wants names")
		}
		m[k] = pairs[i+1]
	}
	return m, nil
}

// group puts commas between thousands.
func group(s string) string {
	whole, frac, has := strings.Cut(s, ".")
	neg := strings.HasPrefix(whole, "-")
	whole = strings.TrimPrefix(whole, "-")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if neg {
		whole = "−" + whole
	}
	if has {
		return whole + "." + frac
	}
	return whole
}

// percent writes a share exactly rounded: "62.58%", and nothing of nothing.
func percent(part, whole *big.Rat, places int) string {
	if whole == nil || whole.Sign() == 0 || part == nil {
		return "–"
	}
	x := new(big.Rat).Quo(part, whole)
	return x.Mul(x, big.NewRat(100, 1)).FloatString(places) + "%"
}

func ordinal(n int) string {
	end := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			end = "st"
		case 2:
			end = "nd"
		case 3:
			end = "rd"
		}
	}
	return fmt.Sprint(n) + end
}

// came says in a person's words what came of a stage, a ballot or a run.
func came(outcome string) string {
	switch outcome {
	case "enough":
		return "enough support"
	case "short":
		return "too little support"
	case "done":
		return "over"
	case "lost":
		return "not carried"
	case "inquorate":
		return "too few took part"
	case "too_few":
		return "too few papers for a secret ballot, so none was opened"
	case "silence":
		return "nobody decided"
	case "doubted":
		return "the chair’s word was doubted"
	}
	return spaced(outcome)
}

// moment writes an instant of a book for people; a midnight is the end of the
// day before, and so is the minute after it, in which a window is shut.
func moment(b *rulebook.Book, ms int64) string {
	if ms == 0 {
		return ""
	}
	t := time.UnixMilli(ms).In(b.Zone)
	if h, m, _ := t.Clock(); h == 0 && m == 0 {
		return t.AddDate(0, 0, -1).Format("Monday 2 January 2006") + ", end of day"
	}
	return t.Format("Monday 2 January 2006, 15:04")
}

// opening writes an instant at which something opens.
func opening(b *rulebook.Book, ms int64) string {
	if ms == 0 {
		return ""
	}
	t := time.UnixMilli(ms).In(b.Zone)
	if h, m, _ := t.Clock(); h == 0 && m == 0 {
		return t.Format("Monday 2 January 2006")
	}
	return t.Format("Monday 2 January 2006, 15:04")
}
