package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"netmeta/internal/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// A schema is the part of JSON Schema that openapi.json uses.
type schema struct {
	Ref         string             `json:"$ref"`
	Type        types              `json:"type"`
	Description string             `json:"description"`
	Properties  map[string]*schema `json:"properties"`
	Required    []string           `json:"required"`
	Additional  *schema            `json:"additionalProperties"`
	Items       *schema            `json:"items"`
	Example     any                `json:"example"`
}

// types is one name or a list.
type types []string

func (t *types) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = types{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(t))
}

type content map[string]struct {
	Schema  *schema
	Example any
}

type operation struct {
	Parameters []struct {
		Name    string
		In      string
		Schema  *schema
		Example any
	}
	RequestBody struct{ Content content }
	Responses   map[string]struct{ Content content }
}

type document struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]*schema }
}

func description(t testing.TB) *document {
	t.Helper()
	d, err := described()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var described = sync.OnceValues(func() (*document, error) {
	d := &document{}
	return d, json.Unmarshal(openAPI, d)
})

// check holds a value against a schema and gives every difference. What the schema
// does not name must not be there.
func (d *document) check(at string, s *schema, v any) (wrong []string) {
	if s.Ref != "" {
		name := strings.TrimPrefix(s.Ref, "#/components/schemas/")
		if s = d.Components.Schemas[name]; s == nil {
			return []string{at + ": no schema " + name}
		}
	}
	kind := "null"
	switch v := v.(type) {
	case bool:
		kind = "boolean"
	case string:
		kind = "string"
	case float64:
		if kind = "number"; v == math.Trunc(v) && !slices.Contains(s.Type, "number") {
			kind = "integer"
		}
	case []any:
		kind = "array"
		for i, item := range v {
			if s.Items != nil {
				wrong = append(wrong, d.check(fmt.Sprintf("%s[%d]", at, i), s.Items, item)...)
			}
		}
	case map[string]any:
		kind = "object"
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				wrong = append(wrong, at+": lacks "+name)
			}
		}
		for name, item := range v {
			of := s.Properties[name]
			if of == nil {
				of = s.Additional
			}
			switch {
			case of != nil:
				wrong = append(wrong, d.check(at+"."+name, of, item)...)
			case s.Properties != nil || s.Additional != nil:
				wrong = append(wrong, at+": has "+name)
			}
		}
	}
	if s.Type != nil && !slices.Contains(s.Type, kind) {
		wrong = append(wrong, fmt.Sprintf("%s: is %s %v, not %v", at, kind, v, s.Type))
	}
	return wrong
}

// answer checks a response against what the description says of its operation.
func (d *document) answer(t testing.TB, method, path string, rec *httptest.ResponseRecorder) {
	t.Helper()
	op, ok := d.Paths[path][strings.ToLower(method)]
	for template, ops := range d.Paths {
		if parts := strings.Split(template, "/"); !ok && len(parts) == strings.Count(path, "/")+1 {
			filled := slices.EqualFunc(parts, strings.Split(path, "/"), func(t, p string) bool { return t == p || strings.HasPrefix(t, "{") })
			if filled {
				op, ok = ops[strings.ToLower(method)]
			}
		}
	}
	if !ok {
		t.Errorf("%s %s is not described", method, path)
		return
	}
	resp, ok := op.Responses[fmt.Sprint(rec.Code)]
	if !ok {
		if resp, ok = op.Responses["default"]; !ok {
			t.Errorf("%s %s: status %d is not described", method, path, rec.Code)
		}
	}
	if len(resp.Content) == 0 && rec.Body.Len() == 0 {
		return
	}
	kind, _, _ := strings.Cut(rec.Header().Get("Content-Type"), ";")
	c, ok := resp.Content[kind]
	if !ok {
		t.Errorf("%s %s: %d with %q is not described", method, path, rec.Code, kind)
		return
	}
	if !strings.HasSuffix(kind, "json") {
		return
	}
	var v any
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	for i, w := range d.check("answer", c.Schema, v) {
		if i == 10 {
			break
		}
		t.Errorf("%s %s: %s", method, path, w)
	}
}

// Every schema says of each member whether it must be there, and describes no
// member of another name.
func TestOpenAPISchemas(t *testing.T) {
	d := description(t)
	for name, s := range d.Components.Schemas {
		for _, r := range s.Required {
			if s.Properties[r] == nil {
				t.Errorf("%s requires %s and does not describe it", name, r)
			}
		}
	}
	f := func(schemaText, value string, wrong int) {
		t.Helper()
		var s schema
		var v any
		if err := json.Unmarshal([]byte(schemaText), &s); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(value), &v); err != nil {
			t.Fatal(err)
		}
		if got := d.check("", &s, v); len(got) != wrong {
			t.Errorf("%s against %s: %q, want %d differences", value, schemaText, got, wrong)
		}
	}
	f(`{"type":"integer"}`, `1`, 0)
	f(`{"type":"integer"}`, `1.5`, 1)
	f(`{"type":["number","null"]}`, `null`, 0)
	f(`{"type":"array","items":{"type":"string"}}`, `["a",1]`, 1)
	f(`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`, `{"b":1}`, 2)
	f(`{"type":"object","additionalProperties":{"type":"string"}}`, `{"b":1}`, 1)
	f(`{"$ref":"#/components/schemas/Problem"}`, `{"type":"about:blank","title":"x","status":400}`, 0)
}

// Each operation, called with its own examples, answers as described; so does it
// without arguments.
func TestOpenAPIAnswers(t *testing.T) {
	d := description(t)
	h := seeded(t).Handler()
	for path, ops := range d.Paths {
		for method, op := range ops {
			if op.Responses["200"].Content["text/event-stream"].Schema != nil { // has no end
				continue
			}
			v, filled := url.Values{}, path
			for _, p := range op.Parameters {
				switch {
				case p.In == "path":
					filled = strings.Replace(filled, "{"+p.Name+"}", fmt.Sprint(p.Example), 1)
				case p.Example != nil:
					v.Set(p.Name, fmt.Sprint(p.Example))
				}
			}
			body, _ := json.Marshal(op.RequestBody.Content["application/json"].Example)
			for _, target := range []string{filled + "?" + v.Encode(), filled} {
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, httptest.NewRequest(strings.ToUpper(method), target, bytes.NewReader(body)))
				// What a path names may be there or not.
				if rec.Code/100 != 2 && (filled == path || rec.Code != http.StatusNotFound) {
					t.Errorf("%s %s: %d %s", method, target, rec.Code, rec.Body)
				}
				d.answer(t, method, path, rec)
				if strings.HasPrefix(path, "/api/") && rec.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("%s %s: Cache-Control %q", method, path, rec.Header().Get("Cache-Control"))
				}
			}
		}
	}
}
