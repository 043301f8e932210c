package tiles

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/omov/omov/fault"
)

// Ref names a tile, or the bundle of entries below one of level 0.
type Ref struct {
	Entries bool
	Level   int
	N       int64
	Width   int // 1 to 256
}

// Path is where C2SP tlog-tiles serves it, below the log's prefix.
func (r Ref) Path() string {
	n := fmt.Sprintf("%03d", r.N%1000)
	for rest := r.N / 1000; rest > 0; rest /= 1000 {
		n = fmt.Sprintf("x%03d/%s", rest%1000, n)
	}
	level := "entries"
	if !r.Entries {
		level = strconv.Itoa(r.Level)
	}
	p := "tile/" + level + "/" + n
	if r.Width < Width {
		p += ".p/" + strconv.Itoa(r.Width)
	}
	return p
}

// ParsePath reads such a path. There is one way to write each; all others
// are refused (fault.NotFound, since it comes from an address).
func ParsePath(path string) (Ref, error) {
	no := fault.New(fault.NotFound, "the log has no tile called %q", path)
	r := Ref{Width: Width}
	rest, ok := strings.CutPrefix(path, "tile/")
	level, rest, ok2 := strings.Cut(rest, "/")
	if !ok || !ok2 {
		return r, no
	}
	if r.Entries = level == "entries"; !r.Entries {
		l, err := strconv.Atoi(level)
		if err != nil || l < 0 || l > 7 {
			return r, no
		}
		r.Level = l
	}
	if whole, width, partial := strings.Cut(rest, ".p/"); partial {
		w, err := strconv.Atoi(width)
		if err != nil || w < 1 || w >= Width {
			return r, no
		}
		rest, r.Width = whole, w
	}
	parts := strings.Split(rest, "/")
	if len(parts) > 6 {
		return r, no
	}
	for _, p := range parts {
		n, err := strconv.Atoi(strings.TrimPrefix(p, "x"))
		if err != nil || n < 0 {
			return r, no
		}
		r.N = r.N*1000 + int64(n)
	}
	if r.Path() != path {
		return r, no
	}
	return r, nil
}
