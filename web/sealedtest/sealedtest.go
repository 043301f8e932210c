// Package sealedtest serves a small society whose ballots are sealed, over the
// real pages and a database in a temporary folder: for tests of the programs
// that talk to them. A test can put itself between such a program and the
// server, and lie.
package sealedtest

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/login"
	"github.com/omov/omov/mail"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealing"
	"github.com/omov/omov/store"
	"github.com/omov/omov/web"
)

const rules = `
rulebook: Rules of the Heron Society
edition: 2026-01-01
zone: Europe/London
classes: {member: Members}
offices:
  secretary: {says: the secretary}
  chair: {says: the chair, from: member, term: 1 year}
precedence: [rulebook]
powers: [{who: secretary, may: close}]
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
        ballot: member
        how: sealed
        method: METHOD
        minimum: 5
        window: 3 days
        then:
          elected: {fill: chair}
          too_few: {nothing: "Fewer than five voted. The chair stays."}
  amendment:
    takes: {text: rulebook}
    begins: [{as: moved, by: secretary}]
    stages:
      - {stage: vote, ballot: member, how: counted, passes: {more_than: 1/2, of: cast}, window: 1 day, then: {carried: {adopt: rulebook}, lost: {nothing: The rules stay.}}}
`

// Society is the society, its server, and whoever stands between.
type Society struct {
	T        testing.TB
	Ctx      context.Context
	Chamber  *chamber.Chamber
	Clock    *chamber.DemoClock
	Contests *contest.Contests
	Members  []register.PersonID
	Officer  register.PersonID
	Dir      string // where the database is: book.db
	URL      string

	mu      sync.Mutex
	log     bytes.Buffer
	between func(http.ResponseWriter, *http.Request, http.Handler)
}

// New founds a society that counts by a method, and serves its pages.
func New(t testing.TB, method string, members int) *Society {
	t.Helper()
	s := &Society{T: t, Ctx: context.Background(), Dir: t.TempDir()}
	var err error
	o := chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(s.Dir, "book.db")}, Keys: filepath.Join(s.Dir, "box")}
	s.Chamber, s.Clock, err = chamber.OpenDemo(s.Ctx, o)
	s.ok(err)
	t.Cleanup(func() { s.Chamber.Close() })
	_, err = s.Chamber.Found(s.Ctx, chamber.FoundedBody{Name: "The Heron Society", Demo: true}, []byte(strings.Replace(rules, "METHOD", method, 1)))
	s.ok(err)
	s.Contests = contest.New(s.Chamber)
	reg := registry.New(s.Chamber)
	s.people(reg, members)
	s.serve(reg)
	return s
}

func (s *Society) ok(err error) {
	s.T.Helper()
	if err != nil {
		s.T.Fatal(err)
	}
}

func (s *Society) people(reg *registry.Registry, members int) {
	var terms map[string]register.Term
	s.ok(s.Chamber.Read(s.Ctx, func(w *chamber.World) error { terms = w.Terms(); return nil }))
	var list []registry.NewPerson
	for i := range members + 1 {
		name := fmt.Sprintf("Person %c", 'A'+i)
		p := registry.NewPerson{Sealed: &chamber.Sealed{Particulars: chamber.Particulars{Name: name, Email: fmt.Sprintf("p%d@example.org", i)}}}
		if i < members {
			p.Changes = []register.Change{{Aspect: register.Belongs, Name: terms["member"], From: time.Now().AddDate(-2, 0, 0).Unix()}}
		}
		list = append(list, p)
	}
	ids, err := reg.Enter(s.Ctx, list, "", nil)
	s.ok(err)
	s.Members, s.Officer = ids[:members], ids[members]
	s.ok(reg.Appoint(s.Ctx, []registry.Appointment{{Office: "secretary", Person: s.Officer}}))
}

func (s *Society) serve(reg *registry.Registry) {
	srv := httptest.NewUnstartedServer(nil)
	s.URL = "http://" + srv.Listener.Addr().String()
	place := registry.Directory{Chamber: s.Chamber}
	post := mail.New(s.Chamber.DB, place, nil, s.Chamber.Now)
	logins := login.New(s.Chamber.DB, s.URL, place, registry.LinkPost{Post: post, Chamber: s.Chamber})
	site := web.New(web.Options{Chamber: s.Chamber, Clock: s.Clock, Contests: s.Contests, Registry: reg, Logins: logins, Post: post,
		Log: slog.New(slog.NewTextHandler(locked{s}, nil)), Base: s.URL, Wake: func() {}})
	srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		between := s.between
		s.mu.Unlock()
		if between == nil {
			site.ServeHTTP(w, r)
			return
		}
		between(w, r, site)
	})
	srv.Start()
	s.T.Cleanup(srv.Close)
}

// locked writes into the server's log.
type locked struct{ s *Society }

func (l locked) Write(b []byte) (int, error) {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	return l.s.log.Write(b)
}

// Log is what the server has written into its log.
func (s *Society) Log() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.log.Bytes())
}

// Between puts somebody between the server and whoever asks it; nil takes them
// away.
func (s *Society) Between(fn func(w http.ResponseWriter, r *http.Request, server http.Handler)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.between = fn
}

