package rulebook

import (
	"math/big"
	"strconv"
	"strings"
)

// num is an exact number: a small integer, or a rational where r is set.
type num struct {
	i int64
	r *big.Rat
}

// small bounds the integers that are added, subtracted and multiplied
// without a check of overflow.
const small = 1 << 31

func (n num) isSmall() bool { return n.r == nil && n.i < small && n.i > -small }

func (n num) rat() *big.Rat {
	if n.r != nil {
		return n.r
	}
	return new(big.Rat).SetInt64(n.i)
}

func numOf(r *big.Rat) num {
	if r == nil {
		return num{}
	}
	if r.IsInt() && r.Num().IsInt64() {
		return num{i: r.Num().Int64()}
	}
	return num{r: r}
}

func (n num) cmp(o num) int {
	if n.r == nil && o.r == nil {
		switch {
		case n.i < o.i:
			return -1
		case n.i > o.i:
			return 1
		}
		return 0
	}
	return n.rat().Cmp(o.rat())
}

// arith computes a op b; ok is false for a division by nothing.
func arith(op string, a, b num) (num, bool) {
	if a.isSmall() && b.isSmall() {
		switch op {
		case "_+_":
			return num{i: a.i + b.i}, true
		case "_-_":
			return num{i: a.i - b.i}, true
		case "_*_":
			return num{i: a.i * b.i}, true
		}
	}
	x, y, z := a.rat(), b.rat(), new(big.Rat)
	switch op {
	case "_+_":
		z.Add(x, y)
	case "_-_":
		z.Sub(x, y)
	case "_*_":
		z.Mul(x, y)
	default:
		if y.Sign() == 0 {
			return num{}, false
		}
		z.Quo(x, y)
	}
	return numOf(z), true
}

// maxDigits bounds a number as it is written.
const maxDigits = 18

// parseShare reads 10%, 12.5% and 1/3.
func parseShare(s string) (*big.Rat, bool) {
	if p, ok := strings.CutSuffix(s, "%"); ok {
		r, ok := parseDecimal(p)
		if !ok {
			return nil, false
		}
		return r.Quo(r, big.NewRat(100, 1)), true
	}
	a, b, ok := strings.Cut(s, "/")
	if !ok || !digits(strings.TrimSpace(a)) || !digits(strings.TrimSpace(b)) {
		return nil, false
	}
	x, _ := strconv.ParseInt(strings.TrimSpace(a), 10, 64)
	y, _ := strconv.ParseInt(strings.TrimSpace(b), 10, 64)
	if y == 0 {
		return nil, false
	}
	return big.NewRat(x, y), true
}

// parseDecimal reads 12 and 12.5, without sign and exponent.
func parseDecimal(s string) (*big.Rat, bool) {
	whole, frac, has := strings.Cut(s, ".")
	if !digits(whole) || has && !digits(frac) {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

func digits(s string) bool {
	if s == "" || len(s) > maxDigits {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// parseMoney reads `25 GBP` and `2.50 EUR`.
func parseMoney(s string) (Money, bool) {
	amount, cur, ok := strings.Cut(s, " ")
	if !ok || len(cur) != 3 || strings.ToUpper(cur) != cur || strings.ToLower(cur) == cur {
		return Money{}, false
	}
	r, ok := parseDecimal(amount)
	if !ok {
		return Money{}, false
	}
	minor := new(big.Rat).SetInt64(1)
	for range minorDigits(cur) {
		minor.Mul(minor, big.NewRat(10, 1))
	}
	r.Mul(r, minor)
	if !r.IsInt() || !r.Num().IsInt64() {
		return Money{}, false
	}
	return Money{Minor: r.Num().Int64(), Currency: cur}, true
}

// minorDigits gives how many decimals a currency has, by ISO 4217: two but
// for the few that are listed.
func minorDigits(currency string) int {
	switch currency {
	case "JPY", "KRW", "ISK", "CLP", "VND", "UGX", "XAF", "XOF", "XPF", "PYG", "RWF", "BIF", "DJF", "GNF", "KMF", "VUV":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	}
	return 2
}

// String gives the sum as it is written in a rulebook: 25 GBP, 2.50 EUR.
func (m Money) String() string {
	d := minorDigits(m.Currency)
	s := strconv.FormatInt(m.Minor, 10)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	for len(s) <= d {
		s = "0" + s
	}
	whole, frac := s[:len(s)-d], s[len(s)-d:]
	if strings.Trim(frac, "0") != "" {
		whole += "." + frac
	}
	if neg {
		whole = "-" + whole
	}
	return whole + " " + m.Currency
}

// numberText gives an exact number for people: 12, 2.5, 1/3.
func numberText(r *big.Rat) string {
	if r == nil {
		return "0"
	}
	if r.IsInt() {
		return r.Num().String()
	}
	if n, exact := r.FloatPrec(); exact && n <= 4 {
		return r.FloatString(n)
	}
	return r.RatString()
}

// shareText gives a share for people: 12.5% where that is exact, else 1/3.
func shareText(r *big.Rat) string {
	if r == nil {
		return "0%"
	}
	p := new(big.Rat).Mul(r, big.NewRat(100, 1))
	switch r.RatString() {
	case "1/2", "1/4", "3/4", "1/5", "3/5", "2/5", "4/5":
		return r.RatString()
	}
	if n, exact := p.FloatPrec(); exact && n <= 4 {
		return p.FloatString(n) + "%"
	}
	return r.RatString()
}

// Text gives a value for people; an unset one is `not entered`.
func (v Value) Text() string {
	switch v.Type {
	case TypeFlag:
		if v.Flag {
			return "yes"
		}
		return "no"
	case TypeNumber:
		return numberText(v.Number)
	case TypeShare:
		return shareText(v.Number)
	case TypeWords:
		return v.Words
	case TypeMoment:
		return v.Moment.String()
	case TypeSpan:
		return v.Span.String()
	case TypeMoney:
		return v.Money.String()
	case TypePerson, TypePeople:
		var names []string
		for _, p := range v.Persons {
			names = append(names, p.Name())
		}
		return sentenceList(names, "and")
	case TypeUnit:
		var names []string
		for _, u := range v.Units {
			names = append(names, u.Name())
		}
		return sentenceList(names, "and")
	}
	return notEntered
}

// notEntered stands in a sentence for what nobody has entered.
const notEntered = "not entered"

// sentenceList joins names as in a sentence: a, b and c.
func sentenceList(names []string, word string) string {
	switch len(names) {
	case 0:
		return "nobody"
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " " + word + " " + names[len(names)-1]
}
