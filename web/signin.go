package web

import (
	"html/template"
	"net/http"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/login"
)

// Field is the hidden field that every form carries.
func (v *visit) Field() template.HTML {
	return template.HTML(`<input type="hidden" name="token" value="` + v.Token() + `">`)
}

func (s *Site) signinRoutes() {
	s.handle("GET /signin", func(v *visit) error { return v.page("signin.html", "Sign in", nil) })
	s.handle("POST /signin", (*visit).requestLink)
	s.handle("GET /enter/{link}", (*visit).lookAtLink)
	s.handle("POST /enter", (*visit).enter)
	s.handle("POST /signout", (*visit).leave)
}

// requestLink answers the same whoever asks.
func (v *visit) requestLink() error {
	if err := v.s.Logins.Request(v.r.Context(), v.r.PostFormValue("email")); err != nil {
		return err
	}
	return v.done("/signin", "If that address is known here, a message with a link is on its way.")
}

// lookAtLink shows whom a link would sign in; it takes a press of a button to
// use it.
func (v *visit) lookAtLink() error {
	t := login.Token(v.r.PathValue("link"))
	p, err := v.s.Logins.Look(v.r.Context(), t)
	if err != nil {
		return err
	}
	name := ""
	if err := v.s.Chamber.Read(v.r.Context(), func(w *chamber.World) error { name = w.NameOf(p); return nil }); err != nil {
		return err
	}
	return v.page("enter.html", "Sign in", struct {
		Token login.Token
		Name  string
	}{t, name})
}

func (v *visit) enter() error {
	session, err := v.s.Logins.Enter(v.r.Context(), login.Token(v.r.PostFormValue("link")))
	if err != nil {
		return err
	}
	http.SetCookie(v.w, &http.Cookie{Name: cookie, Value: string(session), Path: "/", HttpOnly: true, Secure: v.secure(),
		SameSite: http.SameSiteLaxMode, MaxAge: int(login.SessionLife / time.Second)})
	return v.done("/", "")
}

func (v *visit) secure() bool { return len(v.s.Base) > 6 && v.s.Base[:6] == "https:" }

func (v *visit) leave() error {
	if err := v.needs(); err != nil && !fault.Is(err, fault.SignIn) {
		return err
	}
	if v.session != "" {
		if err := v.s.Logins.Leave(v.r.Context(), v.session); err != nil {
			return err
		}
	}
	http.SetCookie(v.w, &http.Cookie{Name: cookie, Path: "/", MaxAge: -1})
	return v.done("/", "You are signed out.")
}
