package rehearsal

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/mail"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/sealing"
)

// Line is one line of what happened: at Depth 0 what somebody did, below it
// what followed.
type Line struct {
	At    time.Time
	When  string // in the organisation's zone, as people read it
	Depth int
	Text  string
}

// maxStory bounds the lines that are kept.
const maxStory = 20_000

// say adds a line to the story.
func (r *runner) say(depth int, format string, args ...any) {
	if !r.o.Story || len(r.report.Story) >= maxStory {
		return
	}
	now := r.clock.now()
	r.report.Story = append(r.report.Story, Line{At: now, When: r.day(now.UnixMilli()), Depth: depth, Text: fmt.Sprintf(format, args...)})
}

// describe says in words what a step does.
func (r *runner) describe(s *step) string {
	who := "The rehearsal"
	if len(s.by) > 0 {
		var names []string
		for _, ref := range s.by {
			if r.isRole(ref.text) {
				names = append(names, "the "+spaced(ref.text))
			} else {
				names = append(names, ref.text)
			}
		}
		who = orNobody(names)
		who = strings.ToUpper(who[:1]) + who[1:]
	}
	c := &complaints{}
	what := shown(s.val)
	switch s.verb {
	case "call":
		what = "calls " + spaced(what)
		if with := s.more.get("with"); with != nil {
			what += " with " + shown(with)
		}
		if len(s.by) == 0 {
			return strings.ToUpper(spaced(s.val.text)[:1]) + spaced(s.val.text)[1:] + " is called."
		}
	case "back":
		what = map[string]string{"for": "supports it", "true": "supports it", "against": "decides against it"}[s.val.text]
		if what == "" {
			what = "supports " + s.val.text
		}
	case "papers":
		what = "votes " + what
		if len(s.by) == 0 {
			return "Papers come in: " + shown(s.val) + "."
		}
	case "enter":
		what = "enters " + what
	case "set":
		what = "sets " + spaced(s.val.pairs[0].key) + " to " + shown(s.val.pairs[0].val)
	case "withdraw":
		what = "withdraws" + map[string]string{"support": " the support"}[s.val.text]
	case "accept", "decline", "close", "commit":
		what = map[string]string{"accept": "accepts", "decline": "declines", "close": "closes the ballot", "commit": "commits to a secret for the lot"}[s.verb]
	case "order":
		what = "orders: " + what
	case "contradict":
		what = "says that these contradict each other: " + what
	case "event":
		what = "declares " + spaced(what) + " " + c.text(s.more, "day").text
	case "people", "units":
		return "In the register: " + what + "."
	default:
		what = s.verb + "s " + what
	}
	return who + " " + strings.TrimSpace(what) + "."
}

// shown writes a value of the script on one line.
func shown(n *node) string {
	switch n.form {
	case mapping:
		parts := make([]string, len(n.pairs))
		for i, p := range n.pairs {
			parts[i] = p.key + " " + shown(p.val)
		}
		return strings.Join(parts, ", ")
	case sequence:
		parts := make([]string, len(n.items))
		for i, x := range n.items {
			parts[i] = shown(x)
		}
		return strings.Join(parts, "; ")
	}
	if len(n.text) > 200 {
		return n.text[:200] + "…"
	}
	return strings.Join(strings.Fields(n.text), " ")
}

