package gen

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// Metrics returns doc/metrics.md: every NetMeta metric, from the calls of
// prometheus.NewDesc in source files of collector.
func Metrics(sources ...[]byte) ([]byte, error) {
	var lines []string
	for _, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), "", source, 0)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "NewDesc" || len(call.Args) != 4 {
				return true
			}
			name, help := literal(call.Args[0]), literal(call.Args[1])
			var labels []string
			if list, ok := call.Args[2].(*ast.CompositeLit); ok {
				for _, e := range list.Elts {
					labels = append(labels, "`"+literal(e)+"`")
				}
			}
			kind := "gauge"
			if strings.HasSuffix(name, "_total") {
				kind = "counter"
			}
			lines = append(lines, fmt.Sprintf("| `%s` | %s | %s | %s |\n", name, kind, strings.Join(labels, ", "), strings.ReplaceAll(help, "|", `\|`)))
			return true
		})
	}
	slices.Sort(lines)
	return []byte(`# Metrics

Generated from collector; do not edit. Prometheus scrapes them at ` + "`/metrics`" + ` on the web UI's address.
Counters start at zero with the process. NetMeta also exports the usual ` + "`go_*` and `process_*`" + ` metrics of the
Go runtime and of the process. Recommended alerts are in [operate.md](operate.md).

| metric | kind | labels | description |
|---|---|---|---|
` + strings.Join(lines, "")), nil
}

// literal returns the text of a string literal, or an empty string for any other expression.
func literal(e ast.Expr) string {
	if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
		text, _ := strconv.Unquote(l.Value)
		return text
	}
	return ""
}
