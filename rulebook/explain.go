package rulebook

import (
	"fmt"
	"strings"

	"github.com/omov/omov/fault"
)

// Explanation is a rulebook, or one procedure of it, in prose. Pages and the
// command line render it; its sentences are the same in both.
type Explanation struct {
	Title    string             `json:"title"`
	Lead     []string           `json:"lead"` // what it is, before the first section
	Sections []ExplainedSection `json:"sections"`
}

// ExplainedSection is one part. ID is stable and made of small letters,
// digits, `_` and `-`: a page can link to it.
type ExplainedSection struct {
	ID      string  `json:"id"`
	Heading string  `json:"heading"`
	Cite    string  `json:"cite,omitempty"` // the clause it rests on; may be empty
	Points  []Point `json:"points"`
}

// Point is one sentence or a few. Depth 0 is a paragraph, 1 and more are
// items of a list under the point before. Label, where there is one, stands
// in front: the name of a stage, a condition, an outcome.
type Point struct {
	Depth int    `json:"depth"`
	Label string `json:"label,omitempty"`
	Text  string `json:"text"`
	Cite  string `json:"cite,omitempty"`
	// Rule is the exact test behind a sentence that only describes it, in
	// words as far as there are any; the text leaves it out.
	Rule string `json:"rule,omitempty"`

	key string // what it is called in the book, where it has no label
}

// Explain puts the whole book into prose; of a local book what is its own.
func (b *Book) Explain() *Explanation {
	s := &speaker{b: b}
	out := &Explanation{Title: b.Title, Lead: s.lead()}
	for _, sec := range []ExplainedSection{s.set(), s.whoThereIs(), s.electorates(), s.discretion(), s.orders()} {
		if len(sec.Points) > 0 {
			out.Sections = append(out.Sections, sec)
		}
	}
	for i := range b.Procedures {
		if b.Own(b.Procedures[i].Name) {
			out.Sections = append(out.Sections, s.procedure(&b.Procedures[i]))
		}
	}
	if c := s.clauses(nil); len(c.Points) > 0 {
		out.Sections = append(out.Sections, c)
	}
	return out
}

// ExplainProcedure puts one procedure into prose, with the electorates and
// slots that it uses and the clauses it cites. The error is a refusal of kind
// fault.NotFound.
func (b *Book) ExplainProcedure(name string) (*Explanation, error) {
	p := b.Procedure(name)
	if p == nil {
		var known []string
		for _, q := range b.Procedures {
			known = append(known, q.Name)
		}
		return nil, fault.New(fault.NotFound, "There is no procedure called %s; there are %s.", name, sentenceList(known, "and"))
	}
	s := &speaker{b: b, outerToo: true}
	out := &Explanation{Title: capital(spaced(p.Name)) + " — " + b.Title, Lead: s.lead()[:1]}
	own := s.procedure(p)
	out.Sections = append(out.Sections, own)
	used := s.usedBy(p)
	for _, sec := range []ExplainedSection{s.electorates(), s.discretion()} {
		sec.Points = filterPoints(sec.Points, used)
		if len(sec.Points) > 0 {
			out.Sections = append(out.Sections, sec)
		}
	}
	if c := s.clauses(citedIn(out)); len(c.Points) > 0 {
		out.Sections = append(out.Sections, c)
	}
	return out, nil
}

// filterPoints keeps the paragraphs whose label is among the names, with the
// items under them.
func filterPoints(points []Point, names map[string]bool) []Point {
	var out []Point
	keep := false
	for _, p := range points {
		if p.Depth == 0 {
			keep = names[p.Label]
		}
		if keep {
			out = append(out, p)
		}
	}
	return out
}

// usedBy gives the labels of the electorates and slots that a procedure
// names, directly or through units that decide for themselves.
func (s *speaker) usedBy(p *Procedure) map[string]bool {
	used := map[string]bool{}
	var who func(w *Who)
	who = func(w *Who) {
		if w == nil || used[w.label()] {
			return
		}
		used[w.label()] = true
		for i := range w.Any {
			who(&w.Any[i])
		}
		if u := s.b.UnitKind(w.Name); w.Kind == WhoUnit && u != nil && u.Decides != nil {
			who(u.Decides.Ballot)
		}
		if e := s.b.Electorate(w.Name); w.Kind == WhoElectorate && e != nil {
			for i := range e.Sections {
				who(&e.Sections[i].Of)
			}
		}
	}
	exprs := func(es ...*Expr) {
		for _, e := range es {
			if e != nil {
				for _, n := range e.names {
					used[capital(spaced(n))] = true
				}
			}
		}
	}
	var gate func(t *Threshold)
	gate = func(t *Threshold) {
		if t == nil {
			return
		}
		who(t.From)
		exprs(t.Amount, t.Of, t.Where, t.When, t.Weigh)
		for _, x := range append(append([]*Threshold(nil), t.All...), t.Any...) {
			gate(x)
		}
	}
	exprs(p.Freeze)
	for _, b := range p.Begins {
		gate(b.Backed)
		exprs(b.If, b.Window)
	}
	for i := range p.Stages {
		st := &p.Stages[i]
		for _, w := range []*Who{st.Stand, st.Voters, st.By, st.Pool} {
			who(w)
		}
		gate(st.Needs)
		gate(st.Passes)
		gate(st.Quorum)
		exprs(st.If, st.Opens, st.Notice, st.Window, st.Closes, st.Fee, st.How, st.Method, st.Seats, st.Interval, st.Minimum)
	}
	return used
}

