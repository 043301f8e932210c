package rulebook

import (
	"slices"
	"strings"
)

// Difference says in words what changes from one rulebook to another.
type Difference struct {
	From     string           `json:"from"` // title, with the day of adoption
	To       string           `json:"to"`
	Sections []ChangedSection `json:"sections"`
}

// ChangedSection is what changes in one part or procedure. Also names what
// changes elsewhere and bears on it.
type ChangedSection struct {
	ID      string   `json:"id"`
	Heading string   `json:"heading"`
	Changes []Change `json:"changes"`
	Also    []string `json:"also,omitempty"`
}

// ChangeKind says what became of something.
type ChangeKind string

// The kinds of change.
const (
	ChangeNew  ChangeKind = "new"
	ChangeGone ChangeKind = "gone"
	ChangeMade ChangeKind = "changed"
)

// Change is one thing that is new, gone or different. Before and Now hold the
// sentences that are different.
type Change struct {
	Kind   ChangeKind `json:"kind"`
	Label  string     `json:"label,omitempty"`
	Before []string   `json:"before,omitempty"`
	Now    []string   `json:"now,omitempty"`
}

// Diff says what changes for each part and procedure when b takes the place
// of a. A difference without sections means that no rule changes.
func Diff(a, b *Book) *Difference {
	out := &Difference{From: titled(a), To: titled(b)}
	before, now := a.Explain(), b.Explain()
	head := ChangedSection{ID: "head", Heading: "The rulebook as a whole"}
	if lead := sentencesNotIn(before.Lead[1:], now.Lead[1:]); len(lead) > 0 || len(sentencesNotIn(now.Lead[1:], before.Lead[1:])) > 0 {
		head.Changes = []Change{{Kind: ChangeMade, Before: lead, Now: sentencesNotIn(now.Lead[1:], before.Lead[1:])}}
		out.Sections = append(out.Sections, head)
	}
	for _, s := range now.Sections {
		old, ok := sectionOf(before, s.ID)
		if !ok {
			out.Sections = append(out.Sections, ChangedSection{ID: s.ID, Heading: s.Heading, Changes: []Change{{Kind: ChangeNew, Label: s.Heading, Now: allSentences(s)}}})
			continue
		}
		if c := changes(old, s); len(c) > 0 {
			out.Sections = append(out.Sections, ChangedSection{ID: s.ID, Heading: s.Heading, Changes: c})
		}
	}
	for _, s := range before.Sections {
		if _, ok := sectionOf(now, s.ID); !ok {
			out.Sections = append(out.Sections, ChangedSection{ID: s.ID, Heading: s.Heading, Changes: []Change{{Kind: ChangeGone, Label: s.Heading}}})
		}
	}
	out.indirect(a, b)
	return out
}

func titled(b *Book) string {
	return b.Title + " (" + b.Calendar().Moment(b.Edition).String() + ")"
}

func sectionOf(e *Explanation, id string) (ExplainedSection, bool) {
	for _, s := range e.Sections {
		if s.ID == id {
			return s, true
		}
	}
	return ExplainedSection{}, false
}

// keyedPoint is a point with the labels that lead to it.
type keyedPoint struct {
	Point
	key  string // the same in another edition
	path string // for people
}

// keyed gives the points of a section with the labels that lead to them, so
// that the same thing is found again in another edition.
func keyed(s ExplainedSection) []keyedPoint {
	var out []keyedPoint
	taken := map[string]bool{}
	var keys, names [4]string
	for _, p := range s.Points {
		d := min(p.Depth, len(keys)-1)
		keys[d], names[d] = nameOf(p)
		k := keyedPoint{Point: p, key: strings.Join(keys[:d+1], "/"), path: names[d]}
		if d > 0 && names[d-1] != "" {
			k.path = strings.TrimSuffix(names[d-1]+", "+lower(names[d]), ", ")
		}
		for taken[k.key] {
			k.key += "+"
		}
		taken[k.key] = true
		out = append(out, k)
	}
	return out
}

// nameOf gives what a point is found again by, and what people call it.
func nameOf(p Point) (key, name string) {
	switch {
	case p.Label != "":
		key = p.Label
		if _, after, ok := strings.Cut(key, ". "); ok {
			key = after // a stage keeps its name when it moves
		}
		return key, p.Label
	case p.key != "":
		return p.key, "“" + spaced(p.key) + "”"
	}
	key, _, _ = strings.Cut(p.Text, " ")
	if p.Depth > 0 {
		key = p.Text
	}
	return key, ""
}

