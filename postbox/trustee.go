package postbox

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/tiles"
)

// Trustee does a trustee's part in one ballot. Each part may be repeated: what
// has been done is not done again, and what was interrupted goes on.
type Trustee struct {
	// Say shows a line of progress.
	Say func(line string)
	// Compare asks whether the trustee has compared the other trustees' keys by
	// their fingerprints. It is asked once for each set of keys.
	Compare func(others []Other) (bool, error)
	// NewLog accepts a log with another key than the one seen before.
	NewLog bool

	file *TrusteeFile
	c    *Client
	g    *ristretto.Group
}

// Other is another trustee whose keys have to be compared.
type Other struct {
	Name, Fingerprint string
	Operator          bool // runs the server too
}

// NewTrustee makes a trustee's side of a ballot.
func NewTrustee(f *TrusteeFile, c *Client) *Trustee {
	return &Trustee{
		file: f, c: c, g: ristretto.New(), Say: func(string) {},
		Compare: func([]Other) (bool, error) { return false, nil },
	}
}

func (t *Trustee) say(format string, args ...any) { t.Say(fmt.Sprintf(format, args...)) }

// timed shows what begins, and gives what shows how long it took.
func (t *Trustee) timed(format string, args ...any) func() {
	what, begun := fmt.Sprintf(format, args...), time.Now()
	t.say("%s …", what)
	return func() { t.say("%s: done in %.1f s", what, time.Since(begun).Seconds()) }
}

// view is a ballot as the server shows it now, as far as it has been checked.
type view struct {
	b      *Ballot
	m      *sealed.Manifest
	hash   [32]byte
	member *keygen.Member
	name   string // this trustee's in the manifest
	rec    *record
	head   tiles.Checkpoint // the newest
}

// look reads the ballot and checks what does not change: the manifest, the
// trustees' keys, and that the log has only grown. It contributes nothing.
func (t *Trustee) look(ctx context.Context) (*view, error) {
	b, err := t.c.Ballot(ctx)
	if err != nil {
		return nil, err
	}
	v := &view{b: b}
	if err := t.manifest(v); err != nil {
		return nil, err
	}
	var first bool
	if v.head, first, err = t.c.follow(ctx, t.file.state.Logs, t.NewLog); err != nil {
		return nil, err
	}
	key := t.file.state.Logs[t.c.root].Key
	if first {
		t.say("The log of %s has the key\n  %s\nCompare it with the one that the organisation publishes; it is remembered in your file.", t.c.root, plain(key))
	}
	if err := t.remembered(v, key); err != nil {
		return nil, err
	}
	return v, t.compared(v)
}

// step looks, does something, and keeps what was seen, also where nothing was
// contributed.
func (t *Trustee) step(ctx context.Context, do func(*view) (*Progress, error)) (*Progress, error) {
	v, err := t.look(ctx)
	if err != nil {
		return nil, err
	}
	p, err := do(v)
	if err != nil {
		return nil, err
	}
	return p, t.file.keep()
}

// manifest reads the manifest and finds this trustee in it.
func (t *Trustee) manifest(v *view) (err error) {
	if v.m, err = sealed.DecodeManifest([]byte(v.b.Manifest)); err != nil {
		return fault.Wrap(fault.Invalid, err, "the server shows a manifest by which no ballot can be held: %v", err)
	}
	if v.hash, err = v.m.Hash(); err != nil {
		return err
	}
	if !strings.HasPrefix(v.m.Election, strings.ReplaceAll(v.b.Ballot, "/", ".")+".") {
		return fault.New(fault.Damaged, "the manifest is of the election %s, not of the ballot %s. Nothing was contributed", v.m.Election, plain(v.b.Ballot))
	}
	if v.member, err = keygen.NewMember(t.g, v.m.Ceremony(v.hash), t.file.id); err != nil {
		return err
	}
	v.name = v.m.Trustees[v.member.Index()-1].Name
	if v.name != t.file.state.Name {
		t.say("The ballot calls you %q; your file says %q.", plain(v.name), t.file.state.Name)
	}
	return nil
}

// remembered finds what the file says of this election, and refuses what
// contradicts it.
func (t *Trustee) remembered(v *view, logKey string) error {
	hash := hex.EncodeToString(v.hash[:])
	v.rec = t.file.ballot(v.m.Election)
	if v.rec == nil {
		v.rec = &record{Page: t.c.Page(), Election: v.m.Election, Manifest: hash, Log: logKey}
		t.file.state.Ballots = append(t.file.state.Ballots, v.rec)
		t.introduce(v)
	}
	if v.rec.Mixes == nil {
		v.rec.Mixes = map[string]*made{}
	}
	if v.rec.Shares == nil {
		v.rec.Shares = map[string]*made{}
	}
	if v.rec.Manifest != hash {
		f := fault.New(fault.Damaged, "the server showed another manifest of the election %s before. An election has one; nothing was contributed", v.m.Election)
		f.Remedy = "Tell the other trustees and the returning officer: compare the hash of the manifest that each of you has (omov trustee show FILE)."
		return f
	}
	if v.rec.Log != logKey {
		if !t.NewLog || v.rec.Closing != "" {
			return fault.New(fault.Damaged, "this ballot is in another log than before. Nothing was contributed")
		}
		v.rec.Log = logKey
	}
	return nil
}

// introduce shows what a ballot is when it is seen for the first time.
func (t *Trustee) introduce(v *view) {
	t.say("The ballot is called %q.\nElection %s, manifest %s", plain(v.b.Title), v.m.Election, hex.EncodeToString(v.hash[:]))
	for _, c := range v.m.Contests {
		names := make([]string, len(c.Options))
		for i, o := range c.Options {
			names[i] = plain(o)
		}
		t.say("On the paper: %s", strings.Join(names, ", "))
	}
	t.say("%d of %d trustees open; mixers in order: %s; nothing is opened of fewer than %d papers.", v.m.Threshold, len(v.m.Trustees), plain(strings.Join(v.m.Mixers, ", ")), v.m.MinSize)
	for _, w := range v.m.Warnings() {
		t.say("Note: %s", w)
	}
}

// compared makes sure that the trustee has compared the others' keys: a server
// that could choose them would hold the key alone.
func (t *Trustee) compared(v *view) error {
	var others []Other
	var marks []string
	p := v.m.Ceremony(v.hash)
	for i, x := range v.m.Trustees {
		mark := keygen.Fingerprint(p.Sign[i], p.Seal[i])
		if i == v.member.Index()-1 || slices.Contains(t.file.state.Compared, mark) {
			continue
		}
		others, marks = append(others, Other{plain(x.Name), mark, x.Operator}), append(marks, mark)
	}
	if len(others) == 0 {
		return nil
	}
	yes, err := t.Compare(others)
	if err != nil {
		return err
	}
	if !yes {
		f := fault.New(fault.NotEntitled, "the keys of the other trustees have not been compared. Nothing was contributed")
		f.Remedy = "Ask each of them, by telephone or in person, for the fingerprint that omov trustee show FILE gives them. If all are the same, repeat the command and say so."
		return f
	}
	t.file.state.Compared = append(t.file.state.Compared, marks...)
	return nil
}
