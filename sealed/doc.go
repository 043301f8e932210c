// Package sealed is the cryptography of sealed ballots: what is fixed before
// (Manifest), who may cast (Code, Credential, Listing), what is cast (Ballot,
// Paper), which papers count (Checker, Board), and how they are opened
// (Opening, Pledge, Shares). Its subpackages make the key (keygen), shuffle
// (mixing), write papers as numbers and elements (marks), prove (proof), turn
// statements into challenges (transcript), and compare back ends (group).
//
// It decides what a valid paper, mix or share is. It never stores or sends
// anything, reads no clock, knows no person, and never opens a single paper:
// only the outputs of the last mix, or sums. What people are told when
// something is refused is in the errors, which are of package fault.
//
// The protocol is laid down in docs/sealed-format.md, with every byte, so that
// a voter's page and a verifier can be written from it; testdata/vectors.json
// has examples of each part. Package verify has its own reader and its own
// proof checks and shares package ristretto only.
//
// # From the call to the result
//
//	m, _ := DecodeManifest(b); hash, _ := m.Hash()     // trustees' keys compared by keygen.Fingerprint
//	c, _ := keygen.NewCeremony(g, m.Ceremony(hash))    // Post messages, Next ends a phase
//	key, _ := c.Joint()                                // after all have confirmed
//	code := NewCode(); code.Text()                     // the registrar's letter
//	code.Key(hash, section).Public(g)                  // on the registrar's list: SignListing, ReadListing
//	checker, _ := NewChecker(g, m, key)
//	board, _ := NewBoard(checker, list)
//	raw, _, _ := (&Ballot{…}).Seal(marks, code.Key(hash, section)) // in the voter's hands
//	receipt, err := board.Post(raw)                    // err is a *Refusal; PostAll checks many together
//	in, n := board.Group(contest, section, class)      // after Close; n ≥ m.MinSize or nothing is opened
//	proof, _ := mixing.Shuffle(g, statement)           // each mixer; mixing.Verify before going on
//	o := &Opening{…}; o.Pledge()                       // kept durably before the first share
//	s, _ := o.MakeShares(g, backend, j, share)         // each trustee; o.CheckShares
//	plain, _ := o.Combine(g, m.Threshold, shares)
//	papers, spoilt, _ := Papers(g, m.Contest(id), plain)
//
// A contest of the form "sum" is not mixed: AddUp, open the sums, Totals.
//
// A server checks the papers that wait for its writer together, with
// Checker.CheckAll, at a quarter of the cost of Checker.Check on each, and gives
// them to Board.Take in the order of the board.
//
// # Secrets
//
// Codes, identities and proof.Secret print as "(secret)" and refuse to be
// written as JSON. Multiplications by long-lived secrets (key shares, signing
// keys, decryption) take a time that does not depend on them. A shuffle's
// one-time secrets do not have that care: it runs on the mixer's own machine.
// Wipe overwrites what Go lets it; copies made by the runtime are out of reach.
package sealed
