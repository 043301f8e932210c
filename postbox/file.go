package postbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/tiles"
)

// maxTrusteeFile is the most bytes that a trustee's file has.
const maxTrusteeFile = 64 << 20

const trusteeKind = "omov-trustee/1"

// trusteeState is the content of a trustee's file.
type trusteeState struct {
	Kind     string              `json:"kind"` // trusteeKind
	Name     string              `json:"name"`
	Identity []byte              `json:"identity"` // 32 bytes
	Work     int                 `json:"work"`
	Logs     map[string]*logSeen `json:"logs"`     // by the address of the server
	Compared []string            `json:"compared"` // fingerprints of others that the trustee has compared
	Ballots  []*record           `json:"ballots"`
}

// logSeen is what was last seen of a log.
type logSeen struct {
	Key        string   `json:"key"`        // verifier key, pinned when first seen
	Checkpoint string   `json:"checkpoint"` // the newest signed one
	Former     []string `json:"former"`     // keys of logs that the trustee has given up
}

// record is what a trustee must never do differently a second time, ballot by
// ballot.
type record struct {
	Page     string `json:"page"`
	Election string `json:"election"`
	Manifest string `json:"manifest"` // its hash, hex: an election has one
	Log      string `json:"log"`      // the key of the log that the ballot is in

	First     int64  `json:"first"`     // the size of the log before this trustee's first message
	Said      []said `json:"said"`      // messages of the key generation that this trustee has made
	Steps     int    `json:"steps"`     // of the key generation, as seen
	Chain     string `json:"chain"`     // the hash of those steps, hex
	Confirmed string `json:"confirmed"` // the digest of the key generation that this trustee holds by, hex

	Closing string           `json:"closing"` // the closing checkpoint witnessed, signed
	Witness []byte           `json:"witness"` // the deed that says so
	Groups  []pile           `json:"groups"`  // what is to be mixed, recomputed from the papers
	Mixes   map[string]*made `json:"mixes"`   // by group
	Shares  map[string]*made `json:"shares"`  // by group
	Proved  []string         `json:"proved"`  // mixes of others that were checked
	Pledges []sealed.Pledge  `json:"pledges"`
	Excused []string         `json:"excused"` // mixers whom the log says that an officer has excused
}

// said is a message that this trustee has made. There is one of a phase: what
// is sent again is the same to the byte, so that nobody can be shown two.
type said struct {
	Phase keygen.Kind `json:"phase"`
	Raw   []byte      `json:"raw"`
}

// pile is what the trustee found to stand in a mix group after the close.
type pile struct {
	Name   string `json:"name"`
	Papers int64  `json:"papers"`
	Bytes  int64  `json:"bytes"`
	Pairs  string `json:"pairs"` // SHA-256 of the ciphertexts, hex
}

// made is a mix or shares that this trustee has made.
type made struct {
	Digest string `json:"digest"` // SHA-256 of its bytes, hex
	In     string `json:"in"`     // SHA-256 of the ciphertexts that it was made of, hex
	Deed   []byte `json:"deed"`
	Taken  bool   `json:"taken"` // the server has said that it is on the board
	Gone   bool   `json:"gone"`  // it was seen there, and no longer lies aside
}

// TrusteeFile is a trustee's file, open. One command uses it at a time.
type TrusteeFile struct {
	v     *vault
	id    keygen.Identity
	state trusteeState
	kept  [32]byte // SHA-256 of the content that is durable
}

// NewTrusteeFile draws a trustee's keys into a new file. work is the effort of
// guessing the passphrase, 0 for the usual.
func NewTrusteeFile(path, passphrase, name string, work int) (*TrusteeFile, error) {
	name, err := publicName(name, "trustee")
	if err != nil {
		return nil, err
	}
	f := &TrusteeFile{id: keygen.NewIdentity(), state: trusteeState{Kind: trusteeKind, Name: name, Work: work, Logs: map[string]*logSeen{}}}
	b, err := f.content()
	if err != nil {
		return nil, err
	}
	defer clear(b)
	f.kept = sha256.Sum256(b)
	f.v, err = createVault(path, passphrase, work, b)
	return f, err
}

// OpenTrusteeFile reads a trustee's file, to use it.
func OpenTrusteeFile(path, passphrase string) (*TrusteeFile, error) {
	return openTrustee(path, passphrase, false)
}

// LookAtTrusteeFile reads a trustee's file to show it, also while another
// command is using it.
func LookAtTrusteeFile(path, passphrase string) (*TrusteeFile, error) {
	return openTrustee(path, passphrase, true)
}

func openTrustee(path, passphrase string, shared bool) (*TrusteeFile, error) {
	v, b, err := openVault(path, passphrase, maxTrusteeFile, shared)
	if err != nil {
		return nil, err
	}
	defer clear(b)
	f := &TrusteeFile{v: v, kept: sha256.Sum256(b)}
	if err := f.read(b); err != nil {
		v.close()
		return nil, err
	}
	v.setWork(f.state.Work)
	return f, nil
}

