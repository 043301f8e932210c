package contest

import (
	"context"
	"fmt"
	"strings"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/mail"
	"github.com/omov/omov/proceeding"
	"github.com/omov/omov/register"
	"github.com/omov/omov/store"
)

// changes tells everybody whose vote a decision gave or took: that it did,
// whose decision it was, and where to look. Nobody is told twice of one.
func (n *Notices) changes(ctx context.Context, st *proceeding.State) (int, error) {
	total := 0
	for i := range st.Acts {
		a := &st.Acts[i]
		var moved int64
		for _, r := range a.Rolls {
			moved += r.Moved
		}
		if moved == 0 {
			continue
		}
		k, err := n.changed(ctx, st, a)
		if err != nil {
			return total, err
		}
		total += k
	}
	return total, nil
}

// changed tells those concerned by one act.
func (n *Notices) changed(ctx context.Context, st *proceeding.State, a *proceeding.Act) (int, error) {
	key := fmt.Sprintf("%s/act/%d", st.Ref, a.N)
	done := false
	err := n.s.ch.Read(ctx, func(w *chamber.World) error {
		raw, err := w.Tx().Setting(noticeSetting(key))
		done = raw != nil
		return err
	})
	if err != nil || done {
		return 0, err
	}
	gained, lost, err := n.s.ch.Moved(ctx, st.Ref, a.N)
	if err != nil {
		return 0, err
	}
	_, book, err := n.s.State(ctx, st.Ref)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, part := range []struct {
		people []register.PersonID
		word   string
		says   string
	}{{gained, "gained", "you have a vote in it now"}, {lost, "lost", "you have no vote in it now"}} {
		if len(part.people) == 0 {
			continue
		}
		name := fmt.Sprintf("notice/%s/%s", key, part.word)
		text := fmt.Sprintf("Dear {name},\n\na decision has changed who can vote in\n\n%s\n\nBy a decision of %s of %s, %s. Your page says why, by which clause, and what you can do:\n\n%s/contests/%s\n",
			Title(book, st), "the "+strings.ReplaceAll(a.By, "_", " "), when(book, a.At), part.says, n.base, st.Ref)
		if err := n.post.Keep(ctx, name, text); err != nil {
			return total, err
		}
		k, err := n.queueAll(ctx, name, "Your vote has changed", part.people)
		if err != nil {
			return total, err
		}
		total += k
	}
	err = n.s.ch.DB.Write(ctx, func(tx *store.Tx) error { return tx.PutSetting(noticeSetting(key), []byte("done")) })
	return total, err
}

// queueAll queues one kept text for many people, in parts.
func (n *Notices) queueAll(ctx context.Context, name, subject string, people []register.PersonID) (int, error) {
	total := 0
	for i := 0; i < len(people); i += 1_000 {
		var list []mail.Message
		for _, p := range people[i:min(i+1_000, len(people))] {
			list = append(list, mail.Message{Dedupe: fmt.Sprintf("%s/%d", name, p), Person: p, Subject: subject, Body: "@" + name})
		}
		k, err := n.post.Queue(ctx, list)
		if err != nil {
			return total, err
		}
		total += k
	}
	return total, nil
}

// live gives every proceeding that has not ended, for its notices.
func (n *Notices) live(ctx context.Context) ([]*proceeding.State, error) {
	var out []*proceeding.State
	err := n.s.ch.Read(ctx, func(w *chamber.World) error {
		out = nil
		rows, err := w.Tx().OpenProceedings()
		if err != nil {
			return err
		}
		for _, r := range rows {
			st, err := w.State(r.Ref)
			if fault.Is(err, fault.NotFound) {
				continue
			}
			if err != nil {
				return err
			}
			out = append(out, st)
		}
		return nil
	})
	return out, err
}
