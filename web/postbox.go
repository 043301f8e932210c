package web

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/omov/omov/bundle"
	"github.com/omov/omov/fault"
	"github.com/omov/omov/sealed"
	"github.com/omov/omov/sealed/keygen"
	"github.com/omov/omov/sealing"
)

// The post-box of sealed ballots, as docs/sealed-board.md lays it down: what
// trustees, registrars and voters' pages read and post. Nobody has to sign in,
// for what is posted is signed by whoever posts it, or harmless.

// The most bytes that may be posted.
const (
	maxList   = 64 << 20
	maxChange = 4 << 20
	maxPosts  = 1 << 20 // of messages and papers, which are bounded more closely below
)

func (s *Site) postboxRoutes() {
	s.box("GET /sealed", 0, (*visit).sealedRuns)
	s.box("GET /contests/{ref}/sealed", 0, (*visit).sealedBoard)
	s.box("POST /contests/{ref}/sealed/message", maxPosts, (*visit).sealedMessage)
	s.box("POST /contests/{ref}/sealed/list", maxList, (*visit).sealedList)
	s.box("POST /contests/{ref}/sealed/change", maxChange, (*visit).sealedChange)
	s.box("POST /contests/{ref}/sealed/paper", maxPosts, (*visit).sealedPaper)
	s.box("GET /contests/{ref}/sealed/credential/{key}", 0, (*visit).sealedCredential)
	s.box("GET /contests/{ref}/sealed/papers/{hash}", 0, (*visit).sealedFound)
	s.box("GET /contests/{ref}/sealed/input/{section}/{class}", 0, (*visit).sealedInput)
	s.box("GET /contests/{ref}/sealed/deeds/{n}", 0, (*visit).sealedDeedBytes)
	s.box("POST /contests/{ref}/sealed/deed", 4+sealed.MaxDeed+sealing.MaxBytes, (*visit).sealedDeed)
	s.box("GET /log/key", 0, (*visit).logKey)
	s.box("GET /log/entries/{path...}", 0, (*visit).logEntries)
}

// box wraps one of them: a refusal is JSON, and nobody's session is looked at.
func (s *Site) box(pattern string, most int64, fn func(v *visit) error) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, most)
		v := &visit{s: s, w: w, r: r, Path: r.URL.Path}
		var err error
		if ref := r.PathValue("ref"); ref != "" {
			err = v.concerned(ref)
		}
		if err == nil {
			err = fn(v)
		}
		if err != nil {
			v.refuseJSON(err)
		}
	})
}

// BoxRefusal is a refusal of the post-box.
type BoxRefusal struct {
	Error BoxError `json:"error"`
}

// BoxError says why; Reason is there where a sealed paper was refused.
type BoxError struct {
	Kind    fault.Kind    `json:"kind"`
	Clause  string        `json:"clause,omitempty"`
	Message string        `json:"message"`
	Reason  sealed.Reason `json:"reason,omitempty"`
}

func (v *visit) refuseJSON(err error) {
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		err = fault.New(fault.TooMuch, "more was sent than there can be; nothing of it was recorded")
	}
	k := fault.KindOf(err)
	x := BoxRefusal{BoxError{Kind: k, Message: "Something went wrong on the server. Nothing has been recorded; try again in a moment."}}
	code := status(k)
	if f := fault.Of(err); f != nil && k != fault.Internal && k != fault.Damaged {
		x.Error.Clause, x.Error.Message = f.Clause, sentence(f.Message)
	} else {
		x.Error.Kind = fault.Unavailable
		v.s.Log.Error("the post-box failed", "path", v.r.URL.Path, "error", err)
	}
	if r := (*sealed.Refusal)(nil); errors.As(err, &r) {
		x.Error.Reason, code = r.Reason, refusedAs(r.Reason)
	}
	v.w.Header().Set("Content-Type", "application/json")
	v.w.WriteHeader(code)
	json.NewEncoder(v.w).Encode(x)
}

