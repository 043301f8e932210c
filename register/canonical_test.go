package register_test

import (
	"encoding/json"
	"testing"

	"github.com/omov/omov/minutes"
	"github.com/omov/omov/register"
)

// FuzzImportedBody writes bodies in both ways: the bytes, and what is refused,
// are the same.
func FuzzImportedBody(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"rows":[]}`, `{"rows":null}`, `{"part":3,"rows":[{"p":1}]}`,
		`{"source":"ab12","part":1,"first":7,"terms":["member","Mitglied ü","a\"b\\c\u2028<&>"],"rows":[{"p":1,"new":true,"h":"q+/8=","c":[{"a":1,"n":3,"u":12,"v":-4,"f":1577836800,"t":99,"e":true},{"a":2,"n":1,"f":0}]},{"p":2,"c":[]}]}`,
		`{"part":-9007199254740991,"rows":[{"p":9007199254740991}]}`, `{"part":1,"rows":[{"p":9007199254740992}]}`,
		`{"rows":[{"p":1,"h":"\u007f\u0000"}]}`, `{"rows":[{"p":1,"c":[{"a":255,"n":-1,"f":-9007199254740992}]}]}`,
		`{"terms":[""],"rows":[]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var b register.ImportedBody
		if json.Unmarshal(raw, &b) != nil {
			return
		}
		want, refusal := minutes.Canonical(&b)
		got, err := b.Canonical()
		if string(got) != string(want) || (err == nil) != (refusal == nil) {
			t.Fatalf("%s, %v; want %s, %v", got, err, want, refusal)
		}
	})
}
