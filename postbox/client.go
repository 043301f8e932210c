package postbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/minutes"
	"github.com/omov/omov/tiles"
)

// Client talks to the post-box of one ballot. It believes nothing: what comes
// is bounded here and checked by who asked for it.
type Client struct {
	root string // where the pages are, without a slash at the end
	ref  string
	http *http.Client
}

// How long an answer may take: a small one, a large one, and what the server
// checks before it answers.
const (
	soon  = time.Minute
	later = 30 * time.Minute
)

// NewClient takes the address of a ballot's page, https://host/contests/REF.
func NewClient(page string) (*Client, error) {
	u, err := url.Parse(strings.TrimSpace(page))
	bad := fault.New(fault.Invalid, "%q is not the address of a ballot's page: it looks like https://votes.example.org/contests/2026-L-001", plain(page))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return nil, bad
	}
	before, ref, ok := strings.Cut(u.EscapedPath(), "/contests/")
	ref, _, _ = strings.Cut(ref, "/")
	plainRef, err := url.PathUnescape(ref)
	if !ok || err != nil || plainRef == "" || strings.Contains(plainRef, "/") {
		return nil, bad
	}
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Client{root: u.Scheme + "://" + u.Host + before, ref: plainRef, http: c}, nil
}

// Root is the address of the server's pages, by which its log is remembered.
func (c *Client) Root() string { return c.root }

// Page is the address of the ballot's page.
func (c *Client) Page() string { return c.root + "/contests/" + url.PathEscape(c.ref) }

func (c *Client) box(parts ...string) string {
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.TrimSuffix(c.Page()+"/sealed/"+strings.Join(parts, "/"), "/")
}

// ask sends a request and gives the body of the answer, which is open.
func (c *Client) ask(ctx context.Context, method, to string, body io.Reader) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, to, body)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "no request could be made of %q", plain(to))
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/octet-stream")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if cause := ctx.Err(); errors.Is(cause, context.Canceled) {
			return nil, cause
		}
		return nil, fault.Wrap(fault.Unavailable, err, "the server at %s does not answer; try again later", c.root)
	}
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusNoContent {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(io.LimitReader(resp.Body, maxReason))
	return nil, refusal(resp.StatusCode, resp.Header.Get("Location"), b)
}

// refusal makes an error of an answer that is one.
func refusal(status int, to string, b []byte) error {
	if to != "" {
		return fault.New(fault.Invalid, "the server sends on to %s: if that is the right address, give it", plain(to))
	}
	var x struct {
		Error struct{ Kind, Clause, Message string } `json:"error"`
	}
	known := []fault.Kind{fault.Invalid, fault.NotEntitled, fault.TooEarly, fault.TooLate, fault.Already, fault.NotFound, fault.Conflict, fault.TooMuch, fault.Unavailable}
	if json.Unmarshal(b, &x) == nil && x.Error.Message != "" && slices.Contains(known, fault.Kind(x.Error.Kind)) {
		return fault.Under(fault.Kind(x.Error.Kind), plain(x.Error.Clause), "the server says: %s", plain(x.Error.Message))
	}
	switch {
	case status == http.StatusNotFound:
		return fault.New(fault.NotFound, "there is no sealed ballot at this address")
	case status >= 500:
		return fault.New(fault.Unavailable, "the server cannot answer just now (status %d); try again later", status)
	}
	return fault.New(fault.Invalid, "the server refused, and said no more than status %d", status)
}

// get fetches at most so many bytes.
func (c *Client) get(ctx context.Context, from string, most int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, within(most))
	defer cancel()
	body, err := c.ask(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, most+1))
	switch {
	case err != nil && errors.Is(ctx.Err(), context.Canceled):
		return nil, ctx.Err()
	case err != nil:
		return nil, fault.Wrap(fault.Unavailable, err, "the connection to %s broke off; try again", c.root)
	case int64(len(b)) > most:
		return nil, fault.New(fault.TooMuch, "the server sends more than there can be; nothing of it was used")
	}
	return b, nil
}

func within(size int64) time.Duration {
	if size > 1<<20 {
		return later
	}
	return soon
}

func (c *Client) post(ctx context.Context, to string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, later)
	defer cancel()
	answer, err := c.ask(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err == nil {
		answer.Close()
	}
	return err
}

// Ballot reads the ballot as it stands.
func (c *Client) Ballot(ctx context.Context) (*Ballot, error) {
	b, err := c.get(ctx, c.box(), maxBallot)
	if err != nil {
		return nil, err
	}
	out := new(Ballot)
	if err := json.Unmarshal(b, out); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "what the server sends is not a sealed ballot: is the address right?")
	}
	if len(out.Deeds) > maxEntries {
		return nil, fault.New(fault.TooMuch, "the server shows more deeds of trustees than there can be")
	}
	if ref, _, _ := strings.Cut(out.Ballot, "/"); ref != c.ref {
		return nil, fault.New(fault.Damaged, "the server shows another ballot (%s) at the address of %s", plain(out.Ballot), plain(c.ref))
	}
	return out, nil
}

// Message posts a message of the key generation.
func (c *Client) Message(ctx context.Context, raw []byte) error {
	return c.post(ctx, c.box("message"), raw)
}

// List posts the registrar's list.
func (c *Client) List(ctx context.Context, list, signature []byte) error {
	b, err := json.Marshal(map[string][]byte{"list": list, "signature": signature})
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the list could not be written")
	}
	return c.post(ctx, c.box("list"), b)
}

// Input reads the ciphertexts of a group's standing papers; there are to be
// size bytes.
func (c *Client) Input(ctx context.Context, p place, size int64) ([]byte, error) {
	return c.get(ctx, c.box("input", p.section, p.class), size)
}

// Deed posts a deed with its bytes.
func (c *Client) Deed(ctx context.Context, deed, about []byte) error {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(deed)+len(about)), uint32(len(deed)))
	return c.post(ctx, c.box("deed"), append(append(b, deed...), about...))
}

// DeedBytes reads the bytes that a deed speaks of.
func (c *Client) DeedBytes(ctx context.Context, n int, size int64) ([]byte, error) {
	return c.get(ctx, c.box("deeds", fmt.Sprint(n)), size)
}

// LogKey reads the log's public key.
func (c *Client) LogKey(ctx context.Context) (string, error) {
	b, err := c.get(ctx, c.root+"/log/key", maxKey)
	return strings.TrimSpace(string(b)), err
}

// Checkpoint reads the newest signed checkpoint.
func (c *Client) Checkpoint(ctx context.Context) ([]byte, error) {
	return c.get(ctx, c.root+"/log/checkpoint", maxNote)
}

// tile reads a tile of the log.
func (c *Client) tile(ctx context.Context, ref tiles.Ref) ([]byte, error) {
	want := ref.Width * len(tiles.Hash{})
	b, err := c.get(ctx, c.root+"/log/"+ref.Path(), int64(want))
	if err == nil && len(b) != want {
		return nil, fault.New(fault.Damaged, "a part of the log is not as long as it has to be")
	}
	return b, err
}

// maxLine is the longest line of an entries file: a body and what is around it.
const maxLine = minutes.MaxBody + 16<<10

// entries opens the public entries below tile n of the log, one a line.
func (c *Client) entries(ctx context.Context, n int64) (io.ReadCloser, error) {
	path := tiles.Ref{Entries: true, N: n, Width: tiles.Width}.Path()
	return c.ask(ctx, http.MethodGet, c.root+"/log/"+strings.TrimPrefix(path, "tile/")+".jsonl", nil)
}
