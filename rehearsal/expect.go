package rehearsal

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
)

// look is a run as it stands when something is expected of it; st is nil
// where no run is meant.
type look struct {
	r    *runner
	st   *proceeding.State
	book *rulebook.Book
	at   pos // of what is being compared
}

// expect compares what should be so with what is.
func (r *runner) expect(e *expectation) {
	l := &look{r: r, book: r.book, at: e.pos}
	ref, err := r.ref(e.run)
	if err == nil {
		l.st, l.book, err = r.contests.State(r.ctx, ref)
	}
	for _, c := range e.checks {
		l.at = c.pos
		if err != nil && needsRun(c.key) {
			r.failed(c.pos, Failure{Message: err.Error()})
			return
		}
		if e := l.check(&c); e != nil {
			r.failed(c.pos, Failure{Message: fmt.Sprintf("`%s` cannot be looked at: %s", c.key, e)})
		}
	}
}

// needsRun tells whether an expectation is about a run.
func needsRun(key string) bool {
	return !slices.Contains([]string{"holds", "minutes", "told", "running", "overridden", "in_force", "slot"}, key)
}

// same compares texts.
func (l *look) same(what, want, got string) {
	if fold(want) != fold(got) {
		if got == "" {
			got = "nothing"
		}
		l.r.failed(l.at, Failure{What: what, Want: want, Got: got})
	}
}

// holds tells of something that it is not so.
func (l *look) unless(ok bool, what, want, got string) {
	if !ok {
		l.r.failed(l.at, Failure{What: what, Want: want, Got: got})
	}
}

// check looks at one expectation; an error is a mistake in how it is written.
func (l *look) check(c *check) error {
	switch c.key {
	case "outcome":
		l.same("outcome", c.val.text, l.outcome())
	case "phase":
		l.same("phase", c.val.text, string(l.st.Phase))
	case "cause":
		l.same("cause", c.val.text, l.st.Cause)
	case "stage":
		l.same("stage", c.val.text, l.stage())
	case "opens", "closes":
		return l.when(c)
	case "freeze":
		return l.freeze(c)
	case "candidates", "elected":
		return l.people(c)
	case "waits_for":
		l.same("waits for", c.val.text, l.waits())
	case "effect":
		l.effects(c)
	case "backed":
		l.backed(c)
	case "gate":
		return l.gate(c)
	case "shares":
		return l.shares(c)
	case "figures":
		return l.figures(c)
	case "papers":
		return l.returned(c)
	case "roll":
		return l.roll(c)
	case "slot":
		return l.slots(c)
	case "holds":
		return l.holders(c)
	case "minutes":
		l.minutes(c)
	case "shift":
		l.shift(c)
	case "drawn":
		l.drawn(c)
	case "told":
		l.toldNow(c)
	case "running":
		return l.running(c)
	case "sealed", "trustees":
		return l.sealed(c)
	case "overridden", "in_force":
		return l.texts(c)
	}
	return nil
}

func (l *look) outcome() string {
	if l.st.Live() {
		return "none yet"
	}
	return l.st.Outcome
}

// stage is the stage that a run has come to.
func (l *look) stage() string {
	switch now := l.st.Now(); {
	case !l.st.Live():
		return "ended"
	case now == nil:
		return string(l.st.Phase)
	default:
		return now.Name
	}
}

func (l *look) waits() string {
	if l.st.Phase != proceeding.Halted {
		return "nothing"
	}
	return l.st.Waits
}

// when compares the opening or the end of the current stage, or of what is
// being collected.
func (l *look) when(c *check) error {
	w := (&complaints{}).when(scalarAt{c.val.text, c.val.pos})
	var ms int64
	switch now := l.st.Now(); {
	case l.st.Phase == proceeding.Collecting && c.key == "closes":
		ms = l.st.Backing.Closes
	case now == nil:
	case c.key == "opens":
		ms = now.Opens
	default:
		ms = now.Closes
	}
	if ms == 0 {
		l.same(l.stage()+" "+c.key, c.val.text, "at no known time")
		return nil
	}
	cal := l.book.Calendar()
	got := cal.Instant(time.UnixMilli(ms))
	words := got.String()
	if h, m, s := got.T.Clock(); h+m+s == 0 {
		got.IsDay = true
		if words = got.String(); c.key == "closes" {
			words = "the end of " + cal.Moment(got.Day()-1).String()
		}
	}
	l.unless(w.exactly(cal, time.UnixMilli(ms), c.key == "closes"), l.stage()+" "+c.key, w.moment(cal).String(), words)
	return nil
}

// freeze compares the day of the freeze as the roll recorded it, or as it
// stands.
func (l *look) freeze(c *check) error {
	w := (&complaints{}).when(scalarAt{c.val.text, c.val.pos})
	for i := len(l.st.Ballots) - 1; i >= 0; i-- {
		if f := l.st.Ballots[i].Roll.Freeze; f != "" {
			l.same("freeze", w.moment(l.book.Calendar()).String(), momentText(l.book, f))
			return nil
		}
	}
	return fault.New(fault.TooEarly, "no roll has been taken yet")
}