// tell puts what has been entered in the minute book into the story, and
// keeps its sentences for what is expected of the record.
func (r *runner) tell() {
	r.mu.Lock()
	list := r.fresh
	r.fresh = nil
	r.mu.Unlock()
	given := 0
	for i := range list {
		m := &list[i]
		if m.Kind == proceeding.KindSlot || m.Kind == proceeding.KindOrdered {
			var b struct{ Rolls []proceeding.RollChange }
			_ = json.Unmarshal(m.Body, &b)
			r.shifts[m.Proceeding] = b.Rolls
		}
		text := r.sentence(m)
		if text == "" {
			continue
		}
		if len(r.record) < maxStory {
			r.record = append(r.record, text)
		}
		// Eighty nominations after one another are one line of the story.
		if m.Kind == proceeding.KindSupport && i+1 < len(list) && list[i+1].Kind == proceeding.KindSupport {
			given++
			continue
		}
		if given > 0 {
			text = fmt.Sprintf("%s (and %d others before)", strings.TrimSuffix(text, "."), given)
			given = 0
		}
		if r.o.Story && len(r.report.Story) < maxStory {
			r.report.Story = append(r.report.Story, Line{At: m.At, When: r.day(m.At.UnixMilli()), Depth: 1, Text: text})
		}
	}
}

// said is what the bodies of entries say, as far as it is told.
type said struct {
	Name, Title, Edition, Stage, Outcome, Waits, Slot, Event      string
	Order                                                         order
	Procedure, Office, Cause, Why, How, Kind, Text, By, Ref, Rule string
	Opens, Closes, At                                             int64
	Candidate                                                     proceeding.Person
	Automatic, Unopposed, Skipped, Asked, Rebuilt                 bool
	Elected, Leaves                                               []proceeding.Person
	Value                                                         proceeding.Held
	Set                                                           proceeding.Slot
	Term                                                          json.RawMessage
	Units                                                         []register.Unit
	Rows                                                          []register.PersonRow
	Done                                                          proceeding.Done
	Returned                                                      []proceeding.Returned
	Roll                                                          proceeding.Roll
	Rolls                                                         []proceeding.RollChange
	Support                                                       proceeding.Support
	Gate                                                          []proceeding.Reached `json:"-"`
	Figures                                                       map[string]int64
	Drawn                                                         drawn
}

// drawn is who was drawn, where an entry says it by number.
type drawn []register.PersonID

// UnmarshalJSON takes numbers, and leaves out people with their names.
func (d *drawn) UnmarshalJSON(b []byte) error {
	var ids []register.PersonID
	if json.Unmarshal(b, &ids) == nil {
		*d = ids
	}
	return nil
}

// order is the word of an order; a draw has the order of people by number
// there.
type order string

// UnmarshalJSON takes a word, and leaves out lists.
func (o *order) UnmarshalJSON(b []byte) error {
	var word string
	if json.Unmarshal(b, &word) == nil {
		*o = order(word)
	}
	return nil
}

// sentence says what an entry records; empty for what is told by another one.
func (r *runner) sentence(m *minutes.Minute) string {
	switch m.Kind {
	case proceeding.KindRollLines, proceeding.KindPapers, proceeding.KindMarked, proceeding.KindSanction, register.KindImported, chamber.KindTerms:
		return ""
	}
	var b said
	if err := json.Unmarshal(m.Body, &b); err != nil {
		return strings.TrimSuffix(m.Kind, "/1")
	}
	if s, ok := r.ofOrganisation(m.Kind, &b); ok {
		return s
	}
	if s, ok := r.ofRun(m.Kind, &b); ok {
		return s
	}
	if s, ok := r.ofBallot(m.Kind, &b); ok {
		return s
	}
	return strings.TrimSuffix(m.Kind, "/1")
}

