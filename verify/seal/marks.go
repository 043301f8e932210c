package seal

import (
	"math/big"
	"slices"

	"github.com/omov/omov/ristretto"
)

// What a paper says, read out of elements (docs/sealed-format.md, "What a paper
// says"). Only the way back is here: from the number to the paper.

func (c *Contest) checkForm() error {
	n := len(c.Options)
	kinds := []string{"ranks", "equal", "marks", "points"}
	switch {
	case !slices.Contains(kinds, c.Form):
		return wrong("there is no form %q", c.Form)
	case n < 1 || n > 400 || c.Most < 0 || c.Most > n || c.Most > 0 && c.Form != "ranks" && c.Form != "marks":
		return wrong("its bounds mean nothing")
	case (c.Form == "points") != (c.Top != 0) || c.Top < 0 || c.Top > 1000:
		return wrong("its points mean nothing")
	case c.Form == "equal" && n > 200:
		return wrong("it has too many options to be ranked with equals")
	case c.width() > 32:
		return wrong("its papers are too long")
	}
	return nil
}

func binomial(n, k int) *big.Int { return new(big.Int).Binomial(int64(n), int64(k)) }

func (c *Contest) limit() int {
	if c.Most > 0 {
		return c.Most
	}
	return len(c.Options)
}

// papers is how many different papers there are.
func (c *Contest) papers() *big.Int {
	n := len(c.Options)
	sum := new(big.Int)
	switch c.Form {
	case "ranks":
		term := big.NewInt(1)
		for k := 0; k <= c.limit(); k++ {
			sum.Add(sum, term)
			term = new(big.Int).Mul(term, big.NewInt(int64(n-k)))
		}
	case "equal":
		return weak(n)[n]
	case "marks":
		for k := 0; k <= c.limit(); k++ {
			sum.Add(sum, binomial(n, k))
		}
	case "points":
		sum.Exp(big.NewInt(int64(c.Top+2)), big.NewInt(int64(n)), nil)
	}
	return sum
}

// weak gives W(0) … W(n), the numbers of rankings with equals.
func weak(n int) []*big.Int {
	w := make([]*big.Int, n+1)
	for m := range w {
		w[m] = big.NewInt(1)
		for k := 1; k <= m; k++ {
			w[m].Add(w[m], new(big.Int).Mul(binomial(m, k), w[m-k]))
		}
	}
	return w
}

// width is how many elements a paper takes.
func (c *Contest) width() int {
	bits := new(big.Int).Sub(c.papers(), big.NewInt(1)).BitLen()
	return max(1, (bits+239)/240)
}

// numberOf reads the number out of elements; each must be written in the first
// way that is an element.
func (e *Election) numberOf(c *Contest, elements []byte) (*big.Int, error) {
	var digits []byte
	for at := 0; at < len(elements); at += 32 {
		x := elements[at : at+32]
		if x[0]&1 == 1 || x[31] > 127 {
			return nil, wrong("an element holds no digit")
		}
		earlier := slices.Clone(x)
		var p ristretto.Point
		for n := range int(x[0])/2 + 128*int(x[31]) {
			earlier[0], earlier[31] = byte(n%128)*2, byte(n/128)
			if e.g.Decode(&p, earlier) {
				return nil, wrong("an element is not written in the first way that there is")
			}
		}
		digits = append(digits, x[1:31]...)
	}
	n := new(big.Int).SetBytes(digits)
	if n.Cmp(c.papers()) >= 0 {
		return nil, wrong("its number stands for no paper")
	}
	return n, nil
}

// paperOf gives the paper of a number: a number for each option.
func (c *Contest) paperOf(n *big.Int) []int {
	m := len(c.Options)
	out := make([]int, m)
	rest := new(big.Int).Set(n)
	switch c.Form {
	case "ranks":
		k := 0
		for term := big.NewInt(1); rest.Cmp(term) >= 0; k++ {
			rest.Sub(rest, term)
			term = new(big.Int).Mul(term, big.NewInt(int64(m-k)))
		}
		places := make([]int, k)
		for i := k - 1; i >= 0; i-- {
			d := new(big.Int)
			rest.QuoRem(rest, big.NewInt(int64(m-i)), d)
			places[i] = int(d.Int64())
		}
		left := indexes(m)
		for i, p := range places {
			out[left[p]] = i + 1
			left = slices.Delete(left, p, p+1)
		}
	case "equal":
		c.equals(rest, indexes(m), 1, weak(m), out)
	case "marks":
		k := 0
		for ; rest.Cmp(binomial(m, k)) >= 0; k++ {
			rest.Sub(rest, binomial(m, k))
		}
		for _, i := range subset(rest, m, k) {
			out[i] = 1
		}
	case "points":
		base, d := big.NewInt(int64(c.Top+2)), new(big.Int)
		for i := m - 1; i >= 0; i-- {
			rest.QuoRem(rest, base, d)
			out[i] = int(d.Int64())
		}
	}
	return out
}

func indexes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func (c *Contest) equals(n *big.Int, left []int, rank int, w []*big.Int, out []int) {
	if n.Sign() == 0 {
		return
	}
	m := len(left)
	rest := new(big.Int).Sub(n, big.NewInt(1))
	for k := 1; k <= m; k++ {
		all := new(big.Int).Mul(binomial(m, k), w[m-k])
		if rest.Cmp(all) >= 0 {
			rest.Sub(rest, all)
			continue
		}
		place := new(big.Int)
		place.QuoRem(rest, w[m-k], rest)
		set := subset(place, m, k)
		var after []int
		for i, option := range left {
			if slices.Contains(set, i) {
				out[option] = rank
			} else {
				after = append(after, option)
			}
		}
		c.equals(rest, after, rank+1, w, out)
		return
	}
}

// subset gives the set of k out of 0 … n-1 at a place in lexicographic order.
func subset(place *big.Int, n, k int) []int {
	rest := new(big.Int).Set(place)
	var out []int
	for i := 0; len(out) < k && i < n; i++ {
		with := binomial(n-i-1, k-len(out)-1)
		if rest.Cmp(with) < 0 {
			out = append(out, i)
		} else {
			rest.Sub(rest, with)
		}
	}
	return out
}