// momentText writes a kept moment as people read it.
func momentText(book *rulebook.Book, s string) string {
	if v, ok := (proceeding.Held{Type: string(rulebook.TypeMoment), Text: s}).Value(book.Calendar(), nil); ok {
		return v.Moment.String()
	}
	return s
}

// people compares lists of names, in any order.
func (l *look) people(c *check) error {
	var got []register.PersonID
	var names []string
	if c.key == "elected" {
		for _, p := range l.st.Elected {
			got, names = append(got, p.ID), append(names, p.Name)
		}
	} else {
		for _, p := range l.st.Standing() {
			got, names = append(got, p.ID), append(names, p.Name)
		}
	}
	want, err := l.wanted(c.val)
	if err != nil {
		return err
	}
	l.sameSet(c.key, want, got, names)
	return nil
}

// wanted reads names of people; nobody is an empty list.
func (l *look) wanted(n *node) ([]register.PersonID, error) {
	if n.form == scalar && slices.Contains([]string{"nobody", "none", ""}, n.text) {
		return nil, nil
	}
	things, err := l.r.who((&complaints{}).references(n))
	var out []register.PersonID
	for _, t := range things {
		if t.person == 0 {
			return nil, fault.New(fault.Invalid, "this names something that is no person")
		}
		out = append(out, t.person)
	}
	return out, err
}

func (l *look) sameSet(what string, want, got []register.PersonID, names []string) {
	a, b := slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))
	if slices.Equal(a, b) {
		return
	}
	var w []string
	for _, p := range want {
		w = append(w, l.r.names.person(p))
	}
	l.r.failed(l.at, Failure{What: what, Want: orNobody(w), Got: orNobody(names)})
}

func orNobody(names []string) string {
	if len(names) == 0 {
		return "nobody"
	}
	if len(names) > 20 {
		return strings.Join(names[:20], ", ") + fmt.Sprintf(" and %d more", len(names)-20)
	}
	return strings.Join(names, ", ")
}

// effects looks for what the run has carried out: `fill director`, `none`.
func (l *look) effects(c *check) {
	var did []string
	for _, d := range l.st.Done {
		if d.Verb != "nothing" {
			did = append(did, strings.TrimSpace(d.Verb+" "+d.Target))
		}
	}
	got := strings.Join(did, ", ")
	if got == "" {
		got = "none"
	}
	for _, n := range c.val.list() {
		if n.text == "none" {
			l.same("effect", "none", got)
			continue
		}
		l.unless(slices.ContainsFunc(did, func(d string) bool { return fold(d) == fold(n.text) || strings.HasPrefix(fold(d), fold(n.text)+" ") }), "effect", n.text, got)
	}
}

// backed compares the support with which the run was called, or that is
// being collected for it.
func (l *look) backed(c *check) {
	var got []string
	if g := l.st.Backing; g != nil {
		for _, s := range g.Result {
			got = append(got, reachedTexts(s.Gates)...)
		}
	}
	if l.st.Phase == proceeding.Collecting {
		got = l.progress(l.st, 0)
	}
	l.reached("backed", c.val, got)
}

func reachedTexts(list []proceeding.Reached) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = list[i].String()
	}
	return out
}

// reached wants each expected line among those there are. Where a line ends
// before ", needs", only what was reached is compared.
func (l *look) reached(what string, n *node, got []string) {
	for _, x := range n.list() {
		ok := slices.ContainsFunc(got, func(g string) bool {
			g = fold(g)
			return g == fold(x.text) || strings.HasPrefix(g, fold(x.text)+",")
		})
		l.unless(ok, what, x.text, orNothing(got))
	}
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, "; ")
}

// gate compares what a gathering shows, by candidate or for the question. It
// is counted again from what was given, so that those who fell short can be
// asked about too.
func (l *look) gate(c *check) error {
	st := l.gathering()
	if st == nil {
		return fault.New(fault.TooEarly, "nothing has been gathered yet")
	}
	if c.val.form != mapping {
		l.reached("gate", c.val, l.progress(st, 0))
		return nil
	}
	for _, p := range c.val.pairs {
		id, err := l.r.onePerson(p.key)
		if err != nil {
			return err
		}
		l.reached("gate of "+p.key, p.val, l.progress(st, id))
	}
	return nil
}

// gathering gives the run as it was when its latest gathering was open.
func (l *look) gathering() *proceeding.State {
	p := l.book.Procedure(l.st.Procedure)
	for i := min(l.st.Current, len(l.st.Stages)-1); i >= 0 && p != nil; i-- {
		if p.Stages[i].Kind != rulebook.Gather || p.Stages[i].Needs == nil || l.st.Stages[i].Gather == nil {
			continue
		}
		st := l.st.Clone()
		st.Current, st.Phase, st.Stages[i].Status = i, proceeding.Running, proceeding.Open
		for k := range st.Candidates {
			if st.Candidates[k].Status == proceeding.Fell {
				st.Candidates[k].Status = proceeding.Proposed
			}
		}
		return st
	}
	return nil
}

