package rulebook

import "strings"

// Markdown renders an explanation as Markdown; clauses stand in brackets.
func (e *Explanation) Markdown() string {
	var b strings.Builder
	b.WriteString("# " + e.Title + "\n\n")
	for _, l := range e.Lead {
		b.WriteString(l + "\n\n")
	}
	for _, s := range e.Sections {
		b.WriteString("## " + s.Heading + cited(s.Cite) + "\n\n")
		item := false
		for _, p := range s.Points {
			text := p.Text + cited(p.Cite)
			if p.Label != "" {
				text = strings.TrimSpace("**" + strings.TrimSuffix(p.Label, ".") + ".** " + text)
			}
			if p.Depth == 0 {
				if item {
					b.WriteByte('\n')
				}
				b.WriteString(text + "\n\n")
				item = false
				continue
			}
			b.WriteString(strings.Repeat("  ", p.Depth-1) + "- " + text + "\n")
			item = true
		}
		if item {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// Text renders an explanation as plain text in lines of at most width
// characters; 0 means 78.
func (e *Explanation) Text(width int) string {
	if width <= 0 {
		width = 78
	}
	var b strings.Builder
	b.WriteString(e.Title + "\n" + strings.Repeat("=", min(width, len([]rune(e.Title)))) + "\n\n")
	for _, l := range e.Lead {
		wrap(&b, l, width, "", "")
	}
	for _, s := range e.Sections {
		h := s.Heading + cited(s.Cite)
		b.WriteString("\n" + h + "\n" + strings.Repeat("-", min(width, len([]rune(h)))) + "\n")
		for i, p := range s.Points {
			if p.Depth == 0 && i > 0 {
				b.WriteByte('\n')
			}
			text := p.Text
			if p.Label != "" && text != "" {
				text = p.Label + ": " + text
			} else if p.Label != "" {
				text = p.Label + "."
			}
			indent, hang := strings.Repeat("  ", p.Depth), strings.Repeat("  ", p.Depth)
			if p.Depth > 0 {
				indent, hang = strings.Repeat("  ", p.Depth-1)+"  - ", strings.Repeat("  ", p.Depth-1)+"    "
			}
			wrap(&b, text+cited(p.Cite), width, indent, hang)
		}
	}
	return b.String()
}

func wrap(b *strings.Builder, text string, width int, indent, hang string) {
	line := indent
	empty := true
	for _, w := range strings.Fields(text) {
		if !empty && len([]rune(line))+1+len([]rune(w)) > width {
			b.WriteString(line + "\n")
			line, empty = hang, true
		}
		if !empty {
			line += " "
		}
		line += w
		empty = false
	}
	b.WriteString(line + "\n")
}
