package gen

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

// comments are the comments on our types, read from their source as needed.
type comments struct {
	root     string                        // of the repository
	packages map[string]map[string]typeDoc // by path and name
}

// typeDoc is the comments on a type and its fields.
type typeDoc struct {
	doc    string
	fields map[string]string
}

func newComments(root string) *comments {
	return &comments{root, map[string]map[string]typeDoc{}}
}

// of returns the comments on one of our named types; none for foreign types.
func (c *comments) of(t reflect.Type) (typeDoc, error) {
	path, ours := strings.CutPrefix(t.PkgPath(), "netmeta/")
	if !ours {
		return typeDoc{}, nil
	}
	if c.packages[path] == nil {
		types, err := readPackage(filepath.Join(c.root, path))
		if err != nil {
			return typeDoc{}, err
		}
		c.packages[path] = types
	}
	return c.packages[path][t.Name()], nil
}

func readPackage(dir string) (map[string]typeDoc, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	types := map[string]typeDoc{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			d, ok := n.(*ast.GenDecl)
			if !ok || d.Tok != token.TYPE {
				return true
			}
			for _, spec := range d.Specs {
				t := spec.(*ast.TypeSpec)
				doc := t.Doc
				if doc == nil {
					doc = d.Doc
				}
				types[t.Name.Name] = typeDoc{oneLine(doc), fieldDocs(t.Type)}
			}
			return true
		})
	}
	return types, nil
}

// fieldDocs returns the comments on the fields of a struct: the one above a field or, if there is none, the
// one at the end of its line.
func fieldDocs(e ast.Expr) map[string]string {
	s, ok := e.(*ast.StructType)
	if !ok {
		return nil
	}
	docs := map[string]string{}
	for _, f := range s.Fields.List {
		doc := f.Doc
		if doc == nil {
			doc = f.Comment
		}
		for _, name := range f.Names {
			docs[name.Name] = oneLine(doc)
		}
	}
	return docs
}

func oneLine(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }
