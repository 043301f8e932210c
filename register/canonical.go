package register

import (
	"strconv"

	"github.com/omov/omov/minutes"
)

// Canonical gives the canonical bytes of the body, the same as
// minutes.Canonical does, in a quarter of the time: an import writes 10,000
// rows an entry. The error is fault.Invalid.
func (b *ImportedBody) Canonical() ([]byte, error) {
	w := rowWriter{out: make([]byte, 0, 512+192*len(b.Rows)), plain: b.Rows != nil}
	w.byte('{')
	if b.First != 0 {
		w.number(`"first":`, int64(b.First))
		w.byte(',')
	}
	w.number(`"part":`, int64(b.Part))
	w.text(`,"rows":[`)
	for i := range b.Rows {
		if i > 0 {
			w.byte(',')
		}
		w.row(&b.Rows[i])
	}
	w.byte(']')
	if b.Source != "" {
		w.quoted(`,"source":`, b.Source)
	}
	for i, t := range b.Terms {
		if i == 0 {
			w.quoted(`,"terms":[`, t)
		} else {
			w.quoted(`,`, t)
		}
	}
	if len(b.Terms) > 0 {
		w.byte(']')
	}
	w.byte('}')
	if !w.plain {
		return minutes.Canonical(b)
	}
	return w.out, nil
}

// rowWriter writes the plain case: numbers within 2^53-1 and texts that need
// no escapes. plain tells whether everything was.
type rowWriter struct {
	out   []byte
	plain bool
}

func (w *rowWriter) byte(c byte)   { w.out = append(w.out, c) }
func (w *rowWriter) text(s string) { w.out = append(w.out, s...) }

func (w *rowWriter) number(key string, n int64) {
	const most = 1<<53 - 1
	w.plain = w.plain && n >= -most && n <= most
	w.out = strconv.AppendInt(append(w.out, key...), n, 10)
}

func (w *rowWriter) quoted(key, s string) {
	for i := range len(s) {
		w.plain = w.plain && s[i] >= ' ' && s[i] <= '~' && s[i] != '"' && s[i] != '\\'
	}
	w.out = append(append(append(append(w.out, key...), '"'), s...), '"')
}

func (w *rowWriter) row(r *PersonRow) {
	w.byte('{')
	for i := range r.Changes {
		if i == 0 {
			w.text(`"c":[`)
		} else {
			w.byte(',')
		}
		w.change(&r.Changes[i])
	}
	if len(r.Changes) > 0 {
		w.text(`],`)
	}
	if r.Commitment != "" {
		w.quoted(`"h":`, r.Commitment)
		w.byte(',')
	}
	if r.New {
		w.text(`"new":true,`)
	}
	w.number(`"p":`, int64(r.Person))
	w.byte('}')
}

func (w *rowWriter) change(c *Change) {
	w.number(`{"a":`, int64(c.Aspect))
	if c.End {
		w.text(`,"e":true`)
	}
	w.number(`,"f":`, c.From)
	w.number(`,"n":`, int64(c.Name))
	if c.Until != 0 {
		w.number(`,"t":`, c.Until)
	}
	if c.Unit != 0 {
		w.number(`,"u":`, int64(c.Unit))
	}
	if c.Value != 0 {
		w.number(`,"v":`, c.Value)
	}
	w.byte('}')
}
