package rulebook

import (
	"slices"
	"strings"
)

// ReadSlot reads a value that somebody wants to set a slot to, as it would be
// written in a rulebook; false where it is not of the slot's type.
func (b *Book) ReadSlot(s *Slot, text string) (Value, bool) {
	text = strings.TrimSpace(text)
	switch s.Is {
	case SlotDate:
		m, ok := parseMoment(strings.Replace(text, "T", " ", 1), b.Calendar())
		return Value{Type: TypeMoment, Moment: m}, ok
	case SlotSpan:
		n, ok := parseSpan(text)
		return Value{Type: TypeSpan, Span: n}, ok
	case SlotShare:
		r, ok := parseShare(text)
		return Value{Type: TypeShare, Number: r}, ok
	case SlotNumber:
		r, ok := parseDecimal(text)
		return Value{Type: TypeNumber, Number: r}, ok
	case SlotMoney:
		m, ok := parseMoney(text)
		return Value{Type: TypeMoney, Money: m}, ok
	case SlotChoices:
		return Value{Type: TypeWords, Words: text}, slices.Contains(s.Choices, text)
	}
	return Value{Type: TypeWords, Words: text}, len(text) <= 1000
}
