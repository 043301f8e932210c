package postbox

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/sealed/keygen"
)

// Runs gives a client for each ballot of a server in which somebody may have
// something to do. root is the address of the organisation's pages.
func Runs(ctx context.Context, root string) ([]*Client, error) {
	u, err := url.Parse(strings.TrimRight(strings.TrimSpace(root), "/"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return nil, fault.New(fault.Invalid, "%q is not the address of an organisation's pages: it looks like https://votes.example.org", plain(root))
	}
	at := &Client{root: u.Scheme + "://" + u.Host + u.EscapedPath(), http: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	b, err := at.get(ctx, at.root+"/sealed", maxBallot)
	if err != nil {
		return nil, err
	}
	var list []struct {
		Ref string `json:"ref"`
	}
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fault.New(fault.Invalid, "the server at %s does not say which sealed ballots it holds", plain(root))
	}
	var out []*Client
	for _, x := range list {
		c, err := NewClient(at.root + "/contests/" + url.PathEscape(x.Ref))
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// NotMine tells whether a refusal is that the trustee of a file is none of a
// ballot's.
func NotMine(err error) bool { return keygen.NotRegistered(err) }
