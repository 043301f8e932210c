package web

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/rulebook"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealing"
)

// The pages on which a paper is sealed, checked on a second device, and found
// again. What matters happens in the browser (web/voter); here is only what the
// script is given.

func (s *Site) sealedRoutes() {
	s.handle("GET /contests/{ref}/check", (*visit).sealedCheck)
	s.handle("GET /contests/{ref}/receipt", (*visit).sealedReceipt)
	s.handle("GET /contests/{ref}/trustees", (*visit).sealedState)
	s.handle("GET /contests/{ref}/trustees/roll.csv", (*visit).sealedRoll)
	s.handle("POST /contests/{ref}/trustees/prepare", (*visit).prepareSealed)
	s.handle("POST /contests/{ref}/trustees/anew", (*visit).beginAnew)
	s.handle("POST /contests/{ref}/trustees/phase", (*visit).endPhase)
	s.handle("POST /contests/{ref}/trustees/excuse", (*visit).excuseMixer)
	s.handle("GET /office/trustees", (*visit).trustees)
	s.handle("POST /office/trustees", (*visit).nameTrustees)
}

// integrity is what a browser holds a script against before it runs it.
func integrity(script string) (string, error) {
	b, err := files.ReadFile("static/" + script)
	if err != nil {
		return "", err
	}
	sum := sha512.Sum384(b)
	return "sha384-" + base64.StdEncoding.EncodeToString(sum[:]), nil
}

// mayFetch lets the script of this page, and of no other, ask this server.
func (v *visit) mayFetch() {
	h := v.w.Header()
	h.Set("Content-Security-Policy", h.Get("Content-Security-Policy")+"; connect-src 'self'")
}

// SealedGiven is what the voter's page is given. Code is there only where the
// server makes the voting codes.
type SealedGiven struct {
	sealing.Given
	Title     string             `json:"title"`
	Base      string             `json:"base"`
	Names     []string           `json:"names"`
	Abstain   bool               `json:"abstain"`
	Named     bool               `json:"named"` // the section has a name
	Registrar string             `json:"registrar,omitempty"`
	Quotas    []proceeding.Quota `json:"quotas,omitempty"`
	Log       string             `json:"log"` // the key that the log is signed with
}

// SealedPaper is the voter's page.
type SealedPaper struct {
	*PaperView
	Promise
	Data    string // SealedGiven as JSON
	Typed   bool   // the voter types a code
	More    bool   // the voter has other papers
	Answers []PaperOption
}

// Promise is what of a sealed ballot depends on who does what.
type Promise struct {
	Server    bool // the server is the only trustee
	Codes     bool // the server makes the voting codes
	Registrar string
	Operator  string // a trustee who runs the server too
	Trustees  []string
	Mixers    []string
	Threshold int
	Least     int // papers of a group with which it is opened
	Summed    bool
	Ranked    bool
}

func promiseOf(m *sealed.Manifest, seal *proceeding.Seal) Promise {
	p := Promise{Server: seal.Server, Codes: seal.Registrar, Registrar: m.Registrar.Name, Threshold: m.Threshold, Mixers: m.Mixers, Least: m.MinSize, Summed: m.Contests[0].Form == sealed.FormSum, Ranked: m.Contests[0].Form == "ranks"}
	for _, t := range m.Trustees {
		p.Trustees = append(p.Trustees, t.Name)
		if t.Operator {
			p.Operator = t.Name
		}
	}
	return p
}

// optionNames are what a ballot's options are called, in the manifest's order.
func optionNames(b *proceeding.Ballot) (names []string, abstain bool) {
	if b.Method != "" {
		return proceeding.OptionNames(b.Options), false
	}
	for _, c := range b.Choices {
		if c == proceeding.Abstain {
			abstain = true
		} else {
			names = append(names, upper(c))
		}
	}
	return names, abstain
}

// answers are the choices of a vote in the ballot's order. They are numbered as
// the manifest does; abstaining, the blank paper, is -1.
func answers(b *proceeding.Ballot) []PaperOption {
	var out []PaperOption
	n := 0
	for _, c := range b.Choices {
		o := PaperOption{N: n, Name: upper(c)}
		if c == proceeding.Abstain {
			o.N = -1
		} else {
			n++
		}
		out = append(out, o)
	}
	return out
}

