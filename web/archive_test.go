package web_test

import (
	"encoding/json"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/omov/omov/archive"
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/count"
	"github.com/omov/omov/rulebooks"
	"github.com/omov/omov/store"
	"github.com/omov/omov/web"
)

// shelf is the pages of an organisation that has nothing yet: the archive
// needs nothing of it.
func shelf(t *testing.T) func(path string) (int, string) {
	t.Helper()
	dir := t.TempDir()
	ch, clock, err := chamber.OpenDemo(t.Context(), chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(dir, "book.db")}, Keys: filepath.Join(dir, "box")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ch.Close() })
	src, err := rulebooks.Read("omov-2014")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.Found(t.Context(), chamber.FoundedBody{Name: "The Empty Party", Demo: true}, src); err != nil {
		t.Fatal(err)
	}
	site := web.New(web.Options{Chamber: ch, Clock: clock, Contests: contest.New(ch), Log: slog.New(slog.DiscardHandler), Wake: func() {}})
	return func(path string) (int, string) {
		w := httptest.NewRecorder()
		site.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, html.UnescapeString(regexp.MustCompile(`\s+`).ReplaceAllString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(w.Body.String(), " "), " "))
	}
}

// Every published contest has a page that is marked as outside the register,
// with its winner, its source and what was printed wrong.
func TestArchivePages(t *testing.T) {
	get := shelf(t)
	_, list := get("/archive")
	all, err := archive.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		code, page := get("/archive/" + c.ID)
		if code != http.StatusOK || strings.Contains(page, "<no value>") {
			t.Errorf("%s: %d", c.ID, code)
		}
		want := append([]string{c.Title, c.Winner, "Outside this organisation’s register", "reconstructed to fit the published rounds"}, c.Source...)
		for _, w := range c.Wrong {
			want = append(want, w.Why)
		}
		for _, s := range c.Sections {
			want = append(want, s.Constructed)
		}
		for _, w := range want {
			if !strings.Contains(page, w) {
				t.Errorf("%s does not say %q", c.ID, w)
			}
		}
		if !strings.Contains(list, c.Title) || !strings.Contains(list, "Outside this organisation’s register") {
			t.Errorf("the list does not have %s", c.ID)
		}
	}
	if code, _ := get("/archive/1951-leader"); code != http.StatusNotFound {
		t.Errorf("a contest that is not there: %d", code)
	}
}

func TestArchiveRecounts(t *testing.T) {
	get := shelf(t)
	for path, want := range map[string][]string{
		"/archive/2010-leader?under=omov-2014":        {"unofficial", "175,519", "54.38%", "147,220"},
		"/archive/2010-leader":                        {"50.65%", "weight 1/3", "15,635", "62"},
		"/archive/2015-leader?under=double-gate-2021": {"Registered supporters have no vote under this rulebook; their papers are left out."},
		"/archive/2015-deputy?under=double-gate-2021": {"This cannot be counted.", "The published figures do not say who would have voted"},
		"/archive/1983-leader?under=mps-only-1976":    {"unofficial", "Nobody yet"},
		"/archive/1976-leader?under=omov-2014":        {"This cannot be counted.", "members of parliament"},
		"/archive/1976-leader?under=cooperative":      {"This cannot be counted."},
		"/archive/1976-leader?under=%3Cscript%3E":     {"This cannot be counted."},
		"/archive/2016-plp-vonc":                      {"Carried", "172", "79.63%"},
	} {
		code, page := get(path)
		for _, w := range want {
			if code != http.StatusOK || !strings.Contains(page, w) {
				t.Errorf("%s: %d, without %q", path, code, w)
			}
		}
	}
	_, body := get("/archive/2010-leader/count-sheet.json")
	s := count.Sheet{}
	if err := json.Unmarshal([]byte(body), &s); err != nil || len(s.Stages) != 4 {
		t.Errorf("the count sheet: %v, %d stages", err, len(s.Stages))
	}
}
