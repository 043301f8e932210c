// Package fault is the one vocabulary of refusal. Every package that says no
// says it with an *Error: what kind of no it is, which clause of the rulebook
// stands behind it, and a sentence for the person who was refused.
//
// It never decides anything, never formats for a terminal or a page, and
// imports nothing of omov: only cli and web turn a kind into an exit code or
// a status.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what sort of refusal an error is; cli and web map it.
type Kind string

// The kinds. Whatever is not a *Error is Internal.
const (
	Invalid     Kind = "invalid"     // the input is malformed: what to write instead is in the message
	NotEntitled Kind = "entitled"    // this person may not do this: the clause says why
	TooEarly    Kind = "early"       // the window has not opened
	TooLate     Kind = "late"        // the window or the deadline has passed
	Already     Kind = "already"     // it has been done and cannot be done twice
	NotFound    Kind = "not-found"   // nothing is called that
	Conflict    Kind = "conflict"    // somebody else was faster; reading again and repeating may help
	SignIn      Kind = "sign-in"     // who is asking must first be known
	TooMuch     Kind = "too-much"    // a bound on size or rate was reached
	Damaged     Kind = "damaged"     // stored data does not verify; nothing is written until it is mended
	Unavailable Kind = "unavailable" // a part that is needed does not answer; try again later
	Internal    Kind = "internal"    // a mistake of ours
)

// Error is a refusal. Message is a whole sentence for a person who is not a
// programmer. Clause cites the rulebook and may be empty where no rule is
// involved. Fact and Source name the fact that decided and where it comes
// from; Remedy says what the person can do. Err is the cause, for the log
// only.
type Error struct {
	Kind    Kind
	Clause  string
	Message string
	Fact    string
	Source  string
	Remedy  string
	Err     error
}

// Error gives the message, with the clause in front where there is one.
func (e *Error) Error() string {
	s := e.Message
	if e.Clause != "" {
		s = "clause " + e.Clause + ": " + s
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// New makes a refusal with a formatted message and no clause.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// Under makes a refusal that rests on a clause of the rulebook.
func Under(k Kind, clause, format string, args ...any) *Error {
	return &Error{Kind: k, Clause: clause, Message: fmt.Sprintf(format, args...)}
}

// Wrap keeps a cause behind a sentence for people.
func Wrap(k Kind, err error, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...), Err: err}
}

// Of gives the refusal inside err, or nil if there is none.
func Of(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// KindOf gives the kind of err: Internal for any error that is not a refusal,
// and the empty kind for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if e := Of(err); e != nil {
		return e.Kind
	}
	return Internal
}

// Is tells whether err is a refusal of kind k.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }
