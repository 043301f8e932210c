package contest

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/proceeding"
)

// Paper is one voter's paper in one section: option numbers with the first
// preference first, or the number of a choice. Value is what the vote is
// worth; empty: one.
type Paper struct {
	Ranks  []int
	Choice int // for a vote without options; -1 where there are ranks
	Value  string
}

// maxValue bounds the text of a vote's value.
const maxValue = 40

// longest is the size of the longest paper of a ballot, before sealing.
func (b *openBallot) longest() int {
	n := 2
	for i := range b.ballot.Options {
		n += len(binary.AppendUvarint(nil, uint64(i)))
	}
	for i := range b.facts.Sections {
		if b.valued(i) {
			return n + 1 + maxValue
		}
	}
	return n
}

// valued tells whether votes in a section are worth different amounts, or
// some voters have several there.
func (b *openBallot) valued(section int) bool {
	if t := &b.ballot.Roll.Sections[section]; !t.Listed && t.Votes != strconv.FormatInt(t.Entitled, 10) {
		return true
	}
	for _, v := range b.facts.Sections[section].Voters {
		if v.Value != "1" {
			return true
		}
	}
	return false
}

// encode writes a paper down for the box.
func (p *Paper) encode() []byte {
	out := []byte{'c'}
	if p.Choice < 0 {
		out[0] = 'r'
		for _, r := range p.Ranks {
			out = binary.AppendUvarint(out, uint64(r))
		}
	} else {
		out = binary.AppendUvarint(out, uint64(p.Choice))
	}
	if p.Value != "" && p.Value != "1" {
		// Options are at most MaxOptions, so a varint never is '='.
		out = append(out, 0xff, '=')
		out = append(out, p.Value...)
	}
	return out
}

// decodePaper reads what encode wrote.
func decodePaper(b []byte) (Paper, error) {
	bad := fault.New(fault.Damaged, "a paper in the box is not in the form of this contest")
	p := Paper{Choice: -1}
	if len(b) == 0 || b[0] != 'r' && b[0] != 'c' {
		return p, bad
	}
	kind := b[0]
	for b = b[1:]; len(b) > 0; {
		if len(b) > 1 && b[0] == 0xff && b[1] == '=' {
			p.Value = string(b[2:])
			if _, ok := new(big.Rat).SetString(p.Value); !ok || len(p.Value) > maxValue {
				return p, bad
			}
			break
		}
		v, n := binary.Uvarint(b)
		if n <= 0 || v > MaxOptions {
			return p, bad
		}
		if kind == 'c' {
			p.Choice = int(v)
		} else {
			p.Ranks = append(p.Ranks, int(v))
		}
		b = b[n:]
	}
	if kind == 'c' && p.Choice < 0 {
		return p, bad
	}
	return p, nil
}

// MaxOptions is the most options that a paper in the box can have.
const MaxOptions = 5_000

// check refuses a paper that is not one of this ballot: it says what is wrong
// and what to do, and nothing is lost.
func (b *openBallot) check(p *Paper) error {
	bal := &b.ballot
	if bal.Method == "" {
		if p.Choice < 0 || p.Choice >= len(bal.Choices) {
			return fault.Under(fault.Invalid, b.cite, "Choose one of %s.", list(bal.Choices))
		}
		p.Ranks = nil
		return nil
	}
	p.Choice = -1
	if len(p.Ranks) == 0 {
		return fault.Under(fault.Invalid, b.cite, "The paper is empty: give at least a first preference.")
	}
	if most := b.marks(); len(p.Ranks) > most {
		return fault.Under(fault.Invalid, b.cite, "The paper has %d marks; it can have %d.", len(p.Ranks), most)
	}
	seen := make([]bool, len(bal.Options))
	for i, r := range p.Ranks {
		if r < 0 || r >= len(bal.Options) {
			return fault.Under(fault.Invalid, b.cite, "Preference %d is for a candidate who is not on the paper.", i+1)
		}
		if seen[r] {
			return fault.Under(fault.Invalid, b.cite, "%s is on the paper twice; give each candidate one place.", bal.Options[r].Name)
		}
		seen[r] = true
	}
	for i := range bal.Quotas {
		if q := &bal.Quotas[i]; q.On == proceeding.OnPaper && !q.Keeps(p.Ranks) {
			return fault.Under(fault.Invalid, b.cite, "The paper would be void: a valid one names %s.", q.Says)
		}
	}
	return nil
}

func (b *openBallot) marks() int {
	_, n := b.ballot.Marking()
	return n
}

func list(words []string) string {
	if len(words) < 2 {
		return fmt.Sprint(words)
	}
	s := ""
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			s += " or "
		default:
			s += ", "
		}
		s += w
	}
	return s
}

// canonical puts marks whose order means nothing in one order, so that equal
// papers are equal.
func (b *openBallot) canonical(p *Paper) {
	if k, _ := b.ballot.Marking(); k == proceeding.ByMany {
		slices.Sort(p.Ranks)
	}
}
