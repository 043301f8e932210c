// Package proceeding is the state machine of one run of a procedure: who may
// call it, who has supported it, which stage it is in, when its windows close,
// which ballot is open, and what followed. It interprets a rulebook; there is
// no Go code for any one organisation's procedure.
//
// Decide takes a rulebook, a state, a command and an instant, evaluates what
// the rulebook asks and gives back entries for the minute book, or a refusal
// with its clause. Every evaluated result is written into the entries: tally,
// denominator, deadline, roll root, lot. Apply takes an entry and changes a
// state; it evaluates no expression, reads no clock and draws nothing, so that
// a replay with a later version of omov gives the same state.
//
// It never reads a clock, a file or a database: it asks about people and
// units through World, which the caller builds over one snapshot.
//
// The semantics are those of the rulebook language (docs/rulebook.md).
package proceeding
