package gen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"netmeta/api"
	"netmeta/filter"
)

// schema is the part of JSON Schema that openapi.json uses. Its members are written in this order.
type schema struct {
	Ref                  string    `json:"$ref,omitempty"`
	AnyOf                []*schema `json:"anyOf,omitempty"`
	Type                 any       `json:"type,omitempty"` // a name or a list of names
	Description          string    `json:"description,omitempty"`
	Enum                 []string  `json:"enum,omitempty"`
	Minimum              *int      `json:"minimum,omitempty"`
	Properties           members   `json:"properties,omitempty"`
	Required             []string  `json:"required,omitempty"`
	AdditionalProperties *schema   `json:"additionalProperties,omitempty"`
	Items                *schema   `json:"items,omitempty"`
	MinItems             int       `json:"minItems,omitempty"`
	MaxItems             int       `json:"maxItems,omitempty"`
	Example              any       `json:"example,omitempty"`
}

// members are the members of a JSON object, in order.
type members []member

type member struct {
	name  string
	value any
}

func (m members) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, one := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(one.name)
		if err != nil {
			return nil, err
		}
		value, err := plainJSON(one.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// plainJSON writes < > & unescaped.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// schemas are the schemas of the types of bodies, by name.
type schemas struct {
	comments *comments
	types    map[string]reflect.Type
	list     []named // in order of discovery
}

type named struct {
	name string
	*schema
}

// otherNames are the names in the description of types whose Go name is unsuitable there.
var otherNames = map[string]string{
	"filter.FieldInfo": "Field", "query.UnitInfo": "Unit", "filter.CheckResult": "Check", "filter.Item": "CompletionItem", "filter.Error": "FilterError", "diagnosis.Problem": "Trouble",
	"store.Detached": "DetachedPart",
}

// special are the schemas of types whose JSON differs from their Go type.
var special = map[reflect.Type]schema{
	reflect.TypeFor[netip.Addr]():      {Type: "string"},
	reflect.TypeFor[filter.Filter]():   {},
	reflect.TypeFor[api.FlowValues]():  {Type: "array", Items: &schema{Type: []string{"integer", "string", "array", "null"}, Items: &schema{Type: "string"}}},
	reflect.TypeFor[json.RawMessage](): {Type: "object"},
	reflect.TypeFor[any]():             {Type: "object"},
}

// of returns the schema of a value of a type, by reference if the type has a name.
func (s *schemas) of(t reflect.Type) (*schema, error) {
	if known, ok := special[t]; ok {
		return &known, nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		elem, err := s.of(t.Elem())
		return orNull(elem), err
	case reflect.Bool:
		return &schema{Type: "boolean"}, nil
	case reflect.String:
		return &schema{Type: "string"}, nil
	case reflect.Float32, reflect.Float64:
		return &schema{Type: "number"}, nil
	case reflect.Slice:
		items, err := s.of(t.Elem())
		return &schema{Type: "array", Items: items}, err
	case reflect.Array:
		items, err := s.of(t.Elem())
		return &schema{Type: "array", Items: items, MinItems: t.Len(), MaxItems: t.Len()}, err
	case reflect.Map:
		values, err := s.of(t.Elem())
		return &schema{Type: "object", AdditionalProperties: values}, err
	case reflect.Struct:
		return s.reference(t)
	}
	if t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 {
		return &schema{Type: "integer"}, nil
	}
	return nil, fmt.Errorf("%v: has no schema; give it one in internal/gen", t)
}

// orNull returns the schema of values that may also be null.
func orNull(s *schema) *schema {
	if s == nil {
		return nil
	}
	if s.Ref != "" {
		return &schema{AnyOf: []*schema{s, {Type: "null"}}}
	}
	out := *s
	out.Type = []string{s.Type.(string), "null"}
	return &out
}

// reference returns the name of a struct, and adds its schema to the list if it is new.
func (s *schemas) reference(t reflect.Type) (*schema, error) {
	name := t.Name()
	if other, ok := otherNames[t.String()]; ok {
		name = other
	}
	ref := &schema{Ref: "#/components/schemas/" + name}
	if known, ok := s.types[name]; ok {
		if known != t {
			return nil, fmt.Errorf("%v and %v are both called %s: give one of them another name in internal/gen", known, t, name)
		}
		return ref, nil
	}
	s.types[name] = t
	i := len(s.list)
	s.list = append(s.list, named{name: name}) // before those that it refers to
	object, err := s.object(t, func(tag reflect.StructTag) bool { return !strings.Contains(tag.Get("json"), ",omitempty") })
	s.list[i].schema = object
	return ref, err
}

// object returns the schema of a struct, with its required members.
func (s *schemas) object(t reflect.Type, needed func(reflect.StructTag) bool) (*schema, error) {
	doc, err := s.comments.of(t)
	if err != nil {
		return nil, err
	}
	out := &schema{Type: "object", Description: whatItIs(doc.doc)}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "": // its members are those of t
			part, err := s.object(f.Type, needed)
			if err != nil {
				return nil, err
			}
			out.Properties = append(out.Properties, part.Properties...)
			out.Required = append(out.Required, part.Required...)
			continue
		case !f.IsExported() || name == "-":
			continue
		case name == "":
			return nil, fmt.Errorf("%v.%s has no name for JSON", t, f.Name)
		}
		value, err := s.member(f, doc.fields[f.Name])
		if err != nil {
			return nil, err
		}
		out.Properties = append(out.Properties, member{name, value})
		if needed(f.Tag) {
			out.Required = append(out.Required, name)
		}
	}
	return out, nil
}

// naming matches the start of the comment on a type: Series is …
var naming = regexp.MustCompile(`^(?:An? )?[A-Z][A-Za-z]* (?:is|are|says|describes) `)

// whatItIs returns the comment on a type without its Go name.
func whatItIs(doc string) string {
	rest := naming.ReplaceAllString(doc, "")
	if rest == "" {
		return ""
	}
	return strings.ToUpper(rest[:1]) + rest[1:]
}

// member returns the schema of a field with its comment and its tags: its possible values (enum), and one of
// them (example).
func (s *schemas) member(f reflect.StructField, doc string) (*schema, error) {
	t := f.Type
	if strings.Contains(f.Tag.Get("json"), ",omitempty") && t.Kind() == reflect.Pointer {
		t = t.Elem() // omitted, and not null
	}
	out, err := s.of(t)
	if err != nil {
		return nil, err
	}
	out.Description = doc
	if enum := f.Tag.Get("enum"); enum != "" {
		of := out
		if out.Items != nil {
			of = out.Items
		}
		of.Enum = strings.Split(enum, ",")
	}
	if text, ok := f.Tag.Lookup("example"); ok {
		out.Example = exampleOf(text, t)
	}
	return out, nil
}

// exampleOf reads the tag of a field: text, or JSON for other types.
func exampleOf(text string, t reflect.Type) any {
	if t.Kind() == reflect.String {
		return json.RawMessage(strconv.Quote(text))
	}
	return json.RawMessage(text)
}

// body returns the schema of the body of a request: members without the tag need are optional.
func (s *schemas) body(t reflect.Type) (*schema, error) {
	out, err := s.object(t, func(tag reflect.StructTag) bool { return tag.Get("need") == "true" })
	if out != nil {
		out.Description = ""
	}
	return out, err
}
