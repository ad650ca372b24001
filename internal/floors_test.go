package internal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the path of the module, and with a slash the beginning of every import of our own.
const module = "paylink"

// floors is the plan of doc.go, from the ground up.
var floors = [][]string{
	{"internal/guard"},
	{"internal/money", "internal/phone", "internal/day", "internal/seal", "internal/lockout"},
	{"internal/lang", "internal/trail"},
	{"internal/account", "internal/ledger", "internal/staff", "internal/sms", "internal/link", "internal/post", "internal/appointment"},
	{"internal/quote"},
	{"internal/pay"},
	{"internal/autopay", "internal/wallet"},
	{"internal/desk/signin", "internal/desk/agent", "internal/desk/supervisor", "internal/desk/admin", "internal/desk/payer", "internal/desk/client", "internal/desk/office", "internal/desk/clock"},
	{"internal/web", "internal/sqldb", "internal/redisdb", "internal/stripepay", "internal/twiliosms", "internal/signon", "internal/mail", "internal/pdf"},
	{"internal/web/plus", "internal/web/payer", "internal/web/portal", "internal/web/api", "internal/web/hooks"},
	{"internal/app"},
	{"internal/demo"},
	{"cmd/paylink", "cmd/paysim"},
}

// beside are the rooms that no floor holds; judge knows the rules of each.
var beside = []string{"internal", "internal/testbed", "internal/sim/stripesim", "internal/sim/twiliosim", "internal/sim/smtpsim", "templates"}

// free may import what they like, as tests may.
var free = []string{"bench", "e2e"}

// keepers: what begins with the path on the left is imported by the room on the right alone.
var keepers = map[string]string{
	"github.com/stripe/stripe-go":   "internal/stripepay",
	"github.com/twilio/twilio-go":   "internal/twiliosms",
	"github.com/redis/go-redis":     "internal/redisdb",
	"github.com/alicebob/miniredis": "cmd/paysim",
	"github.com/jackc/pgx":          "internal/sqldb",
	"github.com/pressly/goose":      "internal/sqldb",
	"modernc.org/sqlite":            "internal/sqldb",
	"github.com/wneessen/go-mail":   "internal/mail",
	"database/sql":                  "internal/sqldb",
	"codeberg.org/go-pdf/fpdf":      "internal/pdf",
	"github.com/go-webauthn":        "internal/desk/signin",
	"github.com/pquerna/otp":        "internal/desk/signin",
	"github.com/coreos/go-oidc":     "internal/signon",
	"golang.org/x/oauth2":           "internal/signon",
	"github.com/boombuler/barcode":  "internal/web/plus",
}

// technology is what the business, up to its desks, knows nothing of.
var technology = []string{"net/http", "database/sql", "html/template", "os", "log", "github.com/rs/zerolog"}

func TestImportsFollowTheFloorPlan(t *testing.T) {
	packages := readHouse(t, "..")
	if len(packages) < 10 {
		t.Fatalf("read only %d packages: looking in the wrong place", len(packages))
	}
	for dir, files := range packages {
		for _, refusal := range inspect(dir, files) {
			t.Error(refusal)
		}
	}
}

func TestThePlanInWordsNamesEveryRoom(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, floor := range floors {
		for _, room := range floor {
			if name := strings.TrimPrefix(room, "internal/"); !strings.Contains(string(text), name) {
				t.Errorf("doc.go does not mention %s", name)
			}
		}
	}
}