// progress counts a gathering; For 0 is the question itself.
func (l *look) progress(st *proceeding.State, who register.PersonID) []string {
	var out []string
	err := l.r.ch.Read(l.r.ctx, func(w *chamber.World) error {
		out = nil
		list, err := proceeding.Progress(l.book, st, w.WithBook(l.book), w.At().UnixMilli())
		for _, s := range list {
			if s.For == who {
				out = append(out, reachedTexts(s.Gates)...)
			}
		}
		return err
	})
	if err != nil {
		return []string{err.Error()}
	}
	return out
}

// ballot gives the latest ballot of the run.
func (l *look) ballot() (*proceeding.Ballot, error) {
	if len(l.st.Ballots) == 0 {
		return nil, fault.New(fault.TooEarly, "no ballot has been opened yet")
	}
	return &l.st.Ballots[len(l.st.Ballots)-1], nil
}

// denominators are what shares of a vote can be of.
func (l *look) denominators() (map[string]int64, error) {
	b, err := l.ballot()
	if err != nil {
		return nil, err
	}
	d := map[string]int64{}
	for k, v := range b.Figures {
		d[k] = v
	}
	for i := range b.Roll.Sections {
		d["entitled"] += b.Roll.Sections[i].Entitled
	}
	d["cast"] = d["for"] + d["against"]
	if _, ok := d["papers"]; !ok {
		d["papers"] = d["cast"] + d["spoilt"] + d["abstain"]
	}
	if _, ok := d["present"]; !ok {
		d["present"] = d["papers"]
	}
	return d, nil
}

// shares compares the votes for with named denominators: {of cast: 172/212},
// or in per cent as exactly as it is written.
func (l *look) shares(c *check) error {
	d, err := l.denominators()
	if err != nil {
		return err
	}
	for _, p := range c.val.pairs {
		if part, ok := l.sectionShare(p.key); ok {
			digits, _ := strings.CutSuffix(p.val.text, "%")
			_, frac, _ := strings.Cut(digits, ".")
			l.same("share of "+p.key, p.val.text, part.FloatString(len(frac))+"%")
			continue
		}
		name := strings.TrimPrefix(p.key, "of ")
		of, ok := d[name]
		if !ok {
			return fault.New(fault.Invalid, "there is no share of %q; there are shares of entitled, present, papers, cast", name)
		}
		got := fmt.Sprintf("%d/%d", d["for"], of)
		if digits, isPercent := strings.CutSuffix(p.val.text, "%"); isPercent && of > 0 {
			_, frac, _ := strings.Cut(digits, ".")
			got = new(big.Rat).SetFrac64(100*d["for"], of).FloatString(len(frac)) + "%"
		}
		l.same("share of "+name, p.val.text, got)
	}
	return nil
}

// sectionShare gives what a section of a vote has given to the votes for, in
// hundredths of the whole.
func (l *look) sectionShare(section string) (*big.Rat, bool) {
	b := &l.st.Ballots[len(l.st.Ballots)-1]
	for i := range b.Sections {
		v := b.Sections[i].Votes
		if b.Sections[i].Section != section {
			continue
		}
		num := func(s string) *big.Rat { n, _ := new(big.Rat).SetString(s); return n }
		has, cast, weight, all := num(v["for"]), new(big.Rat), num(b.Roll.Sections[i].Weight), new(big.Rat)
		for choice, n := range v {
			if choice != "abstain" {
				cast.Add(cast, num(n))
			}
		}
		for k := range b.Roll.Sections {
			all.Add(all, num(b.Roll.Sections[k].Weight))
		}
		if cast.Sign() == 0 || all.Sign() == 0 {
			return new(big.Rat), true
		}
		has.Mul(has.Quo(has, cast), weight.Quo(weight, all))
		return has.Mul(has, big.NewRat(100, 1)), true
	}
	return nil, false
}

// figures compares the numbers of a vote.
func (l *look) figures(c *check) error {
	d, err := l.denominators()
	if err != nil {
		return err
	}
	for _, p := range c.val.pairs {
		l.same("figures: "+p.key, p.val.text, strconv.FormatInt(d[p.key], 10))
	}
	return nil
}

// returned compares how many papers came back, by section or altogether.
func (l *look) returned(c *check) error {
	b, err := l.ballot()
	if err != nil {
		return err
	}
	by, total := map[string]int64{}, int64(0)
	for _, x := range b.Returned {
		by[x.Section] += x.Papers
		total += x.Papers
	}
	if c.val.form == scalar {
		l.same("papers", c.val.text, strconv.FormatInt(total, 10))
	}
	for _, p := range c.val.pairs {
		l.same("papers of "+p.key, p.val.text, strconv.FormatInt(by[p.key], 10))
	}
	return nil
}

// minutes looks for sentences in the record as people read it.
func (l *look) minutes(c *check) {
	for _, n := range c.val.list() {
		want := fold(n.text)
		ok := slices.ContainsFunc(l.r.record, func(s string) bool { return strings.Contains(fold(s), want) })
		last := l.r.record
		if len(last) > 8 {
			last = last[len(last)-8:]
		}
		l.unless(ok, "the record says", n.text, "it says, last: "+strings.Join(last, " "))
	}
}
