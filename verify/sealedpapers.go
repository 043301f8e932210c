package verify

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/verify/seal"
)

// What trustees opened of a sealed ballot, and what was made of it.

func errOtherTrustee(from string, trustee int) error {
	return fmt.Errorf("they are of trustee %d, whom %s is not", trustee, from)
}

func errTwice(from string) error { return fmt.Errorf("%s has given shares of this group", from) }

// sealedPapers recomputes the opened papers of a sealed ballot from the
// trustees' shares.
func (v *verifier) sealedPapers(e *entry, r *run, b *papersBody) {
	cl := r.closings[b.Ballot]
	s := v.onBoard(e, r, b.Ballot, true)
	if cl != nil && !v.Check(CheckSteps).must(cl.papers == nil, e.seq, "the papers of %s are entered a second time", b.Ballot) {
		return
	}
	if cl != nil {
		cl.papers = b
	}
	if !v.openable(e, r, s) {
		return
	}
	s.done = true
	want := &papersBody{Ballot: b.Ballot}
	x := r.st.OpenBallot()
	o := &openedPapers{x: x, spoilt: map[string]int64{}, papers: map[string]map[string]*grouped{}}
	for _, g := range s.groups {
		if !v.openGroup(e, s, g, o) {
			return
		}
	}
	for i := range x.Roll.Sections {
		want.Sections = append(want.Sections, o.section(x.Roll.Sections[i].Name))
	}
	c := v.Check(CheckSealPlain)
	text, err := minutes.Canonical(want)
	for i := range want.Sections {
		same := i < len(b.Sections) && sameSection(&want.Sections[i], &b.Sections[i])
		c.must(same, e.seq, "the papers of the section %q are not those that the trustees' shares open", want.Sections[i].Section)
	}
	c.must(c.Failures > 0 || err == nil && bytes.Equal(text, e.body), e.seq, "the papers are not written as they must be: grouped, sorted, by section")
	s.spoilt = o.spoilt
	r.unsealed[b.Ballot] = true
	var opened, spoilt int64
	for i := range want.Sections {
		for _, p := range want.Sections[i].Papers {
			opened += p.N
		}
		spoilt += want.Sections[i].Spoilt
	}
	c.note("%s: %d papers read, %d spoilt", b.Ballot, opened, spoilt)
}

func sameSection(a, b *sectionPapers) bool {
	return a.Section == b.Section && a.Spoilt == b.Spoilt && slices.EqualFunc(a.Papers, b.Papers, func(x, y grouped) bool {
		return slices.Equal(x.Marks, y.Marks) && x.Choice == y.Choice && x.Value == y.Value && x.N == y.N
	})
}

// openGroup puts the shares of a group together and reads what they open.
func (v *verifier) openGroup(e *entry, s *sealing, g *mixGroup, o *openedPapers) bool {
	c := v.Check(CheckSealShares)
	plain, err := s.e.Combine(g.pairs, g.shares)
	if !c.must(err == nil, e.seq, "%s is opened: %v", g.Name(), err) || err != nil {
		v.stop(s, CheckSealShares)
		return false
	}
	value := g.Weight
	if value == "1" {
		value = ""
	}
	section := o.x.Roll.Sections[slices.IndexFunc(s.e.Manifest.Sections, func(x seal.Section) bool { return x.ID == g.Section })].Name
	if g.Contest.Form == "sum" {
		totals, err := s.e.Totals(plain, g.Papers)
		if !v.Check(CheckSealPlain).must(err == nil, e.seq, "%s: %v", g.Name(), err) || err != nil {
			v.stop(s, CheckSealPlain)
			return false
		}
		for option, n := range totals {
			p := grouped{Choice: -1, Value: value, N: n}
			if option < len(totals)-1 {
				p.Marks = []int{option}
			}
			o.put(section, p)
		}
		return true
	}
	said, spoilt := s.e.Read(g.Contest, plain)
	o.spoilt[section] += spoilt
	for _, x := range said {
		p := grouped{Choice: -1, Value: value, Marks: inOrder(x.Paper), N: x.N}
		if len(p.Marks) > 0 && !keepsQuotas(o.x, p.Marks) {
			o.spoilt[section] += x.N
			continue
		}
		o.put(section, p)
	}
	return true
}

// inOrder reads a number for each option into options in their order.
func inOrder(paper []int) []int {
	var out []int
	for rank := 1; rank <= len(paper); rank++ {
		for i, n := range paper {
			if n == rank {
				out = append(out, i)
			}
		}
	}
	return out
}

// keepsQuotas tells whether marks keep the quotas on papers.
func keepsQuotas(x *proceeding.Ballot, marks []int) bool {
	for i := range x.Quotas {
		if q := &x.Quotas[i]; q.On == proceeding.OnPaper && !q.Keeps(marks) {
			return false
		}
	}
	return true
}

// openedPapers are papers that were opened, grouped by what they say.
type openedPapers struct {
	x      *proceeding.Ballot
	spoilt map[string]int64
	papers map[string]map[string]*grouped
}

