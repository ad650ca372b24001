package guard_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"paylink/internal/guard"
)

// TestEveryGuardIsListedUsedAndTested: a name is declared once, stands once in the list, is asked for somewhere, and its test exists.
func TestEveryGuardIsListedUsedAndTested(t *testing.T) {
	listed := map[guard.Name]bool{}
	for _, g := range guard.List() {
		if listed[g.Name] {
			t.Errorf("%s stands twice in the list", g.Name)
		}
		listed[g.Name] = true
	}
	declared := names(t)
	used := map[string]bool{}
	tests := map[string]bool{} // folder and name
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 2) {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		in, err := filepath.Rel("../..", filepath.Dir(path))
		if err != nil || in == "internal/guard" {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, "_test.go") {
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok {
					tests[in+" "+f.Name.Name] = true
				}
			}
			return nil
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if p, ok := s.X.(*ast.Ident); ok && p.Name == "guard" {
					used[s.Sel.Name] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for constant, name := range declared {
		if !listed[name] {
			t.Errorf("%s is not in the list", constant)
		}
		if !used[constant] {
			t.Errorf("nobody asks whether %s stands", constant)
		}
	}
	for _, g := range guard.List() {
		test, _, _ := strings.Cut(g.Test, "/")
		if !tests[g.In+" "+test] {
			t.Errorf("%s: there is no %s in %s", g.Name, test, g.In)
		}
		if g.Keeps == "" || g.With != "" && !listed[g.With] {
			t.Errorf("%s: its line is not complete", g.Name)
		}
	}
	if len(declared) != len(listed) {
		t.Errorf("%d names are declared and %d listed", len(declared), len(listed))
	}
}

// names are the constants of list.go.
func names(t *testing.T) map[string]guard.Name {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "list.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]guard.Name{}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
			text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out[v.Names[0].Name] = guard.Name(text)
		}
		return true
	})
	return out
}
