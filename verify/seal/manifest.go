package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"slices"

	"github.com/omov/omov/minutes"
	"github.com/omov/omov/ristretto"
)

// Manifest is what was fixed before the first key was drawn.
type Manifest struct {
	Version   int       `json:"v"`
	Group     string    `json:"group"`
	Election  string    `json:"election"`
	Contests  []Contest `json:"contests"`
	Sections  []Section `json:"sections"`
	Threshold int       `json:"threshold"`
	Trustees  []Trustee `json:"trustees"`
	Mixers    []string  `json:"mixers"`
	Registrar struct {
		Name string `json:"name"`
		Key  string `json:"key"`
	} `json:"registrar"`
	MinSize int `json:"min_size"`
}

// Contest is one question.
type Contest struct {
	ID      string   `json:"id"`
	Options []string `json:"options"`
	Form    string   `json:"form"`
	Least   int      `json:"least"`
	Most    int      `json:"most"`
	Top     int      `json:"top"`
}

// Section is a part of the electorate.
type Section struct {
	ID      string `json:"id"`
	Classes []struct {
		ID     string `json:"id"`
		Weight string `json:"weight"`
	} `json:"classes"`
	Units bool `json:"units,omitempty"`
}

// Trustee is one holder of the key.
type Trustee struct {
	Name     string `json:"name"`
	Sign     string `json:"sign"`
	Seal     string `json:"seal"`
	Operator bool   `json:"operator"`
}

// Election is a manifest that was checked, with what follows from it.
type Election struct {
	Manifest *Manifest
	Hash     [32]byte
	Key      [32]byte   // the joint key, once Keys has found it
	Shares   [][32]byte // verification keys of the trustees

	g         *ristretto.Group
	y         ristretto.Point
	listed    map[[32]byte]seat
	changes   int64 // of the list
	registrar []byte
	bases     []ristretto.Affine // of mixes: H, h_1, h_2 …
}

// seat is where a credential votes, and from which place of the board to which:
// 0 where it was on the list from the beginning, or has not been replaced.
type seat struct {
	section, class string
	from, until    int64
}

// votes tells whether a paper at a place of the board is of a credential that
// was on the list then.
func (s seat) votes(section string, seq int64) bool {
	return s.section != "" && s.section == section && s.from <= seq && (s.until == 0 || seq < s.until)
}

// Open reads a manifest: canonical bytes, everything in its bounds.
func Open(g *ristretto.Group, manifest []byte) (*Election, error) {
	if len(manifest) > 1<<20 {
		return nil, wrong("the manifest is longer than a megabyte")
	}
	m := &Manifest{}
	if err := minutes.Decode(manifest, m); err != nil {
		return nil, err
	}
	e := &Election{Manifest: m, Hash: sha256.Sum256(append([]byte("omov/sealed/manifest/1\x00"), manifest...)), g: g, y: g.Identity()}
	for _, check := range []func() error{e.contests, e.sections, e.trustees} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	var err error
	if e.registrar, err = e.element(m.Registrar.Key); err != nil {
		return nil, wrong("the registrar's key: %v", err)
	}
	if m.Version != 1 || m.Group != "ristretto255" || !reference(m.Election) || m.MinSize < 1 {
		return nil, wrong("the manifest is of another version or group, or has no reference or least size")
	}
	return e, nil
}

// element reads 64 hexadecimal digits that are an element and not the neutral
// one.
func (e *Election) element(s string) ([]byte, error) {
	b, err := hex.DecodeString(s)
	var p ristretto.Point
	if err != nil || len(b) != 32 || hex.EncodeToString(b) != s || !e.g.Decode(&p, b) || e.g.IsIdentity(&p) {
		return nil, wrong("%q is no key", s)
	}
	return b, nil
}

func reference(s string) bool {
	ok := len(s) >= 1 && len(s) <= 64
	for _, c := range []byte(s) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || bytes.IndexByte([]byte(".-_"), c) >= 0)
	}
	return ok
}

