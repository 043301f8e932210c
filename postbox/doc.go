// Package postbox is what trustees and the credential registrar of a sealed
// ballot do on their own machines, over a server that they need not trust: it
// is a post-box to them.
//
// It decides what a trustee contributes, and refuses, with a reason, wherever
// the server shows something that does not follow: a manifest without the
// trustee's keys, a second manifest of the same election, a key generation that
// goes back on itself, a log that does not go on from what was seen of it, a
// second close, papers that the log does not hold or that ought not to count, a
// mix that does not prove itself, a second set of papers to be opened. What has
// to be remembered for that is in the trustee's file, durably, before anything
// leaves the machine.
//
// It never sends a secret, never tells the server a passphrase or a code, and
// decides nothing about who may vote. It follows docs/sealed-board.md; what is
// a valid message, paper, mix or share is decided by package sealed, and what
// a log is by package tiles.
//
// # The file
//
// A trustee's or registrar's file is encrypted with age under a passphrase
// (age-encryption.org/v1, scrypt) and holds JSON: see trusteeState and
// registrarState. It is replaced as a whole: a new file is written and synced
// beside it and takes its name. While a command uses it, FILE.lock is locked.
// A mix or shares that have been made and are not on the board yet lie in
// FILE.part-… ; they hold nothing that is not about to be public.
//
// # What a trustee takes on trust
//
// The keys of the other trustees, which people compare by their fingerprints;
// and the log's key when it is first seen, which is shown. What is read of the
// record begins where no paper can be older: before the trustee's own part in
// the key.
//
// # What a registrar takes on trust
//
// That the roll is the organisation's: its figures are compared with those of
// the ballot, its names cannot be. Codes never leave the file but in letters; a
// list, and each change of it, is signed once, and looked up in the log.
package postbox
