package sealed

import (
	"github.com/omov/omov/fault"
	"github.com/omov/omov/sealed/proof"
)

// Records is what a board has taken, in memory or in a database.
type Records interface {
	// Credential gives a key of the list; nil where it is not on it.
	Credential(key [32]byte) (*Credential, error)
	// Accepted gives the receipt of an accepted paper; nil where there is none.
	Accepted(hash [32]byte) (*Receipt, error)
	// Latest gives a credential's current paper in a contest: the manifest's
	// hash and 0 where it has none.
	Latest(key [32]byte, contest string) (hash [32]byte, sequence uint32, err error)
	// Used tells whether one of the elements stands in an accepted paper.
	Used(elements [][32]byte) (bool, error)
}

// Judge decides whether the next paper of a board is accepted. check gives
// what Check gives of it, which may have been computed before. A refusal says
// why; the error is that of the records.
func (c *Checker) Judge(p *Paper, check func() error, on Records) (*Refusal, error) {
	if err := c.place(p); err != nil {
		return &Refusal{Reason: Malformed, Err: err}, nil
	}
	cr, err := on.Credential(p.Key)
	if err != nil {
		return nil, err
	}
	if cr == nil || cr.Section != p.Section {
		return &Refusal{Reason: Unlisted, Err: fault.New(fault.NotEntitled, "this credential is not on the list of section %s: the vote was not recorded", p.Section)}, nil
	}
	if err := check(); err != nil {
		return &Refusal{Reason: Unproved, Err: err}, nil
	}
	old, err := on.Accepted(p.Hash)
	if err != nil {
		return nil, err
	}
	if old != nil {
		return &Refusal{Reason: Repeated, Err: fault.New(fault.Already, "this paper is on the board already"), Receipt: old}, nil
	}
	copied, err := used(p.Fresh(), on)
	if err != nil {
		return nil, err
	}
	if copied {
		return &Refusal{Reason: Copied, Err: fault.New(fault.Invalid, "a part of this paper stands in another one: the vote was not recorded")}, nil
	}
	previous, sequence, err := on.Latest(p.Key, p.Contest)
	if err != nil {
		return nil, err
	}
	if p.Previous != previous || p.Sequence != sequence+1 {
		return &Refusal{Reason: Stale, Err: fault.New(fault.Conflict, "another paper was cast with this credential since: look at it, and cast again if you want to replace it")}, nil
	}
	return nil, nil
}

// Late is what is said of a paper that comes after the close.
func Late() error {
	return fault.New(fault.TooLate, "the ballot is closed: this paper was not recorded")
}

// Fresh gives what may stand in one paper only: each A, and each commitment of
// the proof.
func (p *Paper) Fresh() [][32]byte {
	var out [][32]byte
	n := len(p.Pairs) / proof.PairSize
	for i := range n {
		out = append(out, [32]byte(p.Pairs[i*proof.PairSize:]))
		if p.Sum {
			for k := range 4 {
				out = append(out, [32]byte(p.Proof[i*proof.BitSize+k*proof.Size:]))
			}
		} else {
			out = append(out, [32]byte(p.Proof[i*proof.KnownSize:]))
		}
	}
	return out
}

// used tells whether an element stands in an accepted paper, or twice in this
// one.
func used(fresh [][32]byte, on Records) (bool, error) {
	own := make(map[[32]byte]struct{}, len(fresh))
	for _, f := range fresh {
		if _, ok := own[f]; ok {
			return true, nil
		}
		own[f] = struct{}{}
	}
	return on.Used(fresh)
}