// ofOrganisation tells of what belongs to no run.
func (r *runner) ofOrganisation(kind string, b *said) (string, bool) {
	switch kind {
	case chamber.KindFounded:
		return "The minute book of " + b.Name + " is opened.", true
	case chamber.KindRulebook:
		if b.Rebuilt {
			return "The rulebook “" + b.Title + "”, edition " + b.Edition + ", is put together again from the changes that stand.", true
		}
		return "The rulebook “" + b.Title + "”, edition " + b.Edition + ", comes into force.", true
	case chamber.KindUnfit:
		return "The change of the rules by " + b.Ref + " does not fit the rulebook, and is not made: " + b.Why, true
	case chamber.KindEvent:
		return "Declared: " + spaced(b.Event) + ", on " + r.day(b.At) + ".", true
	case chamber.KindOverridden:
		why := "the stronger kind of decision"
		if b.Rule == "later" {
			why = "the later of two of one kind"
		}
		return "What " + b.By + " adopted prevails over what " + b.Ref + " did: it is " + why + ".", true
	case chamber.KindStanding:
		return upper(b.Slot) + " is set to " + heldText(r.book, b.Set.Value) + ", until it is set again.", true
	case register.KindUnits:
		return fmt.Sprintf("%d units are entered in the register.", len(b.Units)), true
	case register.KindFilled:
		var t register.TermOfOffice
		_ = json.Unmarshal(b.Term, &t)
		return b.Name + " holds the office of " + spaced(t.Office) + " (" + b.How + ").", true
	case register.KindVacated:
		var who struct{ Person register.PersonID }
		_ = json.Unmarshal(b.Term, &who)
		return "A term of office ends: " + b.Why + ".", true
	case register.KindChanged:
		return r.changed(b.Rows), true
	case register.KindErased:
		return "The particulars of a person are erased.", true
	}
	return "", false
}

// changed tells of people whose record changes.
func (r *runner) changed(rows []register.PersonRow) string {
	words := map[register.Term]string{}
	for w, t := range r.terms {
		words[t] = w
	}
	var out []string
	for _, row := range rows {
		name := r.names.person(row.Person)
		for _, c := range row.Changes {
			word := spaced(words[c.Name])
			until := ""
			if c.Until != 0 {
				until = " until " + r.cal.Moment(r.cal.Instant(time.Unix(c.Until, 0).Add(-time.Second)).Day()).String()
			}
			switch {
			case c.Aspect == register.Sanction && c.End:
				out = append(out, upper(word)+" is lifted from "+name+".")
			case c.Aspect == register.Sanction:
				out = append(out, upper(word)+" is imposed on "+name+until+".")
			case c.Aspect == register.Declared && word == "conflict":
				out = append(out, name+" has a conflict of interest with "+r.names.person(register.PersonID(c.Value))+".")
			case c.Aspect == register.Belongs && c.End:
				out = append(out, name+" is no longer a "+word+".")
			case c.Aspect == register.Belongs:
				out = append(out, name+" is a "+word+until+".")
			default:
				out = append(out, "The record of "+name+" changes: "+word+".")
			}
		}
		if len(out) > 20 {
			return strings.Join(out, " ") + fmt.Sprintf(" And %d more.", len(rows))
		}
	}
	return strings.Join(out, " ")
}

// ofRun tells of a run and its stages.
func (r *runner) ofRun(kind string, b *said) (string, bool) {
	switch kind {
	case proceeding.KindBegun:
		return "Support for a call is collected: " + spaced(b.Procedure) + ", until " + r.day(b.Closes) + ".", true
	case proceeding.KindCalled:
		s := "Called: " + spaced(b.Procedure)
		if b.Office != "" {
			s += ", for the office of " + spaced(b.Office)
		}
		if b.Cause != "" {
			s += " (" + spaced(b.Cause) + ")"
		}
		return s + ".", true
	case proceeding.KindLapsed:
		return "The call did not find its support in time.", true
	case proceeding.KindEnded:
		return "It has ended: " + spaced(b.Outcome) + ".", true
	case proceeding.KindHalted:
		if b.Waits == "" {
			return "It goes on.", true
		}
		return "It waits for " + spaced(b.Waits) + ".", true
	case proceeding.KindOrdered:
		if b.Asked {
			return "Asked for: " + spaced(string(b.Order)) + ", by the " + spaced(b.By) + ".", true
		}
		s := "Ordered: " + spaced(string(b.Order))
		if b.Name != "" {
			s += " (" + b.Name + ")"
		}
		if b.By != "" {
			s += ", by the " + spaced(b.By)
		}
		return s + "." + shifted(b.Rolls), true
	case proceeding.KindSupport:
		return r.support(&b.Support), true
	case proceeding.KindUnsupport:
		return "Support no longer counts (" + b.Support.Gone + "): " + r.supporter(b.Support.By) + ".", true
	case proceeding.KindProposed:
		return b.Candidate.Name + " is proposed.", true
	case proceeding.KindAccepted:
		if b.Automatic {
			return b.Candidate.Name + " is a candidate without nominations.", true
		}
		return b.Candidate.Name + " is a candidate.", true
	case proceeding.KindDeclined:
		return b.Candidate.Name + " declines.", true
	case proceeding.KindWithdrew:
		return b.Candidate.Name + " withdraws.", true
	case proceeding.KindSlot:
		s := upper(b.Slot) + " is set to " + heldText(r.book, b.Value)
		if b.By != "" {
			s += ", by the " + spaced(b.By)
		}
		return s + "." + shifted(b.Rolls), true
	}
	return r.ofStage(kind, b)
}

