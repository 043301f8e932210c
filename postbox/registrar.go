package postbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/tiles"
)

// Registrar does the credential registrar's part in one ballot, apart from the
// server: it draws the codes, and gives the server public keys only.
type Registrar struct {
	// Say shows a line of progress.
	Say func(line string)
	// NewLog accepts a log with another key than the one seen before.
	NewLog bool

	file *RegistrarFile
	c    *Client
	g    *ristretto.Group
}

// NewRegistrar makes a registrar's side of a ballot.
func NewRegistrar(f *RegistrarFile, c *Client) *Registrar {
	return &Registrar{file: f, c: c, g: ristretto.New(), Say: func(string) {}}
}

func (r *Registrar) say(format string, args ...any) { r.Say(fmt.Sprintf(format, args...)) }

// sight is a ballot as the server shows it to a registrar, as far as it has been
// checked.
type sight struct {
	b    *Ballot
	m    *sealed.Manifest
	hash [32]byte
	head tiles.Checkpoint
	log  string // its key
}

// look reads the ballot: it must be this registrar's, and its manifest the one
// that was seen before.
func (r *Registrar) look(ctx context.Context) (*sight, error) {
	b, err := r.c.Ballot(ctx)
	if err != nil {
		return nil, err
	}
	x := &sight{b: b}
	if x.m, err = sealed.DecodeManifest([]byte(b.Manifest)); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the server shows a manifest by which no ballot can be held")
	}
	if x.hash, err = x.m.Hash(); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(x.m.Election, strings.ReplaceAll(b.Ballot, "/", ".")+".") {
		return nil, fault.New(fault.Damaged, "the manifest is of the election %s, not of the ballot %s", x.m.Election, plain(b.Ballot))
	}
	own := r.file.Registration().Sign
	if x.m.Registrar.Key != own {
		f := fault.New(fault.NotEntitled, "you are not the registrar of this ballot: it names %q with the key %s, and yours is %s. Nothing was made", plain(x.m.Registrar.Name), x.m.Registrar.Key, own)
		f.Remedy = "Compare the line that omov registrar show FILE gives with the one that the returning officer has entered."
		return nil, f
	}
	var first bool
	if x.head, first, err = r.c.follow(ctx, r.file.state.Logs, r.NewLog); err != nil {
		return nil, err
	}
	x.log = r.file.state.Logs[r.c.root].Key
	if first {
		r.say("The log of %s has the key\n  %s\nCompare it with the one that the organisation publishes; it is remembered in your file.", r.c.root, plain(x.log))
	}
	i := r.file.issue(x.m.Election)
	if i != nil && i.Manifest != b.Manifest {
		return nil, fault.New(fault.Damaged, "the server showed another manifest of the election %s before. An election has one; nothing was made. Tell the trustees and the returning officer", x.m.Election)
	}
	if i != nil && i.Log != x.log && !r.NewLog {
		return nil, fault.New(fault.Damaged, "this ballot is in another log than before. Nothing was made")
	}
	return x, nil
}

// Make draws a code for every voter of a roll, and keeps it durably. Nothing is
// sent. Where the paper of the ballot was fixed anew, voters keep the codes that
// they may have been sent.
func (r *Registrar) Make(ctx context.Context, roll []Line) error {
	x, err := r.look(ctx)
	if err != nil {
		return err
	}
	if i := r.file.issue(x.m.Election); i != nil {
		if !slices.Equal(i.Lines, roll) {
			return fault.New(fault.Already, "codes of this ballot have been made, by another roll. A ballot has one roll; nothing was made")
		}
		r.say("The codes of this ballot had been made already: %d voters.", len(i.Codes))
		return nil
	}
	if x.b.List != nil {
		return fault.New(fault.TooLate, "the ballot has a list of who may vote already. Nothing was made")
	}
	if err := fits(x.b, x.m, roll); err != nil {
		return err
	}
	i := &issue{Page: r.c.Page(), Title: plain(x.b.Title), Ballot: x.b.Ballot, Election: x.m.Election, Manifest: x.b.Manifest, Log: x.log, Lines: roll}
	kept := r.draw(i)
	r.file.state.Ballots = append(r.file.state.Ballots, i)
	r.file.note(i, 0, fmt.Sprintf("made codes for %d voters, %d credentials", len(i.Codes), len(i.Lines)), "")
	if err := r.file.save(); err != nil {
		return err
	}
	r.say("Codes for %d voters, %d credentials. They are in your file.", len(i.Codes), len(i.Lines))
	if kept > 0 {
		r.say("%d of them have the code that they had before the paper was fixed anew: letters that were sent stay good.", kept)
	}
	return nil
}