func (w *Who) label() string { return capital(spaced(w.Name)) }

// citedIn gives the clauses that an explanation cites.
func citedIn(e *Explanation) map[string]bool {
	out := map[string]bool{}
	for _, s := range e.Sections {
		out[s.Cite] = true
		for _, p := range s.Points {
			out[p.Cite] = true
			for _, part := range strings.Split(p.Text, "[")[1:] {
				n, _, _ := strings.Cut(part, "]")
				out[n] = true
			}
		}
	}
	return out
}

func (s *speaker) lead() []string {
	b := s.b
	first := fmt.Sprintf("Adopted on %s.", b.Calendar().Moment(b.Edition))
	if b.BasedOn.Title != "" {
		first += fmt.Sprintf(" Taken over from %q", b.BasedOn.Title)
		if b.BasedOn.Edition != "" {
			first += ", edition of " + b.BasedOn.Edition
		}
		first += "."
	}
	if b.Within != "" {
		return []string{first, "The rulebook of the " + spaced(b.Unit.Kind) + " " + b.Unit.Name + ", within " + b.Within + ", whose rules hold besides."}
	}
	days := fmt.Sprintf("Days begin and end in %s. Deadlines are ends of days.", b.Zone)
	if b.Holidays.Name != "" {
		days += " Working days leave out weekends and the bank holidays of " + b.Holidays.Name + "."
	} else if n := len(b.Holidays.Days); n > 0 {
		days += fmt.Sprintf(" Working days leave out weekends and %d holidays that the rulebook lists.", n)
	}
	out := []string{first, days}
	if n := len(b.Precedence); n > 0 {
		var kinds []string
		for _, k := range b.Precedence {
			kinds = append(kinds, spaced(k))
		}
		out = append(out, "Where two decisions contradict each other, the stronger kind prevails, and between equals the later. From the strongest: "+strings.Join(kinds, ", ")+".")
	}
	return out
}

// point makes a paragraph of a definition.
func point(depth int, n Named, more ...string) Point {
	text := n.Says.Raw()
	if text != "" && !strings.HasSuffix(text, ".") {
		text += "."
	}
	for _, m := range more {
		if m != "" {
			text = strings.TrimSpace(text + " " + m)
		}
	}
	return Point{Depth: depth, Label: capital(spaced(n.Name)), Text: text, Cite: n.Cite}
}

func (s *speaker) whoThereIs() ExplainedSection {
	out := ExplainedSection{ID: "who", Heading: "Who there is"}
	add := func(heading string, points []Point) {
		if len(points) > 0 {
			out.Points = append(append(out.Points, Point{Text: heading}), points...)
		}
	}
	var ps []Point
	for _, c := range s.b.Classes {
		if !s.b.Own(c.Name) {
			continue
		}
		ps = append(ps, point(1, c.Named))
	}
	add("People belong as:", ps)
	ps = nil
	for _, u := range s.b.Units {
		if !s.b.Own(u.Name) {
			continue
		}
		in := ""
		if u.In != "" {
			in = "Lies in a " + spaced(u.In) + "."
		}
		ps = append(ps, point(1, u.Named, in, s.decides(u.Decides, "It")))
	}
	add("There are units:", ps)
	ps = nil
	for _, o := range s.b.Offices {
		if !s.b.Own(o.Name) {
			continue
		}
		ps = append(ps, point(1, o.Named, s.office(&o)))
	}
	add("There are offices:", ps)
	ps = nil
	for _, x := range s.b.Bodies {
		if !s.b.Own(x.Name) {
			continue
		}
		ps = append(ps, point(1, x.Named, s.body(&x), s.decides(x.Decides, "It")))
	}
	add("There are bodies:", ps)
	add("What is declared:", s.events())
	add("What can be imposed:", s.sanctions())
	add("The register keeps:", s.facts())
	return out
}

