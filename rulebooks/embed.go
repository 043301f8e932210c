// Package rulebooks holds the rulebooks that are shipped: how parties, unions,
// co-operatives and local groups have chosen, selected and judged, an age or an
// organisation a file. They are data. The package decides nothing and never reads a file at run time: what
// it gives was compiled in. Their language is that of package rulebook.
package rulebooks

import (
	"embed"
	"io/fs"
	"strings"

	"github.com/omov/omov/fault"
)

// The files are compiled in; embedding needs a variable of the package, and
// nothing can change it.
//
//go:embed *.yaml
var files embed.FS

// Names gives the names of the shipped rulebooks, sorted and without ending.
func Names() []string {
	found, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil
	}
	for i, f := range found {
		found[i] = strings.TrimSuffix(f, ".yaml")
	}
	return found
}

// Read gives the text of a shipped rulebook; the error is a refusal of kind
// fault.NotFound that lists what there is.
func Read(name string) ([]byte, error) {
	src, err := files.ReadFile(strings.TrimSuffix(name, ".yaml") + ".yaml")
	if err != nil {
		return nil, fault.New(fault.NotFound, "There is no shipped rulebook called %q; there are %s.", name, strings.Join(Names(), ", "))
	}
	return src, nil
}
