// Package gen generates the reference documents from the code. Its test compares them
// with doc/; `go test ./internal/gen -update` rewrites them.
package gen

import (
	"encoding"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"netmeta/column"
	"netmeta/config"
	"netmeta/counter"
	"netmeta/flow"
	"netmeta/health"
)

// Fields returns doc/fields.md: every column of the flows table.
func Fields() []byte {
	return fields(`# The flows table

Generated from flow/fields.go; do not edit. One row is one flow record as received.
Names and types are a public API: columns are added, never renamed. A *rare* column is
added to the table when its first value other than zero arrives. Until then SQL can name
it and reads zero. IPv4 addresses are stored as `+"`::ffff:a.b.c.d`"+`.
`, &flow.Table)
}

// Counters returns doc/counters.md: every column of the counters table.
func Counters() []byte {
	return fields(`# The counters table

Generated from counter/fields.go; do not edit. One row is one reading of an interface, a
queue or a device from an sFlow counter sample. Counters only increase, so use the difference
between two rows. For example, the traffic of an interface in bits per second:

    SELECT TimeReceived, (InOctets - lagInFrame(InOctets) OVER w) * 8 / (TimeReceived - lagInFrame(TimeReceived) OVER w) AS bps
    FROM counters WHERE ExporterAddress = toIPv6('192.0.2.1') AND IfIndex = 3 AND bitTest(Records, 0)
    WINDOW w AS (ORDER BY TimeReceived ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)

Skip the first row, because it has no predecessor. A counter that the device does not have
is zero. Columns are *rare* as in the [flows table](fields.md).
`, &counter.Table)
}

// Exporters returns doc/exporters.md: every column of the exporters table.
func Exporters() []byte {
	return fields(`# The exporters table

Generated from health/health.go; do not edit. One row is one exporter in one minute: what it
sent, what was lost, and how far its data can be trusted. For example, the exporters with
losses in the last hour:

    SELECT ExporterAddress, FlowType, sum(Lost) AS lost, sum(Datagrams) AS datagrams
    FROM exporters WHERE TimeReceived > now() - 3600 GROUP BY ALL HAVING lost > 0
`, &health.Table)
}

func fields(head string, table *column.Table) []byte {
	var b strings.Builder
	b.WriteString(head)
	b.WriteString(`
| column | type | filter name | IPFIX elements | description |
|---|---|---|---|---|
`)
	for _, f := range table.Fields {
		var ies []string
		for _, ie := range f.IE {
			ies = append(ies, fmt.Sprint(ie.ID))
		}
		doc := f.Doc
		if f.Kind == column.Alias {
			doc += " Computed: `" + f.SQL + "`."
		}
		if f.Rare {
			doc += " *Rare.*"
		}
		filter := f.FilterName()
		if filter != "" {
			filter = "`" + filter + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s |\n", f.Name, strings.ReplaceAll(f.SQLType(), "|", `\|`), filter, strings.Join(ies, ", "), doc)
	}
	return []byte(b.String())
}

// Config returns doc/config.md: every key of the configuration file, with the comment of
// its field and its default. sources are the Go files that declare its types.
func Config(sources ...[]byte) ([]byte, error) {
	comments := map[string]map[string]string{} // package.type → field → comment
	for _, source := range sources {
		if err := fieldComments(source, comments); err != nil {
			return nil, err
		}
	}
	var b strings.Builder
	b.WriteString(configHead)
	writeKeys(&b, comments, reflect.ValueOf(config.Default()), "", "")
	return []byte(b.String()), nil
}

func fieldComments(source []byte, comments map[string]map[string]string) error {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ParseComments)
	if err != nil {
		return err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		t, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		s, ok := t.Type.(*ast.StructType)
		if !ok {
			return true
		}
		fields := map[string]string{}
		for _, f := range s.Fields.List {
			for _, name := range f.Names {
				fields[name.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
			}
		}
		comments[file.Name.Name+"."+t.Name.Name] = fields
		return true
	})
	return nil
}

const configHead = `# The configuration file

Generated from config/config.go and enrich/; do not edit. The file is YAML and every key is
optional. Without a file ` + "`netmeta run`" + ` uses the defaults below. ` + "`netmeta check FILE`" + ` reports
errors in a file with the line, the key, the value and a valid alternative.

A running NetMeta reloads the file on SIGHUP and on ` + "`netmeta reload`" + `. Keys marked *live* take
effect at once, without losing a datagram. The others need a restart and keep their value
until then.

| key | default | | description |
|---|---|---|---|
`

func writeKeys(b *strings.Builder, comments map[string]map[string]string, v reflect.Value, path, live string) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Tag.Get("yaml") == "-" { // not a key
			continue
		}
		key := path + f.Tag.Get("yaml")
		if isObject(f.Type) {
			writeKeys(b, comments, v.Field(i), key+".", live)
			continue
		}
		value := fmt.Sprintf("`%v`", v.Field(i).Interface())
		if v.Field(i).IsZero() {
			value = ""
			if f.Type.Kind() == reflect.Int {
				value = "`0`"
			}
		}
		live := live
		if f.Tag.Get("reload") == "live" {
			live = "*live*"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", key, value, live, comments[v.Type().String()][f.Name])
		if k := f.Type.Kind(); (k == reflect.Map || k == reflect.Slice) && isObject(f.Type.Elem()) {
			item := "[]."
			if k == reflect.Map {
				item = ".*."
			}
			writeKeys(b, comments, reflect.New(f.Type.Elem()).Elem(), key+item, live)
		}
	}
}

// isObject reports that a value has keys of its own in the file.
func isObject(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}
