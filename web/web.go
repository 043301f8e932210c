// Package web is the pages: for members, officers and the public. It turns
// requests into use cases, and what they answer into pages a person who is not
// a programmer can read; kinds of refusal become statuses here.
//
// It holds no rule, no SQL and no state but the session cookie. A GET never
// changes anything: mail scanners open links. Every form carries a token that
// is bound to the session. Pages work without JavaScript; the little there is
// makes ranking easier. The content security policy allows nothing but this
// server's own style and script.
package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/login"
	"github.com/omov/omov/mail"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/rulebook"
)

// The pages' templates, style and script are compiled in; embedding needs a
// variable, and nothing can change it.
//
//go:embed templates static
var files embed.FS

// Options are what the pages work with.
type Options struct {
	Chamber  *chamber.Chamber
	Clock    *chamber.DemoClock // nil but in a demo
	Contests *contest.Contests
	Registry *registry.Registry
	Logins   *login.Logins
	Post     *mail.Post
	Log      *slog.Logger
	Base     string
	Wake     func() // lets duties look at once
}

// Site is the pages of one organisation.
type Site struct {
	Options
	pages *template.Template
	key   [32]byte
	mux   *http.ServeMux
	cross *http.CrossOriginProtection
	heavy chan struct{} // one long piece of work for strangers at a time
}

// New makes the pages. It panics on a template that does not parse: that is a
// mistake at build time, and a test loads every page.
func New(o Options) *Site {
	s := &Site{Options: o, mux: http.NewServeMux(), cross: http.NewCrossOriginProtection(), heavy: make(chan struct{}, 1)}
	s.pages = template.Must(template.New("").Funcs(s.funcs()).ParseFS(files, "templates/*.html"))
	key, err := o.Chamber.DB.Keys().Secret(context.Background(), "forms")
	if err != nil {
		panic("web: no key for forms: " + err.Error())
	}
	s.key = key
	s.routes()
	return s
}

// ServeHTTP serves a request with the headers that every answer has.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	s.cross.Handler(s.mux).ServeHTTP(w, r)
}

// alone runs a long piece of work that anybody can ask for (a recount, a
// bundle) while no other is running, so that strangers cannot take the
// server's time from the voters.
func (v *visit) alone(fn func() error) error {
	wait := time.NewTimer(10 * time.Second)
	defer wait.Stop()
	select {
	case v.s.heavy <- struct{}{}:
		defer func() { <-v.s.heavy }()
		return fn()
	case <-wait.C:
		return fault.New(fault.Unavailable, "Others are having something long computed. Try again in a minute.")
	case <-v.r.Context().Done():
		return v.r.Context().Err()
	}
}

// visit is one request: who asks, and what every page shows.
type visit struct {
	s       *Site
	w       http.ResponseWriter
	r       *http.Request
	session login.Token
	Person  register.PersonID // 0: nobody has signed in
	Name    string
	Offices []Office
	Org     string
	Demo    bool
	Now     time.Time
	Book    *rulebook.Book
	Title   string
	Path    string
	Data    any
	Flash   string
}

// Office is an office that the visitor holds.
type Office struct {
	Name, Label string
	Unit        register.UnitID
	UnitName    string
}

const cookie = "omov"

// handle wraps a page: it finds out who asks, checks the form's token, and
// turns a refusal into a page.
func (s *Site) handle(pattern string, fn func(v *visit) error) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		v := &visit{s: s, w: w, r: r, Path: r.URL.Path}
		err := v.open()
		if ref := r.PathValue("ref"); err == nil && ref != "" {
			err = v.concerned(ref)
		}
		if err == nil && r.Method == http.MethodPost {
			err = v.checkForm()
		}
		if err == nil {
			err = fn(v)
		}
		if err != nil {
			v.refuse(err)
		}
	})
}

// open loads who asks and where.
func (v *visit) open() error {
	ctx := v.r.Context()
	if c, err := v.r.Cookie(cookie); err == nil {
		p, err := v.s.Logins.Who(ctx, login.Token(c.Value))
		switch {
		case err == nil:
			v.session, v.Person = login.Token(c.Value), p
		case !fault.Is(err, fault.SignIn):
			return err
		}
	}
	return v.s.Chamber.Read(ctx, func(w *chamber.World) error {
		org := w.Organisation()
		v.Org, v.Demo, v.Now, v.Book = org.Name, org.Demo, w.At(), w.Book()
		if v.Book == nil {
			return fault.New(fault.TooEarly, "This organisation has not been founded yet.")
		}
		v.Now = v.Now.In(v.Book.Zone)
		v.Offices = nil
		if v.Person == 0 {
			return nil
		}
		v.Name = w.NameOf(v.Person)
		for _, t := range w.Roster().Of(v.Person, w.At().Unix(), w.Seq()) {
			o := Office{Name: t.Office, Label: officeLabel(v.Book, t.Office), Unit: t.Unit}
			if u := w.Tree().Unit(t.Unit); u != nil {
				o.UnitName = u.Name
			}
			v.Offices = append(v.Offices, o)
		}
		return nil
	})
}

