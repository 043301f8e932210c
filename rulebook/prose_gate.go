package rulebook

import "strings"

// threshold puts what has to be reached into words: "nominations from at
// least 10% of the members of parliament, a part of one counting as one".
// counting says what is counted where the threshold does not.
func (s *speaker) threshold(t *Threshold, counting string) string {
	switch {
	case t == nil:
		return "nothing"
	case len(t.All) > 0:
		return s.several(t.All, counting, "and")
	case len(t.Any) > 0:
		return s.several(t.Any, counting, "or")
	}
	out := plainCmp(t.Cmp) + " " + s.amount(t)
	if othersOnly(t) {
		out += " besides the candidate"
	} else if t.Where != nil {
		out += ", counting only where " + s.value(t.Where)
	}
	if t.Round != "" && t.Share {
		out += ", " + rounding(t.Round)
	}
	if t.When != nil {
		out += " (where " + s.value(t.When) + ")"
	}
	return out + cited(t.Cite)
}

// othersOnly tells whether a gate leaves out the candidate, and nobody else.
func othersOnly(t *Threshold) bool {
	return t.Where != nil && (t.Where.src == "person != candidate" || t.Where.src == "candidate != person")
}

// Say puts one part of a gate into words, without its clause: "at least 3
// affiliates".
func (b *Book) Say(t *Threshold) string {
	plain := *t
	plain.Cite = ""
	return (&speaker{b: b}).threshold(&plain, "")
}

func rounding(r string) string {
	switch r {
	case "up":
		return "a part of one counting as one"
	case "down":
		return "a part of one not counting"
	}
	return "rounded to the nearest"
}

// cited gives a clause in brackets, or nothing.
func cited(c string) string {
	if c == "" {
		return ""
	}
	return " [" + c + "]"
}

func (s *speaker) several(parts []*Threshold, counting, word string) string {
	var out []string
	for _, p := range parts {
		w := s.threshold(p, counting)
		if len(p.All)+len(p.Any) > 0 {
			w = "(" + w + ")"
		}
		out = append(out, w)
	}
	return strings.Join(out, "; "+word+" ")
}

// amount reads the number or share with what it counts and is a share of.
func (s *speaker) amount(t *Threshold) string {
	n := s.value(t.Amount)
	what := s.counted(t)
	if v, ok := t.Amount.Literal(); ok && !t.Share && v.Number.IsInt() && v.Number.Num().IsInt64() && v.Number.Num().Int64() == 1 {
		return "one " + s.oneOf(t, what)
	}
	if !t.Share {
		return n + " " + what
	}
	of := s.value(t.Of)
	switch {
	case t.Weigh != nil:
		return n + " of the " + s.weighed(t) + " of all " + s.people(t.From)
	case t.Count == "present":
		return n + " of " + denominator(of) + " present"
	case t.From != nil && constantWord(t.Of) == "":
		return n + " of " + what + " (" + s.readings(t) + ")"
	case t.From != nil && of == "entitled":
		return n + " of all " + strings.TrimPrefix(what, "the ")
	case t.From != nil:
		return n + " of those " + denominator(of) + ", of " + what
	}
	if t.Count == "papers" && of == "entitled" {
		return n + " of those entitled to vote returning a paper"
	}
	if t.Count != "" {
		return what + ", " + n + " of " + denominator(of)
	}
	return n + " of " + denominator(of)
}

func (s *speaker) counted(t *Threshold) string {
	switch {
	case t.Distinct != "":
		return plural(t.Distinct) + " with support from " + s.people(t.From)
	case t.Weigh != nil:
		return s.weighed(t) + " of " + s.people(t.From)
	case t.From != nil:
		return s.people(t.From)
	}
	switch t.Count {
	case "for":
		return "votes for"
	case "against":
		return "votes against"
	case "papers":
		return "papers"
	case "present":
		return "present"
	case "marks":
		return "marks on a paper"
	case "picked":
		return "picked"
	}
	return ""
}

// oneOf names one of what is counted.
func (s *speaker) oneOf(t *Threshold, many string) string {
	switch {
	case t.From == nil, t.Distinct != "", t.Weigh != nil:
		return many
	case t.From.Kind == WhoBody:
		return "member of the " + spaced(t.From.Name)
	case t.From.Kind == WhoClass && !strings.HasSuffix(t.From.Name, "ed"), t.From.Kind == WhoUnit, t.From.Kind == WhoOffice:
		return spaced(t.From.Name)
	}
	return "of " + many
}

// weighed names what is added up: levy members.
func (s *speaker) weighed(t *Threshold) string {
	_, field, ok := strings.Cut(t.Weigh.src, ".")
	if ok && isName(field) {
		return spaced(field)
	}
	return "sum of " + s.value(t.Weigh)
}

// readings lists the denominators between which a slot chooses.
func (s *speaker) readings(t *Threshold) string {
	sl := s.b.Slot(t.Of.src)
	if sl == nil {
		return "of those as decided"
	}
	var out []string
	for _, c := range sl.Choices {
		switch c {
		case "entitled":
			out = append(out, "of all there are")
		case "papers":
			out = append(out, "of those that voted")
		default:
			out = append(out, "of "+denominator(c))
		}
	}
	return sentenceList(out, "or") + ", as decided under “" + spaced(sl.Name) + "”"
}

func denominator(of string) string {
	switch of {
	case "entitled":
		return "those entitled to vote"
	case "present":
		return "those present"
	case "papers":
		return "the papers returned"
	case "cast":
		return "the votes cast"
	case "seats":
		return "the places"
	case "picked":
		return "those picked"
	}
	return of
}
