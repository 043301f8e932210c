package web

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/keygen"
)

// TrusteesView is the officers' page on who holds the keys of sealed ballots.
type TrusteesView struct {
	Now      *proceeding.TrusteesBody // nobody: the server alone
	At       string
	Rows     []NamedTrustee
	Asked    *proceeding.TrusteesBody // to be confirmed
	AskedBy  []NamedTrustee
	Lines    string
	Mixers   string
	Operator string
	Name     string
	Key      string
	Wrong    string
	Warnings []string
	T        int
}

// NamedTrustee is a trustee with the fingerprint that is read out.
type NamedTrustee struct {
	proceeding.Trustee
	Fingerprint string
	Mixes       int // 0: does not mix
}

// trustees shows who has been named.
func (v *visit) trustees() error {
	if err := v.needsOffice(); err != nil {
		return err
	}
	return v.trusteesPage(&TrusteesView{})
}

func (v *visit) trusteesPage(x *TrusteesView) error {
	now, err := v.s.Contests.Trustees(v.r.Context())
	if err != nil {
		return err
	}
	if len(now.Trustees) > 0 || now.Registrar.Key != "" {
		x.Now, x.At = now, moment(v.Book, now.At)
		if x.Rows, err = namedRows(now); err != nil {
			return err
		}
	}
	return v.page("sealed_trustees.html", "Trustees", x)
}

func namedRows(t *proceeding.TrusteesBody) ([]NamedTrustee, error) {
	var out []NamedTrustee
	for _, y := range t.Trustees {
		sign, seal, err := elements(y.Sign, y.Seal)
		if err != nil {
			return nil, err
		}
		out = append(out, NamedTrustee{y, keygen.Fingerprint(sign, seal), 1 + slices.Index(t.Mixers, y.Name)})
	}
	return out, nil
}

// elements reads a trustee's two keys.
func elements(sign, seal string) (a, b [32]byte, err error) {
	x, err1 := hex.DecodeString(sign)
	y, err2 := hex.DecodeString(seal)
	if err1 != nil || err2 != nil || len(x) != 32 || len(y) != 32 {
		return a, b, fault.New(fault.Invalid, "A trustee’s keys have 64 letters and digits each, from 0 to 9 and a to f. Take the whole line that the trustee’s program printed.")
	}
	return [32]byte(x), [32]byte(y), nil
}

// nameTrustees reads the form. First it shows the fingerprints, to be compared
// by telephone; only when they have been compared it names anybody.
func (v *visit) nameTrustees() error {
	if err := v.needsOffice(); err != nil {
		return err
	}
	if v.r.PostFormValue("alone") != "" {
		if v.r.PostFormValue("sure") == "" {
			return fault.New(fault.Invalid, "Tick the box: then this server alone can open sealed ballots.")
		}
		if err := v.s.Contests.NameTrustees(v.r.Context(), v.actor(), proceeding.TrusteesBody{}); err != nil {
			return err
		}
		return v.done("/office/trustees", "From the next ballot on this server holds the key alone.")
	}
	x := &TrusteesView{Lines: v.r.PostFormValue("lines"), Mixers: v.r.PostFormValue("mixers"), Operator: strings.TrimSpace(v.r.PostFormValue("operator")),
		Name: strings.TrimSpace(v.r.PostFormValue("registrar")), Key: strings.ToLower(strings.TrimSpace(v.r.PostFormValue("registrar_key")))}
	x.T, _ = strconv.Atoi(v.r.PostFormValue("t"))
	t, err := x.read()
	if err == nil && v.r.PostFormValue("sure") != "" {
		if err = v.s.Contests.NameTrustees(v.r.Context(), v.actor(), *t); err == nil {
			return v.done("/office/trustees", "Named. They hold the keys of the sealed ballots whose paper is fixed from now on.")
		}
	}
	if f := fault.Of(err); err != nil {
		if f == nil || f.Kind != fault.Invalid {
			return err
		}
		x.Wrong = sentence(f.Message)
		return v.trusteesPage(x)
	}
	if x.AskedBy, err = namedRows(t); err != nil {
		return err
	}
	x.Asked, x.Warnings = t, warnings(t)
	return v.trusteesPage(x)
}

