package gen

import (
	"encoding"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"

	"netmeta/config"
)

const configHead = `# The configuration file

Generated from the Config types of the packages that [config.go](../config/config.go) lists; do not edit. The
file is YAML and every key is optional. Without a file ` + "`netmeta run`" + ` uses the defaults below.
` + "`netmeta check FILE`" + ` reports errors in a file with the line, the key, the value and a valid alternative.

A running NetMeta reloads the file on SIGHUP and on ` + "`netmeta reload`" + `. Keys marked *live* take
effect at once, without losing a datagram. The others need a restart and keep their value
until then.

| key | default | | description |
|---|---|---|---|
`

// Config returns doc/config.md: every key of the configuration file, with its default and
// the comment of its field. root is the directory of the module. A key without a comment
// is an error.
func Config(root string) ([]byte, error) {
	k := keys{root: root, packages: map[string]types{}}
	k.WriteString(configHead)
	k.write(reflect.ValueOf(config.Default()), "", "")
	return []byte(k.String()), errors.Join(k.errs...)
}

// keys writes the keys of types.
type keys struct {
	strings.Builder
	root     string
	packages map[string]types // by import path
	errs     []error
}

// types are the comments of the fields of the types of a package.
type types map[string]map[string]string

// write writes the keys of a struct, and those below them. path precedes their names; live is the mark of
// their parent key.
func (k *keys) write(v reflect.Value, path, live string) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Tag.Get("yaml") == "-" { // not a key
			continue
		}
		key := path + f.Tag.Get("yaml")
		if isObject(f.Type) {
			k.write(v.Field(i), key+".", live)
			continue
		}
		live := live
		if f.Tag.Get("reload") == "live" {
			live = "*live*"
		}
		comment := k.comment(v.Type(), f.Name)
		if comment == "" {
			k.errs = append(k.errs, fmt.Errorf("%s: %s.%s has no comment; write one above the field", key, v.Type(), f.Name))
		}
		fmt.Fprintf(k, "| `%s` | %s | %s | %s |\n", key, defaultText(v.Field(i)), live, comment)
		switch kind := f.Type.Kind(); {
		case kind == reflect.Map && isObject(f.Type.Elem()):
			k.write(reflect.New(f.Type.Elem()).Elem(), key+".*.", live)
		case kind == reflect.Slice && isObject(f.Type.Elem()):
			k.write(reflect.New(f.Type.Elem()).Elem(), key+"[].", live)
		}
	}
}

// defaultText returns a default as code. It is empty for no value, except 0 for a number.
func defaultText(v reflect.Value) string {
	if v.IsZero() && v.Kind() != reflect.Int {
		return ""
	}
	return fmt.Sprintf("`%v`", v.Interface())
}

// isObject reports that a value is a mapping in the file.
func isObject(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// comment returns the comment of a field.
func (k *keys) comment(t reflect.Type, field string) string {
	path := t.PkgPath()
	if k.packages[path] == nil {
		found, err := commentsOf(filepath.Join(k.root, strings.TrimPrefix(path, "netmeta/")))
		if err != nil {
			k.errs = append(k.errs, err)
		}
		k.packages[path] = found
	}
	return k.packages[path][t.Name()][field]
}

// commentsOf reads the comments of the struct types in a directory.
func commentsOf(dir string) (types, error) {
	found := types{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return found, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if t, ok := n.(*ast.TypeSpec); ok {
				found.add(t)
			}
			return true
		})
	}
	return found, err
}

func (x types) add(t *ast.TypeSpec) {
	s, ok := t.Type.(*ast.StructType)
	if !ok {
		return
	}
	fields := map[string]string{}
	for _, f := range s.Fields.List {
		for _, name := range f.Names {
			fields[name.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
		}
	}
	x[t.Name.Name] = fields
}
