package minutes

import (
	"bytes"
	"encoding/json"
	"slices"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/omov/omov/fault"
)

// maxDepth is how deep arrays and objects may be nested. Nothing in a book
// comes near it; it keeps a hostile body from exhausting the stack.
const maxDepth = 128

// maxInteger is 2^53-1 as text: the largest integer that every JSON reader
// keeps exactly.
const maxInteger = "9007199254740991"

// Canonical gives the canonical bytes of v: what encoding/json makes of it,
// rewritten by RFC 8785 and restricted further, so that there is one way to
// write a value and every reader reads it alike:
//
//   - keys are printable ASCII, sorted, and occur once;
//   - numbers are integers within ±(2^53-1); rationals and money are strings;
//   - strings are valid UTF-8, escaped only where RFC 8785 says so.
//
// A []byte becomes base64 and a nil slice null, as encoding/json has it. The
// error is fault.Invalid and names the first place that breaks a rule.
func Canonical(v any) ([]byte, error) {
	var raw bytes.Buffer
	e := json.NewEncoder(&raw)
	e.SetEscapeHTML(false) // a key may hold an ampersand
	if err := e.Encode(v); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "this cannot be written into the minute book")
	}
	w := writer{src: raw.Bytes(), out: make([]byte, 0, raw.Len())}
	if err := w.value(0); err != nil {
		return nil, err
	}
	return w.out, nil
}

