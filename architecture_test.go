package omov_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/omov/omov"

// floors says on which floor each package at the root stands. Imports only go
// down. A new package is entered here when it is made.
func floors() map[string]int {
	return map[string]int{
		"fault": -1, "minutes": -1, "ristretto": -1,
		"rulebook": 0, "count": 0, "register": 0, "roll": 0, "proceeding": 0,
		"sealed": 1, "tiles": 1, "box": 1,
		"store": 2, "verify": 2,
		"chamber": 3, "duty": 3, "mail": 3, "login": 3, "postbox": 3,
		"bundle": 4, "contest": 4, "registry": 4, "cases": 4, "rehearsal": 4, "archive": 4, "demo": 4, "ballot": 4, "sealing": 4,
		"cli": 5, "web": 5,
		"cmd": 6, "scripts": 6,
		// What is shipped as data, embedded.
		"rulebooks": 1, "rehearsals": 1,
	}
}

// siblings are the imports that are allowed on one floor.
func siblings() map[string][]string {
	return map[string][]string{
		"minutes":    {"fault"},
		"roll":       {"rulebook", "register"},
		"proceeding": {"rulebook", "register", "roll", "count"},
		"contest":    {"sealing"},
		"demo":       {"contest", "registry", "archive"},
		"rehearsal":  {"bundle", "contest", "registry", "sealing"},
		"cli":        {"web"},
	}
}

// mayImport tells whether package from may import package to; both are paths
// below the module.
func mayImport(from, to string) bool {
	f, _, _ := strings.Cut(from, "/")
	t, _, _ := strings.Cut(to, "/")
	fl := floors()
	return f == t || fl[t] < fl[f] || slices.Contains(siblings()[f], t)
}

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Dir        string
	Name       string
	Standard   bool
	GoFiles    []string
	Imports    []string
	Deps       []string
}

func (p *pkg) path() string {
	if p.ImportPath == module {
		return ""
	}
	return strings.TrimPrefix(p.ImportPath, module+"/")
}

func (p *pkg) root() string {
	r, _, _ := strings.Cut(p.path(), "/")
	return r
}

// packages gives the packages of this module.
func packages(t *testing.T) []pkg {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Dir,Name,Standard,GoFiles,Imports,Deps", "./...")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var ps []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return ps
		} else if err != nil {
			t.Fatal(err)
		}
		if !p.Standard && (p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/")) {
			ps = append(ps, p)
		}
	}
}

func TestImportsOnlyGoDown(t *testing.T) {
	fl := floors()
	for _, p := range packages(t) {
		if _, ok := fl[p.root()]; !ok && p.path() != "" {
			t.Errorf("package %s stands on no floor; enter it in floors()", p.path())
		}
		for _, imp := range p.Imports {
			to, ok := strings.CutPrefix(imp, module+"/")
			if ok && !mayImport(p.path(), to) {
				t.Errorf("%s imports %s, which is not below it", p.path(), to)
			}
		}
	}
}

// verify recomputes a result from published data; it shares with the server
// only what reads and counts.
func TestVerifierIsIndependent(t *testing.T) {
	for _, p := range packages(t) {
		if p.root() != "verify" {
			continue
		}
		for _, d := range p.Deps {
			to, ok := strings.CutPrefix(d, module+"/")
			root, _, _ := strings.Cut(to, "/")
			if ok && (root == "sealed" || root == "store" || root == "box" || floors()[root] > 2) {
				t.Errorf("%s depends on %s", p.path(), to)
			}
		}
	}
}

// What the lower floors must not touch: floor 0 reads no clock, no file and
// no database, and draws nothing; use cases know neither HTTP nor SQL.
func TestFloorsKeepToThemselves(t *testing.T) {
	decides := []string{"context", "os", "os/exec", "net", "net/http", "database/sql", "crypto/rand", "math/rand", "math/rand/v2"}
	useCase := []string{"net/http", "database/sql", "github.com/jackc/pgx/v5", "modernc.org/sqlite"}
	fl := floors()
	for _, p := range packages(t) {
		floor := fl[p.root()]
		for _, imp := range p.Imports {
			switch {
			case floor == 0 && slices.Contains(decides, imp):
				t.Errorf("%s decides and imports %s", p.path(), imp)
			case floor == 4 && slices.Contains(useCase, imp):
				t.Errorf("%s is a use case and imports %s", p.path(), imp)
			}
		}
	}
}

func TestNamesOfPackages(t *testing.T) {
	for _, p := range packages(t) {
		for part := range strings.SplitSeq(p.path(), "/") {
			switch part {
			case "util", "utils", "common", "model", "models", "manager", "managers", "helper", "helpers", "misc", "base", "shared", "mock", "mocks":
				t.Errorf("package %s: a package is called by what it decides", p.path())
			}
		}
	}
}

// maxLines is how long a file may be.
const maxLines = 650

func TestSource(t *testing.T) {
	for _, p := range packages(t) {
		for _, f := range p.GoFiles {
			file := filepath.Join(p.Dir, f)
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(src, []byte("\n")); n > maxLines && !generated(src) {
				t.Errorf("%s/%s has %d lines; divide it", p.path(), f, n)
			}
			s := source{t: t, name: p.path() + "/" + f, set: token.NewFileSet(), root: p.root()}
			tree, err := parser.ParseFile(s.set, file, src, parser.ParseComments)
			if err != nil {
				t.Error(err)
				continue
			}
			s.check(tree)
		}
	}
}

func generated(src []byte) bool {
	s := bufio.NewScanner(bytes.NewReader(src))
	return s.Scan() && strings.HasPrefix(s.Text(), "// Code generated ")
}

// source is one file under test.
type source struct {
	t    *testing.T
	set  *token.FileSet
	name string
	root string
}

func (s *source) say(at token.Pos, what string) {
	s.t.Helper()
	s.t.Errorf("%s:%d: %s", s.name, s.set.Position(at).Line, what)
}

func (s *source) check(tree *ast.File) {
	for _, d := range tree.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" {
				s.say(d.Pos(), "no init functions")
			}
		case *ast.GenDecl:
			if d.Tok == token.VAR {
				s.variables(d)
			}
		}
	}
	exact := slices.Contains([]string{"archive", "count", "rulebook", "proceeding", "roll", "register", "minutes"}, s.root)
	decides := floors()[s.root] == 0
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if exact && (n.Name == "float64" || n.Name == "float32") {
				s.say(n.Pos(), "no floating point where a result or a record depends on it")
			}
		case *ast.BasicLit:
			if exact && n.Kind == token.FLOAT {
				s.say(n.Pos(), "no floating point where a result or a record depends on it")
			}
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if decides && ok && x.Name == "time" && (n.Sel.Name == "Now" || n.Sel.Name == "Since" || n.Sel.Name == "Until") {
				s.say(n.Pos(), "floor 0 reads no clock")
			}
		}
		return true
	})
}

// variables allows, at the level of a package, only what cannot change:
// embedded files, errors to compare with, and checks that a type fits an
// interface.
func (s *source) variables(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		if embedded(d.Doc) || embedded(v.Doc) {
			continue
		}
		for _, name := range v.Names {
			if name.Name != "_" && !strings.HasPrefix(name.Name, "Err") && !strings.HasPrefix(name.Name, "err") {
				s.say(name.Pos(), "no package variables ("+name.Name+"): make it a constant, or a function that gives it")
			}
		}
	}
}

func embedded(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, c := range doc.List {
		if strings.HasPrefix(c.Text, "//go:embed ") {
			return true
		}
	}
	return false
}
