// Package bundletest lets the test of any use case end with the bundles of
// its organisation written and verified: what an organisation does must be
// what a stranger can check.
package bundletest

import (
	"archive/zip"
	"bytes"
	"context"
	"testing"

	"github.com/omov/omov/bundle"
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/verify"
)

// Holds writes both bundles of an open organisation and wants every check to
// hold.
func Holds(t testing.TB, ctx context.Context, ch *chamber.Chamber) {
	t.Helper()
	for _, scrutineers := range []bool{false, true} {
		var b bytes.Buffer
		write := bundle.WritePublic
		if scrutineers {
			write = bundle.WriteScrutineers
		}
		if err := write(ctx, ch, &b); err != nil {
			t.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		r, err := verify.Verify(ctx, z, verify.Options{Key: ch.DB.VerifierKey()})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range r.Checks {
			for _, p := range c.Problems {
				t.Errorf("%s bundle, %s: %s", r.Kind, c.ID, p)
			}
		}
	}
}
