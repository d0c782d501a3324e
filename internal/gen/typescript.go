package gen

import (
	"fmt"
	"reflect"
	"strings"

	"netmeta/api"
)

// TypeScript returns ui/src/api/api.gen.ts: the types of the API for the web UI. Each schema of openapi.json
// is an interface; Answers and Bodies have the types of each route. root is the directory of the repository.
func TypeScript(root string) ([]byte, error) {
	s := &schemas{comments: newComments(root), types: map[string]reflect.Type{}}
	if _, err := s.of(reflect.TypeFor[api.Problem]()); err != nil {
		return nil, err
	}
	var answers, bodies strings.Builder
	for _, r := range described() {
		op, err := s.operation(r)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
		}
		fmt.Fprintf(&answers, "  %q: %s;\n", r.Method+" "+r.Path, answerType(op))
		if op.RequestBody != nil {
			body := op.RequestBody.Content[0].value.(media).Schema
			fmt.Fprintf(&bodies, "  %q: %s;\n", r.Method+" "+r.Path, inlineType(body))
		}
	}
	var b strings.Builder
	b.WriteString("// The types of the HTTP API, made by internal/gen from the routes in api/ and the types of Go; do not edit.\n")
	for _, one := range s.list {
		b.WriteString("\n" + docComment("", one.Description))
		fmt.Fprintf(&b, "export interface %s {\n", one.name)
		for _, m := range one.Properties {
			member := m.value.(*schema)
			b.WriteString(docComment("  ", member.Description))
			fmt.Fprintf(&b, "  %s;\n", typedMember(one.schema, m.name, member))
		}
		b.WriteString("}\n")
	}
	fmt.Fprintf(&b, "\n/** What each route answers; unknown: something else than JSON. */\nexport interface Answers {\n%s}\n", &answers)
	fmt.Fprintf(&b, "\n/** What each route takes. */\nexport interface Bodies {\n%s}\n", &bodies)
	return []byte(b.String()), nil
}

// answerType returns the type of an operation's successful response.
func answerType(op operation) string {
	answer := op.Responses[0].value.(content)
	switch {
	case len(answer.Content) == 0:
		return "undefined"
	case answer.Content[0].name != "application/json":
		return "unknown"
	}
	return typeOf(answer.Content[0].value.(media).Schema)
}

// typedMember returns a member with its type; an optional one has a question mark.
func typedMember(of *schema, name string, member *schema) string {
	for _, needed := range of.Required {
		if needed == name {
			return name + ": " + typeOf(member)
		}
	}
	return name + "?: " + typeOf(member)
}

// typeOf returns the TypeScript type for a schema.
func typeOf(s *schema) string {
	switch {
	case s.Ref != "":
		return strings.TrimPrefix(s.Ref, "#/components/schemas/")
	case s.AnyOf != nil:
		return unionOf(s.AnyOf, typeOf)
	case s.Enum != nil:
		return unionOf(s.Enum, func(text string) string { return fmt.Sprintf("%q", text) })
	}
	switch kind := s.Type.(type) {
	case []string:
		return unionOf(kind, func(name string) string {
			one := *s
			one.Type = name
			return typeOf(&one)
		})
	case string:
		return plainType(s, kind)
	}
	return "unknown"
}

// plainType returns the TypeScript type for a single JSON type.
func plainType(s *schema, kind string) string {
	switch kind {
	case "integer", "number":
		return "number"
	case "array":
		item := typeOf(s.Items)
		if s.MaxItems > 0 {
			return "[" + strings.TrimSuffix(strings.Repeat(item+", ", s.MaxItems), ", ") + "]"
		}
		if _, several := s.Items.Type.([]string); several || s.Items.AnyOf != nil || s.Items.Enum != nil {
			item = "(" + item + ")"
		}
		return item + "[]"
	case "object":
		if s.AdditionalProperties != nil {
			return "Record<string, " + typeOf(s.AdditionalProperties) + ">"
		}
		return "Record<string, unknown>"
	}
	return kind // string, boolean, null
}

func unionOf[T any](list []T, each func(T) string) string {
	texts := make([]string, len(list))
	for i, one := range list {
		texts[i] = each(one)
	}
	return strings.Join(texts, " | ")
}

// inlineType returns an object in one line, or in a line per member if there are many.
func inlineType(s *schema) string {
	texts := make([]string, len(s.Properties))
	for i, m := range s.Properties {
		texts[i] = typedMember(s, m.name, m.value.(*schema))
	}
	if len(texts) < 4 {
		return "{ " + strings.Join(texts, "; ") + " }"
	}
	return "{\n    " + strings.Join(texts, ";\n    ") + ";\n  }"
}

// docComment returns a comment on the next declaration, in lines of limited length.
func docComment(indent, text string) string {
	if text == "" {
		return ""
	}
	text = strings.ReplaceAll(text, "*/", "* /")
	if len(text) <= 120 {
		return indent + "/** " + text + " */\n"
	}
	var b strings.Builder
	b.WriteString(indent + "/**\n")
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+len(word) >= 120 {
			b.WriteString(indent + " * " + line + "\n")
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	b.WriteString(indent + " * " + line + "\n" + indent + " */\n")
	return b.String()
}
