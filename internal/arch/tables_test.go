package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"netmeta/access"
	"netmeta/flow"
	"netmeta/query"
	"netmeta/store"
	"netmeta/tables"
)

// readers are the places besides query/from.go that may name a table to read from: folders, which end with a
// slash, and files.
var readers = map[string]string{
	"store/":                "makes, migrates, rolls up and drops tables: works on all rows, for the program itself",
	"source/sourcetest/":    "for tests: counts what a source has stored",
	"internal/bench/":       "measures stores of its own",
	"internal/gen/gen.go":   "examples in the documents",
	"cmd/netmeta/sql.go":    "examples in the help of netmeta sql",
	"collector/announce.go": "example that is printed at the start",
}

// allTables are the names of all tables of the store.
func allTables() []string {
	names := []string{store.StateTable, store.FoldedTable}
	for _, t := range tables.All {
		names = append(names, t.Name)
		for _, r := range t.Rollups {
			names = append(names, r.Name)
		}
	}
	return names
}

// One function names a table to read rows from, so that it can add the condition of the scope.
func TestOneFrom(t *testing.T) {
	find := fromFinder(allTables())
	out, err := exec.Command("git", "-C", "../..", "ls-files", "*.go").Output()
	if err != nil {
		t.Skip("not a git checkout: ", err)
	}
	used := map[string]bool{}
	for _, file := range strings.Fields(string(out)) {
		if strings.HasSuffix(file, "_test.go") || file == "query/from.go" {
			continue
		}
		source, err := os.ReadFile("../../" + file)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		found, err := find(file, source)
		if err != nil {
			t.Fatal(err)
		}
		exception := ""
		for _, name := range []string{file, path.Dir(file) + "/"} {
			if _, ok := readers[name]; ok {
				exception = name
			}
		}
		if exception != "" {
			used[exception] = used[exception] || len(found) > 0
			continue
		}
		for _, place := range found {
			t.Errorf("%s: name the table with from (query/from.go), which adds the scope", place)
		}
	}
	for name, because := range readers {
		if !used[name] {
			t.Errorf("%s reads no table, but is an exception: %s", name, because)
		}
	}
}

// fromFinder returns a function that finds where a Go file reads from one of the tables, or from a table with
// a computed name: each place as file:line and the text.
func fromFinder(tables []string) func(file string, source []byte) ([]string, error) {
	table := `\s+(\w+\.)?[` + "`" + `"]?(` + strings.Join(tables, "|") + `)\b`
	named := regexp.MustCompile(`\b(FROM|JOIN)` + table)
	lower := regexp.MustCompile(`(?is)\bselect\b.*\b(from|join)` + table) // not an English sentence
	format := regexp.MustCompile(`\b(FROM|JOIN)\s+%`)
	open := regexp.MustCompile(`\b(ARRAY )?(FROM|JOIN)\s*$`)
	return func(file string, source []byte) (found []string, err error) {
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, source, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		note := func(n ast.Node, text string) {
			place := set.Position(n.Pos())
			found = append(found, file+":"+strconv.Itoa(place.Line)+": "+strconv.Quote(text))
		}
		// follows checks what follows each text: the next operand, if it is concatenated.
		follows := func(parts []ast.Expr) {
			for i, part := range parts {
				text, ok := literal(last(part))
				end := open.FindString(text)
				if !ok || end == "" || strings.HasPrefix(end, "ARRAY") || i+1 == len(parts) {
					continue
				}
				next, ok := literal(first(parts[i+1]))
				if !ok || !strings.HasPrefix(strings.TrimSpace(next), "(") {
					note(part, text)
				}
			}
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if text, ok := literal(n); ok && (named.MatchString(text) || lower.MatchString(text) || format.MatchString(text)) {
					note(n, text)
				}
			case *ast.BinaryExpr:
				if n.Op == token.ADD {
					follows([]ast.Expr{n.X, n.Y})
				}
			case *ast.CallExpr:
				follows(n.Args)
			case *ast.CompositeLit:
				follows(n.Elts)
			}
			return true
		})
		return found, nil
	}
}

// last and first are the operands at the ends of a sum of texts.
func last(e ast.Expr) ast.Expr {
	if sum, ok := e.(*ast.BinaryExpr); ok && sum.Op == token.ADD {
		return last(sum.Y)
	}
	return e
}

func first(e ast.Expr) ast.Expr {
	if sum, ok := e.(*ast.BinaryExpr); ok && sum.Op == token.ADD {
		return first(sum.X)
	}
	return e
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

// The test finds violations, and nothing harmless.
func TestFromFinder(t *testing.T) {
	find := fromFinder([]string{"flows", "rollup_1m"})
	f := func(body string, want bool) {
		t.Helper()
		found, err := find("x.go", []byte("package x\n\nvar x = "+body))
		if err != nil {
			t.Fatal(err)
		}
		if (len(found) > 0) != want {
			t.Errorf("%s: %v", body, found)
		}
	}
	for _, body := range []string{
		`"SELECT 1 FROM flows"`, "`select 1\nfrom\n\tflows`", `"SELECT 1 FROM default.rollup_1m AS r"`, "\"FROM `flows`\"", `"ANY LEFT JOIN flows USING (a)"`,
		`"SELECT 1 FROM " + table`, `a + ("SELECT 1 FROM " + table) + b`, `"SELECT 1" + " FROM " + table.Name + " WHERE 1"`,
		`fmt.Sprintf("SELECT 1 FROM %s", table)`, `lines("SELECT 1", "FROM", table)`, `[]string{"FROM", table}`,
	} {
		f(body, true)
	}
	for _, body := range []string{
		`"SELECT 1 FROM system.parts"`, `"sums come from flows, or from " + table`, `"ARRAY JOIN " + list`, `"FROM f"`, `"SELECT 1 FROM (" + inner + ")"`, `lines("FROM", "(", inner, ")")`,
		`c.from("flows", " WHERE ", "1")`, `"INSERT INTO flows"`, `"what comes from there"`,
	} {
		f(body, false)
	}
}

// Each table is in scope by its fields, or closed: the filters of rows have all of them.
func TestRowFilters(t *testing.T) {
	scope, err := access.Parse("exporter = 192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	filters := query.RowFilters(scope)
	for _, name := range allTables() {
		if filters[name] == "" {
			t.Errorf("rows of %s are not filtered", name)
		}
	}
	for name := range filters {
		if !slices.Contains(allTables(), name) {
			t.Errorf("%s is filtered and no table", name)
		}
	}
	open := []string{flow.Table.Name, "counters"}
	for _, r := range flow.Table.Rollups {
		if r.Keeps(flow.ExporterAddress.Field) {
			open = append(open, r.Name)
		}
	}
	for name, filter := range filters {
		if (filter != "0") != slices.Contains(open, name) {
			t.Errorf("rows of %s are filtered by %s", name, filter)
		}
	}
}
