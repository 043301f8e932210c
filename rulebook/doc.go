// Package rulebook turns the rules of an organisation, written as data, into
// a checked Book that the rest of omov can run: it parses, checks, explains,
// compares and amends rulebooks, and evaluates the expressions in them.
//
// It decides what a rulebook says: which names exist, what every threshold is
// a share of, when a deadline falls, whether a condition holds for a person.
// It never decides what an organisation does: it holds no state, reads no
// clock and no file, and draws nothing. Whatever it needs to know about
// people, units and proceedings it asks through Person, Unit, Run and Scope.
//
// # The format
//
// A rulebook is YAML 1.2 without anchors, tags and merge keys; unknown and
// repeated keys are errors. docs/rulebook.md is the specification. A short
// example:
//
//	rulebook: Mill Lane Housing Co-operative
//	edition: 2026-01-10
//	zone: Europe/London
//	classes:
//	  member: Holds one share and was admitted by the board.
//	offices:
//	  director: {from: member, seats: 5}
//	precedence: [rulebook]
//	procedures:
//	  rule_change:
//	    takes: {text: rulebook}
//	    begins: {backed: {from: member, at_least: 3}, window: 14 days}
//	    stages:
//	      - stage: vote
//	        ballot: member
//	        how: box
//	        window: 7 days
//	        passes: {at_least: 2/3, of: cast}
//	        then: {carried: {adopt: rulebook}, lost: {nothing: The rules stay.}}
//
// Expressions have the grammar of CEL (https://cel.dev, parsed by its own
// parser) and a library of our own: numbers are exact, a day is a day of the
// book's zone, a name of the book is a typed constant so that a misspelling
// does not compile, and there is no clock.
package rulebook
