package sqldb

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// SQLite gives "$1", "$2", … their places in the order in which they first appear, whatever their numbers; Postgres goes by the numbers.
// A statement means the same to both only if the numbers appear in order.
func TestParametersAppearInOrder(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	parameter := regexp.MustCompile(`\$(\d+)`)
	statements := 0
	pieces := constants(t, files)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			for _, arg := range call.Args {
				text := literals(arg, pieces)
				if !strings.Contains(text, "$") {
					continue
				}
				statements++
				highest := 0
				for _, m := range parameter.FindAllStringSubmatch(text, -1) {
					n, _ := strconv.Atoi(m[1])
					if n > highest+1 {
						t.Errorf("%s: $%d appears before $%d in %.60q", fset.Position(arg.Pos()), n, highest+1, text)
						break
					}
					highest = max(highest, n)
				}
			}
			return true
		})
	}
	if statements < 20 {
		t.Fatalf("only %d statements were found: the test no longer sees them", statements)
	}
}

// literals joins the texts of an expression such as `SELECT ` + columns + ` FROM (` + rows("$1") + `)`, constants of the package and what a call is given among them.
func literals(e ast.Expr, pieces map[string]string) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			s, _ := strconv.Unquote(e.Value)
			return s
		}
	case *ast.Ident:
		return pieces[e.Name]
	case *ast.BinaryExpr:
		return literals(e.X, pieces) + literals(e.Y, pieces)
	case *ast.CallExpr:
		var text strings.Builder
		for _, arg := range e.Args {
			text.WriteString(literals(arg, pieces))
		}
		return text.String()
	}
	return ""
}

// constants are the package's own texts, by name.
func constants(t *testing.T, files []string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				for i, value := range v.Values {
					out[v.Names[i].Name] = literals(value, out)
				}
			}
		}
	}
	return out
}