func TestForbiddenImportsAreRecognised(t *testing.T) {
	for _, c := range []struct {
		importer, imported string
		ok                 bool
	}{
		{"internal/quote", "paylink/internal/account", true},
		{"internal/lang", "paylink/internal/money", true},
		{"internal/web/payer", "paylink/internal/web", true},
		{"internal/web/payer", "paylink/templates", true},
		{"internal/app", "paylink/internal/sqldb", true},
		{"cmd/paysim", "paylink/internal/sim/stripesim", true},
		{"internal/stripepay", "github.com/stripe/stripe-go/v76/client", true},
		{"internal/sqldb", "database/sql", true},
		{"internal/desk/agent", "net/url", true},
		{"internal/web", "net/http", true},
		{"internal/testbed", "github.com/jackc/pgx/v5", true},
		{"bench", "paylink/internal/sim/stripesim", true},
		{"e2e/lib", "paylink/internal/pay", true},

		{"internal/account", "paylink/internal/quote", false},         // up
		{"internal/pay", "paylink/internal/sqldb", false},             // up
		{"internal/money", "paylink/internal/phone", false},           // sideways
		{"internal/desk/agent", "paylink/internal/desk/payer", false}, // sideways
		{"internal/sqldb", "paylink/internal/web", false},             // sideways
		{"internal/web", "paylink/internal/web/payer", false},         // up, though deeper in the tree
		{"internal/web/plus", "paylink/internal/web/payer", false},    // sideways
		{"cmd/paylink", "paylink/internal/sim/stripesim", false},      // a simulator in the service
		{"internal/app", "paylink/internal/sim/twiliosim", false},     // a simulator in the service
		{"cmd/paylink", "paylink/internal/demo", false},               // invented clients in the service
		{"cmd/paysim", "paylink/internal/demo", true},
		{"internal/sim/stripesim", "paylink/internal/money", false}, // a simulator that shares our mistakes
		{"internal/sim/stripesim", "paylink/internal/sim/twiliosim", false},
		{"internal/sim/stripesim", "github.com/stripe/stripe-go/v76", false},
		{"internal/app", "paylink/internal/testbed", false},   // test support in the service
		{"internal/testbed", "paylink/internal/money", false}, // test support that knows the house
		{"internal/lang", "paylink/templates", false},         // words that know pages
		{"templates", "paylink/internal/money", false},        // pages that know words
		{"templates", "html/template", false},
		{"internal/quote", "paylink/internal/helpers", false}, // unplanned
		{"internal/helpers", "fmt", false},                    // unplanned
		{"internal/pay", "net/http", false},
		{"internal/pay", "net/http/httptest", false},
		{"internal/money", "database/sql", false},
		{"internal/desk/agent", "html/template", false},
		{"internal/desk/clock", "os", false},
		{"internal/desk/clock", "os/exec", false},
		{"internal/desk/clock", "log/slog", false},
		{"internal/link", "github.com/rs/zerolog", false},
		{"internal/web/hooks", "github.com/stripe/stripe-go/v76/webhook", false},
		{"internal/app", "github.com/twilio/twilio-go/client", false},
		{"internal/app", "github.com/redis/go-redis/v9", false},
		{"cmd/paylink", "github.com/alicebob/miniredis/v2", false},
		{"internal/app", "github.com/jackc/pgx/v5/stdlib", false},
		{"internal/web", "database/sql", false},
	} {
		if refusal := judge(c.importer, c.imported); (refusal == "") != c.ok {
			t.Errorf("%s imports %s: %q", c.importer, c.imported, refusal)
		}
	}
}

func TestForbiddenCodeIsRecognised(t *testing.T) {
	for _, c := range []struct {
		name, dir, code string
		ok              bool
	}{
		{"a sentinel", "internal/pay", `import "errors"; var ErrClosed = errors.New("closed")`, true},
		{"a table that is read", "internal/pay", `var table = map[string]int{"a": 1}; func f() int { return table["a"] }`, true},
		{"a local of the same name", "internal/pay", `var table = 1; func f() { table := 2; table = 3; _ = table }`, true},
		{"a parameter of the same name", "internal/pay", `var table = 1; func f(table int) { table++ }`, true},
		{"a field of the same name", "internal/pay", `var table = 1; type s struct{ table int }; func (x s) f() { x.table = 2 }`, true},
		{"the clock in app", "internal/app", `import "time"; var now = time.Now`, true},
		{"a clock of one's own", "internal/pay", `import "time"; type m struct{ Now func() time.Time }; func (x m) f() { x.Now() }`, true},
		{"an address, to read by", "internal/pay", `var table int; func f(g func(*int)) { g(&table) }`, true},
		{"a method named init", "internal/pay", `type m int; func (m) init() {}`, true},

		{"a package in no plan", "internal/helpers", ``, false},
		{"the clock", "internal/pay", `import "time"; func f() { time.Now() }`, false},
		{"the clock as a value", "internal/sqldb", `import "time"; var now = time.Now`, false},
		{"the clock by another name", "internal/web", `import t "time"; func f() { t.Now() }`, false},
		{"the clock, hidden", "internal/web", `import "time"; func f(s time.Time) { time.Since(s) }`, false},
		{"the clock in a simulator", "internal/sim/stripesim", `import "time"; func f() { time.Now() }`, false},
		{"an import without its name", "internal/web", `import . "time"; func f() { Now() }`, false},
		{"init", "internal/pay", `func init() {}`, false},
		{"an assignment", "internal/pay", `var table int; func f() { table = 1 }`, false},
		{"a count", "internal/pay", `var table int; func f() { table++ }`, false},
		{"an element", "internal/pay", `var table = map[string]int{}; func f() { table["a"] = 1 }`, false},
		{"a field", "internal/pay", `var table struct{ a []int }; func f() { table.a[0] = 1 }`, false},
		{"a deletion", "internal/pay", `var table = map[string]int{}; func f() { delete(table, "a") }`, false},
		{"a lock", "internal/pay", `import "sync"; var mu sync.Mutex`, false},
		{"a counter", "internal/pay", `import "sync/atomic"; var n atomic.Int64`, false},
		{"a channel", "internal/pay", `var events = make(chan int)`, false},
	} {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, "x.go", "package x\n"+c.code, 0)
		if err != nil {
			t.Fatal(c.name, err)
		}
		if refusals := inspect(c.dir, []*ast.File{file}); (len(refusals) == 0) != c.ok {
			t.Errorf("%s in %s: %q", c.name, c.dir, refusals)
		}
	}
}

