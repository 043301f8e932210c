package rehearsal

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/rulebook"
)

// castAtOnce is how many papers are handed in at the same time.
const castAtOnce = 256

// bundle is papers that say the same: what, in which section, and how many.
type papersOf struct {
	section string
	says    string // "for", or "Keir > Lisa"
	n       int
	pos     pos
}

// papers lets people vote, by what kind of vote is open: figures entered for
// a vote taken in the room, papers handed in for all others. For units whose
// support is being gathered they are the figures of their meetings.
func (r *runner) papers(s *step, ref string) error {
	st, book, err := r.contests.State(r.ctx, ref)
	if err != nil {
		return err
	}
	rule, how := ballotRule(book, st)
	things, err := r.who(s.by)
	if err != nil {
		return err
	}
	switch {
	case rule != nil && rule.Kind == rulebook.Gather && allUnits(things):
		return r.meetings(s, ref, things)
	case rule == nil || rule.Kind != rulebook.Ballot || how == "counted" || how == "judged":
		return r.enterFigures(s, ref)
	}
	b := st.OpenBallot()
	if b == nil || b.Closed != 0 {
		// The use case says better than we could why no paper is taken.
		_, err := r.contests.Cast(r.ctx, contest.Vote{Ref: ref, Person: 1, Paper: contest.Paper{Choice: 0}, Code: contest.NewCode()})
		return err
	}
	list, err := r.readPapers(s)
	if err != nil {
		return err
	}
	votes, err := r.votes(ref, b, list, things, len(s.by) > 0)
	if err != nil {
		return err
	}
	return r.cast(s, b, votes)
}

// ballotRule gives the rule of the current stage, and how its vote is taken.
func ballotRule(book *rulebook.Book, st *proceeding.State) (*rulebook.Stage, string) {
	p := book.Procedure(st.Procedure)
	if p == nil || st.Current < 0 || st.Current >= len(p.Stages) {
		return nil, ""
	}
	rule := &p.Stages[st.Current]
	if how := st.Stages[st.Current].How; how != "" { // a body that decides by a secret ballot
		as := proceeding.AsBallot(book, rule)
		return &as, how
	}
	if b := st.OpenBallot(); b != nil && b.Stage == st.Current {
		return rule, b.How
	}
	if rule.How != nil {
		if v, ok := rule.How.Literal(); ok {
			return rule, v.Words
		}
	}
	return rule, ""
}

func allUnits(things []thing) bool {
	return len(things) > 0 && !slices.ContainsFunc(things, func(t thing) bool { return t.unit == 0 })
}

// meetings enters what units' meetings counted.
func (r *runner) meetings(s *step, ref string, units []thing) error {
	f, err := figures(s.val)
	if err != nil {
		return err
	}
	return r.each(s, func(t thing) error {
		_, err := r.contests.Do(r.ctx, ref, proceeding.Back{By: proceeding.Actor{System: true}, Unit: t.unit, Yes: f["for"], No: f["against"]})
		return err
	})
}

