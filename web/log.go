package web

import (
	"context"
	"io"
	"net/http"

	"github.com/omov/omov/bundle"
	"github.com/omov/omov/chamber"
	"github.com/omov/omov/fault"
)

// logRoutes serve what others check the book with: the log as C2SP tlog-tiles
// under /log/, and the bundles.
func (s *Site) logRoutes() {
	s.handle("GET /log/checkpoint", (*visit).checkpoint)
	s.handle("GET /log/tile/{path...}", (*visit).tile)
	s.handle("GET /bundle/public.zip", func(v *visit) error { return v.bundle("public.zip", bundle.WritePublic) })
	s.handle("GET /bundle/scrutineers.zip", func(v *visit) error {
		if err := v.needs(); err != nil {
			return err
		}
		if !v.Scrutineer() {
			return fault.New(fault.NotEntitled, "The scrutineers' bundle holds every paper and the rolls. It goes to scrutineers; the public bundle is for everybody.")
		}
		return v.bundle("scrutineers.zip", bundle.WriteScrutineers)
	})
}

// checkpoint is the newest signed state of the log.
func (v *visit) checkpoint() error {
	note, err := v.s.Chamber.DB.Checkpoint(v.r.Context())
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err = v.w.Write(note)
	return err
}

// tile is a tile of the log, under the path that C2SP tlog-tiles gives it.
func (v *visit) tile() error {
	b, err := bundle.Tile(v.r.Context(), v.s.Chamber, "tile/"+v.r.PathValue("path"))
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/octet-stream")
	_, err = v.w.Write(b)
	return err
}

// begun is an answer of which one wants to know whether any of it is out.
type begun struct {
	http.ResponseWriter
	any bool
}

func (b *begun) Write(p []byte) (int, error) {
	if !b.any {
		b.any = true
		b.Header().Set("Content-Type", "application/zip")
	}
	return b.ResponseWriter.Write(p)
}

// bundle sends a bundle as it is made. Where that fails midway the connection
// is cut, so that nobody takes half of one for the whole.
func (v *visit) bundle(name string, write func(context.Context, *chamber.Chamber, io.Writer) error) error {
	w := &begun{ResponseWriter: v.w}
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	err := v.alone(func() error { return write(v.r.Context(), v.s.Chamber, w) })
	if err != nil && w.any {
		v.s.Log.Error("a bundle could not be sent whole", "bundle", name, "error", err)
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		v.w.Header().Del("Content-Disposition")
	}
	return err
}