// judge says why a room must not import a package, or nothing if it may. importer is a folder of this repository, imported an import path.
func judge(importer, imported string) (refusal string) {
	refuse := func(reason string) string { return importer + " imports " + imported + ": " + reason }
	if isFree(importer) {
		return ""
	}
	from, planned := floorOf(importer)
	if !planned {
		return unplanned(importer)
	}
	desks, _ := floorOf("internal/desk/agent")
	edges, _ := floorOf("internal/web")
	business := from >= 0 && from <= desks

	if own, ok := strings.CutPrefix(imported, module+"/"); ok {
		to, planned := floorOf(own)
		switch {
		case !planned:
			return refuse("not in the floor plan")
		case own == "internal/testbed":
			return refuse("test support, for tests alone")
		case own == "internal/demo":
			if importer != "cmd/paysim" {
				return refuse("invented clients, for cmd/paysim and tests alone")
			}
		case strings.HasPrefix(own, "internal/sim/"):
			if importer != "cmd/paysim" {
				return refuse("a simulator, for cmd/paysim and tests alone")
			}
		case from < 0:
			return refuse("what stands beside the floors knows nothing of them")
		case own == "templates":
			if from < edges {
				return refuse("pages are for edges and above")
			}
		case to == from:
			return refuse("sideways: rooms on one floor do not know one another")
		case to > from:
			return refuse("upward")
		}
		return ""
	}
	if importer == "templates" && imported != "embed" {
		return refuse("templates only embeds")
	}
	if importer == "internal/testbed" {
		return ""
	}
	if importer == "internal/guard" && imported == "os" { // in the one file that only a test build has
		return ""
	}
	if business && slices.ContainsFunc(technology, func(path string) bool { return within(imported, path) }) {
		return refuse("technology below the edges")
	}
	for path, keeper := range keepers {
		if within(imported, path) && importer != keeper {
			return refuse("only " + keeper + " may")
		}
	}
	return ""
}

func unplanned(dir string) string {
	return dir + " is not in the floor plan (internal/doc.go, internal/floors_test.go)"
}

// floorOf is the number of a room's floor, the ground's being 0, or -1 for one beside the stairs.
func floorOf(room string) (number int, planned bool) {
	for number, floor := range floors {
		if slices.Contains(floor, room) {
			return number, true
		}
	}
	return -1, slices.Contains(beside, room)
}

// isFree reports whether a folder may import what it likes.
func isFree(dir string) bool {
	return slices.ContainsFunc(free, func(path string) bool { return within(dir, path) })
}

// within reports whether an import path is the given one or below it.
func within(imported, path string) bool {
	return imported == path || strings.HasPrefix(imported, path+"/")
}

