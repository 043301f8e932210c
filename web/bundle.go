package web

import (
	"net/http"

	"github.com/omov/omov/bundle"
	"github.com/omov/omov/fault"
)

func (s *Site) bundleRoutes() {
	s.handle("GET /bundle/public.zip", (*visit).publicBundle)
	s.handle("GET /bundle/scrutineers.zip", (*visit).scrutineersBundle)
	s.handle("GET /log/checkpoint", (*visit).checkpoint)
	s.handle("GET /log/tile/{path...}", (*visit).tile)
}

// publicBundle is everything that is public, for anybody to check.
func (v *visit) publicBundle() error {
	v.zip("public.zip")
	return v.broken(bundle.WritePublic(v.r.Context(), v.s.Chamber, v.w))
}

// scrutineersBundle is that and what scrutineers may read besides.
func (v *visit) scrutineersBundle() error {
	if err := v.needs(); err != nil {
		return err
	}
	if !v.Scrutineer() {
		return fault.New(fault.NotEntitled, "This bundle holds the rolls and the full papers; it is for scrutineers. The public bundle is for everybody.")
	}
	v.zip("scrutineers.zip")
	return v.broken(bundle.WriteScrutineers(v.r.Context(), v.s.Chamber, v.w))
}

func (v *visit) zip(name string) {
	v.w.Header().Set("Content-Type", "application/zip")
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
}

// broken ends a download that failed half-way so that nobody takes it for a
// whole one: the connection is cut.
func (v *visit) broken(err error) error {
	if err != nil {
		v.s.Log.Error("a bundle could not be written", "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
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
