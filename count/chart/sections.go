package chart

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/omov/omov/count"
)

// Sections draws, for a sheet of weighted sections, what each section
// contributed to each candidate at each stage: a bar a candidate, made of
// pieces, one a section. Pieces are told apart by their pattern and by the
// number written in them, which the legend repeats; a sheet without sections
// gives the same as Stages.
func Sections(s *count.Sheet, o Options) string {
	if len(s.Stages) == 0 || len(s.Stages[0].Sections) == 0 {
		return Stages(s, o)
	}
	o = o.filled("What the sections contributed")
	most := greatest(s)
	height := 12 + rowHeight*len(s.Stages[0].Sections)
	for _, st := range s.Stages {
		height += headHeight + rowHeight*len(st.Votes) + 8
	}
	var b strings.Builder
	open(&b, o, height, describeSections(s, o))
	b.WriteString("<defs>")
	for k := range s.Stages[0].Sections {
		fmt.Fprintf(&b, `<pattern id="%s-s%d" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(%d)"><rect width="8" height="8" fill="#fff"/><rect width="%d" height="8" fill="#2b5d8a"/></pattern>`,
			esc(o.ID), k, 45*k, max(1, 6-2*k))
	}
	b.WriteString("</defs>\n")
	y := 6
	for k, sec := range s.Stages[0].Sections {
		piece(&b, o, labelWidth, y, 24, k)
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\">%s (%s)</text>\n", labelWidth+30, y+13, esc(sec.Name), esc(sec.Weight.Decimal(3)))
		y += rowHeight
	}
	for _, st := range s.Stages {
		y = sectionStage(&b, st, most, y, o)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func sectionStage(b *strings.Builder, st count.Stage, most *big.Rat, y int, o Options) int {
	room := o.Width - labelWidth - valueWidth
	fmt.Fprintf(b, "<text x=\"4\" y=\"%d\" font-weight=\"bold\">%s %d: %s</text>\n", y+16, esc(o.word("stage")), st.N, esc(clip(st.Action, 80)))
	y += headHeight
	for _, c := range st.Votes {
		row(b, y, c.Name, c.Votes, 0, "none", "")
		x, sum := labelWidth, new(big.Rat)
		for k, sec := range st.Sections {
			sum.Add(sum, sec.Contribution.Of(c.Name).Rat())
			end := labelWidth + pixels(count.Amount(sum.RatString()), most, room)
			piece(b, o, x+pieceShift, y, end-x, k)
			x = end
		}
		y += rowHeight
	}
	return y + 8
}

// pieceShift leaves room for the total, which stands before the bar.
const pieceShift = 60

// piece draws one section's part of a bar, with its number where it fits.
func piece(b *strings.Builder, o Options, x, y, length, k int) {
	if length <= 0 {
		return
	}
	fmt.Fprintf(b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"url(#%s-s%d)\" stroke=\"#222\"/>\n", x, y+2, length, rowHeight-5, esc(o.ID), k)
	if length > 14 {
		fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" paint-order=\"stroke\" stroke=\"#fff\" stroke-width=\"3\">%d</text>\n", x+4, y+13, k+1)
	}
}

// describeSections says in words what the picture shows.
func describeSections(s *count.Sheet, o Options) string {
	var parts []string
	for _, st := range s.Stages {
		p := fmt.Sprintf("%s %d, %s.", o.word("stage"), st.N, st.Action)
		for _, c := range st.Votes {
			p += " " + c.Name + " " + c.Votes.Decimal(3) + ":"
			for _, sec := range st.Sections {
				p += " " + sec.Name + " " + sec.Contribution.Of(c.Name).Decimal(3)
			}
			p += ";"
		}
		parts = append(parts, p)
	}
	return strings.Join(parts, " ")
}
