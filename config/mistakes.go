package config

import (
	"cmp"
	"encoding"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"netmeta/internal/nearest"
)

// mistakes finds keys of a file that the configuration does not have, with the nearest
// that it has; values that are not of the key's kind; and values that the key's type does
// not read. Each error has the line, the key, the value and the fix.
func mistakes(body ast.Node) []error {
	m := mistaken{anchors: map[string]ast.Node{}}
	ast.Walk(&m, body)
	m.check(body, reflect.TypeFor[Config](), "")
	return m.errs
}

// mistaken is a file that is being checked.
type mistaken struct {
	anchors map[string]ast.Node
	errs    []error
}

// Visit collects the anchors.
func (m *mistaken) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok {
		m.anchors[a.Name.GetToken().Value] = a.Value
	}
	return m
}

// add appends an error about a key, which may end with a dot.
func (m *mistaken) add(n ast.Node, path, format string, args ...any) {
	key := cmp.Or(strings.TrimSuffix(path, "."), "the file")
	m.errs = append(m.errs, fmt.Errorf("line %d: %s: %s", n.GetToken().Position.Line, key, fmt.Sprintf(format, args...)))
}

// check compares a value with the type of its key. path is the key and a dot.
func (m *mistaken) check(n ast.Node, t reflect.Type, path string) {
	place := n
	n = m.plain(n, isText(t))
	if wrong := misplaced(n, t); wrong != "" {
		m.add(place, path, "%s", wrong)
		return
	}
	switch {
	case isText(t):
		if n.Type() != ast.NullType && n.Type() != ast.AliasType { // the default stays; the parser reports the other
			if _, err := readText(n, t); err != nil {
				m.add(place, path, "%v", err)
			}
		}
	case t.Kind() == reflect.Slice:
		m.checkList(n, t.Elem(), path)
	case t.Kind() == reflect.Map:
		m.checkKeys(pairsOf(n), t.Key(), path)
		for _, p := range pairsOf(n) {
			m.check(p.Value, t.Elem(), path+p.Key.String()+".")
		}
	case t.Kind() == reflect.Struct:
		m.checkFields(pairsOf(n), fieldsOf(t), path)
	}
}

// plain returns a value without its anchor. A text that a type reads is returned without
// its tag too, or is that of the anchor that an alias names.
func (m *mistaken) plain(n ast.Node, text bool) ast.Node {
	if a, ok := n.(*ast.AnchorNode); ok {
		n = a.Value
	}
	if !text {
		return n
	}
	if alias, ok := n.(*ast.AliasNode); ok {
		if anchored := m.anchors[alias.Value.GetToken().Value]; anchored != nil {
			n = anchored
		}
	}
	if tag, ok := n.(*ast.TagNode); ok && tag.Value != nil {
		n = tag.Value
	}
	return n
}

func (m *mistaken) checkList(n ast.Node, item reflect.Type, path string) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return
	}
	for i, value := range list.Values {
		path := fmt.Sprintf("%s[%d].", strings.TrimSuffix(path, "."), i)
		if isText(item) && value.Type() == ast.NullType {
			m.add(value, path, "no value; remove the item")
			continue
		}
		m.check(value, item, path)
	}
}

func (m *mistaken) checkFields(pairs []*ast.MappingValueNode, fields map[string]reflect.Type, path string) {
	for _, p := range pairs {
		key := p.Key.String()
		field, ok := fields[key]
		if !ok {
			m.errs = append(m.errs, fmt.Errorf("line %d: unknown key %q: %s", p.Key.GetToken().Position.Line, path+key, didYouMean(key, fields)))
			continue
		}
		m.check(p.Value, field, path+key+".")
	}
}

// checkKeys finds keys of a map that their type does not read, and those that are the
// same, although they may be written differently.
func (m *mistaken) checkKeys(pairs []*ast.MappingValueNode, t reflect.Type, path string) {
	if !isText(t) {
		return
	}
	seen := map[any]bool{}
	for _, p := range pairs {
		if p.Key.IsMergeKey() {
			continue
		}
		key, err := readText(p.Key, t)
		switch {
		case err != nil:
			m.add(p.Key, path, "%v", err)
		case seen[key]:
			m.add(p.Key, path, "%s: is listed twice; use it once", inQuotes(p.Key))
		default:
			seen[key] = true
		}
	}
}

