// Package bundle puts the modules of the voter's page and the parts of
// noble-curves and noble-hashes that they use into one script.
package bundle

import (
	"errors"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

// Build gives the script for the modules in a folder. It is an ES module that
// exports what voter.js does; it asks no network and contains no path.
func Build(dir string) ([]byte, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	r := api.Build(api.BuildOptions{
		AbsWorkingDir: abs,
		EntryPoints:   []string{"voter.js"},
		Bundle:        true,
		Format:        api.FormatESModule,
		Platform:      api.PlatformBrowser,
		Target:        api.ES2022,
		Alias:         map[string]string{"@noble/curves": "./noble/curves", "@noble/hashes": "./noble/hashes"},
		LegalComments: api.LegalCommentsEndOfFile,
		Charset:       api.CharsetASCII,
		MinifySyntax:  true, MinifyWhitespace: true, MinifyIdentifiers: true,
		TreeShaking: api.TreeShakingTrue,
	})
	if len(r.Errors) > 0 {
		return nil, errors.New(r.Errors[0].Text)
	}
	return r.OutputFiles[0].Contents, nil
}