// Decode reads canonical bytes into v, a pointer. It refuses (fault.Invalid)
// bytes that are not canonical, and bytes that say something v cannot hold:
// after reading it writes v again and compares. An integer read into an any
// is a float64, which holds every integer that is allowed exactly.
//
// The reader is the coming version 2 of encoding/json with the meaning of
// version 1: it is twice as fast, and imports and rolls have bodies of half a
// megabyte.
func Decode(b []byte, v any) error {
	if err := Check(b); err != nil {
		return err
	}
	if err := jsonv2.Unmarshal(b, v, jsonv1.DefaultOptionsV1(), jsonv2.RejectUnknownMembers(true)); err != nil {
		return fault.Wrap(fault.Invalid, err, "an entry's body has another shape than its kind says")
	}
	again, err := Canonical(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(b, again) {
		return fault.New(fault.Invalid, "an entry's body does not come out as it went in; it differs at byte %d", firstDifference(b, again))
	}
	return nil
}

// Check tells whether b is canonical, without reading it into anything.
func Check(b []byte) error {
	w := writer{src: b, strict: true}
	if err := w.value(0); err != nil {
		return err
	}
	if w.at != len(b) {
		return w.bad("something follows the value")
	}
	return nil
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// writer rewrites JSON text canonically in one pass: it appends each value to
// out and, where an object's keys were not in order, moves the members into
// order afterwards. A strict one refuses whatever it would have to rewrite,
// and writes nothing.
type writer struct {
	src     []byte
	at      int
	out     []byte
	strict  bool
	members []member
	scratch []byte
}

// member is where a member of an object lies, in out or in a strict src: its
// key without the quotation marks, and everything up to the end of its value.
type member struct{ key, keyEnd, end int }

func (w *writer) put(b ...byte) {
	if !w.strict {
		w.out = append(w.out, b...)
	}
}

// pos is where the next byte is put.
func (w *writer) pos() int {
	if w.strict {
		return w.at
	}
	return len(w.out)
}

func (w *writer) key(m member) []byte {
	if w.strict {
		return w.src[m.key:m.keyEnd]
	}
	return w.out[m.key:m.keyEnd]
}

func (w *writer) bad(what string) error {
	return fault.New(fault.Invalid, "not canonical JSON at byte %d: %s", w.at, what)
}

func (w *writer) peek() byte {
	if w.at < len(w.src) {
		return w.src[w.at]
	}
	return 0
}

func (w *writer) value(depth int) error {
	if depth > maxDepth {
		return w.bad("nested too deeply")
	}
	switch c := w.peek(); {
	case c == '{':
		return w.object(depth)
	case c == '[':
		return w.array(depth)
	case c == '"':
		return w.text(false)
	case c == '-' || c >= '0' && c <= '9':
		return w.number()
	case c == 't':
		return w.word("true")
	case c == 'f':
		return w.word("false")
	case c == 'n':
		return w.word("null")
	default:
		return w.bad("a value is missing")
	}
}

func (w *writer) word(s string) error {
	if !bytes.HasPrefix(w.src[w.at:], []byte(s)) {
		return w.bad("a value is missing")
	}
	w.put(w.src[w.at : w.at+len(s)]...)
	w.at += len(s)
	return nil
}

func (w *writer) number() error {
	start := w.at
	if w.peek() == '-' {
		w.at++
	}
	digits := w.at
	for c := w.peek(); c >= '0' && c <= '9'; c = w.peek() {
		w.at++
	}
	n := w.src[digits:w.at]
	switch c := w.peek(); {
	case c == '.' || c == 'e' || c == 'E':
		return w.bad("a number with a fraction or an exponent; write it as a string")
	case len(n) == 0:
		return w.bad("a number has no digits")
	case n[0] == '0' && (len(n) > 1 || digits > start):
		return w.bad("a number with a leading or a negative zero")
	case len(n) > len(maxInteger) || len(n) == len(maxInteger) && string(n) > maxInteger:
		return w.bad("an integer beyond 2^53-1; write it as a string")
	}
	w.put(w.src[start:w.at]...)
	return nil
}

func (w *writer) array(depth int) error {
	w.at++
	w.put('[')
	for first := true; w.peek() != ']'; first = false {
		if !first {
			if w.peek() != ',' {
				return w.bad("a comma or ] is missing")
			}
			w.at++
			w.put(',')
		}
		if err := w.value(depth + 1); err != nil {
			return err
		}
	}
	w.at++
	w.put(']')
	return nil
}

func (w *writer) object(depth int) error {
	w.at++
	w.put('{')
	base, begin := len(w.members), len(w.out)
	sorted := true
	for first := true; w.peek() != '}'; first = false {
		if !first {
			if w.peek() != ',' {
				return w.bad("a comma or } is missing")
			}
			w.at++
			w.put(',')
		}
		m, err := w.pair(depth)
		if err != nil {
			return err
		}
		if !first {
			switch bytes.Compare(w.key(w.members[len(w.members)-1]), w.key(m)) {
			case 0:
				return w.bad("a key occurs twice")
			case 1:
				if w.strict {
					return w.bad("the keys of an object are not in order")
				}
				sorted = false
			}
		}
		w.members = append(w.members, m)
	}
	w.at++
	if !sorted {
		if err := w.sort(w.members[base:], begin); err != nil {
			return err
		}
	}
	w.members = w.members[:base]
	w.put('}')
	return nil
}

func (w *writer) pair(depth int) (member, error) {
	if w.peek() != '"' {
		return member{}, w.bad("a key is missing")
	}
	m := member{key: w.pos() + 1}
	if err := w.text(true); err != nil {
		return m, err
	}
	m.keyEnd = w.pos() - 1
	if w.peek() != ':' {
		return m, w.bad("a colon is missing")
	}
	w.at++
	w.put(':')
	err := w.value(depth + 1)
	m.end = w.pos()
	return m, err
}

// sort puts the members of one object, which lie in out from begin on, into
// the order of their keys.
func (w *writer) sort(ms []member, begin int) error {
	if len(ms) > 12 {
		slices.SortFunc(ms, func(a, b member) int { return bytes.Compare(w.key(a), w.key(b)) })
	} else { // a row of a large body: thousands of them
		for i := 1; i < len(ms); i++ {
			for j := i; j > 0 && bytes.Compare(w.key(ms[j-1]), w.key(ms[j])) > 0; j-- {
				ms[j-1], ms[j] = ms[j], ms[j-1]
			}
		}
	}
	w.scratch = append(w.scratch[:0], w.out[begin:]...)
	out := w.out[:begin]
	for i, m := range ms {
		if i > 0 {
			out = append(out, ',')
			if prev := ms[i-1]; bytes.Equal(w.scratch[prev.key-begin:prev.keyEnd-begin], w.scratch[m.key-begin:m.keyEnd-begin]) {
				return w.bad("a key occurs twice")
			}
		}
		out = append(out, w.scratch[m.key-1-begin:m.end-begin]...)
	}
	w.out = out
	return nil
}

// text copies a string. Runs that need no attention are copied at once.
func (w *writer) text(key bool) error {
	run := w.at // with the quotation mark
	w.at++
	for {
		for w.at < len(w.src) && plain(w.src[w.at]) {
			w.at++
		}
		if w.at >= len(w.src) {
			return w.bad("a string does not end")
		}
		c := w.src[w.at]
		switch {
		case c == '"':
			w.at++
			w.put(w.src[run:w.at]...)
			return nil
		case key && (c == '\\' || c >= 0x7f):
			return w.bad("a key holds something other than plain ASCII")
		case c == '\\':
			w.put(w.src[run:w.at]...)
			if err := w.escape(); err != nil {
				return err
			}
			run = w.at
		case c < 0x20:
			return w.bad("a control character inside a string")
		case c < utf8.RuneSelf:
			w.at++
		default:
			r, n := utf8.DecodeRune(w.src[w.at:])
			if r == utf8.RuneError && n == 1 {
				return w.bad("text that is not UTF-8")
			}
			w.at += n
		}
	}
}

// plain tells whether a byte of a string needs no attention.
func plain(c byte) bool { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' }

// escape rewrites one escape. RFC 8785 allows the two-character ones and, for
// the other control characters, \u00xx in lower case; encoding/json writes a
// few more, which become the characters themselves.
func (w *writer) escape() error {
	rest := w.src[w.at:]
	if len(rest) < 2 {
		return w.bad("a string does not end")
	}
	switch rest[1] {
	case '"', '\\', 'b', 'f', 'n', 'r', 't':
		w.put(rest[:2]...)
		w.at += 2
		return nil
	case 'u':
	default:
		return w.bad("an escape that is not needed")
	}
	if len(rest) < 6 {
		return w.bad("a string does not end")
	}
	r, ok := hex4(rest[2:6])
	switch {
	case !ok:
		return w.bad("an escape that is not one")
	case r < 0x20 && r != '\b' && r != '\f' && r != '\n' && r != '\r' && r != '\t':
		w.put(rest[:6]...)
	case w.strict:
		return w.bad("an escape that is not needed")
	case r == utf8.RuneError:
		// encoding/json writes this, and the character itself otherwise, for
		// bytes that are not UTF-8.
		return w.bad("text that is not UTF-8")
	case r >= 0xd800 && r < 0xe000:
		return w.bad("half of a surrogate pair")
	case r < 0x20:
		return w.bad("an escape that is not canonical")
	default:
		w.out = utf8.AppendRune(w.out, r)
	}
	w.at += 6
	return nil
}

// hex4 reads four lower-case hexadecimal digits.
func hex4(b []byte) (rune, bool) {
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