// readPapers reads the forms in which papers are written.
func (r *runner) readPapers(s *step) ([]papersOf, error) {
	section := (&complaints{}).text(s.more, "section").text
	n := s.val
	switch n.form {
	case scalar:
		return []papersOf{{section, n.text, 1, n.pos}}, nil
	case mapping:
		return countedPapers(section, n)
	}
	var out []papersOf
	for _, x := range n.items {
		if x.form != mapping {
			return nil, fault.New(fault.Invalid, "line %d: write papers as in {ranks: [Ann, Bo], n: 12}", x.pos.line)
		}
		p := papersOf{section: section, n: 1, pos: x.pos}
		for _, kv := range x.pairs {
			switch kv.key {
			case "section":
				p.section = kv.val.text
			case "n":
				k, err := strconv.Atoi(kv.val.text)
				if err != nil || k < 0 || k > maxPeople {
					return nil, fault.New(fault.Invalid, "line %d: %q is not how many papers there are", kv.pos.line, kv.val.text)
				}
				p.n = k
			case "ranks", "vote":
				var names []string
				for _, m := range kv.val.list() {
					names = append(names, m.text)
				}
				p.says = strings.Join(names, " > ")
			default:
				return nil, fault.New(fault.Invalid, "line %d: papers have ranks (or vote), n and section, and no %q%s", kv.pos.line, kv.key, didYouMean(kv.key, []string{"ranks", "vote", "n", "section"}))
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// countedPapers reads {for: 12, against: 3}, also by section.
func countedPapers(section string, n *node) ([]papersOf, error) {
	var out []papersOf
	for _, p := range n.pairs {
		if p.val.form == mapping {
			inner, err := countedPapers(p.key, p.val)
			if err != nil {
				return nil, err
			}
			out = append(out, inner...)
			continue
		}
		k, err := strconv.Atoi(strings.ReplaceAll(p.val.text, "_", ""))
		if err != nil || k < 0 || k > maxPeople {
			return nil, fault.New(fault.Invalid, "line %d: %q is not how many papers there are", p.pos.line, p.val.text)
		}
		out = append(out, papersOf{section, p.key, k, p.pos})
	}
	return out, nil
}

// paper turns what is written into a paper of the ballot.
func (r *runner) paper(b *proceeding.Ballot, says string) (contest.Paper, error) {
	if b.Method == "" {
		i := slices.Index(b.Choices, says)
		if i < 0 {
			hint := ""
			if says == "spoilt" {
				hint = "; a paper handed in here is checked, and none can be spoilt"
			}
			return contest.Paper{}, fault.New(fault.Invalid, "%q cannot be voted here: it is %s%s", says, strings.Join(b.Choices, ", "), hint)
		}
		return contest.Paper{Choice: i}, nil
	}
	p := contest.Paper{Choice: -1}
	for _, name := range strings.FieldsFunc(says, func(c rune) bool { return c == '>' || c == '+' }) {
		name = strings.TrimSpace(name)
		i := slices.IndexFunc(b.Options, func(o proceeding.Person) bool { return o.Name == name })
		if i < 0 {
			if id, err := r.onePerson(name); err == nil {
				i = slices.IndexFunc(b.Options, func(o proceeding.Person) bool { return o.ID == id })
			}
		}
		if i < 0 {
			var on []string
			for _, o := range b.Options {
				on = append(on, o.Name)
			}
			return p, fault.New(fault.Invalid, "%q is not on the paper: there are %s", name, strings.Join(on, ", "))
		}
		p.Ranks = append(p.Ranks, i)
	}
	return p, nil
}

// votes gives each paper its voter: those who were named, or the next on the
// roll who have not voted.
func (r *runner) votes(ref string, b *proceeding.Ballot, list []papersOf, things []thing, byName bool) ([]contest.Vote, error) {
	if err := r.voices(things); err != nil {
		return nil, err
	}
	var out []contest.Vote
	at := 0
	for i := range list {
		l := &list[i]
		paper, err := r.paper(b, l.says)
		if err != nil {
			return nil, err
		}
		if byName && len(list) == 1 && l.n == 1 {
			l.n = len(things)
		}
		for k := range l.n {
			var t thing
			section := l.section
			switch {
			case byName && at == len(things):
				return nil, fault.New(fault.Invalid, "there are more papers here than people named")
			case byName:
				t = things[at]
				if at++; section == "" {
					section = r.sectionOf(ref, b, t)
				}
			default:
				if section == "" && len(b.Roll.Sections) > 1 {
					return nil, fault.New(fault.Invalid, "this ballot has sections (%s); say in which these papers are", sectionNames(b))
				}
				q, err := r.queue(ref, b, section)
				if err != nil {
					return nil, err
				}
				var ok bool
				if t, ok = q.next(); !ok {
					return nil, fault.New(fault.Invalid, "only %d on the roll have not voted yet, and %d papers are wanted for %q", k, l.n, l.says)
				}
			}
			r.mark(b, section, t)
			out = append(out, contest.Vote{Ref: ref, Person: t.person, Unit: t.unit, Section: section, Paper: clonePaper(paper), Declared: true})
		}
	}
	if byName && at < len(things) {
		return nil, fault.New(fault.Invalid, "%d people are named, and only %d papers", len(things), at)
	}
	return out, r.spoken(out)
}

func clonePaper(p contest.Paper) contest.Paper {
	p.Ranks = slices.Clone(p.Ranks)
	return p
}

func sectionNames(b *proceeding.Ballot) string {
	var out []string
	for i := range b.Roll.Sections {
		out = append(out, b.Roll.Sections[i].Name)
	}
	return strings.Join(out, ", ")
}

// cast hands papers in, many at the same time.
func (r *runner) cast(s *step, b *proceeding.Ballot, votes []contest.Vote) error {
	workers := min(castAtOnce, len(votes))
	if b.How == "recorded" {
		workers = 1
	}
	var mu sync.Mutex
	var first error
	var who contest.Vote
	refused, done := 0, 0
	next := make(chan contest.Vote)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for v := range next {
				v.Code = contest.NewCode()
				var err error
				if b.Sealed() {
					err = r.seal(b, v)
				} else {
					_, err = r.contests.Cast(r.ctx, v)
				}
				mu.Lock()
				if done++; err != nil {
					if refused++; first == nil {
						first, who = err, v
					}
				}
				if len(votes) > smallBook && done%10_000 == 0 {
					r.o.Progress("casting papers", done, len(votes))
				}
				mu.Unlock()
			}
		})
	}
	for _, v := range votes {
		mu.Lock()
		stop := first != nil && (fatal(first) != nil || refused > 1_000) || r.ctx.Err() != nil
		mu.Unlock()
		if stop {
			break
		}
		next <- v
	}
	close(next)
	wg.Wait()
	if first != nil && refused < done {
		r.failed(s.pos, Failure{Message: fmt.Sprintf("%d of %d papers were refused, the first of them of %s: %s", refused, len(votes), r.thingName(thing{person: who.Person}), first)})
		return nil
	}
	return first
}

// queue is who on the roll of a section has not voted yet, in the order of
// their numbers.
type queue struct {
	list  []thing
	at    int
	voted map[thing]bool // by name, out of their turn
}

func (q *queue) next() (thing, bool) {
	for q.at < len(q.list) {
		t := q.list[q.at]
		if q.at++; !q.voted[t] {
			return t, true
		}
	}
	return thing{}, false
}

// mark notes that somebody votes, so that they are not taken from the roll
// again.
func (r *runner) mark(b *proceeding.Ballot, section string, t thing) {
	key := b.ID + "\x00" + section
	q := r.voted[key]
	if q == nil {
		q = &queue{voted: map[thing]bool{}}
		r.voted[key] = q
	}
	if q.at == 0 || q.list[q.at-1] != t {
		q.voted[t] = true
	}
}

// queue gives the queue of a section, reading its roll once.
func (r *runner) queue(ref string, b *proceeding.Ballot, section string) (*queue, error) {
	key := b.ID + "\x00" + section
	q := r.voted[key]
	if q == nil {
		q = &queue{voted: map[thing]bool{}}
		r.voted[key] = q
	}
	if q.list != nil {
		return q, nil
	}
	q.list = []thing{}
	found := false
	err := r.ch.Read(r.ctx, func(w *chamber.World) error {
		q.list = q.list[:0]
		id, facts, err := chamber.RollOf(w.Tx(), ref, b.ID)
		if err != nil {
			return err
		}
		for i := range facts.Sections {
			sec := &facts.Sections[i]
			if sec.Name != section && (section != "" || len(facts.Sections) > 1) {
				continue
			}
			found = true
			if !sec.Listed {
				q.list, err = onRoll(w, id, slices.Index(facts.People, i), q.list)
				return err
			}
			for _, v := range sec.Voters {
				if v.Bar == "" && v.Unit != 0 {
					q.list = append(q.list, thing{unit: v.Unit})
				} else if v.Bar == "" {
					q.list = append(q.list, thing{person: v.Person})
				}
			}
			return nil
		}
		return nil
	})
	if err == nil && !found {
		err = fault.New(fault.Invalid, "this ballot has no section %q; it has %s", section, sectionNames(b))
	}
	return q, err
}

// onRoll lists the people who are entitled in one of the people's sections.
func onRoll(w *chamber.World, id int64, section int, out []thing) ([]thing, error) {
	last, err := w.Tx().LastPerson()
	if err != nil {
		return nil, err
	}
	for n := int64(0); n <= roll.ChunkOf(register.PersonID(last)); n++ {
		raw, err := w.Tx().RollChunk(id, n)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		c, err := roll.ReadChunk(n, raw)
		if err != nil {
			return nil, err
		}
		c.Each(func(p register.PersonID, _ []byte) {
			if l, ok := c.Line(p, section); ok && l.Reason == 0 {
				out = append(out, thing{person: p})
			}
		})
	}
	return out, nil
}

// sectionOf finds the only section in which somebody has a vote; empty where
// there is none, or more than one.
func (r *runner) sectionOf(ref string, b *proceeding.Ballot, t thing) string {
	if len(b.Roll.Sections) < 2 {
		return ""
	}
	only := ""
	for i := range b.Roll.Sections {
		name := b.Roll.Sections[i].Name
		q, err := r.queue(ref, b, name)
		if err != nil || !slices.Contains(q.list, t) {
			continue
		}
		if only != "" {
			return ""
		}
		only = name
	}
	return only
}

// spoken gives the votes of units the person who speaks for each.
func (r *runner) spoken(votes []contest.Vote) error {
	var units []thing
	for _, v := range votes {
		if v.Unit != 0 {
			units = append(units, thing{unit: v.Unit})
		}
	}
	if err := r.voices(units); err != nil {
		return err
	}
	return r.ch.Read(r.ctx, func(w *chamber.World) error {
		for i := range votes {
			if v := &votes[i]; v.Unit != 0 {
				v.Person = r.speaker(w, v.Unit)
			}
		}
		return nil
	})
}

// speaker is who enters what a unit decided; 0 where nobody does.
func (r *runner) speaker(w *chamber.World, u register.UnitID) register.PersonID {
	x := w.Tree().Unit(u)
	kind := r.book.UnitKind(x.Kind)
	if kind == nil {
		return 0
	}
	for _, t := range w.Roster().Holders(proceeding.SpeaksFor(r.book, kind), u, w.Tree(), w.At().Unix(), w.Seq()) {
		if t.Unit == u {
			return t.Person
		}
	}
	return 0
}

// voices gives each unit that votes somebody who speaks for it, where the
// script names nobody: a secretary who belongs to nothing else.
func (r *runner) voices(units []thing) error {
	var names []string
	var posts []registry.Appointment
	seen := map[register.UnitID]bool{}
	err := r.ch.Read(r.ctx, func(w *chamber.World) error {
		for _, t := range units {
			if t.unit == 0 || seen[t.unit] || r.speaker(w, t.unit) != 0 {
				continue
			}
			seen[t.unit] = true
			u := w.Tree().Unit(t.unit)
			kind := r.book.UnitKind(u.Kind)
			office := proceeding.SpeaksFor(r.book, kind)
			if office == "" {
				return fault.New(fault.NotEntitled, "the rulebook has no office that speaks for a %s", spaced(kind.Name))
			}
			names = append(names, "Secretary of "+u.Name)
			posts = append(posts, registry.Appointment{Office: office, Unit: t.unit})
		}
		return nil
	})
	if err != nil || len(posts) == 0 {
		return err
	}
	list := make([]registry.NewPerson, len(names))
	for i, n := range names {
		list[i].Sealed = &chamber.Sealed{Particulars: chamber.Particulars{Name: n}}
	}
	was := r.names.entering
	r.names.entering = true
	defer func() { r.names.entering = was }()
	ids, err := r.reg.Enter(r.ctx, list, "", nil)
	if err != nil {
		return err
	}
	for i, id := range ids {
		posts[i].Person = id
		if !r.names.add(group{name: names[i], first: int64(id), n: 1}, false) {
			r.names.called[id] = names[i]
		}
	}
	return r.reg.Appoint(r.ctx, posts)
}
