package verify_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/omov/omov/bundle"
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/store"
)

// A society that elects its chair and decides motions by sealed ballots, in two
// sections. Who supports it through two clubs has a vote of twice the weight.
const societyBook = `
rulebook: Rules of a society with sealed ballots
edition: 2026-01-01
zone: Europe/London
classes: {member: Members, supporter: Supporters through a club}
units: {club: {says: A club}}
offices:
  secretary: {says: the secretary}
  chair: {says: the chair, from: member, term: 1 year}
precedence: [rulebook]
powers: [{who: secretary, may: close}]
electorates:
  members:
    says: Members.
    conditions: [{id: member, when: person.is(member), says: Is a member, remedy: Join.}]
  supporters:
    says: Supporters.
    one_vote_per: club
    conditions: [{id: supporter, when: person.is(supporter), says: Supports through a club, remedy: Ask your club.}]
  everybody:
    says: Members and supporters.
    sections:
      - {section: members, of: members, weight: 60}
      - {section: supporters, of: supporters, weight: 40}
procedures:
  election:
    fills: chair
    begins: [{as: annual, by: secretary}]
    stages:
      - stage: names
        gather: candidates
        stand: member
        needs: {from: member, at_least: 1}
        window: 2 days
      - stage: vote
        ballot: everybody
        how: sealed
        method: av
        minimum: 2
        window: 3 days
        then:
          elected: {fill: chair}
          too_few: {nothing: "Too few voted. The chair stays."}
  motion:
    begins: [{as: moved, by: secretary}]
    stages:
      - stage: vote
        ballot: everybody
        how: sealed
        passes: {more_than: 1/2, of: cast}
        minimum: 2
        window: 1 day
        then:
          carried: {nothing: The motion is carried.}
          lost: {nothing: The motion is lost.}
          too_few: {nothing: Too few voted.}
  amendment:
    takes: {text: rulebook}
    begins: [{as: moved, by: secretary}]
    stages:
      - stage: vote
        ballot: members
        how: counted
        passes: {more_than: 1/2, of: cast}
        window: 1 day
        then:
          carried: {adopt: rulebook}
          lost: {nothing: The rules stay as they are.}
`

// elector is a voter of the society: where they vote, and the code that the
// registrar sent them.
type elector struct {
	section, class string
	code           sealed.Code
	marks          []int // how they vote: a number an option, as on the paper
}

// society is one sealed ballot as it was held by the use cases, with every
// secret of it.
type society struct {
	book      *book
	files     fs.FS // the bundle as it was published
	ids       []keygen.Identity
	names     []string
	registrar proof.Secret
	electors  []elector
	marks     map[string]int // place of an option on the paper, by its name
}

// members and supporters of the society, and how they vote: first preferences
// A to D, or yes, no, blank. C and D have as many, so that a lot says who leaves
// first; whoever it is, A has the most in the end.
func societyVotes(procedure string) map[string][]string {
	if procedure == "motion" {
		return map[string][]string{"members/v1": {"for", "for", "for", "for", "against", "against", "abstain"},
			"supporters/v1": {"for", "against", "for"}, "supporters/v2": {"against", "for", "for"}}
	}
	return map[string][]string{"members/v1": {"A", "AB", "AC", "B", "BA", "CA", "DA"},
		"supporters/v1": {"A", "B", ""}, "supporters/v2": {"AB", "BA", "BAD"}}
}

// hold founds the society and holds a ballot, from the naming of the trustees to
// the declaration.
func hold(t *testing.T, procedure string) *society {
	t.Helper()
	ctx := context.Background()
	dir := t.TempDir()
	ch, clock, err := chamber.OpenDemo(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: filepath.Join(dir, "box")})
	must(t, err)
	defer ch.Close()
	_, err = ch.Found(ctx, chamber.FoundedBody{Name: "The Sealed Society", Demo: true}, []byte(societyBook))
	must(t, err)
	h := &founded{t: t, ctx: ctx, ch: ch, clock: clock, s: contest.New(ch), reg: registry.New(ch)}
	h.society()
	s := &society{registrar: proof.NewSecret(), marks: map[string]int{}}
	h.trustees(s)
	ref := h.begin(procedure)
	h.prepare(ref, s)
	h.vote(ref, procedure, s)
	h.tally(ref, s)
	var b bytes.Buffer
	must(t, bundle.WriteScrutineers(ctx, ch, &b))
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	must(t, err)
	s.book, s.files = readBook(t, z), z
	return s
}

