package postbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/proof"
	"github.com/omov/omov/sealed/transcript"
)

// maxRegistrarFile is the most bytes that a registrar's file has: some two
// hundred a line of a roll of four million.
const maxRegistrarFile = 1 << 30

const registrarKind = "omov-registrar/1"

// registrarState is the content of a registrar's file.
type registrarState struct {
	Kind    string              `json:"kind"` // registrarKind
	Name    string              `json:"name"`
	Key     []byte              `json:"key"` // the signing key, 32 bytes
	Work    int                 `json:"work"`
	Logs    map[string]*logSeen `json:"logs"` // by the address of the server
	Ballots []*issue            `json:"ballots"`
	Log     []Event             `json:"log"`
}

// issue is the codes of one preparation of a ballot.
type issue struct {
	Page     string      `json:"page"`
	Title    string      `json:"title"`
	Ballot   string      `json:"ballot"`
	Election string      `json:"election"`
	Manifest string      `json:"manifest"` // its text
	Log      string      `json:"log"`      // the key of the log that the ballot is in
	Lines    []Line      `json:"lines"`
	Codes    []voterCode `json:"codes"`
	List     string      `json:"list"`      // SHA-256 of the list that was signed, hex
	Signed   []byte      `json:"signature"` // of it
	Entry    int64       `json:"entry"`     // of the log, once the list was found there
	Changes  []*change   `json:"changes"`   // of the list
}

// voterCode is a voter's code: one for every section in which they vote, as the
// signing keys differ by section.
type voterCode struct {
	Voter int64  `json:"voter"`
	Code  []byte `json:"code"` // 16 bytes
}

// Event is something that a registrar has done, for those who ask later.
type Event struct {
	At     int64  `json:"at"` // Unix milliseconds
	Ballot string `json:"ballot"`
	Voter  int64  `json:"voter,omitempty"`
	What   string `json:"what"`
	Why    string `json:"why,omitempty"`
}

// RegistrarFile is a registrar's file, open. One command uses it at a time.
type RegistrarFile struct {
	v     *vault
	key   proof.Secret
	state registrarState
}

// NewRegistrarFile draws a registrar's key into a new file. work is the effort
// of guessing the passphrase, 0 for the usual.
func NewRegistrarFile(path, passphrase, name string, work int) (*RegistrarFile, error) {
	name, err := publicName(name, "registrar")
	if err != nil {
		return nil, err
	}
	f := &RegistrarFile{key: proof.NewSecret(), state: registrarState{Kind: registrarKind, Name: name, Work: work, Logs: map[string]*logSeen{}}}
	b, err := f.content()
	if err != nil {
		return nil, err
	}
	defer clear(b)
	f.v, err = createVault(path, passphrase, work, b)
	return f, err
}

// publicName is a name as it stands in a manifest.
func publicName(name, of string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 200 || plain(name) != name || strings.Contains(name, "|") {
		return "", fault.New(fault.Invalid, "a %s has a name of at most 200 bytes, on one line and without |, as it will stand in public", of)
	}
	return name, nil
}

// OpenRegistrarFile reads a registrar's file, to use it.
func OpenRegistrarFile(path, passphrase string) (*RegistrarFile, error) {
	return openRegistrar(path, passphrase, false)
}

// LookAtRegistrarFile reads a registrar's file to show it, also while another
// command is using it.
func LookAtRegistrarFile(path, passphrase string) (*RegistrarFile, error) {
	return openRegistrar(path, passphrase, true)
}

func openRegistrar(path, passphrase string, shared bool) (*RegistrarFile, error) {
	v, b, err := openVault(path, passphrase, maxRegistrarFile, shared)
	if err != nil {
		return nil, err
	}
	defer clear(b)
	f := &RegistrarFile{v: v}
	if err := f.read(b); err != nil {
		v.close()
		return nil, err
	}
	v.setWork(f.state.Work)
	return f, nil
}

func (f *RegistrarFile) read(b []byte) error {
	if err := json.Unmarshal(b, &f.state); err != nil || f.state.Kind != registrarKind {
		return fault.New(fault.Invalid, "%s is not a registrar's file that this program knows", f.v.path)
	}
	k, ok := transcript.Scalar(f.state.Key)
	clear(f.state.Key)
	f.state.Key = nil
	if !ok {
		return fault.New(fault.Damaged, "%s holds no key: take the copy that you have kept", f.v.path)
	}
	f.key = proof.SecretOf(k)
	if f.state.Logs == nil {
		f.state.Logs = map[string]*logSeen{}
	}
	return nil
}

