package web

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/store"
)

func (s *Site) routes() {
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic("web: " + err.Error())
	}
	serve := http.StripPrefix("/static/", http.FileServerFS(static))
	s.mux.HandleFunc("GET /static/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=300")
		serve.ServeHTTP(w, r)
	})
	s.homeRoutes()
	s.signinRoutes()
	s.contestRoutes()
	s.voteRoutes()
	s.sealedRoutes()
	s.officeRoutes()
	s.beginRoutes()
	s.actRoutes()
	s.handle("GET /decisions", (*visit).decisions)
	s.archiveRoutes()
	s.handle("GET /rulebook", (*visit).rulebook)
	s.handle("GET /rulebook/me", (*visit).applies)
	s.handle("GET /rulebook/{hash}", (*visit).rulebook)
	s.handle("GET /rulebook/{hash}/source", (*visit).rulebookSource)
	s.handle("GET /minutes", (*visit).minutes)
	s.handle("GET /minutes/{seq}", (*visit).minute)
	s.handle("GET /verify", func(v *visit) error { return v.page("verify.html", "Check it yourself", v.s.Chamber.DB.VerifierKey()) })
	s.logRoutes()
	s.postboxRoutes()
	s.handle("/", func(v *visit) error { return fault.New(fault.NotFound, "There is no page here.") })
}

// RulebookView is a rulebook as it is published.
type RulebookView struct {
	Book     *rulebook.Book
	Text     *rulebook.Explanation
	Versions []Version
	Current  bool
}

// Version is one version of the rulebook.
type Version struct{ Hash, Title, Edition, Since string }

func (v *visit) rulebook() error {
	x := &RulebookView{}
	err := v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		var err error
		x.Book = w.Book()
		if h := v.r.PathValue("hash"); h != "" {
			if x.Book, err = v.s.Chamber.Book(w.Tx(), h); err != nil {
				return err
			}
		}
		x.Current = x.Book.Hash == w.Book().Hash
		rows, err := w.Tx().Rulebooks()
		x.Versions = nil
		for _, r := range rows {
			x.Versions = append(x.Versions, Version{r.Hash, r.Title, dayWords(r.Edition), r.InForceAt.In(w.Book().Zone).Format("2 January 2006")})
		}
		return err
	})
	if err != nil {
		return err
	}
	x.Text = x.Book.Explain()
	return v.page("rulebook.html", "Rulebook", x)
}

func (v *visit) rulebookSource() error {
	var src []byte
	err := v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		b, err := v.s.Chamber.Book(w.Tx(), v.r.PathValue("hash"))
		if err == nil {
			src = b.Source
		}
		return err
	})
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	v.w.Header().Set("Content-Disposition", `attachment; filename="rulebook.yaml"`)
	_, err = v.w.Write(src)
	return err
}

// MinuteRow is one entry of the minute book.
type MinuteRow struct {
	Seq                               int64
	At, What, Kind, Office, Ref, Cite string
	Access                            string
	Public                            bool
	Last                              int64 // of entries in a row that are not public: the oldest; else Seq
}

// MinutesView is a page of the minute book.
type MinutesView struct {
	Rows  []MinuteRow
	Older int64
	Size  int64
	Root  string
	Ref   string
}

const minutesPage = 100

func (v *visit) minutes() error {
	q := v.r.URL.Query()
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64)
	x := &MinutesView{Ref: q.Get("contest")}
	err := v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		head, err := w.Tx().Head()
		if err != nil {
			return err
		}
		x.Size, x.Root = head.Seq, fmt.Sprintf("%x", head.Root[:])
		query := store.Query{Before: before, Proceeding: x.Ref, Bodies: true, Limit: minutesPage}
		if x.Ref != "" {
			query.Access = []minutes.Access{minutes.Public} // else the contest of a hidden entry would be public
		}
		page, err := w.Tx().Page(query)
		x.Rows = nil
		for i := range page {
			r := v.minuteRow(&page[i])
			if n := len(x.Rows); n > 0 && !r.Public && !x.Rows[n-1].Public {
				x.Rows[n-1].Last = r.Seq
				continue
			}
			x.Rows = append(x.Rows, r)
		}
		if len(page) == minutesPage {
			x.Older = page[len(page)-1].Seq
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.page("minutes.html", "Minute book", x)
}

