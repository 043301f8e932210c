package marks

import (
	"math/big"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/ristretto"
)

// Embed gives the elements of a number, 32 bytes each.
func (b *Book) Embed(g *ristretto.Group, n *big.Int) ([]byte, error) {
	size := digitBits / 8
	digits := n.FillBytes(make([]byte, b.Elements()*size))
	var out []byte
	for ; len(digits) > 0; digits = digits[size:] {
		e, ok := embed(g, digits[:size])
		if !ok { // about one number in 2^6800
			return nil, fault.New(fault.Internal, "a paper cannot be written as an element")
		}
		out = append(out, e[:]...)
	}
	return out, nil
}

func embed(g *ristretto.Group, digit []byte) (e [ristretto.Size]byte, ok bool) {
	copy(e[1:31], digit)
	var p ristretto.Point
	for counter := range 128 * 128 {
		setCounter(&e, counter)
		if g.Decode(&p, e[:]) {
			return e, true
		}
	}
	return e, false
}

func setCounter(e *[ristretto.Size]byte, counter int) {
	e[0], e[31] = byte(counter%128)*2, byte(counter/128)
}

// Extract reads the number out of elements, each of which has been decoded
// before. It refuses a counter that is not the smallest.
func (b *Book) Extract(g *ristretto.Group, elements []byte) (*big.Int, error) {
	if len(elements) != b.Elements()*ristretto.Size {
		return nil, fault.New(fault.Invalid, "a paper has another number of elements than its form")
	}
	var digits []byte
	for ; len(elements) > 0; elements = elements[ristretto.Size:] {
		e := [ristretto.Size]byte(elements)
		if e[0]&1 == 1 || e[31] > 127 {
			return nil, fault.New(fault.Invalid, "a paper holds an element that is none")
		}
		counter := int(e[0])/2 + 128*int(e[31])
		try := e
		var p ristretto.Point
		for c := range counter {
			setCounter(&try, c)
			if g.Decode(&p, try[:]) {
				return nil, fault.New(fault.Invalid, "a paper is written in another way than the one allowed, which could be a mark")
			}
		}
		digits = append(digits, e[1:31]...)
	}
	return new(big.Int).SetBytes(digits), nil
}