// read makes trustees of what was filled in.
func (x *TrusteesView) read() (*proceeding.TrusteesBody, error) {
	t := &proceeding.TrusteesBody{Threshold: x.T, Registrar: proceeding.Registrar{Name: x.Name, Key: x.Key}}
	for line := range strings.Lines(x.Lines) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if err := readLine(t, line); err != nil {
			return nil, err
		}
	}
	if len(t.Trustees) == 0 {
		return nil, fault.New(fault.Invalid, "Paste a line for each trustee, as omov trustee new printed it.")
	}
	if t.Registrar.Key != "" && !element(t.Registrar.Key) {
		return nil, fault.New(fault.Invalid, "The registrar’s key has 64 letters and digits, from 0 to 9 and a to f. Take it as the registrar’s program printed it.")
	}
	if (t.Registrar.Key == "") != (t.Registrar.Name == "") {
		return nil, fault.New(fault.Invalid, "A registrar has a name and a key. Leave both empty if this server is to make the voting codes.")
	}
	known := func(name string) int {
		return slices.IndexFunc(t.Trustees, func(y proceeding.Trustee) bool { return y.Name == name })
	}
	for name := range strings.SplitSeq(x.Mixers, ",") {
		if name = strings.TrimSpace(name); name != "" {
			t.Mixers = append(t.Mixers, name)
		}
	}
	if len(t.Mixers) == 0 { // the first three, as is usual
		for i := range min(3, len(t.Trustees)) {
			t.Mixers = append(t.Mixers, t.Trustees[i].Name)
		}
	}
	for _, name := range t.Mixers {
		if known(name) < 0 {
			return nil, fault.New(fault.Invalid, "%q shuffles, but is no trustee. Write the names as the lines have them, with commas between.", name)
		}
	}
	if x.Operator != "" {
		i := known(x.Operator)
		if i < 0 {
			return nil, fault.New(fault.Invalid, "%q runs this server, but is no trustee. Leave the field empty if no trustee does.", x.Operator)
		}
		t.Trustees[i].Operator = true
	}
	if n := len(t.Trustees); t.Threshold < 1 || t.Threshold > n || 2*t.Threshold <= n {
		return nil, fault.New(fault.Invalid, "Of %d trustees from %d to %d can be needed to open: more than half.", n, n/2+1, n)
	}
	return t, nil
}

// readLine reads a line that a trustee's or the registrar's program printed.
func readLine(t *proceeding.TrusteesBody, line string) error {
	parts := strings.Split(line, "|")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	if parts[0] == "registrar" && len(parts) >= 3 {
		t.Registrar = proceeding.Registrar{Name: parts[1], Key: parts[2]}
		return nil
	}
	if parts[0] != "trustee" || len(parts) != 5 {
		return fault.New(fault.Invalid, "This is not the line of a trustee: %.60q. It reads: trustee | name | key | key | fingerprint.", line)
	}
	sign, seal, err := elements(parts[2], parts[3])
	if err != nil {
		return err
	}
	if keygen.Fingerprint(sign, seal) != strings.Join(strings.Fields(parts[4]), " ") {
		return fault.New(fault.Invalid, "The line of %s has been changed on its way: its fingerprint is not that of its keys. Have it sent again.", parts[1])
	}
	if !element(parts[2]) || !element(parts[3]) {
		return fault.New(fault.Invalid, "The keys of %s are none. Have the line sent again.", parts[1])
	}
	t.Trustees = append(t.Trustees, proceeding.Trustee{Name: parts[1], Sign: parts[2], Seal: parts[3]})
	return nil
}

func element(text string) bool {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 32 {
		return false
	}
	var p ristretto.Point
	return ristretto.New().Decode(&p, b)
}

// warnings say what is lost by a choice.
func warnings(t *proceeding.TrusteesBody) []string {
	var out []string
	n := len(t.Trustees)
	if t.Threshold == 1 {
		out = append(out, "One trustee alone can open every paper, before the close too. Name more, unless you trust this one with everybody’s vote.")
	} else if t.Threshold == n {
		out = append(out, fmt.Sprintf("All %d are needed. If one of them loses their file or cannot be reached, nothing of the ballot can ever be opened.", n))
	}
	if len(t.Mixers) < 2 {
		out = append(out, "One mixer alone knows whose paper is whose.")
	}
	if slices.ContainsFunc(t.Trustees, func(y proceeding.Trustee) bool { return y.Operator }) {
		out = append(out, "A trustee also runs this server. What the trustees are for is that no single person can open papers: it takes the others to be independent of them.")
	}
	if t.Registrar.Key == "" {
		out = append(out, "This server makes the voting codes. It then knows whose code is whose, and could vote for those who do not vote.")
	} else if i := slices.IndexFunc(t.Trustees, func(y proceeding.Trustee) bool { return y.Name == t.Registrar.Name }); i >= 0 {
		out = append(out, "The registrar is a trustee too. They know whose code is whose; better another person.")
	}
	return out
}
