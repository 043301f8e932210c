package contest

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/mail"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/roll"
	"github.com/omov/omov/store"
)

// Notices writes to everybody on the roll of a ballot that has opened. It goes
// through the roll in parts and remembers how far it came, so that it goes on
// after a restart; nobody is written to twice.
type Notices struct {
	s    *Contests
	post *mail.Post
	base string
}

// NewNotices makes the notices of contests, with links to base.
func NewNotices(s *Contests, post *mail.Post, base string) *Notices {
	return &Notices{s: s, post: post, base: base}
}

// noticeState is how far the notices of a ballot have come.
type noticeState struct {
	Listed bool  `json:"listed"` // the listed voters have been written to
	Chunk  int64 `json:"chunk"`  // chunks done
	Done   bool  `json:"done"`
}

func noticeSetting(ballot string) string { return "notice/" + ballot }

// Due writes the notices that are due and tells how many it queued: to those
// whose vote a decision gave or took, and to those whose ballot is open.
func (n *Notices) Due(ctx context.Context) (int, error) {
	states, err := n.live(ctx)
	total := 0
	for _, st := range states {
		if err != nil {
			return total, err
		}
		var k int
		k, err = n.changes(ctx, st)
		total += k
		b := st.OpenBallot()
		if err != nil || b == nil || b.Closed != 0 || b.How == "counted" || b.How == "judged" {
			continue
		}
		k, err = n.ballot(ctx, st, b)
		total += k
	}
	return total, err
}

// ballot writes the notices of one ballot.
func (n *Notices) ballot(ctx context.Context, st *proceeding.State, b *proceeding.Ballot) (int, error) {
	var state noticeState
	var id int64
	var facts chamber.RollFacts
	err := n.s.ch.Read(ctx, func(w *chamber.World) error {
		raw, err := w.Tx().Setting(noticeSetting(b.ID))
		if err == nil && raw != nil {
			err = json.Unmarshal(raw, &state)
		}
		if err == nil && !state.Done {
			id, facts, err = chamber.RollOf(w.Tx(), st.Ref, b.ID)
		}
		return err
	})
	if err != nil || state.Done {
		return 0, err
	}
	if err := n.keepText(ctx, st, b); err != nil {
		return 0, err
	}
	total := 0
	if !state.Listed {
		k, err := n.post.Queue(ctx, n.listed(b, facts))
		if err != nil {
			return 0, err
		}
		total, state.Listed = k, true
	}
	for !state.Done {
		k, err := n.chunk(ctx, b, id, &state)
		if err != nil {
			return total, err
		}
		total += k
	}
	return total, nil
}

// chunk queues the messages of one chunk of the roll and remembers it.
func (n *Notices) chunk(ctx context.Context, b *proceeding.Ballot, id int64, state *noticeState) (int, error) {
	var list []mail.Message
	last := int64(0)
	err := n.s.ch.Read(ctx, func(w *chamber.World) error {
		list = nil
		var err error
		if last, err = w.Tx().LastPerson(); err != nil {
			return err
		}
		raw, err := w.Tx().RollChunk(id, state.Chunk)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		c, err := roll.ReadChunk(state.Chunk, raw)
		if err != nil {
			return err
		}
		c.Each(func(p register.PersonID, lines []byte) {
			for i := 0; i < len(lines); i += 2 {
				if lines[i] == 0 {
					list = append(list, n.message(b, p))
					return
				}
			}
		})
		return nil
	})
	if err != nil {
		return 0, err
	}
	total := 0
	for i := 0; i < len(list); i += 1_000 {
		k, err := n.post.Queue(ctx, list[i:min(i+1_000, len(list))])
		if err != nil {
			return total, err
		}
		total += k
	}
	state.Chunk++
	state.Done = state.Chunk > last/roll.ChunkSize
	raw, err := json.Marshal(state)
	if err != nil {
		return total, fault.Wrap(fault.Internal, err, "how far the notices have come cannot be written down")
	}
	return total, n.s.ch.DB.Write(ctx, func(tx *store.Tx) error { return tx.PutSetting(noticeSetting(b.ID), raw) })
}

func (n *Notices) listed(b *proceeding.Ballot, facts chamber.RollFacts) []mail.Message {
	var list []mail.Message
	for i := range facts.Sections {
		for _, v := range facts.Sections[i].Voters {
			if v.Person != 0 && v.Bar == "" {
				list = append(list, n.message(b, v.Person))
			}
		}
	}
	return list
}

func (n *Notices) message(b *proceeding.Ballot, p register.PersonID) mail.Message {
	return mail.Message{Dedupe: fmt.Sprintf("notice/%s/%d", b.ID, p), Person: p, Subject: "Your vote is open", Body: "@notice/" + b.ID}
}

// keepText writes the notice's text once.
func (n *Notices) keepText(ctx context.Context, st *proceeding.State, b *proceeding.Ballot) error {
	_, book, err := n.s.State(ctx, st.Ref)
	if err != nil {
		return err
	}
	until := "its officers close it"
	if b.Closes != 0 {
		until = when(book, b.Closes)
	}
	text := fmt.Sprintf("Dear {name},\n\na ballot is open in which you have a vote.\n\n%s\n\nIt is open until %s. Vote here:\n\n%s/contests/%s/vote\n\nYou will be asked to sign in. This message carries no ballot and no code; forwarding it gives nobody your vote.\n",
		Title(book, st), until, n.base, st.Ref)
	return n.post.Keep(ctx, "notice/"+b.ID, text)
}