// Lie changes the server's answers: change gets the path and the body.
func (s *Society) Lie(change func(path string, body []byte) []byte) {
	s.Between(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		rec := httptest.NewRecorder()
		server.ServeHTTP(rec, r)
		b := rec.Body.Bytes()
		if r.Method == http.MethodGet && rec.Code == http.StatusOK {
			b = change(r.URL.Path, b)
		}
		w.WriteHeader(rec.Code)
		w.Write(b)
	})
}

// LieOfBoard changes what the server says of the ballot.
func (s *Society) LieOfBoard(change func(board map[string]any)) {
	s.Lie(func(path string, body []byte) []byte {
		if !strings.HasSuffix(path, "/sealed") {
			return body
		}
		var board map[string]any
		if err := json.Unmarshal(body, &board); err != nil {
			return body
		}
		change(board)
		out, err := json.Marshal(board)
		if err != nil {
			return body
		}
		return out
	})
}

// NameTrustees names trustees, all of whom mix if mixers is large enough.
func (s *Society) NameTrustees(list []proceeding.Trustee, threshold, mixers int, registrar proceeding.Registrar) {
	s.T.Helper()
	body := proceeding.TrusteesBody{Trustees: list, Threshold: threshold, Registrar: registrar}
	for i := range min(mixers, len(list)) {
		body.Mixers = append(body.Mixers, list[i].Name)
	}
	s.ok(s.Contests.NameTrustees(s.Ctx, s.Secretary(), body))
}

// Secretary is the officer who closes.
func (s *Society) Secretary() proceeding.Actor { return proceeding.Actor{Person: s.Officer} }

// Call calls an election with two candidates and goes on to where the ballot
// is due: its paper is fixed.
func (s *Society) Call() (ref string) {
	s.T.Helper()
	return s.CallWith(2)
}

// CallWith calls an election with so many candidates.
func (s *Society) CallWith(candidates int) (ref string) {
	s.T.Helper()
	st, err := s.Contests.Call(s.Ctx, proceeding.Begin{Procedure: "election", By: s.Secretary()})
	s.ok(err)
	for _, p := range s.Members[:candidates] {
		_, err := s.Contests.Do(s.Ctx, st.Ref, proceeding.Back{By: proceeding.Actor{Person: p}, Candidate: p})
		s.ok(err)
	}
	s.Pass(s.State(st.Ref).Due())
	return st.Ref
}

// Page is the address of a contest's page.
func (s *Society) Page(ref string) string { return s.URL + "/contests/" + ref }

// Pass moves the clock to an instant and lets fall due what does.
func (s *Society) Pass(ms int64) {
	s.T.Helper()
	s.ok(s.Chamber.MoveTo(s.Ctx, s.Clock, time.UnixMilli(ms+1000)))
	_, err := s.Contests.Due(s.Ctx)
	s.ok(err)
}

// State is how a contest stands.
func (s *Society) State(ref string) *proceeding.State {
	s.T.Helper()
	st, _, err := s.Contests.State(s.Ctx, ref)
	s.ok(err)
	return st
}

// Board is how a sealed ballot stands.
func (s *Society) Board(ref string) *sealing.Board {
	s.T.Helper()
	b, err := s.Contests.SealedBoard(s.Ctx, ref)
	s.ok(err)
	return b
}

// Close lets the ballot's time run out and closes it.
func (s *Society) Close(ref string) {
	s.T.Helper()
	s.Pass(s.State(ref).OpenBallot().Closes)
	_, err := s.Contests.Close(s.Ctx, ref, s.Secretary())
	s.ok(err)
}

// Code gives the code of a member where the server is the registrar.
func (s *Society) Code(ref string, p register.PersonID) string {
	s.T.Helper()
	given, err := s.Contests.SealedSeat(s.Ctx, ref, p, 0, "")
	s.ok(err)
	return given.Code
}

// Vote seals a paper with a code as a voter's page does, and posts it.
func (s *Society) Vote(ref, code string, marks ...int) {
	s.T.Helper()
	raw := s.Paper(ref, code, marks...)
	resp, err := http.Post(s.Page(ref)+"/sealed/paper", "application/octet-stream", bytes.NewReader(raw))
	s.ok(err)
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		s.T.Fatalf("the paper was refused: %s", b)
	}
}

// Paper seals a paper.
func (s *Society) Paper(ref, code string, marks ...int) []byte {
	s.T.Helper()
	board := s.Board(ref)
	m, err := sealed.DecodeManifest([]byte(board.Manifest))
	s.ok(err)
	hash, err := m.Hash()
	s.ok(err)
	c, err := sealed.ReadCode(code)
	s.ok(err)
	section := m.Sections[0].ID
	key := c.Key(hash, section)
	seat, err := s.Contests.SealedCredential(s.Ctx, ref, key.Public(ristretto.New()))
	s.ok(err)
	if !seat.Listed {
		s.T.Fatal("the code is of no credential on the list")
	}
	b := &sealed.Ballot{Group: ristretto.New(), Manifest: m, Contest: m.Contests[0].ID, Section: section, Sequence: uint32(seat.Sequence) + 1}
	s.hex(b.Key[:], board.Key)
	s.hex(b.Previous[:], seat.Previous)
	raw, _, err := b.Seal(marks, key)
	s.ok(err)
	return raw
}

func (s *Society) hex(to []byte, text string) {
	s.T.Helper()
	b, err := hex.DecodeString(text)
	s.ok(err)
	copy(to, b)
}
