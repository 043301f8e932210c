package sealed

import (
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"slices"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealed/marks"
	"github.com/omov/omov/sealed/proof"
)

// Bounds on a manifest.
const (
	MaxContests = 64
	MaxSections = 1024
	MaxTrustees = 15
	MaxSlots    = 512
)

// Manifest is everything that is fixed before the first key is drawn. Its hash
// stands in every paper and every proof.
type Manifest struct {
	Version   int       `json:"v"`     // 1
	Group     string    `json:"group"` // "ristretto255": nothing else is defined
	Election  string    `json:"election"`
	Contests  []Contest `json:"contests"`
	Sections  []Section `json:"sections"`
	Threshold int       `json:"threshold"` // t: so many trustees open
	Trustees  []Trustee `json:"trustees"`
	Mixers    []string  `json:"mixers"` // names of trustees, in the order of mixing
	Registrar Registrar `json:"registrar"`
	MinSize   int       `json:"min_size"` // papers a mix group must have to be opened
}

// Contest is one question put to the voters.
type Contest struct {
	ID      string   `json:"id"`
	Options []string `json:"options"`
	Form    string   `json:"form"`  // "sum", or a kind of package marks
	Least   int      `json:"least"` // sum: at least so many marks, or blank
	Most    int      `json:"most"`  // sum, marks, ranks: at most so many; 0: no limit (not for sum)
	Top     int      `json:"top"`   // points: the most for one option
}

// FormSum is the form of papers that are added up without being opened.
const FormSum = "sum"

// Section is a part of the electorate that is counted apart.
type Section struct {
	ID      string  `json:"id"`
	Classes []Class `json:"classes"`
	// Units tells that its voters are units, branches say, whose votes are no
	// secret: it is opened however few papers it has.
	Units bool `json:"units,omitempty"`
}

// Enough tells whether a group of a section may be opened with so many papers.
func (m *Manifest) Enough(section string, papers int64) bool {
	for i := range m.Sections {
		if s := &m.Sections[i]; s.ID == section && s.Units {
			return true
		}
	}
	return papers >= int64(m.MinSize)
}

// Class is those of a section whose votes weigh the same.
type Class struct {
	ID     string `json:"id"`
	Weight string `json:"weight"` // a positive fraction in lowest terms
}

// Trustee is one of those who hold the key together. The keys are elements in
// hexadecimal, compared by their fingerprint out of band.
type Trustee struct {
	Name     string `json:"name"`
	Sign     string `json:"sign"`
	Seal     string `json:"seal"`
	Operator bool   `json:"operator"` // runs the server too
}

// Registrar makes the credentials.
type Registrar struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// DecodeManifest reads canonical JSON and checks it.
func DecodeManifest(b []byte) (*Manifest, error) {
	m := new(Manifest)
	if len(b) > 1<<20 {
		return nil, fault.New(fault.TooMuch, "a manifest has at most a megabyte")
	}
	if err := minutes.Decode(b, m); err != nil {
		return nil, err
	}
	return m, m.Check()
}

// Bytes gives the canonical JSON.
func (m *Manifest) Bytes() ([]byte, error) { return minutes.Canonical(m) }

// Hash is SHA-256 over "omov/sealed/manifest/1", a zero byte and the canonical
// JSON.
func (m *Manifest) Hash() ([32]byte, error) {
	b, err := m.Bytes()
	if err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(append([]byte("omov/sealed/manifest/1\x00"), b...)), nil
}

func bad(format string, args ...any) error { return fault.New(fault.Invalid, format, args...) }