func (f *TrusteeFile) read(b []byte) error {
	if err := json.Unmarshal(b, &f.state); err != nil || f.state.Kind != trusteeKind {
		return fault.New(fault.Invalid, "%s is not a trustee's file that this program knows", f.v.path)
	}
	id, err := keygen.IdentityFrom(f.state.Identity)
	clear(f.state.Identity)
	f.state.Identity = nil
	if err != nil {
		return fault.New(fault.Damaged, "%s holds no keys: take the copy that you have kept", f.v.path)
	}
	f.id = id
	if f.state.Logs == nil {
		f.state.Logs = map[string]*logSeen{}
	}
	return nil
}

func (f *TrusteeFile) content() ([]byte, error) {
	s := f.state
	s.Identity = f.id.Expose()
	defer clear(s.Identity)
	b, err := json.Marshal(&s)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the trustee's file could not be written")
	}
	return b, nil
}

// save makes what is remembered durable.
func (f *TrusteeFile) save() error {
	b, err := f.content()
	if err != nil {
		return err
	}
	defer clear(b)
	if err := f.v.save(b, maxTrusteeFile); err != nil {
		return err
	}
	f.kept = sha256.Sum256(b)
	return nil
}

// keep saves if there is something new to remember.
func (f *TrusteeFile) keep() error {
	b, err := f.content()
	if err != nil {
		return err
	}
	defer clear(b)
	if sha256.Sum256(b) == f.kept {
		return nil
	}
	return f.save()
}

// Close gives the file back, and overwrites the keys in memory.
func (f *TrusteeFile) Close() {
	f.id.Wipe()
	f.v.close()
}

// Registration is what an officer enters to name a trustee. All of it is
// public.
type Registration struct {
	Name, Sign, Seal, Fingerprint string
}

// Registration gives what the trustee is named by.
func (f *TrusteeFile) Registration() Registration {
	g := ristretto.New()
	sign, seal := f.id.Sign().Public(g), f.id.Seal().Public(g)
	return Registration{f.state.Name, hex.EncodeToString(sign[:]), hex.EncodeToString(seal[:]), keygen.Fingerprint(sign, seal)}
}

// Line is the registration in one line, as the officer's page takes it.
func (r Registration) Line() string {
	return fmt.Sprintf("trustee | %s | %s | %s | %s", r.Name, r.Sign, r.Seal, r.Fingerprint)
}

// Shown is what a trustee's file says of a ballot, without secrets.
type Shown struct {
	Page, Election, Manifest, LogKey string
	Confirmed, Witnessed             bool
	Mixed, Opened                    []string
	Seen                             string // the newest checkpoint of its log: size and root, to be compared with the other trustees'
}

// Ballots gives what the file holds of each ballot.
func (f *TrusteeFile) Ballots() []Shown {
	var out []Shown
	for _, r := range f.state.Ballots {
		s := Shown{Page: r.Page, Election: r.Election, Manifest: r.Manifest, LogKey: r.Log, Confirmed: r.Confirmed != "", Witnessed: r.Closing != ""}
		for _, l := range f.state.Logs {
			if c, err := tiles.Open([]byte(l.Checkpoint), l.Key); err == nil && l.Key == r.Log {
				s.Seen = fmt.Sprintf("%d entries, %x", c.Size, c.Root[:])
			}
		}
		for g := range r.Mixes {
			s.Mixed = append(s.Mixed, g)
		}
		slices.Sort(s.Mixed)
		for _, p := range r.Pledges {
			s.Opened = append(s.Opened, p.Group)
		}
		out = append(out, s)
	}
	return out
}

// ballot finds what is remembered of an election; nil where it is new.
func (f *TrusteeFile) ballot(election string) *record {
	for _, r := range f.state.Ballots {
		if r.Election == election {
			return r
		}
	}
	return nil
}

// pledge finds what this trustee has pledged to open of a group.
func (r *record) pledge(group string) *sealed.Pledge {
	for i := range r.Pledges {
		if r.Pledges[i].Group == group {
			return &r.Pledges[i]
		}
	}
	return nil
}

// said gives the message that was made in a phase, or nil.
func (r *record) said(k keygen.Kind) []byte {
	for i := range r.Said {
		if r.Said[i].Phase == k {
			return r.Said[i].Raw
		}
	}
	return nil
}

func (r *record) group(name string) *pile {
	for i := range r.Groups {
		if r.Groups[i].Name == name {
			return &r.Groups[i]
		}
	}
	return nil
}

// aside is where the bytes of a mix or of shares lie until they are on the
// board.
func (f *TrusteeFile) aside(m *made) string { return f.v.path + ".part-" + m.Digest[:16] }

// keepAside puts such bytes aside, durably, so that exactly the same can be
// sent again.
func (f *TrusteeFile) keepAside(m *made, b []byte) error { return replace(f.aside(m), b) }

// putAside gives such bytes, or nil where they are gone.
func (f *TrusteeFile) putAside(m *made, most int64) []byte {
	b, err := readFile(f.aside(m), most)
	if sum := sha256.Sum256(b); err != nil || hex.EncodeToString(sum[:]) != m.Digest {
		return nil
	}
	return b
}

// dropAside removes what is no longer needed; a rest that stays does no harm.
func (f *TrusteeFile) dropAside(m *made) {
	os.Remove(f.aside(m))
	syncDir(filepath.Dir(f.v.path))
}
