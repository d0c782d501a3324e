package gen

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"netmeta/api"
)

// description is openapi.json.
type description struct {
	OpenAPI string `json:"openapi"`
	Info    struct {
		Title       string            `json:"title"`
		Version     string            `json:"version"`
		Description string            `json:"description"`
		License     map[string]string `json:"license"`
	} `json:"info"`
	Paths      members `json:"paths"`
	Components struct {
		Schemas members `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	ID          string      `json:"operationId"`
	Summary     string      `json:"summary"`
	Description string      `json:"description,omitempty"`
	Parameters  []parameter `json:"parameters,omitempty"`
	RequestBody *content    `json:"requestBody,omitempty"`
	Responses   members     `json:"responses"`
}

type parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required,omitempty"`
	Schema      *schema `json:"schema"`
	Example     any     `json:"example,omitempty"`
}

type content struct {
	Description string  `json:"description,omitempty"`
	Content     members `json:"content,omitempty"`
}

type media struct {
	Schema  *schema `json:"schema,omitempty"`
	Example any     `json:"example,omitempty"`
}

const problemText = "What is wrong, as RFC 9457 writes it."

// OpenAPI returns api/openapi.json, from the routes of the API, the types of their handlers and the comments
// on these. root is the directory of the repository.
func OpenAPI(root string) ([]byte, error) {
	s := &schemas{comments: newComments(root), types: map[string]reflect.Type{}}
	var d description
	d.OpenAPI = "3.1.0"
	d.Info.Title, d.Info.Version = "NetMeta HTTP API", "1"
	d.Info.Description = "Everything that the page uses. Errors are application/problem+json."
	d.Info.License = map[string]string{"name": "Apache-2.0", "identifier": "Apache-2.0"}
	if _, err := s.of(reflect.TypeFor[api.Problem]()); err != nil {
		return nil, err
	}
	for _, r := range described() {
		op, err := s.operation(r)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
		}
		i := slices.IndexFunc(d.Paths, func(m member) bool { return m.name == r.Path })
		if i < 0 {
			i, d.Paths = len(d.Paths), append(d.Paths, member{r.Path, members{}})
		}
		d.Paths[i].value = append(d.Paths[i].value.(members), member{strings.ToLower(r.Method), op})
	}
	for _, one := range s.list {
		d.Components.Schemas = append(d.Components.Schemas, member{one.name, one.schema})
	}
	text, err := plainJSON(d)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = json.Indent(&b, text, "", "  ")
	b.WriteByte('\n')
	return b.Bytes(), err
}

// described returns the routes that are not pages.
func described() []api.Route {
	return slices.DeleteFunc(api.Routes(), func(r api.Route) bool { return r.ID == "" })
}

func (s *schemas) operation(r api.Route) (op operation, err error) {
	op = operation{ID: r.ID, Summary: r.Summary, Description: r.Description}
	for _, p := range r.Parameters {
		op.Parameters = append(op.Parameters, parameter{p.Name, p.In, p.Description, p.In == "path", &schema{Type: p.Type, Minimum: p.Minimum}, p.Example})
	}
	if r.In != nil {
		body, err := s.body(r.In)
		if err != nil {
			return op, err
		}
		op.RequestBody = &content{Content: members{{"application/json", media{body, r.Example}}}}
	}
	answer := content{Description: cmp.Or(r.Answer.Description, "The answer.")}
	if r.Out != nil {
		out, err := s.of(r.Out)
		if err != nil {
			return op, err
		}
		answer.Content = members{{"application/json", media{out, r.Answer.Example}}}
	}
	if r.Answer.Text != "" {
		answer.Content = members{{r.Answer.Text, media{Schema: &schema{Type: "string", Description: r.Answer.TextIs}}}}
	}
	for _, kind := range r.Answer.Also {
		answer.Content = append(answer.Content, member{kind, media{}})
	}
	for _, event := range r.Events {
		if _, err := s.of(event); err != nil {
			return op, err
		}
	}
	op.Responses = append(op.Responses, member{strconv.Itoa(statusOf(r, answer)), answer})
	problems := members{{"application/problem+json", media{Schema: &schema{Ref: "#/components/schemas/Problem"}}}}
	for _, status := range slices.Sorted(maps.Keys(r.Problems)) {
		op.Responses = append(op.Responses, member{strconv.Itoa(status), content{cmp.Or(r.Problems[status], problemText), problems}})
	}
	op.Responses = append(op.Responses, member{"default", content{problemText, problems}})
	return op, nil
}

// statusOf returns the status of a successful response.
func statusOf(r api.Route, answer content) int {
	if r.Answer.Status == 0 && len(answer.Content) == 0 {
		return http.StatusNoContent
	}
	return cmp.Or(r.Answer.Status, http.StatusOK)
}