// lower gives a label as it stands inside a sentence.
func lower(s string) string {
	if strings.HasPrefix(s, "If ") || strings.HasPrefix(s, "Whoever ") || strings.HasPrefix(s, "Without ") || strings.HasPrefix(s, "When ") {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

func changes(old, s ExplainedSection) []Change {
	var out []Change
	before, now := keyed(old), keyed(s)
	if old.Cite != s.Cite {
		out = append(out, Change{Kind: ChangeMade, Label: "Clause", Before: []string{old.Cite}, Now: []string{s.Cite}})
	}
	for _, p := range now {
		q, ok := pointOf(before, p.key)
		if !ok {
			out = append(out, Change{Kind: ChangeNew, Label: p.path, Now: sentencesOf(p.Point)})
			continue
		}
		gone, come := sentencesNotIn(sentencesOf(q.Point), sentencesOf(p.Point)), sentencesNotIn(sentencesOf(p.Point), sentencesOf(q.Point))
		if len(gone)+len(come) > 0 {
			out = append(out, Change{Kind: ChangeMade, Label: p.path, Before: gone, Now: come})
		}
	}
	for _, q := range before {
		if _, ok := pointOf(now, q.key); !ok {
			out = append(out, Change{Kind: ChangeGone, Label: q.path, Before: sentencesOf(q.Point)})
		}
	}
	return out
}

func pointOf(list []keyedPoint, key string) (keyedPoint, bool) {
	for _, p := range list {
		if p.key == key {
			return p, true
		}
	}
	return keyedPoint{}, false
}

// sentencesOf splits a point into its sentences, each with what it cites.
func sentencesOf(p Point) []string {
	var out []string
	rest := p.Text
	for {
		i := strings.Index(rest, ". ")
		if q := strings.Index(rest, "? "); q >= 0 && (i < 0 || q < i) {
			i = q
		}
		if i < 0 {
			break
		}
		out = append(out, strings.TrimSpace(rest[:i+1]))
		rest = rest[i+2:]
	}
	if rest = strings.TrimSpace(rest); rest != "" {
		out = append(out, rest)
	}
	if p.Rule != "" {
		out = append(out, "Exactly: "+p.Rule+".")
	}
	if p.Cite != "" {
		out = append(out, "It rests on clause "+p.Cite+".")
	}
	return out
}

func allSentences(s ExplainedSection) []string {
	var out []string
	for _, p := range s.Points {
		text := p.Text
		if p.Label != "" {
			text = p.Label + ": " + text
		}
		out = append(out, text)
	}
	return out
}

func sentencesNotIn(a, b []string) []string {
	var out []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}

// indirect notes, for each procedure, the electorates and slots that it uses
// and that change.
func (d *Difference) indirect(a, b *Book) {
	changed := map[string]bool{}
	for _, s := range d.Sections {
		if s.ID != "electorates" && s.ID != "discretion" {
			continue
		}
		for label := range changedParagraphs(a, b, s.ID) {
			changed[label] = true
		}
	}
	if len(changed) == 0 {
		return
	}
	sp := &speaker{b: b}
	for i := range b.Procedures {
		p := &b.Procedures[i]
		if a.Procedure(p.Name) == nil {
			continue
		}
		var also []string
		for label := range sp.usedBy(p) {
			if changed[label] {
				also = append(also, label)
			}
		}
		if len(also) == 0 {
			continue
		}
		slices.Sort(also)
		d.also("procedure-"+p.Name, capital(spaced(p.Name)), also)
	}
}

func (d *Difference) also(id, heading string, also []string) {
	for i := range d.Sections {
		if d.Sections[i].ID == id {
			d.Sections[i].Also = also
			return
		}
	}
	d.Sections = append(d.Sections, ChangedSection{ID: id, Heading: heading, Also: also})
}

// changedParagraphs gives the labels of the paragraphs of a section that are
// not the same, with the items under them, in two books.
func changedParagraphs(a, b *Book, id string) map[string]bool {
	texts := func(x *Book) map[string]string {
		out := map[string]string{}
		s, _ := sectionOf(x.Explain(), id)
		label := ""
		for _, p := range s.Points {
			if p.Depth == 0 {
				label = p.Label
			}
			out[label] += p.Label + p.Text + p.Cite + p.Rule + "\n"
		}
		return out
	}
	before, now := texts(a), texts(b)
	out := map[string]bool{}
	for label, t := range now {
		if before[label] != t {
			out[label] = true
		}
	}
	return out
}

// Text renders a difference as plain text in lines of at most width
// characters; 0 means 78.
func (d *Difference) Text(width int) string {
	if width <= 0 {
		width = 78
	}
	var b strings.Builder
	wrap(&b, "From: "+d.From, width, "", "      ")
	wrap(&b, "To:   "+d.To, width, "", "      ")
	if len(d.Sections) == 0 {
		b.WriteString("\nNo rule changes.\n")
		return b.String()
	}
	for _, s := range d.Sections {
		b.WriteString("\n" + s.Heading + "\n" + strings.Repeat("-", min(width, len([]rune(s.Heading)))) + "\n")
		for _, c := range s.Changes {
			c.write(&b, width)
		}
		if len(s.Also) > 0 {
			wrap(&b, "It uses what changes elsewhere: "+sentenceList(s.Also, "and")+".", width, "", "")
		}
	}
	b.WriteString("\n")
	wrap(&b, "A proceeding under way keeps the version under which it was called.", width, "", "")
	return b.String()
}

func (c Change) write(b *strings.Builder, width int) {
	label := c.Label
	switch c.Kind {
	case ChangeNew:
		label = strings.TrimSpace("New. " + label)
	case ChangeGone:
		label = strings.TrimSpace("No longer. " + label)
	}
	if label != "" {
		wrap(b, strings.TrimSuffix(label, ".")+":", width, "* ", "  ")
	}
	for _, s := range c.Before {
		wrap(b, s, width, "  - before: ", "    ")
	}
	for _, s := range c.Now {
		wrap(b, s, width, "  - now:    ", "    ")
	}
}
