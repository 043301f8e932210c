package cli_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/omov/omov/chamber"
	"github.com/omov/omov/cli"
	"github.com/omov/omov/contest"
	"github.com/omov/omov/demo"
	"github.com/omov/omov/registry"
	"github.com/omov/omov/store"
)

// omov runs a command line and gives its exit code and what it wrote.
func omov(args ...string) (int, string) {
	var out bytes.Buffer
	code := cli.Main(args, &cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out})
	return code, out.String()
}

// A bundle is written, checked as a file, a folder and an address, and found
// out when one byte of it is another; the book is rebuilt and is the same.
func TestBundleVerifyReplay(t *testing.T) {
	dir := t.TempDir()
	db := "sqlite:" + filepath.Join(dir, "book.db")
	key := foundDemo(t, db, filepath.Join(dir, "book.db.box"))
	public, scrutineers := filepath.Join(dir, "public.zip"), filepath.Join(dir, "scrutineers.zip")
	run := func(want int, words string, args ...string) {
		t.Helper()
		if code, out := omov(args...); code != want || !strings.Contains(out, words) {
			t.Errorf("omov %s: exit %d, want %d and %q:\n%s", strings.Join(args, " "), code, want, words, out)
		}
	}
	run(0, key, "bundle", "--db", db, public)
	run(0, key, "bundle", "--db", db, "--scrutineers", scrutineers)
	run(2, "cannot be written", "bundle", "--db", db, public)
	run(0, "21 of 21 checks hold", "verify", public, "--vkey", key)
	run(0, "30 of 30 checks hold", "verify", scrutineers, "--vkey", key)
	run(0, "taken from the bundle itself", "verify", public)
	run(1, "does not hold: signature", "verify", public, "--vkey", strings.Replace(key, "+", "x+", 1))
	run(2, "there is no bundle", "verify", filepath.Join(dir, "nothing.zip"))
	run(2, "no zip file", "verify", filepath.Join(dir, "book.db"))

	folder := filepath.Join(dir, "folder")
	unpack(t, public, folder)
	run(0, "21 of 21", "verify", folder, "--vkey", key)
	checkpoint := filepath.Join(folder, "checkpoint")
	run(0, "22 of 22", "verify", public, "--vkey", key, "--since", checkpoint)
	entries := filepath.Join(folder, "entries", "000.jsonl")
	b, err := os.ReadFile(entries)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(entries, bytes.Replace(b, []byte("Riverside"), []byte("Hillside_"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	run(1, "does not hold: leaves", "verify", folder, "--vkey", key)

	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/bundle/public.zip" {
			http.NotFound(w, r)
			return
		}
		http.ServeFile(w, r, public)
	}))
	defer srv.Close()
	run(0, "21 of 21", "verify", srv.URL, "--vkey", key)
	run(1, "404", "verify", srv.URL+"/other.zip")

	rebuilt := filepath.Join(dir, "rebuilt.db")
	run(0, "projections are the same", "replay", "--db", db, "--to", "sqlite:"+rebuilt)
	run(1, "there already", "replay", "--db", db, "--to", "sqlite:"+rebuilt)
	run(0, "projections are the same", "replay", "--db", db)
}

func foundDemo(t *testing.T, db, box string) string {
	t.Helper()
	ctx := context.Background()
	ch, clock, err := chamber.OpenDemo(ctx, chamber.Options{Store: store.Options{DSN: db}, Keys: box})
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	if err := demo.Found(ctx, ch, clock, contest.New(ch), registry.New(ch), demo.Options{Members: 300}); err != nil {
		t.Fatal(err)
	}
	return ch.DB.VerifierKey()
}

func unpack(t *testing.T, file, dir string) {
	t.Helper()
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