// minuteRow is what the visitor may see of an entry: of one that is not
// public, that it is there.
func (v *visit) minuteRow(m *minutes.Minute) MinuteRow {
	if m.Access != minutes.Public {
		return MinuteRow{Seq: m.Seq, Last: m.Seq, Access: string(m.Access)}
	}
	return MinuteRow{Seq: m.Seq, Last: m.Seq, Public: true, At: m.At.In(v.Book.Zone).Format("2 Jan 2006, 15:04"), Kind: m.Kind, What: describe(m), Office: spaced(m.Office), Ref: m.Proceeding, Cite: m.Clause}
}

// MinuteView is one entry.
type MinuteView struct {
	MinuteRow
	Header, Body, Salt, Leaf string
	Hidden                   bool
}

func (v *visit) minute() error {
	n, err := strconv.ParseInt(v.r.PathValue("seq"), 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "Entries of the minute book have numbers.")
	}
	x := &MinuteView{}
	err = v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		m, err := w.Tx().Minute(n)
		if err != nil {
			return err
		}
		h, err := m.Header()
		if err != nil {
			return err
		}
		leaf, err := m.Leaf()
		x.MinuteRow = v.minuteRow(&m)
		x.Header, x.Leaf, x.Hidden = string(h), fmt.Sprintf("%x", leaf[len(leaf)-32:]), m.Access != minutes.Public
		if !x.Hidden {
			x.Salt, x.Body = fmt.Sprintf("%x", m.Salt[:]), indent(m.Body)
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.page("minute.html", fmt.Sprintf("Entry %d", n), x)
}

// maxShown is how much of a body a page shows.
const maxShown = 20_000

func indent(b []byte) string {
	if len(b) > maxShown {
		return string(b[:maxShown]) + " …"
	}
	var x any
	if json.Unmarshal(b, &x) != nil {
		return string(b)
	}
	out, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return string(b)
	}
	return string(out)
}

// MeView is what a person sees of themself.
type MeView struct {
	External, Email string
	Spans           []SpanRow
	Contests        []MyContest
}

// SpanRow is one thing the register says of the visitor.
type SpanRow struct{ What, Value, From, Until, KeptBy string }

// MyContest is how the visitor stands in a contest.
type MyContest struct {
	Ref, Title string
	Standings  []contest.Standing
}

func (v *visit) me() error {
	if err := v.needs(); err != nil {
		return err
	}
	x := &MeView{}
	var refs []MyContest
	err := v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error {
		p, err := w.ParticularsOf(v.Person)
		if err != nil {
			return err
		}
		x.Email = p.Email
		row, err := w.Tx().Person(int64(v.Person))
		if err != nil {
			return err
		}
		x.External = row.External
		x.Spans = spans(w, w.Record(v.Person))
		states, err := v.readable(w)
		refs = nil
		for _, st := range states {
			if st.Live() {
				b, err := v.s.Chamber.Book(w.Tx(), st.Book)
				if err != nil {
					return err
				}
				refs = append(refs, MyContest{Ref: st.Ref, Title: contest.Title(b, st)})
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, c := range refs {
		if c.Standings, err = v.s.Contests.Standings(v.r.Context(), c.Ref, v.Person); err == nil {
			x.Contests = append(x.Contests, c)
		}
	}
	return v.page("me.html", "My membership", x)
}

// spans shows what the register says of a person now.
func spans(w *chamber.World, rec *register.Record) []SpanRow {
	var out []SpanRow
	zone := w.Book().Zone
	for i := range rec.Spans {
		s := &rec.Spans[i]
		if s.Ended != 0 || int(s.Name) >= len(w.Words()) {
			continue
		}
		name := w.Words()[s.Name]
		r := SpanRow{What: spaced(name), From: dayText(s.From, zone)}
		if s.Until != register.Forever {
			r.Until = dayText(s.Until, zone)
		}
		switch s.Aspect {
		case register.Belongs:
			r.What = "belongs as " + r.What
			if u := w.Tree().Unit(s.Unit); u != nil {
				r.Value = u.Name
			}
		case register.Fact:
			f := w.Book().Fact(rulebook.OfPerson, name)
			if f == nil {
				continue
			}
			r.Value, r.KeptBy = factText(f, s.Value, w), spaced(f.KeptBy)
		case register.Sanction:
			r.What = "under " + r.What
		}
		out = append(out, r)
	}
	return out
}

func factText(f *rulebook.Fact, n int64, w *chamber.World) string {
	switch f.Is {
	case rulebook.FactFlag:
		if n != 0 {
			return "yes"
		}
		return "no"
	case rulebook.FactDate:
		return dayWords(rulebook.Day(n).String())
	case rulebook.FactWords:
		if int(n) < len(w.Words()) {
			return w.Words()[n]
		}
	}
	return fmt.Sprint(n)
}
