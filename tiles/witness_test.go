package tiles_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/tiles"
)

func TestCosignatures(t *testing.T) {
	const origin = "example.org/log"
	seed, mine, other := [32]byte{7}, [32]byte{8}, [32]byte{9}
	s, err := tiles.NewSigner(origin, seed)
	if err != nil {
		t.Fatal(err)
	}
	key, err := tiles.VerifierKey(origin, seed)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := tiles.Sign(tiles.Checkpoint{Origin: origin, Size: 3, Root: tiles.EmptyRoot()}, s)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_700_000_000, 0).UTC()
	for name, seed := range map[string][32]byte{"witness.example/a": mine, "witness.example/b": other} {
		if signed, err = tiles.Cosign(signed, key, name, seed, at); err != nil {
			t.Fatal(err)
		}
	}
	k := tiles.WitnessKey("witness.example/a", mine)
	c, seen, err := tiles.OpenCosigned(signed, key, []string{k})
	if err != nil || c.Size != 3 || len(seen) != 1 || seen[0] != (tiles.Cosignature{Witness: "witness.example/a", At: at}) {
		t.Errorf("%+v, %+v, %v", c, seen, err)
	}
	if _, seen, err := tiles.OpenCosigned(signed, key, nil); err != nil || len(seen) != 0 {
		t.Errorf("without witnesses: %+v, %v", seen, err)
	}
	lines := bytes.Split(signed, []byte("\n"))
	for i, l := range lines {
		if bytes.Contains(l, []byte("witness.example/a")) {
			lines[i][len(l)-5] ^= 1 // another character of base64
		}
	}
	if _, _, err := tiles.OpenCosigned(bytes.Join(lines, []byte("\n")), key, []string{k}); !fault.Is(err, fault.Damaged) {
		t.Errorf("a forged cosignature passes: %v", err)
	}
	for _, bad := range []string{"", key, strings.Replace(k, "a+", "c+", 1), k[:len(k)-4]} {
		if _, err := tiles.NewWitness(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q is taken for a witness: %v", bad, err)
		}
	}
}
