package cli

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/omov/omov/fault"
	"github.com/omov/omov/verify"
)

// VerifyCmd is `omov verify`.
type VerifyCmd struct {
	Bundle string `arg:"" help:"The bundle: a zip file, a folder that one was unpacked into, or the address of either an organisation's pages or its bundle. Or the file of a sealed paper that its voter checks instead of casting it." placeholder:"FILE|DIR|URL"`
	Vkey   string `help:"The log's public key, from a source that you trust." placeholder:"KEY"`
	Since  string `help:"File with an older checkpoint that you kept: the log has to go on from it." type:"existingfile" placeholder:"FILE"`
	Quiet  bool   `short:"q" help:"Print only what does not hold."`
}

// Run checks the bundle and prints every check with its figures.
func (c *VerifyCmd) Run(ctx context.Context, s *Streams) error {
	if paper, ok := auditFile(c.Bundle); ok {
		return printAudit(s.Out, paper)
	}
	files, done, err := openBundle(ctx, c.Bundle)
	if err != nil {
		return err
	}
	defer done()
	o := verify.Options{Key: c.Vkey}
	if c.Since != "" {
		if o.Since, err = os.ReadFile(c.Since); err != nil {
			return fault.Wrap(fault.Invalid, err, "%s cannot be read", c.Since)
		}
	}
	begun := time.Now()
	r, err := verify.Verify(ctx, files, o)
	if err != nil {
		return err
	}
	c.print(s.Out, r, time.Since(begun))
	if failed := r.Failed(); len(failed) > 0 {
		return fault.New(fault.Damaged, "this bundle does not hold: %s", strings.Join(failed, ", "))
	}
	return nil
}

func (c *VerifyCmd) print(out io.Writer, r *verify.Report, took time.Duration) {
	if !c.Quiet {
		fmt.Fprintf(out, "%s\n%s bundle of %s, %d entries\n", orUnnamed(r.Name), r.Kind, r.Origin, r.Size)
		if r.Demo {
			fmt.Fprintln(out, "A demo: nobody in it exists.")
		}
		fmt.Fprintln(out)
	}
	held, made := 0, 0
	for _, x := range r.Checks {
		word := "holds"
		switch {
		case !x.Holds():
			word = "FAILS"
		case x.Skipped != "":
			word = "  -  "
		}
		if x.Skipped == "" {
			made++
		}
		if word == "holds" {
			held++
		}
		if c.Quiet && x.Holds() {
			continue
		}
		fmt.Fprintf(out, "%3s  %s  %s", x.Label(), word, x.Title)
		if f := x.Figures(); f != "" {
			fmt.Fprintf(out, "\n           %s", strings.ReplaceAll(f, "; ", "\n           "))
		}
		fmt.Fprintln(out)
		for _, p := range x.Problems {
			fmt.Fprintf(out, "       !   %s\n", p)
		}
		if more := x.Failures - int64(len(x.Problems)); more > 0 {
			fmt.Fprintf(out, "       !   and %d more\n", more)
		}
	}
	if c.Quiet {
		return
	}
	fmt.Fprintf(out, "\n%d of %d checks hold, in %.2f s.\n", held, made, took.Seconds())
	if !r.KeyGiven {
		fmt.Fprintf(out, "The log's key was taken from the bundle itself. Compare it with one from a source that you trust, or give it with --vkey:\n%s\n", r.Key)
	}
}

func orUnnamed(name string) string {
	if name == "" {
		return "An organisation without a name"
	}
	return name
}

// openBundle opens a bundle wherever it is. done has to be called at the end.
func openBundle(ctx context.Context, where string) (fs.FS, func(), error) {
	if strings.HasPrefix(where, "http://") || strings.HasPrefix(where, "https://") {
		return fetchBundle(ctx, where)
	}
	info, err := os.Stat(where)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "there is no bundle %s", where)
	}
	if info.IsDir() {
		return os.DirFS(where), func() {}, nil
	}
	return openZip(where)
}

func openZip(file string) (fs.FS, func(), error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "%s is not a bundle: it is no zip file", file)
	}
	return z, func() { z.Close() }, nil
}

// maxDownload bounds a bundle that is fetched; a book of a million members and
// its papers is far below.
const maxDownload = 16 << 30

// fetchBundle downloads a bundle into a temporary file. An address that does
// not end in .zip is that of an organisation's pages.
func fetchBundle(ctx context.Context, url string) (fs.FS, func(), error) {
	if !strings.HasSuffix(url, ".zip") {
		url = strings.TrimRight(url, "/") + "/bundle/public.zip"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "%s is not an address", url)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Unavailable, err, "%s does not answer", url)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, nil, fault.New(fault.Unavailable, "%s answers %s", url, resp.Status)
	}
	f, err := os.CreateTemp("", "omov-bundle-*.zip")
	if err != nil {
		return nil, nil, fault.Wrap(fault.Unavailable, err, "there is no room for the bundle")
	}
	remove := func() { os.Remove(f.Name()) }
	n, err := io.Copy(f, io.LimitReader(resp.Body, maxDownload+1))
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil && n > maxDownload {
		err = fault.New(fault.TooMuch, "the bundle is larger than %d bytes", int64(maxDownload))
	}
	if err != nil {
		remove()
		return nil, nil, fault.Wrap(fault.Unavailable, err, "%s could not be read to its end", url)
	}
	files, done, err := openZip(f.Name())
	if err != nil {
		remove()
		return nil, nil, err
	}
	return files, func() { done(); remove() }, nil
}