func (h *founded) society() {
	clubs, err := h.reg.OpenUnits(h.ctx, []registry.UnitSpec{{Kind: "club", Name: "Chess"}, {Kind: "club", Name: "Rowing"}})
	must(h.t, err)
	var terms map[string]register.Term
	must(h.t, h.ch.Read(h.ctx, func(w *chamber.World) error { terms = w.Terms(); return nil }))
	joined := time.Now().AddDate(-2, 0, 0).Unix()
	var list []registry.NewPerson
	person := func(name string, changes ...register.Change) {
		for i := range changes {
			changes[i].Aspect, changes[i].From = register.Belongs, joined
		}
		list = append(list, registry.NewPerson{Sealed: &chamber.Sealed{Particulars: chamber.Particulars{Name: name}}, Changes: changes})
	}
	for i := range 7 {
		person(string(rune('A'+i)), register.Change{Name: terms["member"]})
	}
	for i := range 3 {
		person(fmt.Sprintf("Supporter %d", i), register.Change{Name: terms["supporter"], Unit: clubs[i%2]})
	}
	for i := range 3 {
		person(fmt.Sprintf("Supporter %d", i+3), register.Change{Name: terms["supporter"], Unit: clubs[0]}, register.Change{Name: terms["supporter"], Unit: clubs[1]})
	}
	person("The Secretary")
	ids, err := h.reg.Enter(h.ctx, list, "", nil)
	must(h.t, err)
	h.members, h.officers = ids[:7], ids[len(ids)-1:]
	must(h.t, h.reg.Appoint(h.ctx, []registry.Appointment{{Office: "secretary", Person: h.officers[0]}}))
}

// keyText is a public key as manifests have it.
func keyText(g *ristretto.Group, s proof.Secret) string {
	k := s.Public(g)
	return hex.EncodeToString(k[:])
}

// trustees names five trustees, of whom three open and three mix, and a
// registrar.
func (h *founded) trustees(s *society) {
	g := ristretto.New()
	body := proceeding.TrusteesBody{Threshold: 3, Registrar: proceeding.Registrar{Name: "Hazel", Key: keyText(g, s.registrar)}}
	for i, name := range []string{"Ash", "Bay", "Cedar", "Dale", "Elm"} {
		id := keygen.NewIdentity()
		s.ids, s.names = append(s.ids, id), append(s.names, name)
		body.Trustees = append(body.Trustees, proceeding.Trustee{Name: name, Sign: keyText(g, id.Sign()), Seal: keyText(g, id.Seal()), Operator: i == 0})
	}
	body.Mixers = s.names[:3]
	must(h.t, h.s.NameTrustees(h.ctx, as(h.officers[0]), body))
}

// begin calls the ballot and brings it to where its key is made.
func (h *founded) begin(procedure string) string {
	st, err := h.s.Call(h.ctx, proceeding.Begin{Procedure: procedure, By: as(h.officers[0])})
	must(h.t, err)
	if procedure == "election" {
		for _, p := range h.members[:4] {
			_, err := h.s.Do(h.ctx, st.Ref, proceeding.Back{By: as(p), Candidate: p})
			must(h.t, err)
		}
		h.pass(st.Due())
	}
	return st.Ref
}

// do lets trustees do what is waited for, until nothing is.
func (h *founded) do(ref string, s *society, there ...int) {
	for more := true; more; {
		more = false
		for _, i := range there {
			did, err := h.s.SealedDo(h.ctx, ref, s.names[i], s.ids[i])
			must(h.t, err)
			more = more || did
		}
	}
}