func (e *Election) contests() error {
	m := e.Manifest
	if len(m.Contests) < 1 || len(m.Contests) > 64 {
		return wrong("a manifest has 1 to 64 contests")
	}
	for i := range m.Contests {
		c := &m.Contests[i]
		if !reference(c.ID) || slices.ContainsFunc(m.Contests[:i], func(x Contest) bool { return x.ID == c.ID }) {
			return wrong("contest %q has no reference of its own", c.ID)
		}
		seen := map[string]bool{}
		for _, o := range c.Options {
			if o == "" || seen[o] {
				return wrong("contest %s has an option twice, or one without a name", c.ID)
			}
			seen[o] = true
		}
		if c.sum() {
			if c.Least < 1 || c.Least > c.Most || c.Most > len(c.Options) || c.Top != 0 || c.slots() > 512 {
				return wrong("contest %s has bounds that mean nothing", c.ID)
			}
			continue
		}
		if c.Least != 0 {
			return wrong("contest %s has a least number of marks, and is mixed", c.ID)
		}
		if err := c.checkForm(); err != nil {
			return wrong("contest %s: %v", c.ID, err)
		}
	}
	return nil
}

func (e *Election) sections() error {
	m := e.Manifest
	if len(m.Sections) < 1 || len(m.Sections) > 1024 {
		return wrong("a manifest has 1 to 1,024 sections")
	}
	seen := map[string]bool{}
	for _, s := range m.Sections {
		if !reference(s.ID) || seen[s.ID] || len(s.Classes) < 1 || len(s.Classes) > 64 {
			return wrong("section %q has no reference of its own, or no classes", s.ID)
		}
		seen[s.ID] = true
		for _, c := range s.Classes {
			w, ok := new(big.Rat).SetString(c.Weight)
			if !reference(c.ID) || seen[s.ID+"/"+c.ID] || !ok || len(c.Weight) > 40 || w.Sign() <= 0 || w.RatString() != c.Weight {
				return wrong("class %q of section %s has no reference of its own, or no weight", c.ID, s.ID)
			}
			seen[s.ID+"/"+c.ID] = true
		}
	}
	return nil
}

func (e *Election) trustees() error {
	m := e.Manifest
	n := len(m.Trustees)
	if n < 1 || n > 15 || m.Threshold < 1 || m.Threshold > n || 2*m.Threshold <= n {
		return wrong("of %d trustees %d open", n, m.Threshold)
	}
	seen := map[string]bool{}
	for _, t := range m.Trustees {
		for _, k := range []string{t.Sign, t.Seal} {
			if _, err := e.element(k); err != nil || seen[k] {
				return wrong("trustee %s: a key is none, or stands there twice", t.Name)
			}
			seen[k] = true
		}
		if t.Name == "" || len(t.Name) > 200 || seen["name "+t.Name] {
			return wrong("a trustee has no name of their own")
		}
		seen["name "+t.Name] = true
	}
	operators, mixed := 0, slices.ContainsFunc(m.Contests, func(c Contest) bool { return !c.sum() })
	for i, name := range m.Mixers {
		at := slices.IndexFunc(m.Trustees, func(t Trustee) bool { return t.Name == name })
		if at < 0 || slices.Contains(m.Mixers[:i], name) {
			return wrong("mixer %q is no trustee, or mixes twice", name)
		}
		if m.Trustees[at].Operator {
			operators++
		}
	}
	if operators > 1 || mixed && (len(m.Mixers) < 1 || len(m.Mixers) < 2 && n > 1) {
		return wrong("the mixers are too few, or more than one is the operator's")
	}
	return nil
}

// Contest gives a contest by its reference, nil if there is none.
func (e *Election) Contest(id string) *Contest {
	for i := range e.Manifest.Contests {
		if e.Manifest.Contests[i].ID == id {
			return &e.Manifest.Contests[i]
		}
	}
	return nil
}

func (c *Contest) sum() bool { return c.Form == "sum" }

// slots is how many ciphertexts a paper has.
func (c *Contest) slots() int {
	if c.sum() {
		return len(c.Options) + c.Most - c.Least + 1
	}
	return c.width()
}

// weight is what slot i counts in a sum's total.
func (c *Contest) weight(i int) uint64 {
	if i == c.slots()-1 {
		return uint64(c.Most)
	}
	return 1
}