// refusedAs is the status of a sealed paper that was refused.
func refusedAs(r sealed.Reason) int {
	switch r {
	case sealed.Malformed, sealed.Unproved:
		return http.StatusUnprocessableEntity
	case sealed.Unlisted:
		return http.StatusForbidden
	case sealed.AfterClose:
		return http.StatusGone
	}
	return http.StatusConflict
}

// json answers with a value.
func (v *visit) json(x any, err error) error {
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(v.w).Encode(x)
}

// octets answers with bytes.
func (v *visit) octets(b []byte, err error) error {
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/octet-stream")
	v.w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, err = v.w.Write(b)
	return err
}

// recorded says that what was posted is in the record.
func (v *visit) recorded(err error) error {
	if err == nil {
		v.s.Wake()
		v.w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// posted reads what was posted, at most so many bytes.
func (v *visit) posted(most int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(v.r.Body, most+1))
	if err == nil && int64(len(b)) > most {
		err = fault.New(fault.TooMuch, "more was sent than there can be (%d bytes); nothing of it was recorded", most)
	}
	if f := fault.Of(err); err != nil && f == nil {
		if tooLong := (*http.MaxBytesError)(nil); !errors.As(err, &tooLong) {
			err = fault.Wrap(fault.Invalid, err, "what was sent did not arrive whole; send it again")
		}
	}
	return b, err
}

// sealedRuns lists the ballots in which a trustee may have something to do.
func (v *visit) sealedRuns() error {
	return v.json(v.s.Contests.SealedRuns(v.r.Context()))
}

func (v *visit) sealedBoard() error {
	return v.json(v.s.Contests.SealedBoard(v.r.Context(), v.r.PathValue("ref")))
}

func (v *visit) sealedMessage() error {
	b, err := v.posted(keygen.MaxMessage)
	if err != nil {
		return err
	}
	return v.recorded(v.s.Contests.SealedMessage(v.r.Context(), v.r.PathValue("ref"), b))
}

// sealedList takes the registrar's list: read only while one is waited for, as
// it may be long.
func (v *visit) sealedList() error {
	ctx, ref := v.r.Context(), v.r.PathValue("ref")
	board, err := v.s.Contests.SealedBoard(ctx, ref)
	switch {
	case err != nil:
		return err
	case board.ServerRegistrar:
		return fault.New(fault.NotEntitled, "the server is the registrar of this ballot")
	case board.List != nil:
		return fault.New(fault.Already, "the list of who may vote is there already")
	}
	return v.alone(func() error {
		x, err := v.fromRegistrar(maxList)
		if err != nil {
			return err
		}
		return v.recorded(v.s.Contests.SealedList(ctx, ref, x.List, x.Signature))
	})
}

// sealedChange takes the registrar's change of the list.
func (v *visit) sealedChange() error {
	return v.alone(func() error {
		x, err := v.fromRegistrar(maxChange)
		if err != nil {
			return err
		}
		return v.recorded(v.s.Contests.SealedRelist(v.r.Context(), v.r.PathValue("ref"), x.Change, x.Signature))
	})
}

// signedList is a list, or a change of one, with the registrar's signature.
type signedList struct {
	List      []byte `json:"list"`
	Change    []byte `json:"change"`
	Signature []byte `json:"signature"`
}

func (v *visit) fromRegistrar(most int64) (*signedList, error) {
	b, err := v.posted(most)
	if err != nil {
		return nil, err
	}
	x := &signedList{}
	if err := json.Unmarshal(b, x); err != nil {
		return nil, fault.New(fault.Invalid, "a list is posted as {\"list\", \"signature\"}, and a change as {\"change\", \"signature\"}")
	}
	return x, nil
}

func (v *visit) sealedPaper() error {
	b, err := v.posted(sealed.MaxPaper)
	if err != nil {
		return err
	}
	return v.json(v.s.Contests.SealedPost(v.r.Context(), v.r.PathValue("ref"), b))
}

// hash32 reads 32 bytes of the address.
func (v *visit) hash32(name string) ([32]byte, error) {
	b, err := hex.DecodeString(v.r.PathValue(name))
	if err != nil || len(b) != 32 {
		return [32]byte{}, fault.New(fault.Invalid, "the address ends in 64 digits from 0 to 9 and a to f")
	}
	return [32]byte(b), nil
}

func (v *visit) sealedCredential() error {
	key, err := v.hash32("key")
	if err != nil {
		return err
	}
	return v.json(v.s.Contests.SealedCredential(v.r.Context(), v.r.PathValue("ref"), key))
}

func (v *visit) sealedFound() error {
	begin, err := hex.DecodeString(v.r.PathValue("hash"))
	if err != nil {
		return fault.New(fault.Invalid, "the address ends in the digits from 0 to 9 and a to f of a paper's code")
	}
	return v.json(v.s.Contests.SealedPaperLike(v.r.Context(), v.r.PathValue("ref"), begin))
}

func (v *visit) sealedInput() error {
	return v.large(func() ([]byte, error) {
		return v.s.Contests.SealedInput(v.r.Context(), v.r.PathValue("ref"), v.r.PathValue("section"), v.r.PathValue("class"))
	})
}

// large reads what may be long while nobody else has such a thing read, and
// sends it; whoever takes it slowly does not keep the others waiting.
func (v *visit) large(read func() ([]byte, error)) error {
	var b []byte
	err := v.alone(func() (err error) {
		b, err = read()
		return err
	})
	if err != nil {
		return err
	}
	v.patient()
	return v.octets(b, nil)
}

// patience is how long a trustee may take to send or to fetch a mix: the
// server's own time for a page would cut them off.
const patience = 30 * time.Minute

// patient gives this request that long. Where the connection knows no deadline
// there is none to move.
func (v *visit) patient() {
	c, until := http.NewResponseController(v.w), time.Now().Add(patience)
	c.SetReadDeadline(until)
	c.SetWriteDeadline(until)
}

func (v *visit) sealedDeedBytes() error {
	n, err := strconv.Atoi(v.r.PathValue("n"))
	if err != nil {
		return fault.New(fault.Invalid, "a deed has a number, from 0")
	}
	return v.large(func() ([]byte, error) {
		return v.s.Contests.SealedDeedBytes(v.r.Context(), v.r.PathValue("ref"), n)
	})
}

// sealedDeed takes a trustee's deed. What it speaks of is read only if the
// deed is signed and waited for.
func (v *visit) sealedDeed() error {
	ctx, ref := v.r.Context(), v.r.PathValue("ref")
	var head [4]byte
	if _, err := io.ReadFull(v.r.Body, head[:]); err != nil {
		return fault.New(fault.Invalid, "a deed begins with its length")
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > sealed.MaxDeed {
		return fault.New(fault.TooMuch, "a deed has at most %d bytes", sealed.MaxDeed)
	}
	deed := make([]byte, n)
	if _, err := io.ReadFull(v.r.Body, deed); err != nil {
		return fault.New(fault.Invalid, "the deed did not arrive whole; send it again")
	}
	most, known, err := v.s.Contests.SealedExpects(ctx, ref, deed)
	if err != nil {
		return err
	}
	v.patient()
	if known { // anybody can send what is public once more: it costs no memory
		_, err := io.Copy(io.Discard, io.LimitReader(v.r.Body, most))
		return v.recorded(err)
	}
	about, err := v.posted(most)
	if err != nil {
		return err
	}
	return v.recorded(v.s.Contests.SealedDeed(ctx, ref, deed, about))
}

// logKey is the key that the log's checkpoints are signed with.
func (v *visit) logKey() error {
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := io.WriteString(v.w, v.s.Chamber.DB.VerifierKey()+"\n")
	return err
}

// logEntries gives the public entries below one tile of the log, as bundles
// hold them.
func (v *visit) logEntries() error {
	n, err := bundle.ParseEntriesPath("entries/" + v.r.PathValue("path"))
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := bundle.Entries(v.r.Context(), v.s.Chamber, n, &out); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/jsonl")
	_, err = v.w.Write(out.Bytes())
	return err
}
