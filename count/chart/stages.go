// Package chart draws count sheets as SVG for result pages.
//
// It decides nothing and computes no result: it only scales the amounts of a
// sheet, exactly, to whole pixels. Charts are readable without colour (every
// bar is labelled, states are words and patterns) and carry a title and a
// description for readers who do not see them; the page puts the sheet's
// table beside them.
package chart

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/omov/omov/count"
)

// Options are what a page can say about a chart.
type Options struct {
	Title string // "" : "Stages of the count"
	// ID makes the ids in the picture unique on a page; "" : "chart".
	ID string
	// Width in pixels; 0: 720.
	Width int
	// Words translates the few words of a chart; missing ones stay English:
	// stage, elected, excluded, needed, non-transferable.
	Words map[string]string
}

func (o Options) word(w string) string {
	if t, ok := o.Words[w]; ok {
		return t
	}
	return w
}

const (
	rowHeight  = 18
	headHeight = 26
	labelWidth = 190
	valueWidth = 130
)

// Stages draws a block of bars for each stage: a bar a candidate, its length
// the votes, a line where the quota is.
func Stages(s *count.Sheet, o Options) string {
	o = o.filled("Stages of the count")
	most := greatest(s)
	height := 12
	for _, st := range s.Stages {
		height += headHeight + rowHeight*(len(st.Votes)+1) + 8
	}
	var b strings.Builder
	open(&b, o, height, describe(s, o))
	b.WriteString(pattern(o.ID))
	y := 6
	for _, st := range s.Stages {
		y = stage(&b, st, most, y, o)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// filled gives options with nothing left out.
func (o Options) filled(title string) Options {
	if o.Width == 0 {
		o.Width = 720
	}
	if o.ID == "" {
		o.ID = "chart"
	}
	if o.Title == "" {
		o.Title = title
	}
	return o
}

// open begins a picture, with its title and description.
func open(b *strings.Builder, o Options, height int, description string) {
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 %d %d" width="%d" height="%d" aria-labelledby="%s-title %s-desc" font-family="system-ui, sans-serif" font-size="12">`+"\n",
		o.Width, height, o.Width, height, esc(o.ID), esc(o.ID))
	fmt.Fprintf(b, "<title id=\"%s-title\">%s</title>\n<desc id=\"%s-desc\">%s</desc>\n", esc(o.ID), esc(o.Title), esc(o.ID), esc(description))
}

// pattern is the hatching of an excluded candidate's bar.
func pattern(id string) string {
	return fmt.Sprintf(`<defs><pattern id="%s-out" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#fff"/><rect width="2" height="6" fill="#555"/></pattern></defs>`+"\n", esc(id))
}

// greatest gives the largest amount, so that all stages have one scale.
func greatest(s *count.Sheet) *big.Rat {
	most := big.NewRat(1, 1_000_000)
	for _, st := range s.Stages {
		for _, c := range st.Votes {
			if r := c.Votes.Rat(); r.Cmp(most) > 0 {
				most = r
			}
		}
		if r := st.Quota.Rat(); r.Cmp(most) > 0 {
			most = r
		}
	}
	return most
}

// pixels scales an amount to whole pixels, rounded down.
func pixels(a count.Amount, most *big.Rat, room int) int {
	r := new(big.Rat).Quo(a.Rat(), most)
	r.Mul(r, big.NewRat(int64(room), 1))
	n := new(big.Int).Quo(r.Num(), r.Denom())
	return int(min(max(n.Int64(), 0), int64(room)))
}

func stage(b *strings.Builder, st count.Stage, most *big.Rat, y int, o Options) int {
	room := o.Width - labelWidth - valueWidth
	fmt.Fprintf(b, "<text x=\"4\" y=\"%d\" font-weight=\"bold\">%s %d: %s</text>\n", y+16, esc(o.word("stage")), st.N, esc(clip(st.Action, 80)))
	y += headHeight
	top := y
	for _, c := range st.Votes {
		state, fill := "", "#2b5d8a"
		for _, n := range st.Elected {
			if n == c.Name {
				state, fill = o.word("elected"), "#1d3f5e"
			}
		}
		for _, n := range st.Excluded {
			if n == c.Name {
				state, fill = o.word("excluded"), "url(#"+esc(o.ID)+"-out)"
			}
		}
		row(b, y, c.Name, c.Votes, pixels(c.Votes, most, room), fill, state)
		y += rowHeight
	}
	row(b, y, o.word("non-transferable"), st.NonTransferable, 0, "none", "")
	if st.Quota != "" {
		x := labelWidth + pixels(st.Quota, most, room)
		fmt.Fprintf(b, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#000\" stroke-dasharray=\"3 2\"><title>%s %s</title></line>\n",
			x, top-2, x, y, esc(o.word("needed")), esc(st.Quota.Decimal(5)))
	}
	return y + rowHeight + 8
}

func row(b *strings.Builder, y int, name string, a count.Amount, length int, fill, state string) {
	fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", labelWidth-6, y+13, esc(clip(name, 28)))
	if length > 0 {
		fmt.Fprintf(b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\" stroke=\"#222\"/>\n", labelWidth, y+2, length, rowHeight-5, fill)
	}
	value := a.Decimal(3)
	if state != "" {
		value += " " + state
	}
	fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\">%s</text>\n", labelWidth+length+5, y+13, esc(value))
}

// describe says in words what the picture shows.
func describe(s *count.Sheet, o Options) string {
	parts := make([]string, 0, len(s.Stages))
	for _, st := range s.Stages {
		p := fmt.Sprintf("%s %d, %s.", o.word("stage"), st.N, st.Action)
		for _, c := range st.Votes {
			p += " " + c.Name + " " + c.Votes.Decimal(3) + ";"
		}
		if len(st.Elected) > 0 {
			p += " " + o.word("elected") + ": " + strings.Join(st.Elected, ", ") + "."
		}
		if len(st.Excluded) > 0 {
			p += " " + o.word("excluded") + ": " + strings.Join(st.Excluded, ", ") + "."
		}
		parts = append(parts, p)
	}
	return strings.Join(parts, " ")
}

func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

// esc escapes for text and attributes, and drops what XML has no place for.
func esc(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == '\ufffe' || r == '\uffff' {
			return -1
		}
		return r
	}, s)
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace(s)
}