// prepare has the registrar make the list, and the trustees the key.
func (h *founded) prepare(ref string, s *society) {
	g := ristretto.New()
	board, err := h.s.SealedBoard(h.ctx, ref)
	must(h.t, err)
	m, err := sealed.DecodeManifest([]byte(board.Manifest))
	must(h.t, err)
	hash, err := m.Hash()
	must(h.t, err)
	all, err := h.s.SealedRoll(h.ctx, ref)
	must(h.t, err)
	for _, e := range all {
		s.electors = append(s.electors, elector{section: e.Section, class: e.Class, code: sealed.NewCode()})
	}
	body, signature, err := sealed.SignListing(g, listOf(g, m, hash, s.electors), s.registrar)
	must(h.t, err)
	must(h.t, h.s.SealedList(h.ctx, ref, body, signature))
	h.do(ref, s, 0, 1, 2, 3, 4)
	for i, o := range m.Contests[0].Options {
		s.marks[o] = i
	}
}

// listOf is the registrar's list of electors.
func listOf(g *ristretto.Group, m *sealed.Manifest, hash [32]byte, electors []elector) *sealed.Listing {
	l := &sealed.Listing{Version: 1, Manifest: hex.EncodeToString(hash[:])}
	for _, sec := range m.Sections {
		for _, c := range sec.Classes {
			x := sealed.ListingGroup{Section: sec.ID, Class: c.ID, Keys: [][]byte{}}
			for _, e := range electors {
				if e.section == sec.ID && e.class == c.ID {
					k := e.code.Key(hash, e.section).Public(g)
					x.Keys = append(x.Keys, k[:])
				}
			}
			slices.SortFunc(x.Keys, bytes.Compare)
			l.Groups = append(l.Groups, x)
		}
	}
	return l
}

// vote has everybody vote, and the ballot closed.
func (h *founded) vote(ref, procedure string, s *society) {
	votes := societyVotes(procedure)
	board, err := h.s.SealedBoard(h.ctx, ref)
	must(h.t, err)
	m, err := sealed.DecodeManifest([]byte(board.Manifest))
	must(h.t, err)
	hash, err := m.Hash()
	must(h.t, err)
	key, err := hex.DecodeString(board.Key)
	must(h.t, err)
	for i := range s.electors {
		e := &s.electors[i]
		at := e.section + "/" + e.class
		if len(votes[at]) == 0 {
			h.t.Fatalf("nobody else was to vote in %s", at)
		}
		e.marks = s.paper(votes[at][0])
		votes[at] = votes[at][1:]
		b := sealed.Ballot{Group: ristretto.New(), Manifest: m, Key: [32]byte(key), Contest: "vote", Section: e.section, Previous: hash, Sequence: 1}
		raw, _, err := b.Seal(e.marks, e.code.Key(hash, e.section))
		must(h.t, err)
		_, err = h.s.SealedPost(h.ctx, ref, raw)
		must(h.t, err)
	}
	if procedure == "election" {
		_, err = h.s.CommitLot(h.ctx, ref, as(h.officers[0]), "secretary")
		must(h.t, err)
	}
	st, _, err := h.s.State(h.ctx, ref)
	must(h.t, err)
	h.pass(st.OpenBallot().Closes)
	_, err = h.s.Close(h.ctx, ref, as(h.officers[0]))
	must(h.t, err)
}

// paper gives the numbers of a paper that names options in their order.
func (s *society) paper(said string) []int {
	out := make([]int, len(s.marks))
	if at, ok := s.marks[said]; ok {
		out[at] = 1
		return out
	}
	for rank, name := range strings.Split(said, "") {
		if at, ok := s.marks[name]; ok {
			out[at] = rank + 1
		}
	}
	return out
}

// tally has three trustees witness, mix and open; the second mixer has vanished
// and is excused.
func (h *founded) tally(ref string, s *society) {
	h.do(ref, s, 0, 2, 4)
	board, err := h.s.SealedBoard(h.ctx, ref)
	must(h.t, err)
	if board.Phase == "mixing" {
		must(h.t, h.s.ExcuseMixer(h.ctx, ref, as(h.officers[0]), s.names[1], "No answer to three letters."))
		h.do(ref, s, 0, 2, 4)
	}
	st, _, err := h.s.State(h.ctx, ref)
	must(h.t, err)
	if len(st.Ballots) != 1 || st.Ballots[0].Counted == 0 {
		h.t.Fatalf("the ballot is not counted: %s %s", st.Phase, st.Outcome)
	}
}
