package demo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/omov/omov/bundle/bundletest"
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/demo"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/store"
)

// A visitor finds one contest decided, one whose ballot is open and one that
// collects nominations, at the time of their visit.
func TestFound(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	ch, clock, err := chamber.OpenDemo(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: filepath.Join(dir, "box")})
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	if err := demo.Found(ctx, ch, clock, contest.New(ch), registry.New(ch), demo.Options{Members: 600}); err != nil {
		t.Fatal(err)
	}
	if off := time.Since(clock.Now()).Abs(); off > time.Minute {
		t.Errorf("the demo's clock is %v off when the visitor comes", off)
	}
	got := map[string]int{}
	err = ch.Read(ctx, func(w *chamber.World) error {
		all, err := w.States()
		for _, st := range all {
			switch {
			case st.Phase == proceeding.Ended && st.Outcome == "elected":
				got["decided"]++
			case st.OpenBallot() != nil && st.OpenBallot().Sealed():
				got["sealed"]++
			case st.OpenBallot() != nil:
				got["ballot"]++
			case st.Now() != nil && st.Now().Name == "nominations" && len(st.Standing()) == 3:
				got["nominations"]++
			}
		}
		return err
	})
	if err != nil || got["decided"] != 1 || got["ballot"] != 1 || got["sealed"] != 1 || got["nominations"] != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	people, err := demo.Find(ctx, ch)
	if err != nil || people.Member == 0 || people.MP == 0 || people.Returning == 0 || people.Second == 0 || people.Scrutineer == 0 {
		t.Fatalf("%+v, %v", people, err)
	}
}

// The sealed ballot is closed by two officers when its time is over: it is
// opened and counted at once, since the server is the only trustee, and whoever
// has a bundle can check it, the sealed papers among it.
func TestSealedBallotOfTheDemo(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	ch, clock, err := chamber.OpenDemo(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: filepath.Join(dir, "box")})
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	s := contest.New(ch)
	if err := demo.Found(ctx, ch, clock, s, registry.New(ch), demo.Options{Members: 400}); err != nil {
		t.Fatal(err)
	}
	people, err := demo.Find(ctx, ch)
	if err != nil {
		t.Fatal(err)
	}
	var ref string
	var closes int64
	if err := ch.Read(ctx, func(w *chamber.World) error {
		all, err := w.States()
		for _, st := range all {
			if b := st.OpenBallot(); b != nil && b.Sealed() {
				ref, closes = st.Ref, b.Closes
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if left := time.UnixMilli(closes).Sub(clock.Now()); left < 7*24*time.Hour || left > 20*24*time.Hour {
		t.Errorf("a visitor has %v to vote", left)
	}
	if err := ch.MoveTo(ctx, clock, time.UnixMilli(closes).Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	var st *proceeding.State
	for _, p := range []register.PersonID{people.Returning, people.Second} {
		if st, err = s.Close(ctx, ref, proceeding.Actor{Person: p}); err != nil {
			t.Fatal(err)
		}
	}
	b := st.Ballots[len(st.Ballots)-1]
	if st.Outcome != "elected" || len(st.Elected) != 2 || b.Seal == nil || !b.Seal.Opened || b.Returned[0].Papers < 50 {
		t.Errorf("the sealed ballot: %s, %v, %+v", st.Outcome, st.Elected, b.Returned)
	}
	bundletest.Holds(t, ctx, ch)
}

// No public entry lets a reader single out a member, but for those who act
// publicly: accepted candidates and office-holders. What is not public shows
// that it is there, and nothing else.
func TestPublicEntriesNameNobody(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	ch, clock, err := chamber.OpenDemo(ctx, chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: filepath.Join(dir, "box")})
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	if err := demo.Found(ctx, ch, clock, contest.New(ch), registry.New(ch), demo.Options{Members: 400}); err != nil {
		t.Fatal(err)
	}
	hidden := regexp.MustCompile(`^\{"access":"(members|officers|scrutineers)","seq":\d+,"v":1\}$`)
	mayIdentify := regexp.MustCompile(`"p\d+"|"id":\d+,"name"|R\d{7}|member\d+@riverside\.example`)
	people := map[string]string{} // what would identify somebody: whom
	acting := map[int64]bool{}
	var public []minutes.Minute
	err = ch.Read(ctx, func(w *chamber.World) error {
		last, err := w.Tx().LastPerson()
		if err != nil {
			return err
		}
		err = w.Tx().Minutes(1, func(m minutes.Minute) error {
			if m.Access != minutes.Public {
				h, err := m.Header()
				if err != nil || !hidden.Match(h) {
					t.Errorf("the header of entry %d says %s: %v", m.Seq, h, err)
				}
				return nil
			}
			public = append(public, m)
			for _, id := range actors(m) {
				acting[id] = true
			}
			return nil
		})
		for id := int64(1); id <= last; id++ {
			p, err := w.ParticularsOf(register.PersonID(id))
			if err != nil {
				return err
			}
			people[p.Email] = fmt.Sprint("the address of ", id)
			if !acting[id] {
				people[fmt.Sprintf(`"p%d"`, id)] = fmt.Sprint("person ", id)
				people[fmt.Sprintf(`"id":%d,"name"`, id)] = fmt.Sprint("person ", id)
			}
			row, err := w.Tx().Person(id)
			if err != nil {
				return err
			}
			people[row.External] = fmt.Sprint("the number of ", id)
		}
		return err
	})
	if err != nil || len(public) < 50 {
		t.Fatalf("%d public entries: %v", len(public), err)
	}
	for _, m := range public {
		if m.Kind == chamber.KindRulebook {
			continue
		}
		for _, word := range mayIdentify.FindAllString(string(m.Body), -1) {
			if who, ok := people[word]; ok {
				t.Errorf("public entry %d (%s) holds %s, %s", m.Seq, m.Kind, word, who)
			}
		}
	}
}

// actors are those whom a public entry names as acting publicly.
func actors(m minutes.Minute) []int64 {
	var b struct {
		Term      register.TermOfOffice
		Candidate proceeding.Person
	}
	if json.Unmarshal(m.Body, &b) != nil {
		return nil
	}
	switch m.Kind {
	case register.KindFilled:
		return []int64{int64(b.Term.Person)}
	case proceeding.KindAccepted:
		return []int64{int64(b.Candidate.ID)}
	}
	return nil
}