func (f *RegistrarFile) content() ([]byte, error) {
	s := f.state
	s.Key = f.key.Expose()
	defer clear(s.Key)
	b, err := json.Marshal(&s)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the registrar's file could not be written")
	}
	return b, nil
}

func (f *RegistrarFile) save() error {
	b, err := f.content()
	if err != nil {
		return err
	}
	defer clear(b)
	return f.v.save(b, maxRegistrarFile)
}

// Close gives the file back, and overwrites key and codes in memory.
func (f *RegistrarFile) Close() {
	f.key.Wipe()
	for _, i := range f.state.Ballots {
		for _, c := range i.Codes {
			clear(c.Code)
		}
		for _, o := range i.Changes {
			for _, c := range o.Codes {
				clear(c.Code)
			}
		}
	}
	f.v.close()
}

// Registration gives what an officer names the registrar by. All of it is
// public.
func (f *RegistrarFile) Registration() Registration {
	key := f.key.Public(ristretto.New())
	return Registration{Name: f.state.Name, Sign: hex.EncodeToString(key[:])}
}

// Events gives what the registrar has done, the oldest first.
func (f *RegistrarFile) Events() []Event { return f.state.Log }

func (f *RegistrarFile) note(i *issue, voter int64, what, why string) {
	f.state.Log = append(f.state.Log, Event{At: time.Now().UnixMilli(), Ballot: i.Election, Voter: voter, What: what, Why: why})
}

// Issued is what a registrar's file says of a ballot, without secrets.
type Issued struct {
	Page, Title, Election, LogKey string
	Voters, Credentials           int
	Signed                        bool
	Entry                         int64
}

// Ballots gives what the file holds of each ballot.
func (f *RegistrarFile) Ballots() []Issued {
	var out []Issued
	for _, i := range f.state.Ballots {
		out = append(out, Issued{i.Page, i.Title, i.Election, i.Log, len(i.Codes), len(i.Lines), i.List != "", i.Entry})
	}
	return out
}

// issue finds the codes of an election; nil where there are none.
func (f *RegistrarFile) issue(election string) *issue {
	for _, i := range f.state.Ballots {
		if i.Election == election {
			return i
		}
	}
	return nil
}

// latest finds the codes that letters are written of: those of a ballot's page,
// or of the only ballot that the file knows; where its paper was fixed anew, the
// last ones.
func (f *RegistrarFile) latest(page string) (*issue, error) {
	var found *issue
	pages := map[string]bool{}
	for _, i := range f.state.Ballots {
		if page == "" || i.Page == page {
			found, pages[i.Page] = i, true
		}
	}
	switch {
	case found == nil && page != "":
		return nil, fault.New(fault.NotFound, "your file has no codes of the ballot at %s: make them first (omov registrar make)", plain(page))
	case found == nil:
		return nil, fault.New(fault.NotFound, "your file has no codes yet: make them first (omov registrar make)")
	case len(pages) > 1:
		return nil, fault.New(fault.Invalid, "your file has codes of several ballots: say of which, by the address of its page")
	}
	return found, nil
}

// codes gives a voter's code by their number. Whoever asks wipes nothing: the
// file holds them.
func (i *issue) codes() map[int64]sealed.Code {
	out := make(map[int64]sealed.Code, len(i.Codes))
	for _, c := range i.Codes {
		out[c.Voter] = sealed.CodeFrom([16]byte(c.Code))
	}
	return out
}

// whole checks that every line has its code.
func (i *issue) whole() error {
	have := make(map[int64]bool, len(i.Codes))
	for _, c := range i.Codes {
		if len(c.Code) != 16 || have[c.Voter] {
			return fault.New(fault.Damaged, "your file has a code that is none: take the copy that you have kept")
		}
		have[c.Voter] = true
	}
	for _, l := range i.Lines {
		if !have[l.Voter] {
			return fault.New(fault.Damaged, "your file has no code for voter %d: take the copy that you have kept", l.Voter)
		}
	}
	return nil
}

// RegistrarLine is the registration in one line, as the officer's page takes it.
func (r Registration) RegistrarLine() string {
	return fmt.Sprintf("registrar | %s | %s", r.Name, r.Sign)
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