// readText reads a text as its type.
func readText(n ast.Node, t reflect.Type) (value any, err error) {
	var text string
	if err := yaml.NodeToValue(n, &text); err != nil {
		return nil, withoutSource(err)
	}
	v := reflect.New(t)
	err = v.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
	return v.Elem().Interface(), err
}

// isText reports that a type reads its values from text.
func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// isObject reports that a value of a type has its own keys.
func isObject(t reflect.Type) bool { return t.Kind() == reflect.Struct && !isText(t) }

// misplaced describes a value that is not of the key's kind. It returns an empty text for
// one that is.
func misplaced(n ast.Node, t reflect.Type) string {
	switch n.Type() {
	case ast.NullType, ast.AliasType, ast.TagType:
		return "" // the parser checks them
	}
	_, isList := n.(*ast.SequenceNode)
	isPairs := pairsOf(n) != nil || n.Type() == ast.MappingType
	kind := t.Kind()
	if isText(t) {
		kind = reflect.String
	}
	switch {
	case kind == reflect.Slice:
		if isPairs {
			return "expected a list, got a mapping; start items with -"
		}
		if !isList {
			return fmt.Sprintf("expected a list; use [%s]", inQuotes(n))
		}
	case kind == reflect.Struct:
		if !isPairs {
			return inQuotes(n) + " is not a mapping; " + choices(fieldsOf(t))
		}
	case kind == reflect.Map:
		if !isPairs {
			return inQuotes(n) + " is not a mapping; use KEY: VALUE on the lines below"
		}
	case isList:
		return "expected one value, got a list"
	case isPairs:
		return "expected one value, got a mapping; quote values that contain a colon"
	case kind == reflect.Bool:
		if n.Type() != ast.BoolType {
			return inQuotes(n) + " is not a truth value; use true or false"
		}
	case reflect.Int <= kind && kind <= reflect.Uint64:
		return notInteger(n, t)
	}
	return ""
}

// notInteger describes a value that is not an integer of a type.
func notInteger(n ast.Node, t reflect.Type) string {
	v, err := strconv.ParseFloat(strings.ReplaceAll(n.GetToken().Value, "_", ""), 64)
	low, high := 0.0, math.Ldexp(1, t.Bits())
	if t.Kind() <= reflect.Int64 {
		low, high = -high/2, high/2
	}
	switch {
	case n.Type() == ast.IntegerType && err != nil: // in another base
	case err != nil || v != math.Trunc(v):
		return inQuotes(n) + " is not an integer"
	case v < low:
		return fmt.Sprintf("%s is too small; use at least %.0f", inQuotes(n), low)
	case v >= high:
		return inQuotes(n) + " is too large"
	}
	return ""
}

func pairsOf(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

// inQuotes is a value as in the file, text in quotes. What is in a list is not shown,
// because it may be a secret.
func inQuotes(n ast.Node) string {
	text := strings.TrimSpace(n.String())
	if strings.Contains(text, "://") { // an address with a password may be read in parts
		return "this address"
	}
	switch n := n.(type) {
	case *ast.StringNode:
		return strconv.Quote(n.Value)
	case *ast.LiteralNode:
		return strconv.Quote(n.Value.Value)
	case *ast.SequenceNode:
		return "this"
	}
	return text
}

func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name != "-" {
			fields[name] = t.Field(i).Type
		}
	}
	return fields
}

// choices lists the keys of a mapping.
func choices(fields map[string]reflect.Type) string {
	return "valid keys: " + strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
}

func didYouMean(key string, fields map[string]reflect.Type) string {
	best, bestD := "", len(key)/2+1
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if d := nearest.Distance(key, name, bestD+1); d <= bestD {
			best, bestD = name, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return choices(fields)
}