func (s *speaker) events() []Point {
	var out []Point
	for _, e := range s.b.Events {
		if s.b.Own(e.Name) {
			out = append(out, point(1, e.Named, "Declared by "+s.the(&e.DeclaredBy)+"."))
		}
	}
	return out
}

func (s *speaker) sanctions() []Point {
	var out []Point
	for _, x := range s.b.Sanctions {
		if !s.b.Own(x.Name) {
			continue
		}
		text := "It takes no right away."
		if len(x.Removes) > 0 {
			text = "It takes away the right to " + sentenceList(x.Removes, "and to") + "."
		}
		out = append(out, point(1, x.Named, text))
	}
	return out
}

func (s *speaker) facts() []Point {
	var out []Point
	for _, f := range s.b.Facts {
		kind := map[FactType]string{FactFlag: "yes or no", FactNumber: "a number", FactDate: "a date", FactWords: "words"}[f.Is]
		text := "Of each " + string(f.Of) + ", " + kind + "."
		if f.KeptBy != "" {
			text += " For a correction, ask the " + spaced(f.KeptBy) + "."
		}
		out = append(out, point(1, f.Named, text))
	}
	return out
}

func (s *speaker) office(o *Office) string {
	var parts []string
	if o.Per != "" {
		parts = append(parts, "one in every "+spaced(o.Per))
	}
	if o.Seats != nil {
		if v, ok := o.Seats.Literal(); ok {
			parts = append(parts, numberText(v.Number)+" places")
		} else {
			parts = append(parts, "as many places as "+s.value(o.Seats))
		}
	}
	if o.From != nil {
		parts = append(parts, "held by "+s.people(o.From))
	}
	if o.Term != nil {
		parts = append(parts, "for "+s.value(o.Term))
	}
	if len(parts) == 0 {
		return ""
	}
	return capital(strings.Join(parts, ", ")) + "."
}

func (s *speaker) body(x *Body) string {
	per := ""
	if x.Per != "" {
		per = " There is one in every " + spaced(x.Per) + "."
	}
	switch {
	case x.Drawn:
		return "Its members are drawn by lot." + per
	case x.Outside != "":
		return "It stands outside; the " + spaced(x.Outside) + " records what it orders." + per
	case len(x.Offices) > 0:
		var names []string
		for _, o := range x.Offices {
			names = append(names, s.holders(o))
		}
		return "Its members are the " + sentenceList(names, "and the") + "." + per
	}
	return "Somebody sits in it where " + s.value(x.When) + "." + per
}

// holders names those who hold an office: the leader, the directors.
func (s *speaker) holders(office string) string {
	o := s.b.Office(office)
	if o != nil && o.Per == "" && o.Seats == nil {
		return spaced(office)
	}
	return plural(office)
}

func (s *speaker) decides(d *Decides, it string) string {
	switch {
	case d == nil:
		return ""
	case d.By != "":
		return it + " speaks through the " + spaced(d.By) + "."
	}
	out := it + " decides " + s.how(d.How)
	if d.Ballot != nil {
		out += " among " + s.people(d.Ballot)
	}
	if d.Passes != nil {
		out += ", by " + s.threshold(d.Passes, "")
	}
	if d.Quorum != nil {
		out += "; quorum: " + s.threshold(d.Quorum, "")
	}
	return out + "."
}

// how puts a way of voting into words.
func (s *speaker) how(e *Expr) string {
	switch w := constantWord(e); w {
	case "sealed":
		return "in a secret ballot, sealed so that nobody has to be trusted with the papers"
	case "box":
		return "in a secret ballot"
	case "recorded":
		return "by recorded votes"
	case "counted":
		return "by a counted vote"
	case "judged":
		return "on a show of hands as the chair judges it"
	case "":
		if e == nil {
			return ""
		}
		return "in the way decided under " + s.value(e)
	default:
		return w
	}
}

func (s *speaker) electorates() ExplainedSection {
	out := ExplainedSection{ID: "electorates", Heading: "Who may vote, and why not"}
	for _, e := range s.b.Electorates {
		if !s.b.Own(e.Name) && !s.outerToo {
			continue
		}
		more := ""
		switch {
		case e.OneVotePer != "":
			more = "One vote for each " + spaced(e.OneVotePer) + " belonged to."
		case len(e.Sections) == 0:
			more = "One vote a person."
		}
		out.Points = append(out.Points, point(0, e.Named, more))
		for _, c := range e.Conditions {
			text := strings.TrimSuffix(s.sentence(c.Says), ".") + "."
			if c.Remedy.Set() {
				text += " If not: " + s.sentence(c.Remedy)
			}
			out.Points = append(out.Points, Point{Depth: 1, Text: text, Cite: c.Cite, Rule: s.value(c.When), key: c.ID})
		}
		for _, sec := range e.Sections {
			out.Points = append(out.Points, s.section(&sec))
		}
	}
	return out
}