func officeLabel(b *rulebook.Book, name string) string {
	return strings.ReplaceAll(name, "_", " ")
}

// Token is the token of this visitor's forms.
func (v *visit) Token() string {
	m := hmac.New(sha256.New, v.s.key[:])
	m.Write([]byte("form\x00" + string(v.session)))
	return hex.EncodeToString(m.Sum(nil)[:16])
}

func (v *visit) checkForm() error {
	if err := v.r.ParseForm(); err != nil {
		if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
			return fault.New(fault.TooMuch, "What was sent is too long for a form. Nothing has been changed.")
		}
		return fault.New(fault.Invalid, "The form could not be read. Go back and send it again; nothing has been changed.")
	}
	if !hmac.Equal([]byte(v.r.PostFormValue("token")), []byte(v.Token())) {
		return fault.New(fault.SignIn, "This form was opened before you signed in, or by somebody else. Open the page again; nothing has been changed.")
	}
	return nil
}

// needs refuses who has not signed in.
func (v *visit) needs() error {
	if v.Person == 0 {
		return fault.New(fault.SignIn, "Sign in to see this page.")
	}
	return nil
}

// Holds tells whether the visitor holds an office.
func (v *visit) Holds(office string) bool {
	for _, o := range v.Offices {
		if o.Name == office {
			return true
		}
	}
	return false
}

// Officer tells whether the visitor runs ballots.
func (v *visit) Officer() bool {
	for _, o := range proceeding.Officers(v.Book) {
		if v.Holds(o) {
			return true
		}
	}
	return false
}

// Scrutineer tells whether the visitor may read full papers: the holder of
// the office of that name, or, where the rulebook has none, the officers.
func (v *visit) Scrutineer() bool {
	if v.Book.Office("scrutineer") != nil {
		return v.Holds("scrutineer")
	}
	return v.Officer()
}

// actor is the visitor as proceedings know them.
func (v *visit) actor() proceeding.Actor { return proceeding.Actor{Person: v.Person} }

// page shows a page.
func (v *visit) page(name, title string, data any) error {
	v.Title, v.Data = title, data
	if c, err := v.r.Cookie("said"); err == nil {
		v.Flash = unescape(c.Value)
		http.SetCookie(v.w, &http.Cookie{Name: "said", Path: "/", MaxAge: -1})
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := v.s.pages.ExecuteTemplate(v.w, name, v); err != nil {
		v.s.Log.Error("a page could not be shown", "page", name, "error", err)
	}
	return nil
}

// done goes on to another page after a change, with a sentence on what
// happened.
func (v *visit) done(to, said string) error {
	if said != "" {
		http.SetCookie(v.w, &http.Cookie{Name: "said", Value: escape(said), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: 60})
	}
	v.s.Wake()
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

func escape(s string) string { return hex.EncodeToString([]byte(s)) }

func unescape(s string) string {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) > 500 {
		return ""
	}
	return string(b)
}

// status is what a kind of refusal is over HTTP.
func status(k fault.Kind) int {
	switch k {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.SignIn:
		return http.StatusUnauthorized
	case fault.NotEntitled:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.TooEarly, fault.TooLate, fault.Already, fault.Conflict:
		return http.StatusConflict
	case fault.TooMuch:
		return http.StatusRequestEntityTooLarge
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// Refusal is what the page of a refusal shows.
type Refusal struct {
	Message, Clause, ClauseText, Fact, Source, Remedy string
	SignIn, Done                                      bool
	Back                                              string
}

// refuse shows a refusal with its clause, what decided, and what to do.
func (v *visit) refuse(err error) {
	k := fault.KindOf(err)
	x := Refusal{Message: "Something went wrong on the server. Nothing has been changed; try again in a moment.", SignIn: k == fault.SignIn, Done: k == fault.Already}
	if f := fault.Of(err); f != nil && k != fault.Internal && k != fault.Damaged {
		x.Message, x.Clause, x.Fact, x.Source, x.Remedy = sentence(f.Message), f.Clause, f.Fact, f.Source, f.Remedy
		if v.Book != nil {
			x.ClauseText, _ = v.Book.Clause(f.Clause)
		}
	} else {
		v.s.Log.Error("a request failed", "path", v.r.URL.Path, "error", err)
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status(k))
	v.Title, v.Data = "Not possible", x
	if err := v.s.pages.ExecuteTemplate(v.w, "refusal.html", v); err != nil {
		v.s.Log.Error("a refusal could not be shown", "error", err)
	}
}

// sentence makes a sentence of a message.
func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}
