package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/demo"
	"github.com/omov/omov/duty"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/login"
	"github.com/omov/omov/mail"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/store"
	"github.com/omov/omov/web"
)

// Where says which organisation a command works on.
type Where struct {
	DB   string `help:"The database: sqlite:FILE or postgres://…" default:"sqlite:omov.db" env:"OMOV_DB"`
	Keys string `help:"Folder for the keys of open ballot boxes; apart from the database and its backups. Empty: beside the database." env:"OMOV_KEYS" placeholder:"DIR"`
	Log  string `help:"With PostgreSQL: file for the last signed checkpoint, outside the database." env:"OMOV_CHECKPOINT" placeholder:"FILE"`
}

func (w *Where) options() chamber.Options {
	keys := w.Keys
	if file, ok := strings.CutPrefix(w.DB, "sqlite:"); ok && keys == "" {
		keys = file + ".box"
	}
	if keys == "" {
		keys = "omov.box"
	}
	return chamber.Options{Store: store.Options{DSN: w.DB, Checkpoint: w.Log}, Keys: keys}
}

// open opens the organisation, as a demo where its book says that it is one.
func (w *Where) open(ctx context.Context) (*chamber.Chamber, *chamber.DemoClock, error) {
	o := w.options()
	ch, clock, err := chamber.OpenDemo(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	isDemo := false
	err = ch.Read(ctx, func(x *chamber.World) error { isDemo = x.Organisation().Demo; return nil })
	if err != nil || isDemo {
		return ch, clock, err
	}
	ch.Close()
	ch, err = chamber.Open(ctx, o)
	return ch, nil, err
}

// DemoCmd is `omov demo`.
type DemoCmd struct {
	Dir     string `help:"Folder of the demo." default:"omov-demo"`
	Addr    string `help:"Address to serve at." default:"localhost:8080"`
	Members int    `help:"How many members to found it with (300 to 1,000,000)." default:"5000"`
}

// Run founds the demo where there is none yet, and serves it.
func (c *DemoCmd) Run(ctx context.Context, s *Streams) error {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return fault.Wrap(fault.Invalid, err, "the folder %s cannot be made", c.Dir)
	}
	o := chamber.Options{Store: store.Options{DSN: "sqlite:" + filepath.Join(c.Dir, "book.db")}, Keys: filepath.Join(c.Dir, "box")}
	ch, clock, err := chamber.OpenDemo(ctx, o)
	if err != nil {
		return err
	}
	defer ch.Close()
	app := newApp(ch, clock, "http://"+c.Addr, nil, logger(s))
	head, err := seq(ctx, ch)
	if err != nil {
		return err
	}
	if head == 0 {
		fmt.Fprintf(s.Out, "Founding %s with %d members in %s …\n", demo.Name, c.Members, c.Dir)
		begun := time.Now()
		err := demo.Found(ctx, ch, clock, app.contests, app.registry, demo.Options{Members: c.Members, Progress: progress(s.Out)})
		if err != nil {
			return err
		}
		fmt.Fprintf(s.Out, "\rFounded in %.1f s.%s\n", time.Since(begun).Seconds(), strings.Repeat(" ", 50))
	}
	people, err := demo.Find(ctx, ch)
	if err != nil {
		return err
	}
	return app.serve(ctx, c.Addr, func() { app.printLinks(ctx, s.Out, people) })
}

// linkLife is how long a link made on the command line is good for.
const linkLife = time.Hour

func seq(ctx context.Context, ch *chamber.Chamber) (n int64, err error) {
	err = ch.Read(ctx, func(w *chamber.World) error { n = w.Seq(); return nil })
	return n, err
}

func progress(out io.Writer) func(string, int, int) {
	var last time.Time
	return func(what string, done, of int) {
		if time.Since(last) < 200*time.Millisecond {
			return
		}
		last = time.Now()
		if of > 1 {
			fmt.Fprintf(out, "\r%-60s", fmt.Sprintf("  %s: %d of %d", what, done, of))
			return
		}
		fmt.Fprintf(out, "\r%-60s", "  "+what)
	}
}

func logger(s *Streams) *slog.Logger { return slog.New(slog.NewTextHandler(s.Err, nil)) }

// app is what a server consists of, wired together.
type app struct {
	ch       *chamber.Chamber
	clock    *chamber.DemoClock
	contests *contest.Contests
	registry *registry.Registry
	logins   *login.Logins
	post     *mail.Post
	notices  *contest.Notices
	log      *slog.Logger
	base     string
	nudge    chan struct{}
}