func (o *openedPapers) put(section string, p grouped) {
	if p.N == 0 {
		return
	}
	if o.x.Method == "" {
		p.Choice = choiceOf(o.x.Choices, p.Marks)
		p.Marks = nil
	}
	if o.papers[section] == nil {
		o.papers[section] = map[string]*grouped{}
	}
	key := string(p.key())
	if y := o.papers[section][key]; y != nil {
		y.N += p.N
		return
	}
	o.papers[section][key] = &p
}

// choiceOf is the choice that a mark on a vote's paper stands for: options leave
// out abstaining, which a blank paper says, where there is that choice.
func choiceOf(choices []string, marks []int) int {
	if len(marks) == 0 {
		return slices.Index(choices, "abstain")
	}
	k := marks[0]
	for i, c := range choices {
		if c == "abstain" {
			continue
		}
		if k == 0 {
			return i
		}
		k--
	}
	return -1
}

// key is what papers are sorted by (docs/verifying.md, Opened papers).
func (p *grouped) key() []byte {
	out := []byte{'r'}
	if p.Choice >= 0 {
		out = binary.AppendUvarint([]byte{'c'}, uint64(p.Choice))
	}
	for _, m := range p.Marks {
		out = binary.AppendUvarint(out, uint64(m))
	}
	if p.Value != "" {
		out = append(append(out, 0xff, '='), p.Value...)
	}
	return out
}

func (o *openedPapers) section(name string) sectionPapers {
	out := sectionPapers{Section: name, Papers: []grouped{}, Spoilt: o.spoilt[name]}
	for _, k := range sorted(o.papers[name]) {
		out.Papers = append(out.Papers, *o.papers[name][k])
	}
	return out
}

// sorted gives the keys of a map in order.
func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// sealedCount counts the opened papers again, and compares what was declared.
// The papers of a sealed ballot are public, so that any bundle will do.
func (v *verifier) sealedCount(e *entry, r *run, x *proceeding.Ballot, b *proceeding.ResultBody) {
	s, cl := r.seal, r.closings[x.ID]
	if s == nil || s.id != x.ID || s.broken != "" {
		return
	}
	c := v.Check(CheckSealCount)
	if !c.must(cl != nil && cl.papers != nil && s.done, e.seq, "%s is counted before its papers are opened", x.ID) || cl == nil || cl.papers == nil {
		return
	}
	if len(cl.papers.Sections) != len(x.Roll.Sections) {
		return // it has been said
	}
	var spoilt, papers int64
	for _, sec := range cl.papers.Sections {
		spoilt += sec.Spoilt
	}
	for _, y := range x.Returned {
		papers += y.Papers
	}
	res := v.Check(CheckSealResult)
	res.must(b.Figures == nil || b.Figures["spoilt"] == spoilt, e.seq, "%d papers are said to be spoilt; %d are", b.Figures["spoilt"], spoilt)
	if x.Method == "" {
		figures, sections, err := countChoices(x, cl.papers)
		if spoilt > 0 && err == nil {
			figures["spoilt"] = spoilt
		}
		c.must(err == nil && maps.Equal(figures, b.Figures), e.seq, "the papers counted again give %v, not %v: %v", figures, b.Figures, err)
		same := slices.EqualFunc(sections, b.Sections, func(a, z proceeding.SectionVotes) bool { return a.Section == z.Section && maps.Equal(a.Votes, z.Votes) })
		c.must(len(b.Sections) == 0 || same, e.seq, "the papers counted again give other votes in the sections: %v, not %v", sections, b.Sections)
		c.note("%s: %v", x.ID, figures)
		return
	}
	count := countPapers
	if x.Method == "exhaustive" {
		count = r.countRound
	}
	sheet, err := count(x, cl.papers)
	if !c.must(err == nil, e.seq, "the papers of %s cannot be counted again: %v", x.ID, err) || err != nil {
		return
	}
	text, err := json.Marshal(sheet)
	none := b.Outcome == proceeding.Inquorate && b.Sheet == ""
	c.must(err == nil && (none || bytes.Equal(text, []byte(b.Sheet))), e.seq, "the papers counted again give another sheet")
	c.note("%s: %s, elected %v", x.ID, plural(len(sheet.Stages), "stage"), sheet.Elected)
}

// sealedUncounted checks a declaration that the papers of a sealed ballot cannot
// be counted.
func (v *verifier) sealedUncounted(e *entry, r *run, x *proceeding.Ballot) {
	s, cl := r.seal, r.closings[x.ID]
	if s == nil || s.id != x.ID || s.broken != "" {
		return
	}
	c := v.Check(CheckSealCount)
	if !c.must(cl != nil && cl.papers != nil && s.done, e.seq, "%s is declared before its papers are opened", x.ID) || cl == nil || cl.papers == nil || len(cl.papers.Sections) != len(x.Roll.Sections) {
		return
	}
	count := countPapers
	if x.Method == "exhaustive" {
		count = r.countRound
	}
	_, err := count(x, cl.papers)
	c.must(err != nil, e.seq, "it says that the papers of %s cannot be counted, and they can", x.ID)
}
