// Package rehearsal tries a rulebook: it reads a script of people, dates, acts
// and expectations, lets it happen on a virtual clock, and says what came
// otherwise than expected.
//
// It decides what a script says and what the people in it do when. It never
// decides what an organisation's rules make of that: every act goes through
// the use cases of package contest and package registry over a book of its
// own, which is thrown away at the end. Before that it is replayed into an
// empty book and compared with it, and small ones have both their bundles
// verified, so that each rehearsal also tries the record.
//
// # The form of a script
//
// YAML as rulebooks are written in it (see package rulebook); several
// rehearsals in a file are separated by `---`. docs/rehearsals.md is the
// specification. A short example:
//
//	rehearsal: Three of thirty ask for a meeting
//	rulebook: cooperative
//	begin: 2026-03-01
//	people:
//	  - {named: Member, make: 30, class: member, since: 2020-01-01}
//	  - {also: Member 1, named: Sam Secretary, holds: secretary}
//	steps:
//	  - {at: 2026-03-02, by: Member 2..3, call: special_meeting, refused: "2 of 30"}
//	  - {at: 2026-03-02, by: Member 2..4, call: special_meeting, with: {text: Sell no houses}}
//	  - {at: 2026-05-01, papers: {for: 14, against: 9}}
//	expect: {outcome: carried}
//
// # Bounds
//
// A file has at most 1 MiB and 200 rehearsals, a rehearsal at most 256 KiB,
// 2,000 steps, 2,000,000 people, 50,000 units and a hundred years. What
// passes a bound is a Problem before anything is run.
package rehearsal
