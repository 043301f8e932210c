package registry

import (
	"context"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/mail"
	"github.com/omov/omov/register"
)

// Directory is how people are reached and found: what mail and login ask for.
type Directory struct{ Chamber *chamber.Chamber }

// Reach gives a person's name and address; fault.NotFound where there is
// none.
func (d Directory) Reach(ctx context.Context, p register.PersonID) (name, address string, err error) {
	err = d.Chamber.Read(ctx, func(w *chamber.World) error {
		x, err := w.ParticularsOf(p)
		name, address = x.Name, x.Email
		if err == nil && address == "" {
			err = fault.New(fault.NotFound, "person %d has no e-mail address", p)
		}
		return err
	})
	return name, address, err
}

// ByEmail gives who has an address; nobody is no error.
func (d Directory) ByEmail(ctx context.Context, address string) ([]register.PersonID, error) {
	macs, err := d.Chamber.EmailMACs(ctx)
	if err != nil {
		return nil, err
	}
	mac := macs.Of(address)
	if mac == nil {
		return nil, nil
	}
	var out []register.PersonID
	err = d.Chamber.Read(ctx, func(w *chamber.World) error {
		rows, err := w.Tx().PeopleByEmail(mac)
		out = out[:0]
		for _, r := range rows {
			out = append(out, register.PersonID(r.ID))
		}
		return err
	})
	return out, err
}

// LinkPost sends sign-in links through the outbox.
type LinkPost struct {
	Post    *mail.Post
	Chamber *chamber.Chamber
}

// SendLink queues a message with the link.
func (l LinkPost) SendLink(ctx context.Context, p register.PersonID, link string) error {
	name := ""
	if err := l.Chamber.Read(ctx, func(w *chamber.World) error { name = w.Organisation().Name; return nil }); err != nil {
		return err
	}
	_, err := l.Post.Queue(ctx, []mail.Message{{Dedupe: "link/" + link, Person: p, Subject: "Sign in to " + name,
		Body: "Dear {name},\n\nthis link signs you in to " + name + ". It is good for one hour and can be used once:\n\n" + link +
			"\n\nIf you did not ask for it, do nothing: nobody can use it without this message.\n"}})
	return err
}