func newApp(ch *chamber.Chamber, clock *chamber.DemoClock, base string, carrier mail.Carrier, log *slog.Logger) *app {
	a := &app{ch: ch, clock: clock, contests: contest.New(ch), registry: registry.New(ch), log: log, base: base, nudge: make(chan struct{}, 1)}
	dir := registry.Directory{Chamber: ch}
	a.post = mail.New(ch.DB, dir, carrier, ch.Now)
	a.logins = login.New(ch.DB, base, dir, registry.LinkPost{Post: a.post, Chamber: ch})
	a.notices = contest.NewNotices(a.contests, a.post, base)
	ch.OnMinute(func(minutes.Minute) { a.wake() })
	return a
}

// wake lets the duties look at once.
func (a *app) wake() {
	select {
	case a.nudge <- struct{}{}:
	default:
	}
}

// serve serves until ctx ends.
func (a *app) serve(ctx context.Context, addr string, ready func()) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the address %s cannot be served at; another program may use it: --addr", addr)
	}
	if err := a.contests.Recover(ctx); err != nil {
		a.log.Error("a ballot that was being closed could not be gone on with", "error", err)
	}
	handler := web.New(web.Options{Chamber: a.ch, Clock: a.clock, Contests: a.contests, Registry: a.registry, Logins: a.logins, Post: a.post, Log: a.log, Base: a.base, Wake: a.wake})
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
	duties, stop := context.WithCancel(ctx)
	defer stop()
	go duty.Run(duties, a.log, a.nudge, duty.Duty{Name: "deadlines", Waker: a.contests, Every: time.Second},
		duty.Duty{Name: "notices", Waker: a.notices, Every: 5 * time.Second}, duty.Duty{Name: "mail", Waker: a.post, Every: 5 * time.Second})
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		srv.Shutdown(end)
	}()
	if ready != nil {
		ready()
	}
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// printLinks prints the address and a sign-in link for each part there is to
// play. They are good for a week.
func (a *app) printLinks(ctx context.Context, out io.Writer, p demo.People) {
	fmt.Fprintf(out, "\n%s is at %s\n\nSign in as\n", demo.Name, a.base)
	for _, x := range demo.Parts(p) {
		link, err := a.logins.Link(ctx, x.Person, 7*24*time.Hour)
		if err != nil {
			a.log.Error("no sign-in link could be made", "error", err)
			return
		}
		fmt.Fprintf(out, "  %-20s %s\n", x.Part, link)
	}
	fmt.Fprintf(out, "\nEnd with Ctrl-C; started again, it goes on with its data.\n")
}

// ServeCmd is `omov serve`.
type ServeCmd struct {
	Where
	Addr     string `help:"Address to serve at." default:"localhost:8080"`
	Base     string `help:"Address under which people reach the server, for links in mail." placeholder:"URL"`
	SMTP     string `help:"Mail server, host:port. Without one, mail stays in the outbox." env:"OMOV_SMTP" placeholder:"HOST:PORT"`
	SMTPUser string `help:"User at the mail server." env:"OMOV_SMTP_USER"`
	SMTPPass string `help:"Password at the mail server." env:"OMOV_SMTP_PASSWORD"`
	SMTPTLS  bool   `help:"Refuse a mail server without TLS." default:"true" negatable:""`
	From     string `help:"Sender of mail." placeholder:"ADDRESS"`
}

// Run serves an organisation that has been founded.
func (c *ServeCmd) Run(ctx context.Context, s *Streams) error {
	ch, clock, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer ch.Close()
	if n, err := seq(ctx, ch); err != nil || n == 0 {
		if err == nil {
			err = fault.New(fault.NotFound, "the database %s holds no organisation; found one first: omov new --rulebook FILE --db %s", c.DB, c.DB)
		}
		return err
	}
	var carrier mail.Carrier
	if c.SMTP != "" {
		if carrier, err = c.carrier(); err != nil {
			return err
		}
	}
	base := c.Base
	if base == "" {
		base = "http://" + c.Addr
	}
	a := newApp(ch, clock, strings.TrimRight(base, "/"), carrier, logger(s))
	return a.serve(ctx, c.Addr, func() { fmt.Fprintf(s.Out, "Serving at %s\n", base) })
}

func (c *ServeCmd) carrier() (mail.Carrier, error) {
	host, port, err := net.SplitHostPort(c.SMTP)
	if err != nil || c.From == "" {
		return nil, fault.New(fault.Invalid, "mail needs --smtp HOST:PORT and --from ADDRESS")
	}
	n, err := net.LookupPort("tcp", port)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%q is not a port", port)
	}
	return &mail.SMTP{Host: host, Port: n, User: c.SMTPUser, Password: c.SMTPPass, From: c.From, TLS: c.SMTPTLS}, nil
}
