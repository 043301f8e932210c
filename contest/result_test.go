package contest_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/count"
	"github.com/omov/omov/count/ballotfile"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/rulebooks"
)

// From the downloaded papers, whole or cut to what the count looked at,
// counting anew gives the declared result; and a recount under a rulebook
// whose sections the papers cannot tell apart is refused.
func TestDownloadedPapersGiveTheResult(t *testing.T) {
	h := newHouse(t, "omov-2014", 20, 150)
	ref := h.voting()
	for i, p := range h.members {
		ranks := [][]int{{0, 1, 2}, {1, 0}, {1, 2, 0}, {2, 0, 1}, {2}, {0}, {2, 1}}[i%7]
		if err := h.cast(ref, p, ranks...); err != nil {
			t.Fatal(err)
		}
	}
	st := h.end(ref)
	b := &st.Ballots[0]
	var papers *contest.PapersBody
	if err := h.ch.Read(h.ctx, func(w *chamber.World) (err error) {
		papers, err = h.s.PapersOf(w, ref, b.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	declared := &count.Sheet{}
	if err := json.Unmarshal([]byte(b.Sheet), declared); err != nil {
		t.Fatal(err)
	}
	if len(declared.Stages) < 2 {
		t.Fatalf("the count has %d stages; the test wants a transfer", len(declared.Stages))
	}
	cut := contest.Cut(b, papers, declared)
	marks := func(p *contest.PapersBody) (n int) {
		for _, s := range p.Sections {
			for _, g := range s.Papers {
				n += len(g.Marks) * int(g.N)
			}
		}
		return n
	}
	if marks(cut) >= marks(papers) {
		t.Error("cutting took no preference away")
	}
	if !contest.Publishable(b) {
		t.Error("150 papers in one section can be published, cut")
	}
	for name, p := range map[string]*contest.PapersBody{"whole": papers, "cut": cut} {
		var blt bytes.Buffer
		if err := contest.WriteBLT(&blt, b, p, "", "The Test Party"); err != nil {
			t.Fatal(err)
		}
		f, err := ballotfile.Read(&blt, ballotfile.Options{})
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, blt.String())
		}
		again, err := count.Count("av", count.Contest{Candidates: f.Candidates, Seats: 1, Seed: proceeding.LotSeed(b)}, count.Pool(f.Papers))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(again.Elected, declared.Elected) || len(again.Stages) != len(declared.Stages) {
			t.Errorf("%s: %v in %d stages, declared %v in %d", name, again.Elected, len(again.Stages), declared.Elected, len(declared.Stages))
		}
		for i := range again.Stages {
			for _, c := range declared.Stages[i].Votes {
				if got := again.Stages[i].Votes.Of(c.Name); got != c.Votes {
					t.Errorf("%s, stage %d: %s has %s, declared %s", name, i+1, c.Name, got, c.Votes)
				}
			}
		}
	}
	for book, refused := range map[string]bool{"double-gate-2018": false, "mps-only-1976": true, "thirds-1993": true, "college-1981": true} {
		src, err := rulebooks.Read(book)
		if err != nil {
			t.Fatal(err)
		}
		other, err := rulebook.Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := contest.RecountUnder(other, "leadership", b, papers); (err != nil) != refused {
			t.Errorf("recount under %s: %v", book, err)
		}
	}
}