// Check refuses a manifest by which no ballot can be held.
func (m *Manifest) Check() error {
	switch {
	case m.Version != 1:
		return bad("this manifest has version %d; this program knows version 1", m.Version)
	case m.Group != "ristretto255":
		return bad("the group of a sealed ballot is ristretto255, not %q", m.Group)
	case !identifier(m.Election):
		return bad("the election's reference has 1 to 64 letters, digits, dots, hyphens and underscores")
	case len(m.Contests) < 1 || len(m.Contests) > MaxContests:
		return bad("a manifest has 1 to %d contests", MaxContests)
	case len(m.Sections) < 1 || len(m.Sections) > MaxSections:
		return bad("a manifest has 1 to %d sections", MaxSections)
	case m.MinSize < 1:
		return bad("the least number of papers that may be opened is 1 or more")
	}
	for _, check := range []func() error{m.checkContests, m.checkSections, m.checkTrustees, m.checkMixers} {
		if err := check(); err != nil {
			return err
		}
	}
	if _, err := keyOf(m.Registrar.Key); err != nil {
		return bad("the credential registrar's key is not one")
	}
	return nil
}

// identifier tells whether s can stand in the name of a mix group.
func identifier(s string) bool {
	if len(s) < 1 || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

func (m *Manifest) checkContests() error {
	seen := map[string]bool{}
	for i := range m.Contests {
		c := &m.Contests[i]
		if !identifier(c.ID) || seen[c.ID] {
			return bad("contest %d has no reference of its own", i+1)
		}
		seen[c.ID] = true
		if err := c.check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Contest) check() error {
	names := slices.Clone(c.Options)
	slices.Sort(names)
	if len(slices.Compact(names)) != len(c.Options) || slices.Contains(c.Options, "") {
		return bad("contest %s has an option twice, or one without a name", c.ID)
	}
	if c.Form != FormSum {
		if c.Least != 0 {
			return bad("contest %s: only papers that are added up have a least number of marks", c.ID)
		}
		return c.marks().Check()
	}
	switch {
	case len(c.Options) < 1 || c.Top != 0:
		return bad("contest %s has no options, or points on papers that are added up", c.ID)
	case c.Least < 1 || c.Most < c.Least || c.Most > len(c.Options):
		return bad("contest %s: marks from %d to %d on %d options mean nothing", c.ID, c.Least, c.Most, len(c.Options))
	case c.Slots() > MaxSlots:
		return fault.New(fault.TooMuch, "contest %s would take %d ciphertexts a paper, more than %d", c.ID, c.Slots(), MaxSlots)
	}
	return nil
}

// marks is the form of a paper that is mixed.
func (c *Contest) marks() marks.Form {
	return marks.Form{Kind: marks.Kind(c.Form), Options: len(c.Options), Most: c.Most, Top: c.Top}
}

// Slots is how many ciphertexts a paper has. A paper that is added up has one
// for each option, Most-Least that stand for marks not made, and the blank.
func (c *Contest) Slots() int {
	if c.Form == FormSum {
		return len(c.Options) + c.Most - c.Least + 1
	}
	return c.marks().Elements()
}

// weights gives what each slot of a paper that is added up counts in the total
// that is proved, Most: 1 each, and Most for the blank.
func (c *Contest) weights() []uint64 {
	w := make([]uint64, c.Slots())
	for i := range w {
		w[i] = 1
	}
	w[len(w)-1] = uint64(c.Most)
	return w
}

func (m *Manifest) checkSections() error {
	seen := map[string]bool{}
	for _, s := range m.Sections {
		if !identifier(s.ID) || seen[s.ID] || len(s.Classes) < 1 || len(s.Classes) > 64 {
			return bad("section %q has no reference of its own, or not 1 to 64 weight classes", s.ID)
		}
		seen[s.ID] = true
		classes := map[string]bool{}
		for _, c := range s.Classes {
			w, ok := new(big.Rat).SetString(c.Weight)
			if !identifier(c.ID) || classes[c.ID] || len(c.Weight) > 40 || !ok || w.Sign() <= 0 || w.RatString() != c.Weight {
				return bad("weight class %q of section %s has no reference of its own, or its weight is not a positive fraction in lowest terms", c.ID, s.ID)
			}
			classes[c.ID] = true
		}
	}
	return nil
}

func (m *Manifest) checkTrustees() error {
	n, t := len(m.Trustees), m.Threshold
	if n < 1 || n > MaxTrustees || t < 1 || t > n || 2*t <= n {
		return bad("of %d trustees more than half and at most all open, not %d", n, t)
	}
	names, keys := map[string]bool{}, map[string]bool{}
	for _, tr := range m.Trustees {
		if tr.Name == "" || len(tr.Name) > 200 || names[tr.Name] {
			return bad("a trustee has no name, or a name that another has")
		}
		names[tr.Name] = true
		for _, k := range []string{tr.Sign, tr.Seal} {
			if _, err := keyOf(k); err != nil || keys[k] {
				return bad("a key of trustee %s is not one, or stands in the manifest twice", tr.Name)
			}
			keys[k] = true
		}
	}
	return nil
}

func (m *Manifest) checkMixers() error {
	mixed := slices.ContainsFunc(m.Contests, func(c Contest) bool { return c.Form != FormSum })
	operators := 0
	for i, name := range m.Mixers {
		at := slices.IndexFunc(m.Trustees, func(t Trustee) bool { return t.Name == name })
		if at < 0 || slices.Contains(m.Mixers[:i], name) {
			return bad("mixer %q is no trustee, or stands there twice", name)
		}
		if m.Trustees[at].Operator {
			operators++
		}
	}
	if operators > 1 {
		return bad("at most one mixer is run by the operator of the server")
	}
	if mixed && len(m.Mixers) < 2 && len(m.Trustees) > 1 {
		return bad("papers that are mixed need at least two mixers")
	}
	if mixed && len(m.Mixers) < 1 {
		return bad("papers that are mixed need a mixer")
	}
	return nil
}

// Warnings says, in sentences for the returning officer and the voters, what a
// manifest gives up.
func (m *Manifest) Warnings() []string {
	var w []string
	if m.Threshold == 1 {
		w = append(w, "One trustee alone holds the key: whoever has it can read every paper.")
	}
	if len(m.Mixers) == 1 {
		w = append(w, "One mixer alone shuffles the papers: whoever runs it can link every paper to its credential.")
	}
	if m.MinSize < 10 {
		w = append(w, "Groups of fewer than ten papers may be opened: with so few, a result says much about each voter.")
	}
	return w
}

// keyOf reads an element in hexadecimal that is not the neutral one.
func keyOf(s string) ([32]byte, error) {
	b, err := hex.DecodeString(s)
	var p ristretto.Point
	if err != nil || len(b) != 32 || hex.EncodeToString(b) != s || proof.IsIdentity(b) || !ristretto.New().Decode(&p, b) {
		return [32]byte{}, bad("this is no key")
	}
	return [32]byte(b), nil
}

// Contest finds a contest by its reference; nil if there is none.
func (m *Manifest) Contest(id string) *Contest {
	for i := range m.Contests {
		if m.Contests[i].ID == id {
			return &m.Contests[i]
		}
	}
	return nil
}

// class finds a weight class.
func (m *Manifest) class(section, class string) *Class {
	for i := range m.Sections {
		for j := range m.Sections[i].Classes {
			if m.Sections[i].ID == section && m.Sections[i].Classes[j].ID == class {
				return &m.Sections[i].Classes[j]
			}
		}
	}
	return nil
}

// GroupName names a mix group: what is shuffled or added up together.
func GroupName(contest, section, class string) string { return contest + "/" + section + "/" + class }

// Ceremony gives what the trustees' key generation is for; hash is Hash().
func (m *Manifest) Ceremony(hash [32]byte) keygen.Params {
	p := keygen.Params{Manifest: hash, Threshold: m.Threshold}
	for _, t := range m.Trustees {
		sign, _ := keyOf(t.Sign) // Check has read them
		seal, _ := keyOf(t.Seal)
		p.Sign, p.Seal = append(p.Sign, sign), append(p.Seal, seal)
	}
	return p
}