// sealPaper shows the page on which a paper is sealed.
func (v *visit) sealPaper(x *PaperView, b *proceeding.Ballot) error {
	given, err := v.s.Contests.SealedSeat(v.r.Context(), x.Ref, v.Person, x.Unit, x.Section)
	if err != nil {
		return err
	}
	m, err := sealed.DecodeManifest([]byte(given.Manifest))
	if err != nil {
		return err
	}
	out := &SealedPaper{PaperView: x, Promise: promiseOf(m, b.Seal), Typed: given.Code == ""}
	g := SealedGiven{Given: *given, Title: x.Title, Base: v.base(), Named: x.Section != "", Log: v.s.Chamber.DB.VerifierKey()}
	g.Names, g.Abstain = optionNames(b)
	if out.Typed {
		g.Registrar = m.Registrar.Name
	}
	for _, q := range b.Quotas {
		if q.On == proceeding.OnPaper {
			g.Quotas = append(g.Quotas, q)
		}
	}
	for i := range x.Options {
		x.Options[i].Name = g.Names[i]
	}
	out.Answers = answers(b)
	n := 0
	for i := range x.Standings {
		if x.Standings[i].Entitled {
			n++
		}
	}
	out.More = n > 1
	data, err := json.Marshal(g)
	if err != nil {
		return err
	}
	out.Data = string(data)
	v.mayFetch()
	return v.page("sealed_paper.html", "Ballot paper", out)
}

// lastSealed is a run's newest sealed ballot that has opened.
func lastSealed(st *proceeding.State) (*proceeding.Ballot, error) {
	for i := len(st.Ballots) - 1; i >= 0; i-- {
		if st.Ballots[i].Sealed() {
			return &st.Ballots[i], nil
		}
	}
	return nil, fault.New(fault.NotFound, "No sealed ballot of %s has opened.", st.Ref)
}

// sealedRun tells whether a run has, or will have, a sealed ballot.
func sealedRun(book *rulebook.Book, st *proceeding.State, w *chamber.World) (has, coming bool, err error) {
	if _, none := lastSealed(st); none == nil {
		has = true
	}
	if st.OpenBallot() != nil || !st.Live() {
		return has, false, nil
	}
	draft, err := proceeding.Draft(book, st, w, w.At().UnixMilli())
	return has, draft != nil, err
}

// SealedCheck is the page on which a second device opens a paper.
type SealedCheck struct {
	Ref, Title, Question, Data string
}

// sealedCheck shows it. It is given everything, so that it need not ask, and it
// may not: the policy of this page lets nothing be sent.
func (v *visit) sealedCheck() error {
	st, book, err := v.state(v.r.PathValue("ref"))
	if err != nil {
		return err
	}
	b, err := lastSealed(st)
	if err != nil {
		return err
	}
	names, abstain := optionNames(b)
	data, err := json.Marshal(map[string]any{"manifest": b.Seal.Manifest, "key": b.Seal.Key, "names": names, "abstain": abstain})
	if err != nil {
		return err
	}
	return v.page("sealed_check.html", "Check a paper", &SealedCheck{Ref: st.Ref, Title: contest.Title(book, st), Question: b.Question, Data: string(data)})
}

// SealedFind is the page on which a paper is found in the record.
type SealedFind struct {
	Ref, Title, Data, Code, Wrong string
	Found                         *sealing.Found
	By                            string // the short code of the paper that replaced it
}

// sealedReceipt finds a paper. With the script it is the reader's own device
// that checks; without it the server's word stands alone, and the page says so.
func (v *visit) sealedReceipt() error {
	st, book, err := v.state(v.r.PathValue("ref"))
	if err != nil {
		return err
	}
	if _, err := lastSealed(st); err != nil {
		return err
	}
	data, err := json.Marshal(map[string]string{"base": v.base(), "log": v.s.Chamber.DB.VerifierKey()})
	if err != nil {
		return err
	}
	x := &SealedFind{Ref: st.Ref, Title: contest.Title(book, st), Data: string(data), Code: v.r.URL.Query().Get("code")}
	if x.Code != "" {
		if err := v.findPaper(x); err != nil {
			return err
		}
	}
	v.mayFetch()
	return v.page("sealed_receipt.html", "Is my paper in the record?", x)
}

func (v *visit) findPaper(x *SealedFind) error {
	begin, err := hex.DecodeString(strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(x.Code)))
	if err != nil || len(begin) != sealing.ShortCode && len(begin) != 32 {
		x.Wrong = "A short code has five groups of four, a whole one 64 letters and digits, from 0 to 9 and a to f. Look at it again."
		return nil
	}
	x.Found, err = v.s.Contests.SealedPaperLike(v.r.Context(), x.Ref, begin)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Conflict) {
		x.Found, x.Wrong = nil, sentence(fault.Of(err).Message)+" Look at the code again. If it is right, and you were told that your vote was recorded, show your receipt to the returning officer and the scrutineers."
		return nil
	}
	if err == nil && x.Found.ReplacedBy != "" {
		x.By = shortCode(x.Found.ReplacedBy)
	}
	return err
}

// shortCode is how a receipt writes the beginning of a paper's hash.
func shortCode(hash string) string {
	var out []string
	for i := 0; i+4 <= 2*sealing.ShortCode && i+4 <= len(hash); i += 4 {
		out = append(out, hash[i:i+4])
	}
	return strings.Join(out, "-")
}