// draw gives every voter of an issue a code, and says how many have kept theirs.
func (r *Registrar) draw(i *issue) (kept int) {
	before := map[int64][]byte{}
	for _, o := range r.file.state.Ballots {
		if o.Page == i.Page {
			for _, c := range o.Codes {
				before[c.Voter] = c.Code
			}
		}
	}
	done := map[int64]bool{}
	for _, l := range i.Lines {
		if done[l.Voter] {
			continue
		}
		done[l.Voter] = true
		code := bytes.Clone(before[l.Voter])
		if code == nil {
			code = make([]byte, 16)
			rand.Read(code)
		} else {
			kept++
		}
		i.Codes = append(i.Codes, voterCode{l.Voter, code})
	}
	return kept
}

// list makes the list of public keys: the same each time, until codes are
// replaced.
func (r *Registrar) list(x *sight, i *issue) *sealed.Listing {
	codes, keys := i.codes(), make([][32]byte, len(i.Lines))
	ristretto.Spread(len(keys), 64, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			k := codes[i.Lines[n].Voter].Key(x.hash, i.Lines[n].Section)
			keys[n] = k.Public(r.g)
			k.Wipe()
		}
	})
	for _, c := range codes {
		c.Wipe()
	}
	l := &sealed.Listing{Version: 1, Manifest: hex.EncodeToString(x.hash[:])}
	at := map[[2]string]int{}
	for _, p := range places(x.m) {
		if _, ok := at[[2]string{p.section, p.class}]; !ok {
			at[[2]string{p.section, p.class}] = len(l.Groups)
			l.Groups = append(l.Groups, sealed.ListingGroup{Section: p.section, Class: p.class, Keys: [][]byte{}})
		}
	}
	for n := range keys {
		g := &l.Groups[at[[2]string{i.Lines[n].Section, i.Lines[n].Class}]]
		g.Keys = append(g.Keys, keys[n][:])
	}
	for n := range l.Groups {
		slices.SortFunc(l.Groups[n].Keys, bytes.Compare)
	}
	return l
}

// signed gives the list and its signature, which is made once: what is sent
// again is the same to the byte.
func (r *Registrar) signed(x *sight, i *issue) (list []byte, err error) {
	if err := i.whole(); err != nil {
		return nil, err
	}
	list, signature, err := sealed.SignListing(r.g, r.list(x, i), r.file.key)
	switch {
	case err != nil:
		return nil, err
	case i.Signed == nil:
		i.List, i.Signed = digestOf(list), signature
		r.file.note(i, 0, fmt.Sprintf("signed the list of %d keys", len(i.Lines)), "")
		return list, r.file.save()
	case digestOf(list) != i.List:
		return nil, fault.New(fault.Damaged, "the codes in your file give another list than you have signed. Nothing was sent; take the copy that you have kept")
	}
	return list, nil
}

// Publish posts the signed list of public keys, and makes sure that the log
// holds it as it was signed. It may be repeated. posted gets the list as it is
// published, where it is given.
func (r *Registrar) Publish(ctx context.Context, posted func(list, signature []byte) error) error {
	x, err := r.look(ctx)
	if err != nil {
		return err
	}
	i := r.file.issue(x.m.Election)
	if i == nil {
		f := fault.New(fault.TooEarly, "no codes of this ballot have been made")
		f.Remedy = "Make them first: omov registrar make FILE URL --roll roll.csv. Where the paper was fixed anew, they have to be made again, by the new roll; who had a code keeps it."
		return f
	}
	if x.b.List != nil && i.Entry != 0 && (posted == nil || len(i.Changes) > 0) {
		r.say("The list had been published already: entry %d of the log.", i.Entry)
		return r.found(ctx, x, i)
	}
	list, err := r.signed(x, i)
	if err != nil {
		return err
	}
	if posted != nil {
		if err := posted(list, i.Signed); err != nil {
			return err
		}
	}
	if x.b.List == nil {
		r.say("Sending the list of %d keys, %s …", len(i.Lines), size(len(list)))
		if err := r.c.List(ctx, list, i.Signed); err != nil {
			return err
		}
		if x, err = r.look(ctx); err != nil {
			return err
		}
	}
	return r.found(ctx, x, i)
}