// inspect returns everything that is wrong with the files of one package, tests left out.
func inspect(dir string, files []*ast.File) (refusals []string) {
	if isFree(dir) {
		return nil
	}
	if _, planned := floorOf(dir); !planned { // said here too, for a package that imports nothing
		return []string{unplanned(dir)}
	}
	refuse := func(reason string) { refusals = append(refusals, dir+": "+reason) }
	ownsClock := dir == "internal/app" || dir == "internal/testbed" || strings.HasPrefix(dir, "cmd/")
	state := packageVariables(files)
	for _, file := range files {
		clock := ""
		for _, spec := range file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if refusal := judge(dir, path); refusal != "" {
				refusals = append(refusals, refusal)
			}
			switch {
			case spec.Name != nil && spec.Name.Name == ".":
				refuse("imports " + path + " without its name")
			case path == "time" && spec.Name != nil:
				clock = spec.Name.Name
			case path == "time":
				clock = "time"
			}
		}
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.SelectorExpr:
				name, ok := node.X.(*ast.Ident)
				if ok && !ownsClock && clock != "" && name.Name == clock && slices.Contains([]string{"Now", "Since", "Until"}, node.Sel.Name) {
					refuse("reads the clock by time." + node.Sel.Name + "; be handed one: Now func() time.Time")
				}
			case *ast.FuncDecl:
				if node.Name.Name == "init" && node.Recv == nil {
					refuse("has an init function")
				}
			case *ast.AssignStmt:
				for _, left := range node.Lhs {
					if name := state.holder(left); name != "" {
						refuse("changes the package's variable " + name)
					}
				}
			case *ast.IncDecStmt:
				if name := state.holder(node.X); name != "" {
					refuse("changes the package's variable " + name)
				}
			case *ast.CallExpr:
				if f, ok := node.Fun.(*ast.Ident); ok && (f.Name == "delete" || f.Name == "clear") && len(node.Args) > 0 {
					if name := state.holder(node.Args[0]); name != "" {
						refuse("changes the package's variable " + name)
					}
				}
			}
			return true
		})
	}
	for name, spec := range state {
		if changesByNature(spec) {
			refuse("the package's variable " + name + " is a lock, a counter or a channel")
		}
	}
	slices.Sort(refusals)
	return slices.Compact(refusals)
}

// variables are a package's own, by name.
type variables map[string]*ast.ValueSpec

func packageVariables(files []*ast.File) variables {
	found := variables{}
	for _, file := range files {
		for _, declaration := range file.Decls {
			list, ok := declaration.(*ast.GenDecl)
			if !ok || list.Tok != token.VAR {
				continue
			}
			for _, spec := range list.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					found[name.Name] = spec.(*ast.ValueSpec)
				}
			}
		}
	}
	delete(found, "_")
	return found
}

// holder is the name of the package's variable that an expression is, or is a part of. The parser resolves a name that is declared in its
// file (Obj), so that a local of the same name is told apart; a name declared in another file of the package stays unresolved.
func (v variables) holder(part ast.Expr) string {
	for {
		switch e := part.(type) {
		case *ast.SelectorExpr:
			part = e.X
		case *ast.IndexExpr:
			part = e.X
		case *ast.StarExpr:
			part = e.X
		case *ast.ParenExpr:
			part = e.X
		case *ast.Ident:
			spec := v[e.Name]
			if spec != nil && (e.Obj == nil || e.Obj.Decl == spec) {
				return e.Name
			}
			return ""
		default:
			return ""
		}
	}
}

// changesByNature reports whether a variable is of a type that has no use but to change: of sync or sync/atomic, or a channel.
func changesByNature(spec *ast.ValueSpec) bool {
	for _, typ := range append([]ast.Expr{spec.Type}, spec.Values...) {
		if call, ok := typ.(*ast.CallExpr); ok && len(call.Args) > 0 {
			if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "make" {
				typ = call.Args[0]
			}
		}
		if literal, ok := typ.(*ast.CompositeLit); ok {
			typ = literal.Type
		}
		switch typ := typ.(type) {
		case *ast.ChanType:
			return true
		case *ast.SelectorExpr:
			if from, ok := typ.X.(*ast.Ident); ok && (from.Name == "sync" || from.Name == "atomic") {
				return true
			}
		}
	}
	return false
}

// readHouse parses every Go file below root but tests, by folder. Folders that Go skips are skipped, and modules of their own.
func readHouse(t *testing.T, root string) map[string][]*ast.File {
	t.Helper()
	packages := map[string][]*ast.File{}
	files := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path == root {
				return nil
			}
			_, err := os.Stat(filepath.Join(path, "go.mod"))
			if err == nil || name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		packages[filepath.ToSlash(dir)] = append(packages[filepath.ToSlash(dir)], file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Temporary: holds modules in go.mod until their first importer is written. Its removal removes this line too.
	return packages
}
