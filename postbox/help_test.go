package postbox_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"testing"
)

func readAll(r *http.Request) ([]byte, error) { return io.ReadAll(r.Body) }

// withBody is the same request with a body of its own, after its connection.
func withBody(r *http.Request, b []byte) *http.Request {
	out := r.Clone(r.Context())
	out.Body = io.NopCloser(bytes.NewReader(b))
	return out
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