func (s *speaker) section(sec *Section) Point {
	text := "Worth " + sec.Weight + " of the whole, whatever its size. Here vote " + s.people(&sec.Of) + "."
	if sec.Value != nil {
		text += " A vote counts with " + s.value(sec.Value) + "."
	}
	if sec.Split {
		text += " A unit may split its votes."
	}
	if sec.Declare != "" {
		text += " Declared before voting: “" + sec.Declare + "”"
	}
	return Point{Depth: 1, Label: capital(sec.Name), Text: text, Cite: sec.Cite}
}

// set says which slots of the outer book a local one has set.
func (s *speaker) set() ExplainedSection {
	out := ExplainedSection{ID: "set", Heading: "What the " + spaced(s.b.Unit.Kind) + " has decided for itself"}
	for _, x := range s.b.Set {
		p := Point{Label: capital(spaced(x.Slot)), Text: s.value(x.Value) + "."}
		if sl := s.b.Slot(x.Slot); sl != nil {
			p.Cite = sl.Cite
		}
		out.Points = append(out.Points, p)
	}
	return out
}

func (s *speaker) discretion() ExplainedSection {
	out := ExplainedSection{ID: "discretion", Heading: "What is left to somebody's decision"}
	for _, sl := range s.b.Slots {
		if !s.b.Own(sl.Name) && !s.outerToo {
			continue
		}
		text := capital(s.the(&sl.SetBy)) + " decides"
		if sl.By != nil {
			text += " not later than " + s.value(sl.By)
		}
		if sl.Standing {
			text += ", and it holds until decided again"
		}
		text += "."
		if len(sl.Choices) > 0 {
			var cs []string
			for _, c := range sl.Choices {
				cs = append(cs, spaced(c))
			}
			text += " It can be " + sentenceList(cs, "or") + "."
		}
		if sl.Allow != nil {
			text += " Bounds: " + s.bounds(sl.Allow, sl.Is) + "."
		}
		if sl.Otherwise != nil {
			text += " If nothing is decided: " + s.value(sl.Otherwise) + "."
		} else {
			text += " Until it is decided, whatever needs it waits."
		}
		out.Points = append(out.Points, point(0, sl.Named, text))
	}
	return out
}

// bounds reads the bounds of a slot; of a date they are early and late.
func (s *speaker) bounds(e *Expr, is SlotType) string {
	w := strings.ReplaceAll(s.value(e), "it is ", "")
	if is == SlotDate {
		w = strings.ReplaceAll(w, "at least", "not before")
		w = strings.ReplaceAll(w, "at most", "not after")
	}
	return w
}

func (s *speaker) orders() ExplainedSection {
	out := ExplainedSection{ID: "orders", Heading: "Orders outside any procedure"}
	for i, p := range s.b.Powers {
		if i < s.b.outerPowers {
			continue
		}
		var who, may []string
		for i := range p.Who {
			who = append(who, s.the(&p.Who[i]))
		}
		for _, m := range p.May {
			may = append(may, orderText(m))
		}
		word := "or"
		if p.Together {
			word = "together with"
		}
		text := capital(strings.Join(who, " "+word+" ")) + " may " + sentenceList(may, "or")
		if p.Limit != nil {
			text += ", by " + s.value(p.Limit) + " at most"
		}
		out.Points = append(out.Points, Point{Text: text + ".", Cite: p.Cite})
	}
	return out
}

func orderText(m string) string {
	switch m {
	case "set":
		return "settle what is left to a decision"
	case "set_aside":
		return "set a decision aside"
	case "stay":
		return "stay a proceeding"
	case "resume":
		return "let it go on"
	case "stop":
		return "end a proceeding"
	case "extend":
		return "put off a deadline before it has come"
	case "close":
		return "close a ballot"
	}
	return m
}

// clauses gives the text of the clauses cited; of all where nil is given.
func (s *speaker) clauses(only map[string]bool) ExplainedSection {
	out := ExplainedSection{ID: "clauses", Heading: "The clauses"}
	for i, c := range s.b.Clauses {
		if i < s.b.outerClauses && only == nil {
			continue
		}
		if only == nil || only[c.Number] {
			out.Points = append(out.Points, Point{Label: c.Number, Text: c.Text})
		}
	}
	return out
}