// shifted tells what a decision does to the rolls to come.
func shifted(rolls []proceeding.RollChange) string {
	s := ""
	for _, x := range rolls {
		s += fmt.Sprintf(" By this %d people gain or lose their vote: %d could vote before, %d can now.", x.Moved, x.Before, x.After)
	}
	return s
}

func (r *runner) support(s *proceeding.Support) string {
	what := " supports it."
	switch {
	case s.Void:
		what = " has voted without a quorum, and so not at all."
	case s.Against:
		what = " decides against it."
	case s.For != 0:
		what = " supports " + r.names.person(s.For) + "."
	}
	return r.supporter(s.By) + what
}

func (r *runner) supporter(key string) string {
	if len(key) < 2 {
		return key
	}
	n, err := strconv.ParseInt(key[1:], 10, 64)
	if err != nil {
		return key
	}
	if key[0] == 'u' {
		return r.thingName(thing{unit: register.UnitID(n)})
	}
	return r.names.person(register.PersonID(n))
}

func (r *runner) ofStage(kind string, b *said) (string, bool) {
	switch kind {
	case proceeding.KindComing:
		if b.Skipped {
			return upper(b.Stage) + ": not held.", true
		}
		s := upper(b.Stage) + " is announced"
		if b.Opens != 0 {
			s += ": it opens on " + r.day(b.Opens)
		}
		return s + ".", true
	case proceeding.KindOpened:
		s := upper(b.Stage) + " opens"
		if b.Closes != 0 {
			s += ", until " + r.untilText(b.Closes)
		}
		return s + ".", true
	case proceeding.KindClosed:
		if b.Outcome == "done" || b.Outcome == "" {
			return upper(b.Stage) + " closes.", true
		}
		return upper(b.Stage) + " closes: " + spaced(b.Outcome) + ".", true
	case proceeding.KindDrawn:
		var names []string
		for _, p := range b.Drawn {
			names = append(names, r.names.person(p))
		}
		return upper(b.Stage) + ": drawn by lot are " + orNobody(names) + ".", true
	case proceeding.KindChosen:
		return upper(b.Stage) + " is decided: " + spaced(b.Outcome) + ".", true
	}
	return "", false
}

// untilText writes an end: the end of a day as that day.
func (r *runner) untilText(ms int64) string {
	m := r.cal.Instant(time.UnixMilli(ms))
	if h, mi, s := m.T.Clock(); h+mi+s == 0 {
		return "the end of " + r.cal.Moment(m.Day()-1).String()
	}
	return m.String()
}

