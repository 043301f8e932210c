package tiles_test

import (
	"bytes"
	"testing"

	"github.com/omov/omov/tiles"
)

// Whatever is accepted is written the same way again.
func FuzzFormats(f *testing.F) {
	for _, s := range []string{"tile/0/x001/234.p/17", "tile/entries/000", "\x00\x01a\x00\x00", "example.org/log\n12\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "w+00000000+BAAA"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := tiles.ParsePath(string(b)); err == nil && (r.Path() != string(b) || r.Width < 1 || r.N < 0) {
			t.Errorf("path %q is read as %+v", b, r)
		}
		if leaves, err := tiles.SplitBundle(b); err == nil {
			var again []byte
			for _, l := range leaves {
				again = tiles.AppendBundle(again, l)
			}
			if !bytes.Equal(again, b) {
				t.Errorf("bundle %x comes out as %x", b, again)
			}
		}
		if c, err := tiles.ParseBody(string(b)); err == nil && !bytes.HasPrefix(b, []byte(c.Body())) {
			t.Errorf("checkpoint %q is read as %+v", b, c)
		}
		if _, err := tiles.NewWitness(string(b)); err == nil && !bytes.Contains(b, []byte("+")) {
			t.Errorf("%q is taken for a witness", b)
		}
	})
}