// ofBallot tells of a ballot and what follows from it.
func (r *runner) ofBallot(kind string, b *said) (string, bool) {
	switch kind {
	case proceeding.KindRoll:
		var n int64
		for _, s := range b.Roll.Sections {
			n += s.Entitled
		}
		return fmt.Sprintf("The roll is frozen: %d are entitled.", n), true
	case proceeding.KindBallot:
		return "Voting begins.", true
	case proceeding.KindCommit:
		return "An officer commits to a secret for the lot.", true
	case proceeding.KindSecret:
		return "An officer's secret for the lot is opened.", true
	case proceeding.KindRecorded:
		return "A vote by name is recorded.", true
	case proceeding.KindCloser:
		return "The " + spaced(b.Office) + " asks to close the ballot.", true
	case proceeding.KindBallotShut:
		var n int64
		for _, x := range b.Returned {
			n += x.Papers
		}
		return fmt.Sprintf("The ballot is closed with %d papers.", n), true
	case proceeding.KindTotals:
		return "Figures are entered: " + figuresText(b.Figures) + ".", true
	case proceeding.KindResult:
		return result(b), true
	case proceeding.KindEffect:
		return r.effect(&b.Done), true
	case proceeding.KindAdopted:
		return "Adopted as a " + spaced(b.Kind) + ": " + strings.Join(strings.Fields(b.Text), " "), true
	case proceeding.KindPart, proceeding.KindSealedPaper:
		return "", true // as many as there are
	}
	s := sealing.Said(kind)
	return s, s != ""
}

func figuresText(f map[string]int64) string {
	var out []string
	for _, k := range []string{"for", "against", "abstain", "spoilt"} {
		if n, ok := f[k]; ok {
			out = append(out, fmt.Sprintf("%d %s", n, k))
		}
	}
	return strings.Join(out, ", ")
}

func result(b *said) string {
	switch {
	case b.Why != "":
		return "Declared: " + spaced(b.Outcome) + ": " + b.Why + "."
	case b.Unopposed && len(b.Elected) > 0:
		return "Elected without a ballot: " + peopleText(b.Elected) + "."
	case len(b.Elected) > 0:
		return "Elected: " + peopleText(b.Elected) + "."
	case len(b.Leaves) > 0:
		return "No result yet; " + peopleText(b.Leaves) + " drops out, and another round follows."
	case len(b.Figures) > 0:
		return "Declared: " + spaced(b.Outcome) + " (" + figuresText(b.Figures) + ")."
	}
	return "Declared: " + spaced(b.Outcome) + "."
}

func peopleText(list []proceeding.Person) string {
	var names []string
	for _, p := range list {
		names = append(names, p.Name)
	}
	return orNobody(names)
}

func (r *runner) effect(d *proceeding.Done) string {
	switch {
	case d.Says != "":
		return d.Says
	case d.Verb == string(rulebook.DoFill):
		return d.Whom + " takes the office of " + spaced(d.Target) + "."
	case d.Verb == string(rulebook.DoAdopt):
		return ""
	case d.Verb == string(rulebook.DoReport):
		return fmt.Sprintf("This is the word of %s: %d for, %d against.", r.thingName(thing{unit: d.Unit}), d.Yes, d.No)
	case d.Verb == string(rulebook.DoStart) && d.Unit != 0:
		return upper(d.Target) + " begins in " + r.thingName(thing{unit: d.Unit}) + "."
	}
	return upper(strings.TrimSpace(d.Verb+" "+d.Target+" "+d.Whom)) + "."
}

// asksTold tells whether the script looks at who was written to.
func (s *Script) asksTold() bool {
	for i := range s.steps {
		for _, e := range s.steps[i].expect {
			for _, c := range e.checks {
				if c.key == "told" {
					return true
				}
			}
		}
	}
	return false
}

// notices writes to those who are to be told, as the server would, and gives
// how many that were since it was asked last. Nothing is sent.
func (r *runner) notices() (int, error) {
	post := mail.New(r.ch.DB, registry.Directory{Chamber: r.ch}, nil, r.clock.now)
	return contest.NewNotices(r.contests, post, "https://rehearsal.invalid").Due(r.ctx)
}
